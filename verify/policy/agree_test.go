package policy

import (
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify/smt"
)

var (
	pairs = flag.Int("pairs", 3000, "how many random (expression, input) pairs TestAgree compares")
	seed  = flag.Uint64("seed", 0, "of the random expressions; 0 is one from the clock")
)

const agreePolicy = `apiVersion: interlock/v1alpha1
kind: SharingPolicy
metadata: {name: agree}
spec:
  params:
    - {name: share, type: ratio, default: "2/3"}
    - {name: most, type: int, default: 5}
    - {name: open, type: bool, default: true}
    - {name: tier, type: string, default: gold}
    - {name: names, type: list(string), default: [a, b]}
    - {name: prices, type: map(int), default: {x: 3, z: -2}}
  variables:
    - {name: held, expression: "dominantShare(tenant.usage, capacity)"}
    - {name: double, expression: tenant.weight * 2}
    - {name: broken, expression: 10 / tenant.budget}
    - {name: twice, expression: "tenant.usage.transformMap(k, v, v > 1, v * 2)"}
    - {name: some, expression: "tenants.filter(t, t.active).map(t, t.weight)"}
  price: >-
    sum(capacity.map(r, ratio(tenant.usage[r], capacity[r] > 0 ? capacity[r] : 1) * (r in params.prices ? params.prices[r] : 1)))
  rank: variables.held / tenant.weight
  grant: tenant.demand
`

// inputs of an expression.
type inputs struct {
	tenants  []sharing.Tenant
	capacity sharing.Resources
	usage    []sharing.Resources
}

func randomInputs(r *rand.Rand) inputs {
	amount := func() int64 {
		return []int64{0, 0, 1, 1, 2, 3, 5, 8, r.Int64N(1 << 20), 1 << 62, 1<<62 - 1}[r.IntN(11)]
	}
	resources := func() sharing.Resources { return sharing.Resources{"x": amount(), "y": amount()} }
	in := inputs{capacity: sharing.Resources{"x": amount() + amount()/2, "y": amount() + 1}}
	for i := range 2 {
		t := sharing.Tenant{
			Name: string(rune('a' + i)), VID: uint16(r.IntN(4095)), Weight: 1 + amount(), Budget: amount(), Active: r.IntN(2) == 0,
			Held: resources(),
		}
		t.Balance, _ = sharing.NewRatio(r.Int64N(1<<40)-1<<39, 1+amount())
		t.Utility, _ = sharing.NewRatio(amount()%8, 7)
		t.Target, _ = sharing.NewRatio(amount()%3, 3)
		if r.IntN(2) == 0 {
			t.Past = &sharing.Past{Active: !t.Active, Utility: t.Target, Balance: t.Utility}
		}
		used, next := resources(), resources()
		for _, res := range []string{"x", "y"} {
			if next[res] > 1<<61 && used[res] > 1<<61 {
				next[res] = 1
			}
		}
		t.Demand = []sharing.Resources{used, next}
		if used["x"] > 0 || used["y"] > 0 {
			t.Min = sharing.Resources{"x": used["x"] / 2}
		}
		in.tenants = append(in.tenants, t)
		in.usage = append(in.usage, used)
	}
	return in
}

// model gives the variables of a state the values of the inputs.
func (s *state) model(in inputs) smt.Model {
	m := smt.Model{}
	set := func(x integer, v int64) {
		if !x.t.IsConst() {
			m[x.t.Name()] = smt.IntValue(big.NewInt(v))
		}
	}
	setRatio := func(r ratio, v sharing.Ratio) {
		q := v.Rat()
		m[r[0].num[0].t.Name()] = smt.IntValue(q.Num())
		m[r[0].den[0].t.Name()] = smt.IntValue(q.Denom())
	}
	for j, r := range s.space.names {
		set(s.capacity[j], in.capacity[r])
		free := in.capacity[r]
		for i, t := range in.tenants {
			u := s.tenants[i]
			free -= in.usage[i][r]
			set(u.usage[j], in.usage[i][r])
			next, most := int64(0), int64(0)
			for _, q := range t.Demand {
				most += q[r]
			}
			if q := following(t, in.usage[i]); q != nil {
				next = q[r]
			}
			set(u.demand[j], next)
			set(u.min[j], t.Min[r])
			set(u.max[j], most)
			set(u.held[j], t.Held[r])
		}
		set(s.free[j], free)
	}
	for i, t := range in.tenants {
		u := s.tenants[i]
		set(u.weight, t.Weight)
		set(u.budget, t.Budget)
		set(u.vid, int64(t.VID))
		was := sharing.Past{Active: t.Active, Utility: t.Utility, Balance: t.Balance}
		if t.Past != nil {
			was = *t.Past
		}
		m[u.active.t.Name()] = smt.BoolValue(t.Active)
		m[u.was.active.t.Name()] = smt.BoolValue(was.Active)
		setRatio(u.balance, t.Balance)
		setRatio(u.was.balance, was.Balance)
		setRatio(u.utility, t.Utility)
		setRatio(u.was.utility, was.Utility)
		setRatio(u.target, t.Target)
	}
	return m
}

// following is the quantum after those that make up usage, which is none or the first one.
func following(t sharing.Tenant, usage sharing.Resources) sharing.Resources {
	none := func(r sharing.Resources) bool { return r["x"] == 0 && r["y"] == 0 }
	for i, q := range t.Demand {
		if !none(q) && (i > 0 || none(usage)) {
			return q
		}
	}
	return nil
}

