package types

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
)

func (c *checker) unary(e *syntax.Unary) (Type, Value) {
	t := c.expr(e.X, nil)
	v := c.info.Values[e.X]
	if isInvalid(t) {
		return Invalid, nil
	}
	if n, ok := t.(*Enum); ok && n.Underlying != nil && e.Op != "!" {
		c.info.Implicit[e.X] = n.Underlying
		t = n.Underlying
	}
	b, bits := t.(*Bit)
	iv, known := v.(IntValue)
	result := func(r *big.Int) Value {
		if bits {
			return IntValue{wrap(r, b)}
		}
		return IntValue{r}
	}
	switch {
	case e.Op == "!" && isBool(t):
		if v, ok := v.(BoolValue); ok {
			return t, !v
		}
		return t, nil
	case e.Op == "~" && bits:
		if known {
			return t, result(new(big.Int).Not(iv.Int))
		}
		return t, nil
	case e.Op == "-" && (bits || isInt(t)):
		if known {
			return t, result(new(big.Int).Neg(iv.Int))
		}
		return t, nil
	case e.Op == "+" && (bits || isInt(t)):
		return t, v
	}
	c.errorf(e, codeOperand, "%s is not defined on %v", e.Op, t)
	return Invalid, nil
}

func (c *checker) binary(e *syntax.Binary, want Type) (Type, Value) {
	c.expr(e.X, nil)
	c.expr(e.Y, nil)
	c.shiftInto(e, want)
	t := c.operator(e, e.Op, e.X, e.Y)
	if isInvalid(t) {
		return Invalid, nil
	}
	x, y := c.info.Values[e.X], c.info.Values[e.Y]
	if x == nil || y == nil {
		if !c.checkDivision(e, e.Op, e.X, e.Y) {
			return Invalid, nil
		}
		return t, nil
	}
	v, ok := c.fold(e, e.Op, x, y, t, c.info.Types[e.X])
	if !ok {
		return Invalid, nil
	}
	return t, v
}

// operator types x op y, whose operands have been checked, and converts them to what it needs.
func (c *checker) operator(at syntax.Node, op syntax.Op, x, y syntax.Expr) Type {
	tx, ty := c.info.Types[x], c.info.Types[y]
	if isInvalid(tx) || isInvalid(ty) {
		return Invalid
	}
	undefined := func() Type {
		if c.hasPendingParts(x) || c.hasPendingParts(y) {
			// convert has said what is wrong with the operand
			return Invalid
		}
		c.errorf(at, codeOperand, "%s is not defined on %v and %v", op, tx, ty)
		return Invalid
	}
	switch op {
	case "&&", "||":
		if isBool(tx) && isBool(ty) {
			return Bool
		}
		return undefined()
	case "==", "!=":
		t, ok := c.harmonize(x, y)
		if !ok {
			return undefined()
		}
		if !comparable(t) {
			return undefined()
		}
		return Bool
	case "<", ">", "<=", ">=":
		t, ok := c.harmonize(x, y)
		if _, bits := t.(*Bit); !ok || !bits && !isInt(t) && !isInvalid(t) {
			return undefined()
		}
		return Bool
	case "<<", ">>":
		return c.shift(at, op, x, y)
	case "++":
		return c.concat(at, x, y)
	case "&&&", "..":
		t, ok := c.harmonize(x, y)
		if _, bits := underlying(t).(*Bit); !ok || !bits && !isInt(t) && !isInvalid(t) {
			return undefined()
		}
		return &Set{Elem: t}
	case "/", "%":
		if !c.nonNegative(at, op, x) || !c.nonNegative(at, op, y) {
			return Invalid
		}
		return c.arithmetic(at, op, x, y)
	case "+", "-", "*", "|+|", "|-|", "&", "|", "^":
		return c.arithmetic(at, op, x, y)
	}
	c.unsupported(at, "operator "+string(op))
	return Invalid
}

