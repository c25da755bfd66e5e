package gate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
)

// short is a gate's patience where an answer never comes. Other requests may take longer than that on a busy machine: then more goes
// wrong than was injected, which must be safe too.
const short = 40 * time.Millisecond

var errInjected = status.Error(codes.Internal, "injected")

// refusals are the codes that a request or an update is refused with.
var refusals = []codes.Code{
	codes.Unknown, codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied, codes.ResourceExhausted,
	codes.FailedPrecondition, codes.Aborted, codes.OutOfRange, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss,
}

func (c *campaign) refusal() error {
	return status.Error(refusals[c.rnd.IntN(len(refusals))], "injected")
}

// noFault is what has to go well.
var noFault = fault{name: "none"}

var faultKinds = []fault{
	{name: "updates refused", fatal: true, arm: func(c *campaign, a *attempt) {
		err, n, in := c.refusal(), 1+c.rnd.IntN(3), c.rnd.IntN(24)
		seen := 0
		c.faults.set(nil, func(int, *p4v1.Update) error {
			if seen++; seen > in && seen <= in+n {
				a.fire()
				return err
			}
			return nil
		}, nil)
	}},
	{name: "half a batch", fatal: true, arm: func(c *campaign, a *attempt) {
		half := c.rnd.Uint64() // an update is carried out if its bit is set
		c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			c.faults.set(nil, func(i int, _ *p4v1.Update) error {
				if half>>(i%64)&1 == 0 {
					a.fire()
					return errInjected
				}
				return nil
			}, nil)
			return handle(ctx, req)
		})
	}},
	{name: "request refused", fatal: true, arm: func(c *campaign, a *attempt) {
		err := c.refusal()
		c.onWrite(a, func(context.Context, any, grpc.UnaryHandler) (any, error) {
			a.fire()
			return nil, err
		})
	}},
	{name: "request lost", patience: short, fatal: true, arm: func(c *campaign, a *attempt) {
		c.onWrite(a, func(ctx context.Context, _ any, _ grpc.UnaryHandler) (any, error) {
			a.fire()
			<-ctx.Done()
			return nil, ctx.Err()
		})
	}},
	{name: "answer lost", patience: short, fatal: true, arm: func(c *campaign, a *attempt) {
		c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			a.fire()
			_, err := handle(ctx, req)
			<-ctx.Done()
			return nil, errors.Join(err, ctx.Err())
		})
	}},
	{name: "answer is an error", fatal: true, arm: func(c *campaign, a *attempt) {
		refused := c.refusal()
		c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			a.fire()
			_, err := handle(ctx, req)
			return nil, errors.Join(refused, err)
		})
	}},
	{name: "carried out late", patience: short, fatal: true, arm: func(c *campaign, a *attempt) {
		c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			a.fire()
			a.held.Add(1)
			defer a.held.Done()
			<-ctx.Done() // the gate gives up, and may be reading back
			_, err := handle(context.WithoutCancel(ctx), req)
			return nil, errors.Join(ctx.Err(), err) // an answer could overtake the end of its patience
		})
	}},
	{name: "answered late, with the switch held up", patience: short, fatal: true, arm: func(c *campaign, a *attempt) {
		c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			c.faults.set(nil, nil, func(proto.Message) error {
				a.fire()
				<-ctx.Done() // nothing else is served meanwhile
				return ctx.Err()
			})
			return handle(ctx, req)
		})
	}},
	{
		name: "comes after the next master", patience: short, fatal: true,
		arm: func(c *campaign, a *attempt) {
			c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
				a.fire()
				a.held.Add(1)
				defer a.held.Done()
				<-a.release
				resp, err := handle(context.WithoutCancel(ctx), req)
				if err == nil {
					c.t.Error("a request of a controller that lost mastership was carried out")
				}
				return resp, err
			})
		},
		after: func(c *campaign, a *attempt) { c.election++; c.outsider(c.election).cancel() },
	},
	{
		name: "cut off in the middle of a request", fatal: true,
		arm: func(c *campaign, a *attempt) {
			at := c.rnd.IntN(8)
			c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
				c.faults.set(nil, func(i int, _ *p4v1.Update) error {
					if i < at && i+1 < len(req.(*p4v1.WriteRequest).GetUpdates()) {
						return nil
					}
					if a.fired.Load() == 0 {
						a.fire()
						go c.unplug()
						<-ctx.Done()
						a.cancel()
					}
					return errInjected
				}, nil)
				return handle(ctx, req)
			})
		},
		after: func(c *campaign, a *attempt) { c.down = a.fired.Load() > 0; c.settle(a) },
	},
	{
		name: "switch dies and restarts empty", fatal: true,
		arm: func(c *campaign, a *attempt) {
			c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
				a.fire()
				if c.rnd.IntN(2) == 0 {
					if _, err := handle(ctx, req); err != nil {
						return nil, err
					}
				}
				go c.unplug()
				<-ctx.Done()
				a.cancel()
				return nil, ctx.Err()
			})
		},
		after: func(c *campaign, a *attempt) { c.dead = a.fired.Load() > 0; c.settle(a) },
	},
	{
		name: "switch restarted since the proof", fatal: true, nothing: true,
		cleared: func(c *campaign, a *attempt) { a.fire(); c.dead = true; c.heal() },
	},
	{name: "marker refused", fatal: true, arm: func(c *campaign, a *attempt) {
		c.onMarker(func() error { a.fire(); return errInjected })
	}},
	{name: "marker lost", fatal: true, arm: func(c *campaign, a *attempt) {
		c.onMarker(func() error {
			a.fire()
			go func() { time.Sleep(time.Millisecond); a.cancel() }() // the fence's own limit is seconds
			<-a.release
			return errInjected
		})
	}},
	{name: "interrupted", arm: func(c *campaign, a *attempt) {
		c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			a.fire()
			a.cancel()
			return handle(ctx, req)
		})
	}},
	{name: "another master", fatal: true, arm: func(c *campaign, a *attempt) {
		c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			a.fire()
			c.election++
			c.outsider(c.election).cancel()
			return handle(ctx, req)
		})
	}},
	{name: "changed behind our back, before", fatal: true, nothing: true, cleared: func(c *campaign, a *attempt) { c.meddle(a) }},
	{name: "changed behind our back, on the way", fatal: true, arm: func(c *campaign, a *attempt) {
		c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			c.meddle(a)
			return handle(ctx, req)
		})
	}},
	{
		name: "left unsafe by somebody else", fatal: true, nothing: true,
		cleared: func(c *campaign, a *attempt) {
			c.behindOurBack(func(o *outsider, tables alloc.Tables) {
				for _, v := range tenants[:2] {
					kind := p4v1.Update_INSERT
					if tables[keyOf(v.VID)] != nil {
						kind = p4v1.Update_MODIFY
					}
					e := alloc.Entry{{Base: int64(v.VID) % 7, Size: 20, Mask: ^uint32(0)}, {Mask: ^uint32(0)}}
					o.write(c.entryUpdate(kind, v.VID, e))
				}
			})
			c.unsound = true
			a.fire()
		},
		after: func(c *campaign, a *attempt) {
			if !c.unsound {
				return
			}
			if b, _ := c.state(); unsafe(b, slotsOf) == nil {
				c.t.Error("the oracle does not see that two tenants share slots")
			}
			rescue := &attempt{kind: &noFault, conf: c.config(), ctx: c.t.Context()}
			rescue.conf.Decider, rescue.conf.Required, rescue.conf.Policy, rescue.conf.Limits = nil, nil, "", nil
			if err := c.try(rescue, nil); err != nil {
				c.t.Errorf("no eviction: %v", err)
			}
			rescue.g.Close()
		},
	},
	{name: "byte changed", fatal: true, nothing: true, proved: func(c *campaign, a *attempt) {
		a.fire()
		a.in = clonePlan(a.in)
		s := a.in.Steps[c.rnd.IntN(len(a.in.Steps))].Bytes
		s[c.rnd.IntN(len(s))] ^= 1 << c.rnd.IntN(8)
	}, refuses: refusedWith(gate.ErrTampered)},
	{name: "step left out", plan: func(c *campaign, a *attempt) {
		a.fire()
		at := c.rnd.IntN(len(a.in.Steps))
		a.in.Steps = slices.Delete(slices.Clone(a.in.Steps), at, at+1)
	}},
	{name: "steps exchanged", plan: func(c *campaign, a *attempt) {
		a.fire()
		i, j := c.rnd.IntN(len(a.in.Steps)), c.rnd.IntN(len(a.in.Steps))
		a.in.Steps = slices.Clone(a.in.Steps)
		a.in.Steps[i], a.in.Steps[j] = a.in.Steps[j], a.in.Steps[i]
	}},
	{name: "clearance used twice", after: func(c *campaign, a *attempt) {
		if a.clear == nil {
			return
		}
		a.fire()
		sent := len(c.w.sent)
		if _, err := a.g.Apply(c.t.Context(), a.clear); !errors.Is(err, gate.ErrUsed) || len(c.w.sent) != sent {
			c.t.Errorf("a second use: %v", err)
		}
	}},
	{
		name: "clearance expired", fatal: true, nothing: true, refuses: refusedWith(gate.ErrUsed),
		cleared: func(c *campaign, a *attempt) { a.fire(); c.now = c.now.Add(gate.ClearanceLifetime + time.Second) },
	},
	{
		name: "clearance of an earlier master", fatal: true, nothing: true, refuses: refusedWith(gate.ErrUsed),
		cleared: func(c *campaign, a *attempt) {
			a.fire()
			a.g.Close()
			c.election++
			g, err := gate.Open(a.ctx, a.conf, c.election)
			if err != nil {
				c.t.Fatal(err)
			}
			a.g = g
		},
	},
	{name: "disk full before the proof is published", proved: (*campaign).fullDisk},
	{name: "disk full before the outcome is published", cleared: (*campaign).fullDisk},
	{name: "disk full before anything", open: (*campaign).fullDisk},
	{name: "disk fails once", proved: func(c *campaign, a *attempt) { c.failDisk(a, c.rnd.IntN(16), 1, syscall.EIO) }},
	{
		name: "no ledger", fatal: true, nothing: true,
		proved: func(c *campaign, a *attempt) { a.fire(); c.disk = true; c.log.Close() },
	},
	{name: "no ledger for the outcome", fatal: true, cleared: func(c *campaign, a *attempt) { a.fire(); c.disk = true; c.log.Close() }},
	wrongSolver("a solver dies", func(r *verify.Result) { r.Verdict, r.Reason = verify.Error, "the solver died: signal: killed" }),
	wrongSolver("a solver hangs", func(r *verify.Result) { r.Verdict, r.Reason = verify.Unknown, "limit: no answer within 1m0s" }),
	wrongSolver("a solver exceeds memory", func(r *verify.Result) { r.Verdict, r.Reason = verify.Unknown, "memory: std::bad_alloc" }),
	wrongSolver("a solver answers nonsense", func(r *verify.Result) { r.Verdict, r.Reason = verify.Error, `unexpected output: "maybe"` }),
	wrongSolver("a solver invents a verdict", func(r *verify.Result) { r.Verdict = "yes" }),
	wrongSolver("a solver answers to another text", func(r *verify.Result) { r.Text = verify.DigestOf([]byte("another")) }),
	wrongSolver("a solver answers to another guard", func(r *verify.Result) { r.GuardText = verify.DigestOf([]byte("another")) }),
	wrongSolver("a solver leaves an answer out", func(r *verify.Result) { r.Obligation = "none" }),
	wrongSolver("a solver is not the required one", func(r *verify.Result) { r.Solver = "other" }),
	{
		name: "solvers disagree", fatal: true, nothing: true, refuses: refusedWith(verify.ErrDisagree),
		open: func(c *campaign, a *attempt) {
			a.conf.Required = []string{"z3", "second"}
			a.conf.Decider = &liar{Decider: a.conf.Decider, second: true, pick: c.rnd.IntN(1 << 20), a: a, lie: func(r *verify.Result) {
				r.Verdict = verify.Refuted
			}}
		},
		after: func(c *campaign, a *attempt) { c.keptRefused(a) },
	},
	{
		name: "evicted", open: func(_ *campaign, a *attempt) {},
		after: func(c *campaign, a *attempt) { c.evict(a, nil) },
	},
	{name: "evicted after a failure", fatal: true, arm: func(c *campaign, a *attempt) {
		c.onWrite(a, func(context.Context, any, grpc.UnaryHandler) (any, error) { a.fire(); return nil, errInjected })
	}, after: func(c *campaign, a *attempt) { c.evict(a, nil) }},
	{name: "eviction not answered", patience: short, after: func(c *campaign, a *attempt) {
		handled := c.rnd.IntN(2) == 0
		c.evict(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			if handled {
				if _, err := handle(ctx, req); err != nil {
					return nil, err
				}
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
	}},
	{name: "eviction refused", after: func(c *campaign, a *attempt) {
		err := c.refusal()
		c.evict(a, func(context.Context, any, grpc.UnaryHandler) (any, error) { return nil, err })
	}},
	{name: "eviction on a full disk", after: func(c *campaign, a *attempt) {
		c.failDisk(a, c.rnd.IntN(20), 1<<30, syscall.ENOSPC)
		c.evict(a, nil)
	}},
}

// onWrite has f stand between the network and one of the gate's write requests, chosen at random.
func (c *campaign) onWrite(a *attempt, f func(context.Context, any, grpc.UnaryHandler) (any, error)) {
	writes := 0
	for _, s := range a.in.Steps {
		if s.Kind == plan.Write {
			writes++
		}
	}
	at := int64(1 + c.rnd.IntN(max(writes, 1)))
	id := a.g.ElectionID()
	c.faults.setCall(func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
		if w, ok := req.(*p4v1.WriteRequest); ok && w.GetElectionId().GetLow() == id && a.seen.Add(1) == at {
			return f(ctx, req, handle)
		}
		return handle(ctx, req)
	})
}

