package types

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// convert makes the checked expression e a value of type to, by the implicit conversions of the language, and records it. It
// reports what does not fit and returns false.
func (c *checker) convert(e syntax.Expr, to Type) bool {
	if e == nil || to == nil {
		return true
	}
	t := c.info.Types[e]
	if t == nil || isInvalid(t) {
		return true
	}
	if isInvalid(to) {
		return true
	}
	switch x := e.(type) {
	case *syntax.Paren:
		if !c.convert(x.X, to) {
			return false
		}
		c.adopt(e, x.X)
		return true
	case *syntax.Cond:
		if needsContext(t) && !Identical(t, to) {
			if !c.convert(x.X, to) || !c.convert(x.Y, to) {
				return false
			}
			c.info.Types[e] = to
			c.reconsiderCond(x)
			return true
		}
	case *syntax.ListExpr:
		return c.convertList(x, to)
	case *syntax.StructExpr:
		return c.convertStruct(x, to)
	case *syntax.InvalidExpr:
		if isHeader(to) || isUnion(to) {
			c.info.Types[e] = to
			return true
		}
	case *syntax.DotsExpr:
		if v := zeroValue(to); v != nil {
			c.info.Values[e] = v
		} else if !storable(to) {
			break
		}
		c.info.Types[e] = to
		return true
	}
	if Identical(t, to) {
		return true
	}
	if isInt(t) {
		if b, ok := to.(*Bit); ok {
			return c.convertInt(e, b)
		}
		if b, ok := underlying(to).(*Bit); ok {
			c.extension(e, "the implicit cast of an integer to %v", to)
			ok = c.convertInt(e, b)
			c.info.Implicit[e] = to
			return ok
		}
	}
	if n, ok := t.(*Enum); ok && n.Underlying != nil && Identical(n.Underlying, to) {
		c.info.Implicit[e] = to
		return true
	}
	if _, bits := t.(*Bit); bits && isInt(to) {
		c.extension(e, "the implicit cast of %v to int", t)
		c.info.Implicit[e] = to
		return true
	}
	if isObject(t) && standsFor(t, to) {
		return true
	}
	if a, ok := t.(*Applicable); ok {
		if w, ok := to.(*Applicable); ok {
			c.errorf(e, codePackage, "%s does not have the parameters of %v", a.Name, w)
			return false
		}
	}
	c.errorf(e, codeMismatch, "a value of type %v stands where %v is wanted", t, to)
	return false
}

// adopt gives a parenthesised expression what its inside has.
func (c *checker) adopt(e, x syntax.Expr) {
	c.info.Types[e] = c.info.Types[x]
	if v := c.info.Values[x]; v != nil {
		c.info.Values[e] = v
	}
	if t := c.info.Implicit[x]; t != nil {
		// The conversion happens once, outside.
		delete(c.info.Implicit, x)
		c.info.Implicit[e] = t
	}
}

func (c *checker) reconsiderCond(x *syntax.Cond) {
	if v, ok := c.info.Values[x.C].(BoolValue); ok {
		branch := x.Y
		if v {
			branch = x.X
		}
		if w := c.info.Values[branch]; w != nil {
			c.info.Values[x] = w
		}
	}
}

// needsContext reports whether an expression of type t takes its final type from where it stands.
func needsContext(t Type) bool {
	switch t := t.(type) {
	case *Tuple:
		return true
	case *Struct:
		return t.Decl == nil
	}
	return isInt(t) || isPending(t)
}

func (c *checker) convertInt(e syntax.Expr, b *Bit) bool {
	v, ok := c.info.Values[e].(IntValue)
	if !ok {
		if c.compileTime(e) {
			c.info.Implicit[e] = b
			return true
		}
		// An element of a variable of type tuple<int>.
		c.extension(e, "an integer without a width at run time")
		c.info.Implicit[e] = b
		return true
	}
	w := wrap(v.Int, b)
	if !fits(v.Int, b) {
		c.warnf(e, codeTruncated, "%v does not fit %v and is cut to %v", v.Int, b, w)
	}
	c.info.Types[e] = b
	c.info.Values[e] = IntValue{w}
	return true
}

func (c *checker) convertList(e *syntax.ListExpr, to Type) bool {
	bad := func() bool {
		c.errorf(e, codeInitialiser, "a list of %d values stands where %v is wanted", len(e.Elems), to)
		return false
	}
	n := -1 // any number
	var typeOf func(i int) Type
	switch t := to.(type) {
	case *Struct:
		if t.Kind == HeaderUnion {
			return bad()
		}
		n = len(t.Fields)
		typeOf = func(i int) Type { return t.Fields[i].Type }
	case *Tuple:
		n = len(t.Elems)
		typeOf = func(i int) Type { return t.Elems[i] }
	case *List:
		typeOf = func(int) Type { return t.Elem }
	case *Stack:
		n = t.Size
		typeOf = func(int) Type { return t.Elem }
	default:
		return bad()
	}
	if n >= 0 && (len(e.Elems) > n || len(e.Elems) < n && !e.Dots) {
		return bad()
	}
	ok := true
	vals := TupleValue{}
	for i, x := range e.Elems {
		ok = c.convert(x, typeOf(i)) && ok
		vals = append(vals, c.converted(x))
	}
	if e.Dots {
		for i := len(e.Elems); i < n; i++ {
			vals = append(vals, zeroValue(typeOf(i)))
		}
	}
	if !ok {
		c.info.Types[e] = Invalid
		return false
	}
	c.info.Types[e] = to
	c.setTuple(e, vals)
	return true
}

