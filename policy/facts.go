package policy

// Facts say which of the facts about tenants that change while the control loop runs are read.
type Facts struct {
	Active, Utility, Balance bool
	// Old says that oldTenant is read: what tenants hold, and what the other facts were when the policy was asked before.
	Old bool
}

func (f Facts) or(g Facts) Facts {
	return Facts{f.Active || g.Active, f.Utility || g.Utility, f.Balance || g.Balance, f.Old || g.Old}
}

// Facts are those that the policy's decisions read; messages and `settle` decide nothing.
func (p *Policy) Facts() Facts {
	var f Facts
	for _, e := range p.Expressions() {
		if e.Role != RoleMessage && e.Role != RoleSettle && e.Role != RoleVariable { // a variable that nothing reads does not count
			f = f.or(e.refs.facts)
		}
	}
	return f
}

// Settles says that the policy changes balances from epoch to epoch. One that is not enforced leaves them alone.
func (p *Policy) Settles() bool { return p.settle != nil && p.mode != Shadow }

// Live says that what the policy decides may change from epoch to epoch, so that it has to be asked at each of them. A balance that is never
// settled does not change.
func (p *Policy) Live() bool {
	f := p.Facts()
	return p.Settles() || f.Active || f.Utility || f.Old
}

// Past are the facts about a tenant as they were when the policy was asked before: oldTenant's.
type Past struct {
	Active  bool  `json:"active"`
	Utility Ratio `json:"utility"`
	Balance Ratio `json:"balance"`
}
