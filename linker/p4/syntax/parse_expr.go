package syntax

// precedence of binary operators; 0 is none. Unlike in C, the bitwise operators bind tighter than comparisons.
func precedence(op Op) int {
	switch op {
	case "||":
		return 1
	case "&&":
		return 2
	case "==", "!=":
		return 3
	case "<", ">", "<=", ">=":
		return 4
	case "|":
		return 5
	case "^":
		return 6
	case "&":
		return 7
	case "<<", ">>":
		return 8
	case "++", "+", "-", "|+|", "|-|":
		return 9
	case "*", "/", "%":
		return 10
	}
	return 0
}

// inner parses with f inside brackets, where > is an operator again; angled inside <...>, where it is not.
func (p *parser) inner(f func() Expr) Expr {
	noGt, callee := p.noGt, p.callee
	p.noGt, p.callee = false, false
	x := f()
	p.noGt, p.callee = noGt, callee
	return x
}

func (p *parser) angled(f func() Expr) Expr {
	noGt, callee := p.noGt, p.callee
	p.noGt, p.callee = true, false
	x := f()
	p.noGt, p.callee = noGt, callee
	return x
}

// expr parses an expression.
func (p *parser) expr() Expr {
	if !p.enter() {
		defer p.leave()
		return p.badExpr()
	}
	defer p.leave()
	return p.condFrom(p.binary(0))
}

// condFrom parses what may follow c, the condition of ?:.
func (p *parser) condFrom(c Expr) Expr {
	h := p.height
	if !p.got("?") {
		return c
	}
	x := &Cond{C: c}
	x.SetPos(c.Pos())
	x.X = p.expr()
	h = max(h, p.height)
	p.want(":")
	x.Y = p.expr()
	p.grow(max(h, p.height) + 1)
	return x
}

// binary parses operands joined by operators that bind tighter than above.
func (p *parser) binary(above int) Expr { return p.binaryFrom(p.unary(), above) }

func (p *parser) binaryFrom(x Expr, above int) Expr {
	for !p.panic {
		op, n := p.operator()
		prec := precedence(op)
		if prec <= above {
			return x
		}
		for ; n > 0; n-- {
			p.advance()
		}
		h := p.height
		b := &Binary{Op: op, X: x}
		b.SetPos(x.Pos())
		if !p.enter() {
			p.leave()
			return x
		}
		b.Y = p.binary(prec)
		p.leave()
		p.grow(max(h, p.height) + 1)
		x = b
	}
	return x
}

// operator returns the binary operator at the current place and its number of tokens.
func (p *parser) operator() (Op, int) {
	t := p.tok()
	if t.kind != tPunct {
		return "", 0
	}
	if t.text == ">" {
		if p.noGt {
			return "", 0
		}
		if next := p.peek(1); next.is(">") && !next.space && !next.bol {
			return ">>", 2
		}
	}
	return Op(t.text), 1
}

func (p *parser) unary() Expr {
	t := p.tok()
	switch {
	case t.is("!"), t.is("~"), t.is("-"), t.is("+"):
		if !p.enter() {
			p.leave()
			return p.badExpr()
		}
		defer p.leave()
		u := &Unary{Op: Op(t.text)}
		u.SetPos(t.pos)
		p.advance()
		u.X = p.unary()
		p.grow(p.height + 1)
		return u
	case t.is("("):
		if p.startsType(1) {
			return p.castOrType()
		}
	}
	return p.postfix(p.primary())
}

// castOrType parses (T) x, or parentheses around an expression that starts with a type: (T<X>(1).f()).
func (p *parser) castOrType() Expr {
	if !p.enter() {
		p.leave()
		return p.badExpr()
	}
	defer p.leave()
	pos := p.pos()
	p.want("(")
	t := p.typ()
	if p.got(")") {
		c := &Cast{To: t}
		c.SetPos(pos)
		c.X = p.unary()
		p.grow(p.height + 1)
		return c
	}
	x := &Paren{}
	x.SetPos(pos)
	x.X = p.inner(func() Expr {
		te := &TypeExpr{Type: t}
		te.SetPos(t.Pos())
		p.height = 1
		if !p.at(".") && !p.at("(") {
			p.expected(")")
		}
		return p.condFrom(p.binaryFrom(p.postfix(te), 0))
	})
	p.want(")")
	p.grow(p.height + 1)
	return p.postfix(x)
}

