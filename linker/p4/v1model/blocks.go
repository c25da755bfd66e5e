package v1model

import (
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// statements checks the blocks in which only some statements may stand.
func (c *checker) statements() {
	c.checksums(verifyBlock, "verify_checksum", "verify_checksum_with_payload")
	c.checksums(computeBlock, "update_checksum", "update_checksum_with_payload")
	d, ok := c.info.MainArgs[deparserBlock].Decl.(*syntax.ControlDecl)
	if !ok || d.Apply == nil {
		return
	}
	each(d.Apply, func(s syntax.Stmt) {
		if k, ok := s.(*syntax.CallStmt); ok {
			if r := c.info.Calls[k.Call]; r != nil && r.Kind == types.MethodCall && r.Method == "emit" {
				return
			}
		}
		c.errorf(s, codeDeparser, "only calls of emit may stand in a deparser")
	})
}

// checksums checks the control that verifies or computes checksums.
func (c *checker) checksums(arg int, allowed ...string) {
	d, ok := c.info.MainArgs[arg].Decl.(*syntax.ControlDecl)
	if !ok || d.Apply == nil {
		return
	}
	each(d.Apply, func(s syntax.Stmt) {
		switch s := s.(type) {
		case *syntax.ReturnStmt:
			return
		case *syntax.CallStmt:
			if r := c.info.Calls[s.Call]; r != nil && r.Kind == types.ExternFnCall {
				for _, name := range allowed {
					if r.Method == name {
						return
					}
				}
			}
		}
		c.errorf(s, codeChecksum, "only calls of %s and %s may stand here", allowed[0], allowed[1])
	})
}

// each visits the statements of nested blocks.
func each(b *syntax.Block, f func(syntax.Stmt)) {
	for _, s := range b.Stmts {
		switch s := s.(type) {
		case *syntax.Block:
			each(s, f)
		case *syntax.EmptyStmt:
		default:
			f(s)
		}
	}
}

// division checks that no target has to divide: what is not known at compile time can only be shifted or masked.
func (c *checker) division(at syntax.Node, op syntax.Op, x, y syntax.Expr) {
	if op != "/" && op != "%" {
		return
	}
	v, ok := c.info.Values[y].(types.IntValue)
	power := ok && v.Int.Sign() > 0 && v.Int.TrailingZeroBits()+1 == uint(v.Int.BitLen())
	_, sized := c.info.Types[x].(*types.Bit)
	if !sized || power || c.info.Values[x] != nil && ok {
		return // of ints without a width, the checker knows that they are constants
	}
	c.errorf(at, codeDivision, "v1model divides only by powers of two")
}
