package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// A history is what a page-table entry may be at each moment of a plan. Version 0 is the pre-state's, the others are those that
// requests write, in the order in which they are sent, and last those that may be written late; an absent entry gives no slot
// anywhere.
type history struct {
	key      model.Key
	versions []version
	late     int // from this version on they are late ones
	// after[i] lists the versions that the entry may be when the first i steps have succeeded: one, unless a request writes the
	// entry twice, or something may be written late.
	after  [][]int
	during []phase // by step
	end    int     // when this many steps have succeeded, all have
}

// phase is what may become of an entry during a step.
type phase struct {
	versions []int    // that it may be, before, in the middle or at the end
	moves    [][2]int // from one version to the next
	refused  bool     // in some order an update of the step does not find what it needs
}

type version struct {
	entry model.Entry // nil if absent
	step  int         // that writes it, -1 for the pre-state and late ones
	kind  model.UpdateKind
}

// touched says whether some step writes the entry.
func (h *history) touched() bool { return len(h.versions) > 1 }

// final lists the versions that the entry may be when all steps have succeeded.
func (h *history) final() []int { return h.after[h.end] }

func (h *history) extent(v, stage int) model.Extent { return extentOf(h.versions[v].entry, stage) }

func extentOf(e model.Entry, stage int) model.Extent {
	if stage < len(e) {
		return e[stage]
	}
	return model.Extent{}
}

// histories tells what becomes of every entry of a control's page table, in the order of VIDs.
func (d *decoded) histories(c specs.Control) []*history {
	byKey := map[model.Key]*history{}
	get := func(k model.Key) *history {
		h := byKey[k]
		if h == nil {
			h = d.newHistory(k)
			byKey[k] = h
		}
		return h
	}
	for k := range d.plan.Pre {
		if k.Control == c {
			get(k)
		}
	}
	for k := range d.plan.Goal {
		if k.Control == c {
			get(k)
		}
	}
	for i, s := range d.steps() {
		for _, u := range s.Updates {
			if u.Kind != model.Scrub && u.Key.Control == c && !d.fails[at{i, u.Index}] {
				get(u.Key).write(i, u)
			}
		}
	}
	for _, u := range d.plan.Late {
		if u.Kind != model.Scrub && u.Key.Control == c {
			get(u.Key)
		}
	}
	out := slices.SortedFunc(maps.Values(byKey), func(a, b *history) int { return a.key.Compare(b.key) })
	for _, h := range out {
		h.trace(len(d.steps()), d.lateOf(h.key))
		h.end = min(len(d.plan.Steps), len(d.steps()))
	}
	return out
}

func (d *decoded) newHistory(k model.Key) *history {
	return &history{key: k, versions: []version{{entry: d.plan.Pre[k], step: -1}}}
}

func (h *history) write(step int, u model.Update) {
	h.versions = append(h.versions, version{entry: u.Entry, step: step, kind: u.Kind})
}

// lateOf lists the updates of an entry that may take effect late.
func (d *decoded) lateOf(k model.Key) []model.Update {
	var out []model.Update
	for _, u := range d.plan.Late {
		if u.Kind != model.Scrub && u.Key == k {
			out = append(out, u)
		}
	}
	return out
}

// trace finds out what the entry may be when.
func (h *history) trace(steps int, late []model.Update) {
	h.late = len(h.versions)
	for _, u := range late {
		h.write(-1, u)
	}
	written := make([][]int, steps)
	for v, x := range h.versions[1:h.late] {
		written[x.step] = append(written[x.step], v+1)
	}
	now := []state{{}}
	h.after, h.during = [][]int{{0}}, make([]phase, steps)
	simple := len(late) == 0
	for i, vs := range written {
		if len(vs) == 0 && len(late) == 0 {
			last := h.after[i]
			h.during[i], h.after = phase{versions: last}, append(h.after, last)
			continue
		}
		simple = simple && len(vs) <= 1
		h.during[i], now = h.step(now, vs)
		after := make([]int, 0, 1)
		for _, s := range now {
			after = append(after, s.version)
		}
		slices.Sort(after)
		h.after = append(h.after, slices.Compact(after))
	}
	if !simple {
		h.forget()
	}
}

// forget drops versions that can never be. Those in the middle keep their number, and count for nothing.
func (h *history) forget() {
	never := func(v int) bool {
		return !slices.ContainsFunc(h.during, func(p phase) bool { return slices.Contains(p.versions, v) })
	}
	for len(h.versions) > h.late && never(len(h.versions)-1) {
		h.versions = h.versions[:len(h.versions)-1]
	}
	for v := 1; v < len(h.versions); v++ {
		if h.versions[v].entry != nil && never(v) {
			h.versions[v].entry = nil
		}
	}
}

// state is an entry's version, with what has been done to it: of the step under way, and late.
type state struct {
	version    int
	done, late uint
	refused    bool
}

// maxTogether bounds the updates of one entry that may come in any order: those of a request, and late ones.
const maxTogether = 8

