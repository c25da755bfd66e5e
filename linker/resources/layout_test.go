package resources_test

import (
	"fmt"
	"maps"
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/linker/resources"
)

func loaded(t *testing.T, file string, text []byte) *types.Info {
	t.Helper()
	info, diags := p4.Load(file, text)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return info
}

// narrow is a target of n stages with a gateway, two actions, four blocks and two tables' hash bits in each.
func narrow(t *testing.T, n int) *resources.Target {
	t.Helper()
	target, err := resources.Parse("narrow.yaml", fmt.Appendf(nil, `
apiVersion: interlock/v1alpha1
kind: Target
metadata: {name: narrow, description: d}
stages: %d
perStage: {sramBlocks: 4, tcamBlocks: 1, exactCrossbarBytes: 16, ternaryCrossbarBytes: 8, hashBits: 60, actionUnits: 2, gateways: 1}
phvContainers: 64
slots: 1024
conditionalActions: true
`, n))
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// program is a program with two tenants' code, a and b, as the linker writes it.
func program(aApply, bApply, system string) []byte {
	tenant := func(name, apply string) string {
		return strings.NewReplacer("NAME", name, "APPLY", apply).Replace(`
header NAME__h_t { bit<32> x; }
struct NAME__headers_t { NAME__h_t h; }
control NAME__C(inout NAME__headers_t hdr, inout M m) {
    register<bit<32>>(4096) own;
    action set(bit<32> v) { m.y = v; }
    action more() { m.z = m.z + 1; }
    table t { key = { hdr.h.x: exact; } actions = { set; NoAction; } default_action = NoAction(); size = 1024; }
    apply { APPLY }
}`)
	}
	return []byte(`#include <core.p4>
#include <v1model.p4>
struct M { bit<32> w; bit<32> x; bit<32> y; bit<32> z; }
register<bit<32>>(4096) il_stage_ingress_0;
` + tenant("a", aApply) + tenant("b", bApply) + `
struct H { a__headers_t a; b__headers_t b; }
parser P(packet_in p, out H hdr, inout M m, inout standard_metadata_t s) { state start { transition accept; } }
control V(inout H hdr, inout M m) { apply { } }
control I(inout H hdr, inout M m, inout standard_metadata_t s) {
    action il_run_a() { }
    action il_run_b() { }
    action il_drop() { mark_to_drop(s); }
    action il_common() { m.w = 7; }
    table il_dispatch { key = { s.ingress_port: exact; } actions = { il_run_a; il_run_b; il_drop; } default_action = il_drop(); size = 2; }
    a__C() il_a;
    b__C() il_b;
    apply {
        switch (il_dispatch.apply().action_run) {
            il_run_a: { if (m.w == 1) { il_common(); } il_a.apply(hdr.a, m); }
            il_run_b: { il_common(); il_b.apply(hdr.b, m); }
        }
        ` + system + `
    }
}
control E(inout H hdr, inout M m, inout standard_metadata_t s) { apply { } }
control D(packet_out p, in H hdr) { apply { } }
V1Switch(P(), V(), I(), E(), V(), D()) main;
`)
}

func at(u []resources.Usage, r string) (out []int64) {
	for _, s := range u {
		out = append(out, s[r])
	}
	return out
}

func TestLay(t *testing.T) {
	for _, c := range []struct {
		name, a, b, system, resource string
		stages                       int
		all, ofA, ofB                []int64
	}{
		{"a condition of a's own, and one before the dispatch to it", "if (m.x == 1) { more(); }", "", "", resources.Gateways, 3, []int64{1, 1, 0}, []int64{1, 1, 0}, []int64{0, 0, 0}},
		{"the system's conditions are nobody's", "", "", "if (m.x == 1) { m.z = 1; }", resources.Gateways, 3, []int64{1, 1, 0}, []int64{1, 0, 0}, []int64{0, 0, 0}},
		{"what two tenants' code uses counts for both", "", "", "", resources.ActionUnits, 3, []int64{2, 2, 0}, []int64{0, 1, 0}, []int64{0, 1, 0}},
		{"a table whose actions find no room waits for a stage with some", "t.apply();", "t.apply();", "", resources.HashBits, 4, []int64{30, 0, 60, 0}, []int64{0, 0, 30, 0}, []int64{0, 0, 30, 0}},
		{"memory goes on in the stages after it", "own.read(m.y, 0);", "", "", resources.SRAM, 3, []int64{4, 4, 1}, []int64{1, 1, 0}, []int64{0, 1, 1}},
		{"stage arrays are nobody's", "il_stage_ingress_0.read(m.y, 0);", "", "", resources.SRAM, 3, []int64{4, 4, 1}, []int64{0, 2, 0}, []int64{0, 1, 1}},
		{"what no stage has room for stands in the last", "if (m.w == 1) { more(); } if (m.w == 2) { more(); } if (m.w == 3) { more(); }", "", "", resources.Gateways, 2, []int64{1, 3}, []int64{1, 3}, []int64{0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := narrow(t, c.stages)
			info := loaded(t, "linked.p4", program(c.a, c.b, c.system))
			l := resources.Lay(info, target, []string{"a", "b"})
			for _, x := range []struct {
				what      string
				got, want []int64
			}{
				{"all", at(l.Stages, c.resource), c.all},
				{"a", at(l.Tenants["a"].Stages, c.resource), c.ofA},
				{"b", at(l.Tenants["b"].Stages, c.resource), c.ofB},
			} {
				if x.want != nil && !slices.Equal(x.got, x.want) {
					t.Errorf("%s: %v, want %v", x.what, x.got, x.want)
				}
			}
			if full := c.stages == 2; (len(l.Over(target)) > 0) != full {
				t.Errorf("over: %v", l.Over(target))
			}
		})
	}
}

// Laying a program out changes nothing about how much it needs, and nobody's part is more than all of it.
func TestLayKeepsTotals(t *testing.T) {
	quickstart, err := os.ReadFile("../testdata/quickstart/linked.p4")
	if err != nil {
		t.Fatal(err)
	}
	info := loaded(t, "linked.p4", quickstart)
	names := []string{"fw", "hh", "kv"}
	total := resources.Measure(info)
	seed := rand.Int63()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewSource(seed))
	for range 20 {
		target := narrow(t, 1+r.Intn(20))
		l := resources.Lay(info, target, names)
		for _, res := range []string{
			resources.SRAM, resources.TCAM, resources.ExactCrossbar, resources.TernaryCrossbar, resources.HashBits, resources.ActionUnits, resources.Gateways,
		} {
			var sum int64
			for i, s := range l.Stages {
				sum += s[res]
				for _, n := range names {
					if p := l.Tenants[n].Stages[i][res]; p > s[res] {
						t.Errorf("%s in stage %d: tenant %s has %d of %d", res, i, n, p, s[res])
					}
				}
			}
			if sum != total[res] {
				t.Errorf("%s: %d in the stages, %d in all", res, sum, total[res])
			}
		}
		capacity, parts := l.Shared(target, true)
		for n, p := range parts {
			if over := p.Exceeds(capacity); len(over) > 0 && len(l.Over(target)) == 0 {
				t.Errorf("tenant %s: %v", n, over)
			}
			if !maps.Equal(keys(p), keys(capacity)) {
				t.Errorf("tenant %s: names %v, want %v", n, keys(p), keys(capacity))
			}
		}
	}
	if again := resources.Lay(info, narrow(t, 12), names); fmt.Sprint(again) != fmt.Sprint(resources.Lay(info, narrow(t, 12), names)) {
		t.Error("a program is laid out in two ways")
	}
}

func keys(u resources.Usage) map[string]bool {
	out := map[string]bool{}
	for k := range u {
		out[k] = true
	}
	return out
}
