#include <core.p4>
#include <v1model.p4>

const bit<9> il_cpu_port = 510;
const bit<9> il_drop_port = 511;
const bit<16> il_type_vlan = 0x8100;
const bit<16> il_type_marker = 0x88b5;

header il_ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> ether_type;
}

header il_vlan_t {
    bit<3> pcp;
    bit<1> dei;
    bit<12> vid;
    bit<16> ether_type;
}

header il_marker_t {
    bit<64> nonce;
}

struct il_standard_metadata_t {
    bit<9> ingress_port;
    bit<9> egress_spec;
    bit<9> egress_port;
    bit<32> instance_type;
    bit<32> packet_length;
    bit<32> enq_timestamp;
    bit<19> enq_qdepth;
    bit<32> deq_timedelta;
    bit<19> deq_qdepth;
    bit<48> ingress_global_timestamp;
    bit<48> egress_global_timestamp;
    bit<16> mcast_grp;
    bit<16> egress_rid;
    bit<1> checksum_error;
    error parser_error;
    bit<3> priority;
}

struct il_page_t {
    bit<24> base_0;
    bit<24> size_0;
    bit<32> mask_0;
    bit<16> gen_0;
    bit<24> base_1;
    bit<24> size_1;
    bit<32> mask_1;
    bit<16> gen_1;
    bit<24> base_2;
    bit<24> size_2;
    bit<32> mask_2;
    bit<16> gen_2;
    bit<24> base_3;
    bit<24> size_3;
    bit<32> mask_3;
    bit<16> gen_3;
    bit<24> base_4;
    bit<24> size_4;
    bit<32> mask_4;
    bit<16> gen_4;
}

struct il_memory_t {
    bool asked;
    bool missed;
}

register<bit<32>>(16384) il_stage_ingress_0;
register<bit<32>>(16384) il_stage_ingress_1;
register<bit<32>>(16384) il_stage_ingress_2;
register<bit<32>>(16384) il_stage_ingress_3;
register<bit<32>>(16384) il_stage_ingress_4;
counter(4096, CounterType.packets) il_packets;
counter(4096, CounterType.packets) il_hits;

const bit<16> kv__TYPE_IPV4 = 0x0800;
const bit<8> kv__PROTO_UDP = 17;
const bit<16> kv__KV_PORT = 50000;
const bit<8> kv__KV_GET = 1;
const bit<8> kv__KV_REPLY = 2;
const bit<8> kv__KV_PUT = 3;
const bit<8> kv__KV_DELETE = 4;
const bit<32> kv__SLOTS = 16384;
const bit<9> kv__CLIENTS = 1;
const bit<9> kv__SERVER = 2;

typedef bit<48> kv__mac_addr_t;
typedef bit<32> kv__ipv4_addr_t;

header kv__ethernet_t {
    kv__mac_addr_t dst_addr;
    kv__mac_addr_t src_addr;
    bit<16> ether_type;
}

header kv__ipv4_t {
    bit<4> version;
    bit<4> ihl;
    bit<8> diffserv;
    bit<16> total_len;
    bit<16> identification;
    bit<3> flags;
    bit<13> frag_offset;
    bit<8> ttl;
    bit<8> protocol;
    bit<16> hdr_checksum;
    kv__ipv4_addr_t src_addr;
    kv__ipv4_addr_t dst_addr;
}

header kv__udp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length_;
    bit<16> checksum;
}

header kv__kv_t {
    bit<8> op;
    bit<64> key;
    bit<64> value;
}

struct kv__headers_t {
    kv__ethernet_t ethernet;
    kv__ipv4_t ipv4;
    kv__udp_t udp;
    kv__kv_t kv;
}

struct kv__metadata_t {
    bit<32> slot;
    bit<32> stored_hi;
    bit<32> stored_lo;
    bit<32> value_hi;
    bit<32> value_lo;
    bit<32> requests;
    bool asked;
    bool served;
}

