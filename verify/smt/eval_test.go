package smt

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/interlock/interlock/verify"
)

func TestEval(t *testing.T) {
	b := NewBuilder()
	x, y := b.Var("x", Int), b.Var("y", Int)
	v := b.Var("v", BV(8))
	a := b.Var("a", Array(BV(8), Int))
	p := b.Var("p", BV(3))
	f := b.Func("f", []Sort{Int}, Int)
	m, err := ParseModel(`(model
  (define-fun x () Int (- 7))
  (define-fun y () Int 2)
  (define-fun v () (_ BitVec 8) #xF0)
  (define-fun a () (Array (_ BitVec 8) Int) (store ((as const (Array (_ BitVec 8) Int)) 5) #xf0 6))
  (define-fun f ((x!0 Int)) Int (ite (= x!0 (- 7)) 70 (+ 1 (g x!0))))
  (define-fun g ((x!0 Int)) Int (* 2 x!0))
)`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		t    *Term
		want string
	}{
		{"div rounds down", b.Div(x, y), "(- 4)"},
		{"mod is not negative", b.Mod(x, y), "1"},
		{"div by a negative", b.Div(x, b.Neg(y)), "4"},
		{"mod by a negative", b.Mod(x, b.Neg(y)), "1"},
		{"division by zero", b.Div(x, b.Sub(y, b.Mul(b.Int(1), b.Add(y, b.Int(0))))), "undefined"},
		{"undefined does not matter", b.And(b.Eq(b.Mod(x, b.Var("zero", Int)), y), b.Lt(y, x)), "false"},
		{"does not matter in an ite", b.Ite(b.Eq(b.Mod(x, b.Var("zero", Int)), y), x, b.Neg(b.Add(y, b.Int(5)))), "(- 7)"},
		{"shift by the width", b.BVShl(v, b.BV(8, 8)), "#x00"},
		{"arithmetic shift", b.BVAshr(v, b.BV(200, 8)), "#xff"},
		{"unsigned division by zero", b.BVUDiv(v, b.BVSub(b.Var("u", BV(8)), b.Var("w", BV(8)))), "#xff"},
		{"signed comparison", b.BVSlt(v, b.BV(0, 8)), "true"},
		{"sign extension", b.SignExt(b.Extract(v, 7, 4), 4), "#xff"},
		{"concatenation", b.Concat(b.Extract(v, 6, 4), b.Extract(v, 2, 0)), "#b111000"},
		{"array", b.Add(b.Select(a, v), b.Select(a, b.BV(1, 8))), "11"},
		{"store", b.Eq(b.Store(b.Store(a, v, b.Int(1)), v, b.Int(6)), a), "true"},
		{"function", b.Add(b.Apply(f, x), b.Apply(f, y)), "75"},
		{"missing symbol", b.Eq(b.Var("nowhere", Int), b.Int(0)), "true"},
		{"forall over 3 bits", b.Forall([]*Term{p}, b.BVUlt(p, b.BV(7, 3))), "false"},
		{"exists over 3 bits", b.Exists([]*Term{p}, b.Not(b.BVUlt(p, b.BV(7, 3)))), "true"},
		{"forall over Int", b.Forall([]*Term{b.Var("k", Int)}, b.Lt(b.Var("k", Int), b.Int(7))), "undefined"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Eval(c.t, m).String(); got != c.want {
				t.Errorf("%s is %s, want %s", c.t, got, c.want)
			}
		})
	}
}

func TestParseModel(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"z3", "(\n  (define-fun |hdr.x| () Int\n    (- 5))\n)", "(- 5)"},
		{"cvc5", "(\n(define-fun |hdr.x| () Int (- 5))\n)", "(- 5)"},
		{"get-value", "((|hdr.x| (- 5)) (other #b1))", "(- 5)"},
		{"decimal bit-vector", "((define-fun |hdr.x| () (_ BitVec 16) (_ bv300 16)))", "#x012c"},
		{"as-array", `((define-fun |hdr.x| () (Array Int Bool) (_ as-array k!0))
			(define-fun k!0 ((x!0 Int)) Bool (ite (= x!0 3) true (ite (= x!0 3) false false))))`, "(store ((as const (Array Int Bool)) false) 3 true)"},
		{"let", "((define-fun |hdr.x| () Int (let ((a 1)) (let ((a (+ a a))) (* a a)))))", "4"},
		{"a definition over other symbols", "((define-fun $2 () Bool (= fold-rec-1 u)) (define-fun fold-rec-1 () Int (+ u nowhere)) (define-fun u () Int |hdr.x|) (define-fun |hdr.x| () Int 7))", "7"},
		{"escaped name", "((define-fun $:hdr.x () Int 1))", "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := ParseModel(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := m["hdr.x"].String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	for _, bad := range []string{
		"(", ")", "(define-fun)", "((define-fun x () Int y))", "((define-fun x () Int y) (define-fun y () Int x))", "((define-fun x () Int (+ 1 true)))", "((define-fun x () Int (_ as-array f)))",
		"((define-fun x () (_ BitVec 4) (_ bv300 4)))", "((define-fun x () Int (div 1 0)))", "(error \"no\")", "((define-fun x () Int |a))",
		"((define-fun f ((a Int)) (Array Int Int) (_ as-array f)))", "((define-fun x () Real 1.0))",
		"((define-fun f ((a Int)) Int (f a)) (define-fun x () Int (f 1)))",
	} {
		if m, err := ParseModel(bad); !errors.Is(err, ErrModel) {
			t.Errorf("%s: %v, %v", bad, m, err)
		}
	}
}

