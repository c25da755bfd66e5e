package types

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// tableActions are the actions that a table lists, with the calls that bind their directed parameters.
type tableActions struct {
	order []*Object
	refs  map[*Object]*syntax.ActionRef
}

func (c *checker) tableDecl(d *syntax.TableDecl) {
	t := &Table{Name: d.Name.Name, Decl: d}
	o := c.newObject(TableObject, d.Name, t, d)
	c.info.Instances[d] = o
	acts := &tableActions{refs: map[*Object]*syntax.ActionRef{}}
	c.tableActions[o] = acts
	c.declare(o)
	c.within(o, c.place, func() { c.tableProperties(d, acts) })
}

func (c *checker) tableProperties(d *syntax.TableDecl, acts *tableActions) {
	seen := map[string]bool{}
	once := func(p syntax.Property, name string) {
		if seen[name] {
			c.errorf(p, codeTable, "property %s is given twice", name)
		}
		seen[name] = true
	}
	// Entries and the default action refer to keys and actions, wherever those stand.
	var keys []*syntax.TableKey
	for _, p := range d.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			once(p, "key")
			keys = p.Keys
			for _, k := range p.Keys {
				c.tableKey(k)
			}
		case *syntax.ActionsProperty:
			once(p, "actions")
			c.actionList(p, acts)
		}
	}
	if !seen["actions"] {
		c.errorf(d.Name, codeTable, "table %s has no actions", d.Name.Name)
	}
	before := map[string]bool{}
	late := func(p syntax.Property, name string, of ...string) {
		for _, o := range of {
			if seen[o] && !before[o] {
				c.errorf(p, codeTable, "%s must stand after %s", name, o)
			}
		}
	}
	for _, p := range d.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			before["key"] = true
		case *syntax.ActionsProperty:
			before["actions"] = true
		case *syntax.EntriesProperty:
			once(p, "entries")
			late(p, "entries", "key", "actions")
			c.tableEntries(p, keys, acts)
		case *syntax.ExprProperty:
			once(p, p.Name.Name)
			if p.Name.Name == "default_action" {
				late(p, "default_action", "actions")
			}
			c.tableProperty(p, acts)
		}
	}
	if !seen["default_action"] {
		c.needNoAction(d)
	}
}

// needNoAction checks that there is the action that a table without a default action runs.
func (c *checker) needNoAction(d *syntax.TableDecl) {
	if os := c.top.names["NoAction"]; len(os) == 1 && os[0].Kind == ActionObject {
		if s, ok := os[0].Type.(*Signature); ok && len(s.Params) == 0 {
			return
		}
	}
	c.errorf(d.Name, codeTable, "table %s has no default action, and there is no NoAction without parameters (core.p4 declares it)", d.Name.Name)
}

func (c *checker) tableKey(k *syntax.TableKey) {
	t := c.expr(k.Expr, nil)
	switch u := underlying(t).(type) {
	case *Bit, *Enum:
	case *Basic:
		if u.Kind != BoolKind && u.Kind != ErrorKind && u.Kind != InvalidKind {
			c.errorf(k.Expr, codeTable, "%v cannot be a table key", t)
		}
	default:
		c.errorf(k.Expr, codeTable, "%v cannot be a table key", t)
	}
	if k.MatchKind == nil {
		c.errorf(k, codeMatchKind, "the key has no match kind")
		return
	}
	o := c.matchKinds[k.MatchKind.Name]
	if o == nil {
		c.errorf(k.MatchKind, codeMatchKind, "%s is not a match kind", k.MatchKind.Name)
		return
	}
	c.info.Uses[k.MatchKind] = o
	switch k.MatchKind.Name {
	case "lpm", "ternary", "range":
		if _, bits := underlying(t).(*Bit); bits || isInvalid(t) || k.MatchKind.Name == "ternary" {
			return
		}
		if e, ok := underlying(t).(*Enum); ok && e.Underlying != nil {
			return
		}
		c.errorf(k.Expr, codeTable, "a key of type %v cannot match by %s", t, k.MatchKind.Name)
	}
}

func (c *checker) actionList(p *syntax.ActionsProperty, acts *tableActions) {
	for _, r := range p.Actions {
		o := c.actionRef(r.Call, nil, false)
		if o == nil {
			continue
		}
		if acts.refs[o] != nil {
			c.errorf(r, codeActionRef, "action %s is listed twice", o.Name)
			continue
		}
		acts.refs[o] = r
		acts.order = append(acts.order, o)
	}
}

