package syntax

func (p *parser) tableDecl(annots []*Annotation) Decl {
	d := &TableDecl{}
	d.Annotations = annots
	d.SetPos(p.pos())
	p.want("table")
	first := p.i
	d.Name = p.name("a table's name")
	p.scope.declare(d.Name, symValue)
	open := p.pos()
	p.open()
	if p.panic {
		return d
	}
	p.list("table", open, func() {
		if prop := p.property(); !p.panic {
			d.Properties = append(d.Properties, prop)
		}
	})
	if len(d.Properties) == 0 && p.last < first {
		p.report(d.Name.Pos(), CodeBadProperty, "table %s has no properties", d.Name.Name)
	}
	return d
}

func (p *parser) property() Property {
	base := tableProperty{Annotations: p.annotations()}
	base.SetPos(p.pos())
	base.Const = p.got("const")
	t := p.tok()
	if (t.is("key") || t.is("actions")) && p.peek(1).is("=") {
		if base.Const {
			p.report(base.Pos(), CodeBadProperty, "%s cannot be const", t.text)
		}
		p.noAnnots(base.Annotations, "the property "+t.text)
	}
	switch {
	case t.is("key"):
		k := &KeyProperty{tableProperty: base}
		p.entriesOf("key", func() { k.Keys = appendOK(p, k.Keys, p.tableKey()) })
		return k
	case t.is("actions"):
		a := &ActionsProperty{tableProperty: base}
		p.entriesOf("actions", func() {
			annots := p.annotations()
			r := p.actionRef()
			r.Annotations = annots
			p.want(";")
			a.Actions = appendOK(p, a.Actions, r)
		})
		return a
	case t.is("entries"):
		e := &EntriesProperty{tableProperty: base}
		p.entriesOf("entries", func() { e.Entries = appendOK(p, e.Entries, p.tableEntry()) })
		return e
	}
	e := &ExprProperty{tableProperty: base}
	e.Name = p.name("a table property")
	p.want("=")
	e.Value = p.expr()
	p.want(";")
	return e
}

// appendOK appends x unless it is half parsed.
func appendOK[T any](p *parser, list []T, x T) []T {
	if p.panic {
		return list
	}
	return append(list, x)
}

// entriesOf parses name = { elements }.
func (p *parser) entriesOf(name string, element func()) {
	p.advance()
	p.want("=")
	open := p.pos()
	p.open()
	if !p.panic {
		p.list(name, open, element)
	}
}

func (p *parser) tableKey() *TableKey {
	k := &TableKey{}
	k.SetPos(p.pos())
	k.Expr = p.expr()
	p.want(":")
	k.MatchKind = p.name("a match kind")
	k.Annotations = p.annotations()
	p.want(";")
	return k
}

// actionRef parses [.]action or [.]action(args).
func (p *parser) actionRef() *ActionRef {
	r := &ActionRef{}
	r.SetPos(p.pos())
	n := p.nameExpr()
	r.Call = n
	if p.at("(") {
		c := &Call{Fun: n}
		c.SetPos(n.Pos())
		c.Args = p.args()
		r.Call = c
	}
	return r
}

// tableEntry parses [const] [priority = p :] keyset : action annotations ;
func (p *parser) tableEntry() *TableEntry {
	e := &TableEntry{}
	e.SetPos(p.pos())
	e.Const = p.got("const")
	if p.at("priority") && p.peek(1).is("=") {
		p.advance()
		p.advance()
		if t := p.tok(); t.kind != tInt && !t.is("(") {
			p.expected("a number or an expression in parentheses")
		}
		e.Priority = p.primary()
		p.want(":")
	}
	e.Keyset = p.keyset()
	p.want(":")
	e.Action = p.actionRef().Call
	e.Annotations = p.annotations()
	p.want(";")
	return e
}
