package dataplane

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// times finds out which of the standard metadata's times the program can see. It names them, or does something with the whole
// struct other than handing it on to what is expanded in place, where it would be named again.
func (c *compiler) times() (t timed) {
	if c.tracing {
		return timed{true, true}
	}
	handed := map[syntax.Expr]bool{}
	syntax.Walk(c.info.Program, func(n syntax.Node) bool {
		switch x := n.(type) {
		case *syntax.Member:
			if !c.isStandard(x.X) {
				return true
			}
			handed[x.X] = true
			switch x.Sel.Name {
			case "ingress_global_timestamp":
				t.ingress = true
			case "egress_global_timestamp", "enq_timestamp", "deq_timedelta":
				t.egress = true
			}
		case *syntax.Call:
			r := c.info.Calls[x]
			if r == nil {
				return true
			}
			switch r.Kind {
			case types.FunctionCall, types.ActionCall, types.ControlApply, types.ParserApply, types.DirectApply:
			default:
				if r.Callee == nil || r.Callee.Name != "mark_to_drop" {
					return true
				}
			}
			for _, a := range x.Args {
				handed[a.Value] = true
			}
		case *syntax.ActionRef:
			if call, ok := x.Call.(*syntax.Call); ok {
				for _, a := range call.Args {
					handed[a.Value] = true
				}
			}
		}
		if e, ok := n.(syntax.Expr); ok && !handed[e] && c.isStandard(e) {
			t = timed{true, true}
		}
		return true
	})
	return t
}

// isStandard tells whether e is the standard metadata as a whole, or may be, in the body of what is generic.
func (c *compiler) isStandard(e syntax.Expr) bool {
	if _, isType := e.(*syntax.TypeExpr); isType {
		return false
	}
	if _, open := c.info.Types[e].(*types.TypeParam); open {
		return true
	}
	s, ok := c.info.Types[e].(*types.Struct)
	return ok && s.Decl != nil && s.Decl == c.smType.Decl
}
