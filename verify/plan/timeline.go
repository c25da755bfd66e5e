package plan

import (
	"encoding/binary"
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
	goal     model.Entry // nil, or not wanted, if the goal has no entry
	wanted   bool
	*course
}

// course is what a history does, whatever its entries say: histories that are written alike share one.
type course struct {
	id   int // tells it from the plan's other courses
	late int // from this version on they are late ones
	// after[i] lists the versions that the entry may be when the first i steps have succeeded: one, unless a request writes the
	// entry twice, or something may be written late.
	after  [][]int
	during []phase // by step
	end    int     // when this many steps have succeeded, all have
	never  []int   // versions that the entry can never be
	kept   int     // how many versions there are: late ones that can never be, at the end, do not count
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

// maxVersions bounds how many versions an entry may have, so that a set of them fits a word.
const maxVersions = 64

// final lists the versions that the entry may be when all steps have succeeded.
func (h *history) final() []int { return h.after[h.end] }

func (h *history) extent(v, stage int) model.Extent { return extentOf(h.versions[v].entry, stage) }

func extentOf(e model.Entry, stage int) model.Extent {
	if stage < len(e) {
		return e[stage]
	}
	return model.Extent{}
}

// pages is what a plan means to one control's page table.
type pages struct {
	control specs.Control
	// changed are the histories of the entries that the plan writes, or that the goal wants to be other than they are, in the order of VIDs.
	changed []*history
	// rest are the entries that it leaves alone, and should, in the same order.
	rest []*history
}

// pages tells what becomes of every entry of a control's page table.
func (d *decoded) pages(c specs.Control) *pages {
	byVID := map[model.VID]*history{}
	get := func(v model.VID) *history {
		h := byVID[v]
		if h == nil {
			h = d.newHistory(model.Key{Control: c, VID: v})
			byVID[v] = h
		}
		return h
	}
	for i, s := range d.begun() {
		for _, u := range s.entries {
			if u.Key.Control == c && !d.fails[at{i, u.Index}] {
				get(u.Key.VID).write(i, u)
			}
		}
	}
	for _, u := range d.late.entries {
		if u.Key.Control == c {
			get(u.Key.VID)
		}
	}
	p := &pages{control: c}
	untouched := (&history{versions: make([]version, 1)}).trace(len(d.begun()), 1)
	untouched.id, untouched.end = len(d.courses), min(len(d.steps), len(d.begun()))
	d.courses["untouched in "+string(c)] = untouched
	pre, wants := d.pre.of(c), d.goal.of(c)
	rest, versions := make([]history, len(pre.vids)), make([]version, len(pre.vids))
	p.rest = make([]*history, 0, len(pre.vids))
	for i, v := range pre.vids {
		e := pre.entries[i]
		goal, wanted := wants.get(v)
		switch {
		case byVID[v] != nil:
		case wanted && !slices.Equal(e, goal) || !wanted && !e.Empty():
			get(v)
		default:
			versions[i] = version{entry: e, step: -1}
			rest[i] = history{key: model.Key{Control: c, VID: v}, versions: versions[i : i+1 : i+1], goal: goal, wanted: wanted, course: untouched}
			p.rest = append(p.rest, &rest[i])
		}
	}
	for i, v := range wants.vids {
		if _, exists := pre.get(v); !exists && !wants.entries[i].Empty() {
			get(v)
		}
	}
	p.changed = slices.SortedFunc(maps.Values(byVID), func(a, b *history) int { return int(a.key.VID) - int(b.key.VID) })
	for _, h := range p.changed {
		d.trace(h, len(d.begun()))
		h.forget()
	}
	return p
}

func (d *decoded) newHistory(k model.Key) *history {
	versions := make([]version, 1, 3)
	pre, _ := d.pre.get(k)
	versions[0] = version{entry: pre, step: -1}
	h := &history{key: k, versions: versions}
	h.goal, h.wanted = d.goal.get(k)
	return h
}

func (h *history) write(step int, u model.Update) {
	h.versions = append(h.versions, version{entry: u.Entry, step: step, kind: u.Kind})
}

// lateOf lists the updates of an entry that may take effect late.
func (d *decoded) lateOf(k model.Key) []model.Update {
	var out []model.Update
	for _, u := range d.late.entries {
		if u.Key == k {
			out = append(out, u)
		}
	}
	return out
}

// trace finds out what the entry may be when.
func (d *decoded) trace(h *history, steps int) {
	late := len(h.versions)
	for _, u := range d.lateOf(h.key) {
		h.write(-1, u)
	}
	key := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(steps)), uint64(late))
	for _, v := range h.versions {
		there := uint64(0)
		if v.entry != nil {
			there = 1
		}
		key = binary.AppendUvarint(key, uint64(v.step+1)<<4|uint64(v.kind)<<1|there)
	}
	if h.course = d.courses[string(key)]; h.course == nil {
		h.course = h.trace(steps, late)
		h.course.id, h.course.end = len(d.courses), min(len(d.steps), steps)
		d.courses[string(key)] = h.course
	}
}

func (h *history) trace(steps, firstLate int) *course {
	c := &course{late: firstLate, kept: len(h.versions), after: [][]int{{0}}, during: make([]phase, steps)}
	written := make([][]int, steps)
	for v, x := range h.versions[1:firstLate] {
		written[x.step] = append(written[x.step], v+1)
	}
	now := []state{{}}
	noneLate := firstLate == len(h.versions)
	simple := noneLate
	for i, vs := range written {
		if len(vs) == 0 && noneLate {
			last := c.after[i]
			c.during[i], c.after = phase{versions: last}, append(c.after, last)
			continue
		}
		simple = simple && len(vs) <= 1
		c.during[i], now = h.step(now, vs, firstLate)
		after := make([]int, 0, 1)
		for _, s := range now {
			after = append(after, s.version)
		}
		slices.Sort(after)
		c.after = append(c.after, slices.Compact(after))
	}
	if simple {
		return c
	}
	never := func(v int) bool {
		return !slices.ContainsFunc(c.during, func(p phase) bool { return slices.Contains(p.versions, v) })
	}
	for c.kept > firstLate && never(c.kept-1) {
		c.kept--
	}
	for v := 1; v < c.kept; v++ {
		if never(v) {
			c.never = append(c.never, v)
		}
	}
	return c
}

// forget drops versions that can never be. Those in the middle keep their number, and count for nothing.
func (h *history) forget() {
	h.versions = h.versions[:h.kept]
	for _, v := range h.never {
		h.versions[v].entry = nil
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
func (h *history) step(now []state, written []int, firstLate int) (phase, []state) {
	lates := h.versions[firstLate:]
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
				p.refused = p.refused || v < firstLate
				next.refused = next.refused || v < firstLate
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
				try(firstLate+n, next)
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
