package program

// readings are canaries whose change is safe if the executor's reading of the language is wrong: if two unknowns are taken for one,
// an order is another, or a copy keeps what copies need not keep.
var readings = []canary{
	{
		"an uninitialised parameter that has the name of a table's hit",
		"    apply {\n        kv__l2.apply();",
		`    bool kv__flag;
    action kv__probe(out bool hit) { if (!hit) { il_hits.count(100); } }
    table kv__p {
        key = { hdr.kv__cache.key: exact; }
        actions = { @tableonly kv__probe(kv__flag); @defaultonly kv__miss; }
        const default_action = kv__miss();
    }
    apply {
        kv__p.apply();
        kv__l2.apply();`,
		"P1/il_hits/count/", "il_hits.count(100)", "tenant kv's code touches the system's counter il_hits",
	},
	{
		"an action that is called none", "    apply {\n        kv__l2.apply();",
		`    action none() { il_hits.count(100); }
    table kv__p {
        key = { hdr.kv__cache.key: exact; }
        actions = { @defaultonly none; kv__miss; }
    }
    apply {
        kv__p.apply();
        kv__l2.apply();`,
		"P1/il_hits/count/", "il_hits.count(100)", "tenant kv's code touches the system's counter il_hits",
	},
	{
		"a key that is another one at the second application", "control kv__Ingress(\n----\n    apply {\n        kv__l2.apply();",
		`bit<8> kv__any() { bit<8> u; return u; }
control kv__Ingress(
----
    table kv__p {
        key = { kv__any(): exact @name("any"); }
        actions = { kv__drop; kv__miss; }
        const default_action = kv__miss();
        const entries = { 1: kv__drop(); }
    }
    apply {
        if (kv__p.apply().hit) {
            if (kv__p.apply().miss) { il_hits.count(100); }
        }
        kv__l2.apply();`,
		"P1/il_hits/count/", "il_hits.count(100)", "tenant kv's code touches the system's counter il_hits",
	},
	{
		"what an assignment adds to", "control kv__Ingress(\n----\nkv__l2.apply();",
		`bit<8> kv__clear(inout bit<8> x) { x = 0; return 1; }
control kv__Ingress(
----
kv__l2.apply();
        bit<8> c = 1;
        c -= kv__clear(c);
        if (c == 0) { il_hits.count(100); }`,
		"P1/il_hits/count/", "il_hits.count(100)", "tenant kv's code touches the system's counter il_hits",
	},
	{
		"an invalid header handed on", "control kv__Ingress(\n----\n    bit<32> kv__tmp;\n----\nkv__l2.apply();",
		`control kv__Sub(inout kv__cache_t h) {
    apply { if (h.op != 3) { il_hits.count(100); } }
}
control kv__Ingress(
----
    kv__Sub() kv__sub;
    bit<32> kv__tmp;
----
kv__l2.apply();
        hdr.kv__cache.op = 3;
        hdr.kv__cache.setInvalid();
        kv__sub.apply(hdr.kv__cache);`,
		"P1/il_hits/count/", "il_hits.count(100)", "tenant kv's code touches the system's counter il_hits",
	},
	{
		"an invalid header handed back", "control kv__Ingress(\n----\n    bit<32> kv__tmp;\n----\nkv__l2.apply();",
		`control kv__Sub(out kv__cache_t h) {
    apply { h.setValid(); h.op = 3; h.setInvalid(); }
}
control kv__Ingress(
----
    kv__Sub() kv__sub;
    bit<32> kv__tmp;
----
kv__l2.apply();
        kv__sub.apply(hdr.kv__cache);
        if (hdr.kv__cache.op != 3) { il_hits.count(100); }`,
		"P1/il_hits/count/", "il_hits.count(100)", "tenant kv's code touches the system's counter il_hits",
	},
	{
		"an entry that refers to a group without members", "    apply {\n        kv__l2.apply();",
		`    action kv__mark() { meta.hit = 1; }
    table kv__p {
        key = { hdr.kv__cache.key: exact; }
        actions = { kv__mark; @defaultonly kv__miss; }
        const default_action = kv__miss();
        @name(".kv__members") implementation = action_profile(16);
    }
    apply {
        meta.hit = 0;
        if (kv__p.apply().hit) {
            if (meta.hit == 0) { il_hits.count(100); }
        }
        kv__l2.apply();`,
		"P1/il_hits/count/", "il_hits.count(100)", "tenant kv's code touches the system's counter il_hits",
	},
	{
		"a choice of the right side's effect", "control kv__Ingress(\n----\nkv__l2.apply();",
		`bool kv__set(inout bit<1> x) { x = 1; return false; }
control kv__Ingress(
----
kv__l2.apply();
        meta.hit = 0;
        bool b = hdr.kv__cache.isValid() && kv__set(meta.hit) || hdr.kv__cache.op == 200 ? true : false;
        if (meta.hit == 1 && !b) { il_hits.count(100); }`,
		"P1/il_hits/count/", "il_hits.count(100)", "tenant kv's code touches the system's counter il_hits",
	},
	{
		"the first of two written through one name", "control kv__Ingress(\n----\nkv__l2.apply();",
		`void kv__both(inout bit<8> a, inout bit<8> b) { a = 1; b = 2; }
control kv__Ingress(
----
kv__l2.apply();
        bit<8> c = 0;
        kv__both(c, c);
        if (c == 2) { il_hits.count(100); }`,
		"P1/il_hits/count/", "il_hits.count(100)", "tenant kv's code touches the system's counter il_hits",
	},
	{
		"an overloaded function", "control kv__Ingress(\n----\nkv__l2.apply();",
		`bit<12> kv__vid(in bit<12> v) { return v; }
bit<12> kv__vid(in bit<12> v, in bit<12> by) { return v + by; }
control kv__Ingress(
----
kv__l2.apply();
        if (kv__vid(v = 1, by = 2) == 3) { il_hits.count(100); }`,
		"P1/il_hits/count/", "il_hits.count(100)", "tenant kv's code touches the system's counter il_hits",
	},
	{
		"the tag through a struct that a function returns by its parameter", "parser il_Parser(\n----\nstate kv__start {",
		`void kv__tag(inout il_headers_t h) { h.il_vlan.vid = h.il_vlan.vid ^ 300; }
parser il_Parser(
----
state kv__start { kv__tag(hdr);`,
		"P2/kv/kept", "h.il_vlan.vid = h.il_vlan.vid ^ 300", "another vid at the end of ingress",
	},
	{
		"the tag by an assignment operator on a slice", "state kv__start {", "state kv__start { hdr.il_vlan.vid[11:4] ^= 8w3;",
		"P2/kv/kept", "hdr.il_vlan.vid[11:4] ^= 8w3", "another vid at the end of ingress",
	},
	{
		"the tag from what may lie past the packet", "state kv__start {", "state kv__start { hdr.il_vlan.vid = packet.lookahead<bit<12>>();",
		"P2/kv/kept", "hdr.il_vlan.vid = packet.lookahead", "another vid at the end of ingress",
	},
}
