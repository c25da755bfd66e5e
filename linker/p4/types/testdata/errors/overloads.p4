// Overloads are told apart by the number and the names of their arguments, never by types.
extern void f(in bit<8> a);
extern void f(in bit<8> b);
extern void f(in bit<8> a, in bit<8> b);
extern void f(in bit<16> a); // ERROR "f is already declared"
control c() {
    apply {
        f(8w1); // ERROR "several f could take these arguments"
        f(a = 1);
        f(b = 1);
        f(1, 2);
        f(c = 1); // ERROR "no f takes these 1 arguments"
        f(); // ERROR "no f takes these 0 arguments"
        f(a = 1, 2); // ERROR "all named or all positional"
    }
}
