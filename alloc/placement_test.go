package alloc

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// at is a layout of the first array: VID, base, size, and so on.
func at(x ...int64) Layout {
	a := stage(0)
	l := Layout{}
	for i := 0; i < len(x); i += 3 {
		l[uint16(x[i])] = map[Array]Extent{a: {x[i+1], x[i+2]}}
	}
	return l
}

// want are sizes of the first array: VID, size, and so on.
func want(x ...int64) map[uint16]map[Array]int64 {
	a := stage(0)
	w := map[uint16]map[Array]int64{}
	for i := 0; i < len(x); i += 2 {
		w[uint16(x[i])] = map[Array]int64{a: x[i+1]}
	}
	return w
}

func TestPlace(t *testing.T) {
	a := stage(0)
	tests := []struct {
		name   string
		now    Layout
		want   map[uint16]map[Array]int64
		next   Layout
		moved  []uint16
		packed bool
	}{
		{"newcomers side by side", nil, want(1, 20, 2, 30), at(1, 30, 20, 2, 0, 30), nil, false},
		{"unchanged stays", at(1, 40, 20), want(1, 20), at(1, 40, 20), nil, false},
		{"shrinks at its base", at(1, 40, 20), want(1, 10), at(1, 40, 10), nil, false},
		{"grows in place", at(1, 40, 20), want(1, 60), at(1, 40, 60), nil, false},
		{"grows into what another frees", at(1, 0, 20, 2, 20, 40), want(1, 20, 2, 80), at(1, 0, 20, 2, 20, 80), nil, false},
		{"grows into what one who leaves frees", at(1, 0, 20, 2, 20, 40), want(1, 100), at(1, 0, 100), nil, false},
		{"who is in the way and changes moves if it has less", at(1, 0, 20, 2, 20, 12), want(1, 40, 2, 10), at(1, 0, 40, 2, 40, 10), []uint16{2}, false},
		{"a bystander with less stays", at(1, 0, 20, 2, 20, 10), want(1, 40, 2, 10), at(1, 30, 40, 2, 20, 10), []uint16{1}, false},
		{"moves if those in the way have more", at(1, 0, 20, 2, 20, 30), want(1, 40, 2, 30), at(1, 50, 40, 2, 20, 30), []uint16{1}, false},
		{"moves over its own slots", at(1, 10, 30, 2, 40, 40), want(1, 39, 2, 40), at(1, 0, 39, 2, 40, 40), []uint16{1}, false},
		{"who is in the way moves if nothing else helps", at(1, 0, 30, 2, 40, 40), want(1, 45, 2, 40), at(1, 0, 45, 2, 45, 40), []uint16{2}, false},
		{"packs when it must", at(1, 0, 40, 2, 50, 40), want(1, 40, 2, 40, 3, 20), at(1, 0, 40, 2, 40, 40, 3, 80, 20), []uint16{2}, true},
		{"first gap", at(1, 10, 10, 2, 50, 10), want(1, 10, 2, 10, 3, 25), at(1, 10, 10, 2, 50, 10, 3, 20, 25), nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			have, err := Place(Capacity{a: 100}, tt.now, tt.want, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.next, have.Layout); d != "" {
				t.Error(d)
			}
			if !slices.Equal(have.Moved, tt.moved) || (len(have.Defragmented) > 0) != tt.packed {
				t.Errorf("moved %v, packed %v", have.Moved, have.Defragmented)
			}
		})
	}
	if _, err := Place(Capacity{a: 100}, nil, want(1, 60, 2, 41), nil); !errors.Is(err, ErrNoRoom) {
		t.Errorf("too much: %v", err)
	}
	if _, err := Place(Capacity{a: 100}, nil, want(1, -1), nil); !errors.Is(err, ErrNoRoom) {
		t.Errorf("negative: %v", err)
	}
}

