package gateway

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/request"
)

func writeRequest(st request.State, us ...*p4v1.Update) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(&p4v1.WriteRequest{DeviceId: st.DeviceID, ElectionId: &p4v1.Uint128{Low: st.ElectionID}, Updates: us})
}

// The gate believes no gateway: bytes that go further than the tenant may are not sent, whoever made them.
func TestGateDecides(t *testing.T) {
	r := newRig(t)
	port := r.gateway.tenants["kv"].port
	routes := &p4v1.TableEntry{TableId: r.table("kv__KvIngress.routes"), Match: []*p4v1.FieldMatch{lpm(1, 8, 10, 0, 0, 0)}, Action: does(r.actionID("kv__KvIngress.drop"))}
	send := func(change func(*request.State), us ...*p4v1.Update) error {
		return port.Write(t.Context(), func(st request.State) ([]byte, error) {
			if change != nil {
				change(&st)
			}
			return writeRequest(st, us...)
		})
	}
	if err := send(nil, insert(tableEntity(routes)), modify(cell(r.array(0), 64, 1))); err != nil {
		t.Fatal(err)
	}
	r.seen()
	for name, err := range map[string]error{
		"the page table":            send(nil, modify(r.page(100, 64, 32, 0))),
		"the admission table":       send(nil, insert(tableEntity(r.admitted(100)))),
		"another tenant's table":    send(nil, insert(tableEntity(&p4v1.TableEntry{TableId: r.table("hh__HhIngress.thresholds"), Match: routes.GetMatch(), Action: routes.GetAction()}))),
		"another tenant's slot":     send(nil, modify(cell(r.array(0), 128, 1))),
		"nobody's slot":             send(nil, modify(cell(r.array(0), 63, 1))),
		"every slot":                send(nil, modify(cells(r.array(0)))),
		"another election":          send(func(st *request.State) { st.ElectionID++ }, insert(tableEntity(routes))),
		"another device":            send(func(st *request.State) { st.DeviceID++ }, insert(tableEntity(routes))),
		"one good and one bad":      send(nil, modify(cell(r.array(0), 64, 2)), modify(cell(r.array(0), 128, 1))),
		"no protobuf":               port.Write(t.Context(), func(request.State) ([]byte, error) { return []byte{1}, nil }),
		"no updates":                send(nil),
		"the system's hit counters": send(nil, modify(counterEntity(&p4v1.CounterEntry{CounterId: named(r.info.GetCounters(), specs.HitsCounter).GetPreamble().GetId()}))),
	} {
		var bad *request.Error
		if !errors.As(err, &bad) || bad.Property != "T1" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, e := range map[string]*p4v1.Entity{
		"all tables":            tableEntity(&p4v1.TableEntry{}),
		"the page table":        tableEntity(&p4v1.TableEntry{TableId: r.table(specs.PageTable(specs.Ingress))}),
		"all counters":          counterEntity(&p4v1.CounterEntry{}),
		"another tenant's slot": cell(r.array(0), 128),
		"every slot":            cells(r.array(0)),
	} {
		got, err := port.Read(t.Context(), func(st request.State) ([]byte, error) { return readRequest(st, []*p4v1.Entity{e}) })
		var bad *request.Error
		if !errors.As(err, &bad) || bad.Property != "T1" || len(got) > 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if us := r.seen(); len(us) > 0 {
		t.Errorf("sent: %v", us)
	}
}

// What a switch answers about others is not shown (T4).
func TestAnswersDecided(t *testing.T) {
	r := newRig(t)
	kv := r.tenant("kv")
	for name, e := range map[string]*p4v1.Entity{
		"an entry of another tenant's": tableEntity(&p4v1.TableEntry{TableId: r.table("hh__HhIngress.thresholds")}),
		"another tenant's slot":        cell(r.array(0), 128, 1),
		"a system counter":             counterEntity(&p4v1.CounterEntry{CounterId: named(r.info.GetCounters(), specs.PacketsCounter).GetPreamble().GetId()}),
	} {
		r.mu.Lock()
		r.spoil = func(m *p4v1.ReadResponse) {
			if m.GetEntities()[0].GetCounterEntry() != nil {
				m.Entities = append(m.Entities, e)
			}
		}
		r.mu.Unlock()
		got, err := kv.read(counterEntity(&p4v1.CounterEntry{CounterId: kv.counter("KvIngress.operations"), Index: &p4v1.Index{Index: 0}}))
		if status.Code(err) != codes.PermissionDenied || !strings.Contains(err.Error(), "T4") || len(got) > 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// The switch is not asked by another program's ids.
func TestAnotherProgramRuns(t *testing.T) {
	r := newRigOn(t, "// another text\n") // by its cookie it is the one that was linked
	kv := r.tenant("kv")
	for _, err := range []error{kv.write(insert(kv.route(1, 1))), func() error { _, err := kv.read(tableEntity(&p4v1.TableEntry{})); return err }()} {
		if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "another program") {
			t.Errorf("%v", err)
		}
	}
	if us := r.seen(); len(us) > 0 {
		t.Errorf("sent: %v", us)
	}
}

// answers takes what is read.
type answers struct {
	p4v1.P4Runtime_ReadServer
	ctx  context.Context
	show func(*p4v1.Entity)
}

func (a answers) Context() context.Context        { return a.ctx }
func (a answers) SendHeader(metadata.MD) error    { return nil }
func (a answers) Send(m *p4v1.ReadResponse) error { return a.each(m) }
func (a answers) each(m *p4v1.ReadResponse) error {
	for _, e := range m.GetEntities() {
		a.show(e)
	}
	return nil
}

// FuzzTranslate: whatever a tenant sends, the gateway does not panic, and what arrives at the switch is what an independent decision
// allows, in the state that the test knows; what is shown has ids of the tenant's own program.
func FuzzTranslate(f *testing.F) {
	r := newRig(f)
	kv, hh := r.tenant("kv"), r.tenant("hh")
	add := func(us ...*p4v1.Update) {
		b, err := proto.Marshal(&p4v1.WriteRequest{DeviceId: deviceID, Updates: us})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	add(insert(kv.route(1, 1)), modify(cell(kv.register("key_hi"), 5, 1)), remove(kv.route(1, 1)))
	add(modify(counterEntity(&p4v1.CounterEntry{CounterId: kv.counter("KvIngress.operations"), Data: &p4v1.CounterData{PacketCount: 1}})))
	add(modify(directEntity(&p4v1.DirectCounterEntry{TableEntry: kv.route(1, 1).GetTableEntry(), Data: &p4v1.CounterData{}})))
	add(modify(tableEntity(&p4v1.TableEntry{TableId: kv.table("KvIngress.routes"), IsDefaultAction: true, Action: does(kv.action("KvIngress.drop"))})))
	for _, c := range hostile {
		add(c.make(r, kv, hh))
	}
	own := map[uint32]bool{}
	for _, x := range kv.info.GetTables() {
		own[x.GetPreamble().GetId()] = true
	}
	for _, x := range kv.info.GetCounters() {
		own[x.GetPreamble().GetId()] = true
	}
	for _, x := range kv.info.GetRegisters() {
		own[x.GetPreamble().GetId()] = true
	}
	pages, err := proto.MarshalOptions{Deterministic: true}.Marshal(&p4v1.ReadResponse{Entities: []*p4v1.Entity{r.page(100, 64, 16, 0)}})
	if err != nil {
		f.Fatal(err)
	}
	st := request.State{DeviceID: deviceID, ElectionID: r.gate.ElectionID(), Pages: pages, Entries: map[uint32]int64{r.table("kv__KvIngress.routes"): 0}}
	v := r.gateway.tenants["kv"]
	s := &server{who: func(context.Context) (*virtual, error) { return v, nil }}
	r.seen()
	var sent atomic.Int64
	f.Fuzz(func(t *testing.T, b []byte) {
		var req p4v1.WriteRequest
		if proto.Unmarshal(b, &req) != nil {
			return
		}
		req.DeviceId, req.ElectionId, req.Role, req.Atomicity = deviceID, kv.election, "", 0
		_, _ = s.Write(t.Context(), &req)
		if us := r.seen(); len(us) > 0 {
			sent.Add(1)
			again, err := writeRequest(st, us...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.independent["kv"].Write(again, st); err != nil {
				t.Fatalf("sent %v: %v", us, err)
			}
		}
		read := &p4v1.ReadRequest{DeviceId: deviceID}
		for _, u := range req.GetUpdates()[:min(len(req.GetUpdates()), 4)] {
			if u.GetEntity().GetRegisterEntry() == nil || u.GetEntity().GetRegisterEntry().GetIndex() != nil {
				read.Entities = append(read.Entities, u.GetEntity())
			}
		}
		_ = s.Read(read, answers{ctx: t.Context(), show: func(e *p4v1.Entity) {
			for _, id := range []uint32{
				e.GetTableEntry().GetTableId(), e.GetDirectCounterEntry().GetTableEntry().GetTableId(), e.GetCounterEntry().GetCounterId(), e.GetRegisterEntry().GetRegisterId(),
			} {
				if id != 0 && !own[id] {
					t.Fatalf("shown: %v", e)
				}
			}
		}})
		if us := r.seen(); len(us) > 0 {
			t.Fatalf("a read sent %v", us)
		}
	})
}
