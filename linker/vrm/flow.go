package vrm

import (
	"fmt"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
)

// access is one call of read or write on a virtual register.
type access struct {
	reg     *Register
	control *syntax.ControlDecl // whose code it is in
	meta    string              // the control's parameter with the user metadata, "" if it has none
	write   bool

	inAction bool
}

// visit is what may have happened to a register on the way to a point of the program.
type visit struct {
	at    syntax.Pos
	write bool
	index string   // the index's canonical text, "" if it cannot be compared any more
	deps  []string // the places that the index was computed from
}

// state is what may have happened on some path to a point; nil when no path leads there. It is not changed once shared.
type state struct{ visits map[*Register][]visit }

func newState() *state { return &state{visits: map[*Register][]visit{}} }

func (s *state) clone() *state {
	if s == nil {
		return nil
	}
	c := newState()
	for r, v := range s.visits {
		c.visits[r] = append([]visit(nil), v...)
	}
	return c
}

// merge joins two paths.
func merge(a, b *state) *state {
	if a == nil {
		return b.clone()
	}
	out := a.clone()
	if b == nil {
		return out
	}
	for r, list := range b.visits {
		for _, v := range list {
			known := false
			for _, w := range out.visits[r] {
				known = known || w.at == v.at && w.write == v.write && w.index == v.index
			}
			if !known {
				out.visits[r] = append(out.visits[r], v)
			}
		}
	}
	return out
}

// forget makes indices that depend on a place incomparable from here on.
func (s *state) forget(place string) {
	if s == nil {
		return
	}
	for _, list := range s.visits {
		for i := range list {
			for _, d := range list[i].deps {
				if overlap(d, place) {
					list[i].index = ""
				}
			}
		}
	}
}

// overlap says whether two places share storage: one is the other or a part of it.
func overlap(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".")
}

// walker follows every path through one of main's controls.
type walker struct {
	p       *Program
	control specs.Control
	order   map[*Register]map[*Register]syntax.Pos // order[a][b]: b is visited after a, seen at
	seen    map[*Register]bool
	in      *syntax.ControlDecl
	returns []*state // states at return statements of what is being walked
	depth   int
	actions int // nesting of actions
}

// walk follows the paths through a control and gives the registers that it uses their stages.
func (p *Program) walk(name specs.Control, c *syntax.ControlDecl) {
	if c == nil {
		return
	}
	w := &walker{p: p, control: name, order: map[*Register]map[*Register]syntax.Pos{}, seen: map[*Register]bool{}}
	w.body(c, newState())
	w.stages()
}

// maxDepth bounds nested controls; the language forbids recursion, and the checker finds it.
const maxDepth = 64

// body walks a control's apply block.
func (w *walker) body(c *syntax.ControlDecl, s *state) *state {
	if w.depth++; w.depth > maxDepth {
		w.p.errorf(c.Pos(), "controls nested deeper than %d", maxDepth)
		return s
	}
	outer, returns := w.in, w.returns
	w.in, w.returns = c, nil
	s = w.stmt(c.Apply, s)
	for _, r := range w.returns {
		s = merge(s, r)
	}
	w.in, w.returns = outer, returns
	w.depth--
	return s
}

func (w *walker) stmts(list []syntax.Stmt, s *state) *state {
	for _, st := range list {
		s = w.stmt(st, s)
	}
	return s
}

func (w *walker) stmt(n syntax.Stmt, s *state) *state {
	if s == nil {
		return nil
	}
	switch n := n.(type) {
	case *syntax.Block:
		return w.stmts(n.Stmts, s)
	case *syntax.DeclStmt:
		if v, ok := n.Decl.(*syntax.VarDecl); ok && v.Init != nil {
			s = w.expr(v.Init, s)
		}
	case *syntax.AssignStmt:
		s = w.expr(n.RHS, s)
		s = w.expr(n.LHS, s)
		s = s.clone()
		s.forget(w.place(n.LHS))
	case *syntax.CallStmt:
		return w.call(n.Call, s)
	case *syntax.IfStmt:
		s = w.expr(n.Cond, s)
		then := w.stmt(n.Then, s.clone())
		if n.Else == nil {
			return merge(then, s)
		}
		return merge(then, w.stmt(n.Else, s.clone()))
	case *syntax.SwitchStmt:
		return w.switchStmt(n, s)
	case *syntax.ReturnStmt:
		w.returns = append(w.returns, s)
		return nil
	case *syntax.ExitStmt:
		return nil // refused by the linker
	case *syntax.EmptyStmt:
	default:
		w.p.errorf(n.Pos(), "this statement is not supported yet where registers may be accessed")
	}
	return s
}

