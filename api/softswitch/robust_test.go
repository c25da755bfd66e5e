package softswitch

import (
	"context"
	"os"
	"sync/atomic"
	"testing"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/p4rt"
)

// sink takes what a server streams.
type sink struct{ p4v1.P4Runtime_ReadServer }

func (sink) Send(*p4v1.ReadResponse) error { return nil }
func (sink) Context() context.Context      { return context.Background() }

// FuzzRequests sends whatever can be unmarshalled as writes, reads and stream messages; whatever is refused, what is read
// afterwards can be written back.
func FuzzRequests(f *testing.F) {
	text, err := os.ReadFile("testdata/entities.p4")
	if err != nil {
		f.Fatal(err)
	}
	program, err := newProgram(text, environment{ports: &ports{}})
	if err != nil {
		f.Fatal(err)
	}
	seed := func(e *p4v1.Entity) {
		b, err := proto.Marshal(&p4v1.WriteRequest{ElectionId: &p4v1.Uint128{Low: 1}, Updates: []*p4v1.Update{
			{Type: insert, Entity: e}, {Type: modify, Entity: e}, {Type: remove, Entity: e},
		}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for id := range program.preambles {
		seed(entity(&p4v1.TableEntry{TableId: id, Match: []*p4v1.FieldMatch{exact(1, 5)}, Action: toMember(1), IdleTimeoutNs: 5}))
		seed(member(id, 1, nil))
		seed(group(id, 1, 2, share(1, 1, 1)))
		seed(meterEntry(id, 1, &p4v1.MeterConfig{Cir: 1, Pir: 2}))
		seed(digestEntry(id, &p4v1.DigestEntry_Config{MaxListSize: 1}))
		seed(&p4v1.Entity{Entity: &p4v1.Entity_ValueSetEntry{ValueSetEntry: &p4v1.ValueSetEntry{ValueSetId: id}}})
	}
	seed(multicast(3, replica(1, 0, &p4v1.BackupReplica{Port: []byte{2}})))
	seed(cloneSession(3, 10, replica(1, 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		sw := New(Options{})
		defer sw.Close()
		if err := sw.Load(text); err != nil {
			t.Fatal(err)
		}
		s := &server{Switch: sw}
		st := p4rt.NewStream[*scope]()
		if err := sw.arbiter.Arbitrate(st, &p4v1.MasterArbitrationUpdate{ElectionId: &p4v1.Uint128{Low: 1}}); err != nil {
			t.Fatal(err)
		}
		var w p4v1.WriteRequest
		if proto.Unmarshal(b, &w) == nil {
			w.DeviceId, w.Role, w.ElectionId = 0, "", &p4v1.Uint128{Low: 1}
			_, _ = s.Write(context.Background(), &w)
			read := &p4v1.ReadRequest{}
			for _, u := range w.GetUpdates() {
				read.Entities = append(read.Entities, u.GetEntity())
			}
			_ = s.Read(read, sink{})
		}
		var r p4v1.ReadRequest
		if proto.Unmarshal(b, &r) == nil {
			r.DeviceId, r.Role = 0, ""
			_ = s.Read(&r, sink{})
		}
		var m p4v1.StreamMessageRequest
		if proto.Unmarshal(b, &m) == nil {
			switch u := m.GetUpdate().(type) {
			case *p4v1.StreamMessageRequest_Packet:
				_ = s.sendOut(st, u.Packet)
			case *p4v1.StreamMessageRequest_DigestAck:
				s.acknowledge(st, u.DigestAck)
			case *p4v1.StreamMessageRequest_Arbitration:
				_ = sw.arbiter.Arbitrate(p4rt.NewStream[*scope](), u.Arbitration)
			}
		}
		if _, err := sw.Process(1, b); err != nil {
			t.Fatal(err)
		}
		sw.checkUnlocked()
	})
}

// checkUnlocked hangs if something is left locked.
func (s *Switch) checkUnlocked() {
	s.control.Lock()
	defer s.control.Unlock()
	s.inside.Lock()
	defer s.inside.Unlock()
	_ = s.active
}

// FuzzPackets runs packets through a program that clones, multicasts and meters.
func FuzzPackets(f *testing.F) {
	text, err := os.ReadFile("testdata/entities.p4")
	if err != nil {
		f.Fatal(err)
	}
	s := New(Options{})
	if err := s.Load(text); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	p := s.program()
	for _, e := range []*p4v1.Entity{multicast(1, replica(1, 0), replica(2, 1)), cloneSession(1, 3, replica(3, 0))} {
		if _, err := p.update(insert, e, false); err != nil {
			f.Fatal(err)
		}
	}
	for kind := range byte(6) {
		f.Add(uint16(1), []byte{1, 1, 2, 3, 4, kind, 9, 9})
	}
	f.Fuzz(func(t *testing.T, port uint16, pkt []byte) {
		out, err := s.Process(port, pkt)
		if err != nil && port <= 510 {
			t.Fatal(err)
		}
		for _, o := range out {
			if len(o.Packet) > len(pkt)+6 {
				t.Fatalf("a packet of %d bytes leaves with %d", len(pkt), len(o.Packet))
			}
		}
	})
}

// TestWritesLoseNoPacket writes while packets run: every one of them leaves.
func TestWritesLoseNoPacket(t *testing.T) {
	var sent atomic.Int64
	s, c := serve(t, Options{Output: func(uint16, []byte) { sent.Add(1) }})
	c.primary(1)
	c.mustWrite(update(insert, c.l2(1, 1)))
	stop, done := make(chan struct{}), make(chan int64)
	go func() {
		n := int64(0)
		pkt := ethernet(1, 0, 0)
		for {
			select {
			case <-stop:
				done <- n
				return
			default:
			}
			if err := s.Inject(0, pkt); err != nil {
				t.Error(err)
			}
			n++
		}
	}()
	const batch, batches = 100, 100
	for i := range batches {
		var us []*p4v1.Update
		for j := range batch {
			switch j % 4 {
			case 0:
				us = append(us, update(insert, c.l2(byte(2+i%2), 7)))
			case 1:
				us = append(us, update(modify, c.l2(1, byte(1+j%5))))
			case 2:
				us = append(us, update(remove, c.l2(byte(2+i%2), 7)))
			case 3:
				us = append(us, c.cell(int64(j), byte(i)))
			}
		}
		c.mustWrite(us...)
	}
	close(stop)
	if n := <-done; n != sent.Load() || n == 0 {
		t.Errorf("%d packets in, %d out", n, sent.Load())
	} else {
		t.Logf("%d writes, %d packets, none lost", batch*batches, n)
	}
}

// TestClientsThatDieLeaveNothing ends connections in the middle of everything; what is left is looked for here and by goleak.
func TestClientsThatDieLeaveNothing(t *testing.T) {
	r := entities(t)
	r.must(insert, digestEntry(r.id("learn_t"), &p4v1.DigestEntry_Config{MaxListSize: 1}))
	for range 20 {
		s := r.c.open()
		s.sendArbitration(1, 1)
		s.packetOut([]byte{0, 0, 1, 0, 0, 4})
		r.ports(what{member: 1, kind: 4})
		s.cancel()
	}
	r.cancel()
	wait(t, "streams", func() bool {
		live, primary := r.s.arbiter.Live("")
		return live == 0 && !primary
	})
}
