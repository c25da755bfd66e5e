package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/smt"
)

// epochsFile, beside the ledger, is where run records epochs unless told otherwise.
const epochsFile = "epochs.jsonl"

func newRun() *cobra.Command {
	var epochs int
	var length time.Duration
	var record, metrics, level string
	c := &cobra.Command{
		Use:     "run [DIR]",
		GroupID: "memory",
		Short:   "Run the control loop: read counters, estimate, allocate, plan, prove, apply",
		Long: `Each epoch reads the counters over P4Runtime, estimates every tenant's utility, chooses sizes within the policy's floors
and ceilings, plans with the least disturbance, proves the exact write requests, applies them through the gate and reads
back. What an interrupted controller left behind is recovered first, by a plan that is proved like any other. Slots that the switch refuses to
scrub are put into quarantine, and the loop goes on without them.

Where the site has several switches, each epoch is one decision over all of them. A switch that dies, refuses, cannot be reached or goes to another
controller is out, and the others go on; it is tried again, and comes back by a plan that starts from what is read from it.

A policy that reads what changes from epoch to epoch (a tenant's active, utility or oldTenant), or that settles balances, is asked at
every epoch. When bounds or balances change, that is decided by the solvers and by cel-go, and in the ledger, before it holds. A policy that
refuses, or an expression that fails, is told about once; bounds and balances stay. An epoch is settled when it ends: while no controller runs,
nothing is.

When the file of the site's policy changes, the new version is in force from the next epoch on; one that has a mistake, that refuses what is
running, or that does not entitle a tenant to its linked program, is told about, and the old one stays.

With --gateway, tenants drive their own tables meanwhile: see 'interlock gateway --help'.

Each line has, by tenant, the slots of its largest elastic register ("fixed": it has none) and the utility in the epoch, with ! where that is below
the target, or - where there were no packets to measure it on.`,
		Example: "  interlock run linked\n  interlock run linked --epochs 20 --epoch 500ms\n  interlock run linked --gateway /run/interlock",
		Args:    cobra.MaximumNArgs(1),
	}
	c.Flags().IntVar(&epochs, "epochs", 0, "number of epochs (0: until interrupted)")
	c.Flags().DurationVar(&length, "epoch", 0, "length of an epoch (default: the site's)")
	c.Flags().StringVar(&record, "record", "", "file to append the epochs' records to (default: "+epochsFile+" beside the ledger)")
	c.Flags().StringVar(&metrics, "metrics", "", "serve Prometheus metrics of the gate and the loop at this address, under /metrics")
	c.Flags().StringVar(&level, "log-level", "error", "least level of what is logged to standard error, as JSON: debug, info, warn, error")
	var tenants entrance
	tenants.flags(c, "gateway", "gateway-")
	on := addOn(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetwork(dirArg(args, 0), *on)
		if err != nil {
			return err
		}
		w := n.works[0]
		if length == 0 {
			if length, err = w.epoch(); err != nil {
				return err
			}
		}
		if record == "" {
			record = filepath.Join(w.ledgerDir(), epochsFile)
		}
		var least slog.Level
		if err := least.UnmarshalText([]byte(level)); err != nil {
			return inputf("--log-level %s: want debug, info, warn or error", level)
		}
		w.log = slog.New(slog.NewJSONHandler(c.ErrOrStderr(), &slog.HandlerOptions{Level: least}))
		if n.several {
			if err := tenants.forSeveral(); err != nil {
				return err
			}
			return n.run(c.Context(), c.OutOrStdout(), networkRun{epochs, length, record, metrics, w.log, tenants})
		}
		return w.run(c.Context(), c.OutOrStdout(), epochs, length, record, metrics, tenants)
	}
	return c
}

// A control is the control loop over one switch, with what it is made of.
type control struct {
	*alloc.Loop
	planner *planner
	tools   *tools
	gate    *gate.Gate
}

