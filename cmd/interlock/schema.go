package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/suite"
	proof "github.com/interlock/interlock/verify/policy"
)

// schemas of the formats that people write, and of those that editors read.
func schemas() map[string][]byte {
	return map[string][]byte{
		"site": site.Schema, "policy": policy.Schema, "policy-test": suite.Schema, "policy-input": suite.InputSchema, "policy-statements": proof.Schema, "plan-steps": alloc.StepsSchema, "diagnostics": diagnosticsSchema,
		"trace": traceSchema,
	}
}

func newSchema() *cobra.Command {
	names := slices.Sorted(maps.Keys(schemas()))
	c := &cobra.Command{
		Use:       "schema " + strings.Join(names, "|"),
		GroupID:   "tools",
		Short:     "Print the JSON Schema of a format, for editors and other checkers",
		Example:   "  interlock schema site > site.schema.json",
		Args:      cobra.ExactArgs(1),
		ValidArgs: names,
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		b, ok := schemas()[args[0]]
		if !ok {
			return inputf("no format is called %q; there are %s", args[0], strings.Join(names, ", "))
		}
		_, err := c.OutOrStdout().Write(b)
		return exitWith(exitEnvironment, err)
	}
	return c
}
