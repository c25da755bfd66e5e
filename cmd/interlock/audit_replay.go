package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger/replay"
	"github.com/interlock/interlock/verify/smt"
)

func newAuditReplay() *cobra.Command {
	var solver, path, state string
	var summary bool
	var jobs int
	c := &cobra.Command{
		Use:   "replay LEDGER",
		Short: "Build every obligation again from the recorded inputs and decide it with a solver of your choice",
		Long: `Replay ends each decision as confirmed (the same text, the same verdict), text-only (built by another encoder version;
the recorded text was decided), undecided or contradicted. Exit code 1 if any is contradicted, 3 if any is undecided.
Each of --jobs processes of the solver decides one decision at a time, incrementally, and goes on to the next. Most decisions have texts in
common: what this replay's solver has proved or refuted, it is not asked again. With --state what is settled is kept in a file: an
interrupted replay goes on from there, and a later one decides only what is new. The file is yours to guard.`,
		Example: `  interlock audit replay ledger --key key.pub --solver cvc5
  interlock audit replay ledger --solver z3 --state replay.z3 --summary
  interlock audit replay ledger --solver mine --path /opt/mine --jobs 8`,
		Args: cobra.ExactArgs(1),
	}
	read := ledgerFlags(c)
	format := addFormat(c)
	c.Flags().StringVar(&solver, "solver", "cvc5", "name of the solver: z3, cvc5, or any that reads SMT-LIB 2 on its standard input")
	c.Flags().StringVar(&path, "path", "", "the solver's binary (default: the name, in PATH)")
	c.Flags().StringVar(&state, "state", "", "file that keeps what is settled, to go on from")
	c.Flags().IntVar(&jobs, "jobs", runtime.NumCPU(), "decisions at once, each with a solver process")
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
		if jobs < 1 {
			return inputf("--jobs %d: want at least 1", jobs)
		}
		var deciders []verify.Decider
		for range jobs {
			pool, err := smt.NewPool([]smt.SolverConfig{{Name: solver, Path: path, Processes: 1}})
			if err != nil {
				return exitWith(exitEnvironment, err)
			}
			defer pool.Close()
			deciders = append(deciders, pool)
		}
		info := deciders[0].Solvers()[0]
		bar := newProgress("replaying with " + solver)
		opt := replay.Options{Progress: bar.update}
		if state != "" {
			if opt.State, err = replay.OpenState(state, info); errors.Is(err, replay.ErrOtherReplay) {
				return inputf("%w: name another file", err)
			} else if err != nil {
				return exitWith(exitInput, err)
			}
			defer opt.State.Close()
		}
		begun := time.Now()
		results, err := replay.Run(c.Context(), l, deciders, opt)
		bar.finish()
		if err != nil {
			if state != "" {
				err = fmt.Errorf("%w; the same command goes on from there", err)
			}
			return exitWith(exitUndecided, err)
		}
		took := time.Since(begun)
		err = format.print(c.OutOrStdout(), results, func(out io.Writer) { printReplay(out, results, summary, info.Version, took) })
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
