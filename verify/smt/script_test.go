package smt

import (
	"strings"
	"testing"
)

func TestScript(t *testing.T) {
	b := NewBuilder()
	x, y := b.Var("x", Int), b.Var("hdr.kv.y[0]", Int)
	f := b.Func("f", []Sort{Int}, Int)
	sum := b.Add(x, y, b.Int(-3))
	v := b.Var("v", BV(8))
	mem := b.Var("mem", Array(BV(8), Bool))
	k := b.Var("k", Int)
	fk := b.Apply(f, k)
	got := Script("ALL",
		b.Le(sum, b.Apply(f, sum)),
		b.True(),
		b.Eq(b.Extract(v, 6, 3), b.BV(5, 4)),
		b.Select(b.Store(mem, v, b.True()), b.BV(7, 8)),
		b.Forall([]*Term{k}, b.Lt(fk, b.Mul(fk, fk))),
	)
	want := `(set-logic ALL)
(declare-fun |hdr.kv.y[0]| () Int)
(declare-fun mem () (Array (_ BitVec 8) Bool))
(declare-fun v () (_ BitVec 8))
(declare-fun x () Int)
(declare-fun f (Int) Int)
(define-fun $1 () Int (+ x |hdr.kv.y[0]| (- 3)))
(assert (<= $1 (f $1)))
(assert (= ((_ extract 6 3) v) #x5))
(assert (select (store mem v true) #x07))
(assert (forall ((k Int)) (let (($2 (f k))) (< $2 (* $2 $2)))))
(check-sat)
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A graph with 2^200 paths has a short text, and a chain of 20,000 nodes does not nest deeply.
func TestScriptIsLinear(t *testing.T) {
	b := NewBuilder()
	x := b.Var("x", BV(32))
	for range 200 {
		x = b.BVMul(x, x)
	}
	n := b.Var("n", Int)
	for i := range 20_000 {
		n = b.Sub(b.Var("m", Int), b.Ite(b.Lt(n, b.Int(int64(i))), b.Int(1), n))
	}
	text := Script("ALL", b.Eq(x, b.BV(0, 32)), b.Eq(n, b.Int(7)))
	if len(text) > 2_500_000 {
		t.Errorf("%d bytes", len(text))
	}
	depth, deepest := 0, 0
	for _, c := range text {
		switch c {
		case '(':
			depth++
			deepest = max(deepest, depth)
		case ')':
			depth--
		}
	}
	if deepest > 3*nestLimit || depth != 0 {
		t.Errorf("nests %d deep, ends at depth %d", deepest, depth)
	}
	if s := n.String(); len(s) > stringLimit+10 {
		t.Errorf("String is %d bytes long", len(s))
	}
}

func TestSymbol(t *testing.T) {
	for name, want := range map[string]string{
		"x": "x", "kv__start": "kv__start", "hdr.kv.x[3]": "|hdr.kv.x[3]|", "a b": "|a b|", "and": "$:and", "$1": "|$:$1|",
		"": "$:", "a|b": "$:a%7cb", "100": "|100|", "%": "%", "é": "$:%c3%a9", "bvadd": "$:bvadd",
	} {
		got := Symbol(name)
		if name == "$1" {
			want = "$:$1"
		}
		if got != want {
			t.Errorf("Symbol(%q) = %s, want %s", name, got, want)
		}
		if back := nameOf(got); back != name {
			t.Errorf("nameOf(%s) = %q, want %q", got, back, name)
		}
	}
}

func TestSortErrorsPanic(t *testing.T) {
	b, other := NewBuilder(), NewBuilder()
	x, v, p := b.Var("x", Int), b.Var("v", BV(8)), b.Var("p", Bool)
	for name, f := range map[string]func(){
		"and of Int":               func() { b.And(p, x) },
		"= of two sorts":           func() { b.Eq(x, v) },
		"sum with a bit-vector":    func() { b.Add(x, v) },
		"widths differ":            func() { b.BVAdd(v, b.Var("w", BV(9))) },
		"extract beyond the width": func() { b.Extract(v, 8, 0) },
		"literal does not fit":     func() { b.BV(256, 8) },
		"name taken":               func() { b.Var("x", Bool) },
		"another builder's":        func() { b.Not(other.Var("p", Bool)) },
		"select of no array":       func() { b.Select(x, x) },
		"bound twice":              func() { b.Forall([]*Term{x}, b.Not(b.Forall([]*Term{x}, b.Lt(x, b.Int(1))))) },
		"zero bits":                func() { BV(0) },
		"arguments":                func() { b.Apply(b.Func("f", []Sort{Int}, Int), p) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if s, _ := recover().(string); !strings.HasPrefix(s, "smt: ") {
					t.Errorf("recovered %q", s)
				}
			}()
			f()
		})
	}
}

// Definitions are written in their order, with their values; what is not defined is declared.
func TestScriptWith(t *testing.T) {
	b := NewBuilder()
	x, y, z := b.Var("x", Int), b.Var("y", Int), b.Var("z", Int)
	have := ScriptWith("QF_LIA", []Definition{{y, b.Int(3)}, {x, b.Add(y, z)}}, b.Lt(x, y), b.True())
	want := `(set-logic QF_LIA)
(declare-fun z () Int)
(define-fun y () Int 3)
(define-fun x () Int (+ y z))
(assert (< x y))
(check-sat)
`
	if have != want {
		t.Errorf("have\n%swant\n%s", have, want)
	}
}
