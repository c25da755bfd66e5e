package request

import (
	"errors"
	"os"
	"strings"
	"testing"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
)

const (
	device   = 7
	election = 11
)

// A bench is the linked quickstart, seen by one tenant.
type bench struct {
	t       testing.TB
	program *Program
	scope   *Scope
	state   State
}

func newBench(t testing.TB, tenant string) *bench {
	t.Helper()
	text, err := os.ReadFile("../../linker/testdata/quickstart/linked.p4")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(text, []plan.Tenant{{Name: "kv", VID: 100}, {Name: "hh", VID: 200}, {Name: "fw", VID: 300}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Scope(tenant)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, program: p, scope: s, state: State{DeviceID: device, ElectionID: election, Entries: map[uint32]int64{}}}
	for id := range s.tables {
		b.state.Entries[id] = 0
	}
	b.state.Pages = b.page(s.tenant.VID, 64, 16)
	return b
}

// id of an object of the linked program.
func (b *bench) id(name string) uint32 {
	b.t.Helper()
	for _, x := range b.program.info.GetTables() {
		if x.GetPreamble().GetName() == name {
			return x.GetPreamble().GetId()
		}
	}
	for _, x := range b.program.info.GetActions() {
		if x.GetPreamble().GetName() == name {
			return x.GetPreamble().GetId()
		}
	}
	for _, x := range b.program.info.GetCounters() {
		if x.GetPreamble().GetName() == name {
			return x.GetPreamble().GetId()
		}
	}
	for _, x := range b.program.info.GetRegisters() {
		if x.GetPreamble().GetName() == name {
			return x.GetPreamble().GetId()
		}
	}
	b.t.Fatalf("no %s", name)
	return 0
}

// page is a tenant's page-table entry, with the same extent in every stage.
func (b *bench) page(vid uint16, base, size byte) []byte {
	b.t.Helper()
	a := &p4v1.Action{ActionId: b.id(specs.MapAction(specs.Ingress))}
	for k := range 5 {
		for i, v := range [][]byte{{base}, {size}, {size - 1}, {0}} {
			a.Params = append(a.Params, &p4v1.Action_Param{ParamId: uint32(4*k + i + 1), Value: v})
		}
	}
	key := []byte{byte(vid >> 8), byte(vid)}
	if key[0] == 0 {
		key = key[1:]
	}
	return marshal(b.t, &p4v1.ReadResponse{Entities: []*p4v1.Entity{tableEntity(&p4v1.TableEntry{
		TableId: b.id(specs.PageTable(specs.Ingress)), Match: []*p4v1.FieldMatch{exact(1, key...)}, Action: does(a),
	})}})
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func tableEntity(e *p4v1.TableEntry) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: e}}
}

func registerEntity(e *p4v1.RegisterEntry) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: e}}
}

func counterEntity(e *p4v1.CounterEntry) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: e}}
}

func directEntity(e *p4v1.DirectCounterEntry) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_DirectCounterEntry{DirectCounterEntry: e}}
}

func does(a *p4v1.Action) *p4v1.TableAction {
	return &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: a}}
}

func exact(field uint32, v ...byte) *p4v1.FieldMatch {
	return &p4v1.FieldMatch{FieldId: field, FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: v}}}
}

func lpm(n int32, v ...byte) *p4v1.FieldMatch {
	return &p4v1.FieldMatch{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Lpm{Lpm: &p4v1.FieldMatch_LPM{Value: v, PrefixLen: n}}}
}

func ternary(field uint32, v, mask []byte) *p4v1.FieldMatch {
	return &p4v1.FieldMatch{FieldId: field, FieldMatchType: &p4v1.FieldMatch_Ternary_{Ternary: &p4v1.FieldMatch_Ternary{Value: v, Mask: mask}}}
}

func update(t p4v1.Update_Type, e *p4v1.Entity) *p4v1.Update { return &p4v1.Update{Type: t, Entity: e} }

