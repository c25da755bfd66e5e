package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// A wideValue is a compiled expression of more than 64 bits: after prep (nil if nothing is to be done) it lies at slot.
type wideValue struct {
	prep  step
	slot  int
	width int
}

// wide compiles a scalar of any width into words, after implicit conversion.
func (c *compiler) wide(e syntax.Expr) wideValue {
	c.count(e)
	to := c.finalType(e)
	w, _, ok := widthOf(to)
	if !ok {
		unsupported(e, "a %s here", to)
	}
	if n, ok := c.number(e); ok {
		return c.wideConst(bigWords(n, bitWords(w)), w)
	}
	if c.info.Implicit[e] != nil {
		return c.widen(e, c.widePlain(e, c.typeOf(e)), c.typeOf(e), to)
	}
	return c.widePlain(e, to)
}

func (c *compiler) wideConst(words []uint64, width int) wideValue {
	slot := c.alloc(len(words))
	return wideValue{storeWords(place{slot: slot}, words), slot, width}
}

// widePlain compiles e at its own type, which may have 64 bits or less.
func (c *compiler) widePlain(e syntax.Expr, t types.Type) wideValue {
	w, signed, ok := widthOf(t)
	if !ok {
		unsupported(e, "a %s here", t)
	}
	if w <= 64 {
		slot := c.alloc(1)
		return wideValue{storeScalar(place{slot: slot}, c.scalarPlain(e)), slot, w}
	}
	n := bitWords(w)
	switch x := e.(type) {
	case *syntax.Paren:
		return c.wide(x.X)
	case *syntax.Call:
		p := c.temp(e, t)
		return wideValue{c.storeCall(p, x), p.slot, w}
	case *syntax.Name, *syntax.Member, *syntax.Index:
		if !addressable(e) {
			unsupported(e, "this expression on more than 64 bits")
		}
		prep, p := c.placeOf(e)
		if p.dyn == nil {
			return wideValue{prep, p.slot, w}
		}
		slot := c.alloc(n)
		return wideValue{sequence(prep, copyWords(place{slot: slot}, p, n)), slot, w}
	case *syntax.Slice:
		hi, lo := c.sliceBounds(x)
		v := c.wide(x.X)
		slot, from := c.alloc(n), bitWords(v.width)
		return wideValue{sequence(v.prep, native(func(f *frame) flow {
			d := f.w[slot : slot+n]
			clear(d)
			wideMove(d, 0, f.w[v.slot:v.slot+from], lo, hi-lo+1)
			return next
		})), slot, w}
	case *syntax.PlusSlice:
		return c.widePlusSlice(x, w)
	case *syntax.Cond:
		cond, a, b, slot := c.cond(x.C), c.wide(x.X), c.wide(x.Y), c.alloc(n)
		pick := func(v wideValue) step { return sequence(v.prep, copyWords(place{slot: slot}, place{slot: v.slot}, n)) }
		return wideValue{choose(cond, pick(a), pick(b)), slot, w}
	case *syntax.Cast:
		return c.widen(x, c.wide(x.X), c.finalType(x.X), t)
	case *syntax.Unary:
		return c.wideUnary(x, w)
	case *syntax.Binary:
		return c.wideBinary(x, w, signed)
	}
	unsupported(e, "this expression on more than 64 bits")
	return wideValue{}
}

// widen casts v from one width to a larger or smaller one.
func (c *compiler) widen(at syntax.Node, v wideValue, from, to types.Type) wideValue {
	w, _, ok := widthOf(to)
	_, signed, ok2 := widthOf(from)
	if !ok || !ok2 {
		unsupported(at, "a cast from %s to %s", from, to)
	}
	if w == v.width {
		return v
	}
	slot, n, m := c.alloc(bitWords(w)), bitWords(w), bitWords(v.width)
	return wideValue{sequence(v.prep, native(func(f *frame) flow {
		d, s := f.w[slot:slot+n], f.w[v.slot:v.slot+m]
		clear(d)
		copy(d, s)
		if w < v.width {
			wideTrim(d, w)
		} else if signed && wideNegative(s, v.width) {
			wideOnes(d, v.width, w-v.width)
		}
		return next
	})), slot, w}
}

