#include <core.p4>
#include <v1model.p4>

// A linked program of two tenants, written by hand to the ABI: kv (VID 100, port 1 and 2) is a cache with a virtual register,
// hh (VID 200, port 3) hashes flows into a folded one and counts packets in a register of its own.

header il_ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> etherType;
}

header il_vlan_t {
    bit<3>  pcp;
    bit<1>  dei;
    bit<12> vid;
    bit<16> etherType;
}

header il_marker_t {
    bit<64> nonce;
}

header kv__ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> etherType;
}

header kv__cache_t {
    bit<8>  op;
    bit<32> key;
    bit<32> value;
}

struct kv__headers_t {
    kv__ethernet_t kv__eth;
    kv__cache_t    kv__cache;
}

struct kv__metadata_t {
    bit<1>  hit;
    bit<32> index;
}

header hh__ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> etherType;
}

header hh__label_t {
    bit<20> label;
    bit<3>  exp;
    bit<1>  bottom;
    bit<8>  ttl;
}

header hh__ipv4_t {
    bit<8>  verihl;
    bit<8>  tos;
    bit<16> len;
    bit<32> mid;
    bit<8>  ttl;
    bit<8>  proto;
    bit<16> csum;
    bit<32> src;
    bit<32> dst;
}

struct hh__headers_t {
    hh__ethernet_t hh__eth;
    hh__label_t[3] hh__labels;
    hh__ipv4_t     hh__ipv4;
}

struct hh__metadata_t {
    bit<1>  hit;
    bit<32> flow;
    bit<32> count;
}

struct il_standard_metadata_t {
    bit<9>  ingress_port;
    bit<9>  egress_spec;
    bit<9>  egress_port;
    bit<32> instance_type;
    bit<32> packet_length;
    bit<16> mcast_grp;
    error   parser_error;
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
}

struct il_headers_t {
    il_ethernet_t il_ethernet;
    il_vlan_t     il_vlan;
    il_marker_t   il_marker;
    kv__headers_t kv;
    hh__headers_t hh;
}

struct il_metadata_t {
    bit<8>                 il_tenant;
    il_page_t              il_page;
    il_standard_metadata_t il_vsm;
    bit<1>                 il_hit;
    kv__metadata_t         kv;
    hh__metadata_t         hh;
}

register<bit<32>>(1024) il_stage_ingress_0;
register<bit<32>>(1024) il_stage_ingress_1;
register<bit<32>>(64) hh__total;
counter(4096, CounterType.packets) il_packets;
counter(4096, CounterType.packets) il_hits;

