package flow

import (
	"math/big"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// suspicious finds what is legal and most likely not meant.
func (a *analysis) suspicious() {
	// Boolean parts of a condition that was reported are not reported again.
	syntax.Walk(a.info.Program, func(n syntax.Node) bool {
		if d, ok := n.(syntax.Decl); ok && a.system(d.Pos().File) {
			return false
		}
		switch n := n.(type) {
		case *syntax.Ident:
			a.deprecated(n)
		case *syntax.ParserDecl:
			a.parserGraph(n)
		case *syntax.StateDecl:
			a.afterEnd(n.Body)
			a.selectCases(n)
		case *syntax.Block:
			a.afterEnd(n.Stmts)
		case *syntax.Binary:
			a.comparison(n)
		case *syntax.AssignStmt:
			if n.Op == "=" && a.same(n.LHS, n.RHS) {
				a.warn(n, codeSelfAssigned, "%s is assigned to itself", syntax.PrintNode(n.LHS))
			}
		case *syntax.Call:
			a.aliased(n)
		case *syntax.TableDecl:
			a.table(n)
		}
		return true
	})
}

func (a *analysis) deprecated(id *syntax.Ident) {
	o := a.info.Uses[id]
	if o == nil {
		return
	}
	for _, x := range annotations(o.Decl) {
		if x.Name == "deprecated" {
			why := ""
			for _, t := range x.Body {
				why += ": " + strings.Trim(t.Text, `"`)
			}
			a.warn(id, codeDeprecated, "%s is deprecated%s", id.Name, why)
		}
	}
}

// afterEnd reports the first statement that stands after one that always leaves the block.
func (a *analysis) afterEnd(list []syntax.Stmt) {
	for i, s := range list {
		if i+1 < len(list) && leaves(s) {
			for _, next := range list[i+1:] {
				if _, empty := next.(*syntax.EmptyStmt); !empty {
					a.warn(next, codeUnreachable, "this is never reached")
					return
				}
			}
		}
	}
}

// leaves reports whether control never comes to the end of a statement.
func leaves(s syntax.Stmt) bool {
	switch s := s.(type) {
	case *syntax.ReturnStmt, *syntax.ExitStmt, *syntax.BreakStmt, *syntax.ContinueStmt:
		return true
	case *syntax.Block:
		for _, x := range s.Stmts {
			if leaves(x) {
				return true
			}
		}
	case *syntax.IfStmt:
		return s.Else != nil && leaves(s.Then) && leaves(s.Else)
	case *syntax.SwitchStmt:
		last := len(s.Cases) - 1
		for i, k := range s.Cases {
			if k.Body == nil && i == last || k.Body != nil && !leaves(k.Body) {
				return false
			}
		}
		if last < 0 {
			return false
		}
		_, all := s.Cases[last].Label.(*syntax.DefaultExpr)
		return all
	}
	return false
}

// comparison reports comparisons whose result does not depend on their operands.
func (a *analysis) comparison(b *syntax.Binary) {
	if a.info.Values[b] != nil {
		return // known from constants, and then it is meant
	}
	always := func(v bool) {
		a.warn(b, codeConstant, "%s is always %v", syntax.PrintNode(b), v)
	}
	switch b.Op {
	case "==", "<=", ">=":
		if a.same(b.X, b.Y) {
			always(true)
			return
		}
	case "!=", "<", ">":
		if a.same(b.X, b.Y) {
			always(false)
			return
		}
	default:
		return
	}
	lo, hi, ok := bounds(a.info.Types[b.X])
	if !ok {
		return
	}
	v, right := a.info.Values[b.Y].(types.IntValue)
	op := b.Op
	if !right {
		if v, ok = a.info.Values[b.X].(types.IntValue); !ok {
			return
		}
		op = map[syntax.Op]syntax.Op{"<": ">", ">": "<", "<=": ">=", ">=": "<="}[op]
	}
	switch {
	case op == "<" && v.Int.Cmp(lo) <= 0, op == ">" && v.Int.Cmp(hi) >= 0:
		always(false)
	case op == ">=" && v.Int.Cmp(lo) <= 0, op == "<=" && v.Int.Cmp(hi) >= 0:
		always(true)
	}
}

// bounds are the least and the greatest value of a bit or int type.
func bounds(t types.Type) (lo, hi *big.Int, ok bool) {
	for {
		n, is := t.(*types.NewType)
		if !is {
			break
		}
		t = n.Under
	}
	b, ok := t.(*types.Bit)
	if !ok || b.Width < 1 {
		return nil, nil, false
	}
	lo, hi = new(big.Int), big.NewInt(1)
	if b.Signed {
		hi.Lsh(hi, uint(b.Width-1))
		lo.Neg(hi)
	} else {
		hi.Lsh(hi, uint(b.Width))
	}
	return lo, hi.Sub(hi, big.NewInt(1)), true
}

// same reports whether two expressions name the same variable or part of one.
func (a *analysis) same(x, y syntax.Expr) bool {
	x, y = syntax.Unparen(x), syntax.Unparen(y)
	switch x := x.(type) {
	case *syntax.Name:
		y, ok := y.(*syntax.Name)
		if !ok {
			return false
		}
		o := a.info.Uses[x.Ident]
		return o != nil && o == a.info.Uses[y.Ident] && (o.Kind == types.VarObject || o.Kind == types.ParamObject)
	case *syntax.Member:
		y, ok := y.(*syntax.Member)
		// next is another element each time.
		return ok && x.Sel.Name == y.Sel.Name && x.Sel.Name != "next" && a.same(x.X, y.X)
	case *syntax.Index:
		y, ok := y.(*syntax.Index)
		return ok && a.same(x.X, y.X) && (a.same(x.I, y.I) || a.sameValue(x.I, y.I))
	case *syntax.Slice:
		y, ok := y.(*syntax.Slice)
		return ok && a.same(x.X, y.X) && a.sameValue(x.Hi, y.Hi) && a.sameValue(x.Lo, y.Lo)
	}
	return false
}

func (a *analysis) sameValue(x, y syntax.Expr) bool {
	v, ok1 := a.info.Values[x].(types.IntValue)
	w, ok2 := a.info.Values[y].(types.IntValue)
	return ok1 && ok2 && v.Int.Cmp(w.Int) == 0
}

// within reports whether part is whole or a part of it.
func (a *analysis) within(part, whole syntax.Expr) bool {
	for {
		if a.same(part, whole) {
			return true
		}
		switch x := syntax.Unparen(part).(type) {
		case *syntax.Member:
			part = x.X
		case *syntax.Index:
			part = x.X
		case *syntax.Slice:
			part = x.X
		default:
			return false
		}
	}
}

// aliased reports arguments of one call that overlap and are both written.
func (a *analysis) aliased(e *syntax.Call) {
	c := a.info.Calls[e]
	if c == nil || c.Sig == nil {
		return
	}
	var out []syntax.Expr
	for i, p := range c.Sig.Params {
		if i < len(c.Args) && c.Args[i] != nil && (p.Dir == syntax.Out || p.Dir == syntax.InOut) {
			out = append(out, c.Args[i])
		}
	}
	for i, x := range out {
		for _, y := range out[:i] {
			if a.within(x, y) || a.within(y, x) {
				a.warn(x, codeAliased, "%s and %s overlap, and both are written", syntax.PrintNode(y), syntax.PrintNode(x))
				break
			}
		}
	}
}

func (a *analysis) table(d *syntax.TableDecl) {
	for _, p := range d.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			for _, k := range p.Keys {
				if a.info.Values[k.Expr] != nil {
					a.warn(k.Expr, codeConstantKey, "this key never varies")
				}
			}
		case *syntax.EntriesProperty:
			for _, e := range p.Entries {
				a.keyset(e.Keyset)
			}
		}
	}
}

// keyset reports ranges and masks that match other than they look.
func (a *analysis) keyset(e syntax.Expr) {
	switch x := syntax.Unparen(e).(type) {
	case *syntax.ListExpr:
		for _, y := range x.Elems {
			a.keyset(y)
		}
	case *syntax.Binary:
		v, ok1 := a.info.Values[x.X].(types.IntValue)
		w, ok2 := a.info.Values[x.Y].(types.IntValue)
		switch {
		case !ok1 || !ok2:
		case x.Op == ".." && w.Int.Cmp(v.Int) < 0:
			a.warn(x, codeEmptyRange, "this range is empty")
		case x.Op == "&&&" && new(big.Int).AndNot(v.Int, w.Int).Sign() != 0:
			a.warn(x, codeMaskedBits, "%v has bits outside its mask, which do not count", syntax.PrintNode(x.X))
		}
	}
}
