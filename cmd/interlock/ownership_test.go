package main

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"
)

// An owned extent is what one page-table entry lets a tenant reach in one stage array.
type ownedExtent struct {
	vid        uint64
	array      string // name of the stage array's register
	base, size int64
}

// An ownershipWatch knows, from nothing but the updates that a switch carried out, who can reach which slots and which slots hold zero.
// It shares no code with the planner, the verifier or the gate.
type ownershipWatch struct {
	info    *configv1.P4Info
	entries map[string]*p4v1.TableEntry // by table and key
	clean   map[string]map[int64]bool   // slots that were zeroed, by stage array
	faults  []string
}

func newOwnershipWatch(info *configv1.P4Info) *ownershipWatch {
	return &ownershipWatch{info: info, entries: map[string]*p4v1.TableEntry{}, clean: map[string]map[int64]bool{}}
}

func entryName(e *p4v1.TableEntry) string {
	return fmt.Sprintf("%d/%x", e.GetTableId(), e.GetMatch()[0].GetExact().GetValue())
}

// update is called with every update that the switch is about to carry out.
func (w *ownershipWatch) update(u *p4v1.Update) {
	if r := u.GetEntity().GetRegisterEntry(); r != nil {
		array, slots := "", int64(0)
		for _, x := range w.info.GetRegisters() {
			if x.GetPreamble().GetId() == r.GetRegisterId() {
				array, slots = x.GetPreamble().GetName(), int64(x.GetSize())
			}
		}
		if w.clean[array] == nil {
			w.clean[array] = map[int64]bool{}
		}
		zero := new(big.Int).SetBytes(r.GetData().GetBitstring()).Sign() == 0
		if r.GetIndex() != nil {
			w.clean[array][r.GetIndex().GetIndex()] = zero
			return
		}
		for slot := range slots { // without an index: all of them
			w.clean[array][slot] = zero
		}
		return
	}
	e := u.GetEntity().GetTableEntry()
	if !w.pageTable(e.GetTableId()) {
		return // who is admitted: that changes nothing of who can reach what
	}
	before := w.extents()
	if u.GetType() == p4v1.Update_DELETE {
		delete(w.entries, entryName(e))
	} else {
		w.entries[entryName(e)] = e
	}
	after := w.extents()
	w.faults = append(w.faults, overlaps(after)...)
	w.faults = append(w.faults, w.residue(before, after)...)
}

func (w *ownershipWatch) pageTable(id uint32) bool {
	for _, t := range w.info.GetTables() {
		if t.GetPreamble().GetId() == id {
			return strings.HasPrefix(t.GetPreamble().GetName(), "il_page_")
		}
	}
	return false
}

// extents lists what can be reached.
func (w *ownershipWatch) extents() []ownedExtent {
	var list []ownedExtent
	for _, e := range w.entries {
		list = append(list, decodeExtents(w.info, e)...)
	}
	return list
}

func decodeExtents(info *configv1.P4Info, e *p4v1.TableEntry) []ownedExtent {
	control := ""
	for _, t := range info.GetTables() {
		if t.GetPreamble().GetId() == e.GetTableId() {
			control, _ = strings.CutPrefix(t.GetPreamble().GetName(), "il_page_")
		}
	}
	params := map[string]int64{}
	action := e.GetAction().GetAction()
	for _, a := range info.GetActions() {
		for _, p := range a.GetParams() {
			for _, v := range action.GetParams() {
				if a.GetPreamble().GetId() == action.GetActionId() && p.GetId() == v.GetParamId() {
					params[p.GetName()] = new(big.Int).SetBytes(v.GetValue()).Int64()
				}
			}
		}
	}
	vid := new(big.Int).SetBytes(e.GetMatch()[0].GetExact().GetValue()).Uint64()
	var list []ownedExtent
	for k := 0; ; k++ {
		size, ok := params[fmt.Sprintf("size_%d", k)]
		if !ok {
			return list
		}
		if size > 0 {
			list = append(list, ownedExtent{vid, fmt.Sprintf("il_stage_%s_%d", control, k), params[fmt.Sprintf("base_%d", k)], size})
		}
	}
}

func overlaps(list []ownedExtent) []string {
	var faults []string
	for i, a := range list {
		for _, b := range list[:i] {
			if a.array == b.array && a.base < b.base+b.size && b.base < a.base+a.size {
				faults = append(faults, fmt.Sprintf("VID %d and VID %d overlap: %v, %v", a.vid, b.vid, a, b))
			}
		}
	}
	return faults
}

