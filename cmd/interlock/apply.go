package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func newApply() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:     "apply PLAN",
		GroupID: "memory",
		Short:   "Apply a saved plan, through the gate, if it is still what was proved and the switch what it was proved about",
		Example: "  interlock apply plan.json -d linked",
		Args:    cobra.ExactArgs(1),
	}
	c.Flags().StringVarP(&dir, "dir", "d", defaultDir, "linked directory")
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetwork(dir, nil)
		if err != nil {
			return err
		}
		if n.several {
			return n.applyNetwork(c.Context(), c.OutOrStdout(), args[0])
		}
		w := n.works[0]
		f, err := loadPlan(args[0])
		if err != nil {
			return err
		}
		cert, err := loadCertificate(certificatePath(args[0]))
		if err != nil {
			return err
		}
		ctx := c.Context()
		p, err := w.entitled(ctx)
		if err != nil {
			return err
		}
		t, err := w.openTools()
		if err != nil {
			return err
		}
		defer t.close()
		g, err := w.openGateAs(ctx, f.Input.ElectionID, p.inForce, t)
		if err != nil {
			return w.explainStale(ctx, f.Input, err)
		}
		defer g.Close()
		begun := time.Now()
		clearance, proof, err := g.ClearPlan(ctx, f.Input, cert)
		if err != nil {
			if proof != nil {
				explainPlan(c.OutOrStdout(), f.Input, proof)
			}
			return gateError(err)
		}
		cleared := time.Since(begun)
		if err := useElectionID(w.ledgerDir(), f.Input.ElectionID); err != nil {
			return w.staleFirst(ctx, f.Input, err)
		}
		out, err := g.Apply(ctx, clearance)
		if err != nil {
			return gateError(tellRefused(err))
		}
		fmt.Fprintf(c.OutOrStdout(), "applied %d steps on switch %s: cleared in %v by its proof (ledger entry %d), written in %v, "+
			"read back and equal (entry %d)\n", out.Steps, f.Input.Switch, cleared.Round(100*time.Microsecond), clearance.Decision(),
			out.Writes.Round(100*time.Microsecond), out.Entry)
		return nil
	}
	return c
}
