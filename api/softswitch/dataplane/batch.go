package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
)

// A move is an assignment of a constant, or of one variable of at most 64 bits to another.
type move struct {
	dst, src int // slots; src is -1 for a constant
	val      uint64
}

// moveOf is the assignment as a move, if it is one.
func (c *compiler) moveOf(s syntax.Stmt) (m move, ok bool) {
	a, ok := s.(*syntax.AssignStmt)
	if !ok || a.Op != "=" || c.tracing || isSlice(a.LHS) || !c.steady(a.LHS) {
		return move{}, false
	}
	w, _, scalar := widthOf(c.typeOf(a.LHS))
	if !scalar || w > 64 {
		return move{}, false
	}
	if _, known := c.number(a.RHS); !known && !c.steady(a.RHS) {
		return move{}, false
	}
	if rw, _, scalar := widthOf(c.finalType(a.RHS)); !scalar || rw > 64 {
		return move{}, false
	}
	prep, dst := c.placeOf(a.LHS)
	v := c.scalar(a.RHS)
	switch {
	case prep != nil || dst.dyn != nil:
		return move{}, false
	case v.con:
		return move{dst.slot, -1, v.val}, true
	case v.slot >= 0:
		return move{dst.slot, v.slot, 0}, true
	}
	return move{}, false
}

// moves compiles a run of moves, one after the other.
func moves(ms []move) step {
	if len(ms) == 1 {
		m := ms[0]
		if m.src < 0 {
			return func(f *frame) flow { f.w[m.dst] = m.val; return next }
		}
		return func(f *frame) flow { f.w[m.dst] = f.w[m.src]; return next }
	}
	zeros, copies := true, true
	for i, m := range ms {
		zeros = zeros && m.src < 0 && m.val == 0 && m.dst == ms[0].dst+i
		copies = copies && m.src >= 0
	}
	switch {
	case zeros:
		from, to := ms[0].dst, ms[0].dst+len(ms)
		return func(f *frame) flow { clear(f.w[from:to]); return next }
	case copies:
		return func(f *frame) flow {
			w := f.w
			for i := range ms {
				w[ms[i].dst] = w[ms[i].src]
			}
			return next
		}
	}
	return func(f *frame) flow {
		w := f.w
		for i := range ms {
			m := &ms[i]
			if m.src < 0 {
				w[m.dst] = m.val
			} else {
				w[m.dst] = w[m.src]
			}
		}
		return next
	}
}

// statements compiles statements one after the other; runs of moves become one step.
func (c *compiler) statements(stmts []syntax.Stmt) step {
	steps := make([]step, 0, len(stmts))
	var run []move
	flush := func() {
		if len(run) > 0 {
			steps = append(steps, moves(run))
			run = nil
		}
	}
	for _, s := range stmts {
		if m, ok := c.moveOf(s); ok {
			c.count(s)
			run = append(run, m)
			continue
		}
		flush()
		steps = append(steps, c.statement(s))
	}
	flush()
	return sequence(steps...)
}
