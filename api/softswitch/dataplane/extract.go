package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// A wire is a field as it is in a packet.
type wire struct {
	off   int // words into the header
	width int // bits; of a varbit field the most it can be
	words int
	vary  bool
}

// wires lists the fields of a header, and how many bits the fixed ones have.
func wires(at syntax.Node, t types.Type) (ws []wire, fixed int) {
	for _, p := range partsOf(at, t, 0, -1) {
		if v, ok := under(p.typ).(*types.Varbit); ok {
			ws = append(ws, wire{p.off, v.Max, bitWords(v.Max), true})
			continue
		}
		w, _, ok := widthOf(p.typ)
		if b, basic := under(p.typ).(*types.Basic); !ok || basic && b.Kind != types.BoolKind {
			unsupported(at, "a field of type %s in a packet", p.typ)
		}
		ws = append(ws, wire{p.off, w, bitWords(w), false})
		fixed += w
	}
	return ws, fixed
}

// packetIn compiles the methods of packet_in used as statements.
func (c *compiler) packetIn(call *syntax.Call, r *types.Call) step {
	short := c.errorIndex(call, "PacketTooShort")
	switch r.Method {
	case "extract":
		return c.extract(call, r)
	case "advance":
		n := c.scalarOf(r.Args[0]).fn()
		return native(func(f *frame) flow {
			k := n(f)
			if k > uint64(f.left()) {
				return f.fail(short)
			}
			f.cur += int(k)
			return next
		})
	case "lookahead":
		return c.lookahead(call, c.temp(call, c.typeOf(call)))
	case "length":
		return nil
	}
	unsupported(call, "packet_in.%s", r.Method)
	return nil
}

// fail stops the parser with an error, unless there is one already.
func (f *frame) fail(e uint64) flow {
	if f.perr == 0 {
		f.perr = e
	}
	return breaks
}

// extract compiles packet.extract(header) and packet.extract(header, bits). A header that does not fit the rest of the packet
// stays as it is, invalid if it was not extracted before, and the cursor does not move.
func (c *compiler) extract(call *syntax.Call, r *types.Call) step {
	short := c.errorIndex(call, "PacketTooShort")
	if _, skip := r.Args[0].(*syntax.DontCare); skip {
		_, fixed := wires(call, r.Sig.Params[0].Type)
		return native(func(f *frame) flow {
			if f.left() < fixed {
				return f.fail(short)
			}
			f.cur += fixed
			return next
		})
	}
	t := c.typeOf(r.Args[0])
	if !isHeader(t) {
		unsupported(call, "extracting a %s", t)
	}
	ws, fixed := wires(call, t)
	prep, p := c.placeOf(r.Args[0])
	advance := c.advanceStack(r.Args[0])
	if len(r.Args) == 2 && r.Args[1] != nil {
		return sequence(prep, c.observeExtract(call, r.Args[0], p, p.alone(c.extractVarbit(call, r, ws, fixed, p))), advance)
	}
	for _, w := range ws {
		if w.vary {
			invalid(call, "extracting a header with a varbit field needs its size")
		}
	}
	cs := chunks(ws)
	return sequence(prep, c.observeExtract(call, r.Args[0], p, p.alone(native(func(f *frame) flow {
		at := p.at(f)
		if f.left() < fixed {
			return f.fail(short)
		}
		h := f.w[at:]
		h[0] = 1
		cur := f.cur
		if cs != nil && cur&7 == 0 {
			readChunks(cs, h, f.pkt[cur>>3:])
			f.cur = cur + fixed
			return next
		}
		for i := range ws {
			w := &ws[i]
			if w.width <= 64 {
				h[w.off] = readBits(f.pkt, cur, w.width)
			} else {
				readWide(f.pkt, cur, w.width, h[w.off:w.off+w.words])
			}
			cur += w.width
		}
		f.cur = cur
		return next
	}))), advance)
}

// advanceStack moves nextIndex on after an extraction into stack.next, or into a header of a union there.
func (c *compiler) advanceStack(e syntax.Expr) step {
	for {
		p, ok := e.(*syntax.Paren)
		if !ok {
			break
		}
		e = p.X
	}
	m, ok := e.(*syntax.Member)
	if !ok {
		return nil
	}
	if _, union := unionOf(c.typeOf(m.X)); union {
		return c.advanceStack(m.X)
	}
	if m.Sel.Name != "next" {
		return nil
	}
	if _, ok := under(c.typeOf(m.X)).(*types.Stack); !ok {
		return nil
	}
	_, p := c.placeOf(m.X)
	return native(func(f *frame) flow { f.w[p.at(f)]++; return next })
}

