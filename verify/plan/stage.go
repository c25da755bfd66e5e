package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
	"github.com/interlock/interlock/verify/smt"
)

// stage is what a plan does to one stage array, with the obligations about it.
type stage struct {
	*decoded
	array     model.Array
	histories []*history
	scrubbed  [][]span // by step
	instances []instance
	out       []verify.Obligation
}

// blocks is into how many parts a stage's pre-state is cut, by slots. A plan changes few of them, and the texts of the others are
// those of the plan before.
const blocks = 16

func (d *decoded) stage(a model.Array, hs []*history) *stage {
	s := &stage{decoded: d, array: a, histories: hs, scrubbed: d.scrubs(a)}
	for _, x := range d.intervals(a, hs, s.scrubbed) {
		if inst, ok := d.classify(x, a); ok {
			s.instances = append(s.instances, inst)
		}
	}
	return s
}

// obligations about a stage array: M1 and M3 for the pre-state, M3 for what is written, the cut; M1, M2 and M5 by shape; and M5 and
// M6 for its numbers.
func (s *stage) obligations() []verify.Obligation {
	s.preState()
	s.written()
	s.cut()
	s.shapes()
	s.generations()
	s.goal()
	s.limits()
	return s.out
}

func (s *stage) add(c *claim, property, id, subject string) {
	s.out = append(s.out, c.obligation(property, fmt.Sprintf("%v/%s", s.array, id), fmt.Sprintf("%v: %s", s.array, subject)))
}

// preState proves that the extents that the switch has now are apart (M1), by sorting them and comparing neighbours
// (specs/lemmas/chain.smt2), and within the array (M3).
func (s *stage) preState() {
	var owners []*history
	for _, h := range s.histories {
		if h.extent(0, s.array.Stage).Size > 0 {
			owners = append(owners, h)
		}
	}
	slices.SortStableFunc(owners, func(x, y *history) int {
		return cmp.Compare(x.extent(0, s.array.Stage).Base, y.extent(0, s.array.Stage).Base)
	})
	width := (s.plan.Slots[s.array] + blocks - 1) / blocks
	for i := 0; i < len(owners); {
		block := owners[i].extent(0, s.array.Stage).Base / width
		j := i
		for j < len(owners) && owners[j].extent(0, s.array.Stage).Base/width == block {
			j++
		}
		lo, hi := block*width, min((block+1)*width, s.plan.Slots[s.array])-1
		subject := fmt.Sprintf("what the switch has in slots %d..%d", lo, hi)
		apart, within := newClaim("QF_LIA"), newClaim("QF_LIA")
		var end *smt.Term
		for k := i; k < min(j+1, len(owners)); k++ { // with the first of the next block
			v, x := owners[k].key.VID, owners[k].extent(0, s.array.Stage)
			base, size := apart.known(x.Base, "base_%d", v), apart.known(x.Size, "size_%d", v)
			apart.prove(apart.Lt(apart.Int(0), size))
			if end != nil {
				apart.prove(apart.Le(end, base))
			}
			end = apart.end(base, size)
		}
		slots := within.known(s.plan.Slots[s.array], "slots")
		for k := i; k < j; k++ {
			within.bounds(fmt.Sprint(owners[k].key.VID), owners[k].extent(0, s.array.Stage), slots)
		}
		s.add(apart, "M1", fmt.Sprintf("before/%d", block), subject+" is exclusive")
		s.add(within, "M3", fmt.Sprintf("before/%d", block), subject+" lies in the array")
		i = j
	}
}

// written proves M3 for the extents that the plan writes.
func (s *stage) written() {
	c := newClaim("QF_LIA")
	slots := c.known(s.plan.Slots[s.array], "slots")
	for _, h := range s.histories {
		seen := map[model.Extent]bool{{}: true, withoutGeneration(h.extent(0, s.array.Stage)): true}
		for v := range h.versions {
			if x := withoutGeneration(h.extent(v, s.array.Stage)); !seen[x] && x.Size > 0 {
				seen[x] = true
				c.bounds(fmt.Sprintf("%d_%d", h.key.VID, v), x, slots)
			}
		}
	}
	if len(c.goals) > 0 {
		s.add(c, "M3", "written", "what the plan writes lies in the array")
	}
}

func withoutGeneration(x model.Extent) model.Extent {
	x.Generation = 0
	return x
}

// bounds states M3 for an extent: it lies in the array, and its mask does not keep any index from it.
func (c *claim) bounds(name string, x model.Extent, slots *smt.Term) {
	base, size, mask := c.known(x.Base, "base_%s", name), c.known(x.Size, "size_%s", name), c.known(int64(x.Mask), "mask_%s", name)
	c.prove(c.Le(c.Int(0), base), c.Le(c.end(base, size), slots), c.Le(size, c.Add(mask, c.Int(1))))
}

