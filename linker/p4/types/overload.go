package types

import "github.com/interlock/interlock/linker/p4/syntax"

// Functions, methods and constructors are overloaded by the number and the names of their parameters, never by types
// (specification, section "Extern objects").

// callSignature is what a call of o is matched with: the signature of a function, the constructor of what is instantiated.
func callSignature(o *Object) *Signature {
	switch t := o.Type.(type) {
	case *Signature:
		return t
	case *Applicable:
		return t.Ctor
	case *Package:
		return t.Ctor
	}
	return nil
}

// namedOnly reports whether arguments could not be told apart by position: with both optional parameters and defaults
// (specification, section "Optional parameters").
func namedOnly(sig *Signature) bool {
	optional, defaults := false, false
	for _, p := range sig.Params {
		optional = optional || p.Optional
		defaults = defaults || p.Default != nil
	}
	return optional && defaults
}

// overload picks the function that takes the arguments. With one candidate it is that one, fitting or not.
func (c *checker) overload(at syntax.Node, what string, cands []*Object, args []*syntax.Arg) *Object {
	if len(cands) == 1 {
		return cands[0]
	}
	var fit []*Object
	for _, o := range cands {
		if sig := callSignature(o); sig != nil && takes(sig, args) {
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
	switch {
	case named > 0 && named < len(args):
		c.errorf(at, codeArgs, "arguments are all named or all positional")
		return nil, false
	case named < len(args) && namedOnly(sig):
		c.errorf(at, codeArgs, "%s has optional parameters and defaults: its arguments must be named", sig.Name)
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
