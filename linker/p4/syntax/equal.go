package syntax

import (
	"math/big"
	"reflect"
)

// Equal reports whether two trees are the same program text: the same nodes in the same order. Positions, comments,
// redundant parentheses and the spelling of literals (0x10 and 16, but not 16 and 8w16) do not count.
func Equal(a, b Node) bool {
	return equalValues(reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem())
}

var (
	nodeType  = reflect.TypeOf(node{})
	posType   = reflect.TypeOf(Pos{})
	noteType  = reflect.TypeOf([]Comment(nil))
	linesType = reflect.TypeOf(lineMap{})
	bigType   = reflect.TypeOf((*big.Int)(nil))
	intType   = reflect.TypeOf(IntLit{})
	strType   = reflect.TypeOf(StringLit{})
	parenType = reflect.TypeOf((*Paren)(nil))
)

// equalValues walks both values by reflection, so that no field of any node can be forgotten.
func equalValues(a, b reflect.Value) bool {
	a, b = strip(a), strip(b)
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		if a.Type() == bigType {
			return a.Interface().(*big.Int).Cmp(b.Interface().(*big.Int)) == 0
		}
		return equalValues(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equalValues(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			f := a.Type().Field(i)
			if f.Type == nodeType || f.Type == posType || f.Type == noteType || f.Type == linesType ||
				f.Name == "Text" && (a.Type() == intType || a.Type() == strType) {
				continue
			}
			if !equalValues(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	default:
		return a.Equal(b)
	}
}

// strip removes interfaces and parentheses around v; the zero Value is a nil interface.
func strip(v reflect.Value) reflect.Value {
	for v.IsValid() {
		switch {
		case v.Kind() == reflect.Interface:
			v = v.Elem()
		case v.Type() == parenType && !v.IsNil():
			v = v.Elem().FieldByName("X")
		default:
			return v
		}
	}
	return v
}
