package dataplane

import (
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
func (c *compiler) cond(e syntax.Expr) func(*frame) bool {
	c.count(e)
	if n, ok := c.number(e); ok {
		v := n.Sign() != 0
		return func(*frame) bool { return v }
	}
	switch x := e.(type) {
	case *syntax.Paren:
		return c.cond(x.X)
	case *syntax.Unary:
		if x.Op == "!" {
			v := c.cond(x.X)
			return func(f *frame) bool { return !v(f) }
		}
	case *syntax.Binary:
		switch x.Op {
		case "&&":
			a, b := c.cond(x.X), c.cond(x.Y)
			return func(f *frame) bool { return a(f) && b(f) }
		case "||":
			a, b := c.cond(x.X), c.cond(x.Y)
			return func(f *frame) bool { return a(f) || b(f) }
		case "==":
			return c.equal(x, x.X, x.Y)
		case "!=":
			eq := c.equal(x, x.X, x.Y)
			return func(f *frame) bool { return !eq(f) }
		case "<", "<=", ">", ">=":
			return c.order(x)
		}
	}
	s := c.scalar(e)
	if s.slot >= 0 {
		slot := s.slot
		return func(f *frame) bool { return f.w[slot] != 0 }
	}
	fn := s.fn
	return func(f *frame) bool { return fn(f) != 0 }
}

// operandType is the type two operands are compared at; a constant may have none of its own.
func (c *compiler) operandType(x, y syntax.Expr) types.Type {
	t := c.finalType(x)
	if b, ok := t.(*types.Basic); ok && b.Kind == types.IntKind {
		return c.finalType(y)
	}
	return t
}

func (c *compiler) equal(at syntax.Node, x, y syntax.Expr) func(*frame) bool {
	t := c.operandType(x, y)
	width, _, ok := widthOf(t)
	switch {
	case !ok:
		return c.equalParts(at, x, y)
	case width > 64:
		a, b := c.wide(x), c.wide(y)
		prep, n := sequence(a.prep, b.prep), bitWords(width)
		return func(f *frame) bool {
			if prep != nil {
				prep(f)
			}
			return wideEqual(f.w[a.slot:a.slot+n], f.w[b.slot:b.slot+n])
		}
	}
	a, b := c.scalar(x), c.scalar(y)
	if a.slot >= 0 && b.con {
		slot, k := a.slot, b.val
		return func(f *frame) bool { return f.w[slot] == k }
	}
	if a.slot >= 0 && b.slot >= 0 {
		i, j := a.slot, b.slot
		return func(f *frame) bool { return f.w[i] == f.w[j] }
	}
	p, q := a.fn, b.fn
	return func(f *frame) bool { return p(f) == q(f) }
}

// equalParts compares structs, tuples and headers: two headers are equal if both are invalid, or both valid with equal fields.
func (c *compiler) equalParts(at syntax.Node, x, y syntax.Expr) func(*frame) bool {
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
	return func(f *frame) bool {
		if prep != nil {
			prep(f)
		}
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
	}
}

func (c *compiler) order(x *syntax.Binary) func(*frame) bool {
	l, r := x.X, x.Y
	// a < b, with the operands in this order for the two that swap
	swap := x.Op == ">" || x.Op == "<="
	negate := x.Op == ">=" || x.Op == "<="
	width, signed, ok := widthOf(c.operandType(l, r))
	if !ok {
		unsupported(x, "operator %s on a %s", x.Op, c.finalType(l))
	}
	var less func(*frame) bool
	if width > 64 {
		less = c.wideLess(l, r, width, signed, swap)
	} else {
		a, b := c.scalar(l).fn, c.scalar(r).fn
		switch {
		case signed && swap:
			less = func(f *frame) bool { p, q := a(f), b(f); return signExtend(q, width) < signExtend(p, width) }
		case signed:
			less = func(f *frame) bool { return signExtend(a(f), width) < signExtend(b(f), width) }
		case swap:
			less = func(f *frame) bool { p, q := a(f), b(f); return q < p }
		default:
			less = func(f *frame) bool { return a(f) < b(f) }
		}
	}
	if negate {
		return func(f *frame) bool { return !less(f) }
	}
	return less
}

func (c *compiler) wideLess(l, r syntax.Expr, width int, signed, swap bool) func(*frame) bool {
	a, b := c.wide(l), c.wide(r)
	prep, n := sequence(a.prep, b.prep), bitWords(width)
	return func(f *frame) bool {
		if prep != nil {
			prep(f)
		}
		p, q := f.w[a.slot:a.slot+n], f.w[b.slot:b.slot+n]
		if swap {
			p, q = q, p
		}
		if signed && wideNegative(p, width) != wideNegative(q, width) {
			return wideNegative(p, width)
		}
		return wideCompare(p, q) < 0
	}
}
