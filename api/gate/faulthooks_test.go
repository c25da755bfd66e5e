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

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify/plan"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

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
	conf.Decider, conf.Required, conf.Patience = nil, nil, a.conf.Patience
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

// firstEntity is the first entity of a serialised state.
func firstEntity(t testing.TB, state []byte) *p4v1.Entity {
	var resp p4v1.ReadResponse
	if err := proto.Unmarshal(bytes.Clone(state), &resp); err != nil || len(resp.GetEntities()) == 0 {
		t.Errorf("no entity: %v", err)
		return nil
	}
	return resp.GetEntities()[0]
}
