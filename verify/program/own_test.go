package program

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// ofP7 are the obligations of P7.
func ofP7(t testing.TB, in *Input) []verify.Obligation {
	t.Helper()
	return slices.DeleteFunc(obligations(t, in).Obligations, func(o verify.Obligation) bool { return o.Property != "P7" })
}

func TestEquivalent(t *testing.T) {
	p := pool(t)
	prove := func(name string, in *Input) {
		ask := ofP7(t, in)
		if n := len(in.Tenants); len(ask) < 8*n || len(ask) > 9*n { // with those of the entries that tables begin with
			t.Errorf("%s: %d obligations of %d tenants", name, len(ask), n)
		}
		for _, r := range decide(t, p, ask) {
			if r.Verdict != verify.Proved {
				t.Errorf("%s: %s by %s: %s, guard %s: %s\n%s", name, r.Obligation, r.Solver, r.Verdict, r.Guard, r.Reason, r.Model)
			}
		}
	}
	prove("quickstart", whole(t, quickstart(t)))
	// Every construct that the linker takes, registers in egress, a newer v1model, and every kind of state.
	for _, path := range []string{
		"../../linker/testdata/rich", "../../linker/testdata/newer", "../../linker/testdata/egress", "../replace/testdata/kinds", "../../testdata/tenants/syn",
	} {
		prove(path, linkedInput(t, "  - {name: ann, vid: 10, program: "+path+".p4, ports: {1: 2, 2: 1}}\n"))
	}
}

// The two runs name what they share alike, whatever runs before.
func TestEquivalentDeterministic(t *testing.T) {
	in := whole(t, quickstart(t))
	first := ofP7(t, in)
	slices.Reverse(in.Tenants)
	for i, o := range ofP7(t, in) {
		if o != first[i] {
			t.Fatalf("%s differs between runs", o.ID)
		}
	}
}

