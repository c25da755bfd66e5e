package program

import (
	"fmt"
	"slices"
	"strings"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// P7 runs two programs side by side: a tenant's own and the linked one, for that tenant's packets. What nothing determines in a run (what a
// table does, what a cell holds, a hash) has a name, and where both runs ask for it in corresponding places the name is the same: it is one
// unknown. Places correspond by their names in the text: the n-th hash of action A is that of the linked A. This is only how pairs are found.
// That they are asked at the same time and about the same is claimed, and so a wrong pair refutes and proves nothing.

// A pairing is one of two machines that run side by side.
type pairing struct {
	tenant Tenant
	own    *ownProgram // in the machine that runs the tenant's own program
	labels map[syntax.Node]string
	events []*event
	byKey  map[string]*event
	cuts   map[string][]*cut
	// other, in the machine of the own program, is the linked one's.
	other  *machine
	errors map[string]int // codes in the linked program, by the names that the own program has for them
	places map[string]slotPlace
}

// An event is what happens to something that lasts, or asks for what nothing determines.
type event struct {
	key, kind string
	object    string // control-plane name of the object
	phase     phase
	algorithm string
	args      []*smt.Term
	pc        *smt.Term
	order     int
	at        syntax.Node
}

// A slotPlace is where both programs access register memory.
type slotPlace struct {
	register *types.Object // of the own program
	array    string        // stage array of the linked one; empty: there is no such access
}

// A cut is the state at a place between the system's code and the tenant's: what tenant code sees, or left.
type cut struct {
	pc            *smt.Term
	state         *state
	hdr, meta, sm []*smt.Term
	hdrAt         loc // of the tenant's headers among the pipeline's own containers
	smType        types.Type
	pages         []pageLookup
	at            syntax.Node
}

// standard are the fields of standard metadata as the tenant's code has them.
func (c *cut) standard(linked *machine) map[string]*smt.Term {
	return linked.fields(c.smType, c.sm, c.at)
}

// Places of cuts.
const (
	cutEnter   = "enter"   // with the phase: a control of the tenant begins
	cutLeave   = "leave"   // and has ended
	cutQueue   = "queue"   // egress begins
	cutCompute = "compute" // the checksums begin
	cutDeparse = "deparse"
	cutStray   = "stray" // one of these, but the tenant's parser did not run
)

func (m *machine) cut(name string, c *cut) {
	if m.pair != nil && c.pc != m.b.False() {
		m.pair.cuts[name] = append(m.pair.cuts[name], c)
	}
}

// cutAt is a cut between the pipeline's controls.
func (m *machine) cutAt(name string, s *state, at syntax.Node) {
	if m.pair != nil && !s.dead {
		if i := m.tenantIndex(m.pair.tenant.Name); i >= 0 && s.vals[ghostRan(i)] == m.b.False() {
			name = cutStray
		}
		m.cut(name, &cut{pc: m.cond(s), state: s.clone(), at: at})
	}
}

// isOwn says that this machine runs a tenant's own program beside the linked one.
func (m *machine) isOwn() bool { return m.pair != nil && m.pair.own != nil }

// plain is a name without the tenant's prefix, for names of unknowns that both runs share.
func (m *machine) plain(name string) string {
	if m.pair == nil || m.isOwn() {
		return name
	}
	return strings.TrimPrefix(name, specs.TenantPrefix(m.pair.tenant.Name))
}

// event notes what happens in the tenant's code or to what is the tenant's.
func (m *machine) event(f *frame, s *state, n syntax.Node, kind string, inst *instance, pc *smt.Term, args ...*smt.Term) *event {
	if m.pair == nil || s.dead {
		return nil
	}
	e := &event{key: f.site(n), kind: kind, phase: m.phase, args: args, pc: pc, at: n}
	if inst != nil {
		e.object = inst.path
	}
	if !m.isOwn() && m.pair.labels[n] == "" {
		// The system's code: it may count and look up what is its own.
		if inst == nil {
			return nil
		}
		if _, _, stage := stageArray(inst.path); !stage && inst.owner != m.pair.tenant.Name {
			return nil
		}
	}
	e.order = len(m.pair.events)
	m.pair.events = append(m.pair.events, e)
	m.pair.byKey[e.key] = e
	return e
}

// labels names the places of a program's tenant code: with a prefix, that of a tenant in a linked program; without, all of it.
type labels struct {
	info   *types.Info
	tenant string
	prefix string
	out    map[syntax.Node]string
}

func labelsOf(info *types.Info, tenant string, linked bool) map[syntax.Node]string {
	l := &labels{info: info, tenant: tenant, out: map[syntax.Node]string{}}
	if linked {
		l.prefix = specs.TenantPrefix(tenant)
	}
	sums := map[syntax.Decl]bool{}
	for _, a := range info.MainArgs {
		if a.Param == "vr" || a.Param == "ck" {
			sums[a.Decl] = true
		}
	}
	builtin := p4.Builtin()
	for _, d := range info.Program.Decls {
		if _, ok := builtin[d.Pos().File]; ok {
			continue
		}
		switch d := d.(type) {
		case *syntax.ControlDecl:
			if sums[d] {
				l.checksums(d)
			} else if name, ok := l.mine(d.Name.Name); ok && !d.Proto {
				l.control(name, d)
			}
		case *syntax.ActionDecl:
			if name, ok := l.mine(d.Name.Name); ok {
				l.scope("."+name, d.Body)
			}
		case *syntax.FunctionDecl:
			if name, ok := l.mine(d.Name.Name); ok && d.Body != nil {
				l.scope("."+name, d.Body)
			}
		case *syntax.ParserDecl:
			for _, s := range d.States {
				if name, ok := l.mine(s.Name.Name); ok {
					l.scope("parser."+name, s)
				}
			}
		}
	}
	return l.out
}

func (l *labels) mine(name string) (string, bool) { return strings.CutPrefix(name, l.prefix) }

func (l *labels) control(name string, d *syntax.ControlDecl) {
	var body []syntax.Node
	for _, x := range d.Locals {
		switch x := x.(type) {
		case *syntax.ActionDecl:
			l.scope(name+"."+x.Name.Name, x.Body)
		case *syntax.TableDecl:
		default:
			body = append(body, x)
		}
	}
	l.scope(name, append(body, d.Apply)...)
}

// checksums are the calls of a checksum control that are about the tenant's headers or metadata.
func (l *labels) checksums(d *syntax.ControlDecl) {
	n := 0
	for _, s := range d.Apply.Stmts {
		st, ok := s.(*syntax.CallStmt)
		if !ok {
			continue
		}
		mine := l.prefix == ""
		for _, a := range st.Call.Args {
			syntax.Walk(a.Value, func(x syntax.Node) bool {
				if mem, ok := x.(*syntax.Member); ok && mem.Sel.Name == l.tenant {
					if name, ok := mem.X.(*syntax.Name); ok && (name.Ident.Name == d.Params[0].Name.Name || name.Ident.Name == d.Params[1].Name.Name) {
						mine = true
					}
				}
				return true
			})
		}
		if mine {
			l.out[st.Call] = fmt.Sprintf("sum#%d", n)
			n++
		}
	}
}

// scope numbers the places of one body by what they are.
func (l *labels) scope(name string, body ...syntax.Node) {
	count := map[string]int{}
	for _, b := range body {
		syntax.Walk(b, func(n syntax.Node) bool {
			if kind := l.kind(n); kind != "" {
				l.out[n] = fmt.Sprintf("%s/%s#%d", name, kind, count[kind])
				count[kind]++
			}
			return true
		})
	}
}

func (l *labels) kind(n syntax.Node) string {
	switch n := n.(type) {
	case *syntax.Call:
		return l.call(n)
	case *syntax.AssignStmt:
		if hasHeader(l.info.Types[n.LHS]) {
			return "copy"
		}
	case *syntax.ReturnStmt:
		return "return"
	case *syntax.VarDecl:
		name, _ := l.mine(n.Name.Name)
		return "variable " + name
	case *syntax.InvalidExpr:
		return "invalid"
	}
	return ""
}

func (l *labels) call(n *syntax.Call) string {
	c := l.info.Calls[n]
	if c == nil {
		return ""
	}
	name := c.Method
	if c.Callee != nil {
		name, _ = l.mine(c.Callee.Name)
	}
	switch c.Kind {
	case types.MethodCall:
		if x, ok := under(l.info.Types[c.Recv]).(*types.Extern); ok && x.Name == "register" {
			return "register"
		}
		if c.Method == "extract" && len(c.Args) > 0 {
			if mem, ok := strip(c.Args[0]).(*syntax.Member); ok {
				return "extract " + mem.Sel.Name
			}
		}
		recv := ""
		if x, ok := strip(c.Recv).(*syntax.Name); ok {
			recv, _ = l.mine(x.Ident.Name)
		}
		return recv + "." + c.Method
	case types.BuiltinCall:
		return ""
	case types.ExternFnCall:
		return c.Method
	}
	return fmt.Sprintf("%d %s", c.Kind, name)
}

func hasHeader(t types.Type) bool {
	switch u := under(t).(type) {
	case *types.Struct:
		if u.Kind == types.Header {
			return true
		}
		for _, f := range u.Fields {
			if hasHeader(f.Type) {
				return true
			}
		}
	case *types.Stack:
		return true
	}
	return false
}

// ownRegister is an access of a register in the tenant's own program as its virtual switch has it: element i is slot base + i of the page-table
// entry, the index folded by its mask, and an index that is not below its size misses.
func (m *machine) ownRegister(f *frame, s *state, e *syntax.Call, c *types.Call, inst *instance, index *smt.Term) {
	b := m.b
	bits, ok := under(inst.elem).(*types.Bit)
	if !ok || bits.Width > 32 || width(index) > 32 {
		m.refuse(e, "a register of %s elements", inst.elem)
	}
	v, hit := widen(b, index, 32), b.True()
	if control, k, ok := stageArray(m.pair.places[m.pair.labels[e]].array); ok {
		if enter := m.pair.other.pair.cuts[cutEnter+" "+string(control)]; len(enter) > 0 {
			x := m.pair.other.page(enter[0], control, k)
			v = b.BVAnd(v, x.mask)
			hit = b.BVUlt(v, widen(b, x.size, 32))
			v = b.BVAdd(widen(b, x.base, 32), v)
		}
	}
	pc := b.And(m.cond(s), hit)
	if c.Method == "write" {
		value := m.scalar(f, s, c.Args[1])
		m.event(f, s, e, "register.write", inst, pc, v, widen(b, value, 32))
	} else {
		m.event(f, s, e, "register.read", inst, pc, v)
		cell := m.unknown(Query{Kind: "register", Name: suffix(f.site(e)+".read", 0), Width: 32, Object: inst.path, Index: m.constant(v)})
		m.assign(f, s, m.lvalue(f, s, c.Args[0]), one(b.Extract(b.Ite(hit, cell, b.BV(0, 32)), bits.Width-1, 0)), e)
	}
	m.setHit(f, s, e, inst.name, hit)
}

// setHit sets the flag that shows whether an access was served, in the user metadata as the code sees it.
func (m *machine) setHit(f *frame, s *state, at syntax.Node, register string, hit *smt.Term) {
	meta, ok := under(m.meta.typ).(*types.Struct)
	if !ok {
		return
	}
	field := m.pair.own.hits[meta.Name+"."+register]
	if field == "" {
		return
	}
	for g := f; g != nil; g = g.lex {
		for o, l := range g.vars {
			if _, param := o.Decl.(*syntax.Param); !param || under(o.Type) != types.Type(meta) {
				continue
			}
			off, t := m.field(l.typ, field, at)
			if m.layout(t, at)[0].bits > 0 {
				hit = m.b.Ite(hit, m.b.BV(1, 1), m.b.BV(0, 1))
			}
			m.put(s, l.off+off, hit, at)
			return
		}
	}
	m.refuse(at, "an access of register %s where its hit flag cannot be set", register)
}

// A pageEntry is what the page table holds for the packet's VID in one stage: zeros without an entry.
type pageEntry struct{ base, size, mask, generation *smt.Term }

func (m *machine) page(e *cut, c specs.Control, k int) pageEntry {
	b := m.b
	x := pageEntry{b.BV(0, specs.BaseBits), b.BV(0, specs.SizeBits), b.BV(0, specs.MaskBits), b.BV(0, specs.GenerationBits)}
	for _, l := range e.pages {
		if l.control != c {
			continue
		}
		pick := func(name string, otherwise *smt.Term) *smt.Term {
			v := l.data[name]
			if v == nil || v.Sort() != otherwise.Sort() {
				m.refuse(e.at, "%s without parameter %s", specs.MapAction(c), name)
			}
			return b.Ite(l.cond, v, otherwise)
		}
		x = pageEntry{
			pick(specs.BaseParam(k), x.base), pick(specs.SizeParam(k), x.size), pick(specs.MaskParam(k), x.mask), pick(specs.GenerationParam(k), x.generation),
		}
	}
	return x
}

// topContext starts the names of unknowns in the controls of main.
var topContext = map[phase]string{inVerify: "v/", inIngress: "i/", inEgress: "e/", inCompute: "c/", inDeparser: "d/"}

// stateContext starts the names of unknowns in a parser state.
func (m *machine) stateContext(t *parserTask) string {
	if m.pair != nil {
		cursor := t.cursor
		name, mine := t.state.Name.Name, true
		if !m.isOwn() {
			name, mine = strings.CutPrefix(name, specs.TenantPrefix(m.pair.tenant.Name))
			cursor -= tagBits
		}
		if mine {
			return fmt.Sprintf("%s.p.%s.%d/", m.pair.tenant.Name, name, cursor)
		}
	}
	return "p." + strings.ReplaceAll(t.key, "/", ".") + "/"
}

// with adds the algorithm to an event.
func (e *event) with(algorithm string) {
	if e != nil {
		e.algorithm = algorithm
	}
}

// count is the event of a counter that is indexed: past its end nothing is counted.
func (m *machine) count(f *frame, s *state, e *syntax.Call, inst *instance, index *smt.Term) {
	if m.pair == nil {
		return
	}
	n := max(width(index), 63) + 1
	below := m.b.BVUlt(widen(m.b, index, n), m.b.BV(uint64(inst.size), n))
	m.event(f, s, e, "counter", inst, m.b.And(m.cond(s), below), index)
}

// taggedOnly leaves the packets of the tenant: one tag, its VID, from one of its ports.
func (m *machine) taggedOnly(s *state) {
	x := m
	if m.isOwn() {
		x = m.pair.other
	}
	p := &prover{machine: x}
	m.assume(s, p.tagged(m.pair.tenant))
	m.assume(s, p.onPorts(m.pair.tenant, x.ingressPort()))
	s.minLen = (ethernetBits + tagBits) / 8
	if m.isOwn() {
		s.minLen = ethernetBits / 8
	}
}

// A controlCut notes the state before and after a tenant's control that the system applies; it may be nil.
type controlCut struct {
	m         *machine
	f, g      *frame
	call      *syntax.Call
	decl      *syntax.ControlDecl
	types     *types.Call
	hdr, meta lvalue
	sm        lvalue
}

func (m *machine) cutControl(f, g *frame, s *state, e *syntax.Call, d *syntax.ControlDecl, c *types.Call) *controlCut {
	if m.pair == nil || m.isOwn() || f.owner != "" || g.owner != m.pair.tenant.Name || s.dead {
		return nil
	}
	x := &controlCut{m: m, f: f, g: g, call: e, decl: d, types: c}
	if len(d.Params) < 3 || len(c.Args) < 3 {
		m.refuse(e, "a tenant's control with %d parameters", len(d.Params))
	}
	for i, to := range []*lvalue{&x.hdr, &x.meta, &x.sm} {
		if d.Params[i].Dir != syntax.InOut && d.Params[i].Dir != syntax.In || !m.isLvalue(f, c.Args[i]) {
			m.refuse(e, "a tenant's control whose arguments are not headers, metadata and standard metadata")
		}
		*to = m.lvalue(f, s, c.Args[i])
	}
	return x
}

func (x *controlCut) enter(s *state) {
	if x == nil || s.dead {
		return
	}
	var v [3][]*smt.Term
	for i := range v {
		l, ok := x.g.lookupVar(x.m.info.Defs[x.decl.Params[i].Name])
		if !ok {
			x.m.refuse(x.call, "parameter %s", x.decl.Params[i].Name.Name)
		}
		v[i] = append([]*smt.Term(nil), s.vals[l.off:l.off+len(x.m.layout(l.typ, x.call))]...)
	}
	x.add(s, cutEnter, v)
}

func (x *controlCut) leave(s *state) {
	if x == nil || s.dead {
		return
	}
	var v [3][]*smt.Term
	for i, lv := range []lvalue{x.hdr, x.meta, x.sm} {
		v[i] = append([]*smt.Term(nil), s.vals[lv.off:lv.off+len(x.m.layout(lv.typ, x.call))]...)
	}
	x.add(s, cutLeave, v)
}

func (x *controlCut) add(s *state, name string, v [3][]*smt.Term) {
	x.m.cut(name+" "+string(x.m.phase), &cut{
		pc: x.m.cond(s), state: s.clone(), hdr: v[0], meta: v[1], sm: v[2], hdrAt: loc{off: x.hdr.off, typ: x.hdr.typ}, smType: x.sm.typ,
		pages: slices.Clone(x.m.pages), at: x.call,
	})
}
