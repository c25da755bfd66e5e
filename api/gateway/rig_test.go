package gateway

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/api/p4rt"
	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/request"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const deviceID = 1

var tenants = []plan.Tenant{{Name: "kv", VID: 100}, {Name: "hh", VID: 200}, {Name: "fw", VID: 300}}

// A rig is the embedded switch with the quickstart, its gate, and a gateway with a socket for each tenant.
type rig struct {
	t       testing.TB
	linked  []byte
	info    *configv1.P4Info // of the linked program
	sw      *softswitch.Switch
	addr    string
	gate    *gate.Gate
	gateway *Gateway
	dir     string // of the sockets
	// independent decides what arrives at the switch once more, apart from the gate.
	independent map[string]*request.Scope

	mu      sync.Mutex
	arrived []*p4v1.Update // at the switch
	hold    func()         // is called with each update; nil: nothing
	onRead  func()         // is called with each read of registers
	spoil   func(*p4v1.ReadResponse)
}

func newRig(t testing.TB) *rig { return newRigOn(t, "") }

// newRigOn has the switch run the linked program with another beginning.
func newRigOn(t testing.TB, beginning string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), independent: map[string]*request.Scope{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	r.linked, err = os.ReadFile("../../linker/testdata/quickstart/linked.p4")
	must(err)
	p, err := request.Read(r.linked, tenants)
	must(err)
	r.info = p.Info()
	sources := map[string]Source{}
	for _, x := range tenants {
		sources[x.Name] = r.source(x.Name)
		r.independent[x.Name], err = p.Scope(x.Name)
		must(err)
	}
	r.sw = softswitch.New(softswitch.Options{
		DeviceID: deviceID,
		OnUpdate: func(_ int, u *p4v1.Update) error {
			r.mu.Lock()
			r.arrived = append(r.arrived, proto.CloneOf(u))
			hold := r.hold
			r.mu.Unlock()
			if hold != nil {
				hold()
			}
			return nil
		},
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	r.addr = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.sw.Serve(ctx, l, grpc.StreamInterceptor(r.intercept)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		r.sw.Close()
	})
	r.install(append([]byte(beginning), r.linked...))
	r.gate, err = gate.Open(t.Context(), gate.Config{
		Target:  device.Target{Name: "s1", Driver: "softswitch", Address: r.addr, DeviceID: deviceID},
		Tenants: tenants, Patience: 2 * time.Second,
	}, 2)
	must(err)
	t.Cleanup(func() { r.gate.Close() })
	r.gateway, err = New(Config{Gate: r.gate, Linked: r.linked, Manifest: r.manifest(), DeviceID: deviceID, Sources: sources})
	must(err)
	ls, err := r.gateway.Sockets(r.dir)
	must(err)
	r.serve(ls...)
	r.seen()
	return r
}

func (r *rig) manifest() *manifest.Manifest {
	r.t.Helper()
	m, err := manifest.Load("../../linker/testdata/quickstart/manifest.json")
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

func (r *rig) source(tenant string) Source {
	r.t.Helper()
	path := filepath.Join("../../testdata/tenants", tenant+".p4")
	text, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	return Source{path, text}
}

// outside changes the switch behind the gate's back.
func (r *rig) outside(us ...*p4v1.Update) {
	r.t.Helper()
	if err := r.sw.Apply(us); err != nil {
		r.t.Error(err)
	}
}

// onCells sets what happens before a read of registers is answered.
func (r *rig) onCells(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onRead = f
}

func (r *rig) intercept(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return handle(srv, &watched{s, r})
}

// watched is a stream on which reads of registers are noticed.
type watched struct {
	grpc.ServerStream
	r *rig
}

func (w *watched) RecvMsg(m any) error {
	err := w.ServerStream.RecvMsg(m)
	req, ok := m.(*p4v1.ReadRequest)
	w.r.mu.Lock()
	f := w.r.onRead
	w.r.mu.Unlock()
	if ok && f != nil && len(req.GetEntities()) > 0 && req.GetEntities()[0].GetRegisterEntry() != nil {
		f()
	}
	return err
}

// SendMsg changes what is answered, if that is wanted.
func (w *watched) SendMsg(m any) error {
	w.r.mu.Lock()
	f := w.r.spoil
	w.r.mu.Unlock()
	if resp, ok := m.(*p4v1.ReadResponse); ok && f != nil {
		f(resp)
	}
	return w.ServerStream.SendMsg(m)
}

// serve runs the gateway on listeners until the test ends.
func (r *rig) serve(ls ...*Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.gateway.Serve(ctx, ls...) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	})
}

