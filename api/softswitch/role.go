package softswitch

import (
	"fmt"
	"slices"
	"strings"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// AnyRole in Options.Roles takes every role name.
const AnyRole = "*"

// What a role's scope may name besides the objects of the P4Info.
const (
	multicastGroups = "multicast_groups"
	cloneSessions   = "clone_sessions"
)

// A scope is what the controllers of a role may do. The nil scope is everything: that of the default role, and of a role without
// a configuration.
type scope struct {
	objects             []string // P4Info names or aliases, multicastGroups, cloneSessions
	packetIn, packetOut bool
}

// parseScope reads a role's configuration: an Any with a google.protobuf.Struct
//
//	{"objects": ["MyIngress.ipv4_lpm", "multicast_groups"], "packet_in": false, "packet_out": false}
//
// objects lists what the role writes, reads and is notified of, by the name or alias that it has in the P4Info; a table stands
// for its direct counter and meter too. packet_in and packet_out are false unless they are set.
func parseScope(config *anypb.Any) (*scope, error) {
	if config == nil {
		return nil, nil
	}
	var st structpb.Struct
	if err := config.UnmarshalTo(&st); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "role.config: want a google.protobuf.Struct: %v", err)
	}
	sc := &scope{}
	for key, v := range st.GetFields() {
		switch key {
		case "objects":
			list, ok := v.GetKind().(*structpb.Value_ListValue)
			if !ok {
				return nil, status.Error(codes.InvalidArgument, "role.config: objects must be a list of names")
			}
			for _, e := range list.ListValue.GetValues() {
				name, ok := e.GetKind().(*structpb.Value_StringValue)
				if !ok {
					return nil, status.Error(codes.InvalidArgument, "role.config: objects must be a list of names")
				}
				sc.objects = append(sc.objects, name.StringValue)
			}
		case "packet_in", "packet_out":
			b, ok := v.GetKind().(*structpb.Value_BoolValue)
			if !ok {
				return nil, status.Errorf(codes.InvalidArgument, "role.config: %s must be true or false", key)
			}
			if key == "packet_in" {
				sc.packetIn = b.BoolValue
			} else {
				sc.packetOut = b.BoolValue
			}
		default:
			return nil, status.Errorf(codes.InvalidArgument, "role.config: %q is unknown: want objects, packet_in, packet_out", key)
		}
	}
	return sc, nil
}

func (sc *scope) mayReceive() bool { return sc == nil || sc.packetIn }
func (sc *scope) maySend() bool    { return sc == nil || sc.packetOut }

// has tells whether an object of the P4Info is in scope.
func (sc *scope) has(p *configv1.Preamble) bool {
	return sc == nil || slices.Contains(sc.objects, p.GetName()) || p.GetAlias() != "" && slices.Contains(sc.objects, p.GetAlias())
}

// covers tells whether the entity's object is in scope. What there is no such object for is: the error then is about that.
func (sc *scope) covers(p *program, e *p4v1.Entity) bool {
	if sc == nil {
		return true
	}
	if pre := p.preamble(e); pre != nil {
		return sc.has(pre)
	}
	if r := e.GetPacketReplicationEngineEntry(); r != nil {
		name := multicastGroups
		if r.GetCloneSessionEntry() != nil {
			name = cloneSessions
		}
		return slices.Contains(sc.objects, name)
	}
	return true
}

// String lists what is in scope.
func (sc *scope) String() string {
	if sc == nil {
		return "everything"
	}
	return strings.Join(sc.objects, ", ")
}

// checkRole refuses a role that no controller of this switch can have.
func (s *Switch) checkRole(role string, roleID uint64) error {
	switch {
	case roleID != 0:
		return status.Error(codes.NotFound, "role_id is deprecated: roles have names")
	case role == "" || slices.Contains(s.opts.Roles, role) || slices.Contains(s.opts.Roles, AnyRole):
		return nil
	}
	return status.Errorf(codes.NotFound, "this switch has no role %q%s", role, s.rolesHint())
}

func (s *Switch) rolesHint() string {
	if len(s.opts.Roles) == 0 {
		return ": it was started with the default role only"
	}
	return fmt.Sprintf(": it has %s", strings.Join(s.opts.Roles, ", "))
}
