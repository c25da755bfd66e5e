package smt

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
)

// Op is the head of a term.
type Op uint8

// Operators. Those with an SMT-LIB name are listed in opNames.
const (
	OpVar   Op = iota // a constant symbol, or a variable bound by a quantifier
	OpConst           // true, false, a numeral, a bit-vector literal
	OpNot
	OpAnd
	OpOr
	OpImplies
	OpEq
	OpDistinct
	OpIte
	OpAdd
	OpSub
	OpMul
	OpNeg
	OpLe
	OpLt
	OpDiv
	OpMod
	OpBVAdd
	OpBVSub
	OpBVMul
	OpBVUDiv
	OpBVURem
	OpBVAnd
	OpBVOr
	OpBVXor
	OpBVNot
	OpBVNeg
	OpBVShl
	OpBVLshr
	OpBVAshr
	OpBVUlt
	OpBVUle
	OpBVSlt
	OpBVSle
	OpConcat
	OpExtract
	OpZeroExt
	OpSignExt
	OpSelect
	OpStore
	OpConstArray // every element is the argument
	OpApply
	OpForall
	OpExists
)

var opNames = [...]string{
	OpNot: "not", OpAnd: "and", OpOr: "or", OpImplies: "=>", OpEq: "=", OpDistinct: "distinct", OpIte: "ite",
	OpAdd: "+", OpSub: "-", OpMul: "*", OpNeg: "-", OpLe: "<=", OpLt: "<", OpDiv: "div", OpMod: "mod",
	OpBVAdd: "bvadd", OpBVSub: "bvsub", OpBVMul: "bvmul", OpBVUDiv: "bvudiv", OpBVURem: "bvurem",
	OpBVAnd: "bvand", OpBVOr: "bvor", OpBVXor: "bvxor", OpBVNot: "bvnot", OpBVNeg: "bvneg",
	OpBVShl: "bvshl", OpBVLshr: "bvlshr", OpBVAshr: "bvashr",
	OpBVUlt: "bvult", OpBVUle: "bvule", OpBVSlt: "bvslt", OpBVSle: "bvsle", OpConcat: "concat",
	OpSelect: "select", OpStore: "store", OpForall: "forall", OpExists: "exists",
}

// A Term is an immutable node of a formula. Two terms of one Builder are equal if and only if they are the same pointer.
type Term struct {
	b    *Builder
	op   Op
	sort Sort
	id   int
	i, j int // Extract: high and low bit; ZeroExt, SignExt: extra bits
	args []*Term
	name string   // Var
	num  *big.Int // Const: Int, bit-vector (0 <= num < 2^width), Bool (0 or 1)
	fn   *Func    // Apply
	// bound lists a quantifier's variables; they are not among args.
	bound []*Term
	// quantified: a quantifier is in this term.
	quantified bool
}

// A Func is an uninterpreted function.
type Func struct {
	name string
	args []Sort
	ret  Sort
}

// Name returns the function's name, unquoted.
func (f *Func) Name() string { return f.name }

// Sort returns the term's sort.
func (t *Term) Sort() Sort { return t.sort }

// Op returns the term's head.
func (t *Term) Op() Op { return t.op }

// Args returns the arguments; they must not be changed. A quantifier's only argument is its body.
func (t *Term) Args() []*Term { return t.args }

// Name returns the name of a Var or of an applied function, unquoted; "" of other terms.
func (t *Term) Name() string {
	if t.fn != nil {
		return t.fn.name
	}
	return t.name
}

// IsConst tells whether t is a literal.
func (t *Term) IsConst() bool { return t.op == OpConst }

// ConstBool returns the value of a Bool literal.
func (t *Term) ConstBool() (value, ok bool) {
	if t.op != OpConst || t.sort != Bool {
		return false, false
	}
	return t.num.Sign() != 0, true
}

// ConstInt returns the value of an Int literal; it must not be changed.
func (t *Term) ConstInt() (*big.Int, bool) {
	if t.op != OpConst || t.sort != Int {
		return nil, false
	}
	return t.num, true
}

// ConstBV returns the value of a bit-vector literal, read as unsigned; it must not be changed.
func (t *Term) ConstBV() (*big.Int, bool) {
	if t.op != OpConst || t.sort.kind != bvSort {
		return nil, false
	}
	return t.num, true
}

func (t *Term) isTrue() bool  { return t == t.b.yes }
func (t *Term) isFalse() bool { return t == t.b.no }

// A Builder makes terms. It is not safe for concurrent use; terms of different builders must not be mixed.
type Builder struct {
	terms   map[string]*Term
	symbols map[string]symbol // by name
	nextID  int
	key     []byte
	yes, no *Term
}

type symbol struct {
	sort Sort // of a Var
	fn   *Func
}

// NewBuilder returns an empty builder.
func NewBuilder() *Builder {
	b := &Builder{terms: map[string]*Term{}, symbols: map[string]symbol{}}
	b.no = b.intern(Term{op: OpConst, sort: Bool, num: big.NewInt(0)})
	b.yes = b.intern(Term{op: OpConst, sort: Bool, num: big.NewInt(1)})
	return b
}

