// Generic functions, parsers, controls and externs, and the inference of their type arguments.
#include <core.p4>
T same<T>(in T x) { return x; }
T make<T>() { T x; return x; }
bit<8> known<T>(in T x) { return x; } // ERROR "a value of type T stands where bit<8> is wanted"
T literal<T>() { return 1; } // ERROR "an? .*T"
bool less<T>(in T x, in T y) { return x < y; } // ERROR "not defined on|is not defined|T"
void field<T>(in T x) { bit<8> y = x.f; } // ERROR "T has no member f"
void valid<T>(in T x) { bool y = x.isValid(); } // ERROR "T has no method isValid"
int number() { return 1; } // ERROR "a function cannot return int"
void object() { packet_in p; } // ERROR "a variable cannot be of type packet_in"
extern void pair<A, B>(in A a, in B b);
extern void opt<A, B>(in A a, @optional in B b);
extern void text<T>(in tuple<T, bool> x);
extern Box<T> { Box(); void put(in T x); T get(); void two<U>(in T t, in U u); }
extern Fill<T> { Fill(T x); }
extern Both<A, B> { Both(A a); B get(); }
extern Handle { Handle(); void take<T>(T x); void give<T>(in T x); }
control Gen<T>(inout T x) { apply { T y = x; x = y; } }
control Two<A, B>(inout A a, in B b) { apply { } }
control WithCtor<T>()(T v) { apply { } }
control c(inout bit<8> b, inout bit<16> w) {
    Box<string>() strings; // ERROR "parameter x of Box<string>.put would be of type string"
    Box<void>() voids; // ERROR "parameter x of Box<void>.put would be of type void"
    Box<Box<bool>>() boxes; // ERROR "parameter x of Box<Box<bool>>.put would be of type Box<bool>"
    Box<_>() open; // ERROR "type argument T neither given nor determined"
    Box() none; // ERROR "type argument T neither given nor determined"
    Box<bool, bool>() many; // ERROR "Box takes 1 type arguments, not 2"
    Box<bit<8>>() box;
    Fill(8w1) fill;
    Both(8w1) half; // ERROR "type argument B neither given nor determined"
    Handle() h;
    Gen() unknown; // ERROR "type argument T neither given nor determined"
    Gen<bit<8>>() gen;
    WithCtor(8w1) ctor;
    apply {
        b = same(b);
        b = same<bit<8>>(b);
        b = same<bit<16>>(w); // ERROR "a value of type bit<16> stands where bit<8> is wanted"
        b = same<bit<8>>(w); // ERROR "a value of type bit<16> stands where bit<8> is wanted"
        b = same<bit<8>, bool>(b); // ERROR "same takes 1 type arguments, not 2"
        b = make();
        b = make<_>();
        make(); // ERROR "type argument T neither given nor determined"
        same(1); // ERROR "this number needs a width"
        same<string>("x"); // ERROR "same: parameter x would be of type string"
        pair<_, bool>(b, true);
        pair<_, bool>(b, w); // ERROR "a value of type bit<16> stands where bool is wanted"
        opt(b);
        text<match_kind>({ 1, true }); // ERROR "a value of type int stands where match_kind is wanted"
        box.put(w); // ERROR "a value of type bit<16> stands where bit<8> is wanted"
        w = box.get(); // ERROR "a value of type bit<8> stands where bit<16> is wanted"
        box.two(1, w);
        box.two<bit<16>>(1, 1);
        h.take(box);
        h.give(box); // ERROR "would be of type Box<bit<8>>: objects are passed without a direction"
        gen.apply(b);
        gen.apply(w); // ERROR "a value of type bit<16> stands for parameter x of type bit<8>"
        Gen<bit<8>>.apply(b);
        Gen<bit<8>>.apply(w); // ERROR "a value of type bit<16> stands for parameter x of type bit<8>"
        Gen<bit<8>, bool>.apply(b); // ERROR "Gen takes 1 type arguments, not 2"
        Gen.apply(w);
        Two.apply(b, w);
        Two<bit<8>, bool>.apply(b, w); // ERROR "a value of type bit<16> stands where bool is wanted"
    }
}
