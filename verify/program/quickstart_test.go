package program

import (
	"os"
	"strings"
	"testing"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// quickstart is the linked program of the example site, as the linker's own tests keep it.
func quickstart(t testing.TB) *Input {
	t.Helper()
	text, err := os.ReadFile("../../linker/testdata/quickstart/linked.p4")
	if err != nil {
		t.Fatal(err)
	}
	return &Input{Linked: text, Parser: specs.ParserBound{States: 256, Bytes: 512}, Tenants: []Tenant{
		{Name: "kv", VID: 100, Ports: []uint16{1, 2}},
		{Name: "hh", VID: 200, Ports: []uint16{3, 4}},
		{Name: "fw", VID: 300, Ports: []uint16{5, 6}},
	}}
}

func TestQuickstart(t *testing.T) {
	r := obligations(t, quickstart(t))
	for _, res := range decide(t, pool(t), r.Obligations) {
		if res.Verdict != verify.Proved {
			t.Errorf("%s by %s: %s, guard %s: %s\n%s", res.Obligation, res.Solver, res.Verdict, res.Guard, res.Reason, res.Model)
		}
	}
}

// What somebody may put into a linked program by hand, past the linker.
func TestQuickstartByHand(t *testing.T) {
	p := pool(t)
	for _, c := range []struct {
		name     string
		old, new string
		want     string // an obligation that must be refuted
		source   string
	}{
		{
			"the tag", "    state kv__parse_kv {\n", "    state kv__parse_kv {\n        hdr.il_vlan.vid = 200;\n",
			"P2/kv/kept", "hdr.il_vlan.vid = 200;",
		},
		{
			"recirculation", "                operations.count(2);\n", "                operations.count(2);\n                recirculate_preserving_field_list(0);\n",
			"P3/kv/recirculate/", "recirculate_preserving_field_list(0);",
		},
		{
			"another's slots", "il_stage_ingress_0.read(il_cell, (bit<32>)il_page.base_0 + il_index);\n                    } else {\n                        il_memory.missed = true;\n                    }\n                    il_memory.asked = true;\n                    meta.stored_hi",
			"il_stage_ingress_0.read(il_cell, il_index);\n                    } else {\n                        il_memory.missed = true;\n                    }\n                    il_memory.asked = true;\n                    meta.stored_hi",
			"P5/ingress/il_stage_ingress_0/kv/", "il_stage_ingress_0.read(il_cell, il_index);",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := quickstart(t)
			edit(t, in, c.old, c.new)
			byID := map[string]verify.Obligation{}
			var ask []verify.Obligation
			for _, o := range obligations(t, in).Obligations {
				byID[o.ID] = o
				if strings.HasPrefix(o.ID, c.want) {
					ask = append(ask, o)
				}
			}
			explained := map[string]bool{}
			for _, res := range decide(t, p, ask) {
				if res.Verdict == verify.Proved {
					continue
				}
				if res.Verdict != verify.Refuted {
					t.Fatalf("%s by %s: %s: %s", res.Obligation, res.Solver, res.Verdict, res.Reason)
				}
				model, err := smt.ParseModel(res.Model)
				if err != nil {
					t.Fatal(err)
				}
				ce, err := Explain(in, byID[res.Obligation], model)
				if err != nil {
					t.Fatalf("%s by %s: %v\n%s", res.Obligation, res.Solver, err, res.Model)
				}
				if ce.Source != c.source || ce.Tenant != "kv" {
					t.Errorf("%s by %s: %s", res.Obligation, res.Solver, ce)
				}
				if explained[res.Solver] = true; len(explained) == 1 {
					t.Log(ce)
				}
			}
			if len(explained) != 2 {
				t.Errorf("refuted by %v", explained)
			}
		})
	}
}

func BenchmarkObligations(b *testing.B) {
	in := whole(b, quickstart(b))
	for b.Loop() {
		if _, err := Obligations(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProve(b *testing.B) {
	r := obligations(b, whole(b, quickstart(b)))
	p := pool(b)
	for b.Loop() {
		for _, res := range decide(b, p, r.Obligations) {
			if res.Verdict != verify.Proved {
				b.Fatalf("%s: %s", res.Obligation, res.Verdict)
			}
		}
	}
}
