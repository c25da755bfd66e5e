package syntax

import (
	"reflect"
	"testing"
	"testing/fstest"
)

// TestCache: with a cache programs read the same as without, whatever was read before with it.
func TestCache(t *testing.T) {
	builtin := map[string]string{
		"core.p4": "#ifndef CORE\n#define CORE\n// core\nextern packet_in { void f<T>(out T h); }\nerror { NoError }\n#endif\n",
		"model.p4": "#include <core.p4>\n#define TWICE(x) x x\n#ifndef VERSION\n#define VERSION 1\n#endif\n" +
			"#if VERSION >= 2\ntypedef bit<8> port_t;\n#else\ntypedef bit<9> port_t;\n#endif\nT id<T>(in T x) { return x; }\n",
		"count.p4": "const int c = __COUNTER__;\n",
		"once.p4":  "#pragma once\nconst int once = 1;\n",
		"half.p4":  "const int half =\n",
		"bad.p4":   "const int bad = ;\n",
		"warn.p4":  "#warning careful\nconst int w = 1;\n",
		"undef.p4": "#undef VERSION\n",
		"line.p4":  "#line 7 \"x.p4\"\nconst int l = 1;\n",
		"more.p4":  "#include <own.p4>\n",
	}
	programs := []string{
		"#include <core.p4>\npacket_in x;",
		"/* a */ #include <core.p4>\n#include <model.p4> // b\nconst port_t p = id<port_t>(3); // c",
		"#include <model.p4>\n#include <core.p4>\nconst port_t p = VERSION;",
		"#define VERSION 2\n#include <model.p4>\nconst port_t p = VERSION;",
		"#define VERSION \\\n 2\n#include <model.p4>\nconst port_t p = nope VERSION;",
		"#define VERSION(x) 3\n#include <model.p4>",
		"#ifdef X\n#include <core.p4>\n#endif\nconst bool b = true;\n#include <core.p4>",
		"const bool b = true;\n#include <model.p4>\nconst int TWICE(x) = 1;",
		"#include <count.p4>\n#include <count.p4>\nconst int d = __COUNTER__;",
		"#include <once.p4>\n#include <once.p4>\n#include <model.p4>\n#include <undef.p4>\nconst int VERSION = 1;",
		"#include <half.p4>\n1;", "#include <core.p4>\n#include <half.p4>\n#include <core.p4>\n2;", "#include <bad.p4>\nconst int a = ;", "#include <warn.p4>\nconst int a = ;",
		"#include <line.p4>\nconst int a = ;", "#include <model.p4>\nconst int a = ;", "#include <more.p4>\n#include <core.p4>\nown x;", "#include <core.p4>\ntypedef bit<8> packet_in;",
	}
	conf := Config{Builtin: builtin, FS: fstest.MapFS{"own.p4": {Data: []byte("struct own { }\n")}}, IncludePath: []string{"."}}
	cached := conf
	cached.Cache = &Cache{}
	for range 3 {
		for _, src := range programs {
			want, wantDiags := Parse("t.p4", []byte(src), conf)
			got, diags := Parse("t.p4", []byte(src), cached)
			if !reflect.DeepEqual(diags, wantDiags) {
				t.Errorf("%q: findings\n%v\nwant\n%v", src, diags, wantDiags)
			}
			if a, b := everything(got), everything(want); !reflect.DeepEqual(a, b) {
				t.Errorf("%q: tree\n%v\nwant\n%v", src, a, b)
			}
			if !reflect.DeepEqual(got.Comments, want.Comments) {
				t.Errorf("%q: comments\n%v\nwant\n%v", src, got.Comments, want.Comments)
			}
		}
	}
	a, _ := Parse("t.p4", []byte(programs[0]), cached)
	b, _ := Parse("t.p4", []byte(programs[0]), cached)
	if a.Decls[0] != b.Decls[0] || len(cached.Cache.heads) == 0 {
		t.Error("nothing is shared")
	}
	for i := range 2 * maxHeads {
		Parse("t.p4", []byte("#define X"+string(rune('0'+i%10))+string(rune('a'+i/10))+"\n"+programs[0]), cached)
	}
	if n := len(cached.Cache.heads); n > maxHeads {
		t.Errorf("the cache holds %d heads", n)
	}
}

// everything lists the nodes of p with their positions and texts.
func everything(p *Program) (list []string) {
	Walk(p, func(n Node) bool {
		list = append(list, reflect.TypeOf(n).String()+" "+n.Pos().String()+" "+PrintNode(n))
		return true
	})
	return list
}
