package softswitch

import (
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/p4rt"
)

// answerSize is how many entities one message of an answer to Read has.
const answerSize = 1024

// An answer is sent in messages of bounded size.
type answer struct {
	send     func(*p4v1.ReadResponse) error
	keep     func(*p4v1.Entity) bool // nil: everything
	entities []*p4v1.Entity
}

func (a *answer) add(e *p4v1.Entity) error {
	if a.keep != nil && !a.keep(e) {
		return nil
	}
	a.entities = append(a.entities, e)
	if len(a.entities) < answerSize {
		return nil
	}
	return a.flush()
}

func (a *answer) flush() error {
	if len(a.entities) == 0 {
		return nil
	}
	err := a.send(&p4v1.ReadResponse{Entities: a.entities})
	a.entities = nil
	return err
}

// Read answers each entity of the request, with wildcards, from one moment: no write comes in between.
func (s *server) Read(req *p4v1.ReadRequest, conn p4v1.P4Runtime_ReadServer) error {
	if err := s.checkDevice(req.GetDeviceId()); err != nil {
		return err
	}
	if err := s.checkRole(req.GetRole(), 0); err != nil {
		return err
	}
	sc := s.arbiter.ScopeOf(req.GetRole())
	var messages []*p4v1.ReadResponse
	out := &answer{send: func(m *p4v1.ReadResponse) error { messages = append(messages, m); return nil }}
	err := func() error {
		s.control.RLock()
		defer s.control.RUnlock()
		p := s.program()
		if p == nil {
			return status.Error(codes.FailedPrecondition, ErrNoProgram.Error())
		}
		if sc != nil {
			out.keep = func(e *p4v1.Entity) bool { return sc.covers(p, e) }
		}
		var failed p4rt.BatchErrors
		for i, e := range req.GetEntities() {
			if err := p.read(e, out); err != nil {
				failed.Add(i, len(req.GetEntities()), err)
			}
		}
		return failed.Status(errorSpace, "read")
	}()
	// What was read is sent without holding anything, so that a slow reader stops nobody.
	if e := out.flush(); e != nil {
		return e
	}
	for _, m := range messages {
		if e := conn.Send(m); e != nil {
			return e
		}
	}
	return err
}

func (p *program) read(e *p4v1.Entity, out *answer) error {
	switch e := e.GetEntity().(type) {
	case *p4v1.Entity_TableEntry:
		return p.readTables(e.TableEntry, out)
	case *p4v1.Entity_RegisterEntry:
		return p.readRegisters(e.RegisterEntry, out)
	case *p4v1.Entity_CounterEntry:
		return p.readCounters(e.CounterEntry, out)
	case *p4v1.Entity_DirectCounterEntry:
		return p.readDirectCounters(e.DirectCounterEntry, out)
	case *p4v1.Entity_MeterEntry:
		return p.readMeters(e.MeterEntry, out)
	case *p4v1.Entity_DirectMeterEntry:
		return p.readDirectMeters(e.DirectMeterEntry, out)
	case *p4v1.Entity_ActionProfileMember:
		return p.readMembers(e.ActionProfileMember, out)
	case *p4v1.Entity_ActionProfileGroup:
		return p.readGroups(e.ActionProfileGroup, out)
	case *p4v1.Entity_PacketReplicationEngineEntry:
		return p.readReplication(e.PacketReplicationEngineEntry, out)
	case *p4v1.Entity_ValueSetEntry:
		return p.readValueSets(e.ValueSetEntry, out)
	case *p4v1.Entity_DigestEntry:
		return p.readDigests(e.DigestEntry, out)
	case nil:
		return status.Error(codes.InvalidArgument, "a read of an empty entity")
	default:
		return status.Errorf(codes.Unimplemented, "entity %T", e)
	}
}
