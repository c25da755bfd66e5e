package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/plan"
	proof "github.com/interlock/interlock/verify/policy"
)

// change is one amount that differs between two policies, as policy diff -o json prints it.
type change struct {
	Of       string `json:"of"` // input, pipeline, floor, share or ceiling
	Tenant   string `json:"tenant"`
	Resource string `json:"resource"` // slots, for floor, share and ceiling
	Old      int64  `json:"old"`
	New      int64  `json:"new"`
	Why      string `json:"why,omitempty"` // what stops the tenant that loses
}

// ruling is what two policies say of an allocation that was applied.
type ruling struct {
	Entry int64     `json:"entry"`
	At    time.Time `json:"at"`
	Old   string    `json:"old"` // admitted, or why not
	New   string    `json:"new"`
}

type policyDifference struct {
	Old        string   `json:"old"`
	New        string   `json:"new"`
	OldRefuses string   `json:"oldRefuses,omitempty"`
	NewRefuses string   `json:"newRefuses,omitempty"`
	Changes    []change `json:"changes"`
	History    []ruling `json:"history,omitempty"`
}

func newPolicyDiff() *cobra.Command {
	var input string
	var history bool
	var params []string
	c := &cobra.Command{
		Use:   "diff OLD NEW [DIR]",
		Short: "Show who gains and who loses by another policy",
		Long: `Diff asks two policies about the tenants of a linked directory, or of a file (--input), and shows who would be entitled to more or
less, and what stops those who lose. SITE stands for the site's own policy; --param is for NEW. With --history it also goes through the
reallocations that the ledger says were applied with this linked program, and shows which of them each policy admits.`,
		Example: "  interlock policy diff SITE new.yaml linked\n  interlock policy diff builtin:drf builtin:quota --input tenants.yaml\n  interlock policy diff SITE new.yaml linked --history",
		Args:    cobra.RangeArgs(2, 3),
	}
	c.Flags().StringVar(&input, "input", "", "file with tenants and a capacity")
	c.Flags().BoolVar(&history, "history", false, "also say what of the ledger's history each policy admits")
	addParams(c, &params)
	out := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		a, err := askedAbout(args, 2, input)
		if err != nil {
			return err
		}
		var policies [2]*policy.Policy
		for i, name := range args[:2] {
			switch {
			case name != "SITE":
				policies[i], _, err = readPolicy(name)
			case a.ownPolicy != nil:
				policies[i] = a.ownPolicy
			default:
				err = inputf("SITE is the site's policy, and --input has no site")
			}
			if err != nil {
				return err
			}
		}
		if policies[1], err = withParams(policies[1], params); err != nil {
			return err
		}
		d, err := a.compare(c.Context(), policies)
		if err != nil {
			return policyError(err)
		}
		if history {
			if input != "" {
				return inputf("--history is a linked directory's, not --input's")
			}
			if d.History, err = a.history(c.Context(), dirArg(args, 2), policies); err != nil {
				return err
			}
		}
		return exitWith(exitEnvironment, out.print(c.OutOrStdout(), d, func(w io.Writer) { d.print(w, history) }))
	}
	return c
}

// compare asks both policies. A policy that refuses everything gives nobody anything.
func (a *asked) compare(ctx context.Context, policies [2]*policy.Policy) (*policyDifference, error) {
	d := &policyDifference{Old: policies[0].Name(), New: policies[1].Name(), Changes: []change{}}
	var got [2]*evaluated
	for i, refuses := range []*string{&d.OldRefuses, &d.NewRefuses} {
		e, err := a.evaluate(ctx, policies[i])
		switch {
		case errors.Is(err, policy.ErrRefused):
			*refuses = err.Error()
		case err != nil:
			return nil, err
		}
		got[i] = e
	}
	d.amounts("input", got[0].Input, got[1].Input)
	d.amounts("pipeline", got[0].Program, got[1].Program)
	d.memory(got[0].Memory, got[1].Memory)
	return d, nil
}

func (d *policyDifference) amounts(of string, old, now *policy.Allocation) {
	held := func(a *policy.Allocation, tenant string) (policy.Resources, string) {
		if a == nil {
			return nil, ""
		}
		if e := a.Entitlement(tenant); e != nil {
			return e.Usage, e.Message
		}
		return nil, ""
	}
	one := cmp.Or(old, now)
	if one == nil {
		return
	}
	for _, e := range one.Entitlements {
		before, _ := held(old, e.Tenant)
		after, why := held(now, e.Tenant)
		for _, r := range slices.Sorted(maps.Keys(one.Capacity)) {
			if before[r] != after[r] {
				d.add(change{Of: of, Tenant: e.Tenant, Resource: r, Old: before[r], New: after[r], Why: why})
			}
		}
	}
}