// step is what becomes of an entry that may be in any of the states now, when a step writes the given versions; and the states after
// the step has succeeded.
func (h *history) step(now []state, written []int) (phase, []state) {
	lates := h.versions[h.late:]
	if len(lates) == 0 && len(written) > maxTogether { // modifications only, by decode: any of them may come after any other
		var p phase
		var after []state
		for _, s := range now {
			p.versions = append(p.versions, s.version)
			p.refused = p.refused || h.versions[s.version].entry == nil
		}
		before := slices.Clone(p.versions)
		for _, v := range written {
			p.versions = append(p.versions, v)
			after = append(after, state{version: v})
			for _, w := range append(before, written...) {
				p.moves = append(p.moves, [2]int{w, v})
			}
		}
		return p, after
	}
	var p phase
	seen := map[state]bool{}
	var queue, after []state
	visit := func(s state) {
		if !seen[s] {
			seen[s] = true
			queue = append(queue, s)
		}
	}
	for _, s := range now {
		visit(s)
	}
	versions, moves := map[int]bool{}, map[[2]int]bool{}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		versions[s.version] = true
		exists := h.versions[s.version].entry != nil
		if s.done == 1<<len(written)-1 && !s.refused {
			after = append(after, state{version: s.version, late: s.late})
		}
		try := func(v int, next state) {
			if exists == (h.versions[v].kind == model.Insert) {
				p.refused = p.refused || v < h.late
				next.refused = next.refused || v < h.late
			} else {
				next.version = v
				moves[[2]int{s.version, v}] = true
			}
			visit(next)
		}
		for n, v := range written {
			if s.done&(1<<n) == 0 {
				next := s
				next.done |= 1 << n
				try(v, next)
			}
		}
		for n := range lates {
			if s.late&(1<<n) == 0 {
				next := s
				next.late |= 1 << n
				try(h.late+n, next)
			}
		}
	}
	p.versions = slices.Sorted(maps.Keys(versions))
	for m := range moves {
		p.moves = append(p.moves, m)
	}
	return p, after
}

// span is the slots lo <= s < hi.
type span struct{ lo, hi int64 }

func extentSpan(x model.Extent) span { return span{x.Base, x.Base + x.Size} }

func (s span) overlaps(o span) bool { return s.lo < o.hi && o.lo < s.hi }

func (s span) intersect(o span) span { return span{max(s.lo, o.lo), min(s.hi, o.hi)} }

// scrubs lists, for each step, the runs of slots of a that it scrubs, and last those that may be scrubbed late.
func (d *decoded) scrubs(a model.Array) [][]span {
	var out [][]span
	for _, s := range d.steps() {
		out = append(out, d.runs(a, s.Updates))
	}
	return append(out, d.runs(a, d.plan.Late))
}

// runs are the slots of a that some updates scrub.
func (d *decoded) runs(a model.Array, updates []model.Update) []span {
	var slots []int64
	for _, u := range updates {
		if u.Kind == model.Scrub && u.Array == a {
			slots = append(slots, u.Slot)
		}
	}
	slices.Sort(slots)
	var out []span
	for _, s := range slices.Compact(slots) {
		if n := len(out); n > 0 && out[n-1].hi == s {
			out[n-1].hi++
		} else {
			out = append(out, span{s, s + 1})
		}
	}
	return out
}

// An interval is a run of slots that lie in the same extents throughout a plan, and are scrubbed in the same steps.
type interval struct {
	span
	members []member // entries that reach it in some version, in the order of VIDs
	scrubs  []int    // steps; their number stands for late
}

// member is an entry that reaches an interval.
type member struct {
	h  *history
	in []bool // by version: whether it reaches the interval
}

// intervals cuts a stage array at all end points. Intervals that no entry ever reaches and no step scrubs are left out: nothing
// happens to them.
func (d *decoded) intervals(a model.Array, hs []*history, scrubs [][]span) []interval {
	type edge struct {
		at      int64
		open    bool
		history int // or -1: scrub
		version int // or step
	}
	var edges []edge
	inside := span{0, d.plan.Slots[a]} // that nothing reaches further is M3
	add := func(s span, h, v int) {
		if s = s.intersect(inside); s.lo < s.hi {
			edges = append(edges, edge{s.lo, true, h, v}, edge{s.hi, false, h, v})
		}
	}
	for i, h := range hs {
		for v := range h.versions {
			add(extentSpan(h.extent(v, a.Stage)), i, v)
		}
		// Where the goal ends is a cut as well, so that what is kept does not vary within an interval.
		if g := extentSpan(extentOf(d.plan.Goal[h.key], a.Stage)).intersect(inside); g.lo < g.hi {
			edges = append(edges, edge{g.lo, true, -2, 0}, edge{g.hi, false, -2, 0})
		}
	}
	for i, ss := range scrubs {
		for _, s := range ss {
			add(s, -1, i)
		}
	}
	slices.SortFunc(edges, func(x, y edge) int { return cmp.Compare(x.at, y.at) })
	active, scrubbing := map[int]map[int]bool{}, map[int]bool{}
	var out []interval
	for i := 0; i < len(edges); {
		at := edges[i].at
		for ; i < len(edges) && edges[i].at == at; i++ {
			e := edges[i]
			switch {
			case e.history == -2:
			case e.history == -1 && e.open:
				scrubbing[e.version] = true
			case e.history == -1:
				delete(scrubbing, e.version)
			case e.open:
				if active[e.history] == nil {
					active[e.history] = map[int]bool{}
				}
				active[e.history][e.version] = true
			default:
				delete(active[e.history], e.version)
				if len(active[e.history]) == 0 {
					delete(active, e.history)
				}
			}
		}
		if i == len(edges) || len(active) == 0 && len(scrubbing) == 0 {
			continue
		}
		x := interval{span: span{at, edges[i].at}, scrubs: slices.Sorted(maps.Keys(scrubbing))}
		for _, n := range slices.Sorted(maps.Keys(active)) {
			m := member{h: hs[n], in: make([]bool, len(hs[n].versions))}
			for v := range active[n] {
				m.in[v] = true
			}
			x.members = append(x.members, m)
		}
		out = append(out, x)
	}
	return out
}
