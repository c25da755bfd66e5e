package smt

import (
	"fmt"
	"math/big"
)

// BV returns the literal v of w bits; v must fit.
func (b *Builder) BV(v uint64, w int) *Term { return b.BVBig(new(big.Int).SetUint64(v), w) }

// BVBig returns the literal v of w bits, 0 <= v < 2^w; v is copied.
func (b *Builder) BVBig(v *big.Int, w int) *Term {
	if v.Sign() < 0 || v.BitLen() > w {
		panic(fmt.Sprintf("smt: %s does not fit %d bits", v, w))
	}
	return b.bv(new(big.Int).Set(v), BV(w))
}

// bv returns the literal v modulo 2^width of sort s, and takes v over.
func (b *Builder) bv(v *big.Int, s Sort) *Term {
	return b.intern(Term{op: OpConst, sort: s, num: wrap(v, s.width)})
}

// wrap reduces v modulo 2^w in place.
func wrap(v *big.Int, w int) *big.Int {
	if v.Sign() >= 0 && v.BitLen() <= w {
		return v
	}
	return v.And(v, ones(w)) // And works on two's complement
}

func ones(w int) *big.Int {
	m := new(big.Int).Lsh(big.NewInt(1), uint(w))
	return m.Sub(m, big.NewInt(1))
}

// signed reads v of w bits as two's complement.
func signed(v *big.Int, w int) *big.Int {
	if v.Bit(w-1) == 0 {
		return v
	}
	return new(big.Int).Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(w)))
}

func isZero(t *Term) bool { return t.IsConst() && t.num.Sign() == 0 }
func isOnes(t *Term) bool { return t.IsConst() && t.num.Cmp(ones(t.sort.width)) == 0 }
func isOne(t *Term) bool  { return t.IsConst() && t.num.IsUint64() && t.num.Uint64() == 1 }

func (b *Builder) wantBV(op Op, x *Term, others ...*Term) {
	if !x.sort.IsBV() {
		panic(fmt.Sprintf("smt: %s: %s is no bit-vector: %s", opNames[op], x.sort, x))
	}
	b.want(op, x.sort, others...)
}

// binary makes op(x, y) of bit-vectors, folding literals; commutative operators have a canonical order, literals last.
func (b *Builder) binary(op Op, x, y *Term) *Term {
	if x.IsConst() && y.IsConst() {
		return b.bv(foldBV(op, x.num, y.num, x.sort.width), x.sort)
	}
	return b.intern(Term{op: op, sort: x.sort, args: []*Term{x, y}})
}

func ordered(x, y *Term) (*Term, *Term) {
	if x.IsConst() || !y.IsConst() && x.id > y.id {
		return y, x
	}
	return x, y
}

// BVAdd returns x + y modulo 2^width.
func (b *Builder) BVAdd(x, y *Term) *Term {
	b.wantBV(OpBVAdd, x, y)
	x, y = ordered(x, y)
	if isZero(y) {
		return x
	}
	return b.binary(OpBVAdd, x, y)
}

// BVSub returns x - y modulo 2^width.
func (b *Builder) BVSub(x, y *Term) *Term {
	b.wantBV(OpBVSub, x, y)
	switch {
	case isZero(y):
		return x
	case x == y:
		return b.bv(new(big.Int), x.sort)
	}
	return b.binary(OpBVSub, x, y)
}

// BVMul returns x · y modulo 2^width.
func (b *Builder) BVMul(x, y *Term) *Term {
	b.wantBV(OpBVMul, x, y)
	x, y = ordered(x, y)
	switch {
	case isZero(y):
		return y
	case isOne(y):
		return x
	}
	return b.binary(OpBVMul, x, y)
}

// BVUDiv returns the unsigned quotient; all ones if y is 0.
func (b *Builder) BVUDiv(x, y *Term) *Term {
	b.wantBV(OpBVUDiv, x, y)
	if isOne(y) {
		return x
	}
	return b.binary(OpBVUDiv, x, y)
}

// BVURem returns the unsigned remainder; x if y is 0.
func (b *Builder) BVURem(x, y *Term) *Term {
	b.wantBV(OpBVURem, x, y)
	if isZero(y) {
		return x
	}
	return b.binary(OpBVURem, x, y)
}

// BVAnd returns the bitwise conjunction.
func (b *Builder) BVAnd(x, y *Term) *Term {
	b.wantBV(OpBVAnd, x, y)
	x, y = ordered(x, y)
	switch {
	case x == y || isOnes(y):
		return x
	case isZero(y):
		return y
	}
	return b.binary(OpBVAnd, x, y)
}

