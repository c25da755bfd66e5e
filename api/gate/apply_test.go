package gate_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
)

// Two layouts and the way between them: ann shrinks, bob moves, cyd is new.
var (
	first = layout{
		10: {{Base: 0, Size: 20}, {Base: 0, Size: 16}},
		20: {{Base: 20, Size: 16}, {Base: 16, Size: 8}},
	}
	second = layout{
		10:   {{Base: 0, Size: 8}, {Base: 0, Size: 8}},
		20:   {{Base: 28, Size: 20}, {Base: 16, Size: 16}},
		4094: {{Base: 8, Size: 20}, {Base: 8, Size: 8}},
	}
)

// sent records the requests that reach the switch and could change something.
func (r *rig) sent() *[]proto.Message {
	var list []proto.Message
	r.faults.set(func(m proto.Message) error {
		list = append(list, proto.Clone(m))
		return nil
	}, nil, nil)
	return &list
}

func TestApply(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	r.apply(g, first)
	for v, e := range first {
		for s := range 2 {
			for i := range uint32(e[s].Size) {
				if old, hit, _ := r.access(v, true, byte(s), i, uint32(v)<<16|i); old != 0 || !hit {
					t.Fatalf("VID %d, stage %d, index %d: %d, hit %v in new memory", v, s, i, old, hit)
				}
			}
		}
	}
	in := r.plan(g.ElectionID(), second)
	sent := r.sent()
	c := r.clear(g, in)
	if len(*sent) > 0 {
		t.Fatalf("a clearance alone sent %v", *sent)
	}
	out, err := g.Apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	r.faults.set(nil, nil, nil)
	if out.Steps != len(in.Steps) || len(*sent) != len(in.Steps) {
		t.Errorf("%d steps done and %d requests sent, want %d", out.Steps, len(*sent), len(in.Steps))
	}
	for i, s := range in.Steps { // exactly the proved bytes, in their order
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal((*sent)[i])
		if err != nil || !bytes.Equal(b, s.Bytes) {
			t.Errorf("step %d: %x was sent, not %x", i+1, b, s.Bytes)
		}
	}
	now, tables := r.state()
	if !bytes.Equal(now, out.PageTables) {
		t.Error("the outcome's page tables are not those of the switch")
	}
	for v, want := range second {
		e := tables[keyOf(v)]
		for s := range 2 {
			if e == nil || e[s].Base != want[s].Base || e[s].Size != want[s].Size {
				t.Errorf("VID %d has %v, want %v", v, e, want)
			}
		}
	}
	r.mustBeSafe()
	for v, e := range second {
		for s := range 2 {
			for i := range uint32(e[s].Size) {
				want, generation := uint32(0), uint16(0)
				if v == 10 || v == 20 && s == 1 { // kept where it was
					if i < uint32(first[v][s].Size) {
						want = uint32(v)<<16 | i
					}
				}
				if v == 10 || v == 20 && s == 0 { // lost something
					generation = 1
				}
				if got, hit, gen := r.access(v, false, byte(s), i, 0); got != want || !hit || gen != generation {
					t.Errorf("VID %d, stage %d, index %d: %#x, hit %v, generation %d; want %#x, generation %d", v, s, i, got, hit, gen, want, generation)
				}
			}
			if _, hit, _ := r.access(v, false, byte(s), uint32(e[s].Size), 0); hit {
				t.Errorf("VID %d, stage %d: an index past the end hits", v, s)
			}
		}
	}
	es := r.entries()
	if len(es) != 5 {
		t.Fatalf("%d ledger entries, want what tenants may have, and two decisions with their outcomes", len(es))
	}
	d, o := es[3].Decision, es[4].Outcome
	if d == nil || d.Action != "plan" || d.Verdict != "proved" || o == nil || o.Action != "apply" || o.Result != "applied" ||
		o.Decision != 3 || o.Steps != len(in.Steps) || c.Decision() != 3 || out.Entry != 4 {
		t.Errorf("decision %+v, outcome %+v", d, o)
	}
}

