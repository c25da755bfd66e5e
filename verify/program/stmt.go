package program

import (
	"fmt"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/verify/smt"
)

func suffix(name string, i int) string { return fmt.Sprintf("%s.%d", name, i) }

// block executes statements in a scope of their own.
func (m *machine) block(f *frame, s *state, stmts []syntax.Stmt) {
	mark := len(s.vals)
	for _, st := range stmts {
		if s.dead {
			break
		}
		m.stmt(f, s, st)
	}
	s.truncate(mark)
}

func (m *machine) stmt(f *frame, s *state, st syntax.Stmt) {
	m.at = st
	switch st := st.(type) {
	case *syntax.EmptyStmt:
	case *syntax.Block:
		m.block(f, s, st.Stmts)
	case *syntax.DeclStmt:
		m.local(f, s, st.Decl)
	case *syntax.AssignStmt:
		m.assignStmt(f, s, st)
	case *syntax.CallStmt:
		m.call(f, s, st.Call)
	case *syntax.IfStmt:
		m.ifStmt(f, s, st)
	case *syntax.SwitchStmt:
		m.switchStmt(f, s, st)
	case *syntax.ReturnStmt:
		m.returnStmt(f, s, st)
	case *syntax.ExitStmt:
		if m.phase == inParser {
			m.refuse(st, "exit in a parser")
		}
		f.exited = append(f.exited, s.clone())
		m.leave(s, true)
	default:
		m.refuse(st, "this statement (%s)", firstLine(syntax.PrintNode(st)))
	}
}

// leave ends the path of s here; for good unless somebody picked up a copy.
func (m *machine) leave(s *state, hard bool) {
	s.dead = true
	s.cut++
	if hard {
		s.hard++
	}
}

func (m *machine) assignStmt(f *frame, s *state, st *syntax.AssignStmt) {
	if st.Op != "=" {
		m.operate(f, s, st)
		return
	}
	v := m.eval(f, s, st.RHS)
	if s.dead {
		return
	}
	lv := m.lvalue(f, s, st.LHS)
	m.assign(f, s, lv, v, st)
	m.keepOrigin(f, s, lv, st)
}

// operate is x op= e, which is x = x op e: x is read before e is evaluated.
func (m *machine) operate(f *frame, s *state, st *syntax.AssignStmt) {
	lv := m.lvalue(f, s, st.LHS)
	if s.dead {
		return
	}
	x, y := m.read(s, lv), m.eval(f, s, st.RHS)
	if s.dead {
		return
	}
	op := syntax.Op(strings.TrimSuffix(string(st.Op), "="))
	if len(x) != 1 || len(y) != 1 || op == "<<" || op == ">>" {
		m.refuse(st, "operator %s on this type", st.Op)
	}
	m.assign(f, s, lv, one(m.arith(st, op, x[0], y[0], signed(lv.typ))), st)
}

// keepOrigin blames a tenant's statement, rather than the system's copy, for a value that system code copies from where the
// tenant wrote it.
func (m *machine) keepOrigin(f *frame, s *state, lv lvalue, st *syntax.AssignStmt) {
	if s.origin == nil || f.owner != "" || lv.slice || !m.isLvalue(f, st.RHS) {
		return
	}
	from := m.lvalue(f, s, st.RHS)
	if from.slice || s.dead {
		return
	}
	for i := range m.layout(lv.typ, st) {
		if by := s.origin[from.off+i]; by != nil && m.concrete.byTenant[by] {
			s.origin[lv.off+i] = by
		}
	}
}

// local declares a variable, constant or instance in a body.
func (m *machine) local(f *frame, s *state, d syntax.Decl) {
	switch d := d.(type) {
	case *syntax.ConstDecl:
		// Its uses have their values from the checker.
	case *syntax.VarDecl:
		o := m.info.Defs[d.Name]
		var v []*smt.Term
		if d.Init != nil {
			v = append([]*smt.Term(nil), m.fit(m.eval(f, s, d.Init), o.Type, d)...)
			m.blurInvalid(s, o.Type, v, 0, f.site(d), d)
		} else {
			v = m.arbitrary(o.Type, "uninitialised", f.site(d)+"."+d.Name.Name, d)
		}
		l := m.alloc(s, o.Type, m.folded(v), d)
		if l.owner = f.declOwner; l.owner == "" {
			l.owner = m.tenantOf(d.Name.Name, d)
		}
		f.vars[o] = l
	case *syntax.InstanceDecl:
		m.declareInstance(f, d)
	case *syntax.ActionDecl, *syntax.TableDecl, *syntax.FunctionDecl:
		// Entered when called or applied.
	default:
		m.refuse(d, "this declaration")
	}
}

