// Properties, actions and entries of tables: g1.. are good, t1.. are not.
#include <core.p4>
header h_t { bit<8> x; bit<8> y; varbit<8> v; }
struct s_t { bit<8> a; bool b; }
enum plain_t { A, B }
enum bit<8> ser_t { A = 1, B = 2 }
match_kind { range, fancy }
action top_act() { }
action same() { }
extern Ext { Ext(bit<32> n); bit<8> get(); }
bit<8> f(inout bit<8> x) { return x; }
bit<8> fin(in bit<8> x) { return x; }
control C(inout h_t h, inout s_t s, inout plain_t pl, inout ser_t se, inout bool b, inout h_t[2] st, inout error er, in bit<8> ro, inout tuple<bit<8>> tu) {
  Ext(4) ext;
  action act(bit<8> v) { h.x = v; }
  action two(bit<8> v, bit<16> w) { h.x = v; }
  action dir(in bit<8> a, bit<8> v) { h.x = v; }
  action dirs(inout bit<8> a, out bit<8> o, in bit<8> i) { o = a + i; }
  action none() { }
  action same() { }
  table g1 { key = { h.x: exact; h.y: lpm; h.x + 1: ternary @name("n"); f(h.x): exact @name("f"); b: exact; se: exact; pl: exact; er: exact; h.x[3:0]: ternary; h.isValid(): exact; st[0].x: range; 8w1: exact; s.a & 3: fancy; }
    actions = { act; two; dir(h.x); dirs(h.x, h.y, 3); @defaultonly none; top_act; }
    default_action = none();
    size = 1024; }
  table t1 { key = { h: exact; } actions = { none; } default_action = none; } // ERROR "h_t cannot be a table key"
  table t2 { key = { s: exact; } actions = { none; } default_action = none; } // ERROR "s_t cannot be a table key"
  table t3 { key = { st: exact; } actions = { none; } default_action = none; } // ERROR "h_t\[2\] cannot be a table key"
  table t4 { key = { tu: exact; } actions = { none; } default_action = none; } // ERROR "tuple<bit<8>> cannot be a table key"
  table t5 { key = { 5: exact; } actions = { none; } default_action = none; } // ERROR "int cannot be a table key"
  table t6 { key = { h.x: nope; } actions = { none; } default_action = none; } // ERROR "nope is not a match kind"
  table t7 { key = { h.v: exact; } actions = { none; } default_action = none; } // ERROR "varbit<8> cannot be a table key"
  table t8 { key = { b: lpm; } actions = { none; } default_action = none; } // ERROR "a key of type bool cannot match by lpm"
  table t9 { key = { h.x: exact; } default_action = none; } // ERROR "table t9 has no actions" "action none is not among the table's actions"
  table t10 { key = { h.x: exact; } key = { h.y: exact; } actions = { none; } default_action = none; } // ERROR "property key is given twice"
  table t11 { key = { h.x: exact; } actions = { none; none; } default_action = none; } // ERROR "action none is listed twice"
  table t12 { key = { h.x: exact; } actions = { same; .same; } default_action = same; } // ERROR "action same is listed twice"
  table t13 { key = { h.x: exact; } actions = { dir; } default_action = none; } // ERROR "dir: argument a is missing" "action none is not among the table's actions"
  table t14 { key = { h.x: exact; } actions = { act(3); none; } default_action = none; } // ERROR "act takes 0 arguments, not 1"
  table t15 { key = { h.x: exact; } actions = { dir(h.x, 3); none; } default_action = none; } // ERROR "dir takes 1 arguments, not 2"
  table t16 { key = { h.x: exact; } actions = { dirs(3, h.y, 3); none; } default_action = none; } // ERROR "a value of type int stands for parameter a of type bit<8>"
  table t17 { key = { h.x: exact; } actions = { dirs(h.x, ro, 3); none; } default_action = none; } // ERROR "parameter ro cannot be written"
  table t18 { key = { h.x: exact; } actions = { dir(g1.apply().hit ? 8w1 : 2); none; } default_action = none; } // ERROR "a table may not be applied in a control"
  table g2 { key = { h.x: exact; } actions = { dir(h.x); } default_action = dir(h.x, 3); }
  table t19 { key = { h.x: exact; } actions = { dir(h.x); } default_action = dir(h.y, 3); } // ERROR "a is bound to something else in the list of actions"
  table t20 { key = { h.x: exact; } actions = { dir(h.x); } default_action = dir(h.x); } // ERROR "repeat the 1 arguments that the list of actions binds"
  table t21 { key = { h.x: exact; } actions = { act; } default_action = act; } // ERROR "act: argument v is missing"
  table t22 { key = { h.x: exact; } actions = { act; } default_action = act(h.x); } // ERROR "the value of v must be known at compile time"
  table t23 { key = { h.x: exact; } actions = { act; } default_action = none; } // ERROR "action none is not among the table's actions"
  table t24 { key = { h.x: exact; } actions = { @tableonly none; } default_action = none; } // ERROR "action none is @tableonly"
  table t25 { key = { h.x: exact; } actions = { none; } default_action = none; size = "a"; } // ERROR "the size of a table must be a constant integer"
  table t26 { key = { h.x: exact; } actions = { none; } default_action = none; size = 1; size = 2; } // ERROR "property size is given twice"
  table t27 { key = { h.x: exact; } actions = { none; } default_action = none; largest_priority_wins = 1; } // ERROR "a value of type int stands where bool is wanted"
  table t28 { key = { h.x: exact; } actions = { none; } default_action = none; priority_delta = 0; } // ERROR "priority_delta must be positive"
  table t29 { key = { h.x: exact; } actions = { none; } default_action = none; priority_delta = -1; } // ERROR "the priority_delta must be from 0 to 2147483647, not -1"
  table t30 { key = { h.x: exact; } actions = { none; } default_action = none; priority_delta = "a"; } // ERROR "the priority_delta must be a constant integer"
  table g3 { key = { h.x: ternary; h.y: exact; } actions = { act; two; none; @defaultonly top_act; } default_action = none;
    largest_priority_wins = false; priority_delta = 10;
    @noWarn("duplicate_priorities") entries = {
       const priority = 10: (1 &&& 3, 2): act(1);
       priority = (5 + 5): (_, 3): two(v = 1, w = 2);
       (1, 4): none();
       (default, 4): none;
    } }
  table g4 { key = { h.x: exact; } actions = { act; none; } default_action = none; const entries = { 1: act(3); (2): act(4); ser_t.A: none; const 4: none; } } // ERROR "there is an entry with this key already"
  table t31 { key = { h.x: ternary; } actions = { none; } default_action = none; const entries = { priority = 3: 1: none; } } // ERROR "const entries are matched in their order and have no priorit"
  table t32 { key = { h.x: ternary; } actions = { none; } default_action = none; entries = { 1: none; priority = 3: 2: none; } } // ERROR "either the first entry has a priority or none has"
  table t33 { key = { h.x: ternary; } actions = { none; } default_action = none; entries = { priority = (-1): 2: none; } } // ERROR "the priority of this entry is -1, and must not be negative"
  table t34 { key = { h.x: exact; } actions = { none; } default_action = none; entries = { priority = 1: 2: none; } } // ERROR "entries of this table have no priority: no key is matched by"
  table t35 { key = { h.x: exact; } actions = { none; } default_action = none; entries = { _: none; } } // ERROR "an exact key needs a value"
  table t36 { key = { h.x: exact; } actions = { none; } default_action = none; entries = { true: none; } } // ERROR "a value of type bool stands where bit<8> is wanted"
  table t37 { key = { h.x: exact; } actions = { none; } default_action = none; entries = { h.x: none; } } // ERROR "the key of an entry must be known at compile time"
  table t38 { key = { h.x: exact; } actions = { none; } default_action = none; entries = { (1, 2): none; } } // ERROR "2 values where 1 are matched"
  table t39 { key = { h.x: exact; } actions = { none; act; } default_action = none; entries = { 1: act; } } // ERROR "act: argument v is missing"
  table t40 { key = { h.x: exact; } actions = { none; act; } default_action = none; entries = { 1: act(h.x); } } // ERROR "the value of v must be known at compile time"
  table t41 { key = { h.x: exact; } actions = { none; @defaultonly act; } default_action = none; entries = { 1: act(1); } } // ERROR "action act is @defaultonly"
  table t42 { key = { h.x: exact; } actions = { none; } default_action = none; entries = { 1: act(1); } } // ERROR "action act is not among the table's actions"
  table t43 { key = { h.x: lpm; } actions = { none; } default_action = none; entries = { 1 &&& 5: none; } } // ERROR "the mask of a key matched by lpm must be a prefix"
  table t44 { key = { h.x: range; } actions = { none; } default_action = none; entries = { 1 .. 5: none; 1 &&& 3: none; } } // ERROR "a mask cannot stand for a key matched by range"
  table t45 { key = { h.x: ternary; } actions = { none; } default_action = none; entries = { 1 .. 5: none; } } // ERROR "a range cannot stand for a key matched by ternary"
  table t46 { actions = { none; } default_action = none; entries = { 1: none; } } // ERROR "a table without keys has no entries"
  table t47 { key = { } actions = { none; } default_action = none; entries = { 1: none; } } // ERROR "a table without keys has no entries"
  table order { key = { h.x: ternary; } actions = { none; } default_action = none; entries = { priority = 2: 2: none; priority = 3: 3: none; priority = 2: 4: none; } }
  table g5 { key = { } actions = { none; } default_action = none; }
  table g6 { actions = { } }
  table g7 { key = { h.x: lpm; } actions = { none; } default_action = none; entries = { 0xf0 &&& 0xf0: none; _: none; 3: none; } }
  table g8 { key = { h.x: exact; } actions = { none; } default_action = none; implementation = Ext(3); other = ext; more = { a = 1, b = "x" }; const flag = true; }
  table t48 { key = { h.x: exact; } actions = { none; } default_action = none; other = h.x; } // ERROR "the value of property other must be an instance or known at "
  table t49 { key = { h.x: exact; } actions = { none; } default_action = none; other = none; } // ERROR "none is an action and no value"
  table t50 { key = { h.x: exact; } actions = { none; } default_action = none; other = ext.get(); } // ERROR "the value of property other must be an instance or known at "
  apply { g1.apply(); g1.apply(1); } // ERROR "apply takes 0 arguments, not 1"
}
