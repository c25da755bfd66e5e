package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/sharing"
	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/resources"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/suite"
)

// evaluated is what policy eval -o json prints. Input is of --input; Program and Memory are of a linked directory.
type evaluated struct {
	Policy  string             `json:"policy"`
	Digest  string             `json:"digest"`
	Input   *policy.Allocation `json:"input,omitempty"`
	Program *policy.Allocation `json:"program,omitempty"`
	Memory  *memoryEvaluated   `json:"memory,omitempty"`
	// Floors is what came of giving every tenant its min, where the policy refuses that.
	Floors *policy.Allocation `json:"floors,omitempty"`
}

type memoryEvaluated struct {
	Known  []knownOf          `json:"known,omitempty"` // where the policy reads it
	Bounds []memoryBound      `json:"bounds"`
	Shares *policy.Allocation `json:"shares"`
}

// knownOf is what is known of a tenant, by the ledger's last decision about it.
type knownOf struct {
	Tenant  string       `json:"tenant"`
	Active  bool         `json:"active"`
	Utility policy.Ratio `json:"utility"`
	Balance policy.Ratio `json:"balance"`
}

// memoryBound is in slots of the tenant's largest elastic register.
type memoryBound struct {
	Tenant  string `json:"tenant"`
	Floor   int64  `json:"floor"`
	Share   int64  `json:"share"`
	Ceiling int64  `json:"ceiling"`
	Why     string `json:"why,omitempty"` // what stops the tenant at the ceiling
}

// asked is what policies are asked about: an input, or a linked directory.
type asked struct {
	work      *work // of the directory
	input     *suite.Input
	programs  []policy.Tenant
	target    *resources.Target
	layout    *resources.Layout
	tenants   []alloc.Tenant
	stages    alloc.Capacity
	ownPolicy *policy.Policy // the site's
}

func newPolicyEval() *cobra.Command {
	var name, input, siteFile string
	var params []string
	c := &cobra.Command{
		Use:   "eval [DIR | -s SITE]",
		Short: "Show what a policy would give whom now, grant by grant",
		Long: `Eval asks a policy about the tenants of a linked directory: what of the pipeline each is entitled to, as link asks, and between which
sizes of register memory the allocator may choose for each, as plan and run ask: with the balances, and what else the policy reads of tenants,
that the ledger's last decision about them says. It shows every grant in its order, and the
rule that stopped each tenant. Nothing is changed. The policy is the site's unless --policy names another. With --input, it
is asked about the tenants and the capacity in a file (kind: SharingInput) instead; with --site, about the pipeline of a site that need not
be linked, or that link refuses. What was decided before the policy refuses is shown as well.`,
		Example: "  interlock policy eval linked\n  interlock policy eval linked --policy new.yaml --param most=1/2\n  interlock policy eval --policy builtin:drf --input tenants.yaml -o json",
		Args:    cobra.MaximumNArgs(1),
	}
	c.Flags().StringVar(&name, "policy", "", "policy to ask, instead of the site's")
	c.Flags().StringVar(&input, "input", "", "file with tenants and a capacity")
	c.Flags().StringVarP(&siteFile, "site", "s", "", "a site that need not be linked: what its pipeline part comes to, also when link refuses it")
	addParams(c, &params)
	out := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		var a *asked
		var err error
		if siteFile != "" {
			a, err = askedAboutSite(c.Context(), siteFile, len(args) > 0 || input != "")
		} else {
			a, err = askedAbout(args, 0, input)
		}
		if err != nil {
			return err
		}
		p := a.ownPolicy
		if name != "" {
			if p, _, err = readPolicy(name); err != nil {
				return err
			}
		}
		if p == nil {
			return inputf("--input needs --policy: there is no site that names one")
		}
		if p, err = withParams(p, params); err != nil {
			return err
		}
		e, err := a.evaluate(c.Context(), p)
		if err != nil && e.Program == nil {
			return policyError(err)
		}
		if failed := out.print(c.OutOrStdout(), e, e.print); failed != nil {
			return exitWith(exitEnvironment, failed)
		}
		if err != nil { // what was decided before is shown
			return policyError(err)
		}
		return nil
	}
	return c
}

// policyError gives a refusal its exit code.
func policyError(err error) error {
	if errors.Is(err, policy.ErrRefused) {
		return exitWith(exitRefused, err)
	}
	return exitWith(exitInput, err)
}

