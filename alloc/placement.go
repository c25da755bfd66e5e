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
// grows does so in place if the slots behind it are free, for all of a tenant's registers at once. Else something has to move:
// those in its way, if their own sizes change anyway and they have less than the tenant itself, or else it; who wants nothing new is
// moved only if nothing else helps. All registers of a tenant move together, so that a program
// never finds one of its registers full and its companion empty. Only if there is no gap for something, an array is packed towards its
// start, in the order of bases. It is deterministic, and fails, with ErrNoRoom, only when an array is too small.
//
// most is the sizes that extents may grow to some day (absent: no more than now). A new place is chosen so that it, and who lies
// before it, can grow without moving, as far as possible.
func Place(capacity Capacity, now Layout, want, most map[uint16]map[Array]int64) (*Placement, error) {
	return placeAround(nil, capacity, now, want, most)
}

// placeAround is Place where some slots are bad: nobody has them now, and nobody gets them. With them in between it may also fail because
// no order of packing was found in which every part of an array is large enough.
func placeAround(bad map[Array][]Extent, capacity Capacity, now Layout, want, most map[uint16]map[Array]int64) (*Placement, error) {
	p := &placer{capacity: capacity, bad: bad, now: now, want: want, most: most, next: Layout{}, used: map[Array][]owned{}}
	if err := p.check(); err != nil {
		return nil, err
	}
	for a, list := range bad {
		for _, x := range list {
			p.used[a] = append(p.used[a], owned{quarantine, x})
		}
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
		if !p.clear(v, false) && !p.move(v) && !p.clear(v, true) {
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
		if !p.pack(a) {
			return nil, p.full(a)
		}
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
	bad      map[Array][]Extent
	now      Layout
	want     map[uint16]map[Array]int64
	most     map[uint16]map[Array]int64
	next     Layout
	used     map[Array][]owned // what next says, without empty extents, by base
	vids     []uint16
}

// quarantine is who has the slots that nobody may have: no tenant's VID is 0.
const quarantine = 0

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
				return &roomError{a, fmt.Sprintf("%d slots of %d for VID %d", n, c, v)}
			}
			used[a] += n
		}
	}
	slices.Sort(p.vids)
	for a, n := range used {
		if n > p.capacity[a]-total(p.bad[a]) {
			return p.full(a)
		}
	}
	return nil
}

