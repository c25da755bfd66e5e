package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// A datum is one of the values that are hashed: a scalar of at most 64 bits, or what add appends to f.buf, which has bit bits.
type datum struct {
	scalar scalar
	width  int
	add    func(f *frame, bit int) int
}

// bytes compiles the data of a hash: its fields one after the other, without padding between them, into f.buf. A trailing part
// of a byte is filled with zeros.
func (c *compiler) bytes(e syntax.Expr) func(*frame) { return c.joined(c.appendData(nil, e)) }

// joined compiles data. Scalars that make up whole bytes are put there together.
func (c *compiler) joined(ds []datum) func(*frame) {
	var ws []wire
	var scalars []*scalar
	bits := 0
	for _, d := range ds {
		if d.add != nil {
			return c.appended(ds)
		}
		bits += d.width
	}
	if odd := bits % 8; odd != 0 {
		ds = append(ds, datum{scalar: constant(0), width: 8 - odd})
	}
	for i := range ds {
		d := &ds[i]
		scalars = append(scalars, &d.scalar)
		ws = append(ws, wire{width: d.width, words: 1})
	}
	if chunks(ws) == nil {
		return c.appended(ds)
	}
	prep := c.settled(scalars...)
	for i, s := range scalars {
		ws[i].off = s.slot
	}
	cs := chunks(ws)
	return func(f *frame) {
		prep.run(f)
		f.buf = appendChunks(f.buf, cs, f.w)
	}
}

// appended compiles data, one after the other.
func (c *compiler) appended(ds []datum) func(*frame) {
	add := make([]func(*frame, int) int, len(ds))
	for i, d := range ds {
		if add[i] = d.add; d.add != nil {
			continue
		}
		v := d.scalar.fn()
		add[i] = func(f *frame, bit int) int {
			f.buf, bit = appendBits(f.buf, bit, v(f), d.width)
			return bit
		}
	}
	return func(f *frame) {
		bit := 0
		for _, a := range add {
			bit = a(f, bit)
		}
	}
}

func (c *compiler) appendData(ds []datum, e syntax.Expr) []datum {
	switch x := e.(type) {
	case *syntax.Paren:
		return c.appendData(ds, x.X)
	case *syntax.ListExpr:
		for _, el := range x.Elems {
			ds = c.appendData(ds, el)
		}
		return ds
	}
	t := c.finalType(e)
	if w, _, ok := widthOf(t); ok {
		if b, isBasic := under(t).(*types.Basic); isBasic && b.Kind == types.ErrorKind {
			unsupported(e, "an error as data of a hash")
		}
		if w <= 64 {
			return append(ds, datum{scalar: c.scalar(e), width: w})
		}
		v, n := c.wide(e), bitWords(w)
		return append(ds, datum{add: func(f *frame, bit int) int {
			v.prep.run(f)
			f.buf, bit = appendWide(f.buf, bit, f.w[v.slot:v.slot+n], w)
			return bit
		}})
	}
	tmp := c.temp(e, t)
	prep := c.store(tmp, e)
	parts := partsOf(e, t, tmp.slot, -1)
	emit := make([]func(*frame, int) int, len(parts))
	for i, p := range parts {
		emit[i] = c.dataPart(e, p)
	}
	return append(ds, datum{add: func(f *frame, bit int) int {
		prep.run(f)
		for i, p := range parts {
			if p.header >= 0 && f.w[p.header] == 0 {
				continue
			}
			bit = emit[i](f, bit)
		}
		return bit
	}})
}

func (c *compiler) dataPart(at syntax.Node, p part) func(*frame, int) int {
	if v, ok := under(p.typ).(*types.Varbit); ok {
		n := bitWords(v.Max)
		return func(f *frame, bit int) int {
			f.buf, bit = appendWide(f.buf, bit, f.w[p.off+1:p.off+1+n], int(f.w[p.off]))
			return bit
		}
	}
	w, _, ok := widthOf(p.typ)
	if !ok {
		unsupported(at, "a %s as data of a hash", p.typ)
	}
	n := bitWords(w)
	return func(f *frame, bit int) int {
		f.buf, bit = appendWide(f.buf, bit, f.w[p.off:p.off+n], w)
		return bit
	}
}
