// Tables and their properties.
#include <v1model.p4>
struct m_t { bit<8> a; bit<16> b; bool c; int<8> d; tuple<bit<8>> t; }
action top(in bit<8> x, bit<8> y) { }
control c(inout m_t m) {
    direct_counter(CounterType.packets) dc;
    action set(bit<8> v) { m.a = v; }
    action none() { }
    table t2 { key = { m.t: exact; } actions = { none; } } // ERROR "tuple<bit<8>> cannot be a table key"
    table t3 { key = { m.a: nope; } actions = { none; } } // ERROR "nope is not a match kind"
    table t4 { key = { m.c: lpm; } actions = { none; } } // ERROR "cannot match by lpm"
    table t5 { actions = { none; none; } } // ERROR "action none is listed twice"
    table t6 { actions = { m; } } // ERROR "m is not an action"
    table t7 { actions = { top; } } // ERROR "argument x is missing"
    table t8 { actions = { none; } default_action = set(1); } // ERROR "set is not among the table's actions"
    table t9 { actions = { set; } default_action = set; } // ERROR "argument v is missing"
    table ta { actions = { set; } default_action = set(m.a); } // ERROR "must be known at compile time"
    table tb { actions = { none; } size = m.a; } // ERROR "size of a table must be a constant"
    table tc { actions = { none; } colour = m.a; } // ERROR "property colour must be an instance or known at compile time"
    table td { actions = { none; } size = 1; size = 2; } // ERROR "property size is given twice"
    table te { actions = { none; } counters = 5; } // ERROR "counters cannot be int"
    table tf { actions = { none; } meters = dc; } // ERROR "meters cannot be direct_counter"
    table tg { default_action = none; actions = { none; } } // ERROR "default_action must stand after actions"
    table th { actions = { @tableonly none; } default_action = none; } // ERROR "none is @tableonly"
    table ti { key = { m.a: exact; m.b: lpm; }
        actions = { set; @defaultonly none; }
        const entries = {
            (1, 0xff00 &&& 0xff00): set(1);
            (_, 1): set(2); // ERROR "an exact key needs a value"
            (1 &&& 1, 1): set(2); // ERROR "a mask cannot stand for a key matched by exact"
            (1, 1 &&& 0x0f00): set(2); // ERROR "must be a prefix"
            (1, 1 .. 2): set(2); // ERROR "a range cannot stand for a key matched by lpm"
            (m.a, 1): set(2); // ERROR "must be known at compile time"
            (1, 2): set(); // ERROR "argument v is missing"
            (1, 4): none; // ERROR "none is @defaultonly"
            (1, 0xff00 &&& 0xff00): set(1); // ERROR "an entry with this key already"
            priority = 3: (7, 8): set(1); // ERROR "have no priority: no key is matched by"
        }
    }
    table sum { key = { m.a + 1: exact; m.b & 3: exact; m.b + 1: exact @name("b"); } actions = { set; none; } } // ERROR "this key needs a @name"
    table ok { key = { m.a: exact; } actions = { set; none; } }
    apply {
        if (ok.apply()) { } // ERROR "type apply_result stands where bool is wanted"
        if (ok.apply().run) { } // ERROR "apply_result has no member run"
        ok.apply(1); // ERROR "apply takes 0 arguments, not 1"
        switch (ok.apply().action_run) {
            set: { }
            set: { } // ERROR "this label stands here twice"
            top: { } // ERROR "top is not an action of this table"
            1: { } // ERROR "an action is wanted here"
        }
        switch (m.a) {
            1: { }
            16w2: { } // ERROR "type bit<16> stands where bit<8> is wanted"
            m.a: { } // ERROR "a label must be known at compile time"
        }
        none();
        top(1, 2);
        dc.nope(); // ERROR "direct_counter has no method nope"
    }
}
control d(inout m_t m) {
    table ok { actions = { NoAction; } }
    action late() { ok.apply(); } // ERROR "a table may not be applied in an action"
    apply { }
}
control selectors(inout bit<8> x) {
    action a() { }
    table t {
        key = { x: selector; }
        actions = { a; }
        default_action = a;
        const entries = { 1: a; }
    }
    apply { t.apply(); }
}