func (c *compiler) extractVarbit(call *syntax.Call, r *types.Call, ws []wire, fixed int, p place) step {
	short, long, odd := c.errorIndex(call, "PacketTooShort"), c.errorIndex(call, "HeaderTooShort"),
		c.errorIndex(call, "ParserInvalidArgument")
	size := c.scalarOf(r.Args[1]).fn()
	vary, most := 0, 0
	for _, w := range ws {
		if w.vary {
			vary++
			most = w.width
		}
	}
	if vary != 1 {
		invalid(call, "the header must have one varbit field")
	}
	return native(func(f *frame) flow {
		n := size(f)
		at := p.at(f)
		switch {
		case n > uint64(most):
			return f.fail(long)
		case n%8 != 0:
			return f.fail(odd)
		case f.left() < fixed+int(n):
			return f.fail(short)
		}
		h := f.w[at:]
		h[0] = 1
		for i := range ws {
			w := &ws[i]
			width, off := w.width, w.off
			if w.vary {
				h[off] = n
				width, off = int(n), off+1
			}
			readWide(f.pkt, f.cur, width, h[off:off+w.words])
			f.cur += width
		}
		return next
	})
}

// lookahead compiles packet.lookahead<T>() into p, a temporary.
func (c *compiler) lookahead(call *syntax.Call, p place) step {
	short := c.errorIndex(call, "PacketTooShort")
	ws, fixed := wires(call, p.typ)
	valid := validitySlots(call, p.typ, p.slot)
	for _, w := range ws {
		if w.vary {
			unsupported(call, "looking ahead at a varbit field")
		}
	}
	slot := p.slot
	return native(func(f *frame) flow {
		if f.left() < fixed {
			return f.fail(short)
		}
		for _, v := range valid {
			f.w[v] = 1
		}
		cur := f.cur
		for i := range ws {
			w := &ws[i]
			readWide(f.pkt, cur, w.width, f.w[slot+w.off:slot+w.off+w.words])
			cur += w.width
		}
		return next
	})
}

// packetOut compiles packet.emit(x): the valid headers in x, in order.
func (c *compiler) packetOut(call *syntax.Call, r *types.Call) step {
	if r.Method != "emit" {
		unsupported(call, "packet_out.%s", r.Method)
	}
	prep, p := c.place(r.Args[0])
	return sequence(prep, c.emit(call, p))
}

func (c *compiler) emit(at syntax.Node, p place) step {
	switch t := under(p.typ).(type) {
	case *types.Struct:
		if t.Kind == types.Header {
			return c.observeEmit(at, p, c.emitHeader(at, p))
		}
		var steps []step
		off := 0
		for _, fl := range t.Fields {
			steps = append(steps, c.emit(at, p.field(off, fl.Type)))
			off += wordsOf(at, fl.Type)
		}
		return sequence(steps...)
	case *types.Stack:
		var steps []step
		off := 1
		for range t.Size {
			steps = append(steps, c.emit(at, p.field(off, t.Elem)))
			off += wordsOf(at, t.Elem)
		}
		return sequence(steps...)
	case *types.Tuple:
		var steps []step
		off := 0
		for _, e := range t.Elems {
			steps = append(steps, c.emit(at, p.field(off, e)))
			off += wordsOf(at, e)
		}
		return sequence(steps...)
	}
	unsupported(at, "emitting a %s", p.typ)
	return nil
}

func (c *compiler) emitHeader(at syntax.Node, p place) step {
	ws, fixed := wires(at, p.typ)
	cs := chunks(ws)
	valid := c.load(p)
	return choose(truthOf(valid), native(func(f *frame) flow {
		h := f.w[p.at(f):]
		if cs != nil && f.bit&7 == 0 {
			f.out = appendChunks(f.out, cs, h)
			f.bit += fixed
			return next
		}
		for i := range ws {
			w := &ws[i]
			switch {
			case w.vary:
				f.out, f.bit = appendWide(f.out, f.bit, h[w.off+1:w.off+1+w.words], int(h[w.off]))
			case w.width <= 64:
				f.out, f.bit = appendBits(f.out, f.bit, h[w.off], w.width)
			default:
				f.out, f.bit = appendWide(f.out, f.bit, h[w.off:w.off+w.words], w.width)
			}
		}
		return next
	}), nil)
}