func (w *walker) switchStmt(n *syntax.SwitchStmt, s *state) *state {
	var perAction map[*types.Object]*state
	if m, ok := n.X.(*syntax.Member); ok {
		if c, ok := m.X.(*syntax.Call); ok && w.p.info.Calls[c] != nil && w.p.info.Calls[c].Kind == types.TableApply {
			perAction, s = w.table(w.p.info.Calls[c].Callee, s)
		}
	}
	if perAction == nil {
		s = w.expr(n.X, s)
	}
	var out, entry *state
	covered := false
	for _, c := range n.Cases {
		from := s
		if _, ok := c.Label.(*syntax.DefaultExpr); ok {
			covered = true
		} else if name, ok := c.Label.(*syntax.Name); ok && perAction != nil {
			if after, ok := perAction[w.p.info.Uses[name.Ident]]; ok {
				from = after
			}
		}
		entry = merge(from, entry) // with what falls through
		if c.Body == nil {
			continue
		}
		out = merge(w.stmt(c.Body, entry.clone()), out)
		entry = nil
	}
	if !covered {
		out = merge(s, out)
	}
	return merge(entry, out)
}

// table applies a table: any of its actions may run. It returns the state after each action and after any.
func (w *walker) table(o *types.Object, s *state) (map[*types.Object]*state, *state) {
	per := map[*types.Object]*state{}
	out := s.clone() // the default action may be NoAction
	decl, ok := o.Decl.(*syntax.TableDecl)
	if !ok {
		return per, out
	}
	for _, prop := range decl.Properties {
		switch prop := prop.(type) {
		case *syntax.KeyProperty:
			for _, k := range prop.Keys {
				out = w.expr(k.Expr, out)
			}
		case *syntax.ActionsProperty:
			for _, ref := range prop.Actions {
				name := actionName(ref.Call)
				if name == nil {
					continue
				}
				a := w.p.info.Uses[name.Ident]
				if a == nil {
					continue
				}
				after := w.action(a, s.clone())
				per[a] = merge(after, per[a])
				out = merge(out, after)
			}
		}
	}
	return per, out
}

func actionName(e syntax.Expr) *syntax.Name {
	if c, ok := e.(*syntax.Call); ok {
		e = c.Fun
	}
	n, _ := e.(*syntax.Name)
	return n
}

// action runs an action's body. Its parameters mean nothing afterwards.
func (w *walker) action(o *types.Object, s *state) *state {
	decl, ok := o.Decl.(*syntax.ActionDecl)
	if !ok || decl.Body == nil || builtin(decl) {
		return s
	}
	returns := w.returns
	w.returns = nil
	w.actions++
	s = w.stmt(decl.Body, s)
	w.actions--
	for _, r := range w.returns {
		s = merge(s, r)
	}
	w.returns = returns
	for _, p := range decl.Params {
		s.forget(w.object(w.p.info.Defs[p.Name]))
	}
	return s
}

// expr finds the calls inside an expression, in evaluation order.
func (w *walker) expr(e syntax.Expr, s *state) *state {
	if e == nil || s == nil {
		return s
	}
	syntax.Walk(e, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.Call); ok {
			s = w.call(c, s)
			return false
		}
		return true
	})
	return s
}

func (w *walker) call(c *syntax.Call, s *state) *state {
	info := w.p.info.Calls[c]
	if info == nil || s == nil {
		return s
	}
	for _, a := range info.Args {
		s = w.expr(a, s)
	}
	s = s.clone()
	switch info.Kind {
	case types.MethodCall:
		if r := w.register(info.Recv); r != nil {
			s = w.access(c, info, r, s)
		}
	case types.ActionCall:
		s = w.action(info.Callee, s)
	case types.TableApply:
		_, s = w.table(info.Callee, s)
	case types.ControlApply, types.DirectApply:
		if decl := controlOf(info.Callee); decl != nil {
			s = w.body(decl, s)
			if w.p.users[decl] {
				w.p.users[w.in] = true
			}
		}
	case types.BuiltinCall:
		if info.Recv != nil {
			s.forget(w.place(info.Recv))
		}
	}
	if info.Sig != nil && s != nil {
		for i, p := range info.Sig.Params {
			if (p.Dir == syntax.Out || p.Dir == syntax.InOut) && i < len(info.Args) && info.Args[i] != nil {
				s.forget(w.place(info.Args[i]))
			}
		}
	}
	return s
}

// controlOf is the declaration of the control that an instance, or a control's own name, stands for.
func controlOf(o *types.Object) *syntax.ControlDecl {
	if o == nil {
		return nil
	}
	if d, ok := o.Decl.(*syntax.ControlDecl); ok {
		return d
	}
	if a, ok := o.Type.(*types.Applicable); ok {
		d, _ := a.Decl.(*syntax.ControlDecl)
		return d
	}
	return nil
}

