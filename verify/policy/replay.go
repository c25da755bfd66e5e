package policy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify/smt"
)

// A Counterexample is an input for which a statement does not hold, as package policy and cel-go run it.
type Counterexample struct {
	Tenants  []sharing.Tenant    `json:"tenants"`
	Capacity sharing.Resources   `json:"capacity"`
	Usage    []sharing.Resources `json:"usage"` // what the tenants hold when it fails, in their order
	About    string              `json:"about,omitempty"`
	// Changed is the tenant with the other weight or budget, for a statement about changing it.
	Changed *sharing.Tenant `json:"changed,omitempty"`
	// Says is what cel-go evaluated to what, and Facts are the values of what that reads. Reads are the names of all that it reads.
	Says  []string `json:"says"`
	Facts []string `json:"facts,omitempty"`
	Reads []string `json:"reads,omitempty"`

	policy *sharing.Policy // with the parameters' values
}

// errNotReached says that a state that breaks an inductive step does not come up when the filling is run on its tenants.
var errNotReached = errors.New("a state that the filling may never reach; another statement under using: may exclude it")

// replay runs what a model says.
func (p *Proof) replay(ctx context.Context, st *Statement, g goal, m smt.Model) (*Counterexample, error) {
	in := g.state.situation(m)
	ce := &Counterexample{policy: p.policy, Tenants: in.tenants, Capacity: in.capacity, Usage: in.usage}
	if g.about != nil {
		ce.About = g.about.name
	}
	switch st.Form {
	case Always, Closes, Finally, Books, Limits:
		return ce, p.run(ctx, st, in, ce)
	case Monotone:
		return ce, p.compare(st, g, m, in, ce)
	}
	state, err := p.policy.State(in.tenants, in.capacity, in.usage)
	if err != nil {
		return nil, err
	}
	if st.Form == Sound {
		return ce, p.fails(state, in, ce)
	}
	other, err := st.other.State(in.tenants, in.capacity, in.usage)
	if err != nil {
		return nil, err
	}
	if err := other.Admits(ctx); err != nil {
		return nil, fmt.Errorf("%s refuses as well: %w", st.other.Name(), err)
	}
	refused := state.Admits(ctx)
	if refused == nil {
		return nil, fmt.Errorf("%s admits it as well", p.policy.Name())
	}
	var rules []*sharing.Expression
	for _, r := range append(p.policy.Limits(), p.policy.Validations()...) {
		rules = append(rules, r.Expression)
	}
	ce.explain(state, "", rules...)
	ce.Says = []string{fmt.Sprintf("%s admits it", st.other.Name()), refused.Error()}
	return ce, nil
}

// situation is what a model says, as input of package policy.
type situation struct {
	tenants  []sharing.Tenant
	capacity sharing.Resources
	usage    []sharing.Resources
	quantum  map[string]sharing.Resources
}

func (s *state) situation(m smt.Model) situation {
	number := func(x integer) int64 { // what the obligation does not mention, the model may leave out: the least then
		v := smt.Eval(x.t, m).Int()
		if v == nil || !v.IsInt64() || v.Cmp(x.in.lo) < 0 {
			v = x.in.lo
		}
		return v.Int64()
	}
	resources := func(v []integer) sharing.Resources {
		r := sharing.Resources{}
		for i, n := range s.space.names {
			if x := number(v[i]); x != 0 {
				r[n] = x
			}
		}
		return r
	}
	in := situation{capacity: sharing.Resources{}, quantum: map[string]sharing.Resources{}}
	for i, r := range s.space.names {
		in.capacity[r] = number(s.capacity[i])
	}
	for _, u := range s.tenants {
		t := sharing.Tenant{
			Name: u.name, VID: uint16(number(u.vid)), Weight: number(u.weight), Budget: number(u.budget), //nolint:gosec // within 12 bits
			Active: smt.Eval(u.active.t, m).IsTrue(), Balance: fractionUnder(u.balance, m), Utility: fractionUnder(u.utility, m),
			Past: &sharing.Past{
				Active: smt.Eval(u.was.active.t, m).IsTrue(), Balance: fractionUnder(u.was.balance, m), Utility: fractionUnder(u.was.utility, m),
			},
			Target: fractionUnder(u.target, m), Min: resources(u.min), Max: resources(u.max), Held: resources(u.held),
		}
		usage, next, rest, most := resources(u.usage), resources(u.demand), resources(u.rest), resources(u.quantum)
		t.Demand = append(t.Demand, quanta(usage, most)...)
		if len(next) > 0 {
			t.Demand = append(t.Demand, next)
		}
		last := sharing.Resources{}
		for r, x := range rest {
			if x > next[r] {
				last[r] = x - next[r]
			}
		}
		t.Demand = append(t.Demand, quanta(last, most)...)
		in.quantum[t.Name] = largest(t.Demand)
		in.tenants = append(in.tenants, t)
		in.usage = append(in.usage, usage)
	}
	return in
}

// maxQuanta bounds into how many quanta what a tenant holds is split.
const maxQuanta = 16

