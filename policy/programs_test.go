package policy_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/interlock/interlock/policy"
)

func TestEntitlePrograms(t *testing.T) {
	capacity := map[string]int64{"stages": 12, "sramBlocks": 10}
	programs := []policy.Program{
		{Tenant: "a", Weight: 1, Usage: map[string]int64{"stages": 9, "sramBlocks": 4}},
		{Tenant: "b", Weight: 1, Usage: map[string]int64{"stages": 9, "sramBlocks": 5}},
		{Tenant: "c", Weight: 1, Usage: map[string]int64{"stages": 1, "sramBlocks": 2}},
	}
	have, a, err := load(t, "builtin:drf").EntitlePrograms(context.Background(), programs, capacity, "stages")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]policy.Entitled{
		"a": {Limits: map[string]int64{"stages": 12, "sramBlocks": 4}},
		"b": {Limits: map[string]int64{"stages": 12, "sramBlocks": 5}},
		"c": {Limits: map[string]int64{"stages": 12, "sramBlocks": 0}, Why: "sramBlocks: 2 asked, 1 free of 10"},
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
	if len(a.Trace) != 3 {
		t.Errorf("trace %+v", a.Trace)
	}
	programs[0].Usage["mirrors"] = 1
	if _, _, err := load(t, "builtin:drf").EntitlePrograms(context.Background(), programs, capacity, "stages"); !errors.Is(err, policy.ErrInput) {
		t.Errorf("a resource that the target does not have: %v", err)
	}
}
