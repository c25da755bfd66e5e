package alloc

import (
	"fmt"
	"maps"
	"slices"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
)

// Station is one switch as a decision over the network sees it: what plans for it are made of, its tenants, and its page tables as read
// back.
type Station struct {
	Context *Context
	Tenants []Tenant
	Bounds  []Bound // in the order of Tenants
	State   []byte
	Fenced  bool // its controller completed a fence after its last page-table write
	// Previous is the digest of the plan that left State, if it is known that one did: the next follows on it.
	Previous verify.Digest
	// Sweep asks for a plan that zeroes what nobody has, even if no extent changes: an interrupted plan may have left something there.
	Sweep bool
	// Again asks for a plan that scrubs what is in quarantine, if nothing else is to be done. Plan clears it when it has done that.
	Again bool
}

// A Network is what all switches of a site share.
type Network struct {
	Site     string
	Stations []*Station // those that can be reached
	Absent   []network.Absent
	// Ceilings are what the policy lets each tenant have over the whole network, in slots.
	Ceilings []network.Ceiling
	Policy   string
}

// ceiling of a tenant; 0 if it has none.
func (n *Network) ceiling(vid uint16) int64 {
	if i := slices.IndexFunc(n.Ceilings, func(c network.Ceiling) bool { return c.VID == vid }); i >= 0 {
		return n.Ceilings[i].Slots
	}
	return 0
}

// name is what people call a VID.
func (n *Network) name(vid uint16) string {
	for _, s := range n.Stations {
		for _, t := range s.Context.Tenants {
			if t.VID == vid {
				return t.Name
			}
		}
	}
	return fmt.Sprintf("VID %d", vid)
}

// held is the most that a tenant may have on switches that cannot be reached.
func (n *Network) held(vid uint16) (sum int64) {
	for _, a := range n.Absent {
		for _, h := range a.Holds {
			if h.VID == vid {
				sum += h.Slots
			}
		}
	}
	return sum
}

// A StationError says that there is no plan for a switch.
type StationError struct {
	Switch string
	Err    error
}

func (e *StationError) Error() string { return fmt.Sprintf("switch %s: %v", e.Switch, e.Err) }
func (e *StationError) Unwrap() error { return e.Err }

// Proposal is a network plan in the making.
type Proposal struct {
	Input *network.Input // nil if everybody waits
	// Placed says, by station, what its plan moves; nil where nothing is planned.
	Placed []*Placement
	// Waits names switches that were to change and are left as they are this time, with the reason.
	Waits map[string]string
}

// Plan is the network plan from the stations' states to levels, by station and tenant; nil if everything is as it should be. A station that is
// fixed stays as it is.
//
// Where one plan at a time does not do (a tenant would be moved on two switches at once, or would have more than its ceiling because another
// switch is not allowed to go along), some switches wait: the next plan is for them.
func (n *Network) Plan(levels [][]int, fixed func(station int) bool) (*Proposal, error) {
	p := &Proposal{Placed: make([]*Placement, len(n.Stations)), Waits: map[string]string{}}
	plans := make([]*plan.Input, len(n.Stations))
	moves := make([]*move, len(n.Stations))
	for i, s := range n.Stations {
		if fixed != nil && fixed(i) {
			continue
		}
		in, placed, err := s.plan(levels[i])
		if err != nil {
			return nil, &StationError{s.Context.Switch, err}
		}
		if in == nil {
			continue
		}
		plans[i], p.Placed[i], moves[i] = in, placed, newMove(s, in, placed)
	}
	for _, i := range n.choose(moves, p) {
		plans[i], p.Placed[i] = nil, nil
	}
	if !slices.ContainsFunc(plans, func(in *plan.Input) bool { return in != nil }) {
		if len(p.Waits) == 0 {
			return nil, nil
		}
		return p, nil
	}
	var err error
	p.Input, err = n.Assemble(plans)
	return p, err
}

// planFit is Plan to levels for which there is room between slots in quarantine.
func (n *Network) planFit(levels [][]int) (*Proposal, error) {
	for i, s := range n.Stations {
		var err error
		if levels[i], err = s.Context.Fit(s.State, s.Tenants, s.Bounds, levels[i]); err != nil {
			return nil, &StationError{s.Context.Switch, err}
		}
	}
	return n.Plan(levels, nil)
}

// plan of one station by itself.
func (s *Station) plan(levels []int) (*plan.Input, *Placement, error) {
	tables, err := s.Context.Codec.Decode(s.State)
	if err != nil {
		return nil, nil, err
	}
	in, placed, err := s.Context.toLevels(s.State, tables, s.Tenants, levels, s.Fenced)
	if err == nil && in == nil && s.Sweep {
		in, err = s.Context.Sweep(s.State)
	}
	if err == nil && in == nil && s.Again {
		s.Again = false
		in, err = s.Context.Again(s.State)
	}
	if in != nil {
		in.Previous = s.Previous
	}
	return in, placed, err
}

