// Actions declared outside: first those that tables list, also tables of nested controls, then those that are called.
#include <v1model.p4>

header h_t { bit<8> a; bit<8> b; }
struct headers_t { h_t h; }
struct meta_t { }

action clear(inout bit<8> x) { x = 0; }
action next(inout bit<8> x) { x = x + 1; }
action skip() { }

parser P(packet_in b, out headers_t h, inout meta_t m, inout standard_metadata_t s) {
    state start { b.extract(h.h); transition accept; }
}
control V(inout headers_t h, inout meta_t m) { apply { } }
control Nested(inout headers_t h) {
    table inner { key = { h.h.a : exact; } actions = { skip; } default_action = skip(); }
    apply { next(h.h.a); inner.apply(); }
}
control I(inout headers_t h, inout meta_t m, inout standard_metadata_t s) {
    Nested() nested;
    action own() { h.h.a = 1; }
    table late { key = { h.h.b : exact; } actions = { own; } }
    apply { clear(h.h.a); nested.apply(h); late.apply(); }
}
control E(inout headers_t h, inout meta_t m, inout standard_metadata_t s) { apply { } }
control C(inout headers_t h, inout meta_t m) { apply { } }
control D(packet_out b, in headers_t h) { apply { b.emit(h.h); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
