package policy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/suite"
)

// Save is the counterexample of a refuted statement as a test of the policy, which is called name in it. What the statement claims is expected
// where suites can say it, so that the test fails until the policy is mended; else the test holds what the policy does now.
func (p *Proof) Save(ctx context.Context, o *Outcome, name string) ([]byte, error) {
	c := o.Counterexample
	if c == nil {
		return nil, fmt.Errorf("%s: there is no counterexample to save", o.Statement)
	}
	var tenants []map[string]any
	for _, t := range c.Tenants {
		tenants = append(tenants, written(t))
	}
	expect := map[string]any{}
	a, err := p.policy.Entitle(ctx, c.Tenants, c.Capacity)
	var refusal *sharing.Refusal
	switch {
	case errors.As(err, &refusal):
		expect["refused"] = map[string]any{"reason": refusal.Reason}
	case err != nil:
		return nil, err
	default:
		held := map[string]any{}
		for _, e := range a.Entitlements {
			held[e.Tenant] = e.Usage
		}
		expect["allocation"] = held
		if st := p.statement(o.Statement); st != nil && st.expr != nil && (st.Form == Always || st.Form == Finally) {
			if _, err := p.policy.Statement("statement", st.expr.text, nil); err == nil { // it uses nothing that suites do not have
				expect["statements"] = []string{oneLine(st.expr.text)}
			}
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# A counterexample of interlock policy prove to: %s\n", o.Statement)
	for _, l := range strings.Split(strings.TrimRight(c.String(), "\n"), "\n") {
		fmt.Fprintf(&b, "# %s\n", l)
	}
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err = enc.Encode(savedSuite{
		APIVersion: sharing.APIVersion, Kind: suite.Kind, Policy: name,
		Cases: []testCase{{Name: o.Statement, Capacity: c.Capacity, Tenants: tenants, Expect: expect}},
	})
	return b.Bytes(), err
}

// savedSuite is a suite as it is written; see package suite for what it means.
type savedSuite struct {
	APIVersion string     `yaml:"apiVersion"`
	Kind       string     `yaml:"kind"`
	Policy     string     `yaml:"policy"`
	Cases      []testCase `yaml:"cases"`
}

type testCase struct {
	Name     string            `yaml:"name"`
	Capacity sharing.Resources `yaml:"capacity"`
	Tenants  []map[string]any  `yaml:"tenants"`
	Expect   map[string]any    `yaml:"expect"`
}

// written is a tenant as suites write it: what is as usual is left out.
func written(t sharing.Tenant) map[string]any {
	m := map[string]any{"name": t.Name, "weight": t.Weight, "active": t.Active}
	if t.VID > 0 {
		m["vid"] = t.VID
	}
	if t.Budget > 0 {
		m["budget"] = t.Budget
	}
	for name, r := range map[string]sharing.Ratio{"balance": t.Balance, "utility": t.Utility, "target": t.Target} {
		if r.Rat().Sign() != 0 {
			m[name] = r.String()
		}
	}
	for name, r := range map[string]sharing.Resources{"min": t.Min, "held": t.Held} {
		if positive(r) {
			m[name] = r
		}
	}
	if p := t.Past; p != nil && (p.Active != t.Active || p.Balance.Cmp(t.Balance) != 0 || p.Utility.Cmp(t.Utility) != 0) {
		m["past"] = map[string]any{"active": p.Active, "balance": p.Balance.String(), "utility": p.Utility.String()}
	}
	if len(t.Demand) > 0 {
		m["demand"] = t.Demand
	}
	if t.Max != nil {
		m["max"] = t.Max
	}
	return m
}