// A plan with one bit changed after it was proved is refused, wherever the bit is.
func TestTampered(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	in := r.plan(g.ElectionID(), first)
	proof := r.prove(in)
	sent := r.sent()
	for i, s := range in.Steps {
		for at := 0; at < len(s.Bytes); at += 1 + len(s.Bytes)/16 {
			bad := *in
			bad.Steps = slices.Clone(in.Steps)
			bad.Steps[i].Bytes = bytes.Clone(s.Bytes)
			bad.Steps[i].Bytes[at] ^= 1
			if _, err := g.ClearProvedPlan(t.Context(), &bad, proof); !errors.Is(err, gate.ErrTampered) {
				t.Errorf("step %d, byte %d: %v", i+1, at, err)
			}
			if _, _, err := g.ClearPlan(t.Context(), &bad, proof.Certificate); !errors.Is(err, gate.ErrTampered) {
				t.Errorf("saved: step %d, byte %d: %v", i+1, at, err)
			}
		}
	}
	for name, change := range map[string]func(*plan.Input){
		"another goal":      func(in *plan.Input) { in.Goal = in.Goal[1:] },
		"another pre-state": func(in *plan.Input) { in.PreState = []byte{10, 0} },
		"said to be fenced": func(in *plan.Input) { in.Fenced = true },
		"a step less":       func(in *plan.Input) { in.Steps = in.Steps[:len(in.Steps)-1] },
		"another switch":    func(in *plan.Input) { in.Switch = "s2" },
		"another device":    func(in *plan.Input) { in.DeviceID = 2 },
		"looser limits":     func(in *plan.Input) { in.Limits = nil },
	} {
		bad := *in
		change(&bad)
		if _, err := g.ClearProvedPlan(t.Context(), &bad, proof); !errors.Is(err, gate.ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(*sent) > 0 || r.log.Size() > 1 {
		t.Errorf("%d requests sent, %d entries", len(*sent), r.log.Size())
	}
	if _, err := g.ClearProvedPlan(t.Context(), in, proof); err != nil {
		t.Errorf("the plan itself: %v", err)
	}
}

// What is sent is what was cleared, even if the caller writes to the plan that it still holds.
func TestChangedAfterClearance(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	in := r.plan(g.ElectionID(), first)
	c := r.clear(g, in)
	want := make([][]byte, len(in.Steps))
	for i := range in.Steps {
		want[i] = bytes.Clone(in.Steps[i].Bytes)
		in.Steps[i].Bytes[len(in.Steps[i].Bytes)-1] ^= 0x7f
	}
	in.Steps[len(in.Steps)-1].Bytes = nil
	in.PreState = []byte("x")
	sent := r.sent()
	if _, err := g.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if b, err := (proto.MarshalOptions{Deterministic: true}).Marshal((*sent)[i]); err != nil || !bytes.Equal(b, want[i]) {
			t.Errorf("step %d is not what was proved", i+1)
		}
	}
}

// A proof that was not made here, or that was changed since, opens nothing.
func TestForgedProof(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	in := r.plan(g.ElectionID(), first)
	in.Steps = slices.DeleteFunc(in.Steps, func(s plan.Step) bool { return strings.HasPrefix(s.Note, "scrub") })
	proof := r.prove(in)
	if err := proof.Certificate.Proved(); !errors.Is(err, verify.ErrRefuted) {
		t.Fatalf("a plan without scrubs: %v", err)
	}
	text, err := proof.Certificate.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	forged, err := verify.ParseCertificate(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range forged.Results {
		forged.Results[i].Verdict = verify.Proved
	}
	if err := forged.Proved(); err != nil {
		t.Fatal(err)
	}
	made := &gate.Proof{Certificate: forged, Obligations: proof.Obligations, Subject: proof.Subject}
	if _, err := g.ClearProvedPlan(t.Context(), in, made); !errors.Is(err, gate.ErrTampered) {
		t.Errorf("a proof put together by hand: %v", err)
	}
	// A saved certificate that is not in the ledger is worth nothing: everything is decided again.
	if _, _, err := g.ClearPlan(t.Context(), in, forged); !errors.Is(err, verify.ErrRefuted) {
		t.Errorf("a forged certificate: %v", err)
	}
	proof.Certificate = forged
	if _, err := g.ClearProvedPlan(t.Context(), in, proof); !errors.Is(err, gate.ErrTampered) {
		t.Errorf("a proof whose certificate was exchanged: %v", err)
	}
	conf := r.config()
	conf.Required = []string{"z3", "cvc5"}
	r.election++
	strict, err := r.open(t.Context(), conf, r.election)
	if err != nil {
		t.Fatal(err)
	}
	defer strict.Close()
	in = r.plan(strict.ElectionID(), first)
	few := r.prove(in)
	if _, err := strict.ClearProvedPlan(t.Context(), in, few); !errors.Is(err, verify.ErrUndecided) {
		t.Errorf("a proof by one solver where two are required: %v", err)
	}
}

// A refuted plan is logged and never sent.
func TestRefuted(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	r.apply(g, first)
	for name, spoil := range map[string]func(in *plan.Input){
		"no scrub":        func(in *plan.Input) { in.Steps = without(in.Steps, "scrub") },
		"no second fence": func(in *plan.Input) { in.Steps = without(in.Steps, "fence: nobody acts on what was taken away") },
		"no shrink":       func(in *plan.Input) { in.Steps = without(in.Steps, "shrink") },
		"grow first": func(in *plan.Input) {
			n := len(in.Steps)
			in.Steps = append([]plan.Step{in.Steps[n-1]}, in.Steps[:n-1]...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := r.state()
			in := r.plan(g.ElectionID(), second)
			n := len(in.Steps)
			if spoil(in); name != "grow first" && len(in.Steps) == n {
				t.Fatal("nothing was left out")
			}
			sent := r.sent()
			c, err := g.ClearProvedPlan(t.Context(), in, r.prove(in))
			if !errors.Is(err, verify.ErrRefuted) || c != nil {
				t.Errorf("cleared: %v", err)
			}
			if now, _ := r.state(); len(*sent) > 0 || !bytes.Equal(now, before) {
				t.Errorf("%d requests were sent", len(*sent))
			}
			es := r.entries()
			if d := es[len(es)-1].Decision; d == nil || d.Verdict != "refuted" || d.Reason == "" {
				t.Errorf("logged: %+v", d)
			}
		})
	}
}

func without(steps []plan.Step, note string) []plan.Step {
	return slices.DeleteFunc(slices.Clone(steps), func(s plan.Step) bool { return strings.HasPrefix(s.Note, note) })
}

// A switch that changed after the proof gets nothing, and the error says what moved.
func TestStale(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	r.apply(g, first)
	late := r.clear(g, r.plan(g.ElectionID(), second))
	r.apply(g, layout{ // the same gate, by another plan
		10: first[10],
		20: {{Base: 20, Size: 12}, {Base: 16, Size: 8}},
	})
	sent := r.sent()
	_, err := g.Apply(t.Context(), late)
	if !errors.Is(err, gate.ErrStale) || !strings.Contains(err.Error(), "tenant bob (VID 20)") || !strings.Contains(err.Error(), "slots 20..31") {
		t.Errorf("got %v", err)
	}
	if len(*sent) > 0 {
		t.Error("a stale plan was sent")
	}
	r.faults.set(nil, nil, nil)

	// Somebody else, past the gate, between the plan and the mastership that it was made for.
	in := r.plan(r.election+2, second)
	proof := r.prove(in)
	o := r.outsider(r.election + 1)
	o.write(&p4v1.Update{Type: p4v1.Update_DELETE, Entity: entryOf(t, in.PreState, 10)})
	o.cancel()
	r.election++
	g2 := r.gate()
	c, err := g2.ClearProvedPlan(t.Context(), in, proof)
	if err != nil {
		t.Fatal(err)
	}
	_, err = g2.Apply(t.Context(), c)
	if !errors.Is(err, gate.ErrStale) || !strings.Contains(err.Error(), "tenant ann (VID 10) has no entry any more") {
		t.Errorf("got %v", err)
	}
	// Another program, and none.
	in = r.plan(g2.ElectionID(), second)
	c = r.clear(g2, in)
	other := *r
	other.program = append(bytes.Clone(r.program), "\n// changed\n"...)
	other.install()
	r.election = other.election
	if _, err := g2.Apply(t.Context(), c); !errors.Is(err, gate.ErrStale) || !strings.Contains(err.Error(), "runs another program") {
		t.Errorf("got %v", err)
	}
}

// entryOf is the page-table entry of a VID, as an entity to delete.
func entryOf(t *testing.T, state []byte, vid uint64) *p4v1.Entity {
	t.Helper()
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(state, &resp); err != nil {
		t.Fatal(err)
	}
	for _, e := range resp.GetEntities() {
		if te := e.GetTableEntry(); number(te.GetMatch()[0].GetExact().GetValue()) == vid {
			return &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: &p4v1.TableEntry{TableId: te.GetTableId(), Match: te.GetMatch()}}}
		}
	}
	t.Fatalf("VID %d has no entry", vid)
	return nil
}

