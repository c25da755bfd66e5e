package types

import (
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// call checks a call; stmt says that it is a statement of its own, whose result is dropped.
func (c *checker) call(e *syntax.Call, want Type, stmt bool) (Type, Value) {
	r := &Call{}
	var t Type
	switch fun := syntax.Unparen(e.Fun).(type) {
	case *syntax.Name:
		t = c.callName(e, fun, r, want)
	case *syntax.Member:
		t = c.callMember(e, fun, r, want)
	case *syntax.TypeExpr:
		t = c.callType(e, fun.Type, r, want)
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

// knownCall reports whether the result of a call is known at compile time: the size of a type that is a type parameter, and what
// a @pure extern function makes of known arguments. Neither has a value here.
func (c *checker) knownCall(e *syntax.Call, data bool) bool {
	r := c.info.Calls[e]
	if r == nil {
		return false
	}
	switch r.Kind {
	case BuiltinCall:
		return isInt(r.Sig.Result) // minSizeInBits and its like
	case ExternFnCall:
		if f, ok := r.Callee.Decl.(*syntax.FunctionDecl); !ok || !hasAnnotation(f.Annotations, "pure") {
			return false
		}
		for i, p := range r.Sig.Params {
			if p.Dir == syntax.Out || p.Dir == syntax.InOut || r.Args[i] != nil && !c.known(r.Args[i], data) {
				return false
			}
		}
		return true
	}
	return false
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
		call, t := c.construct(e, written, e.Args, want)
		if call == nil {
			return Invalid
		}
		c.anonymous(e, t)
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
func (c *checker) callType(e *syntax.Call, written syntax.Type, r *Call, want Type) Type {
	if n, ok := written.(*syntax.NamedType); ok && len(e.TypeArgs) > 0 {
		spec := &syntax.SpecializedType{Base: n, Args: e.TypeArgs}
		spec.SetPos(n.Pos())
		written = spec
	}
	call, t := c.construct(e, written, e.Args, want)
	if call == nil {
		return Invalid
	}
	c.anonymous(e, t)
	c.info.Types[e.Fun] = t
	*r = *call
	return t
}

// anonymous checks an instance without a name.
func (c *checker) anonymous(e *syntax.Call, t Type) {
	if c.place == inFunction {
		c.errorf(e, codeContext, "%v may not be instantiated in a function", t)
	}
	if ext, ok := t.(*Extern); ok {
		c.needImplemented(e, ext, nil)
	}
}

func (c *checker) callMember(e *syntax.Call, fun *syntax.Member, r *Call, want Type) Type {
	sel := fun.Sel.Name
	r.Recv, r.Method = fun.X, sel
	if o, t, ok := c.typeOperand(fun.X); ok {
		return c.callOnType(e, fun, r, o, t)
	}
	if n, ok := syntax.Unparen(fun.X).(*syntax.Name); ok {
		if os := c.lookup(n.Ident.Name, n.Absolute); len(os) == 1 {
			r.Callee = os[0]
		}
	}
	callee := r.Callee
	r.Callee = nil
	typed := c.instance
	if strings.HasPrefix(sel, "minSizeIn") || strings.HasPrefix(sel, "maxSizeIn") {
		typed = c.receiver
	}
	switch t := typed(fun.X).(type) {
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

// instance types the expression before a method, which may be this.
func (c *checker) instance(e syntax.Expr) Type {
	this, ok := syntax.Unparen(e).(*syntax.This)
	if !ok || c.self == nil {
		return c.expr(e, nil)
	}
	c.info.Types[this], c.info.Types[e] = c.self.Type, c.self.Type
	c.info.This[this] = c.self
	return c.self.Type
}

// callOnType is T.apply(...) or T.minSizeInBits().
func (c *checker) callOnType(e *syntax.Call, fun *syntax.Member, r *Call, o *Object, t Type) Type {
	if isInvalid(t) {
		c.looseArgs(e.Args)
		return Invalid
	}
	if a, ok := t.(*Applicable); ok && fun.Sel.Name == "apply" {
		if o == nil || o.Kind == TypeObject || !hasBody(a) {
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
	sig := t.Apply
	infers := direct && len(t.Args) > 0 && t == r.Callee.Type
	if infers { // T.apply(...) of a generic T
		sig = &Signature{Kind: ApplySig, Name: sig.Name, Params: sig.Params, Result: sig.Result, TypeParams: c.typeParams[r.Callee]}
	}
	if !c.invoke(e, r, sig, nil, e.Args, nil) {
		r.Kind = BadCall
		return Invalid
	}
	if infers {
		c.info.Types[r.Recv] = c.specialize(r.Callee, r.TypeArgs)
	} else if direct {
		r.TypeArgs = t.Args
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
	r.Kind, r.Decl = MethodCall, m
	if !c.invoke(e, r, substSig(sig, c.externArgs(t)), c.givenTypes(e.TypeArgs), e.Args, want) {
		r.Kind = BadCall
		return Invalid
	}
	if _, this := syntax.Unparen(fun.X).(*syntax.This); this && isAbstract(m) {
		c.selfCalls[c.owner] = append(c.selfCalls[c.owner], selfCall{e, m.Name})
	}
	if !c.packetCall(e, t, r) {
		r.Kind = BadCall
		return Invalid
	}
	return r.Sig.Result
}
