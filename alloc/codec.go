package alloc

import (
	"fmt"
	"maps"
	"slices"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/specs"
)

// Mapping is what a page-table entry says about one stage.
type Mapping struct {
	Base, Size int64
	Mask       uint32
	Generation uint16
}

// Entry is a page-table entry: a mapping for each stage of its control, in order.
type Entry []Mapping

// Key is a page table and the VID of an entry in it.
type Key struct {
	Control specs.Control
	VID     uint16
}

// Compare orders keys: ingress before egress, then by VID.
func (k Key) Compare(o Key) int {
	if k.Control != o.Control {
		return Array{Control: k.Control}.Compare(Array{Control: o.Control})
	}
	return int(k.VID) - int(o.VID)
}

// Tables is the content of all page tables.
type Tables map[Key]Entry

// Keys returns the keys in order.
func (t Tables) Keys() []Key { return slices.SortedFunc(maps.Keys(t), Key.Compare) }

// Clone copies the tables; entries are shared and must not be changed.
func (t Tables) Clone() Tables { return maps.Clone(t) }

// Equal says whether both say the same.
func (t Tables) Equal(o Tables) bool {
	return maps.EqualFunc(t, o, func(a, b Entry) bool { return slices.Equal(a, b) })
}

// Layout is where everybody's memory is, by the tables.
func (t Tables) Layout() Layout {
	l := Layout{}
	for k, e := range t {
		for s, m := range e {
			if m.Size == 0 {
				continue
			}
			if l[k.VID] == nil {
				l[k.VID] = map[Array]Extent{}
			}
			l[k.VID][Array{k.Control, s}] = Extent{m.Base, m.Size}
		}
	}
	return l
}

// Codec writes and reads P4Runtime messages for one linked program.
type Codec struct {
	tables    map[specs.Control]tableIDs
	registers map[Array]uint32
	slots     Capacity
	admission uint32 // the admission table's id; 0: there is none
}

type tableIDs struct {
	table, key, action uint32
	stages             int
}

// NewCodec finds the page tables and stage arrays in the program's P4Info by their ABI names.
func NewCodec(info *configv1.P4Info) (*Codec, error) {
	c := &Codec{tables: map[specs.Control]tableIDs{}, registers: map[Array]uint32{}, slots: Capacity{}}
	registers := map[string]*configv1.Register{}
	for _, r := range info.GetRegisters() {
		registers[r.GetPreamble().GetName()] = r
	}
	for _, t := range info.GetTables() {
		if t.GetPreamble().GetName() == specs.AdmissionTable {
			c.admission = t.GetPreamble().GetId()
		}
	}
	for _, control := range []specs.Control{specs.Ingress, specs.Egress} {
		stages := 0
		for ; registers[specs.StageArray(control, stages)] != nil; stages++ {
			r := registers[specs.StageArray(control, stages)]
			a := Array{control, stages}
			c.registers[a], c.slots[a] = r.GetPreamble().GetId(), int64(r.GetSize())
		}
		if stages == 0 {
			continue
		}
		ids := tableIDs{stages: stages}
		for _, t := range info.GetTables() {
			if t.GetPreamble().GetName() == specs.PageTable(control) {
				ids.table = t.GetPreamble().GetId()
				for _, f := range t.GetMatchFields() {
					if f.GetName() == specs.PageTableKey {
						ids.key = f.GetId()
					}
				}
			}
		}
		for _, a := range info.GetActions() {
			if a.GetPreamble().GetName() == specs.MapAction(control) {
				ids.action = a.GetPreamble().GetId()
			}
		}
		if ids.table == 0 || ids.key == 0 || ids.action == 0 {
			return nil, fmt.Errorf("p4info: %d stage arrays in %s, but no table %s with key %s and action %s",
				stages, control, specs.PageTable(control), specs.PageTableKey, specs.MapAction(control))
		}
		c.tables[control] = ids
	}
	return c, nil
}

// Slots is the size of each stage array.
func (c *Codec) Slots() Capacity { return maps.Clone(c.slots) }

// Stages is how many stage arrays a control has.
func (c *Codec) Stages(control specs.Control) int { return c.tables[control].stages }

// PageTable is the P4Runtime id of a control's page table; false if the control has none.
func (c *Codec) PageTable(control specs.Control) (uint32, bool) {
	ids, ok := c.tables[control]
	return ids.table, ok
}

