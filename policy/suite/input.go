package suite

import (
	_ "embed"
	"maps"
	"math"
	"slices"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
)

// InputKind is the kind of a document with tenants and a capacity alone.
const InputKind = "SharingInput"

// InputSchema is its JSON Schema.
//
//go:embed input.schema.json
var InputSchema []byte

// Input is what a policy is asked.
type Input struct {
	Capacity policy.Resources `json:"capacity"`
	Tenants  []policy.Tenant  `json:"tenants"`
}

// ParseInput reads a SharingInput document.
func ParseInput(file string, src []byte) (Input, error) {
	doc, root := strictyaml.Parse(file, src)
	f := root.Fields([]string{"apiVersion", "kind", "capacity", "tenants"})
	f["apiVersion"].OneOf(policy.APIVersion)
	f["kind"].OneOf(InputKind)
	r := &reader{file: file}
	in := Input{r.resources(f["capacity"]), r.tenants(f["tenants"])}
	return in, doc.Err()
}

// carry is the input with what the tenants hold and have after an epoch, whose input was last.
func (in Input) carry(before *policy.Allocation, last Input) Input {
	if before == nil {
		return in
	}
	in.Tenants = slices.Clone(in.Tenants)
	for i := range in.Tenants {
		t := &in.Tenants[i]
		if j := slices.IndexFunc(last.Tenants, func(o policy.Tenant) bool { return o.Name == t.Name }); j >= 0 {
			o := last.Tenants[j]
			t.Past = &policy.Past{Active: o.Active, Utility: o.Utility, Balance: o.Balance}
		}
		e := before.Entitlement(t.Name)
		if e == nil {
			continue
		}
		t.Held = e.Usage
		if e.Balance != nil {
			t.Balance = *e.Balance
		}
	}
	return in
}

// reader reads parts of documents.
type reader struct{ file string }

func (r *reader) at(n strictyaml.Node) policy.Position {
	return policy.Position{File: r.file, Line: n.Line(), Col: n.Col()}
}

func (r *reader) resources(n strictyaml.Node) policy.Resources {
	out := policy.Resources{}
	for _, e := range n.Entries() {
		out[e.Key] = e.Value.Int(0, math.MaxInt64)
	}
	return out
}

func (r *reader) ratio(n strictyaml.Node) policy.Ratio {
	if !n.Present() {
		return policy.Ratio{}
	}
	x, err := policy.ParseRatio(n.Text())
	if err != nil {
		n.Errorf("%v", err)
	}
	return x
}

func (r *reader) tenants(n strictyaml.Node) []policy.Tenant {
	var out []policy.Tenant
	seen := map[string]bool{}
	for _, item := range n.List() {
		t := policy.Tenant{Weight: 1, Active: true}
		f := item.Fields([]string{"name"}, changeable()...)
		t.Name = f["name"].String()
		if seen[t.Name] {
			f["name"].Errorf("tenant %q is already listed", t.Name)
		}
		seen[t.Name] = true
		r.fill(&t, f, item)
		out = append(out, t)
	}
	return out
}

// changeable are the fields of a tenant beside its name.
func changeable() []string {
	return []string{"vid", "weight", "budget", "balance", "active", "utility", "target", "demand", "quanta", "inelastic", "min", "max", "held", "past"}
}

// maxQuanta bounds how often a demand is repeated.
const maxQuanta = 100_000

// fill reads the fields that are there into t.
func (r *reader) fill(t *policy.Tenant, f map[string]strictyaml.Node, item strictyaml.Node) {
	if n := f["vid"]; n.Present() {
		t.VID = uint16(n.Int(1, 4094)) //nolint:gosec // in range
	}
	if n := f["weight"]; n.Present() {
		t.Weight = n.Int(1, math.MaxInt32)
	}
	if n := f["budget"]; n.Present() {
		t.Budget = n.Int(0, math.MaxInt64)
	}
	for name, to := range map[string]*policy.Ratio{"balance": &t.Balance, "utility": &t.Utility, "target": &t.Target} {
		if n := f[name]; n.Present() {
			*to = r.ratio(n)
		}
	}
	if n := f["active"]; n.Present() {
		t.Active = n.Bool()
	}
	for name, to := range map[string]*policy.Resources{"min": &t.Min, "max": &t.Max, "held": &t.Held} {
		if n := f[name]; n.Present() {
			*to = r.resources(n)
		}
	}
	if n := f["past"]; n.Present() {
		g := n.Fields(nil, "active", "utility", "balance")
		t.Past = &policy.Past{Active: t.Active, Utility: t.Utility, Balance: t.Balance}
		if a := g["active"]; a.Present() {
			t.Past.Active = a.Bool()
		}
		for name, to := range map[string]*policy.Ratio{"utility": &t.Past.Utility, "balance": &t.Past.Balance} {
			if x := g[name]; x.Present() {
				*to = r.ratio(x)
			}
		}
	}
	r.demand(t, f, item)
}

// demand is one quantum, repeated or not, or a list of quanta.
func (r *reader) demand(t *policy.Tenant, f map[string]strictyaml.Node, item strictyaml.Node) {
	n := f["demand"]
	if !n.Present() {
		for _, name := range []string{"quanta", "inelastic"} {
			f[name].Errorf("there is no demand that this could be about")
		}
		return
	}
	t.Demand = nil
	if n.IsList() {
		f["quanta"].Errorf("a list of demands has its quanta already")
		for _, q := range n.List() {
			t.Demand = append(t.Demand, r.resources(q))
		}
	} else {
		times := int64(1)
		if q := f["quanta"]; q.Present() {
			times = q.Int(0, maxQuanta)
		}
		quantum := r.resources(n)
		for range times {
			t.Demand = append(t.Demand, quantum)
		}
	}
	if i := f["inelastic"]; i.Present() && i.Bool() {
		if f["min"].Present() || f["max"].Present() {
			item.Errorf("what is inelastic has neither min nor max")
		}
		all := policy.Resources{}
		for _, q := range t.Demand {
			for name, x := range q {
				all[name] += x
			}
		}
		*t = t.Inelastic(all)
	}
}

// sorted are the names in any of the maps.
func sorted(ms ...policy.Resources) []string {
	all := policy.Resources{}
	for _, m := range ms {
		maps.Copy(all, m)
	}
	return slices.Sorted(maps.Keys(all))
}
