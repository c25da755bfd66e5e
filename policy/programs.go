package policy

import (
	"context"
	"fmt"
	"slices"
)

// Program is what a tenant's program uses of a target. (It has the fields of the linker's Demand.)
type Program struct {
	Tenant string
	Weight int64
	Budget int64
	Usage  map[string]int64
}

// Entitled is what a tenant may use. (It has the fields of the linker's Grant.)
type Entitled struct {
	Limits map[string]int64
	Why    string
}

// EntitlePrograms decides about compile-time resources: a tenant is entitled to all that its program uses, or to nothing of it. The
// resources named in shared are not divided among tenants, because what one uses another can use too (the stages of a pipeline,
// in which programs run side by side): each tenant may have all of them.
func (p *Policy) EntitlePrograms(ctx context.Context, programs []Program, capacity map[string]int64, shared ...string) (map[string]Entitled, *Allocation, error) {
	divided := Resources{}
	for r, n := range capacity {
		if !slices.Contains(shared, r) {
			divided[r] = n
		}
	}
	var tenants []Tenant
	for _, x := range programs {
		want := Resources{}
		for r, n := range x.Usage {
			if _, ok := capacity[r]; !ok && n != 0 {
				return nil, nil, fmt.Errorf("%w: tenant %s uses %s, which the target does not have", ErrInput, x.Tenant, r)
			}
			if !slices.Contains(shared, r) {
				want[r] = n
			}
		}
		tenants = append(tenants, Tenant{
			Name: x.Tenant, Weight: max(x.Weight, 1), Budget: x.Budget, Inelastic: true, Demand: []Resources{want},
		})
	}
	a, err := p.Entitle(ctx, tenants, divided)
	if err != nil {
		return nil, nil, err
	}
	out := map[string]Entitled{}
	for _, e := range a.Entitlements {
		g := Entitled{Limits: map[string]int64{}, Why: e.Reason}
		for r := range divided {
			g.Limits[r] = e.Usage[r]
		}
		for _, r := range shared {
			g.Limits[r] = capacity[r]
		}
		out[e.Tenant] = g
	}
	return out, a, nil
}
