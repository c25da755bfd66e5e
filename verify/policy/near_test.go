package policy

import (
	"slices"
	"testing"

	"github.com/interlock/interlock/verify/smt"
)

// What is assumed need not be shown, and what is about other variables is left out; nothing else is.
func TestNear(t *testing.T) {
	b := smt.NewBuilder()
	v := func(n string) *smt.Term { return b.Var(n, smt.Int) }
	x, y, z := v("x"), v("y"), v("z")
	least := b.Le(b.Int(0), x)
	below := b.Le(x, y)
	elsewhere := b.Le(z, b.Int(3))
	var many []*smt.Term
	for i := range nearby + 1 {
		many = append(many, v(string(rune('k'+i))))
	}
	about := b.Le(x, b.Add(many...))
	open := b.Le(x, b.Int(7))
	g := goal{state: &state{b: b}, assumed: []*smt.Term{b.And(least, below), elsewhere, about}, claim: b.And(least, open)}
	assumed, claim := g.near()
	if claim != open {
		t.Errorf("left to show: %v", claim)
	}
	if !slices.Equal(assumed, []*smt.Term{least, below}) {
		t.Errorf("assumed: %v", assumed)
	}
	if all, claim := g.split(); claim != open || !slices.Equal(all, []*smt.Term{least, below, elsewhere, about}) {
		t.Errorf("all: %v, %v", all, claim)
	}
}
