package program

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/verify/smt"
)

// maxTransitions bounds the states on one path through a parser. A loop that no header stack ends is refused by it.
const maxTransitions = 256

// maxPacket is the longest packet, in bytes, whose bytes are modelled: any length that 16 bits hold. Longer ones are parsed as
// this one is, because no parser path is that long (see need); what they tell of their length is another thing (see wholeLength).
const maxPacket = 1<<16 - 1

// packetLength is the packet's length in bytes; packetByte is byte i of it.
func (m *machine) packetLength() *smt.Term {
	return m.unknown(Query{Kind: "packet", Name: "len", Width: 16})
}

// wholeLength is the packet's length as programs see it: a packet of maxPacket bytes stands for all longer ones.
func (m *machine) wholeLength() *smt.Term {
	if m.isOwn() { // the tag is not there
		return m.b.BVSub(m.pair.other.wholeLength(), m.b.BV(tagBits/8, 32))
	}
	longest := m.b.BV(maxPacket, 32)
	more := m.unknown(Query{Kind: "length", Name: "len.more", Width: 32})
	more = m.b.Ite(m.b.BVUlt(more, longest), longest, more)
	return m.b.Ite(m.b.Eq(m.packetLength(), m.b.BV(maxPacket, 16)), more, m.b.ZeroExt(m.packetLength(), 16))
}

func (m *machine) packetByte(i int) *smt.Term {
	if m.isOwn() && i >= tpidOffset/8 {
		i += tagBits / 8
	}
	return m.unknown(Query{Kind: "packet", Name: packetName(i), Width: 8})
}

// packetName is the name of byte i's variable.
func packetName(i int) string { return fmt.Sprintf("pkt_%d", i) }

func (m *machine) ingressPort() *smt.Term {
	return m.unknown(Query{Kind: "packet", Name: "port", Width: 9})
}

// arrival is when the packet arrived, as the target says.
func (m *machine) arrival() *smt.Term {
	return m.unknown(Query{Kind: "arrival", Name: "arrival.ingress_global_timestamp", Width: 48})
}

// lengthAtLeast is the condition that the packet has n bytes.
func (m *machine) lengthAtLeast(n int) *smt.Term {
	if m.isOwn() {
		n += tagBits / 8
	}
	return m.b.BVUle(m.b.BV(uint64(n), 16), m.packetLength())
}

// packetField is bits [off, off+n) of the packet, most significant first. It is made of whole bytes, so that overlapping
// reads (lookahead, other headers on other paths) speak of the same variables.
func (m *machine) packetField(off, n int) *smt.Term {
	first, last := off/8, (off+n-1)/8
	t := m.packetByte(first)
	for i := first + 1; i <= last; i++ {
		t = m.b.Concat(t, m.packetByte(i))
	}
	low := 8*(last+1) - (off + n)
	return m.b.Extract(t, low+n-1, low)
}

// A parserTask is a state with the executions that reach it at one cursor.
type parserTask struct {
	state  *syntax.StateDecl
	rank   int
	cursor int
	key    string
	states []*state
}

