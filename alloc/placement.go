package alloc

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Extent is a run of slots; Size 0 is none.
type Extent struct {
	Base, Size int64
}

func (e Extent) end() int64 { return e.Base + e.Size }

// Layout says where everybody's memory is: by VID, then by stage array. Extents of size 0 may be absent.
type Layout map[uint16]map[Array]Extent

// Placement is a layout, with what it cost to get there.
type Placement struct {
	Layout Layout
	// Moved lists the VIDs whose content is lost because an extent moves, sorted.
	Moved []uint16
	// Defragmented lists the arrays that had to be packed, sorted.
	Defragmented []Array
}

// ErrNoRoom says that the wanted sizes exceed an array.
var ErrNoRoom = errors.New("does not fit")

// Place finds extents of the wanted sizes with little disturbance. What does not change stays; what shrinks keeps its base; what
// grows does so in place if the slots behind it are free, for all of a tenant's registers at once, and else is moved, all
// of them together, so that a program never finds one of its registers full and its companion empty; each goes to the first gap
// that is large enough. Only if there is none, an array is packed towards its start, in the order of bases. It is deterministic,
// and fails, with ErrNoRoom, only when an array is too small.
func Place(capacity Capacity, now Layout, want map[uint16]map[Array]int64) (*Placement, error) {
	p := &placer{capacity: capacity, now: now, want: want, next: Layout{}, used: map[Array][]owned{}}
	if err := p.check(); err != nil {
		return nil, err
	}
	var rest []uint16
	for _, v := range p.vids {
		p.next[v] = map[Array]Extent{}
		grows := false
		for _, a := range p.arrays(v) {
			grows = grows || want[v][a] > now[v][a].Size
		}
		if grows {
			rest = append(rest, v)
		}
		for a, n := range want[v] { // growers keep what they have until they are placed
			old := now[v][a]
			p.next[v][a] = Extent{old.Base, min(n, old.Size)}
			if e := p.next[v][a]; e.Size > 0 {
				p.used[a] = append(p.used[a], owned{v, e})
			}
		}
	}
	for _, list := range p.used {
		slices.SortFunc(list, func(x, y owned) int { return cmp.Compare(x.Base, y.Base) })
	}
	// The largest first: they are hardest to place.
	slices.SortStableFunc(rest, func(x, y uint16) int { return cmp.Compare(p.total(y), p.total(x)) })
	var homeless []uint16
	for _, v := range rest {
		if !p.inPlace(v) {
			homeless = append(homeless, v)
		}
	}
	packed := map[Array]bool{}
	for _, v := range homeless {
		if !p.move(v) {
			for _, a := range p.arrays(v) {
				if p.next[v][a].Size < want[v][a] {
					packed[a] = true
					p.set(v, a, Extent{}) // pack finds its place
				}
			}
		}
	}
	out := &Placement{Layout: p.next}
	for a := range packed {
		out.Defragmented = append(out.Defragmented, a)
	}
	slices.SortFunc(out.Defragmented, Array.Compare)
	for _, a := range out.Defragmented {
		p.pack(a)
	}
	for _, v := range p.vids {
		lost := false
		for a, old := range now[v] {
			next := p.next[v][a]
			lost = lost || old.Size > 0 && next.Size > 0 && next.Base != old.Base
		}
		if lost {
			out.Moved = append(out.Moved, v)
		}
	}
	return out, nil
}

type placer struct {
	capacity Capacity
	now      Layout
	want     map[uint16]map[Array]int64
	next     Layout
	used     map[Array][]owned // what next says, without empty extents, by base
	vids     []uint16
}

type owned struct {
	vid uint16
	Extent
}

// set gives v an extent in a.
func (p *placer) set(v uint16, a Array, e Extent) {
	list := slices.DeleteFunc(p.used[a], func(o owned) bool { return o.vid == v })
	if e.Size > 0 {
		i, _ := slices.BinarySearchFunc(list, e.Base, func(o owned, base int64) int { return cmp.Compare(o.Base, base) })
		list = slices.Insert(list, i, owned{v, e})
	}
	p.used[a], p.next[v][a] = list, e
}

