package softswitch_test

import (
	"bytes"
	"testing"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/linker/p4"
)

// What the driver declares of the parser is what the switch does: it takes packets as far as declared, and no further.
func TestParserBound(t *testing.T) {
	declared, err := device.DeclaredPrimitives("softswitch")
	if err != nil {
		t.Fatal(err)
	}
	if declared.Parser.States != dataplane.MaxStates {
		t.Errorf("%d states are declared, the switch has %d", declared.Parser.States, dataplane.MaxStates)
	}
	for _, c := range []struct {
		name    string
		rest    string // of the header, beside the byte that says whether there is more
		packet  []byte
		timeout bool
	}{
		{"as many states", "", append(bytes.Repeat([]byte{1}, declared.Parser.States-1), 0), false},
		{"one state more", "", append(bytes.Repeat([]byte{1}, declared.Parser.States), 0), true},
		{
			"as many bytes", "bit<128> y;",
			append(bytes.Repeat(append([]byte{1}, make([]byte, 16)...), declared.Parser.Bytes/17-1), make([]byte, 17)...), false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			info, diags := p4.Load("loop.p4", []byte(`#include <core.p4>
#include <v1model.p4>
header h_t { bit<8> x; `+c.rest+` }
struct H { h_t h; }
struct M { }
parser P(packet_in p, out H h, inout M m, inout standard_metadata_t s) {
    state start { p.extract(h.h); transition select(h.h.x) { 1: start; default: accept; } }
}
control V(inout H h, inout M m) { apply { } }
control I(inout H h, inout M m, inout standard_metadata_t s) {
    apply {
        s.egress_spec = 1;
        if (s.parser_error == error.ParserTimeout) { s.egress_spec = 2; } else if (s.parser_error != error.NoError) { s.egress_spec = 3; }
    }
}
control E(inout H h, inout M m, inout standard_metadata_t s) { apply { } }
control D(packet_out p, in H h) { apply { p.emit(h.h); } }
V1Switch(P(), V(), I(), E(), V(), D()) main;
`))
			if err := diags.Err(); err != nil {
				t.Fatal(err)
			}
			pipe, err := dataplane.Compile(info)
			if err != nil {
				t.Fatal(err)
			}
			x := pipe.Run(0, c.packet)
			defer x.Release()
			want := uint16(1)
			if c.timeout {
				want = 2
			}
			if port, _, ok := x.First(); !ok || port != want {
				t.Errorf("left through port %d (%v), want %d", port, ok, want)
			}
		})
	}
}
