package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/sharing"
	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/resources"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/policy"
	proof "github.com/interlock/interlock/verify/policy"
)

// forSite is p with the site's parameters, if it is the site's policy, and says whether it is.
func forSite(p *policy.Policy, s *site.Site) (*policy.Policy, bool, error) {
	own, err := loadPolicy(s)
	if err != nil {
		return nil, false, err
	}
	if bytes.Equal(own.Text(), p.Text()) {
		return own, true, nil
	}
	return p, false, nil
}

// siteBounds are what the site asks the policy about: its tenants, as far as statements can be unrolled for them, with the pipeline of each
// switch, and with the slots of all stage arrays, as the site is linked. own says that p is its policy.
func siteBounds(ctx context.Context, s *site.Site, p *policy.Policy, own bool) ([]proof.Bounds, error) {
	memory := policy.Resources{}
	var out []proof.Bounds
	for _, sw := range s.Switches {
		on := s.On(sw.Name)
		l, err := linker.Link(ctx, on, linker.Options{Entitler: linker.Unlimited{}})
		if err != nil {
			return nil, linkError(err)
		}
		target, err := resources.Load(on.Switch.Target)
		if err != nil {
			return nil, exitWith(exitInput, err)
		}
		var names []string
		for _, t := range on.Tenants {
			names = append(names, t.Name)
		}
		capacity, _ := resources.Lay(l.Info, target, names).Shared(target, p.ByStage())
		out = append(out, tenantBounds(on, "the pipeline of "+sw.Name, capacity))
		for a, n := range alloc.CapacityOf(l.Manifest) {
			if r := sharing.Resource(a); len(s.Switches) == 1 {
				memory[r] = n
			} else {
				memory[sharing.ResourceOn(sw.Name, a)] = n
			}
		}
	}
	if len(memory) > 0 {
		out = append(out, tenantBounds(s, "register memory", memory))
	}
	for i := range out {
		out[i].Params = own
	}
	return out, nil
}

func tenantBounds(s *site.Site, about string, capacity map[string]int64) proof.Bounds {
	b := proof.Bounds{About: about, Capacity: capacity, Resources: slices.Sorted(maps.Keys(capacity))}
	if len(s.Tenants) > proof.MaxTenants {
		return b
	}
	b.Weight, b.Budget = map[string]int64{}, map[string]int64{}
	for _, t := range s.Tenants {
		b.Tenants = append(b.Tenants, t.Name)
		b.Weight[t.Name], b.Budget[t.Name] = t.Weight, t.Budget
	}
	slices.Sort(b.Tenants)
	return b
}

// proofFor says for which tenants and resources a statement was decided.
func proofFor(o proof.Outcome) string {
	what := strings.Join(o.Resources, ", ")
	if o.About != "" {
		what = fmt.Sprintf("%s (%d)", o.About, len(o.Resources))
	}
	return strings.Join(o.Tenants, ", ") + "; " + what
}
