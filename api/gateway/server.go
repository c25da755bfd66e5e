package gateway

//lint:file-ignore SA1019 a request with the deprecated role id must be refused, not taken for one without

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/device"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/api/p4rt"
	"github.com/interlock/interlock/verify/request"
	"github.com/interlock/interlock/verify/wire"
)

// space names the vendor space of error messages.
const space = "interlock-gateway"

// server serves P4Runtime to whom who says.
type server struct {
	p4v1.UnimplementedP4RuntimeServer
	who func(context.Context) (*virtual, error)
}

// Capabilities says which version is spoken.
func (s *server) Capabilities(ctx context.Context, _ *p4v1.CapabilitiesRequest) (*p4v1.CapabilitiesResponse, error) {
	if _, err := s.who(ctx); err != nil {
		return nil, err
	}
	return &p4v1.CapabilitiesResponse{P4RuntimeApiVersion: p4rt.APIVersion}, nil
}

// check refuses what is for another device or role, or has fields that this server does not know.
func (v *virtual) check(m proto.Message, device uint64, role string, roleID uint64) error {
	switch {
	case device != v.device:
		return status.Errorf(codes.NotFound, "there is no device %d here, only %d", device, v.device)
	case role != "" || roleID != 0:
		return status.Error(codes.NotFound, "a tenant's switch has the default role only")
	}
	if path, ok := wire.UnknownField(m); ok {
		return bad("unknown field in %s", path)
	}
	return nil
}

