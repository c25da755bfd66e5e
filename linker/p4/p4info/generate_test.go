package p4info_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func generate(t *testing.T, name string, src []byte) *p4configv1.P4Info {
	t.Helper()
	info, diags := p4.Load(name, src)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	got, diags := p4info.Generate(info)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return got
}

func entries(t *testing.T, name string, src []byte) *p4v1.WriteRequest {
	t.Helper()
	info, diags := p4.Load(name, src)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	got, diags := p4info.Entries(info)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return got
}

func TestGolden(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.p4")
	if len(files) == 0 {
		t.Fatal("no test programs")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			golden := strings.TrimSuffix(file, ".p4") + ".txtpb"
			var got, want proto.Message = generate(t, file, nil), &p4configv1.P4Info{}
			if strings.HasPrefix(filepath.Base(file), "entries") {
				got, want = entries(t, file, nil), &p4v1.WriteRequest{}
			}
			if *update {
				if err := os.WriteFile(golden, p4info.Text(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if err := prototext.Unmarshal(text, want); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got, protocmp.Transform()); d != "" {
				t.Errorf("differs from %s (-want +got):\n%s", golden, d)
			}
		})
	}
}

// program is a v1model program with the given top-level declarations and ingress body.
func program(top, locals, apply string) []byte {
	return []byte(`#include <v1model.p4>
struct h_t { } struct m_t { bit<8> a; bit<8> b; }
` + top + `
parser P(packet_in b, out h_t h, inout m_t m, inout standard_metadata_t s) { state start { transition accept; } }
control V(inout h_t h, inout m_t m) { apply { } }
control I(inout h_t h, inout m_t m, inout standard_metadata_t s) { ` + locals + ` apply { ` + apply + ` } }
control E(inout h_t h, inout m_t m, inout standard_metadata_t s) { apply { } }
control C(inout h_t h, inout m_t m) { apply { } }
control D(packet_out b, in h_t h) { apply { } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
`)
}

// TestIDs holds ids against values that P4Runtime deployments know: they must not depend on who computes them.
func TestIDs(t *testing.T) {
	p := generate(t, "ids.p4", program("", "table t { actions = { NoAction; } }", "t.apply();"))
	if got := p.Actions[0].Preamble; got.Name != "NoAction" || got.Id != 21257015 {
		t.Errorf("%v: NoAction has id 21257015 everywhere", got)
	}
	if got := p.Tables[0].Preamble; got.Id>>24 != uint32(p4configv1.P4Ids_TABLE) || got.Name != "I.t" || got.Alias != "t" {
		t.Errorf("%v", got)
	}
}

// TestCollision gives a table the id that another one's name hashes to: that one moves on.
func TestCollision(t *testing.T) {
	first := generate(t, "a.p4", program("", "table t { actions = { NoAction; } }", "t.apply();")).Tables[0].Preamble.Id
	src := program("", "table t { actions = { NoAction; } } @id("+uintText(first)+") table u { actions = { NoAction; } }", "t.apply(); u.apply();")
	p := generate(t, "b.p4", src)
	ids := map[string]uint32{}
	for _, x := range p.Tables {
		ids[x.Preamble.Name] = x.Preamble.Id
	}
	if ids["I.u"] != first || ids["I.t"] != first+1 {
		t.Errorf("ids %v, want I.u %d and I.t %d", ids, first, first+1)
	}
}

func uintText(n uint32) string {
	const digits = "0123456789"
	s := ""
	for ; n > 0; n /= 10 {
		s = string(digits[n%10]) + s
	}
	return s
}

