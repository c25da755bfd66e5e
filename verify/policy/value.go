package policy

import (
	"math/big"
	"slices"
	"sort"

	"github.com/interlock/interlock/verify/smt"
)

// A result is what an expression evaluates to: where err holds, an error, and the value says nothing; elsewhere the value.
type result struct {
	v   value
	err *smt.Term
}

// A value is one of boolean, integer, ratio, text, list, mapping, thing and optional. Its shape (which elements a list may have, which
// keys a map) is known; what may depend on the input are terms.
type value interface{ kind() string }

type boolean struct{ t *smt.Term }

// integer is a CEL int: t is its value, which lies in within wherever there is no error.
type integer struct {
	t  *smt.Term
	in interval
}

// text is a string: one of finitely many. The conditions exclude each other, and one of them holds wherever there is no error.
type text []option[string]

// thing is a tenant, params or variables: one of finitely many, as text.
type thing []option[*object]

type option[T any] struct {
	when *smt.Term
	is   T
}

// object has fields that are evaluated when they are read. Two objects are equal if and only if they are the same.
type object struct {
	name  string
	field func(t *translator, name string) (result, bool)
}

// list holds those of its items that are present, in their order.
type list []item

type item struct {
	on *smt.Term
	v  value
}

// mapping is a map with strings as keys, sorted. Ordered ones may be gone through.
type mapping struct {
	entries []entry
	ordered bool
	// ours says where it is one of the maps over all resources that the engine makes; nil: nowhere.
	ours *smt.Term
}

type entry struct {
	key string
	item
}

// space is the set of resources of an allocation.
type space struct{ names []string }

type optional struct {
	on *smt.Term
	v  value // nil when on is false
}

func (boolean) kind() string  { return "bool" }
func (integer) kind() string  { return "int" }
func (text) kind() string     { return "string" }
func (thing) kind() string    { return "object" }
func (list) kind() string     { return "list" }
func (mapping) kind() string  { return "map" }
func (optional) kind() string { return "optional" }
func (ratio) kind() string    { return "Ratio" }

// interval bounds an integer, both ends included.
type interval struct{ lo, hi *big.Int }

var minInt, maxInt = big.NewInt(-1 << 63), big.NewInt(1<<63 - 1)

func between(lo, hi int64) interval { return interval{big.NewInt(lo), big.NewInt(hi)} }

func int64s() interval { return interval{minInt, maxInt} }

func (i interval) positive() bool { return i.lo.Sign() > 0 }
func (i interval) natural() bool  { return i.lo.Sign() >= 0 }
func (i interval) has(x int64) bool {
	b := big.NewInt(x)
	return i.lo.Cmp(b) <= 0 && b.Cmp(i.hi) <= 0
}

// clip is the part of i that fits an int; all of them if there is none, which is then an error anyway.
func (i interval) clip() interval {
	c := interval{i.lo, i.hi}
	if c.lo.Cmp(minInt) < 0 {
		c.lo = minInt
	}
	if c.hi.Cmp(maxInt) > 0 {
		c.hi = maxInt
	}
	if c.lo.Cmp(c.hi) > 0 {
		return int64s()
	}
	return c
}

func (i interval) join(j interval) interval {
	k := i
	if j.lo.Cmp(k.lo) < 0 {
		k.lo = j.lo
	}
	if j.hi.Cmp(k.hi) > 0 {
		k.hi = j.hi
	}
	return k
}

func (i interval) add(j interval) interval {
	return interval{new(big.Int).Add(i.lo, j.lo), new(big.Int).Add(i.hi, j.hi)}
}

func (i interval) neg() interval { return interval{new(big.Int).Neg(i.hi), new(big.Int).Neg(i.lo)} }

func (i interval) mul(j interval) interval {
	var all []*big.Int
	for _, a := range [2]*big.Int{i.lo, i.hi} {
		for _, b := range [2]*big.Int{j.lo, j.hi} {
			all = append(all, new(big.Int).Mul(a, b))
		}
	}
	return interval{slices.MinFunc(all, (*big.Int).Cmp), slices.MaxFunc(all, (*big.Int).Cmp)}
}

// magnitude is the largest absolute value.
func (i interval) magnitude() *big.Int {
	a, b := new(big.Int).Abs(i.lo), new(big.Int).Abs(i.hi)
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}

// choose is a where c holds and b elsewhere.
func (t *translator) choose(c *smt.Term, a, b result) result {
	if known, ok := c.ConstBool(); ok {
		if known {
			return a
		}
		return b
	}
	r := result{err: t.b.Ite(c, a.err, b.err)}
	switch {
	case isTrue(a.err):
		r.v = b.v
	case isTrue(b.err):
		r.v = a.v
	default:
		r.v = t.merge(c, a.v, b.v)
	}
	return r
}

// merge is a where c holds and b elsewhere; both are of one type.
func (t *translator) merge(c *smt.Term, a, b value) value {
	if known, ok := c.ConstBool(); ok {
		if known {
			return a
		}
		return b
	}
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	switch a := a.(type) {
	case boolean:
		return boolean{t.b.Ite(c, a.t, as[boolean](t, b).t)}
	case integer:
		b := as[integer](t, b)
		return integer{t.b.Ite(c, a.t, b.t), a.in.join(b.in)}
	case ratio:
		return t.mergeRatio(c, a, as[ratio](t, b))
	case text:
		return text(mergeOptions(t, c, a, as[text](t, b)))
	case thing:
		return thing(mergeOptions(t, c, a, as[thing](t, b)))
	case list:
		return t.mergeList(c, a, as[list](t, b))
	case mapping:
		return t.mergeMap(c, a, as[mapping](t, b))
	case optional:
		b := as[optional](t, b)
		return optional{t.b.Ite(c, a.on, b.on), t.merge(c, a.v, b.v)}
	}
	panic(t.unprovable("a choice between values of type %s", a.kind()))
}

