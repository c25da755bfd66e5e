package gateway

import (
	"context"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/verify/request"
)

// Sizes of what a read is cut into. Between the parts of a long one plans and other tenants have their turn.
const (
	askedAtOnce    = 256  // tables, counters, entries
	cellsAtOnce    = 4096 // of a register
	answerEntities = 1024 // of one message of the answer
)

// An inquiry is a part of a read: one entity, or cells of a register.
type inquiry struct {
	entity   *p4v1.Entity // in the linked program's ids
	register *register    // else
	from, to int64
}

// inquiries are what an entity of a read means: one for each of the tenant's objects that it asks for.
func (p *program) inquiries(whole *p4v1.Entity) ([]inquiry, error) {
	var out []inquiry
	add := func(e *p4v1.Entity) { out = append(out, inquiry{entity: e}) }
	switch e := whole.GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		if e.TableEntry.GetTableId() != 0 {
			x, err := p.entryAsked(e.TableEntry)
			add(tableEntity(x))
			return out, err
		}
		if !allOf(proto.CloneOf(e.TableEntry)) {
			return nil, bad("a filter without a table id")
		}
		for _, t := range p.tables {
			if t.linked != nil {
				x := &p4v1.TableEntry{TableId: t.linked.GetPreamble().GetId()}
				if e.TableEntry.GetCounterData() != nil && t.counted {
					x.CounterData = &p4v1.CounterData{}
				}
				add(tableEntity(x))
			}
		}
	case *p4v1.Entity_DirectCounterEntry:
		if e.DirectCounterEntry.GetTableEntry().GetTableId() != 0 {
			x, err := p.directCounter(e.DirectCounterEntry)
			add(directEntity(x))
			return out, err
		}
		for _, t := range p.tables {
			if t.linked != nil && t.counted {
				add(directEntity(&p4v1.DirectCounterEntry{TableEntry: &p4v1.TableEntry{TableId: t.linked.GetPreamble().GetId()}}))
			}
		}
	case *p4v1.Entity_CounterEntry:
		if e.CounterEntry.GetCounterId() != 0 {
			x, err := p.counter(e.CounterEntry)
			add(counterEntity(x))
			return out, err
		}
		if e.CounterEntry.GetIndex() != nil {
			return nil, bad("an index without a counter id")
		}
		for _, c := range p.counters {
			if c.linked != 0 {
				add(counterEntity(&p4v1.CounterEntry{CounterId: c.linked}))
			}
		}
	case *p4v1.Entity_RegisterEntry:
		return p.cellsAsked(e.RegisterEntry)
	case nil:
		return nil, bad("a read of an empty entity")
	default:
		if ofAll(whole) {
			return nil, nil // all of a kind of which there are none
		}
		return nil, unsupported(whole)
	}
	return out, nil
}

// ofAll says that an entity asks for everything of a kind that linked programs have nothing of.
func ofAll(e *p4v1.Entity) bool {
	return e.GetMeterEntry() != nil && e.GetMeterEntry().GetMeterId() == 0 ||
		e.GetDirectMeterEntry() != nil && e.GetDirectMeterEntry().GetTableEntry().GetTableId() == 0 ||
		e.GetActionProfileMember() != nil && e.GetActionProfileMember().GetActionProfileId() == 0 ||
		e.GetActionProfileGroup() != nil && e.GetActionProfileGroup().GetActionProfileId() == 0 ||
		e.GetValueSetEntry() != nil && e.GetValueSetEntry().GetValueSetId() == 0 ||
		e.GetDigestEntry() != nil && e.GetDigestEntry().GetDigestId() == 0
}

// allOf says that an entry with table id 0 asks for all entries of all tables; what besides is only about how they are shown.
func allOf(e *p4v1.TableEntry) bool {
	e.CounterData, e.TimeSinceLastHit, e.MeterConfig, e.MeterCounterData = nil, nil, nil, nil
	return proto.Size(e) == 0
}

// entryAsked is a table entry of a read in the linked program's ids.
func (p *program) entryAsked(e *p4v1.TableEntry) (*p4v1.TableEntry, error) {
	t, err := p.tableOf(e.GetTableId())
	switch {
	case err != nil:
		return nil, err
	case e.GetTimeSinceLastHit() != nil:
		return nil, bad("table %s has no idle time-outs", t.name())
	}
	only := proto.CloneOf(e)
	only.Action, only.MeterConfig, only.MeterCounterData = nil, nil, nil // a meter that is not there is not shown
	if only.CounterData != nil {
		if only.CounterData = nil; t.counted {
			only.CounterData = &p4v1.CounterData{}
		}
	}
	x, err := t.entry(only, false)
	if err != nil || e.GetAction() == nil {
		return x, err
	}
	a := t.byID[e.GetAction().GetAction().GetActionId()]
	if a == nil {
		return nil, bad("table %s has no action %#x", t.name(), e.GetAction().GetAction().GetActionId())
	}
	x.Action = &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: &p4v1.Action{ActionId: a.linked}}}
	return x, nil
}

