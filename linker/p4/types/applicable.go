package types

import "github.com/interlock/interlock/linker/p4/syntax"

func (c *checker) parserDecl(d *syntax.ParserDecl) {
	t := &Applicable{Name: d.Name.Name, Decl: d}
	o := c.newObject(ParserObject, d.Name, t, d)
	c.applicable(o, t, inParser, d.Proto, d.TypeParams, d.Params, d.CtorParams, func() {
		for _, l := range d.Locals {
			c.localDecl(l)
		}
		c.parserStates(o, d)
	})
}

func (c *checker) controlDecl(d *syntax.ControlDecl) {
	t := &Applicable{Control: true, Name: d.Name.Name, Decl: d}
	o := c.newObject(ControlObject, d.Name, t, d)
	c.applicable(o, t, inControl, d.Proto, d.TypeParams, d.Params, d.CtorParams, func() {
		for _, l := range d.Locals {
			c.localDecl(l)
		}
		c.place = inApply
		if d.Apply == nil {
			c.errorf(d, codeContext, "control %s has no apply block", o.Name)
			return
		}
		c.block(d.Apply)
	})
}

// applicable does what parsers and controls have in common, and body what they have not.
func (c *checker) applicable(o *Object, t *Applicable, p place, proto bool, tps []*syntax.Ident, ps, ctor []*syntax.Param, body func()) {
	if c.place != atTop {
		c.errorf(o.Ident, codeContext, "a parser or control is declared at top level")
	}
	if proto {
		o.Kind = TypeObject
	}
	c.within(o, p, func() {
		tparams := c.declareTypeParams(tps)
		t.Args = typeParamList(tparams).types()
		t.Apply = &Signature{Kind: ApplySig, Name: o.Name, Result: Void, Params: c.paramList(ps, ApplySig)}
		t.Ctor = &Signature{Kind: CtorSig, Name: o.Name, Result: t, Params: c.paramList(ctor, CtorSig)}
		for _, p := range t.Ctor.Params {
			switch p.Type.(type) {
			case *Applicable, *Package:
				c.unsupported(p.Decl, "a parser, control or package as a constructor argument")
			}
			if p.Optional {
				c.errorf(p.Decl, codeContext, "an @optional parameter may only stand in an extern or package")
			}
		}
		c.result = Void
		switch {
		case proto:
			if len(tparams) > 0 {
				c.typeParams[o] = tparams
			}
		case len(tparams) > 0:
			c.errorf(o.Ident, codeUnsupported, "%s: a parser or control with a body cannot be generic", o.Name)
		default:
			c.push() // locals may shadow parameters
			body()
			c.pop()
		}
	})
	c.declare(o)
}

func (c *checker) packageDecl(d *syntax.PackageDecl) {
	t := &Package{Name: d.Name.Name, Decl: d}
	o := c.newObject(TypeObject, d.Name, t, d)
	c.within(o, atTop, func() {
		ps := c.declareTypeParams(d.TypeParams)
		t.Args = typeParamList(ps).types()
		if len(ps) > 0 {
			c.typeParams[o] = ps
		}
		t.Ctor = &Signature{Kind: CtorSig, Name: o.Name, Result: t, Params: c.paramList(d.Params, CtorSig)}
	})
	c.declare(o)
}

// localDecl checks a declaration of a parser or control.
func (c *checker) localDecl(d syntax.Decl) {
	switch d := d.(type) {
	case *syntax.VarDecl:
		c.varDecl(d)
	case *syntax.ConstDecl:
		c.constDecl(d)
	case *syntax.InstanceDecl:
		c.instanceDecl(d)
	case *syntax.ValueSetDecl:
		c.valueSetDecl(d)
	case *syntax.ActionDecl:
		if c.place != inControl {
			c.errorf(d, codeContext, "an action may not stand in %v", c.place)
		}
		c.actionDecl(d)
	case *syntax.TableDecl:
		if c.place != inControl {
			c.errorf(d, codeContext, "a table may not stand in %v", c.place)
		}
		c.tableDecl(d)
	default:
		c.errorf(d, codeContext, "this declaration may not stand in %v", c.place)
	}
}

