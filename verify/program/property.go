package program

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// Offsets in bits of the fields of an Ethernet frame with one 802.1Q tag.
const (
	ethernetBits = 112
	tagBits      = 32
	tpidOffset   = 96
	tciOffset    = 112
	pcpOffset    = 112
	deiOffset    = 115
	vidOffset    = 116
	innerOffset  = 128
)

// A prover turns what the executor recorded into claims. Each method is one property and reads as DESIGN.md §5.1 states it.
type prover struct {
	*machine
	byID map[string]*claim
	seen map[string]bool // tenants whose code runs
}

// add puts a site under the claim with that id.
func (p *prover) add(property, id, subject string, s site) {
	c := p.byID[id]
	if c == nil {
		c = &claim{id: id, property: property, subject: subject}
		p.byID[id] = c
	}
	c.sites = append(c.sites, s)
}

// vid, inner and tpid are the bits of the packet as it came in.
func (p *prover) vid() *smt.Term   { return p.packetField(vidOffset, 12) }
func (p *prover) inner() *smt.Term { return p.packetField(innerOffset, 16) }
func (p *prover) tpid() *smt.Term  { return p.packetField(tpidOffset, 16) }

// single is the condition that the packet came in with exactly one 802.1Q tag.
func (p *prover) single() *smt.Term {
	return p.b.And(
		p.lengthAtLeast((ethernetBits+tagBits)/8),
		p.b.Eq(p.tpid(), p.b.BV(specs.VLANEtherType, 16)),
		p.noTPID(p.inner()),
	)
}

func (p *prover) noTPID(etherType *smt.Term) *smt.Term {
	var is []*smt.Term
	for _, t := range specs.TagTypes() {
		is = append(is, p.b.Eq(etherType, p.b.BV(uint64(t), 16)))
	}
	return p.b.Not(p.b.Or(is...))
}

// tagged is the condition that the packet came in with exactly one tag, t's.
func (p *prover) tagged(t Tenant) *smt.Term {
	return p.b.And(p.single(), p.b.Eq(p.vid(), p.b.BV(uint64(t.VID), 12)))
}

// onPorts is the condition that port is one of t's.
func (p *prover) onPorts(t Tenant, port *smt.Term) *smt.Term {
	var is []*smt.Term
	for _, n := range t.Ports {
		is = append(is, p.b.Eq(port, p.b.BV(uint64(n), width(port))))
	}
	return p.b.Or(is...)
}

func place(n syntax.Node) string { return fmt.Sprintf("L%dC%d", n.Pos().Line, n.Pos().Col) }

func line(n syntax.Node) string { return fmt.Sprintf("%s:%d", LinkedName, n.Pos().Line) }

func who(tenant string) string {
	if tenant == "" {
		return "the system"
	}
	return "tenant " + tenant
}

// namespace is P1: a tenant's persistent object is touched only for packets with the tenant's VID and by no other tenant's
// code; the system's objects are not touched by tenant code, but for the stage arrays (P5).
func (p *prover) namespace() {
	for _, a := range p.accesses {
		s := site{pc: a.pc, at: a.at}
		switch {
		case a.inst.owner == "" && a.code == "":
			continue
		case a.inst.owner == "":
			if _, _, ok := stageArray(a.inst.path); ok && a.inst.kind == "register" {
				continue
			}
			s.bad = p.b.True()
			s.what = fmt.Sprintf("%s's code touches the system's %s %s", who(a.code), a.inst.kind, a.inst.path)
		case a.code != "" && a.code != a.inst.owner:
			s.bad = p.b.True()
			s.what = fmt.Sprintf("%s's code touches tenant %s's %s %s", who(a.code), a.inst.owner, a.inst.kind, a.inst.path)
		default:
			t := p.tenants[p.tenantIndex(a.inst.owner)]
			s.bad = p.b.Not(p.tagged(t))
			s.what = fmt.Sprintf("tenant %s's %s %s is touched for a packet that is not tagged with its VID %d", t.Name, a.inst.kind, a.inst.path, t.VID)
		}
		p.add("P1", fmt.Sprintf("P1/%s/%s/%s", a.inst.path, a.op, place(a.at)),
			fmt.Sprintf("%s, %s %s: %s at %s", who(a.inst.owner), a.inst.kind, a.inst.path, a.op, line(a.at)), s)
	}
}

