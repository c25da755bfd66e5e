// Functions that belong to one block.
#include <core.p4>
#include <v1model.p4>
struct H { }
struct M { @field_list(1) bit<8> a; bit<16> sum; }
void send(in M m) {
    digest<M>(1, m); // ERROR "digest may only be called in ingress, not in egress"
}
parser P(packet_in b, out H h, inout M m, inout standard_metadata_t s) { state start { transition accept; } }
control V(inout H h, inout M m) { apply { verify_checksum(true, { m.a }, m.sum, HashAlgorithm.csum16); } }
control nested(inout M m) {
    apply {
        recirculate_preserving_field_list(1); // ERROR "recirculate_preserving_field_list may only be called in egress, not in ingress"
    }
}
control I(inout H h, inout M m, inout standard_metadata_t s) {
    nested() n;
    action again() {
        resubmit_preserving_field_list(1);
    }
    action unused() {
        recirculate_preserving_field_list(1);
    }
    table t {
        key = { m.a : exact; }
        actions = { again; NoAction; }
    }
    apply {
        t.apply();
        n.apply(m);
        send(m);
        clone(CloneType.I2E, 1);
        clone(CloneType.E2E, 1); // ERROR "clone.E2E. may only be called in egress, not in ingress"
        update_checksum(true, { m.a }, m.sum, HashAlgorithm.csum16); // ERROR "may only be called in the control that computes checksums, not in ingress"
    }
}
control E(inout H h, inout M m, inout standard_metadata_t s) {
    action again() {
        resubmit_preserving_field_list(1); // ERROR "resubmit_preserving_field_list may only be called in ingress, not in egress"
    }
    apply {
        again();
        again();
        send(m);
        recirculate_preserving_field_list(1);
        clone_preserving_field_list(CloneType.E2E, 1, 1);
    }
}
control C(inout H h, inout M m) { apply { update_checksum(true, { m.a }, m.sum, HashAlgorithm.csum16); } }
control D(packet_out b, in H h) { apply { } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
