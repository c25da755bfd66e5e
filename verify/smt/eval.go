package smt

import (
	"math/big"
	"slices"
)

// Model gives values to constant symbols, and meanings to uninterpreted functions, by their unquoted names.
type Model map[string]Value

// function is the meaning of an uninterpreted function: a term over parameters.
type function struct {
	params []*Term
	body   *Term
}

// enumerable bounds the quantifiers that Eval decides: bits of all bound variables together.
const enumerable = 12

// maxCalls bounds how deeply the functions of a model may call each other; beyond it a value is undefined.
const maxCalls = 1000

// Eval returns the value of t under m by SMT-LIB's semantics. What m does not mention is zero, false, or everywhere that. The
// result is undefined where t divides an integer by zero, and where it quantifies over more than a few bits, unless the value
// does not depend on it.
func Eval(t *Term, m Model) Value {
	e := evaluator{model: m, memo: map[*Term]Value{}}
	return e.eval(t)
}

type evaluator struct {
	model Model
	local map[*Term]Value // bound variables and parameters
	memo  map[*Term]Value
	calls int // of functions that we are inside of
}

func (e *evaluator) eval(t *Term) Value {
	if v, ok := e.memo[t]; ok {
		return v
	}
	v := e.compute(t)
	e.memo[t] = v
	return v
}

func (e *evaluator) compute(t *Term) Value {
	switch t.op {
	case OpConst:
		return Value{sort: t.sort, num: t.num}
	case OpVar:
		return e.variable(t)
	case OpNot:
		return not(e.eval(t.args[0]))
	case OpAnd:
		return e.junction(t.args, false)
	case OpOr:
		return e.junction(t.args, true)
	case OpImplies:
		p := e.eval(t.args[0])
		if b, ok := p.Bool(); ok && !b {
			return BoolValue(true)
		}
		q := e.eval(t.args[1])
		if q.IsTrue() || p.IsTrue() {
			return q
		}
		return Value{}
	case OpEq:
		return equal(e.eval(t.args[0]), e.eval(t.args[1]))
	case OpDistinct:
		return e.distinct(t.args)
	case OpIte:
		c, known := e.eval(t.args[0]).Bool()
		switch {
		case known && c:
			return e.eval(t.args[1])
		case known:
			return e.eval(t.args[2])
		}
		a, b := e.eval(t.args[1]), e.eval(t.args[2])
		if eq, ok := a.Equal(b); ok && eq {
			return a
		}
		return Value{}
	case OpForall, OpExists:
		return e.quantifier(t)
	}
	args := make([]Value, len(t.args))
	for i, a := range t.args {
		if args[i] = e.eval(a); !args[i].Defined() {
			return Value{}
		}
	}
	switch t.op {
	case OpSelect:
		return args[0].Select(args[1])
	case OpStore:
		return args[0].store(args[1], args[2])
	case OpConstArray:
		return Value{sort: t.sort, array: &arrayValue{els: args[0]}}
	case OpApply:
		return e.apply(t, args)
	}
	if args[0].sort == Int {
		return evalInt(t, args)
	}
	return evalBV(t, args)
}

func (e *evaluator) variable(t *Term) Value {
	if v, ok := e.local[t]; ok {
		return v
	}
	if v, ok := e.model[t.name]; ok && v.sort == t.sort {
		return v
	}
	return Zero(t.sort)
}

// junction is Or if stop is true, And if not: one argument that is stop settles it.
func (e *evaluator) junction(args []*Term, stop bool) Value {
	unknown := false
	for _, a := range args {
		b, ok := e.eval(a).Bool()
		if ok && b == stop {
			return BoolValue(stop)
		}
		unknown = unknown || !ok
	}
	if unknown {
		return Value{}
	}
	return BoolValue(!stop)
}

func (e *evaluator) distinct(args []*Term) Value {
	unknown := false
	for i, a := range args {
		for _, b := range args[:i] {
			eq, ok := e.eval(a).Equal(e.eval(b))
			if ok && eq {
				return BoolValue(false)
			}
			unknown = unknown || !ok
		}
	}
	if unknown {
		return Value{}
	}
	return BoolValue(true)
}