// cellsAsked cuts registers into cells.
func (p *program) cellsAsked(e *p4v1.RegisterEntry) ([]inquiry, error) {
	all := p.registers
	if e.GetRegisterId() != 0 {
		r, err := p.register(e.GetRegisterId())
		if err != nil {
			return nil, err
		}
		if e.GetIndex() != nil {
			i := e.GetIndex().GetIndex()
			return []inquiry{{register: r, from: i, to: i + 1}}, checkIndex("register "+r.name(), i, int64(r.own.GetSize()))
		}
		all = []*register{r}
	} else if e.GetIndex() != nil {
		return nil, bad("an index without a register id")
	}
	var out []inquiry
	for _, r := range all {
		if r.array == 0 {
			continue
		}
		for i := int64(0); i < int64(r.own.GetSize()); i += cellsAtOnce {
			out = append(out, inquiry{register: r, from: i, to: min(i+cellsAtOnce, int64(r.own.GetSize()))})
		}
	}
	return out, nil
}

// ask carries inquiries out, and hands what is found to show, in their order.
func (v *virtual) ask(ctx context.Context, list []inquiry, show func(*p4v1.Entity) error) error {
	for len(list) > 0 {
		if list[0].register != nil {
			if err := v.askCells(ctx, list[0], show); err != nil {
				return err
			}
			list = list[1:]
			continue
		}
		n := 0
		var es []*p4v1.Entity
		for n < len(list) && n < askedAtOnce && list[n].register == nil {
			es = append(es, list[n].entity)
			n++
		}
		got, err := v.port.Read(ctx, func(st request.State) ([]byte, error) { return readRequest(st, es) })
		if err != nil {
			return err
		}
		for _, e := range got {
			x, err := v.program.entity(e)
			if err != nil {
				return err
			}
			if err := show(x); err != nil {
				return err
			}
		}
		list = list[n:]
	}
	return nil
}

func readRequest(st request.State, es []*p4v1.Entity) ([]byte, error) {
	if len(es) == 0 {
		return nil, nil
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(&p4v1.ReadRequest{DeviceId: st.DeviceID, Entities: es})
}

// askCells reads cells of a register: those without memory behind them are 0.
func (v *virtual) askCells(ctx context.Context, q inquiry, show func(*p4v1.Entity) error) error {
	r := q.register
	at := make([]int64, q.to-q.from) // slots; -1: no memory
	got, err := v.port.Read(ctx, func(st request.State) ([]byte, error) {
		pages, err := v.gateway.codec.Decode(st.Pages)
		if err != nil {
			return nil, err
		}
		m := v.memory(r, pages)
		var es []*p4v1.Entity
		asked := map[int64]bool{}
		for k := range at {
			s, hit := slot(m, q.from+int64(k))
			if at[k] = s; !hit {
				at[k] = -1
			} else if !asked[s] {
				asked[s] = true
				es = append(es, registerEntity(&p4v1.RegisterEntry{RegisterId: r.array, Index: &p4v1.Index{Index: s}}))
			}
		}
		return readRequest(st, es)
	})
	if err != nil {
		return err
	}
	values := map[int64][]byte{}
	for _, e := range got {
		values[e.GetRegisterEntry().GetIndex().GetIndex()] = e.GetRegisterEntry().GetData().GetBitstring()
	}
	for k, s := range at {
		value := []byte{0}
		if s >= 0 {
			b, ok := values[s]
			if value, err = number(b, 64); !ok || err != nil {
				return status.Error(codes.Internal, "the switch does not answer about a slot")
			}
			value = low(value, r.width)
		}
		err := show(registerEntity(&p4v1.RegisterEntry{
			RegisterId: r.own.GetPreamble().GetId(), Index: &p4v1.Index{Index: q.from + int64(k)},
			Data: &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: value}},
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

// low is the low bits of a value, as the tenant's program reads them from a wider slot.
func low(b []byte, bits int) []byte {
	if n := (bits + 7) / 8; len(b) > n {
		b = b[len(b)-n:]
	}
	out := append([]byte(nil), b...)
	if spare := 8*len(out) - bits; spare > 0 {
		out[0] &= 0xff >> spare
	}
	for len(out) > 1 && out[0] == 0 {
		out = out[1:]
	}
	return out
}

// entity is what was read, in the tenant's ids.
func (p *program) entity(e *p4v1.Entity) (*p4v1.Entity, error) {
	switch e := e.GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		x, err := p.shown(e.TableEntry)
		return tableEntity(x), err
	case *p4v1.Entity_DirectCounterEntry:
		x, err := p.shown(e.DirectCounterEntry.GetTableEntry())
		return directEntity(&p4v1.DirectCounterEntry{TableEntry: x, Data: e.DirectCounterEntry.GetData()}), err
	case *p4v1.Entity_CounterEntry:
		for _, c := range p.counters {
			if c.linked == e.CounterEntry.GetCounterId() {
				x := proto.CloneOf(e.CounterEntry)
				x.CounterId = c.own.GetPreamble().GetId()
				return counterEntity(x), nil
			}
		}
	}
	return nil, status.Error(codes.Internal, "the switch answers about something else")
}

func tableEntity(e *p4v1.TableEntry) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: e}}
}

func directEntity(e *p4v1.DirectCounterEntry) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_DirectCounterEntry{DirectCounterEntry: e}}
}

func counterEntity(e *p4v1.CounterEntry) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: e}}
}

func registerEntity(e *p4v1.RegisterEntry) *p4v1.Entity {
	return &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: e}}
}
