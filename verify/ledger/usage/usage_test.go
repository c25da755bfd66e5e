package usage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/plan"
)

// says gives one verdict on everything.
type says verify.Verdict

func (says) Solvers() []verify.SolverInfo { return []verify.SolverInfo{{Name: "z3"}} }

func (s says) Decide(_ context.Context, obs []verify.Obligation, _ func(int, int)) ([]verify.Result, error) {
	var rs []verify.Result
	for _, o := range obs {
		st := o.State()
		rs = append(rs, verify.Result{Obligation: o.ID, Text: st.Text, GuardText: st.Guard, Solver: "z3", Verdict: verify.Verdict(s)})
	}
	return rs, nil
}

// history is a log in the making: of switch s1, whose egress page table has one stage.
type history struct {
	t      *testing.T
	log    *ledger.Log
	linked []byte
	now    int64 // seconds
	sizes  map[uint16]int64
}

var tenants = []plan.Tenant{{Name: "a", VID: 7}, {Name: "b", VID: 8}}

func newHistory(t *testing.T) *history {
	t.Helper()
	linked, err := os.ReadFile(filepath.Join("..", "..", "plan", "testdata", "linked.p4"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "ledger")
	if err := ledger.Create(dir, "interlock/test"); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &history{t: t, log: l, linked: linked, sizes: map[uint16]int64{}}
}

// tables is the page tables in which tenants have these sizes, one after the other from slot 0 on.
func (h *history) tables(sizes map[uint16]int64) []byte {
	h.t.Helper()
	resp := &p4v1.ReadResponse{}
	base := int64(0)
	for _, x := range tenants {
		if sizes[x.VID] == 0 {
			continue
		}
		entry := &p4v1.TableEntry{
			TableId: 0x02000002,
			Match:   []*p4v1.FieldMatch{{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: []byte{byte(x.VID)}}}}},
		}
		a := &p4v1.Action{ActionId: 0x01000002}
		for i, v := range []uint64{uint64(base), uint64(sizes[x.VID]), 1<<32 - 1, 0} {
			b := binary.BigEndian.AppendUint64(nil, v)
			for len(b) > 1 && b[0] == 0 {
				b = b[1:]
			}
			a.Params = append(a.Params, &p4v1.Action_Param{ParamId: uint32(i + 1), Value: b})
		}
		entry.Action = &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: a}}
		resp.Entities = append(resp.Entities, &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: entry}})
		base += sizes[x.VID]
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(resp)
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

func (h *history) state(sizes map[uint16]int64) verify.Digest {
	sum := sha256.Sum256(h.linked)
	return verify.DigestOf(fmt.Appendf(nil, "%s\n%d\n%s\n", verify.DigestOf(h.linked), binary.BigEndian.Uint64(sum[:]), verify.DigestOf(h.tables(sizes))))
}

func (h *history) at() time.Time { return time.Unix(h.now, 0).UTC() }

