// Interlock shares one programmable switch among tenants who do not trust each other, and lets nothing reach the switch that
// has not been proved safe. This command is its whole user interface; every part of it lives in a package of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		// cobra's own: unknown command, flag or argument
		exit = &exitError{exitInput, fmt.Errorf("%w; see '%s --help'", err, c.CommandPath())}
	}
	if text := exit.Error(); text != "" {
		fmt.Fprintln(os.Stderr, "interlock: "+text)
	}
	return exit.code
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "interlock",
		Short: "Share a P4 switch among tenants, and prove every change before it is made",
		Long: `Interlock links tenants' P4 programs with a system program, proves the linked program and every
reallocation of register memory with SMT solvers, and applies only what is proved.

Exit codes: 0 done, 1 refused as unsafe, 2 usage or bad input, 3 could not decide,
4 environment (switch down, disk, solver missing). Nothing is applied on any code but 0.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddGroup(
		&cobra.Group{ID: "program", Title: "Programs:"},
		&cobra.Group{ID: "memory", Title: "Memory:"},
		&cobra.Group{ID: "audit", Title: "Audit:"},
		&cobra.Group{ID: "tools", Title: "Tools:"},
	)
	for _, c := range commands() {
		root.AddCommand(c)
	}
	return root
}
