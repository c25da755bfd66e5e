package dataplane

import (
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// block compiles statements in a scope of their own.
func (c *compiler) block(stmts []syntax.Stmt) step {
	saved := c.push(c.env.id, c.env.path)
	defer func() { c.env = saved }()
	return c.statements(stmts)
}

func (c *compiler) statement(s syntax.Stmt) step {
	c.count(s)
	held := c.scratched
	step := c.observeStatement(s, c.statementPlain(s))
	c.scratched = held
	if c.unwindsInside(s) {
		return guarded(step)
	}
	return step
}

func (c *compiler) statementPlain(s syntax.Stmt) step {
	switch s := s.(type) {
	case *syntax.Block:
		return c.block(s.Stmts)
	case *syntax.EmptyStmt:
		return nil
	case *syntax.DeclStmt:
		return c.local(s.Decl)
	case *syntax.AssignStmt:
		return c.assignment(s)
	case *syntax.CallStmt:
		return c.callStatement(s.Call)
	case *syntax.IfStmt:
		return c.ifStatement(s)
	case *syntax.SwitchStmt:
		return c.switchStatement(s)
	case *syntax.ReturnStmt:
		if s.Value == nil {
			return ends(returns)
		}
		if c.result == nil {
			invalid(s, "return of a value outside a function")
		}
		return sequence(c.store(*c.result, s.Value), ends(returns))
	case *syntax.ExitStmt:
		return ends(exits)
	case *syntax.ForStmt:
		return c.forStatement(s)
	case *syntax.ForInStmt:
		return c.forInStatement(s)
	case *syntax.BreakStmt:
		return ends(leaves)
	case *syntax.ContinueStmt:
		return ends(repeats)
	}
	unsupported(s, "this statement (%T)", s)
	return nil
}

// unwound is what a panic carries when evaluating an expression ends what runs: where the action of a table that it applies exits,
// and where a parser looks past the packet or past a header stack. Nothing that stands after it in the statement happens. What
// recovers is guarded.
type unwound flow

// orUnwind makes a step that fails inside an expression unwind.
func orUnwind(s step) step {
	return native(func(f *frame) flow {
		if r := s.run(f); r != next {
			panic(unwound(r))
		}
		return next
	})
}

// guarded ends s where an expression in it unwinds.
func guarded(s step) step {
	if s == nil {
		return nil
	}
	return native(func(f *frame) (r flow) {
		depth := 0
		if f.trace != nil {
			depth = f.trace.depth
		}
		defer func() {
			switch x := recover().(type) {
			case nil:
			case unwound:
				if f.trace != nil {
					f.trace.depth = depth
				}
				r = flow(x)
			default:
				panic(x)
			}
		}()
		return s.run(f)
	})
}

// unwindsInside tells whether a statement's own expressions may unwind; a statement inside it looks after itself.
func (c *compiler) unwindsInside(s syntax.Stmt) bool {
	switch s := s.(type) {
	case *syntax.AssignStmt:
		return c.unwinds(s.LHS) || c.unwinds(s.RHS)
	case *syntax.CallStmt:
		r := c.resolve(s.Call)
		if r.Kind != types.TableApply {
			return c.unwinds(s.Call)
		}
		return r.Callee != nil && c.unwinds(r.Callee.Decl)
	case *syntax.DeclStmt:
		d, ok := s.Decl.(*syntax.VarDecl)
		return ok && d.Init != nil && c.unwinds(d.Init)
	case *syntax.IfStmt:
		return c.unwinds(s.Cond)
	case *syntax.SwitchStmt:
		return c.unwinds(s.X)
	case *syntax.ReturnStmt:
		return s.Value != nil && c.unwinds(s.Value)
	case *syntax.ForInStmt:
		return c.unwinds(s.In)
	}
	return false
}

// unwinds tells whether evaluating what is in n may unwind.
func (c *compiler) unwinds(n syntax.Node) bool {
	found := c.applies(n)
	syntax.Walk(n, func(n syntax.Node) bool {
		if m, ok := n.(*syntax.Member); ok {
			switch m.Sel.Name {
			case "next", "last", "lookahead":
				found = true
			}
		}
		return !found
	})
	return found
}

// applies tells whether a table is applied in e.
func (c *compiler) applies(e syntax.Node) bool {
	found := false
	syntax.Walk(e, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.Call); ok {
			if r := c.info.Calls[call]; r != nil && r.Kind == types.TableApply {
				found = true
			}
		}
		return !found
	})
	return found
}

