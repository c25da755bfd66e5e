// A guard against SYN floods, between the outside and servers. For each server, by address and port, it counts the connections that were
// asked for and not yet acknowledged; while too many are pending, further requests are dropped. Servers share a count where their hashes
// do, so more slots mean fewer that suffer from another's flood.
#include <core.p4>
#include <v1model.p4>

#define SLOTS 8192

const bit<16> TYPE_IPV4     = 0x0800;
const bit<8>  PROTO_TCP     = 6;
const bit<32> DEFAULT_LIMIT = 64;

typedef bit<9>  port_t;
typedef bit<48> mac_addr_t;
typedef bit<32> ipv4_addr_t;

const port_t SERVERS = 1;
const port_t OUTSIDE = 2;

header ethernet_t {
    mac_addr_t dst_addr;
    mac_addr_t src_addr;
    bit<16>    ether_type;
}

header ipv4_t {
    bit<4>      version;
    bit<4>      ihl;
    bit<8>      diffserv;
    bit<16>     total_len;
    bit<16>     identification;
    bit<3>      flags;
    bit<13>     frag_offset;
    bit<8>      ttl;
    bit<8>      protocol;
    bit<16>     hdr_checksum;
    ipv4_addr_t src_addr;
    ipv4_addr_t dst_addr;
}

// The part of TCP up to its flags.
header tcp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<32> seq_no;
    bit<32> ack_no;
    bit<4>  data_offset;
    bit<4>  reserved;
    bit<3>  ecn;
    bit<1>  ack;
    bit<1>  psh;
    bit<1>  rst;
    bit<1>  syn;
    bit<1>  fin;
}

struct headers_t {
    ethernet_t ethernet;
    ipv4_t     ipv4;
    tcp_t      tcp;
}

struct metadata_t {
    bit<32> server; // slot of the server's count
    bit<32> pending;
    bit<32> limit;
    @utility_packets
    bool    asked; // the packet asks for a connection
    @utility_hits @hit["half_open"]
    bool    counted; // which is counted
}

parser SynParser(packet_in packet,
                 out headers_t hdr,
                 inout metadata_t meta,
                 inout standard_metadata_t standard_metadata) {
    state start {
        packet.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type) {
            TYPE_IPV4: parse_ipv4;
            default:   accept;
        }
    }

    state parse_ipv4 {
        packet.extract(hdr.ipv4);
        transition select(hdr.ipv4.ihl, hdr.ipv4.frag_offset, hdr.ipv4.protocol) {
            (5, 0, PROTO_TCP): parse_tcp;
            default:           accept;
        }
    }

    state parse_tcp {
        packet.extract(hdr.tcp);
        transition accept;
    }
}

control SynVerifyChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {}
}

control SynIngress(inout headers_t hdr,
                   inout metadata_t meta,
                   inout standard_metadata_t standard_metadata) {
    // Connections of a server that are asked for and not yet acknowledged.
    @virtual["fold"] @elastic[min=256, max=8192]
    register<bit<32>>(SLOTS) half_open;

    counter(1, CounterType.packets) refused;

    action drop() {
        mark_to_drop(standard_metadata);
    }

    action limit(bit<32> pending) {
        meta.limit = pending;
    }

    // Servers that may have more or fewer pending connections than others.
    table servers {
        key = {
            hdr.ipv4.dst_addr: lpm;
        }
        actions = {
            limit;
        }
        size = 256;
        default_action = limit(DEFAULT_LIMIT);
    }

    apply {
        if (standard_metadata.ingress_port == SERVERS) {
            standard_metadata.egress_spec = OUTSIDE;
            return;
        }
        standard_metadata.egress_spec = SERVERS;
        // A segment that only acknowledges completes a connection, or belongs to one: the count does not go below 0.
        if (hdr.tcp.isValid() && (hdr.tcp.syn ^ hdr.tcp.ack) == 1) {
            servers.apply();
            hash(meta.server, HashAlgorithm.crc32, 32w0, { hdr.ipv4.dst_addr, hdr.tcp.dst_port },
                 (bit<32>)SLOTS);
            half_open.read(meta.pending, meta.server);
            if (hdr.tcp.syn == 1) {
                meta.asked = true;
                if (meta.pending >= meta.limit) {
                    refused.count(0);
                    drop();
                } else {
                    meta.pending = meta.pending + 1;
                }
            } else {
                meta.pending = meta.pending |-| 1;
            }
            half_open.write(meta.server, meta.pending);
        }
    }
}

control SynEgress(inout headers_t hdr,
                  inout metadata_t meta,
                  inout standard_metadata_t standard_metadata) {
    apply {}
}

control SynComputeChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {}
}

control SynDeparser(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr);
    }
}

V1Switch(
    SynParser(),
    SynVerifyChecksum(),
    SynIngress(),
    SynEgress(),
    SynComputeChecksum(),
    SynDeparser()
) main;
