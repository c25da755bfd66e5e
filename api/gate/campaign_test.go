package gate_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/plan"
)

// perCampaign is how many faults one switch with one ledger goes through.
const perCampaign = 50

// Faults at random moments of random reallocations, while the tenants' packets never stop. Whatever goes wrong, the reference model
// finds nothing unsafe in what the switch carried out, tenants find what they are owed, every request was published first, no entry is
// lost, and the next plan starts from what is there and reaches its goal.
func TestRandomFaults(t *testing.T) {
	kinds, want := kindsOf((*fault).inPlans), *faultN*8/10
	t.Logf("seed %d, %d faults", *seed, want)
	total := newCounts(t, kinds)
	packets, modelled, entries, recovered := 0, 0, 0, 0
	for s := *seed; total.injected < want; s++ {
		ok := t.Run(fmt.Sprintf("seed %d", s), func(t *testing.T) {
			c := newCampaign(t, s)
			for c.counts.injected < min(perCampaign, want-total.injected) {
				c.reallocate(kinds)
			}
			c.audit()
			total.join(c.counts)
			packets += c.x.packets
			modelled += c.w.packets
			entries += int(c.log.Size())
			recovered += c.recovered
		})
		if !ok {
			t.Fatalf("run it again with -seed %d -run TestRandomFaults -faults %d", s, perCampaign*10/8+1)
		}
	}
	total.report(fmt.Sprintf("%d packets through the switch and %d events of packets in the model; %d ledger entries; %d times the switch was not as the ledger said",
		packets, modelled, entries, recovered))
}

// A campaign is a switch that goes from one random layout to the next, with faults on the way.
type campaign struct {
	*rig
	w         *world
	x         *traffic
	rnd       *rand.Rand
	encoder   *plan.Encoder
	counts    *counts
	recovered int              // how often something else had to be recorded first
	acked     map[int64]string // entries that the gate said are in the ledger, and what they are
	dead      bool             // the switch has to be started again, empty
	down      bool             // it cannot be reached
	disk      bool             // the ledger's disk failed, or it was closed
	unsound   bool             // somebody else left it in a state that is not safe
}

func newCampaign(t *testing.T, seed uint64) *campaign {
	return campaignOn(newRig(t, "testdata/slots.p4"), seed)
}

func campaignOn(r *rig, seed uint64) *campaign {
	c := &campaign{
		rig: r, rnd: rand.New(rand.NewPCG(seed, 0)), encoder: plan.NewEncoder(1), counts: newCounts(r.t, nil), acked: map[int64]string{},
		x: &traffic{r: r, rnd: rand.New(rand.NewPCG(seed, 1)), wrote: map[place]written{}},
	}
	c.w = newWorld(seed, func() int64 { return c.log.Size() })
	r.faults.seen = c.w
	r.install()
	r.share() // while everything is well
	r.shareBy("z3", "second")
	return c
}

// An attempt is one try to bring the switch to a layout, under one fault.
type attempt struct {
	kind  *fault
	conf  gate.Config
	g     *gate.Gate
	in    *plan.Input
	proof *gate.Proof
	clear *gate.Clearance

	ctx     context.Context
	cancel  context.CancelFunc
	fired   atomic.Int64 // how often the fault happened
	release chan struct{}
	held    sync.WaitGroup // requests that wait for release
	seen    atomic.Int64   // write requests of this gate
	before  int            // requests that had reached the switch before
	stage   string         // how far it came
	want    layout         // nil: not one layout of one switch
	known   *gate.Refusals // of the ledger, before
	cells   *badCells      // that cannot be written; nil: none
	// build makes the plan; nil: one to want.
	build func(c *alloc.Context, pre []byte, tables alloc.Tables) (*plan.Input, error)
}

// fire counts the fault.
func (a *attempt) fire() { a.fired.Add(1) }

// reallocate goes to a random layout: a few attempts with a fault each, and then one without, which must succeed.
func (c *campaign) reallocate(kinds []*fault) {
	want := randomLayout(c.rnd)
	for range 1 + c.rnd.IntN(4) {
		c.attempt(kinds[c.rnd.IntN(len(kinds))], want)
	}
	if outcome := c.attempt(&noFault, want); outcome != "applied" && outcome != "nothing to do" {
		c.t.Fatalf("no recovery: %s", outcome)
	}
}

// heal brings back what a fault took away for good: the switch, its network, the disk.
func (c *campaign) heal() {
	c.faults.set(nil, nil, nil)
	c.faults.setCall(nil)
	if c.dead {
		c.stop()
		c.w.restarted()
		c.boot()
		c.rig.install()
		c.x.forget()
		c.dead, c.down = false, false
	}
	if c.down {
		c.serve()
		c.down = false
	}
	if !c.disk {
		return
	}
	c.disk = false
	size := c.log.Size()
	if err := c.log.Close(); err != nil && !errors.Is(err, ledger.ErrDisk) && !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EIO) {
		c.t.Errorf("closing the ledger: %v", err)
	}
	c.openLedger()
	if now := c.log.Size(); now < size && size-now > 1 { // one that failed may be there or not
		c.t.Fatalf("the ledger had %d entries, and has %d", size, now)
	}
}

