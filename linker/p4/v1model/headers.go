package v1model

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// headers checks the type of the parsed headers: the second parameter of the parser.
func (c *checker) headers() {
	p, ok := c.info.MainArgs[parserBlock].Decl.(*syntax.ParserDecl)
	if !ok || len(p.Params) < 2 {
		return
	}
	s, ok := c.info.TypeNodes[p.Params[1].Type].(*types.Struct)
	if !ok || s.Kind != types.PlainStruct {
		c.errorf(p.Params[1].Type, codeHeaders, "the headers of v1model are a struct of headers, stacks and unions")
		return
	}
	c.headerFields(s, map[*types.Struct]bool{})
}

// headerFields checks the fields of the struct of headers, or of a struct in it.
func (c *checker) headerFields(s *types.Struct, seen map[*types.Struct]bool) {
	if seen[s] {
		return
	}
	seen[s] = true
	for _, f := range s.Fields {
		switch t := f.Type.(type) {
		case *types.Struct:
			if t.Kind == types.PlainStruct {
				c.headerFields(t, seen)
			} else {
				c.whole(t, seen)
			}
			continue
		case *types.Stack:
			if e, ok := t.Elem.(*types.Struct); ok {
				c.whole(e, seen)
			}
			continue
		}
		c.errorf(f.Decl, codeHeaders, "%v is no header, stack or union: the headers of v1model hold nothing else", f.Type)
	}
}

// whole checks that a header of the packet is made of bytes.
func (c *checker) whole(t *types.Struct, seen map[*types.Struct]bool) {
	if seen[t] || t.Decl == nil {
		return
	}
	seen[t] = true
	if t.Kind == types.HeaderUnion {
		for _, f := range t.Fields {
			if h, ok := f.Type.(*types.Struct); ok {
				c.whole(h, seen)
			}
		}
		return
	}
	bits := 0 // without varbits, whose width is a multiple of 8 when it is known
	for _, f := range t.Fields {
		if n, ok := types.Width(f.Type); ok {
			bits += n
		}
	}
	if bits%8 != 0 {
		c.errorf(t.Decl.Name, codeHeaderSize, "header %s has %d bits: headers of v1model are whole bytes", t.Name, bits)
	}
}
