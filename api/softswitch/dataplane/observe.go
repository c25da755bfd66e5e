package dataplane

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// Compiling code that notes what it does. Without c.tracing nothing of this is in the code that runs.

// A watched value is a scalar whose text is wanted.
type watched struct {
	name string
	text func(*frame) string // "" if there is none now: a field of an invalid header
}

func values(f *frame, ws []watched) []Value {
	var vs []Value
	for _, w := range ws {
		if t := w.now(f); t != "" {
			vs = append(vs, Value{w.name, t})
		}
	}
	return vs
}

// now is the text, and nothing where there is no such thing: looking must not do what reading in the program does.
func (w watched) now(f *frame) (text string) {
	perr := f.perr
	defer func() {
		if x := recover(); x != nil {
			if _, ok := x.(unwound); !ok {
				panic(x)
			}
			f.perr, text = perr, ""
		}
	}()
	return w.text(f)
}

// observed notes a step around s.
func (c *compiler) observed(at syntax.Node, kind Kind, name, text string, reads, writes []watched, s step) step {
	if !c.tracing {
		return s
	}
	pos := at.Pos().String()
	return native(func(f *frame) flow {
		i := f.trace.begin(f, Step{Kind: kind, At: pos, Name: name, Text: text, Reads: values(f, reads)})
		r := flow(next)
		f.trace.depth++
		r = s.run(f)
		f.trace.depth--
		f.trace.finish(i, values(f, writes), "")
		return r
	})
}

// observeStatement notes what a statement does. Tables, states, conditions and headers note themselves.
func (c *compiler) observeStatement(st syntax.Stmt, s step) step {
	if !c.tracing {
		return s
	}
	switch x := st.(type) {
	case *syntax.AssignStmt:
		reads := c.reads(x.RHS)
		if x.Op != "=" {
			reads = append(c.reads(x.LHS), reads...)
		}
		return c.observed(x, StepAssign, "", nodeText(x), reads, c.writes(x.LHS), s)
	case *syntax.DeclStmt:
		if v, ok := x.Decl.(*syntax.VarDecl); ok && v.Init != nil {
			b := c.lookup(c.def(v.Name))
			return c.observed(x, StepAssign, "", nodeText(x), c.reads(v.Init), c.watchPlace(v, v.Name.Name, *b.place, 0), s)
		}
	case *syntax.CallStmt:
		return c.observeCall(x.Call, s)
	case *syntax.ReturnStmt:
		if x.Value != nil {
			return c.observed(x, StepAssign, "return", nodeText(x), c.reads(x.Value), nil, s)
		}
	}
	return s
}

func (c *compiler) observeCall(call *syntax.Call, s step) step {
	r := c.resolve(call)
	switch {
	case r.Kind == types.TableApply, r.Kind == types.MethodCall && (r.Method == "extract" || r.Method == "emit"):
		return s
	}
	var reads, writes []watched
	var params []*types.Param
	if r.Sig != nil {
		params = r.Sig.Params
	}
	for i, a := range r.Args {
		if a == nil || i >= len(params) {
			continue
		}
		if params[i].Dir != syntax.Out {
			reads = append(reads, c.reads(a)...)
		}
		if params[i].Dir == syntax.Out || params[i].Dir == syntax.InOut {
			writes = append(writes, c.writes(a)...)
		}
	}
	name := r.Method
	if r.Callee != nil {
		name = r.Callee.Name
	}
	return c.observed(call, StepCall, name, nodeText(call), reads, writes, s)
}

// condition notes the value of a condition.
func (c *compiler) observeCondition(e syntax.Expr, cond test) test {
	if !c.tracing {
		return cond
	}
	pos, text, reads := e.Pos().String(), nodeText(e), c.reads(e)
	fn := cond.fn()
	return c.tested(nil, func(f *frame) bool {
		i := f.trace.begin(f, Step{Kind: StepBranch, At: pos, Text: text, Reads: values(f, reads)})
		v := fn(f)
		f.trace.finish(i, nil, fmt.Sprint(v))
		return v
	})
}