// concrete is a value under a model, in words that cel-go's values have too.
func concrete(v value, m smt.Model) string {
	number := func(t *smt.Term) *big.Int { return smt.Eval(t, m).Int() }
	holds := func(t *smt.Term) bool { return smt.Eval(t, m).IsTrue() }
	switch v := v.(type) {
	case boolean:
		return fmt.Sprint(holds(v.t))
	case integer:
		return number(v.t).String()
	case ratio:
		var best *big.Rat
		for _, f := range v {
			num, den := new(big.Int).Set(f.over), new(big.Int).Set(f.under)
			for _, x := range f.num {
				num.Mul(num, number(x.t))
			}
			for _, x := range f.den {
				den.Mul(den, number(x.t))
			}
			if den.Sign() <= 0 {
				return "a denominator that is not positive"
			}
			if q := new(big.Rat).SetFrac(num, den); best == nil || q.Cmp(best) > 0 {
				best = q
			}
		}
		return "ratio " + best.RatString()
	case text:
		return "string " + chosen(v, m)
	case thing:
		var is *object
		n := 0
		for _, o := range v {
			if holds(o.when) {
				is, n = o.is, n+1
			}
		}
		if n != 1 {
			return fmt.Sprintf("%d objects at once", n)
		}
		return is.name
	case list:
		var all []string
		for _, x := range v {
			if holds(x.on) {
				all = append(all, concrete(x.v, m))
			}
		}
		return "[" + strings.Join(all, ", ") + "]"
	case mapping:
		var all []string
		for _, e := range v.entries {
			if holds(e.on) {
				all = append(all, e.key+": "+concrete(e.v, m))
			}
		}
		return "{" + strings.Join(all, ", ") + "}"
	case optional:
		if !holds(v.on) {
			return "none"
		}
		return "optional " + concrete(v.v, m)
	}
	return fmt.Sprintf("%T", v)
}

func chosen(v text, m smt.Model) string {
	var all []string
	for _, o := range v {
		if smt.Eval(o.when, m).IsTrue() {
			all = append(all, o.is)
		}
	}
	if len(all) != 1 {
		return fmt.Sprintf("%d strings at once", len(all))
	}
	return all[0]
}

// spelled is cel-go's value in the same words.
func spelled(v ref.Val, nameOf func(ref.Val) string) string {
	switch v := v.(type) {
	case types.Bool, types.Int:
		return fmt.Sprint(v.Value())
	case sharing.Ratio:
		return "ratio " + v.String()
	case types.String:
		return "string " + string(v)
	case *types.Optional:
		if !v.HasValue() {
			return "none"
		}
		return "optional " + spelled(v.GetValue(), nameOf)
	case traits.Lister:
		var all []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			all = append(all, spelled(it.Next(), nameOf))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case traits.Mapper:
		var all []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			k := it.Next()
			x, _ := v.Find(k)
			all = append(all, fmt.Sprint(k.Value())+": "+spelled(x, nameOf))
		}
		slices.Sort(all)
		return "{" + strings.Join(all, ", ") + "}"
	}
	return nameOf(v)
}

// For random expressions and random inputs, what cel-go evaluates to is what the translation means.
func TestAgree(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", *seed)
	r := rand.New(rand.NewPCG(*seed, 1))
	p, err := sharing.Parse("agree.yaml", []byte(agreePolicy))
	if err != nil {
		t.Fatal(err)
	}
	const inputsEach = 20
	var shared []inputs
	var states []*sharing.State
	for len(shared) < 400 {
		in := randomInputs(r)
		st, err := p.State(in.tenants, in.capacity, in.usage)
		if err != nil {
			continue
		}
		shared, states = append(shared, in), append(states, st)
	}
	bounds := Bounds{Tenants: []string{"a", "b"}, Resources: []string{"x", "y"}, Over: true}
	count, failed, errors, refused, rejected := 0, 0, 0, map[string]int{}, 0
	kinds := []string{"bool", "int", "ratio", "string", "map", "ints", "ratios", "strings", "bool", "int", "ratio", "optional int"}
	for count < *pairs && failed < 5 {
		g := &generator{Rand: r, vars: map[string][]string{}}
		text := g.expr(kinds[r.IntN(len(kinds))], 1+r.IntN(5))
		e, err := p.Statement("random", text, nil)
		if err != nil {
			rejected++
			continue
		}
		b := smt.NewBuilder()
		s := newState(b, p, bounds, "")
		v, err := translate(b, e, s.scope(s.tenants[0]).name)
		if err != nil {
			_, reason, _ := strings.Cut(err.Error(), "not provable: ")
			refused[reason]++
			continue
		}
		for range inputsEach {
			i := r.IntN(len(shared))
			count++
			have, evalErr := states[i].Eval(e, "a")
			m := s.model(shared[i])
			bad := smt.Eval(v.err, m)
			isErr, known := bad.Bool()
			got := "error"
			if known && !isErr && v.v != nil {
				got = concrete(v.v, m)
			} else if !known {
				got = "neither value nor error"
			}
			want := "error"
			if evalErr == nil {
				want = spelled(have, func(ref.Val) string { return "tenant" })
			} else {
				errors++
			}
			if got != want && want != "tenant" {
				failed++
				t.Errorf("%s\n  with %+v: cel-go %s (%v), translation %s", text, shared[i], want, evalErr, got)
				break
			}
		}
	}
	unprovable := 0
	for _, n := range refused {
		unprovable += n
	}
	t.Logf("%d pairs, %d of them errors; %d expressions not translated, %d not compiled", count, errors, unprovable, rejected)
	if testing.Verbose() {
		for reason, n := range refused {
			t.Logf("  %6d not provable: %s", n, reason)
		}
	}
}
