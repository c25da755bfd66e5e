package program

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// equivalences makes the claims of P7 for every tenant, or for some only, if their own programs are there: for a packet with the tenant's tag from one of its ports, the
// linked program does what the tenant's own program does on its virtual switch, composed with the system's translation (translate.go).
//
// One step is one control: where the linked program is about to run a control of the tenant's, the tenant's own control starts from the same
// values, and when both are over headers, metadata and standard metadata must be equal again, and everything that lasts must have been asked
// the same and told the same, in the same order. Between the controls stands the system: what it hands over is what the step before left,
// translated. Equal at the start of every step, equal at its end: so all steps together are equal.
//
// A header that is not valid has no fields: what a program reads there is nobody's, and the same in both.
//
// What the verifier cannot run of a tenant's own program is in notes: P7 of that tenant is not shown. That it cannot tell how the linked program
// runs the tenant's code is an error.
func (m *machine) equivalences(only ...string) (claims []*claim, notes []PropertyNote, err error) {
	if m.in.Sources == nil {
		return nil, nil, nil
	}
	sources, err := m.in.sources()
	if err != nil {
		return nil, nil, err
	}
	for _, t := range m.tenants {
		if len(only) > 0 && !slices.Contains(only, t.Name) {
			continue
		}
		x := &equivalence{prover: &prover{machine: m, byID: map[string]*claim{}}, tenant: t, source: sources[t.Name]}
		err := x.run()
		var at *PosError
		if errors.Is(err, ErrUnsupported) && errors.As(err, &at) && at.Pos.File != LinkedName {
			notes = append(notes, PropertyNote{ID: "P7", Title: "equivalence", Note: fmt.Sprintf("tenant %s: %v", t.Name, err)})
			continue
		} else if err != nil {
			return nil, nil, err
		}
		claims = append(claims, x.sorted()...)
		if m.concrete != nil { // the way of the packet is that of the run which knows the tenant's places
			m.concrete.steps, m.concrete.tables = x.linked.concrete.steps, x.linked.concrete.tables
		}
	}
	return claims, notes, nil
}

// An equivalence is P7 of one tenant. Its prover's machine is the linked program's; linked runs it for the tenant's packets alone.
type equivalence struct {
	*prover
	tenant      Tenant
	source      *ownProgram
	linked, own *machine
	shape       shape
	ethernet    int
	parts       map[string]*syntax.ControlDecl
	// split, unless it is nil, is a condition whose two cases are claimed one by one.
	split *smt.Term
}

func (x *equivalence) run() (err error) {
	x.linked = newMachine(x.in, x.info)
	x.linked.b = x.b
	if x.concrete != nil {
		x.linked.concrete = &concreteRun{oracle: x.concrete.oracle, byTenant: map[syntax.Node]bool{}, left: x.concrete.left}
	}
	x.linked.pair = newPairing(x.tenant, x.info, true)
	if err := x.linked.run(); err != nil {
		return err
	}
	x.own = newMachine(x.in, x.source.info)
	x.own.tenants, x.own.b = nil, x.b
	if x.concrete != nil {
		x.own.concrete = &concreteRun{oracle: x.concrete.oracle, byTenant: map[syntax.Node]bool{}, left: x.concrete.left}
	}
	x.own.pair = newPairing(x.tenant, x.source.info, false)
	x.own.pair.own, x.own.pair.other = x.source, x.linked
	x.own.pair.errors = x.errorCodes()
	x.machine = x.linked // whose terms and places the claims are about
	x.own.pair.places = x.placesOf()
	defer x.own.catch(&err)
	x.steps()
	return nil
}

func newPairing(t Tenant, info *types.Info, linked bool) *pairing {
	return &pairing{
		tenant: t, labels: labelsOf(info, t.Name, linked), byKey: map[string]*event{}, cuts: map[string][]*cut{},
	}
}

// errorCodes are the linked program's codes of errors by the names that the own program has for them.
func (x *equivalence) errorCodes() map[string]int {
	out := map[string]int{}
	prefix := specs.TenantPrefix(x.tenant.Name)
	for i, name := range x.linked.info.Errors {
		if own, ok := strings.CutPrefix(name, prefix); ok {
			out[own] = i
		}
	}
	for i, name := range x.linked.info.Errors {
		if _, ok := out[name]; !ok && !strings.HasPrefix(name, prefix) {
			out[name] = i
		}
	}
	return out
}

