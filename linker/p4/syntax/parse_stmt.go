package syntax

// block parses { statements }; the names declared in it end with it.
func (p *parser) block(annots []*Annotation, inState bool) *Block {
	b := &Block{Annotations: annots}
	b.SetPos(p.pos())
	if !p.enter() {
		p.leave()
		return b
	}
	defer p.leave()
	open := p.pos()
	p.open()
	if p.panic {
		return b
	}
	p.scope.push()
	depth := len(p.scope.stack)
	p.list("block", open, func() {
		p.scope.stack = p.scope.stack[:depth]
		if s := p.stmt(inState); s != nil && !p.panic {
			b.Stmts = append(b.Stmts, s)
		}
	})
	p.scope.stack = p.scope.stack[:depth-1]
	return b
}

// stmt parses a statement or a declaration among statements. In a parser state only some are allowed.
func (p *parser) stmt(inState bool) Stmt {
	if !p.enter() {
		p.leave()
		return nil
	}
	defer p.leave()
	annots := p.annotations()
	t := p.tok()
	if t.is("{") {
		return p.block(annots, inState)
	}
	if t.is("for") {
		p.notInState(t, inState)
		return p.forStmt(annots)
	}
	if d := p.localDecl(annots, inState); d != nil {
		s := &DeclStmt{Decl: d}
		s.SetPos(d.Pos())
		return s
	}
	if len(annots) > 0 {
		p.report(annots[0].Pos(), CodeBadAnnotation, "annotations are not allowed on this statement")
	}
	switch {
	case t.is(";"):
		s := &EmptyStmt{}
		s.SetPos(t.pos)
		p.advance()
		return s
	case t.is("if"):
		return p.ifStmt()
	case t.is("switch"):
		p.notInState(t, inState)
		return p.switchStmt()
	case t.is("return"):
		p.notInState(t, inState)
		s := &ReturnStmt{}
		s.SetPos(t.pos)
		p.advance()
		if !p.at(";") {
			s.Value = p.expr()
		}
		p.want(";")
		return s
	case t.is("exit"), t.is("break"), t.is("continue"):
		p.notInState(t, inState)
		var s Stmt = &ExitStmt{}
		if t.text == "break" {
			s = &BreakStmt{}
		} else if t.text == "continue" {
			s = &ContinueStmt{}
		}
		s.SetPos(t.pos)
		p.advance()
		p.want(";")
		return s
	}
	s := p.simpleStmt()
	p.want(";")
	return s
}

func (p *parser) notInState(t token, inState bool) {
	if inState {
		p.report(t.pos, CodeMisplaced, "%s is not allowed in a parser state", t.text)
	}
}

// localDecl parses a constant, a variable or an instance if one starts here, and returns nil otherwise.
func (p *parser) localDecl(annots []*Annotation, inState bool) Decl {
	t := p.tok()
	if t.is("const") {
		return p.constDecl(annots)
	}
	if !p.startsDecl() {
		return p.misplacedDecl(t)
	}
	typ := p.typ()
	if p.at("(") {
		if inState {
			p.report(typ.Pos(), CodeMisplaced, "instances cannot be made in a parser state")
		}
		return p.instance(annots, typ)
	}
	d := p.variable(annots, typ)
	p.want(";")
	return d
}

// startsDecl reports whether a declaration that begins with its type stands here, and not T.apply(...) or a value.
func (p *parser) startsDecl() bool {
	t := p.tok()
	if t.kind == tKeyword {
		return p.startsType(0) && !t.is("void")
	}
	n := 0 // place of the name
	if t.is(".") {
		n = 1
	}
	if p.peek(n).kind != tIdent {
		return false
	}
	if !p.isType(n, n == 1) {
		// Two names in a row: the first was meant as a type.
		return n == 0 && isName(p.peek(1))
	}
	return !p.peek(p.skipTypeArgs(n + 1)).is(".")
}

// skipTypeArgs returns the place after the <...> at n, or n if there is none.
func (p *parser) skipTypeArgs(n int) int {
	for i, depth := n, 0; ; i++ {
		switch t := p.peek(i); {
		case t.is("<"):
			depth++
		case t.is(">"):
			depth--
		case t.kind == tEOF, t.is(";"), t.is("{"):
			return n
		}
		if depth == 0 {
			if i == n {
				return n
			}
			return i + 1
		}
	}
}

