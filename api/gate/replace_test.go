package gate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
)

func p4infoOf(t testing.TB, linked []byte) *configv1.P4Info {
	t.Helper()
	loaded, diags := p4.Load("linked.p4", linked)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	info, diags := p4info.Generate(loaded)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return info
}

// The first program: proved, committed, opened; and nothing else is cleared in its name.
func TestInstall(t *testing.T) {
	r := newRig(t, "testdata/slots.p4")
	e := editionOf(t, ann, bob)
	sent := r.sent()
	b := r.bring(e).must()
	if len(*sent) != 2 || b.out.Steps != 2 { // commit, open
		t.Fatalf("%d requests, %d steps", len(*sent), b.out.Steps)
	}
	if o := r.lastOutcome(); o.Action != "replace" || o.Result != "applied" {
		t.Errorf("the ledger says %+v", o)
	}
	if _, err := b.gate.Replace(t.Context(), b.clear); !errors.Is(err, gate.ErrUsed) {
		t.Errorf("a second use: %v", err)
	}
	// Again: there is nothing to do, and nothing is written.
	again := r.bring(e).must()
	if again.in != nil || again.standing.Situation != gate.Complete {
		t.Errorf("again: %+v", again.standing)
	}
	// One byte more is another program; an empty certificate is none.
	other := *e.input
	other.Linked = append(slices.Clone(e.linked), '\n')
	if err := again.gate.ClearProgram(t.Context(), &other, e.cert); !errors.Is(err, gate.ErrTampered) {
		t.Errorf("a program that was changed after its proof: %v", err)
	}
	if err := again.gate.ClearProgram(t.Context(), e.input, &verify.Certificate{}); err == nil {
		t.Error("cleared with an empty certificate")
	}
	// Of what is installed P12 is shown, so the files are there.
	bare := *e.input
	bare.P4Info, bare.Ownership, bare.Sources = nil, nil, nil
	if err := again.gate.ClearProgram(t.Context(), &bare, e.cert); !errors.Is(err, verify.ErrUndecided) || !strings.Contains(err.Error(), "P12") {
		t.Errorf("a program without its files: %v", err)
	}
	// What is proved of the parser must be what this switch has, or less.
	for _, b := range []specs.ParserBound{{}, {States: 4097, Bytes: 512}, {States: 256, Bytes: 65536}} {
		other := *e.input
		other.Parser = b
		if err := again.gate.ClearProgram(t.Context(), &other, e.cert); !errors.Is(err, gate.ErrTampered) || !strings.Contains(err.Error(), "declares 4096 states") {
			t.Errorf("a program that was proved for a parser of %v: %v", b, err)
		}
	}
}

// A third tenant comes while two send packets: they lose packets for a moment, and nothing else.
func TestAddLive(t *testing.T) {
	r, x := hosting(t)
	before := ""
	x.during(func() {
		b := r.bring(editionOf(t, ann, bob, cyd))
		b.at = func(stage string, b *bringing) error {
			if stage == "held" {
				before = r.lasting()
			}
			return nil
		}
		b.must()
		if len(b.in.Lost) > 0 {
			t.Errorf("lost: %v", b.in.Lost)
		}
	})
	if err := x.whole(); err != nil {
		t.Fatal(err)
	}
	if x.dropped == 0 || x.passed == 0 {
		t.Errorf("%d packets passed, %d were dropped", x.passed, x.dropped)
	}
	t.Logf("%d packets passed, %d were dropped", x.passed, x.dropped)
	// Everything is what it was, counts included; the newcomer has the default actions of its tables, and no table of kinds.p4's.
	x.during(func() {
		b := r.bring(editionOf(t, ann, bob))
		after := ""
		b.at = func(stage string, b *bringing) error {
			if stage == "cleared" {
				x.mu.Lock()
				defer x.mu.Unlock()
			}
			return nil
		}
		b.must()
		after = r.lasting()
		if before == "" || after == "" {
			t.Error("nothing was read")
		}
	})
	if err := x.whole(); err != nil {
		t.Fatal(err)
	}
	r.entries()
}

