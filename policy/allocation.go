package policy

// Allocation is what a policy decided, and why.
type Allocation struct {
	Policy       string        `json:"policy"`
	Mode         Mode          `json:"mode"`
	Capacity     Resources     `json:"capacity"`
	Free         Resources     `json:"free"`
	Entitlements []Entitlement `json:"entitlements"` // in the order of the tenants asked about
	Trace        []Decision    `json:"trace"`
	// Shadowed is what the policy would have refused, were it enforced.
	Shadowed []*Refusal `json:"shadowed,omitempty"`
}

// Entitlement of one tenant.
type Entitlement struct {
	Tenant   string    `json:"tenant"`
	Usage    Resources `json:"usage"`
	Complete bool      `json:"complete"`          // all that was demanded, within the tenant's max, was granted
	Cost     *Ratio    `json:"cost,omitempty"`    // of Usage for an epoch, in credits, when the policy has a price
	Balance  *Ratio    `json:"balance,omitempty"` // after the epoch, when the policy settles balances
	Reason   string    `json:"reason,omitempty"`  // one word: what stopped the filling
	Message  string    `json:"message,omitempty"` // the same in a sentence
}

// Decision is one step of the filling: a grant, or the refusal that ends a tenant's turn.
type Decision struct {
	Tenant  string    `json:"tenant"`
	Rank    Ratio     `json:"rank"`
	Amount  Resources `json:"amount"`
	Granted bool      `json:"granted"`
	Reason  string    `json:"reason,omitempty"`
	Message string    `json:"message,omitempty"`
	At      *Position `json:"at,omitempty"` // of the rule that stopped it; nil when there was not enough
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

func (f *filling) allocation() (*Allocation, error) {
	a := &Allocation{
		Policy: f.policy.name, Mode: f.policy.mode, Capacity: f.space.resources(f.capacity), Free: f.space.resources(f.free),
		Trace: f.trace,
	}
	for _, t := range f.tenants {
		e := Entitlement{
			Tenant: t.Name, Usage: f.space.resources(t.usage), Complete: zero(t.rest), Reason: t.reason, Message: t.message,
		}
		if f.policy.price != nil {
			v, err := f.price(t)
			switch {
			case err == nil:
				e.Cost = &v
			case f.tolerate(err) != nil:
				return nil, err
			}
		}
		if f.policy.settle != nil {
			v, err := f.eval(f.policy.settle, t)
			switch {
			case err == nil:
				r := toRatio(v)
				e.Balance = &r
			case f.tolerate(err) != nil:
				return nil, err
			}
		}
		a.Entitlements = append(a.Entitlements, e)
	}
	a.Shadowed = f.shadowed
	return a, nil
}
