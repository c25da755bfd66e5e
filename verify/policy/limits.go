package policy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
)

// Slots is what the names of stage arrays' slots begin with: "slots/ingress/0", or with several switches "slots/SWITCH/ingress/0".
const Slots = "slots/"

// errNotMemory is wrapped when an admission says nothing of a switch's register memory.
var errNotMemory = errors.New("it is not about the register memory of the switch")

// OfMemory says that a is about register memory, and not about what programs use.
func (a *Admission) OfMemory() bool {
	for r := range a.Capacity {
		if !strings.HasPrefix(r, Slots) {
			return false
		}
	}
	return a.Linked == nil && len(a.Capacity) > 0
}

// Limits are what a lets the tenants have on a switch, as plans carry them. Of one that is about something else than register memory, or not
// about that switch, there are none, and the error says so.
func (a *Admission) Limits(on string) ([]plan.Limit, error) {
	if err := a.shape(); err != nil {
		return nil, err
	}
	prefix := Slots
	if len(a.Switches) > 0 {
		if !slices.Contains(a.Switches, on) {
			return nil, fmt.Errorf("%w %s: it is about %s", errNotMemory, on, strings.Join(a.Switches, ", "))
		}
		prefix += on + "/"
	}
	if !a.OfMemory() {
		return nil, fmt.Errorf("%w %s, but about programs", errNotMemory, on)
	}
	var out []plan.Limit
	for i, t := range a.Tenants {
		for _, r := range slices.Sorted(maps.Keys(a.Ceilings[i])) {
			array, here := strings.CutPrefix(r, prefix)
			if !here {
				continue
			}
			control, number, _ := strings.Cut(array, "/")
			stage, err := strconv.Atoi(number)
			if err != nil || control != string(specs.Ingress) && control != string(specs.Egress) {
				return nil, fmt.Errorf("%w %s: %q is no stage array", errNotMemory, on, r)
			}
			out = append(out, plan.Limit{
				VID: t.VID, Control: specs.Control(control), Stage: stage, Floor: a.Floors[i][r], Ceiling: a.Ceilings[i][r],
			})
		}
	}
	return out, nil
}

// Networkwide are the totals as network plans carry them, in the order of VIDs.
func (a *Admission) Networkwide() []network.Ceiling {
	var out []network.Ceiling
	for i, most := range a.Totals {
		out = append(out, network.Ceiling{VID: a.Tenants[i].VID, Slots: most})
	}
	slices.SortFunc(out, func(x, y network.Ceiling) int { return cmp.Compare(x.VID, y.VID) })
	return out
}
