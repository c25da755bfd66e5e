package smt

import (
	"fmt"
	"strconv"
	"strings"
)

type sortKind uint8

const (
	noSort sortKind = iota
	boolSort
	intSort
	bvSort
	arraySort
)

// Sort is the sort of a term. Sorts are comparable with ==; the zero Sort is no sort.
type Sort struct {
	kind  sortKind
	width int
	array string // key and element sort as printed, separated by a space
}

// Bool and Int are the sorts of truth values and of unbounded integers.
var (
	Bool = Sort{kind: boolSort}
	Int  = Sort{kind: intSort}
)

// MaxWidth is the widest bit-vector in bits.
const MaxWidth = 1 << 20

// BV returns the sort of bit-vectors of n bits, 1 to MaxWidth.
func BV(n int) Sort {
	if n < 1 || n > MaxWidth {
		panic(fmt.Sprintf("smt: a bit-vector of %d bits: want 1 to %d", n, MaxWidth))
	}
	return Sort{kind: bvSort, width: n}
}

// Array returns the sort of total maps from k to v.
func Array(k, v Sort) Sort {
	if k.kind == noSort || v.kind == noSort {
		panic("smt: an array of no sort")
	}
	return Sort{kind: arraySort, array: k.String() + " " + v.String()}
}

// IsBool, IsInt, IsBV and IsArray tell what kind of sort s is.
func (s Sort) IsBool() bool { return s.kind == boolSort }

// IsInt tells whether s is Int.
func (s Sort) IsInt() bool { return s.kind == intSort }

// IsBV tells whether s is a sort of bit-vectors.
func (s Sort) IsBV() bool { return s.kind == bvSort }

// IsArray tells whether s is a sort of arrays.
func (s Sort) IsArray() bool { return s.kind == arraySort }

// Width returns the width of a bit-vector sort in bits, 0 of other sorts.
func (s Sort) Width() int { return s.width }

// Key returns the sort of an array's indices, and Elem that of its elements.
func (s Sort) Key() Sort { k, _ := s.split(); return k }

// Elem returns the sort of an array's elements.
func (s Sort) Elem() Sort { _, v := s.split(); return v }

func (s Sort) split() (key, elem Sort) {
	if s.kind != arraySort {
		panic("smt: " + s.String() + " is no array sort")
	}
	key, rest := readSort(s.array)
	elem, _ = readSort(strings.TrimPrefix(rest, " "))
	return key, elem
}

// readSort reads the sort that s, made by String, begins with.
func readSort(s string) (Sort, string) {
	if rest, ok := strings.CutPrefix(s, "Bool"); ok {
		return Bool, rest
	}
	if rest, ok := strings.CutPrefix(s, "Int"); ok {
		return Int, rest
	}
	if rest, ok := strings.CutPrefix(s, "(_ BitVec "); ok {
		digits, rest, _ := strings.Cut(rest, ")")
		n, err := strconv.Atoi(digits)
		if err != nil {
			panic("smt: bad sort " + s)
		}
		return BV(n), rest
	}
	if rest, ok := strings.CutPrefix(s, "(Array "); ok {
		k, rest := readSort(rest)
		v, rest := readSort(strings.TrimPrefix(rest, " "))
		return Array(k, v), strings.TrimPrefix(rest, ")")
	}
	panic("smt: bad sort " + s)
}

// String returns the sort as SMT-LIB writes it.
func (s Sort) String() string {
	switch s.kind {
	case boolSort:
		return "Bool"
	case intSort:
		return "Int"
	case bvSort:
		return "(_ BitVec " + strconv.Itoa(s.width) + ")"
	case arraySort:
		return "(Array " + s.array + ")"
	default:
		return "no sort"
	}
}