func (p *placer) check() error {
	used := map[Array]int64{}
	for v, sizes := range p.want {
		p.vids = append(p.vids, v)
		for a, n := range sizes {
			c, ok := p.capacity[a]
			if !ok || n < 0 || n > c {
				return fmt.Errorf("VID %d in %v: %d slots of %d: %w", v, a, n, c, ErrNoRoom)
			}
			used[a] += n
		}
	}
	slices.Sort(p.vids)
	for a, n := range used {
		if n > p.capacity[a] {
			return fmt.Errorf("%v: %d slots of %d: %w", a, n, p.capacity[a], ErrNoRoom)
		}
	}
	return nil
}

func (p *placer) arrays(v uint16) []Array {
	var out []Array
	for a := range p.want[v] {
		out = append(out, a)
	}
	slices.SortFunc(out, Array.Compare)
	return out
}

func (p *placer) total(v uint16) (sum int64) {
	for _, n := range p.want[v] {
		sum += n
	}
	return sum
}

// inPlace grows all of v's extents where they are, or none. A register that had nothing takes the first gap.
func (p *placer) inPlace(v uint16) bool {
	found := map[Array]Extent{}
	for _, a := range p.arrays(v) {
		old, n := p.now[v][a], p.want[v][a]
		if old.Size == 0 {
			e, ok := p.gap(a, v, n, nil)
			if !ok {
				return false
			}
			found[a] = e
			continue
		}
		e := Extent{old.Base, n}
		if e.end() > p.capacity[a] {
			return false
		}
		for _, t := range p.used[a] {
			if t.vid != v && t.Base < e.end() && e.Base < t.end() {
				return false
			}
		}
		found[a] = e
	}
	for a, e := range found {
		p.set(v, a, e)
	}
	return true
}

// move gives all of v's registers new places, none at its old base, or none of them.
func (p *placer) move(v uint16) bool {
	found := map[Array]Extent{}
	for _, a := range p.arrays(v) {
		old := p.now[v][a]
		e, ok := p.gap(a, v, p.want[v][a], &old)
		if !ok {
			return false
		}
		found[a] = e
	}
	for a, e := range found {
		p.set(v, a, e)
	}
	return true
}

// gap is the first place for n slots of v in a. When it moves away from old, a place beside old is preferred, and one that overlaps it
// has another base.
func (p *placer) gap(a Array, v uint16, n int64, old *Extent) (Extent, bool) {
	if n == 0 {
		return Extent{}, true
	}
	search := func(avoid bool) (Extent, bool) {
		at := int64(0)
		fits := func(end int64) (Extent, bool) {
			base := at
			if old != nil && old.Size > 0 && base == old.Base {
				base++
			}
			return Extent{base, n}, base+n <= end
		}
		for _, t := range p.used[a] {
			if t.vid == v && !avoid {
				continue
			}
			if e, ok := fits(t.Base); ok {
				return e, true
			}
			at = max(at, t.end())
		}
		return fits(p.capacity[a])
	}
	if e, ok := search(true); ok {
		return e, true
	}
	return search(false)
}

// pack puts everybody in a side by side from slot 0, in the order of present bases; who has no place yet comes last.
func (p *placer) pack(a Array) {
	var vids []uint16
	for _, v := range p.vids {
		if p.want[v][a] > 0 {
			vids = append(vids, v)
		}
	}
	base := func(v uint16) int64 {
		if e := p.next[v][a]; e.Size > 0 {
			return e.Base
		}
		if e := p.now[v][a]; e.Size > 0 { // homeless, but here is where it comes from
			return e.Base
		}
		return p.capacity[a]
	}
	slices.SortStableFunc(vids, func(x, y uint16) int { return cmp.Compare(base(x), base(y)) })
	at := int64(0)
	for _, v := range vids {
		p.next[v][a] = Extent{at, p.want[v][a]}
		at += p.want[v][a]
	}
}
