package dataplane

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/interlock/interlock/linker/p4"
)

// skeleton is a program around one ingress control. Packets are a header of 32 bytes: a, b (8 bits), c (16), d (32), e (64),
// w (128). They leave on port 1.
const skeleton = `
#include <core.p4>
#include <v1model.p4>
header h_t { bit<8> a; bit<8> b; bit<16> c; bit<32> d; bit<64> e; bit<128> w; }
struct pair_t { bit<8> x; bit<8> y; }
struct headers_t { h_t h; h_t g; h_t[2] s; }
struct meta_t { pair_t p; bit<32> n; }
enum color_t { RED, GREEN, BLUE }
enum bit<8> code_t { LOW = 1, HIGH = 200 }
%s
parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { b.extract(hdr.h); transition accept; }
}
control V(inout headers_t hdr, inout meta_t meta) { apply { } }
control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    %s
    apply { sm.egress_spec = 1; %s }
}
control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout meta_t meta) { apply { } }
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr.h); b.emit(hdr.g); b.emit(hdr.s); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
`

func compileSkeleton(t rapid.TB, top, locals, apply string) (*Pipeline, error) {
	t.Helper()
	info, diags := p4.Load("skeleton.p4", fmt.Appendf(nil, skeleton, top, locals, apply))
	if diags.HasErrors() {
		t.Fatalf("%v", diags.Err())
	}
	p, err := Compile(info)
	if err == nil {
		p.Clock = func() uint64 { return 0 }
	}
	return p, err
}

// A packet of distinct bytes: a=11 b=22 c=3344 d=55667788 e=a1a2a3a4a5a6a7a8 w=000102030405060708090a0b0c0d0e0f.
const input = "11" + "22" + "3344" + "55667788" + "a1a2a3a4a5a6a7a8" + "000102030405060708090a0b0c0d0e0f"

// changed is input with one field replaced.
func changed(field, value string) string {
	at := map[string][2]int{"a": {0, 2}, "b": {2, 4}, "c": {4, 8}, "d": {8, 16}, "e": {16, 32}, "w": {32, 64}}[field]
	return input[:at[0]] + value + input[at[1]:]
}

