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

// continuity checks that each switch's states follow each other, an outcome beginning where the last one ended, and that every
// outcome carries out an earlier decision that allows it. A decision may be carried out again: what it rests on, the gate compares
// with the switch each time.
func (l *Log) continuity() {
	last := map[string]Entry{}
	for _, e := range l.Entries {
		o := e.Outcome
		if o == nil {
			continue
		}
		file := tilePath("entries", e.Index/width, min(l.Size-e.Index/width*width, width))
		if prev, ok := last[o.Switch]; ok && prev.Outcome.PostState != o.PreState {
			l.find(e.Index, file, "switch %s: entry %d left state %s, this one found %s: something else wrote to the switch",
				o.Switch, prev.Index, short(prev.Outcome.PostState), short(o.PreState))
		}
		last[o.Switch] = e
		if o.Action == "recover" && o.Decision < 0 {
			continue
		}
		if o.Decision < 0 || o.Decision >= e.Index || l.Entries[o.Decision].Decision == nil {
			l.find(e.Index, file, "entry %d, which it carried out, is no earlier decision", o.Decision)
			continue
		}
		if o.Action == "recover" {
			continue
		}
		d := l.Entries[o.Decision].Decision
		if d.Action != decisions[o.Action] || d.Switch != "" && d.Switch != o.Switch {
			l.find(e.Index, file, "it says %s on switch %s, entry %d decided to %s on %s", o.Action, o.Switch, o.Decision, d.Action, d.Switch)
		}
		if d.Verdict != "proved" && d.Verdict != "lemma" {
			l.find(e.Index, file, "it carried out entry %d, whose verdict is %s", o.Decision, d.Verdict)
		}
	}
}

func short(d string) string {
	if len(d) > 19 {
		return d[:19]
	}
	return d
}
