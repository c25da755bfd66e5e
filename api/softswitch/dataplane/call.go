package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// Calls are expanded where they stand. A parameter is bound to the argument's own place where nobody can tell that from
// copy-in and copy-out: the argument's place is known at compile time, it overlaps no other argument that is written, and the
// callee cannot name it otherwise. Everything else is copied.

// resolve finds out what a call calls.
func (c *compiler) resolve(call *syntax.Call) *types.Call {
	r := c.info.Calls[call]
	if r == nil || r.Kind == types.BadCall {
		invalid(call, "call is not resolved")
	}
	return c.resolved(r)
}

// callStatement compiles a call whose result, if any, is not used.
func (c *compiler) callStatement(call *syntax.Call) step {
	r := c.resolve(call)
	switch r.Kind {
	case types.FunctionCall:
		return c.expandFunction(call, r, nil)
	case types.ActionCall:
		return c.expandAction(call, r)
	case types.ExternFnCall:
		return c.externFunction(call, r)
	case types.MethodCall:
		return c.method(call, r)
	case types.BuiltinCall:
		return c.builtin(call, r)
	case types.TableApply:
		return c.applyTable(call, r.Callee)
	case types.ControlApply, types.ParserApply, types.DirectApply:
		return c.expandInstance(call, r)
	}
	unsupported(call, "this call")
	return nil
}

// callScalar compiles a call used as a scalar.
func (c *compiler) callScalar(call *syntax.Call) scalar {
	r := c.resolve(call)
	switch {
	case r.Kind == types.FunctionCall:
		p := c.temp(call, c.typeOf(call))
		return c.after(c.expandFunction(call, r, &p), c.load(p))
	case r.Kind == types.BuiltinCall && r.Method == "isValid":
		prep, p := c.place(r.Recv)
		return c.after(prep, c.validity(r.Recv, p))
	case r.Kind == types.MethodCall && r.Method == "lookahead":
		p := c.temp(call, c.typeOf(call))
		return c.after(orUnwind(c.lookahead(call, p)), c.load(p))
	case r.Kind == types.MethodCall && r.Method == "get" && c.isChecksum16(r.Recv):
		data := c.bytes(r.Args[0])
		return c.compute(nil, func(f *frame) uint64 {
			f.buf = f.buf[:0]
			data(f)
			return csum16(f.buf)
		})
	case r.Kind == types.MethodCall && r.Method == "length":
		return c.compute(nil, func(f *frame) uint64 { return uint64(len(f.pkt)) & mask64(32) })
	}
	unsupported(call, "a call of %s as a value", r.Method)
	return scalar{}
}

// validity reads whether the header at p, or a header of the union at p, is valid.
func (c *compiler) validity(at syntax.Expr, p place) scalar {
	u, ok := unionOf(c.typeOf(at))
	if !ok {
		return c.load(p)
	}
	valid := validitySlots(at, u, 0)
	return c.compute(nil, func(f *frame) uint64 {
		h := f.w[p.at(f):]
		for _, v := range valid {
			if h[v] != 0 {
				return 1
			}
		}
		return 0
	})
}

func (c *compiler) isChecksum16(e syntax.Expr) bool {
	_, ok := c.objectOf(e).(checksum16)
	return ok
}

// storeCall compiles dst = f(...) for a result that is not a scalar.
func (c *compiler) storeCall(dst place, call *syntax.Call) step {
	r := c.resolve(call)
	switch {
	case r.Kind == types.FunctionCall:
		p := c.temp(call, c.typeOf(call))
		return sequence(c.expandFunction(call, r, &p), copyWords(dst, p, wordsOf(call, p.typ)))
	case r.Kind == types.MethodCall && r.Method == "lookahead":
		p := c.temp(call, c.typeOf(call))
		return sequence(orUnwind(c.lookahead(call, p)), copyWords(dst, p, wordsOf(call, p.typ)))
	}
	unsupported(call, "a call of %s as a value", r.Method)
	return nil
}

