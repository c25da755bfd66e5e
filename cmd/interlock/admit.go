package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/resources"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	proof "github.com/interlock/interlock/verify/policy"
)

// usage is P8: the tenants use what is measured on linked.p4, no less and no more. What the linker says of it must be the same.
func (w *work) usage() (*proof.Admission, error) {
	p, err := loadPolicy(w.site)
	if err != nil {
		return nil, err
	}
	target, err := resources.Profile(w.site.Switch.Target)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	a, err := proof.ForProgram(p, w.linked, target, policyTenants(w.site))
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	file := filepath.Join(w.dir, linker.FileResources)
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	var said linker.Resources
	if err := verify.StrictJSON(b, &said); err != nil {
		return nil, inputf("%s: %w", file, err)
	}
	of := map[string]map[string]int64{}
	for t, u := range said.Tenants {
		of[t] = u
	}
	if err := a.Uses(of); err != nil {
		return nil, refusedf("P8: %s and linked.p4 do not agree: %w", file, err)
	}
	return a, nil
}

// policyTenants are the site's tenants as policies see them when they are asked about programs, without amounts.
func policyTenants(s *site.Site) []policy.Tenant {
	var out []policy.Tenant
	for _, t := range s.Tenants {
		out = append(out, policy.Tenant{
			Name: t.Name, VID: t.VID, Weight: t.Weight, Budget: t.Budget, Balance: t.Balance, Target: policy.RatioOf(t.Target), Active: true,
		})
	}
	return out
}

// admit sees to it that the ledger says that the policy admits whatever plans may choose: the solvers decide it from the policy's text and
// what it was asked, and cel-go decides the ends. A plan carries the digest of this decision's subject. Nothing is said of plans over
// several switches, which have no admission.
func (w *work) admit(ctx context.Context, a *proof.Admission, d verify.Decider, required []string, log *ledger.Log) error {
	if a == nil {
		return nil
	}
	s, err := a.Subject()
	if err != nil {
		return exitWith(exitInput, err)
	}
	l, err := w.readLedger()
	if err != nil {
		return err
	}
	for _, e := range l.Entries {
		if e.Decision != nil && e.Decision.Action == "share" && e.Decision.Verdict == "proved" && e.Digest == string(s.Digest()) {
			return nil
		}
	}
	p, err := gate.ProveAdmission(ctx, d, a, required, time.Now())
	var not *proof.Unprovable
	var refusal *policy.Refusal
	switch {
	case errors.As(err, &not):
		return exitWith(exitUndecided, err)
	case errors.Is(err, proof.ErrUsage):
		return exitWith(exitRefused, err)
	case errors.As(err, &refusal):
		return exitWith(exitRefused, fmt.Errorf("the policy does not admit what it lets tenants have: %w", err))
	case err != nil:
		return proofError(err)
	}
	index, err := gate.Record(ctx, log, p, ledger.Decision{Action: "share", Policy: string(s.Digest()), Who: who(), At: time.Now().UTC()})
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	every := "every allocation between the floors and ceilings that it gives"
	if a.Linked != nil {
		every = "what the tenants' parts of linked.p4 use (P8)"
	}
	switch err := p.Certificate.Proved(); {
	case errors.Is(err, verify.ErrRefuted):
		return refusedf("the policy does not admit %s: %w (%s, ledger entry %d)", every, err, a.File, index)
	case err != nil:
		return undecidedf("it is not proved that the policy admits %s: %w (%s, ledger entry %d)", every, err, a.File, index)
	}
	return nil
}
