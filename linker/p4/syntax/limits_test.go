package syntax

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestLimits: programs made to exhaust memory, time or the stack are refused, quickly.
func TestLimits(t *testing.T) {
	bomb := "#define A0 x x x x x x x x\n"
	for i := 1; i < 12; i++ {
		bomb += fmt.Sprintf("#define A%d %s\n", i, strings.Repeat(fmt.Sprintf("A%d ", i-1), 8))
	}
	grow := "#define F(x) x x\n" + strings.Repeat("F(", 40) + "1" + strings.Repeat(")", 40)
	deepMacros := ""
	for i := range 1000 {
		deepMacros += fmt.Sprintf("#define M%d M%d\n", i, i+1)
	}
	// doubled nests a macro that makes its argument twice as long.
	doubled := func(body string) string {
		src := "#define D(x) E(x)\n#define E(x) " + body + "\n#define A0 abcdefgh\n"
		for i := 1; i < 60; i++ {
			src += fmt.Sprintf("#define A%d D(A%d A%d)\n", i, i-1, i-1)
			if strings.Contains(body, "##") {
				src = strings.Replace(src, fmt.Sprintf("D(A%d A%d)", i-1, i-1), fmt.Sprintf("D(A%d)", i-1), 1)
			}
		}
		return src + "A59"
	}
	repeat := func(open, middle, end string, n int) string {
		return strings.Repeat(open, n) + middle + strings.Repeat(end, n)
	}
	tests := []struct{ name, src, code string }{
		{"macro bomb", bomb + "A11", CodeTooLarge},
		{"macro bomb in arguments", grow, CodeTooLarge},
		{"macro calls in arguments", "#define F(x) x\n" + repeat("F(", "1", ")", 1000), CodeTooLarge},
		{"chain of macros", deepMacros + "M0", CodeTooLarge},
		{"quotes that double", doubled("#x"), CodeTooLarge},
		{"names that double", doubled("x##x"), CodeTooLarge},
		{"bodies", strings.Repeat("#define F "+strings.Repeat("x ", 1000)+"\n", maxTokens/1000+1), CodeTooLarge},
		{"many tokens", strings.Repeat("x ", maxTokens+1), CodeTooLarge},
		{"nested ifs", strings.Repeat("#if 1\n", 1000), CodeTooLarge},
		{"nested conditions", "#if " + repeat("(", "1", ")", 20000) + "\n#endif", CodeBadCondition},
		{"nested unary conditions", "#if " + repeat("!", "1", "", 20000) + "\n#endif", CodeBadCondition},
		{"parentheses", "const int a = " + repeat("(", "1", ")", 20000) + ";", CodeTooDeep},
		{"unary", "const int a = " + repeat("-", "1", "", 20000) + ";", CodeTooDeep},
		{"casts", "const int a = " + repeat("(int)", "1", "", 20000) + ";", CodeTooDeep},
		{"chain", "const int a = 1" + strings.Repeat(" + 1", 20000) + ";", CodeTooDeep},
		{"conditions", "const int a = " + repeat("b ? 1 : ", "1", "", 20000) + ";", CodeTooDeep},
		{"members", "const int a = b" + strings.Repeat(".c", 20000) + ";", CodeTooDeep},
		{"indices", "const int a = b" + strings.Repeat("[1]", 20000) + ";", CodeTooDeep},
		{"calls", "const int a = " + repeat("f(", "1", ")", 20000) + ";", CodeTooDeep},
		{"lists", "const int a = " + repeat("{", "1", "}", 20000) + ";", CodeTooDeep},
		{"types", "const " + repeat("tuple<", "bool", ">", 20000) + " a = 1;", CodeTooDeep},
		{"widths", "const " + repeat("bit<(", "1", ")>", 20000) + " a = 1;", CodeTooDeep},
		{"stacks", "struct S { bool" + strings.Repeat("[1]", 20000) + " a; }", CodeTooDeep},
		{"arrays", "struct S { bool a" + strings.Repeat("[1]", 20000) + "; }", CodeTooDeep},
		{"blocks", "action a() " + repeat("{", "", "}", 20000), CodeTooDeep},
		{"ifs", "action a() {" + repeat("if (b) ", ";", "", 20000) + "}", CodeTooDeep},
		{"else ifs", "action a() {" + strings.Repeat("if (b) ; else ", 20000) + ";}", CodeTooDeep},
		{"instances", "extern X { X(); }\n" + repeat("X() y = {", "", "};", 20000), CodeTooDeep},
		{"annotations", "@a[" + repeat("(", "1", ")", 20000) + "] const int a = 1;", CodeTooDeep},
		{"digits", "const int a = " + strings.Repeat("1", maxLiteral+1) + ";", CodeBadNumber},
		{"many errors", strings.Repeat("const int = 1;\n", 20000), CodeTooMany},
		{"big file", strings.Repeat(" ", MaxFileSize+1), CodeTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, diags := Parse("t.p4", []byte(test.src), Config{})
			seen := false
			for _, d := range diags {
				seen = seen || d.Code == test.code
			}
			if !seen {
				t.Errorf("%s is not reported: %v", test.code, diags[:min(len(diags), 3)])
			}
		})
	}
}

