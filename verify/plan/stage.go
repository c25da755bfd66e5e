package plan

import (
	"cmp"
	"encoding/binary"
	mathbits "math/bits"
	"slices"
	"sort"

	"github.com/interlock/interlock/verify/plan/model"
)

// stage is what a plan does to one stage array.
type stage struct {
	*decoded
	array model.Array
	pages *pages
	// moving are the entries whose extent here the plan changes, takes away or wants to be another, and those it leaves alone that have slots
	// of these, or slots that are scrubbed; in the order of VIDs.
	moving []*history
	// covered are the runs of slots that the former have in any version, or that are scrubbed.
	covered []span
	// resting are the others, gap by gap: gaps[i] ends where covered[i] begins.
	resting int
	gaps    []gap
	samples []*history // of resting ones
	edges   []edge     // in order
}

// gap is what lies between touched slots: extents from first to last.
type gap struct {
	any         bool
	first, last int64
}

// edge is where an extent or a run of scrubs begins or ends.
type edge struct {
	at   int64
	who  int32 // index into moving, or scrub, or nobody: only a cut
	step int32 // of a scrub
	open bool
	in   uint64 // versions
}

const (
	nobody   int32 = -1
	scrubbed int32 = -2
)

// scrubs lists, for each array, the runs of slots that each step scrubs, in the order of steps; what may be scrubbed late comes last, as a
// step after them.
func (d *decoded) scrubs() map[model.Array][]scrub {
	out := map[model.Array][]scrub{}
	add := func(step int, r request) {
		byArray := map[model.Array][]span{}
		for _, x := range r.scrubs {
			byArray[x.array] = append(byArray[x.array], x.span)
		}
		for a, spans := range byArray {
			for _, s := range merge(spans) {
				out[a] = append(out[a], scrub{s, step})
			}
		}
	}
	steps := d.begun()
	for i, s := range steps {
		add(i, s)
	}
	add(len(steps), d.late)
	return out
}

// scrub is a run of slots that a step scrubs.
type scrub struct {
	span
	step int
}

