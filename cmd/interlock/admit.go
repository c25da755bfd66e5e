package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/resources"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	proof "github.com/interlock/interlock/verify/policy"
)

// usage is P8's part of the policy: the tenants use what the linker measured, no less and no more. Stages are not shared out.
func (w *work) usage() (*proof.Admission, error) {
	p, err := loadPolicy(w.site)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(w.dir, linker.FileResources))
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	var measured linker.Resources
	if err := verify.StrictJSON(b, &measured); err != nil {
		return nil, inputf("%s: %w", filepath.Join(w.dir, linker.FileResources), err)
	}
	capacity := policy.Resources(maps.Clone(measured.Capacity))
	delete(capacity, resources.Stages)
	var tenants []policy.Tenant
	var uses []policy.Resources
	for _, t := range w.site.Tenants {
		use := policy.Resources(maps.Clone(measured.Tenants[t.Name]))
		delete(use, resources.Stages)
		tenants = append(tenants, policy.Tenant{
			Name: t.Name, VID: t.VID, Weight: t.Weight, Budget: t.Budget, Balance: t.Balance, Target: policy.RatioOf(t.Target), Active: true,
		}.Inelastic(use))
		uses = append(uses, use)
	}
	return proof.NewAdmission(p, tenants, capacity, uses, uses), nil
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
	case errors.As(err, &refusal):
		return exitWith(exitRefused, fmt.Errorf("the policy does not admit what it lets tenants have: %w", err))
	case err != nil:
		return proofError(err)
	}
	index, err := gate.Record(ctx, log, p, ledger.Decision{Action: "share", Policy: string(s.Digest()), Who: who(), At: time.Now().UTC()})
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	const every = "every allocation between the floors and ceilings that it gives"
	switch err := p.Certificate.Proved(); {
	case errors.Is(err, verify.ErrRefuted):
		return refusedf("the policy does not admit %s: %w (%s, ledger entry %d)", every, err, a.File, index)
	case err != nil:
		return undecidedf("it is not proved that the policy admits %s: %w (%s, ledger entry %d)", every, err, a.File, index)
	}
	return nil
}
