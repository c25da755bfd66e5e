// Package replay decides a log's recorded decisions again: it builds every obligation from the recorded inputs, compares it byte
// for byte with the recorded text, and asks a solver of the auditor's choice. What it rests on is the log, that solver and the encoders; not
// what was said of the formulas when they were recorded.
package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/policy"
	"github.com/interlock/interlock/verify/program"
	"github.com/interlock/interlock/verify/replace"
)

// Outcome of replaying one decision.
type Outcome string

// Outcomes.
const (
	Confirmed    Outcome = "confirmed"    // the same obligations, and the same verdict
	TextOnly     Outcome = "text-only"    // made by another encoder version, or of inputs that an export leaves out; the recorded texts have the recorded verdict
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
	// Follows is the entry of the plan whose proof this one's rests on (plan.Input.Previous), if it does: what becomes of that one becomes of
	// this one.
	Follows *int64 `json:"follows,omitempty"`
}

// Options of a replay.
type Options struct {
	// Progress, which may be nil, is called from one goroutine at a time.
	Progress func(done, total int)
	// State, which may be nil, keeps what is settled, so that a replay that was interrupted goes on from there.
	State *State
}

// Run replays every decision that was not given up on before there were obligations, as many at once as there are deciders: each
// decision is decided by one of them. The log must have no findings. When ctx ends, what was done is returned with its error.
func Run(ctx context.Context, l *check.Log, deciders []verify.Decider, opt Options) ([]Result, error) {
	var decisions []check.Entry
	for _, e := range l.Entries {
		if e.Decision != nil && (e.Decision.Certificate != nil || e.Decision.Lemma != "") {
			decisions = append(decisions, e)
		}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{log: l, plans: plan.NewEncoder(4), state: opt.State}
	results := make([]*Result, len(decisions))
	var mu sync.Mutex
	done := 0
	next := make(chan int)
	var wg sync.WaitGroup
	for _, d := range deciders {
		wg.Go(func() {
			for i := range next {
				result, err := r.settled(ctx, decisions[i], d)
				if err != nil {
					stop(fmt.Errorf("entry %d: %w", decisions[i].Index, err))
					continue
				}
				mu.Lock()
				results[i] = &result
				done++
				if opt.Progress != nil {
					opt.Progress(done, len(decisions))
				}
				mu.Unlock()
			}
		})
	}
	for i := range decisions {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	wg.Wait()
	all := make([]Result, 0, len(results))
	for _, r := range results {
		if r != nil {
			all = append(all, *r)
		}
	}
	if len(all) == len(decisions) {
		rest(all)
		return all, nil
	}
	return all, fmt.Errorf("%d of %d decisions were replayed: %w", len(all), len(decisions), context.Cause(ctx))
}

// run is one replay.
type run struct {
	log    *check.Log
	plans  *plan.Encoder
	memory memory
	state  *State
}

// settled is what the state says of a decision, or what replaying it says.
func (x *run) settled(ctx context.Context, e check.Entry, d verify.Decider) (Result, error) {
	leaf, err := x.log.Leaf(e.Index)
	if err != nil {
		return Result{}, err
	}
	if r, ok := x.state.known(leaf); ok {
		r.Entry = e.Index
		return r, nil
	}
	r, err := x.one(ctx, e, d)
	if err != nil {
		return r, err
	}
	return r, x.state.keep(leaf, r)
}

func (x *run) one(ctx context.Context, e check.Entry, d verify.Decider) (Result, error) {
	l := x.log
	r := Result{Entry: e.Index, Subject: e.Subject, Recorded: e.Decision.Verdict}
	if e.Decision.Lemma != "" {
		return lemma(l, e, r)
	}
	recorded, err := l.Obligations(e)
	if errors.Is(err, check.ErrRedacted) {
		r.Outcome, r.Reason = Undecided, "the obligations were left out of the export"
		return r, nil
	} else if err != nil {
		return r, err
	}
	r.Obligations = len(recorded)
	made, err := l.Encoder(e)
	if err != nil && !errors.Is(err, check.ErrRedacted) {
		return r, err
	}
	confirmed := Confirmed
	var obs []verify.Obligation
	if now := encoders[e.Decision.Action]; err == nil && made != now {
		confirmed, r.Reason = TextOnly, fmt.Sprintf("made by encoder %s, this is %s", made, now)
		obs = asRecorded(recorded)
	} else if obs, err = rebuild(l, e, x.plans); errors.Is(err, check.ErrRedacted) {
		confirmed, r.Reason = TextOnly, "an input was left out of the export"
		obs = asRecorded(recorded)
	} else if err != nil {
		r.Outcome, r.Reason = Contradicted, fmt.Sprintf("the obligations cannot be built from the recorded inputs: %v", err)
		return r, nil
	} else if why := differ(obs, recorded); why != "" {
		r.Outcome, r.Reason = Contradicted, why
		return r, nil
	} else if e.Decision.Action == "plan" {
		if r.Follows, err = follows(l, e, x.plans); err != nil {
			r.Outcome, r.Reason = Contradicted, err.Error()
			return r, nil
		}
	}
	results, err := x.memory.decide(ctx, d, obs)
	if err != nil {
		return r, err
	}
	verdict, why := sum(results, len(obs))
	switch {
	case ctx.Err() != nil: // what was not decided was not given the time
		return r, ctx.Err()
	case verdict == "undecided" && e.Decision.Verdict != "undecided":
		r.Outcome, r.Reason = Undecided, why
	case verdict != e.Decision.Verdict && e.Decision.Verdict != "undecided":
		r.Outcome, r.Reason = Contradicted, fmt.Sprintf("recorded %s, now %s: %s", e.Decision.Verdict, verdict, why)
	default:
		r.Outcome = confirmed
	}
	return r, nil
}

// follows finds the entry that says that the plan was proved which this one names as the one before it, if it names one, and checks that it
// may name it.
func follows(l *check.Log, e check.Entry, plans *plan.Encoder) (*int64, error) {
	in, err := planOf(l, e)
	if err != nil || in.Previous == "" {
		return nil, err
	}
	for _, before := range slices.Backward(l.Entries) {
		d := before.Decision
		if d == nil || before.Index >= e.Index || d.Switch != e.Decision.Switch || d.Action != "plan" || d.Verdict != "proved" || before.Digest != string(in.Previous) {
			continue
		}
		previous, err := planOf(l, before)
		if err != nil {
			return nil, err
		}
		if err := plans.Follows(in, previous); err != nil {
			return nil, err
		}
		return &before.Index, nil
	}
	return nil, fmt.Errorf("it rests on the proof of %s, and no earlier entry says that this was proved", in.Previous)
}

func planOf(l *check.Log, e check.Entry) (*plan.Input, error) {
	inputs, err := inputsOf(l, e)
	if err != nil {
		return nil, err
	}
	return plan.FromInputs(inputs)
}

// rest makes each result no better than that which it rests on, in the order of entries.
func rest(all []Result) {
	byEntry := map[int64]*Result{}
	for i := range all {
		r := &all[i]
		byEntry[r.Entry] = r
		if r.Follows == nil {
			continue
		}
		switch on := byEntry[*r.Follows]; {
		case on == nil || on.Outcome == Contradicted || on.Outcome == Undecided:
			if r.Outcome != Contradicted {
				r.Outcome, r.Reason = Undecided, fmt.Sprintf("it rests on entry %d, which is not confirmed", *r.Follows)
			}
		case on.Outcome == TextOnly && r.Outcome == Confirmed:
			r.Outcome, r.Reason = TextOnly, fmt.Sprintf("it rests on entry %d, of which the recorded texts were decided", *r.Follows)
		}
	}
}

// encoders are the versions of what builds obligations here, by the decision's action.
var encoders = map[string]string{
	"install": program.EncoderVersion, "plan": plan.EncoderVersion, "network": network.EncoderVersion, "share": policy.AdmissionVersion,
	"replace": replace.EncoderVersion,
}

// rebuild makes a decision's obligations from its recorded inputs.
func rebuild(l *check.Log, e check.Entry, plans *plan.Encoder) ([]verify.Obligation, error) {
	inputs, err := inputsOf(l, e)
	if err != nil {
		return nil, err
	}
	switch e.Decision.Action {
	case "install":
		in, err := program.FromInputs(inputs)
		if err != nil {
			return nil, err
		}
		rep, err := program.Obligations(in)
		if err != nil {
			return nil, err
		}
		return rep.Obligations, nil
	case "plan":
		in, err := plan.FromInputs(inputs)
		if err != nil {
			return nil, err
		}
		return plans.Obligations(in)
	case "network":
		in, err := network.FromInputs(inputs)
		if err != nil {
			return nil, err
		}
		return network.Obligations(in, plans)
	case "share":
		in, err := policy.AdmissionFrom(inputs)
		if err != nil {
			return nil, err
		}
		return in.Obligations()
	case "replace":
		in, err := replace.FromInputs(inputs)
		if err != nil {
			return nil, err
		}
		return replace.NewEncoder().Obligations(in)
	}
	return nil, fmt.Errorf("no obligations are known for the action %q", e.Decision.Action)
}

func inputsOf(l *check.Log, e check.Entry) (map[string][]byte, error) {
	inputs := map[string][]byte{}
	for name, ref := range e.Decision.Inputs {
		b, err := l.Blob(ref)
		if err != nil {
			return nil, err
		}
		inputs[name] = b
	}
	return inputs, nil
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