// askedAbout reads an input, or the linked directory among a command's arguments.
func askedAbout(args []string, i int, input string) (*asked, error) {
	if input != "" {
		if len(args) > i {
			return nil, inputf("give a directory or --input, not both")
		}
		src, err := readSome(input)
		if err != nil {
			return nil, err
		}
		in, err := suite.ParseInput(input, src)
		return &asked{input: &in}, exitWith(exitInput, err)
	}
	w, err := openWork(dirArg(args, i))
	if err != nil {
		return nil, err
	}
	a := &asked{work: w}
	if a.ownPolicy, err = loadPolicy(w.site); err != nil {
		return nil, err
	}
	if err := a.readPrograms(w); err != nil {
		return nil, err
	}
	codec, err := alloc.CodecOf(w.linked)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	a.stages = codec.Slots()
	a.tenants, err = w.allocated()
	return a, err
}

// askedAboutSite links a site whatever its policy says, to ask about the pipeline.
func askedAboutSite(ctx context.Context, file string, more bool) (*asked, error) {
	if more {
		return nil, inputf("give a directory, --site or --input, one of them")
	}
	s, err := site.Load(file)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	if len(s.Switches) > 1 {
		return nil, inputf("--site is for sites with one switch; link this one without its policy, and give the directory")
	}
	a := &asked{}
	if a.ownPolicy, err = loadPolicy(s); err != nil {
		return nil, err
	}
	l, err := linker.Link(ctx, s, linker.Options{Entitler: linker.Unlimited{}})
	if err != nil {
		return nil, linkError(err)
	}
	if a.target, err = resources.Load(s.Switch.Target); err != nil {
		return nil, exitWith(exitInput, err)
	}
	var names []string
	for _, t := range s.Tenants {
		names = append(names, t.Name)
	}
	if a.programs, err = (&work{site: s}).policyTenants(); err != nil {
		return nil, err
	}
	a.layout = resources.Lay(l.Info, a.target, names)
	return a, nil
}

// readPrograms reads the linked program, to be measured.
func (a *asked) readPrograms(w *work) error {
	target, err := resources.Load(w.site.Switch.Target)
	if err != nil {
		return exitWith(exitInput, err)
	}
	info, diags := p4.Load(linkedFile, w.linked)
	if err := diags.Err(); err != nil {
		return exitWith(exitInput, err)
	}
	if a.programs, err = w.policyTenants(); err != nil {
		return err
	}
	var names []string
	for _, t := range a.programs {
		names = append(names, t.Name)
	}
	a.layout, a.target = resources.Lay(info, target, names), target
	return nil
}

// pipeline is what p is asked about the programs, as link asks.
func (a *asked) pipeline(p *policy.Policy) ([]policy.Tenant, policy.Resources) {
	capacity, parts := a.layout.Shared(a.target, p.ByStage())
	tenants := slices.Clone(a.programs)
	for i, t := range tenants {
		tenants[i] = t.Inelastic(policy.Resources(parts[t.Name]))
	}
	return tenants, policy.Resources(capacity)
}

// evaluate asks a policy. After a refusal the answer has what was decided before it.
func (a *asked) evaluate(ctx context.Context, p *policy.Policy) (*evaluated, error) {
	e := &evaluated{Policy: p.Name(), Digest: p.Digest()}
	var err error
	if a.input != nil {
		e.Input, err = p.Entitle(ctx, a.input.Tenants, a.input.Capacity)
		return e, err
	}
	tenants, capacity := a.pipeline(p)
	if e.Program, err = p.Entitle(ctx, tenants, capacity); err != nil {
		return e, fmt.Errorf("pipeline: %w", err)
	}
	if a.work == nil {
		return e, nil
	}
	site := a.site()
	if err := a.work.recall(site, p); err != nil {
		return e, err
	}
	bounds, shares, err := p.ExplainMemory(ctx, site.Demands(), site.Capacity())
	if err != nil {
		e.Floors = shares
		return e, fmt.Errorf("register memory: %w", err)
	}
	e.Memory = &memoryEvaluated{Shares: shares}
	if p.Live() || p.Facts().Balance {
		for _, d := range site.Demands() {
			e.Memory.Known = append(e.Memory.Known, knownOf{d.Name, d.Active, d.Utility, d.Balance})
		}
	}
	for i, b := range bounds {
		rungs := a.tenants[i].Ladder.Rungs
		e.Memory.Bounds = append(e.Memory.Bounds, memoryBound{
			b.Tenant, rungs[b.Floor].Memory, rungs[b.Share].Memory, rungs[b.Ceiling].Memory, b.Why,
		})
	}
	return e, nil
}

