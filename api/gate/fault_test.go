package gate_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
)

var (
	seed   = flag.Uint64("seed", 1, "seed of random faults")
	rounds = flag.Int("rounds", 80, "reallocations with a fault each")
)

// traffic is tenants that use their memory all the time and hold the switch to what it owes them: nobody finds what another
// wrote (M1, M2), and while the generation stays what one wrote is there (M5).
type traffic struct {
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
			if x.step(); n%32 == 0 {
				time.Sleep(200 * time.Microsecond) // leave the gate a share of the machine
			}
		}
	}()
	f()
	stop.Store(true)
	<-done
}

// forget drops what is known of a tenant whose entry is gone: the next one starts with generation 0 again.
func (x *traffic) forget(vid uint16) {
	maps.DeleteFunc(x.wrote, func(p place, _ written) bool { return p.vid == vid })
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

// Faults at random moments of random reallocations, while the tenants' packets never stop. Whatever goes wrong, the page tables
// stay safe, tenants find what they are owed, and the next plan starts from what is there.
func TestRandomFaults(t *testing.T) {
	t.Logf("seed %d, %d rounds", *seed, *rounds)
	rnd := rand.New(rand.NewPCG(*seed, 0))
	r := newSlots(t)
	x := &traffic{r: r, rnd: rand.New(rand.NewPCG(*seed, 1)), wrote: map[place]written{}}
	tally := map[string]int{}
	encoder := plan.NewEncoder(1)
	var last verify.Digest // the state that the last outcome in the ledger left
	pool := solver(t, "z3")
	kinds := []string{
		"none", "update refused", "request refused", "answer is an error", "answer late", "marker lost", "interrupted", "mastership lost",
		"switch restarts", "byte changed", "step left out", "steps exchanged", "clearance reused", "eviction", "eviction in the middle",
	}
	for round := range *rounds {
		kind := kinds[rnd.IntN(len(kinds))]
		conf := r.config()
		if kind == "answer late" {
			conf.Patience = 50 * time.Millisecond
		}
		r.election++
		g, err := gate.Open(t.Context(), conf, r.election)
		if err != nil {
			t.Fatal(err)
		}
		if recovered, err := g.Recover(t.Context(), last, 0); err != nil {
			t.Fatal(err)
		} else if recovered {
			tally["recovered"]++
		}
		if r.log.Size() > 0 {
			last = r.stateDigest()
		}
		pre, tables := r.state()
		in, err := r.context(g.ElectionID()).Build(pre, r.goal(tables, randomLayout(rnd)), false)
		if err != nil {
			t.Fatal(err)
		}
		if in == nil {
			g.Close()
			continue
		}
		at := 1 + rnd.IntN(len(in.Steps))
		sent := 0
		count := func(proto.Message) error { sent++; return nil }
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		fail := func(format string, args ...any) {
			t.Helper()
			t.Fatalf("round %d, %s at step %d of %d: %s", round, kind, at, len(in.Steps), fmt.Sprintf(format, args...))
		}
		mayBeRefused, mustFail, mustSendNothing := false, false, false
		restarted := false
		switch kind {
		case "none":
			r.faults.set(count, nil, nil)
		case "update refused":
			victim, n := rnd.IntN(60), 0
			r.faults.set(count, func(int, *p4v1.Update) error {
				if n++; n == victim+1 {
					return status.Error(codes.Internal, "injected")
				}
				return nil
			}, nil)
		case "request refused":
			mustFail = in.Steps[at-1].Kind == plan.Write
			r.faults.set(atStep(at, func(m proto.Message) error {
				if _, marker := m.(*p4v1.PacketOut); marker {
					return nil // that is another fault
				}
				return status.Error(codes.Internal, "injected")
			}), nil, nil)
		case "answer is an error", "answer late":
			writes := 0
			for _, s := range in.Steps {
				if s.Kind == plan.Write {
					writes++
				}
			}
			mustFail = true
			r.faults.set(nil, nil, atStep(1+rnd.IntN(writes), func(proto.Message) error {
				if kind == "answer late" {
					time.Sleep(75 * time.Millisecond)
					return nil
				}
				return status.Error(codes.Unavailable, "injected")
			}))
		case "marker lost":
			mustFail = true
			var stop context.CancelFunc
			ctx, stop = context.WithTimeout(ctx, 100*time.Millisecond+time.Duration(len(in.Steps))*20*time.Millisecond)
			defer stop()
			n := 0
			r.faults.set(func(m proto.Message) error {
				if _, marker := m.(*p4v1.PacketOut); marker {
					if n++; n == 1 {
						return status.Error(codes.Internal, "injected")
					}
				}
				return nil
			}, nil, nil)
		case "interrupted":
			mustFail = at < len(in.Steps)
			r.faults.set(atStep(at, func(proto.Message) error { cancel(); return nil }), nil, nil)
		case "mastership lost":
			r.faults.set(atStep(at, func(proto.Message) error {
				r.election++
				r.outsider(r.election).cancel()
				return nil
			}), nil, nil)
		case "switch restarts":
			mustFail, restarted = true, true
			dead := make(chan struct{})
			r.faults.set(atStep(at, func(proto.Message) error {
				go func() { r.stop(); close(dead) }()
				<-ctx.Done()
				return ctx.Err()
			}), nil, nil)
			go func() { <-dead; cancel() }()
		case "byte changed":
			mustSendNothing = true
			r.faults.set(count, nil, nil)
		case "step left out":
			mayBeRefused = true
			in.Steps = slices.Delete(slices.Clone(in.Steps), at-1, at)
			r.faults.set(count, nil, nil)
		case "steps exchanged":
			mayBeRefused = true
			in.Steps = slices.Clone(in.Steps)
			o := rnd.IntN(len(in.Steps))
			in.Steps[at-1], in.Steps[o] = in.Steps[o], in.Steps[at-1]
			r.faults.set(count, nil, nil)
		case "eviction in the middle":
			r.faults.set(atStep(at, func(proto.Message) error { return status.Error(codes.Internal, "injected") }), nil, nil)
		}
		outcome := "applied"
		x.during(func() {
			proof, err := gate.ProvePlan(t.Context(), encoder, pool, in, []string{"z3"}, r.now, nil)
			if err != nil {
				if !mayBeRefused {
					fail("prove: %v", err)
				}
				outcome = "not a plan"
				return
			}
			if kind == "byte changed" {
				in = clonePlan(in)
				s := in.Steps[at-1].Bytes
				s[rnd.IntN(len(s))] ^= 1 << rnd.IntN(8)
			}
			c, err := g.ClearProvedPlan(t.Context(), in, proof)
			switch {
			case errors.Is(err, verify.ErrRefuted) && mayBeRefused:
				outcome, mustSendNothing = "refuted", true
			case errors.Is(err, gate.ErrTampered) && kind == "byte changed":
				outcome = "tampered"
			case err != nil:
				fail("clear: %v", err)
			default:
				out, err := g.Apply(ctx, c)
				if err != nil {
					outcome = fmt.Sprintf("stopped after %d of %d", out.Steps, len(in.Steps))
				}
				if mustFail && err == nil {
					fail("nothing failed")
				}
				if kind == "none" && err != nil {
					fail("%v", err)
				}
				if kind == "clearance reused" {
					before := sent
					if _, err := g.Apply(ctx, c); !errors.Is(err, gate.ErrUsed) || sent != before {
						fail("a second use: %v", err)
					}
				}
			}
		})
		cancel()
		if x.err != nil {
			fail("a tenant: %v", x.err)
		}
		if mustSendNothing && sent > 0 {
			fail("%d requests were sent", sent)
		}
		r.faults.set(nil, nil, nil)
		if kind == "eviction" || kind == "eviction in the middle" {
			v := tenants[rnd.IntN(len(tenants))]
			x.during(func() {
				if _, err := g.Evict(t.Context(), v.Name, v.VID); err != nil {
					fail("evict: %v", err)
				}
			})
			if _, tables := r.state(); tables[keyOf(v.VID)] != nil {
				fail("%s is still there", v.Name)
			}
			x.forget(v.VID)
		}
		if strings.HasPrefix(outcome, "stopped") { // an unanswered request may have been carried out after the gate read back
			last = r.lastState()
		} else {
			last = r.stateDigest()
		}
		if restarted {
			r.stop()
			r.boot()
			r.install()
			for _, v := range tenants {
				x.forget(v.VID)
			}
		}
		g.Close()
		b, tables := r.state()
		if err := unsafe(b, slotsOf); err != nil {
			fail("not safe: %v", err)
		}
		if outcome == "applied" && kind != "eviction" {
			if err := reached(tables, in.Goal); err != nil {
				fail("%v", err)
			}
		}
		if strings.HasPrefix(outcome, "stopped") {
			outcome = "stopped"
		}
		tally[kind+": "+outcome]++
	}
	for _, k := range slices.Sorted(maps.Keys(tally)) {
		t.Logf("%4d  %s", tally[k], k)
	}
	t.Logf("%d packets, %d hits, %d ledger entries", x.packets, x.hits, r.log.Size())
	if x.hits < *rounds*10 {
		t.Error("there was hardly any traffic")
	}
	r.entries()
}

func reached(tables alloc.Tables, goal []plan.Extent) error {
	for _, e := range goal {
		if m := tables[keyOf(e.VID)]; m == nil || m[e.Stage].Base != e.Base || m[e.Stage].Size != e.Size {
			return fmt.Errorf("VID %d has %v, not the plan's goal", e.VID, m)
		}
	}
	return nil
}

func clonePlan(in *plan.Input) *plan.Input {
	c := *in
	c.Steps = slices.Clone(in.Steps)
	for i := range c.Steps {
		c.Steps[i].Bytes = bytes.Clone(c.Steps[i].Bytes)
	}
	return &c
}
