package gateway

import (
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/alloc"
)

// memory is what the tenant's page-table entry says of a register; a size of 0 is none.
func (v *virtual) memory(r *register, pages alloc.Tables) alloc.Mapping {
	e := pages[alloc.Key{Control: r.control, VID: v.vid}]
	if r.stage >= len(e) {
		return alloc.Mapping{}
	}
	return e[r.stage]
}

// slot is where element i of a register is, as the tenant's packets see it (linker/vrm): i & mask, if that is below the size. A folded
// register's indices are folded for the controller, too.
func slot(m alloc.Mapping, i int64) (slot int64, hit bool) {
	i &= int64(m.Mask)
	return m.Base + i, i < m.Size
}

func (p *program) register(id uint32) (*register, error) {
	for _, r := range p.registers {
		if r.own.GetPreamble().GetId() != id {
			continue
		}
		if r.array == 0 {
			return nil, status.Errorf(codes.Unimplemented, "register %s: only registers of bit<W> that no other of the program shares its declared name with, "+
				"and that have no @name, can be reached", r.name())
		}
		return r, nil
	}
	return nil, status.Errorf(codes.NotFound, "there is no register %#x", id)
}

// cell is a write of a register's element, in the stage array.
func (v *virtual) cell(e *p4v1.RegisterEntry, pages alloc.Tables) (*p4v1.RegisterEntry, error) {
	r, err := v.program.register(e.GetRegisterId())
	if err != nil {
		return nil, err
	}
	if e.GetIndex() == nil {
		return nil, status.Errorf(codes.Unimplemented, "register %s: write its elements one by one, by their indices", r.name())
	}
	i := e.GetIndex().GetIndex()
	if err := checkIndex("register "+r.name(), i, int64(r.own.GetSize())); err != nil {
		return nil, err
	}
	d, ok := e.GetData().GetData().(*p4v1.P4Data_Bitstring)
	if !ok {
		return nil, bad("register %s holds bit strings", r.name())
	}
	value, err := number(d.Bitstring, r.width)
	if err != nil {
		return nil, status.Errorf(status.Code(err), "register %s: %s", r.name(), status.Convert(err).Message())
	}
	m := v.memory(r, pages)
	s, hit := slot(m, i)
	if !hit {
		return nil, status.Errorf(codes.OutOfRange, "register %s: there is no memory behind index %d: it has %d of its %d elements now", r.name(), i, m.Size, r.own.GetSize())
	}
	return &p4v1.RegisterEntry{
		RegisterId: r.array, Index: &p4v1.Index{Index: s}, Data: &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: value}},
	}, nil
}
