// Package sharing asks the sharing policy between which sizes the allocator may choose. It keeps the policy's language out of
// package alloc, and alloc's ladders out of package policy.
package sharing

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/network"
	admission "github.com/interlock/interlock/verify/policy"
)

// Resource is the name that policies know a stage array's slots by: "slots/ingress/0".
func Resource(a alloc.Array) string { return "slots/" + a.String() }

// Capacity is the stage arrays as resources.
func Capacity(c alloc.Capacity) policy.Resources {
	r := policy.Resources{}
	for a, n := range c {
		r[Resource(a)] = n
	}
	return r
}

// A Place is a switch with its tenants. Policies know its slots by names such as "slots/left/ingress/0".
type Place struct {
	Switch   string
	Tenants  []alloc.Tenant
	Capacity alloc.Capacity
}

// Shares are what a policy lets the tenants of several switches have.
type Shares struct {
	Bounds [][]alloc.Bound // by place, in the order of its tenants
	// Ceilings are the most slots that each tenant may have over all places, in the order of VIDs.
	Ceilings []network.Ceiling
	Digest   verify.Digest // of the policy and all that it was asked
}

// Network asks for the bounds on each switch, and for the ceilings over all of them. A tenant is one tenant to the policy, with one weight and
// one budget, and the slots of every switch are resources of their own. Its bounds on a switch are those that it has when it climbs there and
// keeps its least everywhere else; its ceiling is what it has when it climbs on all switches at once, within those bounds. Policies are taken
// to be monotone, as on one switch: who may have this much of everything may have less.
func Network(ctx context.Context, p *policy.Policy, places []Place) (*Shares, error) {
	out := &Shares{}
	capacity := policy.Resources{}
	for _, x := range places {
		for a, n := range x.Capacity {
			capacity[ResourceOn(x.Switch, a)] = n
		}
	}
	var names []string
	at := map[string][]int{} // by tenant: its index in each place, -1 where it is not
	for i, x := range places {
		for j, t := range x.Tenants {
			if at[t.Name] == nil {
				at[t.Name] = slices.Repeat([]int{-1}, len(places))
				names = append(names, t.Name)
			}
			at[t.Name][i] = j
		}
	}
	slices.Sort(names)
	asked := []any{verify.Digest(p.Digest()), capacity}
	ask := func(rungs func(tenant string) [][]int) ([]policy.MemoryBounds, error) {
		var demands []policy.MemoryDemand
		for _, name := range names {
			var d policy.MemoryDemand
			for i, j := range at[name] {
				if j >= 0 {
					t := places[i].Tenants[j]
					d.Tenant = tenant(t)
				}
			}
			for _, levels := range rungs(name) {
				r := policy.Resources{}
				for i, j := range at[name] {
					if j < 0 {
						continue
					}
					l := places[i].Tenants[j].Ladder
					for k, reg := range l.Registers {
						r[ResourceOn(places[i].Switch, reg.Array)] += l.Rungs[levels[i]].Sizes[k]
					}
				}
				d.Rungs = append(d.Rungs, r)
			}
			demands = append(demands, d)
		}
		asked = append(asked, demands)
		return p.MemoryBounds(ctx, demands, capacity)
	}
	for i, x := range places {
		bounds, err := ask(func(name string) [][]int {
			rungs := [][]int{make([]int, len(places))}
			if j := at[name][i]; j >= 0 {
				for k := 1; k < len(x.Tenants[j].Ladder.Rungs); k++ {
					levels := make([]int, len(places))
					levels[i] = k
					rungs = append(rungs, levels)
				}
			}
			return rungs
		})
		if err != nil {
			return nil, fmt.Errorf("switch %s: %w", x.Switch, err)
		}
		here := make([]alloc.Bound, len(x.Tenants))
		for n, b := range bounds {
			if j := at[names[n]][i]; j >= 0 {
				here[j] = alloc.Bound{Floor: b.Floor, Share: b.Share, Ceiling: b.Ceiling, Why: b.Why}
			}
		}
		out.Bounds = append(out.Bounds, here)
	}
	climb := map[string][][]int{}
	for _, name := range names {
		for k := 0; ; k++ {
			levels, more := make([]int, len(places)), k == 0
			for i, j := range at[name] {
				if j >= 0 {
					more = more || out.Bounds[i][j].Ceiling >= k
					levels[i] = min(k, out.Bounds[i][j].Ceiling)
				}
			}
			if !more {
				break
			}
			climb[name] = append(climb[name], levels)
		}
	}
	bounds, err := ask(func(name string) [][]int { return climb[name] })
	if err != nil {
		return nil, err
	}
	for n, b := range bounds {
		c := network.Ceiling{}
		for i, j := range at[names[n]] {
			if j >= 0 {
				t := places[i].Tenants[j]
				c.VID = t.VID
				for _, size := range t.Ladder.Rungs[climb[names[n]][b.Ceiling][i]].Sizes {
					c.Slots += size
				}
			}
		}
		out.Ceilings = append(out.Ceilings, c)
	}
	slices.SortFunc(out.Ceilings, func(x, y network.Ceiling) int { return cmp.Compare(x.VID, y.VID) })
	text, err := json.Marshal(asked)
	if err != nil {
		return nil, fmt.Errorf("digest of the policy's input: %w", err)
	}
	out.Digest = verify.DigestOf(text)
	return out, nil
}

