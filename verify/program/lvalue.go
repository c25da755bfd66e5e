package program

import (
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/verify/smt"
)

// An lvalue is a place that can be assigned: containers from off on, or bits [hi:lo] of the one at off.
type lvalue struct {
	off    int
	typ    types.Type
	slice  bool
	hi, lo int
	owner  string // as in loc
}

// isLvalue reports whether e denotes containers, rather than a value.
func (m *machine) isLvalue(f *frame, e syntax.Expr) bool {
	switch e := strip(e).(type) {
	case *syntax.Name:
		o := m.info.Uses[e.Ident]
		if o == nil {
			return false
		}
		_, ok := f.lookupVar(o)
		return ok
	case *syntax.Member:
		if _, ok := e.X.(*syntax.TypeExpr); ok {
			return false
		}
		return m.isLvalue(f, e.X)
	case *syntax.Index:
		return m.isLvalue(f, e.X)
	case *syntax.Slice:
		return m.isLvalue(f, e.X)
	}
	return false
}

// lvalue resolves e. A parser's access past the end of a stack ends the path: then s is dead, and the place does not matter.
func (m *machine) lvalue(f *frame, s *state, e syntax.Expr) lvalue {
	switch e := strip(e).(type) {
	case *syntax.Name:
		o := m.info.Uses[e.Ident]
		if o != nil {
			if l, ok := f.lookupVar(o); ok {
				return lvalue{off: l.off, typ: l.typ, owner: l.owner}
			}
		}
		m.refuse(e, "%s in this place", e.Ident.Name)
	case *syntax.Member:
		x := m.lvalue(f, s, e.X)
		if st, ok := under(x.typ).(*types.Stack); ok {
			return m.stackElem(s, x, st, e)
		}
		off, t := m.field(x.typ, e.Sel.Name, e)
		return lvalue{off: x.off + off, typ: t, owner: x.owner}
	case *syntax.Index:
		x := m.lvalue(f, s, e.X)
		st, ok := under(x.typ).(*types.Stack)
		if !ok {
			m.refuse(e, "an index into %s", x.typ)
		}
		i := m.known(e.I)
		if i >= st.Size {
			m.refuse(e, "index %d of a stack of %d headers", i, st.Size)
		}
		return lvalue{off: x.off + i*len(m.layout(st.Elem, e)), typ: st.Elem, owner: x.owner}
	case *syntax.Slice:
		x := m.lvalue(f, s, e.X)
		hi, lo := m.known(e.Hi), m.known(e.Lo)
		if x.slice {
			return lvalue{x.off, m.typeOf(e), true, x.lo + hi, x.lo + lo, x.owner}
		}
		return lvalue{x.off, m.typeOf(e), true, hi, lo, x.owner}
	}
	m.refuse(e, "%s as a place to assign", syntax.PrintNode(e))
	return lvalue{}
}

// nextOf is the container of a stack's next index.
func (m *machine) nextOf(x lvalue, st *types.Stack, at syntax.Node) int {
	return x.off + st.Size*len(m.layout(st.Elem, at))
}

// stackElem resolves stack.next and stack.last in a parser.
func (m *machine) stackElem(s *state, x lvalue, st *types.Stack, e *syntax.Member) lvalue {
	next, ok := s.vals[m.nextOf(x, st, e)].ConstBV()
	if !ok {
		m.refuse(e, "a stack whose next index differs between the paths that lead here")
	}
	i := int(next.Int64())
	switch e.Sel.Name {
	case "next":
	case "last":
		i--
	default:
		m.refuse(e, "%s of a stack in this place", e.Sel.Name)
	}
	if i < 0 || i >= st.Size {
		if m.phase != inParser {
			m.refuse(e, "%s outside a parser", e.Sel.Name)
		}
		m.endParser(s, m.errorCode("StackOutOfBounds"))
		i = 0
	}
	return lvalue{off: x.off + i*len(m.layout(st.Elem, e)), typ: st.Elem, owner: x.owner}
}

