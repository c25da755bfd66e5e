package model

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/interlock/interlock/specs"
)

const all = ^uint32(0)

var (
	array = Array{specs.Ingress, 0}
	a, b  = Key{specs.Ingress, 1}, Key{specs.Ingress, 2}
)

func one(base, size int64, generation uint16) Entry {
	return Entry{{Base: base, Size: size, Mask: all, Generation: generation}}
}

// base is a plan that gives slots 4..7 of an array of 8 to tenant 2, after tenant 1 has given them up.
func base() *Plan {
	p := &Plan{
		Slots:      map[Array]int64{array: 8},
		Capacity:   map[specs.Control]int64{specs.Ingress: 2},
		Registered: []VID{1, 2},
		Pre:        Tables{a: one(0, 8, 0)},
		Fenced:     true,
		Goal:       Tables{a: one(0, 4, 1), b: one(4, 4, 0)},
		Limits:     map[Place]Limit{{array, 1}: {4, 8}, {array, 2}: {0, 4}},
	}
	var scrub []Update
	for s := range int64(4) {
		scrub = append(scrub, Update{Kind: Scrub, Array: array, Slot: 4 + s, Index: int(s)})
	}
	p.Steps = []Step{
		{Updates: []Update{{Kind: Modify, Key: a, Entry: one(0, 4, 1)}}},
		{Fence: true},
		{Updates: scrub},
		{Updates: []Update{{Kind: Insert, Key: b, Entry: one(4, 4, 0)}}},
	}
	return p
}