// bound is a parameter and what it is bound to.
type bound struct {
	obj *types.Object
	b   *binding
}

// arguments binds parameters to arguments. shared says that the callee can see the caller's variables. before runs first; after
// copies results back.
func (c *compiler) arguments(params []*syntax.Param, args []syntax.Expr, shared bool) (before, after step, bs []bound) {
	type span struct {
		param   int
		from    int
		to      int
		written bool
	}
	shared = shared || c.changes(args)
	places := make([]*place, len(params))
	preps := make([]step, len(params))
	var spans []span
	for i, p := range params {
		t := c.objectType(c.def(p.Name))
		if i >= len(args) || args[i] == nil || isInt(t) || isPacket(t) || isExtern(t) {
			continue
		}
		if _, _, isScalar := widthOf(t); isScalar && p.Dir == syntax.NoDir {
			continue
		}
		if !addressable(args[i]) {
			continue
		}
		prep, pl := c.placeOf(args[i])
		preps[i] = prep
		if pl.dyn == nil && prep == nil && !shared && sameShape(pl.typ, t) {
			places[i] = &pl
			spans = append(spans, span{i, pl.slot, pl.slot + wordsOf(p, pl.typ), p.Dir == syntax.Out || p.Dir == syntax.InOut})
		}
	}
	for i, a := range spans {
		for _, b := range spans[i+1:] {
			if a.from < b.to && b.from < a.to && (a.written || b.written) {
				places[a.param], places[b.param] = nil, nil
			}
		}
	}
	var pre, post []step
	for i, p := range params {
		o := c.def(p.Name)
		t := c.objectType(o)
		var arg syntax.Expr
		if i < len(args) {
			arg = args[i]
		}
		switch {
		case isPacket(t):
			if arg == nil {
				unsupported(p, "an absent packet")
			}
			bs = append(bs, bound{o, &binding{packet: true}})
			continue
		case isInt(t):
			v := c.value(arg)
			if v == nil {
				unsupported(p, "an int that is not known when the program is compiled")
			}
			bs = append(bs, bound{o, &binding{value: v}})
			continue
		case isExtern(t):
			if arg == nil {
				unsupported(p, "an absent argument for an extern parameter")
			}
			bs = append(bs, bound{o, &binding{object: c.objectOf(arg)}})
			continue
		case places[i] != nil:
			pl := place{slot: places[i].slot, typ: t, others: places[i].others}
			if p.Dir == syntax.Out {
				pre = append(pre, invalidate(pl, validitySlots(p, t, 0)))
			}
			bs = append(bs, bound{o, &binding{place: &pl}})
			continue
		}
		tmp := c.temp(p, t)
		bs = append(bs, bound{o, &binding{place: &tmp}})
		in, out := c.copied(p, arg, tmp)
		pre, post = append(pre, in), append(post, out)
	}
	return sequence(pre...), sequence(post...), bs
}

// changes tells whether evaluating an argument may change what another argument is.
func (c *compiler) changes(args []syntax.Expr) bool {
	found := false
	for _, a := range args {
		if a == nil {
			continue
		}
		syntax.Walk(a, func(n syntax.Node) bool {
			if call, ok := n.(*syntax.Call); ok {
				if r := c.info.Calls[call]; r == nil || r.Kind == types.FunctionCall || r.Kind == types.TableApply {
					found = true
				}
			}
			return !found
		})
	}
	return found
}