// claimed adds a site to one of the tenant's obligations.
func (x *equivalence) claimed(step, subject string, s site) {
	if v, ok := s.pc.ConstBool(); ok && !v {
		return
	}
	x.add("P7", fmt.Sprintf("P7/%s/%s", x.tenant.Name, step), fmt.Sprintf("tenant %s: %s", x.tenant.Name, subject), s)
}

// Subjects of the steps.
const (
	onEntries  = "its tables begin with the entries of its own"
	onParsed   = "what its ingress sees is what its own parser and checks leave, translated"
	onIngress  = "its ingress does what its own does"
	onSent     = "its packets go where its own program sends them, by the ports of the site"
	onQueued   = "what its egress sees is what its ingress left"
	onEgress   = "its egress does what its own does"
	onWritten  = "what it leaves is translated and goes out, or is dropped"
	onSums     = "its checksums are computed as its own are"
	onEmitted  = "what it emits goes out behind the tag, and the rest of the packet behind that"
	differs    = "differs from what tenant %s's own program has"
	outOfPlace = "is not done as in tenant %s's own program"
)

func (x *equivalence) steps() {
	b, o, l := x.b, x.own, x.linked
	parts := map[string]syntax.Decl{}
	for _, a := range o.info.MainArgs {
		parts[a.Param] = a.Decl
	}
	prs, ok := parts["p"].(*syntax.ParserDecl)
	if !ok {
		o.refuse(nil, "a program without V1Switch(...) main")
	}
	x.parts = map[string]*syntax.ControlDecl{}
	for _, name := range []string{"vr", "ig", "eg", "ck", "dep"} {
		if x.parts[name], ok = parts[name].(*syntax.ControlDecl); !ok {
			o.refuse(prs, "main without its argument %s", name)
		}
	}
	o.top = &frame{insts: map[*types.Object]*instance{}}

	// The parser and the checks of checksums, from the packet without its tag.
	s := o.initial(prs)
	mark := len(s.vals)
	s.vals[o.smOffset("ingress_port")] = x.virtualPort()
	s.vals[o.smOffset("ingress_global_timestamp")] = l.arrival()
	o.taggedOnly(s)
	f := o.pipelineFrame(prs.Name.Name, prs, prs.Params, []loc{{}, o.hdr, o.meta, o.sm})
	groups := o.runParser(f, prs, s)
	if len(groups) == 0 {
		return // in a concrete run, a packet of somebody else
	}
	parsed := groups[0]
	parsed.truncate(mark)
	o.phase = inVerify
	o.runTop(parsed, x.parts["vr"], "v/", []loc{o.hdr, o.meta})
	x.events("parsed", onParsed, inParser, b.True(), l.info.Main.Decl)
	x.events("parsed", onParsed, inVerify, b.True(), l.info.Main.Decl)
	for _, c := range l.pair.cuts[cutStray] {
		x.claimed("parsed", onParsed, site{
			pc: c.pc, bad: b.True(), at: c.at, what: fmt.Sprintf("a packet of tenant %s goes on that its parser has not seen", x.tenant.Name),
		})
	}
	x.shape = o.shape(o.hdr.typ)
	x.ethernet = x.firstEmitted()

	admitted := b.False()
	for _, e := range l.ends {
		admitted = b.Or(admitted, b.And(e.pc, e.state.vals[ghostAdmitted]))
	}
	if err := x.entries(admitted); err != nil {
		o.refuse(prs, "%v", err)
	}
	enter := x.only(cutEnter+" "+string(inIngress), "parsed", onParsed, admitted, x.parts["ig"])
	if enter == nil {
		return
	}
	x.ingress(parsed, enter, admitted)
}

