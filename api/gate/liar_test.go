package gate_test

import (
	"context"
	"slices"

	"github.com/interlock/interlock/verify"
)

// A liar is a decider one of whose answers is wrong.
type liar struct {
	verify.Decider
	pick   int
	second bool // the wrong answer is another solver's, besides the right one
	lie    func(*verify.Result)
	a      *attempt
}

func (l *liar) Decide(ctx context.Context, obs []verify.Obligation, progress func(int, int)) ([]verify.Result, error) {
	rs, err := l.Decider.Decide(ctx, obs, progress)
	if err != nil {
		return rs, err
	}
	if l.second {
		for _, r := range slices.Clone(rs) {
			r.Solver = "second"
			rs = append(rs, r)
		}
		l.lie(&rs[len(rs)/2+l.pick%(len(rs)/2)])
	} else {
		l.lie(&rs[l.pick%len(rs)])
	}
	l.a.fire()
	return rs, err
}

func wrongSolver(name string, lie func(*verify.Result)) fault {
	return fault{
		name: name, fatal: true, nothing: true, refuses: refusedWith(verify.ErrUndecided),
		open: func(c *campaign, a *attempt) {
			a.conf.Decider = &liar{Decider: a.conf.Decider, pick: c.rnd.IntN(1 << 20), lie: lie, a: a}
		},
		replace: func(c *replaceCampaign, b *bringing) {
			b.conf.Decider = &liar{Decider: b.conf.Decider, pick: c.rnd.IntN(1 << 20), lie: lie, a: c.a}
		},
	}
}