func write(us ...*p4v1.Update) *p4v1.WriteRequest {
	return &p4v1.WriteRequest{DeviceId: device, ElectionId: &p4v1.Uint128{Low: election}, Updates: us}
}

// good is a request of kv's with an update of every kind that a tenant may write.
func (b *bench) good() *p4v1.WriteRequest {
	routes := b.id("kv__KvIngress.routes")
	route := &p4v1.Action{ActionId: b.id("kv__KvIngress.route"), Params: []*p4v1.Action_Param{{ParamId: 1, Value: []byte{2, 0}}, {ParamId: 2, Value: []byte{1, 0xff}}}}
	return write(
		update(p4v1.Update_INSERT, tableEntity(&p4v1.TableEntry{TableId: routes, Match: []*p4v1.FieldMatch{lpm(8, 10, 0, 0, 0)}, Action: does(route)})),
		update(p4v1.Update_MODIFY, tableEntity(&p4v1.TableEntry{TableId: routes, IsDefaultAction: true, Action: does(&p4v1.Action{ActionId: b.id("NoAction")})})),
		update(p4v1.Update_DELETE, tableEntity(&p4v1.TableEntry{TableId: routes, Match: []*p4v1.FieldMatch{lpm(32, 11, 0, 0, 1)}})),
		update(p4v1.Update_MODIFY, directEntity(&p4v1.DirectCounterEntry{
			TableEntry: &p4v1.TableEntry{TableId: routes, Match: []*p4v1.FieldMatch{lpm(8, 10, 0, 0, 0)}}, Data: &p4v1.CounterData{PacketCount: 1},
		})),
		update(p4v1.Update_MODIFY, counterEntity(&p4v1.CounterEntry{
			CounterId: b.id("kv__KvIngress.operations"), Index: &p4v1.Index{Index: 4}, Data: &p4v1.CounterData{},
		})),
		update(p4v1.Update_MODIFY, registerEntity(&p4v1.RegisterEntry{
			RegisterId: b.id(specs.StageArray(specs.Ingress, 2)), Index: &p4v1.Index{Index: 79},
			Data: &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: []byte{9}}},
		})),
	)
}

func TestWrite(t *testing.T) {
	b := newBench(t, "kv")
	e, err := b.scope.Write(marshal(t, b.good()), b.state)
	if err != nil {
		t.Fatal(err)
	}
	routes := b.id("kv__KvIngress.routes")
	if got := e.After(map[uint32]int64{routes: 3}, func(int) bool { return true }); got[routes] != 3 {
		t.Errorf("an insert and a delete make %d of 3 entries", got[routes])
	}
	if got := e.After(map[uint32]int64{routes: 3}, func(i int) bool { return i != 2 }); got[routes] != 4 {
		t.Errorf("an insert makes %d of 3 entries", got[routes])
	}
	fw := newBench(t, "fw")
	rules := &p4v1.TableEntry{
		TableId: fw.id("fw__FwIngress.rules"), Priority: 3, Match: []*p4v1.FieldMatch{ternary(2, []byte{80}, []byte{0xff})},
		Action: does(&p4v1.Action{ActionId: fw.scope.any(fw.id("fw__FwIngress.rules"))}),
	}
	if _, err := fw.scope.Write(marshal(t, write(update(p4v1.Update_INSERT, tableEntity(rules)))), fw.state); err != nil {
		t.Error(err)
	}
}

// any is some action without parameters that entries of a table may have.
func (s *Scope) any(table uint32) uint32 {
	for id, a := range s.tables[table].actions {
		if len(a.params) == 0 && a.onEntry {
			return id
		}
	}
	return 0
}