func TestStatements(t *testing.T) {
	runCases(t, []programCase{
		{"nothing", "", "", "", input},
		{"constant", "", "", "hdr.h.a = 8w255;", changed("a", "ff")},
		{"integer as a new type", "type bit<8> n_t; const n_t K = 7;", "", "n_t x = 5; n_t y = K; hdr.h.a = (bit<8>) x; hdr.h.b = (bit<8>) y;", "0507" + input[4:]},
		{
			"control through a constructor parameter", "control S(inout bit<8> x); control A(inout bit<8> x) { apply { x = x + 1; } } control B(inout bit<8> x)(S s) { apply { s.apply(x); s.apply(x); } }",
			"A() a; B(a) b;", "b.apply(hdr.h.a);", changed("a", "13"),
		},
		{"default of a parameter", "control A(inout bit<8> x, in bit<8> y = 5) { apply { x = y; } }", "A() a;", "a.apply(hdr.h.a);", changed("a", "05")},
		{
			"controls of one name", "control A(inout bit<8> x)(bit<8> a) { apply { x = a; } } control A(inout bit<8> x)(bit<8> b) { apply { x = b + 1; } }",
			"A(b = 1) one; A(a = 9) two;", "one.apply(hdr.h.a); two.apply(hdr.h.b);", "0209" + input[4:],
		},
		{"add wraps", "", "", "hdr.h.a = hdr.h.a + 240;", changed("a", "01")},
		{"subtract wraps", "", "", "hdr.h.a = hdr.h.a - hdr.h.b;", changed("a", "ef")},
		{"multiply wraps", "", "", "hdr.h.c = hdr.h.c * hdr.h.c;", changed("c", "2a10")},
		{"add 64 bits", "", "", "hdr.h.e = hdr.h.e + 0xFFFFFFFFFFFFFFFF;", changed("e", "a1a2a3a4a5a6a7a7")},
		{"and or xor not", "", "", "hdr.h.a = (hdr.h.a & 0xF0) | (~hdr.h.b ^ 8w1);", changed("a", "dc")},
		{"negate", "", "", "hdr.h.a = -hdr.h.a;", changed("a", "ef")},
		{"shift left", "", "", "hdr.h.a = hdr.h.a << 4;", changed("a", "10")},
		{"shift by a value", "", "", "hdr.h.c = hdr.h.c >> (hdr.h.a & 7);", changed("c", "19a2")},
		{"shift everything out", "", "", "hdr.h.a = hdr.h.a << hdr.h.b;", changed("a", "00")},
		{"shift right signed", "", "", "int<8> s = -8s100; s = s >> 2; hdr.h.a = (bit<8>) s;", changed("a", "e7")},
		{"shift right signed, all out", "", "", "int<8> s = -8s100; s = s >> hdr.h.b; hdr.h.a = (bit<8>) s;", changed("a", "ff")},
		{"saturating add", "", "", "hdr.h.a = hdr.h.a |+| 8w250;", changed("a", "ff")},
		{"saturating subtract", "", "", "hdr.h.a = hdr.h.a |-| hdr.h.b;", changed("a", "00")},
		{"saturating signed", "", "", "int<8> s = 8s100; s = s |+| 8s100; hdr.h.a = (bit<8>) s; s = -8s100; s = s |-| 8s100; hdr.h.b = (bit<8>) s;", "7f80" + input[4:]},
		{"concatenate", "", "", "hdr.h.c = hdr.h.b ++ hdr.h.a;", changed("c", "2211")},
		{"slice", "", "", "hdr.h.a = hdr.h.d[15:8];", changed("a", "77")},
		{"write a slice", "", "", "hdr.h.d[15:8] = 8w0xAB;", changed("d", "5566ab88")},
		{"write a slice from itself", "", "", "hdr.h.d[31:16] = hdr.h.d[15:0];", changed("d", "77887788")},
		{"slice of a slice", "", "", "hdr.h.a = hdr.h.d[23:4][11:4];", changed("a", "77")},
		{"write a slice of a slice", "", "", "hdr.h.d[23:4][11:4] = 8w0xAB;", changed("d", "5566ab88")},
		{"compound assignment", "", "", "hdr.h.a += 0xF0; hdr.h.b |= 1; hdr.h.c >>= 4; hdr.h.d ^= 32w0xFF;", "01230334556677" + "77" + input[16:]},
		{"compare", "", "", "if (hdr.h.a < hdr.h.b && hdr.h.a != 0x12 && !(hdr.h.b <= 3) || false) hdr.h.a = 1; else hdr.h.a = 2;", changed("a", "01")},
		{"compare signed", "", "", "int<8> s = -8s1; if (s < 0 && s >= -1 && 8s1 > s) hdr.h.a = 1;", changed("a", "01")},
		{"condition", "", "", "hdr.h.a = hdr.h.b == 0x22 ? 8w7 : 8w9;", changed("a", "07")},
		{"bool variables", "", "", "bool x = hdr.h.a == 0x11; bool y = !x; if (x && !y) { hdr.h.a = (bit<8>) (bit<1>) x; }", changed("a", "01")},
		{"casts", "", "", "hdr.h.d = (bit<32>) hdr.h.a; hdr.h.a = (bit<8>) hdr.h.c; hdr.h.b = (bit<8>) (int<8>) -8s1;", "44ff334400000011" + input[16:]},
		{"widen signed", "", "", "int<8> s = -8s2; int<16> l = (int<16>) s; hdr.h.c = (bit<16>) l;", changed("c", "fffe")},
		{"wide copy", "", "", "bit<128> x = hdr.h.w; hdr.h.w = 0; if (hdr.h.w == 0) { hdr.h.w = x; }", input},
		{"wide add carries", "", "", "hdr.h.w = hdr.h.w + 128w0xFFFFFFFFFFFFFFFF;", changed("w", "000102030405060808090a0b0c0d0e0e")},
		{"wide subtract borrows", "", "", "hdr.h.w = hdr.h.w - 128w0xF000000000000000;", changed("w", "000102030405060618090a0b0c0d0e0f")},
		{"wide multiply", "", "", "hdr.h.w = hdr.h.w * 128w0x100000001;", changed("w", wideProduct())},
		{"wide bits", "", "", "hdr.h.w = (hdr.h.w & 128w0xFF) | (~hdr.h.w ^ hdr.h.w) << 120;", changed("w", "ff00000000000000000000000000000f")},
		{"wide shift", "", "", "hdr.h.w = hdr.h.w >> 68;", changed("w", "00000000000000000000102030405060")},
		{"wide shift by a value", "", "", "hdr.h.w = hdr.h.w << hdr.h.a;", changed("w", "0406080a0c0e10121416181a1c1e0000")},
		{"wide concatenate", "", "", "hdr.h.w = hdr.h.e ++ hdr.h.d ++ hdr.h.c ++ hdr.h.b ++ hdr.h.a;", changed("w", "a1a2a3a4a5a6a7a85566778833442211")},
		{"wide slice", "", "", "hdr.h.e = hdr.h.w[99:36]; hdr.h.a = hdr.h.w[71:64];", "07" + input[2:16] + "30405060708090a0" + input[32:]},
		{"write a wide slice", "", "", "hdr.h.w[99:36] = hdr.h.e;", changed("w", "0001020a1a2a3a4a5a6a7a8b0c0d0e0f")},
		{"wide order", "", "", "if (hdr.h.w < 128w0x00010203040506070809_0a0b0c0d0e10 && hdr.h.w > 5 && hdr.h.w != 0) hdr.h.a = 0;", changed("a", "00")},
		{"wide cast", "", "", "hdr.h.w = (bit<128>) hdr.h.e; hdr.h.e = (bit<64>) (hdr.h.w << 8);", input[:16] + "a2a3a4a5a6a7a800" + "0000000000000000a1a2a3a4a5a6a7a8"},
		{"wide condition", "", "", "hdr.h.w = hdr.h.a == 1 ? 128w5 : 128w6;", changed("w", "00000000000000000000000000000006")},
		{"wide signed", "", "", "int<128> x = -128s1; int<72> y = (int<72>) x; if (x < 0 && y < 0) hdr.h.w = (bit<128>) (int<128>) (y >> 8);", changed("w", strings.Repeat("f", 32))},
		{"enum", "", "", "color_t c = color_t.GREEN; if (c == color_t.GREEN && c != color_t.BLUE) hdr.h.a = 1;", changed("a", "01")},
		{"enum with a representation", "", "", "code_t c = code_t.HIGH; hdr.h.a = c; if ((code_t) hdr.h.a == code_t.HIGH) hdr.h.b = (bit<8>) code_t.LOW;", "c801" + input[4:]},
		{"struct", "", "", "pair_t p = { 1, 2 }; pair_t q = { y = p.x, x = p.y }; meta.p = q; if (meta.p == q && meta.p != p) { hdr.h.a = meta.p.x; hdr.h.b = meta.p.y; }", "0201" + input[4:]},
		{"struct swap", "", "", "meta.p = { hdr.h.a, hdr.h.b }; meta.p = { meta.p.y, meta.p.x }; hdr.h.a = meta.p.x; hdr.h.b = meta.p.y;", "2211" + input[4:]},
		{"tuple", "", "", "tuple<bit<8>, bit<16>> p = { 8w5, 16w6 }; hdr.h.a = p[0]; hdr.h.c = p[1];", "0522" + "0006" + input[8:]},
		{"copy a header", "", "", "hdr.g = hdr.h; hdr.g.a = 0; hdr.h.setInvalid();", changed("a", "00")},
		{"copy an invalid header", "", "", "hdr.h = hdr.g; if (hdr.h.isValid()) { sm.egress_spec = 9; }", ""},
		{"header equality", "", "", "hdr.g = hdr.h; hdr.g.a = hdr.g.a + 1; bool different = hdr.g != hdr.h; hdr.g.a = hdr.g.a - 1; if (different && hdr.g == hdr.h) { hdr.h.a = 0; } hdr.g.setInvalid();", changed("a", "00")},
		{"invalid headers are equal", "", "", "hdr.g.a = 5; hdr.s[0].a = 6; if (hdr.g == hdr.s[0]) { hdr.h.a = 0; }", changed("a", "00")},
		{"header from a list", "", "", "hdr.h.setInvalid(); hdr.g = { 1, 2, 3, 4, 5, 6 };", "01020003000000040000000000000005" + "00000000000000000000000000000006"},
		{"stack at a computed index", "", "", "hdr.h.setInvalid(); bit<8> i = hdr.h.a - 0x10; hdr.s[i] = hdr.h; hdr.s[i].setValid(); hdr.s[i].a = hdr.s[0].a + i;", changed("a", "01")},
		{"stack out of range", "", "", "hdr.s[hdr.h.b] = hdr.h; hdr.s[hdr.h.b].setValid(); hdr.h.a = hdr.s[hdr.h.b].a;", changed("a", "00")},
		{"push and pop", "", "", "hdr.s[0] = hdr.h; hdr.s.push_front(1); hdr.s[0] = hdr.h; hdr.s[0].a = 0; hdr.s.pop_front(1); if (hdr.s[1].isValid()) hdr.s[0].a = 9; hdr.h.setInvalid();", input},
		{"function", "bit<8> twice(in bit<8> x) { return x + x; }\nbit<8> pick(in bit<8> x, in bit<8> y) { if (x > y) { return x; } return twice(y); }", "", "hdr.h.a = pick(twice(hdr.h.a), twice(8w2)) + pick(1, 2);", changed("a", "26")},
		{"function with out and inout", "void f(out bit<8> x, inout bit<8> y, in bit<8> z) { x = z; y = y + z; }", "", "f(hdr.h.a, hdr.h.b, hdr.h.b);", "2244" + input[4:]},
		{"the same variable in and out", "void f(inout bit<8> x, in bit<8> z) { x = 0; x = x + z; }", "", "f(hdr.h.a, hdr.h.a);", input},
		{"the same struct out twice", "void f(inout pair_t p, inout pair_t q) { p.x = 5; q.x = q.x + 1; }", "", "meta.p = { 1, 2 }; f(meta.p, meta.p); hdr.h.a = meta.p.x;", changed("a", "02")},
		{"part of a struct out", "void f(inout pair_t p, inout bit<8> q) { p.x = 5; q = 6; }", "", "meta.p = { 1, 2 }; f(meta.p, meta.p.x); hdr.h.a = meta.p.x;", changed("a", "06")},
		{"slice as out", "void f(out bit<8> x) { x = 0xEE; }", "", "f(hdr.h.d[23:16]);", changed("d", "55ee7788")},
		{"action", "", "action f(inout bit<8> x, in bit<8> y) { x = hdr.h.a; hdr.h.a = y; }", "f(hdr.h.a, hdr.h.b);", input},
		{"action sees the control's variables", "", "bit<8> v = 3; action f() { v = v + 1; }", "f(); f(); hdr.h.a = v;", changed("a", "05")},
		{"nested control", "control N(inout bit<8> x, in bit<8> y)(bit<8> k) { bit<8> l; apply { l = y + k; x = l; if (x > 0) { return; } x = 9; } }", "N(3) n; N(4) m;", "n.apply(hdr.h.a, hdr.h.b); m.apply(hdr.h.b, hdr.h.a);", "2529" + input[4:]},
		{"nested control by type", "control N(inout headers_t hdr) { apply { hdr.h.a = 0; } }", "", "N.apply(hdr);", changed("a", "00")},
		{"return from a switch at the end of a control", "control N(inout bit<8> x) { apply { switch (x) { 0x11: { x = 7; return; } } } }", "N() n;", "n.apply(hdr.h.a); hdr.h.b = 0;", "0700" + input[4:]},
		{"return from a loop at the end of a control", "control N(inout bit<8> x) { apply { for (bit<8> i = 0; i < 4; i = i + 1) { x = x + 1; if (i == 1) { return; } } } }", "N() n;", "n.apply(hdr.h.a); hdr.h.b = 0;", "1300" + input[4:]},
		{"a variable that a later operand changes", "bit<8> f(inout bit<8> x) { x = x + 1; return 1; }", "", "hdr.h.a = hdr.h.a + f(hdr.h.a); if (hdr.h.b == 0x22 && hdr.h.b < f(hdr.h.b)) { hdr.h.c = 0; }", "1223" + input[4:]},
		{"exit leaves everything", "control N(inout bit<8> x) { apply { x = 7; exit; } }", "N() n;", "n.apply(hdr.h.a); hdr.h.b = 0;", changed("a", "07")},
		{"exit while an argument is computed", "control N(inout bit<8> x, in bool b) { apply { x = 7; } }", "N() n; action leave() { exit; } table t { key = { hdr.h.a: exact; } actions = { leave; } default_action = leave(); }", "n.apply(hdr.h.a, t.apply().hit); hdr.h.b = 0;", input},
		{"return leaves the control", "", "", "if (hdr.h.a == 0x11) { hdr.h.a = 0; return; } hdr.h.b = 0;", changed("a", "00")},
		{"entries leave a selector's keys open", "", "action put(bit<8> x) { hdr.h.a = x; } table t { key = { hdr.h.b: selector; hdr.h.a: exact; } actions = { put; } const entries = { (_, 0x10): put(1); (default, 0x11): put(2); } }", "t.apply();", changed("a", "02")},
		{"an entry for all keys", "", "action put(bit<8> x) { hdr.h.a = x; } table t { key = { hdr.h.b: ternary; hdr.h.a: ternary; } actions = { put; } const entries = { (_, 0x10): put(1); _: put(2); } }", "t.apply();", changed("a", "02")},
		{"switch on a value", "", "", "switch (hdr.h.b) { 0x21: { hdr.h.a = 1; } 0x22: 0x23: { hdr.h.a = 2; } default: { hdr.h.a = 3; } }", changed("a", "02")},
		{"switch default", "", "", "switch (hdr.h.b) { 0x21: { hdr.h.a = 1; } default: { hdr.h.a = 3; } }", changed("a", "03")},
		{"constants", "const bit<8> K = 5; const pair_t Q = { 6, 7 };", "const bit<8> L = K + 1;", "hdr.h.a = K + L; hdr.h.b = Q.y; meta.p = Q; hdr.h.c = (bit<16>) meta.p.x;", "0b070006" + input[8:]},
		{"local scopes", "", "bit<8> v = 1;", "{ bit<8> u = 2; v = v + u; } hdr.h.a = v;", changed("a", "03")},
		{"variables start at zero", "", "bit<32> v; pair_t q;", "hdr.h.d = v + meta.n; hdr.h.a = q.x;", "00" + input[2:8] + "00000000" + input[16:]},
		{"registers", "register<bit<32>>(4) r;", "register<bit<128>>(2) wide;", "bit<32> x; r.write(1, hdr.h.d); r.read(x, 1); hdr.h.d = x + 1; wide.write(1, hdr.h.w + 1); wide.read(hdr.h.w, 1);", input[:8] + "55667789" + input[16:62] + "10"},
		{"register of structs", "struct cell_t { bit<8> x; pair_t p; color_t c; bit<128> w; } register<cell_t>(4) r;", "", "cell_t v = { hdr.h.b, { 5, 6 }, color_t.BLUE, hdr.h.w }; r.write(2, v); r.write(3, { 7, { 8, 9 }, color_t.RED, 1 }); cell_t u; r.read(u, 2); hdr.h.a = u.p.y + (u.c == color_t.BLUE ? u.x : 0); hdr.h.w = u.w + 1; r.read(u, 3); hdr.h.b = u.p.x;", "2808" + input[4:62] + "10"},
		{"register of tuples", "register<tuple<bit<8>, bool>>(4) r;", "", "r.write(1, { hdr.h.a + 1, true }); tuple<bit<8>, bool> u; r.read(u, 1); if (u[1]) { hdr.h.a = u[0]; }", changed("a", "12")},
		{"registers out of range", "register<bit<32>>(4) r;", "", "r.write(4, 7); r.read(hdr.h.d, 4);", changed("d", "00000000")},
		{"crc32", "", "", "hash(hdr.h.d, HashAlgorithm.crc32, 32w0, { hdr.h.a, hdr.h.b }, 64w0x100000000);", changed("d", crcOf("1122"))},
		{"hash base and max", "", "", "hash(hdr.h.c, HashAlgorithm.identity, 16w10, { hdr.h.a }, 16w7);", changed("c", "000d")},
		{"hash with max 0", "", "", "hash(hdr.h.c, HashAlgorithm.crc16, 16w10, { hdr.h.a }, 16w0);", changed("c", "000a")},
		{"hash with a custom CRC", "", "", "hash(hdr.h.d, HashAlgorithm.crc32_custom, 32w0, { hdr.h.a }, 64w0x100000000);", changed("d", crcOf("11"))},
		{"for", "", "", "bit<8> s = 0; for (bit<8> i = 1; i <= 10; i = i + 1) { s = s + i; } hdr.h.a = s;", changed("a", "37")},
		{"for over a range", "", "", "bit<8> s = 0; for (bit<8> i in 250 .. 255) { s = s + 1; } hdr.h.a = s;", changed("a", "06")},
		{"for over an empty range", "", "", "bit<8> s = 9; for (bit<8> i in 5 .. 4) { s = s + 1; } hdr.h.a = s;", changed("a", "09")},
		{"break and continue", "", "", "bit<8> s = 0; for (bit<8> i in 1 .. 9) { if (i == 3) { continue; } if (i == 6) { break; } s = s + i; } hdr.h.a = s;", changed("a", "0c")},
		{"nested loops", "", "", "bit<8> s = 0; for (bit<8> i in 1 .. 3) { for (bit<8> j in 1 .. 9) { if (j > i) { break; } s = s + 1; } } hdr.h.a = s;", changed("a", "06")},
		{"return from a loop", "bit<8> f(in bit<8> x) { for (bit<8> i in 0 .. 200) { if (i == x) { return i + 1; } } return 0; }", "", "hdr.h.a = f(hdr.h.b);", changed("a", "23")},
		{"for over a stack", "", "", "hdr.s[0].setValid(); hdr.s[0] = hdr.h; bit<8> n = 0; for (h_t x in hdr.s) { if (x.isValid()) { n = n + x.a; } } hdr.s[0].setInvalid(); hdr.h.b = n;", changed("b", "11")},
		{"a loop without an end", "", "", "bit<8> s = 0; for (;true;) { s = s + 1; }", ""},
		{"assignment operators on slices", "", "", "hdr.h.c[11:4] += 1; hdr.h.w[127:64] |= 1;", changed("c", "3354")[:32] + "0001020304050607" + input[48:]},
		{"assignment operators on wide numbers", "", "", "hdr.h.w <<= 8; hdr.h.w += 1;", changed("w", "0102030405060708090a0b0c0d0e0f01")},
		{"wide saturation", "", "", "hdr.h.w = hdr.h.w |-| (hdr.h.w + 1);", changed("w", strings.Repeat("00", 16))},
		{"wide saturation up", "", "", "hdr.h.w = hdr.h.w |+| ~hdr.h.w |+| 1;", changed("w", strings.Repeat("ff", 16))},
		{"wide signed saturation", "", "", "int<128> x = (int<128>) (128w1 << 127); hdr.h.w = (bit<128>) (x |-| 1);", changed("w", "80"+strings.Repeat("00", 15))},
		{"truncate", "", "", "truncate(5);", input[:10]},
		{"the shortest truncation counts", "", "", "truncate(5); truncate(9);", input[:10]},
		{"random of one value", "", "", "random(hdr.h.a, 8w7, 8w7);", changed("a", "07")},
		{"random of none", "", "", "random(hdr.h.a, 8w8, 8w7);", input},
		{"assert holds", "", "", "assert(hdr.h.a == 0x11);", input},
		{"assert fails", "", "", "assert(hdr.h.a == 0x12);", ""},
		{"assume fails", "", "", "sm.egress_spec = 2; assume(hdr.h.a == 0x12);", ""},
		{"Checksum16", "", "Checksum16() k;", "hdr.h.c = k.get({ hdr.h.d });", changed("c", "3311")},
		{"array, computed index", "", "bit<8>[4] cells;", "cells[0] = 7; bit<8> i = hdr.h.a - 0x11; cells[i + 2] = 9; hdr.h.a = cells[i] + cells[i + 2]; hdr.h.b = cells[hdr.h.a];", changed("a", "10")[:2] + "00" + input[4:]},
		{"run-time division", "", "", "hdr.h.c /= (bit<16>) hdr.h.a; hdr.h.d %= hdr.h.d;", changed("c", "0304")[:8] + "00000000" + input[16:]},
		{"division by zero", "", "", "hdr.h.b -= 0x22; hdr.h.a /= hdr.h.b;", "0000" + input[4:]},
		{"slices by width", "", "", "hdr.h.a = hdr.h.d[8 +: 8]; hdr.h.c = hdr.h.w[120 +: 8] ++ hdr.h.w[(hdr.h.a & 7) +: 8];", "77" + input[2:4] + "001c" + input[8:]},
		{"slices by width, past the end", "", "", "hdr.h.a = hdr.h.d[(hdr.h.b + 2) +: 8]; hdr.h.b = hdr.h.w[(hdr.h.b + 90) +: 8];", "0000" + input[4:]},
		{"assigning slices by width", "", "", "hdr.h.d[8 +: 8] = 0xFF; bit<8> i = hdr.h.a - 1; hdr.h.w[i +: 8] = 0xEE; hdr.h.e[(hdr.h.b + 26) +: 8] = 0xFF;", changed("d", "5566ff88")[:16] + "f1a2a3a4a5a6a7a8" + "0001020304050607" + "08090a0b0cee0e0f"},
		{"a slice by width as an out argument", "", "action set(out bit<8> x) { x = 0x99; }", "set(hdr.h.d[8 +: 8]);", changed("d", "55669988")},
		{"drop", "", "", "mark_to_drop(sm);", ""},
		{"undrop", "", "", "mark_to_drop(sm); sm.egress_spec = 1;", input},
		{"multicast to nobody", "", "", "sm.mcast_grp = 1;", ""},
		{"standard metadata", "", "", "hdr.h.c = (bit<16>) sm.ingress_port; hdr.h.d = sm.packet_length; hdr.h.a = (bit<8>) sm.egress_port;", "00220003" + "00000020" + input[16:]},
	})
}