// intern returns the one term that equals t.
func (b *Builder) intern(t Term) *Term {
	k := b.key[:0]
	k = append(k, byte(t.op), byte(t.sort.kind))
	k = binary.AppendUvarint(k, uint64(t.sort.width))
	k = binary.AppendUvarint(k, uint64(t.i))
	k = binary.AppendUvarint(k, uint64(t.j))
	for _, list := range [2][]*Term{t.bound, t.args} {
		k = binary.AppendUvarint(k, uint64(len(list)))
		for _, a := range list {
			if a.b != b {
				panic(fmt.Sprintf("smt: %s: an argument belongs to another builder: %s", t.head(), a))
			}
			k = binary.AppendUvarint(k, uint64(a.id))
			t.quantified = t.quantified || a.quantified
		}
	}
	k = binary.AppendUvarint(k, uint64(len(t.sort.array)))
	k = append(k, t.sort.array...)
	switch t.op {
	case OpVar:
		k = append(k, t.name...)
	case OpApply:
		k = append(k, t.fn.name...)
	case OpConst:
		if t.num.Sign() < 0 {
			k = append(k, '-')
		}
		k = append(k, t.num.Bytes()...)
	case OpForall, OpExists:
		t.quantified = true
	}
	b.key = k
	if old, ok := b.terms[string(k)]; ok {
		return old
	}
	n := new(Term)
	*n = t
	n.b, n.id = b, b.nextID
	b.nextID++
	b.terms[string(k)] = n
	return n
}

func (t *Term) head() string {
	switch t.op {
	case OpVar:
		return "variable " + t.name
	case OpApply:
		return "function " + t.fn.name
	case OpConst:
		return "constant"
	case OpExtract:
		return "extract"
	case OpZeroExt:
		return "zero_extend"
	case OpSignExt:
		return "sign_extend"
	case OpConstArray:
		return "constant array"
	}
	return opNames[t.op]
}

// Var returns the constant symbol called name; any name will do, it is quoted when printed. One name has one sort.
func (b *Builder) Var(name string, s Sort) *Term {
	if s.kind == noSort {
		panic("smt: variable " + name + " has no sort")
	}
	if old, ok := b.symbols[name]; !ok {
		b.symbols[name] = symbol{sort: s}
	} else if old.fn != nil || old.sort != s {
		panic(fmt.Sprintf("smt: variable %s: %s: the name is taken", name, s))
	}
	return b.intern(Term{op: OpVar, sort: s, name: name})
}

// Func declares the uninterpreted function called name. Declaring it twice in the same way gives the same function.
func (b *Builder) Func(name string, args []Sort, ret Sort) *Func {
	if len(args) == 0 || ret.kind == noSort || slices.ContainsFunc(args, func(s Sort) bool { return s.kind == noSort }) {
		panic("smt: function " + name + " needs arguments, and sorts for them and its result")
	}
	if old, ok := b.symbols[name]; ok {
		if old.fn == nil || !slices.Equal(old.fn.args, args) || old.fn.ret != ret {
			panic("smt: function " + name + ": the name is taken")
		}
		return old.fn
	}
	f := &Func{name: name, args: slices.Clone(args), ret: ret}
	b.symbols[name] = symbol{fn: f}
	return f
}

// Apply returns f(args...).
func (b *Builder) Apply(f *Func, args ...*Term) *Term {
	if b.symbols[f.name].fn != f {
		panic("smt: function " + f.name + " belongs to another builder")
	}
	if len(args) != len(f.args) {
		panic(fmt.Sprintf("smt: %s takes %d arguments, not %d", f.name, len(f.args), len(args)))
	}
	for i, a := range args {
		if a.sort != f.args[i] {
			panic(fmt.Sprintf("smt: argument %d of %s is %s, not %s", i+1, f.name, f.args[i], a.sort))
		}
	}
	return b.intern(Term{op: OpApply, sort: f.ret, fn: f, args: slices.Clone(args)})
}

// Forall returns the statement that body holds for all values of vars, which are terms made by Var.
func (b *Builder) Forall(vars []*Term, body *Term) *Term { return b.quantify(OpForall, vars, body) }

// Exists returns the statement that body holds for some values of vars.
func (b *Builder) Exists(vars []*Term, body *Term) *Term { return b.quantify(OpExists, vars, body) }

func (b *Builder) quantify(op Op, vars []*Term, body *Term) *Term {
	b.want(op, Bool, body)
	for i, v := range vars {
		if v.op != OpVar || slices.Contains(vars[:i], v) {
			panic(fmt.Sprintf("smt: %s: %s is no variable of its own", opNames[op], v))
		}
	}
	if body.IsConst() || len(vars) == 0 {
		return body
	}
	if body.quantified {
		// A variable bound twice on one path would make the names of shared subterms ambiguous.
		walk([]*Term{body}, func(t *Term) {
			for _, v := range t.bound {
				if slices.Contains(vars, v) {
					panic(fmt.Sprintf("smt: %s: %s is bound again inside", opNames[op], v.name))
				}
			}
		})
	}
	return b.intern(Term{op: op, sort: Bool, args: []*Term{body}, bound: slices.Clone(vars)})
}

// want panics unless every argument has sort s.
func (b *Builder) want(op Op, s Sort, args ...*Term) {
	for _, a := range args {
		if a.sort != s {
			panic(fmt.Sprintf("smt: %s: want %s, got %s: %s", opNames[op], s, a.sort, a))
		}
	}
}

// walk visits every node that roots reach once, arguments first.
func walk(roots []*Term, visit func(*Term)) {
	seen := map[*Term]bool{}
	var visitAll func(*Term)
	visitAll = func(t *Term) {
		if seen[t] {
			return
		}
		seen[t] = true
		for _, a := range t.args {
			visitAll(a)
		}
		visit(t)
	}
	for _, r := range roots {
		visitAll(r)
	}
}
