package gate_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/policy"
)

const deviceID = 1

// The tenants of testdata/slots.p4.
var tenants = []plan.Tenant{{Name: "ann", VID: 10}, {Name: "bob", VID: 20}, {Name: "cyd", VID: 4094}}

// faults are what goes wrong in the switch: hooks that tests set while it runs.
type faults struct {
	mu      sync.Mutex
	request func(proto.Message) error
	update  func(int, *p4v1.Update) error
	reply   func(proto.Message) error
	// call stands between the network and the server: it decides whether and when a request is handled, and answered.
	call func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error)
	seen *world // nil: nobody watches
	// spoil may change an update when everybody has seen it: what is carried out is not what was asked for.
	spoil func(*p4v1.Update)
}

// intercept passes a request through the call hook.
func (f *faults) intercept(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	f.mu.Lock()
	call := f.call
	f.mu.Unlock()
	if call == nil {
		return handle(ctx, req)
	}
	return call(ctx, req, handle)
}

func (f *faults) setCall(call func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.call = call
}

func (f *faults) onRequest(m proto.Message) error {
	h, _, _ := f.hooks()
	var err error
	if h != nil {
		err = h(m)
	}
	if f.seen != nil {
		f.seen.arrives(m, err)
	}
	return err
}

func (f *faults) onUpdate(i int, u *p4v1.Update) error {
	if _, h, _ := f.hooks(); h != nil {
		if err := h(i, u); err != nil {
			return err
		}
	}
	if f.seen != nil {
		f.seen.carriesOut(i, u)
	}
	f.mu.Lock()
	spoil := f.spoil
	f.mu.Unlock()
	if spoil != nil {
		spoil(u)
	}
	return nil
}

// setSpoil changes the hook.
func (f *faults) setSpoil(spoil func(*p4v1.Update)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.spoil = spoil
}

func (f *faults) set(request func(proto.Message) error, update func(int, *p4v1.Update) error, reply func(proto.Message) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.request, f.update, f.reply = request, update, reply
}

func (f *faults) hooks() (func(proto.Message) error, func(int, *p4v1.Update) error, func(proto.Message) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.request, f.update, f.reply
}

// A rig is a switch that serves P4Runtime on loopback, a ledger on disk, and what plans for them are made of.
type rig struct {
	t       testing.TB
	name    string // of the switch
	program []byte
	codec   *alloc.Codec
	faults  *faults
	addr    string
	sw      *softswitch.Switch
	stop    func() // the switch's death
	unplug  func() // it lives on, and cannot be reached until serve
	log     *ledger.Log
	dir     string // of the ledger
	now     time.Time

	published map[*edition]bool      // whose proof is in the ledger
	admission *policy.Admission      // what the policy lets tenants have; nil: everything
	shares    map[string]*gate.Share // published, by their digests and solvers
	election  uint64                 // the last one used
	nonce     uint64
}

func newRig(t testing.TB, path string) *rig {
	t.Helper()
	r := newSwitch(t, "s1", path)
	if err := ledger.Create(r.dir, "interlock/test"); err != nil {
		t.Fatal(err)
	}
	r.openLedger()
	t.Cleanup(func() { r.log.Close() })
	return r
}

// newSwitch is a rig without a ledger.
func newSwitch(t testing.TB, name, path string) *rig {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := alloc.CodecOf(text)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, name: name, program: text, codec: codec, faults: &faults{}, now: time.Unix(1_700_000_000, 0), dir: filepath.Join(t.TempDir(), "ledger")}
	r.addr = "127.0.0.1:0"
	r.boot()
	t.Cleanup(func() { r.stop() })
	return r
}

// newSlots is a rig that runs testdata/slots.p4 already.
func newSlots(t testing.TB) *rig {
	t.Helper()
	r := newRig(t, "testdata/slots.p4")
	r.install()
	return r
}

