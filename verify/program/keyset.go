package program

import (
	"math/bits"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/verify/smt"
)

// keyset splits a keyset over n keys into one expression per key; nil stands for "anything".
func (m *machine) keyset(k syntax.Expr, n int) []syntax.Expr {
	switch x := strip(k).(type) {
	case *syntax.DefaultExpr, *syntax.DontCare:
		return make([]syntax.Expr, n)
	case *syntax.ListExpr:
		if len(x.Elems) != n {
			m.refuse(k, "a keyset of %d values for %d keys", len(x.Elems), n)
		}
		out := make([]syntax.Expr, n)
		for i, e := range x.Elems {
			switch strip(e).(type) {
			case *syntax.DefaultExpr, *syntax.DontCare:
			default:
				out[i] = strip(e)
			}
		}
		return out
	default:
		if n != 1 {
			m.refuse(k, "this keyset")
		}
		return []syntax.Expr{x}
	}
}

// keyValue is the constant that a keyset element means for a key of type t.
func (m *machine) keyValue(e syntax.Expr, t types.Type) *smt.Term {
	v, ok := m.info.Values[e]
	if !ok {
		m.refuse(e, "a keyset that is not known when the program is compiled")
	}
	vals := m.values(v, t, e)
	if len(vals) != 1 {
		m.refuse(e, "a keyset of type %s", t)
	}
	return vals[0]
}

// matches is the condition that key x matches element e, and exact the constant when e is one value.
func (m *machine) matches(x *smt.Term, t types.Type, e syntax.Expr) (cond, exact *smt.Term) {
	if e == nil {
		return m.b.True(), nil
	}
	if bin, ok := e.(*syntax.Binary); ok {
		switch bin.Op {
		case "&&&":
			v, mask := m.keyValue(strip(bin.X), t), m.keyValue(strip(bin.Y), t)
			return m.b.Eq(m.b.BVAnd(x, mask), m.b.BVAnd(v, mask)), nil
		case "..":
			lo, hi := m.keyValue(strip(bin.X), t), m.keyValue(strip(bin.Y), t)
			sgn := signed(t)
			return m.b.And(m.b.Not(m.less(x, lo, sgn)), m.b.Not(m.less(hi, x, sgn))), nil
		}
	}
	v := m.keyValue(e, t)
	return m.b.Eq(x, v), v
}

// A choice is one case of a select or one entry of a table: its own condition, and the constants that it matches exactly.
type choice struct {
	cond   *smt.Term
	exact  []*smt.Term // per key, nil where it matches more than one value
	prefix int         // bits of an lpm key's prefix
}

func (m *machine) choice(keys []*smt.Term, ts []types.Type, k syntax.Expr) choice {
	c := choice{exact: make([]*smt.Term, len(keys))}
	conds := make([]*smt.Term, len(keys))
	for i, e := range m.keyset(k, len(keys)) {
		conds[i], c.exact[i] = m.matches(keys[i], ts[i], e)
	}
	c.cond = m.b.And(conds...)
	return c
}

// apart reports whether no packet matches both, because they want different constants of one key.
func (c choice) apart(d choice) bool {
	for i := range c.exact {
		if c.exact[i] != nil && d.exact[i] != nil && c.exact[i] != d.exact[i] {
			return true
		}
	}
	return false
}

// firstMatch is, for each choice, the condition that it is the first to match, and that none does. Choices that are apart need
// no negations, which keeps conditions small.
func (m *machine) firstMatch(cs []choice) (first []*smt.Term, none *smt.Term) {
	first = make([]*smt.Term, len(cs))
	all := make([]*smt.Term, 0, len(cs))
	for i, c := range cs {
		parts := []*smt.Term{c.cond}
		for _, d := range cs[:i] {
			if !c.apart(d) {
				parts = append(parts, m.b.Not(d.cond))
			}
		}
		first[i] = m.b.And(parts...)
		all = append(all, c.cond)
	}
	return first, m.b.Not(m.b.Or(all...))
}

// prefixLength is the length of an lpm element's prefix.
func (m *machine) prefixLength(e syntax.Expr, t types.Type) int {
	w := m.layout(t, e)
	switch bin, ok := e.(*syntax.Binary); {
	case e == nil:
		return 0
	case !ok || bin.Op != "&&&":
		return w[0].bits
	default:
		mask, _ := m.keyValue(strip(bin.Y), t).ConstBV()
		n := 0
		for _, word := range mask.Bits() {
			n += bits.OnesCount(uint(word))
		}
		return n
	}
}
