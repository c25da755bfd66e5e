package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/verify/ledger/export"
)

func newAuditExport() *cobra.Command {
	var out, tenant string
	c := &cobra.Command{
		Use:   "export LEDGER -o FILE",
		Short: "Write the log into one file, for a third party",
		Long: `Export checks the log and writes it into one ZIP file, which every audit command, and bill, reads as it reads the ledger itself.

With --tenant it is made for that tenant, and leaves out what is the others' business. Of decisions that are about others, too:
  - programs, their P4Info and manifests, what a replaced program held, the requests that give it back, and the names of objects that it does not give back;
  - what the policy was asked and said: demands, weights, budgets, balances, targets, floors and ceilings;
  - formulas of programs, replacements and policies; certificates of programs and replacements, which name tables and registers;
    certificates of policies with counterexamples;
  - the terms of plans, if the policy's price reads others' weights, budgets or the like, or parameters with others' names as keys.

What all share stays: names, VIDs, ports, the memory map (plans, page tables, the limits that each plan keeps to), the policy's text, and which
decisions there were. The digests of all that is left out stay in the entries, so that signatures, inclusion, verdicts and states are
checked as before; whoever can guess all of a file can see that the guess is right. Plans can still be replayed, as text. 'audit verify'
lists what an export leaves out.`,
		Example: `  interlock audit export ledger -o log.zip
  interlock audit export ledger --tenant kv -o for-kv.zip
  interlock audit verify for-kv.zip --key key.pub`,
		Args: cobra.ExactArgs(1),
	}
	read := ledgerFlags(c)
	c.Flags().StringVarP(&out, "output", "o", "", "file to write")
	c.Flags().StringVar(&tenant, "tenant", "", "tenant that the export is for")
	_ = c.MarkFlagRequired("output")
	c.RunE = func(c *cobra.Command, args []string) error {
		for try := 0; ; try++ {
			l, err := read(args)
			if err != nil {
				return err
			}
			if len(l.Findings) > 0 {
				return refusedf("the log is not intact, so there is nothing to export: %s", l.Findings[0])
			}
			var b bytes.Buffer
			s, err := export.Write(&b, l, tenant)
			switch {
			case errors.Is(err, fs.ErrNotExist) && try < 5:
				continue // it grew in between
			case err != nil:
				return exitWith(exitInput, err)
			}
			if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil {
				return exitWith(exitEnvironment, err)
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d entries, %d bytes", out, s.Entries, b.Len())
			if s.Redacted > 0 {
				fmt.Fprintf(c.OutOrStdout(), ", %d files left out", s.Redacted)
			}
			fmt.Fprintln(c.OutOrStdout())
			return nil
		}
	}
	return c
}
