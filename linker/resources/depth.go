package resources

import (
	"maps"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
)

// depth is the number of stages that a control needs: the longest chain of steps of which each reads what the one before it wrote.
// A step is a table with its actions, a directly called action, a register access with the block around it, or a simple statement;
// a condition is evaluated in the stage of what it guards. Copies of fields, parts and concatenations of them and constants take no
// step: a compiler reads the original. Writes to one place by several steps are no dependency: the last one wins.
//
// What a step needs goes to l, which may put it into a later stage.
func depth(l *layout, c *syntax.ControlDecl) int {
	d := &chain{layout: l, info: l.info, env: map[*types.Object]string{}, ready: map[string]int{}, owner: ownerOf(c.Name.Name, l.tenants)}
	d.stmt(c.Apply, 0)
	return max(d.deepest, 1)
}

type chain struct {
	layout  *layout
	info    *types.Info
	env     map[*types.Object]string // what parameters stand for
	ready   map[string]int           // the first stage in which a place that was written can be read
	owner   string                   // the tenant for whose packets alone this code runs; empty: anybody's
	deepest int
	nesting int
}

// maxNesting bounds controls inside controls.
const maxNesting = 64

func (d *chain) stmts(list []syntax.Stmt, from int) {
	for _, s := range list {
		d.stmt(s, from)
	}
}

// stmt walks a statement that cannot run before the stage from.
func (d *chain) stmt(s syntax.Stmt, from int) {
	switch s := s.(type) {
	case *syntax.Block:
		if d.isAccess(s) {
			d.step(from, nil, s)
			return
		}
		d.stmts(s.Stmts, from)
	case *syntax.IfStmt:
		from = max(from, d.after(s.Cond))
		d.applied(s.Cond, from)
		from = d.layout.put(max(from, d.after(s.Cond)), d.owner, d.layout.gateway(s))
		branches := []syntax.Stmt{s.Then}
		if s.Else != nil {
			branches = append(branches, s.Else)
		}
		d.either(branches, from)
	case *syntax.SwitchStmt:
		d.applied(s.X, from)
		var branches []syntax.Stmt
		var owners []string
		for i, c := range s.Cases {
			if c.Body != nil {
				branches = append(branches, c.Body)
				owners = append(owners, d.dispatched(s, i))
			}
		}
		d.eitherOf(branches, owners, from)
	case *syntax.CallStmt:
		d.call(s.Call, from)
	case *syntax.AssignStmt:
		if p := d.place(s.LHS); p != "" && d.isCopy(s.RHS) {
			d.ready[p] = max(d.ready[p], from, d.after(s.RHS))
			d.deepest = max(d.deepest, from+1)
			return
		}
		d.step(from, nil, s)
	case *syntax.DeclStmt:
		d.step(from, nil, s)
	}
}

// isCopy says whether a value is only wiring: fields, constants, and parts, casts and concatenations of them.
func (d *chain) isCopy(e syntax.Expr) bool {
	if d.info.Values[e] != nil {
		return true
	}
	switch e := e.(type) {
	case *syntax.Name:
		return true
	case *syntax.Member:
		return d.isCopy(e.X)
	case *syntax.Paren:
		return d.isCopy(e.X)
	case *syntax.Cast:
		return d.isCopy(e.X)
	case *syntax.Slice:
		return d.isCopy(e.X)
	case *syntax.Binary:
		return e.Op == "++" && d.isCopy(e.X) && d.isCopy(e.Y)
	}
	return false
}

// either runs alternatives: none of them waits for what another writes.
func (d *chain) either(branches []syntax.Stmt, from int) { d.eitherOf(branches, nil, from) }

// eitherOf is either for branches that run for some tenant's packets only.
func (d *chain) eitherOf(branches []syntax.Stmt, owners []string, from int) {
	before, owner := d.ready, d.owner
	defer func() { d.owner = owner }()
	after := maps.Clone(before)
	for i, b := range branches {
		d.ready, d.owner = maps.Clone(before), owner
		if i < len(owners) && owners[i] != "" {
			d.owner = owners[i]
		}
		d.stmt(b, from)
		for p, s := range d.ready {
			after[p] = max(after[p], s)
		}
	}
	d.ready = after
}

