package types

// infer matches a formal type against an actual one and binds what it learns about the wanted type parameters. It reports
// nothing: what does not fit shows when the argument is converted to the substituted type.
func infer(formal, actual Type, want map[*TypeParam]bool, b bindings) {
	if formal == nil || actual == nil || isInvalid(actual) {
		return
	}
	switch f := formal.(type) {
	case *TypeParam:
		if !want[f] || isPending(actual) {
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
	any := func(ts []Type) bool {
		for _, t := range ts {
			if mentions(t, ps) {
				return true
			}
		}
		return false
	}
	switch t := t.(type) {
	case *TypeParam:
		return ps[t]
	case *Struct:
		return any(t.Args)
	case *Stack:
		return mentions(t.Elem, ps)
	case *Tuple:
		return any(t.Elems)
	case *List:
		return mentions(t.Elem, ps)
	case *Set:
		return mentions(t.Elem, ps)
	case *Extern:
		return any(t.Args)
	case *Applicable:
		return any(t.Args)
	case *Package:
		return any(t.Args)
	}
	return false
}
