package program

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// How P7 compares: values field by field, and events one by one.

// only is the one cut of that name. That there is none, or more than one, is claimed to happen for no packet.
func (x *equivalence) only(name, step, subject string, reached *smt.Term, at syntax.Node) *cut {
	cuts := x.linked.pair.cuts[name]
	if len(cuts) == 0 {
		x.claimed(step, subject, site{
			pc: reached, bad: x.b.True(), at: x.linked.info.Main.Decl,
			what: fmt.Sprintf("a packet of tenant %s does not get to what its own program does at %s", x.tenant.Name, at.Pos()),
		})
		return nil
	}
	for _, c := range cuts[1:] {
		x.claimed(step, subject, site{
			pc: c.pc, bad: x.b.True(), at: c.at, what: fmt.Sprintf("a control of tenant %s runs a second time", x.tenant.Name),
		})
	}
	return cuts[0]
}

// same claims that two values are, field by field.
func (x *equivalence) same(step, subject, name string, pc *smt.Term, t types.Type, have, want []*smt.Term, at syntax.Node) {
	ls := x.own.layout(t, at)
	if len(have) != len(ls) || len(want) != len(ls) || slices.ContainsFunc(ls, func(l leaf) bool {
		i := slices.IndexFunc(ls, func(y leaf) bool { return y.path == l.path })
		return have[i].Sort() != want[i].Sort()
	}) {
		x.claimed(step, subject, site{
			pc: pc, bad: x.b.True(), at: at, what: fmt.Sprintf("%s has another shape than in tenant %s's own program", name, x.tenant.Name),
		})
		return
	}
	s, ok := under(t).(*types.Struct)
	if !ok || s.Kind == types.Header {
		x.sameValue(step, subject, name, pc, t, have, want, at)
		return
	}
	off := 0
	for _, f := range s.Fields {
		n := len(x.own.layout(f.Type, at))
		x.same(step, subject, name+"."+f.Name, pc, f.Type, have[off:off+n], want[off:off+n], at)
		off += n
	}
}

func (x *equivalence) sameValue(step, subject, name string, pc *smt.Term, t types.Type, have, want []*smt.Term, at syntax.Node) {
	if x.split != nil {
		split := x.split
		x.split = nil
		for _, c := range []*smt.Term{split, x.b.Not(split)} {
			x.sameValue(step, subject, name, x.b.And(pc, c), t, have, want, at)
		}
		x.split = split
		return
	}
	bad := x.b.Not(x.equal(t, have, want, pc, at))
	if v, ok := bad.ConstBool(); ok && !v && x.concrete == nil {
		// One term in both: nothing is left to decide, but that the packet gets here.
		x.claimed(step, subject, site{pc: pc, bad: bad, at: at})
		return
	}
	what := fmt.Sprintf("%s "+differs, name, x.tenant.Name)
	if x.concrete != nil {
		if h, ok := under(t).(*types.Struct); ok && h.Kind == types.Header {
			for i, l := range x.own.layout(t, at) {
				if have[i] != want[i] {
					what = fmt.Sprintf("%s.%s is %s, tenant %s's own program has %s there", name, l.path, decimal(number(have[i])), x.tenant.Name, decimal(number(want[i])))
					break
				}
			}
		} else if len(have) == 1 {
			what = fmt.Sprintf("%s is %s, tenant %s's own program has %s there", name, decimal(number(have[0])), x.tenant.Name, decimal(number(want[0])))
		}
	}
	x.claimed(step, subject, site{pc: pc, bad: bad, at: at, what: what})
}

// equal is that two values are, for a packet that gets to where pc holds. What holds there is put into the terms: then those that are made alike
// are the same.
func (x *equivalence) equal(t types.Type, have, want []*smt.Term, pc *smt.Term, at syntax.Node) *smt.Term {
	facts := x.known(pc)
	given := func(v []*smt.Term) []*smt.Term {
		out := make([]*smt.Term, len(v))
		for i := range v {
			out[i] = x.b.Given(v[i], facts)
		}
		return out
	}
	if h, ok := under(t).(*types.Struct); ok && h.Kind == types.Header {
		valid, both := want[0], x.b.Eq(have[0], want[0])
		facts = x.known(x.b.And(pc, have[0], want[0]))
		have, want = given(have), given(want)
		var same []*smt.Term
		for i := 1; i < len(have); i++ {
			same = append(same, x.b.Eq(have[i], want[i]))
		}
		return x.b.And(both, x.b.Or(x.b.Not(valid), x.b.And(same...)))
	}
	return x.own.equal(t, given(have), given(want), at)
}

// known is what follows from a condition about its parts.
func (x *equivalence) known(pc *smt.Term) map[*smt.Term]bool {
	facts := map[*smt.Term]bool{}
	var order []*smt.Term
	var learn func(c *smt.Term, v bool)
	learn = func(c *smt.Term, v bool) {
		if _, ok := facts[c]; ok || c.IsConst() {
			return
		}
		switch {
		case c.Op() == smt.OpNot:
			learn(c.Args()[0], !v)
			return
		case v && c.Op() == smt.OpAnd, !v && c.Op() == smt.OpOr:
			for _, a := range c.Args() {
				learn(a, v)
			}
		}
		facts[c] = v
		order = append(order, c)
	}
	learn(pc, true)
	for range 2 { // what is left of a fact under the others is one, too
		for _, c := range order {
			v := facts[c]
			delete(facts, c)
			left := x.b.Given(c, facts)
			facts[c] = v
			learn(left, v)
		}
	}
	return facts
}

