package network

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/plan/model"
	"github.com/interlock/interlock/verify/smt"
)

// logic of all obligations: that of plans, so that a solver's process that has one has the other.
const logic = "QF_LIA"

// Obligations lists what must be proved about a network plan, N1 to N4. It is a pure function of in; e only remembers programs. A plan that
// cannot be read for certain is refused with an *InputError.
func Obligations(in *Input, e *plan.Encoder) ([]verify.Obligation, error) {
	d, err := decode(in, e)
	if err != nil {
		return nil, err
	}
	out := []verify.Obligation{d.binding(e)}
	out = append(out, d.order()...)
	for _, v := range d.written() {
		for r := range in.Rounds {
			out = append(out, d.limits(v, r))
			if o, several := d.floor(v, r); several {
				out = append(out, o)
			}
		}
		out = append(out, d.goal(v))
	}
	return out, nil
}

// claim is an obligation in the making: facts, and what must follow from them.
type claim struct {
	*smt.Builder
	facts, goals []*smt.Term
	ground       bool // the facts only give names to numbers
}

func newClaim() *claim { return &claim{Builder: smt.NewBuilder()} }

func (c *claim) assume(f ...*smt.Term) { c.facts = append(c.facts, f...) }
func (c *claim) prove(g ...*smt.Term)  { c.goals = append(c.goals, g...) }

// define gives a term a name, so that a model shows it.
func (c *claim) define(value *smt.Term, format string, args ...any) *smt.Term {
	t := c.unknown(format, args...)
	c.assume(c.Eq(t, value))
	return t
}

// known is a number of the plan, under a name: the solver does the arithmetic.
func (c *claim) known(value int64, format string, args ...any) *smt.Term {
	return c.define(c.Int(value), format, args...)
}

func (c *claim) unknown(format string, args ...any) *smt.Term {
	return c.Var(fmt.Sprintf(format, args...), smt.Int)
}

func (c *claim) obligation(property, id, subject string) verify.Obligation {
	o := verify.Obligation{ID: property + "/" + id, Property: property, Subject: subject, Logic: logic}
	o.Text = smt.Script(logic, append(slices.Clone(c.facts), c.Not(c.And(c.goals...)))...)
	if !c.ground {
		o.Guard = smt.Script(logic, c.facts...)
	}
	return o
}

// total of the slots of an entry, added up by the solver.
func (c *claim) total(e model.Entry) *smt.Term {
	sum := []*smt.Term{c.Int(0)}
	for _, x := range e {
		sum = append(sum, c.Int(x.Size))
	}
	return c.Add(sum...)
}

func (c *claim) sum(terms []*smt.Term) *smt.Term {
	return c.Add(append([]*smt.Term{c.Int(0)}, terms...)...)
}

func (c *claim) max(x, y *smt.Term) *smt.Term { return c.Ite(c.Le(x, y), y, x) }

// among says that an unknown is the total of one of the entries.
func (c *claim) among(x *smt.Term, entries []model.Entry) *smt.Term {
	var any []*smt.Term
	for _, e := range entries {
		any = append(any, c.Eq(x, c.total(e)))
	}
	return c.Or(any...)
}

// limits is N1 in a round: over the network v has at most its ceiling, or what it had.
func (d *decoded) limits(v uint16, r int) verify.Obligation {
	c := newClaim()
	ceiling, absent := c.known(d.ceilings[v], "ceiling"), c.known(d.absent[v], "absent")
	now, before := []*smt.Term{absent}, []*smt.Term{absent}
	for _, p := range d.places {
		for _, k := range p.keys(v) {
			x := c.unknown("now_%s_%s", p.name, k.Control)
			c.assume(c.among(x, p.courses[k].states[r]))
			now = append(now, x)
			before = append(before, c.define(c.total(p.entries.Pre[k]), "before_%s_%s", p.name, k.Control))
		}
	}
	c.prove(c.Le(c.sum(now), c.max(ceiling, c.sum(before))))
	return c.obligation("N1", fmt.Sprintf("round/%d/%d", r+1, v),
		fmt.Sprintf("tenant %s has at most its ceiling of %d slots over the network, or what it had, all through round %d", d.name(v), d.ceilings[v], r+1))
}

