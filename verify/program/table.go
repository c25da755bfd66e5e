package program

import (
	"fmt"
	"slices"
	"sort"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/smt"
)

// applied is the result of a table's application.
type applied struct {
	hit  *smt.Term
	alts []alternative
	// complete: the alternatives have the miss too.
	complete bool
}

// An alternative is one way in which a table's application can go: an action under a condition.
type alternative struct {
	cond *smt.Term
	hit  bool
	call *types.Call          // nil for an action without parameters that was only named
	obj  *types.Object        // nil: no action
	data map[string]*smt.Term // action data by parameter; nil where call has the arguments
}

// ran is the condition that the action named by a switch label ran.
func (r *applied) ran(m *machine, label syntax.Expr) *smt.Term {
	n, ok := strip(label).(*syntax.Name)
	if !ok {
		m.refuse(label, "this label")
	}
	o := m.info.Uses[n.Ident]
	if o == nil || o.Kind != types.ActionObject {
		m.refuse(label, "this label")
	}
	var conds []*smt.Term
	for _, a := range r.alts {
		if a.obj == o {
			conds = append(conds, a.cond)
		}
	}
	return m.b.Or(conds...)
}

// tableInfo is a table declaration taken apart.
type tableInfo struct {
	keys     []*syntax.TableKey
	actions  []*syntax.ActionRef
	entries  *syntax.EntriesProperty
	dflt     *syntax.ExprProperty
	profiles []*syntax.ExprProperty // objects that the table uses: counters, meters, implementation
}

func (m *machine) tableInfo(d *syntax.TableDecl) tableInfo {
	var t tableInfo
	for _, p := range d.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			t.keys = p.Keys
		case *syntax.ActionsProperty:
			t.actions = p.Actions
		case *syntax.EntriesProperty:
			t.entries = p
		case *syntax.ExprProperty:
			switch p.Name.Name {
			case "default_action":
				t.dflt = p
			case "counters", "meters", "implementation":
				t.profiles = append(t.profiles, p)
			case "size", "support_timeout":
			default:
				m.refuse(p, "table property %s", p.Name.Name)
			}
		}
	}
	return t
}

// applyTable runs one application. With const entries it is exact; otherwise whatever P4Runtime accepts may be in the table.
func (m *machine) applyTable(f *frame, s *state, e *syntax.Call) *applied {
	c := m.info.Calls[e]
	d, ok := c.Callee.Decl.(*syntax.TableDecl)
	if !ok {
		m.refuse(e, "applying %s", c.Callee.Name)
	}
	home := m.declFrame(f, c.Callee)
	t := m.tableInfo(d)
	inst := m.tableInstance(home, c.Callee, d)
	// What a tenant's table does is up to the tenant's controller, whoever applies it and whosever actions it lists.
	defer m.runs(inst.owner)()
	keys := make([]*smt.Term, len(t.keys))
	ts := make([]types.Type, len(t.keys))
	leave := m.within(f, f.site(e)+"$key/") // other applications of the table evaluate these expressions too
	for i, k := range t.keys {
		keys[i], ts[i] = m.scalar(f, s, k.Expr), m.typeOf(k.Expr)
	}
	leave()
	r := &applied{hit: m.b.False()}
	if s.dead {
		return r
	}
	m.access(f, s, e, inst, "apply", nil)
	m.event(f, s, e, "table", inst, m.cond(s), keys...)
	m.sees(s, f.site(e)+"$key", fmt.Sprintf("table/%s", inst.path), fmt.Sprintf("a key of table %s, or whether it is applied,", inst.path), e, keys...)
	m.enterTenant(f.owner, inst.owner, inst.name, s, e)
	for _, p := range t.profiles {
		m.accessProfile(f, s, e, p)
	}
	site := f.site(e)
	if t.entries != nil && t.entries.Const {
		m.constEntries(t, keys, ts, r)
	} else {
		m.runtimeEntries(s, e, t, site, inst, keys, r)
	}
	if !r.complete {
		m.defaults(s, t, site, r)
	}
	m.pageLookup(home, s, e, d, t, inst, keys, r)
	m.admissionLookup(s, d, t, inst, keys, r)

	alts := make([]*state, 0, len(r.alts))
	for i, a := range r.alts {
		b := s.clone()
		m.assume(b, a.cond)
		if b.dead {
			continue
		}
		m.traceTable(e, inst, t.entries != nil && t.entries.Const, keys, a)
		m.runAction(f, home, b, e, a, fmt.Sprintf("%s.%d/", site, i))
		alts = append(alts, b)
	}
	m.joinInto(s, e, alts...)
	return r
}

