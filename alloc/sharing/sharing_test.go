package sharing_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/sharing"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
)

func TestBounds(t *testing.T) {
	p, err := policy.Load("builtin:drf")
	if err != nil {
		t.Fatal(err)
	}
	array := alloc.Array{Control: specs.Ingress}
	tenant := func(name string, vid uint16, least, most int64) alloc.Tenant {
		l, err := alloc.NewLadder([]alloc.Register{{Array: array, Min: least, Max: most, Elastic: least < most, Fold: true}})
		if err != nil {
			t.Fatal(err)
		}
		return alloc.Tenant{Name: name, VID: vid, Weight: 1, Ladder: l}
	}
	tenants := []alloc.Tenant{tenant("a", 1, 16, 256), tenant("b", 2, 64, 64)}
	bounds, digest, err := sharing.Bounds(context.Background(), p, tenants, alloc.Capacity{array: 256})
	if err != nil {
		t.Fatal(err)
	}
	want := []plan.Limit{
		{VID: 1, Control: specs.Ingress, Floor: 16, Ceiling: 128},
		{VID: 2, Control: specs.Ingress, Floor: 64, Ceiling: 64},
	}
	if d := cmp.Diff(want, alloc.Limits(tenants, bounds)); d != "" {
		t.Error(d)
	}
	if bounds[0].Why != "slots/ingress/0: 128 asked, 64 free of 256" {
		t.Errorf("why: %q", bounds[0].Why)
	}
	_, other, err := sharing.Bounds(context.Background(), p, tenants, alloc.Capacity{array: 257})
	if err != nil || other == digest {
		t.Errorf("digest %s for another capacity too, %v", other, err)
	}
	if _, _, err := sharing.Bounds(context.Background(), p, tenants, alloc.Capacity{array: 79}); !errors.Is(err, policy.ErrRefused) {
		t.Errorf("floors that do not fit: %v", err)
	}
}
