package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
)

// reject runs one program that must not be accepted: at least one error must come out, be it from the checker or, for a v1model
// program, from the description of what the control plane sees.
func reject(root string, s sample, b *board) {
	expected := expectedErrors(root, s)
	var diags syntax.Diagnostics
	f := guarded(s.name, func() *failure {
		info, ds := p4.LoadWith(s.path, nil, p4.Options{IncludePath: includePath(root), Architecture: true})
		if !ds.HasErrors() && s.arch == v1model {
			_, more := p4info.Generate(info)
			ds = append(ds, more...)
		}
		diags = ds
		return nil
	})
	switch {
	case f != nil:
		b.fail("reject", *f)
	case only(diags, unsupported):
		b.fail("reject", failure{s.name, "refused as unsupported, not as wrong", diags.Err().Error() + "\np4c says:\n" + expected})
	case only(diags, syntax.CodeNoInclude):
		b.fail("reject", failure{s.name, "not read", diags.Err().Error()})
	case !diags.HasErrors():
		b.fail("reject", failure{s.name, "accepted", "p4c says:\n" + expected})
	default:
		b.pass("reject", suspicious(s.name, diags, expected))
	}
}

// unsupported is the code of the checker for legal programs that it does not check.
const unsupported = "P4299"

// only reports whether there are errors and all have one code.
func only(diags syntax.Diagnostics, code string) bool {
	for _, d := range diags {
		if d.Severity == syntax.Error && d.Code != code {
			return false
		}
	}
	return diags.HasErrors()
}

// expectedErrors is what p4c says about a program, as its testers recorded it.
func expectedErrors(root string, s sample) string {
	base := filepath.Base(s.path) + "-stderr"
	for _, dir := range []string{"p4_16_errors_outputs", "p4_16_samples_outputs"} {
		if text, err := os.ReadFile(filepath.Join(root, "testdata", dir, base)); err == nil {
			return strings.TrimSpace(string(text))
		}
	}
	return "(nothing recorded)"
}

var place = regexp.MustCompile(`(?m)^([\w./-]+\.p4)\((\d+)\)`)

// suspicious notes a program that was rejected on another line than p4c does: the reason may be another one than the
// one that the program was written for.
func suspicious(file string, diags syntax.Diagnostics, expected string) failure {
	lines := map[int]bool{}
	for _, m := range place.FindAllStringSubmatch(expected, -1) {
		if n, err := strconv.Atoi(m[2]); err == nil {
			lines[n] = true
		}
	}
	var first *syntax.Diagnostic
	for i, d := range diags {
		if d.Severity != syntax.Error {
			continue
		}
		if lines[int(d.Pos.Line)] {
			return failure{}
		}
		if first == nil {
			first = &diags[i]
		}
	}
	cause := first.Error() + "\np4c says:\n" + expected
	if len(lines) == 0 {
		return failure{file, "p4c names no line (" + first.Code + ")", cause}
	}
	return failure{file, "rejected on another line (" + first.Code + ")", cause}
}
