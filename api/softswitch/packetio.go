package softswitch

import (
	"fmt"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
	"github.com/interlock/interlock/linker/p4/types"

	"github.com/interlock/interlock/api/p4rt"
)

// A controllerHeader is the header that packets to or from the controller have in front, and that the controller sees as
// metadata: one declared with @controller_header. The nil one has no fields.
type controllerHeader struct {
	fields []controllerField
	bytes  int
}

type controllerField struct {
	id     uint32
	name   string
	offset int // bits from the start of the header
	width  int // bits
}

// bindController lays the header out. declared is the header in the program: what is hidden from the P4Info has a place in it too.
func bindController(m *configv1.ControllerPacketMetadata, declared *types.Struct) (*controllerHeader, error) {
	h := &controllerHeader{}
	bits := 0
	for _, f := range m.GetMetadata() {
		w := int(f.GetBitwidth())
		if w <= 0 {
			return nil, fmt.Errorf("header %s, field %s: a translated string: %w", declared.Name, f.GetName(), dataplane.ErrUnsupported)
		}
		h.fields = append(h.fields, controllerField{f.GetId(), f.GetName(), bits, w})
		bits += w
	}
	switch w, ok := types.Width(declared); {
	case !ok || w != bits:
		return nil, fmt.Errorf("header %s: fields that are hidden from the controller, or of another width for it: %w", declared.Name, dataplane.ErrUnsupported)
	case bits%8 != 0:
		return nil, fmt.Errorf("header %s has %d bits, which are no whole bytes: %w", declared.Name, bits, dataplane.ErrUnsupported)
	}
	h.bytes = bits / 8
	return h, nil
}

// encode puts the metadata of a packet-out in front of its payload.
func (h *controllerHeader) encode(p *p4v1.PacketOut) ([]byte, error) {
	if h == nil {
		if len(p.GetMetadata()) > 0 {
			return nil, status.Error(codes.InvalidArgument, "the program declares no packet_out header, so there is no metadata")
		}
		return p.GetPayload(), nil
	}
	pkt := make([]byte, h.bytes, h.bytes+len(p.GetPayload()))
	seen := make([]bool, len(h.fields))
	for _, m := range p.GetMetadata() {
		i := h.index(m.GetMetadataId())
		if i < 0 {
			return nil, status.Errorf(codes.InvalidArgument, "packet_out has no metadata %d", m.GetMetadataId())
		}
		f := h.fields[i]
		if seen[i] {
			return nil, status.Errorf(codes.InvalidArgument, "metadata %d (%s) is there twice", f.id, f.name)
		}
		seen[i] = true
		w := make([]uint64, (f.width+63)/64)
		if err := decodeBits(m.GetValue(), f.width, w); err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "metadata %d (%s): %s", f.id, f.name, status.Convert(err).Message())
		}
		for b := range f.width { // bit b of the value, from its lowest
			at := f.offset + f.width - 1 - b
			pkt[at/8] |= byte(w[b/64]>>(b%64)&1) << (7 - at%8)
		}
	}
	for i, ok := range seen {
		if !ok {
			return nil, status.Errorf(codes.InvalidArgument, "metadata %d (%s) is missing", h.fields[i].id, h.fields[i].name)
		}
	}
	return append(pkt, p.GetPayload()...), nil
}

func (h *controllerHeader) index(id uint32) int {
	for i := range h.fields {
		if h.fields[i].id == id {
			return i
		}
	}
	return -1
}

// decode makes a packet-in of a packet: its header becomes metadata. The packet is copied. It is nil if the packet is too short.
func (h *controllerHeader) decode(pkt []byte) *p4v1.PacketIn {
	if h == nil {
		return &p4v1.PacketIn{Payload: append([]byte(nil), pkt...)}
	}
	if len(pkt) < h.bytes {
		return nil
	}
	in := &p4v1.PacketIn{Payload: append([]byte(nil), pkt[h.bytes:]...)}
	for _, f := range h.fields {
		w := make([]uint64, (f.width+63)/64)
		for b := range f.width {
			at := f.offset + f.width - 1 - b
			w[b/64] |= uint64(pkt[at/8]>>(7-at%8)&1) << (b % 64)
		}
		in.Metadata = append(in.Metadata, &p4v1.PacketMetadata{MetadataId: f.id, Value: encodeBits(w)})
	}
	return in
}

// sendOut takes a packet of a controller in.
func (s *server) sendOut(st *p4rt.Stream[*scope], p *p4v1.PacketOut) error {
	if s.opts.OnRequest != nil {
		if err := s.opts.OnRequest(p); err != nil {
			return err
		}
	}
	role, sc, err := s.arbiter.CheckPrimary(st)
	switch {
	case err != nil:
		return err
	case !sc.maySend():
		return status.Errorf(codes.PermissionDenied, "role %q does not send packets out", role)
	}
	return s.packetOut(p)
}

func packetOutError(p *p4v1.PacketOut, err error) *p4v1.StreamMessageResponse {
	st := status.Convert(err)
	return &p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Error{Error: &p4v1.StreamError{
		CanonicalCode: int32(st.Code()), Message: st.Message(),
		Details: &p4v1.StreamError_PacketOut{PacketOut: &p4v1.PacketOutError{PacketOut: p}},
	}}}
}

// packetIn hands a packet to the controllers. It is false if nobody takes it.
func (s *Switch) packetIn(p *program, pkt []byte) bool {
	in := p.packetIn.decode(pkt)
	if in == nil {
		s.log.Warn("packet to the controller is shorter than the packet_in header", "bytes", len(pkt))
		return false
	}
	return s.arbiter.Tell(&p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Packet{Packet: in}}, (*scope).mayReceive)
}
