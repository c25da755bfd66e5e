// What holds after a table depends on which action ran.
#include <core.p4>

extern void show(in bit<8> v);

control results(in bit<8> k) {
    bit<8> v;
    bit<8> w;
    bit<8> y;
    bit<8> z;
    action set_v(bit<8> d) { v = d; w = d; }
    action none() {}
    action start() { y = 1; }
    action set_z() { z = 1; }
    table open {
        key = { k : exact; }
        actions = { set_v; @defaultonly none; }
        default_action = none;
    }
    table switched {
        key = { k : exact; }
        actions = { set_v; none; }
        const default_action = none;
    }
    table keyless {
        actions = { start; }
        const default_action = start;
    }
    table fixed {
        key = { k : exact; }
        actions = { set_z; none; @defaultonly start; }
        const default_action = start;
        const entries = { 1 : set_z(); }
    }
    apply {
        if (open.apply().hit) {
            show(v);
        } else {
            show(v); // WARN "v may have no value here"
        }
        switch (switched.apply().action_run) {
            set_v: { show(w); }
            none: { show(w); } // WARN "w may have no value here"
        }
        keyless.apply();
        show(y);
        if (!fixed.apply().miss) {
            show(z);
        }
    }
}

control missing(in bit<8> k) {
    bit<8> v;
    action set_v() { v = 1; }
    table implicit {
        key = { k : exact; }
        actions = { set_v; }
    }
    table keyed {
        key = { v : exact; } // WARN "v may have no value here"
        actions = { set_v; }
    }
    apply {
        implicit.apply();
        keyed.apply();
    }
}
