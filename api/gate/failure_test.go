package gate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/plan"
)

// atStep makes f happen when the switch gets the n-th step (from 1) of a plan.
func atStep(n int, f func(proto.Message) error) func(proto.Message) error {
	seen := 0
	return func(m proto.Message) error {
		if seen++; seen == n {
			return f(m)
		}
		return nil
	}
}

// recoverAll brings the switch to a layout after a failure: what was left is recorded, and a new plan is proved and applied.
func (r *rig) recoverAll(want layout) {
	r.t.Helper()
	r.faults.set(nil, nil, nil)
	g := r.gate()
	defer g.Close()
	es := r.entries()
	last := es[len(es)-1]
	if last.Outcome != nil {
		if _, err := g.Recover(r.t.Context(), verify.Digest(last.Outcome.PostState), last.Outcome.Decision); err != nil {
			r.t.Fatal(err)
		}
	}
	pre, tables := r.state()
	in, err := r.context(g.ElectionID()).Build(pre, r.goal(tables, want), false)
	if err != nil {
		r.t.Fatal(err)
	}
	if in == nil {
		return
	}
	if _, err := g.Apply(r.t.Context(), r.clear(g, in)); err != nil {
		r.t.Fatal(err)
	}
}

func TestSwitchRefusesAnUpdate(t *testing.T) {
	for step := 1; step <= 5; step++ {
		t.Run(fmt.Sprint("step ", step), func(t *testing.T) {
			r := newSlots(t)
			g := r.gate()
			r.apply(g, first)
			in := r.plan(g.ElectionID(), second)
			if len(in.Steps) != 5 {
				t.Fatalf("%d steps", len(in.Steps))
			}
			c := r.clear(g, in)
			refuse := false
			r.faults.set(
				atStep(step, func(proto.Message) error { refuse = true; return nil }),
				func(i int, _ *p4v1.Update) error {
					if refuse && i == 1 {
						return status.Error(codes.ResourceExhausted, "no room")
					}
					return nil
				}, nil)
			out, err := g.Apply(t.Context(), c)
			if in.Steps[step-1].Kind == plan.Fence { // the next step's update is refused then
				step++
			}
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("step %d of 5", step)) || !strings.Contains(err.Error(), "update 1: ResourceExhausted: no room") {
				t.Fatalf("got %v", err)
			}
			if o := r.lastOutcome(); out.Steps != step-1 || o.Result != ledger.Failed || o.Steps != step-1 || o.Error != err.Error() {
				t.Errorf("%d steps; the ledger says %+v", out.Steps, o)
			}
			r.mustBeSafe()
			r.recoverAll(second)
			r.mustBeSafe()
		})
	}
}

// An answer that comes late or never stops the plan; what the request did is read back.
func TestNoAnswer(t *testing.T) {
	r := newSlots(t)
	conf := r.config()
	conf.Patience = 300 * time.Millisecond
	r.election++
	g, err := r.open(t.Context(), conf, r.election)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	r.apply(g, first)
	c := r.clear(g, r.plan(g.ElectionID(), second))
	late := make(chan struct{})
	r.faults.set(nil, nil, atStep(2, func(proto.Message) error { <-late; return nil }))
	time.AfterFunc(450*time.Millisecond, func() { close(late) }) // while the gate reads back
	out, err := g.Apply(t.Context(), c)
	if !errors.Is(err, device.ErrUnreachable) || out.Steps != 3 {
		t.Fatalf("late: %d steps, %v", out.Steps, err)
	}
	if o := r.lastOutcome(); o.Result != ledger.Failed || o.Steps != 3 {
		t.Errorf("the ledger says %+v", o)
	}
	r.mustBeSafe()
	r.recoverAll(second)

	r.election++
	if g, err = r.open(t.Context(), conf, r.election); err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	c = r.clear(g, r.plan(g.ElectionID(), first))
	never := make(chan struct{})
	r.faults.set(nil, nil, atStep(1, func(proto.Message) error { <-never; return nil }))
	if _, err := g.Apply(t.Context(), c); !errors.Is(err, device.ErrUnreachable) || !strings.Contains(err.Error(), "reading back") {
		t.Errorf("never: %v", err)
	}
	close(never)
	// What the plan did could not be read back. The gate's next action records first what it finds.
	for r.mustBeSafe(); g.Lost() == nil && r.log.Size() < 12; {
		if _, err := g.Evict(t.Context(), "ann", 10); err == nil {
			break
		}
	}
	es := r.entries()
	if o := es[len(es)-2].Outcome; o == nil || o.Action != "recover" {
		t.Errorf("no recovery is recorded: %+v", es[len(es)-2])
	}
}

