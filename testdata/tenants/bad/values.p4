// Uses values and expressions that the linker does not take over.
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
    table first {
        actions = { NoAction; }
    }
    table keyed {
        key = {
            // ERROR "a table applied in the key of another"
            first.apply().hit: exact @name("first");
        }
        actions = { NoAction; }
    }
    apply {
        standard_metadata.egress_spec = 3 - standard_metadata.ingress_port;
        // ERROR "header stacks are not supported yet"
        bit<8>[4] cells = { 1, 2, 3, 4 };
        // ERROR "division by what is not known at compile time"
        hdr.ethernet.ether_type /= hdr.ethernet.ether_type;
        hdr.ethernet.ether_type = hdr.ethernet.ether_type / 4;
        bool b = hdr.ethernet.isValid();
        // ERROR "write parentheses around this choice"
        b = b ? b : b ? b : b;
        keyed.apply();
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
