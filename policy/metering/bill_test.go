package metering

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
)

// at is a time of the tests: a few nanoseconds after an odd one.
func at(n int64) time.Time { return time.Unix(1_700_000_000, 123_456_789+n) }

const document = `apiVersion: interlock/v1alpha1
kind: SharingPolicy
metadata: {name: test}
spec:
  mode: MODE
  price: >-
    PRICE
  rank: "0"
  grant: tenant.demand
`

// prices are terms with a price, for two arrays.
func prices(t testing.TB, price, mode, epoch string, tenants ...string) *Prices {
	t.Helper()
	text := strings.NewReplacer("PRICE", price, "MODE", mode).Replace(document)
	if price == "" {
		text = strings.Replace(text, "  price: >-\n    \n", "", 1)
	}
	p, err := policy.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	terms := Terms{
		Epoch: epoch, Capacity: policy.Resources{"x": 100, "y": 50},
		Resources: []Resource{{"y", "s2", "egress/0"}, {"x", "s1", "ingress/0"}},
	}
	var parties []policy.Tenant
	for _, n := range tenants {
		parties = append(parties, policy.Tenant{Name: n, Weight: 1})
	}
	b, err := terms.Marshal(p, parties)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Price(b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compute(t testing.TB, r *Record, from, to int64) *Bill {
	t.Helper()
	b, err := Compute(context.Background(), r, at(from), at(to))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func owes(b *Bill, tenant string) *big.Rat {
	for _, inv := range b.Invoices {
		if inv.Tenant == tenant {
			return inv.Exact
		}
	}
	return new(big.Rat)
}

func TestCompute(t *testing.T) {
	linear := "ratio(tenant.usage['x'], 3) + tenant.usage['y'] * 2"
	span := func(sw string, from, to int64, held ...Holding) Span {
		return Span{Switch: sw, From: at(from), To: at(to), Held: held}
	}
	x := func(tenant string, n int64) Holding { return Holding{tenant, "ingress/0", n} }
	y := func(tenant string, n int64) Holding { return Holding{tenant, "egress/0", n} }
	for _, c := range []struct {
		name     string
		spans    []Span
		inForce  func(t *testing.T) []InForce
		from, to int64
		want     string // of tenant a, in credits times 1e9 (an epoch is a second)
		gaps     string
	}{
		{"one span inside", []Span{span("s1", 10, 20, x("a", 6))}, nil, 0, 100, "20", ""},
		{"half open at both ends", []Span{span("s1", 0, 10, x("a", 3)), span("s1", 10, 20, x("a", 6))}, nil, 5, 15, "15", ""},
		{"two switches", []Span{span("s1", 0, 10, x("a", 3)), span("s2", 5, 10, y("a", 1))}, nil, 0, 10, "20", ""},
		{"somebody else's", []Span{span("s1", 0, 10, x("b", 3))}, nil, 0, 10, "0", ""},
		{"unknown in between", []Span{
			span("s1", 0, 4, x("a", 3)), {Switch: "s1", From: at(4), To: at(6), Unknown: "lost"}, span("s1", 6, 10, x("a", 3)),
		}, nil, 0, 10, "8", "s1 4-6 lost"},
		{"an array without a price", []Span{span("s1", 0, 4, y("a", 3))}, nil, 0, 10, "0", "s1 0-4 the terms in force do not speak of egress/0"},
		{
			"a tenant that the terms do not know",
			[]Span{span("s1", 0, 4, x("c", 3), x("a", 3))},
			nil, 0, 10, "4",
			"s1 0-4 the terms in force do not speak of tenant c, which holds slots",
		},
		{"dearer from a time on", []Span{span("s1", 0, 10, x("a", 3))}, func(t *testing.T) []InForce {
			return []InForce{{From: at(-5), Prices: prices(t, linear, "Enforce", "1s", "a")}, {From: at(6), Prices: prices(t, "tenant.usage['x']", "Enforce", "1s", "a")}}
		}, 0, 10, "18", ""},
		{"before there are terms", []Span{span("s1", 0, 10, x("a", 3))}, func(t *testing.T) []InForce {
			return []InForce{{From: at(6), Prices: prices(t, linear, "Enforce", "1s", "a")}}
		}, 0, 10, "4", "s1 0-6 slots are held, and no terms are recorded yet"},
		{"in shadow", []Span{span("s1", 0, 10, x("a", 3))}, func(t *testing.T) []InForce {
			return []InForce{{From: at(-5), Prices: prices(t, linear, "Shadow", "1s", "a")}}
		}, 0, 10, "0", ""},
		{"no price", []Span{span("s1", 0, 10, x("a", 3))}, func(t *testing.T) []InForce {
			return []InForce{{From: at(-5), Prices: prices(t, "", "Enforce", "1s", "a")}}
		}, 0, 10, "0", ""},
		{"another epoch", []Span{span("s1", 0, 10, x("a", 3))}, func(t *testing.T) []InForce {
			return []InForce{{From: at(-5), Prices: prices(t, linear, "Enforce", "500ms", "a")}}
		}, 0, 10, "20", ""},
		{"nothing is charged twice for what is held on two switches", []Span{span("s1", 0, 10, x("a", 3)), span("s2", 0, 10, y("a", 1))}, func(t *testing.T) []InForce {
			return []InForce{{From: at(-5), Prices: prices(t, "tenant.usage['x'] > 0 || tenant.usage['y'] > 0 ? 1 : 0", "Enforce", "1s", "a")}}
		}, 0, 10, "10", ""},
		{"an empty interval", []Span{span("s1", 0, 10, x("a", 3))}, nil, 5, 5, "0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &Record{Spans: c.spans}
			if c.inForce != nil {
				r.InForce = c.inForce(t)
			} else {
				r.InForce = []InForce{{From: at(-5), Prices: prices(t, linear, "Enforce", "1s", "a", "b")}}
			}
			b := compute(t, r, c.from, c.to)
			got := new(big.Rat).Mul(owes(b, "a"), big.NewRat(1_000_000_000, 1))
			if got.RatString() != c.want {
				t.Errorf("a owes %s, want %s", got.RatString(), c.want)
			}
			var gaps []string
			for _, g := range b.Gaps {
				gaps = append(gaps, fmt.Sprintf("%s %d-%d %s", g.Switch, g.From.Sub(at(0)), g.To.Sub(at(0)), g.Why))
			}
			if strings.Join(gaps, "; ") != c.gaps {
				t.Errorf("gaps %q, want %q", gaps, c.gaps)
			}
		})
	}
	if _, err := Compute(context.Background(), &Record{}, at(1), at(0)); err == nil {
		t.Error("an interval that ends before it begins")
	}
	for _, price := range []string{"0 - tenant.usage['x']", "ratio(1, tenant.usage['x'] - 3)"} {
		r := &Record{Spans: []Span{span("s1", 0, 10, x("a", 3))}, InForce: []InForce{{From: at(-5), Prices: prices(t, price, "Enforce", "1s", "a")}}}
		if b, err := Compute(context.Background(), r, at(0), at(10)); err == nil {
			t.Errorf("price %s: a bill was made: %+v", price, b)
		}
	}
}

func TestPrice(t *testing.T) {
	for _, text := range []string{"", "{}", `{"apiVersion":"interlock/v1alpha1","kind":"PolicyTerms"}`, `{"apiVersion":"interlock/v1alpha1","kind":"Policy"}`} {
		if _, err := Price([]byte(text)); err == nil {
			t.Errorf("%q are no terms", text)
		}
	}
	p := prices(t, "ratio(1)", "Enforce", "1s", "a")
	for _, change := range []func(x *Terms){
		func(x *Terms) { x.Epoch = "0s" },
		func(x *Terms) { x.Epoch = "-1s" },
		func(x *Terms) { x.Resources[0].Name = "z" },
	} {
		x := Terms{Epoch: "1s", Capacity: policy.Resources{"x": 1}, Resources: []Resource{{"x", "s1", "ingress/0"}}}
		change(&x)
		b, err := x.Marshal(p.policy, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Price(b); err == nil {
			t.Errorf("accepted %s", b)
		}
	}
	// A price that is changed in the terms without a new digest.
	b, err := Terms{Epoch: "1s"}.Marshal(p.policy, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Price([]byte(strings.Replace(string(b), `ratio(1)`, `ratio(2)`, 1))); err == nil {
		t.Error("another price, under the same digest, was accepted")
	}
}

// drawRecord is a random history of two switches and three tenants on up to three terms, over 100 ns.
func drawRecord(t *rapid.T, terms []*Prices) *Record {
	r := &Record{}
	for _, sw := range []string{"s1", "s2"} {
		array := map[string]string{"s1": "ingress/0", "s2": "egress/0"}[sw]
		for now := rapid.Int64Range(-20, 20).Draw(t, "begin"); now < 100; {
			to := now + rapid.Int64Range(1, 40).Draw(t, "length")
			s := Span{Switch: sw, From: at(now), To: at(to)}
			if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
				s.Unknown = "lost"
			} else {
				for _, tenant := range []string{"a", "b", "c"} {
					if n := rapid.Int64Range(0, 5).Draw(t, "slots"); n > 0 {
						s.Held = append(s.Held, Holding{tenant, array, n})
					}
				}
			}
			r.Spans = append(r.Spans, s)
			now = to + rapid.Int64Range(0, 1).Draw(t, "pause")*rapid.Int64Range(0, 9).Draw(t, "gap")
		}
	}
	now := int64(-30)
	for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(terms)-1), 1, 4).Draw(t, "terms") {
		r.InForce = append(r.InForce, InForce{From: at(now), Entry: now, Prices: terms[i]})
		now += rapid.Int64Range(0, 50).Draw(t, "force")
	}
	return r
}

func TestBillProperties(t *testing.T) {
	terms := []*Prices{
		prices(t, "ratio(tenant.usage['x'], 7) + tenant.usage['y']", "Enforce", "1s", "a", "b", "c"),
		prices(t, "ratio(capacity['x'], 1 + tenant.usage['x']) + tenant.usage['x'] * tenant.usage['y']", "Enforce", "37ns", "a", "b"),
		prices(t, "free['x'] > 90 ? ratio(1, 3) : ratio(tenant.usage['x'])", "Enforce", "3ms", "b", "c"),
	}
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t, terms)
		draw := func(name string) int64 { return rapid.Int64Range(-40, 160).Draw(t, name) }
		cuts := []int64{draw("a"), draw("b"), draw("c")}
		slices.Sort(cuts)
		a, b, c := cuts[0], cuts[1], cuts[2]
		all := must(t, r, a, c)
		left, right := must(t, r, a, b), must(t, r, b, c)
		if text(t, all) != text(t, must(t, r, a, c)) {
			t.Fatal("two runs differ")
		}
		for _, tenant := range []string{"a", "b", "c"} {
			sum := new(big.Rat).Add(owes(left, tenant), owes(right, tenant))
			if whole := owes(all, tenant); sum.Cmp(whole) != 0 {
				t.Fatalf("%s owes %s for [%d,%d), %s for its parts", tenant, whole, a, c, sum)
			}
			// The twin goes nanosecond by nanosecond.
			twin := new(big.Rat)
			for now := a; now < c; now++ {
				twin.Add(twin, momentary(t, r, now, tenant))
			}
			if whole := owes(all, tenant); twin.Cmp(whole) != 0 {
				t.Fatalf("%s owes %s for [%d,%d), its twin says %s", tenant, whole, a, c, twin)
			}
		}
		for _, inv := range all.Invoices {
			lines, units := new(big.Rat), new(big.Int)
			for _, l := range inv.Lines {
				lines.Add(lines, l.Exact)
				units.Add(units, l.Units)
				near := new(big.Rat).Sub(new(big.Rat).Mul(l.Exact, big.NewRat(UnitsPerCredit, 1)), new(big.Rat).SetInt(l.Units))
				if near.Cmp(big.NewRat(1, 1)) >= 0 || near.Cmp(big.NewRat(-1, 1)) <= 0 {
					t.Fatalf("a line of %s is rounded to %s units", l.Exact, l.Units)
				}
			}
			lost := new(big.Rat).Sub(new(big.Rat).Mul(inv.Exact, big.NewRat(UnitsPerCredit, 1)), new(big.Rat).SetInt(inv.Units))
			if lines.Cmp(inv.Exact) != 0 || units.Cmp(inv.Units) != 0 || lost.Sign() < 0 || lost.Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("%s: lines %s and %s units, total %s and %s units", inv.Tenant, lines, units, inv.Exact, inv.Units)
			}
		}
	})
}

