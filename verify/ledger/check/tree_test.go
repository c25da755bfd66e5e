package check

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// treeOf is a log of n entries that say nothing, with the hash tiles that golang.org/x/mod/sumdb/tlog makes of it.
func treeOf(t *testing.T, n int64) (*Log, fstest.MapFS) {
	t.Helper()
	l := &Log{Size: n}
	var stored []tlog.Hash
	at := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, i := range indexes {
			hashes = append(hashes, stored[i])
		}
		return hashes, nil
	})
	for i := range n {
		entry := binary.BigEndian.AppendUint64(nil, uint64(i))
		hashes, err := tlog.StoredHashes(i, entry, at)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
		l.leaves = append(l.leaves, sha256.Sum256(append([]byte{0}, entry...)))
	}
	files := fstest.MapFS{}
	for _, tile := range tlog.NewTiles(8, 0, n) {
		b, err := tlog.ReadTileData(tile, at)
		if err != nil {
			t.Fatal(err)
		}
		files[tilePath(fmt.Sprint(tile.L), tile.N, int64(tile.W))] = &fstest.MapFile{Data: b}
	}
	l.files = files
	root, err := tlog.TreeHash(n, at)
	if err != nil {
		t.Fatal(err)
	}
	if merkle(l.leaves) != [32]byte(root) {
		t.Fatal("the root is another one")
	}
	return l, files
}

// Every tile of a log with three levels is looked at: whatever is changed in one, cut off, removed, or put in its place is found, in that
// file, at an entry that the changed hash covers.
func TestHigherTiles(t *testing.T) {
	const n = 65536 + 3*256 + 5 // two tiles at level 1, one at level 2, all but the first unfinished
	l, files := treeOf(t, n)
	if l.tiles(); len(l.Findings) > 0 {
		t.Fatal(l.Findings)
	}
	names := []string{"tile/0/000", "tile/0/255", "tile/0/258", "tile/0/259.p/5", "tile/1/000", "tile/1/001.p/3", "tile/2/000.p/1"}
	for _, name := range names {
		if files[name] == nil {
			t.Fatalf("there is no %s", name)
		}
	}
	if len(files) != 260+2+1 {
		t.Errorf("%d tiles", len(files))
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	// try changes one file, and wants a finding about it, at an entry from first to last.
	try := func(name, what string, data []byte, first, last int64) {
		t.Helper()
		orig := files[name]
		if data == nil {
			delete(files, name)
		} else {
			files[name] = &fstest.MapFile{Data: data}
		}
		l.Findings = nil
		l.tiles()
		if !slices.ContainsFunc(l.Findings, func(f Finding) bool { return f.File == name && first <= f.Entry && f.Entry <= last }) {
			t.Errorf("%s %s: found %v, want entry %d to %d", name, what, l.Findings, first, last)
		}
		if others := slices.DeleteFunc(l.Findings, func(f Finding) bool { return f.File == name }); len(others) > 0 {
			t.Errorf("%s %s: others are blamed: %v", name, what, others)
		}
		files[name] = orig
	}
	for _, name := range names {
		data := files[name].Data
		var level, tile int64
		if _, err := fmt.Sscanf(name, "tile/%d/%d", &level, &tile); err != nil {
			t.Fatal(err)
		}
		span := int64(1) << (8 * level)
		covers := func(hash int) (first, last int64) {
			first = (tile*width + int64(hash)) * span
			return first, first + span - 1
		}
		for hash := range len(data) / 32 {
			if hash > 0 && hash < len(data)/32-1 && rnd.IntN(50) > 0 {
				continue
			}
			bad := bytes.Clone(data)
			bad[32*hash+rnd.IntN(32)] ^= 1 << rnd.IntN(8)
			first, last := covers(hash)
			try(name, fmt.Sprintf("with hash %d changed", hash), bad, first, last)
			try(name, fmt.Sprintf("cut in hash %d", hash), data[:32*hash+rnd.IntN(32)], first, last)
		}
		first, _ := covers(0)
		_, last := covers(len(data)/32 - 1)
		try(name, "removed", nil, first, last)
		try(name, "with a byte more", append(bytes.Clone(data), 0), first, last)
		for _, other := range names {
			if o := files[other].Data; !bytes.Equal(o, data) {
				try(name, "replaced by "+other, o, first, last)
			}
		}
		if len(data) >= 64 {
			swapped := slices.Concat(data[32:64], data[:32], data[64:])
			try(name, "with two hashes exchanged", swapped, first, last)
			try(name, "with a hash repeated", slices.Concat(data[:32], data[:32], data[64:]), first, last)
		}
	}
}
