// Operators, casts, constants, l-values.
#include <core.p4>
header h_t { bit<8> x; bit<16> y; }
struct s_t { bit<8> a; bool b; }
type bit<8> n_t;
enum e_t { A, B }
enum bit<8> r_t { A = 1 }
const bit<8> c1 = 1 / 0; // ERROR "division by zero"
const int c2 = 1 << 99999999; // ERROR "too large"
const int c3 = -5 / 2; // ERROR "not defined on negative numbers"
const bit<4> c4 = 99; // warning only
const bit<8> c5 = true; // ERROR "type bool stands where bit<8> is wanted"
const bool c6 = (bool) 2; // ERROR "cannot be cast to bool"
extern bit<8> any();
extern void g<T>(in T x);
extern void w<T>(out T x);
extern void k(bit<8> x);
control c(inout h_t h, in s_t ro, inout s_t s, inout h_t[2] st) {
    action set(bit<8> p) { p = 1; } // ERROR "parameter p cannot be written"
    apply {
        bit<8> x = 1;
        bit<16> y = x; // ERROR "type bit<8> stands where bit<16> is wanted"
        int<8> z = x; // ERROR "type bit<8> stands where int<8> is wanted"
        z = (int<8>) y; // ERROR "bit<16> cannot be cast to int<8>"
        x = x + y; // ERROR "\+ is not defined on bit<8> and bit<16>"
        x = x + true; // ERROR "\+ is not defined on bit<8> and bool"
        x = !x; // ERROR "! is not defined on bit<8>"
        x = x / x; // ERROR "/ is defined only on numbers known at compile time"
        x = x % 4;
        x = x[8:0]; // ERROR "\[8:0\] is no slice of bit<8>"
        x = x[0:3]; // ERROR "\[0:3\] is no slice"
        x = y[x:0]; // ERROR "ends of a slice must be constant"
        x = y[x +: x]; // ERROR "must be a constant from 1 to 16"
        x = y[9 +: 8]; // ERROR "\[9 \+: 8\] is no slice of bit<16>"
        x = 1 >> x; // ERROR "can only be shifted by a constant"
        x = x << z; // ERROR "<< is not defined on bit<8> and int<8>"
        x = h.nope; // ERROR "h_t has no field nope"
        x = h; // ERROR "type h_t stands where bit<8> is wanted"
        x = s.b ? 8w1 : 16w2; // ERROR "branches have types bit<8> and bit<16>"
        ro.a = 1; // ERROR "parameter ro cannot be written"
        c5 = 1; // ERROR "c5 cannot be written"
        s = { 1 }; // ERROR "a list of 1 values stands where s_t is wanted"
        s = { a = 1 }; // ERROR "field b of s_t is not given"
        s = { a = 1, b = true, c = 2 }; // ERROR "s_t has no field c"
        s = { a = 1, a = 2, b = true }; // ERROR "field a is given twice"
        st[2].x = 1; // ERROR "index 2 is outside 0 to 1"
        st.next.x = 1; // ERROR "next may not stand in an apply block"
        st.push_front(x); // ERROR "push_front needs a constant that is not negative"
        if (x) { } // ERROR "type bit<8> stands where bool is wanted"
        if (e_t.A == 1) { } // ERROR "== is not defined on e_t and int"
        x = (n_t) 1; // ERROR "type n_t stands where bit<8> is wanted"
        x = r_t.A;
        x = any; // ERROR "must be called"
        x(); // ERROR "x cannot be called"
        any(1); // ERROR "any takes 0 arguments, not 1"
        k(x); // ERROR "argument x must be known at compile time"
        k(y = 1); // ERROR "k has no parameter y"
        g(5); // ERROR "this number needs a width"
        g({ a = 8w1 }); // ERROR "this needs a type"
        w(8w1); // ERROR "this cannot be written"
        w(_); // ERROR "type argument T neither given nor determined"
        h.setValid(1); // ERROR "setValid takes 0 arguments, not 1"
        s.setValid(); // ERROR "s_t has no method setValid"
        nope.apply(); // ERROR "nope is not declared"
        nope.x = nope.y + 1; // ERROR "nope is not declared" "nope is not declared"
        c.apply(h, ro, s, st); // ERROR "c is not declared"
        break; // ERROR "may only stand in a loop"
        static_assert(1 == 2, "no way"); // ERROR "static_assert failed: no way"
        for (h_t q in 1 .. 2) { } // ERROR "has a bit or int type, not h_t"
    }
}