// residue finds slots that a tenant did not reach before, and reaches now, and that were not zeroed.
func (w *ownershipWatch) residue(before, after []ownedExtent) []string {
	for _, a := range after {
		for slot := a.base; slot < a.base+a.size; slot++ {
			had := false
			for _, b := range before {
				had = had || b.vid == a.vid && b.array == a.array && b.base <= slot && slot < b.base+b.size
			}
			if !had && !w.clean[a.array][slot] {
				return []string{fmt.Sprintf("VID %d gets slot %d of %s, which was not scrubbed", a.vid, slot, a.array)}
			}
			// Its owner may write to it from now on.
			if w.clean[a.array] != nil {
				delete(w.clean[a.array], slot)
			}
		}
	}
	return nil
}

// same compares page tables read from the switch with the ones watched.
func (w *ownershipWatch) same(read []byte) error {
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(read, &resp); err != nil {
		return err
	}
	if len(resp.GetEntities()) != len(w.entries) {
		return fmt.Errorf("the switch has %d page-table entries, %d were written", len(resp.GetEntities()), len(w.entries))
	}
	for _, e := range resp.GetEntities() {
		have := e.GetTableEntry()
		want := w.entries[entryName(have)]
		if want == nil || fmt.Sprint(decodeExtents(w.info, have)) != fmt.Sprint(decodeExtents(w.info, want)) {
			return fmt.Errorf("the switch has %v, written was %v", have, want)
		}
	}
	return nil
}

// The watch finds what it is there to find.
func TestOwnershipWatchCanary(t *testing.T) {
	info := &configv1.P4Info{
		Tables:    []*configv1.Table{{Preamble: &configv1.Preamble{Id: 1, Name: "il_page_ingress"}}},
		Registers: []*configv1.Register{{Preamble: &configv1.Preamble{Id: 3, Name: "il_stage_ingress_0"}, Size: 8}},
		Actions: []*configv1.Action{{
			Preamble: &configv1.Preamble{Id: 2, Name: "il_map_ingress"},
			Params:   []*configv1.Action_Param{{Id: 1, Name: "base_0"}, {Id: 2, Name: "size_0"}},
		}},
	}
	grant := func(vid, base, size byte) *p4v1.Update {
		return &p4v1.Update{Type: p4v1.Update_INSERT, Entity: &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: &p4v1.TableEntry{
			TableId: 1,
			Match: []*p4v1.FieldMatch{{FieldId: 1, FieldMatchType: &p4v1.FieldMatch_Exact_{
				Exact: &p4v1.FieldMatch_Exact{Value: []byte{vid}},
			}}},
			Action: &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: &p4v1.Action{
				ActionId: 2, Params: []*p4v1.Action_Param{{ParamId: 1, Value: []byte{base}}, {ParamId: 2, Value: []byte{size}}},
			}}},
		}}}}
	}
	scrub := func(slot int64, value byte) *p4v1.Update {
		return &p4v1.Update{Type: p4v1.Update_MODIFY, Entity: &p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: &p4v1.RegisterEntry{
			RegisterId: 3, Index: &p4v1.Index{Index: slot},
			Data: &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: []byte{value}}},
		}}}}
	}
	all := func(value byte) *p4v1.Update {
		u := scrub(0, value)
		u.GetEntity().GetRegisterEntry().Index = nil
		return u
	}
	for _, c := range []struct {
		name    string
		updates []*p4v1.Update
		want    string
	}{
		{"clean", []*p4v1.Update{scrub(4, 0), scrub(5, 0), grant(1, 4, 1), grant(2, 5, 1)}, ""},
		{"overlap", []*p4v1.Update{scrub(4, 0), scrub(5, 0), grant(1, 4, 2), grant(2, 5, 1)}, "overlap"},
		{"not scrubbed", []*p4v1.Update{scrub(4, 0), grant(1, 4, 2)}, "slot 5 of il_stage_ingress_0, which was not scrubbed"},
		{"scrubbed as a whole", []*p4v1.Update{all(0), grant(1, 4, 2)}, ""},
		{"scrubbed as a whole with something else", []*p4v1.Update{all(9), grant(1, 4, 2)}, "slot 4"},
		{"scrubbed with something else", []*p4v1.Update{scrub(4, 9), grant(1, 4, 1)}, "slot 4"},
		{"handed on", []*p4v1.Update{scrub(4, 0), grant(1, 4, 1), grant(1, 4, 0), grant(2, 4, 1)}, "VID 2 gets slot 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newOwnershipWatch(info)
			for _, u := range c.updates {
				w.update(u)
			}
			if got := strings.Join(w.faults, "; "); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}
