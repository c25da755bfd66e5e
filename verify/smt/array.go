package smt

import "fmt"

// Select returns element i of array a.
func (b *Builder) Select(a, i *Term) *Term {
	elem := b.wantIndex(OpSelect, a, i)
	for {
		switch {
		case a.op == OpConstArray:
			return a.args[0]
		case a.op == OpStore && a.args[1] == i:
			return a.args[2]
		case a.op == OpStore && a.args[1].IsConst() && i.IsConst(): // interned, so different
			a = a.args[0]
			continue
		}
		return b.intern(Term{op: OpSelect, sort: elem, args: []*Term{a, i}})
	}
}

// Store returns array a with element i replaced by v.
func (b *Builder) Store(a, i, v *Term) *Term {
	elem := b.wantIndex(OpStore, a, i)
	b.want(OpStore, elem, v)
	if a.op == OpStore && a.args[1] == i {
		a = a.args[0]
	}
	return b.intern(Term{op: OpStore, sort: a.sort, args: []*Term{a, i, v}})
}

// ConstArray returns the array of sort s whose every element is v, a literal or a ConstArray: cvc5 takes nothing else.
// Do not compare constant arrays over a domain of a few bits for equality: Z3 4.8.12 reasons as if indices never ran out, and may
// answer sat where there is no model (Eval notices).
func (b *Builder) ConstArray(s Sort, v *Term) *Term {
	if !s.IsArray() || s.Elem() != v.sort || !v.IsConst() && v.op != OpConstArray {
		panic(fmt.Sprintf("smt: a constant array %s of %s", s, v))
	}
	return b.intern(Term{op: OpConstArray, sort: s, args: []*Term{v}})
}

func (b *Builder) wantIndex(op Op, a, i *Term) Sort {
	if !a.sort.IsArray() {
		panic(fmt.Sprintf("smt: %s: %s is no array: %s", opNames[op], a.sort, a))
	}
	key, elem := a.sort.split()
	b.want(op, key, i)
	return elem
}
