// One of each construct that the checker knows, in a program that means nothing.
#include <v1model.p4>

typedef bit<48> mac_t;
type bit<16> handle_t;
const bit<16> TYPE_IPV4 = 0x800;
const int N = 4;
const bit<8> WRAPPED = 255 + 1 - 1;
const bit<8> SHIFTED = 1 << (N + 3);
const bool BIG = N * 1000 > 3999;
enum bit<8> proto_t { TCP = 6, UDP = 17 }
enum color_t { RED, GREEN }
error { BadOption }

header ethernet_t { mac_t dst; mac_t src; bit<16> type; }
header option_tt { bit<8> len; }
header option_t { bit<8> len; varbit<64> data; }
header word_t { bit<32> w; proto_t p; }
header_union any_t { ethernet_t e; word_t w; }
struct inner_t { bit<8> a; bit<8> b; bool c; }
struct headers_t { ethernet_t eth; option_t opt; word_t[4] words; any_t any; }
struct pair_t<A, B> { A first; B second; }
struct meta_t {
    inner_t inner;
    handle_t handle;
    color_t color;
    pair_t<bit<8>, bool> pair;
    tuple<bit<8>, bit<16>> tup;
    error err;
    int<8> signed;
    bit<32> hash;
    @hit["reg"] bit<1> hit;
}

bit<8> pick(in bit<8> a, in bit<8> b, in bool first = true) {
    if (first) {
        return a;
    }
    return b;
}

parser Sub(packet_in b, out word_t w)(bit<32> limit) {
    state start {
        b.extract(w);
        transition select(w.w) {
            0: accept;
            default: reject;
        }
    }
}

parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    value_set<bit<16>>(4) types;
    Sub(7) sub;
    bit<8> count = 0;
    state start {
        b.extract(hdr.eth);
        count = count + 1;
        verify(hdr.eth.type != 0, error.BadOption);
        transition select(hdr.eth.type, sm.ingress_port) {
            (TYPE_IPV4, _): words;
            (types, 1): accept;
            (0x8100 &&& 0xff00, 1 .. 5): option;
            default: accept;
        }
    }
    state option {
        option_t peek = b.lookahead<option_tt>().len == 3 ? hdr.opt : hdr.opt;
        b.extract(hdr.opt, (bit<32>) (peek.len << 3));
        b.advance(8);
        transition accept;
    }
    state words {
        b.extract(hdr.words.next);
        transition select(hdr.words.last.p) {
            proto_t.TCP: words;
            proto_t.UDP: subparser;
            _: accept;
        }
    }
    state subparser {
        sub.apply(b, hdr.words[0]);
        transition accept;
    }
}

control V(inout headers_t hdr, inout meta_t meta) {
    apply {
        verify_checksum(hdr.eth.isValid(), { hdr.eth.dst, hdr.eth.src }, hdr.eth.type, HashAlgorithm.csum16);
    }
}

control Inner(inout bit<8> x)(bit<8> by, bit<32> cells) {
    register<bit<8>>(cells) local;
    action add() { x = x + by; }
    table t { key = { x: exact; } actions = { add; NoAction; } }
    apply {
        t.apply();
        local.write(0, x);
    }
}

control Direct(inout bit<8> x) { apply { x = 1; } }

