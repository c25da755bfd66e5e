package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
)

// ErrElsewhere says that a switch was stopped before a round of a network plan, because another one has not come to the end of the round
// before. It is in a state that its own plan and the network's were proved safe in.
var ErrElsewhere = errors.New("stopped: another switch of the network plan failed")

// Terms are what a network plan has to keep to besides the terms of each switch's gate.
type Terms struct {
	Site  string
	Share *Share // what the policy lets tenants have on all switches
	// Absent are the switches of the site that have no gate here, with the most that tenants may have there.
	Absent []network.Absent
}

// A Network is the gates of several switches that carry out network plans together. Every gate has the same ledger.
type Network struct {
	terms Terms
	gates []*Gate
}

// NewNetwork puts gates together. There is at least one; the first one's solvers, clock and log are used for what concerns all.
func NewNetwork(terms Terms, gates ...*Gate) *Network { return &Network{terms, gates} }

// ProveNetwork builds a network plan's own obligations and has them decided; those of its plans are ProvePlan's.
func ProveNetwork(ctx context.Context, e *plan.Encoder, d verify.Decider, in *network.Input, required []string, now time.Time,
	progress func(done, total int),
) (*Proof, error) {
	s, err := in.Subject()
	if err != nil {
		return nil, err
	}
	obs, err := network.Obligations(in, e)
	if err != nil {
		return nil, err
	}
	cert, err := verify.Decide(ctx, d, s, network.EncoderVersion, obs, nil, required, now, progress)
	if err != nil {
		return nil, err
	}
	return newProof(cert, obs, s)
}

// A NetworkClearance allows one network plan to be carried out once.
type NetworkClearance struct {
	network  *Network
	plans    []*Clearance // by gate; nil where there is nothing to do
	in       *network.Input
	decision int64
}

// Decision is the index of the ledger entry that says what the plans do together is proved.
func (c *NetworkClearance) Decision() int64 { return c.decision }

// Plan is the clearance of a switch's own plan, or nil.
func (c *NetworkClearance) Plan(name string) *Clearance {
	for i, g := range c.network.gates {
		if g.conf.Target.Name == name {
			return c.plans[i]
		}
	}
	return nil
}

// Proofs are those of a network plan: its own, and those of the plans that have steps, by switch.
type Proofs struct {
	Network *Proof
	Plans   map[string]*Proof
}

// ClearProved mints a clearance from proofs made in this process, and publishes them, proved or not.
func (n *Network) ClearProved(ctx context.Context, in *network.Input, p Proofs) (*NetworkClearance, error) {
	return n.clear(ctx, in, func(g *Gate, one *plan.Input) (*Clearance, error) {
		if p.Plans[one.Switch] == nil {
			return nil, fmt.Errorf("%w: switch %s: no proof of its plan", verify.ErrUndecided, one.Switch)
		}
		return g.ClearProvedPlan(ctx, one, p.Plans[one.Switch])
	}, func(in *network.Input) (int64, error) { return n.publish(ctx, in, p.Network) })
}

// Certificates are those of a saved network plan.
type Certificates struct {
	Network *verify.Certificate            `json:"network"`
	Plans   map[string]*verify.Certificate `json:"plans"` // by switch, of those that have steps
}

// Clear mints a clearance for a saved network plan, in the way of Gate.ClearPlan.
func (n *Network) Clear(ctx context.Context, in *network.Input, certs *Certificates) (*NetworkClearance, error) {
	return n.clear(ctx, in, func(g *Gate, one *plan.Input) (*Clearance, error) {
		cert := certs.Plans[one.Switch]
		if cert == nil {
			return nil, fmt.Errorf("%w: switch %s: no certificate of its plan", verify.ErrUndecided, one.Switch)
		}
		c, _, err := g.ClearPlan(ctx, one, cert)
		return c, err
	}, func(in *network.Input) (int64, error) { return n.certified(ctx, in, certs.Network) })
}

func (n *Network) clear(ctx context.Context, in *network.Input, one func(*Gate, *plan.Input) (*Clearance, error),
	all func(*network.Input) (int64, error),
) (*NetworkClearance, error) {
	in = cloneNetwork(in)
	if err := n.forUs(in); err != nil {
		return nil, err
	}
	c := &NetworkClearance{network: n, in: in, plans: make([]*Clearance, len(n.gates))}
	for i, g := range n.gates {
		p := in.Plan(g.conf.Target.Name)
		if len(p.Steps) == 0 {
			if err := g.forUs(p); err != nil {
				return nil, err
			}
			continue
		}
		var err error
		if c.plans[i], err = one(g, p); err != nil {
			return nil, err
		}
	}
	var err error
	c.decision, err = all(in)
	if err != nil {
		n.gates[0].metrics.refusals.WithLabelValues(reason(err)).Inc()
		n.gates[0].log.Warn("network plan not cleared", "reason", reason(err), "err", err)
		return nil, err
	}
	return c, nil
}

