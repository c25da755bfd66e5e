// Visits two registers in one order or the other.
#include <core.p4>
#include <v1model.p4>

header ethernet_t {
    bit<48> dst_addr;
    bit<48> src_addr;
    bit<16> ether_type;
}

struct headers_t {
    ethernet_t ethernet;
}

struct metadata_t {
    bit<32> x;
}

parser BadParser(packet_in packet,
                 out headers_t hdr,
                 inout metadata_t meta,
                 inout standard_metadata_t standard_metadata) {
    state start {
        packet.extract(hdr.ethernet);
        transition accept;
    }
}

control BadVerifyChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
    }
}

control BadIngress(inout headers_t hdr,
                   inout metadata_t meta,
                   inout standard_metadata_t standard_metadata) {
    @virtual @elastic[min=16, max=1024]
    register<bit<32>>(1024) a;
    @virtual @elastic[min=16, max=1024]
    register<bit<32>>(1024) b;

    apply {
        standard_metadata.egress_spec = 3 - standard_metadata.ingress_port;
        if (hdr.ethernet.ether_type == 1) {
            a.read(meta.x, 1);
            b.write(1, meta.x);
        } else {
            b.read(meta.x, 1);
            // ERROR "register a is accessed after b here and before it at"
            a.write(1, meta.x);
        }
    }
}

control BadEgress(inout headers_t hdr,
                  inout metadata_t meta,
                  inout standard_metadata_t standard_metadata) {
    apply {
    }
}

control BadComputeChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
    }
}

control BadDeparser(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.ethernet);
    }
}

V1Switch(
    BadParser(),
    BadVerifyChecksum(),
    BadIngress(),
    BadEgress(),
    BadComputeChecksum(),
    BadDeparser()
) main;
