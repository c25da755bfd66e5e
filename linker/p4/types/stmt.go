package types

import (
	"fmt"

	"github.com/interlock/interlock/linker/p4/syntax"
)

func (c *checker) block(b *syntax.Block) {
	c.push()
	for _, s := range b.Stmts {
		c.stmt(s)
	}
	c.pop()
}

// scoped checks a statement that is a scope of its own.
func (c *checker) scoped(s syntax.Stmt) {
	c.push()
	c.stmt(s)
	c.pop()
}

func (c *checker) stmt(s syntax.Stmt) {
	switch s := s.(type) {
	case *syntax.DeclStmt:
		switch d := s.Decl.(type) {
		case *syntax.VarDecl:
			c.varDecl(d)
		case *syntax.ConstDecl:
			c.constDecl(d)
		case *syntax.InstanceDecl:
			c.instanceDecl(d)
		default:
			c.errorf(d, codeContext, "this declaration may not stand in %v", c.place)
		}
	case *syntax.AssignStmt:
		c.assign(s)
	case *syntax.CallStmt:
		c.call(s.Call, nil, true)
	case *syntax.IfStmt:
		c.condition(s.Cond)
		c.scoped(s.Then)
		if s.Else != nil {
			c.scoped(s.Else)
		}
	case *syntax.Block:
		c.block(s)
	case *syntax.SwitchStmt:
		c.switchStmt(s)
	case *syntax.ForStmt:
		c.forStmt(s)
	case *syntax.ForInStmt:
		c.forInStmt(s)
	case *syntax.ReturnStmt:
		c.returnStmt(s)
	case *syntax.ExitStmt:
		if c.place == inState || c.place == inFunction {
			c.errorf(s, codeContext, "exit may not stand in %v", c.place)
		}
	case *syntax.BreakStmt, *syntax.ContinueStmt:
		if c.loops == 0 {
			c.errorf(s, codeContext, "this may only stand in a loop")
		}
	case *syntax.EmptyStmt:
	case nil:
	default:
		c.errorf(s, codeContext, "this statement may not stand in %v", c.place)
	}
}

func (c *checker) condition(e syntax.Expr) {
	if e != nil {
		c.expr(e, Bool)
		c.convert(e, Bool)
	}
}

func (c *checker) assign(s *syntax.AssignStmt) {
	lt := c.expr(s.LHS, nil)
	written := isInvalid(lt) || c.lvalue(s.LHS)
	c.expr(s.RHS, lt)
	if s.Op == "=" || s.Op == "" {
		if !isInvalid(lt) && !storable(lt) {
			if written {
				c.errorf(s.LHS, codeNotLValue, "a value of type %v cannot be assigned", lt)
			}
			return
		}
		c.convert(s.RHS, lt)
		return
	}
	op := s.Op[:len(s.Op)-1]
	t := c.operator(s, op, s.LHS, s.RHS)
	if !isInvalid(t) && !c.checkDivision(s, op, s.LHS, s.RHS) {
		return
	}
	if !Identical(t, lt) {
		c.errorf(s, codeMismatch, "%s gives %v, which cannot be assigned to %v", op, t, lt)
	}
}

func (c *checker) returnStmt(s *syntax.ReturnStmt) {
	if c.place == inState {
		c.errorf(s, codeContext, "return may not stand in a parser state")
	}
	want := c.result
	if want == nil {
		want = Void
	}
	switch {
	case s.Value == nil:
		if !isVoid(want) {
			c.errorf(s, codeReturn, "a value of type %v must be returned", want)
		}
	case isVoid(want):
		c.expr(s.Value, nil)
		c.errorf(s.Value, codeReturn, "no value is returned here")
	default:
		c.expr(s.Value, want)
		c.convert(s.Value, want)
	}
}

func (c *checker) forStmt(s *syntax.ForStmt) {
	if c.place == inState {
		c.errorf(s, codeContext, "a loop may not stand in a parser state")
	}
	c.push()
	for _, i := range s.Init {
		c.stmt(i)
	}
	c.condition(s.Cond)
	for _, u := range s.Update {
		c.stmt(u)
	}
	c.loops++
	c.scoped(s.Body)
	c.loops--
	c.pop()
}

