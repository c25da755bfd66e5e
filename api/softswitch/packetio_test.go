package softswitch

import (
	"bytes"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
)

// controllerProgram sends what comes from the controller where its header says, and everything else to the controller.
const controllerProgram = `
#include <core.p4>
#include <v1model.p4>
@controller_header("packet_in") header in_t { bit<9> port; bit<7> reason; }
@controller_header("packet_out") header out_t { bit<9> port; bit<7> pad; bit<40> cookie; }
struct headers_t { in_t i; out_t o; }
struct meta_t { }
parser P(packet_in b, out headers_t hdr, inout meta_t m, inout standard_metadata_t sm) {
    state start { transition select(sm.ingress_port) { 510: out_header; default: accept; } }
    state out_header { b.extract(hdr.o); transition accept; }
}
control V(inout headers_t hdr, inout meta_t m) { apply { } }
control I(inout headers_t hdr, inout meta_t m, inout standard_metadata_t sm) {
    apply {
        if (hdr.o.isValid()) {
            sm.egress_spec = hdr.o.port;
            if (hdr.o.cookie != 0x0102030405) { mark_to_drop(sm); }
            hdr.o.setInvalid();
        } else {
            hdr.i.setValid();
            hdr.i.port = sm.ingress_port;
            hdr.i.reason = 5;
            sm.egress_spec = 510;
        }
    }
}
control E(inout headers_t hdr, inout meta_t m, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout meta_t m) { apply { } }
control D(packet_out b, in headers_t hdr) { apply { b.emit(hdr.i); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
`

func metadata(id uint32, v ...byte) *p4v1.PacketMetadata {
	return &p4v1.PacketMetadata{MetadataId: id, Value: v}
}

func TestPacketMetadata(t *testing.T) {
	sent := make(chan Output, 1)
	s, c := serve(t, Options{Output: func(port uint16, pkt []byte) { sent <- Output{port, bytes.Clone(pkt)} }})
	c.use([]byte(controllerProgram))
	ctl := c.primary(1)
	if err := s.Inject(300, []byte{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	in := ctl.recv().GetPacket()
	if !bytes.Equal(in.GetPayload(), []byte{1, 2, 3}) || len(in.GetMetadata()) != 2 ||
		!bytes.Equal(in.Metadata[0].Value, []byte{0x01, 0x2C}) || !bytes.Equal(in.Metadata[1].Value, []byte{5}) {
		t.Fatalf("packet in: %v", in)
	}
	send := func(m ...*p4v1.PacketMetadata) {
		t.Helper()
		err := ctl.stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Packet{
			Packet: &p4v1.PacketOut{Payload: []byte{9, 9}, Metadata: m},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	send(metadata(3, 1, 2, 3, 4, 5), metadata(1, 1, 0), metadata(2, 0))
	if out := <-sent; out.Port != 256 || !bytes.Equal(out.Packet, []byte{9, 9}) {
		t.Fatalf("packet out: %v", out)
	}
	for _, tc := range []struct {
		name string
		m    []*p4v1.PacketMetadata
	}{
		{"none", nil},
		{"one missing", []*p4v1.PacketMetadata{metadata(1, 1), metadata(2, 0)}},
		{"one twice", []*p4v1.PacketMetadata{metadata(1, 1), metadata(1, 1), metadata(2, 0), metadata(3, 0)}},
		{"unknown", []*p4v1.PacketMetadata{metadata(1, 1), metadata(2, 0), metadata(3, 0), metadata(7, 0)}},
		{"too large", []*p4v1.PacketMetadata{metadata(1, 2, 0), metadata(2, 0), metadata(3, 0)}},
		{"empty value", []*p4v1.PacketMetadata{metadata(1), metadata(2, 0), metadata(3, 0)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			send(tc.m...)
			e := ctl.recv().GetError()
			if codes.Code(e.GetCanonicalCode()) != codes.InvalidArgument || e.GetPacketOut().GetPacketOut() == nil {
				t.Fatalf("got %v", e)
			}
		})
	}
}
