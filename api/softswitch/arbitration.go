package softswitch

import (
	"fmt"
	"sync"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// An electionID orders controllers. The zero one is none: who has it is always a backup.
type electionID struct{ high, low uint64 }

func electionOf(x *p4v1.Uint128) electionID { return electionID{x.GetHigh(), x.GetLow()} }

func (a electionID) less(b electionID) bool {
	if a.high != b.high {
		return a.high < b.high
	}
	return a.low < b.low
}

func (a electionID) proto() *p4v1.Uint128 {
	if a == (electionID{}) {
		return nil
	}
	return &p4v1.Uint128{High: a.high, Low: a.low}
}

// maxQueue bounds the packet-ins that wait for a controller to read them.
const maxQueue = 4096

// A stream is a controller's StreamChannel.
type stream struct {
	id   electionID
	live bool // has sent its first arbitration update

	mu    sync.Mutex
	queue []*p4v1.StreamMessageResponse
	wake  chan struct{} // buffered, 1
}

func newStream() *stream { return &stream{wake: make(chan struct{}, 1)} }

// post queues a message; droppable ones are refused when too many wait.
func (s *stream) post(m *p4v1.StreamMessageResponse, droppable bool) bool {
	s.mu.Lock()
	if droppable && len(s.queue) >= maxQueue {
		s.mu.Unlock()
		return false
	}
	s.queue = append(s.queue, m)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return true
}

func (s *stream) take() []*p4v1.StreamMessageResponse {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queue
	s.queue = nil
	return q
}

// An arbiter knows the controllers and which of them is primary.
type arbiter struct {
	device uint64

	mu      sync.Mutex
	streams map[*stream]struct{} // live ones
	highest electionID           // ever seen: never forgotten while the process lives
	primary *stream
}

// arbitrate takes an arbitration update in. The caller holds the switch's control lock, so that no write is under way while
// mastership changes.
func (a *arbiter) arbitrate(s *stream, u *p4v1.MasterArbitrationUpdate) error {
	if u.GetDeviceId() != a.device {
		if s.live {
			return status.Errorf(codes.FailedPrecondition, "the stream is for device %d", a.device)
		}
		return status.Errorf(codes.NotFound, "there is no device %d here, only %d", u.GetDeviceId(), a.device)
	}
	if r := u.GetRole(); r != nil && !proto.Equal(r, &p4v1.Role{}) {
		if s.live {
			return status.Error(codes.FailedPrecondition, "the stream's role is the default one")
		}
		return status.Error(codes.Unimplemented, "roles other than the default one")
	}
	id := electionOf(u.GetElectionId())
	a.mu.Lock()
	defer a.mu.Unlock()
	for o := range a.streams {
		if o != s && o.id == id && id != (electionID{}) {
			return status.Errorf(codes.InvalidArgument, "election id %v is another live controller's", fmtElection(id))
		}
	}
	a.streams[s] = struct{}{}
	s.id, s.live = id, true
	was := a.primary
	switch {
	case id != (electionID{}) && !id.less(a.highest):
		a.highest, a.primary = id, s
		a.notifyAll()
	case was == s:
		a.primary = nil
		a.notifyAll()
	default:
		a.notify(s)
	}
	return nil
}

func fmtElection(id electionID) string {
	if id.high == 0 {
		return fmt.Sprint(id.low)
	}
	return fmt.Sprintf("%#x%016x", id.high, id.low)
}

// leave takes a stream that has ended out.
func (a *arbiter) leave(s *stream) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.streams, s)
	if a.primary == s {
		a.primary = nil
		a.notifyAll()
	}
}

func (a *arbiter) notifyAll() {
	for s := range a.streams {
		a.notify(s)
	}
}

func (a *arbiter) notify(s *stream) {
	st := &statuspb.Status{Code: int32(codes.OK)}
	switch {
	case a.primary == nil:
		st = &statuspb.Status{Code: int32(codes.NotFound), Message: "there is no primary"}
	case a.primary != s:
		st = &statuspb.Status{Code: int32(codes.AlreadyExists), Message: "another controller is primary"}
	}
	s.post(&p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Arbitration{
		Arbitration: &p4v1.MasterArbitrationUpdate{DeviceId: a.device, ElectionId: a.highest.proto(), Status: st},
	}}, false)
}

// isPrimary tells whether s may send packets out.
func (a *arbiter) isPrimary(s *stream) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.primary == s
}

// check refuses a request that does not carry the primary's election id.
func (a *arbiter) check(x *p4v1.Uint128) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := electionOf(x)
	switch {
	case a.primary == nil:
		return status.Error(codes.PermissionDenied, "there is no primary: arbitrate first")
	case a.primary.id != id:
		return status.Errorf(codes.PermissionDenied, "election id %s is not the primary's", fmtElection(id))
	}
	return nil
}

// packetIn queues a packet for the primary. It is false if there is none, or it does not keep up.
func (a *arbiter) packetIn(pkt []byte) bool {
	a.mu.Lock()
	s := a.primary
	a.mu.Unlock()
	if s == nil {
		return false
	}
	return s.post(&p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Packet{Packet: &p4v1.PacketIn{Payload: pkt}}}, true)
}
