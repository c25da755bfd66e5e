// Expected errors stand in the line they are reported for, as regular expressions after ERROR.

struct S { bit<8> a; }

struct Broken { bit<8> ; } // ERROR "P4101.*expected a field's name, found ;"

struct Unknown { Nope x; } // ERROR "P4102.*Nope is not declared as a type"

bit<8> global; // ERROR "P4108.*variables cannot be declared at the top level"

type struct Point { // ERROR "P4103.*expected a type, found keyword struct"
    bit<8> x;
} Pt;

const bit<8> = 3; // ERROR "P4101.*expected a name, found ="

enum E { A = 1 } // ERROR "P4101.*underlying type"

enum bit<8> F { A } // ERROR "P4101.*expected =, found }"

@anno error { X } // ERROR "P4112.*not allowed on error"

table t { } // ERROR "P4108.*table is not allowed at the top level"

extern X {
    Y(); // ERROR "P4111.*constructor Y in extern X"
    abstract X(); // ERROR "P4111.*cannot be abstract"
    void m(in void x); // ERROR "P4103.*void stands only for"
    void ok();
}

bit<8> nobody(in bit<8> x); // ERROR "P4101.*has no body"

control NoApply(in S s) { // ERROR "P4109.*NoApply has no apply"
    bit<8> x;
}

parser NoStates(in S s) { // ERROR "P4110.*NoStates has no state"
    bit<8> x;
}

parser Mixed(in S s) {
    state start { transition accept; }
    bit<8> late; // ERROR "P4108.*before the first state"
    table t { } // ERROR "P4108.*table belongs into a control"
    state next {
        return; // ERROR "P4108.*return is not allowed in a parser state"
        transition accept;
        s.a = 1; // ERROR "P4108.*after the transition"
    }
}

control Order(in S s) {
    x = 1; // ERROR "P4108.*statements belong into the apply block"
    apply { }
    action late() { } // ERROR "P4108.*after the apply block"
}

const bit<8> $x = 1; // ERROR "P4101.*expected a name, found \\$"

$ // ERROR "P4001.*unexpected character \"\\$\""

const bool last = true;

varbit<4> vb() { return 1; }

varbit bad() { return 1; } // ERROR "P4101.*width of the varbit"

@open[k = 1, 2] const bool l2 = true; // ERROR "P4101.*expected a key"

@ 3 const bool l3 = true; // ERROR "P4112.*annotation's name"

typedef bit<8>
const bool l4 = true; // ERROR "P4101.*expected a type's name, found keyword const"

const bool final = ; // ERROR "P4101.*expected an expression, found ;"

@dangling // ERROR "P4112.*nothing after them" AT EOF
