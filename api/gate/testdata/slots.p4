// A switch whose tenants do nothing but use their slots: the smallest program with page tables, stage arrays and fences as the
// linker makes them. A tagged packet asks for one access: write a value at a virtual index of a stage, or read it. The answer
// goes out on port 2 and says what was there, whether it was a hit, and the generation.
#include <core.p4>
#include <v1model.p4>

header il_ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> type;
}

header il_vlan_t {
    bit<3>  pcp;
    bit<1>  dei;
    bit<12> vid;
    bit<16> type;
}

header il_marker_t {
    bit<64> nonce;
}

header ask_t {
    bit<8>  op;     // 1 writes
    bit<8>  stage;
    bit<32> index;
    bit<32> value;
    bit<8>  hit;
    bit<16> generation;
}

struct il_headers_t {
    il_ethernet_t il_ethernet;
    il_vlan_t     il_vlan;
    il_marker_t   il_marker;
    ask_t         ask;
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

struct il_metadata_t {
    il_page_t il_page;
}

@name(".il_stage_ingress_0") register<bit<32>>(48) il_stage_ingress_0;
@name(".il_stage_ingress_1") register<bit<32>>(32) il_stage_ingress_1;

parser il_Parser(packet_in pkt, out il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t sm) {
    state start {
        pkt.extract(hdr.il_ethernet);
        transition select(sm.ingress_port, hdr.il_ethernet.type) {
            (510, 0x88B5): marker;
            (1, 0x8100): tag;
            default: accept;
        }
    }
    state marker {
        pkt.extract(hdr.il_marker);
        transition accept;
    }
    state tag {
        pkt.extract(hdr.il_vlan);
        pkt.extract(hdr.ask);
        transition accept;
    }
}

control il_Verify(inout il_headers_t hdr, inout il_metadata_t meta) {
    apply {}
}

control il_Ingress(inout il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t sm) {
    @name(".il_map_ingress")
    action il_map_ingress(bit<24> base_0, bit<24> size_0, bit<32> mask_0, bit<16> gen_0,
                          bit<24> base_1, bit<24> size_1, bit<32> mask_1, bit<16> gen_1) {
        meta.il_page.base_0 = base_0;
        meta.il_page.size_0 = size_0;
        meta.il_page.mask_0 = mask_0;
        meta.il_page.gen_0 = gen_0;
        meta.il_page.base_1 = base_1;
        meta.il_page.size_1 = size_1;
        meta.il_page.mask_1 = mask_1;
        meta.il_page.gen_1 = gen_1;
    }
    @name(".il_unmapped_ingress")
    action il_unmapped_ingress() {
        meta.il_page.size_0 = 0;
        meta.il_page.size_1 = 0;
    }
    @name(".il_page_ingress")
    table il_page_ingress {
        key = {
            hdr.il_vlan.vid: exact @name("vid");
        }
        actions = {
            il_map_ingress;
            @defaultonly il_unmapped_ingress;
        }
        const default_action = il_unmapped_ingress();
        size = 16;
    }
    apply {
        if (hdr.il_marker.isValid()) {
            sm.egress_spec = 510;
            return;
        }
        if (!hdr.ask.isValid()) {
            mark_to_drop(sm);
            return;
        }
        il_page_ingress.apply();
        sm.egress_spec = 2;
        hdr.ask.hit = 0;
        bit<32> found = 0;
        if (hdr.ask.stage == 0) {
            bit<32> v = hdr.ask.index & meta.il_page.mask_0;
            hdr.ask.generation = meta.il_page.gen_0;
            if (v < (bit<32>)meta.il_page.size_0) {
                hdr.ask.hit = 1;
                il_stage_ingress_0.read(found, (bit<32>)meta.il_page.base_0 + v);
                if (hdr.ask.op == 1) {
                    il_stage_ingress_0.write((bit<32>)meta.il_page.base_0 + v, hdr.ask.value);
                }
            }
        } else {
            bit<32> v = hdr.ask.index & meta.il_page.mask_1;
            hdr.ask.generation = meta.il_page.gen_1;
            if (v < (bit<32>)meta.il_page.size_1) {
                hdr.ask.hit = 1;
                il_stage_ingress_1.read(found, (bit<32>)meta.il_page.base_1 + v);
                if (hdr.ask.op == 1) {
                    il_stage_ingress_1.write((bit<32>)meta.il_page.base_1 + v, hdr.ask.value);
                }
            }
        }
        hdr.ask.value = found;
    }
}

control il_Egress(inout il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t sm) {
    apply {}
}

control il_Compute(inout il_headers_t hdr, inout il_metadata_t meta) {
    apply {}
}

control il_Deparser(packet_out pkt, in il_headers_t hdr) {
    apply {
        pkt.emit(hdr.il_ethernet);
        pkt.emit(hdr.il_vlan);
        pkt.emit(hdr.il_marker);
        pkt.emit(hdr.ask);
    }
}

V1Switch(il_Parser(), il_Verify(), il_Ingress(), il_Egress(), il_Compute(), il_Deparser()) main;
