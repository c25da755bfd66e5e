package lemma

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// Version and kind of the report's format.
const (
	ReportVersion = "interlock/v1alpha1"
	ReportKind    = "LemmaReport"
)

// A Report says what every solver said of every check.
type Report struct {
	APIVersion string              `json:"apiVersion"`
	Kind       string              `json:"kind"`
	Solvers    []verify.SolverInfo `json:"solvers"`
	Time       time.Duration       `json:"timeNs"` // of all, as the clock on the wall says
	Lemmas     []Outcome           `json:"lemmas"`
}

// Outcome of one lemma.
type Outcome struct {
	Name    string         `json:"name"`
	File    string         `json:"file"`
	Digest  verify.Digest  `json:"digest"`
	Title   string         `json:"title"`
	UsedBy  []Use          `json:"usedBy"`
	Verdict verify.Verdict `json:"verdict"` // the worst of its checks
	Checks  []Answered     `json:"checks"`
}

// Answered is a check with its answers.
type Answered struct {
	Kind    Kind           `json:"kind"`
	Name    string         `json:"name"`
	Line    int            `json:"line"`
	Want    smt.Status     `json:"want"`
	Verdict verify.Verdict `json:"verdict"`
	Answers []Answer       `json:"answers"` // in the order of the solvers
}

// Answer is what one solver said.
type Answer struct {
	Solver string        `json:"solver"`
	Status smt.Status    `json:"status"`
	Reason string        `json:"reason,omitempty"`
	Model  string        `json:"model,omitempty"` // of a claim that does not hold
	Time   time.Duration `json:"timeNs"`
}

// Prove has every solver of the pool decide every check of the lemmas, each solver by itself. progress, which may be nil, is called
// from one goroutine at a time. The error is ctx's.
func Prove(ctx context.Context, pool *smt.Pool, lemmas []*Lemma, progress func(done, total int)) (*Report, error) {
	begun := time.Now()
	r := &Report{APIVersion: ReportVersion, Kind: ReportKind, Solvers: pool.Solvers()}
	checks, first, order := 0, make([]int, len(lemmas)), make([]int, len(lemmas))
	for i, l := range lemmas {
		first[i], order[i] = checks, i
		checks += len(l.Checks)
	}
	// Each solver has as many processes as it is configured to, and takes the longest lemmas first, so that all end at about the same time.
	slices.SortStableFunc(order, func(i, j int) int { return len(lemmas[j].Checks) - len(lemmas[i].Checks) })
	answers := make([][]Answer, checks) // of each check, by solver
	for i := range answers {
		answers[i] = make([]Answer, len(r.Solvers))
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for _, i := range order {
		for n, info := range r.Solvers {
			wg.Go(func() {
				for k, a := range ask(ctx, pool.Solver(info.Name), lemmas[i]) {
					answers[first[i]+k][n] = a
				}
				mu.Lock()
				defer mu.Unlock()
				done += len(lemmas[i].Checks)
				if progress != nil {
					progress(done, len(answers)*len(r.Solvers))
				}
			})
		}
	}
	wg.Wait()
	r.Time = time.Since(begun)
	for _, l := range lemmas {
		o := Outcome{Name: l.Name, File: l.File, Digest: l.Digest, Title: l.Title, UsedBy: l.UsedBy}
		for _, c := range l.Checks {
			o.Checks = append(o.Checks, Answered{
				Kind: c.Kind, Name: c.Name, Line: c.Line, Want: c.Want, Verdict: judge(c.Want, answers[0]), Answers: answers[0],
			})
			answers = answers[1:]
		}
		o.Verdict = worst(o.Checks)
		r.Lemmas = append(r.Lemmas, o)
	}
	return r, ctx.Err()
}

// ask returns a solver's answers to a lemma's checks; of a claim that it refutes, with a model.
func ask(ctx context.Context, s smt.Solver, l *Lemma) []Answer {
	name := s.Info().Name
	parts := make([]string, len(l.Checks))
	for i, c := range l.Checks {
		parts[i] = c.Part
	}
	quick, err := s.DecideParts(ctx, l.Logic, parts)
	out := make([]Answer, len(l.Checks))
	for i, c := range l.Checks {
		if i > 0 && out[i-1].Status != smt.Sat && out[i-1].Status != smt.Unsat {
			out[i] = Answer{Solver: name, Status: smt.Unknown, Reason: "not asked, after a check that was not settled"}
			continue
		}
		var a smt.Answer
		if i < len(quick) {
			a = quick[i]
		}
		if refuted := c.Want == smt.Unsat && a.Status == smt.Sat; err == nil && (i >= len(quick) || refuted) {
			a, err = s.Decide(ctx, c.Text, smt.DecideOptions{WantModel: c.Want == smt.Unsat})
		}
		if err != nil {
			a = smt.Answer{Status: smt.Unknown, Reason: err.Error()}
		}
		out[i] = Answer{Solver: name, Status: a.Status, Reason: a.Reason, Model: a.Model, Time: a.Time}
	}
	return out
}

// judge says whether all solvers answered as the file says.
func judge(want smt.Status, answers []Answer) verify.Verdict {
	verdict := verify.Proved
	for _, a := range answers {
		switch {
		case a.Status == want:
		case a.Status == smt.Sat || a.Status == smt.Unsat:
			return verify.Refuted
		case a.Status == smt.Unknown && verdict == verify.Proved:
			verdict = verify.Unknown
		case a.Status == smt.Failed:
			verdict = verify.Error
		}
	}
	if len(answers) == 0 {
		return verify.Unknown
	}
	return verdict
}

func worst(checks []Answered) verify.Verdict {
	order := []verify.Verdict{verify.Proved, verify.Unknown, verify.Error, verify.Refuted}
	w := verify.Proved
	for _, c := range checks {
		if slices.Index(order, c.Verdict) > slices.Index(order, w) {
			w = c.Verdict
		}
	}
	return w
}

// Count is how many checks of a kind there are.
func (o Outcome) Count(k Kind) int {
	n := 0
	for _, c := range o.Checks {
		if c.Kind == k {
			n++
		}
	}
	return n
}

// Spent is the time that a solver needed for a lemma.
func (o Outcome) Spent(solver string) time.Duration {
	var t time.Duration
	for _, c := range o.Checks {
		for _, a := range c.Answers {
			if a.Solver == solver {
				t += a.Time
			}
		}
	}
	return t
}

// Proved returns nil only if there is a lemma and every solver answered every check of every lemma as its file says. Otherwise the error
// is verify.ErrRefuted or verify.ErrUndecided, and names the check.
func (r *Report) Proved() error {
	if len(r.Lemmas) == 0 || len(r.Solvers) == 0 {
		return fmt.Errorf("%w: there are no lemmas, or no solvers", verify.ErrUndecided)
	}
	var undecided error
	for _, o := range r.Lemmas {
		for _, c := range o.Checks {
			for _, a := range c.Answers {
				if a.Status == c.Want {
					continue
				}
				text := fmt.Sprintf("%s:%d: the %s %q is %s by %s, want %s", o.File, c.Line, c.Kind, c.Name, a.Status, a.Solver, c.Want)
				if a.Reason != "" {
					text += " (" + a.Reason + ")"
				}
				if c.Verdict == verify.Refuted {
					return fmt.Errorf("%w: %s", verify.ErrRefuted, text)
				}
				if undecided == nil {
					undecided = fmt.Errorf("%w: %s", verify.ErrUndecided, text)
				}
			}
		}
	}
	return undecided
}