// runAction executes a chosen action.
func (m *machine) runAction(f, home *frame, s *state, e *syntax.Call, a alternative, ctx string) {
	if a.obj == nil {
		return
	}
	d := m.actionDecl(a.obj, e)
	if len(d.Params) == 0 && len(d.Body.Stmts) == 0 {
		return // nothing runs
	}
	lex := home
	if a.obj.Parent == nil {
		lex = nil
	}
	g := m.newFrame(f, lex, d.Name.Name, d, ctx)
	sig, ok := a.obj.Type.(*types.Signature)
	if !ok {
		m.refuse(e, "action %s", a.obj.Name)
	}
	args := make([]argument, len(sig.Params))
	for i, p := range sig.Params {
		if v, ok := a.data[p.Name]; ok {
			args[i] = argument{vals: one(v)}
		} else if a.call != nil && i < len(a.call.Args) {
			args[i] = argument{expr: a.call.Args[i]}
		}
	}
	// Arguments that the table's declaration binds are expressions of the control that declares it, and of every application.
	defer m.within(f, ctx)()
	m.invoke(f, s, e, g, sig, args, func(s *state) { m.enter(f, g, s, d); m.block(g, s, d.Body.Stmts) })
}

// reference resolves an action reference: in a list, an entry or a default action.
func (m *machine) reference(e syntax.Expr) (*types.Object, *types.Call) {
	switch e := strip(e).(type) {
	case *syntax.Name:
		if o := m.info.Uses[e.Ident]; o != nil {
			return o, nil
		}
	case *syntax.Call:
		if c := m.info.Calls[e]; c != nil && c.Callee != nil {
			return c.Callee, c
		}
	}
	m.refuse(e, "this action reference")
	return nil, nil
}

// constEntries adds the entries' alternatives, one per action: what differs between entries is the action data.
func (m *machine) constEntries(t tableInfo, keys []*smt.Term, ts []types.Type, r *applied) {
	entries := append([]*syntax.TableEntry(nil), t.entries.Entries...)
	lpm, ordered := -1, false
	for i, k := range t.keys {
		switch k.MatchKind.Name {
		case "exact":
		case "ternary", "range", "optional":
			ordered = true
		case "lpm":
			if lpm >= 0 {
				m.refuse(k, "const entries over two keys matched by lpm")
			}
			lpm = i
		default:
			m.refuse(k, "const entries over a key matched by %s", k.MatchKind.Name)
		}
	}
	if lpm >= 0 && ordered {
		m.refuse(t.keys[lpm], "const entries over an lpm key beside one that orders them by priority")
	}
	cs := make([]choice, len(entries))
	for i, en := range entries {
		if en.Priority != nil {
			m.refuse(en, "an entry with a priority")
		}
		cs[i] = m.choice(keys, ts, en.Keyset)
		if lpm >= 0 {
			cs[i].prefix = m.prefixLength(m.keyset(en.Keyset, len(keys))[lpm], ts[lpm])
		}
	}
	if lpm >= 0 { // the longest prefix wins, whatever the order
		order := make([]int, len(entries))
		for i := range order {
			order[i] = i
		}
		sort.SliceStable(order, func(a, b int) bool { return cs[order[a]].prefix > cs[order[b]].prefix })
		sortedE, sortedC := make([]*syntax.TableEntry, len(order)), make([]choice, len(order))
		for i, j := range order {
			sortedE[i], sortedC[i] = entries[j], cs[j]
		}
		entries, cs = sortedE, sortedC
	}
	first, _ := m.firstMatch(cs)
	hit := make([]*smt.Term, len(cs))
	byAction := map[*types.Object]int{}
	for i, en := range entries {
		hit[i] = cs[i].cond
		o, call := m.reference(en.Action)
		var data map[string]*smt.Term
		if call != nil {
			data = map[string]*smt.Term{}
			for j, p := range call.Sig.Params {
				if p.Dir != syntax.NoDir {
					continue
				}
				v, ok := m.info.Values[call.Args[j]]
				if !ok {
					m.refuse(en, "action data that is not known when the program is compiled")
				}
				vals := m.values(v, p.Type, en)
				if len(vals) != 1 {
					m.refuse(en, "action data of type %s", p.Type)
				}
				data[p.Name] = vals[0]
			}
		}
		if j, ok := byAction[o]; ok {
			a := &r.alts[j]
			for name, v := range data {
				// The alternatives so far exclude this entry, so the order of the choice does not matter.
				a.data[name] = m.b.Ite(first[i], v, a.data[name])
			}
			a.cond = m.b.Or(a.cond, first[i])
			continue
		}
		byAction[o] = len(r.alts)
		r.alts = append(r.alts, alternative{cond: first[i], hit: true, call: call, obj: o, data: data})
	}
	r.hit = m.b.Or(hit...)
}

