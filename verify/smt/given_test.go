package smt

import (
	"testing"

	"pgregory.net/rapid"
)

// Under facts that hold, a term means what it did before; and facts are used: what they decide is gone.
func TestGiven(t *testing.T) {
	b := NewBuilder()
	p, x, y := b.Var("p", Bool), b.Var("x", BV(4)), b.Var("y", BV(4))
	if got := b.Given(b.BVAdd(b.Ite(b.And(p, b.Eq(x, y)), x, y), x), map[*Term]bool{p: true, b.Eq(x, y): false}); got != b.BVAdd(y, x) {
		t.Errorf("left: %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		g := newTerms()
		term := g.term(t, rapid.SampledFrom([]Sort{Bool, BV(4), BV(7)}).Draw(t, "sort"), 5)
		m := Model{}
		for _, v := range g.vars {
			m[v.name], _ = g.value(t, v.sort)
		}
		facts, seen := map[*Term]bool{}, map[*Term]bool{}
		var walk func(x *Term)
		walk = func(x *Term) {
			if seen[x] {
				return
			}
			seen[x] = true
			if x.sort == Bool && !x.IsConst() && rapid.IntRange(0, 3).Draw(t, "known") == 0 {
				facts[x] = Eval(x, m).IsTrue()
			}
			for _, a := range x.args {
				walk(a)
			}
		}
		walk(term)
		if got, want := Eval(g.b.Given(term, facts), m).String(), Eval(term, m).String(); got != want {
			t.Fatalf("%s is %s, and %s given %v", term, want, got, facts)
		}
	})
}
