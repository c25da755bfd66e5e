package types

import "github.com/interlock/interlock/linker/p4/syntax"

// isActionData reports whether o is a parameter without a direction of an action, or of a function that may be given one.
func isActionData(o *Object) bool {
	return o.Kind == ParamObject && o.Dir == syntax.NoDir && o.Parent != nil &&
		(o.Parent.Kind == ActionObject || o.Parent.Kind == FunctionObject)
}

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
		if q.Optional && (kind == FunctionSig || kind == ActionSig) {
			c.errorf(p, codeContext, "an @optional parameter may only stand in an extern, package, parser or control")
		}
		if p.Default != nil {
			c.paramDefault(p, q)
		}
		if kind == ActionSig {
			if p.Dir != syntax.NoDir && optional {
				c.errorf(p, codeDirection, "%s: parameters without a direction come last in an action", p.Name.Name)
			}
			optional = optional || p.Dir == syntax.NoDir
		}
		o := c.newObject(ParamObject, p.Name, t, p)
		o.Dir = p.Dir
		if p.Dir == syntax.NoDir && (kind == CtorSig || kind == ApplySig && !isObject(t) || kind == FunctionSig && (isInt(t) || isBasic(t, StringKind))) {
			c.ctorParams[o] = true
		}
		c.params[p] = o
		c.declare(o)
		r = append(r, q)
	}
	return r
}

// paramDefault checks the default of a parameter.
func (c *checker) paramDefault(p *syntax.Param, q *Param) {
	if p.Dir == syntax.Out || p.Dir == syntax.InOut {
		c.errorf(p.Default, codeDirection, "an %s parameter has no default", p.Dir)
	}
	if q.Optional {
		c.errorf(p.Default, codeArgs, "an @optional parameter has no default")
	}
	t := c.expr(p.Default, q.Type)
	if isInvalid(t) || isInvalid(q.Type) {
		return
	}
	if openType(q.Type) && !openType(t) {
		// Each call checks it against its own type arguments; some must suit.
		open := map[*TypeParam]bool{}
		typeParamsOf(q.Type, open)
		b := bindings{}
		infer(q.Type, t, open, b)
		if !standsFor(t, subst(q.Type, b)) {
			c.errorf(p.Default, codeMismatch, "a value of type %v stands where %v is wanted", t, q.Type)
			return
		}
		c.genericDefaults[p] = true
	} else if !c.convert(p.Default, q.Type) {
		return
	}
	if !isObject(q.Type) && !isObject(t) && !c.compileTime(p.Default) {
		c.errorf(p.Default, codeNotConst, "the default of %s is not known at compile time", p.Name.Name)
	}
}

// paramType refuses types that a parameter may not have.
func (c *checker) paramType(p *syntax.Param, t Type, kind SigKind) Type {
	if kind == CtorSig && p.Dir != syntax.NoDir {
		c.errorf(p, codeDirection, "a constructor parameter has no direction")
	}
	if why := badParam(t, p.Dir, kind); why != "" {
		if isObject(t) && p.Dir != syntax.NoDir {
			c.errorf(p, codeDirection, "%s: objects of type %v are passed without a direction", p.Name.Name, t)
			return t
		}
		c.errorf(p.Type, codeBadType, "a parameter cannot be of type %v: %s", t, why)
		return Invalid
	}
	if a, ok := t.(*Applicable); ok && hasBody(a) {
		c.errorf(p.Type, codeBadType, "a parameter is of a parser or control type, and %s has a body", a.Name)
		return Invalid
	}
	return t
}

// badParam says why a parameter cannot be of type t, or nothing (specification, appendix "Restrictions on compile time and run time
// calls").
func badParam(t Type, dir syntax.Direction, kind SigKind) string {
	switch u := t.(type) {
	case *Basic:
		switch u.Kind {
		case VoidKind, DontCareKind, MatchKindKind:
			return "it has no values"
		case IntKind, StringKind:
			if dir != syntax.NoDir || kind == ActionSig {
				return "it exists only at compile time, so the parameter must be a constant, without a direction"
			}
		}
	case *Extern:
		switch {
		case dir != syntax.NoDir:
			return "objects are passed without a direction"
		case kind == ActionSig:
			return "an action works on values"
		case kind == FunctionSig:
			return "a function works on values"
		}
	case *Applicable, *Package:
		if dir != syntax.NoDir {
			return "objects are passed without a direction"
		}
		if kind != CtorSig {
			return "only constructors take parsers, controls and packages"
		}
	case *Set, *Table, *Signature:
		return "it is no type of values"
	}
	return ""
}

// returnable reports whether a function or method may return t.
func returnable(t Type) bool {
	if l, ok := t.(*List); ok {
		return returnable(l.Elem)
	}
	return isVoid(t) || isInvalid(t) || storable(t) || isBasic(t, StringKind)
}

// signature resolves a function or method header; the caller has opened a scope.
func (c *checker) signature(d *syntax.FunctionDecl, kind SigKind) *Signature {
	s := &Signature{Kind: kind, Name: d.Name.Name, Result: Void}
	s.TypeParams = c.declareTypeParams(d.TypeParams)
	if d.Result != nil {
		s.Result = c.typ(d.Result)
		switch {
		case isExtern(s.Result) && kind == ExternFunctionSig:
			c.extension(d.Result, "an extern function that returns %v", s.Result)
		case !returnable(s.Result):
			c.errorf(d.Result, codeBadType, "a function cannot return %v", s.Result)
			s.Result = Invalid
		}
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
		default:
			c.functionBody(d, o)
		}
	})
	c.declare(o)
}

func (c *checker) functionBody(d *syntax.FunctionDecl, o *Object) {
	c.block(d.Body)
	if !isVoid(c.result) && !returns(d.Body) {
		c.errorf(d.Name, codeReturn, "function %s may end without returning a value", o.Name)
	}
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
