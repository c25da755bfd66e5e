package syntax

import "math/big"

// A Node is any part of the tree. Nodes are identified by pointer: the type checker's results are maps keyed by node, so a
// tree is never shared between two places.
type Node interface {
	// Pos is where the node's text starts.
	Pos() Pos
	// SetPos moves the node; only parsers and rewriters call it.
	SetPos(Pos)
}

type node struct{ pos Pos }

func (n *node) Pos() Pos     { return n.pos }
func (n *node) SetPos(p Pos) { n.pos = p }

// Program is a whole translation unit after preprocessing.
type Program struct {
	node
	Decls []Decl
	// Comments are those of the text in force, in the order in which they are read; those in directives are left out. See
	// Doc for the ones that belong to a declaration.
	Comments []Comment

	lines lineMap // of all files read
}

// Ident is a simple name, declared or used.
type Ident struct {
	node
	Name string
}

// ---- Annotations

// Annotation is @name, @name(...) or @name[...].
type Annotation struct {
	node
	Name string
	// Structured is true for @name[...]: then exactly one of Exprs and KeyValues is used.
	Structured bool
	Exprs      []Expr
	KeyValues  []*KeyValue
	// Body holds the tokens of an unstructured @name(...), as text; HasBody tells @name() from @name.
	// Tokens of well-known annotations (@name("x"), @id(1), ...) are read from Body by their users.
	Body    []Token
	HasBody bool
}

// KeyValue is one key = expression of a structured annotation.
type KeyValue struct {
	node
	Key   *Ident
	Value Expr
}

// ---- Expressions

// Expr is an expression. A type in expression position (error.X, E.A, bit<8>(x)'s callee) is a *TypeExpr.
type Expr interface {
	Node
	expr()
}

type expression struct{ node }

func (*expression) expr() {}

type (
	// Name is x or .x (Absolute).
	Name struct {
		expression
		Ident    *Ident
		Absolute bool
	}
	// BoolLit is true or false.
	BoolLit struct {
		expression
		Value bool
	}
	// IntLit is an integer literal. Width is 0 for an arbitrary-precision int.
	IntLit struct {
		expression
		Text   string // as written
		Value  *big.Int
		Width  int
		Signed bool // the s of 8s5
	}
	// StringLit holds the unescaped value; Text is as written, quotes included.
	StringLit struct {
		expression
		Text  string
		Value string
	}
	// Member is X.Sel. X may be a *TypeExpr.
	Member struct {
		expression
		X   Expr
		Sel *Ident
	}
	// Index is X[I].
	Index struct {
		expression
		X, I Expr
	}
	// Slice is X[Hi:Lo].
	Slice struct {
		expression
		X, Hi, Lo Expr
	}
	// PlusSlice is X[Lo +: Width].
	PlusSlice struct {
		expression
		X, Lo, Width Expr
	}
	// Unary is Op X, with Op one of ! ~ - +.
	Unary struct {
		expression
		Op Op
		X  Expr
	}
	// Binary is X Op Y; &&& (mask) and .. (range) are binary operators too.
	Binary struct {
		expression
		Op   Op
		X, Y Expr
	}
	// Cond is C ? X : Y.
	Cond struct {
		expression
		C, X, Y Expr
	}
	// Call is Fun<TypeArgs>(Args): a function, method, action or constructor call. Fun is a *Name, a *Member or a *TypeExpr.
	Call struct {
		expression
		Fun      Expr
		TypeArgs []Type
		Args     []*Arg
	}
	// Cast is (To) X.
	Cast struct {
		expression
		To Type
		X  Expr
	}
	// ListExpr is { a, b, c }, or a tuple in a keyset when Paren is true: (a, b). Dots marks a trailing "...". A keyset
	// (a) of one element is a *Paren.
	ListExpr struct {
		expression
		Elems []Expr
		Paren bool
		Dots  bool
	}
	// StructExpr is { a = x, b = y } or, with Dots, { a = x, ... }.
	StructExpr struct {
		expression
		Fields []*Arg
		Dots   bool
	}
	// InvalidExpr is {#}, an invalid header or header union.
	InvalidExpr struct{ expression }
	// DotsExpr is ... as an initializer or argument default.
	DotsExpr struct{ expression }
	// DefaultExpr is the keyset "default".
	DefaultExpr struct{ expression }
	// DontCare is _ as a keyset or argument.
	DontCare struct{ expression }
	// This is the this keyword in an abstract method's implementation.
	This struct{ expression }
	// TypeExpr is a type where an expression stands.
	TypeExpr struct {
		expression
		Type Type
	}
	// Paren keeps (X): needed for printing what was written.
	Paren struct {
		expression
		X Expr
	}
)

// Arg is an argument or a field initializer; Name is nil if positional.
type Arg struct {
	node
	Name  *Ident
	Value Expr
}

// Op is an operator as it is written.
type Op string

// ---- Types

// Type is a type as written.
type Type interface {
	Node
	typ()
}

