// Casts and operators that the specification does not define, and next to them some that it does.
#include <core.p4>
type bit<8> port_t;
type port_t port2_t;
enum bit<8> ser_t { A = 1, B = 2 }
enum bit<8> ser2_t { A = 1, B = 2 }
enum plain_t { A, B }
header h_t { bit<8> x; }
struct s_t { bit<8> a; bool b; }
header_union u_t { h_t h; }
extern E { E(); void f(); }
control C(inout bit<8> x, inout int<8> i, inout bit<16> w, inout port_t p, inout port2_t p2, inout ser_t e, inout ser2_t e2, inout s_t s, inout h_t h, inout u_t u, inout bool b, inout plain_t pl, inout tuple<bit<8>, bool> t, inout h_t[2] st, inout error er, inout varbit<8> vb) {
  E() ext;
  apply {
    b = (bool) x; // ERROR "bit<8> cannot be cast to bool"
    b = (bool) 2; // ERROR "int cannot be cast to bool"
    x = (bit<8>) b; // ERROR "bool cannot be cast to bit<8>"
    i = (int<8>) w; // ERROR "bit<16> cannot be cast to int<8>"
    w = (bit<16>) i; // ERROR "int<8> cannot be cast to bit<16>"
    x = p; // ERROR "a value of type port_t stands where bit<8> is wanted"
    p = x; // ERROR "a value of type bit<8> stands where port_t is wanted"
    p = p2; // ERROR "a value of type port2_t stands where port_t is wanted"
    w = (bit<16>) p; // ERROR "port_t cannot be cast to bit<16>"
    x = (bit<8>) p2; // ERROR "port2_t cannot be cast to bit<8>"
    p = (port_t) p2;
    p2 = (port2_t) x; // ERROR "bit<8> cannot be cast to port2_t"
    e = x; // ERROR "a value of type bit<8> stands where ser_t is wanted"
    e = 1; // ERROR "a value of type int stands where ser_t is wanted"
    e = e2; // ERROR "a value of type ser2_t stands where ser_t is wanted"
    e = (ser_t) e2;
    e = ser_t.A + 1; // ERROR "a value of type bit<8> stands where ser_t is wanted"
    pl = (plain_t) x; // ERROR "bit<8> cannot be cast to plain_t"
    x = (bit<8>) pl; // ERROR "plain_t cannot be cast to bit<8>"
    x = (bit<8>) er; // ERROR "error cannot be cast to bit<8>"
    x = (bit<8>) s; // ERROR "s_t cannot be cast to bit<8>"
    s = (s_t) t; // ERROR "tuple<bit<8>, bool> cannot be cast to s_t"
    h = (h_t) s; // ERROR "s_t cannot be cast to h_t"
    x = (bit<8>) vb; // ERROR "varbit<8> cannot be cast to bit<8>"
    vb = (varbit<8>) x; // ERROR "bit<8> cannot be cast to varbit<8>"
    x = ~1; // ERROR "~ is not defined on int"
    x = 5 & 3;
    x = x + w; // ERROR "\+ is not defined on bit<8> and bit<16>"
    x = x + i; // ERROR "\+ is not defined on bit<8> and int<8>"
    x = x << i; // ERROR "<< is not defined on bit<8> and int<8>"
    b = x < i; // ERROR "< is not defined on bit<8> and int<8>"
    x = 1 << x;
    x = x << -1; // ERROR "a shift by -1"
    b = s < s; // ERROR "< is not defined on s_t and s_t"
    b = h < h; // ERROR "< is not defined on h_t and h_t"
    b = pl < pl; // ERROR "< is not defined on plain_t and plain_t"
    b = b < b; // ERROR "< is not defined on bool and bool"
    b = ext == ext; // ERROR "== is not defined on E and E"
    b = "a" == "a"; // ERROR "== is not defined on string and string"
    x = (bit<8>) (int) x;
    b = b ? 1 : 2; // ERROR "a choice between integers without a width needs a condition "
    x = x.minSizeInBits; // ERROR "bit<8> has no member minSizeInBits"
    x = {1, 2}[2]; // ERROR "index 2 is outside 0 to 1"
    x = t[x]; // ERROR "the index of a tuple must be known at compile time"
    x = +b; // ERROR "\+ is not defined on bool"
    b = !x; // ERROR "! is not defined on bit<8>"
    x = x ++ 1; // ERROR "\+\+ is not defined on bit<8> and int"
    b = p < p; // ERROR "< is not defined on port_t and port_t"
    p = p + 1; // ERROR "\+ is not defined on port_t and int"
    x = i[3:0] ++ i[7:4];
    i = i[7:0]; // ERROR "a value of type bit<8> stands where int<8> is wanted"
    x = vb[3:0]; // ERROR "varbit<8> has no bits to slice"
    s = ...;
    s = { 1, ... };
    u = ...;
    ext = ...; // ERROR "ext cannot be written"
  }
}
