package alloc

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/smt"
)

// linkedQuickstart is the quickstart site with the text of its linked program, as plans carry it.
func linkedContext(t testing.TB) (*Context, []Tenant) {
	t.Helper()
	m, c := quickstart(t)
	linked, err := os.ReadFile(filepath.Join("..", "linker", "testdata", "quickstart", "linked.p4"))
	if err != nil {
		t.Fatal(err)
	}
	c.Linked = linked
	if c.Codec, err = CodecOf(linked); err != nil {
		t.Fatal(err)
	}
	tenants, err := TenantsOf(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, tenants
}

// prover decides plans with z3, if there is one.
func prover(t *testing.T) func(*plan.Input) (refuted []string) {
	t.Helper()
	if _, err := exec.LookPath("z3"); err != nil {
		t.Skip("no z3 on this machine: nothing is decided")
	}
	pool, err := smt.NewPool([]smt.SolverConfig{{Name: "z3", Path: "z3"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	encoder := plan.NewEncoder(1)
	return func(in *plan.Input) (refuted []string) {
		t.Helper()
		obligations, err := encoder.Obligations(in)
		if err != nil {
			t.Fatal(err)
		}
		results, err := pool.Decide(t.Context(), obligations, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			switch r.Verdict {
			case verify.Proved:
			case verify.Refuted:
				if p := obligations[i].Property; !slices.Contains(refuted, p) {
					refuted = append(refuted, p)
				}
			default:
				t.Errorf("%s: %s: %s", r.Obligation, r.Verdict, r.Reason)
			}
		}
		if len(results) == 0 {
			t.Error("nothing to prove")
		}
		slices.Sort(refuted)
		return refuted
	}
}

// stateOf is the page tables at a plan's end.
func stateOf(t *testing.T, c *Context, in *plan.Input) []byte {
	t.Helper()
	goal := Tables{}
	for _, x := range in.Goal {
		k := Key{x.Control, x.VID}
		goal[k] = append(goal[k], Mapping{x.Base, x.Size, x.Mask, x.Generation})
	}
	state, err := c.Codec.Encode(goal)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// What is built here is proved, from the first allocation through reallocations to an eviction, for the linked quickstart site.
func TestPlansAreProved(t *testing.T) {
	prove := prover(t)
	c, tenants := linkedContext(t)
	var state []byte
	check := func(name string, in *plan.Input, err error) {
		t.Helper()
		if err != nil || in == nil {
			t.Fatalf("%s: plan %v, %v", name, in, err)
		}
		if refuted := prove(in); len(refuted) > 0 {
			t.Errorf("%s: refuted %v", name, refuted)
		}
		state = stateOf(t, c, in)
	}
	in, err := c.ToLevels(state, tenants, []int{0, 0, 0})
	check("first", in, err)
	in, err = c.ToLevels(state, tenants, []int{4, 1, 0})
	check("grow", in, err)
	in, err = c.ToLevels(state, tenants, []int{2, 4, 0})
	check("exchange", in, err)
	pre, err := c.Codec.Decode(state)
	if err != nil {
		t.Fatal(err)
	}
	in, _, err = c.toLevels(state, pre, tenants, []int{4, 3, 0}, true)
	check("exchange after a fence", in, err)
	in, err = c.Sweep(state)
	check("sweep", in, err)
	if tables, err := c.Codec.Decode(state); err != nil || len(tables) != 3 {
		t.Errorf("%d entries, %v", len(tables), err)
	}
}

// The example plans: the good one is proved, and what is wrong with the bad ones is refuted.
func TestExamplePlans(t *testing.T) {
	prove := prover(t)
	c, tenants := linkedContext(t)
	m, _ := quickstart(t)
	first, err := c.ToLevels(nil, tenants, []int{0, 0, 0})
	if err != nil {
		t.Fatal(err)
	}
	full, err := c.ToLevels(nil, tenants, []int{5, 4, 0})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		file string
		want []string
	}{
		{"reset.yaml", nil},
		{"grant-twice.yaml", []string{"M1", "M2"}},
		{"grant-before-scrub.yaml", []string{"M2", "M5"}},
		{"scrub-before-fence.yaml", []string{"M2", "M5"}},
	}
	for _, tt := range tests {
		for name, start := range map[string]*plan.Input{"at the floors": first, "with a full switch": full} {
			t.Run(tt.file+" "+name, func(t *testing.T) {
				steps, err := LoadSteps(filepath.Join("..", "testdata", "plans", tt.file), m)
				if err != nil {
					t.Fatal(err)
				}
				in, err := c.Compile(stateOf(t, c, start), steps, false)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tt.want, prove(in)); d != "" {
					t.Error(d)
				}
			})
		}
	}
}
