package program

import (
	"fmt"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/verify/smt"
)

// codeBits is the width of error and enum codes: the index of the member in its declaration. stackBits is that of a stack's
// next index.
const (
	codeBits  = 8
	stackBits = 8
)

// leafKind tells a program's own containers from those that the language adds.
type leafKind int

const (
	fieldLeaf leafKind = iota
	validLeaf          // validity of a header
	nextLeaf           // next index of a header stack
)

// A leaf is one scalar container of a value. Every value is a sequence of leaves, so that structs, headers and stacks are
// copied and merged container by container, as hardware does it.
type leaf struct {
	path string // "ipv4.ttl", relative to the value
	kind leafKind
	sort smt.Sort
	bits int // 0 for a bool
}

// layouts computes and remembers how types are laid out.
type layouts struct{ memo map[types.Type][]leaf }

// of returns the leaves of t, or an error for a type that has no fixed set of containers.
func (l *layouts) of(t types.Type) ([]leaf, error) {
	if ls, ok := l.memo[t]; ok {
		return ls, nil
	}
	ls, err := l.compute(t)
	if err == nil {
		l.memo[t] = ls
	}
	return ls, err
}

func (l *layouts) compute(t types.Type) ([]leaf, error) {
	switch t := t.(type) {
	case *types.Basic:
		switch t.Kind {
		case types.BoolKind:
			return []leaf{{sort: smt.Bool}}, nil
		case types.ErrorKind:
			return []leaf{vector(codeBits)}, nil
		case types.VoidKind, types.DontCareKind:
			return nil, nil
		}
	case *types.Bit:
		if t.Width > 0 {
			return []leaf{vector(t.Width)}, nil
		}
	case *types.Enum:
		if t.Underlying != nil {
			return l.of(t.Underlying)
		}
		if len(t.Members) <= 1<<codeBits {
			return []leaf{vector(codeBits)}, nil
		}
	case *types.NewType:
		return l.of(t.Under)
	case *types.Tuple:
		var out []leaf
		for i, e := range t.Elems {
			sub, err := l.of(e)
			if err != nil {
				return nil, err
			}
			out = append(out, within(fmt.Sprint(i), sub)...)
		}
		return out, nil
	case *types.Struct:
		if t.Kind == types.HeaderUnion {
			break
		}
		var out []leaf
		if t.Kind == types.Header {
			out = append(out, leaf{path: "$valid", kind: validLeaf, sort: smt.Bool})
		}
		for _, f := range t.Fields {
			sub, err := l.of(f.Type)
			if err != nil {
				return nil, err
			}
			out = append(out, within(f.Name, sub)...)
		}
		return out, nil
	case *types.Stack:
		if t.Size == 0 || t.Size >= 1<<stackBits || !t.IsHeaderStack() {
			break
		}
		sub, err := l.of(t.Elem)
		if err != nil {
			return nil, err
		}
		var out []leaf
		for i := 0; i < t.Size; i++ {
			out = append(out, within(fmt.Sprint(i), sub)...)
		}
		return append(out, leaf{path: "$next", kind: nextLeaf, sort: smt.BV(stackBits), bits: stackBits}), nil
	}
	return nil, fmt.Errorf("values of type %s are not supported by the verifier", t)
}

func vector(n int) leaf { return leaf{sort: smt.BV(n), bits: n} }

func within(name string, sub []leaf) []leaf {
	out := make([]leaf, len(sub))
	for i, s := range sub {
		out[i] = s
		if s.path == "" {
			out[i].path = name
		} else {
			out[i].path = name + "." + s.path
		}
	}
	return out
}

// layout is of for types that stand at a place in the program.
func (m *machine) layout(t types.Type, at syntax.Node) []leaf {
	ls, err := m.lay.of(t)
	if err != nil {
		m.refuse(at, "%v", err)
	}
	return ls
}

// field returns where a struct's or header's field begins and its type.
func (m *machine) field(t types.Type, name string, at syntax.Node) (int, types.Type) {
	s, ok := under(t).(*types.Struct)
	if !ok {
		m.refuse(at, "%s has no field %s", t, name)
	}
	off := 0
	if s.Kind == types.Header {
		off = 1
	}
	for _, f := range s.Fields {
		if f.Name == name {
			return off, f.Type
		}
		off += len(m.layout(f.Type, at))
	}
	m.refuse(at, "%s has no field %s", t, name)
	return 0, nil
}

// under looks through new types.
func under(t types.Type) types.Type {
	for {
		n, ok := t.(*types.NewType)
		if !ok {
			return t
		}
		t = n.Under
	}
}

func isHeader(t types.Type) bool {
	s, ok := under(t).(*types.Struct)
	return ok && s.Kind == types.Header
}

// signed reports whether a type's arithmetic is signed.
func signed(t types.Type) bool {
	switch t := under(t).(type) {
	case *types.Bit:
		return t.Signed
	case *types.Enum:
		return t.Underlying != nil && signed(t.Underlying)
	}
	return false
}

// headerBits is the number of bits that a header takes in a packet.
func headerBits(ls []leaf) int {
	n := 0
	for _, l := range ls {
		if l.kind == fieldLeaf {
			n += packetBits(l)
		}
	}
	return n
}

// packetBits is the number of bits that a field takes in a packet: a bool takes one.
func packetBits(l leaf) int {
	if l.bits == 0 {
		return 1
	}
	return l.bits
}
