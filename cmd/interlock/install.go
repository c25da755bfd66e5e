package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
)

func newInstall() *cobra.Command {
	c := &cobra.Command{
		Use:     "install [DIR]",
		GroupID: "program",
		Short:   "Install a proved program on the switch, through the gate",
		Long: `Install builds the obligations again and checks that the ledger has their certificate as proved (else it decides them
again), sends the program and reads it back. It refuses a program that was changed after 'interlock prove'.`,
		Example: "  interlock install linked",
		Args:    cobra.MaximumNArgs(1),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		w, err := openWork(dirArg(args, 0))
		if err != nil {
			return err
		}
		path := filepath.Join(w.dir, certificateFile)
		b, err := os.ReadFile(path)
		if err != nil {
			return inputf("no certificate: run 'interlock prove %s' first: %w", w.dir, err)
		}
		cert, err := verify.ParseCertificate(b)
		if err != nil {
			return inputf("%s:%w", path, err)
		}
		ctx := c.Context()
		g, done, err := w.openGate(ctx)
		if err != nil {
			return err
		}
		defer done()
		begun := time.Now()
		clearance, err := g.ClearInstall(ctx, w.programInput(), cert)
		if err != nil {
			return gateError(err)
		}
		cleared := time.Since(begun)
		out, err := g.Install(ctx, clearance)
		if err != nil {
			return gateError(err)
		}
		o := c.OutOrStdout()
		if out.Steps == 0 {
			fmt.Fprintf(o, "switch %s runs this program already\n", w.site.Switch.Name)
			return nil
		}
		fmt.Fprintf(o, "installed on switch %s: cookie %#x\n", w.site.Switch.Name, gate.Cookie(w.linked))
		fmt.Fprintf(o, "cleared in %v by its proof (ledger entry %d), written in %v, read back and equal (entry %d)\n",
			cleared.Round(time.Millisecond), clearance.Decision(), out.Writes.Round(time.Millisecond), out.Entry)
		if missing := cert.NotChecked; len(missing) > 0 {
			var ids []string
			for _, n := range missing {
				ids = append(ids, n.Property)
			}
			fmt.Fprintf(o, "not proved yet: %s\n", strings.Join(ids, ", "))
		}
		return nil
	}
	return c
}

// gateError gives the gate's errors their exit codes.
func gateError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, device.ErrUnreachable), errors.Is(err, device.ErrNoPipeline), errors.Is(err, device.ErrNotPrimary):
		return exitWith(exitEnvironment, err)
	case errors.Is(err, verify.ErrUndecided):
		return exitWith(exitUndecided, err)
	case errors.Is(err, verify.ErrRefuted), errors.Is(err, gate.ErrStale), errors.Is(err, gate.ErrTampered),
		errors.Is(err, gate.ErrOccupied), errors.Is(err, gate.ErrUsed):
		return exitWith(exitRefused, err)
	}
	return exitWith(exitEnvironment, err)
}
