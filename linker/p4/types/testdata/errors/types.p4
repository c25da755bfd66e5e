// Types that may not stand where they do.
#include <core.p4>
const int n = 3;
header h_t { bit<8> x; }
header bad_t { h_t h; } // ERROR "a header cannot hold a field of type h_t"
header_union u_t { bit<8> x; } // ERROR "a header_union cannot hold a field of type bit<8>"
struct stack_t { h_t[(n - 4)] none; } // ERROR "must be from 0 to 65536, not -1"
struct stack2_t { h_t[3][2] none; } // ERROR "an array cannot hold h_t\[3\]"
struct stack3_t { string[2] none; } // ERROR "an array cannot hold string"
struct stack4_t { tuple<bit>[2] none; } // ERROR "an array cannot hold tuple<bit<1>>"
header varbits_t { varbit<8>[2] none; } // ERROR "a header cannot hold a field of type varbit<8>\[2\]"
header stack5_t { h_t[2] none; } // ERROR "a header cannot hold a field of type h_t\[2\]"
struct width_t { bit<(n - 4)> x; } // ERROR "must be from 0 to 65536, not -1"
struct width2_t { bit<100000> x; } // ERROR "must be from 0 to 65536, not 100000"
struct g_t<T> { T x; }
struct use_t { g_t y; } // ERROR "g_t needs 1 type arguments"
struct use2_t { g_t<bit<8>, bool> y; } // ERROR "g_t takes 1 type arguments, not 2"
header gh_t<T> { T x; }
struct use3_t { gh_t<h_t> y; } // ERROR "a header cannot hold a field of type h_t"
type h_t m_t; // ERROR "cannot be made of h_t"
enum bool e_t { A = 1 } // ERROR "represented by a bit or int type"
extern X<T> { X(); }
struct use4_t { g_t<X<bool>> y; } // ERROR "a struct cannot hold a field of type X<bool>"
extern void o(out packet_in p); // ERROR "passed without a direction"
extern void i(in int x); // ERROR "must be a constant, without a direction"
control c1(in h_t h)(out bit<8> x) { apply { } } // ERROR "a constructor parameter has no direction"
action act(bit<8> x, in bit<8> y) { } // ERROR "parameters without a direction come last"
bit<8> r(in bool x) { if (x) { return 1; } } // ERROR "may end without returning"
void v() { return 1; } // ERROR "no value is returned here"
