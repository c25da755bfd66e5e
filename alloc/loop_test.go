package alloc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/plan/model"
)

// fakeSwitch holds page tables and counters. It is also the prover and the gate: a plan is proved by running it in the
// reference model, and applied request by request, from the bytes.
type fakeSwitch struct {
	t        *testing.T
	codec    *Codec
	tables   Tables
	readings map[uint16]Reading
	clock    time.Time
	verdict  verify.Verdict
	// dieAfter updates have been applied in all, counting down; negative: never.
	dieAfter int
	plans    []*plan.Input
	// bad slots refuse to be scrubbed; refused counts how often each did.
	bad     func(Array, int64) bool
	refused map[Range]int
}

var errDied = errors.New("the controller died")

func (s *fakeSwitch) now() time.Time { s.clock = s.clock.Add(time.Millisecond); return s.clock }

func (s *fakeSwitch) Counters(context.Context) (map[uint16]Reading, error) { return s.readings, nil }

func (s *fakeSwitch) PageTables(context.Context) ([]byte, error) { return s.codec.Encode(s.tables) }

func (s *fakeSwitch) Prove(_ context.Context, in *plan.Input) (Proof, error) {
	pre, err := s.codec.Decode(in.PreState)
	if err != nil {
		return nil, err
	}
	if !pre.Equal(s.tables) {
		s.t.Errorf("the plan starts from something else than is there: %s", cmp.Diff(s.tables, pre))
	}
	goal := Tables{}
	for _, x := range in.Goal {
		k := Key{x.Control, x.VID}
		goal[k] = append(goal[k], Mapping{x.Base, x.Size, x.Mask, x.Generation})
	}
	p := toModel(s.codec.Slots(), pre, goal, opsOf(s.t, s.codec, in.Steps), in.Fenced, 0)
	for _, t := range in.Tenants {
		p.Registered = append(p.Registered, model.VID(t.VID))
	}
	for _, l := range in.Limits {
		p.Limits[model.Place{Array: model.Array{Control: l.Control, Stage: l.Stage}, VID: model.VID(l.VID)}] = model.Limit{Floor: l.Floor, Ceiling: l.Ceiling}
	}
	for seed := range uint64(1) {
		if _, violations := model.Explore(p, rand.New(rand.NewPCG(seed, uint64(len(s.plans))))); len(violations) > 0 {
			s.t.Errorf("plan %d: %v", len(s.plans), violations)
		}
	}
	s.plans = append(s.plans, in)
	return &fakeProof{s, in}, nil
}

type fakeProof struct {
	s  *fakeSwitch
	in *plan.Input
}

func (p *fakeProof) Verdict() verify.Verdict { return p.s.verdict }
func (p *fakeProof) Reason() string          { return "as the test says" }
func (p *fakeProof) Apply(context.Context) (Applied, error) {
	for _, step := range p.in.Steps {
		if step.Kind == plan.Fence {
			continue
		}
		var failure error
		var req p4v1.WriteRequest
		if err := proto.Unmarshal(step.Bytes, &req); err != nil {
			return Applied{}, err
		}
		for _, u := range req.Updates {
			if p.s.dieAfter == 0 {
				return Applied{}, errDied
			}
			p.s.dieAfter--
			te := u.GetEntity().GetTableEntry()
			if te == nil {
				if p.s.refuse(u.GetEntity().GetRegisterEntry()) {
					failure = ErrScrub
				}
				continue
			}
			k, e, err := p.s.codec.decodeEntry(te)
			if err != nil {
				return Applied{}, err
			}
			p.s.tables[k] = e
		}
		if failure != nil {
			return Applied{}, failure
		}
	}
	state, err := p.s.PageTables(context.Background())
	return Applied{Publish: time.Millisecond, Write: 2 * time.Millisecond, PostState: state, Entry: uint64(len(p.s.plans))}, err
}

