package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/replace"
)

func newInstall() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:     "install [DIR]",
		GroupID: "program",
		Short:   "Install a proved program on the switch, through the gate, also while it carries tenants",
		Long: `Install checks that the ledger has the program's certificate as proved (else it decides it again), and brings the program to the switch.

Where the switch runs another program, it first says what becomes of each tenant, what is lost, and how long packets of tenants will
be dropped, and, on a terminal, asks. Then it closes the switch, reads all that tenants have there, proves the replacement (M8), commits the
new program, gives every tenant whose program is the same all its entries, counts and register memory back, and admits the tenants again.
What was read is in the ledger before anything is replaced: if install is interrupted, or the switch dies, run it again, and it goes on.`,
		Example: "  interlock install linked\n  interlock install linked --yes",
		Args:    cobra.MaximumNArgs(1),
	}
	on := addOn(c)
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask before packets are dropped")
	c.RunE = func(c *cobra.Command, args []string) error {
		n, err := openNetwork(dirArg(args, 0), *on)
		if err != nil {
			return err
		}
		return n.install(c.Context(), c.OutOrStdout(), yes)
	}
	return c
}

// install installs on all switches, or, if one of them cannot be reached or what is to be done there is not proved, on none.
func (n *linkedSite) install(ctx context.Context, out io.Writer, yes bool) error {
	t, err := n.works[0].openTools()
	if err != nil {
		return err
	}
	defer t.close()
	var list []*installation
	defer func() {
		for _, i := range list {
			i.gate.Close()
		}
	}()
	err = n.each(func(w *work) error {
		i := &installation{work: w}
		var err error
		if i.cert, err = w.certificate(); err != nil {
			return err
		}
		if i.gate, err = w.openGate(ctx, t); err != nil {
			return err
		}
		list = append(list, i)
		if err := i.prepare(ctx); err != nil {
			return gateError(err)
		}
		used, err := w.usage()
		if err != nil {
			return err
		}
		_, err = w.admit(ctx, used, nil, t.pool, t.required, t.log)
		return err
	})
	if err != nil {
		return err
	}
	drops := false
	for _, i := range list {
		n.head(out, i.work)
		i.announce(out)
		drops = drops || i.from.Situation == gate.Occupied
	}
	if drops && !yes {
		if err := confirm(out); err != nil {
			return err
		}
	}
	var errs []error
	for _, i := range list {
		errs = append(errs, n.named(i.work, gateError(i.carryOut(ctx, out))))
	}
	return together(errs)
}

// confirm asks on a terminal, and nowhere else.
func confirm(out io.Writer) error {
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
		return nil
	}
	fmt.Fprint(out, "Go on? Only yes does: ")
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return exitWith(exitEnvironment, err)
	}
	if strings.TrimSpace(answer) != "yes" {
		return refusedf("nothing was done")
	}
	return nil
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

// gateError gives the gate's errors their exit codes.
func gateError(err error) error {
	var wrong *replace.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, device.ErrUnreachable), errors.Is(err, device.ErrNoPipeline), errors.Is(err, device.ErrNotPrimary):
		return exitWith(exitEnvironment, err)
	case errors.Is(err, verify.ErrUndecided):
		return exitWith(exitUndecided, err)
	case errors.Is(err, verify.ErrRefuted), errors.Is(err, gate.ErrStale), errors.Is(err, gate.ErrTampered),
		errors.Is(err, gate.ErrOccupied), errors.Is(err, gate.ErrUsed), errors.As(err, &wrong):
		return exitWith(exitRefused, err)
	}
	return exitWith(exitEnvironment, err)
}
