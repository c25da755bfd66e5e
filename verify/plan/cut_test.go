package plan

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/interlock/interlock/verify/plan/model"
)

// However extents lie, the cuts are stated in order, with all ends of what the plan touches; and what it leaves alone is stated to lie between
// them: with one of these moved to where the plan touches something the statement is false.
func TestCuts(t *testing.T) {
	inOrder := func(chains [][]int64) bool {
		return !slices.ContainsFunc(chains, func(ns []int64) bool { return !slices.IsSorted(ns) })
	}
	apart, moved := 0, 0
	for n := range uint64(400) {
		r := rand.New(rand.NewPCG(11, n))
		p := randomSite(r, smallArrays, smallTenants).recipe(r)
		for k, e := range p.Pre { // entries that lie across each other, too
			for i := range e {
				if r.IntN(6) == 0 {
					e = slices.Clone(e)
					e[i] = model.Extent{Base: r.Int64N(p.Slots[model.Array{Control: k.Control, Stage: i}]), Size: r.Int64N(6), Mask: 7}
					p.Pre[k] = e
					if r.IntN(2) == 0 {
						p.Goal[k] = e
					}
				}
			}
		}
		d, err := decodeTest(t, input(p), p.Slots)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range d.stages() {
			if len(s.covered) == 0 {
				continue
			}
			points, rest := s.points()
			if !inOrder(append(rest, points)) {
				t.Fatalf("plan %d, %v: %v, %v", n, s.array, points, rest)
			}
			for _, e := range s.edges {
				if !slices.Contains(points, e.at) {
					t.Errorf("plan %d, %v: %v has no %d", n, s.array, points, e.at)
				}
			}
			if len(rest) > 0 {
				apart++
			}
			for i := range s.gaps {
				g := s.gaps[i]
				if !g.any {
					continue
				}
				moved++
				if i > 0 {
					s.gaps[i].first = s.covered[i-1].hi - 1
					if points, rest := s.points(); inOrder(append(rest, points)) {
						t.Errorf("plan %d, %v: %v, %v, and something begins at %d", n, s.array, points, rest, s.gaps[i].first)
					}
					s.gaps[i] = g
				}
				if i < len(s.covered) {
					s.gaps[i].last = s.covered[i].lo + 1
					if points, rest := s.points(); inOrder(append(rest, points)) {
						t.Errorf("plan %d, %v: %v, %v, and something ends at %d", n, s.array, points, rest, s.gaps[i].last)
					}
					s.gaps[i] = g
				}
			}
		}
	}
	if apart == 0 || moved == 0 {
		t.Errorf("%d stages with a gap that is stated apart, %d gaps", apart, moved)
	}
}
