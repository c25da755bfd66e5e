package policy

import (
	"math/big"
	"slices"

	"github.com/interlock/interlock/verify/smt"
)

// maxRatioBits is package policy's bound of a ratio's numerator and denominator in lowest terms: beyond it a Ratio is an error.
const maxRatioBits = 4096

// ratio is an exact rational number: the largest of the fractions. That it is kept as a maximum, and its fractions as products, lets a
// comparison of dominant shares cancel what both sides have, so that most are linear.
type ratio []fraction

// fraction is the product of a constant and the factors in num over that of den. Those in den are positive.
type fraction struct {
	over, under *big.Int // constants; under > 0
	num, den    []factor
}

type factor struct {
	t  *smt.Term
	in interval
}

func (r ratio) equal(s ratio) bool {
	return slices.EqualFunc(r, s, func(f, g fraction) bool {
		return f.over.Cmp(g.over) == 0 && f.under.Cmp(g.under) == 0 && slices.EqualFunc(f.num, g.num, sameFactor) &&
			slices.EqualFunc(f.den, g.den, sameFactor)
	})
}

func sameFactor(a, b factor) bool { return a.t == b.t }

// constant is the ratio with the value r.
func constant(r *big.Rat) ratio { return ratio{{over: r.Num(), under: r.Denom()}} }

// whole is an integer as a ratio.
func (t *translator) whole(x integer) ratio { return ratio{t.over(x.factor(), nil)} }

func (x integer) factor() factor { return factor(x) }

// over is num/den, where den is positive; nil stands for 1.
func (t *translator) over(num factor, den *factor) fraction {
	f := fraction{over: big.NewInt(1), under: big.NewInt(1), num: []factor{num}}
	if den != nil {
		f.den = []factor{*den}
	}
	return t.normal(f)
}

// normal takes constants out of the products and cancels.
func (t *translator) normal(f fraction) fraction {
	n := fraction{over: new(big.Int).Set(f.over), under: new(big.Int).Set(f.under)}
	for _, x := range f.num {
		if c, ok := x.t.ConstInt(); ok {
			n.over.Mul(n.over, c)
		} else {
			n.num = append(n.num, x)
		}
	}
	for _, x := range f.den {
		if c, ok := x.t.ConstInt(); ok {
			n.under.Mul(n.under, c)
		} else if i := slices.IndexFunc(n.num, func(y factor) bool { return y.t == x.t }); i >= 0 {
			n.num = slices.Delete(n.num, i, i+1)
		} else {
			n.den = append(n.den, x)
		}
	}
	if n.over.Sign() == 0 {
		return fraction{over: n.over, under: big.NewInt(1)}
	}
	if g := new(big.Int).GCD(nil, nil, new(big.Int).Abs(n.over), n.under); g.Sign() > 0 {
		n.over.Quo(n.over, g)
		n.under.Quo(n.under, g)
	}
	return n
}

// product is the term of a constant and factors, with its bounds.
func (t *translator) product(c *big.Int, fs []factor) factor {
	p := factor{t.b.IntBig(c), interval{c, c}}
	for _, f := range fs {
		p = factor{t.b.Mul(p.t, f.t), p.in.mul(f.in)}
	}
	return p
}

func (t *translator) top(f fraction) factor    { return t.product(f.over, f.num) }
func (t *translator) bottom(f fraction) factor { return t.product(f.under, f.den) }

// bounded refuses what could have more digits than a Ratio may: every fraction equal to a ratio has at least as many as it has in
// lowest terms, so that within the bound there is no error.
func (t *translator) bounded(r ratio) ratio {
	for _, f := range r {
		if bits(f.over, f.num) > maxRatioBits || bits(f.under, f.den) > maxRatioBits {
			panic(t.unprovable("a ratio that might have more than %d bits", maxRatioBits))
		}
	}
	return r
}

// bits bounds the digits of a product.
func bits(c *big.Int, fs []factor) int {
	n := c.BitLen()
	for _, f := range fs {
		n += f.in.magnitude().BitLen()
	}
	return n
}

// single is r as one fraction.
func (t *translator) single(r ratio) fraction {
	best := r[0]
	for _, f := range r[1:] {
		best = t.ite(t.lessFraction(best, f, false), f, best)
	}
	return best
}

