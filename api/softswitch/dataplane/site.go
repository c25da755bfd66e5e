package dataplane

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"strconv"

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

func (s *site) apply(f *frame) flow {
	if s.keys != nil {
		if r := s.keys(f); r != next { // the key applies another table
			return r
		}
	}
	e, do := s.lookup(f)
	if do.Action < 0 {
		return next
	}
	return s.run(f, e, do)
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

// run runs the action of an entry.
func (s *site) run(f *frame, e *Entry, do *Do) flow {
	a := &s.bodies[do.Action]
	copy(f.w[a.slot:], do.Args)
	if a.body == nil {
		return next
	}
	f.entry = e
	return a.body(f)
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
		if s.selector != nil {
			s.selector(f)
		}
		m = do.Group.pick(s.choice(f, do.Group))
	}
	if m == nil {
		return nothing
	}
	return m.do.Load()
}

// choice is the hash that a selector picks with.
func (s *site) choice(f *frame, g *Group) uint64 {
	if f.trace != nil && f.trace.oracle.Select != nil {
		if i, ok := f.trace.oracle.Select(s.table.Name, g.ID, len(g.state.Load().choice)); ok && i >= 0 {
			return uint64(i)
		}
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
	var selected []func(*frame, int) int
	i := 0
	for _, k := range tableKeys(d) {
		if k.MatchKind.Name == "selector" {
			c.appendData(&selected, k.Expr)
			continue
		}
		key := s.table.Keys[i]
		i++
		keys = append(keys, c.store(place{slot: s.slot + key.off, typ: c.finalType(k.Expr)}, k.Expr))
	}
	s.keys = sequence(keys...)
	if len(selected) > 0 {
		s.selector = joinData(selected)
	}
	saved := c.site
	c.site = s
	defer func() { c.site = saved }()
	target := c.meterTarget(s.table, d)
	for i, ref := range actionRefs(d) {
		a := c.siteAction(ref, s.table.actions[i])
		if target != nil && !s.reads {
			a.body = sequence(func(f *frame) flow {
				if f.hit {
					return target(f)
				}
				return next
			}, a.body)
		}
		s.reads = false
		s.bodies = append(s.bodies, a)
	}
	if c.tracing {
		s.pos = call.Pos().String()
		return s.applyTraced
	}
	return s.apply
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

func tableKeys(d *syntax.TableDecl) []*syntax.TableKey {
	for _, p := range d.Properties {
		if k, ok := p.(*syntax.KeyProperty); ok {
			return k.Keys
		}
	}
	return nil
}

func actionRefs(d *syntax.TableDecl) []*syntax.ActionRef {
	for _, p := range d.Properties {
		if a, ok := p.(*syntax.ActionsProperty); ok {
			return a.Actions
		}
	}
	return nil
}

// refObject is the action that an entry of an actions list, a default_action or a table entry names.
func (c *compiler) refObject(e syntax.Expr) (*types.Object, []*syntax.Arg) {
	switch x := e.(type) {
	case *syntax.Name:
		return c.use(x.Ident), nil
	case *syntax.Call:
		if n, ok := x.Fun.(*syntax.Name); ok {
			return c.use(n.Ident), x.Args
		}
	}
	unsupported(e, "this as an action")
	return nil, nil
}

// defaultSize is the number of entries of a table that does not say, as P4Info has it.
const defaultSize = 1024

// table makes, once, the table that o declares in the control that is being expanded.
func (c *compiler) table(at syntax.Node, o *types.Object) *Table {
	d, ok := o.Decl.(*syntax.TableDecl)
	if !ok {
		unsupported(at, "applying %s", o.Name)
	}
	id := c.env.id + "/" + d.Name.Name
	if x, ok := c.bound[id]; ok {
		return x.(*Table)
	}
	t := &Table{
		Name: controlPlaneName(d.Annots(), d.Name.Name, c.env.path), Size: defaultSize, entries: map[string]*Entry{},
		otherwise: &Entry{}, clock: c.clock(),
	}
	c.claim(d, t, t.Name, id)
	c.bound[id] = t
	c.pipe.tables = append(c.pipe.tables, t)
	var entries *syntax.EntriesProperty
	var otherwise *syntax.ExprProperty
	for _, p := range d.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			for _, k := range p.Keys {
				c.tableKey(t, k)
			}
		case *syntax.ActionsProperty:
			for _, ref := range p.Actions {
				c.tableAction(t, ref)
			}
		case *syntax.EntriesProperty:
			entries = p
		case *syntax.ExprProperty:
			if p.Name.Name == "default_action" {
				otherwise = p
				continue
			}
			c.tableProperty(t, p)
		}
	}
	for _, a := range t.actions {
		t.Actions = append(t.Actions, *a)
	}
	if t.profile != nil {
		c.joinProfile(d, t)
	}
	if entries != nil && entries.Const && len(entries.Entries) > 0 && entries.Entries[0].Priority == nil {
		t.least = false // the first of these wins, and has the highest
	}
	t.index = t.newIndex()
	c.defaultAction(t, otherwise)
	if entries != nil {
		c.initialEntries(d, t, entries)
	}
	return t
}

