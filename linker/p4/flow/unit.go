package flow

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// unit follows one parser, control, function or action from its start to its ends.
type unit struct {
	*analysis
	machine
	roots  map[*types.Object]place
	frames []*frame
	exits  *state // where exit statements stand
	memo   map[memoKey]*state
	ran    map[*types.Object]bool // actions that were followed
	found  map[syntax.Node]*finding
	order  []syntax.Node
}

// frame collects the ways out of the callable, and of the loop, that is being followed.
type frame struct {
	returns *state
	loops   []*loop
}

type loop struct{ breaks, continues *state }

type memoKey struct {
	callee *types.Object
	cells  string
}

// finding is what is known about one read of a value: the union over all times that it was met.
type finding struct {
	value, header cell
	out           bool // not a read but the end of a callable with this out parameter
}

func (a *analysis) newUnit() *unit {
	return &unit{
		analysis: a,
		roots:    map[*types.Object]place{},
		exits:    dead(),
		memo:     map[memoKey]*state{},
		ran:      map[*types.Object]bool{},
		found:    map[syntax.Node]*finding{},
	}
}

// root is where a variable or parameter lies; ok is false if it is not followed.
func (u *unit) root(o *types.Object) (place, bool) {
	if p, ok := u.roots[o]; ok {
		return p, p.shape != nil
	}
	p := place{start: len(u.initial), shape: u.shapes.of(o.Type)}
	// What all variables of a unit need together is bounded as well.
	if p.shape != nil && len(u.initial)+p.shape.size > 8*maxCells {
		p.shape = nil
	}
	u.roots[o] = p
	if p.shape == nil {
		return p, false
	}
	u.initial = append(u.initial, make([]cell, p.shape.size)...)
	p.shape.each(p.start, func(i int, validity bool) {
		u.initial[i] = set
		if validity {
			u.initial[i] = unknown
		}
	})
	return p, true
}

func (u *unit) note(n syntax.Node, value, header cell) {
	f := u.found[n]
	if f == nil {
		f = &finding{}
		u.found[n] = f
		u.order = append(u.order, n)
	}
	f.value |= value
	f.header |= header
}

// params gives the parameters of the callable their values at its start.
func (u *unit) params(st *state, ps []*syntax.Param) {
	for _, p := range ps {
		o := u.info.Defs[p.Name]
		if o == nil {
			continue
		}
		at, ok := u.root(o)
		if !ok {
			continue
		}
		if p.Dir == syntax.Out {
			u.clear(st, at)
		} else {
			u.fill(st, at, set, unknown)
		}
	}
}

// outs notes what out parameters hold at the end of the callable.
func (u *unit) outs(st *state, ps []*syntax.Param) {
	if st.dead {
		return
	}
	for _, p := range ps {
		o := u.info.Defs[p.Name]
		if o == nil || p.Dir != syntax.Out {
			continue
		}
		at, ok := u.root(o)
		if !ok {
			continue
		}
		if v, scalars := u.whole(st, at); scalars {
			u.note(p, v, 0)
			u.found[p].out = true
		}
	}
}

// whole is what holds for the scalars of a place outside of headers; scalars is false if there is none. A value with parts
// counts as set if any part is: most programs set what they use.
func (u *unit) whole(st *state, p place) (v cell, scalars bool) {
	if p.shape.kind == leaf {
		return u.at(st, p.start), true
	}
	all := unset
	var visit func(sh *shape, start int)
	visit = func(sh *shape, start int) {
		switch sh.kind {
		case leaf:
			scalars = true
			if u.at(st, start) != unset {
				all = set
			}
		case structShape:
			for i, f := range sh.fields {
				visit(f, start+sh.starts[i])
			}
		case headerShape, unionShape, stackShape:
			// Their validity is a value, and reading them as a whole is harmless.
			all = set
		}
	}
	visit(p.shape, p.start)
	return all, scalars
}

// callable follows a body to its end and joins all ways out of it.
func (u *unit) callable(st *state, body func(*state)) {
	f := &frame{returns: dead()}
	u.frames = append(u.frames, f)
	body(st)
	u.frames = u.frames[:len(u.frames)-1]
	u.join(f.returns, st)
	*st = *f.returns
}

func (u *unit) frame() *frame { return u.frames[len(u.frames)-1] }

func (u *unit) control(d *syntax.ControlDecl) {
	st := &state{}
	u.params(st, d.Params)
	u.params(st, d.CtorParams)
	for _, l := range d.Locals {
		u.decl(l, st)
	}
	u.callable(st, func(st *state) { u.stmts(d.Apply.Stmts, st) })
	u.join(st, u.exits)
	u.outs(st, d.Params)
	// Actions that nothing runs are checked as if all that they use were set.
	for _, l := range d.Locals {
		if a, ok := l.(*syntax.ActionDecl); ok && !u.ran[u.info.Defs[a.Name]] {
			u.action(a)
		}
	}
}

func (u *unit) function(params []*syntax.Param, body *syntax.Block) {
	st := &state{}
	u.params(st, params)
	u.callable(st, func(st *state) { u.stmts(body.Stmts, st) })
	u.join(st, u.exits)
	u.outs(st, params)
}

// action follows an action by itself.
func (u *unit) action(d *syntax.ActionDecl) {
	st := &state{}
	u.params(st, d.Params)
	u.callable(st, func(st *state) { u.stmts(d.Body.Stmts, st) })
	u.outs(st, d.Params)
}

func (u *unit) parser(d *syntax.ParserDecl) {
	start := &state{}
	u.params(start, d.Params)
	u.params(start, d.CtorParams)
	for _, l := range d.Locals {
		u.decl(l, start)
	}
	states := map[*types.Object]*syntax.StateDecl{}
	in := map[*syntax.StateDecl]*state{}
	var work []*syntax.StateDecl
	for _, s := range d.States {
		states[u.info.Defs[s.Name]] = s
		in[s] = dead()
		if s.Name.Name == "start" {
			u.join(in[s], start)
			work = append(work, s)
		}
	}
	accepted := dead()
	goTo := func(id *syntax.Ident, st *state) {
		o := u.info.Uses[id]
		if s := states[o]; s != nil {
			if u.join(in[s], st) {
				work = append(work, s)
			}
		} else if id.Name == "accept" {
			u.join(accepted, st)
		}
	}
	for len(work) > 0 && !u.spent() {
		s := work[len(work)-1]
		work = work[:len(work)-1]
		st := u.clone(in[s])
		u.callable(st, func(st *state) { u.stmts(s.Body, st) })
		if st.dead || s.Transition == nil {
			continue
		}
		if s.Transition.Select == nil {
			if s.Transition.Next != nil {
				goTo(s.Transition.Next, st)
			}
			continue
		}
		for _, e := range s.Transition.Select.Exprs {
			u.read(e, st)
		}
		for _, k := range s.Transition.Select.Cases {
			goTo(k.Next, st)
			if catchAll(k.Keyset) {
				break
			}
		}
	}
	u.outs(accepted, d.Params)
}
