package policy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/interlock/interlock/policy"
)

// A policy says itself which facts it has to be asked about again.
func TestFacts(t *testing.T) {
	for spec, want := range map[string]struct {
		facts         policy.Facts
		settles, live bool
	}{
		"rank: 0":                                     {},
		"rank: tenant.weight + tenant.budget":         {},
		`rank: "tenant.active ? 0 : 1"`:               {facts: policy.Facts{Active: true}, live: true},
		`rank: "tenants.exists(t, t.active) ? 0 : 1"`: {facts: policy.Facts{Active: true}, live: true},
		"variables: [{name: u, expression: tenant.utility}]\nrank: variables.u":               {facts: policy.Facts{Utility: true}, live: true},
		"variables: [{name: u, expression: tenant.utility}]\nrank: 0":                         {},
		"price: \"tenant.active ? 1 : 0\"\nrank: tenant.cost":                                 {facts: policy.Facts{Active: true}, live: true},
		"rank: oldTenant.usage.size()":                                                        {facts: policy.Facts{Old: true}, live: true},
		"rank: tenant.balance":                                                                {facts: policy.Facts{Balance: true}},
		"rank: tenant.balance\nsettle: tenant.balance - 1":                                    {facts: policy.Facts{Balance: true}, settles: true, live: true},
		"rank: 0\nsettle: \"tenant.active ? 1 : 0\"":                                          {settles: true, live: true},
		"mode: Shadow\nrank: 0\nsettle: tenant.balance":                                       {},
		"rank: 0\nlimits: [{expression: \"tenant.utility < ratio(1)\", message: m}]":          {facts: policy.Facts{Utility: true}, live: true},
		"rank: 0\nlimits: [{expression: \"true\", messageExpression: string(tenant.active)}]": {},
		"rank: 0\nvalidations: [{expression: \"tenants.all(t, t.active)\", message: m}]":      {facts: policy.Facts{Active: true}, live: true},
		`rank: "dominantShare(oldTenant.usage, capacity) + oldTenant.balance"`:                {facts: policy.Facts{Old: true, Balance: true}, live: true},
	} {
		p := parse(t, spec+"\ngrant: tenant.demand")
		if p.Facts() != want.facts || p.Settles() != want.settles || p.Live() != want.live {
			t.Errorf("%s: %+v, settles %v, live %v", spec, p.Facts(), p.Settles(), p.Live())
		}
	}
}

// oldTenant is as it was when the policy was asked before.
func TestOldTenant(t *testing.T) {
	p := parse(t, "rank: 0\ngrant: tenant.demand\nlimits:\n- {expression: \"oldTenant.active != tenant.active && oldTenant.balance == ratio(2)"+
		" && oldTenant.utility == ratio(1, 3) && oldTenant.usage['x'] == 5 && tenant.balance == ratio(7)\", message: other}")
	a, err := p.Entitle(context.Background(), []policy.Tenant{{
		Name: "a", Weight: 1, Active: true, Balance: ratio(7, 1), Demand: repeat(2, amounts{"x": 1}), Held: amounts{"x": 5},
		Past: &policy.Past{Utility: ratio(1, 3), Balance: ratio(2, 1)},
	}}, amounts{"x": 9})
	if err != nil || a.Entitlements[0].Usage["x"] != 2 {
		t.Errorf("%+v, %v", a, err)
	}
}

// Balances are settled on what is held, whatever the policy says to that.
func TestBalances(t *testing.T) {
	settle := func(spec string, usage ...amounts) ([]policy.Ratio, error) {
		p := parse(t, spec+"\nrank: 0\ngrant: tenant.demand\nlimits: [{expression: \"false\", message: never}]")
		return p.Balances(context.Background(), []policy.Tenant{
			{Name: "a", Weight: 1, Active: true, Balance: ratio(10, 1), Min: amounts{"x": 4}, Max: amounts{"x": 8}},
			{Name: "b", Weight: 1, Balance: ratio(-1, 3), Max: amounts{"x": 8}},
		}, amounts{"x": 10}, usage)
	}
	for spec, want := range map[string]string{
		"settle: tenant.balance - tenant.usage['x']":                                   "[7 -1/3]",
		`settle: "tenant.active ? 1 : 0"`:                                              "[1 0]",
		`settle: "free['x'] + tenant.demand['x'] + tenant.max['x']"`:                   "[15 15]",
		"price: \"ratio(tenant.usage['x'], 2)\"\nsettle: tenant.balance - tenant.cost": "[17/2 -1/3]",
	} {
		have, err := settle(spec, amounts{"x": 3}, nil)
		if text := fmt.Sprint(have); err != nil || text != want {
			t.Errorf("%s: %s, %v, want %s", spec, text, err, want)
		}
	}
	big := "ratio(1, 9000000000000000000)"
	for spec, says := range map[string]string{
		"mode: Enforce":                                                "does not settle",
		"mode: Shadow\nsettle: tenant.balance":                         "does not settle",
		"settle: ratio(1, tenant.usage['x'])":                          "division by zero",
		"settle: " + strings.Join([]string{big, big, big, big}, " * "): "64 digits",
	} {
		if _, err := settle(spec, amounts{"x": 3}, nil); !errors.Is(err, policy.ErrRefused) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", spec, err)
		}
	}
	if _, err := settle("settle: tenant.balance", amounts{"x": 3}); !errors.Is(err, policy.ErrInput) {
		t.Errorf("usage of one of two tenants: %v", err)
	}
	if _, err := settle("settle: tenant.balance", amounts{"y": 3}, nil); !errors.Is(err, policy.ErrInput) {
		t.Errorf("usage of what there is not: %v", err)
	}
}
