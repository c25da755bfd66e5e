package program

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// A canary is a change to two.p4 that must be refuted: by both solvers, with a model that replays and leads to the changed
// line.
type canary struct {
	name     string
	old, new string
	want     string // prefix of the ID of an obligation that must be refuted
	source   string // part of the source line that must be blamed
	what     string // part of what must be said to happen
}

var canaries = []canary{
	{
		"another tenant's register", "kv__l2.apply();", "kv__l2.apply(); hh__total.read(meta.index, 0);",
		"P1/hh__total/read/", "hh__total.read(meta.index, 0)", "tenant kv's code touches tenant hh's register hh__total",
	},
	{
		"the system's counter", "kv__l2.apply();", "kv__l2.apply(); il_hits.count(100);",
		"P1/il_hits/count/", "il_hits.count(100)", "tenant kv's code touches the system's counter il_hits",
	},
	{
		"a tenant's register from system code", "il_l2.apply();", "il_l2.apply(); hh__total.write(1, 1);",
		"P1/hh__total/write/", "hh__total.write(1, 1)", "not tagged with its VID 200",
	},
	{
		"priority bits", "state kv__start {", "state kv__start { hdr.il_vlan.pcp = 7;",
		"P2/kv/pcp", "hdr.il_vlan.pcp = 7", "with another pcp",
	},
	{
		"VID on one path only", "verify(hdr.hh.hh__ipv4.verihl", "hdr.il_vlan.vid = hdr.hh.hh__ipv4.len[11:0]; verify(hdr.hh.hh__ipv4.verihl",
		"P2/hh/vid", "hdr.il_vlan.vid = hdr.hh", "with another vid",
	},
	{
		"a slice of the tag", "state kv__start {", "state kv__start { hdr.il_vlan.pcp[1:1] = 1;",
		"P2/kv/pcp", "hdr.il_vlan.pcp[1:1] = 1", "with another pcp",
	},
	{
		"the whole tag", "state kv__start {", "state kv__start { hdr.il_vlan = { 1, 1, 100, 0x800 };",
		"P2/kv/dei", "hdr.il_vlan = { 1, 1, 100, 0x800 }", "with another dei",
	},
	{
		"a VID that stops the packet", "state kv__start {", "state kv__start { hdr.il_vlan.vid = 9;",
		"P2/kv/kept", "hdr.il_vlan.vid = 9", "another vid at the end of ingress",
	},
	{
		"TPID", "state kv__parse_cache {", "state kv__parse_cache { hdr.il_ethernet.etherType = 0x88a8;",
		"P2/kv/tpid", "etherType = 0x88a8", "with another tpid",
	},
	{
		"no tag", "state kv__start {", "state kv__start { hdr.il_vlan.setInvalid();",
		"P2/kv/one-tag", "emit(hdr.il_ethernet)", "without its tag",
	},
	{
		"a second tag", "hdr.il_vlan.etherType == 0x9300)\n----\nkv__l2.apply();", "false)\n----\nkv__l2.apply(); hdr.kv__eth.etherType = 0x9300;",
		"P2/kv/inner-type", "hdr.kv__eth.etherType = 0x9300;", "second tag's type",
	},
	{"a tenant that leaves the type alone, unchecked", "hdr.il_vlan.etherType == 0x9300)", "false)", "", "", ""},
	{
		"system packets untagged", "il_l2.apply();", "il_l2.apply(); hdr.il_vlan.setInvalid();",
		"P2/il/same-tags", "emit(hdr.il_ethernet)", "other tags",
	},
	{
		"recirculation", "kv__l2.apply();", "kv__l2.apply(); if (hdr.kv__cache.op == 9) { recirculate_preserving_field_list(0); }",
		"P3/kv/recirculate/", "recirculate_preserving_field_list(0)", "recirculate the packet",
	},
	{
		"resubmission", "meta.hit = 1;\n        meta.index", "resubmit_preserving_field_list(0);\n        meta.index",
		"P3/kv/resubmit/", "resubmit_preserving_field_list(0)", "resubmit the packet",
	},
	{
		"cloning", "meta.hit = 1;\n        meta.index", "clone(CloneType.I2E, 5);\n        meta.index",
		"P3/kv/clone/", "clone(CloneType.I2E, 5)", "clone the packet",
	},
	{
		"a copy by system code", "il_packets.count((bit<32>)", "clone(CloneType.I2E, 5); il_packets.count((bit<32>)",
		"P3/system/clone/", "clone(CloneType.I2E, 5)", "a packet that ran a tenant's code is to clone",
	},
	{
		"a copy of the system's own packets", "il_l2.apply();", "il_l2.apply(); clone(CloneType.I2E, 5);",
		"P3/system/clone/", "clone(CloneType.I2E, 5)", "what its copy does is not known",
	},
	{
		"multicast", "state kv__start {", "state kv__start { standard_metadata.mcast_grp = 5;",
		"P3/kv/multicast", "standard_metadata.mcast_grp = 5", "with a multicast group",
	},
	{
		"no bound check", "if (v < (bit<32>)page.size_0) {\n                            il_stage_ingress_0.read", "if (true) {\n                            il_stage_ingress_0.read",
		"P5/ingress/il_stage_ingress_0/kv/", "il_stage_ingress_0.read(", "outside the extent",
	},
	{
		"one slot too far", "if (v < (bit<32>)page.size_1) {", "if (v <= (bit<32>)page.size_1) {",
		"P5/ingress/il_stage_ingress_1/hh/", "il_stage_ingress_1.", "outside the extent",
	},
	{
		"a slot number that wraps", "il_stage_ingress_0.write((bit<32>)page.base_0 + v,", "il_stage_ingress_0.write((bit<32>)(page.base_0 + v[23:0]),",
		"P5/ingress/il_stage_ingress_0/kv/", "il_stage_ingress_0.write(", "outside the extent",
	},
	{
		"another VID's page", "hdr.il_vlan.vid: exact @name", "hdr.il_vlan.vid ^ 1: exact @name",
		"P5/ingress/il_stage_ingress_0/kv/", "il_stage_ingress_0.", "outside the extent",
	},
	{
		"a VID written by the tenant", "state kv__start {", "state kv__start { hdr.il_vlan.vid = 200;",
		"P11/exit/kv", "standard_metadata.egress_spec = port", "not one of its ports",
	},
	{
		"nobody asks who is admitted", "} else if (il_admission.apply().hit) {", "} else {",
		"P11/closed/code/kv", "", "tenant kv's code",
	},
	{
		"those who are not admitted get in", "} else if (il_admission.apply().hit) {", "} else if (il_admission.apply().miss) {",
		"P11/closed/state/il_stage_ingress_0", "", "whose VID has no entry in the admission table",
	},
	{
		"another VID is admitted", "hdr.il_vlan.vid : exact @name", "hdr.il_vlan.vid ^ 1 : exact @name",
		"P11/closed/state/hh__total", "", "whose VID has no entry in the admission table",
	},
	{
		"counted before it is admitted", "        } else if (il_admission.apply().hit) {", "        } else if (meta.il_tenant == 2 && hdr.il_ethernet.dst == 7) { il_packets.count((bit<32>)hdr.il_vlan.vid); } else if (il_admission.apply().hit) {",
		"P11/closed/state/il_packets", "il_packets.count(", "counter il_packets is touched",
	},
	{
		"forwarded though it is not admitted", "} else if (meta.il_tenant == 0) {", "} else if (meta.il_tenant == 0 || hdr.il_ethernet.dst == 7) {",
		"P11/closed/exit/kv", "", "a packet that tenant kv's parser took leaves",
	},
	{
		"another stage's base", "il_stage_ingress_0.write((bit<32>)page.base_0 + v,", "il_stage_ingress_0.write((bit<32>)page.base_1 + v,",
		"P5/ingress/il_stage_ingress_0/kv/", "il_stage_ingress_0.write(", "outside the extent",
	},
	{
		"no page table", "            il_page_ingress.apply();\n", "",
		"P5/ingress/il_stage_ingress_0/kv/", "il_stage_ingress_0.", "outside the extent",
	},
	{
		"a page left from the packet before", "        meta.il_page.size_0 = 0;\n", "",
		"P5/ingress/il_stage_ingress_0/kv/", "il_stage_ingress_0.", "outside the extent",
	},
	{
		"counting for another", "il_packets.count((bit<32>)hdr.il_vlan.vid);", "il_packets.count(200);",
		"P5/ingress/il_packets/il/", "il_packets.count(200)", "not the packet's VID",
	},
	{
		"a tenant's register past its end", "hh__total.write((bit<32>)hdr.hh__ipv4.tos[5:0]", "hh__total.write((bit<32>)hdr.hh__ipv4.tos[6:0]",
		"P5/ingress/hh__total/hh/", "hh__total.write(", "not below its size 64",
	},
	{
		"no VID in the admission", "(2, 100, _): il_enter_kv;", "(2, _, _): il_enter_kv;",
		"P10/kv/parser/kv__start", "state kv__start", "exactly one tag with VID 100",
	},
	{
		"double tags admitted", "(_, _, 0x9100): accept;", "",
		"P10/hh/parser/hh__start", "state hh__start", "exactly one tag with VID 200",
	},
	{
		"untagged packets admitted", "0x8100: il_vlan;\n            default: accept;", "0x8100: il_vlan;\n            0x1234: il_enter_kv;\n            default: accept;",
		"P10/kv/parser/kv__start", "state kv__start", "exactly one tag with VID 100",
	},
	{
		"a foreign port admitted", "(2, 100, _): il_enter_kv;", "(2, 100, _): il_enter_kv; (3, 100, _): il_enter_kv;",
		"P11/enter/kv/parser/kv__start", "state kv__start", "on one of its ports [1 2]",
	},
	{
		"the controller's packets admitted", "0x88b5: il_marker;\n----\n(2, 100, _): il_enter_kv;",
		"0x88b5: il_marker; 0x8100: il_vlan;\n----\n(510, 100, _): il_enter_kv;",
		"P11/enter/kv/parser/kv__start", "state kv__start", "on one of its ports [1 2]",
	},
	{
		"an old tag's type as inner type", "            (_, _, 0x9300): accept;\n", "",
		"P10/hh/parser/hh__start", "state hh__start", "exactly one tag with VID 200",
	},
	{
		"a tenant's parser", "parser il_Parser(\n----\nV1Switch(il_Parser()", "parser kv__Parser(\n----\nV1Switch(kv__Parser()",
		"P10/kv/parser/start", "state start", "exactly one tag with VID 100",
	},
	{
		"a tenant that runs in egress only", egressOnly.old, egressOnly.new,
		"P11/exit/kv", "standard_metadata.egress_spec = port", "leaves through a port that is not one of its ports [1 2]",
	},
	{
		"multicast to a tenant that runs in egress only", egressOnly.old + "\n----\nil_ports.apply();",
		egressOnly.new + "\n----\nil_ports.apply(); standard_metadata.mcast_grp = 4;",
		"P3/kv/multicast", "standard_metadata.mcast_grp = 4", "left it with a multicast group",
	},
	{
		"a tenant's table with the system's actions", `        transition kv__start;
----
    state kv__start {
        transition select(hdr.kv.kv__eth.etherType) {
            0x1234: kv__parse_cache;
            default: accept;
        }
    }
    state kv__parse_cache {
        packet.extract(hdr.kv.kv__cache);
        transition accept;
    }
----
    kv__Ingress() kv__ingress;
----
kv__ingress.apply(hdr.kv, meta.kv, meta.il_vsm, meta.il_page);
----
    table il_l2 {
----
            if (meta.il_hit == 1) {`, `        transition accept;
----

----

----

----
    table kv__out { key = { hdr.il_ethernet.dst: exact; } actions = { il_port; il_drop; } const default_action = il_drop(); }
    table il_l2 {
----
            if (meta.il_tenant == 1) { kv__out.apply(); }
            if (meta.il_hit == 1) {`,
		"P11/exit/kv", "standard_metadata.egress_spec = port", "not one of its ports [1 2]",
	},
	{
		"two actions of one name", "control il_Ingress(inout\n----\n    table il_l2 {\n----\nil_packets.count(", `action il_drop(inout bit<9> spec) { spec = 7; }
control il_Ingress(inout
----
    table il_last {
        key = { hdr.il_vlan.vid: exact; }
        actions = { .il_drop(standard_metadata.egress_spec); il_to_system; }
        const default_action = il_to_system();
    }
    table il_l2 {
----
il_last.apply();
            il_packets.count(`,
		"P11/exit/hh", "spec = 7", "not one of its ports [3]",
	},
	{
		"another NoAction than a table's own default", "    table il_l2 {\n----\n            if (meta.il_hit == 1) {", `    action NoAction() { standard_metadata.egress_spec = 511; }
    table il_gate { key = { hdr.il_vlan.vid: exact; } actions = { NoAction; } }
    table il_l2 {
----
            standard_metadata.egress_spec = 7;
            il_gate.apply();
            if (meta.il_hit == 1) {`,
		"P11/exit/kv", "standard_metadata.egress_spec = 7", "not one of its ports [1 2]",
	},
	{
		"a packet longer than the model's", "state kv__start {", "state kv__start { hdr.il_vlan.pcp = hdr.il_vlan.pcp ^ (standard_metadata.packet_length > 70000 ? 3w1 : 0);",
		"P2/kv/pcp", "packet_length > 70000", "with another pcp",
	},
	{
		"dispatched to the wrong control", "(2, 100): il_to_kv();", "(2, 100): il_to_hh();",
		"P11/enter/hh/ingress/hh__Ingress", "control hh__Ingress", "on one of its ports [3]",
	},
	{
		"leaving on a foreign port", "(100, 1): il_port(2);", "(100, 1): il_port(3);",
		"P11/exit/kv", "standard_metadata.egress_spec = port", "not one of its ports [1 2]",
	},
	{
		"leaving to the controller", "(200, 0): il_port(3);", "(200, 0): il_port(510);",
		"P11/exit/hh", "standard_metadata.egress_spec = port", "not one of its ports [3]",
	},
	{
		"a port from the packet before", "        standard_metadata.egress_spec = 511;\n        transition select(standard_metadata.ingress_port)",
		"        transition select(standard_metadata.ingress_port)", "P4/port/il", "", "the port at the end of ingress",
	},
	{
		"writing the port", "state hh__start {", "state hh__start { standard_metadata.egress_spec = 7; meta.il_tenant = 0;",
		"P11/exit/hh", "", "not one of its ports [3]",
	},
	{
		"leaving by exit", "if (!hdr.hh__ipv4.isValid()) {\n            sm.egress_spec = 511;", "if (!hdr.hh__ipv4.isValid()) {\n            exit;",
		"", "", "",
	},
	{
		"leaving by exit after a write", "state hh__start {", "state hh__start { standard_metadata.egress_spec = 7; hdr.hh.hh__eth.etherType = 0xffff;",
		"P6/writes/hh/parser", "standard_metadata.egress_spec = 7", "writes standard_metadata.egress_spec, which is the system's",
	},
}