// converted is the value of e after its implicit conversion, or nil.
func (c *checker) converted(e syntax.Expr) Value { return c.info.Values[e] }

func (c *checker) setTuple(e syntax.Expr, vals TupleValue) {
	delete(c.info.Values, e)
	for _, v := range vals {
		if v == nil {
			return
		}
	}
	c.info.Values[e] = vals
}

func (c *checker) convertStruct(e *syntax.StructExpr, to Type) bool {
	t, ok := to.(*Struct)
	if !ok || t.Kind == HeaderUnion && len(e.Fields) != 1 {
		c.errorf(e, codeInitialiser, "named fields stand where %v is wanted", to)
		return false
	}
	vals := make(TupleValue, len(t.Fields))
	given := map[string]bool{}
	good := true
	for _, f := range e.Fields {
		if f.Name == nil {
			good = false
			continue
		}
		i := t.FieldIndex(f.Name.Name)
		if i < 0 {
			c.errorf(f.Name, codeNoMember, "%v has no field %s", t, f.Name.Name)
			good = false
			continue
		}
		given[f.Name.Name] = true
		good = c.convert(f.Value, t.Fields[i].Type) && good
		vals[i] = c.info.Values[f.Value]
	}
	for i, f := range t.Fields {
		if given[f.Name] || t.Kind == HeaderUnion {
			continue
		}
		if !e.Dots {
			if good {
				c.errorf(e, codeInitialiser, "field %s of %v is not given", f.Name, t)
			}
			good = false
			continue
		}
		vals[i] = zeroValue(f.Type)
	}
	if !good {
		c.info.Types[e] = Invalid
		return false
	}
	c.info.Types[e] = to
	c.setTuple(e, vals)
	return true
}

// zeroValue is the default value of t, or nil if it is not a value that Value can hold (an invalid header, for one).
func zeroValue(t Type) Value {
	parts := maxParts
	return zeroOf(t, &parts)
}

func zeroOf(t Type, parts *int) Value {
	if *parts--; *parts < 0 {
		return nil
	}
	all := func(n int, typ func(i int) Type) Value {
		vals := make(TupleValue, 0, n)
		for i := range n {
			v := zeroOf(typ(i), parts)
			if v == nil {
				return nil
			}
			vals = append(vals, v)
		}
		return vals
	}
	switch t := underlying(t).(type) {
	case *Bit:
		return IntValue{new(big.Int)}
	case *Basic:
		switch t.Kind {
		case BoolKind:
			return BoolValue(false)
		case IntKind:
			return IntValue{new(big.Int)}
		case StringKind:
			return StringValue("")
		case ErrorKind:
			return EnumValue{Type: Error, Member: "NoError"}
		}
	case *Enum:
		if t.Underlying != nil {
			return IntValue{new(big.Int)}
		}
		if len(t.Members) > 0 {
			return EnumValue{Type: t, Member: t.Members[0]}
		}
	case *Tuple:
		return all(len(t.Elems), func(i int) Type { return t.Elems[i] })
	case *Struct:
		if t.Kind == PlainStruct {
			return all(len(t.Fields), func(i int) Type { return t.Fields[i].Type })
		}
	}
	return nil
}

// harmonize gives two operands one type, by converting the one that can be. It returns that type; where the operands do not
// agree it reports nothing and returns false.
func (c *checker) harmonize(x, y syntax.Expr) (Type, bool) {
	tx, ty := c.info.Types[x], c.info.Types[y]
	if isInvalid(tx) || isInvalid(ty) {
		return Invalid, true
	}
	if Identical(tx, ty) && !isPending(tx) {
		return tx, true
	}
	canTake := func(e syntax.Expr, from, to Type) bool {
		switch syntax.Unparen(e).(type) {
		case *syntax.ListExpr, *syntax.StructExpr, *syntax.InvalidExpr, *syntax.DotsExpr:
			switch to.(type) {
			case *Struct, *Tuple, *List, *Stack:
				return true
			}
			return false
		}
		if n, ok := from.(*Enum); ok && n.Underlying != nil {
			return Identical(n.Underlying, to)
		}
		_, bits := to.(*Bit)
		return isInt(from) && bits && c.compileTime(e)
	}
	if n, ok := tx.(*Enum); ok && n.Underlying != nil && isInt(ty) {
		c.info.Implicit[x] = n.Underlying
		tx = n.Underlying
	}
	if n, ok := ty.(*Enum); ok && n.Underlying != nil && isInt(tx) {
		c.info.Implicit[y] = n.Underlying
		ty = n.Underlying
	}
	switch {
	case canTake(y, ty, tx):
		if !c.convert(y, tx) {
			return Invalid, true // it has been reported
		}
		return tx, true
	case canTake(x, tx, ty):
		if !c.convert(x, ty) {
			return Invalid, true
		}
		return ty, true
	}
	nx, ok1 := tx.(*Enum)
	ny, ok2 := ty.(*Enum)
	if ok1 && ok2 && nx.Underlying != nil && ny.Underlying != nil && Identical(nx.Underlying, ny.Underlying) {
		c.info.Implicit[x], c.info.Implicit[y] = nx.Underlying, ny.Underlying
		return nx.Underlying, true
	}
	return Invalid, false
}
