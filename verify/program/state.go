package program

import (
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/verify/smt"
)

// A state is what is true on one path, or on several that were merged: the containers' contents and the path condition.
type state struct {
	// pc is the path condition: the conjunction of its literals. Literals are only appended while a path goes on, so that
	// paths that forked share a prefix.
	pc   []*smt.Term
	vals []*smt.Term
	// origin tells which statement wrote each container; only kept in concrete runs.
	origin []syntax.Node

	// dead: no execution is here (any more).
	dead bool
	// cut counts what left this path since the start (return, exit, the parser's end), and hard what left it for good: a
	// return comes back at its function's end. Equal counts before a fork and after the join say that the path
	// condition is what it was.
	cut, hard int

	// Parser position in bits, number of states entered, and what is known about the packet's length in bytes.
	cursor         int
	depth, shallow int      // shallow: of the shortest of the merged paths
	visited        []string // parser states with cursor and stack indices
	minLen, maxLen int

	// eq and known are consequences of pc that are kept at hand to prune branches.
	eq    map[*smt.Term]*smt.Term
	known map[*smt.Term]bool
}

func (s *state) clone() *state {
	t := *s
	// The slices' capacities are cut, so that appending to one copy never writes into the other.
	t.pc = s.pc[:len(s.pc):len(s.pc)]
	t.visited = s.visited[:len(s.visited):len(s.visited)]
	t.vals = append([]*smt.Term(nil), s.vals...)
	if s.origin != nil {
		t.origin = append([]syntax.Node(nil), s.origin...)
	}
	t.eq = make(map[*smt.Term]*smt.Term, len(s.eq))
	for k, v := range s.eq {
		t.eq[k] = v
	}
	t.known = make(map[*smt.Term]bool, len(s.known))
	for k, v := range s.known {
		t.known[k] = v
	}
	return &t
}

// truncate ends the scope of the containers from mark on.
func (s *state) truncate(mark int) {
	if len(s.vals) > mark {
		s.vals = s.vals[:mark]
	}
	if len(s.origin) > mark {
		s.origin = s.origin[:mark]
	}
}

// cond is the path condition as one term.
func (m *machine) cond(s *state) *smt.Term {
	if s.dead {
		return m.b.False()
	}
	return m.b.And(s.pc...)
}

// assume restricts s to the executions in which c holds.
func (m *machine) assume(s *state, c *smt.Term) {
	if s.dead {
		return
	}
	c = m.simplify(s, c)
	if v, ok := c.ConstBool(); ok {
		s.dead = s.dead || !v
		return
	}
	if c.Op() == smt.OpAnd {
		for _, a := range c.Args() {
			m.assume(s, a)
		}
		return
	}
	s.pc = append(s.pc[:len(s.pc):len(s.pc)], c)
	m.learn(s, c)
}

func (m *machine) learn(s *state, c *smt.Term) {
	switch c.Op() {
	case smt.OpAnd:
		for _, a := range c.Args() {
			m.learn(s, a)
		}
		return
	case smt.OpNot:
		s.known[c.Args()[0]] = false
		if o := c.Args()[0]; o.Op() == smt.OpOr {
			for _, a := range o.Args() {
				m.learn(s, m.b.Not(a))
			}
		}
		return
	case smt.OpEq:
		x, y := c.Args()[0], c.Args()[1]
		switch {
		case y.IsConst():
			s.eq[x] = y
		case x.IsConst():
			s.eq[y] = x
		}
	}
	s.known[c] = true
}

// simplify rewrites a condition by what s knows. It is there to prune branches that cannot be taken, so that one tenant's
// packets are not run through the others' controls; what it leaves standing is the solver's.
func (m *machine) simplify(s *state, c *smt.Term) *smt.Term {
	return m.simpler(s, c, map[*smt.Term]*smt.Term{})
}

