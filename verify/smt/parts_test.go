package smt

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// The questions of a script are answered in turn, each with what is in force where it stands; the process that answered them goes on as
// if there had been none.
func TestDecideParts(t *testing.T) {
	parts := []string{
		"(declare-fun x () Int)(assert (< 3 x))(push 1)(assert (< x 5))(check-sat)",
		"(assert (< x 4))\n(check-sat)",
		"(pop 1)(push 1)(assert (< x 6)) ; a comment\n(check-sat)",
		"(pop 1)(assert (< x 4))(check-sat)",
	}
	for _, conf := range solverConfigs(t) {
		t.Run(conf.Name, func(t *testing.T) {
			conf.Processes = 1
			s := newPool(t, conf).solvers[0]
			for range 2 {
				answers, err := s.DecideParts(t.Context(), "QF_LIA", parts)
				var have []Status
				for _, a := range answers {
					have = append(have, a.Status)
				}
				if want := []Status{Sat, Unsat, Sat, Unsat}; err != nil || !slices.Equal(have, want) {
					t.Fatalf("%v, %v; want %v", have, err, want)
				}
				if n := len(s.all[0].warm); n != 1 {
					t.Errorf("%d processes are left, want the one that answered", n)
				}
				// x is undeclared again.
				a, err := s.Decide(t.Context(), "(set-logic QF_LIA)\n"+yes+"(check-sat)\n", DecideOptions{})
				if err != nil || a.Status != Sat {
					t.Errorf("afterwards: %+v, %v", a, err)
				}
			}
			// What cannot be read ends it; answers before it count.
			answers, err := s.DecideParts(t.Context(), "QF_LIA", []string{parts[0], "(assert (< x yyy))(check-sat)", parts[2]})
			if err != nil || len(answers) != 1 || answers[0].Status != Sat {
				t.Errorf("%+v, %v", answers, err)
			}
		})
	}
}

func TestDecidePartsRefuses(t *testing.T) {
	s := newPool(t, fakeSolver(t, fakeZ3, "answer=unsat\n"+echoes)).solvers[0]
	for _, c := range []struct{ name, logic, part string }{
		{"no question", "QF_LIA", "(assert true)"},
		{"two questions", "QF_LIA", "(check-sat)(check-sat)"},
		{"option", "QF_LIA", "(set-option :rlimit 1)(check-sat)"},
		{"output", "QF_LIA", `(echo "sat")(check-sat)`},
		{"deep push", "QF_LIA", "(push 2)(check-sat)"},
		{"open form", "QF_LIA", "(check-sat"},
		{"logic", "QF_LIA)(exit", "(check-sat)"},
	} {
		if a, err := s.DecideParts(t.Context(), c.logic, []string{c.part}); !errors.Is(err, ErrText) || a != nil {
			t.Errorf("%s: %v, %v", c.name, a, err)
		}
	}
	// Nothing is answered by a solver of which it is not known that it takes many questions, or when nobody waits any more.
	other := newPool(t, fakeSolver(t, "other", "answer=unsat\n"+echoes)).solvers[0]
	if a, err := other.DecideParts(t.Context(), "QF_LIA", []string{"(check-sat)"}); len(a) > 0 || err != nil {
		t.Errorf("%v, %v", a, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	hangs := fakeSolver(t, fakeZ3, "sleep 1000")
	hangs.Timeout = 10 * time.Second
	if a, err := newPool(t, hangs).solvers[0].DecideParts(ctx, "QF_LIA", []string{"(check-sat)"}); len(a) > 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", a, err)
	}
}
