// Names: declared before use, once, and used for what they are.
const bit<8> a = b; // ERROR "b is not declared"
const bit<8> b = 1;
const bit<8> b = 2; // ERROR "b is already declared"
struct s_t { bit<8> x; bit<8> x; } // ERROR "field x is declared twice"
enum e_t { A, B, A } // ERROR "A is declared twice"
error { NoError, NoError } // ERROR "error NoError is declared twice"
match_kind { exact, exact } // ERROR "match kind exact is declared twice"
const bit<8> f = e_t.C; // ERROR "enum e_t has no member C"
const error g = error.Nope; // ERROR "error Nope is not declared"
extern void fn(in bit<8> x);
const bit<8> h = fn; // ERROR "fn is a function and must be called"
extern X { X(); void m(); void m(); } // ERROR "m is declared twice"
package pkg<T>(T x);
