package program

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/verify/smt"
)

// typeOf is an expression's type.
func (m *machine) typeOf(e syntax.Expr) types.Type {
	t := m.info.Types[e]
	if t == nil {
		m.refuse(e, "an expression of unknown type")
	}
	return t
}

// eval returns the leaves of e's value. Calls inside it take effect on s, which may be dead afterwards.
func (m *machine) eval(f *frame, s *state, e syntax.Expr) []*smt.Term {
	if v, ok := m.info.Values[e]; ok {
		return m.values(v, m.typeOf(e), e)
	}
	switch e := e.(type) {
	case *syntax.Paren:
		return m.eval(f, s, e.X)
	case *syntax.Name:
		o := m.info.Uses[e.Ident]
		if v, ok := f.lookupConst(o); ok {
			return v
		}
		return m.read(s, m.lvalue(f, s, e))
	case *syntax.Member, *syntax.Index:
		return m.evalPart(f, s, e)
	case *syntax.Slice:
		x := m.scalar(f, s, e.X)
		hi, lo := m.known(e.Hi), m.known(e.Lo)
		return one(m.b.Extract(x, hi, lo))
	case *syntax.Unary:
		return one(m.unary(f, s, e))
	case *syntax.Binary:
		return one(m.binary(f, s, e))
	case *syntax.Cond:
		return m.conditional(f, s, e)
	case *syntax.Cast:
		return m.cast(f, s, e)
	case *syntax.Call:
		return m.call(f, s, e)
	case *syntax.ListExpr:
		return m.list(f, s, e)
	case *syntax.StructExpr:
		return m.structExpr(f, s, e)
	case *syntax.InvalidExpr:
		t := m.typeOf(e)
		if !isHeader(t) {
			m.refuse(e, "an invalid value of type %s", t)
		}
		return m.arbitrary(t, "stale", "stale@"+f.site(e), e)
	}
	m.refuse(e, "this expression (%s)", syntax.PrintNode(e))
	return nil
}

func one(t *smt.Term) []*smt.Term { return []*smt.Term{t} }

// scalar is eval for values with one leaf.
func (m *machine) scalar(f *frame, s *state, e syntax.Expr) *smt.Term {
	v := m.eval(f, s, e)
	if len(v) != 1 {
		m.refuse(e, "a value of type %s in this place", m.typeOf(e))
	}
	return v[0]
}

// known is the value of an expression that must be known at compile time and fit an int.
func (m *machine) known(e syntax.Expr) int {
	v, ok := m.info.Values[e].(types.IntValue)
	if !ok || !v.Int.IsInt64() || v.Int.Sign() < 0 || v.Int.BitLen() > 31 {
		m.refuse(e, "a value that is not known when the program is compiled (%s)", syntax.PrintNode(e))
	}
	return int(v.Int.Int64())
}

func (m *machine) evalPart(f *frame, s *state, e syntax.Expr) []*smt.Term {
	if mem, ok := e.(*syntax.Member); ok {
		if call, ok := strip(mem.X).(*syntax.Call); ok {
			if c := m.info.Calls[call]; c != nil && c.Kind == types.TableApply {
				r := m.applyTable(f, s, call)
				switch mem.Sel.Name {
				case "hit":
					return one(r.hit)
				case "miss":
					return one(m.b.Not(r.hit))
				}
				m.refuse(e, "action_run outside a switch")
			}
		}
		if st, ok := under(m.typeOf(mem.X)).(*types.Stack); ok {
			return m.stackPart(f, s, mem, st)
		}
	}
	if m.isLvalue(f, e) {
		return m.read(s, m.lvalue(f, s, e))
	}
	mem, ok := e.(*syntax.Member)
	if !ok {
		m.refuse(e, "this expression (%s)", syntax.PrintNode(e))
	}
	v := m.eval(f, s, mem.X)
	off, t := m.field(m.typeOf(mem.X), mem.Sel.Name, e)
	return v[off : off+len(m.layout(t, e))]
}

// stackPart reads stack.size, .lastIndex, .last and .next. The next index is constant on every path of a parser.
func (m *machine) stackPart(f *frame, s *state, e *syntax.Member, st *types.Stack) []*smt.Term {
	switch e.Sel.Name {
	case "size":
		return one(m.b.BV(uint64(st.Size), 32))
	case "lastIndex":
		lv := m.lvalue(f, s, e.X)
		m.touch(s, lv, reads)
		return one(m.b.BVSub(m.b.ZeroExt(s.vals[m.nextOf(lv, st, e)], 32-stackBits), m.b.BV(1, 32)))
	}
	return m.read(s, m.lvalue(f, s, e))
}

