package v1model

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// The blocks of a V1Switch, as arguments of main.
const (
	parserBlock = iota
	verifyBlock
	ingressBlock
	egressBlock
	computeBlock
	deparserBlock
)

var blockNames = [...]string{
	parserBlock: "the parser", verifyBlock: "the control that verifies checksums", ingressBlock: "ingress", egressBlock: "egress",
	computeBlock: "the control that computes checksums", deparserBlock: "the deparser",
}

// onlyIn says in which block a function of v1model may be called, for those that may not be called everywhere.
func onlyIn(name string, args []syntax.Expr, info *types.Info) (int, bool) {
	switch name {
	case "verify_checksum", "verify_checksum_with_payload":
		return verifyBlock, true
	case "update_checksum", "update_checksum_with_payload":
		return computeBlock, true
	case "digest", "resubmit", "resubmit_preserving_field_list":
		return ingressBlock, true
	case "recirculate", "recirculate_preserving_field_list":
		return egressBlock, true
	case "clone", "clone3", "clone_preserving_field_list":
		if k, ok := info.Values[args[0]].(types.EnumValue); ok {
			if k.Member == "I2E" {
				return ingressBlock, true
			}
			return egressBlock, true
		}
	}
	return 0, false
}

// places checks where functions are called that belong to one block. What no block reaches is not looked at.
func (c *checker) places() {
	told := map[*syntax.Call]bool{}
	for block, arg := range c.info.MainArgs {
		switch block {
		case verifyBlock, computeBlock, deparserBlock:
			continue // statements says what may stand there
		}
		if arg.Decl == nil {
			continue
		}
		reach := reach{info: c.info, seen: map[syntax.Node]bool{}}
		reach.from(arg.Decl)
		for _, k := range reach.calls {
			r := c.info.Calls[k]
			if !standard(r.Callee.Decl) || told[k] {
				continue
			}
			if want, ok := onlyIn(r.Method, r.Args, c.info); ok && want != block {
				told[k] = true
				c.errorf(k, codePlace, "%s may only be called in %s, not in %s", callText(r, c.info), blockNames[want], blockNames[block])
			}
		}
	}
}

// callText is how a call is spoken of: of a clone, the kind matters.
func callText(r *types.Call, info *types.Info) string {
	if len(r.Args) > 0 {
		if k, ok := info.Values[r.Args[0]].(types.EnumValue); ok && (k.Member == "I2E" || k.Member == "E2E") {
			return r.Method + "(" + k.Member + ")"
		}
	}
	return r.Method
}

// reach finds the calls of extern functions that a block can come to.
type reach struct {
	info  *types.Info
	seen  map[syntax.Node]bool
	calls []*syntax.Call
}

// from follows a declaration: of parsers and controls what runs, of others everything.
func (r *reach) from(d syntax.Node) {
	if d == nil || r.seen[d] {
		return
	}
	r.seen[d] = true
	switch d := d.(type) {
	case *syntax.ControlDecl:
		for _, l := range d.Locals {
			if v, ok := l.(*syntax.VarDecl); ok {
				r.walk(v)
			}
		}
		if d.Apply != nil {
			r.walk(d.Apply)
		}
	case *syntax.ParserDecl, *syntax.TableDecl, *syntax.ActionDecl, *syntax.FunctionDecl:
		r.walk(d)
	case *syntax.InstanceDecl:
		if o := r.info.Instances[d]; o != nil {
			if a, ok := o.Type.(*types.Applicable); ok {
				r.from(a.Decl)
			}
		}
	}
}

func (r *reach) walk(n syntax.Node) {
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Call:
			if k := r.info.Calls[n]; k != nil && k.Kind == types.ExternFnCall && k.Callee != nil {
				r.calls = append(r.calls, n)
			}
		case *syntax.Ident:
			if o := r.info.Uses[n]; o != nil {
				switch o.Kind {
				case types.TableObject, types.ActionObject, types.FunctionObject, types.InstanceObject, types.ControlObject, types.ParserObject:
					r.from(o.Decl)
				}
			}
		}
		return true
	})
}
