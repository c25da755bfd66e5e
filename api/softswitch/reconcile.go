package softswitch

//lint:file-ignore SA1019 controller_metadata is deprecated, and still kept with entries

import (
	"fmt"
	"slices"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// reconcile carries everything that controllers and packets have put into old over to next, object by object, by id and name.
// What next has no place for is an error, and next is not to be used; objects that still are as their program made them are
// not carried over. Nobody else uses either meanwhile.
//
// A table that both programs have holds afterwards what it held in old: initial entries that next declares, and that are not
// const, are there only if old had them. A table that is new starts as declared.
func reconcile(old, next *program) error {
	for id, pre := range old.preambles {
		if q := next.preambles[id]; q != nil && q.GetName() != pre.GetName() {
			return status.Errorf(codes.InvalidArgument, "%s and %s have one id, %#x", pre.GetName(), q.GetName(), id)
		}
	}
	for id, r := range old.registers {
		if err := carryRegister(r, next.registers[id]); err != nil {
			return lost("register "+r.Name, err)
		}
	}
	for id, c := range old.counters {
		if err := carryCounter(c, next.counters[id]); err != nil {
			return lost("counter "+c.Name, err)
		}
	}
	if err := carryEntities(old, next); err != nil {
		return err
	}
	for _, info := range old.info.GetTables() {
		b := old.tables[info.GetPreamble().GetId()]
		if err := b.carry(next); err != nil {
			return lost("table "+b.Name, err)
		}
	}
	return nil
}

// carryEntities carries over what is neither a table nor a register nor a counter: what is read from old is written to next. Members
// come before the groups that refer to them, and both before the entries.
func carryEntities(old, next *program) error {
	var all []*p4v1.Entity
	out := &answer{send: func(m *p4v1.ReadResponse) error { all = append(all, m.GetEntities()...); return nil }}
	for _, e := range []*p4v1.Entity{
		{Entity: &p4v1.Entity_ActionProfileMember{ActionProfileMember: &p4v1.ActionProfileMember{}}},
		{Entity: &p4v1.Entity_ActionProfileGroup{ActionProfileGroup: &p4v1.ActionProfileGroup{}}},
		{Entity: &p4v1.Entity_MeterEntry{MeterEntry: &p4v1.MeterEntry{}}},
		{Entity: &p4v1.Entity_ValueSetEntry{ValueSetEntry: &p4v1.ValueSetEntry{}}},
		{Entity: &p4v1.Entity_DigestEntry{DigestEntry: &p4v1.DigestEntry{}}},
		{Entity: &p4v1.Entity_PacketReplicationEngineEntry{PacketReplicationEngineEntry: &p4v1.PacketReplicationEngineEntry{
			Type: &p4v1.PacketReplicationEngineEntry_MulticastGroupEntry{MulticastGroupEntry: &p4v1.MulticastGroupEntry{}},
		}}},
		{Entity: &p4v1.Entity_PacketReplicationEngineEntry{PacketReplicationEngineEntry: &p4v1.PacketReplicationEngineEntry{
			Type: &p4v1.PacketReplicationEngineEntry_CloneSessionEntry{CloneSessionEntry: &p4v1.CloneSessionEntry{}},
		}}},
	} {
		if err := old.read(e, out); err != nil {
			return err
		}
	}
	if err := out.flush(); err != nil {
		return err
	}
	for _, e := range all {
		t := p4v1.Update_INSERT
		switch x := e.GetEntity().(type) {
		case *p4v1.Entity_MeterEntry:
			if x.MeterEntry.GetConfig() == nil {
				continue
			}
			t = p4v1.Update_MODIFY
		case *p4v1.Entity_ValueSetEntry:
			if len(x.ValueSetEntry.GetMembers()) == 0 {
				continue
			}
			t = p4v1.Update_MODIFY
		}
		if _, err := next.update(t, e, false); err != nil {
			what := "the replication engine"
			if pre := old.preamble(e); pre != nil {
				what = pre.GetName()
			}
			return lost(what, err)
		}
	}
	return nil
}

// lost says that the state of an object would be.
func lost(what string, err error) error {
	return status.Errorf(codes.InvalidArgument, "the state of %s cannot be preserved: %s", what, status.Convert(err).Message())
}

var errGone = fmt.Errorf("it is not in the new program, and not as the old one made it")

func carryRegister(from, to *boundRegister) error {
	w := make([]uint64, from.Words())
	for i := range from.Size {
		if err := from.Read(i, w); err != nil {
			return err
		}
		switch {
		case !slices.ContainsFunc(w, func(x uint64) bool { return x != 0 }):
			continue
		case to == nil:
			return errGone
		case to.Width != from.Width || to.Signed != from.Signed || to.IsBool != from.IsBool,
			!slices.Equal(to.Fields, from.Fields), !proto.Equal(to.of, from.of):
			return fmt.Errorf("its cells have another type")
		}
		if err := to.Write(i, w); err != nil {
			return err
		}
	}
	return nil
}

func carryCounter(from, to *boundCounter) error {
	for i := range from.Size {
		v, err := from.Read(i)
		switch {
		case err != nil:
			return err
		case v == dataplane.Count{}:
			continue
		case to == nil:
			return errGone
		}
		if err := to.Write(i, v); err != nil {
			return err
		}
	}
	return nil
}

// carry puts the entries and the default entry of b into the same table of next.
func (b *boundTable) carry(next *program) error {
	to := next.tables[b.id]
	if to != nil {
		for _, e := range to.Entries() {
			if !e.Const {
				if err := to.Delete(e.Match, e.Priority); err != nil {
					return err
				}
			}
		}
	}
	_, counted := b.HasCounter()
	for _, e := range append(b.Entries(), b.Default()) {
		te := b.describe(e)
		if counted && e.Count() != (dataplane.Count{}) {
			te.CounterData = counterData(e.Count(), b.unit)
		}
		if _, ok := b.HasMeter(); ok {
			te.MeterConfig = meterConfig(b.Rates(e))
		}
		t := p4v1.Update_INSERT
		switch {
		case e == b.Default():
			t = p4v1.Update_MODIFY
			if slices.Equal(e.Do().Args, b.Original().Args) && e.Do().Action == b.Original().Action {
				te.Action = nil // the program's own, whatever that is now
			}
			if te.Action == nil && te.CounterData == nil && te.MeterConfig == nil && len(te.Metadata) == 0 && te.ControllerMetadata == 0 {
				continue
			}
		case e.Const:
			if te.CounterData == nil && te.MeterConfig == nil {
				continue
			}
			t, te.Action, te.IsConst = p4v1.Update_MODIFY, nil, false
		}
		if to == nil {
			return errGone
		}
		if _, err := next.writeTable(t, te, false); err != nil {
			return fmt.Errorf("entry %v: %s", te, status.Convert(err).Message())
		}
	}
	return nil
}
