package types

import "github.com/interlock/interlock/linker/p4/syntax"

// nonNegative reports a negative operand of / or %, before it is cut to the type of the other one.
func (c *checker) nonNegative(at syntax.Node, op syntax.Op, e syntax.Expr) bool {
	if v, ok := c.info.Values[e].(IntValue); ok && v.Int.Sign() < 0 {
		c.errorf(at, codeOverflow, "%s is not defined on negative numbers", op)
		return false
	}
	return true
}

// checkDivision looks at divisions that are not folded. The specification defines / and % only on numbers known at compile
// time (section "Operations on arbitrary-precision integers"), and yet has the assignments /= and %=. Accepted are those, divisions
// by a power of two, which are shifts, divisions of zero, and what no part of the program uses.
func (c *checker) checkDivision(at syntax.Node, op syntax.Op, x, y syntax.Expr) bool {
	if op != "/" && op != "%" || c.compileTime(x) && c.compileTime(y) {
		return true
	}
	if v, ok := c.info.Values[y].(IntValue); ok {
		switch {
		case v.Int.Sign() == 0:
			c.errorf(y, codeOverflow, "division by zero")
			return false
		case v.Int.TrailingZeroBits()+1 == uint(v.Int.BitLen()):
			return true
		}
	}
	v, zero := c.info.Values[x].(IntValue)
	_, assign := at.(*syntax.AssignStmt)
	if zero && v.Int.Sign() == 0 || assign {
		c.extension(at, "%s at run time", op)
		return true
	}
	refuse := func() {
		c.errorf(at, codeNotConst, "%s is defined only on numbers known at compile time, or by a power of two", op)
	}
	if o := c.owner; o != nil && o.Parent == nil && (o.Kind == ActionObject || o.Kind == FunctionObject) {
		c.ifUsed[o] = append(c.ifUsed[o], refuse)
		return true
	}
	refuse()
	return false
}

// reportUsed reports what is wrong only in actions and functions that something uses.
func (c *checker) reportUsed() {
	used := map[*Object]bool{}
	for _, o := range c.info.Uses {
		used[o] = true
	}
	for o, reports := range c.ifUsed {
		if used[o] {
			for _, report := range reports {
				report()
			}
		}
	}
}