// onMarker has f stand before one of the plan's fences.
func (c *campaign) onMarker(f func() error) {
	at, n := 1+c.rnd.IntN(2), 0
	c.faults.set(func(m proto.Message) error {
		if _, ok := m.(*p4v1.PacketOut); ok {
			if n++; n == at {
				return f()
			}
		}
		return nil
	}, nil, nil)
}

// settle waits until a switch that is being taken off the network has ended every request, and so nothing of it happens any more.
func (c *campaign) settle(a *attempt) {
	if a.fired.Load() > 0 {
		c.unplug()
	}
}

// meddle is another controller that takes mastership and takes something from a tenant.
func (c *campaign) meddle(a *attempt) {
	c.behindOurBack(func(o *outsider, tables alloc.Tables) {
		keys := tables.Keys()
		if len(keys) == 0 { // nothing to take, and to give would be to let a tenant find what others left
			return
		}
		k := keys[c.rnd.IntN(len(keys))]
		e := slices.Clone(tables[k])
		if c.rnd.IntN(2) == 0 {
			o.write(c.entryUpdate(p4v1.Update_DELETE, k.VID, e))
		} else {
			e[0].Generation += 7
			e[1].Size /= 2
			o.write(c.entryUpdate(p4v1.Update_MODIFY, k.VID, e))
		}
		a.fire()
	})
}