// merge returns the union of spans as runs, in order.
func merge(spans []span) []span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	var out []span
	for _, x := range spans {
		if n := len(out); n > 0 && x.lo <= out[n-1].hi {
			out[n-1].hi = max(out[n-1].hi, x.hi)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// stage finds out what a plan does to an array.
func (d *decoded) stage(a model.Array, p *pages, scrubs []scrub) *stage {
	s := &stage{decoded: d, array: a, pages: p}
	var touched []span
	var rest []*history
	for _, h := range p.changed {
		pre, goal := extentSpan(h.extent(0, a.Stage)), extentSpan(extentOf(h.goal, a.Stage))
		moves := goal != pre
		for v := 1; v < len(h.versions) && !moves; v++ {
			moves = extentSpan(h.extent(v, a.Stage)) != pre
		}
		if !moves {
			rest = append(rest, h)
			continue
		}
		s.moving = append(s.moving, h)
		touched = append(touched, goal)
		for v := range h.versions {
			touched = append(touched, extentSpan(h.extent(v, a.Stage)))
		}
	}
	for _, x := range scrubs {
		touched = append(touched, x.span)
	}
	touched = slices.DeleteFunc(touched, func(x span) bool { return x.lo >= x.hi })
	s.covered = merge(touched)
	s.gaps = make([]gap, len(s.covered)+1)
	cut := len(s.moving)
	for _, list := range [][]*history{rest, p.rest} {
		for _, h := range list {
			s.place(h)
		}
	}
	if len(s.moving) > cut {
		slices.SortFunc(s.moving, func(x, y *history) int { return int(x.key.VID) - int(y.key.VID) })
	}
	s.findEdges(scrubs)
	return s
}

// place finds the gap that an extent lies in that the plan leaves alone, or that it lies in none.
func (s *stage) place(h *history) {
	x := extentSpan(h.extent(0, s.array.Stage))
	if x.lo >= x.hi {
		return
	}
	i := sort.Search(len(s.covered), func(i int) bool { return s.covered[i].hi > x.lo })
	if i < len(s.covered) && s.covered[i].overlaps(x) {
		s.moving = append(s.moving, h)
		return
	}
	g := &s.gaps[i]
	if !g.any || x.lo < g.first {
		g.first = x.lo
	}
	if !g.any || x.hi > g.last {
		g.last = x.hi
	}
	g.any = true
	if s.resting++; s.resting <= shownPlaces {
		s.samples = append(s.samples, h)
	}
}

// sample is the interval of an extent that the plan leaves alone. One shape fits all of them.
func (s *stage) sample(h *history) instance {
	x := interval{span: extentSpan(h.extent(0, s.array.Stage)), members: []member{{h, 1<<len(h.versions) - 1}}}
	if s.rest.key == "" {
		s.rest, _ = s.classify(x, s.array)
	}
	inst := s.rest
	inst.interval, inst.tenants = x, []model.VID{h.key.VID}
	return inst
}

// findEdges lists the end points of all that the plan touches. Where the goal ends is one as well, so that what is kept does not vary
// between neighbouring ones.
func (s *stage) findEdges(scrubs []scrub) {
	add := func(x span, e edge) {
		if x.lo < x.hi {
			e.at, e.open = x.lo, true
			s.edges = append(s.edges, e)
			e.at, e.open = x.hi, false
			s.edges = append(s.edges, e)
		}
	}
	s.edges = make([]edge, 0, 6*len(s.moving)+2*len(scrubs))
	for i, h := range s.moving {
		var done uint64
		for v := range h.versions {
			if done>>v&1 != 0 {
				continue
			}
			x, in := extentSpan(h.extent(v, s.array.Stage)), uint64(0)
			for w := v; w < len(h.versions); w++ {
				if extentSpan(h.extent(w, s.array.Stage)) == x {
					in |= 1 << w
				}
			}
			done |= in
			add(x, edge{who: int32(i), in: in})
		}
		add(extentSpan(extentOf(h.goal, s.array.Stage)), edge{who: nobody})
	}
	for _, x := range scrubs {
		add(x.span, edge{who: scrubbed, step: int32(x.step)})
	}
	slices.SortFunc(s.edges, func(x, y edge) int { return cmp.Compare(x.at, y.at) })
}

// slice is an interval as it passes by: what it holds is valid until the next one.
type slice struct {
	span
	who    []int32  // indices into moving
	in     []uint64 // by index into moving: the versions that reach it
	scrubs []int32  // steps
}

// sweep passes by all intervals between neighbouring cuts that something is done to. Those that no entry ever reaches and no step scrubs
// are left out: nothing happens to them; and so is what lies outside of the array: that nothing reaches it is M3.
func (s *stage) sweep(visit func(*slice)) {
	x := slice{in: make([]uint64, len(s.moving))}
	slots := s.plan.Slots[s.array]
	for i := 0; i < len(s.edges); {
		at := s.edges[i].at
		for ; i < len(s.edges) && s.edges[i].at == at; i++ {
			e := &s.edges[i]
			switch e.who {
			case nobody:
			case scrubbed:
				x.scrubs = toggle(x.scrubs, e.step, e.open)
			default:
				before := x.in[e.who]
				if e.open {
					x.in[e.who] |= e.in
				} else {
					x.in[e.who] &^= e.in
				}
				if after := x.in[e.who]; (before == 0) != (after == 0) {
					x.who = toggle(x.who, e.who, after != 0)
				}
			}
		}
		if i == len(s.edges) || len(x.who) == 0 && len(x.scrubs) == 0 {
			continue
		}
		if x.lo, x.hi = max(at, 0), min(s.edges[i].at, slots); x.lo < x.hi {
			visit(&x)
		}
	}
}

// toggle adds n to an ordered list, or takes it out.
func toggle(list []int32, n int32, in bool) []int32 {
	i, found := slices.BinarySearch(list, n)
	switch {
	case in && !found:
		return slices.Insert(list, i, n)
	case !in && found:
		return slices.Delete(list, i, i+1)
	}
	return list
}

// interval keeps a slice.
func (s *stage) interval(x *slice) interval {
	out := interval{span: x.span, members: make([]member, len(x.who))}
	for i, w := range x.who {
		out.members[i] = member{s.moving[w], x.in[w]}
	}
	for _, step := range x.scrubs {
		out.scrubs = append(out.scrubs, int(step))
	}
	return out
}

// kind writes what classify makes of a slice depends on, so that slices of one kind need not be classified again. Scrubs count by the
// page-table writes and fences before them.
func (s *stage) kind(key []byte, x *slice, epochs []int32) []byte {
	for _, w := range x.who {
		m := member{s.moving[w], x.in[w]}
		key = binary.AppendUvarint(key, uint64(m.h.id)+1)
		key = binary.AppendUvarint(key, m.in)
		for in := m.in; in != 0; in &= in - 1 {
			v := mathbits.TrailingZeros64(in)
			base, first := m.h.extent(v, s.array.Stage).Base, byte(v)
			for w := range v {
				if m.reaches(w) && m.h.extent(w, s.array.Stage).Base == base {
					first = byte(w)
					break
				}
			}
			key = append(key, first)
		}
		key = append(key, byte(number(s.keeps(m, x.span, s.array.Stage))))
	}
	key = append(key, 0)
	for _, step := range x.scrubs {
		key = binary.AppendUvarint(key, uint64(epochs[step]))
	}
	return key
}

// epochs numbers the steps so that steps have one number if all of them scrub, and nothing else comes between them.
func (d *decoded) epochs() []int32 {
	steps := d.begun()
	out := make([]int32, len(steps)+1)
	epoch := int32(0)
	for i, s := range steps {
		if s.fence || len(s.entries) > 0 || len(s.scrubs) == 0 {
			epoch++
			out[i] = epoch
			epoch++
		} else {
			out[i] = epoch
		}
	}
	out[len(steps)] = epoch + 1 // late
	return out
}

// stages are all stage arrays in the order of Arrays.
func (d *decoded) stages() []*stage {
	byControl := map[string]*pages{}
	scrubs := d.scrubs()
	var out []*stage
	for _, a := range d.layout.order {
		c := string(a.Control)
		if byControl[c] == nil {
			byControl[c] = d.pages(a.Control)
		}
		out = append(out, d.stage(a, byControl[c], scrubs[a]))
	}
	return out
}

// allPages are the page tables of stages, in order.
func allPages(stages []*stage) []*pages {
	var out []*pages
	for _, s := range stages {
		if !slices.Contains(out, s.pages) {
			out = append(out, s.pages)
		}
	}
	return out
}
