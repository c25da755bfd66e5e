package dataplane

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestIndexesAgreeWithSearch runs random inserts, deletes and lookups against a search of all entries that is as plain as the
// specification.
func TestIndexesAgreeWithSearch(t *testing.T) {
	for _, tc := range []struct {
		name string
		keys []Key
	}{
		{"exact", []Key{{Kind: Exact, Width: 3}, {Kind: Exact, Width: 70}}},
		{"lpm", []Key{{Kind: LPM, Width: 8}}},
		{"lpm over two words", []Key{{Kind: LPM, Width: 70}, {Kind: Exact, Width: 2}}},
		{"two lpm", []Key{{Kind: LPM, Width: 4}, {Kind: Ternary, Width: 3}}},
		{"masks, ranges and options", []Key{{Kind: Ternary, Width: 4}, {Kind: Range, Width: 5}, {Kind: Optional, Width: 2}, {Kind: Exact, Width: 66}}},
		{"masks", []Key{{Kind: Ternary, Width: 3}, {Kind: Ternary, Width: 66}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { checkIndex(t, tc.keys) })
		})
	}
}

func checkIndex(t *rapid.T, keys []Key) {
	tab := &Table{Name: "t", Size: 30, entries: map[string]*Entry{}, least: rapid.Bool().Draw(t, "least")}
	for _, k := range keys {
		k.off, k.words = tab.words, bitWords(k.Width)
		tab.words += k.words
		tab.Keys = append(tab.Keys, k)
		tab.Priority = tab.Priority || k.Kind == Ternary || k.Kind == Range || k.Kind == Optional
	}
	tab.index = tab.newIndex()
	var all []*Entry
	for range rapid.IntRange(1, 60).Draw(t, "operations") {
		switch rapid.IntRange(0, 3).Draw(t, "operation") {
		case 0, 1:
			e := drawEntry(t, tab)
			i := slices.IndexFunc(all, func(o *Entry) bool { return sameMatch(tab, o, e) })
			switch err := tab.Insert(e); {
			case err == nil:
				if i >= 0 {
					t.Fatal("the same entry twice")
				}
				all = append(all, e)
			case errors.Is(err, ErrExists):
				if i < 0 {
					t.Fatal(err)
				}
			case errors.Is(err, ErrFull):
				if len(all) < tab.Size {
					t.Fatal(err)
				}
			}
		case 2:
			if len(all) > 0 {
				i := rapid.IntRange(0, len(all)-1).Draw(t, "victim")
				if err := tab.Delete(all[i].Match, all[i].Priority); err != nil {
					t.Fatal(err)
				}
				all = slices.Delete(all, i, i+1)
			}
		}
		key := make([]uint64, tab.words)
		for _, k := range tab.Keys {
			copy(key[k.off:], drawValue(t, k))
		}
		got, want := tab.index.find(key), search(tab, all, key)
		if got != want {
			t.Fatalf("key %x: found %v, want %v of %d", key, got, want, len(all))
		}
	}
	if got := tab.Entries(); !slices.Equal(got, all) {
		t.Fatalf("%d entries, want %d", len(got), len(all))
	}
}

func sameMatch(tab *Table, a, b *Entry) bool {
	return tab.identity(a.Match, a.Priority) == tab.identity(b.Match, b.Priority)
}

// drawValue draws few different values, so that they meet.
func drawValue(t *rapid.T, k Key) []uint64 {
	v := make([]uint64, k.words)
	v[0] = rapid.Uint64Range(0, mask64(min(3, k.Width))).Draw(t, "low")
	if k.Width > 64 {
		v[k.words-1] = rapid.Uint64Range(0, 3).Draw(t, "high")
	}
	if k.Width > 3 && rapid.Bool().Draw(t, "top") {
		wideInsert(v, k.Width-1, 1, 1)
	}
	return v
}

func drawEntry(t *rapid.T, tab *Table) *Entry {
	ms := make([]Match, len(tab.Keys))
	for i, k := range tab.Keys {
		if k.Kind != Exact && rapid.IntRange(0, 4).Draw(t, "any") == 0 {
			ms[i].Any = true
			continue
		}
		v := drawValue(t, k)
		switch k.Kind {
		case Exact, Optional:
			ms[i].Value = v
		case LPM, Ternary:
			m := make([]uint64, k.words)
			n := rapid.IntRange(1, k.Width).Draw(t, "prefix")
			fillMask(m, k.Width, n)
			if k.Kind == Ternary {
				copy(m, drawValue(t, k))
			}
			for j := range v {
				v[j] &= m[j]
			}
			ms[i].Value = v
			if k.Kind == LPM {
				ms[i].Len = n
			} else {
				ms[i].Mask = m
			}
		case Range:
			hi := drawValue(t, k)
			if wideCompare(v, hi) > 0 {
				v, hi = hi, v
			}
			ms[i].Value, ms[i].Mask = v, hi
		}
	}
	var prio int32
	if tab.Priority {
		prio = int32(rapid.IntRange(1, 4).Draw(t, "priority"))
	}
	return NewEntry(ms, prio, &Do{})
}

