package syntax

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	errorComment = regexp.MustCompile(`// ERROR (.*)$`)
	quoted       = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
)

// TestErrors holds what is reported for testdata/errors/*.p4 against the // ERROR "regexp" comments in it: each comment
// must match a finding in its line, and each finding must have a comment. AT EOF moves a comment to the end of the file.
func TestErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.p4")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, diags := ParseFile(file, Config{Builtin: map[string]string{"core.p4": ""}})
			for _, problem := range compareErrors(string(src), diags) {
				t.Error(problem)
			}
		})
	}
}

// compareErrors returns what differs between the comments in src and the findings.
func compareErrors(src string, diags Diagnostics) []string {
	var problems []string
	type expectation struct {
		line int
		re   *regexp.Regexp
	}
	var want []expectation
	lines := strings.Split(src, "\n")
	for i, line := range lines {
		m := errorComment.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n := i + 1
		if strings.HasSuffix(line, "AT EOF") {
			n = len(lines)
		}
		for _, q := range quoted.FindAllStringSubmatch(m[1], -1) {
			text := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(q[1])
			want = append(want, expectation{n, regexp.MustCompile(text)})
		}
	}
	found := make([]bool, len(want))
next:
	for _, d := range diags {
		text := fmt.Sprintf("%s[%s]: %s", d.Severity, d.Code, d.Msg)
		for i, w := range want {
			if !found[i] && w.line == int(d.Pos.Line) && w.re.MatchString(text) {
				found[i] = true
				continue next
			}
		}
		problems = append(problems, "unexpected: "+d.Error())
	}
	for i, w := range want {
		if !found[i] {
			problems = append(problems, fmt.Sprintf("line %d: nothing reported that matches %q", w.line, w.re))
		}
	}
	return problems
}

// TestCompareErrors is the canary of TestErrors: it must notice a missing, a wrong and a superfluous finding.
func TestCompareErrors(t *testing.T) {
	const src = "x // ERROR \"P4101.*boo\"\ny\n"
	good := Diagnostic{Pos: Pos{Line: 1, Col: 1}, Code: CodeUnexpected, Msg: "boo"}
	tests := map[string]struct {
		diags    Diagnostics
		problems int
	}{
		"as expected": {Diagnostics{good}, 0},
		"missing":     {nil, 1},
		"other line":  {Diagnostics{{Pos: Pos{Line: 2, Col: 1}, Code: CodeUnexpected, Msg: "boo"}}, 2},
		"other code":  {Diagnostics{{Pos: Pos{Line: 1, Col: 1}, Code: CodeBadChar, Msg: "boo"}}, 2},
		"twice":       {Diagnostics{good, good}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := compareErrors(src, test.diags); len(got) != test.problems {
				t.Errorf("%d problems, want %d: %q", len(got), test.problems, got)
			}
		})
	}
}
