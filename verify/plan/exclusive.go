package plan

import (
	"fmt"
	"slices"

	"github.com/interlock/interlock/verify/smt"
)

const shapeLogic = "QF_LIA"

// world is a shape unrolled into formulas about one symbolic slot of one symbolic interval.
type world struct {
	*claim
	shape   shape
	reached *smt.Term // somebody reaches the slot at some moment
	moments []moment
	frames  []*smt.Term // what M5 says about kept slots, at each moment
}

// moment is what holds while an event happens, or, first, before the plan starts. The tenants are the shape's rows, and last
// anyone else: a tenant none of whose entries reach the interval, but who may have old packets in flight or have left something
// there. One such tenant stands for all, because every property below is about pairs, and two of them are apart by the
// inherited invariant.
type moment struct {
	event event
	live  []*smt.Term // by tenant: it can reach the slot, through the page table or by packets in flight
	dirty []*smt.Term // by tenant: something that it wrote may be in the slot
}

// unroll states the facts of a shape and follows who can reach the slot, and whose data may be in it, through the plan.
func (s shape) unroll() *world {
	w := &world{claim: newClaim(shapeLogic), shape: s}
	lo, hi, slot := w.unknown("lo"), w.unknown("hi"), w.unknown("slot")
	w.assume(w.Le(w.Int(0), lo), w.Lt(lo, hi), w.Le(lo, slot), w.Lt(slot, hi))

	// version is some extent of tenant t that lies to the interval as its class says; base0 is where the pre-state's begins.
	version := func(name string, c class, kept bool, base0 *smt.Term) (base, reach *smt.Term) {
		base = w.unknown("base_%s", name)
		size := w.unknown("size_%s", name)
		w.assume(w.Le(w.Int(0), size))
		if c == out {
			w.assume(w.Or(w.Eq(size, w.Int(0)), w.Le(w.Add(base, size), lo), w.Le(hi, base)))
		} else {
			w.assume(w.Le(base, lo), w.Le(hi, w.Add(base, size)))
		}
		if kept && base0 != nil {
			switch c {
			case in:
				w.assume(w.Eq(base, base0))
			case moved:
				w.assume(w.Not(w.Eq(base, base0)))
			}
		}
		return base, w.And(w.Le(base, slot), w.Lt(slot, w.Add(base, size)))
	}

	n := len(s.rows)
	cur := make([][]*smt.Term, n) // reach of what the entry may be
	base0 := make([]*smt.Term, n)
	live, dirty := make([]*smt.Term, n+1), make([]*smt.Term, n+1)
	before := make([]*smt.Term, n+1) // reach of the pre-state's entry
	for t, r := range s.rows {
		base0[t], before[t] = version(fmt.Sprintf("%d_pre", t), r.before, r.kept, nil)
		cur[t] = []*smt.Term{before[t]}
		if r.kept { // the goal holds it at the same virtual index
			goalBase, goalReach := version(fmt.Sprintf("%d_goal", t), in, true, base0[t])
			w.frames = append(w.frames, w.Implies(w.And(goalReach, w.Eq(goalBase, base0[t])), before[t]))
		}
	}
	before[n] = w.False()
	for t := range live {
		old := w.False()
		if s.unfenced {
			old = w.Var(fmt.Sprintf("old_%d", t), smt.Bool)
		}
		live[t] = w.Or(old, before[t])
	}
	// The inherited invariant: what old packets reach nobody else reaches, and nobody else's residue is in what is reached. It says
	// nothing about two entries of the pre-state: that these are apart is proved.
	for t := range live {
		residue := w.Var(fmt.Sprintf("residue_%d", t), smt.Bool)
		for u := range live {
			if u == t {
				continue
			}
			if s.unfenced {
				w.assume(w.Not(w.And(w.Var(fmt.Sprintf("old_%d", t), smt.Bool), live[u])))
			}
			w.assume(w.Not(w.And(live[u], residue)))
		}
		dirty[t] = residue
	}
	w.record(event{}, live, dirty)

	for i, e := range s.events {
		for t, r := range s.rows {
			if len(r.writes[i]) == 0 {
				continue
			}
			cur[t] = nil // while the step is under way the old entry is still among what is live
			for j, c := range r.writes[i] {
				base, reach := version(fmt.Sprintf("%d_%d_%d", t, i, j), c, r.kept, base0[t])
				cur[t] = append(cur[t], reach)
				live[t] = w.Or(live[t], reach)
				if r.kept {
					w.frames = append(w.frames, w.And(reach, w.Eq(base, base0[t])))
				}
			}
		}
		w.record(e, live, dirty)
		switch {
		case e.fence:
			for t := range s.rows {
				live[t] = w.Or(cur[t]...)
			}
			live[n] = w.False()
		case e.scrub:
			// Zero was written some time during the step; whoever could reach the slot may have written after that.
			copy(dirty, live)
		}
	}
	var reached []*smt.Term
	for _, m := range w.moments {
		reached = append(reached, m.live...)
	}
	w.reached = w.Or(reached...)
	return w
}

// record names what holds at the next moment, in place.
func (w *world) record(e event, live, dirty []*smt.Term) {
	for t := range live {
		live[t] = w.define(fmt.Sprintf("live_%d_%d", t, len(w.moments)), live[t])
		dirty[t] = w.define(fmt.Sprintf("dirty_%d_%d", t, len(w.moments)), w.Or(dirty[t], live[t]))
	}
	w.moments = append(w.moments, moment{event: e, live: slices.Clone(live), dirty: slices.Clone(dirty)})
}

// exclusive is M1: at no moment can two tenants reach the slot.
func (w *world) exclusive() {
	for _, m := range w.moments {
		for t, a := range m.live {
			for _, b := range m.live[t+1:] {
				w.prove(w.Not(w.And(a, b)))
			}
		}
	}
	w.situation = w.reached
}

// clean is M2: whoever can reach the slot finds nothing of anybody else there.
func (w *world) clean() {
	for _, m := range w.moments {
		for t, a := range m.live {
			for u, b := range m.dirty {
				if u != t {
					w.prove(w.Not(w.And(a, b)))
				}
			}
		}
	}
	w.situation = w.reached
}

// undisturbed is M5 for scrubs: nobody can reach the slot while it is scrubbed.
func (w *world) undisturbed() {
	for _, m := range w.moments {
		if m.event.scrub {
			for _, a := range m.live {
				w.prove(w.Not(a))
			}
		}
	}
}

// framed is M5 for what is kept: whatever the entry may be, the slot is where it was.
func (w *world) framed() { w.prove(w.frames...) }