func (c *checker) forInStmt(s *syntax.ForInStmt) {
	if c.place == inState {
		c.errorf(s, codeContext, "a loop may not stand in a parser state")
	}
	c.push()
	defer c.pop()
	var want Type
	var outer *Object
	if s.Type != nil {
		want = c.typ(s.Type)
	} else if outer = c.resolve(s.Var, false); outer != nil {
		want = outer.Type
		if outer.Kind != VarObject {
			c.errorf(s.Var, codeNotLValue, "%s is not a variable", outer.Name)
		}
	} else {
		want = Invalid
	}
	if b, ok := syntax.Unparen(s.In).(*syntax.Binary); ok && b.Op == ".." {
		if _, bits := underlying(want).(*Bit); !bits && !isInvalid(want) {
			c.errorf(s.Var, codeMismatch, "a loop variable over a range has a bit or int type, not %v", want)
			want = Invalid
		}
		c.keyset(s.In, want)
	} else {
		t := c.expr(s.In, nil)
		switch u := t.(type) {
		case *Stack:
			if !Identical(u.Elem, want) {
				c.errorf(s.Var, codeMismatch, "elements of %v are no %v", t, want)
			}
		case *List:
			if !Identical(u.Elem, want) {
				c.errorf(s.Var, codeMismatch, "elements of %v are no %v", t, want)
			}
		default:
			if !isInvalid(t) {
				c.errorf(s.In, codeMismatch, "cannot loop over %v", t)
			}
		}
	}
	if s.Type != nil {
		c.declare(c.newObject(VarObject, s.Var, want, s))
	}
	c.loops++
	c.scoped(s.Body)
	c.loops--
}

func (c *checker) switchStmt(s *syntax.SwitchStmt) {
	if c.place == inState {
		c.errorf(s, codeContext, "a switch may not stand in a parser state")
	}
	t := c.expr(s.X, nil)
	var acts *tableActions
	if isBasic(t, ActionRunKind) {
		acts = c.runTable(s.X)
	} else {
		switch u := t.(type) {
		case *Bit, *Enum:
		case *Basic:
			if u.Kind != ErrorKind && u.Kind != InvalidKind {
				c.errorf(s.X, codeSwitch, "cannot switch on %v", t)
				t = Invalid
			}
		default:
			c.errorf(s.X, codeSwitch, "cannot switch on %v", t)
			t = Invalid
		}
	}
	seen := map[string]bool{}
	for i, k := range s.Cases {
		var key string
		switch label := k.Label.(type) {
		case *syntax.DefaultExpr:
			c.info.Types[label] = t
			key = "default"
			if i != len(s.Cases)-1 {
				c.errorf(label, codeSwitch, "default is the last label")
			}
		case *syntax.Name:
			if acts != nil {
				key = c.actionLabel(label, acts)
				break
			}
			key = c.valueLabel(label, t)
		default:
			if isBasic(t, ActionRunKind) {
				c.expr(label, nil)
				c.errorf(label, codeSwitch, "an action is wanted here")
				break
			}
			key = c.valueLabel(label, t)
		}
		if key != "" && seen[key] {
			c.errorf(k.Label, codeSwitch, "this label stands here twice")
		}
		seen[key] = true
		if k.Body != nil {
			c.block(k.Body)
		}
	}
}

// runTable finds the actions of t in t.apply().action_run.
func (c *checker) runTable(e syntax.Expr) *tableActions {
	if m, ok := syntax.Unparen(e).(*syntax.Member); ok {
		if k, ok := syntax.Unparen(m.X).(*syntax.Call); ok {
			if call := c.info.Calls[k]; call != nil && call.Callee != nil {
				return c.tableActions[call.Callee]
			}
		}
	}
	return nil
}

func (c *checker) actionLabel(n *syntax.Name, acts *tableActions) string {
	o := c.resolve(n.Ident, n.Absolute)
	if o == nil {
		return ""
	}
	c.info.Types[n] = o.Type
	if acts.refs[o] == nil {
		c.errorf(n, codeActionRef, "%s is not an action of this table", o.Name)
		return ""
	}
	return "action " + o.Name
}

func (c *checker) valueLabel(e syntax.Expr, t Type) string {
	c.expr(e, t)
	if !c.convert(e, t) || isInvalid(t) || isInvalid(c.info.Types[e]) {
		return ""
	}
	if v := c.info.Values[e]; v != nil {
		return fmt.Sprintf("value %s", valueKey(v))
	}
	c.errorf(e, codeNotConst, "a label must be known at compile time")
	return ""
}
