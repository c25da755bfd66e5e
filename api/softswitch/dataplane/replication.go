package dataplane

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// A Replica is one copy that a multicast group or clone session makes: where it goes, and its egress_rid.
type Replica struct {
	Port     uint16
	Instance uint16
}

// MaxReplicas bounds the copies that one group or session makes.
const MaxReplicas = 1024

// MaxSession is the largest id of a clone session, as on simple_switch.
const MaxSession = 1<<15 - 1

// A Session says what becomes of the clones that are sent to it. It is never changed once it is set.
type Session struct {
	Replicas []Replica
	// Length is what a clone is cut to when it leaves, in bytes; 0 leaves it whole.
	Length int
	// Class is kept for the control plane: there is one queue a port.
	Class uint32
}

// Replication is the packet replication engine: multicast groups and clone sessions. Packets read it without locks, and see a
// group or session before or after an update, never half. Its methods are safe for concurrent use.
type Replication struct {
	mu       sync.Mutex
	groups   numbered[[]Replica]
	sessions numbered[Session]
}

// numbered holds things by a number of 16 bits. Pages are made when they are needed and stay.
type numbered[T any] struct {
	pages [256]atomic.Pointer[[256]atomic.Pointer[T]]
}

func (n *numbered[T]) get(id uint16) *T {
	if p := n.pages[id>>8].Load(); p != nil {
		return p[id&255].Load()
	}
	return nil
}

// set needs the writers' lock.
func (n *numbered[T]) set(id uint16, v *T) {
	p := n.pages[id>>8].Load()
	if p == nil {
		if v == nil {
			return
		}
		p = new([256]atomic.Pointer[T])
		n.pages[id>>8].Store(p)
	}
	p[id&255].Store(v)
}

func (n *numbered[T]) ids() []uint16 {
	var ids []uint16
	for i := range n.pages {
		p := n.pages[i].Load()
		if p == nil {
			continue
		}
		for j := range p {
			if p[j].Load() != nil {
				ids = append(ids, uint16(i<<8|j))
			}
		}
	}
	return ids
}

// checkReplicas refuses what cannot be sent: ports that are none, two copies that nobody can tell apart, too many.
func checkReplicas(rs []Replica) error {
	if len(rs) > MaxReplicas {
		return fmt.Errorf("%d replicas: %w: at most %d", len(rs), ErrFull, MaxReplicas)
	}
	seen := make(map[Replica]bool, len(rs))
	for _, r := range rs {
		if r.Port > MaxPort {
			return fmt.Errorf("replica on port %d: %w: ports are 0 to %d", r.Port, ErrRange, MaxPort)
		}
		if seen[r] {
			return fmt.Errorf("replica on port %d, instance %d: %w", r.Port, r.Instance, ErrExists)
		}
		seen[r] = true
	}
	return nil
}

// SetGroup makes or replaces multicast group id, which is not 0. A packet sent to a group gets to the replicas in their order.
func (x *Replication) SetGroup(id uint16, replicas []Replica) error {
	if id == 0 {
		return fmt.Errorf("multicast group 0: %w: 0 is no group", ErrRange)
	}
	if err := checkReplicas(replicas); err != nil {
		return fmt.Errorf("multicast group %d: %w", id, err)
	}
	rs := slices.Clone(replicas)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.groups.set(id, &rs)
	return nil
}

// DeleteGroup removes a multicast group. It tells whether there was one.
func (x *Replication) DeleteGroup(id uint16) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	was := x.groups.get(id) != nil
	x.groups.set(id, nil)
	return was
}

// Group is the replicas of a group, not to be changed; ok tells whether there is one.
func (x *Replication) Group(id uint16) (replicas []Replica, ok bool) {
	if g := x.groups.get(id); g != nil {
		return *g, true
	}
	return nil, false
}

// Groups lists the ids of the multicast groups, ascending.
func (x *Replication) Groups() []uint16 { return x.groups.ids() }

// SetSession makes or replaces clone session id, 0 to MaxSession.
func (x *Replication) SetSession(id uint16, s Session) error {
	if id > MaxSession {
		return fmt.Errorf("clone session %d: %w: the last one is %d", id, ErrRange, MaxSession)
	}
	if err := checkReplicas(s.Replicas); err != nil {
		return fmt.Errorf("clone session %d: %w", id, err)
	}
	if s.Length < 0 {
		return fmt.Errorf("clone session %d: %w: a length of %d bytes", id, ErrRange, s.Length)
	}
	s.Replicas = slices.Clone(s.Replicas)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sessions.set(id, &s)
	return nil
}

// DeleteSession removes a clone session. It tells whether there was one.
func (x *Replication) DeleteSession(id uint16) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	was := x.sessions.get(id) != nil
	x.sessions.set(id, nil)
	return was
}

// Session is a clone session, not to be changed; ok tells whether there is one.
func (x *Replication) Session(id uint16) (s Session, ok bool) {
	if p := x.sessions.get(id); p != nil {
		return *p, true
	}
	return Session{}, false
}

// Sessions lists the ids of the clone sessions, ascending.
func (x *Replication) Sessions() []uint16 { return x.sessions.ids() }