// entries compares what tables begin with.
func (x *equivalence) entries(pc *smt.Term) error {
	have, err := initialEntries(x.linked.info, specs.TenantPrefix(x.tenant.Name))
	if err != nil {
		return err
	}
	want, err := initialEntries(x.source.info, "")
	if err != nil {
		return err
	}
	tables := maps.Clone(have)
	maps.Copy(tables, want)
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		x.claimed("entries", onEntries, site{
			pc: pc, bad: x.b.Bool(!slices.Equal(have[name], want[name])), at: x.linked.info.Main.Decl,
			what: fmt.Sprintf("table %s begins with other entries than in tenant %s's own program", name, x.tenant.Name),
		})
	}
	return nil
}

// initialEntries are those of tables with a prefix, by their names without it, each spelled out.
func initialEntries(info *types.Info, prefix string) (map[string][]string, error) {
	p, diags := p4info.Generate(info)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	req, diags := p4info.Entries(info)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	names := namesOf(p)
	out := map[string][]string{}
	for _, u := range req.GetUpdates() {
		e := u.GetEntity().GetTableEntry()
		name, ok := strings.CutPrefix(names[fmt.Sprint(e.GetTableId())], prefix)
		if !ok {
			continue
		}
		fields := values{}
		spread(e.ProtoReflect(), "", fields)
		delete(fields, "table_id")
		var text []string
		for _, k := range slices.Sorted(maps.Keys(fields)) {
			v := fields[k]
			if k == "action.action.action_id" {
				v = strings.TrimPrefix(names[v], prefix)
			}
			text = append(text, k+" "+v)
		}
		out[name] = append(out[name], strings.Join(text, ", "))
	}
	return out, nil
}

// virtualPort is the ingress port as the tenant numbers it.
func (x *equivalence) virtualPort() *smt.Term {
	port := x.linked.ingressPort()
	out := x.b.BV(0, 9)
	for _, v := range slices.Sorted(maps.Keys(x.tenant.Virtual)) {
		out = x.b.Ite(x.b.Eq(port, x.b.BV(uint64(x.tenant.Virtual[v]), 9)), x.b.BV(uint64(v), 9), out)
	}
	return out
}

// physicalPort is the egress port for one of the tenant's; what is none of them is dropped.
func (x *equivalence) physicalPort(spec *smt.Term) *smt.Term {
	out := x.b.BV(specs.DropPort, 9)
	for _, v := range slices.Sorted(maps.Keys(x.tenant.Virtual)) {
		out = x.b.Ite(x.b.Eq(spec, x.b.BV(uint64(v), 9)), x.b.BV(uint64(x.tenant.Virtual[v]), 9), out)
	}
	return out
}

// fields are the scalar fields of a struct by their names.
func (m *machine) fields(t types.Type, vals []*smt.Term, at syntax.Node) map[string]*smt.Term {
	out := map[string]*smt.Term{}
	for i, l := range m.layout(t, at) {
		out[l.path] = vals[i]
	}
	return out
}

// fits says that a control is given headers, metadata and standard metadata as the own program has them; if not, it is claimed that it is never
// reached.
func (x *equivalence) fits(step, subject string, c *cut) bool {
	like := func(t types.Type, v []*smt.Term) bool {
		ls := x.own.layout(t, c.at)
		for i := range ls {
			if len(v) != len(ls) || v[i].Sort() != ls[i].sort {
				return false
			}
		}
		return len(v) == len(ls)
	}
	hdr := x.linked.hdr
	within := c.hdrAt.off >= hdr.off && c.hdrAt.off+len(c.hdr) <= hdr.off+len(x.linked.layout(hdr.typ, c.at))
	_, isStruct := under(c.smType).(*types.Struct)
	if within && isStruct && !isHeader(c.smType) && like(x.own.hdr.typ, c.hdr) && like(x.own.meta.typ, c.meta) {
		if spec := c.standard(x.linked)["egress_spec"]; spec != nil && spec.Sort() == smt.BV(9) {
			return true
		}
	}
	x.claimed(step, subject, site{
		pc: c.pc, bad: x.b.True(), at: c.at,
		what: fmt.Sprintf("a control is given other headers, metadata or standard metadata than in tenant %s's own program", x.tenant.Name),
	})
	return false
}

