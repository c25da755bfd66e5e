package program

import (
	"fmt"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/verify/smt"
)

// call evaluates any call and returns its result's leaves, none for void.
func (m *machine) call(f *frame, s *state, e *syntax.Call) []*smt.Term {
	c := m.info.Calls[e]
	if c == nil {
		m.refuse(e, "an unresolved call")
	}
	m.step(e)
	m.inOrder(e, c)
	switch c.Kind {
	case types.FunctionCall:
		d, ok := c.Callee.Decl.(*syntax.FunctionDecl)
		if !ok || d.Body == nil || len(d.TypeParams) > 0 {
			m.refuse(e, "a call of %s", c.Callee.Name)
		}
		g := m.newFrame(f, nil, d.Name.Name, d, f.site(e)+"/")
		return m.invoke(f, s, e, g, c.Sig, m.given(c), func(s *state) { m.enter(f, g, s, d); m.block(g, s, d.Body.Stmts) })
	case types.ActionCall:
		d := m.actionDecl(c.Callee, e)
		g := m.newFrame(f, m.declFrame(f, c.Callee), d.Name.Name, d, f.site(e)+"/")
		return m.invoke(f, s, e, g, c.Sig, m.given(c), func(s *state) { m.enter(f, g, s, d); m.block(g, s, d.Body.Stmts) })
	case types.TableApply:
		m.applyTable(f, s, e)
		return nil
	case types.ControlApply:
		return m.applyControl(f, s, e, c)
	case types.DirectApply:
		d, ok := c.Callee.Decl.(*syntax.ControlDecl)
		if !ok || len(d.CtorParams) > 0 || len(d.TypeParams) > 0 {
			m.refuse(e, "applying %s", c.Callee.Name)
		}
		g := m.newFrame(f, nil, d.Name.Name, d, f.site(e)+"/")
		g.path = f.path + "." + d.Name.Name
		return m.runControl(f, s, e, g, d, c)
	case types.ExternFnCall:
		return m.externFunction(f, s, e, c)
	case types.MethodCall:
		return m.method(f, s, e, c)
	case types.BuiltinCall:
		return m.builtin(f, s, e, c)
	}
	m.refuse(e, "this call (%s)", firstLine(syntax.PrintNode(e)))
	return nil
}

// inOrder refuses named arguments in another order than the parameters' where that may matter: the language evaluates arguments as
// they stand, the executor in the order of the parameters.
func (m *machine) inOrder(e *syntax.Call, c *types.Call) {
	effect, moved := false, false
	for i, a := range e.Args {
		effect = effect || m.hasEffect(a.Value)
		moved = moved || a.Name != nil && (i >= len(c.Args) || c.Args[i] != a.Value)
	}
	if effect && moved {
		m.refuse(e, "calls in named arguments that are not in the order of the parameters")
	}
}

// given has the arguments of a call as written, in the order of its parameters.
func (m *machine) given(c *types.Call) []argument {
	out := make([]argument, len(c.Args))
	for i, a := range c.Args {
		out[i] = argument{expr: a}
	}
	return out
}

// within gives what f's expressions leave open names of their own until the result is called: the same expression is evaluated
// again elsewhere.
func (m *machine) within(f *frame, ctx string) func() {
	was := f.ctx
	f.ctx = ctx
	return func() { f.ctx = was }
}

// An argument is an expression of the caller, or leaves that are already known (action data, bound parameters).
type argument struct {
	expr syntax.Expr
	vals []*smt.Term
}

type copyBack struct {
	to   lvalue
	from loc
	site string
}

// invoke binds parameters by copy-in, runs body in g, and copies out, also on the way of an exit.
func (m *machine) invoke(f *frame, s *state, at syntax.Node, g *frame, sig *types.Signature, args []argument, body func(*state)) []*smt.Term {
	mark := len(s.vals)
	// What the caller hands to a tenant's code, and takes back from it, that code reads and writes.
	defer m.runs(g.owner)()
	var back []copyBack
	for i, p := range sig.Params {
		if i >= len(args) {
			m.refuse(at, "a call without argument for %s", p.Name)
		}
		if p.Decl == nil || p.Decl.Name == nil {
			m.refuse(at, "a call with unnamed parameters")
		}
		o := m.info.Defs[p.Decl.Name]
		if o == nil {
			m.refuse(at, "parameter %s", p.Name)
		}
		back = m.bind(f, s, at, g, o, p, args[i], back)
		if s.dead {
			s.truncate(mark)
			return m.dummy(sig.Result, at)
		}
	}
	var resultLeaves int
	if sig.Result != nil && sig.Result != types.Void {
		g.result = m.alloc(s, sig.Result, m.arbitrary(sig.Result, "uninitialised", f.site(at)+"$result", at), at)
		g.result.owner = m.owner
		resultLeaves = len(m.layout(sig.Result, at))
	}
	base := s.clone()
	m.calls++
	body(s)
	m.calls--
	m.finish(s, base, g)
	var result []*smt.Term
	if !s.dead {
		result = append(result, s.vals[g.result.off:g.result.off+resultLeaves]...)
		m.copyOut(s, back, at)
	} else {
		result = m.dummy(sig.Result, at)
	}
	s.truncate(mark)
	for _, x := range g.exited {
		m.copyOut(x, back, at)
		x.truncate(mark)
		f.exited = append(f.exited, x)
	}
	return result
}

