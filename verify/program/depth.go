package program

import (
	"fmt"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// A visit is an entry into a parser state: states is which one it is on the packet's way.
type visit struct {
	code   string // tenant whose state it is, or ""
	states *smt.Term
	pc     *smt.Term
	at     *syntax.StateDecl
}

// A reach is where the parser has got to in the packet, in bytes from its start. The packet has that many.
type reach struct {
	code  string
	bytes int
	pc    *smt.Term
	at    syntax.Node
}

// visit counts a state that s enters.
func (m *machine) visit(owner string, s *state, st *syntax.StateDecl) {
	s.depth++
	s.shallow++
	s.vals[ghostStates] = m.fold(m.b.BVAdd(s.vals[ghostStates], m.b.BV(1, 32)))
	m.visits = append(m.visits, visit{owner, s.vals[ghostStates], m.cond(s), st})
}

// reach notes that the parser has read up to bit to.
func (m *machine) reach(f *frame, s *state, to int, at syntax.Node) {
	m.reaches = append(m.reaches, reach{f.owner, (to + 7) / 8, m.cond(s), at})
}

// depth is P9: no packet, its tag included, goes through more parser states, or is read further, than the target's parser gets.
// That a parser ends at all follows: every state counts.
func (p *prover) depth() {
	bound := p.in.Parser
	if bound == (specs.ParserBound{}) {
		return
	}
	for _, v := range p.visits {
		p.add("P9", "P9/states/"+short(v.code), fmt.Sprintf("%s: no packet goes through more than %d parser states", who(v.code), bound.States), site{
			pc: v.pc, bad: p.b.BVUlt(p.b.BV(uint64(bound.States), 32), v.states), at: v.at,
			what: fmt.Sprintf("state %s is one more than the %d parser states that the target has for a packet", v.at.Name.Name, bound.States),
		})
	}
	for _, r := range p.reaches {
		p.add("P9", "P9/bytes/"+short(r.code), fmt.Sprintf("%s: no packet is parsed past its byte %d", who(r.code), bound.Bytes), site{
			pc: r.pc, bad: p.b.Bool(r.bytes > bound.Bytes), at: r.at,
			what: fmt.Sprintf("the packet is parsed up to its byte %d; the target's parser gets to byte %d", r.bytes, bound.Bytes),
		})
	}
}
