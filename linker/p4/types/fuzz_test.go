package types_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
)

// FuzzCheck: no program makes the checker panic or hang; one that it accepts is complete and, printed, accepted again.
func FuzzCheck(f *testing.F) {
	for _, pattern := range []string{"testdata/valid/*.p4", "testdata/errors/*.p4"} {
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
		"const bit<8> a = 1 << 300;", "const int a = 1 << 100000000;", "const bit<(1 << 12)> a = 0;", "enum bit<8> E { A = 1, B = E.A + 1 }",
		"T f<T>(in T x) { return x; } const bit<8> a = f(8w1);", "struct S<T> { T a; } const S<S<bit<8>>> s = { { 1 } };",
		"header H { bit<8> a; varbit<8> v; } struct S { H[3] h; } action a(inout S s) { s.h[1].a = s.h.last.a; s.h.push_front(1); }",
		"extern E<T> { E(T x); T m<U>(in U u, @optional in T t); } control C()(int n) { E<bit<8>>(3) e; apply { bit<8> x = e.m(1w0); } }",
		"control C(inout bit<8> x) { action a(bit<8> y) { x = y; } table t { key = { x : exact; } actions = { a; } const entries = { 1 : a(2); } } apply { switch (t.apply().action_run) { a : { exit; } default : { } } } }",
		"parser P(packet_in p, out bit<8> x) { value_set<tuple<bit<8>, bit<8>>>(4) v; state start { transition select(x, x) { v : accept; (1, _) : start; (2 .. 3, 4 &&& 5) : reject; } } }",
		"type bit<8> T; typedef T U; const U u = (U) 3; const tuple<bit<8>, bool> t = { 1, true }; const bit<8> x = t[0];",
		"package P<T>(T t); control C<T>(T t); package Q(P<_> p);", "struct a<T> { T x; T y; } struct b<T> { a<a<T>> x; } typedef b<b<b<b<bool>>>> t; const t v = ...;",
		"control c(inout bit<8> x) { apply { x[x:x] = x ? x : { x, ... } ++ {#}; } } c() main;", "struct S { S s; }", "typedef T T; type T T;", "const int a = a;",
	} {
		f.Add([]byte("#include <core.p4>\nmatch_kind { range }\n" + seed))
	}
	conf := syntax.Config{FS: fstest.MapFS{}, Builtin: map[string]string{"core.p4": specs.CoreP4, "v1model.p4": specs.V1ModelP4}}
	f.Fuzz(func(t *testing.T, src []byte) {
		p, diags := syntax.Parse("fuzz.p4", src, conf)
		if diags.HasErrors() {
			return
		}
		info, diags := types.Check(p)
		p.Complete(diags)
		if diags.HasErrors() {
			return
		}
		syntax.Walk(p, func(n syntax.Node) bool {
			if c, ok := n.(*syntax.Call); ok && info.Calls[c] == nil {
				t.Fatalf("%v: a call that is not resolved in a program without errors", c.Pos())
			}
			return true
		})
		var text bytes.Buffer
		if err := syntax.Print(&text, p); err != nil {
			t.Fatal(err)
		}
		q, diags := syntax.Parse("printed.p4", text.Bytes(), syntax.Config{})
		if diags.HasErrors() {
			t.Fatalf("the printed text is refused: %v\n%s", diags, text.Bytes())
		}
		if _, diags := types.Check(q); diags.HasErrors() {
			t.Fatalf("the printed text is refused: %v\n%s", diags, text.Bytes())
		}
	})
}
