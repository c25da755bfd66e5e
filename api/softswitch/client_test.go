package softswitch

import (
	"context"
	"net"
	"os"
	"testing"
	"time"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testDevice = 7

// A controller is a P4Runtime client of the switch under test, over a real connection.
type controller struct {
	t    testing.TB
	conn *grpc.ClientConn
	rpc  p4v1.P4RuntimeClient
	info *configv1.P4Info
	text []byte
	id   *p4v1.Uint128
}

// serve starts a switch on loopback.
func serve(t testing.TB, opts Options) (*Switch, *controller) {
	t.Helper()
	opts.DeviceID = testDevice
	s := New(opts)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, dial(t, l.Addr().String())
}

func dial(t testing.TB, addr string) *controller {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	text, err := os.ReadFile("testdata/switch.p4")
	if err != nil {
		t.Fatal(err)
	}
	c := &controller{t: t, conn: conn, rpc: p4v1.NewP4RuntimeClient(conn)}
	c.use(text)
	return c
}

// use makes the program with that text the one that is installed, and that names refer to.
func (c *controller) use(text []byte) {
	c.t.Helper()
	p, err := newProgram(text, environment{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.info, c.text = p.info, text
}

// A session is one open stream.
type session struct {
	*controller
	stream p4v1.P4Runtime_StreamChannelClient
	cancel context.CancelFunc
}

func (c *controller) open() *session {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	stream, err := c.rpc.StreamChannel(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(cancel)
	return &session{c, stream, cancel}
}

// arbitrate sends an election id and returns the answer.
func (s *session) arbitrate(high, low uint64) *p4v1.MasterArbitrationUpdate {
	s.t.Helper()
	s.sendArbitration(high, low)
	return s.arbitration()
}

func (s *session) sendArbitration(high, low uint64) {
	s.t.Helper()
	u := &p4v1.MasterArbitrationUpdate{DeviceId: testDevice}
	if high|low != 0 {
		u.ElectionId = &p4v1.Uint128{High: high, Low: low}
	}
	err := s.stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Arbitration{Arbitration: u}})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) arbitration() *p4v1.MasterArbitrationUpdate {
	s.t.Helper()
	m := s.recv()
	if m.GetArbitration() == nil {
		s.t.Fatalf("got %v, want an arbitration update", m)
	}
	return m.GetArbitration()
}

func (s *session) recv() *p4v1.StreamMessageResponse {
	s.t.Helper()
	m, err := s.stream.Recv()
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func (s *session) packetOut(pkt []byte) {
	s.t.Helper()
	err := s.stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Packet{Packet: &p4v1.PacketOut{Payload: pkt}}})
	if err != nil {
		s.t.Fatal(err)
	}
}

// primary opens a stream, becomes primary with election id low, and installs the test program.
func (c *controller) primary(low uint64) *session {
	c.t.Helper()
	s := c.open()
	if a := s.arbitrate(0, low); a.GetStatus().GetCode() != int32(codes.OK) {
		c.t.Fatalf("not primary: %v", a)
	}
	c.id = &p4v1.Uint128{Low: low}
	if err := c.setPipeline(p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT, c.config(1)); err != nil {
		c.t.Fatal(err)
	}
	return s
}

func (c *controller) config(cookie uint64) *p4v1.ForwardingPipelineConfig {
	return &p4v1.ForwardingPipelineConfig{
		P4Info: c.info, P4DeviceConfig: c.text, Cookie: &p4v1.ForwardingPipelineConfig_Cookie{Cookie: cookie},
	}
}

func (c *controller) setPipeline(a p4v1.SetForwardingPipelineConfigRequest_Action, conf *p4v1.ForwardingPipelineConfig) error {
	_, err := c.rpc.SetForwardingPipelineConfig(context.Background(), &p4v1.SetForwardingPipelineConfigRequest{
		DeviceId: testDevice, ElectionId: c.id, Action: a, Config: conf,
	})
	return err
}

func (c *controller) write(updates ...*p4v1.Update) error {
	return c.writeAs(p4v1.WriteRequest_CONTINUE_ON_ERROR, updates...)
}

func (c *controller) writeAs(a p4v1.WriteRequest_Atomicity, updates ...*p4v1.Update) error {
	_, err := c.rpc.Write(context.Background(), &p4v1.WriteRequest{
		DeviceId: testDevice, ElectionId: c.id, Updates: updates, Atomicity: a,
	})
	return err
}

func (c *controller) mustWrite(updates ...*p4v1.Update) {
	c.t.Helper()
	if err := c.write(updates...); err != nil {
		c.t.Fatalf("%v: %v", err, updateErrors(err))
	}
}

func (c *controller) read(entities ...*p4v1.Entity) ([]*p4v1.Entity, error) {
	conn, err := c.rpc.Read(context.Background(), &p4v1.ReadRequest{DeviceId: testDevice, Entities: entities})
	if err != nil {
		return nil, err
	}
	var all []*p4v1.Entity
	for {
		m, err := conn.Recv()
		if err != nil {
			if err.Error() == "EOF" {
				return all, nil
			}
			return all, err
		}
		all = append(all, m.GetEntities()...)
	}
}

func (c *controller) mustRead(e *p4v1.Entity) []*p4v1.Entity {
	c.t.Helper()
	all, err := c.read(e)
	if err != nil {
		c.t.Fatalf("%v: %v", err, updateErrors(err))
	}
	return all
}

// updateErrors unpacks the per-update errors of a batch.
func updateErrors(err error) []codes.Code {
	var cs []codes.Code
	for _, d := range status.Convert(err).Details() {
		if e, ok := d.(*p4v1.Error); ok {
			cs = append(cs, codes.Code(e.GetCanonicalCode()))
		}
	}
	return cs
}

func (c *controller) tableID(name string) uint32 {
	for _, t := range c.info.GetTables() {
		if t.GetPreamble().GetName() == name {
			return t.GetPreamble().GetId()
		}
	}
	c.t.Fatalf("no table %s", name)
	return 0
}

func (c *controller) actionID(name string) uint32 {
	for _, a := range c.info.GetActions() {
		if a.GetPreamble().GetName() == name {
			return a.GetPreamble().GetId()
		}
	}
	c.t.Fatalf("no action %s", name)
	return 0
}

// action calls an action with byte strings for its parameters, in order.
func (c *controller) action(name string, params ...[]byte) *p4v1.TableAction {
	a := &p4v1.Action{ActionId: c.actionID(name)}
	for i, p := range params {
		a.Params = append(a.Params, &p4v1.Action_Param{ParamId: uint32(i + 1), Value: p})
	}
	return &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: a}}
}

