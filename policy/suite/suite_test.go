package suite_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/suite"
	"github.com/interlock/interlock/specs"
)

// The suite of every shipped policy passes, reaches every part of it, and is as the schema says.
func TestShipped(t *testing.T) {
	s := schema(t, suite.Schema)
	for _, name := range specs.PolicyNames() {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("../../specs/policies", name+"_test.yaml")
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if err := yaml.Unmarshal(src, &v); err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(v); err != nil {
				t.Error(err)
			}
			x, err := suite.Load(file, src)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range check(t, x).Coverage {
				if !p.Reached {
					t.Errorf("%v: %s is not reached", p.At, p.What)
				}
			}
			if _, err := os.Stat(filepath.Join("../../specs/policies", name+".md")); err != nil {
				t.Error(err)
			}
		})
	}
}

func schema(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("s.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("s.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const own = `apiVersion: interlock/v1alpha1
kind: SharingPolicy
metadata: {name: own}
spec:
  price: "tenant.usage['x']"
  rank: tenant.cost
  grant: tenant.demand
  limits:
  - {expression: tenant.cost <= tenant.budget, message: too dear, reason: TooDear}
  validations:
  - {expression: "free['x'] > 0", message: nothing is left}
  settle: tenant.balance - tenant.cost
`

func parse(t *testing.T, text string) (*suite.Suite, error) {
	t.Helper()
	return suite.Parse("s.yaml", []byte(text), func(string) (*policy.Policy, error) { return policy.Parse("own.yaml", []byte(own)) })
}

// Each kind of expectation fails where it is not met, at its place, and passes where it is.
func TestExpectations(t *testing.T) {
	const head = "apiVersion: interlock/v1alpha1\nkind: SharingPolicyTest\npolicy: own\ncapacity: {x: 4}\n" +
		"tenants: [{name: a, budget: 2, balance: 9, demand: {x: 1}, quanta: 3}, {name: b}]\ncases:\n- name: c\n  expect: "
	tests := []struct{ name, expect, want string }{
		{"right", "{allocation: {a: {x: 2}, b: {}}, free: {x: 2}, costs: {a: 2}, balances: {a: 7}, stopped: {a: {reason: TooDear, message: dear}}, statements: [\"tenant.cost < 3\"]}", ""},
		{"allocation", "{allocation: {a: {x: 1}}}", "s.yaml:8:28: tenant a holds 2 of x, want 1"},
		{"nothing", "{allocation: {a: {}}}", "s.yaml:8:28: tenant a holds 2 of x, want 0"},
		{"free", "{free: {x: 3}}", "s.yaml:8:18: free is 2 of x, want 3"},
		{"cost", "{costs: {a: 5/2}}", "s.yaml:8:23: tenant a costs 2, want 5/2"},
		{"balance", "{balances: {a: 8}}", "s.yaml:8:26: tenant a has the balance 7, want 8"},
		{"reason", "{stopped: {a: {reason: Other}}}", "s.yaml:8:25: tenant a was stopped by TooDear"},
		{"message", "{stopped: {a: {message: cheap}}}", `want a message with "cheap"`},
		{"not stopped", "{stopped: {b: {}}}", "s.yaml:8:25: tenant b got all that it asked for"},
		{"not refused", "{refused: {}}", "s.yaml:8:21: nothing was refused"},
		{"statement", "{statements: [\"tenant.name == 'b'\"]}", "does not hold of tenant a"},
		{"statement that fails", "{statements: [\"1 / tenant.weight > 0 && 1 / (tenant.weight - 1) > 0\"]}", "division by zero"},
		{"always", "{always: [\"tenant.usage['x'] != 1\"]}", "does not hold of tenant a after decision 1"},
		{"always, at the start", "{always: [\"tenant.usage['x'] > 0\"]}", "does not hold of tenant a at the start"},
		{"always, right", "{always: [\"tenant.usage['x'] < 3\"], orRefused: true}", ""},
		{"refused or", "{free: {x: 3}, orRefused: true}", "s.yaml:8:18: free is 2 of x, want 3"},
		{"shadowed", "{shadowed: [{reason: TooDear}]}", "none of the 0 things that would have been refused is this"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parse(t, head+tt.expect+"\n")
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			var have []string
			for _, f := range r.Results[0].Failures {
				have = append(have, f.String())
			}
			all := strings.Join(have, "\n")
			if (all == "") != (tt.want == "") || !strings.Contains(all, tt.want) {
				t.Errorf("have %q\nwant %q", all, tt.want)
			}
			var b bytes.Buffer
			if err := suite.WriteJUnit(&b, []*suite.Report{r}); err != nil {
				t.Fatal(err)
			}
			var junit struct {
				Failures int `xml:"failures,attr"`
			}
			if err := xml.Unmarshal(b.Bytes(), &junit); err != nil || (junit.Failures == 0) != (tt.want == "") {
				t.Errorf("%d failures in JUnit, %v", junit.Failures, err)
			}
		})
	}
}

// A refusal is expected with its reason; anything else about it is a failure.
func TestRefused(t *testing.T) {
	const head = "apiVersion: interlock/v1alpha1\nkind: SharingPolicyTest\npolicy: own\ncapacity: {x: 1}\n" +
		"tenants: [{name: a, budget: 2, demand: {x: 1}}]\ncases:\n- name: c\n  expect: "
	for expect, good := range map[string]bool{
		"{refused: {reason: Invalid, message: nothing is left}}": true, "{refused: {}}": true,
		"{refused: {reason: Other}}": false, "{refused: {tenant: a}}": false, "{refused: {message: other}}": false, "{free: {x: 0}}": false,
		"{free: {x: 3}, orRefused: true}": true,
	} {
		s, err := parse(t, head+expect+"\n")
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Run(context.Background())
		if err != nil || (r.Failed() == 0) != good {
			t.Errorf("%s: %+v, %v", expect, r, err)
		}
	}
}

// FuzzParse reads anything, and runs what it can read.
func FuzzParse(f *testing.F) {
	for _, name := range specs.PolicyNames() {
		text, _ := specs.PolicyTests(name)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := suite.Parse("s.yaml", text, func(string) (*policy.Policy, error) { return policy.Load("builtin:credits") })
		if (s == nil) == (err == nil) {
			t.Fatalf("suite %v, error %v", s, err)
		}
	})
}
