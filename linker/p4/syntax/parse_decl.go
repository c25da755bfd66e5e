package syntax

// topDecl parses a declaration of the top level; nil after an error that leaves nothing.
func (p *parser) topDecl() Decl {
	annots := p.annotations()
	t := p.tok()
	if t.kind == tEOF && !p.panic {
		p.fail(t.pos, CodeBadAnnotation, "annotations with nothing after them")
		return nil
	}
	if t.kind == tKeyword {
		switch t.text {
		case "const":
			return p.constDecl(annots)
		case "extern":
			return p.externDecl(annots)
		case "action":
			return p.actionDecl(annots)
		case "parser":
			return p.parserDecl(annots)
		case "control":
			return p.controlDecl(annots)
		case "package":
			return p.packageDecl(annots)
		case "struct", "header", "header_union":
			return p.structDecl(annots)
		case "enum":
			return p.enumDecl(annots)
		case "typedef", "type":
			return p.typedefDecl(annots)
		case "error":
			if p.peek(1).is("{") {
				return p.errorDecl(annots)
			}
		case "match_kind":
			if p.peek(1).is("{") {
				return p.matchKindDecl(annots)
			}
		case "void":
			return p.function(annots, p.void())
		case "table", "state", "value_set", "transition", "apply", "if", "switch", "return":
			p.fail(t.pos, CodeMisplaced, "%s is not allowed at the top level", t.text)
			return nil
		}
	}
	if next := p.peek(1); t.kind == tIdent && topOnly(next) && !next.bol {
		p.report(t.pos, CodeUnexpected, "expected a declaration, found %s", t.describe())
		p.lost = true
		p.advance()
		return p.topDecl()
	}
	if t.kind == tBad {
		p.fail(t.pos, CodeBadChar, "unexpected character %q", t.text)
		return nil
	}
	if t.kind != tIdent && !t.is(".") && !p.startsType(0) && !t.is("error") {
		p.expected("a declaration")
		return nil
	}
	typ := p.resultType()
	if p.at("(") {
		p.checkResult(typ)
		return p.instance(annots, typ)
	}
	if next := p.peek(1); isName(p.tok()) && (next.is("=") || next.is(";")) {
		p.checkResult(typ)
		p.fail(p.pos(), CodeMisplaced, "variables cannot be declared at the top level; constants start with const")
		return nil
	}
	return p.function(annots, typ)
}

// resultType parses the type in front of a function's name. It may be one of the function's own type parameters, so
// that an unknown name is accepted until they are read: see checkResult.
func (p *parser) resultType() Type {
	switch t := p.tok(); {
	case t.is("void"):
		return p.void()
	case t.kind == tIdent && !p.isType(0, false):
		n := p.typeName()
		typ := p.specialized(n)
		for depth := 0; p.at("["); depth++ {
			typ = p.stack(typ)
			if depth > maxDepth {
				p.fail(p.pos(), CodeTooDeep, "nested more than %d deep", maxDepth)
			}
		}
		return typ
	}
	return p.typ()
}

// checkResult reports a result type that is not declared even in the function's own scope.
func (p *parser) checkResult(t Type) {
	for {
		switch x := t.(type) {
		case *StackType:
			t = x.Elem
			continue
		case *SpecializedType:
			t = x.Base
			continue
		case *NamedType:
			if x.Ident.Name != "" && p.scope.lookup(x.Ident.Name, x.Absolute) == symUnknown {
				p.unknownType(x)
			}
		}
		return
	}
}

// signature parses name<type parameters>(parameters) and opens the function's scope; the caller closes it.
func (p *parser) signature(f *FunctionDecl) {
	f.Name = p.name("a function's name")
	sym := symValue
	if p.at("<") {
		sym = symGeneric
	}
	p.scope.declare(f.Name, sym)
	p.scope.push()
	f.TypeParams = p.typeParams()
	p.checkResult(f.Result)
	f.Params = p.params()
}

// function parses a function with its body.
func (p *parser) function(annots []*Annotation, result Type) Decl {
	f := &FunctionDecl{Result: result}
	f.Annotations = annots
	f.SetPos(result.Pos())
	depth := len(p.scope.stack)
	p.signature(f)
	if p.at(";") {
		p.fail(p.pos(), CodeUnexpected, "function %s has no body; only extern functions have none", f.Name.Name)
	}
	f.Body = p.block(nil, false)
	p.scope.stack = p.scope.stack[:depth]
	return f
}

