package replay

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/plan"
)

// grown is a plan that grows one tenant's extent from one size to another, in a switch that nobody else uses.
func grown(t *testing.T, linked []byte, from, to int64, previous verify.Digest) *plan.Input {
	t.Helper()
	mapped := func(size int64) *p4v1.TableEntry {
		a := &p4v1.Action{ActionId: 0x01000002}
		for i, v := range []int64{0, size, 1<<32 - 1, 0} {
			b := binary.BigEndian.AppendUint64(nil, uint64(v))
			for len(b) > 1 && b[0] == 0 {
				b = b[1:]
			}
			a.Params = append(a.Params, &p4v1.Action_Param{ParamId: uint32(i + 1), Value: b})
		}
		e := entry(0x02000002, 7)
		e.Action = &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: a}}
		return e
	}
	request := &p4v1.WriteRequest{ElectionId: &p4v1.Uint128{Low: 9}}
	for s := from; s < to; s++ {
		request.Updates = append(request.Updates, &p4v1.Update{Type: p4v1.Update_MODIFY, Entity: &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{
			RegisterEntry: &p4v1.RegisterEntry{
				RegisterId: 0x16000020, Index: &p4v1.Index{Index: s}, Data: &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: []byte{0}}},
			},
		}}})
	}
	grow := &p4v1.WriteRequest{ElectionId: &p4v1.Uint128{Low: 9}, Updates: []*p4v1.Update{update(p4v1.Update_MODIFY, mapped(to))}}
	pre := &p4v1.ReadResponse{Entities: []*p4v1.Entity{{Entity: &p4v1.Entity_TableEntry{TableEntry: mapped(from)}}}}
	return &plan.Input{
		Switch: "s1", ElectionID: 9, Linked: linked, Primitives: plan.Primitives{
			Fence:      plan.FencePrimitive{By: plan.ByMarker, Controls: []specs.Control{specs.Ingress, specs.Egress}},
			Scrub:      plan.ScrubPrimitive{By: []plan.ScrubKind{plan.ByCell}},
			Unanswered: plan.UnansweredPrimitive{Until: plan.UntilArbitration},
		}, Tenants: []plan.Tenant{{Name: "a", VID: 7}}, PreState: marshal(t, pre), Fenced: true,
		Previous: previous, Steps: []plan.Step{{Kind: plan.Write, Bytes: marshal(t, request)}, {Kind: plan.Write, Bytes: marshal(t, grow)}},
		Goal:   []plan.Extent{{VID: 7, Control: specs.Egress, Base: 0, Size: to, Mask: 1<<32 - 1}},
		Limits: []plan.Limit{{VID: 7, Control: specs.Egress, Ceiling: 1 << 20}},
	}
}

// What becomes of a plan's proof becomes of those that rest on it; and they must name one that was proved, and that they follow on.
func TestFollows(t *testing.T) {
	linked, err := os.ReadFile(filepath.Join("..", "..", "plan", "testdata", "linked.p4"))
	if err != nil {
		t.Fatal(err)
	}
	digest := func(in *plan.Input) verify.Digest {
		s, err := in.Subject()
		if err != nil {
			t.Fatal(err)
		}
		return s.Digest()
	}
	first := grown(t, linked, 2, 4, "")
	second := grown(t, linked, 4, 6, digest(first))
	third := grown(t, linked, 6, 8, digest(second))
	proved, unsure := says{verdict: verify.Proved}, says{verify.Proved, "before", verify.Unknown}
	for _, c := range []struct {
		name    string
		plans   []*plan.Input
		auditor verify.Decider
		want    []Outcome
		reason  string // of the last
	}{
		{"one after the other", []*plan.Input{first, second, third}, proved, []Outcome{Confirmed, Confirmed, Confirmed}, ""},
		{"the first is not settled", []*plan.Input{first, second, third}, unsure, []Outcome{Undecided, Undecided, Undecided}, "rests on entry 1"},
		{"the first is not there", []*plan.Input{second, third}, proved, []Outcome{Contradicted, Undecided}, "rests on entry 0"},
		{"the first comes later", []*plan.Input{second, first}, proved, []Outcome{Contradicted, Confirmed}, ""},
		{"not the one before", []*plan.Input{first, second, grown(t, linked, 6, 8, digest(first))}, proved, []Outcome{Confirmed, Confirmed, Contradicted}, "leaves other entries"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := ledger.Create(dir, "interlock/test"); err != nil {
				t.Fatal(err)
			}
			l, err := ledger.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			for _, in := range c.plans {
				s, err := in.Subject()
				if err != nil {
					t.Fatal(err)
				}
				obs, err := plan.Obligations(in)
				if err != nil {
					t.Fatal(err)
				}
				cert, err := verify.Decide(t.Context(), proved, s, plan.EncoderVersion, obs, nil, []string{"z3"}, time.Unix(0, 0), nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := l.AppendDecision(t.Context(), ledger.Decision{Action: "plan", Switch: "s1", Verdict: "proved"}, s, cert, obs); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.Publish(); err != nil {
				t.Fatal(err)
			}
			// Twice: what was settled the first time is not decided again, but what it rests on counts again.
			for range 2 {
				state, err := OpenState(filepath.Join(dir, "state"), verify.SolverInfo{Name: "z3"})
				if err != nil {
					t.Fatal(err)
				}
				results, err := Run(context.Background(), audited(t, dir), []verify.Decider{c.auditor}, Options{State: state})
				if err != nil || len(results) != len(c.want) {
					t.Fatalf("%v, %v", results, err)
				}
				for i, r := range results {
					if r.Outcome != c.want[i] {
						t.Errorf("entry %d: %+v, want %s", i, r, c.want[i])
					}
				}
				if last := results[len(results)-1]; !strings.Contains(last.Reason, c.reason) {
					t.Errorf("%s, want %q", last.Reason, c.reason)
				}
				if err := state.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