// Each property has a canary: a change to a good plan that breaks it, and the step in which that shows.
func TestCanaries(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(*Plan)
		property string // empty: none
		step     int
	}{
		{"good", func(*Plan) {}, "", 0},
		{"two entries at once", func(p *Plan) { p.Pre[b] = one(7, 1, 0) }, "M1", 0},
		{"grant before the taking", func(p *Plan) { p.Steps[0], p.Steps[3] = p.Steps[3], p.Steps[0] }, "M1", 0},
		{"no fence", func(p *Plan) { p.Steps = append(p.Steps[:1:1], p.Steps[2:]...) }, "M1", 2},
		{"old packets", func(p *Plan) {
			p.Fenced, p.Pre = false, Tables{a: one(0, 4, 1)}
			p.Steps = p.Steps[2:]
		}, "M1", 1},
		{"no scrub", func(p *Plan) { p.Steps = append(p.Steps[:2:2], p.Steps[3]) }, "M2", 2},
		{"scrub in part", func(p *Plan) { p.Steps[2].Updates = p.Steps[2].Updates[1:] }, "M2", 3},
		{"its own slots back without a scrub", func(p *Plan) {
			p.Goal = Tables{a: one(0, 8, 0)}
			p.Limits = map[Place]Limit{{array, 1}: {4, 8}}
			p.Pre, p.Steps = Tables{a: one(0, 4, 0)}, []Step{{Updates: []Update{{Kind: Modify, Key: a, Entry: one(0, 8, 0)}}}}
		}, "M2", 0},
		{"its own slots at another index without a scrub", func(p *Plan) {
			p.Goal = Tables{a: one(2, 6, 1)}
			p.Limits = map[Place]Limit{{array, 1}: {4, 8}}
			p.Steps = []Step{{Updates: []Update{{Kind: Modify, Key: a, Entry: one(2, 6, 1)}}}}
		}, "M2", 0},
		{"what was taken back late", func(p *Plan) { p.Late = []Update{{Kind: Modify, Key: a, Entry: one(0, 8, 0)}} }, "M1", 3},
		{"an insertion sent twice", func(p *Plan) { p.Late = []Update{{Kind: Insert, Key: b, Entry: one(4, 4, 0)}} }, "M6", 3},
		{"a late scrub", func(p *Plan) { p.Late = []Update{{Kind: Scrub, Array: array, Slot: 5}} }, "M5", 0},
		{"a late deletion of nothing", func(p *Plan) { p.Late = []Update{{Kind: Delete, Key: Key{specs.Ingress, 7}}} }, "", 0},
		{"past the array", func(p *Plan) { p.Steps[3].Updates[0].Entry = one(5, 4, 0) }, "M3", 3},
		{"mask with a hole", func(p *Plan) { p.Steps[3].Updates[0].Entry = Entry{{Base: 4, Size: 4, Mask: 5}} }, "M3", 3},
		{"mask too small", func(p *Plan) { p.Steps[3].Updates[0].Entry = Entry{{Base: 4, Size: 4, Mask: 1}} }, "M3", 3},
		{"unregistered", func(p *Plan) { p.Registered = p.Registered[:1] }, "M4", 3},
		{"VID twice", func(p *Plan) { p.Registered = append(p.Registered, 2) }, "M4", 0},
		{"no VID", func(p *Plan) { p.Registered = append(p.Registered, 4095) }, "M4", 0},
		{"scrub of what is reached", func(p *Plan) { p.Steps[2].Updates[0].Slot = 3 }, "M5", 2},
		{"scrub before the fence", func(p *Plan) { p.Steps[1], p.Steps[2] = p.Steps[2], p.Steps[1] }, "M5", 1},
		{"kept slots taken away", func(p *Plan) { p.Steps[0].Updates[0].Entry = one(0, 3, 1) }, "M5", 0},
		{"kept slots moved", func(p *Plan) { p.Steps[0].Updates[0].Entry = one(1, 3, 1) }, "M5", 0},
		{"generation as before", func(p *Plan) {
			p.Steps[0].Updates[0].Entry = one(0, 4, 0)
			p.Goal[a] = one(0, 4, 0)
		}, "M5", 4},
		{"generation two on", func(p *Plan) {
			p.Steps[0].Updates[0].Entry = one(0, 4, 2)
			p.Goal[a] = one(0, 4, 2)
		}, "M5", 4},
		{"foreign generation on the way", func(p *Plan) { p.Steps[0].Updates[0].Entry = one(0, 4, 7) }, "M5", 0},
		{"other than the goal", func(p *Plan) { p.Goal[b] = one(4, 3, 0) }, "M6", 4},
		{"above the ceiling", func(p *Plan) { p.Limits[Place{array, 2}] = Limit{0, 3} }, "M6", 4},
		{"below the floor", func(p *Plan) { p.Limits[Place{array, 1}] = Limit{5, 8} }, "M6", 4},
		{"no limit", func(p *Plan) { delete(p.Limits, Place{array, 2}) }, "M6", 4},
		{"insertion of what is there", func(p *Plan) { p.Steps[0].Updates[0].Kind = Insert }, "M6", 0},
		{"modification of what is not", func(p *Plan) { p.Steps[3].Updates[0].Kind = Modify }, "M6", 3},
		{"full table", func(p *Plan) { p.Capacity[specs.Ingress] = 1 }, "M6", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := base()
			c.change(p)
			first := map[string]int{}
			for seed := range uint64(30) {
				_, vs := Explore(p, rand.New(rand.NewPCG(seed, 0)))
				for _, v := range vs {
					if at, seen := first[v.Property]; !seen || v.Step < at {
						first[v.Property] = v.Step
					}
				}
			}
			at, broken := first[c.property]
			// Trying everything finds something if and only if chance does.
			if story, complete := Exhaust(p, 1<<20); complete == (c.property != "") || (story == nil) != (c.property == "") {
				t.Errorf("Exhaust says %+v, %t", story, complete)
			} else if story != nil {
				again, err := Run(story.Plan, story.Schedule)
				if err != nil || !reflect.DeepEqual(again, story.Violations) {
					t.Errorf("%v, %v; want %v", again, err, story.Violations)
				}
			}
			switch {
			case c.property == "" && len(first) > 0:
				t.Errorf("violates %v", first)
			case c.property != "" && !broken:
				t.Errorf("does not violate %s, only %v", c.property, first)
			case at != c.step:
				t.Errorf("violates %s in step %d, want %d", c.property, at, c.step)
			}
		})
	}
}

