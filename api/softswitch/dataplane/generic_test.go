package dataplane

import (
	"slices"
	"testing"

	"github.com/interlock/interlock/linker/p4"
)

// TestGeneric runs code with type parameters, and blocks that are applied in unusual ways: what each says about the packet tells
// whether its types were those of the call.
func TestGeneric(t *testing.T) {
	const blocks = "control S(inout bit<8> x); control A(inout bit<8> x)(bit<8> k) { apply { x = x + k; } } control B(inout bit<8> x)(S s) { apply { s.apply(x); s.apply(x); } }"
	runCases(t, []programCase{
		{"function", "T same<T>(in T x) { return x; }", "", "hdr.h.a = same(hdr.h.b); hdr.h.w = same(hdr.h.w + 1);", "22" + changed("w", "000102030405060708090a0b0c0d0e10")[2:]},
		{"function inside itself as an argument", "T same<T>(in T x) { return x; }", "", "hdr.h.a = (bit<8>) same((bit<16>) same(hdr.h.b));", changed("a", "22")},
		{
			"function that calls another with other types", "U second<T, U>(in T x, in U y) { return y; } T through<T>(in T x) { return second({ x, 8w1 }, x); } void move<T>(in T x, out T y) { T z = through(x); y = z; }", "",
			"move(hdr.h.b, hdr.h.a); move(hdr.h.w << 8, hdr.h.w);", "22" + changed("w", "0102030405060708090a0b0c0d0e0f00")[2:],
		},
		{"function of headers and structs", "void swap<T>(inout T x, inout T y) { T z = x; x = y; y = z; }", "", "swap(hdr.h, hdr.g); if (!hdr.h.isValid()) { swap(hdr.h, hdr.g); } pair_t p = { 1, 2 }; pair_t q = { 3, 4 }; swap(p, q); hdr.h.a = p.x; hdr.h.b = q.y;", "0302" + input[4:]},
		{"function of signed numbers", "T same<T>(in T x) { T y = x; return y; }", "", "if (same(-8s1) < 0 && same((int<128>) -8s1) < 0) { hdr.h.a = 0; }", changed("a", "00")},
		{"function of a generic struct", "struct two<T> { T x; T y; } T first<T>(in two<T> p) { return p.x; } two<T> turned<T>(in two<T> p) { two<T> q = { p.y, p.x }; return q; }", "", "two<bit<128>> p = { 1, hdr.h.w }; p = turned(p); hdr.h.w = first(p) << 8; two<bit<8>> q = { 7, 9 }; hdr.h.a = first(turned(q));", "09" + changed("w", "0102030405060708090a0b0c0d0e0f00")[2:]},
		{"function over the standard metadata", "void keep<T>(inout T x) { T y = x; x = y; }", "", "keep(sm); hdr.h.a = (bit<8>) sm.ingress_port;", changed("a", "03")},
		{"control", "control G<T>(inout T x, in T y) { T z; action set(T v) { x = v; } apply { z = y; x = z; } }", "G<bit<8>>() g; G<bit<128>>() w;", "g.apply(hdr.h.a, hdr.h.b); w.apply(hdr.h.w, hdr.h.w << 8);", "22" + changed("w", "0102030405060708090a0b0c0d0e0f00")[2:]},
		{"control applied by its type", "control G<T>(inout T x, in T y) { apply { T z = y; x = z; } }", "", "G.apply(hdr.h.a, hdr.h.b); G.apply(hdr.h.w, hdr.h.w << 8);", "22" + changed("w", "0102030405060708090a0b0c0d0e0f00")[2:]},
		{"control applied by its specialised type", "control G<T>(inout T x, in T y) { apply { T z = y; x = z; } }", "", "G<bit<128>>.apply(hdr.h.w, (bit<128>) hdr.h.b);", changed("w", "00000000000000000000000000000022")},
		{"control with a constructor parameter", "control G<T>(inout T x)(T i) { apply { x = i; } }", "G(8w3) g; G(128w1) w;", "g.apply(hdr.h.a); w.apply(hdr.h.w);", "03" + changed("w", "00000000000000000000000000000001")[2:]},
		{"control in a control", "control In<T>(inout T x) { register<T>(2) r; apply { r.write(1, x); x = x; r.read(x, 1); } } control Out<U>(inout U x) { In<U>() i; apply { i.apply(x); } }", "Out<bit<8>>() g; Out<bit<128>>() w;", "g.apply(hdr.h.a); w.apply(hdr.h.w);", input},
		{"table in a control", "control G<T>(inout T x, in T y) { action set() { x = y; } table t { actions = { set; } default_action = set(); } apply { t.apply(); } }", "G<bit<8>>() g; G<bit<128>>() w;", "g.apply(hdr.h.a, hdr.h.b); w.apply(hdr.h.w, (bit<128>) hdr.h.b);", "22" + changed("w", "00000000000000000000000000000022")[2:]},

		{"control by the name of a type", "control A(inout bit<8> x) { apply { x = 7; } } typedef A A_t;", "A_t() a;", "a.apply(hdr.h.a);", changed("a", "07")},
		{"generic control by the name of a type", "control G<T>(inout T x, in T y) { apply { T z = y; x = z; } } typedef G<bit<128>> wide_t;", "wide_t() g;", "g.apply(hdr.h.w, hdr.h.w << 8);", changed("w", "0102030405060708090a0b0c0d0e0f00")},
		{"unnamed control as argument", blocks, "B(A(3)) b;", "b.apply(hdr.h.a);", changed("a", "17")},
		{"unnamed controls in one another", blocks, "B(B(A(3))) b; B(A(1)) c;", "b.apply(hdr.h.a); c.apply(hdr.h.b);", "1d24" + input[4:]},
		{"unnamed generic control as argument", "control S(inout bit<8> x); control A<T>(inout T x)(T k) { apply { T y = k; x = y; } } control B(inout bit<8> x)(S s) { apply { s.apply(x); } }", "B(A<bit<8>>(3)) b;", "b.apply(hdr.h.a);", changed("a", "03")},

		{"absent argument", "control A(inout bit<8> x, @optional in bit<8> y, @optional in pair_t p) { apply { x = x + y + p.x; } }", "A() a;", "a.apply(hdr.h.a); a.apply(x = hdr.h.a, y = 3); a.apply(hdr.h.a);", changed("a", "14")},
		{"absent header", "control A(inout bit<8> x, @optional inout h_t h) { apply { if (h.isValid()) { x = x + 1; } h.setValid(); h.a = 9; } }", "A() a;", "a.apply(hdr.h.a); a.apply(hdr.h.a, hdr.h); hdr.h.b = hdr.h.a; a.apply(hdr.h.b);", "0909" + input[4:]},
		{"absent out argument", "control A(inout bit<8> x, @optional out bit<8> y) { apply { y = x; } }", "A() a;", "a.apply(hdr.h.a); a.apply(hdr.h.a, hdr.h.b);", "1111" + input[4:]},
		{
			"default that the type lacks", "control S(inout bit<8> x); control A(inout bit<8> x, in bit<8> y = 5) { apply { x = y; } } control B(inout bit<8> x)(S s) { apply { s.apply(x); } }",
			"A() a; B(a) b;", "b.apply(hdr.h.a);", changed("a", "05"),
		},
	})
}

