package alloc

import (
	"errors"
	"fmt"
	"slices"

	"github.com/interlock/interlock/verify/plan"
)

// Refused are slots that the switch did not scrub when a plan wanted it to.
type Refused struct {
	// Quarantined are given to nobody and are not scrubbed, until somebody asks for that (Again).
	Quarantined []Range
	// Once were refused for the first time. They are scrubbed again, and each by itself, so that it shows which of them it is about.
	Once []Range
}

// refused are the switch's; those that somebody has all the same were given to them by somebody else, and are left to them.
func (c *Context) refused(now Tables) Refused {
	if c.Refused == nil {
		return Refused{}
	}
	r := c.Refused()
	if len(r.Quarantined) > 0 {
		r.Quarantined = without(c.within(r.Quarantined), taken(now))
	}
	r.Once = c.within(r.Once)
	return r
}

// within leaves out what the linked program has no slots for: it may have had other arrays before.
func (c *Context) within(list []Range) []Range {
	var out []Range
	for _, r := range list {
		r.Hi = min(r.Hi, c.Codec.slots[r.Array])
		out = append(out, r)
	}
	return union(out)
}

// has says whether slots of an array are among them.
func (r Refused) has(a Array) bool {
	return slices.ContainsFunc(slices.Concat(r.Quarantined, r.Once), func(x Range) bool { return x.Array == a })
}

// bad are the slots in quarantine, by array.
func (r Refused) bad() map[Array][]Extent {
	out := map[Array][]Extent{}
	for _, x := range r.Quarantined {
		out[x.Array] = append(out[x.Array], Extent{x.Lo, x.Hi - x.Lo})
	}
	return out
}

// usable is how many slots of each array may be given to tenants.
func (c *Context) usable(now Tables) Capacity {
	n := c.Codec.Slots()
	for _, r := range c.refused(now).Quarantined {
		n[r.Array] -= r.Hi - r.Lo
	}
	return n
}

// taken lists the slots that are in extents.
func taken(t Tables) []Range {
	var out []Range
	for k, e := range t {
		for s, m := range e {
			out = append(out, Range{Array{k.Control, s}, m.Base, m.Base + m.Size})
		}
	}
	return union(out)
}

// without takes the slots of others, which are sorted and apart, out of list.
func without(list, others []Range) []Range {
	var out []Range
	for _, r := range union(list) {
		for _, o := range others {
			if o.Array != r.Array || o.Hi <= r.Lo || r.Hi <= o.Lo {
				continue
			}
			out = append(out, Range{r.Array, r.Lo, o.Lo})
			r.Lo = o.Hi
		}
		out = append(out, r)
	}
	return union(out)
}

// A roomError is ErrNoRoom with the array.
type roomError struct {
	array Array
	text  string
}

func (e *roomError) Error() string { return fmt.Sprintf("%v: %s: %v", e.array, e.text, ErrNoRoom) }
func (e *roomError) Unwrap() error { return ErrNoRoom }

// Fit lowers levels until there is room for everybody between the slots that are in quarantine: whoever has most in the array that is too
// full, of those above their floor, steps down. Without a quarantine they stay as they are.
func (c *Context) Fit(state []byte, tenants []Tenant, bounds []Bound, levels []int) ([]int, error) {
	if len(c.refused(nil).Quarantined) == 0 {
		return levels, nil
	}
	now, err := c.Codec.Decode(state)
	if err != nil {
		return nil, err
	}
	levels = slices.Clone(levels)
	for {
		_, err := c.place(now, tenants, levels)
		var full *roomError
		if !errors.As(err, &full) {
			return levels, err
		}
		at, most := -1, int64(0)
		for i, t := range tenants {
			if n := t.Ladder.Size(full.array, levels[i]); n > most && levels[i] > bounds[i].Floor {
				at, most = i, n
			}
		}
		if at < 0 {
			return nil, err // the floors alone are too much
		}
		levels[at]--
	}
}

// Again is the plan that changes no extent and scrubs what is in quarantine; nil if nothing is.
func (c *Context) Again(preState []byte) (*plan.Input, error) {
	pre, err := c.Codec.Decode(preState)
	if err != nil {
		return nil, err
	}
	again := c.refused(pre).Quarantined
	if len(again) == 0 {
		return nil, nil
	}
	return c.sweep(preState, pre, again)
}

// freeRuns are the slots of an array between those in quarantine.
func freeRuns(slots int64, bad []Extent) []Extent {
	var out []Extent
	at := int64(0)
	for _, b := range bad {
		out = append(out, Extent{at, b.Base - at})
		at = b.end()
	}
	return append(out, Extent{at, slots - at})
}

// sizes of extents.
func total(list []Extent) (n int64) {
	for _, e := range list {
		n += e.Size
	}
	return n
}
