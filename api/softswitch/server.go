package softswitch

//lint:file-ignore SA1019 a request with the deprecated role id must be refused, not taken for one without

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/p4rt"
)

// MaxMessage bounds a P4Runtime message that the server takes, in bytes.
const MaxMessage = 64 << 20

// Serve serves P4Runtime on l until ctx ends; then it returns nil. It closes l.
func (s *Switch) Serve(ctx context.Context, l net.Listener, opts ...grpc.ServerOption) error {
	opts = append([]grpc.ServerOption{
		grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage), grpc.ForceServerCodecV2(newRequestCodec()),
	}, opts...)
	srv := grpc.NewServer(opts...)
	p4v1.RegisterP4RuntimeServer(srv, &server{Switch: s})
	stop := context.AfterFunc(ctx, srv.Stop)
	defer stop()
	if err := srv.Serve(l); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve P4Runtime: %w", err)
	}
	srv.Stop() // wait for what is still answered
	return nil
}

// server is the Switch seen over gRPC.
type server struct {
	p4v1.UnimplementedP4RuntimeServer
	*Switch
}

// Capabilities says which version is spoken.
func (s *server) Capabilities(_ context.Context, req *p4v1.CapabilitiesRequest) (*p4v1.CapabilitiesResponse, error) {
	return &p4v1.CapabilitiesResponse{P4RuntimeApiVersion: p4rt.APIVersion}, nil
}

func (s *server) checkDevice(id uint64) error {
	if id != s.opts.DeviceID {
		return status.Errorf(codes.NotFound, "there is no device %d here, only %d", id, s.opts.DeviceID)
	}
	return nil
}

// StreamChannel is a controller's stream: arbitration, packets out and in.
func (s *server) StreamChannel(conn p4v1.P4Runtime_StreamChannelServer) error {
	st := p4rt.NewStream[*scope]()
	return st.Serve(conn, func() error { return s.receive(conn, st) }, func() {
		s.control.Lock() // a write of the primary that is under way ends first
		defer s.control.Unlock()
		s.arbiter.Leave(st)
	})
}

func (s *server) receive(conn p4v1.P4Runtime_StreamChannelServer, st *p4rt.Stream[*scope]) error {
	for {
		m, err := conn.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch u := m.GetUpdate().(type) {
		case *p4v1.StreamMessageRequest_Arbitration:
			if err := s.checkRole(u.Arbitration.GetRole().GetName(), u.Arbitration.GetRole().GetId()); err != nil {
				return err
			}
			s.control.Lock()
			err := s.arbiter.Arbitrate(st, u.Arbitration)
			s.control.Unlock()
			if err != nil {
				return err
			}
		case *p4v1.StreamMessageRequest_Packet:
			if err := s.sendOut(st, u.Packet); err != nil {
				st.Post(packetOutError(u.Packet, err), true)
			}
		case nil:
			return status.Error(codes.InvalidArgument, "an empty stream message")
		case *p4v1.StreamMessageRequest_DigestAck:
			s.acknowledge(st, u.DigestAck)
		case *p4v1.StreamMessageRequest_Other:
			st.Post(&p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Error{Error: &p4v1.StreamError{
				CanonicalCode: int32(codes.Unimplemented), Message: "no architecture-specific stream messages are known here",
				Details: &p4v1.StreamError_Other{Other: &p4v1.StreamOtherError{Other: u.Other}},
			}}}, true)
		default:
			st.Post(&p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Error{Error: &p4v1.StreamError{
				CanonicalCode: int32(codes.Unimplemented), Message: fmt.Sprintf("stream message %T", u),
			}}}, true)
		}
	}
}