// A programCase is a program in the skeleton, and what it makes of input.
type programCase struct{ name, top, locals, apply, want string }

func runCases(t *testing.T, cases []programCase) {
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p, err := compileSkeleton(t, tc.top, tc.locals, tc.apply)
			if err != nil {
				t.Fatal(err)
			}
			pkt, _ := hex.DecodeString(input)
			if _, err := p.Trace(3, pkt, nil); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second packet must not see the first
				x := p.Run(3, pkt)
				got := ""
				if _, data, ok := x.First(); ok {
					got = hex.EncodeToString(data)
				}
				x.Release()
				if got != tc.want {
					t.Fatalf("\n got %s\nwant %s", got, tc.want)
				}
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, tc := range []struct{ name, top, locals, apply, say string }{
		{"clone from egress in ingress", "", "", "clone(CloneType.E2E, 32w5);", "a clone from egress in ingress"},
		{"recirculate in ingress", "", "", "recirculate_preserving_field_list(0);", "recirculate_preserving_field_list in ingress"},
		{"preserving a local", "", "bit<8> x = 1;", "resubmit({ x });", "no field of metadata"},
		{"profile", "", "action a() {} table t { key = { hdr.h.a: exact; } actions = { a; } implementation = action_profile(4); }", "t.apply();", "@name"},
		{"integer without a width", "", "", "hdr.h.a = (bit<8>)((int)hdr.h.a + 1);", "int"},
		{"empty stack", "header e {}", "e[0] none;", "", "e[0]"},
		{
			"argument that the block lacks", "control S(inout bit<8> x, in bit<8> y = 5); control A(inout bit<8> x) { apply { } } control B(inout bit<8> x)(S s) { apply { s.apply(x); } }",
			"A() a; B(a) b;", "b.apply(hdr.h.a);", "more arguments",
		},
		{"digest of a type parameter", "void send<T>(in T x) { digest(1, x); }", "", "send(hdr.h.a);", "a digest whose type"},
		{"absent extern object", "control A(inout bit<8> x, @optional register<bit<8>> r) { apply { r.read(x, 0); } }", "A() a;", "a.apply(hdr.h.a);", "extern parameter"},
		{"instances in an array", "", "register<bit<8>>(4) r[2];", "r[1].read(hdr.h.a, 0);", "register<bit<8>>[2]"},
		{"abstract methods", "extern X { X(); abstract void f(); }", "X() e = { void f() { } };", "e.f();", "abstract methods"},
		{"extern function that returns an object", "extern X { bit<8> f(); } extern X make();", "", "hdr.h.a = make().f();", "a call of f"},
		{"property", "", "action a() {} table t { key = { hdr.h.a: exact; } actions = { a; } junk = 1; }", "t.apply();", "junk"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := compileSkeleton(t, tc.top, tc.locals, tc.apply)
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), tc.say) || !e.Pos.IsValid() {
				t.Fatalf("got %v, want a position and %q", err, tc.say)
			}
		})
	}
}

func TestNoAllocation(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes sync.Pool forget")
	}
	p := load(t, "../../../testdata/tenants/kv.p4")
	pkt := make([]byte, 100)
	pkt[12], pkt[13], pkt[14], pkt[23] = 8, 0, 0x45, 17
	if n := testing.AllocsPerRun(1000, func() { p.Run(1, pkt).Release() }); n > 0.1 {
		t.Fatalf("%v allocations a packet", n)
	}
}
