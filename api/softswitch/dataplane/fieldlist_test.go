package dataplane

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// The packet is resubmitted once with list 2; what was preserved then leaves in it.
const fieldListProgram = `#include <v1model.p4>
const int SECOND = 2;
const bit<8> THIRD = 3;
enum bit<8> Lists { first = 1, second = SECOND }
header h_t { bit<8> a; }
struct headers_t { h_t h; }
struct meta_t { %s bit<8> kept; bit<8> other; }
parser P(packet_in b, out headers_t hdr, inout meta_t m, inout standard_metadata_t sm) { state start { b.extract(hdr.h); transition accept; } }
control V(inout headers_t hdr, inout meta_t m) { apply { } }
control I(inout headers_t hdr, inout meta_t m, inout standard_metadata_t sm) {
    apply {
        hdr.h.a = m.kept + m.other;
        sm.egress_spec = 1;
        if (sm.instance_type == 0) { resubmit_preserving_field_list((bit<8>) SECOND); m.kept = 5; m.other = 0x20; }
    }
}
control E(inout headers_t hdr, inout meta_t m, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout meta_t m) { apply { } }
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr.h); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
`

func TestFieldLists(t *testing.T) {
	for _, tc := range []struct{ name, annotation, want string }{
		{"none", "", "1:00"},
		{"number", "@field_list(2)", "1:05"},
		{"another number", "@field_list(1, 3)", "1:00"},
		{"one of several", "@field_list(1, 0x2, 3)", "1:05"},
		{"number with a width", "@field_list(8w2)", "1:05"},
		{"constant", "@field_list(SECOND)", "1:05"},
		{"another constant", "@field_list(THIRD)", "1:00"},
		{"enum", "@field_list(Lists.second)", "1:05"},
		{"enum among others", "@field_list(Lists.first, Lists.second)", "1:05"},
		{"another member", "@field_list(Lists.first, THIRD)", "1:00"},
		{"structured", "@field_list[SECOND]", "1:05"},
		{"in two annotations", "@field_list(1) @field_list(2)", "1:05"},
		{"unknown name", "@field_list(FOURTH)", "@field_list(FOURTH): want"},
		{"unknown member", "@field_list(Lists.third)", "@field_list(Lists.third): want"},
		{"expression", "@field_list(1 + 1)", "@field_list(1+1): want"},
		{"type", "@field_list(h_t)", "@field_list(h_t): want"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tree, diags := syntax.Parse("lists.p4", fmt.Appendf(nil, fieldListProgram, tc.annotation), syntax.Config{Builtin: p4.Builtin()})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			info, diags := types.Check(tree)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			p, err := Compile(info)
			if strings.HasPrefix(tc.want, "@") {
				var e *Error
				if !errors.As(err, &e) || !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), tc.want) || !e.Pos.IsValid() {
					t.Fatalf("got %v, want a position and %q", err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(sent(t, p, 3, "77"), " "); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