// start is the own program's state with what the linked one has at a cut.
func (x *equivalence) start(like *state, c *cut) (*state, bool) {
	o := x.own
	s := like.clone()
	from := c.state
	s.pc, s.dead = from.pc[:len(from.pc):len(from.pc)], false
	s.eq, s.known = maps.Clone(from.eq), maps.Clone(from.known)
	fit := func(l loc, v []*smt.Term) bool {
		ls := o.layout(l.typ, c.at)
		if len(ls) != len(v) {
			return false
		}
		for i := range ls {
			if v[i].Sort() != ls[i].sort {
				return false
			}
		}
		copy(s.vals[l.off:], v)
		return true
	}
	if !fit(o.hdr, c.hdr) || !fit(o.meta, c.meta) {
		return nil, false
	}
	x.takeStandard(s, c)
	return s, true
}

func (x *equivalence) takeStandard(s *state, c *cut) {
	if c.sm == nil {
		return
	}
	have := c.standard(x.linked)
	for i, l := range x.own.layout(x.own.sm.typ, c.at) {
		if v := have[l.path]; v != nil && v.Sort() == l.sort {
			s.vals[x.own.sm.off+i] = v
		}
	}
}

// ingress is the steps from the tenant's ingress on.
func (x *equivalence) ingress(parsed *state, enter *cut, admitted *smt.Term) {
	b, o := x.b, x.own
	vals := func(l loc, s *state) []*smt.Term { return s.vals[l.off : l.off+len(o.layout(l.typ, nil))] }

	if !x.fits("parsed", onParsed, enter) {
		return
	}
	// What the system hands over.
	in, err := addresses(x.tenant, false)
	if err != nil {
		o.refuse(nil, "%v", err)
	}
	hdr, refused := x.shape.translate(b, in, vals(o.hdr, parsed), enter.hdr)
	x.claimed("parsed", onParsed, site{
		pc: admitted, bad: b.Not(b.Eq(enter.pc, b.And(admitted, b.Not(refused)))), at: enter.at,
		what: fmt.Sprintf("tenant %s's ingress does not run for a packet for which its own would, or the other way round", x.tenant.Name),
	})
	if len(in) > 0 {
		x.split = parsed.vals[o.hdr.off+x.shape.ipv4]
	}
	x.same("parsed", onParsed, "hdr", enter.pc, o.hdr.typ, enter.hdr, hdr, enter.at)
	x.split = nil
	x.same("parsed", onParsed, "meta", enter.pc, o.meta.typ, enter.meta, x.withGenerations(vals(o.meta, parsed), enter, specs.Ingress), enter.at)
	x.standard("parsed", onParsed, enter, o.fields(o.sm.typ, vals(o.sm, parsed), enter.at))

	leave := x.control("ig", inIngress, "ingress", onIngress, parsed, enter)
	if leave == nil {
		return
	}

	// Where the packet goes.
	left := leave.standard(x.linked)
	for _, e := range x.linked.ends {
		x.claimed("sent", onSent, site{
			pc: b.And(e.pc, leave.pc), bad: b.Not(b.Eq(e.spec, x.physicalPort(left["egress_spec"]))), at: e.at,
			what: fmt.Sprintf("a packet is not sent to the port that the site has for the one that tenant %s's own program says", x.tenant.Name),
		})
		x.claimed("sent", onSent, site{
			pc: b.And(e.pc, admitted, b.Not(enter.pc)), bad: b.Not(b.Eq(e.spec, b.BV(specs.DropPort, 9))), at: e.at,
			what: fmt.Sprintf("a packet that tenant %s's own program never sees is not dropped", x.tenant.Name),
		})
	}

	// The queue.
	queue := x.only(cutQueue, "queued", onQueued, b.False(), x.parts["eg"])
	if queue == nil {
		return
	}
	second := x.only(cutEnter+" "+string(inEgress), "queued", onQueued, queue.pc, x.parts["eg"])
	if second == nil {
		return
	}
	if !x.fits("queued", onQueued, second) {
		return
	}
	x.claimed("queued", onQueued, site{
		pc: queue.pc, bad: b.Not(second.pc), at: second.at,
		what: fmt.Sprintf("tenant %s's egress does not run for a packet for which its own would", x.tenant.Name),
	})
	want := maps.Clone(left)
	want["egress_port"], want["egress_spec"] = left["egress_spec"], b.BV(0, 9)
	sm := x.linked.sm
	real := x.linked.fields(sm.typ, queue.state.vals[sm.off:sm.off+len(x.linked.layout(sm.typ, nil))], second.at)
	for _, name := range []string{"enq_timestamp", "enq_qdepth", "deq_timedelta", "deq_qdepth", "egress_global_timestamp"} {
		want[name] = real[name]
	}
	x.same("queued", onQueued, "hdr", second.pc, o.hdr.typ, second.hdr, leave.hdr, second.at)
	x.same("queued", onQueued, "meta", second.pc, o.meta.typ, second.meta, x.withGenerations(leave.meta, second, specs.Egress), second.at)
	x.standard("queued", onQueued, second, want)

	done := x.control("eg", inEgress, "egress", onEgress, parsed, second)
	if done == nil {
		return
	}
	x.output(parsed, enter, done)
}