// site is what a policy is asked about.
func (a *asked) site() *sharing.Site { return sharing.One(a.tenants, a.stages) }

func (e *evaluated) print(w io.Writer) {
	fmt.Fprintf(w, "policy %s (%s)\n", e.Policy, e.Digest)
	if e.Input != nil {
		printAllocation(w, "", e.Input)
		return
	}
	printAllocation(w, "pipeline, as link asks", e.Program)
	if e.Floors != nil {
		printAllocation(w, "register memory, when every tenant has only its min, which the policy refuses", e.Floors)
	}
	if e.Memory == nil {
		return
	}
	printAllocation(w, "register memory, when all ask for all that they can use", e.Memory.Shares)
	if len(e.Memory.Known) > 0 {
		fmt.Fprintln(w, "\nregister memory: what is known of the tenants now")
		t := newTable(w, "tenant", "active", "utility", "balance")
		for _, k := range e.Memory.Known {
			t.AppendRow([]any{k.Tenant, k.Active, k.Utility, k.Balance})
		}
		t.Render()
	}
	fmt.Fprintln(w, "\nregister memory: slots of each tenant's largest elastic register")
	t := newTable(w, "tenant", "floor", "share", "ceiling", "what stops it there")
	for _, b := range e.Memory.Bounds {
		t.AppendRow([]any{b.Tenant, b.Floor, b.Share, b.Ceiling, b.Why})
	}
	t.Render()
}

func printAllocation(w io.Writer, title string, a *policy.Allocation) {
	if title != "" {
		fmt.Fprintf(w, "\n%s\n", title)
	}
	t := newTable(w, "", "tenant", "rank", "amount", "decision")
	for i, d := range a.Trace {
		decision := "granted"
		if !d.Granted {
			decision = d.Reason + ": " + d.Message
		}
		t.AppendRow([]any{i + 1, d.Tenant, d.Rank, amountsText(d.Amount), decision})
	}
	t.Render()
	fmt.Fprintln(w)
	header := []any{"tenant", "holds"}
	cost := slices.ContainsFunc(a.Entitlements, func(e policy.Entitlement) bool { return e.Cost != nil })
	balance := slices.ContainsFunc(a.Entitlements, func(e policy.Entitlement) bool { return e.Balance != nil })
	if cost {
		header = append(header, "cost")
	}
	if balance {
		header = append(header, "balance after")
	}
	u := newTable(w, append(header, "stopped by")...)
	for _, e := range a.Entitlements {
		row := []any{e.Tenant, amountsText(e.Usage)}
		if cost {
			row = append(row, e.Cost)
		}
		if balance {
			row = append(row, e.Balance)
		}
		stopped := "nothing: it has all that it asked for"
		if !e.Complete {
			stopped = e.Reason + ": " + e.Message
		}
		u.AppendRow(append(row, stopped))
	}
	u.Render()
	fmt.Fprintf(w, "free: %s\n", amountsText(a.Free))
	printShadowed(w, a)
}

// amountsText says each amount; the same of stages in a row is said once.
func amountsText(r policy.Resources) string {
	var parts []string
	names := slices.Sorted(maps.Keys(r))
	slices.SortStableFunc(names, func(a, b string) int {
		p, i, _ := stageOf(a)
		q, j, _ := stageOf(b)
		return cmp.Or(cmp.Compare(p, q), cmp.Compare(i, j))
	})
	for i := 0; i < len(names); i++ {
		n := names[i]
		if r[n] == 0 {
			continue
		}
		text := fmt.Sprintf("%s %d", n, r[n])
		if kind, first, ok := stageOf(n); ok {
			last := first
			for ; i+1 < len(names); i++ {
				k, next, ok := stageOf(names[i+1])
				if !ok || k != kind || next != last+1 || r[names[i+1]] != r[n] {
					break
				}
				last = next
			}
			if last > first {
				text = fmt.Sprintf("%s%d..%d %d each", kind, first, last, r[n])
			}
		}
		parts = append(parts, text)
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// stageOf takes the name of a resource of one stage apart, such as slots/ingress/3.
func stageOf(name string) (kind string, stage int, ok bool) {
	i := strings.LastIndex(name, "/")
	stage, err := strconv.Atoi(name[i+1:])
	if i < 0 || err != nil {
		return name, 0, false
	}
	return name[:i+1], stage, true
}
