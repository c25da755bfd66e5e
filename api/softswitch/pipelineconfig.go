package softswitch

//lint:file-ignore SA1019 a request with the deprecated role_id must be refused, not taken for one without

import (
	"context"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/p4rt"
)

// SetForwardingPipelineConfig verifies, saves or installs a program. Installing starts with tables and registers as the program
// declares them, but RECONCILE_AND_COMMIT keeps what they hold, or refuses.
func (s *server) SetForwardingPipelineConfig(_ context.Context, req *p4v1.SetForwardingPipelineConfigRequest) (
	*p4v1.SetForwardingPipelineConfigResponse, error,
) {
	if s.opts.OnRequest != nil {
		if err := s.opts.OnRequest(req); err != nil {
			return nil, err
		}
	}
	if err := s.checkDevice(req.GetDeviceId()); err != nil {
		return nil, err
	}
	if err := s.checkRole(req.GetRole(), req.GetRoleId()); err != nil {
		return nil, err
	}
	s.control.Lock()
	defer s.control.Unlock()
	sc, err := s.arbiter.Check(req.GetRole(), req.GetElectionId())
	if err != nil {
		return nil, err
	}
	if sc != nil {
		return nil, status.Errorf(codes.PermissionDenied, "the role's scope is: %v", sc)
	}
	if err := s.setPipeline(req); err != nil {
		return nil, err
	}
	if s.opts.OnReply != nil {
		if err := s.opts.OnReply(req); err != nil {
			return nil, err
		}
	}
	return &p4v1.SetForwardingPipelineConfigResponse{}, nil
}

func (s *server) setPipeline(req *p4v1.SetForwardingPipelineConfigRequest) error {
	switch req.GetAction() {
	case p4v1.SetForwardingPipelineConfigRequest_COMMIT:
		if req.GetConfig() != nil {
			return status.Error(codes.InvalidArgument, "COMMIT installs what was saved and takes no config")
		}
		if s.saved == nil {
			return status.Error(codes.NotFound, "no config was saved")
		}
		s.install(s.saved)
		return nil
	case p4v1.SetForwardingPipelineConfigRequest_VERIFY, p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_SAVE,
		p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT, p4v1.SetForwardingPipelineConfigRequest_RECONCILE_AND_COMMIT:
	default:
		return status.Errorf(codes.InvalidArgument, "action %v", req.GetAction())
	}
	p, err := s.verify(req.GetConfig())
	if err != nil {
		return err
	}
	switch req.GetAction() {
	case p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_SAVE:
		s.saved = p
	case p4v1.SetForwardingPipelineConfigRequest_VERIFY_AND_COMMIT:
		s.install(p)
	case p4v1.SetForwardingPipelineConfigRequest_RECONCILE_AND_COMMIT:
		return s.exchange(p)
	}
	return nil
}

// exchange installs p with the state of the running program. Packets wait meanwhile.
func (s *Switch) exchange(p *program) error {
	s.inside.Lock()
	if s.active != nil {
		if err := reconcile(s.active, p); err != nil {
			s.inside.Unlock()
			return err
		}
	}
	old := s.active
	s.active = p
	s.inside.Unlock()
	s.installed(old, p)
	return nil
}

// verify makes a program of a config.
func (s *server) verify(c *p4v1.ForwardingPipelineConfig) (*program, error) {
	if c == nil || c.GetP4Info() == nil || len(c.GetP4DeviceConfig()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "a config with p4info and p4_device_config is needed")
	}
	p, err := newProgram(c.GetP4DeviceConfig(), s.environment())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if err := p4rt.SameP4Info(c.GetP4Info(), p.info); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "the P4Info is not that of p4_device_config: %v", err)
	}
	p.info = proto.CloneOf(c.GetP4Info()) // read back as it was given
	if c.GetCookie() != nil {
		p.cookie, p.hasCookie = c.GetCookie().GetCookie(), true
	}
	return p, nil
}

// GetForwardingPipelineConfig returns the config that runs; none before the first is installed.
func (s *server) GetForwardingPipelineConfig(_ context.Context, req *p4v1.GetForwardingPipelineConfigRequest) (
	*p4v1.GetForwardingPipelineConfigResponse, error,
) {
	if err := s.checkDevice(req.GetDeviceId()); err != nil {
		return nil, err
	}
	s.inside.RLock()
	p := s.active
	s.inside.RUnlock()
	if p == nil {
		return &p4v1.GetForwardingPipelineConfigResponse{}, nil
	}
	c := &p4v1.ForwardingPipelineConfig{P4Info: p.info, P4DeviceConfig: p.config}
	if p.hasCookie {
		c.Cookie = &p4v1.ForwardingPipelineConfig_Cookie{Cookie: p.cookie}
	}
	return p4rt.Config(c, req.GetResponseType())
}