// Slots in quarantine are nobody's, whatever is wanted.
func TestPlaceAroundQuarantine(t *testing.T) {
	a := stage(0)
	for _, tt := range []struct {
		name string
		bad  []Extent
		now  Layout
		want map[uint16]map[Array]int64
		next Layout
		full string
	}{
		{"a newcomer lies beside them", []Extent{{10, 5}}, nil, want(1, 20), at(1, 15, 20), ""},
		{"who grows moves, for nothing else helps", []Extent{{30, 1}}, at(1, 20, 10), want(1, 40), at(1, 31, 40), ""},
		{"packs between them", []Extent{{50, 1}}, at(1, 0, 20, 2, 25, 20, 3, 60, 20), want(1, 20, 2, 20, 3, 20, 4, 29), at(1, 0, 20, 2, 20, 20, 3, 51, 20, 4, 71, 29), ""},
		{"the largest first where order does not do", []Extent{{50, 1}}, at(1, 0, 10, 2, 10, 10), want(1, 10, 2, 10, 3, 40, 4, 39), at(3, 0, 40, 4, 51, 39, 1, 40, 10, 2, 90, 10), ""},
		{"too much", []Extent{{50, 1}}, nil, want(1, 40, 2, 60), nil, "ingress/0: 100 slots of 100, of which 1 are in quarantine: does not fit"},
		{"no part is large enough", []Extent{{50, 1}}, nil, want(1, 51), nil, "ingress/0: 51 slots of 100, of which 1 are in quarantine: does not fit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			have, err := placeAround(map[Array][]Extent{a: tt.bad}, Capacity{a: 100}, tt.now, tt.want, nil)
			if tt.full != "" {
				if err == nil || err.Error() != tt.full || !errors.Is(err, ErrNoRoom) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.next, have.Layout); d != "" {
				t.Error(d)
			}
		})
	}
}

