package types

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// declareTypeParams opens the names of type parameters in the current scope.
func (c *checker) declareTypeParams(ids []*syntax.Ident) []*TypeParam {
	var ps []*TypeParam
	for _, id := range ids {
		p := &TypeParam{Name: id.Name}
		ps = append(ps, p)
		c.declare(c.newObject(TypeObject, id, p, id))
	}
	return ps
}

func (ps typeParamList) types() []Type {
	var ts []Type
	for _, p := range ps {
		ts = append(ts, p)
	}
	return ts
}

type typeParamList []*TypeParam

func (c *checker) structDecl(d *syntax.StructDecl) {
	kind := map[string]StructKind{"struct": PlainStruct, "header": Header, "header_union": HeaderUnion}[d.Kind]
	t := &Struct{Kind: kind, Name: d.Name.Name, Decl: d}
	o := c.newObject(TypeObject, d.Name, t, d)
	c.push()
	ps := c.declareTypeParams(d.TypeParams)
	t.Args = typeParamList(ps).types()
	seen := map[string]bool{}
	for _, f := range d.Fields {
		ft := c.typ(f.Type)
		if seen[f.Name.Name] {
			c.errorf(f.Name, codeDuplicateEntry, "field %s is declared twice", f.Name.Name)
			continue
		}
		seen[f.Name.Name] = true
		if _, generic := ft.(*TypeParam); !generic {
			ft = c.fieldType(f, t, ft)
		}
		t.Fields = append(t.Fields, &Field{Name: f.Name.Name, Type: ft, Decl: f})
	}
	c.pop()
	if len(ps) == 0 && !c.bounded(d.Name, t) {
		t.Fields = nil // nothing that follows walks it
	}
	if len(ps) > 0 {
		c.typeParams[o] = ps
	}
	c.declare(o)
}

// fieldType refuses what may not be a field of s.
func (c *checker) fieldType(at syntax.Node, s *Struct, t Type) Type {
	ok := storable(t)
	what := "a struct"
	switch s.Kind {
	case Header:
		what = "a header"
		ok = headerField(t)
	case HeaderUnion:
		what = "a header_union"
		ok = isHeader(t)
	}
	if !ok && !isInvalid(t) {
		c.errorf(at, codeBadType, "%s cannot hold a field of type %v", what, t)
		return Invalid
	}
	return t
}

func headerField(t Type) bool {
	switch t := underlying(t).(type) {
	case *Basic:
		return t.Kind == BoolKind || t.Kind == InvalidKind
	case *Bit, *Varbit, *TypeParam:
		return true
	case *Enum:
		return t.Underlying != nil
	case *Stack:
		_, bad := t.Elem.(*Varbit)
		return !bad && !t.IsHeaderStack() && headerField(t.Elem)
	case *Struct:
		if t.Kind != PlainStruct {
			return false
		}
		for _, f := range t.Fields {
			if _, v := f.Type.(*Varbit); v || !headerField(f.Type) {
				return false
			}
		}
		return true
	}
	return false
}

// checkFields checks the fields of a generic struct once it has its type arguments.
func (c *checker) checkFields(at syntax.Node, s *Struct) bool {
	for _, f := range s.Fields {
		if _, bad := c.fieldType(at, s, f.Type).(*Basic); bad && f.Type != Bool && f.Type != Error {
			return false
		}
	}
	return true
}

func (c *checker) enumDecl(d *syntax.EnumDecl) {
	t := &Enum{Name: d.Name.Name, Decl: d}
	if d.Underlying != nil {
		u := c.typ(d.Underlying)
		if _, ok := u.(*Bit); !ok && !isInvalid(u) {
			c.errorf(d.Underlying, codeBadType, "an enum is represented by a bit or int type, not by %v", u)
			u = Invalid
		}
		t.Underlying = u
	}
	// The values of members may be given by the names of earlier ones.
	c.push()
	defer func() {
		c.pop()
		c.declare(c.newObject(TypeObject, d.Name, t, d))
	}()
	seen := map[string]bool{}
	for _, m := range d.Members {
		if seen[m.Name.Name] {
			c.errorf(m.Name, codeDuplicateEntry, "%s is declared twice", m.Name.Name)
			continue
		}
		seen[m.Name.Name] = true
		t.Members = append(t.Members, m.Name.Name)
		switch {
		case t.Underlying == nil && m.Value != nil:
			c.errorf(m.Value, codeInitialiser, "members of an enum without a representation have no value")
		case t.Underlying != nil && m.Value == nil:
			c.errorf(m.Name, codeInitialiser, "%s needs a value: %s has a representation", m.Name.Name, t.Name)
			t.Values = append(t.Values, IntValue{new(big.Int)})
		case t.Underlying != nil:
			c.expr(m.Value, t.Underlying)
			v, ok := c.info.Values[m.Value].(IntValue)
			if b, bits := t.Underlying.(*Bit); ok && bits && isInt(c.info.Types[m.Value]) && !fits(v.Int, b) {
				c.errorf(m.Value, codeWidth, "%v does not fit %v", v.Int, b)
			} else {
				c.convert(m.Value, t.Underlying)
				v, ok = c.constant(m.Value).(IntValue)
			}
			if !ok {
				v = IntValue{new(big.Int)}
			}
			t.Values = append(t.Values, v)
			o := c.newObject(ConstObject, m.Name, t, d)
			o.Value = v
			c.scope.names[o.Name] = []*Object{o}
		}
	}
}