func (m *machine) unary(f *frame, s *state, e *syntax.Unary) *smt.Term {
	x := m.scalar(f, s, e.X)
	switch e.Op {
	case "!":
		return m.b.Not(x)
	case "~":
		return m.b.BVNot(x)
	case "-":
		return m.b.BVNeg(x)
	case "+":
		return x
	}
	m.refuse(e, "operator %s", e.Op)
	return nil
}

func (m *machine) binary(f *frame, s *state, e *syntax.Binary) *smt.Term {
	switch e.Op {
	case "&&", "||":
		return m.shortCircuit(f, s, e)
	case "==", "!=":
		eq := m.equal(m.typeOf(e.X), m.eval(f, s, e.X), m.eval(f, s, e.Y), e)
		if e.Op == "!=" {
			return m.b.Not(eq)
		}
		return eq
	case "<<", ">>":
		return m.shift(f, s, e)
	}
	x, y := m.scalar(f, s, e.X), m.scalar(f, s, e.Y)
	return m.arith(e, e.Op, x, y, signed(m.typeOf(e.X)))
}

// arith is a binary operator on numbers of one width.
func (m *machine) arith(at syntax.Node, op syntax.Op, x, y *smt.Term, signed bool) *smt.Term {
	b := m.b
	if op != "++" && x.Sort() != y.Sort() {
		m.refuse(at, "operator %s on different widths", op)
	}
	switch op {
	case "+":
		return b.BVAdd(x, y)
	case "-":
		return b.BVSub(x, y)
	case "*":
		return b.BVMul(x, y)
	case "/", "%":
		// Targets differ on division by zero.
		if v, ok := y.ConstBV(); !ok || v.Sign() == 0 || signed {
			m.refuse(at, "operator %s by anything but a positive constant", op)
		}
		if op == "/" {
			return b.BVUDiv(x, y)
		}
		return b.BVURem(x, y)
	case "&":
		return b.BVAnd(x, y)
	case "|":
		return b.BVOr(x, y)
	case "^":
		return b.BVXor(x, y)
	case "++":
		return b.Concat(x, y)
	case "|+|", "|-|":
		return m.saturate(op, x, y, signed)
	case "<":
		return m.less(x, y, signed)
	case ">":
		return m.less(y, x, signed)
	case "<=":
		return b.Not(m.less(y, x, signed))
	case ">=":
		return b.Not(m.less(x, y, signed))
	}
	m.refuse(at, "operator %s", op)
	return nil
}

func (m *machine) less(x, y *smt.Term, signed bool) *smt.Term {
	if signed {
		return m.b.BVSlt(x, y)
	}
	return m.b.BVUlt(x, y)
}

// saturate computes in two more bits and clamps.
func (m *machine) saturate(op syntax.Op, x, y *smt.Term, signed bool) *smt.Term {
	b, w := m.b, width(x)
	ext := b.ZeroExt
	lo, hi := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(w))
	if signed {
		ext = b.SignExt
		hi.Rsh(hi, 1)
		lo.Neg(hi)
	}
	hi.Sub(hi, big.NewInt(1))
	wx, wy := ext(x, 2), ext(y, 2)
	r := b.BVAdd(wx, wy)
	if op == "|-|" {
		r = b.BVSub(wx, wy)
	}
	low, high := m.bv(lo, w+2), m.bv(hi, w+2)
	r = b.Ite(b.BVSlt(r, low), low, b.Ite(b.BVSlt(high, r), high, r))
	return b.Extract(r, w-1, 0)
}