// simpler is simplify; done has what was rewritten already, because conditions share their parts.
func (m *machine) simpler(s *state, c *smt.Term, done map[*smt.Term]*smt.Term) *smt.Term {
	if c.IsConst() {
		return c
	}
	if v, ok := s.known[c]; ok {
		return m.b.Bool(v)
	}
	if r, ok := done[c]; ok {
		return r
	}
	r := c
	args := c.Args()
	switch c.Op() {
	case smt.OpNot:
		r = m.b.Not(m.simpler(s, args[0], done))
	case smt.OpAnd, smt.OpOr:
		out := make([]*smt.Term, len(args))
		for i, a := range args {
			out[i] = m.simpler(s, a, done)
		}
		if c.Op() == smt.OpAnd {
			r = m.b.And(out...)
		} else {
			r = m.b.Or(out...)
		}
	case smt.OpEq:
		x, y := args[0], args[1]
		if v, ok := s.eq[x]; ok {
			x = v
		}
		if v, ok := s.eq[y]; ok {
			y = v
		}
		r = m.b.Eq(x, y)
	}
	done[c] = r
	return r
}

// decided returns c under what s knows, and whether it is constant.
func (m *machine) decided(s *state, c *smt.Term) (v, constant bool, simpler *smt.Term) {
	c = m.fold(m.simplify(s, c))
	v, constant = c.ConstBool()
	return v, constant, c
}

// join merges states that exclude each other into the first; all were forked from base. With exhaustive, every execution of
// base is in one of them, or was counted as cut.
func (m *machine) join(base *state, exhaustive bool, states ...*state) *state {
	var live []*state
	cut, hard := base.cut, base.hard
	for _, s := range states {
		cut, hard = max(cut, s.cut), max(hard, s.hard)
		if s.dead {
			continue
		}
		live = append(live, s)
	}
	if len(live) == 0 {
		d := base.clone()
		d.dead, d.cut, d.hard = true, cut, hard
		return d
	}
	// One live branch whose condition was known, or the only one that came back.
	out := live[len(live)-1]
	if len(live) > 1 {
		out = m.merge(live)
	}
	out.cut, out.hard = cut, hard
	if exhaustive && cut == base.cut {
		out.pc = base.pc
	}
	return out
}

// merge makes one state of several live ones that exclude each other.
func (m *machine) merge(live []*state) *state {
	prefix := len(live[0].pc)
	size := len(live[0].vals)
	for _, s := range live[1:] {
		n := 0
		for n < prefix && n < len(s.pc) && s.pc[n] == live[0].pc[n] {
			n++
		}
		prefix = n
		size = min(size, len(s.vals))
	}
	sel := make([]*smt.Term, len(live))
	for i, s := range live {
		sel[i] = m.b.And(s.pc[prefix:]...)
	}
	last := len(live) - 1
	out := live[last].clone()
	out.truncate(size)
	for i := last - 1; i >= 0; i-- {
		s := live[i]
		for j := range out.vals {
			if s.vals[j] != out.vals[j] {
				out.vals[j] = m.b.Ite(sel[i], s.vals[j], out.vals[j])
			}
		}
		for k, v := range out.eq {
			if s.eq[k] != v {
				delete(out.eq, k)
			}
		}
		for k, v := range out.known {
			if w, ok := s.known[k]; !ok || w != v {
				delete(out.known, k)
			}
		}
		out.cut, out.hard = max(out.cut, s.cut), max(out.hard, s.hard)
		out.depth, out.shallow = max(out.depth, s.depth), min(out.shallow, s.shallow)
		for _, v := range s.visited {
			if !slices.Contains(out.visited, v) {
				out.visited = append(out.visited, v)
			}
		}
		out.minLen, out.maxLen = min(out.minLen, s.minLen), max(out.maxLen, s.maxLen)
	}
	out.pc = append(live[0].pc[:prefix:prefix], m.literals(m.b.Or(sel...))...)
	return out
}

// literals flattens a condition into what a path condition holds.
func (m *machine) literals(c *smt.Term) []*smt.Term {
	if v, ok := c.ConstBool(); ok && v {
		return nil
	}
	if c.Op() == smt.OpAnd {
		return c.Args()
	}
	return []*smt.Term{c}
}
