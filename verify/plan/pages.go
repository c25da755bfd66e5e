package plan

import (
	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/specs"
)

// Pages reads page-table entries of a linked program outside of plans.
type Pages struct{ layout *layout }

// Rederive makes the P4Info of a linked program from its text, and a reader of its page tables.
func Rederive(linked []byte) (*p4configv1.P4Info, *Pages, error) {
	info, err := rederive(linked)
	if err != nil {
		return nil, nil, err
	}
	l, err := layoutOf(info)
	if err != nil {
		return nil, nil, err
	}
	return info, &Pages{l}, nil
}

// Extents are what entries of page tables give, from a serialised p4.v1.ReadResponse: one for each entry and stage. Anything else than such
// entries is an *InputError.
func (p *Pages) Extents(state []byte) ([]Extent, error) {
	w := inField("pages")
	var resp p4v1.ReadResponse
	if err := unmarshal(state, &resp, w); err != nil {
		return nil, err
	}
	d := &decoded{layout: p.layout}
	var out []Extent
	for i, e := range resp.GetEntities() {
		w := w.dot("entities").item(i)
		te := e.GetTableEntry()
		if te == nil {
			return nil, w.errorf("is no table entry")
		}
		key, entry, err := d.decodeEntry(te, w.dot("table_entry"), true)
		if err != nil {
			return nil, err
		}
		for k, m := range entry {
			out = append(out, Extent{
				VID: uint16(key.VID), Control: key.Control, Stage: k, Base: m.Base, Size: m.Size, Mask: m.Mask, Generation: m.Generation,
			})
		}
	}
	return out, nil
}

// Array is the stage array that a register is, with its slots and the bits of each.
func (p *Pages) Array(id uint32) (control specs.Control, stage int, slots int64, bits int, ok bool) {
	a, ok := p.layout.arrays[id]
	return a.Control, a.Stage, p.layout.slots[a], p.layout.widths[a], ok
}
