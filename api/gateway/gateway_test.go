package gateway

import (
	"encoding/binary"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/p4rt"
	"github.com/interlock/interlock/specs"
)

// frame is a packet of kv's from one of its clients to 198.51.100.1, which kv knows as 10.0.0.1.
func frame() []byte {
	pkt := make([]byte, 18)
	copy(pkt, []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 100, 8, 0})
	ip := []byte{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 1, 0, 0, 198, 51, 100, 11, 198, 51, 100, 1}
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	for sum>>16 > 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum))
	return append(pkt, ip...)
}

// kv's controller writes an entry of its own table, by its own program's ids, and its packets are routed by it.
func TestEntryHasItsEffect(t *testing.T) {
	r := newRig(t)
	kv := r.tenant("kv")
	goes := func() (port uint16, to byte) {
		t.Helper()
		out, err := r.sw.Process(1, frame())
		if err != nil {
			t.Fatal(err)
		}
		if len(out) != 1 {
			return 0, 0
		}
		return out[0].Port, out[0].Packet[5]
	}
	if p, to := goes(); p != 2 || to != 2 {
		t.Fatalf("without a route: port %d, to %d", p, to)
	}
	kv.must(insert(kv.route(1, 1)))
	if p, to := goes(); p != 1 || to != 1 {
		t.Errorf("routed: port %d, to %d", p, to)
	}
	kv.must(modify(kv.route(1, 2)))
	if p, to := goes(); p != 2 || to != 1 {
		t.Errorf("routed elsewhere: port %d, to %d", p, to)
	}
	kv.must(modify(tableEntity(&p4v1.TableEntry{TableId: kv.table("KvIngress.routes"), IsDefaultAction: true, Action: does(kv.action("KvIngress.drop"))})))
	kv.must(remove(kv.route(1, 1)))
	if p, _ := goes(); p != 0 {
		t.Errorf("dropped by default: port %d", p)
	}
	kv.must(modify(tableEntity(&p4v1.TableEntry{TableId: kv.table("KvIngress.routes"), IsDefaultAction: true})))
	if p, to := goes(); p != 2 || to != 2 {
		t.Errorf("the program's default action: port %d, to %d", p, to)
	}
}

// What is read back is what was written, in the tenant's ids: of all its tables, of one, one entry, with counts; and nothing else.
func TestReadBack(t *testing.T) {
	r := newRig(t)
	kv, hh := r.tenant("kv"), r.tenant("hh")
	one, two := kv.route(1, 1), kv.route(2, 2)
	one.GetTableEntry().Metadata = []byte("mine")
	kv.must(insert(one), insert(two))
	canonical := func(e *p4v1.Entity) *p4v1.Entity {
		e = proto.CloneOf(e)
		p := e.GetTableEntry().GetAction().GetAction().GetParams()
		p[0].Value = p[0].Value[5:]
		return e
	}
	got := kv.reads(tableEntity(&p4v1.TableEntry{TableId: kv.table("KvIngress.routes")}))
	if len(got) != 2 || !proto.Equal(got[0], canonical(one)) && !proto.Equal(got[1], canonical(one)) {
		t.Errorf("%v", got)
	}
	if got := kv.reads(two); len(got) != 1 || !proto.Equal(got[0], canonical(two)) {
		t.Errorf("%v", got)
	}
	if got := kv.reads(kv.route(3, 1)); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if got := kv.reads(tableEntity(&p4v1.TableEntry{})); len(got) != 4 { // with two const entries of the other table
		t.Errorf("%d entries of all tables: %v", len(got), got)
	}
	if got := hh.reads(tableEntity(&p4v1.TableEntry{})); len(got) != 2 {
		t.Errorf("hh sees %v", got)
	}
	byAction := proto.CloneOf(two).GetTableEntry()
	byAction.Match, byAction.Action.GetAction().Params = nil, nil
	if got := kv.reads(tableEntity(byAction)); len(got) != 2 {
		t.Errorf("by action: %v", got)
	}
	if _, err := r.sw.Process(1, frame()); err != nil {
		t.Fatal(err)
	}
	counted := tableEntity(&p4v1.TableEntry{TableId: kv.table("KvIngress.routes"), Match: one.GetTableEntry().Match, CounterData: &p4v1.CounterData{}})
	if got := kv.reads(counted); len(got) != 1 || got[0].GetTableEntry().GetCounterData().GetPacketCount() != 1 {
		t.Errorf("counted: %v", got)
	}
	direct := directEntity(&p4v1.DirectCounterEntry{
		TableEntry: &p4v1.TableEntry{TableId: kv.table("KvIngress.routes"), Match: one.GetTableEntry().Match}, Data: &p4v1.CounterData{PacketCount: 70},
	})
	kv.must(modify(direct))
	if got := kv.reads(directEntity(&p4v1.DirectCounterEntry{})); len(got) != 2 || got[0].GetDirectCounterEntry().GetData().GetPacketCount()+
		got[1].GetDirectCounterEntry().GetData().GetPacketCount() != 70 {
		t.Errorf("direct counters: %v", got)
	}
	kv.must(modify(counterEntity(&p4v1.CounterEntry{CounterId: kv.counter("KvIngress.operations"), Index: &p4v1.Index{Index: 2}, Data: &p4v1.CounterData{PacketCount: 5}})))
	got = kv.reads(counterEntity(&p4v1.CounterEntry{}))
	if len(got) != 5 || got[2].GetCounterEntry().GetData().GetPacketCount() != 5 || got[2].GetCounterEntry().GetCounterId() != kv.counter("KvIngress.operations") {
		t.Errorf("counters: %v", got)
	}
	for _, e := range []*p4v1.Entity{
		{Entity: &p4v1.Entity_MeterEntry{MeterEntry: &p4v1.MeterEntry{}}},
		{Entity: &p4v1.Entity_DigestEntry{DigestEntry: &p4v1.DigestEntry{}}},
	} {
		if got := kv.reads(e); len(got) != 0 {
			t.Errorf("%v", got)
		}
	}
}

