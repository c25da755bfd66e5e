package model

import (
	"math/rand/v2"
	"slices"
)

// Search looks for a schedule, accessing only the given slots, that brings about a violation that is wanted; the choices are
// those of a generator with a fixed seed, so that the same plan gives the same answer. What it finds it makes as short as it can:
// no event can be left out. It gives up after some tries.
func Search(p *Plan, only map[Array][]int64, tries int, wanted func(Violation) bool) (Schedule, Violation, bool) {
	r := rand.New(rand.NewPCG(1, 2))
	if only == nil {
		only = map[Array][]int64{}
	}
	for range tries {
		s, vs := explore(p, r, only)
		if i := slices.IndexFunc(vs, wanted); i >= 0 {
			return shorten(p, s, wanted)
		}
	}
	return Schedule{}, Violation{}, false
}

// shorten leaves out of s whatever the wanted violation does not need.
func shorten(p *Plan, s Schedule, wanted func(Violation) bool) (Schedule, Violation, bool) {
	var found Violation
	try := func(s Schedule) bool {
		vs, err := Run(p, s)
		if err != nil {
			return false
		}
		i := slices.IndexFunc(vs, wanted)
		if i >= 0 {
			found = vs[i]
		}
		return i >= 0
	}
	// What comes after the violation goes first: the shortest prefix that still has it.
	lo, hi := 0, len(s.Actions)
	for lo < hi {
		mid := (lo + hi) / 2
		if try(Schedule{s.Initial, s.Actions[:mid]}) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	s.Actions = s.Actions[:lo]
	// Then runs of events, halving, until no single one can go.
	for n := max(len(s.Actions)/2, 1); ; n = max(n/2, 1) {
		before := len(s.Actions)
		for i := len(s.Actions) - n; i >= 0; i -= n {
			if t := without(s, i, i+n); try(t) {
				s = t
			}
		}
		if n == 1 && len(s.Actions) == before {
			break
		}
	}
	for i := len(s.Initial.Packets) - 1; i >= 0; i-- {
		if t := withoutPacket(s, i); try(t) {
			s = t
		}
	}
	for i := len(s.Initial.Residue) - 1; i >= 0; i-- {
		t := s
		t.Initial.Residue = slices.Delete(slices.Clone(s.Initial.Residue), i, i+1)
		if try(t) {
			s = t
		}
	}
	// Updates that may come in any order come as they were sent.
	for i := 1; i < len(s.Actions); i++ {
		for j := i; j > 0 && s.Actions[j].Kind == Apply && s.Actions[j-1].Kind == Apply && s.Actions[j].N < s.Actions[j-1].N; j-- {
			t := Schedule{s.Initial, slices.Clone(s.Actions)}
			t.Actions[j], t.Actions[j-1] = t.Actions[j-1], t.Actions[j]
			if !try(t) {
				break
			}
			s = t
		}
	}
	return s, found, try(s)
}

// without leaves out actions i to j, and what packets do that arrive in them.
func without(s Schedule, i, j int) Schedule {
	if i < 0 || j > len(s.Actions) {
		return s
	}
	out := Schedule{Initial: s.Initial}
	number := len(s.Initial.Packets)   // of the next packet that arrives in s
	renumbered := map[int]int{}        // packets of s that are still there
	next := len(out.Initial.Packets)   // of the next packet that arrives in out
	for n := range s.Initial.Packets { // those stay
		renumbered[n] = n
	}
	for k, a := range s.Actions {
		gone := i <= k && k < j
		switch a.Kind {
		case Arrive:
			if !gone {
				renumbered[number] = next
				next++
			}
			number++
		case Touch:
			n, there := renumbered[a.N]
			gone = gone || !there
			a.N = n
		}
		if !gone {
			out.Actions = append(out.Actions, a)
		}
	}
	return out
}

// withoutPacket leaves out a packet of the initial ones.
func withoutPacket(s Schedule, n int) Schedule {
	out := Schedule{Initial: s.Initial}
	out.Initial.Packets = slices.Delete(slices.Clone(s.Initial.Packets), n, n+1)
	for _, a := range s.Actions {
		if a.Kind == Touch && a.N == n {
			continue
		}
		if a.Kind == Touch && a.N > n {
			a.N--
		}
		out.Actions = append(out.Actions, a)
	}
	return out
}

// Replay runs a schedule up to the violation that is wanted and returns the machine at that moment.
func Replay(p *Plan, s Schedule, wanted func(Violation) bool) (*Machine, error) {
	m, err := New(p, s.Initial)
	if err != nil {
		return nil, err
	}
	for _, a := range s.Actions {
		if slices.ContainsFunc(m.Violations, wanted) {
			break
		}
		if err := m.Do(a); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Entry is what the page table says now.
func (m *Machine) Entry(k Key) Entry { return m.tables[k] }
