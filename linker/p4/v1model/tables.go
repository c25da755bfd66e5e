package v1model

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// table checks what v1model's tables cannot match, and remembers which direct meter belongs to which table.
func (c *checker) table(t *syntax.TableDecl) {
	var actions []*syntax.ActionRef
	for _, p := range t.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			lpm := 0
			for _, k := range p.Keys {
				if k.MatchKind != nil && k.MatchKind.Name == "lpm" {
					if lpm++; lpm == 2 {
						c.errorf(k.MatchKind, codeLPM, "a table has at most one key matched by lpm")
					}
				}
			}
		case *syntax.ActionsProperty:
			actions = p.Actions
		}
	}
	for _, p := range t.Properties {
		p, ok := p.(*syntax.ExprProperty)
		if !ok || p.Name.Name != "meters" {
			continue
		}
		if n, ok := p.Value.(*syntax.Name); ok {
			if o := c.info.Uses[n.Ident]; o != nil {
				m := c.meter(o)
				m.tables = append(m.tables, p)
				m.actions = append(m.actions, actions...)
			}
		}
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
