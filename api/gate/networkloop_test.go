package gate_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
)

// loopRig runs a network loop over a fabric: it is the loop's roster and prover.
type loopRig struct {
	*fabric
	loop  *alloc.NetworkLoop
	gates map[string]*gate.Gate
	count int64
	left  []string
	dead  string // the switch that does not answer
	// proved is what was to be proved so far; spoil, if it is set, changes it before.
	proved []*network.Input
	spoil  func(*network.Input)
}

func (x *loopRig) rig(name string) *rig {
	for _, r := range x.rigs {
		if r.name == name {
			return r
		}
	}
	return nil
}

func (x *loopRig) Enter(ctx context.Context, m *alloc.Member) error {
	r := x.rig(m.Context.Switch)
	if x.dead == r.name {
		return errors.New("no answer")
	}
	r.election++
	g, err := r.open(ctx, r.config(), r.election)
	if err != nil {
		return err
	}
	m.Context.ElectionID, x.gates[r.name] = r.election, g
	g.Remember(r.refusalsNow())
	m.Context.Refused = func() alloc.Refused { return refusedSlots(g.Refused()) }
	_, err = g.Recover(ctx, r.lastState(), -1)
	return err
}

func (x *loopRig) Leave(m *alloc.Member, _ error) ([]network.Holding, error) {
	x.left = append(x.left, m.Context.Switch)
	if g := x.gates[m.Context.Switch]; g != nil {
		g.Close()
		delete(x.gates, m.Context.Switch)
	}
	return x.holds(), nil
}

// holds is what tenants may have on a switch that is out: here, all that they may have anywhere.
func (x *loopRig) holds() []network.Holding {
	return []network.Holding{{VID: 10, Slots: 32}, {VID: 20, Slots: 32}}
}

func (x *loopRig) ProveNetwork(_ context.Context, in *network.Input) (alloc.NetworkProof, error) {
	if x.spoil != nil {
		x.spoil(in)
	}
	x.proved = append(x.proved, in)
	return &loopRigProof{x, in, x.prove(in)}, nil
}

type loopRigProof struct {
	x      *loopRig
	in     *network.Input
	proofs gate.Proofs
}

func (p *loopRigProof) Refused() map[string]string { return nil }
func (p *loopRigProof) Reason() string             { return "" }

func (p *loopRigProof) Verdict() verify.Verdict {
	if p.proofs.Network.Certificate.Proved() != nil {
		return verify.Refuted
	}
	return verify.Proved
}

func (p *loopRigProof) Apply(ctx context.Context) (map[string]alloc.AppliedOn, error) {
	terms := gate.Terms{Site: "fabric", Share: p.x.rigs[0].share()}
	var gates []*gate.Gate
	for _, r := range p.x.rigs {
		if g := p.x.gates[r.name]; g != nil {
			gates = append(gates, g)
		} else {
			terms.Absent = append(terms.Absent, network.Absent{Switch: r.name, Holds: p.x.holds()})
		}
	}
	n := gate.NewNetwork(terms, gates...)
	c, err := n.ClearProved(ctx, p.in, p.proofs)
	if err != nil {
		return nil, err
	}
	results, err := n.Apply(ctx, c)
	out := map[string]alloc.AppliedOn{}
	for _, r := range results {
		if r.Outcome != nil {
			a := alloc.AppliedOn{Err: r.Err, Elsewhere: errors.Is(r.Err, gate.ErrElsewhere)}
			if errors.Is(r.Err, gate.ErrScrub) {
				a.Err = fmt.Errorf("%w: %w", alloc.ErrScrub, r.Err)
			}
			a.PostState = r.Outcome.PageTables
			out[r.Switch] = a
		}
	}
	return out, err
}

// rigSwitch reads page tables, and makes counters up: everybody lacks memory.
type rigSwitch struct {
	x *loopRig
	r *rig
}

func (s *rigSwitch) PageTables(ctx context.Context) ([]byte, error) {
	if err := s.x.gates[s.r.name].Lost(); err != nil {
		return nil, err
	}
	if s.x.dead == s.r.name {
		return nil, errors.New("no answer")
	}
	b, _ := s.r.state()
	return b, nil
}

func (s *rigSwitch) Counters(context.Context) (map[uint16]alloc.Reading, error) {
	s.x.count += 100
	one := alloc.Reading{Packets: s.x.count, Hits: s.x.count / 2}
	return map[uint16]alloc.Reading{10: one, 20: one}, nil
}

// newLoopRig is a loop over two switches with two tenants who want more than there is.
func newLoopRig(t *testing.T) *loopRig {
	t.Helper()
	f := newFabric(t)
	x := &loopRig{fabric: f, gates: map[string]*gate.Gate{}}
	f.ceilings = []network.Ceiling{{VID: 10, Slots: 80}, {VID: 20, Slots: 80}}
	x.loop = &alloc.NetworkLoop{
		Site: "fabric", Ceilings: f.ceilings, Strategy: alloc.NetVRM{Estimator: alloc.DefaultEstimator}, Roster: x, Prover: x, Now: time.Now,
	}
	var who []alloc.Tenant
	var bounds []alloc.Bound
	for _, v := range tenants[:2] {
		l, err := alloc.NewLadder([]alloc.Register{{Array: alloc.Array{Control: "ingress"}, Min: 4, Max: 24, Elastic: true}})
		if err != nil {
			t.Fatal(err)
		}
		who = append(who, alloc.Tenant{Name: v.Name, VID: v.VID, Weight: 1, Target: 0.9, Ladder: l})
		bounds = append(bounds, alloc.Bound{Share: 1, Ceiling: len(l.Rungs) - 1})
	}
	limits := map[string][]plan.Limit{}
	for _, r := range f.rigs {
		limits[r.name] = alloc.Limits(who, bounds)
	}
	a := admission(t, tenants[:2], limits, f.ceilings)
	for r := range a.Capacity {
		a.Capacity[r] = 48
	}
	x.loop.Policy = string(digestOf(t, a))
	for _, r := range f.rigs {
		r.admission = a
		c := r.context(0)
		c.Limits = limits[r.name]
		x.loop.Members = append(x.loop.Members, &alloc.Member{Context: c, Tenants: who, Bounds: bounds, Switch: &rigSwitch{x, r}})
	}
	t.Cleanup(func() {
		for _, g := range x.gates {
			g.Close()
		}
	})
	return x
}