// misplacedDecl complains about declarations that cannot stand among statements.
func (p *parser) misplacedDecl(t token) Decl {
	if t.kind != tKeyword {
		return nil
	}
	switch t.text {
	case "action", "table", "value_set", "abstract":
		p.fail(t.pos, CodeMisplaced, "%s cannot be declared here", t.text)
	case "state":
		if isName(p.peek(1)) {
			p.fail(t.pos, CodeMisplaced, "a state cannot be declared here")
		}
	case "transition":
		p.fail(t.pos, CodeMisplaced, "transition is not allowed here")
	case "void":
		p.fail(t.pos, CodeMisplaced, "a function cannot be declared here")
	}
	return nil
}

// variable parses the rest of T x = e, without the semicolon.
func (p *parser) variable(annots []*Annotation, typ Type) *VarDecl {
	d := &VarDecl{}
	d.Annotations = annots
	d.SetPos(typ.Pos())
	d.Type, d.Name = p.declarator(typ, "a name")
	if p.got("=") {
		d.Init = p.expr()
	}
	p.scope.declare(d.Name, symValue)
	return d
}

func (p *parser) constDecl(annots []*Annotation) *ConstDecl {
	d := &ConstDecl{}
	d.Annotations = annots
	d.SetPos(p.pos())
	p.want("const")
	d.Type, d.Name = p.declarator(p.typ(), "a name")
	p.want("=")
	d.Value = p.expr()
	p.want(";")
	p.scope.declare(d.Name, symValue)
	return d
}

// instance parses the rest of T(args) x;
func (p *parser) instance(annots []*Annotation, typ Type) *InstanceDecl {
	d := &InstanceDecl{}
	d.Annotations = annots
	d.SetPos(typ.Pos())
	d.Args = p.args()
	d.Type, d.Name = p.declarator(typ, "the instance's name")
	p.scope.declare(d.Name, symValue)
	if p.got("=") {
		d.HasBody = true
		open := p.pos()
		p.open()
		p.scope.push()
		depth := len(p.scope.stack)
		p.list("initializer", open, func() {
			p.scope.stack = p.scope.stack[:depth]
			if m := p.objectDecl(); m != nil && !p.panic {
				d.Body = append(d.Body, m)
			}
		})
		p.scope.stack = p.scope.stack[:depth-1]
	}
	p.want(";")
	return d
}

// objectDecl parses an element of an instance's initializer: a function or an instance.
func (p *parser) objectDecl() Decl {
	annots := p.annotations()
	if !p.enter() {
		p.leave()
		return nil
	}
	defer p.leave()
	if !p.at("void") && (p.tok().kind != tIdent || p.isType(0, false) || p.at(".")) {
		typ := p.typ()
		if p.at("(") {
			return p.instance(annots, typ)
		}
		return p.function(annots, typ)
	}
	return p.function(annots, p.resultType())
}

// simpleStmt parses an assignment or a call, without the semicolon.
func (p *parser) simpleStmt() Stmt {
	t := p.tok()
	if !isValueName(t) && !t.is(".") && !t.is("(") && !t.is("this") && !t.is("error") {
		if t.kind == tBad {
			p.fail(t.pos, CodeBadChar, "unexpected character %q", t.text)
		} else {
			p.expected("a statement")
		}
		return nil
	}
	p.callee = true
	x := p.postfix(p.primary())
	p.callee = false
	if p.panic {
		return nil
	}
	op := p.tok()
	if c, ok := x.(*Call); ok && !assignOp(op) {
		if _, ok := c.Fun.(*TypeExpr); ok || !target(c.Fun) {
			p.report(c.Pos(), CodeBadTarget, "the result of a call cannot be called, and a constructor is no statement")
		}
		s := &CallStmt{Call: c}
		s.SetPos(t.pos)
		return s
	}
	if !assignOp(op) {
		p.expected("= or a call")
		return nil
	}
	if !target(x) {
		p.report(x.Pos(), CodeBadTarget, "cannot assign to this expression")
	}
	s := &AssignStmt{LHS: x, Op: Op(op.text)}
	s.SetPos(t.pos)
	p.advance()
	s.RHS = p.expr()
	return s
}

func assignOp(t token) bool {
	if t.kind != tPunct {
		return false
	}
	switch t.text {
	case "=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "|+|=", "|-|=":
		return true
	}
	return false
}

