package types

import "github.com/interlock/interlock/linker/p4/syntax"

// hasAnnotation reports whether one of the annotations is @name.
func hasAnnotation(as []*syntax.Annotation, name string) bool {
	for _, a := range as {
		if a.Name == name {
			return true
		}
	}
	return false
}

// paramList resolves parameters and declares them in the current scope.
func (c *checker) paramList(ps []*syntax.Param, kind SigKind) []*Param {
	var r []*Param
	seen := map[string]bool{}
	optional := false
	for _, p := range ps {
		t := c.typ(p.Type)
		if seen[p.Name.Name] {
			c.errorf(p.Name, codeDuplicateEntry, "parameter %s is declared twice", p.Name.Name)
			continue
		}
		seen[p.Name.Name] = true
		t = c.paramType(p, t, kind)
		q := &Param{
			Name: p.Name.Name, Dir: p.Dir, Type: t, Default: p.Default, Decl: p,
			Optional: hasAnnotation(p.Annotations, "optional"),
		}
		if q.Optional && (kind == FunctionSig || kind == ActionSig || kind == ApplySig) {
			c.errorf(p, codeContext, "an @optional parameter may only stand in an extern or package")
		}
		if p.Default != nil {
			if p.Dir == syntax.Out || p.Dir == syntax.InOut {
				c.errorf(p.Default, codeDirection, "an %s parameter has no default", p.Dir)
			}
			c.expr(p.Default, t)
			if _, generic := t.(*TypeParam); generic {
				c.unsupported(p.Default, "a default for a parameter of generic type")
			} else if c.convert(p.Default, t) && !isInvalid(t) && !c.compileTime(p.Default) {
				c.errorf(p.Default, codeNotConst, "the default of %s is not known at compile time", p.Name.Name)
			}
		}
		if kind == ActionSig {
			if p.Dir != syntax.NoDir && optional {
				c.errorf(p, codeDirection, "%s: parameters without a direction come last in an action", p.Name.Name)
			}
			optional = optional || p.Dir == syntax.NoDir
		}
		o := c.newObject(ParamObject, p.Name, t, p)
		o.Dir = p.Dir
		if p.Dir == syntax.NoDir && (kind == CtorSig || (kind == ApplySig || kind == FunctionSig) && !isObject(t)) {
			c.ctorParams[o] = true
		}
		c.params[p] = o
		c.declare(o)
		r = append(r, q)
	}
	return r
}

// paramType refuses types that a parameter may not have.
func (c *checker) paramType(p *syntax.Param, t Type, kind SigKind) Type {
	if kind == CtorSig && p.Dir != syntax.NoDir {
		c.errorf(p, codeDirection, "a constructor parameter has no direction")
	}
	switch u := t.(type) {
	case *Basic:
		switch u.Kind {
		case VoidKind, DontCareKind, MatchKindKind:
			c.errorf(p.Type, codeBadType, "a parameter cannot be of type %v", t)
			return Invalid
		case IntKind, StringKind:
			if p.Dir != syntax.NoDir || kind == ActionSig {
				c.errorf(p.Type, codeBadType, "a parameter of type %v must be a constant, without a direction", t)
				return Invalid
			}
		}
	case *Extern, *Applicable, *Package:
		if p.Dir != syntax.NoDir {
			c.errorf(p, codeDirection, "%s: objects of type %v are passed without a direction", p.Name.Name, t)
		}
		if kind == ActionSig {
			c.errorf(p.Type, codeBadType, "an action parameter cannot be of type %v", t)
			return Invalid
		}
		if a, ok := t.(*Applicable); ok && !isProto(a.Decl) {
			c.errorf(p.Type, codeBadType, "%v has a body and is no type of parameters", t)
			return Invalid
		}
		if _, ext := t.(*Extern); !ext && kind != CtorSig {
			c.errorf(p.Type, codeBadType, "a parameter cannot be of type %v", t)
			return Invalid
		}
	case *Set, *Table, *Signature:
		c.errorf(p.Type, codeBadType, "a parameter cannot be of type %v", t)
		return Invalid
	}
	return t
}

// isProto reports whether a parser or control is a type, without a body.
func isProto(d syntax.Decl) bool {
	switch d := d.(type) {
	case *syntax.ParserDecl:
		return d.Proto
	case *syntax.ControlDecl:
		return d.Proto
	}
	return false
}

// signature resolves a function or method header; the caller has opened a scope.
func (c *checker) signature(d *syntax.FunctionDecl, kind SigKind) *Signature {
	s := &Signature{Kind: kind, Name: d.Name.Name, Result: Void}
	s.TypeParams = c.declareTypeParams(d.TypeParams)
	if d.Result != nil {
		s.Result = c.typ(d.Result)
	}
	s.Params = c.paramList(d.Params, kind)
	return s
}

