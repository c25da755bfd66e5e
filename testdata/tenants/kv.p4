// A key-value cache in the spirit of NetCache. The switch stands between clients and a storage server and answers a GET by
// itself when it holds the key. Requests and replies are UDP datagrams:
//
//   client -> server, destination port 50000:  GET key | PUT key value | DELETE key
//   server -> client, source port 50000:       REPLY key value
//
// The cache is direct-mapped: a hash of the key chooses the slot, and the slot's stored key tells whether it holds this key.
// What the server answers fills the slot; what a client changes empties it. The key 0 is never cached, so that zeroed memory is
// an empty cache. The more memory there is, the fewer keys share a slot, and the more requests never reach the server.
#include <core.p4>
#include <v1model.p4>

const bit<16> TYPE_IPV4 = 0x0800;
const bit<8>  PROTO_UDP = 17;
const bit<16> KV_PORT   = 50000;

const bit<8> KV_GET    = 1;
const bit<8> KV_REPLY  = 2;
const bit<8> KV_PUT    = 3;
const bit<8> KV_DELETE = 4;

const bit<32> SLOTS = 16384;

// Ports of the switch: clients on one side, the server on the other.
const bit<9> CLIENTS = 1;
const bit<9> SERVER  = 2;

typedef bit<48> mac_addr_t;
typedef bit<32> ipv4_addr_t;

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

header udp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length_;
    bit<16> checksum;
}

header kv_t {
    bit<8>  op;
    bit<64> key;
    bit<64> value;
}

struct headers_t {
    ethernet_t ethernet;
    ipv4_t     ipv4;
    udp_t      udp;
    kv_t       kv;
}

struct metadata_t {
    bit<32> slot;
    bit<32> stored_hi;
    bit<32> stored_lo;
    bit<32> value_hi;
    bit<32> value_lo;
    bit<32> requests;
    @utility_packets
    bool    asked; // a GET that the cache may answer
    @utility_hits
    bool    served; // and did
}

parser KvParser(packet_in packet,
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
            (5, 0, PROTO_UDP): parse_udp;
            default:           accept;
        }
    }

    state parse_udp {
        packet.extract(hdr.udp);
        transition select(hdr.udp.src_port, hdr.udp.dst_port) {
            (_, KV_PORT): parse_kv;
            (KV_PORT, _): parse_kv;
            default:      accept;
        }
    }

    state parse_kv {
        packet.extract(hdr.kv);
        transition accept;
    }
}

control KvVerifyChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
        verify_checksum(hdr.ipv4.isValid() && hdr.ipv4.ihl == 5,
                        { hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.diffserv, hdr.ipv4.total_len,
                          hdr.ipv4.identification, hdr.ipv4.flags, hdr.ipv4.frag_offset,
                          hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.src_addr, hdr.ipv4.dst_addr },
                        hdr.ipv4.hdr_checksum, HashAlgorithm.csum16);
    }
}

// The cache's memory. All registers have one slot for each cached pair.
@virtual["fold"] @elastic[min=256, max=16384]
register<bit<32>>(SLOTS) key_hi;
@virtual["fold"] @elastic[min=256, max=16384]
register<bit<32>>(SLOTS) key_lo;
@virtual["fold"] @elastic[min=256, max=16384]
register<bit<32>>(SLOTS) val_hi;
@virtual["fold"] @elastic[min=256, max=16384]
register<bit<32>>(SLOTS) val_lo;
// How often a slot answered; the controller looks for hot keys here.
@virtual["fold"] @elastic[min=256, max=16384]
register<bit<32>>(SLOTS) hot;