// arithmetic types the operators that give what they take.
func (c *checker) arithmetic(at syntax.Node, op syntax.Op, x, y syntax.Expr) Type {
	tx, ty := c.info.Types[x], c.info.Types[y]
	undefined := func() Type {
		if !c.hasPendingParts(x) && !c.hasPendingParts(y) {
			c.errorf(at, codeOperand, "%s is not defined on %v and %v", op, tx, ty)
		}
		return Invalid
	}
	t, ok := c.harmonize(x, y)
	if !ok {
		return undefined()
	}
	b, bits := t.(*Bit)
	switch {
	case isInvalid(t):
		return Invalid
	case bits && b.Signed && (op == "/" || op == "%"):
		return undefined()
	case bits:
		return t
	case isInt(t) && op != "|+|" && op != "|-|":
		switch op {
		case "&", "|", "^":
			c.extension(at, "%s on integers without a width", op) // as infinite two's complement
		}
		return t
	}
	if n, ok := t.(*Enum); ok && n.Underlying != nil {
		c.info.Implicit[x], c.info.Implicit[y] = n.Underlying, n.Underlying
		return n.Underlying
	}
	return undefined()
}

func (c *checker) hasPendingParts(e syntax.Expr) bool { return isInvalid(c.info.Types[e]) }

// comparable reports whether == is defined on t.
func comparable(t Type) bool {
	switch t := t.(type) {
	case *Basic:
		switch t.Kind {
		case BoolKind, IntKind, ErrorKind, InvalidKind, MatchKindKind:
			return true
		}
		return false
	case *Struct:
		return t.Decl != nil
	case *Bit, *Varbit, *Enum, *NewType, *Stack, *Tuple:
		return true
	}
	return false
}

// shiftInto gives a number without a width that is shifted left by a variable the type of what the result is assigned to: the
// bits that are kept are the same whatever its width. Programs written before compilers refused this depend on it.
func (c *checker) shiftInto(e *syntax.Binary, want Type) {
	b, ok := want.(*Bit)
	if !ok || e.Op != "<<" || !isInt(c.info.Types[e.X]) || c.compileTime(e.Y) || !isUnsigned(c.info.Types[e.Y]) {
		return
	}
	if v, ok := c.info.Values[e.X].(IntValue); !ok || !fits(v.Int, b) {
		return
	}
	c.warnf(e, codeExtension, "a shift of an integer without a width by a variable: taken to be of type %v; the specification wants it to say so", b)
	c.convertInt(e.X, b)
}

// shift types x << y and x >> y: the result has the type of x.
func (c *checker) shift(at syntax.Node, op syntax.Op, x, y syntax.Expr) Type {
	for _, e := range []syntax.Expr{x, y} {
		if n, ok := c.info.Types[e].(*Enum); ok && n.Underlying != nil {
			c.info.Implicit[e] = n.Underlying
		}
	}
	tx, ty := c.effective(x), c.effective(y)
	_, bits := tx.(*Bit)
	if !bits && !isInt(tx) || !isUnsigned(ty) && !isInt(ty) {
		if v, ok := c.info.Values[y].(IntValue); !ok || v.Int.Sign() < 0 || !bits && !isInt(tx) {
			c.errorf(at, codeOperand, "%s is not defined on %v and %v", op, tx, ty)
			return Invalid
		}
	}
	v, known := c.info.Values[y].(IntValue)
	if isInt(ty) && known && v.Int.Sign() < 0 {
		c.errorf(y, codeOperand, "a shift by %v", v.Int)
		return Invalid
	}
	if isInt(tx) && !known && !c.compileTime(y) {
		c.errorf(x, codeOperand, "an integer without a width can only be shifted by a constant")
		return Invalid
	}
	return tx
}

// effective is the type of e after its implicit conversion.
func (c *checker) effective(e syntax.Expr) Type {
	if t := c.info.Implicit[e]; t != nil {
		return t
	}
	return c.info.Types[e]
}

func (c *checker) concat(at syntax.Node, x, y syntax.Expr) Type {
	for _, e := range []syntax.Expr{x, y} {
		if n, ok := c.info.Types[e].(*Enum); ok && n.Underlying != nil {
			c.info.Implicit[e] = n.Underlying
		}
	}
	tx, ty := c.effective(x), c.effective(y)
	a, ok1 := tx.(*Bit)
	b, ok2 := ty.(*Bit)
	if ok1 && ok2 {
		if a.Width+b.Width > maxWidth {
			c.errorf(at, codeWidth, "the result has more than %d bits", maxWidth)
			return Invalid
		}
		return &Bit{Width: a.Width + b.Width, Signed: a.Signed}
	}
	if isBasic(tx, StringKind) && isBasic(ty, StringKind) {
		return String
	}
	c.errorf(at, codeOperand, "++ is not defined on %v and %v", tx, ty)
	return Invalid
}

