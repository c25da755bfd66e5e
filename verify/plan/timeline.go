package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// A history is what a page-table entry may be at each moment of a plan. Version 0 is the pre-state's, the others are those that
// requests write, in the order in which they are sent; an absent entry gives no slot anywhere.
type history struct {
	key      model.Key
	versions []version
	// after[i] lists the versions that the entry may be when the first i steps have succeeded: one, unless a request writes the
	// entry twice.
	after [][]int
	// written[i] lists the versions that step i writes.
	written [][]int
}

type version struct {
	entry model.Entry // nil if absent
	step  int         // that writes it, -1 for the pre-state
}

// touched says whether some step writes the entry.
func (h *history) touched() bool { return len(h.versions) > 1 }

// final lists the versions that the entry may be when all steps have succeeded.
func (h *history) final() []int { return h.after[len(h.after)-1] }

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
			h = &history{key: k, versions: []version{{entry: d.plan.Pre[k], step: -1}}}
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
			if u.Kind == model.Scrub || u.Key.Control != c || d.fails[at{i, u.Index}] {
				continue
			}
			h := get(u.Key)
			h.versions = append(h.versions, version{entry: u.Entry, step: i})
		}
	}
	out := slices.SortedFunc(maps.Values(byKey), func(a, b *history) int { return a.key.Compare(b.key) })
	for _, h := range out {
		h.trace(len(d.steps()))
	}
	return out
}

func (h *history) trace(steps int) {
	now := []int{0}
	h.after = append(h.after, now)
	h.written = make([][]int, steps)
	for v, x := range h.versions[1:] {
		h.written[x.step] = append(h.written[x.step], v+1)
	}
	for i := range steps {
		if len(h.written[i]) > 0 {
			now = h.written[i]
		}
		h.after = append(h.after, now)
	}
}

// span is the slots lo <= s < hi.
type span struct{ lo, hi int64 }

func extentSpan(x model.Extent) span { return span{x.Base, x.Base + x.Size} }

func (s span) overlaps(o span) bool { return s.lo < o.hi && o.lo < s.hi }

func (s span) intersect(o span) span { return span{max(s.lo, o.lo), min(s.hi, o.hi)} }

// scrubs lists, for each step, the runs of slots of a that it scrubs.
func (d *decoded) scrubs(a model.Array) [][]span {
	var out [][]span
	for _, s := range d.steps() {
		out = append(out, d.runs(a, s))
	}
	return out
}

// runs are the slots of a that a step scrubs.
func (d *decoded) runs(a model.Array, s model.Step) []span {
	var slots []int64
	for _, u := range s.Updates {
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
	scrubs  []int    // steps
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
