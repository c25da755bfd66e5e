package policy

import (
	"fmt"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify/smt"
)

// state is an allocation in the making, in terms: what package policy calls a State. It holds for whatever its variables are within their
// intervals, where facts hold.
type state struct {
	b         *smt.Builder
	policy    *sharing.Policy
	bounds    Bounds
	space     *space
	tenants   []*member
	capacity  []integer
	free      []integer
	variables []variable
}

// variable is an input, with what it may be.
type variable struct {
	t  *smt.Term
	in interval
}

// member is a tenant of a state. Amounts are by resource, in the order of the space.
type member struct {
	name                string
	weight, budget, vid integer
	target              ratio
	facts
	was                           facts // when the policy was asked before
	usage, demand, rest, min, max []integer
	held                          []integer
	quantum                       []integer // the largest of its quanta, by resource
	stopped                       *smt.Term
	self, old                     *object
}

// facts are those about a tenant that change while the control loop runs.
type facts struct {
	active           boolean
	utility, balance ratio
}

// newState has variables for everything; prefix tells those of different states apart. A name in fixed has one value.
func newState(b *smt.Builder, p *sharing.Policy, bounds Bounds, prefix string) *state {
	s := &state{b: b, policy: p, bounds: bounds, space: &space{bounds.Resources}}
	amount := func(name string, in interval) integer { return s.integer(prefix+name, in) }
	for _, r := range bounds.Resources {
		s.capacity = append(s.capacity, amount("capacity "+r, bounds.capacity(r)))
		s.free = append(s.free, amount("free "+r, bounds.free()))
	}
	for i, name := range bounds.Tenants {
		m := &member{name: name}
		of := func(what string) string { return what + " of " + name }
		m.weight = amount(of("weight"), bounds.weight(i))
		m.budget = amount(of("budget"), bounds.budget(i))
		m.vid = amount(of("vid"), bounds.vid(i))
		m.active = boolean{s.flag(prefix + of("active"))}
		m.was.active = boolean{s.flag(prefix + of("old active"))}
		m.stopped = s.flag(prefix + of("stopped"))
		m.balance = s.rational(prefix+of("balance"), int64s())
		m.was.balance = s.rational(prefix+of("old balance"), int64s())
		m.utility = s.rational(prefix+of("utility"), between(0, 1<<63-1))
		m.was.utility = s.rational(prefix+of("old utility"), between(0, 1<<63-1))
		m.target = s.rational(prefix+of("target"), between(0, 1<<63-1))
		for _, r := range bounds.Resources {
			for _, v := range []struct {
				what string
				to   *[]integer
			}{
				{"usage", &m.usage},
				{"demand", &m.demand},
				{"rest", &m.rest},
				{"min", &m.min},
				{"max", &m.max},
				{"held", &m.held},
				{"quantum", &m.quantum},
			} {
				*v.to = append(*v.to, amount(of(v.what+" "+r), between(0, 1<<63-1)))
			}
		}
		s.tenants = append(s.tenants, m)
	}
	s.bind()
	return s
}

func (s *state) integer(name string, in interval) integer {
	if in.lo.Cmp(in.hi) == 0 {
		return integer{s.b.IntBig(in.lo), in}
	}
	v := integer{s.b.Var(name, smt.Int), in}
	s.variables = append(s.variables, variable{v.t, in})
	return v
}

func (s *state) flag(name string) *smt.Term {
	t := s.b.Var(name, smt.Bool)
	s.variables = append(s.variables, variable{t: t})
	return t
}

// rational is any fraction with a numerator in num and a denominator of at most 63 bits.
func (s *state) rational(name string, num interval) ratio {
	t := s.translator(s.policy.Rank())
	n, d := s.integer(name+" (numerator)", num), s.integer(name+" (denominator)", between(1, 1<<63-1))
	den := d.factor()
	return ratio{t.over(n.factor(), &den)}
}

// bind makes the objects that expressions see the tenants as.
func (s *state) bind() {
	for _, m := range s.tenants {
		m.self, m.old = s.object(m, false), s.object(m, true)
	}
}

// object is m as expressions see it, now or under the allocation that is in force.
func (s *state) object(m *member, old bool) *object {
	o := &object{name: "tenant " + m.name}
	usage, demand, known := m.usage, m.demand, m.facts
	if old {
		known = m.was
		usage, demand = m.held, make([]integer, len(m.held))
		for i := range demand {
			demand[i] = integer{s.b.Int(0), between(0, 0)}
		}
	}
	o.field = func(t *translator, name string) (result, bool) {
		switch name {
		case "name":
			return t.ok(t.str(m.name)), true
		case "vid":
			return t.ok(m.vid), true
		case "weight":
			return t.ok(m.weight), true
		case "budget":
			return t.ok(m.budget), true
		case "balance":
			return t.ok(known.balance), true
		case "utility":
			return t.ok(known.utility), true
		case "target":
			return t.ok(m.target), true
		case "active":
			return t.ok(known.active), true
		case "usage":
			return t.ok(s.amounts(usage)), true
		case "demand":
			return t.ok(s.amounts(demand)), true
		case "min":
			return t.ok(s.amounts(m.min)), true
		case "max":
			return t.ok(s.amounts(m.max)), true
		case "cost":
			return s.cost(t, m, old), true
		}
		return result{}, false
	}
	return o
}