// observeScalar notes the value that a switch is over.
func (c *compiler) observeScalar(e syntax.Expr, fn func(*frame) uint64) func(*frame) uint64 {
	if !c.tracing {
		return fn
	}
	pos, text, reads := e.Pos().String(), nodeText(e), c.reads(e)
	show := shown(c.finalType(e), c.info.Errors, false)
	return func(f *frame) uint64 {
		i := f.trace.begin(f, Step{Kind: StepBranch, At: pos, Text: text, Reads: values(f, reads)})
		v := fn(f)
		f.trace.finish(i, nil, show([]uint64{v}))
		return v
	}
}

// nodeText is a piece of program on one line.
func nodeText(n syntax.Node) string {
	return strings.Join(strings.Fields(syntax.PrintNode(n)), " ")
}

// reads are the variables that an expression looks at.
func (c *compiler) reads(e syntax.Expr) (ws []watched) {
	switch x := e.(type) {
	case nil:
		return nil
	case *syntax.Paren:
		return c.reads(x.X)
	case *syntax.Unary:
		return c.reads(x.X)
	case *syntax.Binary:
		return append(c.reads(x.X), c.reads(x.Y)...)
	case *syntax.Cond:
		return append(append(c.reads(x.C), c.reads(x.X)...), c.reads(x.Y)...)
	case *syntax.Cast:
		return c.reads(x.X)
	case *syntax.Slice:
		return c.reads(x.X)
	case *syntax.PlusSlice:
		return append(c.reads(x.X), c.reads(x.Lo)...)
	case *syntax.ListExpr:
		for _, el := range x.Elems {
			ws = append(ws, c.reads(el)...)
		}
		return ws
	case *syntax.StructExpr:
		for _, f := range x.Fields {
			ws = append(ws, c.reads(f.Value)...)
		}
		return ws
	case *syntax.Call:
		r := c.info.Calls[x]
		if r == nil {
			return nil
		}
		if r.Kind == types.BuiltinCall && r.Method == "isValid" && c.steady(r.Recv) {
			_, p := c.placeOf(r.Recv)
			v := c.validity(r.Recv, p).fn()
			return []watched{{nodeText(x), func(f *frame) string { return fmt.Sprint(v(f) != 0) }}}
		}
		for i, a := range r.Args {
			if a != nil && r.Sig != nil && i < len(r.Sig.Params) && r.Sig.Params[i].Dir != syntax.Out {
				ws = append(ws, c.reads(a)...)
			}
		}
		return ws
	case *syntax.Name, *syntax.Member, *syntax.Index:
		return c.writes(e)
	}
	return nil
}

// writes are the variables that an l-value stands for; of a slice, the whole variable. Those that cannot be looked at without an
// effect (stack.next) are left out.
func (c *compiler) writes(e syntax.Expr) []watched {
	switch x := e.(type) {
	case *syntax.Paren:
		return c.writes(x.X)
	case *syntax.Slice:
		return c.writes(x.X)
	case *syntax.PlusSlice:
		return c.writes(x.X)
	}
	if !c.steady(e) {
		return nil
	}
	prep, p := c.placeOf(e)
	if prep != nil {
		return nil
	}
	return c.watchPlace(e, nodeText(e), p, 0)
}

// steady tells whether e is a variable that can be looked at at any time.
func (c *compiler) steady(e syntax.Expr) bool {
	switch x := e.(type) {
	case *syntax.Paren:
		return c.steady(x.X)
	case *syntax.Name:
		o := c.info.Uses[x.Ident]
		if o == nil {
			return false
		}
		b := c.lookup(o)
		return b != nil && b.place != nil
	case *syntax.Member:
		if _, stack := under(c.info.Types[x.X]).(*types.Stack); stack {
			return false
		}
		return c.steady(x.X)
	case *syntax.Index:
		if !c.steady(x.X) {
			return false
		}
		_, constant := c.constInt(x.I)
		return constant || c.steady(x.I)
	}
	return false
}