func (d *policyDifference) memory(old, now *memoryEvaluated) {
	bound := func(m *memoryEvaluated, i int) memoryBound {
		if m == nil {
			return memoryBound{}
		}
		return m.Bounds[i]
	}
	one := cmp.Or(old, now)
	if one == nil {
		return
	}
	for i, b := range one.Bounds {
		o, n := bound(old, i), bound(now, i)
		for _, x := range []change{{Of: "floor", Old: o.Floor, New: n.Floor}, {Of: "share", Old: o.Share, New: n.Share}, {Of: "ceiling", Old: o.Ceiling, New: n.Ceiling}} {
			if x.Old != x.New {
				x.Tenant, x.Resource, x.Why = b.Tenant, "slots", n.Why
				d.add(x)
			}
		}
	}
}

func (d *policyDifference) add(c change) {
	if c.New > c.Old {
		c.Why = ""
	}
	d.Changes = append(d.Changes, c)
}

// history holds the reallocations of the ledger against both policies.
func (a *asked) history(ctx context.Context, dir string, policies [2]*policy.Policy) ([]ruling, error) {
	w, err := openWork(dir)
	if err != nil {
		return nil, err
	}
	l, err := w.readLedger()
	if err != nil {
		return nil, err
	}
	applied := map[int64]bool{}
	for _, e := range l.Entries {
		if o := e.Outcome; o != nil && o.Action == "apply" && o.Result == "applied" {
			applied[o.Decision] = true
		}
	}
	out := []ruling{}
	for _, e := range l.Entries {
		if e.Decision == nil || e.Decision.Action != "plan" || !applied[e.Index] {
			continue
		}
		in, err := planOf(l, e)
		if err != nil {
			return nil, exitWith(exitInput, fmt.Errorf("entry %d: %w", e.Index, err))
		}
		if in.Switch != w.site.Switch.Name || !bytes.Equal(in.Linked, w.linked) {
			continue
		}
		r := ruling{Entry: e.Index, At: e.Decision.At}
		for i, say := range []*string{&r.Old, &r.New} {
			if *say, err = a.admits(ctx, policies[i], in.Goal); err != nil {
				return nil, err
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// planOf reads the plan that a decision was about.
func planOf(l *check.Log, e check.Entry) (*plan.Input, error) {
	inputs := map[string][]byte{}
	for name, ref := range e.Decision.Inputs {
		b, err := l.Blob(ref)
		if err != nil {
			return nil, err
		}
		inputs[name] = b
	}
	return plan.FromInputs(inputs)
}

// admits says what a policy makes of the extents that a plan left.
func (a *asked) admits(ctx context.Context, p *policy.Policy, goal []plan.Extent) (string, error) {
	site := a.site()
	demands := site.Demands()
	usage := make([]policy.Resources, len(demands))
	for _, x := range goal {
		i := slices.IndexFunc(demands, func(d policy.MemoryDemand) bool { return d.VID == x.VID })
		if i < 0 {
			if x.Size > 0 {
				return fmt.Sprintf("VID %d is no tenant's any more", x.VID), nil
			}
			continue
		}
		if usage[i] == nil {
			usage[i] = policy.Resources{}
		}
		usage[i][proof.Slots+alloc.Array{Control: x.Control, Stage: x.Stage}.String()] += x.Size
	}
	s, err := p.MemoryState(demands, site.Capacity(), usage)
	if errors.Is(err, policy.ErrInput) {
		return err.Error(), nil
	} else if err != nil {
		return "", exitWith(exitInput, err)
	}
	if err := s.Admits(ctx); errors.Is(err, policy.ErrRefused) {
		return err.Error(), nil
	} else if err != nil {
		return "", exitWith(exitUndecided, err)
	}
	return "admitted", nil
}

func (d *policyDifference) print(w io.Writer, history bool) {
	for _, x := range []struct{ name, why string }{{d.Old, d.OldRefuses}, {d.New, d.NewRefuses}} {
		if x.why != "" {
			fmt.Fprintf(w, "%s refuses everything: %s\n", x.name, x.why)
		}
	}
	if len(d.Changes) == 0 {
		fmt.Fprintf(w, "nobody gains or loses: %s and %s give everybody the same\n", d.Old, d.New)
	} else {
		t := newTable(w, "of", "tenant", "resource", d.Old, d.New, "", "what stops it")
		for _, c := range d.Changes {
			sign := "gains"
			if c.New < c.Old {
				sign = "loses"
			}
			t.AppendRow([]any{c.Of, c.Tenant, c.Resource, c.Old, c.New, fmt.Sprintf("%s %d", sign, max(c.New-c.Old, c.Old-c.New)), c.Why})
		}
		t.Render()
	}
	if !history {
		return
	}
	if len(d.History) == 0 {
		fmt.Fprintln(w, "the ledger has no applied reallocation with this linked program")
		return
	}
	fmt.Fprintln(w)
	t := newTable(w, "entry", "at", d.Old, d.New)
	for _, r := range d.History {
		t.AppendRow([]any{r.Entry, r.At.Format(time.DateTime), r.Old, r.New})
	}
	t.Render()
}