func (t *translator) ite(c *smt.Term, f, g fraction) fraction {
	if isTrue(c) {
		return f
	}
	if isFalse(c) {
		return g
	}
	fn, fd, gn, gd := t.top(f), t.bottom(f), t.top(g), t.bottom(g)
	num := factor{t.b.Ite(c, fn.t, gn.t), fn.in.join(gn.in)}
	den := factor{t.b.Ite(c, fd.t, gd.t), fd.in.join(gd.in)}
	return t.over(num, &den)
}

func (t *translator) mergeRatio(c *smt.Term, r, s ratio) ratio {
	if r.equal(s) {
		return r
	}
	return ratio{t.ite(c, t.single(r), t.single(s))}
}

// natural: f is not negative.
func (t *translator) natural(f fraction) bool { return t.top(f).in.natural() }

func (t *translator) addRatio(r, s ratio) ratio {
	var out ratio
	for _, f := range r {
		for _, g := range s {
			out = append(out, t.addFraction(f, g))
		}
	}
	if len(out) > maxFractions || t.known && len(out) > 1 {
		out = ratio{t.addFraction(t.single(r), t.single(s))}
	}
	return out
}

// maxFractions bounds how many fractions a ratio may be the maximum of.
const maxFractions = 64

func (t *translator) addFraction(f, g fraction) fraction {
	if f.over.Sign() == 0 {
		return g
	}
	if g.over.Sign() == 0 {
		return f
	}
	// a/(c·x) + b/(c·y) = (a·y + b·x) / (c·x·y)
	onlyF, onlyG := without(f.den, g.den), without(g.den, f.den)
	left := t.product(new(big.Int).Mul(f.over, g.under), append(slices.Clone(f.num), onlyG...))
	right := t.product(new(big.Int).Mul(g.over, f.under), append(slices.Clone(g.num), onlyF...))
	return t.normal(fraction{
		over: big.NewInt(1), under: new(big.Int).Mul(f.under, g.under),
		num: []factor{{t.b.Add(left.t, right.t), left.in.add(right.in)}}, den: append(slices.Clone(f.den), onlyG...),
	})
}

// without is as less the factors of bs, counted.
func without(as, bs []factor) []factor {
	out := slices.Clone(as)
	for _, b := range bs {
		if i := slices.IndexFunc(out, func(a factor) bool { return a.t == b.t }); i >= 0 {
			out = slices.Delete(out, i, i+1)
		}
	}
	return out
}

func (t *translator) negRatio(r ratio) ratio {
	f := t.single(r)
	f.over = new(big.Int).Neg(f.over)
	return ratio{f}
}

func (t *translator) mulFraction(f, g fraction) fraction {
	return t.normal(fraction{
		over: new(big.Int).Mul(f.over, g.over), under: new(big.Int).Mul(f.under, g.under),
		num: append(slices.Clone(f.num), g.num...), den: append(slices.Clone(f.den), g.den...),
	})
}

// mulRatio: a maximum times what is not negative is the maximum of the products.
func (t *translator) mulRatio(r, s ratio) ratio {
	if len(r) == 1 && len(s) > 1 {
		r, s = s, r
	}
	if len(r) > 1 && len(s) == 1 && t.natural(s[0]) {
		var out ratio
		for _, f := range r {
			out = append(out, t.mulFraction(f, s[0]))
		}
		return out
	}
	return ratio{t.mulFraction(t.single(r), t.single(s))}
}