// hostile is what a tenant might try, and what it is answered.
var hostile = []struct {
	name string
	want codes.Code
	make func(r *rig, kv, hh *client) *p4v1.Update
}{
	{"another tenant's table, by its own id", codes.NotFound, func(_ *rig, _, hh *client) *p4v1.Update {
		return insert(tableEntity(&p4v1.TableEntry{TableId: hh.table("HhIngress.thresholds"), Match: []*p4v1.FieldMatch{lpm(1, 8, 10, 0, 0, 0)}}))
	}},
	{"another tenant's table, by its id in the linked program", codes.NotFound, func(r *rig, _, _ *client) *p4v1.Update {
		return insert(tableEntity(&p4v1.TableEntry{TableId: r.table("hh__HhIngress.thresholds"), Match: []*p4v1.FieldMatch{lpm(1, 8, 10, 0, 0, 0)}}))
	}},
	{"its own table, by its id in the linked program", codes.NotFound, func(r *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().TableId = r.table("kv__KvIngress.routes")
		return insert(e)
	}},
	{"the page table", codes.NotFound, func(r *rig, _, _ *client) *p4v1.Update { return insert(r.page(300, 64, 16, 0)) }},
	{"the admission table", codes.NotFound, func(r *rig, _, _ *client) *p4v1.Update { return remove(tableEntity(r.admitted(200))) }},
	{"a table of the system", codes.NotFound, func(r *rig, _, _ *client) *p4v1.Update {
		return insert(tableEntity(&p4v1.TableEntry{TableId: r.table("il_Ingress.il_l2")}))
	}},
	{"no table", codes.NotFound, func(*rig, *client, *client) *p4v1.Update { return insert(tableEntity(&p4v1.TableEntry{})) }},
	{"const entries", codes.PermissionDenied, func(_ *rig, kv, _ *client) *p4v1.Update {
		return insert(tableEntity(&p4v1.TableEntry{TableId: kv.table("KvIngress.other_side"), Action: does(kv.action("KvIngress.drop"))}))
	}},
	{"another tenant's action", codes.InvalidArgument, func(r *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().Action = does(r.actionID("hh__HhIngress.drop"))
		return insert(e)
	}},
	{"the system's action", codes.InvalidArgument, func(r *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().Action = does(r.actionID(specs.AdmitAction))
		return insert(e)
	}},
	{"an action of another table", codes.InvalidArgument, func(_ *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().Action = does(kv.action("KvIngress.to_server"))
		return insert(e)
	}},
	{"an action profile", codes.Unimplemented, func(_ *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().Action = &p4v1.TableAction{Type: &p4v1.TableAction_ActionProfileMemberId{ActionProfileMemberId: 1}}
		return insert(e)
	}},
	{"a wide value", codes.OutOfRange, func(_ *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().Action.GetAction().Params[1].Value = []byte{4, 0}
		return insert(e)
	}},
	{"a missing parameter", codes.InvalidArgument, func(_ *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().Action.GetAction().Params = nil
		return insert(e)
	}},
	{"a priority", codes.InvalidArgument, func(_ *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().Priority = 7
		return insert(e)
	}},
	{"a match of the wrong kind", codes.InvalidArgument, func(_ *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().Match[0].FieldMatchType = &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: []byte{10}}}
		return insert(e)
	}},
	{"a match without a kind", codes.InvalidArgument, func(_ *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().Match[0].FieldMatchType = nil
		return insert(e)
	}},
	{"bits after the prefix", codes.InvalidArgument, func(_ *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().Match[0].GetLpm().PrefixLen = 24
		return insert(e)
	}},
	{"a time-out", codes.Unimplemented, func(_ *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().IdleTimeoutNs = 1
		return insert(e)
	}},
	{"much metadata", codes.ResourceExhausted, func(_ *rig, kv, _ *client) *p4v1.Update {
		e := kv.route(1, 1)
		e.GetTableEntry().Metadata = make([]byte, 1000)
		return insert(e)
	}},
	{"the system's counter", codes.NotFound, func(r *rig, _, _ *client) *p4v1.Update {
		return modify(counterEntity(&p4v1.CounterEntry{CounterId: named(r.info.GetCounters(), specs.PacketsCounter).GetPreamble().GetId(), Data: &p4v1.CounterData{}}))
	}},
	{"past its counter", codes.OutOfRange, func(_ *rig, kv, _ *client) *p4v1.Update {
		return modify(counterEntity(&p4v1.CounterEntry{CounterId: kv.counter("KvIngress.operations"), Index: &p4v1.Index{Index: 100}, Data: &p4v1.CounterData{}}))
	}},
	{"a stage array", codes.NotFound, func(r *rig, _, _ *client) *p4v1.Update { return modify(cell(r.array(0), 130, 1)) }},
	{"another tenant's register", codes.NotFound, func(_ *rig, _, hh *client) *p4v1.Update { return modify(cell(hh.register("HhIngress.owners"), 0, 1)) }},
	{"every element of a register", codes.Unimplemented, func(_ *rig, kv, _ *client) *p4v1.Update {
		e := cell(kv.register("key_hi"), 0, 1)
		e.GetRegisterEntry().Index = nil
		return modify(e)
	}},
	{"past a register", codes.OutOfRange, func(_ *rig, kv, _ *client) *p4v1.Update { return modify(cell(kv.register("key_hi"), 16384, 1)) }},
	{"before a register", codes.InvalidArgument, func(_ *rig, kv, _ *client) *p4v1.Update { return modify(cell(kv.register("key_hi"), -1, 1)) }},
	{"an element of 40 bits", codes.OutOfRange, func(_ *rig, kv, _ *client) *p4v1.Update { return modify(cell(kv.register("key_hi"), 0, 1, 0, 0, 0, 0)) }},
	{"a register inserted", codes.InvalidArgument, func(_ *rig, kv, _ *client) *p4v1.Update { return insert(cell(kv.register("key_hi"), 0, 1)) }},
	{"a multicast group", codes.Unimplemented, func(*rig, *client, *client) *p4v1.Update {
		return insert(&p4v1.Entity{Entity: &p4v1.Entity_PacketReplicationEngineEntry{PacketReplicationEngineEntry: &p4v1.PacketReplicationEngineEntry{}}})
	}},
	{"a digest", codes.Unimplemented, func(*rig, *client, *client) *p4v1.Update {
		return insert(&p4v1.Entity{Entity: &p4v1.Entity_DigestEntry{DigestEntry: &p4v1.DigestEntry{DigestId: 1}}})
	}},
	{"no entity", codes.InvalidArgument, func(*rig, *client, *client) *p4v1.Update { return insert(nil) }},
	{"no type", codes.InvalidArgument, func(_ *rig, kv, _ *client) *p4v1.Update { return &p4v1.Update{Entity: kv.route(1, 1)} }},
}

