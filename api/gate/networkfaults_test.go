package gate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/plan/model"
)

// holdings are what tenants have on each switch by the reference models, and the most that they may have together. They are looked at after
// every update that any switch carries out, whoever sent it.
type holdings struct {
	mu      sync.Mutex
	slots   [2]map[uint16]int64
	most    map[uint16]int64 // nil: nobody is asked to keep to anything
	wrong   []string
	updates int
}

// note takes a switch's page tables in.
func (h *holdings) note(i int, tables model.Tables) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.slots[i] = map[uint16]int64{}
	for k, e := range tables {
		for _, x := range e {
			h.slots[i][uint16(k.VID)] += x.Size
		}
	}
	h.updates++
	for v, most := range h.most {
		if n := h.slots[0][v] + h.slots[1][v]; n > most {
			h.wrong = append(h.wrong, fmt.Sprintf("VID %d has %d slots on s1 and %d on s2, and may have %d over the network", v, h.slots[0][v], h.slots[1][v], most))
		}
	}
}

// allow sets what each tenant may have from now on: as much as it has or is to have, whichever is more.
func (h *holdings) allow(most map[uint16]int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.most = most
}

func (h *holdings) total(v uint16) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.slots[0][v] + h.slots[1][v]
}

// networkCampaign is two switches that go from one random pair of layouts to the next, with faults on one of them at a time.
type networkCampaign struct {
	t         testing.TB
	cs        [2]*campaign
	held      *holdings
	rnd       *rand.Rand
	counts    *counts
	wentAlone int // how often one went on without the other
}

func newNetworkCampaign(t *testing.T, seed uint64) *networkCampaign {
	n := &networkCampaign{t: t, held: &holdings{slots: [2]map[uint16]int64{{}, {}}}, rnd: rand.New(rand.NewPCG(seed, 9)), counts: newCounts(t, nil)}
	n.cs[0] = newCampaign(t, seed)
	other := newSwitch(t, "s2", "testdata/slots.p4")
	other.log, other.dir = n.cs[0].log, n.cs[0].dir
	n.cs[1] = campaignOn(other, seed+1<<32)
	for i, c := range n.cs {
		c.w.changed = func(tables model.Tables) { n.held.note(i, tables) }
	}
	return n
}

// Faults on one of two switches in the middle of network plans. Whatever happens to one, the reference models find nothing unsafe on either; no
// tenant ever has more over both than it had or was to have; the other switch ends in a state that it can go on from, and does, while the one
// that failed is still out; and that one comes back.
func TestNetworkFaults(t *testing.T) {
	kinds, want := kindsOf((*fault).inNetworks), max(*faultN/10, 10)
	t.Logf("seed %d, %d faults", *seed, want)
	total, updates, alone := newCounts(t, kinds), 0, 0
	for s := *seed; total.injected < want; s++ {
		ok := t.Run(fmt.Sprintf("seed %d", s), func(t *testing.T) {
			n := newNetworkCampaign(t, s)
			for n.counts.injected < min(perCampaign, want-total.injected) {
				n.reallocate(kinds)
			}
			for _, c := range n.cs {
				c.audit()
			}
			total.join(n.counts)
			updates, alone = updates+n.held.updates, alone+n.wentAlone
		})
		if !ok {
			t.Fatalf("run it again with -seed %d -run TestNetworkFaults -faults %d", s, perCampaign*10)
		}
	}
	total.report(fmt.Sprintf("%d updates after which the network was looked at; %d plans for one switch while the other was out", updates, alone))
}

// reallocate goes to random layouts under a fault, goes on with the other switch alone, heals the victim, and goes on with both.
func (n *networkCampaign) reallocate(kinds []*fault) {
	victim := n.rnd.IntN(2)
	f := kinds[n.rnd.IntN(len(kinds))]
	if outcome := n.attempt(victim, f); outcome == "nothing happened" {
		return
	}
	n.alone(1-victim, victim)
	n.cs[victim].heal()
	n.check(f.name)
	if outcome := n.attempt(-1, &noFault); outcome != "applied" && outcome != "nothing to do" {
		n.t.Fatalf("no recovery from %q: %s", f.name, outcome)
	}
	n.check("recovery from " + f.name)
}

