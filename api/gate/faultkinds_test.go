package gate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
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

// A fault is a kind of thing that goes wrong. There is one list of kinds; a campaign takes those that can happen to what it does.
type fault struct {
	name     string
	patience time.Duration                     // of the gate; 0: the default
	open     func(c *campaign, a *attempt)     // before the gate is opened
	plan     func(c *campaign, a *attempt)     // the plan may be changed
	proved   func(c *campaign, a *attempt)     // it is proved, and not yet cleared
	cleared  func(c *campaign, a *attempt)     // it is cleared, and not yet applied
	arm      func(c *campaign, a *attempt)     // it is about to be applied: set hooks
	after    func(c *campaign, a *attempt)     // everything is over
	fatal    bool                              // once it has happened there is no success
	nothing  bool                              // once it has happened nothing is sent
	refuses  func(a *attempt, err error) error // checks the error

	// replace prepares it for a replacement of the program; nil: it does not happen there. If the switch dies of it, it is started again,
	// empty.
	replace func(c *replaceCampaign, b *bringing)
	dies    bool
}

// inPlans says that it can happen to a plan.
func (f *fault) inPlans() bool {
	return f.open != nil || f.plan != nil || f.proved != nil || f.cleared != nil || f.arm != nil || f.after != nil
}

// inNetworks says that it can happen to one switch while a plan for several is under way.
func (f *fault) inNetworks() bool {
	return f.arm != nil && f.open == nil && !strings.Contains(f.name, "evict") && f.name != "marker lost" && f.name != "interrupted"
}

// inReplacements says that it can happen to a replacement.
func (f *fault) inReplacements() bool { return f.replace != nil }