// fullDisk makes every operation of the ledger fail from one on.
func (c *campaign) fullDisk(a *attempt) { c.failDisk(a, c.rnd.IntN(16), 1<<30, syscall.ENOSPC) }

func (c *campaign) failDisk(a *attempt, from, n int, err error) {
	seen := 0
	c.disk = true
	_ = c.log.Publish() // it may have failed before
	var mu sync.Mutex
	c.log.OnDisk(func(op, path string) error {
		mu.Lock()
		defer mu.Unlock()
		seen++
		if seen <= from || seen > from+n {
			return nil
		}
		if op != "remove" { // a file that is not needed any more may stay
			a.fire()
		}
		return fmt.Errorf("%s %s: %w", op, path, err)
	})
}

// evict evicts a tenant, by a gate without solver and policy, under a fault if there is one.
func (c *campaign) evict(a *attempt, call func(context.Context, any, grpc.UnaryHandler) (any, error)) {
	c.faults.set(nil, nil, nil)
	c.faults.setCall(nil)
	v := tenants[c.rnd.IntN(len(tenants))]
	if a.g != nil {
		a.g.Close()
	}
	conf := c.config()
	conf.Decider, conf.Required, conf.Policy, conf.Limits, conf.Patience = nil, nil, "", nil, a.conf.Patience
	c.election++
	g, err := gate.Open(c.t.Context(), conf, c.election)
	if err != nil {
		c.t.Errorf("evict: %v", err)
		return
	}
	defer g.Close()
	c.w.expectEviction(v.VID)
	if last, err := c.lastPostState(); err != nil {
		c.t.Error(err)
	} else if _, err := g.Recover(c.t.Context(), last, -1); err != nil {
		return // no ledger
	}
	c.x.forget()
	if call != nil {
		c.faults.setCall(func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			if _, ok := req.(*p4v1.WriteRequest); !ok {
				return handle(ctx, req)
			}
			a.fire()
			return call(ctx, req, handle)
		})
	}
	before := a.fired.Load()
	out, err := g.Evict(c.t.Context(), v.Name, v.VID)
	c.faults.setCall(nil)
	switch failed := a.fired.Load() > before; {
	case err == nil && out.Steps > 0:
		c.acked[out.Entry] = "evict"
		if call == nil && !failed {
			a.fire()
		}
		if failed && call != nil {
			c.t.Error("evicted without an answer")
		}
		if _, tables := c.state(); tables[keyOf(v.VID)] != nil {
			c.t.Errorf("%s is evicted, and still there", v.Name)
		}
	case err != nil && !failed && a.fired.Load() == 0 && conf.Patience == 0:
		c.t.Errorf("evict: %v", err)
	}
}

