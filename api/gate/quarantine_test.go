package gate_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/replacement"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/replace"
)

// A cell is one slot of a switch's register memory.
type cell struct {
	stage int
	slot  int64
}

// badCells are those that a switch cannot write.
type badCells struct {
	mu   sync.Mutex
	bad  map[cell]bool
	hits int // scrubs of them that were refused
}

// cellOf is what an update of slots.p4's registers is about; the slot is negative for a whole array.
func cellOf(u *p4v1.Update) (cell, bool) {
	r := u.GetEntity().GetRegisterEntry()
	stage := slices.Index(registerIDs[:], r.GetRegisterId())
	if r == nil || stage < 0 {
		return cell{}, false
	}
	if r.GetIndex() == nil {
		return cell{stage, -1}, true
	}
	return cell{stage, r.GetIndex().GetIndex()}, true
}

// refuse is the hook of a switch with bad cells.
func (b *badCells) refuse(_ int, u *p4v1.Update) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := cellOf(u)
	if !ok {
		return nil
	}
	for x := range b.bad {
		if x == c || c.slot < 0 && x.stage == c.stage {
			b.hits++
			return status.Errorf(codes.DataLoss, "parity error")
		}
	}
	return nil
}

// spoil is the hook of a switch with bad cells that it does not know of.
func (b *badCells) spoil(u *p4v1.Update) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := cellOf(u); ok && b.bad[c] {
		u.GetEntity().GetRegisterEntry().Data = &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: []byte{7}}}
	}
}

// has says whether somebody has bad cells by the page tables.
func (b *badCells) has(tables alloc.Tables) bool {
	for _, e := range tables {
		for c := range b.bad {
			if m := e[c.stage]; m.Base <= c.slot && c.slot < m.Base+m.Size {
				return true
			}
		}
	}
	return false
}

// beside is a layout that leaves bad cells alone.
func (b *badCells) beside(want layout) layout {
	out := layout{}
	for v, es := range want {
		for c := range b.bad {
			if e := &es[c.stage]; e.Base <= c.slot && c.slot < e.Base+e.Size {
				e.Size = c.slot - e.Base
			}
		}
		out[v] = es
	}
	return out
}

// refusalsNow are what the ledger says, read from the disk as a restarted controller does.
func (r *rig) refusalsNow() *gate.Refusals {
	r.t.Helper()
	es, err := r.outcomes()
	if err != nil {
		r.t.Fatal(err)
	}
	return gate.RefusalsOf(es, r.name)
}

// refusedSlots are a list's, for planners.
func refusedSlots(list []gate.Refused) (r alloc.Refused) {
	for _, x := range list {
		s := alloc.Range{Array: alloc.Array{Control: x.Control, Stage: x.Stage}, Lo: x.First, Hi: x.Last + 1}
		if x.Quarantined {
			r.Quarantined = append(r.Quarantined, s)
		} else {
			r.Once = append(r.Once, s)
		}
	}
	return r
}

