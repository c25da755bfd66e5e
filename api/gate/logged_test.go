package gate_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
)

// A log with a finding is not believed, and stops nobody either: a saved plan is decided again, and refused only where there is nothing
// to decide with.
func TestLogWithFindings(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, r *rig){
		"somebody wrote past the gate": func(t *testing.T, r *rig) {
			o := ledger.Outcome{Action: "recover", Decision: -1, Result: ledger.Interrupted, Switch: "s1", PreState: "sha256:1", PostState: r.stateDigest()}
			if _, err := r.log.AppendOutcome(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		},
		"an input is gone": func(t *testing.T, r *rig) {
			blobs, err := filepath.Glob(filepath.Join(r.dir, "blobs", "*", "*"))
			if err != nil || len(blobs) == 0 {
				t.Fatal(err, blobs)
			}
			for _, b := range blobs {
				if err := os.Remove(b); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newSlots(t)
			g := r.gate()
			r.apply(g, first)
			in := r.plan(g.ElectionID(), second)
			proof := r.prove(in)
			if _, err := g.ClearProvedPlan(t.Context(), in, proof); err != nil {
				t.Fatal(err)
			}
			if c, again, err := g.ClearPlan(t.Context(), in, proof.Certificate); err != nil || again != nil || c == nil {
				t.Fatalf("an intact log: decided again: %v, %v", again != nil, err)
			}
			damage(t, r)
			r.entriesDamaged()
			conf := r.config()
			conf.Decider = nil
			r.election++
			blind, err := r.open(t.Context(), conf, r.election)
			if err != nil {
				t.Fatal(err)
			}
			defer blind.Close()
			in = r.plan(blind.ElectionID(), second)
			proof = r.prove(in)
			if _, _, err := blind.ClearPlan(t.Context(), in, proof.Certificate); !errors.Is(err, verify.ErrUndecided) {
				t.Errorf("without solvers: %v", err)
			}
			asked := &counting{Decider: solver(t, "z3")}
			conf.Decider = asked
			r.election++
			seeing, err := r.open(t.Context(), conf, r.election)
			if err != nil {
				t.Fatal(err)
			}
			defer seeing.Close()
			in = r.plan(seeing.ElectionID(), second)
			proof = r.prove(in)
			c, again, err := seeing.ClearPlan(t.Context(), in, proof.Certificate)
			if err != nil || again == nil || asked.n == 0 {
				t.Fatalf("%v, decided again: %v, %d obligations", err, again != nil, asked.n)
			}
			if _, err := seeing.Apply(t.Context(), c); err != nil {
				t.Error(err)
			}
			r.mustBeSafe()
		})
	}
}

// An eviction leaves alone what it does not understand, and takes out the tenant all the same.
func TestEvictBesideForeignEntries(t *testing.T) {
	r := newSlots(t)
	g := r.gate()
	r.apply(g, first)
	g.Close()
	r.election++
	o := r.outsider(r.election)
	pre, _ := r.state()
	stranger := entryOf(t, pre, 20).GetTableEntry()
	stranger.Match[0].GetExact().Value = []byte{0x0f, 0xff} // nobody's VID
	stranger.Action = firstEntity(t, pre).GetTableEntry().GetAction()
	o.write(&p4v1.Update{Type: p4v1.Update_INSERT, Entity: &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: stranger}}})
	o.cancel()
	g = r.gate()
	if _, err := g.Recover(t.Context(), r.lastState(), -1); err != nil {
		t.Fatal(err)
	}
	if out, err := g.Evict(t.Context(), "bob", 20); err != nil || out.Steps != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	if _, tables := r.state(); tables[keyOf(20)] != nil || len(tables) != 2 {
		t.Errorf("%v", tables)
	}
	r.entries()
}
