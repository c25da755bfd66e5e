package gate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"

	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify/replace"
)

// errEnd is where a controller dies.
var errEnd = errors.New("the controller dies here")

// A replaceCampaign takes a switch from one edition to the next and back, with faults on the way, while two tenants send packets that never
// stop. Whatever goes wrong: no packet is answered from a state that is not whole, and the next try brings everything back.
type replaceCampaign struct {
	*rig
	x   *residents
	rnd *rand.Rand
	a   *attempt // under way
	// from is how often a replacement went on from where.
	from map[gate.Situation]int
}

// stages at which a controller can die without a request under way.
var bringingStages = []string{"opened", "stood", "shut", "held", "proposed", "proved", "cleared"}

// onRequest has f stand before one of the gate's requests that write, if it is the closing or such a step: one that will come.
func (c *replaceCampaign) onRequest(b *bringing, is func(replace.Step) bool, f func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error)) {
	before := func(at int) {
		n := 0
		c.faults.setCall(func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			switch req.(type) {
			case *p4v1.WriteRequest, *p4v1.SetForwardingPipelineConfigRequest:
				if n++; n == at {
					return f(ctx, req, handle)
				}
			}
			return handle(ctx, req)
		})
	}
	closing, pick := c.rnd.IntN(5) == 0, c.rnd.IntN(1<<20)
	b.at = func(stage string, b *bringing) error {
		switch {
		case stage == "stood" && closing:
			before(1)
		case stage == "proposed" && c.a.fired.Load() == 0:
			var those []int
			for i, s := range b.in.Steps {
				if is(s) {
					those = append(those, i+1)
				}
			}
			before(those[pick%len(those)])
		}
		return nil
	}
}

func anyStep(replace.Step) bool     { return true }
func writeStep(s replace.Step) bool { return s.Kind == replace.Write }

// heal brings back what a fault took away.
func (c *replaceCampaign) heal(f *fault, b *bringing) {
	c.faults.set(nil, nil, nil)
	c.faults.setCall(nil)
	if b.gate != nil {
		b.gate.Close()
	}
	if f.dies && c.a.fired.Load() > 0 {
		c.x.mu.Lock() // its packets, too
		c.stop()
		c.boot()
		c.x.mu.Unlock()
	}
	_ = c.log.Close() // also after a disk that was full
	c.openLedger()
}

func TestReplacementFaults(t *testing.T) {
	kinds, want := kindsOf((*fault).inReplacements), max(*faultN/10, 12)
	t.Logf("seed %d, %d faults", *seed, want)
	total, from, passed, dropped := newCounts(t, kinds), map[gate.Situation]int{}, 0, 0
	for s := *seed; total.injected < want; s++ {
		ok := t.Run(fmt.Sprintf("seed %d", s), func(t *testing.T) {
			r, x := hosting(t)
			c := &replaceCampaign{rig: r, x: x, rnd: rand.New(rand.NewPCG(s, 11)), from: from}
			counts := c.run(kinds, min(perCampaign, want-total.injected))
			total.join(counts)
			passed, dropped = passed+x.passed, dropped+x.dropped
		})
		if !ok {
			t.Fatalf("run it again with -seed %d -run TestReplacementFaults -faults %d", s, perCampaign*10)
		}
	}
	total.report(fmt.Sprintf("replacements went on from: %v; %d packets passed, %d were dropped", from, passed, dropped))
}

// run goes from edition to edition until n faults have happened.
func (c *replaceCampaign) run(kinds []*fault, n int) *counts {
	t, x, counts := c.t, c.x, newCounts(c.t, kinds)
	to := []*edition{editionOf(t, ann, bob, cyd), editionOf(t, ann, bob), editionOf(t, dan, bob, ann)}
	kinds = slices.Clone(kinds)
	c.rnd.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for turn := 0; counts.injected < n; turn++ {
		f, e := kinds[turn%len(kinds)], to[turn%len(to)]
		b := c.bring(e)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c.a = &attempt{kind: f, ctx: ctx, cancel: cancel}
		f.replace(c, b)
		var err error
		x.during(func() { err = b.do(ctx) })
		cancel()
		c.heal(f, b)
		if x.err != nil {
			t.Fatalf("after %q: %v", f.name, x.err)
		}
		if c.a.fired.Load() > 0 {
			outcome := "stopped"
			if err == nil {
				outcome = "went well all the same"
			}
			if err == nil && f.fatal {
				t.Fatalf("%s: nothing failed", f.name)
			}
			counts.add(f, outcome)
		}
		// Without a fault it goes on, and all is there.
		b = c.bring(e)
		x.during(func() { err = b.do(t.Context()) })
		if err != nil {
			t.Fatalf("after %q: no recovery: %v", f.name, err)
		}
		if err := x.whole(); err != nil {
			t.Fatalf("after %q: %v (%s)", f.name, err, b.standing.Situation)
		}
		if b.standing != nil {
			c.from[b.standing.Situation]++
		}
		b.gate.Close()
	}
	c.entries()
	return counts
}
