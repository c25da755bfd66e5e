// What is accepted with a warning: p4c takes it, or leaves it to the architecture.
#include <core.p4>
match_kind { fuzzy }
const int from_bits = 4w9;
const tuple<match_kind> kinds = { fuzzy };
const bool other_kind = fuzzy == exact;
enum bit<8> chain { a = 1, b = (bit<8>)a + 1, c = b }
const chain last = chain.c;

type bit<8> id_t;
const id_t first_id = 0;

header h_t { bit<8> x; bit<8> y; }
struct nested_t { bit<8> x; h_t h; bit<16>[3] cells; }
struct pair_t { bit<8> a; bool b; }
header arrays_t { bit<4>[4] parts; pair_t[2] pairs; bit<7>[2][3] grid; bit<7> rest; }
header two_varbits_t { varbit<8> a; varbit<16> b; }
header empty_t { }
struct set_t { bit<8> x; tuple<bit<8>, bit<16>> rest; }

const bit<8> here_const = 3;

parser P(packet_in p, out h_t h, out arrays_t m) {
    value_set<set_t>(4) known;
    state start {
        p.extract(h);
        p.extract(m);
        bit<8> here = h.x;
        transition select(h.x, { h.y, here }, h.y ++ h.x) {
            (1, { 2, 3 }, _): two;
            (_, _, 5 &&& 7): two;
            (here, default, 16w7): accept;
            default: reject;
        }
    }
    state two {
        transition select(h.x, h.y, h.x ++ h.y) {
            known: accept;
            (here_const, _, _): accept;
        }
    }
}

action unused(inout bit<8> x) {
    x = x / x;
}

control C(inout arrays_t m, inout h_t h)(int entries) {
    nested_t n;
    bit<8>[4] cells = { 1, 2, ... };
    empty_t[0] none;
    action nop() { }
    table first {
        key = { h.x: exact; }
        actions = { nop; }
        size = entries;
        colour = "red";
        weights = { 1, 2 };
        default_action = nop;
        entries = { }
    }
    table second {
        key = { first.apply().hit: exact @name("hit"); (first.apply().miss ? 8w1 : h.y): exact @name("miss"); }
        actions = { nop; }
        const default_action = nop();
        largest_priority_wins = false;
        priority_delta = 10;
    }
    table third { actions = { nop; } default_action = nop; entries = { } }
    apply {
        cells[h.x] = n.h.x;
        m.grid[h.x][1] = m.rest;
        m.pairs[1] = { 3, true };
        m.parts = (bit<4>[4]) { 1, 2, 3, 4 };
        if (m.parts == { 1, 2, 3, 4 }) { n.cells[0][7:4] = m.parts[h.x]; }
        h.x %= h.y;
        h.x = 0 / h.y;
        h.y = (bit<8>) none[0].minSizeInBits() + (bit<8>) m.maxSizeInBytes();
        second.apply();
        third.apply();
        h.x = 64 << (h.y - 1);
        bit<8> wide = (1 << h.y);
        id_t id = 3;
        for (bit<8> c in cells) { h.x = h.x + c; }
    }
}
