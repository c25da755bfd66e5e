// What may be called, instantiated and given where (appendix "Restrictions on compile time and run time calls").
#include <core.p4>
struct s_t { bit<8> a; bit<16> b; }
extern Obj { Obj(bit<8> n); void m(); }
parser Parse();
control Block();
package Pack(Block b);
extern void ext(in bit<8> a, bit<8> n);
extern void names(in bit<8> a, in bit<8> b = 1, @optional in bit<8> c);
extern void sinks(out bit<8> a, inout bit<8> b);
extern void gets<T>(out T x);
extern bit<8> unary(in bit<8> x);
extern bit<8> object(in Obj x); // ERROR "passed without a direction"
extern void twice(@optional in bit<8> a = 1); // ERROR "an @optional parameter has no default"
extern void late(out bit<8> a = 1); // ERROR "an out parameter has no default"
extern void vari(in bit<8> a = unary(1)); // ERROR "the default of a is not known at compile time"
extern void wrong(in bit<8> a = true); // ERROR "a value of type bool stands where bit<8> is wanted"
extern Takes { Takes(Block b); } // ERROR "an extern cannot be constructed with Block"
parser PEmpty() { state start { transition accept; } }
control CEmpty() { apply { } }
control CValue()(bit<8> n) { apply { } }
parser P1()(Block b) { state start { transition accept; } } // ERROR "a parser cannot be constructed with Block"
parser P2()(Pack p) { state start { transition accept; } } // ERROR "a parser cannot be constructed with Pack"
parser P3()(Parse p) { state start { p.apply(); transition accept; } }
control C1()(Parse p) { apply { } } // ERROR "a control cannot be constructed with Parse"
control C2()(Pack p) { apply { } } // ERROR "a control cannot be constructed with Pack"
control C3()(CEmpty c) { apply { } } // ERROR "a parameter is of a parser or control type, and CEmpty has a body"
control C4(Block b) { apply { } } // ERROR "a parameter cannot be of type Block"
control C5()(Block b) { apply { b.apply(); } }
bit<8> f1(Obj o) { return 1; } // ERROR "a function works on values"
bit<8> f2(in bit<8> x) { Obj(1) o; return x; } // ERROR "an instance may not be declared in a function"
bit<8> f3(in bit<8> x) { return f3(x); } // ERROR "f3 is not declared"
bit<8> f4(in bit<8> x) { CEmpty.apply(); return x; } // ERROR "may not be applied in a function"
void f5(in bit<8> x) { x = 1; } // ERROR "parameter x cannot be written"
void f6(in bit<8> x) { bit<8> y; sinks(y, x); } // ERROR "parameter x cannot be written"
void f7(bit<8> x) { bit<8> y = x; }
action data(Obj o) { } // ERROR "an action works on values"
action opt(@optional in bit<8> o) { } // ERROR "an @optional parameter may only stand in"
const bit<8> top = unary(1); // ERROR "not known at compile time"
CEmpty() at_top; // ERROR "instantiated in another one"
control c(inout bit<8> b, inout bit<16> w, in s_t s) {
    Obj(b) run; // ERROR "argument n must be known at compile time"
    Obj(1) o;
    CEmpty() empty;
    CValue(1) value;
    CValue() missing; // ERROR "argument n is missing"
    CValue(m = 1) other; // ERROR "CValue has no parameter m"
    C5(empty) fine;
    C5(CEmpty()) unnamed;
    C5(value) shape;
    C5(o) mixed; // ERROR "a value of type Obj stands where Block is wanted"
    P3(PEmpty()) sub; // ERROR "P3 may not be instantiated in a control"
    Pack(CEmpty()) pack; // ERROR "a package is instantiated at top level"
    Block() proto; // ERROR "Block is a type without a body"
    s_t() notype; // ERROR "s_t has no constructor"
    bit<8> early = unary(b);
    CEmpty() ones[2]; // ERROR "an array of instances is of one extern or more"
    Obj(1) many[0]; // ERROR "an array of instances is of one extern or more"
    action act(in bit<8> x, bit<8> n) {
        ext(x, n);
        ext(x, n + 1);
        ext(x, x); // ERROR "argument n must be known at compile time"
        f7(n);
        f7(x); // ERROR "argument x must be known at compile time"
        empty.apply(); // ERROR "may not be applied in an action"
    }
    table t { actions = { act(b); NoAction; } default_action = NoAction; }
    apply {
        ext(b, 3);
        ext(b, b); // ERROR "argument n must be known at compile time"
        ext(n = 3, a = b);
        ext(a = b, m = 3); // ERROR "ext has no parameter m"
        ext(a = b, a = b, n = 1); // ERROR "argument a is given twice"
        ext(b); // ERROR "argument n is missing"
        ext(b, 1, 1); // ERROR "ext takes 2 arguments, not 3"
        ext(_, 1); // ERROR "_ can only stand for an out parameter"
        names(a = 1);
        names(a = 1, c = 2);
        names(1); // ERROR "its arguments must be named"
        sinks(_, b);
        sinks(b, _); // ERROR "_ can only stand for an out parameter"
        sinks(w[7:0], b);
        sinks(w, b); // ERROR "a value of type bit<16> stands for parameter a of type bit<8>"
        sinks(s.a, b); // ERROR "parameter s cannot be written"
        sinks(1, b); // ERROR "a value of type int stands for parameter a"
        sinks(unary(b), b); // ERROR "this cannot be written"
        gets(b);
        gets(_); // ERROR "type argument T neither given nor determined"
        gets<bit<8>>(_);
        o.n(); // ERROR "Obj has no method n"
        o(); // ERROR "o cannot be called"
        Obj.m(); // ERROR "type Obj has no method m"
        Block.apply(); // ERROR "Block has no body to apply"
        CValue.apply(); // ERROR "has constructor parameters and must be instantiated"
        PEmpty.apply(); // ERROR "PEmpty may not be applied in an apply block"
        t.apply(1); // ERROR "apply takes 0 arguments"
        c.apply(b, w, s); // ERROR "c is not declared"
        b = empty; // ERROR "a value of type CEmpty stands where bit<8> is wanted"
        act(b, 1);
        act(b, b);
    }
}
