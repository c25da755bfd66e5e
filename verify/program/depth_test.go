package program

import (
	"slices"
	"strings"
	"testing"

	"github.com/interlock/interlock/specs"
)

// An hh packet with three labels goes through start, il_ethernet, il_vlan, il_enter_hh, hh__start, hh__parse_label three times and
// hh__parse_ipv4 (or once more hh__parse_label, where the stack is full), which are 9, and is parsed up to byte 14 + 4 + 3*4 + 20 = 50.
var depths = []struct {
	specs.ParserBound
	canary
}{
	{specs.ParserBound{States: 9, Bytes: 50}, canary{
		"as far as packets are parsed", "kv__l2.apply();", "kv__l2.apply();", "", "", "",
	}},
	{specs.ParserBound{States: 8, Bytes: 50}, canary{
		"a state more than the target has", "kv__l2.apply();", "kv__l2.apply();", "P9/states/hh", "state hh__parse_",
		"one more than the 8 parser states",
	}},
	{specs.ParserBound{States: 2, Bytes: 50}, canary{
		"only before the tenant's own", "kv__l2.apply();", "kv__l2.apply();", "P9/states/il", "state il_vlan",
		"one more than the 2 parser states",
	}},
	{specs.ParserBound{States: 9, Bytes: 49}, canary{
		"a byte more than the target reads", "kv__l2.apply();", "kv__l2.apply();", "P9/bytes/hh", "packet.extract(hdr.hh.hh__ipv4)",
		"parsed up to its byte 50",
	}},
	{specs.ParserBound{States: 9, Bytes: 50}, canary{
		"a look ahead", "state kv__start {", "state kv__start { bit<8> far = packet.lookahead<bit<512>>()[7:0];", "P9/bytes/kv", "packet.lookahead",
		"parsed up to its byte 82",
	}},
	{specs.ParserBound{States: 9, Bytes: 50}, canary{
		"bytes that are skipped", "state kv__parse_cache {", "state kv__parse_cache { packet.advance(400);", "P9/bytes/kv", "packet.advance(400)",
		"parsed up to its byte 68",
	}},
	{specs.ParserBound{States: 6, Bytes: 50}, canary{
		"the same state by a longer way", "0x1234: kv__parse_cache;\n----\n    state kv__parse_cache {",
		"0x1234: kv__parse_cache;\n            0x1235: kv__detour;\n----\n    state kv__detour { transition kv__parse_cache; }\n    state kv__parse_cache {",
		"P9/states/kv", "state kv__parse_cache", "one more than the 6 parser states",
	}},
	{specs.ParserBound{States: 40, Bytes: 512}, canary{
		"a loop that no stack ends", "hdr.hh.hh__labels.next\n----\nhdr.hh.hh__labels.last.bottom", "hdr.hh.hh__labels[0]\n----\nhdr.hh.hh__labels[0].bottom",
		"P9/states/hh", "state hh__parse_", "one more than the 40 parser states",
	}},
}

func TestDepths(t *testing.T) {
	p := pool(t)
	for _, c := range depths {
		t.Run(c.name, func(t *testing.T) {
			in := c.input(t)
			in.Parser = c.ParserBound
			c.test(t, p, in)
		})
	}
}

// Without the target's bound P9 is not checked, and a loop that nothing ends is not modelled.
func TestWithoutBound(t *testing.T) {
	in := two(t)
	in.Parser = specs.ParserBound{}
	r := obligations(t, in)
	if !slices.ContainsFunc(r.NotChecked, func(n PropertyNote) bool { return n.ID == "P9" && n.Note != "" }) {
		t.Errorf("not checked: %v", r.NotChecked)
	}
	for _, o := range r.Obligations {
		if o.Property == "P9" {
			t.Errorf("%s without a bound", o.ID)
		}
	}
	loop := depths[len(depths)-1]
	edit(t, in, loop.old, loop.new)
	for _, b := range []specs.ParserBound{{}, {States: 4096, Bytes: 65535}} {
		in.Parser = b
		if _, err := Obligations(in); err == nil || !strings.Contains(err.Error(), "no header stack ends") {
			t.Errorf("with %v: %v", b, err)
		}
	}
	in.Parser = specs.ParserBound{States: 9}
	if _, err := Obligations(in); err == nil || !strings.Contains(err.Error(), "at least 1") {
		t.Errorf("with half a bound: %v", err)
	}
}

func TestInputs(t *testing.T) {
	for _, b := range []specs.ParserBound{{}, {States: 3, Bytes: 4}} {
		in := two(t)
		in.Parser = b
		s, err := in.Subject()
		if err != nil {
			t.Fatal(err)
		}
		again, err := FromInputs(s.Inputs)
		if err != nil || again.Parser != b || len(again.Tenants) != 2 || string(again.Linked) != string(in.Linked) {
			t.Errorf("%v: %v, %v", b, again, err)
		}
		s.Inputs["other"] = nil
		if _, err := FromInputs(s.Inputs); err == nil {
			t.Error("an input of no use is taken")
		}
	}
}
