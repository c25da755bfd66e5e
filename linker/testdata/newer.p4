// A program for the newer version of v1model: ports have a type of their own, and counters are indexed by other types.
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
    PortId_t  port;
    bit<32>   version;
}

parser NewParser(packet_in packet,
                 out headers_t hdr,
                 inout metadata_t meta,
                 inout standard_metadata_t standard_metadata) {
    state start {
        packet.extract(hdr.ethernet);
        transition accept;
    }
}

control NewVerifyChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
    }
}

control NewIngress(inout headers_t hdr,
                   inout metadata_t meta,
                   inout standard_metadata_t standard_metadata) {
    counter<bit<8>>(16, CounterType.packets) few;
    counter<bit<32>>(16, CounterType.packets) plain;
    action send(PortId_t port) {
        standard_metadata.egress_spec = port;
    }
    table l2 {
        key = {
            hdr.ethernet.dst_addr: exact;
        }
        actions = {
            send;
        }
    }
    apply {
        meta.port = standard_metadata.ingress_port;
        meta.version = __v1model_version;
        few.count(hdr.ethernet.src_addr[7:0]);
        few.count(3);
        plain.count(hdr.ethernet.src_addr[31:0]);
        plain.count((bit<32>)meta.port);
        l2.apply();
    }
}

control NewEgress(inout headers_t hdr,
                  inout metadata_t meta,
                  inout standard_metadata_t standard_metadata) {
    apply {
    }
}

control NewComputeChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
    }
}

control NewDeparser(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.ethernet);
    }
}

V1Switch(
    NewParser(),
    NewVerifyChecksum(),
    NewIngress(),
    NewEgress(),
    NewComputeChecksum(),
    NewDeparser()
) main;