// runParser runs every path through the parser, merging where paths meet in one state at one cursor, with equal stack
// indices and the same tenants' code behind them. It returns where they end, merged by whose code ran.
func (m *machine) runParser(f *frame, d *syntax.ParserDecl, s *state) []*state {
	m.phase = inParser
	m.endedParsers = nil
	for _, l := range d.Locals {
		m.at = l
		m.local(f, s, l)
	}
	decls, rank := map[string]*syntax.StateDecl{}, parserRanks(d)
	for _, st := range d.States {
		decls[st.Name.Name] = st
	}
	var tasks []*parserTask
	push := func(name string, at syntax.Node, from string, s *state) {
		switch {
		case s.dead:
			return
		case name == "accept", name == "reject":
			// BMv2's reject goes on to ingress as accept does; only parser_error tells them apart.
			m.endParser(s, nil)
			return
		}
		st := decls[name]
		if st == nil {
			m.refuse(at, "parser state %s", name)
		}
		owner := f.declOwner
		if owner == "" {
			owner = m.tenantOf(st.Name.Name, st)
		}
		m.visit(owner, s, st)
		if s.depth > maxTransitions {
			if n := m.in.Parser.States; n == 0 || s.shallow <= n {
				m.refuse(at, "a parser loop that no header stack ends (state %s)", name)
			}
			return // P9 is refuted by this packet
		}
		m.enterTenant(from, owner, name, s, st)
		key := m.parserKey(name, s)
		if slices.Contains(s.visited, key) {
			m.refuse(at, "a parser loop that consumes nothing (state %s)", name)
		}
		s.visited = append(s.visited, key)
		for _, t := range tasks {
			if t.key == key {
				t.states = append(t.states, s)
				return
			}
		}
		tasks = append(tasks, &parserTask{st, rank[name], s.cursor, key, []*state{s}})
	}
	push("start", d, "", s)
	for len(tasks) > 0 {
		sort.SliceStable(tasks, func(i, j int) bool {
			a, b := tasks[i], tasks[j]
			if a.cursor != b.cursor {
				return a.cursor < b.cursor
			}
			return a.rank < b.rank
		})
		t := tasks[0]
		tasks = tasks[1:]
		merged := t.states[0]
		if len(t.states) > 1 {
			merged = m.merge(t.states)
		}
		m.runState(f, t, merged, push)
	}
	return m.groups()
}

// parserKey says which executions may be merged.
func (m *machine) parserKey(name string, s *state) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.%d", name, s.cursor)
	for _, off := range m.stackIndices() {
		v, _ := s.vals[off].ConstBV()
		fmt.Fprintf(&b, ".%v", v)
	}
	fmt.Fprintf(&b, "/%s", m.ranKey(s))
	return b.String()
}

func (m *machine) ranKey(s *state) string {
	var b strings.Builder
	for i := range m.tenants {
		if s.vals[ghostRan(i)] == m.b.True() {
			b.WriteString(m.tenants[i].Name + ",")
		}
	}
	return b.String()
}

// stackIndices are the containers of the next indices of the headers' stacks.
func (m *machine) stackIndices() []int {
	var out []int
	for i, l := range m.layout(m.hdr.typ, nil) {
		if l.kind == nextLeaf {
			out = append(out, m.hdr.off+i)
		}
	}
	return out
}

// parserRanks orders states so that, without loops, every state comes after those that lead to it.
func parserRanks(d *syntax.ParserDecl) map[string]int {
	decls := map[string]*syntax.StateDecl{}
	for _, s := range d.States {
		decls[s.Name.Name] = s
	}
	rank, seen := map[string]int{}, map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		s := decls[name]
		if s == nil || seen[name] {
			return
		}
		seen[name] = true
		if t := s.Transition; t != nil {
			if t.Next != nil {
				visit(t.Next.Name)
			}
			if t.Select != nil {
				for _, c := range t.Select.Cases {
					visit(c.Next.Name)
				}
			}
		}
		rank[name] = -len(rank) // post-order, reversed
	}
	visit("start")
	return rank
}

func (m *machine) runState(f *frame, t *parserTask, s *state, push func(string, syntax.Node, string, *state)) {
	st := t.state
	m.at = st
	g := m.newFrame(nil, f, st.Name.Name, st, m.stateContext(t))
	mark := len(s.vals)
	defer m.runs(g.owner)()
	for _, x := range st.Body {
		if s.dead {
			break
		}
		m.stmt(g, s, x)
	}
	if len(g.returned) > 0 {
		m.refuse(st, "return in a parser state")
	}
	if s.dead {
		return
	}
	m.step(st)
	m.at = st
	if st.Transition == nil {
		s.truncate(mark)
		push("reject", st, g.owner, s)
		return
	}
	m.at = st.Transition
	if st.Transition.Select == nil {
		s.truncate(mark)
		push(st.Transition.Next.Name, st.Transition, g.owner, s)
		return
	}
	m.runSelect(g, s, st.Transition.Select, mark, push)
}

