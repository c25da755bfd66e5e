package syntax

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// tokensOf preprocesses src and returns the tokens, joined by spaces.
func tokensOf(t *testing.T, name, src string, conf Config) (string, Diagnostics) {
	t.Helper()
	diags := &collector{}
	pp := newPreprocessor(conf, diags)
	pp.load.setRoots(name)
	toks := pp.run(newSource(name, src, false))
	text := make([]string, 0, len(toks))
	for _, tok := range toks[:len(toks)-1] {
		text = append(text, tok.text)
	}
	return strings.Join(text, " "), diags.list
}

func TestPreprocess(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"#if in a string", "\"a\n#ifdef N\nb\n#else\n  c N\n#endif\nd\"", "\"a\n\n\n\n  c N\n\nd\""},
		{"#elif in a string", "#define N 2\n\"a\n # if N == 1\nb\n # elif N == 2 && defined(N)\nc\n#elif 1\nd\n#else\ne\n#endif\n\"", "\"a\n\n\n\nc\n\n\n\n\n\n\""},
		{"nested #if in a string", "\"\n#if 0\n#if 1\na\n#else\nb\n#endif\nc\n#endif\nd\"", "\"\n\n\n\n\n\n\n\n\nd\""},
		{"other directives in a string", "\"a\n#define N 1\n# b\n#if\"", "\"a\n#define N 1\n# b\n#if\""},
		{"#if in a string in arguments", "#define F(x) x\nF(\"\n#if 0\na\n#endif\n\")", "\"\n\n\n\n\""},
		{"object macro", "#define N 3\nx = N;", "x = 3 ;"},
		{"empty macro", "#define N\nx N y", "x y"},
		{"function macro", "#define F(a, b) (b - a)\nF(1, F(2, 3))", "( ( 3 - 2 ) - 1 )"},
		{"arguments in brackets", "#define F(a) <a>\nF((1, 2))", "< ( 1 , 2 ) >"},
		{"arguments over lines", "#define F(a) <a>\nF(1\n+ 2)", "< 1 + 2 >"},
		{"name without arguments", "#define F(a) a\nF + F(1)", "F + 1"},
		{"no parameters", "#define F() 1\nF()", "1"},
		{"empty argument", "#define F(a) [a]\nF()", "[ ]"},
		{"variadic", "#define F(a, ...) a: __VA_ARGS__\nF(1, 2, 3) F(1)", "1 : 2 , 3 1 :"},
		{"recursion stops", "#define A B\n#define B A\nA", "A"},
		{"self reference", "#define f(x) f(x + 1)\nf(f(1))", "f ( f ( 1 + 1 ) + 1 )"},
		{"standard example", "#define f(a) a*g\n#define g(a) f(a)\nf(2)(9)", "2 * 9 * g"},
		{"macro from its arguments", "#define APPLY(m, x) m(x)\n#define TWICE(x) x x\nAPPLY(TWICE, 1)", "1 1"},
		{"stringify", "#define S(x) #x\nS(a  + \"b\\n\")", `"a + \"b\\n\""`},
		{"paste", "#define C(a, b) a##b\nC(8w, 5) C(x, _t) C(, y) C(z,)", "8w5 x_t y z"},
		{"paste does not expand", "#define N 3\n#define C(a, b) a##b\nC(N, N) C(N,)", "NN 3"},
		{"paste that does not join", "#define C(a, b) a##b\nC(>, b) C(/,/) C(/,*)", "> b / / / *"},
		{"many pastes", "#define C(a, b) a##_##b##_##1\nC(x, y)", "x_y_1"},
		{"paste with quotes", "#define C(a) L##_##a #a\nC(x)", `L_x "x"`},
		{"hash without parameter", "#define C(a) # 1 a\nC(x)", "# 1 x"},
		{"hash in an object macro", "#define C # x\nC", "# x"},
		{"named variadic", "#define F(a, rest...) a: rest\nF(1, 2, 3)", "1 : 2 , 3"},
		{"variadic alone", "#define F(...) [__VA_ARGS__]\nF() F(1) F(1, 2)", "[ ] [ 1 ] [ 1 , 2 ]"},
		{"comma before nothing", "#define F(a, ...) f(a, ## __VA_ARGS__)\nF(1) F(1, 2, 3)", "f ( 1 ) f ( 1 , 2 , 3 )"},
		{"directives in arguments", "#define F(x) <x>\nF(1 +\n#if 0\n2\n#else\n3\n#endif\n)", "< 1 + 3 >"},
		{"line", "__LINE__\n\n__LINE__", "1 3"},
		{"line in a macro", "#define L __LINE__\n\nL", "3"},
		{"line through #line", "#line 100\n__LINE__", "100"},
		{"file", "__FILE__\n#line 3 \"x.p4\"\n__FILE__", `"t.p4" "x.p4"`},
		{"line joined", "#define J(a, b) a##b\n#define K(a, b) J(a, b)\nK(x, __LINE__)", "x3"},
		{"counter", "#define J(a, b) a##b\n#define K(a, b) J(a, b)\nK(x, __COUNTER__) K(x, __COUNTER__)", "x0 x1"},
		{"line marker", "# 7 \"x.p4\" 1 3\n__LINE__ __FILE__", `7 "x.p4"`},
		{"predefined are defined", "#if defined(__LINE__) && __LINE__ == 1 && defined(__has_include)\na\n#endif", "a"},
		{"has include", "#if __has_include(\"none.p4\") || __has_include(<none.p4>)\na\n#else\nb\n#endif", "b"},
		{"has include of a macro", "#define N <none.p4>\n#if !__has_include(N)\na\n#endif", "a"},
		{"elifdef", "#define X\n#if 0\n#elifdef Y\na\n#elifndef X\nb\n#elifdef X\nc\n#endif", "c"},
		{"unsigned", "#if -1 > 0u && 0xFFFFFFFFFFFFFFFF == -1 && -1 < 0 && 18446744073709551615 / 2 == 0x7FFFFFFFFFFFFFFF\na\n#endif", "a"},
		{"shifts", "#if 1 << 64 == 0 && -1 >> 70 == -1 && 8 >> -1 == 16 && 16 << -2 == 4 && 1u << 63 >> 63 == 1\na\n#endif", "a"},
		{"numbers", "#if 0x1F == 31 && 0b11 == 3 && 010 == 8 && 10UL == 10\na\n#endif", "a"},
		{"unused division by zero", "#if 0 && 1 / 0 || 1 ? 2 : 1 % 0\na\n#endif", "a"},
		{"undef", "#define N 3\n#undef N\nN", "N"},
		{"if", "#if 1 + 1 == 2 && defined(X) == 0\na\n#else\nb\n#endif", "a"},
		{"elif", "#define X 2\n#if X == 1\na\n#elif X == 2\nb\n#elif X == 2\nc\n#else\nd\n#endif", "b"},
		{"ifdef", "#define X\n#ifdef X\na\n#else\nb\n#endif\n#ifndef X\nc\n#endif", "a"},
		{"nested if", "#if 0\n#if 1\na\n#else\nb\n#endif\n#else\nc\n#endif", "c"},
		{"skipped text is free", "#if 0\nit's \"free\n#error x\n#else\na\n#endif", "a"},
		{"comment hides directive", "/*\n#if 0\n*/ a", "a"},
		{"comment after directive", "#if 1 /* over\nlines */\na\n#endif // done", "a"},
		{"operators of C", "#if (1 ? 2 : 3) == 2 && (7 & 3) == 3 && -1 < 0 && 1 << 4 == 16 && 16 >> 2 == 4 && ~0 == -1\na\n#endif", "a"},
		{"precedence of C", "#if 1 & 2 == 2\na\n#endif", "a"},
		{"splice", "#define N 1 + \\\n 2\nN x\\\ny", "1 + 2 xy"},
		{"splice with carriage return", "a\\\r\nb\r\n", "ab"},
		{"splice before blanks", "#define N 1 \\ \t\n + 2\nN", "1 + 2"},
		{"no newline at the end", "#define N 1\nN\\", "1 \\"},
		{"carriage returns", "#define N 1\r\n#if N\r\nN\r\n#endif\r\n", "1"},
		{"splice in comment", "// a \\\nstill a comment\nb", "b"},
		{"byte order mark", "\ufeffa", "a"},
		{"null directive", "#\na", "a"},
		{"pragma", "#pragma once upon a time\na", "a"},
		{"no directive in a line", "a #define b", "a # define b"},
		{"operators", "a|+|=b>>=c&&&d...e..f+:g{#}|-|", "a |+|= b >>= c &&& d ... e .. f +: g {#} |-|"},
		{"shift is two tokens", "a >> b", "a > > b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, diags := tokensOf(t, "t.p4", test.src, Config{})
			if got != test.want || len(diags) > 0 {
				t.Errorf("got  %s\nwant %s\n%v", got, test.want, diags)
			}
		})
	}
}

