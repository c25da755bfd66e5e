package policy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"golang.org/x/sync/errgroup"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// AdmissionVersion is that of the text of an admission's obligations.
const AdmissionVersion = "1"

// AdmissionKind is the kind of an admission's verify.Subject.
const AdmissionKind = "sharing"

// Names of an admission's recorded inputs.
const (
	inputPolicy = "policy.yaml"
	inputShares = "shares.json"
	inputLinked = "linked.p4"   // of a program's
	inputTarget = "target.yaml" // likewise
)

// An Admission is what a policy was asked and what it let the tenants have: the text of the policy, the tenants, and between which amounts
// each may be. Its obligations say that the policy admits every allocation between those; M6 says of each plan that its goal is one. With
// Before, it settles the tenants' balances too: see Settles.
type Admission struct {
	File     string              `json:"file"`             // what the policy's document is called
	Text     []byte              `json:"-"`                // recorded by itself
	Params   map[string]any      `json:"params,omitempty"` // all of them
	Capacity sharing.Resources   `json:"capacity"`
	Tenants  []sharing.Tenant    `json:"tenants"`
	Floors   []sharing.Resources `json:"floors"`   // by tenant
	Ceilings []sharing.Resources `json:"ceilings"` // by tenant
	// Switches are those of a site that has several: then resources are called "slots/SWITCH/ingress/0". Totals are the most slots that each
	// tenant may have on all of them together, by tenant; nil: there is one switch.
	Switches []string `json:"switches,omitempty"`
	Totals   []int64  `json:"totals,omitempty"`
	// Before are the balances before the epoch that ended when the policy was asked, by tenant. Those in Tenants are what `settle` makes of
	// them, with Held as what each tenant held in that epoch. Nil: no epoch ended, or the policy does not settle.
	Before []sharing.Ratio `json:"before,omitempty"`
	// Linked is set for P8: the amounts are then what the tenants' parts of this program take of the pipeline that Target is the profile of.
	Linked []byte `json:"-"`
	Target []byte `json:"-"`

	last *measurement // see measure
}

// NewAdmission is the admission of what p let the tenants have.
func NewAdmission(p *sharing.Policy, tenants []sharing.Tenant, capacity sharing.Resources, floors, ceilings []sharing.Resources) *Admission {
	a := &Admission{
		File: p.File(), Text: p.Text(), Params: map[string]any{}, Capacity: capacity, Tenants: tenants, Floors: floors, Ceilings: ceilings,
	}
	for _, q := range p.Params() {
		a.Params[q.Name] = plain(q.Value)
	}
	return a
}

// plain is a parameter's value as JSON has it.
func plain(v ref.Val) any {
	switch v := v.(type) {
	case types.Int:
		return int64(v)
	case types.Bool:
		return bool(v)
	case sharing.Ratio:
		return v.String()
	case traits.Lister:
		out := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			out = append(out, plain(it.Next()))
		}
		return out
	case traits.Mapper:
		out := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			k := it.Next()
			x, _ := v.Find(k)
			out[fmt.Sprint(k.Value())] = plain(x)
		}
		return out
	}
	return fmt.Sprint(v.Value())
}

// Subject is what a certificate of a speaks of.
func (a *Admission) Subject() (verify.Subject, error) {
	b, err := json.Marshal(a)
	if err != nil {
		return verify.Subject{}, err
	}
	s := verify.Subject{
		Kind: AdmissionKind, Name: fmt.Sprintf("what %s lets %d tenants have", a.File, len(a.Tenants)),
		Inputs: map[string][]byte{inputPolicy: a.Text, inputShares: b},
	}
	if a.Linked != nil {
		s.Name = fmt.Sprintf("what the programs of %d tenants use, under %s", len(a.Tenants), a.File)
		s.Inputs[inputLinked], s.Inputs[inputTarget] = a.Linked, a.Target
	}
	return s, nil
}

// AdmissionFrom rebuilds an admission from recorded inputs.
func AdmissionFrom(inputs map[string][]byte) (*Admission, error) {
	text, ok := inputs[inputPolicy]
	shares, ok2 := inputs[inputShares]
	linked, program := inputs[inputLinked]
	target, ok3 := inputs[inputTarget]
	if !ok || !ok2 || program != ok3 || len(inputs) != 2 && !(program && len(inputs) == 4) {
		return nil, fmt.Errorf("want the inputs %s and %s, and %s with %s for a program", inputPolicy, inputShares, inputLinked, inputTarget)
	}
	a := &Admission{}
	if err := verify.StrictJSON(shares, a); err != nil {
		return nil, fmt.Errorf("%s: %w", inputShares, err)
	}
	a.Text, a.Linked, a.Target = text, linked, target
	return a, nil
}

