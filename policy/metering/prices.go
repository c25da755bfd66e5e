package metering

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/google/cel-go/common/types"

	"github.com/interlock/interlock/policy"
)

// Prices are terms, ready to be computed with.
type Prices struct {
	policy    *policy.Policy
	epoch     time.Duration
	capacity  policy.Resources
	resources map[place]string
	tenants   []policy.Tenant
}

// Name is the policy's.
func (p *Prices) Name() string { return p.policy.Name() }

// Resource is what the policy calls a stage array of a switch.
func (p *Prices) Resource(sw, array string) (string, bool) {
	r, ok := p.resources[place{sw, array}]
	return r, ok
}

// Rates are what each tenant owes for a nanosecond, in credits, while it holds this. Tenants that the policy does not know have no rate.
func (p *Prices) Rates(ctx context.Context, held map[string]policy.Resources) (map[string]*big.Rat, error) {
	rates := map[string]*big.Rat{}
	if p.policy.Price() == nil || p.policy.Mode() == policy.Shadow {
		return rates, nil
	}
	tenants := make([]policy.Tenant, len(p.tenants))
	usage := make([]policy.Resources, len(p.tenants))
	for i, t := range p.tenants {
		if h := held[t.Name]; len(h) > 0 {
			t.Demand, usage[i] = []policy.Resources{h}, h
		}
		tenants[i] = t
	}
	state, err := p.policy.State(tenants, p.capacity, usage)
	if err != nil {
		return nil, err
	}
	for _, t := range tenants {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v, err := state.Eval(p.policy.Price(), t.Name)
		if err != nil {
			return nil, err
		}
		var r *big.Rat
		switch v := v.(type) {
		case policy.Ratio:
			r = v.Rat()
		case types.Int:
			r = new(big.Rat).SetInt64(int64(v))
		default:
			return nil, fmt.Errorf("policy %s: the price is a %s", p.policy.Name(), v.Type())
		}
		if r.Sign() < 0 {
			return nil, fmt.Errorf("policy %s: the price for tenant %s is %s, below 0", p.policy.Name(), t.Name, r.RatString())
		}
		rates[t.Name] = r.Quo(r, new(big.Rat).SetInt64(int64(p.epoch)))
	}
	return rates, nil
}