// standard compares standard metadata by the names of its fields: want has them for some of the tenant's own.
func (x *equivalence) standard(step, subject string, c *cut, want map[string]*smt.Term) {
	have, pc, at := c.standard(x.linked), c.pc, c.at
	for _, name := range slices.Sorted(maps.Keys(want)) {
		h := have[name]
		if h == nil {
			continue // a field that tenant code in the linked program cannot read
		}
		if h.Sort() != want[name].Sort() {
			x.claimed(step, subject, site{pc: pc, bad: x.b.True(), at: at, what: "standard_metadata." + name + " has another type"})
			continue
		}
		x.sameValue(step, subject, "standard_metadata."+name, pc, types.Bool, []*smt.Term{h}, []*smt.Term{want[name]}, at)
	}
}

// events compares what both have done to what lasts, and asked of what nothing determines, in one phase.
func (x *equivalence) events(step, subject string, ph phase, pc *smt.Term, at syntax.Node) {
	b := x.b
	seen := map[*event]bool{}
	var before []*event
	for _, w := range x.own.pair.events {
		if w.phase != ph {
			continue
		}
		h := x.linked.pair.byKey[w.key]
		place := fmt.Sprintf("%s:%d", SourceName(x.tenant.Name), w.at.Pos().Line)
		if h == nil || h.phase != ph || h.kind != w.kind || seen[h] {
			x.claimed(step, subject, site{
				pc: b.And(pc, w.pc), bad: b.True(), at: at,
				what: fmt.Sprintf("what tenant %s's own program does at %s (%s) is not done", x.tenant.Name, place, w.title()),
			})
			continue
		}
		seen[h] = true
		if why := x.paired(h, w); why != "" {
			x.claimed(step, subject, site{pc: b.And(pc, w.pc), bad: b.True(), at: h.at, what: why + ", unlike at " + place})
			continue
		}
		x.claimed(step, subject, site{
			pc: pc, bad: b.Not(b.Eq(b.And(pc, h.pc), b.And(pc, w.pc))), at: h.at,
			what: fmt.Sprintf("%s is not done when tenant %s's own program does it (%s)", h.title(), x.tenant.Name, place),
		})
		for _, g := range before {
			if g.object == h.object && h.object != "" && g.order > h.order {
				x.claimed(step, subject, site{
					pc: b.And(pc, g.pc, h.pc), bad: b.True(), at: h.at, what: fmt.Sprintf("%s is done sooner than in tenant %s's own program (%s)", h.title(), x.tenant.Name, place),
				})
			}
		}
		before = append(before, h)
		for i := range h.args {
			n := max(bitsOf(h.args[i]), bitsOf(w.args[i]))
			have, want := x.vector(h.args[i], n), x.vector(w.args[i], n)
			what := fmt.Sprintf("%s: value %d "+differs+" (%s)", h.title(), i+1, x.tenant.Name, place)
			if x.concrete != nil {
				what = fmt.Sprintf("%s: value %d is %s, tenant %s's own program has %s (%s)", h.title(), i+1, decimal(number(have)), x.tenant.Name, decimal(number(want)), place)
			}
			x.claimed(step, subject, site{pc: b.And(pc, h.pc, w.pc), bad: b.Not(b.Eq(have, want)), at: h.at, what: what})
		}
	}
	for _, h := range x.linked.pair.events {
		if h.phase == ph && !seen[h] {
			x.claimed(step, subject, site{
				pc: h.pc, bad: b.True(), at: h.at, what: fmt.Sprintf("%s is done, which tenant %s's own program does not do", h.title(), x.tenant.Name),
			})
		}
	}
}

// paired says what keeps two events from being each other's, whatever the packet: another object, algorithm or number of values.
func (x *equivalence) paired(h, w *event) string {
	switch {
	case h.algorithm != w.algorithm:
		return fmt.Sprintf("%s is by %s, not %s", h.title(), h.algorithm, w.algorithm)
	case len(h.args) != len(w.args):
		return fmt.Sprintf("%s has %d values, not %d", h.title(), len(h.args), len(w.args))
	}
	if strings.HasPrefix(h.kind, "register") {
		return x.clash(x.own.pair.labels[w.at])
	}
	if h.object != "" && h.object != specs.TenantPrefix(x.tenant.Name)+w.object {
		return fmt.Sprintf("%s stands for %s", h.title(), w.object)
	}
	return ""
}

func (e *event) title() string {
	what := strings.ReplaceAll(e.kind, ".", " ")
	if e.object != "" {
		what += " " + e.object
	}
	return what
}

func bitsOf(t *smt.Term) int {
	if t.Sort() == smt.Bool {
		return 1
	}
	return width(t)
}

// vector is a value in n bits.
func (x *equivalence) vector(t *smt.Term, n int) *smt.Term {
	if t.Sort() == smt.Bool {
		t = x.b.Ite(t, x.b.BV(1, 1), x.b.BV(0, 1))
	}
	return widen(x.b, t, n)
}