// actionRef checks a reference to an action. In an actions list (full is false) it binds the parameters that have a
// direction; in a default action or an entry (full is true) all that have none must be given as constants.
func (c *checker) actionRef(e syntax.Expr, acts *tableActions, full bool) *Object {
	var args []*syntax.Arg
	var name *syntax.Name
	call, _ := e.(*syntax.Call)
	if call != nil {
		name, _ = call.Fun.(*syntax.Name)
		args = call.Args
		if len(call.TypeArgs) > 0 {
			c.errorf(e, codeActionRef, "an action has no type arguments")
		}
	} else {
		name, _ = e.(*syntax.Name)
	}
	if name == nil {
		c.errorf(e, codeActionRef, "an action is wanted here")
		c.looseArgs(args)
		return nil
	}
	o := c.resolve(name.Ident, name.Absolute)
	if o == nil {
		c.looseArgs(args)
		return nil
	}
	sig, ok := o.Type.(*Signature)
	if o.Kind != ActionObject || !ok {
		if !isInvalid(o.Type) || o.Kind != ActionObject {
			c.errorf(name, codeActionRef, "%s is not an action", o.Name)
		}
		c.looseArgs(args)
		return nil
	}
	c.info.Types[name] = sig
	if acts != nil && acts.refs[o] == nil {
		c.errorf(name, codeActionRef, "action %s is not among the table's actions", o.Name)
		c.looseArgs(args)
		return nil
	}
	bound := &Signature{Kind: ActionSig, Name: sig.Name, Result: Void}
	for _, p := range sig.Params {
		if p.Dir != syntax.NoDir || full {
			bound.Params = append(bound.Params, p)
		}
	}
	// An entry or default action may leave out the arguments that the list bound already.
	if full && acts != nil && len(args) < len(bound.Params) {
		if k, ok := acts.refs[o].Call.(*syntax.Call); ok && len(k.Args) > 0 && len(args)+len(k.Args) == len(bound.Params) {
			c.errorf(e, codeActionRef, "repeat the %d arguments that the list of actions binds", len(k.Args))
			c.looseArgs(args)
			return o
		}
	}
	r := &Call{Kind: ActionCall, Callee: o, Method: o.Name}
	if !c.invoke(e, r, bound, nil, args, nil) {
		return o
	}
	byParam := map[string]syntax.Expr{}
	for i, p := range bound.Params {
		byParam[p.Name] = r.Args[i]
		if full && p.Dir == syntax.NoDir && r.Args[i] != nil && !c.compileTime(r.Args[i]) {
			c.errorf(r.Args[i], codeNotConst, "the value of %s must be known at compile time", p.Name)
		}
	}
	r.Sig = sig
	r.Args = make([]syntax.Expr, len(sig.Params))
	for i, p := range sig.Params {
		r.Args[i] = byParam[p.Name]
	}
	if full && acts != nil {
		c.sameBinding(acts.refs[o], r)
	}
	if call != nil {
		c.info.Calls[call] = r
		c.info.Types[call] = Void
	}
	return o
}

// sameBinding checks that directed arguments repeat what the list of actions has.
func (c *checker) sameBinding(ref *syntax.ActionRef, r *Call) {
	listed, ok := ref.Call.(*syntax.Call)
	if !ok {
		return
	}
	first := c.info.Calls[listed]
	if first == nil {
		return
	}
	for i, p := range r.Sig.Params {
		if p.Dir != syntax.NoDir && first.Args[i] != nil && r.Args[i] != nil && !c.sameExpr(first.Args[i], r.Args[i]) {
			c.errorf(r.Args[i], codeActionRef, "%s is bound to something else in the list of actions", p.Name)
		}
	}
}

