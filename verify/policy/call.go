package policy

import (
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"

	"github.com/interlock/interlock/verify/smt"
)

func (t *translator) call(e ast.Expr, env names) result {
	c := e.AsCall()
	args := c.Args()
	if c.IsMemberFunction() {
		args = append([]ast.Expr{c.Target()}, args...)
	}
	switch name := c.FunctionName(); name { // those that do not evaluate all arguments, or not strictly
	case operators.LogicalAnd:
		return t.and(t.eval(args[0], env), t.eval(args[1], env))
	case operators.LogicalOr:
		return t.not(t.and(t.not(t.eval(args[0], env)), t.not(t.eval(args[1], env))))
	case operators.Conditional:
		cond := t.eval(args[0], env)
		if cond.v == nil {
			return cond
		}
		r := t.choose(as[boolean](t, cond.v).t, t.eval(args[1], env), t.eval(args[2], env))
		return result{r.v, t.b.Or(cond.err, r.err)}
	case operators.NotStrictlyFalse:
		x := t.eval(args[0], env)
		if x.v == nil {
			return t.ok(boolean{t.b.True()})
		}
		return t.ok(boolean{t.b.Or(x.err, as[boolean](t, x.v).t)})
	case operators.OptSelect:
		return t.optSelect(args, env)
	case "or", "orValue":
		return t.orElse(name, t.eval(args[0], env), t.eval(args[1], env))
	}
	vs := make([]value, len(args))
	err := t.b.False()
	for i, a := range args {
		x := t.eval(a, env)
		vs[i], err = x.v, t.b.Or(err, x.err)
	}
	if isTrue(err) {
		return t.failed()
	}
	r := t.strict(e, c.FunctionName(), vs)
	return result{r.v, t.b.Or(err, r.err)}
}

// and absorbs: one side that is false makes it false whatever the other is.
func (t *translator) and(x, y result) result {
	v := func(r result) *smt.Term {
		if r.v == nil {
			return t.b.True()
		}
		return t.b.Or(r.err, as[boolean](t, r.v).t)
	}
	both := t.b.And(v(x), v(y))
	return result{boolean{both}, t.b.And(both, t.b.Or(x.err, y.err))}
}

func (t *translator) not(x result) result {
	if x.v == nil {
		return x
	}
	return result{boolean{t.b.Not(as[boolean](t, x.v).t)}, x.err}
}

// strict is a function of values.
func (t *translator) strict(e ast.Expr, name string, vs []value) result {
	switch name {
	case operators.LogicalNot:
		return t.not(t.ok(vs[0]))
	case operators.Equals:
		return t.ok(boolean{t.equal(vs[0], vs[1])})
	case operators.NotEquals:
		return t.ok(boolean{t.b.Not(t.equal(vs[0], vs[1]))})
	case operators.Less:
		return t.less(vs[0], vs[1], false)
	case operators.LessEquals:
		return t.less(vs[0], vs[1], true)
	case operators.Greater:
		return t.less(vs[1], vs[0], false)
	case operators.GreaterEquals:
		return t.less(vs[1], vs[0], true)
	case operators.Add:
		return t.add(vs[0], vs[1])
	case operators.Subtract:
		return t.subtract(vs[0], vs[1])
	case operators.Multiply:
		return t.multiply(vs[0], vs[1])
	case operators.Divide, operators.Modulo:
		return t.divide(name, vs[0], vs[1])
	case operators.Negate:
		return t.negate(vs[0])
	case operators.Index:
		return t.index(vs[0], vs[1])
	case operators.In:
		return t.in(vs[0], vs[1])
	case overloads.Size:
		return t.size(vs[0])
	case overloads.StartsWith, overloads.EndsWith, overloads.Contains:
		return t.search(name, vs[0], vs[1])
	case overloads.TypeConvertString:
		return t.toString(vs[0])
	case operators.OptIndex:
		return t.optIndex(vs[0], vs[1])
	case "optional.of", "optional.none", "optional.ofNonZeroValue", "hasValue", "value":
		return t.optionalCall(name, vs)
	case "cel.@mapInsert":
		return t.mapInsert(vs)
	case "ratio":
		return t.ratioOf(vs)
	case "floor":
		f := t.floorRatio(as[ratio](t, vs[0]))
		return t.int64(f)
	case "dominantShare":
		return t.dominantShare(as[mapping](t, vs[0]), as[mapping](t, vs[1]))
	case "sum":
		return t.sum(as[list](t, vs[0]), t.expr.AST().GetType(e.ID()).Kind() == types.IntKind)
	case "min", "max":
		return t.extreme(name, vs)
	}
	if t.more != nil {
		if r, ok := t.more(t, name, vs); ok {
			return r
		}
	}
	panic(t.unprovable("the function %s", name))
}

