package syntax

import "bytes"

func (pr *printer) typeParams(ids []*Ident) {
	if len(ids) == 0 {
		return
	}
	pr.w("<")
	pr.idents(ids)
	pr.w(">")
}

func (pr *printer) idents(ids []*Ident) {
	for i, id := range ids {
		if i > 0 {
			pr.w(", ")
		}
		pr.w(id.Name)
	}
}

func (pr *printer) params(params []*Param) {
	elems := make([]string, len(params))
	for i, p := range params {
		elems[i] = pr.sub(func(s *printer) { s.param(p) })
	}
	pr.listed("(", ")", elems)
}

func (pr *printer) param(p *Param) {
	pr.inlineAnnots(p.Annotations)
	if p.Dir != NoDir {
		pr.w(string(p.Dir), " ")
	}
	pr.typ(p.Type)
	pr.w(" ", p.Name.Name)
	if p.Default != nil {
		pr.w(" = ")
		pr.expr(p.Default, precCond)
	}
}

func (pr *printer) field(f *Field) {
	pr.inlineAnnots(f.Annotations)
	pr.typ(f.Type)
	pr.w(" ", f.Name.Name, ";")
}

func (pr *printer) enumMember(m *EnumMember) {
	pr.w(m.Name.Name)
	if m.Value != nil {
		pr.w(" = ")
		pr.expr(m.Value, precCond)
	}
}

// decl prints a declaration with its annotations and its semicolon, without a newline at the end.
func (pr *printer) decl(d Decl) {
	switch d.(type) {
	case *VarDecl, *ConstDecl:
		pr.inlineAnnots(d.Annots())
	default:
		pr.annotations(d.Annots())
	}
	pr.bareDecl(d)
}

func (pr *printer) bareDecl(d Decl) {
	switch d := d.(type) {
	case *ConstDecl:
		pr.w("const ")
		pr.typ(d.Type)
		pr.w(" ", d.Name.Name, " = ")
		pr.expr(d.Value, precCond)
		pr.w(";")
	case *VarDecl:
		pr.varDecl(d)
		pr.w(";")
	case *InstanceDecl:
		pr.instance(d)
	case *ErrorDecl:
		pr.w("error ")
		pr.members(d.Members)
	case *MatchKindDecl:
		pr.w("match_kind ")
		pr.members(d.Members)
	case *StructDecl:
		pr.w(d.Kind, " ", d.Name.Name)
		pr.typeParams(d.TypeParams)
		pr.w(" ")
		pr.braced(len(d.Fields), func(i int) { pr.field(d.Fields[i]) })
	case *EnumDecl:
		pr.enum(d)
	case *TypedefDecl:
		pr.typedef(d)
	case *ParserDecl:
		pr.parser(d)
	case *ControlDecl:
		pr.control(d)
	case *PackageDecl:
		pr.w("package ", d.Name.Name)
		pr.typeParams(d.TypeParams)
		pr.params(d.Params)
		pr.w(";")
	case *ExternDecl:
		pr.w("extern ", d.Name.Name)
		pr.typeParams(d.TypeParams)
		pr.w(" ")
		pr.braced(len(d.Methods), func(i int) { pr.decl(d.Methods[i]) })
	case *FunctionDecl:
		pr.function(d)
	case *ActionDecl:
		pr.w("action ", d.Name.Name)
		pr.params(d.Params)
		pr.w(" ")
		pr.block(d.Body)
	case *TableDecl:
		pr.w("table ", d.Name.Name, " ")
		pr.braced(len(d.Properties), func(i int) { pr.property(d.Properties[i]) })
	case *ValueSetDecl:
		pr.w("value_set<")
		pr.typ(d.Elem)
		pr.w(">(")
		pr.expr(d.Size, precCond)
		pr.w(") ", d.Name.Name, ";")
	case *StateDecl:
		pr.state(d)
	}
}

// varDecl prints a variable without its semicolon.
func (pr *printer) varDecl(d *VarDecl) {
	pr.typ(d.Type)
	pr.w(" ", d.Name.Name)
	if d.Init != nil {
		pr.w(" = ")
		pr.expr(d.Init, precCond)
	}
}

func (pr *printer) instance(d *InstanceDecl) {
	// The sizes of an array of instances stand behind its name.
	t, sizes := d.Type, []Expr(nil)
	for {
		s, ok := t.(*StackType)
		if !ok {
			break
		}
		t, sizes = s.Elem, append(sizes, s.Size)
	}
	pr.typ(t)
	pr.args(d.Args)
	pr.w(" ", d.Name.Name)
	for i := len(sizes) - 1; i >= 0; i-- {
		pr.w("[")
		pr.expr(sizes[i], precCond)
		pr.w("]")
	}
	if d.HasBody {
		pr.w(" = ")
		pr.braced(len(d.Body), func(i int) { pr.decl(d.Body[i]) })
	}
	pr.w(";")
}