// Changes to the linked program, or to a tenant's own, that must be refuted by both solvers, with a model that replays and leads to the line.
// Without a want they are none that P7 is about, and must stay proved.
var differences = []struct {
	name     string
	file     string // a tenant's program; empty: the linked one
	after    string // the first change behind this
	old, new string
	want     string // the obligation
	what     string
	source   string
}{
	{"a table's key", "", "", "hdr.ipv4.dst_addr : lpm", "hdr.ipv4.src_addr : lpm", "kv/ingress", "table kv__KvIngress.routes: value 1 is", "routes.apply()"},
	{"an action's assignment", "", "", "hdr.udp.checksum = 0;", "", "kv/ingress", "hdr.udp.checksum is", "il_ingress_kv.apply("},
	{"another value", "", "", "hdr.udp.checksum = 0;", "hdr.udp.checksum = 1;", "kv/ingress", "hdr.udp.checksum is 1, tenant kv's own program has 0", ""},
	{"a constant", "", "", "kv__KV_REPLY = 2;", "kv__KV_REPLY = 4;", "kv/ingress", "", ""},
	{"a condition", "", "", "hdr.kv.isValid() && hdr.kv.key != 0", "hdr.kv.isValid()", "kv/ingress", "tenant kv's own program", ""},
	{"a count left out", "", "", "operations.count(1);", "", "kv/ingress", "(counter KvIngress.operations) is not done", ""},
	{"a count twice", "", "", "operations.count(1);", "operations.count(1);\n operations.count(1);", "kv/ingress", "KvIngress.operations", ""},
	{"another count", "", "", "operations.count(1);", "operations.count(2);", "kv/ingress", "value 1 is 2, tenant kv's own program has 1", "operations.count(2)"},
	{"a hash's data", "", "", "{ hdr.kv.key }", "{ hdr.kv.value }", "kv/ingress", "hash: value 1", "hash("},
	{"a hash's algorithm", "", "", "hash(meta.slot, HashAlgorithm.crc32", "hash(meta.slot, HashAlgorithm.crc16", "kv/ingress", "hash is by crc16, not crc32", "hash("},
	{"a hash's bound", "", "", "{ hdr.kv.key }, kv__SLOTS", "{ hdr.kv.key }, 32w16", "kv/ingress", "hash: value 3 is 16", "hash("},
	{"one slot on", "", "", "(bit<32>)il_page.base_0 + il_index)", "(bit<32>)il_page.base_0 + il_index + 1)", "kv/ingress", "register read il_stage_ingress_0: value 1", "read("},
	{"one index more", "", "", "il_index < (bit<32>)il_page.size_0", "il_index <= (bit<32>)il_page.size_0", "kv/ingress", "register read il_stage_ingress_0 is not done when", ""},
	{"another mask", "", "", "meta.slot & il_page.mask_0", "meta.slot & il_page.mask_1", "kv/ingress", "register read", ""},
	{"not folded", "", "", "meta.slot & il_page.mask_0", "meta.slot", "kv/ingress", "register read", ""},
	{"another register", "", "", "il_stage_ingress_1.read(il_cell", "il_stage_ingress_2.read(il_cell", "kv/ingress", "stands for register", ""},
	{"another value written", "", "", "il_value = hdr.kv.key[63:32]", "il_value = hdr.kv.key[31:0]", "kv/ingress", "register write il_stage_ingress_0: value 2", "write("},
	{"what was read is forgotten", "", "", "meta.stored_hi = il_cell;", "", "kv/ingress", "", ""},
	{"what misses is not zero", "", "", "bit<32> il_cell = 0;", "bit<32> il_cell = 7;", "kv/ingress", "", ""},
	{"a generation of another stage", "", "", "meta.hh.generation = meta.il_page.gen_1", "meta.hh.generation = meta.il_page.gen_0", "hh/parsed", "meta.generation", ""},
	{"an entry of the tenant's", "", "", "1 : forward(2)", "1 : forward(1)", "hh/ingress", "standard_metadata.egress_spec is 1, tenant hh's own program has 2", "il_ingress_hh.apply("},
	{"ports swapped on the way out", "", "", "(100, 1) : il_to_port(1);\n            (100, 2) : il_to_port(2);", "(100, 1) : il_to_port(2);\n            (100, 2) : il_to_port(1);", "kv/sent", "not sent to the port that the site has", ""},
	{"ports swapped between two tenants", "", "", "(200, 1) : il_to_port(3)", "(200, 1) : il_to_port(1)", "hh/sent", "not sent to the port that the site has", ""},
	{"ports swapped on the way in", "", "", "meta.il_vsm.ingress_port = 1", "meta.il_vsm.ingress_port = 2", "kv/parsed", "standard_metadata.ingress_port is 2, tenant kv's own program has 1", ""},
	{"the length with the tag", "", "", "standard_metadata.packet_length - 4", "standard_metadata.packet_length", "kv/parsed", "standard_metadata.packet_length is", ""},
	{"no parser error", "", "", "meta.il_vsm.parser_error = standard_metadata.parser_error;", "", "kv/parsed", "standard_metadata.parser_error is 0", ""},
	{"no checksum error", "", "", "meta.il_vsm.checksum_error = standard_metadata.checksum_error;", "", "kv/parsed", "standard_metadata.checksum_error is 0", ""},
	{"metadata of before", "", "", "meta.kv.served = false;", "", "kv/parsed", "meta.served is 1, tenant kv's own program has 0", ""},
	{"a header not parsed", "", "state kv__parse_kv", "packet.extract(hdr.kv.kv);", "", "kv/parsed", "tenant kv's own program has", ""},
	{"a checksum not checked", "", "control il_Verify", "(meta.il_tenant == 1) && (", "(meta.il_tenant == 1) && (false && ", "kv/parsed", "verify_checksum", ""},
	{"an address of another", "", "", "(100, 0xc6336401) : il_read_src_is_kv(0x0a000001)", "(100, 0xc6336401) : il_read_src_is_kv(0x0a000002)", "kv/parsed", "hdr.ipv4.src_addr is", ""},
	{"a sum not adjusted", "", "", "il_adjust(hdr.kv.ipv4.hdr_checksum, meta.il_src, hdr.kv.ipv4.src_addr);", "", "kv/parsed", "hdr.ipv4.hdr_checksum is", ""},
	{"an address of another on the way out", "", "", "il_write_dst_is_kv(0xc6336401)", "il_write_dst_is_kv(0xc6336402)", "kv/written", "hdr.ipv4.dst_addr is", ""},
	{"the hop limit stays", "", "control il_Egress", "meta.il_hop_limit = meta.il_hop_limit - 1;", "", "kv/written", "hdr.ipv4.ttl is", ""},
	{"queue fields swapped", "", "", "meta.il_vsm.enq_qdepth = standard_metadata.enq_qdepth", "meta.il_vsm.enq_qdepth = standard_metadata.deq_qdepth", "kv/queued", "standard_metadata.enq_qdepth is", ""},
	{"the port before egress", "", "", "meta.il_vsm.egress_port = meta.il_vsm.egress_spec;", "meta.il_vsm.egress_port = 0;", "kv/queued", "standard_metadata.egress_port is 0", ""},
	{"a packet goes out that was to be dropped", "", "control il_Egress", "meta.il_vsm.egress_spec == il_drop_port || ", "", "kv/written", "a packet leaves that tenant kv's own program", ""},
	{"no checksum update", "", "control il_Compute", "(meta.il_tenant == 2) && (", "(meta.il_tenant == 2) && (false && ", "hh/checksums", "update_checksum", ""},
	{"a checksum of other data", "", "control il_Compute", "hdr.hh.ipv4.total_len,\n            hdr.hh.ipv4.identification", "hdr.hh.ipv4.identification,\n            hdr.hh.ipv4.total_len", "hh/checksums", "update_checksum: value", "update_checksum("},
	{"the addresses of Ethernet swapped", "", "", "hdr.il_ethernet.dst = hdr.kv.ethernet.dst_addr", "hdr.il_ethernet.dst = hdr.kv.ethernet.src_addr", "kv/emitted", "the Ethernet header that goes out is not that of", ""},
	{"a header that stays", "", "", "packet.emit(hdr.kv.udp);\n", "", "kv/emitted", "2 of tenant kv's headers are put out, its own program has 3", ""},
	{"headers in another order", "", "", "packet.emit(hdr.kv.udp);\n        packet.emit(hdr.kv.kv);", "packet.emit(hdr.kv.kv);\n        packet.emit(hdr.kv.udp);", "kv/emitted", "hdr.kv.kv goes out where tenant kv's own program has hdr.udp", "packet.emit(hdr.kv.kv)"},
	{"a statement of the tenant's that was left out", "kv", "action answer()", "meta.served = true;", "meta.served = true; meta.asked = false;", "kv/ingress", "meta.asked is 1, tenant kv's own program has 0", ""},
	{"another initial value", "hh", "", "#define SLOTS 16384", "#define SLOTS 8192", "hh/ingress", "hash: value", ""},
	{"an egress that does something", "hh", "control HhEgress", "apply {", "apply { hdr.ipv4.dscp = 7;", "hh/egress", "hdr.ipv4.dscp is", "il_egress_hh.apply("},
	{"an entry's action", "", "", "kv__CLIENTS : to_server()", "kv__CLIENTS : to_clients()", "kv/entries", "table KvIngress.other_side begins with other entries", ""},
	{"a counter past its end", "kv", "", "counter(5,", "counter(3,", "kv/ingress", "counter kv__KvIngress.operations", ""},
	{
		"other arguments", "", "", "control kv__KvIngress(\n", "control kv__KvIngress(\n    inout il_vlan_t tag,\n", "kv/parsed",
		"a control is given other headers, metadata or standard metadata", "il_ingress_kv.apply(",
	},
	{"what counts as a miss", "", "", "il_memory.missed = true;", "", "", "", ""},
	{"another order of what does not matter", "", "", "operations.count(1);\n                meta.asked = true;", "meta.asked = true;\n                operations.count(1);", "", "", ""},
	{"the same in other words", "kv", "", "meta.served = true;", "meta.served = !false;", "", "", ""},
}

