package softswitch

//lint:file-ignore SA1019 controller_metadata is deprecated, and still written and read back by controllers

import (
	"errors"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

func (p *program) table(id uint32) (*boundTable, error) {
	b := p.tables[id]
	if b == nil {
		return nil, status.Errorf(codes.NotFound, "there is no table %#x", id)
	}
	return b, nil
}

// dataError gives the data plane's errors their codes.
func dataError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, dataplane.ErrExists):
		return status.Error(codes.AlreadyExists, err.Error())
	case errors.Is(err, dataplane.ErrNotFound):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, dataplane.ErrFull):
		return status.Error(codes.ResourceExhausted, err.Error())
	case errors.Is(err, dataplane.ErrInUse):
		return status.Error(codes.FailedPrecondition, err.Error())
	case errors.Is(err, dataplane.ErrRange):
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return status.Error(codes.Internal, err.Error())
}

// writeTable inserts, modifies or deletes an entry, or modifies the default entry.
func (p *program) writeTable(t p4v1.Update_Type, e *p4v1.TableEntry, keep bool) (undo func(), err error) {
	b, err := p.table(e.GetTableId())
	if err != nil {
		return nil, err
	}
	if t != p4v1.Update_DELETE {
		if err := b.checkExtras(e); err != nil {
			return nil, err
		}
	}
	p.idle.note(e.GetIdleTimeoutNs())
	if e.GetIsConst() {
		return nil, status.Error(codes.InvalidArgument, "is_const is for reading only")
	}
	if e.GetIsDefaultAction() {
		return b.writeDefault(t, e)
	}
	if b.IsConst && (t != p4v1.Update_MODIFY || e.GetAction() != nil) {
		return nil, status.Errorf(codes.PermissionDenied, "the entries of table %s are const", b.Name)
	}
	match, err := b.decodeMatch(e)
	if err != nil {
		return nil, err
	}
	if t != p4v1.Update_INSERT {
		entry, err := b.Find(match, e.GetPriority())
		if err != nil {
			return nil, dataError(err)
		}
		if entry.Const && (t == p4v1.Update_DELETE || e.GetAction() != nil) {
			return nil, status.Errorf(codes.PermissionDenied, "the entry of table %s is const", b.Name)
		}
	}
	switch t {
	case p4v1.Update_INSERT:
		return b.insert(match, e)
	case p4v1.Update_MODIFY:
		entry, err := b.Find(match, e.GetPriority())
		if err != nil {
			return nil, dataError(err)
		}
		return b.modify(entry, e)
	}
	var old *dataplane.Entry
	if keep {
		if old, err = b.Find(match, e.GetPriority()); err != nil {
			return nil, dataError(err)
		}
	}
	if err := b.Delete(match, e.GetPriority()); err != nil {
		return nil, dataError(err)
	}
	return func() { _ = b.Insert(old) }, nil
}

// checkExtras refuses what the switch would otherwise have to ignore.
func (b *boundTable) checkExtras(e *p4v1.TableEntry) error {
	switch {
	case e.GetIdleTimeoutNs() != 0 && !b.Timed():
		return status.Errorf(codes.InvalidArgument, "table %s has no idle time-outs", b.Name)
	case e.GetIdleTimeoutNs() < 0:
		return status.Errorf(codes.InvalidArgument, "an idle time-out of %d ns", e.GetIdleTimeoutNs())
	case e.GetTimeSinceLastHit() != nil:
		return status.Error(codes.InvalidArgument, "time_since_last_hit is for reading only")
	}
	if _, ok := b.HasMeter(); !ok && (e.GetMeterConfig() != nil || e.GetMeterCounterData() != nil) {
		return status.Errorf(codes.InvalidArgument, "table %s has no direct meter", b.Name)
	}
	if _, ok := b.HasCounter(); !ok && e.GetCounterData() != nil {
		return status.Errorf(codes.InvalidArgument, "table %s has no direct counter", b.Name)
	}
	return nil
}

