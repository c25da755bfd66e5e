package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/interlock/interlock/verify/plan/model"
)

// A shape is everything about an interval that M1, M2 and M5 depend on: who can reach it when, up to the names of the tenants and
// the place of the interval. Events that change nothing there are left out. Intervals of equal shape have equal obligations.
type shape struct {
	unfenced bool // packets in flight may hold entries older than the pre-state
	events   []event
	rows     []row // tenants, in the order of their patterns
}

// event is a step, as far as it concerns an interval.
type event struct{ fence, scrub bool }

// row is one tenant's part in a shape.
type row struct {
	kept   bool      // the tenant has the interval before and after, at the same virtual index
	before class     // the pre-state's entry
	writes [][]class // by event: what it writes, in order of class
}

// class says how a version of an entry lies to an interval.
type class byte

const (
	out   class = 'o' // does not reach it
	in    class = 'i' // reaches it; if kept, at the virtual index of the pre-state
	moved class = 'm' // kept, but reaches it at another virtual index
)

// instance is an interval with its shape.
type instance struct {
	interval
	shape shape
	key   string // shape.String()
	// tenants has the VID of each of the shape's rows; steps has the index of the step of each of its events.
	tenants []model.VID
	steps   []int
}

// classify finds an interval's shape. The second result is false if there is nothing to prove about it.
func (d *decoded) classify(x interval, a model.Array) (instance, bool) {
	inst := instance{interval: x}
	inst.shape.unfenced = !d.plan.Fenced
	if len(x.members) == 0 && (d.plan.Fenced || len(x.scrubs) == 0) {
		return inst, false
	}
	type party struct {
		vid    model.VID
		row    row
		class  []class // by version
		cur    []class // what the entry may be now
		live   []class // what it or a packet in flight may hold
		writes []class // of the step at hand
	}
	parties := make([]*party, len(x.members))
	for i, m := range x.members {
		p := &party{vid: m.h.key.VID, class: make([]class, len(m.in))}
		pre, goal := m.h.extent(0, a.Stage), extentOf(d.plan.Goal[m.h.key], a.Stage)
		p.row.kept = m.in[0] && pre.Base == goal.Base && goal.Base <= x.lo && x.hi <= goal.Base+goal.Size
		for v, reaches := range m.in {
			switch {
			case !reaches:
				p.class[v] = out
			case p.row.kept && m.h.extent(v, a.Stage).Base != pre.Base:
				p.class[v] = moved
			default:
				p.class[v] = in
			}
		}
		p.row.before = p.class[0]
		p.cur, p.live = []class{p.class[0]}, []class{p.class[0]}
		parties[i] = p
	}
	old := inst.shape.unfenced
	for i, s := range d.steps() {
		e := event{fence: s.Fence, scrub: slices.Contains(x.scrubs, i)}
		changes := e.scrub
		for j, p := range parties {
			p.writes = nil
			if s.Fence {
				changes = changes || old || !slices.Equal(p.cur, p.live)
				continue
			}
			for _, v := range x.members[j].h.written[i] {
				p.writes = union(p.writes, p.class[v])
			}
			if len(p.cur) == 1 && slices.Equal(p.writes, p.cur) {
				p.writes = nil
			}
			changes = changes || len(p.writes) > 0
		}
		if s.Fence && len(parties) == 0 {
			changes = old
		}
		if !changes {
			continue
		}
		inst.shape.events = append(inst.shape.events, e)
		inst.steps = append(inst.steps, i)
		for _, p := range parties {
			p.row.writes = append(p.row.writes, p.writes)
			switch {
			case s.Fence:
				p.live = p.cur
			case len(p.writes) > 0:
				p.live = union(p.live, p.writes...)
				p.cur = p.writes
			}
		}
		old = old && !s.Fence
	}
	slices.SortStableFunc(parties, func(p, q *party) int { return strings.Compare(p.row.String(), q.row.String()) })
	for _, p := range parties {
		inst.shape.rows = append(inst.shape.rows, p.row)
		inst.tenants = append(inst.tenants, p.vid)
	}
	inst.key = inst.shape.String()
	return inst, true
}

func union(set []class, more ...class) []class {
	all := append(slices.Clone(set), more...)
	slices.Sort(all)
	return slices.Compact(all)
}

func (r row) String() string {
	var b strings.Builder
	if r.kept {
		b.WriteByte('k')
	}
	b.WriteByte(byte(r.before))
	for _, w := range r.writes {
		b.WriteByte(' ')
		if len(w) == 0 {
			b.WriteByte('-')
		}
		for _, c := range w {
			b.WriteByte(byte(c))
		}
	}
	return b.String()
}

// String determines the shape.
func (s shape) String() string {
	var b strings.Builder
	if s.unfenced {
		b.WriteString("unfenced ")
	}
	for _, e := range s.events {
		switch {
		case e.fence:
			b.WriteByte('F')
		case e.scrub:
			b.WriteByte('S')
		default:
			b.WriteByte('W')
		}
	}
	for _, r := range s.rows {
		fmt.Fprintf(&b, "; %s", r)
	}
	return b.String()
}

// id is a short name for the shape, for the IDs of obligations.
func (s shape) id() string {
	h := sha256.Sum256([]byte(s.String()))
	return hex.EncodeToString(h[:6])
}

// scrubbed says whether the shape has a scrub that somebody could be hit by.
func (s shape) scrubbed() bool {
	return slices.ContainsFunc(s.events, func(e event) bool { return e.scrub })
}

func (s shape) kept() bool {
	return slices.ContainsFunc(s.rows, func(r row) bool { return r.kept })
}
