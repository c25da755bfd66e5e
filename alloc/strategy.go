package alloc

import (
	"fmt"
	"slices"
)

// Problem is one epoch's: whose memory is to be how large on which switch.
type Problem struct {
	Switches []Capacity
	Tenants  []TenantState
}

// Capacity is the slots of each stage array of a switch.
type Capacity map[Array]int64

// TenantState is what an allocation knows about a tenant.
type TenantState struct {
	Name   string
	Target float64 // utility, in [0,1]
	// Starved counts the epochs in a row, up to now, in which the tenant was under its target and got no more memory.
	Starved int
	// Most bounds what the tenant gets over all its switches, in slots of all its registers; 0: nothing but the ceilings does. A tenant whose
	// floors alone are above it keeps those.
	Most int64
	// Droppable tenants may be rejected or dropped for lack of memory; others always keep their floor.
	Droppable bool
	On        []Presence // the switches that the tenant is on
}

// Presence is a tenant on one switch. Floor, Share, Ceiling and Level are rungs of the ladder: Floor <= Share <= Ceiling.
type Presence struct {
	Switch  int // index into Problem.Switches
	Ladder  Ladder
	Floor   int
	Share   int
	Ceiling int
	Level   int  // now
	New     bool // has nothing yet; Level is meaningless
	Unknown bool // the sample says nothing about the size (a counter was reset, content has just been lost): it neither asks nor gives
	Packets int64
	Hits    int64
}

// Choice is what a tenant is to have: a level for each presence, or nothing at all.
type Choice struct {
	Levels []int // in the order of TenantState.On
	// Out says that the tenant is rejected (it was new) or dropped; Levels is nil then.
	Out string
	// Asked is the memory that the tenant would have to get to reach its target by its estimate, summed over switches.
	Asked int64
	// Granted says that Levels is above what the tenant had somewhere.
	Granted bool
}

// Strategy chooses sizes. It is a pure function of the problem.
type Strategy interface {
	Name() string
	// Allocate returns a choice for each tenant, in order. All choices together fit every array of every switch, and each level is
	// between floor and ceiling. It is an error when the floors alone do not fit.
	Allocate(p *Problem) ([]Choice, error)
}

// Strategies lists those there are, the default first.
func Strategies() []Strategy {
	return []Strategy{NetVRM{Estimator: DefaultEstimator}, EqualActive{}, EqualAll{}}
}

// StrategyNamed returns one by its name.
func StrategyNamed(name string) (Strategy, error) {
	var names []string
	for _, s := range Strategies() {
		if s.Name() == name {
			return s, nil
		}
		names = append(names, s.Name())
	}
	return nil, fmt.Errorf("no allocation strategy %q (there are: %v)", name, names)
}

// room is the free slots of every switch while an allocation is made.
type room struct {
	p    *Problem
	free []Capacity
}

func newRoom(p *Problem) *room {
	r := &room{p: p}
	for _, c := range p.Switches {
		f := make(Capacity, len(c))
		for a, n := range c {
			f[a] = n
		}
		r.free = append(r.free, f)
	}
	return r
}

// set moves a presence from one rung to another; -1 is nothing. It does not check that this fits.
func (r *room) set(pr *Presence, from, to int) {
	for i, reg := range pr.Ladder.Registers {
		var n int64
		if to >= 0 {
			n += pr.Ladder.Rungs[to].Sizes[i]
		}
		if from >= 0 {
			n -= pr.Ladder.Rungs[from].Sizes[i]
		}
		r.free[pr.Switch][reg.Array] -= n
	}
}

// lacking returns the arrays in which going from one rung to another needs more than is free.
func (r *room) lacking(pr *Presence, from, to int) []Array {
	var out []Array
	for i, reg := range pr.Ladder.Registers {
		n := pr.Ladder.Rungs[to].Sizes[i]
		if from >= 0 {
			n -= pr.Ladder.Rungs[from].Sizes[i]
		}
		if n > r.free[pr.Switch][reg.Array] {
			out = append(out, reg.Array)
		}
	}
	return out
}

// slots of all registers of a rung.
func (l Ladder) slots(rung int) (n int64) {
	if rung < 0 {
		return 0
	}
	for _, s := range l.Rungs[rung].Sizes {
		n += s
	}
	return n
}

// allowed says whether a tenant may go to a rung on one of its switches, by what it has on all of them.
func (t *TenantState) allowed(levels []int, presence, want int) bool {
	if t.Most == 0 || want <= levels[presence] {
		return true
	}
	total := t.On[presence].Ladder.slots(want)
	for j := range t.On {
		if j != presence {
			total += t.On[j].Ladder.slots(levels[j])
		}
	}
	return total <= t.Most
}

