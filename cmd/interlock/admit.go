package main

import (
	"maps"
	"os"
	"path/filepath"

	"github.com/interlock/interlock/alloc/sharing"
	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/resources"
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
	tenants, err := w.policyTenants()
	if err != nil {
		return nil, err
	}
	a, err := proof.ForProgram(p, w.linked, target, tenants)
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
func (w *work) policyTenants() ([]policy.Tenant, error) {
	balances, err := w.balances()
	if err != nil {
		return nil, err
	}
	var out []policy.Tenant
	for _, t := range w.site.Tenants {
		out = append(out, policy.Tenant{
			Name: t.Name, VID: t.VID, Weight: t.Weight, Budget: t.Budget, Balance: balances[t.Name], Target: policy.RatioOf(t.Target), Active: true,
		})
	}
	return out, nil
}

// balances are the tenants' in force: those that were settled last, and of others what the site gives them in the beginning.
func (w *work) balances() (map[string]policy.Ratio, error) {
	out := map[string]policy.Ratio{}
	var names []string
	for _, t := range w.site.Tenants {
		out[t.Name] = t.Balance
		names = append(names, t.Name)
	}
	if !ledger.Exists(w.ledgerDir()) {
		return out, nil
	}
	l, err := w.readLedger()
	if err != nil {
		return nil, err
	}
	settled, err := sharing.Balances(l, names)
	if err != nil {
		return nil, exitWith(exitRefused, err)
	}
	maps.Copy(out, settled)
	return out, nil
}
