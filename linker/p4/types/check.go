package types

import (
	"fmt"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// Check resolves and checks a program. The Info is complete only if the diagnostics hold no error; it is never nil.
func Check(p *syntax.Program) (*Info, syntax.Diagnostics) {
	c := &checker{
		info: &Info{
			Program:   p,
			Types:     map[syntax.Expr]Type{},
			Implicit:  map[syntax.Expr]Type{},
			Values:    map[syntax.Expr]Value{},
			TypeNodes: map[syntax.Type]Type{},
			Defs:      map[*syntax.Ident]*Object{},
			Uses:      map[*syntax.Ident]*Object{},
			Calls:     map[*syntax.Call]*Call{},
			Instances: map[syntax.Decl]*Object{},
			This:      map[*syntax.This]*Object{},
		},
		typeParams:   map[*Object][]*TypeParam{},
		specialized:  map[string]Type{},
		params:       map[*syntax.Param]*Object{},
		matchKinds:   map[string]*Object{},
		errors:       map[string]bool{},
		tableActions: map[*Object]*tableActions{},
		methods:      map[*syntax.ExternDecl]*externInfo{},
		ctorParams:   map[*Object]bool{},
		partCounts:   map[Type]int{},
		ifUsed:       map[*Object][]func(){},

		genericDefaults: map[*syntax.Param]bool{},
		selfCalls:       map[*Object][]selfCall{},
	}
	c.push()
	c.top = c.scope
	for _, d := range p.Decls {
		c.topDecl(d)
	}
	c.annotations(p)
	c.controlPlane()
	c.reportUsed()
	c.pop()
	c.diags.Sort()
	return c.info, c.diags
}

type checker struct {
	info  *Info
	diags syntax.Diagnostics

	scope, top *scope
	// owner is the object whose body is being checked.
	owner *Object
	// place says what kind of body that is.
	place place
	// result is the return type of the enclosing function.
	result Type
	// loops counts the enclosing loops.
	loops int
	// states are those of the enclosing parser.
	states map[string]*Object

	typeParams   map[*Object][]*TypeParam // of generic types
	specialized  map[string]Type
	params       map[*syntax.Param]*Object
	matchKinds   map[string]*Object
	errors       map[string]bool
	tableActions map[*Object]*tableActions
	methods      map[*syntax.ExternDecl]*externInfo
	partCounts   map[Type]int
	ifUsed       map[*Object][]func() // errors of top-level actions and functions that count only if these are used
	ctorParams   map[*Object]bool     // constructor parameters: known at compile time, though not what they are

	// genericDefaults are the parameters whose default is checked anew in each call, against what their type is there.
	genericDefaults map[*syntax.Param]bool
	// self is the instance whose abstract methods are being implemented.
	self *Object
	// selfCalls are the calls of abstract methods of the same instance in the implementation of another.
	selfCalls map[*Object][]selfCall
}

// place is where a statement or declaration stands.
type place int

const (
	atTop place = iota
	inParser
	inState
	inControl
	inApply
	inAction
	inFunction
)

func (p place) String() string {
	return [...]string{"top level", "a parser", "a parser state", "a control", "an apply block", "an action", "a function"}[p]
}

func (c *checker) errorf(at syntax.Node, code, format string, args ...any) {
	c.diags = append(c.diags, syntax.Diagnostic{
		Pos: at.Pos(), Last: syntax.Last(at), Code: code, Severity: syntax.Error, Msg: fmt.Sprintf(format, args...),
	})
}

// noteDeclared adds to the last finding where o is declared.
func (c *checker) noteDeclared(o *Object) {
	if o.Ident == nil || len(c.diags) == 0 {
		return
	}
	d := &c.diags[len(c.diags)-1]
	d.Notes = append(d.Notes, syntax.Note{Pos: o.Ident.Pos(), Msg: o.Name + " is declared here"})
}

func (c *checker) warnf(at syntax.Node, code, format string, args ...any) {
	c.diags = append(c.diags, syntax.Diagnostic{
		Pos: at.Pos(), Last: syntax.Last(at), Code: code, Severity: syntax.Warning, Msg: fmt.Sprintf(format, args...),
	})
}

// extension warns of what is accepted because p4c accepts it, though the specification does not define it.
func (c *checker) extension(at syntax.Node, format string, args ...any) {
	c.warnf(at, codeExtension, "%s", fmt.Sprintf(format, args...)+": p4c accepts this, the specification does not define it")
}

func (c *checker) unsupported(at syntax.Node, what string) {
	c.errorf(at, codeUnsupported, "%s: not supported", what)
}

// within checks a body that belongs to o.
func (c *checker) within(o *Object, p place, body func()) {
	owner, old, result, loops := c.owner, c.place, c.result, c.loops
	c.owner, c.place, c.loops = o, p, 0
	c.push()
	body()
	c.pop()
	c.owner, c.place, c.result, c.loops = owner, old, result, loops
}

func (c *checker) newObject(kind ObjectKind, id *syntax.Ident, t Type, decl syntax.Node) *Object {
	return &Object{Kind: kind, Name: id.Name, Type: t, Decl: decl, Ident: id, Parent: c.owner}
}

func (c *checker) topDecl(d syntax.Decl) {
	if id := d.DeclName(); id != nil && id.Name == "main" {
		switch d.(type) {
		case *syntax.InstanceDecl, *syntax.FunctionDecl: // functions have nothing to do with the package
		default:
			c.errorf(id, codePackage, "main is the instance of a package")
		}
	}
	switch d := d.(type) {
	case *syntax.ParserDecl:
		c.parserDecl(d)
	case *syntax.ControlDecl:
		c.controlDecl(d)
	case *syntax.PackageDecl:
		c.packageDecl(d)
	case *syntax.ExternDecl:
		c.externDecl(d)
	case *syntax.StructDecl:
		c.structDecl(d)
	case *syntax.EnumDecl:
		c.enumDecl(d)
	case *syntax.TypedefDecl:
		c.typedefDecl(d)
	case *syntax.ErrorDecl:
		c.errorDecl(d)
	case *syntax.MatchKindDecl:
		c.matchKindDecl(d)
	case *syntax.FunctionDecl:
		c.functionDecl(d)
	case *syntax.ActionDecl:
		c.actionDecl(d)
	case *syntax.ConstDecl:
		c.constDecl(d)
	case *syntax.InstanceDecl:
		c.instanceDecl(d)
	case *syntax.ValueSetDecl:
		c.valueSetDecl(d)
	default:
		c.errorf(d, codeContext, "this declaration may not stand at top level")
	}
}
