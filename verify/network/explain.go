package network

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/plan/model"
)

// Explain says in words how a network plan goes wrong whose obligation of that ID was refuted. It reads the state off the plan, not off the
// solver's model: for sums it is the one in which every switch has most, which exists, since within a round switches go on independently.
func Explain(in *Input, id string) string {
	d, err := decode(in, plan.NewEncoder(len(in.Plans)))
	if err != nil {
		return err.Error()
	}
	parts := strings.Split(id, "/")
	number := func(i int) int {
		if i >= len(parts) {
			return -1
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return -1
		}
		return n
	}
	switch r := number(2) - 1; {
	case parts[0] == "N4":
		return d.explainBinding()
	case parts[0] == "N2" && r >= 0 && r < len(in.Rounds) && len(parts) == 4:
		return fmt.Sprintf("round %d has switch %s give and take at the same time, or out of order: all switches have to take what they take "+
			"before any gives, or a switch that fails in between leaves tenants with more than they may have", r+1, parts[3])
	case parts[0] == "N1" && len(parts) == 3:
		v := uint16(number(2))
		return fmt.Sprintf("tenant %s ends with more than its %d slots over the network, and has grown: %s", d.name(v), d.ceilings[v],
			d.holdings(v, func(c *course) []model.Entry { return c.final }))
	case parts[0] == "N1" && r >= 0 && r < len(in.Rounds):
		v := uint16(number(3))
		return fmt.Sprintf("in round %d tenant %s can have more than its %d slots over the network, and than it had: %s", r+1, d.name(v),
			d.ceilings[v], d.holdings(v, func(c *course) []model.Entry { return c.states[r] }))
	case parts[0] == "N3" && r >= 0 && r < len(in.Rounds):
		v := uint16(number(3))
		return fmt.Sprintf("in round %d tenant %s can be below its floor on several switches at once: %s; move it on one switch after the other",
			r+1, d.name(v), strings.Join(d.low(v, r), ", "))
	}
	return id + " does not hold"
}

// holdings is the most that a tenant can have on each switch.
func (d *decoded) holdings(v uint16, states func(*course) []model.Entry) string {
	var list []string
	for _, p := range d.places {
		var most, had int64
		for _, k := range p.keys(v) {
			var here int64
			for _, e := range states(p.courses[k]) {
				here = max(here, slotsOf(e))
			}
			most, had = most+here, had+slotsOf(p.entries.Pre[k])
		}
		list = append(list, fmt.Sprintf("%d on %s (had %d)", most, p.name, had))
	}
	for _, a := range d.in.Absent {
		for _, h := range a.Holds {
			if h.VID == v {
				list = append(list, fmt.Sprintf("up to %d on %s, which cannot be reached", h.Slots, a.Switch))
			}
		}
	}
	return strings.Join(list, ", ")
}

func slotsOf(e model.Entry) (n int64) {
	for _, x := range e {
		n += x.Size
	}
	return n
}

// low lists the switches where a tenant can have less than its floor in a round.
func (d *decoded) low(v uint16, r int) []string {
	var list []string
	for _, p := range d.places {
		for _, k := range p.keys(v) {
			for stage, x := range p.entries.Pre[k] {
				a := model.Array{Control: k.Control, Stage: stage}
				due := min(x.Size, p.entries.Limits[model.Place{Array: a, VID: k.VID}].Floor)
				least := x.Size
				for _, e := range p.courses[k].states[r] {
					least = min(least, size(e, stage))
				}
				if least < due {
					list = append(list, fmt.Sprintf("%d of %d slots in %v of %s", least, due, a, p.name))
					break
				}
			}
		}
	}
	return slices.Compact(list)
}

// explainBinding names two switches that do not agree.
func (d *decoded) explainBinding() string {
	names, vids, at := map[uint16]string{}, map[string]uint16{}, map[string]string{}
	for _, p := range d.places {
		for _, t := range p.plan.Tenants {
			if n, ok := names[t.VID]; ok && n != t.Name {
				return fmt.Sprintf("on switch %s (VID %d) is tenant %s, on switch %s tenant %s", at[n], t.VID, n, p.name, t.Name)
			}
			if v, ok := vids[t.Name]; ok && v != t.VID {
				return fmt.Sprintf("tenant %s has (VID %d) on switch %s and %d on switch %s", t.Name, v, at[t.Name], t.VID, p.name)
			}
			names[t.VID], vids[t.Name], at[t.Name] = t.Name, t.VID, p.name
		}
	}
	return "the switches agree"
}