// control runs the tenant's own control from where the linked program enters it, and compares what both have done.
func (x *equivalence) control(part string, ph phase, step, subject string, like *state, enter *cut) *cut {
	o := x.own
	s, ok := x.start(like, enter)
	if !ok {
		x.claimed(step, subject, site{
			pc: enter.pc, bad: x.b.True(), at: enter.at,
			what: fmt.Sprintf("headers or metadata have another shape than in tenant %s's own program", x.tenant.Name),
		})
		return nil
	}
	o.phase = ph
	d := x.parts[part]
	o.runTop(s, d, topContext[ph], []loc{o.hdr, o.meta, o.sm})
	x.events(step, subject, ph, enter.pc, enter.at)
	leave := x.only(cutLeave+" "+string(ph), step, subject, enter.pc, d)
	if leave == nil {
		return nil
	}
	x.claimed(step, subject, site{
		pc: enter.pc, bad: x.b.Not(x.b.Eq(leave.pc, o.cond(s))), at: enter.at,
		what: fmt.Sprintf("tenant %s's control does not end as its own does", x.tenant.Name),
	})
	vals := func(l loc) []*smt.Term { return s.vals[l.off : l.off+len(o.layout(l.typ, d))] }
	x.same(step, subject, "hdr", leave.pc, o.hdr.typ, leave.hdr, vals(o.hdr), leave.at)
	x.same(step, subject, "meta", leave.pc, o.meta.typ, leave.meta, vals(o.meta), leave.at)
	x.standard(step, subject, leave, o.fields(o.sm.typ, vals(o.sm), leave.at))
	return leave
}

// withGenerations is the metadata that a control starts with: the fields that show generations are the page table's.
func (x *equivalence) withGenerations(meta []*smt.Term, at *cut, c specs.Control) []*smt.Term {
	out := slices.Clone(meta)
	s, ok := under(x.own.meta.typ).(*types.Struct)
	if !ok {
		return out
	}
	off := 0
	for _, f := range s.Fields {
		n := len(x.own.layout(f.Type, at.at))
		if register := x.source.generations[s.Name+"."+f.Name]; register != "" {
			if control, k, ok := x.stageOf(register); ok && control == c {
				out[off] = x.linked.page(at, control, k).generation
			}
		}
		off += n
	}
	return out
}

// placesOf finds the places where both programs access register memory, by the labels.
func (x *equivalence) placesOf() map[string]slotPlace {
	out := map[string]slotPlace{}
	for n, l := range x.own.pair.labels {
		if o := accessed(x.own.info, n); o != nil {
			out[l] = slotPlace{register: o}
		}
	}
	for n, l := range x.linked.pair.labels {
		if o := accessed(x.linked.info, n); o != nil {
			p := out[l]
			p.array = o.Name
			out[l] = p
		}
	}
	return out
}

// clash says what keeps a place from being one of a register and its extent: that the register is somewhere else too, or the stage array another's.
func (x *equivalence) clash(label string) string {
	p := x.own.pair.places[label]
	for _, l := range slices.Sorted(maps.Keys(x.own.pair.places)) {
		q := x.own.pair.places[l]
		if q.array == p.array && q.register != p.register && q.register != nil {
			return fmt.Sprintf("%s stands for register %s, and for %s too", p.array, p.register.Name, q.register.Name)
		}
		if q.register == p.register && q.array != p.array && q.array != "" {
			return fmt.Sprintf("%s stands for register %s, as %s does", p.array, p.register.Name, q.array)
		}
	}
	return ""
}