func (c *compiler) assignment(s *syntax.AssignStmt) step {
	if s.Op == "=" {
		return c.assign(s.LHS, s.RHS)
	}
	op, _ := strings.CutSuffix(string(s.Op), "=")
	t := c.typeOf(s.LHS)
	w, signed, ok := widthOf(t)
	if !ok {
		unsupported(s, "assignment operator %s to a %s", s.Op, t)
	}
	if isSlice(s.LHS) || w > 64 {
		return c.operated(s, syntax.Op(op), t, w, signed)
	}
	prep, dst := c.placeOf(s.LHS)
	pin, dst := c.pinned(dst)
	var v scalar
	switch op {
	case "<<", ">>":
		v = c.shifted(op == "<<", c.load(dst), c.shiftCount(s.RHS), w, signed)
	default:
		v = c.arithmetic(s, syntax.Op(op), c.load(dst), c.scalar(s.RHS), w, signed)
	}
	return sequence(prep, pin, storeScalar(dst, v))
}

// operated compiles an assignment operator on a slice or on more than 64 bits. An l-value is computed once.
func (c *compiler) operated(s *syntax.AssignStmt, op syntax.Op, t types.Type, w int, signed bool) step {
	n := bitWords(w)
	var prep, load, write step
	result := c.temp(s, t)
	if isSlice(s.LHS) {
		bits := c.slicing(s.LHS)
		prep, load, write = bits.prep, c.store(result, s.LHS), bits.write(result)
	} else {
		var dst place
		prep, dst = c.placeOf(s.LHS)
		pin, pinned := c.pinned(dst)
		prep = sequence(prep, pin)
		load, write = copyWords(result, pinned, n), copyWords(pinned, result, n)
	}
	if w <= 64 {
		var v scalar
		if op == "<<" || op == ">>" {
			v = c.shifted(op == "<<", c.load(result), c.shiftCount(s.RHS), w, signed)
		} else {
			v = c.arithmetic(s, op, c.load(result), c.scalar(s.RHS), w, signed)
		}
		return sequence(prep, load, storeScalar(result, v), write)
	}
	left := wideValue{load, result.slot, w}
	var v wideValue
	if op == "<<" || op == ">>" {
		v = c.wideShift(op == "<<", left, c.shiftCount(s.RHS).fn(), w, signed)
	} else {
		v = c.wideArithmetic(s, op, left, c.wide(s.RHS), w, signed)
	}
	return sequence(prep, v.prep, copyWords(result, place{slot: v.slot}, n), write)
}

func (c *compiler) ifStatement(s *syntax.IfStmt) step {
	cond := c.observeCondition(s.Cond, c.cond(s.Cond))
	then := c.scoped(s.Then)
	var els step
	if s.Else != nil {
		els = c.scoped(s.Else)
	}
	return choose(cond, then, els)
}

func (c *compiler) scoped(s syntax.Stmt) step { return c.block([]syntax.Stmt{s}) }

func (c *compiler) switchStatement(s *syntax.SwitchStmt) step {
	if b, ok := c.typeOf(s.X).(*types.Basic); ok && b.Kind == types.ActionRunKind {
		return c.switchAction(s)
	}
	return c.switchValue(s)
}

// caseBodies compiles the bodies: body[i] is what label i runs, which may be that of a later label. -1 is none.
func (c *compiler) caseBodies(s *syntax.SwitchStmt) (bodies []step, body []int) {
	body = make([]int, len(s.Cases))
	for i := range body {
		body[i] = -1
	}
	pending := 0
	for i, cs := range s.Cases {
		if cs.Body == nil {
			continue
		}
		for j := pending; j <= i; j++ {
			body[j] = len(bodies)
		}
		pending = i + 1
		bodies = append(bodies, c.block(cs.Body.Stmts))
	}
	return bodies, body
}