func TestClearanceUse(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	c := r.clear(g, r.plan(g.ElectionID(), first))
	if _, err := g.Replace(t.Context(), c); !errors.Is(err, gate.ErrUsed) {
		t.Errorf("a plan's clearance, for a replacement: %v", err)
	}
	if _, err := g.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Apply(t.Context(), c); !errors.Is(err, gate.ErrUsed) || !strings.Contains(err.Error(), "used before") {
		t.Errorf("a second use: %v", err)
	}
	c = r.clear(g, r.plan(g.ElectionID(), second))
	r.now = r.now.Add(gate.ClearanceLifetime + time.Nanosecond)
	if _, err := g.Apply(t.Context(), c); !errors.Is(err, gate.ErrUsed) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("a late use: %v", err)
	}
	c = r.clear(g, r.plan(g.ElectionID(), second))
	r.now = r.now.Add(gate.ClearanceLifetime)
	other := r.gate()
	if _, err := other.Apply(t.Context(), c); !errors.Is(err, gate.ErrUsed) || !strings.Contains(err.Error(), "another gate") {
		t.Errorf("another gate's: %v", err)
	}
	// That gate took mastership, and with it the first one's right to act on what it holds.
	if _, err := g.Apply(t.Context(), c); err == nil {
		t.Error("applied without mastership")
	}
	in := r.plan(g.ElectionID(), second)
	if _, err := other.ClearProvedPlan(t.Context(), in, r.prove(in)); !errors.Is(err, gate.ErrStale) {
		t.Errorf("a plan for an older mastership: %v", err)
	}
	if _, tables := r.state(); tables[keyOf(4094)] != nil {
		t.Error("a refused clearance changed the switch")
	}
}

