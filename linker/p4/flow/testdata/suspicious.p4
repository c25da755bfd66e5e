// What is legal and most likely not meant.
#include <core.p4>

match_kind { range }
header h_t { bit<8> f; bit<16> g; int<8> s; bool b; }

extern void two(out bit<8> x, inout bit<8> y);
extern void show(in bit<8> v);
@deprecated("use show") extern void old();

parser p(packet_in pkt, out h_t h) {
    value_set<bit<8>>(4) vs;
    state start {
        pkt.extract(h);
        transition select(h.f) {
            1: a;
            0x10 &&& 0xF0: b;
            0x12: a; // WARN "this case is never reached"
            0x11 &&& 0xF0: a; // WARN "this case is never reached" "0x11 has bits outside its mask"
            30..32: a;
            31: a; // WARN "this case is never reached"
            9..8: a; // WARN "this range is empty"
            vs: a;
            vs: b;
            _: accept;
            7: c; // WARN "this case is never reached"
            default: c; // WARN "this case is never reached"
        }
    }
    state a {
        transition select(h.f, h.g) { // WARN "rejected: there is no default"
            (1, 2): accept;
            (1, _): accept;
            (1, 3): accept; // WARN "this case is never reached"
            (_, 3): accept;
        }
    }
    state b { // WARN "state b has no transition"
    }
    state c { // WARN "state c is never reached"
        transition select(h.b) {
            true: accept;
            false: reject;
        }
    }
}

parser small(packet_in pkt, in h_t h) { // WARN "parser small never accepts"
    state start {
        transition select(h.f[0:0]) {
            0: reject;
            1: reject;
        }
    }
}

control c(inout h_t h, in bit<8> x, in bit<8> y) {
    bit<8> v = 1;
    action a() {}
    table t {
        key = {
            8w1 : exact; // WARN "this key never varies"
            h.f : ternary;
            h.g : range;
        }
        actions = { a; }
        const entries = {
            (1, 0x12 &&& 0xF0, 1..2): a(); // WARN "0x12 has bits outside its mask"
            (1, 0x10 &&& 0xF0, 3..2): a(); // WARN "this range is empty"
        }
    }
    apply {
        if (x < 0) { show(1); } // WARN "x < 0 is always false"
        if (x >= 0) { show(1); } // WARN "x >= 0 is always true"
        if (0 <= x) { show(1); } // WARN "0 <= x is always true"
        if (x <= 255) { show(1); } // WARN "x <= 255 is always true"
        if (h.s < 0) { show(1); }
        if (h.f == h.f) { show(1); } // WARN "h\.f == h\.f is always true"
        if (x != y && x < 1) { show(1); }
        if (1 < 2) { show(1); }
        h.f = h.f; // WARN "h\.f is assigned to itself"
        two(v, v); // WARN "v and v overlap"
        two(v, h.f);
        h.f[3:0] = h.f[7:4];
        old(); // WARN "old is deprecated: use show"
        t.apply();
        {
            if (x == 1) { return; } else { exit; }
            show(v); // WARN "this is never reached"
            show(v);
        }
    }
}
