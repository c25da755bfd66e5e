package policy

import (
	"context"
	"fmt"
)

// MemoryDemand asks for register memory at run time: a ladder of footprints, from the least that the tenant must have to the most
// that it can use. Each rung holds at least as much of every resource as the one before.
type MemoryDemand struct {
	Name   string
	Weight int64
	Budget int64
	Rungs  []Resources // at least one
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
func (p *Policy) MemoryBounds(ctx context.Context, demands []MemoryDemand, capacity map[string]int64) ([]MemoryBounds, error) {
	tenants := make([]Tenant, len(demands))
	for i, d := range demands {
		if len(d.Rungs) == 0 {
			return nil, fmt.Errorf("%w: tenant %s: no rungs", ErrInput, d.Name)
		}
		tenants[i] = Tenant{Name: d.Name, Weight: d.Weight, Budget: d.Budget, Inelastic: true, Demand: d.Rungs[:1]}
	}
	f, err := p.start(tenants, capacity)
	if err != nil {
		return nil, err
	}
	if err := f.run(ctx, f.tenants); err != nil {
		return nil, err
	}
	for _, t := range f.tenants {
		if !zero(t.rest) {
			return nil, f.refuse(p.grant, t, "cannot have its least memory: "+t.reason)
		}
	}
	if err := f.validate(); err != nil {
		return nil, err
	}
	ladders := make([][][]int64, len(demands))
	for i, d := range demands {
		for j, r := range d.Rungs {
			v, err := f.space.vector(r)
			if err != nil {
				return nil, fmt.Errorf("%w: tenant %s: rung %d: %w", ErrInput, d.Name, j, err)
			}
			if j > 0 && !covers(v, ladders[i][j-1]) {
				return nil, fmt.Errorf("%w: tenant %s: rung %d holds less than the one before", ErrInput, d.Name, j)
			}
			ladders[i] = append(ladders[i], v)
		}
	}
	floors := f.save()
	out := make([]MemoryBounds, len(demands))
	for i, t := range f.tenants {
		out[i] = MemoryBounds{Tenant: demands[i].Name}
		t.climb(ladders[i])
	}
	if err := f.run(ctx, f.tenants); err != nil {
		return nil, err
	}
	if err := f.validate(); err != nil {
		return nil, err
	}
	for i, t := range f.tenants {
		out[i].Share = rung(ladders[i], t.usage)
	}
	for i, t := range f.tenants {
		f.restore(floors)
		t.climb(ladders[i])
		if err := f.run(ctx, []*tenantState{t}); err != nil {
			return nil, err
		}
		out[i].Ceiling = max(rung(ladders[i], t.usage), out[i].Share)
		if !zero(t.rest) {
			out[i].Why = t.reason
		}
	}
	return out, nil
}

// climb makes t ask for the rest of its ladder, rung by rung.
func (t *tenantState) climb(ladder [][]int64) {
	t.Inelastic, t.quanta, t.want = false, nil, ladder[len(ladder)-1]
	for j := 1; j < len(ladder); j++ {
		if step := minus(ladder[j], ladder[j-1]); !zero(step) {
			t.quanta = append(t.quanta, step)
		}
	}
	t.rest = minus(t.want, t.usage)
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

type saved struct {
	free    []int64
	tenants []tenantState
}

func (f *filling) save() saved {
	s := saved{free: f.free}
	for _, t := range f.tenants {
		s.tenants = append(s.tenants, *t)
	}
	return s
}

// restore brings back what save saw: move and climb replace slices and never write into them.
func (f *filling) restore(s saved) {
	f.free = s.free
	for i, t := range f.tenants {
		*t = s.tenants[i]
	}
}

func covers(v, w []int64) bool {
	for i := range w {
		if v[i] < w[i] {
			return false
		}
	}
	return true
}

func minus(v, w []int64) []int64 {
	out := make([]int64, len(v))
	for i := range v {
		out[i] = v[i] - w[i]
	}
	return out
}
