package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/sharing"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	proof "github.com/interlock/interlock/verify/policy"
)

// An asker asks the site's policy while the control loop runs: at every epoch, if the policy reads what changes from one to the next, and when
// its file changes. What it says is in force when it is proved and published; a policy that refuses, a version that cannot be read, or that
// does not entitle a tenant to the program that is linked, is told about once, and what was in force stays.
type asker struct {
	inForce *inForce
	live    *sharing.Live
	prove   func(ctx context.Context, a *proof.Admission, terms []byte) (*gate.Share, error)
	adopt   func(*gate.Share) error // by every gate
	out     io.Writer
	log     *slog.Logger

	file string // of the policy; empty for one that comes with interlock: it does not change
	seen []byte // the text that was looked at last
	told string // what was told last, as long as it is so
}

func newAsker(f *inForce, out io.Writer, log *slog.Logger) (*asker, error) {
	a := &asker{inForce: f, out: out, log: log}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.live = &sharing.Live{Policy: f.policy, Site: f.site, Shares: f.shares}
	w := f.planners[0].work
	if strings.HasPrefix(w.site.Policy, policy.Builtin) {
		return a, nil
	}
	a.file = w.site.Resolve(w.site.Policy)
	var err error
	a.seen, err = readSome(a.file)
	return a, err
}

// with has the asker prove with these tools.
func (a *asker) with(d verify.Decider, required []string, log func() *ledger.Log) {
	a.prove = func(ctx context.Context, x *proof.Admission, terms []byte) (*gate.Share, error) {
		return proveShare(ctx, x, terms, d, required, log())
	}
}

// Ask implements alloc.Asker.
func (a *asker) Ask(ctx context.Context, measured [][]alloc.Measured) (*alloc.Answer, error) {
	answer := &alloc.Answer{}
	changed := a.changed()
	if a.live.Policy.Live() || changed {
		a.live.Note(measured)
	}
	if a.live.Policy.Live() {
		shares, err := a.live.Ask(ctx)
		if err == nil && shares != nil {
			err = a.enforce(ctx, *a.inForce, a.live, shares, answer)
		}
		if err := a.tell(ctx, err, answer); err != nil {
			return nil, err
		}
	} else if changed {
		a.live.Keep()
	}
	if changed {
		switch err := a.change(ctx, answer); {
		case err != nil && fatal(ctx, err):
			return nil, err
		case err != nil:
			fmt.Fprintf(a.out, "policy %s: the new version is refused, and the one before stays in force:\n%v\n", a.file, err)
		default:
			fmt.Fprintf(a.out, "policy %s: the new version is in force\n", a.file)
			a.told = ""
		}
	}
	answer.Bounds, answer.Policy = a.live.Shares.Bounds, string(a.inForce.digest)
	answer.Ceilings = a.live.Shares.Admission.Networkwide()
	answer.Balances = a.balances()
	return answer, nil
}

// balances are those in force, if the policy settles any.
func (a *asker) balances() map[string]string {
	if !a.live.Policy.Settles() {
		return nil
	}
	out := map[string]string{}
	for _, t := range a.live.Balances() {
		out[t.Name] = t.Balance.String()
	}
	return out
}

// enforce puts what f's policy said into force: proved, published, adopted by the gates.
func (a *asker) enforce(ctx context.Context, f inForce, live *sharing.Live, shares *sharing.Shares, answer *alloc.Answer) error {
	terms, err := f.termsOf(shares)
	if err != nil {
		return err
	}
	share, err := a.prove(ctx, shares.Admission, terms)
	if err != nil {
		return err
	}
	if err := a.adopt(share); err != nil {
		return exitWith(exitEnvironment, err) // some gates may have it, and others not
	}
	live.Accept(shares)
	*a.inForce, a.live = f, live
	entry := uint64(share.Entry()) //nolint:gosec // an index
	answer.Entry = &entry
	return a.inForce.set(shares, terms, share)
}

// fatal tells what ends the loop: that the log cannot be written, that mastership is over, or that it is to end.
func fatal(ctx context.Context, err error) bool {
	var coded *exitError
	return ctx.Err() != nil || errors.As(err, &coded) && coded.code == exitEnvironment
}

// tell says once why what was in force stays, and when that is over.
func (a *asker) tell(ctx context.Context, err error, answer *alloc.Answer) error {
	if err == nil {
		if a.told != "" {
			fmt.Fprintln(a.out, "policy: it has nothing against what it is asked any more")
			a.log.Info("the policy has nothing against what it is asked any more")
		}
		a.told = ""
		return nil
	}
	if fatal(ctx, err) {
		return err
	}
	answer.Refused = err.Error()
	if a.told == "" {
		fmt.Fprintf(a.out, "policy: bounds and balances stay as they are: %v\n", err)
		a.log.Warn("bounds and balances stay as they are", "err", err)
	}
	a.told = answer.Refused
	return nil
}

// changed says that the policy's file is not as it was when it was looked at last.
func (a *asker) changed() bool {
	if a.file == "" {
		return false
	}
	text, err := readSome(a.file)
	if err != nil {
		text = []byte(err.Error())
	}
	if bytes.Equal(text, a.seen) {
		return false
	}
	a.seen = text
	return true
}

// change puts a new version of the policy into force.
func (a *asker) change(ctx context.Context, answer *alloc.Answer) error {
	f := a.inForce
	pol, err := loadPolicy(f.planners[0].work.site)
	if err != nil {
		return err
	}
	for _, p := range f.planners {
		if err := entitles(ctx, pol, p.work); err != nil {
			return err
		}
	}
	next, live := *f, a.live.Under(pol)
	next.policy, next.site = pol, live.Site
	shares, err := live.Site.Ask(ctx, pol)
	if err != nil {
		return err
	}
	if err := next.tellShadowed(ctx, a.out); err != nil {
		return err
	}
	return a.enforce(ctx, next, live, shares, answer)
}

// entitles wants a policy to give every tenant the program that is linked.
func entitles(ctx context.Context, pol *policy.Policy, w *work) error {
	var a asked
	if err := a.readPrograms(w); err != nil {
		return err
	}
	asks, capacity := a.pipeline(pol)
	programs, err := pol.Entitle(ctx, asks, capacity)
	if err != nil {
		return err
	}
	for _, e := range programs.Entitlements {
		if !e.Complete {
			return refusedf("tenant %s is not entitled to the program that is linked: %s", e.Tenant, e.Message)
		}
	}
	return nil
}

// printShadowed tells each thing once, however often it came up.
func printShadowed(out io.Writer, a *policy.Allocation) {
	seen := map[string]bool{}
	for _, r := range a.Shadowed {
		if text := r.Error(); !seen[text] {
			seen[text] = true
			fmt.Fprintf(out, "not enforced (mode Shadow): %s\n", text)
		}
	}
}
