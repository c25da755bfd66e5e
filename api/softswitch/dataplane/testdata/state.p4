// Tables with everything that they can have beside entries.
#include <core.p4>
#include <v1model.p4>

header h_t {
    bit<8> key;
    bit<8> flow;
    bit<8> out1;
    bit<8> out2;
}

struct headers_t { h_t h; }
struct meta_t { bit<8> color; }

parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { b.extract(hdr.h); transition accept; }
}

control V(inout headers_t hdr, inout meta_t meta) { apply { } }

control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    meter(4, MeterType.packets) gate;
    direct_meter<bit<8>>(MeterType.bytes) paced;
    direct_counter(CounterType.packets_and_bytes) hits;
    action_selector(HashAlgorithm.identity, 8, 16) ways;

    action to(bit<8> v) { hdr.h.out1 = v; }
    action colored(bit<8> v) { hdr.h.out1 = v; paced.read(meta.color); }
    action plain() { hits.count(); }
    action shared() { paced.read(meta.color); }

    table metered {
        key = { hdr.h.key: exact; }
        actions = { colored; plain; NoAction; }
        default_action = NoAction();
        meters = paced;
    }
    table counted {
        key = { hdr.h.key: exact; }
        actions = { to; NoAction; shared; }
        default_action = NoAction();
        counters = hits;
        support_timeout = true;
    }
    table selected {
        key = { hdr.h.key: exact; hdr.h.flow: selector; }
        actions = { to; NoAction; }
        implementation = ways;
    }
    table initial {
        key = { hdr.h.key: ternary; }
        actions = { to; NoAction; }
        default_action = NoAction();
        largest_priority_wins = false;
        entries = {
            const priority = 10: 0xC0 &&& 0xF0: to(1);
            priority = 5: 0xC0 &&& 0xF8: to(2);
            0xCF: to(3);
        }
    }
    apply {
        sm.egress_spec = 1;
        bit<8> c;
        if (hdr.h.key == 0xAA) {
            gate.execute_meter((bit<32>) hdr.h.flow, c);
            hdr.h.out2 = c;
        } else if (hdr.h.key == 0xBB || hdr.h.key == 0xBC) {
            meta.color = 9;
            metered.apply();
            hdr.h.out2 = meta.color;
        } else if (hdr.h.key[7:4] == 0xC) {
            initial.apply();
        } else {
            meta.color = 9;
            counted.apply();
            if (hdr.h.key == 3) { hdr.h.out2 = meta.color; }
            selected.apply();
        }
    }
}

control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout meta_t meta) { apply { } }
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
