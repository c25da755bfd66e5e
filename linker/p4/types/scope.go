package types

import "github.com/interlock/interlock/linker/p4/syntax"

// scope is one level of names. Functions and extern functions may be overloaded: one name, several objects.
type scope struct {
	outer *scope
	names map[string][]*Object
}

func (c *checker) push() { c.scope = &scope{outer: c.scope, names: map[string][]*Object{}} }
func (c *checker) pop()  { c.scope = c.scope.outer }

// declare enters o into the current scope and records its definition.
func (c *checker) declare(o *Object) {
	if o.Ident != nil {
		c.info.Defs[o.Ident] = o
	}
	if o.Name == "" || o.Name == "_" {
		return
	}
	if c.hidesParam(o) {
		return
	}
	old := c.scope.names[o.Name]
	for _, x := range old {
		if c.overloads(x, o) {
			continue
		}
		c.errorf(o.Ident, codeRedeclared, "%s is already declared", o.Name)
		c.noteDeclared(x)
		return
	}
	c.scope.names[o.Name] = append(old, o)
}

// hidesParam reports a local of a block that takes the name of a parameter of what the block stands in. The language leaves it
// to the implementation to complain, and p4c refuses it, too. What a parser or control declares outside of blocks may take the
// name of its parameters.
func (c *checker) hidesParam(o *Object) bool {
	switch c.place {
	case inState, inApply, inAction, inFunction:
	default:
		return false
	}
	if o.Kind != VarObject && o.Kind != ConstObject || len(c.scope.names[o.Name]) > 0 {
		return false
	}
	for _, x := range c.lookup(o.Name, false) {
		if x.Kind == ParamObject {
			c.errorf(o.Ident, codeShadow, "%s hides a parameter", o.Name)
			c.noteDeclared(x)
			return true
		}
	}
	return false
}

// overloads reports whether two objects may have one name: functions always, since it is a call that must tell them apart; a
// parser, control or package by its constructor.
func (c *checker) overloads(x, o *Object) bool {
	if x.Kind == ExternFnObject && o.Kind == ExternFnObject || x.Kind == FunctionObject && o.Kind == FunctionObject {
		if sameShape(x, o) {
			c.warnf(o.Ident, codeIndistinct, "no call can tell this %s from the one at %v", o.Name, x.Ident.Pos())
		}
		return true
	}
	if x.Kind == ExternFnObject && o.Kind == FunctionObject || x.Kind == FunctionObject && o.Kind == ExternFnObject {
		return !sameShape(x, o)
	}
	if x.Kind != o.Kind || !isObject(x.Type) || isExtern(x.Type) || sameShape(x, o) {
		return false
	}
	if a, ok := x.Type.(*Applicable); ok && !hasBody(a) {
		return false
	}
	c.extension(o.Ident, "a second %s beside the one at %v", o.Name, x.Ident.Pos())
	return true
}

// sameShape reports whether two functions or constructors take the same parameter names, so that no call could tell them apart.
func sameShape(a, b *Object) bool {
	x, y := callSignature(a), callSignature(b)
	if x == nil || y == nil {
		return true
	}
	if len(x.Params) != len(y.Params) {
		return false
	}
	for i := range x.Params {
		if x.Params[i].Name != y.Params[i].Name {
			return false
		}
	}
	return true
}

// lookup finds the objects of a name, from the innermost scope or, for an absolute one, at top level.
func (c *checker) lookup(name string, absolute bool) []*Object {
	if absolute {
		if os := c.top.names[name]; len(os) > 0 || c.matchKinds[name] == nil {
			return os
		}
		return []*Object{c.matchKinds[name]}
	}
	for s := c.scope; s != nil; s = s.outer {
		if os := s.names[name]; len(os) > 0 {
			return os
		}
	}
	if o := c.matchKinds[name]; o != nil {
		return []*Object{o} // whatever else has the name hides the match kind: there are many, and only tables name them
	}
	return nil
}

// resolve finds the one object that an identifier names and records the use; it reports an unknown name and returns nil.
func (c *checker) resolve(id *syntax.Ident, absolute bool) *Object {
	os := c.lookup(id.Name, absolute)
	if len(os) == 0 {
		c.errorf(id, codeUndeclared, "%s is not declared", id.Name)
		return nil
	}
	if len(os) > 1 {
		c.errorf(id, codeAmbiguous, "%s is overloaded and can only be called", id.Name)
		return nil
	}
	c.info.Uses[id] = os[0]
	return os[0]
}
