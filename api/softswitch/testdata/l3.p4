// A plain router, what the benchmarks run: longest prefix match, rewriting, hop limit, checksum; an access list and neighbours.
#include <core.p4>
#include <v1model.p4>

header ethernet_t { bit<48> dst; bit<48> src; bit<16> type; }
header ipv4_t {
    bit<4> version; bit<4> ihl; bit<8> tos; bit<16> len; bit<16> id; bit<3> flags; bit<13> frag;
    bit<8> ttl; bit<8> proto; bit<16> sum; bit<32> src; bit<32> dst;
}
struct headers_t { ethernet_t eth; ipv4_t ip; }
struct meta_t { bit<32> hop; }

parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start {
        b.extract(hdr.eth);
        transition select(hdr.eth.type) { 0x0800: ip; default: accept; }
    }
    state ip { b.extract(hdr.ip); transition accept; }
}
control V(inout headers_t hdr, inout meta_t meta) { apply { } }
control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    action drop() { mark_to_drop(sm); }
    action via(bit<32> hop, bit<9> port) {
        meta.hop = hop;
        sm.egress_spec = port;
        hdr.ip.ttl = hdr.ip.ttl - 1;
    }
    action to(bit<48> mac) { hdr.eth.dst = mac; }
    table acl { key = { hdr.ip.src: ternary; } actions = { drop; NoAction; } size = 65536; default_action = NoAction(); }
    table routes { key = { hdr.ip.dst: lpm; } actions = { via; drop; } size = 65536; default_action = drop(); }
    table neighbours { key = { meta.hop: exact; } actions = { to; drop; } size = 65536; default_action = drop(); }
    apply {
        if (hdr.ip.isValid() && hdr.ip.ttl > 1) {
            acl.apply();
            routes.apply();
            neighbours.apply();
        } else {
            drop();
        }
    }
}
control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    action from(bit<48> mac) { hdr.eth.src = mac; }
    table interfaces { key = { sm.egress_port: exact; } actions = { from; NoAction; } size = 512; }
    apply { interfaces.apply(); }
}
control C(inout headers_t hdr, inout meta_t meta) {
    apply { update_checksum(hdr.ip.isValid(), { hdr.ip.version, hdr.ip.ihl, hdr.ip.tos, hdr.ip.len, hdr.ip.id, hdr.ip.flags,
        hdr.ip.frag, hdr.ip.ttl, hdr.ip.proto, hdr.ip.src, hdr.ip.dst }, hdr.ip.sum, HashAlgorithm.csum16); }
}
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr.eth); b.emit(hdr.ip); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