// refuse scrubs a slot, or all of an array, unless one is bad.
func (s *fakeSwitch) refuse(r *p4v1.RegisterEntry) (refused bool) {
	for a, id := range s.codec.registers {
		if id != r.RegisterId || s.bad == nil {
			continue
		}
		lo, hi := int64(0), s.codec.slots[a]
		if r.Index != nil {
			lo, hi = r.Index.Index, r.Index.Index+1
		}
		for i := lo; i < hi; i++ {
			refused = refused || s.bad(a, i)
		}
		for i := lo; i < hi; i++ {
			if refused {
				s.refused[Range{a, i, i + 1}]++
			} else {
				delete(s.refused, Range{a, i, i + 1})
			}
		}
	}
	return refused
}

// opsOf reads steps back into ops, for the model. Deletions do not occur in the loop.
func opsOf(t *testing.T, c *Codec, steps []plan.Step) []Op {
	arrays := map[uint32]Array{}
	for a, id := range c.registers {
		arrays[id] = a
	}
	var out []Op
	for _, s := range steps {
		op := Op{Fence: s.Kind == plan.Fence, Map: Tables{}}
		if !op.Fence {
			var req p4v1.WriteRequest
			if err := proto.Unmarshal(s.Bytes, &req); err != nil {
				t.Fatal(err)
			}
			for _, u := range req.Updates {
				if r := u.GetEntity().GetRegisterEntry(); r != nil {
					x := Range{arrays[r.RegisterId], 0, c.slots[arrays[r.RegisterId]]}
					if r.Index != nil {
						x.Lo, x.Hi = r.Index.Index, r.Index.Index+1
					}
					op.Scrub = append(op.Scrub, x)
					continue
				}
				k, e, err := c.decodeEntry(u.GetEntity().GetTableEntry())
				if err != nil {
					t.Fatal(err)
				}
				op.Map[k] = e
			}
		}
		out = append(out, op)
	}
	return out
}

// world is a switch with two elastic tenants that share both stages and an inelastic one, and a loop over it.
func world(t *testing.T) (*fakeSwitch, func() *Loop, *[]*Epoch) {
	capacity := Capacity{stage(0): 192, stage(1): 128}
	c := testContext(t, capacity)
	c.Tenants, c.Limits = nil, nil
	s := &fakeSwitch{
		t: t, codec: c.Codec, tables: Tables{}, verdict: verify.Proved, dieAfter: -1,
		readings: map[uint16]Reading{1: {}, 2: {}, 3: {}}, clock: time.Unix(1000, 0),
	}
	tenants := []Tenant{
		{Name: "kv", VID: 1, Weight: 1, Target: 0.8, Ladder: ladder(t, Register{stage(0), 16, 256, true, true}, Register{stage(1), 16, 64, true, true})},
		{Name: "hh", VID: 2, Weight: 1, Target: 0.8, Ladder: ladder(t, Register{stage(0), 16, 128, true, true})},
		{Name: "fw", VID: 3, Weight: 1, Ladder: ladder(t, Register{stage(1), 32, 32, false, true})},
	}
	bounds := []Bound{{0, 2, 3, ""}, {0, 2, 3, ""}, {0, 0, 0, ""}}
	for _, x := range tenants {
		c.Tenants = append(c.Tenants, plan.Tenant{Name: x.Name, VID: x.VID})
	}
	c.Limits = Limits(tenants, bounds)
	var records []*Epoch
	return s, func() *Loop {
		return &Loop{
			Context: c, Strategy: NetVRM{Estimator: DefaultEstimator}, Tenants: tenants, Bounds: bounds, Switch: s, Prover: s, Now: s.now,
			Record: func(e *Epoch) error { records = append(records, e); return nil },
		}
	}, &records
}

func (s *fakeSwitch) traffic(vid uint16, packets, hits int64) {
	r := s.readings[vid]
	s.readings[vid] = Reading{r.Packets + packets, r.Hits + hits}
}

func (s *fakeSwitch) sizes() map[string]int64 {
	out := map[string]int64{}
	for k, e := range s.tables {
		for i, m := range e {
			if m.Size > 0 {
				out[fmt.Sprintf("%d@%d", k.VID, i)] = m.Size
			}
		}
	}
	return out
}

