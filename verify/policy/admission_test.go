package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
)

// asked is what a policy was asked by two tenants with a ladder each, and what it said.
func asked(t testing.TB, p *sharing.Policy, budget int64) *Admission {
	t.Helper()
	capacity := sharing.Resources{"slots/ingress/0": 256, "slots/ingress/1": 64}
	var demands []sharing.MemoryDemand
	for i, name := range []string{"kv", "hh"} {
		d := sharing.MemoryDemand{Tenant: sharing.Tenant{Name: name, VID: uint16(10 + i), Weight: 1, Budget: budget, Active: true}}
		d.Balance, _ = sharing.NewRatio(100, 1)
		for s := int64(16); s <= 128; s *= 2 {
			d.Rungs = append(d.Rungs, sharing.Resources{"slots/ingress/0": s, "slots/ingress/1": s / 8})
		}
		demands = append(demands, d)
	}
	bounds, err := p.MemoryBounds(context.Background(), demands, capacity)
	if err != nil {
		t.Fatal(err)
	}
	var tenants []sharing.Tenant
	var floors, ceilings []sharing.Resources
	for i, b := range bounds {
		d := demands[i]
		d.Min, d.Max = d.Rungs[0], d.Rungs[len(d.Rungs)-1]
		tenants, floors, ceilings = append(tenants, d.Tenant), append(floors, d.Rungs[b.Floor]), append(ceilings, d.Rungs[b.Ceiling])
	}
	return NewAdmission(p, tenants, capacity, floors, ceilings)
}

func decided(t *testing.T, d verify.Decider, a *Admission) error {
	t.Helper()
	s, err := a.Subject()
	if err != nil {
		t.Fatal(err)
	}
	obs, err := a.Obligations()
	if err != nil {
		t.Fatal(err)
	}
	c, err := verify.Decide(context.Background(), d, s, AdmissionVersion, obs, nil, []string{"z3", "cvc5"}, time.Unix(0, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Proved()
}

// Whatever the shipped policies let tenants have, they admit: both solvers and cel-go say so, and so does an auditor who builds it again.
func TestAdmission(t *testing.T) {
	pool := solvers(t)
	for _, name := range specs.PolicyNames() {
		t.Run(name, func(t *testing.T) {
			p, err := sharing.Load(sharing.Builtin + name)
			if err != nil {
				t.Fatal(err)
			}
			a := asked(t, p, 1000)
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
			if err != nil || !slices.Equal(one, two) {
				t.Errorf("the obligations built again are others, %v", err)
			}
		})
	}
}

// Canaries: what the policy did not say is refuted by both, and so is a policy that admits the ends but not what lies between.
func TestAdmissionRefuted(t *testing.T) {
	pool := solvers(t)
	tests := map[string]struct {
		policy string
		change func(*Admission)
		cel    string // what cel-go says; empty: it is not asked about what lies between
	}{
		"a ceiling above the budget": {
			policy: "builtin:pay-as-you-go",
			change: func(a *Admission) { a.Tenants[0].Budget = 1 },
			cel:    "would cost",
		},
		"a ceiling above the capacity": {
			policy: "builtin:drf",
			change: func(a *Admission) {
				a.Ceilings[1] = sharing.Resources{"slots/ingress/0": 300, "slots/ingress/1": 2}
				a.Tenants[1].Max = a.Ceilings[1]
			},
			cel: "316 held of 256",
		},
		"floors that do not fit together": {
			policy: "builtin:drf",
			change: func(a *Admission) {
				for i := range a.Floors {
					a.Floors[i] = sharing.Resources{"slots/ingress/0": 200, "slots/ingress/1": 8}
					a.Ceilings[i] = a.Floors[i]
					a.Tenants[i].Max = a.Floors[i]
				}
			},
			cel: "400 held of 256",
		},
		"another quota": {
			policy: "builtin:quota",
			change: func(a *Admission) { a.Params["share"] = "1/4" },
			cel:    "would hold",
		},
		"weights that drf does not know": {
			policy: "builtin:drf",
			change: func(a *Admission) { a.Tenants[0].Weight = 7 },
			cel:    "weights differ",
		},
		"together too much": {policy: "rank: 0\ngrant: tenant.demand\n" +
			"limits: [{expression: \"sum(tenants.map(t, t.usage['slots/ingress/0'])) <= 150\", message: m}]"},
		"a gap": {policy: "rank: 0\ngrant: tenant.demand\n" +
			"limits: [{expression: \"tenant.usage['slots/ingress/0'] != 40\", message: m}]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := sharing.Load(tt.policy)
			if err != nil {
				p, err = sharing.Parse("p.yaml", document(tt.policy))
			}
			if err != nil {
				t.Fatal(err)
			}
			a := asked(t, p, 1000)
			if tt.change != nil {
				tt.change(a)
			}
			if err := decided(t, pool, a); !errors.Is(err, verify.ErrRefuted) || errors.Is(err, verify.ErrDisagree) {
				t.Errorf("have %v, want refuted", err)
			}
			err = a.Agrees(context.Background())
			if tt.cel == "" && err != nil || tt.cel != "" && (err == nil || !strings.Contains(err.Error(), tt.cel)) {
				t.Errorf("cel-go: %v, want %q", err, tt.cel)
			}
		})
	}
}

func BenchmarkAdmission(b *testing.B) {
	p, err := sharing.Load("builtin:pay-as-you-go")
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{3, 64, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			a := asked(b, p, 1000)
			one, floor, ceiling := a.Tenants[0], a.Floors[0], a.Ceilings[0]
			a.Tenants, a.Floors, a.Ceilings = nil, nil, nil
			for i := range n {
				one.Name = fmt.Sprintf("t%d", i)
				a.Tenants, a.Floors, a.Ceilings = append(a.Tenants, one), append(a.Floors, floor), append(a.Ceilings, ceiling)
			}
			a.Capacity["slots/ingress/0"] = int64(n) * 256
			for b.Loop() {
				if _, err := a.Obligations(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