control KvIngress(inout headers_t hdr,
                  inout metadata_t meta,
                  inout standard_metadata_t standard_metadata) {
    counter(5, CounterType.packets) operations;
    direct_counter(CounterType.packets_and_bytes) routed;

    action drop() {
        mark_to_drop(standard_metadata);
    }

    action route(mac_addr_t next_hop, bit<9> port) {
        hdr.ethernet.src_addr = hdr.ethernet.dst_addr;
        hdr.ethernet.dst_addr = next_hop;
        standard_metadata.egress_spec = port;
    }

    action to_server() {
        standard_metadata.egress_spec = SERVER;
    }

    action to_clients() {
        standard_metadata.egress_spec = CLIENTS;
    }

    // Where the controller has not routed an address, a packet crosses to the other side.
    table routes {
        key = {
            hdr.ipv4.dst_addr: lpm;
        }
        actions = {
            route;
            drop;
            NoAction;
        }
        size = 256;
        counters = routed;
        default_action = NoAction();
    }

    table other_side {
        key = {
            standard_metadata.ingress_port: exact;
        }
        actions = {
            to_server;
            to_clients;
            drop;
        }
        default_action = drop();
        const entries = {
            CLIENTS: to_server();
            SERVER:  to_clients();
        }
    }

    // Turns a request into its reply and sends it back where it came from.
    action answer() {
        mac_addr_t mac = hdr.ethernet.dst_addr;
        ipv4_addr_t addr = hdr.ipv4.dst_addr;
        bit<16> port = hdr.udp.dst_port;
        hdr.ethernet.dst_addr = hdr.ethernet.src_addr;
        hdr.ethernet.src_addr = mac;
        hdr.ipv4.dst_addr = hdr.ipv4.src_addr;
        hdr.ipv4.src_addr = addr;
        hdr.udp.dst_port = hdr.udp.src_port;
        hdr.udp.src_port = port;
        hdr.udp.checksum = 0;
        hdr.kv.op = KV_REPLY;
        hdr.kv.value = meta.value_hi ++ meta.value_lo;
        standard_metadata.egress_spec = standard_metadata.ingress_port;
        meta.served = true;
    }

    apply {
        if (standard_metadata.checksum_error == 1 ||
            standard_metadata.parser_error != error.NoError) {
            drop();
            return;
        }
        if (hdr.kv.isValid() && hdr.kv.key != 0) {
            hash(meta.slot, HashAlgorithm.crc32, 32w0, { hdr.kv.key }, SLOTS);
            if (hdr.kv.op == KV_GET) {
                operations.count(1);
                meta.asked = true;
                key_hi.read(meta.stored_hi, meta.slot);
                key_lo.read(meta.stored_lo, meta.slot);
                if (meta.stored_hi ++ meta.stored_lo == hdr.kv.key) {
                    val_hi.read(meta.value_hi, meta.slot);
                    val_lo.read(meta.value_lo, meta.slot);
                    hot.read(meta.requests, meta.slot);
                    hot.write(meta.slot, meta.requests + 1);
                    answer();
                }
            } else if (hdr.kv.op == KV_REPLY) {
                operations.count(2);
                key_hi.write(meta.slot, hdr.kv.key[63:32]);
                key_lo.write(meta.slot, hdr.kv.key[31:0]);
                val_hi.write(meta.slot, hdr.kv.value[63:32]);
                val_lo.write(meta.slot, hdr.kv.value[31:0]);
                hot.write(meta.slot, 0);
            } else if (hdr.kv.op == KV_PUT || hdr.kv.op == KV_DELETE) {
                operations.count(3);
                key_hi.write(meta.slot, 0);
                key_lo.write(meta.slot, 0);
            }
        }
        if (!meta.served) {
            other_side.apply();
            if (hdr.ipv4.isValid()) {
                routes.apply();
            }
        }
    }
}

control KvEgress(inout headers_t hdr,
                 inout metadata_t meta,
                 inout standard_metadata_t standard_metadata) {
    apply {}
}

control KvComputeChecksum(inout headers_t hdr, inout metadata_t meta) {
    apply {
        update_checksum(hdr.ipv4.isValid() && hdr.ipv4.ihl == 5,
                        { hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.diffserv, hdr.ipv4.total_len,
                          hdr.ipv4.identification, hdr.ipv4.flags, hdr.ipv4.frag_offset,
                          hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.src_addr, hdr.ipv4.dst_addr },
                        hdr.ipv4.hdr_checksum, HashAlgorithm.csum16);
    }
}

control KvDeparser(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.ethernet);
        packet.emit(hdr.ipv4);
        packet.emit(hdr.udp);
        packet.emit(hdr.kv);
    }
}

V1Switch(
    KvParser(),
    KvVerifyChecksum(),
    KvIngress(),
    KvEgress(),
    KvComputeChecksum(),
    KvDeparser()
) main;
