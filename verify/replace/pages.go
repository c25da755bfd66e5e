package replace

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan"
)

// A mapping is what a page-table entry says of one stage.
type mapping struct {
	base, size int64
	mask       uint32
	generation uint16
}

// A pageKey is a tenant's entry in one control.
type pageKey struct {
	control specs.Control
	vid     uint16
}

// pageControl is the control whose page table has that name.
func pageControl(name string) (specs.Control, bool) {
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		if name == specs.PageTable(c) {
			return c, true
		}
	}
	return "", false
}

// stagesOf is how many stage arrays a control has.
func (c *catalog) stagesOf(control specs.Control) int {
	n := 0
	for p := range c.stages {
		if p.control == control {
			n++
		}
	}
	return n
}

// page reads a page-table entry.
func (c *catalog) page(control specs.Control, e *p4v1.TableEntry) (pageKey, []mapping, error) {
	vid, err := c.vid(e)
	if err != nil {
		return pageKey{}, nil, err
	}
	a := e.GetAction().GetAction()
	act := c.actions[a.GetActionId()]
	if act == nil || act.name != specs.MapAction(control) {
		return pageKey{}, nil, fmt.Errorf("an entry of %s that does not map", specs.PageTable(control))
	}
	values := map[string]*big.Int{}
	for _, p := range a.GetParams() {
		values[act.params[p.GetParamId()]] = new(big.Int).SetBytes(p.GetValue())
	}
	out := make([]mapping, c.stagesOf(control))
	for k := range out {
		var v [4]int64
		for i, p := range []struct {
			name string
			bits int
		}{
			{specs.BaseParam(k), specs.BaseBits},
			{specs.SizeParam(k), specs.SizeBits},
			{specs.MaskParam(k), specs.MaskBits},
			{specs.GenerationParam(k), specs.GenerationBits},
		} {
			x := values[p.name]
			if x == nil || x.BitLen() > p.bits {
				return pageKey{}, nil, fmt.Errorf("an entry of %s without %s, or with a value of more than %d bits", specs.PageTable(control), p.name, p.bits)
			}
			v[i] = x.Int64()
			delete(values, p.name)
		}
		out[k] = mapping{v[0], v[1], uint32(v[2]), uint16(v[3])}
	}
	if len(values) > 0 {
		return pageKey{}, nil, fmt.Errorf("an entry of %s with parameters of no stage: %v", specs.PageTable(control), slices.Sorted(maps.Keys(values)))
	}
	return pageKey{control, vid}, out, nil
}

// vid is the only key of an entry of a page table or of the admission table.
func (c *catalog) vid(e *p4v1.TableEntry) (uint16, error) {
	t := c.tables[e.GetTableId()]
	if t == nil || len(e.GetMatch()) != 1 || len(t.fields) != 1 || t.fields[e.GetMatch()[0].GetFieldId()] != specs.PageTableKey || e.GetMatch()[0].GetExact() == nil ||
		e.GetPriority() != 0 {
		return 0, fmt.Errorf("an entry whose key is not the VID alone")
	}
	v := new(big.Int).SetBytes(e.GetMatch()[0].GetExact().GetValue())
	if v.Sign() <= 0 || v.Cmp(big.NewInt(4095)) >= 0 {
		return 0, fmt.Errorf("an entry for VID %v, which no tenant can have", v)
	}
	return uint16(v.Uint64()), nil
}

// value is a page-table entry as contents of the new program have it.
func pageValue(ms []mapping) string { return fmt.Sprint(ms) }

// Goal are the extents that tenants have in the new program when every step of a replacement that commits has succeeded: what its
// page-table entries are compared with, by VID, control and stage.
func (e *Encoder) Goal(in *Input) ([]plan.Extent, error) {
	r, err := e.read(in)
	if err != nil {
		return nil, err
	}
	var goal []plan.Extent
	for k, ms := range r.pages {
		for stage, m := range ms {
			goal = append(goal, plan.Extent{
				VID: k.vid, Control: k.control, Stage: stage, Base: m.base, Size: m.size, Mask: m.mask, Generation: m.generation,
			})
		}
	}
	slices.SortFunc(goal, func(a, b plan.Extent) int {
		return cmp.Or(cmp.Compare(a.VID, b.VID), cmp.Compare(a.Control, b.Control), cmp.Compare(a.Stage, b.Stage))
	})
	return goal, nil
}
