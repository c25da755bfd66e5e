// Programs for other architectures are none of this package's business.
#include <core.p4>
extern void foreign(in bit<8> x);
control c(in bit<8> a, in bit<8> b) {
    table t { key = { a : exact; b : exact; } actions = { NoAction; } }
    apply { t.apply(); foreign(a); }
}
control ct(in bit<8> a, in bit<8> b);
package top(ct c);
top(c()) main;