// copied binds a parameter to a temporary: in fills it before the call, out writes it back after. Where an optional argument is
// absent, the callee finds zeros and invalid headers.
func (c *compiler) copied(p *syntax.Param, arg syntax.Expr, tmp place) (in, out step) {
	if arg == nil {
		return zero(tmp.slot, wordsOf(p, tmp.typ)), nil
	}
	fresh := invalidate(tmp, validitySlots(p, tmp.typ, 0))
	if _, dontCare := arg.(*syntax.DontCare); dontCare {
		return fresh, nil
	}
	switch p.Dir {
	case syntax.In, syntax.NoDir:
		return c.store(tmp, arg), nil
	}
	if isSlice(arg) {
		s := c.slicing(arg)
		if p.Dir == syntax.InOut {
			in = c.store(tmp, arg)
		}
		return sequence(s.prep, fresh, in), s.write(tmp)
	}
	prep, dst := c.placeOf(arg)
	pin, dst := c.pinned(dst)
	n := wordsOf(p, tmp.typ)
	if p.Dir == syntax.InOut {
		in = copyWords(tmp, dst, n)
	}
	return sequence(prep, pin, fresh, in), dst.alone(copyWords(dst, tmp, n))
}

// zero clears words of the frame.
func zero(slot, n int) step {
	if n == 0 {
		return nil
	}
	return step{{op: opClear, d: uint32(slot), b: uint32(n)}}
}

// addressable tells whether e has a place of its own.
func addressable(e syntax.Expr) bool {
	switch x := e.(type) {
	case *syntax.Paren:
		return addressable(x.X)
	case *syntax.Name:
		return true
	case *syntax.Member:
		return addressable(x.X)
	case *syntax.Index:
		return addressable(x.X)
	}
	return false
}

func isPacket(t types.Type) bool {
	x, ok := t.(*types.Extern)
	return ok && (x.Name == "packet_in" || x.Name == "packet_out")
}

func isInt(t types.Type) bool {
	b, ok := t.(*types.Basic)
	return ok && b.Kind == types.IntKind
}

func isExtern(t types.Type) bool {
	_, ok := t.(*types.Extern)
	return ok
}

// expand compiles a body with its parameters bound.
func (c *compiler) expand(call, callee syntax.Node, before, after step, bs []bound, body func() step) step {
	defer c.enter(call, callee)()
	saved := c.push(c.env.id, c.env.path)
	for _, b := range bs {
		c.bind(b.obj, b.b)
	}
	s := absorb(body())
	c.env = saved
	return sequence(before, always(s, after))
}

// given are the arguments of a parser's or control's own parameters. Applied through a constructor parameter it may have more of
// them than its type has, with defaults or optional ones.
func given(call syntax.Node, params []*syntax.Param, args []syntax.Expr) []syntax.Expr {
	own := make([]syntax.Expr, len(params))
	for i, p := range params {
		if i < len(args) {
			own[i] = args[i]
		}
		if own[i] == nil {
			own[i] = p.Default
		}
	}
	for i := len(params); i < len(args); i++ {
		if args[i] != nil {
			unsupported(call, "a call with more arguments than the %d of what it calls", len(params))
		}
	}
	return own
}

func (c *compiler) expandFunction(call *syntax.Call, r *types.Call, result *place) step {
	d, ok := r.Callee.Decl.(*syntax.FunctionDecl)
	if !ok || d.Body == nil {
		unsupported(call, "calling %s", r.Callee.Name)
	}
	saved, was := c.with(functionParams(r.Callee), r.TypeArgs), c.result
	defer func() { c.env, c.result = saved, was }()
	before, after, bs := c.arguments(d.Params, r.Args, false)
	if result == nil && r.Sig != nil && wordsOf(call, r.Sig.Result) > 0 {
		p := c.temp(call, r.Sig.Result)
		result = &p
	}
	c.result = result
	return c.expand(call, d, before, after, bs, func() step { return c.block(d.Body.Stmts) })
}

func (c *compiler) expandAction(call *syntax.Call, r *types.Call) step {
	d, ok := r.Callee.Decl.(*syntax.ActionDecl)
	if !ok {
		unsupported(call, "calling %s", r.Callee.Name)
	}
	before, after, bs := c.arguments(d.Params, r.Args, r.Callee.Parent != nil)
	return c.expand(call, d, before, after, bs, func() step { return c.block(d.Body.Stmts) })
}

