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
		c.constructorParams(t)
		c.result = Void
		if len(tparams) > 0 {
			c.typeParams[o] = tparams
		}
		if !proto {
			c.push() // locals may shadow parameters
			body()
			c.pop()
		}
	})
	c.declare(o)
}

// constructorParams refuses what a parser or control cannot be constructed with: it could not use it (specification, appendix
// "Restrictions on compile time and run time calls").
func (c *checker) constructorParams(t *Applicable) {
	what := "parser"
	if t.Control {
		what = "control"
	}
	for _, p := range t.Ctor.Params {
		a, applicable := p.Type.(*Applicable)
		_, pkg := p.Type.(*Package)
		if pkg || applicable && a.Control != t.Control {
			c.errorf(p.Decl.Type, codeBadType, "a %s cannot be constructed with %v", what, p.Type)
		}
		if p.Optional {
			c.errorf(p.Decl, codeContext, "a %s is not constructed with @optional parameters: it could not tell that one is absent", what)
		}
	}
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

// compatible reports whether a parser or control of type a can stand where type want is asked for: both are applied to the same
// parameters, but that either may have more of them at its end that are optional or have a default.
func compatible(a, want *Applicable) bool {
	if a.Decl == want.Decl {
		return (equality{wild: true}).lists(want.Args, a.Args)
	}
	if a.Control != want.Control {
		return false
	}
	ps, qs := a.Apply.Params, want.Apply.Params
	n := min(len(ps), len(qs))
	for i := range n {
		if ps[i].Dir != qs[i].Dir || !matches(qs[i].Type, ps[i].Type) {
			return false
		}
	}
	return dispensable(ps[n:]) && dispensable(qs[n:])
}

func dispensable(ps []*Param) bool {
	for _, p := range ps {
		if !p.Optional && p.Default == nil {
			return false
		}
	}
	return true
}

// standsFor reports whether something of type t can be given, unconverted, where want is asked for.
func standsFor(t, want Type) bool {
	if a, ok := t.(*Applicable); ok {
		w, ok := want.(*Applicable)
		return ok && compatible(a, w)
	}
	return matches(want, t)
}
