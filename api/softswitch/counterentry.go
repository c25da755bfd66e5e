package softswitch

import (
	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

func (p *program) counter(id uint32) (*boundCounter, error) {
	c := p.counters[id]
	if c == nil {
		return nil, status.Errorf(codes.NotFound, "there is no counter %#x", id)
	}
	return c, nil
}

// counterData shows of a count what the counter's type has.
func counterData(v dataplane.Count, unit configv1.CounterSpec_Unit) *p4v1.CounterData {
	d := &p4v1.CounterData{}
	if unit != configv1.CounterSpec_BYTES {
		d.PacketCount = int64(v.Packets)
	}
	if unit != configv1.CounterSpec_PACKETS {
		d.ByteCount = int64(v.Bytes)
	}
	return d
}

func countOf(d *p4v1.CounterData) (dataplane.Count, error) {
	if d.GetPacketCount() < 0 || d.GetByteCount() < 0 {
		return dataplane.Count{}, status.Error(codes.InvalidArgument, "a negative count")
	}
	return dataplane.Count{Packets: uint64(d.GetPacketCount()), Bytes: uint64(d.GetByteCount())}, nil
}

// writeCounter sets one cell, or every cell without an index.
func (p *program) writeCounter(t p4v1.Update_Type, e *p4v1.CounterEntry, keep bool) (undo func(), err error) {
	if t != p4v1.Update_MODIFY {
		return nil, status.Errorf(codes.InvalidArgument, "%v of a counter entry: only MODIFY", t)
	}
	c, err := p.counter(e.GetCounterId())
	if err != nil {
		return nil, err
	}
	v, err := countOf(e.GetData())
	if err != nil {
		return nil, err
	}
	from, to := 0, c.Size
	if e.GetIndex() != nil {
		if err := checkIndex(e.GetIndex(), c.Size); err != nil {
			return nil, err
		}
		from = int(e.GetIndex().GetIndex())
		to = from + 1
	}
	undo = func() {}
	if e.GetData() == nil {
		return undo, nil
	}
	if keep {
		old := make([]dataplane.Count, to-from)
		for i := range old {
			old[i], _ = c.Read(from + i)
		}
		undo = func() {
			for i := range old {
				_ = c.Write(from+i, old[i])
			}
		}
	}
	for i := from; i < to; i++ {
		if err := c.Write(i, v); err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
	}
	return undo, nil
}

// readCounters answers a CounterEntry: all counters without an id, all cells without an index.
func (p *program) readCounters(e *p4v1.CounterEntry, out *answer) error {
	if e.GetCounterId() == 0 {
		if e.GetIndex() != nil {
			return status.Error(codes.InvalidArgument, "an index without a counter id")
		}
		for _, info := range p.info.GetCounters() {
			if err := p.readCounts(info.GetPreamble().GetId(), nil, out); err != nil {
				return err
			}
		}
		return nil
	}
	return p.readCounts(e.GetCounterId(), e.GetIndex(), out)
}

func (p *program) readCounts(id uint32, index *p4v1.Index, out *answer) error {
	c, err := p.counter(id)
	if err != nil {
		return err
	}
	from, to := 0, c.Size
	if index != nil {
		if err := checkIndex(index, c.Size); err != nil {
			return err
		}
		from = int(index.GetIndex())
		to = from + 1
	}
	for i := from; i < to; i++ {
		v, err := c.Read(i)
		if err != nil {
			return status.Error(codes.Internal, err.Error())
		}
		err = out.add(&p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: &p4v1.CounterEntry{
			CounterId: id, Index: &p4v1.Index{Index: int64(i)}, Data: counterData(v, c.unit),
		}}})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeDirectCounter sets the counter of one entry.
func (p *program) writeDirectCounter(t p4v1.Update_Type, e *p4v1.DirectCounterEntry, keep bool) (undo func(), err error) {
	if t != p4v1.Update_MODIFY {
		return nil, status.Errorf(codes.InvalidArgument, "%v of a direct counter entry: only MODIFY", t)
	}
	_, entry, err := p.countedEntry(e)
	if err != nil {
		return nil, err
	}
	v, err := countOf(e.GetData())
	if err != nil {
		return nil, err
	}
	undo = func() {}
	if e.GetData() == nil {
		return undo, nil
	}
	if keep {
		old := entry.Count()
		undo = func() { entry.SetCount(old) }
	}
	entry.SetCount(v)
	return undo, nil
}

// countedEntry is the table entry that a DirectCounterEntry means.
func (p *program) countedEntry(e *p4v1.DirectCounterEntry) (*boundTable, *dataplane.Entry, error) {
	b, err := p.table(e.GetTableEntry().GetTableId())
	if err != nil {
		return nil, nil, err
	}
	if _, ok := b.HasCounter(); !ok {
		return nil, nil, status.Errorf(codes.InvalidArgument, "table %s has no direct counter", b.Name)
	}
	entry, err := b.find(e.GetTableEntry())
	return b, entry, err
}

// readDirectCounters answers a DirectCounterEntry: all tables without a table id, all entries without a match.
func (p *program) readDirectCounters(e *p4v1.DirectCounterEntry, out *answer) error {
	te := e.GetTableEntry()
	if te.GetTableId() == 0 {
		for _, info := range p.info.GetTables() {
			b := p.tables[info.GetPreamble().GetId()]
			if _, ok := b.HasCounter(); !ok {
				continue
			}
			if err := b.readCounted(nil, out); err != nil {
				return err
			}
		}
		return nil
	}
	b, err := p.table(te.GetTableId())
	if err != nil {
		return err
	}
	if _, ok := b.HasCounter(); !ok {
		return status.Errorf(codes.InvalidArgument, "table %s has no direct counter", b.Name)
	}
	if len(te.GetMatch()) == 0 && !te.GetIsDefaultAction() {
		return b.readCounted(nil, out)
	}
	entry, err := b.find(te)
	if err != nil {
		return err
	}
	return b.readCounted(entry, out)
}

func (b *boundTable) readCounted(one *dataplane.Entry, out *answer) error {
	entries := []*dataplane.Entry{one}
	if one == nil {
		entries = b.Entries()
	}
	for _, entry := range entries {
		te := b.describe(entry)
		te.Action, te.CounterData = nil, nil
		err := out.add(&p4v1.Entity{Entity: &p4v1.Entity_DirectCounterEntry{DirectCounterEntry: &p4v1.DirectCounterEntry{
			TableEntry: te, Data: counterData(entry.Count(), b.unit),
		}}})
		if err != nil {
			return err
		}
	}
	return nil
}