// decide logs a plan from the sizes of now to others.
func (h *history) decide(v verify.Verdict, terms string, sizes map[uint16]int64) int64 {
	h.t.Helper()
	in := &plan.Input{Primitives: plan.Primitives{
		Fence:      plan.FencePrimitive{By: plan.ByMarker, Controls: []specs.Control{specs.Ingress, specs.Egress}},
		Scrub:      plan.ScrubPrimitive{By: []plan.ScrubKind{plan.ByCell}},
		Unanswered: plan.UnansweredPrimitive{Until: plan.UntilArbitration},
	}, Switch: "s1", ElectionID: 9, Linked: h.linked, Tenants: tenants, PreState: h.tables(h.sizes), Policy: string(verify.DigestOf([]byte(terms)))}
	for _, x := range tenants {
		in.Goal = append(in.Goal, plan.Extent{VID: x.VID, Control: specs.Egress, Size: sizes[x.VID]})
	}
	s, err := in.Subject()
	if err != nil {
		h.t.Fatal(err)
	}
	obs := []verify.Obligation{{ID: "X", Property: "X", Logic: "QF_LIA", Text: "(assert false)"}}
	cert, err := verify.Decide(h.t.Context(), says(v), s, plan.EncoderVersion, obs, nil, []string{"z3"}, h.at(), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	d := ledger.Decision{Action: "plan", Switch: "s1", Verdict: string(v), Policy: in.Policy, At: h.at()}
	if terms != "" {
		d.TermsText = []byte(terms)
	}
	n, err := h.log.AppendDecision(h.t.Context(), d, s, cert, obs)
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// outcome logs what became of a decision.
func (h *history) outcome(action, result string, decision int64, after map[uint16]int64) {
	h.t.Helper()
	o := ledger.Outcome{Action: action, Switch: "s1", Decision: decision, Result: result, PreState: h.state(h.sizes), PostState: h.state(after), At: h.at()}
	if _, err := h.log.AppendOutcome(h.t.Context(), o); err != nil {
		h.t.Fatal(err)
	}
	h.sizes = after
}

func (h *history) apply(sizes map[uint16]int64) {
	h.t.Helper()
	h.outcome("apply", "applied", h.decide(verify.Proved, "terms", sizes), sizes)
}

func (h *history) evict(vid uint16) {
	h.t.Helper()
	req := &p4v1.WriteRequest{Updates: []*p4v1.Update{{Type: p4v1.Update_DELETE, Entity: &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: &p4v1.TableEntry{
		Match: []*p4v1.FieldMatch{{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: []byte{byte(vid)}}}}},
	}}}}}}
	b, err := proto.Marshal(req)
	if err != nil {
		h.t.Fatal(err)
	}
	n, err := h.log.AppendDecision(h.t.Context(), ledger.Decision{Action: "evict", Switch: "s1", Verdict: "lemma", Lemma: "specs/lemmas/evict.smt2", At: h.at()},
		verify.Subject{Kind: "evict", Inputs: map[string][]byte{"request.bin": b, "prestate.bin": h.tables(h.sizes)}}, nil, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	after := map[uint16]int64{}
	for v, size := range h.sizes {
		if v != vid {
			after[v] = size
		}
	}
	h.outcome("evict", "applied", n, after)
}

// read checks the log and says its spans in short: "10-20 a=5 b=6".
func (h *history) read() (spans []string, u *Usage) {
	h.t.Helper()
	if err := h.log.Publish(); err != nil {
		h.t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(h.log.Dir(), "key.pub"))
	if err != nil {
		h.t.Fatal(err)
	}
	l, err := check.Read(h.log.Dir(), string(key))
	if err != nil || len(l.Findings) > 0 {
		h.t.Fatal(err, l.Findings)
	}
	if u, err = Read(l); err != nil {
		h.t.Fatal(err)
	}
	for _, s := range u.Spans {
		to := "..."
		if !s.To.IsZero() {
			to = fmt.Sprint(s.To.Unix())
		}
		text := fmt.Sprintf("%d-%s", s.From.Unix(), to)
		for _, x := range s.Held {
			if x.Array != "egress/0" {
				h.t.Errorf("array %s", x.Array)
			}
			text += fmt.Sprintf(" %s=%d", x.Tenant, x.Slots)
		}
		if s.Unknown != "" {
			text += " ?"
		}
		spans = append(spans, text)
	}
	return spans, u
}