// quanta splits total into quanta that are no larger than most, if that takes few.
func quanta(total, most sharing.Resources) []sharing.Resources {
	if len(total) == 0 {
		return nil
	}
	n := int64(1)
	for r, x := range total {
		if most[r] <= 0 || (x-1)/most[r] >= maxQuanta {
			return []sharing.Resources{total}
		}
		n = max(n, (x-1)/most[r]+1)
	}
	out := make([]sharing.Resources, n)
	for i := range out {
		out[i] = sharing.Resources{}
		for r, x := range total {
			share := x / n
			if int64(i) < x%n {
				share++
			}
			if share > 0 {
				out[i][r] = share
			}
		}
	}
	return out
}

func largest(quanta []sharing.Resources) sharing.Resources {
	most := sharing.Resources{}
	for _, q := range quanta {
		for r, x := range q {
			most[r] = max(most[r], x)
		}
	}
	return most
}

func fractionUnder(r ratio, m smt.Model) sharing.Ratio {
	num, den := new(big.Int).Set(r[0].over), new(big.Int).Set(r[0].under)
	for _, f := range r[0].num {
		num.Mul(num, orOne(smt.Eval(f.t, m).Int(), 0))
	}
	for _, f := range r[0].den {
		den.Mul(den, orOne(smt.Eval(f.t, m).Int(), 1))
	}
	q := new(big.Rat).SetFrac(num, den)
	if out, err := sharing.ParseRatio(q.RatString()); err == nil {
		return out
	}
	return sharing.Ratio{}
}

// orOne is x, or what a denominator that the model leaves out may be.
func orOne(x *big.Int, least int64) *big.Int {
	if x == nil || least == 1 && x.Sign() <= 0 {
		return big.NewInt(least)
	}
	return x
}

// run fills from the start on the tenants of a situation, and looks for a state in which the statement does not hold.
func (p *Proof) run(ctx context.Context, st *Statement, in situation, ce *Counterexample) error {
	a, err := p.policy.Entitle(ctx, in.tenants, in.capacity)
	var refusal *sharing.Refusal
	if errors.As(err, &refusal) {
		return fmt.Errorf("%w (on its tenants the policy refuses: %w)", errNotReached, err)
	}
	if err != nil {
		return err
	}
	usage := map[string]sharing.Resources{}
	stopped := map[string]bool{}
	closing := ""
	look := func() (bool, error) {
		var held []sharing.Resources
		for _, t := range in.tenants {
			held = append(held, maps.Clone(usage[t.Name]))
		}
		return p.broken(st, in, held, stopped, closing, ce)
	}
	if st.Form != Finally && st.Form != Closes {
		if found, err := look(); found || err != nil {
			return err
		}
	}
	for i, d := range a.Trace {
		if d.Granted {
			u := maps.Clone(usage[d.Tenant])
			if u == nil {
				u = sharing.Resources{}
			}
			for r, x := range d.Amount {
				u[r] += x
			}
			usage[d.Tenant] = u
			if st.Form == Closes {
				continue
			}
		} else {
			stopped[d.Tenant] = true
			closing = d.Tenant
		}
		if st.Form == Finally && i < len(a.Trace)-1 {
			continue
		}
		if st.Form == Finally {
			for _, t := range in.tenants {
				stopped[t.Name] = true
			}
		}
		if found, err := look(); found || err != nil {
			return err
		}
	}
	return errNotReached
}

// broken says whether a statement does not hold when the tenants hold usage, and closing is served no more. ce then has how.
func (p *Proof) broken(st *Statement, in situation, usage []sharing.Resources, stopped map[string]bool, closing string, ce *Counterexample,
) (bool, error) {
	state, err := p.policy.State(in.tenants, in.capacity, usage)
	if err != nil {
		return false, err
	}
	found := func(about string, e *sharing.Expression, says string) (bool, error) {
		ce.Usage, ce.Says = usage, []string{says}
		if e != nil {
			ce.explain(state, about, e)
		}
		return true, nil
	}
	if st.Form == Limits {
		for i, t := range in.tenants {
			for _, l := range p.policy.Limits() {
				if len(usage[i]) == 0 {
					continue
				}
				if v, err := state.Eval(l.Expression, t.Name); err != nil || v != types.True {
					return found(t.Name, l.Expression, fmt.Sprintf("the limit at %s is %s for tenant %s", l.At, outcome(v, err), t.Name))
				}
			}
		}
		return false, nil
	}
	if st.Form == Books {
		for r, all := range in.capacity {
			for _, u := range usage {
				all -= u[r]
			}
			if all < 0 {
				return found("", nil, fmt.Sprintf("%d more of %s are held than there are", -all, r))
			}
		}
		return false, nil
	}
	*st.expr.scene = scene{p.policy, state, stopped, in.quantum}
	about := []string{""}
	switch {
	case st.Form == Closes:
		about = []string{closing}
	case st.expr.Tenant():
		about = nil
		for _, t := range in.tenants {
			about = append(about, t.Name)
		}
	}
	for _, name := range about {
		v, err := state.Eval(st.expr.Expression, name)
		if err == nil && v == types.True {
			continue
		}
		says := fmt.Sprintf("%s is %s", oneLine(st.expr.text), outcome(v, err))
		if name != "" {
			says = "for tenant " + name + ", " + says
		}
		return found(name, st.expr.Expression, says)
	}
	return false, nil
}

