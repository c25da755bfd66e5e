package dataplane

import (
	"math/bits"
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// A scalar is a compiled expression of at most 64 bits: a known value, or, after code has run, what is in a slot. Code does not
// leave the normal flow.
type scalar struct {
	con   bool
	val   uint64
	code  step
	slot  int
	fresh bool // the slot is written by the last instruction of code, and by nothing else
}

func constant(v uint64) scalar { return scalar{con: true, val: v} }

func loadSlot(slot int) scalar { return scalar{slot: slot} }

// scratchWords is how many words at the start of a frame hold what a statement computes on its way. They are used again by the
// next one. What does not fit has words of its own.
const scratchWords = 64

// scratch is a word for the statement that is being compiled.
func (c *compiler) scratch() int {
	if c.scratched < scratchWords {
		c.scratched++
		return c.scratched - 1
	}
	return c.alloc(1)
}

// yield is the value of an instruction after prep.
func (c *compiler) yield(prep step, in instr) scalar {
	in.d = uint32(c.scratch())
	return scalar{code: append(slices.Clip(prep), in), slot: int(in.d), fresh: true}
}

// compute is the value of a closure after prep.
func (c *compiler) compute(prep step, fn func(*frame) uint64) scalar {
	d := c.scratch()
	return scalar{code: sequence(prep, native(func(f *frame) flow { f.w[d] = fn(f); return next })), slot: d}
}

// held is the scalar in a slot, whatever it is.
func (c *compiler) held(s scalar) scalar {
	if s.con {
		return c.yield(nil, instr{op: opSet, k: s.val})
	}
	return s
}

// last tells whether the value is that of such an instruction.
func (s scalar) last(o op) bool { return s.fresh && s.code[len(s.code)-1].op == o }

// fn is the scalar as a closure.
func (s scalar) fn() func(*frame) uint64 {
	code, slot, v := s.code, s.slot, s.val
	switch {
	case s.con:
		return func(*frame) uint64 { return v }
	case code == nil:
		return func(f *frame) uint64 { return f.w[slot] }
	}
	return func(f *frame) uint64 {
		code.run(f)
		return f.w[slot]
	}
}

// settled joins the code of scalars that are wanted in slots at the same time. What is a variable is kept, if a later one may
// change it: in a word of its own, since the statements of a function take the scratch words from where they were left.
func (c *compiler) settled(xs ...*scalar) (prep step) {
	for i, x := range xs {
		if x.con {
			continue
		}
		prep = sequence(prep, x.code)
		if !x.fresh && slices.ContainsFunc(xs[i+1:], func(y *scalar) bool { return y.code.changes() }) {
			kept := c.alloc(1)
			prep = append(prep, instr{op: opMove, d: uint32(kept), a: uint32(x.slot)})
			x.slot = kept
		}
		x.code, x.fresh = nil, false
	}
	for _, x := range xs {
		if x.con {
			*x = c.held(*x)
			prep = sequence(prep, x.code)
			x.code, x.fresh = nil, false
		}
	}
	return prep
}

// changes tells whether the step may write anything but scratch words.
func (s step) changes() bool {
	return slices.ContainsFunc(s, func(in instr) bool {
		w := in.writes()
		return in.op == opCall || w.from < w.to && w.to > scratchWords
	})
}

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
		return c.load(p)
	case *syntax.Member:
		return c.memberScalar(x)
	case *syntax.Index:
		prep, p := c.place(x)
		return c.after(prep, c.load(p))
	case *syntax.Slice:
		return c.sliceScalar(x)
	case *syntax.PlusSlice:
		return c.plusSlice(x)
	case *syntax.Unary:
		return c.unary(x)
	case *syntax.Binary:
		return c.binary(x)
	case *syntax.Cond:
		d := place{slot: c.scratch()}
		return scalar{code: choose(c.cond(x.C), storeScalar(d, c.scalar(x.X)), storeScalar(d, c.scalar(x.Y))), slot: d.slot}
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
func (c *compiler) after(prep step, s scalar) scalar {
	if prep == nil {
		return s
	}
	s = c.held(s)
	s.code = sequence(prep, s.code)
	return s
}

func (c *compiler) memberScalar(x *syntax.Member) scalar {
	if prep, p, ok := c.memberPlace(x); ok {
		return c.after(prep, c.load(p))
	}
	switch t := under(c.typeOf(x.X)).(type) {
	case *types.Stack:
		if x.Sel.Name == "lastIndex" {
			prep, p := c.place(x.X)
			return c.compute(prep, func(f *frame) uint64 { return (f.w[p.at(f)] - 1) & mask64(32) })
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
			return c.compute(nil, func(f *frame) uint64 {
				if r := apply.run(f); r == exits || r == fails {
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
	return c.after(w.prep, loadSlot(w.slot))
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
		return c.compute(w.prep, func(f *frame) uint64 { return wideExtract(f.w[slot:slot+words], lo, n) })
	}
	return c.bits(c.scalar(x.X), lo, n)
}

// bits is the n bits of v from bit lo.
func (c *compiler) bits(v scalar, lo, n int) scalar {
	if v.con {
		return constant(v.val >> lo & mask64(n))
	}
	return c.yield(v.code, instr{op: opBits, a: uint32(v.slot), b: uint32(lo), k: mask64(n)})
}

func (c *compiler) unary(x *syntax.Unary) scalar {
	if x.Op == "!" {
		if _, ok := unparen(x.X).(*syntax.Binary); ok {
			return c.truth(c.cond(x.X).not())
		}
		return c.arithmetic(x, "^", c.scalar(x.X), constant(1), 1, false)
	}
	w, _, _ := widthOf(c.typeOf(x))
	v, m := c.scalar(x.X), mask64(w)
	switch x.Op {
	case "~":
		switch {
		case v.con:
			return constant(^v.val & m)
		case v.last(opBits) && v.code[len(v.code)-1].k == m:
			code := slices.Clone(v.code)
			code[len(code)-1].op = opNotBits
			return scalar{code: code, slot: v.slot, fresh: true}
		}
		return c.yield(v.code, instr{op: opXorK, a: uint32(v.slot), k: m})
	case "-":
		return c.arithmetic(x, "-", constant(0), v, w, false)
	case "+":
		return v
	}
	unsupported(x, "operator %s", x.Op)
	return scalar{}
}

// truth is 1 if t is true and 0 if not.
func (c *compiler) truth(t test) scalar {
	d := place{slot: c.scratch()}
	return scalar{code: choose(t, storeScalar(d, constant(1)), storeScalar(d, constant(0))), slot: d.slot}
}

func (c *compiler) binary(x *syntax.Binary) scalar {
	if isCondition(x.Op) {
		return c.truth(c.cond(x))
	}
	w, signed, ok := widthOf(c.typeOf(x))
	if !ok {
		unsupported(x, "operator %s on a %s", x.Op, c.typeOf(x))
	}
	switch x.Op {
	case "<<", ">>":
		return c.shifted(x.Op == "<<", c.scalar(x.X), c.shiftCount(x.Y), w, signed)
	case "++":
		wy, _, _ := widthOf(c.finalType(x.Y))
		a, b := c.scalar(x.X), c.scalar(x.Y)
		switch {
		case a.con && b.con:
			return constant(a.val<<wy | b.val)
		case a.con && a.val == 0:
			return b
		}
		return c.instruction(instr{op: opCat, k: uint64(wy)}, a, b)
	}
	return c.arithmetic(x, x.Op, c.scalar(x.X), c.scalar(x.Y), w, signed)
}

// instruction is the value of an instruction on two operands.
func (c *compiler) instruction(in instr, x, y scalar) scalar {
	prep := c.settled(&x, &y)
	in.a, in.b = uint32(x.slot), uint32(y.slot)
	return c.yield(prep, in)
}

// instructionK is the value of an instruction on one operand and a constant.
func (c *compiler) instructionK(in instr, x scalar, k uint64) scalar {
	in.a, in.k = uint32(x.slot), k
	return c.yield(x.code, in)
}

// arithmetic compiles an operator whose operands and result have the same type.
func (c *compiler) arithmetic(at syntax.Node, o syntax.Op, x, y scalar, w int, signed bool) scalar {
	m := mask64(w)
	if w == 0 {
		return constant(0)
	}
	if x.con && !y.con && (o == "+" || o == "*" || o == "&" || o == "|" || o == "^") {
		x, y = y, x
	}
	switch o {
	case "+":
		if y.con {
			return c.instructionK(instr{op: opAddK, b: uint32(64 - w)}, c.held(x), y.val)
		}
		if (x.last(opBits) || x.last(opNotBits)) && !x.code.changes() && !y.code.changes() {
			x, y = y, x
		}
		if y.last(opBits) || y.last(opNotBits) { // one instruction less
			last := y.code[len(y.code)-1]
			in := instr{op: opAddBits, s: uint8(last.b), k: last.k, n: uint8(64 - w)}
			if last.op == opNotBits {
				in.op = opAddNotBits
			}
			return c.instruction(in, x, scalar{code: y.code[:len(y.code)-1], slot: int(last.a)})
		}
		return c.instruction(instr{op: opAdd, k: m}, x, y)
	case "-":
		if y.con {
			return c.instructionK(instr{op: opAddK, b: uint32(64 - w)}, c.held(x), -y.val)
		}
		return c.instruction(instr{op: opSub, k: m}, x, y)
	case "*":
		return c.instruction(instr{op: opMul, k: m}, x, y)
	case "&":
		if y.con {
			return c.instructionK(instr{op: opAndK}, c.held(x), y.val)
		}
		return c.instruction(instr{op: opAnd}, x, y)
	case "|":
		if y.con {
			return c.instructionK(instr{op: opOrK}, c.held(x), y.val)
		}
		return c.instruction(instr{op: opOr}, x, y)
	case "^":
		if y.con {
			return c.instructionK(instr{op: opXorK}, c.held(x), y.val)
		}
		return c.instruction(instr{op: opXor}, x, y)
	case "/", "%":
		if signed {
			unsupported(at, "operator %s on signed numbers", o)
		}
		if y.con && y.val == 0 {
			invalid(at, "division by zero")
		}
		return c.function(x, y, divided(o))
	case "|+|", "|-|":
		return c.function(x, y, saturating(o == "|-|", w, signed))
	}
	unsupported(at, "operator %s", o)
	return scalar{}
}

// function is the value of a function of two operands.
func (c *compiler) function(x, y scalar, fn func(x, y uint64) uint64) scalar {
	prep := c.settled(&x, &y)
	return c.compute(prep, func(f *frame) uint64 { return fn(f.w[x.slot], f.w[y.slot]) })
}

// divided divides. Division by zero gives 0, and the remainder then is x.
func divided(o syntax.Op) func(x, y uint64) uint64 {
	if o == "/" {
		return func(x, y uint64) uint64 {
			if y == 0 {
				return 0
			}
			return x / y
		}
	}
	return func(x, y uint64) uint64 {
		if y == 0 {
			return x
		}
		return x % y
	}
}

func saturating(minus bool, w int, signed bool) func(x, y uint64) uint64 {
	m := mask64(w)
	if !signed {
		if minus {
			return func(x, y uint64) uint64 {
				if y > x {
					return 0
				}
				return x - y
			}
		}
		return func(x, y uint64) uint64 {
			sum, carry := bits.Add64(x, y, 0)
			if carry != 0 || sum > m {
				return m
			}
			return sum
		}
	}
	top := m >> 1 // the largest positive number
	return func(a, b uint64) uint64 {
		x, y := signExtend(a, w), signExtend(b, w)
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

// shifted shifts v of w bits by n.
func (c *compiler) shifted(left bool, v, n scalar, w int, signed bool) scalar {
	m := mask64(w)
	switch {
	case n.con && n.val >= 64 && (left || !signed):
		return c.after(v.code, constant(0))
	case left && n.con:
		return c.instructionK(instr{op: opShlK, b: uint32(n.val)}, c.held(v), m)
	case left:
		return c.instruction(instr{op: opShl, k: m}, v, n)
	case signed:
		return c.instruction(instr{op: opSar, k: uint64(w)}, v, n)
	case n.con:
		return c.instructionK(instr{op: opBits, b: uint32(n.val)}, c.held(v), m)
	}
	return c.instruction(instr{op: opShr}, v, n)
}

// shiftCount compiles the right operand of a shift: what does not fit 64 bits shifts everything out.
func (c *compiler) shiftCount(e syntax.Expr) scalar {
	if n, ok := c.number(e); ok {
		if n.Sign() < 0 {
			invalid(e, "a negative shift count")
		}
		if !n.IsUint64() {
			return constant(^uint64(0))
		}
		return constant(n.Uint64())
	}
	if !c.isWide(e) {
		return c.scalar(e)
	}
	w := c.wide(e)
	slot, words := w.slot, bitWords(w.width)
	return c.compute(w.prep, func(f *frame) uint64 {
		for _, v := range f.w[slot+1 : slot+words] {
			if v != 0 {
				return ^uint64(0)
			}
		}
		return f.w[slot]
	})
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
		return c.instructionK(instr{op: opExtend, b: uint32(wf)}, c.held(s), m)
	case wt < wf:
		return c.instructionK(instr{op: opAndK}, s, m)
	}
	return s
}
