// Statements, parsers and loops.
#include <core.p4>
header h_t { bit<8> x; bit<8> y; }
struct s_t { bit<8> a; bool b; }
enum plain_t { A, B }
enum bit<8> ser_t { A = 1, B = 2 }
action top_act() { }
bit<8> fn(in bit<8> x) { exit; return x; } // ERROR "exit may not stand in a function"
bit<8> fn2(in bit<8> x) { return; } // ERROR "a value of type bit<8> must be returned"
void fn3() { return 1; } // ERROR "no value is returned here"
void fn4() { return; }
bit<8> fn5(in bit<8> x) { if (x == 1) return 1; } // ERROR "function fn5 may end without returning a value"
bit<8> fn6(in bit<8> x) { switch (x) { 1: { return 1; } default: { return 2; } } }
bit<8> fn7(in bit<8> x) { for (bit<8> i in 1..3) { return i; } } // ERROR "function fn7 may end without returning a value"
bit<8> fn8(in bit<8> x) { top_act(); return x; } // ERROR "an action may not be called in a function"
bit<8> fn9(in bit<8> x) { x = 1; return x; } // ERROR "parameter x cannot be written"
parser P(packet_in p, out h_t h, inout h_t[2] st, inout h_t g) {
  value_set<bit<8>>(4) vs;
  value_set<h_t>(4) vs2; // ERROR "a value set cannot hold h_t"
  value_set<ser_t>(4) vs3;
  value_set<bool>(4) vs4;
  value_set<plain_t>(4) vs5;
  state start {
    transition next;
  }
  state next {
    transition next2;
  }
  state next2 {
    st.last.x = 1; // ERROR "a stack's last cannot be written"
    st.next.x = 1;
    h.x = st.last.x;
    st[st.lastIndex] = g;
    p.extract(st.last); // ERROR "a stack's last cannot be written"
    p.extract(st.next);
    st.push_front(1);
    { bit<8> k = 1; h.x = k; }
    if (h.x == 1) { h.y = 1; } else { h.y = 2; }
    transition select(h.x, h.y) {
      (1, 2): accept;
      (vs, _): accept;
      (_, _): next3;
      _: accept;
    }
  }
  state next3 {
    transition select(h.x) {
      vs: accept;
      vs3: accept; // ERROR "a set<ser_t> cannot match bit<8>"
      1 .. 5: accept;
      0 &&& 3: accept;
      (7): accept;
      ser_t.A: accept;
      default: next4;
    }
  }
  state next4 {
    transition select(h) { // ERROR "cannot select on h_t"
      default: accept;
    }
  }
  state next5 {
    transition select(8w1, true, error.NoError, plain_t.A) {
      (1, true, error.NoError, plain_t.A): accept;
      (1, 1 .. 2, _, _): accept; // ERROR "a value of type int stands where bool is wanted" "\.\. is not defined on bool" "a value of type int stands where bool is wanted"
      (_, _, _, plain_t.A &&& plain_t.B): accept; // ERROR "&&& is not defined on plain_t"
    }
  }
}
control C(inout h_t h, inout s_t s, inout plain_t pl, inout ser_t se, inout bool b, inout h_t[2] st, in bit<8> ro) {
  action act(bit<8> v) { h.x = v; }
  action ctl() { exit; return; }
  action bad() { return 1; } // ERROR "no value is returned here"
  action app() { t.apply(); } // ERROR "t is not declared"
  action swi() { switch (h.x) { 1: { } } }
  action none() { }
  table t { key = { h.x: exact; } actions = { act; ctl; none; } default_action = none; }
  table other { key = { h.x: exact; } actions = { act; none; } default_action = none; }
  bit<8> loop = 0;
  apply {
    switch (t.apply().action_run) { act: { } none: ctl: { } default: { } }
    switch (t.apply().action_run) { act: { } act: { } } // ERROR "this label stands here twice"
    switch (t.apply().action_run) { top_act: { } } // ERROR "top_act is not an action of this table"
    switch (t.apply().action_run) { 1: { } } // ERROR "an action is wanted here"
    switch (t.apply().hit) { true: { } } // ERROR "cannot switch on bool"
    switch (h.x) { 1: 2: { } default: { } }
    switch (h.x) { 1: { } 1: { } } // ERROR "this label stands here twice"
    switch (h.x) { default: { } 1: { } } // ERROR "default is the last label"
    switch (h.x) { true: { } } // ERROR "a value of type bool stands where bit<8> is wanted"
    switch (h.x) { h.y: { } } // ERROR "a label must be known at compile time"
    switch (h.x) { ser_t.A: { } 300: { } }
    switch (se) { ser_t.A: { } (ser_t) 3: { } }
    switch (se) { ser_t.A: { } 3: { } } // ERROR "a value of type int stands where ser_t is wanted"
    switch (pl) { plain_t.A: { } }
    switch (s) { default: { } } // ERROR "cannot switch on s_t"
    switch (h) { default: { } } // ERROR "cannot switch on h_t"
    switch (3w1) { 1: { } }
    b = b ? b : b ? b : b; // a warning
    if (t.apply().hit || !other.apply().miss) { }
    h.x = t.apply().hit ? 8w1 : 2;
    b = t.apply(); // ERROR "a value of type apply_result stands where bool is wanted"
    b = t.apply().action_run == t.apply().action_run; // ERROR "== is not defined on action_run and action_run"
    for (bit<8> i in 1..3) { h.x = h.x + i; if (i == 2) break; continue; }
    for (bit<8> i in h.x..h.y) { }
    for (bit<8> i in 1..true) { } // ERROR "a value of type bool stands where bit<8> is wanted"
    for (bool i in 1..3) { } // ERROR "a loop variable over a range has a bit or int type, not bool"
    for (bit<8> i = 0, bit<8> j = 1; i < 10; i = i + 1, j += 2) { }
    for (i = 0; i < 10; i = i + 1) { } // ERROR "i is not declared" "i is not declared" "i is not declared" "i is not declared"
    for (loop = 0; loop < 10; loop += 1) { loop -= 1; }
    for (h_t e in st) { h.x = e.x; }
    for (bit<8> e in st) { } // ERROR "elements of h_t\[2\] are no bit<8>"
    for (bit<8> e in (list<bit<8>>) { 1, 2, 3 }) { h.x = e; }
    for (s_t e in (list<s_t>) { { 1, true }, { 2, false } }) { h.x = e.a; }
    for (bit<8> e in h.x) { } // ERROR "cannot loop over bit<8>"
    for (;h.x;) { } // ERROR "a value of type bit<8> stands where bool is wanted"
    for (;h.x < 3;) { h.x += 1; }
    i = 1; // ERROR "i is not declared"
    break; // ERROR "this may only stand in a loop"
    h.x += 1;
    h.x -= h.y;
    h.x *= 2;
    h.x |+|= 1;
    h.x |-|= 1;
    h.x &= 3;
    h.x |= 3;
    h.x ^= 3;
    h.x <<= 1;
    h.x >>= h.y;
    h.x[3:0] += 1;
    b |= true; // ERROR "\| is not defined on bool and bool"
    h += 1; // ERROR "\+ is not defined on h_t and int"
    h.x += true; // ERROR "\+ is not defined on bit<8> and bool"
    se += 1; // ERROR "\+ gives bit<8>, which cannot be assigned to ser_t"
    ro += 1; // ERROR "parameter ro cannot be written"
    h.x[3:0] = 1;
    h.x[7:4][1:0] = 1;
    h.x[1 +: 3] = 1;
    h.x[h.y +: 3] = 1;
    h.x[s.b +: 3] = 1; // ERROR "the start of a slice cannot be bool"
    h.x[8:0] = 1; // ERROR "\[8:0\] is no slice of bit<8>"
    h.x[0:1] = 1; // ERROR "\[0:1\] is no slice of bit<8>"
    (h.x) = 1;
    s.a = 3;
    s = s;
    st[0] = st[1];
    st[h.x].x = 3;
    st[2].x = 3; // ERROR "index 2 is outside 0 to 1"
    st[-1].x = 3; // ERROR "index -1 is outside 0 to 1"
    st[b].x = 3; // ERROR "an index cannot be bool"
    st[ser_t.A].x = 3;
    st = st;
    st.push_front(1);
    st.pop_front(2);
    st.push_front(-1); // ERROR "push_front needs a constant that is not negative"
    h.x = (bit<8>) st.size;
    return 1; // ERROR "no value is returned here"
    return;
    exit;
    ;
    act(3);
    act(h.y);
    act(); // ERROR "act: argument v is missing"
    fn4();
    h.x = fn6(3);
    fn6(3);
    h.setValid();
    st[1].setInvalid();
    s.setValid(); // ERROR "s_t has no method setValid"
    ro.setValid(); // ERROR "bit<8> has no method setValid"
    const bit<8> loc = 3;
    loc = 4; // ERROR "loc cannot be written"
    const bit<8> loc2 = h.x; // ERROR "the value of constant loc2 is not known at compile time"
    bit<8> shadow = loc;
    { bit<8> shadow = 3; }
    bit<8> shadow = 1; // ERROR "shadow is already declared"
  }
}
