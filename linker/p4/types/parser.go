package types

import "github.com/interlock/interlock/linker/p4/syntax"

// parserStates checks the states of a parser, which may name each other in any order.
func (c *checker) parserStates(parser *Object, d *syntax.ParserDecl) {
	old := c.states
	defer func() { c.states = old }()
	c.states = map[string]*Object{}
	for _, name := range []string{"accept", "reject"} {
		c.states[name] = &Object{Kind: StateObject, Name: name, Type: State, Parent: parser}
	}
	for _, s := range d.States {
		name := s.Name.Name
		o := c.newObject(StateObject, s.Name, State, s)
		c.info.Defs[s.Name] = o
		if prev := c.states[name]; prev != nil {
			if prev.Ident == nil {
				c.errorf(s.Name, codeNoStart, "state %s is built in", name)
			} else {
				c.errorf(s.Name, codeRedeclared, "state %s is already declared", name)
				c.noteDeclared(prev)
			}
			continue
		}
		c.states[name] = o
	}
	if c.states["start"] == nil {
		c.errorf(d.Name, codeNoStart, "parser %s has no state start", d.Name.Name)
	}
	for _, s := range d.States {
		c.within(c.info.Defs[s.Name], inState, func() {
			for _, st := range s.Body {
				c.stmt(st)
			}
			if s.Transition != nil {
				c.transition(s.Transition)
			}
		})
	}
	if start := c.states["start"]; start != nil && !ends(c.states, "start", map[string]bool{}) {
		c.errorf(d.Name, codeDeadParser, "parser %s can reach neither accept nor reject", d.Name.Name)
	}
}

// ends reports whether parsing can end that comes to a state not seen before: in accept or reject, which is also where a state
// without a transition leads, or a select without a default. What is no state has been reported and counts as an end.
func ends(states map[string]*Object, name string, seen map[string]bool) bool {
	if seen[name] {
		return false
	}
	seen[name] = true
	o := states[name]
	if o == nil {
		return true
	}
	s, ok := o.Decl.(*syntax.StateDecl)
	if !ok || s.Transition == nil {
		return true
	}
	if s.Transition.Select == nil {
		return s.Transition.Next == nil || ends(states, s.Transition.Next.Name, seen)
	}
	catchAll := false
	for _, k := range s.Transition.Select.Cases {
		switch k.Keyset.(type) {
		case *syntax.DefaultExpr, *syntax.DontCare:
			catchAll = true
		}
		if ends(states, k.Next.Name, seen) {
			return true
		}
	}
	return !catchAll
}

func (c *checker) state(id *syntax.Ident) {
	o := c.states[id.Name]
	if o == nil {
		c.errorf(id, codeState, "%s is not a state of this parser", id.Name)
		return
	}
	c.info.Uses[id] = o
}

func (c *checker) transition(t *syntax.Transition) {
	if t.Select == nil {
		if t.Next != nil {
			c.state(t.Next)
		}
		return
	}
	sel := t.Select
	c.info.Types[sel] = State
	elems := make([]Type, len(sel.Exprs))
	for i, e := range sel.Exprs {
		elems[i] = c.expr(e, nil)
		if isInvalid(elems[i]) {
			continue
		}
		if !selectable(elems[i]) {
			c.errorf(e, codeKeyset, "cannot select on %v", elems[i])
			elems[i] = Invalid
		}
	}
	for _, k := range sel.Cases {
		c.keysetTuple(k.Keyset, elems)
		c.constKeyset(k.Keyset)
		c.state(k.Next)
	}
}

// selectable reports whether select can look at values of type t (specification, section "Select expressions").
func selectable(t Type) bool {
	switch u := underlying(t).(type) {
	case *Bit, *Enum:
		return true
	case *Basic:
		return u.Kind == BoolKind || u.Kind == ErrorKind
	case *Tuple:
		for _, e := range u.Elems {
			if !selectable(e) {
				return false
			}
		}
		return true
	}
	return false
}

