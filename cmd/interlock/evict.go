package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func newEvict() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:     "evict TENANT",
		GroupID: "memory",
		Short:   "Stop a tenant at once: unmap all of its register memory",
		Long: `Evict deletes the tenant's page-table entries, so that every access of its programs misses. It is safe in every
state by a standing lemma and needs no solver, policy or allocator. It takes mastership: a running 'interlock run' ends.
The tenant stays out until 'interlock admit TENANT'.`,
		Example: "  interlock evict hh -d linked",
		Args:    cobra.ExactArgs(1),
	}
	c.Flags().StringVarP(&dir, "dir", "d", defaultDir, "linked directory")
	c.RunE = func(c *cobra.Command, args []string) error {
		w, err := openWork(dir)
		if err != nil {
			return err
		}
		t := w.site.Tenant(args[0])
		if t == nil {
			return inputf("site %s has no tenant %q", w.site.Name, args[0])
		}
		ctx, cancel := timeout(c.Context())
		defer cancel()
		if err := w.setEvicted(t.Name, true); err != nil {
			return err
		}
		election, err := nextElectionID(w.ledgerDir())
		if err != nil {
			return err
		}
		g, err := w.gateWith(ctx, election, terms{}, nil, nil, nil)
		if err != nil {
			return err
		}
		defer g.Close()
		log, err := w.takeLedger(ctx)
		if err != nil {
			return err
		}
		defer log.Close()
		g.UseLedger(log)
		if err := w.recover(ctx, g); err != nil {
			return err
		}
		out, err := g.Evict(ctx, t.Name, t.VID)
		if err != nil {
			return gateError(err)
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
		if err := w.setEvicted(args[0], false); err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "tenant %s is admitted; the next plan may give it memory\n", args[0])
		return nil
	}
	return c
}
