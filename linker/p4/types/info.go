package types

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// Info is what Check finds out about a program. The tree itself is not changed.
type Info struct {
	Program *syntax.Program

	// Types gives every expression its type after inference and in its context: an untyped integer literal that meets a
	// bit<8> is bit<8>, a list expression assigned to a struct has that struct type. Where the context converts a value
	// implicitly (serializable enum to its representation, for example), Types has the type before and Implicit the type after.
	//
	// Some expressions stay of type int, and then have a Value: parts of a constant expression (of 2 * 3 + x only the
	// product gets the type of x), indices, ends of slices and amounts of shifts written without a width, and
	// push_front's count. A callee has its Signature, a type in expression position the type that it names, a keyset that is
	// not a plain value a Set. In a structured annotation a bare word that is not declared stands for itself: @virtual[fold]
	// has the String "fold" as its Value.
	Types    map[syntax.Expr]Type
	Implicit map[syntax.Expr]Type
	// Values has every compile-time known value, after conversion to the type in Types.
	Values map[syntax.Expr]Value
	// TypeNodes resolves types as written; typedefs are looked through, NewTypes are not.
	TypeNodes map[syntax.Type]Type
	// Defs and Uses map identifiers to objects: Defs where they are declared, Uses where they are used (for a Member over a
	// type, header, struct, stack, table or instance, Sel has no Use: see Types of the X; nor have the names of fields, in
	// declarations and struct expressions, of enum members and of table properties). The name of a named argument uses the
	// parameter. The states accept and reject are objects without a Decl, one pair for each parser.
	Defs map[*syntax.Ident]*Object
	Uses map[*syntax.Ident]*Object
	// Calls resolves every call.
	Calls map[*syntax.Call]*Call
	// Instances has, for every extern, parser, control, package and table instance at top level or in a parser or control, its
	// Object by declaration.
	Instances map[syntax.Decl]*Object
	// This has the instance that each this means.
	This map[*syntax.This]*Object
	// Errors are the declared error constants, in order, core.p4's first.
	Errors []string
	// MatchKinds are the declared match kinds, in order.
	MatchKinds []string
	// Main is the instantiation named main, or nil.
	Main *Object
	// MainArgs are the resolved declarations given to main's package, in the order of its parameters. For v1model:
	// parser, verify, ingress, egress, compute, deparser.
	MainArgs []*MainArg
}

// MainArg is one argument of the main package instantiation.
type MainArg struct {
	Param string
	Expr  syntax.Expr
	// Decl is the *syntax.ParserDecl or *syntax.ControlDecl that is instantiated, or nil for other arguments.
	Decl syntax.Decl
}

// ObjectKind says what an Object is.
type ObjectKind int

// Object kinds.
const (
	BadObject ObjectKind = iota
	VarObject
	ConstObject
	ParamObject    // including constructor parameters
	TypeObject     // struct, header, enum, typedef, extern, package, parser and control types, type parameters
	FunctionObject // P4 function
	ExternFnObject // extern function
	ActionObject
	TableObject
	StateObject
	InstanceObject // of an extern, parser, control or package
	ValueSetObject
	ParserObject  // a parser with a body
	ControlObject // a control with a body
	MatchKindObject
)

// Object is what a name means. Each declaration has exactly one.
type Object struct {
	Kind  ObjectKind
	Name  string
	Type  Type
	Decl  syntax.Node      // the declaring node: *syntax.VarDecl, *syntax.Param, *syntax.ActionDecl, ...
	Ident *syntax.Ident    // the declaring identifier
	Dir   syntax.Direction // of a parameter
	Value Value            // of a constant
	// Parent is the control, parser, action, ... that the object is local to, or nil at top level.
	Parent *Object
	// Ctor has, for an instance, its constructor call: parameters, type arguments and arguments. The Type of an array of instances
	// is a Stack of the extern; Ctor then constructs each of them.
	Ctor *Call
	// Methods are an instance's own implementations of abstract methods, by name: FunctionObjects whose Parent is the instance.
	Methods map[string]*Object
}

// CallKind says what a call does.
type CallKind int

// Call kinds.
const (
	BadCall         CallKind = iota
	FunctionCall             // P4 function: Callee
	ExternFnCall             // extern function: Callee
	MethodCall               // method of an extern instance or of packet_in/packet_out: Recv, Method
	ActionCall               // direct call of an action: Callee
	TableApply               // Recv.apply(): Callee is the table
	ControlApply             // Recv.apply(...): Callee is the instance, or the constructor parameter that stands for one
	ParserApply              // Recv.apply(...): the same
	DirectApply              // TypeName.apply(...): Callee is the parser or control
	BuiltinCall              // isValid, setValid, setInvalid, push_front, pop_front, minSizeInBits, ...: Recv, Method
	ConstructorCall          // T(...): an anonymous instance
)

// Call is a resolved call.
//
// The body of a generic function, parser or control is checked once, for any type arguments: in Info its expressions have the
// TypeParams of the callee's type in their types, and Substitute with TypeArgs tells what they are for one call or instance.
type Call struct {
	Kind   CallKind
	Callee *Object     // nil for methods and builtins on expressions; for a constructor, the type, parser or control
	Recv   syntax.Expr // X of X.method(...), nil for plain functions
	Method string      // method or function name
	Decl   *Object     // the method of the extern that is called, among its overloads
	Sig    *Signature  // after inference: type arguments are substituted
	// TypeArgs are the type arguments, written or inferred, in the order of the callee's type parameters. One is _ (DontCare) if
	// nothing depends on it: only absent arguments mention it, or it was written as _ and determines nothing.
	TypeArgs []Type
	// Args has one expression per parameter, in the order of Sig.Params: nil where an optional parameter is absent; the
	// parameter's default where the argument is. A default is one expression for all calls: its type is in terms of the callee's
	// type parameters. The argument of an extern's parameter without a direction need not have a Value: it may depend on
	// constructor parameters or on the data of an action.
	Args []syntax.Expr
}

// A Value is a compile-time known value.
type Value interface{ value() }

type (
	// IntValue is an int, bit or int<> value (already wrapped to its type), or that of a serializable enum member.
	IntValue struct{ Int *big.Int }
	// BoolValue is true or false.
	BoolValue bool
	// StringValue is a string.
	StringValue string
	// EnumValue is a member of an enum, error or match_kind.
	EnumValue struct {
		Type   Type
		Member string
	}
	// TupleValue is a list, tuple, struct or header value, in field order.
	TupleValue []Value
)

func (IntValue) value()    {}
func (BoolValue) value()   {}
func (StringValue) value() {}
func (EnumValue) value()   {}
func (TupleValue) value()  {}
