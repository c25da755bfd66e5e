package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/lemma"
	"github.com/interlock/interlock/verify/smt"
)

func newProveSpecs() *cobra.Command {
	c := &cobra.Command{
		Use:   "specs",
		Short: "Prove the standing lemmas: the recipe and evict once and for all, and what the encoders rest on",
		Long: `Prove specs has every solver decide the lemmas of specs/lemmas (SMT-LIB 2, built into this binary): that the recipe of
reallocation and evict keep M1 to M5 for any tenants, stages, sizes and starting state, and what the encoders of programs and plans
rest on. Each claim is decided together with its guard (what it assumes is possible) and each lemma has canaries: broken variants
that must be refuted. specs/README.md says what follows from all parts together. (A linked directory of that name is ./specs.)`,
		Example: "  interlock prove specs\n  interlock prove specs --solver cvc5 -o json",
		Args:    cobra.NoArgs,
	}
	format := addFormat(c)
	solvers := c.Flags().StringSlice("solver", []string{"z3", "cvc5"}, "solvers that must each prove every lemma; NAME=PATH for another binary")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return proveSpecs(c.Context(), c.OutOrStdout(), *format, *solvers)
	}
	return c
}

// lemmaTimeout is far more than any check of a lemma needs.
const lemmaTimeout = 10 * time.Second

func proveSpecs(ctx context.Context, out io.Writer, f format, solvers []string) error {
	lemmas, err := lemma.All()
	if err != nil {
		return err
	}
	var confs []smt.SolverConfig
	for _, s := range solvers {
		name, path, _ := strings.Cut(s, "=")
		if name == "" {
			return inputf("--solver %q: want NAME or NAME=PATH", s)
		}
		confs = append(confs, smt.SolverConfig{Name: name, Path: path, Timeout: lemmaTimeout})
	}
	if len(confs) == 0 {
		return inputf("--solver names no solver, so nothing could be proved")
	}
	pool, err := smt.NewPool(confs)
	if err != nil {
		return proofError(err)
	}
	defer pool.Close()
	bar := newProgress("proving")
	report, err := lemma.Prove(ctx, pool, lemmas, bar.update)
	bar.finish()
	if err != nil {
		return proofError(err)
	}
	if err := f.print(out, report, func(out io.Writer) { printLemmas(out, report) }); err != nil {
		return err
	}
	if err := report.Proved(); err != nil {
		return exitWith(verdictCode(err), err)
	}
	return nil
}

func printLemmas(out io.Writer, r *lemma.Report) {
	header := []any{"lemma", "what it says", "claims", "canaries", "verdict"}
	for _, s := range r.Solvers {
		header = append(header, s.Name)
	}
	t := newTable(out, header...)
	claims := 0
	for _, o := range r.Lemmas {
		verdict := string(o.Verdict)
		if o.Verdict != verify.Proved {
			verdict = strings.ToUpper(verdict)
		}
		row := []any{o.Name, o.Title, o.Count(lemma.Claim), o.Count(lemma.Canary), verdict}
		for _, s := range r.Solvers {
			row = append(row, o.Spent(s.Name).Round(100*time.Microsecond))
		}
		t.AppendRow(row)
		claims += o.Count(lemma.Claim)
	}
	t.Render()
	for _, s := range r.Solvers {
		fmt.Fprintf(out, "%s: %s\n", s.Name, s.Version)
	}
	if r.Proved() == nil {
		fmt.Fprintf(out, "\n%d lemmas, %d claims: all proved, each of a situation that can happen; all broken variants refuted; in %v\n",
			len(r.Lemmas), claims, r.Time.Round(time.Millisecond))
	}
}
