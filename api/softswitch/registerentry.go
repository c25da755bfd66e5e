package softswitch

import (
	"fmt"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// maxValueWords is the most words of a register cell that are handled without allocation.
const maxValueWords = 4

// A boundRegister is a register with what turns its cells into P4Data and back, if they are structs.
type boundRegister struct {
	*dataplane.Register
	of     *configv1.P4DataTypeSpec // of a cell
	encode part
	decode reading
}

func bindRegister(r *dataplane.Register, t *configv1.P4DataTypeSpec, info *configv1.P4TypeInfo) (b *boundRegister, err error) {
	b = &boundRegister{Register: r, of: t}
	if r.Fields == nil {
		return b, nil
	}
	if b.encode, err = (&dataEncoder{info, r.Fields}).of(t); err == nil {
		b.decode, err = (&dataDecoder{dataEncoder{info, r.Fields}}).of(t)
	}
	if err != nil {
		return nil, fmt.Errorf("register %s: %w", r.Name, err)
	}
	return b, nil
}

func (p *program) register(id uint32) (*boundRegister, error) {
	r := p.registers[id]
	if r == nil {
		return nil, status.Errorf(codes.NotFound, "there is no register %#x", id)
	}
	return r, nil
}

func checkIndex(x *p4v1.Index, size int) error {
	switch i := x.GetIndex(); {
	case i < 0:
		return status.Errorf(codes.InvalidArgument, "index %d is negative", i)
	case i >= int64(size):
		return status.Errorf(codes.OutOfRange, "index %d of an array of %d", i, size)
	}
	return nil
}

// writeRegister sets one cell, or every cell without an index.
func (p *program) writeRegister(t p4v1.Update_Type, e *p4v1.RegisterEntry, keep bool) (undo func(), err error) {
	if t != p4v1.Update_MODIFY {
		return nil, status.Errorf(codes.InvalidArgument, "%v of a register entry: only MODIFY", t)
	}
	r, err := p.register(e.GetRegisterId())
	if err != nil {
		return nil, err
	}
	var room [maxValueWords]uint64
	value := room[:min(r.Words(), maxValueWords)]
	if len(value) < r.Words() {
		value = make([]uint64, r.Words())
	}
	if err := decodeCell(e.GetData(), r, value); err != nil {
		return nil, err
	}
	if e.GetIndex() == nil {
		if keep {
			old := make([]uint64, r.Size*r.Words())
			for i := range r.Size {
				_ = r.Read(i, old[i*r.Words():(i+1)*r.Words()])
			}
			undo = func() {
				for i := range r.Size {
					_ = r.Write(i, old[i*r.Words():(i+1)*r.Words()])
				}
			}
		}
		r.Fill(value)
		return undo, nil
	}
	if err := checkIndex(e.GetIndex(), r.Size); err != nil {
		return nil, err
	}
	i := int(e.GetIndex().GetIndex())
	if keep {
		old := make([]uint64, r.Words())
		if err := r.Read(i, old); err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		undo = func() { _ = r.Write(i, old) }
	}
	if err := r.Write(i, value); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return undo, nil
}

func decodeCell(d *p4v1.P4Data, r *boundRegister, dst []uint64) error {
	if r.decode != nil {
		return r.decode(d, dst)
	}
	if r.IsBool {
		b, ok := d.GetData().(*p4v1.P4Data_Bool)
		if !ok {
			return status.Errorf(codes.InvalidArgument, "register %s holds bools", r.Name)
		}
		dst[0] = 0
		if b.Bool {
			dst[0] = 1
		}
		return nil
	}
	b, ok := d.GetData().(*p4v1.P4Data_Bitstring)
	if !ok {
		return status.Errorf(codes.InvalidArgument, "register %s holds bit strings of %d bits", r.Name, r.Width)
	}
	if r.Signed {
		return decodeSigned(b.Bitstring, r.Width, dst)
	}
	return decodeBits(b.Bitstring, r.Width, dst)
}

func encodeCell(w []uint64, r *boundRegister) *p4v1.P4Data {
	switch {
	case r.encode != nil:
		return r.encode(w)
	case r.IsBool:
		return &p4v1.P4Data{Data: &p4v1.P4Data_Bool{Bool: w[0] != 0}}
	case r.Signed:
		return &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: encodeSigned(w, r.Width)}}
	}
	return &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: encodeBits(w)}}
}

// readRegisters answers a RegisterEntry: all registers without an id, all cells without an index.
func (p *program) readRegisters(e *p4v1.RegisterEntry, out *answer) error {
	if e.GetRegisterId() == 0 {
		if e.GetIndex() != nil {
			return status.Error(codes.InvalidArgument, "an index without a register id")
		}
		for _, info := range p.info.GetRegisters() {
			if err := p.readCells(info.GetPreamble().GetId(), nil, out); err != nil {
				return err
			}
		}
		return nil
	}
	return p.readCells(e.GetRegisterId(), e.GetIndex(), out)
}

func (p *program) readCells(id uint32, index *p4v1.Index, out *answer) error {
	r, err := p.register(id)
	if err != nil {
		return err
	}
	from, to := 0, r.Size
	if index != nil {
		if err := checkIndex(index, r.Size); err != nil {
			return err
		}
		from = int(index.GetIndex())
		to = from + 1
	}
	w := make([]uint64, r.Words())
	for i := from; i < to; i++ {
		if err := r.Read(i, w); err != nil {
			return status.Error(codes.Internal, err.Error())
		}
		err := out.add(&p4v1.Entity{Entity: &p4v1.Entity_RegisterEntry{RegisterEntry: &p4v1.RegisterEntry{
			RegisterId: id, Index: &p4v1.Index{Index: int64(i)}, Data: encodeCell(w, r),
		}}})
		if err != nil {
			return err
		}
	}
	return nil
}
