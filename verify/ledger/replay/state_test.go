package replay

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
)

// counting is a decider that counts what it decides, and ends its context after some.
type counting struct {
	says
	n     *atomic.Int32
	after int32
	end   context.CancelFunc
}

func (c counting) Decide(ctx context.Context, obs []verify.Obligation, p func(int, int)) ([]verify.Result, error) {
	if c.n.Add(1) == c.after {
		c.end()
	}
	rs, err := c.says.Decide(ctx, obs, p)
	return rs, errors.Join(err, ctx.Err())
}

// many records n decisions in one log. Their inputs are not a program's, so that nothing but their texts can be decided.
func many(t *testing.T, n int) *check.Log {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	if err := ledger.Create(dir, "interlock/test"); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	text, err := os.ReadFile(filepath.Join("..", "..", "program", "testdata", "two.p4"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		s := verify.Subject{Kind: "program", Name: "p", Inputs: map[string][]byte{
			"linked.p4": text, "tenants.json": []byte(`[{"name":"kv","vid":100,"ports":[1]},{"name":"hh","vid":200,"ports":[3]}]`),
		}}
		obs := []verify.Obligation{{ID: "X", Property: "X", Logic: "QF_LIA", Text: string(rune('a' + i))}}
		cert, err := verify.Decide(ctx, says{verdict: verify.Proved}, s, "another", obs, nil, []string{"z3"}, time.Unix(0, 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.AppendDecision(ctx, ledger.Decision{Action: "install", Verdict: "proved"}, s, cert, obs); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Publish(); err != nil {
		t.Fatal(err)
	}
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

func TestResume(t *testing.T) {
	l := many(t, 8)
	path := filepath.Join(t.TempDir(), "state")
	solver := verify.SolverInfo{Name: "z3", Version: "1"}
	open := func() *State {
		s, err := OpenState(path, solver)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ctx, end := context.WithCancel(context.Background())
	var n atomic.Int32
	d := counting{says{verdict: verify.Proved}, &n, 4, end}
	s := open()
	results, err := Run(ctx, l, []verify.Decider{d}, Options{State: s})
	if !errors.Is(err, context.Canceled) || len(results) != 3 || n.Load() != 4 {
		t.Fatalf("interrupted at the fourth: %v, %v, %d decided", results, err, n.Load())
	}
	s.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b[:len(b)-5], 0o600); err != nil { // the machine stopped in the middle of a line
		t.Fatal(err)
	}
	n.Store(0)
	d.after = -1
	s = open()
	results, err = Run(context.Background(), l, []verify.Decider{d, d, d}, Options{State: s})
	if err != nil || len(results) != 8 || n.Load() != 6 {
		t.Fatalf("resumed after two whole lines: %v, %v, %d decided", results, err, n.Load())
	}
	s.Close()
	for i, r := range results {
		if r.Entry != int64(i) || r.Outcome != TextOnly {
			t.Errorf("%+v", r)
		}
	}
	if _, err := OpenState(path, verify.SolverInfo{Name: "z3", Version: "2"}); !errors.Is(err, ErrOtherReplay) {
		t.Errorf("a state of another solver: %v", err)
	}
	// What was not confirmed is tried again.
	path = filepath.Join(t.TempDir(), "state")
	for _, verdict := range []verify.Verdict{verify.Refuted, verify.Unknown, verify.Proved} {
		n.Store(0)
		s = open()
		d.says = says{verdict: verdict}
		if _, err := Run(context.Background(), l, []verify.Decider{d}, Options{State: s}); err != nil || n.Load() != 8 {
			t.Errorf("%s: %v, %d decided", verdict, err, n.Load())
		}
		s.Close()
	}
}
