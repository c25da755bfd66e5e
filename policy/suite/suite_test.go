package suite_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/suite"
	"github.com/interlock/interlock/specs"
)

// The suite of every shipped policy passes and reaches every part of it.
func TestShipped(t *testing.T) {
	for _, name := range specs.PolicyNames() {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("../../specs/policies", name+"_test.yaml")
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := suite.Load(file, src)
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range r.Results {
				for _, f := range x.Failures {
					t.Errorf("%s: %v", x.Case, f)
				}
			}
			for _, p := range r.Coverage {
				if !p.Reached {
					t.Errorf("%v: %s is not reached", p.At, p.What)
				}
			}
		})
	}
}

var (
	_ = policy.Kind
	_ = strings.Cut
)
