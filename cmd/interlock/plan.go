package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/smt"
)

func newPlan() *cobra.Command {
	var out, steps string
	var set []string
	c := &cobra.Command{
		Use:     "plan [DIR] -o PLAN",
		GroupID: "memory",
		Short:   "Plan a reallocation from the switch's present state, and prove it",
		Long: `Plan reads the page tables back, plans the way to the wanted sizes with as little disturbance as possible, proves
the exact write requests, and writes them to PLAN with their certificate beside it. Nothing is written to the switch.

Without --set, every tenant gets the share that the site's policy gives it when all want as much as they can use; with it,
tenants that are not named keep what they have. The policy is asked with the balances that were settled last, and with what else the ledger's last
decision about the tenants says of them, if it reads that. What it lets them have is decided and published, too: plans are cleared within that only. With --steps, the steps are those of a file, in its order, good or bad.

Where the site has several switches, the plan is one for all of them, in rounds that all of them go through together: first every switch takes,
then they give. What they do together is proved besides each plan (N1 to N4). --on names those that may change; of the others, one that
cannot be reached counts with the most that tenants may have there.`,
		Example: `  interlock plan linked -o plan.json
  interlock plan linked --set kv=4096 --set hh=2048 -o plan.json
  interlock plan linked --set left/kv=4096 --on left -o plan.json
  interlock plan linked --steps testdata/plans/grant-twice.yaml -o plan.json`,
		Args: cobra.MaximumNArgs(1),
	}
	c.Flags().StringVarP(&out, "output", "o", "plan.json", "file to write the plan to")
	c.Flags().StringVar(&steps, "steps", "", "file with hand-written steps (kind: PlanSteps)")
	c.Flags().StringArrayVar(&set, "set", nil, "TENANT=SLOTS: size of each elastic virtual register of a tenant; SWITCH/TENANT=SLOTS on one of several switches")
	c.MarkFlagsMutuallyExclusive("steps", "set")
	on := addOn(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetwork(dirArg(args, 0), *on)
		if err != nil {
			return err
		}
		if n.several {
			f, err := n.fleet(c.Context())
			if err != nil {
				return err
			}
			defer f.close()
			return f.plan(c.Context(), c.OutOrStdout(), steps, set, out)
		}
		w := n.works[0]
		p, err := w.planner(c.Context())
		if err != nil {
			return err
		}
		defer p.close()
		in, err := p.propose(c.Context(), steps, set)
		if err != nil {
			return err
		}
		if in == nil {
			fmt.Fprintln(c.OutOrStdout(), "nothing to do: the switch is as wanted")
			return nil
		}
		return w.proveAndSave(c.Context(), c.OutOrStdout(), p, in, out)
	}
	return c
}

// planner has what plans for a site's switch are made of.
type planner struct {
	work    *work
	reader  *device.Reader
	context *alloc.Context
	tenants []alloc.Tenant
	bounds  []alloc.Bound
	inForce *inForce // what the policy was asked and said
}

func (p *planner) close() { p.reader.Close() }

// planner asks the policy and takes an election id for the plan.
func (w *work) planner(ctx context.Context) (*planner, error) {
	p, err := w.entitled(ctx)
	if err != nil {
		return nil, err
	}
	if p.context.ElectionID, err = nextElectionID(w.ledgerDir()); err != nil {
		return nil, err
	}
	if p.reader, err = device.Dial(w.target()); err != nil {
		return nil, gateError(err)
	}
	return p, nil
}

// entitled asks the policy. The planner has no election id and no connection yet.
func (w *work) entitled(ctx context.Context) (*planner, error) {
	p, err := w.unbounded()
	if err != nil {
		return nil, err
	}
	_, err = rule(ctx, false, p)
	return p, err
}

// epoch is the site's.
func (w *work) epoch() (time.Duration, error) {
	d, err := time.ParseDuration(w.site.Allocation.Epoch)
	if err != nil {
		return 0, inputf("%s: allocation.epoch: %w", w.site.Path, err)
	}
	return d, nil
}

// within sets what the policy allows.
func (p *planner) within(bounds []alloc.Bound, digest verify.Digest) {
	p.bounds, p.context.Policy, p.context.Limits = bounds, string(digest), alloc.Limits(p.tenants, bounds)
}

