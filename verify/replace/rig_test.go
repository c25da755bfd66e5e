package replace_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/replacement"
	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/softswitch"
	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/replace"
)

// A guest is a tenant of a site that is linked for a test.
type guest struct {
	name    string
	vid     uint16
	program string // of testdata, or another path
	port    int    // its ports are this one and the next
}

// The guests of most tests.
var (
	ann = guest{"ann", 10, "kinds.p4", 1}
	bob = guest{"bob", 20, "kinds.p4", 3}
	cyd = guest{"cyd", 30, "../../../linker/testdata/egress.p4", 5}
)

// linkSite links guests into one program. slots is the size of stage arrays.
func linkSite(t testing.TB, slots int, guests ...guest) []byte {
	t.Helper()
	text := fmt.Sprintf(`apiVersion: interlock/v1alpha1
kind: Site
metadata: {name: test}
policy: builtin:drf
solvers: [{name: z3}]
ledger: {dir: ledger}
switches:
  - {name: s1, target: tofino-like, driver: softswitch, address: "127.0.0.1:9559", deviceId: 1, ports: [1, 2, 3, 4, 5, 6, 7, 8], slots: %d}
tenants:
`, slots)
	for _, g := range guests {
		program := g.program
		if !filepath.IsAbs(program) {
			var err error
			if program, err = filepath.Abs(filepath.Join("testdata", g.program)); err != nil {
				t.Fatal(err)
			}
		}
		text += fmt.Sprintf("  - {name: %s, vid: %d, program: %q, ports: {1: %d, 2: %d}}\n", g.name, g.vid, program, g.port, g.port+1)
	}
	s, err := site.Parse("site.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	l, err := linker.Link(t.Context(), s, linker.Options{Entitler: linker.Unlimited{}})
	if err != nil {
		t.Fatal(err)
	}
	return l.P4
}

// tenants are guests as plans name them.
func tenants(guests []guest) []plan.Tenant {
	var ts []plan.Tenant
	for _, g := range guests {
		ts = append(ts, plan.Tenant{Name: g.name, VID: g.vid})
	}
	return ts
}

// election is the id that every test's controller has.
const election = 7

// A lab is an embedded switch with one controller, which writes what it likes.
type lab struct {
	t      testing.TB
	sw     *softswitch.Switch
	rpc    p4v1.P4RuntimeClient
	reader *device.Reader
}

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{t: t, sw: softswitch.New(softswitch.Options{DeviceID: 1})}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() {
		if err := l.sw.Serve(ctx, lis); err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	l.rpc = p4v1.NewP4RuntimeClient(conn)
	if l.reader, err = device.Dial(device.Target{Name: "s1", Driver: "softswitch", Address: lis.Addr().String(), DeviceID: 1}); err != nil {
		t.Fatal(err)
	}
	stream, err := l.rpc.StreamChannel(ctx)
	if err == nil {
		err = stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Arbitration{
			Arbitration: &p4v1.MasterArbitrationUpdate{DeviceId: 1, ElectionId: &p4v1.Uint128{Low: election}},
		}})
	}
	if err == nil {
		_, err = stream.Recv()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.reader.Close()
		conn.Close()
		cancel()
		served.Wait()
		l.sw.Close()
	})
	return l
}

// carryOut sends the steps, one after the other.
func (l *lab) carryOut(steps []replace.Step) {
	l.t.Helper()
	for i, s := range steps {
		var err error
		if s.Kind == replace.Commit {
			var req p4v1.SetForwardingPipelineConfigRequest
			if err = proto.Unmarshal(s.Bytes, &req); err == nil {
				_, err = l.rpc.SetForwardingPipelineConfig(l.t.Context(), &req)
			}
		} else {
			var req p4v1.WriteRequest
			if err = proto.Unmarshal(s.Bytes, &req); err == nil {
				_, err = l.rpc.Write(l.t.Context(), &req)
			}
		}
		if err != nil {
			l.t.Fatalf("step %d (%s): %v", i+1, s.Note, err)
		}
	}
}

