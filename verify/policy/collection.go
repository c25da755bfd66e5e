package policy

import (
	"github.com/google/cel-go/common/ast"

	"github.com/interlock/interlock/verify/smt"
)

func (t *translator) count(l list) integer {
	var terms []*smt.Term
	n, most := int64(0), int64(0)
	for _, x := range l {
		most++
		if isTrue(x.on) {
			n++
		} else {
			terms = append(terms, t.b.Ite(x.on, t.b.Int(1), t.b.Int(0)))
		}
	}
	return integer{t.b.Add(append(terms, t.b.Int(n))...), between(n, most)}
}

// nth is the element at index i: on says whether there is one.
func (t *translator) nth(l list, i *smt.Term) item {
	var out item
	out.on = t.b.False()
	at, before := t.b.Int(0), int64(0)
	sparse := false
	for _, x := range l {
		if !sparse {
			at = t.b.Int(before)
		}
		here := t.b.And(x.on, t.b.Eq(i, at))
		if !isFalse(here) {
			out = item{t.b.Or(out.on, here), t.merge(here, x.v, out.v)}
		}
		if sparse = sparse || !isTrue(x.on); sparse {
			at = t.b.Add(at, t.b.Ite(x.on, t.b.Int(1), t.b.Int(0)))
		}
		before++
	}
	return out
}

func (t *translator) index(of, at value) result {
	x := t.lookup(of, at)
	if x.v == nil {
		return t.failed()
	}
	return result{x.v, t.b.Not(x.on)}
}

// lookup is the element of a list at an index, or of a map at a key.
func (t *translator) lookup(of, at value) item {
	switch of := of.(type) {
	case list:
		return t.nth(of, as[integer](t, at).t)
	case mapping:
		found := pick(t, as[text](t, at), func(key string) result {
			x, ok := of.find(key)
			if !ok || x.v == nil {
				return t.failed()
			}
			return result{x.v, t.b.Not(x.on)}
		})
		return item{t.b.Not(found.err), found.v}
	}
	panic(t.unprovable("an index into a %s", of.kind()))
}

func (t *translator) in(x, of value) result {
	switch of := of.(type) {
	case list:
		var some []*smt.Term
		for _, y := range of {
			some = append(some, t.b.And(y.on, t.equal(x, y.v)))
		}
		return t.ok(boolean{t.b.Or(some...)})
	case mapping:
		return t.ok(boolean{t.lookup(of, x).on})
	}
	panic(t.unprovable("in a %s", of.kind()))
}

func (t *translator) equalLists(a, b list) *smt.Term {
	if t.dense(a) && t.dense(b) {
		if len(a) != len(b) {
			return t.b.False()
		}
		all := make([]*smt.Term, len(a))
		for i := range a {
			all[i] = t.equal(a[i].v, b[i].v)
		}
		return t.b.And(all...)
	}
	all := []*smt.Term{t.b.Eq(t.count(a).t, t.count(b).t)}
	for i := range min(len(a), len(b)) {
		x, y := t.nth(a, t.b.Int(int64(i))), t.nth(b, t.b.Int(int64(i)))
		if x.v == nil || y.v == nil {
			continue
		}
		all = append(all, t.b.Or(t.b.Not(x.on), t.b.Not(y.on), t.equal(x.v, y.v)))
	}
	return t.b.And(all...)
}

func (t *translator) equalMaps(a, b mapping) *smt.Term {
	var all []*smt.Term
	for _, e := range a.entries {
		x, ok := b.find(e.key)
		if !ok || x.v == nil || e.v == nil {
			all = append(all, t.b.Not(e.on))
			if ok {
				all = append(all, t.b.Not(x.on))
			}
			continue
		}
		all = append(all, t.b.Eq(e.on, x.on), t.b.Or(t.b.Not(e.on), t.equal(e.v, x.v)))
	}
	for _, e := range b.entries {
		if _, ok := a.find(e.key); !ok {
			all = append(all, t.b.Not(e.on))
		}
	}
	return t.b.And(all...)
}

