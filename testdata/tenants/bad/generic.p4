// Generic code, controls as arguments, arrays of instances: the linked program has none of it.
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

// ERROR "function same: generic functions are not supported yet"
T same<T>(in T x) {
    return x;
}

// ERROR "control Generic: type parameters and constructor parameters are not supported yet"
control Generic<T>(inout T x) {
    apply {
    }
}

control Type(inout bit<9> x);

// ERROR "control Plain: type parameters and constructor parameters are not supported yet"
control Plain(inout bit<9> x)(bit<9> by) {
    apply {
        x = x + by;
    }
}

// ERROR "control Through: type parameters and constructor parameters are not supported yet"
control Through(inout bit<9> x)(Type inner) {
    apply {
        inner.apply(x);
    }
}

control Optional(
    // ERROR "optional parameters of controls are not supported yet"
    @optional in bit<9> x) {
    apply {
    }
}

control BadIngress(inout headers_t hdr,
                   inout metadata_t meta,
                   inout standard_metadata_t standard_metadata) {
    Generic<bit<9>>() generic;
    Plain(1) plain;
    Through(plain) through;
    Optional() optional;
    // ERROR "stacks are not supported yet"
    register<bit<8>>(16) many[2];
    apply {
        bit<9> port = same(standard_metadata.ingress_port);
        generic.apply(port);
        through.apply(port);
        optional.apply();
        standard_metadata.egress_spec = port;
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