func must(t *rapid.T, r *Record, from, to int64) *Bill {
	b, err := Compute(context.Background(), r, at(from), at(to))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func text(t *rapid.T, b *Bill) string {
	var s strings.Builder
	for _, inv := range b.Invoices {
		out, err := json.Marshal([]any{inv.Tenant, inv.Exact.String(), inv.Units.String(), len(inv.Lines)})
		if err != nil {
			t.Fatal(err)
		}
		s.Write(out)
	}
	return s.String() + fmt.Sprint(b.Gaps)
}

// momentary is what a tenant owes for the nanosecond at now, read off the record.
func momentary(t *rapid.T, r *Record, now int64, tenant string) *big.Rat {
	var p *Prices
	for _, f := range r.InForce {
		if !f.From.After(at(now)) {
			p = f.Prices
		}
	}
	if p == nil {
		return new(big.Rat)
	}
	known := false
	for _, x := range p.tenants {
		known = known || x.Name == tenant
	}
	held := map[string]policy.Resources{}
	for _, s := range r.Spans {
		if s.From.After(at(now)) || !s.To.After(at(now)) {
			continue
		}
		for _, h := range s.Held {
			for _, x := range p.tenants {
				if x.Name == h.Tenant {
					if held[h.Tenant] == nil {
						held[h.Tenant] = policy.Resources{}
					}
					held[h.Tenant][map[string]string{"ingress/0": "x", "egress/0": "y"}[h.Array]] += h.Slots
				}
			}
		}
	}
	rates, err := p.Rates(context.Background(), held)
	if err != nil {
		t.Fatal(err)
	}
	if !known || rates[tenant] == nil {
		return new(big.Rat)
	}
	return rates[tenant]
}

// Terms have what the price reads, and nothing else that a site says: bills are read by others, too.
func TestTermsSayNoMore(t *testing.T) {
	const text = `apiVersion: interlock/v1alpha1
kind: SharingPolicy
metadata: {name: test}
spec:
  params:
    - {name: bids, type: map(int), default: {}}
    - {name: secrets, type: map(int), default: {}}
  variables:
    - {name: bid, expression: "params.bids[?tenant.name].orValue(1)"}
    - {name: heavy, expression: "tenants.exists(t, t.weight > 3)"}
  price: "PRICE"
  rank: "params.secrets[?tenant.name].orValue(0) + tenant.budget"
  grant: tenant.demand
`
	for _, c := range []struct{ price, has, misses string }{
		{"ratio(tenant.usage['x']) * variables.bid", `"bids":{"a":7}`, "secrets\":{\"a\""},
		{"ratio(tenant.usage['x'])", `"bids":{}`, "own\":"},
		{"ratio(tenant.usage['x'] * tenant.weight)", `{"name":"a","own":{"weight":5}}`, "budget\":41"},
		{"variables.heavy ? ratio(2) : ratio(1)", `"own":{"weight":5}`, "budget\":41"},
		{"ratio(tenant.budget)", `"own":{"budget":41}`, "weight\":5"},
	} {
		p, err := policy.Parse("test.yaml", []byte(strings.Replace(text, "PRICE", c.price, 1)))
		if err != nil {
			t.Fatal(err)
		}
		doc, root := strictyaml.Parse("site.yaml", []byte("bids: {a: 7}\nsecrets: {a: 9}\n"))
		p = p.With(root)
		if err := doc.Err(); err != nil {
			t.Fatal(err)
		}
		tenants := []policy.Tenant{{Name: "a", Weight: 5, Budget: 41}}
		b, err := Terms{Epoch: "1s", Capacity: policy.Resources{"x": 10}}.Marshal(p, tenants)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), c.has) || strings.Contains(string(b), c.misses) {
			t.Errorf("price %s: want %s and no %s in %s", c.price, c.has, c.misses, b)
		}
		// Nothing that the price reads is missing: it is the same as of the whole.
		prices, err := Price(b)
		if err != nil {
			t.Fatal(err)
		}
		usage := policy.Resources{"x": 3}
		rates, err := prices.Rates(context.Background(), map[string]policy.Resources{"a": usage})
		if err != nil {
			t.Fatal(err)
		}
		tenants[0].Demand = []policy.Resources{usage}
		state, err := p.State(tenants, policy.Resources{"x": 10}, []policy.Resources{usage})
		if err != nil {
			t.Fatal(err)
		}
		v, err := state.Eval(p.Price(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if want := v.(policy.Ratio).Rat(); new(big.Rat).Mul(rates["a"], big.NewRat(int64(time.Second), 1)).Cmp(want) != 0 {
			t.Errorf("price %s: the rate is %s, want %s", c.price, rates["a"], want)
		}
	}
}
