package gate_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/verify/plan"
)

var (
	seed   = flag.Uint64("seed", 1, "seed of random faults")
	faultN = flag.Int("faults", 100, "how many random faults to inject")
)

// traffic is tenants that use their memory all the time and hold the switch to what it owes them: nobody finds what another
// wrote (M1, M2), and while the generation stays what one wrote is there (M5).
type traffic struct {
	mu      sync.Mutex
	r       *rig
	rnd     *rand.Rand
	wrote   map[place]written
	counter uint16
	packets int
	hits    int
	err     error
}

type place struct {
	vid   uint16
	stage byte
	index uint32
}

type written struct {
	value      uint32
	generation uint16
}

func (x *traffic) step() {
	x.mu.Lock()
	defer x.mu.Unlock()
	t := tenants[x.rnd.IntN(len(tenants))]
	p := place{t.VID, byte(x.rnd.IntN(2)), uint32(x.rnd.IntN(50))}
	x.counter++
	write, value := x.rnd.IntN(2) == 0, uint32(p.vid)<<16|uint32(x.counter)
	found, hit, generation := x.r.access(p.vid, write, p.stage, p.index, value)
	x.packets++
	last, known := x.wrote[p]
	switch {
	case !hit && found != 0:
		x.err = fmt.Errorf("%+v: a miss gives %#x", p, found)
	case hit && found != 0 && found>>16 != uint32(p.vid):
		x.err = fmt.Errorf("%+v: found %#x, which VID %d wrote", p, found, found>>16)
	case hit && known && last.generation == generation && found != last.value:
		x.err = fmt.Errorf("%+v: found %#x, wrote %#x, and the generation is still %d", p, found, last.value, generation)
	}
	if hit {
		x.hits++
		if write {
			x.wrote[p] = written{value, generation}
		}
	}
}

// during runs traffic while f does.
func (x *traffic) during(f func()) {
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; !stop.Load() && x.err == nil; n++ {
			if x.step(); n%8 == 0 {
				time.Sleep(200 * time.Microsecond) // leave the gate a share of the machine
			}
		}
	}()
	f()
	stop.Store(true)
	<-done
}

// forget drops what is known: somebody took tenants' entries away, and the next ones start with generation 0 again.
func (x *traffic) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	clear(x.wrote)
}

// randomLayout gives every tenant disjoint extents, in random order and with gaps; some get none.
func randomLayout(rnd *rand.Rand) layout {
	l := layout{}
	for stage := range 2 {
		at := int64(0)
		for _, i := range rnd.Perm(len(tenants)) {
			free := int64(slotsOf[stage]) - at
			gap := rnd.Int64N(free/4 + 1)
			size := rnd.Int64N(free - gap + 1)
			if rnd.IntN(3) > 0 {
				size /= 2
			}
			e := l[tenants[i].VID]
			if size > 0 {
				e[stage] = alloc.Extent{Base: at + gap, Size: size}
			}
			l[tenants[i].VID] = e
			at += gap + size
		}
	}
	return l
}

func clonePlan(in *plan.Input) *plan.Input {
	c := *in
	c.Steps = slices.Clone(in.Steps)
	for i := range c.Steps {
		c.Steps[i].Bytes = bytes.Clone(c.Steps[i].Bytes)
	}
	return &c
}
