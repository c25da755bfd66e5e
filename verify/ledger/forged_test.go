package ledger

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/verify"
)

// The key's holder can sign anything. What it signs still has to make sense, or the checker says so: nothing is carried out
// without a proof, or a standing lemma for just that action.
func TestForgedEntries(t *testing.T) {
	ctx := context.Background()
	decide := func(t *testing.T, l *Log, change func(d *Decision, s *verify.Subject, c *verify.Certificate)) int64 {
		t.Helper()
		s := verify.Subject{Kind: "plan", Name: "plan", Inputs: map[string][]byte{"linked.p4": program, "prestate.bin": []byte("x")}}
		obs := []verify.Obligation{{ID: "M1", Property: "M1", Logic: "QF_LIA", Text: "(assert false)(check-sat)", Guard: "(check-sat)"}}
		c, err := verify.Decide(ctx, proved{}, s, "1", obs, nil, []string{"z3"}, time.Unix(0, 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		d := Decision{Action: "plan", Switch: "s1", Verdict: "proved"}
		change(&d, &s, c)
		if d.Lemma != "" || d.Reason == "no certificate" {
			c, obs = nil, nil
		}
		n, err := l.AppendDecision(ctx, d, s, c, obs)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	honest := func(*Decision, *verify.Subject, *verify.Certificate) {}
	evict := func(d *Decision, s *verify.Subject, _ *verify.Certificate) {
		d.Action, d.Verdict, d.Lemma, s.Kind = "evict", "lemma", "specs/lemmas/evict.smt2", "evict"
	}
	for _, c := range []struct {
		name    string
		decide  func(d *Decision, s *verify.Subject, c *verify.Certificate)
		outcome func(o *Outcome)
		entry   int64 // at fault; -1: none
		want    string
	}{
		{"honest", honest, func(*Outcome) {}, -1, ""},
		{"an eviction by the lemma", evict, func(o *Outcome) { o.Action = "evict" }, -1, ""},
		{"recovered without a decision", honest, func(o *Outcome) { o.Action, o.Decision = "recover", -1 }, -1, ""},
		{"proved, without a certificate", func(d *Decision, _ *verify.Subject, _ *verify.Certificate) {
			d.Reason = "no certificate"
		}, func(*Outcome) {}, 0, "neither certificate"},
		{"a plan by the lemma for evictions", func(d *Decision, s *verify.Subject, c *verify.Certificate) {
			d.Verdict, d.Lemma = "lemma", "specs/lemmas/evict.smt2"
		}, func(*Outcome) {}, 0, "neither certificate"},
		{"a made-up lemma", func(d *Decision, s *verify.Subject, c *verify.Certificate) {
			evict(d, s, c)
			d.Lemma = "trust me"
		}, func(o *Outcome) { o.Action = "evict" }, 0, "neither certificate"},
		{"an eviction of other inputs", func(d *Decision, s *verify.Subject, c *verify.Certificate) {
			evict(d, s, c)
			s.Kind = "something"
		}, func(o *Outcome) { o.Action = "evict" }, 0, "not those of the subject"},
		{"a plan's certificate for an installation", func(d *Decision, _ *verify.Subject, _ *verify.Certificate) {
			d.Action = "install"
		}, func(o *Outcome) { o.Action = "install" }, 0, "certificate of a plan"},
		{"proved, says the entry, unknown, say the results", func(_ *Decision, _ *verify.Subject, c *verify.Certificate) {
			c.Results[0].Verdict = verify.Unknown
		}, func(*Outcome) {}, 0, "the results do not"},
		{"terms that are not there", func(d *Decision, _ *verify.Subject, _ *verify.Certificate) {
			p, err := newPacker()
			if err != nil {
				t.Fatal(err)
			}
			ref, _ := p.pack([]byte("terms"))
			d.Policy, d.Terms = string(ref.Content), &ref
		}, func(*Outcome) {}, 0, "terms: "},
		{"two results", func(_ *Decision, _ *verify.Subject, c *verify.Certificate) {
			unknown := c.Results[0]
			unknown.Verdict = verify.Unknown
			c.Results = []verify.Result{unknown, c.Results[0]}
		}, func(*Outcome) {}, 0, "two results"},
		{"nothing required", func(_ *Decision, _ *verify.Subject, c *verify.Certificate) { c.Required = nil }, func(*Outcome) {}, 0, "the results do not"},
		{"carried out although undecided", func(d *Decision, _ *verify.Subject, c *verify.Certificate) {
			d.Verdict, c.Results[0].Verdict = "undecided", verify.Unknown
		}, func(*Outcome) {}, 1, "whose verdict is undecided"},
		{"failed half-way although undecided", func(d *Decision, _ *verify.Subject, c *verify.Certificate) {
			d.Verdict, c.Results[0].Verdict = "undecided", verify.Unknown
		}, func(o *Outcome) { o.Result, o.Steps = Failed, 3 }, 1, "whose verdict is undecided"},
		{"carried out on another switch", honest, func(o *Outcome) { o.Switch = "s2" }, 1, "on switch s2"},
		{"carried out in another state", honest, func(o *Outcome) { o.PreState = state([]byte("y")) }, 1, "proved it for"},
		{"proved for another program", func(_ *Decision, s *verify.Subject, c *verify.Certificate) {
			s.Inputs["linked.p4"] = []byte("another program")
			c.Subject = s.Digest()
		}, func(*Outcome) {}, 1, "proved it for"},
		{"proved for no state", func(_ *Decision, s *verify.Subject, c *verify.Certificate) {
			delete(s.Inputs, "linked.p4")
			c.Subject = s.Digest()
		}, func(*Outcome) {}, 1, "proved it for"},
		{"another action", honest, func(o *Outcome) { o.Action = "install" }, 1, "decided to plan"},
		{"no decision", honest, func(o *Outcome) { o.Decision = -1 }, 1, "no earlier decision"},
		{"a later decision", honest, func(o *Outcome) { o.Decision = 7 }, 1, "no earlier decision"},
		{"an outcome as a decision", honest, func(o *Outcome) { o.Decision = 1 }, 1, "no earlier decision"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLog(t)
			o := Outcome{Action: "apply", Switch: "s1", Decision: decide(t, l, c.decide), Result: Applied, PreState: state([]byte("x")), PostState: "b"}
			c.outcome(&o)
			if _, err := l.AppendOutcome(ctx, o); err != nil {
				t.Fatal(err)
			}
			publish(t, l)
			findings := read(t, l.Dir()).Findings
			if c.entry < 0 {
				if len(findings) > 0 {
					t.Errorf("findings: %v", findings)
				}
				return
			}
			for _, f := range findings {
				if f.Entry == c.entry && strings.Contains(f.What, c.want) {
					return
				}
			}
			t.Errorf("findings %v, want entry %d: %q", findings, c.entry, c.want)
		})
	}
	t.Run("a blob that unpacks without end", func(t *testing.T) {
		l := newLog(t)
		decide(t, l, honest)
		publish(t, l)
		c := read(t, l.Dir())
		ref := c.Entries[0].Decision.Inputs["prestate.bin"]
		for _, size := range []int64{-1, 0, 2, 1 << 62} {
			ref.Size = size
			if _, err := c.Blob(ref); err == nil {
				t.Errorf("a blob of %d bytes was read", size)
			}
		}
	})
}

// Two entries that change places are found, and the first of them named; so are a repeated and a dropped one.
func TestReordered(t *testing.T) {
	l := newLog(t)
	for n := range 3 {
		if err := appendPair(t, l, n); err != nil {
			t.Fatal(err)
		}
	}
	dir := l.Dir()
	l.Close()
	path := filepath.Join(dir, "tile", "entries", "000.p", "6")
	orig, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := splitBundle(orig)
	if err != nil || len(entries) != 6 {
		t.Fatal(len(entries), err)
	}
	for name, order := range map[string][]int{
		"swapped": {0, 2, 1, 3, 4, 5}, "repeated": {0, 1, 1, 3, 4, 5}, "dropped": {0, 2, 3, 4, 5}, "one more": {0, 1, 2, 3, 4, 5, 5},
	} {
		var bundle []byte
		for _, i := range order {
			e := entries[i]
			bundle = append(append(bundle, byte(len(e)>>8), byte(len(e))), e...)
		}
		if err := os.WriteFile(path, bundle, 0o644); err != nil {
			t.Fatal(err)
		}
		findings := read(t, dir).Findings
		named := false
		for _, f := range findings {
			named = named || f.Entry >= 0
		}
		if !named {
			t.Errorf("%s: findings %v name no entry", name, findings)
		}
		if _, err := Open(dir); err == nil {
			t.Errorf("%s: the log opens for appending", name)
		}
	}
}
