package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
	"github.com/interlock/interlock/policy/suite"
	"github.com/interlock/interlock/specs"
)

// suiteSuffix is how the names of test suites end.
const suiteSuffix = "_test.yaml"

func newPolicyTest() *cobra.Command {
	var junit string
	var coverage bool
	c := &cobra.Command{
		Use:   "test [SUITE|DIR|builtin:NAME]...",
		Short: "Run the test suites of policies",
		Long: `A suite (kind: SharingPolicyTest) gives tenants and a capacity, and says what the policy must make of them: who holds what, who
is stopped by which rule, what is refused and with which message, over one epoch or several. Test runs the suites given, those in
files named *_test.yaml below the directories given (the working directory, unless told otherwise), or that of a policy that
comes with interlock. Coverage counts the expressions that were evaluated, rules that were seen both to hold and not to, and
branches taken.`,
		Example: "  interlock policy test policy_test.yaml\n  interlock policy test specs/policies --junit report.xml\n  interlock policy test builtin:drf --coverage",
	}
	c.Flags().StringVar(&junit, "junit", "", "also write a JUnit report to this file")
	c.Flags().BoolVar(&coverage, "coverage", false, "list the parts of each policy that no case reached")
	out := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			args = []string{"."}
		}
		var reports []*suite.Report
		sources := map[string][]byte{}
		for _, arg := range args {
			suites, err := loadSuites(arg)
			if err != nil {
				return err
			}
			for _, s := range suites {
				r, err := s.Run(c.Context())
				if err != nil {
					return exitWith(exitUndecided, err)
				}
				reports = append(reports, r)
				sources[s.Policy.File()] = s.Policy.Text()
			}
		}
		if junit != "" {
			if err := writeFile(junit, func(w io.Writer) error { return suite.WriteJUnit(w, reports) }); err != nil {
				return exitWith(exitEnvironment, err)
			}
		}
		if err := out.print(c.OutOrStdout(), reports, func(w io.Writer) { printReports(w, reports, sources, coverage) }); err != nil {
			return exitWith(exitEnvironment, err)
		}
		failed := 0
		for _, r := range reports {
			failed += r.Failed()
		}
		if failed > 0 {
			return refusedf("%s failed", plural(failed, "case"))
		}
		return nil
	}
	return c
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// loadSuites finds the suites that an argument means.
func loadSuites(arg string) ([]*suite.Suite, error) {
	if name, ok := strings.CutPrefix(arg, policy.Builtin); ok {
		text, ok := specs.PolicyTests(name)
		if !ok {
			return nil, inputf("%s: no such policy (there are: %s)", arg, strings.Join(builtinPolicies(), ", "))
		}
		s, err := suite.Parse(arg+suiteSuffix, text, func(string) (*policy.Policy, error) { return policy.Load(arg) })
		if err != nil {
			return nil, exitWith(exitInput, err)
		}
		return []*suite.Suite{s}, nil
	}
	var files []string
	err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (path == arg || strings.HasSuffix(path, suiteSuffix)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	if len(files) == 0 {
		return nil, inputf("%s: no file below is named *%s", arg, suiteSuffix)
	}
	var out []*suite.Suite
	for _, file := range files {
		src, err := readSome(file)
		if err != nil {
			return nil, err
		}
		s, err := suite.Load(file, src)
		if err != nil {
			return nil, exitWith(exitInput, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// readSome reads a document, and not much more of one that is too long: it is refused by its size.
func readSome(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, exitWith(exitInput, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, strictyaml.MaxBytes+1))
	return b, exitWith(exitEnvironment, err)
}

func printReports(w io.Writer, reports []*suite.Report, sources map[string][]byte, coverage bool) {
	t := newTable(w, "suite", "policy", "case", "result")
	for _, r := range reports {
		for _, x := range r.Results {
			result := "passed"
			if len(x.Failures) > 0 {
				result = "FAILED"
			}
			t.AppendRow([]any{r.Suite, r.Policy, x.Case, result})
		}
	}
	t.Render()
	for _, r := range reports {
		for _, x := range r.Results {
			for _, f := range x.Failures {
				fmt.Fprintf(w, "%s: %s: %s\n", f.At, x.Case, f.Message)
			}
		}
	}
	for _, r := range reports {
		reached, all := r.Covered()
		fmt.Fprintf(w, "%s: %d of %d cases passed; %d of %d parts of policy %s reached\n", r.Suite, len(r.Results)-r.Failed(), len(r.Results),
			reached, all, r.Policy)
		if !coverage {
			continue
		}
		for _, p := range r.Coverage {
			if !p.Reached {
				problem := strictyaml.Errors{{File: p.At.File, Line: p.At.Line, Col: p.At.Col, Msg: p.What}}
				findingsOf(problem, "not reached", sources[p.At.File])[0].print(w)
			}
		}
	}
}
