package alloc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
)

// Switch is what the loop reads.
type Switch interface {
	// Counters returns the readings of every tenant, by VID.
	Counters(ctx context.Context) (map[uint16]Reading, error)
	// PageTables returns all entries of all page tables, as a canonical serialised p4.v1.ReadResponse.
	PageTables(ctx context.Context) ([]byte, error)
}

// Prover has plans proved.
type Prover interface {
	Prove(ctx context.Context, in *plan.Input) (Proof, error)
}

// Proof is the outcome of proving one plan.
type Proof interface {
	Verdict() verify.Verdict
	// Reason says, for people, why the plan was not proved.
	Reason() string
	// Apply sends the plan through the gate. It is called only if the verdict is verify.Proved, and once.
	Apply(ctx context.Context) (Applied, error)
}

// Applied says how a plan was applied.
type Applied struct {
	Publish time.Duration // until its ledger entry was durable
	Write   time.Duration // the requests and fences
	// PostState is what was read back after the last step.
	PostState []byte
	Entry     uint64 // index of the plan's ledger entry
}

// ErrNotProved is wrapped by the error of an epoch whose plan was not proved; nothing was sent.
var ErrNotProved = errors.New("the plan was not proved")

// ErrScrub is wrapped by the error of an epoch whose plan was stopped because the switch did not scrub some slots. The next epoch recovers: it
// scrubs them again, or does without them (Context.Refused).
var ErrScrub = errors.New("slots are not scrubbed")

// Loop is the control loop for one switch. It is not safe for concurrent use.
type Loop struct {
	Context  *Context
	Strategy Strategy
	Tenants  []Tenant
	Bounds   []Bound // in the order of Tenants
	Asker    Asker   // asked at every epoch; nil: Bounds stay as they are
	Switch   Switch
	Prover   Prover
	Now      func() time.Time
	// Record is given every epoch, also one that failed.
	Record func(*Epoch) error
	// LastState is the post-state of the last plan that the ledger says was applied; nil if there is none. What is read back at the
	// start is compared with it.
	LastState []byte

	started  bool
	expected []byte // the page tables as this controller knows them
	fenced   bool   // it completed a fence after its last page-table write
	number   int
	before   map[uint16]Reading
	starved  map[uint16]int
	previous verify.Digest // of the last plan, if what it left is expected: the next one follows on it
	again    bool          // what was in quarantine at the start is to be tried again, when nothing else is to be done
	answer   *Answer       // the policy's last; nil: it was not asked yet
	moved    []uint16      // tenants that lost content in the last plan: their next sample tells about that, not about their size
}

// Run runs epochs until the context ends or an epoch fails, of something else than ErrScrub, or was the last; wait is called before each but the first, to let time pass. epochs 0 means
// without end.
func (l *Loop) Run(ctx context.Context, epochs int, wait func(context.Context) error) error {
	var failed error
	for n := 0; epochs == 0 || n < epochs; n++ {
		if n > 0 {
			if err := wait(ctx); err != nil {
				return err
			}
		}
		if _, failed = l.Epoch(ctx); failed != nil && !errors.Is(failed, ErrScrub) {
			return failed
		}
	}
	return failed
}

// Epoch runs one epoch. If the page tables are not what this controller left behind (it has just started, or a plan was applied in
// part, or somebody else wrote), a recovery comes first, as an epoch of its own. It returns the records, which Record got too.
func (l *Loop) Epoch(ctx context.Context) ([]*Epoch, error) {
	if len(l.Bounds) != len(l.Tenants) {
		return nil, fmt.Errorf("control loop: %d bounds for %d tenants", len(l.Bounds), len(l.Tenants))
	}
	if l.before == nil {
		l.before, l.starved = map[uint16]Reading{}, map[uint16]int{}
		l.again = len(l.Context.refused(nil).Quarantined) > 0
	}
	if !l.started {
		l.expected = l.LastState
	}
	var out []*Epoch
	state, err := l.Switch.PageTables(ctx)
	if err != nil {
		return nil, fmt.Errorf("epoch %d: read page tables: %w", l.number, err)
	}
	if !bytes.Equal(state, l.expected) {
		l.fenced, l.previous = false, ""
		e, err := l.epoch(ctx, Recovery, state)
		if e != nil {
			out = append(out, e)
		}
		if err != nil {
			return out, err
		}
	}
	l.started = true
	e, err := l.epoch(ctx, Allocation, nil)
	if e != nil {
		out = append(out, e)
	}
	return out, err
}

// stopwatch fills an epoch's parts.
type stopwatch struct {
	now  func() time.Time
	last time.Time
	e    *Epoch
}

func (s *stopwatch) lap(part string) {
	now := s.now()
	s.add(part, now.Sub(s.last))
	s.last = now
}

func (s *stopwatch) add(part string, d time.Duration) { s.e.add(part, d) }

