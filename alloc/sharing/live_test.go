package sharing_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/sharing"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/network"
)

var ingress = alloc.Array{Control: specs.Ingress}

func ladder(t testing.TB, least, most int64) alloc.Ladder {
	t.Helper()
	l, err := alloc.NewLadder([]alloc.Register{{Array: ingress, Min: least, Max: most, Elastic: true, Fold: true}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func written(t testing.TB, spec string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("p.yaml", []byte("apiVersion: interlock/v1alpha1\nkind: SharingPolicy\nmetadata: {name: p}\nspec: {rank: 0, grant: tenant.demand, "+spec+"}"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What is known of a tenant is what was measured; what was not measured stays as it was.
func TestNote(t *testing.T) {
	p := written(t, `settle: "tenant.active ? tenant.balance - tenant.usage['slots/left/ingress/0'] : tenant.balance"`)
	a := alloc.Tenant{Name: "a", VID: 1, Weight: 1, Balance: ratio(100, 1), Ladder: ladder(t, 1, 8)}
	site := &sharing.Site{Several: true, Places: []sharing.Place{
		{Switch: "left", Tenants: []alloc.Tenant{a}, Capacity: alloc.Capacity{ingress: 16}},
		{Switch: "right", Tenants: []alloc.Tenant{a}, Capacity: alloc.Capacity{ingress: 16}},
	}}
	shares, err := site.Ask(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	live := &sharing.Live{Policy: p, Site: site, Shares: shares}
	on := func(packets, hits, held int64, discarded string) []alloc.Measured {
		return []alloc.Measured{{Sample: alloc.Sample{Packets: packets, Hits: hits, Discarded: discarded}, Held: map[alloc.Array]int64{ingress: held}}}
	}
	first := alloc.FirstOfAll
	for i, step := range []struct {
		left, right []alloc.Measured
		active      bool
		utility     policy.Ratio
		held        string
		balance     int64
	}{
		{on(0, 0, 2, first), on(0, 0, 4, first), true, policy.Ratio{}, "map[slots/left/ingress/0:2 slots/right/ingress/0:4]", 100}, // no epoch ended
		{on(3, 1, 2, ""), on(0, 0, 4, ""), true, ratio(333333, 1000000), "map[slots/left/ingress/0:2 slots/right/ingress/0:4]", 98},
		{on(1, 1, 5, ""), on(2, 1, 4, ""), true, ratio(666666, 1000000), "map[slots/left/ingress/0:5 slots/right/ingress/0:4]", 93},
		{on(0, 0, 5, ""), nil, true, ratio(666666, 1000000), "map[slots/left/ingress/0:5 slots/right/ingress/0:4]", 88}, // right is out
		{on(0, 0, 5, ""), on(0, 0, 4, alloc.WentBack), true, ratio(666666, 1000000), "map[slots/left/ingress/0:5 slots/right/ingress/0:4]", 83},
		{on(0, 0, 5, ""), on(0, 0, 0, ""), false, ratio(666666, 1000000), "map[slots/left/ingress/0:5 slots/right/ingress/0:0]", 83},
		{on(0, 0, 5, alloc.WentBack), on(0, 0, 0, alloc.WentBack), false, ratio(666666, 1000000), "map[slots/left/ingress/0:5 slots/right/ingress/0:0]", 83},
		{on(7, 7, 6, ""), nil, true, ratio(1, 1), "map[slots/left/ingress/0:6 slots/right/ingress/0:0]", 77},
	} {
		was := live.Balances()[0]
		live.Note([][]alloc.Measured{step.left, step.right})
		s, err := live.Ask(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if settled := s != nil && s.Admission.Settles(); settled != (was.Balance.Cmp(ratio(step.balance, 1)) != 0) {
			t.Errorf("epoch %d: settled: %v", i, settled)
		}
		if s != nil {
			if x := s.Admission.Tenants[0]; x.Past == nil || x.Past.Active != was.Active || x.Past.Balance.Cmp(was.Balance) != 0 || x.Past.Utility.Cmp(was.Utility) != 0 {
				t.Errorf("epoch %d: it was %+v, and the policy was told %+v", i, was, x.Past)
			}
			live.Accept(s)
		}
		x := live.Balances()[0]
		if x.Active != step.active || x.Utility.Cmp(step.utility) != 0 || fmt.Sprint(x.Held) != step.held || x.Balance.Cmp(ratio(step.balance, 1)) != 0 {
			t.Errorf("epoch %d: active %v, utility %s, held %v, balance %s; want %+v", i, x.Active, x.Utility, x.Held, x.Balance, step)
		}
	}
}

func ratio(a, b int64) policy.Ratio {
	r, err := policy.NewRatio(a, b)
	if err != nil {
		panic(err)
	}
	return r
}

// A policy that refuses leaves bounds and balances as they are; the epoch is not settled later either.
func TestRefusesLater(t *testing.T) {
	p := written(t, `settle: "tenant.balance - ratio(1) / (tenant.utility < ratio(1, 2) ? 1 : 0)"`)
	site := sharing.One([]alloc.Tenant{{Name: "a", VID: 1, Weight: 1, Balance: ratio(10, 1), Ladder: ladder(t, 1, 8)}}, alloc.Capacity{ingress: 16})
	shares, err := site.Ask(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	live := &sharing.Live{Policy: p, Site: site, Shares: shares}
	for i, step := range []struct {
		hits    int64
		refuses bool
		balance int64
	}{{1, false, 10}, {1, false, 9}, {9, true, 9}, {9, true, 9}, {1, false, 8}} {
		live.Note([][]alloc.Measured{{{Sample: alloc.Sample{Packets: 10, Hits: step.hits}, Held: map[alloc.Array]int64{ingress: 4}}}})
		s, err := live.Ask(context.Background())
		if errors.Is(err, policy.ErrRefused) != step.refuses || err != nil && !step.refuses {
			t.Errorf("epoch %d: %v", i, err)
		}
		if s != nil {
			live.Accept(s)
		}
		if b := live.Balances()[0].Balance; b.Cmp(ratio(step.balance, 1)) != 0 {
			t.Errorf("epoch %d: balance %s, want %d", i, b, step.balance)
		}
	}
}

// What a tenant may have on all switches together it may have wherever it likes: here a slot on right costs eight times one on left, so that as
// many as it can pay for by climbing on both alike may be too many.
func TestTotals(t *testing.T) {
	p, err := policy.Load("builtin:pay-as-you-go")
	if err != nil {
		t.Fatal(err)
	}
	second := alloc.Array{Control: specs.Ingress, Stage: 1}
	tenant := func(least int64, arrays ...alloc.Array) []alloc.Tenant {
		var registers []alloc.Register
		for _, a := range arrays {
			registers = append(registers, alloc.Register{Array: a, Min: least, Max: 64, Elastic: true, Fold: true})
		}
		l, err := alloc.NewLadder(registers)
		if err != nil {
			t.Fatal(err)
		}
		return []alloc.Tenant{{Name: "a", VID: 1, Weight: 1, Budget: 101, Ladder: l}}
	}
	site := &sharing.Site{Several: true, Places: []sharing.Place{
		{Switch: "left", Tenants: tenant(2, ingress, second), Capacity: alloc.Capacity{ingress: 512, second: 512}},
		{Switch: "right", Tenants: tenant(1, ingress), Capacity: alloc.Capacity{ingress: 64}},
	}}
	s, err := site.Ask(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	// It could climb to twice 32 and 32 slots. But with 96 in all it could have 64 on right, which alone cost 100, and 32 on left.
	if d := cmp.Diff([]network.Ceiling{{VID: 1, Slots: 48}}, s.Admission.Networkwide()); d != "" {
		t.Error(d)
	}
	if err := s.Admission.Agrees(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := s.Admission.Obligations(); err != nil {
		t.Error(err)
	}
	s.Admission.Totals[0] = 96
	if err := s.Admission.Agrees(context.Background()); !errors.Is(err, policy.ErrRefused) {
		t.Errorf("96 slots, wherever: %v", err)
	}
	if limits, err := s.Admission.Limits("right"); err != nil || len(limits) != 1 {
		t.Errorf("%v, %v", limits, err)
	}
	if _, err := s.Admission.Limits("elsewhere"); err == nil {
		t.Error("limits on a switch that the policy was not asked about")
	}
}
