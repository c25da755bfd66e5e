package gate_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
)

// errEnd is where a controller dies.
var errEnd = errors.New("the controller dies here")

// A replaceFault is something that goes wrong while a program is replaced.
type replaceFault struct {
	name string
	// arm prepares it; fired is to be set when it has happened.
	arm func(c *replaceCampaign, b *bringing)
	// dead: the switch has to be started again, empty, if it happened.
	dead bool
}

// A replaceCampaign takes a switch from one edition to the next and back, with faults on the way, while two tenants send packets that never
// stop. Whatever goes wrong: no packet is answered from a state that is not whole, and the next try brings everything back.
type replaceCampaign struct {
	*rig
	x      *residents
	rnd    *rand.Rand
	fired  atomic.Int64
	cancel context.CancelFunc
}

// stages at which a controller can die without a request under way.
var bringingStages = []string{"opened", "stood", "shut", "held", "proposed", "proved", "cleared"}

// onRequest has f stand before one of the gate's requests that write: the closing, the commit, a restoration, the opening.
func (c *replaceCampaign) onRequest(b *bringing, f func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error)) {
	at, n := 1+c.rnd.IntN(6), 0
	c.faults.setCall(func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
		switch req.(type) {
		case *p4v1.WriteRequest, *p4v1.SetForwardingPipelineConfigRequest:
			if n++; n == at && b.gate != nil {
				return f(ctx, req, handle)
			}
		}
		return handle(ctx, req)
	})
}

var replaceFaults = []replaceFault{
	{name: "controller dies between steps", arm: func(c *replaceCampaign, b *bringing) {
		at := bringingStages[c.rnd.IntN(len(bringingStages))]
		b.at = func(stage string, _ *bringing) error {
			if stage == at {
				c.fired.Add(1)
				return errEnd
			}
			return nil
		}
	}},
	{name: "controller dies during a request", arm: func(c *replaceCampaign, b *bringing) {
		c.onRequest(b, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			c.fired.Add(1)
			c.cancel()
			return handle(ctx, req)
		})
	}},
	{name: "request refused", arm: func(c *replaceCampaign, b *bringing) {
		code := refusals[c.rnd.IntN(len(refusals))]
		c.onRequest(b, func(context.Context, any, grpc.UnaryHandler) (any, error) {
			c.fired.Add(1)
			return nil, fmt.Errorf("injected: %v", code)
		})
	}},
	{name: "request lost", arm: func(c *replaceCampaign, b *bringing) {
		b.conf.Patience = short
		c.onRequest(b, func(ctx context.Context, _ any, _ grpc.UnaryHandler) (any, error) {
			c.fired.Add(1)
			<-ctx.Done()
			return nil, ctx.Err()
		})
	}},
	{name: "answer lost", arm: func(c *replaceCampaign, b *bringing) {
		b.conf.Patience = short
		c.onRequest(b, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			c.fired.Add(1)
			if _, err := handle(ctx, req); err != nil {
				return nil, err
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
	}},
	{name: "half a request", arm: func(c *replaceCampaign, b *bringing) {
		half := c.rnd.Uint64() // an update is carried out if its bit is set
		c.onRequest(b, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			c.faults.set(nil, func(i int, _ *p4v1.Update) error {
				if half>>(i%64)&1 == 0 {
					c.fired.Add(1)
					return errInjected
				}
				return nil
			}, nil)
			return handle(ctx, req)
		})
	}},
	{name: "marker refused", arm: func(c *replaceCampaign, b *bringing) {
		c.faults.set(func(m proto.Message) error {
			if _, ok := m.(*p4v1.PacketOut); ok {
				c.fired.Add(1)
				return errInjected
			}
			return nil
		}, nil, nil)
	}},
	{name: "another master", arm: func(c *replaceCampaign, b *bringing) {
		c.onRequest(b, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			c.fired.Add(1)
			c.election++
			c.outsider(c.election).cancel()
			return handle(ctx, req)
		})
	}},
	{name: "switch dies with what it had", dead: true, arm: func(c *replaceCampaign, b *bringing) {
		// When it has been shut and what it held is in the ledger: before that its content is lost with it, as ever.
		stage := ""
		b.at = func(s string, _ *bringing) error { stage = s; return nil }
		at, n := 1+c.rnd.IntN(5), 0
		c.faults.setCall(func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			switch req.(type) {
			case *p4v1.WriteRequest, *p4v1.SetForwardingPipelineConfigRequest:
				if stage != "cleared" {
					break
				}
				if n++; n >= at {
					c.fired.Add(1)
					return nil, errInjected
				}
			}
			return handle(ctx, req)
		})
	}},
	{name: "a byte changed after the proof", arm: func(c *replaceCampaign, b *bringing) {
		b.at = func(stage string, b *bringing) error {
			if stage == "proved" {
				c.fired.Add(1)
				s := b.in.Steps[c.rnd.IntN(len(b.in.Steps))].Bytes
				s[c.rnd.IntN(len(s))] ^= 1 << c.rnd.IntN(8)
			}
			return nil
		}
	}},
	{name: "clearance expired", arm: func(c *replaceCampaign, b *bringing) {
		b.at = func(stage string, _ *bringing) error {
			if stage == "cleared" {
				c.fired.Add(1)
				c.now = c.now.Add(gate.ClearanceLifetime + time.Second)
			}
			return nil
		}
	}},
	{name: "a solver answers nonsense", arm: func(c *replaceCampaign, b *bringing) {
		b.conf.Decider = &liar{Decider: b.conf.Decider, pick: c.rnd.IntN(1 << 20), a: &attempt{}, lie: func(r *verify.Result) {
			c.fired.Add(1)
			r.Verdict, r.Reason = verify.Error, `unexpected output: "maybe"`
		}}
	}},
	{name: "disk full", arm: func(c *replaceCampaign, b *bringing) {
		from, seen := c.rnd.IntN(24), 0
		b.at = func(stage string, _ *bringing) error {
			if stage == "opened" {
				c.log.OnDisk(func(op, path string) error {
					if seen++; seen <= from || op == "remove" {
						return nil
					}
					c.fired.Add(1)
					return fmt.Errorf("%s %s: %w", op, path, syscall.ENOSPC)
				})
			}
			return nil
		}
	}},
}