func (m *machine) shift(f *frame, s *state, e *syntax.Binary) *smt.Term {
	x := m.scalar(f, s, e.X)
	w := width(x)
	var y *smt.Term
	if v, ok := m.info.Values[e.Y].(types.IntValue); ok {
		n := v.Int
		if n.Sign() < 0 {
			m.refuse(e, "a shift by a negative number")
		}
		if n.Cmp(big.NewInt(int64(w))) > 0 {
			n = big.NewInt(int64(w))
		}
		// A shift by w needs a count of more bits than x has when w is 1.
		y = m.bv(n, w+1)
	} else {
		y = m.scalar(f, s, e.Y)
	}
	// Both sides get the wider width, and one more bit for a constant count of w.
	n := max(w+1, width(y))
	ext := m.b.ZeroExt
	sgn := signed(m.typeOf(e.X))
	if sgn {
		ext = m.b.SignExt
	}
	wx, wy := ext(x, n-w), m.b.ZeroExt(y, n-width(y))
	var r *smt.Term
	switch {
	case e.Op == "<<":
		r = m.b.BVShl(wx, wy)
	case sgn:
		r = m.b.BVAshr(wx, wy)
	default:
		r = m.b.BVLshr(wx, wy)
	}
	return m.b.Extract(r, w-1, 0)
}

// equal compares values leaf by leaf; headers are equal when both are invalid, or both valid with equal fields.
func (m *machine) equal(t types.Type, x, y []*smt.Term, at syntax.Node) *smt.Term {
	ls := m.layout(t, at)
	if len(x) != len(ls) || len(y) != len(ls) {
		m.refuse(at, "a comparison of values of different shape")
	}
	var walk func(t types.Type, off int) (*smt.Term, int)
	walk = func(t types.Type, off int) (*smt.Term, int) {
		var parts []*smt.Term
		switch u := under(t).(type) {
		case *types.Struct:
			end := off
			if u.Kind == types.Header {
				end++
			}
			for _, fl := range u.Fields {
				var p *smt.Term
				p, end = walk(fl.Type, end)
				parts = append(parts, p)
			}
			all := m.b.And(parts...)
			if u.Kind == types.Header {
				all = m.b.And(m.b.Eq(x[off], y[off]), m.b.Or(m.b.Not(x[off]), all))
			}
			return all, end
		case *types.Tuple:
			for _, el := range u.Elems {
				var p *smt.Term
				p, off = walk(el, off)
				parts = append(parts, p)
			}
			return m.b.And(parts...), off
		case *types.Stack:
			for i := 0; i < u.Size; i++ {
				var p *smt.Term
				p, off = walk(u.Elem, off)
				parts = append(parts, p)
			}
			return m.b.And(parts...), off + 1
		}
		return m.b.Eq(x[off], y[off]), off + 1
	}
	eq, _ := walk(t, 0)
	return eq
}

// shortCircuit forks where the right side does something.
func (m *machine) shortCircuit(f *frame, s *state, e *syntax.Binary) *smt.Term {
	x := m.scalar(f, s, e.X)
	and := e.Op == "&&"
	if v, known, simpler := m.decided(s, x); known {
		if v != and {
			return m.b.Bool(v)
		}
		return m.scalar(f, s, e.Y)
	} else {
		x = simpler
	}
	if !m.hasEffect(e.Y) {
		y := m.scalar(f, s, e.Y)
		if and {
			return m.b.And(x, y)
		}
		return m.b.Or(x, y)
	}
	go1, skip := s.clone(), s.clone()
	if and {
		m.assume(go1, x)
		m.assume(skip, m.b.Not(x))
	} else {
		m.assume(go1, m.b.Not(x))
		m.assume(skip, x)
	}
	y := m.scalar(f, go1, e.Y)
	*s = *m.join(s, true, go1, skip)
	if and {
		return m.b.And(x, y)
	}
	return m.b.Or(x, y)
}

func (m *machine) conditional(f *frame, s *state, e *syntax.Cond) []*smt.Term {
	c := m.scalar(f, s, e.C)
	v, known, c := m.decided(s, c)
	if known {
		if v {
			return m.eval(f, s, e.X)
		}
		return m.eval(f, s, e.Y)
	}
	yes, no := s.clone(), s.clone()
	m.assume(yes, c)
	m.assume(no, m.b.Not(c))
	x, y := m.eval(f, yes, e.X), m.eval(f, no, e.Y)
	*s = *m.join(s, true, yes, no)
	return m.choose(c, x, y, e)
}

func (m *machine) choose(c *smt.Term, x, y []*smt.Term, at syntax.Node) []*smt.Term {
	if len(x) != len(y) {
		m.refuse(at, "alternatives of different shape")
	}
	out := make([]*smt.Term, len(x))
	for i := range x {
		out[i] = m.b.Ite(c, x[i], y[i])
	}
	return out
}

