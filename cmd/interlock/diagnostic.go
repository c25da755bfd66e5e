package main

import (
	_ "embed"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// diagnosticsSchema describes what check -o json prints.
//
//go:embed diagnostics.schema.json
var diagnosticsSchema []byte

// diagnostic is one finding in a program, as check -o json prints it. Lines and columns count from 1, columns in bytes.
type diagnostic struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndColumn int    `json:"endColumn"` // behind the last byte that it is about, in the same line
	Code      string `json:"code"`
	Severity  string `json:"severity"` // error or warning
	Message   string `json:"message"`
	Source    string `json:"source"` // the line itself, if it is at most maxSource long
	Notes     []note `json:"notes"`
}

// note is another place that explains a finding.
type note struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Source  string `json:"source"`
}

// maxSource bounds the lines that findings bring along, in bytes: in a generated program of one line, each finding would bring the
// whole program.
const maxSource = 4096

func source(line string) string {
	if len(line) > maxSource {
		return ""
	}
	return line
}

func diagnosticData(diags syntax.Diagnostics) []diagnostic {
	var list []diagnostic
	for _, d := range diags {
		x := diagnostic{
			File: d.Pos.File, Line: int(d.Pos.Line), Column: int(d.Pos.Col), EndColumn: int(d.Pos.Col) + max(d.Span, 1),
			Code: d.Code, Severity: d.Severity.String(), Message: d.Msg, Source: source(d.Line), Notes: []note{},
		}
		for _, n := range d.Notes {
			x.Notes = append(x.Notes, note{n.Pos.File, int(n.Pos.Line), int(n.Pos.Col), n.Msg, source(n.Line)})
		}
		list = append(list, x)
	}
	return list
}
