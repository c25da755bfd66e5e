#include <core.p4>
#include <v1model.p4>

// Every operator and statement that the executor knows, for running it against the embedded switch. No tenants.

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
    bit<8>  x;
    bit<8>  y;
    int<8>  s;
    int<8>  t;
    bit<72> w;
    bit<3>  n;
    bit<5>  m;
    bit<1>  c;
    bit<7>  pad;
}

header il_out_t {
    bit<8>  add;
    bit<8>  sub;
    bit<8>  mul;
    bit<8>  sat;
    bit<8>  tas;
    int<8>  ssat;
    int<8>  stas;
    bit<8>  shl;
    bit<8>  shr;
    int<8>  sar;
    int<8>  sal;
    bit<8>  konst;
    bit<8>  logic;
    bit<16> cat;
    bit<8>  slice;
    bit<72> wide;
    bit<72> wshift;
    int<16> ext;
    bit<8>  cast;
    bit<8>  cmp;
    bit<8>  pick;
    bit<8>  fn;
    bit<8>  act;
    bit<8>  swt;
    bit<8>  lpm;
    bit<8>  tern;
    bit<8>  rng;
    bit<8>  ex;
    bit<16> hsh;
    bit<8>  same;
}

header il_elem_t {
    bit<8> v;
}

struct il_headers_t {
    il_ethernet_t il_ethernet;
    il_vlan_t     il_vlan;
    il_in_t       il_in;
    il_out_t      il_out;
    il_elem_t[4]  il_stack;
}

struct il_pair_t {
    bit<8> a;
    bit<8> b;
}

struct il_metadata_t {
    il_pair_t p;
    bit<8>    left;
}

enum bit<8> il_kind_t {
    ONE = 1,
    TWO = 2
}

bit<8> il_larger(in bit<8> a, in bit<8> b) {
    if (a > b) {
        return a;
    }
    return b;
}

bit<8> il_tangle(inout bit<8> a, out bit<8> b) {
    b = a + 1;
    if (a[0:0] == 1) {
        a = 7;
        if (b > 100) {
            return a |+| b;
        }
    } else if (a > 50) {
        return 3;
    }
    a = a ^ b;
    return a;
}

action il_both(inout bit<8> a, in bit<8> b) {
    if (a == b) {
        return;
    }
    a = a - b;
}

parser il_Parser(packet_in packet, out il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t standard_metadata) {
    state start {
        packet.extract(hdr.il_ethernet);
        meta.left = packet.lookahead<bit<8>>();
        packet.extract(hdr.il_in);
        transition select(hdr.il_in.n, hdr.il_in.m) {
            (0, _): accept;
            (1 .. 3, 0 &&& 1): il_skip;
            (_, 5 .. 9): il_loop;
            (7, 3): accept;
            default: il_loop;
        }
    }
    state il_skip {
        packet.advance(8);
        verify(hdr.il_in.x != 0, error.ParserInvalidArgument);
        transition il_loop;
    }
    state il_loop {
        packet.extract(hdr.il_stack.next);
        transition select(hdr.il_stack.last.v[0:0], hdr.il_stack.lastIndex) {
            (1, _): accept;
            (0, 2): accept;
            (_, _): il_loop;
        }
    }
}

control il_Verify(inout il_headers_t hdr, inout il_metadata_t meta) {
    apply { }
}

control il_Inner(inout bit<8> a, in bit<8> b, out bit<8> c) {
    apply {
        c = b;
        a = a + 1;
        if (b == 1) {
            exit;
        }
        if (b == 2) {
            return;
        }
        a = a + 1;
    }
}

