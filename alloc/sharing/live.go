package sharing

import (
	"context"
	"maps"
	"math/big"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/policy"
)

// Live is a policy that is asked at every epoch, with what is known of the tenants then. It changes nothing by itself: whoever uses it has what it
// proposes proved and published, and says so with Accept.
type Live struct {
	Policy *policy.Policy
	Site   *Site
	Shares *Shares // in force

	ended bool // the policy was asked before, so that an epoch ended
	next  map[string]Known
	// held is what tenants hold on each switch, as it was last read.
	held []map[string]policy.Resources
}

// Note takes in what is known at the end of an epoch. The first time none has ended: what passed before is nobody's to settle. A tenant whose
// samples were all discarded is as active and has the utility that it had; one that had no traffic has the utility of the last epoch in which it
// had any. Utility is the share of packets that hit, over all switches, rounded down to a millionth: so it is at least a target that is given in
// millionths exactly if the share is.
func (l *Live) Note(measured [][]alloc.Measured) {
	names, at := l.Site.at()
	if l.held == nil {
		l.held = make([]map[string]policy.Resources, len(l.Site.Places))
	}
	l.next = map[string]Known{}
	for _, name := range names {
		var packets, hits int64
		sampled, unknown := false, false
		held := policy.Resources{}
		var k Known
		for i, j := range at[name] {
			if j < 0 {
				continue
			}
			was := l.Site.tenant(l.Site.Places[i].Tenants[j])
			k = Known{Active: was.Active, Utility: was.Utility, Balance: was.Balance, Past: &policy.Past{
				Active: was.Active, Utility: was.Utility, Balance: was.Balance,
			}}
			if measured[i] == nil { // nobody knows; what it had there it may have still
				unknown = true
				if l.held[i] == nil {
					for a := range l.Site.Places[i].Capacity {
						if n := was.Held[l.Site.resource(i, a)]; n > 0 {
							held[l.Site.resource(i, a)] = n
						}
					}
				}
			} else {
				m := measured[i][j]
				if m.Discarded != "" {
					unknown = true
				} else {
					sampled = true
					packets, hits = packets+m.Packets, hits+m.Hits
				}
				if l.held[i] == nil {
					l.held[i] = map[string]policy.Resources{}
				}
				here := policy.Resources{}
				for a, n := range m.Held {
					here[l.Site.resource(i, a)] = n
				}
				l.held[i][name] = here
			}
			maps.Copy(held, l.held[i][name])
		}
		k.Held = held
		switch {
		case packets > 0:
			k.Active, k.Utility = true, hitRatio(hits, packets)
		case sampled && !unknown:
			k.Active = false
		}
		l.next[name] = k
	}
}

// hitRatio is hits/packets, rounded down to a millionth.
func hitRatio(hits, packets int64) policy.Ratio {
	const parts = 1_000_000
	n := new(big.Int).Mul(big.NewInt(hits), big.NewInt(parts))
	n.Quo(n, big.NewInt(packets))
	return policy.RatioOf(new(big.Rat).SetFrac(n, big.NewInt(parts)))
}

// Ask settles the epoch that ended and asks the policy again. It returns nothing new if neither a floor, a ceiling or a total changed, nor a
// balance: then only shares may be other than before, and are in force at once. The error is a *policy.Refusal if the policy refuses or an
// expression of it fails; then what is in force stays, and the epoch that ended is not settled.
func (l *Live) Ask(ctx context.Context) (*Shares, error) {
	settles := l.ended && l.Policy.Settles()
	l.ended = true
	site := *l.Site
	site.Known = l.next
	var before []policy.Ratio
	changed := false
	if settles {
		var tenants []policy.Tenant
		var held []policy.Resources
		for _, d := range site.Demands() {
			t := d.Tenant
			t.Min, t.Max = d.Rungs[0], d.Rungs[len(d.Rungs)-1]
			tenants, held, before = append(tenants, t), append(held, t.Held), append(before, t.Balance)
		}
		after, err := l.Policy.Balances(ctx, tenants, site.Capacity(), held)
		if err != nil {
			l.Keep()
			return nil, err
		}
		site.Known = maps.Clone(l.next)
		for i, t := range tenants {
			k := site.Known[t.Name]
			k.Balance = after[i]
			site.Known[t.Name] = k
			changed = changed || after[i].Cmp(before[i]) != 0
		}
	}
	shares, err := site.Ask(ctx, l.Policy)
	if err != nil {
		l.Keep()
		return nil, err
	}
	if changed {
		shares.Admission.Before = before
	}
	l.Keep()
	if changed || !sameLimits(shares, l.Shares) {
		return shares, nil
	}
	l.Shares.Bounds = shares.Bounds
	return nil, nil
}

// Keep makes what was noted what is known, with the balances that are in force.
func (l *Live) Keep() { l.Site.Known = l.next }

// Under is another policy, asked about the same tenants with what is known of them.
func (l *Live) Under(p *policy.Policy) *Live {
	site := *l.Site
	if !p.Live() { // it is asked as it is when nothing is known but balances
		site.Known = map[string]Known{}
		for name, k := range l.Site.Known {
			site.Known[name] = Known{Active: true, Balance: k.Balance}
		}
	}
	return &Live{Policy: p, Site: &site, Shares: l.Shares, held: l.held}
}

// Balances are the tenants with what they have.
func (l *Live) Balances() []policy.Tenant {
	var out []policy.Tenant
	for _, d := range l.Site.Demands() {
		out = append(out, d.Tenant)
	}
	return out
}

// Accept puts what Ask proposed into force.
func (l *Live) Accept(s *Shares) {
	l.Shares = s
	for _, t := range s.Admission.Tenants {
		k := l.Site.Known[t.Name]
		k.Balance = t.Balance
		l.Site.Known[t.Name] = k
	}
}

// sameLimits says that two answers let everybody have the same.
func sameLimits(a, b *Shares) bool {
	x, y := a.Admission, b.Admission
	if len(x.Totals) != len(y.Totals) || len(x.Tenants) != len(y.Tenants) {
		return false
	}
	for i := range x.Totals {
		if x.Totals[i] != y.Totals[i] {
			return false
		}
	}
	for i := range x.Tenants {
		if !maps.Equal(x.Floors[i], y.Floors[i]) || !maps.Equal(x.Ceilings[i], y.Ceilings[i]) {
			return false
		}
	}
	return true
}
