package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/verify/network"
	"github.com/interlock/interlock/verify/plan"
	proof "github.com/interlock/interlock/verify/policy"
	"github.com/interlock/interlock/verify/program"
	"github.com/interlock/interlock/verify/smt"
)

// versions is what 'interlock version' prints.
type versions struct {
	Version  string            `json:"version"` // of the module, or (devel)
	Commit   string            `json:"commit,omitempty"`
	Modified bool              `json:"modified,omitempty"` // the tree had changes that the commit has not
	Go       string            `json:"go"`
	Encoders map[string]string `json:"encoders"` // what ledger entries and certificates name
	Solvers  []solverVersion   `json:"solvers"`
}

type solverVersion struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Error   string `json:"error,omitempty"` // why it cannot be used
}

func newVersion() *cobra.Command {
	c := &cobra.Command{
		Use:     "version",
		GroupID: "tools",
		Short:   "Print the versions of interlock, its encoders and the solvers it finds",
		Example: "  interlock version -o json",
		Args:    cobra.NoArgs,
	}
	format := addFormat(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		v := versions{
			Version: "(devel)", Go: runtime.Version(),
			Encoders: map[string]string{"program": program.EncoderVersion, "plan": plan.EncoderVersion, "network": network.EncoderVersion, "policy": proof.AdmissionVersion},
		}
		if info, ok := debug.ReadBuildInfo(); ok {
			v.Version = cmp.Or(info.Main.Version, v.Version)
			for _, s := range info.Settings {
				switch s.Key {
				case "vcs.revision":
					v.Commit = s.Value
				case "vcs.modified":
					v.Modified = s.Value == "true"
				}
			}
		}
		for _, name := range []string{"z3", "cvc5"} {
			v.Solvers = append(v.Solvers, findSolver(name))
		}
		return format.print(c.OutOrStdout(), v, func(out io.Writer) {
			fmt.Fprintf(out, "interlock %s (%s)\n", v.Version, v.Go)
			if v.Commit != "" {
				fmt.Fprintf(out, "commit %s\n", v.Commit)
			}
			fmt.Fprintf(out, "encoders: program %s, plan %s, network %s, policy %s\n", v.Encoders["program"], v.Encoders["plan"], v.Encoders["network"], v.Encoders["policy"])
			for _, s := range v.Solvers {
				fmt.Fprintf(out, "solver %s: %s\n", s.Name, cmp.Or(s.Version, s.Error))
			}
		})
	}
	return c
}

// findSolver asks a solver for its version, as a site that names it would find it.
func findSolver(name string) solverVersion {
	pool, err := smt.NewPool([]smt.SolverConfig{{Name: name}})
	if err != nil {
		return solverVersion{Name: name, Error: err.Error()}
	}
	defer pool.Close()
	return solverVersion{Name: name, Version: pool.Solvers()[0].Version}
}