func (e *evaluator) quantifier(t *Term) Value {
	bits := 0
	for _, v := range t.bound {
		switch v.sort.kind {
		case boolSort:
			bits++
		case bvSort:
			bits += v.sort.width
		default:
			return Value{}
		}
	}
	if bits > enumerable {
		return Value{}
	}
	exists := t.op == OpExists
	unknown := false
	for n := range 1 << bits {
		inner := evaluator{model: e.model, local: map[*Term]Value{}, memo: map[*Term]Value{}, calls: e.calls}
		for k, v := range e.local {
			inner.local[k] = v
		}
		rest := big.NewInt(int64(n))
		for _, v := range t.bound {
			w := max(v.sort.width, 1)
			inner.local[v] = Value{sort: v.sort, num: new(big.Int).And(rest, ones(w))}
			rest = new(big.Int).Rsh(rest, uint(w))
		}
		b, ok := inner.eval(t.args[0]).Bool()
		if ok && b == exists {
			return BoolValue(exists)
		}
		unknown = unknown || !ok
	}
	if unknown {
		return Value{}
	}
	return BoolValue(!exists)
}

func (e *evaluator) apply(t *Term, args []Value) Value {
	f := e.model[t.fn.name].function
	if f == nil || len(f.params) != len(args) || f.body.sort != t.sort ||
		!slices.EqualFunc(f.params, args, func(p *Term, a Value) bool { return p.sort == a.sort }) {
		return Zero(t.sort)
	}
	if e.calls >= maxCalls {
		return Value{}
	}
	inner := evaluator{model: e.model, local: map[*Term]Value{}, memo: map[*Term]Value{}, calls: e.calls + 1}
	for i, p := range f.params {
		inner.local[p] = args[i]
	}
	return inner.eval(f.body)
}

func not(v Value) Value {
	b, ok := v.Bool()
	if !ok {
		return Value{}
	}
	return BoolValue(!b)
}

func equal(a, b Value) Value {
	eq, ok := a.Equal(b)
	if !ok {
		return Value{}
	}
	return BoolValue(eq)
}

func evalInt(t *Term, args []Value) Value {
	x := args[0].num
	if t.op == OpNeg {
		return Value{sort: Int, num: new(big.Int).Neg(x)}
	}
	r := new(big.Int).Set(x)
	for _, a := range args[1:] {
		y := a.num
		switch t.op {
		case OpAdd:
			r.Add(r, y)
		case OpSub:
			r.Sub(r, y)
		case OpMul:
			r.Mul(r, y)
		case OpLe:
			return BoolValue(x.Cmp(y) <= 0)
		case OpLt:
			return BoolValue(x.Cmp(y) < 0)
		case OpDiv, OpMod:
			if y.Sign() == 0 {
				return Value{}
			}
			q, m := new(big.Int).DivMod(x, y, new(big.Int))
			if t.op == OpDiv {
				return Value{sort: Int, num: q}
			}
			return Value{sort: Int, num: m}
		default:
			return Value{}
		}
	}
	return Value{sort: Int, num: r}
}

func evalBV(t *Term, args []Value) Value {
	x, w := args[0].num, args[0].sort.width
	result := func(v *big.Int) Value { return Value{sort: t.sort, num: wrap(v, t.sort.width)} }
	switch t.op {
	case OpBVNot:
		return result(new(big.Int).Not(x))
	case OpBVNeg:
		return result(new(big.Int).Neg(x))
	case OpConcat:
		v := new(big.Int).Lsh(x, uint(args[1].sort.width))
		return result(v.Or(v, args[1].num))
	case OpExtract:
		return result(new(big.Int).Rsh(x, uint(t.j)))
	case OpZeroExt:
		return result(new(big.Int).Set(x))
	case OpSignExt:
		return result(new(big.Int).Set(signed(x, w)))
	case OpBVUlt, OpBVUle, OpBVSlt, OpBVSle:
		return BoolValue(holdsBV(t.op, x, args[1].num, w))
	case OpBVAdd, OpBVSub, OpBVMul, OpBVUDiv, OpBVURem, OpBVAnd, OpBVOr, OpBVXor, OpBVShl, OpBVLshr, OpBVAshr:
		return result(foldBV(t.op, x, args[1].num, w))
	}
	return Value{}
}
