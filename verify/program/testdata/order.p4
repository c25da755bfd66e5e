#include <core.p4>
#include <v1model.p4>

// In which order things happen, and what they see: calls inside expressions, arguments that overlap, exits, defaults, overloads,
// names that hide names. For running the executor against the embedded switch. No tenants.

header il_ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> etherType;
}

header il_vlan_t {
    bit<3>  pcp;
    bit<1>  dei;
    bit<12> vid;
    bit<16> etherType;
}

header il_in_t {
    bit<8> x;
    bit<8> y;
    bit<8> n;
}

header il_out_t {
    bit<8> compound;
    bit<8> slice;
    bit<8> args;
    bit<8> alias;
    bit<8> swapped;
    bit<8> named;
    bit<8> dflt;
    bit<8> over;
    bit<8> hidden;
    bit<8> exited;
    bit<8> shortAnd;
    bit<8> shortOr;
    bit<8> mux;
    bit<8> fall;
    bit<8> cast;
    bit<8> list;
    bit<8> key;
    bit<8> label;
    bit<8> nested;
    bit<8> early;
    bit<8> prio;
    bit<8> ctor;
    bit<8> wide;
    bit<8> tail;
}

enum bit<8> il_Two_t {
    A = 3,
    B = 4
}

struct il_headers_t {
    il_ethernet_t il_ethernet;
    il_vlan_t     il_vlan;
    il_in_t       il_in;
    il_out_t      il_out;
}

struct il_pair_t {
    bit<8> a;
    bit<8> b;
}

struct il_metadata_t {
    il_pair_t p;
    il_pair_t q;
    bit<8>    log;
    bit<72>   w;
}

const bit<8> il_five = 5;

bit<8> il_bump(inout bit<8> v) {
    v = v * 3 + 1;
    return v;
}

bool il_odd(inout bit<8> v) {
    v = v + 1;
    return v[0:0] == 1;
}

bit<8> il_two(inout bit<8> a, in bit<8> b) {
    a = a ^ b;
    return a + 2 * b;
}

bit<8> il_late(in bit<8> a, inout bit<8> b) {
    b = b + a;
    return a - b;
}

void il_both(inout bit<8> a, inout bit<8> b) {
    a = a + 1;
    b = b * 2;
    a = a ^ b;
}

void il_pairs(inout il_pair_t p, inout bit<8> a) {
    p.a = p.a + 1;
    a = a * 2;
    p.b = p.b + a;
}

bit<8> il_opt(in bit<8> a, in bit<8> b = 7, in bit<8> c = il_five + 1) {
    return a + b * c;
}

bit<8> il_kind(in bit<8> a) { return a + 1; }
bit<8> il_kind(in bit<8> a, in bit<8> b) { return a * b; }

bit<8> il_first(in bit<8> a) {
    if (a > 100) {
        return 1;
    }
    if (a > 50) {
        bit<8> a2 = a;
        return a2 - 50;
    }
    return a;
}

parser il_Parser(packet_in packet, out il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t standard_metadata) {
    state start {
        packet.extract(hdr.il_ethernet);
        packet.extract(hdr.il_in);
        transition select(hdr.il_in.x, hdr.il_in.y, hdr.il_in.x == 3) {
            (1, _, false): il_one;
            (_, 1 .. 7, false): il_range;
            (il_five, default, _): il_one;
            (_, _, true): il_three;
            (0xf0 &&& 0xf0, _, _): reject;
            default: accept;
        }
    }
    state il_one {
        meta.log = il_bump(hdr.il_in.n);
        transition accept;
    }
    state il_range {
        bit<8> x = hdr.il_in.x;
        {
            bit<8> x = hdr.il_in.y;
            meta.log = x;
        }
        meta.log = meta.log + x;
        transition accept;
    }
    state il_three {
        meta.log = packet.lookahead<bit<8>>() + il_late(hdr.il_in.n, hdr.il_in.n);
        transition accept;
    }
}

control il_Verify(inout il_headers_t hdr, inout il_metadata_t meta) {
    apply { }
}

control il_Add(inout bit<8> v)(bit<8> n, bool twice) {
    apply {
        v = v + n;
        if (twice) {
            v = v + n;
            return;
        }
        v = v ^ n;
    }
}