// heal brings back what a fault took away.
func (c *replaceCampaign) heal(f *replaceFault, b *bringing) {
	c.faults.set(nil, nil, nil)
	c.faults.setCall(nil)
	if b.gate != nil {
		b.gate.Close()
	}
	if f.dead && c.fired.Load() > 0 {
		c.x.mu.Lock() // its packets, too
		c.stop()
		c.boot()
		c.x.mu.Unlock()
	}
	_ = c.log.Close() // also after a disk that was full
	c.openLedger()
}

func TestReplacementFaults(t *testing.T) {
	n := max(*faultN/8, len(replaceFaults))
	t.Logf("seed %d, %d faults", *seed, n)
	r, x := hosting(t)
	c := &replaceCampaign{rig: r, x: x, rnd: rand.New(rand.NewPCG(*seed, 11))}
	to := []*edition{editionOf(t, ann, bob, cyd), editionOf(t, ann, bob), editionOf(t, dan, bob, ann)}
	tally := map[string]int{}
	at, turn := 0, 0
	for done := 0; done < n; turn++ {
		f := &replaceFaults[turn%len(replaceFaults)]
		b := c.bring(to[at%len(to)])
		c.fired.Store(0)
		f.arm(c, b)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c.cancel = cancel
		var err error
		x.during(func() { err = b.do(ctx) })
		cancel()
		c.heal(f, b)
		if x.err != nil {
			t.Fatalf("after %q: %v", f.name, x.err)
		}
		if c.fired.Load() > 0 {
			done++
			what := "stopped"
			if err == nil {
				what = "went well all the same"
			}
			tally[f.name+": "+what]++
		}
		// Without a fault it goes on, and all is there.
		b = c.bring(to[at%len(to)])
		x.during(func() { err = b.do(t.Context()) })
		if err != nil {
			t.Fatalf("after %q: no recovery: %v", f.name, err)
		}
		if err := x.whole(); err != nil {
			t.Fatalf("after %q: %v (%s)", f.name, err, b.standing.Situation)
		}
		if b.standing != nil {
			tally["went on from a switch that was "+string(b.standing.Situation)]++
		}
		b.gate.Close()
		at++
	}
	for _, k := range slices.Sorted(maps.Keys(tally)) {
		t.Logf("%4d  %s", tally[k], k)
	}
	t.Logf("%d packets passed, %d were dropped", x.passed, x.dropped)
	c.entries()
}
