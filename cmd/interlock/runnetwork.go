package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
)

// networkRun is what 'interlock run' was asked for.
type networkRun struct {
	epochs          int
	length          time.Duration
	record, metrics string
	log             *slog.Logger
	tenants         entrance
}

// errTenants says that who is evicted has changed since the policy was asked.
var errTenants = errors.New("tenants were evicted or admitted")

// run runs the control loop over several switches, and begins anew when tenants come or go.
func (n *linkedSite) run(ctx context.Context, out io.Writer, r networkRun) error {
	seen, gates := newLoopMetrics(), &gateMetrics{}
	if r.metrics != "" {
		serving, stop := context.WithCancel(ctx)
		var group errgroup.Group
		defer func() { stop(); _ = group.Wait() }() // what is served has no say in how the loop ends
		at, err := serveMetrics(serving, &group, r.metrics, seen, gates)
		if err != nil {
			return exitWith(exitEnvironment, err)
		}
		fmt.Fprintf(out, "metrics on http://%s/metrics\n", at)
	}
	for done := 0; ; {
		c := &controller{out: out, networkRun: r, seen: seen, metrics: gates, begun: time.Now()}
		err := c.run(ctx, n, &done)
		switch {
		case errors.Is(err, errTenants):
			continue
		case err == nil, interrupted(ctx, err):
			return nil
		}
		return gateError(err)
	}
}

// A controller runs the loop for as long as the tenants stay the same.
type controller struct {
	networkRun
	out     io.Writer
	seen    *loopMetrics
	metrics *gateMetrics
	begun   time.Time

	fleet   *fleet
	tools   *tools
	gates   map[string]*gate.Gate
	doors   map[string]*door // where tenants of a switch come in
	evicted []string
	encoder *plan.Encoder
}

