package program

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/verify/smt"
)

// ErrUnsupported is wrapped by every refusal of a construct that the executor does not model: nothing was decided.
var ErrUnsupported = errors.New("not supported by the verifier")

// A PosError is an error at a place in linked.p4.
type PosError struct {
	Pos syntax.Pos
	Err error
}

func (e *PosError) Error() string { return e.Pos.String() + ": " + e.Err.Error() }
func (e *PosError) Unwrap() error { return e.Err }

// bailout carries a refusal out of the executor; only run recovers it.
type bailout struct{ err error }

// A machine executes one linked program. In a symbolic run unknowns are variables; in a concrete run an oracle answers them,
// every term is constant and one path is live.
type machine struct {
	in      *Input
	tenants []Tenant
	info    *types.Info
	b       *smt.Builder
	lay     *layouts

	concrete *concreteRun // nil in symbolic runs
	pair     *pairing     // nil in runs of one program

	// phase is what runs now, and pages are the page-table lookups that it has made so far.
	phase phase
	pages []pageLookup
	// at is the statement that runs now, and owner the tenant whose code it is, or ""; group tells apart executions that exclude each other.
	at    syntax.Node
	owner string
	group int

	hdr, meta, sm loc
	outer         [2]loc // the Ethernet header and the tag
	endedParsers  []*state
	calls         int // of functions and actions that run now
	top           *frame
	byName        map[string]syntax.Decl
	paths         map[string]string // control-plane name to where it is declared

	accesses []*access
	entries  []*entry
	sends    []*send
	ends     []*end
	outputs  []*output
	emits    []emission
	visits   []visit
	reaches  []reach
	contacts []contact
	touched  map[contact]bool
	sights   []sight
	left     []*smt.Term // the unknowns that packets before may have left; in a concrete run, twin is the other run
	carried  []carry
	twin     *machine
	regions  []region // of the containers of headers and metadata
}

// phase is a part of the pipeline.
type phase string

const (
	inParser   phase = "parser"
	inVerify   phase = "verify"
	inIngress  phase = "ingress"
	inEgress   phase = "egress"
	inCompute  phase = "compute"
	inDeparser phase = "deparser"
)

// loc is where a variable's containers are.
type loc struct {
	off   int
	typ   types.Type
	owner string // tenant whose variable it is, or ""
}

// A frame is one activation of a parser, control, action or function.
type frame struct {
	lex  *frame // the frame of the enclosing declaration, or nil
	path string // of the instance, for objects declared in it: "il_Ingress.kv"
	// ctx names this activation by the call sites that led to it: stable, and unique on every path.
	ctx string
	// labels are the places' names where two programs run side by side.
	labels map[syntax.Node]string
	// owner is the tenant whose code runs: that of the innermost declaration on the call chain with a tenant's prefix.
	owner string
	// declOwner is the tenant by whose prefix the enclosing declaration goes, or "".
	declOwner string

	vars   map[*types.Object]loc
	consts map[*types.Object][]*smt.Term // constructor parameters
	insts  map[*types.Object]*instance

	result   loc
	returned []*state
	exited   []*state
}

// An instance is a persistent object: a register, counter, table, ...
type instance struct {
	path  string // "il_stage_ingress_0", "il_Ingress.kv.kv__cache"
	name  string // as declared
	kind  string // "register", "counter", "table", ...
	owner string // tenant, or "" for the system
	obj   *types.Object
	size  int64 // elements, 0 if it has no index
	elem  types.Type
}

func (m *machine) refuse(at syntax.Node, format string, args ...any) {
	var pos syntax.Pos
	if at != nil {
		pos = at.Pos()
	}
	if !pos.IsValid() && m.at != nil {
		pos = m.at.Pos()
	}
	panic(bailout{&PosError{pos, fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))}})
}

// catch turns a refusal into an error. A panic of any other kind is a defect of the verifier: it is reported as one, with the
// statement, so that nobody takes a crash for an answer.
func (m *machine) catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case bailout:
		*err = r.err
	default:
		var pos syntax.Pos
		if m.at != nil {
			pos = m.at.Pos()
		}
		*err = &PosError{pos, fmt.Errorf("internal error of the verifier: %v", r)}
	}
}

