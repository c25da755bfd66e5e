package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/interlock/interlock/verify/plan/model"
)

// A shape is everything about an interval that M1, M2 and M5 depend on: who can reach it when, up to the names of the tenants and
// the place of the interval. Events that change nothing there are left out. Intervals of equal shape have equal obligations.
type shape struct {
	unfenced bool // packets in flight may hold entries older than the pre-state
	late     bool // it may be scrubbed at any moment
	events   []event
	rows     []row // tenants, in the order of their patterns
}

// event is a step, as far as it concerns an interval.
type event struct{ fence, scrub bool }

// row is one tenant's part in a shape.
type row struct {
	kept   bool  // the tenant has the interval before and after, at the same virtual index: that of class 1
	before class // the pre-state's entry
	turns  []turn
}

// turn is what may become of a tenant's entry in an event.
type turn struct {
	may     []class // it may be some time during the event; only where packets cannot know it already, or a fence forgets them
	granted []class // it may become that, having been something else
}

// class says how a version of an entry lies to an interval: it does not reach it (out), or reaches it. Versions that reach it at the
// same virtual index have the same class. Classes are counted from 1 in the order of versions.
type class int

const out class = 0

// An interval is a run of slots that lie in the same extents throughout a plan, and are scrubbed in the same steps.
type interval struct {
	span
	members []member // entries that reach it in some version, in the order of VIDs
	scrubs  []int    // steps; their number stands for late
}

// member is an entry that reaches an interval.
type member struct {
	h  *history
	in uint64 // the versions that reach it, a bit each
}

func (m member) reaches(v int) bool { return m.in>>v&1 != 0 }

// instance is an interval with its shape.
type instance struct {
	interval
	shape shape
	key   string // shape.String()
	// tenants has the VID of each of the shape's rows; steps has the index of the step of each of its events.
	tenants []model.VID
	steps   []int
}

// party is what classify knows of a tenant.
type party struct {
	vid   model.VID
	h     *history
	row   row
	class []class // by version
	live  []class // what the entry or a packet in flight may hold
	may   []class // what the entry may be during the step at hand
	turn  turn
}

// keeps says whether a tenant has an interval before and after, at the same virtual index.
func (d *decoded) keeps(m member, x span, stage int) bool {
	pre, goal := m.h.extent(0, stage), extentOf(m.h.goal, stage)
	return m.reaches(0) && pre.Base == goal.Base && goal.Base <= x.lo && x.hi <= goal.Base+goal.Size
}

func (d *decoded) party(m member, x interval, stage int) *party {
	p := &party{vid: m.h.key.VID, h: m.h, class: make([]class, len(m.h.versions))}
	p.row.kept = d.keeps(m, x.span, stage)
	last := out
	for v := range m.h.versions {
		if !m.reaches(v) {
			continue
		}
		for w := range v { // it has the class of an earlier one that begins at the same slot
			if m.reaches(w) && m.h.extent(w, stage).Base == m.h.extent(v, stage).Base {
				p.class[v] = p.class[w]
			}
		}
		if p.class[v] == out {
			last++
			p.class[v] = last
		}
	}
	p.row.before = p.class[0]
	p.live = []class{p.class[0]}
	return p
}

// next takes the step at hand and says whether it changes anything for the tenant.
func (p *party) next(step int, fence bool) bool {
	phase := p.h.during[step]
	p.may, p.turn = nil, turn{}
	if len(phase.moves) == 0 && (!fence || len(p.live) == 1) {
		return false // it stays what it is, and packets know it
	}
	p.look(step)
	for _, m := range phase.moves {
		if to := p.class[m[1]]; to != out && to != p.class[m[0]] {
			p.turn.granted = union(p.turn.granted, to)
		}
	}
	if fence && !slices.Equal(p.may, p.live) || !subset(p.may, p.live) {
		p.turn.may = p.may
	}
	return len(p.turn.may) > 0 || len(p.turn.granted) > 0
}

