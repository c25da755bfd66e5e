// What may stand in the blocks of a V1Switch, and which headers they work on.
#include <core.p4>
#include <v1model.p4>
header h_t { bit<8> x; varbit<16> v; }
header odd_t { bit<7> x; } // ERROR "header odd_t has 7 bits"
header alone_t { bit<3> x; } // not a header of the packet
header_union u_t { h_t h; odd_t o; }
struct inner_t { h_t h; bit<8> flag; } // ERROR "bit<8> is no header, stack or union"
struct H {
    h_t h;
    odd_t odd;
    u_t u;
    h_t[2] stack;
    inner_t inner;
    bit<8> number; // ERROR "bit<8> is no header, stack or union"
}
struct M { bit<16> sum; }
parser P(packet_in b, out H h, inout M m, inout standard_metadata_t s) { state start { transition accept; } }
control V(inout H h, inout M m) {
    apply {
        { verify_checksum(h.h.isValid(), { h.h.x }, m.sum, HashAlgorithm.csum16); }
        update_checksum(true, { h.h.x }, m.sum, HashAlgorithm.csum16); // ERROR "only calls of verify_checksum and verify_checksum_with_payload"
        m.sum = 1; // ERROR "only calls of verify_checksum"
        return;
    }
}
control I(inout H h, inout M m, inout standard_metadata_t s) {
    apply {
        alone_t a;
        a.x = 1;
        m.sum = m.sum / 4 + 12 % 5;
        m.sum = 16w0 / m.sum; // ERROR "divides only by powers of two"
        m.sum %= m.sum; // ERROR "divides only by powers of two"
    }
}
control E(inout H h, inout M m, inout standard_metadata_t s) { apply { } }
control C(inout H h, inout M m) {
    apply {
        update_checksum_with_payload(true, { h.h.x }, m.sum, HashAlgorithm.csum16);
        if (h.h.isValid()) { } // ERROR "only calls of update_checksum and"
    }
}
control D(packet_out b, in H h) {
    apply {
        b.emit(h.h);
        bit<8> x = 1; // ERROR "only calls of emit"
        if (h.h.isValid()) { b.emit(h.u); } // ERROR "only calls of emit"
        exit; // ERROR "only calls of emit"
    }
}
V1Switch(P(), V(), I(), E(), C(), D()) main;
