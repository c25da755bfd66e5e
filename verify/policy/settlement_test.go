package policy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
)

// settled is an admission at the end of an epoch in which the tenants held that much of ingress/0.
func settled(t testing.TB, p *sharing.Policy, held ...int64) *Admission {
	t.Helper()
	a := asked(t, p, 1000)
	before := make([]sharing.Tenant, len(a.Tenants))
	var usage []sharing.Resources
	for i := range a.Tenants {
		u := sharing.Resources{"slots/ingress/0": held[i], "slots/ingress/1": held[i] / 8}
		a.Tenants[i].Held = u
		a.Before = append(a.Before, a.Tenants[i].Balance)
		usage, before[i] = append(usage, u), a.Tenants[i]
	}
	after, err := p.Balances(context.Background(), before, a.Capacity, usage)
	if err != nil {
		t.Fatal(err)
	}
	for i := range after {
		a.Tenants[i].Balance = after[i]
		a.Tenants[i].Past = &sharing.Past{Active: true, Balance: a.Before[i]}
	}
	return a
}

func prepaid(t testing.TB) *sharing.Policy {
	t.Helper()
	p, err := sharing.Parse("prepaid", document(`price: "sum(capacity.transformList(r, all, ratio(tenant.usage[r], all))) * 10"
rank: tenant.cost
grant: tenant.demand
limits: [{expression: "tenant.usage == tenant.min || tenant.cost <= tenant.balance", message: spent}]
settle: "max([ratio(0), tenant.balance - tenant.cost])"`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What policies settle is proved by both solvers, and by cel-go.
func TestSettlement(t *testing.T) {
	pool := solvers(t)
	credits, err := sharing.Load("builtin:credits")
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*sharing.Policy{"credits": credits, "prepaid": prepaid(t)} {
		t.Run(name, func(t *testing.T) {
			a := settled(t, p, 96, 16)
			if a.Tenants[0].Balance.Cmp(a.Before[0]) == 0 && a.Tenants[1].Balance.Cmp(a.Before[1]) == 0 {
				t.Fatal("nothing is settled")
			}
			if err := decided(t, pool, a); err != nil {
				t.Error(err)
			}
			if err := a.Agrees(context.Background()); err != nil {
				t.Error(err)
			}
			s, err := a.Subject()
			if err != nil {
				t.Fatal(err)
			}
			again, err := AdmissionFrom(s.Inputs)
			if err != nil {
				t.Fatal(err)
			}
			one, err := a.Obligations()
			if err != nil {
				t.Fatal(err)
			}
			two, err := again.Obligations()
			if err != nil || fmt.Sprint(one) != fmt.Sprint(two) {
				t.Errorf("the obligations built again are others, %v", err)
			}
		})
	}
}

// Canaries: what was not settled so is refuted by both solvers and by cel-go, each input of it being able to make it so.
func TestSettlementRefuted(t *testing.T) {
	pool := solvers(t)
	one, err := sharing.NewRatio(1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Admission){
		"a thousandth more":      func(a *Admission) { a.Tenants[0].Balance = asRatio(a.Tenants[0].Balance.Add(one)) },
		"another balance before": func(a *Admission) { a.Before[1] = asRatio(a.Before[1].Subtract(one)) },
		"it held another amount": func(a *Admission) { a.Tenants[0].Held = sharing.Resources{"slots/ingress/0": 100} },
		"balances of each other": func(a *Admission) {
			a.Tenants[0].Balance, a.Tenants[1].Balance = a.Tenants[1].Balance, a.Tenants[0].Balance
		},
		"the lender was not active":   func(a *Admission) { a.Tenants[1].Active = false },
		"there was more to be shared": func(a *Admission) { a.Capacity["slots/ingress/0"]++ },
	} {
		t.Run(name, func(t *testing.T) {
			p, err := sharing.Load("builtin:credits")
			if err != nil {
				t.Fatal(err)
			}
			a := settled(t, p, 96, 16)
			change(a)
			if err := decided(t, pool, a); !errors.Is(err, verify.ErrRefuted) || errors.Is(err, verify.ErrDisagree) || !strings.Contains(err.Error(), "Y/settle") {
				t.Errorf("have %v, want refuted", err)
			}
			if err := a.Agrees(context.Background()); !errors.Is(err, errUnsettled) {
				t.Errorf("cel-go: %v", err)
			}
		})
	}
	for name, change := range map[string]func(*Admission){
		"of fewer tenants":        func(a *Admission) { a.Before = a.Before[:1] },
		"of what there is not":    func(a *Admission) { a.Tenants[0].Held = sharing.Resources{"slots/ingress/9": 1} },
		"of more than there is":   func(a *Admission) { a.Tenants[0].Held = sharing.Resources{"slots/ingress/0": 1 << 40} },
		"of less than nothing":    func(a *Admission) { a.Tenants[0].Held = sharing.Resources{"slots/ingress/0": -1} },
		"by whom settles nothing": func(a *Admission) { a.Text = document("rank: 0\ngrant: tenant.demand"); a.Params = nil },
	} {
		p, err := sharing.Load("builtin:credits")
		if err != nil {
			t.Fatal(err)
		}
		a := settled(t, p, 96, 16)
		change(a)
		if _, err := a.Obligations(); !errors.Is(err, errShape) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func asRatio(v any) sharing.Ratio { r, _ := v.(sharing.Ratio); return r }

// The solvers settle as cel-go does, whatever tenants held and had.
func TestSettlementsAgree(t *testing.T) {
	pool := solvers(t)
	p, err := sharing.Load("builtin:credits")
	if err != nil {
		t.Fatal(err)
	}
	const seed = 20261129
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	for range 20 {
		x := r.Int64N(17) * 8
		a := settled(t, p, x, r.Int64N(17)*8)
		a.Before[0], err = sharing.NewRatio(r.Int64N(4001)-2000, 1+r.Int64N(9))
		if err != nil {
			t.Fatal(err)
		}
		a.Tenants[0].Active, a.Tenants[1].Active = r.IntN(2) == 0, r.IntN(2) == 0
		wrong := r.IntN(2) == 0
		after, err := p.Balances(context.Background(), a.ending(), a.Capacity, []sharing.Resources{a.Tenants[0].Held, a.Tenants[1].Held})
		if err != nil {
			t.Fatal(err)
		}
		for i := range after {
			a.Tenants[i].Balance = after[i]
		}
		if wrong {
			a.Tenants[1].Balance = asRatio(after[1].Negate())
			wrong = after[1].Cmp(a.Tenants[1].Balance) != 0
		}
		o, err := a.settlement(p)
		if err != nil {
			t.Fatal(err)
		}
		results, err := pool.Decide(context.Background(), []verify.Obligation{o}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, have := range results {
			if want := map[bool]verify.Verdict{false: verify.Proved, true: verify.Refuted}[wrong]; have.Verdict != want {
				t.Errorf("%s says %s, want %s, of\n%s", have.Solver, have.Verdict, want, o.Text)
			}
		}
	}
}

// What a tenant may have on all switches together it may have wherever it likes: solvers and cel-go find the place where it is too much.
func TestTotals(t *testing.T) {
	pool := solvers(t)
	p, err := sharing.Parse("p.yaml", document("rank: 0\ngrant: tenant.demand\nlimits:\n- {message: too dear, expression: "+
		"\"tenant.usage['slots/left/ingress/0'] + 4 * tenant.usage['slots/right/ingress/0'] <= 100\"}"))
	if err != nil {
		t.Fatal(err)
	}
	ceiling := sharing.Resources{"slots/left/ingress/0": 100, "slots/right/ingress/0": 25}
	a := NewAdmission(p, []sharing.Tenant{{Name: "a", VID: 1, Weight: 1, Active: true, Max: ceiling}},
		sharing.Resources{"slots/left/ingress/0": 256, "slots/right/ingress/0": 256}, []sharing.Resources{{}}, []sharing.Resources{ceiling})
	a.Switches = []string{"left", "right"}
	if _, err := a.Obligations(); !errors.Is(err, errShape) {
		t.Errorf("no totals for two switches: %v", err)
	}
	for total, admitted := range map[int64]bool{25: true, 26: false, 100: false} {
		a.Totals = []int64{total}
		err := decided(t, pool, a)
		if errors.Is(err, verify.ErrRefuted) == admitted || err != nil && admitted || errors.Is(err, verify.ErrDisagree) {
			t.Errorf("the solvers say of %d slots: %v", total, err)
		}
		if err := a.Agrees(context.Background()); (err == nil) != admitted {
			t.Errorf("cel-go says of %d slots: %v", total, err)
		}
	}
}
