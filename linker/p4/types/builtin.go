package types

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// builtin checks the methods that the language defines on headers, stacks, unions and on every type with a size.
func (c *checker) builtin(e *syntax.Call, fun *syntax.Member, r *Call, t Type) Type {
	sel := fun.Sel.Name
	r.Kind = BuiltinCall
	_, onType, isType := c.typeOperand(fun.X)
	done := func(sig *Signature) Type {
		sig.Kind, sig.Name = BuiltinSig, sel
		if len(e.TypeArgs) > 0 {
			c.errorf(e, codeTypeArgs, "%s takes no type arguments", sel)
			c.looseArgs(e.Args)
			r.Kind = BadCall
			return Invalid
		}
		if !c.invoke(e, r, sig, nil, e.Args, nil) {
			r.Kind = BadCall
			return Invalid
		}
		return sig.Result
	}
	if isType {
		t = onType
	}
	switch sel {
	case "minSizeInBits", "minSizeInBytes", "maxSizeInBits", "maxSizeInBytes":
		lo, hi, ok := sizeInBits(t)
		if !ok && openType(t) {
			return done(&Signature{Result: Int}) // known, but only where the type parameter is bound
		}
		if !ok {
			c.errorf(fun.Sel, codeNoMember, "%v has no size", t)
			c.looseArgs(e.Args)
			r.Kind = BadCall
			return Invalid
		}
		n := lo
		if sel[:3] == "max" {
			n = hi
		}
		if sel[len(sel)-5:] == "Bytes" {
			n = new(big.Int).Rsh(n.Add(n, big.NewInt(7)), 3)
		}
		c.info.Values[e] = IntValue{n}
		return done(&Signature{Result: Int})
	}
	if isType {
		c.errorf(fun.Sel, codeNoMember, "type %v has no method %s", t, sel)
		c.looseArgs(e.Args)
		r.Kind = BadCall
		return Invalid
	}
	switch u := t.(type) {
	case *Struct:
		switch {
		case sel == "isValid" && u.Kind != PlainStruct:
			return done(&Signature{Result: Bool})
		case (sel == "setValid" || sel == "setInvalid") && u.Kind == Header:
			c.lvalue(fun.X)
			return done(&Signature{Result: Void})
		}
	case *Stack:
		if !u.IsHeaderStack() {
			break
		}
		if sel == "push_front" || sel == "pop_front" {
			c.lvalue(fun.X)
			res := done(&Signature{Result: Void, Params: []*Param{{Name: "count", Type: Int}}})
			if r.Kind == BadCall {
				return res
			}
			if v, ok := c.info.Values[r.Args[0]].(IntValue); !ok && !c.compileTime(r.Args[0]) || ok && v.Int.Sign() < 0 {
				c.errorf(r.Args[0], codeNotConst, "%s needs a constant that is not negative", sel)
			}
			return res
		}
	}
	c.errorf(fun.Sel, codeNoMember, "%v has no method %s", t, sel)
	c.looseArgs(e.Args)
	r.Kind = BadCall
	return Invalid
}

// sizeInBits is the least and the greatest number of bits of a value of type t, without padding; ok is false for types
// without a size. Both are fresh integers.
func sizeInBits(t Type) (lo, hi *big.Int, ok bool) {
	return (&sizer{map[Type][2]*big.Int{}}).size(t)
}

// sizer remembers the sizes of structs: structs that hold structs can be exponentially large.
type sizer struct{ done map[Type][2]*big.Int }

func (s *sizer) size(t Type) (lo, hi *big.Int, ok bool) {
	if r, ok := s.done[t]; ok {
		return new(big.Int).Set(r[0]), new(big.Int).Set(r[1]), true
	}
	fixed := func(n int) (*big.Int, *big.Int, bool) {
		return big.NewInt(int64(n)), big.NewInt(int64(n)), true
	}
	switch t := t.(type) {
	case *Basic:
		if t.Kind == BoolKind {
			return fixed(1)
		}
	case *Bit:
		return fixed(t.Width)
	case *Varbit:
		return new(big.Int), big.NewInt(int64(t.Max)), true
	case *NewType:
		return s.size(t.Under)
	case *Enum:
		if t.Underlying != nil {
			return s.size(t.Underlying)
		}
	case *Stack:
		lo, hi, ok = s.size(t.Elem)
		if ok {
			n := big.NewInt(int64(t.Size))
			lo.Mul(lo, n)
			hi.Mul(hi, n)
		}
		return lo, hi, ok
	case *Tuple:
		lo, hi = new(big.Int), new(big.Int)
		for _, e := range t.Elems {
			l, h, ok := s.size(e)
			if !ok {
				return nil, nil, false
			}
			lo.Add(lo, l)
			hi.Add(hi, h)
		}
		return lo, hi, true
	case *Struct:
		lo, hi = new(big.Int), new(big.Int)
		for i, f := range t.Fields {
			l, h, ok := s.size(f.Type)
			if !ok {
				return nil, nil, false
			}
			if t.Kind != HeaderUnion {
				lo.Add(lo, l)
				hi.Add(hi, h)
				continue
			}
			if i == 0 || l.Cmp(lo) < 0 {
				lo = l
			}
			if h.Cmp(hi) > 0 {
				hi = h
			}
		}
		s.done[t] = [2]*big.Int{new(big.Int).Set(lo), new(big.Int).Set(hi)}
		return lo, hi, true
	}
	return nil, nil, false
}

// Width is the number of bits of a value of a fixed-size type: bit, int, bool, serializable enum, new type, and structs, headers
// and stacks of these. ok is false for all others.
func Width(t Type) (bits int, ok bool) {
	lo, hi, ok := sizeInBits(t)
	if !ok || lo.Cmp(hi) != 0 || !lo.IsInt64() || lo.Int64() > 1<<40 {
		return 0, false
	}
	return int(lo.Int64()), true
}
