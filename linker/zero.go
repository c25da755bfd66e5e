package linker

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/linker/rewrite"
)

// Containers of a pipeline keep what the packets before left in them. Tenant code therefore starts with every header and
// metadata field zeroed or invalidated, and every variable and out parameter that it leaves uninitialised is zeroed too.

// zero are statements that make the storage at path all zeros. Fields of headers are zeroed while the header is valid (a write to
// an invalid one means nothing), and then it is made invalid.
func (t *tenant) zero(path syntax.Expr, typ types.Type) []syntax.Stmt {
	again := func() syntax.Expr { return rewrite.Node(&rewrite.Copier{}, path) }
	s, ok := typ.(*types.Struct)
	if !ok {
		if v := t.zeroValue(typ); v != nil {
			return []syntax.Stmt{rewrite.Assign(again(), v)}
		}
		return nil
	}
	var out []syntax.Stmt
	if s.Kind == types.Header {
		out = append(out, rewrite.CallStmt(rewrite.Member(again(), "setValid")))
	}
	for _, f := range s.Fields {
		out = append(out, t.zero(rewrite.Member(again(), f.Name), f.Type)...)
	}
	if s.Kind == types.Header {
		out = append(out, rewrite.CallStmt(rewrite.Member(again(), "setInvalid")))
	}
	return out
}

// zeroValue is the literal that uninitialised storage of a type holds; nil for types without literals.
func (t *tenant) zeroValue(typ types.Type) syntax.Expr {
	switch x := typ.(type) {
	case *types.Bit:
		return rewrite.Int(0)
	case *types.NewType:
		if v := t.zeroValue(x.Under); v != nil {
			return rewrite.Cast(rewrite.NamedType(t.typeName(x.Name, x.Decl)), v)
		}
	case *types.Basic:
		switch x.Kind {
		case types.BoolKind:
			return rewrite.Bool(false)
		case types.ErrorKind:
			return rewrite.Member(&syntax.TypeExpr{Type: &syntax.BaseType{Kind: "error"}}, "NoError")
		}
	case *types.Enum:
		if len(x.Members) == 0 {
			return nil
		}
		name := t.typeName(x.Name, x.Decl)
		if x.Underlying != nil {
			return rewrite.Cast(rewrite.NamedType(name), rewrite.Int(0))
		}
		return rewrite.Member(&syntax.TypeExpr{Type: rewrite.NamedType(name)}, x.Members[0])
	}
	return nil
}

// typeName is a type's name in the linked program.
func (t *tenant) typeName(name string, decl syntax.Node) string {
	if builtin(decl) {
		return name
	}
	return t.prefix + name
}