// control asks the policy, has what it says published, and takes mastership. The loop records nothing yet.
func (w *work) control(ctx context.Context, out io.Writer) (_ *control, err error) {
	c := &control{}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.planner, err = w.planner(ctx); err != nil {
		return nil, err
	}
	p := c.planner
	strategy, err := alloc.StrategyNamed(w.site.Allocation.Strategy)
	if err != nil {
		return nil, inputf("%s: allocation.strategy: %w", w.site.Path, err)
	}
	if c.tools, err = w.openTools(); err != nil {
		return nil, err
	}
	t := c.tools
	go t.pool.Decide(ctx, plan.Standing(), nil) //nolint:errcheck // what fails here fails again with the first plan, and is told then
	last, _, err := w.recordedState()
	if err != nil {
		last = []byte("unknown") // equal to no read-back: recover first
	}
	if c.gate, err = w.openGateAs(ctx, p.context.ElectionID, p.inForce, t); err != nil {
		return nil, err
	}
	if _, err := p.state(ctx); err != nil {
		return nil, err
	}
	p.context.Refused = func() alloc.Refused { return forPlans(c.gate.Refused()) }
	c.Loop = &alloc.Loop{
		Context: p.context, Strategy: strategy, Tenants: p.tenants, Bounds: p.bounds,
		Switch: &loopSwitch{p}, Prover: &loopProver{gate: c.gate, pool: t.pool, required: t.required, encoder: plan.NewEncoder(1)},
		Now: time.Now, LastState: last,
	}
	a, err := newAsker(p.inForce, out, w.log)
	if err != nil {
		return nil, err
	}
	a.with(t.pool, t.required, func() *ledger.Log { return t.log })
	a.adopt, c.Asker = c.gate.Adopt, a
	return c, nil
}

func (c *control) close() {
	if c.gate != nil {
		c.gate.Close()
	}
	if c.tools != nil {
		c.tools.close()
	}
	if c.planner != nil {
		c.planner.close()
	}
}

func (w *work) run(ctx context.Context, out io.Writer, epochs int, length time.Duration, record, metrics string, tenants entrance) error {
	c, err := w.control(ctx, out)
	if err != nil {
		return err
	}
	defer c.close()
	door, err := w.letIn(ctx, out, c.gate, tenants, "")
	if err != nil {
		return err
	}
	defer door.close()
	file, err := os.OpenFile(record, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	defer file.Close()

	seen := newLoopMetrics()
	if metrics != "" {
		serving, stop := context.WithCancel(ctx)
		var group errgroup.Group
		defer func() { stop(); _ = group.Wait() }() // what is served has no say in how the loop ends
		at, err := serveMetrics(serving, &group, metrics, append(door.collectors(), c.gate.Collector(), seen)...)
		if err != nil {
			return exitWith(exitEnvironment, err)
		}
		fmt.Fprintf(out, "metrics on http://%s/metrics\n", at)
	}

	begun := time.Now()
	var verdict string // on the last plan
	c.Record = func(e *alloc.Epoch) error {
		printEpoch(out, e, begun)
		seen.note(w.site.Switch.Name, e)
		if e.Plan != nil {
			verdict = e.Plan.Verdict
		}
		return alloc.WriteEpoch(file, e)
	}
	tick := time.NewTicker(length)
	defer tick.Stop()
	err = c.Run(ctx, epochs, func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			return c.gate.Lost()
		}
	})
	switch {
	case err == nil, interrupted(ctx, err):
		return nil
	case errors.Is(err, alloc.ErrNotProved) && verdict == string(verify.Refuted):
		return exitWith(exitRefused, err)
	case errors.Is(err, alloc.ErrNotProved):
		return exitWith(exitUndecided, err)
	}
	return gateError(err)
}

// interrupted says that what failed did so because somebody ended the loop.
func interrupted(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) || ctx.Err() != nil && status.Code(err) == codes.Canceled
}

// loopSwitch reads the switch for the loop.
type loopSwitch struct{ p *planner }

func (s *loopSwitch) PageTables(ctx context.Context) ([]byte, error) {
	b, err := s.p.state(ctx)
	return b, err
}