func FuzzParseModel(f *testing.F) {
	f.Add("(model (define-fun |a| () (_ BitVec 8) #x01) (define-fun f ((x Int)) Int (ite (= x 1) 2 (- 3))))")
	f.Add("((x ((as const (Array Int Int)) 3)) (y (_ bv3 7)))")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ParseModel(text); err != nil && !errors.Is(err, ErrModel) {
			t.Errorf("%v", err)
		}
	})
}

// terms generates random terms, and what they are made of.
type terms struct {
	b    *Builder
	vars []*Term
}

func newTerms() *terms {
	b := NewBuilder()
	g := &terms{b: b}
	for _, s := range []Sort{Bool, Int, BV(1), BV(4), BV(7), Array(BV(4), BV(4)), Array(Int, Bool)} {
		for i := range 2 {
			g.vars = append(g.vars, b.Var(fmt.Sprintf("v%d.%s", i, s), s))
		}
	}
	return g
}

func (g *terms) leaf(t *rapid.T, s Sort) *Term {
	if n := rapid.IntRange(0, 2).Draw(t, "leaf"); n < 2 || s.IsArray() {
		for i, v := range g.vars {
			if v.sort == s {
				return g.vars[i+n%2]
			}
		}
	}
	switch {
	case s == Bool:
		return g.b.Bool(rapid.Bool().Draw(t, "bool"))
	case s == Int:
		return g.b.Int(rapid.Int64Range(-9, 9).Draw(t, "int"))
	}
	return g.b.BV(rapid.Uint64Range(0, 1<<s.width-1).Draw(t, "bv"), s.width)
}

func (g *terms) term(t *rapid.T, s Sort, depth int) *Term {
	if depth == 0 {
		return g.leaf(t, s)
	}
	b := g.b
	arg := func(s Sort) *Term { return g.term(t, s, depth-1) }
	pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "op") }
	any := func() *Term {
		return arg(rapid.SampledFrom([]Sort{Bool, Int, BV(4), BV(7), Array(BV(4), BV(4))}).Draw(t, "sort"))
	}
	if pick(8) == 0 {
		return b.Ite(arg(Bool), arg(s), arg(s))
	}
	switch {
	case s == Bool:
		switch pick(14) {
		case 0:
			return b.Not(arg(s))
		case 1:
			return b.And(arg(s), arg(s), arg(s))
		case 2:
			return b.Or(arg(s), arg(s))
		case 3:
			return b.Implies(arg(s), arg(s))
		case 4, 5:
			x := any()
			return b.Eq(x, arg(x.sort))
		case 6:
			x := any()
			return b.Distinct(x, arg(x.sort), arg(x.sort))
		case 7:
			return b.Le(arg(Int), arg(Int))
		case 8:
			return b.Gt(arg(Int), arg(Int))
		case 9:
			return b.BVUlt(arg(BV(7)), arg(BV(7)))
		case 10:
			return b.BVUle(arg(BV(4)), arg(BV(4)))
		case 11:
			return b.BVSlt(arg(BV(7)), arg(BV(7)))
		case 12:
			return b.BVSle(arg(BV(4)), arg(BV(4)))
		default:
			return b.Select(arg(Array(Int, Bool)), arg(Int))
		}
	case s == Int:
		k := b.Int(rapid.SampledFrom([]int64{-5, -2, 1, 3, 8}).Draw(t, "factor"))
		switch pick(6) {
		case 0:
			return b.Add(arg(s), arg(s), arg(s))
		case 1:
			return b.Sub(arg(s), arg(s))
		case 2:
			return b.Mul(k, arg(s))
		case 3:
			return b.Neg(arg(s))
		case 4:
			return b.Div(arg(s), k)
		default:
			return b.Mod(arg(s), k)
		}
	case s.IsArray():
		if s.Key() == Int && pick(3) == 0 { // see ConstArray for why not over 4 bits
			_, v := g.value(t, s.Elem())
			return b.ConstArray(s, v)
		}
		return b.Store(arg(s), arg(s.Key()), arg(s.Elem()))
	}
	ops := []func(*Builder, *Term, *Term) *Term{
		(*Builder).BVAdd, (*Builder).BVSub, (*Builder).BVMul, (*Builder).BVUDiv, (*Builder).BVURem, (*Builder).BVAnd, (*Builder).BVOr,
		(*Builder).BVXor, (*Builder).BVShl, (*Builder).BVLshr, (*Builder).BVAshr,
	}
	switch pick(8) {
	case 0:
		return b.BVNot(arg(s))
	case 1:
		return b.BVNeg(arg(s))
	case 2:
		switch s.width {
		case 7:
			switch pick(4) {
			case 0:
				return b.Concat(b.Extract(arg(BV(4)), 3, 1), arg(BV(4)))
			case 1:
				return b.ZeroExt(arg(BV(4)), 3)
			default:
				return b.SignExt(arg(BV(4)), 3)
			}
		case 4:
			lo := pick(4)
			return b.Extract(arg(BV(7)), lo+3, lo)
		}
		return b.Extract(arg(BV(7)), 3, 3)
	case 3:
		if s.width == 4 {
			return b.Select(arg(Array(s, s)), arg(s))
		}
		fallthrough
	default:
		return ops[pick(len(ops))](b, arg(s), arg(s))
	}
}

