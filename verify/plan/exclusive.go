package plan

import (
	"fmt"
	"maps"
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
	grants  []*smt.Term // what M2 says about the tenant's own data, whenever it is given the slot
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

	n := len(s.rows)
	rows := make([]*reacher, n)
	live, dirty := make([]*smt.Term, n+1), make([]*smt.Term, n+1)
	before := make([]*smt.Term, n+1) // reach of the pre-state's entry
	for t, r := range s.rows {
		rows[t] = &reacher{world: w, lo: lo, hi: hi, slot: slot, tenant: t, bases: map[class]*smt.Term{}, reaches: map[class]*smt.Term{}}
		before[t] = rows[t].reach(r.before)
		if r.kept { // the goal holds it at the same virtual index
			base, reach := rows[t].version("goal", 1)
			w.frames = append(w.frames, w.Implies(w.And(reach, w.Eq(base, rows[t].base(1))), before[t]))
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
	// The inherited invariant: what old packets reach nobody else reaches, and nobody else's residue is in what is reached; what a
	// tenant finds itself in what it reaches it wrote under the same grant. It says nothing about two entries of the pre-state: that
	// these are apart is proved.
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
			for _, c := range r.turns[i].granted {
				// What the tenant may have written there before: under another grant, of the past or in the same event.
				earlier := []*smt.Term{dirty[t]}
				for _, other := range r.turns[i].may {
					if other != c {
						earlier = append(earlier, rows[t].reach(other))
					}
				}
				w.grants = append(w.grants, w.Not(w.And(rows[t].reach(c), w.Or(earlier...))))
			}
		}
		for t, r := range s.rows {
			for _, c := range r.turns[i].may {
				reach := rows[t].reach(c)
				live[t] = w.Or(live[t], reach)
				if r.kept {
					w.frames = append(w.frames, w.And(reach, w.Eq(rows[t].base(c), rows[t].base(1))))
				}
			}
		}
		w.record(e, live, dirty)
		switch {
		case e.fence: // packets from before it are gone
			for t, r := range s.rows {
				var known []*smt.Term
				for _, c := range r.turns[i].may {
					known = append(known, rows[t].reach(c))
				}
				live[t] = w.Or(known...)
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

// reacher is a tenant of a shape: for each class of versions of its entry one extent stands for all.
type reacher struct {
	*world
	lo, hi, slot   *smt.Term
	tenant         int
	bases, reaches map[class]*smt.Term
}

// version is some extent that lies to the interval as its class says.
func (r *reacher) version(name string, c class) (base, reach *smt.Term) {
	base, size := r.unknown("base_%d_%s", r.tenant, name), r.unknown("size_%d_%s", r.tenant, name)
	r.assume(r.Le(r.Int(0), size))
	if c == out {
		r.assume(r.Or(r.Eq(size, r.Int(0)), r.Le(r.Add(base, size), r.lo), r.Le(r.hi, base)))
	} else {
		r.assume(r.Le(base, r.lo), r.Le(r.hi, r.Add(base, size)))
		if first, known := r.bases[c]; known {
			r.assume(r.Eq(base, first))
		}
	}
	return base, r.And(r.Le(base, r.slot), r.Lt(r.slot, r.Add(base, size)))
}

// reach says that versions of the class reach the slot.
func (r *reacher) reach(c class) *smt.Term {
	if r.reaches[c] == nil {
		base, reach := r.version(fmt.Sprint(int(c)), c)
		if c != out {
			for _, other := range slices.Sorted(maps.Keys(r.bases)) {
				if other != out {
					r.assume(r.Not(r.Eq(base, r.bases[other])))
				}
			}
		}
		r.bases[c], r.reaches[c] = base, reach
	}
	return r.reaches[c]
}

// base is where extents of the class begin.
func (r *reacher) base(c class) *smt.Term {
	r.reach(c)
	return r.bases[c]
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

// clean is M2: whoever can reach the slot finds nothing of anybody else there, nor what it left itself before it was given the slot.
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
	w.prove(w.grants...)
	w.situation = w.reached
}

// undisturbed is M5 for scrubs: nobody can reach the slot while it is scrubbed.
func (w *world) undisturbed() {
	for _, m := range w.moments {
		if m.event.scrub || w.shape.late {
			for _, a := range m.live {
				w.prove(w.Not(a))
			}
		}
	}
}

// framed is M5 for what is kept: whatever the entry may be, the slot is where it was.
func (w *world) framed() { w.prove(w.frames...) }