type typeNode struct{ node }

func (*typeNode) typ() {}

type (
	// BaseType is bool, error, match_kind, string, int, void, or bit/int/varbit with a Width (nil: bit alone is bit<1>,
	// int alone is arbitrary precision). Kind is the keyword; for int<W> it is "int" with a Width.
	BaseType struct {
		typeNode
		Kind  string
		Width Expr
	}
	// NamedType is a type name, perhaps absolute.
	NamedType struct {
		typeNode
		Ident    *Ident
		Absolute bool
	}
	// SpecializedType is Base<Args>.
	SpecializedType struct {
		typeNode
		Base *NamedType
		Args []Type
	}
	// StackType is Elem[Size].
	StackType struct {
		typeNode
		Elem Type
		Size Expr
	}
	// TupleType is tuple<Args>.
	TupleType struct {
		typeNode
		Args []Type
	}
	// ListType is list<Elem>.
	ListType struct {
		typeNode
		Elem Type
	}
	// DontCareType is _ as a type argument.
	DontCareType struct{ typeNode }
)

// ---- Declarations

// Decl is a declaration, at top level or inside a parser, control, extern or block.
type Decl interface {
	Node
	// DeclName is nil for declarations without a name (error, match_kind).
	DeclName() *Ident
	// Annots are the annotations written before it.
	Annots() []*Annotation
	decl()
}

type declaration struct {
	node
	Name        *Ident
	Annotations []*Annotation
}

func (d *declaration) DeclName() *Ident      { return d.Name }
func (d *declaration) Annots() []*Annotation { return d.Annotations }
func (*declaration) decl()                   {}

// Direction of a parameter; the empty one is directionless.
type Direction string

// Directions.
const (
	NoDir Direction = ""
	In    Direction = "in"
	Out   Direction = "out"
	InOut Direction = "inout"
)

// Param is a parameter of anything callable, or a constructor parameter.
type Param struct {
	node
	Annotations []*Annotation
	Dir         Direction
	Type        Type
	Name        *Ident
	Default     Expr // nil if none
}

// Field of a struct, header or header union.
type Field struct {
	node
	Annotations []*Annotation
	Type        Type
	Name        *Ident
}

type (
	// ConstDecl is const T x = e;
	ConstDecl struct {
		declaration
		Type  Type
		Value Expr
	}
	// VarDecl is T x; or T x = e;
	VarDecl struct {
		declaration
		Type Type
		Init Expr
	}
	// InstanceDecl is T(args) x; or, with abstract methods, T(args) x = { ... };
	InstanceDecl struct {
		declaration
		Type    Type
		Args    []*Arg
		HasBody bool
		Body    []Decl // *FunctionDecl and *InstanceDecl
	}
	// ErrorDecl is error { A, B }.
	ErrorDecl struct {
		declaration
		Members []*Ident
	}
	// MatchKindDecl is match_kind { exact, lpm }.
	MatchKindDecl struct {
		declaration
		Members []*Ident
	}
	// StructDecl, HeaderDecl and UnionDecl differ by Kind: "struct", "header", "header_union".
	StructDecl struct {
		declaration
		Kind       string
		TypeParams []*Ident
		Fields     []*Field
	}
	// EnumDecl is enum E {...} or, with an underlying type, enum T E { A = e, ... }.
	EnumDecl struct {
		declaration
		Underlying Type
		Members    []*EnumMember
	}
	// TypedefDecl is typedef T x; or, when New, type T x;
	TypedefDecl struct {
		declaration
		Type Type // a derived declaration inside a typedef is in Inner
		New  bool
		// Inner is set, and Type nil, for typedef struct S {...} T;
		Inner Decl
	}
	// ParserDecl is a parser, or a parser type declaration when Proto.
	ParserDecl struct {
		declaration
		TypeParams []*Ident
		Params     []*Param
		CtorParams []*Param
		Proto      bool
		Locals     []Decl
		States     []*StateDecl
	}
	// ControlDecl is a control, or a control type declaration when Proto.
	ControlDecl struct {
		declaration
		TypeParams []*Ident
		Params     []*Param
		CtorParams []*Param
		Proto      bool
		Locals     []Decl
		Apply      *Block
	}
	// PackageDecl is package P<T>(params);
	PackageDecl struct {
		declaration
		TypeParams []*Ident
		Params     []*Param
	}
	// ExternDecl is an extern object with its constructors and methods.
	ExternDecl struct {
		declaration
		TypeParams []*Ident
		Methods    []*FunctionDecl
	}
	// FunctionDecl is a function, an extern function (Extern), or a method or constructor of an extern object
	// (Ctor: Result is nil). Body is nil for prototypes.
	FunctionDecl struct {
		declaration
		Extern, Abstract, Ctor bool
		Result                 Type
		TypeParams             []*Ident
		Params                 []*Param
		Body                   *Block
	}
	// ActionDecl is an action.
	ActionDecl struct {
		declaration
		Params []*Param
		Body   *Block
	}
	// TableDecl is a table; properties keep their order.
	TableDecl struct {
		declaration
		Properties []Property
	}
	// ValueSetDecl is value_set<T>(size) x;
	ValueSetDecl struct {
		declaration
		Elem Type
		Size Expr
	}
	// StateDecl is a parser state. Transition is nil if none was written (then it is reject).
	StateDecl struct {
		declaration
		Body       []Stmt
		Transition *Transition
	}
	// MethodProto appears nowhere in source; an extern method is a FunctionDecl.
)

