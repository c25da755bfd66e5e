// Takes the packet for something else than Ethernet.
#include <core.p4>
#include <v1model.p4>

header ethernet_t {
    bit<48> dst_addr;
    bit<48> src_addr;
    bit<16> ether_type;
}

header probe_t {
    bit<8> kind;
}

struct headers_t {
    ethernet_t ethernet;
    probe_t    probe;
}

struct metadata_t {
}

parser BadParser(packet_in packet,
                 out headers_t hdr,
                 inout metadata_t meta,
                 inout standard_metadata_t standard_metadata) {
    state start {
        // ERROR "the first thing a tenant's parser reads must be an Ethernet header"
        packet.extract(hdr.probe);
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
    apply {
        standard_metadata.egress_spec = 3 - standard_metadata.ingress_port;
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
        packet.emit(hdr.probe);
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
