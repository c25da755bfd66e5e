// Checksums, hashes of headers and payload, egress, counters, and the standard metadata of egress.
#include <core.p4>
#include <v1model.p4>

header ipv4_t {
    bit<4> version; bit<4> ihl; bit<8> tos; bit<16> len; bit<16> id; bit<3> flags; bit<13> frag;
    bit<8> ttl; bit<8> proto; bit<16> sum; bit<32> src; bit<32> dst;
}
header tail_t { bit<16> sum; bit<16> hash; }
struct headers_t { ipv4_t ip; tail_t tail; }
struct meta_t { bit<1> bad; }

parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { b.extract(hdr.ip); transition select(hdr.ip.proto) { 99: tail; default: accept; } }
    state tail { b.extract(hdr.tail); transition accept; }
}
control V(inout headers_t hdr, inout meta_t meta) {
    apply {
        verify_checksum(true, { hdr.ip.version, hdr.ip.ihl, hdr.ip.tos, hdr.ip.len, hdr.ip.id, hdr.ip.flags, hdr.ip.frag,
            hdr.ip.ttl, hdr.ip.proto, hdr.ip.src, hdr.ip.dst }, hdr.ip.sum, HashAlgorithm.csum16);
    }
}
control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    register<bit<16>>(1) last;
    apply {
        if (sm.checksum_error == 1) { mark_to_drop(sm); return; }
        sm.egress_spec = sm.ingress_port + 1;
        hdr.ip.ttl = hdr.ip.ttl - 1;
        hash(hdr.tail.hash, HashAlgorithm.xor16, 16w0, hdr.ip, 32w0x10000);
        last.write(0, hdr.ip.len);
    }
}
control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply {
        hdr.ip.id = (bit<16>) sm.egress_port;
        sm.egress_spec = 77;             // has no effect in egress
        if (hdr.ip.tos == 1) { mark_to_drop(sm); }
    }
}
control C(inout headers_t hdr, inout meta_t meta) {
    apply {
        update_checksum(hdr.ip.tos != 2, { hdr.ip.version, hdr.ip.ihl, hdr.ip.tos, hdr.ip.len, hdr.ip.id, hdr.ip.flags, hdr.ip.frag,
            hdr.ip.ttl, hdr.ip.proto, hdr.ip.src, hdr.ip.dst }, hdr.ip.sum, HashAlgorithm.csum16);
        update_checksum_with_payload(hdr.tail.isValid(), { hdr.ip.src, hdr.ip.dst }, hdr.tail.sum, HashAlgorithm.csum16);
    }
}
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