func (b *boundTable) insert(match []dataplane.Match, e *p4v1.TableEntry) (undo func(), err error) {
	if len(b.Keys) == 0 {
		return nil, status.Errorf(codes.InvalidArgument, "table %s has no key, and only a default entry", b.Name)
	}
	do, err := b.decodeAction(e.GetAction(), inEntry)
	if err != nil {
		return nil, err
	}
	entry := dataplane.NewEntry(match, e.GetPriority(), do)
	setNote(entry, e)
	if e.GetCounterData() != nil {
		v, err := countOf(e.GetCounterData())
		if err != nil {
			return nil, err
		}
		entry.SetCount(v)
	}
	if _, ok := b.HasMeter(); ok {
		if _, err := b.setMeter(entry, e.GetMeterConfig(), e.GetMeterCounterData()); err != nil {
			return nil, err
		}
	}
	if err := b.Insert(entry); err != nil {
		return nil, dataError(err)
	}
	return func() { _ = b.Delete(match, entry.Priority) }, nil
}

func setNote(entry *dataplane.Entry, e *p4v1.TableEntry) {
	entry.SetNote(&dataplane.Note{
		Metadata: e.GetMetadata(), ControllerMetadata: e.GetControllerMetadata(), IdleTimeout: e.GetIdleTimeoutNs(),
	})
}

func (b *boundTable) modify(entry *dataplane.Entry, e *p4v1.TableEntry) (undo func(), err error) {
	do := entry.Do()
	if e.GetAction() != nil {
		if do, err = b.decodeAction(e.GetAction(), inEntry); err != nil {
			return nil, err
		}
	}
	old, note, count := entry.Do(), entry.Note(), entry.Count()
	var v dataplane.Count
	if e.GetCounterData() != nil {
		if v, err = countOf(e.GetCounterData()); err != nil {
			return nil, err
		}
	}
	unmeter, err := b.modifyMeter(entry, e)
	if err != nil {
		return nil, err
	}
	if e.GetCounterData() != nil {
		entry.SetCount(v)
	}
	b.Modify(entry, do)
	setNote(entry, e)
	return func() { b.Modify(entry, old); entry.SetNote(note); entry.SetCount(count); unmeter() }, nil
}

// writeDefault modifies the default entry; without an action it goes back to the program's.
func (b *boundTable) writeDefault(t p4v1.Update_Type, e *p4v1.TableEntry) (undo func(), err error) {
	switch {
	case t != p4v1.Update_MODIFY:
		return nil, status.Errorf(codes.InvalidArgument, "%v of a default entry: only MODIFY", t)
	case len(e.GetMatch()) > 0 || e.GetPriority() != 0:
		return nil, status.Error(codes.InvalidArgument, "a default entry has no match and no priority")
	case e.GetIdleTimeoutNs() != 0:
		return nil, status.Error(codes.InvalidArgument, "a default entry has no idle time-out")
	case b.profile != nil:
		return nil, status.Errorf(codes.PermissionDenied, "the default action of table %s, which has an action profile, is const", b.Name)
	case b.ConstDo:
		return nil, status.Errorf(codes.PermissionDenied, "the default action of table %s is const", b.Name)
	}
	entry := b.Default()
	old, note, count := entry.Do(), entry.Note(), entry.Count()
	do := b.Original()
	if e.GetAction() != nil {
		if do, err = b.decodeAction(e.GetAction(), asDefault); err != nil {
			return nil, err
		}
	}
	v := count
	switch {
	case e.GetCounterData() != nil:
		if v, err = countOf(e.GetCounterData()); err != nil {
			return nil, err
		}
	case e.GetAction() == nil:
		v = dataplane.Count{}
	}
	unmeter, err := b.modifyMeter(entry, e)
	if err != nil {
		return nil, err
	}
	if v != count {
		entry.SetCount(v)
	}
	b.Modify(entry, do)
	setNote(entry, e)
	return func() { b.Modify(entry, old); entry.SetNote(note); entry.SetCount(count); unmeter() }, nil
}

// modifyMeter configures the entry's meter as a modification says, if the table has one: without a configuration, to the default.
func (b *boundTable) modifyMeter(entry *dataplane.Entry, e *p4v1.TableEntry) (undo func(), err error) {
	if _, ok := b.HasMeter(); !ok {
		return func() {}, nil
	}
	return b.setMeter(entry, e.GetMeterConfig(), e.GetMeterCounterData())
}

// find is the entry that the key fields of e name.
func (b *boundTable) find(e *p4v1.TableEntry) (*dataplane.Entry, error) {
	if e.GetIsDefaultAction() {
		if len(e.GetMatch()) > 0 || e.GetPriority() != 0 {
			return nil, status.Error(codes.InvalidArgument, "a default entry has no match and no priority")
		}
		return b.Default(), nil
	}
	match, err := b.decodeMatch(e)
	if err != nil {
		return nil, err
	}
	entry, err := b.Find(match, e.GetPriority())
	return entry, dataError(err)
}

