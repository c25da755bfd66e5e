package types

import "github.com/interlock/interlock/linker/p4/syntax"

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
	errs := c.diags.HasErrors()
	c.within(o, c.place, func() { c.tableProperties(d, acts) })
	if errs == c.diags.HasErrors() {
		c.priorityRange(d)
	}
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
			c.keys(p.Keys)
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
				return
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

// keys checks a table's key. It is computed where the table is applied, and so may do what an apply block may.
func (c *checker) keys(ks []*syntax.TableKey) {
	old := c.place
	c.place = inApply
	for _, k := range ks {
		c.tableKey(k)
	}
	c.place = old
}

// nameable reports whether the control plane can name a key by its expression: a path through fields and elements, a constant, a
// slice or mask of these, or the validity of a header (specification, section "Keys").
func nameable(e syntax.Expr) bool {
	switch x := e.(type) {
	case *syntax.Name, *syntax.IntLit, *syntax.BoolLit, *syntax.StringLit, *syntax.TypeExpr:
		return true
	case *syntax.Paren:
		return nameable(x.X)
	case *syntax.Member:
		return nameable(x.X)
	case *syntax.Index:
		return nameable(x.X) && nameable(x.I)
	case *syntax.Slice:
		return nameable(x.X)
	case *syntax.Binary:
		return x.Op == "&" && nameable(x.X) && nameable(x.Y)
	case *syntax.Call:
		m, ok := x.Fun.(*syntax.Member)
		return ok && m.Sel.Name == "isValid" && nameable(m.X)
	}
	return false
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
	if !isInvalid(t) && !nameable(k.Expr) && !hasAnnotation(k.Annotations, "name") && !hasAnnotation(k.Annotations, "hidden") {
		c.errorf(k.Expr, codeKeyName, "this key needs a @name: the control plane cannot call it by the expression")
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
	names := map[string]bool{} // two actions of one name could not be told apart by the control plane
	for _, r := range p.Actions {
		o := c.actionRef(r.Call, nil, false)
		if o == nil {
			continue
		}
		if names[o.Name] {
			c.errorf(r, codeActionRef, "action %s is listed twice", o.Name)
			continue
		}
		names[o.Name] = true
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
