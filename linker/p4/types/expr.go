package types

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// expr types an expression from the inside out and records what it finds. want is the type that the context asks for, or nil;
// it is only a hint for type arguments that nothing else determines: convert does the conversion.
func (c *checker) expr(e syntax.Expr, want Type) Type {
	if e == nil {
		return Invalid
	}
	t, v := c.compute(e, want)
	if t == nil {
		t = Invalid
	}
	c.info.Types[e] = t
	if v != nil && !isInvalid(t) {
		c.info.Values[e] = v
	}
	return t
}

func (c *checker) compute(e syntax.Expr, want Type) (Type, Value) {
	switch e := e.(type) {
	case *syntax.Name:
		return c.name(e)
	case *syntax.BoolLit:
		return Bool, BoolValue(e.Value)
	case *syntax.IntLit:
		return c.intLit(e)
	case *syntax.StringLit:
		return String, StringValue(e.Value)
	case *syntax.Paren:
		t := c.expr(e.X, want)
		return t, c.info.Values[e.X]
	case *syntax.Member:
		return c.member(e)
	case *syntax.Index:
		return c.index(e)
	case *syntax.Slice:
		return c.slice(e)
	case *syntax.PlusSlice:
		return c.plusSlice(e)
	case *syntax.Unary:
		return c.unary(e)
	case *syntax.Binary:
		return c.binary(e, want)
	case *syntax.Cond:
		return c.cond(e, want)
	case *syntax.Call:
		return c.call(e, want, false)
	case *syntax.Cast:
		return c.cast(e)
	case *syntax.ListExpr:
		return c.listExpr(e, want)
	case *syntax.StructExpr:
		return c.structExpr(e, want)
	case *syntax.InvalidExpr:
		return invalidHeader, nil
	case *syntax.DotsExpr:
		return defaultInit, nil
	case *syntax.DefaultExpr:
		c.errorf(e, codeContext, "default may only stand as a keyset or label")
	case *syntax.DontCare:
		c.errorf(e, codeContext, "_ may only stand as a keyset or an out argument")
	case *syntax.This:
		c.errorf(e, codeContext, "this may only stand before a method that it calls")
	case *syntax.TypeExpr:
		c.typ(e.Type)
		c.errorf(e, codeNotValue, "a type is no value")
	case *syntax.Select:
		c.errorf(e, codeContext, "select may only stand in a transition")
	default:
		c.unsupported(e, "this expression")
	}
	return Invalid, nil
}

func (c *checker) name(e *syntax.Name) (Type, Value) {
	os := c.lookup(e.Ident.Name, e.Absolute)
	if len(os) > 1 {
		c.errorf(e, codeNotValue, "%s is a function and must be called", e.Ident.Name)
		return Invalid, nil
	}
	o := c.resolve(e.Ident, e.Absolute)
	if o == nil {
		return Invalid, nil
	}
	switch o.Kind {
	case VarObject, ConstObject, ParamObject, MatchKindObject:
		return o.Type, o.Value
	case ValueSetObject, InstanceObject, TableObject:
		return o.Type, nil
	case ActionObject:
		c.errorf(e, codeNotValue, "%s is an action and no value", o.Name)
	case FunctionObject, ExternFnObject:
		c.errorf(e, codeNotValue, "%s is a function and must be called", o.Name)
	case TypeObject, ParserObject, ControlObject:
		c.errorf(e, codeNotValue, "%s is a type and no value", o.Name)
	}
	return Invalid, nil
}

func (c *checker) intLit(e *syntax.IntLit) (Type, Value) {
	if e.Value == nil {
		return Invalid, nil
	}
	if e.Width == 0 && !e.Signed {
		if e.Value.BitLen() > maxIntBits {
			c.errorf(e, codeOverflow, "this number is too large")
			return Invalid, nil
		}
		return Int, IntValue{e.Value}
	}
	if e.Width < 0 || e.Width > maxWidth {
		c.errorf(e, codeWidth, "a width must be from 1 to %d", maxWidth)
		return Invalid, nil
	}
	t := &Bit{Width: e.Width, Signed: e.Signed}
	if !fits(e.Value, t) {
		c.warnf(e, codeTruncated, "%v does not fit %v and is cut to %v", e.Value, t, wrap(e.Value, t))
	}
	return t, IntValue{wrap(e.Value, t)}
}

