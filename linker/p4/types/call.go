package types

import "github.com/interlock/interlock/linker/p4/syntax"

// call checks a call; stmt says that it is a statement of its own, whose result is dropped.
func (c *checker) call(e *syntax.Call, want Type, stmt bool) (Type, Value) {
	r := &Call{}
	var t Type
	switch fun := unparen(e.Fun).(type) {
	case *syntax.Name:
		t = c.callName(e, fun, r, want)
	case *syntax.Member:
		t = c.callMember(e, fun, r, want)
	case *syntax.TypeExpr:
		t = c.callType(e, fun.Type, r)
	default:
		c.expr(e.Fun, nil)
		c.looseArgs(e.Args)
		c.errorf(e, codeNotCallable, "this cannot be called")
	}
	if t == nil || r.Kind == BadCall {
		t = Invalid
	} else {
		c.info.Calls[e] = r
		if r.Sig != nil {
			c.info.Types[e.Fun] = r.Sig
		}
	}
	if stmt {
		c.info.Types[e] = t
	}
	return t, c.callValue(e, r, t)
}

// callValue is the value of the few calls that are known at compile time.
func (c *checker) callValue(e *syntax.Call, r *Call, t Type) Value {
	switch {
	case r.Kind == BuiltinCall:
		return c.info.Values[e]
	case r.Kind == ExternFnCall && r.Method == "static_assert" && len(r.Args) > 0:
		v, ok := c.info.Values[r.Args[0]].(BoolValue)
		switch {
		case !ok:
			c.errorf(e, codeNotConst, "static_assert needs a condition known at compile time")
			return nil
		case !bool(v):
			msg := "static_assert failed"
			if len(r.Args) > 1 {
				if s, ok := c.info.Values[r.Args[1]].(StringValue); ok {
					msg += ": " + string(s)
				}
			}
			c.errorf(e, codeNotConst, "%s", msg)
		}
		return BoolValue(true)
	}
	return nil
}

// looseArgs checks the arguments of a call that cannot be resolved, for what is wrong inside them.
func (c *checker) looseArgs(args []*syntax.Arg) {
	for _, a := range args {
		if _, ok := a.Value.(*syntax.DontCare); !ok {
			c.expr(a.Value, nil)
		} else {
			c.info.Types[a.Value] = Invalid
		}
	}
}

func (c *checker) callName(e *syntax.Call, fun *syntax.Name, r *Call, want Type) Type {
	os := c.lookup(fun.Ident.Name, fun.Absolute)
	if len(os) == 0 {
		c.errorf(fun, codeUndeclared, "%s is not declared", fun.Ident.Name)
		c.looseArgs(e.Args)
		return Invalid
	}
	o := os[0]
	switch o.Kind {
	case TypeObject, ParserObject, ControlObject:
		written := syntax.Type(&syntax.NamedType{Ident: fun.Ident, Absolute: fun.Absolute})
		written.SetPos(fun.Pos())
		if len(e.TypeArgs) > 0 {
			spec := &syntax.SpecializedType{Base: written.(*syntax.NamedType), Args: e.TypeArgs}
			spec.SetPos(fun.Pos())
			written = spec
		}
		call, t := c.construct(e, written, e.Args)
		if call == nil {
			return Invalid
		}
		c.info.Types[fun] = t
		*r = *call
		return t
	case FunctionObject, ExternFnObject:
		o = c.overload(e, fun.Ident.Name, os, e.Args)
	case ActionObject:
	default:
		c.resolve(fun.Ident, fun.Absolute)
		c.errorf(e, codeNotCallable, "%s cannot be called", o.Name)
		c.looseArgs(e.Args)
		return Invalid
	}
	if o == nil {
		c.looseArgs(e.Args)
		return Invalid
	}
	c.info.Uses[fun.Ident] = o
	sig, ok := o.Type.(*Signature)
	if !ok { // a declaration with an error
		c.looseArgs(e.Args)
		return Invalid
	}
	r.Callee, r.Method = o, o.Name
	given := c.givenTypes(e.TypeArgs)
	switch o.Kind {
	case ActionObject:
		r.Kind = ActionCall
		if c.place != inApply && c.place != inAction {
			c.errorf(e, codeContext, "an action may not be called in %v", c.place)
		}
	case FunctionObject:
		r.Kind = FunctionCall
	default:
		r.Kind = ExternFnCall
		if o.Name == "verify" && o.Parent == nil && c.place != inState && c.place != inFunction {
			c.errorf(e, codeContext, "verify may not be called in %v", c.place)
		}
	}
	if !c.invoke(e, r, sig, given, e.Args, want) {
		r.Kind = BadCall
		return Invalid
	}
	return r.Sig.Result
}

func (c *checker) givenTypes(ts []syntax.Type) []Type {
	var given []Type
	for _, t := range ts {
		given = append(given, c.typ(t))
	}
	return given
}