// value draws a value and returns it as a term too.
func (g *terms) value(t *rapid.T, s Sort) (Value, *Term) {
	switch {
	case s == Bool:
		v := rapid.Bool().Draw(t, "value")
		return BoolValue(v), g.b.Bool(v)
	case s == Int:
		v := rapid.Int64Range(-20, 20).Draw(t, "value")
		return IntValue(big.NewInt(v)), g.b.Int(v)
	case s.IsBV():
		v := rapid.Uint64Range(0, 1<<s.width-1).Draw(t, "value")
		return BVValue(new(big.Int).SetUint64(v), s.width), g.b.BV(v, s.width)
	}
	e, et := g.value(t, s.Elem())
	v, vt := Value{sort: s, array: &arrayValue{els: e}}, g.b.ConstArray(s, et)
	for range rapid.IntRange(0, 3).Draw(t, "stores") {
		i, it := g.value(t, s.Key())
		e, et := g.value(t, s.Elem())
		v, vt = v.store(i, e), g.b.Store(vt, it, et)
	}
	return v, vt
}

// Under values for all variables, a term equals what Eval says, according to every solver; and the simplifier did not change it,
// because the solvers also read the values, while Eval was given them.
func TestEvalAgreesWithSolvers(t *testing.T) {
	p := newPool(t, solverConfigs(t)...)
	rapid.Check(t, func(t *rapid.T) {
		var obligations []verify.Obligation
		for n := range 20 {
			g := newTerms()
			term := g.term(t, rapid.SampledFrom([]Sort{Bool, Int, BV(4), BV(7)}).Draw(t, "sort"), 4)
			m := Model{}
			var given []*Term
			for _, v := range g.vars {
				value, vt := g.value(t, v.sort)
				m[v.name] = value
				given = append(given, g.b.Eq(v, vt))
			}
			got := Eval(term, m)
			if !got.Defined() {
				t.Fatalf("%s is undefined", term)
			}
			want := g.b.intern(Term{op: OpConst, sort: term.sort, num: got.num})
			obligations = append(obligations, verify.Obligation{
				ID: fmt.Sprint(n), Logic: "ALL", Text: Script("ALL", append(given, g.b.Not(g.b.Eq(term, want)))...), Guard: Script("ALL", given...),
			})
		}
		results, err := p.Decide(context.Background(), obligations, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if r.Verdict != verify.Proved {
				t.Fatalf("%+v\n%s", r, obligations[i/len(p.solvers)].Text)
			}
		}
	})
}

// A model that a solver gives makes the assertion true, according to Eval.
func TestModelsSatisfy(t *testing.T) {
	p := newPool(t, solverConfigs(t)...)
	satisfiable := 0
	rapid.Check(t, func(t *rapid.T) {
		g := newTerms()
		f := g.b.Func("f", []Sort{BV(4), Bool}, Int)
		bound := g.b.Lt(g.b.Apply(f, g.vars[6], g.vars[0]), g.b.Apply(f, g.vars[7], g.vars[1]))
		term := g.b.And(g.term(t, Bool, 4), bound)
		text := Script("ALL", term)
		for _, s := range p.solvers {
			a, err := s.Decide(context.Background(), text, DecideOptions{WantModel: true})
			if err != nil || a.Status == Failed {
				t.Fatalf("%+v, %v\n%s", a, err, text)
			}
			if a.Status != Sat {
				continue
			}
			satisfiable++
			m, err := ParseModel(a.Model)
			if err != nil {
				t.Fatalf("%s: %v\n%s", s.info.Name, err, a.Model)
			}
			if !Eval(term, m).IsTrue() {
				t.Fatalf("%s: the model\n%s\ndoes not satisfy\n%s", s.info.Name, a.Model, text)
			}
		}
	})
	if satisfiable == 0 {
		t.Error("no term was satisfiable")
	}
}
