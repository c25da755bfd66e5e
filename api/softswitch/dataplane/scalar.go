package dataplane

import (
	"math/bits"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// A scalar is a compiled expression of at most 64 bits. fn is always set; con and slot say when it is a known value or a plain
// load, so that operators can be compiled without an indirect call.
type scalar struct {
	fn   func(*frame) uint64
	con  bool
	val  uint64
	slot int // or -1
}

func constant(v uint64) scalar {
	return scalar{fn: func(*frame) uint64 { return v }, con: true, val: v, slot: -1}
}

func loadSlot(slot int) scalar {
	return scalar{fn: func(f *frame) uint64 { return f.w[slot] }, slot: slot}
}

func compute(fn func(*frame) uint64) scalar { return scalar{fn: fn, slot: -1} }

// isWide tells values of more than 64 bits. It refuses what is no scalar.
func (c *compiler) isWide(e syntax.Expr) bool {
	w, _, ok := widthOf(c.finalType(e))
	return ok && w > 64
}

// scalar compiles an expression of at most 64 bits, after implicit conversion.
func (c *compiler) scalar(e syntax.Expr) scalar {
	c.count(e)
	s := c.scalarPlain(e)
	if to := c.info.Implicit[e]; to != nil {
		return c.convert(e, s, c.typeOf(e), c.typ(to))
	}
	return s
}

func (c *compiler) scalarPlain(e syntax.Expr) scalar {
	if n, ok := c.number(e); ok {
		if !n.IsUint64() {
			if n.Sign() < 0 || n.BitLen() > 64 {
				invalid(e, "the constant %v does not fit 64 bits", n)
			}
		}
		return constant(n.Uint64())
	}
	switch x := e.(type) {
	case *syntax.Paren:
		return c.scalar(x.X)
	case *syntax.Name:
		_, p := c.placeOf(e)
		return p.load()
	case *syntax.Member:
		return c.memberScalar(x)
	case *syntax.Index:
		prep, p := c.place(x)
		return after(prep, p.load())
	case *syntax.Slice:
		return c.sliceScalar(x)
	case *syntax.PlusSlice:
		return c.plusSlice(x)
	case *syntax.Unary:
		return c.unary(x)
	case *syntax.Binary:
		return c.binary(x)
	case *syntax.Cond:
		cond, a, b := c.cond(x.C), c.scalar(x.X).fn, c.scalar(x.Y).fn
		return compute(func(f *frame) uint64 {
			if cond(f) {
				return a(f)
			}
			return b(f)
		})
	case *syntax.Cast:
		return c.convert(x, c.scalarOf(x.X), c.finalType(x.X), c.typeOf(x))
	case *syntax.Call:
		return c.callScalar(x)
	}
	unsupported(e, "this expression")
	return scalar{}
}

// placeOf is place for what must already have one.
func (c *compiler) placeOf(e syntax.Expr) (step, place) {
	if n, ok := e.(*syntax.Name); ok {
		b := c.lookup(c.use(n.Ident))
		if b == nil || b.place == nil {
			unsupported(e, "%s as a value", n.Ident.Name)
		}
		return nil, *b.place
	}
	return c.place(e)
}

// after evaluates s after a step that never leaves the normal flow.
func after(prep step, s scalar) scalar {
	if prep == nil {
		return s
	}
	fn := s.fn
	return compute(func(f *frame) uint64 { prep(f); return fn(f) })
}

func (c *compiler) memberScalar(x *syntax.Member) scalar {
	if prep, p, ok := c.memberPlace(x); ok {
		return after(prep, p.load())
	}
	switch t := under(c.typeOf(x.X)).(type) {
	case *types.Stack:
		if x.Sel.Name == "lastIndex" {
			prep, p := c.place(x.X)
			return after(prep, compute(func(f *frame) uint64 { return (f.w[p.at(f)] - 1) & mask64(32) }))
		}
		if x.Sel.Name == "size" {
			return constant(uint64(t.Size))
		}
	case *types.Basic:
		if t.Kind == types.ApplyResultKind {
			apply := c.applyExpr(x.X)
			want := x.Sel.Name == "hit"
			if !want && x.Sel.Name != "miss" {
				unsupported(x, "%s of a table application as a value", x.Sel.Name)
			}
			return compute(func(f *frame) uint64 {
				if r := apply(f); r == exits || r == fails {
					panic(unwound(r))
				}
				return b2u(f.hit == want)
			})
		}
	}
	unsupported(x, "%s of a %s", x.Sel.Name, c.typeOf(x.X))
	return scalar{}
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// scalarOf compiles any scalar down to its 64 low bits.
func (c *compiler) scalarOf(e syntax.Expr) scalar {
	if !c.isWide(e) {
		return c.scalar(e)
	}
	w := c.wide(e)
	return after(w.prep, loadSlot(w.slot))
}

func (c *compiler) sliceBounds(x *syntax.Slice) (hi, lo int) {
	h, ok1 := c.constInt(x.Hi)
	l, ok2 := c.constInt(x.Lo)
	if !ok1 || !ok2 || l < 0 || h < l {
		invalid(x, "the bounds of a slice must be constants, high before low")
	}
	if w, _, ok := widthOf(c.finalType(x.X)); ok && h >= int64(w) {
		invalid(x, "bit %d of a value of %d bits", h, w)
	}
	return int(h), int(l)
}

func (c *compiler) sliceScalar(x *syntax.Slice) scalar {
	hi, lo := c.sliceBounds(x)
	n := hi - lo + 1
	if c.isWide(x.X) {
		w := c.wide(x.X)
		slot, words := w.slot, bitWords(w.width)
		return after(w.prep, compute(func(f *frame) uint64 { return wideExtract(f.w[slot:slot+words], lo, n) }))
	}
	v, m := c.scalar(x.X), mask64(n)
	if v.slot >= 0 {
		slot := v.slot
		return compute(func(f *frame) uint64 { return f.w[slot] >> lo & m })
	}
	fn := v.fn
	return compute(func(f *frame) uint64 { return fn(f) >> lo & m })
}

func (c *compiler) unary(x *syntax.Unary) scalar {
	if x.Op == "!" {
		cond := c.cond(x.X)
		return compute(func(f *frame) uint64 { return b2u(!cond(f)) })
	}
	w, _, _ := widthOf(c.typeOf(x))
	v, m := c.scalar(x.X).fn, mask64(w)
	switch x.Op {
	case "~":
		return compute(func(f *frame) uint64 { return ^v(f) & m })
	case "-":
		return compute(func(f *frame) uint64 { return -v(f) & m })
	case "+":
		return c.scalar(x.X)
	}
	unsupported(x, "operator %s", x.Op)
	return scalar{}
}

func (c *compiler) binary(x *syntax.Binary) scalar {
	if isCondition(x.Op) {
		cond := c.cond(x)
		return compute(func(f *frame) uint64 { return b2u(cond(f)) })
	}
	w, signed, ok := widthOf(c.typeOf(x))
	if !ok {
		unsupported(x, "operator %s on a %s", x.Op, c.typeOf(x))
	}
	switch x.Op {
	case "<<", ">>":
		return c.shift(x, w, signed)
	case "++":
		wy, _, _ := widthOf(c.finalType(x.Y))
		a, b := c.scalar(x.X).fn, c.scalar(x.Y).fn
		return compute(func(f *frame) uint64 { return a(f)<<wy | b(f) })
	}
	return arithmetic(x, x.Op, c.scalar(x.X), c.scalar(x.Y), w, signed)
}

// arithmetic compiles an operator whose operands and result have the same type.
func arithmetic(at syntax.Node, op syntax.Op, x, y scalar, w int, signed bool) scalar {
	m, a, b := mask64(w), x.fn, y.fn
	switch op {
	case "+":
		if x.slot >= 0 && y.con {
			slot, k := x.slot, y.val
			return compute(func(f *frame) uint64 { return (f.w[slot] + k) & m })
		}
		return compute(func(f *frame) uint64 { return (a(f) + b(f)) & m })
	case "-":
		if x.slot >= 0 && y.con {
			slot, k := x.slot, y.val
			return compute(func(f *frame) uint64 { return (f.w[slot] - k) & m })
		}
		return compute(func(f *frame) uint64 { return (a(f) - b(f)) & m })
	case "*":
		return compute(func(f *frame) uint64 { return a(f) * b(f) & m })
	case "&":
		if x.slot >= 0 && y.con {
			slot, k := x.slot, y.val
			return compute(func(f *frame) uint64 { return f.w[slot] & k })
		}
		return compute(func(f *frame) uint64 { return a(f) & b(f) })
	case "|":
		return compute(func(f *frame) uint64 { return a(f) | b(f) })
	case "^":
		return compute(func(f *frame) uint64 { return a(f) ^ b(f) })
	case "/", "%":
		if signed {
			unsupported(at, "operator %s on signed numbers", op)
		}
		if !y.con {
			return divided(op, a, b)
		}
		k := y.val
		if k == 0 {
			invalid(at, "division by zero")
		}
		if op == "/" {
			return compute(func(f *frame) uint64 { return a(f) / k })
		}
		return compute(func(f *frame) uint64 { return a(f) % k })
	case "|+|", "|-|":
		return compute(saturating(op == "|-|", a, b, w, signed))
	}
	unsupported(at, "operator %s", op)
	return scalar{}
}

// divided divides by what is not known when the program is compiled. Division by zero gives 0, and the remainder then is x.
func divided(op syntax.Op, a, b func(*frame) uint64) scalar {
	if op == "/" {
		return compute(func(f *frame) uint64 {
			x, y := a(f), b(f)
			if y == 0 {
				return 0
			}
			return x / y
		})
	}
	return compute(func(f *frame) uint64 {
		x, y := a(f), b(f)
		if y == 0 {
			return x
		}
		return x % y
	})
}

func saturating(minus bool, a, b func(*frame) uint64, w int, signed bool) func(*frame) uint64 {
	m := mask64(w)
	if !signed {
		if minus {
			return func(f *frame) uint64 {
				x, y := a(f), b(f)
				if y > x {
					return 0
				}
				return x - y
			}
		}
		return func(f *frame) uint64 {
			sum, carry := bits.Add64(a(f), b(f), 0)
			if carry != 0 || sum > m {
				return m
			}
			return sum
		}
	}
	top := m >> 1 // the largest positive number
	return func(f *frame) uint64 {
		x, y := signExtend(a(f), w), signExtend(b(f), w)
		r := x + y
		over := (r < x) != (y < 0)
		if minus {
			r = x - y
			over = (r > x) != (y < 0)
		}
		switch {
		case over && x >= 0, !over && r > int64(top):
			return top
		case over, r < -int64(top)-1:
			return top + 1
		}
		return uint64(r) & m
	}
}

func (c *compiler) shift(x *syntax.Binary, w int, signed bool) scalar {
	return shifted(x.Op == "<<", c.scalar(x.X).fn, c.shiftCount(x.Y), w, signed)
}

func shifted(left bool, a, n func(*frame) uint64, w int, signed bool) scalar {
	m := mask64(w)
	switch {
	case left:
		return compute(func(f *frame) uint64 { return a(f) << n(f) & m })
	case signed:
		return compute(func(f *frame) uint64 { return uint64(signExtend(a(f), w)>>n(f)) & m })
	}
	return compute(func(f *frame) uint64 { return a(f) >> n(f) })
}

// shiftCount compiles the right operand of a shift: what does not fit 64 bits shifts everything out.
func (c *compiler) shiftCount(e syntax.Expr) func(*frame) uint64 {
	if n, ok := c.number(e); ok {
		if n.Sign() < 0 {
			invalid(e, "a negative shift count")
		}
		if !n.IsUint64() {
			return constant(^uint64(0)).fn
		}
		return constant(n.Uint64()).fn
	}
	if !c.isWide(e) {
		return c.scalar(e).fn
	}
	w := c.wide(e)
	slot, words := w.slot, bitWords(w.width)
	return func(f *frame) uint64 {
		if w.prep != nil {
			w.prep(f)
		}
		for _, v := range f.w[slot+1 : slot+words] {
			if v != 0 {
				return ^uint64(0)
			}
		}
		return f.w[slot]
	}
}

// convert casts a scalar that came from type from; a wide source has been cut to its low word, which is all that is left.
func (c *compiler) convert(at syntax.Node, s scalar, from, to types.Type) scalar {
	wf, signed, ok1 := widthOf(from)
	wt, _, ok2 := widthOf(to)
	if !ok2 || wt > 64 {
		unsupported(at, "a cast from %s to %s here", from, to)
	}
	if !ok1 { // an int constant
		if !s.con {
			unsupported(at, "a cast from %s to %s", from, to)
		}
		return constant(s.val & mask64(wt))
	}
	m := mask64(wt)
	switch {
	case s.con && (wt <= wf || !signed):
		return constant(s.val & m)
	case signed && wt > wf && wf <= 64:
		fn := s.fn
		return compute(func(f *frame) uint64 { return uint64(signExtend(fn(f), wf)) & m })
	case wt < wf:
		if s.slot >= 0 {
			slot := s.slot
			return compute(func(f *frame) uint64 { return f.w[slot] & m })
		}
		fn := s.fn
		return compute(func(f *frame) uint64 { return fn(f) & m })
	}
	return s
}