// Whatever a tenant tries is refused with the code that says so, of the update that it is, and nothing is sent.
func TestHostileWrites(t *testing.T) {
	r := newRig(t)
	kv, hh := r.tenant("kv"), r.tenant("hh")
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			err := kv.write(c.make(r, kv, hh))
			es := p4rt.UpdateErrors(err)
			if status.Code(err) != codes.Unknown || len(es) != 1 || codes.Code(es[0].GetCanonicalCode()) != c.want {
				t.Errorf("%v, %v; want %v", err, es, c.want)
			} else {
				t.Log(es[0].GetMessage())
			}
			if us := r.seen(); len(us) > 0 {
				t.Errorf("sent: %v", us)
			}
		})
	}
	whole := func(name string, want codes.Code, change func(*p4v1.WriteRequest)) {
		t.Run(name, func(t *testing.T) {
			req := &p4v1.WriteRequest{DeviceId: deviceID, ElectionId: kv.election, Updates: []*p4v1.Update{insert(kv.route(1, 1))}}
			change(req)
			_, err := kv.rpc.Write(t.Context(), req)
			if status.Code(err) != want {
				t.Errorf("%v, want %v", err, want)
			}
			if us := r.seen(); len(us) > 0 {
				t.Errorf("sent: %v", us)
			}
		})
	}
	whole("another device", codes.NotFound, func(m *p4v1.WriteRequest) { m.DeviceId++ })
	whole("a role", codes.NotFound, func(m *p4v1.WriteRequest) { m.Role = "x" })
	whole("not the primary's id", codes.PermissionDenied, func(m *p4v1.WriteRequest) { m.ElectionId = &p4v1.Uint128{Low: 2} })
	whole("the gate's id", codes.PermissionDenied, func(m *p4v1.WriteRequest) { m.ElectionId = &p4v1.Uint128{Low: r.gate.ElectionID()} })
	whole("all or nothing", codes.Unimplemented, func(m *p4v1.WriteRequest) { m.Atomicity = p4v1.WriteRequest_ROLLBACK_ON_ERROR })
	whole("a huge batch", codes.ResourceExhausted, func(m *p4v1.WriteRequest) {
		for range 2000 {
			m.Updates = append(m.Updates, m.Updates[0])
		}
	})
	whole("an unknown field", codes.InvalidArgument, func(m *p4v1.WriteRequest) {
		m.Updates[0].Entity.GetTableEntry().ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 1000, protowire.VarintType), 1))
	})
	t.Run("a batch of good and bad", func(t *testing.T) {
		err := kv.write(insert(kv.route(1, 1)), insert(r.page(300, 64, 16, 0)), insert(kv.route(1, 2)), insert(kv.route(2, 2)))
		var got []codes.Code
		for _, e := range p4rt.UpdateErrors(err) {
			got = append(got, codes.Code(e.GetCanonicalCode()))
		}
		if len(got) != 4 || got[0] != codes.OK || got[1] != codes.NotFound || got[2] != codes.AlreadyExists || got[3] != codes.OK {
			t.Errorf("%v", got)
		}
		if us := r.seen(); len(us) != 3 {
			t.Errorf("%d updates were sent", len(us))
		}
	})
}

