package program

import (
	"fmt"
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/verify/smt"
)

// otherRun is what the names of stale unknowns end with in the second of the two runs that P4 speaks of.
const otherRun = "$other"

// zeroed is the property's id: its counterexamples are of two runs.
const zeroed = "P4"

// A carry is an unknown that is a function of what containers held, and of the packet: what a copy makes of a header that is not valid, and what
// a packet that is too short makes of the header that it was to fill. from has the containers of that header, and how the packet got there.
type carry struct {
	unknown *smt.Term
	from    []*smt.Term
}

// stale are the unknowns that packets before may have left: those that containers begin with, and what is carried on from them.
func (m *machine) stale() []*smt.Term {
	out := slices.Clone(m.left)
	is := map[*smt.Term]bool{}
	for _, v := range out {
		is[v] = true
	}
	for more := true; more; { // an unknown has one name in all executions of its place, and may be carried on from itself
		more = false
		known := map[*smt.Term]bool{}
		var mentions func(t *smt.Term) bool
		mentions = func(t *smt.Term) bool {
			v, ok := known[t]
			if !ok {
				v = is[t] || slices.ContainsFunc(t.Args(), mentions)
				known[t] = v
			}
			return v
		}
		for _, c := range m.carried {
			if !is[c.unknown] && slices.ContainsFunc(c.from, mentions) {
				is[c.unknown], more = true, true
				out = append(out, c.unknown)
			}
		}
	}
	return out
}

// A sight is something that can be seen of a packet, or that is asked of what the program does not determine: a table by its keys, a
// register by its index, a hash by its data.
type sight struct {
	key  string    // the same in both runs
	id   string    // of the claim
	what string    // "a key of table x, or whether it is applied,"
	pc   *smt.Term // how the packet gets there, and cond whether it happens then
	cond *smt.Term
	vals []*smt.Term
	at   syntax.Node
	// wrote is who wrote each value, in concrete runs.
	wrote []syntax.Node
}

func (m *machine) sees(s *state, key, id, what string, at syntax.Node, vals ...*smt.Term) {
	m.seesIf(s, m.b.True(), key, id, what, at, vals...)
}

// seesIf is sees if cond holds.
func (m *machine) seesIf(s *state, cond *smt.Term, key, id, what string, at syntax.Node, vals ...*smt.Term) {
	if s.dead {
		return
	}
	m.sights = append(m.sights, sight{key, id, what, m.cond(s), cond, append([]*smt.Term(nil), vals...), at, nil})
}

// seesAt is sees for an access to a register, counter or meter.
func (m *machine) seesAt(f *frame, s *state, at syntax.Node, inst *instance, vals ...*smt.Term) {
	m.sees(s, f.site(at), fmt.Sprintf("%s/%s/%s", inst.kind, inst.path, short(f.owner)),
		fmt.Sprintf("where %s %s is accessed, what is written there, or whether it is,", inst.kind, inst.path), at, vals...)
}

// observed are all events, with what leaves.
func (m *machine) observed() []sight {
	all := append([]sight(nil), m.sights...)
	for _, e := range m.ends {
		m.byTenant(e.ran, e.pc, func(who string, pc *smt.Term) {
			all = append(all, sight{
				"end", "port/" + who, "the port at the end of ingress, or whether the packet gets there,", pc, m.b.True(),
				[]*smt.Term{e.spec, e.mcast},
				firstNode(e.wrote[0], e.at), nil,
			})
		})
	}
	for _, o := range m.outputs {
		m.byTenant(o.ran, o.pc, func(who string, leaves *smt.Term) {
			all = append(all, sight{
				"output", "output/" + who, "whether the packet leaves, through which port and with which payload,", leaves, m.b.True(),
				[]*smt.Term{o.port, o.cursor},
				firstNode(o.end.wrote[0], o.end.at), nil,
			})
			for _, e := range o.emits {
				all = append(all, sight{
					"emit " + e.name, fmt.Sprintf("output/%s/%s", who, e.name), "what a packet that leaves has of header " + e.name + ", or whether it has it,",
					leaves, e.cond, e.vals, e.at, e.wrote,
				})
			}
		})
	}
	return all
}

// byTenant tells the executions of pc apart by whose code has run in them.
func (m *machine) byTenant(ran []*smt.Term, pc *smt.Term, f func(who string, pc *smt.Term)) {
	for i, t := range m.tenants {
		if of := m.b.And(pc, ran[i]); of != m.b.False() {
			f(t.Name, of)
		}
	}
	if of := m.b.And(pc, m.b.Not(m.b.Or(ran...))); of != m.b.False() {
		f(short(""), of)
	}
}

func firstNode(a, b syntax.Node) syntax.Node {
	if a != nil {
		return a
	}
	return b
}

