// Priorities of initial entries, and sizes that annotations give.
#include <core.p4>
header old_t {
    bit<8> n;
    @length((bit<32>)n * 8) varbit<64> ok;
    @length(later) varbit<64> bad; // ERROR "later is neither declared nor a field before this one"
    bit<32> later;
}
control c(in bit<8> x) {
    action a() { }
    table in_order {
        key = { x : ternary; }
        actions = { a; NoAction; }
        const entries = {
            1 : a;
            priority = 4 : 2 : a; // ERROR "const entries are matched in their order"
        }
    }
    table late {
        key = { x : ternary; }
        actions = { a; NoAction; }
        entries = {
            1 : a;
            priority = 4 : 2 : a; // ERROR "either the first entry has a priority or none has"
        }
    }
    table negative {
        key = { x : ternary; }
        actions = { a; NoAction; }
        entries = {
            priority = (-1) : 1 : a; // ERROR "the priority of this entry is -1"
        }
    }
    table falls {
        key = { x : ternary; }
        actions = { a; NoAction; }
        priority_delta = 10;
        entries = {
            priority = 15 : 1 : a;
            2 : a;
            3 : a; // ERROR "the priority of this entry is -5"
            4 : a;
        }
    }
    apply { }
}
type bit<8> new_t;
enum new_t not_bits { a = 1 } // ERROR "an enum is represented by a bit or int type, not by new_t"
