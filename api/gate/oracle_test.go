package gate_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/plan/model"
)

// A world is what the reference model says of everything that a switch with slots.p4 really does: it sees the updates as they are
// carried out, whoever sent them, and lets packets of every tenant arrive and act between any two of them. It reads nothing from the
// switch or the gate, and decodes requests by itself.
//
// It holds the gate to this: what is carried out is the next step of a plan that it was told of, sent when the step before had
// succeeded, or an eviction; every request was published before it was sent; and the model finds no violation on the way.
type world struct {
	mu        sync.Mutex
	rnd       *rand.Rand
	published func() int64 // how many entries the ledger acknowledged

	tables  model.Tables
	machine *model.Machine // of the plan that is under way; nil: nothing may be written
	steps   [][]byte
	updates [][]model.Update // of each step, in the model
	begun   int              // steps that arrived
	broken  bool             // the fence that arrived last was refused
	evicted model.VID
	outside uint64 // the election id of another controller, whose writes are not the gate's

	changed func(model.Tables) // is told of the page tables after each update; nil: nobody is

	arrived map[*p4v1.Update]arrival
	overdue map[string]bool // steps that may have been sent when their plan was given up, and had not arrived
	sent    []sentRequest
	packets int
	wrong   []string
}

// An arrival is one update of a request that reached the switch.
type arrival struct {
	from  sender
	index int // in its request
}

// registerIDs are slots.p4's stage arrays, by stage.
var registerIDs = [2]uint32{0x1649a8aa, 0x160b4c2d}

type sender int

const (
	stray sender = iota // not what the gate may send now
	planned
	evicting
	outsiders
)

// A sentRequest was received when so many entries were published.
type sentRequest struct {
	bytes     []byte
	published int64
}

func newWorld(seed uint64, published func() int64) *world {
	return &world{rnd: rand.New(rand.NewPCG(seed, 7)), published: published, tables: model.Tables{}, arrived: map[*p4v1.Update]arrival{}, overdue: map[string]bool{}}
}

func (w *world) complain(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// complaints so far.
func (w *world) complaints() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.wrong)
}

// restarted says that the switch lost everything.
func (w *world) restarted() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.abandon()
	w.tables, w.machine, w.steps = model.Tables{}, nil, nil
	if w.changed != nil {
		w.changed(w.tables)
	}
}

// expect says which plan may be carried out from now on. Free slots hold what anybody may have left there, and packets that are in
// flight may know any entry that was ever valid, unless the plan supposes a fence.
func (w *world) expect(in *plan.Input) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.abandon()
	w.machine, w.steps, w.updates, w.begun, w.broken, w.evicted = nil, nil, nil, 0, false, 0
	p := &model.Plan{
		Slots: map[model.Array]int64{}, Capacity: map[specs.Control]int64{specs.Ingress: 16}, Pre: w.tables.Clone(), Fenced: in.Fenced,
		Goal: model.Tables{}, Limits: map[model.Place]model.Limit{},
	}
	for s, n := range slotsOf {
		p.Slots[model.Array{Control: specs.Ingress, Stage: s}] = int64(n)
	}
	for _, t := range tenants {
		p.Registered = append(p.Registered, model.VID(t.VID))
	}
	for _, l := range in.Limits {
		p.Limits[model.Place{Array: model.Array{Control: l.Control, Stage: l.Stage}, VID: model.VID(l.VID)}] = model.Limit{Floor: l.Floor, Ceiling: l.Ceiling}
	}
	for _, g := range in.Goal {
		k := model.Key{Control: g.Control, VID: model.VID(g.VID)}
		if p.Goal[k] == nil {
			p.Goal[k] = make(model.Entry, len(slotsOf))
		}
		p.Goal[k][g.Stage] = model.Extent{Base: g.Base, Size: g.Size, Mask: g.Mask, Generation: g.Generation}
	}
	for i, s := range in.Steps {
		step := model.Step{Fence: s.Kind == plan.Fence}
		if !step.Fence {
			var req p4v1.WriteRequest
			if err := proto.Unmarshal(s.Bytes, &req); err != nil {
				return fmt.Errorf("step %d: %w", i+1, err)
			}
			for n, u := range req.GetUpdates() {
				d, err := decodeUpdate(u)
				if err != nil {
					return fmt.Errorf("step %d, update %d: %w", i+1, n, err)
				}
				d.Index = n
				step.Updates = append(step.Updates, every(d, p.Slots)...)
			}
		}
		p.Steps = append(p.Steps, step)
		w.steps, w.updates = append(w.steps, s.Bytes), append(w.updates, step.Updates)
	}
	m, err := model.New(p, w.past(p))
	if err != nil {
		return err
	}
	w.machine = m
	w.note()
	return nil
}