func (p *parser) badExpr() Expr {
	n := &Name{Ident: &Ident{}}
	n.SetPos(p.pos())
	n.Ident.SetPos(p.pos())
	return n
}

// primary parses an operand without what may follow it.
func (p *parser) primary() Expr {
	t := p.tok()
	p.height = 1
	switch t.kind {
	case tInt:
		p.advance()
		lit, err := parseInt(t.text)
		if err != nil {
			p.report(t.pos, CodeBadNumber, "%v", err)
			return p.badExpr()
		}
		lit.SetPos(t.pos)
		return lit
	case tString:
		p.advance()
		s := &StringLit{Text: t.text, Value: unquote(t.text)}
		s.SetPos(t.pos)
		return s
	case tBad:
		p.fail(t.pos, CodeBadChar, "unexpected character %q", t.text)
		return p.badExpr()
	case tIdent, tKeyword, tPunct:
		if x := p.operand(t); x != nil {
			return x
		}
	}
	p.expected("an expression")
	return p.badExpr()
}

// operand is primary for names, keywords and brackets; nil if t starts no operand.
func (p *parser) operand(t token) Expr {
	var x Expr
	switch {
	case t.is("true"), t.is("false"):
		x = &BoolLit{Value: t.text == "true"}
	case t.is("this"):
		x = &This{}
	case t.is("..."):
		x = &DotsExpr{}
	case t.is("{#}"):
		x = &InvalidExpr{}
	case t.is("{"):
		return p.braces()
	case t.is("("):
		return p.paren()
	case t.is("error"):
		return p.typeOperand(p.simpleType())
	case t.is("."):
		if p.isType(1, true) {
			return p.typeOperand(p.namedType())
		}
		return p.nameExpr()
	case t.kind == tIdent && p.isType(0, false):
		return p.typeOperand(p.namedType())
	case isValueName(t):
		return p.nameExpr()
	default:
		return p.misplacedOperand(t)
	}
	x.SetPos(t.pos)
	p.advance()
	return x
}

// misplacedOperand explains what is no operand but looks like one.
func (p *parser) misplacedOperand(t token) Expr {
	if t.kind == tKeyword {
		switch t.text {
		case "bit", "int", "bool", "varbit", "string", "tuple", "list", "void", "match_kind":
			p.fail(t.pos, CodeNotAValue, "a type stands where a value is needed; a cast is written with parentheses around the type")
			return p.badExpr()
		case "default", "_":
			p.fail(t.pos, CodeUnexpected, "%s cannot stand in an expression", t.text)
			return p.badExpr()
		}
	}
	return nil
}

// typeOperand makes an operand of a type: a member or a constructor call must follow.
func (p *parser) typeOperand(t Type) Expr {
	x := &TypeExpr{Type: t}
	x.SetPos(t.Pos())
	if !p.at(".") && !p.at("(") {
		p.fail(t.Pos(), CodeNotAValue, "%s is a type, and a value is needed", PrintNode(t))
	}
	return x
}

func (p *parser) nameExpr() Expr {
	n := &Name{}
	n.SetPos(p.pos())
	n.Absolute = p.got(".")
	t := p.tok()
	n.Ident = &Ident{Name: t.text}
	n.Ident.SetPos(t.pos)
	if !isValueName(t) {
		n.Ident.Name = ""
		p.expected("a name")
	}
	p.advance()
	return n
}

func (p *parser) paren() Expr {
	x := &Paren{}
	x.SetPos(p.pos())
	p.want("(")
	x.X = p.inner(p.expr)
	p.want(")")
	p.grow(p.height + 1)
	return x
}

