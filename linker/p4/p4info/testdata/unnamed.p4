// Blocks and objects that are constructed where another one's constructor wants them are called as its parameters.
#include <v1model.p4>

header h_t { bit<8> a; bit<8> b; }
struct headers_t { h_t h; }
struct meta_t { }

parser P(packet_in b, out headers_t h, inout meta_t m, inout standard_metadata_t s) {
    state start { b.extract(h.h); transition accept; }
}
control V(inout headers_t h, inout meta_t m) { apply { } }

control Step(inout headers_t h);

control Count(inout headers_t h)(counter c, bit<32> slot) {
    table seen { key = { h.h.a : exact; } actions = { NoAction; } }
    apply { seen.apply(); c.count(slot); }
}

control Twice(inout headers_t h)(Step first, Step second) {
    table between { key = { h.h.b : exact; } actions = { NoAction; } }
    apply { first.apply(h); between.apply(); second.apply(h); }
}

control I(inout headers_t h, inout meta_t m, inout standard_metadata_t s) {
    counter(4, CounterType.bytes) shared;
    Count(shared, 0) named;
    Twice(Count(counter(8, CounterType.packets), 1), Twice(named, Count(shared, 2))) outer;
    @name("other") Twice(named, named) again;
    apply { outer.apply(h); again.apply(h); }
}
control E(inout headers_t h, inout meta_t m, inout standard_metadata_t s) { apply { } }
control C(inout headers_t h, inout meta_t m) { apply { } }
control D(packet_out b, in headers_t h) { apply { b.emit(h.h); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