// open takes mastership of a switch, and has what is there recorded.
func (n *networkCampaign) open(c *campaign, conf gate.Config) *gate.Gate {
	n.t.Helper()
	n.cs[0].election = max(n.cs[0].election, n.cs[1].election) + 1
	c.election = n.cs[0].election
	c.w.expectNothing()
	g, err := gate.Open(n.t.Context(), conf, c.election)
	if err != nil {
		n.t.Fatal(err)
	}
	if _, err := g.Recover(n.t.Context(), c.lastState(), -1); err != nil {
		n.t.Fatal(err)
	}
	return g
}

// attempt carries out a network plan for both switches; the fault is the victim's.
func (n *networkCampaign) attempt(victim int, f *fault) string {
	var gates [2]*gate.Gate
	var want [2]layout
	for i, c := range n.cs {
		conf := c.config()
		if i == victim {
			conf.Patience = f.patience
		}
		gates[i] = n.open(c, conf)
		defer gates[i].Close()
		want[i] = randomLayout(n.rnd)
	}
	in, terms := n.plan(gates[:], want[:], nil)
	if in == nil {
		return "nothing to do"
	}
	network := gate.NewNetwork(terms, gates[:]...)
	clearance := n.clear(network, in)
	a := &attempt{kind: f, release: make(chan struct{}), cancel: func() {}}
	if victim >= 0 {
		c := n.cs[victim]
		a.g, a.in, a.before = gates[victim], in.Plan(c.name), len(c.w.sent)
		if len(a.in.Steps) == 0 {
			return "nothing happened"
		}
		a.ctx = n.t.Context()
		f.arm(c, a)
	}
	var results []gate.Result
	var err error
	n.cs[0].x.during(func() {
		n.cs[1].x.during(func() { results, err = network.Apply(n.t.Context(), clearance) })
	})
	for i, c := range n.cs {
		if r := results[i]; r.Err == nil && r.Outcome != nil {
			c.w.finished()
			c.acked[r.Outcome.Entry] = "apply"
		}
	}
	if victim < 0 {
		if err != nil {
			n.t.Fatalf("without a fault: %v", err)
		}
		return "applied"
	}
	c, other := n.cs[victim], results[1-victim]
	if other.Err != nil && !errors.Is(other.Err, gate.ErrElsewhere) {
		n.t.Fatalf("%s on %s: the other switch: %v", f.name, c.name, other.Err)
	}
	if f.after != nil {
		f.after(c, a)
	}
	close(a.release)
	a.held.Wait()
	if a.fired.Load() == 0 {
		c.heal()
		n.check(f.name)
		return "nothing happened"
	}
	if f.fatal && results[victim].Err == nil {
		n.t.Fatalf("%s on %s: nothing failed", f.name, c.name)
	}
	outcome := "the other gave"
	switch {
	case other.Outcome == nil:
		outcome = "the other had nothing to do"
	case errors.Is(other.Err, gate.ErrElsewhere):
		outcome = "the other took and stopped"
	}
	n.counts.add(f, outcome)
	return outcome
}

// plan is the network plan to layouts; what is absent is counted.
func (n *networkCampaign) plan(gates []*gate.Gate, want []layout, absent []network.Absent) (*network.Input, gate.Terms) {
	n.t.Helper()
	net := &alloc.Network{Site: "fabric", Absent: absent}
	plans := make([]*plan.Input, len(gates))
	after, most := map[uint16]int64{}, map[uint16]int64{}
	for _, a := range absent {
		for _, h := range a.Holds {
			after[h.VID] += h.Slots
		}
	}
	something := false
	for i := range gates {
		for v, es := range want[i] {
			after[v] += es[0].Size + es[1].Size
		}
	}
	for _, x := range tenants {
		most[x.VID] = max(n.held.total(x.VID), after[x.VID])
		net.Ceilings = append(net.Ceilings, network.Ceiling{VID: x.VID, Slots: most[x.VID]})
	}
	f := &fabric{rigs: [2]*rig{n.cs[0].rig, n.cs[1].rig}, ceilings: net.Ceilings}
	terms := f.terms()
	terms.Absent, net.Policy = absent, terms.Share.Policy()
	for _, g := range gates {
		if err := g.Adopt(terms.Share); err != nil {
			n.t.Fatal(err)
		}
	}
	for i, g := range gates {
		c := n.cs[0]
		for _, x := range n.cs {
			if x.election == g.ElectionID() {
				c = x
			}
		}
		pre, tables := c.state()
		ctx := c.context(g.ElectionID())
		net.Stations = append(net.Stations, &alloc.Station{Context: ctx, State: pre})
		var err error
		if plans[i], err = ctx.Build(pre, c.goal(tables, want[i]), false); err != nil {
			n.t.Fatal(err)
		}
		something = something || plans[i] != nil
	}
	if !something {
		return nil, gate.Terms{}
	}
	n.held.allow(most)
	in, err := net.Assemble(plans)
	if err != nil {
		n.t.Fatal(err)
	}
	return in, terms
}

