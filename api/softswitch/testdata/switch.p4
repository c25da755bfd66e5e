// What the P4Runtime tests run: every kind of match, registers, counters, and a marker that comes back from the CPU port.
#include <core.p4>
#include <v1model.p4>

header ethernet_t { bit<48> dst; bit<48> src; bit<16> type; }
header ipv4_t {
    bit<4> version; bit<4> ihl; bit<8> tos; bit<16> len; bit<16> id; bit<3> flags; bit<13> frag;
    bit<8> ttl; bit<8> proto; bit<16> sum; bit<32> src; bit<32> dst;
}
header marker_t { bit<64> nonce; }
struct headers_t { ethernet_t eth; ipv4_t ip; marker_t marker; }
struct meta_t { bit<32> value; bit<8> class; }

register<bit<32>>(8192) cells;
counter(16, CounterType.packets_and_bytes) seen;

parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start {
        b.extract(hdr.eth);
        transition select(hdr.eth.type) {
            0x0800: ip;
            0x88B5: marker;
            default: accept;
        }
    }
    state ip { b.extract(hdr.ip); transition accept; }
    state marker { b.extract(hdr.marker); transition accept; }
}
control V(inout headers_t hdr, inout meta_t meta) {
    apply { verify_checksum(hdr.ip.isValid(), { hdr.ip.version, hdr.ip.ihl, hdr.ip.tos, hdr.ip.len, hdr.ip.id, hdr.ip.flags,
        hdr.ip.frag, hdr.ip.ttl, hdr.ip.proto, hdr.ip.src, hdr.ip.dst }, hdr.ip.sum, HashAlgorithm.csum16); }
}
control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    direct_counter(CounterType.packets_and_bytes) hits;
    action drop() { mark_to_drop(sm); }
    action forward(bit<9> port) { sm.egress_spec = port; }
    action counted(bit<9> port) { sm.egress_spec = port; hits.count(); }
    action mark(bit<8> class) { meta.class = class; }
    table l2 {
        key = { hdr.eth.dst: exact; }
        actions = { forward; counted; drop; @defaultonly NoAction; }
        default_action = NoAction();
        size = 4;
        counters = hits;
    }
    table routes {
        key = { hdr.ip.dst: lpm; }
        actions = { forward; @tableonly mark; drop; }
        const default_action = drop();
        size = 1024;
    }
    table acl {
        key = { hdr.ip.src: ternary; hdr.ip.ttl: range; hdr.ip.proto: optional; }
        actions = { mark; NoAction; }
        size = 64;
    }
    table fixed {
        key = { sm.ingress_port: exact; }
        actions = { NoAction; drop; }
        const entries = { 9w13: drop(); }
        default_action = NoAction();
    }
    apply {
        fixed.apply();
        if (hdr.marker.isValid() && sm.ingress_port == 510) {
            sm.egress_spec = 510;
        } else if (sm.ingress_port == 510) {
            drop();
        } else {
            seen.count((bit<32>) sm.ingress_port);
            if (l2.apply().hit) {
                cells.read(meta.value, (bit<32>) hdr.eth.src);
                meta.value = meta.value + 1;
                cells.write((bit<32>) hdr.eth.src, meta.value);
            } else if (hdr.ip.isValid()) {
                acl.apply();
                routes.apply();
                hdr.ip.ttl = hdr.ip.ttl - 1;
            } else {
                drop();
            }
        }
    }
}
// Tests hold packets where the time is read.
control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { meta.value = (bit<32>) sm.egress_global_timestamp; } }
control C(inout headers_t hdr, inout meta_t meta) {
    apply { update_checksum(hdr.ip.isValid(), { hdr.ip.version, hdr.ip.ihl, hdr.ip.tos, hdr.ip.len, hdr.ip.id, hdr.ip.flags,
        hdr.ip.frag, hdr.ip.ttl, hdr.ip.proto, hdr.ip.src, hdr.ip.dst }, hdr.ip.sum, HashAlgorithm.csum16); }
}
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