// goal is N1 at the end: v is within its ceiling, or has grown nowhere.
func (d *decoded) goal(v uint16) verify.Obligation {
	c := newClaim()
	ceiling := c.known(d.ceilings[v], "ceiling")
	total := []*smt.Term{c.known(d.absent[v], "absent")}
	var nowhere []*smt.Term
	for _, p := range d.places {
		for _, k := range p.keys(v) {
			x := c.unknown("after_%s_%s", p.name, k.Control)
			had := c.define(c.total(p.entries.Pre[k]), "before_%s_%s", p.name, k.Control)
			c.assume(c.among(x, p.courses[k].final))
			total = append(total, x)
			nowhere = append(nowhere, c.Le(x, had))
		}
	}
	c.prove(c.Or(c.Le(c.sum(total), ceiling), c.And(nowhere...)))
	return c.obligation("N1", fmt.Sprintf("goal/%d", v),
		fmt.Sprintf("tenant %s ends within its ceiling of %d slots over the network, or has grown nowhere", d.name(v), d.ceilings[v]))
}

// order is N2: up to some round nothing grows, and from it on nothing shrinks. Which round that is is a witness: the first in which
// something grows.
func (d *decoded) order() []verify.Obligation {
	grants := len(d.in.Rounds)
	for r := range d.in.Rounds {
		grows := func(p *place) bool {
			for _, c := range p.courses {
				for _, m := range c.moves[r] {
					for stage := range stages(m) {
						if size(m[1], stage) > size(m[0], stage) {
							return true
						}
					}
				}
			}
			return false
		}
		if slices.ContainsFunc(d.places, grows) {
			grants = r
			break
		}
	}
	var out []verify.Obligation
	for r := range d.in.Rounds {
		for _, p := range d.places {
			c := newClaim()
			c.ground = true
			for _, k := range sortedKeys(p.courses) {
				for i, m := range p.courses[k].moves[r] {
					for stage := range stages(m) {
						from := c.known(size(m[0], stage), "from_%s_%d_%d_%d", k.Control, stage, k.VID, i)
						to := c.known(size(m[1], stage), "to_%s_%d_%d_%d", k.Control, stage, k.VID, i)
						if r < grants {
							c.prove(c.Le(to, from))
						} else {
							c.prove(c.Le(from, to))
						}
					}
				}
			}
			if len(c.goals) == 0 {
				continue
			}
			what := "grows"
			if r >= grants {
				what = "shrinks"
			}
			out = append(out, c.obligation("N2", fmt.Sprintf("round/%d/%s", r+1, p.name),
				fmt.Sprintf("in round %d nothing %s on switch %s: every switch takes before any gives", r+1, what, p.name)))
		}
	}
	return out
}

func stages(m [2]model.Entry) int { return max(len(m[0]), len(m[1])) }

// size of an entry's extent in a stage, 0 where there is none.
func size(e model.Entry, stage int) int64 {
	if stage < len(e) {
		return e[stage].Size
	}
	return 0
}

func sortedKeys(m map[model.Key]*course) []model.Key {
	var out []model.Key
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, model.Key.Compare)
	return out
}