func (c *compiler) switchAction(s *syntax.SwitchStmt) step {
	x := s.X
	for {
		p, ok := x.(*syntax.Paren)
		if !ok {
			break
		}
		x = p.X
	}
	m, ok := x.(*syntax.Member)
	if !ok {
		unsupported(s.X, "a switch over this expression")
	}
	apply := c.applyExpr(m.X)
	table := c.appliedTable(m.X)
	bodies, body := c.caseBodies(s)
	target := make([]int, len(table.actions)+1) // the last is for no action at all
	for i := range target {
		target[i] = -1
	}
	for i, cs := range s.Cases {
		if _, isDefault := cs.Label.(*syntax.DefaultExpr); isDefault {
			for j := range target {
				if target[j] < 0 {
					target[j] = body[i]
				}
			}
			continue
		}
		n, ok := cs.Label.(*syntax.Name)
		if !ok {
			unsupported(cs.Label, "this label")
		}
		a := table.actionIndex(c.use(n.Ident))
		if a < 0 {
			invalid(cs.Label, "%s is no action of table %s", n.Ident.Name, table.Name)
		}
		target[a] = body[i]
	}
	// "default" is the last label by the language's rules, so labels before it have claimed their actions already.
	slot, none := c.scratch(), len(table.actions)
	ran := native(func(f *frame) flow {
		if r := apply.run(f); r == exits || r == fails {
			return r
		}
		a := f.action
		if a < 0 {
			a = none
		}
		f.w[slot] = uint64(target[a])
		return next
	})
	for i := range target {
		if target[i] < 0 {
			target[i] = len(bodies)
		}
	}
	return sequence(ran, branches(slot, bodies, nil))
}

func (c *compiler) switchValue(s *syntax.SwitchStmt) step {
	if c.isWide(s.X) {
		unsupported(s.X, "a switch over more than 64 bits")
	}
	x := c.observeScalar(s.X, c.scalar(s.X).fn())
	bodies, body := c.caseBodies(s)
	target, otherwise := map[uint64]int{}, -1
	for i, cs := range s.Cases {
		if _, isDefault := cs.Label.(*syntax.DefaultExpr); isDefault {
			otherwise = body[i]
			continue
		}
		n, ok := c.number(cs.Label)
		if !ok || !n.IsUint64() {
			unsupported(cs.Label, "a label that is not a constant")
		}
		target[n.Uint64()] = body[i]
	}
	slot := c.scratch()
	chosen := native(func(f *frame) flow {
		b, ok := target[x(f)]
		if !ok {
			b = otherwise
		}
		if b < 0 {
			b = len(bodies)
		}
		f.w[slot] = uint64(b)
		return next
	})
	return sequence(chosen, branches(slot, bodies, nil))
}

// local declares a variable, constant or instance where a body is expanded.
func (c *compiler) local(d syntax.Decl) step {
	switch d := d.(type) {
	case *syntax.VarDecl:
		o := c.def(d.Name)
		p := c.temp(d, c.objectType(o))
		var init step
		if d.Init != nil {
			init = c.store(p, d.Init)
			if c.unwinds(d.Init) {
				init = guarded(init)
			}
		} else {
			init = invalidate(p, validitySlots(d, p.typ, 0))
		}
		c.bind(o, &binding{place: &p})
		return init
	case *syntax.ConstDecl:
		o := c.def(d.Name)
		v := c.value(d.Value)
		if v == nil {
			v = o.Value
		}
		c.bind(o, &binding{value: v})
		return nil
	case *syntax.InstanceDecl:
		o := c.def(d.Name)
		c.bind(o, &binding{object: c.instance(d, o)})
		return nil
	case *syntax.ValueSetDecl:
		c.bind(c.def(d.Name), &binding{object: c.valueSet(d)})
		return nil
	case *syntax.TableDecl:
		c.table(d, c.def(d.Name)) // the P4Info has it, applied or not
		return nil
	case *syntax.ActionDecl, *syntax.FunctionDecl:
		return nil // expanded where it is used
	}
	unsupported(d, "a declaration of this kind here")
	return nil
}

// invalidate makes every header in a value invalid.
func invalidate(p place, valid []int) step {
	if len(valid) == 0 {
		return nil
	}
	if p.dyn == nil {
		var s step
		for _, v := range valid {
			s = append(s, instr{op: opSet, d: uint32(p.slot + v)})
		}
		return s
	}
	return native(func(f *frame) flow {
		at := p.at(f)
		for _, v := range valid {
			f.w[at+v] = 0
		}
		return next
	})
}
