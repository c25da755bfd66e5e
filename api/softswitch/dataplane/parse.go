package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
)

// maxTransitions bounds the states a packet goes through in one parser; the next one is the error ParserTimeout.
const maxTransitions = 4096

// States that are none.
const (
	accept = -1
	reject = -2
)

type state struct {
	body step
	next func(*frame) int
}

// parserBody compiles a parser instance with its parameters bound. It breaks on a parser error, exits on an explicit reject.
func (c *compiler) parserBody(call syntax.Node, inst *instance, bs []bound) step {
	d := inst.decl.(*syntax.ParserDecl)
	defer c.enter(call, inst.callable())()
	saved, was := c.push(inst.id, inst.path), c.parsing
	c.parsing = true
	defer func() { c.env, c.parsing = saved, was }()
	for _, b := range append(bs, inst.ctor...) {
		c.bind(b.obj, b.b)
	}
	var locals []step
	for _, l := range d.Locals {
		locals = append(locals, c.local(l))
	}
	number := map[string]int{"accept": accept, "reject": reject}
	for i, s := range d.States {
		number[s.Name.Name] = i
	}
	start, ok := number["start"]
	if !ok {
		invalid(d, "parser %s has no start state", d.Name.Name)
	}
	states := make([]state, len(d.States))
	for i, s := range d.States {
		states[i] = c.state(s, number)
	}
	if c.tracing {
		c.observeStates(d, states)
	}
	timeout := c.errorIndex(d, "ParserTimeout")
	run := func(f *frame) flow {
		at := start
		for range maxTransitions {
			s := &states[at]
			if s.body != nil {
				if r := s.body(f); r != next {
					return r
				}
			}
			at = s.next(f)
			switch {
			case f.perr != 0:
				return breaks
			case at == accept:
				return next
			case at == reject:
				return exits
			}
		}
		f.perr = timeout
		return breaks
	}
	return sequence(append(locals, run)...)
}

func (c *compiler) state(s *syntax.StateDecl, number map[string]int) state {
	saved := c.push(c.env.id, c.env.path)
	defer func() { c.env = saved }()
	out := state{body: c.statements(s.Body)}
	switch t := s.Transition; {
	case t == nil:
		out.next = func(*frame) int { return reject }
	case t.Select != nil:
		out.next = c.selection(t.Select, number)
		if c.unwinds(t.Select) {
			choose := out.next
			out.next = func(f *frame) (at int) {
				defer func() {
					if x := recover(); x != nil {
						if _, ok := x.(unwound); !ok {
							panic(x)
						}
						at = reject // f.perr says why
					}
				}()
				return choose(f)
			}
		}
	default:
		to := c.target(t.Next, number)
		out.next = func(*frame) int { return to }
	}
	return out
}

func (c *compiler) target(id *syntax.Ident, number map[string]int) int {
	n, ok := number[id.Name]
	if !ok {
		invalid(id, "there is no state %s", id.Name)
	}
	return n
}

// hashedCases is how many cases of constants make a map worth its while.
const hashedCases = 8

// selection compiles a select expression. No case that matches is the error NoMatch.
func (c *compiler) selection(s *syntax.Select, number map[string]int) func(*frame) int {
	var offs, widths []int
	words := 0
	for _, e := range s.Exprs {
		w, _, ok := widthOf(c.finalType(e))
		if !ok {
			unsupported(e, "selecting on a %s", c.finalType(e))
		}
		offs, widths = append(offs, words), append(widths, w)
		words += bitWords(w)
	}
	slot := c.alloc(words)
	var keys []step
	for i, e := range s.Exprs {
		keys = append(keys, c.store(place{slot: slot + offs[i], typ: c.finalType(e)}, e))
	}
	load := sequence(keys...)
	var cases []selectCase
	for _, cs := range s.Cases {
		cases = append(cases, selectCase{c.caseSets(cs.Keyset, widths), c.target(cs.Next, number)})
	}
	noMatch := c.errorIndex(s, "NoMatch")
	linear := func(f *frame, cases []selectCase) int {
		for i := range cases {
			if cases[i].matches(f.w[slot:slot+words], offs) {
				return cases[i].to
			}
		}
		if f.perr == 0 {
			f.perr = noMatch
		}
		return reject
	}
	exact := exactCases(cases)
	if exact < hashedCases || words > len(caseKey{}) {
		return func(f *frame) int {
			if load != nil {
				load(f)
			}
			return linear(f, cases)
		}
	}
	// The leading cases are constants: look them up, and try only the others one by one.
	table := make(map[caseKey]int, exact)
	for _, cs := range cases[:exact] {
		k := cs.key()
		if _, ok := table[k]; !ok {
			table[k] = cs.to
		}
	}
	rest := cases[exact:]
	return func(f *frame) int {
		if load != nil {
			load(f)
		}
		var k caseKey
		copy(k[:], f.w[slot:slot+words])
		if to, ok := table[k]; ok {
			return to
		}
		return linear(f, rest)
	}
}

type caseKey [4]uint64

type selectCase struct {
	sets []keyset // empty for default
	to   int
}

func (s *selectCase) matches(key []uint64, offs []int) bool {
	for i := range s.sets {
		if !s.sets[i].matches(key[offs[i]:]) {
			return false
		}
	}
	return true
}

// exactCases counts the leading cases that are all values.
func exactCases(cases []selectCase) int {
	for i, cs := range cases {
		if len(cs.sets) == 0 {
			return i
		}
		for _, s := range cs.sets {
			if s.any || s.kind != keyValue {
				return i
			}
		}
	}
	return len(cases)
}

func (s *selectCase) key() (k caseKey) {
	i := 0
	for _, set := range s.sets {
		i += copy(k[i:], set.a)
	}
	return k
}

func (c *compiler) caseSets(e syntax.Expr, widths []int) []keyset {
	switch x := e.(type) {
	case *syntax.DefaultExpr, *syntax.DontCare:
		return nil
	case *syntax.ListExpr:
		if len(x.Elems) != len(widths) {
			invalid(e, "%d values for %d selected expressions", len(x.Elems), len(widths))
		}
		sets := make([]keyset, len(widths))
		for i, el := range x.Elems {
			sets[i] = c.keyset(el, widths[i])
		}
		return sets
	}
	if set := c.valueSetOf(e); set != nil {
		fits := len(set.Keys) == len(widths)
		for i := 0; fits && i < len(widths); i++ {
			fits = set.Keys[i].Width == widths[i]
		}
		if !fits {
			invalid(e, "value set %s has other fields than what is selected on", set.Name)
		}
		return []keyset{{kind: keySet, set: set}}
	}
	if len(widths) != 1 {
		unsupported(e, "this keyset for %d selected expressions", len(widths))
	}
	return []keyset{c.keyset(e, widths[0])}
}