// maxWatched bounds the scalars of one value in a trace.
const maxWatched = 256

// watchPlace lists the scalars of a value. valid is the distance to the validity word of the header that it is in, or 0.
func (c *compiler) watchPlace(at syntax.Node, name string, p place, valid int) []watched {
	var ws []watched
	add := func(more []watched) {
		if len(ws) < maxWatched {
			ws = append(ws, more...)
		}
	}
	switch t := under(p.typ).(type) {
	case *types.Struct:
		off := 0
		if t.Kind == types.Header {
			off = 1
			add([]watched{{name + ".isValid()", func(f *frame) string { return fmt.Sprint(f.w[p.at(f)] != 0) }}})
		}
		for _, fl := range t.Fields {
			v := valid
			if t.Kind == types.Header {
				v = -off
			} else if valid != 0 {
				v = valid - off
			}
			add(c.watchPlace(at, name+"."+fl.Name, p.field(off, fl.Type), v))
			off += wordsOf(at, fl.Type)
		}
		return ws
	case *types.Tuple:
		off := 0
		for i, e := range t.Elems {
			add(c.watchPlace(at, fmt.Sprintf("%s[%d]", name, i), p.field(off, e), 0))
			off += wordsOf(at, e)
		}
		return ws
	case *types.Stack:
		off := 1
		for i := range t.Size {
			add(c.watchPlace(at, fmt.Sprintf("%s[%d]", name, i), p.field(off, t.Elem), 0))
			off += wordsOf(at, t.Elem)
		}
		return ws
	}
	if _, _, ok := widthOf(p.typ); !ok {
		if _, vary := under(p.typ).(*types.Varbit); !vary {
			return nil
		}
	}
	show, n := shown(p.typ, c.info.Errors, false), wordsOf(at, p.typ)
	return []watched{{name, func(f *frame) string {
		i := p.at(f)
		if valid != 0 && f.w[i+valid] == 0 {
			return ""
		}
		return show(f.w[i : i+n])
	}}}
}

// containers lists the fields of headers and metadata by name.
func (c *compiler) containers(at syntax.Node, name string, t types.Type, slot int) (cs []container) {
	switch t := under(t).(type) {
	case *types.Struct:
		if t.Kind == types.Header {
			slot++
		}
		for _, f := range t.Fields {
			cs = append(cs, c.containers(at, name+"."+f.Name, f.Type, slot)...)
			slot += wordsOf(at, f.Type)
		}
	case *types.Tuple:
		for i, e := range t.Elems {
			cs = append(cs, c.containers(at, name+"["+strconv.Itoa(i)+"]", e, slot)...)
			slot += wordsOf(at, e)
		}
	case *types.Stack:
		slot++
		for i := range t.Size {
			cs = append(cs, c.containers(at, name+"["+strconv.Itoa(i)+"]", t.Elem, slot)...)
			slot += wordsOf(at, t.Elem)
		}
	case *types.Varbit: // its length is not stale content
	default:
		if w, _, ok := widthOf(t); ok {
			cs = append(cs, container{name, slot, w})
		}
	}
	return cs
}

// observeSelection notes which state a select expression chooses: the one whose number is in a slot then.
func (c *compiler) observeSelection(d *syntax.ParserDecl, sel *syntax.Select, slot int, chosen step) step {
	var texts []string
	var reads []watched
	for _, e := range sel.Exprs {
		texts = append(texts, nodeText(e))
		reads = append(reads, c.reads(e)...)
	}
	pos, text := sel.Pos().String(), "select ("+strings.Join(texts, ", ")+")"
	return native(func(f *frame) flow {
		at := f.trace.begin(f, Step{Kind: StepSelect, At: pos, Text: text, Reads: values(f, reads)})
		r := chosen.run(f)
		name := "reject"
		if to := int(f.w[slot]) + reject; r == next && to == accept {
			name = "accept"
		} else if r == next && to >= 0 {
			name = d.States[to].Name.Name
		}
		f.trace.finish(at, nil, name)
		return r
	})
}