// dispatched is the tenant to whose code the i-th case of a switch leads: the system program enters it where specs.RunAction was run. A
// case without a body of its own is the next one's.
func (d *chain) dispatched(s *syntax.SwitchStmt, i int) string {
	first := i
	for first > 0 && s.Cases[first-1].Body == nil {
		first--
	}
	if first != i { // several cases: nobody's alone
		return ""
	}
	n, ok := s.Cases[i].Label.(*syntax.Name)
	if !ok {
		return ""
	}
	for _, t := range d.layout.tenants {
		if n.Ident.Name == specs.RunAction(t) {
			return t
		}
	}
	return ""
}

// applied runs the tables that an expression applies.
func (d *chain) applied(e syntax.Expr, from int) {
	syntax.Walk(e, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.Call); ok {
			if info := d.info.Calls[c]; info != nil && info.Kind == types.TableApply {
				d.call(c, from)
			}
		}
		return true
	})
}

func (d *chain) call(c *syntax.Call, from int) {
	info := d.info.Calls[c]
	if info == nil {
		return
	}
	switch info.Kind {
	case types.TableApply:
		t, ok := info.Callee.Decl.(*syntax.TableDecl)
		if !ok {
			return
		}
		nodes := []syntax.Node{}
		needs := []need{d.layout.table(t)}
		for _, p := range t.Properties {
			switch p := p.(type) {
			case *syntax.KeyProperty:
				for _, k := range p.Keys {
					nodes = append(nodes, k.Expr)
				}
			case *syntax.ActionsProperty:
				for _, ref := range p.Actions {
					e := ref.Call
					if call, ok := e.(*syntax.Call); ok {
						e = call.Fun
					}
					if n, ok := e.(*syntax.Name); ok && d.info.Uses[n.Ident] != nil {
						if a, ok := d.info.Uses[n.Ident].Decl.(*syntax.ActionDecl); ok {
							nodes = append(nodes, a.Body)
							needs = append(needs, d.layout.action(a))
						}
					}
				}
			}
		}
		d.step(from, needs, nodes...)
	case types.ActionCall:
		a, ok := info.Callee.Decl.(*syntax.ActionDecl)
		if !ok {
			return
		}
		d.bind(info)
		d.step(from, []need{d.layout.action(a)}, a.Body, c)
	case types.ControlApply, types.DirectApply:
		decl := ControlOf(info.Callee)
		if decl == nil || d.nesting >= maxNesting {
			return
		}
		d.bind(info)
		owner := d.owner
		if t := ownerOf(decl.Name.Name, d.layout.tenants); t != "" {
			d.owner = t
		}
		d.nesting++
		d.stmt(decl.Apply, from)
		d.nesting--
		d.owner = owner
	default:
		d.step(from, nil, &syntax.CallStmt{Call: c})
	}
}

// bind makes a callee's parameters stand for the arguments.
func (d *chain) bind(info *types.Call) {
	if info.Sig == nil {
		return
	}
	for i, p := range info.Sig.Params {
		if i >= len(info.Args) || info.Args[i] == nil || p.Decl == nil {
			continue
		}
		if o := d.info.Defs[p.Decl.Name]; o != nil {
			d.env[o] = d.place(info.Args[i])
		}
	}
}

// isAccess says whether a block is one register access with what belongs to it.
func (d *chain) isAccess(b *syntax.Block) bool {
	accesses, others := 0, 0
	syntax.Walk(b, func(n syntax.Node) bool {
		c, ok := n.(*syntax.Call)
		if !ok {
			return true
		}
		info := d.info.Calls[c]
		switch {
		case info == nil:
		case info.Kind == types.MethodCall && (info.Method == "read" || info.Method == "write"):
			accesses++
		case info.Kind == types.TableApply, info.Kind == types.ControlApply, info.Kind == types.ActionCall, info.Kind == types.MethodCall,
			info.Kind == types.ExternFnCall:
			others++
		}
		return true
	})
	return accesses == 1 && others == 0
}

// step runs everything in nodes at once, in the first stage in which all it reads is ready and where there is room for what it needs.
func (d *chain) step(from int, needs []need, nodes ...syntax.Node) {
	stage := from
	writes := map[string]bool{}
	for _, n := range nodes {
		d.effects(n, func(place string, write bool) {
			if write {
				writes[place] = true
			} else if !writes[place] {
				stage = max(stage, d.readyAt(place))
			}
		})
	}
	for _, n := range nodes {
		needs = append(needs, d.layout.within(n)...)
	}
	stage = d.layout.put(stage, d.owner, needs...)
	d.deepest = max(d.deepest, stage+1)
	for p := range writes {
		d.ready[p] = max(d.ready[p], stage+1)
	}
}

