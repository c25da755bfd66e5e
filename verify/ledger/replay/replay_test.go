package replay

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/program"
)

// says is a solver that gives one verdict on everything, or another on one obligation.
type says struct {
	verdict verify.Verdict
	except  string // part of an ID
	other   verify.Verdict
}

func (s says) Solvers() []verify.SolverInfo { return []verify.SolverInfo{{Name: "z3"}} }

func (s says) Decide(_ context.Context, obs []verify.Obligation, _ func(int, int)) ([]verify.Result, error) {
	var rs []verify.Result
	for _, o := range obs {
		st := o.State()
		r := verify.Result{Obligation: o.ID, Text: st.Text, GuardText: st.Guard, Solver: "z3", Verdict: s.verdict}
		if s.except != "" && strings.Contains(o.ID, s.except) {
			r.Verdict = s.other
		}
		rs = append(rs, r)
	}
	return rs, nil
}

func TestReplay(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "program", "testdata", "two.p4"))
	if err != nil {
		t.Fatal(err)
	}
	in := &program.Input{Linked: text, Parser: specs.ParserBound{States: 256, Bytes: 512}, Tenants: []program.Tenant{
		{Name: "kv", VID: 100, Ports: []uint16{1, 2}}, {Name: "hh", VID: 200, Ports: []uint16{3}},
	}}
	rep, err := program.Obligations(in)
	if err != nil {
		t.Fatal(err)
	}
	subject, err := in.Subject()
	if err != nil {
		t.Fatal(err)
	}
	proved := says{verdict: verify.Proved}
	for _, c := range []struct {
		name     string
		recorder says
		verdict  string
		encoder  string
		change   func(s *verify.Subject, obs []verify.Obligation) []verify.Obligation
		auditor  says
		want     Outcome
		reason   string
	}{
		{"the same", proved, "proved", program.EncoderVersion, nil, proved, Confirmed, ""},
		{
			"refuted then and now",
			says{verify.Proved, rep.Obligations[3].ID, verify.Refuted},
			"refuted", program.EncoderVersion, nil,
			says{verify.Proved, rep.Obligations[3].ID, verify.Refuted},
			Confirmed, "",
		},
		{
			"one is refuted now", proved, "proved", program.EncoderVersion, nil,
			says{verify.Proved, rep.Obligations[3].ID, verify.Refuted},
			Contradicted, "recorded proved, now refuted",
		},
		{
			"refuted then, proved now",
			says{verify.Proved, rep.Obligations[3].ID, verify.Refuted},
			"refuted", program.EncoderVersion, nil,
			proved, Contradicted, "recorded refuted, now proved",
		},
		{
			"one is unknown now", proved, "proved", program.EncoderVersion, nil,
			says{verify.Proved, rep.Obligations[0].ID, verify.Unknown},
			Undecided, rep.Obligations[0].ID,
		},
		{
			"an error now", proved, "proved", program.EncoderVersion, nil,
			says{verify.Proved, rep.Obligations[0].ID, verify.Error},
			Undecided, rep.Obligations[0].ID,
		},
		{"another encoder", proved, "proved", "program/0", nil, proved, TextOnly, "program/0"},
		{"another encoder, and refuted now", proved, "proved", "program/0", nil, says{verdict: verify.Refuted}, Contradicted, "refuted"},
		{"an obligation is left out", proved, "proved", program.EncoderVersion, func(_ *verify.Subject, obs []verify.Obligation) []verify.Obligation {
			return obs[1:]
		}, proved, Contradicted, "obligations, "},
		{"a text is weaker", proved, "proved", program.EncoderVersion, func(_ *verify.Subject, obs []verify.Obligation) []verify.Obligation {
			obs[2].Text = "(set-logic QF_BV)(assert false)(check-sat)"
			return obs
		}, proved, Contradicted, "is not what the inputs yield"},
		{"another program", proved, "proved", program.EncoderVersion, func(s *verify.Subject, obs []verify.Obligation) []verify.Obligation {
			s.Inputs["linked.p4"] = []byte(strings.ReplaceAll(string(text), "100", "101"))
			return obs
		}, proved, Contradicted, ""},
		{"no program", proved, "proved", program.EncoderVersion, func(s *verify.Subject, obs []verify.Obligation) []verify.Obligation {
			s.Inputs["linked.p4"] = []byte("header")
			return obs
		}, proved, Contradicted, "cannot be built"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := subject
			s.Inputs = map[string][]byte{}
			for k, v := range subject.Inputs {
				s.Inputs[k] = v
			}
			obs := append([]verify.Obligation(nil), rep.Obligations...)
			if c.change != nil {
				obs = c.change(&s, obs)
			}
			l := record(t, s, c.encoder, obs, c.recorder, c.verdict)
			results, err := Run(context.Background(), l, []verify.Decider{c.auditor}, Options{})
			if err != nil || len(results) != 1 {
				t.Fatalf("%v, %v", results, err)
			}
			if r := results[0]; r.Outcome != c.want || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("got %+v, want %s %q", r, c.want, c.reason)
			}
		})
	}
}

// record writes one decision to a new log and reads it as an auditor does.
func record(t *testing.T, s verify.Subject, encoder string, obs []verify.Obligation, d verify.Decider, verdict string) *check.Log {
	t.Helper()
	ctx := context.Background()
	cert, err := verify.Decide(ctx, d, s, encoder, obs, nil, []string{"z3"}, time.Unix(0, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := ledger.Create(dir, "interlock/test"); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.AppendDecision(ctx, ledger.Decision{Action: "install", Switch: "s1", Verdict: verdict}, s, cert, obs); err != nil {
		t.Fatal(err)
	}
	if err := l.Publish(); err != nil {
		t.Fatal(err)
	}
	return audited(t, dir)
}

// audited reads a log as an auditor does.
func audited(t *testing.T, dir string) *check.Log {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := check.Read(dir, string(key))
	if err != nil || len(c.Findings) > 0 {
		t.Fatal(err, c.Findings)
	}
	return c
}
