package program

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// externFunction executes v1model's free functions; those that are not listed are refused.
func (m *machine) externFunction(f *frame, s *state, e *syntax.Call, c *types.Call) []*smt.Term {
	name := c.Callee.Name
	switch name {
	case "verify":
		return m.verify(f, s, e, c)
	case "mark_to_drop":
		m.markToDrop(f, s, e, c)
		return nil
	case "hash":
		m.hash(f, s, e, c)
		return nil
	case "random":
		var bounds []*smt.Term
		for _, a := range c.Args[1:] {
			bounds = append(bounds, m.eval(f, s, a)...)
		}
		m.sees(s, f.site(e), "random/"+place(e), "what random is asked, or whether,", e, bounds...)
		m.havoc(f, s, e, c.Args[0], "random", m.b.True())
		return nil
	case "update_checksum", "update_checksum_with_payload":
		m.updateChecksum(f, s, e, c)
		return nil
	case "verify_checksum", "verify_checksum_with_payload":
		cond := m.scalar(f, s, c.Args[0])
		data := m.eval(f, s, c.Args[1])
		sum := m.scalar(f, s, c.Args[2])
		if s.dead {
			return nil
		}
		off, _ := m.field(m.sm.typ, "checksum_error", e)
		off += m.sm.off
		m.seesIf(s, cond, f.site(e), "checksum/"+place(e), "what a checksum is compared with, or whether,", e, append(data, sum)...)
		wrong := m.unknown(Query{
			Kind: "verify", Name: f.site(e) + ".wrong", Width: width(s.vals[off]), Args: m.constants(data), Widths: widths(data),
			Algorithm: m.algorithm(c.Args[3]), Max: m.constant(sum),
		})
		m.event(f, s, e, "verify_checksum", nil, m.b.And(m.cond(s), cond), append(data[:len(data):len(data)], sum)...).with(m.algorithm(c.Args[3]))
		m.put(s, off, m.b.Ite(cond, m.b.BVOr(s.vals[off], wrong), s.vals[off]), e)
		return nil
	case "log_msg", "assert", "assume":
		// They promise nothing: what they check is evaluated and forgotten.
		for _, a := range c.Args {
			if _, ok := m.info.Values[a]; !ok && a != nil {
				v := m.eval(f, s, a)
				if name != "log_msg" {
					m.sees(s, f.site(e), name+"/"+place(e), "what is asserted, or whether,", e, v...)
				}
			}
		}
		return nil
	case "clone", "clone3", "clone_preserving_field_list":
		m.sent(f, s, e, "clone")
		return nil
	case "resubmit", "resubmit_preserving_field_list":
		m.sent(f, s, e, "resubmit")
		return nil
	case "recirculate", "recirculate_preserving_field_list":
		m.sent(f, s, e, "recirculate")
		return nil
	}
	m.refuse(e, "extern function %s", name)
	return nil
}

// markToDrop sets egress_spec to the drop value and clears the multicast group, in whatever struct it is given.
func (m *machine) markToDrop(f *frame, s *state, e *syntax.Call, c *types.Call) {
	sm := lvalue{off: m.sm.off, typ: m.sm.typ}
	if len(c.Args) > 0 {
		sm = m.lvalue(f, s, c.Args[0])
	}
	m.touch(s, sm, writes)
	off, _ := m.field(sm.typ, "egress_spec", e)
	m.put(s, sm.off+off, m.b.BV(specs.DropPort, 9), e)
	off, t := m.field(sm.typ, "mcast_grp", e)
	m.put(s, sm.off+off, m.b.BV(0, m.layout(t, e)[0].bits), e)
}

