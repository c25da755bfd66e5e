package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	proof "github.com/interlock/interlock/verify/policy"
	"github.com/interlock/interlock/verify/smt"
)

func newPolicyProve() *cobra.Command {
	c := &cobra.Command{
		Use:   "prove FILE",
		Short: "Prove statements about a sharing policy, for all inputs",
		Long: `Prove translates a policy's CEL expressions to formulas that mean exactly what cel-go evaluates (64-bit overflow, errors, absorbing && and
||), and has every solver decide what is claimed of it: for every policy that what the engine counts on is kept (capacity is never
exceeded, every tenant holds nothing or its min) and that no step breaks a limit; and the statements beside it, in NAME.statements.yaml
for the policy NAME.yaml. A statement holds for all amounts, weights and budgets, and for as many tenants and resources as the
table names: those that the policy tells apart by their names, and others; and for the parameters' values below the table, which are the
policy's defaults unless the statement's bounds or a site give others. Under each solver's name is the time of all its formulas together: several
are decided at once, so this may be more than has passed.

What is refuted is shown as a run of the policy, after it was run: tenants, what they ask for, what they hold when it fails.
FILE is a policy, or builtin:NAME. With --site the tenants, weights, budgets and solvers are the site's, the parameters, too, if FILE is its
policy, and every statement is proved of both that the policy is asked about there: the pipeline of each switch and the slots of the stage
arrays, as the site is linked, with their capacities.`,
		Example: "  interlock policy prove builtin:drf\n  interlock policy prove mypolicy.yaml --statement 'capacity is never exceeded' -o json",
		Args:    cobra.ExactArgs(1),
	}
	format := addFormat(c)
	r := policyProof{}
	c.Flags().StringArrayVar(&r.only, "statement", nil, "prove this one alone; may be repeated")
	c.Flags().StringVar(&r.statements, "statements", "", "file of statements, instead of the one beside the policy")
	c.Flags().StringVarP(&r.site, "site", "s", "", "prove for this site: its tenants, its switches' resources, its solvers")
	c.Flags().StringSliceVar(&r.solvers, "solver", []string{"z3", "cvc5"}, "solvers that must each prove every statement; NAME=PATH for another binary")
	c.Flags().StringVar(&r.test, "save-test", "", "write the first counterexample to this file, as a suite for interlock policy test")
	c.RunE = func(c *cobra.Command, args []string) error {
		return r.run(c.Context(), c.OutOrStdout(), *format, args[0])
	}
	return c
}

// policyProof is what the flags say.
type policyProof struct {
	only, solvers          []string
	statements, site, test string
}

// policyTimeout is what one statement's formula may take; most take some milliseconds.
const policyTimeout = 10 * time.Second

func (r policyProof) run(ctx context.Context, out io.Writer, f format, file string) error {
	p, err := policy.Load(file)
	if err != nil {
		return exitWith(exitInput, err)
	}
	bounds := []proof.Bounds{{}}
	confs, err := solverFlags(r.solvers, policyTimeout)
	if err != nil {
		return err
	}
	if r.site != "" {
		s, err := site.Load(r.site)
		if err != nil {
			return exitWith(exitInput, err)
		}
		own := false
		if p, own, err = forSite(p, s); err != nil {
			return err
		}
		if bounds, err = siteBounds(ctx, s, p, own); err != nil {
			return err
		}
		confs = nil
		for _, x := range s.Solvers {
			confs = append(confs, smt.SolverConfig{Name: x.Name, Path: x.Path, Timeout: policyTimeout})
		}
	}
	statements, err := readStatements(p, file, r.statements)
	if err != nil {
		return exitWith(exitInput, err)
	}
	for _, name := range r.only {
		if !hasStatement(statements, name) {
			return inputf("--statement %s: there is no such statement (there are: %s)", name, statementNames(statements))
		}
	}
	pool, err := smt.NewPool(confs)
	if err != nil {
		return proofError(err)
	}
	defer pool.Close()
	bar := newProgress("proving")
	prover := proof.New(p, statements)
	report, err := prover.Prove(ctx, pool, r.only, bounds, bar.update)
	bar.finish()
	if err != nil {
		return proofError(err)
	}
	if err := f.print(out, report, func(out io.Writer) { printPolicyReport(out, report) }); err != nil {
		return err
	}
	unsaved := r.save(prover, report, file)
	if unsaved != nil && !errors.Is(unsaved, proof.ErrNoTest) {
		return unsaved
	}
	err = report.Proved()
	switch {
	case err != nil && unsaved != nil:
		return exitWith(verdictCode(err), fmt.Errorf("%w (nothing is saved: %w)", err, unsaved))
	case err != nil:
		return exitWith(verdictCode(err), err)
	}
	return nil
}

// save writes the first counterexample that can be a test as one, if that is wanted. The error is proof.ErrNoTest if none of those that there
// are can.
func (r policyProof) save(prover *proof.Proof, report *proof.Report, file string) error {
	if r.test == "" {
		return nil
	}
	var not error
	for i, o := range report.Statements {
		if o.Counterexample == nil {
			continue
		}
		name := file // as the suite, beside which it is looked for, names it
		if dir, err := filepath.Rel(filepath.Dir(r.test), file); err == nil && !strings.HasPrefix(file, policy.Builtin) {
			name = dir
		}
		text, err := prover.Save(&report.Statements[i], name)
		if err != nil {
			not = cmp.Or(not, err)
			continue
		}
		return exitWith(exitEnvironment, os.WriteFile(r.test, text, 0o644))
	}
	return not
}