// name of the switch.
func (p *planner) name() string { return p.work.site.Switch.Name }

// has says whether the switch has a tenant of that name that is not evicted.
func (p *planner) has(tenant string) bool {
	return slices.ContainsFunc(p.tenants, func(t alloc.Tenant) bool { return t.Name == tenant })
}

// unbounded is the planner before the policy has been asked.
func (w *work) unbounded() (*planner, error) {
	codec, err := alloc.CodecOf(w.linked)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	tenants, err := w.allocated()
	if err != nil {
		return nil, err
	}
	declared, err := device.DeclaredPrimitives(w.site.Switch.Driver)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	return &planner{
		work: w, tenants: tenants,
		context: &alloc.Context{
			Switch: w.site.Switch.Name, DeviceID: w.site.Switch.DeviceID, Linked: w.linked, Codec: codec, Primitives: declared.Proof,
			Tenants: w.tenants(), Nonce: randomNonce, Refused: w.refused(),
		},
	}, nil
}

// allocated are the tenants that memory is allocated to: all that are not evicted.
func (w *work) allocated() ([]alloc.Tenant, error) {
	accounts := map[string]alloc.Account{}
	for _, t := range w.site.Tenants {
		accounts[t.Name] = alloc.Account{Budget: t.Budget, Balance: t.Balance}
	}
	tenants, err := alloc.TenantsOf(w.manifest, accounts)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	evicted, err := w.evicted()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(tenants, func(t alloc.Tenant) bool { return slices.Contains(evicted, t.Name) }), nil
}

// randomNonce does not repeat for all practical purposes: 64 bits from the system's generator.
func randomNonce() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:])
}

// state reads the page tables of the switch, which must run the linked program.
func (p *planner) state(ctx context.Context) ([]byte, error) {
	ctx, cancel := timeout(ctx)
	defer cancel()
	pipe, err := p.reader.Pipeline(ctx)
	if errors.Is(err, device.ErrNoPipeline) {
		return nil, environmentf("%w: 'interlock install %s' first", err, p.work.dir)
	} else if err != nil {
		return nil, gateError(err)
	}
	if !bytes.Equal(pipe.DeviceConfig, p.work.linked) {
		return nil, refusedf("switch %s does not run the program in %s: install it first", p.work.site.Switch.Name, p.work.dir)
	}
	b, err := p.reader.PageTables(ctx, pipe.P4Info)
	return b, gateError(err)
}

// propose makes a plan by hand-written steps, or to wanted sizes.
func (p *planner) propose(ctx context.Context, stepsFile string, set []string) (*plan.Input, error) {
	state, err := p.state(ctx)
	if err != nil {
		return nil, err
	}
	if stepsFile != "" {
		s, err := alloc.LoadSteps(stepsFile, p.work.manifest)
		if err != nil {
			return nil, exitWith(exitInput, err)
		}
		in, err := p.context.Compile(state, s, false)
		return in, exitWith(exitInput, err)
	}
	levels, err := p.levels(state, set)
	if err != nil {
		return nil, err
	}
	in, err := p.context.ToLevels(state, p.tenants, levels)
	return in, exitWith(exitRefused, err)
}

// levels are the rungs that are asked for, within the policy's bounds: the policy's shares, or those set by hand; then the other
// tenants keep what they have.
func (p *planner) levels(state []byte, set []string) ([]int, error) {
	tables, err := p.context.Codec.Decode(state)
	if err != nil {
		return nil, exitWith(exitRefused, err)
	}
	levels := p.present(tables)
	for i, b := range p.bounds {
		if len(set) == 0 {
			levels[i] = b.Share
		}
	}
	for _, s := range set {
		name, value, _ := strings.Cut(s, "=")
		slots, err := strconv.ParseInt(value, 10, 64)
		i := slices.IndexFunc(p.tenants, func(t alloc.Tenant) bool { return t.Name == name })
		switch {
		case err != nil:
			return nil, inputf("--set %s: want TENANT=SLOTS", s)
		case i < 0:
			return nil, inputf("--set %s: site %s has no tenant %q, or it is evicted", s, p.work.site.Name, name)
		}
		rungs := p.tenants[i].Ladder.Rungs
		at := slices.IndexFunc(rungs, func(r alloc.Rung) bool { return r.Memory == slots })
		if at < 0 {
			var sizes []string
			for _, r := range rungs {
				sizes = append(sizes, fmt.Sprint(r.Memory))
			}
			return nil, inputf("--set %s: tenant %s can have %s slots", s, name, strings.Join(sizes, ", "))
		}
		if b := p.bounds[i]; at < b.Floor || at > b.Ceiling {
			return nil, refusedf("--set %s: policy %s lets tenant %s have %d to %d slots: %s", s, p.work.site.Policy, name,
				rungs[b.Floor].Memory, rungs[b.Ceiling].Memory, b.Why)
		}
		levels[i] = at
	}
	if len(set) > 0 {
		return levels, nil
	}
	levels, err = p.context.Fit(state, p.tenants, p.bounds, levels)
	return levels, exitWith(exitRefused, err)
}

