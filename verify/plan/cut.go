package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/interlock/interlock/verify"
)

// textNumbers is how many numbers one text about places has, more or less: with more, several solvers' processes share the work.
const textNumbers = 2048

// order writes chains of places into texts, one after the other as each is full.
type order struct {
	property, id string
	about        string
	now          sums
	first, last  string // of the arrays that now speaks of
	out          []verify.Obligation
}

func (o *order) chain(array, op string, ns []int64) {
	for len(ns) > 1 {
		if array != o.last || o.now.empty() {
			if o.now.empty() {
				o.first = array
			}
			o.last = array
			o.now.note("%s", array)
		}
		n := min(len(ns), max(2, textNumbers-o.now.numbers))
		o.now.chain(op, ns[:n])
		ns = ns[n-1:] // the last is compared with the next
		if o.now.numbers >= textNumbers {
			o.flush()
		}
	}
}

func (o *order) flush() {
	if o.now.empty() {
		return
	}
	where := o.first
	if o.last != o.first {
		where += " to " + o.last
	}
	o.out = append(o.out, o.now.obligation(o.property, fmt.Sprintf("%s/%d", o.id, len(o.out)+1), where+": "+o.about))
	o.now = sums{}
}

// cuts proves that what the shapes rest on is where they take it to be: the end points of all extents that the plan writes, takes
// away or wants, and of its scrubs, stand in the order in which the stages are cut, and what it leaves alone lies between them. An end is the
// sum of two numbers of less than 32 bits, in 64.
func (d *decoded) cuts(stages []*stage) []verify.Obligation {
	o := order{property: "M1", id: "cut", about: "the ends of what the plan touches, in order, and what it leaves alone between them"}
	for _, s := range stages {
		points, apart := s.points()
		array := s.array.String()
		o.chain(array, "<=", points)
		for _, ns := range apart {
			o.chain(array, "<=", ns)
		}
	}
	o.flush()
	return o.out
}

// points are the cuts in order, and, where nothing else is in a gap, the first and the last of what lies in it. For the other gaps, which have
// ends of what the plan does not touch and other entries reach as well, apart has what they lie between.
func (s *stage) points() (points []int64, apart [][]int64) {
	if len(s.covered) == 0 {
		return nil, nil
	}
	points = make([]int64, 0, len(s.edges)+2*len(s.gaps))
	next, last := 0, int64(-1) // gap, and cut before
	for _, e := range s.edges {
		if len(points) > 0 && e.at == last {
			continue
		}
		if next < len(s.covered) && e.at == s.covered[next].lo {
			if next == 0 && len(points) == 0 || next > 0 && last == s.covered[next-1].hi {
				points = append(points, s.between(next, false)...)
			} else {
				apart = append(apart, s.between(next, true))
			}
			next++
		}
		points, last = append(points, e.at), e.at
	}
	if last == s.covered[next-1].hi {
		return append(points, s.between(next, false)...), apart
	}
	return points, append(apart, s.between(next, true))
}

// between has the first and the last of what lies in a gap, as far as anything touched is there for it to lie past or before, and, with
// neighbours, that.
func (s *stage) between(i int, neighbours bool) []int64 {
	g := s.gaps[i]
	if !g.any {
		return nil
	}
	var ns []int64
	if i > 0 {
		if neighbours {
			ns = append(ns, s.covered[i-1].hi)
		}
		ns = append(ns, g.first)
	}
	if i < len(s.covered) {
		ns = append(ns, g.last)
		if neighbours {
			ns = append(ns, s.covered[i].lo)
		}
	}
	return ns
}

// blocks is into how many parts a stage's pre-state is cut at most, by slots. A plan changes few of them, and the texts of the others are
// those of the plan before.
const (
	blocks       = 16
	blockExtents = 32 // for which a block is worth while
)

// preState proves that the extents that the switch has now are apart (M1), by sorting them and comparing neighbours: specs/lemmas/chain.smt2.
func (s *stage) preState() []verify.Obligation {
	var owners []span
	for _, h := range slices.Concat(s.pages.changed, s.pages.rest) {
		if x := extentSpan(h.extent(0, s.array.Stage)); x.lo < x.hi {
			owners = append(owners, x)
		}
	}
	slices.SortFunc(owners, func(x, y span) int { return cmp.Or(cmp.Compare(x.lo, y.lo), cmp.Compare(x.hi, y.hi)) })
	count := int64(1)
	for count < blocks && int64(len(owners)) > count*blockExtents {
		count *= 2
	}
	width := (s.plan.Slots[s.array] + count - 1) / count
	var out []verify.Obligation
	for i := 0; i < len(owners); {
		block, from := owners[i].lo/width, i
		for i < len(owners) && owners[i].lo/width == block {
			i++
		}
		part := owners[from:min(i+1, len(owners))] // with the next block's first
		if len(part) < 2 {
			continue
		}
		var ns []int64
		for _, x := range part {
			ns = append(ns, x.lo, x.hi)
		}
		var text sums
		text.chain("<=", ns)
		out = append(out, text.obligation("M1", fmt.Sprintf("%v/before/%d", s.array, block),
			fmt.Sprintf("%v: what the switch has in slots %d..%d is exclusive", s.array, block*width, min((block+1)*width, s.plan.Slots[s.array])-1)))
	}
	return out
}
