package smt

import (
	"context"
	"fmt"
	"testing"

	"github.com/interlock/interlock/verify"
)

// intervals are n obligations of the kind that a plan makes: two extents do not overlap. Each differs from all others, so that no
// cache helps.
func intervals(n, salt int) []verify.Obligation {
	obligations := make([]verify.Obligation, n)
	for i := range obligations {
		b := NewBuilder()
		s := b.Var("s", Int)
		base := int64(salt*1_000_000 + i*64)
		in := func(base, size int64) *Term {
			return b.And(b.Le(b.Int(base), s), b.Lt(s, b.Add(b.Int(base), b.Int(size))))
		}
		obligations[i] = verify.Obligation{
			ID: fmt.Sprint(i), Logic: "QF_LIA", Text: Script("QF_LIA", in(base, 64), in(base+64, 64)), Guard: Script("QF_LIA", in(base, 64)),
		}
	}
	return obligations
}

// One iteration is one obligation with its guard.
func BenchmarkDecideSmall(b *testing.B) {
	for _, conf := range solverConfigs(b) {
		conf.Processes = 1
		b.Run(conf.Name, func(b *testing.B) {
			p := newPool(b, conf)
			if _, err := p.Decide(context.Background(), intervals(1, -1), nil); err != nil { // warm up
				b.Fatal(err)
			}
			obligations := intervals(b.N, b.N)
			b.ResetTimer()
			results, err := p.Decide(context.Background(), obligations, nil)
			if err != nil {
				b.Fatal(err)
			}
			for _, r := range results {
				if r.Verdict != verify.Proved {
					b.Fatalf("%+v", r)
				}
			}
		})
	}
}

func BenchmarkFresh(b *testing.B) {
	for _, conf := range solverConfigs(b) {
		b.Run(conf.Name, func(b *testing.B) {
			p := newPool(b, conf)
			for i := range b.N {
				text := fmt.Sprintf("(set-logic QF_LIA)(declare-fun x () Int)(assert (> x %d))(check-sat)", i)
				a, err := p.solvers[0].Decide(context.Background(), text, DecideOptions{WantModel: true})
				if err != nil || a.Model == "" {
					b.Fatalf("%+v, %v", a, err)
				}
			}
		})
	}
}

// One iteration makes 10,000 terms and prints them.
func BenchmarkScript(b *testing.B) {
	for range b.N {
		b := NewBuilder()
		m, n := b.Var("m", BV(32)), b.Var("n", BV(32))
		for i := range 2500 {
			n = b.Ite(b.BVUlt(n, b.BV(uint64(i), 32)), b.BVAdd(n, m), b.BVXor(n, m))
		}
		_ = Script("QF_BV", b.Eq(n, m))
	}
}
