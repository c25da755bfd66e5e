package softswitch

import (
	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

type boundMeter struct {
	*dataplane.Meter
	kind configv1.MeterSpec_Type
}

func (p *program) meter(id uint32) (*boundMeter, error) {
	m := p.meters[id]
	if m == nil {
		return nil, status.Errorf(codes.NotFound, "there is no meter %#x", id)
	}
	return m, nil
}

// ratesOf reads a meter's configuration; nil is the default one, which colors everything green.
func ratesOf(c *p4v1.MeterConfig, kind configv1.MeterSpec_Type) (*dataplane.Rates, error) {
	if c == nil {
		return nil, nil
	}
	switch {
	case c.GetCir() < 0 || c.GetCburst() < 0 || c.GetPir() < 0 || c.GetPburst() < 0 || c.GetEburst() < 0:
		return nil, bad("a negative rate or burst")
	case kind == configv1.MeterSpec_SINGLE_RATE_THREE_COLOR:
		return nil, status.Error(codes.Unimplemented, "single-rate three-color meters")
	case c.GetEburst() != 0:
		return nil, bad("an excess burst is for single-rate three-color meters")
	case kind == configv1.MeterSpec_SINGLE_RATE_TWO_COLOR && (c.GetPir() != c.GetCir() || c.GetPburst() != c.GetCburst()):
		return nil, bad("the peak rate and burst of a single-rate meter must be the committed ones")
	}
	r := &dataplane.Rates{
		Committed: uint64(c.GetCir()), CommittedBurst: uint64(c.GetCburst()), Peak: uint64(c.GetPir()), PeakBurst: uint64(c.GetPburst()),
	}
	if err := r.Check(); err != nil {
		return nil, bad("%v", err)
	}
	return r, nil
}

func meterConfig(r dataplane.Rates, set bool) *p4v1.MeterConfig {
	if !set {
		return nil
	}
	return &p4v1.MeterConfig{
		Cir: int64(r.Committed), Cburst: int64(r.CommittedBurst), Pir: int64(r.Peak), Pburst: int64(r.PeakBurst),
	}
}

func meterData(v dataplane.Metered) *p4v1.MeterCounterData {
	data := func(c dataplane.Count) *p4v1.CounterData {
		return &p4v1.CounterData{PacketCount: int64(c.Packets), ByteCount: int64(c.Bytes)}
	}
	return &p4v1.MeterCounterData{
		Green: data(v[dataplane.Green]), Yellow: data(v[dataplane.Yellow]), Red: data(v[dataplane.Red]),
	}
}

// checkClear refuses counts other than 0: a client can only clear them.
func checkClear(d *p4v1.MeterCounterData) error {
	for _, c := range []*p4v1.CounterData{d.GetGreen(), d.GetYellow(), d.GetRed()} {
		if c.GetPacketCount() != 0 || c.GetByteCount() != 0 {
			return bad("the counts of a meter can be set to 0 only")
		}
	}
	return nil
}

// writeMeter configures one cell, or every cell without an index.
func (p *program) writeMeter(t p4v1.Update_Type, e *p4v1.MeterEntry, keep bool) (undo func(), err error) {
	if t != p4v1.Update_MODIFY {
		return nil, bad("%v of a meter entry: only MODIFY", t)
	}
	m, err := p.meter(e.GetMeterId())
	if err != nil {
		return nil, err
	}
	rates, err := ratesOf(e.GetConfig(), m.kind)
	if err != nil {
		return nil, err
	}
	if err := checkClear(e.GetCounterData()); err != nil {
		return nil, err
	}
	from, to, err := cells(e.GetIndex(), m.Size)
	if err != nil {
		return nil, err
	}
	undo = func() {}
	if keep {
		type was struct {
			rates dataplane.Rates
			set   bool
			count dataplane.Metered
		}
		old := make([]was, to-from)
		for i := range old {
			old[i].rates, old[i].set, _ = m.Rates(from + i)
			old[i].count, _ = m.Metered(from + i)
		}
		undo = func() {
			for i, w := range old {
				_ = m.SetRates(from+i, ratesOrNil(w.rates, w.set))
				_ = m.SetMetered(from+i, w.count)
			}
		}
	}
	for i := from; i < to; i++ {
		if err := m.SetRates(i, rates); err != nil {
			return nil, dataError(err)
		}
		if e.GetCounterData() != nil {
			if err := m.SetMetered(i, dataplane.Metered{}); err != nil {
				return nil, dataError(err)
			}
		}
	}
	return undo, nil
}

func ratesOrNil(r dataplane.Rates, set bool) *dataplane.Rates {
	if !set {
		return nil
	}
	return &r
}

// cells is the range of cells that an index means: every one without.
func cells(index *p4v1.Index, size int) (from, to int, err error) {
	if index == nil {
		return 0, size, nil
	}
	if err := checkIndex(index, size); err != nil {
		return 0, 0, err
	}
	return int(index.GetIndex()), int(index.GetIndex()) + 1, nil
}

// readMeters answers a MeterEntry: all meters without an id, all cells without an index.
func (p *program) readMeters(e *p4v1.MeterEntry, out *answer) error {
	ids := []uint32{e.GetMeterId()}
	if e.GetMeterId() == 0 {
		if e.GetIndex() != nil {
			return bad("an index without a meter id")
		}
		ids = nil
		for _, info := range p.info.GetMeters() {
			ids = append(ids, info.GetPreamble().GetId())
		}
	}
	for _, id := range ids {
		m, err := p.meter(id)
		if err != nil {
			return err
		}
		from, to, err := cells(e.GetIndex(), m.Size)
		if err != nil {
			return err
		}
		for i := from; i < to; i++ {
			rates, set, err := m.Rates(i)
			if err != nil {
				return dataError(err)
			}
			x := &p4v1.MeterEntry{MeterId: id, Index: &p4v1.Index{Index: int64(i)}, Config: meterConfig(rates, set)}
			if e.GetCounterData() != nil {
				v, err := m.Metered(i)
				if err != nil {
					return dataError(err)
				}
				x.CounterData = meterData(v)
			}
			if err := out.add(&p4v1.Entity{Entity: &p4v1.Entity_MeterEntry{MeterEntry: x}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// meteredTable is the table that a DirectMeterEntry means.
func (p *program) meteredTable(te *p4v1.TableEntry) (*boundTable, error) {
	b, err := p.table(te.GetTableId())
	if err != nil {
		return nil, err
	}
	if _, ok := b.HasMeter(); !ok {
		return nil, bad("table %s has no direct meter", b.Name)
	}
	return b, nil
}

// writeDirectMeter configures the meter of one entry.
func (p *program) writeDirectMeter(t p4v1.Update_Type, e *p4v1.DirectMeterEntry) (undo func(), err error) {
	if t != p4v1.Update_MODIFY {
		return nil, bad("%v of a direct meter entry: only MODIFY", t)
	}
	b, err := p.meteredTable(e.GetTableEntry())
	if err != nil {
		return nil, err
	}
	entry, err := b.find(e.GetTableEntry())
	if err != nil {
		return nil, err
	}
	return b.setMeter(entry, e.GetConfig(), e.GetCounterData())
}

// setMeter configures an entry's meter, and clears its counts if they are given.
func (b *boundTable) setMeter(entry *dataplane.Entry, c *p4v1.MeterConfig, clear *p4v1.MeterCounterData) (undo func(), err error) {
	rates, err := ratesOf(c, b.meter)
	if err != nil {
		return nil, err
	}
	if err := checkClear(clear); err != nil {
		return nil, err
	}
	old, set := b.Rates(entry)
	count := b.Metered(entry)
	if err := b.SetRates(entry, rates); err != nil {
		return nil, dataError(err)
	}
	if clear != nil {
		b.SetMetered(entry, dataplane.Metered{})
	}
	return func() { _ = b.SetRates(entry, ratesOrNil(old, set)); b.SetMetered(entry, count) }, nil
}

// readDirectMeters answers a DirectMeterEntry: all tables without a table id, all entries without a match.
func (p *program) readDirectMeters(e *p4v1.DirectMeterEntry, out *answer) error {
	te := e.GetTableEntry()
	if te.GetTableId() == 0 {
		for _, info := range p.info.GetTables() {
			b := p.tables[info.GetPreamble().GetId()]
			if _, ok := b.HasMeter(); !ok {
				continue
			}
			if err := b.readMetered(b.Entries(), e, out); err != nil {
				return err
			}
		}
		return nil
	}
	b, err := p.meteredTable(te)
	if err != nil {
		return err
	}
	if len(te.GetMatch()) == 0 && !te.GetIsDefaultAction() {
		return b.readMetered(b.Entries(), e, out)
	}
	entry, err := b.find(te)
	if err != nil {
		return err
	}
	return b.readMetered([]*dataplane.Entry{entry}, e, out)
}

func (b *boundTable) readMetered(entries []*dataplane.Entry, e *p4v1.DirectMeterEntry, out *answer) error {
	for _, entry := range entries {
		te := b.describe(entry)
		te.Action = nil
		x := &p4v1.DirectMeterEntry{TableEntry: te, Config: meterConfig(b.Rates(entry))}
		if e.GetCounterData() != nil {
			x.CounterData = meterData(b.Metered(entry))
		}
		if err := out.add(&p4v1.Entity{Entity: &p4v1.Entity_DirectMeterEntry{DirectMeterEntry: x}}); err != nil {
			return err
		}
	}
	return nil
}
