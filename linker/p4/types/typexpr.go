package types

import (
	"github.com/interlock/interlock/linker/p4/syntax"
)

// Bounds on what one type may ask for, so that a small text cannot ask for unbounded work.
const (
	maxWidth = 1 << 16 // bits of one value
	maxStack = 1 << 16 // elements of one array
)

// typ resolves a type as written. It returns Invalid after reporting what is wrong.
func (c *checker) typ(t syntax.Type) Type {
	r := c.resolveType(t)
	c.info.TypeNodes[t] = r
	return r
}

func (c *checker) resolveType(t syntax.Type) Type {
	switch t := t.(type) {
	case *syntax.BaseType:
		return c.baseType(t)
	case *syntax.NamedType:
		o, r := c.namedType(t)
		if o != nil && len(c.typeParams[o]) > 0 {
			c.errorf(t, codeTypeArgs, "%s needs %d type arguments", o.Name, len(c.typeParams[o]))
			return Invalid
		}
		return r
	case *syntax.SpecializedType:
		return c.specializedType(t)
	case *syntax.StackType:
		elem := c.typ(t.Elem)
		n, ok := c.size(t.Size, maxStack, "size of an array")
		if isInvalid(elem) || !ok {
			return Invalid
		}
		if !arrayElement(elem) {
			c.errorf(t, codeBadType, "an array cannot hold %v", elem)
			return Invalid
		}
		stack := &Stack{Elem: elem, Size: n}
		if !c.bounded(t, stack) {
			return Invalid
		}
		return stack
	case *syntax.TupleType:
		r := &Tuple{}
		for _, a := range t.Args {
			e := c.typ(a)
			if !isInvalid(e) && !storable(e) && !isInt(e) && !isBasic(e, MatchKindKind) {
				c.errorf(a, codeBadType, "a tuple cannot hold %v", e)
				e = Invalid
			}
			r.Elems = append(r.Elems, e)
		}
		if !c.bounded(t, r) {
			return Invalid
		}
		return r
	case *syntax.ListType:
		elem := c.typ(t.Elem)
		if !isInvalid(elem) && !listElement(elem) {
			c.errorf(t.Elem, codeBadType, "a list cannot hold %v", elem)
			return Invalid
		}
		return &List{Elem: elem}
	case *syntax.DontCareType:
		return DontCare
	case nil:
		return Void
	}
	c.unsupported(t, "this type")
	return Invalid
}

func (c *checker) baseType(t *syntax.BaseType) Type {
	switch t.Kind {
	case "bool":
		return Bool
	case "error":
		return Error
	case "match_kind":
		return MatchKind
	case "string":
		return String
	case "void":
		return Void
	case "bit", "int":
		if t.Width == nil {
			if t.Kind == "int" {
				return Int
			}
			return &Bit{Width: 1}
		}
		n, ok := c.size(t.Width, maxWidth, "width")
		if !ok {
			return Invalid
		}
		if n == 0 && t.Kind == "int" {
			c.errorf(t.Width, codeWidth, "int<0> is not a type")
			return Invalid
		}
		return &Bit{Width: n, Signed: t.Kind == "int"}
	case "varbit":
		if t.Width == nil {
			c.errorf(t, codeWidth, "varbit needs a width")
			return Invalid
		}
		n, ok := c.size(t.Width, maxWidth, "width")
		if !ok {
			return Invalid
		}
		return &Varbit{Max: n}
	}
	c.unsupported(t, "type "+t.Kind)
	return Invalid
}

// size evaluates a constant that counts something.
func (c *checker) size(e syntax.Expr, limit int, what string) (int, bool) {
	return c.sizeOf(e, c.expr(e, nil), limit, what)
}

func (c *checker) sizeOf(e syntax.Expr, t Type, limit int, what string) (int, bool) {
	if isInvalid(t) {
		return 0, false
	}
	v, ok := c.info.Values[e].(IntValue)
	switch {
	case !ok:
		c.errorf(e, codeWidth, "the %s must be a constant integer", what)
		return 0, false
	case v.Int.Sign() < 0 || !v.Int.IsInt64() || v.Int.Int64() > int64(limit):
		c.errorf(e, codeWidth, "the %s must be from 0 to %d, not %v", what, limit, v.Int)
		return 0, false
	}
	return int(v.Int.Int64()), true
}

