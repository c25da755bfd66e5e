// @noWarn silences its kind, for the declaration and all that is in it, and nothing else.
#include <core.p4>

extern void show(in bit<8> v);

@noWarn("uninitialized_use") @noWarn("unused")
control all() {
    bit<8> v;
    bit<8> w;
    apply {
        show(v);
        return;
        show(v); // WARN "this is never reached"
    }
}

control one() {
    @noWarn("unused") bit<8> v;
    @noWarn("P4510") bit<8> w;
    @noWarn("other") bit<8> x; // WARN "x is unused"
    apply {}
}
