// Heavy-hitter detection on a link. A count-min sketch of two rows estimates how many packets each flow has sent; packets of a
// flow whose estimate passes a threshold are marked in their DiffServ field, so that the network behind can treat them apart,
// and counted. A third row remembers which flow used a slot last: where it is the packet's own, its estimate is hardly
// disturbed by others. The more slots a row has, the fewer flows share one.
#include <core.p4>
#include <v1model.p4>

#define SLOTS 16384

const bit<16> TYPE_IPV4 = 0x0800;
const bit<8>  PROTO_TCP = 6;
const bit<8>  PROTO_UDP = 17;

// What a heavy flow's packets are marked with: the class "lower effort" (RFC 8622).
const bit<6>  DSCP_LOWER_EFFORT = 1;
const bit<32> DEFAULT_THRESHOLD = 128;

typedef bit<48> mac_addr_t;
typedef bit<32> ipv4_addr_t;
typedef bit<32> slot_t;

header ethernet_t {
    mac_addr_t dst_addr;
    mac_addr_t src_addr;
    bit<16>    ether_type;
}

header ipv4_t {
    bit<4>      version;
    bit<4>      ihl;
    bit<6>      dscp;
    bit<2>      ecn;
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

// The first four bytes of TCP and UDP.
header ports_t {
    bit<16> src_port;
    bit<16> dst_port;
}

struct headers_t {
    ethernet_t ethernet;
    ipv4_t     ipv4;
    ports_t    ports;
}

struct metadata_t {
    slot_t  slot_0;
    slot_t  slot_1;
    bit<32> flow;  // a fingerprint of the flow
    bit<32> owner; // that of the flow which used the slot last
    bit<32> count_0;
    bit<32> count_1;
    bit<32> estimate;
    bit<32> threshold;
    @utility_packets
    bool    sampled; // the packet belongs to a flow
    @utility_hits
    bool    undisturbed; // which is alone in its slot
    @generation["row_0"]
    bit<16> generation; // of the sketch's memory
}

parser HhParser(packet_in packet,
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
            (5, 0, PROTO_TCP): parse_ports;
            (5, 0, PROTO_UDP): parse_ports;
            default:           accept;
        }
    }

    state parse_ports {
        packet.extract(hdr.ports);
        transition accept;
    }
}

control HhVerifyChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
        verify_checksum(hdr.ipv4.isValid() && hdr.ipv4.ihl == 5,
                        { hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.dscp, hdr.ipv4.ecn,
                          hdr.ipv4.total_len, hdr.ipv4.identification, hdr.ipv4.flags,
                          hdr.ipv4.frag_offset, hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.src_addr,
                          hdr.ipv4.dst_addr },
                        hdr.ipv4.hdr_checksum, HashAlgorithm.csum16);
    }
}

control HhIngress(inout headers_t hdr,
                  inout metadata_t meta,
                  inout standard_metadata_t standard_metadata) {
    // Which flow used a slot last.
    @virtual["fold"] @elastic[min=256, max=16384]
    register<bit<32>>(SLOTS) owners;
    // The rows of the sketch.
    @virtual["fold"] @elastic[min=256, max=16384]
    register<bit<32>>(SLOTS) row_0;
    @virtual["fold"] @elastic[min=256, max=16384]
    register<bit<32>>(SLOTS) row_1;

    counter(2, CounterType.packets_and_bytes) traffic;

    action drop() {
        mark_to_drop(standard_metadata);
    }

    action forward(bit<9> port) {
        standard_metadata.egress_spec = port;
    }

    // A wire with two ends, unless the controller says otherwise.
    table wire {
        key = {
            standard_metadata.ingress_port: exact;
        }
        actions = {
            forward;
            drop;
        }
        default_action = drop();
        const entries = {
            1: forward(2);
            2: forward(1);
        }
    }

    action watch(bit<32> threshold) {
        meta.threshold = threshold;
    }

    // Networks that the controller watches more or less closely.
    table thresholds {
        key = {
            hdr.ipv4.src_addr: lpm;
        }
        actions = {
            watch;
        }
        size = 512;
        default_action = watch(DEFAULT_THRESHOLD);
    }

    action hash_flow() {
        hash(meta.flow, HashAlgorithm.crc32, 32w0,
             { hdr.ipv4.src_addr, hdr.ipv4.dst_addr, hdr.ipv4.protocol, hdr.ports.src_port,
               hdr.ports.dst_port },
             64w0x100000000);
        hash(meta.slot_0, HashAlgorithm.crc32, 32w0,
             { hdr.ports.dst_port, hdr.ipv4.protocol, hdr.ipv4.src_addr, hdr.ports.src_port,
               hdr.ipv4.dst_addr },
             (bit<32>)SLOTS);
        hash(meta.slot_1, HashAlgorithm.crc16, 32w0,
             { hdr.ipv4.src_addr, hdr.ipv4.dst_addr, hdr.ipv4.protocol, hdr.ports.src_port,
               hdr.ports.dst_port },
             (bit<32>)SLOTS);
    }

    action mark() {
        hdr.ipv4.dscp = DSCP_LOWER_EFFORT;
        traffic.count(1);
    }

    apply {
        if (standard_metadata.checksum_error == 1) {
            drop();
            return;
        }
        wire.apply();
        if (hdr.ports.isValid()) {
            hash_flow();
            thresholds.apply();
            meta.sampled = true;

            owners.read(meta.owner, meta.slot_0);
            owners.write(meta.slot_0, meta.flow);
            row_0.read(meta.count_0, meta.slot_0);
            meta.count_0 = meta.count_0 + 1;
            row_0.write(meta.slot_0, meta.count_0);
            row_1.read(meta.count_1, meta.slot_1);
            meta.count_1 = meta.count_1 + 1;
            row_1.write(meta.slot_1, meta.count_1);

            meta.undisturbed = meta.owner == meta.flow;
            if (meta.count_0 < meta.count_1) {
                meta.estimate = meta.count_0;
            } else {
                meta.estimate = meta.count_1;
            }
            if (meta.estimate > meta.threshold) {
                mark();
            } else {
                traffic.count(0);
            }
        }
    }
}

control HhEgress(inout headers_t hdr,
                 inout metadata_t meta,
                 inout standard_metadata_t standard_metadata) {
    apply {}
}

control HhComputeChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
        update_checksum(hdr.ipv4.isValid() && hdr.ipv4.ihl == 5,
                        { hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.dscp, hdr.ipv4.ecn,
                          hdr.ipv4.total_len, hdr.ipv4.identification, hdr.ipv4.flags,
                          hdr.ipv4.frag_offset, hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.src_addr,
                          hdr.ipv4.dst_addr },
                        hdr.ipv4.hdr_checksum, HashAlgorithm.csum16);
    }
}

control HhDeparser(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.ethernet);
        packet.emit(hdr.ipv4);
        packet.emit(hdr.ports);
    }
}

V1Switch(
    HhParser(),
    HhVerifyChecksum(),
    HhIngress(),
    HhEgress(),
    HhComputeChecksum(),
    HhDeparser()
) main;