// copies is P3: a packet that ran tenant code is not cloned, resubmitted, recirculated or multicast, whoever's code asks for it. System
// code may not ask for it for its own packets either: a copy would run through the pipeline with metadata that this one-pass
// execution does not know.
func (p *prover) copies() {
	for _, s := range p.sends {
		if s.code == "" {
			id, subject := fmt.Sprintf("P3/system/%s/%s", s.what, place(s.at)), fmt.Sprintf("system: %s at %s", s.what, line(s.at))
			p.add("P3", id, subject, site{
				pc: p.b.And(s.pc, s.ran), bad: p.b.True(), at: s.at,
				what: fmt.Sprintf("a packet that ran a tenant's code is to %s", s.what),
			})
			p.add("P3", id, subject, site{
				pc: p.b.And(s.pc, p.b.Not(s.ran)), bad: p.b.True(), at: s.at,
				what: fmt.Sprintf("a packet of the system's is to %s, and what its copy does is not known", s.what),
			})
			continue
		}
		p.add("P3", fmt.Sprintf("P3/%s/%s/%s", s.code, s.what, place(s.at)),
			fmt.Sprintf("%s: %s at %s", who(s.code), s.what, line(s.at)),
			site{pc: s.pc, bad: p.b.True(), at: s.at, what: fmt.Sprintf("%s's code asks to %s the packet", who(s.code), s.what)})
	}
	for _, e := range p.ends {
		for i, t := range p.tenants {
			pc := p.b.And(e.pc, e.ran[i])
			if v, ok := pc.ConstBool(); ok && !v {
				continue
			}
			p.add("P3", "P3/"+t.Name+"/multicast", fmt.Sprintf("tenant %s: multicast group at the end of ingress", t.Name), site{
				pc: pc, bad: p.b.Not(p.b.Eq(e.mcast, p.b.BV(0, width(e.mcast)))), at: e.wrote[1],
				what: fmt.Sprintf("a packet of tenant %s leaves ingress with a multicast group", t.Name),
			})
		}
	}
	p.late(func(o *output, t Tenant, pc *smt.Term) {
		p.add("P3", "P3/"+t.Name+"/multicast", fmt.Sprintf("tenant %s: multicast group at the end of ingress", t.Name), site{
			pc: pc, bad: p.b.Not(p.b.Eq(o.end.mcast, p.b.BV(0, width(o.end.mcast)))), at: o.end.wrote[1],
			what: fmt.Sprintf("a packet that runs tenant %s's code after ingress left it with a multicast group", t.Name),
		})
	})
}

// late is for packets that leave and ran a tenant's code after ingress only.
func (p *prover) late(f func(o *output, t Tenant, pc *smt.Term)) {
	for _, o := range p.outputs {
		for i, t := range p.tenants {
			pc := p.b.And(o.pc, o.ran[i], p.b.Not(o.end.ran[i]))
			if v, ok := pc.ConstBool(); ok && !v {
				continue
			}
			f(o, t, pc)
		}
	}
}

var stageName = regexp.MustCompile(`^il_stage_(ingress|egress)_([0-9]+)$`)

// stageArray reads the name of a stage array.
func stageArray(name string) (specs.Control, int, bool) {
	match := stageName.FindStringSubmatch(name)
	if match == nil {
		return "", 0, false
	}
	k, err := strconv.Atoi(match[2])
	c := specs.Control(match[1])
	return c, k, err == nil && specs.StageArray(c, k) == name
}

