package policy

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math/big"
	"sort"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// Tenant is what an allocation knows about a tenant.
type Tenant struct {
	Name string
	// Weight is at least 1.
	Weight int64
	// Budget is in credits, at least 0; only policies with prices look at it.
	Budget int64
	// Inelastic tenants get all that they demand in one grant, or nothing.
	Inelastic bool
	// Demand is what the tenant asks for, one indivisible quantum after the other.
	Demand []Resources
}

// Allocation is what a policy decided, and why.
type Allocation struct {
	Policy       string        `json:"policy"`
	Capacity     Resources     `json:"capacity"`
	Free         Resources     `json:"free"`
	Entitlements []Entitlement `json:"entitlements"` // in the order of the tenants asked about
	Trace        []Decision    `json:"trace"`
}

// Entitlement of one tenant.
type Entitlement struct {
	Tenant   string    `json:"tenant"`
	Usage    Resources `json:"usage"`
	Complete bool      `json:"complete"`        // all that was demanded was granted
	Price    string    `json:"price,omitempty"` // of Usage, when the policy has prices
	Reason   string    `json:"reason,omitempty"`
}

// Decision is one step of the filling: a grant, or the refusal that ends a tenant's turn.
type Decision struct {
	Tenant  string    `json:"tenant"`
	Rank    string    `json:"rank"`
	Amount  Resources `json:"amount"`
	Granted bool      `json:"granted"`
	Reason  string    `json:"reason,omitempty"`
}

// Entitlement returns that of the tenant, or nil.
func (a *Allocation) Entitlement(tenant string) *Entitlement {
	for i := range a.Entitlements {
		if a.Entitlements[i].Tenant == tenant {
			return &a.Entitlements[i]
		}
	}
	return nil
}

// tenantState is a tenant during the filling.
type tenantState struct {
	Tenant
	space  *space
	quanta [][]int64 // what is still to be asked for; a policy may grant a quantum in parts
	want   []int64   // in all
	usage  []int64
	rest   []int64 // want less what was granted
	done   bool
	reason string
	rank   Ratio
}

// next is the quantum that the tenant asks for now.
func (t *tenantState) next() []int64 {
	if len(t.quanta) == 0 {
		return make([]int64, len(t.want))
	}
	return t.quanta[0]
}

// filling is one run of the engine.
type filling struct {
	policy   *Policy
	space    *space
	capacity []int64
	free     []int64
	tenants  []*tenantState
	list     ref.Val // tenants, as CEL sees them
	cost     uint64
	trace    []Decision
}

// Entitle runs progressive filling: the tenant of least rank (ties by name) is offered what `grant` says; it gets it when it fits what is
// free and every limit holds with it, and else is served no more. It ends with the validations. The error is a *Refusal when
// the policy refuses or an expression fails, and the context's error when that ends.
func (p *Policy) Entitle(ctx context.Context, tenants []Tenant, capacity map[string]int64) (*Allocation, error) {
	f, err := p.start(tenants, capacity)
	if err != nil {
		return nil, err
	}
	if err := f.run(ctx, f.tenants); err != nil {
		return nil, err
	}
	if err := f.validate(); err != nil {
		return nil, err
	}
	return f.allocation()
}

