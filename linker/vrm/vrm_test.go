package vrm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/linker/vrm"
	"github.com/interlock/interlock/specs"
)

// analyze checks a program whose ingress has the given declarations and statements; a, b and c are registers, m the metadata.
func analyze(t *testing.T, locals, apply, egress string) (*vrm.Program, syntax.Diagnostics) {
	t.Helper()
	src := `#include <core.p4>
#include <v1model.p4>
struct H { }
struct M { bit<32> i; bit<32> j; bit<32> x; bit<32> y; }
register<bit<32>>(64) a;
register<bit<32>>(64) b;
register<bit<32>>(64) c;
parser P(packet_in p, out H h, inout M m, inout standard_metadata_t s) { state start { transition accept; } }
control V(inout H h, inout M m) { apply { } }
control I(inout H h, inout M m, inout standard_metadata_t s) {
    ` + locals + `
    apply { ` + apply + ` }
}
control E(inout H h, inout M m, inout standard_metadata_t s) { apply { ` + egress + ` } }
control D(packet_out p, in H h) { apply { } }
V1Switch(P(), V(), I(), E(), V(), D()) main;
`
	info, diags := p4.Load("test.p4", []byte(src))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	control := func(i int) *syntax.ControlDecl { return info.MainArgs[i].Decl.(*syntax.ControlDecl) }
	meta := info.TypeNodes[control(2).Params[1].Type].(*types.Struct)
	return vrm.Analyze(info, vrm.Pipeline{Ingress: control(2), Egress: control(3), Metadata: meta})
}