// instanceDecl checks T(args) x;
func (c *checker) instanceDecl(d *syntax.InstanceDecl) {
	o := c.newObject(InstanceObject, d.Name, Invalid, d)
	defer c.declare(o)
	c.info.Instances[d] = o
	if d.HasBody {
		c.unsupported(d, "an instance with abstract methods")
		return
	}
	if c.place != atTop && c.place != inParser && c.place != inControl {
		c.errorf(d, codeContext, "an instance may not be declared in %v", c.place)
	}
	call, t := c.construct(d, d.Type, d.Args)
	if _, pkg := t.(*Package); d.Name.Name == "main" && c.place == atTop && !pkg && !isInvalid(t) {
		c.errorf(d, codePackage, "main is the instance of a package, not of %v", t)
	}
	o.Type = t
	o.Ctor = call
	switch t := t.(type) {
	case *Package:
		if c.place != atTop {
			c.errorf(d, codeContext, "a package is instantiated at top level")
		}
		if o.Name == "main" {
			c.mainInstance(o, call)
		}
	case *Applicable:
		if c.place == atTop {
			c.errorf(d, codeContext, "a parser or control is instantiated in another one or as an argument of a package")
		}
		if t.Control != (c.place == inControl) && c.place != atTop {
			c.errorf(d, codeContext, "%v may not be instantiated in %v", t, c.place)
		}
	}
}

func (c *checker) mainInstance(o *Object, call *Call) {
	c.info.Main = o
	if call == nil {
		return
	}
	for i, p := range call.Sig.Params {
		arg := &MainArg{Param: p.Name, Expr: call.Args[i]}
		if arg.Expr != nil {
			if k, ok := unparen(arg.Expr).(*syntax.Call); ok {
				if inner := c.info.Calls[k]; inner != nil && inner.Callee != nil {
					switch decl := inner.Callee.Decl.(type) {
					case *syntax.ParserDecl:
						arg.Decl = decl
					case *syntax.ControlDecl:
						arg.Decl = decl
					}
				}
			}
		}
		c.info.MainArgs = append(c.info.MainArgs, arg)
	}
}

// construct checks a constructor call written as a type and arguments, in an InstanceDecl or an expression.
func (c *checker) construct(at syntax.Node, written syntax.Type, args []*syntax.Arg) (*Call, Type) {
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
	o, t := c.namedType(base)
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
	var sig *Signature
	switch t := t.(type) {
	case *Extern:
		m := c.overload(at, "constructor of "+o.Name, c.methods[t.Decl].ctors, args)
		if m != nil {
			if sig, _ = m.Type.(*Signature); sig != nil && len(c.typeParams[o]) == 0 {
				// A typedef of a specialised type: its arguments are given already.
				b := bindings{}
				for i, p := range c.typeParams[c.methods[t.Decl].obj] {
					b[p] = t.Args[i]
				}
				sig = substSig(sig, b)
			}
		}
	case *Package:
		sig = t.Ctor
	case *Applicable:
		if o.Kind == TypeObject {
			c.errorf(at, codeNotCallable, "%s is a type without a body and cannot be instantiated", o.Name)
		} else {
			sig = t.Ctor
		}
	default:
		c.errorf(at, codeNotCallable, "%v has no constructor", t)
	}
	if sig == nil {
		c.looseArgs(args)
		return nil, Invalid
	}
	generic := &Signature{Kind: CtorSig, Name: sig.Name, Params: sig.Params, Result: sig.Result, TypeParams: c.typeParams[o]}
	if !c.invoke(at, call, generic, given, args, nil) {
		if explicit {
			c.info.TypeNodes[written] = Invalid
		}
		return nil, Invalid
	}
	result := call.Sig.Result
	c.info.TypeNodes[written] = result
	return call, result
}

// compatible reports whether a parser or control of type a can stand where type want is asked for.
func compatible(a, want *Applicable) bool {
	if a.Decl == want.Decl {
		return identicalLists(a.Args, want.Args)
	}
	if a.Control != want.Control || len(a.Apply.Params) != len(want.Apply.Params) {
		return false
	}
	for i, p := range a.Apply.Params {
		q := want.Apply.Params[i]
		if p.Dir != q.Dir || !Identical(p.Type, q.Type) {
			return false
		}
	}
	return true
}
