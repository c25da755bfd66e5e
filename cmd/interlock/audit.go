package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/verify/ledger/check"
)

func newAudit() *cobra.Command {
	c := &cobra.Command{
		Use:     "audit",
		GroupID: "audit",
		Short:   "Check the verification log, offline, with a solver of your choice",
		Long: `LEDGER is a ledger's directory, or one file that 'audit export' wrote. What these commands say rests on the verifier key that you
give with --key, so have it from the operator by another way than the ledger: key.pub in the ledger proves nothing about who wrote it.`,
	}
	c.AddCommand(newAuditVerify(), newAuditReplay(), newAuditShow(), newAuditExport(), newAuditCosign(), newAuditCompare())
	return c
}

// readLedger reads the log at path, a directory or an export, with the verifier key in the file key; with the log's own if empty.
func readLedger(path, key string) (*check.Log, error) {
	var text string
	if key == "" {
		own, err := check.OwnKey(path)
		if err != nil {
			return nil, inputf("no verifier key: %w", err)
		}
		text = own
	} else {
		b, err := os.ReadFile(key)
		if err != nil {
			return nil, inputf("no verifier key: %w", err)
		}
		text = string(b)
	}
	l, err := check.Read(path, text)
	return l, exitWith(exitInput, err)
}

// ledgerFlags are what every audit command takes: a ledger's directory and the key to check it with.
func ledgerFlags(c *cobra.Command) (read func(args []string) (*check.Log, error)) {
	key := c.Flags().String("key", "", "verifier key file (default: key.pub in the ledger, which proves nothing about who wrote it)")
	return func(args []string) (*check.Log, error) { return readLedger(args[0], *key) }
}

func newAuditVerify() *cobra.Command {
	var earlier, witnesses []string
	c := &cobra.Command{
		Use:   "verify LEDGER",
		Short: "Check signatures, hashes, digests and the continuity of the switch's states",
		Long: `Verify recomputes everything from the bytes on disk: the checkpoint's signature, the tree's hashes, every entry's
signature and every digest in it, each certificate's verdict from its results, the succession of keys, and that each change of
the switch began where the last one ended. It trusts the verifier key and nothing else. Keep the checkpoint file that you
verified, and give it next time with --since: a log that was rewritten in between does not continue it. With --witness the log
must also have been cosigned by that witness ('audit cosign').`,
		Example: `  interlock audit verify ledger --key /media/usb/key.pub
  interlock audit verify ledger --key /media/usb/key.pub --since checkpoint.last-month --witness witness.pub
  interlock audit verify export.zip --key key.pub -o json`,
		Args: cobra.ExactArgs(1),
	}
	read := ledgerFlags(c)
	format := addFormat(c)
	c.Flags().StringArrayVar(&earlier, "since", nil, "an earlier checkpoint, kept elsewhere, that the log must continue (may be repeated)")
	c.Flags().StringArrayVar(&witnesses, "witness", nil, "verifier key file of a witness that must have cosigned the log (may be repeated)")
	c.RunE = func(c *cobra.Command, args []string) error {
		l, err := read(args)
		if err != nil {
			return err
		}
		for _, f := range []struct {
			names []string
			check func([]byte) error
		}{{earlier, l.Extends}, {witnesses, func(b []byte) error { return l.Verify(string(b)) }}} {
			for _, name := range f.names {
				b, err := os.ReadFile(name)
				if err != nil {
					return exitWith(exitInput, err)
				}
				if err := f.check(b); err != nil {
					return inputf("%s: %w", name, err)
				}
			}
		}
		data := struct {
			Origin   string             `json:"origin"`
			Size     int64              `json:"size"`
			Root     string             `json:"root"`
			Keys     []check.SigningKey `json:"keys"`
			Cosigned []check.Cosigned   `json:"cosigned"`
			Tenant   string             `json:"tenant,omitempty"` // that the export is for
			LeftOut  []check.Omission   `json:"leftOut"`
			Redacted []string           `json:"redacted"` // digests of what is left out
			Findings []check.Finding    `json:"findings"`
		}{l.Origin, l.Size, l.Root, l.Keys, l.Cosigned, l.Tenant, l.Omissions, l.Redacted, l.Findings}
		err = format.print(c.OutOrStdout(), data, func(out io.Writer) {
			for _, f := range l.Findings {
				fmt.Fprintln(out, f)
			}
			if len(l.Findings) == 0 {
				printIntact(out, l)
			}
		})
		if err != nil {
			return err
		}
		if n := len(l.Findings); n > 0 {
			return refusedf("the log is not intact: %d findings, the first: %s", n, l.Findings[0])
		}
		return nil
	}
	return c
}

// printIntact says what was found to be intact, and what was not looked at.
func printIntact(out io.Writer, l *check.Log) {
	fmt.Fprintf(out, "%s: %d entries, root %s: intact\n", l.Origin, l.Size, l.Root)
	for _, k := range l.Keys[1:] {
		fmt.Fprintf(out, "from entry %d on signed with the key %s: keep it for the next time\n", k.From, k.Key)
	}
	for _, w := range l.Cosigned {
		how := "not verified: give its key with --witness"
		if w.Verified {
			how = "verified"
		}
		fmt.Fprintf(out, "cosigned by %s at %s up to %d entries: %s\n", w.Witness, w.At.Format(time.DateTime), w.Size, how)
	}
	if len(l.Redacted) > 0 {
		var kinds []string
		for _, o := range l.Omissions {
			kinds = append(kinds, fmt.Sprintf("%s (%d)", o.What, o.Files))
		}
		fmt.Fprintf(out, "left out of this export for tenant %s: %s\n", l.Tenant, strings.Join(kinds, ", "))
		fmt.Fprintln(out, "digests of these are in the entries; their contents were not checked")
	}
}