// What was read when the switch was shut is what is there when it is opened, count for count.
func TestCountsSurvive(t *testing.T) {
	r, _ := hosting(t)
	read := func() []string { return strings.Split(r.lasting(), "\n") }
	before := read()
	r.bring(editionOf(t, ann, bob, dan)).must()
	after := read()
	for _, line := range before {
		if !slices.Contains(after, line) {
			t.Errorf("%s is gone", line)
		}
	}
	if len(before) < 20 {
		t.Errorf("only %d things lasted", len(before))
	}
}

// What a replacement is cleared for is one switch in one state, one program, these tenants, this mastership, once.
func TestReplaceRefusals(t *testing.T) {
	r, x := hosting(t)
	two, three := editionOf(t, ann, bob), editionOf(t, ann, bob, cyd)
	var old *gate.Clearance // of a replacement that is not carried out
	for _, c := range []struct {
		name, stage string
		spoil       func(b *bringing) error
		want        error
	}{
		{"not shut", "stood", func(b *bringing) error { _, err := b.gate.Hold(t.Context()); return err }, gate.ErrStale},
		{"a byte changed after the proof", "proved", func(b *bringing) error { b.in.Steps[1].Bytes[9] ^= 1; return nil }, gate.ErrTampered},
		{"another loss announced", "proved", func(b *bringing) error { b.in.Lost = append(b.in.Lost, b.in.Lost...); b.in.Switch = "s2"; return nil }, gate.ErrTampered},
		{"of a program whose proof was not checked", "proved", func(b *bringing) error {
			other := *b.edition
			in := *other.input
			in.Tenants = in.Tenants[:2]
			other.input, b.edition = &in, &other
			return nil
		}, gate.ErrTampered},
		{"written to since it was shut", "cleared", func(b *bringing) error {
			r.election++
			o := r.outsider(r.election)
			defer o.cancel()
			o.write(entriesFor(t, two, ann)[3]) // changes nothing
			return nil
		}, nil},
		{"expired", "cleared", func(*bringing) error { r.now = r.now.Add(gate.ClearanceLifetime + 1); return nil }, gate.ErrUsed},
		{"kept for later", "cleared", func(b *bringing) error { old = b.clear; return errors.New("later") }, nil},
		{"an earlier one's", "cleared", func(b *bringing) error { b.clear = old; return nil }, gate.ErrUsed},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := r.bring(three)
			b.at = func(stage string, b *bringing) error {
				if stage == c.stage {
					return c.spoil(b)
				}
				return nil
			}
			err := b.do(t.Context())
			b.gate.Close()
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if _, ok := x.probe(cyd, 0, 1, 0, 0); ok {
				t.Error("cyd is served")
			}
		})
	}
	r.bring(three).must()
	if err := x.whole(); err != nil {
		t.Error(err)
	}
	// No earlier certificate is reused: a plan that was proved for the old program is stale.
	codec, err := alloc.CodecOf(two.linked)
	if err != nil {
		t.Fatal(err)
	}
	conf := r.config()
	conf.Tenants = two.tenants
	limits := []plan.Limit{{VID: 10, Control: specs.Ingress, Ceiling: 1024}}
	r.admission = admission(t, two.tenants, map[string][]plan.Limit{"": limits}, nil)
	r.election++
	g, err := r.open(t.Context(), conf, r.election)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	c := r.context(g.ElectionID())
	c.Linked, c.Codec, c.Tenants, c.Limits = two.linked, codec, two.tenants, limits
	pre, err := codec.Encode(alloc.Tables{
		keyOf(10): {{Base: 100, Size: 40, Mask: alloc.DirectMask, Generation: 3}}, keyOf(20): {{Base: 140, Size: 40, Mask: alloc.DirectMask, Generation: 4}},
	})
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.Build(pre, alloc.Tables{keyOf(10): {{Base: 100, Size: 40, Mask: alloc.DirectMask, Generation: 3}}}, false)
	if err != nil {
		t.Fatal(err)
	}
	clear, err := g.ClearProvedPlan(t.Context(), in, r.prove(in))
	if err == nil {
		_, err = g.Apply(t.Context(), clear)
	}
	if !errors.Is(err, gate.ErrStale) {
		t.Errorf("a plan for the old program: %v", err)
	}
}

