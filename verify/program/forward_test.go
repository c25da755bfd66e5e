package program

// forwards are P6's canaries: what a packet may do once in the order of stages, and whose data tenant code may use.
var forwards = []canary{
	{
		"a stage that is read twice", "meta.count = meta.count + 1;", "il_stage_ingress_1.read(meta.count, (bit<32>)page.base_1 + v);",
		"P6/ingress/il_stage_ingress_1/hh/", "il_stage_ingress_1.read(", "accesses il_stage_ingress_1 again (read), which it accessed (read)",
	},
	{
		"a stage that is written at another index", "il_stage_ingress_1.write((bit<32>)page.base_1 + v,", "il_stage_ingress_1.write((bit<32>)page.base_1 + (v & 1),",
		"P6/ingress/il_stage_ingress_1/hh/", "il_stage_ingress_1.write(", "writes il_stage_ingress_1 at another index than it read",
	},
	{
		"the same index, said in another way", "il_stage_ingress_1.write((bit<32>)page.base_1 + v,", "il_stage_ingress_1.write(v + (bit<32>)page.base_1,", "", "", "",
	},
	{
		"a stage that is written before it is read", "if (hdr.kv__cache.op == 0) {",
		"if (v < (bit<32>)page.size_0 && hdr.kv__cache.key == 7) { il_stage_ingress_0.write((bit<32>)page.base_0 + v, 1); }\n if (hdr.kv__cache.op == 0) {",
		"P6/ingress/il_stage_ingress_0/kv/", "il_stage_ingress_0.", "accesses il_stage_ingress_0 again",
	},
	{
		"a stage that is written before it is read, for other packets", "if (hdr.kv__cache.op == 0) {\n----\n                    } else {\n                        if (v",
		"if (v < (bit<32>)page.size_0 && hdr.kv__cache.op == 7) { il_stage_ingress_0.write((bit<32>)page.base_0 + v, 1); }\n if (hdr.kv__cache.op == 0) {\n----\n                    } else if (hdr.kv__cache.op != 7) {\n                        if (v",
		"", "", "",
	},
	{
		"a stage after a later one", "if (hdr.kv__cache.op == 0) {",
		"if (v < (bit<32>)page.size_1) { il_stage_ingress_1.read(kv__tmp, (bit<32>)page.base_1 + v); }\n if (hdr.kv__cache.op == 0) {",
		"P6/ingress/il_stage_ingress_0/kv/", "il_stage_ingress_0.", "accesses il_stage_ingress_0 after il_stage_ingress_1",
	},
	{
		"stages in their order", "hdr.kv__cache.value = kv__tmp;",
		"hdr.kv__cache.value = kv__tmp;\n if (v < (bit<32>)page.size_1) { il_stage_ingress_1.read(kv__tmp, (bit<32>)page.base_1 + v); }",
		"", "", "",
	},
	{
		"the tag that is read", "state kv__start {", "state kv__start { meta.kv.index = (bit<32>)hdr.il_vlan.vid;",
		"P6/reads/kv/parser", "meta.kv.index = (bit<32>)hdr.il_vlan.vid", "reads hdr.il_vlan.vid, which is the system's",
	},
	{
		"the physical port that is read by a select", "select(hdr.kv.kv__eth.etherType) {\n            0x1234", "select((bit<16>)standard_metadata.ingress_port) {\n            0x1234",
		"P6/reads/kv/parser", "transition select", "reads standard_metadata.ingress_port, which is the system's",
	},
	{
		"whether there is a tag", "state kv__start {", "state kv__start { if (hdr.il_vlan.isValid()) { meta.kv.index = 1; }",
		"P6/reads/kv/parser", "hdr.il_vlan.isValid()", "reads hdr.il_vlan.$valid, which is the system's",
	},
	{
		"another tenant's metadata", "state kv__start {", "state kv__start { meta.kv.index = meta.hh.flow;",
		"P6/reads/kv/parser", "meta.kv.index = meta.hh.flow", "reads meta.hh.flow, which is tenant hh's",
	},
	{
		"another tenant's header that is extracted", "state kv__parse_cache {", "state kv__parse_cache { packet.extract(hdr.hh.hh__ipv4);",
		"P6/writes/kv/parser", "packet.extract(hdr.hh.hh__ipv4)", "writes hdr.hh.hh__ipv4.$valid, which is tenant hh's",
	},
	{
		"a tag that is written as it was", "state kv__start {", "state kv__start { hdr.il_vlan.pcp[1:1] = hdr.il_vlan.pcp[1:1];",
		"P6/writes/kv/parser", "hdr.il_vlan.pcp[1:1] = hdr.il_vlan.pcp[1:1]", "writes hdr.il_vlan.pcp, which is the system's",
	},
	{
		"all headers, by a parameter", "parser il_Parser(\n----\nstate kv__start {",
		"void kv__same(inout il_headers_t h) { h.kv.kv__eth.dst = 1; }\nparser il_Parser(\n----\nstate kv__start { kv__same(hdr);",
		"P6/writes/kv/parser", "kv__same(hdr)", "writes hdr.il_ethernet.$valid, which is the system's",
	},
	{
		"what the system's code writes for a tenant's", "parser il_Parser(\n----\nstate kv__start {",
		"void il_set(out bit<1> x) { x = 1; }\nparser il_Parser(\n----\nstate kv__start { il_set(meta.il_hit);",
		"P6/writes/kv/parser", "il_set(meta.il_hit)", "writes meta.il_hit, which is the system's",
	},
	{
		"standard_metadata that is handed over", "inout il_standard_metadata_t sm, in il_page_t page) {\n    bit<32> kv__tmp;\n----\nmeta.il_vsm, meta.il_page);\n                    meta.il_hit = meta.kv.hit;",
		"inout il_standard_metadata_t sm, in il_page_t page, inout standard_metadata_t all) {\n    bit<32> kv__tmp;\n----\nmeta.il_vsm, meta.il_page, standard_metadata);\n                    meta.il_hit = meta.kv.hit;",
		"P6/writes/kv/ingress", "kv__ingress.apply", "writes standard_metadata.ingress_port, which is the system's",
	},
	{
		"a page-table entry that is taken back", "in il_page_t page) {\n    bit<32> kv__tmp;", "inout il_page_t page) {\n    bit<32> kv__tmp;",
		"P6/writes/kv/ingress", "kv__ingress.apply", "writes meta.il_page.base_0, which is the system's",
	},
	{
		"a variable of the system's parser", "    state start {\n        meta.il_tenant = 0;\n----\nstate kv__start {",
		"    bit<8> il_x;\n    state start {\n        meta.il_tenant = 0;\n----\nstate kv__start { il_x = 1;",
		"P6/writes/kv/parser", "il_x = 1", "writes a variable of the system's",
	},
	{
		"a variable of another tenant's", "    state start {\n        meta.il_tenant = 0;\n----\nstate kv__start {",
		"    bit<32> hh__x;\n    state start {\n        meta.il_tenant = 0;\n----\nstate kv__start { meta.kv.index = hh__x;",
		"P6/reads/kv/parser", "meta.kv.index = hh__x", "reads a variable of tenant hh's",
	},
	{
		"a variable of its own", "    state start {\n        meta.il_tenant = 0;\n----\nstate kv__start {",
		"    bit<32> kv__x;\n    state start {\n        meta.il_tenant = 0;\n----\nstate kv__start { kv__x = 1; meta.kv.index = kv__x;",
		"", "", "",
	},
	{
		"a tenant's table that does what the system's actions do", "    table il_l2 {\n----\n            if (meta.il_hit == 1) {",
		"    table kv__out { key = { hdr.kv.kv__eth.dst: exact; } actions = { il_drop; } const default_action = il_drop(); }\n    table il_l2 {\n----\n            if (meta.il_tenant == 1) { kv__out.apply(); }\n            if (meta.il_hit == 1) {",
		"P6/writes/kv/ingress", "standard_metadata.egress_spec = 511", "writes standard_metadata.egress_spec, which is the system's",
	},
}