// boot starts an empty switch, on the address of the one before if there was one.
func (r *rig) boot() {
	r.t.Helper()
	f := r.faults
	sw := softswitch.New(softswitch.Options{
		DeviceID: deviceID, OnRequest: f.onRequest, OnUpdate: f.onUpdate,
		OnReply: func(m proto.Message) error {
			if _, _, h := f.hooks(); h != nil {
				return h(m)
			}
			return nil
		},
	})
	r.sw = sw
	r.serve()
	r.stop = sync.OnceFunc(func() {
		r.unplug()
		if err := sw.Close(); err != nil {
			r.t.Error(err)
		}
	})
}

// serve plugs the switch into the network, at the address that it had before if there is one.
func (r *rig) serve() {
	r.t.Helper()
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	sw := r.sw
	go func() { done <- sw.Serve(ctx, l, grpc.UnaryInterceptor(r.faults.intercept)) }()
	r.unplug = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	})
}

func (r *rig) openLedger() {
	r.t.Helper()
	log, err := ledger.Open(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	r.log = log
}

func (r *rig) target() device.Target {
	return device.Target{Name: r.name, Driver: "softswitch", Address: r.addr, DeviceID: deviceID}
}

func (r *rig) config() gate.Config {
	return gate.Config{
		Tenants: tenants,
		Target:  r.target(), Ledger: r.log, Decider: solver(r.t, "z3"), Required: []string{"z3"}, Who: "test",
		Now: func() time.Time { return r.now },
	}
}

// gate opens a gate with a new election id; it is closed with the test.
func (r *rig) gate() *gate.Gate {
	r.t.Helper()
	r.election++
	g, err := r.open(r.t.Context(), r.config(), r.election)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { g.Close() })
	return g
}

// An outsider is another controller: it writes past the gate.
type outsider struct {
	t      testing.TB
	rpc    p4v1.P4RuntimeClient
	id     *p4v1.Uint128
	cancel func()
}

// outsider takes mastership with the given election id.
func (r *rig) outsider(election uint64) *outsider {
	r.t.Helper()
	conn, err := grpc.NewClient(r.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	o := &outsider{t: r.t, rpc: p4v1.NewP4RuntimeClient(conn), id: &p4v1.Uint128{Low: election}}
	o.cancel = func() { cancel(); conn.Close() }
	r.t.Cleanup(o.cancel)
	stream, err := o.rpc.StreamChannel(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Arbitration{
		Arbitration: &p4v1.MasterArbitrationUpdate{DeviceId: deviceID, ElectionId: o.id},
	}}); err != nil {
		r.t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		r.t.Fatal(err)
	}
	return o
}

func (o *outsider) write(updates ...*p4v1.Update) {
	o.t.Helper()
	if _, err := o.rpc.Write(o.t.Context(), &p4v1.WriteRequest{DeviceId: deviceID, ElectionId: o.id, Updates: updates}); err != nil {
		o.t.Fatal(err)
	}
}