// hash gives base + r with r < max, and base where max is 0; which r is not modelled.
func (m *machine) hash(f *frame, s *state, e *syntax.Call, c *types.Call) {
	out := m.lvalue(f, s, c.Args[0])
	base := m.scalar(f, s, c.Args[2])
	data := m.eval(f, s, c.Args[3])
	limit := m.scalar(f, s, c.Args[4])
	if s.dead {
		return
	}
	ls := m.layout(out.typ, e)
	if len(ls) != 1 || ls[0].bits == 0 {
		m.refuse(e, "a hash as %s", out.typ)
	}
	n := ls[0].bits
	w := max(n, width(base), width(limit)) + 1
	ext := func(t *smt.Term) *smt.Term { return m.b.ZeroExt(t, w-width(t)) }
	m.event(f, s, e, "hash", nil, m.cond(s), append(data[:len(data):len(data)], base, limit)...).with(m.algorithm(c.Args[1]))
	m.sees(s, f.site(e), "hash/"+place(e), "what is hashed, or whether,", e, append(append([]*smt.Term(nil), data...), base, limit)...)
	r := m.unknown(Query{
		Kind: "hash", Name: f.site(e) + ".hash", Width: width(limit), Args: m.constants(data), Widths: widths(data), Algorithm: m.algorithm(c.Args[1]),
		Max: m.constant(limit),
	})
	r = m.b.Ite(m.b.BVUlt(r, limit), r, m.b.BV(0, width(limit)))
	m.assign(f, s, out, one(m.b.Extract(m.b.BVAdd(ext(base), ext(r)), n-1, 0)), e)
}

func (m *machine) algorithm(e syntax.Expr) string {
	if v, ok := m.info.Values[e].(types.EnumValue); ok {
		return v.Member
	}
	m.refuse(e, "a hash algorithm that is not known when the program is compiled")
	return ""
}

// havoc writes unknowns where cond holds.
func (m *machine) havoc(f *frame, s *state, e *syntax.Call, to syntax.Expr, kind string, cond *smt.Term) {
	if s.dead {
		return
	}
	lv := m.lvalue(f, s, to)
	ls := m.layout(lv.typ, e)
	old := m.read(s, lv)
	v := make([]*smt.Term, len(ls))
	for i, l := range ls {
		u := m.unknown(Query{Kind: kind, Name: suffix(f.site(e)+"."+kind, i), Width: l.bits})
		v[i] = m.b.Ite(cond, u, old[i])
	}
	m.write(s, lv, v, e)
}

func (m *machine) updateChecksum(f *frame, s *state, e *syntax.Call, c *types.Call) {
	cond := m.scalar(f, s, c.Args[0])
	data := m.eval(f, s, c.Args[1])
	if s.dead {
		return
	}
	lv := m.lvalue(f, s, c.Args[2])
	ls := m.layout(lv.typ, e)
	if len(ls) != 1 || ls[0].bits == 0 {
		m.refuse(e, "a checksum as %s", lv.typ)
	}
	m.seesIf(s, cond, f.site(e), "checksum/"+place(e), "what a checksum is computed of, or whether,", e, data...)
	if v, known, _ := m.decided(s, cond); known && !v {
		return
	}
	m.event(f, s, e, "update_checksum", nil, m.b.And(m.cond(s), cond), data...).with(m.algorithm(c.Args[3]))
	u := m.unknown(Query{
		Kind: "checksum", Name: f.site(e) + ".checksum", Width: ls[0].bits, Args: m.constants(data), Widths: widths(data), Algorithm: m.algorithm(c.Args[3]),
	})
	m.write(s, lv, one(m.b.Ite(cond, u, m.read(s, lv)[0])), e)
}