// finish brings the paths that returned back into s; base is the state at the start of the body.
func (m *machine) finish(s, base *state, g *frame) {
	if len(g.returned) == 0 {
		return
	}
	all := append(g.returned, s.clone())
	hard := base.hard
	for _, a := range all {
		hard = max(hard, a.hard)
		// What returned is back.
		a.cut = base.cut + a.hard - base.hard
	}
	for _, a := range all {
		if !a.dead && a.cursor != base.cursor && m.phase == inParser {
			m.refuse(m.at, "return from a function that extracts")
		}
	}
	*s = *m.join(base, hard == base.hard, all...)
	g.returned = nil
}

// dummy stands for the result of a call that did not come back.
func (m *machine) dummy(t types.Type, at syntax.Node) []*smt.Term {
	if t == nil {
		return nil
	}
	ls := m.layout(t, at)
	out := make([]*smt.Term, len(ls))
	for i, l := range ls {
		if l.bits == 0 {
			out[i] = m.b.False()
		} else {
			out[i] = m.b.BV(0, l.bits)
		}
	}
	return out
}

func (m *machine) bind(f *frame, s *state, at syntax.Node, g *frame, o *types.Object, p *types.Param, a argument, back []copyBack) []copyBack {
	if a.expr == nil && a.vals == nil {
		m.refuse(at, "a call without argument for %s", p.Name)
	}
	switch {
	case p.Dir == syntax.Out || p.Dir == syntax.InOut:
		if _, ok := a.expr.(*syntax.DontCare); ok {
			g.vars[o] = m.ours(m.alloc(s, p.Type, m.arbitrary(p.Type, "uninitialised", f.site(at)+"$out."+p.Name, at), at))
			return back
		}
		lv := m.lvalue(f, s, a.expr)
		if s.dead {
			return back
		}
		if p.Dir == syntax.Out {
			g.vars[o] = m.alloc(s, p.Type, m.arbitrary(p.Type, "uninitialised", f.site(at)+"$out."+p.Name, at), at)
		} else {
			v := append([]*smt.Term(nil), m.fit(m.read(s, lv), p.Type, at)...)
			m.blurInvalid(s, p.Type, v, 0, f.site(at)+"$in."+p.Name, at)
			l := m.alloc(s, p.Type, m.folded(v), at)
			if s.origin != nil && !lv.slice {
				copy(s.origin[l.off:], s.origin[lv.off:lv.off+len(s.vals)-l.off])
			}
			g.vars[o] = l
		}
		g.vars[o] = m.ours(g.vars[o])
		return append(back, copyBack{lv, g.vars[o], f.site(at) + "$back." + p.Name})
	case a.vals != nil:
		g.vars[o] = m.ours(m.alloc(s, p.Type, m.fit(a.vals, p.Type, at), at))
		return back
	}
	if p.Decl.Default == a.expr { // one expression for all calls
		defer m.within(f, f.site(at)+"$default."+p.Name+"/")()
	}
	v := m.eval(f, s, a.expr)
	if s.dead {
		return back
	}
	v = append([]*smt.Term(nil), m.fit(v, p.Type, a.expr)...)
	m.blurInvalid(s, p.Type, v, 0, f.site(at)+"$in."+p.Name, at)
	g.vars[o] = m.ours(m.alloc(s, p.Type, m.folded(v), at))
	return back
}

// copyOut writes out and inout parameters back, in order. A container keeps the origin of the value that comes back.
func (m *machine) copyOut(s *state, back []copyBack, at syntax.Node) {
	m.at = at
	for _, c := range back {
		n := len(m.layout(c.from.typ, at))
		if c.to.slice {
			m.write(s, c.to, s.vals[c.from.off:c.from.off+1], at)
			continue
		}
		m.touch(s, c.to, writes)
		v := append([]*smt.Term(nil), s.vals[c.from.off:c.from.off+n]...)
		m.blurInvalid(s, c.from.typ, v, 0, c.site, at)
		for i := 0; i < n; i++ {
			s.vals[c.to.off+i] = m.fold(v[i])
			if s.origin != nil {
				s.origin[c.to.off+i] = s.origin[c.from.off+i]
			}
		}
	}
}

