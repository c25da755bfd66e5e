package flow

import (
	"github.com/interlock/interlock/linker/p4/syntax"
)

func (u *unit) stmts(list []syntax.Stmt, st *state) {
	for _, s := range list {
		u.stmt(s, st)
	}
}

func (u *unit) stmt(s syntax.Stmt, st *state) {
	if st.dead || u.spent() {
		return
	}
	u.steps++
	switch s := s.(type) {
	case *syntax.DeclStmt:
		u.decl(s.Decl, st)
	case *syntax.AssignStmt:
		if s.Op != "=" && s.Op != "" {
			u.read(s.LHS, st)
		}
		u.assign(s.LHS, s.RHS, st)
	case *syntax.CallStmt:
		u.call(s.Call, st)
	case *syntax.IfStmt:
		yes, no := u.cond(s.Cond, st)
		u.stmt(s.Then, yes)
		if s.Else != nil {
			u.stmt(s.Else, no)
		}
		u.join(yes, no)
		*st = *yes
	case *syntax.Block:
		u.stmts(s.Stmts, st)
	case *syntax.SwitchStmt:
		u.switchStmt(s, st)
	case *syntax.ForStmt:
		u.stmts(s.Init, st)
		u.loop(st, func(st *state) (next *state) {
			next = st
			if s.Cond != nil {
				next, st = u.cond(s.Cond, st)
				u.leave(st)
			}
			u.stmt(s.Body, next)
			u.join(next, u.continues())
			u.stmts(s.Update, next)
			return next
		})
	case *syntax.ForInStmt:
		u.forIn(s, st)
	case *syntax.ReturnStmt:
		u.read(s.Value, st)
		u.join(u.frame().returns, st)
		st.dead = true
	case *syntax.ExitStmt:
		u.join(u.exits, st)
		st.dead = true
	case *syntax.BreakStmt:
		u.leave(st)
		st.dead = true
	case *syntax.ContinueStmt:
		u.join(u.continues(), st)
		st.dead = true
	}
}

func (u *unit) leave(st *state) {
	f := u.frame()
	if n := len(f.loops); n > 0 {
		u.join(f.loops[n-1].breaks, st)
	}
}

func (u *unit) continues() *state {
	f := u.frame()
	if n := len(f.loops); n > 0 {
		return f.loops[n-1].continues
	}
	return dead()
}

// loop follows a loop until nothing new is found. Round returns what holds at the end of one round.
func (u *unit) loop(st *state, round func(*state) *state) {
	f := u.frame()
	l := &loop{breaks: dead(), continues: dead()}
	f.loops = append(f.loops, l)
	for entry := u.clone(st); !u.spent(); {
		l.continues = dead()
		if !u.join(entry, round(u.clone(entry))) {
			break
		}
	}
	f.loops = f.loops[:len(f.loops)-1]
	*st = *l.breaks
}

func (u *unit) forIn(s *syntax.ForInStmt, st *state) {
	u.read(s.In, st)
	o := u.info.Defs[s.Var]
	if o == nil {
		o = u.info.Uses[s.Var]
	}
	u.loop(st, func(st *state) *state {
		u.leave(st) // there may be no further element
		if o != nil {
			if p, ok := u.root(o); ok {
				u.fill(st, p, set, unknown)
			}
		}
		u.stmt(s.Body, st)
		u.join(st, u.continues())
		return st
	})
}

func (u *unit) switchStmt(s *syntax.SwitchStmt, st *state) {
	var run *tableRun
	if m, ok := syntax.Unparen(s.X).(*syntax.Member); ok {
		if k, ok := syntax.Unparen(m.X).(*syntax.Call); ok {
			if c := u.info.Calls[k]; c != nil && c.Callee != nil && m.Sel.Name == "action_run" {
				run = u.applyTable(c, st)
			}
		}
	}
	if run == nil {
		u.read(s.X, st)
	}
	after, entry, hasDefault := dead(), dead(), false
	rest := st
	if run != nil {
		rest = run.others(u, nil)
	}
	var labelled []*syntax.SwitchCase
	for _, k := range s.Cases {
		_, isDefault := k.Label.(*syntax.DefaultExpr)
		hasDefault = hasDefault || isDefault
		switch {
		case run == nil:
			u.join(entry, u.clone(st))
		case isDefault:
			u.join(entry, run.others(u, labelled))
		default:
			labelled = append(labelled, k)
			u.join(entry, run.of(u, k))
		}
		if k.Body != nil {
			u.stmt(k.Body, entry)
			u.join(after, entry)
			entry = dead()
		}
	}
	u.join(after, entry)
	if !hasDefault {
		if run != nil {
			rest = run.others(u, labelled)
		}
		u.join(after, rest)
	}
	*st = *after
}

