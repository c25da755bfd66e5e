package types

import "github.com/interlock/interlock/linker/p4/syntax"

// invoke matches arguments with a signature: it orders them, infers type arguments, converts. It fills r.Sig, r.TypeArgs and
// r.Args. want is the type that the context asks for, or nil.
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
	in := &inference{c: c, sig: sig, args: ordered, open: map[*TypeParam]bool{}, skip: map[*TypeParam]bool{}, b: bindings{}}
	for i, p := range sig.TypeParams {
		switch {
		case len(given) == 0:
			in.open[p] = true
		case isBasic(given[i], DontCareKind):
			in.open[p], in.skip[p] = true, true
		case isInvalid(given[i]):
			c.looseArgs(args)
			return false
		default:
			in.b[p] = given[i]
		}
	}
	if !in.run(want) {
		return false
	}
	for _, p := range sig.TypeParams {
		t, ok := in.typeArg(p)
		if !ok {
			c.errorf(at, codeInfer, "%s: type argument %s neither given nor determined by the arguments", sig.Name, p.Name)
			return false
		}
		if !typeArgument(t) {
			c.errorf(at, codeBadType, "%s: %v is not a type argument", sig.Name, t)
			return false
		}
		in.b[p] = t
		r.TypeArgs = append(r.TypeArgs, t)
	}
	r.Sig = substSig(sig, in.b)
	for i, p := range sig.Params {
		// What a type parameter is bound to exists at run time, unless the parameter is a constant.
		if ordered[i] != nil && p.Dir != syntax.NoDir && mentions(p.Type, in.open) && !c.sized(ordered[i], r.Sig.Params[i].Type) {
			return false
		}
	}
	if len(sig.TypeParams) > 0 && !c.specialised(at, r.Sig, ordered) {
		return false
	}
	r.Args = make([]syntax.Expr, len(sig.Params))
	for i, p := range r.Sig.Params {
		if ordered[i] == nil {
			r.Args[i] = p.Default
			ok = c.defaulted(at, sig, p, in.b) && ok
			continue
		}
		r.Args[i] = ordered[i]
		ok = c.argument(sig, p, ordered[i]) && ok
	}
	return ok
}

// specialised checks the parameters and the result that a signature has once its type parameters are bound: what may not be
// declared may not come about either.
func (c *checker) specialised(at syntax.Node, sig *Signature, args []syntax.Expr) bool {
	for i, p := range sig.Params {
		if args[i] == nil && p.Default == nil {
			continue // absent, and so of no type
		}
		if isBasic(p.Type, MatchKindKind) && p.Dir != syntax.Out && p.Dir != syntax.InOut {
			continue // a constant that externs may look at
		}
		if why := badParam(p.Type, p.Dir, sig.Kind); why != "" {
			c.errorf(at, codeBadType, "%s: parameter %s would be of type %v: %s", sig.Name, p.Name, p.Type, why)
			return false
		}
	}
	if sig.Kind != CtorSig && sig.Result != nil && !returnable(sig.Result) && !(isExtern(sig.Result) && sig.Kind == ExternFunctionSig) {
		c.errorf(at, codeBadType, "%s would return %v", sig.Name, sig.Result)
		return false
	}
	return true
}

// defaulted checks a default value of a parameter of generic type. Where it is declared it was checked as far as the type
// parameters are known there; here they are bound.
func (c *checker) defaulted(at syntax.Node, sig *Signature, p *Param, b bindings) bool {
	if p.Default == nil || !c.genericDefaults[p.Decl] {
		return true
	}
	t := subst(c.info.Types[p.Default], b)
	if standsFor(t, p.Type) {
		return true
	}
	c.errorf(at, codeMismatch, "%s: the default of %s is of type %v, where %v is wanted", sig.Name, p.Name, t, p.Type)
	return false
}

// typeArgument reports whether a type parameter may stand for t.
func typeArgument(t Type) bool {
	switch t := t.(type) {
	case *Applicable, *Package, *Table, *Signature, *Set:
		return false
	case *Basic:
		switch t.Kind {
		case BoolKind, IntKind, StringKind, ErrorKind, MatchKindKind, VoidKind, DontCareKind, InvalidKind:
			return true
		}
		return false
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
		if p.Dir == syntax.NoDir && !isObject(p.Type) && !c.compileTime(a) && !(dataCall(sig) && c.actionData(a)) {
			c.errorf(a, codeNotConst, "%s: argument %s must be known at compile time", sig.Name, p.Name)
			return false
		}
	}
	return true
}

// dataCall reports whether what is called takes the data of an action as a constant.
func dataCall(sig *Signature) bool {
	return sig.Kind == ExternFunctionSig || sig.Kind == MethodSig || sig.Kind == FunctionSig
}

// actionData reports whether a is made of constants and of an action's parameters without a direction. The program or the
// control plane fixes these with the table entry, so that architectures take them where an extern wants a constant: PNA's own
// send_to_port(dest_port) is declared for it. (By the letter of the specification, section "Calling convention", the argument
// would have to be known at compile time.)
func (c *checker) actionData(a syntax.Expr) bool { return c.known(a, true) }

// isObject reports whether t is the type of something that is instantiated, not of a value.
func isObject(t Type) bool {
	switch t.(type) {
	case *Extern, *Applicable, *Package:
		return true
	}
	return false
}