func (c *checker) typedefDecl(d *syntax.TypedefDecl) {
	var t Type
	if d.Inner != nil {
		c.topDecl(d.Inner)
		t = Invalid
		if id := d.Inner.DeclName(); id != nil {
			if o := c.info.Defs[id]; o != nil && len(c.typeParams[o]) == 0 {
				t = o.Type
			}
		}
	} else {
		t = c.typ(d.Type)
		if !d.New && (isBasic(t, MatchKindKind) || isBasic(t, StringKind)) {
			c.errorf(d.Type, codeBadType, "a typedef cannot name %v", t)
			t = Invalid
		}
	}
	if d.New {
		switch u := t.(type) {
		case *Bit, *NewType:
		case *Basic:
			if u.Kind != BoolKind && u.Kind != InvalidKind {
				c.errorf(d.Type, codeBadType, "type %s cannot be made of %v", d.Name.Name, t)
				t = Invalid
			}
		default:
			c.errorf(d.Type, codeBadType, "type %s cannot be made of %v", d.Name.Name, t)
			t = Invalid
		}
		if !isInvalid(t) {
			t = &NewType{Name: d.Name.Name, Under: t, Decl: d}
		}
	}
	c.declare(c.newObject(TypeObject, d.Name, t, d))
}

func (c *checker) errorDecl(d *syntax.ErrorDecl) {
	for _, m := range d.Members {
		if c.errors[m.Name] {
			c.errorf(m, codeDuplicateEntry, "error %s is declared twice", m.Name)
			continue
		}
		c.errors[m.Name] = true
		c.info.Errors = append(c.info.Errors, m.Name)
		o := c.newObject(ConstObject, m, Error, d)
		o.Value = EnumValue{Type: Error, Member: m.Name}
		c.info.Defs[m] = o
	}
}

func (c *checker) matchKindDecl(d *syntax.MatchKindDecl) {
	for _, m := range d.Members {
		if c.matchKinds[m.Name] != nil {
			c.errorf(m, codeDuplicateEntry, "match kind %s is declared twice", m.Name)
			continue
		}
		o := c.newObject(MatchKindObject, m, MatchKind, d)
		o.Value = EnumValue{Type: MatchKind, Member: m.Name}
		c.matchKinds[m.Name] = o
		c.info.MatchKinds = append(c.info.MatchKinds, m.Name)
		c.info.Defs[m] = o
	}
}

func (c *checker) constDecl(d *syntax.ConstDecl) {
	t := c.typ(d.Type)
	if !isInvalid(t) && !storable(t) && !isInt(t) && !isBasic(t, StringKind) {
		if _, list := t.(*List); !list {
			c.errorf(d.Type, codeBadType, "a constant cannot be of type %v", t)
			t = Invalid
		}
	}
	c.expr(d.Value, t)
	o := c.newObject(ConstObject, d.Name, t, d)
	if c.convert(d.Value, t) && !isInvalid(t) {
		if v := c.info.Values[d.Value]; v != nil {
			o.Value = v
		} else if !c.compileTime(d.Value) {
			c.errorf(d.Value, codeNotConst, "the value of constant %s is not known at compile time", d.Name.Name)
		} else {
			c.ctorParams[o] = true
		}
	}
	c.declare(o)
}

func (c *checker) varDecl(d *syntax.VarDecl) {
	t := c.typ(d.Type)
	if !isInvalid(t) && !storable(t) {
		c.errorf(d.Type, codeBadType, "a variable cannot be of type %v", t)
		t = Invalid
	}
	if d.Init != nil {
		c.expr(d.Init, t)
		c.convert(d.Init, t)
	}
	c.declare(c.newObject(VarObject, d.Name, t, d))
}

func (c *checker) valueSetDecl(d *syntax.ValueSetDecl) {
	elem := c.typ(d.Elem)
	c.size(d.Size, 1<<30, "size of a value set")
	if c.place != inParser && c.place != atTop {
		c.errorf(d, codeContext, "a value set may not stand in %v", c.place)
	}
	if !isInvalid(elem) && !settable(elem) {
		c.errorf(d.Elem, codeBadType, "a value set cannot hold %v", elem)
		elem = Invalid
	}
	o := c.newObject(ValueSetObject, d.Name, &Set{Elem: elem}, d)
	c.info.Instances[d] = o
	c.declare(o)
}

// settable reports whether a value set may hold values of type t.
func settable(t Type) bool {
	switch t := underlying(t).(type) {
	case *Struct:
		return t.Kind == PlainStruct
	case *Varbit, *Stack:
		return false
	}
	return storable(t)
}