// search compares as big numbers: of all entries that match, the one of highest priority, then of longest prefix, then the oldest.
func search(tab *Table, all []*Entry, key []uint64) *Entry {
	var best *Entry
	prefix := func(e *Entry) (n int) {
		for _, m := range e.Match {
			n += m.Len
		}
		return n
	}
	for _, e := range all {
		ok := true
		for i, k := range tab.Keys {
			m, v := e.Match[i], toBig(key[k.off:k.off+k.words])
			switch {
			case m.Any:
			case k.Kind == Exact, k.Kind == Optional:
				ok = ok && v.Cmp(toBig(m.Value)) == 0
			case k.Kind == LPM:
				shift := uint(k.Width - m.Len)
				ok = ok && new(big.Int).Rsh(v, shift).Cmp(new(big.Int).Rsh(toBig(m.Value), shift)) == 0
			case k.Kind == Ternary:
				ok = ok && new(big.Int).And(v, toBig(m.Mask)).Cmp(toBig(m.Value)) == 0
			case k.Kind == Range:
				ok = ok && v.Cmp(toBig(m.Value)) >= 0 && v.Cmp(toBig(m.Mask)) <= 0
			}
		}
		higher := best != nil && (!tab.least && e.Priority > best.Priority || tab.least && e.Priority < best.Priority)
		if ok && (best == nil || higher || e.Priority == best.Priority && prefix(e) > prefix(best)) {
			best = e
		}
	}
	return best
}

func toBig(w []uint64) *big.Int {
	n := new(big.Int)
	for i := len(w) - 1; i >= 0; i-- {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(w[i]))
	}
	return n
}

func TestExactIndexGrows(t *testing.T) {
	x := newExactIndex()
	var all []*Entry
	for i := range 5000 {
		e := &Entry{key: []uint64{uint64(i) * 0x9E3779B97F4A7C15}}
		all = append(all, e)
		x.insert(e)
	}
	for i, e := range all {
		if x.find(e.key) != e {
			t.Fatalf("entry %d is lost", i)
		}
		if i%2 == 0 {
			x.remove(e)
		}
	}
	for i, e := range all {
		if got := x.find(e.key); (got == e) != (i%2 == 1) {
			t.Fatalf("entry %d: %v", i, got)
		}
	}
}

// BenchmarkLookup finds entries in tables of several sizes: half of the lookups hit.
func BenchmarkLookup(b *testing.B) {
	for _, kind := range []struct {
		name string
		keys []Key
		mask func(i int) Match
	}{
		{"exact", []Key{{Kind: Exact, Width: 48}}, func(i int) Match { return Match{Value: []uint64{uint64(i) * 2}} }},
		{"lpm", []Key{{Kind: LPM, Width: 32}}, func(i int) Match { return Match{Value: []uint64{uint64(i) << 13}, Len: 20 + i%3&^1} }},
		{"ternary, 8 masks", []Key{{Kind: Ternary, Width: 32}}, func(i int) Match {
			m := uint64(0xFFFFFF00) << (i % 8) & 0xFFFFFFFF
			return Match{Value: []uint64{uint64(i) << 15 & m}, Mask: []uint64{m}}
		}},
	} {
		for _, n := range []int{1 << 10, 1 << 16} {
			b.Run(fmt.Sprintf("%s/%d", kind.name, n), func(b *testing.B) {
				tab := &Table{Name: "t", Size: n, entries: map[string]*Entry{}}
				for _, k := range kind.keys {
					k.off, k.words = tab.words, bitWords(k.Width)
					tab.words += k.words
					tab.Keys = append(tab.Keys, k)
				}
				tab.index = tab.newIndex()
				for i := range n {
					_ = tab.Insert(NewEntry([]Match{kind.mask(i)}, int32(i%100+1), &Do{}))
				}
				keys := make([][]uint64, 2*n)
				for i := range keys {
					keys[i] = kind.mask(i).Value
				}
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					tab.index.find(keys[i%len(keys)])
					i += 7919
				}
			})
		}
	}
}

// TestLookupsMissNothing replaces the entry for a key by one of another mask, always the new one first: no lookup at the same time
// finds none.
func TestLookupsMissNothing(t *testing.T) {
	for _, others := range []int{0, 100} {
		tab := &Table{Name: "t", Size: 1 << 16, entries: map[string]*Entry{}, Priority: true}
		tab.Keys, tab.words = []Key{{Kind: Ternary, Width: 32, words: 1}}, 1
		tab.index = tab.newIndex()
		entry := func(i int) *Entry {
			m := uint64(0xFF) << (i % 24)
			return NewEntry([]Match{{Value: []uint64{0xFFFFFFFF & m}, Mask: []uint64{m}}}, int32(i%5+1), &Do{})
		}
		for i := range others {
			must(t, tab.Insert(NewEntry([]Match{{Value: []uint64{uint64(i)}, Mask: []uint64{0xFFFF << (i % 3)}}}, 1, &Do{})))
		}
		now := entry(0)
		must(t, tab.Insert(now))
		stop, missed := make(chan struct{}), make(chan int)
		go func() {
			n, key := 0, []uint64{0xFFFFFFFF}
			for {
				select {
				case <-stop:
					missed <- n
					return
				default:
					if tab.index.find(key) == nil {
						n++
					}
				}
			}
		}()
		for i := range 20_000 {
			fresh := entry(i*7 + 1)
			if sameMatch(tab, now, fresh) {
				continue
			}
			must(t, tab.Insert(fresh))
			must(t, tab.Delete(now.Match, now.Priority))
			now = fresh
		}
		close(stop)
		if n := <-missed; n > 0 {
			t.Errorf("%d lookups found nothing, with %d other entries", n, others)
		}
	}
}