func (pr *printer) members(ids []*Ident) {
	pr.braced(len(ids), func(i int) {
		pr.w(ids[i].Name)
		if i < len(ids)-1 {
			pr.w(",")
		}
	})
}

func (pr *printer) enum(d *EnumDecl) {
	pr.w("enum ")
	if d.Underlying != nil {
		pr.typ(d.Underlying)
		pr.w(" ")
	}
	pr.w(d.Name.Name, " ")
	pr.braced(len(d.Members), func(i int) {
		pr.enumMember(d.Members[i])
		if i < len(d.Members)-1 {
			pr.w(",")
		}
	})
}

func (pr *printer) typedef(d *TypedefDecl) {
	if d.New {
		pr.w("type ")
	} else {
		pr.w("typedef ")
	}
	if d.Inner != nil {
		pr.decl(d.Inner)
	} else {
		pr.typ(d.Type)
	}
	pr.w(" ", d.Name.Name, ";")
}

func (pr *printer) function(d *FunctionDecl) {
	if d.Extern {
		pr.w("extern ")
	}
	if d.Abstract {
		pr.w("abstract ")
	}
	if d.Result != nil {
		pr.typ(d.Result)
		pr.w(" ")
	}
	pr.w(d.Name.Name)
	pr.typeParams(d.TypeParams)
	pr.params(d.Params)
	if d.Body == nil {
		pr.w(";")
		return
	}
	pr.w(" ")
	pr.block(d.Body)
}

func (pr *printer) parser(d *ParserDecl) {
	pr.w("parser ", d.Name.Name)
	pr.typeParams(d.TypeParams)
	pr.params(d.Params)
	if d.Proto {
		pr.w(";")
		return
	}
	if d.CtorParams != nil {
		pr.params(d.CtorParams)
	}
	pr.w(" ")
	n := len(d.Locals)
	pr.braced(n+len(d.States), func(i int) {
		if i < n {
			pr.decl(d.Locals[i])
			return
		}
		if i > 0 {
			pr.gap()
		}
		pr.decl(d.States[i-n])
	})
}

// gap puts an empty line before the current one, which is empty so far.
func (pr *printer) gap() {
	pr.b.Truncate(len(bytes.TrimRight(pr.b.Bytes(), " ")))
	pr.nl()
}

func (pr *printer) control(d *ControlDecl) {
	pr.w("control ", d.Name.Name)
	pr.typeParams(d.TypeParams)
	pr.params(d.Params)
	if d.Proto {
		pr.w(";")
		return
	}
	if d.CtorParams != nil {
		pr.params(d.CtorParams)
	}
	pr.w(" ")
	n := len(d.Locals)
	pr.braced(n+1, func(i int) {
		switch {
		case i == n:
			if i > 0 {
				pr.gap()
			}
			pr.w("apply ")
			pr.block(d.Apply)
		default:
			if i > 0 && (tall(d.Locals[i]) || tall(d.Locals[i-1])) {
				pr.gap()
			}
			pr.decl(d.Locals[i])
		}
	})
}

// tall reports whether a local declaration takes several lines and deserves air around it.
func tall(d Decl) bool {
	switch d := d.(type) {
	case *ActionDecl, *TableDecl:
		return true
	case *InstanceDecl:
		return d.HasBody
	}
	return false
}

func (pr *printer) state(s *StateDecl) {
	pr.w("state ", s.Name.Name, " ")
	n := len(s.Body)
	m := n
	if s.Transition != nil {
		m++
	}
	pr.braced(m, func(i int) {
		if i < n {
			pr.stmt(s.Body[i])
		} else {
			pr.transition(s.Transition)
		}
	})
}

func (pr *printer) transition(t *Transition) {
	pr.w("transition ")
	if t.Select == nil {
		pr.w(t.Next.Name, ";")
		return
	}
	pr.selectExpr(t.Select)
}

func (pr *printer) selectExpr(s *Select) {
	elems := make([]string, len(s.Exprs))
	for i, e := range s.Exprs {
		elems[i] = pr.sub(func(s *printer) { s.expr(e, precCond) })
	}
	pr.listed("select(", ")", elems)
	pr.w(" ")
	pr.braced(len(s.Cases), func(i int) { pr.selectCase(s.Cases[i]) })
}

func (pr *printer) selectCase(c *SelectCase) {
	pr.expr(c.Keyset, precLowest)
	pr.w(": ", c.Next.Name, ";")
}
