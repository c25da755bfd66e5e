// Package p4rt is what our P4Runtime servers have in common: controllers' streams and arbitration, per-update errors, TLS.
package p4rt

import (
	"context"
	"fmt"
	"sync"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"golang.org/x/sync/errgroup"
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

// A Stream is a controller's StreamChannel.
type Stream[S any] struct {
	id   electionID
	role *role[S] // nil before its first arbitration update

	mu    sync.Mutex
	queue []*p4v1.StreamMessageResponse
	wake  chan struct{} // buffered, 1
}

// NewStream is a stream that has not arbitrated yet.
func NewStream[S any]() *Stream[S] { return &Stream[S]{wake: make(chan struct{}, 1)} }

// Post queues a message. When too many wait, droppable ones are refused, and others take the place of the oldest: who reads nothing takes up no
// more memory.
func (s *Stream[S]) Post(m *p4v1.StreamMessageResponse, droppable bool) bool {
	s.mu.Lock()
	if len(s.queue) >= maxQueue {
		if droppable {
			s.mu.Unlock()
			return false
		}
		s.queue = s.queue[1:]
	}
	s.queue = append(s.queue, m)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return true
}

func (s *Stream[S]) take() []*p4v1.StreamMessageResponse {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queue
	s.queue = nil
	return q
}

// Serve sends what is posted, while receive runs; then leave, and when all is sent or the connection is over it returns receive's error.
func (s *Stream[S]) Serve(conn p4v1.P4Runtime_StreamChannelServer, receive func() error, leave func()) error {
	ctx, cancel := context.WithCancel(conn.Context())
	defer cancel()
	var g errgroup.Group
	g.Go(func() error {
		defer cancel()
		for {
			for _, m := range s.take() {
				if err := conn.Send(m); err != nil {
					return err
				}
			}
			select {
			case <-s.wake:
			case <-ctx.Done():
				return nil
			}
		}
	})
	err := receive()
	leave()
	cancel()
	_ = g.Wait() // the stream is over; why is in err
	return err
}

// A role has its own controllers, of which one is primary.
type role[S any] struct {
	name    string
	streams map[*Stream[S]]struct{} // live ones
	highest electionID              // ever seen: never forgotten while the process lives
	primary *Stream[S]
	config  *anypb.Any // the one that a primary gave last
	scope   S          // what config means
}

// An Arbiter knows the controllers and who of them is primary. S is what a role's configuration means; its zero value is everything.
type Arbiter[S any] struct {
	Device uint64
	// Parse reads a role's configuration.
	Parse func(*anypb.Any) (S, error)

	mu    sync.Mutex
	roles map[string]*role[S]
}

func (a *Arbiter[S]) role(name string) (*role[S], error) {
	r := a.roles[name]
	if r != nil {
		return r, nil
	}
	if len(a.roles) >= maxRoles {
		return nil, status.Errorf(codes.ResourceExhausted, "there are %d roles already", maxRoles)
	}
	if a.roles == nil {
		a.roles = map[string]*role[S]{}
	}
	r = &role[S]{name: name, streams: map[*Stream[S]]struct{}{}}
	a.roles[name] = r
	return r, nil
}

// Arbitrate takes an arbitration update in. The caller sees to it that no write is under way while mastership changes. The error ends the stream.
func (a *Arbiter[S]) Arbitrate(s *Stream[S], u *p4v1.MasterArbitrationUpdate) error {
	if u.GetDeviceId() != a.Device {
		if s.role != nil {
			return status.Errorf(codes.FailedPrecondition, "the stream is for device %d", a.Device)
		}
		return status.Errorf(codes.NotFound, "there is no device %d here, only %d", u.GetDeviceId(), a.Device)
	}
	name := u.GetRole().GetName()
	if s.role != nil && s.role.name != name {
		return status.Errorf(codes.FailedPrecondition, "the stream's role is %q", s.role.name)
	}
	config := u.GetRole().GetConfig()
	if name == "" && config != nil {
		return status.Error(codes.InvalidArgument, "the default role has no configuration: it may do everything")
	}
	sc, err := a.Parse(config)
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

// Leave takes a stream that has ended out.
func (a *Arbiter[S]) Leave(s *Stream[S]) {
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

func (a *Arbiter[S]) notifyAll(r *role[S]) {
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

func (a *Arbiter[S]) notify(r *role[S], s *Stream[S]) {
	st := &statuspb.Status{Code: int32(codes.OK)}
	switch {
	case r.primary == nil:
		st = &statuspb.Status{Code: int32(codes.NotFound), Message: "there is no primary"}
	case r.primary != s:
		st = &statuspb.Status{Code: int32(codes.AlreadyExists), Message: "another controller is primary"}
	}
	u := &p4v1.MasterArbitrationUpdate{DeviceId: a.Device, ElectionId: r.highest.proto(), Status: st}
	if r.name != "" {
		u.Role = &p4v1.Role{Name: r.name, Config: r.config}
	}
	s.Post(&p4v1.StreamMessageResponse{Update: &p4v1.StreamMessageResponse_Arbitration{Arbitration: u}}, false)
}

// CheckPrimary refuses a stream that is not its role's primary, and returns the role with its scope.
func (a *Arbiter[S]) CheckPrimary(s *Stream[S]) (role string, scope S, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.role == nil || s.role.primary != s {
		return "", scope, status.Error(codes.PermissionDenied, "only the primary may do that")
	}
	return s.role.name, s.role.scope, nil
}

// Check refuses a request that does not carry the election id of its role's primary, and returns the role's scope.
func (a *Arbiter[S]) Check(name string, x *p4v1.Uint128) (scope S, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.roles[name]
	id := electionOf(x)
	switch {
	case r == nil || r.primary == nil:
		return scope, status.Error(codes.PermissionDenied, "there is no primary: arbitrate first")
	case r.primary.id != id:
		return scope, status.Errorf(codes.PermissionDenied, "election id %v is not the primary's", id)
	}
	return r.scope, nil
}

// ScopeOf is what a role may read: everything until a primary says otherwise.
func (a *Arbiter[S]) ScopeOf(name string) (scope S) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.roles[name]; r != nil {
		return r.scope
	}
	return scope
}

// Live is how many controllers a role has, and whether one of them is primary.
func (a *Arbiter[S]) Live(name string) (controllers int, primary bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.roles[name]
	if r == nil {
		return 0, false
	}
	return len(r.streams), r.primary != nil
}

// Tell sends a message to the primary of every role whose scope allows it. It is false if nobody gets it: there is no primary,
// or none keeps up.
func (a *Arbiter[S]) Tell(m *p4v1.StreamMessageResponse, allowed func(S) bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	told := false
	for _, r := range a.roles {
		if r.primary != nil && allowed(r.scope) && r.primary.Post(m, true) {
			told = true
		}
	}
	return told
}