// BVOr returns the bitwise disjunction.
func (b *Builder) BVOr(x, y *Term) *Term {
	b.wantBV(OpBVOr, x, y)
	x, y = ordered(x, y)
	switch {
	case x == y || isZero(y):
		return x
	case isOnes(y):
		return y
	}
	return b.binary(OpBVOr, x, y)
}

// BVXor returns the bitwise exclusive or.
func (b *Builder) BVXor(x, y *Term) *Term {
	b.wantBV(OpBVXor, x, y)
	x, y = ordered(x, y)
	switch {
	case isZero(y):
		return x
	case x == y:
		return b.bv(new(big.Int), x.sort)
	}
	return b.binary(OpBVXor, x, y)
}

// BVNot returns the bitwise complement.
func (b *Builder) BVNot(x *Term) *Term {
	b.wantBV(OpBVNot, x)
	switch {
	case x.IsConst():
		return b.bv(new(big.Int).Not(x.num), x.sort)
	case x.op == OpBVNot:
		return x.args[0]
	}
	return b.intern(Term{op: OpBVNot, sort: x.sort, args: []*Term{x}})
}

// BVNeg returns -x modulo 2^width.
func (b *Builder) BVNeg(x *Term) *Term {
	b.wantBV(OpBVNeg, x)
	switch {
	case x.IsConst():
		return b.bv(new(big.Int).Neg(x.num), x.sort)
	case x.op == OpBVNeg:
		return x.args[0]
	}
	return b.intern(Term{op: OpBVNeg, sort: x.sort, args: []*Term{x}})
}

// BVShl returns x shifted left by y bits; 0 if y is the width or more.
func (b *Builder) BVShl(x, y *Term) *Term { return b.shift(OpBVShl, x, y) }

// BVLshr returns x shifted right by y bits, filled with zeros.
func (b *Builder) BVLshr(x, y *Term) *Term { return b.shift(OpBVLshr, x, y) }

// BVAshr returns x shifted right by y bits, filled with the sign bit.
func (b *Builder) BVAshr(x, y *Term) *Term { return b.shift(OpBVAshr, x, y) }

func (b *Builder) shift(op Op, x, y *Term) *Term {
	b.wantBV(op, x, y)
	if isZero(y) || isZero(x) {
		return x
	}
	return b.binary(op, x, y)
}

// BVUlt returns x < y, unsigned.
func (b *Builder) BVUlt(x, y *Term) *Term {
	if isZero(y) {
		b.wantBV(OpBVUlt, x, y)
		return b.no
	}
	return b.compareBV(OpBVUlt, x, y)
}

// BVUle returns x <= y, unsigned.
func (b *Builder) BVUle(x, y *Term) *Term {
	if isZero(x) {
		b.wantBV(OpBVUle, x, y)
		return b.yes
	}
	return b.compareBV(OpBVUle, x, y)
}

// BVSlt returns x < y in two's complement.
func (b *Builder) BVSlt(x, y *Term) *Term { return b.compareBV(OpBVSlt, x, y) }

// BVSle returns x <= y in two's complement.
func (b *Builder) BVSle(x, y *Term) *Term { return b.compareBV(OpBVSle, x, y) }

func (b *Builder) compareBV(op Op, x, y *Term) *Term {
	b.wantBV(op, x, y)
	if x == y {
		return b.Bool(op == OpBVUle || op == OpBVSle)
	}
	if x.IsConst() && y.IsConst() {
		return b.Bool(holdsBV(op, x.num, y.num, x.sort.width))
	}
	return b.intern(Term{op: op, sort: Bool, args: []*Term{x, y}})
}

// Concat returns the bits of hi followed by those of lo.
func (b *Builder) Concat(hi, lo *Term) *Term {
	b.wantBV(OpConcat, hi)
	b.wantBV(OpConcat, lo)
	s := BV(hi.sort.width + lo.sort.width)
	if hi.IsConst() && lo.IsConst() {
		v := new(big.Int).Lsh(hi.num, uint(lo.sort.width))
		return b.bv(v.Or(v, lo.num), s)
	}
	if hi.op == OpExtract && lo.op == OpExtract && hi.args[0] == lo.args[0] && hi.j == lo.i+1 {
		return b.Extract(hi.args[0], hi.i, lo.j)
	}
	return b.intern(Term{op: OpConcat, sort: s, args: []*Term{hi, lo}})
}