// undisturbed is P4: let two runs have the same packet, tables and objects, and differ in what packets before have left in containers. Then what
// happens in one happens in the other, with the same values. Each event is compared by itself: pc and vals, with the stale unknowns
// renamed, are those of the second run. That everything else which is unknown is the same in both is by induction over the events of a
// run: the answer to each is determined by what was asked, which is an event that is claimed to be the same.
func (p *prover) undisturbed() {
	stale := map[*smt.Term]bool{}
	for _, v := range p.stale() {
		stale[v] = true
	}
	second := p.secondRun(stale)
	for _, e := range p.observed() {
		s := site{pc: e.pc, bad: p.b.False(), at: e.at, what: e.what + " depends on what packets before have left in containers"}
		same := []*smt.Term{}
		happens, vals := second(e)
		if first := p.b.And(e.pc, e.cond); happens != first { // else it does when it does in the first
			same = append(same, happens)
		}
		for i, v := range vals {
			same = append(same, p.b.Eq(e.vals[i], v))
			if i < len(e.wrote) && e.wrote[i] != nil && same[len(same)-1] == p.b.False() {
				s.at = e.wrote[i]
			}
		}
		s.bad = p.b.And(e.cond, p.b.Not(p.b.And(same...)))
		if s.bad != p.b.False() && p.concrete == nil {
			s.bad = p.b.And(s.bad, picked(p.b, stale, append([]*smt.Term{e.pc, e.cond}, e.vals...)))
		}
		p.add(zeroed, zeroed+"/"+e.id, "independent of what packets before have left: "+e.id, s)
	}
}

// secondRun tells of an event whether it happens in the second run, and its values there.
func (p *prover) secondRun(stale map[*smt.Term]bool) func(sight) (happens *smt.Term, vals []*smt.Term) {
	if p.concrete == nil {
		to := map[*smt.Term]*smt.Term{}
		for v := range stale {
			to[v] = p.b.Var(v.Name()+otherRun, v.Sort())
		}
		r := smt.NewRenaming(to)
		return func(e sight) (*smt.Term, []*smt.Term) {
			vals := make([]*smt.Term, len(e.vals))
			for i, v := range e.vals {
				vals[i] = r.Of(v)
			}
			return r.Of(p.b.And(e.pc, e.cond)), vals
		}
	}
	if p.twin == nil {
		return func(e sight) (*smt.Term, []*smt.Term) { return p.b.And(e.pc, e.cond), e.vals }
	}
	happened, met := map[string][]sight{}, map[string]int{}
	for _, e := range p.twin.observed() {
		if isTrue(p.twin.fold(p.twin.b.And(e.pc, e.cond))) {
			happened[e.key] = append(happened[e.key], e)
		}
	}
	return func(e sight) (*smt.Term, []*smt.Term) {
		if here := p.fold(p.b.And(e.pc, e.cond)); !isTrue(here) {
			return here, e.vals
		}
		n := met[e.key]
		if met[e.key]++; n >= len(happened[e.key]) {
			return p.b.False(), nil
		}
		o := happened[e.key][n]
		vals := make([]*smt.Term, len(o.vals))
		for i, v := range o.vals {
			vals[i] = p.here(p.twin.fold(v))
		}
		return p.b.True(), vals
	}
}

// here is a constant of another machine as a term of this one.
func (p *prover) here(t *smt.Term) *smt.Term {
	if v, ok := t.ConstBool(); ok {
		return p.b.Bool(v)
	}
	v, _ := t.ConstBV()
	return p.b.BVBig(v, width(t))
}

// picked is a condition of the first run that must hold if one of the terms has another value in the second: one of the stale unknowns
// in them is chosen by all that choose (if-then-else, and, or) above it, and differs. So it changes no claim; it spares solvers the
// arithmetic on values that are the same because what they are made of is.
func picked(b *smt.Builder, stale map[*smt.Term]bool, terms []*smt.Term) *smt.Term {
	// In order, all terms with stale unknowns in them come after those that they are made of.
	var order []*smt.Term
	holds := map[*smt.Term]bool{}
	seen := map[*smt.Term]bool{}
	var visit func(t *smt.Term) bool
	visit = func(t *smt.Term) bool {
		if seen[t] {
			return holds[t]
		}
		seen[t] = true
		has := stale[t]
		for _, a := range t.Args() {
			has = visit(a) || has
		}
		if holds[t] = has; has {
			order = append(order, t)
		}
		return has
	}
	chosen := map[*smt.Term][]*smt.Term{} // by what is above
	for _, t := range terms {
		if visit(t) {
			chosen[t] = []*smt.Term{b.True()}
		}
	}
	var differ []*smt.Term
	for _, t := range slices.Backward(order) {
		above := b.Or(chosen[t]...)
		if stale[t] {
			differ = append(differ, b.And(above, b.Not(b.Eq(t, b.Var(t.Name()+otherRun, t.Sort())))))
			continue
		}
		args := t.Args()
		pass := func(a *smt.Term, when ...*smt.Term) {
			if holds[a] {
				chosen[a] = append(chosen[a], b.And(append([]*smt.Term{above}, when...)...))
			}
		}
		switch t.Op() {
		case smt.OpIte:
			pass(args[0])
			pass(args[1], args[0])
			pass(args[2], b.Not(args[0]))
		case smt.OpAnd, smt.OpOr:
			var others []*smt.Term // that decide in both runs, unless they leave it to the rest
			for _, a := range args {
				if holds[a] {
					continue
				}
				if t.Op() == smt.OpOr {
					a = b.Not(a)
				}
				others = append(others, a)
			}
			for _, a := range args {
				pass(a, others...)
			}
		default:
			for _, a := range args {
				pass(a)
			}
		}
	}
	return b.Or(differ...)
}
