// Package sharing asks the sharing policy between which sizes the allocator may choose. It keeps the policy's language out of
// package alloc, and alloc's ladders out of package policy.
package sharing

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/policy"
	admission "github.com/interlock/interlock/verify/policy"
)

// A Place is a switch with its tenants.
type Place struct {
	Switch   string
	Tenants  []alloc.Tenant
	Capacity alloc.Capacity
}

// Resource is the name that policies know a stage array's slots by: "slots/ingress/0".
func Resource(a alloc.Array) string { return admission.Slots + a.String() }

// ResourceOn is what policies call a stage array's slots where there are several switches: "slots/left/ingress/0".
func ResourceOn(name string, a alloc.Array) string { return admission.Slots + name + "/" + a.String() }

func (s *Site) resource(place int, a alloc.Array) string {
	if s.Several {
		return ResourceOn(s.Places[place].Switch, a)
	}
	return Resource(a)
}

// Site is what a policy is asked about: all switches of a site. A tenant is one tenant to the policy, with one weight, budget and balance, and
// the slots of every switch are resources of their own.
type Site struct {
	Places  []Place
	Several bool // the site has several switches
	// Known are facts about tenants, by name. Of others it is known that they are active, and that their balance is the site's.
	Known map[string]Known
}

// Known is what is known of a tenant besides what the site says of it.
type Known struct {
	Active           bool
	Utility, Balance policy.Ratio
	Held             policy.Resources // nil: not known
	Past             *policy.Past     // nil: as now
}

// One is a site with one switch.
func One(tenants []alloc.Tenant, capacity alloc.Capacity) *Site {
	return &Site{Places: []Place{{Tenants: tenants, Capacity: capacity}}}
}

// Capacity is the stage arrays as resources.
func (s *Site) Capacity() policy.Resources {
	r := policy.Resources{}
	for i, x := range s.Places {
		for a, n := range x.Capacity {
			r[s.resource(i, a)] = n
		}
	}
	return r
}

// at has, by tenant, its index in each place, -1 where it is not.
func (s *Site) at() (names []string, at map[string][]int) {
	at = map[string][]int{}
	for i, x := range s.Places {
		for j, t := range x.Tenants {
			if at[t.Name] == nil {
				at[t.Name] = slices.Repeat([]int{-1}, len(s.Places))
				names = append(names, t.Name)
			}
			at[t.Name][i] = j
		}
	}
	if s.Several {
		slices.Sort(names)
	}
	return names, at
}

// tenant is what the policy knows of a tenant, without what it asks for.
func (s *Site) tenant(t alloc.Tenant) policy.Tenant {
	x := policy.Tenant{
		Name: t.Name, VID: t.VID, Weight: t.Weight, Budget: t.Budget, Balance: t.Balance, Target: ratioOf(t.Target), Active: true,
	}
	if k, ok := s.Known[t.Name]; ok {
		x.Active, x.Utility, x.Balance, x.Held, x.Past = k.Active, k.Utility, k.Balance, k.Held, k.Past
	}
	return x
}

// ratioOf is a utility as policies have it: to a millionth.
func ratioOf(utility float64) policy.Ratio {
	const parts = 1_000_000
	r, err := policy.NewRatio(int64(math.Round(utility*parts)), parts)
	if err != nil {
		return policy.Ratio{} // unreachable: parts is not 0
	}
	return r
}

// amounts are what a tenant has on levels, one for each place.
func (s *Site) amounts(at, levels []int) policy.Resources {
	r := policy.Resources{}
	for i, j := range at {
		if j < 0 {
			continue
		}
		l := s.Places[i].Tenants[j].Ladder
		for k, reg := range l.Registers {
			r[s.resource(i, reg.Array)] += l.Rungs[levels[i]].Sizes[k]
		}
	}
	return r
}

// demands are what the tenants ask for when each climbs as climb says.
func (s *Site) demands(climb func(tenant string) [][]int) []policy.MemoryDemand {
	names, at := s.at()
	demands := make([]policy.MemoryDemand, len(names))
	for n, name := range names {
		d := &demands[n]
		for i, j := range at[name] {
			if j >= 0 {
				d.Tenant = s.tenant(s.Places[i].Tenants[j])
			}
		}
		for _, levels := range climb(name) {
			d.Rungs = append(d.Rungs, s.amounts(at[name], levels))
		}
	}
	return demands
}

