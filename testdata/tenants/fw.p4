// A stateful firewall: hosts on the inside may open TCP connections to the outside, and nobody may open one inwards. The
// connections that were opened are remembered in a Bloom filter of two registers, so a segment from outside passes only if both
// of its bits are set. The filter's size decides the rate of false positives, so it is not elastic.
#include <core.p4>
#include <v1model.p4>

const bit<16> TYPE_IPV4 = 0x0800;
const bit<8>  PROTO_TCP = 6;

const bit<32> FILTER_BITS = 4096;

typedef bit<9>  port_t;
typedef bit<48> mac_addr_t;
typedef bit<32> ipv4_addr_t;

const port_t INSIDE  = 1;
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

header tcp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<32> seq_no;
    bit<32> ack_no;
    bit<4>  data_offset;
    bit<4>  reserved;
    bit<1>  cwr;
    bit<1>  ece;
    bit<1>  urg;
    bit<1>  ack;
    bit<1>  psh;
    bit<1>  rst;
    bit<1>  syn;
    bit<1>  fin;
    bit<16> window;
    bit<16> checksum;
    bit<16> urgent_ptr;
}

struct headers_t {
    ethernet_t ethernet;
    ipv4_t     ipv4;
    tcp_t      tcp;
}

struct metadata_t {
    bool    outbound;
    bool    filtered; // the packet is subject to the filter
    bit<32> index_0;
    bit<32> index_1;
    bit<1>  seen_0;
    bit<1>  seen_1;
    @hit["filter_0"]
    bool    held_0; // the filter has memory for the bit; an access says so where memory is virtual
    @hit["filter_1"]
    bool    held_1;
}

error {
    TruncatedTcp
}

parser FwParser(packet_in packet,
                out headers_t hdr,
                inout metadata_t meta,
                inout standard_metadata_t standard_metadata) {
    state start {
        transition parse_ethernet;
    }

    state parse_ethernet {
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
        verify(hdr.ipv4.total_len >= 40, error.TruncatedTcp);
        packet.extract(hdr.tcp);
        transition accept;
    }
}

control FwVerifyChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
        verify_checksum(hdr.ipv4.isValid() && hdr.ipv4.ihl == 5,
                        { hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.diffserv, hdr.ipv4.total_len,
                          hdr.ipv4.identification, hdr.ipv4.flags, hdr.ipv4.frag_offset,
                          hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.src_addr, hdr.ipv4.dst_addr },
                        hdr.ipv4.hdr_checksum, HashAlgorithm.csum16);
    }
}

control FwIngress(inout headers_t hdr,
                  inout metadata_t meta,
                  inout standard_metadata_t standard_metadata) {
    // The Bloom filter, one register for each hash.
    @inelastic[size=4096]
    register<bit<1>>(FILTER_BITS) filter_0;
    @inelastic[size=4096]
    register<bit<1>>(FILTER_BITS) filter_1;

    direct_counter(CounterType.packets) decisions;

    action drop() {
        mark_to_drop(standard_metadata);
    }

    action from_inside() {
        meta.outbound = true;
        standard_metadata.egress_spec = OUTSIDE;
    }

    action from_outside() {
        meta.outbound = false;
        standard_metadata.egress_spec = INSIDE;
    }

    table direction {
        key = {
            standard_metadata.ingress_port: exact;
        }
        actions = {
            from_inside;
            from_outside;
            drop;
        }
        default_action = drop();
        const entries = {
            INSIDE:  from_inside();
            OUTSIDE: from_outside();
        }
    }

    action filter() {
        meta.filtered = true;
    }

    action exempt() {
        meta.filtered = false;
    }

    // Servers inside that everybody may reach are exempt from the filter; all other TCP passes through it.
    table rules {
        key = {
            hdr.ipv4.dst_addr: ternary;
            hdr.tcp.dst_port:  ternary;
        }
        actions = {
            filter;
            exempt;
            drop;
        }
        size = 128;
        counters = decisions;
        default_action = filter();
    }

    // Both directions of a connection have the same indices: the inside end comes first.
    action hash_connection(ipv4_addr_t inside_addr,
                           ipv4_addr_t outside_addr,
                           bit<16> inside_port,
                           bit<16> outside_port) {
        hash(meta.index_0, HashAlgorithm.crc16, 32w0,
             { inside_addr, outside_addr, hdr.ipv4.protocol, inside_port, outside_port },
             FILTER_BITS);
        hash(meta.index_1, HashAlgorithm.crc32, 32w0,
             { inside_addr, outside_addr, hdr.ipv4.protocol, inside_port, outside_port },
             FILTER_BITS);
    }

    apply {
        if (standard_metadata.checksum_error == 1 ||
            standard_metadata.parser_error == error.TruncatedTcp) {
            drop();
            return;
        }
        direction.apply();
        if (hdr.tcp.isValid()) {
            rules.apply();
            if (meta.filtered) {
                if (meta.outbound) {
                    hash_connection(hdr.ipv4.src_addr, hdr.ipv4.dst_addr, hdr.tcp.src_port,
                                    hdr.tcp.dst_port);
                    if (hdr.tcp.syn == 1 && hdr.tcp.ack == 0) {
                        meta.held_0 = true;
                        meta.held_1 = true;
                        filter_0.write(meta.index_0, 1);
                        filter_1.write(meta.index_1, 1);
                        if (!meta.held_0 || !meta.held_1) {
                            drop(); // what cannot be remembered must not be opened
                        }
                    }
                } else {
                    hash_connection(hdr.ipv4.dst_addr, hdr.ipv4.src_addr, hdr.tcp.dst_port,
                                    hdr.tcp.src_port);
                    filter_0.read(meta.seen_0, meta.index_0);
                    filter_1.read(meta.seen_1, meta.index_1);
                    if (meta.seen_0 == 0 || meta.seen_1 == 0) {
                        drop();
                    }
                }
            }
        } else if (hdr.ipv4.isValid() && hdr.ipv4.protocol == PROTO_TCP && !meta.outbound) {
            // Later fragments and TCP behind IP options hide what the filter has to see.
            drop();
        }
    }
}

control FwEgress(inout headers_t hdr,
                 inout metadata_t meta,
                 inout standard_metadata_t standard_metadata) {
    apply {}
}

control FwComputeChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
        update_checksum(hdr.ipv4.isValid() && hdr.ipv4.ihl == 5,
                        { hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.diffserv, hdr.ipv4.total_len,
                          hdr.ipv4.identification, hdr.ipv4.flags, hdr.ipv4.frag_offset,
                          hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.src_addr, hdr.ipv4.dst_addr },
                        hdr.ipv4.hdr_checksum, HashAlgorithm.csum16);
    }
}

control FwDeparser(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.ethernet);
        packet.emit(hdr.ipv4);
        packet.emit(hdr.tcp);
    }
}

V1Switch(
    FwParser(),
    FwVerifyChecksum(),
    FwIngress(),
    FwEgress(),
    FwComputeChecksum(),
    FwDeparser()
) main;