// past is what a plan cannot know of the switch: every slot that nobody reaches holds something of somebody's, and packets that once
// reached it may be in flight.
func (w *world) past(p *model.Plan) (init model.Initial) {
	for _, a := range p.Arrays() {
		var run []int64
		was := p.Registered[w.rnd.IntN(len(p.Registered))]
		flush := func() {
			if len(run) > 0 && !p.Fenced {
				e := make(model.Entry, a.Stage+1)
				e[a.Stage] = model.Extent{Base: run[0], Size: int64(len(run)), Mask: ^uint32(0)}
				init.Packets = append(init.Packets, model.Packet{Key: model.Key{Control: a.Control, VID: was}, Entry: e, Old: true})
			}
			run, was = nil, p.Registered[w.rnd.IntN(len(p.Registered))]
		}
		for s := range p.Slots[a] {
			reached := false
			for k, e := range p.Pre {
				reached = reached || k.Control == a.Control && e[a.Stage].Contains(s)
			}
			if reached || w.rnd.IntN(8) == 0 {
				flush()
			}
			if !reached {
				run = append(run, s)
				init.Residue = append(init.Residue, model.Residue{Array: a, Slot: s, VID: was})
			}
		}
		flush()
	}
	return init
}

// abandon notes what the plan so far may still have under way: steps are sent one by one, so that is its next. A marker among them is
// known by its bytes, which no other plan has.
func (w *world) abandon() {
	if w.machine != nil && w.begun < len(w.steps) {
		w.overdue[string(w.steps[w.begun])] = true
	}
}

// expectEviction says that nothing but a tenant's page-table entries may be deleted from now on.
func (w *world) expectEviction(vid uint16) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.abandon()
	w.machine, w.steps, w.evicted = nil, nil, model.VID(vid)
}

// expectNothing says that nothing may be written.
func (w *world) expectNothing() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.abandon()
	w.machine, w.steps, w.evicted = nil, nil, 0
}

// finished says that the gate reported success: the plan has reached its goal.
func (w *world) finished() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.machine == nil {
		w.complain("success of what was no plan")
		return
	}
	w.advance(len(w.steps))
	if !w.machine.Done() {
		w.complain("success after %d of %d steps", w.machine.Step(), len(w.steps))
	}
}

// advance finishes steps up to the n-th, as the controller must have seen them succeed.
func (w *world) advance(n int) {
	for w.machine.Step() < n {
		if w.broken {
			w.complain("went on after step %d, a fence that failed", w.machine.Step()+1)
		}
		if err := w.machine.Do(model.Action{Kind: model.Finish}); err != nil {
			w.complain("went on after step %d: %v", w.machine.Step()+1, err)
			return
		}
	}
	w.note()
}

// note takes over what the model finds.
func (w *world) note() {
	for _, v := range w.machine.Violations {
		w.complain("%v", v)
	}
	w.machine.Violations = nil
}

// arrives is called when a request has reached the switch; refused is an error that was injected in place of carrying it out.
func (w *world) arrives(m proto.Message, refused error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		w.complain("%v", err)
		return
	}
	next := w.machine != nil && w.begun < len(w.steps) && bytes.Equal(b, w.steps[w.begun])
	if next {
		w.advance(w.begun)
		w.begun++
		_, fence := m.(*p4v1.PacketOut)
		w.broken = fence && refused != nil
	}
	req, ok := m.(*p4v1.WriteRequest)
	if !ok {
		if _, install := m.(*p4v1.SetForwardingPipelineConfigRequest); !next && !install && !w.overdue[string(b)] {
			w.complain("a marker that is not the next step")
		}
		return
	}
	from := stray
	switch {
	case req.GetElectionId().GetLow() == w.outside:
		from = outsiders
	case next:
		from = planned
	case w.evicted != 0 && w.onlyEvicts(req):
		from = evicting
	}
	if from != outsiders {
		w.sent = append(w.sent, sentRequest{b, w.published()})
	}
	for i, u := range req.GetUpdates() {
		w.arrived[u] = arrival{from, i}
	}
}