// runSelect takes every case that can be taken; cases with one target are taken together.
func (m *machine) runSelect(g *frame, s *state, sel *syntax.Select, mark int, push func(string, syntax.Node, string, *state)) {
	keys, ts := make([]*smt.Term, len(sel.Exprs)), make([]types.Type, len(sel.Exprs))
	for i, e := range sel.Exprs {
		keys[i], ts[i] = m.scalar(g, s, e), m.typeOf(e)
	}
	if s.dead {
		return
	}
	s.truncate(mark)
	cs := make([]choice, len(sel.Cases))
	for i, c := range sel.Cases {
		cs[i] = m.choice(keys, ts, c.Keyset)
	}
	first, none := m.firstMatch(cs)
	var order []string
	byTarget := map[string][]int{}
	for i, c := range sel.Cases {
		if byTarget[c.Next.Name] == nil {
			order = append(order, c.Next.Name)
		}
		byTarget[c.Next.Name] = append(byTarget[c.Next.Name], i)
	}
	for _, name := range order {
		var conds []*smt.Term
		var alts []*state
		for _, i := range byTarget[name] {
			a := s.clone()
			m.assume(a, first[i])
			if !a.dead {
				alts = append(alts, a)
				conds = append(conds, first[i])
			}
		}
		switch len(alts) {
		case 0:
		case 1:
			push(name, sel, g.owner, alts[0])
		default:
			// The contents are the same in all of them: only what is known differs.
			a := m.merge(alts)
			a.pc = append(s.pc[:len(s.pc):len(s.pc)], m.simplify(s, m.b.Or(conds...)))
			push(name, sel, g.owner, a)
		}
	}
	m.assume(s, none)
	m.endParser(s, m.errorCode("NoMatch"))
}

// endParser ends a path with an error code, or as it is.
func (m *machine) endParser(s *state, code *smt.Term) {
	if s.dead {
		return
	}
	if m.calls > 0 {
		m.refuse(m.at, "a parser error inside a function or action: whether its arguments are copied back is not defined")
	}
	e := s.clone()
	if code != nil {
		off, _ := m.field(m.sm.typ, "parser_error", m.at)
		m.put(e, m.sm.off+off, code, m.at)
	}
	e.vals[ghostCursor] = m.b.BV(uint64(e.cursor), 32)
	m.endedParsers = append(m.endedParsers, e)
	m.leave(s, true)
}

// groups merges the ended paths by the tenants whose code ran, so that what follows runs once for each.
func (m *machine) groups() []*state {
	var order []string
	by := map[string][]*state{}
	for _, e := range m.endedParsers {
		k := m.ranKey(e)
		if by[k] == nil {
			order = append(order, k)
		}
		by[k] = append(by[k], e)
	}
	sort.Strings(order)
	var out []*state
	for _, k := range order {
		g := by[k][0]
		if len(by[k]) > 1 {
			g = m.merge(by[k])
		}
		out = append(out, g)
	}
	return out
}

// need ends the paths on which the packet has fewer than n bits past the cursor. They go on in ingress, with parser_error
// set and everything else as it was.
// The containers in fill were to be filled from the packet, which may have happened in part.
func (m *machine) need(s *state, n int, fill []int, site string) {
	bytes := (s.cursor + n + 7) / 8
	if bytes > maxPacket {
		m.refuse(m.at, "a parser that reads past byte %d", maxPacket)
	}
	if bytes <= s.minLen {
		return
	}
	if bytes > s.maxLen {
		m.spoil(s, fill, site)
		m.endParser(s, m.errorCode("PacketTooShort"))
		return
	}
	ok := m.lengthAtLeast(bytes)
	short := s.clone()
	m.assume(short, m.b.Not(ok))
	short.maxLen = bytes - 1
	if !short.dead {
		m.spoil(short, fill, site)
		m.endParser(short, m.errorCode("PacketTooShort"))
		s.cut++
		s.hard++
	}
	m.assume(s, ok)
	s.minLen = bytes
}