// Every change of a good request that makes it say more than the tenant may, or something else, is refused.
func TestWriteRefuses(t *testing.T) {
	b := newBench(t, "kv")
	entry := func(m *p4v1.WriteRequest) *p4v1.TableEntry { return m.Updates[0].Entity.GetTableEntry() }
	params := func(m *p4v1.WriteRequest) []*p4v1.Action_Param { return entry(m).Action.GetAction().Params }
	slot := func(m *p4v1.WriteRequest) *p4v1.RegisterEntry { return m.Updates[5].Entity.GetRegisterEntry() }
	for _, c := range []struct {
		name, want string
		change     func(*p4v1.WriteRequest)
	}{
		{"device", "device 8", func(m *p4v1.WriteRequest) { m.DeviceId++ }},
		{"election", "election id", func(m *p4v1.WriteRequest) { m.ElectionId.Low++ }},
		{"high election", "election id", func(m *p4v1.WriteRequest) { m.ElectionId.High++ }},
		{"no election", "election id", func(m *p4v1.WriteRequest) { m.ElectionId = nil }},
		{"role", "role", func(m *p4v1.WriteRequest) { m.Role = "x" }},
		{"atomicity", "atomicity", func(m *p4v1.WriteRequest) { m.Atomicity = p4v1.WriteRequest_DATAPLANE_ATOMIC }},
		{"no updates", "no updates", func(m *p4v1.WriteRequest) { m.Updates = nil }},
		{"many updates", "T2", func(m *p4v1.WriteRequest) {
			for len(m.Updates) <= MaxUpdates {
				m.Updates = append(m.Updates, m.Updates[2])
			}
		}},
		{"long", "T2", func(m *p4v1.WriteRequest) { entry(m).Metadata = make([]byte, MaxBytes) }},
		{"metadata", "T2", func(m *p4v1.WriteRequest) { entry(m).Metadata = make([]byte, MaxMetadata+1) }},
		{"no type", "type", func(m *p4v1.WriteRequest) { m.Updates[0].Type = 0 }},
		{"odd type", "type", func(m *p4v1.WriteRequest) { m.Updates[0].Type = 9 }},
		{"no entity", "no tenant writes", func(m *p4v1.WriteRequest) { m.Updates[0].Entity = nil }},
		{"table of another tenant", "not the tenant's", func(m *p4v1.WriteRequest) { entry(m).TableId = b.id("hh__HhIngress.thresholds") }},
		{"page table", "not the tenant's", func(m *p4v1.WriteRequest) { entry(m).TableId = b.id(specs.PageTable(specs.Ingress)) }},
		{"admission table", "not the tenant's", func(m *p4v1.WriteRequest) { entry(m).TableId = b.id(specs.AdmissionTable) }},
		{"system table", "not the tenant's", func(m *p4v1.WriteRequest) { entry(m).TableId = b.id("il_Ingress.il_l2") }},
		{"no table", "not the tenant's", func(m *p4v1.WriteRequest) { entry(m).TableId = 0 }},
		{"const table", "const", func(m *p4v1.WriteRequest) { entry(m).TableId = b.id("kv__KvIngress.other_side") }},
		{"action of another tenant", "no action", func(m *p4v1.WriteRequest) { entry(m).Action.GetAction().ActionId = b.id("hh__HhIngress.drop") }},
		{"system action", "no action", func(m *p4v1.WriteRequest) { entry(m).Action.GetAction().ActionId = b.id(specs.AdmitAction) }},
		{"own action of another table", "no action", func(m *p4v1.WriteRequest) { entry(m).Action.GetAction().ActionId = b.id("kv__KvIngress.to_server") }},
		{"no action", "one action", func(m *p4v1.WriteRequest) { entry(m).Action = nil }},
		{"member", "one action", func(m *p4v1.WriteRequest) {
			entry(m).Action = &p4v1.TableAction{Type: &p4v1.TableAction_ActionProfileMemberId{ActionProfileMemberId: 1}}
		}},
		{"wide parameter", "does not fit", func(m *p4v1.WriteRequest) { params(m)[1].Value = []byte{2, 0} }},
		{"empty parameter", "empty", func(m *p4v1.WriteRequest) { params(m)[1].Value = nil }},
		{"padded parameter", "leading zero", func(m *p4v1.WriteRequest) { params(m)[1].Value = []byte{0, 1} }},
		{"missing parameter", "parameters", func(m *p4v1.WriteRequest) { entry(m).Action.GetAction().Params = params(m)[:1] }},
		{"parameter twice", "twice", func(m *p4v1.WriteRequest) { params(m)[1].ParamId = 1 }},
		{"other parameter", "none of its", func(m *p4v1.WriteRequest) { params(m)[1].ParamId = 3 }},
		{"priority", "priority", func(m *p4v1.WriteRequest) { entry(m).Priority = 1 }},
		{"negative priority", "priority", func(m *p4v1.WriteRequest) { entry(m).Priority = -1 }},
		{"match kind", "wrong kind", func(m *p4v1.WriteRequest) { entry(m).Match[0] = exact(1, 10) }},
		{"no match kind", "wrong kind", func(m *p4v1.WriteRequest) { entry(m).Match[0].FieldMatchType = nil }},
		{"field", "none of its", func(m *p4v1.WriteRequest) { entry(m).Match[0].FieldId = 2 }},
		{"field twice", "twice", func(m *p4v1.WriteRequest) { entry(m).Match = append(entry(m).Match, entry(m).Match[0]) }},
		{"long prefix", "prefix", func(m *p4v1.WriteRequest) { entry(m).Match[0].GetLpm().PrefixLen = 33 }},
		{"no prefix", "prefix", func(m *p4v1.WriteRequest) { entry(m).Match[0].GetLpm().PrefixLen = 0 }},
		{"bits after the prefix", "after the prefix", func(m *p4v1.WriteRequest) { entry(m).Match[0].GetLpm().PrefixLen = 6 }},
		{"wide match", "does not fit", func(m *p4v1.WriteRequest) { entry(m).Match[0].GetLpm().Value = []byte{1, 0, 0, 0, 0} }},
		{"time-out", "idle_timeout_ns", func(m *p4v1.WriteRequest) { entry(m).IdleTimeoutNs = 1 }},
		{"const", "is_const", func(m *p4v1.WriteRequest) { entry(m).IsConst = true }},
		{"meter", "meter_config", func(m *p4v1.WriteRequest) { entry(m).MeterConfig = &p4v1.MeterConfig{} }},
		{"negative count", "negative", func(m *p4v1.WriteRequest) { entry(m).CounterData = &p4v1.CounterData{ByteCount: -1} }},
		{"default inserted", "only MODIFY", func(m *p4v1.WriteRequest) { m.Updates[1].Type = p4v1.Update_INSERT }},
		{"default with a key", "match", func(m *p4v1.WriteRequest) { m.Updates[1].Entity.GetTableEntry().Match = entry(m).Match }},
		{"delete with an action", "action", func(m *p4v1.WriteRequest) { m.Updates[2].Entity.GetTableEntry().Action = entry(m).Action }},
		{"direct counter of another", "not the tenant's", func(m *p4v1.WriteRequest) {
			m.Updates[3].Entity.GetDirectCounterEntry().TableEntry.TableId = b.id("fw__FwIngress.rules")
		}},
		{"direct counter of none", "no direct counter", func(m *p4v1.WriteRequest) {
			m.Updates[3].Entity.GetDirectCounterEntry().TableEntry.TableId = b.id("kv__KvIngress.other_side")
		}},
		{"direct counter inserted", "only MODIFY", func(m *p4v1.WriteRequest) { m.Updates[3].Type = p4v1.Update_INSERT }},
		{"counter of another", "not the tenant's", func(m *p4v1.WriteRequest) {
			m.Updates[4].Entity.GetCounterEntry().CounterId = b.id(specs.PacketsCounter)
		}},
		{"every counter", "not the tenant's", func(m *p4v1.WriteRequest) { m.Updates[4].Entity.GetCounterEntry().CounterId = 0 }},
		{"past the counter", "index 5", func(m *p4v1.WriteRequest) { m.Updates[4].Entity.GetCounterEntry().Index.Index = 5 }},
		{"slot before the extent", "slot 63", func(m *p4v1.WriteRequest) { slot(m).Index.Index = 63 }},
		{"slot after the extent", "slot 80", func(m *p4v1.WriteRequest) { slot(m).Index.Index = 80 }},
		{"every slot", "whole stage array", func(m *p4v1.WriteRequest) { slot(m).Index = nil }},
		{"another register", "no stage array", func(m *p4v1.WriteRequest) { slot(m).RegisterId++ }},
		{"wide value", "does not fit", func(m *p4v1.WriteRequest) {
			slot(m).Data.GetData().(*p4v1.P4Data_Bitstring).Bitstring = []byte{1, 0, 0, 0, 0}
		}},
		{"no value", "bit string", func(m *p4v1.WriteRequest) { slot(m).Data = nil }},
		{"replication", "no tenant writes", func(m *p4v1.WriteRequest) {
			m.Updates[0].Entity.Entity = &p4v1.Entity_PacketReplicationEngineEntry{PacketReplicationEngineEntry: &p4v1.PacketReplicationEngineEntry{}}
		}},
		{"digest", "no tenant writes", func(m *p4v1.WriteRequest) {
			m.Updates[0].Entity.Entity = &p4v1.Entity_DigestEntry{DigestEntry: &p4v1.DigestEntry{DigestId: 1}}
		}},
		{"unknown field", "unknown field", func(m *p4v1.WriteRequest) {
			entry(m).ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 1000, protowire.VarintType), 1))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := b.good()
			c.change(m)
			_, err := b.scope.Write(marshal(t, m), b.state)
			var bad *Error
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	t.Run("order of fields", func(t *testing.T) {
		bytes := marshal(t, b.good())
		again := append(bytes[2:len(bytes):len(bytes)], bytes[:2]...) // device_id, field 1, at the end
		if _, err := b.scope.Write(again, b.state); err == nil || !strings.Contains(err.Error(), "canonical") {
			t.Errorf("%v", err)
		}
	})
	t.Run("nobody's memory", func(t *testing.T) {
		st := b.state
		st.Pages = nil
		if _, err := b.scope.Write(marshal(t, b.good()), st); err == nil || !strings.Contains(err.Error(), "slot 79") {
			t.Errorf("%v", err)
		}
	})
	t.Run("memory of another", func(t *testing.T) {
		st := b.state
		st.Pages = b.page(200, 64, 16)
		if _, err := b.scope.Write(marshal(t, b.good()), st); err == nil || !strings.Contains(err.Error(), "VID 200") {
			t.Errorf("%v", err)
		}
	})
	t.Run("another tenant", func(t *testing.T) {
		hh := newBench(t, "hh")
		if _, err := hh.scope.Write(marshal(t, b.good()), hh.state); err == nil || !strings.Contains(err.Error(), "not the tenant's") {
			t.Errorf("%v", err)
		}
	})
}

