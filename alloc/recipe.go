package alloc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/interlock/interlock/verify/plan"
)

// DirectMask is the mask of a directly indexed register: it folds nothing.
const DirectMask = ^uint32(0)

// maskOf is the mask for a size: folded registers have power-of-two sizes.
func maskOf(fold bool, size int64) uint32 {
	switch {
	case size == 0:
		return 0
	case fold:
		return uint32(size - 1)
	}
	return DirectMask
}

// Goal is the page tables that a layout wants, after pre: masks by register kind, and generations that go up by one, modulo 2^16,
// exactly where content is lost (an extent moved or shrank). Every VID in registers gets an entry in each control where it has
// registers; other VIDs get none.
func Goal(c *Codec, pre Tables, layout Layout, registers map[uint16][]Register) (Tables, error) {
	goal := Tables{}
	for v, regs := range registers {
		for _, r := range regs {
			k := Key{r.Control, v}
			if r.Stage < 0 || r.Stage >= c.Stages(r.Control) {
				return nil, fmt.Errorf("VID %d has a register in %v; the linked program has %d stage arrays there", v, r.Array, c.Stages(r.Control))
			}
			if goal[k] == nil {
				goal[k] = make(Entry, c.Stages(r.Control))
				for s, m := range pre[k] {
					goal[k][s] = after(m, Extent{Base: m.Base}, 0) // nothing, unless a register follows
				}
			}
			var old Mapping
			if e := pre[k]; e != nil {
				old = e[r.Stage]
			}
			x := layout[v][r.Array]
			goal[k][r.Stage] = after(old, x, maskOf(r.Fold, x.Size))
		}
	}
	return goal, nil
}

// after is the mapping that follows old when the extent becomes x.
func after(old Mapping, x Extent, mask uint32) Mapping {
	m := Mapping{Base: x.Base, Size: x.Size, Mask: mask, Generation: old.Generation}
	if old.Size > kept(old, x.Base, x.Size) {
		m.Generation++ // wraps at 2^16 by its type
	}
	return m
}

// kept is how many slots from old's base on stay where they are, at the same index, in an extent at base of size.
func kept(old Mapping, base, size int64) int64 {
	if old.Base != base {
		return 0
	}
	return min(old.Size, size)
}

// Recipe is the order of DESIGN.md §5.2: [fence,] shrink every tenant to what it has before and after, fence, scrub what is freed and
// what is granted, grow. The first fence is left out when this controller completed one after its last page-table write; what has
// nothing to do is left out too.
func Recipe(pre, goal Tables, fenced bool, name func(vid uint16) string) []Op {
	shrink, grow, scrub := Op{Map: Tables{}}, Op{Map: Tables{}}, Op{}
	var gone []Key
	for _, k := range pre.Keys() {
		if goal[k] != nil {
			continue
		}
		gone = append(gone, k)
		for s, m := range pre[k] {
			scrub.Scrub = append(scrub.Scrub, Range{Array{k.Control, s}, m.Base, m.Base + m.Size})
		}
	}
	for _, k := range goal.Keys() {
		old, next := pre[k], goal[k]
		if old == nil {
			grow.Map[k] = next
			for s, m := range next {
				scrub.Scrub = append(scrub.Scrub, Range{Array{k.Control, s}, m.Base, m.Base + m.Size})
			}
			continue
		}
		mid := make(Entry, len(next))
		for s := range next {
			o, n := old[s], next[s]
			keep := kept(o, n.Base, n.Size)
			switch {
			case keep == o.Size:
				mid[s] = o
			case keep == n.Size:
				mid[s] = n
			default: // it moves
				mid[s] = Mapping{Base: o.Base, Generation: n.Generation}
			}
			a := Array{k.Control, s}
			scrub.Scrub = append(scrub.Scrub, Range{a, o.Base + keep, o.Base + o.Size}, Range{a, n.Base + keep, n.Base + n.Size})
		}
		if !slices.Equal(mid, old) {
			shrink.Map[k] = mid
		}
		if !slices.Equal(mid, next) {
			grow.Map[k] = next
		}
	}
	scrub.Scrub = union(scrub.Scrub)
	var ops []Op
	if len(shrink.Map)+len(gone)+len(grow.Map) == 0 {
		return nil
	}
	if !fenced {
		ops = append(ops, Op{Fence: true, Note: "fence: nobody acts on an older page table"})
	}
	if len(gone) > 0 {
		ops = append(ops, Op{Unmap: gone, Note: "unmap " + list(gone, name)})
	}
	if len(shrink.Map) > 0 {
		shrink.Note = "shrink " + list(shrink.Map.Keys(), name)
		ops = append(ops, shrink)
	}
	if len(gone)+len(shrink.Map) > 0 {
		ops = append(ops, Op{Fence: true, Note: "fence: nobody acts on what was taken away"})
	}
	if len(scrub.Scrub) > 0 {
		scrub.Note = "scrub " + ranges(scrub.Scrub)
		ops = append(ops, scrub)
	}
	if len(grow.Map) > 0 {
		grow.Note = "grow " + list(grow.Map.Keys(), name)
		ops = append(ops, grow)
	}
	return ops
}

