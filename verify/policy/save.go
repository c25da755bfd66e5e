package policy

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/suite"
)

// ErrNoTest is wrapped when a suite cannot say what a statement claims.
var ErrNoTest = errors.New("a test can say always and finally alone, without rank, admitted, stopped and quantum")

// Save is the counterexample of a refuted statement as a test of the policy, which is called name in it: what it was asked, and what the
// statement claims. It fails until the policy is mended; a policy that refuses what is asked is. What became of the run is a comment.
func (p *Proof) Save(o *Outcome, name string) ([]byte, error) {
	c, st := o.Counterexample, p.statement(o.Statement)
	if c == nil || st == nil {
		return nil, fmt.Errorf("%s: there is no counterexample to save", o.Statement)
	}
	expect := map[string]any{"orRefused": true}
	switch {
	case st.expr == nil:
		return nil, fmt.Errorf("%s: %w", o.Statement, ErrNoTest)
	case st.Form == Always:
		expect["always"] = []string{oneLine(st.expr.text)}
	case st.Form == Finally:
		expect["statements"] = []string{oneLine(st.expr.text)}
	default:
		return nil, fmt.Errorf("%s: %w", o.Statement, ErrNoTest)
	}
	if _, err := p.policy.Statement("statement", st.expr.text, nil); err != nil { // it uses what suites do not have
		return nil, fmt.Errorf("%s: %w", o.Statement, ErrNoTest)
	}
	var tenants []map[string]any
	for _, t := range c.Tenants {
		tenants = append(tenants, written(t))
	}
	var params map[string]any
	if o.From != "" && o.From != defaults {
		params = map[string]any{}
		for _, q := range c.policy.Params() {
			params[q.Name] = sharing.Plain(q.Value)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# A counterexample of interlock policy prove to: %s\n", o.Statement)
	for _, l := range strings.Split(strings.TrimRight(c.String(), "\n"), "\n") {
		fmt.Fprintf(&b, "# %s\n", l)
	}
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err := enc.Encode(savedSuite{
		APIVersion: sharing.APIVersion, Kind: suite.Kind, Policy: name,
		Cases: []testCase{{Name: o.Statement, Params: params, Capacity: c.Capacity, Tenants: tenants, Expect: expect}},
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
	Params   map[string]any    `yaml:"params,omitempty"`
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
