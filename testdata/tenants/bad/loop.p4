// Parses labels for as long as there are any.
#include <core.p4>
#include <v1model.p4>

header ethernet_t {
    bit<48> dst_addr;
    bit<48> src_addr;
    bit<16> ether_type;
}

header label_t {
    bit<15> value;
    bit<1>  last;
}

struct headers_t {
    ethernet_t ethernet;
    label_t    label;
}

struct metadata_t {
}

parser BadParser(packet_in packet,
                 out headers_t hdr,
                 inout metadata_t meta,
                 inout standard_metadata_t standard_metadata) {
    state start {
        packet.extract(hdr.ethernet);
        transition parse_label;
    }

    state parse_label {
        packet.extract(hdr.label);
        transition select(hdr.label.last) {
            // ERROR "parser loop: state parse_label leads back to state parse_label"
            0: parse_label;
            default: accept;
        }
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
        packet.emit(hdr.ethernet);
        packet.emit(hdr.label);
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
