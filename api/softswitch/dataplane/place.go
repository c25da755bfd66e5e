package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// A place is where a value lies in the frame: at slot, plus what dyn says for an element of a stack at a computed index.
type place struct {
	slot int
	dyn  func(*frame) int // nil if the place is known at compile time
	typ  types.Type
	// others are, for a header in a union, where the validity words of the union's other headers lie, from slot.
	others []int
}

// alone compiles what s, which may make the header at p valid, does to the others of its union.
func (p place) alone(s step) step {
	if len(p.others) == 0 {
		return s
	}
	return sequence(s, native(func(f *frame) flow {
		at := p.at(f)
		if f.w[at] != 0 {
			for _, o := range p.others {
				f.w[at+o] = 0
			}
		}
		return next
	}))
}

// at is the word offset of the place.
func (p place) at(f *frame) int {
	if p.dyn == nil {
		return p.slot
	}
	return p.slot + p.dyn(f)
}

// field moves the place to a part of it.
func (p place) field(off int, t types.Type) place {
	return place{slot: p.slot + off, dyn: p.dyn, typ: t}
}

// place finds where e lies. What is not a place itself (the result of a call, a list) is put into a temporary by prep, which is
// nil if there is nothing to do first.
func (c *compiler) place(e syntax.Expr) (prep step, p place) {
	switch x := e.(type) {
	case *syntax.Paren:
		return c.place(x.X)
	case *syntax.Name:
		if b := c.lookup(c.use(x.Ident)); b != nil && b.place != nil {
			return nil, *b.place
		}
	case *syntax.Member:
		if prep, p, ok := c.memberPlace(x); ok {
			return prep, p
		}
	case *syntax.Index:
		return c.elementPlace(x)
	}
	t := c.typeOf(e)
	p = c.temp(e, t)
	return c.store(p, e), p
}

func (c *compiler) memberPlace(x *syntax.Member) (prep step, p place, ok bool) {
	if _, isType := x.X.(*syntax.TypeExpr); isType {
		return nil, place{}, false
	}
	switch t := under(c.typeOf(x.X)).(type) {
	case *types.Struct:
		prep, p := c.place(x.X)
		off, ft := fieldOffset(x, t, x.Sel.Name)
		p = p.field(off, ft)
		if t.Kind == types.HeaderUnion {
			for _, v := range validitySlots(x, t, 0) {
				if v != off {
					p.others = append(p.others, v-off)
				}
			}
		}
		return prep, p, true
	case *types.Stack:
		switch x.Sel.Name {
		case "next", "last":
			prep, p := c.place(x.X)
			return prep, c.stackCursor(x, p, t, x.Sel.Name == "last"), true
		}
	}
	return nil, place{}, false
}

// stackCursor is the place of stack.next or stack.last; past the ends it is a parser error, which unwinds.
func (c *compiler) stackCursor(at syntax.Node, p place, t *types.Stack, last bool) place {
	if !c.parsing {
		unsupported(at, "next and last outside a parser")
	}
	words := wordsOf(at, t.Elem)
	size := t.Size
	bad := c.errorIndex(at, "StackOutOfBounds")
	base := p
	return place{slot: p.slot + 1, typ: t.Elem, dyn: func(f *frame) int {
		s := base.at(f)
		i := int(f.w[s])
		if last {
			i--
		}
		if i < 0 || i >= size {
			panic(unwound(f.fail(bad)))
		}
		return s - base.slot + i*words
	}}
}

func (c *compiler) elementPlace(x *syntax.Index) (step, place) {
	prep, p := c.place(x.X)
	switch t := under(c.typeOf(x.X)).(type) {
	case *types.Tuple:
		i, ok := c.constInt(x.I)
		if !ok || i < 0 || i >= int64(len(t.Elems)) {
			invalid(x, "a tuple's index must be a constant below %d", len(t.Elems))
		}
		off := 0
		for _, e := range t.Elems[:i] {
			off += wordsOf(x, e)
		}
		return prep, p.field(off, t.Elems[i])
	case *types.Stack:
		words := wordsOf(x, t.Elem)
		if i, ok := c.constInt(x.I); ok {
			if i < 0 || i >= int64(t.Size) {
				invalid(x, "index %d of a stack of %d", i, t.Size)
			}
			return prep, p.field(1+int(i)*words, t.Elem)
		}
		index, size, base := c.scalar(x.I).fn(), uint64(t.Size), p
		return prep, place{slot: p.slot + 1, typ: t.Elem, dyn: func(f *frame) int {
			s := base.at(f)
			i := index(f)
			if i >= size {
				i = size
				clear(f.w[s+1+int(i)*words : s+1+int(i+1)*words])
			}
			return s - base.slot + int(i)*words
		}}
	}
	unsupported(x, "indexing a %s", c.typeOf(x.X))
	return nil, place{}
}

// pinned fixes a place whose index is computed: the index is evaluated once, by the returned step.
func (c *compiler) pinned(p place) (step, place) {
	if p.dyn == nil {
		return nil, p
	}
	at, dyn := c.alloc(1), p.dyn
	return native(func(f *frame) flow { f.w[at] = uint64(dyn(f)); return next }),
		place{slot: p.slot, dyn: func(f *frame) int { return int(f.w[at]) }, typ: p.typ, others: p.others}
}

// load reads a place that holds a scalar of at most 64 bits.
func (c *compiler) load(p place) scalar {
	if p.dyn == nil {
		return loadSlot(p.slot)
	}
	return c.compute(nil, func(f *frame) uint64 { return f.w[p.slot+p.dyn(f)] })
}

// copyWords copies n words between places.
func copyWords(dst, src place, n int) step {
	if n == 0 {
		return nil
	}
	if dst.dyn == nil && src.dyn == nil {
		switch {
		case dst.slot == src.slot:
			return nil
		case n == 1:
			return step{{op: opMove, d: uint32(dst.slot), a: uint32(src.slot)}}
		}
		return step{{op: opCopy, d: uint32(dst.slot), a: uint32(src.slot), b: uint32(n)}}
	}
	return native(func(f *frame) flow {
		s := src.at(f)
		d := dst.at(f)
		copy(f.w[d:d+n], f.w[s:s+n])
		return next
	})
}