// install puts the program on the switch without the gate, as an installation that was proved long ago would have.
func (r *rig) install() {
	r.t.Helper()
	loaded, diags := p4.Load("linked.p4", r.program)
	if err := diags.Err(); err != nil {
		r.t.Fatal(err)
	}
	info, diags := p4info.Generate(loaded)
	if err := diags.Err(); err != nil {
		r.t.Fatal(err)
	}
	r.election++
	o := r.outsider(r.election)
	defer o.cancel()
	_, err := o.rpc.SetForwardingPipelineConfig(r.t.Context(), &p4v1.SetForwardingPipelineConfigRequest{
		DeviceId: deviceID, ElectionId: o.id, Action: p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT,
		Config: &p4v1.ForwardingPipelineConfig{
			P4Info: info, P4DeviceConfig: r.program, Cookie: &p4v1.ForwardingPipelineConfig_Cookie{Cookie: gate.Cookie(r.program)},
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// state reads the page tables back: what the switch says, and what it means.
func (r *rig) state() ([]byte, alloc.Tables) {
	r.t.Helper()
	d, err := device.Dial(r.target())
	if err != nil {
		r.t.Fatal(err)
	}
	defer d.Close()
	p, err := d.Pipeline(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	b, err := d.PageTables(r.t.Context(), p.P4Info)
	if err != nil {
		r.t.Fatal(err)
	}
	tables, err := r.codec.Decode(b)
	if err != nil {
		r.t.Fatal(err)
	}
	return b, tables
}

// context is what plans for a gate with that election id share.
func (r *rig) context(election uint64) *alloc.Context {
	declared, err := device.DeclaredPrimitives("softswitch")
	if err != nil {
		r.t.Fatal(err)
	}
	c := &alloc.Context{
		Switch: r.name, DeviceID: deviceID, ElectionID: election, Linked: r.program, Codec: r.codec, Tenants: tenants,
		Policy: string(digestOf(r.t, r.admitted())), Limits: r.limits(),
		Primitives: declared.Proof, Nonce: func() uint64 { r.nonce++; return r.nonce },
	}
	return c
}

// limits are the whole of each stage array, for everybody.
func (r *rig) limits() []plan.Limit {
	var out []plan.Limit
	for _, t := range tenants {
		for a, n := range r.codec.Slots() {
			out = append(out, plan.Limit{VID: t.VID, Control: a.Control, Stage: a.Stage, Ceiling: n})
		}
	}
	return out
}

// layout of slots.p4: by tenant, the extents in its two stages.
type layout map[uint16][2]alloc.Extent

// goal is the tables that a layout asks for, after pre.
func (r *rig) goal(pre alloc.Tables, want layout) alloc.Tables {
	r.t.Helper()
	l, registers := alloc.Layout{}, map[uint16][]alloc.Register{}
	for v, es := range want {
		l[v] = map[alloc.Array]alloc.Extent{}
		for s, e := range es {
			a := alloc.Array{Control: "ingress", Stage: s}
			l[v][a] = e
			registers[v] = append(registers[v], alloc.Register{Array: a, Max: 64})
		}
	}
	goal, err := alloc.Goal(r.codec, pre, l, registers)
	if err != nil {
		r.t.Fatal(err)
	}
	return goal
}

// plan is the recipe's plan from the switch's present state.
func (r *rig) plan(election uint64, want layout) *plan.Input {
	r.t.Helper()
	pre, tables := r.state()
	in, err := r.context(election).Build(pre, r.goal(tables, want), false)
	if err != nil {
		r.t.Fatal(err)
	}
	if in == nil {
		r.t.Fatal("the plan is empty")
	}
	return in
}

func (r *rig) prove(in *plan.Input) *gate.Proof {
	r.t.Helper()
	p, err := gate.ProvePlan(r.t.Context(), plan.NewEncoder(1), solver(r.t, "z3"), in, []string{"z3"}, r.now, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// clear proves a plan and has it cleared.
func (r *rig) clear(g *gate.Gate, in *plan.Input) *gate.Clearance {
	r.t.Helper()
	c, err := g.ClearProvedPlan(r.t.Context(), in, r.prove(in))
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// apply plans, proves and applies, and wants all of it to go well.
func (r *rig) apply(g *gate.Gate, want layout) {
	r.t.Helper()
	if _, err := g.Apply(r.t.Context(), r.clear(g, r.plan(g.ElectionID(), want))); err != nil {
		r.t.Fatal(err)
	}
}

// entries reads the ledger as an auditor does and wants no findings but those that are expected.
func (r *rig) entries(expected ...string) []check.Entry {
	r.t.Helper()
	if err := r.log.Publish(); err != nil {
		r.t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(r.dir, "key.pub"))
	if err != nil {
		r.t.Fatal(err)
	}
	l, err := check.Read(r.dir, string(key))
	if err != nil {
		r.t.Fatal(err)
	}
	if len(l.Findings) != len(expected) {
		r.t.Fatalf("findings in the ledger: %v, want %v", l.Findings, expected)
	}
	return slices.Clone(l.Entries)
}

// lastOutcome is the ledger's last entry, which must be an outcome.
func (r *rig) lastOutcome() *check.Outcome {
	r.t.Helper()
	es := r.entries()
	if len(es) == 0 || es[len(es)-1].Outcome == nil {
		r.t.Fatal("the ledger's last entry is no outcome")
	}
	return es[len(es)-1].Outcome
}

// access sends a tenant's packet through the switch: a write of value, or a read. It returns what was there before.
func (r *rig) access(vid uint16, write bool, stage byte, index, value uint32) (found uint32, hit bool, generation uint16) {
	r.t.Helper()
	pkt := make([]byte, 18, 64)
	pkt[12], pkt[13] = 0x81, 0
	binary.BigEndian.PutUint16(pkt[14:], vid)
	op := byte(0)
	if write {
		op = 1
	}
	pkt = append(pkt, op, stage)
	pkt = binary.BigEndian.AppendUint32(pkt, index)
	pkt = binary.BigEndian.AppendUint32(pkt, value)
	pkt = append(pkt, 0, 0, 0)
	out, err := r.sw.Process(1, pkt)
	if err != nil || len(out) != 1 || out[0].Port != 2 || len(out[0].Packet) != len(pkt) {
		r.t.Fatalf("a tenant's packet: %v, %v", out, err)
	}
	p := out[0].Packet
	return binary.BigEndian.Uint32(p[24:]), p[28] == 1, binary.BigEndian.Uint16(p[29:])
}

// unsafe is the oracle, which shares nothing with the gate: it reads the page-table entries as protobuf and says which of
// DESIGN.md's M1, M3 and M4 do not hold in them.
func unsafe(tables []byte, slots map[int]uint64) error {
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(tables, &resp); err != nil {
		return err
	}
	owner := map[[2]uint64]uint64{} // stage and slot -> VID
	for _, e := range resp.GetEntities() {
		te := e.GetTableEntry()
		vid := number(te.GetMatch()[0].GetExact().GetValue())
		registered := false
		for _, t := range tenants {
			registered = registered || uint64(t.VID) == vid
		}
		if !registered {
			return fmt.Errorf("VID %d is nobody's", vid)
		}
		params := map[uint32]uint64{}
		for _, p := range te.GetAction().GetAction().GetParams() {
			params[p.GetParamId()] = number(p.GetValue())
		}
		for stage := range len(slots) {
			base, size := params[uint32(4*stage+1)], params[uint32(4*stage+2)]
			for s := base; s < base+size; s++ {
				if s >= slots[stage] {
					return fmt.Errorf("stage %d: VID %d has slot %d of %d", stage, vid, s, slots[stage])
				}
				if o, taken := owner[[2]uint64{uint64(stage), s}]; taken {
					return fmt.Errorf("stage %d: slot %d is both VID %d's and VID %d's", stage, s, o, vid)
				}
				owner[[2]uint64{uint64(stage), s}] = vid
			}
		}
	}
	return nil
}

func number(b []byte) (v uint64) {
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

// slotsOf are the sizes of slots.p4's stages.
var slotsOf = map[int]uint64{0: 48, 1: 32}

func (r *rig) mustBeSafe() {
	r.t.Helper()
	b, _ := r.state()
	if err := unsafe(b, slotsOf); err != nil {
		r.t.Errorf("the switch is not safe: %v", err)
	}
}

func keyOf(vid uint16) alloc.Key { return alloc.Key{Control: "ingress", VID: vid} }

// stateDigest names the switch's state as the ledger does.
func (r *rig) stateDigest() verify.Digest {
	r.t.Helper()
	d, err := device.Dial(r.target())
	if err != nil {
		r.t.Fatal(err)
	}
	defer d.Close()
	s, err := gate.StateDigest(r.t.Context(), d)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// lastState is the state that the ledger's last outcome left, "" if there is none.
func (r *rig) lastState() verify.Digest {
	r.t.Helper()
	for _, e := range slices.Backward(r.entries()) {
		if e.Outcome != nil && e.Outcome.Switch == r.name {
			return verify.Digest(e.Outcome.PostState)
		}
	}
	return ""
}

// entriesDamaged wants the ledger to have a finding.
func (r *rig) entriesDamaged() {
	r.t.Helper()
	if err := r.log.Publish(); err != nil {
		r.t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(r.dir, "key.pub"))
	if err != nil {
		r.t.Fatal(err)
	}
	l, err := check.Read(r.dir, string(key))
	if err != nil || len(l.Findings) == 0 {
		r.t.Fatalf("no finding: %v", err)
	}
}
