package suite

import (
	"slices"

	"github.com/google/cel-go/common/types"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
)

// readCase reads one case. What it does not say is as in the suite.
func (r *reader) readCase(n strictyaml.Node, p *policy.Policy, common Input) Case {
	f := n.Fields([]string{"name"}, "params", "capacity", "tenants", "expect", "epochs")
	c := Case{Name: f["name"].String(), At: r.at(n), policy: p}
	if f["params"].Present() {
		c.policy = p.With(f["params"])
	}
	in := r.override(common, f)
	switch {
	case f["epochs"].Present() && f["expect"].Present():
		n.Errorf("give expect or epochs, not both: each epoch has its own")
	case f["epochs"].Present():
		for _, e := range f["epochs"].List() {
			g := e.Fields([]string{"expect"}, "tenants", "capacity")
			in = r.overrideSome(in, g) // what changes stays so
			c.Epochs = append(c.Epochs, Epoch{Input: in, Expect: r.expect(g["expect"], c.policy, in)})
		}
		if len(c.Epochs) == 0 {
			f["epochs"].Errorf("there are no epochs")
		}
	case f["expect"].Present():
		c.Epochs = []Epoch{{Input: in, Expect: r.expect(f["expect"], c.policy, in)}}
	default:
		n.Errorf("field %q or %q is missing", "expect", "epochs")
	}
	return c
}

// override replaces what a case gives.
func (r *reader) override(in Input, f map[string]strictyaml.Node) Input {
	if n := f["capacity"]; n.Present() {
		in.Capacity = r.resources(n)
	}
	if n := f["tenants"]; n.Present() {
		in.Tenants = r.tenants(n)
	}
	return in
}

// overrideSome changes tenants by name, field by field.
func (r *reader) overrideSome(in Input, f map[string]strictyaml.Node) Input {
	if n := f["capacity"]; n.Present() {
		in.Capacity = r.resources(n)
	}
	in.Tenants = slices.Clone(in.Tenants)
	for _, e := range f["tenants"].Entries() {
		i := slices.IndexFunc(in.Tenants, func(t policy.Tenant) bool { return t.Name == e.Key })
		if i < 0 {
			e.At.Errorf("there is no tenant %q", e.Key)
			continue
		}
		g := e.Value.Fields(nil, changeable()...)
		if g["balance"].Present() || g["held"].Present() || g["past"].Present() {
			e.Value.Errorf("balance, held and past follow from the epoch before")
		}
		t := in.Tenants[i]
		if g["demand"].Present() {
			t.Min, t.Max = nil, nil
		}
		r.fill(&t, g, e.Value)
		in.Tenants[i] = t
	}
	return in
}

func (r *reader) expect(n strictyaml.Node, p *policy.Policy, in Input) Expect {
	x := Expect{at: r.at(n)}
	f := n.Fields(nil, "allocation", "free", "costs", "balances", "stopped", "refused", "orRefused", "statements", "always", "shadowed")
	known := func(k strictyaml.Entry) {
		if !slices.ContainsFunc(in.Tenants, func(t policy.Tenant) bool { return t.Name == k.Key }) {
			k.At.Errorf("there is no tenant %q", k.Key)
		}
	}
	for _, e := range f["allocation"].Entries() {
		known(e)
		x.allocation = append(x.allocation, amount{r.at(e.Value), e.Key, r.of(e.Value, in)})
	}
	if g := f["free"]; g.Present() {
		x.free = []amount{{r.at(g), "", r.of(g, in)}}
	}
	for _, e := range f["costs"].Entries() {
		known(e)
		x.costs = append(x.costs, value{r.at(e.Value), e.Key, r.ratio(e.Value)})
	}
	for _, e := range f["balances"].Entries() {
		known(e)
		x.balances = append(x.balances, value{r.at(e.Value), e.Key, r.ratio(e.Value)})
	}
	for _, e := range f["stopped"].Entries() {
		known(e)
		s := r.stop(e.Value)
		s.tenant = e.Key
		x.stopped = append(x.stopped, s)
	}
	if g := f["refused"]; g.Present() {
		s := r.stop(g, "tenant")
		x.refused = &s
		if f["orRefused"].Present() {
			f["orRefused"].Errorf("refused expects a refusal already")
		}
		for name, other := range f {
			if name != "refused" && name != "orRefused" {
				other.Errorf("when everything is refused there is no %s", name)
			}
		}
	}
	if g := f["orRefused"]; g.Present() {
		if x.orRefused = g.Bool(); !x.orRefused {
			g.Errorf("the only thing to say is true")
		}
		if len(f) == 1 {
			n.Errorf("nothing is expected of what is not refused")
		}
	}
	said := func(n strictyaml.Node) (out []*policy.Expression) {
		for _, g := range n.List() {
			if e := p.StatementIn(g, types.BoolType); e != nil {
				out = append(out, e)
			}
		}
		return out
	}
	x.statements, x.always = said(f["statements"]), said(f["always"])
	x.shadowGiven = f["shadowed"].Present()
	for _, g := range f["shadowed"].List() {
		x.shadowed = append(x.shadowed, r.stop(g, "tenant"))
	}
	if n.Present() && len(f) == 0 {
		n.Errorf("nothing is expected")
	}
	return x
}

// of reads amounts of what there is.
func (r *reader) of(n strictyaml.Node, in Input) policy.Resources {
	for _, e := range n.Entries() {
		if _, ok := in.Capacity[e.Key]; !ok {
			e.At.Errorf("there is no resource %q", e.Key)
		}
	}
	return r.resources(n)
}

func (r *reader) stop(n strictyaml.Node, more ...string) stop {
	f := n.Fields(nil, append(more, "reason", "message")...)
	return stop{at: r.at(n), tenant: f["tenant"].String(), reason: f["reason"].String(), message: f["message"].String()}
}
