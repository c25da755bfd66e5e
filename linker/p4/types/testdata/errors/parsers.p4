// Parsers, states, keysets.
#include <core.p4>
header h_t { bit<8> x; varbit<8> v; }
header f_t { bit<8> x; }
struct m_t { bit<8> a; bit<16> b; }
parser p(packet_in b, out h_t h, out f_t f, inout m_t m) {
    state start {
        b.extract(h); // ERROR "needs the size of its varbit field"
        b.extract(f, 8); // ERROR "no varbit field whose size could be given"
        b.extract(m); // ERROR "extract of m_t, which is no header"
        m.a = b.lookahead<h_t>().x; // ERROR "whose size is not fixed"
        m.a = b.lookahead(); // ok: from the context
        transition nowhere; // ERROR "nowhere is not a state of this parser"
    }
    state accept { } // ERROR "state accept is built in"
    state two {
        transition select(m.a, m.b) {
            (1, 2): start;
            (1, 2, 3): start; // ERROR "3 values where 2 are matched"
            1: start; // ERROR "one value where 2 are matched"
            (true, _): start; // ERROR "type bool stands where bit<8> is wanted"
            (1 &&& 3, 2 .. 16w7): two;
            (m.a, _): two;
            (m.a &&& 3, _): two; // ERROR "a keyset must be known at compile time"
            default: reject;
        }
    }
    state two { } // ERROR "state two is already declared"
    state three {
        transition select(m) { // ERROR "cannot select on m_t"
            default: accept;
        }
    }
}
parser empty(packet_in b) { // ERROR "parser empty has no state start"
    state first { }
}