parser il_Parser(packet_in packet, out il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t standard_metadata) {
    state start {
        meta.il_tenant = 0;
        meta.il_hit = 0;
        standard_metadata.egress_spec = 511;
        transition select(standard_metadata.ingress_port) {
            510: il_cpu;
            default: il_ethernet;
        }
    }
    state il_cpu {
        packet.extract(hdr.il_ethernet);
        transition select(hdr.il_ethernet.etherType) {
            0x88b5: il_marker;
            default: accept;
        }
    }
    state il_marker {
        packet.extract(hdr.il_marker);
        transition accept;
    }
    state il_ethernet {
        packet.extract(hdr.il_ethernet);
        transition select(hdr.il_ethernet.etherType) {
            0x8100: il_vlan;
            default: accept;
        }
    }
    state il_vlan {
        packet.extract(hdr.il_vlan);
        transition select(standard_metadata.ingress_port, hdr.il_vlan.vid, hdr.il_vlan.etherType) {
            (_, _, 0x8100): accept;
            (_, _, 0x88a8): accept;
            (_, _, 0x9100): accept;
            (_, _, 0x9200): accept;
            (_, _, 0x9300): accept;
            (1, 100, _): il_enter_kv;
            (2, 100, _): il_enter_kv;
            (3, 200, _): il_enter_hh;
            default: accept;
        }
    }
    state il_enter_kv {
        meta.il_tenant = 1;
        hdr.kv.kv__eth.setValid();
        hdr.kv.kv__eth.dst = hdr.il_ethernet.dst;
        hdr.kv.kv__eth.src = hdr.il_ethernet.src;
        hdr.kv.kv__eth.etherType = hdr.il_vlan.etherType;
        hdr.kv.kv__cache.op = 0;
        hdr.kv.kv__cache.key = 0;
        hdr.kv.kv__cache.value = 0;
        meta.kv = { 0, 0 };
        meta.il_vsm.ingress_port = standard_metadata.ingress_port;
        meta.il_vsm.egress_spec = 0;
        meta.il_vsm.packet_length = standard_metadata.packet_length - 4;
        transition kv__start;
    }
    state kv__start {
        transition select(hdr.kv.kv__eth.etherType) {
            0x1234: kv__parse_cache;
            default: accept;
        }
    }
    state kv__parse_cache {
        packet.extract(hdr.kv.kv__cache);
        transition accept;
    }
    state il_enter_hh {
        meta.il_tenant = 2;
        hdr.hh.hh__eth.setValid();
        hdr.hh.hh__eth.dst = hdr.il_ethernet.dst;
        hdr.hh.hh__eth.src = hdr.il_ethernet.src;
        hdr.hh.hh__eth.etherType = hdr.il_vlan.etherType;
        meta.hh = { 0, 0, 0 };
        meta.il_vsm.ingress_port = 0;
        meta.il_vsm.egress_spec = 0;
        meta.il_vsm.packet_length = standard_metadata.packet_length - 4;
        transition hh__start;
    }
    state hh__start {
        transition select(hdr.hh.hh__eth.etherType) {
            0x8847: hh__parse_label;
            0x800: hh__parse_ipv4;
            default: accept;
        }
    }
    state hh__parse_label {
        packet.extract(hdr.hh.hh__labels.next);
        transition select(hdr.hh.hh__labels.last.bottom) {
            0: hh__parse_label;
            1: hh__parse_ipv4;
        }
    }
    state hh__parse_ipv4 {
        packet.extract(hdr.hh.hh__ipv4);
        verify(hdr.hh.hh__ipv4.verihl == 0x45, error.ParserInvalidArgument);
        transition accept;
    }
}

control il_Verify(inout il_headers_t hdr, inout il_metadata_t meta) {
    apply {
        verify_checksum(meta.il_tenant == 2 && hdr.hh.hh__ipv4.isValid(), { hdr.hh.hh__ipv4.ttl, hdr.hh.hh__ipv4.proto }, hdr.hh.hh__ipv4.csum, HashAlgorithm.csum16);
    }
}

control kv__Ingress(inout kv__headers_t hdr, inout kv__metadata_t meta, inout il_standard_metadata_t sm, in il_page_t page) {
    bit<32> kv__tmp;
    action kv__miss() {
        meta.hit = 0;
    }
    action kv__slot(bit<32> index) {
        meta.hit = 1;
        meta.index = index;
    }
    table kv__index {
        key = { hdr.kv__cache.key: exact; }
        actions = { kv__slot; kv__miss; }
        default_action = kv__miss();
        size = 1024;
    }
    action kv__forward(bit<9> port) {
        sm.egress_spec = port;
    }
    action kv__drop() {
        sm.egress_spec = 511;
    }
    table kv__l2 {
        key = { hdr.kv__eth.dst: exact; }
        actions = { kv__forward; kv__drop; }
        const default_action = kv__drop();
    }
    apply {
        kv__l2.apply();
        if (hdr.kv__cache.isValid()) {
            switch (kv__index.apply().action_run) {
                kv__slot: {
                    bit<32> v = meta.index & page.mask_0;
                    if (hdr.kv__cache.op == 0) {
                        if (v < (bit<32>)page.size_0) {
                            il_stage_ingress_0.read(kv__tmp, (bit<32>)page.base_0 + v);
                            hdr.kv__cache.value = kv__tmp;
                        } else {
                            hdr.kv__cache.value = 0;
                            meta.hit = 0;
                        }
                    } else {
                        if (v < (bit<32>)page.size_0) {
                            il_stage_ingress_0.write((bit<32>)page.base_0 + v, hdr.kv__cache.value);
                        }
                    }
                }
                default: {
                    return;
                }
            }
            hdr.kv__cache.op = hdr.kv__cache.op + 1;
        }
    }
}

