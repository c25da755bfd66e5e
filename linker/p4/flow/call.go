package flow

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// call evaluates a call.
func (u *unit) call(e *syntax.Call, st *state) {
	c := u.info.Calls[e]
	if c == nil || st.dead {
		return
	}
	switch c.Kind {
	case types.TableApply:
		run := u.applyTable(c, st)
		u.join(run.hit, run.miss)
		*st = *run.hit
		return
	case types.ConstructorCall:
		return
	case types.BuiltinCall:
		if u.builtin(c, st) {
			return
		}
	case types.ActionCall:
		u.actionCall(c, st)
		return
	case types.MethodCall:
		if c.Method == "extract" && len(c.Args) > 0 && c.Args[0] != nil {
			u.extract(c, st)
			return
		}
	}
	if c.Sig == nil {
		return
	}
	u.arguments(c, st)
	u.results(c, st)
}

// arguments reads what goes into a call.
func (u *unit) arguments(c *types.Call, st *state) {
	for i, p := range c.Sig.Params {
		if i >= len(c.Args) || c.Args[i] == nil || !storable(p.Type) {
			continue
		}
		switch a := c.Args[i]; {
		case p.Dir == syntax.Out:
			u.indices(a, st)
		case p.Dir == syntax.InOut:
			// Of a value with parts the callee may use those that are set.
			if q, exact, ok := u.locate(a); ok && exact && q.shape.kind == leaf {
				u.read(a, st)
			} else {
				u.indices(a, st)
			}
		default:
			u.read(a, st)
		}
	}
}

// results writes what comes out of a call.
func (u *unit) results(c *types.Call, st *state) {
	for i, p := range c.Sig.Params {
		if i >= len(c.Args) || c.Args[i] == nil || p.Dir != syntax.Out && p.Dir != syntax.InOut {
			continue
		}
		if q, exact, ok := u.locate(c.Args[i]); ok && exact && !st.dead {
			u.fill(st, q, set, unknown)
		}
		u.written(c.Args[i], st)
	}
}

func storable(t types.Type) bool {
	switch t.(type) {
	case *types.Extern, *types.Applicable, *types.Package, *types.Table, *types.Signature:
		return false
	}
	return true
}

// builtin evaluates methods of headers and stacks.
func (u *unit) builtin(c *types.Call, st *state) bool {
	switch c.Method {
	case "isValid", "setValid", "setInvalid", "push_front", "pop_front":
	default:
		return true // sizes: nothing is evaluated
	}
	u.indices(c.Recv, st)
	p, exact, ok := u.locate(c.Recv)
	if !ok || c.Method == "isValid" {
		return true
	}
	switch {
	case !exact, p.shape.kind == stackShape:
		u.fill(st, p, set, unknown)
	case p.shape.kind != headerShape:
	case c.Method == "setValid":
		u.othersOfUnion(c.Recv, st)
		u.validate(st, p)
	default:
		u.invalidate(st, p)
	}
	return true
}

// othersOfUnion invalidates the members of a header union of which one becomes valid.
func (u *unit) othersOfUnion(member syntax.Expr, st *state) {
	m, ok := syntax.Unparen(member).(*syntax.Member)
	if !ok {
		return
	}
	p, exact, ok := u.locate(m.X)
	if !ok || !exact || p.shape.kind != unionShape {
		return
	}
	for i, f := range p.shape.fields {
		if p.shape.names[i] != m.Sel.Name {
			u.invalidate(st, place{start: p.start + p.shape.starts[i], shape: f})
		}
	}
}

func (u *unit) extract(c *types.Call, st *state) {
	for _, a := range c.Args[1:] {
		u.read(a, st)
	}
	u.indices(c.Args[0], st)
	p, exact, ok := u.locate(c.Args[0])
	switch {
	case !ok:
	case exact:
		u.othersOfUnion(c.Args[0], st)
		u.fill(st, p, set, valid)
	default:
		u.fill(st, p, set, unknown)
	}
}

// actionCall runs an action that is called, or that a table ran with the arguments of its list.
func (u *unit) actionCall(c *types.Call, st *state) {
	d, ok := c.Callee.Decl.(*syntax.ActionDecl)
	if !ok || c.Sig == nil {
		return
	}
	u.arguments(c, st)
	if st.dead {
		return
	}
	u.params(st, d.Params)
	u.bind(c, d, st)
	u.run(c.Callee, d, st)
	if st.dead {
		return
	}
	for i, p := range d.Params {
		if i >= len(c.Args) || c.Args[i] == nil || p.Dir != syntax.Out && p.Dir != syntax.InOut {
			continue
		}
		if to, exact, ok := u.locate(c.Args[i]); ok && exact {
			from, known := u.root(u.info.Defs[p.Name])
			if known && from.shape.size == to.shape.size && to.shape.kind != leaf {
				u.grow(st)
				copy(st.cells[to.start:to.start+to.shape.size], st.cells[from.start:from.start+from.shape.size])
			} else {
				u.fill(st, to, set, unknown)
			}
		}
		u.written(c.Args[i], st)
	}
}

// bind copies what is known about arguments with parts into the parameters of an action.
func (u *unit) bind(c *types.Call, d *syntax.ActionDecl, st *state) {
	u.grow(st)
	for i, p := range d.Params {
		if i >= len(c.Args) || c.Args[i] == nil || p.Dir != syntax.In && p.Dir != syntax.InOut {
			continue
		}
		from, exact, ok := u.locate(c.Args[i])
		to, known := u.root(u.info.Defs[p.Name])
		if ok && exact && known && from.shape.size == to.shape.size && to.shape.kind != leaf {
			u.grow(st)
			copy(st.cells[to.start:to.start+to.shape.size], st.cells[from.start:from.start+from.shape.size])
		}
	}
}