// TestMacrosDoNotJoin: what a macro yields never joins its neighbours to a shift.
func TestMacrosDoNotJoin(t *testing.T) {
	_, diags := Parse("t.p4", []byte("#define GT >\nconst int a = 4 >GT 2;"), Config{})
	if len(diags) != 1 || diags[0].Code != CodeUnexpected {
		t.Errorf("got %v", diags)
	}
}

func TestInclude(t *testing.T) {
	files := fstest.MapFS{
		"prog/main.p4":     {Data: []byte("")},
		"prog/sub/a.p4":    {Data: []byte("a\n#include \"b.p4\"\n")},
		"prog/sub/b.p4":    {Data: []byte("b")},
		"prog/guard.p4":    {Data: []byte("#ifndef G\n#define G\nonce\n#endif\n")},
		"prog/once.p4":     {Data: []byte("#pragma once\nonce\n")},
		"prog/core.p4":     {Data: []byte("not core")},
		"inc/lib.p4":       {Data: []byte("lib\n#include \"other.p4\"\n")},
		"inc/other.p4":     {Data: []byte("other")},
		"inc/core.p4":      {Data: []byte("shadow")},
		"secret/secret.p4": {Data: []byte("secret")},
		"prog/loop.p4":     {Data: []byte("#include \"loop.p4\"\n#include \"loop.p4\"\n")},
	}
	conf := Config{FS: files, IncludePath: []string{"inc"}, Builtin: map[string]string{
		"core.p4": "core", "v1model.p4": "#include <core.p4>\nv1model VERSION\n#ifdef VERSION\nnew\n#endif\n",
	}}
	tests := []struct{ name, src, want, code string }{
		{"beside the program", `#include "sub/a.p4"`, "a b", ""},
		{"include path", "#include <lib.p4>", "lib other", ""},
		{"quoted falls back", `#include "lib.p4"`, "lib other", ""},
		{"system first", "#include <core.p4>", "core", ""},
		{"quoted finds the program's own", `#include "core.p4"`, "not core", ""},
		{"system file includes another", "#include <v1model.p4>", "core v1model VERSION", ""},
		{"program's macros stay out of system text", "#define VERSION 3\n#include <v1model.p4>", "core v1model VERSION new", ""},
		{"guards", "#include \"guard.p4\"\n#include \"guard.p4\"", "once", ""},
		{"macro names the file", "#define F <core.p4>\n#include F", "core", ""},
		{"once", "#include \"once.p4\"\n#include \"once.p4\"", "once", ""},
		{"has include", "#if __has_include(<lib.p4>) && __has_include(\"sub/a.p4\") && !__has_include(\"../secret/secret.p4\")\na\n#endif", "a", ""},
		{"missing", "#include <none.p4>", "", CodeNoInclude},
		{"outside", `#include "../secret/secret.p4"`, "", CodeNoInclude},
		{"outside by another way", `#include <../secret/secret.p4>`, "", CodeNoInclude},
		{"absolute", `#include "/secret/secret.p4"`, "", CodeNoInclude},
		{"a folder", `#include "sub"`, "", CodeNoInclude},
		{"into itself", `#include "loop.p4"`, "", CodeIncludeDepth},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, diags := tokensOf(t, "prog/main.p4", test.src, conf)
			code := ""
			if len(diags) > 0 {
				code = diags[0].Code
			}
			if got != test.want || code != test.code || len(diags) > 1 {
				t.Errorf("got %q, want %q\n%v", got, test.want, diags)
			}
		})
	}
}

