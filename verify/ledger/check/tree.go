package check

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
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

// tiles checks that the hash tiles on disk are those of the entries.
func (l *Log) tiles(leaves [][32]byte) {
	if int64(len(leaves)) != l.Size {
		return // said already
	}
	hashes := leaves
	for level := 0; len(hashes) > 0; level++ {
		for first := 0; first < len(hashes); first += width {
			n := min(len(hashes)-first, width)
			file := tilePath(fmt.Sprint(level), int64(first/width), int64(n))
			b, err := os.ReadFile(filepath.Join(l.dir, file))
			if err != nil {
				l.find(-1, file, "%v", err)
				continue
			}
			if len(b) != 32*n {
				l.find(-1, file, "%d bytes, want %d", len(b), 32*n)
				continue
			}
			for i := range n {
				if !bytes.Equal(b[32*i:32*i+32], hashes[first+i][:]) {
					entry := int64(-1)
					if level == 0 {
						entry = int64(first + i)
					}
					l.find(entry, file, "hash %d is not that of what it covers", i)
				}
			}
		}
		var up [][32]byte
		for first := 0; first+width <= len(hashes); first += width {
			up = append(up, merkle(hashes[first:first+width]))
		}
		hashes = up
	}
}