// callType is T(args), an anonymous instance.
func (c *checker) callType(e *syntax.Call, written syntax.Type, r *Call) Type {
	if n, ok := written.(*syntax.NamedType); ok && len(e.TypeArgs) > 0 {
		spec := &syntax.SpecializedType{Base: n, Args: e.TypeArgs}
		spec.SetPos(n.Pos())
		written = spec
	}
	call, t := c.construct(e, written, e.Args)
	if call == nil {
		return Invalid
	}
	c.info.Types[e.Fun] = t
	*r = *call
	return t
}

func (c *checker) callMember(e *syntax.Call, fun *syntax.Member, r *Call, want Type) Type {
	sel := fun.Sel.Name
	r.Recv, r.Method = fun.X, sel
	if o, t, ok := c.typeOperand(fun.X); ok {
		return c.callOnType(e, fun, r, o, t)
	}
	if n, ok := unparen(fun.X).(*syntax.Name); ok {
		if os := c.lookup(n.Ident.Name, n.Absolute); len(os) == 1 {
			r.Callee = os[0]
		}
	}
	callee := r.Callee
	r.Callee = nil
	switch t := c.expr(fun.X, nil).(type) {
	case *Table:
		if sel != "apply" {
			break
		}
		if c.place != inApply {
			c.errorf(e, codeContext, "a table may not be applied in %v", c.place)
		}
		r.Kind, r.Callee = TableApply, callee
		if !c.invoke(e, r, &Signature{Kind: ApplySig, Name: "apply", Result: ApplyResult}, nil, e.Args, nil) {
			return Invalid
		}
		return ApplyResult
	case *Applicable:
		if sel != "apply" {
			break
		}
		r.Callee = callee
		return c.apply(e, r, t, false)
	case *Extern:
		return c.callMethod(e, fun, r, t, want)
	case *Basic:
		if isInvalid(t) {
			c.looseArgs(e.Args)
			return Invalid
		}
	}
	return c.builtin(e, fun, r, c.info.Types[fun.X])
}

// callOnType is T.apply(...) or T.minSizeInBits().
func (c *checker) callOnType(e *syntax.Call, fun *syntax.Member, r *Call, o *Object, t Type) Type {
	if isInvalid(t) {
		c.looseArgs(e.Args)
		return Invalid
	}
	if a, ok := t.(*Applicable); ok && fun.Sel.Name == "apply" {
		if o == nil || o.Kind == TypeObject {
			c.errorf(e, codeNotCallable, "%v has no body to apply", t)
			c.looseArgs(e.Args)
			return Invalid
		}
		if len(a.Ctor.Params) > 0 {
			c.errorf(e, codeArgs, "%s has constructor parameters and must be instantiated", a.Name)
		}
		r.Callee = o
		return c.apply(e, r, a, true)
	}
	return c.builtin(e, fun, r, t)
}

func (c *checker) apply(e *syntax.Call, r *Call, t *Applicable, direct bool) Type {
	switch {
	case direct:
		r.Kind = DirectApply
	case t.Control:
		r.Kind = ControlApply
	default:
		r.Kind = ParserApply
	}
	if t.Control && c.place != inApply || !t.Control && c.place != inState {
		c.errorf(e, codeContext, "%s may not be applied in %v", t.Name, c.place)
	}
	if !c.invoke(e, r, t.Apply, nil, e.Args, nil) {
		r.Kind = BadCall
		return Invalid
	}
	return Void
}

func (c *checker) callMethod(e *syntax.Call, fun *syntax.Member, r *Call, t *Extern, want Type) Type {
	sel := fun.Sel.Name
	x := c.methods[t.Decl]
	cands := x.methods[sel]
	if len(cands) == 0 {
		c.errorf(fun.Sel, codeNoMember, "%v has no method %s", t, sel)
		c.looseArgs(e.Args)
		return Invalid
	}
	m := c.overload(e, sel, cands, e.Args)
	if m == nil {
		c.looseArgs(e.Args)
		return Invalid
	}
	sig, ok := m.Type.(*Signature)
	if !ok {
		c.looseArgs(e.Args)
		return Invalid
	}
	b := bindings{}
	for i, p := range c.typeParams[x.obj] {
		b[p] = t.Args[i]
	}
	r.Kind = MethodCall
	if !c.invoke(e, r, substSig(sig, b), c.givenTypes(e.TypeArgs), e.Args, want) {
		r.Kind = BadCall
		return Invalid
	}
	if !c.packetCall(e, t, r) {
		r.Kind = BadCall
		return Invalid
	}
	return r.Sig.Result
}

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
		return t.Kind == BoolKind || t.Kind == IntKind || t.Kind == StringKind || t.Kind == ErrorKind || t.Kind == InvalidKind
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