// count is size for what need not be known before constructor parameters are.
func (c *checker) count(e syntax.Expr, limit int, what string) {
	t := c.expr(e, nil)
	if _, bits := c.representation(t).(*Bit); (bits || isInt(t)) && c.info.Values[e] == nil && c.compileTime(e) {
		return
	}
	c.sizeOf(e, t, limit, what)
}

// namedType resolves a type name without its type arguments. The type of a generic object is over its own parameters.
func (c *checker) namedType(t *syntax.NamedType) (*Object, Type) {
	o := c.resolve(t.Ident, t.Absolute)
	if o == nil {
		return nil, Invalid
	}
	switch o.Kind {
	case TypeObject, ParserObject, ControlObject:
		return o, o.Type
	case BadObject:
		return nil, Invalid
	}
	c.errorf(t, codeNotType, "%s is not a type", o.Name)
	return nil, Invalid
}

func (c *checker) specializedType(t *syntax.SpecializedType) Type {
	o, base := c.namedType(t.Base)
	c.info.TypeNodes[t.Base] = base
	args := make([]Type, len(t.Args))
	bad := o == nil || isInvalid(base)
	for i, a := range t.Args {
		args[i] = c.typ(a)
		bad = bad || isInvalid(args[i])
		if !typeArgument(args[i]) && !isBasic(args[i], DontCareKind) {
			c.errorf(a, codeBadType, "%v is not a type argument", args[i])
			bad = true
		}
	}
	if bad {
		return Invalid
	}
	ps := c.typeParams[o]
	if len(args) != len(ps) {
		c.errorf(t, codeTypeArgs, "%s takes %d type arguments, not %d", o.Name, len(ps), len(args))
		return Invalid
	}
	total := 0
	for _, a := range args {
		total += c.partCount(a)
	}
	if total > maxParts {
		c.errorf(t, codeBadType, "a value of this type would have more than %d parts", maxParts)
		return Invalid
	}
	r := c.specialize(o, args)
	if x, ok := r.(*Extern); ok && !c.specialisable(t, x) {
		return Invalid
	}
	if s, ok := r.(*Struct); ok && !(c.bounded(t, s) && c.checkFields(t, s)) {
		return Invalid
	}
	return r
}

// specialize gives a generic type its arguments. Equal arguments give the same type.
func (c *checker) specialize(o *Object, args []Type) Type {
	key := typeKey(o.Type)
	for _, a := range args {
		key += "|" + typeKey(a)
	}
	if t, ok := c.specialized[key]; ok {
		return t
	}
	b := bindings{}
	for i, p := range c.typeParams[o] {
		b[p] = args[i]
	}
	t := subst(o.Type, b)
	c.specialized[key] = t
	return t
}

// arrayElement reports whether there are arrays of t (specification, section "Type nesting rules").
func arrayElement(t Type) bool {
	switch t := t.(type) {
	case *Tuple:
		return false
	case *Stack:
		return !t.IsHeaderStack()
	}
	return storable(t)
}

// listElement reports whether there are lists of t.
func listElement(t Type) bool {
	switch t := t.(type) {
	case *List:
		return true
	case *Stack:
		return t.IsHeaderStack()
	}
	return storable(t) || isInt(t) || isBasic(t, StringKind) || isBasic(t, MatchKindKind)
}

// representation is what values of t are made of: a serializable enum's underlying type, and what a new type is made of.
func (c *checker) representation(t Type) Type {
	u := underlying(t)
	if n, ok := u.(*Enum); ok && n.Underlying != nil {
		return underlying(n.Underlying)
	}
	return u
}

// storable reports whether a variable or field may have type t.
func storable(t Type) bool {
	switch t := t.(type) {
	case *Basic:
		switch t.Kind {
		case BoolKind, ErrorKind, InvalidKind:
			return true
		}
		return false
	case *Bit, *Varbit, *Struct, *Stack, *Tuple, *Enum, *NewType, *TypeParam:
		return true
	}
	return false
}