func cloneNetwork(in *network.Input) *network.Input {
	c := *in
	c.Plans = slices.Clone(in.Plans)
	for i, p := range c.Plans {
		c.Plans[i] = clone(p)
	}
	c.Rounds = slices.Clone(in.Rounds)
	for i, r := range c.Rounds {
		c.Rounds[i] = slices.Clone(r)
	}
	c.Absent, c.Ceilings = slices.Clone(in.Absent), slices.Clone(in.Ceilings)
	for i, a := range c.Absent {
		c.Absent[i].Holds = slices.Clone(a.Holds)
	}
	return &c
}

// forUs checks that a network plan was made for this site's switches and policy.
func (n *Network) forUs(in *network.Input) error {
	if in.Site != n.terms.Site {
		return fmt.Errorf("%w: the network plan is for site %s", ErrTampered, in.Site)
	}
	if n.terms.Share == nil {
		return fmt.Errorf("%w: no decision says what the policy lets tenants have", verify.ErrUndecided)
	}
	if in.Policy != n.terms.Share.Policy() || !slices.Equal(in.Ceilings, n.terms.Share.Ceilings()) {
		return fmt.Errorf("%w: the network plan was made under another policy than the one in force, or within other ceilings", ErrTampered)
	}
	if !slices.EqualFunc(in.Absent, n.terms.Absent, func(a, b network.Absent) bool {
		return a.Switch == b.Switch && slices.Equal(a.Holds, b.Holds)
	}) {
		return fmt.Errorf("%w: the network plan supposes other switches to be out of reach, or to hold something else, than now", ErrStale)
	}
	if len(in.Rounds) == 0 {
		return errors.New("the network plan does nothing")
	}
	if len(in.Plans) != len(n.gates) {
		return fmt.Errorf("%w: the network plan is for %d switches, and %d are within reach", ErrStale, len(in.Plans), len(n.gates))
	}
	for _, g := range n.gates {
		if in.Plan(g.conf.Target.Name) == nil {
			return fmt.Errorf("%w: the network plan has no plan for switch %s", ErrStale, g.conf.Target.Name)
		}
	}
	return nil
}

// publish records a proof and wants it to be one.
func (n *Network) publish(ctx context.Context, in *network.Input, p *Proof) (int64, error) {
	s, err := in.Subject()
	if err != nil {
		return 0, err
	}
	if err := p.genuine(s, network.EncoderVersion); err != nil {
		return 0, err
	}
	g := n.gates[0]
	index, err := Record(ctx, g.ledger.Load(), p, ledger.Decision{Action: "network", Policy: in.Policy, Who: g.conf.Who, At: g.conf.Now().UTC()})
	if err != nil {
		return 0, err
	}
	if err := p.Certificate.Proved(); err != nil {
		return index, err
	}
	for _, solver := range g.conf.Required {
		if !slices.Contains(p.Certificate.Required, solver) {
			return index, fmt.Errorf("%w: solver %s was not required of this proof, and is here", verify.ErrUndecided, solver)
		}
	}
	return index, nil
}

// certified is publish for a saved plan: if the ledger has its certificate as proved, that is the proof; else it is decided again.
func (n *Network) certified(ctx context.Context, in *network.Input, cert *verify.Certificate) (int64, error) {
	s, err := in.Subject()
	if err != nil {
		return 0, err
	}
	if cert == nil {
		return 0, fmt.Errorf("%w: no certificate of the network plan", verify.ErrUndecided)
	}
	if err := certifies(cert, s); err != nil {
		return 0, err
	}
	g, e := n.gates[0], plan.NewEncoder(len(in.Plans))
	obs, err := network.Obligations(in, e)
	if err != nil {
		return 0, err
	}
	index, ok, err := g.loggedFor("", s, network.EncoderVersion, obs, cert)
	if err != nil || ok {
		return index, err
	}
	if g.conf.Decider == nil {
		return 0, fmt.Errorf("%w: the ledger does not say that the network plan is proved, and there is no solver here", verify.ErrUndecided)
	}
	p, err := ProveNetwork(ctx, e, g.conf.Decider, in, g.conf.Required, g.conf.Now(), nil)
	if err != nil {
		return 0, err
	}
	return n.publish(ctx, in, p)
}

