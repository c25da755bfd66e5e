// A tenant whose registers are in egress, used under conditions, in both branches, and with flags of type bit<1>.
#include <core.p4>
#include <v1model.p4>

header ethernet_t { bit<48> dst; bit<48> src; bit<16> type_; }
header probe_t { bit<8> op; bit<16> slot; bit<32> value; }

struct headers { ethernet_t eth; probe_t probe; }
struct metadata {
    bit<32> tmp;
    @utility_packets bit<1> asked;
    @utility_hits bit<1> found;
    @hit["cells"] bool held;
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
    apply { std.egress_spec = 3 - std.ingress_port; }
}

control E(inout headers hdr, inout metadata meta, inout standard_metadata_t std) {
    @virtual @elastic[min=8, max=64]
    register<bit<32>>(64) cells;
    register<bit<1>>(16) marks;
    bit<1> mark;

    apply {
        if (hdr.probe.isValid() && std.egress_port == 2) {
            meta.asked = 1;
            if (hdr.probe.op == 0) {
                cells.write((bit<32>) hdr.probe.slot, hdr.probe.value);
            } else {
                cells.read(meta.tmp, (bit<32>) hdr.probe.slot);
                if (hdr.probe.op == 1) {
                    cells.write((bit<32>) hdr.probe.slot, meta.tmp + hdr.probe.value);
                }
                hdr.probe.value = meta.tmp;
            }
            meta.found = meta.held ? 1w1 : 0;
            marks.read(mark, (bit<32>) hdr.probe.slot);
            marks.write((bit<32>) hdr.probe.slot, ~mark);
            hdr.probe.op = 6w0 ++ mark ++ 1w1;
            if (meta.age == 9) {
                mark_to_drop(std);
            }
        }
    }
}

control C(inout headers hdr, inout metadata meta) {
    apply {
        update_checksum(data = { hdr.probe.op, 8w0, hdr.probe.value }, checksum = hdr.probe.slot,
            condition = hdr.probe.isValid() && hdr.probe.op == 2, algo = HashAlgorithm.csum16);
    }
}

control D(packet_out pkt, in headers hdr) {
    apply { pkt.emit(hdr); }
}

V1Switch(P(), V(), I(), E(), C(), D()) main;