// read returns what a place holds. A header's fields are read whether or not the header is valid: the container is what an
// invalid header's field reads.
func (m *machine) read(s *state, lv lvalue) []*smt.Term {
	m.touch(s, lv, reads)
	if lv.slice {
		return one(m.b.Extract(s.vals[lv.off], lv.hi, lv.lo))
	}
	n := len(m.layout(lv.typ, nil))
	return append([]*smt.Term(nil), s.vals[lv.off:lv.off+n]...)
}

// write stores leaves in a place.
func (m *machine) write(s *state, lv lvalue, v []*smt.Term, by syntax.Node) {
	m.touch(s, lv, writes)
	if lv.slice {
		m.put(s, lv.off, m.splice(s.vals[lv.off], v[0], lv.hi, lv.lo), by)
		return
	}
	for i, t := range v {
		m.put(s, lv.off+i, t, by)
	}
}

// put stores one term in one container.
func (m *machine) put(s *state, off int, t *smt.Term, by syntax.Node) {
	if s.vals[off].Sort() != t.Sort() {
		m.refuse(by, "a value of another width in this place")
	}
	s.vals[off] = m.fold(t)
	if s.origin != nil {
		s.origin[off] = by
	}
}

// splice replaces bits [hi:lo] of x.
func (m *machine) splice(x, v *smt.Term, hi, lo int) *smt.Term {
	w := width(x)
	if hi < w-1 {
		v = m.b.Concat(m.b.Extract(x, w-1, hi+1), v)
	}
	if lo > 0 {
		v = m.b.Concat(v, m.b.Extract(x, lo-1, 0))
	}
	return v
}

// assign is lv = e for values of type t, with the containers' semantics of headers: a copy of an invalid header leaves
// anything in the fields.
func (m *machine) assign(f *frame, s *state, lv lvalue, v []*smt.Term, by syntax.Node) {
	if m.concrete != nil && f.owner != "" {
		m.concrete.byTenant[by] = true
	}
	if lv.slice {
		m.write(s, lv, v, by)
		return
	}
	v = append([]*smt.Term(nil), m.fit(v, lv.typ, by)...)
	m.blurInvalid(s, lv.typ, v, 0, f.site(by), by)
	m.write(s, lv, v, by)
}

// blurInvalid replaces the fields of headers in v that may be invalid by unknowns: what a copy gives them is any function of what their header holds.
func (m *machine) blurInvalid(s *state, t types.Type, v []*smt.Term, off int, site string, at syntax.Node) int {
	switch u := under(t).(type) {
	case *types.Struct:
		end := off
		if u.Kind == types.Header {
			end++
		}
		for _, fl := range u.Fields {
			end = m.blurInvalid(s, fl.Type, v, end, site, at)
		}
		if u.Kind == types.Header {
			m.blur(s, v, off, end, site)
		}
		return end
	case *types.Stack:
		for i := 0; i < u.Size; i++ {
			off = m.blurInvalid(s, u.Elem, v, off, site, at)
		}
		return off + 1
	case *types.Tuple:
		for _, el := range u.Elems {
			off = m.blurInvalid(s, el, v, off, site, at)
		}
		return off
	}
	return off + len(m.layout(t, at))
}

func (m *machine) blur(s *state, v []*smt.Term, off, end int, site string) {
	valid := v[off]
	if c, ok := valid.ConstBool(); ok && c {
		return
	}
	held := append(slices.Clone(v[off:end]), m.cond(s))
	for i := off + 1; i < end; i++ {
		if v[i].Sort() == smt.Bool {
			u := m.unknown(Query{Kind: "stale", Name: suffix("stale@"+site, i)}, held...)
			v[i] = m.b.Ite(valid, v[i], u)
			continue
		}
		u := m.unknown(Query{Kind: "stale", Name: suffix("stale@"+site, i), Width: width(v[i])}, held...)
		v[i] = m.b.Ite(valid, v[i], u)
	}
}
