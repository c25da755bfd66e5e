package syntax

// keyset parses a keyset: one expression, or (a, b, ...) for several keys.
func (p *parser) keyset() Expr {
	if !p.at("(") || !p.tupleKeyset() {
		return p.simpleKeyset()
	}
	pos := p.pos()
	p.want("(")
	l := &ListExpr{Paren: true}
	l.SetPos(pos)
	for !p.eof() {
		l.Elems = append(l.Elems, p.simpleKeyset())
		if !p.got(",") {
			break
		}
	}
	p.want(")")
	if len(l.Elems) == 1 {
		x := &Paren{X: l.Elems[0]}
		x.SetPos(pos)
		return x
	}
	return l
}

// tupleKeyset reports whether the parenthesis at the current place encloses the whole keyset.
func (p *parser) tupleKeyset() bool {
	depth := 0
	for n := 0; ; n++ {
		switch t := p.peek(n); {
		case t.kind == tEOF, t.is(";"):
			return false
		case t.is("("), t.is("["), t.is("{"):
			depth++
		case t.is(")"), t.is("]"), t.is("}"):
			if depth--; depth == 0 {
				return p.peek(n + 1).is(":")
			}
		}
	}
}

// simpleKeyset parses default, _, an expression, a mask or a range.
func (p *parser) simpleKeyset() Expr {
	t := p.tok()
	var x Expr
	switch {
	case t.is("default"):
		x = &DefaultExpr{}
	case t.is("_"):
		x = &DontCare{}
	default:
		x = p.inner(p.expr)
		if p.at("&&&") || p.at("..") {
			b := &Binary{Op: Op(p.tok().text), X: x}
			b.SetPos(x.Pos())
			p.advance()
			b.Y = p.inner(p.expr)
			return b
		}
		return x
	}
	x.SetPos(t.pos)
	p.advance()
	return x
}
