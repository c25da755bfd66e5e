package linker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/interlock/interlock/linker/resources"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/policy"
)

// Demand is what a tenant's program asks for.
type Demand struct {
	Tenant  string
	VID     uint16
	Weight  int64
	Budget  int64
	Balance policy.Ratio
	Target  *big.Rat         // utility; nil: none
	Usage   map[string]int64 // resource: amount
}

// Grant is what a policy entitles a tenant to.
type Grant struct {
	Limits map[string]int64 // resource: at most
	Why    string           // what stopped the policy from granting more, if it says so
}

// Entitler decides what each tenant may use of a target. There must be a grant for each demand.
type Entitler interface {
	Entitle(ctx context.Context, demands []Demand, capacity map[string]int64) (map[string]Grant, error)
}

// Unlimited entitles every tenant to the whole target, for linking without a policy.
type Unlimited struct{}

// Entitle implements Entitler.
func (Unlimited) Entitle(_ context.Context, demands []Demand, capacity map[string]int64) (map[string]Grant, error) {
	out := map[string]Grant{}
	for _, d := range demands {
		out[d.Tenant] = Grant{Limits: maps.Clone(capacity)}
	}
	return out, nil
}

// Resources is what resources.json says: who uses how much, and of how much.
type Resources struct {
	APIVersion string                     `json:"apiVersion"`
	Kind       string                     `json:"kind"`
	Target     string                     `json:"target"`
	Capacity   resources.Usage            `json:"capacity"`
	Tenants    map[string]resources.Usage `json:"tenants"`
	Entitled   map[string]resources.Usage `json:"entitled"`
	Linked     resources.Usage            `json:"linked"` // of the printed program as a whole
}

// entitle measures the tenants' programs and asks the policy. A tenant that uses more than it is entitled to is refused. Stages are
// not shared out: tenants' code stands side by side in the same stages, so each may have as many as the target.
func entitle(ctx context.Context, s *site.Site, tenants []*tenant, target *resources.Target, e Entitler) (*Resources, error) {
	out := &Resources{
		APIVersion: site.APIVersion, Kind: "Resources", Target: target.Name, Capacity: target.Capacity,
		Tenants: map[string]resources.Usage{}, Entitled: map[string]resources.Usage{},
	}
	var demands []Demand
	for _, t := range tenants {
		u := resources.Measure(t.info)
		out.Tenants[t.site.Name] = u
		asked := maps.Clone(u)
		delete(asked, resources.Stages)
		demands = append(demands, Demand{
			Tenant: t.site.Name, VID: t.site.VID, Weight: t.site.Weight, Budget: t.site.Budget, Balance: t.site.Balance,
			Target: t.site.Target, Usage: asked,
		})
	}
	shared := maps.Clone(target.Capacity)
	delete(shared, resources.Stages)
	grants, err := e.Entitle(ctx, demands, shared)
	if err != nil {
		return nil, refuse(fmt.Errorf("policy %s: %w", s.Policy, err))
	}
	var errs []error
	for _, t := range tenants {
		g, ok := grants[t.site.Name]
		if !ok {
			return nil, fmt.Errorf("policy %s says nothing about tenant %s", s.Policy, t.site.Name)
		}
		u := out.Tenants[t.site.Name]
		limits := maps.Clone(g.Limits)
		limits[resources.Stages] = target.Capacity[resources.Stages]
		out.Entitled[t.site.Name] = limits
		if over := u.Exceeds(limits); len(over) > 0 {
			why := ""
			if g.Why != "" {
				why = ": " + g.Why
			}
			errs = append(errs, s.Errorf(t.path, "tenant %s is not entitled to what its program uses: %s%s", t.site.Name, excess(over, u, limits), why))
		}
	}
	if len(errs) > 0 {
		return nil, refuse(errors.Join(errs...))
	}
	return out, nil
}

func excess(over []string, used, limit resources.Usage) string {
	var parts []string
	for _, r := range over {
		parts = append(parts, fmt.Sprintf("%s %d of %d", r, used[r], limit[r]))
	}
	return strings.Join(parts, ", ")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