// spoil makes containers hold anything.
func (m *machine) spoil(s *state, at []int, site string) {
	held := []*smt.Term{m.cond(s)}
	for _, off := range at {
		held = append(held, s.vals[off])
	}
	for _, off := range at {
		w := 0
		if s.vals[off].Sort() != smt.Bool {
			w = width(s.vals[off])
		}
		m.put(s, off, m.unknown(Query{Kind: "stale", Name: suffix(site+".short", off-at[0]), Width: w}, held...), m.at)
	}
}

// packetIn executes extract, lookahead, advance and length.
func (m *machine) packetIn(f *frame, s *state, e *syntax.Call, c *types.Call) []*smt.Term {
	if m.phase != inParser {
		m.refuse(e, "%s outside the parser", c.Method)
	}
	switch c.Method {
	case "extract":
		if len(c.Args) != 1 {
			m.refuse(e, "extraction of a variable-size header")
		}
		m.extract(f, s, e, c.Args[0])
		return nil
	case "lookahead":
		t := c.Sig.Result
		ls := m.layout(t, e)
		n := headerBits(ls)
		m.need(s, n, nil, "")
		if s.dead {
			return m.dummy(t, e)
		}
		m.reach(f, s, s.cursor+n, e)
		return m.fromPacket(s, ls)
	case "advance":
		n := m.known(c.Args[0])
		m.need(s, n, nil, "")
		if !s.dead {
			s.cursor += n
			m.reach(f, s, s.cursor, e)
		}
		return nil
	case "length":
		return one(m.wholeLength())
	}
	m.refuse(e, "method %s of packet_in", c.Method)
	return nil
}

func (m *machine) extract(f *frame, s *state, e *syntax.Call, arg syntax.Expr) {
	lv := m.lvalue(f, s, arg)
	if s.dead {
		return
	}
	if !isHeader(lv.typ) || lv.slice {
		m.refuse(e, "extraction of %s", lv.typ)
	}
	ls := m.layout(lv.typ, e)
	n := headerBits(ls)
	var fields []int
	for i, l := range ls {
		if l.kind == fieldLeaf {
			fields = append(fields, lv.off+i)
		}
	}
	m.need(s, n, fields, f.site(e))
	if s.dead {
		return
	}
	m.write(s, lv, m.fromPacket(s, ls), e)
	s.cursor += n
	m.reach(f, s, s.cursor, e)
	if mem, ok := strip(arg).(*syntax.Member); ok {
		if st, ok := under(m.typeOf(mem.X)).(*types.Stack); ok && mem.Sel.Name == "next" {
			stack := m.lvalue(f, s, mem.X)
			off := m.nextOf(stack, st, e)
			m.put(s, off, m.b.BVAdd(s.vals[off], m.b.BV(1, stackBits)), e)
		}
	}
}

// fromPacket reads leaves at the cursor; headers become valid.
func (m *machine) fromPacket(s *state, ls []leaf) []*smt.Term {
	out := make([]*smt.Term, len(ls))
	at := s.cursor
	for i, l := range ls {
		switch {
		case l.kind == validLeaf:
			out[i] = m.b.True()
			continue
		case l.kind == nextLeaf:
			m.refuse(m.at, "extraction of a header stack")
		case l.bits == 0:
			out[i] = m.b.Eq(m.packetField(at, 1), m.b.BV(1, 1))
		default:
			out[i] = m.packetField(at, l.bits)
		}
		at += packetBits(l)
	}
	return out
}

// verify ends the paths on which its condition is false, with the error it names.
func (m *machine) verify(f *frame, s *state, e *syntax.Call, c *types.Call) []*smt.Term {
	if m.phase != inParser {
		m.refuse(e, "verify outside the parser")
	}
	cond := m.scalar(f, s, c.Args[0])
	code := m.scalar(f, s, c.Args[1])
	if s.dead {
		return nil
	}
	v, known, cond := m.decided(s, cond)
	if known && v {
		return nil
	}
	bad := s.clone()
	m.assume(bad, m.b.Not(cond))
	m.endParser(bad, code)
	m.assume(s, cond)
	s.cut++
	s.hard++
	return nil
}
