// A tenant with every kind of state that tenants can have: entries with and without counts and priorities, a default action that may be
// set, counts of const entries, indirect counters, and a virtual register.
#include <core.p4>
#include <v1model.p4>

header ethernet_t { bit<48> dst; bit<48> src; bit<16> type_; }
header probe_t { bit<8> op; bit<16> key; bit<16> slot; bit<32> value; bit<16> age; bit<8> hit; }

struct headers { ethernet_t eth; probe_t probe; }
struct metadata {
    @hit["cells"] bool hit;
    @generation["cells"] bit<16> age;
}

parser P(packet_in pkt, out headers hdr, inout metadata meta, inout standard_metadata_t std) {
    state start {
        pkt.extract(hdr.eth);
        transition select(hdr.eth.type_) {
            0x1234: probe;
            default: accept;
        }
    }
    state probe { pkt.extract(hdr.probe); transition accept; }
}

control V(inout headers hdr, inout metadata meta) { apply { } }

control I(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    @virtual @elastic[min=8, max=64]
    register<bit<32>>(64) cells;
    counter(8, CounterType.packets) ops;
    direct_counter(CounterType.packets_and_bytes) routed;
    direct_counter(CounterType.packets) kinds;
    bit<32> found;

    action deny() { mark_to_drop(std); }
    action pass() { }
    action send(bit<9> port) { std.egress_spec = port; }

    table routes {
        key = { hdr.probe.key: exact @name("key"); }
        actions = { send; deny; }
        default_action = send(2);
        counters = routed;
        size = 64;
    }
    table filter {
        key = { hdr.probe.key: ternary @name("key"); hdr.probe.slot: range @name("slot"); }
        actions = { deny; pass; }
        const default_action = pass();
        size = 16;
    }
    table known {
        key = { hdr.probe.op: exact @name("op"); }
        actions = { pass; }
        const entries = {
            0: pass();
            1: pass();
        }
        const default_action = pass();
        counters = kinds;
    }

    apply {
        if (hdr.probe.isValid()) {
            routes.apply();
            filter.apply();
            known.apply();
            ops.count((bit<32>) (hdr.probe.op & 7));
            cells.read(found, (bit<32>) hdr.probe.slot);
            if (hdr.probe.op == 1) {
                cells.write((bit<32>) hdr.probe.slot, found + hdr.probe.value);
            }
            hdr.probe.value = found;
            hdr.probe.age = meta.age;
            hdr.probe.hit = meta.hit ? 8w1 : 0;
        }
    }
}

control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) { apply { } }

control C(inout headers hdr, inout metadata meta) { apply { } }

control D(packet_out pkt, in headers hdr) {
    apply { pkt.emit(hdr); }
}

V1Switch(P(), V(), I(), E(), C(), D()) main;
