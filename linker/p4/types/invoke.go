package types

import "github.com/interlock/interlock/linker/p4/syntax"

// overload picks the function that takes the arguments. With one candidate it is that one, fitting or not.
func (c *checker) overload(at syntax.Node, what string, cands []*Object, args []*syntax.Arg) *Object {
	if len(cands) == 1 {
		return cands[0]
	}
	var fit []*Object
	for _, o := range cands {
		if sig, ok := o.Type.(*Signature); ok && takes(sig, args) {
			fit = append(fit, o)
		}
	}
	switch len(fit) {
	case 1:
		return fit[0]
	case 0:
		c.errorf(at, codeArgs, "no %s takes these %d arguments", what, len(args))
	default:
		c.errorf(at, codeAmbiguous, "several %s could take these arguments", what)
	}
	return nil
}

// takes reports whether the number and names of the arguments suit the parameters.
func takes(sig *Signature, args []*syntax.Arg) bool {
	if len(args) > len(sig.Params) {
		return false
	}
	given := map[string]bool{}
	for i, a := range args {
		if a.Name != nil {
			given[a.Name.Name] = true
		} else {
			given[sig.Params[i].Name] = true
		}
	}
	n := 0
	for _, p := range sig.Params {
		if given[p.Name] {
			n++
		} else if p.Default == nil && !p.Optional {
			return false
		}
	}
	return n == len(args)
}

// bindArgs puts arguments in the order of the parameters: positional or named, not mixed.
func (c *checker) bindArgs(at syntax.Node, sig *Signature, args []*syntax.Arg) ([]syntax.Expr, bool) {
	ordered := make([]syntax.Expr, len(sig.Params))
	named := 0
	ok := true
	for i, a := range args {
		if a.Name == nil {
			if i >= len(sig.Params) {
				c.errorf(at, codeArgs, "%s takes %d arguments, not %d", sig.Name, len(sig.Params), len(args))
				return nil, false
			}
			ordered[i] = a.Value
			continue
		}
		named++
		found := false
		for j, p := range sig.Params {
			if p.Name != a.Name.Name {
				continue
			}
			found = true
			if ordered[j] != nil {
				c.errorf(a.Name, codeArgs, "argument %s is given twice", p.Name)
				ok = false
			}
			ordered[j] = a.Value
			if o := c.params[p.Decl]; o != nil {
				c.info.Uses[a.Name] = o
			}
		}
		if !found {
			c.errorf(a.Name, codeArgs, "%s has no parameter %s", sig.Name, a.Name.Name)
			ok = false
		}
	}
	if named > 0 && named < len(args) {
		c.errorf(at, codeArgs, "arguments are all named or all positional")
		return nil, false
	}
	for i, p := range sig.Params {
		if ordered[i] == nil && p.Default == nil && !p.Optional && ok {
			c.errorf(at, codeArgs, "%s: argument %s is missing", sig.Name, p.Name)
			ok = false
		}
	}
	return ordered, ok
}

// invoke matches arguments with a signature: it orders them, infers type arguments, converts. It fills r.Sig, r.TypeArgs and
// r.Args.
func (c *checker) invoke(at syntax.Node, r *Call, sig *Signature, given []Type, args []*syntax.Arg, want Type) bool {
	ordered, ok := c.bindArgs(at, sig, args)
	if !ok {
		c.looseArgs(args)
		return false
	}
	if len(given) > 0 && len(given) != len(sig.TypeParams) {
		c.errorf(at, codeTypeArgs, "%s takes %d type arguments, not %d", sig.Name, len(sig.TypeParams), len(given))
		c.looseArgs(args)
		return false
	}
	b := bindings{}
	open := map[*TypeParam]bool{}
	for i, p := range sig.TypeParams {
		switch {
		case len(given) == 0 || isBasic(given[i], DontCareKind):
			open[p] = true
		case isInvalid(given[i]):
			c.looseArgs(args)
			return false
		default:
			b[p] = given[i]
		}
	}
	bad := false
	for i, p := range sig.Params {
		a := ordered[i]
		if a == nil {
			continue
		}
		if _, ok := a.(*syntax.DontCare); ok {
			c.info.Types[a] = DontCare
			continue
		}
		var hint Type
		if !mentions(p.Type, open) {
			hint = subst(p.Type, b)
		}
		t := c.expr(a, hint)
		bad = bad || isInvalid(t)
		infer(p.Type, t, open, b)
	}
	if bad {
		return false
	}
	if want != nil && sig.Result != nil {
		infer(sig.Result, want, open, b)
	}
	for _, p := range sig.TypeParams {
		t, ok := b[p]
		if !ok {
			c.errorf(at, codeInfer, "%s: type argument %s neither given nor determined by the arguments", sig.Name, p.Name)
			return false
		}
		if !typeArgument(t) {
			c.errorf(at, codeBadType, "%s: %v is not a type argument", sig.Name, t)
			return false
		}
		r.TypeArgs = append(r.TypeArgs, t)
	}
	r.Sig = substSig(sig, b)
	for i, p := range sig.Params {
		// What a type parameter is bound to exists at run time, unless the parameter is a constant.
		if ordered[i] != nil && p.Dir != syntax.NoDir && mentions(p.Type, open) && !c.sized(ordered[i], r.Sig.Params[i].Type) {
			return false
		}
	}
	r.Args = make([]syntax.Expr, len(sig.Params))
	for i, p := range r.Sig.Params {
		if ordered[i] == nil {
			r.Args[i] = p.Default
			continue
		}
		r.Args[i] = ordered[i]
		ok = c.argument(sig, p, ordered[i]) && ok
	}
	return ok
}