// A saved plan is cleared by its ledger entry, without a solver; and is decided again by a gate whose ledger does not know it.
func TestClearSavedPlan(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	in := r.plan(g.ElectionID(), first)
	proof := r.prove(in)
	if _, err := g.ClearProvedPlan(t.Context(), in, proof); err != nil {
		t.Fatal(err)
	}
	asked := &counting{Decider: solver(t, "z3")}
	conf := r.config()
	conf.Decider = asked
	g.Close()
	r.election++
	g, err := r.open(t.Context(), conf, r.election)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	in = r.plan(g.ElectionID(), first)
	proof = r.prove(in)
	// Not in the ledger yet.
	_, again, err := g.ClearPlan(t.Context(), in, proof.Certificate)
	if err != nil || again == nil || asked.n == 0 {
		t.Fatalf("%v, proof %v, %d obligations decided", err, again, asked.n)
	}
	asked.n = 0
	// Now it is, with the certificate that was made then.
	c, none, err := g.ClearPlan(t.Context(), in, again.Certificate)
	if err != nil || none != nil || asked.n > 0 {
		t.Fatalf("%v, proof %v, %d obligations decided", err, none, asked.n)
	}
	if _, err := g.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// counting counts what a decider is asked.
type counting struct {
	verify.Decider
	n int
}

func (c *counting) Decide(ctx context.Context, obs []verify.Obligation, progress func(int, int)) ([]verify.Result, error) {
	c.n += len(obs)
	return c.Decider.Decide(ctx, obs, progress)
}
