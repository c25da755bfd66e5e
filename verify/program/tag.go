package program

import (
	"fmt"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/verify/smt"
)

// tag is P2. A packet that ran tenant code leaves with an Ethernet header and exactly one tag whose TPID, PCP, DEI and VID are
// the incoming ones, and an inner type that is no TPID. Any other packet leaves with the tags that it came with. A dropped
// packet has no output.
func (p *prover) tag() {
	p.keptTag()
	for _, o := range p.outputs {
		eth, vlan := o.emits[0], o.emits[1]
		for i, t := range p.tenants {
			pc := p.b.And(o.pc, o.ran[i])
			if v, ok := pc.ConstBool(); ok && !v {
				continue
			}
			p.tenantTag(t, pc, eth, vlan)
		}
		p.systemTag(o, eth, vlan)
	}
}

// findOuter finds the containers of the Ethernet header and the tag: what the deparser's first two statements put out. P2 is
// about them, so a deparser that begins in another way is refused.
func (m *machine) findOuter(f *frame, d *syntax.ControlDecl) {
	for i, want := range [...]int{ethernetBits, tagBits} {
		if i >= len(d.Apply.Stmts) {
			m.refuse(d, "a deparser that does not begin with an Ethernet header and a tag")
		}
		at := d.Apply.Stmts[i]
		st, ok := at.(*syntax.CallStmt)
		if !ok {
			m.refuse(at, "a deparser that does not begin with an Ethernet header and a tag")
		}
		c := m.info.Calls[st.Call]
		if c == nil || c.Kind != types.MethodCall || c.Method != "emit" || len(c.Args) != 1 || !m.isLvalue(f, c.Args[0]) {
			m.refuse(at, "a deparser that does not begin with an Ethernet header and a tag")
		}
		lv := m.lvalue(f, nil, c.Args[0])
		if !isHeader(lv.typ) || headerBits(m.layout(lv.typ, at)) != want {
			m.refuse(at, "a deparser whose header %d does not have %d bits", i+1, want)
		}
		m.outer[i] = loc{off: lv.off, typ: lv.typ}
	}
}

// outerAt is an outer header as it is in a state.
func (p *prover) outerAt(i int, s *state, at syntax.Node) emission {
	l := p.outer[i]
	ls := p.layout(l.typ, at)
	e := emission{cond: s.vals[l.off], header: ls[1:], vals: s.vals[l.off+1 : l.off+len(ls)], at: at}
	if s.origin != nil {
		e.wrote = s.origin[l.off+1 : l.off+len(ls)]
	}
	return e
}

// bits of an emitted header, off bits from its start.
func (p *prover) bits(e emission, off, n int) *smt.Term {
	var all *smt.Term
	for i, v := range e.vals {
		if e.header[i].bits == 0 {
			v = p.b.Ite(v, p.b.BV(1, 1), p.b.BV(0, 1))
		}
		if all == nil {
			all = v
		} else {
			all = p.b.Concat(all, v)
		}
	}
	w := width(all)
	return p.b.Extract(all, w-1-off, w-off-n)
}

// writer is the statement that last wrote the field of e that begins off bits from its start, in concrete runs.
func (e emission) writer(off int) syntax.Node {
	for i, l := range e.header {
		if off < packetBits(l) {
			if i < len(e.wrote) && e.wrote[i] != nil {
				return e.wrote[i]
			}
			break
		}
		off -= packetBits(l)
	}
	return e.at
}

func (p *prover) tenantTag(t Tenant, pc *smt.Term, eth, vlan emission) {
	add := func(name, what string, good *smt.Term, at syntax.Node) {
		p.add("P2", fmt.Sprintf("P2/%s/%s", t.Name, name), fmt.Sprintf("tenant %s: %s of packets that leave", t.Name, name),
			site{pc: pc, bad: p.b.Not(good), at: at, what: fmt.Sprintf("a packet of tenant %s leaves %s", t.Name, what)})
	}
	add("one-tag", "without its tag", p.b.And(eth.cond, vlan.cond), eth.at)
	same := func(name string, e emission, start, off, n int) {
		add(name, "with another "+name+" than it came with",
			p.b.Eq(p.bits(e, off-start, n), p.packetField(off, n)), e.writer(off-start))
	}
	same("tpid", eth, 0, tpidOffset, 16)
	same("pcp", vlan, tciOffset, pcpOffset, 3)
	same("dei", vlan, tciOffset, deiOffset, 1)
	same("vid", vlan, tciOffset, vidOffset, 12)
	add("inner-type", "with a second tag's type behind its tag",
		p.noTPID(p.bits(vlan, innerOffset-tciOffset, 16)), vlan.writer(innerOffset-tciOffset))
}

// keptTag says the same of the two headers at the end of ingress, whether or not the packet is dropped later: the system finds
// page tables, ports and counters by the VID that is there.
func (p *prover) keptTag() {
	for _, e := range p.ends {
		eth, vlan := p.outerAt(0, e.state, e.at), p.outerAt(1, e.state, e.at)
		for i, t := range p.tenants {
			pc := p.b.And(e.pc, e.ran[i])
			if v, ok := pc.ConstBool(); ok && !v {
				continue
			}
			same := func(name string, h emission, start, off, n int) {
				p.add("P2", "P2/"+t.Name+"/kept", fmt.Sprintf("tenant %s: the tag at the end of ingress", t.Name), site{
					pc: pc, bad: p.b.Not(p.b.Eq(p.bits(h, off-start, n), p.packetField(off, n))), at: h.writer(off - start),
					what: fmt.Sprintf("a packet of tenant %s has another %s at the end of ingress than it came with", t.Name, name),
				})
			}
			same("tpid", eth, 0, tpidOffset, 16)
			same("pcp", vlan, tciOffset, pcpOffset, 3)
			same("dei", vlan, tciOffset, deiOffset, 1)
			same("vid", vlan, tciOffset, vidOffset, 12)
		}
	}
}

// systemTag: what ran no tenant code leaves with as many emitted bits as were parsed, the same outer type, the same tag
// if the tag was parsed, and no other header in front of what the input's tags were.
func (p *prover) systemTag(o *output, eth, vlan emission) {
	pc := p.b.And(o.pc, p.b.Not(p.b.Or(o.ran...)))
	if v, ok := pc.ConstBool(); ok && !v {
		return
	}
	total := p.b.BV(0, 32)
	var others []*smt.Term
	for i, e := range o.emits {
		total = p.b.BVAdd(total, p.b.Ite(e.cond, p.b.BV(uint64(headerBits(e.header)), 32), p.b.BV(0, 32)))
		if i >= 2 {
			others = append(others, e.cond)
		}
	}
	outer := p.b.Eq(p.bits(eth, tpidOffset, 16), p.tpid())
	tag := p.b.Eq(p.bits(vlan, 0, tagBits), p.packetField(tciOffset, tagBits))
	unparsed := p.b.Or(
		p.b.And(p.b.Not(vlan.cond), p.noTPID(p.tpid())),
		p.b.And(vlan.cond, p.noTPID(p.inner())),
	)
	good := p.b.And(
		p.b.Eq(total, o.cursor),
		p.b.Implies(eth.cond, outer),
		p.b.Implies(vlan.cond, p.b.And(eth.cond, tag)),
		p.b.Implies(p.b.Or(others...), p.b.And(eth.cond, unparsed)),
	)
	p.add("P2", "P2/"+short("")+"/same-tags", "the system: tags of packets that ran no tenant code",
		site{pc: pc, bad: p.b.Not(good), at: eth.at, what: "a packet that ran no tenant code leaves with other tags than it came with"})
}
