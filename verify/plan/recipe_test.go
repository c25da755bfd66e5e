package plan

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
	"github.com/interlock/interlock/verify/smt"
)

var seed = flag.Uint64("seed", 1, "seed of random plans")

var (
	smallArrays = map[model.Array]int64{
		{Control: specs.Ingress, Stage: 0}: 16, {Control: specs.Ingress, Stage: 1}: 9, {Control: specs.Egress, Stage: 0}: 12,
	}
	smallTenants = []model.VID{3, 70, 4094, 12}
)

// newPool is Z3: our worker if it is there, else Debian's binary.
func newPool(t testing.TB, processes int) *smt.Pool {
	t.Helper()
	p, err := smt.NewPool([]smt.SolverConfig{{Name: "z3", Processes: processes}})
	if err != nil {
		p, err = smt.NewPool([]smt.SolverConfig{{Name: "z3", Path: "z3", Processes: processes}})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// decide returns the refuted obligations, with the models; every other must be proved.
func decide(t testing.TB, p *smt.Pool, os []verify.Obligation) ([]verify.Obligation, []smt.Model) {
	t.Helper()
	results, err := p.Decide(t.Context(), os, nil)
	if err != nil {
		t.Fatal(err)
	}
	var refuted []verify.Obligation
	var models []smt.Model
	for i, r := range results {
		switch r.Verdict {
		case verify.Proved:
		case verify.Refuted:
			m, err := smt.ParseModel(r.Model)
			if err != nil {
				t.Errorf("%s: %v", os[i].ID, err)
			}
			refuted, models = append(refuted, os[i]), append(models, m)
		default:
			t.Errorf("%s: %s, %s\n%s", os[i].ID, r.Verdict, r.Reason, os[i].Guard)
		}
	}
	return refuted, models
}

// refuted returns the refuted obligations without models, which cost a process each; every other must be proved.
func refuted(t testing.TB, s smt.Solver, os []verify.Obligation) []verify.Obligation {
	t.Helper()
	ask := func(text string) smt.Status {
		a, err := s.Decide(t.Context(), text, smt.DecideOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return a.Status
	}
	var out []verify.Obligation
	for _, o := range os {
		if o.Guard != "" {
			if g := ask(o.Guard); g != smt.Sat {
				t.Errorf("%s: its guard is %v\n%s", o.ID, g, o.Guard)
			}
		}
		switch a := ask(o.Text); a {
		case smt.Unsat:
		case smt.Sat:
			out = append(out, o)
		default:
			t.Errorf("%s: %v", o.ID, a)
		}
	}
	return out
}

// Every plan made by the recipe is proved, and survives in the reference model.
func TestRecipe(t *testing.T) {
	const plans, runs = 200, 3
	t.Logf("seed %d", *seed)
	p := newPool(t, 1)
	obligations := 0
	for n := range uint64(plans) {
		r := rand.New(rand.NewPCG(*seed, n))
		good := randomSite(r, smallArrays, smallTenants).recipe(r)
		d, err := decodeTest(t, input(good), good.Slots)
		if err != nil {
			t.Fatalf("plan %d: %v", n, err)
		}
		os := d.obligations()
		obligations += len(os)
		refuted, _ := decide(t, p, os)
		for _, o := range refuted {
			t.Errorf("plan %d: %s is refuted: %s\n%s", n, o.ID, o.Subject, o.Text)
		}
		for range runs {
			if _, vs := model.Explore(good, r); len(vs) > 0 {
				t.Errorf("plan %d: the model says %v", n, vs)
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d plans, %d obligations proved, %d runs of the model", plans, obligations, plans*runs)
}

// A mutant that the model can break is refuted, and what is refuted the model can break: with the run that Explain tells.
func TestMutants(t *testing.T) {
	const rounds, runs = 11, 8
	t.Logf("seed %d", *seed)
	p := newPool(t, 1)
	type count struct{ refuted, harmless, unreadable int }
	tally := map[string]*count{}
	for n := range uint64(rounds * len(mutations)) {
		r := rand.New(rand.NewPCG(*seed+1, n))
		m := mutations[n%uint64(len(mutations))]
		mutant := clonePlan(randomSite(r, smallArrays, smallTenants).recipe(r))
		if !m.do(r, mutant) {
			continue
		}
		if tally[m.name] == nil {
			tally[m.name] = &count{}
		}
		d, err := decodeTest(t, input(mutant), mutant.Slots)
		if err != nil {
			tally[m.name].unreadable++
			continue
		}
		os := d.obligations()
		bad := refuted(t, p.Solver("z3"), os)
		models := make([]smt.Model, len(bad))
		if n%8 == 0 {
			bad, models = decide(t, p, os)
		}
		properties := map[string]bool{}
		for i, o := range bad {
			if properties[o.Property] {
				continue
			}
			properties[o.Property] = true
			if c := d.explain(o, models[i]); !c.Replayed && !strings.Contains(c.What, "(M3)") {
				t.Errorf("mutant %d, %s: %s", n, m.name, c)
			}
		}
		broken := map[string]model.Violation{}
		for i := 0; i < runs && len(broken) == 0; i++ {
			_, vs := model.Explore(mutant, r)
			for _, v := range vs {
				broken[v.Property] = v
			}
		}
		for property, v := range broken {
			// A mask that does not fit breaks M3, and so much else that the formulas do not speak of it.
			if !properties[property] && !properties["M3"] {
				t.Errorf("mutant %d, %s: %s is proved, but the model says %v", n, m.name, property, v)
			}
		}
		if len(bad) > 0 {
			tally[m.name].refuted++
		} else {
			tally[m.name].harmless++
		}
	}
	all := 0
	for _, m := range mutations {
		c := tally[m.name]
		if c == nil || c.refuted == 0 {
			t.Errorf("%s: no mutant was refuted", m.name)
			continue
		}
		all += c.refuted + c.harmless + c.unreadable
		t.Logf("%-32s %3d refuted %3d harmless %3d not readable", m.name, c.refuted, c.harmless, c.unreadable)
	}
	t.Logf("%d mutants", all)
	if all < 200 {
		t.Errorf("only %d mutants", all)
	}
}

// A second solver says the same, of good plans and of bad ones, also where there are many tenants.
func TestSecondSolver(t *testing.T) {
	cvc5, err := smt.NewPool([]smt.SolverConfig{{Name: "cvc5", Processes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cvc5.Close() })
	w := newCrowd(t, 200)
	e := NewEncoder(1)
	for _, changed := range []int{1, 20} {
		os, err := e.Obligations(w.next(changed))
		if err != nil {
			t.Fatal(err)
		}
		if bad, _ := decide(t, cvc5, os); len(bad) > 0 {
			t.Errorf("%d changed: %s is refuted", changed, bad[0].ID)
		}
	}
	z3 := newPool(t, 1).Solver("z3")
	for n := range uint64(len(mutations)) {
		r := rand.New(rand.NewPCG(*seed+2, n))
		p := clonePlan(randomSite(r, smallArrays, smallTenants).recipe(r))
		if n%3 > 0 {
			mutations[n].do(r, p)
		}
		d, err := decodeTest(t, input(p), p.Slots)
		if err != nil {
			continue
		}
		os := d.obligations()
		one, two := refuted(t, z3, os), refuted(t, cvc5.Solver("cvc5"), os)
		if len(one) != len(two) {
			t.Errorf("plan %d: Z3 refutes %d obligations, cvc5 %d", n, len(one), len(two))
		}
	}
}