control hh__Ingress(inout hh__headers_t hdr, inout hh__metadata_t meta, inout il_standard_metadata_t sm, in il_page_t page) {
    direct_counter(CounterType.packets) hh__count;
    action hh__forward(bit<9> port) {
        hh__count.count();
        sm.egress_spec = port;
    }
    action hh__drop() {
        hh__count.count();
        sm.egress_spec = 511;
    }
    table hh__route {
        key = { hdr.hh__ipv4.dst: lpm; }
        actions = { hh__forward; @defaultonly hh__drop; }
        default_action = hh__drop();
        counters = hh__count;
    }
    apply {
        if (!hdr.hh__ipv4.isValid()) {
            sm.egress_spec = 511;
        } else if (hh__route.apply().hit) {
            hash(meta.flow, HashAlgorithm.crc32, 32w0, { hdr.hh__ipv4.src, hdr.hh__ipv4.dst }, 32w65536);
            bit<32> v = meta.flow & page.mask_1;
            meta.hit = 0;
            if (v < (bit<32>)page.size_1) {
                il_stage_ingress_1.read(meta.count, (bit<32>)page.base_1 + v);
                meta.count = meta.count + 1;
                il_stage_ingress_1.write((bit<32>)page.base_1 + v, meta.count);
                meta.hit = 1;
            }
            bit<32> all;
            hh__total.read(all, (bit<32>)hdr.hh__ipv4.tos[5:0]);
            hh__total.write((bit<32>)hdr.hh__ipv4.tos[5:0], all + 1);
            hdr.hh__ipv4.ttl = hdr.hh__ipv4.ttl |-| 1;
            hdr.hh__labels.pop_front(1);
        }
    }
}