func (w *world) onlyEvicts(req *p4v1.WriteRequest) bool {
	for _, u := range req.GetUpdates() {
		d, err := decodeUpdate(u)
		if err != nil || d.Kind != model.Delete || d.Key.VID != w.evicted {
			return false
		}
	}
	return true
}

// carriesOut is called just before the switch carries out an update.
func (w *world) carriesOut(_ int, u *p4v1.Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.arrived[u]
	d, err := decodeUpdate(u)
	switch {
	case !ok || err != nil:
		w.complain("an update from nowhere: %v", err)
		return
	case a.from == stray:
		w.complain("carried out: an update that belongs to nothing that may be sent now: %v", d)
	case a.from == planned && w.machine != nil:
		for n, x := range w.updates[w.begun-1] {
			if x.Index != a.index {
				continue
			}
			if err := w.machine.Do(model.Action{Kind: model.Apply, N: n}); err != nil {
				w.complain("update %d of step %d: %v", a.index, w.begun, err)
			}
		}
		if d.Kind != model.Scrub || a.index%16 == 0 {
			w.traffic()
		}
		w.note()
	case a.from == planned:
		w.complain("carried out: a plan's update when none is under way any more: %v", d)
	}
	_, exists := w.tables[d.Key]
	switch {
	case d.Kind == model.Scrub || exists == (d.Kind == model.Insert): // the switch refuses the latter
	case d.Kind == model.Delete:
		delete(w.tables, d.Key)
	default:
		w.tables[d.Key] = d.Entry
	}
	if w.changed != nil {
		w.changed(w.tables)
	}
}

// traffic lets a packet of every tenant arrive in the model, and those in flight touch slots at random.
func (w *world) traffic() {
	for _, t := range tenants {
		w.do(model.Action{Kind: model.Arrive, Key: model.Key{Control: specs.Ingress, VID: model.VID(t.VID)}})
	}
	flight := w.machine.InFlight()
	for _, id := range slices.Sorted(maps.Keys(flight)) {
		for stage, e := range flight[id].Entry {
			if e.Size == 0 || w.rnd.IntN(2) == 0 {
				continue
			}
			for _, i := range []int64{0, e.Size - 1, e.Size, w.rnd.Int64N(e.Size)} {
				w.do(model.Action{Kind: model.Touch, N: id, Stage: stage, Index: uint32(i)})
			}
		}
	}
}

func (w *world) do(a model.Action) {
	w.packets++
	if err := w.machine.Do(a); err != nil {
		w.complain("%v", err)
	}
}

// same compares the model's page tables with what was read from the switch.
func (w *world) same(read []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(read, &resp); err != nil {
		return err
	}
	if len(resp.GetEntities()) != len(w.tables) {
		return fmt.Errorf("the switch has %d page-table entries, the model %d", len(resp.GetEntities()), len(w.tables))
	}
	for _, e := range resp.GetEntities() {
		k, x := decodeEntry(e.GetTableEntry())
		if !slices.Equal(w.tables[k], x) {
			return fmt.Errorf("%v: the switch has %v, the model %v", k, x, w.tables[k])
		}
	}
	return nil
}

// decodeUpdate reads an update of a request to slots.p4.
// everySlot stands for the index of a scrub that has none.
const everySlot = -1

// every is an update as the model has it: of every slot of an array, one by one.
func every(u model.Update, slots map[model.Array]int64) []model.Update {
	if u.Kind != model.Scrub || u.Slot != everySlot {
		return []model.Update{u}
	}
	var out []model.Update
	for s := range slots[u.Array] {
		x := u
		x.Slot = s
		out = append(out, x)
	}
	return out
}