// TestLargeProgramsAreFine is the other side of TestLimits: what people write passes.
func TestLargeProgramsAreFine(t *testing.T) {
	tests := map[string]string{
		"long sum":       "const int a = 1" + strings.Repeat(" + 1", 3000) + ";",
		"nested":         "const int a = " + strings.Repeat("(", 300) + "1" + strings.Repeat(")", 300) + ";",
		"else ifs":       "action a() {" + strings.Repeat("if (b) ; else ", 300) + ";}",
		"long program":   strings.Repeat("const int a = 1;\n", 50000),
		"wide number":    "const int a = 65536w" + strings.Repeat("1", 1000) + ";",
		"macros of body": "#define A 1 +\nconst int a = " + strings.Repeat("A ", 1000) + "1;",
	}
	for name, src := range tests {
		t.Run(name, func(t *testing.T) {
			p := mustParse(t, src)
			if q := mustParse(t, printed(t, p)); !Equal(p, q) {
				t.Error("printed text is another program")
			}
		})
	}
}

func TestOpenTokens(t *testing.T) {
	tests := []struct{ name, src, code, pos string }{
		{"string", "const string s = \"abc;\n", CodeOpenString, "t.p4:1:18"},
		{"comment", "const bool b = true;\n  /* abc", CodeOpenComment, "t.p4:2:3"},
		{"if", "#if 1\nconst bool b = true;", CodeUnbalancedIf, "t.p4:1:1"},
		{"skipped if", "#if 0\nconst bool b = true;", CodeUnbalancedIf, "t.p4:1:1"},
		{"if in a string", "@a(\"\n#if 1\n\") const bool b = true;", CodeUnbalancedIf, "t.p4:2:1"},
		{"else in a string", "@a(\"\n\n#else\n\") const bool b = true;", CodeUnbalancedIf, "t.p4:3:1"},
		{"condition in a string", "@a(\"\n#if 1 +\n#endif\n\") const bool b = true;", CodeBadCondition, "t.p4:2:1"},
		{"annotation", "@a(b", CodeOpenBracket, "t.p4:1:3"},
		{"macro arguments", "#define F(x) x\nF(1", CodeBadMacro, "t.p4:2:1"},
		{"macro arguments and include", "#define F(x) x\nF(1\n#include <x>\n)", CodeBadDirective, "t.p4:3:1"},
		{"block", "action a() {\n", CodeOpenBracket, "t.p4:2:1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, diags := Parse("t.p4", []byte(test.src), Config{})
			if len(diags) == 0 || diags[0].Code != test.code || diags[0].Pos.String() != test.pos {
				t.Errorf("got %v, want %s at %s", diags, test.code, test.pos)
			}
		})
	}
}

// TestEveryCodeIsTested: each code of errors.go is expected by a test, and documented.
func TestEveryCodeIsTested(t *testing.T) {
	src, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, pattern := range []string{"testdata/errors/*.p4", "*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(data)
		}
	}
	codes := regexp.MustCompile(`(?m)^\s(Code\w+)\s*= "(P4\d\d\d)"(.*)$`).FindAllStringSubmatch(string(src), -1)
	if len(codes) < 20 {
		t.Fatalf("found only %d codes", len(codes))
	}
	seen := map[string]bool{}
	for _, c := range codes {
		if seen[c[2]] {
			t.Errorf("%s is used twice", c[2])
		}
		seen[c[2]] = true
		if !strings.Contains(c[3], "// ") {
			t.Errorf("%s is not documented", c[1])
		}
		if !regexp.MustCompile(`\b`+c[1]+`\b`).MatchString(tests.String()) && !strings.Contains(tests.String(), c[2]) {
			t.Errorf("%s (%s) is not tested", c[1], c[2])
		}
	}
}

func TestRender(t *testing.T) {
	_, diags := Parse("t.p4", []byte("const bool ü\t= ;\n#warning mind\n"), Config{})
	var b strings.Builder
	if err := diags.Render(&b); err != nil {
		t.Fatal(err)
	}
	want := "t.p4:1:12: error[P4101]: expected a name, found ü\n" +
		"    const bool ü\t= ;\n" +
		"               ^\n" +
		"t.p4:2:1: warning[P4018]: #warning mind\n" +
		"    #warning mind\n" +
		"    ^\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	if (Diagnostics{{Severity: Warning}}).Err() != nil || diags.Err() == nil {
		t.Error("Err must be nil for warnings alone, and only then")
	}
}

// TestRenderLongLine: of a long line only what is around the place is shown.
func TestRenderLongLine(t *testing.T) {
	pad := strings.Repeat("ü ", 5000)
	for _, test := range []struct {
		name, before, after string
		left, right         bool // what must be left out
	}{
		{"short", "/* left */", "/* right */", false, false},
		{"first", "", "/*" + pad + "*/", false, true},
		{"middle", "/*" + pad + "*/", "/*" + pad + "*/", true, true},
		{"last", "/*" + pad + "*/", "", true, false},
	} {
		_, diags := Parse("t.p4", []byte(test.before+"const bool = true;"+test.after), Config{})
		var b strings.Builder
		if err := diags.Render(&b); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")
		if len(lines) != 4 {
			t.Fatalf("%s: %q", test.name, lines)
		}
		text, mark := []rune(lines[1]), []rune(lines[2])
		if len(text) > 200 || len(mark) > len(text) || text[len(mark)-1] != '=' || mark[len(mark)-1] != '^' {
			t.Errorf("%s: %q is marked %q", test.name, lines[1], lines[2])
		}
		left, right := strings.HasPrefix(lines[1], "    ..."), strings.HasSuffix(lines[1], "...")
		if left != test.left || right != test.right || !utf8.ValidString(lines[1]) {
			t.Errorf("%s: %q", test.name, lines[1])
		}
	}
}
