package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// What becomes of a packet beside going on: clone, resubmit, recirculate and truncate only note what is asked for; the last call
// of a kind counts. The engine does it when the block ends.

// fieldList finds the fields of the user's metadata that are annotated with @field_list(number).
func (c *compiler) fieldList(at syntax.Node, e syntax.Expr) int {
	n, ok := c.constInt(e)
	if !ok || n < 0 || n > 255 {
		invalid(at, "the number of a field list must be a constant between 0 and 255")
	}
	if c.lists == nil {
		c.lists = map[int]int{}
	}
	if i, ok := c.lists[int(n)]; ok {
		return i
	}
	var spans []span
	c.annotated(at, c.metadata.typ, c.metadata.slot, int(n), &spans)
	c.lists[int(n)] = len(c.code.lists)
	c.code.lists = append(c.code.lists, spans)
	return c.lists[int(n)]
}

func (c *compiler) annotated(at syntax.Node, t types.Type, off, list int, spans *[]span) {
	s, ok := under(t).(*types.Struct)
	if !ok || s.Kind == types.HeaderUnion {
		return
	}
	if s.Kind == types.Header {
		off++
	}
	for _, f := range s.Fields {
		n := wordsOf(at, f.Type)
		if f.Decl != nil && c.inFieldList(f.Decl, list) {
			*spans = append(*spans, span{off, off + n})
		} else {
			c.annotated(at, f.Type, off, list, spans)
		}
		off += n
	}
}

// named is the field list of the deprecated calls: the metadata that their data names, with the values it has when the block
// ends. A header is never preserved.
func (c *compiler) named(e syntax.Expr) int {
	var spans []span
	c.collect(e, &spans)
	if len(spans) == 0 {
		return 0
	}
	c.code.lists = append(c.code.lists, spans)
	return len(c.code.lists) - 1
}

func (c *compiler) collect(e syntax.Expr, spans *[]span) {
	switch x := e.(type) {
	case *syntax.Paren:
		c.collect(x.X, spans)
		return
	case *syntax.ListExpr:
		for _, el := range x.Elems {
			c.collect(el, spans)
		}
		return
	case *syntax.StructExpr:
		for _, f := range x.Fields {
			c.collect(f.Value, spans)
		}
		return
	}
	if c.value(e) != nil {
		return
	}
	if !addressable(e) {
		unsupported(e, "preserving what is no field of metadata")
	}
	prep, p := c.placeOf(e)
	if prep != nil || p.dyn != nil {
		unsupported(e, "preserving an element at a computed index")
	}
	end := p.slot + wordsOf(e, p.typ)
	if end <= c.code.shared.metadata {
		return
	}
	if p.slot < c.code.shared.metadata || end > c.code.shared.end {
		unsupported(e, "preserving what is no field of metadata")
	}
	*spans = append(*spans, span{p.slot, end})
}

// clone compiles clone(type, session), clone3(type, session, data) and clone_preserving_field_list(type, session, list).
func (c *compiler) clone(call *syntax.Call, r *types.Call) step {
	kind, ok := c.value(r.Args[0]).(types.EnumValue)
	if !ok {
		unsupported(call, "a kind of clone that is not constant")
	}
	switch kind.Member {
	case "I2E":
		c.only(call, "a clone from ingress", inIngress)
	default:
		c.only(call, "a clone from egress", inEgress)
	}
	session, list := c.scalar(r.Args[1]).fn(), 0
	switch r.Callee.Name {
	case "clone_preserving_field_list":
		list = c.fieldList(call, r.Args[2])
	case "clone3":
		list = c.named(r.Args[2])
	}
	return native(func(f *frame) flow {
		f.clone, f.cloneList = int(session(f)&MaxSession), list
		return next
	})
}

// again compiles resubmit and recirculate.
func (c *compiler) again(call *syntax.Call, r *types.Call, where blockKind, ask func(*frame, int)) step {
	name := r.Callee.Name
	c.only(call, name, where)
	var list int
	if name == "resubmit" || name == "recirculate" {
		list = c.named(r.Args[0])
	} else {
		list = c.fieldList(call, r.Args[0])
	}
	return native(func(f *frame) flow { ask(f, list); return next })
}

// truncate compiles truncate(length): the packet is cut when it leaves; copies of it are not.
func (c *compiler) truncate(call *syntax.Call, r *types.Call) step {
	c.only(call, "truncate", inIngress, inEgress)
	n := c.scalar(r.Args[0]).fn()
	return native(func(f *frame) flow { f.truncate = min(f.truncate, int(n(f))); return next })
}
