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
