package alloc

import (
	"cmp"
	"slices"
)

// NetVRM is the heuristic of NetVRM (NSDI 2022), as its public artifact computes it, within the sharing policy's floors and ceilings.
// Tenants under their utility target ask for what the estimate says they lack, in powers of two; tenants over it offer what they
// can spare; on each switch the smallest askers are served first, from what is free and then from the largest donors, only as
// far as needed.
//
// It differs from the artifact where that is known to go wrong: an asker asks for at least one doubling (rounding down would
// leave a tenant with hit > target/sqrt 2 as it is, forever); one whose whole wish does not fit is given the rungs that do; a newcomer
// starts with its policy share, as far as that is free; and an asker below its share that nobody else has helped for an epoch is
// served from tenants above theirs. Sizes are vectors over stage arrays, so a donor counts only where it helps.
type NetVRM struct {
	Estimator Estimator
	// NewcomerPart: a newcomer whose share is less starts with this part of a switch's memory (0: 1/128), its floor at least.
	NewcomerPart int64
	// StarvedEpochs after which a droppable tenant is dropped (0: 4).
	StarvedEpochs int
}

// Name implements Strategy.
func (NetVRM) Name() string { return "netvrm" }

// ask is what a tenant wants, or offers, on one switch.
type ask struct {
	tenant, presence int
	level            int   // it asks for more than it has, or would do with less
	amount           int64 // of memory, as Rung.Memory: wanted more, or offered
}

// Allocate implements Strategy.
func (s NetVRM) Allocate(p *Problem) ([]Choice, error) {
	if err := check(p); err != nil {
		return nil, err
	}
	r, levels, out := newRoom(p), make([][]int, len(p.Tenants)), make([]Choice, len(p.Tenants))
	starved := cmp.Or(s.StarvedEpochs, 4)
	var newcomers []int
	for _, i := range p.byName() {
		t := &p.Tenants[i]
		if t.Droppable && t.Starved >= starved {
			out[i].Out = "dropped: starved"
			continue
		}
		levels[i] = make([]int, len(t.On))
		for j := range t.On {
			pr := &t.On[j]
			levels[i][j] = min(max(pr.Level, pr.Floor), pr.Ceiling)
			if pr.New {
				levels[i][j] = pr.Floor
			}
			if !t.Droppable || !pr.New { // else it is not admitted yet
				r.set(pr, -1, levels[i][j])
			}
		}
		if slices.ContainsFunc(t.On, func(pr Presence) bool { return pr.New }) {
			newcomers = append(newcomers, i)
		}
	}
	// Bounds may have changed since the last epoch.
	if err := settle(p, r, levels); err != nil {
		return nil, err
	}
	askers, donors := s.estimate(p, levels, out)
	for _, i := range newcomers {
		s.admit(p, r, levels, out, donors, i)
	}
	for sw := range p.Switches {
		s.serve(p, r, levels, sw, askers[sw], donors[sw])
	}
	for i := range p.Tenants {
		out[i].Levels = levels[i]
		for j := range levels[i] {
			pr := &p.Tenants[i].On[j]
			out[i].Granted = out[i].Granted || pr.New || levels[i][j] > pr.Level
		}
	}
	return out, nil
}

// estimate says who asks and who offers, for each switch.
func (s NetVRM) estimate(p *Problem, levels [][]int, out []Choice) (askers, donors [][]ask) {
	askers, donors = make([][]ask, len(p.Switches)), make([][]ask, len(p.Switches))
	for _, i := range p.byName() {
		t := &p.Tenants[i]
		if levels[i] == nil {
			continue
		}
		var traffic []Traffic
		var inverse float64 // sum of 1/p_s over the switches with traffic
		for j := range t.On {
			pr := &t.On[j]
			traffic = append(traffic, Traffic{pr.Packets, pr.Hits, pr.Ladder.Rungs[levels[i][j]].Memory})
		}
		e := s.Estimator.Estimate(traffic, t.Target)
		for j := range t.On {
			if t.On[j].Packets > 0 {
				inverse += float64(e.Packets) / float64(t.On[j].Packets)
			}
		}
		for j := range t.On {
			pr := &t.On[j]
			if pr.New || pr.Unknown {
				continue
			}
			now := pr.Ladder.Rungs[levels[i][j]].Memory
			switch {
			case pr.Packets == 0:
				// No traffic here: what is above the floor is to spare. With traffic elsewhere nothing is known but that.
				if pr.Floor < levels[i][j] {
					donors[pr.Switch] = append(donors[pr.Switch], ask{i, j, pr.Floor, now - pr.Ladder.Rungs[pr.Floor].Memory})
				}
			case e.Under > 0:
				lack := e.Under * float64(pr.Packets) / float64(e.Packets)
				level := levels[i][j]
				for level < pr.Ceiling && (level == levels[i][j] || float64(pr.Ladder.Rungs[level+1].Memory-now) <= lack) {
					level++
				}
				out[i].Asked += int64(lack)
				if level > levels[i][j] {
					askers[pr.Switch] = append(askers[pr.Switch], ask{i, j, level, pr.Ladder.Rungs[level].Memory - now})
				}
			default:
				spare := e.Over / (float64(pr.Packets) / float64(e.Packets) * inverse)
				level := levels[i][j]
				for level > pr.Floor && float64(now-pr.Ladder.Rungs[level-1].Memory) <= spare {
					level--
				}
				if level < levels[i][j] {
					donors[pr.Switch] = append(donors[pr.Switch], ask{i, j, level, now - pr.Ladder.Rungs[level].Memory})
				}
			}
		}
	}
	for sw := range p.Switches {
		order := func(sign int) func(a, b ask) int {
			return func(a, b ask) int {
				if c := cmp.Compare(a.amount, b.amount); c != 0 {
					return sign * c
				}
				return cmp.Compare(p.Tenants[a.tenant].Name, p.Tenants[b.tenant].Name)
			}
		}
		slices.SortStableFunc(askers[sw], order(1))
		slices.SortStableFunc(donors[sw], order(-1))
	}
	return askers, donors
}

