package format

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/specs"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// source formats text, and checks the promises that hold for every text.
func source(t testing.TB, name, text string) string {
	t.Helper()
	out, err := Source(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Source(name, out)
	if err != nil {
		t.Fatalf("the result is refused: %v\n%s", err, out)
	}
	if string(again) != string(out) {
		t.Fatalf("formatting twice is another text:\n%s\nthen\n%s", out, again)
	}
	return string(out)
}

// TestGolden formats testdata/*.p4 and compares with the files in testdata/golden.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.p4")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := source(t, path, string(text))
			golden := filepath.Join("testdata", "golden", filepath.Base(path))
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs (-update rewrites it):\n%s", golden, got)
			}
		})
	}
}

// programs are all of this repository's P4 files that can be formatted.
func programs(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir("../../..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".p4" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if _, err := Source(path, text); err == nil {
			all[path] = string(text)
		} else if !strings.Contains(path, "errors") {
			t.Errorf("refused: %v", err)
		}
		return nil
	})
	if err != nil || len(all) < 30 {
		t.Fatalf("%d programs found: %v", len(all), err)
	}
	return all
}

// TestSameTree: what parses is the same program afterwards.
func TestSameTree(t *testing.T) {
	conf := syntax.Config{Builtin: map[string]string{"core.p4": specs.CoreP4, "v1model.p4": specs.V1ModelP4}}
	parsed := 0
	for path, text := range programs(t) {
		before, diags := syntax.Parse(path, []byte(text), conf)
		if diags.HasErrors() {
			continue
		}
		parsed++
		after, diags := syntax.Parse(path, []byte(source(t, path, text)), conf)
		if diags.HasErrors() {
			t.Errorf("%s: %v", path, diags)
		} else if !syntax.Equal(before, after) {
			t.Errorf("%s is another program", path)
		}
	}
	if parsed < 20 {
		t.Errorf("only %d programs parsed", parsed)
	}
}

// TestSpacesDoNotMatter changes the white space inside the lines of every program at random: the result must be the same.
func TestSpacesDoNotMatter(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for path, text := range programs(t) {
		want := source(t, path, text)
		f := &file{text: want}
		if err := f.scan(); err != nil {
			t.Fatal(err)
		}
		if err := f.structure(); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for i := range f.toks {
			tok := &f.toks[i]
			switch {
			case tok.kind == blockComment, tok.kind == skipped, tok.raw, i > 0 && tok.is(">") && f.toks[i-1].is(">"):
				// The inside of a comment moves with it, and in annotations and shifts spaces count.
				b.WriteString(want[f.end(i-1):tok.off])
			default:
				b.WriteString(strings.Repeat("\n", tok.newlines))
				if tok.space && tok.newlines == 0 || tok.role != angleOpen && tok.role != callOpen && random.IntN(4) == 0 {
					b.WriteString(strings.Repeat(" ", 1+random.IntN(3)))
				}
			}
			b.WriteString(tok.text)
		}
		if got := source(t, path, b.String()); got != want {
			t.Fatalf("%s: other spaces, another result:\n%s", path, firstDifference(want, got))
		}
	}
}

// end is the offset behind token i.
func (f *file) end(i int) int {
	if i < 0 {
		return 0
	}
	return f.toks[i].off + len(f.toks[i].text)
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "want " + a[i] + "\ngot  " + b[i]
		}
	}
	return "one is longer"
}

func TestRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"open comment", "control c() {}\n /* x", `t.p4:2:2: error\[P4002\]: comment is not closed`},
		{"open comment in a directive", "#define X /* x", `t.p4:1:11: .*comment`},
		{"open string", "@name(\"x) struct s {}\n", `t.p4:1:7: .*P4003.*string is not closed`},
		{"stray character", "const bit<8> x = 3 $ 4;", `t.p4:1:20: .*P4001.*unexpected character "\$"`},
		{"split token", "const bit<8> xy\\\nz = 3;", `t.p4:1:16: .*continued`},
		{"nothing continued", "#define X \\\n", `t.p4:1:11: .*nothing follows`},
		{"perhaps continued", "#define X \\ \nY", `t.p4:1:11: .*may be continued or not`},
		{"open brace", "control c() {\n  apply {\n }\n", `t.p4:1:13: .*P4114.*{ is not closed`},
		{"closing too many", "struct s {}\n}\n", `t.p4:2:1: .*P4101.*unexpected }`},
		{"crossed", "const int x = (1];", `t.p4:1:17: .*unexpected \]: the \( at 1:15 is not closed`},
		{"open parenthesis", "control c() { apply { f(1; } }", `unexpected }: the \( at 1:24 is not closed`},
		{"missing operand", "const int x = 1 + ;", `t.p4:1:19: .*unexpected ; after \+`},
		{"missing operand in parentheses", "const int x = (1 + );", `unexpected \) after \+`},
		{"two operators", "const int x = 1 * / 2;", `unexpected / after \*`},
		{"missing semicolon", "control c() { apply { x = 1\n y = 2; } }", `t.p4:2:2: .*unexpected y after 1`},
		{"missing semicolon at the end", "control c() { apply { x = y } }", `unexpected }: ; missing`},
		{"two numbers", "const int x = f(1 2);", `unexpected 2 after 1`},
		{"no name", "@ 1 struct s {}", `t.p4:1:3: .*P4112.*annotation's name`},
		{"#endif", "#if 1\n#endif\n#endif", `t.p4:3:1: .*P4014.*#endif without #if`},
		{"#else", "#ifdef A\n#else\n#else\n#endif", `t.p4:3:1: .*P4014.*#else after #else`},
		{"open #if", "\n#ifdef A\n", `t.p4:2:1: .*P4014.*#if without #endif`},
		{"deep", strings.Repeat("(", 2000), `P4106.*nested more than`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, err := Source("t.p4", []byte(test.text))
			if err == nil {
				t.Fatalf("accepted:\n%s", out)
			}
			if !regexp.MustCompile(test.want).MatchString(err.Error()) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}