// TestIncludeFromDisk covers what only real files have: symbolic links and pipes.
func TestIncludeFromDisk(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	write("lib/lib.p4", "const bool lib = true;")
	if err := os.Symlink(filepath.Join(dir, "lib"), filepath.Join(dir, "sublib")); err != nil {
		t.Fatal(err)
	}
	secret := write("secret.p4", "const bool secret = true;")
	for link, to := range map[string]string{"prog/lib": "../sublib", "prog/more": ".."} {
		write("prog/ok.p4", "")
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	write("prog/ok.p4", "const bool ok = true;")
	if err := os.Symlink(secret, filepath.Join(dir, "prog", "link.p4")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, src string
		ok        bool
	}{
		{"beside", `#include "ok.p4"`, true},
		{"by absolute name", `#include "` + filepath.Join(dir, "prog/ok.p4") + `"`, true},
		{"outside", `#include "../secret.p4"`, false},
		{"link to outside", `#include "link.p4"`, false},
		{"link to the include path", `#include "lib/lib.p4"`, true},
		{"link to a folder outside", `#include "more/secret.p4"`, false},
		{"device", `#include "/dev/zero"`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := write("prog/main.p4", test.src+"\n")
			p, diags := ParseFile(file, Config{IncludePath: []string{filepath.Join(dir, "lib")}})
			if ok := diags.Err() == nil && len(p.Decls) == 1; ok != test.ok {
				t.Errorf("accepted: %v\n%v", ok, diags)
			}
		})
	}
	if _, diags := ParseFile(filepath.Join(dir, "none.p4"), Config{}); diags.Err() == nil {
		t.Error("a missing program is no error")
	}
	if _, diags := ParseFile(dir, Config{}); diags.Err() == nil {
		t.Error("a folder is no error")
	}
}

