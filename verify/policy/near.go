package policy

import (
	"maps"
	"slices"

	"github.com/interlock/interlock/verify/smt"
)

// nearby is how many variables an assumption may tie together to count as near to a claim: one about a tenant and a resource has a few, one
// about all resources has many.
const nearby = 12

// split is a goal's assumptions in their parts, and the claim without those of its parts that are assumed.
func (g goal) split() (all []*smt.Term, claim *smt.Term) {
	b := g.state.b
	known := map[*smt.Term]bool{}
	for _, t := range g.assumed {
		for _, part := range conjuncts(b, t) {
			if !known[part] {
				known[part] = true
				all = append(all, part)
			}
		}
	}
	open := slices.DeleteFunc(conjuncts(b, g.claim), func(t *smt.Term) bool { return known[t] })
	return all, b.And(open...)
}

// near is what is left of a goal without the assumptions that are not about the variables of the claim. Whoever proves this has proved the goal.
func (g goal) near() (assumed []*smt.Term, claim *smt.Term) {
	all, claim := g.split()
	vars := map[*smt.Term]bool{}
	for _, v := range smt.Free(claim) {
		vars[v] = true
	}
	about := maps.Clone(vars)
	free := make([][]*smt.Term, len(all))
	for i, t := range all {
		if free[i] = smt.Free(t); len(free[i]) <= nearby && slices.ContainsFunc(free[i], func(v *smt.Term) bool { return about[v] }) {
			for _, v := range free[i] {
				vars[v] = true
			}
		}
	}
	for i, t := range all {
		if !slices.ContainsFunc(free[i], func(v *smt.Term) bool { return !vars[v] }) {
			assumed = append(assumed, t)
		}
	}
	return assumed, claim
}

// conjuncts are what t is the conjunction of.
func conjuncts(b *smt.Builder, t *smt.Term) []*smt.Term {
	switch t.Op() {
	case smt.OpAnd:
		var out []*smt.Term
		for _, a := range t.Args() {
			out = append(out, conjuncts(b, a)...)
		}
		return out
	case smt.OpNot:
		if or := t.Args()[0]; or.Op() == smt.OpOr {
			var out []*smt.Term
			for _, a := range or.Args() {
				out = append(out, conjuncts(b, b.Not(a))...)
			}
			return out
		}
	}
	return []*smt.Term{t}
}
