package model

import (
	"fmt"
	"slices"
	"strings"
)

// A Story is a schedule of a plan, and what it violates.
type Story struct {
	Plan       *Plan
	Schedule   Schedule
	Violations []Violation
}

// Exhaust tries everything that can happen while a plan is carried out, and returns the first story that violates something. If there
// is none, complete says whether nothing was left to try within the given number of states.
//
// It looks at one slot at a time: what is in a slot depends on that slot's accesses alone, and so does every property about
// content. For each it tries every past that the inherited invariant allows (somebody's residue, somebody's old packet, nothing),
// every order of every request's updates, every moment for each late one, and every access of every packet in between. A packet
// arrives at every moment and stays until a fence: one that comes later or leaves sooner can do nothing that these cannot. A
// controller that dies leaves a state that was visited on the way.
func Exhaust(p *Plan, states int) (story *Story, complete bool) {
	x := &exhaustion{left: states}
	for _, a := range p.Arrays() {
		for slot := range p.Slots[a] {
			x.plan, x.array, x.slot = p.ScrubOnly(a, slot), a, slot
			for _, init := range x.initials() {
				x.seen = map[string]bool{}
				if !x.from(init) {
					return x.story, false
				}
			}
		}
	}
	return nil, true
}

type exhaustion struct {
	plan  *Plan
	array Array
	slot  int64
	left  int // states that may still be visited
	seen  map[string]bool
	path  Schedule
	story *Story
}

// stranger is a VID that the plan does not know: a former tenant's.
func (x *exhaustion) stranger() VID {
	v := VID(4094)
	for slices.Contains(x.plan.VIDs(), v) {
		v--
	}
	return v
}

// initials are the pasts of the slot, possible or not.
func (x *exhaustion) initials() []Initial {
	out := []Initial{{}}
	for _, v := range append(x.plan.VIDs(), x.stranger()) {
		out = append(out, Initial{Residue: []Residue{{x.array, x.slot, v}}})
		if !x.plan.Fenced || !x.plan.Empties(x.array.Control) {
			e := make(Entry, x.array.Stage+1)
			e[x.array.Stage] = Extent{Base: x.slot, Size: 1, Mask: ^uint32(0)}
			out = append(out, Initial{Packets: []Packet{{Key: Key{x.array.Control, v}, Entry: e}}})
		}
	}
	return out
}

// from tries what can happen after a past, if that is possible at all. Like the methods below it returns false when it is over:
// something was violated, or there are too many states.
func (x *exhaustion) from(init Initial) bool {
	m, err := New(x.plan, init)
	if err != nil {
		return true // the invariant rules it out
	}
	x.path = Schedule{Initial: init}
	return x.visit(m)
}

func (x *exhaustion) visit(m *Machine) bool {
	for _, k := range m.tables.Keys() {
		if !m.known(k) {
			x.do(m, Action{Kind: Arrive, Key: k})
		}
	}
	if len(m.Violations) > 0 {
		x.story = &Story{x.plan, Schedule{x.path.Initial, slices.Clone(x.path.Actions)}, m.Violations}
		return false
	}
	state := x.state(m)
	if x.seen[state] {
		return true
	}
	if x.left == 0 {
		return false
	}
	x.left--
	x.seen[state] = true
	for _, a := range x.choices(m) {
		next, length := m.clone(), len(x.path.Actions)
		x.do(next, a)
		if !x.visit(next) {
			return false
		}
		x.path.Actions = x.path.Actions[:length]
	}
	return true
}

// choices are what may happen next, apart from packets that arrive.
func (x *exhaustion) choices(m *Machine) []Action {
	var out []Action
	for i, p := range m.packets {
		if p == nil || p.Key.Control != x.array.Control || x.array.Stage >= len(p.Entry) {
			continue
		}
		if e := p.Entry[x.array.Stage]; e.Contains(x.slot) {
			out = append(out, Action{Kind: Touch, N: i, Stage: x.array.Stage, Index: uint32(x.slot - e.Base)})
		}
	}
	for n, done := range m.late {
		if !done {
			out = append(out, Action{Kind: Late, N: n})
		}
	}
	if m.Failed() || m.Done() {
		return out
	}
	pending := m.Pending()
	for _, n := range pending {
		out = append(out, Action{Kind: Apply, N: n})
	}
	if len(pending) == 0 {
		out = append(out, Action{Kind: Finish})
	}
	return out
}

func (x *exhaustion) do(m *Machine, a Action) {
	if err := m.Do(a); err != nil {
		panic(err) // only what is possible is tried
	}
	x.path.Actions = append(x.path.Actions, a)
}

// state tells apart states from which different things can happen to the slot.
func (x *exhaustion) state(m *Machine) string {
	var b strings.Builder
	fmt.Fprint(&b, m.step, m.failed, m.applied, m.late, m.cells[x.array][x.slot])
	for _, k := range m.tables.Keys() {
		fmt.Fprint(&b, k, m.tables[k], m.grants[k], m.written[k])
	}
	var flight []string
	for i, p := range m.packets {
		if p != nil {
			flight = append(flight, fmt.Sprint(*p, i < m.earlier))
		}
	}
	slices.Sort(flight)
	fmt.Fprint(&b, slices.Compact(flight))
	return b.String()
}