// policy reads the document again, and gives its parameters their values.
func (a *Admission) policy() (*sharing.Policy, error) {
	p, err := sharing.Parse(a.File, a.Text)
	if err != nil || len(a.Params) == 0 {
		return p, err
	}
	text, err := json.Marshal(a.Params)
	if err != nil {
		return nil, err
	}
	doc, root := strictyaml.ParseLarge("params", text)
	p = p.With(root)
	return p, doc.Err()
}

// errUnsettled is wrapped when balances are not what the policy makes of those before.
var errUnsettled = errors.New("the balances are not those that the policy settles")

// errShape is wrapped when an admission's parts do not fit together.
var errShape = errors.New("floors, ceilings and tenants do not fit together")

// check wants a's parts to fit together and, of a program, its amounts to be those that are measured.
func (a *Admission) check(p *sharing.Policy) error {
	if err := a.shape(); err != nil || a.Linked == nil {
		return err
	}
	return a.measured(p)
}

// shape wants a's parts to fit together.
func (a *Admission) shape() error {
	if len(a.Floors) != len(a.Tenants) || len(a.Ceilings) != len(a.Tenants) {
		return fmt.Errorf("%w: %d tenants, %d floors, %d ceilings", errShape, len(a.Tenants), len(a.Floors), len(a.Ceilings))
	}
	if len(a.Before) != 0 && len(a.Before) != len(a.Tenants) {
		return fmt.Errorf("%w: %d tenants, %d balances before", errShape, len(a.Tenants), len(a.Before))
	}
	if (len(a.Switches) == 0) != (a.Totals == nil) || a.Totals != nil && len(a.Totals) != len(a.Tenants) {
		return fmt.Errorf("%w: %d tenants on %d switches, %d totals", errShape, len(a.Tenants), len(a.Switches), len(a.Totals))
	}
	for i, t := range a.Tenants {
		least := int64(0)
		for _, x := range a.Floors[i] {
			least += x
		}
		if a.Totals != nil && a.Totals[i] < least {
			return fmt.Errorf("%w: tenant %s: the floors come to %d, the total is %d", errShape, t.Name, least, a.Totals[i])
		}
		for _, r := range [2]sharing.Resources{a.Floors[i], a.Ceilings[i]} {
			for n, x := range r {
				if _, ok := a.Capacity[n]; !ok && x != 0 || x < 0 {
					return fmt.Errorf("%w: tenant %s: %d of %q", errShape, t.Name, x, n)
				}
			}
		}
		for n, x := range t.Held {
			if _, ok := a.Capacity[n]; !ok && x != 0 || x < 0 {
				return fmt.Errorf("%w: tenant %s holds %d of %q", errShape, t.Name, x, n)
			}
		}
		for n, x := range a.Floors[i] {
			if x > a.Ceilings[i][n] {
				return fmt.Errorf("%w: tenant %s: the floor of %s is %d, the ceiling %d", errShape, t.Name, n, x, a.Ceilings[i][n])
			}
		}
	}
	return nil
}

