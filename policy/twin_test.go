package policy_test

import (
	"context"
	"errors"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
)

// twin is a policy as a textbook would have it, over maps and scanning everybody each time. It shares nothing with the engine or with CEL.
type twin struct {
	rank   func(w *world, t *holder) *big.Rat
	limit  func(w *world, t *holder) bool
	valid  func(w *world) bool
	settle func(w *world, t *holder) *big.Rat
}

// world is what a twin sees: t already holds what is about to be granted when limit is asked.
type world struct {
	capacity amounts
	tenants  []*holder
}

type holder struct {
	policy.Tenant
	held   amounts
	quanta []amounts
	out    bool
}

func rat(a, b int64) *big.Rat { return big.NewRat(a, b) }

func plus(a, b *big.Rat) *big.Rat  { return new(big.Rat).Add(a, b) }
func less(a, b *big.Rat) *big.Rat  { return new(big.Rat).Sub(a, b) }
func times(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }
func over(a, b *big.Rat) *big.Rat  { return new(big.Rat).Quo(a, b) }

func larger(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}

// share is the largest share of anything that t holds.
func (w *world) share(t *holder) *big.Rat {
	s := new(big.Rat)
	for r, x := range t.held {
		if x > 0 {
			s = larger(s, rat(x, w.capacity[r]))
		}
	}
	return s
}

func (w *world) meanShare(t *holder) *big.Rat {
	s := new(big.Rat)
	for r, x := range t.held {
		if x > 0 {
			s = plus(s, rat(x, w.capacity[r]))
		}
	}
	return s
}

// within says that the running sums stay below a bound.
func within(r, bound amounts) bool {
	for n, x := range r {
		if x > bound[n] {
			return false
		}
	}
	return true
}

func sumMaps(a, b amounts) amounts { return sum([]amounts{a, b}) }

// fill is progressive filling, the slow way.
func (tw twin) fill(tenants []policy.Tenant, capacity amounts) (*world, bool) {
	w := &world{capacity: capacity}
	for _, t := range tenants {
		h := &holder{Tenant: t, held: amounts{}}
		var whole amounts
		for _, q := range t.Demand {
			if len(h.quanta) == 0 && whole != nil && within(t.Min, whole) {
				h.quanta, whole = append(h.quanta, whole), q
				continue
			}
			if len(h.quanta) == 0 {
				whole = sumMaps(whole, q)
				continue
			}
			h.quanta, whole = append(h.quanta, whole), q
		}
		if whole != nil {
			h.quanta = append(h.quanta, whole)
		}
		if t.Max != nil {
			var running amounts
			for i, q := range h.quanta {
				if running = sumMaps(running, q); !within(running, t.Max) {
					h.quanta = h.quanta[:i]
					break
				}
			}
		}
		w.tenants = append(w.tenants, h)
	}
	for {
		var best *holder
		for _, t := range w.tenants {
			if t.out || len(t.quanta) == 0 {
				continue
			}
			if best == nil || tw.rank(w, t).Cmp(tw.rank(w, best)) < 0 || tw.rank(w, t).Cmp(tw.rank(w, best)) == 0 && t.Name < best.Name {
				best = t
			}
		}
		if best == nil {
			return w, tw.valid == nil || tw.valid(w)
		}
		before, quanta := maps.Clone(best.held), best.quanta
		best.held, best.quanta = sumMaps(best.held, quanta[0]), quanta[1:]
		var all amounts
		for _, t := range w.tenants {
			all = sumMaps(all, t.held)
		}
		if !within(all, capacity) || tw.limit != nil && !tw.limit(w, best) {
			best.held, best.quanta, best.out = before, quanta, true
		}
	}
}

// twins has one for each policy in specs/policies, with the parameters' defaults.
func twins() map[string]twin {
	weighted := func(w *world, t *holder) *big.Rat { return over(w.share(t), rat(t.Weight, 1)) }
	cost := func(w *world, t *holder) *big.Rat { return times(rat(100, 1), w.meanShare(t)) }
	credit := karma{}
	return map[string]twin{
		"drf": {
			rank: func(w *world, t *holder) *big.Rat { return w.share(t) },
			valid: func(w *world) bool {
				return !slices.ContainsFunc(w.tenants, func(t *holder) bool { return t.Weight != w.tenants[0].Weight })
			},
		},
		"weighted-drf": {rank: weighted},
		"max-min":      {rank: func(w *world, t *holder) *big.Rat { return over(w.meanShare(t), rat(t.Weight, 1)) }},
		"strict-priority": {rank: func(w *world, t *holder) *big.Rat {
			return less(w.share(t), rat(1000*t.Weight, 1))
		}},
		"quota": {
			rank:  weighted,
			limit: func(w *world, t *holder) bool { return w.share(t).Cmp(rat(t.Weight, 2)) <= 0 },
		},
		"pay-as-you-go": {
			rank:   cost,
			limit:  func(w *world, t *holder) bool { return cost(w, t).Cmp(rat(t.Budget, 1)) <= 0 },
			settle: func(_ *world, t *holder) *big.Rat { return t.Balance.Rat() },
		},
		"guarantee-burst": {
			rank: func(w *world, t *holder) *big.Rat {
				mine := rat(1, 2*int64(len(w.tenants)))
				for r, c := range w.capacity {
					if rat(t.held[r]+t.quanta[0][r], 1).Cmp(times(mine, rat(c, 1))) > 0 {
						return plus(rat(1000, 1), weighted(w, t))
					}
				}
				return w.share(t)
			},
			limit: func(w *world, t *holder) bool { return w.share(t).Cmp(rat(1, 1)) <= 0 },
		},
		"credits": {rank: credit.rank, limit: credit.limit, settle: credit.settle},
	}
}

