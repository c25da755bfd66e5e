package replay

import (
	"context"
	"sync"

	"github.com/interlock/interlock/verify"
)

// memory has what the auditor's solver said, in this replay, of texts that it decided: most decisions share nearly all of theirs with
// earlier ones. Only proved and refuted are kept; what was not settled is tried again. Nothing comes from the log or from an earlier
// replay.
type memory struct {
	mu   sync.Mutex
	said map[statement]verify.Verdict
}

// statement is what a verdict depends on.
type statement struct {
	logic       string
	text, guard verify.Digest
}

// maxSaid bounds the memory, in verdicts: about 200 MB.
const maxSaid = 1 << 20

// decide has d decide what the memory does not have.
func (m *memory) decide(ctx context.Context, d verify.Decider, obs []verify.Obligation) ([]verify.Result, error) {
	results := make([]verify.Result, 0, len(obs))
	var open []verify.Obligation
	var asked []statement
	for _, o := range obs {
		s := o.State()
		about := statement{s.Logic, s.Text, s.Guard}
		m.mu.Lock()
		v, ok := m.said[about]
		m.mu.Unlock()
		if ok {
			results = append(results, verify.Result{Obligation: o.ID, Text: s.Text, GuardText: s.Guard, Verdict: v, Cached: true})
			continue
		}
		open, asked = append(open, o), append(asked, about)
	}
	if len(open) == 0 {
		return results, ctx.Err()
	}
	fresh, err := d.Decide(ctx, open, nil)
	if err != nil {
		return nil, err
	}
	m.keep(open, asked, fresh)
	return append(results, fresh...), nil
}

// keep remembers results of obligations that one solver decided.
func (m *memory) keep(obs []verify.Obligation, asked []statement, results []verify.Result) {
	about := make(map[string]statement, len(obs))
	for i, o := range obs {
		about[o.ID] = asked[i]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.said == nil || len(m.said)+len(results) > maxSaid {
		m.said = map[statement]verify.Verdict{}
	}
	for _, r := range results {
		s, ok := about[r.Obligation]
		if ok && s.text == r.Text && s.guard == r.GuardText && (r.Verdict == verify.Proved || r.Verdict == verify.Refuted) {
			m.said[s] = r.Verdict
		}
	}
}
