package program

import (
	"slices"
	"testing"

	"github.com/interlock/interlock/verify"
)

// stales are P4's canaries: what might let something depend on what packets before have left in containers.
var stales = []canary{
	{
		"metadata that is not zeroed", "        meta.kv = { 0, 0 };\n----\nkv__l2.apply();", "        meta.kv.hit = 0;\n----\nkv__l2.apply(); hdr.kv__cache.value = meta.index;",
		"P4/output/kv/hdr.kv.kv__cache", "hdr.kv__cache.value = meta.index", "what a packet that leaves has of header hdr.kv.kv__cache",
	},
	{
		"an invalid header that was not zeroed as a key", "        hdr.kv.kv__cache.value = 0;\n----\nkey = { hdr.kv__eth.dst: exact; }", "\n----\nkey = { hdr.kv__eth.dst: exact; hdr.kv__cache.value: ternary; }",
		"P4/table/il_Ingress.kv_", "kv__l2.apply();", "a key of table",
	},
	{
		"an invalid header as a key", "key = { hdr.kv__eth.dst: exact; }", "key = { hdr.kv__eth.dst: exact; hdr.kv__cache.value: ternary; }", "", "", "",
	},
	{
		"whether a table is applied", "        hdr.kv.kv__cache.value = 0;\n----\nkv__l2.apply();", "\n----\nif (hdr.kv__cache.value == 9) { kv__l2.apply(); }",
		"P4/table/il_Ingress.kv_", "kv__l2.apply();", "or whether it is applied,",
	},
	{
		"a field of a valid header is no stale one", "kv__l2.apply();", "if (hdr.kv__cache.isValid() && hdr.kv__cache.value == 9) { kv__l2.apply(); } else { kv__drop(); }",
		"", "", "",
	},
	{
		"an invalid header's field in a condition", "        hdr.kv.kv__cache.value = 0;\n----\nkv__l2.apply();",
		"\n----\nif (hdr.kv__cache.value == 9 && !hdr.kv__cache.isValid()) { sm.egress_spec = 0; } else { kv__l2.apply(); }",
		"P4/", "", "",
	},
	{
		"a register's index", "hh__total.read(all, (bit<32>)hdr.hh__ipv4.tos[5:0]);", "bit<6> left; hh__total.read(all, (bit<32>)left);",
		"P4/register/hh__total/hh", "hh__total.read(all, (bit<32>)left)", "where register hh__total is accessed",
	},
	{
		"what is written to a register", "hh__total.write((bit<32>)hdr.hh__ipv4.tos[5:0], all + 1);", "bit<32> left; hh__total.write((bit<32>)hdr.hh__ipv4.tos[5:0], left);",
		"P4/register/hh__total/hh", "hh__total.write(", "what is written there",
	},
	{
		"what is hashed", "meta.hh = { 0, 0, 0 };\n----\n{ hdr.hh__ipv4.src, hdr.hh__ipv4.dst }", "meta.hh.hit = 0;\n----\n{ hdr.hh__ipv4.src, hdr.hh__ipv4.dst, meta.count }",
		"P4/hash/", "hash(meta.flow", "what is hashed",
	},
	{
		"a hash whose result is used for nothing", "bit<32> all;", "bit<32> all;\n            bit<32> left; hash(all, HashAlgorithm.crc16, 32w0, { left }, 32w1);",
		"P4/hash/", "{ left }", "what is hashed",
	},
	{
		"what random is asked", "bit<32> all;", "bit<32> all;\n            bit<32> left; random(all, 32w0, left);",
		"P4/random/", "random(all", "what random is asked",
	},
	{
		"a page-table entry of which not all was set", "if (meta.il_hit == 1) {", "if (meta.il_hit == 1 || meta.il_page.gen_1 == 7) {",
		"P4/counter/il_hits/il", "il_hits.count(", "or whether it is,",
	},
	{
		"a counter that counts by a variable without a value", "if (meta.il_hit == 1) {", "bit<1> left;\n            if (left == 1) {",
		"P4/counter/il_hits/il", "il_hits.count(", "where counter il_hits is accessed",
	},
	{
		"a port", "        meta.il_vsm.ingress_port = standard_metadata.ingress_port;\n        meta.il_vsm.egress_spec = 0;\n----\nkv__l2.apply();",
		"        meta.il_vsm.ingress_port = standard_metadata.ingress_port;\n----\nif (hdr.kv__eth.dst == 5) { kv__l2.apply(); }",
		"P4/", "", "",
	},
	{
		"a checksum", "meta.il_tenant == 2 && hdr.hh.hh__ipv4.isValid(), { hdr.hh.hh__ipv4.ttl, hdr.hh.hh__ipv4.proto }, hdr.hh.hh__ipv4.csum, HashAlgorithm.csum16);\n    }\n}\n\ncontrol kv__Ingress",
		"meta.il_tenant == 2, { hdr.hh.hh__ipv4.ttl, hdr.hh.hh__ipv4.proto }, hdr.hh.hh__ipv4.csum, HashAlgorithm.csum16);\n    }\n}\n\ncontrol kv__Ingress",
		"P4/checksum/", "verify_checksum(", "what a checksum is compared with",
	},
	{
		"a header that becomes valid without values", "kv__l2.apply();", "kv__l2.apply(); hdr.kv__cache.setValid();", "", "", "",
	},
	{
		"a header that was not zeroed becomes valid without values", "        hdr.kv.kv__cache.value = 0;\n----\nkv__l2.apply();", "\n----\nkv__l2.apply(); hdr.kv__cache.setValid();",
		"P4/output/kv/hdr.kv.kv__cache", "", "what a packet that leaves has of header hdr.kv.kv__cache",
	},
	{
		"a header that becomes valid with values", "kv__l2.apply();", "kv__l2.apply(); if (!hdr.kv__cache.isValid()) { hdr.kv__cache = { 1, 2, 3 }; }",
		"", "", "",
	},
	{
		"whether a header leaves", "hdr.hh__labels.pop_front(1);", "bit<1> left; if (left == 1) { hdr.hh__labels.pop_front(1); }",
		"P4/output/hh/hdr.hh.hh__labels", "", "what a packet that leaves has of header hdr.hh.hh__labels",
	},
	{
		"whether the packet leaves", "        standard_metadata.egress_spec = 0;\n", "        bit<1> left;\n        if (left == 1) { mark_to_drop(standard_metadata); } else { standard_metadata.egress_spec = 0; }\n",
		"P4/output/il", "", "whether the packet leaves",
	},
	{
		"another header's way through the parser", "transition select(hdr.kv.kv__eth.etherType) {\n            0x1234", "transition select(hdr.kv.kv__cache.value[15:0]) {\n            0x1234",
		"", "", "",
	},
	{
		"the parser's way", "        hdr.kv.kv__cache.value = 0;\n----\ntransition select(hdr.kv.kv__eth.etherType) {\n            0x1234", "\n----\ntransition select(hdr.kv.kv__cache.value[15:0]) {\n            0x1234",
		"P4/output/kv", "", "whether the packet leaves, through which port and with which payload",
	},
	{
		"a page left from the packet before, used for nothing but a condition", "        meta.il_page.size_0 = 0;\n----\n        meta.il_page.size_1 = 0;\n    }\n----\nkv__l2.apply();",
		"        meta.il_page.size_0 = 0;\n----\n        meta.il_page.size_1 = 0;\n    }\n----\nkv__l2.apply(); if (page.gen_0 == 3) { sm.egress_spec = 511; }",
		"P4/", "", "",
	},
	{"when the packet arrived", "kv__l2.apply();", "kv__l2.apply(); if (sm.packet_length == 100) { sm.egress_spec = 511; }", "", "", ""},
}

// Programs that use every construct that the linker takes, invalid headers among them, keep P4: what the linker zeroes stays zero, whatever copies
// and short packets make of it.
func TestUndisturbed(t *testing.T) {
	p := pool(t)
	for _, path := range []string{"../../linker/testdata/rich", "../../linker/testdata/newer", "../../linker/testdata/egress", "../replace/testdata/kinds"} {
		r, err := Obligations(linkedInput(t, "  - {name: ann, vid: 10, program: "+path+".p4, ports: {1: 2, 2: 1}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		ask := slices.DeleteFunc(r.Obligations, func(o verify.Obligation) bool { return o.Property != zeroed })
		if len(ask) < 10 {
			t.Errorf("%s: %d obligations", path, len(ask))
		}
		for _, x := range decide(t, p, ask) {
			if x.Verdict != verify.Proved {
				t.Errorf("%s: %s by %s: %s, guard %s: %s", path, x.Obligation, x.Solver, x.Verdict, x.Guard, x.Reason)
			}
		}
	}
}