// An eviction shuts a tenant out, also in the middle of a replacement, and admission lets it in again.
func TestEvictShutsOut(t *testing.T) {
	r, x := hosting(t)
	two, three := editionOf(t, ann, bob), editionOf(t, ann, bob, cyd)
	evict := func(l lodger) {
		t.Helper()
		g := r.gate()
		defer g.Close()
		if out, err := g.Evict(t.Context(), l.name, l.vid); err != nil || out.Steps != 1 {
			t.Fatal(out, err)
		}
		if _, ok := x.probe(l, 0, 1, 0, 0); ok {
			t.Errorf("%s is evicted, and served", l.name)
		}
	}
	evict(bob)
	if b := r.bring(two, "bob").must(); b.in != nil {
		t.Errorf("bob is to stay out, and %v", b.in.Steps)
	}
	if b := r.bring(two).must(); b.in == nil || b.in.Commits() || b.out.Steps != 1 {
		t.Errorf("bob is not just let in: %+v", b.in)
	}
	if p, ok := x.probe(bob, 0, 1, 0, 0); !ok || p.hit {
		t.Errorf("bob is let in without memory: %+v, %v", p, ok)
	}
	// In the middle: the next one goes on without the tenant.
	b := r.bring(three)
	ctx, cancel := context.WithCancel(t.Context())
	r.faults.set(func(m proto.Message) error {
		if _, ok := m.(*p4v1.SetForwardingPipelineConfigRequest); ok {
			cancel()
		}
		return nil
	}, nil, nil)
	if err := b.do(ctx); err == nil {
		t.Fatal("it was interrupted, and succeeded")
	}
	b.gate.Close()
	r.faults.set(nil, nil, nil)
	g := r.gate()
	if _, err := g.Evict(t.Context(), "ann", ann.vid); err != nil {
		t.Fatal(err)
	}
	g.Close()
	b = r.bring(three, "ann").must()
	if b.standing.Situation != gate.Interrupted || len(b.in.Lost) != 1 || b.in.Lost[0].Object != "register memory ingress/0" {
		t.Errorf("%s, lost %v", b.standing.Situation, b.in.Lost)
	}
	if _, ok := x.probe(ann, 0, 1, 0, 0); ok {
		t.Error("ann is evicted, and served")
	}
	r.bring(three).must()
	if p, ok := x.probe(ann, 0, 1, 0, 0); !ok || p.hit {
		t.Errorf("ann is let in without memory, and with her entries: %+v, %v", p, ok)
	}
	r.entries()
}

// Who does not know whether a closed switch holds everything does not open it.
func TestUnknownState(t *testing.T) {
	r, _ := hosting(t)
	b := r.bring(editionOf(t, ann, bob, cyd))
	b.at = func(stage string, _ *bringing) error {
		if stage == "shut" {
			return errors.New("here it ends")
		}
		return nil
	}
	if err := b.do(t.Context()); err == nil {
		t.Fatal("it went on")
	}
	b.gate.Close()
	// Another ledger knows nothing of it.
	other := newRig(t, "testdata/slots.p4")
	other.stop()
	other.addr, other.sw, other.election = r.addr, r.sw, r.election
	for _, e := range []*edition{editionOf(t, ann, bob), editionOf(t, ann, bob, cyd)} {
		if err := other.bring(e).do(t.Context()); !errors.Is(err, gate.ErrOccupied) {
			t.Errorf("got %v", err)
		}
	}
	r.election = other.election
	r.bring(editionOf(t, ann, bob)).must() // ours does
	// A program without an admission table cannot be closed.
	s := newSlots(t)
	if err := s.bring(editionOf(t, ann, bob)).do(t.Context()); !errors.Is(err, gate.ErrOccupied) {
		t.Errorf("a program without admission: %v", err)
	}
}
