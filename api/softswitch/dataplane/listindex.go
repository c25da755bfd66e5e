package dataplane

import (
	"slices"
	"sync/atomic"
)

// listIndex tries entries one by one, the highest priority first, and among equals the one that was there first. Readers see a
// list that is never changed; a writer publishes a new one.
type listIndex struct {
	keys  []Key
	least bool // the least priority first
	list  atomic.Pointer[[]*Entry]
}

func newListIndex(keys []Key, least bool) *listIndex {
	x := &listIndex{keys: keys, least: least}
	x.list.Store(&[]*Entry{})
	return x
}

func (x *listIndex) find(key []uint64) *Entry {
	for _, e := range *x.list.Load() {
		if matchesAll(x.keys, e.Match, e.key, e.mask, key) {
			return e
		}
	}
	return nil
}

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

// rank orders by priority, then by prefix length (tables of lpm keys alone have no priorities), then by age.
func (x *listIndex) rank(a, b *Entry) int {
	if a.Priority != b.Priority {
		if x.least {
			return int(a.Priority) - int(b.Priority)
		}
		return int(b.Priority) - int(a.Priority)
	}
	la, lb := 0, 0
	for i := range x.keys {
		la, lb = la+a.Match[i].Len, lb+b.Match[i].Len
	}
	if la != lb {
		return lb - la
	}
	if a.order < b.order {
		return -1
	}
	return 1
}

func (x *listIndex) insert(e *Entry) {
	old := *x.list.Load()
	at, _ := slices.BinarySearchFunc(old, e, x.rank)
	list := make([]*Entry, 0, len(old)+1)
	list = append(append(append(list, old[:at]...), e), old[at:]...)
	x.list.Store(&list)
}

func (x *listIndex) remove(e *Entry) {
	list := slices.DeleteFunc(slices.Clone(*x.list.Load()), func(o *Entry) bool { return o == e })
	x.list.Store(&list)
}