// stageOf is where a register of the tenant's is.
func (x *equivalence) stageOf(register string) (specs.Control, int, bool) {
	found := ""
	for _, p := range x.own.pair.places {
		if p.register != nil && p.register.Name == register && p.array != "" && (found == "" || p.array < found) {
			found = p.array
		}
	}
	return stageArray(found)
}

// accessed is the register that a call reads or writes, or nil.
func accessed(info *types.Info, n syntax.Node) *types.Object {
	call, ok := n.(*syntax.Call)
	if !ok || info.Calls[call] == nil || info.Calls[call].Kind != types.MethodCall {
		return nil
	}
	recv, ok := strip(info.Calls[call].Recv).(*syntax.Name)
	if !ok {
		return nil
	}
	if e, ok := under(info.Types[recv]).(*types.Extern); !ok || e.Name != "register" {
		return nil
	}
	return info.Uses[recv.Ident]
}

// output is the steps behind the tenant's egress.
func (x *equivalence) output(parsed *state, enter, done *cut) {
	b, o, l := x.b, x.own, x.linked
	out, err := addresses(x.tenant, true)
	if err != nil {
		o.refuse(nil, "%v", err)
	}
	left := done.standard(x.linked)
	n := len(o.layout(o.hdr.typ, nil))
	mine := func(s *state) []*smt.Term { return s.vals[enter.hdrAt.off : enter.hdrAt.off+n] }
	sums := x.only(cutCompute, "written", onWritten, b.False(), x.parts["ck"])
	got := done.hdr
	if sums != nil {
		got = mine(sums.state)
	}
	hdr, noPlace := x.shape.translate(b, out, done.hdr, got)
	hdr, expired := x.shape.hop(b, x.shape.came(b, enter.hdr), hdr)
	etherType := done.hdr[x.ethernet+3]
	dropped := b.Or(
		b.Eq(left["egress_spec"], b.BV(specs.DropPort, 9)), noPlace, expired, b.Not(done.hdr[x.ethernet]), b.Not(x.noTPID(etherType)),
	)
	if sums == nil {
		x.only(cutCompute, "written", onWritten, b.And(done.pc, b.Not(dropped)), x.parts["ck"])
		return
	}
	x.claimed("written", onWritten, site{
		pc: done.pc, bad: b.Not(b.Eq(sums.pc, b.And(done.pc, b.Not(dropped)))), at: done.at,
		what: fmt.Sprintf("a packet leaves that tenant %s's own program and the system's translation drop, or the other way round", x.tenant.Name),
	})
	if x.shape.ipv4 >= 0 {
		x.split = done.hdr[x.shape.ipv4]
	}
	x.same("written", onWritten, "hdr", sums.pc, o.hdr.typ, mine(sums.state), hdr, sums.at)
	x.split = nil

	// Checksums.
	sums.hdr, sums.meta = slices.Clone(mine(sums.state)), done.meta
	s, ok := x.start(parsed, sums)
	if !ok {
		o.refuse(nil, "headers of another shape")
	}
	o.phase = inCompute
	o.runTop(s, x.parts["ck"], "c/", []loc{o.hdr, o.meta})
	x.events("checksums", onSums, inCompute, sums.pc, sums.at)
	emit := x.only(cutDeparse, "checksums", onSums, sums.pc, x.parts["dep"])
	if emit == nil {
		return
	}
	x.claimed("checksums", onSums, site{
		pc: sums.pc, bad: b.Not(emit.pc), at: emit.at, what: fmt.Sprintf("a packet of tenant %s is lost when its checksums are computed", x.tenant.Name),
	})
	x.same("checksums", onSums, "hdr", emit.pc, o.hdr.typ, mine(emit.state), s.vals[o.hdr.off:o.hdr.off+n], emit.at)

	// The deparser.
	emit.hdr, emit.meta = slices.Clone(mine(emit.state)), done.meta
	if s, ok = x.start(parsed, emit); !ok {
		o.refuse(nil, "headers of another shape")
	}
	o.phase, o.emits = inDeparser, nil
	o.runTop(s, x.parts["dep"], "d/", []loc{{}, o.hdr})
	leaves := b.False()
	for _, p := range l.outputs {
		leaves = b.Or(leaves, p.pc)
		if p.ran[l.tenantIndex(x.tenant.Name)] == b.False() {
			continue // a stray
		}
		x.emitted(p, enter.hdrAt.off, n, parsed.vals[ghostCursor])
	}
	x.claimed("emitted", onEmitted, site{
		pc: emit.pc, bad: b.Not(leaves), at: emit.at, what: fmt.Sprintf("a packet of tenant %s is lost in the deparser", x.tenant.Name),
	})
}

