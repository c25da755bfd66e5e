// Package writer is the P4Runtime client that can write. Only api/gate may import it; a test over the import graph keeps it so.
//
// It sends bytes as they are: a request that was proved is not marshalled again on its way to the switch.
package writer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/device"
)

// A Session is mastership of one switch under one election id.
type Session struct {
	target     device.Target
	primitives device.Primitives
	electionID uint64
	conn       *grpc.ClientConn
	stream     p4v1.P4Runtime_StreamChannelClient
	cancel     context.CancelFunc

	mu sync.Mutex
	// markers has the payload of each marker that is under way, also of those that nobody waits for any more: nil is sent when it is
	// back, or why the switch refused it.
	markers map[string]chan error
	lost    error         // why the session is over
	done    chan struct{} // closed with lost set
}

// Open dials t and arbitrates with electionID (low 64 bits), which must never have been used before on this switch.
func Open(ctx context.Context, t device.Target, electionID uint64) (*Session, error) {
	prim, err := device.DeclaredPrimitives(t.Driver)
	if err != nil {
		return nil, err
	}
	creds, err := t.Credentials()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(t.Address, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(device.MaxMessage), grpc.MaxCallSendMsgSize(device.MaxMessage)))
	if err != nil {
		return nil, fmt.Errorf("switch %s: %w", t.Name, err)
	}
	sctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Session{
		target: t, primitives: prim, electionID: electionID, conn: conn, cancel: cancel,
		markers: map[string]chan error{}, done: make(chan struct{}),
	}
	if err := s.arbitrate(ctx, sctx); err != nil {
		cancel()
		conn.Close()
		return nil, err
	}
	go s.receive()
	return s, nil
}

func (s *Session) arbitrate(ctx, streamCtx context.Context) error {
	stop := context.AfterFunc(ctx, s.cancel) // the caller's deadline holds for the handshake only
	defer stop()
	stream, err := p4v1.NewP4RuntimeClient(s.conn).StreamChannel(streamCtx)
	if err != nil {
		return device.Wrap(s.target, err)
	}
	s.stream = stream
	err = stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Arbitration{
		Arbitration: &p4v1.MasterArbitrationUpdate{
			DeviceId: s.target.DeviceID, ElectionId: &p4v1.Uint128{Low: s.electionID},
		},
	}})
	if err != nil {
		_, err = stream.Recv() // the stream's own error says why
		return device.Wrap(s.target, err)
	}
	resp, err := stream.Recv()
	if err != nil {
		return device.Wrap(s.target, err)
	}
	return s.checkArbitration(resp.GetArbitration())
}

func (s *Session) checkArbitration(a *p4v1.MasterArbitrationUpdate) error {
	switch {
	case a == nil:
		return fmt.Errorf("switch %s: the first answer on the stream is not an arbitration update", s.target.Name)
	case codes.Code(a.GetStatus().GetCode()) != codes.OK:
		return fmt.Errorf("switch %s: %w: our election id %d, the primary's %d", s.target.Name, device.ErrNotPrimary,
			s.electionID, a.GetElectionId().GetLow())
	}
	return nil
}

func (s *Session) receive() {
	for {
		resp, err := s.stream.Recv()
		if err != nil {
			s.end(device.Wrap(s.target, err))
			return
		}
		switch u := resp.GetUpdate().(type) {
		case *p4v1.StreamMessageResponse_Arbitration:
			if err := s.checkArbitration(u.Arbitration); err != nil {
				s.end(err)
				return
			}
		case *p4v1.StreamMessageResponse_Packet:
			s.arrived(u.Packet.GetPayload(), nil)
		case *p4v1.StreamMessageResponse_Error:
			if out := u.Error.GetPacketOut(); out != nil {
				s.arrived(out.GetPacketOut().GetPayload(), status.Error(codes.Code(u.Error.GetCanonicalCode()), u.Error.GetMessage()))
			}
		}
	}
}

// arrived ends the wait for a marker.
func (s *Session) arrived(payload []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.markers[string(payload)]; ok {
		c <- err
		delete(s.markers, string(payload))
	}
}

func (s *Session) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost == nil {
		s.lost = err
		close(s.done)
	}
}

// Held returns nil while mastership is held, else why it was lost.
func (s *Session) Held() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Done is closed when mastership is lost.
func (s *Session) Done() <-chan struct{} { return s.done }

// ElectionID is the session's election id.
func (s *Session) ElectionID() uint64 { return s.electionID }

// Close gives mastership up.
func (s *Session) Close() error {
	s.cancel()
	return s.conn.Close()
}

// Write sends a serialised WriteRequest, byte for byte.
func (s *Session) Write(ctx context.Context, request []byte) error {
	return s.invoke(ctx, p4v1.P4Runtime_Write_FullMethodName, request)
}

// SetPipeline sends a serialised SetForwardingPipelineConfigRequest, byte for byte.
func (s *Session) SetPipeline(ctx context.Context, request []byte) error {
	return s.invoke(ctx, p4v1.P4Runtime_SetForwardingPipelineConfig_FullMethodName, request)
}

func (s *Session) invoke(ctx context.Context, method string, request []byte) error {
	if err := s.Held(); err != nil {
		return err
	}
	var reply []byte
	if err := s.conn.Invoke(ctx, method, request, &reply, grpc.ForceCodecV2(device.Bytes{})); err != nil {
		return device.Wrap(s.target, withDetails(err))
	}
	return nil
}

// ErrMarkerUsed refuses a marker that this session has sent before, and that has not come back.
var ErrMarkerUsed = errors.New("the fence's marker was sent before and is not back: coming late, it would end this fence too soon")

// Fence sends a serialised PacketOut, a marker, and waits until it has come back.
func (s *Session) Fence(ctx context.Context, marker []byte) error {
	var out p4v1.PacketOut
	if err := proto.Unmarshal(marker, &out); err != nil {
		return fmt.Errorf("switch %s: marker: %w", s.target.Name, err)
	}
	back := make(chan error, 1)
	s.mu.Lock()
	if s.lost != nil {
		s.mu.Unlock()
		return s.lost
	}
	if _, sent := s.markers[string(out.GetPayload())]; sent {
		s.mu.Unlock()
		return fmt.Errorf("switch %s: %w", s.target.Name, ErrMarkerUsed)
	}
	s.markers[string(out.GetPayload())] = back
	s.mu.Unlock()
	if err := s.stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Packet{Packet: &out}}); err != nil {
		return device.Wrap(s.target, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.primitives.FenceTimeout)
	defer cancel()
	select {
	case err := <-back:
		if err != nil {
			return fmt.Errorf("the fence's marker was refused: %w", device.Wrap(s.target, err))
		}
		return nil
	case <-s.done:
		return s.Held()
	case <-ctx.Done():
		return fmt.Errorf("switch %s: %w: the fence's marker did not come back: %w", s.target.Name, device.ErrUnreachable, ctx.Err())
	}
}
