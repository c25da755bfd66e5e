package syntax

import (
	"strconv"
	"strings"
)

// Precedences above and below those of the binary operators.
const (
	precLowest  = -1 // keysets: &&& and .. may stand bare
	precCond    = 0  // ?:
	precPrefix  = 11
	precPostfix = 12
)

// exprPrec is how tight the outermost operator of x binds.
func exprPrec(x Expr) int {
	switch x := x.(type) {
	case *Binary:
		if x.Op == "&&&" || x.Op == ".." {
			return precLowest
		}
		return precedence(x.Op)
	case *Cond:
		return precCond
	case *Unary, *Cast:
		return precPrefix
	case *IntLit:
		if x.Value != nil && x.Value.Sign() < 0 {
			return precPrefix
		}
	}
	return precPostfix
}

// expr prints x where an operand must bind at least as tight as min; parentheses are added where it does not.
func (pr *printer) expr(x Expr, min int) {
	if exprPrec(x) < min {
		pr.w("(")
		pr.bare(x)
		pr.w(")")
		return
	}
	pr.bare(x)
}

func (pr *printer) bare(x Expr) {
	switch x := x.(type) {
	case *Name:
		if x.Absolute {
			pr.w(".")
		}
		pr.w(x.Ident.Name)
	case *BoolLit:
		if x.Value {
			pr.w("true")
		} else {
			pr.w("false")
		}
	case *IntLit:
		pr.w(intText(x))
	case *StringLit:
		if x.Text != "" {
			pr.w(x.Text)
		} else {
			pr.w(quote(x.Value))
		}
	case *Member:
		pr.expr(x.X, precPostfix)
		pr.w(".", x.Sel.Name)
	case *Index:
		pr.expr(x.X, precPostfix)
		pr.w("[")
		pr.expr(x.I, precCond)
		pr.w("]")
	case *Slice:
		pr.expr(x.X, precPostfix)
		pr.w("[")
		pr.expr(x.Hi, precCond)
		pr.w(":")
		pr.expr(x.Lo, precCond)
		pr.w("]")
	case *PlusSlice:
		pr.expr(x.X, precPostfix)
		pr.w("[")
		pr.expr(x.Lo, precCond)
		pr.w(" +: ")
		pr.expr(x.Width, precCond)
		pr.w("]")
	case *Unary:
		pr.w(string(x.Op))
		if u, ok := x.X.(*Unary); ok && u.Op == x.Op && (u.Op == "+" || u.Op == "-") {
			pr.w(" ") // ++ is another operator
		}
		pr.expr(x.X, precPrefix)
	case *Binary:
		pr.binary(x)
	case *Cond:
		pr.expr(x.C, precCond+1)
		pr.w(" ? ")
		pr.expr(x.X, precCond+1)
		pr.w(" : ")
		pr.expr(x.Y, precCond+1)
	case *Call:
		pr.expr(x.Fun, precPostfix)
		if len(x.TypeArgs) > 0 {
			pr.typeArgs(x.TypeArgs)
		}
		pr.args(x.Args)
	case *Cast:
		pr.w("(")
		pr.typ(x.To)
		pr.w(")")
		pr.expr(x.X, precPrefix)
	case *ListExpr:
		pr.listExpr(x)
	case *StructExpr:
		elems := make([]string, 0, len(x.Fields)+1)
		for _, f := range x.Fields {
			elems = append(elems, pr.sub(func(s *printer) { s.arg(f) }))
		}
		if x.Dots {
			elems = append(elems, "...")
		}
		pr.listed("{ ", " }", elems)
	case *InvalidExpr:
		pr.w("{#}")
	case *DotsExpr:
		pr.w("...")
	case *DefaultExpr:
		pr.w("default")
	case *DontCare:
		pr.w("_")
	case *This:
		pr.w("this")
	case *TypeExpr:
		pr.typ(x.Type)
	case *Paren:
		pr.w("(")
		pr.expr(x.X, precLowest)
		pr.w(")")
	case *Select:
		pr.selectExpr(x)
	}
}

// binary prints long chains without recursion on the left side's account of precedence: operators are left-associative.
func (pr *printer) binary(x *Binary) {
	p := exprPrec(x)
	right := p + 1
	if p == precLowest {
		// Masks and ranges do not nest.
		pr.expr(x.X, precCond)
		right = precCond
	} else {
		pr.expr(x.X, p)
	}
	pr.w(" ", string(x.Op), " ")
	pr.expr(x.Y, right)
}

func (pr *printer) listExpr(x *ListExpr) {
	open, end, min := "{ ", " }", precCond
	if x.Paren {
		open, end, min = "(", ")", precLowest
	}
	elems := make([]string, 0, len(x.Elems)+1)
	for _, e := range x.Elems {
		elems = append(elems, pr.sub(func(s *printer) { s.expr(e, min) }))
	}
	if x.Dots {
		elems = append(elems, "...")
	}
	if len(elems) == 0 {
		pr.w(strings.TrimSpace(open), strings.TrimSpace(end))
		return
	}
	pr.listed(open, end, elems)
}

// intText is the literal as written, or made from its value if it was not written by anybody.
func intText(x *IntLit) string {
	if x.Text != "" || x.Value == nil {
		return x.Text
	}
	var b strings.Builder
	if x.Value.Sign() < 0 {
		b.WriteString("-")
	}
	if x.Width > 0 {
		b.WriteString(strconv.Itoa(x.Width))
		if x.Signed {
			b.WriteString("s")
		} else {
			b.WriteString("w")
		}
	}
	b.WriteString(strings.TrimPrefix(x.Value.String(), "-"))
	return b.String()
}

func (pr *printer) args(args []*Arg) {
	elems := make([]string, len(args))
	for i, a := range args {
		elems[i] = pr.sub(func(s *printer) { s.arg(a) })
	}
	pr.listed("(", ")", elems)
}

func (pr *printer) arg(a *Arg) {
	if a.Name != nil {
		pr.w(a.Name.Name, " = ")
	}
	pr.expr(a.Value, precCond)
}

func (pr *printer) typeArgs(args []Type) {
	pr.w("<")
	for i, a := range args {
		if i > 0 {
			pr.w(", ")
		}
		pr.typ(a)
	}
	pr.w(">")
}

func (pr *printer) typ(t Type) {
	switch t := t.(type) {
	case *BaseType:
		pr.w(t.Kind)
		if t.Width != nil {
			pr.w("<")
			pr.width(t.Width)
			pr.w(">")
		}
	case *NamedType:
		if t.Absolute {
			pr.w(".")
		}
		pr.w(t.Ident.Name)
	case *SpecializedType:
		pr.typ(t.Base)
		pr.typeArgs(t.Args)
	case *StackType:
		pr.typ(t.Elem)
		pr.w("[")
		pr.expr(t.Size, precCond)
		pr.w("]")
	case *TupleType:
		pr.w("tuple")
		pr.typeArgs(t.Args)
	case *ListType:
		pr.w("list")
		pr.typeArgs([]Type{t.Elem})
	case *DontCareType:
		pr.w("_")
	}
}

// width prints the expression between the angles of bit<...>: anything but a number or a name in parentheses, since a >
// would end it.
func (pr *printer) width(x Expr) {
	switch x := x.(type) {
	case *IntLit, *Name, *Paren:
		pr.bare(x)
	default:
		pr.w("(")
		pr.bare(x)
		pr.w(")")
	}
}
