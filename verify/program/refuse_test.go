package program

import (
	"errors"
	"strings"
	"testing"
)

// What the executor does not model is an error at its position.
func TestUnsupported(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new string
		source   string // part of the line that must be named
		want     string // part of the message
	}{
		{"digest", "kv__l2.apply();", "kv__l2.apply(); digest<bit<8>>(1, hdr.kv__cache.op);", "digest<bit<8>>", "extern function digest"},
		{"truncation", "kv__l2.apply();", "kv__l2.apply(); truncate(32w60);", "truncate(32w60)", "extern function truncate"},
		{
			"an endless parser loop", "state il_marker {", "state il_marker { transition il_marker; }\n state il_other {",
			"il_marker;", "consumes nothing",
		},
		{
			"a loop that no stack ends", "hdr.hh.hh__labels.next\n----\nhdr.hh.hh__labels.last.bottom", "hdr.hh.hh__labels[0]\n----\nhdr.hh.hh__labels[0].bottom",
			"select", "no header stack ends",
		},
		{
			"the page table twice", "            il_page_ingress.apply();\n", "            il_page_ingress.apply();\n            if (il_page_ingress.apply().hit) { }\n",
			"if (il_page_ingress", "applied twice",
		},
		{
			"the page table by prefix", "hdr.il_vlan.vid: exact @name(\"vid\");", "hdr.il_vlan.vid: ternary @name(\"vid\");",
			"table il_page_ingress", "not one exact key",
		},
		{
			"an Ethernet header of its own at the front", "packet.emit(hdr.il_ethernet);\n        packet.emit(hdr.il_vlan);", "packet.emit(hdr.il_vlan);\n        packet.emit(hdr.il_ethernet);",
			"packet.emit(hdr.il_vlan)", "does not have 112 bits",
		},
		{"an unregistered tenant", "control kv__Ingress(", "control zz__Other(inout kv__headers_t hdr) { apply { } }\ncontrol kv__Ingress(", "", ""},
		{
			"an unregistered tenant's code", "kv__Ingress() kv__ingress;", "kv__Ingress() kv__ingress; register<bit<8>>(4) zz__mine;",
			"zz__mine", "not registered",
		},
		{
			"two objects of one name", "table kv__l2 {", "@name(\".il_page_ingress\") table kv__l2 {",
			"", "both called il_page_ingress",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := two(t)
			edit(t, in, c.old, c.new)
			_, err := Obligations(in)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var at *PosError
			if !errors.Is(err, ErrUnsupported) || !errors.As(err, &at) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(sourceLine(in.Linked, at.Pos), c.source) {
				t.Errorf("got %v\nat %q", err, sourceLine(in.Linked, at.Pos))
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Input)
		want   string
	}{
		{"no VID 0", func(in *Input) { in.Tenants[0].VID = 0 }, "not in 1..4094"},
		{"no VID 4095", func(in *Input) { in.Tenants[0].VID = 4095 }, "not in 1..4094"},
		{"one VID a tenant", func(in *Input) { in.Tenants[0].VID = 200 }, "VID 200 is registered"},
		{"one name a tenant", func(in *Input) { in.Tenants[0].Name = "hh" }, "registered twice"},
		{"a name", func(in *Input) { in.Tenants[0].Name = "K v" }, "a name is"},
		{"the system's prefix", func(in *Input) { in.Tenants[0].Name = "il" }, "a name is"},
		{"the controller's port", func(in *Input) { in.Tenants[0].Ports = []uint16{510} }, "no front port"},
		{"a tenant without code", func(in *Input) { in.Tenants = append(in.Tenants, Tenant{"fw", 300, []uint16{5}}) }, "tenant fw is registered, but"},
		{"no program", func(in *Input) { in.Linked = nil }, ""},
		{"no P4", func(in *Input) { in.Linked = []byte("control {") }, "linked.p4:1:"},
		{"no main", func(in *Input) { in.Linked = []byte("#include <v1model.p4>\n") }, "main"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := two(t)
			c.change(in)
			if _, err := Obligations(in); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