// recovered reports a panic outside the executor (the front end's, the terms') as a defect, too.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("internal error of the verifier: %v", r)
	}
}

// tenantOf returns the tenant whose prefix a declared name has, or "".
func (m *machine) tenantOf(name string, at syntax.Node) string {
	if m.isOwn() {
		return ""
	}
	match := tenantPrefix.FindStringSubmatch(name)
	if match == nil || strings.HasPrefix(name, "il_") {
		return ""
	}
	for _, t := range m.tenants {
		if t.Name == match[1] {
			return t.Name
		}
	}
	m.refuse(at, "%s has the prefix of tenant %q, who is not registered", name, match[1])
	return ""
}

// ghosts: containers in front of all others that hold what the proof speaks of and no program can name.
const ghostCursor = 0 // bits that the parser has consumed, 32 bits wide

// ghostAdmitted is the container that says whether the admission table had an entry for the packet's VID.
const ghostAdmitted = 1

// ghostStates is the container that counts the parser states that the packet has been in, 32 bits wide.
const ghostStates = 2

// ghostRan is the container that says whether tenant number i's code has run for the packet.
func ghostRan(i int) int { return 3 + i }

func (m *machine) tenantIndex(name string) int {
	for i, t := range m.tenants {
		if t.Name == name {
			return i
		}
	}
	return -1
}

// alloc makes containers for a value of type t with the given contents.
func (m *machine) alloc(s *state, t types.Type, vals []*smt.Term, by syntax.Node) loc {
	l := loc{off: len(s.vals), typ: t}
	s.vals = append(s.vals, vals...)
	if s.origin != nil {
		for range vals {
			s.origin = append(s.origin, by)
		}
	}
	return l
}

// arbitrary makes a value of which nothing is known, but that its headers are invalid and its stacks empty when fresh.
func (m *machine) arbitrary(t types.Type, kind, name string, at syntax.Node) []*smt.Term {
	ls := m.layout(t, at)
	out := make([]*smt.Term, len(ls))
	for i, l := range ls {
		switch l.kind {
		case validLeaf:
			out[i] = m.b.False()
		case nextLeaf:
			out[i] = m.b.BV(0, stackBits)
		default:
			n := name
			if l.path != "" {
				n += "." + l.path
			}
			if m.isOwn() && (kind == "uninitialised" || strings.HasPrefix(name, "stale.")) { // a virtual switch begins with zeros
				if out[i] = m.b.False(); l.bits > 0 {
					out[i] = m.b.BV(0, l.bits)
				}
				continue
			}
			out[i] = m.unknown(Query{Kind: kind, Name: n, Width: l.bits})
		}
	}
	return out
}

// unknown is a value that nothing determines: a variable, or the oracle's answer. If there is anything that it is made from, it is a function of
// that, which nothing determines.
func (m *machine) unknown(q Query, from ...*smt.Term) *smt.Term {
	if m.concrete != nil {
		q.Left = m.concrete.left[q.Name]
		if m.at != nil {
			q.At = m.at.Pos()
		}
		return m.concrete.answer(m.b, q)
	}
	v := m.b.Var(q.Name, q.sort())
	switch {
	case len(from) > 0:
		m.carried = append(m.carried, carry{v, from})
	case q.Kind == "stale" || q.Kind == "uninitialised":
		m.left = append(m.left, v)
	}
	return v
}

// fold makes sure that terms of a concrete run are constants, which the builder computes.
func (m *machine) fold(t *smt.Term) *smt.Term {
	if m.concrete != nil && !t.IsConst() {
		m.refuse(m.at, "a concrete run with an open term (%s)", firstLine(t.String()))
	}
	return t
}

// site names a place of an activation; names of unknowns are made of it.
func (f *frame) site(n syntax.Node) string {
	if l := f.labels[n]; l != "" {
		return f.ctx + l
	}
	p := n.Pos()
	return fmt.Sprintf("%sL%dC%d", f.ctx, p.Line, p.Col)
}

