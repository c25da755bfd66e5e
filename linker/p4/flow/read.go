package flow

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// locate finds the place that an expression names. Exact is false if the place is only the whole that holds the named part,
// because an index is not constant.
func (u *unit) locate(e syntax.Expr) (p place, exact, ok bool) {
	switch e := syntax.Unparen(e).(type) {
	case *syntax.Name:
		o := u.info.Uses[e.Ident]
		if o == nil || o.Kind != types.VarObject && o.Kind != types.ParamObject {
			return place{}, false, false
		}
		p, ok = u.root(o)
		return p, true, ok
	case *syntax.Member:
		p, exact, ok = u.locate(e.X)
		if !ok || !exact {
			return p, false, ok
		}
		if p.shape.kind == stackShape {
			return p, false, true
		}
		i := p.shape.field(e.Sel.Name)
		if i < 0 {
			return place{}, false, false
		}
		q := place{start: p.start + p.shape.starts[i], shape: p.shape.fields[i], headers: p.headers}
		if p.shape.kind == headerShape {
			q.headers = append(q.headers[:len(q.headers):len(q.headers)], p.start)
		}
		return q, true, true
	case *syntax.Index:
		p, exact, ok = u.locate(e.X)
		if !ok || !exact || p.shape.kind != stackShape {
			return p, false, ok
		}
		v, known := u.info.Values[e.I].(types.IntValue)
		if !known || !v.Int.IsInt64() || v.Int.Int64() < 0 || v.Int.Int64() >= int64(p.shape.count) {
			return p, false, true
		}
		return place{start: p.start + int(v.Int.Int64())*p.shape.elem.size, shape: p.shape.elem, headers: p.headers}, true, true
	case *syntax.Slice, *syntax.PlusSlice:
		var x syntax.Expr
		if s, is := e.(*syntax.Slice); is {
			x = s.X
		} else {
			x = e.(*syntax.PlusSlice).X
		}
		p, _, ok = u.locate(x)
		return p, false, ok
	}
	return place{}, false, false
}

// indices reads the indices inside an expression that names a place.
func (u *unit) indices(e syntax.Expr, st *state) {
	switch e := syntax.Unparen(e).(type) {
	case *syntax.Member:
		u.indices(e.X, st)
	case *syntax.Index:
		u.indices(e.X, st)
		u.read(e.I, st)
	case *syntax.Slice:
		u.indices(e.X, st)
	case *syntax.PlusSlice:
		u.indices(e.X, st)
		u.read(e.Lo, st)
	}
}

// access notes in which state the headers around a place are, and reports whether its own value counts.
func (u *unit) access(n syntax.Node, p place, st *state) bool {
	var h cell
	for _, i := range p.headers {
		h |= u.at(st, i)
	}
	u.note(n, 0, h)
	return h&invalid == 0 && !surely(h)
}

// elements notes an access to a field of some element of a header stack: it is wrong for certain if no element is valid. It
// reports whether e is such an access.
func (u *unit) elements(e syntax.Expr, p place, st *state) bool {
	m, ok := syntax.Unparen(e).(*syntax.Member)
	if !ok || p.shape.kind != stackShape || p.shape.elem.kind != headerShape {
		return false
	}
	if _, ok := syntax.Unparen(m.X).(*syntax.Index); !ok {
		return false
	}
	var h cell
	for i := range p.shape.count {
		h |= u.at(st, p.start+i*p.shape.elem.size)
	}
	if !surely(h) {
		h = unknown
	}
	u.note(e, 0, h)
	return true
}

