package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
)

func newEvict() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:     "evict TENANT",
		GroupID: "memory",
		Short:   "Stop a tenant at once, on every switch: drop its packets, and unmap all of its register memory",
		Long: `Evict deletes the tenant's entry of the admission table, so that its packets are dropped before its code runs, and its page-table
entries. It is safe in every state by a standing lemma and needs no solver, policy or allocator. It takes mastership: a running 'interlock run'
ends. The tenant stays out until 'interlock admit TENANT'. Where the switch cannot be reached, the eviction is pending: it is on disk, in the
ledger and in 'interlock status', and whichever command reaches the switch next does it first.`,
		Example: "  interlock evict hh -d linked",
		Args:    cobra.ExactArgs(1),
	}
	c.Flags().StringVarP(&dir, "dir", "d", defaultDir, "linked directory")
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetworkWith(dir, nil, openWorkAsLinked)
		if n == nil || len(n.works) == 0 {
			return err
		}
		return together([]error{err, n.evict(c.Context(), c.OutOrStdout(), args[0])}) // where one is out of order, the others are not
	}
	return c
}

// evict unmaps a tenant's memory on every switch that it is on, as far as they can be reached.
func (n *linkedSite) evict(ctx context.Context, out io.Writer, tenant string) error {
	e := eviction{Tenant: tenant, Since: time.Now().UTC(), Who: who(), Pending: true}
	var works []*work
	for _, w := range n.works {
		if t := w.manifest.Tenant(tenant); t != nil {
			e.VID, works = t.VID, append(works, w)
			if n.several {
				e.On = append(e.On, w.site.Switch.Name)
			}
		}
	}
	if len(works) == 0 {
		return inputf("site %s has no tenant %q", n.works[0].site.Name, tenant)
	}
	unlisted := adding(works[0].setEvicted(e), "that tenant %s stays out could not be written down: no plan is made before that file is in order, and "+
		"then evict it again", tenant) // first things first
	return together([]error{(&linkedSite{n.dir, works, n.several}).each(func(w *work) error {
		ctx, cancel := timeout(ctx)
		defer cancel()
		did, err := w.evict(ctx, e)
		if err != nil {
			var coded *exitError
			errors.As(gateError(err), &coded)
			return &exitError{coded.code, fmt.Errorf("%w\ntenant %s (VID %d) gets nothing from now on, and is shut out when a "+
				"command reaches switch %s again%s", err, e.Tenant, e.VID, w.site.Switch.Name, w.logIntent(ctx, e, err))}
		}
		if unlisted == nil {
			if err := w.setUnmapped(e.Tenant); err != nil {
				return err
			}
		}
		if did.Steps == 0 {
			fmt.Fprintf(out, "tenant %s (VID %d) was not in%s; it stays out\n", e.Tenant, e.VID, n.onSwitch(w))
			return nil
		}
		fmt.Fprintf(out, "evicted tenant %s (VID %d) from switch %s in %v (ledger entry %d)\n",
			e.Tenant, e.VID, w.site.Switch.Name, did.Writes.Round(10*time.Microsecond), did.Entry)
		return nil
	}), unlisted})
}

// evict unmaps a tenant's memory now. It takes mastership before it opens the ledger: that makes the controller that has the ledger open
// let go of it.
func (w *work) evict(ctx context.Context, e eviction) (*gate.Outcome, error) {
	election, err := nextElectionID(w.ledgerDir())
	if err != nil {
		return nil, err
	}
	g, err := w.gateWith(ctx, election, nil, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	log, err := w.takeLedger(ctx)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	g.UseLedger(log)
	if err := w.recover(ctx, g); err != nil {
		return nil, err
	}
	out, err := g.Evict(ctx, e.Tenant, e.VID)
	if errors.Is(err, device.ErrNoPipeline) { // an empty switch maps nothing
		return &gate.Outcome{}, nil
	}
	return out, err
}

// logIntent puts into the ledger that a tenant is to be evicted, and says if it could not.
func (w *work) logIntent(ctx context.Context, e eviction, why error) string {
	log, err := w.openLedger()
	if err == nil {
		defer log.Close()
		var state verify.Digest
		if state, _, err = w.lastState(); err == nil {
			_, err = log.AppendOutcome(ctx, ledger.Outcome{
				Action: "evict", Decision: -1, Result: ledger.Pending, Switch: w.site.Switch.Name, PreState: state, PostState: state,
				Who: e.Who, At: e.Since, Error: fmt.Sprintf("tenant %s (VID %d) is to be evicted: %v", e.Tenant, e.VID, why),
			})
		}
	}
	if err != nil {
		return fmt.Sprintf(" (this is not in the ledger: %v)", err)
	}
	return ""
}

func newAdmit() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:     "admit TENANT",
		GroupID: "memory",
		Short:   "Let an evicted tenant in again: its packets at once, register memory from the next plan on",
		Long: `Admit opens admission for the tenant again, where the switch runs the program in DIR; that is proved (M8) as every change of who is
admitted. Otherwise, or where the switch cannot be reached, 'interlock install' does it. It takes mastership.`,
		Example: "  interlock admit hh -d linked",
		Args:    cobra.ExactArgs(1),
	}
	c.Flags().StringVarP(&dir, "dir", "d", defaultDir, "linked directory")
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetwork(dir, nil)
		if err != nil {
			return err
		}
		return n.admit(c.Context(), c.OutOrStdout(), args[0])
	}
	return c
}

// admit lets a tenant in again wherever it is.
func (n *linkedSite) admit(ctx context.Context, out io.Writer, tenant string) error {
	works := slices.DeleteFunc(slices.Clone(n.works), func(w *work) bool { return w.site.Tenant(tenant) == nil })
	if len(works) == 0 {
		return inputf("site %s has no tenant %q", n.works[0].site.Name, tenant)
	}
	if err := works[0].setAdmitted(tenant); err != nil {
		return err
	}
	fmt.Fprintf(out, "tenant %s is admitted; the next plan may give it memory\n", tenant)
	later := func(err error, when string) error {
		return adding(err, "its packets are let in by 'interlock install', when %s", when)
	}
	t, err := works[0].openTools()
	if err != nil {
		return later(err, "that is in order")
	}
	defer t.close()
	return (&linkedSite{n.dir, works, n.several}).each(func(w *work) error {
		return later(w.open(ctx, t, out), "it reaches switch "+w.site.Switch.Name)
	})
}

// open admits who is to be admitted, on a switch that runs the program already.
func (w *work) open(ctx context.Context, t *tools, out io.Writer) error {
	i := &installation{work: w}
	var err error
	if i.cert, err = w.certificate(); err != nil {
		return err
	}
	if i.gate, err = w.openGate(ctx, t); err != nil {
		return err
	}
	defer i.gate.Close()
	if err := i.prepare(ctx); err != nil {
		return gateError(err)
	}
	if i.from.Situation != gate.Complete {
		return refusedf("switch %s does not run the program in %s, or not all that its tenants had is there", w.site.Switch.Name, w.dir)
	}
	if i.in == nil { // it is in already
		return nil
	}
	return gateError(i.carryOut(ctx, out))
}
