// Package replay decides a log's recorded decisions again: it builds every obligation from the recorded inputs, compares it byte
// for byte with the recorded text, and asks a solver of the auditor's choice.
package replay

import (
	"context"
	"fmt"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/program"
)

// Outcome of replaying one decision.
type Outcome string

// Outcomes.
const (
	Confirmed    Outcome = "confirmed"    // the same obligations, and the same verdict
	TextOnly     Outcome = "text-only"    // another encoder version made them; the recorded texts have the recorded verdict
	Undecided    Outcome = "undecided"    // the solver could not tell
	Contradicted Outcome = "contradicted" // other obligations, or another verdict
)

// Result of replaying one decision.
type Result struct {
	Entry       int64   `json:"entry"`
	Subject     string  `json:"subject"`
	Recorded    string  `json:"recorded"` // verdict
	Obligations int     `json:"obligations"`
	Outcome     Outcome `json:"outcome"`
	Reason      string  `json:"reason,omitempty"`
}

// Run replays every decision that was not given up on before there were obligations. The log must have no findings.
func Run(ctx context.Context, l *check.Log, d verify.Decider, progress func(done, total int)) ([]Result, error) {
	var decisions []check.Entry
	for _, e := range l.Entries {
		if e.Decision != nil && (e.Decision.Obligations != nil || e.Decision.Lemma != "") {
			decisions = append(decisions, e)
		}
	}
	plans := plan.NewEncoder(4)
	results := make([]Result, 0, len(decisions))
	for i, e := range decisions {
		if err := ctx.Err(); err != nil {
			return results, err
		}
		r, err := one(ctx, l, e, d, plans)
		if err != nil {
			return results, fmt.Errorf("entry %d: %w", e.Index, err)
		}
		results = append(results, r)
		if progress != nil {
			progress(i+1, len(decisions))
		}
	}
	return results, nil
}

func one(ctx context.Context, l *check.Log, e check.Entry, d verify.Decider, plans *plan.Encoder) (Result, error) {
	r := Result{Entry: e.Index, Subject: e.Subject, Recorded: e.Decision.Verdict}
	if e.Decision.Lemma != "" {
		return lemma(l, e, r)
	}
	recorded, err := l.Obligations(e)
	if err != nil {
		return r, err
	}
	r.Obligations = len(recorded)
	made, err := l.Encoder(e)
	if err != nil {
		return r, err
	}
	obs, encoder, err := rebuild(l, e, plans)
	if err != nil {
		r.Outcome, r.Reason = Contradicted, fmt.Sprintf("the obligations cannot be built from the recorded inputs: %v", err)
		return r, nil
	}
	confirmed := Confirmed
	if encoder != made {
		confirmed, r.Reason = TextOnly, fmt.Sprintf("made by encoder %s, this is %s", made, encoder)
		obs = asRecorded(recorded)
	} else if why := differ(obs, recorded); why != "" {
		r.Outcome, r.Reason = Contradicted, why
		return r, nil
	}
	results, err := d.Decide(ctx, obs, nil)
	if err != nil {
		return r, err
	}
	verdict, why := sum(results, len(obs))
	switch {
	case verdict == "undecided" && e.Decision.Verdict != "undecided":
		r.Outcome, r.Reason = Undecided, why
	case verdict != e.Decision.Verdict && e.Decision.Verdict != "undecided":
		r.Outcome, r.Reason = Contradicted, fmt.Sprintf("recorded %s, now %s: %s", e.Decision.Verdict, verdict, why)
	default:
		r.Outcome = confirmed
	}
	return r, nil
}

// rebuild makes a decision's obligations from its recorded inputs.
func rebuild(l *check.Log, e check.Entry, plans *plan.Encoder) ([]verify.Obligation, string, error) {
	inputs := map[string][]byte{}
	for name, ref := range e.Decision.Inputs {
		b, err := l.Blob(ref)
		if err != nil {
			return nil, "", err
		}
		inputs[name] = b
	}
	switch e.Decision.Action {
	case "install":
		in, err := program.FromInputs(inputs)
		if err != nil {
			return nil, "", err
		}
		rep, err := program.Obligations(in)
		if err != nil {
			return nil, "", err
		}
		return rep.Obligations, program.EncoderVersion, nil
	case "plan":
		in, err := plan.FromInputs(inputs)
		if err != nil {
			return nil, "", err
		}
		obs, err := plans.Obligations(in)
		return obs, plan.EncoderVersion, err
	}
	return nil, "", fmt.Errorf("no obligations are known for the action %q", e.Decision.Action)
}

func asRecorded(recorded []check.Obligation) []verify.Obligation {
	obs := make([]verify.Obligation, len(recorded))
	for i, o := range recorded {
		obs[i] = verify.Obligation(o)
	}
	return obs
}

func differ(obs []verify.Obligation, recorded []check.Obligation) string {
	if len(obs) != len(recorded) {
		return fmt.Sprintf("the inputs yield %d obligations, %d are recorded", len(obs), len(recorded))
	}
	for i, o := range obs {
		if check.Obligation(o) != recorded[i] {
			return fmt.Sprintf("obligation %s is not what the inputs yield", recorded[i].ID)
		}
	}
	return ""
}

// sum is the verdict over all results of one solver.
func sum(results []verify.Result, obligations int) (verdict, why string) {
	proved := map[string]bool{}
	verdict = "proved"
	for _, r := range results {
		switch r.Verdict {
		case verify.Refuted:
			return "refuted", r.Obligation
		case verify.Proved:
			proved[r.Obligation] = true
		default:
			verdict, why = "undecided", fmt.Sprintf("%s: %s %s", r.Obligation, r.Verdict, r.Reason)
		}
	}
	if verdict == "proved" && (obligations == 0 || len(proved) != obligations) {
		return "undecided", fmt.Sprintf("%d of %d obligations were decided", len(proved), obligations)
	}
	return verdict, why
}