// epoch runs one epoch or recovery and records it, whatever comes of it.
func (l *Loop) epoch(ctx context.Context, kind EpochKind, state []byte) (*Epoch, error) {
	start := l.Now()
	e := &Epoch{Number: l.number, Kind: kind, Start: start, Strategy: l.Strategy.Name()}
	for _, n := range PartNames {
		e.Parts = append(e.Parts, Part{Name: n})
	}
	err := l.attempt(ctx, e, &stopwatch{l.Now, start, e}, state)
	e.Total = l.Now().Sub(start)
	l.number++
	if err != nil {
		e.Error = err.Error()
		err = fmt.Errorf("epoch %d: %w", e.Number, err)
	}
	if l.Record != nil {
		err = errors.Join(err, l.Record(e))
	}
	return e, err
}

func (l *Loop) attempt(ctx context.Context, e *Epoch, watch *stopwatch, state []byte) error {
	var err error
	if state == nil {
		if state, err = l.Switch.PageTables(ctx); err != nil {
			return fmt.Errorf("read page tables: %w", err)
		}
	}
	tables, err := l.Context.Codec.Decode(state)
	if err != nil {
		return err
	}
	l.expected = state
	samples := make([]Sample, len(l.Tenants))
	if e.Kind == Allocation {
		if samples, err = l.sample(ctx); err != nil {
			return err
		}
	}
	watch.lap("read")
	problem := l.problem(tables, samples)
	estimates := make([]Estimate, len(l.Tenants))
	for i := range problem.Tenants {
		pr := &problem.Tenants[i].On[0]
		estimates[i] = DefaultEstimator.Estimate([]Traffic{{pr.Packets, pr.Hits, pr.Ladder.Rungs[pr.Level].Memory}}, l.Tenants[i].Target)
	}
	watch.lap("estimate")
	if l.Asker != nil && e.Kind == Allocation {
		if l.answer, err = l.Asker.Ask(ctx, [][]Measured{measured(tables, l.Tenants, samples)}); err != nil {
			return fmt.Errorf("ask the policy: %w", err)
		}
		l.Bounds = l.answer.Bounds[0]
		l.Context.keepTo(l.answer, l.Tenants, l.Bounds)
		problem = l.problem(tables, samples)
		watch.lap("ask")
	}
	levels, err := l.choose(e, problem, estimates)
	if err != nil {
		return err
	}
	watch.lap("allocate")
	if levels, err = l.Context.Fit(state, l.Tenants, l.Bounds, levels); err != nil {
		return err
	}
	in, placed, err := l.Context.toLevels(state, tables, l.Tenants, levels, l.fenced)
	if err == nil && in == nil && e.Kind == Recovery {
		in, err = l.Context.Sweep(state) // the extents are well as they are; what lies between them may not be
	}
	if err == nil && in == nil && l.again {
		l.again = false
		in, err = l.Context.Again(state)
	}
	if err != nil {
		return err
	}
	if in != nil {
		in.Previous = l.previous
	}
	watch.lap("plan")
	l.describe(e, samples, estimates, tables)
	l.moved = nil
	if in == nil {
		return nil
	}
	if err := l.apply(ctx, e, watch, in, placed); err != nil {
		return err
	}
	if tables, err = l.Context.Codec.Decode(l.expected); err != nil {
		return err
	}
	l.describe(e, samples, estimates, tables)
	return nil
}

// sample reads the counters and compares them with the epoch before.
func (l *Loop) sample(ctx context.Context) ([]Sample, error) {
	now, err := l.Switch.Counters(ctx)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	out := make([]Sample, len(l.Tenants))
	for i, t := range l.Tenants {
		after, ok := now[t.VID]
		if !ok {
			return nil, fmt.Errorf("read counters: none for tenant %s", t.Name)
		}
		if before, ok := l.before[t.VID]; ok {
			out[i] = Difference(before, after)
		} else {
			out[i] = Sample{Discarded: FirstOfAll}
		}
		l.before[t.VID] = after
	}
	return out, nil
}

// problem puts what is known before a strategy. Levels are those of the page tables.
func (l *Loop) problem(tables Tables, samples []Sample) *Problem {
	p := &Problem{Switches: []Capacity{l.Context.usable(tables)}}
	layout := tables.Layout()
	for i, t := range l.Tenants {
		sizes := map[Array]int64{}
		for a, x := range layout[t.VID] {
			sizes[a] = x.Size
		}
		b := l.Bounds[i]
		pr := Presence{
			Ladder: t.Ladder, Floor: b.Floor, Share: b.Share, Ceiling: b.Ceiling, Level: t.Ladder.Level(sizes),
			New: layout[t.VID] == nil, Packets: samples[i].Packets, Hits: samples[i].Hits,
			Unknown: samples[i].Discarded != "" || slices.Contains(l.moved, t.VID),
		}
		p.Tenants = append(p.Tenants, TenantState{Name: t.Name, Target: t.Target, Starved: l.starved[t.VID], On: []Presence{pr}})
	}
	return p
}

