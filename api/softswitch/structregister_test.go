package softswitch

import (
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

const structRegister = `
#include <core.p4>
#include <v1model.p4>
enum color_t { RED, GREEN }
enum bit<8> code_t { LOW = 1, HIGH = 200 }
struct pair_t { bit<8> x; int<9> y; }
struct cell_t { pair_t p; bool b; color_t c; code_t d; bit<100> w; }
struct headers_t { }
struct meta_t { }
register<cell_t>(3) cells;
parser P(packet_in b, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { state start { transition accept; } }
control V(inout headers_t hdr, inout meta_t meta) { apply { } }
control I(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply { cell_t v; cells.read(v, 1); v.p.x = v.p.x + 1; v.p.y = -v.p.y; cells.write(2, v); sm.egress_spec = 1; }
}
control E(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout meta_t meta) { apply { } }
control D(packet_out b, in headers_t hdr) { apply { } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
`

// structCell is a cell of the program above.
func structCell(x, y, w []byte, c string) *p4v1.P4Data {
	bits := func(b []byte) *p4v1.P4Data { return &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: b}} }
	of := func(members ...*p4v1.P4Data) *p4v1.P4Data {
		return &p4v1.P4Data{Data: &p4v1.P4Data_Struct{Struct: &p4v1.P4StructLike{Members: members}}}
	}
	return of(of(bits(x), bits(y)), &p4v1.P4Data{Data: &p4v1.P4Data_Bool{Bool: true}},
		&p4v1.P4Data{Data: &p4v1.P4Data_Enum{Enum: c}}, &p4v1.P4Data{Data: &p4v1.P4Data_EnumValue{EnumValue: []byte{200}}}, bits(w))
}

func TestRegisterOfStructs(t *testing.T) {
	s, c := serve(t, Options{})
	c.use([]byte(structRegister))
	c.primary(1)
	if err := c.setPipeline(p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT, c.config(1)); err != nil {
		t.Fatal(err)
	}
	cell := func(i int64, d *p4v1.P4Data) *p4v1.Update {
		u := c.cell(i)
		u.GetEntity().GetRegisterEntry().Data = d
		return u
	}
	read := func(i int64) *p4v1.P4Data {
		t.Helper()
		e := cell(i, nil).GetEntity()
		e.GetRegisterEntry().Data = nil
		return c.mustRead(e)[0].GetRegisterEntry().GetData()
	}
	wide := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	first := structCell([]byte{7}, []byte{0xFF, 0x9C}, wide, "GREEN") // y is -100
	c.mustWrite(cell(1, first))
	if got, want := read(1), structCell([]byte{7}, []byte{0x9C}, wide, "GREEN"); !proto.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
	if _, err := s.Process(1, make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
	if got, want := read(2), structCell([]byte{8}, []byte{100}, wide, "GREEN"); !proto.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
	bad := structCell([]byte{7}, []byte{1}, wide, "GREEN")
	bad.GetStruct().Members = bad.GetStruct().Members[1:]
	for name, tc := range map[string]struct {
		data *p4v1.P4Data
		want codes.Code
	}{
		"no data":        {nil, codes.InvalidArgument},
		"a bit string":   {&p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: []byte{1}}}, codes.InvalidArgument},
		"too few":        {bad, codes.InvalidArgument},
		"too large":      {structCell([]byte{1, 0}, []byte{1}, wide, "GREEN"), codes.OutOfRange},
		"no such member": {structCell([]byte{1}, []byte{1}, wide, "BLUE"), codes.InvalidArgument},
	} {
		if got := c.write(cell(1, tc.data)); firstCode(got) != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	if got := read(1); got.GetStruct().GetMembers()[2].GetEnum() != "GREEN" {
		t.Errorf("a write that failed left %v", got)
	}
	c.mustWrite(cell(-1, structCell([]byte{0}, []byte{0}, []byte{0}, "RED"))) // all
	if got := read(1); !proto.Equal(got, structCell([]byte{0}, []byte{0}, []byte{0}, "RED")) {
		t.Errorf("after the wildcard write: %v", got)
	}
}

// firstCode is that of the first update of a write that failed.
func firstCode(err error) codes.Code {
	for _, d := range status.Convert(err).Details() {
		if e, ok := d.(*p4v1.Error); ok {
			return codes.Code(e.GetCanonicalCode())
		}
	}
	return status.Code(err)
}