func (c *checker) functionDecl(d *syntax.FunctionDecl) {
	kind := ExternFnObject
	sk := ExternFunctionSig
	if !d.Extern {
		kind, sk = FunctionObject, FunctionSig
	}
	o := c.newObject(kind, d.Name, Invalid, d)
	c.within(o, inFunction, func() {
		sig := c.signature(d, sk)
		o.Type = sig
		c.result = sig.Result
		switch {
		case d.Extern:
			if d.Body != nil {
				c.errorf(d.Body, codeContext, "an extern function has no body")
			}
		case d.Body == nil:
			c.errorf(d, codeContext, "function %s has no body", o.Name)
		case len(d.TypeParams) > 0:
			c.unsupported(d, "a generic function with a body")
		default:
			if !isVoid(sig.Result) && !isInvalid(sig.Result) && !storable(sig.Result) && !isInt(sig.Result) {
				c.errorf(d.Result, codeBadType, "a function cannot return %v", sig.Result)
			}
			c.block(d.Body)
			if !isVoid(sig.Result) && !returns(d.Body) {
				c.errorf(d.Name, codeReturn, "function %s may end without returning a value", o.Name)
			}
		}
	})
	c.declare(o)
}

// returns reports whether every way through s ends in a return or exit.
func returns(s syntax.Stmt) bool {
	switch s := s.(type) {
	case *syntax.ReturnStmt, *syntax.ExitStmt:
		return true
	case *syntax.Block:
		for _, x := range s.Stmts {
			if returns(x) {
				return true
			}
		}
	case *syntax.IfStmt:
		return s.Else != nil && returns(s.Then) && returns(s.Else)
	case *syntax.SwitchStmt:
		hasDefault := false
		for _, k := range s.Cases {
			if _, ok := k.Label.(*syntax.DefaultExpr); ok {
				hasDefault = true
			}
			if k.Body != nil && !returns(k.Body) {
				return false
			}
		}
		return hasDefault && len(s.Cases) > 0 && s.Cases[len(s.Cases)-1].Body != nil
	}
	return false
}

func (c *checker) actionDecl(d *syntax.ActionDecl) {
	o := c.newObject(ActionObject, d.Name, Invalid, d)
	c.within(o, inAction, func() {
		sig := &Signature{Kind: ActionSig, Name: d.Name.Name, Result: Void}
		sig.Params = c.paramList(d.Params, ActionSig)
		o.Type = sig
		c.result = Void
		c.block(d.Body)
	})
	c.declare(o)
}

// externInfo has the constructors and methods of an extern object type.
type externInfo struct {
	obj     *Object
	ctors   []*Object
	methods map[string][]*Object
}

func (c *checker) externDecl(d *syntax.ExternDecl) {
	t := &Extern{Name: d.Name.Name, Decl: d}
	o := c.newObject(TypeObject, d.Name, t, d)
	x := &externInfo{obj: o, methods: map[string][]*Object{}}
	c.methods[d] = x
	c.within(o, inFunction, func() {
		ps := c.declareTypeParams(d.TypeParams)
		t.Args = typeParamList(ps).types()
		if len(ps) > 0 {
			c.typeParams[o] = ps
		}
		for _, m := range d.Methods {
			if m.Abstract {
				c.unsupported(m, "an abstract method")
				continue
			}
			kind := MethodSig
			if m.Ctor || m.Name.Name == d.Name.Name {
				kind = CtorSig
				if m.Result != nil {
					c.errorf(m, codeReturn, "a constructor has no return type")
				}
			}
			mo := c.newObject(ExternFnObject, m.Name, Invalid, m)
			c.info.Defs[m.Name] = mo
			c.push()
			sig := c.signature(m, kind)
			c.pop()
			mo.Type = sig
			for _, p := range sig.Params {
				switch p.Type.(type) {
				case *Applicable, *Package:
					if kind == CtorSig { // paramType says it of others
						c.errorf(p.Decl.Type, codeBadType, "only a package takes a %v as argument", p.Type)
					}
				}
			}
			list := x.methods[m.Name.Name]
			if kind == CtorSig {
				sig.Result = t
				list = x.ctors
			}
			for _, other := range list {
				if sameShape(other, mo) {
					c.errorf(m.Name, codeRedeclared, "%s is declared twice with the same parameters", m.Name.Name)
				}
			}
			if kind == CtorSig {
				x.ctors = append(list, mo)
			} else {
				x.methods[m.Name.Name] = append(list, mo)
			}
		}
	})
	c.declare(o)
}
