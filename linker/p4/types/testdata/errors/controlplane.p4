// Names for the control plane: one object each.
#include <core.p4>
extern ext { ext(); void f(); }
@name(".five") action top() { }
action unlisted() { }
control inner(in bit<8> x) {
    @name(".one") table one { key = { x : exact; } actions = { NoAction; } } // ERROR "two instances of this table are called one"
    table two { key = { x : exact; } actions = { NoAction; } }
    @hidden @name(".three") table three { key = { x : exact; } actions = { NoAction; } }
    @name(".four") ext() four; // ERROR "two instances of this ext are called four"
    apply { one.apply(); two.apply(); three.apply(); four.f(); }
}
control direct(in bit<8> x) {
    table t { key = { x : exact; } actions = { NoAction; } } // ERROR "two tables are called c.direct.t"
    apply { t.apply(); }
}
control ct(in bit<8> x);
control outer(in bit<8> x)(ct first, ext object) { // ERROR "two exts are called c.made.object"
    @name("first.two") table clash { key = { x : exact; } actions = { NoAction; } }
    @name("object") ext() other;
    apply { first.apply(x); clash.apply(); object.f(); other.f(); }
}
control simple(in bit<8> x) {
    table two { key = { x : exact; } actions = { NoAction; } } // ERROR "two tables are called c.made.first.two"
    apply { two.apply(); }
}
control c(in bit<8> x) {
    outer(simple(), ext()) made;
    inner() a;
    inner() b;
    @name(".five") action six() { } // ERROR "two actions are called five .*:4:23"
    @name(".unlisted") action seven() { }
    @name("a.two") table eight { // ERROR "two tables are called c.a.two .*:8:11"
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
        made.apply(x);
        eight.apply();
        nine.apply();
    }
}
package top_t(ct one, ct two);
top_t(c(), c()) main;
