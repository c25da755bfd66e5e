package gate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
)

// fabric is two switches with one ledger.
type fabric struct {
	rigs     [2]*rig
	ceilings []network.Ceiling
}

func newFabric(t testing.TB) *fabric {
	t.Helper()
	f := &fabric{rigs: [2]*rig{newSlots(t), newSwitch(t, "s2", "testdata/slots.p4")}}
	f.rigs[1].log, f.rigs[1].dir = f.rigs[0].log, f.rigs[0].dir
	f.rigs[1].install()
	for _, x := range tenants {
		f.ceilings = append(f.ceilings, network.Ceiling{VID: x.VID, Slots: 100})
	}
	return f
}

func (f *fabric) terms() gate.Terms {
	f.admit()
	return gate.Terms{Site: "fabric", Share: f.rigs[0].share()}
}

// admit lets tenants have everything on each switch, within the ceilings over both.
func (f *fabric) admit() {
	a := admission(f.rigs[0].t, tenants, map[string][]plan.Limit{f.rigs[0].name: f.rigs[0].limits(), f.rigs[1].name: f.rigs[1].limits()}, f.ceilings)
	f.rigs[0].admission, f.rigs[1].admission = a, a
}

// open takes mastership of both.
func (f *fabric) open() (*gate.Network, [2]*gate.Gate) {
	f.admit()
	gates := [2]*gate.Gate{f.rigs[0].gate(), f.rigs[1].gate()}
	return gate.NewNetwork(f.terms(), gates[:]...), gates
}

