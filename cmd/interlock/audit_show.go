package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/ledger/page"
)

func newAuditShow() *cobra.Command {
	var html string
	var formulas bool
	c := &cobra.Command{
		Use:   "show LEDGER [ENTRY]",
		Short: "List the log, or show one entry: what was asked, what was proved, what became of it",
		Long: `Show lists the log. For one decision it shows what was asked, step by step as read from the bytes, the memory map before and after,
what was proved and by which solvers, and what became of it. With --html it writes the same as one page that needs nothing
else, with the map as a picture and all formulas.`,
		Example: `  interlock audit show ledger
  interlock audit show ledger 12
  interlock audit show ledger 12 --html entry12.html
  interlock audit show export.zip 12 --formulas
  interlock audit show ledger 12 -o json`,
		Args: cobra.RangeArgs(1, 2),
	}
	read := ledgerFlags(c)
	format := addFormat(c)
	c.Flags().StringVar(&html, "html", "", "file to write the decision to, as a page")
	c.Flags().BoolVar(&formulas, "formulas", false, "print the formulas, too: SMT-LIB 2")
	c.RunE = func(c *cobra.Command, args []string) error {
		l, err := read(args)
		if err != nil {
			return err
		}
		if len(l.Findings) > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "interlock: the log is not intact: %s\n", l.Findings[0])
		}
		if len(args) == 1 {
			if html != "" || formulas {
				return inputf("--html and --formulas are about one entry: say which")
			}
			return format.print(c.OutOrStdout(), l.Entries, func(out io.Writer) { listEntries(out, l) })
		}
		var index int64
		if _, err := fmt.Sscanf(args[1], "%d", &index); err != nil || index < 0 || index >= int64(len(l.Entries)) {
			return inputf("the log has entries 0 to %d, not %q", len(l.Entries)-1, args[1])
		}
		e := l.Entries[index]
		if e.Decision == nil {
			if html != "" || formulas {
				return inputf("entry %d is no decision: it has neither formulas nor a page", index)
			}
			return format.print(c.OutOrStdout(), e, func(out io.Writer) { showOther(out, e) })
		}
		if html != "" {
			if len(l.Findings) > 0 {
				return refusedf("the log is not intact, so no page is made of it: %s", l.Findings[0])
			}
			return writeDossier(c.OutOrStdout(), html, l, e)
		}
		return format.print(c.OutOrStdout(), e, func(out io.Writer) { showDecision(out, l, e, formulas) })
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
		case e.KeyChange != nil:
			t.AppendRow([]any{e.Index, e.KeyChange.At.Format(time.DateTime), "new key", e.Subject, "", e.KeyChange.Who})
		default:
			t.AppendRow([]any{e.Index, "", "damaged", "", "", ""})
		}
	}
	t.Render()
}

// showOther prints an entry that is no decision.
func showOther(out io.Writer, e check.Entry) {
	switch o := e.Outcome; {
	case e.KeyChange != nil:
		fmt.Fprintf(out, "new key, by %s at %s\nbefore %s\nafter  %s\n", e.KeyChange.Who, e.KeyChange.At.Format(time.DateTime), e.KeyChange.Old, e.KeyChange.New)
	case o == nil:
		fmt.Fprintln(out, "the entry is damaged")
	default:
		fmt.Fprintf(out, "%s of entry %d on switch %s by %s at %s: %s after %d steps\nstate before %s\nstate after  %s\n",
			o.Action, o.Decision, o.Switch, o.Who, o.At.Format(time.DateTime), o.Result, o.Steps, o.PreState, o.PostState)
		if o.Error != "" {
			fmt.Fprintln(out, o.Error)
		}
	}
}

// showDecision prints a decision's dossier.
func showDecision(out io.Writer, l *check.Log, e check.Entry, formulas bool) {
	d := newDossier(l, e)
	fmt.Fprintf(out, "entry %d: %s on %s by %s at %s: %s\n", e.Index, d.page.Action, d.page.Title, d.page.Who, d.page.At.Format(time.DateTime), d.page.Verdict)
	if d.page.Reason != "" {
		fmt.Fprintln(out, d.page.Reason)
	}
	for _, lines := range d.page.Refuted {
		fmt.Fprintln(out, "\n"+strings.Join(lines, "\n"))
	}
	fmt.Fprintln(out, "\nasked:")
	if len(d.page.Asked) == 0 {
		fmt.Fprintln(out, "  what was asked is not in this log")
	}
	for _, s := range d.page.Asked {
		for i, line := range s.Does {
			number := "     "
			if i == 0 {
				number = fmt.Sprintf("%3d. ", s.Number)
			}
			fmt.Fprintln(out, number+line)
		}
		if s.More > 0 {
			fmt.Fprintf(out, "     ... and %d more\n", s.More)
		}
	}
	fmt.Fprintln(out, "\nmemory map:")
	if d.page.NoMaps != "" {
		fmt.Fprintln(out, "  "+d.page.NoMaps)
	} else {
		t := newTable(out, "stage", "tenant", "slots before", "slots after", "content")
		for _, r := range page.Changes(d.page.Maps) {
			t.AppendRow([]any{r.Stage, r.Tenant, r.Before, r.After, r.What})
		}
		t.Render()
	}
	fmt.Fprintln(out, "\nproved:")
	if d.certificate != nil {
		printCertificate(out, d.certificate)
	} else {
		fmt.Fprintln(out, "  "+d.page.NoFormulas)
	}
	fmt.Fprintln(out, "\nbecame of it:")
	for _, o := range d.page.Outcomes {
		fmt.Fprintln(out, "  "+o)
	}
	if len(d.page.Outcomes) == 0 {
		fmt.Fprintln(out, "  "+d.page.NoOutcomes)
	}
	fmt.Fprintf(out, "\nleaf %s\n", d.page.Log.Leaf)
	for _, in := range d.page.Inputs {
		fmt.Fprintf(out, "input %s: %d bytes, %s\n", in.Name, in.Size, in.Digest)
	}
	if !formulas {
		return
	}
	for _, f := range d.page.Formulas {
		fmt.Fprintf(out, "\n; %s: %s (%s)\n%s\n", f.ID, f.Subject, f.Verdicts, strings.TrimSpace(f.Text))
		if f.Guard != "" {
			fmt.Fprintf(out, "; guard of %s, which must be satisfiable\n%s\n", f.ID, strings.TrimSpace(f.Guard))
		}
	}
}
