package replacement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/replace"
)

// restore writes what is kept: the system's entries, then each tenant's.
func (b *builder) restore() error {
	if b.old == nil {
		return nil
	}
	byOwner := map[string][]*p4v1.Update{}
	cells := map[alloc.Array]map[int64]*p4v1.RegisterEntry{}
	ids, arrays := newRenumbering(b.old.info, b.next.info), b.arrays()
	for _, e := range b.entities {
		if r := e.GetRegisterEntry(); r != nil {
			if a, ok := arrays[r.GetRegisterId()]; ok {
				if cells[a] == nil {
					cells[a] = map[int64]*p4v1.RegisterEntry{}
				}
				cells[a][r.GetIndex().GetIndex()] = r
				continue
			}
		}
		owner, u := b.keep(e, ids)
		if u != nil {
			byOwner[owner] = append(byOwner[owner], u)
		}
	}
	if err := b.write(byOwner[""], fmt.Sprintf("restore %d of the system's", len(byOwner[""]))); err != nil {
		return err
	}
	for _, t := range b.in.Tenants {
		updates := byOwner[t.Name]
		pages, slots, err := b.memory(t, cells, ids)
		if err != nil {
			return err
		}
		note := fmt.Sprintf("restore tenant %s: entries and counts: %d, page tables: %d, slots: %d", t.Name, len(updates), len(pages), len(slots))
		if err := b.write(slices.Concat(updates, slots, pages), note); err != nil {
			return err
		}
	}
	return nil
}

// arrays are the stage arrays of the old program, by id.
func (b *builder) arrays() map[uint32]alloc.Array {
	out := map[uint32]alloc.Array{}
	for a := range b.old.codec.Slots() {
		for _, r := range b.old.info.GetRegisters() {
			if r.GetPreamble().GetName() == specs.StageArray(a.Control, a.Stage) {
				out[r.GetPreamble().GetId()] = a
			}
		}
	}
	return out
}

// keep is the update that gives an entity back, and to whom; nil for what is not kept.
func (b *builder) keep(e *p4v1.Entity, ids *renumbering) (string, *p4v1.Update) {
	name := ids.nameOf(e)
	owner := b.owner(name)
	if t := b.tenant(owner); owner != "" && (t == nil || t.Fate != replace.Retained) {
		return "", nil
	}
	u := &p4v1.Update{Type: p4v1.Update_MODIFY}
	switch x := e.GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		te := proto.CloneOf(x.TableEntry)
		t := tableByName(b.old.info, name)
		if t.GetHasInitialEntries() && !t.GetIsConstTable() && owner != "" || !ids.entry(te) {
			return "", nil
		}
		fixed := te.GetIsConst() || te.GetIsDefaultAction() && t.GetConstDefaultActionId() != 0
		switch {
		case fixed && te.GetCounterData() == nil:
			return "", nil
		case fixed:
			u.Entity = &p4v1.Entity{Entity: &p4v1.Entity_DirectCounterEntry{DirectCounterEntry: &p4v1.DirectCounterEntry{
				TableEntry: &p4v1.TableEntry{
					TableId: te.GetTableId(), Match: te.GetMatch(), Priority: te.GetPriority(), IsDefaultAction: te.GetIsDefaultAction(),
				},
				Data: te.GetCounterData(),
			}}}
			return owner, u
		case !te.GetIsDefaultAction():
			u.Type = p4v1.Update_INSERT
		}
		u.Entity = &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: te}}
	case *p4v1.Entity_CounterEntry:
		c := proto.CloneOf(x.CounterEntry)
		c.CounterId = ids.id(c.GetCounterId())
		if name == specs.PacketsCounter || name == specs.HitsCounter {
			i := slices.IndexFunc(b.in.Tenants, func(t replace.Tenant) bool {
				return t.Fate == replace.Retained && int64(t.OldVID) == c.GetIndex().GetIndex()
			})
			if i < 0 {
				return "", nil
			}
			owner, c.Index = b.in.Tenants[i].Name, &p4v1.Index{Index: int64(b.in.Tenants[i].VID)}
		}
		u.Entity = &p4v1.Entity{Entity: &p4v1.Entity_CounterEntry{CounterEntry: c}}
	case *p4v1.Entity_RegisterEntry:
		r := proto.CloneOf(x.RegisterEntry)
		r.RegisterId = ids.id(r.GetRegisterId())
		u.Entity = &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: r}}
	default:
		return "", nil
	}
	return owner, u
}