func (c *checker) cond(e *syntax.Cond, want Type) (Type, Value) {
	c.condition(e.C)
	c.expr(e.X, want)
	c.expr(e.Y, want)
	t, ok := c.harmonize(e.X, e.Y)
	if !ok {
		c.errorf(e, codeMismatch, "the branches have types %v and %v", c.info.Types[e.X], c.info.Types[e.Y])
		return Invalid, nil
	}
	if _, nested := e.Y.(*syntax.Cond); nested && isBool(t) {
		c.warnf(e, codeGrouping, "write parentheses: p4c reads a ? b : c ? d : e as (a ? b : c) ? d : e, the specification as C does")
	}
	if v, ok := c.info.Values[e.C].(BoolValue); ok {
		if v {
			return t, c.info.Values[e.X]
		}
		return t, c.info.Values[e.Y]
	}
	if isInt(t) && !isInvalid(c.info.Types[e.C]) && !c.compileTime(e.C) {
		c.errorf(e, codeNotConst, "a choice between integers without a width needs a condition known at compile time")
		return Invalid, nil
	}
	return t, nil
}

func (c *checker) listExpr(e *syntax.ListExpr, want Type) (Type, Value) {
	t := &Tuple{}
	vals := TupleValue{}
	known := !e.Dots
	for i, x := range e.Elems {
		if _, dots := x.(*syntax.DotsExpr); dots {
			c.errorf(x, codeInitialiser, "... comes last")
			c.info.Types[x] = Invalid
			t.Elems = append(t.Elems, Invalid)
			known = false
			continue
		}
		et := c.expr(x, elementOf(want, i))
		t.Elems = append(t.Elems, et)
		if v := c.info.Values[x]; v != nil {
			vals = append(vals, v)
		} else {
			known = false
		}
	}
	if !known {
		return t, nil
	}
	return t, vals
}

// elementOf is the type that element i of a list takes in a context of type t, or nil.
func elementOf(t Type, i int) Type {
	switch t := t.(type) {
	case *Struct:
		if i < len(t.Fields) {
			return t.Fields[i].Type
		}
	case *Tuple:
		if i < len(t.Elems) {
			return t.Elems[i]
		}
	case *List:
		return t.Elem
	case *Stack:
		return t.Elem
	}
	return nil
}

func (c *checker) structExpr(e *syntax.StructExpr, want Type) (Type, Value) {
	ws, _ := want.(*Struct)
	t := &Struct{}
	vals := TupleValue{}
	known := !e.Dots
	for _, f := range e.Fields {
		var hint Type
		if ws != nil && f.Name != nil {
			if i := ws.FieldIndex(f.Name.Name); i >= 0 {
				hint = ws.Fields[i].Type
			}
		}
		ft := c.expr(f.Value, hint)
		if f.Name == nil {
			c.errorf(f, codeInitialiser, "a field without a name")
			continue
		}
		if t.FieldIndex(f.Name.Name) >= 0 {
			c.errorf(f.Name, codeDuplicateEntry, "field %s is given twice", f.Name.Name)
			continue
		}
		t.Fields = append(t.Fields, &Field{Name: f.Name.Name, Type: ft})
		if v := c.info.Values[f.Value]; v != nil {
			vals = append(vals, v)
		} else {
			known = false
		}
	}
	if !known {
		return t, nil
	}
	return t, vals
}

// constant is the value of a checked expression, or nil after reporting that it has none.
func (c *checker) constant(e syntax.Expr) Value {
	if v := c.info.Values[e]; v != nil {
		return v
	}
	if !isInvalid(c.info.Types[e]) {
		c.errorf(e, codeNotConst, "the value must be known at compile time")
	}
	return nil
}

// compileTime reports whether a checked expression is known at compile time, be it that its value depends on constructor
// arguments.
func (c *checker) compileTime(e syntax.Expr) bool { return c.known(e, false) }

