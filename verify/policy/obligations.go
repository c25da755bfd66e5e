package policy

import (
	"fmt"
	"slices"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// goal is one thing to show of a statement: under assumptions, which must be possible, claims hold.
type goal struct {
	what    string // in the user's words: "whenever b is granted something"
	state   *state // whose variables a model gives values to
	assumed []*smt.Term
	// order says whose turn it is by the policy's rank. Most claims hold whoever is served next, and are easier to decide so.
	order []*smt.Term
	claim *smt.Term
	// other is the state that differs in one field, for Monotone; about is whom the statement is about.
	other *state
	about *member
}

// effort is how much of what is assumed goes into a goal's text. Leaving some out proves more than was claimed, and is often easier to decide.
type effort int

const (
	near     effort = iota // what is about the same variables as the claim
	unranked               // all but whose turn it is
	whole
)

// obligation is a goal as texts; the guard has all that is assumed always.
func (g goal) obligation(id, subject string, e effort) verify.Obligation {
	b := g.state.b
	assumed, claim := g.split()
	switch e {
	case near:
		assumed, claim = g.near()
	case whole:
		assumed = slices.Concat(assumed, g.order)
	}
	texts := append(append(ranges(b, g.used(append(slices.Clone(assumed), claim))), assumed...), b.Not(claim))
	logic := logicOf(texts)
	if logic != "QF_LIA" {
		texts = append(texts, hints(b, assumed, texts)...)
	}
	possible := append(slices.Clone(g.assumed), g.order...)
	possible = append(ranges(b, g.used(possible)), possible...)
	var values []smt.Definition
	if m := g.witness(possible); m != nil {
		for _, v := range smt.Free(possible...) {
			values = append(values, smt.Definition{Name: v, Value: literal(b, v, m)})
		}
	}
	return verify.Obligation{
		ID: id, Property: "Y", Subject: subject + ": " + g.what, Logic: logic,
		Text: smt.Script(logic, texts...), Guard: smt.ScriptWith(logicOf(possible), values, possible...),
	}
}

// literal is the value of v under m.
func literal(b *smt.Builder, v *smt.Term, m smt.Model) *smt.Term {
	x := smt.Eval(v, m)
	if v.Sort().IsBool() {
		return b.Bool(x.IsTrue())
	}
	return b.IntBig(x.Int())
}

// used are the variables that ts mention.
func (g goal) used(ts []*smt.Term) []variable {
	free := map[*smt.Term]bool{}
	for _, t := range smt.Free(ts...) {
		free[t] = true
	}
	all := g.state.variables
	if g.other != nil {
		all = append(slices.Clone(all), g.other.variables...)
	}
	return slices.DeleteFunc(slices.Clone(all), func(v variable) bool { return !free[v.t] })
}

// logicOf is QF_LIA, or QF_NIA where variables are multiplied or divided by each other.
func logicOf(ts []*smt.Term) string {
	seen := map[*smt.Term]bool{}
	var linear func(t *smt.Term) bool
	linear = func(t *smt.Term) bool {
		if seen[t] {
			return true
		}
		seen[t] = true
		args := t.Args()
		switch t.Op() {
		case smt.OpMul:
			if !args[0].IsConst() && !args[1].IsConst() {
				return false
			}
		case smt.OpDiv, smt.OpMod:
			if !args[1].IsConst() {
				return false
			}
		}
		for _, a := range args {
			if !linear(a) {
				return false
			}
		}
		return true
	}
	for _, t := range ts {
		if !linear(t) {
			return "QF_NIA"
		}
	}
	return "QF_LIA"
}

// goals are what has to be shown for a statement. The error is an *Unprovable.
func (p *Proof) goals(st *Statement, bounds Bounds) (gs []goal, err error) {
	defer catch(&err)
	s := newState(smt.NewBuilder(), p.policy, bounds, "")
	switch st.Form {
	case Books:
		return p.inductive(s, st, func(s *state) (*smt.Term, error) { return s.b.And(s.facts()...), nil })
	case Limits:
		return p.inductive(s, st, func(s *state) (*smt.Term, error) {
			var all []*smt.Term
			for _, m := range s.tenants {
				r, err := s.admitted(m)
				if err != nil {
					return nil, err
				}
				all = append(all, s.b.Or(none(s.b, m.usage), yes(s.b, r)))
			}
			return s.b.And(all...), nil
		})
	case Always:
		return p.inductive(s, st, func(s *state) (*smt.Term, error) { return s.holdsAt(st.expr) })
	case Closes:
		return p.closes(s, st)
	case Finally:
		return p.final(s, st)
	case Monotone:
		return p.monotone(s, st)
	case Admits:
		return p.admits(s, st)
	case Sound:
		return p.sound(s, st)
	}
	panic("policy: a statement of form " + string(st.Form))
}

// given is what the statement assumes of the input, and the statements that it takes for granted, in s.
func (p *Proof) given(s *state, st *Statement) ([]*smt.Term, error) {
	out := s.inputs()
	for _, e := range st.given {
		t, err := s.holdsAt(e)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	for _, name := range st.using {
		for _, u := range p.statements {
			if u.Name != name {
				continue
			}
			t, err := s.holdsAt(u.expr)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// inductive: the claim holds at the start, and no decision breaks it.
func (p *Proof) inductive(s *state, st *Statement, claim func(*state) (*smt.Term, error)) ([]goal, error) {
	given, err := p.given(s, st)
	if err != nil {
		return nil, err
	}
	now, err := claim(s)
	if err != nil {
		return nil, err
	}
	start := goal{what: "at the start", state: s, claim: now}
	start.assumed = append(append(start.assumed, given...), s.started()...)
	gs := []goal{start}
	before := append(append(slices.Clone(given), s.facts()...), now)
	for k, m := range s.tenants {
		granted, stopped, err := s.grants(k)
		if err != nil {
			return nil, err
		}
		for _, c := range []struct {
			what string
			step
		}{{fmt.Sprintf("when tenant %s is granted a quantum", m.name), granted}, {fmt.Sprintf("when tenant %s is served no more", m.name), stopped}} {
			then, err := claim(c.after)
			if err != nil {
				return nil, err
			}
			if then == now {
				continue // the decision changes nothing that the claim reads
			}
			for _, e := range st.given {
				if err := p.steady(e, s, c.after); err != nil {
					return nil, err
				}
			}
			gs = append(gs, goal{what: c.what, state: s, assumed: append(slices.Clone(before), c.holds...), order: c.order, claim: then, about: m})
		}
	}
	return gs, nil
}

// everywhere is the goal that a claim holds in every state that keeps the books, if that is not found to be wrong at once.
func (p *Proof) everywhere(st *Statement, bounds Bounds) (gs []goal, err error) {
	if st.Form != Always || len(st.given) > 0 {
		return nil, nil
	}
	defer catch(&err)
	s := newState(smt.NewBuilder(), p.policy, bounds, "")
	g := goal{what: "in every state", state: s}
	if g.assumed, err = p.given(s, st); err != nil {
		return nil, err
	}
	g.assumed = append(g.assumed, s.facts()...)
	if g.claim, err = s.holdsAt(st.expr); err != nil {
		return nil, err
	}
	if g.witness(append(slices.Clone(g.assumed), s.b.Not(g.claim))) != nil {
		return nil, nil
	}
	return []goal{g}, nil
}

// closes: whenever a tenant is served no more, the claim holds of it.
func (p *Proof) closes(s *state, st *Statement) ([]goal, error) {
	given, err := p.given(s, st)
	if err != nil {
		return nil, err
	}
	var gs []goal
	for k, m := range s.tenants {
		_, stopped, err := s.grants(k)
		if err != nil {
			return nil, err
		}
		r, err := s.at(st.expr, m)
		if err != nil {
			return nil, err
		}
		g := goal{
			what: fmt.Sprintf("when tenant %s is served no more", m.name), state: s, about: m, order: stopped.order, claim: yes(s.b, r),
			assumed: append(slices.Clone(given), s.facts()...),
		}
		g.assumed = append(g.assumed, stopped.holds...)
		gs = append(gs, g)
	}
	return gs, nil
}

// steady refuses an assumption about the input that reads what the filling changes.
func (p *Proof) steady(e *expression, before, after *state) error {
	x, err := before.holdsAt(e)
	if err != nil {
		return err
	}
	y, err := after.holdsAt(e)
	if err != nil {
		return err
	}
	if x != y {
		return &Unprovable{e.Position(e.AST().Expr().ID()), "given is about the input, and this changes during the filling"}
	}
	return nil
}

// final: the claim holds in every allocation that the validations admit when nobody is served any more.
func (p *Proof) final(s *state, st *Statement) ([]goal, error) {
	given, err := p.given(s, st)
	if err != nil {
		return nil, err
	}
	valid, err := s.valid()
	if err != nil {
		return nil, err
	}
	claim, err := s.holdsAt(st.expr)
	if err != nil {
		return nil, err
	}
	g := goal{what: "at the end", state: s, claim: claim, assumed: append(given, s.facts()...)}
	g.assumed = append(append(g.assumed, s.ended()...), yes(s.b, valid))
	return []goal{g}, nil
}

// monotone: of two tenants that differ in one field, the expression of the one with more is not less, or not more.
func (p *Proof) monotone(s *state, st *Statement) ([]goal, error) {
	given, err := p.given(s, st)
	if err != nil {
		return nil, err
	}
	var gs []goal
	for k, m := range s.tenants {
		more := *m
		to, most := &more.weight, int64(maxWeight)
		in := s.bounds.weight(k)
		if st.field == "budget" {
			to, in, most = &more.budget, s.bounds.budget(k), 1<<63-1
		}
		if in.lo.Cmp(in.hi) == 0 {
			in = between(in.lo.Int64(), most) // the site's, or more
		}
		other := *s
		other.variables = nil
		from := *to
		*to = other.integer("then "+st.field+" of "+m.name, in)
		changed := s.with(k, &more, s.free)
		changed.variables = other.variables
		x, err := s.at(st.expr, m)
		if err != nil {
			return nil, err
		}
		y, err := changed.at(st.expr, changed.tenants[k])
		if err != nil {
			return nil, err
		}
		if x.v == nil {
			continue // never a value
		}
		low, high := x, y
		if st.is == "falling" {
			low, high = y, x
		}
		t := s.translator(st.expr)
		var order *smt.Term
		switch {
		case y.v == nil:
			order = s.b.False()
		case st.expr.Type.Kind() == boolKind:
			order = s.b.Implies(low.v.(boolean).t, high.v.(boolean).t)
		default:
			order = t.less(low.v, high.v, true).v.(boolean).t
		}
		g := goal{
			what: fmt.Sprintf("when tenant %s has more %s", m.name, st.field), state: s, other: changed, about: m,
			claim:   s.b.Or(x.err, s.b.And(s.b.Not(y.err), order)),
			assumed: append(slices.Clone(given), s.b.Lt(from.t, to.t), s.b.Not(x.err)),
		}
		also, err := p.given(changed, st)
		if err != nil {
			return nil, err
		}
		g.assumed = append(append(g.assumed, also...), s.facts()...)
		gs = append(gs, g)
	}
	return gs, nil
}

// admits: an allocation that the other policy admits is admitted by this one.
func (p *Proof) admits(s *state, st *Statement) ([]goal, error) {
	given, err := p.given(s, st)
	if err != nil {
		return nil, err
	}
	theirs := *s
	theirs.policy = st.other
	other := theirs.with(0, s.tenants[0], s.free)
	admitted, err := other.isAdmitted()
	if err != nil {
		return nil, err
	}
	claim, err := s.isAdmitted()
	if err != nil {
		return nil, err
	}
	g := goal{what: "an allocation that " + st.other.Name() + " admits", state: s, claim: claim, assumed: append(given, s.facts()...)}
	g.assumed = append(g.assumed, admitted)
	return []goal{g}, nil
}

// isAdmitted says that the policy admits the state, as sharing.State.Admits decides it; that nothing is exceeded is among the facts.
func (s *state) isAdmitted() (*smt.Term, error) {
	var all []*smt.Term
	for _, m := range s.tenants {
		r, err := s.admitted(m)
		if err != nil {
			return nil, err
		}
		all = append(all, s.b.Or(none(s.b, m.usage), yes(s.b, r)))
	}
	valid, err := s.valid()
	if err != nil {
		return nil, err
	}
	return s.b.And(append(all, yes(s.b, valid))...), nil
}

// sound: no expression ends in an error, whomever it is about. Limits see the state after a grant, which is a state as well.
func (p *Proof) sound(s *state, st *Statement) ([]goal, error) {
	given, err := p.given(s, st)
	if err != nil {
		return nil, err
	}
	var gs []goal
	for _, e := range p.policy.Expressions() {
		if decides(e) {
			about := []*member{nil}
			if e.Tenant() {
				about = s.tenants
			}
			var fine []*smt.Term
			for _, m := range about {
				r, err := translate(s.b, e, s.scope(m).name)
				if err != nil {
					return nil, err
				}
				fine = append(fine, s.b.Not(r.err))
			}
			g := goal{
				what: fmt.Sprintf("the %s at %s", e.Role, e.At), state: s, claim: s.b.And(fine...),
				assumed: append(slices.Clone(given), s.facts()...),
			}
			gs = append(gs, g)
		}
	}
	return gs, nil
}