// GetForwardingPipelineConfig returns the tenant's own program and P4Info.
func (s *server) GetForwardingPipelineConfig(ctx context.Context, req *p4v1.GetForwardingPipelineConfigRequest) (
	*p4v1.GetForwardingPipelineConfigResponse, error,
) {
	v, err := s.who(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.check(req, req.GetDeviceId(), "", 0); err != nil {
		return nil, err
	}
	return p4rt.Config(&p4v1.ForwardingPipelineConfig{
		P4Info: v.program.info, P4DeviceConfig: v.program.texts[0], Cookie: &p4v1.ForwardingPipelineConfig_Cookie{Cookie: gate.Cookie(v.program.texts[0])},
	}, req.GetResponseType())
}

// SetForwardingPipelineConfig takes the program that is there, and does nothing.
func (s *server) SetForwardingPipelineConfig(ctx context.Context, req *p4v1.SetForwardingPipelineConfigRequest) (
	*p4v1.SetForwardingPipelineConfigResponse, error,
) {
	v, err := s.who(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.check(req, req.GetDeviceId(), req.GetRole(), req.GetRoleId()); err != nil {
		return nil, err
	}
	if _, err := v.arbiter.Check("", req.GetElectionId()); err != nil {
		return nil, err
	}
	const how = "programs come in through interlock link, prove and install; yours is what GetForwardingPipelineConfig returns"
	switch a := req.GetAction(); a {
	case p4v1.SetForwardingPipelineConfigRequest_VERIFY, p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT,
		p4v1.SetForwardingPipelineConfigRequest_RECONCILE_AND_COMMIT:
	case p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_SAVE, p4v1.SetForwardingPipelineConfigRequest_COMMIT:
		return nil, status.Errorf(codes.Unimplemented, "%v: nothing is saved here: %s", a, how)
	default:
		return nil, bad("action %v", a)
	}
	if err := p4rt.SameP4Info(req.GetConfig().GetP4Info(), v.program.info); err != nil {
		return nil, status.Errorf(codes.PermissionDenied, "the P4Info is not that of the program that runs: %v: %s", err, how)
	}
	text := req.GetConfig().GetP4DeviceConfig()
	if len(text) > 0 && !bytes.Equal(text, v.program.texts[0]) && !bytes.Equal(text, v.program.texts[1]) {
		return nil, status.Errorf(codes.PermissionDenied, "p4_device_config is not the text of the program that runs (a compiler's output is not compared): %s", how)
	}
	return &p4v1.SetForwardingPipelineConfigResponse{}, nil
}

// Write translates a batch and has it carried out.
func (s *server) Write(ctx context.Context, req *p4v1.WriteRequest) (*p4v1.WriteResponse, error) {
	v, err := s.who(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.check(req, req.GetDeviceId(), req.GetRole(), req.GetRoleId()); err != nil {
		return nil, err
	}
	leave, err := v.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	v.control.RLock()
	defer v.control.RUnlock()
	if _, err := v.arbiter.Check("", req.GetElectionId()); err != nil {
		return nil, err
	}
	switch n := len(req.GetUpdates()); {
	case req.GetAtomicity() != p4v1.WriteRequest_CONTINUE_ON_ERROR:
		return nil, status.Errorf(codes.Unimplemented, "atomicity %v: only CONTINUE_ON_ERROR", req.GetAtomicity())
	case n > request.MaxUpdates:
		return nil, status.Errorf(codes.ResourceExhausted, "%d updates, %d are allowed in one request", n, request.MaxUpdates)
	case n == 0:
		return &p4v1.WriteResponse{}, nil
	}
	b := &batch{v: v, updates: req.GetUpdates()}
	if err := b.answered(v.port.Write(ctx, b.build)); err != nil {
		return nil, v.failure(err)
	}
	if err := b.failed.Status(space, "write"); err != nil {
		return nil, err
	}
	return &p4v1.WriteResponse{}, nil
}

// Read answers with what is the tenant's.
func (s *server) Read(req *p4v1.ReadRequest, conn p4v1.P4Runtime_ReadServer) error {
	ctx := conn.Context()
	v, err := s.who(ctx)
	if err != nil {
		return err
	}
	if err := v.check(req, req.GetDeviceId(), req.GetRole(), 0); err != nil {
		return err
	}
	if n := len(req.GetEntities()); n > request.MaxEntities {
		return status.Errorf(codes.ResourceExhausted, "%d entities, %d are allowed in one request", n, request.MaxEntities)
	}
	var list []inquiry
	var failed p4rt.BatchErrors
	for i, e := range req.GetEntities() {
		more, err := v.program.inquiries(e)
		if err != nil {
			failed.Add(i, len(req.GetEntities()), err)
			continue
		}
		if list = append(list, more...); len(list) > request.MaxEntities {
			return status.Errorf(codes.ResourceExhausted, "the read asks for more than %d objects", request.MaxEntities)
		}
	}
	leave, err := v.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	answer := &p4v1.ReadResponse{}
	flush := func() error {
		if len(answer.GetEntities()) == 0 {
			return nil
		}
		err := conn.Send(answer)
		answer = &p4v1.ReadResponse{}
		return err
	}
	err = v.ask(ctx, list, func(e *p4v1.Entity) error {
		answer.Entities = append(answer.Entities, e)
		if len(answer.GetEntities()) < answerEntities {
			return nil
		}
		return flush()
	})
	if err != nil {
		return v.failure(err)
	}
	if err := flush(); err != nil {
		return err
	}
	return failed.Status(space, "read")
}

// StreamChannel is a controller's stream: arbitration, and refusals of the rest.
func (s *server) StreamChannel(conn p4v1.P4Runtime_StreamChannelServer) error {
	v, err := s.who(conn.Context())
	if err != nil {
		return err
	}
	st := p4rt.NewStream[struct{}]()
	return st.Serve(conn, func() error { return v.receive(conn, st) }, func() {
		v.control.Lock() // a write of the primary that is under way ends first
		defer v.control.Unlock()
		v.arbiter.Leave(st)
	})
}

func (v *virtual) receive(conn p4v1.P4Runtime_StreamChannelServer, st *p4rt.Stream[struct{}]) error {
	refuse := func(e *p4v1.StreamError) {
		e.CanonicalCode, e.Space = int32(codes.Unimplemented), space
		st.Post(&p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Error{Error: e}}, true)
	}
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
			if role := u.Arbitration.GetRole(); role.GetName() != "" || role.GetId() != 0 {
				return status.Error(codes.NotFound, "a tenant's switch has the default role only")
			}
			v.control.Lock()
			err := v.arbiter.Arbitrate(st, u.Arbitration)
			v.control.Unlock()
			if err != nil {
				return err
			}
		case *p4v1.StreamMessageRequest_Packet:
			refuse(&p4v1.StreamError{
				Message: "packet-outs are not supported: no packet of a tenant's comes from the controller",
				Details: &p4v1.StreamError_PacketOut{PacketOut: &p4v1.PacketOutError{PacketOut: u.Packet}},
			})
		case *p4v1.StreamMessageRequest_DigestAck:
			refuse(&p4v1.StreamError{
				Message: "linked programs have no digests",
				Details: &p4v1.StreamError_DigestListAck{DigestListAck: &p4v1.DigestListAckError{DigestListAck: u.DigestAck}},
			})
		case nil:
			return bad("an empty stream message")
		default:
			refuse(&p4v1.StreamError{Message: fmt.Sprintf("stream message %T", u)})
		}
	}
}

// failure is an error of the gate, as a tenant may see it: without what is the operator's.
func (v *virtual) failure(err error) error {
	var decided *request.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	case errors.Is(err, gate.ErrNotAdmitted):
		return status.Error(codes.FailedPrecondition, v.program.words.Replace(err.Error()))
	case errors.Is(err, request.ErrEntitled):
		return status.Error(codes.ResourceExhausted, v.program.words.Replace(err.Error()))
	case errors.As(err, &decided):
		return status.Error(codes.PermissionDenied, v.program.words.Replace(err.Error()))
	case errors.Is(err, gate.ErrMoved):
		return status.Error(codes.Aborted, err.Error())
	}
	v.log.Error("a request could not be carried out", "err", err)
	why := "the switch does not take the request now"
	switch {
	case errors.Is(err, gate.ErrUnanswered):
		why = "an earlier request was not answered and may still take effect: the controller of the shared switch has to begin anew"
	case errors.Is(err, device.ErrUnreachable):
		why = "the switch does not answer: the request may take effect or not"
	case errors.Is(err, device.ErrNotPrimary):
		why = "another controller has the shared switch"
	case errors.Is(err, gate.ErrStale), errors.Is(err, device.ErrNoPipeline):
		why = "the shared switch runs another program than the one that your program was linked into"
	}
	return status.Error(codes.Unavailable, why)
}