func (l *lab) pipeline() *device.Pipeline {
	l.t.Helper()
	p, err := l.reader.Pipeline(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return p
}

// everything reads what lasts.
func (l *lab) everything() []byte {
	l.t.Helper()
	b, err := l.reader.Everything(l.t.Context(), l.pipeline().P4Info)
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

// close empties the admission table.
func (l *lab) close() {
	l.t.Helper()
	b, err := l.reader.Admission(l.t.Context(), l.pipeline().P4Info)
	if err != nil {
		l.t.Fatal(err)
	}
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(b, &resp); err != nil {
		l.t.Fatal(err)
	}
	for _, e := range resp.GetEntities() {
		l.update(p4v1.Update_DELETE, e)
	}
}

func (l *lab) update(kind p4v1.Update_Type, e *p4v1.Entity) {
	l.t.Helper()
	if _, err := l.rpc.Write(l.t.Context(), &p4v1.WriteRequest{
		DeviceId: 1, ElectionId: &p4v1.Uint128{Low: election}, Updates: []*p4v1.Update{{Type: kind, Entity: e}},
	}); err != nil {
		l.t.Fatal(err)
	}
}

// install brings the first program.
func (l *lab) install(linked []byte, guests ...guest) {
	l.t.Helper()
	in, err := planner().Propose(wanted(linked, guests), replacement.From{})
	if err != nil {
		l.t.Fatal(err)
	}
	l.carryOut(in.Steps)
}

func wanted(linked []byte, guests []guest) replacement.Wanted {
	return replacement.Wanted{Switch: "s1", DeviceID: 1, ElectionID: election, Linked: linked, Tenants: tenants(guests)}
}

// mapped gives a tenant an extent in every stage of a control.
func (l *lab) mapped(linked []byte, control specs.Control, vid uint16, base, size int64, generation uint16) {
	l.t.Helper()
	codec, err := alloc.CodecOf(linked)
	if err != nil {
		l.t.Fatal(err)
	}
	e := make(alloc.Entry, codec.Stages(control))
	for k := range e {
		e[k] = alloc.Mapping{Base: base, Size: size, Mask: alloc.DirectMask, Generation: generation}
	}
	b, err := codec.Encode(alloc.Tables{{Control: control, VID: vid}: e})
	if err != nil {
		l.t.Fatal(err)
	}
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(b, &resp); err != nil {
		l.t.Fatal(err)
	}
	l.update(p4v1.Update_INSERT, resp.GetEntities()[0])
}

// named finds a table or action in P4Info by the end of its name.
func (l *lab) named(tenant, name string) uint32 {
	l.t.Helper()
	info := l.pipeline().P4Info
	var pre []*configv1.Preamble
	for _, x := range info.GetTables() {
		pre = append(pre, x.GetPreamble())
	}
	for _, x := range info.GetActions() {
		pre = append(pre, x.GetPreamble())
	}
	for _, p := range pre {
		if p.GetName() == specs.TenantPrefix(tenant)+"I."+name {
			return p.GetId()
		}
	}
	l.t.Fatalf("%s has no %s", tenant, name)
	return 0
}

func does(action uint32, params ...byte) *p4v1.TableAction {
	a := &p4v1.Action{ActionId: action}
	for i, p := range params {
		a.Params = append(a.Params, &p4v1.Action_Param{ParamId: uint32(i + 1), Value: []byte{p}})
	}
	return &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: a}}
}

func entryOf(e *p4v1.TableEntry) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: e}}
}

// populate gives a tenant that runs kinds.p4 some of every kind of state.
func (l *lab) populate(g guest, keys ...byte) {
	l.t.Helper()
	for _, k := range keys {
		l.update(p4v1.Update_INSERT, entryOf(&p4v1.TableEntry{
			TableId: l.named(g.name, "routes"), Action: does(l.named(g.name, "send"), 2),
			Match: []*p4v1.FieldMatch{{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: []byte{k}}}}},
		}))
	}
	l.update(p4v1.Update_INSERT, entryOf(&p4v1.TableEntry{
		TableId: l.named(g.name, "filter"), Action: does(l.named(g.name, "deny")), Priority: 9, Metadata: []byte("why"),
		Match: []*p4v1.FieldMatch{
			{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Ternary_{Ternary: &p4v1.FieldMatch_Ternary{Value: []byte{0x80}, Mask: []byte{0xf0}}}},
			{FieldId: 2, FieldMatchType: &p4v1.FieldMatch_Range_{Range: &p4v1.FieldMatch_Range{Low: []byte{0}, High: []byte{40}}}},
		},
	}))
	l.update(p4v1.Update_MODIFY, entryOf(&p4v1.TableEntry{
		TableId: l.named(g.name, "routes"), IsDefaultAction: true, Action: does(l.named(g.name, "deny")),
	}))
}

// A probe is a packet of a tenant that runs kinds.p4, and its answer.
type probe struct {
	passed     bool
	value      uint32
	hit        bool
	generation uint16
}

func (l *lab) probe(g guest, write bool, key byte, slot uint16, value uint32) probe {
	l.t.Helper()
	pkt := make([]byte, 18, 64)
	pkt[12], pkt[13] = 0x81, 0
	binary.BigEndian.PutUint16(pkt[14:], g.vid)
	pkt[16], pkt[17] = 0x12, 0x34
	op := byte(0)
	if write {
		op = 1
	}
	pkt = append(pkt, op, 0, key)
	pkt = binary.BigEndian.AppendUint16(pkt, slot)
	pkt = binary.BigEndian.AppendUint32(pkt, value)
	pkt = append(pkt, 0, 0, 0)
	out, err := l.sw.Process(uint16(g.port), pkt)
	if err != nil || len(out) > 1 {
		l.t.Fatalf("a packet of %s: %v, %v", g.name, out, err)
	}
	if len(out) == 0 {
		return probe{}
	}
	p := out[0].Packet
	return probe{true, binary.BigEndian.Uint32(p[23:]), p[29] == 1, binary.BigEndian.Uint16(p[27:])}
}
