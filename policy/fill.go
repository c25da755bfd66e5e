package policy

import (
	"container/heap"
	"context"
	"errors"
	"fmt"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// filling is one run of the engine; specs/policies/ENGINE.md defines what it does.
type filling struct {
	policy   *Policy
	space    *space
	capacity []int64
	free     []int64
	tenants  []*tenantState
	list     ref.Val   // tenants, as CEL sees them
	cost     uint64    // of all evaluations
	most     uint64    // that they may cost
	moves    int       // how often free changed
	commons  []known   // values of the variables that are about no tenant
	covered  *Coverage // nil: not asked for
	silent   bool      // no trace is wanted
	trace    []Decision
	shadowed []*Refusal
}

// Entitle runs progressive filling: the tenant of least rank (ties by name) is offered what `grant` says; it gets it when it fits what is
// free and every limit holds with it, and else is served no more. It ends with the validations. The error is a *Refusal when
// the policy refuses or an expression fails, and the context's error when that ends.
func (p *Policy) Entitle(ctx context.Context, tenants []Tenant, capacity Resources) (*Allocation, error) {
	return p.entitle(ctx, tenants, capacity, nil)
}

func (p *Policy) entitle(ctx context.Context, tenants []Tenant, capacity Resources, covered *Coverage) (*Allocation, error) {
	f, err := p.start(tenants, capacity)
	if err != nil {
		return nil, err
	}
	f.covered = covered
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
	f := &filling{policy: p, space: newSpace(capacity), most: BaseCost}
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
		s, err := newTenantState(f, t)
		if err != nil {
			return nil, fmt.Errorf("%w: tenant %s: %w", ErrInput, t.Name, err)
		}
		f.tenants = append(f.tenants, s)
		f.most += DecisionCost * uint64(1+len(s.quanta))
		vals = append(vals, object{tenantType, s})
	}
	f.list = types.NewRefValList(types.DefaultTypeAdapter, vals)
	return f, nil
}

// run fills until no tenant of among can be given more. Ranks that depend on the tenant's own state only are evaluated when that
// changes; others for everybody after each grant.
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
		if t.done {
			continue
		}
		if err := f.rank(t); err != nil {
			return err
		}
		heap.Push(&q, t)
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
	if len(t.quanta) == 0 {
		t.done, t.reason, t.message = true, "", ""
		return nil
	}
	g, quanta, err := f.grant(t)
	if err != nil {
		return err
	}
	d := Decision{Tenant: t.Name, Rank: t.rank}
	if !f.silent {
		d.Amount = f.space.resources(g)
	}
	stop := func(reason, message string, at *Position) {
		t.done, t.reason, t.message = true, reason, message
		d.Reason, d.Message, d.At = reason, message, at
		f.note(d)
	}
	if zero(g) {
		stop(ReasonNothing, "the policy grants nothing more", &f.policy.grant.At)
		return nil
	}
	for i, x := range g {
		if x > f.free[i] {
			stop(ReasonCapacity, fmt.Sprintf("%s: %d asked, %d free of %d", f.space.names[i], x, f.free[i], f.capacity[i]), nil)
			return nil
		}
	}
	before, free := *t, f.free
	f.move(t, g, quanta)
	for i := range f.policy.limits {
		l := &f.policy.limits[i]
		message, err := f.holds(l, t)
		if err != nil {
			return err
		}
		switch {
		case message == "":
		case f.policy.mode == Shadow:
			f.shadowed = append(f.shadowed, f.refuse(l.Expression, t, l.Reason, message))
		default:
			*t, f.free = before, free
			f.moves++
			stop(l.Reason, fmt.Sprintf("limit (%s): %s", l.At, message), &l.At)
			return nil
		}
	}
	d.Granted = true
	f.note(d)
	return nil
}

func (f *filling) note(d Decision) {
	if !f.silent {
		f.trace = append(f.trace, d)
	}
}