// TestAccepts: fragments and macros are no mistakes.
func TestAccepts(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"only comments", "\n\n// a\n\n\n// b", "// a\n\n// b\n"},
		{"line ends and mark", "\ufeffconst int a=1;\r\n\r\n\r\n// x  \r\nconst int bb=2;\r\n", "const int a = 1;\n\n// x\nconst int bb = 2;\n"},
		{"fragment of a table", "a;\nb(1) ;", "a;\nb(1);\n"},
		{
			"macro without semicolon", "control c() { apply { FOO(x)\nBAR\nx = 1; } }",
			"control c() {\n    apply {\n        FOO(x)\n        BAR\n        x = 1;\n    }\n}\n",
		},
		{"macro at top level", "FOO(a,b)\ncontrol c();", "FOO(a, b)\ncontrol c();\n"},
		{"macro of operators", "const bool x = TEST(a, ==, b);", "const bool x = TEST(a, ==, b);\n"},
		{
			"brace in one branch", "#if A\ncontrol c() {\n#else\ncontrol c(in bit<8> x) {\n#endif\napply{}\n}",
			"#if A\ncontrol c() {\n#else\ncontrol c(in bit<8> x) {\n#endif\n    apply {}\n}\n",
		},
		{
			"else in a branch", "control c() { apply { if (a) { b(); }\n#ifdef X\nelse { d(); }\n#endif\ne(); } }",
			"control c() {\n    apply {\n        if (a) {\n            b();\n        }\n#ifdef X\n        else {\n            d();\n        }\n#endif\n        e();\n    }\n}\n",
		},
		{"expression in branches", "const bit<8> x = 1\n#ifdef A\n+ 2\n#endif\n;", "const bit<8> x = 1\n#ifdef A\n    + 2\n#endif\n    ;\n"},
		{"pragma with a string of two lines", "@pragma a \"x\ny\" 1\nconst bit<1> c = 1;", "@pragma a \"x\ny\" 1\nconst bit<1> c = 1;\n"},
		{"pragma", "@pragma a b ( 1 )\ncontrol c();", "@pragma a b ( 1 )\ncontrol c();\n"},
		{"pragma with a long string", "@pragma a \"x\ny\" b\nconst bit e = 1;", "@pragma a \"x\ny\" b\nconst bit e = 1;\n"},
		{
			"comment before a body", "control c() { apply { if (a)\n/*\n*/ b(); } }",
			"control c() {\n    apply {\n        if (a)\n            /*\n             */\n            b();\n    }\n}\n",
		},
		{"annotation of another grammar", "@x( a-b  ,\"s\",c d ) struct s {}", "@x(a-b,\"s\",c d) struct s {}\n"},
		{"continued comment", "// a \\\n b\nconst int x = 1;", "// a \\\n b\nconst int x = 1;\n"},
		{"shift and type arguments", "const bit<8> x=a>>2;\nf<bit<8> > ( 1 ) g;", "const bit<8> x = a >> 2;\nf<bit<8>>(1) g;\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := source(t, "t.p4", test.text); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// TestGrowth: the text does not grow with the square of its nesting, or of the length of a statement.
func TestGrowth(t *testing.T) {
	for name, text := range map[string]string{
		"casts":  "const bit<8> x = " + strings.Repeat("(bit<8>)", 3000) + "1;",
		"sum":    "const bit<8> x = " + strings.Repeat("8w1 + ", 3000) + "1;",
		"blocks": "control c() { apply " + strings.Repeat("{", 900) + strings.Repeat(";", 3000) + strings.Repeat("}", 900) + " }",
	} {
		if out := source(t, "t.p4", text); len(out) > 2*(maxColumns+indent)*len(text) {
			t.Errorf("%s: %d bytes become %d", name, len(text), len(out))
		}
	}
}

// FuzzSource: no input panics, and what is accepted keeps its tokens (which Source checks itself) and is formatted for good.
func FuzzSource(f *testing.F) {
	for _, text := range programs(f) {
		if len(text) < 10_000 {
			f.Add([]byte(text))
		}
	}
	for _, seed := range []string{
		"if (a) if (b) c; else d; else { e; }", "a ? b : c ? d : e;", "#if A\n(\n#else\n(\n#endif\n)", "x = a < b > c;", "f<a<b>>>c;",
		"{ /* a */ /* b */ x; /* c */ }", "@a(b(c)) @d[e=f] @pragma g h\nx;", "switch (a) { b: c: { } }", "// a\\\nb", "#if 0\n/*\n#endif\n*/\n#endif",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		out, err := Source("fuzz.p4", src)
		if err != nil {
			if err == ErrChanged || !isDiagnostic(err) {
				t.Fatal(err)
			}
			return
		}
		again, err := Source("fuzz.p4", out)
		if err != nil {
			t.Fatalf("the result is refused: %v\n%s", err, out)
		}
		if string(again) != string(out) {
			t.Fatalf("formatting twice is another text:\n%s\nthen\n%s", out, again)
		}
	})
}

func isDiagnostic(err error) bool {
	_, ok := err.(syntax.Diagnostics)
	return ok
}