// Obligations say: for all amounts between floors and ceilings that fit into the capacity, every limit holds for every tenant that holds
// something, and every validation holds. They are a pure function of a. The error is an *Unprovable, or about a itself.
func (a *Admission) Obligations() (out []verify.Obligation, err error) {
	defer catch(&err)
	p, err := a.policy()
	if err != nil {
		return nil, err
	}
	if err := a.check(p); err != nil {
		return nil, err
	}
	s := a.state(p)
	out = append(out, a.fits(s))
	if a.Settles() {
		o, err := a.settlement(p)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	if a.Linked != nil {
		o, err := a.whole(s)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
		defer func() { asP8(out) }()
	}
	if p.Mode() == sharing.Shadow {
		return out, nil // its limits bind nobody
	}
	for i, m := range s.tenants {
		if len(p.Limits()) == 0 {
			break
		}
		r, err := s.admitted(m)
		if err != nil {
			return nil, err
		}
		out = append(out, a.between(s, "limits/"+m.name, fmt.Sprintf("tenant %s is within every limit between its floor and its ceiling", a.Tenants[i].Name),
			s.b.Or(none(s.b, m.usage), yes(s.b, r))))
	}
	if len(p.Validations()) > 0 {
		r, err := s.valid()
		if err != nil {
			return nil, err
		}
		out = append(out, a.between(s, "validations", "every validation holds between floors and ceilings", yes(s.b, r)))
	}
	return out, nil
}

// state has a variable for what each tenant holds of each resource, and everything else as recorded.
func (a *Admission) state(p *sharing.Policy) *state {
	names := slices.Sorted(maps.Keys(a.Capacity))
	s := &state{b: smt.NewBuilder(), policy: p, space: &space{names}}
	fixed := func(n int64) integer { return integer{s.b.Int(n), between(n, n)} }
	for _, r := range names {
		s.capacity = append(s.capacity, fixed(a.Capacity[r]))
		free := integer{s.b.Var("free "+r, smt.Int), between(0, a.Capacity[r])}
		s.free = append(s.free, free)
		s.variables = append(s.variables, variable(free))
	}
	for i, t := range a.Tenants {
		m := &member{
			name: t.Name, weight: fixed(t.Weight), budget: fixed(t.Budget), vid: fixed(int64(t.VID)),
			facts: s.factsOf(t.Active, t.Utility, t.Balance), target: constant(t.Target.Rat()), stopped: s.b.True(),
		}
		m.was = m.facts
		if p := t.Past; p != nil {
			m.was = s.factsOf(p.Active, p.Utility, p.Balance)
		}
		most := t.Max
		if most == nil {
			most = total(t.Demand)
		}
		for _, r := range names {
			of := func(what string, in interval) integer {
				v := integer{s.b.Var(what+" "+r+" of "+t.Name, smt.Int), in}
				s.variables = append(s.variables, variable{v.t, in})
				return v
			}
			m.usage = append(m.usage, of("usage", between(a.Floors[i][r], a.Ceilings[i][r])))
			m.demand = append(m.demand, of("demand", between(0, most[r]))) // whatever it asks for next
			m.min, m.max = append(m.min, fixed(t.Min[r])), append(m.max, fixed(most[r]))
			m.held = append(m.held, fixed(t.Held[r]))
		}
		m.quantum, m.rest = m.max, m.demand
		s.tenants = append(s.tenants, m)
	}
	s.bind()
	return s
}

func (s *state) factsOf(active bool, utility, balance sharing.Ratio) facts {
	return facts{boolean{s.b.Bool(active)}, constant(utility.Rat()), constant(balance.Rat())}
}

func total(quanta []sharing.Resources) sharing.Resources {
	sum := sharing.Resources{}
	for _, q := range quanta {
		for r, x := range q {
			sum[r] += x
		}
	}
	return sum
}

// between is an obligation about all amounts between floors and ceilings, and within totals.
func (a *Admission) between(s *state, id, subject string, claim *smt.Term) verify.Obligation {
	mentioned := map[*smt.Term]bool{}
	for _, v := range smt.Free(claim) {
		mentioned[v] = true
	}
	var sums []*smt.Term
	for r := range s.space.names {
		if !mentioned[s.free[r].t] {
			continue
		}
		used := []integer{s.free[r]}
		for _, m := range s.tenants {
			used = append(used, m.usage[r])
		}
		sums = append(sums, s.b.Eq(s.sumOf(used...), s.capacity[r].t))
	}
	for i, most := range a.Totals {
		m := s.tenants[i]
		if slices.ContainsFunc(m.usage, func(x integer) bool { return mentioned[x.t] }) {
			sums = append(sums, s.b.Le(s.sumOf(m.usage...), s.b.Int(most)))
		}
	}
	g := goal{state: s, assumed: sums, claim: claim}
	assumed := append(ranges(s.b, g.used(append(slices.Clone(sums), claim))), sums...)
	texts := append(slices.Clone(assumed), s.b.Not(claim))
	logic := logicOf(texts)
	return verify.Obligation{
		ID: "Y/" + id, Property: "Y", Subject: subject, Logic: logic, Text: smt.Script(logic, texts...), Guard: smt.Script(logic, assumed...),
	}
}

// fits says that the floors fit into the capacity together, and each ceiling by itself.
func (a *Admission) fits(s *state) verify.Obligation {
	const logic = "QF_LIA"
	var defs []smt.Definition
	known := func(name string, n int64) *smt.Term {
		v := s.b.Var(name, smt.Int)
		defs = append(defs, smt.Definition{Name: v, Value: s.b.Int(n)})
		return v
	}
	var all []*smt.Term
	for _, r := range s.space.names {
		c := known("capacity "+r, a.Capacity[r])
		var floors []*smt.Term
		for i, t := range a.Tenants {
			if n := a.Floors[i][r]; n > 0 {
				floors = append(floors, known("floor "+r+" of "+t.Name, n))
			}
			if n := a.Ceilings[i][r]; n > 0 {
				all = append(all, s.b.Le(known("ceiling "+r+" of "+t.Name, n), c))
			}
		}
		all = append(all, s.b.Le(s.b.Add(floors...), c))
	}
	return verify.Obligation{
		ID: "Y/capacity", Property: "Y", Subject: "the floors fit into the capacity together, each ceiling by itself", Logic: logic,
		Text: smt.ScriptWith(logic, defs, s.b.Not(s.b.And(all...))),
	}
}

// Agrees has cel-go decide the same where it is decisive: with all tenants at their floors, and with each at its ceiling, or at each way to
// reach its total, and the others at their floors. The error is a *sharing.Refusal when the policy does not admit one of these.
func (a *Admission) Agrees(ctx context.Context) error {
	p, err := a.policy()
	if err != nil {
		return err
	}
	if err := a.check(p); err != nil {
		return err
	}
	if a.Settles() {
		if err := a.settlesAlike(ctx, p); err != nil {
			return err
		}
	}
	if err := a.admits(ctx, p, a.Floors); err != nil {
		return fmt.Errorf("at the floors: %w", err)
	}
	errs := make([]error, len(a.Tenants)) // the first tenant's is the answer, whichever comes first
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	for i := range a.Tenants {
		g.Go(func() error {
			errs[i] = a.Climbs(ctx, p, i)
			return nil
		})
	}
	_ = g.Wait()
	return cmp.Or(errs...)
}

// Climbs has cel-go decide whether the policy admits that the i-th tenant has all that its ceilings and its total let it have, in each way to
// reach that, while the others have their floors. p is a's policy.
func (a *Admission) Climbs(ctx context.Context, p *sharing.Policy, i int) error {
	for _, top := range a.tops(i) {
		usage := slices.Clone(a.Floors)
		usage[i] = top
		if err := a.admits(ctx, p, usage); err != nil {
			return fmt.Errorf("with tenant %s at its ceiling: %w", a.Tenants[i].Name, err)
		}
	}
	return nil
}

// tops are the most that a tenant may have: its ceilings; or, where its total does not let it have all of them, as many as it lets it have,
// beginning with each resource in turn.
func (a *Admission) tops(i int) []sharing.Resources {
	floor, ceiling := a.Floors[i], a.Ceilings[i]
	var names []string
	least, most := int64(0), int64(0)
	for _, r := range slices.Sorted(maps.Keys(ceiling)) {
		least, most = least+floor[r], most+ceiling[r]
		if ceiling[r] > floor[r] {
			names = append(names, r)
		}
	}
	switch {
	case len(names) == 0:
		return nil
	case a.Totals == nil || most <= a.Totals[i]:
		return []sharing.Resources{ceiling}
	}
	var out []sharing.Resources
	for first := range names {
		top, left := maps.Clone(floor), a.Totals[i]-least
		if top == nil {
			top = sharing.Resources{}
		}
		for k := range names {
			r := names[(first+k)%len(names)]
			more := min(ceiling[r]-floor[r], left)
			top[r], left = top[r]+more, left-more
		}
		out = append(out, top)
	}
	return out
}

// admits is nil when the policy admits that the tenants hold usage.
func (a *Admission) admits(ctx context.Context, p *sharing.Policy, usage []sharing.Resources) error {
	tenants := slices.Clone(a.Tenants)
	for i := range tenants { // each holds one quantum: what is looked at
		tenants[i].Demand = nil
		if u := usage[i]; positive(u) {
			tenants[i].Demand = []sharing.Resources{u}
		}
	}
	st, err := p.State(tenants, a.Capacity, usage)
	if err != nil {
		return err
	}
	return st.Admits(ctx)
}

func positive(r sharing.Resources) bool {
	for _, x := range r {
		if x > 0 {
			return true
		}
	}
	return false
}
