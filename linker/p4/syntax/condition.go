package syntax

import (
	"strconv"
	"strings"
)

// condition evaluates the expression of an #if or #elif: integers of 64 bits, signed and unsigned, with the operators of
// C, where names that are no macros are 0.
func (pp *preprocessor) condition(pos Pos) bool {
	toks, ok := pp.answered(pp.restOfDirective(), pos)
	if !ok {
		return false
	}
	e := &condEval{toks: pp.expandList(toks)}
	v := e.ternary(0)
	if e.err == "" && e.i < len(e.toks) {
		e.err = "unexpected " + e.toks[e.i].describe()
	}
	if pp.stopped {
		return false
	}
	if e.err != "" {
		pp.diags.errorf(pos, CodeBadCondition, "condition: %s", e.err)
		return false
	}
	if e.bool != "" {
		pp.diags.warnf(pos, CodeBadCondition, "condition: %s is a name here, and as such 0; write 1 or 0", e.bool)
	}
	return v.n != 0
}

// answered replaces defined X, defined(X), __has_include(X) by 1 or 0: they come before expansion.
func (pp *preprocessor) answered(toks []ppToken, pos Pos) ([]ppToken, bool) {
	var list []ppToken
	for i := 0; i < len(toks); i++ {
		holds := false
		switch {
		case toks[i].text == "defined":
			j := i + 1
			paren := j < len(toks) && toks[j].is("(")
			if paren {
				j++
			}
			if j >= len(toks) || !toks[j].isWord() || paren && (j+1 >= len(toks) || !toks[j+1].is(")")) {
				pp.diags.errorf(pos, CodeBadCondition, "defined needs a name")
				return nil, false
			}
			holds = pp.defined(toks[j].text)
			if i = j; paren {
				i++
			}
		case toks[i].text == hasInclude && i+1 < len(toks) && toks[i+1].is("("):
			end := i + 2
			for end < len(toks) && !toks[end].is(")") {
				end++
			}
			name, quoted, ok := "", false, false
			if end < len(toks) {
				if name, quoted, ok = cutIncludeName(spell(toks[i+2 : end])); !ok {
					name, quoted, ok = cutIncludeName(spell(pp.expandList(toks[i+2 : end])))
				}
			}
			if !ok {
				pp.diags.errorf(pos, CodeBadCondition, hasInclude+` needs ("file") or (<file>)`)
				return nil, false
			}
			if pp.load.files >= maxIncludes {
				pp.diags.errorf(pos, CodeIncludeDepth, "too many files")
				return nil, false
			}
			_, err := pp.load.find(name, quoted, pp.top().sc.src)
			holds = err == nil
			i = end
		default:
			list = append(list, toks[i])
			continue
		}
		value := "0"
		if holds {
			value = "1"
		}
		list = append(list, ppToken{token: token{kind: tInt, text: value, pos: pos}})
	}
	return list, true
}

// condValue is a number of a condition: unsigned ones spread, as in C.
type condValue struct {
	n        int64 // its bits
	unsigned bool
}

func truth(b bool) condValue {
	if b {
		return condValue{n: 1}
	}
	return condValue{}
}

// condEval is a small recursive-descent evaluator. dead counts the operands that are not evaluated, such as the right
// side of a && whose left side is 0: a division by zero there is no error.
type condEval struct {
	toks []ppToken
	i    int
	dead int
	err  string
	bool string // the true or false that stood there
}

const maxCondDepth = 200

