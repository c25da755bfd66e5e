package alloc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/network"
)

// RetryEpochs is how many epochs pass between two attempts to bring back a switch that is out.
const RetryEpochs = 5

// A Member is one switch of a network loop.
type Member struct {
	Context *Context
	Tenants []Tenant
	Bounds  []Bound // in the order of Tenants
	Switch  Switch
	// LastState is the post-state of the last plan that the ledger says was applied; nil if there is none.
	LastState []byte

	loop  *Loop // what is known of its tenants' traffic
	out   error // why it is out; nil while it takes part
	held  []network.Holding
	retry int // the epoch in which it is tried again
}

// Out says why the switch takes no part, nil if it does.
func (m *Member) Out() error { return m.out }

// Roster brings switches in and out.
type Roster interface {
	// Enter makes the switch ready for plans: its Context has the election id of a new mastership, and what was pending is done.
	Enter(ctx context.Context, m *Member) error
	// Leave is told that a switch takes no part any more, and returns the most that its tenants may have there.
	Leave(m *Member, why error) ([]network.Holding, error)
}

// NetworkProver has network plans proved.
type NetworkProver interface {
	ProveNetwork(ctx context.Context, in *network.Input) (NetworkProof, error)
}

// NetworkProof is the outcome of proving one network plan.
type NetworkProof interface {
	// Refused says, by switch, whose own plan was not proved, and why.
	Refused() map[string]string
	// Verdict on what the plans do together.
	Verdict() verify.Verdict
	Reason() string
	// Apply sends the plans through the gates. It is called only if everything is proved, and once. It returns how that went on each
	// switch that was to change.
	Apply(ctx context.Context) (map[string]AppliedOn, error)
}

// AppliedOn says how the plan of one switch was applied.
type AppliedOn struct {
	Applied
	Err error // what stopped it
	// Elsewhere says that it was stopped because of another switch: nothing is wrong with this one.
	Elsewhere bool
}

// ErrNobody says that no switch is left to go on with.
var ErrNobody = errors.New("no switch takes part any more")

// NetworkLoop is the control loop for the switches of a site that has several: one decision over all of them, one network plan. A switch that
// fails is out, and the others go on without it, counting what its tenants may have there; now and then it is tried again, and comes back by
// a plan like any other, which starts from what is read from it. It is not safe for concurrent use.
type NetworkLoop struct {
	Site     string
	Ceilings []network.Ceiling
	Policy   string
	Strategy Strategy
	Members  []*Member
	Roster   Roster
	Prover   NetworkProver
	Asker    Asker // asked at every epoch; nil: what the policy said stays as it is
	Now      func() time.Time
	// Record is given every switch's record of every epoch in which it took part.
	Record func(*Epoch) error

	number  int
	starved map[uint16]int
}

// turn is one member's part in an epoch.
type turn struct {
	*Member
	e       *Epoch
	state   []byte
	tables  Tables
	samples []Sample
}

func (t *turn) recovers() bool { return t.e.Kind == Recovery }

// Epoch runs one epoch. An error ends the loop: no switch is left, the records cannot be written, or what plans do together is not proved.
func (l *NetworkLoop) Epoch(ctx context.Context) error {
	if l.starved == nil {
		l.starved = map[uint16]int{}
	}
	defer func() { l.number++ }()
	start := l.Now()
	turns, err := l.gather(ctx, start)
	if err != nil {
		return err
	}
	read := l.Now()
	err = l.decide(ctx, turns, read)
	for _, t := range turns {
		t.e.Total = l.Now().Sub(start)
		if t.out != nil {
			t.e.Error = t.out.Error()
		} else if err != nil {
			t.e.Error = err.Error()
		}
		if l.Record != nil {
			err = errors.Join(err, l.Record(t.e))
		}
	}
	return err
}