func TestLoop(t *testing.T) {
	ctx := context.Background()
	s, fresh, records := world(t)
	l := fresh()
	epoch := func(want map[string]int64, plans int) {
		t.Helper()
		before := len(s.plans)
		if _, err := l.Epoch(ctx); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, s.sizes()); d != "" {
			t.Errorf("epoch %d: %s", l.number-1, d)
		}
		if n := len(s.plans) - before; n != plans {
			t.Errorf("epoch %d made %d plans, want %d", l.number-1, n, plans)
		}
	}
	// Newcomers start at their shares, as far as they fit.
	epoch(map[string]int64{"1@0": 64, "1@1": 16, "2@0": 64, "3@1": 32}, 1)
	// Nobody needs anything.
	s.traffic(1, 100, 90)
	s.traffic(2, 100, 90)
	epoch(map[string]int64{"1@0": 64, "1@1": 16, "2@0": 64, "3@1": 32}, 0)
	// kv is far from its target: (0.8/0.2)^2 = 16 times as much, up to its ceiling.
	s.traffic(1, 100, 20)
	s.traffic(2, 100, 90)
	epoch(map[string]int64{"1@0": 128, "1@1": 32, "2@0": 64, "3@1": 32}, 1)
	if d := cmp.Diff([]string{"hh"}, (*records)[2].Plan.Moved); d != "" { // it has less
		t.Error(d)
	}
	// hh too, but what somebody who has just moved needs is not known.
	s.traffic(2, 100, 10)
	epoch(map[string]int64{"1@0": 128, "1@1": 32, "2@0": 64, "3@1": 32}, 0)
	// Now it is: kv is idle and gives back what is needed.
	s.traffic(2, 100, 10)
	epoch(map[string]int64{"1@0": 64, "1@1": 16, "2@0": 128, "3@1": 32}, 1)
	// A counter that goes back says nothing.
	s.readings[1] = Reading{}
	epoch(map[string]int64{"1@0": 64, "1@1": 16, "2@0": 128, "3@1": 32}, 0)

	last := (*records)[5]
	if last.Tenants[0].Discarded != WentBack || last.Kind != Allocation || len(last.Parts) != len(PartNames) {
		t.Errorf("record: %+v", last)
	}
	var file bytes.Buffer
	for _, e := range *records {
		if err := WriteEpoch(&file, e); err != nil {
			t.Fatal(err)
		}
	}
	whole := file.String()
	run, err := ReadRun(strings.NewReader(whole))
	if err != nil || len(run) != 6 || run[2].Plan == nil || !run[2].Plan.Applied || run[1].Plan != nil {
		t.Errorf("run of %d epochs, %v", len(run), err)
	}
	if run[2].Part("write") != 2*time.Millisecond || run[2].Part("publish") != time.Millisecond {
		t.Errorf("parts: %+v", run[2].Parts)
	}
	if cut, err := ReadRun(strings.NewReader(whole[:len(whole)-5])); err != nil || len(cut) != 5 {
		t.Errorf("a run that was cut off: %d epochs, %v", len(cut), err)
	}
	if _, err := ReadRun(strings.NewReader("{}\nno\n{}\n")); err == nil || !strings.HasPrefix(err.Error(), "line 2:") {
		t.Errorf("have %v", err)
	}
}

