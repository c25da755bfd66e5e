package policy

import (
	"context"
	"fmt"
	"math/big"
	"slices"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// Settles says that a is about an epoch that ended, too: the balances of its tenants are settled.
func (a *Admission) Settles() bool { return len(a.Before) > 0 }

// ending are the tenants as they were when the epoch ended, with their balances before.
func (a *Admission) ending() []sharing.Tenant {
	tenants := slices.Clone(a.Tenants)
	for i := range tenants {
		tenants[i].Balance = a.Before[i]
	}
	return tenants
}

// settlement says that each balance is what `settle` makes of the one before, in the state in which every tenant holds what it held and asks
// for no more. What tenants held, whether they were active and what they had are definitions, so that the solvers do the arithmetic.
func (a *Admission) settlement(p *sharing.Policy) (verify.Obligation, error) {
	settle := p.Settle()
	if !p.Settles() {
		return verify.Obligation{}, fmt.Errorf("%w: the policy does not settle balances", errShape)
	}
	s := a.state(p) // for what does not change in an epoch
	b, t := s.b, s.translator(settle)
	var defs []smt.Definition
	zero := integer{b.Int(0), between(0, 0)}
	for r, name := range s.space.names {
		used := make([]*smt.Term, len(a.Tenants))
		in := interval{big.NewInt(0), big.NewInt(a.Capacity[name])}
		for i, x := range a.Tenants {
			m, n := s.tenants[i], x.Held[name]
			if n > a.Capacity[name] {
				return verify.Obligation{}, fmt.Errorf("%w: tenant %s held %d of %s, of %d", errShape, x.Name, n, name, a.Capacity[name])
			}
			v := b.Var("held "+name+" of "+x.Name, smt.Int)
			defs = append(defs, smt.Definition{Name: v, Value: b.Int(n)})
			used[i] = v
			m.usage[r], m.held[r] = integer{v, in}, integer{v, in}
			m.demand[r], m.rest[r] = zero, zero
		}
		free := b.Var("free "+name, smt.Int)
		defs = append(defs, smt.Definition{Name: free, Value: b.Sub(b.Int(a.Capacity[name]), b.Add(used...))})
		least := new(big.Int).Mul(in.hi, big.NewInt(int64(1-len(a.Tenants))))
		s.free[r] = integer{free, interval{least, in.hi}}
	}
	for i, x := range a.Tenants {
		m, before := s.tenants[i], a.Before[i].Rat()
		active, had := b.Var("active of "+x.Name, smt.Bool), b.Var("balance of "+x.Name+" (numerator)", smt.Int)
		defs = append(defs, smt.Definition{Name: active, Value: b.Bool(x.Active)}, smt.Definition{Name: had, Value: b.IntBig(before.Num())})
		size := new(big.Int).Abs(before.Num())
		m.active = boolean{active}
		m.balance = ratio{t.normal(fraction{
			over: big.NewInt(1), under: before.Denom(), num: []factor{{had, interval{new(big.Int).Neg(size), size}}},
		})}
		if x.Past == nil {
			m.was = m.facts
		}
	}
	s.bind()
	var all []*smt.Term
	common := map[string]result{}
	for i, m := range s.tenants {
		sc := s.scope(m)
		sc.common = common
		r, err := (&translator{b: b, expr: settle, work: new(int), known: true}).translate(sc.name)
		if err != nil {
			return verify.Obligation{}, err
		}
		if r.v == nil {
			all = append(all, b.False())
			continue
		}
		all = append(all, b.Not(r.err), t.equalRatio(as[ratio](t, t.asRatio(r).v), constant(a.Tenants[i].Balance.Rat())))
	}
	claim := b.Not(b.And(all...))
	used := map[*smt.Term]bool{}
	for _, v := range smt.Free(claim) {
		used[v] = true
	}
	for _, d := range slices.Backward(defs) { // a value mentions names that were defined before it
		if used[d.Name] {
			for _, v := range smt.Free(d.Value) {
				used[v] = true
			}
		}
	}
	defs = slices.DeleteFunc(defs, func(d smt.Definition) bool { return !used[d.Name] })
	logic := logicOf([]*smt.Term{claim})
	return verify.Obligation{
		ID: "Y/settle", Property: "Y", Subject: "the balances are what settle makes of those before", Logic: logic,
		Text: smt.ScriptWith(logic, defs, claim),
	}, nil
}

// settlesAlike has cel-go settle.
func (a *Admission) settlesAlike(ctx context.Context, p *sharing.Policy) error {
	held := make([]sharing.Resources, len(a.Tenants))
	for i, t := range a.Tenants {
		held[i] = t.Held
	}
	after, err := p.Balances(ctx, a.ending(), a.Capacity, held)
	if err != nil {
		return fmt.Errorf("balances: %w", err)
	}
	for i, t := range a.Tenants {
		if after[i].Cmp(t.Balance) != 0 {
			return fmt.Errorf("%w: tenant %s: settle makes %s of its balance of %s, not %s", errUnsettled, t.Name, after[i], a.Before[i], t.Balance)
		}
	}
	return nil
}