// seen returns what has arrived at the switch since it was asked last.
func (r *rig) seen() []*p4v1.Update {
	r.mu.Lock()
	defer r.mu.Unlock()
	us := r.arrived
	r.arrived = nil
	return us
}

// install puts the program on the switch without the gate, admits everybody, and gives kv 16 slots from 64 on, hh 8 from 128 on.
func (r *rig) install(text []byte) {
	o := r.dial(r.addr, insecure.NewCredentials(), 1)
	defer o.cancel()
	_, err := o.rpc.SetForwardingPipelineConfig(r.t.Context(), &p4v1.SetForwardingPipelineConfigRequest{
		DeviceId: deviceID, ElectionId: o.election, Action: p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT,
		Config: &p4v1.ForwardingPipelineConfig{
			P4Info: r.info, P4DeviceConfig: text, Cookie: &p4v1.ForwardingPipelineConfig_Cookie{Cookie: gate.Cookie(r.linked)},
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, x := range tenants {
		o.must(insert(tableEntity(r.admitted(x.VID))))
	}
	o.must(insert(r.page(100, 64, 16, 0)), insert(r.page(200, 128, 8, 0)))
}

func vid(v uint16) []*p4v1.FieldMatch {
	b := []byte{byte(v >> 8), byte(v)}
	return []*p4v1.FieldMatch{{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: bytes.TrimLeft(b, "\x00")}}}}
}

func (r *rig) admitted(v uint16) *p4v1.TableEntry {
	return &p4v1.TableEntry{TableId: r.table(specs.AdmissionTable), Match: vid(v), Action: does(r.actionID(specs.AdmitAction))}
}

// page is a page-table entry with the same extent in every stage.
func (r *rig) page(v uint16, base, size, generation byte) *p4v1.Entity {
	a := does(r.actionID(specs.MapAction(specs.Ingress)))
	for k := range 5 {
		for i, x := range []byte{base, size, size - 1, generation} {
			x := &p4v1.Action_Param{ParamId: uint32(4*k + i + 1), Value: []byte{x}}
			a.GetAction().Params = append(a.GetAction().Params, x)
		}
	}
	return tableEntity(&p4v1.TableEntry{TableId: r.table(specs.PageTable(specs.Ingress)), Match: vid(v), Action: a})
}

func does(id uint32, params ...[]byte) *p4v1.TableAction {
	a := &p4v1.Action{ActionId: id}
	for i, v := range params {
		a.Params = append(a.Params, &p4v1.Action_Param{ParamId: uint32(i + 1), Value: v})
	}
	return &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: a}}
}

func (r *rig) table(name string) uint32 { return named(r.info.GetTables(), name).GetPreamble().GetId() }

func (r *rig) actionID(name string) uint32 {
	return named(r.info.GetActions(), name).GetPreamble().GetId()
}

func (r *rig) array(k int) uint32 {
	return named(r.info.GetRegisters(), specs.StageArray(specs.Ingress, k)).GetPreamble().GetId()
}

func insert(e *p4v1.Entity) *p4v1.Update { return &p4v1.Update{Type: p4v1.Update_INSERT, Entity: e} }

func modify(e *p4v1.Entity) *p4v1.Update { return &p4v1.Update{Type: p4v1.Update_MODIFY, Entity: e} }

func remove(e *p4v1.Entity) *p4v1.Update { return &p4v1.Update{Type: p4v1.Update_DELETE, Entity: e} }

// A client is an ordinary P4Runtime client.
type client struct {
	t        testing.TB
	rpc      p4v1.P4RuntimeClient
	stream   p4v1.P4Runtime_StreamChannelClient
	election *p4v1.Uint128
	info     *configv1.P4Info // of its switch, when it was asked
	cancel   func()
}

func (r *rig) dial(address string, creds credentials.TransportCredentials, election uint64) *client {
	r.t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds))
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &client{t: r.t, rpc: p4v1.NewP4RuntimeClient(conn), election: &p4v1.Uint128{Low: election}}
	c.cancel = sync.OnceFunc(func() { cancel(); conn.Close() })
	r.t.Cleanup(c.cancel)
	if c.stream, err = c.rpc.StreamChannel(ctx); err != nil {
		r.t.Fatal(err)
	}
	if election > 0 {
		if a := c.arbitrate(election); a.GetStatus().GetCode() != int32(codes.OK) {
			r.t.Fatalf("arbitration: %v", a)
		}
	}
	return c
}