// mapInsert is what the macros that make maps use: a key that is there already is an error.
func (t *translator) mapInsert(vs []value) result {
	m := as[mapping](t, vs[0])
	r := t.ok(m)
	insert := func(key string, x item) {
		old, ok := m.find(key)
		if ok {
			r.err = t.b.Or(r.err, t.b.And(old.on, x.on))
			x = item{t.b.Or(old.on, x.on), t.merge(x.on, x.v, old.v)}
		}
		m = m.set(key, x)
	}
	if len(vs) == 3 {
		for _, o := range as[text](t, vs[1]) {
			insert(o.is, item{o.when, vs[2]})
		}
	} else {
		for _, e := range as[mapping](t, vs[1]).entries {
			if e.v != nil {
				insert(e.key, e.item)
			}
		}
	}
	r.v = m
	return r
}

func (t *translator) optionalOf(r result) result {
	if r.v == nil {
		return t.ok(optional{on: t.b.False()})
	}
	return t.ok(optional{t.b.Not(r.err), r.v})
}

// through is f of what an optional holds: none stays none. With test, whether something is found.
func (t *translator) through(of result, o optional, f func(value) result, test bool) result {
	found := optional{on: t.b.False()}
	if o.v != nil {
		x := as[optional](t, f(o.v).v)
		found = optional{t.b.And(o.on, x.on), x.v}
	}
	if test {
		return result{boolean{found.on}, of.err}
	}
	return result{found, of.err}
}

// optSelect is x.?name.
func (t *translator) optSelect(args []ast.Expr, env names) result {
	of := t.eval(args[0], env)
	if of.v == nil {
		return of
	}
	name := string(args[1].AsLiteral().Value().(string))
	o, ok := of.v.(optional)
	if !ok {
		o = optional{t.b.True(), of.v}
	}
	return t.through(of, o, func(v value) result { return t.optionalOf(t.field(v, name)) }, false)
}

// optIndex is x[?i].
func (t *translator) optIndex(of, at value) result {
	o, ok := of.(optional)
	if !ok {
		o = optional{t.b.True(), of}
	}
	return t.through(t.ok(of), o, func(v value) result {
		x := t.lookup(v, at)
		return t.ok(optional(x))
	}, false)
}

func (t *translator) optionalCall(name string, vs []value) result {
	switch name {
	case "optional.none":
		return t.ok(optional{on: t.b.False()})
	case "optional.of":
		return t.ok(optional{t.b.True(), vs[0]})
	case "optional.ofNonZeroValue":
		return t.ok(optional{t.b.Not(t.zero(vs[0])), vs[0]})
	case "hasValue":
		return t.ok(boolean{as[optional](t, vs[0]).on})
	case "value":
		o := as[optional](t, vs[0])
		return result{o.v, t.b.Not(o.on)}
	}
	panic(t.unprovable("the function %s", name))
}

// zero says that v is what its type counts as no value.
func (t *translator) zero(v value) *smt.Term {
	switch v := v.(type) {
	case boolean:
		return t.b.Not(v.t)
	case integer:
		return t.b.Eq(v.t, t.b.Int(0))
	case text:
		return equalOptions(t, v, t.str(""))
	case list:
		return t.b.Eq(t.count(v).t, t.b.Int(0))
	}
	panic(t.unprovable("whether a %s is zero", v.kind()))
}

// orElse is or and orValue: the right side is looked at only if the left has nothing.
func (t *translator) orElse(name string, x, y result) result {
	if x.v == nil {
		return x
	}
	o := as[optional](t, x.v)
	left := t.ok(o.v)
	if name == "or" {
		left = t.ok(o)
	}
	if o.v == nil {
		left = y
	}
	r := t.choose(o.on, left, y)
	return result{r.v, t.b.Or(x.err, r.err)}
}