// maxOptions bounds between how many strings or objects one value may choose.
const maxOptions = 256

func mergeOptions[T comparable](t *translator, c *smt.Term, a, b []option[T]) []option[T] {
	var out []option[T]
	for _, o := range a {
		when := t.b.And(c, o.when)
		for _, p := range b {
			if p.is == o.is {
				when = t.b.Ite(c, o.when, p.when)
			}
		}
		out = append(out, option[T]{when, o.is})
	}
	for _, p := range b {
		if !slices.ContainsFunc(a, func(o option[T]) bool { return o.is == p.is }) {
			out = append(out, option[T]{t.b.And(t.b.Not(c), p.when), p.is})
		}
	}
	if len(out) > maxOptions {
		panic(t.unprovable("a choice between more than %d values", maxOptions))
	}
	return out
}

// maxItems bounds how many items a list may have.
const maxItems = 4096

func (t *translator) mergeList(c *smt.Term, a, b list) list {
	n := 0
	for n < len(a) && n < len(b) && a[n].on == b[n].on && same(a[n].v, b[n].v) {
		n++
	}
	out := slices.Clone(a[:n])
	not := t.b.Not(c)
	if len(a) == len(b) && t.dense(a[n:]) && t.dense(b[n:]) {
		for i := n; i < len(a); i++ {
			out = append(out, item{t.b.True(), t.merge(c, a[i].v, b[i].v)})
		}
		return out
	}
	for _, x := range a[n:] {
		out = append(out, item{t.b.And(c, x.on), x.v})
	}
	for _, x := range b[n:] {
		out = append(out, item{t.b.And(not, x.on), x.v})
	}
	return t.checked(out)
}

func (t *translator) checked(l list) list {
	l = slices.DeleteFunc(l, func(x item) bool { return isFalse(x.on) })
	if len(l) > maxItems {
		panic(t.unprovable("a list of more than %d elements", maxItems))
	}
	return l
}

func (t *translator) dense(l list) bool {
	return !slices.ContainsFunc(l, func(x item) bool { return !isTrue(x.on) })
}

func (t *translator) mergeMap(c *smt.Term, a, b mapping) mapping {
	m := mapping{ordered: a.ordered && b.ordered}
	if a.ours != nil || b.ours != nil {
		m.ours = t.b.Ite(c, t.isOurs(a), t.isOurs(b))
	}
	for _, x := range a.entries {
		y, ok := b.find(x.key)
		if !ok {
			m.entries = append(m.entries, entry{x.key, item{t.b.And(c, x.on), x.v}})
			continue
		}
		m.entries = append(m.entries, entry{x.key, item{t.b.Ite(c, x.on, y.on), t.merge(c, x.v, y.v)}})
	}
	for _, y := range b.entries {
		if _, ok := a.find(y.key); !ok {
			m.entries = append(m.entries, entry{y.key, item{t.b.And(t.b.Not(c), y.on), y.v}})
		}
	}
	m.sort()
	return m
}

func (t *translator) isOurs(m mapping) *smt.Term {
	if m.ours == nil {
		return t.b.False()
	}
	return m.ours
}

func (m mapping) find(key string) (item, bool) {
	for _, e := range m.entries {
		if e.key == key {
			return e.item, true
		}
	}
	return item{}, false
}

// set is m with key bound to v.
func (m mapping) set(key string, x item) mapping {
	out := mapping{entries: slices.DeleteFunc(slices.Clone(m.entries), func(e entry) bool { return e.key == key })}
	out.entries = append(out.entries, entry{key, x})
	out.sort()
	return out
}

func (m mapping) sort() {
	sort.Slice(m.entries, func(i, j int) bool { return m.entries[i].key < m.entries[j].key })
}

// same is a cheap test that two values are one; false says nothing.
func same(a, b value) bool {
	switch a := a.(type) {
	case boolean:
		b, ok := b.(boolean)
		return ok && a.t == b.t
	case integer:
		b, ok := b.(integer)
		return ok && a.t == b.t
	case text:
		b, ok := b.(text)
		return ok && slices.Equal(a, b)
	case thing:
		b, ok := b.(thing)
		return ok && slices.Equal(a, b)
	case ratio:
		b, ok := b.(ratio)
		return ok && a.equal(b)
	case list:
		b, ok := b.(list)
		return ok && slices.EqualFunc(a, b, func(x, y item) bool { return x.on == y.on && same(x.v, y.v) })
	}
	return false
}

func isTrue(t *smt.Term) bool  { v, ok := t.ConstBool(); return ok && v }
func isFalse(t *smt.Term) bool { v, ok := t.ConstBool(); return ok && !v }

// as is v as a T. That it is one follows from the checker's types.
func as[T value](t *translator, v value) T {
	x, ok := v.(T)
	if !ok {
		var want T
		have := "nothing"
		if v != nil {
			have = v.kind()
		}
		panic(t.unprovable("a %s where a %s is wanted", have, want.kind()))
	}
	return x
}
