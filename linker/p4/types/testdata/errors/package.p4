// Instances and the main package.
#include <v1model.p4>
struct h_t { }
struct m_t { }
struct other_t { bit<8> x; }
parser P(packet_in b, out h_t h, inout m_t m, inout standard_metadata_t s) { state start { transition accept; } }
control V(inout h_t h, inout m_t m) { apply { } }
control I(inout h_t h, inout other_t m, inout standard_metadata_t s) { apply { } }
control E(inout h_t h, inout m_t m, inout standard_metadata_t s)(bit<8> x) {
    register<bit<8>>(1, 2) r; // ERROR "register takes 1 arguments, not 2"
    register(1) r2; // ERROR "type argument T neither given nor determined"
    register<bit<8>>(s.packet_length) r3; // ERROR "argument size must be known at compile time"
    counter(1, CounterType.nope) k; // ERROR "enum CounterType has no member nope"
    apply {
        register<bit<8>>(1) r4; // ERROR "an instance may not be declared in an apply block"
        P.apply(); // ERROR "argument b is missing" "P may not be applied in an apply block"
        verify(true, error.NoError); // ERROR "verify may not be called in an apply block"
    }
}
control C(inout h_t h, inout m_t m) { apply { } }
control D(packet_out b, in h_t h) { apply { b.emit(8w1); } } // ERROR "neither a header nor made of headers"
V1Switch(P(), V(), I(), E(1), C(), D()) main; // ERROR "I does not have the parameters of Ingress<h_t, m_t>"
V1Switch(P(), V(), E(), E(1), C(), D()) second; // ERROR "argument x is missing"
V() third; // ERROR "instantiated in another one or as an argument of a package"