// confinement is P5: an index into a stage array lies in the extent of the page-table entry that the packet's VID matched in
// this control; an index into other shared state is the packet's VID; an index into a tenant's own object is within it.
func (p *prover) confinement() {
	for _, a := range p.accesses {
		if a.index == nil {
			continue
		}
		s := site{pc: a.pc, at: a.at}
		c, k, isStage := stageArray(a.inst.path)
		id := fmt.Sprintf("P5/%s/%s/%s/%s", a.phase, a.inst.path, short(a.code), place(a.at))
		subject := fmt.Sprintf("%s, %s %s: index of %s at %s", who(a.code), a.inst.kind, a.inst.path, a.op, line(a.at))
		switch {
		case isStage && a.inst.owner == "" && a.inst.kind == "register":
			s.bad = p.b.Not(p.inExtent(a, c, k))
			s.what = fmt.Sprintf("the index into %s is outside the extent that the page table holds for the packet's VID", a.inst.path)
			subject = fmt.Sprintf("%s, stage %s/%d: index of %s at %s", who(a.code), c, k, a.op, line(a.at))
		case a.inst.owner == "":
			n := max(width(a.index), 12)
			own := p.b.Eq(widen(p.b, a.index, n), widen(p.b, p.vid(), n))
			s.bad = p.b.Not(p.b.And(p.single(), own, p.below(a.index, a.inst.size)))
			s.what = fmt.Sprintf("the index into the shared %s %s is not the packet's VID", a.inst.kind, a.inst.path)
		default:
			s.bad = p.b.Not(p.below(a.index, a.inst.size))
			s.what = fmt.Sprintf("the index into %s %s is not below its size %d", a.inst.kind, a.inst.path, a.inst.size)
		}
		p.add("P5", id, subject, s)
	}
}

func short(tenant string) string {
	if tenant == "" {
		return "il"
	}
	return tenant
}

func widen(b *smt.Builder, t *smt.Term, n int) *smt.Term { return b.ZeroExt(t, n-width(t)) }

// below is index < size, in numbers wide enough for both.
func (p *prover) below(index *smt.Term, size int64) *smt.Term {
	n := max(width(index), 63) + 1
	return p.b.BVUlt(widen(p.b, index, n), p.b.BV(uint64(size), n))
}

// inExtent is base <= index < base+size for the entry that was found under the packet's VID, in numbers that cannot wrap.
func (p *prover) inExtent(a *access, c specs.Control, k int) *smt.Term {
	var in []*smt.Term
	for _, l := range a.pages {
		if l.control != c || string(a.phase) != string(c) {
			continue
		}
		base, size := l.data[specs.BaseParam(k)], l.data[specs.SizeParam(k)]
		if base == nil || size == nil {
			p.refuse(a.at, "%s without parameters %s and %s", specs.MapAction(c), specs.BaseParam(k), specs.SizeParam(k))
		}
		n := max(width(a.index), width(base), width(size)) + 2
		index, from := widen(p.b, a.index, n), widen(p.b, base, n)
		in = append(in, p.b.And(
			l.cond, p.single(), p.b.Eq(l.key, p.vid()),
			p.b.BVUle(from, index), p.b.BVUlt(index, p.b.BVAdd(from, widen(p.b, size, n))),
		))
	}
	return p.b.Or(in...)
}

// admission is P10 and the first half of P11: a tenant's code runs only for packets with one tag, the tenant's VID, that came
// in on one of its ports.
func (p *prover) admission() {
	p.seen = map[string]bool{}
	for _, e := range p.entries {
		p.seen[e.tenant] = true
		t := p.tenants[p.tenantIndex(e.tenant)]
		p.add("P10", fmt.Sprintf("P10/%s/%s/%s", t.Name, e.phase, e.name),
			fmt.Sprintf("tenant %s: %s %s at %s runs only for packets with one tag, VID %d", t.Name, e.phase, e.name, line(e.at), t.VID),
			site{
				pc: e.pc, bad: p.b.Not(p.tagged(t)), at: e.at,
				what: fmt.Sprintf("tenant %s's code (%s %s) runs for a packet that does not have exactly one tag with VID %d", t.Name, e.phase, e.name, t.VID),
			})
		port := p.ingressPort()
		p.add("P11", fmt.Sprintf("P11/enter/%s/%s/%s", t.Name, e.phase, e.name),
			fmt.Sprintf("tenant %s: %s %s at %s runs only for packets from its ports %v", t.Name, e.phase, e.name, line(e.at), t.Ports),
			site{
				pc: e.pc, bad: p.b.Not(p.b.And(p.onPorts(t, port), p.b.Eq(p.vid(), p.b.BV(uint64(t.VID), 12)))), at: e.at,
				what: fmt.Sprintf("tenant %s's code (%s %s) runs for a packet that did not come in with VID %d on one of its ports %v",
					t.Name, e.phase, e.name, t.VID, t.Ports),
			})
	}
}