// short returns an array with less than nothing free.
func (r *room) short() (sw int, a Array, ok bool) {
	for s, f := range r.free {
		for x, n := range f {
			if n < 0 && (!ok || x.Compare(a) < 0) {
				sw, a, ok = s, x, true
			}
		}
		if ok {
			return sw, a, true
		}
	}
	return 0, Array{}, false
}

// check refuses a problem that makes no sense.
func check(p *Problem) error {
	seen := map[string]bool{}
	for i := range p.Tenants {
		t := &p.Tenants[i]
		if t.Name == "" || seen[t.Name] {
			return fmt.Errorf("allocation: tenant name %q is empty or not unique", t.Name)
		}
		seen[t.Name] = true
		for j := range t.On {
			if t.Droppable && t.On[j].New != t.On[0].New {
				return fmt.Errorf("allocation: tenant %s: droppable, and new on some of its switches only", t.Name)
			}
		}
		for j := range t.On {
			pr := &t.On[j]
			top := len(pr.Ladder.Rungs) - 1
			switch {
			case pr.Switch < 0 || pr.Switch >= len(p.Switches):
				return fmt.Errorf("allocation: tenant %s: no switch %d", t.Name, pr.Switch)
			case pr.Floor < 0 || pr.Floor > pr.Share || pr.Share > pr.Ceiling || pr.Ceiling > top:
				return fmt.Errorf("allocation: tenant %s: floor %d, share %d, ceiling %d of %d rungs", t.Name, pr.Floor, pr.Share, pr.Ceiling, top+1)
			case !pr.New && (pr.Level < 0 || pr.Level > top):
				return fmt.Errorf("allocation: tenant %s: level %d of %d rungs", t.Name, pr.Level, top+1)
			case pr.Packets < 0 || pr.Hits < 0 || pr.Hits > pr.Packets:
				return fmt.Errorf("allocation: tenant %s: %d hits of %d packets", t.Name, pr.Hits, pr.Packets)
			}
			for _, reg := range pr.Ladder.Registers {
				if _, ok := p.Switches[pr.Switch][reg.Array]; !ok {
					return fmt.Errorf("allocation: tenant %s: switch %d has no stage array %v", t.Name, pr.Switch, reg.Array)
				}
			}
		}
	}
	return nil
}

// byName returns the tenants' indices in the order of their names: ties are broken by name everywhere.
func (p *Problem) byName() []int {
	out := make([]int, len(p.Tenants))
	for i := range out {
		out[i] = i
	}
	slices.SortFunc(out, func(a, b int) int {
		if p.Tenants[a].Name < p.Tenants[b].Name {
			return -1
		}
		return 1
	})
	return out
}

// settle makes levels fit: who has too much over all switches steps down where it has most above its floor; then, while an array is
// short, whoever has most there, of those above their floor, steps down a rung (ties by name).
func settle(p *Problem, r *room, levels [][]int) error {
	for _, i := range p.byName() {
		if levels[i] != nil {
			p.Tenants[i].bound(r, levels[i])
		}
	}
	for {
		sw, a, short := r.short()
		if !short {
			return nil
		}
		bi, bj, most := -1, -1, int64(0)
		for _, i := range p.byName() {
			for j := range p.Tenants[i].On {
				pr := &p.Tenants[i].On[j]
				if levels[i] == nil || pr.Switch != sw || levels[i][j] <= pr.Floor {
					continue
				}
				if n := pr.Ladder.Size(a, levels[i][j]); n > most {
					bi, bj, most = i, j, n
				}
			}
		}
		if bi < 0 {
			return fmt.Errorf("allocation: switch %d: the floors alone need %d slots more than stage array %v has", sw, -r.free[sw][a], a)
		}
		pr := &p.Tenants[bi].On[bj]
		r.set(pr, levels[bi][bj], levels[bi][bj]-1)
		levels[bi][bj]--
	}
}

// bound lowers levels until the tenant has at most Most, or only floors are left.
func (t *TenantState) bound(r *room, levels []int) {
	for t.Most > 0 {
		at, most, total := -1, int64(-1), int64(0)
		for j := range t.On {
			n := t.On[j].Ladder.slots(levels[j])
			if total += n; levels[j] > t.On[j].Floor && n > most {
				at, most = j, n
			}
		}
		if total <= t.Most || at < 0 {
			return
		}
		r.set(&t.On[at], levels[at], levels[at]-1)
		levels[at]--
	}
}
