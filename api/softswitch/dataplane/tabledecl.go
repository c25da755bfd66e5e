package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

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