// runtimeEntries adds what an entry may do: any listed action that entries may have, with any action data.
func (m *machine) runtimeEntries(s *state, e *syntax.Call, t tableInfo, site string, inst *instance, keys []*smt.Term, r *applied) {
	var refs []*syntax.ActionRef
	for _, a := range t.actions {
		if !annotated(a.Annotations, "defaultonly") {
			refs = append(refs, a)
		}
	}
	if len(t.keys) == 0 || len(refs) == 0 {
		return // no entries are possible
	}
	if a := m.askTable(e, inst, t, keys); a != nil {
		r.hit, r.complete = m.b.Bool(a.hit), true
		r.alts = append(r.alts, *a)
		return
	}
	r.hit = m.unknown(Query{Kind: "hit", Name: site + "$hit", Object: inst.path})
	acts := r.hit
	if slices.ContainsFunc(t.profiles, func(p *syntax.ExprProperty) bool { return p.Name.Name == "implementation" }) {
		// An entry may refer to a group without members: a hit, and nothing runs.
		acts = m.b.And(r.hit, m.b.Not(m.unknown(Query{Kind: "action", Name: site + "$empty", Object: inst.path})))
		r.alts = append(r.alts, alternative{cond: m.b.And(r.hit, m.b.Not(acts)), hit: true})
	}
	r.alts = append(r.alts, m.any(refs, acts, site, "entry", inst, true)...)
}

// any makes an alternative of each action, chosen by an unknown, with unknown action data. They exhaust cond. Two actions may have
// one name, in different scopes.
func (m *machine) any(refs []*syntax.ActionRef, cond *smt.Term, site, what string, inst *instance, hit bool) []alternative {
	var out []alternative
	left := cond
	for i, ref := range refs {
		o, call := m.reference(ref.Call)
		name := fmt.Sprintf("%s$%s.%s", site, what, m.plain(o.Name))
		if again := slices.IndexFunc(refs[:i], func(r *syntax.ActionRef) bool { p, _ := m.reference(r.Call); return p.Name == o.Name }); again >= 0 {
			name = suffix(name+"$again", i)
		}
		c := left
		if i < len(refs)-1 {
			pick := m.unknown(Query{Kind: "action", Name: name, Object: inst.path})
			c = m.b.And(left, pick)
			left = m.b.And(left, m.b.Not(pick))
		}
		sig, ok := o.Type.(*types.Signature)
		if !ok {
			m.refuse(ref, "action %s", o.Name)
		}
		data := map[string]*smt.Term{}
		for _, p := range sig.Params {
			if p.Dir != syntax.NoDir {
				continue
			}
			ls := m.layout(p.Type, ref)
			if len(ls) != 1 {
				m.refuse(ref, "action data of type %s", p.Type)
			}
			data[p.Name] = m.unknown(Query{
				Kind: "data", Name: name + "." + p.Name, Width: ls[0].bits, Object: inst.path,
			})
		}
		out = append(out, alternative{cond: c, hit: hit, call: call, obj: o, data: data})
	}
	return out
}

// defaults adds what happens on a miss. A default action that is not const can be set over P4Runtime to any listed action
// that is not @tableonly.
func (m *machine) defaults(s *state, t tableInfo, site string, r *applied) {
	miss := m.b.Not(r.hit)
	if v, known, _ := m.decided(s, miss); known && !v {
		return
	}
	inst := &instance{path: site}
	if t.dflt != nil && t.dflt.Const {
		o, call := m.reference(t.dflt.Value)
		r.alts = append(r.alts, alternative{cond: miss, call: call, obj: o})
		return
	}
	var refs []*syntax.ActionRef
	var noAction bool
	for _, a := range t.actions {
		if annotated(a.Annotations, "tableonly") {
			continue
		}
		refs = append(refs, a)
		o, _ := m.reference(a.Call)
		noAction = noAction || o == m.noAction()
	}
	if t.dflt != nil {
		// What the declaration says is there until it is changed.
		first, _ := m.reference(t.dflt.Value)
		if !slices.ContainsFunc(refs, func(r *syntax.ActionRef) bool { o, _ := m.reference(r.Call); return o == first }) {
			m.refuse(t.dflt, "a default action that cannot be set")
		}
	}
	alts := m.any(refs, miss, site, "default", inst, false)
	if t.dflt == nil && !noAction || len(refs) == 0 {
		// Without a declared default action it is NoAction, until it is set.
		none := miss
		if len(alts) > 0 {
			none = m.b.And(miss, m.unknown(Query{Kind: "action", Name: site + "$none"}))
		}
		for i := range alts {
			alts[i].cond = m.b.And(alts[i].cond, m.b.Not(none))
		}
		alts = append(alts, alternative{cond: none, obj: m.noAction()})
	}
	r.alts = append(r.alts, alts...)
}