func (c *compiler) tableKey(t *Table, k *syntax.TableKey) {
	kind, ok := matchKinds[k.MatchKind.Name]
	if k.MatchKind.Name == "selector" {
		return // hashed, if an action_selector implements the table, and never matched
	}
	if !ok {
		unsupported(k.MatchKind, "match kind %s", k.MatchKind.Name)
	}
	w, signed, ok := widthOf(c.finalType(k.Expr))
	if !ok || w == 0 {
		unsupported(k, "a key of type %s", c.finalType(k.Expr))
	}
	if signed && kind == Range {
		unsupported(k, "a range of signed numbers")
	}
	key := Key{Name: keyName(k), Kind: kind, Width: w, off: t.words, words: bitWords(w)}
	t.Keys = append(t.Keys, key)
	t.words += key.words
	t.Priority = t.Priority || kind == Ternary || kind == Range || kind == Optional
}

func keyName(k *syntax.TableKey) string {
	for _, a := range k.Annotations {
		if s, ok := annotationString(a); ok && a.Name == "name" {
			return s
		}
	}
	return syntax.PrintNode(k.Expr)
}

func (c *compiler) tableAction(t *Table, ref *syntax.ActionRef) {
	o, _ := c.refObject(ref.Call)
	d, ok := o.Decl.(*syntax.ActionDecl)
	if !ok {
		unsupported(ref, "%s as an action", o.Name)
	}
	path := c.env.path
	if o.Parent == nil {
		path = ""
	}
	a := &Action{Name: controlPlaneName(d.Annots(), d.Name.Name, path), obj: o}
	for _, an := range ref.Annotations {
		a.TableOnly = a.TableOnly || an.Name == "tableonly"
		a.DefaultOnly = a.DefaultOnly || an.Name == "defaultonly"
	}
	for _, p := range d.Params {
		if p.Dir != syntax.NoDir {
			continue
		}
		pt := c.objectType(c.def(p.Name))
		w, _, ok := widthOf(pt)
		if !ok {
			unsupported(p, "an action parameter of type %s", pt)
		}
		n := bitWords(w)
		a.Params = append(a.Params, Param{Name: p.Name.Name, Width: w, off: a.words, words: n})
		a.words += n
	}
	t.actions = append(t.actions, a)
}

func (c *compiler) tableProperty(t *Table, p *syntax.ExprProperty) {
	switch p.Name.Name {
	case "size":
		n, ok := c.constInt(p.Value)
		if !ok || n < 0 || n > maxCells {
			invalid(p, "the size of a table must be a constant between 0 and %d", maxCells)
		}
		t.Size = int(n)
	case "counters":
		x, ok := c.resource(p).(*DirectCounter)
		if !ok {
			unsupported(p, "counters that are no direct_counter")
		}
		if x.table != nil && x.table != t {
			invalid(p, "direct counter %s belongs to table %s already", x.Name, x.table.Name)
		}
		x.table, t.counter = t, x
	case "meters":
		x, ok := c.resource(p).(*DirectMeter)
		if !ok {
			unsupported(p, "meters that are no direct_meter")
		}
		if x.table != nil && x.table != t {
			invalid(p, "direct meter %s belongs to table %s already", x.Name, x.table.Name)
		}
		x.table, t.meter, t.extras = t, x, true
	case "implementation":
		x, ok := c.resource(p).(*Profile)
		if !ok {
			unsupported(p, "an implementation that is no action_profile or action_selector")
		}
		t.profile = x
	case "largest_priority_wins":
		n, ok := c.number(p.Value)
		if !ok {
			invalid(p, "largest_priority_wins must be constant")
		}
		t.least = n.Sign() == 0
	case "priority_delta":
	case "support_timeout", "idle_timeout":
		n, ok := c.number(p.Value)
		if !ok {
			unsupported(p, "a %s that is not constant", p.Name.Name)
		}
		t.timed = n.Sign() != 0
		t.extras = t.extras || t.timed
	default:
		unsupported(p, "table property %s", p.Name.Name)
	}
}

// do is the call of an action with constant arguments.
func (c *compiler) do(t *Table, e syntax.Expr) *Do {
	o, args := c.refObject(e)
	i := t.actionIndex(o)
	if i < 0 {
		invalid(e, "%s is no action of table %s", o.Name, t.Name)
	}
	a := t.actions[i]
	do := &Do{Action: i, Args: make([]uint64, a.words)}
	// A default action repeats the directed arguments of the actions list; only the others are the entry's.
	if skip := len(args) - len(a.Params); skip > 0 {
		args = args[skip:]
	}
	if len(args) != len(a.Params) {
		invalid(e, "%d arguments for the %d parameters of %s", len(args), len(a.Params), a.Name)
	}
	for j, p := range a.Params {
		if args[j].Name != nil {
			if k := slices.IndexFunc(a.Params, func(q Param) bool { return q.Name == args[j].Name.Name }); k >= 0 {
				p = a.Params[k]
			}
		}
		n, ok := c.number(args[j].Value)
		if !ok {
			invalid(args[j], "the argument is not a constant")
		}
		copy(do.Args[p.off:p.off+p.words], bigWords(n, p.words))
	}
	return do
}

