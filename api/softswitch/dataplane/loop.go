package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// MaxTurns bounds the turns of all loops that one pass of a packet takes. A packet that wants more is dropped, and counted.
const MaxTurns = 1 << 16

// turn counts a turn of a loop, and tells whether it may happen.
func (c *compiler) turn() func(*frame) bool {
	p := c.pipe
	return func(f *frame) bool {
		if f.turns++; f.turns <= MaxTurns {
			return true
		}
		f.failed = true
		p.overrun.Add(1)
		return false
	}
}

// forStatement compiles for (init; cond; update) body.
func (c *compiler) forStatement(s *syntax.ForStmt) step {
	saved := c.push(c.env.id, c.env.path)
	defer func() { c.env = saved }()
	var init, update []step
	for _, x := range s.Init {
		init = append(init, c.statement(x))
	}
	cond := fixed(true)
	if s.Cond != nil {
		if c.applies(s.Cond) {
			unsupported(s.Cond, "applying a table in a loop's condition")
		}
		cond = c.observeCondition(s.Cond, c.cond(s.Cond))
	}
	for _, x := range s.Update {
		update = append(update, c.statement(x))
	}
	body, step, turn, more := c.scoped(s.Body), sequence(update...), c.turn(), cond.fn()
	return sequence(sequence(init...), native(func(f *frame) flow {
		for more(f) {
			if !turn(f) {
				return fails
			}
			if body != nil {
				switch r := body.run(f); r {
				case next, repeats:
				case leaves:
					return next
				default:
					return r
				}
			}
			if step != nil {
				if r := step.run(f); r != next {
					return r
				}
			}
		}
		return next
	}))
}

// forInStatement compiles for (x in range), for (x in stack) and for (x in list). What the body does to x or to what is looped
// over does not change which turns there are.
func (c *compiler) forInStatement(s *syntax.ForInStmt) step {
	saved := c.push(c.env.id, c.env.path)
	defer func() { c.env = saved }()
	var x place
	if s.Type != nil {
		o := c.def(s.Var)
		x = c.temp(s, c.objectType(o))
		c.bind(o, &binding{place: &x})
	} else {
		b := c.lookup(c.use(s.Var))
		if b == nil || b.place == nil {
			unsupported(s.Var, "%s as the variable of a loop", s.Var.Name)
		}
		x = *b.place
	}
	in := s.In
	for {
		p, ok := in.(*syntax.Paren)
		if !ok {
			break
		}
		in = p.X
	}
	if r, ok := in.(*syntax.Binary); ok && r.Op == ".." {
		return c.forRange(s, x, r)
	}
	body := c.scoped(s.Body)
	var elems []step // each gives x its value
	var prep step
	switch t := under(c.typeOf(in)).(type) {
	case *types.Stack:
		all := c.temp(in, t)
		prep = c.store(all, in)
		n := wordsOf(in, t.Elem)
		for i := range t.Size {
			elems = append(elems, x.alone(copyWords(x, all.field(1+i*n, t.Elem), n)))
		}
	default:
		l, ok := in.(*syntax.ListExpr)
		if !ok {
			if cast, isCast := in.(*syntax.Cast); isCast {
				l, ok = cast.X.(*syntax.ListExpr)
			}
		}
		if !ok {
			return c.forConstants(s, x, in, body)
		}
		for _, e := range l.Elems {
			elems = append(elems, c.store(x, e))
		}
	}
	return sequence(prep, c.turns(elems, body))
}

// forConstants loops over a list that is known when the program is compiled.
func (c *compiler) forConstants(s *syntax.ForInStmt, x place, in syntax.Expr, body step) step {
	list, ok := c.value(in).(types.TupleValue)
	if !ok {
		unsupported(s.In, "a loop over this")
	}
	var elems []step
	for _, v := range list {
		if t, ok := v.(types.TupleValue); ok {
			elems = append(elems, c.storeValue(s.In, x, t))
			continue
		}
		n, ok := c.valueNumber(s.In, v, x.typ)
		if !ok {
			unsupported(s.In, "a loop over this")
		}
		elems = append(elems, storeWords(x, bigWords(n, wordsOf(s.In, x.typ))))
	}
	return c.turns(elems, body)
}

// turns runs body after each of the steps.
func (c *compiler) turns(elems []step, body step) step {
	turn := c.turn()
	return native(func(f *frame) flow {
		for _, e := range elems {
			if !turn(f) {
				return fails
			}
			if e != nil {
				e.run(f)
			}
			if body == nil {
				continue
			}
			switch r := body.run(f); r {
			case next, repeats:
			case leaves:
				return next
			default:
				return r
			}
		}
		return next
	})
}

// forRange compiles a loop over lo .. hi, both included; with lo above hi there is no turn.
func (c *compiler) forRange(s *syntax.ForInStmt, x place, r *syntax.Binary) step {
	w, signed, ok := widthOf(x.typ)
	if !ok || w > 64 {
		unsupported(s, "a loop over a range of %s", x.typ)
	}
	lo, hi := c.scalar(r.X).fn(), c.scalar(r.Y).fn()
	body, turn := c.scoped(s.Body), c.turn()
	at, to := c.alloc(1), c.alloc(1)
	m := mask64(w)
	return native(func(f *frame) flow {
		f.w[at], f.w[to] = lo(f)&m, hi(f)&m
		if signed && signExtend(f.w[at], w) > signExtend(f.w[to], w) || !signed && f.w[at] > f.w[to] {
			return next
		}
		for {
			if !turn(f) {
				return fails
			}
			f.w[x.at(f)] = f.w[at]
			if body != nil {
				switch r := body.run(f); r {
				case next, repeats:
				case leaves:
					return next
				default:
					return r
				}
			}
			if f.w[at] == f.w[to] {
				return next
			}
			f.w[at] = (f.w[at] + 1) & m
		}
	})
}
