package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/alloc/report"
	"github.com/interlock/interlock/linker/manifest"
)

func newReport() *cobra.Command {
	var out, record string
	c := &cobra.Command{
		Use:     "report [DIR] -o FOLDER",
		GroupID: "tools",
		Short:   "Draw a run: who owned which slots over time, utilities, where the time of each reallocation went",
		Example: "  interlock report linked -o report",
		Args:    cobra.MaximumNArgs(1),
	}
	c.Flags().StringVarP(&out, "output", "o", "report", "folder to write")
	c.Flags().StringVar(&record, "record", "", "epochs as 'interlock run' recorded them (default: "+epochsFile+" beside the ledger)")
	on := addOn(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetwork(dirArg(args, 0), *on)
		if err != nil {
			return err
		}
		w, err := n.one()
		if err != nil {
			return err
		}
		if record == "" {
			record = filepath.Join(w.ledgerDir(), epochsFile)
		}
		f, err := os.Open(record)
		if err != nil {
			return exitWith(exitInput, err)
		}
		defer f.Close()
		epochs, err := alloc.ReadRun(f)
		if err != nil {
			return inputf("%s: %w", record, err)
		}
		epochs = slices.DeleteFunc(epochs, func(e alloc.Epoch) bool { return e.Switch != "" && e.Switch != w.site.Switch.Name })
		if len(epochs) == 0 {
			return inputf("%s has no epochs", record)
		}
		run := drawable(w.manifest, epochs)
		if err := report.Write(out, run); err != nil {
			return exitWith(exitEnvironment, err)
		}
		fmt.Fprintf(c.OutOrStdout(), "%d epochs drawn: open %s\n", len(epochs), filepath.Join(out, "index.html"))
		return nil
	}
	return c
}

// drawable is the run as the report draws it.
func drawable(m *manifest.Manifest, epochs []alloc.Epoch) *report.Run {
	run := &report.Run{Title: fmt.Sprintf("Site %s, switch %s: %d epochs", m.Site, m.Switch, len(epochs))}
	for _, a := range m.StageArrays {
		run.Arrays = append(run.Arrays, report.Array{Control: string(a.Control), Stage: a.Stage, Slots: a.Slots})
	}
	for _, t := range epochs[len(epochs)-1].Tenants {
		run.Tenants = append(run.Tenants, report.Tenant{Name: t.Name, Target: t.Target, Balance: t.Balance})
	}
	for _, e := range epochs {
		x := report.Epoch{At: e.Start.Sub(epochs[0].Start), Utility: map[string]float64{}}
		for _, t := range e.Tenants {
			if t.Utility != nil {
				x.Utility[t.Name] = *t.Utility
			}
			for _, p := range t.Extents {
				x.Extents = append(x.Extents, report.Extent{Tenant: t.Name, Control: p.Control, Stage: p.Stage, Base: p.Base, Size: p.Size})
			}
		}
		if e.Plan != nil && e.Plan.Applied {
			for _, name := range alloc.PartNames { // of every epoch the same, also of one that an older version recorded
				x.Parts = append(x.Parts, report.Part{Name: name, Time: e.Part(name)})
			}
		}
		run.Epochs = append(run.Epochs, x)
	}
	return run
}