func (c *compiler) defaultAction(t *Table, p *syntax.ExprProperty) {
	t.original = &Do{Action: -1}
	if p != nil {
		t.original = c.do(t, p.Value)
		t.ConstDo = p.Const
	} else if i := slices.IndexFunc(t.actions, func(a *Action) bool { return a.Name == "NoAction" }); i >= 0 {
		t.original = &Do{Action: i}
	}
	t.otherwise.do.Store(t.original)
}

func (c *compiler) initialEntries(d *syntax.TableDecl, t *Table, p *syntax.EntriesProperty) {
	t.IsConst = p.Const
	priorities := types.EntryPriorities(c.info, d)
	if ranked := annotatedPriorities(p); ranked != nil {
		priorities = ranked
	}
	for i, te := range p.Entries {
		e := NewEntry(c.entryMatches(t, te), 0, c.do(t, te.Action))
		e.Const = p.Const || te.Const
		if t.Priority {
			n := priorities[i]
			if !n.IsInt64() || n.Int64() < 1 || n.Int64() > math.MaxInt32 {
				unsupported(te, "priority %v: those from 1 to %d are", n, math.MaxInt32)
			}
			e.Priority = int32(n.Int64())
		} else if te.Priority != nil {
			unsupported(te, "a priority in a table whose keys leave no choice")
		}
		if _, err := t.Find(e.Match, e.Priority); err == nil {
			invalid(te, "the entry is there twice")
		}
		if err := t.Insert(e); err != nil {
			invalid(te, "%v", err)
		}
	}
	t.Size = max(t.Size, len(p.Entries))
}

// annotatedPriorities are those of entries some of which have p4c's @priority(n), of which the least wins; the others have their
// place in the list, from 1. They are nil if there is no such annotation.
func annotatedPriorities(p *syntax.EntriesProperty) []*big.Int {
	ranks, found := make([]uint64, len(p.Entries)), false
	for i, te := range p.Entries {
		ranks[i] = uint64(i) + 1
		for _, a := range te.Annotations {
			if a.Name != "priority" || len(a.Body) != 1 {
				continue
			}
			n, err := strconv.ParseUint(a.Body[0].Text, 0, 31)
			if err != nil {
				invalid(a, "@priority takes a number")
			}
			ranks[i], found = n, true
		}
	}
	if !found {
		return nil
	}
	place := make([]int, len(ranks))
	for i := range place {
		place[i] = i
	}
	slices.SortStableFunc(place, func(a, b int) int { return cmp.Compare(ranks[a], ranks[b]) })
	out := make([]*big.Int, len(ranks))
	for i, at := range place {
		out[at] = big.NewInt(int64(len(place) - i))
	}
	return out
}

func (c *compiler) entryMatches(t *Table, te *syntax.TableEntry) []Match {
	elems := []syntax.Expr{te.Keyset}
	if l, ok := te.Keyset.(*syntax.ListExpr); ok && l.Paren {
		elems = l.Elems
	} else if ok && len(l.Elems) == 1 && len(t.Keys) == 1 {
		elems = l.Elems
	} else if p, ok := te.Keyset.(*syntax.Paren); ok && len(t.Keys) == 1 {
		elems = []syntax.Expr{p.X}
	}
	if len(elems) != len(t.Keys) {
		invalid(te, "%d values for the %d keys of table %s", len(elems), len(t.Keys), t.Name)
	}
	ms := make([]Match, len(elems))
	for i, e := range elems {
		ms[i] = c.entryMatch(t.Keys[i], e)
	}
	return ms
}

func (c *compiler) entryMatch(k Key, e syntax.Expr) Match {
	set := c.keyset(e, k.Width)
	switch {
	case set.any && k.Kind != Exact:
		return Match{Any: true}
	case set.kind == keyValue && (k.Kind == Exact || k.Kind == Optional):
		return Match{Value: set.a}
	case set.kind == keyValue && k.Kind == LPM:
		return Match{Value: set.a, Len: k.Width}
	case set.kind == keyValue && k.Kind == Ternary:
		m := make([]uint64, k.words)
		fillMask(m, k.Width, k.Width)
		return Match{Value: set.a, Mask: m}
	case set.kind == keyValue && k.Kind == Range:
		return Match{Value: set.a, Mask: set.a}
	case set.kind == keyMask && k.Kind == Ternary:
		return Match{Value: set.a, Mask: set.b}
	case set.kind == keyRange && k.Kind == Range:
		return Match{Value: set.a, Mask: set.b}
	case set.kind == keyMask && k.Kind == LPM:
		for n := 0; n <= k.Width; n++ {
			m := make([]uint64, k.words)
			fillMask(m, k.Width, n)
			if wideEqual(m, set.b) {
				return Match{Any: n == 0, Value: set.a, Len: n}
			}
		}
		invalid(e, "the mask is not a prefix")
	}
	unsupported(e, "this value for a key of this match kind")
	return Match{}
}
