// Asks for memory in ways that mean nothing.
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
    // ERROR "@hit: there is no register "c"; there are"
    @hit["c"]
    bool    hit;
    @hit["ok"]
    // ERROR "@hit is for a field of type bool or bit<1>; wide is bit<8>"
    bit<8>  wide;
    @utility_packets
    // ERROR "@utility_packets needs a field with @utility_hits beside it"
    bool    asked;
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
    register<bit<32>>(1024) ok;
    @elastic[min=2048]
    // ERROR "register large: min 2048 is above max 1024"
    register<bit<32>>(1024) large;
    @elastic[min=0, max=1024]
    // ERROR "register none: at least one slot"
    register<bit<32>>(1024) none;
    @virtual["fold"] @elastic[min=16, max=1000]
    // ERROR "register uneven: .*it must be a power of two"
    register<bit<32>>(1024) uneven;
    // ERROR "@elastic has no key most"
    @elastic[min=16, most=64]
    register<bit<32>>(1024) misspelt;
    // ERROR "@virtual of register modulo"
    @virtual["modulo"]
    register<bit<32>>(1024) modulo;
    // ERROR "register wide: elements of 64 bits do not fit a slot of 32 bits"
    register<bit<64>>(1024) wide;

    apply {
        standard_metadata.egress_spec = 3 - standard_metadata.ingress_port;
        ok.read(meta.x, 0);
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