// All registers of a tenant move, or none: here the second stage alone is blocked.
func TestPlaceMovesTogether(t *testing.T) {
	a, b := stage(0), stage(1)
	have, err := Place(Capacity{a: 100, b: 120},
		Layout{1: {a: {0, 20}, b: {0, 20}}, 2: {b: {20, 50}}},
		map[uint16]map[Array]int64{1: {a: 40, b: 40}, 2: {b: 50}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Layout{1: {a: {20, 40}, b: {70, 40}}, 2: {b: {20, 50}}}, have.Layout); d != "" {
		t.Error(d)
	}
}

// genState is a valid layout with what is wanted next.
func genState(t *rapid.T, capacity Capacity, tenants int) (Layout, map[uint16]map[Array]int64) {
	now, want := Layout{}, map[uint16]map[Array]int64{}
	for v := range tenants {
		now[uint16(v+1)], want[uint16(v+1)] = map[Array]Extent{}, map[Array]int64{}
	}
	for _, a := range arrays(capacity) {
		slots := capacity[a]
		at, left := int64(0), slots
		for _, v := range rapid.Permutation(slices.Sorted(keys(now))).Draw(t, "order") {
			at += rapid.Int64Range(0, 4).Draw(t, "gap")
			n := min(rapid.Int64Range(0, 10).Draw(t, "size"), max(slots-at, 0))
			if n > 0 {
				now[v][a] = Extent{at, n}
			}
			at += n
			w := n
			if rapid.Bool().Draw(t, "changes") {
				w = rapid.Int64Range(0, 14).Draw(t, "want")
			}
			w = min(w, left)
			left -= w
			want[v][a] = w
		}
	}
	return now, want
}

func arrays(c Capacity) []Array {
	return slices.SortedFunc(maps.Keys(c), Array.Compare)
}

func keys(l Layout) func(func(uint16) bool) {
	return func(yield func(uint16) bool) {
		for v := range l {
			if !yield(v) {
				return
			}
		}
	}
}

// genBad are slots that nobody has, or none.
func genBad(t *rapid.T, capacity Capacity, now Layout) map[Array][]Extent {
	bad := map[Array][]Extent{}
	if rapid.Bool().Draw(t, "sound") {
		return bad
	}
	for _, a := range arrays(capacity) {
		var list []Range
		for range rapid.IntRange(0, 3).Draw(t, "bad") {
			at := rapid.Int64Range(0, capacity[a]-1).Draw(t, "at")
			list = append(list, Range{a, at, min(at+rapid.Int64Range(1, 4).Draw(t, "slots"), capacity[a])})
		}
		var has []Range
		for _, es := range now {
			has = append(has, Range{a, es[a].Base, es[a].end()})
		}
		for _, x := range without(list, union(has)) {
			bad[a] = append(bad[a], Extent{x.Lo, x.Hi - x.Lo})
		}
	}
	return bad
}

// The dumb twin paints slots.
func TestPlaceInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := Capacity{stage(0): 40, stage(1): 30}
		now, want := genState(t, capacity, rapid.IntRange(1, 5).Draw(t, "tenants"))
		bad := genBad(t, capacity, now)
		have, err := placeAround(bad, capacity, now, want, nil)
		var full *roomError
		if errors.As(err, &full) {
			need, most, parts := int64(0), int64(1), int64(len(bad[full.array])+1)
			for _, sizes := range want {
				need, most = need+sizes[full.array], max(most, sizes[full.array])
			}
			if usable := capacity[full.array] - total(bad[full.array]); len(bad) == 0 || need+parts*(most-1) <= usable {
				t.Fatalf("%d slots at most %d each would fit into %d parts of together %d: %v", need, most, parts, usable, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for a, slots := range capacity {
			owner := make([]uint16, slots)
			for _, x := range bad[a] {
				for s := x.Base; s < x.end(); s++ {
					owner[s] = math.MaxUint16
				}
			}
			for _, v := range slices.Sorted(keys(have.Layout)) {
				e := have.Layout[v][a]
				if e.Size != want[v][a] {
					t.Fatalf("VID %d in %v has %d slots, wants %d", v, a, e.Size, want[v][a])
				}
				for s := e.Base; s < e.end(); s++ {
					if s < 0 || s >= slots || owner[s] != 0 {
						t.Fatalf("VID %d in %v: %+v is taken or outside: %v", v, a, e, owner)
					}
					owner[s] = v
				}
				old := now[v][a]
				still := true // nothing of this tenant grows
				for b, n := range want[v] {
					still = still && n <= now[v][b].Size
				}
				if !still || slices.Contains(have.Defragmented, a) || e.Size == 0 || e.Base == old.Base {
					continue
				}
				// It moves though it does not grow: it makes room for somebody who does.
				made := false
				for w := range want {
					for b, n := range want[w] {
						made = made || w != v && n > now[w][b].Size
					}
				}
				if !made {
					t.Fatalf("VID %d in %v moves from %+v to %+v without need", v, a, old, e)
				}
			}
		}
		if len(have.Defragmented) == 0 { // moving is all or nothing
			for v, next := range have.Layout {
				some, all := false, true
				for a, e := range next {
					if old := now[v][a]; old.Size > 0 && e.Size > 0 {
						moves := e.Base != old.Base
						some, all = some || moves, all && moves
					}
				}
				if some && !all {
					t.Fatalf("VID %d moves in part: %v to %v", v, now[v], next)
				}
			}
		}
		// Room to grow is a matter of taste: what is placed does not move for it.
		again, err := placeAround(bad, capacity, have.Layout, want, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(have.Layout, again.Layout); d != "" {
			t.Fatalf("it does not rest: %s", d)
		}
	})
}

func BenchmarkPlace(b *testing.B) {
	for _, n := range []int{3, 64, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			now, want, capacity := Layout{}, map[uint16]map[Array]int64{}, Capacity{}
			for s := range 8 {
				a := stage(s)
				capacity[a] = int64(n) * 96
				for v := range n {
					if now[uint16(v+1)] == nil {
						now[uint16(v+1)], want[uint16(v+1)] = map[Array]Extent{}, map[Array]int64{}
					}
					now[uint16(v+1)][a] = Extent{int64(v) * 64, 64}
					want[uint16(v+1)][a] = []int64{64, 64, 64, 128, 32}[v%5]
				}
			}
			for b.Loop() {
				if _, err := Place(capacity, now, want, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
