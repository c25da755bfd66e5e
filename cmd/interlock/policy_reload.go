package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/sharing"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify/plan"
	proof "github.com/interlock/interlock/verify/policy"
)

// policyWatch puts new versions of the site's policy into force while the loop runs. A version that cannot be read, that refuses, or that
// does not entitle a tenant to the program that is linked, is told about once, and the one before stays.
type policyWatch struct {
	planner *planner
	loop    *alloc.Loop
	adopt   func(policy string, limits []plan.Limit, terms []byte) // the gate's
	admit   func(context.Context, *proof.Admission) error
	out     io.Writer
	file    string
	seen    []byte // the text that was looked at last
}

// watchPolicy is nil for a policy that comes with interlock: it does not change.
func watchPolicy(p *planner, loop *alloc.Loop, adopt func(string, []plan.Limit, []byte), admit func(context.Context, *proof.Admission) error,
	out io.Writer,
) (*policyWatch, error) {
	if strings.HasPrefix(p.work.site.Policy, policy.Builtin) {
		return nil, nil
	}
	file := p.work.site.Resolve(p.work.site.Policy)
	text, err := readSome(file)
	return &policyWatch{p, loop, adopt, admit, out, file, text}, err
}

// look is called between epochs.
func (w *policyWatch) look(ctx context.Context) {
	if w == nil {
		return
	}
	text, err := readSome(w.file)
	if err != nil {
		text = []byte(err.Error())
	}
	if bytes.Equal(text, w.seen) {
		return
	}
	w.seen = text
	if err := w.change(ctx); err != nil {
		fmt.Fprintf(w.out, "policy %s: the new version is refused, and the one before stays in force:\n%v\n", w.file, err)
		return
	}
	fmt.Fprintf(w.out, "policy %s: the new version is in force\n", w.file)
}

func (w *policyWatch) change(ctx context.Context) error {
	p := w.planner
	pol, err := loadPolicy(p.work.site)
	if err != nil {
		return err
	}
	var a asked
	if err := a.readPrograms(p.work); err != nil {
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
	bounds, admitted, err := sharing.Bounds(ctx, pol, p.tenants, p.context.Codec.Slots())
	if err != nil {
		return err
	}
	if err := p.tellShadowed(ctx, pol, w.out); err != nil {
		return err
	}
	if err := w.admit(ctx, admitted); err != nil {
		return err
	}
	if err := p.admittedBy(bounds, admitted); err != nil {
		return err
	}
	if p.asked, err = p.work.termsOf(pol, p); err != nil {
		return err
	}
	w.loop.Bounds = bounds
	w.adopt(p.context.Policy, p.context.Limits, p.asked)
	return nil
}

// tellShadowed says what a policy that is not enforced would have refused.
func (p *planner) tellShadowed(ctx context.Context, pol *policy.Policy, out io.Writer) error {
	if pol.Mode() != policy.Shadow {
		return nil
	}
	_, shares, err := pol.ExplainMemory(ctx, sharing.Demands(p.tenants), sharing.Capacity(p.context.Codec.Slots()))
	if errors.Is(err, policy.ErrRefused) {
		return exitWith(exitRefused, err)
	} else if err != nil {
		return exitWith(exitInput, err)
	}
	printShadowed(out, shares)
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