// fold computes x op y for known operands; t is the type of the result and tx that of x.
func (c *checker) fold(at *syntax.Binary, op syntax.Op, x, y Value, t, tx Type) (Value, bool) {
	switch op {
	case "==":
		return BoolValue(equalValues(x, y)), true
	case "!=":
		return BoolValue(!equalValues(x, y)), true
	case "&&&", "..":
		return nil, true
	}
	switch a := x.(type) {
	case BoolValue:
		b, ok := y.(BoolValue)
		switch {
		case ok && op == "&&":
			return a && b, true
		case ok && op == "||":
			return a || b, true
		}
	case StringValue:
		if b, ok := y.(StringValue); ok && op == "++" {
			if len(a)+len(b) > maxIntBits {
				c.errorf(at, codeOverflow, "this string is too long")
				return nil, false
			}
			return a + b, true
		}
	case IntValue:
		if b, ok := y.(IntValue); ok {
			return c.foldInts(at, op, a.Int, b.Int, t)
		}
	}
	return nil, true
}

func (c *checker) foldInts(at *syntax.Binary, op syntax.Op, a, b *big.Int, t Type) (Value, bool) {
	r := new(big.Int)
	bits, sized := t.(*Bit)
	switch op {
	case "<":
		return BoolValue(a.Cmp(b) < 0), true
	case ">":
		return BoolValue(a.Cmp(b) > 0), true
	case "<=":
		return BoolValue(a.Cmp(b) <= 0), true
	case ">=":
		return BoolValue(a.Cmp(b) >= 0), true
	case "+":
		r.Add(a, b)
	case "-":
		r.Sub(a, b)
	case "*":
		if a.BitLen()+b.BitLen() > 2*maxIntBits {
			c.errorf(at, codeOverflow, "the result is too large")
			return nil, false
		}
		r.Mul(a, b)
	case "|+|":
		return IntValue{saturate(r.Add(a, b), bits)}, true
	case "|-|":
		return IntValue{saturate(r.Sub(a, b), bits)}, true
	case "/", "%":
		switch {
		case b.Sign() == 0:
			c.errorf(at.Y, codeOverflow, "division by zero")
			return nil, false
		case a.Sign() < 0 || b.Sign() < 0:
			c.errorf(at, codeOverflow, "%s is not defined on negative numbers", op)
			return nil, false
		case op == "/":
			r.Quo(a, b)
		default:
			r.Rem(a, b)
		}
	case "&":
		r.And(a, b)
	case "|":
		r.Or(a, b)
	case "^":
		r.Xor(a, b)
	case "++":
		// The bits of both, whatever their signs.
		yb, _ := c.effective(at.Y).(*Bit)
		if yb == nil {
			return nil, true
		}
		r.Lsh(a, uint(yb.Width))
		r.Or(r, wrap(b, &Bit{Width: yb.Width}))
	case "<<", ">>":
		limit := int64(maxIntBits)
		if sized {
			limit = int64(bits.Width)
		}
		n := limit
		if b.IsInt64() && b.Int64() < limit {
			n = b.Int64()
		} else if !sized && op == "<<" && a.Sign() != 0 {
			c.errorf(at, codeOverflow, "the result is too large")
			return nil, false
		} else if !sized {
			n = int64(a.BitLen()) + 1
		}
		if op == "<<" {
			r.Lsh(a, uint(n))
		} else {
			r.Rsh(a, uint(n)) // keeps the sign of a negative number, as >> on int<W> does
		}
	default:
		return nil, true
	}
	if sized {
		return IntValue{wrap(r, bits)}, true
	}
	if r.BitLen() > maxIntBits {
		c.errorf(at, codeOverflow, "the result is too large")
		return nil, false
	}
	return IntValue{r}, true
}