// EnumMember is A or A = e.
type EnumMember struct {
	node
	Name  *Ident
	Value Expr
}

// Transition ends a state: to Next, or by Select.
type Transition struct {
	node
	Next   *Ident
	Select *Select
}

// Select is select (Exprs) { cases }.
type Select struct {
	expression
	Exprs []Expr
	Cases []*SelectCase
}

// SelectCase is keyset : state. A tuple keyset is a *ListExpr with Paren.
type SelectCase struct {
	node
	Keyset Expr
	Next   *Ident
}

// ---- Table properties

// Property of a table.
type Property interface {
	Node
	property()
}

type tableProperty struct {
	node
	Annotations []*Annotation
	Const       bool
}

func (*tableProperty) property() {}

type (
	// KeyProperty is key = { ... }.
	KeyProperty struct {
		tableProperty
		Keys []*TableKey
	}
	// ActionsProperty is actions = { ... }.
	ActionsProperty struct {
		tableProperty
		Actions []*ActionRef
	}
	// EntriesProperty is [const] entries = { ... }.
	EntriesProperty struct {
		tableProperty
		Entries []*TableEntry
	}
	// ExprProperty is any other name = expression (default_action, size, implementation, counters, ...).
	// Instance is set instead of Value for a property like implementation = T(...) only when it declares an instance body.
	ExprProperty struct {
		tableProperty
		Name  *Ident
		Value Expr
	}
)

// TableKey is expr : match_kind.
type TableKey struct {
	node
	Annotations []*Annotation
	Expr        Expr
	MatchKind   *Ident
}

// ActionRef names an action in an actions list; Call is a *Name or a *Call with the bound arguments.
type ActionRef struct {
	node
	Annotations []*Annotation
	Call        Expr
}

// TableEntry is [const] [priority = e :] keyset : action(args).
type TableEntry struct {
	node
	Annotations []*Annotation
	Const       bool
	Priority    Expr // nil if none
	Keyset      Expr // a tuple keyset is a *ListExpr with Paren
	Action      Expr // *Name or *Call
}

// ---- Statements

// Stmt is a statement.
type Stmt interface {
	Node
	stmt()
}

type statement struct{ node }

func (*statement) stmt() {}

type (
	// DeclStmt is a declaration among statements.
	DeclStmt struct {
		statement
		Decl Decl
	}
	// AssignStmt is LHS Op RHS, Op being = or a compound operator of 1.2.5 (+=, |=, ...).
	AssignStmt struct {
		statement
		LHS Expr
		Op  Op
		RHS Expr
	}
	// CallStmt is a call used as a statement. Call.Fun of a direct application T.apply(...) is a Member over a TypeExpr.
	CallStmt struct {
		statement
		Call *Call
	}
	// IfStmt: Else may be nil.
	IfStmt struct {
		statement
		Cond       Expr
		Then, Else Stmt
	}
	// Block is { ... }.
	Block struct {
		statement
		Annotations []*Annotation
		Stmts       []Stmt
	}
	// SwitchStmt is switch (X) { cases }.
	SwitchStmt struct {
		statement
		X     Expr
		Cases []*SwitchCase
	}
	// ForStmt is for (init; cond; update) body.
	ForStmt struct {
		statement
		Annotations  []*Annotation
		Init, Update []Stmt
		Cond         Expr
		Body         Stmt
	}
	// ForInStmt is for (T x in lo..hi) body or over a stack. Type is nil when x is declared outside.
	ForInStmt struct {
		statement
		Annotations []*Annotation
		VarAnnots   []*Annotation // those of x
		Type        Type
		Var         *Ident
		In          Expr
		Body        Stmt
	}
	// ReturnStmt: Value may be nil.
	ReturnStmt struct {
		statement
		Value Expr
	}
	// ExitStmt is exit;
	ExitStmt struct{ statement }
	// BreakStmt is break;
	BreakStmt struct{ statement }
	// ContinueStmt is continue;
	ContinueStmt struct{ statement }
	// EmptyStmt is ;
	EmptyStmt struct{ statement }
)

// SwitchCase is label : block. Body is nil for a fall-through label. Label is a *DefaultExpr for default.
type SwitchCase struct {
	node
	Label Expr
	Body  *Block
}

// Token is one token of an unstructured annotation's body.
type Token struct {
	Pos  Pos
	Text string
}
