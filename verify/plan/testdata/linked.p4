// What plans are about, and no more: stage arrays and page tables as the linker names them (specs/abi.go), two stages in ingress
// and one in egress. No tenant code.
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

struct il_headers_t {
    il_ethernet_t il_ethernet;
    il_vlan_t     il_vlan;
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

@id(0x16000010) @name(".il_stage_ingress_0") register<bit<32>>(65536) il_stage_ingress_0;
@id(0x16000011) @name(".il_stage_ingress_1") register<bit<32>>(4096) il_stage_ingress_1;
@id(0x16000020) @name(".il_stage_egress_0") register<bit<32>>(8192) il_stage_egress_0;

parser il_Parser(packet_in pkt, out il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t sm) {
    state start {
        pkt.extract(hdr.il_ethernet);
        transition select(hdr.il_ethernet.type) {
            0x8100: tag;
            default: accept;
        }
    }
    state tag {
        pkt.extract(hdr.il_vlan);
        transition accept;
    }
}

control il_Verify(inout il_headers_t hdr, inout il_metadata_t meta) {
    apply {}
}

control il_Ingress(inout il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t sm) {
    @id(0x01000001) @name(".il_map_ingress")
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
    @id(0x02000001) @name(".il_page_ingress")
    table il_page_ingress {
        key = {
            hdr.il_vlan.vid: exact @name("vid");
        }
        actions = {
            il_map_ingress;
            @defaultonly il_unmapped_ingress;
        }
        const default_action = il_unmapped_ingress();
        size = 4096;
    }
    apply {
        il_page_ingress.apply();
    }
}

control il_Egress(inout il_headers_t hdr, inout il_metadata_t meta, inout standard_metadata_t sm) {
    @id(0x01000002) @name(".il_map_egress")
    action il_map_egress(bit<24> base_0, bit<24> size_0, bit<32> mask_0, bit<16> gen_0) {
        meta.il_page.base_0 = base_0;
        meta.il_page.size_0 = size_0;
        meta.il_page.mask_0 = mask_0;
        meta.il_page.gen_0 = gen_0;
    }
    @name(".il_unmapped_egress")
    action il_unmapped_egress() {
        meta.il_page.size_0 = 0;
    }
    @id(0x02000002) @name(".il_page_egress")
    table il_page_egress {
        key = {
            hdr.il_vlan.vid: exact @name("vid");
        }
        actions = {
            il_map_egress;
            @defaultonly il_unmapped_egress;
        }
        const default_action = il_unmapped_egress();
        size = 4096;
    }
    apply {
        il_page_egress.apply();
    }
}

control il_Compute(inout il_headers_t hdr, inout il_metadata_t meta) {
    apply {}
}

control il_Deparser(packet_out pkt, in il_headers_t hdr) {
    apply {
        pkt.emit(hdr.il_ethernet);
        pkt.emit(hdr.il_vlan);
    }
}

V1Switch(il_Parser(), il_Verify(), il_Ingress(), il_Egress(), il_Compute(), il_Deparser()) main;
