// Tables, actions and externs.
#include <core.p4>
#define V1MODEL_VERSION 20200408
#include <v1model.p4>
struct H { }
struct pair_t { bit<8> a; bit<8> b; }
struct M { bit<8> a; bit<8> b; bit<2> color; pair_t pair; }
enum color_t { red }
type bit<8> new_t;
extern void foreign(in bit<8> x);
extern Foreign { Foreign(); }
parser P(packet_in b, out H h, inout M m, inout standard_metadata_t s) { state start { transition accept; } }
control V(inout H h, inout M m) { apply { } }
control I(inout H h, inout M m, inout standard_metadata_t s) {
    direct_meter<bit<2>>(MeterType.bytes) good;
    direct_meter<bit<2>>(MeterType.bytes) unused;
    direct_meter<bit<2>>(MeterType.bytes) unattached; // ERROR "unattached is read, but belongs to no table"
    direct_meter<bit<2>>(MeterType.bytes) unread;
    direct_meter<bit<1>>(MeterType.bytes) narrow; // ERROR "a color takes at least two bits"
    direct_meter<color_t>(MeterType.bytes) colored; // ERROR "a color takes at least two bits"
    register<bit<8>, bit<32>>(4) numbers;
    register<pair_t, bit<32>>(4) pairs; // ERROR "a register holds numbers, not pair_t"
    Foreign() f; // ERROR "v1model has no extern Foreign"
    action read_good() { good.read(m.color); }
    action read_unattached() { unattached.read(m.color); }
    action data(bit<8> a, new_t b, bool c) { }
    action struct_data(pair_t p) { m.pair = p; } // ERROR "the control plane cannot give a value of type pair_t"
    action given(in pair_t p) { m.pair = p; }
    table t {
        key = { m.a : lpm; m.b : exact; }
        actions = { read_good; read_unattached; data; struct_data; given(m.pair); NoAction; }
        meters = good;
    }
    table u {
        key = { m.a : lpm; m.b : lpm; } // ERROR "at most one key matched by lpm"
        actions = { NoAction; }
        meters = unread; // ERROR "no action reads unread"
    }
    table w {
        key = { m.a : exact; }
        actions = { read_good; NoAction; }
        meters = good; // ERROR "good belongs to another table already"
    }
    action_selector(HashAlgorithm.crc16, 32w16, 32w4) sel;
    table s1 {
        key = { m.a : selector; m.b : selector; }
        actions = { NoAction; }
        implementation = sel;
    }
    table s2 {
        key = { m.a : exact; m.a : selector; m.b : selector; }
        actions = { NoAction; }
        implementation = sel;
    }
    table s3 {
        key = { m.b : selector; m.a : selector; }
        actions = { NoAction; }
        implementation = sel; // ERROR "sel selects by other keys in table s1"
    }
    table s4 {
        key = { m.a : selector; m.b : exact; }
        actions = { NoAction; }
        const entries = {
            (_, 1) : NoAction();
            (default, 2) : NoAction();
            (1, 3) : NoAction(); // ERROR "a selector key is hashed, not matched"
        }
    }
    table s5 {
        key = { m.a : selector; m.b : ternary; }
        actions = { NoAction; }
        const entries = { _ : NoAction(); }
    }
    apply {
        s4.apply(); s5.apply();
        s1.apply(); s2.apply(); s3.apply();
        t.apply();
        u.apply();
        w.apply();
        foreign(m.a); // ERROR "v1model has no extern function foreign"
        numbers.write(0, 1);
    }
}
control E(inout H h, inout M m, inout standard_metadata_t s) { apply { } }
control C(inout H h, inout M m) { apply { } }
control D(packet_out b, in H h) { apply { } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
