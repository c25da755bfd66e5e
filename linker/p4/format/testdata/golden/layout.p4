/* A banner
 ****************************
   that   keeps its shape
 */
#include<core.p4>
#  define  LONG(a,b)  \
      a  +   \
   b
#if 0
   this isn't "code	at all
#endif

@deprecated("use the other one") extern void f<T>(in T x, out bit<8> y);
typedef bit<48> mac_t;
typedef bit<9>  port_t;
type bit<32> addr_t;
const bit<16>   A      = 16w0x800;
const port_t    LONGER = (port_t)5; // five
const bit<8>[2] C      = { 1, 2 };  // two
struct empty_t {}

header h_t {
    mac_t dst; // where to
    /* where from */
    mac_t src;
    @name("type") bit<16> etype; // what

    varbit<(8 * 4)> options;
}

header stack_t { bit<8> a; bit<8> b; };
header_union u_t { h_t h; stack_t s; }

error {
    A,
    B,
    C
}

match_kind { exact2, lpm2 }

enum bit<8> e_t {
    ONE    = 1,
    /* second */ TWO = 2,
    TWENTY = 20
}

// A parser.
parser P(packet_in p, out h_t[4] hs,
         inout bit<8> m)(bool deep) {

    value_set<tuple<bit<8>, bit<8>>>(4) vs;

    state start {
        transition select(p.lookahead<bit<8>>(), m[7:4]) {
            (0, _):            more;
            (1 &&& 3, 2 .. 5): accept;
            vs:                more; // set
            _:                 reject;
        }
    }

    state more { p.extract(hs.next); transition start; }
    state last { transition accept; }
}

control C(inout h_t h,
          inout bit<8> m) {

    bit<8> a = 1;
    bit<8> b;
    action nop() {}
    action set(bit<8> v) { m = v; }

    action two(in bit<8> v) {
        m = v;
        b = v;
    }

    @hidden
    table t {
        key = { h.dst: exact @name("d"); m: ternary; }
        actions = {
            nop;
            set(1);
            @defaultonly NoAction;
        }
        const entries = {
            (1, _): set(1);
            const priority = 10: (0x10 &&& 0xf0, 2): nop();
        }
        default_action = nop();
        size = 1024;
        counters = direct_counter(CounterType.packets);
    }

    apply {
        // First.
        if (m == 1 && !(a > b)) {
            a = b;
        } else if (m == 2)
            a = -b;
        else {
            a = ~b; // flip
        } // end
        // Between.
        if (a < b) return;
        if (a == 1)
            if (b == 2)
                exit;
            else
                a = 1;
        switch (t.apply().action_run) {
            nop:
            set: { a = 1; }
            default: {
                b = 2;
            }
        }
        switch (a) {
            1: { a = 2; }
            100: { a = 3; }
        }
        for (bit<8> i = 0; i < 10; i = i + 1) {
            a = a + i;
        }
        for (bit<8> i in 1 .. 4) a = a + i;
        a = b >> 2;
        b = a << 1 | 3;
        a = (bit<8>)b ++ ((bit<8>)a);
        m = a > b ? a : b;
        hash(m, HashAlgorithm.crc16, (bit<8>)0,
             { h.dst,
               h.src }, (bit<8>)7);
        LOG("x", a)
        f<bit<8>>(
            a, b);
        verylongname.method(argument_number_one, argument_number_two, { element_one, element_two },
                            last_argument);
        if (aaaaaaaaaaaaaaaaaaaaaaaaa == bbbbbbbbbbbbbbbbbbbbb &&
            ccccccccccccccccccc != ddddddddddddddddddd || eeeeeeee.isValid()) {
            exit;
        }
        {
            a = 1;
        };
    }
}

control Long(inout headers_t headers,
             inout metadata_t metadata,
             inout standard_metadata_t standard) {
    apply {}
}

extern E<T, V> {
    E(bit<32> size);
    @synchronous(call) V get(in T index);
    abstract void m(in V x);
}

E<bit<8>, _>(1) e = {
    void m(in _ x) {}
};
#ifdef ONE
package S(P p)
#else
package S(P p, C c)
#endif
    ;
S(P(true), C()) main;
