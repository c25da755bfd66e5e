package types

import (
	"fmt"
	"strings"
)

// bindings gives type parameters their arguments.
type bindings map[*TypeParam]Type

// subst replaces the bound type parameters in t.
func subst(t Type, b bindings) Type {
	if len(b) == 0 || t == nil {
		return t
	}
	return (&substitution{b: b, done: map[Type]Type{}}).typ(t)
}

// Substitute replaces type parameters in t by type arguments: what a type in the body of a generic declaration is for one Call
// of it. The lists are of the same length.
func Substitute(t Type, params []*TypeParam, args []Type) Type {
	b := bindings{}
	for i, p := range params {
		b[p] = args[i]
	}
	return subst(t, b)
}

func substSig(s *Signature, b bindings) *Signature {
	if s == nil || len(b) == 0 {
		return s
	}
	return (&substitution{b: b, done: map[Type]Type{}}).sig(s)
}

// substitution remembers what it did, so that a type whose parts are shared costs no more than its declaration.
type substitution struct {
	b    bindings
	done map[Type]Type
}

func (s *substitution) typ(t Type) Type {
	if t == nil {
		return nil
	}
	if r, ok := s.done[t]; ok {
		return r
	}
	r := s.compute(t)
	s.done[t] = r
	return r
}

func (s *substitution) compute(t Type) Type {
	switch t := t.(type) {
	case *TypeParam:
		if r, ok := s.b[t]; ok {
			return r
		}
	case *Struct:
		if len(t.Args) == 0 {
			return t
		}
		r := &Struct{Kind: t.Kind, Name: t.Name, Args: s.list(t.Args), Decl: t.Decl}
		for _, f := range t.Fields {
			r.Fields = append(r.Fields, &Field{Name: f.Name, Type: s.typ(f.Type), Decl: f.Decl})
		}
		return r
	case *Stack:
		return &Stack{Elem: s.typ(t.Elem), Size: t.Size}
	case *Tuple:
		return &Tuple{Elems: s.list(t.Elems)}
	case *List:
		return &List{Elem: s.typ(t.Elem)}
	case *Set:
		return &Set{Elem: s.typ(t.Elem)}
	case *Extern:
		if len(t.Args) > 0 {
			return &Extern{Name: t.Name, Args: s.list(t.Args), Decl: t.Decl}
		}
	case *Applicable:
		if len(t.Args) > 0 {
			r := &Applicable{Control: t.Control, Name: t.Name, Args: s.list(t.Args), Decl: t.Decl}
			s.done[t] = r // its constructor gives this type
			r.Apply, r.Ctor = s.sig(t.Apply), s.sig(t.Ctor)
			return r
		}
	case *Package:
		if len(t.Args) > 0 {
			r := &Package{Name: t.Name, Args: s.list(t.Args), Decl: t.Decl}
			s.done[t] = r
			r.Ctor = s.sig(t.Ctor)
			return r
		}
	case *Signature:
		return s.sig(t)
	}
	return t
}

func (s *substitution) list(ts []Type) []Type {
	r := make([]Type, len(ts))
	for i, t := range ts {
		r[i] = s.typ(t)
	}
	return r
}

func (s *substitution) sig(t *Signature) *Signature {
	if t == nil {
		return nil
	}
	r := &Signature{Kind: t.Kind, Name: t.Name, Result: s.typ(t.Result)}
	for _, p := range t.TypeParams {
		if _, bound := s.b[p]; !bound {
			r.TypeParams = append(r.TypeParams, p)
		}
	}
	for _, p := range t.Params {
		q := *p
		q.Type = s.typ(p.Type)
		r.Params = append(r.Params, &q)
	}
	return r
}

// typeParamsOf adds the type parameters that t depends on to found.
func typeParamsOf(t Type, found map[*TypeParam]bool) {
	all := func(ts []Type) {
		for _, t := range ts {
			typeParamsOf(t, found)
		}
	}
	switch t := t.(type) {
	case *TypeParam:
		found[t] = true
	case *Struct:
		all(t.Args)
	case *Stack:
		typeParamsOf(t.Elem, found)
	case *Tuple:
		all(t.Elems)
	case *List:
		typeParamsOf(t.Elem, found)
	case *Set:
		typeParamsOf(t.Elem, found)
	case *Extern:
		all(t.Args)
	case *Applicable:
		all(t.Args)
	case *Package:
		all(t.Args)
	}
}

// openType reports whether t depends on a type parameter.
func openType(t Type) bool {
	found := map[*TypeParam]bool{}
	typeParamsOf(t, found)
	return len(found) > 0
}

// typeKey is a text that two types share only if they are identical.
func typeKey(t Type) string {
	var b strings.Builder
	writeKey(&b, t)
	return b.String()
}

func writeKey(b *strings.Builder, t Type) {
	args := func(ts []Type) {
		b.WriteByte('<')
		for _, a := range ts {
			writeKey(b, a)
			b.WriteByte(',')
		}
		b.WriteByte('>')
	}
	switch t := t.(type) {
	case *Struct:
		if t.Decl == nil {
			b.WriteString("struct{")
			for _, f := range t.Fields {
				b.WriteString(f.Name + ":")
				writeKey(b, f.Type)
				b.WriteByte(';')
			}
			b.WriteByte('}')
			return
		}
		fmt.Fprintf(b, "%p", t.Decl)
		args(t.Args)
	case *Stack:
		writeKey(b, t.Elem)
		fmt.Fprintf(b, "[%d]", t.Size)
	case *Tuple:
		b.WriteString("tuple")
		args(t.Elems)
	case *List:
		b.WriteString("list")
		args([]Type{t.Elem})
	case *Set:
		b.WriteString("set")
		args([]Type{t.Elem})
	case *Enum:
		fmt.Fprintf(b, "%p", t.Decl)
	case *NewType:
		fmt.Fprintf(b, "%p", t.Decl)
	case *Extern:
		fmt.Fprintf(b, "%p", t.Decl)
		args(t.Args)
	case *Applicable:
		fmt.Fprintf(b, "%p", t.Decl)
		args(t.Args)
	case *Package:
		fmt.Fprintf(b, "%p", t.Decl)
		args(t.Args)
	case *Table:
		fmt.Fprintf(b, "%p", t.Decl)
	case *TypeParam, *Signature:
		fmt.Fprintf(b, "%p", t)
	default:
		b.WriteString(t.String())
	}
}
