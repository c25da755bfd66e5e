// Values that are not set, along every kind of way.
#include <core.p4>

struct pair { bit<8> a; bit<8> b; }

extern bit<8> choose();
extern void show(in bit<8> v);
extern void fetch(out bit<8> v);
extern void change(inout bit<8> v);
extern void take(in pair p);

bit<8> sum(in bit<8> x, in bit<8> y) { return x + y; }

void halves(out bit<8> one, out bit<8> two) { // WARN "out parameter two is not set on every way to the end"
    one = 1;
    if (choose() == 1) {
        two = 2;
    }
}

bit<8> early(out bit<8> why) {
    if (choose() == 0) {
        why = 1;
        return 0;
    }
    why = 2;
    return 1;
}

void never(out bit<8> x) { // WARN "out parameter x is never set"
}

void parts(out pair p) { // one part is enough: which ones are wanted is not known
    p.a = 1;
}

control straight() {
    bit<8> v;
    bit<8> w = 3;
    bit<8> given;
    apply {
        show(v); // WARN "v has no value here"
        show(w);
        fetch(given);
        show(given);
        v = 1;
        show(v);
    }
}

control branches() {
    bit<8> v;
    bit<8> w;
    bit<8> s;
    apply {
        if (choose() == 1) {
            v = 1;
            w = 1;
        } else {
            w = 2;
        }
        show(v); // WARN "v may have no value here"
        show(w);
        switch (choose()) {
            1: { s = 1; }
            2:
            3: { s = 2; }
            default: { s = 3; }
        }
        show(s);
        bit<8> t;
        switch (choose()) {
            1: { t = 1; }
        }
        show(t); // WARN "t may have no value here"
        bit<8> lazy;
        if (choose() == 1 && sum(lazy, 1) == 2) { // WARN "lazy has no value here"
            show(1);
        }
        bit<8> chosen;
        show(choose() == 1 ? w : chosen); // WARN "chosen has no value here"
    }
}

control ends() {
    bit<8> v;
    apply {
        if (choose() == 1) {
            v = 1;
        } else if (choose() == 2) {
            return;
        } else {
            exit;
        }
        show(v);
    }
}

control known() {
    bit<8> v;
    bit<8> w;
    apply {
        if (true) { v = 1; } else { show(w); }
        show(v);
    }
}

control loops() {
    bit<8> v;
    bit<8> last;
    bit<8> w;
    apply {
        for (bit<8> i = 0; i < 4; i = i + 1) {
            if (i == 2) {
                show(v); // WARN "v may have no value here"
                continue;
            }
            v = i;
            last = i;
        }
        show(last); // WARN "last may have no value here"
        for (bit<8> i in 1..3) {
            show(i);
            if (i == 2) {
                w = 1;
                break;
            }
        }
        show(w); // WARN "w may have no value here"
    }
}

control structs() {
    pair p;
    pair q;
    pair r;
    pair s = { 1, 2 };
    apply {
        p.a = 1;
        show(p.a);
        show(p.b); // WARN "p\.b has no value here"
        take(p);
        take(q); // WARN "q has no value here"
        r = p;
        show(r.a);
        show(r.b); // WARN "r\.b has no value here"
        r = { b = 3, a = r.a };
        show(r.b);
        show(s.b);
        bit<8> bits;
        bits[3:0] = 4;
        show(bits);
        bit<8> counted;
        counted += 1; // WARN "counted has no value here"
        show(counted);
        bit<8> changed;
        change(changed); // WARN "changed has no value here"
        show(changed);
    }
}

control actions() {
    bit<8> v;
    bit<8> w;
    bit<8> x;
    action set_v() { v = 1; }
    action use_v() { show(v); } // WARN "v may have no value here"
    action use_w() { show(w); } // WARN "w has no value here"
    action give(out bit<8> o) { o = 4; }
    action keep(out bit<8> o) { // WARN "out parameter o is never set"
    }
    apply {
        use_v();
        set_v();
        use_v();
        use_w();
        give(x);
        show(x);
        keep(x);
    }
}
