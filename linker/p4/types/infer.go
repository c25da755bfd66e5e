package types

import "github.com/interlock/interlock/linker/p4/syntax"

// An inference finds the type arguments of one call.
type inference struct {
	c    *checker
	sig  *Signature
	args []syntax.Expr       // by parameter; nil where absent
	open map[*TypeParam]bool // those that are not given
	skip map[*TypeParam]bool // those of them that are given as _
	b    bindings
}

// run types the arguments, from left to right, and binds what they and the context tell. It returns false if an argument is
// wrong in itself.
func (in *inference) run(want Type) bool {
	ok := true
	var late []int
	for i, p := range in.sig.Params {
		a := in.args[i]
		switch {
		case a == nil:
			if p.Default != nil {
				// What the default is made of in terms of the type parameters tells nothing about them.
				if t := in.c.info.Types[p.Default]; !mentions(t, in.open) {
					infer(p.Type, t, in.open, in.b)
				}
			}
		case in.c.genericInstance(a) && in.unbound(p.Type):
			late = append(late, i) // others may tell its type arguments
		default:
			ok = in.arg(p, a) && ok
		}
	}
	if want != nil && in.sig.Result != nil {
		// The context tells only what the arguments do not: a T that is an int to them stays one.
		left := map[*TypeParam]bool{}
		for p := range in.open {
			left[p] = in.b[p] == nil
		}
		infer(in.sig.Result, want, left, in.b)
	}
	for _, i := range late {
		ok = in.arg(in.sig.Params[i], in.args[i]) && ok
	}
	return ok
}

func (in *inference) arg(p *Param, a syntax.Expr) bool {
	if _, ok := a.(*syntax.DontCare); ok {
		in.c.info.Types[a] = DontCare
		return true
	}
	t := in.c.expr(a, in.hint(p.Type))
	infer(p.Type, t, in.open, in.b)
	return !isInvalid(t)
}

// hint is what is known of a parameter's type so far, or nil.
func (in *inference) hint(t Type) Type {
	if !in.unbound(t) {
		return subst(t, in.b)
	}
	if _, ok := t.(*Applicable); !ok {
		return nil
	}
	b := bindings{}
	for p := range in.open {
		b[p] = DontCare
	}
	for p, t := range in.b {
		b[p] = t
	}
	return subst(t, b)
}

// unbound reports whether t depends on type parameters that are not determined yet.
func (in *inference) unbound(t Type) bool {
	left := map[*TypeParam]bool{}
	for p := range in.open {
		if in.b[p] == nil {
			left[p] = true
		}
	}
	return mentions(t, left)
}

// typeArg is the argument found for p. It is _ for a parameter that nothing depends on: one that was given as _ where a package
// or one of its arguments is constructed, or that only absent arguments mention.
func (in *inference) typeArg(p *TypeParam) (Type, bool) {
	if t, ok := in.b[p]; ok {
		return t, true
	}
	only := map[*TypeParam]bool{p: true}
	if in.sig.Kind == CtorSig && !isExtern(in.sig.Result) {
		if in.skip[p] {
			return DontCare, true
		}
	} else if mentions(in.sig.Result, only) {
		return nil, false
	}
	absent := false
	for i, q := range in.sig.Params {
		if mentions(q.Type, only) {
			if in.args[i] != nil {
				return nil, false
			}
			absent = true
		}
	}
	return DontCare, absent
}

func isExtern(t Type) bool {
	_, ok := t.(*Extern)
	return ok
}

// genericInstance reports whether e constructs a generic parser, control or extern without saying for which types.
func (c *checker) genericInstance(e syntax.Expr) bool {
	k, ok := syntax.Unparen(e).(*syntax.Call)
	if !ok || len(k.TypeArgs) > 0 {
		return false
	}
	n, ok := syntax.Unparen(k.Fun).(*syntax.Name)
	if !ok {
		return false
	}
	os := c.lookup(n.Ident.Name, n.Absolute)
	return len(os) > 0 && os[0].Kind != FunctionObject && os[0].Kind != ExternFnObject && len(c.typeParams[os[0]]) > 0
}

// infer matches a formal type against an actual one and binds what it learns about the wanted type parameters. It reports
// nothing: what does not fit shows when the argument is converted to the substituted type.
func infer(formal, actual Type, want map[*TypeParam]bool, b bindings) {
	if formal == nil || actual == nil || isInvalid(actual) {
		return
	}
	switch f := formal.(type) {
	case *TypeParam:
		if !want[f] || isPending(actual) || actual == formal {
			return
		}
		if old, ok := b[f]; ok {
			b[f] = join(old, actual)
		} else {
			b[f] = actual
		}
	case *Struct:
		if a, ok := actual.(*Struct); ok && a.Decl == f.Decl {
			inferLists(f.Args, a.Args, want, b)
		}
	case *Stack:
		if a, ok := actual.(*Stack); ok {
			infer(f.Elem, a.Elem, want, b)
		}
	case *Tuple:
		if a, ok := actual.(*Tuple); ok {
			inferLists(f.Elems, a.Elems, want, b)
		}
	case *List:
		switch a := actual.(type) {
		case *List:
			infer(f.Elem, a.Elem, want, b)
		case *Tuple:
			for _, e := range a.Elems {
				infer(f.Elem, e, want, b)
			}
		}
	case *Set:
		if a, ok := actual.(*Set); ok {
			infer(f.Elem, a.Elem, want, b)
		}
	case *Extern:
		if a, ok := actual.(*Extern); ok && a.Decl == f.Decl {
			inferLists(f.Args, a.Args, want, b)
		}
	case *Applicable:
		a, ok := actual.(*Applicable)
		if !ok {
			return
		}
		if a.Decl == f.Decl {
			inferLists(f.Args, a.Args, want, b)
			return
		}
		for i, p := range f.Apply.Params {
			if i < len(a.Apply.Params) {
				infer(p.Type, a.Apply.Params[i].Type, want, b)
			}
		}
	case *Package:
		if a, ok := actual.(*Package); ok && a.Decl == f.Decl {
			inferLists(f.Args, a.Args, want, b)
		}
	}
}

func inferLists(f, a []Type, want map[*TypeParam]bool, b bindings) {
	for i := range f {
		if i < len(a) {
			infer(f[i], a[i], want, b)
		}
	}
}

// join is the type that two arguments of one type parameter agree on; where they do not, the first one.
func join(a, b Type) Type {
	if isInt(a) {
		if _, ok := b.(*Bit); ok {
			return b
		}
	}
	x, ok1 := a.(*Tuple)
	y, ok2 := b.(*Tuple)
	switch {
	case ok1 && ok2 && len(x.Elems) == len(y.Elems):
		t := &Tuple{}
		for i := range x.Elems {
			t.Elems = append(t.Elems, join(x.Elems[i], y.Elems[i]))
		}
		return t
	case ok1 && !ok2: // a list expression takes the type of what it stands beside
		switch b.(type) {
		case *Struct, *List, *Stack:
			return b
		}
	}
	return a
}

// isPending reports whether t is the type of an expression that only its context can complete.
func isPending(t Type) bool {
	return isBasic(t, defaultKind) || isBasic(t, invalidHeaderKind) || isBasic(t, DontCareKind)
}

// mentions reports whether any of the parameters occurs in t.
func mentions(t Type, ps map[*TypeParam]bool) bool {
	if len(ps) == 0 {
		return false
	}
	found := map[*TypeParam]bool{}
	typeParamsOf(t, found)
	for p := range found {
		if ps[p] {
			return true
		}
	}
	return false
}