func (p *parser) externDecl(annots []*Annotation) Decl {
	pos := p.pos()
	depth := len(p.scope.stack)
	p.want("extern")
	if isName(p.tok()) && !p.isType(0, false) && (p.peek(1).is("{") || p.peek(1).is("<") && p.externObject()) ||
		p.isType(0, false) && p.peek(1).is("{") {
		return p.externObjectDecl(annots, pos)
	}
	f := &FunctionDecl{Extern: true}
	f.Annotations = annots
	f.SetPos(pos)
	f.Result = p.resultType()
	p.signature(f)
	p.scope.stack = p.scope.stack[:depth]
	p.want(";")
	return f
}

// externObject tells extern E<T> { from extern R<T> f(...); by what follows the >.
func (p *parser) externObject() bool {
	depth := 0
	for n := 1; ; n++ {
		switch t := p.peek(n); {
		case t.is("<"):
			depth++
		case t.is(">"):
			if depth--; depth == 0 {
				return p.peek(n + 1).is("{")
			}
		case t.kind == tEOF, t.is(";"), t.is("{"), t.is("("):
			return false
		}
	}
}

func (p *parser) externObjectDecl(annots []*Annotation, pos Pos) Decl {
	d := &ExternDecl{}
	d.Annotations = annots
	d.SetPos(pos)
	d.Name = p.name("an extern's name")
	p.declareType(d.Name)
	p.scope.push()
	depth := len(p.scope.stack)
	d.TypeParams = p.typeParams()
	open := p.pos()
	p.open()
	if !p.panic {
		p.list("extern", open, func() {
			p.scope.stack = p.scope.stack[:depth]
			if m := p.method(d.Name); m != nil && !p.panic {
				d.Methods = append(d.Methods, m)
			}
		})
	}
	p.scope.stack = p.scope.stack[:depth-1]
	return d
}

// method parses a method or constructor of the extern object named by object.
func (p *parser) method(object *Ident) *FunctionDecl {
	f := &FunctionDecl{}
	f.Annotations = p.annotations()
	f.SetPos(p.pos())
	f.Abstract = p.got("abstract")
	depth := len(p.scope.stack)
	if isName(p.tok()) && p.peek(1).is("(") {
		f.Ctor = true
		f.Name = p.name("a constructor's name")
		if f.Name.Name != object.Name {
			p.report(f.Name.Pos(), CodeBadCtor, "constructor %s in extern %s: methods need a result type", f.Name.Name, object.Name)
		}
		if f.Abstract {
			p.report(f.Pos(), CodeBadCtor, "a constructor cannot be abstract")
		}
		p.scope.push()
		f.Params = p.params()
	} else {
		f.Result = p.resultType()
		p.signature(f)
	}
	p.scope.stack = p.scope.stack[:depth]
	p.want(";")
	return f
}

func (p *parser) packageDecl(annots []*Annotation) Decl {
	d := &PackageDecl{}
	d.Annotations = annots
	d.SetPos(p.pos())
	p.want("package")
	d.Name = p.name("a package's name")
	p.declareType(d.Name)
	p.scope.push()
	d.TypeParams = p.typeParams()
	d.Params = p.params()
	p.scope.pop()
	p.want(";")
	return d
}

// structDecl parses a struct, header or header union.
func (p *parser) structDecl(annots []*Annotation) *StructDecl {
	d := &StructDecl{Kind: p.tok().text}
	d.Annotations = annots
	d.SetPos(p.pos())
	p.advance()
	d.Name = p.name("the " + d.Kind + "'s name")
	p.declareType(d.Name)
	p.scope.push()
	depth := len(p.scope.stack)
	d.TypeParams = p.typeParams()
	open := p.pos()
	p.open()
	if !p.panic {
		p.list(d.Kind, open, func() {
			f := &Field{Annotations: p.annotations()}
			f.SetPos(p.pos())
			f.Type, f.Name = p.declarator(p.typ(), "a field's name")
			p.want(";")
			if !p.panic {
				d.Fields = append(d.Fields, f)
			}
		})
	}
	p.scope.stack = p.scope.stack[:depth-1]
	return d
}

func (p *parser) enumDecl(annots []*Annotation) *EnumDecl {
	d := &EnumDecl{}
	d.Annotations = annots
	d.SetPos(p.pos())
	p.want("enum")
	if !isName(p.tok()) || !p.peek(1).is("{") {
		d.Underlying = p.typ()
	}
	d.Name = p.name("an enum's name")
	p.declareType(d.Name)
	p.open()
	for !p.eof() {
		m := &EnumMember{}
		m.SetPos(p.pos())
		m.Name = p.name("a member's name")
		if d.Underlying != nil {
			p.want("=")
			m.Value = p.expr()
		} else if p.at("=") {
			p.fail(p.pos(), CodeUnexpected, "only an enum with an underlying type gives its members values: enum bit<8> %s", d.Name.Name)
		}
		d.Members = append(d.Members, m)
		if !p.got(",") || p.at("}") {
			break
		}
	}
	p.want("}")
	return d
}

