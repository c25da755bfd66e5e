// What the tests of everything but plain tables, registers and counters run. The sixth byte of a packet says what to do with it.
#include <core.p4>
#include <v1model.p4>

header head_t { bit<8> group; bit<8> session; bit<8> member; bit<8> hash; bit<8> cell; bit<8> type; }
struct headers_t { head_t h; }
struct meta_t { bit<8> color; bit<16> mark; }
struct learn_t { bit<8> member; bool odd; bit<16> cell; }

parser P(packet_in b, out headers_t hdr, inout meta_t m, inout standard_metadata_t sm) {
    value_set<bit<8>>(2) special;
    state start {
        b.extract(hdr.h);
        transition select(hdr.h.type) { special: mark; default: accept; }
    }
    state mark { m.mark = 1; transition accept; }
}
control V(inout headers_t hdr, inout meta_t m) { apply { } }
control I(inout headers_t hdr, inout meta_t m, inout standard_metadata_t sm) {
    meter(4, MeterType.packets) police;
    direct_meter<bit<8>>(MeterType.packets) each;
    action_selector(HashAlgorithm.identity, 8, 8) choice;
    action_profile(4) shared;
    action to(bit<9> port) { sm.egress_spec = port; }
    action drop() { mark_to_drop(sm); }
    action tell() { each.read(m.color); }
    table pick {
        key = { hdr.h.member: exact; hdr.h.hash: selector; }
        actions = { to; drop; }
        implementation = choice;
    }
    table indirect {
        key = { hdr.h.member: exact; }
        actions = { to; drop; }
        implementation = shared;
    }
    table aged {
        key = { hdr.h.member: exact; }
        actions = { tell; NoAction; }
        meters = each;
        support_timeout = true;
    }
    apply {
        sm.egress_spec = 9;
        if (m.mark == 1) { sm.egress_spec = 8; }
        police.execute_meter((bit<32>) hdr.h.cell, m.color);
        if (m.color == 2) { sm.egress_spec = 7; }
        aged.apply();
        if (hdr.h.type == 2) { pick.apply(); }
        if (hdr.h.type == 3) { indirect.apply(); }
        if (hdr.h.type == 4) { digest<learn_t>(1, { hdr.h.member, hdr.h.member[0:0] == 1, (bit<16>) hdr.h.cell }); }
        if (hdr.h.session != 0) { clone(CloneType.I2E, (bit<32>) hdr.h.session); }
        sm.mcast_grp = (bit<16>) hdr.h.group;
    }
}
control E(inout headers_t hdr, inout meta_t m, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout meta_t m) { apply { } }
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr.h); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
