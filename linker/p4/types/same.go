package types

import "github.com/interlock/interlock/linker/p4/syntax"

// sameExpr reports whether two checked expressions are the same text over the same objects.
func (c *checker) sameExpr(a, b syntax.Expr) bool {
	a, b = syntax.Unparen(a), syntax.Unparen(b)
	if v, w := c.info.Values[a], c.info.Values[b]; v != nil && w != nil {
		return equalValues(v, w)
	}
	sameAll := func(as, bs []syntax.Expr) bool {
		if len(as) != len(bs) {
			return false
		}
		for i := range as {
			if as[i] == nil || bs[i] == nil {
				if as[i] != bs[i] {
					return false
				}
				continue
			}
			if !c.sameExpr(as[i], bs[i]) {
				return false
			}
		}
		return true
	}
	switch a := a.(type) {
	case *syntax.Name:
		b, ok := b.(*syntax.Name)
		return ok && c.info.Uses[a.Ident] == c.info.Uses[b.Ident]
	case *syntax.Member:
		b, ok := b.(*syntax.Member)
		return ok && a.Sel.Name == b.Sel.Name && c.sameExpr(a.X, b.X)
	case *syntax.Index:
		b, ok := b.(*syntax.Index)
		return ok && c.sameExpr(a.X, b.X) && c.sameExpr(a.I, b.I)
	case *syntax.Slice:
		b, ok := b.(*syntax.Slice)
		return ok && c.sameExpr(a.X, b.X) && c.sameExpr(a.Hi, b.Hi) && c.sameExpr(a.Lo, b.Lo)
	case *syntax.PlusSlice:
		b, ok := b.(*syntax.PlusSlice)
		return ok && c.sameExpr(a.X, b.X) && c.sameExpr(a.Lo, b.Lo) && c.sameExpr(a.Width, b.Width)
	case *syntax.Cast:
		b, ok := b.(*syntax.Cast)
		return ok && Identical(c.info.Types[a], c.info.Types[b]) && c.sameExpr(a.X, b.X)
	case *syntax.Cond:
		b, ok := b.(*syntax.Cond)
		return ok && sameAll([]syntax.Expr{a.C, a.X, a.Y}, []syntax.Expr{b.C, b.X, b.Y})
	case *syntax.Call:
		b, ok := b.(*syntax.Call)
		ka, kb := c.info.Calls[a], c.info.Calls[b]
		return ok && ka != nil && kb != nil && ka.Kind == kb.Kind && ka.Callee == kb.Callee && ka.Method == kb.Method &&
			sameAll([]syntax.Expr{ka.Recv}, []syntax.Expr{kb.Recv}) && sameAll(ka.Args, kb.Args) && identicalLists(ka.TypeArgs, kb.TypeArgs)
	case *syntax.ListExpr:
		b, ok := b.(*syntax.ListExpr)
		return ok && a.Dots == b.Dots && sameAll(a.Elems, b.Elems)
	case *syntax.StructExpr:
		b, ok := b.(*syntax.StructExpr)
		return ok && a.Dots == b.Dots && c.sameFields(a.Fields, b.Fields)
	case *syntax.InvalidExpr:
		_, ok := b.(*syntax.InvalidExpr)
		return ok
	case *syntax.DotsExpr:
		_, ok := b.(*syntax.DotsExpr)
		return ok
	case *syntax.Unary:
		b, ok := b.(*syntax.Unary)
		return ok && a.Op == b.Op && c.sameExpr(a.X, b.X)
	case *syntax.Binary:
		b, ok := b.(*syntax.Binary)
		return ok && a.Op == b.Op && c.sameExpr(a.X, b.X) && c.sameExpr(a.Y, b.Y)
	}
	return false
}

// sameFields compares fields by name: their order does not matter.
func (c *checker) sameFields(as, bs []*syntax.Arg) bool {
	if len(as) != len(bs) {
		return false
	}
	byName := map[string]syntax.Expr{}
	for _, f := range bs {
		if f.Name != nil {
			byName[f.Name.Name] = f.Value
		}
	}
	for _, f := range as {
		if f.Name == nil || byName[f.Name.Name] == nil || !c.sameExpr(f.Value, byName[f.Name.Name]) {
			return false
		}
	}
	return true
}