// sameExpr reports whether two checked expressions are the same text over the same objects.
func (c *checker) sameExpr(a, b syntax.Expr) bool {
	a, b = unparen(a), unparen(b)
	if v, w := c.info.Values[a], c.info.Values[b]; v != nil && w != nil {
		return equalValues(v, w)
	}
	switch a := a.(type) {
	case *syntax.Name:
		b, ok := b.(*syntax.Name)
		return ok && c.info.Uses[a.Ident] == c.info.Uses[b.Ident]
	case *syntax.Member:
		b, ok := b.(*syntax.Member)
		return ok && a.Sel.Name == b.Sel.Name && c.sameExpr(a.X, b.X)
	case *syntax.Index:
		b, ok := b.(*syntax.Index)
		return ok && c.sameExpr(a.X, b.X) && c.sameExpr(a.I, b.I)
	case *syntax.Slice:
		b, ok := b.(*syntax.Slice)
		return ok && c.sameExpr(a.X, b.X) && c.sameExpr(a.Hi, b.Hi) && c.sameExpr(a.Lo, b.Lo)
	case *syntax.PlusSlice:
		b, ok := b.(*syntax.PlusSlice)
		return ok && c.sameExpr(a.X, b.X) && c.sameExpr(a.Lo, b.Lo) && c.sameExpr(a.Width, b.Width)
	case *syntax.Unary:
		b, ok := b.(*syntax.Unary)
		return ok && a.Op == b.Op && c.sameExpr(a.X, b.X)
	case *syntax.Binary:
		b, ok := b.(*syntax.Binary)
		return ok && a.Op == b.Op && c.sameExpr(a.X, b.X) && c.sameExpr(a.Y, b.Y)
	}
	return false
}

func (c *checker) tableEntries(p *syntax.EntriesProperty, keys []*syntax.TableKey, acts *tableActions) {
	elems := make([]Type, len(keys))
	for i, k := range keys {
		elems[i] = c.info.Types[k.Expr]
	}
	if len(keys) == 0 {
		c.errorf(p, codeTable, "a table without keys has no entries")
	}
	ranked := false
	for _, k := range keys {
		switch {
		case k.MatchKind == nil:
		case k.MatchKind.Name == "ternary", k.MatchKind.Name == "range", k.MatchKind.Name == "optional":
			ranked = true
		}
	}
	seen := map[string]bool{}
	for i, e := range p.Entries {
		if e.Priority != nil && !ranked {
			c.errorf(e.Priority, codeTable, "entries of this table have no priority: no key is matched by ternary, range or optional")
		}
		if i > 0 && e.Priority != nil && p.Entries[0].Priority == nil {
			c.errorf(e.Priority, codeTable, "either the first entry has a priority or none has")
		}
		if e.Priority != nil {
			t := c.expr(e.Priority, nil)
			if _, ok := c.info.Values[e.Priority].(IntValue); !ok && !isInvalid(t) {
				c.errorf(e.Priority, codeNotConst, "a priority must be a constant integer")
			}
		}
		if len(keys) > 0 {
			c.keysetTuple(e.Keyset, elems)
			c.entryKeys(e.Keyset, keys)
			if key, ok := c.exactKey(e.Keyset); ok && !ranked {
				if seen[key] {
					c.errorf(e.Keyset, codeTable, "there is an entry with this key already")
				}
				seen[key] = true
			}
		}
		if o := c.actionRef(e.Action, acts, true); o != nil && acts.refs[o] != nil && hasAnnotation(acts.refs[o].Annotations, "defaultonly") {
			c.errorf(e.Action, codeActionRef, "action %s is @defaultonly", o.Name)
		}
	}
}

// exactKey is a text that two keysets without wild cards share exactly if they are equal.
func (c *checker) exactKey(k syntax.Expr) (string, bool) {
	if p, ok := k.(*syntax.Paren); ok {
		return c.exactKey(p.X)
	}
	if b, ok := k.(*syntax.Binary); ok && b.Op == "&&&" {
		x, ok1 := c.exactKey(b.X)
		y, ok2 := c.exactKey(b.Y)
		return x + "/" + y, ok1 && ok2
	}
	if l, ok := k.(*syntax.ListExpr); ok {
		all := ""
		for _, e := range l.Elems {
			s, ok := c.exactKey(e)
			if !ok {
				return "", false
			}
			all += s + ","
		}
		return all, true
	}
	v := c.info.Values[k]
	if v == nil {
		return "", false
	}
	return valueKey(v), true
}