// int64 is x, or an error where it does not fit.
func (t *translator) int64(x integer) result {
	r := result{integer{x.t, x.in.clip()}, t.b.False()}
	if x.in.lo.Cmp(minInt) < 0 {
		r.err = t.b.Or(r.err, t.b.Lt(x.t, t.b.IntBig(minInt)))
	}
	if x.in.hi.Cmp(maxInt) > 0 {
		r.err = t.b.Or(r.err, t.b.Gt(x.t, t.b.IntBig(maxInt)))
	}
	return r
}

// rational is v, an int or a Ratio, as a ratio.
func (t *translator) rational(v value) ratio {
	if x, ok := v.(integer); ok {
		return t.whole(x)
	}
	return as[ratio](t, v)
}

func isRatio(v value) bool { _, ok := v.(ratio); return ok }

func (t *translator) add(x, y value) result {
	switch a := x.(type) {
	case integer:
		b := as[integer](t, y)
		return t.int64(integer{t.b.Add(a.t, b.t), a.in.add(b.in)})
	case ratio:
		return t.ok(t.bounded(t.addRatio(a, t.rational(y))))
	case list:
		b := as[list](t, y)
		return t.ok(t.checked(append(append(list(nil), a...), b...)))
	case text:
		return t.combine(a, as[text](t, y), func(s, u string) value { return t.str(s + u) })
	}
	panic(t.unprovable("+ of a %s", x.kind()))
}

// combine is f of whatever strings two texts are.
func (t *translator) combine(a, b text, f func(s, u string) value) result {
	if len(a)*len(b) > maxOptions {
		panic(t.unprovable("a choice between more than %d strings", maxOptions))
	}
	return pick(t, a, func(s string) result {
		return pick(t, b, func(u string) result { return t.ok(f(s, u)) })
	})
}

func (t *translator) subtract(x, y value) result {
	if isRatio(x) {
		return t.ok(t.bounded(t.addRatio(as[ratio](t, x), t.negRatio(t.rational(y)))))
	}
	a, b := as[integer](t, x), as[integer](t, y)
	return t.int64(integer{t.b.Sub(a.t, b.t), a.in.add(b.in.neg())})
}

func (t *translator) multiply(x, y value) result {
	if isRatio(x) {
		return t.ok(t.bounded(t.mulRatio(as[ratio](t, x), t.rational(y))))
	}
	a, b := as[integer](t, x), as[integer](t, y)
	return t.int64(integer{t.b.Mul(a.t, b.t), a.in.mul(b.in)})
}

// divide is / and %, which round towards zero. SMT-LIB's leave a remainder that is not negative.
func (t *translator) divide(name string, x, y value) result {
	if isRatio(x) {
		r, zero := t.divRatio(as[ratio](t, x), t.rational(y))
		return result{t.bounded(r), zero}
	}
	a, b := as[integer](t, x), as[integer](t, y)
	bad, by := t.b.False(), b.t
	if b.in.has(0) {
		bad = t.b.Eq(b.t, t.b.Int(0))
		by = t.b.Ite(bad, t.b.Int(1), b.t) // so that no solver has to say what a division by zero is
	}
	if b.in.has(-1) && a.in.lo.Cmp(minInt) == 0 {
		bad = t.b.Or(bad, t.b.And(t.b.Eq(b.t, t.b.Int(-1)), t.b.Eq(a.t, t.b.IntBig(minInt))))
	}
	negative := t.b.Lt(a.t, t.b.Int(0))
	if a.in.natural() {
		negative = t.b.False()
	}
	size := t.b.Ite(negative, t.b.Neg(a.t), a.t)
	m := a.in.magnitude()
	in := interval{new(big.Int).Neg(m), m}
	if a.in.natural() && (name == operators.Modulo || b.in.natural()) {
		in.lo = new(big.Int)
	}
	op := t.b.Div
	if name == operators.Modulo {
		op = t.b.Mod
	}
	q := op(size, by)
	return result{integer{t.b.Ite(negative, t.b.Neg(q), q), in.clip()}, bad}
}