// closed is the part of P11 that lets a tenant be shut out, and that M8 rests on: without an entry of the admission table for its VID, a
// packet gets no further than the parser. No tenant's code runs for it in a control, it touches nothing that lasts (the system's tables
// excepted, which packets only read), and if its headers were parsed as a tenant's it does not leave.
func (p *prover) closed() {
	shut := func(id, subject string, pc, admitted *smt.Term, at syntax.Node, what string) {
		p.add("P11", "P11/closed/"+id, subject, site{
			pc: pc, bad: p.b.Not(admitted), at: at,
			what: what + " for a packet whose VID has no entry in the admission table",
		})
	}
	for _, e := range p.entries {
		if e.phase != inParser {
			shut("code/"+e.tenant, fmt.Sprintf("tenant %s: code runs in controls only while the tenant is admitted", e.tenant), e.pc, e.admitted, e.at,
				fmt.Sprintf("tenant %s's code (%s %s) runs", e.tenant, e.phase, e.name))
		}
	}
	for _, a := range p.accesses {
		if a.inst.owner == "" && a.inst.kind == "table" {
			continue
		}
		shut("state/"+a.inst.path, fmt.Sprintf("%s, %s %s: touched only while the packet's tenant is admitted", who(a.inst.owner), a.inst.kind, a.inst.path),
			a.pc, a.admitted, a.at, fmt.Sprintf("%s %s is touched (%s)", a.inst.kind, a.inst.path, a.op))
	}
	for _, o := range p.outputs {
		for i, t := range p.tenants {
			pc := p.b.And(o.pc, o.ran[i])
			if v, ok := pc.ConstBool(); ok && !v {
				continue
			}
			shut("exit/"+t.Name, fmt.Sprintf("tenant %s: its packets leave only while it is admitted", t.Name), pc, o.admitted, o.end.at,
				fmt.Sprintf("a packet that tenant %s's parser took leaves", t.Name))
		}
	}
}

// exit is the second half of P11: a packet that ran a tenant's code leaves ingress for one of the tenant's ports, or is
// dropped. Multicast is P3's.
func (p *prover) exit() {
	for _, e := range p.ends {
		for i, t := range p.tenants {
			pc := p.b.And(e.pc, e.ran[i])
			if v, ok := pc.ConstBool(); ok && !v {
				continue
			}
			dropped := p.b.Eq(e.spec, p.b.BV(specs.DropPort, width(e.spec)))
			p.add("P11", "P11/exit/"+t.Name, fmt.Sprintf("tenant %s: egress port at the end of ingress is one of %v, or drop", t.Name, t.Ports), site{
				pc: pc, bad: p.b.Not(p.b.Or(dropped, p.onPorts(t, e.spec))), at: e.wrote[0],
				what: fmt.Sprintf("a packet of tenant %s is sent to a port that is not one of its ports %v", t.Name, t.Ports),
			})
		}
	}
	p.late(func(o *output, t Tenant, pc *smt.Term) {
		p.add("P11", "P11/exit/"+t.Name, fmt.Sprintf("tenant %s: egress port at the end of ingress is one of %v, or drop", t.Name, t.Ports), site{
			pc: pc, bad: p.b.Not(p.onPorts(t, o.port)), at: o.end.wrote[0],
			what: fmt.Sprintf("a packet that runs tenant %s's code after ingress leaves through a port that is not one of its ports %v", t.Name, t.Ports),
		})
	})
}