// Result is what became of one switch's part of a network plan.
type Result struct {
	Switch  string
	Outcome *Outcome // nil if it had nothing to do
	Err     error
}

// Apply carries out a cleared network plan, round by round, all switches of a round at once. Each switch has its own outcome in the ledger.
// When one fails, the others finish the round, and no later round begins: what they have then was proved to be safe (N1 to N3), whatever the
// one that failed has or does. The error is about the whole; with it, results say what became of each switch.
func (n *Network) Apply(ctx context.Context, c *NetworkClearance) ([]Result, error) {
	results := make([]Result, len(n.gates))
	for i, g := range n.gates {
		results[i].Switch = g.conf.Target.Name
	}
	if c.network != n {
		return results, fmt.Errorf("%w: it was minted by others", ErrUsed)
	}
	for i, g := range n.gates { // nothing is sent to any switch if one has changed
		if err := g.stands(ctx, c.in.Plan(g.conf.Target.Name)); err != nil {
			results[i].Err = err
			return results, err
		}
	}
	b := newBarrier(c.in.Rounds)
	var wg sync.WaitGroup
	for i, g := range n.gates {
		one := c.plans[i]
		if one == nil {
			continue
		}
		name := g.conf.Target.Name
		one.turn = b.turns(name)
		wg.Go(func() {
			results[i].Outcome, results[i].Err = g.Apply(ctx, one)
			b.finish(name, results[i].Err)
		})
	}
	wg.Wait()
	var errs []error
	for _, r := range results {
		errs = append(errs, r.Err)
	}
	n.gates[0].log.Log(ctx, level(errors.Join(errs...)), "network plan", "decision", c.decision, "err", errors.Join(errs...))
	return results, errors.Join(errs...)
}

func level(err error) slog.Level {
	if err != nil {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// stands checks that a switch is as a plan found it.
func (g *Gate) stands(ctx context.Context, in *plan.Input) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.Lost(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, g.conf.Patience)
	defer cancel()
	o, err := g.observe(ctx)
	if err != nil {
		return err
	}
	return g.fresh(o, in)
}

// A barrier lets switches into a round when all of them have done the round before.
type barrier struct {
	mu     sync.Mutex
	rounds []network.Round
	// missing are the switches that have not done their part of a round; a round's channel is closed when it may begin.
	missing []map[string]bool
	open    []chan struct{}
	failed  chan struct{} // closed with why set
	why     error
}

func newBarrier(rounds []network.Round) *barrier {
	b := &barrier{rounds: rounds, failed: make(chan struct{})}
	for _, r := range rounds {
		names := map[string]bool{}
		for _, p := range r {
			names[p.Switch] = true
		}
		b.missing, b.open = append(b.missing, names), append(b.open, make(chan struct{}))
	}
	close(b.open[0])
	return b
}

// turns is called before each of a switch's steps, and after the last; it waits until that step's round may begin.
func (b *barrier) turns(name string) func(ctx context.Context, step int) error {
	return func(ctx context.Context, step int) error {
		first := 0
		for r, round := range b.rounds {
			i := slices.IndexFunc(round, func(p network.Part) bool { return p.Switch == name })
			if i < 0 {
				continue
			}
			if step >= first+round[i].Steps {
				b.done(r, name)
			} else {
				return b.wait(ctx, r)
			}
			first += round[i].Steps
		}
		return nil
	}
}

func (b *barrier) wait(ctx context.Context, r int) error {
	select {
	case <-b.open[r]:
		return nil
	default:
	}
	select {
	case <-b.open[r]:
		return nil
	case <-b.failed:
		return fmt.Errorf("%w, so round %d does not begin: %w", ErrElsewhere, r+1, b.why)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// done notes that a switch has done its part of a round.
func (b *barrier) done(r int, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.missing[r][name] {
		return
	}
	delete(b.missing[r], name)
	if len(b.missing[r]) == 0 && r+1 < len(b.open) {
		close(b.open[r+1])
	}
}

// finish notes how a switch's plan ended.
func (b *barrier) finish(name string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil && b.why == nil {
		b.why = fmt.Errorf("switch %s", name)
		close(b.failed)
	}
}