// method executes methods of extern objects.
func (m *machine) method(f *frame, s *state, e *syntax.Call, c *types.Call) []*smt.Term {
	x, ok := under(m.typeOf(c.Recv)).(*types.Extern)
	if !ok {
		m.refuse(e, "method %s", c.Method)
	}
	switch x.Name {
	case "packet_in":
		return m.packetIn(f, s, e, c)
	case "packet_out":
		m.emit(f, s, e, c)
		return nil
	}
	inst := m.instanceOf(f, c.Recv)
	index := func(e syntax.Expr) *smt.Term {
		if _, ok := under(m.typeOf(e)).(*types.Bit); !ok || signed(m.typeOf(e)) {
			m.refuse(e, "an index of type %s", m.typeOf(e))
		}
		return m.scalar(f, s, e)
	}
	switch x.Name + "." + c.Method {
	case "register.read":
		index := index(c.Args[1])
		m.access(f, s, e, inst, "read", index)
		m.seesAt(f, s, e, inst, index)
		if s.dead {
			return nil
		}
		if m.isOwn() {
			m.ownRegister(f, s, e, c, inst, index)
			return nil
		}
		m.event(f, s, e, "register.read", inst, m.cond(s), index)
		lv := m.lvalue(f, s, c.Args[0])
		ls := m.layout(lv.typ, e)
		v := make([]*smt.Term, len(ls))
		for i, l := range ls {
			v[i] = m.unknown(Query{
				Kind: "register", Name: suffix(f.site(e)+".read", i), Width: l.bits, Object: inst.path, Index: m.constant(index),
			})
		}
		m.assign(f, s, lv, v, e)
		return nil
	case "register.write":
		index := index(c.Args[0])
		if m.isOwn() {
			m.ownRegister(f, s, e, c, inst, index)
			return nil
		}
		v := m.eval(f, s, c.Args[1])
		m.event(f, s, e, "register.write", inst, m.cond(s), append(one(index), v...)...)
		m.access(f, s, e, inst, "write", index)
		m.seesAt(f, s, e, inst, append([]*smt.Term{index}, v...)...)
		if m.concrete != nil && !s.dead {
			m.concrete.wrote(inst.path, m.constant(index), m.constants(v))
		}
		return nil
	case "counter.count":
		i := index(c.Args[0])
		m.access(f, s, e, inst, "count", i)
		m.count(f, s, e, inst, i)
		m.seesAt(f, s, e, inst, i)
		return nil
	case "direct_counter.count":
		m.access(f, s, e, inst, "count", nil)
		m.event(f, s, e, "direct_counter", inst, m.cond(s))
		m.seesAt(f, s, e, inst)
		return nil
	case "meter.execute_meter":
		index := index(c.Args[0])
		m.access(f, s, e, inst, "execute_meter", index)
		m.seesAt(f, s, e, inst, index)
		m.havoc(f, s, e, c.Args[1], "meter", m.b.True())
		return nil
	case "direct_meter.read":
		m.access(f, s, e, inst, "read", nil)
		m.seesAt(f, s, e, inst)
		m.havoc(f, s, e, c.Args[0], "meter", m.b.True())
		return nil
	}
	m.refuse(e, "method %s of %s", c.Method, x.Name)
	return nil
}

// emit records what the deparser puts out.
func (m *machine) emit(f *frame, s *state, e *syntax.Call, c *types.Call) {
	if m.phase != inDeparser {
		m.refuse(e, "emit outside the deparser")
	}
	if m.isLvalue(f, c.Args[0]) {
		lv := m.lvalue(f, s, c.Args[0])
		m.touch(s, lv, reads)
		m.emitValue(s, e, syntax.PrintNode(c.Args[0]), lv.typ, lv.off)
		return
	}
	m.refuse(e, "emit of an expression")
}

func (m *machine) emitValue(s *state, at syntax.Node, name string, t types.Type, off int) int {
	if s.dead {
		return off
	}
	switch u := under(t).(type) {
	case *types.Stack:
		for i := 0; i < u.Size; i++ {
			off = m.emitValue(s, at, suffix(name, i), u.Elem, off)
		}
		return off + 1
	case *types.Struct:
		if u.Kind != types.Header {
			for _, fl := range u.Fields {
				off = m.emitValue(s, at, name+"."+fl.Name, fl.Type, off)
			}
			return off
		}
		ls := m.layout(t, at)
		em := emission{
			cond: m.b.And(m.cond(s), s.vals[off]), name: name, off: off, header: ls[1:], at: at,
			vals: append([]*smt.Term(nil), s.vals[off+1:off+len(ls)]...),
		}
		if s.origin != nil {
			em.wrote = append(em.wrote, s.origin[off+1:off+len(ls)]...)
		}
		m.emits = append(m.emits, em)
		return off + len(ls)
	}
	m.refuse(at, "emit of %s", t)
	return off
}
