package syntax

import (
	"strconv"
	"strings"
)

// condition evaluates the expression of an #if or #elif: integers of 64 bits with the operators of C, where names that
// are no macros are 0.
func (pp *preprocessor) condition(pos Pos) bool {
	toks := pp.restOfDirective()
	// defined X and defined(X) come before expansion.
	var list []ppToken
	for i := 0; i < len(toks); i++ {
		if toks[i].text != "defined" {
			list = append(list, toks[i])
			continue
		}
		j := i + 1
		paren := j < len(toks) && toks[j].is("(")
		if paren {
			j++
		}
		if j >= len(toks) || toks[j].kind != tIdent && toks[j].kind != tKeyword || paren && (j+1 >= len(toks) || !toks[j+1].is(")")) {
			pp.diags.errorf(pos, CodeBadCondition, "defined needs a name")
			return false
		}
		value := "0"
		if pp.defined(toks[j].text) {
			value = "1"
		}
		list = append(list, ppToken{token: token{kind: tInt, text: value, pos: pos}})
		if paren {
			j++
		}
		i = j
	}
	e := &condEval{toks: pp.expandList(list)}
	v := e.ternary(0)
	if e.err == "" && e.i < len(e.toks) {
		e.err = "unexpected " + e.toks[e.i].describe()
	}
	if e.err != "" {
		pp.diags.errorf(pos, CodeBadCondition, "condition: %s", e.err)
		return false
	}
	return v != 0
}

// condEval is a small recursive-descent evaluator. dead counts the operands that are not evaluated, such as the right
// side of a && whose left side is 0: a division by zero there is no error.
type condEval struct {
	toks []ppToken
	i    int
	dead int
	err  string
}

const maxCondDepth = 200

func (e *condEval) fail(msg string) int64 {
	if e.err == "" {
		e.err = msg
	}
	e.i = len(e.toks)
	return 0
}

// op returns the operator at the current place, joining >> of two tokens.
func (e *condEval) op() (string, int) {
	if e.i >= len(e.toks) || e.toks[e.i].kind != tPunct {
		return "", 0
	}
	if e.toks[e.i].text == ">" && e.i+1 < len(e.toks) && e.toks[e.i+1].text == ">" && !e.toks[e.i+1].space {
		return ">>", 2
	}
	return e.toks[e.i].text, 1
}

func (e *condEval) ternary(depth int) int64 {
	c := e.binary(0, depth)
	if op, n := e.op(); op == "?" {
		e.i += n
		if c == 0 {
			e.dead++
		}
		x := e.ternary(depth + 1)
		if c == 0 {
			e.dead--
		}
		if op, n := e.op(); op == ":" {
			e.i += n
		} else {
			return e.fail("? without :")
		}
		if c != 0 {
			e.dead++
		}
		y := e.ternary(depth + 1)
		if c != 0 {
			e.dead--
			return x
		}
		return y
	}
	return c
}

// condPrec is the precedence of C: unlike in P4, == binds tighter than &.
func condPrec(op string) int {
	switch op {
	case "||":
		return 1
	case "&&":
		return 2
	case "|":
		return 3
	case "^":
		return 4
	case "&":
		return 5
	case "==", "!=":
		return 6
	case "<", ">", "<=", ">=":
		return 7
	case "<<", ">>":
		return 8
	case "+", "-":
		return 9
	case "*", "/", "%":
		return 10
	}
	return 0
}

func (e *condEval) binary(min, depth int) int64 {
	x := e.unary(depth)
	for {
		op, n := e.op()
		p := condPrec(op)
		if p == 0 || p <= min {
			return x
		}
		e.i += n
		skip := op == "&&" && x == 0 || op == "||" && x != 0
		if skip {
			e.dead++
		}
		y := e.binary(p, depth+1)
		if skip {
			e.dead--
		}
		x = e.apply(op, x, y)
	}
}

func (e *condEval) apply(op string, x, y int64) int64 {
	truth := func(b bool) int64 {
		if b {
			return 1
		}
		return 0
	}
	switch op {
	case "||":
		return truth(x != 0 || y != 0)
	case "&&":
		return truth(x != 0 && y != 0)
	case "|":
		return x | y
	case "^":
		return x ^ y
	case "&":
		return x & y
	case "==":
		return truth(x == y)
	case "!=":
		return truth(x != y)
	case "<":
		return truth(x < y)
	case ">":
		return truth(x > y)
	case "<=":
		return truth(x <= y)
	case ">=":
		return truth(x >= y)
	case "<<", ">>":
		if y < 0 || y > 63 {
			if e.dead > 0 {
				return 0
			}
			return e.fail("shift by " + strconv.FormatInt(y, 10))
		}
		if op == "<<" {
			return x << uint(y)
		}
		return x >> uint(y)
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	}
	if y == 0 {
		if e.dead > 0 {
			return 0
		}
		return e.fail("division by zero")
	}
	if op == "/" {
		return x / y
	}
	return x % y
}

func (e *condEval) unary(depth int) int64 {
	if depth > maxCondDepth {
		return e.fail("nested too deeply")
	}
	if e.i >= len(e.toks) {
		return e.fail("operand missing")
	}
	t := e.toks[e.i]
	e.i++
	switch {
	case t.is("!"):
		if e.unary(depth+1) == 0 {
			return 1
		}
		return 0
	case t.is("-"):
		return -e.unary(depth + 1)
	case t.is("+"):
		return e.unary(depth + 1)
	case t.is("~"):
		return ^e.unary(depth + 1)
	case t.is("("):
		v := e.ternary(depth + 1)
		if op, n := e.op(); op == ")" {
			e.i += n
			return v
		}
		return e.fail("missing )")
	case t.kind == tIdent || t.kind == tKeyword:
		if t.text == "true" {
			return 1
		}
		return 0
	case t.kind == tInt:
		v, err := strconv.ParseInt(strings.TrimRight(t.text, "uUlL"), 0, 64)
		if err != nil {
			return e.fail("malformed number " + t.text)
		}
		return v
	}
	return e.fail("unexpected " + t.describe())
}