// look finds what the entry may be during a step.
func (p *party) look(step int) {
	for _, v := range p.h.during[step].versions {
		p.may = union(p.may, p.class[v])
	}
}

// take makes the step at hand an event.
func (p *party) take(step int, fence bool) {
	if p.may == nil {
		p.look(step)
	}
	p.live = union(p.live, p.may...)
	if fence {
		p.turn.may, p.live = p.may, p.may
	}
	p.row.turns = append(p.row.turns, p.turn)
}

// classify finds an interval's shape. The second result is false if there is nothing to prove about it.
func (d *decoded) classify(x interval, a model.Array) (instance, bool) {
	inst, steps := instance{interval: x}, d.begun()
	empties := d.fences(a.Control)
	inst.shape.unfenced = !d.plan.Fenced || !empties
	inst.shape.late = slices.Contains(x.scrubs, len(steps))
	if len(x.members) == 0 && (!inst.shape.unfenced || len(x.scrubs) == 0) {
		return inst, false
	}
	parties := make([]*party, len(x.members))
	for i, m := range x.members {
		parties[i] = d.party(m, x, a.Stage)
	}
	old := inst.shape.unfenced
	for i, s := range steps {
		fence := s.fence && empties
		e := event{fence: fence, scrub: slices.Contains(x.scrubs, i)}
		changes := e.scrub || e.fence && old
		for _, p := range parties {
			if p.next(i, fence) {
				changes = true
			}
		}
		if !changes {
			continue
		}
		inst.shape.events = append(inst.shape.events, e)
		inst.steps = append(inst.steps, i)
		for _, p := range parties {
			p.take(i, fence)
		}
		old = old && !fence
	}
	slices.SortStableFunc(parties, func(p, q *party) int { return strings.Compare(p.row.String(), q.row.String()) })
	for _, p := range parties {
		inst.shape.rows = append(inst.shape.rows, p.row)
		inst.tenants = append(inst.tenants, p.vid)
	}
	inst.key = inst.shape.String()
	return inst, true
}

// subset says whether a is part of b; both are in order.
func subset(a, b []class) bool {
	return !slices.ContainsFunc(a, func(c class) bool { return !slices.Contains(b, c) })
}

func union(set []class, more ...class) []class {
	if subset(more, set) {
		return set
	}
	all := append(slices.Clone(set), more...)
	slices.Sort(all)
	return slices.Compact(all)
}

func (r row) String() string { return string(r.append(nil)) }

func (r row) append(b []byte) []byte {
	if r.kept {
		b = append(b, 'k')
	}
	b = strconv.AppendInt(b, int64(r.before), 10)
	list := func(cs []class) {
		for i, c := range cs {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(c), 10)
		}
	}
	for _, t := range r.turns {
		b = append(b, ' ')
		list(t.may)
		b = append(b, '+')
		list(t.granted)
	}
	return b
}

// String determines the shape.
func (s shape) String() string {
	b := make([]byte, 0, 64)
	if s.unfenced {
		b = append(b, "unfenced "...)
	}
	if s.late {
		b = append(b, "late "...)
	}
	for _, e := range s.events {
		switch {
		case e.fence:
			b = append(b, 'F')
		case e.scrub:
			b = append(b, 'S')
		default:
			b = append(b, 'W')
		}
	}
	for _, r := range s.rows {
		b = r.append(append(b, "; "...))
	}
	return string(b)
}

// shapeID is a short name for the shape whose string is key, for the IDs of obligations.
func shapeID(key string) string {
	h := sha256.Sum256([]byte(key))
	return hex.EncodeToString(h[:6])
}

// scrubbed says whether the shape has a scrub that somebody could be hit by.
func (s shape) scrubbed() bool {
	return s.late || slices.ContainsFunc(s.events, func(e event) bool { return e.scrub })
}

func (s shape) kept() bool {
	return slices.ContainsFunc(s.rows, func(r row) bool { return r.kept })
}