// target reports whether x has the form of a left value: names, members, indices and slices of such.
func target(x Expr) bool {
	for {
		switch y := x.(type) {
		case *Name, *This:
			return true
		case *Member:
			if _, ok := y.X.(*TypeExpr); ok {
				return true
			}
			x = y.X
		case *Index:
			x = y.X
		case *Slice:
			x = y.X
		case *PlusSlice:
			x = y.X
		case *Paren:
			x = y.X
		default:
			return false
		}
	}
}

func (p *parser) ifStmt() Stmt {
	s := &IfStmt{}
	s.SetPos(p.pos())
	p.want("if")
	p.want("(")
	s.Cond = p.inner(p.expr)
	p.want(")")
	s.Then = p.body()
	if p.got("else") {
		s.Else = p.body()
	}
	return s
}

// body parses the statement that an if or a loop governs: a declaration is none.
func (p *parser) body() Stmt {
	pos := p.pos()
	p.scope.push()
	depth := len(p.scope.stack)
	s := p.stmt(false)
	p.scope.stack = p.scope.stack[:depth-1]
	if s == nil {
		s = &EmptyStmt{}
		s.SetPos(pos)
	}
	if d, ok := s.(*DeclStmt); ok {
		p.report(d.Pos(), CodeMisplaced, "a declaration must stand in a block here: put it in { }")
	}
	return s
}

func (p *parser) switchStmt() Stmt {
	s := &SwitchStmt{}
	s.SetPos(p.pos())
	p.want("switch")
	p.want("(")
	s.X = p.inner(p.expr)
	p.want(")")
	open := p.pos()
	p.open()
	if p.panic {
		return s
	}
	p.list("switch", open, func() {
		c := &SwitchCase{}
		t := p.tok()
		c.SetPos(t.pos)
		switch {
		case t.is("default"):
			c.Label = &DefaultExpr{}
			c.Label.SetPos(t.pos)
			p.advance()
		case t.is("{"):
			p.expected("a label")
		default:
			c.Label = p.expr()
		}
		p.want(":")
		if p.at("{") || p.at("@") {
			c.Body = p.block(p.annotations(), false)
		}
		if !p.panic {
			s.Cases = append(s.Cases, c)
		}
	})
	return s
}

func (p *parser) forStmt(annots []*Annotation) Stmt {
	pos := p.pos()
	p.want("for")
	p.want("(")
	p.scope.push()
	depth := len(p.scope.stack)
	defer func() { p.scope.stack = p.scope.stack[:depth-1] }()
	varAnnots := p.annotations()
	var init []Stmt
	if p.startsDecl() {
		typ := p.typ()
		if isName(p.tok()) && p.peek(1).is("in") {
			return p.forIn(pos, annots, varAnnots, typ)
		}
		init = append(init, p.forVar(varAnnots, typ))
	} else if len(varAnnots) > 0 {
		p.expected("a declaration")
	} else if !p.at(";") {
		init = append(init, p.simpleStmt())
	}
	s := &ForStmt{Annotations: annots}
	s.SetPos(pos)
	for p.got(",") {
		a := p.annotations()
		if p.startsDecl() {
			init = append(init, p.forVar(a, p.typ()))
		} else {
			if len(a) > 0 {
				p.expected("a declaration")
			}
			init = append(init, p.simpleStmt())
		}
	}
	s.Init = init
	p.want(";")
	s.Cond = p.inner(p.expr)
	p.want(";")
	for !p.at(")") && !p.eof() {
		s.Update = append(s.Update, p.simpleStmt())
		if !p.got(",") {
			break
		}
	}
	p.want(")")
	s.Body = p.body()
	return s
}

func (p *parser) forVar(annots []*Annotation, typ Type) Stmt {
	s := &DeclStmt{Decl: p.variable(annots, typ)}
	s.SetPos(typ.Pos())
	return s
}

// forIn parses the rest of for (T x in ...) body.
func (p *parser) forIn(pos Pos, annots, varAnnots []*Annotation, typ Type) Stmt {
	s := &ForInStmt{Annotations: annots, VarAnnots: varAnnots, Type: typ}
	s.SetPos(pos)
	s.Var = p.name("a name")
	p.want("in")
	s.In = p.inner(p.expr)
	if p.at("..") {
		b := &Binary{Op: "..", X: s.In}
		b.SetPos(s.In.Pos())
		p.advance()
		b.Y = p.inner(p.expr)
		s.In = b
	}
	p.want(")")
	p.scope.declare(s.Var, symValue)
	s.Body = p.body()
	return s
}
