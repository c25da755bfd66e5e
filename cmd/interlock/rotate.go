package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/verify/ledger"
)

func newRotateKey() *cobra.Command {
	c := &cobra.Command{
		Use:     "rotate-key LEDGER",
		GroupID: "audit",
		Short:   "Replace the key that signs the verification log",
		Long: `Rotate-key makes a new key and logs the change in an entry that both keys sign; from then on the new one signs, and the old private key is
deleted. Auditors who have an earlier verifier key can go on: the log leads them to the new one. Nothing else may have the ledger open.

This is no revocation: somebody who has a copy of the old private key can still write another log from the past. Checkpoints that
auditors keep ('audit verify --since') and witnesses ('audit cosign') show that.`,
		Example: "  interlock rotate-key my-site/ledger",
		Args:    cobra.ExactArgs(1),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		l, err := ledger.Open(args[0])
		var file *fs.PathError
		switch {
		case errors.Is(err, ledger.ErrDisk), errors.Is(err, ledger.ErrBusy), errors.As(err, &file):
			return exitWith(exitEnvironment, err)
		case err != nil:
			return exitWith(exitInput, err)
		}
		defer l.Close()
		verifier, err := l.RotateKey(c.Context(), who(), time.Now())
		if err != nil {
			return exitWith(exitEnvironment, err)
		}
		fmt.Fprintf(c.OutOrStdout(), "entry %d: from now on %s is signed with the key %s\ngive %s to auditors\n", l.Size()-1, args[0], verifier,
			filepath.Join(args[0], "key.pub"))
		return nil
	}
	return c
}