// expandInstance compiles inst.apply(...) of a control or parser, or Type.apply(...).
func (c *compiler) expandInstance(call *syntax.Call, r *types.Call) step {
	var inst *instance
	if r.Kind == types.DirectApply {
		inst = c.directInstance(call, r)
	} else {
		var ok bool
		if inst, ok = c.objectOf(r.Recv).(*instance); !ok {
			unsupported(call, "applying this")
		}
	}
	saved := c.with(c.applicableParams(inst.decl), inst.args)
	defer func() { c.env = saved }()
	switch d := inst.decl.(type) {
	case *syntax.ControlDecl:
		before, after, bs := c.arguments(d.Params, given(call, d.Params, r.Args), false)
		return sequence(before, always(c.controlBody(call, inst, bs), after))
	case *syntax.ParserDecl:
		before, after, bs := c.arguments(d.Params, given(call, d.Params, r.Args), false)
		return sequence(before, always(c.parserBody(call, inst, bs), after))
	}
	unsupported(call, "applying this")
	return nil
}

// controlBody compiles the body of a control instance with its parameters bound.
func (c *compiler) controlBody(call syntax.Node, inst *instance, bs []bound) step {
	d := inst.decl.(*syntax.ControlDecl)
	defer c.enter(call, inst.callable())()
	saved := c.push(inst.id, inst.path)
	defer func() { c.env = saved }()
	for _, b := range append(bs, inst.ctor...) {
		c.bind(b.obj, b.b)
	}
	var steps []step
	for _, l := range d.Locals {
		steps = append(steps, c.local(l))
	}
	steps = append(steps, c.block(d.Apply.Stmts))
	// A local's initialiser cannot return; the body's return ends here.
	return absorb(sequence(steps...))
}

// builtin compiles methods of headers and stacks used as statements.
func (c *compiler) builtin(call *syntax.Call, r *types.Call) step {
	switch r.Method {
	case "setValid", "setInvalid":
		prep, p := c.placeOf(r.Recv)
		v := uint64(0)
		if r.Method == "setValid" {
			v = 1
		}
		return sequence(prep, p.alone(storeScalar(place{slot: p.slot, dyn: p.dyn, typ: types.Bool}, constant(v))))
	case "push_front", "pop_front":
		return c.shiftStack(call, r)
	}
	unsupported(call, "%s as a statement", r.Method)
	return nil
}

// shiftStack compiles push_front and pop_front. What is shifted in is invalid.
func (c *compiler) shiftStack(call *syntax.Call, r *types.Call) step {
	t, ok := under(c.typeOf(r.Recv)).(*types.Stack)
	if !ok {
		unsupported(call, "%s of a %s", r.Method, c.typeOf(r.Recv))
	}
	n := int64(1)
	if len(r.Args) == 1 && r.Args[0] != nil {
		if n, ok = c.constInt(r.Args[0]); !ok || n < 0 {
			invalid(call, "the count of %s must be a constant", r.Method)
		}
	}
	k := int(min(n, int64(t.Size)))
	words := wordsOf(call, t.Elem)
	size, push := t.Size, r.Method == "push_front"
	prep, p := c.placeOf(r.Recv)
	return sequence(prep, native(func(f *frame) flow {
		at := p.at(f)
		elems := f.w[at+1 : at+1+size*words]
		if push {
			copy(elems[k*words:], elems[:(size-k)*words])
			clear(elems[:k*words])
			f.w[at] = min(f.w[at]+uint64(k), uint64(size))
		} else {
			copy(elems, elems[k*words:])
			clear(elems[(size-k)*words:])
			f.w[at] -= min(f.w[at], uint64(k))
		}
		return next
	}))
}

// statements compiles statements one after the other.
func (c *compiler) statements(stmts []syntax.Stmt) step {
	steps := make([]step, 0, len(stmts))
	for _, s := range stmts {
		steps = append(steps, c.statement(s))
	}
	return tidy(sequence(steps...))
}
