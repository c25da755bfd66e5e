package flow

import "github.com/interlock/interlock/linker/p4/types"

// maxCells bounds the parts of one variable that are followed; a larger one is not followed at all.
const maxCells = 4096

type shapeKind int

const (
	leaf shapeKind = iota
	structShape
	headerShape // its first cell is its validity
	unionShape
	stackShape
)

// shape says how the parts of a type lie in a state: one cell for each scalar, and one for each header's validity.
type shape struct {
	kind   shapeKind
	size   int
	names  []string // of fields
	fields []*shape
	starts []int  // of fields
	elem   *shape // of a stack
	count  int
}

// shapes makes the shape of each type once; nil is the shape of what is not followed.
type shapes map[types.Type]*shape

func (ss shapes) of(t types.Type) *shape {
	if sh, ok := ss[t]; ok {
		return sh
	}
	sh := ss.build(t)
	if sh != nil && sh.size > maxCells {
		sh = nil
	}
	ss[t] = sh
	return sh
}

func (ss shapes) build(t types.Type) *shape {
	switch t := t.(type) {
	case *types.Bit, *types.Varbit, *types.Enum, *types.NewType:
		return &shape{kind: leaf, size: 1}
	case *types.Basic:
		if t.Kind == types.BoolKind || t.Kind == types.ErrorKind {
			return &shape{kind: leaf, size: 1}
		}
	case *types.Stack:
		elem := ss.of(t.Elem)
		if elem == nil || t.Size < 0 || t.Size > maxCells {
			return nil
		}
		return &shape{kind: stackShape, size: elem.size * t.Size, elem: elem, count: t.Size}
	case *types.Struct:
		sh := &shape{kind: structShape}
		switch t.Kind {
		case types.Header:
			sh.kind, sh.size = headerShape, 1
		case types.HeaderUnion:
			sh.kind = unionShape
		}
		for _, f := range t.Fields {
			fs := ss.of(f.Type)
			if fs == nil {
				return nil
			}
			sh.names = append(sh.names, f.Name)
			sh.fields = append(sh.fields, fs)
			sh.starts = append(sh.starts, sh.size)
			if sh.size += fs.size; sh.size > maxCells {
				return nil
			}
		}
		return sh
	}
	return nil
}

func (sh *shape) field(name string) int {
	for i, n := range sh.names {
		if n == name {
			return i
		}
	}
	return -1
}

// each calls f for every leaf and every validity of a value that starts at base.
func (sh *shape) each(base int, f func(cell int, validity bool)) {
	switch sh.kind {
	case leaf:
		f(base, false)
	case stackShape:
		for i := range sh.count {
			sh.elem.each(base+i*sh.elem.size, f)
		}
	default:
		if sh.kind == headerShape {
			f(base, true)
		}
		for i, fs := range sh.fields {
			fs.each(base+sh.starts[i], f)
		}
	}
}
