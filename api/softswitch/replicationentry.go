package softswitch

//lint:file-ignore SA1019 the deprecated egress_port of a replica is still written by controllers

import (
	"maps"
	"math"
	"slices"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// replication keeps multicast groups and clone sessions as they were written; the data plane has what follows from them and from
// the ports that are up.
type replication struct {
	groups   map[uint32]*p4v1.MulticastGroupEntry
	sessions map[uint32]*p4v1.CloneSessionEntry
}

// writeReplication inserts, modifies or deletes a multicast group or clone session.
func (p *program) writeReplication(t p4v1.Update_Type, e *p4v1.PacketReplicationEngineEntry) (undo func(), err error) {
	switch x := e.GetType().(type) {
	case *p4v1.PacketReplicationEngineEntry_MulticastGroupEntry:
		g := x.MulticastGroupEntry
		id := g.GetMulticastGroupId()
		if id == 0 || id > math.MaxUint16 {
			return nil, bad("multicast group %d: groups are 1 to %d", id, math.MaxUint16)
		}
		return replace(p.copies.groups, t, id, g, "multicast group", p.setGroup)
	case *p4v1.PacketReplicationEngineEntry_CloneSessionEntry:
		s := x.CloneSessionEntry
		id := s.GetSessionId()
		if id == 0 || id > dataplane.MaxSession {
			return nil, bad("clone session %d: sessions are 1 to %d", id, dataplane.MaxSession)
		}
		return replace(p.copies.sessions, t, id, s, "clone session", p.setSession)
	}
	return nil, bad("neither a multicast group nor a clone session")
}

// replace does an update on what has that id; set puts it into the data plane, nil takes it out.
func replace[E proto.Message](all map[uint32]E, t p4v1.Update_Type, id uint32, e E, what string, set func(id uint32, e *E) error) (undo func(), err error) {
	old, had := all[id]
	switch {
	case t == p4v1.Update_INSERT && had:
		return nil, status.Errorf(codes.AlreadyExists, "%s %d is there already", what, id)
	case t != p4v1.Update_INSERT && !had:
		return nil, status.Errorf(codes.NotFound, "there is no %s %d", what, id)
	}
	undo = func() {
		if had {
			all[id] = old
			_ = set(id, &old)
			return
		}
		delete(all, id)
		_ = set(id, nil)
	}
	if t == p4v1.Update_DELETE {
		delete(all, id)
		return undo, set(id, nil)
	}
	e = proto.CloneOf(e)
	if err := set(id, &e); err != nil {
		return nil, err
	}
	all[id] = e
	return undo, nil
}

func (p *program) setGroup(id uint32, g **p4v1.MulticastGroupEntry) error {
	r := p.pipe.Replication()
	if g == nil {
		r.DeleteGroup(uint16(id))
		return nil
	}
	replicas, err := p.replicas((*g).GetReplicas(), true)
	if err != nil {
		return err
	}
	return dataError(r.SetGroup(uint16(id), replicas))
}

func (p *program) setSession(id uint32, s **p4v1.CloneSessionEntry) error {
	r := p.pipe.Replication()
	if s == nil {
		r.DeleteSession(uint16(id))
		return nil
	}
	if (*s).GetPacketLengthBytes() < 0 {
		return bad("clone session %d: a length of %d bytes", id, (*s).GetPacketLengthBytes())
	}
	replicas, err := p.replicas((*s).GetReplicas(), false)
	if err != nil {
		return err
	}
	return dataError(r.SetSession(uint16(id), dataplane.Session{
		Replicas: replicas, Length: int((*s).GetPacketLengthBytes()), Class: (*s).GetClassOfService(),
	}))
}

// replicas checks what is written, and chooses of each replica and its backups the first whose port is up. If all are down, no
// copy is made.
func (p *program) replicas(written []*p4v1.Replica, backups bool) ([]dataplane.Replica, error) {
	seen := map[dataplane.Replica]bool{}
	note := func(port []byte, instance uint32) (dataplane.Replica, error) {
		n, err := decodePort(port)
		if err != nil {
			return dataplane.Replica{}, err
		}
		if instance > math.MaxUint16 {
			return dataplane.Replica{}, bad("replica instance %d: instances are 0 to %d", instance, math.MaxUint16)
		}
		r := dataplane.Replica{Port: n, Instance: uint16(instance)}
		if seen[r] {
			return r, bad("port %d, instance %d is there twice", r.Port, r.Instance)
		}
		seen[r] = true
		return r, nil
	}
	var chosen []dataplane.Replica
	for _, w := range written {
		port := w.GetPort()
		if k, ok := w.GetPortKind().(*p4v1.Replica_EgressPort); ok {
			port = encodeBits([]uint64{uint64(k.EgressPort)})
		}
		if !backups && len(w.GetBackupReplicas()) > 0 {
			return nil, bad("a replica of a clone session has no backups")
		}
		first, err := note(port, w.GetInstance())
		if err != nil {
			return nil, err
		}
		line := []dataplane.Replica{first}
		for _, b := range w.GetBackupReplicas() {
			r, err := note(b.GetPort(), b.GetInstance())
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(line, func(o dataplane.Replica) bool { return o.Port == r.Port }) {
				return nil, bad("port %d is its own backup", r.Port)
			}
			line = append(line, r)
		}
		if len(line) == 1 {
			chosen = append(chosen, first)
		} else if i := slices.IndexFunc(line, func(r dataplane.Replica) bool { return !p.ports.isDown(r.Port) }); i >= 0 {
			chosen = append(chosen, line[i])
		}
	}
	return chosen, nil
}

// chooseReplicas makes the choices anew, after a port went up or down. What was accepted once is again.
func (p *program) chooseReplicas() {
	for id, g := range p.copies.groups {
		_ = p.setGroup(id, &g)
	}
}

// readReplication answers a PacketReplicationEngineEntry: all groups or all sessions for id 0.
func (p *program) readReplication(e *p4v1.PacketReplicationEngineEntry, out *answer) error {
	add := func(e *p4v1.PacketReplicationEngineEntry) error {
		return out.add(&p4v1.Entity{Entity: &p4v1.Entity_PacketReplicationEngineEntry{PacketReplicationEngineEntry: e}})
	}
	switch x := e.GetType().(type) {
	case *p4v1.PacketReplicationEngineEntry_MulticastGroupEntry:
		return each(p.copies.groups, x.MulticastGroupEntry.GetMulticastGroupId(), "multicast group", func(g *p4v1.MulticastGroupEntry) error {
			return add(&p4v1.PacketReplicationEngineEntry{Type: &p4v1.PacketReplicationEngineEntry_MulticastGroupEntry{MulticastGroupEntry: g}})
		})
	case *p4v1.PacketReplicationEngineEntry_CloneSessionEntry:
		return each(p.copies.sessions, x.CloneSessionEntry.GetSessionId(), "clone session", func(s *p4v1.CloneSessionEntry) error {
			return add(&p4v1.PacketReplicationEngineEntry{Type: &p4v1.PacketReplicationEngineEntry_CloneSessionEntry{CloneSessionEntry: s}})
		})
	}
	return bad("neither a multicast group nor a clone session")
}

// each calls f for what has that id, or for everything in the order of ids if it is 0.
func each[E any](all map[uint32]E, id uint32, what string, f func(E) error) error {
	if id != 0 {
		e, ok := all[id]
		if !ok {
			return status.Errorf(codes.NotFound, "there is no %s %d", what, id)
		}
		return f(e)
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if err := f(all[id]); err != nil {
			return err
		}
	}
	return nil
}
