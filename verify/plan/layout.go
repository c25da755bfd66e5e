package plan

import (
	"fmt"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// vidBits is the width of a page table's key.
const vidBits = 12

// A layout is what the linked program offers to plans: page tables and stage arrays, with the P4Runtime ids that stand for them.
type layout struct {
	tables map[uint32]*pageTable  // by P4Runtime id
	arrays map[uint32]model.Array // by P4Runtime id
	slots  map[model.Array]int64
	widths map[model.Array]int
	sides  [2]*pageTable // by control; nil if it has none
	order  []model.Array // all, in the order of model.Plan.Arrays
}

// pageTable is one control's page table.
type pageTable struct {
	control  specs.Control
	id       uint32
	key      uint32 // match field id
	action   uint32 // id of the only action that maps
	stages   int
	capacity int64
}

// Parameter ids of stage k are 4k+1 .. 4k+4, in this order.
const (
	baseParam = iota
	sizeParam
	maskParam
	generationParam
	paramsPerStage
)

var paramBits = [paramsPerStage]int{specs.BaseBits, specs.SizeBits, specs.MaskBits, specs.GenerationBits}

func paramName(p, k int) string {
	switch p {
	case baseParam:
		return specs.BaseParam(k)
	case sizeParam:
		return specs.SizeParam(k)
	case maskParam:
		return specs.MaskParam(k)
	default:
		return specs.GenerationParam(k)
	}
}

// layoutOf finds the page tables and stage arrays in P4Info by their ABI names and checks that they are what they should be.
func layoutOf(info *p4configv1.P4Info) (*layout, error) {
	l := &layout{
		tables: map[uint32]*pageTable{},
		arrays: map[uint32]model.Array{},
		slots:  map[model.Array]int64{},
		widths: map[model.Array]int{},
	}
	tables, actions, registers := map[string]*p4configv1.Table{}, map[string]*p4configv1.Action{}, map[string]*p4configv1.Register{}
	for _, t := range info.GetTables() {
		tables[t.GetPreamble().GetName()] = t
	}
	for _, a := range info.GetActions() {
		actions[a.GetPreamble().GetName()] = a
	}
	for _, r := range info.GetRegisters() {
		registers[r.GetPreamble().GetName()] = r
	}
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		stages := 0
		for ; registers[specs.StageArray(c, stages)] != nil; stages++ {
			if err := l.addArray(model.Array{Control: c, Stage: stages}, registers[specs.StageArray(c, stages)]); err != nil {
				return nil, err
			}
		}
		t, a := tables[specs.PageTable(c)], actions[specs.MapAction(c)]
		if t == nil && stages == 0 {
			continue
		}
		if t == nil || a == nil {
			return nil, fmt.Errorf("%s has %d stage arrays, but no page table %s with action %s", c, stages, specs.PageTable(c), specs.MapAction(c))
		}
		if err := l.addTable(c, stages, t, a); err != nil {
			return nil, fmt.Errorf("%s: %w", specs.PageTable(c), err)
		}
	}
	l.order = (&model.Plan{Slots: l.slots}).Arrays()
	return l, nil
}

func (l *layout) addArray(a model.Array, r *p4configv1.Register) error {
	name := r.GetPreamble().GetName()
	bits := r.GetTypeSpec().GetBitstring().GetBit()
	if bits == nil || bits.GetBitwidth() < 1 {
		return fmt.Errorf("%s: is not a register of bit<W>", name)
	}
	// A slot is computed in 32 bits as base + v' with v' < size; see specs.BaseBits.
	if n := r.GetSize(); n < 1 || int64(n) > 1<<specs.BaseBits {
		return fmt.Errorf("%s: %d slots, want 1 to 2^%d", name, n, specs.BaseBits)
	}
	l.arrays[r.GetPreamble().GetId()] = a
	l.slots[a] = int64(r.GetSize())
	l.widths[a] = int(bits.GetBitwidth())
	return nil
}

func (l *layout) addTable(c specs.Control, stages int, t *p4configv1.Table, a *p4configv1.Action) error {
	if n := len(t.GetMatchFields()); n != 1 {
		return fmt.Errorf("%d keys, want one", n)
	}
	// Were it not const, a write could change it. That it maps nothing is for verify/program to prove (P5).
	if d := t.GetConstDefaultActionId(); d == 0 || d == a.GetPreamble().GetId() {
		return fmt.Errorf("its default action must be const and not %s", specs.MapAction(c))
	}
	if t.GetImplementationId() != 0 || t.GetIsConstTable() || t.GetIdleTimeoutBehavior() != p4configv1.Table_NO_TIMEOUT {
		return fmt.Errorf("must be a plain table: no profile, const entries or time-outs")
	}
	f := t.GetMatchFields()[0]
	if f.GetName() != specs.PageTableKey || f.GetBitwidth() != vidBits || f.GetMatchType() != p4configv1.MatchField_EXACT {
		return fmt.Errorf("its key must be %s, %d bits, exact; it is %s, %d bits, %v", specs.PageTableKey, vidBits, f.GetName(), f.GetBitwidth(), f.GetMatchType())
	}
	mapped := false
	for _, r := range t.GetActionRefs() {
		if r.GetId() == a.GetPreamble().GetId() {
			mapped = r.GetScope() != p4configv1.ActionRef_DEFAULT_ONLY
		}
	}
	if !mapped {
		return fmt.Errorf("its entries cannot have the action %s", specs.MapAction(c))
	}
	if n, want := len(a.GetParams()), stages*paramsPerStage; n != want {
		return fmt.Errorf("%s has %d parameters, want %d for %d stage arrays", specs.MapAction(c), n, want, stages)
	}
	for i, p := range a.GetParams() {
		k, j := i/paramsPerStage, i%paramsPerStage
		if p.GetId() != uint32(i+1) || p.GetName() != paramName(j, k) || int(p.GetBitwidth()) != paramBits[j] {
			return fmt.Errorf("%s: parameter %d is %s, id %d, %d bits; want %s, id %d, %d bits", specs.MapAction(c), i,
				p.GetName(), p.GetId(), p.GetBitwidth(), paramName(j, k), i+1, paramBits[j])
		}
	}
	l.sides[side(c)] = &pageTable{
		control: c, id: t.GetPreamble().GetId(), key: f.GetId(), action: a.GetPreamble().GetId(), stages: stages, capacity: t.GetSize(),
	}
	l.tables[t.GetPreamble().GetId()] = l.sides[side(c)]
	return nil
}

// table returns a control's page table, or nil.
func (l *layout) table(c specs.Control) *pageTable { return l.sides[side(c)] }

// has says whether there is a stage array.
func (l *layout) has(a model.Array) bool {
	t := l.table(a.Control)
	return (a.Control == specs.Ingress || a.Control == specs.Egress) && t != nil && 0 <= a.Stage && a.Stage < t.stages
}