// entryKeys checks each element of an entry's keyset against its match kind.
func (c *checker) entryKeys(k syntax.Expr, keys []*syntax.TableKey) {
	switch x := k.(type) {
	case *syntax.Paren:
		c.entryKeys(x.X, keys)
	case *syntax.ListExpr:
		if len(x.Elems) == len(keys) {
			for i, e := range x.Elems {
				c.entryKey(e, keys[i])
			}
		}
	case *syntax.DefaultExpr, *syntax.DontCare:
		for _, key := range keys {
			c.entryKey(k, key)
		}
	default:
		if len(keys) == 1 {
			c.entryKey(k, keys[0])
		}
	}
}

func (c *checker) entryKey(e syntax.Expr, key *syntax.TableKey) {
	if key.MatchKind == nil {
		return
	}
	kind := key.MatchKind.Name
	switch x := unparen(e).(type) {
	case *syntax.DefaultExpr, *syntax.DontCare:
		if kind == "exact" {
			c.errorf(e, codeKeyset, "an exact key needs a value")
		}
		return
	case *syntax.Binary:
		switch x.Op {
		case "..":
			if kind != "range" {
				c.errorf(e, codeKeyset, "a range cannot stand for a key matched by %s", kind)
			}
			c.constOperands(x)
			return
		case "&&&":
			if kind != "ternary" && kind != "lpm" {
				c.errorf(e, codeKeyset, "a mask cannot stand for a key matched by %s", kind)
			}
			c.constOperands(x)
			if kind == "lpm" {
				if m, ok := c.info.Values[x.Y].(IntValue); ok && !isPrefix(m.Int, c.info.Types[x.Y]) {
					c.errorf(x.Y, codeKeyset, "the mask of a key matched by lpm must be a prefix")
				}
			}
			return
		}
	}
	if kind == "selector" {
		c.unsupported(e, "a const entry over a selector key")
		return
	}
	if !isInvalid(c.info.Types[e]) && !c.compileTime(e) {
		c.errorf(e, codeNotConst, "the key of an entry must be known at compile time")
	}
}

func (c *checker) constOperands(b *syntax.Binary) {
	for _, e := range []syntax.Expr{b.X, b.Y} {
		if !isInvalid(c.info.Types[e]) && !c.compileTime(e) {
			c.errorf(e, codeNotConst, "the key of an entry must be known at compile time")
		}
	}
}

// isPrefix reports whether m is ones followed by zeros.
func isPrefix(m *big.Int, t Type) bool {
	b, ok := underlying(t).(*Bit)
	if !ok {
		return true
	}
	seenZero := false
	for i := b.Width - 1; i >= 0; i-- {
		if m.Bit(i) == 0 {
			seenZero = true
		} else if seenZero {
			return false
		}
	}
	return true
}

// tableProperty checks a property other than key, actions and entries. Unknown ones are refused: a property that one does
// not know may mean anything.
func (c *checker) tableProperty(p *syntax.ExprProperty, acts *tableActions) {
	extern := func(names ...string) {
		t := c.expr(p.Value, nil)
		if isInvalid(t) {
			return
		}
		if x, ok := t.(*Extern); ok {
			for _, n := range names {
				if x.Name == n {
					return
				}
			}
		}
		c.errorf(p.Value, codeTable, "%s cannot be %v", p.Name.Name, t)
	}
	switch p.Name.Name {
	case "default_action":
		if o := c.actionRef(p.Value, acts, true); o != nil && acts.refs[o] != nil && hasAnnotation(acts.refs[o].Annotations, "tableonly") {
			c.errorf(p.Value, codeActionRef, "action %s is @tableonly", o.Name)
		}
	case "size":
		c.size(p.Value, 1<<31-1, "size of a table")
	case "implementation":
		extern("action_profile", "action_selector")
	case "counters":
		extern("direct_counter")
	case "meters":
		extern("direct_meter")
	case "support_timeout", "largest_priority_wins":
		t := c.expr(p.Value, Bool)
		c.convert(p.Value, Bool)
		if _, ok := c.info.Values[p.Value].(BoolValue); !ok && !isInvalid(t) {
			c.errorf(p.Value, codeNotConst, "%s must be a constant", p.Name.Name)
		}
	case "priority_delta":
		c.size(p.Value, 1<<31-1, "priority_delta")
	default:
		c.expr(p.Value, nil)
		c.errorf(p.Name, codeUnsupported, "table property %s: not supported yet", p.Name.Name)
	}
}