// kindsOf are the kinds of faults that can happen in a campaign.
func kindsOf(can func(*fault) bool) []*fault {
	var list []*fault
	for i := range faultKinds {
		if f := &faultKinds[i]; can(f) {
			list = append(list, f)
		}
	}
	return list
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
	}, replace: func(c *replaceCampaign, b *bringing) {
		half := c.rnd.Uint64()
		c.onRequest(b, writeStep, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			never := int(half % uint64(len(req.(*p4v1.WriteRequest).GetUpdates())))
			c.faults.set(nil, func(i int, _ *p4v1.Update) error {
				if i == never || half>>(i%64)&1 == 0 {
					c.a.fire()
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
	}, replace: func(c *replaceCampaign, b *bringing) {
		err := status.Error(refusals[c.rnd.IntN(len(refusals))], "injected")
		c.onRequest(b, anyStep, func(context.Context, any, grpc.UnaryHandler) (any, error) {
			c.a.fire()
			return nil, err
		})
	}},
	{name: "request lost", patience: short, fatal: true, arm: func(c *campaign, a *attempt) {
		c.onWrite(a, func(ctx context.Context, _ any, _ grpc.UnaryHandler) (any, error) {
			a.fire()
			<-ctx.Done()
			return nil, ctx.Err()
		})
	}, replace: func(c *replaceCampaign, b *bringing) {
		b.conf.Patience = short
		c.onRequest(b, anyStep, func(ctx context.Context, _ any, _ grpc.UnaryHandler) (any, error) {
			c.a.fire()
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
	}, replace: func(c *replaceCampaign, b *bringing) {
		b.conf.Patience = short
		c.onRequest(b, anyStep, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			c.a.fire()
			if _, err := handle(ctx, req); err != nil {
				return nil, err
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
	}},
	{name: "answer is an error", fatal: true, arm: func(c *campaign, a *attempt) {
		refused := c.refusal()
		c.onWrite(a, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			a.fire()
			_, err := handle(ctx, req)
			return nil, errors.Join(refused, err)
		})
	}, replace: func(c *replaceCampaign, b *bringing) {
		refused := status.Error(refusals[c.rnd.IntN(len(refusals))], "injected")
		c.onRequest(b, anyStep, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			c.a.fire()
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
	}, replace: func(c *replaceCampaign, b *bringing) {
		c.faults.set(func(m proto.Message) error {
			if _, ok := m.(*p4v1.PacketOut); ok {
				c.a.fire()
				return errInjected
			}
			return nil
		}, nil, nil)
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
	}, replace: func(c *replaceCampaign, b *bringing) {
		c.onRequest(b, anyStep, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			c.a.fire()
			c.a.cancel()
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
	}, replace: func(c *replaceCampaign, b *bringing) {
		c.onRequest(b, anyStep, func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
			c.a.fire()
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
			rescue.conf.Decider, rescue.conf.Required = nil, nil
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
	}, refuses: refusedWith(gate.ErrTampered), replace: func(c *replaceCampaign, b *bringing) {
		b.at = func(stage string, b *bringing) error {
			if stage == "proved" {
				c.a.fire()
				s := b.in.Steps[c.rnd.IntN(len(b.in.Steps))].Bytes
				s[c.rnd.IntN(len(s))] ^= 1 << c.rnd.IntN(8)
			}
			return nil
		}
	}},
	{name: "bad slots", fatal: true, arm: func(c *campaign, a *attempt) {
		a.cells = &badCells{bad: c.someScrubbed(a.in)}
		c.faults.set(nil, func(i int, u *p4v1.Update) error {
			err := a.cells.refuse(i, u)
			if err != nil {
				a.fire()
			}
			return err
		}, nil)
	}, after: (*campaign).doWithout, replace: func(c *replaceCampaign, b *bringing) {
		bad := c.rnd.IntN(80)
		c.faults.set(nil, func(_ int, u *p4v1.Update) error {
			r := u.GetEntity().GetRegisterEntry()
			if r == nil || r.GetIndex().GetIndex() != int64(100+bad) {
				return nil
			}
			c.a.fire()
			return status.Error(codes.DataLoss, "parity error")
		}, nil)
	}},
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
		replace: func(c *replaceCampaign, b *bringing) {
			b.at = func(stage string, _ *bringing) error {
				if stage == "cleared" {
					c.a.fire()
					c.now = c.now.Add(gate.ClearanceLifetime + time.Second)
				}
				return nil
			}
		},
	},
	{
		name: "clearance of an earlier master", fatal: true, nothing: true, refuses: refusedWith(gate.ErrUsed),
		cleared: func(c *campaign, a *attempt) {
			a.fire()
			a.g.Close()
			c.election++
			g, err := c.open(a.ctx, a.conf, c.election)
			if err != nil {
				c.t.Fatal(err)
			}
			a.g = g
		},
	},
	{name: "disk full before the proof is published", proved: (*campaign).fullDisk},
	{name: "disk full before the outcome is published", cleared: (*campaign).fullDisk},
	{name: "disk full before anything", open: (*campaign).fullDisk, replace: func(c *replaceCampaign, b *bringing) {
		from, seen := c.rnd.IntN(24), 0
		b.at = func(stage string, _ *bringing) error {
			if stage == "opened" {
				c.log.OnDisk(func(op, path string) error {
					if seen++; seen <= from || op == "remove" {
						return nil
					}
					c.a.fire()
					return fmt.Errorf("%s %s: %w", op, path, syscall.ENOSPC)
				})
			}
			return nil
		}
	}},
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
	{name: "controller dies between steps of a replacement", replace: func(c *replaceCampaign, b *bringing) {
		at := bringingStages[c.rnd.IntN(len(bringingStages))]
		b.at = func(stage string, _ *bringing) error {
			if stage == at {
				c.a.fire()
				return errEnd
			}
			return nil
		}
	}},
	{name: "switch dies with what it had before a replacement", dies: true, replace: func(c *replaceCampaign, b *bringing) {
		// When it has been shut and what it held is in the ledger: before that its content is lost with it, as ever.
		pick := c.rnd.IntN(1 << 20)
		b.at = func(stage string, b *bringing) error {
			if stage != "cleared" {
				return nil
			}
			at, n := 1+pick%len(b.in.Steps), 0
			c.faults.setCall(func(ctx context.Context, req any, handle grpc.UnaryHandler) (any, error) {
				switch req.(type) {
				case *p4v1.WriteRequest, *p4v1.SetForwardingPipelineConfigRequest:
					if n++; n >= at {
						c.a.fire()
						return nil, errInjected
					}
				}
				return handle(ctx, req)
			})
			return nil
		}
	}},
}
