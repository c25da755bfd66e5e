package softswitch

//lint:file-ignore SA1019 a request with the deprecated role_id must be refused, not taken for one without

import (
	"context"

	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/p4rt"
)

// Write applies a batch of updates, in the order they are written in.
func (s *server) Write(_ context.Context, req *p4v1.WriteRequest) (*p4v1.WriteResponse, error) {
	if s.opts.OnRequest != nil {
		if err := s.opts.OnRequest(req); err != nil {
			return nil, err
		}
	}
	if err := s.checkDevice(req.GetDeviceId()); err != nil {
		return nil, err
	}
	if err := s.checkRole(req.GetRole(), req.GetRoleId()); err != nil {
		return nil, err
	}
	s.control.Lock()
	defer s.control.Unlock()
	sc, err := s.arbiter.Check(req.GetRole(), req.GetElectionId())
	if err != nil {
		return nil, err
	}
	p := s.program()
	if p == nil {
		return nil, status.Error(codes.FailedPrecondition, ErrNoProgram.Error())
	}
	b := &batch{p, sc, req.GetUpdates()}
	switch a := req.GetAtomicity(); a {
	case p4v1.WriteRequest_CONTINUE_ON_ERROR:
		err = s.writeAll(b)
	case p4v1.WriteRequest_ROLLBACK_ON_ERROR:
		err = s.writeOrRollback(b)
	case p4v1.WriteRequest_DATAPLANE_ATOMIC:
		s.inside.Lock()
		err = s.writeOrRollback(b)
		s.inside.Unlock()
	default:
		err = status.Errorf(codes.InvalidArgument, "atomicity %v", a)
	}
	if err != nil {
		return nil, err
	}
	if s.opts.OnReply != nil {
		if err := s.opts.OnReply(req); err != nil {
			return nil, err
		}
	}
	return &p4v1.WriteResponse{}, nil
}

// A batch is what one request asks for, of a controller with that scope.
type batch struct {
	program *program
	scope   *scope
	updates []*p4v1.Update
}

// writeAll applies every update that can be applied.
func (s *server) writeAll(b *batch) error {
	var failed p4rt.BatchErrors
	for i := range b.updates {
		if _, err := s.update(b, i, false); err != nil {
			failed.Add(i, len(b.updates), err)
		}
	}
	return failed.Status(errorSpace, "write")
}

// writeOrRollback applies all updates or none. Packets may see those in between unless the caller keeps them out.
func (s *server) writeOrRollback(b *batch) error {
	undo := make([]func(), 0, len(b.updates))
	for i := range b.updates {
		back, err := s.update(b, i, true)
		if err == nil {
			undo = append(undo, back)
			continue
		}
		for j := len(undo) - 1; j >= 0; j-- {
			undo[j]()
		}
		var failed p4rt.BatchErrors
		for j := range b.updates {
			switch {
			case j == i:
				failed.Add(j, len(b.updates), err)
			case j > i:
				failed.Add(j, len(b.updates), status.Error(codes.Aborted, "not attempted: an update before it failed"))
			default:
				failed.Add(j, len(b.updates), status.Error(codes.Aborted, "rolled back: an update after it failed"))
			}
		}
		return failed.Status(errorSpace, "write")
	}
	return nil
}

// update applies one update. With keep it returns how to take it back.
func (s *server) update(b *batch, i int, keep bool) (undo func(), err error) {
	undo, err = s.apply(b, i, keep)
	if err != nil {
		s.updatesRefused.Add(1)
	} else {
		s.updatesDone.Add(1)
	}
	return undo, err
}

func (s *server) apply(b *batch, i int, keep bool) (undo func(), err error) {
	p, u := b.program, b.updates[i]
	if s.opts.OnUpdate != nil {
		if err := s.opts.OnUpdate(i, u); err != nil {
			return nil, err
		}
	}
	switch u.GetType() {
	case p4v1.Update_INSERT, p4v1.Update_MODIFY, p4v1.Update_DELETE:
	default:
		return nil, status.Errorf(codes.InvalidArgument, "update type %v", u.GetType())
	}
	if !b.scope.covers(p, u.GetEntity()) {
		return nil, status.Errorf(codes.PermissionDenied, "the role's scope is: %v", b.scope)
	}
	return p.update(u.GetType(), u.GetEntity(), keep)
}

// update applies an update. With keep it returns how to take it back.
func (p *program) update(t p4v1.Update_Type, e *p4v1.Entity, keep bool) (undo func(), err error) {
	switch e := e.GetEntity().(type) {
	case *p4v1.Entity_RegisterEntry:
		return p.writeRegister(t, e.RegisterEntry, keep)
	case *p4v1.Entity_TableEntry:
		return p.writeTable(t, e.TableEntry, keep)
	case *p4v1.Entity_CounterEntry:
		return p.writeCounter(t, e.CounterEntry, keep)
	case *p4v1.Entity_DirectCounterEntry:
		return p.writeDirectCounter(t, e.DirectCounterEntry, keep)
	case *p4v1.Entity_MeterEntry:
		return p.writeMeter(t, e.MeterEntry, keep)
	case *p4v1.Entity_DirectMeterEntry:
		return p.writeDirectMeter(t, e.DirectMeterEntry)
	case *p4v1.Entity_ActionProfileMember:
		return p.writeMember(t, e.ActionProfileMember)
	case *p4v1.Entity_ActionProfileGroup:
		return p.writeGroup(t, e.ActionProfileGroup)
	case *p4v1.Entity_PacketReplicationEngineEntry:
		return p.writeReplication(t, e.PacketReplicationEngineEntry)
	case *p4v1.Entity_ValueSetEntry:
		return p.writeValueSet(t, e.ValueSetEntry)
	case *p4v1.Entity_DigestEntry:
		return p.writeDigest(t, e.DigestEntry)
	case nil:
		return nil, status.Error(codes.InvalidArgument, "an update without an entity")
	default:
		return nil, status.Errorf(codes.Unimplemented, "entity %T", e)
	}
}

// errorSpace names the vendor space of error messages.
const errorSpace = "interlock-softswitch"
