package syntax

func (p *parser) parserDecl(annots []*Annotation) Decl {
	d := &ParserDecl{}
	d.Annotations = annots
	d.SetPos(p.pos())
	p.want("parser")
	first := p.i
	d.Name = p.name("a parser's name")
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
	p.list("parser", open, func() {
		p.scope.stack = p.scope.stack[:depth]
		annots := p.annotations()
		if p.at("state") {
			if s := p.state(annots); !p.panic {
				d.States = append(d.States, s)
			}
			return
		}
		pos := p.pos()
		l := p.parserLocal(annots)
		if l != nil && !p.panic {
			if len(d.States) > 0 {
				p.report(pos, CodeMisplaced, "declarations stand before the first state")
			}
			d.Locals = append(d.Locals, l)
		}
	})
	if len(d.States) == 0 && p.last < first && !p.atRest() {
		p.report(d.Name.Pos(), CodeNoStates, "parser %s has no state", d.Name.Name)
	}
	return d
}

func (p *parser) parserLocal(annots []*Annotation) Decl {
	t := p.tok()
	switch {
	case t.is("value_set"):
		return p.valueSetDecl(annots)
	case t.is("action"), t.is("table"), t.is("apply"):
		p.fail(t.pos, CodeMisplaced, "%s belongs into a control", t.text)
		return nil
	}
	if d := p.localDecl(annots, false); d != nil || p.panic {
		return d
	}
	p.expected("a state or a declaration")
	return nil
}

func (p *parser) valueSetDecl(annots []*Annotation) Decl {
	d := &ValueSetDecl{}
	d.Annotations = annots
	d.SetPos(p.pos())
	p.want("value_set")
	p.want("<")
	d.Elem = p.typ()
	p.want(">")
	p.want("(")
	d.Size = p.inner(p.expr)
	p.want(")")
	d.Name = p.name("a value set's name")
	p.want(";")
	p.scope.declare(d.Name, symValue)
	return d
}

func (p *parser) state(annots []*Annotation) *StateDecl {
	s := &StateDecl{}
	s.Annotations = annots
	s.SetPos(p.pos())
	p.want("state")
	s.Name = p.name("a state's name")
	open := p.pos()
	p.open()
	if p.panic {
		return s
	}
	p.scope.push()
	depth := len(p.scope.stack)
	p.list("state", open, func() {
		p.scope.stack = p.scope.stack[:depth]
		if s.Transition != nil {
			p.fail(p.pos(), CodeMisplaced, "expected } after the transition")
			return
		}
		if p.at("transition") {
			s.Transition = p.transition()
			return
		}
		if st := p.stmt(true); st != nil && !p.panic {
			s.Body = append(s.Body, st)
		}
	})
	p.scope.stack = p.scope.stack[:depth-1]
	return s
}

func (p *parser) transition() *Transition {
	t := &Transition{}
	t.SetPos(p.pos())
	p.want("transition")
	if !p.at("select") {
		t.Next = p.name("a state's name")
		p.want(";")
		return t
	}
	sel := &Select{}
	sel.SetPos(p.pos())
	t.Select = sel
	p.want("select")
	p.want("(")
	for !p.at(")") && !p.eof() {
		sel.Exprs = append(sel.Exprs, p.inner(p.expr))
		if !p.got(",") {
			break
		}
	}
	p.want(")")
	open := p.pos()
	p.open()
	if p.panic {
		return t
	}
	p.list("select", open, func() {
		c := &SelectCase{}
		c.SetPos(p.pos())
		c.Keyset = p.keyset()
		p.want(":")
		c.Next = p.name("a state's name")
		p.want(";")
		if !p.panic {
			sel.Cases = append(sel.Cases, c)
		}
	})
	return t
}