// cut proves that what the shapes rest on is where they take it to be: the end points of all extents that the plan writes, takes
// away or wants, and of its scrubs, stand in the order in which the stage is cut, and what it leaves alone lies between them.
func (s *stage) cut() {
	k := s.array.Stage
	type piece struct {
		span
		name string
	}
	var touched, rest []piece
	for _, h := range s.histories {
		pre, goal := h.extent(0, k), extentOf(s.plan.Goal[h.key], k)
		spans := []span{extentSpan(pre)}
		for v := range h.versions {
			spans = append(spans, extentSpan(h.extent(v, k)))
		}
		spans = append(spans, extentSpan(goal))
		distinct := slices.CompactFunc(slices.Clone(spans), func(a, b span) bool { return a == b })
		for i, x := range distinct {
			switch {
			case x.lo == x.hi || slices.Contains(distinct[:i], x):
			case len(distinct) == 1:
				rest = append(rest, piece{x, fmt.Sprint(h.key.VID)})
			default:
				touched = append(touched, piece{x, fmt.Sprintf("%d_%d", h.key.VID, i)})
			}
		}
	}
	for i, ss := range s.scrubbed {
		for j, x := range ss {
			touched = append(touched, piece{x, fmt.Sprintf("scrub_%d_%d", i, j)})
		}
	}
	if len(touched) == 0 {
		return
	}
	slices.SortStableFunc(rest, func(a, b piece) int { return cmp.Compare(a.lo, b.lo) })

	// What is left alone is compared with the gaps between what is touched; what reaches into the touched is cut with it.
	covered := merge(touched, func(p piece) span { return p.span })
	gaps := make([][]piece, len(covered)+1) // gaps[i] ends where covered[i] begins
	for _, r := range rest {
		i, _ := slices.BinarySearchFunc(covered, r.lo, func(c span, lo int64) int { return cmp.Compare(c.hi, lo+1) })
		if i < len(covered) && covered[i].overlaps(r.span) {
			touched = append(touched, r)
		} else {
			gaps[i] = append(gaps[i], r)
		}
	}

	c := newClaim("QF_LIA")
	points := map[int64]*smt.Term{} // one term for each cut; others at the same slot are proved equal to it
	var order []int64
	point := func(at int64, t *smt.Term) {
		if p, ok := points[at]; ok {
			c.prove(c.Eq(t, p))
			return
		}
		points[at] = t
		order = append(order, at)
	}
	for _, p := range touched {
		base, size := c.known(p.lo, "base_%s", p.name), c.known(p.hi-p.lo, "size_%s", p.name)
		point(p.lo, base)
		point(p.hi, c.end(base, size))
	}
	slices.Sort(order)
	for i := 1; i < len(order); i++ {
		c.prove(c.Lt(points[order[i-1]], points[order[i]]))
	}
	for i, g := range gaps {
		if len(g) == 0 {
			continue
		}
		first, last := g[0], g[len(g)-1]
		if i > 0 {
			c.prove(c.Le(points[covered[i-1].hi], c.known(first.lo, "base_%s", first.name)))
		}
		if i < len(covered) {
			end := c.end(c.known(last.lo, "base_%s", last.name), c.known(last.hi-last.lo, "size_%s", last.name))
			c.prove(c.Le(end, points[covered[i].lo]))
		}
	}
	s.add(c, "M1", "cut", fmt.Sprintf("%d cuts at the ends of what the plan touches", len(order)))
}

// merge returns the union of spans as runs, in order. Runs that only meet stay apart.
func merge[T any](items []T, of func(T) span) []span {
	var all []span
	for _, x := range items {
		all = append(all, of(x))
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	var out []span
	for _, x := range all {
		if n := len(out); n > 0 && x.lo < out[n-1].hi {
			out[n-1].hi = max(out[n-1].hi, x.hi)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// shapes proves M1, M2 and M5 once for each shape that occurs.
func (s *stage) shapes() {
	done := map[string]bool{}
	for _, x := range s.instances {
		if done[x.key] {
			continue
		}
		done[x.key] = true
		where := s.places(x.key)
		prove := func(property, id, subject string, state func(*world)) {
			w := x.shape.unroll()
			state(w)
			s.add(w.claim, property, id+"/"+x.shape.id(), subject+": "+where)
		}
		if len(x.shape.rows) > 0 {
			prove("M1", "exclusive", "at most one tenant reaches a slot", (*world).exclusive)
			prove("M2", "clean", "no tenant finds what another left", (*world).clean)
		}
		if x.shape.scrubbed() {
			prove("M5", "scrub", "nothing reachable is scrubbed", (*world).undisturbed)
		}
		if x.shape.kept() {
			prove("M5", "frame", "what a tenant keeps stays where it is", (*world).framed)
		}
	}
}

// shownPlaces is how many instances of a shape its subject names.
const shownPlaces = 6

// places says where a shape occurs: "slots 0..127 (kv), 512..639 (hh) and 4 more".
func (s *stage) places(key string) string {
	more, text := 0, "slots "
	for _, x := range s.instances {
		if x.key != key {
			continue
		}
		if more++; more > shownPlaces {
			continue
		}
		if more > 1 {
			text += ", "
		}
		text += fmt.Sprintf("%d..%d", x.lo, x.hi-1)
		for i, v := range x.tenants {
			text += map[bool]string{true: " (", false: ", "}[i == 0] + s.name(v)
		}
		if len(x.tenants) > 0 {
			text += ")"
		}
	}
	if more > shownPlaces {
		text += fmt.Sprintf(" and %d more", more-shownPlaces)
	}
	return text
}