// solverFlags reads --solver.
func solverFlags(flags []string, timeout time.Duration) ([]smt.SolverConfig, error) {
	var confs []smt.SolverConfig
	for _, s := range flags {
		name, path, _ := strings.Cut(s, "=")
		if name == "" {
			return nil, inputf("--solver %q: want NAME or NAME=PATH", s)
		}
		confs = append(confs, smt.SolverConfig{Name: name, Path: path, Timeout: timeout})
	}
	if len(confs) == 0 {
		return nil, inputf("--solver names no solver, so nothing could be proved")
	}
	return confs, nil
}

// readStatements are the standard statements, and those of the file beside the policy or of another.
func readStatements(p *policy.Policy, file, statements string) ([]*proof.Statement, error) {
	all := proof.Standard(p)
	src, err := []byte(nil), error(nil)
	name, isBuiltin := strings.CutPrefix(file, policy.Builtin)
	switch {
	case statements != "":
		src, err = os.ReadFile(statements)
	case isBuiltin:
		src, _ = specs.Statements(name)
		statements = file
	default:
		statements = strings.TrimSuffix(file, filepath.Ext(file)) + ".statements.yaml"
		if src, err = os.ReadFile(statements); errors.Is(err, fs.ErrNotExist) {
			return all, nil
		}
	}
	if err != nil || src == nil {
		return all, err
	}
	more, err := proof.ParseStatements(statements, src, p, func(name string) (*policy.Policy, error) {
		if !isBuiltin && !strings.HasPrefix(name, policy.Builtin) && !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(statements), name)
		}
		return policy.Load(name)
	})
	return append(all, more...), err
}

// notProvable is what policy lint says of what has no translation.
func notProvable(p *policy.Policy) strictyaml.Errors {
	var out strictyaml.Errors
	for _, u := range proof.NotProvable(p) {
		out = append(out, &strictyaml.Error{File: u.At.File, Line: u.At.Line, Col: u.At.Col, Msg: u.Reason})
	}
	return out
}

func hasStatement(all []*proof.Statement, name string) bool {
	for _, s := range all {
		if s.Name == name {
			return true
		}
	}
	return false
}

func statementNames(all []*proof.Statement) string {
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return strings.Join(names, "; ")
}

// printReach says for what the table holds: what the names in it stand for, and the parameters' values.
func printReach(out io.Writer, r *proof.Report) {
	stands := map[string]string{}
	var params []string
	by := map[string][]string{}
	for _, o := range r.Statements {
		maps.Copy(stands, o.Stands)
		if len(o.Params) == 0 {
			continue
		}
		with := fmt.Sprintf("%s (%s)", strings.Join(o.Params, ", "), o.From)
		if by[with] == nil {
			params = append(params, with)
		}
		if !slices.Contains(by[with], o.Statement) {
			by[with] = append(by[with], o.Statement)
		}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(stands)) {
		all = append(all, fmt.Sprintf("%s for any that %s", name, stands[name]))
	}
	if len(all) > 0 {
		fmt.Fprintf(out, "names stand for others: %s; x and y, a, b and c for all that are not told apart\n", strings.Join(all, ", "))
	}
	for i, p := range params {
		if i == 0 {
			fmt.Fprintf(out, "parameters: %s\n", p)
		} else {
			fmt.Fprintf(out, "  of %s: %s\n", strings.Join(by[p], "; "), p)
		}
	}
}

func printPolicyReport(out io.Writer, r *proof.Report) {
	header := []any{"statement", "for", "verdict"}
	for _, s := range r.Solvers {
		header = append(header, s.Name)
	}
	t := newTable(out, header...)
	for _, o := range r.Statements {
		verdict := string(o.Verdict)
		if o.Verdict != verify.Proved {
			verdict = strings.ToUpper(verdict)
		}
		row := []any{o.Statement, proofFor(o), verdict}
		for _, s := range r.Solvers {
			row = append(row, o.Spent(s.Name).Round(100*time.Microsecond))
		}
		t.AppendRow(row)
	}
	t.Render()
	printReach(out, r)
	for _, s := range r.Solvers {
		fmt.Fprintf(out, "%s: %s\n", s.Name, s.Version)
	}
	for _, o := range r.Statements {
		switch {
		case o.Counterexample != nil:
			fmt.Fprintf(out, "\nREFUTED %s: %s, %s\n", o.At, o.Statement, o.Reason)
			for _, l := range strings.Split(strings.TrimRight(o.Counterexample.String(), "\n"), "\n") {
				fmt.Fprintf(out, "  %s\n", l)
			}
		case o.Verdict != verify.Proved:
			fmt.Fprintf(out, "\n%s %s: %s: %s\n", strings.ToUpper(string(o.Verdict)), o.At, o.Statement, o.Reason)
		}
	}
}