control il_Ingress(inout il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t standard_metadata) {
    il_Inner() il_inner;
    action il_set(bit<8> v) {
        meta.p.a = v;
    }
    action il_bump(bit<8> v) {
        meta.p.a = meta.p.a + v;
        meta.p.b = v;
    }
    table il_lpm {
        key = { hdr.il_in.x: lpm; }
        actions = { il_set; il_bump; }
        const default_action = il_set(99);
        const entries = {
            0x80 &&& 0x80: il_set(1);
            0xa0 &&& 0xe0: il_set(2);
            0xa5: il_bump(3);
            0xc0 &&& 0xc0: il_bump(4);
        }
    }
    table il_tern {
        key = {
            hdr.il_in.x: ternary;
            hdr.il_in.n: exact;
        }
        actions = { il_set; il_bump; NoAction; }
        const default_action = NoAction();
        const entries = {
            (0x01 &&& 0x01, 1): il_set(1);
            (_, 1): il_bump(2);
            (0x02 &&& 0x02, 2): il_set(3);
        }
    }
    table il_rng {
        key = { hdr.il_in.y: range; }
        actions = { il_set; il_bump; NoAction; }
        const default_action = NoAction();
        const entries = {
            0 .. 9: il_set(5);
            5 .. 20: il_bump(6);
            200: il_set(7);
        }
    }
    table il_any {
        key = {
            hdr.il_in.n: exact;
            hdr.il_in.c: exact;
        }
        actions = { il_set; il_bump; NoAction; }
        default_action = il_bump(11);
    }
    apply {
        standard_metadata.egress_spec = 1;
        meta.p = { 1, 2 };
        if (!hdr.il_in.isValid()) {
            standard_metadata.egress_spec = 2;
            exit;
        }
        bit<8> x = hdr.il_in.x;
        bit<8> y = hdr.il_in.y;
        int<8> s = hdr.il_in.s;
        int<8> t = hdr.il_in.t;
        hdr.il_out.setValid();
        hdr.il_out.add = x + y;
        hdr.il_out.sub = x - y;
        hdr.il_out.mul = x * y;
        hdr.il_out.sat = x |+| y;
        hdr.il_out.tas = x |-| y;
        hdr.il_out.ssat = s |+| t;
        hdr.il_out.stas = s |-| t;
        hdr.il_out.shl = x << y[3:0];
        hdr.il_out.shr = x >> y;
        hdr.il_out.sar = s >> y[3:0];
        hdr.il_out.sal = s << hdr.il_in.n;
        hdr.il_out.konst = (x << 3) | (y >> 8) | (x >> 9);
        hdr.il_out.logic = (~x & y) ^ (x | -y);
        hdr.il_out.cat = x ++ y;
        hdr.il_out.slice = hdr.il_in.w[40:33];
        hdr.il_out.wide = hdr.il_in.w + (bit<72>)(x ++ y);
        hdr.il_out.wshift = (hdr.il_in.w << hdr.il_in.m) ^ (hdr.il_in.w >> 65);
        hdr.il_out.ext = (int<16>)s;
        hdr.il_out.cast = (bit<8>)(bit<4>)x + (bit<8>)hdr.il_in.n + (bit<8>)(bit<1>)(x == y);
        hdr.il_out.cmp = (bit<1>)(x < y) ++ (bit<1>)(x <= y) ++ (bit<1>)(s < t) ++ (bit<1>)(s >= t) ++ (bit<1>)(x > y && s > t) ++ (bit<1>)(x == 0 || t == 0) ++ (bit<1>)(x != y) ++ (bit<1>)!(bool)hdr.il_in.c;
        hdr.il_out.pick = hdr.il_in.c == 1 ? il_larger(x, y) : (x < 9 ? y : 8w17);
        bit<8> f = x;
        bit<8> g;
        hdr.il_out.fn = il_tangle(f, g) + f + g;
        bit<8> h = x;
        il_both(h, y);
        il_both(h, 3);
        hdr.il_out.act = h;
        switch (x[2:0]) {
            0: { hdr.il_out.swt = 1; }
            1:
            2: { hdr.il_out.swt = y; }
            7: {
                hdr.il_out.swt = 9;
                if (y > 9) {
                    hdr.il_out.swt[6:4] = 5;
                }
            }
            default: { hdr.il_out.swt = meta.left; }
        }
        switch (il_lpm.apply().action_run) {
            il_bump: { meta.p.a = meta.p.a + 1; }
        }
        hdr.il_out.lpm = meta.p.a;
        if (il_tern.apply().hit) {
            meta.p.b = meta.p.b ^ 0x55;
        } else {
            meta.p = { b = 9, a = 8 };
        }
        hdr.il_out.tern = meta.p.a + meta.p.b;
        if (x > 200 || il_rng.apply().miss) {
            meta.p.a = meta.p.a ^ 0x0f;
        }
        il_any.apply();
        hdr.il_out.rng = meta.p.a - meta.p.b;
        hash(hdr.il_out.hsh, HashAlgorithm.crc16, 16w5, { x, hdr.il_in.w, hdr.il_in.n }, 32w1000);
        if (hdr.il_stack[0].isValid()) {
            if (hdr.il_in.c == 0) {
                hdr.il_stack.push_front(1);
                hdr.il_stack[0].setValid();
                hdr.il_stack[0].v = 0xee;
            } else {
                hdr.il_stack.pop_front(2);
            }
        }
        il_elem_t e1 = { x };
        il_elem_t e2;
        if (y > 100) {
            e2 = e1;
        }
        hdr.il_out.same = (bit<8>)(bit<1>)(e1 == e2) + (bit<8>)(bit<1>)(hdr.il_stack[1] == e1);
        if (il_kind_t.TWO == (il_kind_t)x) {
            hdr.il_out.same = hdr.il_out.same + 4;
        }
        hdr.il_out.ex = 1;
        bit<8> c;
        il_inner.apply(hdr.il_out.ex, (bit<8>)hdr.il_in.n, c);
        hdr.il_out.ex = hdr.il_out.ex + c;
        hdr.il_in.pad = 127;
    }
}

control il_Egress(inout il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t standard_metadata) {
    apply {
        if (standard_metadata.egress_port == 1 && hdr.il_in.m == 31) {
            mark_to_drop(standard_metadata);
        }
    }
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
        packet.emit(hdr.il_stack);
    }
}

V1Switch(il_Parser(), il_Verify(), il_Ingress(), il_Egress(), il_Compute(), il_Deparser()) main;