// Content that no step touches survives, so unchanged extents keep their generation, and plans begin with a fence unless one followed
// the last page-table write.
func TestLoopFences(t *testing.T) {
	ctx := context.Background()
	s, fresh, _ := world(t)
	l := fresh()
	for i := range 8 {
		s.traffic(1, 100, int64(10+80*(i%2)))
		s.traffic(2, 100, int64(90-80*(i%2)))
		if _, err := l.Epoch(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for i, in := range s.plans {
		if in.Fenced != (i > 0 && endsFenced(s.plans[i-1])) {
			t.Errorf("plan %d: fenced %v", i, in.Fenced)
		}
		if (in.Steps[0].Kind == plan.Fence) == in.Fenced {
			t.Errorf("plan %d: fenced %v, first step %v", i, in.Fenced, in.Steps[0].Kind)
		}
	}
	if len(s.plans) < 2 {
		t.Errorf("%d plans", len(s.plans))
	}
}

// TestLoopRecovers kills the controller at every update of a plan and starts it again: a recovery that is itself proved goes
// first, and the loop ends where it would have ended.
func TestLoopRecovers(t *testing.T) {
	ctx := context.Background()
	for die := range 1000 {
		s, fresh, records := world(t)
		l := fresh()
		run := func() error {
			_, err := l.Epoch(ctx)
			return err
		}
		if err := run(); err != nil {
			t.Fatal(err)
		}
		s.traffic(1, 100, 20)
		s.traffic(2, 100, 90)
		for range 2 { // kv grows, and is idle
			if err := run(); err != nil {
				t.Fatal(err)
			}
		}
		s.traffic(2, 100, 10) // kv shrinks, hh grows
		done, err := s.PageTables(ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.dieAfter = die
		err = run()
		if err == nil {
			if die == 0 {
				t.Fatal("the last epoch makes no plan")
			}
			return // every update has been a last one
		}
		if !errors.Is(err, errDied) {
			t.Fatal(err)
		}
		state, err := s.PageTables(ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.dieAfter = -1
		n := len(*records)
		l = fresh()
		l.LastState = done
		if err := run(); err != nil {
			t.Fatal(err)
		}
		first := (*records)[n]
		if same := bytes.Equal(state, done); same == (first.Kind == Recovery) {
			t.Errorf("death before update %d: state unchanged %v, then %s", die, same, first.Kind)
		} else if !same && (first.Plan == nil || !first.Plan.Applied) {
			t.Errorf("death before update %d: recovered without a plan", die)
		}
		for _, x := range (*records)[len(*records)-1].Tenants {
			if x.Level < x.Floor || x.Level > x.Ceiling {
				t.Errorf("death before update %d: %s ends at level %d", die, x.Name, x.Level)
			}
		}
	}
	t.Error("a thousand updates were not enough")
}

// A plan that is not proved is not applied; the record says so.
func TestLoopNotProved(t *testing.T) {
	s, fresh, records := world(t)
	s.verdict = verify.Unknown
	_, err := fresh().Epoch(context.Background())
	if !errors.Is(err, ErrNotProved) {
		t.Errorf("have %v", err)
	}
	e := (*records)[0]
	if len(s.tables) != 0 || e.Plan == nil || e.Plan.Applied || e.Plan.Verdict != "unknown" || e.Error == "" {
		t.Errorf("tables %v, record %+v", s.tables, e)
	}
}

// Somebody else writes to the switch: the next epoch begins with a recovery, and that with a fence.
func TestLoopForeignWrite(t *testing.T) {
	ctx := context.Background()
	s, fresh, records := world(t)
	l := fresh()
	if _, err := l.Epoch(ctx); err != nil {
		t.Fatal(err)
	}
	k := Key{specs.Ingress, 1}
	e := slices.Clone(s.tables[k])
	e[0].Size, e[0].Mask = 8, 7
	s.tables[k] = e
	if _, err := l.Epoch(ctx); err != nil {
		t.Fatal(err)
	}
	if r := (*records)[1]; r.Kind != Recovery || r.Plan == nil || s.plans[1].Steps[0].Kind != plan.Fence {
		t.Errorf("record %+v", r)
	}
	if got := s.tables[k][0]; got.Size != 16 {
		t.Errorf("after the recovery: %+v", got)
	}
}

// Slots that refuse to be scrubbed are quarantined one by one, though the arrays were scrubbed as a whole; the loop goes on with the others,
// with smaller extents where it must, and takes the slots back when they were scrubbed.
func TestLoopQuarantine(t *testing.T) {
	ctx := context.Background()
	s, fresh, records := world(t)
	s.refused = map[Range]int{}
	bad := map[Range]bool{{stage(0), 70, 71}: true, {stage(0), 71, 72}: true, {stage(1), 0, 1}: true}
	s.bad = func(a Array, i int64) bool { return bad[Range{a, i, i + 1}] }
	l := fresh()
	l.Context.Primitives.Scrub.By = []plan.ScrubKind{plan.ByCell, plan.ByArray}
	l.Context.Refused = func() (r Refused) {
		for x, times := range s.refused {
			if times > 1 {
				r.Quarantined = append(r.Quarantined, x)
			} else {
				r.Once = append(r.Once, x)
			}
		}
		return r
	}
	l.LastState = []byte("unknown") // so that everything is swept
	free := func() {
		t.Helper()
		for v, es := range s.tables.Layout() {
			for a, e := range es {
				for x := range bad {
					if x.Array == a && e.Base < x.Hi && x.Lo < e.end() {
						t.Errorf("VID %d has %+v of %v, and slot %d is bad", v, e, a, x.Lo)
					}
				}
			}
		}
	}
	wait := func(context.Context) error {
		free()
		s.traffic(1, 100, 20)
		s.traffic(2, 100, 20)
		return nil
	}
	if err := l.Run(ctx, 10, wait); err != nil {
		t.Fatal(err)
	}
	free()
	for x, times := range s.refused {
		if !bad[x] || times != 2 {
			t.Errorf("%v was refused %d times; it is bad: %v", x, times, bad[x])
		}
	}
	if len(s.refused) != len(bad) {
		t.Errorf("%d slots were refused, %d are bad", len(s.refused), len(bad))
	}
	failed := 0
	for _, e := range *records {
		if e.Error != "" {
			failed++
		}
	}
	if last := (*records)[len(*records)-1]; failed != 2*2 || last.Error != "" { // both stages: as a whole, and slot by slot
		t.Errorf("%d epochs failed; the last one: %q", failed, last.Error)
	}
	if n := s.sizes(); n["1@0"]+n["2@0"] < 128 {
		t.Errorf("sizes: %v", n)
	}

	// Nothing is scrubbed again by itself, but by the next controller. What is sound then is used again.
	clear(bad)
	if err := l.Run(ctx, 2, wait); err != nil || len(s.refused) != 3 {
		t.Fatalf("%d slots in quarantine, %v", len(s.refused), err)
	}
	state, err := s.PageTables(ctx)
	if err != nil {
		t.Fatal(err)
	}
	before := l.Context
	l = fresh()
	l.Context, l.LastState = before, state
	if err := l.Run(ctx, 3, wait); err != nil || len(s.refused) > 0 {
		t.Errorf("%d slots in quarantine, %v", len(s.refused), err)
	}
	if in, err := l.Context.Again(state); in != nil || err != nil {
		t.Errorf("again: %v, %v", in, err)
	}
}

// Where floors alone are more than what is left, the loop ends, and says so.
func TestLoopQuarantineTooLarge(t *testing.T) {
	s, fresh, _ := world(t)
	l := fresh()
	l.Context.Refused = func() Refused {
		return Refused{Quarantined: []Range{{stage(0), 10, 180}, {stage(1), 1000, 2000}}} // the latter are of an earlier program
	}
	err := l.Run(context.Background(), 1, nil)
	if err == nil || !strings.Contains(err.Error(), "the floors alone need") || len(s.plans) > 0 {
		t.Errorf("got %v", err)
	}
}

// Whoever is too large for what lies between slots in quarantine steps down, but not below its floor.
func TestFit(t *testing.T) {
	_, fresh, _ := world(t)
	l := fresh()
	c := l.Context
	state, err := c.Codec.Encode(Tables{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		bad          []Range
		levels, want []int
	}{
		{nil, []int{3, 2, 0}, []int{3, 2, 0}},
		{[]Range{{stage(0), 150, 151}}, []int{3, 1, 0}, []int{3, 1, 0}},
		{[]Range{{stage(0), 96, 97}}, []int{3, 1, 0}, []int{2, 1, 0}},
		{[]Range{{stage(0), 20, 176}}, []int{3, 3, 0}, []int{0, 0, 0}},
		{[]Range{{stage(0), 10, 176}}, []int{0, 0, 0}, nil},
	} {
		c.Refused = func() Refused { return Refused{Quarantined: tt.bad} }
		got, err := c.Fit(state, l.Tenants, l.Bounds, tt.levels)
		if (err == nil) != (tt.want != nil) || err != nil && !errors.Is(err, ErrNoRoom) || !slices.Equal(got, tt.want) {
			t.Errorf("%v, %v: %v, %v; want %v", tt.bad, tt.levels, got, err, tt.want)
		}
		if err != nil {
			continue
		}
		if _, err := c.ToLevels(state, l.Tenants, got); err != nil {
			t.Errorf("%v: %v", tt.bad, err)
		}
	}
}
