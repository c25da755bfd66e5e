package softswitch

import (
	"context"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
)

func roleConfig(t *testing.T, fields map[string]any) *anypb.Any {
	t.Helper()
	st, err := structpb.NewStruct(fields)
	if err != nil {
		t.Fatal(err)
	}
	a, err := anypb.New(st)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// as arbitrates for a role and returns the answer or the error that ends the stream.
func (s *session) as(role string, low uint64, config *anypb.Any) (*p4v1.MasterArbitrationUpdate, error) {
	s.t.Helper()
	err := s.stream.Send(&p4v1.StreamMessageRequest{Update: &p4v1.StreamMessageRequest_Arbitration{
		Arbitration: &p4v1.MasterArbitrationUpdate{
			DeviceId: testDevice, ElectionId: &p4v1.Uint128{Low: low}, Role: &p4v1.Role{Name: role, Config: config},
		},
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := s.stream.Recv()
	return m.GetArbitration(), err
}

func (c *controller) writeRole(role string, low uint64, u *p4v1.Update) error {
	_, err := c.rpc.Write(context.Background(), &p4v1.WriteRequest{
		DeviceId: testDevice, Role: role, ElectionId: &p4v1.Uint128{Low: low}, Updates: []*p4v1.Update{u},
	})
	return err
}

func TestRolesHaveTheirOwnPrimary(t *testing.T) {
	_, c := serve(t, Options{Roles: []string{"acl"}})
	c.primary(9)
	r := c.open()
	got, err := r.as("acl", 2, roleConfig(t, map[string]any{"objects": []any{"cells"}}))
	if err != nil || code(got) != codes.OK || got.GetRole().GetName() != "acl" || got.GetRole().GetConfig() == nil || got.GetElectionId().GetLow() != 2 {
		t.Fatalf("the role's primary is told %v, %v", got, err)
	}
	if err := c.writeRole("acl", 2, c.cell(1, 5)); err != nil {
		t.Fatalf("in scope: %v", err)
	}
	if err := c.writeRole("acl", 2, update(insert, c.l2(1, 1))); len(updateErrors(err)) != 1 || updateErrors(err)[0] != codes.PermissionDenied {
		t.Fatalf("out of scope: %v %v", err, updateErrors(err))
	}
	if err := c.writeRole("acl", 9, c.cell(1, 5)); status.Code(err) != codes.PermissionDenied {
		t.Fatalf("the default role's election id: %v", err)
	}
	if err := c.writeRole("nobody", 2, c.cell(1, 5)); status.Code(err) != codes.NotFound {
		t.Fatalf("unknown role: %v", err)
	}
	_, err = c.rpc.SetForwardingPipelineConfig(context.Background(), &p4v1.SetForwardingPipelineConfigRequest{
		DeviceId: testDevice, Role: "acl", ElectionId: &p4v1.Uint128{Low: 2}, Action: verifyAndCommit, Config: c.config(1),
	})
	if status.Code(err) != codes.PermissionDenied {
		t.Fatalf("a program from a role that has a scope: %v", err)
	}
}

func TestRoleFiltersReads(t *testing.T) {
	_, c := serve(t, Options{Roles: []string{AnyRole}})
	c.primary(1)
	c.mustWrite(update(insert, c.l2(1, 1)))
	if got, err := c.open().as("x", 1, roleConfig(t, map[string]any{"objects": []any{"I.routes"}})); err != nil || code(got) != codes.OK {
		t.Fatal(got, err)
	}
	read := func(role string) int {
		conn, err := c.rpc.Read(context.Background(), &p4v1.ReadRequest{DeviceId: testDevice, Role: role, Entities: []*p4v1.Entity{entity(&p4v1.TableEntry{})}})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for {
			m, err := conn.Recv()
			if err != nil {
				return n
			}
			n += len(m.GetEntities())
		}
	}
	if all, scoped := read(""), read("x"); all != 2 || scoped != 0 {
		t.Fatalf("the default role reads %d entries and the other %d, want 2 and 0", all, scoped)
	}
}

func TestRoleRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, role string
		config     *anypb.Any
		want       codes.Code
	}{
		{"unknown role", "other", nil, codes.NotFound},
		{"config of the default role", "", roleConfig(t, nil), codes.InvalidArgument},
		{"not a struct", "acl", &anypb.Any{TypeUrl: "x"}, codes.InvalidArgument},
		{"unknown key", "acl", roleConfig(t, map[string]any{"object": "x"}), codes.InvalidArgument},
		{"objects is no list", "acl", roleConfig(t, map[string]any{"objects": "x"}), codes.InvalidArgument},
		{"objects of numbers", "acl", roleConfig(t, map[string]any{"objects": []any{1}}), codes.InvalidArgument},
		{"packet_in is no bool", "acl", roleConfig(t, map[string]any{"packet_in": 1}), codes.InvalidArgument},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, c := serve(t, Options{Roles: []string{"acl"}})
			if got, err := c.open().as(tc.role, 1, tc.config); status.Code(err) != tc.want {
				t.Fatalf("got %v, %v, want %v", got, err, tc.want)
			}
		})
	}
	t.Run("change of role", func(t *testing.T) {
		_, c := serve(t, Options{Roles: []string{AnyRole}})
		s := c.open()
		if _, err := s.as("a", 1, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.as("b", 1, nil); status.Code(err) != codes.FailedPrecondition {
			t.Fatal(err)
		}
	})
}

func TestPacketsFollowTheScope(t *testing.T) {
	_, c := serve(t, Options{Roles: []string{AnyRole}})
	main := c.primary(1)
	deaf, talks := c.open(), c.open()
	if _, err := deaf.as("deaf", 1, roleConfig(t, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := talks.as("talks", 1, roleConfig(t, map[string]any{"packet_in": true, "packet_out": true})); err != nil {
		t.Fatal(err)
	}
	deaf.packetOut(marker(1))
	if e := deaf.recv().GetError(); codes.Code(e.GetCanonicalCode()) != codes.PermissionDenied {
		t.Fatalf("got %v", e)
	}
	talks.packetOut(marker(2))
	for _, s := range []*session{main, talks} {
		if p := s.recv().GetPacket(); p.GetPayload()[len(p.GetPayload())-1] != 2 {
			t.Fatalf("got %v", p)
		}
	}
	deaf.packetOut(marker(3))
	if e := deaf.recv().GetError(); e == nil {
		t.Fatal("the role that receives no packets got one")
	}
}

func TestAnElectionIDOfZeroIsSet(t *testing.T) {
	_, c := serve(t, Options{})
	s := c.open()
	if got, err := s.as("", 0, nil); err != nil || code(got) != codes.OK || got.GetElectionId() == nil {
		t.Fatalf("got %v, %v", got, err)
	}
	if err := c.write(); status.Code(err) != codes.PermissionDenied {
		t.Fatalf("a write without an election id: %v", err)
	}
}