// A slot that refuses to be scrubbed twice is in quarantine, whatever controller asks, until it is scrubbed and reads back zero.
func TestQuarantine(t *testing.T) {
	r := newSlots(t)
	cells := &badCells{bad: map[cell]bool{{0, 5}: true, {0, 6}: true, {1, 9}: true}}
	r.faults.set(nil, cells.refuse, nil)
	var logged strings.Builder
	conf := r.config()
	conf.Log = slog.New(slog.NewTextHandler(&logged, nil))
	attempt := func(want layout) error { // by a controller of its own
		t.Helper()
		r.election++
		g, err := r.open(t.Context(), conf, r.election)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		before := r.refusalsNow()
		g.Remember(before)
		_, err = g.Recover(t.Context(), r.lastState(), -1)
		if err != nil {
			t.Fatal(err)
		}
		c := r.context(g.ElectionID())
		c.Refused = func() alloc.Refused { return refusedSlots(g.Refused()) }
		pre, tables := r.state()
		in, err := c.Build(pre, r.goal(tables, want), false)
		if want == nil {
			in, err = c.Again(pre)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.Apply(t.Context(), r.clear(g, in))
		if now := fmt.Sprint(r.refusalsNow().All()); now != fmt.Sprint(g.Refused()) {
			t.Errorf("the ledger says %v, the gate %v", now, g.Refused())
		}
		r.mustBeSafe()
		return err
	}
	now := func() string {
		var all []string
		for _, x := range r.refusalsNow().All() {
			all = append(all, fmt.Sprintf("%v quarantined %v by entry %d: %s", x, x.Quarantined, x.Entry, x.Why))
		}
		return strings.Join(all, "\n")
	}
	refused := func(err error, of string, then ...string) {
		t.Helper()
		if !errors.Is(err, gate.ErrScrub) || !strings.Contains(err.Error(), of) {
			t.Errorf("got %v", err)
		}
		if got := now(); got != strings.Join(then, "\n") {
			t.Errorf("refused:\n%s\nwant\n%s", got, strings.Join(then, "\n"))
		}
	}
	over := layout{10: {{Base: 0, Size: 8}, {Base: 4, Size: 8}}}
	refused(attempt(over), "ingress/0 slots 5..6 (DataLoss: parity error), ingress/1 slot 9 (DataLoss: parity error)",
		"ingress/0 slots 5..6 quarantined false by entry 2: DataLoss: parity error", "ingress/1 slot 9 quarantined false by entry 2: DataLoss: parity error")
	delete(cells.bad, cell{1, 9}) // it was a passing trouble
	refused(attempt(over), "ingress/0 slots 5..6", "ingress/0 slots 5..6 quarantined true by entry 4: DataLoss: parity error")
	refused(attempt(over), "ingress/0 slots 5..6", "ingress/0 slots 5..6 quarantined true by entry 4: DataLoss: parity error") // since then
	if err := attempt(layout{10: {{Base: 8, Size: 8}, {Base: 4, Size: 8}}}); err != nil {
		t.Errorf("beside them: %v", err)
	}
	refused(attempt(nil), "ingress/0 slots 5..6", "ingress/0 slots 5..6 quarantined true by entry 4: DataLoss: parity error")

	// Slot 6 takes the write now, but not the value.
	delete(cells.bad, cell{0, 5})
	delete(cells.bad, cell{0, 6})
	cells.bad[cell{0, 6}] = true
	r.faults.set(nil, nil, nil)
	r.faults.setSpoil(cells.spoil)
	refused(attempt(nil), "the switch accepted the scrub, and the slot does not read back as zero",
		"ingress/0 slot 6 quarantined true by entry 4: the switch accepted the scrub, and the slot does not read back as zero")
	r.faults.setSpoil(nil)
	if err := attempt(nil); err != nil || now() != "" {
		t.Errorf("scrubbed: %v, %s", err, now())
	}
	if err := attempt(over); err != nil {
		t.Errorf("given to somebody again: %v", err)
	}
	for _, want := range []string{
		`level=WARN msg="slots were not written; the next refusal puts them into quarantine" switch=s1`, `level=ERROR msg="slots are quarantined`,
		`level=INFO msg="slots that were refused are written`, `reason="slots not scrubbed"`,
	} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("not logged: %s", want)
		}
	}
}

func inQuarantine(r *gate.Refusals) map[cell]bool {
	got := map[cell]bool{}
	for _, x := range r.All() {
		for i := x.First; i <= x.Last && x.Quarantined; i++ {
			got[cell{x.Stage, i}] = true
		}
	}
	return got
}

// someScrubbed are cells that a plan scrubs.
func (c *campaign) someScrubbed(in *plan.Input) map[cell]bool {
	var all []cell
	for _, s := range in.Steps {
		var req p4v1.WriteRequest
		if s.Kind != plan.Write {
			continue
		}
		if err := proto.Unmarshal(s.Bytes, &req); err != nil {
			c.t.Fatal(err)
		}
		for _, u := range req.GetUpdates() {
			x, ok := cellOf(u)
			switch {
			case ok && x.slot < 0:
				for i := range slotsOf[x.stage] {
					all = append(all, cell{x.stage, int64(i)})
				}
			case ok:
				all = append(all, x)
			}
		}
	}
	some := map[cell]bool{}
	for range 1 + c.rnd.IntN(3) {
		if len(all) == 0 {
			return some
		}
		at := c.rnd.IntN(len(all))
		for _, x := range all[at:min(len(all), at+1+c.rnd.IntN(3))] {
			some[x] = true
		}
	}
	return some
}

// doWithout is what comes after a plan that was stopped because some cells cannot be written: they are quarantined, and nothing else is; the
// switch is used without them; and when they are sound again, they are used again.
func (c *campaign) doWithout(a *attempt) {
	if a.fired.Load() == 0 || a.want == nil {
		return
	}
	a.g.Close()
	cells := a.cells
	again := func(what string, refused bool, build func(*alloc.Context, []byte, alloc.Tables) (*plan.Input, error)) {
		sub := &attempt{kind: &noFault, conf: c.config(), ctx: c.t.Context(), build: build}
		c.w.expectNothing()
		err := c.try(sub, nil)
		defer sub.g.Close()
		switch {
		case refused && !errors.Is(err, gate.ErrScrub), !refused && err != nil:
			c.t.Errorf("bad slots %v, %s: %v", cells.bad, what, err)
		case err == nil && sub.in != nil:
			c.w.finished()
		}
		if _, tables := c.state(); cells.has(tables) {
			c.t.Errorf("bad slots %v, %s: somebody has one", cells.bad, what)
		}
	}
	sweep := func(x *alloc.Context, pre []byte, _ alloc.Tables) (*plan.Input, error) { return x.Sweep(pre) }
	once := func(x *alloc.Context, pre []byte, _ alloc.Tables) (*plan.Input, error) { return x.Again(pre) }
	quarantined := func() map[cell]bool { return inQuarantine(c.refusalsNow()) }
	all := func() bool {
		in := quarantined()
		for x := range cells.bad {
			if !in[x] {
				return false
			}
		}
		return true
	}
	for n := 0; !all(); n++ { // the first plan may have stopped before some of them
		if n > 2 {
			c.t.Fatalf("bad slots %v, and in quarantine are %v", cells.bad, quarantined())
		}
		again("swept", true, sweep)
	}
	for x := range quarantined() {
		if !cells.bad[x] && !inQuarantine(a.known)[x] {
			c.t.Errorf("bad slots %v, and in quarantine is %v, too", cells.bad, x)
		}
	}
	again("swept without them", false, sweep)
	again("used without them", false, func(x *alloc.Context, pre []byte, tables alloc.Tables) (*plan.Input, error) {
		return x.Build(pre, c.goal(tables, cells.beside(a.want)), false)
	})
	c.faults.set(nil, nil, nil)
	c.faults.setSpoil(cells.spoil)
	again("accepted, and not written", true, once)
	if !all() {
		c.t.Errorf("accepted, and not written: bad slots %v, in quarantine %v", cells.bad, quarantined())
	}
	c.faults.setSpoil(nil)
	again("sound again", false, once)
	if left := c.refusalsNow().All(); len(left) > 0 {
		c.t.Errorf("sound again, and refused is %v", left)
	}
}