// readTables answers a TableEntry: all tables without an id; the other fields filter.
func (p *program) readTables(e *p4v1.TableEntry, out *answer) error {
	if e.GetTableId() == 0 {
		if len(e.GetMatch()) > 0 || e.GetAction() != nil || e.GetPriority() != 0 || e.GetControllerMetadata() != 0 ||
			len(e.GetMetadata()) > 0 || e.GetIsDefaultAction() {
			return status.Error(codes.InvalidArgument, "a filter without a table id")
		}
		for _, info := range p.info.GetTables() {
			if err := p.tables[info.GetPreamble().GetId()].read(e, out); err != nil {
				return err
			}
		}
		return nil
	}
	b, err := p.table(e.GetTableId())
	if err != nil {
		return err
	}
	return b.read(e, out)
}

func (b *boundTable) read(e *p4v1.TableEntry, out *answer) error {
	var entries []*dataplane.Entry
	switch {
	case e.GetIsDefaultAction():
		if len(e.GetMatch()) > 0 || e.GetPriority() != 0 {
			return status.Error(codes.InvalidArgument, "a default entry has no match and no priority")
		}
		entries = []*dataplane.Entry{b.Default()}
	case len(e.GetMatch()) > 0:
		match, err := b.decodeMatch(e)
		if err != nil {
			return err
		}
		entry, err := b.Find(match, e.GetPriority())
		if errors.Is(err, dataplane.ErrNotFound) {
			return nil
		}
		entries = []*dataplane.Entry{entry}
	default:
		entries = b.Entries()
	}
	switch {
	case e.GetTimeSinceLastHit() != nil && e.GetTableId() != 0 && (!b.Timed() || e.GetIsDefaultAction()):
		return status.Errorf(codes.InvalidArgument, "table %s has no idle time-outs", b.Name)
	case e.GetAction() != nil && b.profile != nil:
		return status.Errorf(codes.InvalidArgument, "table %s has an action profile: its entries cannot be chosen by action", b.Name)
	}
	wantAction := -1
	if a := e.GetAction(); a != nil {
		i, ok := b.actions.byID[a.GetAction().GetActionId()]
		if !ok {
			return status.Errorf(codes.InvalidArgument, "table %s has no action %#x", b.Name, a.GetAction().GetActionId())
		}
		wantAction = i
	}
	for _, entry := range entries {
		te := b.describe(entry)
		switch {
		case wantAction >= 0 && entry.Do().Action != wantAction,
			e.GetPriority() != 0 && e.GetPriority() != te.GetPriority(),
			e.GetControllerMetadata() != 0 && e.GetControllerMetadata() != te.GetControllerMetadata(),
			len(e.GetMetadata()) > 0 && string(e.GetMetadata()) != string(te.GetMetadata()):
			continue
		}
		if _, ok := b.HasCounter(); ok && e.GetCounterData() != nil {
			te.CounterData = counterData(entry.Count(), b.unit)
		}
		if _, ok := b.HasMeter(); ok {
			if e.GetMeterConfig() != nil {
				te.MeterConfig = meterConfig(b.Rates(entry))
			}
			if e.GetMeterCounterData() != nil {
				te.MeterCounterData = meterData(b.Metered(entry))
			}
		}
		if e.GetTimeSinceLastHit() != nil && b.Timed() {
			te.TimeSinceLastHit = &p4v1.TableEntry_IdleTimeout{ElapsedNs: int64(b.Idle(entry)) * 1000}
		}
		if err := out.add(&p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: te}}); err != nil {
			return err
		}
	}
	return nil
}

// describe is an entry as it is read, in canonical form: keys and parameters in the order of the P4Info, the shortest byte
// strings, no field for what matches anything.
func (b *boundTable) describe(entry *dataplane.Entry) *p4v1.TableEntry {
	te := &p4v1.TableEntry{TableId: b.id, Priority: entry.Priority, IsConst: entry.Const, IsDefaultAction: entry == b.Default()}
	note := entry.Note()
	te.Metadata, te.ControllerMetadata, te.IdleTimeoutNs = note.Metadata, note.ControllerMetadata, note.IdleTimeout
	te.Match = b.keys.encode(entry.Match)
	te.Action = b.encodeAction(entry.Do())
	return te
}
