// Package model is the reference model of a switch that is being reallocated: page tables, stage arrays, packets in flight, a
// controller that may die, requests that take effect late. It executes a plan one event at a time on concrete values and checks M1 to M6 of the design by
// looking at every slot. It knows no formulas and shares no reasoning with the encoder: the tests hold the two against each
// other, and no counterexample is shown to anybody before it has happened here.
//
// It does not know protobuf, P4Info or names (M7): a Plan is what the bytes were decoded to.
package model

import (
	"maps"
	"slices"
	"strconv"

	"github.com/interlock/interlock/specs"
)

// VID is a tenant's 802.1Q VLAN ID, the key of the page tables.
type VID uint16

// Array names one stage array.
type Array struct {
	Control specs.Control
	Stage   int
}

func (a Array) String() string { return string(a.Control) + "/" + strconv.Itoa(a.Stage) }

// Extent is what a page-table entry says about one stage.
type Extent struct {
	Base, Size int64
	Mask       uint32
	Generation uint16
}

// Slot translates an index as the data plane does: fold by the mask, miss at or past the size.
func (e Extent) Slot(index uint32) (slot int64, hit bool) {
	v := int64(index & e.Mask)
	return e.Base + v, v < e.Size
}

// Contains says whether some index may be translated to slot s. It is pessimistic where the mask has holes.
func (e Extent) Contains(s int64) bool { return e.Base <= s && s < e.Base+e.Size }

// Entry is a page-table entry: an extent for each stage of its control, in order.
type Entry []Extent

// Empty says that the entry gives no slot at all.
func (e Entry) Empty() bool {
	return !slices.ContainsFunc(e, func(x Extent) bool { return x.Size != 0 })
}

// Key is a page table and the key of an entry in it.
type Key struct {
	Control specs.Control
	VID     VID
}

// Compare orders keys: by control, then by VID.
func (k Key) Compare(o Key) int {
	if k.Control != o.Control {
		if k.Control < o.Control {
			return -1
		}
		return 1
	}
	return int(k.VID) - int(o.VID)
}

// Tables is the content of all page tables. A VID without an entry misses on every access.
type Tables map[Key]Entry

// Clone copies the map; entries are never changed in place.
func (t Tables) Clone() Tables { return maps.Clone(t) }

// Keys returns the keys in order.
func (t Tables) Keys() []Key {
	return slices.SortedFunc(maps.Keys(t), Key.Compare)
}

// UpdateKind says what one update of a write request does.
type UpdateKind int

// Update kinds.
const (
	Insert UpdateKind = iota
	Modify
	Delete
	Scrub // write zero into a slot
)

func (k UpdateKind) String() string {
	return [...]string{"insert", "modify", "delete", "scrub"}[k]
}

// Update is one update of a write request.
type Update struct {
	Kind  UpdateKind
	Key   Key   // of Insert, Modify, Delete
	Entry Entry // of Insert, Modify
	Array Array // of Scrub
	Slot  int64 // of Scrub
	Index int   // position in its request, as sent
}

// Step is one write request, or a fence.
type Step struct {
	Fence   bool
	Updates []Update
}

// Limit bounds a goal's size.
type Limit struct{ Floor, Ceiling int64 }

// Place is a tenant's place in a stage array.
type Place struct {
	Array Array
	VID   VID
}

// Plan is a decoded plan, with what it starts from and what it must reach.
type Plan struct {
	Slots      map[Array]int64         // how many each stage array has
	Capacity   map[specs.Control]int64 // entries that a page table can hold
	Registered []VID                   // as listed at the site, duplicates included
	Pre        Tables
	Fences     []specs.Control // controls that a fence ends all packets in; nil: all of them
	Fenced     bool            // a fence was completed before, and there no packet in flight holds anything but entries of Pre
	Steps      []Step
	// Late are updates of earlier requests without an answer: each may still take effect, once, at any moment.
	Late   []Update
	Goal   Tables // a key that is absent wants no entry, or an empty one
	Limits map[Place]Limit
}

