package policy

import (
	"context"
	"errors"
	"fmt"
)

// MemoryDemand asks for register memory at run time: a ladder of footprints, from the least that the tenant must have to the most
// that it can use. Each rung holds at least as much of every resource as the one before. The tenant's Demand, Min and Max follow from
// the rungs.
type MemoryDemand struct {
	Tenant
	Rungs []Resources `json:"rungs"` // at least one
}

// MemoryBounds says, as indices into a tenant's rungs, between which footprints the allocator may choose.
type MemoryBounds struct {
	Tenant string `json:"tenant"`
	// Floor is always granted: the least rung, which the policy admits for all tenants at once.
	Floor int `json:"floor"`
	// Share is what the policy would grant if every tenant asked for all it can use: a fair share under contention.
	Share int `json:"share"`
	// Ceiling is what the policy would grant if every other tenant kept its floor.
	Ceiling int `json:"ceiling"`
	// Why names what stopped the filling at Ceiling; empty when the ladder ends there.
	Why string `json:"why,omitempty"`
}

// MemoryBounds runs the filling three times over: all tenants at their least rung (a tenant that the policy cannot give that much
// is a *Refusal), then all asking for all their rungs, then each alone asking for all of its.
func (p *Policy) MemoryBounds(ctx context.Context, demands []MemoryDemand, capacity Resources) ([]MemoryBounds, error) {
	bounds, _, err := p.memory(ctx, demands, capacity, true)
	return bounds, err
}

// ExplainMemory is MemoryBounds with the trace of the first two runs: how the shares come about. When the policy refuses what comes of the
// first, the allocation is what came of it.
func (p *Policy) ExplainMemory(ctx context.Context, demands []MemoryDemand, capacity Resources) ([]MemoryBounds, *Allocation, error) {
	return p.memory(ctx, demands, capacity, false)
}

func (p *Policy) memory(ctx context.Context, demands []MemoryDemand, capacity Resources, silent bool) ([]MemoryBounds, *Allocation, error) {
	tenants := make([]Tenant, len(demands))
	for i, d := range demands {
		t, err := d.tenant()
		if err != nil {
			return nil, nil, fmt.Errorf("%w: tenant %s: %w", ErrInput, d.Name, err)
		}
		tenants[i] = t
	}
	f, err := p.start(tenants, capacity)
	if err != nil {
		return nil, nil, err
	}
	f.silent = silent
	f.most *= 3 // runs
	steps := make([][][]int64, len(demands))
	for i, t := range f.tenants {
		steps[i] = t.quanta
		t.ask(nil)
		if !zero(t.min) {
			t.ask(steps[i][:1])
			steps[i] = steps[i][1:]
		}
	}
	if err := f.run(ctx, f.tenants); err != nil {
		return nil, nil, err
	}
	for _, t := range f.tenants {
		if !zero(t.rest) {
			return nil, f.reached(), f.refuse(p.grant, t, ReasonUnmet, "cannot have its least memory: "+t.message)
		}
	}
	if err := f.validate(); err != nil {
		if errors.Is(err, ErrRefused) {
			err = fmt.Errorf("when every tenant has only its min: %w; raise the min of its registers in the site, or ask for less", err)
		}
		return nil, f.reached(), err
	}
	ladders := make([][][]int64, len(demands))
	for i, d := range demands {
		for _, r := range d.Rungs {
			v, err := f.space.vector(r)
			if err != nil {
				return nil, nil, fmt.Errorf("%w: tenant %s: %w", ErrInput, d.Name, err)
			}
			ladders[i] = append(ladders[i], v)
		}
	}
	floors, free := make([]tenantState, len(f.tenants)), f.free
	out := make([]MemoryBounds, len(demands))
	for i, t := range f.tenants {
		floors[i] = *t
		out[i] = MemoryBounds{Tenant: t.Name}
		t.ask(steps[i])
	}
	if err := f.run(ctx, f.tenants); err != nil {
		return nil, nil, err
	}
	if err := f.validate(); err != nil {
		return nil, nil, err
	}
	shares, err := f.allocation()
	if err != nil {
		return nil, nil, err
	}
	f.silent = true
	for i, t := range f.tenants {
		out[i].Share = rung(ladders[i], t.usage)
		*t = floors[i]
	}
	for i, t := range f.tenants {
		f.free = free
		f.moves++
		t.ask(steps[i])
		if err := f.run(ctx, []*tenantState{t}); err != nil {
			return nil, nil, err
		}
		out[i].Ceiling = max(rung(ladders[i], t.usage), out[i].Share)
		if !zero(t.rest) {
			out[i].Why = t.message
		}
		*t = floors[i]
	}
	return out, shares, nil
}

// reached is what is allocated so far, or nil where that cannot be said.
func (f *filling) reached() *Allocation {
	a, err := f.allocation()
	if err != nil {
		return nil
	}
	return a
}

// tenant asks for the ladder step by step.
func (d MemoryDemand) tenant() (Tenant, error) {
	if len(d.Rungs) == 0 {
		return Tenant{}, fmt.Errorf("no rungs")
	}
	t := d.Tenant
	t.Min, t.Max, t.Demand = d.Rungs[0], d.Rungs[len(d.Rungs)-1], nil
	var before Resources
	for j, r := range d.Rungs {
		step := Resources{}
		for n, x := range r {
			step[n] = x - before[n]
		}
		for n, x := range before {
			if r[n] < x {
				return Tenant{}, fmt.Errorf("rung %d holds less than the one before", j)
			}
		}
		t.Demand = append(t.Demand, step)
		before = r
	}
	return t, nil
}

// ask makes t ask for quanta, beside what it holds.
func (t *tenantState) ask(quanta [][]int64) {
	t.quanta, t.rest = quanta, sumOf(quanta, len(t.usage))
}

// rung is the highest that usage covers.
func rung(ladder [][]int64, usage []int64) int {
	at := 0
	for j, v := range ladder {
		if covers(usage, v) {
			at = j
		}
	}
	return at
}