// choose decides levels. A recovery keeps everybody at the level that is left; an epoch asks the strategy.
func (l *Loop) choose(e *Epoch, p *Problem, estimates []Estimate) ([]int, error) {
	levels := make([]int, len(p.Tenants))
	if e.Kind == Recovery {
		r, all := newRoom(p), make([][]int, len(p.Tenants))
		for i := range p.Tenants {
			pr := &p.Tenants[i].On[0]
			all[i] = []int{min(max(pr.Level, pr.Floor), pr.Ceiling)}
			r.set(pr, -1, all[i][0])
		}
		if err := settle(p, r, all); err != nil {
			return nil, err
		}
		for i := range all {
			levels[i] = all[i][0]
		}
		return levels, nil
	}
	choices, err := l.Strategy.Allocate(p)
	if err != nil {
		return nil, err
	}
	for i, c := range choices {
		if c.Levels == nil {
			return nil, fmt.Errorf("strategy %s leaves tenant %s out: %s", l.Strategy.Name(), p.Tenants[i].Name, c.Out)
		}
		levels[i] = c.Levels[0]
		pr := &p.Tenants[i].On[0]
		switch vid := l.Tenants[i].VID; {
		case pr.Unknown:
		case estimates[i].Satisfied(l.Tenants[i].Target) || c.Granted:
			l.starved[vid] = 0
		default:
			l.starved[vid]++
		}
	}
	return levels, nil
}

// apply has the plan proved and sent.
func (l *Loop) apply(ctx context.Context, e *Epoch, watch *stopwatch, in *plan.Input, placed *Placement) error {
	digest, err := Digest(in)
	if err != nil {
		return err
	}
	e.Plan = &PlanEpoch{Digest: digest, Steps: len(in.Steps)}
	for _, s := range in.Steps {
		e.Plan.Bytes += len(s.Bytes)
	}
	for _, v := range placed.Moved {
		e.Plan.Moved = append(e.Plan.Moved, l.Context.name(v))
	}
	for _, a := range placed.Defragmented {
		e.Plan.Defragmented = append(e.Plan.Defragmented, a.String())
	}
	watch.lap("plan")
	proof, err := l.Prover.Prove(ctx, in)
	watch.lap("prove")
	if err != nil {
		return fmt.Errorf("prove: %w", err)
	}
	e.Plan.Verdict, e.Plan.Reason = string(proof.Verdict()), proof.Reason()
	if proof.Verdict() != verify.Proved {
		return fmt.Errorf("%w: %s: %s", ErrNotProved, e.Plan.Verdict, e.Plan.Reason)
	}
	// From here on the switch may hold anything that the plan passes through: nothing is expected until it is read back.
	l.expected, l.fenced, l.moved, l.previous = nil, false, placed.Moved, ""
	done, err := proof.Apply(ctx)
	watch.add("publish", done.Publish)
	watch.add("write", done.Write)
	watch.last = watch.now()
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	e.Plan.Applied, e.Plan.Entry = true, &done.Entry
	l.expected, l.fenced, l.previous = done.PostState, endsFenced(in), digest
	return nil
}

// endsFenced says whether a fence follows the last page-table write. Scrubs do not matter: they write no page table.
func endsFenced(in *plan.Input) bool {
	for _, s := range slices.Backward(in.Steps) {
		if in.Primitives.Fences(s) {
			return true
		}
		if s.Kind == plan.Write && !plan.ScrubsOnly(s.Bytes) {
			return false
		}
	}
	return false
}

// describe fills the tenants' records; extents are those of the tables.
func (l *Loop) describe(e *Epoch, samples []Sample, estimates []Estimate, tables Tables) {
	e.Tenants = e.Tenants[:0]
	for i, t := range l.Tenants {
		b := l.Bounds[i]
		r := TenantEpoch{
			Name: t.Name, VID: t.VID, Packets: samples[i].Packets, Hits: samples[i].Hits, Discarded: samples[i].Discarded,
			Target: t.Target, Satisfied: estimates[i].Satisfied(t.Target), Starved: l.starved[t.VID], Asked: int64(estimates[i].Under),
			Floor: b.Floor, Share: b.Share, Ceiling: b.Ceiling, Extents: []Placed{},
		}
		if estimates[i].Known {
			r.Utility = &estimates[i].Hit
		}
		sizes := map[Array]int64{}
		for _, reg := range t.Ladder.Registers {
			if entry := tables[Key{reg.Control, t.VID}]; entry != nil {
				m := entry[reg.Stage]
				sizes[reg.Array] = m.Size
				r.Extents = append(r.Extents, Placed{string(reg.Control), reg.Stage, m.Base, m.Size, m.Generation})
			}
		}
		r.Level = t.Ladder.Level(sizes)
		r.Memory = t.Ladder.Rungs[r.Level].Memory
		e.Tenants = append(e.Tenants, r)
	}
	e.noteAnswer(l.answer)
}