// divRatio returns the quotient, and where it is an error: where s is 0.
func (t *translator) divRatio(r, s ratio) (ratio, *smt.Term) {
	g := t.single(s)
	zero := t.b.False()
	inverse := fraction{over: g.under, under: new(big.Int).Abs(g.over), num: g.den}
	if g.over.Sign() == 0 {
		return constant(new(big.Rat)), t.b.True()
	}
	if g.over.Sign() < 0 {
		inverse.over = new(big.Int).Neg(g.under)
	}
	for _, f := range g.num {
		sign, size := t.b.Int(1), f
		if !f.in.positive() {
			isZero := t.b.Eq(f.t, t.b.Int(0))
			if !f.in.has(0) {
				isZero = t.b.False()
			}
			zero = t.b.Or(zero, isZero)
			abs := t.b.Ite(isZero, t.b.Int(1), f.t)
			if !f.in.natural() {
				negative := t.b.Lt(f.t, t.b.Int(0))
				abs = t.b.Ite(negative, t.b.Neg(f.t), abs)
				sign = t.b.Ite(negative, t.b.Int(-1), sign)
			}
			size = factor{abs, interval{big.NewInt(1), maxOf(f.in.magnitude(), big.NewInt(1))}}
		}
		inverse.den = append(inverse.den, size)
		if !isOne(sign) {
			inverse.num = append(slices.Clone(inverse.num), factor{sign, between(-1, 1)})
		}
	}
	return t.mulRatio(r, ratio{t.normal(inverse)}), zero
}

func maxOf(a, b *big.Int) *big.Int {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}

func isOne(t *smt.Term) bool {
	c, ok := t.ConstInt()
	return ok && c.IsInt64() && c.Int64() == 1
}

// lessRatio is r < s, or r <= s.
func (t *translator) lessRatio(r, s ratio, orEqual bool) *smt.Term {
	all := make([]*smt.Term, 0, len(r))
	for _, f := range r {
		some := make([]*smt.Term, 0, len(s))
		for _, g := range s {
			some = append(some, t.lessFraction(f, g, orEqual))
		}
		all = append(all, t.b.Or(some...))
	}
	return t.b.And(all...)
}

func (t *translator) equalRatio(r, s ratio) *smt.Term {
	if r.equal(s) {
		return t.b.True()
	}
	if len(r) == 1 && len(s) == 1 {
		left, right, zero := t.cross(r[0], s[0])
		return t.b.Or(zero, t.b.Eq(left, right))
	}
	return t.b.And(t.lessRatio(r, s, true), t.lessRatio(s, r, true))
}

// lessFraction is f < g, or f <= g, after cancelling what both sides have.
func (t *translator) lessFraction(f, g fraction, orEqual bool) *smt.Term {
	left, right, zero := t.cross(f, g)
	if orEqual {
		return t.b.Or(zero, t.b.Le(left, right))
	}
	return t.b.And(t.b.Not(zero), t.b.Lt(left, right))
}

// cross multiplies crosswise. Factors of both numerators that are not negative are taken out; zero says where one of them is 0.
func (t *translator) cross(f, g fraction) (left, right, zero *smt.Term) {
	fn, gn := f.num, g.num
	zero = t.b.False()
	for _, x := range f.num {
		if x.in.natural() && slices.ContainsFunc(gn, func(y factor) bool { return y.t == x.t }) {
			fn, gn = without(fn, []factor{x}), without(gn, []factor{x})
			if !x.in.positive() {
				zero = t.b.Or(zero, t.b.Eq(x.t, t.b.Int(0)))
			}
		}
	}
	if f.over.Sign() == 0 || g.over.Sign() == 0 {
		fn, gn, zero = f.num, g.num, t.b.False()
	}
	onlyF, onlyG := without(f.den, g.den), without(g.den, f.den)
	lc, rc := new(big.Int).Mul(f.over, g.under), new(big.Int).Mul(g.over, f.under)
	if d := new(big.Int).GCD(nil, nil, new(big.Int).Abs(lc), new(big.Int).Abs(rc)); d.Sign() > 0 {
		lc.Quo(lc, d)
		rc.Quo(rc, d)
	}
	// With 0 on one side, only the sign of the other matters: its denominator does not.
	switch {
	case f.over.Sign() == 0:
		return t.b.Int(0), t.product(rc, gn).t, zero
	case g.over.Sign() == 0:
		return t.product(lc, fn).t, t.b.Int(0), zero
	}
	return t.product(lc, append(slices.Clone(fn), onlyG...)).t, t.product(rc, append(slices.Clone(gn), onlyF...)).t, zero
}

// floorRatio is the largest integer not above r; it may lie outside of what fits an int.
func (t *translator) floorRatio(r ratio) integer {
	f := t.single(r)
	n, d := t.top(f), t.bottom(f)
	return integer{t.b.Div(n.t, d.t), n.in.join(interval{new(big.Int).Neg(n.in.magnitude()), n.in.magnitude()})}
}