// amounts is a vector as a map over all resources.
func (s *state) amounts(v []integer) mapping {
	m := mapping{ordered: true, ours: s.b.True()}
	for i, r := range s.space.names {
		m.entries = append(m.entries, entry{r, item{s.b.True(), v[i]}})
	}
	return m
}

// cost is what the policy's price comes to, as a Ratio.
func (s *state) cost(t *translator, m *member, old bool) result {
	price := s.policy.Price()
	if price == nil {
		panic(t.unprovable("the cost under a policy without a price"))
	}
	sc := s.scope(m)
	if old {
		sc = s.scope(nil)
		sc.tenant = m.old
	}
	return t.asRatio(t.nested(price, sc.name))
}

// asRatio is r, an int or a Ratio, as a Ratio.
func (t *translator) asRatio(r result) result {
	if x, ok := r.v.(integer); ok {
		r.v = t.whole(x)
	}
	return r
}

// scope gives the names of an expression about a tenant, or about nobody, their values.
type scope struct {
	s           *state
	tenant, old *object
	params      *object
	variables   *object
	cache       map[string]result
	common      map[string]result // of variables that are about no tenant, where scopes of one state share them; nil: they do not
}

func (s *state) scope(m *member) *scope {
	sc := &scope{s: s, cache: map[string]result{}}
	if m != nil {
		sc.tenant, sc.old = m.self, m.old
	}
	sc.params = &object{name: "params", field: sc.param}
	sc.variables = &object{name: "variables", field: sc.variable}
	return sc
}

func (sc *scope) name(t *translator, name string) (result, bool) {
	one := func(o *object) result {
		if o == nil {
			return t.failed()
		}
		return t.ok(thing{{t.b.True(), o}})
	}
	switch name {
	case "tenant":
		return one(sc.tenant), true
	case "oldTenant":
		return one(sc.old), true
	case "tenants":
		var l list
		for _, m := range sc.s.tenants {
			l = append(l, item{t.b.True(), thing{{t.b.True(), m.self}}})
		}
		return t.ok(l), true
	case "capacity":
		return t.ok(sc.s.amounts(sc.s.capacity)), true
	case "free":
		return t.ok(sc.s.amounts(sc.s.free)), true
	case "params":
		return one(sc.params), true
	case "variables":
		return one(sc.variables), true
	}
	return result{}, false
}

// variable evaluates a variable of the policy, once.
func (sc *scope) variable(t *translator, name string) (result, bool) {
	if r, ok := sc.cache[name]; ok {
		return r, true
	}
	if r, ok := sc.common[name]; ok {
		return r, true
	}
	for _, e := range sc.s.policy.Variables() {
		if e.Name != name {
			continue
		}
		r := t.nested(e, sc.name)
		if m, ok := r.v.(mapping); ok { // package policy gives it an order
			m.ordered = true
			r.v = m
		}
		sc.cache[name] = r
		if sc.common != nil && !e.Tenant() {
			sc.common[name] = r
		}
		return r, true
	}
	return result{}, false
}

func (sc *scope) param(t *translator, name string) (result, bool) {
	for _, p := range sc.s.policy.Params() {
		if p.Name == name {
			return t.ok(t.fixed(p.Value)), true
		}
	}
	return result{}, false
}

// fixed is a value that is known.
func (t *translator) fixed(v ref.Val) value {
	switch v := v.(type) {
	case types.Bool:
		return boolean{t.b.Bool(bool(v))}
	case types.Int:
		return t.number(int64(v))
	case types.String:
		return t.str(string(v))
	case sharing.Ratio:
		return constant(v.Rat())
	case traits.Lister:
		l := list{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			l = append(l, item{t.b.True(), t.fixed(it.Next())})
		}
		return t.checked(l)
	case traits.Mapper:
		m := mapping{ordered: true}
		for it := v.Iterator(); it.HasNext() == types.True; {
			k := it.Next()
			x, _ := v.Find(k)
			m.entries = append(m.entries, entry{fmt.Sprint(k.Value()), item{t.b.True(), t.fixed(x)}})
		}
		m.sort()
		return m
	}
	panic(t.unprovable("a parameter of type %s", v.Type().TypeName()))
}

// ranges says of the variables that they are within their intervals.
func ranges(b *smt.Builder, vars []variable) []*smt.Term {
	var out []*smt.Term
	for _, v := range vars {
		if v.in.lo != nil {
			out = append(out, b.Le(b.IntBig(v.in.lo), v.t), b.Le(v.t, b.IntBig(v.in.hi)))
		}
	}
	return out
}

// sumOf is the sum of integers, unbounded.
func (s *state) sumOf(xs ...integer) *smt.Term {
	ts := make([]*smt.Term, len(xs))
	for i, x := range xs {
		ts[i] = x.t
	}
	return s.b.Add(ts...)
}
