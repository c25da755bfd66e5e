package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// How values lie in a frame, in 64-bit words:
//
//	bool, enum, error, bit<W> and int<W> with W <= 64   one word, bits above W zero; an enum is its index, or its
//	                                                    representation if it has one; int<W> is two's complement in W bits
//	bit<W> and int<W> with W > 64                       ceil(W/64) words, least significant first
//	varbit<W>                                           one word with the current length in bits, then as bit<W>
//	struct, tuple                                       the fields in order
//	header                                              one word, 1 if valid, then the fields in order
//	header_union                                        the headers in order, of which at most one is valid
//	header stack, array                                 one word with nextIndex, then the elements, then one more element
//	                                                    that stands in for those an index out of range asks for

// under looks through new types.
func under(t types.Type) types.Type {
	for {
		n, ok := t.(*types.NewType)
		if !ok {
			return t
		}
		t = n.Under
	}
}

// wordsOf is the size of a value of type t in words. at is where the type is used, for the error.
func wordsOf(at syntax.Node, t types.Type) int {
	switch t := under(t).(type) {
	case *types.Bit:
		return bitWords(t.Width)
	case *types.Basic:
		switch t.Kind {
		case types.BoolKind, types.ErrorKind:
			return 1
		case types.VoidKind:
			return 0
		case types.StringKind:
			return 0 // only ever an argument of log_msg
		}
	case *types.Enum:
		if t.Underlying != nil {
			return wordsOf(at, t.Underlying)
		}
		return 1
	case *types.Varbit:
		return 1 + bitWords(t.Max)
	case *types.Struct:
		n := 0
		if t.Kind == types.Header {
			n = 1
		}
		for _, f := range t.Fields {
			n += wordsOf(at, f.Type)
		}
		return n
	case *types.Tuple:
		n := 0
		for _, e := range t.Elems {
			n += wordsOf(at, e)
		}
		return n
	case *types.Stack:
		if t.Size == 0 {
			break
		}
		return 1 + (t.Size+1)*wordsOf(at, t.Elem)
	}
	unsupported(at, "a value of type %s", t)
	return 0
}

func bitWords(width int) int { return max(1, (width+63)/64) }

// widthOf is the width in bits of a scalar type, and whether it is signed. ok is false for what is not a scalar.
func widthOf(t types.Type) (width int, signed, ok bool) {
	switch t := under(t).(type) {
	case *types.Bit:
		return t.Width, t.Signed, true
	case *types.Basic:
		switch t.Kind {
		case types.BoolKind:
			return 1, false, true
		case types.ErrorKind:
			return 32, false, true
		}
	case *types.Enum:
		if t.Underlying != nil {
			return widthOf(t.Underlying)
		}
		return 32, false, true
	}
	return 0, false, false
}

// isHeader tells headers from structs.
func isHeader(t types.Type) bool {
	s, ok := under(t).(*types.Struct)
	return ok && s.Kind == types.Header
}

// unionOf is t if it is a header union.
func unionOf(t types.Type) (*types.Struct, bool) {
	s, ok := under(t).(*types.Struct)
	return s, ok && s.Kind == types.HeaderUnion
}

// fieldOffset finds a field of a struct or header: its offset in words and its type.
func fieldOffset(at syntax.Node, s *types.Struct, name string) (int, types.Type) {
	off := 0
	if s.Kind == types.Header {
		off = 1
	}
	for _, f := range s.Fields {
		if f.Name == name {
			return off, f.Type
		}
		off += wordsOf(at, f.Type)
	}
	invalid(at, "%s has no field %s", s, name)
	return 0, nil
}

// A part is a scalar or varbit inside a value, at a word offset.
type part struct {
	off    int
	typ    types.Type
	header int // offset of the validity word of the header it lies in, or -1
}

// partsOf lists the scalars of a value of type t in order, as hashes and comparisons see it.
func partsOf(at syntax.Node, t types.Type, off, header int) []part {
	switch t := under(t).(type) {
	case *types.Struct:
		if t.Kind == types.Header {
			header = off
			off++
		}
		var ps []part
		for _, f := range t.Fields {
			ps = append(ps, partsOf(at, f.Type, off, header)...)
			off += wordsOf(at, f.Type)
		}
		return ps
	case *types.Tuple:
		var ps []part
		for _, e := range t.Elems {
			ps = append(ps, partsOf(at, e, off, header)...)
			off += wordsOf(at, e)
		}
		return ps
	case *types.Stack:
		var ps []part
		off++
		for range t.Size {
			ps = append(ps, partsOf(at, t.Elem, off, header)...)
			off += wordsOf(at, t.Elem)
		}
		return ps
	}
	return []part{{off, t, header}}
}

// validitySlots lists the offsets of every validity word in a value of type t.
func validitySlots(at syntax.Node, t types.Type, off int) []int {
	switch t := under(t).(type) {
	case *types.Struct:
		var vs []int
		if t.Kind == types.Header {
			return append(vs, off)
		}
		for _, f := range t.Fields {
			vs = append(vs, validitySlots(at, f.Type, off)...)
			off += wordsOf(at, f.Type)
		}
		return vs
	case *types.Tuple:
		var vs []int
		for _, e := range t.Elems {
			vs = append(vs, validitySlots(at, e, off)...)
			off += wordsOf(at, e)
		}
		return vs
	case *types.Stack:
		var vs []int
		off++
		for range t.Size {
			vs = append(vs, validitySlots(at, t.Elem, off)...)
			off += wordsOf(at, t.Elem)
		}
		return vs
	}
	return nil
}

// mask64 has the low width bits set, for width 0..64.
func mask64(width int) uint64 {
	if width >= 64 {
		return ^uint64(0)
	}
	return 1<<width - 1
}

// signExtend reads v as a two's complement number of width bits, 1..64.
func signExtend(v uint64, width int) int64 {
	shift := 64 - width
	return int64(v<<shift) >> shift
}