// lookupVar finds the containers of a variable or parameter.
func (f *frame) lookupVar(o *types.Object) (loc, bool) {
	for g := f; g != nil; g = g.lex {
		if l, ok := g.vars[o]; ok {
			return l, true
		}
	}
	return loc{}, false
}

func (f *frame) lookupConst(o *types.Object) ([]*smt.Term, bool) {
	for g := f; g != nil; g = g.lex {
		if v, ok := g.consts[o]; ok {
			return v, true
		}
	}
	return nil, false
}

// newFrame enters a declaration. decl is its name; lex is where it is declared (nil: top level).
func (m *machine) newFrame(caller, lex *frame, name string, at syntax.Node, ctx string) *frame {
	f := &frame{
		lex: lex, ctx: ctx,
		vars: map[*types.Object]loc{}, consts: map[*types.Object][]*smt.Term{}, insts: map[*types.Object]*instance{},
	}
	if caller != nil {
		f.owner = caller.owner
	}
	if lex != nil {
		f.path, f.declOwner = lex.path, lex.declOwner
	}
	if f.declOwner == "" {
		f.declOwner = m.tenantOf(name, at)
	}
	if f.declOwner != "" {
		f.owner = f.declOwner
	}
	if m.pair != nil {
		f.labels = m.pair.labels
		if caller != nil && caller.owner == "" && f.owner == m.pair.tenant.Name { // as a program of its own begins
			f.ctx = m.pair.tenant.Name + "." + topContext[m.phase]
		}
	}
	return f
}

// values converts a compile-time value to the leaves of type t.
func (m *machine) values(v types.Value, t types.Type, at syntax.Node) []*smt.Term {
	t = under(t)
	switch v := v.(type) {
	case types.BoolValue:
		return []*smt.Term{m.b.Bool(bool(v))}
	case types.IntValue:
		w := 0
		switch t := t.(type) {
		case *types.Bit:
			w = t.Width
		case *types.Enum:
			if b, ok := under(t.Underlying).(*types.Bit); ok {
				w = b.Width
			}
		}
		if w == 0 {
			m.refuse(at, "a value of type %s", t)
		}
		return []*smt.Term{m.bv(v.Int, w)}
	case types.EnumValue:
		return []*smt.Term{m.code(v, at)}
	case types.TupleValue:
		var out []*smt.Term
		switch t := t.(type) {
		case *types.Struct:
			if len(v) != len(t.Fields) {
				break
			}
			if t.Kind == types.Header {
				out = append(out, m.b.True())
			}
			for i, f := range t.Fields {
				out = append(out, m.values(v[i], f.Type, at)...)
			}
			return out
		case *types.Tuple:
			for i, e := range t.Elems {
				out = append(out, m.values(v[i], e, at)...)
			}
			return out
		}
	}
	m.refuse(at, "a constant of type %s", t)
	return nil
}

// bv is x modulo 2^w.
func (m *machine) bv(x *big.Int, w int) *smt.Term {
	mod := new(big.Int).Lsh(big.NewInt(1), uint(w))
	return m.b.BVBig(new(big.Int).Mod(x, mod), w)
}

// code is the number of an enum's or error's member.
func (m *machine) code(v types.EnumValue, at syntax.Node) *smt.Term {
	members := m.info.Errors
	if e, ok := v.Type.(*types.Enum); ok {
		members = e.Members
		for i, name := range members {
			if name == v.Member && e.Underlying != nil {
				return m.values(e.Values[i], e.Underlying, at)[0]
			}
		}
	}
	if _, enum := v.Type.(*types.Enum); !enum && m.isOwn() {
		if i, ok := m.pair.errors[v.Member]; ok {
			return m.b.BV(uint64(i), codeBits)
		}
		m.refuse(at, "error %s, which the linked program does not have", v.Member)
	}
	for i, name := range members {
		if name == v.Member {
			if i >= 1<<codeBits {
				m.refuse(at, "more than %d errors", 1<<codeBits)
			}
			return m.b.BV(uint64(i), codeBits)
		}
	}
	m.refuse(at, "unknown member %s", v.Member)
	return nil
}

func (m *machine) errorCode(name string) *smt.Term {
	return m.code(types.EnumValue{Type: types.Error, Member: name}, m.at)
}
