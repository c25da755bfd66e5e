// A tenant that uses much of the language: what the linker has to rename, move or replace.
#include <core.p4>
#include <v1model.p4>

#define PORTS 8

typedef bit<48> mac_t;
type bit<9> port_id_t;

enum Verdict { Keep, Mark, Drop }
enum bit<8> Kind { Data = 1, Probe = 2 }

error { BadKind, NoError2 }

header ethernet_t { mac_t dst; mac_t src; bit<16> etherType; }
header msg_t { bit<8> kind; bit<16> hdr; int<16> meta; bit<32> data; }
header opt_t { bit<8> a; bit<8> b; }

struct inner_t { bit<8> depth; bool deep; }
struct headers { ethernet_t eth; msg_t msg; opt_t opt; }
struct metadata {
    Verdict verdict;
    error   last;
    inner_t inner;
    opt_t   saved;
    port_id_t port;
    bit<32> seen;
    bit<32> sum;
    @hit["seen_by_kind"] bit<1> there;
    @generation["totals"] bit<16> age;
}

const bit<16> TYPE_MSG = 0x1234;

// One register that two controls share a name with, and one inside a nested control.
@virtual @elastic[min=8, max=64, group="kinds"]
register<bit<7>>(64) seen_by_kind;

bit<32> twice(in bit<32> x) {
    bit<32> y;
    y = x + y;
    return y + x;
}

action nothing() { }

parser P(packet_in pkt, out headers hdr, inout metadata meta, inout standard_metadata_t std) {
    bit<8> steps;
    bit<8> limit = 3;
    const bit<8> one = 1;

    state start {
        steps = steps + one;
        transition eth;
    }
    state eth {
        pkt.extract(hdr.eth);
        transition select(hdr.eth.etherType, std.ingress_port) {
            (TYPE_MSG, 1 .. 5): msg;
            (0x0800 &&& 0xff00, _): accept;
            default: accept;
        }
    }
    state msg {
        bit<8> next = pkt.lookahead<bit<8>>();
        verify(next != 0, error.BadKind);
        pkt.extract(hdr.msg);
        meta.inner.depth = steps + limit;
        transition select(hdr.msg.kind) {
            2: opt;
            default: accept;
        }
    }
    state opt {
        pkt.advance(8);
        pkt.extract(hdr.opt);
        transition accept;
    }
}

control V(inout headers hdr, inout metadata meta) { apply { } }

control Totals(inout headers hdr, inout metadata m, in bit<8> kind, out bit<32> total) {
    @virtual["fold"] @elastic[min=16, max=256]
    register<bit<32>>(256) totals;
    counter(4, CounterType.packets) kinds;
    bit<32> now;

    @name("renamed")
    action skip() { total = 7; }

    table which {
        key = { kind: exact; }
        actions = { skip; nothing; }
        const entries = {
            9: skip();
        }
        default_action = nothing();
    }

    apply {
        bit<32> index;
        hash(index, HashAlgorithm.crc16, 32w0, { hdr.eth.src, kind }, 32w256);
        totals.read(now, index);
        now = now + hdr.msg.data;
        totals.write(index, now);
        total = now;
        kinds.count((bit<32>) kind);
        which.apply();
        m.inner.deep = !m.inner.deep;
    }
}

control I(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    Totals() sums;
    bit<16> scratch;
    opt_t   blank;
    bit<8>  fromBlank = blank.a + 1;

    action deny() { mark_to_drop(std); }
    action send(bit<9> port) { std.egress_spec = port; meta.port = (port_id_t) port; }
    action judge(in bit<8> kind, out Verdict v) {
        Verdict w;
        if (kind == 3) {
            w = Verdict.Drop;
        }
        v = w;
    }
    action observe() {
        seen_by_kind.read(meta.sum[6:0], (bit<32>) (hdr.msg.kind & 0x7f));
        seen_by_kind.write((bit<32>) (hdr.msg.kind & 0x7f), (bit<7>) (meta.sum + 1));
    }

    table forward {
        key = { std.ingress_port: exact @name("in"); hdr.msg.isValid(): exact; }
        actions = { send; deny; @defaultonly NoAction; }
        const entries = {
            (1, true): send(2);
            (2, true): send(1);
        }
        default_action = NoAction;
    }

    apply {
        if (std.parser_error != error.NoError) {
            meta.last = std.parser_error;
            if (meta.last == error.BadKind) {
                deny();
                return;
            }
        }
        switch (forward.apply().action_run) {
            send: {
                observe();
                sums.apply(hdr, meta, hdr.msg.kind, meta.seen);
                hdr.msg.data = twice(meta.seen);
                hdr.msg.hdr = scratch == 0 ? 16w1 : 16w2;
            }
            deny: { }
            default: { std.egress_spec = 3 - std.ingress_port; }
        }
        judge(hdr.msg.kind, meta.verdict);
        if (meta.verdict == Verdict.Drop) {
            deny();
        } else if (hdr.opt.isValid()) {
            meta.saved = hdr.opt;
            hdr.opt = { meta.saved.b, meta.saved.a };
        } else if (hdr.msg.isValid()) {
            hdr.opt.setValid();
            hdr.opt.a = blank.a + fromBlank;
            hdr.opt.b = hdr.opt.b + meta.inner.depth;
        }
        log_msg("verdict {}", { meta.seen });
    }
}

control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    apply {
        if (hdr.msg.isValid() && std.egress_port == 2) {
            hdr.msg.meta = hdr.msg.meta - 1;
            if (hdr.msg.hdr == 99) {
                mark_to_drop(std);
            }
        }
        if (hdr.msg.isValid()) {
            hdr.eth.etherType = hdr.msg.hdr ^ 16w0x1235;
        }
    }
}

control C(inout headers hdr, inout metadata meta) { apply { } }

control D(packet_out pkt, in headers hdr) {
    apply {
        pkt.emit(hdr.eth);
        pkt.emit(hdr.opt);
        pkt.emit(hdr.msg);
    }
}

V1Switch(P(), V(), I(), E(), C(), D()) main;