// known is compileTime, with data saying whether the parameters of an action that have no direction count as known.
func (c *checker) known(e syntax.Expr, data bool) bool {
	if c.info.Values[e] != nil || isInvalid(c.info.Types[e]) {
		return true
	}
	all := func(es ...syntax.Expr) bool {
		for _, x := range es {
			if !c.known(x, data) {
				return false
			}
		}
		return true
	}
	switch e := e.(type) {
	case *syntax.Name:
		o := c.info.Uses[e.Ident]
		return o != nil && (c.ctorParams[o] || data && isActionData(o))
	case *syntax.Call:
		return c.knownCall(e, data)
	case *syntax.Paren:
		return all(e.X)
	case *syntax.Member:
		return all(e.X)
	case *syntax.Index:
		return all(e.X, e.I)
	case *syntax.Slice:
		return all(e.X)
	case *syntax.PlusSlice:
		return all(e.X, e.Lo)
	case *syntax.Unary:
		return all(e.X)
	case *syntax.Binary:
		return all(e.X, e.Y)
	case *syntax.Cond:
		return all(e.C, e.X, e.Y)
	case *syntax.Cast:
		return all(e.X)
	case *syntax.ListExpr:
		return all(e.Elems...)
	case *syntax.StructExpr:
		for _, f := range e.Fields {
			if !c.known(f.Value, data) {
				return false
			}
		}
		return true
	case *syntax.DotsExpr, *syntax.InvalidExpr:
		return true
	}
	return false
}

// lvalue reports an expression that cannot be written.
func (c *checker) lvalue(e syntax.Expr) bool {
	bad := func(why string) bool {
		c.errorf(e, codeNotLValue, "%s cannot be written", why)
		return false
	}
	switch x := e.(type) {
	case *syntax.Paren:
		return c.lvalue(x.X)
	case *syntax.Name:
		o := c.info.Uses[x.Ident]
		if o == nil {
			return false
		}
		switch o.Kind {
		case VarObject:
			return true
		case ParamObject:
			if o.Dir == syntax.Out || o.Dir == syntax.InOut {
				return true
			}
			return bad("parameter " + o.Name)
		}
		return bad(o.Name)
	case *syntax.Member:
		switch t := c.info.Types[x.X].(type) {
		case *Struct:
			return c.lvalue(x.X)
		case *Stack:
			if x.Sel.Name == "next" {
				return c.lvalue(x.X)
			}
			return bad("a stack's " + x.Sel.Name)
		case *Basic:
			if isInvalid(t) {
				return false
			}
		}
		return bad("this")
	case *syntax.Index:
		switch c.info.Types[x.X].(type) {
		case *Stack:
			return c.lvalue(x.X)
		case *Tuple:
			if !c.lvalue(x.X) {
				return false
			}
			c.extension(e, "assignment to an element of a tuple")
			return true
		}
		return bad("this")
	case *syntax.Slice:
		return c.lvalue(x.X)
	case *syntax.PlusSlice:
		return c.lvalue(x.X)
	}
	return bad("this")
}

// receiver types the receiver of minSizeInBits and its kin. It is not evaluated, so that an index may be outside.
func (c *checker) receiver(e syntax.Expr) Type {
	if x, ok := syntax.Unparen(e).(*syntax.Index); ok {
		if t, ok := c.expr(x.X, nil).(*Stack); ok {
			c.expr(x.I, nil)
			c.info.Types[e], c.info.Types[x] = t.Elem, t.Elem
			return t.Elem
		}
	}
	return c.expr(e, nil)
}

func (c *checker) index(e *syntax.Index) (Type, Value) {
	xt := c.expr(e.X, nil)
	it := c.expr(e.I, nil)
	if isInvalid(xt) || isInvalid(it) {
		return Invalid, nil
	}
	iv, known := c.info.Values[e.I].(IntValue)
	switch u := underlying(it).(type) {
	case *Bit:
	case *Enum:
		if u.Underlying == nil {
			c.errorf(e.I, codeIndex, "an index cannot be %v", it)
			return Invalid, nil
		}
	default:
		if !isInt(it) {
			c.errorf(e.I, codeIndex, "an index cannot be %v", it)
			return Invalid, nil
		}
	}
	within := func(n int) bool {
		if known && (iv.Int.Sign() < 0 || iv.Int.Cmp(big.NewInt(int64(n))) >= 0) {
			c.errorf(e.I, codeIndex, "index %v is outside 0 to %d", iv.Int, n-1)
			return false
		}
		return true
	}
	switch t := xt.(type) {
	case *Stack:
		if !within(t.Size) {
			return Invalid, nil
		}
		return t.Elem, nil
	case *Tuple:
		if !known {
			c.errorf(e.I, codeNotConst, "the index of a tuple must be known at compile time")
			return Invalid, nil
		}
		if !within(len(t.Elems)) {
			return Invalid, nil
		}
		i := int(iv.Int.Int64())
		if v, ok := c.info.Values[e.X].(TupleValue); ok && i < len(v) {
			return t.Elems[i], v[i]
		}
		return t.Elems[i], nil
	}
	c.errorf(e, codeIndex, "%v has no elements", xt)
	return Invalid, nil
}