func decodeUpdate(u *p4v1.Update) (model.Update, error) {
	if r := u.GetEntity().GetRegisterEntry(); r != nil {
		stage, known := map[uint32]int{registerIDs[0]: 0, registerIDs[1]: 1}[r.GetRegisterId()]
		if !known || number(r.GetData().GetBitstring()) != 0 || u.GetType() != p4v1.Update_MODIFY {
			return model.Update{}, fmt.Errorf("not a scrub: %v", u)
		}
		slot := r.GetIndex().GetIndex()
		if r.GetIndex() == nil {
			slot = everySlot
		}
		return model.Update{Kind: model.Scrub, Array: model.Array{Control: specs.Ingress, Stage: stage}, Slot: slot}, nil
	}
	te := u.GetEntity().GetTableEntry()
	if te == nil || len(te.GetMatch()) != 1 {
		return model.Update{}, fmt.Errorf("not an update of a page table: %v", u)
	}
	k, e := decodeEntry(te)
	switch u.GetType() {
	case p4v1.Update_INSERT:
		return model.Update{Kind: model.Insert, Key: k, Entry: e}, nil
	case p4v1.Update_MODIFY:
		return model.Update{Kind: model.Modify, Key: k, Entry: e}, nil
	case p4v1.Update_DELETE:
		return model.Update{Kind: model.Delete, Key: k}, nil
	}
	return model.Update{}, fmt.Errorf("type %v", u.GetType())
}

func decodeEntry(te *p4v1.TableEntry) (model.Key, model.Entry) {
	params := map[uint32]uint64{}
	for _, p := range te.GetAction().GetAction().GetParams() {
		params[p.GetParamId()] = number(p.GetValue())
	}
	e := make(model.Entry, len(slotsOf))
	for s := range e {
		at := uint32(4 * s)
		e[s] = model.Extent{Base: int64(params[at+1]), Size: int64(params[at+2]), Mask: uint32(params[at+3]), Generation: uint16(params[at+4])}
	}
	return model.Key{Control: specs.Ingress, VID: model.VID(number(te.GetMatch()[0].GetExact().GetValue()))}, e
}

// The model complains of what it is there to complain of: a plan without its scrubs, a step that comes before its turn, one that nobody
// decided, and a tenant's entry deleted where another one's eviction was said.
func TestWorldCanary(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(in *plan.Input)
		resend func(steps []plan.Step) []plan.Step
		want   string
	}{
		{name: "good"},
		{name: "no scrub", spoil: func(in *plan.Input) { in.Steps = without(in.Steps, "scrub") }, want: "M2"},
		{name: "no second fence", spoil: func(in *plan.Input) {
			in.Steps = without(in.Steps, "fence: nobody acts on what was taken away")
		}, want: "M1"},
		{name: "before its turn", resend: func(s []plan.Step) []plan.Step { return s[1:] }, want: "belongs to nothing"},
		{name: "twice", resend: func(s []plan.Step) []plan.Step { return append(s[:2:2], s[1:]...) }, want: "belongs to nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, "testdata/slots.p4")
			w := newWorld(1, func() int64 { return 0 })
			r.faults.seen = w
			r.install()
			g := r.gate()
			in := r.plan(g.ElectionID(), first)
			if err := w.expect(in); err != nil {
				t.Fatal(err)
			}
			if _, err := g.Apply(t.Context(), r.clear(g, in)); err != nil {
				t.Fatal(err)
			}
			w.finished()
			if wrong := w.complaints(); len(wrong) > 0 {
				t.Fatal(wrong)
			}
			in = r.plan(r.election+1, second)
			if c.spoil != nil {
				c.spoil(in)
			}
			if err := w.expect(in); err != nil {
				t.Fatal(err)
			}
			steps := in.Steps
			if c.resend != nil {
				steps = c.resend(steps)
			}
			r.election++
			o := r.outsider(r.election) // sends what no gate would
			defer o.cancel()
			for _, s := range steps {
				if s.Kind == plan.Fence { // the model needs no marker to come back
					var out p4v1.PacketOut
					if err := proto.Unmarshal(s.Bytes, &out); err != nil {
						t.Fatal(err)
					}
					w.arrives(&out, nil)
					continue
				}
				var req p4v1.WriteRequest
				if err := proto.Unmarshal(s.Bytes, &req); err != nil {
					t.Fatal(err)
				}
				if _, err := o.rpc.Write(t.Context(), &req); err != nil {
					break
				}
			}
			if got := strings.Join(w.complaints(), "; "); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("complaints: %q, want %q", got, c.want)
			}
		})
	}
}