// emitted compares what both deparsers put out: the own program's first header is the system's Ethernet header with its tag.
func (x *equivalence) emitted(p *output, off, n int, cursor *smt.Term) {
	b, o := x.b, x.own
	bad := func(at syntax.Node, cond *smt.Term, what string) {
		x.claimed("emitted", onEmitted, site{pc: p.pc, bad: cond, at: at, what: what})
	}
	var mine []emission
	for i, e := range p.emits {
		switch {
		case e.off >= off && e.off < off+n:
			mine = append(mine, e)
		case i >= 2:
			bad(e.at, e.cond, fmt.Sprintf("%s goes out, which is none of tenant %s's headers", e.name, x.tenant.Name))
		}
	}
	eth, tag := p.emits[0], p.emits[1]
	first := o.emits[0]
	bad(eth.at, b.Not(b.And(
		b.Implies(first.cond, b.And(eth.cond, tag.cond)), b.Eq(x.bits(eth, 0, 96), b.Concat(first.vals[0], first.vals[1])), b.Eq(x.bits(tag, 16, 16), first.vals[2]),
	)), fmt.Sprintf("the Ethernet header that goes out is not that of tenant %s's own program", x.tenant.Name))
	own := o.emits[1:]
	if len(own) != len(mine) {
		bad(eth.at, b.True(), fmt.Sprintf("%d of tenant %s's headers are put out, its own program has %d", len(mine), x.tenant.Name, len(own)))
		return
	}
	for i, e := range mine {
		w := own[i]
		if e.off-off != w.off-o.hdr.off || len(e.vals) != len(w.vals) {
			bad(e.at, b.True(), fmt.Sprintf("%s goes out where tenant %s's own program has %s", e.name, x.tenant.Name, w.name))
			return
		}
		same := []*smt.Term{b.Eq(b.And(p.pc, e.cond), b.And(p.pc, w.cond))}
		for j := range e.vals {
			same = append(same, b.Implies(e.cond, b.Eq(e.vals[j], w.vals[j])))
		}
		bad(e.at, b.Not(b.And(same...)), fmt.Sprintf("%s goes out otherwise than from tenant %s's own program", e.name, x.tenant.Name))
	}
	bad(eth.at, b.Not(b.Eq(p.cursor, b.BVAdd(cursor, b.BV(tagBits, 32)))),
		fmt.Sprintf("the rest of the packet begins elsewhere than in tenant %s's own program", x.tenant.Name))
}

// firstEmitted is the place of the header that the own deparser puts out first, among the headers' containers.
func (x *equivalence) firstEmitted() int {
	o, d := x.own, x.parts["dep"]
	f := o.pipelineFrame(d.Name.Name, d, d.Params, []loc{{}, o.hdr})
	if len(d.Apply.Stmts) > 0 {
		if st, ok := d.Apply.Stmts[0].(*syntax.CallStmt); ok {
			c := o.info.Calls[st.Call]
			if c != nil && c.Method == "emit" && len(c.Args) == 1 && o.isLvalue(f, c.Args[0]) {
				off := o.lvalue(f, nil, c.Args[0]).off - o.hdr.off
				if ls := o.layout(o.hdr.typ, d); off+3 < len(ls) && ls[off].kind == validLeaf && ls[off+1].bits == 48 && ls[off+2].bits == 48 && ls[off+3].bits == 16 {
					return off
				}
			}
		}
	}
	o.refuse(d, "a deparser that does not begin with an Ethernet header")
	return 0
}
