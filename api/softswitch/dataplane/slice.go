package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
)

// A slicing is a run of bits of a place that is assigned to: x[hi:lo], x[lo +: n], or a slice of one.
type slicing struct {
	prep step  // to be run first
	dst  place // what the bits are of
	lo   int   // the lowest bit
	n    int   // how many
	from int   // slot of what is added to lo, or -1; then bits past the end are not written
}

// unparen takes parentheses away.
func unparen(e syntax.Expr) syntax.Expr {
	for {
		p, ok := e.(*syntax.Paren)
		if !ok {
			return e
		}
		e = p.X
	}
}

// isSlice tells slices from other l-values.
func isSlice(e syntax.Expr) bool {
	switch unparen(e).(type) {
	case *syntax.Slice, *syntax.PlusSlice:
		return true
	}
	return false
}

// slicing finds the bits that an l-value means. What is computed for it is computed once, by prep.
func (c *compiler) slicing(e syntax.Expr) slicing {
	switch x := unparen(e).(type) {
	case *syntax.Slice:
		hi, lo := c.sliceBounds(x)
		s := c.slicing(x.X)
		if s.from >= 0 {
			unsupported(x, "assigning to a slice of a slice at a computed place")
		}
		s.lo, s.n = s.lo+lo, hi-lo+1
		return s
	case *syntax.PlusSlice:
		s := c.slicing(x.X)
		n := c.sliceWidth(x)
		if lo, ok := c.constInt(x.Lo); ok {
			s.lo, s.n = s.lo+int(lo), n
			return s
		}
		if s.from >= 0 || isSlice(x.X) {
			unsupported(x, "assigning to a slice of a slice at a computed place")
		}
		slot := c.alloc(1)
		s.prep = sequence(s.prep, storeScalar(place{slot: slot}, c.shiftCount(x.Lo)))
		s.n, s.from = n, slot
		return s
	}
	prep, dst := c.placeOf(e)
	pin, dst := c.pinned(dst)
	w, _, ok := widthOf(dst.typ)
	if !ok {
		unsupported(e, "a slice of a %s", dst.typ)
	}
	return slicing{prep: sequence(prep, pin), dst: dst, n: w, from: -1}
}

// sliceWidth is how many bits x[lo +: n] has.
func (c *compiler) sliceWidth(x *syntax.PlusSlice) int {
	n, ok := c.constInt(x.Width)
	if !ok || n < 1 {
		invalid(x, "the width of a slice must be a constant above 0")
	}
	return int(n)
}

// write compiles the assignment of the value at src.
func (s slicing) write(src place) step {
	w, _, _ := widthOf(s.dst.typ)
	words, from, dst, lo, n := bitWords(w), bitWords(s.n), s.dst, s.lo, s.n
	if s.from >= 0 {
		slot := s.from
		return native(func(f *frame) flow {
			if at := f.w[slot]; at < uint64(w) {
				d, v := dst.at(f), src.at(f)
				wideMove(f.w[d:d+words], int(at), f.w[v:v+from], 0, min(n, w-int(at)))
			}
			return next
		})
	}
	return native(func(f *frame) flow {
		d, v := dst.at(f), src.at(f)
		wideMove(f.w[d:d+words], lo, f.w[v:v+from], 0, n)
		return next
	})
}

// assignSlice compiles lhs = rhs.
func (c *compiler) assignSlice(lhs, rhs syntax.Expr) step {
	s := c.slicing(lhs)
	if s.n > 64 || s.from >= 0 {
		v := c.wide(rhs)
		tmp := place{slot: c.alloc(bitWords(s.n))} // the source may be the very value that is written
		return sequence(s.prep, v.prep, copyWords(tmp, place{slot: v.slot}, bitWords(s.n)), s.write(tmp))
	}
	v := c.scalar(rhs)
	w, _, _ := widthOf(s.dst.typ)
	words, dst, lo, n := bitWords(w), s.dst, s.lo, s.n
	if words == 1 && dst.dyn == nil {
		v = c.held(v)
		return sequence(s.prep, v.code, step{{op: opInsert, d: uint32(dst.slot), a: uint32(v.slot), b: uint32(lo), k: mask64(n) << lo}})
	}
	fn := v.fn()
	return sequence(s.prep, native(func(f *frame) flow {
		x := fn(f)
		d := dst.at(f)
		wideInsert(f.w[d:d+words], lo, n, x)
		return next
	}))
}

// plusSlice reads x[lo +: n] of at most 64 bits; bits past the end are zero.
func (c *compiler) plusSlice(x *syntax.PlusSlice) scalar {
	n := c.sliceWidth(x)
	if !c.isWide(x.X) {
		v := c.scalar(x.X)
		return c.instructionK(instr{op: opAndK}, c.instruction(instr{op: opShr}, v, c.shiftCount(x.Lo)), mask64(n))
	}
	w := c.wide(x.X)
	slot, words, width := w.slot, bitWords(w.width), uint64(w.width)
	from := c.shiftCount(x.Lo).fn()
	return c.compute(w.prep, func(f *frame) uint64 { return wideExtract(f.w[slot:slot+words], int(min(from(f), width)), n) })
}

// widePlusSlice reads x[lo +: n] of more than 64 bits.
func (c *compiler) widePlusSlice(x *syntax.PlusSlice, width int) wideValue {
	v, lo := c.wide(x.X), c.shiftCount(x.Lo).fn()
	n, from, slot := bitWords(width), bitWords(v.width), c.alloc(bitWords(width))
	return wideValue{sequence(v.prep, native(func(f *frame) flow {
		d, at := f.w[slot:slot+n], lo(f)
		clear(d)
		if at < uint64(v.width) {
			wideMove(d, 0, f.w[v.slot:v.slot+from], int(at), min(width, v.width-int(at)))
		}
		return next
	})), slot, width}
}
