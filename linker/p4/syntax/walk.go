package syntax

// Walk visits n and what is below it in the order of the text, parents first. The children of a node are skipped when f
// returns false for it. Annotations are visited, their unstructured bodies (which are tokens) are not.
func Walk(n Node, f func(Node) bool) {
	w := walker{f}
	w.node(n)
}

// Unparen is e without the parentheses around it.
func Unparen(e Expr) Expr {
	for {
		p, ok := e.(*Paren)
		if !ok {
			return e
		}
		e = p.X
	}
}

type walker struct{ f func(Node) bool }

// walkAll visits a list of nodes of one type.
func walkAll[T Node](w walker, list []T) {
	for _, n := range list {
		w.node(n)
	}
}

func (w walker) ident(id *Ident) {
	if id != nil {
		w.f(id)
	}
}

func (w walker) expr(x Expr) {
	if x != nil {
		w.node(x)
	}
}

func (w walker) typ(t Type) {
	if t != nil {
		w.node(t)
	}
}

func (w walker) stmt(s Stmt) {
	if s != nil {
		w.node(s)
	}
}

func (w walker) block(b *Block) {
	if b != nil {
		w.node(b)
	}
}

func (w walker) node(n Node) {
	if n == nil || !w.f(n) {
		return
	}
	switch n := n.(type) {
	case Expr:
		w.exprChildren(n)
	case Type:
		w.typeChildren(n)
	case Stmt:
		w.stmtChildren(n)
	case Decl:
		w.declChildren(n)
	case Property:
		w.propertyChildren(n)
	default:
		w.partChildren(n)
	}
}

func (w walker) exprChildren(n Expr) {
	switch n := n.(type) {
	case *Name:
		w.ident(n.Ident)
	case *Member:
		w.expr(n.X)
		w.ident(n.Sel)
	case *Index:
		w.expr(n.X)
		w.expr(n.I)
	case *Slice:
		w.expr(n.X)
		w.expr(n.Hi)
		w.expr(n.Lo)
	case *PlusSlice:
		w.expr(n.X)
		w.expr(n.Lo)
		w.expr(n.Width)
	case *Unary:
		w.expr(n.X)
	case *Binary:
		w.expr(n.X)
		w.expr(n.Y)
	case *Cond:
		w.expr(n.C)
		w.expr(n.X)
		w.expr(n.Y)
	case *Call:
		w.expr(n.Fun)
		walkAll(w, n.TypeArgs)
		walkAll(w, n.Args)
	case *Cast:
		w.typ(n.To)
		w.expr(n.X)
	case *ListExpr:
		walkAll(w, n.Elems)
	case *StructExpr:
		walkAll(w, n.Fields)
	case *TypeExpr:
		w.typ(n.Type)
	case *Paren:
		w.expr(n.X)
	case *Select:
		walkAll(w, n.Exprs)
		walkAll(w, n.Cases)
	}
}

func (w walker) typeChildren(n Type) {
	switch n := n.(type) {
	case *BaseType:
		w.expr(n.Width)
	case *NamedType:
		w.ident(n.Ident)
	case *SpecializedType:
		if n.Base != nil {
			w.node(n.Base)
		}
		walkAll(w, n.Args)
	case *StackType:
		w.typ(n.Elem)
		w.expr(n.Size)
	case *TupleType:
		walkAll(w, n.Args)
	case *ListType:
		w.typ(n.Elem)
	}
}

func (w walker) stmtChildren(n Stmt) {
	switch n := n.(type) {
	case *DeclStmt:
		if n.Decl != nil {
			w.node(n.Decl)
		}
	case *AssignStmt:
		w.expr(n.LHS)
		w.expr(n.RHS)
	case *CallStmt:
		if n.Call != nil {
			w.node(n.Call)
		}
	case *IfStmt:
		w.expr(n.Cond)
		w.stmt(n.Then)
		w.stmt(n.Else)
	case *Block:
		walkAll(w, n.Annotations)
		walkAll(w, n.Stmts)
	case *SwitchStmt:
		w.expr(n.X)
		walkAll(w, n.Cases)
	case *ForStmt:
		walkAll(w, n.Annotations)
		walkAll(w, n.Init)
		w.expr(n.Cond)
		walkAll(w, n.Update)
		w.stmt(n.Body)
	case *ForInStmt:
		walkAll(w, n.Annotations)
		walkAll(w, n.VarAnnots)
		w.typ(n.Type)
		w.ident(n.Var)
		w.expr(n.In)
		w.stmt(n.Body)
	case *ReturnStmt:
		w.expr(n.Value)
	}
}