func (m *machine) folded(v []*smt.Term) []*smt.Term {
	if m.concrete != nil {
		for i := range v {
			v[i] = m.fold(v[i])
		}
	}
	return v
}

func (m *machine) ifStmt(f *frame, s *state, st *syntax.IfStmt) {
	c := m.scalar(f, s, st.Cond)
	if s.dead {
		return
	}
	v, known, c := m.decided(s, c)
	if known {
		if v {
			m.block(f, s, []syntax.Stmt{st.Then})
		} else if st.Else != nil {
			m.block(f, s, []syntax.Stmt{st.Else})
		}
		return
	}
	yes, no := s.clone(), s.clone()
	m.assume(yes, c)
	m.assume(no, m.b.Not(c))
	m.block(f, yes, []syntax.Stmt{st.Then})
	if st.Else != nil {
		m.block(f, no, []syntax.Stmt{st.Else})
	}
	m.joinInto(s, st, yes, no)
}

// joinInto merges the exhaustive alternatives of s back into it.
func (m *machine) joinInto(s *state, at syntax.Node, alts ...*state) {
	cursor, first := 0, true
	for _, a := range alts {
		if a.dead {
			continue
		}
		if !first && a.cursor != cursor {
			m.refuse(at, "branches that extract different numbers of bits")
		}
		cursor, first = a.cursor, false
	}
	*s = *m.join(s, true, alts...)
}

func (m *machine) switchStmt(f *frame, s *state, st *syntax.SwitchStmt) {
	if mem, ok := strip(st.X).(*syntax.Member); ok && mem.Sel.Name == "action_run" {
		if call, ok := strip(mem.X).(*syntax.Call); ok {
			r := m.applyTable(f, s, call)
			if !s.dead {
				m.cases(f, s, st, func(label syntax.Expr) *smt.Term { return r.ran(m, label) })
			}
			return
		}
	}
	x := m.eval(f, s, st.X)
	if s.dead {
		return
	}
	t := m.typeOf(st.X)
	m.cases(f, s, st, func(label syntax.Expr) *smt.Term {
		return m.equal(t, x, m.eval(f, s, label), label)
	})
}

// cases runs a switch. Labels exclude each other; a label without a body falls through to the next that has one.
func (m *machine) cases(f *frame, s *state, st *syntax.SwitchStmt, holds func(syntax.Expr) *smt.Term) {
	var alts []*state
	rest := s.clone()
	pending := m.b.False()
	sawDefault := false
	for _, c := range st.Cases {
		if _, ok := c.Label.(*syntax.DefaultExpr); ok {
			if sawDefault || len(st.Cases) == 0 || c != st.Cases[len(st.Cases)-1] {
				m.refuse(c, "a default that is not the last case")
			}
			sawDefault = true
			if c.Body != nil {
				m.block(f, rest, c.Body.Stmts)
			}
			continue
		}
		pending = m.b.Or(pending, holds(c.Label))
		if c.Body == nil {
			continue
		}
		alt := rest.clone()
		m.assume(alt, pending)
		m.assume(rest, m.b.Not(pending))
		pending = m.b.False()
		if !alt.dead {
			m.block(f, alt, c.Body.Stmts)
		}
		alts = append(alts, alt)
	}
	m.joinInto(s, st, append(alts, rest)...)
}

func (m *machine) returnStmt(f *frame, s *state, st *syntax.ReturnStmt) {
	if st.Value != nil {
		v := m.eval(f, s, st.Value)
		if s.dead {
			return
		}
		m.assign(f, s, lvalue{off: f.result.off, typ: f.result.typ, owner: f.result.owner}, v, st)
	}
	f.returned = append(f.returned, s.clone())
	m.leave(s, false)
}

func firstLine(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return s[:i] + " ..."
	}
	return s
}

// instanceKind is what an instance's type says it is.
func instanceKind(t types.Type) string {
	switch t := t.(type) {
	case *types.Extern:
		return t.Name
	case *types.Applicable:
		if t.Control {
			return "control"
		}
		return "parser"
	}
	return ""
}
