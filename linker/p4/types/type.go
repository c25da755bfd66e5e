package types

import "github.com/interlock/interlock/linker/p4/syntax"

// A Type is a P4 type. Types are compared with Identical, not with ==, except *Object-backed nominal types (header, struct,
// enum, extern, ...), whose identity is their declaration and type arguments.
type Type interface {
	// String is the type as a P4 programmer would write it.
	String() string
	typ()
}

type (
	// Basic is a type without parts; Kind says which.
	Basic struct{ Kind BasicKind }
	// Bit is bit<Width>, or int<Width> when Signed. Width 0 is legal.
	Bit struct {
		Width  int
		Signed bool
	}
	// Varbit is varbit<Max>.
	Varbit struct{ Max int }
	// Struct is a struct, header or header_union type.
	Struct struct {
		Kind   StructKind
		Name   string
		Fields []*Field
		Args   []Type // type arguments of a generic one
		Decl   *syntax.StructDecl
	}
	// Stack is the array Elem[Size]: a header stack if Elem is a header or header union (see IsHeaderStack). Size 0 is legal.
	Stack struct {
		Elem Type
		Size int
	}
	// Tuple is tuple<Elems>, also the type of a list expression that has no context.
	Tuple struct{ Elems []Type }
	// List is list<Elem>.
	List struct{ Elem Type }
	// Set is the type of a keyset expression over Elem.
	Set struct{ Elem Type }
	// Enum is an enum; Underlying is nil unless it has a representation.
	Enum struct {
		Name       string
		Members    []string
		Underlying Type
		Values     []Value // of the members, when Underlying is set
		Decl       *syntax.EnumDecl
	}
	// NewType is type T x: a new type over Under.
	NewType struct {
		Name  string
		Under Type
		Decl  *syntax.TypedefDecl
	}
	// Extern is an extern object type.
	Extern struct {
		Name string
		Args []Type
		Decl *syntax.ExternDecl
	}
	// Signature is the type of a function, method, action, parser or control as something to call or apply.
	Signature struct {
		Kind       SigKind
		Name       string
		TypeParams []*TypeParam
		Params     []*Param
		Result     Type // Void for those without
	}
	// Applicable is a parser or control type (a type declaration or a concrete one).
	Applicable struct {
		Control bool // else parser
		Name    string
		Args    []Type
		Apply   *Signature
		Ctor    *Signature
		Decl    syntax.Decl // *ParserDecl or *ControlDecl
	}
	// Package is a package type.
	Package struct {
		Name string
		Args []Type
		Ctor *Signature
		Decl *syntax.PackageDecl
	}
	// Table is the type of a table; each table has its own.
	Table struct {
		Name string
		Decl *syntax.TableDecl
	}
	// TypeParam is a type variable of a generic declaration.
	TypeParam struct{ Name string }
)

func (*Basic) typ()      {}
func (*Bit) typ()        {}
func (*Varbit) typ()     {}
func (*Struct) typ()     {}
func (*Stack) typ()      {}
func (*Tuple) typ()      {}
func (*List) typ()       {}
func (*Set) typ()        {}
func (*Enum) typ()       {}
func (*NewType) typ()    {}
func (*Extern) typ()     {}
func (*Signature) typ()  {}
func (*Applicable) typ() {}
func (*Package) typ()    {}
func (*Table) typ()      {}
func (*TypeParam) typ()  {}

// BasicKind tells the Basic types apart.
type BasicKind int

// Basic kinds.
const (
	BoolKind BasicKind = iota
	IntKind            // arbitrary precision
	StringKind
	ErrorKind
	MatchKindKind
	VoidKind
	StateKind       // a parser state
	DontCareKind    // _
	ApplyResultKind // what table.apply() returns: hit, miss, action_run
	ActionRunKind   // the type of t.apply().action_run
	InvalidKind     // after an error; identical to everything
)

// The Basic types.
var (
	Bool        = &Basic{BoolKind}
	Int         = &Basic{IntKind}
	String      = &Basic{StringKind}
	Error       = &Basic{ErrorKind}
	MatchKind   = &Basic{MatchKindKind}
	Void        = &Basic{VoidKind}
	State       = &Basic{StateKind}
	DontCare    = &Basic{DontCareKind}
	ApplyResult = &Basic{ApplyResultKind}
	ActionRun   = &Basic{ActionRunKind}
	Invalid     = &Basic{InvalidKind}
)

// StructKind tells struct, header and header_union apart.
type StructKind int

// Struct kinds.
const (
	PlainStruct StructKind = iota
	Header
	HeaderUnion
)

// Field of a Struct.
type Field struct {
	Name string
	Type Type
	Decl *syntax.Field
}

// SigKind says what a Signature belongs to.
type SigKind int

// Signature kinds.
const (
	FunctionSig SigKind = iota
	ExternFunctionSig
	MethodSig
	ActionSig
	ApplySig
	CtorSig
	BuiltinSig
)

// Param of a Signature.
type Param struct {
	Name     string
	Dir      syntax.Direction
	Type     Type
	Default  syntax.Expr // nil if none
	Optional bool        // @optional
	Decl     *syntax.Param
}