control il_Ingress(inout il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t standard_metadata) {
    kv__Ingress() kv__ingress;
    hh__Ingress() hh__ingress;

    @name(".il_map_ingress")
    action il_map_ingress(bit<24> base_0, bit<24> size_0, bit<32> mask_0, bit<16> gen_0, bit<24> base_1, bit<24> size_1, bit<32> mask_1, bit<16> gen_1) {
        meta.il_page.base_0 = base_0;
        meta.il_page.size_0 = size_0;
        meta.il_page.mask_0 = mask_0;
        meta.il_page.gen_0 = gen_0;
        meta.il_page.base_1 = base_1;
        meta.il_page.size_1 = size_1;
        meta.il_page.mask_1 = mask_1;
        meta.il_page.gen_1 = gen_1;
    }
    action il_unmapped() {
        meta.il_page.size_0 = 0;
        meta.il_page.size_1 = 0;
    }
    @name(".il_page_ingress")
    table il_page_ingress {
        key = { hdr.il_vlan.vid: exact @name("vid"); }
        actions = { il_map_ingress; @defaultonly il_unmapped; }
        const default_action = il_unmapped();
        size = 4096;
    }

    action il_to_kv() { }
    action il_to_hh() { }
    action il_to_system() { }
    table il_dispatch_ingress {
        key = {
            standard_metadata.ingress_port: exact;
            hdr.il_vlan.vid: exact;
        }
        actions = { il_to_kv; il_to_hh; @defaultonly il_to_system; }
        const default_action = il_to_system();
        const entries = {
            (1, 100): il_to_kv();
            (2, 100): il_to_kv();
            (3, 200): il_to_hh();
        }
    }

    action il_drop() {
        standard_metadata.egress_spec = 511;
    }
    action il_port(bit<9> port) {
        standard_metadata.egress_spec = port;
    }
    table il_ports {
        key = {
            hdr.il_vlan.vid: exact;
            meta.il_vsm.egress_spec: exact;
        }
        actions = { il_port; @defaultonly il_drop; }
        const default_action = il_drop();
        const entries = {
            (100, 0): il_port(1);
            (100, 1): il_port(2);
            (200, 0): il_port(3);
        }
    }
    @name(".il_admit")
    action il_admit() { }
    @name(".il_admission")
    table il_admission {
        key = { hdr.il_vlan.vid : exact @name("vid"); }
        actions = { il_admit; @defaultonly il_drop; }
        const default_action = il_drop();
        size = 4096;
    }
    table il_l2 {
        key = { hdr.il_ethernet.dst: exact; }
        actions = { il_port; il_drop; }
        const default_action = il_drop();
    }

    apply {
        if (standard_metadata.ingress_port == 510) {
            if (hdr.il_marker.isValid()) {
                standard_metadata.egress_spec = 510;
            } else {
                il_drop();
            }
        } else if (meta.il_tenant == 0) {
            if (hdr.il_ethernet.isValid()) { il_l2.apply(); }
        } else if (il_admission.apply().hit) {
            il_page_ingress.apply();
            switch (il_dispatch_ingress.apply().action_run) {
                il_to_kv: {
                    kv__ingress.apply(hdr.kv, meta.kv, meta.il_vsm, meta.il_page);
                    meta.il_hit = meta.kv.hit;
                    hdr.il_ethernet.dst = hdr.kv.kv__eth.dst;
                    hdr.il_ethernet.src = hdr.kv.kv__eth.src;
                    hdr.il_vlan.etherType = hdr.kv.kv__eth.etherType;
                }
                il_to_hh: {
                    hh__ingress.apply(hdr.hh, meta.hh, meta.il_vsm, meta.il_page);
                    meta.il_hit = meta.hh.hit;
                    hdr.il_ethernet.dst = hdr.hh.hh__eth.dst;
                    hdr.il_ethernet.src = hdr.hh.hh__eth.src;
                    hdr.il_vlan.etherType = hdr.hh.hh__eth.etherType;
                }
            }
            if (hdr.il_vlan.etherType == 0x8100 || hdr.il_vlan.etherType == 0x88a8 || hdr.il_vlan.etherType == 0x9100 || hdr.il_vlan.etherType == 0x9200 || hdr.il_vlan.etherType == 0x9300) {
                meta.il_vsm.egress_spec = 511;
            }
            il_ports.apply();
            il_packets.count((bit<32>)hdr.il_vlan.vid);
            if (meta.il_hit == 1) {
                il_hits.count((bit<32>)hdr.il_vlan.vid);
            }
        }
    }
}

control il_Egress(inout il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t standard_metadata) {
    apply {
        standard_metadata.egress_spec = 0;
    }
}

control il_Compute(inout il_headers_t hdr, inout il_metadata_t meta) {
    apply {
        update_checksum(meta.il_tenant == 2 && hdr.hh.hh__ipv4.isValid(), { hdr.hh.hh__ipv4.ttl, hdr.hh.hh__ipv4.proto }, hdr.hh.hh__ipv4.csum, HashAlgorithm.csum16);
    }
}

control il_Deparser(packet_out packet, in il_headers_t hdr) {
    apply {
        packet.emit(hdr.il_ethernet);
        packet.emit(hdr.il_vlan);
        packet.emit(hdr.kv.kv__cache);
        packet.emit(hdr.hh.hh__labels);
        packet.emit(hdr.hh.hh__ipv4);
        packet.emit(hdr.il_marker);
    }
}

V1Switch(il_Parser(), il_Verify(), il_Ingress(), il_Egress(), il_Compute(), il_Deparser()) main;