// after is the first stage in which everything that an expression reads is ready.
func (d *chain) after(e syntax.Expr) int {
	stage := 0
	d.effects(e, func(place string, write bool) {
		if !write {
			stage = max(stage, d.readyAt(place))
		}
	})
	return stage
}

// readyAt looks at the place, what it is part of, and its parts.
func (d *chain) readyAt(place string) int {
	stage := 0
	for p, s := range d.ready {
		if p == place || strings.HasPrefix(p, place+".") || strings.HasPrefix(place, p+".") {
			stage = max(stage, s)
		}
	}
	return stage
}

// effects reports the places that a node reads and writes, reads first within a statement.
func (d *chain) effects(n syntax.Node, report func(place string, write bool)) {
	switch n := n.(type) {
	case nil:
	case *syntax.AssignStmt:
		d.effects(n.RHS, report)
		if p := d.place(n.LHS); p != "" {
			report(p, true)
		}
	case *syntax.DeclStmt:
		if v, ok := n.Decl.(*syntax.VarDecl); ok && v.Init != nil {
			d.effects(v.Init, report)
			if o := d.info.Defs[v.Name]; o != nil {
				report(d.object(o), true)
			}
		}
	case *syntax.Block:
		for _, s := range n.Stmts {
			d.effects(s, report)
		}
	case *syntax.IfStmt:
		d.effects(n.Cond, report)
		d.effects(n.Then, report)
		if n.Else != nil {
			d.effects(n.Else, report)
		}
	case *syntax.CallStmt:
		d.effects(n.Call, report)
	case *syntax.Call:
		info := d.info.Calls[n]
		if info == nil {
			return
		}
		if info.Kind == types.BuiltinCall && info.Recv != nil {
			if p := d.place(info.Recv); p != "" {
				report(p+".$valid", info.Method != "isValid")
			}
		}
		for i, a := range info.Args {
			if a == nil {
				continue
			}
			dir := syntax.In
			if info.Sig != nil && i < len(info.Sig.Params) {
				dir = info.Sig.Params[i].Dir
			}
			if dir != syntax.Out {
				d.effects(a, report)
			}
			if dir == syntax.Out || dir == syntax.InOut {
				if p := d.place(a); p != "" {
					report(p, true)
				}
			}
		}
	case *syntax.Name, *syntax.Member:
		if p := d.place(n.(syntax.Expr)); p != "" {
			report(p, false)
		}
	case *syntax.Paren:
		d.effects(n.X, report)
	case *syntax.Unary:
		d.effects(n.X, report)
	case *syntax.Cast:
		d.effects(n.X, report)
	case *syntax.Slice:
		d.effects(n.X, report)
	case *syntax.Index:
		d.effects(n.X, report)
		d.effects(n.I, report)
	case *syntax.Binary:
		d.effects(n.X, report)
		d.effects(n.Y, report)
	case *syntax.Cond:
		d.effects(n.C, report)
		d.effects(n.X, report)
		d.effects(n.Y, report)
	case *syntax.ListExpr:
		for _, e := range n.Elems {
			d.effects(e, report)
		}
	}
}

func (d *chain) place(e syntax.Expr) string {
	switch e := e.(type) {
	case *syntax.Name:
		if o := d.info.Uses[e.Ident]; o != nil {
			return d.object(o)
		}
	case *syntax.Paren:
		return d.place(e.X)
	case *syntax.Slice:
		return d.place(e.X)
	case *syntax.Index:
		return d.place(e.X)
	case *syntax.Member:
		if x := d.place(e.X); x != "" {
			return x + "." + e.Sel.Name
		}
	}
	return ""
}

func (d *chain) object(o *types.Object) string {
	if p, ok := d.env[o]; ok {
		return p
	}
	if o.Ident == nil || o.Kind != types.VarObject && o.Kind != types.ParamObject {
		return ""
	}
	return o.Name + "@" + o.Ident.Pos().String()
}
