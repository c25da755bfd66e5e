package smt

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// ErrModel is wrapped by errors about a model that is not understood.
var ErrModel = errors.New("not a model that is understood")

// ParseModel reads what a solver prints for (get-model), define-fun forms, or for (get-value ...), pairs of a symbol and a value.
// The value of every symbol has to be a literal or an array made of literals, in the end; functions may be any term over their
// parameters.
func ParseModel(text string) (Model, error) {
	m := Model{}
	forms, err := readForms(text)
	if err != nil {
		return m, err
	}
	if len(forms) == 1 && forms[0].list != nil {
		forms = forms[0].list
	}
	p := modelParser{b: NewBuilder(), m: m, fns: map[string]form{}, constants: map[string]form{}, terms: map[string]*Term{}}
	var names []string
	for _, f := range forms {
		switch {
		case f.atom == "model":
		case f.is("declare-datatypes", -1), f.is("forall", -1), f.is("declare-fun", -1): // of sorts and functions that we never use
		case f.is("define-fun", 5) && len(f.list[2].list) == 0:
			names = append(names, f.list[1].atom)
			p.constants[f.list[1].atom] = f.list[4]
		case f.is("define-fun", 5):
			p.fns[nameOf(f.list[1].atom)] = f
		case len(f.list) == 2 && f.list[0].atom != "":
			names = append(names, f.list[0].atom)
			p.constants[f.list[0].atom] = f.list[1]
		default:
			return m, fmt.Errorf("%w: %.80s", ErrModel, f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.fns)) {
		fn, err := p.function(p.fns[name])
		if err != nil && auxiliary(name) {
			continue
		} else if err != nil {
			return m, fmt.Errorf("%s: %w", name, err)
		}
		m[name] = Value{function: &fn}
	}
	for _, symbol := range names {
		if auxiliary(symbol) {
			continue
		}
		t, err := p.constant(symbol)
		if err != nil {
			return m, fmt.Errorf("%s: %w", symbol, err)
		}
		v := Eval(t, m)
		if !v.Defined() || len(Free(t)) > 0 {
			return m, fmt.Errorf("%w: %s is not a value: %.80s", ErrModel, symbol, p.constants[symbol])
		}
		m[nameOf(symbol)] = v
	}
	return m, nil
}

// auxiliary tells whether a symbol is one that Script or Z3 made up for a part of a formula. What it means follows from the other
// symbols, and Z3 may print it as a term over them.
func auxiliary(symbol string) bool {
	return strings.HasPrefix(symbol, "fold-rec-") ||
		strings.HasPrefix(symbol, definitionPrefix) && !strings.HasPrefix(symbol, escapePrefix)
}

// constant reads the term that defines a symbol.
func (p *modelParser) constant(symbol string) (*Term, error) {
	if t, ok := p.terms[symbol]; ok {
		if t == nil {
			return nil, fmt.Errorf("%w: %s is defined by itself", ErrModel, symbol)
		}
		return t, nil
	}
	p.terms[symbol] = nil // being read
	t, err := p.term(p.constants[symbol], nil)
	if err != nil {
		return nil, err
	}
	p.terms[symbol] = t
	return t, nil
}

// form is an S-expression: an atom or a list.
type form struct {
	atom string
	list []form
}

func (f form) is(head string, n int) bool {
	return len(f.list) > 0 && f.list[0].atom == head && (n < 0 || len(f.list) == n)
}

func (f form) String() string {
	if f.list == nil && f.atom != "" {
		return f.atom
	}
	var parts []string
	for _, g := range f.list {
		parts = append(parts, g.String())
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// maxForms bounds nesting, so that what a solver prints cannot exhaust the stack.
const maxNesting = 10_000

func readForms(s string) ([]form, error) {
	stack := [][]form{nil}
	for at := 0; ; {
		at = skipSpace(s, at)
		if at == len(s) {
			break
		}
		top := len(stack) - 1
		switch s[at] {
		case '(':
			if len(stack) > maxNesting {
				return nil, fmt.Errorf("%w: it nests too deeply", ErrModel)
			}
			stack = append(stack, []form{})
			at++
		case ')':
			if top == 0 {
				return nil, fmt.Errorf("%w: a parenthesis too many", ErrModel)
			}
			stack[top-1] = append(stack[top-1], form{list: stack[top]})
			stack = stack[:top]
			at++
		default:
			end := at + 1
			if s[at] == '|' || s[at] == '"' {
				n := strings.IndexByte(s[end:], s[at])
				if n < 0 {
					return nil, fmt.Errorf("%w: a quotation does not end", ErrModel)
				}
				end += n + 1
			} else {
				for end < len(s) && strings.IndexByte(" \t\r\n();|\"", s[end]) < 0 {
					end++
				}
			}
			stack[top] = append(stack[top], form{atom: s[at:end]})
			at = end
		}
	}
	if len(stack) != 1 {
		return nil, fmt.Errorf("%w: a parenthesis is missing", ErrModel)
	}
	return stack[0], nil
}

type modelParser struct {
	b   *Builder
	m   Model // what has been read
	fns map[string]form
	// constants holds the definitions of symbols without parameters, and terms those that have been read.
	constants map[string]form
	terms     map[string]*Term
	// depth of functions that are being read inside each other.
	depth int
}

func (p *modelParser) function(f form) (function, error) {
	return p.lambda(f.list[1].atom, f.list[2].list, f.list[4])
}

// lambda reads a function with the given parameters.
func (p *modelParser) lambda(name string, list []form, body form) (function, error) {
	if p.depth++; p.depth > 100 {
		return function{}, fmt.Errorf("%w: functions call each other in a circle", ErrModel)
	}
	defer func() { p.depth-- }()
	scope := map[string]*Term{}
	var params []*Term
	for i, v := range list {
		if len(v.list) != 2 || v.list[0].atom == "" {
			return function{}, fmt.Errorf("%w: parameter %s", ErrModel, v)
		}
		s, err := parseSort(v.list[1])
		if err != nil {
			return function{}, err
		}
		// Every function's parameters have names of their own, or one name would have two sorts.
		t := p.b.Var(fmt.Sprintf("%s#%d#%s", name, i, s), s)
		scope[v.list[0].atom] = t
		params = append(params, t)
	}
	t, err := p.term(body, scope)
	return function{params, t}, err
}

func parseSort(f form) (Sort, error) {
	switch {
	case f.atom == "Bool":
		return Bool, nil
	case f.atom == "Int":
		return Int, nil
	case f.is("_", 3) && f.list[1].atom == "BitVec":
		if n, err := strconv.Atoi(f.list[2].atom); err == nil && n > 0 && n <= MaxWidth {
			return BV(n), nil
		}
	case f.is("Array", 3):
		k, err := parseSort(f.list[1])
		if err != nil {
			return Sort{}, err
		}
		v, err := parseSort(f.list[2])
		if err != nil {
			return Sort{}, err
		}
		return Array(k, v), nil
	}
	return Sort{}, fmt.Errorf("%w: sort %.80s", ErrModel, f)
}

// term reads a term. Its sort errors come out as errors, although the builder panics.
func (p *modelParser) term(f form, scope map[string]*Term) (t *Term, err error) {
	defer func() {
		if r := recover(); r != nil {
			msg, ours := r.(string)
			if !ours || !strings.HasPrefix(msg, "smt: ") {
				panic(r)
			}
			err = fmt.Errorf("%w: %s", ErrModel, strings.TrimPrefix(msg, "smt: "))
		}
	}()
	return p.read(f, scope)
}

func (p *modelParser) read(f form, scope map[string]*Term) (*Term, error) {
	bad := func() (*Term, error) { return nil, fmt.Errorf("%w: %.80s", ErrModel, f) }
	if f.list == nil {
		return p.atom(f, scope)
	}
	switch {
	case f.is("let", 3):
		inner := make(map[string]*Term, len(scope)+1)
		for k, v := range scope {
			inner[k] = v
		}
		for _, b := range f.list[1].list {
			if len(b.list) != 2 {
				return bad()
			}
			v, err := p.read(b.list[1], scope)
			if err != nil {
				return nil, err
			}
			inner[b.list[0].atom] = v
		}
		return p.read(f.list[2], inner)
	case f.is("_", 3) && strings.HasPrefix(f.list[1].atom, "bv"):
		v, ok := new(big.Int).SetString(f.list[1].atom[2:], 10)
		w, err := strconv.Atoi(f.list[2].atom)
		if !ok || err != nil || w < 1 || w > MaxWidth {
			return bad()
		}
		return p.b.BVBig(v, w), nil
	case f.is("_", 3) && f.list[1].atom == "as-array":
		return p.asArray(f.list[2].atom)
	case f.is("lambda", 3):
		fn, err := p.lambda("lambda", f.list[1].list, f.list[2])
		if err != nil {
			return nil, err
		}
		return p.tabulate(fn)
	case len(f.list) == 2 && f.list[0].is("as", 3) && f.list[0].list[1].atom == "const":
		s, err := parseSort(f.list[0].list[2])
		if err != nil {
			return nil, err
		}
		v, err := p.read(f.list[1], scope)
		if err != nil {
			return nil, err
		}
		return p.b.ConstArray(s, v), nil
	}
	if len(f.list) < 2 {
		return bad()
	}
	args := make([]*Term, len(f.list)-1)
	for i := range args {
		var err error
		if args[i], err = p.read(f.list[i+1], scope); err != nil {
			return nil, err
		}
	}
	if t := p.apply(f.list[0], args); t != nil {
		return t, nil
	}
	return bad()
}

func (p *modelParser) atom(f form, scope map[string]*Term) (*Term, error) {
	a := f.atom
	if t, ok := scope[a]; ok {
		return t, nil
	}
	switch {
	case a == "true":
		return p.b.True(), nil
	case a == "false":
		return p.b.False(), nil
	case strings.HasPrefix(a, "#x"), strings.HasPrefix(a, "#b"):
		base, bits := 16, 4
		if a[1] == 'b' {
			base, bits = 2, 1
		}
		if v, ok := new(big.Int).SetString(a[2:], base); ok && v.Sign() >= 0 && a[2] != '+' {
			return p.b.BVBig(v, bits*(len(a)-2)), nil
		}
	case a != "" && a[0] >= '0' && a[0] <= '9':
		if v, ok := new(big.Int).SetString(a, 10); ok {
			return p.b.IntBig(v), nil
		}
	}
	if _, ok := p.constants[a]; ok {
		return p.constant(a)
	}
	return nil, fmt.Errorf("%w: %.80s", ErrModel, a)
}

// asArray reads (_ as-array name).
func (p *modelParser) asArray(name string) (*Term, error) {
	def, ok := p.fns[nameOf(name)]
	if !ok {
		return nil, fmt.Errorf("%w: no function %s", ErrModel, name)
	}
	f, err := p.function(def)
	if err != nil {
		return nil, err
	}
	return p.tabulate(f)
}

// tabulate turns a function of one parameter, which may be used in no other way than to be compared with literals, into the array
// that it stands for.
func (p *modelParser) tabulate(f function) (*Term, error) {
	if len(f.params) != 1 {
		return nil, fmt.Errorf("%w: an array of %d dimensions", ErrModel, len(f.params))
	}
	param := f.params[0]
	points := map[*Term]bool{}
	fair := true
	walk([]*Term{f.body}, func(t *Term) {
		for _, a := range t.args {
			if a != param || param.sort == Bool {
				continue
			}
			if t.op == OpEq && t.args[1].IsConst() {
				points[t.args[1]] = true
			} else {
				fair = false
			}
		}
	})
	for _, v := range Free(f.body) {
		fair = fair && v == param
	}
	if !fair || f.body == param && param.sort != Bool {
		return nil, fmt.Errorf("%w: an array %.80s", ErrModel, f.body)
	}
	other := p.b.no // an index that differs from all points, if there is one
	switch {
	case param.sort == Bool:
		points[p.b.yes] = true
	case param.sort == Int:
		for n := int64(0); ; n++ {
			if other = p.b.Int(n); !points[other] {
				break
			}
		}
	case param.sort.IsBV():
		for n := int64(0); ; n++ {
			if other = p.b.bv(big.NewInt(n), param.sort); !points[other] || big.NewInt(n).BitLen() > param.sort.width {
				break
			}
		}
	default:
		return nil, fmt.Errorf("%w: an array indexed by arrays", ErrModel)
	}
	value := func(at *Term) (*Term, error) {
		e := evaluator{model: p.m, local: map[*Term]Value{param: {sort: at.sort, num: at.num}}, memo: map[*Term]Value{}}
		v := e.eval(f.body)
		if v.num == nil {
			return nil, fmt.Errorf("%w: an array of %.80s", ErrModel, f.body)
		}
		return p.b.intern(Term{op: OpConst, sort: v.sort, num: v.num}), nil
	}
	els, err := value(other)
	if err != nil {
		return nil, err
	}
	t := p.b.ConstArray(Array(param.sort, f.body.sort), els)
	for _, at := range slices.SortedFunc(maps.Keys(points), func(a, b *Term) int { return a.id - b.id }) {
		v, err := value(at)
		if err != nil {
			return nil, err
		}
		t = p.b.Store(t, at, v)
	}
	return t, nil
}

// apply returns head(args...), nil if it is not known.
func (p *modelParser) apply(head form, args []*Term) *Term {
	b, x := p.b, args[0]
	if len(head.list) == 4 && head.list[1].atom == "extract" && len(args) == 1 {
		hi, err1 := strconv.Atoi(head.list[2].atom)
		lo, err2 := strconv.Atoi(head.list[3].atom)
		if err1 == nil && err2 == nil {
			return b.Extract(x, hi, lo)
		}
		return nil
	}
	if len(head.list) == 3 && len(args) == 1 {
		n, err := strconv.Atoi(head.list[2].atom)
		switch {
		case err != nil || n > MaxWidth:
		case head.list[1].atom == "zero_extend":
			return b.ZeroExt(x, n)
		case head.list[1].atom == "sign_extend":
			return b.SignExt(x, n)
		}
		return nil
	}
	switch head.atom {
	case "and":
		return b.And(args...)
	case "or":
		return b.Or(args...)
	case "+":
		return b.Add(args...)
	case "distinct":
		return b.Distinct(args...)
	}
	switch len(args) {
	case 1:
		switch head.atom {
		case "not":
			return b.Not(x)
		case "-":
			return b.Neg(x)
		case "bvnot":
			return b.BVNot(x)
		case "bvneg":
			return b.BVNeg(x)
		}
	case 2:
		if f, ok := binaryOps[head.atom]; ok {
			return f(b, x, args[1])
		}
	case 3:
		switch head.atom {
		case "store":
			return b.Store(x, args[1], args[2])
		case "ite":
			return b.Ite(x, args[1], args[2])
		}
	}
	if def, ok := p.fns[nameOf(head.atom)]; ok && len(def.list[2].list) == len(args) {
		ret, err := parseSort(def.list[3])
		if err != nil {
			return nil
		}
		sorts := make([]Sort, len(args))
		for i, a := range args {
			sorts[i] = a.sort
		}
		return b.Apply(b.Func(nameOf(head.atom), sorts, ret), args...)
	}
	return nil
}

var binaryOps = map[string]func(b *Builder, x, y *Term) *Term{
	"=": (*Builder).Eq, "=>": (*Builder).Implies, "-": (*Builder).Sub, "*": (*Builder).Mul,
	"<=": (*Builder).Le, "<": (*Builder).Lt, ">=": (*Builder).Ge, ">": (*Builder).Gt, "div": (*Builder).Div, "mod": (*Builder).Mod,
	"bvadd": (*Builder).BVAdd, "bvsub": (*Builder).BVSub, "bvmul": (*Builder).BVMul,
	"bvudiv": (*Builder).BVUDiv, "bvurem": (*Builder).BVURem, "bvand": (*Builder).BVAnd, "bvor": (*Builder).BVOr,
	"bvxor": (*Builder).BVXor, "bvshl": (*Builder).BVShl, "bvlshr": (*Builder).BVLshr, "bvashr": (*Builder).BVAshr,
	"bvult": (*Builder).BVUlt, "bvule": (*Builder).BVUle, "bvslt": (*Builder).BVSlt, "bvsle": (*Builder).BVSle,
	"concat": (*Builder).Concat, "select": (*Builder).Select,
}
