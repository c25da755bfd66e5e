package policy

import (
	"context"
	"fmt"
)

// maxBalance bounds the digits of a balance, in characters: those of a Ratio that can be read again.
const maxBalance = 64

// Balances are what `settle` gives the tenants, in their order, after an epoch in which each held usage: it is evaluated in the state in
// which each holds that, whatever the policy would say to it, and asks for no more. The error is a *Refusal when the policy settles nothing,
// an expression fails, or a balance has more than 64 digits: what is settled epoch after epoch has to be rounded.
func (p *Policy) Balances(ctx context.Context, tenants []Tenant, capacity Resources, usage []Resources) ([]Ratio, error) {
	if len(usage) != len(tenants) {
		return nil, fmt.Errorf("%w: usage of %d tenants, of %d", ErrInput, len(usage), len(tenants))
	}
	asking := make([]Tenant, len(tenants))
	for i, t := range tenants {
		if t.Max == nil {
			t.Max = sumAmounts(t.Demand)
		}
		t.Demand = nil
		asking[i] = t
	}
	f, err := p.start(asking, capacity)
	if err != nil {
		return nil, err
	}
	if !p.Settles() {
		return nil, f.refuse(p.rank, nil, ReasonInvalid, "it does not settle balances")
	}
	for i, t := range f.tenants {
		v, err := f.space.vector(usage[i])
		if err != nil {
			return nil, fmt.Errorf("%w: tenant %s: usage: %w", ErrInput, t.Name, err)
		}
		f.move(t, v, nil)
		t.rest = make([]int64, len(v))
	}
	out := make([]Ratio, len(tenants))
	for i, t := range f.tenants {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v, err := f.eval(p.settle, t)
		if err != nil {
			return nil, err
		}
		if out[i] = toRatio(v); len(out[i].String()) > maxBalance {
			return nil, f.refuse(p.settle, t, ReasonExpression, fmt.Sprintf("its balance has more than %d digits: settle has to round it, with floor", maxBalance))
		}
	}
	return out, nil
}

func sumAmounts(quanta []Resources) Resources {
	sum := Resources{}
	for _, q := range quanta {
		for r, x := range q {
			sum[r] += x
		}
	}
	return sum
}
