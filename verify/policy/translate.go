package policy

import (
	"fmt"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify/smt"
)

// An Unprovable says what of an expression has no translation, and where.
type Unprovable struct {
	At     sharing.Position
	Reason string
}

func (u *Unprovable) Error() string { return fmt.Sprintf("%s: not provable: %s", u.At, u.Reason) }

// source is a checked expression with its place in a document; *sharing.Expression is one.
type source interface {
	AST() *ast.AST
	Position(id int64) sharing.Position
}

// names gives the identifiers of an expression their values.
type names func(t *translator, name string) (result, bool)

// maxWork bounds the nodes that one translation visits: comprehensions are unrolled.
const maxWork = 200_000

// translator turns one checked tree into terms. Nested ones (a variable in an expression) share the builder and the work.
type translator struct {
	b    *smt.Builder
	expr source
	at   int64 // the node under translation
	work *int
	// more gives functions beyond those of policies their meaning; nil: there are none.
	more func(t *translator, name string, args []value) (result, bool)
	// known says that every input has one value: then maxima are chosen as they come, and sums of them stay short. Else they are kept, for
	// what comparisons can cancel.
	known bool
}

// translate evaluates e symbolically. The error is an *Unprovable.
func translate(b *smt.Builder, e source, env names) (result, error) {
	return translateWith(b, e, env, nil)
}

// translateWith is translate with further functions.
func translateWith(b *smt.Builder, e source, env names, more func(*translator, string, []value) (result, bool)) (r result, err error) {
	return (&translator{b: b, expr: e, work: new(int), more: more}).translate(env)
}

func (t *translator) translate(env names) (r result, err error) {
	defer catch(&err)
	return t.eval(t.expr.AST().Expr(), env), nil
}

// catch makes an error of what unprovable panics with.
func catch(err *error) {
	switch p := recover().(type) {
	case nil:
	case *Unprovable:
		*err = p
	default:
		panic(p)
	}
}

// nested evaluates another expression of the document, which this one reads.
func (t *translator) nested(e source, env names) result {
	inner := &translator{b: t.b, expr: e, work: t.work, more: t.more, known: t.known}
	return inner.eval(e.AST().Expr(), env)
}

// unprovable is what the translator panics with; catch recovers it.
func (t *translator) unprovable(format string, args ...any) *Unprovable {
	return &Unprovable{t.expr.Position(t.at), fmt.Sprintf(format, args...)}
}

func (t *translator) ok(v value) result { return result{v, t.b.False()} }

// failed is an error whatever the input is.
func (t *translator) failed() result { return result{nil, t.b.True()} }

func (t *translator) eval(e ast.Expr, env names) result {
	if *t.work++; *t.work > maxWork {
		panic(t.unprovable("the expression unrolls to more than %d steps", maxWork))
	}
	outer := t.at
	t.at = e.ID()
	defer func() { t.at = outer }()
	switch e.Kind() {
	case ast.LiteralKind:
		return t.ok(t.literal(e))
	case ast.IdentKind:
		r, ok := env(t, e.AsIdent())
		if !ok {
			panic(t.unprovable("%s has no meaning here", e.AsIdent()))
		}
		return r
	case ast.SelectKind:
		return t.selected(e.AsSelect(), env)
	case ast.CallKind:
		return t.call(e, env)
	case ast.ListKind:
		return t.listLiteral(e.AsList(), env)
	case ast.MapKind:
		return t.mapLiteral(e.AsMap(), env)
	case ast.ComprehensionKind:
		return t.comprehension(e.AsComprehension(), env)
	}
	panic(t.unprovable("an expression of this form"))
}

func (t *translator) literal(e ast.Expr) value {
	switch v := e.AsLiteral().(type) {
	case types.Bool:
		return boolean{t.b.Bool(bool(v))}
	case types.Int:
		return t.number(int64(v))
	case types.String:
		return t.str(string(v))
	default:
		panic(t.unprovable("a literal of type %s", v.Type().TypeName()))
	}
}

func (t *translator) number(n int64) integer { return integer{t.b.Int(n), between(n, n)} }

func (t *translator) str(s string) text { return text{{t.b.True(), s}} }

// selected is a field of an object or the value of a map's key; for has() whether there is one.
func (t *translator) selected(s ast.SelectExpr, env names) result {
	of := t.eval(s.Operand(), env)
	if of.v == nil {
		return of
	}
	if o, ok := of.v.(optional); ok { // an optional's field is an optional
		return t.through(of, o, func(v value) result { return t.optionalOf(t.field(v, s.FieldName())) }, s.IsTestOnly())
	}
	if s.IsTestOnly() {
		switch v := of.v.(type) {
		case mapping:
			x, found := v.find(s.FieldName())
			if !found {
				x.on = t.b.False()
			}
			return result{boolean{x.on}, of.err}
		case thing:
			return result{boolean{t.b.True()}, of.err}
		}
		panic(t.unprovable("has() of a %s", of.v.kind()))
	}
	f := t.field(of.v, s.FieldName())
	return result{f.v, t.b.Or(of.err, f.err)}
}

func (t *translator) field(v value, name string) result {
	switch v := v.(type) {
	case mapping:
		x, found := v.find(name)
		if !found {
			return t.failed()
		}
		return result{x.v, t.b.Not(x.on)}
	case thing:
		return pick(t, v, func(o *object) result {
			f, ok := o.field(t, name)
			if !ok {
				panic(t.unprovable("field %s of %s", name, o.name))
			}
			return f
		})
	}
	panic(t.unprovable("a field of a %s", v.kind()))
}