// Assemble makes a network plan of the stations' plans, nil where a switch is left as it is: in the first round every switch takes, in the
// second they give.
func (n *Network) Assemble(plans []*plan.Input) (*network.Input, error) {
	in := &network.Input{Site: n.Site, Absent: n.Absent, Ceilings: n.Ceilings, Policy: n.Policy}
	var take, give network.Round
	for i, p := range plans {
		s := n.Stations[i]
		if p == nil {
			pre, err := s.Context.Codec.Decode(s.State)
			if err != nil {
				return nil, fmt.Errorf("switch %s: %w", s.Context.Switch, err)
			}
			p = s.Context.input(s.State, s.Fenced, nil)
			p.Goal = pre.extents()
		}
		in.Plans = append(in.Plans, p)
		taken := takes(p)
		if taken > 0 {
			take = append(take, network.Part{Switch: p.Switch, Steps: taken})
		}
		if rest := len(p.Steps) - taken; rest > 0 {
			give = append(give, network.Part{Switch: p.Switch, Steps: rest})
		}
	}
	for _, r := range []network.Round{take, give} {
		if len(r) > 0 {
			in.Rounds = append(in.Rounds, r)
		}
	}
	return in, nil
}

// takes counts the steps up to the fence that ends what a plan takes away; 0 if it takes nothing.
func takes(in *plan.Input) int {
	writes := false
	for i, s := range in.Steps {
		switch {
		case in.Primitives.Fences(s) && writes:
			return i + 1
		case s.Kind == plan.Write && !plan.ScrubsOnly(s.Bytes):
			writes = true
		}
	}
	return 0
}

// move is what a station's plan comes to for each tenant.
type move struct {
	before, after map[uint16]int64 // slots of all extents
	low           map[uint16]bool  // it is below its floor on the way
}

func newMove(s *Station, in *plan.Input, placed *Placement) *move {
	m := &move{before: map[uint16]int64{}, after: map[uint16]int64{}, low: map[uint16]bool{}}
	if pre, err := s.Context.Codec.Decode(s.State); err == nil { // it was decoded before
		for k, e := range pre {
			m.before[k.VID] += e.slots()
		}
	}
	for _, x := range in.Goal {
		m.after[x.VID] += x.Size
	}
	if placed != nil {
		for _, l := range in.Limits {
			m.low[l.VID] = m.low[l.VID] || l.Floor > 0 && slices.Contains(placed.Moved, l.VID)
		}
	}
	return m
}

func (e Entry) slots() (n int64) {
	for _, m := range e {
		n += m.Size
	}
	return n
}

// choose says which stations have to wait. Those that give most back come first, so that what is taken from one switch can be had on
// another.
func (n *Network) choose(moves []*move, p *Proposal) []int {
	var order []int
	standing := make([]map[uint16]int64, len(moves))
	for i, m := range moves {
		standing[i] = map[uint16]int64{}
		if m != nil {
			standing[i] = m.before
			order = append(order, i)
			continue
		}
		if pre, err := n.Stations[i].Context.Codec.Decode(n.Stations[i].State); err == nil {
			for k, e := range pre {
				standing[i][k.VID] += e.slots()
			}
		}
	}
	if _, ok := n.fits(standing, moves, order); ok {
		return nil
	}
	growth := func(i int) (sum int64) {
		for v, a := range moves[i].after {
			sum += a - moves[i].before[v]
		}
		return sum
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(growth(a) - growth(b)) })
	var chosen, wait []int
	for _, i := range order {
		if why, ok := n.fits(standing, moves, append(slices.Clone(chosen), i)); ok {
			chosen = append(chosen, i)
		} else {
			wait = append(wait, i)
			p.Waits[n.Stations[i].Context.Switch] = why
		}
	}
	return wait
}

// fits says whether the plans of some stations can be carried out together while the others stand.
func (n *Network) fits(standing []map[uint16]int64, moves []*move, chosen []int) (why string, ok bool) {
	vids := map[uint16]bool{}
	for _, i := range chosen {
		for v := range moves[i].after {
			vids[v] = true
		}
	}
	for _, v := range slices.Sorted(maps.Keys(vids)) {
		total, low, grows := n.held(v), 0, false
		for i := range standing {
			has := standing[i][v]
			if slices.Contains(chosen, i) {
				if moves[i].low[v] {
					low++
				}
				grows = grows || moves[i].after[v] > has
				has = moves[i].after[v]
			}
			total += has
		}
		switch c := n.ceiling(v); {
		case low > 1:
			return fmt.Sprintf("tenant %s is being moved on another switch", n.name(v)), false
		case grows && total > c:
			return fmt.Sprintf("tenant %s would have %d slots over the network and may have %d", n.name(v), total, c), false
		}
	}
	return "", true
}

// Trim lowers levels, by station and tenant, until no tenant has more than its ceiling over the network, or only its floors are left. A station
// that is fixed keeps its levels.
func (n *Network) Trim(levels [][]int, fixed func(station int) bool) {
	type place struct{ station, tenant int }
	of := map[uint16][]place{}
	for i, s := range n.Stations {
		for j, t := range s.Tenants {
			of[t.VID] = append(of[t.VID], place{i, j})
		}
	}
	for v, places := range of {
		for {
			total, at, most := n.held(v), place{-1, -1}, int64(-1)
			for _, x := range places {
				s := n.Stations[x.station]
				has := s.Tenants[x.tenant].Ladder.slots(levels[x.station][x.tenant])
				total += has
				if levels[x.station][x.tenant] > s.Bounds[x.tenant].Floor && has > most && !fixed(x.station) {
					at, most = x, has
				}
			}
			if total <= n.ceiling(v) || at.station < 0 {
				break
			}
			levels[at.station][at.tenant]--
		}
	}
}