// typeArgument reports whether a type parameter may stand for t.
func typeArgument(t Type) bool {
	switch t := t.(type) {
	case *Extern, *Applicable, *Package, *Table, *Signature, *Set:
		return false
	case *Basic:
		return t.Kind == BoolKind || t.Kind == IntKind || t.Kind == StringKind || t.Kind == ErrorKind || t.Kind == MatchKindKind || t.Kind == InvalidKind
	}
	return true
}

// sized reports an argument whose inferred type has no representation at run time.
func (c *checker) sized(a syntax.Expr, t Type) bool {
	switch {
	case hasPart(t, func(t Type) bool { return isInt(t) }):
		c.errorf(a, codeInfer, "this number needs a width, such as 32w5: nothing else here says which")
	case hasPart(t, func(t Type) bool { s, ok := t.(*Struct); return ok && s.Decl == nil }):
		c.errorf(a, codeInfer, "this needs a type, such as (T) {...}: nothing else here says which")
	case hasPart(t, func(t Type) bool { return isBasic(t, StringKind) }):
		c.errorf(a, codeInfer, "a string exists only at compile time")
	default:
		return true
	}
	return false
}

// hasPart reports whether is holds for t or for a part of a tuple, list or unnamed struct.
func hasPart(t Type, is func(Type) bool) bool {
	if is(t) {
		return true
	}
	switch t := t.(type) {
	case *Tuple:
		for _, e := range t.Elems {
			if hasPart(e, is) {
				return true
			}
		}
	case *List:
		return hasPart(t.Elem, is)
	case *Struct:
		if t.Decl == nil {
			for _, f := range t.Fields {
				if hasPart(f.Type, is) {
					return true
				}
			}
		}
	}
	return false
}

// argument checks one argument against its parameter.
func (c *checker) argument(sig *Signature, p *Param, a syntax.Expr) bool {
	if _, ok := a.(*syntax.DontCare); ok {
		c.info.Types[a] = p.Type
		if p.Dir != syntax.Out {
			c.errorf(a, codeDirection, "_ can only stand for an out parameter")
			return false
		}
		return true
	}
	if p.Dir == syntax.Out || p.Dir == syntax.InOut {
		t := c.info.Types[a]
		if !Identical(t, p.Type) {
			c.errorf(a, codeMismatch, "a value of type %v stands for parameter %s of type %v", t, p.Name, p.Type)
			return false
		}
		return c.lvalue(a)
	}
	if !c.convert(a, p.Type) {
		return false
	}
	switch sig.Kind {
	case FunctionSig, ExternFunctionSig, MethodSig, CtorSig, ApplySig:
		if p.Dir == syntax.NoDir && !isObject(p.Type) && !c.compileTime(a) {
			c.errorf(a, codeNotConst, "%s: argument %s must be known at compile time", sig.Name, p.Name)
			return false
		}
	}
	return true
}

// isObject reports whether t is the type of something that is instantiated, not of a value.
func isObject(t Type) bool {
	switch t.(type) {
	case *Extern, *Applicable, *Package:
		return true
	}
	return false
}
