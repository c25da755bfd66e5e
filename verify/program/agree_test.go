package program

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/interlock/interlock/verify/smt"
)

// agree runs packets concretely and asks the merged, symbolic terms the same questions: every claim must be reached and be
// violated in the terms exactly when it is in the run. It would show a path that merging lost.
func agree(t *testing.T, in *Input, packets int, packet func(*rand.Rand) (uint16, []byte)) {
	t.Helper()
	m, claims, err := prepare(in)
	if err != nil {
		t.Fatal(err)
	}
	reached, violated := 0, 0
	for seed := range uint64(packets) {
		rng := rand.New(rand.NewPCG(seed, 2))
		port, pkt := packet(rng)
		model := smt.Model{
			"len":  smt.BVValue(big.NewInt(int64(len(pkt))), 16),
			"port": smt.BVValue(big.NewInt(int64(port)), 9),
		}
		for i, b := range pkt {
			model[packetName(i)] = smt.BVValue(big.NewInt(int64(b)), 8)
		}
		ask := func(q Query) *big.Int {
			v := big.NewInt(int64(rng.IntN(1 << min(max(q.Width, 1), 2+rng.IntN(20)))))
			if old, ok := model[q.Name]; ok {
				if q.Width == 0 {
					b, _ := old.Bool()
					return number(m.b.Bool(b))
				}
				return old.Int()
			}
			if q.Width == 0 {
				model[q.Name] = smt.BoolValue(v.Sign() != 0)
			} else {
				model[q.Name] = smt.BVValue(v, q.Width)
			}
			return v
		}
		run, err := runConcrete(in, m, pkt, port, Oracle{Value: ask})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		run.twin, err = runConcrete(in, m, pkt, port, Oracle{Value: func(q Query) *big.Int {
			if q.Left {
				q.Name += otherRun
			}
			return ask(q)
		}})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		p, err := run.claims()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		var ids []string
		for _, c := range claims {
			ids = append(ids, c.id)
			var bad, reach bool
			if x := p.byID[c.id]; x != nil {
				bad, reach = isTrue(run.fold(run.wrong(x))), isTrue(run.fold(run.reached(x)))
			}
			if got := smt.Eval(m.reached(c), model).IsTrue(); got != reach {
				t.Errorf("seed %d: %s: reached in the terms: %v, in the run: %v", seed, c.id, got, reach)
			}
			if got := smt.Eval(m.wrong(c), model).IsTrue(); got != bad {
				t.Errorf("seed %d: %s: violated in the terms: %v, in the run: %v", seed, c.id, got, bad)
			}
			if reach {
				reached++
			}
			if bad {
				violated++
			}
		}
		for id := range p.byID {
			if !slices.Contains(ids, id) {
				t.Errorf("seed %d: the run claims %s, which the terms do not", seed, id)
			}
		}
		if t.Failed() {
			t.Fatalf("port %d, packet % x", port, pkt)
		}
	}
	t.Logf("%d packets: %d times reached, %d times violated", packets, reached, violated)
	if reached < packets {
		t.Errorf("the packets reach little: %d times for %d packets", reached, packets)
	}
}

func TestTermsAgreeWithRuns(t *testing.T) {
	t.Run("two", func(t *testing.T) { agree(t, two(t), 100, twoPacket) })
	t.Run("quickstart", func(t *testing.T) { agree(t, quickstart(t), 40, quickstartPacket) })
	for _, c := range slices.Concat(canaries, readings, forwards, stales) {
		t.Run(c.name, func(t *testing.T) { agree(t, c.input(t), 12, twoPacket) })
	}
	for _, c := range depths {
		t.Run(c.name, func(t *testing.T) { agree(t, c.input(t), 12, twoPacket) })
	}
}
