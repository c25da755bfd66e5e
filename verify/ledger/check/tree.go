package check

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
)

// merkle is RFC 6962's tree hash.
func merkle(leaves [][32]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	return node(merkle(leaves[:k]), merkle(leaves[k:]))
}

func node(a, b [32]byte) [32]byte {
	return sha256.Sum256(append(append([]byte{1}, a[:]...), b[:]...))
}

// tiles checks that the hash tiles are those of the entries. With entries missing, what is left is compared as far as it goes, so that the
// first that moved is named.
func (l *Log) tiles() {
	whole := int64(len(l.leaves)) == l.Size
	hashes, span := l.leaves, int64(1) // span: entries a hash covers
	for level := 0; len(hashes) > 0 && (whole || level == 0); level++ {
		for first := 0; first < len(hashes); first += width {
			n := int(min(l.Size/span-int64(first), width))
			file := tilePath(fmt.Sprint(level), int64(first/width), int64(n))
			b, err := fs.ReadFile(l.files, file)
			if err != nil {
				l.find(int64(first)*span, file, "%v", err)
				continue
			}
			if len(b) != 32*n {
				l.find(int64(first+min(len(b)/32, n-1))*span, file, "%d bytes, want %d", len(b), 32*n)
				continue
			}
			for i := range min(n, len(hashes)-first) {
				if !bytes.Equal(b[32*i:32*i+32], hashes[first+i][:]) {
					l.find(int64(first+i)*span, file, "hash %d is not that of what it covers", i)
				}
			}
		}
		var up [][32]byte
		for first := 0; first+width <= len(hashes); first += width {
			up = append(up, merkle(hashes[first:first+width]))
		}
		hashes, span = up, span*width
	}
}