// start checks the input and lays it out.
func (p *Policy) start(tenants []Tenant, capacity Resources) (*filling, error) {
	if len(tenants) > MaxTenants {
		return nil, fmt.Errorf("%w: %d tenants, at most %d", ErrInput, len(tenants), MaxTenants)
	}
	if len(capacity) > MaxResources {
		return nil, fmt.Errorf("%w: %d resources, at most %d", ErrInput, len(capacity), MaxResources)
	}
	f := &filling{policy: p, space: newSpace(capacity)}
	var err error
	if f.capacity, err = f.space.vector(capacity); err != nil {
		return nil, fmt.Errorf("%w: capacity: %w", ErrInput, err)
	}
	f.free = append([]int64(nil), f.capacity...)
	seen := map[string]bool{}
	var vals []ref.Val
	for _, t := range tenants {
		switch {
		case t.Name == "" || seen[t.Name]:
			return nil, fmt.Errorf("%w: tenant name %q is empty or not unique", ErrInput, t.Name)
		case t.Weight < 1:
			return nil, fmt.Errorf("%w: tenant %s: weight %d is below 1", ErrInput, t.Name, t.Weight)
		case t.Budget < 0:
			return nil, fmt.Errorf("%w: tenant %s: budget %d is negative", ErrInput, t.Name, t.Budget)
		}
		seen[t.Name] = true
		s, err := newTenantState(t, f.space)
		if err != nil {
			return nil, fmt.Errorf("%w: tenant %s: %w", ErrInput, t.Name, err)
		}
		f.tenants = append(f.tenants, s)
		vals = append(vals, object{tenantType, s})
	}
	f.list = types.NewRefValList(types.DefaultTypeAdapter, vals)
	return f, nil
}

func newTenantState(t Tenant, sp *space) (*tenantState, error) {
	n := len(sp.names)
	s := &tenantState{Tenant: t, space: sp, usage: make([]int64, n), want: make([]int64, n), rest: make([]int64, n)}
	for _, q := range t.Demand {
		v, err := sp.vector(q)
		if err != nil {
			return nil, err
		}
		if !add(s.want, v) {
			return nil, fmt.Errorf("demand overflows 64 bits")
		}
		if !zero(v) {
			s.quanta = append(s.quanta, v)
		}
	}
	copy(s.rest, s.want)
	if t.Inelastic && len(s.quanta) > 1 {
		s.quanta = [][]int64{append([]int64(nil), s.want...)}
	}
	return s, nil
}

// run fills until no tenant of among can be given more.
func (f *filling) run(ctx context.Context, among []*tenantState) error {
	q := make(queue, 0, len(among))
	for _, t := range among {
		if err := f.rank(t); err != nil {
			return err
		}
		t.done = false
		q = append(q, t)
	}
	heap.Init(&q)
	for len(q) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		t := heap.Pop(&q).(*tenantState)
		if err := f.offer(t); err != nil {
			return err
		}
		if !t.done {
			if err := f.rank(t); err != nil {
				return err
			}
			heap.Push(&q, t)
		}
		if f.policy.rank.refs.others {
			for _, o := range q {
				if err := f.rank(o); err != nil {
					return err
				}
			}
			heap.Init(&q)
		}
	}
	return nil
}

// offer makes one decision about t.
func (f *filling) offer(t *tenantState) error {
	if zero(t.rest) {
		t.done, t.reason = true, ""
		return nil
	}
	g, err := f.grant(t)
	if err != nil {
		return err
	}
	d := Decision{Tenant: t.Name, Rank: t.rank.String(), Amount: f.space.resources(g)}
	stop := func(reason string) {
		t.done, t.reason, d.Reason = true, reason, reason
		f.trace = append(f.trace, d)
	}
	if zero(g) {
		stop("the policy grants nothing more")
		return nil
	}
	for i, x := range g {
		if x > f.free[i] {
			stop(fmt.Sprintf("%s: %d asked, %d free of %d", f.space.names[i], x, f.free[i], f.capacity[i]))
			return nil
		}
	}
	before := t.quanta
	f.move(t, g, 1)
	t.quanta = shorten(t.quanta, g)
	for _, l := range f.policy.limits {
		reason, err := f.holds(l, t)
		if err != nil {
			return err
		}
		if reason != "" {
			f.move(t, g, -1)
			t.quanta = before
			stop(fmt.Sprintf("limit (%s): %s", l.at, reason))
			return nil
		}
	}
	d.Granted = true
	f.trace = append(f.trace, d)
	return nil
}