func (t *translator) negate(x value) result {
	if isRatio(x) {
		return t.ok(t.negRatio(as[ratio](t, x)))
	}
	a := as[integer](t, x)
	return t.int64(integer{t.b.Neg(a.t), a.in.neg()})
}

func (t *translator) less(x, y value, orEqual bool) result {
	switch a := x.(type) {
	case integer:
		b, ok := y.(integer)
		if !ok {
			return t.ok(boolean{t.lessRatio(t.whole(a), as[ratio](t, y), orEqual)})
		}
		switch {
		case a.in.hi.Cmp(b.in.lo) < 0 || orEqual && a.in.hi.Cmp(b.in.lo) == 0:
			return t.ok(boolean{t.b.True()})
		case b.in.hi.Cmp(a.in.lo) < 0 || !orEqual && b.in.hi.Cmp(a.in.lo) == 0:
			return t.ok(boolean{t.b.False()})
		case orEqual:
			return t.ok(boolean{t.b.Le(a.t, b.t)})
		}
		return t.ok(boolean{t.b.Lt(a.t, b.t)})
	case ratio:
		return t.ok(boolean{t.lessRatio(a, t.rational(y), orEqual)})
	case text:
		return t.combine(a, as[text](t, y), func(s, u string) value {
			return boolean{t.b.Bool(s < u || orEqual && s == u)}
		})
	}
	panic(t.unprovable("an order of values of type %s", x.kind()))
}

func (t *translator) equal(x, y value) *smt.Term {
	if same(x, y) {
		return t.b.True()
	}
	switch a := x.(type) {
	case boolean:
		return t.b.Eq(a.t, as[boolean](t, y).t)
	case integer:
		return t.b.Eq(a.t, as[integer](t, y).t)
	case ratio:
		return t.equalRatio(a, as[ratio](t, y))
	case text:
		return equalOptions(t, a, as[text](t, y))
	case thing:
		return equalOptions(t, a, as[thing](t, y))
	case list:
		return t.equalLists(a, as[list](t, y))
	case mapping:
		return t.equalMaps(a, as[mapping](t, y))
	case optional:
		b := as[optional](t, y)
		if a.v == nil || b.v == nil {
			return t.b.And(t.b.Not(a.on), t.b.Not(b.on))
		}
		return t.b.And(t.b.Eq(a.on, b.on), t.b.Or(t.b.Not(a.on), t.equal(a.v, b.v)))
	}
	panic(t.unprovable("equality of values of type %s", x.kind()))
}

func equalOptions[T comparable](t *translator, a, b []option[T]) *smt.Term {
	var some []*smt.Term
	for _, o := range a {
		for _, p := range b {
			if o.is == p.is {
				some = append(some, t.b.And(o.when, p.when))
			}
		}
	}
	return t.b.Or(some...)
}

func (t *translator) toString(v value) result {
	switch v := v.(type) {
	case text:
		return t.ok(v)
	case boolean:
		return t.choose(v.t, t.ok(t.str("true")), t.ok(t.str("false")))
	case integer:
		if n, ok := v.t.ConstInt(); ok {
			return t.ok(t.str(n.String()))
		}
	}
	panic(t.unprovable("the digits of a number: string() is for messages"))
}

func (t *translator) search(name string, x, y value) result {
	find := map[string]func(s, u string) bool{
		overloads.StartsWith: strings.HasPrefix, overloads.EndsWith: strings.HasSuffix, overloads.Contains: strings.Contains,
	}[name]
	return t.combine(as[text](t, x), as[text](t, y), func(s, u string) value { return boolean{t.b.Bool(find(s, u))} })
}

