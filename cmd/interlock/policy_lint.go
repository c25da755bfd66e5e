package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
)

// linted is what policy lint -o json prints about a policy.
type linted struct {
	Policy      string             `json:"policy"`
	File        string             `json:"file"`
	Mode        policy.Mode        `json:"mode,omitempty"`
	ByStage     bool               `json:"byStage,omitempty"`
	Digest      string             `json:"digest,omitempty"`
	Findings    []finding          `json:"findings"`
	Expressions []lintedExpression `json:"expressions"`
}

type lintedExpression struct {
	Role   policy.Role     `json:"role"`
	Name   string          `json:"name,omitempty"`
	At     policy.Position `json:"at"`
	Type   string          `json:"type"`
	Cost   uint64          `json:"cost"`   // CEL units, at most, for the largest site
	Tenant bool            `json:"tenant"` // it is about one tenant
	Others bool            `json:"others"` // it reads what changes when another tenant is granted something
}

// newPolicyLint makes the command; notProvable says what the prover cannot translate, and may be nil.
func newPolicyLint(notProvable func(*policy.Policy) strictyaml.Errors) *cobra.Command {
	c := &cobra.Command{
		Use:   "lint POLICY...",
		Short: "Check policies: types, cost, unused names",
		Long: `Lint checks a policy as link and plan do before they use it, and shows every problem at its place: what is no YAML or no
CEL, what has the wrong type, what may cost too much with 4094 tenants, what nobody reads. An expression whose cost is given
is bounded; one that might cost more than the limit is an error.`,
		Example: "  interlock policy lint policy.yaml\n  interlock policy lint builtin:credits -o json",
		Args:    cobra.MinimumNArgs(1),
	}
	out := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		var all []linted
		bad := 0
		for _, name := range args {
			l, err := lint(name, notProvable)
			if err != nil {
				return err
			}
			for _, f := range l.Findings {
				if f.Severity == "error" {
					bad++
				}
			}
			all = append(all, l)
		}
		if err := out.print(c.OutOrStdout(), all, func(w io.Writer) {
			for _, l := range all {
				l.print(w)
			}
		}); err != nil {
			return exitWith(exitEnvironment, err)
		}
		if bad > 0 {
			return inputf("%s", plural(bad, "error"))
		}
		return nil
	}
	return c
}

func lint(name string, notProvable func(*policy.Policy) strictyaml.Errors) (linted, error) {
	l := linted{File: name, Findings: []finding{}, Expressions: []lintedExpression{}}
	p, text, err := readPolicy(name)
	var problems strictyaml.Errors
	if errors.As(err, &problems) {
		l.Findings = findingsOf(problems, "error", text)
		return l, nil
	} else if err != nil {
		return l, err
	}
	l.Policy, l.Mode, l.ByStage, l.Digest = p.Name(), p.Mode(), p.ByStage(), p.Digest()
	l.Findings = findingsOf(p.Warnings(), "warning", text)
	if notProvable != nil {
		l.Findings = append(l.Findings, findingsOf(notProvable(p), "not provable", text)...)
	}
	for _, e := range p.Expressions() {
		l.Expressions = append(l.Expressions, lintedExpression{
			e.Role, e.Name, e.At, policy.TypeName(e.Type), e.Cost, e.Tenant(), e.Others(),
		})
	}
	return l, nil
}

func (l linted) print(w io.Writer) {
	for _, f := range l.Findings {
		f.print(w)
	}
	if l.Policy == "" {
		return
	}
	stages := ""
	if l.ByStage {
		stages = ", link asks about every stage"
	}
	fmt.Fprintf(w, "%s: policy %s is well formed (mode %s%s)\n", l.File, l.Policy, l.Mode, stages)
	t := newTable(w, "expression", "at", "type", "cost at most", "evaluated")
	for _, e := range l.Expressions {
		when := "once in a state"
		if e.Tenant {
			when = "for each tenant"
		}
		if e.Role == policy.RoleRank && e.Others {
			when = "for each tenant after each grant"
		}
		name := string(e.Role)
		if e.Name != "" {
			name += " " + e.Name
		}
		t.AppendRow([]any{name, fmt.Sprintf("%d:%d", e.At.Line, e.At.Col), e.Type, e.Cost, when})
	}
	t.Render()
}
