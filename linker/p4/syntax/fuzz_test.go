package syntax

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzParse: no input panics or hangs, and what is accepted survives printing.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/ok/*.p4", "testdata/errors/*.p4"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	for _, seed := range []string{
		"", "const int a = x < y >> 2;", "const int a = f<bit<8>>(1);", "typedef bit<(1>2)> T;",
		"control C() { apply { a.b<T>(c); T.apply(); if (x) ; else if (y) z = 1; else { } } }",
		"#define F(x) #x ## x\nF(1)", "#if 1\n#elif\n#endif", "@a(\"b\") @c[d=1] struct S { }",
		"enum bit<8> E { A = 1 } const E x = E.A;", "parser P() { state s { transition select(1) { (1, _): s; } } }",
		"const int a = - -1 + +2 - (-3);", "const int a = (T)(b)(c);", "const int a = b ? c : d ? e : f;",
	} {
		f.Add([]byte(seed))
	}
	conf := Config{FS: fstest.MapFS{}, Builtin: map[string]string{"core.p4": "error { NoError }"}}
	f.Fuzz(func(t *testing.T, src []byte) {
		p, diags := Parse("fuzz.p4", src, conf)
		Walk(p, func(n Node) bool { return true })
		if diags.Err() != nil {
			return
		}
		text := printed(t, p)
		q, diags := Parse("printed.p4", []byte(text), conf)
		if diags.Err() != nil {
			t.Fatalf("the printed text is refused: %v\n%s", diags, text)
		}
		if !Equal(p, q) {
			t.Fatalf("the printed text is another program:\n%s\nthen\n%s", text, printed(t, q))
		}
		if again := printed(t, q); again != text {
			t.Fatalf("printing is not stable:\n%s\nthen\n%s", text, again)
		}
	})
}

// FuzzPreprocess: no input makes the preprocessor panic, hang, or yield more than it may; every token has its place in a
// file, and the way there ends.
func FuzzPreprocess(f *testing.F) {
	for _, seed := range []string{
		"#define F(a, b...) a ## b #a __VA_ARGS__ , ## b\nF(x, y, z) F(F(1), F(,))", "#define A B\n#define B A C\n#define C(x) x(A)\nC(C)(C)",
		"#if defined(X) && __has_include(<a.p4>) || 1u << 3 ? -1 > 0u : ~0 % 3\n#elifndef Y\n#else\n#endif",
		"#include \"a.p4\"\n#include <b.p4>\n#define I <a.p4>\n#include I", "# 12 \"x\" 3\n#line 7\n__LINE__ __FILE__ __COUNTER__",
		"#define M \\\n  a \\ \n b\nM\\", "#define F(x) x\nF(\n#undef F\n#if 0\n,\n#endif\n)", "/* \"*/ \"/* \" // \\\n'", "@a(\"\n#if A\nb\n#elif 1\nc\n#endif\n\")", "\ufeff#pragma once\r\n#warning x\r\n#error y",
	} {
		f.Add([]byte(seed))
	}
	conf := Config{
		FS: fstest.MapFS{
			"a.p4": {Data: []byte("#ifndef A\n#define A\n#include \"b.p4\"\na\n#endif\n")},
			"b.p4": {Data: []byte("#pragma once\n#include \"a.p4\"\n#define B(x) x x\nb\n")},
		},
		Builtin: map[string]string{"core.p4": "#define V 1\ncore\n"},
		Defines: map[string]string{"D": "1", "E(x)": "x #x"},
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		diags := &collector{}
		pp := newPreprocessor(conf, diags)
		pp.load.setRoots("fuzz.p4")
		toks := pp.run(newSource("fuzz.p4", string(src), false))
		if len(toks) > maxTokens+1 || toks[len(toks)-1].kind != tEOF {
			t.Fatalf("%d tokens, the last of kind %v", len(toks), toks[len(toks)-1].kind)
		}
		for _, tok := range toks {
			if !tok.pos.IsValid() || len(tok.pos.Trail()) > maxTrail {
				t.Fatalf("token %q at %v by %v", tok.text, tok.pos, tok.pos.Trail())
			}
		}
		(&Program{lines: diags.lines}).Complete(diags.list)
	})
}

// FuzzScan: tokens do not overlap, cover everything but blanks and comments, and stand where their positions say.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{"a b", "\"a\\\"b\nc\" d", "8w0xFF..3 &&& 1|+|=2{#}", "/* a */ b // c\nd", "a\\\nb \\ \n c", "\x00\xff\u00e9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		src := newSource("fuzz.p4", text, false)
		sc := newScanner(src, &collector{})
		end := 0
		for {
			tok := sc.next()
			start := sc.off - len(tok.text)
			if start < end || start > len(src.text) {
				t.Fatalf("token %q from %d, the last ended at %d", tok.text, start, end)
			}
			if tok.kind == tEOF {
				break
			}
			if sc.off == end || src.text[start:sc.off] != tok.text {
				t.Fatalf("token %q at %d is not what stands there", tok.text, start)
			}
			lines := strings.Split(src.raw, "\n")
			if line := lines[tok.pos.Line-1]; len(src.splices) == 0 && !strings.HasPrefix(line[tok.pos.Col-1:], strings.SplitN(tok.text, "\n", 2)[0]) {
				t.Fatalf("token %q is not at %v", tok.text, tok.pos)
			}
			end = sc.off
		}
	})
}