// explain has the values of what es read.
func (c *Counterexample) explain(s *sharing.State, about string, es ...*sharing.Expression) {
	r := read(c.policy, es...)
	c.Reads, c.Facts = r.names, r.facts(s, c.Tenants, about)
	if r.seen["free"] {
		left := maps.Clone(c.Capacity)
		for _, u := range c.Usage {
			for n, x := range u {
				left[n] -= x
			}
		}
		c.Facts = append(c.Facts, "free is "+listed(left))
	}
}

// compare evaluates a statement for a tenant and for the same with more weight or budget.
func (p *Proof) compare(st *Statement, g goal, m smt.Model, in situation, ce *Counterexample) error {
	then := g.other.situation(m)
	values := [2]ref.Val{}
	errs := [2]error{}
	for i, in := range []situation{in, then} {
		state, err := p.policy.State(in.tenants, in.capacity, in.usage)
		if err != nil {
			return err
		}
		*st.expr.scene = scene{p.policy, state, nil, in.quantum}
		values[i], errs[i] = state.Eval(st.expr.Expression, g.about.name)
		if i == 0 {
			ce.explain(state, g.about.name, st.expr.Expression)
		}
	}
	for i, t := range then.tenants {
		if t.Name == g.about.name {
			ce.Changed = &then.tenants[i]
		}
	}
	ce.Says = []string{fmt.Sprintf("%s is %s, then %s", oneLine(st.expr.text), outcome(values[0], errs[0]), outcome(values[1], errs[1]))}
	if errs[0] != nil {
		return fmt.Errorf("it ends in an error before the change: %w", errs[0])
	}
	if errs[1] != nil {
		return nil
	}
	low, high := number(values[0]), number(values[1])
	if st.is == "falling" {
		low, high = high, low
	}
	if low.Cmp(high) <= 0 {
		return fmt.Errorf("%s", ce.Says[0])
	}
	return nil
}

func number(v ref.Val) *big.Rat {
	switch v := v.(type) {
	case types.Bool:
		if v {
			return big.NewRat(1, 1)
		}
	case types.Int:
		return new(big.Rat).SetInt64(int64(v))
	case sharing.Ratio:
		return v.Rat()
	}
	return new(big.Rat)
}

// fails finds an expression of the policy that ends in an error.
func (p *Proof) fails(state *sharing.State, in situation, ce *Counterexample) error {
	for _, e := range p.policy.Expressions() {
		if !decides(e) {
			continue
		}
		about := []string{""}
		if e.Tenant() {
			about = nil
			for _, t := range in.tenants {
				about = append(about, t.Name)
			}
		}
		for _, name := range about {
			if _, err := state.Eval(e, name); err != nil {
				ce.About, ce.Says = name, []string{fmt.Sprintf("the %s at %s is %s", e.Role, e.At, outcome(nil, err))}
				if name != "" {
					ce.Says[0] = "for tenant " + name + ", " + ce.Says[0]
				}
				ce.explain(state, name, e)
				return nil
			}
		}
	}
	return errors.New("every expression has a value")
}

func outcome(v ref.Val, err error) string {
	var at *sharing.Refusal // of the expression that ends in an error, which may be another that this one reads
	if errors.As(err, &at) {
		return fmt.Sprintf("an error (at %s: %s)", at.At, at.Message)
	}
	if err != nil {
		return "an error: " + err.Error()
	}
	return sharing.Show(v)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// String says it in the user's words.
func (c *Counterexample) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "capacity %s\n", listed(c.Capacity))
	for i, t := range c.Tenants {
		fmt.Fprintf(&b, "tenant %s: weight %d", t.Name, t.Weight)
		if t.Budget != 0 {
			fmt.Fprintf(&b, ", budget %d", t.Budget)
		}
		if len(t.Min) > 0 {
			fmt.Fprintf(&b, ", min %s", listed(t.Min))
		}
		b.WriteString(own(c.Reads, t))
		b.WriteString(", asks for")
		for j, q := range t.Demand {
			if j > 0 {
				b.WriteString(", then")
			}
			b.WriteString(" " + listed(q))
		}
		if len(t.Demand) == 0 {
			b.WriteString(" nothing")
		}
		fmt.Fprintf(&b, "; holds %s\n", listed(c.Usage[i]))
	}
	if c.Changed != nil {
		fmt.Fprintf(&b, "then tenant %s with weight %d and budget %d\n", c.Changed.Name, c.Changed.Weight, c.Changed.Budget)
	}
	for _, s := range append(slices.Clone(c.Says), c.Facts...) {
		b.WriteString(s + "\n")
	}
	return b.String()
}

func listed(r sharing.Resources) string {
	var all []string
	for _, n := range slices.Sorted(maps.Keys(r)) {
		if r[n] != 0 {
			all = append(all, fmt.Sprintf("%d %s", r[n], n))
		}
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, " and ")
}