// grant evaluates what the policy offers t and checks that t asked for it.
func (f *filling) grant(t *tenantState) ([]int64, error) {
	v, err := f.eval(f.policy.grant, t)
	if err != nil {
		return nil, err
	}
	g, err := f.toVector(v)
	if err == nil {
		for i, x := range g {
			if x > t.rest[i] {
				err = fmt.Errorf("%d of %s; only %d more are asked for", x, f.space.names[i], t.rest[i])
				break
			}
			if t.Inelastic && x != t.rest[i] {
				err = fmt.Errorf("%d of %s for an inelastic tenant, which asks for %d or nothing", x, f.space.names[i], t.rest[i])
				break
			}
		}
	}
	if err != nil {
		return nil, f.refuse(f.policy.grant, t, fmt.Sprintf("grants %v", err))
	}
	return g, nil
}

func (f *filling) toVector(v ref.Val) ([]int64, error) {
	if a, ok := v.(amounts); ok && a.s == f.space {
		return append([]int64(nil), a.v...), nil
	}
	r, err := toResources(v)
	if err != nil {
		return nil, err
	}
	return f.space.vector(r)
}

// move adds g to what t holds, or takes it back.
func (f *filling) move(t *tenantState, g []int64, sign int64) {
	usage := append([]int64(nil), t.usage...) // values that expressions have seen do not change
	free := append([]int64(nil), f.free...)
	rest := append([]int64(nil), t.rest...)
	for i, x := range g {
		usage[i] += sign * x
		free[i] -= sign * x
		rest[i] -= sign * x
	}
	t.usage, f.free, t.rest = usage, free, rest
}

// shorten takes g off the quanta, from the first on.
func shorten(quanta [][]int64, g []int64) [][]int64 {
	left := append([]int64(nil), g...)
	for len(quanta) > 0 && !zero(left) {
		q := append([]int64(nil), quanta[0]...)
		for i := range q {
			x := min(q[i], left[i])
			q[i] -= x
			left[i] -= x
		}
		if !zero(q) {
			return append([][]int64{q}, quanta[1:]...)
		}
		quanta = quanta[1:]
	}
	return quanta
}

func (f *filling) validate() error {
	for _, r := range f.policy.validations {
		about := f.tenants
		if !r.refs.tenant {
			about = []*tenantState{nil}
		}
		for _, t := range about {
			reason, err := f.holds(r, t)
			if err != nil {
				return err
			}
			if reason != "" {
				return f.refuse(r.expr, t, reason)
			}
		}
	}
	return nil
}

func (f *filling) allocation() (*Allocation, error) {
	a := &Allocation{Policy: f.policy.name, Capacity: f.space.resources(f.capacity), Free: f.space.resources(f.free), Trace: f.trace}
	for _, t := range f.tenants {
		e := Entitlement{Tenant: t.Name, Usage: f.space.resources(t.usage), Complete: zero(t.rest), Reason: t.reason}
		if f.policy.price != nil {
			s := &scope{filling: f, policy: f.policy, tenant: t}
			v, err := s.price()
			if err != nil {
				return nil, err
			}
			e.Price = v.String()
		}
		a.Entitlements = append(a.Entitlements, e)
	}
	return a, nil
}

func (f *filling) rank(t *tenantState) error {
	v, err := f.eval(f.policy.rank, t)
	if err != nil {
		return err
	}
	t.rank = toRatio(v)
	return nil
}

func toRatio(v ref.Val) Ratio {
	switch v := v.(type) {
	case Ratio:
		return v
	case types.Int:
		return Ratio{new(big.Rat).SetInt64(int64(v))}
	}
	return Ratio{} // the checker knows the type: unreachable
}

// holds evaluates a rule; the reason is empty when it holds.
func (f *filling) holds(r rule, t *tenantState) (reason string, err error) {
	v, err := f.eval(r.expr, t)
	if err != nil || v == types.True {
		return "", err
	}
	if r.messageExpr == nil {
		return r.message, nil
	}
	m, err := f.eval(r.messageExpr, t)
	if err != nil {
		return "", err
	}
	s, ok := m.(types.String)
	if !ok || s == "" {
		return "the rule at " + r.at.String() + " does not hold", nil
	}
	return string(s), nil
}

