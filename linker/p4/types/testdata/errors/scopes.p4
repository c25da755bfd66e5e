// What a name may hide, and what a declaration may say about itself.
#include <core.p4>
extern ext { ext(); void f(in ext e); } // ERROR "ext is not declared"
extern main { } // ERROR "main is the instance of a package"
parser pt();
control ct();
control body() { apply { } }
extern takes { takes(ct c); } // ERROR "an extern cannot be constructed with ct"
control optional_ctor()(@optional bit<8> x) { apply { } } // ERROR "a control is not constructed with @optional parameters"
package takes_body(body b); // ERROR "a parameter is of a parser or control type, and body has a body"
control c(inout bit<8> x, in bit<8> t) {
    bit<16> x = 5; // a local of the control may hide a parameter
    action a(bit<8> y) {
        bit<8> y = 1; // ERROR "y hides a parameter"
        bit<8> z = 1;
        { bit<8> z = 2; }
    }
    table t { // hides the parameter t
        key = { t : exact; } // ERROR "table t cannot be a table key"
        actions = { a; NoAction; }
    }
    apply {
        bit<8> t = 1;
        { bit<8> x = 2; }
    }
}
control d(inout bit<8> x) {
    apply {
        { bit<8> x = 2; } // ERROR "x hides a parameter"
    }
}
parser loops(packet_in b) { // ERROR "parser loops can reach neither accept nor reject"
    state start { transition one; }
    state one { transition two; }
    state two { transition one; }
    state unreached { transition accept; }
}
parser ends(packet_in b, in bit<8> x) {
    state start { transition select(x) { 1: start; } }
}
parser ends_by_silence(packet_in b, in bit<8> x) {
    state start { transition select(x) { 1: start; _: other; } }
    state other { }
}
parser loops_too(packet_in b, in bit<8> x) { // ERROR "parser loops_too can reach neither accept nor reject"
    state start { transition select(x) { 1: start; _: start; } }
}
