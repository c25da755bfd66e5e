struct S {
    bit<8> f;
    bit<8> type;
    bit<8> apply;
    bit<8> key;
    bit<8> list;
}

bit<8> f<T>(in T x) {
    return 1;
}

const bool LESS = 4 + { 1 }.f < 10;

control Names(inout S type, in S key, in S actions, in S state, in S entries, in S priority) {
    action list_(bit<8> apply) {
        type.type = apply;
    }

    table table_ {
        key = {
            key.key : exact;
            type.type : exact;
            priority.f : exact;
        }
        actions = {
            list_;
        }
        entries = {
            (1, 2, 3) : list_(1);
        }
    }

    apply {
        type.f = key.f + actions.f + state.f + entries.f + priority.f;
        priority = state;
        if (type.f < 3 && 4 > key.f) {
            type.apply = 1;
        }
        table_.apply();
        bool b = type.f < key.f;
        bit<8> S = 3;
        S = S + 1;
        b = S < 3;
    }
}

struct Pair<A, B> {
    A a;
    B b;
}

struct Nest {
    Pair<bit<8>, Pair<bit<8>, bit<(16 >> 1)>>> p;
}

const bit<8> SHIFT = 255 >> 3;
const bit<(8 * 2)> PAREN = 1;
const bit<(8 + 8)> BARE = 1;

struct bits {
    bit<8> bits_;
}

struct T1 {
    bits bits;
}

extern R convert<A, R>(in A a);

struct Arr {
    bit<8>[2][3] a;
    S[4] s;
}

@a @b() @c(1, (2), [3] } {; "x") @d[] @e[1, "two", true] @f[k = 1, type = "v"] @default @_ @if(x > > y) const bool LAST = false;
