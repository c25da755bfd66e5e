package suite_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/suite"
)

// What the README's chapter shows is a policy with tests that pass, and the same policy as in testdata, comments and descriptions apart.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var doc, tests string
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		switch {
		case strings.Contains(m[1], "kind: SharingPolicyTest\n"):
			tests = m[1]
		case strings.Contains(m[1], "kind: SharingPolicy\n"):
			doc = m[1]
		}
	}
	p, err := policy.Parse("README.md", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	s, err := suite.Parse("README.md", []byte(tests), func(string) (*policy.Policy, error) { return p, nil })
	if err != nil {
		t.Fatal(err)
	}
	check(t, s)
	whole, err := policy.Load("../../testdata/policies/gold-silver.yaml")
	if err != nil {
		t.Fatal(err)
	}
	have, want := p.Expressions(), whole.Expressions()
	if len(have) != len(want) {
		t.Fatalf("%d expressions, and %d in testdata", len(have), len(want))
	}
	for i := range have {
		if have[i].Text != want[i].Text {
			t.Errorf("%s\nis in testdata\n%s", have[i].Text, want[i].Text)
		}
	}
}

// The README's policy that follows the traffic does what it is said to do.
func TestReadmeLive(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	spec := regexp.MustCompile("(?s)```yaml\n(spec:.*?)```").FindStringSubmatch(string(text))
	if spec == nil {
		t.Fatal("there is none")
	}
	p, err := policy.Parse("README.md", []byte("apiVersion: interlock/v1alpha1\nkind: SharingPolicy\nmetadata: {name: readme}\n"+spec[1]))
	if err != nil {
		t.Fatal(err)
	}
	if want := (policy.Facts{Active: true, Utility: true}); p.Facts() != want || !p.Live() {
		t.Errorf("it reads %+v", p.Facts())
	}
	s, err := suite.Parse("README.md", []byte(`apiVersion: interlock/v1alpha1
kind: SharingPolicyTest
policy: README.md
capacity: {slots/ingress/0: 8}
tenants:
  - {name: a, target: 1/2, demand: {slots/ingress/0: 1}, quanta: 8, min: {slots/ingress/0: 1}}
  - {name: b, target: 1/2, demand: {slots/ingress/0: 1}, quanta: 8, min: {slots/ingress/0: 1}}
cases:
  - name: without traffic
    tenants:
      - {name: a, target: 1/2, demand: {slots/ingress/0: 1}, quanta: 8, min: {slots/ingress/0: 1}}
      - {name: b, target: 1/2, demand: {slots/ingress/0: 1}, quanta: 8, min: {slots/ingress/0: 1}, active: false}
    expect: {allocation: {a: {slots/ingress/0: 7}, b: {slots/ingress/0: 1}}, stopped: {b: {reason: Idle}}}
  - name: satisfied
    tenants:
      - {name: a, target: 1/2, demand: {slots/ingress/0: 1}, quanta: 5, min: {slots/ingress/0: 1}}
      - {name: b, target: 1/2, utility: 0.6, demand: {slots/ingress/0: 1}, quanta: 8, min: {slots/ingress/0: 1}}
    expect: {allocation: {a: {slots/ingress/0: 5}, b: {slots/ingress/0: 3}}}
`), func(string) (*policy.Policy, error) { return p, nil })
	if err != nil {
		t.Fatal(err)
	}
	check(t, s)
}

// The example passes whole.
func TestExample(t *testing.T) {
	const file = "../../testdata/policies/gold-silver_test.yaml"
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := suite.Load(file, src)
	if err != nil {
		t.Fatal(err)
	}
	check(t, s)
}

func check(t *testing.T, s *suite.Suite) *suite.Report {
	t.Helper()
	r, err := s.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range r.Results {
		for _, f := range x.Failures {
			t.Errorf("%s: %v", x.Case, f)
		}
	}
	return r
}
