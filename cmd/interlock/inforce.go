package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/interlock/interlock/alloc/sharing"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	proof "github.com/interlock/interlock/verify/policy"
)

// An inForce is what the site's policy was asked about register memory, and what it said: for one switch, or for all of a site.
type inForce struct {
	policy   *policy.Policy
	site     *sharing.Site
	shares   *sharing.Shares
	terms    []byte // that plans are recorded with
	digest   verify.Digest
	planners []*planner  // of the site's switches, in its order
	share    *gate.Share // of shares, once it is proved and published
}

// rule asks the policy about the tenants of planners.
func rule(ctx context.Context, several bool, planners ...*planner) (*inForce, error) {
	w := planners[0].work
	pol, err := loadPolicy(w.site)
	if err != nil {
		return nil, err
	}
	r := &inForce{policy: pol, site: siteOf(several, planners...), planners: planners}
	if err := w.recall(r.site, pol); err != nil {
		return nil, err
	}
	shares, err := r.site.Ask(ctx, pol)
	if err != nil {
		return nil, policyError(err)
	}
	terms, err := r.termsOf(shares)
	if err != nil {
		return nil, err
	}
	if err := r.set(shares, terms, nil); err != nil {
		return nil, err
	}
	return r, r.tellShadowed(ctx, os.Stderr)
}

// siteOf is what a policy is asked about.
func siteOf(several bool, planners ...*planner) *sharing.Site {
	s := &sharing.Site{Several: several}
	for _, p := range planners {
		s.Places = append(s.Places, sharing.Place{Switch: p.name(), Tenants: p.tenants, Capacity: p.context.Codec.Slots()})
	}
	return s
}

// recall sets what is known of the tenants to what is in force by the ledger, if there is one.
func (w *work) recall(s *sharing.Site, pol *policy.Policy) error {
	if !ledger.Exists(w.ledgerDir()) {
		return nil
	}
	l, err := w.readLedger()
	if err != nil {
		return err
	}
	return exitWith(exitRefused, s.Recall(l, pol))
}

// termsOf are the terms of plans within shares.
func (r *inForce) termsOf(s *sharing.Shares) ([]byte, error) {
	epoch, err := r.planners[0].work.epoch()
	if err != nil {
		return nil, err
	}
	terms, err := r.site.Terms(r.policy, s, epoch)
	return terms, exitWith(exitInput, err)
}

// set makes shares what is in force.
func (r *inForce) set(s *sharing.Shares, terms []byte, share *gate.Share) error {
	subject, err := s.Admission.Subject()
	if err != nil {
		return exitWith(exitInput, err)
	}
	r.shares, r.digest, r.terms, r.share = s, subject.Digest(), terms, share
	for i, p := range r.planners {
		p.inForce = r
		p.within(s.Bounds[i], r.digest)
	}
	return nil
}

// tellShadowed says what a policy that is not enforced would have refused.
func (r *inForce) tellShadowed(ctx context.Context, out io.Writer) error {
	if r.policy.Mode() != policy.Shadow {
		return nil
	}
	_, shares, err := r.policy.ExplainMemory(ctx, r.site.Demands(), r.site.Capacity())
	if err != nil {
		return policyError(err)
	}
	printShadowed(out, shares)
	return nil
}

// published sees to it that the ledger says that the policy admits whatever plans may choose. The planners' gates take their limits from it.
func (r *inForce) published(ctx context.Context, d verify.Decider, required []string, log *ledger.Log) (*gate.Share, error) {
	if r.share == nil {
		var err error
		if r.share, err = r.planners[0].work.admit(ctx, r.shares.Admission, r.terms, d, required, log); err != nil {
			return nil, err
		}
	}
	return r.share, nil
}

// admit sees to it that the ledger says of a: the solvers decide it from the policy's text and what it was asked, and cel-go decides the ends.
func (w *work) admit(ctx context.Context, a *proof.Admission, terms []byte, d verify.Decider, required []string, log *ledger.Log) (*gate.Share, error) {
	s, err := gate.LoggedShare(ctx, log, a, required, terms)
	if err != nil {
		return nil, exitWith(exitRefused, err)
	}
	if s != nil {
		return s, nil
	}
	return proveShare(ctx, a, terms, d, required, log)
}

// errNotAdmitted is wrapped when it is not proved that the policy admits what it lets tenants have.
var errNotAdmitted = errors.New("the policy is not proved to admit")

// notAdmitted says what is not proved to be admitted.
func notAdmitted(a *proof.Admission, why error) error {
	what := "every allocation between the floors and ceilings that it gives"
	if a.Linked != nil {
		what = "what the tenants' parts of linked.p4 use (P8)"
	}
	return fmt.Errorf("%w %s: %w", errNotAdmitted, what, why)
}

// proveShare proves and publishes a.
func proveShare(ctx context.Context, a *proof.Admission, terms []byte, d verify.Decider, required []string, log *ledger.Log) (*gate.Share, error) {
	p, err := gate.ProveAdmission(ctx, d, a, required, time.Now())
	var not *proof.Unprovable
	var refusal *policy.Refusal
	switch {
	case errors.As(err, &not):
		return nil, exitWith(exitUndecided, notAdmitted(a, err))
	case errors.Is(err, proof.ErrUsage):
		return nil, exitWith(exitRefused, err)
	case errors.As(err, &refusal):
		return nil, exitWith(exitRefused, notAdmitted(a, err))
	case err != nil:
		return nil, proofError(err)
	}
	s, index, err := gate.PublishShare(ctx, log, a, p, terms, who(), time.Now())
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, verify.ErrRefuted):
		return nil, refusedf("%w (%s, ledger entry %d)", notAdmitted(a, err), a.File, index)
	case errors.Is(err, verify.ErrUndecided):
		return nil, undecidedf("%w (%s, ledger entry %d)", notAdmitted(a, err), a.File, index)
	}
	return nil, exitWith(exitEnvironment, err)
}
