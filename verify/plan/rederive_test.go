package plan

import (
	"os"
	"strings"
	"testing"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// linked returns the text of the tests' linked program.
func linked(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/linked.p4")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// linkedArrays are the stage arrays of testdata/linked.p4.
var linkedArrays = map[model.Array]int64{
	{Control: specs.Ingress, Stage: 0}: 65536,
	{Control: specs.Ingress, Stage: 1}: 4096,
	{Control: specs.Egress, Stage: 0}:  8192,
}

func TestRederive(t *testing.T) {
	info, err := rederive(linked(t))
	if err != nil {
		t.Fatal(err)
	}
	l, err := layoutOf(info)
	if err != nil {
		t.Fatalf("%v\n%s", err, prototext.Format(info))
	}
	for a, n := range linkedArrays {
		if l.slots[a] != n || l.widths[a] != 32 {
			t.Errorf("%v: %d slots of %d bits, want %d of 32", a, l.slots[a], l.widths[a], n)
		}
	}
	for c, stages := range map[specs.Control]int{specs.Ingress: 2, specs.Egress: 1} {
		if x := l.table(c); x == nil || x.stages != stages || x.capacity != 4096 {
			t.Errorf("%s: %+v", c, x)
		}
	}
}

// Every deviation from the ABI is refused: a plan's bytes would mean something else.
func TestLayoutRefuses(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"key width", "bit<12> vid;", "bit<13> vid; bit<7> pad;", "its key must be vid"},
		{"key kind", `vid: exact @name("vid")`, `vid: ternary @name("vid")`, "its key must be vid"},
		{"key name", `vid: exact @name("vid")`, `vid: exact @name("tag")`, "its key must be vid"},
		{"parameter order", "action il_map_egress(bit<24> base_0, bit<24> size_0,", "action il_map_egress(bit<24> size_0, bit<24> base_0,", "parameter 0 is size_0"},
		{"missing stage", `@name(".il_stage_ingress_1") register<bit<32>>(4096) il_stage_ingress_1;`, "", "8 parameters, want 4"},
		{"mapping default", "const default_action = il_unmapped_egress();", "const default_action = il_map_egress(0, 1, 0, 0);", "default action"},
		{"open default", "const default_action = il_unmapped_egress();", "default_action = il_unmapped_egress();", "default action"},
		{"too large", "register<bit<32>>(65536)", "register<bit<32>>(33554432)", "33554432 slots"},
		{"no page table", `@name(".il_page_egress")`, `@name(".il_leaf_egress")`, "no page table"},
		{"const entries", "        size = 4096;\n    }\n    apply {\n        il_page_egress", "        const entries = { 5: il_map_egress(0, 1, 0, 0); }\n    }\n    apply {\n        il_page_egress", "plain table"},
		{"include", "#include <core.p4>", "#include <core.p4>\n#include \"/etc/hostname\"", "hostname"},
		{"syntax", "control il_Verify", "contrl il_Verify", "linked.p4:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := string(linked(t))
			if !strings.Contains(text, c.old) {
				t.Fatalf("the program has no %q", c.old)
			}
			_, err := NewEncoder(1).Obligations(&Input{Linked: []byte(strings.ReplaceAll(text, c.old, c.new)), ElectionID: 1, Primitives: testPrimitives})
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: want %q", err, c.want)
			}
		})
	}
}

// TestRealProgram reads what the linker writes: the page tables there are those that plans are about.
func TestRealProgram(t *testing.T) {
	text, err := os.ReadFile("../../linker/testdata/quickstart/linked.p4")
	if err != nil {
		t.Skip(err)
	}
	info, err := rederive(text)
	if err != nil {
		t.Fatal(err)
	}
	l, err := layoutOf(info)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.arrays) == 0 || len(l.tables) == 0 {
		t.Errorf("%d stage arrays, %d page tables", len(l.arrays), len(l.tables))
	}
}

// A P4Info that no text of ours yields is refused too.
func TestLayoutRefusesP4Info(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*p4configv1.P4Info)
	}{
		{"width of a parameter", func(i *p4configv1.P4Info) { i.Actions[0].Params[0].Bitwidth = 32 }},
		{"id of a parameter", func(i *p4configv1.P4Info) { i.Actions[0].Params[1].Id = 9 }},
		{"two keys", func(i *p4configv1.P4Info) {
			i.Tables[0].MatchFields = append(i.Tables[0].MatchFields, i.Tables[0].MatchFields[0])
		}},
		{"action not of the table", func(i *p4configv1.P4Info) { i.Tables[0].ActionRefs = nil }},
		{"action only as default", func(i *p4configv1.P4Info) { i.Tables[0].ActionRefs[0].Scope = p4configv1.ActionRef_DEFAULT_ONLY }},
		{"no such action", func(i *p4configv1.P4Info) { i.Actions = i.Actions[1:] }},
		{"action profile", func(i *p4configv1.P4Info) { i.Tables[0].ImplementationId = 3 }},
		{"idle time-outs", func(i *p4configv1.P4Info) { i.Tables[0].IdleTimeoutBehavior = p4configv1.Table_NOTIFY_CONTROL }},
		{"register of a struct", func(i *p4configv1.P4Info) { i.Registers[0].TypeSpec = nil }},
		{"empty register", func(i *p4configv1.P4Info) { i.Registers[0].Size = 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			info := testInfo(smallArrays)
			if _, err := layoutOf(info); err != nil {
				t.Fatal(err)
			}
			c.change(info)
			if _, err := layoutOf(info); err == nil {
				t.Error("accepted")
			}
		})
	}
}