func (c *checker) slice(e *syntax.Slice) (Type, Value) {
	xt := c.expr(e.X, nil)
	ht, lt := c.expr(e.Hi, nil), c.expr(e.Lo, nil)
	if isInvalid(xt) || isInvalid(ht) || isInvalid(lt) {
		return Invalid, nil
	}
	hi, ok1 := c.info.Values[e.Hi].(IntValue)
	lo, ok2 := c.info.Values[e.Lo].(IntValue)
	if !ok1 || !ok2 {
		c.errorf(e, codeNotConst, "the ends of a slice must be constant integers")
		return Invalid, nil
	}
	width, ok := c.sliceable(e, e.X)
	if !ok {
		return Invalid, nil
	}
	if lo.Int.Sign() < 0 || hi.Int.Cmp(lo.Int) < 0 || hi.Int.Cmp(big.NewInt(int64(width))) >= 0 {
		c.errorf(e, codeIndex, "[%v:%v] is no slice of %v", hi.Int, lo.Int, xt)
		return Invalid, nil
	}
	t := &Bit{Width: int(hi.Int.Int64()-lo.Int.Int64()) + 1}
	if v, ok := c.info.Values[e.X].(IntValue); ok {
		r := new(big.Int).Rsh(v.Int, uint(lo.Int.Int64()))
		return t, IntValue{wrap(r, t)}
	}
	return t, nil
}

// sliceable is the number of bits that x has to be sliced.
func (c *checker) sliceable(at syntax.Node, x syntax.Expr) (int, bool) {
	u := underlying(c.info.Types[x])
	if n, ok := u.(*Enum); ok && n.Underlying != nil {
		u = underlying(n.Underlying)
		c.info.Implicit[x] = n.Underlying
	}
	if b, ok := u.(*Bit); ok {
		return b.Width, true
	}
	if isInt(u) {
		return maxWidth, true
	}
	c.errorf(at, codeIndex, "%v has no bits to slice", c.info.Types[x])
	return 0, false
}

// plusSlice is x[lo +: width]: bits lo to lo+width-1, where lo need not be known; bits past the end of x read as zero.
func (c *checker) plusSlice(e *syntax.PlusSlice) (Type, Value) {
	xt, lt, wt := c.expr(e.X, nil), c.expr(e.Lo, nil), c.expr(e.Width, nil)
	if isInvalid(xt) || isInvalid(lt) || isInvalid(wt) {
		return Invalid, nil
	}
	width, ok := c.sliceable(e, e.X)
	if !ok {
		return Invalid, nil
	}
	w, ok := c.info.Values[e.Width].(IntValue)
	if !ok || w.Int.Sign() <= 0 || w.Int.Cmp(big.NewInt(int64(width))) > 0 {
		c.errorf(e.Width, codeIndex, "the width of a slice of %v must be a constant from 1 to %d", xt, width)
		return Invalid, nil
	}
	if !isUnsigned(lt) && !isInt(lt) {
		c.errorf(e.Lo, codeIndex, "the start of a slice cannot be %v", lt)
		return Invalid, nil
	}
	t := &Bit{Width: int(w.Int.Int64())}
	lo, known := c.info.Values[e.Lo].(IntValue)
	if known {
		if lo.Int.Sign() < 0 || new(big.Int).Add(lo.Int, w.Int).Cmp(big.NewInt(int64(width))) > 0 {
			c.errorf(e, codeIndex, "[%v +: %v] is no slice of %v", lo.Int, w.Int, xt)
			return Invalid, nil
		}
		if v, ok := c.info.Values[e.X].(IntValue); ok {
			return t, IntValue{wrap(new(big.Int).Rsh(v.Int, uint(lo.Int.Int64())), t)}
		}
	} else if isInt(xt) && !c.compileTime(e.Lo) {
		c.errorf(e.Lo, codeNotConst, "the start of a slice of an integer without a width must be known at compile time")
		return Invalid, nil
	}
	return t, nil
}
