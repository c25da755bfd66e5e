// Declares what the system program calls the tag, hoping to write it.
#include <core.p4>
#include <v1model.p4>

header ethernet_t {
    bit<48> dst_addr;
    bit<48> src_addr;
    bit<16> ether_type;
}

// ERROR "il_vlan_t is a name of the system program"
header il_vlan_t {
    bit<3>  pcp;
    bit<1>  dei;
    bit<12> vid;
    bit<16> ether_type;
}

struct headers_t {
    ethernet_t ethernet;
    // ERROR "il_vlan_t is a name of the system"
    // ERROR "il_vlan is a name of the system"
    il_vlan_t  il_vlan;
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
    apply {
        standard_metadata.egress_spec = 3 - standard_metadata.ingress_port;
        // ERROR "il_vlan is a name of the system program"
        hdr.il_vlan.vid = 200;
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
