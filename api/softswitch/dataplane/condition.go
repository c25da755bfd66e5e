package dataplane

import (
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

func isCondition(op syntax.Op) bool {
	switch op {
	case "==", "!=", "<", "<=", ">", ">=", "&&", "||":
		return true
	}
	return false
}

// cond compiles a bool.
func (c *compiler) cond(e syntax.Expr) test {
	c.count(e)
	if n, ok := c.number(e); ok {
		return fixed(n.Sign() != 0)
	}
	switch x := e.(type) {
	case *syntax.Paren:
		return c.cond(x.X)
	case *syntax.Unary:
		if x.Op == "!" {
			return c.cond(x.X).not()
		}
	case *syntax.Binary:
		switch x.Op {
		case "&&":
			return c.cond(x.X).and(c.cond(x.Y))
		case "||":
			return c.cond(x.X).or(c.cond(x.Y))
		case "==":
			return c.equal(x, x.X, x.Y)
		case "!=":
			return c.equal(x, x.X, x.Y).not()
		case "<", "<=", ">", ">=":
			return c.order(x)
		}
	}
	return truthOf(c.scalar(e))
}

// truthOf is the test of a scalar that is not 0.
func truthOf(s scalar) test {
	if s.con {
		return fixed(s.val != 0)
	}
	return test(append(slices.Clip(s.code), instr{op: opEqK, a: uint32(s.slot), d: exit}))
}

// tested is the test of a closure after prep.
func (c *compiler) tested(prep step, fn func(*frame) bool) test {
	return truthOf(c.compute(prep, func(f *frame) uint64 { return b2u(fn(f)) }))
}

// operandType is the type two operands are compared at; a constant may have none of its own.
func (c *compiler) operandType(x, y syntax.Expr) types.Type {
	t := c.finalType(x)
	if b, ok := t.(*types.Basic); ok && b.Kind == types.IntKind {
		return c.finalType(y)
	}
	return t
}

func (c *compiler) equal(at syntax.Node, x, y syntax.Expr) test {
	t := c.operandType(x, y)
	width, _, ok := widthOf(t)
	switch {
	case !ok:
		return c.equalParts(at, x, y)
	case width > 64:
		a, b := c.wide(x), c.wide(y)
		prep, n := sequence(a.prep, b.prep), bitWords(width)
		return c.tested(prep, func(f *frame) bool { return wideEqual(f.w[a.slot:a.slot+n], f.w[b.slot:b.slot+n]) })
	}
	a, b := c.scalar(x), c.scalar(y)
	if a.con && !b.con {
		a, b = b, a
	}
	if b.con {
		a = c.held(a)
		return test(append(slices.Clip(a.code), instr{op: opNeK, a: uint32(a.slot), k: b.val, d: exit}))
	}
	return c.compared(instr{op: opNe}, a, b)
}

// compared is false if the jump of two operands is taken.
func (c *compiler) compared(in instr, a, b scalar) test {
	prep := c.settled(&a, &b)
	in.a, in.b, in.d = uint32(a.slot), uint32(b.slot), exit
	return test(append(slices.Clip(prep), in))
}

// equalParts compares structs, tuples and headers: two headers are equal if both are invalid, or both valid with equal fields.
func (c *compiler) equalParts(at syntax.Node, x, y syntax.Expr) test {
	t := c.finalType(x)
	switch under(t).(type) {
	case *types.Struct, *types.Tuple, *types.Stack, *types.Varbit:
	default:
		unsupported(at, "comparing values of type %s", t)
	}
	p, q := c.temp(x, t), c.temp(y, t)
	prep := sequence(c.store(p, x), c.store(q, y))
	type compared struct{ off, n, header int }
	var parts []compared
	for _, pt := range partsOf(at, t, 0, -1) {
		parts = append(parts, compared{pt.off, wordsOf(at, pt.typ), pt.header})
	}
	valid := validitySlots(at, t, 0)
	return c.tested(prep, func(f *frame) bool {
		a, b := f.w[p.slot:], f.w[q.slot:]
		for _, v := range valid {
			if a[v] != b[v] {
				return false
			}
		}
		for _, pt := range parts {
			if pt.header >= 0 && a[pt.header] == 0 {
				continue
			}
			if !wideEqual(a[pt.off:pt.off+pt.n], b[pt.off:]) {
				return false
			}
		}
		return true
	})
}

func (c *compiler) order(x *syntax.Binary) test {
	l, r := x.X, x.Y
	width, signed, ok := widthOf(c.operandType(l, r))
	if !ok {
		unsupported(x, "operator %s on a %s", x.Op, c.finalType(l))
	}
	swap := x.Op == ">" || x.Op == "<="    // a < b, with the operands in this order for the two that swap
	negate := x.Op == ">=" || x.Op == "<=" // and then the opposite
	var less test
	switch {
	case width > 64:
		less = c.wideLess(l, r, width, signed, swap)
	default:
		a, b := c.scalar(l), c.scalar(r)
		if b.con {
			a = c.held(a)
		}
		switch {
		case !signed && !swap && b.con:
			less = test(append(slices.Clip(a.code), instr{op: opGeK, a: uint32(a.slot), k: b.val, d: exit}))
		case !signed && swap && b.con && b.val < ^uint64(0): // b < a
			less = test(append(slices.Clip(a.code), instr{op: opLtK, a: uint32(a.slot), k: b.val + 1, d: exit}))
		default:
			in := instr{op: opGe}
			if signed {
				in = instr{op: opMore, k: uint64(width)}
			}
			if swap {
				b.code = c.settled(&a, &b)
				a, b = b, a
			}
			less = c.compared(in, a, b)
		}
	}
	if negate {
		return less.not()
	}
	return less
}

func (c *compiler) wideLess(l, r syntax.Expr, width int, signed, swap bool) test {
	a, b := c.wide(l), c.wide(r)
	prep, n := sequence(a.prep, b.prep), bitWords(width)
	return c.tested(prep, func(f *frame) bool {
		p, q := f.w[a.slot:a.slot+n], f.w[b.slot:b.slot+n]
		if swap {
			p, q = q, p
		}
		if signed && wideNegative(p, width) != wideNegative(q, width) {
			return wideNegative(p, width)
		}
		return wideCompare(p, q) < 0
	})
}
