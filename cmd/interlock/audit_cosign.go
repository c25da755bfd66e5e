package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/verify/ledger/witness"
)

func newAuditCosign() *cobra.Command {
	var keyFile, name, seen string
	var publish bool
	c := &cobra.Command{
		Use:   "cosign LEDGER --witness KEY --seen FILE",
		Short: "As a witness, sign the log's checkpoint if it continues what you saw before",
		Long: `Cosign verifies the whole log, and that it continues the checkpoint in the file given with --seen. Then it writes the checkpoint with your
signature (c2sp.org/tlog-cosignature) to that file, and with --publish into the ledger, for auditors who know your key
('audit verify --witness'). An operator cannot show one log to you and another to them unless you help. --name makes a key, the
first time: KEY is readable by you only, KEY.pub is for auditors.`,
		Example: `  interlock audit cosign ledger --key key.pub --witness witness --name example.org/w1 --seen last.checkpoint --publish
  interlock audit cosign ledger --key key.pub --witness witness --seen last.checkpoint --publish`,
		Args: cobra.ExactArgs(1),
	}
	read := ledgerFlags(c)
	c.Flags().StringVar(&keyFile, "witness", "", "the witness's private key")
	c.Flags().StringVar(&name, "name", "", "make the key, with this name")
	c.Flags().StringVar(&seen, "seen", "", "file with the checkpoint that was signed last; it is written")
	c.Flags().BoolVar(&publish, "publish", false, "put the signed checkpoint into the ledger, too")
	_ = c.MarkFlagRequired("witness")
	_ = c.MarkFlagRequired("seen")
	c.RunE = func(c *cobra.Command, args []string) error {
		l, err := read(args)
		if err != nil {
			return err
		}
		last, err := os.ReadFile(seen)
		switch {
		case err == nil:
			if err := l.Extends(last); err != nil {
				return inputf("%s: %w", seen, err)
			}
		case !errors.Is(err, fs.ErrNotExist):
			return exitWith(exitInput, err)
		}
		if len(l.Findings) > 0 {
			return refusedf("not signed: %s", l.Findings[0])
		}
		var k *witness.Key
		if name != "" {
			k, err = witness.Create(keyFile, name)
		} else {
			k, err = witness.Load(keyFile)
		}
		if err != nil {
			return exitWith(exitInput, err)
		}
		signed, err := k.Cosign(l.Checkpoint, time.Now())
		if err != nil {
			return exitWith(exitInput, err)
		}
		if err := witness.Replace(seen, signed); err != nil {
			return exitWith(exitEnvironment, err)
		}
		if publish {
			if err := k.Publish(args[0], signed); err != nil {
				return exitWith(exitEnvironment, err)
			}
		}
		fmt.Fprintf(c.OutOrStdout(), "%s: %d entries, root %s: signed by %s\n", l.Origin, l.Size, l.Root, k.ID())
		return nil
	}
	return c
}
