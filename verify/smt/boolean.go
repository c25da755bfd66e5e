package smt

import "fmt"

// flattenLimit bounds how many arguments flattening may yield, so that growing a conjunction one by one stays linear.
const flattenLimit = 16

// True and False return the literals.
func (b *Builder) True() *Term { return b.yes }

// False returns the literal false.
func (b *Builder) False() *Term { return b.no }

// Bool returns the literal for v.
func (b *Builder) Bool(v bool) *Term {
	if v {
		return b.yes
	}
	return b.no
}

// Not returns ¬a.
func (b *Builder) Not(a *Term) *Term {
	b.want(OpNot, Bool, a)
	switch {
	case a.isTrue():
		return b.no
	case a.isFalse():
		return b.yes
	case a.op == OpNot:
		return a.args[0]
	}
	return b.intern(Term{op: OpNot, sort: Bool, args: []*Term{a}})
}

// And returns the conjunction; of nothing it is true.
func (b *Builder) And(args ...*Term) *Term { return b.junction(OpAnd, b.yes, b.no, args) }

// Or returns the disjunction; of nothing it is false.
func (b *Builder) Or(args ...*Term) *Term { return b.junction(OpOr, b.no, b.yes, args) }

// junction is And and Or: neutral is dropped, absorbing wins, repeated arguments count once, and x with ¬x is absorbing.
func (b *Builder) junction(op Op, neutral, absorbing *Term, args []*Term) *Term {
	b.want(op, Bool, args...)
	n := 0
	for _, a := range args {
		n++
		if a.op == op {
			n += len(a.args) - 1
		}
	}
	flat := make([]*Term, 0, n)
	seen := make(map[*Term]bool, n)
	absorbed := false
	add := func(a *Term) {
		switch {
		case a == absorbing:
			absorbed = true
		case a == neutral || seen[a]:
		default:
			if a.op == OpNot && seen[a.args[0]] {
				absorbed = true
			}
			seen[a] = true
			flat = append(flat, a)
		}
	}
	for _, a := range args {
		if a.op == op && n <= flattenLimit {
			for _, c := range a.args {
				add(c)
			}
		} else {
			add(a)
		}
	}
	for _, a := range flat {
		if a.op == OpNot && seen[a.args[0]] {
			absorbed = true
		}
	}
	switch {
	case absorbed:
		return absorbing
	case len(flat) == 0:
		return neutral
	case len(flat) == 1:
		return flat[0]
	}
	return b.intern(Term{op: op, sort: Bool, args: flat})
}

// Implies returns p ⇒ q.
func (b *Builder) Implies(p, q *Term) *Term {
	b.want(OpImplies, Bool, p, q)
	switch {
	case p.isTrue():
		return q
	case p.isFalse() || q.isTrue() || p == q:
		return b.yes
	case q.isFalse():
		return b.Not(p)
	}
	return b.intern(Term{op: OpImplies, sort: Bool, args: []*Term{p, q}})
}

// Eq returns x = y.
func (b *Builder) Eq(x, y *Term) *Term {
	if x.sort != y.sort {
		panic(fmt.Sprintf("smt: =: %s and %s: %s, %s", x.sort, y.sort, x, y))
	}
	if x == y {
		return b.yes
	}
	if x.IsConst() && y.IsConst() {
		return b.no // interned, so different
	}
	// A literal goes to the right, else what was made first goes to the left: the order of the call does not matter.
	if x.IsConst() || !y.IsConst() && x.id > y.id {
		x, y = y, x
	}
	if x.sort == Bool {
		switch {
		case y.isTrue():
			return x
		case y.isFalse():
			return b.Not(x)
		case x.op == OpNot && x.args[0] == y || y.op == OpNot && y.args[0] == x:
			return b.no
		}
	}
	// A choice between literals, compared with a literal, is about the choice.
	if y.IsConst() && x.op == OpIte && x.args[1].IsConst() && x.args[2].IsConst() {
		switch { // the two literals differ, or there would be no ite
		case x.args[1] == y:
			return x.args[0]
		case x.args[2] == y:
			return b.Not(x.args[0])
		default:
			return b.no
		}
	}
	return b.intern(Term{op: OpEq, sort: Bool, args: []*Term{x, y}})
}

// Distinct says that no two arguments are equal.
func (b *Builder) Distinct(args ...*Term) *Term {
	if len(args) < 2 {
		return b.yes
	}
	b.want(OpDistinct, args[0].sort, args...)
	if len(args) == 2 {
		return b.Not(b.Eq(args[0], args[1]))
	}
	seen := make(map[*Term]bool, len(args))
	for _, a := range args {
		if seen[a] {
			return b.no
		}
		seen[a] = true
	}
	return b.intern(Term{op: OpDistinct, sort: Bool, args: append([]*Term(nil), args...)})
}

// Ite returns then where cond holds, els elsewhere.
func (b *Builder) Ite(cond, then, els *Term) *Term {
	b.want(OpIte, Bool, cond)
	if then.sort != els.sort {
		panic(fmt.Sprintf("smt: ite: %s and %s: %s, %s", then.sort, els.sort, then, els))
	}
	if cond.op == OpNot {
		cond, then, els = cond.args[0], els, then
	}
	if then.op == OpIte && then.args[0] == cond {
		then = then.args[1]
	}
	if els.op == OpIte && els.args[0] == cond {
		els = els.args[2]
	}
	switch {
	case cond.isTrue() || then == els:
		return then
	case cond.isFalse():
		return els
	}
	if then.sort == Bool {
		switch {
		case then.isTrue():
			return b.Or(cond, els)
		case then.isFalse():
			return b.And(b.Not(cond), els)
		case els.isTrue():
			return b.Or(b.Not(cond), then)
		case els.isFalse():
			return b.And(cond, then)
		}
	}
	return b.intern(Term{op: OpIte, sort: then.sort, args: []*Term{cond, then, els}})
}