// read evaluates an expression.
func (u *unit) read(e syntax.Expr, st *state) {
	if e == nil || st.dead || u.spent() {
		return
	}
	u.steps++
	switch e := e.(type) {
	case *syntax.Name, *syntax.Member, *syntax.Index:
		if u.info.Values[e] != nil {
			return
		}
		p, exact, ok := u.locate(e)
		if !ok {
			u.readParts(e, st)
			return
		}
		u.indices(e, st)
		if !exact {
			u.elements(e, p, st)
		} else if u.access(e, p, st) {
			if v, scalars := u.whole(st, p); scalars {
				u.note(e, v, 0)
			}
		}
	case *syntax.Call:
		u.call(e, st)
	case *syntax.Cond:
		yes, no := u.cond(e.C, st)
		u.read(e.X, yes)
		u.read(e.Y, no)
		u.join(yes, no)
		*st = *yes
	case *syntax.Unary:
		if e.Op == "!" {
			u.decide(e, st)
			return
		}
		u.read(e.X, st)
	case *syntax.Binary:
		if e.Op == "&&" || e.Op == "||" {
			u.decide(e, st)
			return
		}
		u.read(e.X, st)
		u.read(e.Y, st)
	default:
		u.readParts(e, st)
	}
}

// decide evaluates a condition whose result is a value.
func (u *unit) decide(e syntax.Expr, st *state) {
	yes, no := u.cond(e, st)
	u.join(yes, no)
	*st = *yes
}

func (u *unit) readParts(e syntax.Expr, st *state) {
	switch e := e.(type) {
	case *syntax.Paren:
		u.read(e.X, st)
	case *syntax.Member:
		u.read(e.X, st)
	case *syntax.Index:
		u.read(e.X, st)
		u.read(e.I, st)
	case *syntax.Slice:
		u.read(e.X, st)
	case *syntax.PlusSlice:
		u.read(e.X, st)
		u.read(e.Lo, st)
	case *syntax.Cast:
		u.read(e.X, st)
	case *syntax.ListExpr:
		for _, x := range e.Elems {
			u.read(x, st)
		}
	case *syntax.StructExpr:
		for _, f := range e.Fields {
			u.read(f.Value, st)
		}
	}
}

// cond evaluates a condition and returns the states in which it is true and false. St is used up.
func (u *unit) cond(e syntax.Expr, st *state) (yes, no *state) {
	if v, ok := u.info.Values[e].(types.BoolValue); ok {
		if v {
			return st, dead()
		}
		return dead(), st
	}
	switch x := syntax.Unparen(e).(type) {
	case *syntax.Unary:
		if x.Op == "!" {
			yes, no = u.cond(x.X, st)
			return no, yes
		}
	case *syntax.Binary:
		switch x.Op {
		case "&&":
			yes, no = u.cond(x.X, st)
			yes2, no2 := u.cond(x.Y, yes)
			u.join(no, no2)
			return yes2, no
		case "||":
			yes, no = u.cond(x.X, st)
			yes2, no2 := u.cond(x.Y, no)
			u.join(yes, yes2)
			return yes, no2
		}
	case *syntax.Member:
		if k, ok := syntax.Unparen(x.X).(*syntax.Call); ok && !st.dead {
			if c := u.info.Calls[k]; c != nil && c.Kind == types.TableApply {
				run := u.applyTable(c, st)
				if x.Sel.Name == "miss" {
					return run.miss, run.hit
				}
				return run.hit, run.miss
			}
		}
	case *syntax.Call:
		c := u.info.Calls[x]
		if c != nil && c.Kind == types.BuiltinCall && c.Method == "isValid" {
			u.indices(c.Recv, st)
			return u.whenValid(c.Recv, st)
		}
	}
	u.read(e, st)
	return st, u.clone(st)
}

// whenValid splits a state by the validity of a header.
func (u *unit) whenValid(e syntax.Expr, st *state) (yes, no *state) {
	yes, no = st, u.clone(st)
	p, exact, ok := u.locate(e)
	if !ok || !exact || p.shape.kind != headerShape || st.dead {
		return yes, no
	}
	switch v := u.at(st, p.start); {
	case surely(v):
		return dead(), no
	case v == valid:
		return yes, dead()
	default:
		u.put(yes, p.start, valid)
		u.invalidate(no, p)
		if v&(unknown|tested) != 0 && v&invalid == 0 {
			u.put(no, p.start, tested)
		}
	}
	return yes, no
}
