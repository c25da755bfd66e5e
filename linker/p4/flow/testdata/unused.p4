// Names that nothing uses. This program has a main: otherwise what it declares at top level would be for others.
#include <core.p4>

const bit<8> USED = 1;
const bit<8> SPARE = 2; // WARN "constant SPARE is unused"
typedef bit<9> port_t; // WARN "type port_t is unused"
struct spare_t { bit<8> x; } // WARN "type spare_t is unused"
header spare_h { bit<8> x; } // WARN "type spare_h is unused"
enum bit<8> kind_t { A = 1 } // WARN "type kind_t is unused"

extern cell<T> { cell(); T get(); void put(in T v); }
extern void show(in bit<8> v);
extern void fetch(out bit<8> v);

bit<8> helper(in bit<8> x) { return x; } // WARN "helper is unused"
action outside() {} // WARN "action outside is in no table and never called"

control inner(in bit<8> x) { apply { show(x); } } // WARN "inner is unused"
parser reader(packet_in p) { // WARN "reader is unused"
    state start { transition accept; }
}

control c(inout bit<8> k) {
    bit<8> nothing; // WARN "nothing is unused"
    bit<8> only_set; // WARN "only_set is assigned and never read"
    bit<8> ignored;
    cell<bit<8>>() kept;
    cell<bit<8>>() spare; // WARN "spare is unused"
    action listed(bit<8> used, bit<8> data) { // WARN "action listed does not use its data data"
        k = used;
    }
    action lost() { k = USED; } // WARN "action lost is in no table and never called"
    action called(in bit<8> x) {}
    table applied {
        key = { k : exact; }
        actions = { listed; }
    }
    table idle { // WARN "table idle is never applied"
        key = { k : exact; }
        actions = { listed; }
    }
    apply {
        applied.apply();
        only_set = 1;
        fetch(ignored);
        called(kept.get());
        @noWarn("unused") bit<8> quiet;
        for (bit<8> i in 1..3) { show(k); }
    }
}

control proto(inout bit<8> k);
package top(proto c);
top(c()) main;
