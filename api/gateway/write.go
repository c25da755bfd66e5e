package gateway

import (
	"errors"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/p4rt"
	"github.com/interlock/interlock/verify/request"
)

// A batch is one write of a tenant, on its way to the switch.
type batch struct {
	v       *virtual
	updates []*p4v1.Update
	failed  p4rt.BatchErrors
	sent    []int // by number of the update that was sent: the tenant's
}

func (b *batch) fail(i int, err error) {
	st := status.Convert(err)
	b.failed.Add(i, len(b.updates), status.Error(st.Code(), b.v.program.words.Replace(st.Message())))
}

// build makes the request, of those updates that are in order.
func (b *batch) build(st request.State) ([]byte, error) {
	deciding, err := b.v.port.Decide(st)
	if err != nil {
		return nil, err
	}
	pages, err := b.v.gateway.codec.Decode(st.Pages)
	if err != nil {
		return nil, err
	}
	req := &p4v1.WriteRequest{DeviceId: st.DeviceID, ElectionId: &p4v1.Uint128{Low: st.ElectionID}}
	for i, u := range b.updates {
		e, err := b.v.update(u, pages)
		if err != nil {
			b.fail(i, err)
			continue
		}
		x := &p4v1.Update{Type: u.GetType(), Entity: e}
		switch err := deciding.Update(x); {
		case errors.Is(err, request.ErrEntitled):
			b.fail(i, status.Error(codes.ResourceExhausted, err.Error()))
		case err != nil:
			b.fail(i, bad("%v", err))
		default:
			req.Updates, b.sent = append(req.Updates, x), append(b.sent, i)
		}
	}
	if len(req.GetUpdates()) == 0 {
		return nil, nil
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(req)
}

// answered takes the switch's answer to what was sent. The error is that of the whole, if nobody knows of which update it is.
func (b *batch) answered(err error) error {
	details := p4rt.UpdateErrors(err)
	if err != nil && (len(details) == 0 || len(details) != len(b.sent)) {
		return err
	}
	for k, d := range details {
		if code := codes.Code(d.GetCanonicalCode()); code != codes.OK {
			b.fail(b.sent[k], status.Error(code, d.GetMessage()))
		}
	}
	return nil
}

// update is the entity of an update in the linked program's ids.
func (v *virtual) update(u *p4v1.Update, pages alloc.Tables) (*p4v1.Entity, error) {
	if t := u.GetType(); t != p4v1.Update_INSERT && t != p4v1.Update_MODIFY && t != p4v1.Update_DELETE {
		return nil, bad("update type %v", t)
	}
	modify := func(what string) error {
		if u.GetType() != p4v1.Update_MODIFY {
			return bad("%v of a %s entry: only MODIFY", u.GetType(), what)
		}
		return nil
	}
	p := v.program
	switch e := u.GetEntity().GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		t, err := p.tableOf(e.TableEntry.GetTableId())
		if err != nil {
			return nil, err
		}
		if err := t.writes(u.GetType(), e.TableEntry); err != nil {
			return nil, err
		}
		x, err := t.entry(e.TableEntry, u.GetType() == p4v1.Update_DELETE)
		return &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: x}}, err
	case *p4v1.Entity_DirectCounterEntry:
		if err := modify("direct counter"); err != nil {
			return nil, err
		}
		x, err := p.directCounter(e.DirectCounterEntry)
		if err == nil && e.DirectCounterEntry.GetData() != nil {
			x.Data = proto.CloneOf(e.DirectCounterEntry.GetData())
		}
		return &p4v1.Entity{Entity: &p4v1.Entity_DirectCounterEntry{DirectCounterEntry: x}}, err
	case *p4v1.Entity_CounterEntry:
		if err := modify("counter"); err != nil {
			return nil, err
		}
		x, err := p.counter(e.CounterEntry)
		if err == nil && e.CounterEntry.GetData() != nil {
			x.Data = proto.CloneOf(e.CounterEntry.GetData())
		}
		return &p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: x}}, err
	case *p4v1.Entity_RegisterEntry:
		if err := modify("register"); err != nil {
			return nil, err
		}
		x, err := v.cell(e.RegisterEntry, pages)
		return &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: x}}, err
	case nil:
		return nil, bad("an update without an entity")
	}
	return nil, unsupported(u.GetEntity())
}

// unsupported says what a tenant cannot have, and why.
func unsupported(e *p4v1.Entity) error {
	what := "linked programs have no meters, action profiles, value sets, digests or other externs"
	if e.GetPacketReplicationEngineEntry() != nil {
		what = "replication is the system's: tenants neither clone nor multicast"
	}
	return status.Errorf(codes.Unimplemented, "%T: %s", e.GetEntity(), what)
}

// directCounter is a direct counter's entry in the linked program's ids, without data.
func (p *program) directCounter(d *p4v1.DirectCounterEntry) (*p4v1.DirectCounterEntry, error) {
	t, err := p.tableOf(d.GetTableEntry().GetTableId())
	switch {
	case err != nil:
		return nil, err
	case !t.counted:
		return nil, bad("table %s has no direct counter", t.name())
	}
	x, err := t.entry(d.GetTableEntry(), true)
	return &p4v1.DirectCounterEntry{TableEntry: x}, err
}

// counter is a counter's entry in the linked program's ids, without data.
func (p *program) counter(c *p4v1.CounterEntry) (*p4v1.CounterEntry, error) {
	for _, x := range p.counters {
		if x.own.GetPreamble().GetId() != c.GetCounterId() {
			continue
		}
		out := &p4v1.CounterEntry{CounterId: x.linked}
		if x.linked == 0 {
			return nil, status.Errorf(codes.Unimplemented, "counter %s is never counted in, and is not on the switch", x.name())
		}
		if c.GetIndex() != nil {
			if err := checkIndex(x.name(), c.GetIndex().GetIndex(), x.own.GetSize()); err != nil {
				return nil, err
			}
			out.Index = &p4v1.Index{Index: c.GetIndex().GetIndex()}
		}
		return out, nil
	}
	return nil, status.Errorf(codes.NotFound, "there is no counter %#x", c.GetCounterId())
}

func checkIndex(name string, i, size int64) error {
	switch {
	case i < 0:
		return bad("%s: index %d is negative", name, i)
	case i >= size:
		return status.Errorf(codes.OutOfRange, "%s: index %d of %d", name, i, size)
	}
	return nil
}
