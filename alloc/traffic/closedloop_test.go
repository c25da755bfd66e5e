package traffic

import (
	"context"
	"hash/crc32"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/sharing"
	"github.com/interlock/interlock/linker/manifest"
	"github.com/interlock/interlock/policy"
)

// memory is one tenant's register memory, folded, with one name in each slot.
type memory struct {
	slots []uint64
	now   alloc.Reading
}

func (m *memory) access(id []byte) {
	m.now.Packets++
	h := crc32.ChecksumIEEE(id)
	name := uint64(crc32.Checksum(id, crc32.MakeTable(crc32.Castagnoli))) | 1<<32
	i := h % uint32(len(m.slots))
	if m.slots[i] == name {
		m.now.Hits++
	}
	m.slots[i] = name
}

// satisfaction runs the default traffic against simulated memories whose sizes a strategy chooses every epoch, and returns the share of
// a tenant's epochs with traffic in which it reached its target, on average over tenants, how many epochs changed something, and how often
// a tenant moved.
func satisfaction(t *testing.T, m *manifest.Manifest, packets []Packet, spec Spec, s alloc.Strategy) (mean float64, changes, moves int) {
	t.Helper()
	tenants, err := alloc.TenantsOf(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	capacity := alloc.CapacityOf(m)
	drf, err := policy.Load("builtin:drf")
	if err != nil {
		t.Fatal(err)
	}
	shares, err := sharing.One(tenants, capacity).Ask(context.Background(), drf)
	if err != nil {
		t.Fatal(err)
	}
	bounds := shares.Bounds[0]
	most := map[uint16]map[alloc.Array]int64{}
	for _, l := range alloc.Limits(tenants, bounds) {
		if most[l.VID] == nil {
			most[l.VID] = map[alloc.Array]int64{}
		}
		most[l.VID][alloc.Array{Control: l.Control, Stage: l.Stage}] = l.Ceiling
	}
	memories, before := map[uint16]*memory{}, map[uint16]alloc.Reading{}
	for _, x := range tenants {
		memories[x.VID] = &memory{}
	}
	layout, moved := alloc.Layout{}, map[uint16]bool{}
	starved := map[uint16]int{}
	satisfied, active := map[uint16]float64{}, map[uint16]float64{}
	reallocate := func(first bool) {
		p := &alloc.Problem{Switches: []alloc.Capacity{capacity}}
		for i, x := range tenants {
			now := memories[x.VID].now
			d := alloc.Difference(before[x.VID], now)
			before[x.VID] = now
			sizes := map[alloc.Array]int64{}
			for a, e := range layout[x.VID] {
				sizes[a] = e.Size
			}
			if d.Packets > 0 && x.Target > 0 && !first {
				active[x.VID]++
				if float64(d.Hits) >= x.Target*float64(d.Packets) {
					satisfied[x.VID]++
				}
			}
			p.Tenants = append(p.Tenants, alloc.TenantState{Name: x.Name, Target: x.Target, Starved: starved[x.VID], On: []alloc.Presence{{
				Ladder: x.Ladder, Floor: bounds[i].Floor, Share: bounds[i].Share, Ceiling: bounds[i].Ceiling,
				Level: x.Ladder.Level(sizes), New: first, Unknown: moved[x.VID], Packets: d.Packets, Hits: d.Hits,
			}}})
		}
		choices, err := s.Allocate(p)
		if err != nil {
			t.Fatal(err)
		}
		want := map[uint16]map[alloc.Array]int64{}
		for i, x := range tenants {
			pr := p.Tenants[i].On[0]
			starved[x.VID]++
			if choices[i].Granted || float64(pr.Hits) >= x.Target*float64(pr.Packets) {
				starved[x.VID] = 0
			}
			want[x.VID] = map[alloc.Array]int64{}
			for j, r := range x.Ladder.Registers {
				want[x.VID][r.Array] = x.Ladder.Rungs[choices[i].Levels[0]].Sizes[j]
			}
		}
		placed, err := alloc.Place(capacity, layout, want, most)
		if err != nil {
			t.Fatal(err)
		}
		moves += len(placed.Moved)
		if !reflect.DeepEqual(layout, placed.Layout) {
			changes++
		}
		clear(moved)
		for _, v := range placed.Moved {
			moved[v] = true
		}
		for _, x := range tenants {
			a := x.Ladder.Registers[0].Array
			old, next, mem := layout[x.VID][a], placed.Layout[x.VID][a], memories[x.VID]
			slots := make([]uint64, next.Size)
			if old.Base == next.Base {
				copy(slots, mem.slots)
			}
			mem.slots = slots
		}
		layout = placed.Layout
	}
	reallocate(true)
	const epoch = 500 * time.Millisecond
	end := epoch
	kinds := map[uint16]Tenant{} // by the port where requests come in
	for _, x := range spec.Tenants {
		kinds[x.Near] = x
		if x.Kind == Flows {
			kinds[x.Far] = x
		}
	}
	for _, p := range packets {
		for p.At >= end {
			reallocate(false)
			end += epoch
		}
		switch x := kinds[p.Port]; x.Kind {
		case KeyValue:
			memories[x.VID].access(p.Data[47:55])
		case Flows:
			memories[x.VID].access(append([]byte{p.Data[27]}, p.Data[30:42]...))
		}
	}
	for v, n := range active {
		mean += satisfied[v] / n / float64(len(active))
	}
	return mean, changes, moves
}

// In the default scenario the default strategy satisfies tenants more often than equal parts do.
func TestDefaultStrategyBeatsEqualParts(t *testing.T) {
	m, err := manifest.Load(filepath.Join("..", "..", "linker", "testdata", "quickstart", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	spec := quickstart(t, 20*time.Second, 0.6)
	packets := all(t, spec)
	ratio := map[string]float64{}
	for _, s := range alloc.Strategies() {
		var changes, moves int
		ratio[s.Name()], changes, moves = satisfaction(t, m, packets, spec, s)
		t.Logf("%-12s satisfies %.3f with %d reallocations and %d moves", s.Name(), ratio[s.Name()], changes, moves)
	}
	best := alloc.Strategies()[0].Name()
	for name, r := range ratio {
		if name != best && r > ratio[best] {
			t.Errorf("%s satisfies %.3f, %s only %.3f", name, r, best, ratio[best])
		}
	}
}
