package plan

import (
	"slices"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// tables are the entries of both controls' page tables, as model.Tables is. There is an entry for every tenant, and every plan goes through
// all of them: so they stand in order, and are found by their VIDs without hashing. Once they are ordered they are not changed any more, and
// plans share them.
type tables [2]entries

// entries of one page table.
type entries struct {
	vids    []model.VID
	entries []model.Entry     // in the order of vids
	at      [maxVID + 1]int16 // of a VID: 1 + where it is in these
	mixed   bool              // vids are not in order
}

// side numbers the controls.
func side(c specs.Control) int {
	if c == specs.Egress {
		return 1
	}
	return 0
}

// of returns a control's.
func (t *tables) of(c specs.Control) *entries { return &t[side(c)] }

func (t *tables) get(k model.Key) (model.Entry, bool) { return t.of(k.Control).get(k.VID) }

func (t *tables) put(k model.Key, e model.Entry) bool { return t.of(k.Control).put(k.VID, e) }

// reserve makes room for as many entries as other ones are, and one more.
func (t *tables) reserve(as *tables) {
	for i := range t {
		n := len(as[i].vids) + 1
		t[i].vids, t[i].entries = make([]model.VID, 0, n), make([]model.Entry, 0, n)
	}
}

// order puts what was put in into the order of VIDs.
func (t *tables) order() {
	for i := range t {
		t[i].order()
	}
}

// model is what the reference model takes.
func (t *tables) model() model.Tables {
	out := make(model.Tables, len(t[0].vids)+len(t[1].vids))
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		for i, v := range t.of(c).vids {
			out[model.Key{Control: c, VID: v}] = t.of(c).entries[i]
		}
	}
	return out
}

func (t *entries) get(v model.VID) (model.Entry, bool) {
	if i := t.at[v&maxVID]; i > 0 && v <= maxVID {
		return t.entries[i-1], true
	}
	return nil, false
}

// put adds an entry and returns false if there is one.
func (t *entries) put(v model.VID, e model.Entry) bool {
	if t.at[v] > 0 {
		return false
	}
	t.mixed = t.mixed || len(t.vids) > 0 && v < t.vids[len(t.vids)-1]
	t.vids, t.entries = append(t.vids, v), append(t.entries, e)
	t.at[v] = int16(len(t.vids))
	return true
}

func (t *entries) order() {
	if !t.mixed {
		return
	}
	old := t.entries
	t.entries = make([]model.Entry, len(old))
	slices.Sort(t.vids)
	for i, v := range t.vids {
		t.entries[i] = old[t.at[v]-1]
		t.at[v] = int16(i + 1)
	}
	t.mixed = false
}
