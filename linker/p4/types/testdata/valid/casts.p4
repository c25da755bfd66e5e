// Every cast of the specification, explicit and implicit.
#include <core.p4>
typedef bit<8> byte_t;
type bit<8> port_t;
type port_t port2_t;
typedef port_t port3_t;
type byte_t p4_t;
enum bit<8> ser_t { A = 1, B = 2 }
enum int<8> sig_t { A = -1 }
enum plain_t { A, B }
header h_t { bit<8> x; }
struct s_t { bit<8> a; bool b; }
header_union u_t { h_t h; }
control C(inout bit<8> x, inout int<8> i, inout bit<16> w, inout port_t p, inout port2_t p2, inout ser_t e, inout s_t s, inout h_t h, inout u_t u, inout bool b, inout plain_t pl, inout tuple<bit<8>, bool> t, inout h_t[2] st, inout error er, inout varbit<8> vb) {
  apply {
    b = (bool) 1w1;
    b = (bool) 1;
    b = (bool) 0;
    x[0:0] = (bit<1>) b;
    x = (bit<8>) i;
    i = (int<8>) x;
    x = (bit<8>) w;
    w = (bit<16>) x;
    i = (int<8>) (int<4>) i;
    x = (byte_t) w;
    p = (port_t) x;
    x = (bit<8>) p;
    p2 = (port2_t) p;
    p = (port_t) p2;
    p2 = (port2_t) (port_t) x;
    p = (port3_t) x;
    p = (port_t) 5;
    p2 = (port2_t) 5;
    e = (ser_t) x;
    x = (bit<8>) e;
    e = (ser_t) 5;
    e = (ser_t) e;
    e = (ser_t)(ser_t.A + 1);
    x = ser_t.B;
    x = e << 3;
    x = 16w11[3:0] ++ 4w1;
    w = 16w11 << ser_t.A;
    x = x[ser_t.B:0] ++ 5w0;
    w = e ++ 8w0;
    x = e + x;
    b = e < x;
    s = (s_t) { 1, true };
    s = (s_t) { a = 1, b = true };
    s = (s_t) s;
    h = (h_t) {#};
    h = {#};
    u = {#};
    u = (u_t) {#};
    h = (h_t) h;
    st = (h_t[2]) { {1}, {2} };
    t = (tuple<bit<8>, bool>) { 1, true };
    b = s == (s_t) { a = 1, b = true };
    b = h == {#};
    b = st == { {1}, {#} };
    b = t == { 1, true };
    b = u == u;
    b = er == error.NoError;
    b = vb == vb;
    pl = plain_t.A;
    x = ((s_t) { 1, true }).a;
    x = {1, 8w2}[1];
    b = ({ a = 8w1, b = true }).b;
    w = w << 1024;
    w = w << x;
    w = w >> (bit<4>) x;
    x = (bit<8>) (int) 5w3;
    x = b ? 1 : x;
    x = b ? (bit<8>) 1 : 2;
  }
}
