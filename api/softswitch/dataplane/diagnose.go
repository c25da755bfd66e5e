package dataplane

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// assertion compiles assert and assume. Where simple_switch would end, the packet does: it is dropped at once with everything
// that it asked for, and counted.
func (c *compiler) assertion(call *syntax.Call, r *types.Call) step {
	check, p := c.cond(r.Args[0]).fn(), c.pipe
	text := fmt.Sprintf("%s: %s(%s) is false", call.Pos(), r.Callee.Name, syntax.PrintNode(r.Args[0]))
	return native(func(f *frame) flow {
		if check(f) {
			return next
		}
		f.failed = true
		p.failed.Add(1)
		if f.trace != nil {
			f.note(StepFail, "", "%s", text)
		}
		if p.Log != nil {
			p.Log(text)
		}
		return fails
	})
}

// logMessage compiles log_msg(text) and log_msg(text, data): {} stands for the next value. Without a log nothing is evaluated.
func (c *compiler) logMessage(call *syntax.Call, r *types.Call) step {
	text, ok := c.value(r.Args[0]).(types.StringValue)
	if !ok {
		unsupported(call, "a message that is not constant")
	}
	var prep step
	var values []func(*frame) string
	if len(r.Args) == 2 && r.Args[1] != nil {
		prep, values = c.texts(r.Args[1])
	}
	parts := strings.Split(string(text), "{}")
	p := c.pipe
	return native(func(f *frame) flow {
		if p.Log == nil && f.trace == nil {
			return next
		}
		prep.run(f)
		var b strings.Builder
		for i, part := range parts {
			b.WriteString(part)
			switch {
			case i == len(parts)-1:
			case i < len(values):
				b.WriteString(values[i](f))
			default:
				b.WriteString("{}")
			}
		}
		if f.trace != nil {
			f.note(StepLog, "", "%s", b.String())
		}
		if p.Log != nil {
			p.Log(b.String())
		}
		return next
	})
}

// texts compiles each scalar of a value to its text.
func (c *compiler) texts(e syntax.Expr) (prep step, values []func(*frame) string) {
	t := c.finalType(e)
	if b, ok := t.(*types.Basic); ok && b.Kind == types.IntKind {
		n, _ := c.number(e)
		return nil, []func(*frame) string{func(*frame) string { return n.String() }}
	}
	tmp := c.temp(e, t)
	prep = c.store(tmp, e)
	for _, p := range partsOf(e, t, tmp.slot, -1) {
		values = append(values, c.text(p))
	}
	return prep, values
}

// text shows a scalar in the frame.
func (c *compiler) text(p part) func(*frame) string {
	show := shown(p.typ, c.info.Errors, true)
	off, n := p.off, 1
	if v, ok := under(p.typ).(*types.Varbit); ok {
		n = 1 + bitWords(v.Max)
	} else if w, _, ok := widthOf(p.typ); ok {
		n = bitWords(w)
	}
	return func(f *frame) string { return show(f.w[off : off+n]) }
}

// random compiles random(result, lo, hi): evenly distributed from lo to hi. With lo above hi nothing is written.
func (c *compiler) random(call *syntax.Call, r *types.Call) step {
	t := r.Sig.Params[0].Type
	if w, _, ok := widthOf(t); !ok || w > 64 {
		unsupported(call, "a random number of type %s", t)
	}
	lo, hi := c.scalar(r.Args[1]).fn(), c.scalar(r.Args[2]).fn()
	prep, dst, done := c.outArgument(r.Args[0], t)
	pos := call.Pos().String()
	draw := sequence(prep, native(func(f *frame) flow {
		a, b := lo(f), hi(f)
		if a > b {
			return returns
		}
		v := a
		dictated := false
		if f.trace != nil && f.trace.oracle.Random != nil {
			v, dictated = f.trace.oracle.Random(pos, a, b)
		}
		switch {
		case dictated:
		case b-a == ^uint64(0):
			v = rand.Uint64()
		default:
			v = a + rand.Uint64N(b-a+1)
		}
		f.w[dst.at(f)] = v
		return next
	}), done)
	return absorb(draw)
}

// executeMeter compiles meter.execute_meter(index, result).
func (c *compiler) executeMeter(call *syntax.Call, r *types.Call, m *Meter) step {
	i := c.index(r.Args[0])
	t := r.Sig.Params[1].Type
	w, _, ok := widthOf(t)
	if !ok || w > 64 {
		unsupported(call, "a color of type %s", t)
	}
	prep, dst, done := c.outArgument(r.Args[1], t)
	return sequence(prep, i.code, native(func(f *frame) flow {
		at, v, dictated := f.w[i.slot], Green, false
		if f.trace != nil && f.trace.oracle.Meter != nil {
			v, dictated = f.trace.oracle.Meter(m.Name, int(at))
		}
		if !dictated {
			v = m.mark(at, len(f.pkt))
		}
		f.w[dst.at(f)] = uint64(v) & mask64(w)
		return next
	}), done)
}

// readMeter compiles directMeter.read(result): the color that the packet got when it hit the entry. In an action of another
// table it does nothing, as on simple_switch: programs share actions among tables.
func (c *compiler) readMeter(call *syntax.Call, r *types.Call, m *DirectMeter) step {
	if c.site == nil {
		invalid(call, "direct meter %s is read outside of actions", m.Name)
	}
	if c.site.table.meter != m {
		return nil
	}
	c.site.reads = true
	return c.storeColor(call, r)
}

func (c *compiler) storeColor(call *syntax.Call, r *types.Call) step {
	t := r.Sig.Params[0].Type
	w, _, ok := widthOf(t)
	if !ok || w > 64 {
		unsupported(call, "a color of type %s", t)
	}
	prep, dst, done := c.outArgument(r.Args[0], t)
	return sequence(prep, native(func(f *frame) flow { f.w[dst.at(f)] = uint64(f.color) & mask64(w); return next }), done)
}

// meterTarget is the step that writes the color for actions that do not read it: v1model has one result for all actions of a
// table, and simple_switch writes it whatever action runs. It is nil if that is no variable which exists outside the actions.
func (c *compiler) meterTarget(t *Table, d *syntax.TableDecl) step {
	if t.meter == nil {
		return nil
	}
	for _, ref := range actionRefs(d) {
		o, _ := c.refObject(ref.Call)
		a, ok := o.Decl.(*syntax.ActionDecl)
		if !ok {
			continue
		}
		var found *syntax.Call
		syntax.Walk(a.Body, func(n syntax.Node) bool {
			if call, ok := n.(*syntax.Call); ok && found == nil {
				if r := c.info.Calls[call]; r != nil && r.Kind == types.MethodCall && r.Method == "read" && c.isDirectMeter(r.Recv) {
					found = call
				}
			}
			return found == nil
		})
		if found == nil {
			continue
		}
		if r := c.info.Calls[found]; c.outside(r.Args[0]) {
			return c.storeColor(found, r)
		}
	}
	return nil
}

func (c *compiler) isDirectMeter(e syntax.Expr) bool {
	x, ok := c.info.Types[e].(*types.Extern)
	return ok && x.Name == "direct_meter"
}

// outside tells whether every name in e is bound where the table is applied.
func (c *compiler) outside(e syntax.Expr) bool {
	all := true
	syntax.Walk(e, func(n syntax.Node) bool {
		if x, ok := n.(*syntax.Name); ok {
			o := c.info.Uses[x.Ident]
			all = all && o != nil && (c.lookup(o) != nil || c.info.Values[x] != nil)
		}
		return all
	})
	return all
}