func TestAlias(t *testing.T) {
	src := program("control K(inout m_t m) { table t { actions = { NoAction; } } apply { t.apply(); } }",
		"K() k; table t { actions = { NoAction; } }", "t.apply(); k.apply(m);")
	got := map[string]string{}
	for _, x := range generate(t, "alias.p4", src).Tables {
		got[x.Preamble.Name] = x.Preamble.Alias
	}
	want := map[string]string{"I.t": "I.t", "I.k.t": "k.t"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestReached checks which actions are described, and in what order: those declared outside first, then as declared.
func TestReached(t *testing.T) {
	locals := `
		action a() { } action b(bit<8> x) { } action c() { } action unused() { }
		action behind_return() { } action behind_exit() { } action behind_false() { }
		table t { key = { m.a: exact; } actions = { b; a; g; } }
		action sub() { }
		table inner { key = { m.b: exact; } actions = { sub; } }
		table outer { key = { inner.apply().hit: exact @name("hit"); } actions = { } }
		table dead { actions = { unused; } }`
	apply := `
		c(); t.apply(); outer.apply();
		if (false && m.a == 1 || false) { behind_false(); dead.apply(); } else if (m.b == 1) { exit; behind_exit(); }
		if (m.b == 2) { return; } else { return; }
		behind_return();`
	p := generate(t, "reached.p4", program("action g() { }", locals, apply))
	var got []string
	for _, a := range p.Actions {
		got = append(got, a.Preamble.Name)
	}
	if d := cmp.Diff([]string{"g", "NoAction", "I.a", "I.b", "I.c", "I.behind_exit", "I.sub"}, got); d != "" {
		t.Error(d)
	}
	if len(p.Tables) != 3 {
		t.Errorf("tables %v", p.Tables)
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		name, top, locals, apply, want string
	}{
		{"wrong prefix", "", "@id(0x01000001) table t { actions = { NoAction; } }", "t.apply();", "prefix of another kind"},
		{"same id", "", "@id(5) table t { actions = { NoAction; } } @id(5) table u { actions = { NoAction; } }", "t.apply(); u.apply();", "used twice"},
		{"id is text", "", `@id("x") table t { actions = { NoAction; } }`, "t.apply();", "takes one number"},
		{"unnamed key", "", "table t { key = { m.a + m.b: exact; } actions = { NoAction; } }", "t.apply();", "needs a @name"},
		{"scopes", "", "table t { actions = { @tableonly @defaultonly NoAction; } }", "t.apply();", "cannot be both"},
		{"unnamed profile", "", "table t { key = { m.a: exact; } actions = { NoAction; } implementation = action_profile(4); }", "t.apply();", "needs a @name"},
		{"shared counter", "", "direct_counter(CounterType.packets) c; table t { actions = { NoAction; } counters = c; } table u { actions = { NoAction; } counters = c; }", "t.apply(); u.apply();", "another table already"},
		{"same name", "", `@name(".x") table t { actions = { NoAction; } } @name(".x") table u { actions = { NoAction; } }`, "t.apply(); u.apply();", "two tables are called x"},
		{"huge register", "", "register<bit<8>>(0xffffffff) r;", "r.write(0, 0);", "must be a constant from 0"},
		{"key of enum", "enum e_t { A }", "e_t e; table t { key = { e: exact; } actions = { NoAction; } }", "t.apply();", "cannot be described here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			info, diags := p4.Load("test.p4", program(test.top, test.locals, test.apply))
			if !diags.HasErrors() {
				_, diags = p4info.Generate(info)
			}
			if !diags.HasErrors() || !strings.Contains(diags.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", diags, test.want)
			}
		})
	}
}

// TestText checks that text is the same every time, and that strings in it stay as they are.
func TestText(t *testing.T) {
	m := &p4configv1.P4Info{PkgInfo: &p4configv1.PkgInfo{Name: "a:  b  {", Doc: &p4configv1.Documentation{Brief: "x\ny:  z"}}}
	want := "pkg_info: {\n  name: \"a:  b  {\"\n  doc: {\n    brief: \"x\\ny:  z\"\n  }\n}\n"
	if got := string(p4info.Text(m)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPriorities(t *testing.T) {
	const keyed = "key = { m.a: ternary; } actions = { NoAction; }"
	for _, test := range []struct {
		name, properties string
		want             []int32 // in the order of the message
	}{
		{"const", "const entries = { 1: NoAction(); 2: NoAction(); _: NoAction(); }", []int32{3, 2, 1}},
		{"const keeps the order", "largest_priority_wins = false; priority_delta = 5; const entries = { 1: NoAction(); 2: NoAction(); }", []int32{2, 1}},
		{"none stated", "priority_delta = 5; entries = { 1: NoAction(); 2: NoAction(); 3: NoAction(); }", []int32{11, 6, 1}},
		{"none stated, smallest wins", "largest_priority_wins = false; entries = { 1: NoAction(); 2: NoAction(); }", []int32{1, 2}},
		{"falling", "entries = { priority = 9: 1: NoAction(); 2: NoAction(); 3: NoAction(); }", []int32{9, 8, 7}},
		{"rising", "largest_priority_wins = false; priority_delta = 10; entries = { priority = 9: 1: NoAction(); 2: NoAction(); }", []int32{9, 19}},
		{"sorted", "entries = { priority = 3: 1: NoAction(); priority = 9: 2: NoAction(); 3: NoAction(); }", []int32{9, 8, 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []int32
			for _, u := range entries(t, "test.p4", program("", "table t { "+keyed+test.properties+" }", "t.apply();")).Updates {
				got = append(got, u.GetEntity().GetTableEntry().GetPriority())
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestEntryErrors(t *testing.T) {
	for _, test := range []struct{ name, table, want string }{
		{"priority 0", "key = { m.a: ternary; } actions = { NoAction; } entries = { priority = 0: 1: NoAction(); }", "the priority of this entry is 0"},
		{"priority falls below 1", "key = { m.a: ternary; } actions = { NoAction; } entries = { priority = 1: 1: NoAction(); 2: NoAction(); }", "the priority of this entry is 0"},
		{"priority too large", "key = { m.a: ternary; } actions = { NoAction; } entries = { priority = 2147483648: 1: NoAction(); }", "from 1 to 2147483647"},
		{"empty range", "key = { m.a: range; } actions = { NoAction; } entries = { 3 .. 1: NoAction(); }", "empty"},
		{"string of the controller", "key = { x: exact; } actions = { NoAction; } const entries = { (u_t) 1: NoAction(); }", "is not known"},
		{"argument of the controller", "key = { m.a: exact; } actions = { take; } default_action = take((u_t) 1); const entries = { 1: take((u_t) 1); }", "is not known"},
	} {
		t.Run(test.name, func(t *testing.T) {
			top := `@p4runtime_translation("u", string) type bit<8> u_t;`
			info, diags := p4.Load("test.p4", program(top, "u_t x = (u_t) 1; action take(u_t v) { x = v; } table t { "+test.table+" }", "t.apply();"))
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			_, diags = p4info.Entries(info)
			if !diags.HasErrors() || !strings.Contains(diags.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", diags, test.want)
			}
		})
	}
}

func TestNoMain(t *testing.T) {
	for _, test := range []struct {
		name, src string
		wrong     bool
		registers int
	}{
		{"library", "#include <v1model.p4>\nregister<bit<8>>(4) r;", false, 1},
		{"another package", "#include <v1model.p4>\ncontrol c(); package Other(c x); control d() { apply { } } Other(d()) main;", true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			info, diags := p4.Load("test.p4", []byte(test.src))
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			got, diags := p4info.Generate(info)
			if len(diags) != 1 || diags.HasErrors() != test.wrong || diags[0].Code != "P4301" {
				t.Errorf("diagnostics %v", diags)
			}
			if len(got.Registers) != test.registers || got.PkgInfo != nil {
				t.Errorf("got %v", got)
			}
		})
	}
}

// FuzzGenerate checks that nothing that the checker accepts makes the generator panic.
func FuzzGenerate(f *testing.F) {
	src, err := os.ReadFile("testdata/full.p4")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(src)
	f.Add(program("", "table t { actions = { NoAction; } }", "t.apply();"))
	f.Fuzz(func(_ *testing.T, src []byte) {
		info, diags := p4.Load("fuzz.p4", src)
		if info != nil && !diags.HasErrors() {
			p4info.Generate(info)
			p4info.Entries(info)
		}
	})
}