// Arrays returns the stage arrays in order.
func (p *Plan) Arrays() []Array {
	return slices.SortedFunc(maps.Keys(p.Slots), func(a, b Array) int {
		if a.Control != b.Control {
			return Key{Control: a.Control}.Compare(Key{Control: b.Control})
		}
		return a.Stage - b.Stage
	})
}

// VIDs returns every VID that the plan speaks of, in order.
func (p *Plan) VIDs() []VID {
	seen := map[VID]bool{}
	for _, v := range p.Registered {
		seen[v] = true
	}
	for k := range p.Pre {
		seen[k.VID] = true
	}
	for k := range p.Goal {
		seen[k.VID] = true
	}
	note := func(us []Update) {
		for _, u := range us {
			if u.Kind != Scrub {
				seen[u.Key.VID] = true
			}
		}
	}
	for _, s := range p.Steps {
		note(s.Updates)
	}
	note(p.Late)
	return slices.Sorted(maps.Keys(seen))
}

// Empties says whether a fence ends the packets in a control.
func (p *Plan) Empties(c specs.Control) bool { return p.Fences == nil || slices.Contains(p.Fences, c) }

// Kept returns how many slots of v's extent in a must stay where they are throughout: the tenant has them before and after, at
// the same virtual index. They start at the base of the extent in Pre.
func (p *Plan) Kept(v VID, a Array) int64 {
	pre, goal := at(p.Pre, v, a), at(p.Goal, v, a)
	if pre.Base != goal.Base {
		return 0
	}
	return min(pre.Size, goal.Size)
}

// Lost says whether v loses content in a: a slot of its extent in Pre is not kept.
func (p *Plan) Lost(v VID, a Array) bool {
	return at(p.Pre, v, a).Size > p.Kept(v, a)
}

// Only returns the plan as it looks to the given tenants in the given array: other tenants, and scrubs elsewhere, are left out. What
// goes wrong between those tenants in it goes wrong in the whole plan as well: others only add to what happens.
func (p *Plan) Only(a Array, vids ...VID) *Plan {
	keep := func(k Key) bool { return k.Control == a.Control && slices.Contains(vids, k.VID) }
	filter := func(t Tables) Tables {
		out := Tables{}
		for k, e := range t {
			if keep(k) {
				out[k] = e
			}
		}
		return out
	}
	out := &Plan{
		Slots: map[Array]int64{}, Capacity: p.Capacity, Fences: p.Fences, Fenced: p.Fenced,
		Pre: filter(p.Pre), Goal: filter(p.Goal), Limits: map[Place]Limit{},
	}
	for _, v := range p.Registered {
		if slices.Contains(vids, v) {
			out.Registered = append(out.Registered, v)
		}
	}
	for x, n := range p.Slots {
		if x.Control == a.Control {
			out.Slots[x] = n
		}
	}
	for pl, l := range p.Limits {
		if pl.Array.Control == a.Control && slices.Contains(vids, pl.VID) {
			out.Limits[pl] = l
		}
	}
	return out.with(p, func(u Update) bool { return u.Kind == Scrub && u.Array == a || u.Kind != Scrub && keep(u.Key) })
}

// ScrubOnly returns the plan without the scrubs of other slots than this one. What other scrubs do, they do to other slots.
func (p *Plan) ScrubOnly(a Array, slot int64) *Plan {
	out := *p
	return out.with(p, func(u Update) bool { return u.Kind != Scrub || u.Array == a && u.Slot == slot })
}

// with gives p those updates of o that are to be kept.
func (p *Plan) with(o *Plan, keep func(Update) bool) *Plan {
	filter := func(us []Update) []Update {
		return slices.DeleteFunc(slices.Clone(us), func(u Update) bool { return !keep(u) })
	}
	p.Late = filter(o.Late)
	p.Steps = make([]Step, 0, len(o.Steps))
	for _, s := range o.Steps {
		p.Steps = append(p.Steps, Step{Fence: s.Fence, Updates: filter(s.Updates)})
	}
	return p
}

// at is v's extent in a; the zero extent where there is none.
func at(t Tables, v VID, a Array) Extent {
	if e, ok := t[Key{a.Control, v}]; ok && a.Stage < len(e) {
		return e[a.Stage]
	}
	return Extent{}
}
