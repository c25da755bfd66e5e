package softswitch

import (
	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
)

// preamblesOf finds the preamble of everything in a P4Info that an entity can name, by id.
func preamblesOf(info *configv1.P4Info) map[uint32]*configv1.Preamble {
	m := map[uint32]*configv1.Preamble{}
	add := func(p *configv1.Preamble) { m[p.GetId()] = p }
	for _, x := range info.GetTables() {
		add(x.GetPreamble())
	}
	for _, x := range info.GetActionProfiles() {
		add(x.GetPreamble())
	}
	for _, x := range info.GetCounters() {
		add(x.GetPreamble())
	}
	for _, x := range info.GetMeters() {
		add(x.GetPreamble())
	}
	for _, x := range info.GetRegisters() {
		add(x.GetPreamble())
	}
	for _, x := range info.GetValueSets() {
		add(x.GetPreamble())
	}
	for _, x := range info.GetDigests() {
		add(x.GetPreamble())
	}
	return m
}

// objectID is the id of the object that an entity is of; a direct counter's or meter's is its table's. It is 0 if there is none.
func objectID(e *p4v1.Entity) uint32 {
	switch e := e.GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		return e.TableEntry.GetTableId()
	case *p4v1.Entity_DirectCounterEntry:
		return e.DirectCounterEntry.GetTableEntry().GetTableId()
	case *p4v1.Entity_DirectMeterEntry:
		return e.DirectMeterEntry.GetTableEntry().GetTableId()
	case *p4v1.Entity_ActionProfileMember:
		return e.ActionProfileMember.GetActionProfileId()
	case *p4v1.Entity_ActionProfileGroup:
		return e.ActionProfileGroup.GetActionProfileId()
	case *p4v1.Entity_CounterEntry:
		return e.CounterEntry.GetCounterId()
	case *p4v1.Entity_MeterEntry:
		return e.MeterEntry.GetMeterId()
	case *p4v1.Entity_RegisterEntry:
		return e.RegisterEntry.GetRegisterId()
	case *p4v1.Entity_ValueSetEntry:
		return e.ValueSetEntry.GetValueSetId()
	case *p4v1.Entity_DigestEntry:
		return e.DigestEntry.GetDigestId()
	}
	return 0
}

// preamble is that of the object that an entity is of, or nil.
func (p *program) preamble(e *p4v1.Entity) *configv1.Preamble { return p.preambles[objectID(e)] }
