package smt

import "math/big"

// Int returns the integer literal v.
func (b *Builder) Int(v int64) *Term { return b.IntBig(big.NewInt(v)) }

// IntBig returns the integer literal v, which is copied.
func (b *Builder) IntBig(v *big.Int) *Term {
	return b.intern(Term{op: OpConst, sort: Int, num: new(big.Int).Set(v)})
}

// Add returns the sum; of nothing it is 0. Literals are added up and come last.
func (b *Builder) Add(args ...*Term) *Term {
	b.want(OpAdd, Int, args...)
	n := len(args)
	for _, a := range args {
		if a.op == OpAdd {
			n += len(a.args) - 1
		}
	}
	sum := new(big.Int)
	flat := make([]*Term, 0, n)
	add := func(a *Term) {
		if a.IsConst() {
			sum.Add(sum, a.num)
		} else {
			flat = append(flat, a)
		}
	}
	for _, a := range args {
		if a.op == OpAdd && n <= flattenLimit {
			for _, c := range a.args {
				add(c)
			}
		} else {
			add(a)
		}
	}
	if len(flat) == 0 {
		return b.IntBig(sum)
	}
	if sum.Sign() != 0 {
		flat = append(flat, b.IntBig(sum))
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return b.intern(Term{op: OpAdd, sort: Int, args: flat})
}

// Sub returns x - y.
func (b *Builder) Sub(x, y *Term) *Term {
	b.want(OpSub, Int, x, y)
	switch {
	case x == y:
		return b.Int(0)
	case y.IsConst():
		return b.Add(x, b.IntBig(new(big.Int).Neg(y.num)))
	}
	return b.intern(Term{op: OpSub, sort: Int, args: []*Term{x, y}})
}

// Mul returns x · y. In linear logics one of them has to be a literal.
func (b *Builder) Mul(x, y *Term) *Term {
	b.want(OpMul, Int, x, y)
	if y.IsConst() {
		x, y = y, x
	}
	if x.IsConst() {
		switch {
		case y.IsConst():
			return b.IntBig(new(big.Int).Mul(x.num, y.num))
		case x.num.Sign() == 0:
			return x
		case x.num.IsInt64() && x.num.Int64() == 1:
			return y
		}
	} else if x.id > y.id {
		x, y = y, x
	}
	return b.intern(Term{op: OpMul, sort: Int, args: []*Term{x, y}})
}

// Neg returns -x.
func (b *Builder) Neg(x *Term) *Term {
	b.want(OpNeg, Int, x)
	switch {
	case x.IsConst():
		return b.IntBig(new(big.Int).Neg(x.num))
	case x.op == OpNeg:
		return x.args[0]
	}
	return b.intern(Term{op: OpNeg, sort: Int, args: []*Term{x}})
}

// Le returns x <= y.
func (b *Builder) Le(x, y *Term) *Term { return b.compareInt(OpLe, x, y) }

// Lt returns x < y.
func (b *Builder) Lt(x, y *Term) *Term { return b.compareInt(OpLt, x, y) }

// Ge returns x >= y.
func (b *Builder) Ge(x, y *Term) *Term { return b.Le(y, x) }

// Gt returns x > y.
func (b *Builder) Gt(x, y *Term) *Term { return b.Lt(y, x) }

func (b *Builder) compareInt(op Op, x, y *Term) *Term {
	b.want(op, Int, x, y)
	if x == y {
		return b.Bool(op == OpLe)
	}
	if x.IsConst() && y.IsConst() {
		c := x.num.Cmp(y.num)
		return b.Bool(c < 0 || c == 0 && op == OpLe)
	}
	return b.intern(Term{op: op, sort: Bool, args: []*Term{x, y}})
}

// Div returns the quotient of SMT-LIB's div: x = y·div + mod with 0 <= mod < |y|. What division by zero yields is up to the
// solver, and Eval does not define it.
func (b *Builder) Div(x, y *Term) *Term { return b.divide(OpDiv, x, y) }

// Mod returns the remainder that belongs to Div.
func (b *Builder) Mod(x, y *Term) *Term { return b.divide(OpMod, x, y) }

func (b *Builder) divide(op Op, x, y *Term) *Term {
	b.want(op, Int, x, y)
	if x.IsConst() && y.IsConst() && y.num.Sign() != 0 {
		q, r := new(big.Int).DivMod(x.num, y.num, new(big.Int)) // Euclidean, as SMT-LIB's
		if op == OpDiv {
			return b.IntBig(q)
		}
		return b.IntBig(r)
	}
	if op == OpDiv && y.IsConst() && y.num.IsInt64() && y.num.Int64() == 1 {
		return x
	}
	return b.intern(Term{op: op, sort: Int, args: []*Term{x, y}})
}