// members parses { A, B }, with a comma at the end if trailing.
func (p *parser) members(trailing bool) []*Ident {
	var ids []*Ident
	p.want("{")
	for !p.eof() {
		ids = append(ids, p.name("a member's name"))
		if !p.got(",") || trailing && p.at("}") {
			break
		}
	}
	p.want("}")
	return ids
}

func (p *parser) noAnnots(annots []*Annotation, what string) {
	if len(annots) > 0 {
		p.report(annots[0].Pos(), CodeBadAnnotation, "annotations are not allowed on %s", what)
	}
}

func (p *parser) errorDecl(annots []*Annotation) Decl {
	p.noAnnots(annots, "error declarations")
	d := &ErrorDecl{}
	d.SetPos(p.pos())
	p.want("error")
	d.Members = p.members(false)
	return d
}

func (p *parser) matchKindDecl(annots []*Annotation) Decl {
	p.noAnnots(annots, "match_kind declarations")
	d := &MatchKindDecl{}
	d.SetPos(p.pos())
	p.want("match_kind")
	d.Members = p.members(true)
	return d
}

func (p *parser) typedefDecl(annots []*Annotation) Decl {
	d := &TypedefDecl{New: p.at("type")}
	d.Annotations = annots
	d.SetPos(p.pos())
	p.advance()
	inner := p.annotations()
	switch t := p.tok(); {
	case !d.New && (t.is("struct") || t.is("header") || t.is("header_union")):
		d.Inner = p.structDecl(inner)
	case !d.New && t.is("enum"):
		d.Inner = p.enumDecl(inner)
	default:
		p.noAnnots(inner, "a type that is only named")
		d.Type = p.typ()
	}
	if d.Inner != nil {
		d.Name = p.name("a type's name")
	} else {
		d.Type, d.Name = p.declarator(d.Type, "a type's name")
	}
	p.declareType(d.Name)
	p.want(";")
	return d
}

func (p *parser) actionDecl(annots []*Annotation) Decl {
	d := &ActionDecl{}
	d.Annotations = annots
	d.SetPos(p.pos())
	p.want("action")
	d.Name = p.name("an action's name")
	p.scope.declare(d.Name, symValue)
	p.scope.push()
	depth := len(p.scope.stack)
	d.Params = p.params()
	d.Body = p.block(nil, false)
	p.scope.stack = p.scope.stack[:depth-1]
	return d
}

func (p *parser) controlDecl(annots []*Annotation) Decl {
	d := &ControlDecl{}
	d.Annotations = annots
	d.SetPos(p.pos())
	p.want("control")
	first := p.i
	d.Name = p.name("a control's name")
	p.declareType(d.Name)
	p.scope.push()
	depth := len(p.scope.stack)
	defer func() { p.scope.stack = p.scope.stack[:depth-1] }()
	d.TypeParams = p.typeParams()
	d.Params = p.params()
	if p.got(";") {
		d.Proto = true
		return d
	}
	if p.at("(") {
		d.CtorParams = p.params()
	}
	open := p.pos()
	p.open()
	if p.panic {
		return d
	}
	p.list("control", open, func() {
		p.scope.stack = p.scope.stack[:depth]
		if d.Apply != nil {
			p.fail(p.pos(), CodeMisplaced, "expected } after the apply block: declarations stand before it")
			return
		}
		if p.at("apply") && !p.peek(1).is("(") {
			p.advance()
			d.Apply = p.block(p.annotations(), false)
			return
		}
		if l := p.controlLocal(); l != nil && !p.panic {
			d.Locals = append(d.Locals, l)
		}
	})
	if d.Apply == nil && p.last < first && !p.atRest() {
		p.report(d.Name.Pos(), CodeNoApply, "control %s has no apply block", d.Name.Name)
	}
	return d
}

func (p *parser) controlLocal() Decl {
	annots := p.annotations()
	switch t := p.tok(); {
	case t.is("action"):
		return p.actionDecl(annots)
	case t.is("table"):
		return p.tableDecl(annots)
	case t.is("state"), t.is("value_set"):
		p.fail(t.pos, CodeMisplaced, "%s belongs into a parser", t.text)
		return nil
	}
	if d := p.localDecl(annots, false); d != nil || p.panic {
		return d
	}
	if len(annots) > 0 || p.tok().kind == tPunct {
		p.expected("a declaration")
		return nil
	}
	p.fail(p.pos(), CodeMisplaced, "expected a declaration or apply, found %s: statements belong into the apply block", p.tok().describe())
	return nil
}