func TestRead(t *testing.T) {
	sizes := func(a, b int64) map[uint16]int64 {
		m := map[uint16]int64{}
		if a > 0 {
			m[7] = a
		}
		if b > 0 {
			m[8] = b
		}
		return m
	}
	for _, c := range []struct {
		name string
		do   func(h *history)
		want string
	}{
		{"nothing", func(*history) {}, ""},
		{"two plans", func(h *history) {
			h.now = 10
			h.apply(sizes(4, 0))
			h.now = 20
			h.apply(sizes(4, 6))
		}, "10-20 a=4; 20-... a=4 b=6"},
		{"a change counts from its outcome", func(h *history) {
			h.now = 10
			n := h.decide(verify.Proved, "terms", sizes(4, 0))
			h.now = 15
			h.outcome("apply", "applied", n, sizes(4, 0))
		}, "15-... a=4"},
		{"refused, or never carried out", func(h *history) {
			h.apply(sizes(4, 0))
			h.now = 10
			h.decide(verify.Refuted, "terms", sizes(0, 6))
			h.decide(verify.Proved, "terms", sizes(0, 6))
			h.now = 20
			h.apply(sizes(5, 0))
		}, "0-20 a=4; 20-... a=5"},
		{"a plan that changes no size", func(h *history) {
			h.apply(sizes(4, 0))
			h.now = 10
			h.apply(sizes(4, 0))
		}, "0-... a=4"},
		{"failed, and changed nothing", func(h *history) {
			h.apply(sizes(4, 0))
			h.now = 10
			h.outcome("apply", "failed", h.decide(verify.Proved, "terms", sizes(0, 6)), sizes(4, 0))
		}, "0-... a=4"},
		{"failed half-way: the next plan began with what was left", func(h *history) {
			h.apply(sizes(4, 0))
			h.now = 10
			h.outcome("apply", "failed", h.decide(verify.Proved, "terms", sizes(2, 6)), sizes(2, 0))
			h.now = 20
			h.apply(sizes(2, 6))
		}, "0-10 a=4; 10-20 a=2; 20-... a=2 b=6"},
		{"failed half-way, and no plan after it", func(h *history) {
			h.apply(sizes(4, 0))
			h.now = 10
			h.outcome("apply", "failed", h.decide(verify.Proved, "terms", sizes(2, 6)), sizes(2, 0))
		}, "0-10 a=4; 10-... ?"},
		{"interrupted, recorded, and gone on from", func(h *history) {
			h.apply(sizes(4, 0))
			h.now = 10
			h.outcome("recover", "interrupted", -1, sizes(3, 0))
			h.now = 20
			h.outcome("recover", "interrupted", -1, sizes(1, 1))
			h.now = 30
			h.decide(verify.Refuted, "terms", sizes(9, 9)) // a plan for that state says what it was, whatever became of it
			h.apply(sizes(1, 2))
		}, "0-10 a=4; 10-20 ?; 20-30 a=1 b=1; 30-... a=1 b=2"},
		{"evicted", func(h *history) {
			h.apply(sizes(4, 6))
			h.now = 10
			h.evict(7)
		}, "0-10 a=4 b=6; 10-... b=6"},
		{"an eviction that is pending", func(h *history) {
			h.apply(sizes(4, 6))
			h.now = 10
			h.outcome("evict", "pending", -1, sizes(4, 6))
			h.now = 20
			h.evict(7)
		}, "0-20 a=4 b=6; 20-... b=6"},
		{"a clock that goes back", func(h *history) {
			h.now = 10
			h.apply(sizes(4, 0))
			h.now = 5
			h.apply(sizes(5, 0))
			h.now = 20
			h.apply(sizes(6, 0))
		}, "10-10 a=4; 10-20 a=5; 20-... a=6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHistory(t)
			c.do(h)
			spans, _ := h.read()
			if got := strings.Join(spans, "; "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Terms are in force from the first plan on that was proved on them, whatever became of it.
func TestTerms(t *testing.T) {
	h := newHistory(t)
	h.decide(verify.Refuted, "none", nil)
	h.now = 10
	h.decide(verify.Proved, "first", nil)
	h.now = 20
	h.decide(verify.Proved, "first", nil)
	h.now = 30
	h.decide(verify.Proved, "second", nil)
	h.now = 40
	h.decide(verify.Proved, "first", nil)
	_, u := h.read()
	var got []string
	for _, x := range u.Terms {
		got = append(got, fmt.Sprintf("%d %s", x.From.Unix(), x.Text))
	}
	if s := strings.Join(got, "; "); s != "10 first; 30 second; 40 first" || u.Last.Unix() != 40 {
		t.Errorf("%q, last %v", s, u.Last)
	}
}
