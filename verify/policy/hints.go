package policy

import (
	"slices"

	"github.com/interlock/interlock/verify/smt"
)

// maxHints bounds how many hints an obligation carries.
const maxHints = 400

// hints are truths of arithmetic that solvers do not come upon by themselves: where an assumption compares x with y, and part of
// x or y is multiplied by m somewhere, x·m compares with y·m in the same way if m is positive. Each is valid whatever the variables are, so
// that asserting it assumes nothing.
func hints(b *smt.Builder, assumed []*smt.Term, ts []*smt.Term) []*smt.Term {
	atoms := atomsOf(assumed)
	by := map[*smt.Term][]*smt.Term{} // of a factor: what it is multiplied by
	seen := map[*smt.Term]bool{}
	var find func(t *smt.Term)
	find = func(t *smt.Term) {
		if seen[t] {
			return
		}
		seen[t] = true
		if t.Op() == smt.OpMul {
			fs := factors(t)
			for i, f := range fs {
				if f.IsConst() {
					continue
				}
				m := b.Int(1)
				for _, g := range slices.Delete(slices.Clone(fs), i, i+1) {
					if !g.IsConst() {
						m = b.Mul(m, g)
					}
				}
				for _, part := range summands(f) {
					if !m.IsConst() && !slices.Contains(by[part], m) {
						by[part] = append(by[part], m)
					}
				}
			}
		}
		for _, a := range t.Args() {
			find(a)
		}
	}
	for _, t := range ts {
		find(t)
	}
	var out []*smt.Term
	for _, a := range atoms {
		x, y := a.Args()[0], a.Args()[1]
		var ms []*smt.Term
		for _, v := range append(summands(x), summands(y)...) {
			for _, m := range by[v] {
				if !slices.Contains(ms, m) {
					ms = append(ms, m)
				}
			}
		}
		for _, m := range ms {
			if len(out) == maxHints {
				return out
			}
			xm, ym := b.Mul(x, m), b.Mul(y, m)
			product := b.Eq(xm, ym)
			switch a.Op() {
			case smt.OpLe:
				product = b.Le(xm, ym)
			case smt.OpLt:
				product = b.Lt(xm, ym)
			}
			out = append(out, b.Implies(b.Lt(b.Int(0), m), b.Eq(a, product)))
		}
	}
	return out
}

// atomsOf are the comparisons of integers that stand in ts, of which one side at least is no literal.
func atomsOf(ts []*smt.Term) []*smt.Term {
	var out []*smt.Term
	seen := map[*smt.Term]bool{}
	var find func(t *smt.Term)
	find = func(t *smt.Term) {
		if seen[t] || !t.Sort().IsBool() {
			return
		}
		seen[t] = true
		switch t.Op() {
		case smt.OpLe, smt.OpLt, smt.OpEq:
			x, y := t.Args()[0], t.Args()[1]
			if x.Sort().IsInt() && !x.IsConst() && !y.IsConst() {
				out = append(out, t)
			}
		}
		for _, a := range t.Args() {
			find(a)
		}
	}
	for _, t := range ts {
		find(t)
	}
	return out
}

// factors are what t is a product of.
func factors(t *smt.Term) []*smt.Term {
	if t.Op() != smt.OpMul {
		return []*smt.Term{t}
	}
	return append(factors(t.Args()[0]), factors(t.Args()[1])...)
}

// summands are the variables that t is a sum of.
func summands(t *smt.Term) []*smt.Term {
	switch t.Op() {
	case smt.OpAdd, smt.OpSub:
		var out []*smt.Term
		for _, a := range t.Args() {
			out = append(out, summands(a)...)
		}
		return out
	case smt.OpVar:
		return []*smt.Term{t}
	}
	return nil
}
