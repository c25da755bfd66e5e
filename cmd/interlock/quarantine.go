package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify/plan"
)

// forPlans are slots that the switch refused to scrub, as planners need them.
func forPlans(list []gate.Refused) (r alloc.Refused) {
	for _, x := range list {
		slots := alloc.Range{Array: alloc.Array{Control: x.Control, Stage: x.Stage}, Lo: x.First, Hi: x.Last + 1}
		if x.Quarantined {
			r.Quarantined = append(r.Quarantined, slots)
		} else {
			r.Once = append(r.Once, slots)
		}
	}
	return r
}

// refused is what the ledger says of slots that the switch refused to scrub; it is read when it is first asked for. A ledger that cannot be
// read stops those who plan in other places.
func (w *work) refused() func() alloc.Refused {
	return sync.OnceValue(func() alloc.Refused {
		l, err := w.readLedger()
		if err != nil {
			return alloc.Refused{}
		}
		return forPlans(gate.RefusalsOf(l.Entries, w.site.Switch.Name).All())
	})
}

// quarantined is an extent that is nobody's, as status prints it.
type quarantined struct {
	Control string    `json:"control"`
	Stage   int       `json:"stage"`
	First   int64     `json:"first"`
	Last    int64     `json:"last"`
	Since   time.Time `json:"since"`
	Entry   int64     `json:"entry"`
	Why     string    `json:"why"`
}

// quarantine lists the slots in quarantine on a switch, by its ledger.
func (w *work) quarantine() []quarantined {
	list := []quarantined{}
	l, err := w.readLedger()
	if err != nil { // a switch can be looked at without its ledger
		return list
	}
	for _, x := range gate.RefusalsOf(l.Entries, w.site.Switch.Name).All() {
		if x.Quarantined {
			list = append(list, quarantined{string(x.Control), x.Stage, x.First, x.Last, x.Since, x.Entry, x.Why})
		}
	}
	return list
}

func printQuarantine(out io.Writer, list []quarantined) {
	for _, q := range list {
		fmt.Fprintf(out, "in quarantine: %s/%d %d..%d, since %s (entry %d): %s\n", q.Control, q.Stage, q.First, q.Last,
			q.Since.Local().Format(time.DateTime), q.Entry, q.Why)
	}
	if len(list) > 0 {
		fmt.Fprintln(out, "slots in quarantine are given to nobody; 'interlock scrub' tries them again")
	}
}

// tellRefused says what to do about a plan that was stopped because slots were not scrubbed.
func tellRefused(err error) error {
	if !errors.Is(err, gate.ErrScrub) {
		return err
	}
	return adding(err, "nobody has these slots. Plan again: slots that are refused %d times in a row are in quarantine, and plans do without them",
		gate.RefusalsForQuarantine)
}

// forLoop makes the gate's error one that the loop goes on after.
func forLoop(err error) error {
	if errors.Is(err, gate.ErrScrub) {
		return fmt.Errorf("%w: %w", alloc.ErrScrub, err)
	}
	return err
}

func newScrub() *cobra.Command {
	c := &cobra.Command{
		Use:     "scrub [DIR]",
		GroupID: "memory",
		Short:   "Scrub slots in quarantine again; those that the switch zeroes may be given to tenants again",
		Long: `A slot that the switch refused to zero twice in a row, though it answered, is in quarantine: it is nobody's, plans do without it, and 'interlock
status' shows it. Scrub zeroes such slots once more, by a plan that changes nobody's extents and is proved like any other, and reads them back.
What reads zero is out of quarantine. 'interlock run' does the same when it has begun and nothing else is to be done.`,
		Example: "  interlock scrub linked",
		Args:    cobra.MaximumNArgs(1),
	}
	on := addOn(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetwork(dirArg(args, 0), *on)
		if err != nil {
			return err
		}
		return n.scrub(c.Context(), c.OutOrStdout())
	}
	return c
}

// scrub tries the slots in quarantine again.
func (n *linkedSite) scrub(ctx context.Context, out io.Writer) error {
	t, err := n.works[0].openTools()
	if err != nil {
		return err
	}
	defer t.close()
	if !n.several {
		p, err := n.works[0].planner(ctx)
		if err != nil {
			return err
		}
		defer p.close()
		return p.scrub(ctx, t, out)
	}
	f, err := n.fleet(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	var errs []error
	for _, p := range f.planners {
		if !f.changes(p) {
			continue
		}
		if _, err := p.read(ctx); err != nil {
			errs = append(errs, about(p.name(), err))
			continue
		}
		errs = append(errs, about(p.name(), p.scrub(ctx, t, out)))
	}
	return together(errs)
}

// scrub is that of one switch.
func (p *planner) scrub(ctx context.Context, t *tools, out io.Writer) error {
	g, err := p.work.openGateAs(ctx, p.context.ElectionID, p.inForce, t)
	if err != nil {
		return err
	}
	defer g.Close()
	state, err := p.state(ctx)
	if err != nil {
		return err
	}
	in, err := p.context.Again(state)
	if err != nil {
		return exitWith(exitRefused, err)
	}
	if in == nil {
		fmt.Fprintf(out, "no slots of switch %s are in quarantine\n", p.name())
		return nil
	}
	proof, err := gate.ProvePlan(ctx, plan.NewEncoder(1), t.pool, in, t.required, time.Now(), nil)
	if err != nil {
		return exitWith(exitUndecided, err)
	}
	c, err := g.ClearProvedPlan(ctx, in, proof)
	if err != nil {
		explainPlan(out, in, proof)
		return gateError(err)
	}
	before := slotsIn(g.Refused())
	did, err := g.Apply(ctx, c)
	if err != nil && !errors.Is(err, gate.ErrScrub) {
		return gateError(err)
	}
	left := slotsIn(g.Refused())
	fmt.Fprintf(out, "switch %s: %d of %d slots are out of quarantine (ledger entry %d)\n", p.name(), before-left, before, did.Entry)
	return gateError(err)
}

// slotsIn counts those in quarantine.
func slotsIn(list []gate.Refused) (n int64) {
	for _, x := range list {
		if x.Quarantined {
			n += x.Last - x.First + 1
		}
	}
	return n
}
