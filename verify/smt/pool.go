package smt

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/interlock/interlock/verify"
)

// A Pool decides obligations with several solvers. It is safe for concurrent use.
type Pool struct {
	solvers []*solver
}

// NewPool finds the solvers, which need different names, and asks them for their versions. Its error wraps ErrMissing if one is
// not there.
func NewPool(conf []SolverConfig) (*Pool, error) {
	if len(conf) == 0 {
		return nil, errors.New("no solver is configured")
	}
	p := &Pool{}
	names := map[string]bool{}
	for _, c := range conf {
		if names[c.Name] {
			return nil, fmt.Errorf("two solvers are called %s", c.Name)
		}
		names[c.Name] = true
		s, err := newSolver(context.Background(), c)
		if err != nil {
			return nil, err
		}
		p.solvers = append(p.solvers, s)
	}
	return p, nil
}

// Solvers says who decides, in the order of the configuration.
func (p *Pool) Solvers() []verify.SolverInfo {
	infos := make([]verify.SolverInfo, len(p.solvers))
	for i, s := range p.solvers {
		infos[i] = s.info
	}
	return infos
}

// Solver returns the solver called name, nil if there is none.
func (p *Pool) Solver(name string) Solver {
	for _, s := range p.solvers {
		if s.info.Name == name {
			return s
		}
	}
	return nil
}

// Close kills all processes.
func (p *Pool) Close() error {
	var errs []error
	for _, s := range p.solvers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// Decide has every solver decide every obligation, text and guard, and returns one result for each pair: all of the first
// obligation, then all of the second. progress, which may be nil, is called from one goroutine at a time with how many results
// there are. The error is ctx's, and then what was left is Unknown, or about obligations that share an ID.
func (p *Pool) Decide(ctx context.Context, obligations []verify.Obligation, progress func(done, total int)) ([]verify.Result, error) {
	seen := make(map[string]bool, len(obligations))
	for _, o := range obligations {
		if seen[o.ID] {
			return nil, fmt.Errorf("two obligations are called %s", o.ID)
		}
		seen[o.ID] = true
	}
	if progress == nil {
		progress = func(int, int) {}
	}
	results := make([]verify.Result, len(obligations)*len(p.solvers))
	var mu sync.Mutex
	done := 0
	var wg sync.WaitGroup
	for n, s := range p.solvers {
		wg.Go(func() {
			s.decideObligations(ctx, obligations, func(i int, r verify.Result) {
				mu.Lock()
				defer mu.Unlock()
				results[i*len(p.solvers)+n] = r
				done++
				progress(done, len(results))
			})
		})
	}
	wg.Wait()
	return results, ctx.Err()
}

// decideObligations decides each distinct text once and reports each obligation when its text and its guard are answered.
func (s *solver) decideObligations(ctx context.Context, obligations []verify.Obligation, report func(i int, r verify.Result)) {
	type pending struct {
		text, guard int // of queries; guard -1: none
		open        int
	}
	var queries []query
	index := map[string]int{}
	users := map[int][]int{} // of a query: obligations
	waiting := make([]pending, len(obligations))
	add := func(o int, text string, wantModel bool) int {
		q, ok := index[text]
		if !ok {
			q = len(queries)
			index[text] = q
			queries = append(queries, query{text: text, digest: s.digests.of(text)})
		}
		queries[q].wantModel = queries[q].wantModel || wantModel
		users[q] = append(users[q], o)
		waiting[o].open++
		return q
	}
	for i, o := range obligations {
		waiting[i].guard = -1
		waiting[i].text = add(i, o.Text, true)
		if o.Guard != "" {
			waiting[i].guard = add(i, o.Guard, false)
		}
	}
	var mu sync.Mutex
	answers := make([]Answer, len(queries))
	s.decideAll(ctx, queries, func(q int, a Answer) {
		mu.Lock()
		defer mu.Unlock()
		answers[q] = a
		for _, o := range users[q] {
			w := &waiting[o]
			if w.open--; w.open > 0 {
				continue
			}
			// The time of a text that several obligations share is the first one's, so that times add up.
			of := func(q int) *Answer {
				a := answers[q]
				if users[q][0] != o {
					a.Time, a.Cached = 0, true
				}
				return &a
			}
			var guard *Answer
			if w.guard >= 0 {
				guard = of(w.guard)
			}
			r := judge(obligations[o], s.info.Name, *of(w.text), guard)
			r.Text = queries[w.text].digest
			if guard != nil {
				r.GuardText = queries[w.guard].digest
			}
			report(o, r)
		}
	})
}

// judge makes a verdict of the answers to an obligation's text and to its guard. Only unsat with a guard that is sat is Proved.
func judge(o verify.Obligation, solver string, text Answer, guard *Answer) verify.Result {
	r := verify.Result{
		Obligation: o.ID, Solver: solver, Time: text.Time, Cached: text.Cached, Reason: text.Reason,
	}
	if guard != nil {
		r.Guard = string(guard.Status)
		if guard.Reason != "" {
			r.Guard += ": " + guard.Reason
		}
		r.Time += guard.Time
		r.Cached = r.Cached && guard.Cached
	}
	switch text.Status {
	case Sat:
		r.Verdict, r.Model = verify.Refuted, text.Model
	case Unknown:
		r.Verdict = verify.Unknown
	case Unsat:
		switch {
		case guard == nil || guard.Status == Sat:
			r.Verdict = verify.Proved
		case guard.Status == Unsat:
			r.Verdict, r.Reason = verify.Unknown, "vacuous: the situation that it speaks of cannot happen (the guard is unsat)"
		case guard.Status == Unknown:
			r.Verdict, r.Reason = verify.Unknown, "guard: "+guard.Reason
		default:
			r.Verdict, r.Reason = verify.Error, "guard: "+guard.Reason
		}
	default:
		r.Verdict = verify.Error
	}
	if text.logic != "" && text.logic != o.Logic {
		r.Verdict, r.Model, r.Reason = verify.Error, "", fmt.Sprintf("the obligation says logic %s, its text %s", o.Logic, text.logic)
	}
	return r
}
