package types

import "github.com/interlock/interlock/linker/p4/syntax"

// construct checks a constructor call written as a type and arguments, in an InstanceDecl or an expression. want is the type
// that the context asks for, or nil.
func (c *checker) construct(at syntax.Node, written syntax.Type, args []*syntax.Arg, want Type) (*Call, Type) {
	var base *syntax.NamedType
	explicit := false
	switch w := written.(type) {
	case *syntax.NamedType:
		base = w
	case *syntax.SpecializedType:
		base, explicit = w.Base, true
	default:
		c.typ(written)
		c.looseArgs(args)
		c.errorf(at, codeNotCallable, "this type has no constructor")
		return nil, Invalid
	}
	o, t := c.constructed(at, base, args)
	c.info.TypeNodes[base] = t
	if o == nil || isInvalid(t) {
		c.looseArgs(args)
		return nil, Invalid
	}
	var given []Type
	if explicit {
		spec := written.(*syntax.SpecializedType)
		bad := false
		for _, a := range spec.Args {
			u := c.typ(a)
			bad = bad || isInvalid(u)
			given = append(given, u)
		}
		if !bad && len(given) != len(c.typeParams[o]) {
			c.errorf(written, codeTypeArgs, "%s takes %d type arguments, not %d", o.Name, len(c.typeParams[o]), len(given))
			bad = true
		}
		if bad {
			c.info.TypeNodes[written] = Invalid
			c.looseArgs(args)
			return nil, Invalid
		}
	}
	call := &Call{Kind: ConstructorCall, Callee: o, Method: o.Name}
	sig := c.constructor(at, o, t, args)
	if sig == nil {
		c.looseArgs(args)
		return nil, Invalid
	}
	generic := &Signature{Kind: CtorSig, Name: sig.Name, Params: sig.Params, Result: sig.Result, TypeParams: c.typeParams[o]}
	if !c.invoke(at, call, generic, given, args, want) {
		if explicit {
			c.info.TypeNodes[written] = Invalid
		}
		return nil, Invalid
	}
	result := call.Sig.Result
	if x, ok := result.(*Extern); ok && !c.specialisable(written, x) {
		result = Invalid
	}
	c.info.TypeNodes[written] = result
	if isInvalid(result) {
		return nil, Invalid
	}
	return call, result
}

// constructed resolves the type whose constructor is called. Parsers, controls and packages of one name are told apart by what
// they are constructed with.
func (c *checker) constructed(at syntax.Node, base *syntax.NamedType, args []*syntax.Arg) (*Object, Type) {
	os := c.lookup(base.Ident.Name, base.Absolute)
	if len(os) < 2 || !isObject(os[0].Type) {
		return c.namedType(base)
	}
	o := c.overload(at, base.Ident.Name, os, args)
	if o == nil {
		return nil, Invalid
	}
	c.info.Uses[base.Ident] = o
	return o, o.Type
}

// constructor is the signature of the constructor of t, which o names, or nil after reporting why there is none.
func (c *checker) constructor(at syntax.Node, o *Object, t Type, args []*syntax.Arg) *Signature {
	switch t := t.(type) {
	case *Extern:
		x := c.methods[t.Decl]
		m := c.overload(at, "constructor of "+x.obj.Name, x.ctors, args)
		if m == nil {
			return nil
		}
		sig, _ := m.Type.(*Signature)
		if sig != nil && len(c.typeParams[o]) == 0 {
			sig = substSig(sig, c.externArgs(t)) // the name of a specialised type: its arguments are given already
		}
		return sig
	case *Package:
		return t.Ctor
	case *Applicable:
		if hasBody(t) {
			return t.Ctor
		}
		c.errorf(at, codeNotCallable, "%s is a type without a body and cannot be instantiated", o.Name)
	default:
		c.errorf(at, codeNotCallable, "%v has no constructor", t)
	}
	return nil
}

// hasBody tells a parser or control from the type of one.
func hasBody(t *Applicable) bool {
	switch d := t.Decl.(type) {
	case *syntax.ParserDecl:
		return !d.Proto
	case *syntax.ControlDecl:
		return !d.Proto
	}
	return false
}

// externArgs binds the type parameters of an extern to those of its specialisation t.
func (c *checker) externArgs(t *Extern) bindings {
	b := bindings{}
	for i, p := range c.typeParams[c.methods[t.Decl].obj] {
		b[p] = t.Args[i]
	}
	return b
}
