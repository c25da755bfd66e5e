package dataplane

import (
	"math"
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// MaxStates bounds the states a packet goes through in one parser; the next one is the error ParserTimeout. The driver declares it.
const MaxStates = 4096

// States that are none.
const (
	accept = -1
	reject = -2
)

// enter is where a jump goes that goes to the state of number k, until it is known where that is.
const enter = math.MaxUint32 - 1

// A state is the code of one: it ends by entering another, or with the parser.
type state struct {
	body  step
	leave step
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
	var code step
	for _, l := range d.Locals {
		code = sequence(code, c.local(l))
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
		states[i] = c.state(d, s, number)
	}
	return c.linked(d, code, states, start)
}

// linked lays the states that are reached out one after the other, each before those that it enters, if there is no loop.
func (c *compiler) linked(d *syntax.ParserDecl, code step, states []state, start int) step {
	order, loops := arranged(states, start)
	if loops || len(order) > MaxStates {
		timeout, count := c.errorIndex(d, "ParserTimeout"), c.alloc(1)
		code = append(code, instr{op: opSet, d: uint32(count)})
		turn := native(func(f *frame) flow {
			if f.w[count]++; f.w[count] > MaxStates {
				return f.fail(timeout)
			}
			return next
		})
		for i := range states {
			states[i].body = sequence(turn, states[i].body)
		}
	}
	at := make([]int, len(states))
	for _, i := range order {
		at[i] = len(code)
		code = sequence(code, states[i].body, states[i].leave)
	}
	for i := range code {
		if in := &code[i]; in.op == opJump && in.d == enter {
			to := len(code) // accept
			if k := int(in.k); k < len(states) {
				to = at[k]
			}
			in.d = uint32(to - i - 1)
		}
	}
	return tidy(code)
}

// arranged orders the states that are reached from start, each before those that it enters. loops says that this is not possible.
func arranged(states []state, start int) (order []int, loops bool) {
	const inside, done = 1, 2
	seen := make([]int, len(states))
	var visit func(i int)
	visit = func(i int) {
		seen[i] = inside
		for _, in := range states[i].leave {
			if in.op != opJump || in.d != enter || int(in.k) >= len(states) {
				continue
			}
			switch seen[in.k] {
			case inside:
				loops = true
			case 0:
				visit(int(in.k))
			}
		}
		seen[i] = done
		order = append(order, i)
	}
	visit(start)
	slices.Reverse(order)
	return order, loops
}

func (c *compiler) state(d *syntax.ParserDecl, s *syntax.StateDecl, number map[string]int) state {
	saved, held := c.push(c.env.id, c.env.path), c.scratched
	defer func() { c.env, c.scratched = saved, held }()
	out := state{body: c.statements(s.Body)}
	if c.tracing {
		out.body = c.observed(s, StepState, s.Name.Name, "", nil, nil, out.body)
	}
	to := func(n int) step {
		switch n {
		case accept:
			return step{{op: opJump, d: enter, k: uint64(len(d.States))}}
		case reject:
			return ends(exits)
		}
		return step{{op: opJump, d: enter, k: uint64(n)}}
	}
	switch t := s.Transition; {
	case t == nil:
		out.leave = to(reject)
	case t.Select == nil:
		out.leave = to(c.target(t.Next, number))
	case !c.tracing && !c.unwinds(t.Select):
		out.leave = c.selection(t.Select, number, to)
	default: // choose first, and go there then
		slot := c.alloc(1)
		chosen := c.selection(t.Select, number, func(n int) step { return step{{op: opSet, d: uint32(slot), k: uint64(n - reject)}} })
		if c.unwinds(t.Select) {
			chosen = guarded(chosen)
		}
		if c.tracing {
			chosen = c.observeSelection(d, t.Select, slot, chosen)
		}
		ways := []step{to(reject), to(accept)}
		for i := range d.States {
			ways = append(ways, to(i))
		}
		out.leave = sequence(chosen, branches(slot, ways, nil))
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

// selection compiles a select expression: it goes on as to says for the state of a number. No case that matches is the error
// NoMatch.
func (c *compiler) selection(s *syntax.Select, number map[string]int, to func(int) step) step {
	keys := make([]*scalar, len(s.Exprs))
	widths := make([]int, len(s.Exprs))
	for i, e := range s.Exprs {
		w, _, ok := widthOf(c.finalType(e))
		if !ok {
			unsupported(e, "selecting on a %s", c.finalType(e))
		}
		widths[i] = w
		if w <= 64 {
			v := c.held(c.scalar(e))
			keys[i] = &v
		} else {
			v := c.wide(e)
			keys[i] = &scalar{code: v.prep, slot: v.slot}
		}
	}
	load := c.settled(keys...)
	noMatch := c.errorIndex(s, "NoMatch")
	rest := native(func(f *frame) flow { return f.fail(noMatch) })
	var cases []selectCase
	for _, cs := range s.Cases {
		cases = append(cases, selectCase{c.caseSets(cs.Keyset, widths), c.target(cs.Next, number)})
	}
	exact := exactCases(cases)
	if words := caseWords(widths); exact < hashedCases || words > len(caseKey{}) {
		exact = 0
	}
	for _, cs := range slices.Backward(cases[exact:]) {
		rest = choose(c.caseTest(cs.sets, keys, widths), to(cs.to), rest)
	}
	if exact > 0 {
		rest = c.hashedSelection(cases[:exact], keys, widths, to, rest)
	}
	return sequence(load, rest)
}

// caseTest is whether the keys are in the sets.
func (c *compiler) caseTest(sets []keyset, keys []*scalar, widths []int) (t test) {
	if len(sets) == 1 && sets[0].kind == keySet && len(keys) > 1 { // a set of all of them
		at, n, set := c.alloc(caseWords(widths)), 0, sets[0].set
		var together step
		for i, k := range keys {
			together = sequence(together, copyWords(place{slot: at + n}, place{slot: k.slot}, bitWords(widths[i])))
			n += bitWords(widths[i])
		}
		return c.tested(together, func(f *frame) bool { return set.has(f.w[at : at+n]) })
	}
	for i := range sets {
		t = t.and(c.keyTest(&sets[i], keys[i].slot, widths[i]))
	}
	return t
}

// keyTest is whether the key in a slot is in a set.
func (c *compiler) keyTest(set *keyset, slot, width int) test {
	switch {
	case set.any:
		return nil
	case set.kind == keySet || width > 64:
		n := bitWords(width)
		return c.tested(nil, func(f *frame) bool { return set.matches(f.w[slot : slot+n]) })
	case set.kind == keyMask:
		v := c.instructionK(instr{op: opAndK}, loadSlot(slot), set.b[0])
		return test(append(slices.Clip(v.code), instr{op: opNeK, a: uint32(v.slot), k: set.a[0], d: exit}))
	case set.kind == keyRange:
		t := test{{op: opLtK, a: uint32(slot), k: set.a[0], d: exit}}
		if most := set.b[0]; most < ^uint64(0) {
			t = append(t, instr{op: opGeK, a: uint32(slot), k: most + 1, d: exit})
		}
		return t
	}
	return test{{op: opNeK, a: uint32(slot), k: set.a[0], d: exit}}
}

// hashedSelection looks the keys up among cases of constants, and goes on with rest if they are not there.
func (c *compiler) hashedSelection(cases []selectCase, keys []*scalar, widths []int, to func(int) step, rest step) step {
	table := make(map[caseKey]int, len(cases))
	var targets []int
	var ways []step
	for _, cs := range cases {
		k := cs.key()
		if _, ok := table[k]; ok {
			continue
		}
		i := slices.Index(targets, cs.to)
		if i < 0 {
			i = len(targets)
			targets, ways = append(targets, cs.to), append(ways, to(cs.to))
		}
		table[k] = i
	}
	slot := c.scratch()
	find := native(func(f *frame) flow {
		var k caseKey
		n := 0
		for i, key := range keys {
			n += copy(k[n:], f.w[key.slot:key.slot+bitWords(widths[i])])
		}
		i, ok := table[k]
		if !ok {
			i = len(ways)
		}
		f.w[slot] = uint64(i)
		return next
	})
	return sequence(find, branches(slot, ways, rest))
}

// caseWords is how many words keys of these widths have.
func caseWords(widths []int) (n int) {
	for _, w := range widths {
		n += bitWords(w)
	}
	return n
}

type caseKey [4]uint64

type selectCase struct {
	sets []keyset // empty for default
	to   int
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
