// Abstract methods: what an instance must implement, and how.
extern V {
    V();
    bit<16> plain(in bit<16> x);
    abstract bit<16> f(in bit<16> x);
    abstract void g(inout bit<16> x, @optional out bit<8> y);
    @optional abstract void h();
}
extern W<T> {
    W(T x);
    abstract T f(in T x);
    abstract void g<U>(in T t, in U u);
}
extern Bad {
    abstract bool Bad(); // ERROR "a constructor has no return type"
    abstract void m(in bit<8> x);
    abstract void m(in bit<8> x, in bit<8> y); // ERROR "an abstract method cannot be overloaded"
}
extern Plain { Plain(); }
V() none; // ERROR "V has an abstract method f that this instance does not implement" "V has an abstract method g"
control c(inout bit<16> p) {
    V() good = {
        bit<16> f(in bit<16> y) { return this.plain(y); }
        void g(inout bit<16> x) { x = 1; }
    };
    V() lacks = { // ERROR "an abstract method g that this instance does not implement"
        bit<16> f(in bit<16> x) { return x; }
    };
    V() result = {
        bool f(in bit<16> x) { return true; } // ERROR "f returns bool where the abstract method returns bit<16>"
        void g(inout bit<16> x, out bit<8> y) { y = 1; }
    };
    V() params = {
        bit<16> f(bit<16> x) { return x; } // ERROR "parameter x has another direction"
        void g(inout bit<8> x) { } // ERROR "parameter x is of type bit<16> in the abstract method"
        void h(in bit<8> x) { } // ERROR "h has 1 parameters where the abstract method has 0"
    };
    V() more = {
        bit<16> f(in bit<16> x) { return x; }
        bit<16> f(in bit<16> x) { return x; } // ERROR "f is implemented twice"
        void g(inout bit<16> x) { }
        bit<16> plain(in bit<16> x) { return x; } // ERROR "V has no abstract method plain"
        void other() { } // ERROR "V has no abstract method other"
    };
    V() bodies = {
        bit<16> f(in bit<16> x) { } // ERROR "f may end without returning a value"
        void g(inout bit<16> x) {
            this.nope(); // ERROR "V has no method nope"
            x = this; // ERROR "this may only stand before a method"
            return 1; // ERROR "no value is returned here"
        }
    };
    V() loops = {
        bit<16> f(in bit<16> x) { this.h(); return x; }
        void g(inout bit<16> x) { x = this.f(x); this.h(); }
        void h() { bit<16> y = this.f(1); } // ERROR "f may not call itself"
    };
    W<bit<8>>(1) given = {
        bit<8> f(in bit<8> x) { return x; }
        void g<X>(in bit<8> t, in X u) { }
    };
    W(16w1) inferred = {
        bit<8> f(in bit<8> x) { return x; } // ERROR "f returns bit<8> where the abstract method returns bit<16>" "parameter x is of type bit<16>"
        void g(in bit<16> t) { } // ERROR "g has 0 type parameters where the abstract method has 1"
    };
    Plain() plain = {
        void f() { } // ERROR "Plain has no abstract method f"
    };
    apply {
        p = this.f(p); // ERROR "this may only stand before a method"
        p = good.f(p);
        p = V().plain(p); // ERROR "V has an abstract method f" "V has an abstract method g"
    }
}
control d() { apply { } }
package top(bit<8> x);
top(1) p = { }; // ERROR "top has no abstract methods to implement"
control e() {
    d() x = { void f() { } }; // ERROR "d has no abstract methods to implement"
    apply { }
}
