package linker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/linker/resources"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/policy"
)

// Demand is what a tenant asks for: its part of the linked program.
type Demand struct {
	Tenant  string
	VID     uint16
	Weight  int64
	Budget  int64
	Balance policy.Ratio
	Target  *big.Rat // utility; nil: none
}

// Grant is what a policy entitles a tenant to.
type Grant struct {
	Limits map[string]int64 // resource: at most
	Why    string           // what stopped the policy from granting more, if it says so
}

// Entitler decides what each tenant may use of a target. There must be a grant for each demand.
type Entitler interface {
	// ByStage says whether it is asked about every stage by itself, beside the totals.
	ByStage() bool
	// Entitle is asked about the tenants' parts of the capacity, by tenant and resource.
	Entitle(ctx context.Context, demands []Demand, parts map[string]resources.Usage, capacity resources.Usage) (map[string]Grant, error)
}

// Unlimited entitles every tenant to the whole target, for linking without a policy.
type Unlimited struct{}

// ByStage implements Entitler.
func (Unlimited) ByStage() bool { return false }

// Entitle implements Entitler.
func (Unlimited) Entitle(_ context.Context, demands []Demand, _ map[string]resources.Usage, capacity resources.Usage) (map[string]Grant, error) {
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
	Alone      map[string]resources.Usage `json:"alone"`    // of each tenant's program by itself
	Tenants    map[string]resources.Usage `json:"tenants"`  // of each tenant's part of the linked program
	Entitled   map[string]resources.Usage `json:"entitled"` // to at most
	Linked     resources.Usage            `json:"linked"`   // of the printed program as a whole
	// Stages has what stands in each stage of the target, from 0: all of it, and each tenant's part.
	Stages []StageUse `json:"stages"`
}

// StageUse is what stands in one stage.
type StageUse struct {
	Linked  resources.Usage            `json:"linked"`
	Tenants map[string]resources.Usage `json:"tenants,omitempty"`
}

// entitle measures the printed program and asks the policy. A tenant whose part is more than it is entitled to is refused.
func entitle(ctx context.Context, s *site.Site, tenants []*tenant, printed *types.Info, target *resources.Target, e Entitler) (*Resources, error) {
	out := &Resources{
		APIVersion: site.APIVersion, Kind: "Resources", Target: target.Name, Capacity: target.Capacity,
		Alone: map[string]resources.Usage{}, Tenants: map[string]resources.Usage{}, Entitled: map[string]resources.Usage{},
		Linked: resources.Measure(printed),
	}
	var demands []Demand
	var names []string
	for _, t := range tenants {
		out.Alone[t.site.Name] = resources.Measure(t.info)
		names = append(names, t.site.Name)
		demands = append(demands, Demand{
			Tenant: t.site.Name, VID: t.site.VID, Weight: t.site.Weight, Budget: t.site.Budget, Balance: t.site.Balance, Target: t.site.Target,
		})
	}
	layout := resources.Lay(printed, target, names)
	for i, u := range layout.Stages {
		if len(u) == 0 {
			continue
		}
		out.Stages = append(out.Stages, make([]StageUse, i+1-len(out.Stages))...)
		out.Stages[i] = StageUse{u, map[string]resources.Usage{}}
		for _, t := range names {
			if part := layout.Tenants[t].Stages[i]; len(part) > 0 {
				out.Stages[i].Tenants[t] = part
			}
		}
	}
	for _, t := range names {
		out.Tenants[t] = layout.Tenants[t].Total
	}
	if over := layout.Over(target); e.ByStage() && len(over) > 0 {
		return nil, refuse(s.Errorf("switches[0].target", "the linked program does not fit the stages of target %s: %s", target.Name, strings.Join(over, ", ")))
	}
	capacity, parts := layout.Shared(target, e.ByStage())
	grants, err := e.Entitle(ctx, demands, parts, capacity)
	if err != nil {
		return nil, refuse(fmt.Errorf("policy %s: %w", s.Policy, err))
	}
	var errs []error
	for _, t := range tenants {
		g, ok := grants[t.site.Name]
		if !ok {
			return nil, fmt.Errorf("policy %s says nothing about tenant %s", s.Policy, t.site.Name)
		}
		out.Entitled[t.site.Name] = g.Limits
		if over := parts[t.site.Name].Exceeds(g.Limits); len(over) > 0 {
			why := excess(over, parts[t.site.Name], g.Limits)
			if g.Why != "" {
				why = fmt.Sprintf("%s (of %d amounts that it is not entitled to; policy eval -s shows all)", g.Why, len(over))
			}
			errs = append(errs, s.Errorf(t.path, "tenant %s is not entitled to what its program uses: %s", t.site.Name, why))
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