// run follows the body of an action whose parameters are in the state.
func (u *unit) run(o *types.Object, d *syntax.ActionDecl, st *state) {
	u.ran[o] = true
	u.grow(st)
	key := memoKey{o, string(st.cells)}
	if known := u.memo[key]; known != nil {
		*st = *u.clone(known)
		return
	}
	u.callable(st, func(st *state) { u.stmts(d.Body.Stmts, st) })
	u.outs(st, d.Params)
	u.memo[key] = u.clone(st)
}

// tableRun is what may hold after a table was applied, by what it did.
type tableRun struct {
	hit, miss *state
	actions   []*types.Object
	after     map[*types.Object]*state // by action
}

// of is what holds if the action of a switch label ran.
func (r *tableRun) of(u *unit, k *syntax.SwitchCase) *state {
	if n, ok := syntax.Unparen(k.Label).(*syntax.Name); ok {
		if st := r.after[u.info.Uses[n.Ident]]; st != nil {
			return u.clone(st)
		}
	}
	return dead()
}

// others is what holds if none of the labels' actions ran.
func (r *tableRun) others(u *unit, labels []*syntax.SwitchCase) *state {
	skip := map[*types.Object]bool{}
	for _, k := range labels {
		if n, ok := syntax.Unparen(k.Label).(*syntax.Name); ok {
			skip[u.info.Uses[n.Ident]] = true
		}
	}
	out := dead()
	for _, o := range r.actions {
		if !skip[o] {
			u.join(out, r.after[o])
		}
	}
	return out
}

// applyTable evaluates the keys and runs every action that the table can run. St is used up.
func (u *unit) applyTable(c *types.Call, st *state) *tableRun {
	run := &tableRun{hit: dead(), miss: dead(), after: map[*types.Object]*state{}}
	var d *syntax.TableDecl
	if c.Callee != nil {
		d, _ = c.Callee.Decl.(*syntax.TableDecl)
	}
	if d == nil || st.dead {
		return run
	}
	t := u.tableOf(d)
	for _, k := range t.keys {
		u.read(k.Expr, st)
	}
	u.grow(st)
	for _, a := range t.actions {
		after := u.clone(st)
		u.runRef(a, after)
		run.actions = append(run.actions, a.object)
		run.after[a.object] = after
		if a.onHit {
			u.join(run.hit, after)
		}
		if a.onMiss {
			u.join(run.miss, after)
		}
	}
	if t.implicitDefault {
		u.join(run.miss, st)
		if none := run.after[nil]; none == nil {
			run.actions = append(run.actions, nil)
			run.after[nil] = u.clone(st)
		}
	}
	return run
}

func (u *unit) runRef(a tableAction, st *state) {
	if k, ok := a.ref.Call.(*syntax.Call); ok {
		if c := u.info.Calls[k]; c != nil {
			u.actionCall(c, st)
			return
		}
	}
	u.params(st, a.decl.Params)
	u.run(a.object, a.decl, st)
}

// table is what the flow needs to know about a table.
type table struct {
	keys    []*syntax.TableKey
	actions []tableAction
	// implicitDefault: on a miss nothing may happen, because there is no default_action.
	implicitDefault bool
}

type tableAction struct {
	ref           *syntax.ActionRef
	object        *types.Object
	decl          *syntax.ActionDecl
	onHit, onMiss bool
}

func (u *unit) tableOf(d *syntax.TableDecl) *table {
	t := &table{implicitDefault: true}
	var fixed, entries map[*types.Object]bool // of a const default action, of const entries
	var initial *types.Object
	for _, p := range d.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			t.keys = p.Keys
		case *syntax.ExprProperty:
			if p.Name.Name == "default_action" {
				t.implicitDefault = false
				initial = u.actionNamed(p.Value)
				if p.Const {
					fixed = map[*types.Object]bool{initial: true}
				}
			}
		case *syntax.EntriesProperty:
			if p.Const {
				entries = map[*types.Object]bool{}
				for _, e := range p.Entries {
					entries[u.actionNamed(e.Action)] = true
				}
			}
		}
	}
	for _, p := range d.Properties {
		list, ok := p.(*syntax.ActionsProperty)
		if !ok {
			continue
		}
		for _, r := range list.Actions {
			o := u.actionNamed(r.Call)
			if o == nil {
				continue
			}
			decl, ok := o.Decl.(*syntax.ActionDecl)
			if !ok {
				continue
			}
			a := tableAction{ref: r, object: o, decl: decl}
			a.onHit = len(t.keys) > 0 && !hasAnnotation(r.Annotations, "defaultonly") && (entries == nil || entries[o])
			a.onMiss = fixed[o] || fixed == nil && (o == initial || !hasAnnotation(r.Annotations, "tableonly"))
			t.actions = append(t.actions, a)
		}
	}
	return t
}

// actionNamed is the action that an expression of a table names.
func (a *analysis) actionNamed(e syntax.Expr) *types.Object {
	if k, ok := e.(*syntax.Call); ok {
		e = k.Fun
	}
	if n, ok := syntax.Unparen(e).(*syntax.Name); ok {
		return a.info.Uses[n.Ident]
	}
	return nil
}

func hasAnnotation(as []*syntax.Annotation, name string) bool {
	for _, a := range as {
		if a.Name == name {
			return true
		}
	}
	return false
}