// observeExtract notes what an extraction gives.
func (c *compiler) observeExtract(call *syntax.Call, e syntax.Expr, p place, s step) step {
	if !c.tracing {
		return s
	}
	fields := c.watchPlace(call, nodeText(e), p, 0)
	if p.dyn != nil { // stack.next: where it is must not be asked for again
		slot := c.alloc(1)
		pin := place{slot: 0, dyn: func(f *frame) int { return int(f.w[slot]) }, typ: p.typ}
		fields = c.watchPlace(call, nodeText(e), pin, 0)
		run := s
		s = native(func(f *frame) flow { f.w[slot] = uint64(p.at(f)); return run.run(f) })
	}
	pos, text := call.Pos().String(), nodeText(call)
	return native(func(f *frame) flow {
		from := f.cur
		i := f.trace.begin(f, Step{Kind: StepExtract, At: pos, Name: nodeText(e), Text: text})
		r := s.run(f)
		if r != next {
			f.trace.finish(i, nil, "failed")
			return r
		}
		f.trace.finish(i, values(f, fields), fmt.Sprintf("bits %d to %d", from, f.cur-1))
		return r
	})
}

// observeEmit notes what emitting a header gives.
func (c *compiler) observeEmit(at syntax.Node, p place, s step) step {
	if !c.tracing {
		return s
	}
	pos, text := at.Pos().String(), nodeText(at)
	name := p.typ.String()
	return native(func(f *frame) flow {
		if f.w[p.at(f)] == 0 {
			f.trace.begin(f, Step{Kind: StepEmit, At: pos, Name: name, Text: text, Result: "invalid"})
			return next
		}
		from := f.bit
		r := s.run(f)
		f.trace.begin(f, Step{Kind: StepEmit, At: pos, Name: name, Text: text, Result: fmt.Sprintf("bits %d to %d: %x", from, f.bit-1, f.out[from/8:])})
		return r
	})
}

// observeTable notes the application of a table.
func (s *site) applyTraced(f *frame) flow {
	t := s.table
	at := f.trace.begin(f, Step{Kind: StepTable, At: s.pos, Name: t.Name})
	f.trace.depth++
	defer func() { f.trace.depth-- }()
	if r := s.keys.run(f); r != next {
		return r
	}
	if at >= 0 {
		var key []Value
		for _, k := range t.Keys {
			key = append(key, Value{k.Name, hexWords(f.w[s.slot+k.off:s.slot+k.off+k.words], k.Width)})
		}
		f.trace.trace.Steps[at].Reads = key
	}
	e, do := s.lookup(f)
	switch {
	case f.hit && e.Priority != 0:
		f.trace.finish(at, nil, fmt.Sprintf("hit %s, priority %d", t.describe(e), e.Priority))
	case f.hit:
		f.trace.finish(at, nil, "hit "+t.describe(e))
	default:
		f.trace.finish(at, nil, "miss")
	}
	if do.Action < 0 {
		return next
	}
	a, act := &s.bodies[do.Action], &t.Actions[do.Action]
	var args []Value
	for _, q := range act.Params {
		args = append(args, Value{q.Name, hexWords(do.Args[q.off:q.off+q.words], q.Width)})
	}
	f.trace.begin(f, Step{Kind: StepAction, At: a.pos, Name: act.Name, Reads: args})
	f.trace.depth++
	defer func() { f.trace.depth-- }()
	s.enter(f, e, do)
	return a.body.run(f)
}

// describe is an entry's match as text.
func (t *Table) describe(e *Entry) string {
	var parts []string
	for i, k := range t.Keys {
		m := e.Match[i]
		v := "*"
		if !m.Any {
			v = hexWords(m.Value, k.Width)
			switch k.Kind {
			case LPM:
				v += fmt.Sprintf("/%d", m.Len)
			case Ternary:
				v += " &&& " + hexWords(m.Mask, k.Width)
			case Range:
				v += " .. " + hexWords(m.Mask, k.Width)
			}
		}
		parts = append(parts, v)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
