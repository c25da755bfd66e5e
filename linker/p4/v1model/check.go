package v1model

import (
	"fmt"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// Is reports whether the program's main is a V1Switch.
func Is(info *types.Info) bool {
	if info == nil || info.Main == nil || len(info.MainArgs) != 6 {
		return false
	}
	p, ok := info.Main.Type.(*types.Package)
	return ok && p.Name == "V1Switch"
}

// Check reports what breaks the rules of v1model in a program that passed types.Check. It reports nothing about programs for other
// architectures.
func Check(info *types.Info) syntax.Diagnostics {
	if !Is(info) {
		return nil
	}
	c := &checker{info: info, meters: map[*types.Object]*meterUse{}, selectors: map[*types.Object]selectorUse{}}
	c.headers()
	c.statements()
	c.places()
	syntax.Walk(info.Program, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.TableDecl:
			c.table(n)
		case *syntax.ActionDecl:
			c.actionData(n)
		case *syntax.InstanceDecl:
			c.instance(n)
		case *syntax.Call:
			c.call(n)
		case *syntax.Binary:
			c.division(n, n.Op, n.X, n.Y)
		case *syntax.AssignStmt:
			if n.Op != "=" {
				c.division(n, n.Op[:len(n.Op)-1], n.LHS, n.RHS)
			}
		}
		return true
	})
	c.directMeters()
	c.diags.Sort()
	return c.diags
}

type checker struct {
	info   *types.Info
	diags  syntax.Diagnostics
	meters map[*types.Object]*meterUse
	// selectors has the inputs of each action selector, and who gives them first.
	selectors map[*types.Object]selectorUse
	order     []*types.Object // of meters, as they are declared
}

func (c *checker) errorf(at syntax.Node, code, format string, args ...any) {
	c.diags = append(c.diags, syntax.Diagnostic{
		Pos: at.Pos(), Code: code, Severity: syntax.Error, Msg: fmt.Sprintf(format, args...),
	})
}
