package program

import (
	"embed"
	"fmt"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// LinkedName is the file name that positions in the linked program carry.
const LinkedName = "linked.p4"

// load checks the input and type-checks the text of the linked program. It reads no files: what is not in the text is not
// proved, so nothing but the declarations of v1model can be included.
func load(in *Input) (*types.Info, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	prog, diags := syntax.Parse(LinkedName, in.Linked, syntax.Config{FS: embed.FS{}, Builtin: p4.Builtin()})
	if err := diags.Err(); err != nil {
		return nil, fmt.Errorf("the linked program: %w", err)
	}
	info, diags := types.Check(prog)
	if !diags.HasErrors() {
		// The control plane speaks of objects by the names in P4Info: it must be able to tell them apart, run or not.
		_, more := p4info.Generate(info)
		diags = append(diags, more...)
	}
	for i := range diags {
		diags[i].Line = sourceLine(in.Linked, diags[i].Pos)
	}
	if err := diags.Err(); err != nil {
		return nil, fmt.Errorf("the linked program: %w", err)
	}
	return info, nil
}

func newMachine(in *Input, info *types.Info) *machine {
	m := &machine{
		in: in, tenants: in.tenants(), info: info, b: smt.NewBuilder(),
		lay: &layouts{memo: map[types.Type][]leaf{}}, byName: map[string]syntax.Decl{},
		paths: map[string]string{},
	}
	for _, d := range info.Program.Decls {
		if n := d.DeclName(); n != nil {
			m.byName[n.Name] = d
		}
	}
	return m
}

// run executes the whole pipeline.
func (m *machine) run() (err error) {
	defer m.catch(&err)
	m.ownDeclarations()
	m.onePlaceEach()
	parts := map[string]syntax.Decl{}
	for _, a := range m.info.MainArgs {
		parts[a.Param] = a.Decl
	}
	prs, ok := parts["p"].(*syntax.ParserDecl)
	if !ok || m.info.Main == nil {
		var at syntax.Node
		if m.info.Main != nil {
			at = m.info.Main.Decl
		}
		m.refuse(at, "a program without V1Switch(...) main")
	}
	controls := map[string]*syntax.ControlDecl{}
	for _, name := range []string{"vr", "ig", "eg", "ck", "dep"} {
		c, ok := parts[name].(*syntax.ControlDecl)
		if !ok {
			m.refuse(prs, "main without its argument %s", name)
		}
		controls[name] = c
	}
	m.top = &frame{insts: map[*types.Object]*instance{}}

	s := m.initial(prs)
	if m.pair != nil {
		m.taggedOnly(s)
	}
	mark := len(s.vals)
	dep := controls["dep"]
	m.findOuter(m.pipelineFrame(dep.Name.Name, dep, dep.Params, []loc{{}, m.hdr}), dep)
	f := m.pipelineFrame(prs.Name.Name, prs, prs.Params, []loc{{}, m.hdr, m.meta, m.sm})
	for _, g := range m.runParser(f, prs, s) {
		m.group++
		g.truncate(mark)
		m.afterParser(g, controls)
	}
	return nil
}

// afterParser runs one group of executions through the rest of the pipeline.
func (m *machine) afterParser(s *state, controls map[string]*syntax.ControlDecl) {
	m.phase = inVerify
	m.runTop(s, controls["vr"], "v/", []loc{m.hdr, m.meta})
	m.phase = inIngress
	m.runTop(s, controls["ig"], "i/", []loc{m.hdr, m.meta, m.sm})
	if s.dead {
		return
	}
	spec, mcast := m.smField(s, "egress_spec"), m.smField(s, "mcast_grp")
	e := &end{pc: m.cond(s), ran: m.ran(s), spec: spec, mcast: mcast, state: s.clone(), at: controls["ig"]}
	if s.origin != nil {
		e.wrote = [2]syntax.Node{s.origin[m.smOffset("egress_spec")], s.origin[m.smOffset("mcast_grp")]}
	}
	m.ends = append(m.ends, e)

	// The traffic manager: a multicast group goes before egress_spec; without one, the drop port ends the packet.
	multicast := m.b.Not(m.b.Eq(mcast, m.b.BV(0, width(mcast))))
	m.assume(s, m.b.Or(multicast, m.b.Not(m.b.Eq(spec, m.b.BV(specs.DropPort, 9)))))
	if s.dead {
		return
	}
	m.phase = inEgress
	m.toEgress(s, spec, multicast)
	if m.pair != nil {
		// BMv2 begins egress with a value that does not mean drop; what P11 says holds for any.
		m.assume(s, m.b.Not(m.b.Eq(m.smField(s, "egress_spec"), m.b.BV(specs.DropPort, 9))))
	}
	m.cutAt(cutQueue, s, controls["eg"])
	port := m.smField(s, "egress_port")
	m.runTop(s, controls["eg"], "e/", []loc{m.hdr, m.meta, m.sm})
	m.assume(s, m.b.Not(m.b.Eq(m.smField(s, "egress_spec"), m.b.BV(specs.DropPort, 9))))
	m.phase = inCompute
	m.cutAt(cutCompute, s, controls["ck"])
	m.runTop(s, controls["ck"], "c/", []loc{m.hdr, m.meta})
	m.phase = inDeparser
	m.cutAt(cutDeparse, s, controls["dep"])
	m.emits = nil
	m.runTop(s, controls["dep"], "d/", []loc{{}, m.hdr})
	if s.dead {
		return
	}
	m.outputs = append(m.outputs, &output{
		pc: m.cond(s), ran: m.ran(s), admitted: s.vals[ghostAdmitted], end: e, cursor: s.vals[ghostCursor], port: port, emits: m.emits,
	})
}

// ownDeclarations refuses programs that say for themselves what a target does: what the executor does for an extern's or a package's
// name is what v1model.p4 means by it. (#line cannot claim to be that file.)
func (m *machine) ownDeclarations() {
	builtin := p4.Builtin()
	for _, d := range m.info.Program.Decls {
		if _, ok := builtin[d.Pos().File]; ok {
			continue
		}
		switch x := d.(type) {
		case *syntax.ExternDecl, *syntax.PackageDecl, *syntax.MatchKindDecl:
		case *syntax.FunctionDecl:
			if !x.Extern {
				continue
			}
		default:
			continue
		}
		m.refuse(d, "an extern, a package or match kinds that the program declares itself")
	}
}

// onePlaceEach refuses programs in which two things that name unknowns stand at one position, as those that come out of one use
// of a macro do, or those behind a #line: they would share what nothing determines.
func (m *machine) onePlaceEach() {
	builtin := p4.Builtin()
	seen := map[[2]int32]syntax.Node{}
	for _, d := range m.info.Program.Decls {
		if _, ok := builtin[d.Pos().File]; ok {
			continue
		}
		syntax.Walk(d, func(n syntax.Node) bool {
			switch n.(type) {
			case *syntax.Call, *syntax.AssignStmt, *syntax.ReturnStmt, *syntax.VarDecl, *syntax.InvalidExpr, *syntax.StateDecl:
				at := [2]int32{n.Pos().Line, n.Pos().Col}
				if seen[at] != nil {
					m.refuse(n, "two calls or statements at one position of the text, as macros and #line make them")
				}
				seen[at] = n
			}
			return true
		})
	}
}

// runTop runs one of the package's controls. Its parameters are the pipeline's own containers, and exit ends it alone.
func (m *machine) runTop(s *state, d *syntax.ControlDecl, ctx string, at []loc) {
	if s.dead {
		return
	}
	m.pages = nil
	mark := len(s.vals)
	f := m.pipelineFrame(d.Name.Name, d, d.Params, at)
	f.ctx = ctx
	if m.pair != nil {
		f.ctx = m.pair.tenant.Name + "." + ctx
	}
	base := s.clone()
	defer m.runs(f.owner)()
	m.enterTenant("", f.owner, d.Name.Name, s, d)
	m.controlBody(f, s, d)
	m.finish(s, base, f)
	if len(f.exited) > 0 {
		all := append(f.exited, s.clone())
		for _, a := range all {
			a.cut, a.hard = base.cut, base.hard
		}
		*s = *m.join(base, true, all...)
	}
	s.cut, s.hard = base.cut, base.hard
	s.truncate(mark)
}

func (m *machine) pipelineFrame(name string, at syntax.Node, params []*syntax.Param, locs []loc) *frame {
	f := m.newFrame(nil, nil, name, at, "")
	f.path = name
	if d, ok := at.(syntax.Decl); ok {
		m.unnamed(d)
	}
	if len(params) != len(locs) {
		m.refuse(at, "%s with %d parameters", name, len(params))
	}
	for i, p := range params {
		if locs[i].typ != nil {
			f.vars[m.info.Defs[p.Name]] = locs[i]
		}
	}
	return f
}

// initial is the state when a packet arrives: every container holds anything, headers are invalid.
func (m *machine) initial(prs *syntax.ParserDecl) *state {
	s := &state{eq: map[*smt.Term]*smt.Term{}, known: map[*smt.Term]bool{}, maxLen: maxPacket}
	if m.concrete != nil {
		s.origin = []syntax.Node{}
	}
	m.at = prs
	if len(prs.Params) != 4 {
		m.refuse(prs, "%s with %d parameters", prs.Name.Name, len(prs.Params))
	}
	m.alloc(s, types.Void, []*smt.Term{m.b.BV(0, 32)}, prs)
	m.alloc(s, types.Bool, []*smt.Term{m.b.False()}, prs)
	m.alloc(s, types.Void, []*smt.Term{m.b.BV(0, 32)}, prs)
	for range m.tenants {
		m.alloc(s, types.Bool, []*smt.Term{m.b.False()}, prs)
	}
	root := func(i int, name string) loc {
		t := m.info.Defs[prs.Params[i].Name].Type
		return m.alloc(s, t, m.arbitrary(t, "stale", "stale."+name, prs.Params[i]), nil)
	}
	m.hdr, m.meta, m.sm = root(1, "hdr"), root(2, "meta"), root(3, "sm")
	m.ownRegions(prs)
	set := func(name string, t *smt.Term) { s.vals[m.smOffset(name)] = t }
	set("ingress_port", m.ingressPort())
	set("packet_length", m.wholeLength())
	set("ingress_global_timestamp", m.arrival())
	set("parser_error", m.errorCode("NoError"))
	// v1model's documentation promises these of a packet that comes from a port. It promises zeros in egress_spec too;
	// that one stays unknown, so that a program has to say where a packet goes.
	set("mcast_grp", m.b.BV(0, 16))
	set("checksum_error", m.b.BV(0, 1))
	set("instance_type", m.b.BV(0, 32))
	return s
}

func (m *machine) smOffset(name string) int {
	off, _ := m.field(m.sm.typ, name, m.at)
	return m.sm.off + off
}

func (m *machine) smField(s *state, name string) *smt.Term { return s.vals[m.smOffset(name)] }

// toEgress sets the fields that the traffic manager writes.
func (m *machine) toEgress(s *state, spec, multicast *smt.Term) {
	fresh := func(name string) *smt.Term {
		off := m.smOffset(name)
		return m.unknown(Query{Kind: "queue", Name: "egress." + name, Width: width(s.vals[off])})
	}
	put := func(name string, t *smt.Term) { m.put(s, m.smOffset(name), t, m.at) }
	zero := func(name string) *smt.Term { return m.b.BV(0, width(m.smField(s, name))) }
	put("egress_port", m.b.Ite(multicast, fresh("egress_port"), spec))
	put("egress_rid", m.b.Ite(multicast, fresh("egress_rid"), zero("egress_rid")))
	put("instance_type", m.b.Ite(multicast, fresh("instance_type"), zero("instance_type")))
	for _, name := range []string{
		"egress_spec", "enq_timestamp", "enq_qdepth", "deq_timedelta", "deq_qdepth", "egress_global_timestamp",
	} {
		put(name, fresh(name))
	}
}