func exact(id uint32, v ...byte) *p4v1.FieldMatch {
	return &p4v1.FieldMatch{FieldId: id, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: v}}}
}

func lpm(id uint32, n int32, v ...byte) *p4v1.FieldMatch {
	return &p4v1.FieldMatch{FieldId: id, FieldMatchType: &p4v1.FieldMatch_Lpm{Lpm: &p4v1.FieldMatch_LPM{Value: v, PrefixLen: n}}}
}

func ternary(id uint32, v, mask []byte) *p4v1.FieldMatch {
	return &p4v1.FieldMatch{FieldId: id, FieldMatchType: &p4v1.FieldMatch_Ternary_{
		Ternary: &p4v1.FieldMatch_Ternary{Value: v, Mask: mask},
	}}
}

func ranged(id uint32, lo, hi byte) *p4v1.FieldMatch {
	return &p4v1.FieldMatch{FieldId: id, FieldMatchType: &p4v1.FieldMatch_Range_{
		Range: &p4v1.FieldMatch_Range{Low: []byte{lo}, High: []byte{hi}},
	}}
}

func entity(te *p4v1.TableEntry) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: te}}
}

func update(t p4v1.Update_Type, te *p4v1.TableEntry) *p4v1.Update {
	return &p4v1.Update{Type: t, Entity: entity(te)}
}

func (c *controller) cell(i int64, v ...byte) *p4v1.Update {
	e := &p4v1.RegisterEntry{
		RegisterId: c.info.GetRegisters()[0].GetPreamble().GetId(),
		Data:       &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: v}},
	}
	if i >= 0 {
		e.Index = &p4v1.Index{Index: i}
	}
	return &p4v1.Update{Type: p4v1.Update_MODIFY, Entity: &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: e}}}
}

// frame is an Ethernet frame.
func ethernet(dst, src byte, etherType uint16, payload ...byte) []byte {
	b := []byte{0, 0, 0, 0, 0, dst, 0, 0, 0, 0, 0, src, byte(etherType >> 8), byte(etherType)}
	return append(b, payload...)
}

func marker(nonce byte) []byte { return ethernet(0, 0, 0x88B5, 0, 0, 0, 0, 0, 0, 0, nonce) }