func (f *filling) eval(e *expr, t *tenantState) (ref.Val, error) {
	return (&scope{filling: f, policy: f.policy, tenant: t}).eval(e)
}

// scope is the activation of one evaluation: names to values. Variables are evaluated when they are first read, once.
type scope struct {
	*filling
	policy *Policy
	tenant *tenantState // nil: a rule that does not mention it
	cache  []ref.Val
	cost   ref.Val
}

var _ cel.Activation = (*scope)(nil)

// Parent implements cel.Activation.
func (s *scope) Parent() cel.Activation { return nil }

// ResolveName implements cel.Activation.
func (s *scope) ResolveName(name string) (any, bool) {
	switch name {
	case "tenant":
		if s.tenant == nil {
			return nil, false
		}
		return object{tenantType, s.tenant}, true
	case "tenants":
		return s.list, true
	case "capacity":
		return amounts{s.space, s.capacity}, true
	case "free":
		return amounts{s.space, s.free}, true
	case "params":
		return object{paramsType, s}, true
	case "variables":
		return object{variablesType, s}, true
	case "price":
		if s.policy.price == nil {
			return nil, false
		}
		p, err := s.price()
		if err != nil {
			return types.WrapErr(err), true
		}
		return p, true
	}
	return nil, false
}

func (s *scope) price() (Ratio, error) {
	if s.cost == nil {
		v, err := s.eval(s.policy.price)
		if err != nil {
			return Ratio{}, err
		}
		s.cost = v
	}
	return toRatio(s.cost), nil
}

func (s *scope) variable(i int) (ref.Val, error) {
	if s.cache == nil {
		s.cache = make([]ref.Val, len(s.policy.variables))
	}
	if s.cache[i] == nil {
		v, err := s.eval(s.policy.variables[i].expr)
		if err != nil {
			return nil, err
		}
		if _, isMap := v.(traits.Mapper); isMap { // give it an order
			r, err := toResources(v)
			if err != nil {
				return nil, s.refuse(s.policy.variables[i].expr, s.tenant, err.Error())
			}
			v = amountsOf(r)
		}
		s.cache[i] = v
	}
	return s.cache[i], nil
}

func (s *scope) eval(e *expr) (ref.Val, error) {
	v, details, err := e.prog.Eval(s)
	if details != nil {
		if c := details.ActualCost(); c != nil {
			s.filling.cost += *c
		}
	}
	var inner *Refusal // of a variable or the price, with its own position
	if errors.As(err, &inner) {
		return nil, inner
	}
	if err != nil {
		return nil, s.refuse(e, s.tenant, err.Error())
	}
	if s.filling.cost > MaxTotalCost {
		return nil, s.refuse(e, s.tenant, fmt.Sprintf("the policy's evaluations cost over %d units", int64(MaxTotalCost)))
	}
	return v, nil
}

// queue is a heap by rank, then name.
type queue []*tenantState

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if c := q[i].rank.Cmp(q[j].rank); c != 0 {
		return c < 0
	}
	return q[i].Name < q[j].Name
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*tenantState)) }
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

func zero(v []int64) bool {
	for _, x := range v {
		if x != 0 {
			return false
		}
	}
	return true
}

// add adds v to sum; false on overflow. Amounts are not negative.
func add(sum, v []int64) bool {
	for i, x := range v {
		if sum[i]+x < sum[i] {
			return false
		}
		sum[i] += x
	}
	return true
}

// ParamNames lists the policy's parameters, sorted.
func (p *Policy) ParamNames() []string {
	var out []string
	for _, q := range p.params {
		out = append(out, q.name)
	}
	sort.Strings(out)
	return out
}