// applyControl runs a control's instance.
func (m *machine) applyControl(f *frame, s *state, e *syntax.Call, c *types.Call) []*smt.Term {
	t, ok := c.Callee.Type.(*types.Applicable)
	if !ok {
		m.refuse(e, "applying %s", c.Callee.Name)
	}
	d, ok := t.Decl.(*syntax.ControlDecl)
	if !ok || d.Proto || len(d.TypeParams) > 0 {
		m.refuse(e, "applying %s", c.Callee.Name)
	}
	g := m.newFrame(f, nil, d.Name.Name, d, f.site(e)+"/")
	g.path = c.Callee.Name
	if decl := m.declFrame(f, c.Callee); decl != nil {
		g.path = decl.path + "." + c.Callee.Name
	}
	if len(d.CtorParams) > 0 {
		if c.Callee.Ctor == nil {
			m.refuse(e, "an instance of %s with unknown constructor arguments", d.Name.Name)
		}
		for i, p := range d.CtorParams {
			a := c.Callee.Ctor.Args[i]
			v, ok := m.info.Values[a]
			if !ok {
				m.refuse(e, "constructor argument %s", p.Name.Name)
			}
			g.consts[m.info.Defs[p.Name]] = m.values(v, m.typeOf(a), a)
		}
	}
	return m.runControl(f, s, e, g, d, c)
}

// runControl is the part that named instances and direct application share.
func (m *machine) runControl(f *frame, s *state, e *syntax.Call, g *frame, d *syntax.ControlDecl, c *types.Call) []*smt.Term {
	m.unnamed(d)
	cut := m.cutControl(f, g, s, e, d, c)
	out := m.invoke(f, s, e, g, c.Sig, m.given(c), func(s *state) {
		m.enter(f, g, s, d)
		cut.enter(s)
		m.controlBody(g, s, d)
	})
	cut.leave(s)
	return out
}

func (m *machine) controlBody(g *frame, s *state, d *syntax.ControlDecl) {
	mark := len(s.vals)
	for _, l := range d.Locals {
		m.at = l
		m.local(g, s, l)
	}
	m.block(g, s, d.Apply.Stmts)
	s.truncate(mark)
}

// declFrame is the frame in which an action, table or instance was declared, or nil for top level.
func (m *machine) declFrame(f *frame, o *types.Object) *frame {
	if o.Parent == nil {
		return nil
	}
	// Lexical scoping: the declaring frame encloses the one that names the object, or is it.
	g := f
	for g.lex != nil {
		g = g.lex
	}
	return g
}

func (m *machine) actionDecl(o *types.Object, at syntax.Node) *syntax.ActionDecl {
	d, ok := o.Decl.(*syntax.ActionDecl)
	if !ok || d.Body == nil {
		m.refuse(at, "action %s", o.Name)
	}
	return d
}

// builtin is a method of headers and stacks.
func (m *machine) builtin(f *frame, s *state, e *syntax.Call, c *types.Call) []*smt.Term {
	lv := m.lvalue(f, s, c.Recv)
	switch c.Method {
	case "isValid":
		m.touch(s, lv, reads)
		return one(s.vals[lv.off])
	case "setValid", "setInvalid":
		m.touch(s, lv, writes)
		m.put(s, lv.off, m.b.Bool(c.Method == "setValid"), e)
		return nil
	case "push_front", "pop_front":
		st, ok := under(lv.typ).(*types.Stack)
		if !ok || len(c.Args) != 1 {
			break
		}
		m.shiftStack(f, s, e, lv, st, c.Method == "push_front", m.known(c.Args[0]))
		return nil
	}
	m.refuse(e, "method %s", c.Method)
	return nil
}

// shiftStack moves a stack's headers; those that come in at the open end are invalid and hold anything.
func (m *machine) shiftStack(f *frame, s *state, e *syntax.Call, lv lvalue, st *types.Stack, push bool, n int) {
	size := len(m.layout(st.Elem, e))
	old := m.read(s, lv)
	for i := 0; i < st.Size; i++ {
		from := i + n
		if push {
			from = i - n
		}
		var v []*smt.Term
		if from >= 0 && from < st.Size {
			v = old[from*size : (from+1)*size]
		} else {
			v = m.arbitrary(st.Elem, "stale", fmt.Sprintf("stale@%s.%d", f.site(e), i), e)
		}
		m.write(s, lvalue{off: lv.off + i*size, typ: st.Elem, owner: lv.owner}, v, e)
	}
	// Clamped in more bits, so that nothing wraps.
	at := m.nextOf(lv, st, e)
	next := m.b.ZeroExt(s.vals[at], 32-stackBits)
	limit, by := m.b.BV(uint64(st.Size), 32), m.b.BV(uint64(min(n, st.Size)), 32)
	if push {
		next = m.b.BVAdd(next, by)
		next = m.b.Ite(m.b.BVUlt(limit, next), limit, next)
	} else {
		next = m.b.Ite(m.b.BVUlt(next, by), m.b.BV(0, 32), m.b.BVSub(next, by))
	}
	m.put(s, at, m.b.Extract(next, stackBits-1, 0), e)
}
