package resources_test

import (
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/resources"
)

// measure measures a program with the given declarations before its ingress control, and locals and statements in it.
func measure(t *testing.T, top, locals, apply string) resources.Usage {
	t.Helper()
	info, diags := p4.Load("test.p4", []byte(`#include <core.p4>
#include <v1model.p4>
header h_t { bit<48> a; bit<16> b; bit<16> c; }
struct H { h_t h; }
struct M { bit<32> w; bit<32> x; bit<32> y; bit<32> z; bit<1> f; }
`+top+`
parser P(packet_in p, out H h, inout M m, inout standard_metadata_t s) { state start { p.extract(h.h); transition accept; } }
control V(inout H h, inout M m) { apply { } }
control I(inout H h, inout M m, inout standard_metadata_t s) {
`+locals+`
    apply { `+apply+` }
}
control E(inout H h, inout M m, inout standard_metadata_t s) { apply { } }
control D(packet_out p, in H h) { apply { p.emit(h.h); } }
V1Switch(P(), V(), I(), E(), V(), D()) main;
`))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return resources.Measure(info)
}

func TestMeasure(t *testing.T) {
	base := measure(t, "", "", "")
	for r, want := range (resources.Usage{resources.Stages: 1, resources.PHV: 9, resources.SRAM: 0, resources.Gateways: 0, resources.HashBits: 0}) {
		if base[r] != want {
			t.Errorf("an empty program uses %s %d, want %d", r, base[r], want)
		}
	}
	for _, c := range []struct {
		name, top, locals, apply string
		want                     resources.Usage // more than the empty program
	}{
		// HotCloud'20's system program, one exact table of 4 key bytes: 3 blocks, 30 hash bits, 4 bytes of crossbar, 1 action.
		{
			"one small exact table", "", "action a(bit<9> p) { s.egress_spec = p; }\n table t { key = { m.x: exact; } actions = { a; NoAction; } }", "t.apply();",
			resources.Usage{resources.SRAM: 3, resources.HashBits: 30, resources.ExactCrossbar: 4, resources.ActionUnits: 1},
		},
		{
			"a large exact table", "", "table t { key = { h.h.a: exact; h.h.b: exact; } actions = { NoAction; } size = 65536; }", "t.apply();",
			resources.Usage{resources.SRAM: 66, resources.HashBits: 30, resources.ExactCrossbar: 8},
		},
		{
			"ternary", "", "action a(bit<32> v) { m.y = v; }\n table t { key = { m.x: lpm; h.h.b: ternary; } actions = { a; } size = 1024; default_action = a(0); }", "t.apply();",
			resources.Usage{resources.TCAM: 4, resources.TernaryCrossbar: 6, resources.SRAM: 1, resources.ActionUnits: 1},
		},
		{"registers and counters", "register<bit<32>>(16384) r; counter(2048, CounterType.packets) n;", "", "r.read(m.x, 1); n.count(1);", resources.Usage{resources.SRAM: 6}},
		{"a hash", "", "", "hash(m.x, HashAlgorithm.crc32, 32w0, { h.h.a, h.h.b }, 32w64);", resources.Usage{resources.ExactCrossbar: 8, resources.HashBits: 32}},
		{"conditions", "", "", "if (m.x == 0) { m.y = 1; } else if (m.x == 1) { m.y = 2; }", resources.Usage{resources.Gateways: 2}},
		{"a local variable takes no container of its own", "struct N { bit<64> k; bool b; }", "N n; ", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := measure(t, c.top, c.locals, c.apply)
			for r, n := range got {
				if r != resources.Stages && n-base[r] != c.want[r] {
					t.Errorf("%s: %d more, want %d", r, n-base[r], c.want[r])
				}
			}
		})
	}
}

func TestStages(t *testing.T) {
	const tables = `
    action a(bit<32> v) { m.y = v; }
    action b(bit<32> v) { m.z = v; }
    table t { key = { m.x: exact; } actions = { a; } default_action = a(0); }
    table u { key = { m.y: exact; } actions = { b; } default_action = b(0); }
    table v { key = { m.w: exact; } actions = { b; } default_action = b(0); }
`
	for _, c := range []struct {
		name, apply string
		want        int64
	}{
		{"independent tables", "t.apply(); v.apply();", 1},
		{"one matches what the other wrote", "t.apply(); u.apply();", 2},
		{"a condition on what was written", "t.apply(); if (m.y == 1) { v.apply(); }", 2},
		{"a chain of sums", "m.x = m.x + 1; m.y = m.x + 1; m.z = m.y + 1;", 3},
		{"copies are free", "m.x = m.w; m.y = m.x; m.z = m.y; h.h.b = m.z[15:0];", 1},
		{"but what they copy may be late", "m.x = m.x + 1; m.y = m.x; m.z = m.y + 1;", 2},
		{"branches are alternatives", "if (m.w == 0) { m.x = m.x + 1; } else { m.y = m.x + 1; }", 1},
		{"and what follows waits for the longer", "if (m.w == 0) { m.x = m.x + 1; m.x = m.x + 1; } m.y = m.x + 1;", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := measure(t, "", tables, c.apply)[resources.Stages]; got != c.want {
				t.Errorf("%d stages, want %d", got, c.want)
			}
		})
	}
}

func TestTargets(t *testing.T) {
	for _, name := range resources.Names() {
		if _, err := resources.Load(name); err != nil {
			t.Error(err)
		}
	}
	target, err := resources.Load("tofino-like")
	if err != nil {
		t.Fatal(err)
	}
	// The denominators of HotCloud'20's Table 2.
	for r, want := range (resources.Usage{
		resources.ExactCrossbar: 1536, resources.SRAM: 960, resources.HashBits: 4992, resources.ActionUnits: 384,
		resources.Stages: 12, resources.Gateways: 192, resources.PHV: 672,
	}) {
		if target.Capacity[r] != want {
			t.Errorf("%s: %d, want %d", r, target.Capacity[r], want)
		}
	}
	for _, name := range []string{"", "tofino", "../targets/bmv2", "bmv2.yaml"} {
		if _, err := resources.Load(name); err == nil || !strings.Contains(err.Error(), "there are bmv2, tofino-like") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestExceeds(t *testing.T) {
	got := resources.Usage{"a": 2, "b": 3, "c": 1}.Exceeds(resources.Usage{"a": 2, "b": 2})
	if strings.Join(got, " ") != "b c" {
		t.Errorf("got %v, want b and c", got)
	}
}