// noAction is an action without effect, where the program names none.
func (m *machine) noAction() *types.Object {
	if d, ok := m.byName["NoAction"].(*syntax.ActionDecl); ok {
		if o := m.info.Defs[d.Name]; o != nil {
			return o
		}
	}
	m.refuse(nil, "a program without NoAction")
	return nil
}

func annotated(as []*syntax.Annotation, name string) bool {
	for _, a := range as {
		if a.Name == name {
			return true
		}
	}
	return false
}

// A pageLookup is an application of a page table, as the accesses after it rely on it: under cond an entry was found whose key
// equals key, and it holds data.
type pageLookup struct {
	control specs.Control
	cond    *smt.Term
	key     *smt.Term
	data    map[string]*smt.Term
}

// pageLookup records the application of a page table. What a page table is, is fixed by the ABI: its name to the control
// plane, which proofs about plans know it by too, one exact key, and its action's name and parameters.
func (m *machine) pageLookup(home *frame, s *state, e *syntax.Call, d *syntax.TableDecl, t tableInfo, inst *instance, keys []*smt.Term, r *applied) {
	for _, c := range []specs.Control{specs.Ingress, specs.Egress} {
		if inst.path != specs.PageTable(c) {
			continue
		}
		if inst.owner != "" {
			m.refuse(d, "a page table declared by %s", who(inst.owner))
		}
		m.keyedByVID(d, t)
		if string(m.phase) != string(c) {
			m.refuse(e, "page table %s applied outside %s", inst.path, c)
		}
		for _, p := range m.pages {
			if p.control == c && !s.dead {
				m.refuse(e, "page table %s applied twice for one packet", inst.path)
			}
		}
		for _, a := range r.alts {
			if a.obj == nil {
				continue
			}
			in := home
			if a.obj.Parent == nil {
				in = nil
			}
			if a.hit && m.controlPlaneName(in, a.obj) == specs.MapAction(c) {
				for _, p := range m.actionDecl(a.obj, e).Params {
					if annotated(p.Annotations, "name") {
						m.refuse(p, "a renamed parameter of %s", a.obj.Name)
					}
					if !plainBits(m.info.Defs[p.Name].Type, 0) {
						m.refuse(p, "a parameter of %s that is not of a bit type", a.obj.Name)
					}
				}
				m.pages = append(m.pages, pageLookup{c, m.b.And(m.cond(s), a.cond), keys[0], a.data})
			}
		}
	}
}

// keyedByVID refuses a table whose entries are not known by one exact key of a VID's width, or are somewhere else.
func (m *machine) keyedByVID(d *syntax.TableDecl, t tableInfo) {
	if len(t.keys) != 1 || t.keys[0].MatchKind.Name != "exact" || !plainBits(m.typeOf(t.keys[0].Expr), 12) {
		m.refuse(d, "a table %s whose key is not one exact key of 12 bits", d.Name.Name)
	}
	for _, p := range t.profiles {
		if p.Name.Name == "implementation" {
			m.refuse(p, "a table %s whose entries are somewhere else", d.Name.Name)
		}
	}
}

// admissionLookup notes in the state whether the admission table has an entry for the packet's VID. When the program is new the table
// has none: it may declare none itself.
func (m *machine) admissionLookup(s *state, d *syntax.TableDecl, t tableInfo, inst *instance, keys []*smt.Term, r *applied) {
	if inst.path != specs.AdmissionTable {
		return
	}
	if inst.owner != "" {
		m.refuse(d, "an admission table declared by %s", who(inst.owner))
	}
	m.keyedByVID(d, t)
	if t.entries != nil {
		m.refuse(t.entries, "an admission table with entries of the program's own")
	}
	own := m.b.And(r.hit, m.b.Eq(keys[0], m.packetField(vidOffset, 12)))
	s.vals[ghostAdmitted] = m.b.Or(s.vals[ghostAdmitted], own)
}

// plainBits reports whether t is bit<n>, or bit<> if n is 0: a new type may be another one to the control plane.
func plainBits(t types.Type, n int) bool {
	b, ok := t.(*types.Bit)
	return ok && !b.Signed && (n == 0 || b.Width == n)
}
