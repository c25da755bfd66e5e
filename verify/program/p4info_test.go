package program

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker"
	sites "github.com/interlock/interlock/linker/site"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// whole adds the files that the linker writes beside the example site's program.
func whole(t testing.TB, in *Input) *Input {
	t.Helper()
	read := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const linked = "../../linker/testdata/quickstart/"
	in.P4Info, in.Ownership, in.Sources = read(linked+P4InfoName), owners(t, read(linked+ManifestName)), map[string][]byte{}
	for i := range in.Tenants {
		x := &in.Tenants[i]
		in.Sources[x.Name] = read("../../testdata/tenants/" + x.Name + ".p4")
		x.Virtual = map[uint16]uint16{1: x.Ports[0], 2: x.Ports[1]}
		if x.Name == "kv" {
			x.Addresses = map[string]string{
				"10.0.0.1": "198.51.100.1", "10.0.0.11": "198.51.100.11", "10.0.0.12": "198.51.100.12", "10.0.0.13": "198.51.100.13",
				"10.0.0.14": "198.51.100.14",
			}
		}
	}
	return in
}

func owners(t testing.TB, manifest []byte) []byte {
	t.Helper()
	b, err := OwnershipOf(manifest)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ofP12 are the obligations of P12.
func ofP12(t testing.TB, in *Input) []verify.Obligation {
	t.Helper()
	info, err := load(in)
	if err != nil {
		t.Fatal(err)
	}
	compared, err := newMachine(in, info).described()
	if err != nil {
		t.Fatal(err)
	}
	var out []verify.Obligation
	for _, c := range compared {
		out = append(out, c.obligation())
	}
	return out
}

func TestFilesFollow(t *testing.T) {
	p := pool(t)
	ask := ofP12(t, whole(t, quickstart(t)))
	if len(ask) != 11 {
		t.Errorf("%d obligations", len(ask))
	}
	for _, r := range decide(t, p, ask) {
		if r.Verdict != verify.Proved {
			t.Errorf("%s by %s: %s %s", r.Obligation, r.Solver, r.Verdict, r.Reason)
		}
	}
	// Programs with everything that may be in one.
	for _, name := range []string{"rich", "newer", "egress"} {
		in := linkedInput(t, "  - {name: ann, vid: 10, program: ../../linker/testdata/"+name+".p4, ports: {1: 1, 2: 2}}\n")
		for _, r := range decide(t, p, ofP12(t, in)) {
			if r.Verdict != verify.Proved {
				t.Errorf("%s: %s by %s: %s %s", name, r.Obligation, r.Solver, r.Verdict, r.Reason)
			}
		}
	}
}

// linkedInput links a site of one switch with these tenants.
func linkedInput(t testing.TB, tenants string) *Input {
	t.Helper()
	s, err := sites.Parse("site.yaml", []byte(`apiVersion: interlock/v1alpha1
kind: Site
metadata: {name: test}
policy: builtin:drf
solvers: [{name: z3}]
ledger: {dir: ledger}
switches:
  - {name: s1, target: tofino-like, driver: softswitch, address: "127.0.0.1:9559", deviceId: 1, ports: [1, 2, 3, 4], slots: 1024}
tenants:
`+tenants))
	if err != nil {
		t.Fatal(err)
	}
	l, err := linker.Link(t.Context(), s, linker.Options{Entitler: linker.Unlimited{}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := l.WriteDir(dir); err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(dir + "/" + ManifestName)
	if err != nil {
		t.Fatal(err)
	}
	in := &Input{Linked: l.P4, P4Info: l.P4InfoTxt, Ownership: owners(t, manifest), Sources: l.Sources}
	for _, x := range s.Tenants {
		at := Tenant{Name: x.Name, VID: x.VID, Virtual: x.Ports, Ports: slices.Sorted(maps.Values(x.Ports))}
		for v, p := range x.Addresses {
			if at.Addresses == nil {
				at.Addresses = map[string]string{}
			}
			at.Addresses[v.String()] = p.String()
		}
		in.Tenants = append(in.Tenants, at)
	}
	return in
}

// Changes to the files, or to the program that a tenant handed in, that must be refuted, each in words and with the line.
func TestFilesThatDoNotFollow(t *testing.T) {
	p := pool(t)
	for _, c := range []struct {
		name     string
		in       string // P4Info, manifest, or a tenant's program
		old, new string // the first of it
		want     string // the obligation
		what     []string
		source   string
	}{
		{
			"an id", "p4info", "id: 48867969", "id: 48867970", "P12/p4info/kv",
			[]string{"table kv__KvIngress.routes: preamble.id: 48867970", "linked.p4 follows: 48867969"},
			`name: "kv__KvIngress.routes"`,
		},
		{"a match kind", "p4info", "match_type: LPM", "match_type: TERNARY", "P12/p4info/kv", []string{"match_fields.0.match_type: TERNARY", "LPM"}, "routes"},
		{"a width", "p4info", "bitwidth: 32\n    match_type: LPM", "bitwidth: 31\n    match_type: LPM", "P12/p4info/kv", []string{"bitwidth: 31", "follows: 32"}, "routes"},
		{"a size", "p4info", "size: 256", "size: 255", "P12/p4info/kv", []string{"size: 255", "follows: 256"}, "routes"},
		{"the system's size", "p4info", "size: 4096", "size: 4095", "P12/p4info/il", []string{"table il_page_ingress: size: 4095"}, "il_page_ingress"},
		{"a key's name", "p4info", `name: "hdr.ipv4.dst_addr"`, `name: "hdr.ipv4.src_addr"`, "P12/p4info/kv", []string{"src_addr"}, "routes"},
		{
			"another's name", "p4info", `name: "kv__KvIngress.routes"`, `name: "hh__KvIngress.routes"`, "P12/p4info/hh",
			[]string{"table hh__KvIngress.routes", "follows: nothing"},
			"hh__KvIngress.routes",
		},
		{"and not its own any more", "p4info", `name: "kv__KvIngress.routes"`, `name: "hh__KvIngress.routes"`, "P12/p4info/kv", []string{"kv__KvIngress.routes", "nothing; from"}, ""},
		{
			"an object twice", "p4info", "registers: {", "tables: {\n  preamble: {\n    id: 1\n    name: \"kv__KvIngress.routes\"\n  }\n}\nregisters: {",
			"P12/p4info/kv",
			[]string{"table kv__KvIngress.routes again (2)", "follows: nothing"},
			"",
		},
		{"const no more", "p4info", "is_const_table: true", "is_const_table: false", "P12/p4info/il", []string{"is_const_table: nothing", "follows: true"}, ""},
		{"the architecture", "p4info", `arch: "v1model"`, `arch: "psa"`, "P12/p4info/il", []string{"arch"}, ""},
		{
			"swapped owners", "manifest", `"KvIngress.routes": "kv__KvIngress.routes"`, `"KvIngress.routes": "hh__HhIngress.wire"`, "P12/owner/kv",
			[]string{"names.KvIngress.routes", `"hh__HhIngress.wire"`, `sources/kv.p4 follows: "kv__KvIngress.routes"`},
			`"hh__HhIngress.wire"`,
		},
		{"a name that is missing", "manifest", `"KvIngress.routed": "kv__KvIngress.routed",`, "", "P12/owner/kv", []string{"names.KvIngress.routed: nothing"}, ""},
		{"a VID", "manifest", `"vid": 200`, `"vid": 300`, "P12/owner/il", []string{"tenant hh: vid: 300; from the site follows: 200"}, `"vid": 300`},
		{"swapped ports", "manifest", `"1": 3,`, `"1": 4,`, "P12/owner/il", []string{"tenant hh: ports.1: 4", "follows: 3"}, `"1": 4,`},
		{"another address", "manifest", `"10.0.0.1": "198.51.100.1"`, `"10.0.0.1": "198.51.100.2"`, "P12/owner/il", []string{"addresses.10.0.0.1"}, "198.51.100.2"},
		{"a stage array's slots", "manifest", `"slots": 16384`, `"slots": 16385`, "P12/owner/il", []string{"stage array il_stage_ingress_0: 16385 slots"}, ""},
		{"another tenant's name", "manifest", `"name": "fw"`, `"name": "fx"`, "P12/owner/il", []string{"fw: ports.1: nothing"}, ""},
		{"a register's size", "manifest", `"declared": 16384`, `"declared": 8192`, "P12/owner/kv", []string{"register key_hi: 8192 of 32 bits", "16384 of 32 bits"}, ""},
		{"a digest", "manifest", `"linked": "sha256:`, `"linked": "sha256:0`, "P12/owner/il", []string{"digests.linked"}, `"linked": "sha256:0`},
		{"a table that the tenant does not have", "kv", "table routes {", "@name(\"ways\") table routes {", "P12/owner/kv", []string{"names.KvIngress.routes", "follows: nothing"}, ""},
		{"a table of another size", "kv", "size = 256;", "size = 128;", "P12/objects/kv", []string{"table KvIngress.routes.size: 256", "sources/kv.p4 follows: 128"}, "kv__KvIngress.routes"},
		{"a table with another key", "kv", "hdr.ipv4.dst_addr: lpm", "hdr.ipv4.src_addr: lpm", "P12/objects/kv", []string{"hdr.ipv4.src_addr"}, "kv__KvIngress.routes"},
		{"an action with other data", "hh", "action forward(bit<9> port)", "action forward(@name(\"p\") bit<9> port)", "P12/objects/hh", []string{"action HhIngress.forward.params.0.name", "\"p\""}, "forward"},
		{"a counter of another unit", "kv", "CounterType.packets)", "CounterType.bytes)", "P12/objects/kv", []string{"unit: PACKETS", "BYTES"}, "operations"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := whole(t, quickstart(t))
			file := in.Sources[c.in]
			switch c.in {
			case "p4info":
				file = in.P4Info
			case "manifest":
				file = in.Ownership
			}
			if !bytes.Contains(file, []byte(c.old)) {
				t.Fatalf("%q is not there", c.old)
			}
			file = bytes.Replace(file, []byte(c.old), []byte(c.new), 1)
			switch c.in {
			case "p4info":
				in.P4Info = file
			case "manifest":
				in.Ownership = file
			default:
				in.Sources[c.in] = file
			}
			refuted := map[string]bool{}
			ask := ofP12(t, in)
			for _, r := range decide(t, p, ask) {
				switch {
				case r.Verdict == verify.Proved:
				case r.Verdict != verify.Refuted:
					t.Fatalf("%s by %s: %s %s", r.Obligation, r.Solver, r.Verdict, r.Reason)
				case r.Obligation == c.want:
					refuted[r.Solver] = true
				}
			}
			if !refuted["z3"] || !refuted["cvc5"] {
				t.Errorf("refuted by %v only", refuted)
			}
			for _, o := range ask {
				if o.ID != c.want {
					continue
				}
				ce, err := Explain(in, o, smt.Model{})
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range c.what {
					if !strings.Contains(ce.String(), w) {
						t.Errorf("does not say %q:\n%s", w, ce)
					}
				}
				if !strings.Contains(ce.Source, c.source) {
					t.Errorf("blames %q", ce.Source)
				}
				t.Log(ce)
			}
		})
	}
}

// What is proved explains nothing, and what cannot be read is no file.
func TestFilesRefused(t *testing.T) {
	in := whole(t, quickstart(t))
	if _, err := Explain(in, ofP12(t, in)[0], nil); !errors.Is(err, ErrNoReplay) {
		t.Error(err)
	}
	for _, c := range []struct {
		name string
		edit func(in *Input)
		want string
	}{
		{"an unknown field", func(in *Input) { in.P4Info = append(in.P4Info, "\nsecret: 1\n"...) }, "unknown field"},
		{"no JSON", func(in *Input) { in.Ownership = []byte("{") }, ManifestName},
		{"an unknown owner", func(in *Input) { in.Ownership = []byte(`{"owner": "me"}`) }, "unknown field"},
		{"no P4", func(in *Input) { in.Sources["kv"] = []byte("control {") }, "sources/kv.p4:1:"},
		{"a file of its own", func(in *Input) { in.Sources["kv"] = []byte("#include \"x.p4\"\n") }, "#include of x.p4"},
		{"a program missing", func(in *Input) { delete(in.Sources, "kv") }, "tenant kv is not there"},
		{"a program too many", func(in *Input) { in.Sources["me"] = nil }, `program of "me"`},
		{"one file only", func(in *Input) { in.Ownership = nil }, "together or not at all"},
		{"a port without a number", func(in *Input) { in.Tenants[0].Virtual = map[uint16]uint16{1: 1} }, "port 2 has no virtual number"},
		{"a number without a port", func(in *Input) { in.Tenants[0].Virtual[3] = 4 }, "none of its ports"},
	} {
		in := whole(t, quickstart(t))
		c.edit(in)
		if _, err := Obligations(in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	in = quickstart(t)
	if err := in.Whole(); err == nil || !strings.Contains(err.Error(), P4InfoName) {
		t.Error(err)
	}
	r := obligations(t, in)
	if n := r.NotChecked[len(r.NotChecked)-1]; n.ID != "P12" || n.Note == "" {
		t.Errorf("%+v", r.NotChecked)
	}
	// What is recorded is what is proved again.
	in = whole(t, quickstart(t))
	s, err := in.Subject()
	if err != nil {
		t.Fatal(err)
	}
	again, err := FromInputs(s.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := again.Subject(); err != nil || a.Digest() != s.Digest() || len(ofP12(t, again)) != len(ofP12(t, in)) {
		t.Error(err)
	}
	s.Inputs["sources/../x"] = nil
	if _, err := FromInputs(s.Inputs); err == nil {
		t.Error("an unknown input was read")
	}
}