// admit gives a newcomer its first memory on every switch, or, if it is droppable and its least does not fit somewhere, rejects it.
func (s NetVRM) admit(p *Problem, r *room, levels [][]int, out []Choice, donors [][]ask, i int) {
	t := &p.Tenants[i]
	if t.Droppable {
		for j := range t.On {
			if len(r.lacking(&t.On[j], -1, levels[i][j])) > 0 && !s.free(p, r, levels, donors[t.On[j].Switch], &t.On[j], -1, levels[i][j], i) {
				for k := range j {
					r.set(&t.On[k], levels[i][k], -1)
				}
				out[i].Out, levels[i] = "rejected: its least memory does not fit", nil
				return
			}
			r.set(&t.On[j], -1, levels[i][j])
		}
	}
	part := cmp.Or(s.NewcomerPart, 128)
	for j := range t.On {
		pr := &t.On[j]
		if !pr.New {
			continue
		}
		for k := levels[i][j] + 1; k <= pr.Ceiling && (k <= pr.Share || s.within(p, pr, k, part)); k++ {
			if !s.give(p, r, levels, donors[pr.Switch], ask{tenant: i, presence: j}, k) {
				break
			}
		}
	}
}

// within says that every register of the rung takes at most a part of its array.
func (NetVRM) within(p *Problem, pr *Presence, rung int, part int64) bool {
	for x, reg := range pr.Ladder.Registers {
		if reg.Elastic && pr.Ladder.Rungs[rung].Sizes[x] > p.Switches[pr.Switch][reg.Array]/part {
			return false
		}
	}
	return true
}

// serve grants what the askers of one switch want, as far as it goes.
func (s NetVRM) serve(p *Problem, r *room, levels [][]int, sw int, askers, donors []ask) {
	for _, a := range askers {
		for want := a.level; want > levels[a.tenant][a.presence]; want-- {
			if s.give(p, r, levels, donors, a, want) {
				break
			}
		}
	}
	for _, a := range askers {
		pr := &p.Tenants[a.tenant].On[a.presence]
		if p.Tenants[a.tenant].Starved == 0 {
			continue // others lose content by this: one bad epoch is no reason
		}
		for want := min(a.level, pr.Share); want > levels[a.tenant][a.presence]; want-- {
			if s.give(p, r, levels, s.aboveShare(p, levels, sw, a.tenant), a, want) {
				break
			}
		}
	}
}

// aboveShare lists who has more than its policy share, the largest excess first.
func (NetVRM) aboveShare(p *Problem, levels [][]int, sw, but int) []ask {
	var out []ask
	for _, i := range p.byName() {
		for j := range p.Tenants[i].On {
			pr := &p.Tenants[i].On[j]
			if i == but || levels[i] == nil || pr.Switch != sw || levels[i][j] <= pr.Share {
				continue
			}
			out = append(out, ask{i, j, pr.Share, pr.Ladder.Rungs[levels[i][j]].Memory - pr.Ladder.Rungs[pr.Share].Memory})
		}
	}
	slices.SortStableFunc(out, func(a, b ask) int { return cmp.Compare(b.amount, a.amount) })
	return out
}

// give raises an asker to a rung if that fits, with what donors offer where it is needed.
func (s NetVRM) give(p *Problem, r *room, levels [][]int, donors []ask, a ask, want int) bool {
	pr := &p.Tenants[a.tenant].On[a.presence]
	have := levels[a.tenant][a.presence]
	if !p.Tenants[a.tenant].allowed(levels[a.tenant], a.presence, want) {
		return false
	}
	if len(r.lacking(pr, have, want)) > 0 && !s.free(p, r, levels, donors, pr, have, want, a.tenant) {
		return false
	}
	r.set(pr, have, want)
	levels[a.tenant][a.presence] = want
	return true
}

// free makes room for a presence to go from one rung to another by lowering donors, largest first, rung by rung, and only those that
// have something where it is lacking. If that is not enough, nothing changes.
func (NetVRM) free(p *Problem, r *room, levels [][]int, donors []ask, pr *Presence, from, to, asker int) bool {
	type step struct{ tenant, presence, level int }
	var undo []step
	for _, d := range donors {
		if d.tenant == asker || levels[d.tenant] == nil {
			continue
		}
		dp := &p.Tenants[d.tenant].On[d.presence]
		for levels[d.tenant][d.presence] > d.level {
			lacking := r.lacking(pr, from, to)
			if len(lacking) == 0 {
				return true
			}
			now := levels[d.tenant][d.presence]
			helps := false
			for _, x := range lacking {
				helps = helps || dp.Ladder.Size(x, d.level) < dp.Ladder.Size(x, now)
			}
			if !helps {
				break
			}
			undo = append(undo, step{d.tenant, d.presence, now})
			r.set(dp, now, now-1)
			levels[d.tenant][d.presence]--
		}
	}
	if len(r.lacking(pr, from, to)) == 0 {
		return true
	}
	for _, u := range slices.Backward(undo) {
		r.set(&p.Tenants[u.tenant].On[u.presence], levels[u.tenant][u.presence], u.level)
		levels[u.tenant][u.presence] = u.level
	}
	return false
}
