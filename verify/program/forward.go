package program

import (
	"fmt"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// What code does to a container.
const (
	reads  = "reads"
	writes = "writes"
)

// A region says whose a container of the headers or metadata is.
type region struct {
	name  string // "hdr.il_vlan.vid"
	owner string // tenant, or "" for the system
	// passed: the system's read half hands it to tenant code, and unless it is the page-table entry its write half takes it back.
	passed, kept bool
}

// A contact is a use of containers by a tenant's code: by a statement of it, by a table of the tenant's, or because the system hands them
// to it as arguments and takes them back.
type contact struct {
	code  string
	op    string
	phase phase
	pc    *smt.Term
	wrong string // the container that it may not use so, or ""
	at    syntax.Node
}

// ownRegions finds out whose the containers are. The program says so by the names of the fields of its headers and metadata.
func (m *machine) ownRegions(prs *syntax.ParserDecl) {
	m.regions = nil
	for _, root := range []struct {
		loc
		name string
	}{{m.hdr, "hdr"}, {m.meta, "meta"}, {m.sm, "standard_metadata"}} {
		for _, l := range m.layout(root.typ, prs) {
			r := region{name: root.name + "." + l.path}
			field, _, _ := strings.Cut(l.path, ".")
			switch {
			case root.off == m.sm.off:
			case m.tenantIndex(field) >= 0:
				r.owner = field
			case root.off == m.meta.off:
				r.kept = field == specs.PageMetadata
				r.passed = r.kept || field == specs.VirtualMetadata || field == specs.MemoryMetadata
			}
			m.regions = append(m.regions, r)
		}
	}
}

// runs says that code of owner runs, until the result is called. System code that a tenant's code or table calls is the tenant's.
func (m *machine) runs(owner string) func() {
	was := m.owner
	if owner != "" {
		m.owner = owner
	}
	return func() { m.owner = was }
}

// ours marks a variable as that of the tenant whose code runs.
func (m *machine) ours(l loc) loc {
	l.owner = m.owner
	return l
}

// touch notes that the code which runs uses a place.
func (m *machine) touch(s *state, lv lvalue, op string) {
	if m.owner == "" || s == nil || s.dead || lv.typ == nil {
		return
	}
	n := 1
	if !lv.slice {
		n = len(m.layout(lv.typ, m.at))
	}
	c := contact{code: m.owner, op: op, phase: m.phase, pc: m.cond(s)}
	for i := range n {
		if at := lv.off + i - m.hdr.off; at < 0 || at >= len(m.regions) {
			if lv.owner != m.owner {
				c.wrong = fmt.Sprintf("a variable of %s's", who(lv.owner))
			}
		} else if r := m.regions[at]; r.owner != m.owner && (!r.passed || op == writes && r.kept) {
			c.wrong = fmt.Sprintf("%s, which is %s's", r.name, who(r.owner))
		}
		if c.wrong != "" {
			c.at = m.at
			break
		}
	}
	if m.touched == nil {
		m.touched = map[contact]bool{}
	}
	if !m.touched[c] {
		m.touched[c] = true
		m.contacts = append(m.contacts, c)
	}
}

// forward is P6. Of a stage array: a packet accesses it once in its control, or reads it and then writes it at the same index, and after a
// stage none before it. Of everything else that holds data: tenant code reads and writes what is its own; besides, it reads what the
// system's read half has made for it (its standard_metadata, the page-table entry, the memory flags), and of this it writes all but the
// page-table entry. Objects (tables, counters, registers) are P1's.
func (p *prover) forward() {
	for i, b := range p.accesses {
		control, k, ok := stageArray(b.inst.path)
		if !ok || b.inst.kind != "register" {
			continue
		}
		id := fmt.Sprintf("P6/%s/%s/%s/%s", b.phase, b.inst.path, short(b.code), place(b.at))
		subject := fmt.Sprintf("%s, stage %s/%d: %s at %s is in the order of stages", who(b.code), control, k, b.op, line(b.at))
		p.add("P6", id, subject, site{pc: b.pc, bad: p.b.False(), at: b.at})
		for _, a := range p.accesses[:i] {
			before, j, ok := stageArray(a.inst.path)
			if !ok || a.inst.kind != "register" || before != control || j < k || a.group != b.group {
				continue
			}
			s := site{pc: b.pc, bad: a.pc, at: b.at}
			switch {
			case j > k:
				s.what = fmt.Sprintf("a packet accesses %s after %s, which it accessed at %s", b.inst.path, a.inst.path, line(a.at))
			case a.op == "read" && b.op == "write":
				n := max(width(a.index), width(b.index))
				s.bad = p.b.And(a.pc, p.b.Not(p.b.Eq(widen(p.b, a.index, n), widen(p.b, b.index, n))))
				s.what = fmt.Sprintf("a packet writes %s at another index than it read at %s", b.inst.path, line(a.at))
			default:
				s.what = fmt.Sprintf("a packet accesses %s again (%s), which it accessed (%s) at %s", b.inst.path, b.op, a.op, line(a.at))
			}
			if both := p.b.And(s.pc, s.bad); both != p.b.False() {
				p.add("P6", id, subject, s)
			}
		}
	}
	for _, c := range p.contacts {
		p.add("P6", fmt.Sprintf("P6/%s/%s/%s", c.op, c.code, c.phase),
			fmt.Sprintf("tenant %s: what its code in the %s %s is its own, or passed between system and tenant", c.code, c.phase, c.op),
			site{pc: c.pc, bad: p.b.Bool(c.wrong != ""), at: c.at, what: fmt.Sprintf("tenant %s's code %s %s", c.code, c.op, c.wrong)})
	}
}
