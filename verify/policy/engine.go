package policy

import (
	"slices"

	"github.com/interlock/interlock/verify/smt"
)

// This file is progressive filling as formulas: what specs/policies/ENGINE.md defines and package policy runs. TestEngine holds real runs
// against it.

// facts are what every state that the filling reaches satisfies, whatever the policy: its books. That no grant breaks them is itself
// proved, for each policy, as the statement "the engine keeps its books".
func (s *state) facts() []*smt.Term {
	b := s.b
	zero := b.Int(0)
	var out []*smt.Term
	for r := range s.space.names {
		used := []integer{s.free[r]}
		for _, m := range s.tenants {
			used = append(used, m.usage[r])
		}
		out = append(out, b.Le(zero, s.free[r].t), b.Eq(s.sumOf(used...), s.capacity[r].t))
	}
	for _, m := range s.tenants {
		out = append(out, m.asks(b)...)
		least := make([]*smt.Term, len(m.usage))
		for r := range m.usage {
			out = append(out, b.Le(zero, m.usage[r].t), b.Le(s.sumOf(m.usage[r], m.rest[r]), m.max[r].t))
			least[r] = b.Le(m.min[r].t, m.usage[r].t)
		}
		// Nothing, or at least its min; and while it holds nothing, its next quantum is at least its min.
		out = append(out, b.Or(none(b, m.usage), b.And(least...)))
	}
	return out
}

// asks says what may be left to ask for: the next quantum is part of it, within the largest, and there is one while something is left.
// The first quantum is at least the tenant's min.
func (m *member) asks(b *smt.Builder) []*smt.Term {
	var out []*smt.Term
	first := make([]*smt.Term, len(m.usage))
	for r := range m.usage {
		out = append(out, b.Le(b.Int(0), m.demand[r].t), b.Le(m.demand[r].t, m.rest[r].t), b.Le(m.demand[r].t, m.quantum[r].t))
		first[r] = b.Le(m.min[r].t, m.demand[r].t)
	}
	return append(out,
		b.Implies(none(b, m.demand), none(b, m.rest)),
		b.Or(b.Not(none(b, m.usage)), none(b, m.demand), b.And(first...)))
}

// none: all amounts are 0.
func none(b *smt.Builder, v []integer) *smt.Term {
	all := make([]*smt.Term, len(v))
	for i, x := range v {
		all[i] = b.Eq(x.t, b.Int(0))
	}
	return b.And(all...)
}

// inputs are what the engine requires of what it is asked, beside the intervals.
func (s *state) inputs() []*smt.Term {
	var out []*smt.Term
	for _, m := range s.tenants {
		for _, r := range [3]ratio{m.utility, m.target, m.was.utility} {
			f := r[0]
			if len(f.num) == 1 && len(f.den) == 1 {
				out = append(out, s.b.Le(f.num[0].t, f.den[0].t)) // in [0,1]
			}
		}
		for r := range m.min {
			out = append(out, s.b.Le(m.min[r].t, m.max[r].t))
		}
	}
	return out
}

// started says that s is where the filling begins.
func (s *state) started() []*smt.Term {
	var out []*smt.Term
	for r := range s.space.names {
		out = append(out, s.b.Eq(s.free[r].t, s.capacity[r].t))
	}
	for _, m := range s.tenants {
		out = append(out, none(s.b, m.usage), s.b.Not(m.stopped))
		out = append(out, m.asks(s.b)...)
		for r := range m.rest {
			out = append(out, s.b.Le(m.rest[r].t, m.max[r].t))
		}
	}
	return out
}

// ended says that nobody is served any more.
func (s *state) ended() []*smt.Term {
	var out []*smt.Term
	for _, m := range s.tenants {
		out = append(out, m.stopped)
	}
	return out
}

// with is s with member k replaced and free as given.
func (s *state) with(k int, m *member, free []integer) *state {
	n := *s
	n.tenants = slices.Clone(s.tenants)
	for i, old := range s.tenants {
		c := *old
		n.tenants[i] = &c
	}
	n.tenants[k] = m
	n.free = free
	n.bind()
	return &n
}

// step is one decision of the filling about one tenant.
type step struct {
	before, after *state
	order         []*smt.Term // that it is this tenant's turn
	holds         []*smt.Term // what else makes it possible
}

// thenDemand names the next quantum after a grant.
func thenDemand(resource, tenant string) string { return "then demand " + resource + " of " + tenant }

// turn says that tenant k is next: it has least rank of all that are served, ties by name. An expression that fails refuses, so that no
// step follows.
func (s *state) turn(k int) (out []*smt.Term, err error) {
	defer catch(&err)
	b := s.b
	t := s.translator(s.policy.Rank())
	out = append(out, b.Not(s.tenants[k].stopped))
	var ranks []result
	for _, m := range s.tenants {
		r, err := s.rank(m)
		if err != nil {
			return nil, err
		}
		ranks = append(ranks, r)
		out = append(out, b.Or(m.stopped, b.Not(r.err)))
	}
	if ranks[k].v == nil {
		return []*smt.Term{b.False()}, nil
	}
	for i, m := range s.tenants {
		if i == k || ranks[i].v == nil {
			continue
		}
		mine, other := ranks[k].v.(ratio), ranks[i].v.(ratio)
		out = append(out, b.Or(m.stopped, t.lessRatio(mine, other, k < i)))
	}
	return out, nil
}

