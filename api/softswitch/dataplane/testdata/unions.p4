// Header unions: at most one header is valid, however it became so.
#include <core.p4>
#include <v1model.p4>

header kind_t { bit<8> kind; }
header one_t { bit<8> x; }
header two_t { bit<16> y; }
header_union pick_t { one_t one; two_t two; }

struct headers_t {
    kind_t    kind;
    pick_t    u;
    pick_t    v;
    pick_t[2] s;
    kind_t    note;
}
struct meta_t { }

parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start {
        b.extract(hdr.kind);
        transition select(hdr.kind.kind) {
            1: one;
            2: two;
            3: both;
            4: stack;
            default: accept;
        }
    }
    state one { b.extract(hdr.u.one); transition accept; }
    state two { b.extract(hdr.u.two); transition accept; }
    state both { b.extract(hdr.u.one); b.extract(hdr.u.two); transition accept; }
    state stack { b.extract(hdr.s.next.one); b.extract(hdr.s.next.two); transition accept; }
}
control V(inout headers_t hdr, inout meta_t meta) { apply { } }
control Fill(out two_t t) { apply { t.setValid(); t.y = 0x5555; } }
control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    Fill() fill;
    apply {
        sm.egress_spec = 1;
        hdr.note.setValid();
        hdr.note.kind = 0;
        if (hdr.kind.kind == 1) {
            hdr.v = hdr.u;
            if (hdr.v == hdr.u) { hdr.note.kind = 1; }
            hdr.v.one.x = hdr.v.one.x + 1;
            if (hdr.v != hdr.u) { hdr.note.kind[1:1] = 1; }
        } else if (hdr.kind.kind == 2) {
            hdr.u.one.setValid();
            hdr.u.one.x = 0xAB;
            if (!hdr.u.two.isValid() && hdr.u.isValid() && !hdr.v.isValid()) { hdr.note.kind = 2; }
        } else if (hdr.kind.kind == 3) {
            if (!hdr.u.one.isValid() && hdr.u.two.isValid()) { hdr.note.kind = 3; }
            hdr.u.one = { 8w0x11 };
        } else if (hdr.kind.kind == 4) {
            fill.apply(hdr.s[0].two);
            hdr.s[1].two.setInvalid();
            if (!hdr.s[1].isValid()) { hdr.note.kind = 4; }
        }
    }
}
control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout meta_t meta) { apply { } }
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