control il_Stop(inout bit<8> a, out bit<8> b, in bit<8> c) {
    action il_leave() {
        exit;
    }
    apply {
        b = a;
        a = a + 1;
        if (c == 9) {
            il_leave();
        }
        a = a + c;
    }
}

control il_Ingress(inout il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t standard_metadata) {
    il_Add(3, true) il_add3;
    il_Add(n = 4, twice = false) il_add4;
    il_Stop() il_stop;
    bit<8> il_five = 50;

    action il_set(bit<8> v) {
        meta.log = v;
    }
    action il_plus(inout bit<8> to, bit<8> v) {
        to = to + v;
    }
    action il_quit(bit<8> v) {
        meta.log = v;
        exit;
    }
    table il_prio {
        key = {
            hdr.il_in.x: ternary;
            hdr.il_in.y: optional;
        }
        actions = {
            il_set;
            il_plus(meta.log);
        }
        const default_action = il_set(1);
        const entries = {
            (0x01 &&& 0x01, 3): il_set(2);
            (0x03 &&& 0x03, _): il_plus(meta.log, 3);
            (_, 3): il_set(4);
            (7, _): il_set(5);
        }
    }
    table il_keyed {
        key = {
            hdr.il_in.x + il_bump(meta.p.b): exact @name("sum");
            meta.p.b: exact @name("after");
        }
        actions = { il_set; il_plus(meta.p.a); }
        default_action = il_set(0);
    }
    table il_leaves {
        key = { hdr.il_in.x: exact; }
        actions = { il_set; il_quit; }
        const default_action = il_set(8);
        const entries = {
            9: il_quit(9);
            11: il_quit(11);
        }
    }
    table il_leaves2 {
        key = { hdr.il_in.y: exact; }
        actions = { il_set; il_quit; }
        const default_action = il_set(7);
        const entries = {
            9: il_quit(19);
            11: il_set(18);
        }
    }
    apply {
        standard_metadata.egress_spec = 1;
        bit<8> x = hdr.il_in.x;
        bit<8> y = hdr.il_in.y;
        bit<8> n = hdr.il_in.n;
        hdr.il_out.setValid();
        hdr.il_out = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
        meta.p = { a = 1, b = 2 };
        meta.q = (il_pair_t){ b = y, a = x };

        bit<8> c = x;
        c += il_bump(c);
        c -= il_bump(c) + c;
        c ^= il_two(c, il_bump(c));
        hdr.il_out.compound = c;

        bit<8> sl = y;
        sl[6:3] = sl[3:0] + il_bump(sl)[7:4];
        sl[7:4] |= sl[4:1];
        hdr.il_out.slice = sl;

        bit<8> a = n;
        hdr.il_out.args = il_two(a, il_bump(a)) + a;
        a = n;
        hdr.il_out.args = hdr.il_out.args ^ (a + il_bump(a) - il_late(il_bump(a), a));
        hdr.il_out.args = hdr.il_out.args + a;

        bit<8> l = x;
        il_both(l, l);
        il_pairs(meta.q, meta.q.a);
        hdr.il_out.alias = l + meta.q.a + meta.q.b;

        il_pair_t t = { x, y };
        t = { t.b, t.a };
        hdr.il_out.swapped = t.a - t.b;

        bit<8> m = n;
        hdr.il_out.named = il_two(b = y, a = m) + m;

        hdr.il_out.dflt = il_opt(x) + il_opt(a = x, c = y) + il_opt(x, y, n);
        hdr.il_out.over = il_kind(x) + il_kind(x, y);

        {
            bit<8> x = y;
            x = x + il_five;
            hdr.il_out.hidden = x;
        }
        hdr.il_out.hidden = hdr.il_out.hidden - x;

        bit<8> s = n;
        if (x > 5 && il_odd(s) && il_odd(s)) {
            s = s + 100;
        }
        hdr.il_out.shortAnd = s;
        s = n;
        if (x > 200 || !il_odd(s) || (y > 3 && il_odd(s))) {
            s = s ^ 0x81;
        }
        hdr.il_out.shortOr = s;
        s = n;
        hdr.il_out.mux = (x > y ? il_bump(s) : (x == y ? il_two(s, s) : s)) + s;

        switch (x ^ y) {
            1: { hdr.il_out.fall = 1; }
            0:
            2:
            il_Two_t.A: { hdr.il_out.fall = 2; }
            default: { hdr.il_out.fall = 3; }
        }
        switch (il_bump(s)) {
            4:
            7: { hdr.il_out.label = s; }
            13:
        }

        int<8> i = (int<8>)x;
        int<8> j = -1;
        hdr.il_out.cast = (bit<8>)(i >> 2) + (bit<8>)(bit<1>)(i < j) + (bit<8>)((int<16>)i)[15:8] + (bit<8>)(i |-| j);

        tuple<bit<8>, bit<8>> u = { il_bump(s), s };
        il_pair_t v = { b = il_bump(s), a = s };
        hdr.il_out.list = v.a - v.b;
        if (u == { s, s }) {
            hdr.il_out.list = 77;
        }

        meta.log = 0;
        il_prio.apply();
        hdr.il_out.prio = meta.log;

        switch (il_keyed.apply().action_run) {
            il_set: { hdr.il_out.key = meta.log + meta.p.b; }
            il_plus: { hdr.il_out.key = meta.p.a ^ meta.p.b; }
        }

        hdr.il_out.ctor = x;
        il_add3.apply(hdr.il_out.ctor);
        il_add4.apply(hdr.il_out.ctor);
        hdr.il_out.early = il_first(x) + il_first(y);

        meta.w = 64w3 ++ x;
        meta.w = (bit<72>)(x ++ y ++ n) * 0x10001000100010001;
        meta.w = meta.w - (bit<72>)il_bump(n);
        hdr.il_out.wide = meta.w[71:64] ^ meta.w[15:8];

        if (n == 50) {
            il_stop.apply(hdr.il_out.nested, hdr.il_out.tail, x);
        }
        hdr.il_out.tail = hdr.il_out.tail + 1;
        hdr.il_out.exited = 100;
        if (n == 10) {
            hdr.il_out.exited = il_leaves.apply().hit ? 8w1 : 8w2;
        } else if (n == 20) {
            hdr.il_out.exited = il_two(hdr.il_out.early, il_leaves.apply().hit ? 8w1 : il_bump(hdr.il_out.tail));
        } else if (n == 30) {
            if (il_leaves.apply().hit && il_leaves2.apply().hit) {
                hdr.il_out.exited = 3;
            }
        } else if (n == 40) {
            bit<8> e = il_leaves.apply().miss ? x : y;
            hdr.il_out.exited = e;
        } else if (n == 60) {
            hdr.il_out.exited += il_two(hdr.il_out.early, (il_leaves.apply().hit || il_leaves2.apply().miss) ? hdr.il_out.early : 8w4);
        } else if (n == 70) {
            il_both(hdr.il_out.early, hdr.il_out.exited);
            il_add3.apply(hdr.il_out.early);
            il_stop.apply(hdr.il_out.early, hdr.il_out.exited, il_leaves.apply().hit ? 8w1 : x);
        } else if (n == 80) {
            switch (il_leaves.apply().action_run) {
                il_set: { hdr.il_out.exited = 4; }
                default: { hdr.il_out.exited = 5; }
            }
        } else if (n == 90) {
            switch (il_leaves.apply().hit ? 8w1 : 8w2) {
                1: { hdr.il_out.exited = 4; }
                default: { hdr.il_out.exited = 5; }
            }
        }
        hdr.il_out.tail = hdr.il_out.tail + 16;
    }
}

control il_Egress(inout il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t standard_metadata) {
    apply { }
}

control il_Compute(inout il_headers_t hdr, inout il_metadata_t meta) {
    apply { }
}

control il_Deparser(packet_out packet, in il_headers_t hdr) {
    apply {
        packet.emit(hdr.il_ethernet);
        packet.emit(hdr.il_vlan);
        packet.emit(hdr.il_in);
        packet.emit(hdr.il_out);
    }
}

V1Switch(il_Parser(), il_Verify(), il_Ingress(), il_Egress(), il_Compute(), il_Deparser()) main;