// TestUnnamedObjects: what is constructed where a block's constructor wants it is called as the block's parameter.
func TestUnnamedObjects(t *testing.T) {
	p, err := compileSkeleton(t, `control S(inout bit<8> x);
		control A(inout bit<8> x)(register<bit<8>> outside) {
			register<bit<8>>(1) r;
			apply { r.write(0, x); outside.write(0, x); }
		}
		control B(inout bit<8> x)(S s) { apply { s.apply(x); } }`,
		"B(A(register<bit<8>>(2))) b; B(B(A(register<bit<8>>(3)))) c;", "b.apply(hdr.h.a); c.apply(hdr.h.a);")
	must(t, err)
	var names []string
	for _, r := range p.Registers() {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	if want := []string{"I.b.s.outside", "I.b.s.r", "I.c.s.s.outside", "I.c.s.s.r"}; !slices.Equal(names, want) {
		t.Fatalf("got %q, want %q", names, want)
	}
}

// TestGenericBlocks runs a program whose six blocks are themselves generic.
func TestGenericBlocks(t *testing.T) {
	info, diags := p4.Load("blocks.p4", []byte(`
#include <core.p4>
#include <v1model.p4>
header h_t { bit<8> a; bit<8> b; }
struct headers_t { h_t h; }
struct meta_t { bit<8> n; }
parser Q<T>(packet_in b, out h_t h, in T x) { T y; state start { y = x; b.extract(h); transition accept; } }
parser P<H, M>(packet_in b, out headers_t hdr, inout M meta, inout standard_metadata_t sm)(H unused) {
    Q<M>() q;
    state start { q.apply(b, hdr.h, meta); transition accept; }
}
control V<H, M>(inout H hdr, inout M meta) { apply { } }
control I<M>(inout headers_t hdr, inout M meta, inout standard_metadata_t sm) {
    apply { M kept = meta; meta = kept; sm.egress_spec = 1; hdr.h.a = hdr.h.b; }
}
control E<H, M>(inout H hdr, inout M meta, inout standard_metadata_t sm) { apply { H kept = hdr; hdr = kept; } }
control D<H>(packet_out b, in H hdr) { apply { b.emit(hdr); } }
V1Switch(P<bit<8>, meta_t>(0), V<headers_t, meta_t>(), I<meta_t>(), E<headers_t, meta_t>(), V<headers_t, meta_t>(), D<headers_t>()) main;
`))
	must(t, diags.Err())
	p, err := Compile(info)
	must(t, err)
	if got := sent(t, p, 3, "1122aa"); !slices.Equal(got, []string{"1:2222aa"}) {
		t.Fatalf("got %q", got)
	}
	if _, err := p.Trace(3, []byte{1, 2}, nil); err != nil {
		t.Fatal(err)
	}
}
