package dataplane

import (
	"math/rand/v2"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// A site is a place where a table is applied. The table exists once; its key and the bodies of its actions are compiled for
// each site, in the variables that they have there.
type site struct {
	table  *Table
	keys   step
	slot   int // of the key's words
	bodies []siteAction
	reads  bool // the action that is being compiled reads the direct meter
	// of a table with a selector: puts the fields that it hashes into f.buf
	selector func(*frame)
	pos      string // where it is, for traces
}

type siteAction struct {
	slot int // where the parameters of the entry go
	body step
	pos  string // of the action, for traces
}

// applied compiles the application: the key, the entry for it, and the body of its action.
func (s *site) applied(c *compiler) step {
	chosen := c.scratch()
	none := uint64(len(s.bodies))
	var ways []step
	for _, a := range s.bodies {
		ways = append(ways, a.body)
	}
	find := native(func(f *frame) flow {
		e, do := s.lookup(f)
		if do.Action < 0 {
			f.w[chosen] = none
			return next
		}
		s.enter(f, e, do)
		f.w[chosen] = uint64(do.Action)
		return next
	})
	return sequence(s.keys, find, branches(chosen, ways, nil))
}

// lookup finds the entry for the key, and what it does.
func (s *site) lookup(f *frame) (*Entry, *Do) {
	t := s.table
	e := t.index.find(f.w[s.slot : s.slot+t.words])
	f.hit = e != nil
	if e == nil {
		e, f.color = t.otherwise, Green
	} else if t.extras {
		s.hit(f, e)
	}
	if t.counter != nil {
		e.count.add(len(f.pkt))
	}
	do := e.do.Load()
	if do.Action < 0 && t.profile != nil {
		do = s.chosen(f, do)
	}
	f.action = do.Action
	return e, do
}

// enter readies the frame for the action of an entry.
func (s *site) enter(f *frame, e *Entry, do *Do) {
	copy(f.w[s.bodies[do.Action].slot:], do.Args)
	f.entry = e
}

// hit does what a hit entry costs beside its action.
func (s *site) hit(f *frame, e *Entry) {
	t := s.table
	if t.timed {
		e.hits.Store(t.clock())
	}
	if t.meter != nil {
		if f.trace != nil && f.trace.oracle.Meter != nil {
			if v, ok := f.trace.oracle.Meter(t.meter.Name, -1); ok {
				f.color = v
				return
			}
		}
		f.color = e.meter.mark(t.clock(), len(f.pkt), t.meter.PerByte)
	}
}

// nothing is what an entry does that refers to an empty group.
var nothing = &Do{Action: -1}

// chosen is what the member does that an entry refers to, or that its group's selector picks.
func (s *site) chosen(f *frame, do *Do) *Do {
	m := do.Member
	if do.Group != nil {
		f.buf = f.buf[:0]
		if s.selector != nil && !do.Group.Random {
			s.selector(f)
		}
		m = do.Group.pick(s.choice(f, do.Group))
	}
	if m == nil {
		return nothing
	}
	return m.do.Load()
}

// choice is the number that a selector picks with: a hash, or any.
func (s *site) choice(f *frame, g *Group) uint64 {
	if f.trace != nil && f.trace.oracle.Select != nil {
		if i, ok := f.trace.oracle.Select(s.table.Name, g.ID, len(g.state.Load().choice)); ok && i >= 0 {
			return uint64(i)
		}
	}
	if g.Random {
		return rand.Uint64()
	}
	return s.table.profile.sum(f.buf)
}

// applyExpr compiles the t.apply() in t.apply().hit.
func (c *compiler) applyExpr(e syntax.Expr) step {
	switch x := e.(type) {
	case *syntax.Paren:
		return c.applyExpr(x.X)
	case *syntax.Call:
		if r := c.resolve(x); r.Kind == types.TableApply {
			return c.applyTable(x, r.Callee)
		}
	}
	unsupported(e, "this as a table application")
	return nil
}

// appliedTable is the table in t.apply().
func (c *compiler) appliedTable(e syntax.Expr) *Table {
	switch x := e.(type) {
	case *syntax.Paren:
		return c.appliedTable(x.X)
	case *syntax.Call:
		return c.table(x, c.resolve(x).Callee)
	}
	unsupported(e, "this as a table application")
	return nil
}

func (c *compiler) applyTable(call *syntax.Call, o *types.Object) step {
	d, ok := o.Decl.(*syntax.TableDecl)
	if !ok {
		unsupported(call, "applying %s", o.Name)
	}
	defer c.enter(call, d)()
	s := &site{table: c.table(call, o)}
	s.slot = c.alloc(s.table.words)
	var keys []step
	var selected []datum
	i := 0
	for _, k := range tableKeys(d) {
		if k.MatchKind.Name == "selector" {
			selected = c.appendData(selected, k.Expr)
			continue
		}
		key := s.table.Keys[i]
		i++
		keys = append(keys, c.store(place{slot: s.slot + key.off, typ: c.finalType(k.Expr)}, k.Expr))
	}
	s.keys = sequence(keys...)
	if len(selected) > 0 {
		s.selector = c.joined(selected)
	}
	saved := c.site
	c.site = s
	defer func() { c.site = saved }()
	target := c.meterTarget(s.table, d)
	for i, ref := range actionRefs(d) {
		a := c.siteAction(ref, s.table.actions[i])
		if target != nil && !s.reads {
			a.body = sequence(native(func(f *frame) flow {
				if f.hit {
					return target.run(f)
				}
				return next
			}), a.body)
		}
		s.reads = false
		s.bodies = append(s.bodies, a)
	}
	if c.tracing {
		s.pos = call.Pos().String()
		return native(s.applyTraced)
	}
	return s.applied(c)
}

// siteAction expands an action of a table: directed parameters are bound to the arguments in the actions list, the others get
// theirs from the entry.
func (c *compiler) siteAction(ref *syntax.ActionRef, a *Action) siteAction {
	d := a.obj.Decl.(*syntax.ActionDecl)
	slot := c.alloc(a.words)
	var directed []*syntax.Param
	var bs []bound
	off := 0
	for _, p := range d.Params {
		if p.Dir != syntax.NoDir {
			directed = append(directed, p)
			continue
		}
		o := c.def(p.Name)
		t := c.objectType(o)
		bs = append(bs, bound{o, &binding{place: &place{slot: slot + off, typ: t}}})
		off += wordsOf(p, t)
	}
	var args []syntax.Expr
	if call, ok := ref.Call.(*syntax.Call); ok {
		for _, arg := range call.Args {
			if arg.Name != nil {
				unsupported(arg, "a named argument in an actions list")
			}
			args = append(args, arg.Value)
		}
	}
	if len(args) != len(directed) {
		unsupported(ref, "%d arguments for the %d directed parameters of %s", len(args), len(directed), a.Name)
	}
	before, after, more := c.arguments(directed, args, true)
	body := c.expand(ref, d, before, after, append(bs, more...), func() step { return c.block(d.Body.Stmts) })
	return siteAction{slot, body, d.Pos().String()}
}
