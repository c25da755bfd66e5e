package syntax

// typ parses a type; void is not one.
func (p *parser) typ() Type {
	if !p.enter() {
		defer p.leave()
		return &BaseType{Kind: "bool"}
	}
	defer p.leave()
	t := p.simpleType()
	for n := 0; p.at("["); n++ {
		t = p.stack(t)
		if n > maxDepth {
			p.fail(p.pos(), CodeTooDeep, "nested more than %d deep", maxDepth)
		}
	}
	return t
}

// stack parses [size] after t.
func (p *parser) stack(t Type) Type {
	s := &StackType{Elem: t}
	s.SetPos(t.Pos())
	p.want("[")
	s.Size = p.inner(p.expr)
	p.want("]")
	return s
}

func (p *parser) simpleType() Type {
	t := p.tok()
	switch {
	case t.kind == tIdent || t.is("."):
		return p.namedType()
	case t.kind != tKeyword:
		p.fail(t.pos, CodeNotAType, "expected a type, found %s", t.describe())
		return p.badType()
	}
	switch t.text {
	case "bool", "error", "match_kind", "string":
		b := &BaseType{Kind: t.text}
		b.SetPos(t.pos)
		p.advance()
		return b
	case "bit", "int", "varbit":
		b := &BaseType{Kind: t.text}
		b.SetPos(t.pos)
		p.advance()
		if t.text == "varbit" && !p.at("<") {
			p.expected("< and the width of the varbit")
		}
		if p.got("<") {
			b.Width = p.angled(p.expr)
			p.want(">")
		}
		return b
	case "tuple":
		tt := &TupleType{}
		tt.SetPos(t.pos)
		p.advance()
		tt.Args = p.typeArgs()
		return tt
	case "list":
		l := &ListType{}
		l.SetPos(t.pos)
		p.advance()
		p.want("<")
		l.Elem = p.typeArg()
		p.want(">")
		return l
	case "void":
		p.fail(t.pos, CodeNotAType, "void stands only for the result of a function or as a type argument")
		return p.badType()
	}
	p.fail(t.pos, CodeNotAType, "expected a type, found %s", t.describe())
	return p.badType()
}

func (p *parser) badType() Type {
	b := &BaseType{Kind: "bool"}
	b.SetPos(p.pos())
	return b
}

// namedType parses [.]T or [.]T<args>.
func (p *parser) namedType() Type {
	n := p.typeName()
	if n.Ident.Name != "" && p.scope.lookup(n.Ident.Name, n.Absolute) != symType {
		p.unknownType(n)
	}
	return p.specialized(n)
}

// unknownType reports a name that is no type, once.
func (p *parser) unknownType(n *NamedType) {
	if !p.lost && !p.unknown[n.Ident.Name] {
		p.report(n.Pos(), CodeUnknownType, "%s is not declared as a type", n.Ident.Name)
	}
	if p.unknown == nil {
		p.unknown = map[string]bool{}
	}
	p.unknown[n.Ident.Name] = true
}

func (p *parser) typeName() *NamedType {
	n := &NamedType{}
	n.SetPos(p.pos())
	n.Absolute = p.got(".")
	t := p.tok()
	n.Ident = &Ident{Name: t.text}
	n.Ident.SetPos(t.pos)
	if t.kind != tIdent {
		n.Ident.Name = ""
		p.fail(t.pos, CodeNotAType, "expected a type, found %s", t.describe())
	}
	p.advance()
	return n
}

func (p *parser) specialized(n *NamedType) Type {
	if !p.at("<") {
		return n
	}
	s := &SpecializedType{Base: n}
	s.SetPos(n.Pos())
	s.Args = p.typeArgs()
	return s
}

// typeArgs parses <arg, ...>.
func (p *parser) typeArgs() []Type {
	var args []Type
	p.want("<")
	for !p.at(">") && !p.eof() {
		args = append(args, p.typeArg())
		if !p.got(",") {
			break
		}
	}
	p.want(">")
	return args
}

// typeArg parses a type argument: a type, void, _, or a name that is no type here (it may be a type variable of an
// enclosing declaration that comes later; the type checker resolves it).
func (p *parser) typeArg() Type {
	t := p.tok()
	switch {
	case t.is("_"):
		d := &DontCareType{}
		d.SetPos(t.pos)
		p.advance()
		return d
	case t.is("void"):
		return p.void()
	case isValueName(t) && !p.isType(0, false) && !p.peek(1).is("<"):
		n := &NamedType{Ident: &Ident{Name: t.text}}
		n.SetPos(t.pos)
		n.Ident.SetPos(t.pos)
		p.advance()
		return n
	}
	return p.typ()
}

func (p *parser) void() Type {
	b := &BaseType{Kind: "void"}
	b.SetPos(p.pos())
	p.advance()
	return b
}

// startsType reports whether a type, and no expression, starts n tokens ahead, in a place where both may stand.
func (p *parser) startsType(n int) bool {
	t := p.peek(n)
	if t.kind == tKeyword {
		switch t.text {
		case "bool", "bit", "int", "varbit", "string", "match_kind", "tuple", "list", "void":
			return true
		case "error":
			return !p.peek(n + 1).is(".")
		}
		return false
	}
	absolute := t.is(".")
	if absolute {
		n++
	}
	next := p.peek(n + 1)
	return p.isType(n, absolute) && !next.is(".") && !next.is("(")
}

// typeParams parses <A, B> if it is there and declares the names in the innermost scope.
func (p *parser) typeParams() []*Ident {
	if !p.got("<") {
		return nil
	}
	var ids []*Ident
	for !p.eof() {
		id := p.name("a type parameter")
		p.scope.declare(id, symType)
		ids = append(ids, id)
		if !p.got(",") {
			break
		}
	}
	p.want(">")
	return ids
}

// params parses (parameters) and declares their names in the innermost scope.
func (p *parser) params() []*Param {
	var list []*Param
	p.want("(")
	for !p.at(")") && !p.eof() {
		list = append(list, p.param())
		if !p.got(",") {
			break
		}
		if p.at(")") {
			p.expected("a parameter")
		}
	}
	p.want(")")
	for _, q := range list {
		p.scope.declare(q.Name, symValue)
	}
	return list
}

func (p *parser) param() *Param {
	q := &Param{}
	q.Annotations = p.annotations()
	q.SetPos(p.pos())
	switch t := p.tok(); {
	case t.is("in"), t.is("out"), t.is("inout"):
		q.Dir = Direction(t.text)
		p.advance()
	}
	q.Type = p.typ()
	q.Type, q.Name = p.declarator(q.Type, "a parameter's name")
	if p.got("=") {
		q.Default = p.expr()
	}
	return q
}

// declarator parses a name with array sizes after it, as in C: T x[2] declares x of type T[2].
func (p *parser) declarator(t Type, what string) (Type, *Ident) {
	id := p.name(what)
	for n := 0; p.at("["); n++ {
		t = p.stack(t)
		if n > maxDepth {
			p.fail(p.pos(), CodeTooDeep, "nested more than %d deep", maxDepth)
		}
	}
	return t, id
}
