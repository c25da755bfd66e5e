package softswitch

import (
	"context"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func code(a *p4v1.MasterArbitrationUpdate) codes.Code { return codes.Code(a.GetStatus().GetCode()) }

func TestHighestElectionIDIsPrimary(t *testing.T) {
	_, c := serve(t, Options{})
	a, b := c.open(), c.open()
	if got := a.arbitrate(0, 5); code(got) != codes.OK || got.GetElectionId().GetLow() != 5 {
		t.Fatalf("first: %v", got)
	}
	if got := b.arbitrate(0, 4); code(got) != codes.AlreadyExists || got.GetElectionId().GetLow() != 5 {
		t.Fatalf("lower: %v", got)
	}
	b.sendArbitration(1, 0) // 128 bits: above every low half
	if got := a.arbitration(); code(got) != codes.AlreadyExists || got.GetElectionId().GetHigh() != 1 {
		t.Fatalf("the old primary is told %v", got)
	}
	if got := b.arbitration(); code(got) != codes.OK {
		t.Fatalf("the new primary is told %v", got)
	}
	c.id = &p4v1.Uint128{Low: 5}
	if err := c.write(); status.Code(err) != codes.PermissionDenied {
		t.Fatalf("write of the old primary: %v", err)
	}
	c.id = &p4v1.Uint128{High: 1}
	if err := c.write(); status.Code(err) != codes.FailedPrecondition {
		t.Fatalf("write of the new primary before a program: %v", err)
	}
}

func TestElectionIDsAreRemembered(t *testing.T) {
	_, c := serve(t, Options{})
	a := c.open()
	a.arbitrate(0, 9)
	watcher := c.open()
	watcher.arbitrate(0, 0)
	a.cancel()
	if got := watcher.arbitration(); code(got) != codes.NotFound || got.GetElectionId().GetLow() != 9 {
		t.Fatalf("after the primary left: %v", got)
	}
	c.id = &p4v1.Uint128{Low: 9}
	if err := c.write(); status.Code(err) != codes.PermissionDenied {
		t.Fatalf("write in the name of a primary that left: %v", err)
	}
	b := c.open()
	if got := b.arbitrate(0, 8); code(got) != codes.NotFound {
		t.Fatalf("an id below the highest ever seen: %v", got)
	}
}

func TestArbitrationRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		u    *p4v1.MasterArbitrationUpdate
		want codes.Code
	}{
		{"other device", &p4v1.MasterArbitrationUpdate{DeviceId: 99}, codes.NotFound},
		{"id in use", &p4v1.MasterArbitrationUpdate{DeviceId: testDevice, ElectionId: &p4v1.Uint128{Low: 3}}, codes.InvalidArgument},
		{"role", &p4v1.MasterArbitrationUpdate{DeviceId: testDevice, Role: &p4v1.Role{Name: "x"}}, codes.NotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, c := serve(t, Options{})
			c.open().arbitrate(0, 3)
			s := c.open()
			if err := s.stream.Send(&p4v1.StreamMessageRequest{
				Update: &p4v1.StreamMessageRequest_Arbitration{Arbitration: tc.u},
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.stream.Recv(); status.Code(err) != tc.want {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestPacketOutIsForThePrimary(t *testing.T) {
	_, c := serve(t, Options{})
	p := c.primary(2)
	backup := c.open()
	backup.arbitrate(0, 1)
	backup.packetOut(marker(1))
	if m := backup.recv(); codes.Code(m.GetError().GetCanonicalCode()) != codes.PermissionDenied {
		t.Fatalf("the backup's packet-out: %v", m)
	}
	p.packetOut(marker(2))
	m := p.recv()
	if got := m.GetPacket().GetPayload(); string(got) != string(marker(2)) {
		t.Fatalf("the marker came back as %v", m)
	}
	p.packetOut(ethernet(1, 2, 0x0800)) // nothing but markers is forwarded from the CPU port
	p.packetOut(marker(3))
	if got := p.recv().GetPacket().GetPayload(); string(got) != string(marker(3)) {
		t.Fatalf("the next packet-in is %x", got)
	}
}

func TestCapabilities(t *testing.T) {
	_, c := serve(t, Options{})
	r, err := c.rpc.Capabilities(context.Background(), &p4v1.CapabilitiesRequest{DeviceId: testDevice})
	if err != nil || r.GetP4RuntimeApiVersion() != "1.5.0" {
		t.Fatalf("%v, %v", r, err)
	}
}