// TestSystemFilesCannotBeFaked: only what comes from Config.Builtin carries a system file's name.
func TestSystemFilesCannotBeFaked(t *testing.T) {
	conf := Config{
		FS:      fstest.MapFS{"core.p4": {Data: []byte("const bool fake = true;")}, "main.p4": {Data: []byte("")}},
		Builtin: map[string]string{"core.p4": "const bool real = true;"},
	}
	p, diags := Parse("main.p4", []byte("#include \"core.p4\"\n#include <core.p4>\n"), conf)
	if diags.Err() != nil || len(p.Decls) != 2 {
		t.Fatalf("%v", diags)
	}
	for i, want := range []string{"./core.p4", "core.p4"} {
		if got := p.Decls[i].Pos().File; got != want {
			t.Errorf("%s is in %q, want %q", p.Decls[i].DeclName().Name, got, want)
		}
	}
	var b strings.Builder
	if err := (PrintConfig{Include: []string{"core.p4"}}).Fprint(&b, p); err != nil {
		t.Fatal(err)
	}
	if want := "#include <core.p4>\n\nconst bool fake = true;\n"; b.String() != want {
		t.Errorf("printed %q, want %q", b.String(), want)
	}
}

func TestPositions(t *testing.T) {
	tests := []struct{ name, src, ident, want string }{
		{"plain", "const bool x = true;", "x", "t.p4:1:12"},
		{"after comment", "/* a\n b */ const bool x = true;", "x", "t.p4:2:18"},
		{"after splice", "const \\\nbool x = true;", "x", "t.p4:2:6"},
		{"after string over lines", "const string s = \"a\nb\"; const bool x = true;", "x", "t.p4:2:16"},
		{"after skipped text", "#if 0\nfoo\n#endif\nconst bool x = true;", "x", "t.p4:4:12"},
		{"of a macro", "#define M(a) const bool a = true;\n  M(x)", "x", "t.p4:2:5"},
		{"in a macro", "#define M const bool x = true;\n  M", "x", "t.p4:2:3"},
		{"line", "#line 100 \"other.p4\"\nconst bool x = true;", "x", "other.p4:100:12"},
		{"tabs are bytes", "\tconst bool x = true;", "x", "t.p4:1:13"},
		{"included", "#include <inc.p4>\nconst bool x = y;", "y", "t.p4:2:16"},
		{"in included", "#include <inc.p4>", "z", "inc.p4:2:12"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, diags := Parse("t.p4", []byte(test.src), Config{Builtin: map[string]string{"inc.p4": "\nconst bool z = true;"}})
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			got := ""
			Walk(p, func(n Node) bool {
				if id, ok := n.(*Ident); ok && id.Name == test.ident {
					got = id.Pos().String()
				}
				return true
			})
			if got != test.want {
				t.Errorf("%s is at %s, want %s", test.ident, got, test.want)
			}
		})
	}
}