// egressOnly is kv, whose code runs nowhere but in egress, for packets that may leave through another's port.
var egressOnly = struct{ old, new string }{
	`        transition kv__start;
----
    state kv__start {
        transition select(hdr.kv.kv__eth.etherType) {
            0x1234: kv__parse_cache;
            default: accept;
        }
    }
    state kv__parse_cache {
        packet.extract(hdr.kv.kv__cache);
        transition accept;
    }
----
    kv__Ingress() kv__ingress;
----
kv__ingress.apply(hdr.kv, meta.kv, meta.il_vsm, meta.il_page);
----
(100, 0): il_port(1);
----
control il_Egress(
----
        standard_metadata.egress_spec = 0;
`, `        transition accept;
----

----

----

----
(100, 0): il_port(3);
----
control kv__Egress(inout kv__headers_t hdr) { apply { hdr.kv__eth.dst = 1; } }
control il_Egress(
----
        standard_metadata.egress_spec = 0;
        if (meta.il_tenant == 1) { kv__Egress.apply(hdr.kv); }
`,
}

// Some of the canaries above are none: they look dangerous, and are safe. They must stay proved.
func (c canary) safe() bool { return c.want == "" }

func TestCanaries(t *testing.T) {
	p := pool(t)
	for _, c := range slices.Concat(canaries, readings, forwards, stales) {
		t.Run(c.name, func(t *testing.T) { c.test(t, p, c.input(t)) })
	}
}

