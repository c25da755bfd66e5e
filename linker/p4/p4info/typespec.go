package p4info

import (
	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// typeInfo is where named types are described. The message has it as soon as the program has a table, an
// extern object, or anything else that may need a type.
func (g *generator) typeInfo() *p4configv1.P4TypeInfo {
	if g.out.TypeInfo == nil {
		g.out.TypeInfo = &p4configv1.P4TypeInfo{}
	}
	return g.out.TypeInfo
}

// bits is the width that the control plane gives a value of type t.
func (g *generator) bits(at syntax.Node, t types.Type) int32 {
	g.typeInfo()
	if n, ok := t.(*types.NewType); ok {
		g.typeSpec(at, t)
		if tr := translated(n); tr != nil {
			return g.translatedBits(at, n, tr)
		}
	}
	w, ok := types.Width(t)
	if _, isStruct := t.(*types.Struct); !ok || isStruct {
		g.errorf(at, codeType, "a value of type %v cannot be described here", t)
		return 0
	}
	if _, ok := t.(*types.Enum); ok {
		g.typeSpec(at, t)
	}
	return int32(w)
}

// translated is the @p4runtime_translation of a new type, or nil.
func translated(n *types.NewType) *syntax.Annotation {
	if n.Decl == nil {
		return nil
	}
	return find(n.Decl.Annotations, "p4runtime_translation")
}

// translation reads @p4runtime_translation("uri", string), ("uri", bit<W>) or ("uri", W).
func (g *generator) translation(a *syntax.Annotation) (uri string, width int32, isString, ok bool) {
	b := a.Body
	if len(b) >= 3 && b[1].Text == "," {
		if uri, ok = unquote(b[0].Text); ok {
			rest := b[2:]
			switch {
			case len(rest) == 1 && rest[0].Text == "string":
				return uri, 0, true, true
			case len(rest) == 4 && rest[0].Text == "bit" && rest[1].Text == "<":
				rest = rest[2:3]
			}
			if len(rest) == 1 {
				if n, good := parseNumber(rest[0].Text); good && n.IsInt64() && n.Int64() > 0 && n.Int64() < 1<<16 {
					return uri, int32(n.Int64()), false, true
				}
			}
		}
	}
	g.errorf(a, codeAnnotation, "@p4runtime_translation takes a URI and string or bit<W>")
	return "", 0, false, false
}

func (g *generator) translatedBits(at syntax.Node, n *types.NewType, a *syntax.Annotation) int32 {
	_, width, isString, ok := g.translation(a)
	if !ok || isString {
		return 0
	}
	return width
}

// typeName names a new type that a field, key or index has.
func (g *generator) typeName(at syntax.Node, t types.Type) *p4configv1.P4NamedType {
	n, ok := t.(*types.NewType)
	if !ok {
		return nil
	}
	g.typeSpec(at, t)
	return &p4configv1.P4NamedType{Name: n.Name}
}

// typeSpec describes a type, and the types that it names in the message's type_info.
func (g *generator) typeSpec(at syntax.Node, t types.Type) *p4configv1.P4DataTypeSpec {
	g.typeInfo()
	s := &p4configv1.P4DataTypeSpec{}
	switch t := t.(type) {
	case *types.Bit, *types.Varbit:
		s.TypeSpec = &p4configv1.P4DataTypeSpec_Bitstring{Bitstring: bitstring(t)}
	case *types.Basic:
		switch t.Kind {
		case types.BoolKind:
			s.TypeSpec = &p4configv1.P4DataTypeSpec_Bool{Bool: &p4configv1.P4BoolType{}}
			return s
		case types.ErrorKind:
			s.TypeSpec = &p4configv1.P4DataTypeSpec_Error{Error: &p4configv1.P4ErrorType{}}
			if g.typeInfo().Error == nil {
				g.typeInfo().Error = &p4configv1.P4ErrorTypeSpec{Members: g.info.Errors}
			}
			return s
		}
		g.errorf(at, codeType, "type %v cannot be described", t)
	case *types.Tuple:
		tuple := &p4configv1.P4TupleTypeSpec{}
		for _, e := range t.Elems {
			tuple.Members = append(tuple.Members, g.typeSpec(at, e))
		}
		s.TypeSpec = &p4configv1.P4DataTypeSpec_Tuple{Tuple: tuple}
	case *types.Struct:
		g.structSpec(at, t, s)
	case *types.Stack:
		elem, ok := t.Elem.(*types.Struct)
		if !ok || !t.IsHeaderStack() {
			g.errorf(at, codeType, "type %v cannot be described", t)
			return s
		}
		g.structSpec(at, elem, &p4configv1.P4DataTypeSpec{})
		name := &p4configv1.P4NamedType{Name: elem.Name}
		if elem.Kind == types.Header {
			s.TypeSpec = &p4configv1.P4DataTypeSpec_HeaderStack{HeaderStack: &p4configv1.P4HeaderStackTypeSpec{Header: name, Size: int32(t.Size)}}
		} else {
			s.TypeSpec = &p4configv1.P4DataTypeSpec_HeaderUnionStack{
				HeaderUnionStack: &p4configv1.P4HeaderUnionStackTypeSpec{HeaderUnion: name, Size: int32(t.Size)},
			}
		}
	case *types.Enum:
		g.enumSpec(t, s)
	case *types.NewType:
		g.newTypeSpec(at, t)
		s.TypeSpec = &p4configv1.P4DataTypeSpec_NewType{NewType: &p4configv1.P4NamedType{Name: t.Name}}
	default:
		g.errorf(at, codeType, "type %v cannot be described", t)
	}
	return s
}

func bitstring(t types.Type) *p4configv1.P4BitstringLikeTypeSpec {
	switch t := t.(type) {
	case *types.Bit:
		if t.Signed {
			return &p4configv1.P4BitstringLikeTypeSpec{TypeSpec: &p4configv1.P4BitstringLikeTypeSpec_Int{Int: &p4configv1.P4IntTypeSpec{Bitwidth: int32(t.Width)}}}
		}
		return &p4configv1.P4BitstringLikeTypeSpec{TypeSpec: &p4configv1.P4BitstringLikeTypeSpec_Bit{Bit: &p4configv1.P4BitTypeSpec{Bitwidth: int32(t.Width)}}}
	case *types.Varbit:
		return &p4configv1.P4BitstringLikeTypeSpec{TypeSpec: &p4configv1.P4BitstringLikeTypeSpec_Varbit{Varbit: &p4configv1.P4VarbitTypeSpec{MaxBitwidth: int32(t.Max)}}}
	}
	return nil
}

func (g *generator) structSpec(at syntax.Node, t *types.Struct, s *p4configv1.P4DataTypeSpec) {
	if t.Decl == nil || len(t.Args) > 0 {
		g.errorf(at, codeType, "type %v has no name in P4Info", t)
		return
	}
	ti := g.typeInfo()
	name := g.local(t.Name, t.Decl.Annotations)
	named := &p4configv1.P4NamedType{Name: name}
	switch t.Kind {
	case types.PlainStruct:
		s.TypeSpec = &p4configv1.P4DataTypeSpec_Struct{Struct: named}
		if ti.Structs == nil {
			ti.Structs = map[string]*p4configv1.P4StructTypeSpec{}
		}
		if ti.Structs[name] != nil {
			return
		}
		spec := &p4configv1.P4StructTypeSpec{}
		ti.Structs[name] = spec
		for _, f := range t.Fields {
			spec.Members = append(spec.Members, &p4configv1.P4StructTypeSpec_Member{
				Name: g.local(f.Name, f.Decl.Annotations), TypeSpec: g.typeSpec(f.Decl, f.Type),
			})
		}
	case types.Header:
		s.TypeSpec = &p4configv1.P4DataTypeSpec_Header{Header: named}
		if ti.Headers == nil {
			ti.Headers = map[string]*p4configv1.P4HeaderTypeSpec{}
		}
		if ti.Headers[name] != nil {
			return
		}
		spec := &p4configv1.P4HeaderTypeSpec{}
		ti.Headers[name] = spec
		for _, f := range g.flatten("", t) {
			b := bitstring(f.typ)
			if b == nil {
				g.errorf(f.decl, codeUnsupported, "a header field of type %v cannot be described yet", f.typ)
				continue
			}
			spec.Members = append(spec.Members, &p4configv1.P4HeaderTypeSpec_Member{Name: f.name, TypeSpec: b})
		}
	default:
		s.TypeSpec = &p4configv1.P4DataTypeSpec_HeaderUnion{HeaderUnion: named}
		if ti.HeaderUnions == nil {
			ti.HeaderUnions = map[string]*p4configv1.P4HeaderUnionTypeSpec{}
		}
		if ti.HeaderUnions[name] != nil {
			return
		}
		spec := &p4configv1.P4HeaderUnionTypeSpec{}
		ti.HeaderUnions[name] = spec
		for _, f := range t.Fields {
			member := g.typeSpec(f.Decl, f.Type)
			spec.Members = append(spec.Members, &p4configv1.P4HeaderUnionTypeSpec_Member{
				Name: g.local(f.Name, f.Decl.Annotations), Header: member.GetHeader(),
			})
		}
	}
}

func (g *generator) enumSpec(t *types.Enum, s *p4configv1.P4DataTypeSpec) {
	ti := g.typeInfo()
	named := &p4configv1.P4NamedType{Name: t.Name}
	if t.Underlying == nil {
		s.TypeSpec = &p4configv1.P4DataTypeSpec_Enum{Enum: named}
		if ti.Enums == nil {
			ti.Enums = map[string]*p4configv1.P4EnumTypeSpec{}
		}
		spec := &p4configv1.P4EnumTypeSpec{}
		for _, m := range t.Members {
			spec.Members = append(spec.Members, &p4configv1.P4EnumTypeSpec_Member{Name: m})
		}
		ti.Enums[t.Name] = spec
		return
	}
	s.TypeSpec = &p4configv1.P4DataTypeSpec_SerializableEnum{SerializableEnum: named}
	if ti.SerializableEnums == nil {
		ti.SerializableEnums = map[string]*p4configv1.P4SerializableEnumTypeSpec{}
	}
	w, _ := types.Width(t)
	spec := &p4configv1.P4SerializableEnumTypeSpec{UnderlyingType: &p4configv1.P4BitTypeSpec{Bitwidth: int32(w)}}
	for i, m := range t.Members {
		b := fixedBytes(t.Values[i].(types.IntValue).Int, w)
		spec.Members = append(spec.Members, &p4configv1.P4SerializableEnumTypeSpec_Member{Name: m, Value: b})
	}
	ti.SerializableEnums[t.Name] = spec
}

func (g *generator) newTypeSpec(at syntax.Node, t *types.NewType) {
	ti := g.typeInfo()
	if ti.NewTypes == nil {
		ti.NewTypes = map[string]*p4configv1.P4NewTypeSpec{}
	}
	if ti.NewTypes[t.Name] != nil {
		return
	}
	spec := &p4configv1.P4NewTypeSpec{}
	ti.NewTypes[t.Name] = spec
	var under types.Type = t
	for {
		n, ok := under.(*types.NewType)
		if !ok {
			break
		}
		under = n.Under
	}
	if t.Decl != nil {
		spec.Annotations, spec.StructuredAnnotations = g.split(t.Decl.Annotations, "p4runtime_translation")
	}
	original := g.typeSpec(at, under)
	a := translated(t)
	if a == nil {
		spec.Representation = &p4configv1.P4NewTypeSpec_OriginalType{OriginalType: original}
		return
	}
	uri, width, isString, ok := g.translation(a)
	if !ok {
		return
	}
	if _, bits := under.(*types.Bit); !bits {
		g.errorf(t.Decl, codeType, "a translated type is made of bit<W>, not of %v", under)
	}
	tr := &p4configv1.P4NewTypeTranslation{Uri: uri}
	if isString {
		tr.SdnType = &p4configv1.P4NewTypeTranslation_SdnString_{SdnString: &p4configv1.P4NewTypeTranslation_SdnString{}}
	} else {
		tr.SdnType = &p4configv1.P4NewTypeTranslation_SdnBitwidth{SdnBitwidth: width}
	}
	spec.Representation = &p4configv1.P4NewTypeSpec_TranslatedType{TranslatedType: tr}
}

// leaf is a field of a header, or of a struct inside it.
type leaf struct {
	name   string // with the names of the structs that it is in
	typ    types.Type
	annots []*syntax.Annotation
	decl   *syntax.Field
}

// flatten lists the fields of a header, with those of the structs that it holds.
func (g *generator) flatten(prefix string, t *types.Struct) []leaf {
	var r []leaf
	for _, f := range t.Fields {
		name := prefix + g.local(f.Name, f.Decl.Annotations)
		if s, ok := f.Type.(*types.Struct); ok {
			r = append(r, g.flatten(name+".", s)...)
		} else {
			r = append(r, leaf{name, f.Type, f.Decl.Annotations, f.Decl})
		}
	}
	return r
}
