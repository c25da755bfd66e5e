// Tables: every match kind, const entries, priorities, default actions, hit, miss, action_run, directed parameters, direct counters.
#include <core.p4>
#include <v1model.p4>

header h_t { bit<8> sel; bit<8> r; bit<8> x; bit<32> ip; bit<128> wide; }
struct headers_t { h_t h; }
struct meta_t { bit<8> tmp; }
enum bit<8> which_t { A = 1, B = 2 }

parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { b.extract(hdr.h); transition accept; }
}
control V(inout headers_t hdr, inout meta_t meta) { apply { } }
control Inner(inout h_t h, in bit<8> k) {
    action put(bit<8> v) { h.r = v; }
    table shared {
        key = { k: exact; }
        actions = { put; NoAction; }
    }
    apply { shared.apply(); }
}
control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    Inner() inner;
    direct_counter(CounterType.packets) hits;
    action put(bit<8> v) { hdr.h.r = v; }
    action add(inout bit<8> into, in bit<8> base, bit<8> v) { into = base + v; }
    action put_wide(bit<128> v) { hdr.h.wide = v; hits.count(); }
    action leave() { hdr.h.r = 0xEE; exit; }
    action nothing() { }
    table none { actions = { put; } default_action = put(3); }
    table exact1 { key = { hdr.h.x: exact; } actions = { put; NoAction; } const default_action = put(0xDD); }
    table exact2 {
        key = { hdr.h.wide: exact; hdr.h.x: exact @name("x"); }
        actions = { put_wide; nothing; }
        default_action = nothing();
        counters = hits;
    }
    table lpm1 { key = { hdr.h.x: exact; hdr.h.ip: lpm; } actions = { put; } default_action = put(0); }
    table tern { key = { hdr.h.ip: ternary; hdr.h.x: range; hdr.h.isValid(): exact; } actions = { put; } }
    table opt { key = { hdr.h.x: optional; hdr.h.ip: optional; } actions = { put; } default_action = put(0); }
    table fixed {
        key = { hdr.h.x: ternary; hdr.h.ip: lpm; }
        actions = { put; leave; }
        const entries = {
            (1, _): put(0x11);
            (0x10 &&& 0xF0, 0x0A000000 &&& 0xFF000000): put(0x12);
            (0x10 &&& 0xF0, _): put(0x13);
            (0xFF, 1): leave();
        }
        default_action = put(0x1F);
    }
    table ranges {
        key = { hdr.h.x: range; }
        actions = { put; }
        const entries = { 0 .. 9: put(1); 5 .. 19: put(2); 30: put(3); _: put(4); }
    }
    table params { key = { hdr.h.x: exact; } actions = { add(hdr.h.r, hdr.h.sel); NoAction; } default_action = add(hdr.h.r, hdr.h.sel, 2); }
    apply {
        sm.egress_spec = 1;
        switch (hdr.h.sel) {
            1: { none.apply(); }
            2: { exact1.apply(); }
            3: { if (exact2.apply().hit) { hdr.h.r = 1; } else { hdr.h.r = 2; } }
            4: { lpm1.apply(); }
            5: { if (tern.apply().miss) { hdr.h.r = 0xFF; } }
            6: { opt.apply(); }
            7: {
                switch (fixed.apply().action_run) {
                    put: { hdr.h.r = hdr.h.r + 0x80; }
                    leave: { hdr.h.r = 0; }
                }
            }
            8: { ranges.apply(); }
            9: { params.apply(); }
            10: { inner.apply(hdr.h, hdr.h.x); inner.apply(hdr.h, hdr.h.r); }
            11: { bool h = fixed.apply().hit; if (h) { hdr.h.x = 0xAA; } }
        }
        if (hdr.h.r == 0xEE) { hdr.h.r = 0; }
    }
}
control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout meta_t meta) { apply { } }
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr.h); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
