package program

import (
	"strconv"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// The executor records what the properties are about, each with the path condition under which it happens. What is recorded
// is what executes; which construct of the source led to it only matters to people.

// An access is a touch of a persistent object.
type access struct {
	inst  *instance
	op    string    // apply, read, write, count, ...
	code  string    // tenant whose code does it, or ""
	index *smt.Term // nil for objects without an index
	pc    *smt.Term
	at    syntax.Node
	phase phase
	group int          // as in the machine
	pages []pageLookup // made before, in the same control
	// admitted says that the admission table was asked before, and had an entry for the packet's VID.
	admitted *smt.Term
}

// An entry is the start of a tenant's code: a parser state reached from elsewhere, a control, action or function called from
// elsewhere.
type entry struct {
	tenant   string
	name     string // of the state, control, ...
	pc       *smt.Term
	at       syntax.Node
	phase    phase
	admitted *smt.Term // as in an access
}

// A send is a request for more of the packet than one unicast copy.
type send struct {
	what string // clone, resubmit, recirculate, digest
	code string // tenant whose code asks for it; empty: the system's
	pc   *smt.Term
	ran  *smt.Term // the packet ran some tenant's code before
	at   syntax.Node
}

// An end is the end of ingress: where the packet is told to go.
type end struct {
	pc    *smt.Term
	ran   []*smt.Term // per tenant
	spec  *smt.Term   // egress_spec
	mcast *smt.Term
	wrote [2]syntax.Node // in concrete runs: who wrote spec and mcast
	state *state         // as it is then
	at    syntax.Node    // the control
}

// An emission is one header that the deparser puts out if cond holds.
type emission struct {
	cond   *smt.Term
	name   string // the expression
	off    int    // of its containers
	header []leaf // without the validity
	vals   []*smt.Term
	wrote  []syntax.Node
	at     syntax.Node
}

// An output is a packet that leaves.
type output struct {
	pc       *smt.Term
	ran      []*smt.Term
	admitted *smt.Term // as in an access
	end      *end      // of its ingress
	cursor   *smt.Term // bits of the input that were parsed; the rest follows the emitted headers
	port     *smt.Term
	emits    []emission
}

func (m *machine) access(f *frame, s *state, at syntax.Node, inst *instance, op string, index *smt.Term) {
	if s.dead {
		return
	}
	m.accesses = append(m.accesses, &access{
		inst: inst, op: op, code: f.owner, index: index, pc: m.cond(s), at: at, phase: m.phase, group: m.group,
		pages: m.pages[:len(m.pages):len(m.pages)], admitted: s.vals[ghostAdmitted],
	})
}

// enter records the start of a tenant's code when control comes from elsewhere.
func (m *machine) enter(from, to *frame, s *state, at syntax.Node) {
	name := ""
	if d, ok := at.(syntax.Decl); ok && d.DeclName() != nil {
		name = d.DeclName().Name
	}
	m.enterTenant(from.owner, to.owner, name, s, at)
}

func (m *machine) enterTenant(from, to, name string, s *state, at syntax.Node) {
	if to == "" || s.dead {
		return
	}
	i := m.tenantIndex(to)
	if from == to && s.vals[ghostRan(i)] == m.b.True() {
		return
	}
	m.entries = append(m.entries, &entry{tenant: to, name: name, pc: m.cond(s), at: at, phase: m.phase, admitted: s.vals[ghostAdmitted]})
	s.vals[ghostRan(i)] = m.b.True()
}

func (m *machine) sent(f *frame, s *state, at syntax.Node, what string) {
	if s.dead {
		return
	}
	m.sees(s, f.site(at), what+"/"+place(at), "whether the packet is to "+what, at)
	m.sends = append(m.sends, &send{what: what, code: f.owner, pc: m.cond(s), ran: m.b.Or(m.ran(s)...), at: at})
}

// ran copies the tenants' ghosts.
func (m *machine) ran(s *state) []*smt.Term {
	out := make([]*smt.Term, len(m.tenants))
	for i := range m.tenants {
		out[i] = s.vals[ghostRan(i)]
	}
	return out
}

// declareInstance enters an instance of a control or parser into its frame.
func (m *machine) declareInstance(f *frame, d *syntax.InstanceDecl) {
	o := m.info.Instances[d]
	if o == nil {
		o = m.info.Defs[d.Name]
	}
	if o == nil || d.HasBody {
		m.refuse(d, "this instance")
	}
	if instanceKind(o.Type) == "control" {
		m.unnamed(d)
		return
	}
	f.insts[o] = m.newInstance(f, o, d)
}

func (m *machine) newInstance(f *frame, o *types.Object, at syntax.Node) *instance {
	inst := &instance{name: o.Name, kind: instanceKind(o.Type), obj: o, owner: m.ownerOf(f, o.Name, at)}
	m.nameInstance(f, inst, at)
	x, ok := o.Type.(*types.Extern)
	if !ok {
		m.refuse(at, "an instance of %s", o.Type)
	}
	switch x.Name {
	case "register", "counter", "meter":
		if o.Ctor == nil || len(o.Ctor.Args) == 0 {
			m.refuse(at, "%s %s without a size", x.Name, o.Name)
		}
		v, ok := m.info.Values[o.Ctor.Args[0]].(types.IntValue)
		if !ok || !v.Int.IsInt64() {
			m.refuse(at, "%s %s of unknown size", x.Name, o.Name)
		}
		inst.size = v.Int.Int64()
		if x.Name == "register" && len(x.Args) > 0 {
			inst.elem = x.Args[0]
		}
	}
	return inst
}

// nameInstance gives an object the name that the control plane knows it by: where it is declared, or what @name says. Two
// objects of one name would be one to the reader, so they are refused.
func (m *machine) nameInstance(f *frame, inst *instance, at syntax.Node) {
	inst.path = m.controlPlaneName(f, inst.obj)
	m.ownName(inst, at)
	where := inst.name
	if f != nil {
		where = f.path + "." + inst.name
	}
	if other, ok := m.paths[inst.path]; ok && other != where {
		m.refuse(at, "%s and %s, which are both called %s", other, where, inst.path)
	}
	m.paths[inst.path] = where
}

// ownName refuses names under which the control plane would take an object for somebody else's: what is a tenant's has that
// tenant's prefix in its name, what is the system's has none.
func (m *machine) ownName(inst *instance, at syntax.Node) {
	own := inst.owner == ""
	for part := range strings.SplitSeq(inst.path, ".") {
		for _, t := range m.tenants {
			switch {
			case !strings.HasPrefix(part, specs.TenantPrefix(t.Name)):
			case t.Name == inst.owner:
				own = true
			default:
				m.refuse(at, "%s %s of %s, whose name says that it is %s's", inst.kind, inst.path, who(inst.owner), who(t.Name))
			}
		}
	}
	if !own {
		m.refuse(at, "%s %s of %s, whose name says that it is the system's", inst.kind, inst.path, who(inst.owner))
	}
}

// controlPlaneName is the name that P4Info has for an object declared in f.
func (m *machine) controlPlaneName(f *frame, o *types.Object) string {
	local := o.Name
	if d, ok := o.Decl.(syntax.Decl); ok {
		for i, a := range named(d.Annots()) {
			if i > 0 || len(a.Body) != 1 {
				m.refuse(a, "this @name: it takes one string, once")
			}
			name, err := strconv.Unquote(a.Body[0].Text)
			if err != nil || strings.Contains(name, `\`) {
				m.refuse(a, "this @name: it takes one string without escapes")
			}
			local = name
		}
	}
	if absolute, ok := strings.CutPrefix(local, "."); ok {
		return absolute
	}
	if f != nil && f.path != "" {
		return f.path + "." + local
	}
	return local
}

func named(as []*syntax.Annotation) []*syntax.Annotation {
	var out []*syntax.Annotation
	for _, a := range as {
		if a.Name == "name" {
			out = append(out, a)
		}
	}
	return out
}

// unnamed refuses a control or instance that the control plane knows by another name, because the names of the objects in it
// would begin otherwise than paths do here.
func (m *machine) unnamed(d syntax.Decl) {
	if as := named(d.Annots()); len(as) > 0 {
		m.refuse(as[0], "@name of %s: of tables, actions and extern objects only", d.DeclName().Name)
	}
}

// ownerOf is the tenant to whom an object belongs: by the enclosing top-level declaration, or by its own prefix where that is
// the system's.
func (m *machine) ownerOf(f *frame, name string, at syntax.Node) string {
	if f != nil && f.declOwner != "" {
		return f.declOwner
	}
	return m.tenantOf(name, at)
}

// instanceOf finds the persistent object that an expression names.
func (m *machine) instanceOf(f *frame, e syntax.Expr) *instance {
	n, ok := strip(e).(*syntax.Name)
	if !ok {
		m.refuse(e, "an object that is not named directly")
	}
	o := m.info.Uses[n.Ident]
	if o == nil || o.Kind != types.InstanceObject {
		m.refuse(e, "%s as an object", n.Ident.Name)
	}
	for g := f; g != nil; g = g.lex {
		if inst, ok := g.insts[o]; ok {
			return inst
		}
	}
	if o.Parent != nil {
		m.refuse(e, "%s in this place", n.Ident.Name)
	}
	if inst, ok := m.top.insts[o]; ok {
		return inst
	}
	inst := m.newInstance(nil, o, e)
	m.top.insts[o] = inst
	return inst
}

func (m *machine) tableInstance(home *frame, o *types.Object, d *syntax.TableDecl) *instance {
	f := home
	if f == nil {
		f = m.top
	}
	if inst, ok := f.insts[o]; ok {
		return inst
	}
	inst := &instance{name: o.Name, kind: "table", obj: o, owner: m.ownerOf(home, o.Name, d)}
	m.nameInstance(home, inst, d)
	f.insts[o] = inst
	return inst
}

// accessProfile records that a table's application touches an object that the table was given.
func (m *machine) accessProfile(f *frame, s *state, at syntax.Node, p *syntax.ExprProperty) {
	if _, ok := strip(p.Value).(*syntax.Name); !ok {
		return // an object of the table's own
	}
	m.access(f, s, at, m.instanceOf(f, p.Value), p.Name.Name, nil)
}
