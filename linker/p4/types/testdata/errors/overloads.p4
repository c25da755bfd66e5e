// Overloads are told apart by the number and the names of their arguments, never by types.
extern void f(in bit<8> a);
extern void f(in bit<8> b);
extern void f(in bit<8> a, in bit<8> b);
extern void g(in bit<8> a);
extern void g(in bit<16> a); // only a warning: no call can tell them apart
extern void g(in bit<8> a, in bit<8> b);
extern E {
    E(bit<8> x);
    E(bit<16> x); // ERROR "E is declared twice with the same parameters"
    void m(in bit<8> x);
    void m(in bit<16> x); // ERROR "m is declared twice with the same parameters"
}
control d(inout bit<8> x)(bit<8> a) { apply { x = a; } }
control d(inout bit<8> x)(bit<8> b) { apply { x = b; } } // only a warning: p4c tells them apart by their constructors
control d(inout bit<8> y)(bool a) { apply { y = 1; } } // ERROR "d is already declared"
control e() { apply { } }
parser e() { state start { transition accept; } } // ERROR "e is already declared"
package q(bit<8> a);
package q(bit<8> a, bit<8> b); // likewise
package q(bit<16> a); // ERROR "q is already declared"
control c() {
    d(b = 1) one;
    d(1) two; // ERROR "several d could take these arguments"
    d(c = 1) three; // ERROR "no d takes these 1 arguments"
    apply {
        g(a = 1); // ERROR "several g could take these arguments"
        g(1, 2);
        f(8w1); // ERROR "several f could take these arguments"
        f(a = 1);
        f(b = 1);
        f(1, 2);
        f(c = 1); // ERROR "no f takes these 1 arguments"
        f(); // ERROR "no f takes these 0 arguments"
        f(a = 1, 2); // ERROR "all named or all positional"
    }
}
