// Package rewrite copies P4 trees with changes on the way, and builds small ones. The original is never touched: what the type
// checker found out about its nodes stays valid while it is being copied. Trees are never shared: every node of a copy is new.
package rewrite

import (
	"reflect"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// A Copier deep-copies trees. Each hook sees an original node before it is copied; a nil hook changes nothing.
type Copier struct {
	// Ident gives an identifier's new name.
	Ident func(*syntax.Ident) string
	// Expr replaces an expression, or returns nil to have it copied. What it returns must be new nodes.
	Expr func(syntax.Expr) syntax.Expr
	// Stmt replaces a statement by any number of others; false has it copied.
	Stmt func(syntax.Stmt) ([]syntax.Stmt, bool)
	// Type replaces a type, or returns nil to have it copied.
	Type func(syntax.Type) syntax.Type
	// Decl replaces a declaration local to a parser, control or extern by any number of others; false has it copied.
	Decl func(syntax.Decl) ([]syntax.Decl, bool)
	// Annotations chooses what becomes of the annotations of a declaration, parameter, field, ...; nil keeps copies of them.
	Annotations func([]*syntax.Annotation) []*syntax.Annotation
}

// Node copies n and returns the copy, which has the same type unless a hook replaced it.
func Node[N syntax.Node](c *Copier, n N) N {
	v := c.value(reflect.ValueOf(&n).Elem())
	return v.Interface().(N)
}

// Stmts copies a list of statements.
func (c *Copier) Stmts(list []syntax.Stmt) []syntax.Stmt {
	var out []syntax.Stmt
	for _, s := range list {
		out = append(out, c.stmt(s)...)
	}
	return out
}

// Decls copies a list of declarations.
func (c *Copier) Decls(list []syntax.Decl) []syntax.Decl {
	var out []syntax.Decl
	for _, d := range list {
		if c.Decl != nil {
			if repl, ok := c.Decl(d); ok {
				out = append(out, repl...)
				continue
			}
		}
		out = append(out, c.pointer(reflect.ValueOf(d)).Interface().(syntax.Decl))
	}
	return out
}

func (c *Copier) stmt(s syntax.Stmt) []syntax.Stmt {
	if c.Stmt != nil {
		if repl, ok := c.Stmt(s); ok {
			return repl
		}
	}
	return []syntax.Stmt{c.pointer(reflect.ValueOf(s)).Interface().(syntax.Stmt)}
}

var (
	nodeType       = reflect.TypeFor[syntax.Node]()
	stmtType       = reflect.TypeFor[syntax.Stmt]()
	exprType       = reflect.TypeFor[syntax.Expr]()
	typeType       = reflect.TypeFor[syntax.Type]()
	stmtsType      = reflect.TypeFor[[]syntax.Stmt]()
	declsType      = reflect.TypeFor[[]syntax.Decl]()
	annotsType     = reflect.TypeFor[[]*syntax.Annotation]()
	identType      = reflect.TypeFor[*syntax.Ident]()
	selectExprType = reflect.TypeFor[*syntax.Select]()
)

// value copies what stands in a field: a node, an interface of nodes, a slice of either; anything else is shared, as it is
// immutable (strings, numbers, big integers, tokens).
func (c *Copier) value(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() || !v.Type().Implements(nodeType) {
			return v
		}
		out := reflect.New(v.Type()).Elem()
		out.Set(c.node(v))
		return out
	case reflect.Pointer:
		if v.IsNil() || !v.Type().Implements(nodeType) {
			return v
		}
		if v.Type() == selectExprType {
			return c.pointer(v)
		}
		return c.node(v)
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		switch v.Type() {
		case stmtsType:
			return reflect.ValueOf(c.Stmts(v.Interface().([]syntax.Stmt)))
		case declsType:
			return reflect.ValueOf(c.Decls(v.Interface().([]syntax.Decl)))
		case annotsType:
			if c.Annotations != nil {
				return reflect.ValueOf(c.Annotations(v.Interface().([]*syntax.Annotation)))
			}
		}
		if !v.Type().Elem().Implements(nodeType) {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(c.value(v.Index(i)))
		}
		return out
	}
	return v
}

// node copies one node through its hook. v holds it as an interface or a pointer.
func (c *Copier) node(v reflect.Value) reflect.Value {
	static := v.Type()
	n := v.Interface()
	switch n := n.(type) {
	case syntax.Expr:
		if c.Expr != nil && (static == exprType || reflect.TypeOf(n) != static) {
			if repl := c.Expr(n); repl != nil {
				return reflect.ValueOf(repl)
			}
		}
	case syntax.Type:
		if c.Type != nil && static == typeType {
			if repl := c.Type(n); repl != nil {
				return reflect.ValueOf(repl)
			}
		}
	case syntax.Stmt:
		if static == stmtType { // a single statement where no list stands: the branch of an if
			list := c.stmt(n)
			if len(list) == 1 {
				return reflect.ValueOf(list[0])
			}
			b := &syntax.Block{Stmts: list}
			b.SetPos(n.Pos())
			return reflect.ValueOf(b)
		}
	case *syntax.Ident:
		if static == identType && c.Ident != nil {
			id := &syntax.Ident{Name: c.Ident(n)}
			id.SetPos(n.Pos())
			return reflect.ValueOf(id)
		}
	}
	return c.pointer(reflect.ValueOf(n))
}

// pointer copies the struct behind a pointer, field by field.
func (c *Copier) pointer(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type().Elem())
	out.Elem().Set(v.Elem())
	c.fields(out.Elem())
	return out
}

func (c *Copier) fields(s reflect.Value) {
	t := s.Type()
	for i := range t.NumField() {
		f := s.Field(i)
		if t.Field(i).Anonymous && f.Kind() == reflect.Struct {
			c.fields(f) // embedded: its exported fields are the node's own
			continue
		}
		if t.Field(i).IsExported() {
			f.Set(c.value(f))
		}
	}
}