// memory is a tenant's page-table entries as they will be, and the slots that they reach.
func (b *builder) memory(t replace.Tenant, cells map[alloc.Array]map[int64]*p4v1.RegisterEntry, ids *renumbering) (pages, slots []*p4v1.Update, err error) {
	if !t.Admitted || t.OldVID == 0 {
		return nil, nil, nil
	}
	next := alloc.Tables{}
	for _, control := range []specs.Control{specs.Ingress, specs.Egress} {
		had, stages := b.pages[alloc.Key{Control: control, VID: t.OldVID}], b.next.codec.Stages(control)
		if had == nil || stages == 0 {
			continue
		}
		entry := make(alloc.Entry, stages)
		for k := range min(len(had), stages) {
			a, m := alloc.Array{Control: control, Stage: k}, had[k]
			if t.Fate == replace.Retained && m.Base+m.Size <= b.next.codec.Slots()[a] && b.in.Writable(control, k, m.Base, m.Size) {
				entry[k] = m
				for _, s := range sortedCells(cells[a]) {
					if i := s.GetIndex().GetIndex(); m.Base <= i && i < m.Base+m.Size {
						s = proto.CloneOf(s)
						s.RegisterId = ids.id(s.GetRegisterId())
						slots = append(slots, &p4v1.Update{Type: p4v1.Update_MODIFY, Entity: &p4v1.Entity{
							Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: s},
						}})
					}
				}
				continue
			}
			entry[k].Generation = m.Generation
			if m.Size > 0 {
				entry[k].Generation++
			}
		}
		next[alloc.Key{Control: control, VID: t.VID}] = entry
	}
	text, err := b.next.codec.Encode(next)
	if err != nil {
		return nil, nil, err
	}
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(text, &resp); err != nil {
		return nil, nil, err
	}
	for _, e := range resp.GetEntities() {
		pages = append(pages, &p4v1.Update{Type: p4v1.Update_INSERT, Entity: e})
	}
	return pages, slots, nil
}

func sortedCells(m map[int64]*p4v1.RegisterEntry) []*p4v1.RegisterEntry {
	var out []*p4v1.RegisterEntry
	for _, r := range m {
		out = append(out, r)
	}
	slices.SortFunc(out, func(x, y *p4v1.RegisterEntry) int {
		return cmp.Compare(x.GetIndex().GetIndex(), y.GetIndex().GetIndex())
	})
	return out
}

// owner is the tenant whose prefix an object's name has.
func (b *builder) owner(name string) string {
	for _, t := range b.in.Tenants {
		for part := range strings.SplitSeq(name, ".") {
			if strings.HasPrefix(part, specs.TenantPrefix(t.Name)) {
				return t.Name
			}
		}
	}
	return ""
}

func (b *builder) tenant(name string) *replace.Tenant {
	for i := range b.in.Tenants {
		if b.in.Tenants[i].Name == name {
			return &b.in.Tenants[i]
		}
	}
	return nil
}

// A renumbering is what the ids of one program are in another, by name.
type renumbering struct {
	names  map[uint32]string
	ids    map[string]uint32
	fields map[[2]uint32]uint32 // key fields and action parameters: owner's old id, old id -> new id
}

func newRenumbering(old, next *configv1.P4Info) *renumbering {
	n := &renumbering{names: map[uint32]string{}, ids: map[string]uint32{}, fields: map[[2]uint32]uint32{}}
	newFields := map[string]map[string]uint32{}
	for i, info := range []*configv1.P4Info{old, next} {
		add := func(p *configv1.Preamble, inner map[string]uint32) {
			if i == 1 {
				n.ids[p.GetName()] = p.GetId()
				newFields[p.GetName()] = inner
			} else {
				n.names[p.GetId()] = p.GetName()
			}
		}
		for _, t := range info.GetTables() {
			inner := map[string]uint32{}
			for _, f := range t.GetMatchFields() {
				inner[f.GetName()] = f.GetId()
			}
			add(t.GetPreamble(), inner)
		}
		for _, a := range info.GetActions() {
			inner := map[string]uint32{}
			for _, p := range a.GetParams() {
				inner[p.GetName()] = p.GetId()
			}
			add(a.GetPreamble(), inner)
		}
		for _, c := range info.GetCounters() {
			add(c.GetPreamble(), nil)
		}
		for _, r := range info.GetRegisters() {
			add(r.GetPreamble(), nil)
		}
	}
	for _, t := range old.GetTables() {
		for _, f := range t.GetMatchFields() {
			n.fields[[2]uint32{t.GetPreamble().GetId(), f.GetId()}] = newFields[t.GetPreamble().GetName()][f.GetName()]
		}
	}
	for _, a := range old.GetActions() {
		for _, p := range a.GetParams() {
			n.fields[[2]uint32{a.GetPreamble().GetId(), p.GetId()}] = newFields[a.GetPreamble().GetName()][p.GetName()]
		}
	}
	return n
}

func (n *renumbering) id(old uint32) uint32 { return n.ids[n.names[old]] }

// nameOf is the name of the object that an entity is in.
func (n *renumbering) nameOf(e *p4v1.Entity) string {
	switch x := e.GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		return n.names[x.TableEntry.GetTableId()]
	case *p4v1.Entity_CounterEntry:
		return n.names[x.CounterEntry.GetCounterId()]
	case *p4v1.Entity_RegisterEntry:
		return n.names[x.RegisterEntry.GetRegisterId()]
	}
	return ""
}

// entry renumbers a table entry in place; it is false if the other program has no such table or action.
func (n *renumbering) entry(e *p4v1.TableEntry) bool {
	for _, m := range e.GetMatch() {
		m.FieldId = n.fields[[2]uint32{e.GetTableId(), m.GetFieldId()}]
	}
	if a := e.GetAction().GetAction(); a != nil {
		for _, p := range a.GetParams() {
			p.ParamId = n.fields[[2]uint32{a.GetActionId(), p.GetParamId()}]
		}
		a.ActionId = n.id(a.GetActionId())
		if a.ActionId == 0 {
			return false
		}
	}
	e.TableId = n.id(e.GetTableId())
	return e.TableId != 0
}