// climb goes up on all places at once, up to most rungs on each.
func (s *Site) climb(at []int, most func(place, index int) int) [][]int {
	var out [][]int
	for k := 0; ; k++ {
		levels, more := make([]int, len(s.Places)), k == 0
		for i, j := range at {
			if j >= 0 {
				top := most(i, j)
				more = more || top >= k
				levels[i] = min(k, top)
			}
		}
		if !more {
			return out
		}
		out = append(out, levels)
	}
}

// Demands are the tenants' ladders as the policy knows them, when they climb on all switches at once.
func (s *Site) Demands() []policy.MemoryDemand {
	_, at := s.at()
	return s.demands(func(name string) [][]int {
		return s.climb(at[name], func(i, j int) int { return len(s.Places[i].Tenants[j].Ladder.Rungs) - 1 })
	})
}

// Shares are what a policy lets the tenants have.
type Shares struct {
	Bounds [][]alloc.Bound // by place, in the order of its tenants
	// Admission records what the policy was asked and what it said: plans carry its subject's digest.
	Admission *admission.Admission
}

// Ask asks for the bounds on each switch and, where there are several, for the most that each tenant may have over all of them. Its bounds on a
// switch are those that it has when it climbs there and keeps its least everywhere else; its total is what it has when it climbs on
// all switches at once, within those bounds, but no more than the policy admits wherever the tenant has it. Policies are taken to be monotone:
// who may have this much of everything may have less. That this is so of what they said here, is what is proved of the admission. The error is a
// *policy.Refusal when the policy cannot give every tenant its least memory.
func (s *Site) Ask(ctx context.Context, p *policy.Policy) (*Shares, error) {
	out := &Shares{}
	capacity := s.Capacity()
	names, at := s.at()
	var tenants []policy.Tenant
	floors, ceilings := make([]policy.Resources, len(names)), make([]policy.Resources, len(names))
	for n := range names {
		floors[n], ceilings[n] = policy.Resources{}, policy.Resources{}
	}
	for i, x := range s.Places {
		demands := s.demands(func(name string) [][]int {
			rungs := [][]int{make([]int, len(s.Places))}
			if j := at[name][i]; j >= 0 {
				for k := 1; k < len(x.Tenants[j].Ladder.Rungs); k++ {
					levels := make([]int, len(s.Places))
					levels[i] = k
					rungs = append(rungs, levels)
				}
			}
			return rungs
		})
		bounds, err := p.MemoryBounds(ctx, demands, capacity)
		if err != nil {
			if s.Several {
				err = fmt.Errorf("switch %s: %w", x.Switch, err)
			}
			return nil, err
		}
		here := make([]alloc.Bound, len(x.Tenants))
		for n, b := range bounds {
			j := at[names[n]][i]
			if j < 0 {
				continue
			}
			here[j] = alloc.Bound{Floor: b.Floor, Share: b.Share, Ceiling: b.Ceiling, Why: b.Why}
			for k, reg := range x.Tenants[j].Ladder.Registers {
				rungs := x.Tenants[j].Ladder.Rungs
				floors[n][s.resource(i, reg.Array)] += rungs[b.Floor].Sizes[k]
				ceilings[n][s.resource(i, reg.Array)] += rungs[b.Ceiling].Sizes[k]
			}
		}
		out.Bounds = append(out.Bounds, here)
	}
	for _, d := range s.Demands() {
		t := d.Tenant
		t.Min, t.Max = d.Rungs[0], d.Rungs[len(d.Rungs)-1]
		tenants = append(tenants, t)
	}
	out.Admission = admission.NewAdmission(p, tenants, capacity, floors, ceilings)
	if s.Several {
		return out, s.totals(ctx, p, out)
	}
	return out, nil
}

// totals sets what each tenant may have over all switches.
func (s *Site) totals(ctx context.Context, p *policy.Policy, out *Shares) error {
	a := out.Admission
	for _, x := range s.Places {
		a.Switches = append(a.Switches, x.Switch)
	}
	names, at := s.at()
	climbs := map[string][][]int{}
	demands := s.demands(func(name string) [][]int {
		climbs[name] = s.climb(at[name], func(i, j int) int { return out.Bounds[i][j].Ceiling })
		return climbs[name]
	})
	bounds, err := p.MemoryBounds(ctx, demands, a.Capacity)
	if err != nil {
		return err
	}
	a.Totals = make([]int64, len(names))
	for n, b := range bounds {
		for k := b.Ceiling; ; k-- {
			a.Totals[n] = 0
			for x := range maps.Values(demands[n].Rungs[k]) {
				a.Totals[n] += x
			}
			if k == b.Floor || a.Climbs(ctx, p, n) == nil {
				break
			}
		}
	}
	return ctx.Err()
}
