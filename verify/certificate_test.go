package verify

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// answers is a decider with fixed verdicts, by obligation and solver.
type answers map[string]map[string]Verdict

func (a answers) Solvers() []SolverInfo { return []SolverInfo{{Name: "z3"}, {Name: "cvc5"}} }

func (a answers) Decide(_ context.Context, obs []Obligation, _ func(int, int)) ([]Result, error) {
	var rs []Result
	for _, o := range obs {
		for solver, v := range a[o.ID] {
			s := o.State()
			rs = append(rs, Result{Obligation: o.ID, Text: s.Text, GuardText: s.Guard, Solver: solver, Verdict: v})
		}
	}
	return rs, nil
}

func certify(t *testing.T, a answers, obs []Obligation, required ...string) *Certificate {
	t.Helper()
	s := Subject{Kind: "plan", Inputs: map[string][]byte{"plan": []byte("x")}}
	c, err := Decide(context.Background(), a, s, "1", obs, nil, required, time.Unix(0, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestProved(t *testing.T) {
	obs := []Obligation{{ID: "M1/a", Property: "M1", Text: "(check-sat)", Guard: "g"}, {ID: "M2/a", Property: "M2", Text: "t"}}
	both := map[string]Verdict{"z3": Proved, "cvc5": Proved}
	tests := []struct {
		name     string
		answers  answers
		required []string
		obs      []Obligation
		want     error
	}{
		{"all proved by both", answers{"M1/a": both, "M2/a": both}, []string{"z3", "cvc5"}, obs, nil},
		{"one solver is enough if only one is required", answers{"M1/a": {"z3": Proved}, "M2/a": {"z3": Proved}}, []string{"z3"}, obs, nil},
		{"a required solver is missing", answers{"M1/a": both, "M2/a": {"z3": Proved}}, []string{"z3", "cvc5"}, obs, ErrUndecided},
		{"unknown is not proved", answers{"M1/a": both, "M2/a": {"z3": Proved, "cvc5": Unknown}}, []string{"z3", "cvc5"}, obs, ErrUndecided},
		{"error is not proved", answers{"M1/a": {"z3": Error, "cvc5": Proved}, "M2/a": both}, []string{"z3", "cvc5"}, obs, ErrUndecided},
		{"refuted by one", answers{"M1/a": {"z3": Proved, "cvc5": Refuted}, "M2/a": both}, []string{"z3", "cvc5"}, obs, ErrRefuted},
		{"nothing required proves nothing", answers{"M1/a": both, "M2/a": both}, nil, obs, ErrUndecided},
		{"no obligations prove nothing", answers{}, []string{"z3"}, nil, ErrUndecided},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := certify(t, tt.answers, tt.obs, tt.required...).Proved()
			if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// Verdicts on other texts than those stated, repeated verdicts and repeated names are not proofs.
func TestProvedSwaps(t *testing.T) {
	obs := []Obligation{{ID: "M1/a", Property: "M1", Text: "t"}}
	proved := answers{"M1/a": {"z3": Proved}}
	for name, change := range map[string]func(*Certificate){
		"another text":     func(c *Certificate) { c.Results[0].Text = DigestOf([]byte("u")) },
		"another guard":    func(c *Certificate) { c.Results[0].GuardText = DigestOf([]byte("u")) },
		"a second result":  func(c *Certificate) { c.Results = append(c.Results, c.Results[0]) },
		"a second of name": func(c *Certificate) { c.Obligations = append(c.Obligations, c.Obligations[0]) },
	} {
		c := certify(t, proved, obs, "z3")
		if err := c.Proved(); err != nil {
			t.Fatal(err)
		}
		change(c)
		if err := c.Proved(); !errors.Is(err, ErrUndecided) {
			t.Errorf("%s: got %v, want undecided", name, err)
		}
	}
}

func TestCovers(t *testing.T) {
	s := Subject{Kind: "plan", Inputs: map[string][]byte{"plan": []byte("x")}}
	obs := []Obligation{{ID: "M1/a", Property: "M1", Text: "t"}}
	c := certify(t, answers{"M1/a": {"z3": Proved}}, obs, "z3")
	if err := c.Covers(s, "1", obs); err != nil {
		t.Fatal(err)
	}
	other := Subject{Kind: "plan", Inputs: map[string][]byte{"plan": []byte("y")}}
	renamed := Subject{Kind: "plan", Inputs: map[string][]byte{"pla": []byte("x")}}
	changed := []Obligation{{ID: "M1/a", Property: "M1", Text: "t "}}
	for name, err := range map[string]error{
		"another input":   c.Covers(other, "1", obs),
		"a renamed input": c.Covers(renamed, "1", obs),
		"another encoder": c.Covers(s, "2", obs),
		"another text":    c.Covers(s, "1", changed),
		"fewer":           c.Covers(s, "1", nil),
	} {
		if err == nil {
			t.Errorf("%s: covered", name)
		}
	}
}

func TestParseCertificate(t *testing.T) {
	b, err := certify(t, answers{"M1/a": {"z3": Proved}}, []Obligation{{ID: "M1/a", Text: "t"}}, "z3").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCertificate(b)
	if err != nil || c.Proved() != nil {
		t.Fatal(err, c)
	}
	_, err = ParseCertificate([]byte(strings.Replace(string(b), `"created"`, `"creatd"`, 1)))
	if err == nil || !strings.Contains(err.Error(), `unknown field "creatd"`) {
		t.Errorf("got %v", err)
	}
	if _, err := ParseCertificate(append(b, '{')); err == nil {
		t.Error("trailing text was accepted")
	}
}
