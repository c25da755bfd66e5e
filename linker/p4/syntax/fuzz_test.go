package syntax

import (
	"os"
	"path/filepath"
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
