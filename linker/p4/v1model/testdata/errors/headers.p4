// Headers that are not in a struct.
#include <v1model.p4>
header H { bit<8> x; }
struct M { }
parser P(packet_in b, out H h, inout M m, inout standard_metadata_t s) { // ERROR "the headers of v1model are a struct"
    state start { b.extract(h); transition accept; }
}
control V(inout H h, inout M m) { apply { } }
control I(inout H h, inout M m, inout standard_metadata_t s) { apply { } }
control E(inout H h, inout M m, inout standard_metadata_t s) { apply { } }
control C(inout H h, inout M m) { apply { } }
control D(packet_out b, in H h) { apply { b.emit(h); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