func (w *walker) register(recv syntax.Expr) *Register {
	n, ok := recv.(*syntax.Name)
	if !ok {
		return nil
	}
	return w.p.byObject[w.p.info.Uses[n.Ident]]
}

// access records a visit of a register and checks it against what may have happened before on the same path.
func (w *walker) access(c *syntax.Call, info *types.Call, r *Register, s *state) *state {
	write := info.Method == "write"
	idx := info.Args[len(info.Args)-1]
	if write {
		idx = info.Args[0]
	}
	switch r.Control {
	case "":
		r.Control = w.control
	case w.control:
	default:
		w.p.errorf(c.Pos(), "register %s is used in ingress and in egress; a stage array belongs to one of them", r.Name)
		return s
	}
	if a := w.p.accesses[c]; a != nil && a.control != w.in {
		w.p.errorf(c.Pos(), "this access of register %s is reached from two controls", r.Name)
		return s
	}
	w.p.accesses[c] = &access{reg: r, control: w.in, meta: w.metadataParam(), write: write, inAction: w.actions > 0}
	w.p.checkIndex(c, info)
	w.p.users[w.in] = true
	w.seen[r] = true

	for other, list := range s.visits {
		if other == r || len(list) == 0 {
			continue
		}
		if w.order[other] == nil {
			w.order[other] = map[*Register]syntax.Pos{}
		}
		if _, ok := w.order[other][r]; !ok {
			w.order[other][r] = c.Pos()
		}
	}
	v := visit{at: c.Pos(), write: write}
	v.index, v.deps = w.canonical(idx)
	for _, before := range s.visits[r] {
		switch {
		case !before.write && write && before.index != "" && before.index == v.index:
		case !before.write && write:
			w.p.errorf(c.Pos(), "register %s was read at %s, and this write need not be at the same index; a packet visits a register once: one read, then one write at the same index", r.Name, before.at)
		default:
			w.p.errorf(c.Pos(), "register %s was already accessed at %s; a packet visits a register once: one read, then one write at the same index", r.Name, before.at)
		}
	}
	s.visits[r] = []visit{v}
	return s
}

// metadataParam is the parameter of the control being walked that holds the user metadata.
func (w *walker) metadataParam() string {
	for _, prm := range w.in.Params {
		if prm.Dir != syntax.InOut {
			continue
		}
		if t, ok := w.p.info.TypeNodes[prm.Type].(*types.Struct); ok && w.p.metadata != nil && t.Decl == w.p.metadata.Decl {
			return prm.Name.Name
		}
	}
	return ""
}

// canonical writes an index so that equal texts mean equal values as long as no place in deps is written; "" if it cannot.
func (w *walker) canonical(e syntax.Expr) (string, []string) {
	var deps []string
	var text func(e syntax.Expr) string
	text = func(e syntax.Expr) string {
		if v, ok := w.p.info.Values[e].(types.IntValue); ok {
			return v.Int.String()
		}
		switch e := e.(type) {
		case *syntax.Paren:
			return text(e.X)
		case *syntax.Name, *syntax.Member:
			p := w.place(e)
			if p == "" {
				return ""
			}
			deps = append(deps, p)
			return p
		case *syntax.Slice:
			return join(text(e.X), "[", text(e.Hi), ":", text(e.Lo), "]")
		case *syntax.Cast:
			return join("(", syntax.PrintNode(e.To), ")", text(e.X))
		case *syntax.Unary:
			return join(string(e.Op), "(", text(e.X), ")")
		case *syntax.Binary:
			return join("(", text(e.X), string(e.Op), text(e.Y), ")")
		}
		return ""
	}
	t := text(e)
	return t, deps
}

func join(parts ...string) string {
	for _, p := range parts {
		if p == "" {
			return ""
		}
	}
	return strings.Join(parts, "")
}

// place names the storage behind an l-value: its root object, then the fields on the way. Slices and indices stand for the whole.
func (w *walker) place(e syntax.Expr) string {
	switch e := e.(type) {
	case *syntax.Name:
		return w.object(w.p.info.Uses[e.Ident])
	case *syntax.Paren:
		return w.place(e.X)
	case *syntax.Member:
		if x := w.place(e.X); x != "" {
			return x + "." + e.Sel.Name
		}
	case *syntax.Slice:
		return w.place(e.X)
	case *syntax.Index:
		return w.place(e.X)
	}
	return ""
}

// object tells objects of one name apart by where they are declared.
func (w *walker) object(o *types.Object) string {
	if o == nil || o.Ident == nil {
		return ""
	}
	return fmt.Sprintf("%s@%s", o.Name, o.Ident.Pos())
}