func TestDifferences(t *testing.T) {
	p := pool(t)
	for _, c := range differences {
		t.Run(c.name, func(t *testing.T) {
			in := whole(t, quickstart(t))
			if c.name == "other arguments" {
				in.Linked = bytes.Replace(in.Linked, []byte("il_ingress_kv.apply(\n"), []byte("il_ingress_kv.apply(\n hdr.il_vlan,\n"), 1)
			}
			text := in.Linked
			if c.file != "" {
				text = in.Sources[c.file]
			}
			from := bytes.Index(text, []byte(c.after))
			if from < 0 || !bytes.Contains(text[from:], []byte(c.old)) {
				t.Fatalf("%q is not there", c.old)
			}
			text = slices.Concat(text[:from], bytes.Replace(text[from:], []byte(c.old), []byte(c.new), 1))
			if c.file == "" {
				in.Linked = text
			} else {
				in.Sources[c.file] = text
			}
			tenant, _, _ := strings.Cut(c.want, "/")
			info, err := load(in)
			if err != nil {
				t.Fatal(err)
			}
			m := newMachine(in, info)
			claims, _, err := m.equivalences(cmp.Or(tenant, "kv"))
			if err != nil {
				t.Fatal(err)
			}
			if c.want != "" {
				claims = slices.DeleteFunc(claims, func(x *claim) bool { return x.id != "P7/"+c.want })
			}
			var ask []verify.Obligation
			for _, x := range claims {
				ask = append(ask, m.obligation(x))
			}
			refuted := map[string]bool{}
			for _, r := range decide(t, p, ask) {
				if r.Verdict == verify.Proved {
					continue
				}
				if r.Verdict != verify.Refuted || c.want == "" {
					t.Fatalf("%s by %s: %s, guard %s %s\n%s", r.Obligation, r.Solver, r.Verdict, r.Guard, r.Reason, r.Model)
				}
				if refuted[r.Solver] = true; len(refuted) > 1 {
					continue
				}
				model, err := smt.ParseModel(r.Model)
				if err != nil {
					t.Fatal(err)
				}
				ce, err := m.explain(claims[0], model, nil)
				if err != nil {
					t.Errorf("by %s: %v\n%s", r.Solver, err, r.Model)
				} else if !strings.Contains(ce.What, c.what) || !strings.Contains(ce.Source, c.source) {
					t.Errorf("by %s: blames %q with %q", r.Solver, ce.Source, ce.What)
				}
				if n := strings.Count(ce.String(), "il_admission key"); n != 1 {
					t.Errorf("the way of the packet has %d look-ups of who is admitted:\n%s", n, ce)
				}
				t.Log(ce)
			}
			if c.want != "" && (!refuted["z3"] || !refuted["cvc5"]) {
				t.Errorf("refuted by %v only", refuted)
			}
		})
	}
}
