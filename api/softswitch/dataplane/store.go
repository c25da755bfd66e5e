package dataplane

import (
	"slices"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// store compiles "dst = e". Everything on the right is read before anything on the left is written.
func (c *compiler) store(dst place, e syntax.Expr) step { return dst.alone(c.storePlain(dst, e)) }

func (c *compiler) storePlain(dst place, e syntax.Expr) step {
	t := dst.typ
	if w, _, ok := widthOf(t); ok {
		if w > 64 {
			v := c.wide(e)
			return sequence(v.prep, copyWords(dst, place{slot: v.slot}, bitWords(w)))
		}
		if b, ok := unparen(e).(*syntax.Binary); ok && dst.dyn == nil && isCondition(b.Op) {
			return choose(c.cond(e), storeScalar(dst, constant(1)), storeScalar(dst, constant(0)))
		}
		return storeScalar(dst, c.scalar(e))
	}
	switch x := e.(type) {
	case *syntax.Paren:
		return c.store(dst, x.X)
	case *syntax.ListExpr, *syntax.StructExpr:
		tmp := c.temp(e, t)
		return sequence(c.storeElements(tmp, e), copyWords(dst, tmp, wordsOf(e, t)))
	case *syntax.InvalidExpr:
		return invalidate(dst, validitySlots(e, t, 0))
	case *syntax.Cast:
		return c.storeCast(dst, x)
	case *syntax.Call:
		return c.storeCall(dst, x)
	case *syntax.Cond:
		cond, a, b := c.cond(x.C), c.store(dst, x.X), c.store(dst, x.Y)
		return choose(cond, a, b)
	}
	if v, ok := c.value(e).(types.TupleValue); ok {
		return c.storeValue(e, dst, v)
	}
	prep, src := c.placeOf(e)
	from := src.typ
	if !sameShape(from, t) {
		unsupported(e, "using a %s as a %s", from, t)
	}
	return sequence(prep, copyWords(dst, src, wordsOf(e, t)))
}

// sameShape tells whether two aggregate types have one layout, word for word.
func sameShape(a, b types.Type) bool {
	a, b = under(a), under(b)
	switch x := a.(type) {
	case *types.Struct:
		if y, ok := b.(*types.Struct); ok {
			return x == y || x.Decl == y.Decl || elementsMatch(x, y)
		}
		if y, ok := b.(*types.Tuple); ok && x.Kind == types.PlainStruct {
			return sameShape(y, x)
		}
	case *types.Tuple:
		var elems []types.Type
		switch y := b.(type) {
		case *types.Tuple:
			elems = y.Elems
		case *types.Struct:
			if y.Kind != types.PlainStruct {
				return false
			}
			for _, f := range y.Fields {
				elems = append(elems, f.Type)
			}
		}
		if len(elems) != len(x.Elems) {
			return false
		}
		for i := range elems {
			if !sameShape(x.Elems[i], elems[i]) {
				return false
			}
		}
		return true
	case *types.Stack:
		y, ok := b.(*types.Stack)
		return ok && x.Size == y.Size && sameShape(x.Elem, y.Elem)
	case *types.Varbit:
		y, ok := b.(*types.Varbit)
		return ok && x.Max == y.Max
	}
	wa, _, ok1 := widthOf(a)
	wb, _, ok2 := widthOf(b)
	return ok1 && ok2 && wa == wb
}

func elementsMatch(x, y *types.Struct) bool {
	if x.Kind != y.Kind || len(x.Fields) != len(y.Fields) {
		return false
	}
	for i := range x.Fields {
		if !sameShape(x.Fields[i].Type, y.Fields[i].Type) {
			return false
		}
	}
	return true
}

func storeScalar(dst place, v scalar) step {
	if dst.dyn == nil {
		switch {
		case v.con:
			return step{{op: opSet, d: uint32(dst.slot), k: v.val}}
		case v.fresh:
			code := slices.Clone(v.code)
			code[len(code)-1].d = uint32(dst.slot)
			return code
		case v.slot == dst.slot:
			return v.code
		}
		return append(slices.Clip(v.code), instr{op: opMove, d: uint32(dst.slot), a: uint32(v.slot)})
	}
	fn := v.fn()
	return native(func(f *frame) flow {
		x := fn(f)
		f.w[dst.at(f)] = x
		return next
	})
}

// elementTypes lists the parts that a list or struct expression gives a value to: offsets in words, types and names.
func (c *compiler) elementTypes(at syntax.Node, t types.Type) (offs []int, ts []types.Type, names []string, header bool) {
	off := 0
	add := func(et types.Type, name string) {
		offs, ts, names = append(offs, off), append(ts, et), append(names, name)
		off += wordsOf(at, et)
	}
	switch t := under(t).(type) {
	case *types.Struct:
		if header = t.Kind == types.Header; header {
			off = 1
		}
		for _, f := range t.Fields {
			add(f.Type, f.Name)
		}
	case *types.Tuple:
		for _, e := range t.Elems {
			add(e, "")
		}
	case *types.Stack:
		off = 1
		for range t.Size {
			add(t.Elem, "")
		}
	default:
		unsupported(at, "a list as a %s", t)
	}
	return offs, ts, names, header
}

// storeElements stores a list or struct expression into a temporary.
func (c *compiler) storeElements(tmp place, e syntax.Expr) step {
	offs, ts, names, header := c.elementTypes(e, tmp.typ)
	var steps []step
	if header {
		steps = append(steps, step{{op: opSet, d: uint32(tmp.slot), k: 1}})
	}
	given := 0
	switch x := e.(type) {
	case *syntax.ListExpr:
		if x.Dots || len(x.Elems) != len(offs) {
			unsupported(e, "a list of %d for the %d parts of %s", len(x.Elems), len(offs), tmp.typ)
		}
		given = len(x.Elems)
		for i, el := range x.Elems {
			steps = append(steps, c.store(tmp.field(offs[i], ts[i]), el))
		}
	case *syntax.StructExpr:
		if x.Dots {
			unsupported(e, "default field values (...)")
		}
		for _, f := range x.Fields {
			for i, name := range names {
				if f.Name != nil && f.Name.Name == name {
					steps = append(steps, c.store(tmp.field(offs[i], ts[i]), f.Value))
					given++
				}
			}
		}
	}
	if given != len(offs) {
		invalid(e, "the expression gives %d of the %d parts of %s", given, len(offs), tmp.typ)
	}
	return sequence(steps...)
}

// storeCast stores (T) e for an aggregate T.
func (c *compiler) storeCast(dst place, x *syntax.Cast) step {
	inner := x.X
	for {
		p, ok := inner.(*syntax.Paren)
		if !ok {
			break
		}
		inner = p.X
	}
	switch inner.(type) {
	case *syntax.ListExpr, *syntax.StructExpr, *syntax.InvalidExpr:
		return c.store(dst, inner)
	}
	from := c.finalType(inner)
	if !sameShape(from, dst.typ) {
		unsupported(x, "a cast from %s to %s", from, dst.typ)
	}
	tmp := c.temp(inner, from)
	return sequence(c.store(tmp, inner), copyWords(dst, tmp, wordsOf(x, from)))
}

// storeValue stores a compile-time list.
func (c *compiler) storeValue(at syntax.Node, dst place, v types.TupleValue) step {
	offs, ts, _, header := c.elementTypes(at, dst.typ)
	if len(v) != len(offs) {
		invalid(at, "a constant of %d parts for %s", len(v), dst.typ)
	}
	var steps []step
	if header {
		steps = append(steps, storeScalar(dst.field(0, types.Bool), constant(1)))
	}
	for i, el := range v {
		d := dst.field(offs[i], ts[i])
		if t, ok := el.(types.TupleValue); ok {
			steps = append(steps, c.storeValue(at, d, t))
			continue
		}
		n, ok := c.valueNumber(at, el, ts[i])
		if !ok {
			unsupported(at, "this constant")
		}
		steps = append(steps, storeWords(d, bigWords(n, wordsOf(at, ts[i]))))
	}
	return sequence(steps...)
}

// storeWords stores known words.
func storeWords(dst place, words []uint64) step {
	if dst.dyn != nil {
		return native(func(f *frame) flow { copy(f.w[dst.at(f):], words); return next })
	}
	var s step
	for i, w := range words {
		s = append(s, instr{op: opSet, d: uint32(dst.slot + i), k: w})
	}
	return s
}

// assign compiles lhs = rhs.
func (c *compiler) assign(lhs, rhs syntax.Expr) step {
	if p, ok := lhs.(*syntax.Paren); ok {
		return c.assign(p.X, rhs)
	}
	if isSlice(lhs) {
		return c.assignSlice(lhs, rhs)
	}
	prep, dst := c.placeOf(lhs)
	pin, dst := c.pinned(dst)
	return sequence(prep, pin, c.store(dst, rhs))
}

// outArgument gives an extern's out argument a place to be computed into, and the step that moves it to where it belongs.
func (c *compiler) outArgument(arg syntax.Expr, t types.Type) (prep step, dst place, done step) {
	if _, ok := arg.(*syntax.DontCare); ok {
		return nil, c.temp(arg, t), nil
	}
	if isSlice(arg) {
		s, tmp := c.slicing(arg), c.temp(arg, t)
		return s.prep, tmp, s.write(tmp)
	}
	prep, dst = c.placeOf(arg)
	pin, dst := c.pinned(dst)
	return sequence(prep, pin), dst, nil
}
