error {
    BadHeader,
    TooLong
}

match_kind {
    exact,
    ternary,
    fuzzy
}

@file_note(some (balanced) "tokens" 1 + 2) @size(3) const bit<8> A = 8w0xF_F;
const int B = -5 + +3 - ~0b1010 * (7 / 2) % 0o17;
const bool T = true && !false || A == 3 && A != 8w4;
const bit<(8 * 2)> WIDE = 0;
const bit<A> NAMED = A[3:0] ++ 4w1;
const int<8> SIGNED = 8s1 |+| 8s2 |-| 3;
const bit<8> MIX = A << 2 | A >> 1 & A ^ A[1 +: 3];
const bit<8> CHOOSE = A > 3 ? A : (A <= 2 ? 1 : (A >= 1 ? 0d2 : 3));
const string S = "a \"quoted\" \\ string
over lines";
const tuple<bit<8>, bool, error> TUPLE = { 1, true, error.NoError };
const list<tuple<bit<8>, bit<8>>> PAIRS = { { 1, 2 }, { 3, 4 } };

typedef bit<48> Mac;
type bit<9> Port;

typedef struct Inner {
    bit<1> a;
} Alias;

typedef enum bit<2> Mode {
    Off = 0,
    On = 1
} ModeAlias;

enum Color {
    Red,
    Green,
    Blue
}

enum bit<16> EtherType {
    IPv4 = 0x800,
    IPv6 = 0x86DD
}

header H {
    @name("field") bit<8> a;
    varbit<32> v;
    bit<16> type;
}

header_union U {
    H one;
    H two;
}

struct Box<X> {
    X value;
    bit<8>[3] arr;
    H[2][3] grid;
}

struct Empty { }

extern Sum<X, Y> {
    Sum();
    Sum(bit<32> size, @optional bool wide = false);
    @pure
    Y get<Z>(in X x, Z z = ...);
    abstract void apply(inout X x);
    bit<8> size();
}

extern void ping();
extern X pick<X>(in X a, in X b);
extern Box<X> box<X>(X x);

bit<8> twice(in bit<8> x) {
    return x + x;
}

X same<X>(X x) {
    return x;
}

action global(inout bit<8> x) {
    x = 1;
}

@proto
parser Prs<X>(in bit<8> pkt, out X hdr);

control Ctl<X>(inout X hdr);

package Pipe<X>(Prs<X> p, Ctl<X> c = {});

parser P(in bit<8> pkt, out H hdr, inout U[2] us)(bit<8> size = 4) {
    const bit<8> LIMIT = 7;
    bit<8> count = 0;
    Sum<bit<8>, bit<8>>() sum;
    @capacity[4]
    value_set<tuple<bit<8>, bit<16>>>(size) seen;

    state start {
        bit<8> t;
        const bit<8> c = 2;
        count = count + 1;
        if (count > LIMIT) {
            t = 1;
        } else
            t = 2;
        {
            t = 3;
        }
        ;
        transition select(t, hdr.type) {
            (1, 0x800 &&& 0xFFF0): next;
            (2 .. 5, default): next;
            (_, EtherType.IPv4): next;
            seen: start;
            default: reject;
        }
    }

    @note
    state next {
        transition select(count) {
            1: accept;
            (3): accept;
            (4 .. 7): start;
            _: start;
        }
    }

    state stuck { }
}

control C(inout H hdr, in bit<8> type, inout Box<bit<8>> b)(Sum<_, bit<8>> s) {
    bit<8> x;
    bool flag = hdr.isValid();
    Box<bit<8>> local = { value = 1, ... };
    H inv = {#};

    Sum<H, bit<8>>(16, wide = true) acc = {
        Sum<bit<8>, bit<8>>() state;
        void apply(inout H x) {
            x.a = this.get<void>({ 1, 2 }, _);
        }
    };

    @hidden
    action set(in bit<8> v, bit<8> w) {
        x = v;
        return;
    }

    action drop() {
        exit;
    }

    table t {
        key = {
            hdr.a : exact @name("a");
            (bit<8>)type + 1 : ternary;
            hdr.a & 3 : fuzzy;
        }
        actions = {
            set(x);
            @defaultonly .global;
            drop;
        }
        @note const entries = {
            (1, 2, default) : set(3) @e;
            const priority = 10 : (1, 2 &&& 3, _) : drop();
            priority = (A + 1) : (5 .. 6, (3), 4) : drop;
        }
        const default_action = drop();
        size = 1024;
        @impl implementation = Sum<bit<8>, bit<8>>(32);
    }

    table single {
        key = {
            x : exact;
        }
        actions = {
            drop;
        }
        entries = {
            3 : drop;
            (4) : drop();
        }
    }

    apply {
        t.apply();
        if (t.apply().hit)
            drop();
        else if (!t.apply().miss)
            x = 1;
        else {
            x += 2;
        }
        switch (t.apply().action_run) {
            set: {
                x -= 1;
            }
            drop:
            default: @ann {
                x *= 2;
            }
        }
        switch (x) {
            1: { }
            (2): { }
            A: { }
        }
        @unroll for (@v bit<8> i in 1 .. 3) {
            x |= i;
            continue;
        }
        for (bit<8> e in b.arr)
            x ^= e;
        for (bit<8> i = 0, bit<8> j = 1; i < 3; i = i + 1, ping()) {
            break;
        }
        for (; x > 1; )
            x >>= 1;
        @atomic {
            x <<= 1;
            x /= 3;
            x %= 2;
            x &= 1;
            x |+|= 1;
            x |-|= 2;
        }
        C.apply(hdr, type = 1, b = _);
        x = same<bit<8>>(x);
        x = pick(b = x, a = 4 + hdr.a);
        hdr.a[3:1] = 3;
        b.grid[0][x] = { a = 1, v = ..., type = 3 };
        b.arr = { 1, 2, ... };
        flag = 4 + hdr.a < 10;
        flag = x > hdr.a;
        x = (bit<8>)-x;
        x = (bit<8>)(bit<4>)(x + 1)[3:0];
        .global(x);
        ping();
        return;
    }
}

control Deparser<X>(in X h);

Pipe<H>(P(), C(Sum<bit<8>, bit<8>>())) main;