func (u *unit) decl(d syntax.Decl, st *state) {
	v, ok := d.(*syntax.VarDecl)
	if !ok {
		return
	}
	o := u.info.Defs[v.Name]
	if o == nil {
		u.read(v.Init, st)
		return
	}
	p, ok := u.root(o)
	switch {
	case !ok:
		u.read(v.Init, st)
	case v.Init == nil:
		u.clear(st, p)
	default:
		u.store(p, v.Init, st)
	}
}

// assign evaluates an assignment.
func (u *unit) assign(lhs, rhs syntax.Expr, st *state) {
	p, exact, ok := u.locate(lhs)
	if !ok {
		u.read(rhs, st)
		u.indices(lhs, st)
		return
	}
	if exact {
		u.store(p, rhs, st)
	} else {
		u.read(rhs, st)
	}
	u.written(lhs, st)
	// Of a header union at most one member is valid.
	if exact && p.shape.kind == headerShape && !st.dead && u.at(st, p.start) == valid {
		u.othersOfUnion(lhs, st)
	}
}

// written says that the part that lhs names has got a value.
func (u *unit) written(lhs syntax.Expr, st *state) {
	if st.dead {
		return
	}
	u.indices(lhs, st)
	// A slice is a part of a scalar: with it the whole counts as set.
	sliced := false
	for {
		x := syntax.Unparen(lhs)
		if s, ok := x.(*syntax.Slice); ok {
			lhs, sliced = s.X, true
		} else if s, ok := x.(*syntax.PlusSlice); ok {
			lhs, sliced = s.X, true
		} else {
			break
		}
	}
	p, exact, ok := u.locate(lhs)
	switch {
	case !ok:
		return
	case !exact && u.elements(lhs, p, st):
		p.shape.each(p.start, func(i int, validity bool) {
			if !validity {
				u.put(st, i, set)
			}
		})
		return
	case !exact:
		u.fill(st, p, set, unknown)
		return
	case sliced:
		u.put(st, p.start, set)
	}
	if len(p.headers) > 0 {
		u.access(lhs, p, st)
	}
}

// store evaluates an expression into a place.
func (u *unit) store(p place, e syntax.Expr, st *state) {
	x := syntax.Unparen(e)
	switch x := x.(type) {
	case *syntax.InvalidExpr:
		u.invalidate(st, p)
		return
	case *syntax.Cast:
		u.store(p, x.X, st)
		return
	case *syntax.ListExpr:
		if u.storeParts(p, st, len(x.Elems), func(i int) (int, syntax.Expr) { return i, x.Elems[i] }) {
			return
		}
	case *syntax.StructExpr:
		if u.storeParts(p, st, len(x.Fields), func(i int) (int, syntax.Expr) {
			f := x.Fields[i]
			if f.Name == nil {
				return -1, f.Value
			}
			return p.shape.field(f.Name.Name), f.Value
		}) {
			return
		}
	case *syntax.DotsExpr:
		u.defaults(p, st)
		return
	case *syntax.Name, *syntax.Member, *syntax.Index:
		from, exact, ok := u.locate(x)
		if !ok || !exact || from.shape.size != p.shape.size || p.shape.kind == leaf {
			break
		}
		u.indices(x, st)
		if len(from.headers) > 0 {
			u.access(x, from, st)
		}
		u.grow(st)
		copy(st.cells[p.start:p.start+p.shape.size], append([]cell(nil), st.cells[from.start:from.start+p.shape.size]...))
		return
	}
	u.read(e, st)
	if !st.dead {
		u.fill(st, p, set, unknown)
	}
}

// storeParts stores the elements of a list or struct expression. Parts that are not given get default values.
func (u *unit) storeParts(p place, st *state, n int, part func(int) (int, syntax.Expr)) bool {
	if p.shape.kind != structShape && p.shape.kind != headerShape {
		return false
	}
	type stored struct {
		field int
		cells []cell
	}
	// All are read before any is written: the right side may use the left one.
	var parts []stored
	for i := range n {
		f, e := part(i)
		if f < 0 || f >= len(p.shape.fields) {
			u.read(e, st)
			continue
		}
		q := place{start: p.start + p.shape.starts[f], shape: p.shape.fields[f]}
		u.grow(st)
		old := append([]cell(nil), st.cells[q.start:q.start+q.shape.size]...)
		u.store(q, e, st)
		if st.dead {
			return true
		}
		parts = append(parts, stored{f, append([]cell(nil), st.cells[q.start:q.start+q.shape.size]...)})
		copy(st.cells[q.start:], old)
	}
	u.defaults(p, st)
	for _, s := range parts {
		copy(st.cells[p.start+p.shape.starts[s.field]:], s.cells)
	}
	return true
}

// defaults gives a place the default value of its type.
func (u *unit) defaults(p place, st *state) {
	v := invalid
	if p.shape.kind == headerShape {
		v = valid
	}
	u.fill(st, p, set, v)
}