// full says that an array has no room for what is wanted of it.
func (p *placer) full(a Array) error {
	n, bad := int64(0), ""
	for _, sizes := range p.want {
		n += sizes[a]
	}
	if b := total(p.bad[a]); b > 0 {
		bad = fmt.Sprintf(", of which %d are in quarantine", b)
	}
	return &roomError{a, fmt.Sprintf("%d slots of %d%s", n, p.capacity[a], bad)}
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

// clear grows v where it is by moving those who are in its way, if together they have less than v and none of them is a bystander, or
// in any case. If that does not work out, nothing changes.
func (p *placer) clear(v uint16, anyway bool) bool {
	grown := map[Array]Extent{}
	var blockers []uint16
	var mine, theirs int64
	for _, a := range p.arrays(v) {
		old := p.now[v][a]
		if old.Size == 0 {
			return false // a newcomer, or one that had nothing there
		}
		mine += old.Size
		e := Extent{old.Base, p.want[v][a]}
		if e.end() > p.capacity[a] {
			return false
		}
		grown[a] = e
		for _, o := range p.used[a] {
			if o.vid != v && o.Base < e.end() && e.Base < o.end() && !slices.Contains(blockers, o.vid) {
				blockers = append(blockers, o.vid)
			}
		}
	}
	if slices.Contains(blockers, quarantine) {
		return false
	}
	slices.Sort(blockers)
	for _, b := range blockers {
		for _, e := range p.next[b] {
			theirs += e.Size
		}
	}
	if !anyway && (theirs >= mine || slices.ContainsFunc(blockers, p.bystander)) {
		return false
	}
	type place struct {
		vid uint16
		a   Array
		Extent
	}
	var undo []place
	set := func(v uint16, m map[Array]Extent) {
		for _, a := range p.arrays(v) {
			undo = append(undo, place{v, a, p.next[v][a]})
		}
		for a, e := range m {
			p.set(v, a, e)
		}
	}
	for _, b := range blockers {
		set(b, empty(p.next[b]))
	}
	set(v, grown)
	for _, b := range blockers {
		if !p.move(b) {
			for _, u := range slices.Backward(undo) {
				p.set(u.vid, u.a, u.Extent)
			}
			return false
		}
	}
	return true
}

// bystander says that v's sizes stay as they are: a reallocation is none of its business.
func (p *placer) bystander(v uint16) bool {
	for a, n := range p.want[v] {
		if p.now[v][a].Size != n {
			return false
		}
	}
	return true
}

func empty(m map[Array]Extent) map[Array]Extent {
	out := map[Array]Extent{}
	for a := range m {
		out[a] = Extent{}
	}
	return out
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

// gap is a place for n slots of v in a. When it moves away from old, a place beside old is preferred, and one that overlaps it has another
// base.
func (p *placer) gap(a Array, v uint16, n int64, old *Extent) (Extent, bool) {
	if n == 0 {
		return Extent{}, true
	}
	if e, ok := p.search(a, v, n, old, true); ok {
		return e, true
	}
	return p.search(a, v, n, old, false)
}

// search goes through the gaps of a and takes the place with the best room to grow, the first of equals. avoid leaves v's own slots
// alone.
func (p *placer) search(a Array, v uint16, n int64, old *Extent, avoid bool) (Extent, bool) {
	best, most := Extent{}, int64(-1)
	try := func(before *owned, base, end int64) {
		if old != nil && old.Size > 0 && base == old.Base {
			base++
		}
		if base+n > end {
			return
		}
		score := portion(end-base, max(p.most[v][a], n))
		if before != nil {
			score = min(score, portion(base-before.Base, max(p.most[before.vid][a], before.Size)))
		}
		if score > most {
			best, most = Extent{base, n}, score
		}
	}
	look := func(before *owned, at, end int64) {
		step := max(n, (end-at)/gapSteps)
		for base := at; base+n <= end; base += step {
			try(before, base, end)
		}
	}
	at, before := int64(0), (*owned)(nil)
	for i := range p.used[a] {
		t := &p.used[a][i]
		if t.vid == v && !avoid {
			continue
		}
		look(before, at, t.Base)
		if t.end() > at {
			at, before = t.end(), t
		}
	}
	look(before, at, p.capacity[a])
	return best, most >= 0
}

// gapSteps is how many places in a gap are looked at.
const gapSteps = 64

// portion is how much of what is wished for there is, in 1/1024.
func portion(room, wish int64) int64 { return min(room, wish) * 1024 / max(wish, 1) }

// pack puts everybody in a side by side from slot 0, in the order of present bases; who has no place yet comes last. If that leaves no room
// between slots in quarantine, the largest come first, each where there is room.
func (p *placer) pack(a Array) bool {
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
	if p.fill(a, vids) {
		return true
	}
	slices.SortStableFunc(vids, func(x, y uint16) int { return cmp.Compare(p.want[y][a], p.want[x][a]) })
	return p.fill(a, vids)
}

// fill gives tenants, one after the other, the first place in an array that is large enough.
func (p *placer) fill(a Array, vids []uint16) bool {
	free := freeRuns(p.capacity[a], p.bad[a])
	for _, v := range vids {
		n := p.want[v][a]
		i := slices.IndexFunc(free, func(e Extent) bool { return e.Size >= n })
		if i < 0 {
			return false
		}
		p.next[v][a] = Extent{free[i].Base, n}
		free[i] = Extent{free[i].Base + n, free[i].Size - n}
	}
	return true
}