func (c *campaign) attempt(f *fault, want layout) (outcome string) {
	a := &attempt{kind: f, release: make(chan struct{}), conf: c.config(), before: len(c.w.sent), want: want}
	a.conf.Patience = f.patience
	a.ctx, a.cancel = context.WithTimeout(c.t.Context(), time.Minute)
	c.w.expectNothing()
	err := c.try(a, want)
	outcome = a.stage
	switch {
	case err != nil && err.Error() == "":
		c.t.Fatalf("%s: an error without a message", f.name)
	case err == nil && outcome == "applied":
		if f.fatal && a.fired.Load() > 0 {
			c.t.Fatalf("%s: nothing failed", f.name)
		}
		c.w.finished()
	}
	a.cancel()
	sent := len(c.w.sent) - a.before
	if f.after != nil {
		f.after(c, a)
	}
	close(a.release)
	a.held.Wait()
	if a.g != nil {
		a.g.Close()
	}
	if f.nothing && a.fired.Load() > 0 && sent > 0 {
		c.t.Fatalf("%s: %d requests were sent", f.name, sent)
	}
	if f.refuses != nil && a.fired.Load() > 0 {
		if err := f.refuses(a, err); err != nil {
			c.t.Fatalf("%s: %v", f.name, err)
		}
	}
	if f == &noFault && err != nil {
		c.t.Fatalf("without a fault: %v", err)
	}
	if a.fired.Load() > 0 {
		c.counts.add(f, outcome) // once, however many updates it refused
	}
	c.heal()
	c.check(f.name)
	return outcome
}

// try is what a controller does.
func (c *campaign) try(a *attempt, want layout) error {
	f := a.kind
	if f.open != nil {
		f.open(c, a)
	}
	c.election++
	g, err := c.open(a.ctx, a.conf, c.election)
	if a.stage = "no mastership"; err != nil {
		return err
	}
	a.g = g
	es, err := c.outcomes()
	if err != nil {
		c.t.Fatal(err)
	}
	var last verify.Digest
	if len(es) > 0 {
		last = verify.Digest(es[len(es)-1].Outcome.PostState)
	}
	a.known = gate.RefusalsOf(es, c.name)
	g.Remember(a.known)
	a.stage = "not recovered"
	if recovered, err := g.Recover(a.ctx, last, -1); err != nil {
		return err
	} else if recovered {
		c.recovered++
	}
	if c.unsound { // there is no way from here but to evict
		return c.evictAll(a)
	}
	pre, tables := c.state()
	a.stage = "no plan"
	if a.build == nil {
		a.in, err = c.context(g.ElectionID()).Build(pre, c.goal(tables, want), false)
	} else { // by a planner that knows what the ledger says of bad slots
		x := c.context(g.ElectionID())
		x.Refused = func() alloc.Refused { return refusedSlots(a.known.All()) }
		a.in, err = a.build(x, pre, tables)
	}
	if err != nil {
		return err
	}
	if a.in == nil {
		a.stage = "nothing to do"
		return nil
	}
	if f.plan != nil {
		f.plan(c, a)
	}
	a.stage = "no plan"
	if a.proof, err = gate.ProvePlan(a.ctx, c.encoder, a.conf.Decider, a.in, a.conf.Required, c.now, nil); err != nil {
		return err
	}
	if f.proved != nil {
		f.proved(c, a)
	}
	a.stage = "not cleared"
	if a.clear, err = g.ClearProvedPlan(a.ctx, a.in, a.proof); err != nil {
		return err
	}
	c.acked[a.clear.Decision()] = "plan"
	if f.cleared != nil {
		f.cleared(c, a)
	}
	if c.unsound {
		c.w.expectNothing()
	} else if err := c.w.expect(a.in); err != nil {
		c.t.Fatalf("%s: the model refuses a plan that was cleared: %v", f.name, err)
	}
	if f.arm != nil {
		f.arm(c, a)
	}
	a.stage = "stopped"
	var out *gate.Outcome
	apply := func() { out, err = a.g.Apply(a.ctx, a.clear) }
	if c.unsound {
		apply() // tenants would find one another's values, and not by our doing
	} else {
		c.x.during(apply)
	}
	if err == nil {
		a.stage = "applied"
		c.acked[out.Entry] = "apply"
	}
	return err
}

// evictAll is the way out of a state that no proof starts from.
func (c *campaign) evictAll(a *attempt) error {
	a.stage = "not evicted"
	for _, v := range tenants {
		c.w.expectEviction(v.VID)
		out, err := a.g.Evict(a.ctx, v.Name, v.VID)
		if err != nil {
			return err
		}
		if out.Steps > 0 {
			c.acked[out.Entry] = "evict"
		}
	}
	c.x.forget()
	c.unsound = false
	a.stage = "evicted"
	return nil
}

