package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/plan"
)

// Outcome of what the gate did.
type Outcome struct {
	Entry  int64 // index of the outcome's ledger entry
	Steps  int   // that succeeded
	Writes time.Duration
	Read   time.Duration // reading back, before and after
	Log    time.Duration
	// PageTables are what was read back after the last step.
	PageTables []byte

	begun bool // something was sent
}

// Apply carries out a cleared plan. On an error nothing more is sent; the outcome says how far it came.
func (g *Gate) Apply(ctx context.Context, c *Clearance) (*Outcome, error) {
	out, err := g.apply(ctx, c)
	g.note("apply", c.decision, out, err)
	return out, err
}

func (g *Gate) apply(ctx context.Context, c *Clearance) (*Outcome, error) {
	if c.plan == nil {
		return nil, fmt.Errorf("%w: the clearance is not for a plan", ErrUsed)
	}
	if err := c.take(g); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	out := &Outcome{}
	if g.unanswered.Load() {
		return out, ErrUnanswered
	}

	begun := time.Now()
	before, err := g.observe(ctx)
	if err != nil {
		return out, err
	}
	out.Read = time.Since(begun)
	if err := g.fresh(before, c.plan); err != nil {
		return out, err
	}
	if c.plan.Fenced && !g.fenced {
		return out, fmt.Errorf("%w: the plan supposes a fence after the last page-table write, and this gate completed none", ErrStale)
	}
	want, err := Expected(c.plan)
	if err != nil {
		return out, err
	}

	if err := g.begin(ctx, before, c.decision); err != nil {
		return out, err
	}

	begun, out.begun = time.Now(), true
	did := newWriting(ErrScrub)
	failure := g.send(ctx, c.plan, before.pipeline.P4Info, c.turn, did, out)
	out.Writes = time.Since(begun)

	begun = time.Now()
	after, err := g.observeAfter(ctx)
	out.Read += time.Since(begun)
	if err != nil {
		return out, errors.Join(failure, fmt.Errorf("reading back after the plan: %w", err))
	}
	out.PageTables = after.pageTables
	if failure == nil && !bytes.Equal(after.pageTables, want) {
		failure = fmt.Errorf("switch %s: every step succeeded, but the state read back is not the plan's goal", g.conf.Target.Name)
	}
	begun = time.Now()
	rec := ledger.Outcome{
		Action: "apply", Decision: c.decision, Result: ledger.Applied, Steps: out.Steps,
		PreState: before.digest(), PostState: after.digest(),
		Times: map[string]time.Duration{"write": out.Writes, "read": out.Read},
	}
	did.record(&rec)
	if failure != nil {
		rec.Result, rec.Error = ledger.Failed, failure.Error()
	}
	out.Entry, err = g.finish(ctx, rec)
	out.Log = time.Since(begun)
	return out, errors.Join(failure, err)
}

// fresh checks that the switch is still in the state that the plan was proved for.
func (g *Gate) fresh(now *observation, in *plan.Input) error {
	if now.pipeline == nil {
		return fmt.Errorf("%w: switch %s runs no program any more", ErrStale, in.Switch)
	}
	if !bytes.Equal(now.pipeline.DeviceConfig, in.Linked) || now.pipeline.Cookie != Cookie(in.Linked) {
		return fmt.Errorf("%w: switch %s runs another program", ErrStale, in.Switch)
	}
	info, err := g.info(in.Linked)
	if err != nil {
		return err
	}
	if !proto.Equal(now.pipeline.P4Info, info) {
		return fmt.Errorf("%w: switch %s reads requests by another P4Info than that of its program", ErrStale, in.Switch)
	}
	if bytes.Equal(now.pageTables, in.PreState) {
		return nil
	}
	list, err := Moved(in.PreState, now.pageTables, now.pipeline.P4Info, in.Tenants)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w; what moved on switch %s:\n  %s", ErrStale, in.Switch, strings.Join(list, "\n  "))
}

// Fresh reads the switch and returns nil if it is still in the state that the plan was proved for; otherwise the error is ErrStale
// and lists what moved.
func Fresh(ctx context.Context, r *device.Reader, in *plan.Input) error {
	g := &Gate{reader: r}
	o, err := g.observe(ctx)
	if err != nil {
		return err
	}
	return g.fresh(o, in)
}

// info is the P4Info of a linked program, which need not be parsed for every plan.
func (g *Gate) info(linked []byte) (*configv1.P4Info, error) {
	d := verify.DigestOf(linked)
	if info := g.infos[d]; info != nil {
		return info, nil
	}
	info, err := rederive(linked)
	if err != nil {
		return nil, err
	}
	g.infos = map[verify.Digest]*configv1.P4Info{d: info}
	return info, nil
}

// Expected is the content of the page tables that the plan leaves when every step succeeds.
func Expected(in *plan.Input) ([]byte, error) {
	st, err := parseState(in.PreState)
	if err != nil {
		return nil, err
	}
	next, err := st.after(in.Steps)
	if err != nil {
		return nil, err
	}
	return next.bytes()
}

// send carries out the steps, each only when the one before has succeeded and it is its turn.
func (g *Gate) send(ctx context.Context, in *plan.Input, info *configv1.P4Info, turn func(context.Context, int) error, did *writing, out *Outcome) error {
	was, steps := g.fenced, in.Steps
	for i, s := range steps {
		var err error
		if turn != nil {
			err = turn(ctx, i)
		}
		switch {
		case err != nil:
		case s.Kind == plan.Write:
			err = g.settled(ctx, s.Bytes, info, did, g.write(ctx, s.Bytes))
		case s.Kind == plan.Fence:
			err = g.session.Fence(ctx, s.Bytes)
		case s.Kind == plan.Wait:
			err = pause(ctx, s.For)
		default:
			err = fmt.Errorf("unknown kind %q", s.Kind)
		}
		if err != nil {
			return fmt.Errorf("step %d of %d: %w", i+1, len(steps), err)
		}
		out.Steps++
	}
	if turn != nil {
		if err := turn(ctx, len(steps)); err != nil {
			return err
		}
	}
	g.fenced = fencedAfter(was, in)
	return nil
}

// pause lets at least the time d pass.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fencedAfter says whether a fence follows the last page-table write when all steps have succeeded. Scrubs write no page table.
func fencedAfter(was bool, in *plan.Input) bool {
	for _, s := range slices.Backward(in.Steps) {
		switch {
		case in.Primitives.Fences(s):
			return true
		case s.Kind == plan.Write && !plan.ScrubsOnly(s.Bytes):
			return false
		}
	}
	return was
}

// rederive generates the P4Info from the linked program's text.
func rederive(linked []byte) (*configv1.P4Info, error) {
	info, diags := p4.Load("linked.p4", linked)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	p4i, diags := p4info.Generate(info)
	return p4i, diags.Err()
}
