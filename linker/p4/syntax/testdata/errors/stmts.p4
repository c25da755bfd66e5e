struct S { bit<8> a; bit<8>[4] s; }
bit<8> f<T>(in T x) { return 1; }

control C(inout S s) {
    action a(bit<8> x) {
        x = 1 // ERROR "P4101.*expected ;, found"
    }
    action b(bit<8> x,) { } // ERROR "P4103.*expected a type, found \\)|P4101.*expected a parameter"
    table t {
        key = { s.a exact; } // ERROR "P4101.*expected :, found exact"
        const actions = { a; } // ERROR "P4113.*actions cannot be const"
        @x key = { } // ERROR "P4112.*not allowed on the property key"
        entries = {
            (1, 2 : a(); // ERROR "P4101"
            3 : a();
            priority = x : 4 : a(); // ERROR "P4101.*number or an expression in parentheses"
        }
        size 3; // ERROR "P4101.*expected =, found 3"
    }
    table empty { } // ERROR "P4113.*empty has no properties"
    apply {
        s.a = 1 +; // ERROR "P4101.*expected an expression, found ;"
        s.a = (1 + 2; // ERROR "P4101.*expected \\), found ;"
        s.a = { 2, f = 5 }; // ERROR "P4101.*expected }, found ="
        s.a = bit<8>(3); // ERROR "P4104.*cast is written"
        s.a = S + 1; // ERROR "P4104.*S is a type"
        s.a = _ + 1; // ERROR "P4101.*_ cannot stand in an expression"
        s.a = 8w; // ERROR "P4004.*malformed number 8w"
        s.a = 0w1; // ERROR "P4004.*at least 1"
        s.a = 70000w1; // ERROR "P4004.*exceeds"
        s.a = 0xZ; // ERROR "P4004"
        s.a = 12ab; // ERROR "P4004"
        s.a + 1; // ERROR "P4101.*expected = or a call"
        1 = s.a; // ERROR "P4101.*expected a statement, found 1"
        f(s) = 1; // ERROR "P4105.*cannot assign"
        f(s)(1); // ERROR "P4105.*can be called"
        S(); // ERROR "P4101.*expected the instance's name"
        s.s[1:2:3] = 1; // ERROR "P4101.*expected \\], found :"
        s.a = x ? 1; // ERROR "P4101.*expected :, found ;"
        s.a = 1 > > 2; // ERROR "P4101.*expected an expression, found >"
        s.a = f<S> + 1; // ERROR "P4101.*expected \\( and the arguments"
        Nope y = 3; // ERROR "P4102.*Nope is not declared"
        if (s.a == 1) bit<8> z = 3; // ERROR "P4108.*must stand in a block"
        if s.a == 1 { s.a = 2; } // ERROR "P4101.*expected \\(, found s"
        else s.a = 4;
        switch (s.a) { { } } // ERROR "P4101.*expected a label"
        switch (s.a) { 1: s.a = 2; 2: { } } // ERROR "P4101.*expected :, found .|P4105"
        for (i in 1..2) { } // ERROR "P4101"
        @x s.a = 1; // ERROR "P4112.*not allowed on this statement"
        action inner() { } // ERROR "P4108.*action cannot be declared here"
        transition accept; // ERROR "P4108.*transition is not allowed here"
        s.a = $; // ERROR "P4001"
        s.a = 1 ' 2; // ERROR "P4101"
        f(1, ); // ERROR "P4101.*expected an argument"
        return s.a } // ERROR "P4101.*expected ;, found }"
}

control D(inout S s) {
    apply {
        s.a = 1;
        if (s.a == 2) {
            s.a = 3;
    }
} // one brace is missing

control E(inout S s) { apply { } } // ERROR "P4114.*control opened at 58:22 is not closed: } missing before this control"

control F(inout S s) {
    apply {
        s.a = 1; // ERROR "P4114.*is not closed: } missing" AT EOF