func (t *translator) size(v value) result {
	switch v := v.(type) {
	case text:
		return pick(t, v, func(s string) result { return t.ok(t.number(int64(utf8.RuneCountInString(s)))) })
	case list:
		return t.ok(t.count(v))
	case mapping:
		var l list
		for _, e := range v.entries {
			l = append(l, e.item)
		}
		return t.ok(t.count(l))
	}
	panic(t.unprovable("the size of a %s", v.kind()))
}

// ratioOf is ratio(a) and ratio(a, b).
func (t *translator) ratioOf(vs []value) result {
	r := t.whole(as[integer](t, vs[0]))
	if len(vs) == 1 {
		return t.ok(r)
	}
	q, zero := t.divRatio(r, t.whole(as[integer](t, vs[1])))
	return result{q, zero}
}

// dominantShare is the largest of the shares usage/capacity, at least 0. Of a resource that is not used the capacity does not matter.
func (t *translator) dominantShare(usage, capacity mapping) result {
	best := ratio{}
	err := t.b.False()
	for _, e := range usage.entries {
		if e.v == nil {
			continue
		}
		held := as[integer](t, e.v)
		used := t.b.And(e.on, t.b.Not(t.b.Eq(held.t, t.b.Int(0))))
		if isFalse(used) {
			continue
		}
		c, found := capacity.find(e.key)
		if !found || c.v == nil {
			err = t.b.Or(err, used)
			continue
		}
		all := as[integer](t, c.v)
		none := t.b.Not(c.on)
		if !all.in.positive() {
			none = t.b.Or(none, t.b.Le(all.t, t.b.Int(0)))
		}
		if !held.in.natural() {
			none = t.b.Or(none, t.b.And(t.isOurs(usage), t.isOurs(capacity), t.b.Lt(held.t, t.b.Int(0))))
		}
		err = t.b.Or(err, t.b.And(used, none))
		over := held.factor()
		if !isTrue(e.on) {
			over = factor{t.b.Ite(e.on, held.t, t.b.Int(0)), held.in.join(between(0, 0))}
		}
		under := all.factor()
		if !all.in.positive() {
			under = factor{t.b.Ite(t.b.Le(all.t, t.b.Int(0)), t.b.Int(1), all.t), interval{big.NewInt(1), maxOf(all.in.hi, big.NewInt(1))}}
		}
		best = append(best, t.over(over, &under))
	}
	if len(best) == 0 {
		best = constant(new(big.Rat))
	}
	for _, f := range best {
		if !t.natural(f) {
			best = append(best, constant(new(big.Rat))...)
			break
		}
	}
	return result{best, err}
}

func (t *translator) sum(l list, ints bool) result {
	if !ints {
		total := constant(new(big.Rat))
		for _, x := range l {
			next := t.addRatio(total, as[ratio](t, x.v))
			total = t.mergeRatio(x.on, t.bounded(next), total)
		}
		return t.ok(total)
	}
	total := t.ok(t.number(0))
	for _, x := range l {
		next := t.add(total.v, x.v)
		next.err = t.b.Or(total.err, next.err)
		total = t.choose(x.on, next, total)
	}
	return total
}

// extreme is min and max: of a list, which must not be empty, or of arguments.
func (t *translator) extreme(name string, vs []value) result {
	l, ok := vs[0].(list)
	if !ok {
		for _, v := range vs {
			l = append(l, item{t.b.True(), v})
		}
	}
	some := t.b.False()
	var best value
	for _, x := range l {
		if best == nil {
			best, some = x.v, x.on
			continue
		}
		better := t.less(x.v, best, false)
		if name == "max" {
			better = t.less(best, x.v, false)
		}
		r, isRatio := best.(ratio)
		if isRatio && name == "max" && isTrue(x.on) && isTrue(some) && !t.known {
			best = append(append(ratio(nil), r...), as[ratio](t, x.v)...)
			continue
		}
		best = t.merge(t.b.And(x.on, t.b.Or(t.b.Not(some), as[boolean](t, better.v).t)), x.v, best)
		some = t.b.Or(some, x.on)
	}
	if best == nil {
		return t.failed()
	}
	return result{best, t.b.Not(some)}
}
