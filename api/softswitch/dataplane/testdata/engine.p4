// The first byte of a packet says what is to become of it; the second is an argument. What leaves carries what the standard
// metadata said, in a header in front.
#include <core.p4>
#include <v1model.p4>

header order_t {
    bit<8> what;
    bit<8> arg;
}

header seen_t {
    bit<8>  instance;
    bit<8>  rid;
    bit<8>  port;
    bit<8>  length;
    bit<8>  kept;
    bit<8>  lost;
    bit<8>  ingress_port;
}

struct headers_t {
    seen_t  seen;
    order_t order;
}

struct inner_t {
    @field_list(1) bit<8> kept;
    bit<8> lost;
}

struct meta_t {
    inner_t inner;
    @field_list(1, 2) bit<8> passes;
}

struct sample_t {
    bit<8>  what;
    bit<8>  arg;
    bit<48> big;
}

parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    value_set<bit<8>>(2) marked;
    state start {
        meta.inner.lost = meta.inner.lost + 1;
        transition select(b.lookahead<bit<8>>()) {
            0xFE: seen;
            default: order;
        }
    }
    state seen {
        b.extract(hdr.seen);
        transition order;
    }
    state order {
        b.extract(hdr.order);
        transition select(hdr.order.arg) {
            marked: mark;
            default: accept;
        }
    }
    state mark {
        meta.inner.kept = 0x77;
        transition accept;
    }
}

control V(inout headers_t hdr, inout meta_t meta) { apply { } }

control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    action clone_it() {
        meta.inner.kept = 0x4b;
        clone_preserving_field_list(CloneType.I2E, (bit<32>) hdr.order.arg, 1);
        hdr.order.what = 0xEE; // the clone is of the packet as it came in
    }
    action resubmit_it() {
        meta.inner.kept = 0x55;
        resubmit_preserving_field_list(1);
        hdr.order.what = 0xEE;
    }
    apply {
        meta.passes = meta.passes + 1;
        sm.egress_spec = 1;
        if (hdr.order.what == 1) {
            clone_it();
        } else if (hdr.order.what == 2 && sm.instance_type == 0) {
            resubmit_it();
        } else if (hdr.order.what == 3) {
            sm.mcast_grp = (bit<16>) hdr.order.arg;
        } else if (hdr.order.what == 4) {
            digest<sample_t>(1, { hdr.order.what, hdr.order.arg, 48w0x010203040506 });
            hdr.order.arg = 0; // the sample has what was there at the call
        } else if (hdr.order.what == 5) {
            resubmit({ meta.inner.lost });
        } else if (hdr.order.what == 6) {
            mark_to_drop(sm);
            clone(CloneType.I2E, 1);
        } else if (hdr.order.what == 9) {
            truncate(3);
        }
    }
}

control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply {
        if (hdr.order.what == 7 && sm.instance_type == 0) {
            clone(CloneType.E2E, 1);
            hdr.order.arg = 0x99; // the clone has the headers as they are at the end of egress
        } else if (hdr.order.what == 8 && meta.passes < hdr.order.arg) {
            hdr.order.setValid();
            recirculate_preserving_field_list(2);
        }
        if (hdr.order.what != 8) {
            hdr.seen.setValid();
            hdr.seen = {
                (bit<8>) sm.instance_type, (bit<8>) sm.egress_rid, (bit<8>) sm.egress_port, (bit<8>) sm.packet_length,
                meta.inner.kept, meta.inner.lost, (bit<8>) sm.ingress_port };
        }
    }
}

control C(inout headers_t hdr, inout meta_t meta) { apply { } }

control D(packet_out b, in headers_t hdr) {
    apply {
        b.emit(hdr.seen);
        b.emit(hdr.order);
    }
}

V1Switch(P(), V(), I(), E(), C(), D()) main;
