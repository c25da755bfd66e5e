package softswitch

import (
	"fmt"
	"sync"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
)

// An electionID orders controllers. An unset one is below every other, and who has it is always a backup.
type electionID struct {
	set       bool
	high, low uint64
}

func electionOf(x *p4v1.Uint128) electionID { return electionID{x != nil, x.GetHigh(), x.GetLow()} }

func (a electionID) less(b electionID) bool {
	if a.set != b.set {
		return b.set
	}
	if a.high != b.high {
		return a.high < b.high
	}
	return a.low < b.low
}

func (a electionID) proto() *p4v1.Uint128 {
	if !a.set {
		return nil
	}
	return &p4v1.Uint128{High: a.high, Low: a.low}
}

func (a electionID) String() string {
	switch {
	case !a.set:
		return "(unset)"
	case a.high == 0:
		return fmt.Sprint(a.low)
	}
	return fmt.Sprintf("%#x%016x", a.high, a.low)
}

// Limits of what a controller may pile up.
const (
	maxQueue   = 4096 // notifications and packets that wait for a controller to read them
	maxStreams = 1024 // live controllers of a role
	maxRoles   = 1024
)

// A stream is a controller's StreamChannel.
type stream struct {
	id   electionID
	role *role // nil before its first arbitration update

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

// A role has its own controllers, of which one is primary.
type role struct {
	name    string
	streams map[*stream]struct{} // live ones
	highest electionID           // ever seen: never forgotten while the process lives
	primary *stream
	config  *anypb.Any // the one that a primary gave last
	scope   *scope     // what config means
}

// An arbiter knows the controllers and who of them is primary.
type arbiter struct {
	device uint64

	mu    sync.Mutex
	roles map[string]*role
}

func (a *arbiter) role(name string) (*role, error) {
	r := a.roles[name]
	if r != nil {
		return r, nil
	}
	if len(a.roles) >= maxRoles {
		return nil, status.Errorf(codes.ResourceExhausted, "there are %d roles already", maxRoles)
	}
	if a.roles == nil {
		a.roles = map[string]*role{}
	}
	r = &role{name: name, streams: map[*stream]struct{}{}}
	a.roles[name] = r
	return r, nil
}

// arbitrate takes an arbitration update in. The caller holds the switch's control lock, so that no write is under way while
// mastership changes. The error ends the stream.
func (a *arbiter) arbitrate(s *stream, u *p4v1.MasterArbitrationUpdate) error {
	if u.GetDeviceId() != a.device {
		if s.role != nil {
			return status.Errorf(codes.FailedPrecondition, "the stream is for device %d", a.device)
		}
		return status.Errorf(codes.NotFound, "there is no device %d here, only %d", u.GetDeviceId(), a.device)
	}
	name := u.GetRole().GetName()
	if s.role != nil && s.role.name != name {
		return status.Errorf(codes.FailedPrecondition, "the stream's role is %q", s.role.name)
	}
	config := u.GetRole().GetConfig()
	if name == "" && config != nil {
		return status.Error(codes.InvalidArgument, "the default role has no configuration: it may do everything")
	}
	sc, err := parseScope(config)
	if err != nil {
		return err
	}
	id := electionOf(u.GetElectionId())
	a.mu.Lock()
	defer a.mu.Unlock()
	r, err := a.role(name)
	if err != nil {
		return err
	}
	for o := range r.streams {
		if o != s && id.set && o.id == id {
			return status.Errorf(codes.InvalidArgument, "election id %v is another live controller's", id)
		}
	}
	if _, ok := r.streams[s]; !ok && len(r.streams) >= maxStreams {
		return status.Errorf(codes.ResourceExhausted, "there are %d controllers already", maxStreams)
	}
	r.streams[s] = struct{}{}
	s.id, s.role = id, r
	switch {
	case id.set && !id.less(r.highest):
		r.highest, r.primary, r.config, r.scope = id, s, config, sc
		a.notifyAll(r)
	case r.primary == s:
		r.primary = nil
		a.notifyAll(r)
	default:
		a.notify(r, s)
	}
	return nil
}

// leave takes a stream that has ended out.
func (a *arbiter) leave(s *stream) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := s.role
	if r == nil {
		return
	}
	delete(r.streams, s)
	if r.primary == s {
		r.primary = nil
		a.notifyAll(r)
	}
}

func (a *arbiter) notifyAll(r *role) {
	if r.primary != nil { // the others learn of the change before the new primary does
		for s := range r.streams {
			if s != r.primary {
				a.notify(r, s)
			}
		}
		a.notify(r, r.primary)
		return
	}
	for s := range r.streams {
		a.notify(r, s)
	}
}

func (a *arbiter) notify(r *role, s *stream) {
	st := &statuspb.Status{Code: int32(codes.OK)}
	switch {
	case r.primary == nil:
		st = &statuspb.Status{Code: int32(codes.NotFound), Message: "there is no primary"}
	case r.primary != s:
		st = &statuspb.Status{Code: int32(codes.AlreadyExists), Message: "another controller is primary"}
	}
	u := &p4v1.MasterArbitrationUpdate{DeviceId: a.device, ElectionId: r.highest.proto(), Status: st}
	if r.name != "" {
		u.Role = &p4v1.Role{Name: r.name, Config: r.config}
	}
	s.post(&p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Arbitration{Arbitration: u}}, false)
}

// checkPrimary refuses a stream that is not its role's primary.
func (a *arbiter) checkPrimary(s *stream) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.role == nil || s.role.primary != s {
		return status.Error(codes.PermissionDenied, "only the primary may do that")
	}
	return nil
}

// checkSender refuses a stream that may not send packets out.
func (a *arbiter) checkSender(s *stream) error {
	if err := a.checkPrimary(s); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !s.role.scope.maySend() {
		return status.Errorf(codes.PermissionDenied, "role %q does not send packets out", s.role.name)
	}
	return nil
}

// check refuses a request that does not carry the election id of its role's primary, and returns the role's scope.
func (a *arbiter) check(name string, x *p4v1.Uint128) (*scope, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.roles[name]
	id := electionOf(x)
	switch {
	case r == nil || r.primary == nil:
		return nil, status.Error(codes.PermissionDenied, "there is no primary: arbitrate first")
	case r.primary.id != id:
		return nil, status.Errorf(codes.PermissionDenied, "election id %v is not the primary's", id)
	}
	return r.scope, nil
}

// scopeOf is what a role may read: everything until a primary says otherwise.
func (a *arbiter) scopeOf(name string) *scope {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.roles[name]; r != nil {
		return r.scope
	}
	return nil
}

// tell sends a message to the primary of every role whose scope allows it. It is false if nobody gets it: there is no primary,
// or none keeps up.
func (a *arbiter) tell(m *p4v1.StreamMessageResponse, allowed func(*scope) bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	told := false
	for _, r := range a.roles {
		if r.primary != nil && allowed(r.scope) && r.primary.post(m, true) {
			told = true
		}
	}
	return told
}
