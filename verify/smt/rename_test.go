package smt

import (
	"math/big"
	"testing"
)

func TestRename(t *testing.T) {
	b := NewBuilder()
	x, y, z := b.Var("x", BV(8)), b.Var("y", BV(8)), b.Var("z", BV(8))
	p, q := b.Var("p", Bool), b.Var("q", Bool)
	r := NewRenaming(map[*Term]*Term{x: y, p: q})
	for _, c := range []struct{ from, want *Term }{
		{x, y},
		{z, z},
		{b.BVAdd(z, z), b.BVAdd(z, z)},
		{b.BVSub(x, z), b.BVSub(y, z)},
		{b.Ite(p, b.Extract(x, 3, 1), b.BV(0, 3)), b.Ite(q, b.Extract(y, 3, 1), b.BV(0, 3))},
		{b.And(p, b.BVUlt(z, x)), b.And(q, b.BVUlt(z, y))},
	} {
		if got := r.Of(c.from); got != c.want {
			t.Errorf("%s became %s", c.from, got)
		}
	}
	// What has both variables keeps them apart only by what they are called.
	both := r.Of(b.BVSub(x, y))
	m := Model{"x": BVValue(big.NewInt(1), 8), "y": BVValue(big.NewInt(2), 8)}
	if v := Eval(both, m); v.Int().Sign() != 0 {
		t.Errorf("y - y is %v", v.Int())
	}
	for name, f := range map[string]func(){
		"another sort": func() { NewRenaming(map[*Term]*Term{x: p}) },
		"a constant":   func() { NewRenaming(map[*Term]*Term{x: b.BV(1, 8)}) },
		"a quantifier": func() { r.Of(b.Not(b.Forall([]*Term{z}, b.Eq(z, x)))) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is taken", name)
				}
			}()
			f()
		}()
	}
}