control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    @virtual[fold] register<bit<32>>(1024) reg;
    counter(64, CounterType.packets_and_bytes) cnt;
    direct_counter(CounterType.packets) dcnt;
    meter(16, MeterType.bytes) met;
    action_selector(HashAlgorithm.crc32, 128, 14) sel;
    Inner(3, 16) one;
    Inner(by = 4, cells = 32) two;

    action drop() { mark_to_drop(sm); }
    action forward(bit<9> port, @optional_hint mac_t dst) {
        sm.egress_spec = port;
        hdr.eth.dst = dst;
        drop();
    }
    action bind(in bit<8> a, inout bit<8> b, bit<8> c) { b = a + c; }
    table exact_t {
        key = { hdr.eth.dst: exact; hdr.eth.isValid(): exact @name("eth_valid"); }
        actions = { forward; @defaultonly drop; bind(meta.inner.a, meta.inner.b); }
        const default_action = drop();
        size = 2 * N;
        counters = dcnt;
        support_timeout = true;
    }
    table mixed_t {
        key = {
            hdr.words[0].w: lpm;
            hdr.eth.type[7:0]: ternary;
            sm.ingress_port: range;
            meta.inner.a: optional;
            meta.hash: selector;
        }
        actions = { drop; NoAction; }
        implementation = sel;
    }
    table entries_t {
        key = { hdr.eth.type: ternary; meta.inner.c: exact; }
        actions = { forward; drop; }
        default_action = forward(1, 0);
        const entries = {
            (0x800, true): forward(2, 0x1);
            (0x800 &&& 0xff00, false): drop();
            (_, true): drop;
        }
    }
    apply {
        bit<32> i;
        pair_t<bit<8>, bit<8>> p = { 1, 2 };
        tuple<bit<8>, bool> t = { 3, true };
        inner_t s = { a = 1, b = 2, c = false };
        s = { 4, 5, t[1] };
        hash(i, HashAlgorithm.crc16, 32w0, { hdr.eth.dst, hdr.eth.src, 8w3 }, 32w1024);
        reg.read(meta.hash, i);
        reg.write(index = i, value = meta.hash |+| 1);
        cnt.count((bit<32>) sm.ingress_port);
        met.execute_meter(i, meta.inner.a);
        random(i, 0, 99);
        digest<inner_t>(1, { 1, 2, true });
        clone(CloneType.I2E, 5);
        if (exact_t.apply().hit) {
            mixed_t.apply();
        } else if (!entries_t.apply().miss) {
            hdr.words.push_front(1);
        }
        switch (entries_t.apply().action_run) {
            forward: { one.apply(meta.inner.a); }
            drop: { return; }
            default: { two.apply(x = meta.inner.b); }
        }
        switch (hdr.eth.type) {
            TYPE_IPV4:
            0x806: { exit; }
            default: { }
        }
        Direct.apply(meta.inner.a);
        meta.inner.a = pick(a = 1, b = 2, first = false) + pick(p.first, p.second);
        meta.inner.a[3:0] = hdr.eth.type[3:0] ^ 4w5;
        meta.inner.a[meta.inner.b +: 2] = hdr.eth.type[4 +: 2];
        meta.signed = -(int<8>) meta.inner.a >> 2;
        meta.handle = (handle_t) (bit<16>) 5;
        meta.color = color_t.GREEN;
        meta.err = error.NoError;
        hdr.words[1].p = (proto_t) 8w17;
        hdr.words[1].w = hdr.eth.type ++ (bit<16>) meta.handle;
        meta.inner.b = meta.inner.a == 1 ? 8w1 : 2;
        meta.inner.b = proto_t.TCP;
        meta.inner.c = hdr.eth == { 1, 2, 3 } && s.c || BIG;
        meta.inner.a += (bit<8>) hdr.eth.minSizeInBytes();
        meta.pair = { first = 1, ... };
        if (hdr.any.isValid()) {
            hdr.any.w.setValid();
            hdr.any.e.setInvalid();
        }
        for (bit<8> k = 0; k < 3; k = k + 1) {
            if (k == 2) { break; }
            meta.inner.a = meta.inner.a + k;
        }
        for (bit<8> k in 1 .. 5) {
            meta.inner.b = k;
            continue;
        }
        log_msg("port {}", { sm.egress_spec });
        static_assert(N == 4, "N is 4");
    }
}

control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { } }

control C(inout headers_t hdr, inout meta_t meta) {
    apply {
        update_checksum(true, { hdr.eth.dst }, hdr.eth.type, HashAlgorithm.csum16);
    }
}

control D(packet_out b, in headers_t hdr) {
    apply {
        b.emit(hdr.eth);
        b.emit(hdr.words);
        b.emit(hdr);
    }
}

V1Switch(P(), V(), I(), E(), C(), D()) main;
