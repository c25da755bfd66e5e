package dataplane

// matchesAll compares the words of a key with a prepared match.
func matchesAll(keys []Key, match []Match, value, mask, key []uint64) bool {
	for i := range keys {
		k := &keys[i]
		if match[i].Any {
			continue
		}
		if k.Kind == Range {
			v := key[k.off : k.off+k.words]
			if wideCompare(v, value[k.off:k.off+k.words]) < 0 || wideCompare(v, mask[k.off:k.off+k.words]) > 0 {
				return false
			}
			continue
		}
		for j := k.off; j < k.off+k.words; j++ {
			if key[j]&mask[j] != value[j] {
				return false
			}
		}
	}
	return true
}