// pick is f of whichever option it is.
func pick[T any](t *translator, options []option[T], f func(T) result) result {
	if len(options) == 0 {
		return t.failed()
	}
	last := len(options) - 1
	r := f(options[last].is)
	for i := last - 1; i >= 0; i-- {
		r = t.choose(options[i].when, f(options[i].is), r)
	}
	return r
}

func (t *translator) listLiteral(l ast.ListExpr, env names) result {
	opt := map[int32]bool{}
	for _, i := range l.OptionalIndices() {
		opt[i] = true
	}
	r := result{list{}, t.b.False()}
	var out list
	for i, e := range l.Elements() {
		x := t.eval(e, env)
		r.err = t.b.Or(r.err, x.err)
		switch {
		case x.v == nil:
		case opt[int32(i)]:
			o := as[optional](t, x.v)
			if o.v != nil {
				out = append(out, item(o))
			}
		default:
			out = append(out, item{t.b.True(), x.v})
		}
	}
	r.v = t.checked(out)
	return r
}

func (t *translator) mapLiteral(m ast.MapExpr, env names) result {
	out := mapping{}
	err := t.b.False()
	for _, e := range m.Entries() {
		x := e.AsMapEntry()
		k, v := t.eval(x.Key(), env), t.eval(x.Value(), env)
		err = t.b.Or(err, k.err, v.err)
		if k.v == nil || v.v == nil {
			continue
		}
		name := t.key(k.v)
		entry := item{t.b.True(), v.v}
		if x.IsOptional() {
			o := as[optional](t, v.v)
			entry = item(o)
			if o.v == nil {
				entry = item{t.b.False(), nil}
			}
		}
		out = out.set(name, entry)
	}
	if err != nil && isTrue(err) {
		return t.failed()
	}
	return result{out, err}
}

// key is the one string that a key written in a map is.
func (t *translator) key(v value) string {
	s, ok := v.(text)
	if !ok {
		panic(t.unprovable("a map with keys of type %s: only names are", v.kind()))
	}
	if len(s) != 1 {
		panic(t.unprovable("a map's key that depends on the input"))
	}
	return s[0].is
}

// comprehension unrolls a macro's loop as cel-go runs it: a condition that is an error does not end it.
func (t *translator) comprehension(c ast.ComprehensionExpr, env names) result {
	over := t.eval(c.IterRange(), env)
	if over.v == nil {
		return over
	}
	first, second := t.steps(over.v, c.HasIterVar2())
	accu := t.eval(c.AccuInit(), env)
	with := func(accu, x, y result) names {
		return func(t *translator, name string) (result, bool) {
			switch {
			case name == c.AccuVar():
				return accu, true
			case name == c.IterVar():
				return x, true
			case c.HasIterVar2() && name == c.IterVar2():
				return y, true
			}
			return env(t, name)
		}
	}
	going := t.b.True()
	absorbs := absorbing(c)
	for i, x := range first {
		y := result{}
		if second != nil {
			y = t.ok(second[i])
		}
		inner := with(accu, t.ok(x.v), y)
		if !absorbs {
			cond := t.eval(c.LoopCondition(), inner)
			if cond.v != nil {
				stop := t.b.And(x.on, t.b.Not(cond.err), t.b.Not(as[boolean](t, cond.v).t))
				going = t.b.And(going, t.b.Not(stop))
			}
			if isFalse(going) {
				break
			}
		}
		accu = t.choose(t.b.And(x.on, going), t.eval(c.LoopStep(), inner), accu)
	}
	r := t.eval(c.Result(), func(t *translator, name string) (result, bool) {
		if name == c.AccuVar() {
			return accu, true
		}
		return env(t, name)
	})
	return result{r.v, t.b.Or(over.err, r.err)}
}

// absorbing: the loop is that of all or exists, which may go on after it is settled, because && and || absorb what follows.
func absorbing(c ast.ComprehensionExpr) bool {
	if c.LoopStep().Kind() != ast.CallKind || c.LoopCondition().Kind() != ast.CallKind {
		return false
	}
	step, cond := c.LoopStep().AsCall(), c.LoopCondition().AsCall()
	isAccu := func(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == c.AccuVar() }
	if cond.FunctionName() != operators.NotStrictlyFalse || len(step.Args()) != 2 || !isAccu(step.Args()[0]) {
		return false
	}
	until := cond.Args()[0]
	switch step.FunctionName() {
	case operators.LogicalAnd:
		return isAccu(until)
	case operators.LogicalOr:
		return until.Kind() == ast.CallKind && until.AsCall().FunctionName() == operators.LogicalNot && isAccu(until.AsCall().Args()[0])
	}
	return false
}

// steps is what a loop goes through: elements, or keys; with a second variable indices and elements, or keys and values.
func (t *translator) steps(over value, two bool) (first list, second []value) {
	switch over := over.(type) {
	case list:
		if !two {
			return over, nil
		}
		at := t.number(0)
		for _, x := range over {
			first = append(first, item{x.on, at})
			second = append(second, x.v)
			at = integer{t.b.Add(at.t, t.b.Ite(x.on, t.b.Int(1), t.b.Int(0))), at.in.join(at.in.add(between(0, 1)))}
		}
		return first, second
	case mapping:
		if !over.ordered {
			panic(t.unprovable("going through a map that is written here: it has no order"))
		}
		for _, e := range over.entries {
			if e.v == nil {
				continue
			}
			first = append(first, item{e.on, t.str(e.key)})
			if two {
				second = append(second, e.v)
			}
		}
		return first, second
	}
	panic(t.unprovable("going through a %s", over.kind()))
}