func (s *loopSwitch) Counters(ctx context.Context) (map[uint16]alloc.Reading, error) {
	ctx, cancel := timeout(ctx)
	defer cancel()
	pipe, err := s.p.reader.Pipeline(ctx)
	if err != nil {
		return nil, err
	}
	var vids []int64
	for _, t := range s.p.tenants {
		vids = append(vids, int64(t.VID))
	}
	counts := map[string]map[int64]int64{}
	for _, name := range []string{specs.HitsCounter, specs.PacketsCounter} { // hits first, so that they are never more
		id := device.CounterID(pipe.P4Info, name)
		if id == 0 {
			return nil, fmt.Errorf("the program on switch %s has no counter %s", s.p.work.site.Switch.Name, name)
		}
		if counts[name], err = s.p.reader.Counters(ctx, id, vids); err != nil {
			return nil, err
		}
	}
	out := map[uint16]alloc.Reading{}
	for _, v := range vids {
		out[uint16(v)] = alloc.Reading{Packets: counts[specs.PacketsCounter][v], Hits: counts[specs.HitsCounter][v]}
	}
	return out, nil
}

// loopProver proves plans and applies them through the gate.
type loopProver struct {
	gate     *gate.Gate
	pool     *smt.Pool
	required []string
	encoder  *plan.Encoder
}

func (p *loopProver) Prove(ctx context.Context, in *plan.Input) (alloc.Proof, error) {
	proof, err := gate.ProvePlan(ctx, p.encoder, p.pool, in, p.required, time.Now(), nil)
	if err != nil {
		return nil, err
	}
	return &loopProof{p, in, proof}, nil
}

type loopProof struct {
	prover *loopProver
	in     *plan.Input
	proof  *gate.Proof
}

func (p *loopProof) Verdict() verify.Verdict { return verdict(p.proof.Certificate) }

// verdict on all of a certificate.
func verdict(c *verify.Certificate) verify.Verdict {
	switch err := c.Proved(); {
	case err == nil:
		return verify.Proved
	case errors.Is(err, verify.ErrRefuted):
		return verify.Refuted
	}
	return verify.Unknown
}

func (p *loopProof) Reason() string {
	if err := p.proof.Certificate.Proved(); err != nil {
		return err.Error()
	}
	return ""
}

// Apply is not stopped by an interrupt: a plan that has begun is finished.
func (p *loopProof) Apply(ctx context.Context) (alloc.Applied, error) {
	ctx = context.WithoutCancel(ctx)
	begun := time.Now()
	c, err := p.prover.gate.ClearProvedPlan(ctx, p.in, p.proof)
	if err != nil {
		return alloc.Applied{}, err
	}
	done := alloc.Applied{Publish: time.Since(begun), Entry: uint64(c.Decision())}
	out, err := p.prover.gate.Apply(ctx, c)
	if out != nil {
		done.Publish += out.Log
		done.Write = out.Writes
		done.PostState = out.PageTables
	}
	return done, forLoop(err)
}

// printEpoch prints one line an epoch.
func printEpoch(out io.Writer, e *alloc.Epoch, begun time.Time) {
	var tenants []string
	for _, t := range e.Tenants {
		s := fmt.Sprintf("%s %5d", t.Name, t.Memory)
		if t.Memory == 0 {
			s = t.Name + " fixed" // all its registers are inelastic
		}
		if t.Utility != nil {
			mark := " "
			if !t.Satisfied {
				mark = "!"
			}
			s += fmt.Sprintf(" %.2f%s", *t.Utility, mark)
		} else {
			s += "   -  "
		}
		if b, err := policy.ParseRatio(t.Balance); t.Balance != "" && err == nil {
			s += fmt.Sprintf(" %s cr", b.Rat().FloatString(2))
		}
		tenants = append(tenants, s)
	}
	what := "no change"
	switch p := e.Plan; {
	case e.Error != "":
		what = "FAILED: " + e.Error
	case p != nil:
		what = fmt.Sprintf("%d steps %s in %v, written in %v, all in %v", p.Steps, p.Verdict, ms(e.Part("prove")), ms(e.Part("write")), ms(e.Total))
		if p.Entry != nil {
			what += fmt.Sprintf(" (entry %d)", *p.Entry)
		}
	}
	if s := e.Share; s != nil && s.Entry != nil {
		what = fmt.Sprintf("shares decided (entry %d), %s", *s.Entry, what)
	}
	if e.Kind == alloc.Recovery {
		what = "recovery: " + what
	}
	on := ""
	if e.Switch != "" {
		on = e.Switch + "  "
	}
	fmt.Fprintf(out, "%6.1fs  %3d  %s%s  %s\n", time.Since(begun).Seconds(), e.Number, on, strings.Join(tenants, "  "), what)
}

func ms(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
