package plan

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
	"github.com/interlock/interlock/verify/smt"
)

var (
	seed = flag.Uint64("seed", 1, "seed of random plans")
	full = flag.Bool("full", false, "2,000 good plans and over 1,000 mutants, for which there is no time in every run")
)

// maxStates bounds how many states of one plan are tried.
const maxStates = 30000

var (
	smallArrays = map[model.Array]int64{
		{Control: specs.Ingress, Stage: 0}: 16, {Control: specs.Ingress, Stage: 1}: 9, {Control: specs.Egress, Stage: 0}: 12,
	}
	smallTenants = []model.VID{3, 70, 4094, 12}

	tinyArrays = map[model.Array]int64{
		{Control: specs.Ingress, Stage: 0}: 5, {Control: specs.Ingress, Stage: 1}: 3, {Control: specs.Egress, Stage: 0}: 3,
	}
	tinyTenants = []model.VID{3, 70}
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

// scenario is a random site: a tiny one every other time, which the reference model can exhaust.
func scenario(r *rand.Rand, n uint64) (s site, tiny bool) {
	if n%2 == 1 {
		return randomSite(r, smallArrays, smallTenants), false
	}
	return randomSite(r, tinyArrays, tinyTenants), true
}

// Every plan made by the recipe is proved, and survives in the reference model: the small ones in all interleavings.
func TestRecipe(t *testing.T) {
	const runs = 3
	plans := uint64(80)
	if *full {
		plans = 2000
	}
	t.Logf("seed %d", *seed)
	p := newPool(t, 1)
	obligations, exhausted := 0, 0
	for n := range plans {
		r := rand.New(rand.NewPCG(*seed, n))
		s, tiny := scenario(r, n)
		good := s.recipe(r)
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
		if tiny {
			story, complete := model.Exhaust(good, maxStates)
			if story != nil {
				t.Errorf("plan %d: the model says %v", n, story.Violations)
			}
			if complete {
				exhausted++
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d plans, %d obligations proved, %d runs of the model, %d plans in all interleavings", plans, obligations, plans*runs, exhausted)
	if exhausted < int(plans)/4 {
		t.Errorf("only %d plans were exhausted", exhausted)
	}
}

// A mutant that the model can break is refuted, and what is refuted the model can break, with the run that Explain tells. What the
// model cannot break in any interleaving is proved.
func TestMutants(t *testing.T) {
	const runs = 8
	rounds := 4
	if *full {
		rounds = 40
	}
	t.Logf("seed %d", *seed)
	p := newPool(t, 1)
	tally := map[string]*outcomes{}
	for n, round := 0, 0; round < max(rounds, 40); n++ {
		round = n / len(mutations)
		m := mutations[n%len(mutations)]
		if round >= rounds && tally[m.name] != nil && tally[m.name].refuted > 0 { // each is refuted once, if need be after the rounds
			continue
		}
		r := rand.New(rand.NewPCG(*seed+1, uint64(n)))
		s, tiny := scenario(r, uint64(round))
		mutant := clonePlan(s.recipe(r))
		if !m.do(r, mutant) {
			continue
		}
		if tally[m.name] == nil {
			tally[m.name] = &outcomes{}
		}
		d, err := decodeTest(t, input(mutant), mutant.Slots)
		if err != nil {
			tally[m.name].unreadable++
			continue
		}
		os := d.obligations()
		bad := refuted(t, p.Solver("z3"), os)
		models := make([]smt.Model, len(bad))
		if n%16 == 0 {
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
		var broken []model.Violation
		complete := false
		if tiny {
			var story *model.Story
			if story, complete = model.Exhaust(mutant, maxStates); story != nil {
				broken = story.Violations
			}
		}
		for i := 0; i < runs && len(broken) == 0 && !complete; i++ {
			_, broken = model.Explore(mutant, r)
		}
		for _, v := range broken {
			// A mask that does not fit breaks M3, and so much else that the formulas do not speak of it.
			if !properties[v.Property] && !properties["M3"] {
				t.Errorf("mutant %d, %s: %s is proved, but the model says %v", n, m.name, v.Property, v)
			}
		}
		if complete && len(bad) > 0 {
			t.Errorf("mutant %d, %s: %s is refuted, but the model tried everything", n, m.name, bad[0].ID)
		}
		tally[m.name].add(len(bad) > 0, len(broken) > 0, complete)
	}
	var all outcomes
	for _, m := range mutations {
		c := tally[m.name]
		if c == nil || c.refuted == 0 {
			t.Errorf("%s: no mutant was refuted", m.name)
			continue
		}
		all.refuted, all.broken, all.proved = all.refuted+c.refuted, all.broken+c.broken, all.proved+c.proved
		all.exhausted, all.unreadable = all.exhausted+c.exhausted, all.unreadable+c.unreadable
		t.Logf("%-40s %v", m.name, c)
	}
	t.Logf("%-40s %v", "all", &all)
	if n := all.refuted + all.proved; n < 20*rounds {
		t.Errorf("only %d mutants", n)
	}
}

// outcomes counts mutants. Every one that is refuted was shown to go wrong by Explain; broken are those that chance or trying
// everything broke without its help.
type outcomes struct{ refuted, broken, proved, exhausted, unreadable int }

func (o *outcomes) add(refuted, broken, exhausted bool) {
	for _, x := range []struct {
		n *int
		b bool
	}{{&o.refuted, refuted}, {&o.broken, broken}, {&o.proved, !refuted}, {&o.exhausted, exhausted}} {
		if x.b {
			*x.n++
		}
	}
}

func (o *outcomes) String() string {
	return fmt.Sprintf("%4d refuted (%d broken blindly)  %4d proved (%d in all interleavings)  %4d not readable",
		o.refuted, o.broken, o.proved, o.exhausted, o.unreadable)
}

// A second solver says the same, of good plans and of bad ones, also where there are many tenants.
func TestSecondSolver(t *testing.T) {
	cvc5, err := smt.NewPool([]smt.SolverConfig{{Name: "cvc5", Processes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cvc5.Close() })
	w := newCrowd(t, 200, 3)
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
