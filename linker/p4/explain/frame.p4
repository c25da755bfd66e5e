#include <core.p4>
#include <v1model.p4>

header ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> etherType;
}

//{headers
struct headers_t {
    ethernet_t ethernet;
}
//}headers

struct metadata_t {
    bit<32> value;
}

parser MyParser(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
//{parser
    state start {
        packet.extract(hdr.ethernet);
        transition accept;
    }
//}parser
}

control MyVerifyChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control MyIngress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
//{ingress
    apply {
        standard_metadata.egress_spec = 2;
    }
//}ingress
}

control MyEgress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    apply { }
}

control MyComputeChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
//{checksum
//}checksum
    }
}

control MyDeparser(packet_out packet, in headers_t hdr) {
    apply {
//{deparser
        packet.emit(hdr.ethernet);
//}deparser
    }
}

V1Switch(MyParser(), MyVerifyChecksum(), MyIngress(), MyEgress(), MyComputeChecksum(), MyDeparser()) main;
