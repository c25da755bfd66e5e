// Which types may hold which.
#include <core.p4>
const int n = 3;
header h_t { bit<8> x; }
header g_t<T> { bit<8> x; T t; }
struct s_t { bit<8> a; bool b; }
header_union u_t { h_t h; }
enum plain_t { A, B }
enum bit<8> ser_t { A = 1, B = 2 }
enum bit<8> over_t { A = 300 } // ERROR "300 does not fit bit<8>"
enum bit<8> neg_t { A = -1 } // ERROR "-1 does not fit bit<8>"
enum int<8> neg2_t { A = -1, B = -128, C = 127 }
enum bool bad_t { A = true } // ERROR "an enum is represented by a bit or int type, not by bool"
enum plain_t bad2_t { A = plain_t.A } // ERROR "an enum is represented by a bit or int type, not by plain_t"
enum error bad3_t { A = error.NoError } // ERROR "an enum is represented by a bit or int type, not by error"
type bit<8> new_t;
enum new_t bad4_t { A = 1 } // ERROR "an enum is represented by a bit or int type, not by new_t"
struct i_t { int x; } // ERROR "a struct cannot hold a field of type int"
struct st_t { string x; } // ERROR "a struct cannot hold a field of type string"
struct mk_t { match_kind x; } // ERROR "a struct cannot hold a field of type match_kind"
struct l_t { list<bit<8>> x; } // ERROR "a struct cannot hold a field of type list<bit<8>>"
struct x_t { packet_in x; } // ERROR "a struct cannot hold a field of type packet_in"
header hu_t { u_t x; } // ERROR "a header cannot hold a field of type u_t"
header ht_t { tuple<bit<8>> x; } // ERROR "a header cannot hold a field of type tuple<bit<8>>"
header he_t { plain_t x; } // ERROR "a header cannot hold a field of type plain_t"
header her_t { error x; } // ERROR "a header cannot hold a field of type error"
header hs_t { ser_t x; new_t y; s_t z; bool b; int<4> i; }
header hst_t { h_t[2] x; } // ERROR "a header cannot hold a field of type h_t\[2\]"
struct nest_t { varbit<8> v; }
header hv_t { nest_t n; } // ERROR "a header cannot hold a field of type nest_t"
header_union uu_t { u_t u; } // ERROR "a header_union cannot hold a field of type u_t"
header_union us_t { s_t u; } // ERROR "a header_union cannot hold a field of type s_t"
header_union empty_t { }
typedef list<h_t[2]> l1_t;
typedef list<bit<8>[2]> l2_t; // ERROR "a list cannot hold bit<8>\[2\]"
typedef list<list<bit<8>>> l3_t;
typedef list<int> l4_t;
typedef list<string> l5_t;
typedef list<match_kind> l6_t;
typedef list<tuple<bit<8>>> l7_t;
typedef list<packet_in> l8_t; // ERROR "a list cannot hold packet_in"
typedef list<void> l9_t; // ERROR "a list cannot hold void"
typedef tuple<list<bit<8>>> tl_t; // ERROR "a tuple cannot hold list<bit<8>>"
typedef tuple<packet_in> tx_t; // ERROR "a tuple cannot hold packet_in"
typedef tuple<void> tv_t; // ERROR "a tuple cannot hold void"
typedef list<bit<8>>[2] al_t; // ERROR "an array cannot hold list<bit<8>>"
typedef match_kind mkt_t; // ERROR "a typedef cannot name match_kind"
typedef string str_t; // ERROR "a typedef cannot name string"
typedef error err_t;
typedef int int_t;
type varbit<8> nv_t; // ERROR "type nv_t cannot be made of varbit<8>"
type int ni_t; // ERROR "type ni_t cannot be made of int"
type error ne_t; // ERROR "type ne_t cannot be made of error"
type plain_t np_t; // ERROR "type np_t cannot be made of plain_t"
type ser_t ns_t; // ERROR "type ns_t cannot be made of ser_t"
type h_t nh_t; // ERROR "type nh_t cannot be made of h_t"
type s_t nst_t; // ERROR "type nst_t cannot be made of s_t"
type tuple<bit<8>> nt_t; // ERROR "type nt_t cannot be made of tuple<bit<8>>"
type bit<8>[2] na_t; // ERROR "type na_t cannot be made of bit<8>\[2\]"
type new_t nn_t;
type bool nb_t;
type int<8> nib_t;
typedef g_t gg_t; // ERROR "g_t needs 1 type arguments"
typedef g_t<bit<8>> ggg_t;
int<0> zero() { return 0; } // ERROR "int<0> is not a type"
typedef int<1> one_t;
typedef bit<0> nul_t;
typedef varbit<0> vnul_t;
typedef bit<n> three_t;
typedef bit<(n)> three2_t;
typedef bit<(1 + 2)> four_t;
const bool same = exact == ternary;
const bool less = exact < ternary; // ERROR "< is not defined on match_kind and match_kind"
const s_t cs = { 1, true };
const s_t cs2 = { b = true, a = 1 };
const bit<8> ca = cs.a;
const bit<8> cb = ({ 1, 8w2 })[1];
const bool cc = cs == cs2;
const string str = "a" ++ "b";
const string str2 = "a" + "b"; // ERROR "\+ is not defined on string and string"
const tuple<> et = {};
const h_t ch = { 3 };
const h_t[2] cst = { { 1 }, { 2 } };
const bit<8> cx = cst[1].x;
const bit<8>[3] carr = { 1, 2, 3 };
const bit<8> cy = carr[n - 1];
const bit<8> cz = carr[n]; // ERROR "index 3 is outside 0 to 2"
const list<bit<8>> cl = (list<bit<8>>) { 1, 2, 3 };
const h_t chi = {#};
const error ce = error.NoError;
const plain_t cp = plain_t.B;
const bit<32> csz = cst.size;
