package p4info

import (
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// used is what a control's apply block can reach.
type used struct {
	tables  map[*syntax.TableDecl]bool
	actions map[*types.Object]bool
	globals []*types.Object // actions declared outside of controls, in the order of first mention
	inTable map[*types.Object]bool
	calls   []*syntax.Call // those of its own, of its actions and of the functions that these call
}

func (g *generator) usage(d *syntax.ControlDecl) used {
	u := used{tables: map[*syntax.TableDecl]bool{}, actions: map[*types.Object]bool{}, inTable: map[*types.Object]bool{}}
	if d.Apply == nil {
		return u
	}
	reach := func(o *types.Object) {
		if u.actions[o] {
			return
		}
		u.actions[o] = true
		if o.Parent == nil {
			u.globals = append(u.globals, o)
		}
	}
	var applied func(n syntax.Node)
	applied = func(n syntax.Node) {
		for _, call := range g.calls(n) {
			c := g.info.Calls[call]
			switch c.Kind {
			case types.ActionCall:
				reach(c.Callee)
			case types.TableApply:
				t, ok := c.Callee.Decl.(*syntax.TableDecl)
				if !ok || u.tables[t] {
					break
				}
				u.tables[t] = true
				for _, a := range g.tableActions(t) {
					reach(a.obj)
					u.inTable[a.obj] = true
				}
				for _, p := range t.Properties {
					if k, ok := p.(*syntax.KeyProperty); ok {
						applied(k) // a key may be whether another table hits
					}
				}
			}
		}
	}
	applied(d.Apply)
	bodies := []*syntax.Block{d.Apply}
	seen := map[*types.Object]bool{}
	for _, l := range d.Locals {
		if a, ok := l.(*syntax.ActionDecl); ok && u.actions[g.info.Defs[a.Name]] {
			bodies = append(bodies, a.Body)
		}
	}
	for _, o := range u.globals {
		if a, ok := o.Decl.(*syntax.ActionDecl); ok {
			bodies = append(bodies, a.Body)
		}
	}
	for i := 0; i < len(bodies); i++ {
		for _, call := range g.calls(bodies[i]) {
			u.calls = append(u.calls, call)
			c := g.info.Calls[call]
			if (c.Kind != types.FunctionCall && c.Kind != types.ActionCall) || seen[c.Callee] || u.actions[c.Callee] {
				continue
			}
			seen[c.Callee] = true
			switch f := c.Callee.Decl.(type) {
			case *syntax.FunctionDecl:
				if f.Body != nil {
					bodies = append(bodies, f.Body)
				}
			case *syntax.ActionDecl:
				bodies = append(bodies, f.Body)
			}
		}
	}
	return u
}

// calls lists the calls in a node that p4c does not drop before it describes the program: what stands after a return, or
// behind a condition that is known to be false, is gone. What stands after an exit is not.
func (g *generator) calls(body syntax.Node) []*syntax.Call {
	var r []*syntax.Call
	var visit func(n syntax.Node) bool
	either := func(cond syntax.Expr, yes, no syntax.Node) bool {
		v, known := g.known(cond)
		if !known {
			return true
		}
		if !v {
			yes = no
		}
		if yes != nil {
			syntax.Walk(yes, visit)
		}
		return false
	}
	visit = func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Call:
			if g.info.Calls[n] != nil {
				r = append(r, n)
			}
		case *syntax.Block:
			for _, s := range n.Stmts {
				syntax.Walk(s, visit)
				if g.returns(s) {
					break
				}
			}
			return false
		case *syntax.IfStmt:
			return either(n.Cond, n.Then, orNil(n.Else))
		case *syntax.Cond:
			return either(n.C, n.X, n.Y)
		case *syntax.Binary:
			switch n.Op {
			case "&&":
				return either(n.X, n.Y, nil)
			case "||":
				return either(n.X, nil, n.Y)
			}
		}
		return true
	}
	syntax.Walk(body, visit)
	return r
}

// orNil keeps a nil statement from becoming a node that is not nil.
func orNil(s syntax.Stmt) syntax.Node {
	if s == nil {
		return nil
	}
	return s
}

// returns reports whether nothing runs after s because it returned.
func (g *generator) returns(s syntax.Stmt) bool {
	switch s := s.(type) {
	case *syntax.ReturnStmt:
		return true
	case *syntax.Block:
		return slices.ContainsFunc(s.Stmts, g.returns)
	case *syntax.IfStmt:
		yes, no := g.returns(s.Then), s.Else != nil && g.returns(s.Else)
		if v, known := g.known(s.Cond); known {
			return v && yes || !v && no
		}
		return yes && no
	}
	return false
}

// known is the value that a condition has whatever the packet, also where only its left side decides.
func (g *generator) known(cond syntax.Expr) (value, ok bool) {
	if v, ok := g.info.Values[cond].(types.BoolValue); ok {
		return bool(v), true
	}
	switch x := cond.(type) {
	case *syntax.Paren:
		return g.known(x.X)
	case *syntax.Unary:
		v, ok := g.known(x.X)
		return !v, ok && x.Op == "!"
	case *syntax.Binary:
		v, ok := g.known(x.X)
		if !ok || x.Op != "&&" && x.Op != "||" {
			return false, false
		}
		if v == (x.Op == "||") {
			return v, true
		}
		return g.known(x.Y)
	}
	return false, false
}
