package syntax

// annotations parses what @... stand here.
func (p *parser) annotations() []*Annotation {
	var list []*Annotation
	for p.at("@") {
		list = append(list, p.annotation())
	}
	return list
}

func (p *parser) annotation() *Annotation {
	a := &Annotation{}
	a.SetPos(p.pos())
	p.want("@")
	t := p.tok()
	if t.kind != tIdent && t.kind != tKeyword {
		p.fail(t.pos, CodeBadAnnotation, "expected an annotation's name, found %s", t.describe())
		return a
	}
	p.advance()
	if t.text == "pragma" && !t.space {
		p.pragma(a)
		return a
	}
	a.Name = t.text
	switch {
	case p.at("("):
		a.HasBody = true
		a.Body = p.annotationBody()
	case p.at("["):
		p.structured(a)
	}
	return a
}

// pragma parses the rest of @pragma name tokens, up to the end of the line. It means @name(tokens).
func (p *parser) pragma(a *Annotation) {
	t := p.tok()
	if t.kind != tIdent && t.kind != tKeyword || t.bol {
		p.fail(t.pos, CodeBadAnnotation, "expected a name after @pragma, found %s", t.describe())
		return
	}
	a.Name = t.text
	a.HasBody = true
	depth := 0
	for p.advance(); !p.eof() && !p.tok().bol; p.advance() {
		t := p.tok()
		if t.is("(") {
			depth++
		} else if t.is(")") {
			depth--
		}
		if depth < 0 {
			break
		}
		a.Body = append(a.Body, Token{Pos: t.pos, Text: t.text})
	}
	if depth != 0 {
		p.fail(a.Pos(), CodeBadAnnotation, "unbalanced parentheses in @pragma %s", a.Name)
	}
}

// annotationBody reads the tokens of (...); parentheses inside are balanced.
func (p *parser) annotationBody() []Token {
	open := p.pos()
	p.want("(")
	var body []Token
	for depth := 0; ; p.advance() {
		t := p.tok()
		switch {
		case t.kind == tEOF:
			p.fail(open, CodeOpenBracket, "annotation is not closed: ) missing")
			return body
		case t.is("("):
			depth++
		case t.is(")"):
			if depth == 0 {
				p.advance()
				return body
			}
			depth--
		}
		body = append(body, Token{Pos: t.pos, Text: t.text})
	}
}

// structured parses [expressions] or [key = value, ...].
func (p *parser) structured(a *Annotation) {
	a.Structured = true
	p.inner(func() Expr {
		p.want("[")
		pairs := isName(p.tok()) && p.peek(1).is("=")
		for !p.at("]") && !p.eof() {
			if pairs {
				kv := &KeyValue{}
				kv.SetPos(p.pos())
				kv.Key = p.name("a key")
				p.want("=")
				kv.Value = p.expr()
				a.KeyValues = append(a.KeyValues, kv)
			} else {
				a.Exprs = append(a.Exprs, p.expr())
			}
			if !p.got(",") {
				break
			}
		}
		p.want("]")
		return nil
	})
}