// translator builds terms about e outside of a translation.
func (s *state) translator(e source) *translator { return &translator{b: s.b, expr: e, work: new(int)} }

// grants are the two outcomes of k's turn: it is granted what the policy offers, or it is served no more.
func (s *state) grants(k int) (granted, stopped step, err error) {
	defer catch(&err)
	b := s.b
	m := s.tenants[k]
	turn, err := s.turn(k)
	if err != nil {
		return step{}, step{}, err
	}
	t := s.translator(s.policy.Grant())
	offer, err := translate(b, s.policy.Grant(), s.scope(m).name)
	if err != nil {
		return step{}, step{}, err
	}
	if offer.v == nil {
		offer = result{mapping{}, b.True()}
	}
	given := make([]integer, len(s.space.names))
	amounts := as[mapping](t, offer.v)
	sound := []*smt.Term{b.Not(offer.err), b.Not(none(b, m.demand))}
	for r, name := range s.space.names {
		given[r] = integer{b.Int(0), between(0, 0)}
		x, ok := amounts.find(name)
		if !ok || x.v == nil {
			continue
		}
		n := as[integer](t, x.v)
		given[r] = integer{b.Ite(x.on, n.t, b.Int(0)), n.in.join(between(0, 0))}
	}
	for _, e := range amounts.entries {
		if !slices.Contains(s.space.names, e.key) && e.v != nil {
			sound = append(sound, b.Or(b.Not(e.on), b.Eq(as[integer](t, e.v).t, b.Int(0))))
		}
	}
	// The first of its quanta, one or more; or nothing.
	nothing := none(b, given)
	for r := range given {
		sound = append(sound, b.Le(b.Int(0), given[r].t), b.Le(given[r].t, m.rest[r].t),
			b.Or(nothing, b.Le(m.demand[r].t, given[r].t)))
	}
	fits := make([]*smt.Term, len(given))
	holding := *m
	holding.usage, holding.rest = slices.Clone(m.usage), slices.Clone(m.rest)
	holding.demand = make([]integer, len(given))
	free := slices.Clone(s.free)
	for r, name := range s.space.names {
		g := given[r].t
		fits[r] = b.Le(g, s.free[r].t)
		natural := between(0, 1<<63-1)
		holding.usage[r] = integer{b.Add(m.usage[r].t, g), natural}
		holding.rest[r] = integer{b.Sub(m.rest[r].t, g), natural}
		free[r] = integer{b.Sub(s.free[r].t, g), natural}
		holding.demand[r] = integer{b.Var(thenDemand(name, m.name), smt.Int), natural}
	}
	after := s.with(k, &holding, free)
	limits, err := after.admitted(after.tenants[k])
	if err != nil {
		return step{}, step{}, err
	}
	served := b.Not(m.stopped)
	granted = step{before: s, after: after, order: turn}
	granted.holds = append(append(granted.holds, served), sound...)
	granted.holds = append(granted.holds, b.Not(nothing), b.And(fits...), yes(b, limits))
	granted.holds = append(granted.holds, holding.asks(b)...)

	ended := *m
	ended.stopped = b.True()
	stopped = step{before: s, after: s.with(k, &ended, s.free), order: turn}
	refused := b.And(b.Not(limits.err), b.Not(yes(b, limits)))
	stopped.holds = append(stopped.holds, served, b.Or(none(b, m.demand),
		b.And(append(sound, b.Or(nothing, b.Not(b.And(fits...)), b.And(append(holding.asks(b), refused)...)))...)))
	return granted, stopped, nil
}

// yes: r is true, and no error.
func yes(b *smt.Builder, r result) *smt.Term {
	if r.v == nil {
		return b.False()
	}
	return b.And(b.Not(r.err), r.v.(boolean).t)
}

// rank is the policy's rank of m, as a Ratio.
func (s *state) rank(m *member) (result, error) {
	r, err := translate(s.b, s.policy.Rank(), s.scope(m).name)
	if err != nil {
		return r, err
	}
	return s.translator(s.policy.Rank()).asRatio(r), nil
}

// admitted is whether every limit holds for m, one after the other as the engine asks.
func (s *state) admitted(m *member) (result, error) {
	t := s.translator(s.policy.Grant())
	all := t.ok(boolean{s.b.True()})
	sc := s.scope(m)
	limits := s.policy.Limits()
	for i := len(limits) - 1; i >= 0; i-- {
		r, err := translate(s.b, limits[i].Expression, sc.name)
		if err != nil {
			return r, err
		}
		if r.v == nil {
			all = r
			continue
		}
		rest := t.choose(r.v.(boolean).t, all, t.ok(boolean{s.b.False()}))
		all = result{rest.v, s.b.Or(r.err, rest.err)}
	}
	return all, nil
}

// valid is whether every validation holds of the state.
func (s *state) valid() (result, error) {
	t := s.translator(s.policy.Grant())
	all := t.ok(boolean{s.b.True()})
	for _, rule := range s.policy.Validations() {
		about := s.tenants
		if !rule.Tenant() {
			about = []*member{nil}
		}
		for _, m := range about {
			r, err := translate(s.b, rule.Expression, s.scope(m).name)
			if err != nil {
				return r, err
			}
			if r.v == nil {
				r.v = boolean{s.b.False()}
			}
			v := all.v.(boolean).t
			all = result{boolean{s.b.And(v, r.v.(boolean).t)}, s.b.Or(all.err, r.err)}
		}
	}
	return all, nil
}
