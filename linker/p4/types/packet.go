package types

import "github.com/interlock/interlock/linker/p4/syntax"

// packetCall checks what core.p4's signatures cannot say about packet_in and packet_out: what may be extracted, looked at and
// emitted.
func (c *checker) packetCall(e *syntax.Call, t *Extern, r *Call) bool {
	if t.Name == "packet_in" || t.Name == "packet_out" {
		switch r.Method {
		case "extract":
			if c.place == inApply || c.place == inAction || c.place == inControl {
				c.errorf(e, codeContext, "extract may not be called in %v", c.place)
				return false
			}
			return c.extracted(e, r)
		case "lookahead":
			if _, fixed := Width(r.Sig.Result); !fixed {
				c.errorf(e, codeBadType, "lookahead of %v, whose size is not fixed", r.Sig.Result)
				return false
			}
		case "emit":
			if !emittable(r.Sig.Params[0].Type) {
				c.errorf(e, codeBadType, "emit of %v, which is neither a header nor made of headers", r.Sig.Params[0].Type)
				return false
			}
		}
	}
	return true
}

// extracted checks the header of an extract: with one argument of fixed size, with two having one varbit field.
func (c *checker) extracted(e *syntax.Call, r *Call) bool {
	h, ok := r.Sig.Params[0].Type.(*Struct)
	switch {
	case !ok || h.Kind != Header:
		c.errorf(e, codeBadType, "extract of %v, which is no header", r.Sig.Params[0].Type)
		return false
	case len(r.Args) == 1 && varbits(h) != 0:
		c.errorf(e, codeArgs, "extract of %v needs the size of its varbit field", h)
		return false
	case varbits(h) > 1:
		c.errorf(e, codeBadType, "%v has several varbit fields and cannot be extracted", h)
		return false
	case len(r.Args) == 2 && varbits(h) == 0:
		c.errorf(e, codeArgs, "%v has no varbit field whose size could be given", h)
		return false
	}
	return true
}

// varbits counts the varbit fields of a header.
func varbits(h *Struct) int {
	n := 0
	for _, f := range h.Fields {
		if _, ok := f.Type.(*Varbit); ok {
			n++
		}
	}
	return n
}

// emittable reports whether t is a header, union, stack, or a struct or tuple of these.
func emittable(t Type) bool { return (&emitter{map[Type]bool{}}).ok(t) }

// emitter remembers what it saw: structs that hold structs can be exponentially large.
type emitter struct{ done map[Type]bool }

func (m *emitter) ok(t Type) bool {
	if r, ok := m.done[t]; ok {
		return r
	}
	r := true
	switch t := t.(type) {
	case *Struct:
		if t.Kind == PlainStruct {
			for _, f := range t.Fields {
				r = r && m.ok(f.Type)
			}
		}
	case *Stack:
		r = t.IsHeaderStack()
	case *TypeParam:
	case *Tuple:
		for _, e := range t.Elems {
			r = r && m.ok(e)
		}
	default:
		r = false
	}
	m.done[t] = r
	return r
}
