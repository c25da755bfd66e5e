package syntax

func (pr *printer) block(b *Block) {
	pr.inlineAnnots(b.Annotations)
	pr.braced(len(b.Stmts), func(i int) { pr.stmt(b.Stmts[i]) })
}

// stmt prints a statement with its semicolon, without a newline at the end.
func (pr *printer) stmt(s Stmt) {
	switch s := s.(type) {
	case *DeclStmt, *AssignStmt, *CallStmt:
		pr.simpleStmt(s)
		switch d := s.(type) {
		case *DeclStmt:
			if _, ok := d.Decl.(*VarDecl); ok {
				pr.w(";")
			}
		default:
			pr.w(";")
		}
	case *IfStmt:
		pr.ifStmt(s)
	case *Block:
		pr.block(s)
	case *SwitchStmt:
		pr.w("switch (")
		pr.expr(s.X, precCond)
		pr.w(") ")
		pr.braced(len(s.Cases), func(i int) { pr.switchCase(s.Cases[i]) })
	case *ForStmt:
		pr.inlineAnnots(s.Annotations)
		pr.w("for (")
		pr.simpleList(s.Init)
		pr.w("; ")
		pr.expr(s.Cond, precCond)
		pr.w("; ")
		pr.simpleList(s.Update)
		pr.w(")")
		pr.body(s.Body)
	case *ForInStmt:
		pr.inlineAnnots(s.Annotations)
		pr.w("for (")
		pr.inlineAnnots(s.VarAnnots)
		if s.Type != nil {
			pr.typ(s.Type)
			pr.w(" ")
		}
		pr.w(s.Var.Name, " in ")
		pr.expr(s.In, precLowest)
		pr.w(")")
		pr.body(s.Body)
	case *ReturnStmt:
		pr.w("return")
		if s.Value != nil {
			pr.w(" ")
			pr.expr(s.Value, precCond)
		}
		pr.w(";")
	case *ExitStmt:
		pr.w("exit;")
	case *BreakStmt:
		pr.w("break;")
	case *ContinueStmt:
		pr.w("continue;")
	case *EmptyStmt:
		pr.w(";")
	}
}

// simpleStmt prints what may stand in the head of a for, without a semicolon if the statement has one of its own.
func (pr *printer) simpleStmt(s Stmt) {
	switch s := s.(type) {
	case *DeclStmt:
		if v, ok := s.Decl.(*VarDecl); ok {
			pr.inlineAnnots(v.Annotations)
			pr.varDecl(v)
			return
		}
		pr.decl(s.Decl)
	case *AssignStmt:
		pr.expr(s.LHS, precPostfix)
		pr.w(" ", string(s.Op), " ")
		pr.expr(s.RHS, precCond)
	case *CallStmt:
		pr.expr(s.Call, precPostfix)
	}
}

func (pr *printer) simpleList(list []Stmt) {
	for i, s := range list {
		if i > 0 {
			pr.w(", ")
		}
		pr.simpleStmt(s)
	}
}

func (pr *printer) ifStmt(s *IfStmt) {
	pr.w("if (")
	pr.expr(s.Cond, precCond)
	pr.w(")")
	then := s.Then
	if s.Else != nil && endsInIf(then) {
		// Without braces the else would belong to the inner if.
		then = &Block{Stmts: []Stmt{then}}
	}
	pr.body(then)
	if s.Else == nil {
		return
	}
	if _, ok := then.(*Block); ok {
		pr.w(" else")
	} else {
		pr.nl()
		pr.w("else")
	}
	if e, ok := s.Else.(*IfStmt); ok {
		pr.w(" ")
		pr.ifStmt(e)
		return
	}
	pr.body(s.Else)
}

// endsInIf reports whether an else after s would be taken by an if inside s.
func endsInIf(s Stmt) bool {
	for {
		switch x := s.(type) {
		case *IfStmt:
			if x.Else == nil {
				return true
			}
			s = x.Else
		case *ForStmt:
			s = x.Body
		case *ForInStmt:
			s = x.Body
		default:
			return false
		}
	}
}

// body prints the statement that an if or a loop governs: a block on the same line, anything else on the next.
func (pr *printer) body(s Stmt) {
	if b, ok := s.(*Block); ok {
		pr.w(" ")
		pr.block(b)
		return
	}
	pr.level++
	pr.nl()
	pr.stmt(s)
	pr.level--
}

func (pr *printer) switchCase(c *SwitchCase) {
	pr.expr(c.Label, precCond)
	pr.w(":")
	if c.Body != nil {
		pr.w(" ")
		pr.block(c.Body)
	}
}