// gather brings back who can be, and reads everybody.
func (l *NetworkLoop) gather(ctx context.Context, start time.Time) ([]*turn, error) {
	var turns []*turn
	var gone []error
	for _, m := range l.Members {
		if m.loop == nil || m.out != nil && l.number >= m.retry {
			if err := l.Roster.Enter(ctx, m); err != nil {
				if err := l.leave(m, err); err != nil {
					return nil, err
				}
			} else {
				l.enter(m)
			}
		}
		if m.out != nil {
			gone = append(gone, m.out)
			continue
		}
		t := &turn{Member: m, e: &Epoch{Number: l.number, Switch: m.Context.Switch, Kind: Allocation, Start: start, Strategy: l.Strategy.Name()}}
		for _, n := range PartNames {
			t.e.Parts = append(t.e.Parts, Part{Name: n})
		}
		if err := t.read(ctx); err != nil {
			if err := l.leave(m, err); err != nil {
				return nil, err
			}
			gone = append(gone, m.out)
			continue
		}
		t.e.Parts[0].Time = l.Now().Sub(start)
		turns = append(turns, t)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(turns) == 0 {
		return nil, fmt.Errorf("epoch %d: %w: %w", l.number, ErrNobody, errors.Join(gone...))
	}
	return turns, nil
}

// enter starts a member afresh: what it holds is compared with what was left there, once.
func (l *NetworkLoop) enter(m *Member) {
	first := m.loop == nil
	m.loop = &Loop{Context: m.Context, Tenants: m.Tenants, Bounds: m.Bounds, Switch: m.Switch, before: map[uint16]Reading{}, starved: l.starved}
	m.loop.again = len(m.Context.refused(nil).Quarantined) > 0
	if first {
		m.loop.expected = m.LastState
	}
	m.out, m.held = nil, nil
}

// leave takes a member out.
func (l *NetworkLoop) leave(m *Member, why error) error {
	if m.loop == nil {
		m.loop = &Loop{}
	}
	m.out, m.retry = about(m.Context.Switch, why), l.number+RetryEpochs
	held, err := l.Roster.Leave(m, why)
	m.held = held
	return err
}

// about is an error with the switch's name.
func about(name string, err error) error { return fmt.Errorf("switch %s is out: %w", name, err) }

// read reads page tables and counters.
func (t *turn) read(ctx context.Context) error {
	var err error
	if t.state, err = t.Switch.PageTables(ctx); err != nil {
		return fmt.Errorf("read page tables: %w", err)
	}
	if t.tables, err = t.Context.Codec.Decode(t.state); err != nil {
		return err
	}
	if !bytes.Equal(t.state, t.loop.expected) {
		t.e.Kind, t.loop.fenced, t.loop.previous = Recovery, false, ""
	}
	t.loop.expected = t.state
	t.samples = make([]Sample, len(t.Tenants))
	if t.recovers() {
		for i := range t.samples {
			t.samples[i].Discarded = FirstOfAll
		}
		return nil
	}
	t.samples, err = t.loop.sample(ctx)
	return err
}

// decide allocates, plans, proves and applies.
func (l *NetworkLoop) decide(ctx context.Context, turns []*turn, since time.Time) error {
	watch := l.watch(turns, since)
	if err := l.ask(ctx, turns); err != nil {
		return err
	}
	watch("ask")
	n := &Network{Site: l.Site, Ceilings: l.Ceilings, Policy: l.Policy}
	for _, m := range l.Members {
		if m.out != nil {
			n.Absent = append(n.Absent, network.Absent{Switch: m.Context.Switch, Holds: m.held})
		}
	}
	for _, t := range turns {
		n.Stations = append(n.Stations, &Station{
			Context: t.Context, Tenants: t.Tenants, Bounds: t.Bounds, State: t.state, Fenced: t.loop.fenced, Previous: t.loop.previous,
			Sweep: t.recovers(), Again: t.loop.again,
		})
	}
	levels, estimates, err := l.allocate(n, turns)
	if err != nil {
		return err
	}
	watch("allocate")
	for i, t := range turns {
		t.loop.describe(t.e, t.samples, estimates[i], t.tables)
		t.loop.moved = nil
	}
	p, err := n.planFit(levels)
	var station *StationError
	if errors.As(err, &station) { // the others go on without it, from the next epoch
		i := slices.IndexFunc(turns, func(t *turn) bool { return t.Context.Switch == station.Switch })
		return l.leave(turns[i].Member, station.Err)
	} else if err != nil {
		return err
	}
	for i, t := range turns {
		t.loop.again = n.Stations[i].Again
	}
	watch("plan")
	if p == nil || p.Input == nil {
		return nil
	}
	return l.carryOut(ctx, turns, estimates, p, watch)
}

// ask asks the policy, and puts what it says into force for every switch, also for those that are out.
func (l *NetworkLoop) ask(ctx context.Context, turns []*turn) error {
	if l.Asker == nil {
		return nil
	}
	known := make([][]Measured, len(l.Members))
	for i, m := range l.Members {
		for _, t := range turns {
			if t.Member == m {
				known[i] = measured(t.tables, t.Tenants, t.samples)
			}
		}
	}
	a, err := l.Asker.Ask(ctx, known)
	if err != nil {
		return fmt.Errorf("ask the policy: %w", err)
	}
	l.Policy, l.Ceilings = a.Policy, a.Ceilings
	for i, m := range l.Members {
		m.Bounds = a.Bounds[i]
		m.Context.keepTo(a, m.Tenants, m.Bounds)
		if m.loop != nil {
			m.loop.Bounds, m.loop.answer = m.Bounds, a
		}
	}
	return nil
}

// watch returns what notes the time of a part of the epoch in everybody's record.
func (l *NetworkLoop) watch(turns []*turn, last time.Time) func(part string) {
	return func(part string) {
		now := l.Now()
		for _, t := range turns {
			t.e.add(part, now.Sub(last))
		}
		last = now
	}
}

// allocate chooses a level for every tenant of every station. A station that recovers keeps what is left there.
func (l *NetworkLoop) allocate(n *Network, turns []*turn) (levels [][]int, estimates [][]Estimate, err error) {
	p := &Problem{}
	index := map[string]int{} // of tenants
	var at [][]int            // by tenant of the problem: for each presence, its index in the station's tenants
	for i, t := range turns {
		one := t.loop.problem(t.tables, t.samples)
		p.Switches = append(p.Switches, one.Switches[0])
		for j, x := range one.Tenants {
			k, known := index[x.Name]
			if !known {
				k = len(p.Tenants)
				index[x.Name], at = k, append(at, nil)
				x.On, x.Most = nil, max(n.ceiling(t.Tenants[j].VID)-n.held(t.Tenants[j].VID), 1)
				p.Tenants = append(p.Tenants, x)
			}
			pr := one.Tenants[j].On[0]
			pr.Switch = i
			if t.recovers() && !pr.New {
				pr.Level = min(max(pr.Level, pr.Floor), pr.Ceiling)
				pr.Floor, pr.Share, pr.Ceiling = pr.Level, pr.Level, pr.Level
			}
			p.Tenants[k].On, at[k] = append(p.Tenants[k].On, pr), append(at[k], j)
		}
	}
	choices, err := l.Strategy.Allocate(p)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range turns {
		levels, estimates = append(levels, make([]int, len(t.Tenants))), append(estimates, make([]Estimate, len(t.Tenants)))
	}
	for k, x := range p.Tenants {
		if choices[k].Levels == nil {
			return nil, nil, fmt.Errorf("strategy %s leaves tenant %s out: %s", l.Strategy.Name(), x.Name, choices[k].Out)
		}
		var traffic []Traffic
		unknown := true
		for _, pr := range x.On {
			traffic = append(traffic, Traffic{pr.Packets, pr.Hits, pr.Ladder.Rungs[pr.Level].Memory})
			unknown = unknown && pr.Unknown
		}
		e := DefaultEstimator.Estimate(traffic, x.Target)
		for j, pr := range x.On {
			levels[pr.Switch][at[k][j]], estimates[pr.Switch][at[k][j]] = choices[k].Levels[j], e
		}
		switch vid := turns[x.On[0].Switch].Tenants[at[k][0]].VID; {
		case unknown:
		case e.Satisfied(x.Target) || choices[k].Granted:
			l.starved[vid] = 0
		default:
			l.starved[vid]++
		}
	}
	return levels, estimates, nil
}

// carryOut has a proposal proved and sent. A switch whose own plan is not proved, or that fails, is out.
func (l *NetworkLoop) carryOut(ctx context.Context, turns []*turn, estimates [][]Estimate, p *Proposal, watch func(string)) error {
	for i, t := range turns {
		in := p.Input.Plan(t.Context.Switch)
		if len(in.Steps) == 0 {
			continue
		}
		digest, err := Digest(in)
		if err != nil {
			return err
		}
		t.e.Plan = &PlanEpoch{Digest: digest, Steps: len(in.Steps)}
		for _, s := range in.Steps {
			t.e.Plan.Bytes += len(s.Bytes)
		}
		if p.Placed[i] != nil {
			for _, v := range p.Placed[i].Moved {
				t.e.Plan.Moved = append(t.e.Plan.Moved, t.Context.name(v))
			}
			for _, a := range p.Placed[i].Defragmented {
				t.e.Plan.Defragmented = append(t.e.Plan.Defragmented, a.String())
			}
		}
	}
	proof, err := l.Prover.ProveNetwork(ctx, p.Input)
	watch("prove")
	if err != nil {
		return fmt.Errorf("prove: %w", err)
	}
	refused := proof.Refused()
	for _, t := range turns {
		if t.e.Plan == nil {
			continue
		}
		t.e.Plan.Verdict = string(verify.Proved)
		if why, bad := refused[t.Context.Switch]; bad {
			t.e.Plan.Verdict, t.e.Plan.Reason = string(verify.Unknown), why
			if err := l.leave(t.Member, fmt.Errorf("%w: %s", ErrNotProved, why)); err != nil {
				return err
			}
		}
	}
	if len(refused) > 0 {
		return nil // the others are planned for anew
	}
	if proof.Verdict() != verify.Proved {
		return fmt.Errorf("%w: %s: %s", ErrNotProved, proof.Verdict(), proof.Reason())
	}
	for i, t := range turns {
		if t.e.Plan == nil {
			continue
		}
		// From here on the switch may hold anything that the plan passes through: nothing is expected until it is read back.
		t.loop.expected, t.loop.fenced, t.loop.previous = nil, false, ""
		if p.Placed[i] != nil {
			t.loop.moved = p.Placed[i].Moved
		}
	}
	done, err := proof.Apply(ctx)
	watch("write")
	for i, t := range turns {
		if t.e.Plan == nil {
			continue
		}
		d, sent := done[t.Context.Switch]
		switch {
		case !sent || d.Elsewhere: // it starts from what is read next time
			if d.Err != nil {
				t.e.Error = d.Err.Error()
			}
		case errors.Is(d.Err, ErrScrub): // it recovers in the next epoch
			t.e.Error = d.Err.Error()
		case d.Err != nil:
			if err := l.leave(t.Member, d.Err); err != nil {
				return err
			}
		default:
			t.e.Plan.Applied, t.e.Plan.Entry = true, &d.Entry
			t.loop.expected, t.loop.fenced, t.loop.previous = d.PostState, endsFenced(p.Input.Plan(t.Context.Switch)), t.e.Plan.Digest
			tables, err := t.Context.Codec.Decode(d.PostState)
			if err != nil {
				return err
			}
			t.loop.describe(t.e, t.samples, estimates[i], tables)
		}
	}
	if len(done) == 0 { // nothing was sent
		return err
	}
	return nil
}