// T2: inserts count, deletes may come later.
func TestEntitlement(t *testing.T) {
	b := newBench(t, "kv")
	routes := b.id("kv__KvIngress.routes")
	for _, c := range []struct {
		now  int64
		fits bool
	}{{255, true}, {256, false}} {
		b.state.Entries[routes] = c.now
		_, err := b.scope.Write(marshal(t, b.good()), b.state)
		if (err == nil) != c.fits {
			t.Errorf("%d of 256 entries: %v", c.now, err)
		}
	}
	delete(b.state.Entries, routes)
	if _, err := b.scope.Write(marshal(t, b.good()), b.state); err == nil || !strings.Contains(err.Error(), "T2") {
		t.Errorf("nobody counted: %v", err)
	}
}

func TestReads(t *testing.T) {
	b := newBench(t, "kv")
	routes, array := b.id("kv__KvIngress.routes"), b.id(specs.StageArray(specs.Ingress, 0))
	for _, c := range []struct {
		name, want string
		entity     *p4v1.Entity
	}{
		{"table", "", tableEntity(&p4v1.TableEntry{TableId: routes, CounterData: &p4v1.CounterData{}})},
		{"entry", "", tableEntity(&p4v1.TableEntry{TableId: routes, Match: []*p4v1.FieldMatch{lpm(8, 10, 0, 0, 0)}})},
		{"by action", "", tableEntity(&p4v1.TableEntry{TableId: routes, Action: does(&p4v1.Action{ActionId: b.id("kv__KvIngress.drop")})})},
		{"default action", "", tableEntity(&p4v1.TableEntry{TableId: routes, IsDefaultAction: true})},
		{"direct counters", "", directEntity(&p4v1.DirectCounterEntry{TableEntry: &p4v1.TableEntry{TableId: routes}})},
		{"counter", "", counterEntity(&p4v1.CounterEntry{CounterId: b.id("kv__KvIngress.operations")})},
		{"slot", "", registerEntity(&p4v1.RegisterEntry{RegisterId: array, Index: &p4v1.Index{Index: 64}})},
		{"all tables", "not the tenant's", tableEntity(&p4v1.TableEntry{})},
		{"table of another", "not the tenant's", tableEntity(&p4v1.TableEntry{TableId: b.id("hh__HhIngress.thresholds")})},
		{"action of another", "no action", tableEntity(&p4v1.TableEntry{TableId: routes, Action: does(&p4v1.Action{ActionId: b.id("hh__HhIngress.drop")})})},
		{"time since the last hit", "time_since_last_hit", tableEntity(&p4v1.TableEntry{TableId: routes, TimeSinceLastHit: &p4v1.TableEntry_IdleTimeout{}})},
		{"all direct counters", "not the tenant's", directEntity(&p4v1.DirectCounterEntry{})},
		{"all counters", "not the tenant's", counterEntity(&p4v1.CounterEntry{})},
		{"counter of the system", "not the tenant's", counterEntity(&p4v1.CounterEntry{CounterId: b.id(specs.HitsCounter)})},
		{"all registers", "no stage array", registerEntity(&p4v1.RegisterEntry{})},
		{"all slots", "whole stage array", registerEntity(&p4v1.RegisterEntry{RegisterId: array})},
		{"slot of another", "slot 80", registerEntity(&p4v1.RegisterEntry{RegisterId: array, Index: &p4v1.Index{Index: 80}})},
		{"meter", "no tenant reads", &p4v1.Entity{Entity: &p4v1.Entity_MeterEntry{MeterEntry: &p4v1.MeterEntry{}}}},
		{"nothing", "no tenant reads", &p4v1.Entity{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := b.scope.Reads(marshal(t, &p4v1.ReadRequest{DeviceId: device, Entities: []*p4v1.Entity{c.entity}}), b.state)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	many := &p4v1.ReadRequest{DeviceId: device}
	for len(many.Entities) <= MaxEntities {
		many.Entities = append(many.Entities, tableEntity(&p4v1.TableEntry{TableId: routes}))
	}
	for name, m := range map[string]*p4v1.ReadRequest{
		"T2": many, "device": {Entities: many.Entities[:1]}, "no entities": {DeviceId: device}, "role": {DeviceId: device, Role: "x", Entities: many.Entities[:1]},
	} {
		if err := b.scope.Reads(marshal(t, m), b.state); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// T4: an answer with anything of another's, or of the system's, is not shown.
func TestAnswer(t *testing.T) {
	b := newBench(t, "kv")
	routes, array := b.id("kv__KvIngress.routes"), b.id(specs.StageArray(specs.Ingress, 0))
	for _, c := range []struct {
		name   string
		shown  bool
		entity *p4v1.Entity
	}{
		{"entry", true, tableEntity(&p4v1.TableEntry{TableId: routes, Action: does(&p4v1.Action{ActionId: b.id("kv__KvIngress.drop")})})},
		{"slot", true, registerEntity(&p4v1.RegisterEntry{RegisterId: array, Index: &p4v1.Index{Index: 64}, Data: &p4v1.P4Data{}})},
		{"entry of another", false, tableEntity(&p4v1.TableEntry{TableId: b.id("hh__HhIngress.thresholds")})},
		{"action of another", false, tableEntity(&p4v1.TableEntry{TableId: routes, Action: does(&p4v1.Action{ActionId: b.id("hh__HhIngress.drop")})})},
		{"direct counter of another", false, directEntity(&p4v1.DirectCounterEntry{TableEntry: &p4v1.TableEntry{TableId: b.id("fw__FwIngress.rules")}})},
		{"counter of the system", false, counterEntity(&p4v1.CounterEntry{CounterId: b.id(specs.PacketsCounter)})},
		{"slot of another", false, registerEntity(&p4v1.RegisterEntry{RegisterId: array, Index: &p4v1.Index{Index: 63}})},
		{"page table", false, tableEntity(&p4v1.TableEntry{TableId: b.id(specs.PageTable(specs.Ingress))})},
		{"digest", false, &p4v1.Entity{Entity: &p4v1.Entity_DigestEntry{DigestEntry: &p4v1.DigestEntry{}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := b.scope.Answer(marshal(t, &p4v1.ReadResponse{Entities: []*p4v1.Entity{c.entity}}), b.state); (err == nil) != c.shown {
				t.Errorf("%v", err)
			}
		})
	}
}

// A table that lets a tenant's entry do what is not the tenant's is not decided about, whatever the linker says of it.
func TestScopeRefuses(t *testing.T) {
	b := newBench(t, "kv")
	if _, err := b.program.Scope("nobody"); err == nil {
		t.Error("nobody has a scope")
	}
	find := func(p *Program) *configv1.Table {
		for _, x := range p.info.GetTables() {
			if x.GetPreamble().GetName() == "kv__KvIngress.routes" {
				return x
			}
		}
		return nil
	}
	for _, c := range []struct {
		name, want string
		change     func(*configv1.Table)
	}{
		{"action of another", "hh__HhIngress.drop is not the tenant's", func(x *configv1.Table) { x.ActionRefs[0].Id = b.id("hh__HhIngress.drop") }},
		{"action of the system", "is not the tenant's", func(x *configv1.Table) { x.ActionRefs[0].Id = b.id(specs.AdmitAction) }},
		{"profile", "profiles", func(x *configv1.Table) { x.ImplementationId = 1 }},
		{"time-outs", "time-outs", func(x *configv1.Table) { x.IdleTimeoutBehavior = configv1.Table_NOTIFY_CONTROL }},
		{"meter", "direct resource", func(x *configv1.Table) { x.DirectResourceIds = []uint32{1} }},
		{"key without a width", "no width", func(x *configv1.Table) { x.MatchFields[0].Bitwidth = 0 }},
		{"kind of match", "of kind", func(x *configv1.Table) { x.MatchFields[0].Match = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := *b.program
			p.info = proto.CloneOf(p.info)
			c.change(find(&p))
			if _, err := p.Scope("kv"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	t.Run("a name of two", func(t *testing.T) {
		p := *b.program
		p.info = proto.CloneOf(p.info)
		x := find(&p)
		x.Preamble.Name = "kv__KvIngress.hh__x"
		s, err := p.Scope("kv")
		if err != nil || s.tables[x.GetPreamble().GetId()] != nil {
			t.Errorf("%v: it is kv's", err)
		}
	})
}

// FuzzWrite: bytes never panic, and what is accepted has only ids of the tenant's.
func FuzzWrite(f *testing.F) {
	b := newBench(f, "kv")
	f.Add(marshal(f, b.good()))
	routes := b.id("kv__KvIngress.routes")
	f.Fuzz(func(t *testing.T, in []byte) {
		_, err := b.scope.Write(in, b.state)
		_ = b.scope.Reads(in, b.state)
		_ = b.scope.Answer(in, b.state)
		if err != nil {
			return
		}
		var m p4v1.WriteRequest
		if err := proto.Unmarshal(in, &m); err != nil {
			t.Fatal(err)
		}
		for _, u := range m.GetUpdates() {
			if te := u.GetEntity().GetTableEntry(); te != nil && te.GetTableId() != routes {
				t.Fatalf("accepted: %v", u)
			}
		}
	})
}
