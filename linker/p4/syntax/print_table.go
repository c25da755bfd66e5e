package syntax

func (pr *printer) property(p Property) {
	switch p := p.(type) {
	case *KeyProperty:
		pr.propertyHead(&p.tableProperty, "key")
		pr.braced(len(p.Keys), func(i int) { pr.tableKey(p.Keys[i]) })
	case *ActionsProperty:
		pr.propertyHead(&p.tableProperty, "actions")
		pr.braced(len(p.Actions), func(i int) {
			pr.actionRef(p.Actions[i])
			pr.w(";")
		})
	case *EntriesProperty:
		pr.propertyHead(&p.tableProperty, "entries")
		pr.braced(len(p.Entries), func(i int) { pr.tableEntry(p.Entries[i]) })
	case *ExprProperty:
		pr.propertyHead(&p.tableProperty, p.Name.Name)
		pr.expr(p.Value, precCond)
		pr.w(";")
	}
}

func (pr *printer) propertyHead(p *tableProperty, name string) {
	pr.inlineAnnots(p.Annotations)
	if p.Const {
		pr.w("const ")
	}
	pr.w(name, " = ")
}

func (pr *printer) tableKey(k *TableKey) {
	pr.expr(k.Expr, precCond)
	pr.w(" : ", k.MatchKind.Name)
	pr.trailingAnnots(k.Annotations)
	pr.w(";")
}

func (pr *printer) actionRef(r *ActionRef) {
	pr.inlineAnnots(r.Annotations)
	pr.expr(r.Call, precPostfix)
}

func (pr *printer) tableEntry(e *TableEntry) {
	if e.Const {
		pr.w("const ")
	}
	if e.Priority != nil {
		pr.w("priority = ")
		pr.width(e.Priority)
		pr.w(" : ")
	}
	pr.expr(e.Keyset, precLowest)
	pr.w(" : ")
	pr.expr(e.Action, precPostfix)
	pr.trailingAnnots(e.Annotations)
	pr.w(";")
}