// present are the rungs that tenants have by the page tables, as far as the policy allows.
func (p *planner) present(tables alloc.Tables) []int {
	levels := make([]int, len(p.tenants))
	for i, b := range p.bounds {
		levels[i] = min(max(tables.Level(p.tenants[i]), b.Floor), b.Ceiling)
	}
	return levels
}

// proveAndSave proves a plan, publishes the decision, and saves plan and certificate.
func (w *work) proveAndSave(ctx context.Context, out io.Writer, p *planner, in *plan.Input, path string) error {
	pool, required, err := w.solvers()
	if err != nil {
		return err
	}
	defer pool.Close()
	log, err := w.openLedger()
	if err != nil {
		return err
	}
	defer log.Close()
	f, err := alloc.NewFile(p.context.Codec, in)
	if err != nil {
		return exitWith(exitInput, err)
	}
	bar := newProgress("proving")
	proof, err := gate.ProvePlan(ctx, plan.NewEncoder(1), pool, in, required, time.Now(), bar.update)
	bar.finish()
	var bad *plan.InputError
	if errors.As(err, &bad) {
		return refusedf("M7 refuted: %w", err)
	} else if err != nil {
		return exitWith(exitUndecided, err)
	}
	index, err := gate.Record(ctx, log, proof, ledger.Decision{
		Action: "plan", Switch: in.Switch, Policy: in.Policy, TermsText: p.inForce.terms, Who: who(), At: time.Now().UTC(),
	})
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	if err := reserveElectionID(w.ledgerDir(), in.ElectionID); err != nil {
		return err
	}
	if err := f.Save(path); err != nil {
		return exitWith(exitEnvironment, err)
	}
	if err := saveCertificate(certificatePath(path), proof.Certificate); err != nil {
		return err
	}
	printSteps(out, f)
	fmt.Fprintln(out)
	printCertificate(out, proof.Certificate)
	if err := proof.Certificate.Proved(); err != nil {
		explainPlan(out, in, proof)
		return exitWith(verdictCode(err), fmt.Errorf("the plan is not proved: %w (ledger entry %d)", err, index))
	}
	if _, err := p.inForce.published(ctx, pool, required, log); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s is proved (ledger entry %d); apply it with 'interlock apply %s -d %s'\n", path, index, path, filepath.Clean(w.dir))
	return nil
}

// explainPlan prints the counterexample of the first refuted obligation of each property.
func explainPlan(out io.Writer, in *plan.Input, p *gate.Proof) {
	shown := map[string]bool{}
	for _, r := range p.Certificate.Results {
		i := slices.IndexFunc(p.Obligations, func(o verify.Obligation) bool { return o.ID == r.Obligation })
		if r.Verdict != verify.Refuted || i < 0 || shown[p.Obligations[i].Property] {
			continue
		}
		o := p.Obligations[i]
		shown[o.Property] = true
		model, err := smt.ParseModel(r.Model)
		if err != nil {
			fmt.Fprintf(out, "\n%s refuted: %s\n  (the solver's model cannot be read: %v)\n", o.Property, o.Subject, err)
			continue
		}
		fmt.Fprintf(out, "\nREFUTED %s\n", strings.TrimRight(plan.Explain(in, o, model).String(), "\n"))
	}
}