// keysetTuple checks the keyset of a select case or table entry against the types it must match.
func (c *checker) keysetTuple(k syntax.Expr, elems []Type) {
	whole := func() Type {
		if len(elems) == 1 {
			return &Set{Elem: elems[0]}
		}
		return &Set{Elem: &Tuple{Elems: elems}}
	}
	switch x := k.(type) {
	case *syntax.DefaultExpr, *syntax.DontCare:
		c.info.Types[k] = whole()
		return
	case *syntax.ListExpr:
		if len(x.Elems) != len(elems) || x.Dots {
			for _, e := range x.Elems {
				c.keyset(e, Invalid)
			}
			c.info.Types[k] = Invalid
			c.errorf(k, codeKeyset, "%d values where %d are matched", len(x.Elems), len(elems))
			return
		}
		for i, e := range x.Elems {
			c.keyset(e, elems[i])
		}
		c.info.Types[k] = whole()
		return
	case *syntax.Paren:
		c.keysetTuple(x.X, elems)
		c.info.Types[k] = c.info.Types[x.X]
		return
	}
	if len(elems) == 1 {
		c.keyset(k, elems[0])
		return
	}
	// A value set holds whole tuples.
	t := c.expr(k, nil)
	if s, ok := t.(*Set); ok && c.setFits(s, elems) {
		return
	}
	if !isInvalid(t) {
		c.errorf(k, codeKeyset, "one value where %d are matched", len(elems))
	}
}

// constKeyset reports the bounds of ranges and masks that are not known at compile time and, under v1model, all parts of a
// keyset that are not. (Other values need not be, specification, section "Select expressions".)
func (c *checker) constKeyset(k syntax.Expr) {
	known := func(e syntax.Expr) {
		if !c.compileTime(e) {
			c.errorf(e, codeNotConst, "a keyset must be known at compile time")
		}
	}
	switch x := syntax.Unparen(k).(type) {
	case *syntax.DefaultExpr, *syntax.DontCare:
		return
	case *syntax.ListExpr:
		for _, e := range x.Elems {
			c.constKeyset(e)
		}
		return
	case *syntax.Binary:
		if x.Op == "&&&" || x.Op == ".." {
			known(x.X)
			known(x.Y)
			return
		}
	case *syntax.Name:
		if o := c.info.Uses[x.Ident]; o != nil && o.Kind == ValueSetObject {
			return
		}
	}
	if c.isV1Model() {
		known(k)
	}
}

// setFits reports whether the elements of a set can be matched against values of the given types: structs and tuples field by
// field, whatever holds the fields.
func (c *checker) setFits(s *Set, elems []Type) bool {
	if len(elems) == 1 && Identical(s.Elem, elems[0]) {
		return true
	}
	return identicalLists(flatten(nil, s.Elem), flatten(nil, elems...))
}

// flatten appends the fields of structs and tuples.
func flatten(to []Type, ts ...Type) []Type {
	for _, t := range ts {
		switch t := t.(type) {
		case *Tuple:
			to = flatten(to, t.Elems...)
		case *Struct:
			for _, f := range t.Fields {
				to = flatten(to, f.Type)
			}
		default:
			to = append(to, t)
		}
	}
	return to
}

// keyset checks one keyset element against the type it is matched with.
func (c *checker) keyset(k syntax.Expr, elem Type) {
	set := &Set{Elem: elem}
	switch x := k.(type) {
	case *syntax.DefaultExpr, *syntax.DontCare:
		c.info.Types[k] = set
		return
	case *syntax.Paren:
		c.keyset(x.X, elem)
		c.info.Types[k] = c.info.Types[x.X]
		return
	case *syntax.Binary:
		if x.Op != "&&&" && x.Op != ".." {
			break
		}
		c.info.Types[k] = set
		operand := elem
		switch u := underlying(elem).(type) {
		case *Enum:
			if u.Underlying != nil {
				operand = u.Underlying
			}
		}
		for _, y := range []syntax.Expr{x.X, x.Y} {
			c.expr(y, operand)
			c.convert(y, operand)
		}
		if _, ok := underlying(operand).(*Bit); !ok && !isInvalid(operand) {
			c.errorf(k, codeKeyset, "%s is not defined on %v", x.Op, elem)
		}
		return
	}
	if l, ok := k.(*syntax.ListExpr); ok {
		if t, ok := underlying(elem).(*Tuple); ok {
			c.keysetTuple(l, t.Elems)
			return
		}
	}
	t := c.expr(k, elem)
	if s, ok := t.(*Set); ok {
		if !c.setFits(s, []Type{elem}) && !isInvalid(elem) {
			c.errorf(k, codeKeyset, "a %v cannot match %v", t, elem)
		}
		return
	}
	c.convert(k, elem)
}