// grant evaluates what the policy offers t, which must be the sum of the first of its quanta, or nothing. It returns the quanta behind it.
func (f *filling) grant(t *tenantState) (g []int64, left [][]int64, err error) {
	v, err := f.eval(f.policy.grant, t)
	if err == nil {
		g, left, err = f.quantaOf(t, v)
	}
	if err == nil {
		return g, left, nil
	}
	var r *Refusal
	if !errors.As(err, &r) {
		r = f.refuse(f.policy.grant, t, ReasonExpression, fmt.Sprintf("grants %v", err))
	}
	if f.policy.mode == Shadow {
		f.shadowed = append(f.shadowed, r)
		return t.quanta[0], t.quanta[1:], nil
	}
	return nil, nil, r
}

func (f *filling) quantaOf(t *tenantState, v ref.Val) (g []int64, left [][]int64, err error) {
	if a, ok := v.(amounts); ok && a.s == f.space {
		g = a.v
	} else {
		r, err := toResources(v)
		if err != nil {
			return nil, nil, err
		}
		if g, err = f.space.vector(r); err != nil {
			return nil, nil, err
		}
	}
	left = t.quanta
	sum := make([]int64, len(g))
	for !equal(sum, g) {
		if len(left) == 0 || !covers(g, sum) {
			return nil, nil, fmt.Errorf("%v, which is no whole number of the quanta that the tenant asks for, in their order: first %v, %v in all",
				f.space.resources(g), f.space.resources(t.quanta[0]), f.space.resources(t.rest))
		}
		add(sum, left[0])
		left = left[1:]
	}
	return g, left, nil
}

// move adds g to what t holds.
func (f *filling) move(t *tenantState, g []int64, left [][]int64) {
	usage := make([]int64, len(g)) // values that expressions have seen do not change
	free := make([]int64, len(g))
	rest := make([]int64, len(g))
	for i, x := range g {
		usage[i] = t.usage[i] + x
		free[i] = f.free[i] - x
		rest[i] = t.rest[i] - x
	}
	t.usage, t.rest, t.quanta, t.cost = usage, rest, left, nil
	f.free = free
	f.moves++
}

func (f *filling) validate() error {
	for i := range f.policy.validations {
		r := &f.policy.validations[i]
		about := f.tenants
		if !r.Tenant() {
			about = []*tenantState{nil}
		}
		for _, t := range about {
			message, err := f.holds(r, t)
			if err != nil {
				return err
			}
			if message == "" {
				continue
			}
			refusal := f.refuse(r.Expression, t, r.Reason, message)
			if f.policy.mode != Shadow {
				return refusal
			}
			f.shadowed = append(f.shadowed, refusal)
		}
	}
	return nil
}

func (f *filling) rank(t *tenantState) error {
	v, err := f.eval(f.policy.rank, t)
	if err != nil {
		return f.tolerate(err)
	}
	t.rank = toRatio(v)
	return nil
}

// tolerate is nil for a refusal by a policy that is not enforced.
func (f *filling) tolerate(err error) error {
	var r *Refusal
	if f.policy.mode != Shadow || !errors.As(err, &r) {
		return err
	}
	f.shadowed = append(f.shadowed, r)
	return nil
}

// holds evaluates a rule; the message is empty when it holds.
func (f *filling) holds(r *Rule, t *tenantState) (message string, err error) {
	v, err := f.eval(r.Expression, t)
	if err != nil {
		return "", f.tolerate(err)
	}
	if v == types.True {
		return "", nil
	}
	if r.Says == nil {
		return r.Message, nil
	}
	m, err := f.eval(r.Says, t)
	if err != nil {
		return "", f.tolerate(err)
	}
	s, ok := m.(types.String)
	if !ok || s == "" || len(s) > maxString {
		return fmt.Sprintf("the rule does not hold (its message has %d characters; 1 to %d can be shown)", len(s), maxString), nil
	}
	return string(s), nil
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