// Extract returns bits hi down to lo of x; bit 0 is the least significant.
func (b *Builder) Extract(x *Term, hi, lo int) *Term {
	if !x.sort.IsBV() || lo < 0 || hi < lo || hi >= x.sort.width {
		panic(fmt.Sprintf("smt: extract bits %d to %d of %s: %s", hi, lo, x.sort, x))
	}
	s := BV(hi - lo + 1)
	if s == x.sort {
		return x
	}
	switch x.op {
	case OpConst:
		return b.bv(new(big.Int).Rsh(x.num, uint(lo)), s)
	case OpExtract:
		return b.Extract(x.args[0], x.j+hi, x.j+lo)
	case OpConcat:
		w := x.args[1].sort.width
		if hi < w {
			return b.Extract(x.args[1], hi, lo)
		}
		if lo >= w {
			return b.Extract(x.args[0], hi-w, lo-w)
		}
	case OpZeroExt:
		w := x.args[0].sort.width
		if hi < w {
			return b.Extract(x.args[0], hi, lo)
		}
		if lo >= w {
			return b.bv(new(big.Int), s)
		}
	case OpSignExt:
		if hi < x.args[0].sort.width {
			return b.Extract(x.args[0], hi, lo)
		}
	}
	return b.intern(Term{op: OpExtract, sort: s, i: hi, j: lo, args: []*Term{x}})
}

// ZeroExt returns x with n zero bits before it.
func (b *Builder) ZeroExt(x *Term, n int) *Term {
	s, done := b.extended("zero_extend", x, n)
	switch {
	case done:
		return x
	case x.IsConst():
		return b.bv(new(big.Int).Set(x.num), s)
	case x.op == OpZeroExt:
		return b.ZeroExt(x.args[0], x.i+n)
	}
	return b.intern(Term{op: OpZeroExt, sort: s, i: n, args: []*Term{x}})
}

// SignExt returns x with n copies of its sign bit before it.
func (b *Builder) SignExt(x *Term, n int) *Term {
	s, done := b.extended("sign_extend", x, n)
	switch {
	case done:
		return x
	case x.IsConst():
		return b.bv(new(big.Int).Set(signed(x.num, x.sort.width)), s)
	}
	return b.intern(Term{op: OpSignExt, sort: s, i: n, args: []*Term{x}})
}

func (b *Builder) extended(op string, x *Term, n int) (s Sort, done bool) {
	if !x.sort.IsBV() || n < 0 {
		panic(fmt.Sprintf("smt: %s of %s by %d bits: %s", op, x.sort, n, x))
	}
	return BV(x.sort.width + n), n == 0
}

// foldBV computes op on values of w bits; the result may need to be wrapped.
func foldBV(op Op, x, y *big.Int, w int) *big.Int {
	r := new(big.Int)
	switch op {
	case OpBVAdd:
		return r.Add(x, y)
	case OpBVSub:
		return r.Sub(x, y)
	case OpBVMul:
		return r.Mul(x, y)
	case OpBVUDiv:
		if y.Sign() == 0 {
			return ones(w)
		}
		return r.Quo(x, y)
	case OpBVURem:
		if y.Sign() == 0 {
			return r.Set(x)
		}
		return r.Rem(x, y)
	case OpBVAnd:
		return r.And(x, y)
	case OpBVOr:
		return r.Or(x, y)
	case OpBVXor:
		return r.Xor(x, y)
	case OpBVShl:
		if y.Cmp(big.NewInt(int64(w))) >= 0 {
			return r
		}
		return r.Lsh(x, uint(y.Uint64()))
	case OpBVLshr:
		if y.Cmp(big.NewInt(int64(w))) >= 0 {
			return r
		}
		return r.Rsh(x, uint(y.Uint64()))
	case OpBVAshr:
		n := uint(w)
		if y.Cmp(big.NewInt(int64(w))) < 0 {
			n = uint(y.Uint64())
		}
		return r.Rsh(signed(x, w), n) // Rsh rounds down: an arithmetic shift
	}
	panic("smt: no bit-vector operation: " + opNames[op])
}

// holdsBV compares values of w bits.
func holdsBV(op Op, x, y *big.Int, w int) bool {
	switch op {
	case OpBVUlt:
		return x.Cmp(y) < 0
	case OpBVUle:
		return x.Cmp(y) <= 0
	case OpBVSlt:
		return signed(x, w).Cmp(signed(y, w)) < 0
	default:
		return signed(x, w).Cmp(signed(y, w)) <= 0
	}
}
