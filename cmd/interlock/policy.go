package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
	"github.com/interlock/interlock/specs"
)

func newPolicy() *cobra.Command {
	c := &cobra.Command{
		Use:     "policy",
		GroupID: "program",
		Short:   "Write, test and explain sharing policies",
		Long: `A sharing policy is a YAML document with CEL expressions that says who gets how much of a switch. It is named by the path of
its file, or as one of those that come with interlock: ` + strings.Join(builtinPolicies(), ", ") + `.`,
		Example: "  interlock policy lint policy.yaml\n  interlock policy test policy_test.yaml\n  interlock policy eval --policy policy.yaml --input tenants.yaml",
	}
	c.AddCommand(newPolicyLint(notProvable), newPolicyTest(), newPolicyEval(), newPolicyDiff(), newPolicyProve())
	return c
}

func builtinPolicies() []string {
	var out []string
	for _, n := range specs.PolicyNames() {
		out = append(out, policy.Builtin+n)
	}
	return out
}

// readPolicy reads a policy's text, and compiles it. The text is there also when it does not compile.
func readPolicy(name string) (*policy.Policy, []byte, error) {
	if builtin, ok := strings.CutPrefix(name, policy.Builtin); ok {
		text, _ := specs.Policy(builtin)
		p, err := policy.Load(name)
		return p, text, exitWith(exitInput, err)
	}
	text, err := readSome(name)
	if err != nil {
		return nil, nil, err
	}
	p, err := policy.Parse(name, text)
	return p, text, exitWith(exitInput, err)
}

// addParams adds --param.
func addParams(c *cobra.Command, params *[]string) {
	c.Flags().StringArrayVar(params, "param", nil, "NAME=VALUE: a parameter of the policy, its value as in YAML, such as 'class={a: gold}'; may be repeated")
}

// withParams is p with what --param gives.
func withParams(p *policy.Policy, params []string) (*policy.Policy, error) {
	for _, s := range params {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, inputf("--param %s: want NAME=VALUE", s)
		}
		doc, n := strictyaml.Parse("--param "+name, []byte(name+": "+value+"\n"))
		out := p.With(n)
		if err := doc.Err(); err != nil {
			return nil, exitWith(exitInput, err)
		}
		p = out
	}
	return p, nil
}

// finding is a problem in a document, as policy lint -o json prints it. Lines and columns count from 1.
type finding struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"` // error, warning or "not provable"
	Message  string `json:"message"`
	Source   string `json:"source"` // the line
}

func findingsOf(problems strictyaml.Errors, severity string, text []byte) []finding {
	lines := strings.Split(string(text), "\n")
	out := []finding{}
	for _, p := range problems {
		f := finding{File: p.File, Line: p.Line, Column: p.Col, Severity: severity, Message: p.Msg}
		if p.Line >= 1 && p.Line <= len(lines) {
			f.Source = strings.TrimSuffix(lines[p.Line-1], "\r")
		}
		out = append(out, f)
	}
	return out
}

// maxSourceLine is how much of a line is shown.
const maxSourceLine = 160

// print shows the finding above its line, with a caret under the place.
func (f finding) print(w io.Writer) {
	fmt.Fprintf(w, "%s:%d:%d: %s: %s\n", f.File, f.Line, f.Column, f.Severity, f.Message)
	runes := []rune(f.Source)
	if len(runes) == 0 || f.Column < 1 || f.Column > len(runes)+1 {
		return
	}
	from := max(0, f.Column-maxSourceLine/2)
	if len(runes) <= maxSourceLine {
		from = 0
	}
	shown := runes[from:min(len(runes), from+maxSourceLine)]
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(shown[:min(f.Column-1-from, len(shown))]))
	fmt.Fprintf(w, "    %s\n    %s^\n", string(shown), pad)
}