// clear proves a network plan, has it cleared, and tells the models what to expect.
func (n *networkCampaign) clear(network *gate.Network, in *network.Input) *gate.NetworkClearance {
	n.t.Helper()
	f := &fabric{rigs: [2]*rig{n.cs[0].rig, n.cs[1].rig}}
	clearance, err := network.ClearProved(n.t.Context(), in, f.prove(in))
	if err != nil {
		n.t.Fatal(err)
	}
	n.cs[0].acked[clearance.Decision()] = "network"
	for _, c := range n.cs {
		one := in.Plan(c.name)
		if one == nil || len(one.Steps) == 0 {
			continue
		}
		c.acked[clearance.Plan(c.name).Decision()] = "plan"
		if err := c.w.expect(one); err != nil {
			n.t.Fatalf("the model refuses a plan that was cleared: %v", err)
		}
	}
	return clearance
}

// alone goes on with one switch while the other is out: what it may have is what its model says, or what its plan was to give.
func (n *networkCampaign) alone(i, victim int) {
	c := n.cs[i]
	g := n.open(c, c.config())
	defer g.Close()
	out := network.Absent{Switch: n.cs[victim].name}
	n.held.mu.Lock()
	for _, x := range tenants {
		out.Holds = append(out.Holds, network.Holding{VID: x.VID, Slots: n.held.slots[victim][x.VID]})
	}
	n.held.mu.Unlock()
	in, terms := n.plan([]*gate.Gate{g}, []layout{randomLayout(n.rnd)}, []network.Absent{out})
	if in == nil {
		return
	}
	network := gate.NewNetwork(terms, g)
	clearance := n.clear(network, in)
	var results []gate.Result
	var err error
	ctx, cancel := context.WithTimeout(n.t.Context(), time.Minute)
	defer cancel()
	c.x.during(func() { results, err = network.Apply(ctx, clearance) })
	if err != nil {
		n.t.Fatalf("going on with %s alone: %v", c.name, err)
	}
	c.w.finished()
	c.acked[results[0].Outcome.Entry] = "apply"
	n.wentAlone++
}

// check holds both switches against their models, and the network against what it may have.
func (n *networkCampaign) check(after string) {
	n.t.Helper()
	for _, c := range n.cs {
		c.check(after)
	}
	n.held.mu.Lock()
	defer n.held.mu.Unlock()
	if len(n.held.wrong) > 0 {
		n.t.Fatalf("after %q: %s", after, strings.Join(n.held.wrong, "\n"))
	}
}

// The network's invariant is looked at: a network plan whose switches give and take side by side breaks it.
func TestNetworkHoldingsCanary(t *testing.T) {
	n := newNetworkCampaign(t, 1)
	var gates [2]*gate.Gate
	for i, c := range n.cs {
		gates[i] = n.open(c, c.config())
		defer gates[i].Close()
	}
	in, terms := n.plan(gates[:], annLeft[:], nil)
	together := gate.NewNetwork(terms, gates[:]...)
	if _, err := together.Apply(t.Context(), n.clear(together, in)); err != nil {
		t.Fatal(err)
	}
	for i := range n.cs {
		n.cs[i].w.finished()
	}
	n.check("the first plan")
	in, _ = n.plan(gates[:], annRight[:], nil)
	for _, c := range []*campaign{n.cs[1], n.cs[0]} { // s2 gives before s1 takes
		one := in.Plan(c.name)
		if err := c.w.expect(one); err != nil {
			t.Fatal(err)
		}
		g := gates[slices.Index(n.cs[:], c)]
		if _, err := g.Apply(t.Context(), c.clear(g, one)); err != nil {
			t.Fatal(err)
		}
	}
	if len(n.held.wrong) == 0 {
		t.Error("nobody noticed")
	}
}
