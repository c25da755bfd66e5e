package v1model

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// table checks what v1model's tables cannot match, and remembers which direct meter belongs to which table.
func (c *checker) table(t *syntax.TableDecl) {
	var actions []*syntax.ActionRef
	var keys []*syntax.TableKey
	inputs := ""
	for _, p := range t.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			keys = p.Keys
			lpm := 0
			for _, k := range p.Keys {
				switch {
				case k.MatchKind == nil:
				case k.MatchKind.Name == "lpm":
					if lpm++; lpm == 2 {
						c.errorf(k.MatchKind, codeLPM, "a table has at most one key matched by lpm")
					}
				case k.MatchKind.Name == "selector":
					inputs += syntax.PrintNode(k.Expr) + ";"
				}
			}
		case *syntax.ActionsProperty:
			actions = p.Actions
		}
	}
	for _, p := range t.Properties {
		p, ok := p.(*syntax.ExprProperty)
		if !ok {
			continue
		}
		n, ok := p.Value.(*syntax.Name)
		if !ok || c.info.Uses[n.Ident] == nil {
			continue
		}
		o := c.info.Uses[n.Ident]
		switch p.Name.Name {
		case "meters":
			m := c.meter(o)
			m.tables = append(m.tables, p)
			m.actions = append(m.actions, actions...)
		case "implementation":
			c.selector(o, t, p, inputs)
		}
	}
	for _, p := range t.Properties {
		if p, ok := p.(*syntax.EntriesProperty); ok {
			for _, e := range p.Entries {
				c.entry(e, keys)
			}
		}
	}
}

// entry checks that an entry leaves keys of a selector open: they are hashed, and never matched.
func (c *checker) entry(e *syntax.TableEntry, keys []*syntax.TableKey) {
	values := []syntax.Expr{e.Keyset}
	if l, ok := syntax.Unparen(e.Keyset).(*syntax.ListExpr); ok {
		values = l.Elems
	}
	if len(values) != len(keys) {
		return // _ or default for all keys together
	}
	for i, k := range keys {
		if k.MatchKind == nil || k.MatchKind.Name != "selector" {
			continue
		}
		switch syntax.Unparen(values[i]).(type) {
		case *syntax.DefaultExpr, *syntax.DontCare:
		default:
			c.errorf(values[i], codeEntry, "a selector key is hashed, not matched: an entry has _ there")
		}
	}
}

// selectorUse is what a table feeds an action selector with.
type selectorUse struct {
	table  *syntax.TableDecl
	inputs string
}

// selector checks that the tables that share an action selector feed it the same fields in the same order: it hashes only once.
func (c *checker) selector(o *types.Object, t *syntax.TableDecl, p *syntax.ExprProperty, inputs string) {
	if x, ok := o.Type.(*types.Extern); !ok || x.Name != "action_selector" {
		return
	}
	first, ok := c.selectors[o]
	if !ok {
		c.selectors[o] = selectorUse{t, inputs}
	} else if first.inputs != inputs {
		c.errorf(p, codeSelector, "%s selects by other keys in table %s", o.Name, first.table.Name.Name)
	}
}

// actionData checks the parameters that the control plane gives.
func (c *checker) actionData(a *syntax.ActionDecl) {
	for _, p := range a.Params {
		if p.Dir == syntax.NoDir && !scalar(c.info.TypeNodes[p.Type]) {
			c.errorf(p, codeActionData, "the control plane cannot give a value of type %v: action data is bit, int, bool, or a type or enum made of these", c.info.TypeNodes[p.Type])
		}
	}
}

// scalar reports whether values of type t have a fixed number of bits and no parts.
func scalar(t types.Type) bool {
	switch t := t.(type) {
	case *types.Bit:
		return true
	case *types.Basic:
		return t.Kind == types.BoolKind || t.Kind == types.ErrorKind || t.Kind == types.InvalidKind
	case *types.NewType:
		return scalar(t.Under)
	case *types.Enum:
		return true
	}
	return false
}
