package model

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Explore drives a machine with an adversary that makes random choices: what lies about in free slots, which old packets are
// still in flight, in which order a request's updates are applied, when packets arrive and act, and when the controller dies.
// It tries to make the worst of it: packets stay in flight until a fence. It returns the schedule that it took and what that
// violates.
func Explore(p *Plan, r *rand.Rand) (Schedule, []Violation) { return explore(p, r, nil) }

// explore is Explore if only is nil; else nothing but the slots of only is ever accessed or has a past.
func explore(p *Plan, r *rand.Rand, only map[Array][]int64) (Schedule, []Violation) {
	x := &explorer{plan: p, r: r, only: only}
	x.prepare()
	m, err := New(p, x.s.Initial)
	if err != nil {
		// What prepare laid out conflicts with a state before the plan that is itself broken: start without.
		x.s.Initial = Initial{}
		if m, err = New(p, x.s.Initial); err != nil {
			return x.s, nil
		}
	}
	x.m = m
	for range p.Late {
		x.patient = append(x.patient, r.IntN(len(p.Steps)+1))
	}
	death := -1
	if r.IntN(4) == 0 && len(p.Steps) > 0 {
		death = r.IntN(len(p.Steps))
	}
	for !m.Done() && !m.Failed() {
		pending := m.Pending()
		r.Shuffle(len(pending), func(i, j int) { pending[i], pending[j] = pending[j], pending[i] })
		last := len(pending)
		if m.Step() == death {
			last = r.IntN(last + 1)
		}
		x.traffic()
		for i, n := range pending[:last] {
			x.do(Action{Kind: Apply, N: n})
			// Scrubs come by the thousand: packets act after some of them only.
			if p.Steps[m.Step()].Updates[n].Kind != Scrub || i == last/2 {
				x.traffic()
			}
		}
		x.traffic()
		if last < len(pending) || m.Failed() {
			break
		}
		x.do(Action{Kind: Finish})
	}
	x.traffic()
	return x.s, m.Violations
}

type explorer struct {
	plan *Plan
	r    *rand.Rand
	only map[Array][]int64
	all  map[Array][]int64
	m    *Machine
	s    Schedule
	// patient is from which step on each late update may take effect: were it any moment, most would be over before the plan has begun.
	patient []int
}

func (x *explorer) do(a Action) {
	if err := x.m.Do(a); err != nil {
		panic(err) // the explorer chooses among what is possible only
	}
	x.s.Actions = append(x.s.Actions, a)
}

// prepare gives every slot that nobody reaches a random past.
func (x *explorer) prepare() {
	vids := x.plan.VIDs()
	if len(vids) == 0 {
		return
	}
	m, err := New(x.plan, Initial{})
	if err != nil {
		return
	}
	for _, a := range x.plan.Arrays() {
		var past VID // whose slots these were, a run at a time
		var run []int64
		flush := func() {
			if len(run) > 0 && past != 0 && !(x.plan.Fenced && x.plan.Empties(a.Control)) && x.r.IntN(2) == 0 {
				e := make(Entry, a.Stage+1)
				e[a.Stage] = Extent{Base: run[0], Size: int64(len(run)), Mask: ^uint32(0)}
				x.s.Initial.Packets = append(x.s.Initial.Packets, Packet{Key: Key{a.Control, past}, Entry: e, Old: true})
			}
			run = nil
		}
		for _, s := range x.slots(a) {
			if len(m.reachers(a, s)) > 0 {
				flush()
				continue
			}
			if len(run) == 0 || run[len(run)-1]+1 != s || x.r.IntN(6) == 0 {
				flush()
				past = vids[x.r.IntN(len(vids))]
			}
			run = append(run, s)
			x.s.Initial.Residue = append(x.s.Initial.Residue, Residue{a, s, past})
		}
		flush()
	}
}

// traffic lets a packet of every tenant arrive, and packets in flight act, in random order.
func (x *explorer) traffic() {
	for n, done := range x.m.late {
		if !done && x.m.Step() >= x.patient[n] && x.r.IntN(4) == 0 {
			x.do(Action{Kind: Late, N: n})
		}
	}
	for _, k := range x.m.tables.Keys() {
		if !x.m.known(k) {
			x.do(Action{Kind: Arrive, Key: k})
		}
	}
	flight := x.m.InFlight()
	ids := slices.Sorted(maps.Keys(flight))
	x.r.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	acting := len(ids)
	if x.r.IntN(2) == 0 {
		acting = x.r.IntN(acting + 1)
	}
	for _, id := range ids[:acting] {
		for k, e := range flight[id].Entry {
			for _, s := range x.slots(Array{flight[id].Key.Control, k}) {
				if e.Contains(s) && x.r.IntN(3) > 0 {
					x.do(Action{Kind: Touch, N: id, Stage: k, Index: uint32(s - e.Base)})
				}
			}
			if x.only == nil {
				x.do(Action{Kind: Touch, N: id, Stage: k, Index: x.r.Uint32()})
			}
		}
	}
}

// slots lists those of a that may be accessed, in order.
func (x *explorer) slots(a Array) []int64 {
	if x.only != nil {
		return x.only[a]
	}
	if x.all == nil {
		x.all = map[Array][]int64{}
	}
	if x.all[a] == nil {
		for s := range x.plan.Slots[a] {
			x.all[a] = append(x.all[a], s)
		}
	}
	return x.all[a]
}