// floor is N3 in a round. There is nothing to prove of a tenant that has a floor on one switch only.
func (d *decoded) floor(v uint16, r int) (o verify.Obligation, several bool) {
	c := newClaim()
	var low, total, owed []*smt.Term
	for _, p := range d.places {
		var here []*smt.Term // in some stage it has less than it is owed
		var has, floor []*smt.Term
		for _, k := range p.keys(v) {
			states := p.courses[k].states[r]
			for stage := range p.entries.Pre[k] {
				least := p.entries.Limits[model.Place{Array: model.Array{Control: k.Control, Stage: stage}, VID: k.VID}].Floor
				f := c.known(least, "floor_%s_%s_%d", p.name, k.Control, stage)
				had := c.known(size(p.entries.Pre[k], stage), "had_%s_%s_%d", p.name, k.Control, stage)
				x := c.unknown("now_%s_%s_%d", p.name, k.Control, stage)
				due := c.Ite(c.Le(f, had), f, had)
				here, has, floor = append(here, c.Lt(x, due)), append(has, x), append(floor, due)
			}
			var any []*smt.Term // one entry has all its stages at once
			for _, e := range states {
				var all []*smt.Term
				for stage := range p.entries.Pre[k] {
					all = append(all, c.Eq(c.unknown("now_%s_%s_%d", p.name, k.Control, stage), c.Int(size(e, stage))))
				}
				any = append(any, c.And(all...))
			}
			c.assume(c.Or(any...))
		}
		if len(here) == 0 {
			continue
		}
		low = append(low, c.Ite(c.Or(here...), c.Int(1), c.Int(0)))
		total, owed = append(total, c.sum(has)), append(owed, c.sum(floor))
	}
	if len(low) < 2 {
		return o, false
	}
	c.prove(c.Le(c.sum(low), c.Int(1)))
	var but []*smt.Term // the sum of the floors but one
	for i := range owed {
		but = append(but, c.Le(c.Sub(c.sum(owed), owed[i]), c.sum(total)))
	}
	c.prove(c.Or(but...))
	return c.obligation("N3", fmt.Sprintf("round/%d/%d", r+1, v),
		fmt.Sprintf("tenant %s has less than its floor on one switch at most, all through round %d", d.name(v), r+1)), true
}

// binding is N4: sorted by names, neighbours with one name have one VID; sorted by VIDs, neighbours with one VID have one name. That the
// orders are orders is proved with it. Names stand for numbers: equal ones for equal names.
func (d *decoded) binding(e *plan.Encoder) verify.Obligation {
	o := verify.Obligation{ID: "N4/tenants", Property: "N4", Logic: logic, Subject: "a VID is one tenant's on every switch, and a tenant has one VID"}
	key := []byte("network tenants")
	for _, p := range d.places {
		key = fmt.Appendf(key, "\n%q", p.name)
		for _, t := range p.plan.Tenants {
			key = fmt.Appendf(key, " %s=%d", t.Name, t.VID)
		}
	}
	o.Text, o.Guard = e.Texts(string(key), func() (string, string) {
		c := d.bindings().obligation("N4", "tenants", o.Subject)
		return c.Text, c.Guard
	})
	return o
}

// bindings states N4.
func (d *decoded) bindings() *claim {
	c := newClaim()
	c.ground = true
	type registered struct {
		name, vid   int64
		nameT, vidT *smt.Term
	}
	var names []string
	for _, p := range d.places {
		for _, t := range p.plan.Tenants {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	var all []registered
	for _, p := range d.places {
		for i, t := range p.plan.Tenants {
			n, _ := slices.BinarySearch(names, t.Name)
			all = append(all, registered{
				int64(n), int64(t.VID), c.known(int64(n), "name_%s_%d", p.name, i), c.known(int64(t.VID), "vid_%s_%d", p.name, i),
			})
		}
	}
	chain := func(key func(registered) (int64, *smt.Term), value func(registered) *smt.Term) {
		slices.SortStableFunc(all, func(x, y registered) int {
			a, _ := key(x)
			b, _ := key(y)
			return cmp.Compare(a, b)
		})
		for i := 1; i < len(all); i++ {
			_, x := key(all[i-1])
			_, y := key(all[i])
			c.prove(c.Or(c.Lt(x, y), c.And(c.Eq(x, y), c.Eq(value(all[i-1]), value(all[i])))))
		}
	}
	byName := func(x registered) (int64, *smt.Term) { return x.name, x.nameT }
	byVID := func(x registered) (int64, *smt.Term) { return x.vid, x.vidT }
	chain(byName, func(x registered) *smt.Term { return x.vidT })
	chain(byVID, func(x registered) *smt.Term { return x.nameT })
	return c
}

// name is what people call the owner of a VID.
func (d *decoded) name(v uint16) string {
	if n, ok := d.names[v]; ok {
		return fmt.Sprintf("%s (VID %d)", n, v)
	}
	return fmt.Sprintf("VID %d", v)
}
