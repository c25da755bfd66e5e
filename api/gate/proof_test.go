package gate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/device/writer"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
)

// A plan that supposes a fence is applied only by the gate that completed one after its last page-table write.
func TestFenceIsTheGates(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	r.apply(g, first) // ends with a page-table write
	try := func(g *gate.Gate, want layout) error {
		pre, tables := r.state()
		in, err := r.context(g.ElectionID()).Build(pre, r.goal(tables, want), true)
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.Apply(t.Context(), r.clear(g, in))
		return err
	}
	if err := try(g, second); !errors.Is(err, gate.ErrStale) {
		t.Errorf("no fence after the last write: %v", err)
	}
	pre, _ := r.state()
	sweep, err := r.context(g.ElectionID()).Sweep(pre)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Apply(t.Context(), r.clear(g, sweep)); err != nil { // ends with a fence and scrubs
		t.Fatal(err)
	}
	other := r.gate()
	if err := try(other, second); !errors.Is(err, gate.ErrStale) {
		t.Errorf("another gate's fence: %v", err)
	}
	pre, _ = r.state()
	if sweep, err = r.context(other.ElectionID()).Sweep(pre); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Apply(t.Context(), r.clear(other, sweep)); err != nil {
		t.Fatal(err)
	}
	if err := try(other, second); err != nil {
		t.Errorf("after its own fence: %v", err)
	}
	r.mustBeSafe()
}

// A marker that has not come back is not sent again: it would come late, and end the wrong fence.
func TestMarkerSentOnce(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	r.apply(g, first)
	in := r.plan(g.ElectionID(), second)
	held := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.faults.set(func(m proto.Message) error {
		if _, ok := m.(*p4v1.PacketOut); ok {
			cancel() // it was sent
			<-held
		}
		return nil
	}, nil, nil)
	defer close(held)
	if _, err := g.Apply(ctx, r.clear(g, in)); err == nil {
		t.Fatal("applied without a fence")
	}
	if _, err := g.Apply(t.Context(), r.clear(g, in)); !errors.Is(err, writer.ErrMarkerUsed) {
		t.Errorf("the same marker again: %v", err)
	}
}

// After a request without an answer the gate applies nothing more: the request may still take effect. A gate with a higher
// election id goes on.
func TestUnanswered(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	r.apply(g, first)
	c := r.clear(g, r.plan(g.ElectionID(), second))
	held := make(chan struct{})
	r.faults.set(func(m proto.Message) error {
		if _, ok := m.(*p4v1.WriteRequest); ok {
			<-held
		}
		return nil
	}, nil, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := g.Apply(ctx, c); err == nil {
		t.Fatal("applied without an answer")
	}
	if _, err := g.Apply(t.Context(), r.clear(g, r.plan(g.ElectionID(), second))); !errors.Is(err, gate.ErrUnanswered) {
		t.Errorf("the next plan: %v", err)
	}
	close(held)
	r.faults.set(nil, nil, nil)
	r.recoverAll(second)
}

// A plan may rest on the one before it, and on nothing that this gate has not cleared.
func TestFollowsTheLast(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	digest := func(in *plan.Input) verify.Digest {
		s, err := in.Subject()
		if err != nil {
			t.Fatal(err)
		}
		return s.Digest()
	}
	one := r.plan(g.ElectionID(), first)
	early := r.plan(g.ElectionID(), second)
	early.Previous = digest(one)
	if _, err := g.ClearProvedPlan(t.Context(), early, r.prove(early)); !errors.Is(err, gate.ErrStale) {
		t.Errorf("after a plan that was not cleared: %v", err)
	}
	if _, err := g.Apply(t.Context(), r.clear(g, one)); err != nil {
		t.Fatal(err)
	}
	other := r.plan(g.ElectionID(), second)
	other.Previous = digest(early)
	if _, err := g.ClearProvedPlan(t.Context(), other, r.prove(other)); !errors.Is(err, gate.ErrStale) {
		t.Errorf("after another plan: %v", err)
	}
	two := r.plan(g.ElectionID(), second)
	two.Previous = digest(one)
	if _, err := g.Apply(t.Context(), r.clear(g, two)); err != nil {
		t.Error(err)
	}
}

// Limits are the policy's, not the plan's: one that is proved within looser ones is not applied.
func TestTermsAreTheGates(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	for name, change := range map[string]func(*plan.Input){
		"looser limits":  func(in *plan.Input) { in.Limits[0].Ceiling++ },
		"no limits":      func(in *plan.Input) { in.Limits = nil },
		"another policy": func(in *plan.Input) { in.Policy = "generous" },
		"another declaration": func(in *plan.Input) {
			in.Primitives.Unanswered = plan.UnansweredPrimitive{Until: plan.UntilBound, Bound: time.Nanosecond}
		},
	} {
		in := r.plan(g.ElectionID(), first)
		change(in)
		if _, err := g.ClearProvedPlan(t.Context(), in, r.prove(in)); !errors.Is(err, gate.ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
