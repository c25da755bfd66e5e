package policy_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/interlock/interlock/policy"
)

var sameRatio = cmp.Comparer(func(a, b policy.Ratio) bool { return a.Cmp(b) == 0 })

func genTenants(t *rapid.T, capacity amounts) []policy.Tenant {
	var resources []string
	for r := range capacity {
		resources = append(resources, r)
	}
	sort.Strings(resources)
	var tenants []policy.Tenant
	for i := range rapid.IntRange(0, 4).Draw(t, "tenants") {
		tenant := policy.Tenant{
			Name:    fmt.Sprintf("t%d", i),
			Weight:  rapid.Int64Range(1, 4).Draw(t, "weight"),
			Budget:  rapid.Int64Range(0, 200).Draw(t, "budget"),
			Balance: ratio(rapid.Int64Range(-5, 200).Draw(t, "balance"), rapid.Int64Range(1, 3).Draw(t, "of")),
		}
		for range rapid.IntRange(0, 8).Draw(t, "quanta") {
			q := amounts{}
			for _, r := range resources {
				q[r] = rapid.Int64Range(0, 4).Draw(t, "demand")
			}
			if total(q) > 0 {
				tenant.Demand = append(tenant.Demand, q)
			}
		}
		switch all := sum(tenant.Demand); rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			tenant = tenant.Inelastic(all)
		case 1:
			tenant.Min, tenant.Max = some(t, "min", all), all
		case 2:
			tenant.Max = some(t, "max", all)
		}
		tenants = append(tenants, tenant)
	}
	return tenants
}

func total(r amounts) (sum int64) {
	for _, x := range r {
		sum += x
	}
	return sum
}

func genCapacity(t *rapid.T) amounts {
	c := amounts{}
	for _, r := range []string{"a", "slots/ingress/0", "slots/ingress/1"}[:rapid.IntRange(1, 3).Draw(t, "resources")] {
		c[r] = rapid.Int64Range(1, 30).Draw(t, "capacity")
	}
	return c
}

// some is a part of r.
func some(t *rapid.T, label string, r amounts) amounts {
	out := amounts{}
	for _, n := range slices.Sorted(maps.Keys(r)) {
		out[n] = rapid.Int64Range(0, r[n]).Draw(t, label)
	}
	return out
}

func ratio(a, b int64) policy.Ratio {
	r, err := policy.NewRatio(a, b)
	if err != nil {
		panic(err)
	}
	return r
}

// What holds of every policy: nothing is granted beyond capacity or demand, inelastic tenants get all or nothing, the trace adds up
// to the result, quotas and budgets hold, and the order in which tenants are given does not matter.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"drf", "quota", "pay-as-you-go"}).Draw(t, "policy")
		p, err := policy.Load(policy.Builtin + name)
		if err != nil {
			t.Fatal(err)
		}
		capacity := genCapacity(t)
		tenants := genTenants(t, capacity)
		if name == "drf" {
			for i := range tenants {
				tenants[i].Weight = 1
			}
		}
		a, err := p.Entitle(context.Background(), tenants, capacity)
		if errors.Is(err, policy.ErrInput) {
			t.Skip("no whole number of quanta is between min and max")
		} else if err != nil {
			t.Fatal(err)
		}
		sum, traced := amounts{}, map[string]amounts{}
		for _, d := range a.Trace {
			if d.Granted {
				if traced[d.Tenant] == nil {
					traced[d.Tenant] = amounts{}
				}
				for r, x := range d.Amount {
					traced[d.Tenant][r] += x
				}
			}
		}
		for i, e := range a.Entitlements {
			asked := amounts{}
			for _, q := range tenants[i].Demand {
				for r, x := range q {
					asked[r] += x
				}
			}
			price := new(big.Rat)
			for r, x := range e.Usage {
				sum[r] += x
				if x > asked[r] || x < 0 {
					t.Fatalf("%s holds %d of %s and asked for %d", e.Tenant, x, r, asked[r])
				}
				share := big.NewRat(x, capacity[r])
				price.Add(price, new(big.Rat).Mul(share, big.NewRat(100, 1)))
				if name == "quota" && share.Cmp(big.NewRat(tenants[i].Weight, 2)) > 0 {
					t.Fatalf("%s holds %v of %s, above its quota", e.Tenant, share, r)
				}
			}
			if name == "pay-as-you-go" && price.Cmp(big.NewRat(tenants[i].Budget, 1)) > 0 {
				t.Fatalf("%s pays %v of %d", e.Tenant, price, tenants[i].Budget)
			}
			if name == "pay-as-you-go" && e.Cost.String() != price.RatString() {
				t.Fatalf("%s: cost %s, want %s", e.Tenant, e.Cost, price.RatString())
			}
			for r, x := range tenants[i].Min {
				if len(e.Usage) > 0 && e.Usage[r] < x {
					t.Fatalf("%s holds %v and needs %v", e.Tenant, e.Usage, tenants[i].Min)
				}
			}
			for r, x := range e.Usage {
				if tenants[i].Max != nil && x > tenants[i].Max[r] {
					t.Fatalf("%s holds %v and may have %v", e.Tenant, e.Usage, tenants[i].Max)
				}
			}
			if traced[e.Tenant] == nil {
				traced[e.Tenant] = amounts{}
			}
			if d := cmp.Diff(traced[e.Tenant], e.Usage); d != "" {
				t.Fatalf("%s: the trace says otherwise: %s", e.Tenant, d)
			}
		}
		for r, x := range sum {
			if x > capacity[r] || x+a.Free[r] != capacity[r] {
				t.Fatalf("%s: %d granted and %d free of %d", r, x, a.Free[r], capacity[r])
			}
		}
		shuffled := rapid.Permutation(tenants).Draw(t, "order")
		b, err := p.Entitle(context.Background(), shuffled, capacity)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(a.Trace, b.Trace, sameRatio); d != "" {
			t.Fatalf("the order of tenants matters: %s", d)
		}
	})
}

