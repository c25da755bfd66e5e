package rewrite

import (
	"fmt"
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// Name is the expression x.
func Name(x string) *syntax.Name { return &syntax.Name{Ident: &syntax.Ident{Name: x}} }

// Path is the expression a.b.c.
func Path(first string, rest ...string) syntax.Expr {
	var e syntax.Expr = Name(first)
	for _, sel := range rest {
		e = Member(e, sel)
	}
	return e
}

// Member is x.sel.
func Member(x syntax.Expr, sel string) *syntax.Member {
	return &syntax.Member{X: x, Sel: &syntax.Ident{Name: sel}}
}

// Int is an integer literal of arbitrary precision.
func Int(v int64) *syntax.IntLit {
	return &syntax.IntLit{Text: fmt.Sprint(v), Value: big.NewInt(v)}
}

// BitLit is a literal of type bit<width>.
func BitLit(width int, v int64) *syntax.IntLit {
	return &syntax.IntLit{Text: fmt.Sprintf("%dw%d", width, v), Value: big.NewInt(v), Width: width}
}

// Bool is true or false.
func Bool(v bool) *syntax.BoolLit { return &syntax.BoolLit{Value: v} }

// BitType is bit<width>.
func BitType(width int) *syntax.BaseType {
	return &syntax.BaseType{Kind: "bit", Width: Int(int64(width))}
}

// NamedType is a type by its name.
func NamedType(name string) *syntax.NamedType {
	return &syntax.NamedType{Ident: &syntax.Ident{Name: name}}
}

// Cast is (to) x, with parentheses around x where it needs them.
func Cast(to syntax.Type, x syntax.Expr) *syntax.Cast { return &syntax.Cast{To: to, X: atom(x)} }

// Binary is x op y.
func Binary(x syntax.Expr, op syntax.Op, y syntax.Expr) *syntax.Binary {
	return &syntax.Binary{Op: op, X: atom(x), Y: atom(y)}
}

// atom wraps x in parentheses unless it binds tighter than every operator.
func atom(x syntax.Expr) syntax.Expr {
	switch x.(type) {
	case *syntax.Name, *syntax.Member, *syntax.IntLit, *syntax.BoolLit, *syntax.Index, *syntax.Slice, *syntax.Call, *syntax.Paren, *syntax.Cast:
		return x
	}
	return &syntax.Paren{X: x}
}

// Call is fun(args).
func Call(fun syntax.Expr, args ...syntax.Expr) *syntax.Call {
	c := &syntax.Call{Fun: fun}
	for _, a := range args {
		c.Args = append(c.Args, &syntax.Arg{Value: a})
	}
	return c
}

// CallStmt is the statement fun(args);
func CallStmt(fun syntax.Expr, args ...syntax.Expr) *syntax.CallStmt {
	return &syntax.CallStmt{Call: Call(fun, args...)}
}

// Assign is lhs = rhs;
func Assign(lhs, rhs syntax.Expr) *syntax.AssignStmt {
	return &syntax.AssignStmt{LHS: lhs, Op: "=", RHS: rhs}
}

// Var is the declaration statement T x = init;
func Var(t syntax.Type, name string, init syntax.Expr) *syntax.DeclStmt {
	d := &syntax.VarDecl{Type: t, Init: init}
	d.Name = &syntax.Ident{Name: name}
	return &syntax.DeclStmt{Decl: d}
}

// Block is { stmts }.
func Block(stmts ...syntax.Stmt) *syntax.Block { return &syntax.Block{Stmts: stmts} }

// If is if (cond) { then } else { els }; without els there is no else.
func If(cond syntax.Expr, then, els []syntax.Stmt) *syntax.IfStmt {
	s := &syntax.IfStmt{Cond: cond, Then: Block(then...)}
	if els != nil {
		s.Else = Block(els...)
	}
	return s
}

// Annotation is @name("value").
func Annotation(name, value string) *syntax.Annotation {
	return &syntax.Annotation{Name: name, HasBody: true, Body: []syntax.Token{{Text: `"` + value + `"`}}}
}