// hasEffect reports whether evaluating e may change the state.
func (m *machine) hasEffect(e syntax.Expr) bool {
	found := false
	syntax.Walk(e, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.Call); ok {
			k := m.info.Calls[c]
			if k == nil || k.Kind != types.BuiltinCall || k.Method != "isValid" {
				found = true
			}
		}
		return !found
	})
	return found
}

func (m *machine) cast(f *frame, s *state, e *syntax.Cast) []*smt.Term {
	from, to := under(m.typeOf(e.X)), under(m.typeOf(e))
	if len(m.layout(to, e)) != 1 {
		return m.eval(f, s, e.X) // a list or struct expression: the checker has matched the types
	}
	x := m.scalar(f, s, e.X)
	return one(m.resize(x, from, to, e))
}

// resize converts between bool, bit<>, int<> and enums with a representation.
func (m *machine) resize(x *smt.Term, from, to types.Type, at syntax.Node) *smt.Term {
	toLeaf := m.layout(to, at)[0]
	isBool := x.Sort() == smt.Bool
	switch {
	case isBool && toLeaf.bits == 0:
		return x
	case isBool && toLeaf.bits == 1:
		return m.b.Ite(x, m.b.BV(1, 1), m.b.BV(0, 1))
	case isBool:
		m.refuse(at, "a cast of bool to %s", to)
	case toLeaf.bits == 0 && width(x) == 1:
		return m.b.Eq(x, m.b.BV(1, 1))
	case toLeaf.bits == 0:
		m.refuse(at, "a cast to bool")
	}
	w := width(x)
	switch {
	case toLeaf.bits < w:
		return m.b.Extract(x, toLeaf.bits-1, 0)
	case toLeaf.bits == w:
		return x
	case signed(from):
		return m.b.SignExt(x, toLeaf.bits-w)
	}
	return m.b.ZeroExt(x, toLeaf.bits-w)
}

// list evaluates { a, b, c } in its context's type.
func (m *machine) list(f *frame, s *state, e *syntax.ListExpr) []*smt.Term {
	if e.Dots {
		m.refuse(e, "... in a list")
	}
	t := under(m.typeOf(e))
	var out []*smt.Term
	var elems []types.Type
	switch t := t.(type) {
	case *types.Struct:
		for _, fl := range t.Fields {
			elems = append(elems, fl.Type)
		}
		if t.Kind == types.Header {
			out = append(out, m.b.True())
		}
	case *types.Tuple:
		elems = t.Elems
	default:
		m.refuse(e, "a list as %s", t)
	}
	if len(elems) != len(e.Elems) {
		m.refuse(e, "a list of %d elements as %s", len(e.Elems), t)
	}
	for i, x := range e.Elems {
		out = append(out, m.fit(m.eval(f, s, x), elems[i], x)...)
	}
	return out
}

func (m *machine) structExpr(f *frame, s *state, e *syntax.StructExpr) []*smt.Term {
	t, ok := under(m.typeOf(e)).(*types.Struct)
	if !ok || e.Dots {
		m.refuse(e, "this struct expression")
	}
	var out []*smt.Term
	if t.Kind == types.Header {
		out = append(out, m.b.True())
	}
	vals := map[string][]*smt.Term{}
	for _, a := range e.Fields { // evaluated in the order written
		for _, fl := range t.Fields {
			if a.Name != nil && fl.Name == a.Name.Name {
				vals[fl.Name] = m.fit(m.eval(f, s, a.Value), fl.Type, a.Value)
			}
		}
	}
	for _, fl := range t.Fields {
		v, ok := vals[fl.Name]
		if !ok {
			m.refuse(e, "a struct expression without field %s", fl.Name)
		}
		out = append(out, v...)
	}
	return out
}

// fit makes sure that a value has the shape of the containers that it goes to.
func (m *machine) fit(v []*smt.Term, t types.Type, at syntax.Node) []*smt.Term {
	ls := m.layout(t, at)
	if len(ls) != len(v) {
		m.refuse(at, "a value of another shape as %s", t)
	}
	for i := range ls {
		if v[i].Sort() != ls[i].sort {
			m.refuse(at, "a value of another width as %s", t)
		}
	}
	return v
}

func width(t *smt.Term) int { return t.Sort().Width() }

// strip removes parentheses.
func strip(e syntax.Expr) syntax.Expr {
	for {
		p, ok := e.(*syntax.Paren)
		if !ok {
			return e
		}
		e = p.X
	}
}
