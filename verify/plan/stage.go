package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

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

// obligations about a stage array: M1 and M3 for the pre-state, M3 for what is written, the cut; M1, M2 and M5 by shape; M5 for
// generations; M6 for limits.
func (s *stage) obligations() []verify.Obligation {
	s.preState()
	s.written()
	s.cut()
	s.shapes()
	s.generations()
	s.limits()
	return s.out
}

func (s *stage) add(c *claim, property, id, subject string) {
	s.out = append(s.out, c.obligation(property, fmt.Sprintf("%v/%s", s.array, id), fmt.Sprintf("%v: %s", s.array, subject)))
}

// preState proves that the extents that the switch has now are apart (M1), by sorting them and comparing neighbours, and that the
// first and the last lie in the array, and so all do (M3): specs/lemmas/chain.smt2.
func (s *stage) preState() {
	type owned struct {
		vid model.VID
		span
	}
	var owners []owned
	for _, h := range s.histories {
		if x := h.extent(0, s.array.Stage); x.Size > 0 {
			owners = append(owners, owned{h.key.VID, extentSpan(x)})
		}
	}
	if len(owners) == 0 {
		return
	}
	slices.SortStableFunc(owners, func(x, y owned) int { return cmp.Compare(x.lo, y.lo) })
	width := (s.plan.Slots[s.array] + blocks - 1) / blocks
	for i := 0; i < len(owners); {
		block, from := owners[i].lo/width, i
		for i < len(owners) && owners[i].lo/width == block {
			i++
		}
		part := owners[from:min(i+1, len(owners))] // with the next block's first
		if len(part) < 2 {
			continue
		}
		o := verify.Obligation{
			ID: fmt.Sprintf("M1/%v/before/%d", s.array, block), Property: "M1", Logic: groundLogic,
			Subject: fmt.Sprintf("%v: what the switch has in slots %d..%d is exclusive", s.array, block*width, min((block+1)*width, s.plan.Slots[s.array])-1),
		}
		key := []byte("before")
		for _, x := range part {
			for _, n := range [...]int64{int64(x.vid), x.lo, x.hi} {
				key = strconv.AppendInt(append(key, ' '), n, 10)
			}
		}
		o.Text, o.Guard = s.texts.of(string(key), func() (string, string) {
			c := newGround()
			for j, x := range part[1:] {
				c.prove(c.Le(c.past(part[j].vid, part[j].span), c.base(x.vid, x.span)))
			}
			return c.texts()
		})
		s.out = append(s.out, o)
	}
	c := newGround()
	first, last := owners[0], owners[len(owners)-1]
	c.prove(c.Le(c.Int(0), c.base(first.vid, first.span)),
		c.Le(c.past(last.vid, last.span), c.known(s.plan.Slots[s.array], "slots")))
	s.add(c, "M3", "before", "what the switch has lies in the array")
}

// written proves M3 for the extents that the plan writes.
func (s *stage) written() {
	c := newGround()
	slots := c.known(s.plan.Slots[s.array], "slots")
	for _, h := range s.histories {
		if h.touched() {
			for v := range h.versions {
				if x := extentSpan(h.extent(v, s.array.Stage)); x.lo < x.hi {
					c.prove(c.Le(c.Int(0), c.base(h.key.VID, x)), c.Le(c.past(h.key.VID, x), slots))
				}
			}
		}
	}
	if len(c.goals) > 0 {
		s.add(c, "M3", "written", "what the plan writes lies in the array")
	}
}

// cut proves that what the shapes rest on is where they take it to be: the end points of all extents that the plan writes, takes
// away or wants, and of its scrubs, stand in the order in which the stage is cut, and what it leaves alone lies between them.
func (s *stage) cut() {
	k := s.array.Stage
	type piece struct {
		span
		owner any // a VID, or a step that scrubs
	}
	var touched, rest []piece
	for _, h := range s.histories {
		pre, goal := extentSpan(h.extent(0, k)), extentSpan(extentOf(s.plan.Goal[h.key], k))
		spans := []span{pre, goal}
		for v := range h.versions {
			spans = append(spans, extentSpan(h.extent(v, k)))
		}
		changes := slices.ContainsFunc(spans, func(x span) bool { return x != pre })
		for i, x := range spans {
			switch {
			case x.lo == x.hi || slices.Contains(spans[:i], x):
			case changes:
				touched = append(touched, piece{x, h.key.VID})
			default:
				rest = append(rest, piece{x, h.key.VID})
			}
		}
	}
	for i, ss := range s.scrubbed {
		for _, x := range ss {
			touched = append(touched, piece{x, fmt.Sprintf("scrub_%d", i+1)})
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

	c := newGround()
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
		point(p.lo, c.base(p.owner, p.span))
		point(p.hi, c.past(p.owner, p.span))
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
			c.prove(c.Le(points[covered[i-1].hi], c.base(first.owner, first.span)))
		}
		if i < len(covered) {
			c.prove(c.Le(c.past(last.owner, last.span), points[covered[i].lo]))
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
			o := verify.Obligation{
				ID: fmt.Sprintf("%s/%v/%s/%s", property, s.array, id, x.shape.id()), Property: property, Logic: shapeLogic,
				Subject: fmt.Sprintf("%v: %s: %s", s.array, subject, where),
			}
			o.Text, o.Guard = s.texts.of(id+" "+x.key, func() (string, string) {
				w := x.shape.unroll()
				state(w)
				return w.claim.texts()
			})
			s.out = append(s.out, o)
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