control kv__KvIngress(
    inout kv__headers_t hdr,
    inout kv__metadata_t meta,
    inout il_standard_metadata_t standard_metadata,
    in il_page_t il_page,
    inout il_memory_t il_memory
) {
    @name(".kv__KvIngress.operations")
    counter(5, CounterType.packets) operations;
    @name(".kv__KvIngress.routed")
    direct_counter(CounterType.packets_and_bytes) routed;

    @name(".kv__KvIngress.drop")
    action drop() {
        standard_metadata.egress_spec = il_drop_port;
    }

    @name(".kv__KvIngress.route")
    action route(kv__mac_addr_t next_hop, bit<9> port) {
        hdr.ethernet.src_addr = hdr.ethernet.dst_addr;
        hdr.ethernet.dst_addr = next_hop;
        standard_metadata.egress_spec = port;
    }

    @name(".kv__KvIngress.to_server")
    action to_server() {
        standard_metadata.egress_spec = kv__SERVER;
    }

    @name(".kv__KvIngress.to_clients")
    action to_clients() {
        standard_metadata.egress_spec = kv__CLIENTS;
    }

    @name(".kv__KvIngress.routes")
    table routes {
        key = {
            hdr.ipv4.dst_addr : lpm;
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

    @name(".kv__KvIngress.other_side")
    table other_side {
        key = {
            standard_metadata.ingress_port : exact;
        }
        actions = {
            to_server;
            to_clients;
            drop;
        }
        default_action = drop();
        const entries = {
            kv__CLIENTS : to_server();
            kv__SERVER : to_clients();
        }
    }

    @name(".kv__KvIngress.answer")
    action answer() {
        kv__mac_addr_t mac = hdr.ethernet.dst_addr;
        kv__ipv4_addr_t addr = hdr.ipv4.dst_addr;
        bit<16> port = hdr.udp.dst_port;
        hdr.ethernet.dst_addr = hdr.ethernet.src_addr;
        hdr.ethernet.src_addr = mac;
        hdr.ipv4.dst_addr = hdr.ipv4.src_addr;
        hdr.ipv4.src_addr = addr;
        hdr.udp.dst_port = hdr.udp.src_port;
        hdr.udp.src_port = port;
        hdr.udp.checksum = 0;
        hdr.kv.op = kv__KV_REPLY;
        hdr.kv.value = meta.value_hi ++ meta.value_lo;
        standard_metadata.egress_spec = standard_metadata.ingress_port;
        meta.served = true;
    }

    apply {
        if (standard_metadata.checksum_error == 1 || standard_metadata.parser_error != error.NoError) {
            drop();
            return;
        }
        if (hdr.kv.isValid() && hdr.kv.key != 0) {
            hash(meta.slot, HashAlgorithm.crc32, 32w0, { hdr.kv.key }, kv__SLOTS);
            if (hdr.kv.op == kv__KV_GET) {
                operations.count(1);
                meta.asked = true;
                {
                    bit<32> il_index = meta.slot & il_page.mask_0;
                    bit<32> il_cell = 0;
                    if (il_index < (bit<32>)il_page.size_0) {
                        il_stage_ingress_0.read(il_cell, (bit<32>)il_page.base_0 + il_index);
                    } else {
                        il_memory.missed = true;
                    }
                    il_memory.asked = true;
                    meta.stored_hi = il_cell;
                }
                {
                    bit<32> il_index = meta.slot & il_page.mask_1;
                    bit<32> il_cell = 0;
                    if (il_index < (bit<32>)il_page.size_1) {
                        il_stage_ingress_1.read(il_cell, (bit<32>)il_page.base_1 + il_index);
                    } else {
                        il_memory.missed = true;
                    }
                    il_memory.asked = true;
                    meta.stored_lo = il_cell;
                }
                if (meta.stored_hi ++ meta.stored_lo == hdr.kv.key) {
                    {
                        bit<32> il_index = meta.slot & il_page.mask_2;
                        bit<32> il_cell = 0;
                        if (il_index < (bit<32>)il_page.size_2) {
                            il_stage_ingress_2.read(il_cell, (bit<32>)il_page.base_2 + il_index);
                        } else {
                            il_memory.missed = true;
                        }
                        il_memory.asked = true;
                        meta.value_hi = il_cell;
                    }
                    {
                        bit<32> il_index = meta.slot & il_page.mask_3;
                        bit<32> il_cell = 0;
                        if (il_index < (bit<32>)il_page.size_3) {
                            il_stage_ingress_3.read(il_cell, (bit<32>)il_page.base_3 + il_index);
                        } else {
                            il_memory.missed = true;
                        }
                        il_memory.asked = true;
                        meta.value_lo = il_cell;
                    }
                    {
                        bit<32> il_index = meta.slot & il_page.mask_4;
                        bit<32> il_cell = 0;
                        if (il_index < (bit<32>)il_page.size_4) {
                            il_stage_ingress_4.read(il_cell, (bit<32>)il_page.base_4 + il_index);
                        } else {
                            il_memory.missed = true;
                        }
                        il_memory.asked = true;
                        meta.requests = il_cell;
                    }
                    {
                        bit<32> il_index = meta.slot & il_page.mask_4;
                        bit<32> il_value = meta.requests + 1;
                        if (il_index < (bit<32>)il_page.size_4) {
                            il_stage_ingress_4.write((bit<32>)il_page.base_4 + il_index, il_value);
                        } else {
                            il_memory.missed = true;
                        }
                        il_memory.asked = true;
                    }
                    answer();
                }
            } else if (hdr.kv.op == kv__KV_REPLY) {
                operations.count(2);
                {
                    bit<32> il_index = meta.slot & il_page.mask_0;
                    bit<32> il_value = hdr.kv.key[63:32];
                    if (il_index < (bit<32>)il_page.size_0) {
                        il_stage_ingress_0.write((bit<32>)il_page.base_0 + il_index, il_value);
                    } else {
                        il_memory.missed = true;
                    }
                    il_memory.asked = true;
                }
                {
                    bit<32> il_index = meta.slot & il_page.mask_1;
                    bit<32> il_value = hdr.kv.key[31:0];
                    if (il_index < (bit<32>)il_page.size_1) {
                        il_stage_ingress_1.write((bit<32>)il_page.base_1 + il_index, il_value);
                    } else {
                        il_memory.missed = true;
                    }
                    il_memory.asked = true;
                }
                {
                    bit<32> il_index = meta.slot & il_page.mask_2;
                    bit<32> il_value = hdr.kv.value[63:32];
                    if (il_index < (bit<32>)il_page.size_2) {
                        il_stage_ingress_2.write((bit<32>)il_page.base_2 + il_index, il_value);
                    } else {
                        il_memory.missed = true;
                    }
                    il_memory.asked = true;
                }
                {
                    bit<32> il_index = meta.slot & il_page.mask_3;
                    bit<32> il_value = hdr.kv.value[31:0];
                    if (il_index < (bit<32>)il_page.size_3) {
                        il_stage_ingress_3.write((bit<32>)il_page.base_3 + il_index, il_value);
                    } else {
                        il_memory.missed = true;
                    }
                    il_memory.asked = true;
                }
                {
                    bit<32> il_index = meta.slot & il_page.mask_4;
                    bit<32> il_value = 0;
                    if (il_index < (bit<32>)il_page.size_4) {
                        il_stage_ingress_4.write((bit<32>)il_page.base_4 + il_index, il_value);
                    } else {
                        il_memory.missed = true;
                    }
                    il_memory.asked = true;
                }
            } else if (hdr.kv.op == kv__KV_PUT || hdr.kv.op == kv__KV_DELETE) {
                operations.count(3);
                {
                    bit<32> il_index = meta.slot & il_page.mask_0;
                    bit<32> il_value = 0;
                    if (il_index < (bit<32>)il_page.size_0) {
                        il_stage_ingress_0.write((bit<32>)il_page.base_0 + il_index, il_value);
                    } else {
                        il_memory.missed = true;
                    }
                    il_memory.asked = true;
                }
                {
                    bit<32> il_index = meta.slot & il_page.mask_1;
                    bit<32> il_value = 0;
                    if (il_index < (bit<32>)il_page.size_1) {
                        il_stage_ingress_1.write((bit<32>)il_page.base_1 + il_index, il_value);
                    } else {
                        il_memory.missed = true;
                    }
                    il_memory.asked = true;
                }
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

control kv__KvEgress(
    inout kv__headers_t hdr,
    inout kv__metadata_t meta,
    inout il_standard_metadata_t standard_metadata
) {
    apply { }
}

const bit<16> hh__TYPE_IPV4 = 0x0800;
const bit<8> hh__PROTO_TCP = 6;
const bit<8> hh__PROTO_UDP = 17;
const bit<6> hh__DSCP_LOWER_EFFORT = 1;
const bit<32> hh__DEFAULT_THRESHOLD = 128;

typedef bit<48> hh__mac_addr_t;
typedef bit<32> hh__ipv4_addr_t;
typedef bit<32> hh__slot_t;

header hh__ethernet_t {
    hh__mac_addr_t dst_addr;
    hh__mac_addr_t src_addr;
    bit<16> ether_type;
}

header hh__ipv4_t {
    bit<4> version;
    bit<4> ihl;
    bit<6> dscp;
    bit<2> ecn;
    bit<16> total_len;
    bit<16> identification;
    bit<3> flags;
    bit<13> frag_offset;
    bit<8> ttl;
    bit<8> protocol;
    bit<16> hdr_checksum;
    hh__ipv4_addr_t src_addr;
    hh__ipv4_addr_t dst_addr;
}

header hh__ports_t {
    bit<16> src_port;
    bit<16> dst_port;
}

struct hh__headers_t {
    hh__ethernet_t ethernet;
    hh__ipv4_t ipv4;
    hh__ports_t ports;
}

struct hh__metadata_t {
    hh__slot_t slot_0;
    hh__slot_t slot_1;
    bit<32> flow;
    bit<32> owner;
    bit<32> count_0;
    bit<32> count_1;
    bit<32> estimate;
    bit<32> threshold;
    bool sampled;
    bool undisturbed;
    bit<16> generation;
}

control hh__HhIngress(
    inout hh__headers_t hdr,
    inout hh__metadata_t meta,
    inout il_standard_metadata_t standard_metadata,
    in il_page_t il_page,
    inout il_memory_t il_memory
) {
    @name(".hh__HhIngress.traffic")
    counter(2, CounterType.packets_and_bytes) traffic;

    @name(".hh__HhIngress.drop")
    action drop() {
        standard_metadata.egress_spec = il_drop_port;
    }

    @name(".hh__HhIngress.forward")
    action forward(bit<9> port) {
        standard_metadata.egress_spec = port;
    }

    @name(".hh__HhIngress.wire")
    table wire {
        key = {
            standard_metadata.ingress_port : exact;
        }
        actions = {
            forward;
            drop;
        }
        default_action = drop();
        const entries = {
            1 : forward(2);
            2 : forward(1);
        }
    }

    @name(".hh__HhIngress.watch")
    action watch(bit<32> threshold) {
        meta.threshold = threshold;
    }

    @name(".hh__HhIngress.thresholds")
    table thresholds {
        key = {
            hdr.ipv4.src_addr : lpm;
        }
        actions = {
            watch;
        }
        size = 512;
        default_action = watch(hh__DEFAULT_THRESHOLD);
    }

    @name(".hh__HhIngress.hash_flow")
    action hash_flow() {
        hash(meta.flow, HashAlgorithm.crc32, 32w0, { 
            hdr.ipv4.src_addr,
            hdr.ipv4.dst_addr,
            hdr.ipv4.protocol,
            hdr.ports.src_port,
            hdr.ports.dst_port
         }, 64w0x100000000);
        hash(meta.slot_0, HashAlgorithm.crc32, 32w0, { 
            hdr.ports.dst_port,
            hdr.ipv4.protocol,
            hdr.ipv4.src_addr,
            hdr.ports.src_port,
            hdr.ipv4.dst_addr
         }, (bit<32>)16384);
        hash(meta.slot_1, HashAlgorithm.crc16, 32w0, { 
            hdr.ipv4.src_addr,
            hdr.ipv4.dst_addr,
            hdr.ipv4.protocol,
            hdr.ports.src_port,
            hdr.ports.dst_port
         }, (bit<32>)16384);
    }

    @name(".hh__HhIngress.mark")
    action mark() {
        hdr.ipv4.dscp = hh__DSCP_LOWER_EFFORT;
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
            {
                bit<32> il_index = meta.slot_0 & il_page.mask_0;
                bit<32> il_cell = 0;
                if (il_index < (bit<32>)il_page.size_0) {
                    il_stage_ingress_0.read(il_cell, (bit<32>)il_page.base_0 + il_index);
                } else {
                    il_memory.missed = true;
                }
                il_memory.asked = true;
                meta.owner = il_cell;
            }
            {
                bit<32> il_index = meta.slot_0 & il_page.mask_0;
                bit<32> il_value = meta.flow;
                if (il_index < (bit<32>)il_page.size_0) {
                    il_stage_ingress_0.write((bit<32>)il_page.base_0 + il_index, il_value);
                } else {
                    il_memory.missed = true;
                }
                il_memory.asked = true;
            }
            {
                bit<32> il_index = meta.slot_0 & il_page.mask_1;
                bit<32> il_cell = 0;
                if (il_index < (bit<32>)il_page.size_1) {
                    il_stage_ingress_1.read(il_cell, (bit<32>)il_page.base_1 + il_index);
                } else {
                    il_memory.missed = true;
                }
                il_memory.asked = true;
                meta.count_0 = il_cell;
            }
            meta.count_0 = meta.count_0 + 1;
            {
                bit<32> il_index = meta.slot_0 & il_page.mask_1;
                bit<32> il_value = meta.count_0;
                if (il_index < (bit<32>)il_page.size_1) {
                    il_stage_ingress_1.write((bit<32>)il_page.base_1 + il_index, il_value);
                } else {
                    il_memory.missed = true;
                }
                il_memory.asked = true;
            }
            {
                bit<32> il_index = meta.slot_1 & il_page.mask_2;
                bit<32> il_cell = 0;
                if (il_index < (bit<32>)il_page.size_2) {
                    il_stage_ingress_2.read(il_cell, (bit<32>)il_page.base_2 + il_index);
                } else {
                    il_memory.missed = true;
                }
                il_memory.asked = true;
                meta.count_1 = il_cell;
            }
            meta.count_1 = meta.count_1 + 1;
            {
                bit<32> il_index = meta.slot_1 & il_page.mask_2;
                bit<32> il_value = meta.count_1;
                if (il_index < (bit<32>)il_page.size_2) {
                    il_stage_ingress_2.write((bit<32>)il_page.base_2 + il_index, il_value);
                } else {
                    il_memory.missed = true;
                }
                il_memory.asked = true;
            }
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

control hh__HhEgress(
    inout hh__headers_t hdr,
    inout hh__metadata_t meta,
    inout il_standard_metadata_t standard_metadata
) {
    apply { }
}

const bit<16> fw__TYPE_IPV4 = 0x0800;
const bit<8> fw__PROTO_TCP = 6;
const bit<32> fw__FILTER_BITS = 4096;

typedef bit<9> fw__port_t;
typedef bit<48> fw__mac_addr_t;
typedef bit<32> fw__ipv4_addr_t;

const fw__port_t fw__INSIDE = 1;
const fw__port_t fw__OUTSIDE = 2;

header fw__ethernet_t {
    fw__mac_addr_t dst_addr;
    fw__mac_addr_t src_addr;
    bit<16> ether_type;
}

header fw__ipv4_t {
    bit<4> version;
    bit<4> ihl;
    bit<8> diffserv;
    bit<16> total_len;
    bit<16> identification;
    bit<3> flags;
    bit<13> frag_offset;
    bit<8> ttl;
    bit<8> protocol;
    bit<16> hdr_checksum;
    fw__ipv4_addr_t src_addr;
    fw__ipv4_addr_t dst_addr;
}

header fw__tcp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<32> seq_no;
    bit<32> ack_no;
    bit<4> data_offset;
    bit<4> reserved;
    bit<1> cwr;
    bit<1> ece;
    bit<1> urg;
    bit<1> ack;
    bit<1> psh;
    bit<1> rst;
    bit<1> syn;
    bit<1> fin;
    bit<16> window;
    bit<16> checksum;
    bit<16> urgent_ptr;
}

struct fw__headers_t {
    fw__ethernet_t ethernet;
    fw__ipv4_t ipv4;
    fw__tcp_t tcp;
}

struct fw__metadata_t {
    bool outbound;
    bool filtered;
    bit<32> index_0;
    bit<32> index_1;
    bit<1> seen_0;
    bit<1> seen_1;
    bool held_0;
    bool held_1;
}

error {
    fw__TruncatedTcp
}

control fw__FwIngress(
    inout fw__headers_t hdr,
    inout fw__metadata_t meta,
    inout il_standard_metadata_t standard_metadata,
    in il_page_t il_page,
    inout il_memory_t il_memory
) {
    @name(".fw__FwIngress.decisions")
    direct_counter(CounterType.packets) decisions;

    @name(".fw__FwIngress.drop")
    action drop() {
        standard_metadata.egress_spec = il_drop_port;
    }

    @name(".fw__FwIngress.from_inside")
    action from_inside() {
        meta.outbound = true;
        standard_metadata.egress_spec = fw__OUTSIDE;
    }

    @name(".fw__FwIngress.from_outside")
    action from_outside() {
        meta.outbound = false;
        standard_metadata.egress_spec = fw__INSIDE;
    }

    @name(".fw__FwIngress.direction")
    table direction {
        key = {
            standard_metadata.ingress_port : exact;
        }
        actions = {
            from_inside;
            from_outside;
            drop;
        }
        default_action = drop();
        const entries = {
            fw__INSIDE : from_inside();
            fw__OUTSIDE : from_outside();
        }
    }

    @name(".fw__FwIngress.filter")
    action filter() {
        meta.filtered = true;
    }

    @name(".fw__FwIngress.exempt")
    action exempt() {
        meta.filtered = false;
    }

    @name(".fw__FwIngress.rules")
    table rules {
        key = {
            hdr.ipv4.dst_addr : ternary;
            hdr.tcp.dst_port : ternary;
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

    @name(".fw__FwIngress.hash_connection")
    action hash_connection(
        fw__ipv4_addr_t inside_addr,
        fw__ipv4_addr_t outside_addr,
        bit<16> inside_port,
        bit<16> outside_port
    ) {
        hash(
            meta.index_0,
            HashAlgorithm.crc16,
            32w0,
            { inside_addr, outside_addr, hdr.ipv4.protocol, inside_port, outside_port },
            fw__FILTER_BITS
        );
        hash(
            meta.index_1,
            HashAlgorithm.crc32,
            32w0,
            { inside_addr, outside_addr, hdr.ipv4.protocol, inside_port, outside_port },
            fw__FILTER_BITS
        );
    }

    apply {
        if (standard_metadata.checksum_error == 1 || standard_metadata.parser_error == error.fw__TruncatedTcp) {
            drop();
            return;
        }
        direction.apply();
        if (hdr.tcp.isValid()) {
            rules.apply();
            if (meta.filtered) {
                if (meta.outbound) {
                    hash_connection(
                        hdr.ipv4.src_addr,
                        hdr.ipv4.dst_addr,
                        hdr.tcp.src_port,
                        hdr.tcp.dst_port
                    );
                    if (hdr.tcp.syn == 1 && hdr.tcp.ack == 0) {
                        meta.held_0 = true;
                        meta.held_1 = true;
                        {
                            bit<32> il_index = meta.index_0 & il_page.mask_0;
                            bit<32> il_value = (bit<32>)(bit<1>)1;
                            if (il_index < (bit<32>)il_page.size_0) {
                                il_stage_ingress_0.write(
                                    (bit<32>)il_page.base_0 + il_index,
                                    il_value
                                );
                                meta.held_0 = true;
                            } else {
                                il_memory.missed = true;
                                meta.held_0 = false;
                            }
                            il_memory.asked = true;
                        }
                        {
                            bit<32> il_index = meta.index_1 & il_page.mask_1;
                            bit<32> il_value = (bit<32>)(bit<1>)1;
                            if (il_index < (bit<32>)il_page.size_1) {
                                il_stage_ingress_1.write(
                                    (bit<32>)il_page.base_1 + il_index,
                                    il_value
                                );
                                meta.held_1 = true;
                            } else {
                                il_memory.missed = true;
                                meta.held_1 = false;
                            }
                            il_memory.asked = true;
                        }
                        if (!meta.held_0 || !meta.held_1) {
                            drop();
                        }
                    }
                } else {
                    hash_connection(
                        hdr.ipv4.dst_addr,
                        hdr.ipv4.src_addr,
                        hdr.tcp.dst_port,
                        hdr.tcp.src_port
                    );
                    {
                        bit<32> il_index = meta.index_0 & il_page.mask_0;
                        bit<32> il_cell = 0;
                        if (il_index < (bit<32>)il_page.size_0) {
                            il_stage_ingress_0.read(il_cell, (bit<32>)il_page.base_0 + il_index);
                            meta.held_0 = true;
                        } else {
                            il_memory.missed = true;
                            meta.held_0 = false;
                        }
                        il_memory.asked = true;
                        meta.seen_0 = (bit<1>)il_cell;
                    }
                    {
                        bit<32> il_index = meta.index_1 & il_page.mask_1;
                        bit<32> il_cell = 0;
                        if (il_index < (bit<32>)il_page.size_1) {
                            il_stage_ingress_1.read(il_cell, (bit<32>)il_page.base_1 + il_index);
                            meta.held_1 = true;
                        } else {
                            il_memory.missed = true;
                            meta.held_1 = false;
                        }
                        il_memory.asked = true;
                        meta.seen_1 = (bit<1>)il_cell;
                    }
                    if (meta.seen_0 == 0 || meta.seen_1 == 0) {
                        drop();
                    }
                }
            }
        } else if (hdr.ipv4.isValid() && hdr.ipv4.protocol == fw__PROTO_TCP && !meta.outbound) {
            drop();
        }
    }
}

control fw__FwEgress(
    inout fw__headers_t hdr,
    inout fw__metadata_t meta,
    inout il_standard_metadata_t standard_metadata
) {
    apply { }
}

struct il_headers_t {
    il_ethernet_t il_ethernet;
    il_vlan_t il_vlan;
    il_marker_t il_marker;
    kv__headers_t kv;
    hh__headers_t hh;
    fw__headers_t fw;
}

struct il_metadata_t {
    bit<8> il_tenant;
    bit<8> il_hop_limit;
    bit<32> il_src;
    bit<32> il_dst;
    il_page_t il_page;
    il_memory_t il_memory;
    il_standard_metadata_t il_vsm;
    kv__metadata_t kv;
    hh__metadata_t hh;
    fw__metadata_t fw;
}

action il_adjust(inout bit<16> checksum, in bit<32> before, in bit<32> after) {
    bit<32> sum = (bit<32>)(~checksum) + (bit<32>)(~before[31:16]) + (bit<32>)(~before[15:0]) + (bit<32>)(after[31:16]) + (bit<32>)(after[15:0]);
    sum = (bit<32>)(sum[31:16]) + (bit<32>)(sum[15:0]);
    sum = (bit<32>)(sum[31:16]) + (bit<32>)(sum[15:0]);
    checksum = ~sum[15:0];
}

parser il_Parser(
    packet_in packet,
    out il_headers_t hdr,
    inout il_metadata_t meta,
    inout standard_metadata_t standard_metadata
) {
    state start {
        meta.il_tenant = 0;
        transition select(standard_metadata.ingress_port) {
            il_cpu_port: il_from_cpu;
            default: il_from_wire;
        }
    }

    state il_from_cpu {
        packet.extract(hdr.il_ethernet);
        transition select(hdr.il_ethernet.ether_type) {
            il_type_marker: il_parse_marker;
            default: accept;
        }
    }

    state il_parse_marker {
        packet.extract(hdr.il_marker);
        transition accept;
    }

    state il_from_wire {
        packet.extract(hdr.il_ethernet);
        transition select(hdr.il_ethernet.ether_type) {
            il_type_vlan: il_parse_vlan;
            default: accept;
        }
    }

    state il_parse_vlan {
        packet.extract(hdr.il_vlan);
        transition select(hdr.il_vlan.ether_type) {
            0x8100: accept;
            0x88a8: accept;
            0x9100: accept;
            0x9200: accept;
            0x9300: accept;
            default: il_admit;
        }
    }

    state il_admit {
        transition select(standard_metadata.ingress_port, hdr.il_vlan.vid) {
            (1, 100): il_admit_kv_1;
            (2, 100): il_admit_kv_2;
            (3, 200): il_admit_hh_3;
            (4, 200): il_admit_hh_4;
            (5, 300): il_admit_fw_5;
            (6, 300): il_admit_fw_6;
            default: accept;
        }
    }

    state il_admit_kv_1 {
        meta.il_vsm.ingress_port = 1;
        transition il_enter_kv;
    }

    state il_admit_kv_2 {
        meta.il_vsm.ingress_port = 2;
        transition il_enter_kv;
    }

    state il_enter_kv {
        meta.il_tenant = 1;
        meta.il_hop_limit = 0;
        meta.il_memory.asked = false;
        meta.il_memory.missed = false;
        meta.il_vsm.egress_spec = 0;
        meta.il_vsm.egress_port = 0;
        meta.il_vsm.instance_type = 0;
        meta.il_vsm.packet_length = standard_metadata.packet_length - 4;
        meta.il_vsm.enq_timestamp = 0;
        meta.il_vsm.enq_qdepth = 0;
        meta.il_vsm.deq_timedelta = 0;
        meta.il_vsm.deq_qdepth = 0;
        meta.il_vsm.ingress_global_timestamp = standard_metadata.ingress_global_timestamp;
        meta.il_vsm.egress_global_timestamp = 0;
        meta.il_vsm.mcast_grp = 0;
        meta.il_vsm.egress_rid = 0;
        meta.il_vsm.checksum_error = 0;
        meta.il_vsm.parser_error = error.NoError;
        meta.il_vsm.priority = 0;
        hdr.kv.ethernet.setValid();
        hdr.kv.ethernet.dst_addr = 0;
        hdr.kv.ethernet.src_addr = 0;
        hdr.kv.ethernet.ether_type = 0;
        hdr.kv.ethernet.setInvalid();
        hdr.kv.ipv4.setValid();
        hdr.kv.ipv4.version = 0;
        hdr.kv.ipv4.ihl = 0;
        hdr.kv.ipv4.diffserv = 0;
        hdr.kv.ipv4.total_len = 0;
        hdr.kv.ipv4.identification = 0;
        hdr.kv.ipv4.flags = 0;
        hdr.kv.ipv4.frag_offset = 0;
        hdr.kv.ipv4.ttl = 0;
        hdr.kv.ipv4.protocol = 0;
        hdr.kv.ipv4.hdr_checksum = 0;
        hdr.kv.ipv4.src_addr = 0;
        hdr.kv.ipv4.dst_addr = 0;
        hdr.kv.ipv4.setInvalid();
        hdr.kv.udp.setValid();
        hdr.kv.udp.src_port = 0;
        hdr.kv.udp.dst_port = 0;
        hdr.kv.udp.length_ = 0;
        hdr.kv.udp.checksum = 0;
        hdr.kv.udp.setInvalid();
        hdr.kv.kv.setValid();
        hdr.kv.kv.op = 0;
        hdr.kv.kv.key = 0;
        hdr.kv.kv.value = 0;
        hdr.kv.kv.setInvalid();
        meta.kv.slot = 0;
        meta.kv.stored_hi = 0;
        meta.kv.stored_lo = 0;
        meta.kv.value_hi = 0;
        meta.kv.value_lo = 0;
        meta.kv.requests = 0;
        meta.kv.asked = false;
        meta.kv.served = false;
        hdr.kv.ethernet.setValid();
        hdr.kv.ethernet.dst_addr = hdr.il_ethernet.dst;
        hdr.kv.ethernet.src_addr = hdr.il_ethernet.src;
        hdr.kv.ethernet.ether_type = hdr.il_vlan.ether_type;
        transition kv__start;
    }

    state kv__start {
        transition select(hdr.kv.ethernet.ether_type) {
            kv__TYPE_IPV4: kv__parse_ipv4;
            default: accept;
        }
    }

    state kv__parse_ipv4 {
        packet.extract(hdr.kv.ipv4);
        transition select(hdr.kv.ipv4.ihl, hdr.kv.ipv4.frag_offset, hdr.kv.ipv4.protocol) {
            (5, 0, kv__PROTO_UDP): kv__parse_udp;
            default: accept;
        }
    }

    state kv__parse_udp {
        packet.extract(hdr.kv.udp);
        transition select(hdr.kv.udp.src_port, hdr.kv.udp.dst_port) {
            (_, kv__KV_PORT): kv__parse_kv;
            (kv__KV_PORT, _): kv__parse_kv;
            default: accept;
        }
    }

    state kv__parse_kv {
        packet.extract(hdr.kv.kv);
        transition accept;
    }

    state il_admit_hh_3 {
        meta.il_vsm.ingress_port = 1;
        transition il_enter_hh;
    }

    state il_admit_hh_4 {
        meta.il_vsm.ingress_port = 2;
        transition il_enter_hh;
    }

    state il_enter_hh {
        meta.il_tenant = 2;
        meta.il_hop_limit = 0;
        meta.il_memory.asked = false;
        meta.il_memory.missed = false;
        meta.il_vsm.egress_spec = 0;
        meta.il_vsm.egress_port = 0;
        meta.il_vsm.instance_type = 0;
        meta.il_vsm.packet_length = standard_metadata.packet_length - 4;
        meta.il_vsm.enq_timestamp = 0;
        meta.il_vsm.enq_qdepth = 0;
        meta.il_vsm.deq_timedelta = 0;
        meta.il_vsm.deq_qdepth = 0;
        meta.il_vsm.ingress_global_timestamp = standard_metadata.ingress_global_timestamp;
        meta.il_vsm.egress_global_timestamp = 0;
        meta.il_vsm.mcast_grp = 0;
        meta.il_vsm.egress_rid = 0;
        meta.il_vsm.checksum_error = 0;
        meta.il_vsm.parser_error = error.NoError;
        meta.il_vsm.priority = 0;
        hdr.hh.ethernet.setValid();
        hdr.hh.ethernet.dst_addr = 0;
        hdr.hh.ethernet.src_addr = 0;
        hdr.hh.ethernet.ether_type = 0;
        hdr.hh.ethernet.setInvalid();
        hdr.hh.ipv4.setValid();
        hdr.hh.ipv4.version = 0;
        hdr.hh.ipv4.ihl = 0;
        hdr.hh.ipv4.dscp = 0;
        hdr.hh.ipv4.ecn = 0;
        hdr.hh.ipv4.total_len = 0;
        hdr.hh.ipv4.identification = 0;
        hdr.hh.ipv4.flags = 0;
        hdr.hh.ipv4.frag_offset = 0;
        hdr.hh.ipv4.ttl = 0;
        hdr.hh.ipv4.protocol = 0;
        hdr.hh.ipv4.hdr_checksum = 0;
        hdr.hh.ipv4.src_addr = 0;
        hdr.hh.ipv4.dst_addr = 0;
        hdr.hh.ipv4.setInvalid();
        hdr.hh.ports.setValid();
        hdr.hh.ports.src_port = 0;
        hdr.hh.ports.dst_port = 0;
        hdr.hh.ports.setInvalid();
        meta.hh.slot_0 = 0;
        meta.hh.slot_1 = 0;
        meta.hh.flow = 0;
        meta.hh.owner = 0;
        meta.hh.count_0 = 0;
        meta.hh.count_1 = 0;
        meta.hh.estimate = 0;
        meta.hh.threshold = 0;
        meta.hh.sampled = false;
        meta.hh.undisturbed = false;
        meta.hh.generation = 0;
        hdr.hh.ethernet.setValid();
        hdr.hh.ethernet.dst_addr = hdr.il_ethernet.dst;
        hdr.hh.ethernet.src_addr = hdr.il_ethernet.src;
        hdr.hh.ethernet.ether_type = hdr.il_vlan.ether_type;
        transition hh__start;
    }

    state hh__start {
        transition hh__parse_ethernet;
    }

    state hh__parse_ethernet {
        transition select(hdr.hh.ethernet.ether_type) {
            hh__TYPE_IPV4: hh__parse_ipv4;
            default: accept;
        }
    }

    state hh__parse_ipv4 {
        packet.extract(hdr.hh.ipv4);
        transition select(hdr.hh.ipv4.ihl, hdr.hh.ipv4.frag_offset, hdr.hh.ipv4.protocol) {
            (5, 0, hh__PROTO_TCP): hh__parse_ports;
            (5, 0, hh__PROTO_UDP): hh__parse_ports;
            default: accept;
        }
    }

    state hh__parse_ports {
        packet.extract(hdr.hh.ports);
        transition accept;
    }

    state il_admit_fw_5 {
        meta.il_vsm.ingress_port = 1;
        transition il_enter_fw;
    }

    state il_admit_fw_6 {
        meta.il_vsm.ingress_port = 2;
        transition il_enter_fw;
    }

    state il_enter_fw {
        meta.il_tenant = 3;
        meta.il_hop_limit = 0;
        meta.il_memory.asked = false;
        meta.il_memory.missed = false;
        meta.il_vsm.egress_spec = 0;
        meta.il_vsm.egress_port = 0;
        meta.il_vsm.instance_type = 0;
        meta.il_vsm.packet_length = standard_metadata.packet_length - 4;
        meta.il_vsm.enq_timestamp = 0;
        meta.il_vsm.enq_qdepth = 0;
        meta.il_vsm.deq_timedelta = 0;
        meta.il_vsm.deq_qdepth = 0;
        meta.il_vsm.ingress_global_timestamp = standard_metadata.ingress_global_timestamp;
        meta.il_vsm.egress_global_timestamp = 0;
        meta.il_vsm.mcast_grp = 0;
        meta.il_vsm.egress_rid = 0;
        meta.il_vsm.checksum_error = 0;
        meta.il_vsm.parser_error = error.NoError;
        meta.il_vsm.priority = 0;
        hdr.fw.ethernet.setValid();
        hdr.fw.ethernet.dst_addr = 0;
        hdr.fw.ethernet.src_addr = 0;
        hdr.fw.ethernet.ether_type = 0;
        hdr.fw.ethernet.setInvalid();
        hdr.fw.ipv4.setValid();
        hdr.fw.ipv4.version = 0;
        hdr.fw.ipv4.ihl = 0;
        hdr.fw.ipv4.diffserv = 0;
        hdr.fw.ipv4.total_len = 0;
        hdr.fw.ipv4.identification = 0;
        hdr.fw.ipv4.flags = 0;
        hdr.fw.ipv4.frag_offset = 0;
        hdr.fw.ipv4.ttl = 0;
        hdr.fw.ipv4.protocol = 0;
        hdr.fw.ipv4.hdr_checksum = 0;
        hdr.fw.ipv4.src_addr = 0;
        hdr.fw.ipv4.dst_addr = 0;
        hdr.fw.ipv4.setInvalid();
        hdr.fw.tcp.setValid();
        hdr.fw.tcp.src_port = 0;
        hdr.fw.tcp.dst_port = 0;
        hdr.fw.tcp.seq_no = 0;
        hdr.fw.tcp.ack_no = 0;
        hdr.fw.tcp.data_offset = 0;
        hdr.fw.tcp.reserved = 0;
        hdr.fw.tcp.cwr = 0;
        hdr.fw.tcp.ece = 0;
        hdr.fw.tcp.urg = 0;
        hdr.fw.tcp.ack = 0;
        hdr.fw.tcp.psh = 0;
        hdr.fw.tcp.rst = 0;
        hdr.fw.tcp.syn = 0;
        hdr.fw.tcp.fin = 0;
        hdr.fw.tcp.window = 0;
        hdr.fw.tcp.checksum = 0;
        hdr.fw.tcp.urgent_ptr = 0;
        hdr.fw.tcp.setInvalid();
        meta.fw.outbound = false;
        meta.fw.filtered = false;
        meta.fw.index_0 = 0;
        meta.fw.index_1 = 0;
        meta.fw.seen_0 = 0;
        meta.fw.seen_1 = 0;
        meta.fw.held_0 = false;
        meta.fw.held_1 = false;
        hdr.fw.ethernet.setValid();
        hdr.fw.ethernet.dst_addr = hdr.il_ethernet.dst;
        hdr.fw.ethernet.src_addr = hdr.il_ethernet.src;
        hdr.fw.ethernet.ether_type = hdr.il_vlan.ether_type;
        transition fw__start;
    }

    state fw__start {
        transition fw__parse_ethernet;
    }

    state fw__parse_ethernet {
        transition select(hdr.fw.ethernet.ether_type) {
            fw__TYPE_IPV4: fw__parse_ipv4;
            default: accept;
        }
    }

    state fw__parse_ipv4 {
        packet.extract(hdr.fw.ipv4);
        transition select(hdr.fw.ipv4.ihl, hdr.fw.ipv4.frag_offset, hdr.fw.ipv4.protocol) {
            (5, 0, fw__PROTO_TCP): fw__parse_tcp;
            default: accept;
        }
    }

    state fw__parse_tcp {
        verify(hdr.fw.ipv4.total_len >= 40, error.fw__TruncatedTcp);
        packet.extract(hdr.fw.tcp);
        transition accept;
    }
}

control il_Verify(inout il_headers_t hdr, inout il_metadata_t meta) {
    apply {
        verify_checksum((meta.il_tenant == 1) && (hdr.kv.ipv4.isValid() && hdr.kv.ipv4.ihl == 5), { 
            hdr.kv.ipv4.version,
            hdr.kv.ipv4.ihl,
            hdr.kv.ipv4.diffserv,
            hdr.kv.ipv4.total_len,
            hdr.kv.ipv4.identification,
            hdr.kv.ipv4.flags,
            hdr.kv.ipv4.frag_offset,
            hdr.kv.ipv4.ttl,
            hdr.kv.ipv4.protocol,
            hdr.kv.ipv4.src_addr,
            hdr.kv.ipv4.dst_addr
         }, hdr.kv.ipv4.hdr_checksum, HashAlgorithm.csum16);
        verify_checksum((meta.il_tenant == 2) && (hdr.hh.ipv4.isValid() && hdr.hh.ipv4.ihl == 5), { 
            hdr.hh.ipv4.version,
            hdr.hh.ipv4.ihl,
            hdr.hh.ipv4.dscp,
            hdr.hh.ipv4.ecn,
            hdr.hh.ipv4.total_len,
            hdr.hh.ipv4.identification,
            hdr.hh.ipv4.flags,
            hdr.hh.ipv4.frag_offset,
            hdr.hh.ipv4.ttl,
            hdr.hh.ipv4.protocol,
            hdr.hh.ipv4.src_addr,
            hdr.hh.ipv4.dst_addr
         }, hdr.hh.ipv4.hdr_checksum, HashAlgorithm.csum16);
        verify_checksum((meta.il_tenant == 3) && (hdr.fw.ipv4.isValid() && hdr.fw.ipv4.ihl == 5), { 
            hdr.fw.ipv4.version,
            hdr.fw.ipv4.ihl,
            hdr.fw.ipv4.diffserv,
            hdr.fw.ipv4.total_len,
            hdr.fw.ipv4.identification,
            hdr.fw.ipv4.flags,
            hdr.fw.ipv4.frag_offset,
            hdr.fw.ipv4.ttl,
            hdr.fw.ipv4.protocol,
            hdr.fw.ipv4.src_addr,
            hdr.fw.ipv4.dst_addr
         }, hdr.fw.ipv4.hdr_checksum, HashAlgorithm.csum16);
    }
}

control il_Ingress(
    inout il_headers_t hdr,
    inout il_metadata_t meta,
    inout standard_metadata_t standard_metadata
) {
    @name(".il_map_ingress")
    action il_map_ingress(
        bit<24> base_0,
        bit<24> size_0,
        bit<32> mask_0,
        bit<16> gen_0,
        bit<24> base_1,
        bit<24> size_1,
        bit<32> mask_1,
        bit<16> gen_1,
        bit<24> base_2,
        bit<24> size_2,
        bit<32> mask_2,
        bit<16> gen_2,
        bit<24> base_3,
        bit<24> size_3,
        bit<32> mask_3,
        bit<16> gen_3,
        bit<24> base_4,
        bit<24> size_4,
        bit<32> mask_4,
        bit<16> gen_4
    ) {
        meta.il_page.base_0 = base_0;
        meta.il_page.size_0 = size_0;
        meta.il_page.mask_0 = mask_0;
        meta.il_page.gen_0 = gen_0;
        meta.il_page.base_1 = base_1;
        meta.il_page.size_1 = size_1;
        meta.il_page.mask_1 = mask_1;
        meta.il_page.gen_1 = gen_1;
        meta.il_page.base_2 = base_2;
        meta.il_page.size_2 = size_2;
        meta.il_page.mask_2 = mask_2;
        meta.il_page.gen_2 = gen_2;
        meta.il_page.base_3 = base_3;
        meta.il_page.size_3 = size_3;
        meta.il_page.mask_3 = mask_3;
        meta.il_page.gen_3 = gen_3;
        meta.il_page.base_4 = base_4;
        meta.il_page.size_4 = size_4;
        meta.il_page.mask_4 = mask_4;
        meta.il_page.gen_4 = gen_4;
    }

    @name(".il_unmapped_ingress")
    action il_unmapped_ingress() {
        meta.il_page.base_0 = 0;
        meta.il_page.size_0 = 0;
        meta.il_page.mask_0 = 0;
        meta.il_page.gen_0 = 0;
        meta.il_page.base_1 = 0;
        meta.il_page.size_1 = 0;
        meta.il_page.mask_1 = 0;
        meta.il_page.gen_1 = 0;
        meta.il_page.base_2 = 0;
        meta.il_page.size_2 = 0;
        meta.il_page.mask_2 = 0;
        meta.il_page.gen_2 = 0;
        meta.il_page.base_3 = 0;
        meta.il_page.size_3 = 0;
        meta.il_page.mask_3 = 0;
        meta.il_page.gen_3 = 0;
        meta.il_page.base_4 = 0;
        meta.il_page.size_4 = 0;
        meta.il_page.mask_4 = 0;
        meta.il_page.gen_4 = 0;
    }

    @name(".il_page_ingress")
    table il_page_ingress {
        key = {
            hdr.il_vlan.vid : exact @name("vid");
        }
        actions = {
            il_map_ingress;
            @defaultonly il_unmapped_ingress;
        }
        const default_action = il_unmapped_ingress();
        size = 4096;
    }

    action il_refuse() {
        meta.il_vsm.egress_spec = il_drop_port;
    }

    action il_run_kv() { }

    action il_run_hh() { }

    action il_run_fw() { }

    table il_dispatch_ingress {
        key = {
            standard_metadata.ingress_port : exact @name("ingress_port");
            hdr.il_vlan.vid : exact @name("vid");
        }
        actions = {
            il_run_kv;
            il_run_hh;
            il_run_fw;
            il_refuse;
        }
        const default_action = il_refuse();
        const entries = {
            (1, 100) : il_run_kv();
            (2, 100) : il_run_kv();
            (3, 200) : il_run_hh();
            (4, 200) : il_run_hh();
            (5, 300) : il_run_fw();
            (6, 300) : il_run_fw();
        }
        size = 6;
    }

    action il_read_src_is_kv(bit<32> address) {
        hdr.kv.ipv4.src_addr = address;
    }

    table il_read_src_kv {
        key = {
            hdr.il_vlan.vid : exact @name("vid");
            hdr.kv.ipv4.src_addr : exact @name("address");
        }
        actions = {
            il_read_src_is_kv;
            il_refuse;
        }
        const default_action = il_refuse();
        const entries = {
            (100, 0xc6336401) : il_read_src_is_kv(0x0a000001);
            (100, 0xc633640b) : il_read_src_is_kv(0x0a00000b);
            (100, 0xc633640c) : il_read_src_is_kv(0x0a00000c);
            (100, 0xc633640d) : il_read_src_is_kv(0x0a00000d);
            (100, 0xc633640e) : il_read_src_is_kv(0x0a00000e);
        }
        size = 5;
    }

    action il_read_dst_is_kv(bit<32> address) {
        hdr.kv.ipv4.dst_addr = address;
    }

    table il_read_dst_kv {
        key = {
            hdr.il_vlan.vid : exact @name("vid");
            hdr.kv.ipv4.dst_addr : exact @name("address");
        }
        actions = {
            il_read_dst_is_kv;
            il_refuse;
        }
        const default_action = il_refuse();
        const entries = {
            (100, 0xc6336401) : il_read_dst_is_kv(0x0a000001);
            (100, 0xc633640b) : il_read_dst_is_kv(0x0a00000b);
            (100, 0xc633640c) : il_read_dst_is_kv(0x0a00000c);
            (100, 0xc633640d) : il_read_dst_is_kv(0x0a00000d);
            (100, 0xc633640e) : il_read_dst_is_kv(0x0a00000e);
        }
        size = 5;
    }

    kv__KvIngress() il_ingress_kv;
    hh__HhIngress() il_ingress_hh;
    fw__FwIngress() il_ingress_fw;

    action il_to_port(bit<9> port) {
        standard_metadata.egress_spec = port;
    }

    action il_drop() {
        mark_to_drop(standard_metadata);
    }

    table il_port {
        key = {
            hdr.il_vlan.vid : exact @name("vid");
            meta.il_vsm.egress_spec : exact @name("port");
        }
        actions = {
            il_to_port;
            il_drop;
        }
        const default_action = il_drop();
        const entries = {
            (100, 1) : il_to_port(1);
            (100, 2) : il_to_port(2);
            (200, 1) : il_to_port(3);
            (200, 2) : il_to_port(4);
            (300, 1) : il_to_port(5);
            (300, 2) : il_to_port(6);
        }
        size = 6;
    }

    @name(".il_admit")
    action il_admit() { }

    @name(".il_admission")
    table il_admission {
        key = {
            hdr.il_vlan.vid : exact @name("vid");
        }
        actions = {
            il_admit;
            @defaultonly il_drop;
        }
        const default_action = il_drop();
        size = 4096;
    }

    action il_forward(bit<9> port) {
        standard_metadata.egress_spec = port;
    }

    table il_l2 {
        key = {
            standard_metadata.ingress_port : exact @name("ingress_port");
            hdr.il_ethernet.dst : exact @name("dst");
        }
        actions = {
            il_forward;
            il_drop;
        }
        const default_action = il_drop();
        size = 1024;
    }

    apply {
        if (hdr.il_marker.isValid()) {
            standard_metadata.egress_spec = il_cpu_port;
        } else if (meta.il_tenant != 0) {
            if (il_admission.apply().hit) {
                meta.il_vsm.checksum_error = standard_metadata.checksum_error;
                meta.il_vsm.parser_error = standard_metadata.parser_error;
                il_page_ingress.apply();
                switch (il_dispatch_ingress.apply().action_run) {
                    il_run_kv: {
                        if (hdr.kv.ipv4.isValid()) {
                            meta.il_hop_limit = hdr.kv.ipv4.ttl;
                            meta.il_src = hdr.kv.ipv4.src_addr;
                            meta.il_dst = hdr.kv.ipv4.dst_addr;
                            il_read_src_kv.apply();
                            il_read_dst_kv.apply();
                            il_adjust(hdr.kv.ipv4.hdr_checksum, meta.il_src, hdr.kv.ipv4.src_addr);
                            il_adjust(hdr.kv.ipv4.hdr_checksum, meta.il_dst, hdr.kv.ipv4.dst_addr);
                            if (hdr.kv.ipv4.frag_offset == 0) {
                                if (hdr.kv.ipv4.protocol == 17) {
                                    if (hdr.kv.udp.isValid()) {
                                        if (hdr.kv.udp.checksum != 0) {
                                            il_adjust(
                                                hdr.kv.udp.checksum,
                                                meta.il_src,
                                                hdr.kv.ipv4.src_addr
                                            );
                                            il_adjust(
                                                hdr.kv.udp.checksum,
                                                meta.il_dst,
                                                hdr.kv.ipv4.dst_addr
                                            );
                                            if (hdr.kv.udp.checksum == 0) {
                                                hdr.kv.udp.checksum = 0xffff;
                                            }
                                        }
                                    } else {
                                        il_refuse();
                                    }
                                }
                                if (hdr.kv.ipv4.protocol == 6) {
                                    il_refuse();
                                }
                            }
                        }
                        if (meta.il_vsm.egress_spec != il_drop_port) {
                            il_ingress_kv.apply(
                                hdr.kv,
                                meta.kv,
                                meta.il_vsm,
                                meta.il_page,
                                meta.il_memory
                            );
                            meta.il_memory.asked = meta.kv.asked;
                            meta.il_memory.missed = !meta.kv.served;
                        }
                    }
                    il_run_hh: {
                        if (hdr.hh.ipv4.isValid()) {
                            meta.il_hop_limit = hdr.hh.ipv4.ttl;
                        }
                        if (meta.il_vsm.egress_spec != il_drop_port) {
                            meta.hh.generation = meta.il_page.gen_1;
                            il_ingress_hh.apply(
                                hdr.hh,
                                meta.hh,
                                meta.il_vsm,
                                meta.il_page,
                                meta.il_memory
                            );
                            meta.il_memory.asked = meta.hh.sampled;
                            meta.il_memory.missed = !meta.hh.undisturbed;
                        }
                    }
                    il_run_fw: {
                        if (hdr.fw.ipv4.isValid()) {
                            meta.il_hop_limit = hdr.fw.ipv4.ttl;
                        }
                        if (meta.il_vsm.egress_spec != il_drop_port) {
                            il_ingress_fw.apply(
                                hdr.fw,
                                meta.fw,
                                meta.il_vsm,
                                meta.il_page,
                                meta.il_memory
                            );
                        }
                    }
                }
                if (meta.il_memory.asked) {
                    il_packets.count((bit<32>)hdr.il_vlan.vid);
                    if (!meta.il_memory.missed) {
                        il_hits.count((bit<32>)hdr.il_vlan.vid);
                    }
                }
                il_port.apply();
            }
        } else if (standard_metadata.ingress_port == il_cpu_port || !hdr.il_ethernet.isValid()) {
            il_drop();
        } else {
            il_l2.apply();
        }
    }
}

control il_Egress(
    inout il_headers_t hdr,
    inout il_metadata_t meta,
    inout standard_metadata_t standard_metadata
) {
    action il_refuse() {
        meta.il_vsm.egress_spec = il_drop_port;
    }

    action il_run_kv() { }

    action il_run_hh() { }

    action il_run_fw() { }

    table il_dispatch_egress {
        key = {
            standard_metadata.ingress_port : exact @name("ingress_port");
            hdr.il_vlan.vid : exact @name("vid");
        }
        actions = {
            il_run_kv;
            il_run_hh;
            il_run_fw;
            il_refuse;
        }
        const default_action = il_refuse();
        const entries = {
            (1, 100) : il_run_kv();
            (2, 100) : il_run_kv();
            (3, 200) : il_run_hh();
            (4, 200) : il_run_hh();
            (5, 300) : il_run_fw();
            (6, 300) : il_run_fw();
        }
        size = 6;
    }

    action il_write_src_is_kv(bit<32> address) {
        hdr.kv.ipv4.src_addr = address;
    }

    table il_write_src_kv {
        key = {
            hdr.il_vlan.vid : exact @name("vid");
            hdr.kv.ipv4.src_addr : exact @name("address");
        }
        actions = {
            il_write_src_is_kv;
            il_refuse;
        }
        const default_action = il_refuse();
        const entries = {
            (100, 0x0a000001) : il_write_src_is_kv(0xc6336401);
            (100, 0x0a00000b) : il_write_src_is_kv(0xc633640b);
            (100, 0x0a00000c) : il_write_src_is_kv(0xc633640c);
            (100, 0x0a00000d) : il_write_src_is_kv(0xc633640d);
            (100, 0x0a00000e) : il_write_src_is_kv(0xc633640e);
        }
        size = 5;
    }

    action il_write_dst_is_kv(bit<32> address) {
        hdr.kv.ipv4.dst_addr = address;
    }

    table il_write_dst_kv {
        key = {
            hdr.il_vlan.vid : exact @name("vid");
            hdr.kv.ipv4.dst_addr : exact @name("address");
        }
        actions = {
            il_write_dst_is_kv;
            il_refuse;
        }
        const default_action = il_refuse();
        const entries = {
            (100, 0x0a000001) : il_write_dst_is_kv(0xc6336401);
            (100, 0x0a00000b) : il_write_dst_is_kv(0xc633640b);
            (100, 0x0a00000c) : il_write_dst_is_kv(0xc633640c);
            (100, 0x0a00000d) : il_write_dst_is_kv(0xc633640d);
            (100, 0x0a00000e) : il_write_dst_is_kv(0xc633640e);
        }
        size = 5;
    }

    kv__KvEgress() il_egress_kv;
    hh__HhEgress() il_egress_hh;
    fw__FwEgress() il_egress_fw;

    apply {
        if (meta.il_tenant != 0) {
            meta.il_vsm.egress_port = meta.il_vsm.egress_spec;
            meta.il_vsm.egress_spec = 0;
            meta.il_vsm.enq_timestamp = standard_metadata.enq_timestamp;
            meta.il_vsm.enq_qdepth = standard_metadata.enq_qdepth;
            meta.il_vsm.deq_timedelta = standard_metadata.deq_timedelta;
            meta.il_vsm.deq_qdepth = standard_metadata.deq_qdepth;
            meta.il_vsm.egress_global_timestamp = standard_metadata.egress_global_timestamp;
            switch (il_dispatch_egress.apply().action_run) {
                il_run_kv: {
                    il_egress_kv.apply(hdr.kv, meta.kv, meta.il_vsm);
                    if (hdr.kv.ethernet.isValid()) {
                        hdr.il_ethernet.dst = hdr.kv.ethernet.dst_addr;
                        hdr.il_ethernet.src = hdr.kv.ethernet.src_addr;
                        hdr.il_vlan.ether_type = hdr.kv.ethernet.ether_type;
                    } else {
                        il_refuse();
                    }
                    if (hdr.kv.ipv4.isValid()) {
                        meta.il_src = hdr.kv.ipv4.src_addr;
                        meta.il_dst = hdr.kv.ipv4.dst_addr;
                        il_write_src_kv.apply();
                        il_write_dst_kv.apply();
                        il_adjust(hdr.kv.ipv4.hdr_checksum, meta.il_src, hdr.kv.ipv4.src_addr);
                        il_adjust(hdr.kv.ipv4.hdr_checksum, meta.il_dst, hdr.kv.ipv4.dst_addr);
                        if (hdr.kv.ipv4.frag_offset == 0) {
                            if (hdr.kv.ipv4.protocol == 17) {
                                if (hdr.kv.udp.isValid()) {
                                    if (hdr.kv.udp.checksum != 0) {
                                        il_adjust(
                                            hdr.kv.udp.checksum,
                                            meta.il_src,
                                            hdr.kv.ipv4.src_addr
                                        );
                                        il_adjust(
                                            hdr.kv.udp.checksum,
                                            meta.il_dst,
                                            hdr.kv.ipv4.dst_addr
                                        );
                                        if (hdr.kv.udp.checksum == 0) {
                                            hdr.kv.udp.checksum = 0xffff;
                                        }
                                    }
                                } else {
                                    il_refuse();
                                }
                            }
                            if (hdr.kv.ipv4.protocol == 6) {
                                il_refuse();
                            }
                        }
                        if (hdr.kv.ipv4.ttl < meta.il_hop_limit) {
                            meta.il_hop_limit = hdr.kv.ipv4.ttl;
                        }
                        if (meta.il_hop_limit <= 1) {
                            il_refuse();
                        } else {
                            meta.il_hop_limit = meta.il_hop_limit - 1;
                            il_adjust(
                                hdr.kv.ipv4.hdr_checksum,
                                16w0 ++ hdr.kv.ipv4.ttl ++ hdr.kv.ipv4.protocol,
                                16w0 ++ meta.il_hop_limit ++ hdr.kv.ipv4.protocol
                            );
                            hdr.kv.ipv4.ttl = meta.il_hop_limit;
                        }
                    }
                }
                il_run_hh: {
                    il_egress_hh.apply(hdr.hh, meta.hh, meta.il_vsm);
                    if (hdr.hh.ethernet.isValid()) {
                        hdr.il_ethernet.dst = hdr.hh.ethernet.dst_addr;
                        hdr.il_ethernet.src = hdr.hh.ethernet.src_addr;
                        hdr.il_vlan.ether_type = hdr.hh.ethernet.ether_type;
                    } else {
                        il_refuse();
                    }
                    if (hdr.hh.ipv4.isValid()) {
                        if (hdr.hh.ipv4.ttl < meta.il_hop_limit) {
                            meta.il_hop_limit = hdr.hh.ipv4.ttl;
                        }
                        if (meta.il_hop_limit <= 1) {
                            il_refuse();
                        } else {
                            meta.il_hop_limit = meta.il_hop_limit - 1;
                            il_adjust(
                                hdr.hh.ipv4.hdr_checksum,
                                16w0 ++ hdr.hh.ipv4.ttl ++ hdr.hh.ipv4.protocol,
                                16w0 ++ meta.il_hop_limit ++ hdr.hh.ipv4.protocol
                            );
                            hdr.hh.ipv4.ttl = meta.il_hop_limit;
                        }
                    }
                }
                il_run_fw: {
                    il_egress_fw.apply(hdr.fw, meta.fw, meta.il_vsm);
                    if (hdr.fw.ethernet.isValid()) {
                        hdr.il_ethernet.dst = hdr.fw.ethernet.dst_addr;
                        hdr.il_ethernet.src = hdr.fw.ethernet.src_addr;
                        hdr.il_vlan.ether_type = hdr.fw.ethernet.ether_type;
                    } else {
                        il_refuse();
                    }
                    if (hdr.fw.ipv4.isValid()) {
                        if (hdr.fw.ipv4.ttl < meta.il_hop_limit) {
                            meta.il_hop_limit = hdr.fw.ipv4.ttl;
                        }
                        if (meta.il_hop_limit <= 1) {
                            il_refuse();
                        } else {
                            meta.il_hop_limit = meta.il_hop_limit - 1;
                            il_adjust(
                                hdr.fw.ipv4.hdr_checksum,
                                16w0 ++ hdr.fw.ipv4.ttl ++ hdr.fw.ipv4.protocol,
                                16w0 ++ meta.il_hop_limit ++ hdr.fw.ipv4.protocol
                            );
                            hdr.fw.ipv4.ttl = meta.il_hop_limit;
                        }
                    }
                }
            }
            if (meta.il_vsm.egress_spec == il_drop_port || hdr.il_vlan.ether_type == 0x8100 || hdr.il_vlan.ether_type == 0x88a8 || hdr.il_vlan.ether_type == 0x9100 || hdr.il_vlan.ether_type == 0x9200 || hdr.il_vlan.ether_type == 0x9300) {
                mark_to_drop(standard_metadata);
            }
        }
    }
}

control il_Compute(inout il_headers_t hdr, inout il_metadata_t meta) {
    apply {
        update_checksum((meta.il_tenant == 1) && (hdr.kv.ipv4.isValid() && hdr.kv.ipv4.ihl == 5), { 
            hdr.kv.ipv4.version,
            hdr.kv.ipv4.ihl,
            hdr.kv.ipv4.diffserv,
            hdr.kv.ipv4.total_len,
            hdr.kv.ipv4.identification,
            hdr.kv.ipv4.flags,
            hdr.kv.ipv4.frag_offset,
            hdr.kv.ipv4.ttl,
            hdr.kv.ipv4.protocol,
            hdr.kv.ipv4.src_addr,
            hdr.kv.ipv4.dst_addr
         }, hdr.kv.ipv4.hdr_checksum, HashAlgorithm.csum16);
        update_checksum((meta.il_tenant == 2) && (hdr.hh.ipv4.isValid() && hdr.hh.ipv4.ihl == 5), { 
            hdr.hh.ipv4.version,
            hdr.hh.ipv4.ihl,
            hdr.hh.ipv4.dscp,
            hdr.hh.ipv4.ecn,
            hdr.hh.ipv4.total_len,
            hdr.hh.ipv4.identification,
            hdr.hh.ipv4.flags,
            hdr.hh.ipv4.frag_offset,
            hdr.hh.ipv4.ttl,
            hdr.hh.ipv4.protocol,
            hdr.hh.ipv4.src_addr,
            hdr.hh.ipv4.dst_addr
         }, hdr.hh.ipv4.hdr_checksum, HashAlgorithm.csum16);
        update_checksum((meta.il_tenant == 3) && (hdr.fw.ipv4.isValid() && hdr.fw.ipv4.ihl == 5), { 
            hdr.fw.ipv4.version,
            hdr.fw.ipv4.ihl,
            hdr.fw.ipv4.diffserv,
            hdr.fw.ipv4.total_len,
            hdr.fw.ipv4.identification,
            hdr.fw.ipv4.flags,
            hdr.fw.ipv4.frag_offset,
            hdr.fw.ipv4.ttl,
            hdr.fw.ipv4.protocol,
            hdr.fw.ipv4.src_addr,
            hdr.fw.ipv4.dst_addr
         }, hdr.fw.ipv4.hdr_checksum, HashAlgorithm.csum16);
    }
}

control il_Deparser(packet_out packet, in il_headers_t hdr) {
    apply {
        packet.emit(hdr.il_ethernet);
        packet.emit(hdr.il_vlan);
        packet.emit(hdr.kv.ipv4);
        packet.emit(hdr.kv.udp);
        packet.emit(hdr.kv.kv);
        packet.emit(hdr.hh.ipv4);
        packet.emit(hdr.hh.ports);
        packet.emit(hdr.fw.ipv4);
        packet.emit(hdr.fw.tcp);
        packet.emit(hdr.il_marker);
    }
}

V1Switch(il_Parser(), il_Verify(), il_Ingress(), il_Egress(), il_Compute(), il_Deparser()) main;