// input is two.p4 with the change made.
func (c canary) input(t *testing.T) *Input {
	in := two(t)
	edit(t, in, c.old, c.new)
	return in
}

// test proves what is safe and refutes what is not, by each solver with a counterexample that blames what it should.
func (c canary) test(t *testing.T, p *smt.Pool, in *Input) {
	// The other obligations of a canary may be refuted too, or become vacuous.
	byID := map[string]verify.Obligation{}
	var ask []verify.Obligation
	for _, o := range obligations(t, in).Obligations {
		byID[o.ID] = o
		if strings.HasPrefix(o.ID, c.want) {
			ask = append(ask, o)
		}
	}
	refutedBy := map[string]bool{}
	explained := 0
	for _, res := range decide(t, p, ask) {
		switch res.Verdict {
		case verify.Proved:
			continue
		case verify.Refuted:
		default:
			t.Errorf("%s by %s: %s: %s", res.Obligation, res.Solver, res.Verdict, res.Reason)
			continue
		}
		if c.safe() {
			t.Errorf("%s refuted by %s: %s", res.Obligation, res.Solver, res.Model)
		} else if refutedBy[res.Solver] {
			continue
		}
		model, err := smt.ParseModel(res.Model)
		if err != nil {
			t.Fatalf("%s by %s: %v\n%s", res.Obligation, res.Solver, err, res.Model)
		}
		ce, err := Explain(in, byID[res.Obligation], model)
		if err != nil {
			t.Fatalf("%s by %s: %v\n%s", res.Obligation, res.Solver, err, res.Model)
		}
		if !strings.Contains(ce.Source, c.source) || !strings.Contains(ce.What, c.what) {
			t.Errorf("%s by %s: blames %q with %q\n%s", res.Obligation, res.Solver, ce.Source, ce.What, ce)
		}
		if !bytes.Contains([]byte(ce.String()), []byte(ce.Source)) {
			t.Errorf("the text lacks the source line:\n%s", ce)
		}
		refutedBy[res.Solver] = true
		if explained++; explained == 1 {
			t.Logf("%s\n%s", res.Obligation, ce)
		}
	}
	if !c.safe() && (!refutedBy["z3"] || !refutedBy["cvc5"]) {
		t.Errorf("%s*: refuted by %v only", c.want, refutedBy)
	}
}