// What Explore did can be done again, and what Search finds cannot be done with less.
func TestSearch(t *testing.T) {
	p := base()
	p.Steps = append(p.Steps[:1:1], p.Steps[2:]...) // no fence
	wanted := func(v Violation) bool { return v.Property == "M2" }
	s, v, ok := Search(p, map[Array][]int64{array: {5}}, 1000, wanted)
	if !ok || v.Slot != 5 || !reflect.DeepEqual(v.VIDs, []VID{2, 1}) {
		t.Fatalf("%v %t", v, ok)
	}
	again, err := Run(p, s)
	if err != nil || len(again) == 0 {
		t.Fatalf("%v, %v", again, err)
	}
	for i := range s.Actions {
		short := without(s, i, i+1)
		if vs, err := Run(p, short); err == nil {
			for _, v := range vs {
				if wanted(v) {
					t.Errorf("action %d is not needed: %+v", i, s.Actions[i])
				}
			}
		}
	}
	if _, _, ok := Search(base(), map[Array][]int64{array: {5}}, 50, wanted); ok {
		t.Error("a good plan goes wrong")
	}
}

func TestImpossible(t *testing.T) {
	old := Packet{Key: b, Entry: one(6, 2, 0)}
	unfenced := base()
	unfenced.Fenced = false
	for _, c := range []struct {
		name string
		plan *Plan
		s    Schedule
	}{
		{"old packets after a fence", base(), Schedule{Initial: Initial{Packets: []Packet{old}}}},
		{"old packets in another's slots", unfenced, Schedule{Initial: Initial{Packets: []Packet{old}}}},
		{"old packets outside the array", unfenced, Schedule{Initial: Initial{Packets: []Packet{{Key: a, Entry: one(7, 2, 0)}}}}},
		{"residue in another's slots", base(), Schedule{Initial: Initial{Residue: []Residue{{array, 1, 2}}}}},
		{"the next step before this one succeeds", base(), Schedule{Actions: []Action{{Kind: Finish}}}},
		{"an update twice", base(), Schedule{Actions: []Action{{Kind: Apply}, {Kind: Apply}}}},
		{"no such update", base(), Schedule{Actions: []Action{{Kind: Apply, N: 1}}}},
		{"no such late update", base(), Schedule{Actions: []Action{{Kind: Late}}}},
		{"no such packet", base(), Schedule{Actions: []Action{{Kind: Touch, N: 0}}}},
		{"a packet that has left", base(), Schedule{Actions: []Action{
			{Kind: Arrive, Key: a}, {Kind: Apply}, {Kind: Finish}, {Kind: Finish}, {Kind: Touch, N: 0},
		}}},
		{"no such action", base(), Schedule{Actions: []Action{{Kind: 9}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Run(c.plan, c.s); !errors.Is(err, ErrImpossible) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTranslation(t *testing.T) {
	for _, c := range []struct {
		x     Extent
		index uint32
		slot  int64
		hit   bool
	}{
		{Extent{Base: 10, Size: 4, Mask: all}, 3, 13, true},
		{Extent{Base: 10, Size: 4, Mask: all}, 4, 14, false},
		{Extent{Base: 10, Size: 4, Mask: 3}, 7, 13, true},
		{Extent{Base: 10, Size: 0, Mask: 0}, 0, 10, false},
		{Extent{Base: 10, Size: 4, Mask: all}, all, 10 + int64(all), false},
	} {
		if s, hit := c.x.Slot(c.index); s != c.slot || hit != c.hit {
			t.Errorf("%+v at %d: %d, %t; want %d, %t", c.x, c.index, s, hit, c.slot, c.hit)
		}
	}
}