// karma counts the resources whose names begin with slots/.
type karma struct{}

func counted(r amounts) *big.Rat {
	var n int64
	for name, x := range r {
		if strings.HasPrefix(name, "slots/") {
			n += x
		}
	}
	return rat(n, 1)
}

// safe is the part of the fair share that is guaranteed by default: half of it; the rest is given as credits.
func (karma) safe(w *world) *big.Rat {
	return over(counted(w.capacity), rat(2*int64(len(w.tenants)), 1))
}

func (k karma) borrowed(w *world, t *holder) *big.Rat {
	return larger(new(big.Rat), less(counted(t.held), k.safe(w)))
}

func (k karma) lent(w *world, t *holder) *big.Rat {
	most := t.Max
	if most == nil {
		most = sum(t.Demand)
	}
	if !t.Active {
		most = t.Min
	}
	return larger(new(big.Rat), less(k.safe(w), counted(most)))
}

func (k karma) credits(w *world, t *holder) *big.Rat { return plus(t.Balance.Rat(), k.safe(w)) }

func (k karma) rank(w *world, t *holder) *big.Rat {
	if !t.Active {
		return rat(1, 1)
	}
	if counted(t.held).Cmp(k.safe(w)) < 0 {
		return rat(-1_000_000, 1)
	}
	return new(big.Rat).Neg(larger(new(big.Rat), less(k.credits(w, t), k.borrowed(w, t))))
}

func (k karma) limit(w *world, t *holder) bool {
	if !t.Active && k.borrowed(w, t).Sign() > 0 {
		for r, x := range t.held {
			if strings.HasPrefix(r, "slots/") && x > t.Min[r] {
				return false
			}
		}
	}
	return k.borrowed(w, t).Cmp(larger(new(big.Rat), k.credits(w, t))) <= 0
}

func (k karma) settle(w *world, t *holder) *big.Rat {
	lent, borrowed := new(big.Rat), new(big.Rat)
	for _, o := range w.tenants {
		lent, borrowed = plus(lent, k.lent(w, o)), plus(borrowed, k.borrowed(w, o))
	}
	left := less(k.credits(w, t), k.borrowed(w, t))
	if lent.Sign() == 0 {
		return left
	}
	earned := k.lent(w, t)
	if borrowed.Cmp(lent) < 0 {
		earned = times(earned, over(borrowed, lent))
	}
	return plus(left, new(big.Rat).SetInt(new(big.Int).Div(earned.Num(), earned.Denom()))) // whole credits
}

// Every policy that is shipped allocates as its twin does.
func TestTwins(t *testing.T) {
	all := twins()
	for _, name := range specs.PolicyNames() {
		t.Run(name, func(t *testing.T) {
			tw, ok := all[name]
			if !ok {
				t.Fatal("the policy has no twin")
			}
			p := load(t, policy.Builtin+name)
			rapid.Check(t, func(t *rapid.T) {
				capacity := genCapacity(t)
				tenants := genTenants(t, capacity)
				for i := range tenants {
					tenants[i].Active = rapid.IntRange(0, 3).Draw(t, "idle") > 0
				}
				if rapid.Bool().Draw(t, "equal") {
					for i := range tenants {
						tenants[i].Weight = 1
					}
				}
				have, err := p.Entitle(context.Background(), tenants, capacity)
				if errors.Is(err, policy.ErrInput) {
					t.Skip("no whole number of quanta is between min and max")
				}
				want, valid := tw.fill(tenants, capacity)
				if valid != (err == nil) {
					t.Fatalf("the twin says %v, the policy %v", valid, err)
				}
				if err != nil {
					return
				}
				for i, h := range want.tenants {
					e := have.Entitlements[i]
					maps.DeleteFunc(h.held, func(_ string, x int64) bool { return x == 0 })
					if d := cmp.Diff(h.held, e.Usage); d != "" {
						t.Fatalf("tenant %s: %s", h.Name, d)
					}
					if (tw.settle == nil) != (e.Balance == nil) {
						t.Fatalf("tenant %s: balance %v", h.Name, e.Balance)
					}
					if tw.settle != nil && tw.settle(want, h).Cmp(e.Balance.Rat()) != 0 {
						t.Fatalf("tenant %s: balance %v, want %v", h.Name, e.Balance, tw.settle(want, h))
					}
				}
			})
		})
	}
}