// A fence whose marker is lost or refused fails, and the plan with it.
func TestMarkerLost(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	r.apply(g, first)
	c := r.clear(g, r.plan(g.ElectionID(), second))
	held := make(chan struct{})
	r.faults.set(func(m proto.Message) error {
		if _, ok := m.(*p4v1.PacketOut); ok {
			<-held
			return status.Error(codes.ResourceExhausted, "no room")
		}
		return nil
	}, nil, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	out, err := g.Apply(ctx, c)
	if !errors.Is(err, device.ErrUnreachable) || !strings.Contains(err.Error(), "marker") || out.Steps != 0 {
		t.Fatalf("%d steps, %v", out.Steps, err)
	}
	close(held)
	r.mustBeSafe()
	out, err = g.Apply(t.Context(), r.clear(g, r.plan(g.ElectionID(), second)))
	if err == nil || !strings.Contains(err.Error(), "marker was refused") || !strings.Contains(err.Error(), "no room") || out.Steps != 0 {
		t.Fatalf("%d steps, %v", out.Steps, err)
	}
	r.mustBeSafe()
	r.recoverAll(second)
}

// A controller with a higher election id ends the plan where it is, and its own writes make every older proof stale.
func TestMastershipLost(t *testing.T) {
	for step := 2; step <= 5; step++ {
		t.Run(fmt.Sprint("step ", step), func(t *testing.T) {
			r := newSlots(t)
			g := r.gate()
			r.apply(g, first)
			c := r.clear(g, r.plan(g.ElectionID(), second))
			r.faults.set(atStep(step, func(proto.Message) error {
				r.election++
				r.outsider(r.election)
				return nil
			}), nil, nil)
			out, err := g.Apply(t.Context(), c)
			if err == nil || out.Steps != step-1 {
				t.Fatalf("%d steps, %v", out.Steps, err)
			}
			if err := g.Lost(); !errors.Is(err, device.ErrNotPrimary) {
				t.Errorf("mastership: %v", err)
			}
			if o := r.lastOutcome(); o.Result != ledger.Failed || o.Steps != step-1 {
				t.Errorf("the ledger says %+v", o)
			}
			if _, err := g.Evict(t.Context(), "ann", 10); err == nil {
				t.Error("evicted without mastership")
			}
			r.mustBeSafe()
			r.faults.set(nil, nil, nil)
			if _, err := gate.Open(t.Context(), r.config(), 1); !errors.Is(err, device.ErrNotPrimary) {
				t.Errorf("a gate with an election id below the primary's: %v", err)
			}
			r.recoverAll(second)
		})
	}
}

// A switch that dies, or restarts empty, in the middle of a plan.
func TestSwitchDies(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	r.apply(g, first)
	c := r.clear(g, r.plan(g.ElectionID(), second))
	left := r.clear(g, r.plan(g.ElectionID(), second))
	kill, dead := make(chan struct{}), make(chan struct{})
	go func() { <-kill; r.stop(); close(dead) }()
	r.faults.set(atStep(3, func(proto.Message) error {
		close(kill)
		<-dead
		return status.Error(codes.Unavailable, "dead")
	}), nil, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	out, err := g.Apply(ctx, c)
	if !errors.Is(err, device.ErrUnreachable) || out.Steps != 2 {
		t.Fatalf("%d steps, %v", out.Steps, err)
	}
	if g.Lost() == nil {
		t.Error("mastership of a dead switch is held")
	}
	if _, err := g.Evict(ctx, "ann", 10); err == nil {
		t.Error("evicted from a dead switch")
	}
	r.faults.set(nil, nil, nil)
	r.boot()
	if _, err := g.Apply(ctx, left); err == nil {
		t.Error("applied to an empty switch")
	}
	g2 := r.gate()
	in := *mustInput(t, r, g2.ElectionID())
	in.Goal = nil
	if _, err := gate.ProvePlan(t.Context(), plan.NewEncoder(1), solver(t, "z3"), &in, []string{"z3"}, r.now, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := g2.Evict(t.Context(), "ann", 10); err == nil || !strings.Contains(err.Error(), "runs no program") {
		t.Errorf("got %v", err)
	}
	r.install()
	r.recoverAll(second)
	r.mustBeSafe()
}

// mustInput is a plan from an empty state.
func mustInput(t *testing.T, r *rig, election uint64) *plan.Input {
	t.Helper()
	empty, err := r.codec.Encode(alloc.Tables{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := r.context(election).Build(empty, r.goal(alloc.Tables{}, first), false)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// Without a ledger that takes the decision, nothing is sent.
func TestLedgerNotWritable(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	r.apply(g, first)
	c := r.clear(g, r.plan(g.ElectionID(), second))
	in := r.plan(g.ElectionID(), second)
	proof := r.prove(in)
	if err := r.log.Close(); err != nil {
		t.Fatal(err)
	}
	sent := r.sent()
	if _, err := g.ClearProvedPlan(t.Context(), in, proof); err == nil {
		t.Error("cleared without a ledger")
	}
	if _, err := g.Evict(t.Context(), "ann", 10); err == nil {
		t.Error("evicted without a ledger")
	}
	if len(*sent) > 0 {
		t.Errorf("%d requests were sent", len(*sent))
	}
	// Its decision is in the ledger, so it may be sent; that its outcome could not be recorded is an error.
	if out, err := g.Apply(t.Context(), c); err == nil || out.Steps != 5 {
		t.Errorf("%d steps, %v", out.Steps, err)
	}
	r.openLedger()
	if es := r.entries(); len(es) != 4 {
		t.Errorf("%d entries", len(es))
	}
	r.mustBeSafe()
}

// Eviction needs no solver, works in any state, and takes nothing from others.
func TestEvict(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	r.apply(g, first)
	c := r.clear(g, r.plan(g.ElectionID(), second))
	r.faults.set(atStep(5, func(proto.Message) error { return status.Error(codes.Internal, "no") }), nil, nil)
	if out, err := g.Apply(t.Context(), c); err == nil || out.Steps != 4 {
		t.Fatalf("%d steps, %v", out.Steps, err)
	}
	r.faults.set(nil, nil, nil)
	g.Close()
	conf := r.config()
	conf.Decider, conf.Required = nil, nil
	r.election++
	g, err := r.open(t.Context(), conf, r.election)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	_, before := r.state()
	out, err := g.Evict(t.Context(), "ann", 10)
	if err != nil || out.Steps != 1 {
		t.Fatalf("in the middle of a failed plan: %v", err)
	}
	_, after := r.state()
	if delete(before, keyOf(10)); !before.Equal(after) {
		t.Errorf("%v is left of %v", after, before)
	}
	es := r.entries()
	d, o := es[len(es)-2].Decision, es[len(es)-1].Outcome
	if d == nil || d.Verdict != "lemma" || d.Lemma != gate.EvictLemma || o == nil || o.Action != "evict" || o.Result != ledger.Applied {
		t.Errorf("decision %+v, outcome %+v", d, o)
	}
	if out, err := g.Evict(t.Context(), "ann", 10); err != nil || out.Steps != 0 {
		t.Errorf("again: %+v, %v", out, err)
	}
	// In a state that no proof would allow: two tenants in one another's slots.
	g.Close()
	r.election++
	o2 := r.outsider(r.election)
	bad := alloc.Tables{keyOf(20): {{Base: 0, Size: 48, Mask: ^uint32(0)}, {Mask: ^uint32(0)}}, keyOf(4094): {{Base: 0, Size: 48, Mask: ^uint32(0)}, {Mask: ^uint32(0)}}}
	b, err := r.codec.Encode(bad)
	if err != nil {
		t.Fatal(err)
	}
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(b, &resp); err != nil {
		t.Fatal(err)
	}
	kinds := map[bool]p4v1.Update_Type{true: p4v1.Update_MODIFY, false: p4v1.Update_INSERT}
	for i, k := range bad.Keys() {
		o2.write(&p4v1.Update{Type: kinds[after[k] != nil], Entity: resp.GetEntities()[i]})
	}
	o2.cancel()
	if b, _ := r.state(); unsafe(b, slotsOf) == nil {
		t.Fatal("the oracle does not see that two tenants share slots")
	}
	r.election++
	if g, err = r.open(t.Context(), conf, r.election); err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if _, err := g.Recover(t.Context(), verify.Digest(r.lastOutcome().PostState), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Evict(t.Context(), "bob", 20); err != nil {
		t.Errorf("in an unsafe state: %v", err)
	}
	r.mustBeSafe()
	r.entries()
}