// braces parses { a, b } or { f = a, g = b }, with dots at the end perhaps.
func (p *parser) braces() Expr {
	if !p.enter() {
		p.leave()
		return p.badExpr()
	}
	defer p.leave()
	return p.inner(func() Expr {
		pos := p.pos()
		p.want("{")
		h := 0
		if isName(p.tok()) && p.peek(1).is("=") {
			s := &StructExpr{}
			s.SetPos(pos)
			for !p.at("}") && !p.eof() {
				if p.got("...") {
					s.Dots = true
					p.got(",")
					break
				}
				a := &Arg{}
				a.SetPos(p.pos())
				a.Name = p.name("a field's name")
				p.want("=")
				a.Value = p.expr()
				h = max(h, p.height)
				s.Fields = append(s.Fields, a)
				if !p.got(",") {
					break
				}
			}
			p.want("}")
			p.grow(h + 1)
			return s
		}
		l := &ListExpr{}
		l.SetPos(pos)
		for !p.at("}") && !p.eof() {
			if next := p.peek(1); p.at("...") && (next.is("}") || next.is(",") && p.peek(2).is("}")) {
				p.advance()
				l.Dots = true
				p.got(",")
				break
			}
			l.Elems = append(l.Elems, p.expr())
			h = max(h, p.height)
			if !p.got(",") {
				break
			}
		}
		p.want("}")
		p.grow(h + 1)
		return l
	})
}

// postfix parses members, indices and calls after x.
func (p *parser) postfix(x Expr) Expr {
	h := p.height
	for !p.panic {
		t := p.tok()
		if t.kind != tPunct {
			return x
		}
		switch t.text {
		case ".":
			m := &Member{X: x}
			m.SetPos(x.Pos())
			p.advance()
			m.Sel = p.name("a member's name")
			x = m
		case "[":
			if _, ok := x.(*TypeExpr); ok {
				return x
			}
			x = p.index(x)
		case "(":
			x = p.call(x, nil)
		case "<":
			if !p.typeArgsFollow(x) {
				return x
			}
			args := p.typeArgs()
			if !p.at("(") {
				p.expected("( and the arguments")
				return x
			}
			x = p.call(x, args)
		default:
			return x
		}
		h = max(h, p.height) + 1
		p.grow(h)
	}
	return x
}

// index parses [i], [hi:lo] or [lo+:width] after x.
func (p *parser) index(x Expr) Expr {
	p.want("[")
	i := p.inner(p.expr)
	h := p.height
	var r Expr
	switch {
	case p.got(":"):
		r = &Slice{X: x, Hi: i, Lo: p.inner(p.expr)}
	case p.got("+:"):
		r = &PlusSlice{X: x, Lo: i, Width: p.inner(p.expr)}
	default:
		r = &Index{X: x, I: i}
	}
	p.height = max(h, p.height)
	r.SetPos(x.Pos())
	p.want("]")
	return r
}

// typeArgsFollow reports whether the < after x opens type arguments and is not "less than".
func (p *parser) typeArgsFollow(x Expr) bool {
	switch x := x.(type) {
	case *Name:
		if p.callee || p.scope.lookup(x.Ident.Name, x.Absolute) == symGeneric {
			return true
		}
	case *Member:
		if p.callee {
			return true
		}
	default:
		return false
	}
	if next := p.peek(1); next.is("_") || next.is(">") {
		return true
	}
	return p.startsType(1)
}

// call parses (args) after the callee.
func (p *parser) call(fun Expr, typeArgs []Type) Expr {
	c := &Call{Fun: fun, TypeArgs: typeArgs}
	c.SetPos(fun.Pos())
	switch fun.(type) {
	case *Name, *Member, *TypeExpr:
	default:
		p.fail(p.pos(), CodeBadTarget, "only functions, methods, actions and constructors can be called")
		return c
	}
	c.Args = p.args()
	return c
}

// args parses (arguments); afterwards height is that of the highest.
func (p *parser) args() []*Arg {
	var list []*Arg
	h := 0
	if !p.enter() {
		p.leave()
		return nil
	}
	defer p.leave()
	p.inner(func() Expr {
		p.want("(")
		for !p.at(")") && !p.eof() {
			a := &Arg{}
			a.SetPos(p.pos())
			if isName(p.tok()) && p.peek(1).is("=") {
				a.Name = p.name("an argument's name")
				p.want("=")
			}
			if t := p.tok(); t.is("_") {
				a.Value = &DontCare{}
				a.Value.SetPos(t.pos)
				p.advance()
			} else {
				a.Value = p.expr()
				h = max(h, p.height)
			}
			list = append(list, a)
			if !p.got(",") {
				break
			}
			if p.at(")") {
				p.expected("an argument")
			}
		}
		p.want(")")
		return nil
	})
	p.height = h
	return list
}