// plan goes to a layout on each switch; one that is nil stays as it is.
func (f *fabric) plan(gates [2]*gate.Gate, want [2]layout) *network.Input {
	t := f.rigs[0].t
	t.Helper()
	n := &alloc.Network{Site: "fabric", Policy: string(digestOf(t, f.rigs[0].admitted())), Ceilings: f.ceilings}
	plans := make([]*plan.Input, 2)
	for i, r := range f.rigs {
		pre, tables := r.state()
		c := r.context(gates[i].ElectionID())
		n.Stations = append(n.Stations, &alloc.Station{Context: c, State: pre})
		if want[i] == nil {
			continue
		}
		var err error
		if plans[i], err = c.Build(pre, r.goal(tables, want[i]), false); err != nil {
			t.Fatal(err)
		}
	}
	in, err := n.Assemble(plans)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func (f *fabric) prove(in *network.Input) gate.Proofs {
	r := f.rigs[0]
	r.t.Helper()
	p := gate.Proofs{Plans: map[string]*gate.Proof{}}
	for _, one := range in.Plans {
		if len(one.Steps) > 0 {
			p.Plans[one.Switch] = r.prove(one)
		}
	}
	var err error
	p.Network, err = gate.ProveNetwork(r.t.Context(), plan.NewEncoder(2), solver(r.t, "z3"), in, []string{"z3"}, r.now, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (f *fabric) clear(n *gate.Network, in *network.Input) *gate.NetworkClearance {
	f.rigs[0].t.Helper()
	c, err := n.ClearProved(f.rigs[0].t.Context(), in, f.prove(in))
	if err != nil {
		f.rigs[0].t.Fatal(err)
	}
	return c
}

// ann has most of s1, and of s2 later.
var (
	annLeft  = [2]layout{{10: {{Base: 0, Size: 40}}, 20: {{Base: 40, Size: 8}}}, {20: {{Base: 8, Size: 40}}}}
	annRight = [2]layout{{10: {{Base: 0, Size: 8}}, 20: {{Base: 8, Size: 40}}}, {10: {{Base: 0, Size: 40}}, 20: {{Base: 40, Size: 8}}}}
)

// The plan of each switch may rest on the one before it there, and on no other switch's.
func TestNetworkFollows(t *testing.T) {
	f := newFabric(t)
	n, gates := f.open()
	follow := func(in, on *network.Input, switches ...string) *network.Input {
		for i, p := range in.Plans {
			s, err := on.Plan(switches[i]).Subject()
			if err != nil {
				t.Fatal(err)
			}
			p.Previous = s.Digest()
		}
		return in
	}
	one := f.plan(gates, annLeft)
	stale := func(what string, in *network.Input) {
		t.Helper()
		if _, err := n.ClearProved(t.Context(), in, f.prove(in)); !errors.Is(err, gate.ErrStale) {
			t.Errorf("%s: %v", what, err)
		}
	}
	stale("after plans that were not cleared", follow(f.plan(gates, annRight), one, "s1", "s2"))
	if _, err := n.Apply(t.Context(), f.clear(n, one)); err != nil {
		t.Fatal(err)
	}
	stale("after the other switch's", follow(f.plan(gates, annRight), one, "s2", "s1"))
	two := follow(f.plan(gates, annRight), one, "s1", "s2")
	proofs := f.prove(two)
	for name, p := range proofs.Plans {
		for _, o := range p.Obligations {
			if strings.Contains(o.ID, "/before") {
				t.Errorf("%s: %s is proved again", name, o.ID)
			}
		}
	}
	c, err := n.ClearProved(t.Context(), two, proofs)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Apply(t.Context(), c); err != nil {
		t.Error(err)
	}
	for _, r := range f.rigs {
		r.mustBeSafe()
	}
}

// Memory moves from one switch to another within ceilings that both together would break.
func TestNetworkPlan(t *testing.T) {
	f := newFabric(t)
	f.ceilings[0].Slots, f.ceilings[1].Slots = 48, 48
	n, gates := f.open()
	var entries, decisions []int64
	for _, want := range [][2]layout{annLeft, annRight, annLeft} {
		in := f.plan(gates, want)
		c := f.clear(n, in)
		decisions = append(decisions, c.Decision())
		results, err := n.Apply(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range f.rigs {
			if got := r.slots(10); got != want[i][10][0].Size {
				t.Errorf("%s: ann has %d slots", r.name, got)
			}
			entries = append(entries, results[i].Outcome.Entry)
			r.mustBeSafe()
		}
		if _, err := n.Apply(t.Context(), c); !errors.Is(err, gate.ErrUsed) && !errors.Is(err, gate.ErrStale) {
			t.Errorf("a second use: %v", err)
		}
	}
	es := f.rigs[0].entries()
	for _, i := range entries {
		if es[i].Outcome == nil || es[i].Outcome.Result != "applied" {
			t.Errorf("entry %d is no outcome", i)
		}
	}
	for _, i := range decisions {
		if d := es[i].Decision; d == nil || d.Action != "network" || d.Verdict != "proved" || len(d.Inputs) != 7 {
			t.Errorf("entry %d: %+v", i, d)
		}
	}
}

// When one switch fails while it takes, the other takes too and gives nothing; when it fails while it gives, the other gives all the same.
// From either state a new network plan goes on.
func TestNetworkPlanStops(t *testing.T) {
	for _, c := range []struct {
		name string
		at   int // the write request of s1 that is refused
		gets int64
	}{{"taking", 1, 0}, {"giving", 3, 40}} {
		t.Run(c.name, func(t *testing.T) {
			f := newFabric(t)
			n, gates := f.open()
			if _, err := n.Apply(t.Context(), f.clear(n, f.plan(gates, annLeft))); err != nil {
				t.Fatal(err)
			}
			seen := 0
			f.rigs[0].faults.setCall(func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
				if _, ok := req.(*p4v1.WriteRequest); ok {
					if seen++; seen == c.at {
						return nil, status.Error(codes.Aborted, "injected")
					}
				}
				return handle(ctx, req)
			})
			results, err := n.Apply(t.Context(), f.clear(n, f.plan(gates, annRight)))
			if err == nil || results[0].Err == nil {
				t.Fatal("nothing failed")
			}
			if c.gets == 0 && (!errors.Is(results[1].Err, gate.ErrElsewhere) || !strings.Contains(results[1].Err.Error(), "round 2 does not begin: switch s1")) {
				t.Errorf("s2: %v", results[1].Err)
			} else if c.gets > 0 && results[1].Err != nil {
				t.Errorf("s2: %v", results[1].Err)
			}
			if ann, bob := f.rigs[1].slots(10), f.rigs[1].slots(20); ann != c.gets || bob != 8 && c.gets > 0 || bob != 0 && c.gets == 0 {
				t.Errorf("s2: ann has %d slots, bob %d", ann, bob)
			}
			f.rigs[0].faults.setCall(nil)
			n, gates = f.open()
			if _, err := n.Apply(t.Context(), f.clear(n, f.plan(gates, annRight))); err != nil {
				t.Errorf("going on: %v", err)
			}
			for _, r := range f.rigs {
				r.mustBeSafe()
			}
		})
	}
}

// slots that a tenant has in the first stage.
func (r *rig) slots(vid uint16) int64 {
	r.t.Helper()
	if _, tables := r.state(); tables[keyOf(vid)] != nil {
		return tables[keyOf(vid)][0].Size
	}
	return 0
}

// What was not proved, or is not what was proved, reaches no switch.
func TestNetworkRefusals(t *testing.T) {
	f := newFabric(t)
	n, gates := f.open()
	if _, err := n.Apply(t.Context(), f.clear(n, f.plan(gates, annLeft))); err != nil {
		t.Fatal(err)
	}
	in := f.plan(gates, annRight)
	proofs := f.prove(in)
	size := f.rigs[0].log.Size()
	for name, c := range map[string]struct {
		change func(in *network.Input)
		want   error
	}{
		"rounds in one": {func(in *network.Input) {
			in.Rounds = []network.Round{{{Switch: "s1", Steps: len(in.Plans[0].Steps)}, {Switch: "s2", Steps: len(in.Plans[1].Steps)}}}
		}, gate.ErrTampered},
		"a switch less": {func(in *network.Input) { in.Plans = in.Plans[:1] }, gate.ErrStale},
		"a ceiling more": {func(in *network.Input) {
			in.Ceilings = append([]network.Ceiling{{VID: 9, Slots: 1}}, in.Ceilings...)
		}, gate.ErrTampered},
		"another site":     {func(in *network.Input) { in.Site = "other" }, gate.ErrTampered},
		"an absent switch": {func(in *network.Input) { in.Absent = []network.Absent{{Switch: "s3"}} }, gate.ErrStale},
		"no ceiling kept":  {func(in *network.Input) { in.Policy = "generous" }, gate.ErrTampered},
	} {
		bad := *in
		c.change(&bad)
		if _, err := n.ClearProved(t.Context(), &bad, proofs); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	proofs.Network.Certificate.Results = nil
	if _, err := n.ClearProved(t.Context(), in, proofs); !errors.Is(err, gate.ErrTampered) {
		t.Errorf("another certificate: %v", err)
	}
	// Refuted: both switches give and take at once.
	in.Rounds = []network.Round{{{Switch: "s1", Steps: len(in.Plans[0].Steps)}, {Switch: "s2", Steps: len(in.Plans[1].Steps)}}}
	if _, err := n.ClearProved(t.Context(), in, f.prove(in)); !errors.Is(err, verify.ErrRefuted) {
		t.Errorf("out of order: %v", err)
	}
	if f.rigs[0].log.Size() == size {
		t.Error("nothing of it is in the ledger")
	}
	// A switch that nothing is planned for has changed all the same.
	in = f.plan(gates, [2]layout{annRight[0], nil})
	c := f.clear(n, in)
	f.rigs[1].election++
	o := f.rigs[1].outsider(f.rigs[1].election)
	_, tables := f.rigs[1].state()
	b, err := f.rigs[1].codec.Encode(alloc.Tables{keyOf(20): tables[keyOf(20)]})
	if err != nil {
		t.Fatal(err)
	}
	o.write(&p4v1.Update{Type: p4v1.Update_DELETE, Entity: firstEntity(t, b)})
	o.cancel()
	if _, err := n.Apply(t.Context(), c); err == nil {
		t.Error("applied although s2 has changed")
	}
	if f.rigs[0].slots(10) != 40 {
		t.Error("s1 was changed")
	}
}
