package types

// Two further basic kinds exist only while an expression has not met its context; Check leaves none of them in Info.
const (
	defaultKind       BasicKind = -1 - iota // ... : the default value of whatever is initialised
	invalidHeaderKind                       // {#}
)

var (
	defaultInit   = &Basic{defaultKind}
	invalidHeader = &Basic{invalidHeaderKind}
)

// Identical reports whether a and b are the same type. The invalid type is identical to everything, so that one mistake is
// reported once.
func Identical(a, b Type) bool { return equality{}.same(a, b) }

// matches reports whether a type can stand where want is asked for: they are identical, but that _ in want, or in what is known
// of t, leaves a part of it open.
func matches(want, t Type) bool { return equality{wild: true}.same(want, t) }

// equality compares types; with wild, _ is the same as any type.
type equality struct{ wild bool }

func (q equality) same(a, b Type) bool {
	if a == b {
		return true
	}
	if isInvalid(a) || isInvalid(b) {
		return true
	}
	if q.wild && (isBasic(a, DontCareKind) || isBasic(b, DontCareKind)) {
		return true
	}
	switch a := a.(type) {
	case *Basic:
		b, ok := b.(*Basic)
		return ok && a.Kind == b.Kind
	case *Bit:
		b, ok := b.(*Bit)
		return ok && *a == *b
	case *Varbit:
		b, ok := b.(*Varbit)
		return ok && *a == *b
	case *Struct:
		b, ok := b.(*Struct)
		return ok && q.structs(a, b)
	case *Stack:
		b, ok := b.(*Stack)
		return ok && a.Size == b.Size && q.same(a.Elem, b.Elem)
	case *Tuple:
		b, ok := b.(*Tuple)
		return ok && q.lists(a.Elems, b.Elems)
	case *List:
		b, ok := b.(*List)
		return ok && q.same(a.Elem, b.Elem)
	case *Set:
		b, ok := b.(*Set)
		return ok && q.same(a.Elem, b.Elem)
	case *Enum:
		b, ok := b.(*Enum)
		return ok && a.Decl == b.Decl
	case *NewType:
		b, ok := b.(*NewType)
		return ok && a.Decl == b.Decl
	case *Extern:
		b, ok := b.(*Extern)
		return ok && a.Decl == b.Decl && q.lists(a.Args, b.Args)
	case *Applicable:
		b, ok := b.(*Applicable)
		return ok && a.Decl == b.Decl && q.lists(a.Args, b.Args)
	case *Package:
		b, ok := b.(*Package)
		return ok && a.Decl == b.Decl && q.lists(a.Args, b.Args)
	case *Table:
		b, ok := b.(*Table)
		return ok && a.Decl == b.Decl
	}
	return false // signatures and type parameters are identical only to themselves
}

func (q equality) structs(a, b *Struct) bool {
	if a.Decl != nil || b.Decl != nil {
		return a.Decl == b.Decl && q.lists(a.Args, b.Args)
	}
	if len(a.Fields) != len(b.Fields) {
		return false
	}
	for i, f := range a.Fields {
		if f.Name != b.Fields[i].Name || !q.same(f.Type, b.Fields[i].Type) {
			return false
		}
	}
	return true
}

func (q equality) lists(a, b []Type) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !q.same(a[i], b[i]) {
			return false
		}
	}
	return true
}

func identicalLists(a, b []Type) bool { return equality{}.lists(a, b) }

func isInvalid(t Type) bool { return isBasic(t, InvalidKind) }
func isBool(t Type) bool    { return isBasic(t, BoolKind) }
func isInt(t Type) bool     { return isBasic(t, IntKind) }
func isVoid(t Type) bool    { return isBasic(t, VoidKind) }

func isBasic(t Type, k BasicKind) bool {
	b, ok := t.(*Basic)
	return ok && b.Kind == k
}

// isUnsigned reports whether t is bit<W>.
func isUnsigned(t Type) bool {
	b, ok := t.(*Bit)
	return ok && !b.Signed
}

func isHeader(t Type) bool {
	s, ok := t.(*Struct)
	return ok && s.Kind == Header
}

func isUnion(t Type) bool {
	s, ok := t.(*Struct)
	return ok && s.Kind == HeaderUnion
}

// underlying looks through type T x; declarations and serializable enums are left as they are.
func underlying(t Type) Type {
	for {
		n, ok := t.(*NewType)
		if !ok {
			return t
		}
		t = n.Under
	}
}

// IsHeaderStack reports whether the array is of headers or header unions: only then it has next, last, lastIndex, size,
// push_front and pop_front, and can be emitted.
func (t *Stack) IsHeaderStack() bool {
	s, ok := t.Elem.(*Struct)
	return ok && s.Kind != PlainStruct
}

// FieldIndex returns the index of the named field, or -1.
func (t *Struct) FieldIndex(name string) int {
	for i, f := range t.Fields {
		if f.Name == name {
			return i
		}
	}
	return -1
}

// MemberIndex returns the index of the named enum member, or -1.
func (t *Enum) MemberIndex(name string) int {
	for i, m := range t.Members {
		if m == name {
			return i
		}
	}
	return -1
}