func (c *client) arbitrate(election uint64) *p4v1.MasterArbitrationUpdate {
	c.t.Helper()
	if err := c.stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Arbitration{
		Arbitration: &p4v1.MasterArbitrationUpdate{DeviceId: deviceID, ElectionId: &p4v1.Uint128{Low: election}},
	}}); err != nil {
		c.t.Fatal(err)
	}
	m, err := c.stream.Recv()
	if err != nil {
		c.t.Fatal(err)
	}
	return m.GetArbitration()
}

// tenant is a client on a tenant's socket, with the P4Info that it gets there.
func (r *rig) tenant(name string) *client {
	r.t.Helper()
	c := r.dial("unix:"+filepath.Join(r.dir, name+".sock"), insecure.NewCredentials(), 1)
	resp, err := c.rpc.GetForwardingPipelineConfig(r.t.Context(), &p4v1.GetForwardingPipelineConfigRequest{DeviceId: deviceID})
	if err != nil {
		r.t.Fatal(err)
	}
	c.info = resp.GetConfig().GetP4Info()
	return c
}

func (c *client) write(us ...*p4v1.Update) error {
	_, err := c.rpc.Write(context.Background(), &p4v1.WriteRequest{DeviceId: deviceID, ElectionId: c.election, Updates: us})
	return err
}

func (c *client) must(us ...*p4v1.Update) {
	c.t.Helper()
	if err := c.write(us...); err != nil {
		c.t.Fatal(err, p4rt.UpdateErrors(err))
	}
}

func (c *client) read(es ...*p4v1.Entity) ([]*p4v1.Entity, error) {
	s, err := c.rpc.Read(context.Background(), &p4v1.ReadRequest{DeviceId: deviceID, Entities: es})
	if err != nil {
		return nil, err
	}
	var got []*p4v1.Entity
	for {
		m, err := s.Recv()
		if err != nil {
			if status.Code(err) == codes.Unknown && err.Error() == "EOF" {
				return got, nil
			}
			return got, err
		}
		got = append(got, m.GetEntities()...)
	}
}

func (c *client) reads(es ...*p4v1.Entity) []*p4v1.Entity {
	c.t.Helper()
	got, err := c.read(es...)
	if err != nil {
		c.t.Fatal(err, p4rt.UpdateErrors(err))
	}
	return got
}

func (c *client) table(name string) uint32 {
	return named(c.info.GetTables(), name).GetPreamble().GetId()
}

func (c *client) action(name string) uint32 {
	return named(c.info.GetActions(), name).GetPreamble().GetId()
}

func (c *client) register(name string) uint32 {
	return named(c.info.GetRegisters(), name).GetPreamble().GetId()
}

func (c *client) counter(name string) uint32 {
	return named(c.info.GetCounters(), name).GetPreamble().GetId()
}

// route is an entry of kv's table of routes, for 10.0.0.N/32: to a port of its own switch.
func (c *client) route(n, port byte) *p4v1.Entity {
	return tableEntity(&p4v1.TableEntry{
		TableId: c.table("KvIngress.routes"), Match: []*p4v1.FieldMatch{lpm(1, 32, 10, 0, 0, n)},
		Action: does(c.action("KvIngress.route"), []byte{0, 0, 0, 0, 0, n}, []byte{port}),
	})
}

func lpm(field uint32, bits int32, v ...byte) *p4v1.FieldMatch {
	return &p4v1.FieldMatch{FieldId: field, FieldMatchType: &p4v1.FieldMatch_Lpm{Lpm: &p4v1.FieldMatch_LPM{Value: v, PrefixLen: bits}}}
}

func cell(register uint32, i int64, v ...byte) *p4v1.Entity {
	e := &p4v1.RegisterEntry{RegisterId: register, Index: &p4v1.Index{Index: i}}
	if v != nil {
		e.Data = &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: v}}
	}
	return registerEntity(e)
}

func cells(register uint32) *p4v1.Entity {
	return registerEntity(&p4v1.RegisterEntry{RegisterId: register})
}
