package smt

// Given rewrites t by what is known to be true or false: under these facts the result equals t. Facts are compared as terms, so that only
// what they say literally is found. Terms over integers, arrays, functions and quantifiers stay as they are.
func (b *Builder) Given(t *Term, facts map[*Term]bool) *Term {
	return b.given(t, facts, map[*Term]*Term{})
}

func (b *Builder) given(t *Term, facts map[*Term]bool, done map[*Term]*Term) *Term {
	if v, ok := facts[t]; ok {
		return b.Bool(v)
	}
	if len(t.args) == 0 || t.quantified {
		return t
	}
	if r, ok := done[t]; ok {
		return r
	}
	r := t
	if t.op == OpIte { // one side may be all that is left
		switch cond := b.given(t.args[0], facts, done); {
		case cond.isTrue():
			r = b.given(t.args[1], facts, done)
		case cond.isFalse():
			r = b.given(t.args[2], facts, done)
		default:
			r = b.Ite(cond, b.given(t.args[1], facts, done), b.given(t.args[2], facts, done))
		}
	} else {
		args := make([]*Term, len(t.args))
		for i, a := range t.args {
			args[i] = b.given(a, facts, done)
		}
		r = b.again(t, args)
	}
	done[t] = r
	return r
}

// again makes a term like t of other arguments.
func (b *Builder) again(t *Term, x []*Term) *Term {
	switch t.op {
	case OpNot:
		return b.Not(x[0])
	case OpAnd:
		return b.And(x...)
	case OpOr:
		return b.Or(x...)
	case OpImplies:
		return b.Implies(x[0], x[1])
	case OpEq:
		return b.Eq(x[0], x[1])
	case OpBVAdd:
		return b.BVAdd(x[0], x[1])
	case OpBVSub:
		return b.BVSub(x[0], x[1])
	case OpBVMul:
		return b.BVMul(x[0], x[1])
	case OpBVUDiv:
		return b.BVUDiv(x[0], x[1])
	case OpBVURem:
		return b.BVURem(x[0], x[1])
	case OpBVAnd:
		return b.BVAnd(x[0], x[1])
	case OpBVOr:
		return b.BVOr(x[0], x[1])
	case OpBVXor:
		return b.BVXor(x[0], x[1])
	case OpBVNot:
		return b.BVNot(x[0])
	case OpBVNeg:
		return b.BVNeg(x[0])
	case OpBVShl, OpBVLshr, OpBVAshr:
		return b.shift(t.op, x[0], x[1])
	case OpBVUlt:
		return b.BVUlt(x[0], x[1])
	case OpBVUle:
		return b.BVUle(x[0], x[1])
	case OpBVSlt, OpBVSle:
		return b.compareBV(t.op, x[0], x[1])
	case OpConcat:
		return b.Concat(x[0], x[1])
	case OpExtract:
		return b.Extract(x[0], t.i, t.j)
	case OpZeroExt:
		return b.ZeroExt(x[0], t.i)
	case OpSignExt:
		return b.SignExt(x[0], t.i)
	}
	return t
}