func (w walker) declChildren(n Decl) {
	walkAll(w, n.Annots())
	switch n := n.(type) {
	case *ConstDecl:
		w.typ(n.Type)
		w.ident(n.Name)
		w.expr(n.Value)
	case *VarDecl:
		w.typ(n.Type)
		w.ident(n.Name)
		w.expr(n.Init)
	case *InstanceDecl:
		w.typ(n.Type)
		walkAll(w, n.Args)
		w.ident(n.Name)
		walkAll(w, n.Body)
	case *ErrorDecl:
		walkAll(w, n.Members)
	case *MatchKindDecl:
		walkAll(w, n.Members)
	case *StructDecl:
		w.ident(n.Name)
		walkAll(w, n.TypeParams)
		walkAll(w, n.Fields)
	case *EnumDecl:
		w.typ(n.Underlying)
		w.ident(n.Name)
		walkAll(w, n.Members)
	case *TypedefDecl:
		w.typ(n.Type)
		if n.Inner != nil {
			w.node(n.Inner)
		}
		w.ident(n.Name)
	case *ParserDecl:
		w.ident(n.Name)
		walkAll(w, n.TypeParams)
		walkAll(w, n.Params)
		walkAll(w, n.CtorParams)
		walkAll(w, n.Locals)
		walkAll(w, n.States)
	case *ControlDecl:
		w.ident(n.Name)
		walkAll(w, n.TypeParams)
		walkAll(w, n.Params)
		walkAll(w, n.CtorParams)
		walkAll(w, n.Locals)
		w.block(n.Apply)
	case *PackageDecl:
		w.ident(n.Name)
		walkAll(w, n.TypeParams)
		walkAll(w, n.Params)
	case *ExternDecl:
		w.ident(n.Name)
		walkAll(w, n.TypeParams)
		walkAll(w, n.Methods)
	case *FunctionDecl:
		w.typ(n.Result)
		w.ident(n.Name)
		walkAll(w, n.TypeParams)
		walkAll(w, n.Params)
		w.block(n.Body)
	case *ActionDecl:
		w.ident(n.Name)
		walkAll(w, n.Params)
		w.block(n.Body)
	case *TableDecl:
		w.ident(n.Name)
		walkAll(w, n.Properties)
	case *ValueSetDecl:
		w.typ(n.Elem)
		w.expr(n.Size)
		w.ident(n.Name)
	case *StateDecl:
		w.ident(n.Name)
		walkAll(w, n.Body)
		if n.Transition != nil {
			w.node(n.Transition)
		}
	}
}

func (w walker) propertyChildren(n Property) {
	switch n := n.(type) {
	case *KeyProperty:
		walkAll(w, n.Annotations)
		walkAll(w, n.Keys)
	case *ActionsProperty:
		walkAll(w, n.Annotations)
		walkAll(w, n.Actions)
	case *EntriesProperty:
		walkAll(w, n.Annotations)
		walkAll(w, n.Entries)
	case *ExprProperty:
		walkAll(w, n.Annotations)
		w.ident(n.Name)
		w.expr(n.Value)
	}
}

// partChildren is for the nodes that are parts of others.
func (w walker) partChildren(n Node) {
	switch n := n.(type) {
	case *Program:
		walkAll(w, n.Decls)
	case *Annotation:
		walkAll(w, n.Exprs)
		walkAll(w, n.KeyValues)
	case *KeyValue:
		w.ident(n.Key)
		w.expr(n.Value)
	case *Arg:
		w.ident(n.Name)
		w.expr(n.Value)
	case *Param:
		walkAll(w, n.Annotations)
		w.typ(n.Type)
		w.ident(n.Name)
		w.expr(n.Default)
	case *Field:
		walkAll(w, n.Annotations)
		w.typ(n.Type)
		w.ident(n.Name)
	case *EnumMember:
		w.ident(n.Name)
		w.expr(n.Value)
	case *Transition:
		w.ident(n.Next)
		if n.Select != nil {
			w.node(n.Select)
		}
	case *SelectCase:
		w.expr(n.Keyset)
		w.ident(n.Next)
	case *TableKey:
		w.expr(n.Expr)
		w.ident(n.MatchKind)
		walkAll(w, n.Annotations)
	case *ActionRef:
		walkAll(w, n.Annotations)
		w.expr(n.Call)
	case *TableEntry:
		w.expr(n.Priority)
		w.expr(n.Keyset)
		w.expr(n.Action)
		walkAll(w, n.Annotations)
	case *SwitchCase:
		w.expr(n.Label)
		w.block(n.Body)
	}
}
