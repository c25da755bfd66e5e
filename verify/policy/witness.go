package policy

import (
	"math/big"
	"math/rand/v2"

	"github.com/interlock/interlock/verify/smt"
)

// A guard asks whether assumptions can hold together. Solvers are slow at finding values for products, so a witness is looked for here and
// written into the guard: what is left for them is to see that it is one. The search is a function of the terms alone.
const (
	witnesses   = 400
	witnessSeed = 6
)

// witness is values of the state's variables under which all of ts hold, or nil.
func (g goal) witness(ts []*smt.Term) smt.Model {
	r := rand.New(rand.NewPCG(witnessSeed, witnessSeed)) //nolint:gosec // the same every time
	for range witnesses {
		m := g.state.example(r)
		if g.other != nil {
			for _, v := range g.other.variables {
				if v.in.lo != nil {
					m[v.t.Name()] = smt.IntValue(new(big.Int).Add(v.in.lo, big.NewInt(1+r.Int64N(9))))
				}
			}
		}
		if holdAll(ts, m) {
			return m
		}
	}
	return nil
}

func holdAll(ts []*smt.Term, m smt.Model) bool {
	for _, t := range ts {
		if !smt.Eval(t, m).IsTrue() {
			return false
		}
	}
	return true
}

// example is a state as fillings have it: small, and within the facts.
func (s *state) example(r *rand.Rand) smt.Model {
	m := smt.Model{}
	set := func(x integer, v int64) int64 {
		if c, ok := x.t.ConstInt(); ok {
			return c.Int64()
		}
		m[x.t.Name()] = smt.IntValue(big.NewInt(v))
		return v
	}
	among := func(vs ...int64) int64 { return vs[r.IntN(len(vs))] }
	rational := func(q ratio, num, den int64) {
		if len(q[0].num) == 1 && len(q[0].den) == 1 {
			m[q[0].num[0].t.Name()], m[q[0].den[0].t.Name()] = smt.IntValue(big.NewInt(num)), smt.IntValue(big.NewInt(den))
		}
	}
	held := make([]int64, len(s.capacity))
	for _, u := range s.tenants {
		set(u.weight, among(1, 1, 1, 2, 3))
		set(u.budget, among(0, 10, 1000, 1_000_000))
		set(u.vid, 1+r.Int64N(100))
		m[u.active.t.Name()] = smt.BoolValue(r.IntN(3) > 0)
		m[u.was.active.t.Name()] = m[u.active.t.Name()]
		m[u.stopped.Name()] = smt.BoolValue(r.IntN(3) == 0)
		rational(u.balance, among(0, 1, 100), 1)
		rational(u.utility, among(0, 1, 2), 2)
		rational(u.was.balance, 0, 1)
		rational(u.was.utility, 0, 1)
		rational(u.target, among(1, 2), 2)
		had, left := among(0, 0, 1, 2), among(0, 1, 1, 2)
		idle := r.IntN(len(s.capacity) + 1)
		for i := range s.capacity {
			q := among(1, 1, 2, 3)
			if i == idle {
				q = 0
			}
			least := among(0, 0, q)
			set(u.quantum[i], q)
			held[i] += set(u.usage[i], had*q)
			set(u.rest[i], left*q)
			next := int64(0)
			if left > 0 {
				next = q
			}
			set(u.demand[i], next)
			set(u.min[i], least)
			set(u.max[i], (had+left)*q)
			set(u.held[i], among(0, q))
			then := int64(0)
			if left > 1 {
				then = q
			}
			m[thenDemand(s.space.names[i], u.name)] = smt.IntValue(big.NewInt(then))
		}
	}
	spare := among(0, 1, 3, 50, 1000)
	for i, c := range s.capacity {
		all := set(c, held[i]+spare)
		set(s.free[i], all-held[i])
	}
	return m
}
