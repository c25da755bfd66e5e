package replace

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/wire"
)

// A reading is a replacement with both programs and its pre-state read.
type reading struct {
	*Encoder
	in        *Input
	old, next *catalog          // old is nil without an old program
	byOld     map[uint16]Tenant // by VID
	byNew     map[uint16]Tenant
	byName    map[string]Tenant

	admitted map[uint16]bool // in Before
	want     map[item]string // what the steps must write, and nothing else
	pages    map[pageKey][]mapping
	lost     map[Loss]bool
}

// read reads the programs and the tenants, and works out what has to be written.
func (e *Encoder) read(in *Input) (*reading, error) {
	r := &reading{
		Encoder: e, in: in, byOld: map[uint16]Tenant{}, byNew: map[uint16]Tenant{}, byName: map[string]Tenant{},
		admitted: map[uint16]bool{}, want: map[item]string{}, pages: map[pageKey][]mapping{}, lost: map[Loss]bool{},
	}
	if err := r.tenants(); err != nil {
		return nil, err
	}
	if err := r.programs(); err != nil {
		return nil, err
	}
	for _, x := range in.Unusable {
		if at := (place{x.Control, x.Stage}); x.First < 0 || x.First > x.Last || x.Last >= r.next.stages[at].slots {
			return nil, wrong("M8", "slots %d..%d of %v are to be done without, and are none", x.First, x.Last, at)
		}
	}
	if r.old == nil {
		if len(in.Before) > 0 {
			return nil, wrong("M8", "the switch ran no program, and held something")
		}
		return r, nil
	}
	var before p4v1.ReadResponse
	if err := wire.Unmarshal(in.Before, &before); err != nil {
		return nil, wrong("M7", "what was read: %w", err)
	}
	if err := r.expect(before.GetEntities()); err != nil {
		return nil, wrong("M8", "what was read: %w", err)
	}
	return r, nil
}

func (r *reading) tenants() error {
	for _, t := range r.in.Tenants {
		switch {
		case r.byName[t.Name].Name != "":
			return wrong("M4", "tenant %s is there twice", t.Name)
		case t.OldVID == 0 && t.VID == 0:
			return wrong("M4", "tenant %s is in neither program", t.Name)
		case t.Admitted && t.VID == 0:
			return wrong("M4", "tenant %s is removed, and to be admitted", t.Name)
		}
		for _, by := range []struct {
			vid  uint16
			seen map[uint16]Tenant
		}{{t.OldVID, r.byOld}, {t.VID, r.byNew}} {
			if by.vid == 0 {
				continue
			}
			if o, dup := by.seen[by.vid]; dup || by.vid > 4094 {
				return wrong("M4", "VID %d of tenant %s is tenant %s's, or no VID", by.vid, t.Name, o.Name)
			}
			by.seen[by.vid] = t
		}
		r.byName[t.Name] = t
	}
	return nil
}

// programs reads both programs, and compares what is said of the tenants' fates with them.
func (r *reading) programs() error {
	if err := r.catalogs(); err != nil {
		return err
	}
	for _, t := range r.in.Tenants {
		if is := r.fate(t); is != t.Fate {
			return wrong("M8", "tenant %s is said to be %s, and is %s", t.Name, t.Fate, is)
		}
	}
	return nil
}

func (r *reading) catalogs() error {
	var olds, news []string
	for _, t := range r.in.Tenants {
		if t.OldVID != 0 {
			olds = append(olds, t.Name)
		}
		if t.VID != 0 {
			news = append(news, t.Name)
		}
	}
	var err error
	if r.next, err = r.catalog(r.in.New, news); err != nil {
		return wrong("M8", "the new program: %w", err)
	}
	if len(r.in.Old) > 0 {
		if r.old, err = r.catalog(r.in.Old, olds); err != nil {
			return wrong("M8", "the old program: %w", err)
		}
	} else if len(olds) > 0 {
		return wrong("M8", "tenants %v have VIDs in no program", olds)
	}
	return nil
}

func (r *reading) fate(t Tenant) Fate {
	switch {
	case t.OldVID == 0:
		return Added
	case t.VID == 0:
		return Removed
	case same(r.old, r.next, t.Name):
		return Retained
	}
	return Changed
}

// lose notes that an object's state is not given back.
func (r *reading) lose(tenant, format string, args ...any) {
	r.lost[Loss{tenant, fmt.Sprintf(format, args...)}] = true
}

// expect goes through what was read: each item is wanted, or lost.
func (r *reading) expect(entities []*p4v1.Entity) error {
	seen := map[item]bool{}
	cells := map[place]map[int64]string{}
	var pages []content
	for i, e := range entities {
		c, err := r.old.read(e)
		if err != nil {
			return fmt.Errorf("entity %d: %w", i, err)
		}
		if seen[c.item] {
			return fmt.Errorf("%v is there twice", c.item)
		}
		seen[c.item] = true
		if at, ok := stageOf(c.object); ok && c.kind == cellItem {
			if cells[at] == nil {
				cells[at] = map[int64]string{}
			}
			cells[at][c.index] = c.value
			continue
		}
		_, paged := pageControl(c.object)
		switch {
		case paged && c.kind == entryItem:
			pages = append(pages, c)
		case c.object == specs.AdmissionTable && c.kind == entryItem:
			vid, err := r.old.vid(c.entry)
			if err != nil {
				return err
			}
			r.admitted[vid] = true
		case !r.in.Commits():
			return fmt.Errorf("%v, where admission alone is opened", c.item)
		default:
			r.keep(c)
		}
	}
	if !r.in.Commits() {
		if len(pages)+len(cells) > 0 {
			return fmt.Errorf("page tables or slots, where admission alone is opened")
		}
		return nil
	}
	for vid := range r.admitted {
		return fmt.Errorf("VID %d was still admitted when the state was read, so that it may have changed since", vid)
	}
	r.losses()
	for _, p := range pages {
		if err := r.keepPage(p, cells); err != nil {
			return err
		}
	}
	return nil
}