// A tenant reads what is its own, and learns of nothing else.
func TestHostileReads(t *testing.T) {
	r := newRig(t)
	kv, hh := r.tenant("kv"), r.tenant("hh")
	for _, c := range []struct {
		name   string
		want   codes.Code
		entity *p4v1.Entity
	}{
		{"another tenant's table", codes.NotFound, tableEntity(&p4v1.TableEntry{TableId: r.table("hh__HhIngress.thresholds")})},
		{"the page table", codes.NotFound, tableEntity(&p4v1.TableEntry{TableId: r.table(specs.PageTable(specs.Ingress))})},
		{"another tenant's counter", codes.NotFound, counterEntity(&p4v1.CounterEntry{CounterId: hh.counter("HhIngress.traffic") | 1<<20})},
		{"the system's counter", codes.NotFound, counterEntity(&p4v1.CounterEntry{CounterId: named(r.info.GetCounters(), specs.HitsCounter).GetPreamble().GetId()})},
		{"a stage array", codes.NotFound, cell(r.array(0), 130)},
		{"all with a filter", codes.InvalidArgument, tableEntity(&p4v1.TableEntry{Priority: 1})},
		{"replication", codes.Unimplemented, &p4v1.Entity{Entity: &p4v1.Entity_PacketReplicationEngineEntry{PacketReplicationEngineEntry: &p4v1.PacketReplicationEngineEntry{}}}},
		{"a meter", codes.Unimplemented, &p4v1.Entity{Entity: &p4v1.Entity_MeterEntry{MeterEntry: &p4v1.MeterEntry{MeterId: 1}}}},
		{"nothing", codes.InvalidArgument, &p4v1.Entity{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := kv.read(c.entity)
			es := p4rt.UpdateErrors(err)
			if len(got) > 0 || len(es) != 1 || codes.Code(es[0].GetCanonicalCode()) != c.want {
				t.Errorf("%v, %v, %v; want %v", got, err, es, c.want)
			}
		})
	}
	hh.must(insert(tableEntity(&p4v1.TableEntry{
		TableId: hh.table("HhIngress.thresholds"), Match: []*p4v1.FieldMatch{lpm(1, 8, 10, 0, 0, 0)}, Action: does(hh.action("HhIngress.watch"), []byte{9}),
	})))
	hh.must(modify(cell(hh.register("HhIngress.owners"), 0, 9)))
	for _, e := range kv.reads(tableEntity(&p4v1.TableEntry{}), counterEntity(&p4v1.CounterEntry{}), directEntity(&p4v1.DirectCounterEntry{}), cell(kv.register("key_hi"), 0)) {
		if te := e.GetTableEntry(); te != nil && identified(kv.info.GetTables(), te.GetTableId()) == nil {
			t.Errorf("kv is shown %v", e)
		}
		if c := e.GetCounterEntry(); c != nil && c.GetCounterId() != kv.counter("KvIngress.operations") {
			t.Errorf("kv is shown %v", e)
		}
	}
}
