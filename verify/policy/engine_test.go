package policy

import (
	"context"
	"math/big"
	"math/rand/v2"
	"testing"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// Every state that a real filling reaches satisfies the facts, and every decision that it makes is the step that the formulas describe.
func TestEngine(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	bounds := Bounds{Tenants: []string{"a", "b", "c"}, Resources: []string{"slots/x", "y"}}
	for _, name := range specs.PolicyNames() {
		t.Run(name, func(t *testing.T) {
			p, err := sharing.Load(sharing.Builtin + name)
			if err != nil {
				t.Fatal(err)
			}
			s := newState(smt.NewBuilder(), p, bounds, "")
			type outcomes struct{ granted, stopped step }
			steps := map[string]outcomes{}
			for k, m := range s.tenants {
				granted, stopped, err := s.grants(k)
				if err != nil {
					t.Fatal(err)
				}
				steps[m.name] = outcomes{granted, stopped}
			}
			grants, stops := 0, 0
			for range 25 {
				run := newRun(r, bounds)
				a, err := p.Entitle(context.Background(), run.tenants, run.capacity)
				if err != nil {
					continue // a validation; the states before it count elsewhere
				}
				check := func(what string, ts []*smt.Term) {
					t.Helper()
					m := run.model(s)
					for _, term := range ts {
						if !smt.Eval(term, m).IsTrue() {
							t.Fatalf("%s: not so: %s\nin %v", what, term, m)
						}
					}
				}
				check("the start", append(s.started(), s.facts()...))
				for _, d := range a.Trace {
					run.close() // those with nothing left to ask for are closed without a decision
					if d.Granted {
						grants++
						before := run.model(s)
						run.grant(d.Tenant)
						for i, name := range bounds.Resources {
							before[thenDemand(name, d.Tenant)] = smt.IntValue(big.NewInt(run.next(d.Tenant)[bounds.Resources[i]]))
						}
						for _, term := range append(steps[d.Tenant].granted.holds, steps[d.Tenant].granted.order...) {
							if !smt.Eval(term, before).IsTrue() {
								t.Fatalf("a grant to %s: not so: %s\nin %v", d.Tenant, term, before)
							}
						}
						check("after a grant", s.facts())
						continue
					}
					stops++
					before := run.model(s)
					for i, name := range bounds.Resources {
						before[thenDemand(name, d.Tenant)] = smt.IntValue(big.NewInt(run.after(d.Tenant)[bounds.Resources[i]]))
					}
					for _, term := range append(steps[d.Tenant].stopped.holds, steps[d.Tenant].stopped.order...) {
						if !smt.Eval(term, before).IsTrue() {
							t.Fatalf("%s is served no more: not so: %s\nin %v", d.Tenant, term, before)
						}
					}
					run.stopped[d.Tenant] = true
				}
			}
			if grants == 0 || stops == 0 {
				t.Errorf("%d grants and %d stops were held against the formulas", grants, stops)
			}
		})
	}
}

// fillingRun is a filling as its trace tells it.
type fillingRun struct {
	bounds   Bounds
	tenants  []sharing.Tenant
	capacity sharing.Resources
	left     map[string][]sharing.Resources
	usage    map[string]sharing.Resources
	stopped  map[string]bool
}

func newRun(r *rand.Rand, bounds Bounds) *fillingRun {
	run := &fillingRun{
		bounds: bounds, capacity: sharing.Resources{}, left: map[string][]sharing.Resources{}, usage: map[string]sharing.Resources{},
		stopped: map[string]bool{},
	}
	for _, res := range bounds.Resources {
		run.capacity[res] = 1 + r.Int64N(30)
	}
	for _, name := range bounds.Tenants {
		t := sharing.Tenant{Name: name, Weight: 2, Budget: r.Int64N(80), Active: true}
		t.Balance, _ = sharing.NewRatio(r.Int64N(40), 1+r.Int64N(3))
		for range 1 + r.IntN(5) {
			q := sharing.Resources{}
			for _, res := range bounds.Resources {
				if x := r.Int64N(5); x > 0 {
					q[res] = x
				}
			}
			if len(q) > 0 {
				t.Demand = append(t.Demand, q)
			}
		}
		if len(t.Demand) > 0 && r.IntN(3) == 0 {
			t.Min = t.Demand[0]
		}
		run.left[name] = t.Demand
		run.usage[name] = sharing.Resources{}
		run.tenants = append(run.tenants, t)
	}
	return run
}

func (run *fillingRun) next(name string) sharing.Resources {
	if len(run.left[name]) == 0 {
		return nil
	}
	return run.left[name][0]
}

// after is the quantum after the next one.
func (run *fillingRun) after(name string) sharing.Resources {
	if len(run.left[name]) < 2 {
		return nil
	}
	return run.left[name][1]
}

func (run *fillingRun) grant(name string) {
	for res, x := range run.left[name][0] {
		run.usage[name][res] += x
	}
	run.left[name] = run.left[name][1:]
}

func (run *fillingRun) close() {
	for name, left := range run.left {
		if len(left) == 0 {
			run.stopped[name] = true
		}
	}
}

func (run *fillingRun) model(s *state) smt.Model {
	m := smt.Model{}
	set := func(x integer, v int64) { m[x.t.Name()] = smt.IntValue(big.NewInt(v)) }
	for j, res := range run.bounds.Resources {
		set(s.capacity[j], run.capacity[res])
		free := run.capacity[res]
		for i, t := range run.tenants {
			u := s.tenants[i]
			rest := int64(0)
			for _, q := range run.left[t.Name] {
				rest += q[res]
			}
			free -= run.usage[t.Name][res]
			set(u.usage[j], run.usage[t.Name][res])
			set(u.rest[j], rest)
			set(u.max[j], run.usage[t.Name][res]+rest)
			set(u.demand[j], run.next(t.Name)[res])
			set(u.quantum[j], largest(t.Demand)[res])
			set(u.min[j], t.Min[res])
			set(u.held[j], 0)
		}
		set(s.free[j], free)
	}
	for i, t := range run.tenants {
		u := s.tenants[i]
		set(u.weight, t.Weight)
		set(u.budget, t.Budget)
		m[u.active.t.Name()], m[u.was.active.t.Name()] = smt.BoolValue(t.Active), smt.BoolValue(t.Active)
		m[u.stopped.Name()] = smt.BoolValue(run.stopped[t.Name])
		b := t.Balance.Rat()
		for _, q := range []ratio{u.balance, u.was.balance} {
			m[q[0].num[0].t.Name()], m[q[0].den[0].t.Name()] = smt.IntValue(b.Num()), smt.IntValue(b.Denom())
		}
		for _, q := range []ratio{u.utility, u.was.utility, u.target} {
			m[q[0].num[0].t.Name()], m[q[0].den[0].t.Name()] = smt.IntValue(big.NewInt(0)), smt.IntValue(big.NewInt(1))
		}
	}
	return m
}
