package program

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// manyErrors are 300 members of error.
var manyErrors = func() string {
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprintf("E%d", i))
	}
	return strings.Join(names, ", ")
}()

// What the executor does not model is an error at its position.
func TestUnsupported(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new string
		source   string // part of the line that must be named
		want     string // part of the message
	}{
		{"digest", "kv__l2.apply();", "kv__l2.apply(); digest<bit<8>>(1, hdr.kv__cache.op);", "digest<bit<8>>", "extern function digest"},
		{"truncation", "kv__l2.apply();", "kv__l2.apply(); truncate(32w60);", "truncate(32w60)", "extern function truncate"},
		{
			"an integer without a width at run time", "kv__l2.apply();", "kv__l2.apply(); kv__tmp = (bit<32>)((int)kv__tmp + 1);",
			"(int)kv__tmp", "int",
		},
		{
			"an element of a tuple that is written", "kv__l2.apply();", "kv__l2.apply(); tuple<bit<8>> pair = { 1 }; pair[0] = 2;",
			"pair[0] = 2", "an index into tuple<bit<8>>",
		},
		{"an array", "    bit<32> kv__tmp;\n", "    bit<32> kv__tmp;\n    bit<8>[4] kv__cells;\n", "kv__cells", "values of type bit<8>[4]"},
		{
			"a division by what may be zero", "kv__l2.apply();", "kv__l2.apply(); kv__tmp /= kv__tmp;",
			"kv__tmp /= kv__tmp", "operator / by anything but a positive constant",
		},
		{
			"a generic function", "control kv__Ingress(\n----\nkv__l2.apply();", "T kv__same<T>(in T x) { return x; }\ncontrol kv__Ingress(\n----\nkv__l2.apply(); kv__tmp = kv__same(kv__tmp);",
			"kv__same(kv__tmp)", "a call of kv__same",
		},
		{
			"a generic control", "control kv__Ingress(\n----\n    bit<32> kv__tmp;\n----\nkv__l2.apply();",
			"control kv__G<T>(inout T x) { apply { } }\ncontrol kv__Ingress(\n----\n    kv__G<bit<32>>() kv__g;\n    bit<32> kv__tmp;\n----\nkv__l2.apply(); kv__g.apply(kv__tmp);",
			"kv__g.apply", "applying kv__g",
		},
		{
			"a generic control by its type", "control kv__Ingress(\n----\nkv__l2.apply();",
			"control kv__G<T>(inout T x) { apply { } }\ncontrol kv__Ingress(\n----\nkv__l2.apply(); kv__G.apply(kv__tmp);",
			"kv__G.apply", "applying kv__G",
		},
		{
			"a control as a constructor argument", "control kv__Ingress(\n----\n    bit<32> kv__tmp;\n----\nkv__l2.apply();",
			"control kv__S();\ncontrol kv__A() { apply { } }\ncontrol kv__B()(kv__S s) { apply { s.apply(); } }\ncontrol kv__Ingress(\n----\n    kv__A() kv__a;\n    kv__B(kv__a) kv__b;\n    bit<32> kv__tmp;\n----\nkv__l2.apply(); kv__b.apply();",
			"kv__b.apply", "constructor argument s",
		},
		{
			"an absent argument", "control kv__Ingress(\n----\n    bit<32> kv__tmp;\n----\nkv__l2.apply();",
			"control kv__A(@optional in bit<8> x) { apply { } }\ncontrol kv__Ingress(\n----\n    kv__A() kv__a;\n    bit<32> kv__tmp;\n----\nkv__l2.apply(); kv__a.apply();",
			"kv__a.apply", "without argument for x",
		},
		{
			"an array of instances", "    bit<32> kv__tmp;\n", "    register<bit<8>>(4) kv__r[2];\n    bit<32> kv__tmp;\n",
			"kv__r[2]", "an instance of register<bit<8>>[2]",
		},
		{
			"a table property of nobody", "    table kv__l2 {\n", "    table kv__l2 {\n        junk = 1;\n",
			"junk = 1", "table property junk",
		},
		{
			"an endless parser loop", "state il_marker {", "state il_marker { transition il_marker; }\n state il_other {",
			"il_marker;", "consumes nothing",
		},
		{
			"the page table twice", "            il_page_ingress.apply();\n", "            il_page_ingress.apply();\n            if (il_page_ingress.apply().hit) { }\n",
			"if (il_page_ingress", "applied twice",
		},
		{
			"the page table by prefix", "hdr.il_vlan.vid: exact @name(\"vid\");", "hdr.il_vlan.vid: ternary @name(\"vid\");",
			"table il_page_ingress", "not one exact key",
		},
		{
			"admission by prefix", "hdr.il_vlan.vid : exact @name(\"vid\");", "hdr.il_vlan.vid : ternary @name(\"vid\");",
			"table il_admission", "not one exact key",
		},
		{
			"admission that the program declares", "        const default_action = il_drop();\n        size = 4096;", "        const default_action = il_drop();\n        const entries = { 100: il_admit(); }",
			"entries", "entries of the program's own",
		},
		{
			"an Ethernet header of its own at the front", "packet.emit(hdr.il_ethernet);\n        packet.emit(hdr.il_vlan);", "packet.emit(hdr.il_vlan);\n        packet.emit(hdr.il_ethernet);",
			"packet.emit(hdr.il_vlan)", "does not have 112 bits",
		},
		{"an unregistered tenant", "control kv__Ingress(", "control zz__Other(inout kv__headers_t hdr) { apply { } }\ncontrol kv__Ingress(", "", ""},
		{
			"an unregistered tenant's code", "kv__Ingress() kv__ingress;", "kv__Ingress() kv__ingress; register<bit<8>>(4) zz__mine;",
			"zz__mine", "not registered",
		},
		{
			"a tenant's object in another's name", "table kv__l2 {", "@name(\".hh__Ingress.l2\") table kv__l2 {",
			"table kv__l2", "whose name says that it is tenant hh's",
		},
		{
			"a tenant's object in the system's name", "    bit<32> kv__tmp;\n----\nkv__l2.apply();",
			"    @name(\".il_stage_ingress_7\") register<bit<32>>(4) kv__r;\n    bit<32> kv__tmp;\n----\nkv__l2.apply(); kv__r.write(1, 1);",
			"kv__r", "whose name says that it is the system's",
		},
		{
			"the system's object in a tenant's name", "table il_l2 {", "@name(\".kv__l2\") table il_l2 {",
			"table il_l2", "whose name says that it is tenant kv's",
		},
		{
			"two names", "@name(\".il_page_ingress\")", "@name(\".il_other\") @name(\".il_page_ingress\")",
			"@name", "one string, once",
		},
		{"a name in parts", "@name(\".il_page_ingress\")", "@name(\".il_page\" \"_ingress\")", "@name", "one string, once"},
		{"a renamed control", "control kv__Ingress(", "@name(\"hh__Ingress\") control kv__Ingress(", "control kv__Ingress", "@name of kv__Ingress"},
		{
			"a renamed instance", "kv__Ingress() kv__ingress;", "@name(\"hh__ingress\") kv__Ingress() kv__ingress;",
			"kv__Ingress() kv__ingress", "@name of kv__ingress",
		},
		{
			"unknowns that come out of one use of a macro", "control hh__Ingress(\n----\nbit<32> all;",
			"#define TWICE hh__total.read(all, 0); hh__total.read(other, 1);\ncontrol hh__Ingress(\n----\nbit<32> all;\n            bit<32> other;\n            TWICE",
			"TWICE", "at one position",
		},
		{
			"unknowns behind #line", "            bit<32> all;\n",
			"            bit<32> all;\n#line 9\n            hh__total.read(all, 0);\n#line 9\n            hh__total.read(all, 1);\n",
			"", "at one position",
		},
		{
			"priorities beside prefixes", "    table il_l2 {\n----\nil_ports.apply();",
			`    table il_x {
        key = { meta.il_vsm.egress_spec: ternary; hdr.il_ethernet.dst: lpm; }
        actions = { il_port; @defaultonly il_drop; }
        const default_action = il_drop();
        const entries = { (_, _): il_port(7); (_, 0x800000000000 &&& 0x800000000000): il_port(1); }
    }
    table il_l2 {
----
il_ports.apply(); il_x.apply();`,
			"ternary; hdr.il_ethernet.dst: lpm", "lpm key beside one",
		},
		{
			"a page table behind a profile", "        const default_action = il_unmapped();", "        @name(\".il_members\") implementation = action_profile(64);\n        const default_action = il_unmapped();",
			"implementation", "entries are somewhere else",
		},
		{"a name with the prefix of nobody", "table kv__l2 {", "@name(\"other__l2\") table kv__l2 {", "", ""},
		{
			"a signed page", "il_map_ingress(bit<24> base_0\n----\nmeta.il_page.base_0 = base_0;", "il_map_ingress(int<24> base_0\n----\nmeta.il_page.base_0 = (bit<24>)base_0;",
			"il_map_ingress(int<24>", "not of a bit type",
		},
		{
			"a parser error with arguments to copy back", "parser il_Parser(\n----\nstate kv__start {",
			"void kv__f(inout bit<12> v) { v = 9; verify(false, error.NoMatch); }\nparser il_Parser(\n----\nstate kv__start { kv__f(hdr.il_vlan.vid);",
			"void kv__f", "a parser error inside a function",
		},
		{
			"a page whose numbers are others to the control plane", "control il_Ingress(\n----\nil_map_ingress(bit<24> base_0\n----\nmeta.il_page.base_0 = base_0;",
			"@p4runtime_translation(\"\", 32)\ntype bit<24> il_base_t;\ncontrol il_Ingress(\n----\nil_map_ingress(il_base_t base_0\n----\nmeta.il_page.base_0 = (bit<24>)base_0;",
			"il_map_ingress(il_base_t", "not of a bit type",
		},
		{
			"an extern function of its own", "control kv__Ingress(\n----\nkv__l2.apply();", "extern void truncate(inout bit<12> v, in bit<8> w);\ncontrol kv__Ingress(\n----\nkv__l2.apply(); bit<12> v = 1; truncate(v, 8w1);",
			"extern void truncate", "that the program declares itself",
		},
		{"an extern object of its own", "control kv__Ingress(", "extern kv__E { kv__E(); }\ncontrol kv__Ingress(", "extern kv__E", "that the program declares itself"},
		{
			"calls in named arguments out of order", "control kv__Ingress(\n----\nkv__l2.apply();",
			"bit<8> kv__inc(inout bit<8> x) { x = x + 1; return x; }\nbit<8> kv__sub(in bit<8> a, in bit<8> b) { return a - b; }\ncontrol kv__Ingress(\n----\nkv__l2.apply(); bit<8> c = 1; c = kv__sub(b = kv__inc(c), a = c);",
			"kv__sub(b", "not in the order of the parameters",
		},
		{"bits by their width", "kv__l2.apply();", "kv__l2.apply(); hdr.kv__cache.key[4+:8] = 1;", "key[4+:8]", "as a place to assign"},
		{"a loop", "kv__l2.apply();", "kv__l2.apply(); for (bit<8> i in 1 .. 3) { meta.index = meta.index + 1; }", "for (bit<8> i", "this statement"},
		{"a loop with a condition", "kv__l2.apply();", "kv__l2.apply(); for (bit<8> i = 0; i < 3; i = i + 1) { meta.index = 1; }", "for (bit<8> i", "this statement"},
		{
			"a header union", "control kv__Ingress(\n----\n    bit<32> kv__tmp;\n", "header_union kv__u_t { kv__cache_t a; kv__ethernet_t b; }\ncontrol kv__Ingress(\n----\n    bit<32> kv__tmp;\n    kv__u_t kv__u;\n",
			"kv__u_t kv__u", "values of type kv__u_t",
		},
		{
			"a value set", "    state start {\n        meta.il_tenant = 0;", "    value_set<bit<16>>(4) il_types;\n    state start {\n        meta.il_tenant = 0;",
			"value_set<bit<16>>", "this declaration",
		},
		{
			"a header that is picked at run time", "hdr.hh.hh__labels.next\n----\nhdr.hh.hh__labels.last.bottom", "hdr.hh.hh__labels.next\n----\nhdr.hh.hh__labels[hdr.il_vlan.vid].bottom",
			"select", "not known when the program is compiled",
		},
		{
			"priorities the other way round", "    table il_l2 {\n----\nil_ports.apply();",
			"    table il_x {\n        key = { hdr.il_ethernet.dst: ternary; }\n        actions = { il_port; @defaultonly il_drop; }\n        largest_priority_wins = false;\n        entries = { priority = 3: _: il_port(7); }\n    }\n    table il_l2 {\n----\nil_ports.apply(); il_x.apply();",
			"largest_priority_wins", "table property largest_priority_wins",
		},
		{
			"more errors than codes", "parser il_Parser(\n----\nerror.ParserInvalidArgument", "error { " + manyErrors + " }\nparser il_Parser(\n----\nerror.E299",
			"error.E299", "more than 256 errors",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := two(t)
			edit(t, in, c.old, c.new)
			_, err := Obligations(in)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var at *PosError
			if !errors.Is(err, ErrUnsupported) || !errors.As(err, &at) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(sourceLine(in.Linked, at.Pos), c.source) {
				t.Errorf("got %v\nat %q", err, sourceLine(in.Linked, at.Pos))
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Input)
		want   string
	}{
		{"no VID 0", func(in *Input) { in.Tenants[0].VID = 0 }, "not in 1..4094"},
		{"no VID 4095", func(in *Input) { in.Tenants[0].VID = 4095 }, "not in 1..4094"},
		{"one VID a tenant", func(in *Input) { in.Tenants[0].VID = 200 }, "VID 200 is registered"},
		{"one name a tenant", func(in *Input) { in.Tenants[0].Name = "hh" }, "registered twice"},
		{"a name", func(in *Input) { in.Tenants[0].Name = "K v" }, "a name is"},
		{"the system's prefix", func(in *Input) { in.Tenants[0].Name = "il" }, "a name is"},
		{"the controller's port", func(in *Input) { in.Tenants[0].Ports = []uint16{510} }, "no front port"},
		{"a tenant without code", func(in *Input) { in.Tenants = append(in.Tenants, Tenant{Name: "fw", VID: 300, Ports: []uint16{5}}) }, "tenant fw is registered, but"},
		{"no program", func(in *Input) { in.Linked = nil }, ""},
		{"no P4", func(in *Input) { in.Linked = []byte("control {") }, "linked.p4:1:"},
		{"another file", func(in *Input) { in.Linked = append(in.Linked, "\n#include \"program_test.go\"\n"...) }, "#include of program_test.go"},
		{
			"two objects of one name", func(in *Input) {
				in.Linked = bytes.Replace(in.Linked, []byte("table il_l2 {"), []byte("@name(\".il_page_ingress\") table il_l2 {"), 1)
			}, "two tables are called il_page_ingress",
		},
		{
			"two objects of one name, one of them unused", func(in *Input) {
				in.Linked = append(in.Linked, "\n@name(\"il_stage_ingress_0\") register<bit<32>>(4) il_other;\n"...)
			}, "are called il_stage_ingress_0",
		},
		{
			"a line that claims to be v1model's", func(in *Input) {
				in.Linked = append([]byte("#include <v1model.p4>\n#line 1 \"v1model.p4\"\n"), in.Linked...)
			}, "cannot claim to be the system file",
		},
		{"no main", func(in *Input) { in.Linked = []byte("#include <v1model.p4>\n") }, "main"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := two(t)
			c.change(in)
			if _, err := Obligations(in); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