// keep wants an item of a retained tenant, or of the system, in the new program.
func (r *reading) keep(c content) {
	o := r.old.objects[c.object]
	if c.fresh {
		return
	}
	if o.owner != "" {
		if r.byName[o.owner].Fate != Retained || r.seeded(c.object) {
			return // in losses, whatever there was
		}
	} else if c.object == specs.PacketsCounter || c.object == specs.HitsCounter {
		t, ok := Tenant{}, false
		if 0 < c.index && c.index <= 4094 {
			t, ok = r.byOld[uint16(c.index)]
		}
		switch {
		case !ok:
			r.lose("", "counter %s at %d", c.object, c.index)
			return
		case t.Fate != Retained:
			return // in losses
		}
		c.key = strconv.Itoa(int(t.VID))
	} else if r.next.objects[c.object] != o {
		r.lose("", "%s %s", o.kind, c.object)
		return
	}
	r.want[c.item] = c.value
}

func (r *reading) tableNamed(name string) *table {
	for _, t := range r.old.tables {
		if t.name == name {
			return t
		}
	}
	return &table{}
}

// seeded is a table with entries that the program declares, and that a controller may have changed: the new program has them again.
func (r *reading) seeded(name string) bool { return r.tableNamed(name).seeded }

// losses are the objects of tenants that get nothing back, whatever is in them, and the tables of others that cannot be given back.
func (r *reading) losses() {
	for name, o := range r.old.objects {
		t := r.byName[o.owner]
		switch {
		case o.owner == "" || !o.lasting:
		case t.Fate != Retained || r.seeded(name):
			r.lose(t.Name, "%s %s", o.kind, name)
		}
	}
	for _, t := range r.in.Tenants {
		if t.Fate == Changed || t.Fate == Removed {
			r.lose(t.Name, "counts of packets and hits")
		}
	}
}

// keepPage wants a page-table entry with all slots that it reaches, as far as they have a place and an owner in the new program.
func (r *reading) keepPage(c content, cells map[place]map[int64]string) error {
	control, _ := pageControl(c.object)
	k, ms, err := r.old.page(control, c.entry)
	if err != nil {
		return err
	}
	t, ok := r.byOld[k.vid]
	if !ok {
		r.lose("", "page-table entry of VID %d in %s", k.vid, control)
		return nil
	}
	next := make([]mapping, r.next.stagesOf(control))
	for i, m := range ms {
		at := place{control, i}
		kept := t.Fate == Retained && t.Admitted && r.old.stages[at].width == r.next.stages[at].width && m.base+m.size <= r.next.stages[at].slots &&
			r.in.Writable(control, i, m.base, m.size)
		switch {
		case kept:
			next[i] = m
			for s, v := range cells[at] {
				if m.base <= s && s < m.base+m.size && v != "" {
					r.want[item{cellItem, specs.StageArray(control, i), fmt.Sprint(s)}] = v
				}
			}
			continue
		case m.size > 0:
			r.lose(t.Name, memoryLost+"%v", at)
			m.generation++
		}
		if i < len(next) {
			next[i] = mapping{generation: m.generation}
		}
	}
	if t.Admitted && len(next) > 0 { // who stays finds out by the generation
		r.pages[pageKey{control, t.VID}] = next
		r.want[item{entryItem, specs.PageTable(control), fmt.Sprint(t.VID)}] = pageValue(next)
	}
	return nil
}

// stageOf reads the name of a stage array.
func stageOf(name string) (place, bool) {
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		var k int
		if n, err := fmt.Sscanf(name, "il_stage_"+string(c)+"_%d", &k); n == 1 && err == nil && specs.StageArray(c, k) == name {
			return place{c, k}, true
		}
	}
	return place{}, false
}

// sorted is what is lost, by tenant and object.
func (r *reading) sorted() []Loss {
	return slices.SortedFunc(maps.Keys(r.lost), compareLosses)
}

// Losses are what a replacement does not give back, by tenant and object. For tenants that are not retained every object counts, whatever is
// in it; so the list does not change while tenants' packets still come and go, and can be shown before the switch is closed.
func (e *Encoder) Losses(in *Input) ([]Loss, error) {
	r, err := e.read(in)
	if err != nil {
		return nil, err
	}
	return r.sorted(), nil
}

// Fates says what becomes of each of the tenants, in their order, by comparing the programs.
func (e *Encoder) Fates(in *Input) ([]Fate, error) {
	bare := *in
	bare.Tenants = slices.Clone(in.Tenants)
	r := &reading{Encoder: e, in: &bare, byOld: map[uint16]Tenant{}, byNew: map[uint16]Tenant{}, byName: map[string]Tenant{}}
	if err := r.tenants(); err != nil {
		return nil, err
	}
	if err := r.catalogs(); err != nil {
		return nil, err
	}
	var out []Fate
	for _, t := range in.Tenants {
		out = append(out, r.fate(t))
	}
	return out, nil
}