func (c *compiler) wideUnary(x *syntax.Unary, w int) wideValue {
	v, n, slot := c.wide(x.X), bitWords(w), c.alloc(bitWords(w))
	switch x.Op {
	case "+":
		return v
	case "~", "-":
		minus := x.Op == "-"
		return wideValue{sequence(v.prep, native(func(f *frame) flow {
			d, carry := f.w[slot:slot+n], minus
			for i := range d {
				d[i] = ^f.w[v.slot+i]
				if carry {
					d[i]++
					carry = d[i] == 0
				}
			}
			wideTrim(d, w)
			return next
		})), slot, w}
	}
	unsupported(x, "operator %s on more than 64 bits", x.Op)
	return wideValue{}
}

func (c *compiler) wideBinary(x *syntax.Binary, w int, signed bool) wideValue {
	if x.Op == "<<" || x.Op == ">>" {
		return c.wideShift(x.Op == "<<", c.wide(x.X), c.shiftCount(x.Y).fn(), w, signed)
	}
	n, slot := bitWords(w), c.alloc(bitWords(w))
	a, b := c.wide(x.X), c.wide(x.Y)
	if x.Op == "++" {
		na, nb := bitWords(a.width), bitWords(b.width)
		return wideValue{sequence(a.prep, b.prep, native(func(f *frame) flow {
			d := f.w[slot : slot+n]
			clear(d)
			copy(d, f.w[b.slot:b.slot+nb])
			wideMove(d, b.width, f.w[a.slot:a.slot+na], 0, a.width)
			return next
		})), slot, w}
	}
	return c.wideArithmetic(x, x.Op, a, b, w, signed)
}

func (c *compiler) wideShift(left bool, v wideValue, count func(*frame) uint64, w int, signed bool) wideValue {
	n, slot := bitWords(w), c.alloc(bitWords(w))
	return wideValue{sequence(v.prep, native(func(f *frame) flow {
		d, s := f.w[slot:slot+n], f.w[v.slot:v.slot+n]
		if left {
			wideShl(d, s, count(f), w)
		} else {
			wideShr(d, s, count(f), w, signed && wideNegative(s, w))
		}
		return next
	})), slot, w}
}

// wideArithmetic compiles an operator whose operands and result have the same type.
func (c *compiler) wideArithmetic(at syntax.Node, o syntax.Op, a, b wideValue, w int, signed bool) wideValue {
	n, slot := bitWords(w), c.alloc(bitWords(w))
	op := wideOp(at, o, w, signed)
	return wideValue{sequence(a.prep, b.prep, native(func(f *frame) flow {
		op(f.w[slot:slot+n], f.w[a.slot:a.slot+n], f.w[b.slot:b.slot+n])
		return next
	})), slot, w}
}

func wideOp(at syntax.Node, op syntax.Op, w int, signed bool) func(d, a, b []uint64) {
	switch op {
	case "|+|", "|-|":
		return func(d, a, b []uint64) { wideSaturate(d, a, b, w, signed, op == "|-|") }
	case "+":
		return func(d, a, b []uint64) { wideAdd(d, a, b, w) }
	case "-":
		return func(d, a, b []uint64) { wideSub(d, a, b, w) }
	case "*":
		return func(d, a, b []uint64) { wideMul(d, a, b, w) }
	case "&":
		return func(d, a, b []uint64) {
			for i := range d {
				d[i] = a[i] & b[i]
			}
		}
	case "|":
		return func(d, a, b []uint64) {
			for i := range d {
				d[i] = a[i] | b[i]
			}
		}
	case "^":
		return func(d, a, b []uint64) {
			for i := range d {
				d[i] = a[i] ^ b[i]
			}
		}
	}
	unsupported(at, "operator %s on more than 64 bits", op)
	return nil
}
