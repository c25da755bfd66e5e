package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	on := addOn(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetwork(dirArg(args, 0), *on)
		if err != nil {
			return err
		}
		return n.install(c.Context(), c.OutOrStdout())
	}
	return c
}

// cleared is a program that may be installed on its switch.
type cleared struct {
	work      *work
	gate      *gate.Gate
	cert      *verify.Certificate
	clearance *gate.Clearance
	took      time.Duration
}

// install installs on all switches, or, if one of them cannot be reached or its program is not cleared, on none.
func (n *linkedSite) install(ctx context.Context, out io.Writer) error {
	t, err := n.works[0].openTools()
	if err != nil {
		return err
	}
	defer t.close()
	var list []*cleared
	defer func() {
		for _, c := range list {
			c.gate.Close()
		}
	}()
	err = n.each(func(w *work) error {
		var err error
		c := &cleared{work: w}
		if c.cert, err = w.certificate(); err != nil {
			return err
		}
		if c.gate, err = w.openGate(ctx, t); err != nil {
			return err
		}
		list = append(list, c)
		begun := time.Now()
		if c.clearance, err = c.gate.ClearInstall(ctx, w.programInput(), c.cert); err != nil {
			return gateError(err)
		}
		c.took = time.Since(begun)
		used, err := w.usage()
		if err != nil {
			return err
		}
		return w.admit(ctx, used, t.pool, t.required, t.log)
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range list {
		errs = append(errs, n.named(c.work, c.install(ctx, out)))
	}
	return together(errs)
}

// certificate is what 'interlock prove' left in the linked directory.
func (w *work) certificate() (*verify.Certificate, error) {
	path := filepath.Join(w.dir, certificateFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, inputf("no certificate: run 'interlock prove %s' first: %w", w.dir, err)
	}
	c, err := verify.ParseCertificate(b)
	if err != nil {
		return nil, inputf("%s:%w", path, err)
	}
	return c, nil
}

func (c *cleared) install(ctx context.Context, out io.Writer) error {
	did, err := c.gate.Install(ctx, c.clearance)
	if err != nil {
		return gateError(err)
	}
	name := c.work.site.Switch.Name
	if did.Steps == 0 {
		fmt.Fprintf(out, "switch %s runs this program already\n", name)
		return nil
	}
	fmt.Fprintf(out, "installed on switch %s: cookie %#x\n", name, gate.Cookie(c.work.linked))
	fmt.Fprintf(out, "cleared in %v by its proof (ledger entry %d), written in %v, read back and equal (entry %d)\n",
		c.took.Round(time.Millisecond), c.clearance.Decision(), did.Writes.Round(time.Millisecond), did.Entry)
	if missing := c.cert.NotChecked; len(missing) > 0 {
		var ids []string
		for _, n := range missing {
			ids = append(ids, n.Property)
		}
		fmt.Fprintf(out, "not proved yet: %s\n", strings.Join(ids, ", "))
	}
	return nil
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
