package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/ledger/replay"
	"github.com/interlock/interlock/verify/smt"
)

func newAudit() *cobra.Command {
	c := &cobra.Command{
		Use:     "audit",
		GroupID: "audit",
		Short:   "Check the verification log, offline, with a solver of your choice",
	}
	c.AddCommand(newAuditVerify(), newAuditReplay(), newAuditShow(), newAuditCompare())
	return c
}

// readLedger reads the log in dir with the verifier key in the file key; key.pub beside the log if empty.
func readLedger(dir, key string) (*check.Log, error) {
	if key == "" {
		key = filepath.Join(dir, "key.pub")
	}
	k, err := os.ReadFile(key)
	if err != nil {
		return nil, inputf("no verifier key: %w", err)
	}
	l, err := check.Read(dir, string(k))
	return l, exitWith(exitInput, err)
}

// ledgerFlags are what every audit command takes: a ledger's directory and the key to check it with.
func ledgerFlags(c *cobra.Command) (read func(args []string) (*check.Log, error)) {
	key := c.Flags().String("key", "", "verifier key file (default: key.pub in the ledger, which proves nothing about who wrote it)")
	return func(args []string) (*check.Log, error) { return readLedger(args[0], *key) }
}

func newAuditVerify() *cobra.Command {
	var earlier string
	c := &cobra.Command{
		Use:   "verify LEDGER",
		Short: "Check signatures, hashes, digests and the continuity of the switch's states",
		Long: `Verify recomputes everything from the bytes on disk: the checkpoint's signature, the tree's hashes, every entry's
signature and every digest in it, each certificate's verdict from its results, and that each change of the switch began
where the last one ended. It trusts the verifier key and nothing else.`,
		Example: "  interlock audit verify ledger --key /media/usb/key.pub --since checkpoint.last-month",
		Args:    cobra.ExactArgs(1),
	}
	read := ledgerFlags(c)
	format := addFormat(c)
	c.Flags().StringVar(&earlier, "since", "", "an earlier checkpoint, kept elsewhere, that the log must continue")
	c.RunE = func(c *cobra.Command, args []string) error {
		l, err := read(args)
		if err != nil {
			return err
		}
		if earlier != "" {
			cp, err := os.ReadFile(earlier)
			if err != nil {
				return exitWith(exitInput, err)
			}
			if err := l.Extends(cp); err != nil {
				return exitWith(exitInput, err)
			}
		}
		data := struct {
			Origin   string          `json:"origin"`
			Size     int64           `json:"size"`
			Root     string          `json:"root"`
			Findings []check.Finding `json:"findings"`
		}{l.Origin, l.Size, l.Root, l.Findings}
		err = format.print(c.OutOrStdout(), data, func(out io.Writer) {
			for _, f := range l.Findings {
				fmt.Fprintln(out, f)
			}
			if len(l.Findings) == 0 {
				fmt.Fprintf(out, "%s: %d entries, root %s: intact\n", l.Origin, l.Size, l.Root)
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

func newAuditReplay() *cobra.Command {
	var solver, path string
	var summary bool
	c := &cobra.Command{
		Use:   "replay LEDGER",
		Short: "Build every obligation again from the recorded inputs and decide it with a solver of your choice",
		Long: `Replay ends each decision as confirmed (the same text, the same verdict), text-only (built by another encoder version;
the recorded text was decided), undecided or contradicted.`,
		Example: "  interlock audit replay ledger --solver cvc5\n  interlock audit replay ledger --solver mine --path /opt/mine",
		Args:    cobra.ExactArgs(1),
	}
	read := ledgerFlags(c)
	format := addFormat(c)
	c.Flags().StringVar(&solver, "solver", "cvc5", "name of the solver: z3, cvc5, or any that reads SMT-LIB 2 on its standard input")
	c.Flags().StringVar(&path, "path", "", "the solver's binary (default: the name, in PATH)")
	c.Flags().BoolVar(&summary, "summary", false, "print the sum, and only decisions that are not confirmed")
	c.RunE = func(c *cobra.Command, args []string) error {
		l, err := read(args)
		if err != nil {
			return err
		}
		if len(l.Findings) > 0 {
			return refusedf("the log is not intact, so there is nothing to replay: %s", l.Findings[0])
		}
		if path == "" {
			path = solver // the binary of that name, not our worker
		}
		pool, err := smt.NewPool([]smt.SolverConfig{{Name: solver, Path: path}})
		if err != nil {
			return exitWith(exitEnvironment, err)
		}
		defer pool.Close()
		bar := newProgress("replaying with " + solver)
		begun := time.Now()
		results, err := replay.Run(c.Context(), l, pool, bar.update)
		bar.finish()
		if err != nil {
			return exitWith(exitUndecided, err)
		}
		took := time.Since(begun)
		err = format.print(c.OutOrStdout(), results, func(out io.Writer) { printReplay(out, results, summary, pool.Solvers()[0].Version, took) })
		if err != nil {
			return err
		}
		return replayError(results)
	}
	return c
}

func printReplay(out io.Writer, results []replay.Result, summary bool, version string, took time.Duration) {
	t := newTable(out, "entry", "subject", "recorded", "obligations", "outcome", "")
	counts := map[replay.Outcome]int{}
	obligations := 0
	for _, r := range results {
		counts[r.Outcome]++
		obligations += r.Obligations
		if !summary || r.Outcome != replay.Confirmed {
			t.AppendRow([]any{r.Entry, r.Subject, r.Recorded, r.Obligations, r.Outcome, r.Reason})
		}
	}
	if t.Length() > 0 {
		t.Render()
	}
	var sums []string
	for _, o := range []replay.Outcome{replay.Confirmed, replay.TextOnly, replay.Undecided, replay.Contradicted} {
		if counts[o] > 0 {
			sums = append(sums, fmt.Sprintf("%d %s", counts[o], o))
		}
	}
	fmt.Fprintf(out, "%s\n%d decisions, %d obligations in %v: %s\n", version, len(results), obligations, took.Round(time.Millisecond),
		strings.Join(sums, ", "))
}

func replayError(results []replay.Result) error {
	var undecided error
	for _, r := range results {
		switch r.Outcome {
		case replay.Contradicted:
			return refusedf("entry %d is contradicted: %s", r.Entry, r.Reason)
		case replay.Undecided:
			undecided = undecidedf("entry %d is undecided: %s", r.Entry, r.Reason)
		}
	}
	return undecided
}

func newAuditShow() *cobra.Command {
	c := &cobra.Command{
		Use:     "show LEDGER [ENTRY]",
		Short:   "List the log, or show one entry: what was asked, what was proved, what became of it",
		Example: "  interlock audit show ledger\n  interlock audit show ledger 12 -o json",
		Args:    cobra.RangeArgs(1, 2),
	}
	read := ledgerFlags(c)
	format := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		l, err := read(args)
		if err != nil {
			return err
		}
		if len(args) == 1 {
			return format.print(c.OutOrStdout(), l.Entries, func(out io.Writer) { listEntries(out, l) })
		}
		var index int64
		if _, err := fmt.Sscanf(args[1], "%d", &index); err != nil || index < 0 || index >= int64(len(l.Entries)) {
			return inputf("the log has entries 0 to %d, not %q", len(l.Entries)-1, args[1])
		}
		e := l.Entries[index]
		return format.print(c.OutOrStdout(), e, func(out io.Writer) { showEntry(out, l, e) })
	}
	return c
}

func listEntries(out io.Writer, l *check.Log) {
	t := newTable(out, "entry", "at", "what", "subject", "result", "who")
	for _, e := range l.Entries {
		switch {
		case e.Decision != nil:
			d := e.Decision
			t.AppendRow([]any{e.Index, d.At.Format(time.DateTime), "decision: " + d.Action, e.Subject, d.Verdict, d.Who})
		case e.Outcome != nil:
			o := e.Outcome
			t.AppendRow([]any{e.Index, o.At.Format(time.DateTime), o.Action, fmt.Sprintf("entry %d on switch %s", o.Decision, o.Switch), o.Result, o.Who})
		}
	}
	t.Render()
}

func showEntry(out io.Writer, l *check.Log, e check.Entry) {
	if o := e.Outcome; o != nil {
		fmt.Fprintf(out, "%s of entry %d on switch %s by %s at %s: %s after %d steps\nstate before %s\nstate after  %s\n",
			o.Action, o.Decision, o.Switch, o.Who, o.At.Format(time.DateTime), o.Result, o.Steps, o.PreState, o.PostState)
		if o.Error != "" {
			fmt.Fprintln(out, o.Error)
		}
		return
	}
	d := e.Decision
	if d == nil {
		fmt.Fprintln(out, "the entry is damaged")
		return
	}
	fmt.Fprintf(out, "%s: %s by %s at %s: %s\n", d.Action, e.Subject, d.Who, d.At.Format(time.DateTime), d.Verdict)
	for _, line := range []string{d.Reason, d.Lemma} {
		if line != "" {
			fmt.Fprintln(out, line)
		}
	}
	for name, b := range d.Inputs {
		fmt.Fprintf(out, "input %s: %d bytes, %s\n", name, b.Size, b.Content)
	}
	if d.Obligations == nil {
		return
	}
	obs, err := l.Obligations(e)
	if err != nil {
		fmt.Fprintln(out, err)
		return
	}
	t := newTable(out, "obligation", "property", "subject", "logic", "bytes")
	for _, o := range obs {
		t.AppendRow([]any{o.ID, o.Property, o.Subject, o.Logic, len(o.Text)})
	}
	t.Render()
}

func newAuditCompare() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:     "compare",
		Short:   "Read the switch live and compare it with the log's last entry",
		Example: "  interlock audit compare -d linked",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringVarP(&dir, "dir", "d", defaultDir, "linked directory")
	c.RunE = func(c *cobra.Command, args []string) error {
		w, err := openWork(dir)
		if err != nil {
			return err
		}
		want, _, err := w.lastState()
		if err != nil {
			return err
		}
		if want == "" {
			return inputf("the ledger has no outcome on switch %s yet", w.site.Switch.Name)
		}
		r, err := device.Dial(w.target())
		if err != nil {
			return gateError(err)
		}
		defer r.Close()
		ctx, cancel := timeout(c.Context())
		defer cancel()
		have, err := gate.StateDigest(ctx, r)
		if err != nil {
			return gateError(err)
		}
		if have != want {
			return refusedf("switch %s is in state %s, the log's last entry left %s: something else wrote to it, or a plan was interrupted",
				w.site.Switch.Name, have, want)
		}
		fmt.Fprintf(c.OutOrStdout(), "switch %s is as the log's last entry left it: %s\n", w.site.Switch.Name, have)
		return nil
	}
	return c
}