func TestStages(t *testing.T) {
	const table = `
    action ra() { a.read(m.x, m.i); }
    action rb() { b.read(m.x, m.i); }
    table t { key = { m.j: exact; } actions = { ra; rb; } default_action = ra(); }
`
	for _, c := range []struct{ name, locals, apply, egress, want string }{
		{"order of access, not of declaration", "", "c.read(m.x, m.i); a.write(m.j, m.x);", "", "ingress/c=0 ingress/a=1"},
		{"read, then write at the same index", "", "a.read(m.x, m.i); m.x = m.x + 1; a.write(m.i, m.x);", "", "ingress/a=0"},
		{"the index in other words", "", "a.read(m.x, (m.i + 1) & 3); a.write((m.i + 1) & 3, 7);", "", "ingress/a=0"},
		{"a constant index", "", "a.read(m.x, 3); a.write(1 + 2, 7);", "", "ingress/a=0"},
		{"branches are alternatives", "", "if (m.x == 0) { a.read(m.x, 1); b.read(m.y, 1); } else { b.read(m.x, 2); }", "", "ingress/a=0 ingress/b=1"},
		{"a write after either branch", "", "if (m.x == 0) { a.read(m.y, m.i); } a.write(m.i, m.y);", "", "ingress/a=0"},
		{"after a return", "", "if (m.x == 0) { a.read(m.y, 1); return; } a.read(m.y, 2);", "", "ingress/a=0"},
		{"a table's actions are alternatives", table, "t.apply();", "", "ingress/a=0 ingress/b=1"},
		{"and each case follows its action", table, "switch (t.apply().action_run) { ra: { b.write(m.i, 1); } rb: { a.write(m.j, 2); } }", "", "cycle"},
		{"one case", table, "switch (t.apply().action_run) { ra: { b.write(m.i, 1); } rb: { c.write(m.j, 2); } }", "", "ingress/a=0 ingress/b=1 ingress/c=2"},
		{"ingress and egress count for themselves", "", "a.read(m.x, 1);", "b.read(m.x, 1);", "ingress/a=0 egress/b=0"},
		{"unused registers take no stage", "", "b.read(m.x, 0);", "", "ingress/b=0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, diags := analyze(t, c.locals, c.apply, c.egress)
			if c.want == "cycle" {
				if !strings.Contains(fmt.Sprint(diags), "is accessed after") {
					t.Errorf("got %v, want a conflict of order", diags)
				}
				return
			}
			if err := diags.Err(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, control := range []specs.Control{specs.Ingress, specs.Egress} {
				regs := p.In(control)
				for stage := range regs {
					for _, r := range regs {
						if r.Stage == stage {
							got = append(got, fmt.Sprintf("%s/%s=%d", control, r.Name, stage))
						}
					}
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got %s, want %s", s, c.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, locals, apply, egress, want string }{
		{"two reads", "", "a.read(m.x, 1);\na.read(m.y, 1);", "", "test.p4:13:1: error[P4710]: register a was already accessed at test.p4:12:13"},
		{"a write, then a read", "", "a.write(1, m.x); a.read(m.x, 1);", "", "was already accessed"},
		{"two writes", "", "a.write(1, m.x); a.write(1, m.y);", "", "was already accessed"},
		{"another index", "", "a.read(m.x, m.i); a.write(m.j, m.x);", "", "need not be at the same index"},
		{"an index that has changed", "", "a.read(m.x, m.i); m.i = 4; a.write(m.i, m.x);", "", "need not be at the same index"},
		{"an index changed through a slice", "", "a.read(m.x, m.i); m.i[3:0] = 4; a.write(m.i, m.x);", "", "need not be at the same index"},
		{"an index that the read itself changed", "", "a.read(m.i, m.i); a.write(m.i, m.x);", "", "need not be at the same index"},
		{"an index changed by an argument", "action f(out bit<32> z) { z = 1; }", "a.read(m.x, m.i); f(m.i); a.write(m.i, m.x);", "", "need not be at the same index"},
		{"an index changed as part of a struct", "action f(inout M z) { z.x = 1; }", "a.read(m.x, m.i); f(m); a.write(m.i, m.x);", "", "need not be at the same index"},
		{"on one of two paths", "", "if (m.x == 0) { a.read(m.y, m.i); } else { a.read(m.y, m.j); } a.write(m.i, m.y);", "", "need not be at the same index"},
		{"between a read and its write", "", "a.read(m.x, 1); b.read(m.y, 1); a.write(1, m.x);", "", "a packet passes the stages in one direction"},
		{"a longer circle", "", "if (m.x == 0) { a.read(m.y, 1); b.read(m.y, 1); } else if (m.x == 1) { b.read(m.y, 1); c.read(m.y, 1); } else { c.read(m.y, 1); a.read(m.y, 1); }", "", "in an order that no sequence of stages has"},
		{"in both controls", "", "a.read(m.x, 1);", "a.read(m.x, 1);", "is used in ingress and in egress"},
		{"in an action that is never called", "action f() { a.read(m.x, 1); }", "", "", "is not reached from ingress or egress"},
		{"in actions, twice", "action f() { a.read(m.x, 1); }", "f(); f();", "", "was already accessed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, diags := analyze(t, c.locals, c.apply, c.egress)
			if !strings.Contains(fmt.Sprint(diags), c.want) {
				t.Errorf("got %v\nwant %q", diags, c.want)
			}
		})
	}
}

func TestNarrow(t *testing.T) {
	for _, c := range []struct {
		name     string
		fold     bool
		min, max int64
		want     string // "": fine
	}{
		{"nothing", true, 0, 0, ""},
		{"both", true, 512, 1024, ""},
		{"below", true, 128, 0, "min 128 is below the program's, 256"},
		{"above", false, 0, 5000, "max 5000 is above the program's, 4096"},
		{"crossed", false, 2000, 1000, "min 2000 is above max 1000"},
		{"not a power of two", true, 0, 1000, "must be a power of two"},
		{"directly indexed", false, 0, 1000, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := vrm.Register{Elastic: true, Fold: c.fold, Declared: 4096, Min: 256, Max: 4096}
			err := r.Narrow(c.min, c.max)
			if c.want == "" && err != nil || c.want != "" && !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && (r.Min != 256 || r.Max != 4096) {
				t.Errorf("refused, and changed to %d..%d", r.Min, r.Max)
			}
			if err == nil && c.max != 0 && r.Max != c.max {
				t.Errorf("max is %d, want %d", r.Max, c.max)
			}
		})
	}
}