// Each switch's plan follows on the one before it there; and a loop that names another gets nowhere.
func TestNetworkLoopFollows(t *testing.T) {
	x := newLoopRig(t)
	last := map[string]verify.Digest{}
	x.spoil = func(in *network.Input) {
		for _, p := range in.Plans {
			if p.Previous != last[p.Switch] && len(p.Steps) > 0 {
				t.Errorf("plan %d of %s follows on %q, not on %q", len(x.proved), p.Switch, p.Previous, last[p.Switch])
			}
			if len(p.Steps) > 0 {
				s, err := p.Subject()
				if err != nil {
					t.Fatal(err)
				}
				last[p.Switch] = s.Digest()
			}
		}
	}
	for range 8 {
		if err := x.loop.Epoch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	following := 0
	for _, in := range x.proved {
		for _, p := range in.Plans {
			if p.Previous != "" {
				following++
			}
		}
	}
	if following == 0 {
		t.Errorf("none of %d network plans follows on another", len(x.proved))
	}
	x.spoil = func(in *network.Input) {
		for _, p := range in.Plans {
			if len(p.Steps) > 0 {
				p.Previous = verify.DigestOf(nil)
			}
		}
	}
	for _, m := range x.loop.Members {
		m.Bounds[1].Ceiling = 1 // there is something to be done
	}
	if err := x.loop.Epoch(t.Context()); !errors.Is(err, gate.ErrStale) {
		t.Errorf("after another plan: %v", err)
	}
	for _, r := range x.rigs {
		r.mustBeSafe()
	}
}

// A switch dies; the loop goes on with the other, and takes it back when it is there again, empty.
func TestNetworkLoop(t *testing.T) {
	x := newLoopRig(t)
	f := x.fabric
	var records []*alloc.Epoch
	x.loop.Record = func(e *alloc.Epoch) error { records = append(records, e); return nil }
	epochs := func(n int) {
		t.Helper()
		for range n {
			if err := x.loop.Epoch(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	epochs(3)
	for _, r := range f.rigs {
		if r.slots(10) < 16 || r.slots(20) < 16 {
			t.Errorf("%s: %d and %d slots", r.name, r.slots(10), r.slots(20))
		}
	}
	second := f.rigs[1]
	second.stop()
	x.dead = second.name
	records = nil
	epochs(2)
	if len(x.left) == 0 || x.left[0] != "s2" || x.loop.Members[1].Out() == nil || len(records) != 2 || records[1].Switch != "s1" {
		t.Errorf("left: %v, %d records", x.left, len(records))
	}
	second.boot()
	x.dead = ""
	second.install()
	epochs(alloc.RetryEpochs + 2)
	if x.loop.Members[1].Out() != nil || second.slots(10) < 4 || second.slots(20) < 4 {
		t.Errorf("s2 is not back: %v, %d and %d slots", x.loop.Members[1].Out(), second.slots(10), second.slots(20))
	}
	for _, r := range f.rigs {
		r.mustBeSafe()
	}
	for _, e := range records {
		if e.Error != "" {
			t.Errorf("%s, epoch %d: %s", e.Switch, e.Number, e.Error)
		}
	}
}

// One of two switches has slots that cannot be written. It stays in; they are quarantined, and the loop does without them; when a controller
// takes mastership again, they are tried again.
func TestNetworkLoopQuarantine(t *testing.T) {
	x := newLoopRig(t)
	bad := x.rigs[0]
	cells := &badCells{bad: map[cell]bool{{0, 3}: true, {0, 20}: true, {0, 21}: true}}
	bad.faults.set(nil, cells.refuse, nil)
	for n := range 12 {
		if err := x.loop.Epoch(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, tables := bad.state()
		if cells.has(tables) {
			t.Errorf("epoch %d: somebody has a bad slot", n)
		}
	}
	if got := inQuarantine(bad.refusalsNow()); !maps.Equal(got, cells.bad) || cells.hits != 2*len(cells.bad) || len(x.left) > 0 {
		t.Errorf("in quarantine: %v, after %d refusals; out: %v", got, cells.hits, x.left)
	}
	if bad.slots(10) < 8 || bad.slots(20) < 8 {
		t.Errorf("%d and %d slots", bad.slots(10), bad.slots(20))
	}
	bad.faults.set(nil, nil, nil)
	x.gates[bad.name].Close()
	bad.election++
	bad.outsider(bad.election).cancel()
	for range alloc.RetryEpochs + 4 {
		if err := x.loop.Epoch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := bad.refusalsNow().All(); len(got) > 0 || len(x.left) != 1 {
		t.Errorf("in quarantine: %v; out: %v", got, x.left)
	}
	bad.mustBeSafe()
}
