// Headers that are invalid, or may be.
#include <core.p4>

header h_t { bit<8> f; bit<8> g; }
header other_t { bit<8> f; }
header_union either { h_t h; other_t o; }
struct headers { h_t a; h_t b; h_t[3] s; either u; }

extern void show(in bit<8> v);
extern bit<8> choose();

parser p(packet_in pkt, out headers hdr) {
    state start {
        show(hdr.a.f); // WARN "hdr\.a is invalid here"
        pkt.extract(hdr.a);
        show(hdr.a.f);
        transition select(hdr.a.f) {
            0: more;
            1: stack;
            2: unions;
            default: last;
        }
    }
    state more {
        pkt.extract(hdr.b);
        transition last;
    }
    state last {
        show(hdr.b.f); // WARN "hdr\.b may be invalid here"
        transition accept;
    }
    state stack {
        show(hdr.s[0].f); // WARN "hdr\.s\[0\] is invalid here"
        show(hdr.s[hdr.a.f].f); // WARN "hdr\.s\[hdr\.a\.f\] is invalid here"
        pkt.extract(hdr.s.next);
        show(hdr.s[0].f);
        show(hdr.s.last.f);
        transition accept;
    }
    state unions {
        pkt.extract(hdr.u.h);
        show(hdr.u.h.f);
        pkt.extract(hdr.u.o);
        show(hdr.u.o.f);
        show(hdr.u.h.f); // WARN "hdr\.u\.h is invalid here"
        transition accept;
    }
}

control c(inout headers hdr) {
    h_t mine;
    h_t copy;
    apply {
        show(hdr.a.f);                 // from outside: not known
        if (hdr.a.isValid()) { show(hdr.a.f); } else {
            show(hdr.a.g); // WARN "hdr\.a is invalid here"
        }
        show(hdr.a.g);
        if (!hdr.b.isValid()) {
            hdr.b.f = 1; // WARN "hdr\.b is invalid here"
            hdr.b.setValid();
            hdr.b.f = 1;
            show(hdr.b.f);
            show(hdr.b.g); // WARN "hdr\.b\.g has no value here"
        }
        if (hdr.a.isValid() && hdr.a.f == 1 || !hdr.a.isValid() && choose() == 1) {
            show(hdr.a.f);
        }
        hdr.a.setInvalid();
        show(hdr.a.f); // WARN "hdr\.a is invalid here"
        mine.f = 1; // WARN "mine is invalid here"
        mine = { 1, 2 };
        show(mine.g);
        copy = mine;
        show(copy.g);
        copy = hdr.a;
        show(copy.g); // WARN "copy is invalid here"
        hdr.s.push_front(1);
        show(hdr.s[0].f);
    }
}