// bitstring is P4Runtime's canonical form of an unsigned value: as few bytes as possible, at least one.
func bitstring(v uint64) []byte {
	b := []byte{byte(v >> 56), byte(v >> 48), byte(v >> 40), byte(v >> 32), byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
	for len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

func value(b []byte) (uint64, error) {
	if len(b) == 0 || len(b) > 8 {
		return 0, fmt.Errorf("bit string of %d bytes", len(b))
	}
	var v uint64
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v, nil
}

// entity is a page-table entry in P4Runtime; without an action (for a deletion) when e is nil.
func (c *Codec) entity(k Key, e Entry) *p4v1.Entity {
	ids := c.tables[k.Control]
	te := &p4v1.TableEntry{
		TableId: ids.table,
		Match: []*p4v1.FieldMatch{{FieldId: ids.key, FieldMatchType: &p4v1.FieldMatch_Exact_{
			Exact: &p4v1.FieldMatch_Exact{Value: bitstring(uint64(k.VID))},
		}}},
	}
	if e != nil {
		action := &p4v1.Action{ActionId: ids.action}
		for i, m := range e {
			for j, v := range []uint64{uint64(m.Base), uint64(m.Size), uint64(m.Mask), uint64(m.Generation)} {
				action.Params = append(action.Params, &p4v1.Action_Param{ParamId: uint32(4*i + j + 1), Value: bitstring(v)})
			}
		}
		te.Action = &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: action}}
	}
	return &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: te}}
}

// Encode writes tables as a canonical ReadResponse, the way a switch that holds them is read back.
func (c *Codec) Encode(t Tables) ([]byte, error) {
	var resp p4v1.ReadResponse
	for _, k := range t.Keys() {
		if err := c.fits(k, t[k]); err != nil {
			return nil, err
		}
		resp.Entities = append(resp.Entities, c.entity(k, t[k]))
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(&resp)
}

func (c *Codec) fits(k Key, e Entry) error {
	ids, ok := c.tables[k.Control]
	if !ok {
		return fmt.Errorf("the linked program has no page table in control %q", k.Control)
	}
	if len(e) != ids.stages {
		return fmt.Errorf("entry of VID %d in %s has %d stages, want %d", k.VID, k.Control, len(e), ids.stages)
	}
	for s, m := range e {
		if m.Base < 0 || m.Base >= 1<<specs.BaseBits || m.Size < 0 || m.Size >= 1<<specs.SizeBits {
			return fmt.Errorf("entry of VID %d in %s/%d: base %d, size %d do not fit the page table", k.VID, k.Control, s, m.Base, m.Size)
		}
	}
	return nil
}

// Decode reads the content of the page tables from a serialised p4.v1.ReadResponse.
func (c *Codec) Decode(state []byte) (Tables, error) {
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(state, &resp); err != nil {
		return nil, fmt.Errorf("page tables: %w", err)
	}
	out := Tables{}
	for i, x := range resp.GetEntities() {
		k, e, err := c.decodeEntry(x.GetTableEntry())
		if err != nil {
			return nil, fmt.Errorf("page tables: entity %d: %w", i, err)
		}
		if _, dup := out[k]; dup {
			return nil, fmt.Errorf("page tables: entity %d: a second entry of VID %d in %s", i, k.VID, k.Control)
		}
		out[k] = e
	}
	return out, nil
}

func (c *Codec) decodeEntry(te *p4v1.TableEntry) (Key, Entry, error) {
	for _, control := range []specs.Control{specs.Ingress, specs.Egress} {
		ids, ok := c.tables[control]
		if !ok || te.GetTableId() != ids.table {
			continue
		}
		if len(te.GetMatch()) != 1 || te.GetMatch()[0].GetFieldId() != ids.key {
			return Key{}, nil, fmt.Errorf("%d keys, want %s", len(te.GetMatch()), specs.PageTableKey)
		}
		vid, err := value(te.GetMatch()[0].GetExact().GetValue())
		if err != nil || vid > 4095 {
			return Key{}, nil, fmt.Errorf("VID %x", te.GetMatch()[0].GetExact().GetValue())
		}
		action := te.GetAction().GetAction()
		if action.GetActionId() != ids.action || len(action.GetParams()) != 4*ids.stages {
			return Key{}, nil, fmt.Errorf("action %#x with %d parameters, want %#x with %d", action.GetActionId(), len(action.GetParams()), ids.action, 4*ids.stages)
		}
		e, seen := make(Entry, ids.stages), make([]bool, 4*ids.stages)
		for _, p := range action.GetParams() {
			i := int(p.GetParamId()) - 1
			if i < 0 || i >= len(seen) || seen[i] {
				return Key{}, nil, fmt.Errorf("parameter %d", p.GetParamId())
			}
			seen[i] = true
			v, err := value(p.GetValue())
			if err != nil || v > []uint64{1<<specs.BaseBits - 1, 1<<specs.SizeBits - 1, 1<<specs.MaskBits - 1, 1<<specs.GenerationBits - 1}[i%4] {
				return Key{}, nil, fmt.Errorf("parameter %d: value %x", p.GetParamId(), p.GetValue())
			}
			switch m := &e[i/4]; i % 4 {
			case 0:
				m.Base = int64(v)
			case 1:
				m.Size = int64(v)
			case 2:
				m.Mask = uint32(v)
			case 3:
				m.Generation = uint16(v)
			}
		}
		return Key{control, uint16(vid)}, e, nil
	}
	return Key{}, nil, fmt.Errorf("table %#x is no page table", te.GetTableId())
}
