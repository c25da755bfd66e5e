package linker_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// small is a tenant's program with places to put things: top level, parser state, ingress declarations and statements, and the
// data of a checksum. Its parser's parameters are not called what the system's are.
const small = `#include <core.p4>
#include <v1model.p4>
header eth_t { bit<48> dst; bit<48> src; bit<16> type; }
header op_t { bit<32> v; }
struct headers_t { eth_t e; op_t op; }
struct meta_t { bit<32> a; }
struct box_t { headers_t t; }
struct tray_t { meta_t t; }
bit<32> bump(inout bit<32> x) { x = x + 20; return x; }
parser P(packet_in p, out headers_t h, inout meta_t m, inout standard_metadata_t s) {
    state start { p.extract(h.e); transition more; }
    state more { /*STATE*/ p.extract(h.op); transition accept; }
}
control V(inout headers_t hdr, inout meta_t meta) { apply { } }
/*INGRESS*/
control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    counter(16, CounterType.packets) c;
    action fwd(bit<9> port) { sm.egress_spec = port; }
    /*TABLE*/
    table t { key = { hdr.e.dst: exact; } actions = { fwd; NoAction; } default_action = NoAction(); }
    apply { t.apply(); /*APPLY*/ }
}
control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout meta_t meta) { apply { /*CHECKSUM*/ } }
control D(packet_out p, in headers_t hdr) { apply { p.emit(hdr.e); p.emit(hdr.op); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
`

func linkSmall(t *testing.T, old, new string) ([]byte, error) {
	t.Helper()
	if old != "" && strings.Count(small, old) != 1 {
		t.Fatalf("%q occurs %d times", old, strings.Count(small, old))
	}
	path := filepath.Join(t.TempDir(), "small.p4")
	if err := os.WriteFile(path, []byte(strings.Replace(small, old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := linkSite(siteWith(t, path, ""))
	if err != nil {
		return nil, err
	}
	return l.P4, nil
}

// What a tenant's code declares may not stand between it and what the linker puts in place of its parameters.
func TestLocalsDoNotCapture(t *testing.T) {
	p4, err := linkSmall(t, "/*STATE*/", "tray_t meta; box_t hdr; meta.t.a = 3; hdr.t = h; m.a = 7;")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"t__meta.t.a = 3;", "t__hdr.t = hdr.t;", "        meta.t.a = 7;", "packet.extract(hdr.t.op);"} {
		if !bytes.Contains(p4, []byte(want)) {
			t.Errorf("no %q in\n%s", want, p4)
		}
	}
}

// The names of controls do not reach the control plane: the objects in them have absolute ones.
func TestNamedControl(t *testing.T) {
	p4, err := linkSmall(t, "/*INGRESS*/", `@name("ingress")`)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(p4, []byte(`@name("ingress")`)) || !bytes.Contains(p4, []byte(`@name(".t__I.t")`)) {
		t.Errorf("%s", p4)
	}
}

func TestCallsAndNamesRefused(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"a counter's index", "/*APPLY*/", "c.count(bump(meta.a));", "the index of a counter is evaluated twice"},
		{
			"a checksum's data", "/*CHECKSUM*/", "update_checksum(true, { bump(meta.a) }, hdr.e.type, HashAlgorithm.csum16);",
			"evaluated for every tenant's packets",
		},
		{"another tenant's name", "/*TABLE*/", `@name(".hh__HhIngress.x")`, "hh__HhIngress is a name of tenant hh"},
		{"another tenant's name inside", "/*TABLE*/", `@name["a.hh__x"]`, "hh__x is a name of tenant hh"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := linkSmall(t, c.old, c.new); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A name goes into the linked program's text, and into what P4Runtime and the verifier read of it: as it is, or not at all.
func TestOddNames(t *testing.T) {
	for _, c := range []struct{ name, annotation string }{
		{"a quote", `@name("a\" b")`},
		{"a backslash", `@name("a\\")`},
		{"a line end", "@name(\"a\nb\")"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := linkSmall(t, "/*TABLE*/", c.annotation)
			if err == nil || !strings.Contains(err.Error(), "small.p4:19:") || !strings.Contains(err.Error(), "no quotes") {
				t.Errorf("got %v", err)
			}
		})
	}
}
