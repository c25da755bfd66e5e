// Parsing: select on values, masks, ranges and tuples, lookahead, advance, verify, errors, stacks, varbit, subparsers.
// The egress port is 1; what happened is written into the first header: its state and the parser error.
#include <core.p4>
#include <v1model.p4>

error { Forbidden }

header tag_t { bit<8> kind; bit<8> state; bit<8> err; }
header item_t { bit<1> last; bit<7> value; }
header options_t { bit<8> len; varbit<64> data; }
header odd_t { bit<3> x; bit<13> y; }
struct headers_t { tag_t tag; item_t[3] items; options_t options; odd_t odd; item_t extra; }
struct meta_t { bit<8> state; bit<8> peek; bit<8> sum; }

parser Sub(packet_in b, out item_t item, inout meta_t meta) {
    state start { b.extract(item); meta.sum = meta.sum + (bit<8>) item.value; transition select(item.last) { 1: accept; default: more; } }
    state more { meta.sum = meta.sum + 100; transition accept; }
}

parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    Sub() sub;
    bit<8> local = 7;
    state start {
        b.extract(hdr.tag);
        transition select(hdr.tag.kind, hdr.tag.state) {
            (0, _): accept;
            (1, 0 .. 9): low;
            (1, 0xF0 &&& 0xF0): high;
            (1, _): other;
            (2, _): items;
            (3, _): options;
            (4, _): checked;
            (5, _): skip;
            (6, _): look;
            (7, _): odd;
            (8, _): subparser;
            (9, _): rejected;
            (10, _): forever;
        }
    }
    state low { meta.state = 1; transition accept; }
    state high { meta.state = 2; transition accept; }
    state other { meta.state = local; transition accept; }
    state items {
        b.extract(hdr.items.next);
        meta.sum = meta.sum + (bit<8>) hdr.items.last.value;
        transition select(hdr.items.last.last) { 1: done; default: items; }
    }
    state done { meta.state = (bit<8>) hdr.items.lastIndex; transition accept; }
    state options {
        hdr.options.setInvalid();
        bit<8> n = b.lookahead<bit<8>>();
        b.extract(hdr.options, (bit<32>) n);
        meta.state = hdr.options.len;
        transition accept;
    }
    state checked {
        meta.state = 1;
        verify(hdr.tag.state != 66, error.Forbidden);
        meta.state = 2;
        transition accept;
    }
    state skip { b.advance(8); b.extract(hdr.extra); meta.state = (bit<8>) hdr.extra.value; transition accept; }
    state look {
        item_t i = b.lookahead<item_t>();
        meta.state = (bit<8>) i.value;
        meta.peek = b.lookahead<bit<16>>()[7:0];
        transition accept;
    }
    state odd { b.extract(hdr.odd); meta.state = (bit<8>) hdr.odd.x; meta.peek = (bit<8>) hdr.odd.y; transition accept; }
    state subparser { sub.apply(b, hdr.items[0], meta); sub.apply(b, hdr.items[1], meta); meta.state = meta.sum; transition accept; }
    state rejected { meta.state = 9; transition reject; }
    state forever { transition forever; }
}
control V(inout headers_t hdr, inout meta_t meta) { apply { } }
control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply {
        sm.egress_spec = 1;
        hdr.tag.state = meta.state;
        if (sm.parser_error == error.NoError) { hdr.tag.err = 0; }
        else if (sm.parser_error == error.PacketTooShort) { hdr.tag.err = 1; }
        else if (sm.parser_error == error.NoMatch) { hdr.tag.err = 2; }
        else if (sm.parser_error == error.StackOutOfBounds) { hdr.tag.err = 3; }
        else if (sm.parser_error == error.HeaderTooShort) { hdr.tag.err = 4; }
        else if (sm.parser_error == error.ParserTimeout) { hdr.tag.err = 5; }
        else if (sm.parser_error == error.ParserInvalidArgument) { hdr.tag.err = 6; }
        else if (sm.parser_error == error.Forbidden) { hdr.tag.err = 7; }
        if (meta.peek != 0) { hdr.extra.setValid(); hdr.extra.last = meta.peek[7:7]; hdr.extra.value = meta.peek[6:0]; }
    }
}
control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout meta_t meta) { apply { } }
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