// union sorts ranges and joins those that touch; empty ones vanish.
func union(in []Range) []Range {
	in = slices.DeleteFunc(slices.Clone(in), func(r Range) bool { return r.Lo >= r.Hi })
	slices.SortFunc(in, func(x, y Range) int {
		if c := x.Array.Compare(y.Array); c != 0 {
			return c
		}
		return int(x.Lo - y.Lo)
	})
	var out []Range
	for _, r := range in {
		if n := len(out) - 1; n >= 0 && out[n].Array == r.Array && r.Lo <= out[n].Hi {
			out[n].Hi = max(out[n].Hi, r.Hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

func list(keys []Key, name func(uint16) string) string {
	var out []string
	for _, k := range keys {
		if n := name(k.VID); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return strings.Join(out, ", ")
}

func ranges(rs []Range) string {
	var n int64
	var out []string
	for _, r := range rs {
		n += r.Hi - r.Lo
		if len(out) < 3 {
			out = append(out, fmt.Sprintf("%v %d..%d", r.Array, r.Lo, r.Hi-1))
		}
	}
	s := strings.Join(out, ", ")
	if len(rs) > len(out) {
		s += fmt.Sprintf(" and %d more", len(rs)-len(out))
	}
	return fmt.Sprintf("%d slots: %s", n, s)
}

// name is what people call a VID.
func (c *Context) name(vid uint16) string {
	for _, t := range c.Tenants {
		if t.VID == vid {
			return t.Name
		}
	}
	return fmt.Sprintf("VID %d", vid)
}

// Build is the plan from the page tables as read back to goal. It returns nil when there is nothing to do.
func (c *Context) Build(preState []byte, goal Tables, fenced bool) (*plan.Input, error) {
	pre, err := c.Codec.Decode(preState)
	if err != nil {
		return nil, err
	}
	ops := Recipe(pre, goal, fenced, c.name)
	if len(ops) == 0 {
		return nil, nil
	}
	steps, _, err := c.assemble(pre, ops)
	if err != nil {
		return nil, err
	}
	in := c.input(preState, fenced, steps)
	in.Goal = goal.extents()
	return in, nil
}

// Sweep is the plan that changes no extent and zeroes every slot that nobody has, but those in quarantine: what an interrupted plan may have left between taking
// and giving. It starts with a fence.
func (c *Context) Sweep(preState []byte) (*plan.Input, error) {
	pre, err := c.Codec.Decode(preState)
	if err != nil {
		return nil, err
	}
	return c.sweep(preState, pre, c.unowned(pre))
}

// sweep zeroes slots that nobody has.
func (c *Context) sweep(preState []byte, pre Tables, free []Range) (*plan.Input, error) {
	ops := []Op{{Fence: true, Note: "fence: nobody acts on an older page table"}}
	if len(free) > 0 {
		ops = append(ops, Op{Scrub: free, Note: "scrub " + ranges(free)})
	}
	steps, _, err := c.assemble(pre, ops)
	if err != nil {
		return nil, err
	}
	in := c.input(preState, false, steps)
	in.Goal = pre.extents()
	return in, nil
}

// unowned lists the slots that are in no extent, and not in quarantine.
func (c *Context) unowned(t Tables) []Range {
	var all []Range
	for a, n := range c.Codec.Slots() {
		all = append(all, Range{a, 0, n})
	}
	return without(without(all, taken(t)), c.refused(t).Quarantined)
}