// keptRefused checks that what the solvers disagreed on is in the ledger, with its text.
func (c *campaign) keptRefused(a *attempt) {
	if a.proof == nil || a.fired.Load() == 0 {
		return
	}
	n := c.log.Size()
	es := c.entries()
	if d := es[n-1].Decision; d == nil || d.Verdict == "proved" || len(d.Texts) == 0 || !strings.Contains(d.Reason, "disagree") {
		c.t.Errorf("the disagreement is not in the ledger: %+v", es[n-1])
	}
}

// refusedWith checks that an attempt was refused with an error.
func refusedWith(want error) func(*attempt, error) error {
	return func(_ *attempt, err error) error {
		if !errors.Is(err, want) {
			return fmt.Errorf("got %v, want %w", err, want)
		}
		return nil
	}
}

// A liar is a decider one of whose answers is wrong.
type liar struct {
	verify.Decider
	pick   int
	second bool // the wrong answer is another solver's, besides the right one
	lie    func(*verify.Result)
	a      *attempt
}

func (l *liar) Decide(ctx context.Context, obs []verify.Obligation, progress func(int, int)) ([]verify.Result, error) {
	rs, err := l.Decider.Decide(ctx, obs, progress)
	if err != nil {
		return rs, err
	}
	if l.second {
		for _, r := range slices.Clone(rs) {
			r.Solver = "second"
			rs = append(rs, r)
		}
		l.lie(&rs[len(rs)/2+l.pick%(len(rs)/2)])
	} else {
		l.lie(&rs[l.pick%len(rs)])
	}
	l.a.fire()
	return rs, err
}

func wrongSolver(name string, lie func(*verify.Result)) fault {
	return fault{
		name: name, fatal: true, nothing: true, refuses: refusedWith(verify.ErrUndecided),
		open: func(c *campaign, a *attempt) {
			a.conf.Decider = &liar{Decider: a.conf.Decider, pick: c.rnd.IntN(1 << 20), lie: lie, a: a}
		},
	}
}

// firstEntity is the first entity of a serialised state.
func firstEntity(t testing.TB, state []byte) *p4v1.Entity {
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(bytes.Clone(state), &resp); err != nil || len(resp.GetEntities()) == 0 {
		t.Errorf("no entity: %v", err)
		return nil
	}
	return resp.GetEntities()[0]
}