func (e *condEval) fail(msg string) condValue {
	if e.err == "" {
		e.err = msg
	}
	e.i = len(e.toks)
	return condValue{}
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

func (e *condEval) ternary(depth int) condValue {
	c := e.binary(0, depth)
	op, n := e.op()
	if op != "?" {
		return c
	}
	e.i += n
	x := e.unless(c.n == 0, func() condValue { return e.ternary(depth + 1) })
	if op, n = e.op(); op != ":" {
		return e.fail("? without :")
	}
	e.i += n
	y := e.unless(c.n != 0, func() condValue { return e.ternary(depth + 1) })
	unsigned := x.unsigned || y.unsigned
	if c.n == 0 {
		x = y
	}
	return condValue{x.n, unsigned}
}

// unless evaluates f, as an operand whose value does not count if dead.
func (e *condEval) unless(dead bool, f func() condValue) condValue {
	if dead {
		e.dead++
		defer func() { e.dead-- }()
	}
	return f()
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

func (e *condEval) binary(min, depth int) condValue {
	x := e.unary(depth)
	for {
		op, n := e.op()
		p := condPrec(op)
		if p == 0 || p <= min {
			return x
		}
		e.i += n
		skip := op == "&&" && x.n == 0 || op == "||" && x.n != 0
		y := e.unless(skip, func() condValue { return e.binary(p, depth+1) })
		x = e.apply(op, x, y)
	}
}

func (e *condEval) apply(op string, x, y condValue) condValue {
	unsigned := x.unsigned || y.unsigned
	less := func(a, b condValue) bool {
		if unsigned {
			return uint64(a.n) < uint64(b.n)
		}
		return a.n < b.n
	}
	switch op {
	case "||":
		return truth(x.n != 0 || y.n != 0)
	case "&&":
		return truth(x.n != 0 && y.n != 0)
	case "==":
		return truth(x.n == y.n)
	case "!=":
		return truth(x.n != y.n)
	case "<":
		return truth(less(x, y))
	case ">":
		return truth(less(y, x))
	case "<=":
		return truth(!less(y, x))
	case ">=":
		return truth(!less(x, y))
	case "<<", ">>":
		n := y.n
		if left := op == "<<"; left == (n >= 0 || y.unsigned) {
			return condValue{x.n << magnitude(y), x.unsigned}
		}
		if x.unsigned {
			return condValue{int64(uint64(x.n) >> magnitude(y)), true}
		}
		return condValue{x.n >> magnitude(y), false}
	case "|":
		return condValue{x.n | y.n, unsigned}
	case "^":
		return condValue{x.n ^ y.n, unsigned}
	case "&":
		return condValue{x.n & y.n, unsigned}
	case "+":
		return condValue{x.n + y.n, unsigned}
	case "-":
		return condValue{x.n - y.n, unsigned}
	case "*":
		return condValue{x.n * y.n, unsigned}
	}
	switch {
	case y.n == 0:
		if e.dead > 0 {
			return condValue{}
		}
		return e.fail("division by zero")
	case op == "/" && unsigned:
		return condValue{int64(uint64(x.n) / uint64(y.n)), true}
	case op == "/":
		return condValue{x.n / y.n, false}
	case unsigned:
		return condValue{int64(uint64(x.n) % uint64(y.n)), true}
	}
	return condValue{x.n % y.n, false}
}

// magnitude is how far a shift by v goes; a negative one goes the other way.
func magnitude(v condValue) uint64 {
	if v.n < 0 && !v.unsigned {
		return -uint64(v.n)
	}
	return uint64(v.n)
}

func (e *condEval) unary(depth int) condValue {
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
		return truth(e.unary(depth+1).n == 0)
	case t.is("-"):
		v := e.unary(depth + 1)
		return condValue{-v.n, v.unsigned}
	case t.is("+"):
		return e.unary(depth + 1)
	case t.is("~"):
		v := e.unary(depth + 1)
		return condValue{^v.n, v.unsigned}
	case t.is("("):
		v := e.ternary(depth + 1)
		if op, n := e.op(); op == ")" {
			e.i += n
			return v
		}
		return e.fail("missing )")
	case t.isWord():
		if e.i < len(e.toks) && e.toks[e.i].is("(") {
			return e.fail(t.describe() + " is no macro, and a condition has no functions")
		}
		if t.text == "true" || t.text == "false" {
			e.bool = t.text
		}
		return condValue{}
	case t.kind == tInt:
		return e.number(t)
	}
	return e.fail("unexpected " + t.describe())
}

// number reads a number as C writes them: 0x and 0b, a leading 0 for octal ones, u and l behind them.
func (e *condEval) number(t ppToken) condValue {
	digits := strings.TrimRight(t.text, "uUlL")
	unsigned := strings.ContainsAny(t.text[len(digits):], "uU")
	v, err := strconv.ParseUint(digits, 0, 64)
	if err != nil {
		return e.fail("malformed number " + short(t.text))
	}
	return condValue{int64(v), unsigned || v > 1<<63-1}
}
