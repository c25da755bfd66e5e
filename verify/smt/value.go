package smt

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Value of a term. The zero Value is undefined: what the theory, or Eval, leaves open.
type Value struct {
	sort  Sort
	num   *big.Int // as in a constant term
	array *arrayValue
	// function is the meaning of a function symbol in a Model; as a value it is undefined.
	function *function
}

// arrayValue maps indices, by their text, to elements; all others have els.
type arrayValue struct {
	at  map[string]element
	els Value
}

type element struct{ index, value Value }

// Defined tells whether v is a value at all.
func (v Value) Defined() bool { return v.sort.kind != noSort }

// Sort returns the value's sort.
func (v Value) Sort() Sort { return v.sort }

// Bool returns the truth value; ok is false if v has another sort or is undefined.
func (v Value) Bool() (value, ok bool) {
	return v.sort == Bool && v.num.Sign() != 0, v.sort == Bool
}

// Int returns the integer, or the bit-vector read as unsigned; it must not be changed. It is nil of other sorts.
func (v Value) Int() *big.Int {
	if v.sort == Int || v.sort.IsBV() {
		return v.num
	}
	return nil
}

// IsTrue tells whether v is defined and true.
func (v Value) IsTrue() bool { b, ok := v.Bool(); return b && ok }

// BoolValue returns the Value of b.
func BoolValue(b bool) Value {
	if b {
		return Value{sort: Bool, num: big.NewInt(1)}
	}
	return Value{sort: Bool, num: new(big.Int)}
}

// IntValue returns the Value of i, which is copied.
func IntValue(i *big.Int) Value { return Value{sort: Int, num: new(big.Int).Set(i)} }

// BVValue returns the bit-vector of w bits whose value is v modulo 2^w; v is copied.
func BVValue(v *big.Int, w int) Value {
	return Value{sort: BV(w), num: wrap(new(big.Int).Set(v), w)}
}

// Zero returns false, 0, or the array of them.
func Zero(s Sort) Value {
	if s.IsArray() {
		return Value{sort: s, array: &arrayValue{els: Zero(s.Elem())}}
	}
	return Value{sort: s, num: new(big.Int)}
}

// Select returns the element of an array at index i.
func (v Value) Select(i Value) Value {
	if v.array == nil || !i.Defined() {
		return Value{}
	}
	if e, ok := v.array.at[i.String()]; ok {
		return e.value
	}
	return v.array.els
}

// store returns the array with element i replaced by e.
func (v Value) store(i, e Value) Value {
	if v.array == nil || !i.Defined() || !e.Defined() {
		return Value{}
	}
	at := make(map[string]element, len(v.array.at)+1)
	for k, x := range v.array.at {
		at[k] = x
	}
	at[i.String()] = element{i, e}
	return Value{sort: v.sort, array: &arrayValue{at, v.array.els}}
}

// Equal tells whether both are the same value; known is false if that is undefined.
func (v Value) Equal(w Value) (equal, known bool) {
	if !v.Defined() || !w.Defined() || v.sort != w.sort {
		return false, false
	}
	if v.array == nil {
		return v.num.Cmp(w.num) == 0, true
	}
	known = true
	union := map[string]Value{}
	for _, a := range [2]*arrayValue{v.array, w.array} {
		for k, e := range a.at {
			union[k] = e.index
		}
	}
	for _, i := range union {
		eq, ok := v.Select(i).Equal(w.Select(i))
		if ok && !eq {
			return false, true
		}
		known = known && ok
	}
	key := v.sort.Key()
	if key == Bool && len(union) == 2 || key.IsBV() && key.width < 31 && len(union) == 1<<key.width {
		return known, known // every index is listed
	}
	eq, ok := v.array.els.Equal(w.array.els)
	if ok && !eq {
		return false, true
	}
	return known && ok, known && ok
}

// String returns the value as SMT-LIB writes it, arrays as stores into a constant array in the order of their indices.
func (v Value) String() string {
	switch {
	case !v.Defined():
		return "undefined"
	case v.array == nil:
		return literal(&Term{op: OpConst, sort: v.sort, num: v.num})
	}
	keys := make([]string, 0, len(v.array.at))
	for k := range v.array.at {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	s := fmt.Sprintf("((as const %s) %s)", v.sort, v.array.els)
	var stores strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&stores, " %s %s)", k, v.array.at[k].value)
	}
	return strings.Repeat("(store ", len(keys)) + s + stores.String()
}