// A slot of a retained tenant's that the switch refuses to restore twice in a row is in quarantine. The replacement goes on without that tenant's
// memory there, which is announced as lost; all else is restored.
func TestRestoreRefused(t *testing.T) {
	r, x := hosting(t)
	slot := uint16(0)
	for s, v := range x.wrote["ann"] {
		if v != 0 {
			slot = s
		}
	}
	bad := int64(100 + slot) // ann's memory begins there
	spoils := func(u *p4v1.Update) bool {
		return u.GetEntity().GetRegisterEntry().GetIndex().GetIndex() == bad
	}
	refuse := func(_ int, u *p4v1.Update) error {
		if spoils(u) {
			return status.Error(codes.DataLoss, "parity error")
		}
		return nil
	}
	to := editionOf(t, ann, bob, cyd)
	try := func() (*bringing, error) {
		b := r.bring(to)
		return b, b.do(t.Context())
	}

	r.faults.set(nil, refuse, nil)
	b, err := try()
	if !errors.Is(err, gate.ErrRestore) || !strings.Contains(err.Error(), fmt.Sprintf("ingress/0 slot %d (DataLoss: parity error)", bad)) {
		t.Fatal(err)
	}
	if len(b.gate.Unusable()) > 0 {
		t.Fatalf("in quarantine after one refusal: %v", b.gate.Unusable())
	}
	r.faults.set(nil, nil, nil)
	r.faults.setSpoil(func(u *p4v1.Update) { // now it accepts the write, and does not carry it out
		if spoils(u) {
			u.GetEntity().GetRegisterEntry().Data = &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: []byte{7}}}
		}
	})
	if b, err = try(); !errors.Is(err, gate.ErrRestore) || !strings.Contains(err.Error(), "does not read back as written") {
		t.Fatal(err)
	}
	if got := b.gate.Unusable(); len(got) != 1 || got[0].First != bad || got[0].Last != bad {
		t.Fatalf("in quarantine: %v", got)
	}

	// Only what is in quarantine may be done without.
	b = r.bring(to)
	b.at = func(stage string, b *bringing) error {
		if stage == "proposed" {
			w := b.wanted()
			w.Unusable = append(w.Unusable, replace.Slots{Control: specs.Ingress, First: 140, Last: 140}) // bob's
			b.in, err = replacement.NewPlanner(b.gate.Replacements()).Propose(w, replacement.From{
				Linked: b.standing.Linked, Before: b.standing.Before, Continues: b.standing.Continues,
			})
			return err
		}
		return nil
	}
	if err := b.do(t.Context()); !errors.Is(err, gate.ErrTampered) || !strings.Contains(err.Error(), "ingress/0 slot 140 is to be done without, and is not in quarantine") {
		t.Fatal(err)
	}

	b, err = try()
	if err != nil {
		t.Fatal(err)
	}
	if want := []replace.Loss{{Tenant: "ann", Object: "register memory ingress/0"}}; !slices.Equal(b.in.Lost, want) {
		t.Errorf("lost: %v", b.in.Lost)
	}
	if p, ok := x.probe(ann, 0, 1, slot, 0); !ok || p.hit {
		t.Errorf("ann finds %+v, passed %v", p, ok)
	}
	for s := range uint16(40) {
		if p, ok := x.probe(bob, 0, 1, s, 0); !ok || !p.hit || p.value != x.wrote["bob"][s] {
			t.Errorf("bob's slot %d: %+v, passed %v", s, p, ok)
		}
	}
	codec, err := alloc.CodecOf(to.linked)
	if err != nil {
		t.Fatal(err)
	}
	r.codec = codec
	_, tables := r.state()
	if e := tables[keyOf(ann.vid)]; e[0].Size != 0 || e[0].Generation != 4 { // it was 3
		t.Errorf("ann's page-table entry: %+v", e)
	}
	r.entries()
}