// check holds the switch against the model, now that everything works again.
func (c *campaign) check(after string) {
	c.t.Helper()
	fail := func(format string, args ...any) {
		c.t.Helper()
		c.t.Fatalf("after %q: %s", after, fmt.Sprintf(format, args...))
	}
	if c.x.err != nil {
		fail("a tenant: %v", c.x.err)
	}
	if wrong := c.w.complaints(); len(wrong) > 0 {
		fail("the model: %s", strings.Join(wrong, "\n"))
	}
	b, _ := c.state()
	if err := c.w.same(b); err != nil {
		fail("%v", err)
	}
	if err := unsafe(b, slotsOf); err != nil && !c.unsound {
		fail("not safe: %v", err)
	}
}

// lastPostState is the state that the ledger's last outcome left.
func (r *rig) lastPostState() (verify.Digest, error) {
	es, err := r.outcomes()
	if err != nil || len(es) == 0 {
		return "", err
	}
	return verify.Digest(es[len(es)-1].Outcome.PostState), nil
}

// outcomes are the ledger's. They are read from the disk, by nothing but the format: an audit comes at the end.
func (r *rig) outcomes() ([]check.Entry, error) {
	_ = r.log.Publish() // what cannot be is not found below
	size := r.log.Size()
	var out []check.Entry
	index := int64(0)
	for n := int64(0); n*256 < size; n++ {
		name := fmt.Sprintf("tile/entries/%03d", n)
		if w := size - n*256; w < 256 {
			name += fmt.Sprintf(".p/%d", w)
		}
		b, err := os.ReadFile(filepath.Join(r.dir, name))
		if err != nil {
			return nil, err
		}
		for ; len(b) > 2; index++ {
			e := b[2 : 2+binary.BigEndian.Uint16(b)]
			b = b[2+len(e):]
			var envelope struct{ Payload string }
			var statement struct{ Predicate check.Outcome }
			if err := json.Unmarshal(e, &envelope); err != nil {
				return nil, err
			}
			payload, err := base64.StdEncoding.DecodeString(envelope.Payload)
			if err == nil {
				err = json.Unmarshal(payload, &statement)
			}
			if err != nil {
				return nil, err
			}
			if o := &statement.Predicate; o.PostState != "" {
				out = append(out, check.Entry{Index: index, Outcome: o})
			}
		}
	}
	return out, nil
}

// audit reads the ledger as a third party does: it is intact, it has every entry that was acknowledged, and every request that
// reached the switch is in a decision that came before it.
func (c *campaign) audit() {
	c.t.Helper()
	if err := c.log.Publish(); err != nil {
		c.t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(c.dir, "key.pub"))
	if err != nil {
		c.t.Fatal(err)
	}
	l, err := check.Read(c.dir, string(key))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range l.Findings {
		c.t.Errorf("the ledger: %s", f)
	}
	for i, what := range c.acked {
		if i >= int64(len(l.Entries)) {
			c.t.Fatalf("entry %d (%s) is lost", i, what)
		}
		e := l.Entries[i]
		if e.Decision != nil && e.Decision.Action != what || e.Outcome != nil && e.Outcome.Action != what {
			c.t.Errorf("entry %d is not the %s that it was", i, what)
		}
	}
	first := map[string]int64{} // decision that allows a request, by its bytes
	for _, e := range l.Entries {
		if e.Decision == nil || e.Decision.Verdict != "proved" && e.Decision.Verdict != "lemma" {
			continue
		}
		inputs := map[string][]byte{}
		for name, ref := range e.Decision.Inputs {
			if inputs[name], err = l.Blob(ref); err != nil {
				c.t.Fatal(err)
			}
		}
		var requests [][]byte
		if a := e.Decision.Action; a == "network" || a == "share" {
			continue // each plan of a network plan is a decision of its own, and a share carries out nothing
		}
		if e.Decision.Action == "evict" {
			requests = append(requests, inputs[gate.EvictRequest])
		} else {
			in, err := plan.FromInputs(inputs)
			if err != nil {
				c.t.Fatal(err)
			}
			for _, s := range in.Steps {
				requests = append(requests, s.Bytes)
			}
		}
		for _, b := range requests {
			if _, known := first[string(b)]; !known {
				first[string(b)] = e.Index
			}
		}
	}
	for _, s := range c.w.sent {
		if i, ok := first[string(s.bytes)]; !ok || i >= s.published {
			c.t.Errorf("a request of %d bytes reached the switch when %d entries were published, and its decision is entry %d (%v)",
				len(s.bytes), s.published, i, ok)
		}
	}
}

// clearUp is for faults that change what is on the switch behind the gate's back.
func (c *campaign) behindOurBack(change func(o *outsider, tables alloc.Tables)) {
	c.election++
	o := c.outsider(c.election)
	c.w.mu.Lock()
	c.w.outside = c.election
	c.w.mu.Unlock()
	_, tables := c.state()
	change(o, tables)
	o.cancel()
	c.x.forget()
}

// entryUpdate is an update of a tenant's page-table entry.
func (c *campaign) entryUpdate(kind p4v1.Update_Type, vid uint16, m alloc.Entry) *p4v1.Update {
	b, err := c.codec.Encode(alloc.Tables{keyOf(vid): m})
	if err != nil {
		c.t.Error(err)
		return nil
	}
	return &p4v1.Update{Type: kind, Entity: firstEntity(c.t, b)}
}