func (c *controller) run(ctx context.Context, n *linkedSite, done *int) error {
	f, err := n.fleet(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	w := f.planners[0].work
	strategy, err := alloc.StrategyNamed(w.site.Allocation.Strategy)
	if err != nil {
		return inputf("%s: allocation.strategy: %w", w.site.Path, err)
	}
	c.fleet, c.gates, c.doors, c.encoder = f, map[string]*gate.Gate{}, map[string]*door{}, plan.NewEncoder(len(f.planners))
	if c.evicted, err = w.evicted(); err != nil {
		return err
	}
	if c.tools, err = w.openTools(); err != nil {
		return err
	}
	defer func() { c.tools.close() }()
	defer func() {
		for name, g := range c.gates {
			c.doors[name].close()
			c.metrics.remove(g)
			g.Close()
		}
	}()
	go c.tools.pool.Decide(ctx, plan.Standing(), nil) //nolint:errcheck // what fails here fails again with the first plan, and is told then
	file, err := os.OpenFile(c.record, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return exitWith(exitEnvironment, err)
	}
	defer file.Close()
	loop := &alloc.NetworkLoop{
		Site: f.site(), Ceilings: f.inForce.shares.Admission.Networkwide(), Policy: string(f.inForce.digest), Strategy: strategy, Roster: c, Prover: c, Now: time.Now,
		Record: func(e *alloc.Epoch) error {
			printEpoch(c.out, e, c.begun)
			c.seen.note(e.Switch, e)
			return alloc.WriteEpoch(file, e)
		},
	}
	for _, p := range f.planners {
		if !f.changes(p) {
			return inputf("--on: the control loop is for all switches of a site")
		}
		p.work.log = c.log
		last, _, err := p.work.recordedState()
		if err != nil {
			last = []byte("unknown") // equal to no read-back: recover first
		}
		loop.Members = append(loop.Members, &alloc.Member{
			Context: p.context, Tenants: p.tenants, Bounds: p.bounds, Switch: &memberSwitch{c, &loopSwitch{p}}, LastState: last,
		})
	}
	asker, err := newAsker(f.inForce, c.out, c.log)
	if err != nil {
		return err
	}
	asker.with(c.tools.pool, c.tools.required, func() *ledger.Log { return c.tools.log })
	asker.adopt = func(s *gate.Share) error {
		for _, g := range c.gates {
			if err := g.Adopt(s); err != nil {
				return err
			}
		}
		return nil
	}
	loop.Asker = asker
	tick := time.NewTicker(c.length)
	defer tick.Stop()
	for first := true; c.epochs == 0 || *done < c.epochs; *done++ {
		if !first {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
		first = false
		if err := loop.Epoch(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *controller) planner(m *alloc.Member) *planner { return c.fleet.planner(m.Context.Switch) }

// Enter takes mastership of a switch. What an interrupted plan left there is recorded, and pending evictions are done.
func (c *controller) Enter(ctx context.Context, m *alloc.Member) error {
	p := c.planner(m)
	if now, err := p.work.evicted(); err != nil {
		return err
	} else if !slices.Equal(now, c.evicted) {
		return errTenants
	}
	id, err := nextElectionID(p.work.ledgerDir())
	if err != nil {
		return err
	}
	g, err := p.work.openGateAs(ctx, id, p.inForce, c.tools)
	if err != nil {
		return err
	}
	if p.reader == nil {
		if p.reader, err = device.Dial(p.work.target()); err != nil {
			g.Close()
			return err
		}
	}
	if c.doors[p.name()], err = p.work.letIn(ctx, c.out, g, c.tenants, p.name()); err != nil {
		g.Close()
		return err
	}
	c.gates[p.name()], m.Context.ElectionID = g, id
	m.Context.Refused = func() alloc.Refused { return forPlans(g.Refused()) }
	c.metrics.add(g)
	c.log.Info("takes part", "switch", p.name(), "election", id)
	fmt.Fprintf(c.out, "switch %s takes part\n", p.name())
	return nil
}

// Leave gives a switch up. If another controller has it, that may be an eviction, which needs the ledger: it is let go of for a moment.
func (c *controller) Leave(m *alloc.Member, why error) ([]network.Holding, error) {
	if errors.Is(why, errTenants) {
		return nil, why
	}
	p := c.planner(m)
	if g := c.gates[p.name()]; g != nil {
		c.doors[p.name()].close()
		g.Close()
		delete(c.gates, p.name())
		c.metrics.remove(g)
		if errors.Is(why, device.ErrNotPrimary) {
			if err := c.yield(); err != nil {
				return nil, err
			}
		}
	}
	if err := c.tools.log.Publish(); err != nil {
		return nil, exitWith(exitEnvironment, err)
	}
	held, err := p.work.held()
	if err != nil {
		return nil, err
	}
	c.log.Warn("is out: its memory is quarantined, and the others go on", "switch", p.name(), "err", why)
	fmt.Fprintf(c.out, "switch %s is out: %v\n  what its tenants may have there counts against their ceilings until it comes back\n", p.name(), why)
	return held, nil
}

// yieldFor is how long the ledger is free for whoever wants it.
const yieldFor = 300 * time.Millisecond

func (c *controller) yield() error {
	if err := c.tools.log.Close(); err != nil && !errors.Is(err, ledger.ErrDisk) {
		return exitWith(exitEnvironment, err)
	}
	time.Sleep(yieldFor)
	log, err := c.fleet.planners[0].work.takeLedger(context.Background())
	if err != nil {
		return err
	}
	c.tools.log = log
	for _, g := range c.gates {
		g.UseLedger(log)
	}
	return nil
}

// memberSwitch reads a switch for the loop, as long as its gate has mastership.
type memberSwitch struct {
	c *controller
	*loopSwitch
}

func (s *memberSwitch) PageTables(ctx context.Context) ([]byte, error) {
	if err := s.c.gates[s.p.name()].Lost(); err != nil {
		return nil, err
	}
	return s.loopSwitch.PageTables(ctx)
}

// ProveNetwork proves a network plan and each of its plans.
func (c *controller) ProveNetwork(ctx context.Context, in *network.Input) (alloc.NetworkProof, error) {
	proofs, err := c.tools.proveNetwork(ctx, c.encoder, in)
	return &networkProof{c, in, proofs}, err
}

type networkProof struct {
	c      *controller
	in     *network.Input
	proofs gate.Proofs
}

func (p *networkProof) Refused() map[string]string {
	out := map[string]string{}
	for name, one := range p.proofs.Plans {
		if err := one.Certificate.Proved(); err != nil {
			out[name] = err.Error()
		}
	}
	return out
}

func (p *networkProof) Verdict() verify.Verdict { return verdict(p.proofs.Network.Certificate) }

func (p *networkProof) Reason() string {
	if err := p.proofs.Network.Certificate.Proved(); err != nil {
		return err.Error()
	}
	return ""
}

// Apply is not stopped by an interrupt: a plan that has begun is finished.
func (p *networkProof) Apply(ctx context.Context) (map[string]alloc.AppliedOn, error) {
	ctx = context.WithoutCancel(ctx)
	c := p.c
	terms := gate.Terms{Site: c.fleet.site(), Share: c.fleet.inForce.share}
	var gates []*gate.Gate
	for _, x := range c.fleet.planners {
		if g := c.gates[x.name()]; g != nil {
			gates = append(gates, g)
			continue
		}
		held, err := x.work.held()
		if err != nil {
			return nil, err
		}
		terms.Absent = append(terms.Absent, network.Absent{Switch: x.name(), Holds: held})
	}
	together := gate.NewNetwork(terms, gates...)
	begun := time.Now()
	clearance, err := together.ClearProved(ctx, p.in, p.proofs)
	if err != nil {
		return nil, err
	}
	published := time.Since(begun)
	results, err := together.Apply(ctx, clearance)
	out := map[string]alloc.AppliedOn{}
	for _, r := range results {
		if r.Outcome == nil && r.Err == nil {
			continue
		}
		a := alloc.AppliedOn{Err: forLoop(r.Err), Elsewhere: errors.Is(r.Err, gate.ErrElsewhere)}
		if a.Publish = published; r.Outcome != nil {
			a.Write, a.PostState = r.Outcome.Writes, r.Outcome.PageTables
		}
		if one := clearance.Plan(r.Switch); one != nil {
			a.Entry = uint64(one.Decision())
		}
		out[r.Switch] = a
	}
	return out, err
}

// gateMetrics are those of the gates that are open: they come and go.
type gateMetrics struct {
	mu    sync.Mutex
	gates []*gate.Gate
}

func (m *gateMetrics) add(g *gate.Gate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gates = append(m.gates, g)
}

func (m *gateMetrics) remove(g *gate.Gate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gates = slices.DeleteFunc(m.gates, func(x *gate.Gate) bool { return x == g })
}

// Describe says nothing: what is collected changes.
func (*gateMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect sends every gate's metrics as they are now.
func (m *gateMetrics) Collect(to chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range m.gates {
		g.Collector().Collect(to)
	}
}
