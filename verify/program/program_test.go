package program

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// two is testdata/two.p4 with its two tenants.
func two(t *testing.T) *Input {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "two.p4"))
	if err != nil {
		t.Fatal(err)
	}
	return &Input{Linked: text, Parser: specs.ParserBound{States: 256, Bytes: 512}, Tenants: []Tenant{
		{Name: "kv", VID: 100, Ports: []uint16{1, 2}},
		{Name: "hh", VID: 200, Ports: []uint16{3}},
	}}
}

// edit replaces old, which must occur exactly once, by new. Both may hold several parts with a line of ---- between them.
func edit(t *testing.T, in *Input, old, new string) {
	t.Helper()
	const cut = "\n----\n"
	olds, news := strings.Split(old, cut), strings.Split(new, cut)
	for i, o := range olds {
		if n := strings.Count(string(in.Linked), o); n != 1 {
			t.Fatalf("%q occurs %d times", o, n)
		}
		in.Linked = []byte(strings.Replace(string(in.Linked), o, news[i], 1))
	}
}

// pool runs both solvers as Debian installs them.
func pool(t testing.TB) *smt.Pool {
	t.Helper()
	p, err := smt.NewPool([]smt.SolverConfig{{Name: "z3", Path: "z3"}, {Name: "cvc5"}})
	if errors.Is(err, smt.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func decide(t testing.TB, p *smt.Pool, os []verify.Obligation) []verify.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	rs, err := p.Decide(ctx, os, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func obligations(t testing.TB, in *Input) *Report {
	t.Helper()
	r, err := Obligations(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestProved(t *testing.T) {
	r := obligations(t, two(t))
	for _, res := range decide(t, pool(t), r.Obligations) {
		if res.Verdict != verify.Proved {
			t.Errorf("%s by %s: %s, guard %s: %s\n%s", res.Obligation, res.Solver, res.Verdict, res.Guard, res.Reason, res.Model)
		}
	}
	for _, n := range r.Checked {
		if n.Obligations == 0 {
			t.Errorf("no obligations for %s", n.ID)
		}
	}
}

func TestDeterministic(t *testing.T) {
	in := two(t)
	first := obligations(t, in)
	in.Tenants[0], in.Tenants[1] = in.Tenants[1], in.Tenants[0]
	in.Tenants[1].Ports = []uint16{2, 1}
	for range 3 {
		again := obligations(t, in)
		if len(again.Obligations) != len(first.Obligations) {
			t.Fatalf("%d obligations, then %d", len(first.Obligations), len(again.Obligations))
		}
		for i, o := range again.Obligations {
			if o != first.Obligations[i] {
				t.Fatalf("%s differs between runs", o.ID)
			}
		}
	}
}
