package types

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// cast checks (T) x by the table of explicit casts of the language (specification, section "Casts").
func (c *checker) cast(e *syntax.Cast) (Type, Value) {
	to := c.typ(e.To)
	from := c.expr(e.X, to)
	if isInvalid(to) || isInvalid(from) {
		return to, nil
	}
	switch syntax.Unparen(e.X).(type) {
	case *syntax.ListExpr, *syntax.StructExpr, *syntax.InvalidExpr, *syntax.DotsExpr:
		if !c.convert(e.X, to) {
			return to, nil
		}
		return to, c.info.Values[e.X]
	}
	v := c.info.Values[e.X]
	r, ok := castable(from, to, v)
	if !ok {
		c.errorf(e, codeCast, "%v cannot be cast to %v", from, to)
		return Invalid, nil
	}
	if isInt(to) && !c.compileTime(e.X) {
		c.extension(e, "an integer without a width at run time")
	}
	return to, r
}

// castable reports whether a value of type from can be cast to type to and, if v is known, what it becomes.
func castable(from, to Type, v Value) (Value, bool) {
	if Identical(from, to) {
		return v, true
	}
	// To and from a new type: through what it is made of.
	if n, ok := from.(*NewType); ok && Identical(n.Under, to) {
		return v, true
	}
	if n, ok := to.(*NewType); ok {
		if isInt(from) || Identical(from, n.Under) {
			return castable(from, n.Under, v)
		}
		return nil, false
	}
	if _, ok := from.(*NewType); ok {
		return nil, false
	}
	if n, ok := from.(*Enum); ok && n.Underlying != nil {
		return castable(n.Underlying, to, v)
	}
	if n, ok := to.(*Enum); ok && n.Underlying != nil {
		return castable(from, n.Underlying, v)
	}
	iv, known := v.(IntValue)
	src, fromBits := from.(*Bit)
	dst, toBits := to.(*Bit)
	switch {
	case fromBits && toBits:
		if src.Signed != dst.Signed && src.Width != dst.Width {
			return nil, false
		}
		if known {
			return IntValue{wrap(iv.Int, dst)}, true
		}
		return nil, true
	case isInt(from) && toBits:
		if known {
			return IntValue{wrap(iv.Int, dst)}, true
		}
		return nil, true
	case fromBits && isInt(to):
		return v, true
	case isBool(from) && toBits:
		if dst.Width != 1 || dst.Signed {
			return nil, false
		}
		if b, ok := v.(BoolValue); ok {
			if b {
				return IntValue{big.NewInt(1)}, true
			}
			return IntValue{new(big.Int)}, true
		}
		return nil, true
	case isBool(to) && (fromBits && src.Width == 1 && !src.Signed):
		if known {
			return BoolValue(iv.Int.Sign() != 0), true
		}
		return nil, true
	case isBool(to) && isInt(from) && known:
		if iv.Int.Sign() < 0 || iv.Int.Cmp(big.NewInt(1)) > 0 {
			return nil, false
		}
		return BoolValue(iv.Int.Sign() != 0), true
	}
	return nil, false
}
