// Every kind of object that P4Info describes.
#include <v1model.p4>

@p4runtime_translation("example.com/port", string) type bit<9> port_t;
type bit<16> vrf_t;
enum bit<4> class_t { LOW = 1, HIGH = 8 }

@controller_header("packet_out") header out_t { bit<9> port; @id(7) bit<7> pad; }
@controller_header("packet_in") header in_t { bit<16> reason; }
header h_t { bit<48> mac; bit<16> type; class_t class; }
struct news_t { bit<48> mac; bit<9> port; bool hot; }
struct vs_t { bit<16> type; @match(ternary) bit<8> flags; }
struct headers_t { out_t pkt_out; h_t h; @name("other") h_t o; }
struct meta_t { port_t port; vrf_t vrf; bit<8> flags; bit<16> hash; }

parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    value_set<vs_t>(8) known;
    state start {
        b.extract(hdr.h);
        transition select(hdr.h.type, 8w0) {
            known: accept;
            default: accept;
        }
    }
}

control V(inout headers_t hdr, inout meta_t meta) { apply { } }

control Part(inout meta_t meta)(bit<32> cells) {
    register<bit<32>>(cells) memory;
    action clear() { meta.flags = 0; }
    table t {
        key = { meta.flags: exact; }
        actions = { clear; }
        size = 32;
    }
    apply { t.apply(); memory.write(0, 1); }
}

control Plain(inout meta_t meta) {
    action bump() { meta.flags = meta.flags + 1; }
    table t {
        actions = { bump; }
        default_action = bump;
    }
    apply { t.apply(); }
}

register<bit<8>>(4) global;

control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    Part(16) left;
    @name("right_hand") Part(32) right;
    direct_counter(CounterType.bytes) dc;
    direct_meter<bit<2>>(MeterType.packets) dm;
    counter(10, CounterType.packets_and_bytes) cnt;
    @id(5) meter(20, MeterType.bytes) met;
    @brief("what was seen") @name(".seen") register<news_t>(64) seen;
    action unused() { }
    action called(bit<8> x) { meta.flags = x; }
    @name("fwd") action forward(port_t port, @id(9) @name("to") bit<48> mac, class_t class) {
        meta.port = port;
        hdr.h.mac = mac;
        hdr.h.class = class;
        digest<news_t>(1, { mac, 1, true });
    }
    action drop() { mark_to_drop(sm); }
    @id(0x02000123) @description("the first") @mark(1, "a b") table first {
        key = {
            hdr.h.mac: exact;
            hdr.o.type[7:4]: ternary @name("nibble");
            hdr.h.isValid(): exact;
            meta.vrf: lpm;
            sm.ingress_port: range;
            meta.flags & 0xf: optional;
            meta.hash: selector;
        }
        actions = { forward; @tableonly drop; @defaultonly NoAction; }
        const default_action = NoAction;
        @name("wcmp") @max_group_size(16) implementation = action_selector(HashAlgorithm.crc16, 64, 14);
        size = 100;
        support_timeout = true;
    }
    @names[a = "x", b = 3, c = true] table second {
        key = { meta.port: exact; }
        actions = { forward; drop; }
        default_action = forward((port_t) 9w5, 0x1234, class_t.HIGH);
        const entries = { (port_t) 9w1: drop(); }
        counters = dc;
        meters = dm;
    }
    @hidden table secret { actions = { NoAction; } }
    table never { actions = { NoAction; } }
    apply {
        first.apply();
        second.apply();
        secret.apply();
        called(3);
        left.apply(meta);
        right.apply(meta);
        Plain.apply(meta);
        cnt.count(1);
        met.execute_meter(1, meta.flags);
        news_t n;
        seen.read(n, 1);
        global.write(1, 2);
    }
}

control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout meta_t meta) { apply { } }
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr.h); } }

@pkginfo(name="full.p4", version="1.2")
V1Switch(P(), V(), I(), E(), C(), D()) main;
