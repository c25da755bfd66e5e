package alloc

import "github.com/interlock/interlock/verify/plan"

// ToLevels is the plan from the page tables as read back to the given rung of each tenant's ladder; nil if they are there. It starts
// with a fence.
func (c *Context) ToLevels(state []byte, tenants []Tenant, levels []int) (*plan.Input, error) {
	tables, err := c.Codec.Decode(state)
	if err != nil {
		return nil, err
	}
	in, _, err := c.toLevels(state, tables, tenants, levels, false)
	return in, err
}

// toLevels also says what has to move.
func (c *Context) toLevels(state []byte, tables Tables, tenants []Tenant, levels []int, fenced bool) (*plan.Input, *Placement, error) {
	placed, err := c.place(tables, tenants, levels)
	if err != nil {
		return nil, nil, err
	}
	registers := map[uint16][]Register{}
	for _, t := range tenants {
		registers[t.VID] = t.Ladder.Registers
	}
	goal, err := Goal(c.Codec, tables, placed.Layout, registers)
	if err != nil {
		return nil, nil, err
	}
	in, err := c.Build(state, goal, fenced)
	return in, placed, err
}

// place finds extents for the given rungs.
func (c *Context) place(tables Tables, tenants []Tenant, levels []int) (*Placement, error) {
	want, most := map[uint16]map[Array]int64{}, map[uint16]map[Array]int64{}
	for i, t := range tenants {
		want[t.VID], most[t.VID] = map[Array]int64{}, map[Array]int64{}
		for j, r := range t.Ladder.Registers {
			want[t.VID][r.Array] = t.Ladder.Rungs[levels[i]].Sizes[j]
		}
	}
	for _, l := range c.Limits {
		if m := most[l.VID]; m != nil {
			m[Array{l.Control, l.Stage}] = l.Ceiling
		}
	}
	return placeAround(c.refused(tables).bad(), c.Codec.Slots(), tables.Layout(), want, most)
}

// Level is the rung of a tenant's ladder that the page tables give it.
func (t Tables) Level(tenant Tenant) int {
	sizes := map[Array]int64{}
	for a, x := range t.Layout()[tenant.VID] {
		sizes[a] = x.Size
	}
	return tenant.Ladder.Level(sizes)
}
