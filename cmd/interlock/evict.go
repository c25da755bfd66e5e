package main

import (
	"context"
	"errors"
	"fmt"
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
		Short:   "Stop a tenant at once: unmap all of its register memory",
		Long: `Evict deletes the tenant's page-table entries, so that every access of its programs misses. It is safe in every
state by a standing lemma and needs no solver, policy or allocator. It takes mastership: a running 'interlock run' ends.
The tenant stays out until 'interlock admit TENANT'. Where the switch cannot be reached, the eviction is pending: it is on disk, in the
ledger and in 'interlock status', and whichever command reaches the switch next does it first.`,
		Example: "  interlock evict hh -d linked",
		Args:    cobra.ExactArgs(1),
	}
	c.Flags().StringVarP(&dir, "dir", "d", defaultDir, "linked directory")
	c.RunE = func(c *cobra.Command, args []string) error {
		w, err := openWorkAsLinked(dir)
		if err != nil {
			return err
		}
		t := w.manifest.Tenant(args[0])
		if t == nil {
			return inputf("site %s has no tenant %q", w.site.Name, args[0])
		}
		ctx, cancel := timeout(c.Context())
		defer cancel()
		e := eviction{Tenant: t.Name, VID: t.VID, Since: time.Now().UTC(), Who: who(), Pending: true}
		if err := w.setEvicted(e); err != nil {
			return err
		}
		out, err := w.evict(ctx, e)
		if err != nil {
			var coded *exitError
			errors.As(gateError(err), &coded)
			return &exitError{coded.code, fmt.Errorf("%w\ntenant %s (VID %d) gets nothing from now on, and what it has is unmapped when a "+
				"command reaches switch %s again%s", err, t.Name, t.VID, w.site.Switch.Name, w.logIntent(ctx, e, err))}
		}
		e.Pending = false
		if err := w.setEvicted(e); err != nil {
			return err
		}
		if out.Steps == 0 {
			fmt.Fprintf(c.OutOrStdout(), "tenant %s (VID %d) had no register memory mapped; it stays out\n", t.Name, t.VID)
			return nil
		}
		fmt.Fprintf(c.OutOrStdout(), "evicted tenant %s (VID %d) from switch %s in %v (ledger entry %d)\n",
			t.Name, t.VID, w.site.Switch.Name, out.Writes.Round(10*time.Microsecond), out.Entry)
		return nil
	}
	return c
}

// evict unmaps a tenant's memory now. It takes mastership before it opens the ledger: that makes the controller that has the ledger open
// let go of it.
func (w *work) evict(ctx context.Context, e eviction) (*gate.Outcome, error) {
	election, err := nextElectionID(w.ledgerDir())
	if err != nil {
		return nil, err
	}
	g, err := w.gateWith(ctx, election, terms{}, nil, nil, nil)
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
		Short:   "Let an evicted tenant have register memory again, from the next plan on",
		Example: "  interlock admit hh -d linked",
		Args:    cobra.ExactArgs(1),
	}
	c.Flags().StringVarP(&dir, "dir", "d", defaultDir, "linked directory")
	c.RunE = func(c *cobra.Command, args []string) error {
		w, err := openWork(dir)
		if err != nil {
			return err
		}
		if w.site.Tenant(args[0]) == nil {
			return inputf("site %s has no tenant %q", w.site.Name, args[0])
		}
		if err := w.setAdmitted(args[0]); err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "tenant %s is admitted; the next plan may give it memory\n", args[0])
		return nil
	}
	return c
}
