package p4rt

import (
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// APIVersion is the P4Runtime version that Capabilities answers with.
const APIVersion = "1.5.0"

// Config is that part of a config which a GetForwardingPipelineConfigRequest asks for.
func Config(c *p4v1.ForwardingPipelineConfig, t p4v1.GetForwardingPipelineConfigRequest_ResponseType) (*p4v1.GetForwardingPipelineConfigResponse, error) {
	part := &p4v1.ForwardingPipelineConfig{Cookie: c.GetCookie()}
	switch t {
	case p4v1.GetForwardingPipelineConfigRequest_ALL:
		part.P4Info, part.P4DeviceConfig = c.GetP4Info(), c.GetP4DeviceConfig()
	case p4v1.GetForwardingPipelineConfigRequest_COOKIE_ONLY:
	case p4v1.GetForwardingPipelineConfigRequest_P4INFO_AND_COOKIE:
		part.P4Info = c.GetP4Info()
	case p4v1.GetForwardingPipelineConfigRequest_DEVICE_CONFIG_AND_COOKIE:
		part.P4DeviceConfig = c.GetP4DeviceConfig()
	default:
		return nil, status.Errorf(codes.InvalidArgument, "response type %v", t)
	}
	return &p4v1.GetForwardingPipelineConfigResponse{Config: part}, nil
}
