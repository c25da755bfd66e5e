// One of each construct about declarations that are called or instantiated, in a program that means nothing.
#include <core.p4>

header h_t { bit<8> x; }
header_union gu_t<T> { h_t h; }
header gh_t<T> { T x; }
struct pair_t<A, B> { A first; B second; }
struct hdr_t { h_t h; gh_t<bit<16>> g; }
struct meta_t { bit<8> a; bit<16> b; pair_t<bit<8>, bool> p; }
enum kind_t { ONE, TWO }

// Generic functions.
T same<T>(in T x) { return x; }
void ignore<T>(in T x) { }
A first<A, B>(in pair_t<A, B> p) {
    ignore(p.second);
    ignore<A>(p.first);
    return same(p.first);
}
void swap<T>(inout T x, inout T y) { T t = x; x = y; y = t; }
int<8> signed(in int<8> x, in bool flip = false) { return flip ? -x : x; }
bit<8> scaled(in bit<8> x, int by) { return x * (bit<8>) by; }

// Externs: overloads, defaults, optional parameters, generic methods, abstract methods.
extern void f(in bit<8> a);
extern void f(in bit<8> a, in bit<8> b);
extern void f(in bool c, in bool d, in bool e = true);
extern void port(bit<9> p);
extern void log<T>(string text, @optional in T data);
extern void count(int n);
@pure extern kind_t kind_of(bool x);
extern Box<T> {
    Box();
    Box(T init);
    Box(bit<32> size, T init);
    void put(in T x);
    T get();
    R convert<R>(in T x);
    void both<U>(in T x, in U y);
}
extern Action<T, U> {
    Action(Box<T> box);
    Action(Box<_> box, kind_t kind);
    U run(in bit<8> x);
    bit<8> helper(in bit<8> x);
    abstract void apply(inout T value, @optional out U rv);
    @optional abstract bit<8> extra<V>(in V x);
}
extern Hash<W> {
    Hash(kind_t kind);
    W get<D>(in D data);
}
Box<bit<32>>(0) global;
typedef Box<bit<16>> Box16;

// Generic parsers and controls, constructor parameters of every kind.
parser Proto<H>(packet_in b, out H h);
control Block<H, M>(inout H h, inout M m, @optional in bit<8> more, in bit<8> last = 3);
control Simple(inout bit<8> x);
parser GenP<T>(packet_in b, out gh_t<T> h) {
    state start {
        b.extract(h);
        transition accept;
    }
}
parser Sub(packet_in b, out h_t h)(bool deep) {
    state start {
        transition select(deep) {
            true: more;
            false: accept;
        }
    }
    state more {
        b.extract(h);
        transition accept;
    }
}
parser Around(packet_in b, out h_t h)(Proto<h_t> inner, Box<bit<8>> box) {
    state start {
        inner.apply(b, h);
        box.put(h.x);
        transition accept;
    }
}
parser P(packet_in b, out hdr_t h) {
    Sub(true) sub;
    Box(8w0) box;
    Around(sub, box) around;
    GenP<bit<16>>() gen;
    state start {
        around.apply(b, h.h);
        gen.apply(b, h.g);
        GenP.apply(b, h.g);
        GenP<bit<16>>.apply(b, h.g);
        transition accept;
    }
}
control Inner<T>(inout T x)(T init, int n) {
    apply {
        T old = x;
        x = init;
        ignore(old);
        count(n);
    }
}
control Add(inout bit<8> x)(bit<8> by) { apply { x = x + by; } }
control Through(inout bit<8> x)(Simple s, kind_t k = kind_t.TWO) { apply { s.apply(x); } }
control Few(inout hdr_t h, inout meta_t m) { apply { } }
control Ig(inout hdr_t h, inout meta_t m, in bit<8> more) {
    Add(by = 2) two;
    Through(two) through;
    Through(k = kind_t.ONE, s = two) named;
    Inner(8w3, 4) inferred;
    Inner<bit<16>>(n = 1, init = 3) given;
    Box16() box16;
    Box<bit<8>>(32w16, 1) boxes[4];
    Hash<bit<16>>(kind_t.ONE) hash;
    Action<bit<8>, bool>(Box(8w1)) act = {
        Add(1) unused_here;
        Box<bit<8>>(7) own;
        void apply(inout bit<8> value, out bool rv) {
            value = this.helper(value) + own.get();
            rv = value > 3;
        }
        bit<8> extra<X>(in X x) { return 1; }
    };
    Action<bit<8>, bool>(box16, kind_t.TWO) optional_out = {
        void apply(inout bit<8> v) { v = 1; }
    };
    bit<8> initial = same(more);
    action send(in bit<8> x, bit<9> p) {
        port(p);
        port(p + 1);
        count(p);
        f(x);
    }
    table t {
        key = { h.h.x: exact; }
        actions = { send(m.a); NoAction; }
    }
    apply {
        m.a = same(m.a);
        m.b = same<bit<16>>(m.b);
        m.a = first(m.p);
        swap(m.a, h.h.x);
        swap<_>(x = m.a, y = h.h.x);
        m.a = (bit<8>) signed(3);
        m.a = (bit<8>) signed(flip = true, x = 4);
        m.a = scaled(m.a, 4);
        f(1);
        f(a = 1, b = 2);
        f(d = true, c = false);
        f(b = 1, a = 2);
        port(7);
        log<_>("nothing");
        log("a value", m.a);
        count(3 + 4);
        boxes[1].put(m.a);
        boxes[m.a].put(boxes[0].get());
        m.b = boxes[0].convert(m.a);
        m.b = boxes[0].convert<bit<16>>(m.a);
        box16.both(1, m.p);
        m.b = hash.get({ m.a, h.h.x });
        m.b = Hash<bit<16>>(kind_of(true)).get(h.h);
        bool ran = act.run(1);
        act.apply(m.a, ran);
        act.apply(m.a, _);
        optional_out.apply(m.a);
        m.a = act.extra(m.b);
        through.apply(m.a);
        named.apply(m.a);
        inferred.apply(m.a);
        given.apply(m.b);
        t.apply();
        m.b = (bit<16>) same(m.b).minSizeInBits();
    }
}
control Nothing(inout hdr_t h, inout meta_t m) { apply { } }

// Packages: type arguments that are inferred, given, left open; optional and default blocks; packages in packages.
package Pipe<H, M>(Proto<H> p, Block<H, M> c = Nothing(), @optional Block<H, M> second);
package Switch<H, M, H2, M2>(Pipe<H, M> first, @optional Pipe<H2, M2> last);
package Any(Pipe<_, _> p, Proto<_> q);
package Default<H, M>(Block<H, M> c = Nothing());
package Generic<T>(Proto<gh_t<T>> p, Simple s);
Pipe(p = P(), c = Ig()) pipe;
Pipe<hdr_t, meta_t>(p = P(), second = Few()) pipe2;
Switch<_, _, _, _>(pipe) one;
Switch(pipe, pipe2) two;
Any(pipe, Around(Sub(false), Box(8w2))) any;
Default<_, _>() three;
Generic<bit<16>>(GenP(), Through(Add(4))) four;
Switch(pipe) main;