// Floors can be had by all at once, shares too, and a ceiling by its tenant beside the others' floors.
func TestMemoryBoundsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"drf", "quota", "pay-as-you-go"}).Draw(t, "policy")
		p, err := policy.Load(policy.Builtin + name)
		if err != nil {
			t.Fatal(err)
		}
		capacity := amounts{"s0": 256, "s1": 256}
		var demands []policy.MemoryDemand
		for i := range rapid.IntRange(1, 5).Draw(t, "tenants") {
			d := policy.MemoryDemand{Tenant: policy.Tenant{Name: fmt.Sprint("t", i), Weight: 1, Budget: 500}}
			least := rapid.SampledFrom([]int64{0, 4, 8, 16}).Draw(t, "least")
			d.Rungs = []amounts{{"s0": least}}
			for s := int64(32); s <= 256 && rapid.Bool().Draw(t, "more"); s *= 2 {
				d.Rungs = append(d.Rungs, amounts{"s0": s, "s1": s / 4})
			}
			demands = append(demands, d)
		}
		bounds, err := p.MemoryBounds(context.Background(), demands, capacity)
		if err != nil {
			t.Fatal(err)
		}
		fits := func(level func(j int) int) bool {
			for r, c := range capacity {
				var sum int64
				for j := range demands {
					sum += demands[j].Rungs[level(j)][r]
				}
				if sum > c {
					return false
				}
			}
			return true
		}
		for i, b := range bounds {
			if b.Floor != 0 || b.Share < b.Floor || b.Ceiling < b.Share || b.Ceiling >= len(demands[i].Rungs) {
				t.Fatalf("bounds of %s: %+v", demands[i].Name, b)
			}
			if (b.Why == "") != (b.Ceiling == len(demands[i].Rungs)-1) {
				t.Fatalf("%s: ceiling %d of %d, why %q", b.Tenant, b.Ceiling, len(demands[i].Rungs)-1, b.Why)
			}
			if name != "drf" {
				continue
			}
			if !fits(func(j int) int {
				if j == i {
					return b.Ceiling
				}
				return 0
			}) {
				t.Fatalf("%s: the ceiling does not fit beside the floors", b.Tenant)
			}
			if b.Ceiling+1 < len(demands[i].Rungs) && fits(func(j int) int {
				if j == i {
					return b.Ceiling + 1
				}
				return 0
			}) {
				t.Fatalf("%s: more than the ceiling fits", b.Tenant)
			}
		}
		if !fits(func(j int) int { return bounds[j].Share }) {
			t.Fatalf("the shares do not fit: %+v", bounds)
		}
	})
}
