package alloc

import (
	"fmt"
	"strconv"

	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify/plan"
)

// Tenant is what the allocator knows about a tenant of a linked program.
type Tenant struct {
	Name   string
	VID    uint16
	Weight int64
	Budget int64 // credits an epoch
	// Balance is what the tenant has, in credits.
	Balance policy.Ratio
	Target  float64 // utility, in [0,1]
	Ladder  Ladder
}

// Bound is between which rungs of a tenant's ladder the sharing policy lets the allocator choose.
type Bound struct {
	Floor, Share, Ceiling int
	Why                   string // what stops the tenant at Ceiling, in the policy's words
}

// Account is what a tenant may spend: what it will pay for an epoch and what it has, in credits.
type Account struct {
	Budget  int64
	Balance policy.Ratio
}

// TenantsOf lists the tenants of a linked program. Accounts are the site's.
func TenantsOf(m *manifest.Manifest, accounts map[string]Account) ([]Tenant, error) {
	var out []Tenant
	for i := range m.Tenants {
		t := &m.Tenants[i]
		l, err := LadderOf(t)
		if err != nil {
			return nil, err
		}
		a := accounts[t.Name]
		x := Tenant{Name: t.Name, VID: t.VID, Weight: max(t.Weight, 1), Budget: a.Budget, Balance: a.Balance, Ladder: l}
		if t.Target != "" {
			if x.Target, err = strconv.ParseFloat(t.Target, 64); err != nil || x.Target < 0 || x.Target > 1 {
				return nil, fmt.Errorf("tenant %s: utility target %q is not a number in [0,1]", t.Name, t.Target)
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// CapacityOf is the stage arrays of a linked program.
func CapacityOf(m *manifest.Manifest) Capacity {
	c := Capacity{}
	for _, a := range m.StageArrays {
		c[Array{a.Control, a.Stage}] = a.Slots
	}
	return c
}

// Limits are the policy's bounds as plans carry them, one for each register.
func Limits(tenants []Tenant, bounds []Bound) []plan.Limit {
	var out []plan.Limit
	for i, t := range tenants {
		for j, r := range t.Ladder.Registers {
			out = append(out, plan.Limit{
				VID: t.VID, Control: r.Control, Stage: r.Stage,
				Floor:   t.Ladder.Rungs[bounds[i].Floor].Sizes[j],
				Ceiling: t.Ladder.Rungs[bounds[i].Ceiling].Sizes[j],
			})
		}
	}
	return out
}
