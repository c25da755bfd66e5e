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
	"github.com/interlock/interlock/verify/network"
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
	shares, err := sharing.One(tenants, alloc.Capacity{array: 256}).Ask(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	bounds, admitted := shares.Bounds[0], shares.Admission
	want := []plan.Limit{
		{VID: 1, Control: specs.Ingress, Floor: 16, Ceiling: 128},
		{VID: 2, Control: specs.Ingress, Floor: 64, Ceiling: 64},
	}
	if d := cmp.Diff(want, alloc.Limits(tenants, bounds)); d != "" {
		t.Error(d)
	}
	if have, err := admitted.Limits("s1"); err != nil || cmp.Diff(want, have) != "" {
		t.Errorf("the admission's limits: %v, %v", have, err)
	}
	if bounds[0].Why != "slots/ingress/0: 128 asked, 64 free of 256" {
		t.Errorf("why: %q", bounds[0].Why)
	}
	if obs, err := admitted.Obligations(); err != nil || len(obs) == 0 {
		t.Errorf("%d obligations, %v", len(obs), err)
	}
	if err := admitted.Agrees(context.Background()); err != nil {
		t.Error(err)
	}
	other, err := sharing.One(tenants, alloc.Capacity{array: 257}).Ask(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	one, err := admitted.Subject()
	if err != nil {
		t.Fatal(err)
	}
	if two, err := other.Admission.Subject(); err != nil || one.Digest() == two.Digest() {
		t.Errorf("digest %s for another capacity too, %v", one.Digest(), err)
	}
	if _, err := sharing.One(tenants, alloc.Capacity{array: 79}).Ask(context.Background(), p); !errors.Is(err, policy.ErrRefused) {
		t.Errorf("floors that do not fit: %v", err)
	}
}

// One budget is spent once, wherever: each switch by itself would let the tenant have as much as all of them together do.
func TestNetwork(t *testing.T) {
	p, err := policy.Load("builtin:pay-as-you-go")
	if err != nil {
		t.Fatal(err)
	}
	array := alloc.Array{Control: specs.Ingress}
	tenant := func(name string, vid uint16, budget, least int64) alloc.Tenant {
		l, err := alloc.NewLadder([]alloc.Register{{Array: array, Min: least, Max: 256, Elastic: true, Fold: true}})
		if err != nil {
			t.Fatal(err)
		}
		return alloc.Tenant{Name: name, VID: vid, Weight: 1, Budget: budget, Ladder: l}
	}
	a, b := tenant("a", 1, 50, 0), tenant("b", 2, 1000, 16) // 100 credits buy all of one array
	places := []sharing.Place{
		{Switch: "left", Tenants: []alloc.Tenant{a}, Capacity: alloc.Capacity{array: 256}},
		{Switch: "right", Tenants: []alloc.Tenant{b, a}, Capacity: alloc.Capacity{array: 256}},
	}
	site := &sharing.Site{Places: places, Several: true}
	s, err := site.Ask(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	size := func(place, tenant, rung int) int64 { return places[place].Tenants[tenant].Ladder.Rungs[rung].Memory }
	if l, r := size(0, 0, s.Bounds[0][0].Ceiling), size(1, 1, s.Bounds[1][1].Ceiling); l != 128 || r != 128 {
		t.Errorf("a may have %d on left and %d on right", l, r)
	}
	if floor, most := size(1, 0, s.Bounds[1][0].Floor), size(1, 0, s.Bounds[1][0].Ceiling); floor != 16 || most != 256 {
		t.Errorf("b may have %d to %d on right", floor, most)
	}
	if d := cmp.Diff([]network.Ceiling{{VID: 1, Slots: 128}, {VID: 2, Slots: 256}}, s.Admission.Networkwide()); d != "" {
		t.Error(d)
	}
	places[0].Capacity = alloc.Capacity{array: 255}
	if other, err := site.Ask(context.Background(), p); err != nil || other.Admission.Capacity["slots/left/ingress/0"] != 255 {
		t.Errorf("another capacity: %v", err)
	}
	places[1].Tenants[0] = tenant("b", 2, 1, 16)
	if _, err := site.Ask(context.Background(), p); !errors.Is(err, policy.ErrRefused) {
		t.Errorf("a floor that nobody pays for: %v", err)
	}
}
