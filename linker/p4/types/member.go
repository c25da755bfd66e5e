package types

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// typeOperand resolves e if it names a type; ok is false if it is a value.
func (c *checker) typeOperand(e syntax.Expr) (o *Object, t Type, ok bool) {
	switch x := syntax.Unparen(e).(type) {
	case *syntax.TypeExpr:
		switch n := x.Type.(type) {
		case *syntax.NamedType:
			o, t = c.namedType(n)
			if _, ok := t.(*Applicable); !ok && o != nil && len(c.typeParams[o]) > 0 {
				t = c.typ(n) // which says what is missing; a parser or control is told by what it is applied to
			}
			c.info.TypeNodes[n] = t
		case *syntax.SpecializedType:
			t = c.typ(n)
			o = c.info.Uses[n.Base.Ident]
		default:
			t = c.typ(n)
		}
	case *syntax.Name:
		os := c.lookup(x.Ident.Name, x.Absolute)
		if len(os) != 1 {
			return nil, nil, false
		}
		switch os[0].Kind {
		case TypeObject, ParserObject, ControlObject:
			o = c.resolve(x.Ident, x.Absolute)
			t = o.Type
		default:
			return nil, nil, false
		}
	default:
		return nil, nil, false
	}
	c.info.Types[e] = t
	c.info.Types[syntax.Unparen(e)] = t
	return o, t, true
}

func (c *checker) member(e *syntax.Member) (Type, Value) {
	sel := e.Sel.Name
	if _, t, ok := c.typeOperand(e.X); ok {
		return c.typeMember(e, t)
	}
	switch t := c.expr(e.X, nil).(type) {
	case *Struct:
		i := t.FieldIndex(sel)
		if i < 0 {
			c.errorf(e.Sel, codeNoMember, "%v has no field %s", t, sel)
			return Invalid, nil
		}
		if v, ok := c.info.Values[e.X].(TupleValue); ok && i < len(v) {
			return t.Fields[i].Type, v[i]
		}
		return t.Fields[i].Type, nil
	case *Stack:
		if !t.IsHeaderStack() && !isInvalid(t.Elem) {
			c.errorf(e.Sel, codeNoMember, "%v is no header stack and has no member %s", t, sel)
			return Invalid, nil
		}
		switch sel {
		case "next", "last":
			if c.place != inState {
				c.errorf(e.Sel, codeContext, "%s may not stand in %v", sel, c.place)
				return Invalid, nil
			}
			return t.Elem, nil
		case "lastIndex":
			if c.place != inState {
				c.errorf(e.Sel, codeContext, "%s may not stand in %v", sel, c.place)
			}
			return &Bit{Width: 32}, nil
		case "size":
			return &Bit{Width: 32}, IntValue{big.NewInt(int64(t.Size))}
		}
		c.errorf(e.Sel, codeNoMember, "a header stack has no member %s", sel)
	case *Basic:
		switch {
		case t.Kind == InvalidKind:
		case t.Kind == ApplyResultKind && (sel == "hit" || sel == "miss"):
			return Bool, nil
		case t.Kind == ApplyResultKind && sel == "action_run":
			return ActionRun, nil
		default:
			c.errorf(e.Sel, codeNoMember, "%v has no member %s", t, sel)
		}
	default:
		c.errorf(e.Sel, codeNoMember, "%v has no member %s", t, sel)
	}
	return Invalid, nil
}

// typeMember is error.X or E.X.
func (c *checker) typeMember(e *syntax.Member, t Type) (Type, Value) {
	sel := e.Sel.Name
	switch t := t.(type) {
	case *Enum:
		i := t.MemberIndex(sel)
		if i < 0 {
			c.errorf(e.Sel, codeNoMember, "enum %s has no member %s", t.Name, sel)
			return Invalid, nil
		}
		if t.Underlying != nil {
			return t, t.Values[i]
		}
		return t, EnumValue{Type: t, Member: sel}
	case *Basic:
		switch {
		case t.Kind == ErrorKind && c.errors[sel]:
			return Error, EnumValue{Type: Error, Member: sel}
		case t.Kind == ErrorKind:
			c.errorf(e.Sel, codeNoMember, "error %s is not declared", sel)
			return Invalid, nil
		case t.Kind == InvalidKind:
			return Invalid, nil
		}
	}
	c.errorf(e.Sel, codeNoMember, "type %v has no member %s", t, sel)
	return Invalid, nil
}
