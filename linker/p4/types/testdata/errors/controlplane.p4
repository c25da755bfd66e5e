// Names for the control plane: one object each.
#include <core.p4>
extern ext { ext(); void f(); }
@name(".five") action top() { }
action unlisted() { }
control inner(in bit<8> x) {
    @name(".one") table one { key = { x : exact; } actions = { NoAction; } } // ERROR "knows several instances of this table as one"
    table two { key = { x : exact; } actions = { NoAction; } }
    @hidden @name(".three") table three { key = { x : exact; } actions = { NoAction; } }
    @name(".four") ext() four; // ERROR "several instances of this ext as four"
    apply { one.apply(); two.apply(); three.apply(); four.f(); }
}
control direct(in bit<8> x) {
    table t { key = { x : exact; } actions = { NoAction; } } // ERROR "knows the table at .* as c.direct.t, too"
    apply { t.apply(); }
}
control c(in bit<8> x) {
    inner() a;
    inner() b;
    @name(".five") action six() { } // ERROR "knows the action at .*:4:23 as five, too"
    @name(".unlisted") action seven() { }
    @name("a.two") table eight { // ERROR "knows the table at .*:8:11 as c.a.two, too"
        key = { x : exact; }
        actions = { top; six; seven; }
        default_action = top();
    }
    @name("direct.t") table nine { key = { x : exact; } actions = { NoAction; } }
    @name("nine") action nine_action() { } // a table and an action may share a name
    apply {
        a.apply(x);
        b.apply(x);
        direct.apply(x);
        direct.apply(x);
        eight.apply();
        nine.apply();
    }
}
control ct(in bit<8> x);
package top_t(ct one, ct two);
top_t(c(), c()) main;
