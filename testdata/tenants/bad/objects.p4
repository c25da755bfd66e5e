// Objects that are handed to what uses them, types without bits, places that are picked by a number, names that are none.
#include <core.p4>
#define V1MODEL_VERSION 20200408
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

control Reader(
    // ERROR "a register as a parameter is not supported yet"
    register<bit<8>, bit<32>> cells) {
    apply {
        bit<8> cell;
        cells.read(cell, 1);
    }
}

// It has no instance.
control Counts()(
    // ERROR "a counter as a parameter is not supported yet"
    counter<bit<8>> c) {
    apply {
        c.count(1);
    }
}

control BadIngress(inout headers_t hdr,
                   inout metadata_t meta,
                   inout standard_metadata_t standard_metadata) {
    register<bit<8>, bit<32>>(16) cells;
    counter<int<8>>(16, CounterType.packets) odd;
    Reader() reader;
    table l2 {
        key = {
            hdr.ethernet.dst_addr: exact;
        }
        actions = {
            NoAction;
        }
    }
    apply {
        // ERROR "bit<0>, which has no bits, is not supported by all targets"
        bit<0> nothing;
        reader.apply(cells);
        tuple<bit<9>, bit<8>> pair = { 1, 2 };
        // ERROR "writing an element by its number is not supported yet"
        pair[0] = 3;
        // ERROR "slices by their width are not supported yet"
        hdr.ethernet.ether_type[4+:4] = 3;
        // ERROR "slices by their width are not supported yet"
        // ERROR "writes standard_metadata.mcast_grp"
        standard_metadata.mcast_grp[0+:4] = 3;
        l2.apply();
        // ERROR "a counter indexed by int<8> is not supported yet"
        odd.count(1);
        standard_metadata.egress_spec = standard_metadata.ingress_port;
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