// ResourceOn is what policies call a stage array's slots where there are several switches.
func ResourceOn(name string, a alloc.Array) string { return "slots/" + name + "/" + a.String() }

// ratioOf is a utility as policies have it: to a millionth.
func ratioOf(utility float64) policy.Ratio {
	const parts = 1_000_000
	r, err := policy.NewRatio(int64(math.Round(utility*parts)), parts)
	if err != nil {
		return policy.Ratio{} // unreachable: parts is not 0
	}
	return r
}

// tenant is what a policy knows of a tenant before there is anything to measure.
func tenant(t alloc.Tenant) policy.Tenant {
	return policy.Tenant{
		Name: t.Name, VID: t.VID, Weight: t.Weight, Budget: t.Budget, Balance: t.Balance, Target: ratioOf(t.Target), Active: true,
	}
}

// Demands are the tenants' ladders as the policy knows them.
func Demands(tenants []alloc.Tenant) []policy.MemoryDemand {
	demands := make([]policy.MemoryDemand, len(tenants))
	for i, t := range tenants {
		d := policy.MemoryDemand{Tenant: tenant(t)}
		for _, rung := range t.Ladder.Rungs {
			r := policy.Resources{}
			for j, reg := range t.Ladder.Registers {
				r[Resource(reg.Array)] += rung.Sizes[j]
			}
			d.Rungs = append(d.Rungs, r)
		}
		demands[i] = d
	}
	return demands
}

// Bounds returns each tenant's bounds, in order, and the admission that records what the policy was asked and what it said: plans carry its
// subject's digest. The error is a *policy.Refusal when the policy cannot give every tenant its least memory.
func Bounds(ctx context.Context, p *policy.Policy, tenants []alloc.Tenant, capacity alloc.Capacity) ([]alloc.Bound, *admission.Admission, error) {
	demands, resources := Demands(tenants), Capacity(capacity)
	bounds, err := p.MemoryBounds(ctx, demands, resources)
	if err != nil {
		return nil, nil, err
	}
	out := make([]alloc.Bound, len(bounds))
	asked := make([]policy.Tenant, len(bounds))
	floors, ceilings := make([]policy.Resources, len(bounds)), make([]policy.Resources, len(bounds))
	for i, b := range bounds {
		out[i] = alloc.Bound{Floor: b.Floor, Share: b.Share, Ceiling: b.Ceiling, Why: b.Why}
		rungs := demands[i].Rungs
		asked[i] = demands[i].Tenant
		asked[i].Min, asked[i].Max = rungs[0], rungs[len(rungs)-1]
		floors[i], ceilings[i] = rungs[b.Floor], rungs[b.Ceiling]
	}
	return out, admission.NewAdmission(p, asked, resources, floors, ceilings), nil
}
