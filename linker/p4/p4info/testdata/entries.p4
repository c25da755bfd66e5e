#include <v1model.p4>

enum bit<16> proto_t { ip = 0x800, arp = 0x806 }
@p4runtime_translation("ports", bit<32>) type bit<9> port_t;

header h_t { bit<32> addr; bit<16> proto; bool flag; int<5> delta; port_t port; bit<12> id; }
struct headers_t { h_t h; }
struct meta_t { }

parser P(packet_in b, out headers_t h, inout meta_t m, inout standard_metadata_t s) {
    state start { b.extract(h.h); transition accept; }
}
control V(inout headers_t h, inout meta_t m) { apply { } }
control I(inout headers_t h, inout meta_t m, inout standard_metadata_t s) {
    action set(@id(7) port_t port, bit<12> id, bool flag) { h.h.port = port; h.h.id = id; h.h.flag = flag; }
    action drop() { mark_to_drop(s); }
    // Ids of keys and parameters are those of the P4Info, also where the program states them.
    table exact_lpm {
        key = {
            h.h.proto: exact;
            h.h.flag: exact @id(9);
            h.h.addr: lpm;
        }
        actions = { set; drop; }
        const entries = {
            (proto_t.ip, true, 0x0a010203 &&& 0xff000000): set((port_t) 3, 5, true);
            (proto_t.arp, false, 0x0a010203): drop;
            (0x86dd, false, 0 &&& 0): drop;
            (0x86dd, true, default): drop;
        }
    }
    table ranked {
        key = {
            h.h.id: range;
            h.h.delta: ternary;
            h.h.isValid(): optional;
            h.h.port: ternary;
        }
        actions = { set; drop; }
        priority_delta = 10;
        entries = {
            const priority = 50: (1 .. 5, -1, true, (port_t) 3): drop;
            (7, -2 &&& 0xf, _, _): drop;
            (0 .. 0xfff, _, false, _): set(id = 1, flag = false, port = (port_t) 511);
            const default: drop;
        }
    }
    apply { exact_lpm.apply(); ranked.apply(); }
}
control E(inout headers_t h, inout meta_t m, inout standard_metadata_t s) { apply { } }
control C(inout headers_t h, inout meta_t m) { apply { } }
control D(packet_out b, in headers_t h) { apply { b.emit(h); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
