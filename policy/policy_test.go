package policy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/specs"
)

type amounts = policy.Resources

func load(t testing.TB, name string) *policy.Policy {
	t.Helper()
	p, err := policy.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func parse(t testing.TB, spec string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("p.yaml", document(spec))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func document(spec string) []byte {
	var b strings.Builder
	b.WriteString("apiVersion: interlock/v1alpha1\nkind: SharingPolicy\nmetadata:\n  name: test\nspec:\n")
	for _, l := range strings.Split(strings.TrimRight(spec, "\n"), "\n") {
		b.WriteString("  " + l + "\n")
	}
	return []byte(b.String())
}

func sum(rs []amounts) amounts {
	out := amounts{}
	for _, r := range rs {
		for n, x := range r {
			out[n] += x
		}
	}
	return out
}

func repeat(n int, r amounts) []amounts {
	out := make([]amounts, n)
	for i := range out {
		out[i] = r
	}
	return out
}

// The example of the DRF paper (section 4.1): A asks for <1 CPU, 4 GB> a task, B for <3, 1>.
func TestDRFPaper(t *testing.T) {
	a, err := load(t, "builtin:drf").Entitle(context.Background(), []policy.Tenant{
		{Name: "a", Weight: 1, Demand: repeat(100, amounts{"cpu": 1, "gb": 4})},
		{Name: "b", Weight: 1, Demand: repeat(100, amounts{"cpu": 3, "gb": 1})},
	}, amounts{"cpu": 9, "gb": 18})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]amounts{"a": {"cpu": 3, "gb": 12}, "b": {"cpu": 6, "gb": 2}}
	for _, e := range a.Entitlements {
		if d := cmp.Diff(want[e.Tenant], e.Usage); d != "" {
			t.Errorf("%s: %s", e.Tenant, d)
		}
	}
	// The schedule of the paper's table 1, with ties by name: a, b, a, b, a; then neither fits.
	var order []string
	for _, d := range a.Trace {
		if d.Granted {
			order = append(order, d.Tenant+" at "+d.Rank.String())
		}
	}
	if d := cmp.Diff([]string{"a at 0", "b at 0", "a at 2/9", "b at 1/3", "a at 4/9"}, order); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(amounts{"gb": 4}, a.Free); d != "" {
		t.Error(d)
	}
}

func TestWeightedDRF(t *testing.T) {
	a, err := load(t, "builtin:weighted-drf").Entitle(context.Background(), []policy.Tenant{
		{Name: "heavy", Weight: 3, Demand: repeat(100, amounts{"x": 1})},
		{Name: "light", Weight: 1, Demand: repeat(100, amounts{"x": 1})},
	}, amounts{"x": 40})
	if err != nil {
		t.Fatal(err)
	}
	if h, l := a.Entitlement("heavy").Usage["x"], a.Entitlement("light").Usage["x"]; h != 30 || l != 10 {
		t.Errorf("heavy has %d and light %d, want 30 and 10", h, l)
	}
}

func TestAllOrNothing(t *testing.T) {
	tests := []struct {
		name     string
		policy   string
		tenant   policy.Tenant
		capacity amounts
		complete bool
		reason   string
	}{
		{"fits", "builtin:drf", policy.Tenant{Demand: []amounts{{"sram": 4}, {"tcam": 2}}}, amounts{"sram": 4, "tcam": 2}, true, ""},
		{
			"too big", "builtin:drf",
			policy.Tenant{Demand: []amounts{{"sram": 4}, {"tcam": 3}}},
			amounts{"sram": 4, "tcam": 2},
			false,
			"tcam: 3 asked, 2 free of 2",
		},
		{
			"quota", "builtin:quota",
			policy.Tenant{Demand: []amounts{{"sram": 3}}},
			amounts{"sram": 4},
			false,
			"limit (builtin:quota:23:19): would hold 3/4 of its dominant resource; its quota is 1/2",
		},
		{"under the quota", "builtin:quota", policy.Tenant{Demand: []amounts{{"sram": 2}}}, amounts{"sram": 4}, true, ""},
		{
			"budget", "builtin:pay-as-you-go",
			policy.Tenant{Budget: 49, Demand: []amounts{{"sram": 2}}},
			amounts{"sram": 4, "tcam": 0},
			false,
			"limit (builtin:pay-as-you-go:41:19): would cost 50 credits; its budget is 49",
		},
		{"paid for", "builtin:pay-as-you-go", policy.Tenant{Budget: 50, Demand: []amounts{{"sram": 2}}}, amounts{"sram": 4, "tcam": 0}, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.tenant.Name, tt.tenant.Weight = "t", 1
			tt.tenant = tt.tenant.Inelastic(sum(tt.tenant.Demand))
			a, err := load(t, tt.policy).Entitle(context.Background(), []policy.Tenant{tt.tenant}, tt.capacity)
			if err != nil {
				t.Fatal(err)
			}
			e := a.Entitlements[0]
			if e.Complete != tt.complete || e.Message != tt.reason {
				t.Errorf("complete %v, message %q; want %v, %q", e.Complete, e.Message, tt.complete, tt.reason)
			}
			if !e.Complete && len(e.Usage) > 0 {
				t.Errorf("holds %v", e.Usage)
			}
		})
	}
}

// Whatever is wrong in a document is reported at its place, all at once.
func TestDocumentErrors(t *testing.T) {
	tests := []struct {
		name, spec string
		want       []string // "line:col: text"
	}{
		{"missing", "rank: 1", []string{`6:3: field "grant" is missing`}},
		{"unknown field", "rank: 1\ngrant: tenant.demand\nlimit: []", []string{`8:3: unknown field "limit"`}},
		{"syntax", "rank: 1 +\ngrant: tenant.demand", []string{"6:12: Syntax error"}},
		{"two problems", "rank: nope\ngrant: tenant.nope", []string{"6:9: undeclared reference to 'nope'", "7:16: undefined field 'nope'"}},
		{"double", "rank: '1.5'\ngrant: tenant.demand", []string{"6:10: type double is not allowed here: doubles are not exact"}},
		{"hidden double", "rank: '[1.5].size()'\ngrant: tenant.demand", []string{"6:10: type double is not allowed"}},
		{"regular expression", "rank: \"tenant.name.matches('a') ? 1 : 0\"\ngrant: tenant.demand", []string{"undeclared reference to 'matches'"}},
		{"clock", "rank: \"timestamp('2020-01-01T00:00:00Z') == timestamp('2020-01-01T00:00:00Z') ? 1 : 0\"\ngrant: tenant.demand", []string{"undeclared reference to 'timestamp'"}},
		{"type of rank", "rank: tenant.name\ngrant: tenant.demand", []string{"6:9: the expression is a string; want Ratio or int"}},
		{"type of grant", "rank: 1\ngrant: 1", []string{"7:10: the expression is a int; want map(string, int)"}},
		{"folded", "rank: >-\n  1\n  + 2\n  + nope\ngrant: tenant.demand", []string{"9:7: undeclared reference to 'nope'"}},
		{"literal", "rank: |\n  1\n  + nope\ngrant: tenant.demand", []string{"8:7: undeclared reference to 'nope'"}},
		{"quoted", `rank: "'a\"b' == nope ? 1 : 2"` + "\ngrant: tenant.demand", []string{"6:20: undeclared reference to 'nope'"}},
		{
			"later variable", "variables:\n- {name: a, expression: variables.b}\n- {name: b, expression: 1}\nrank: 1\ngrant: tenant.demand",
			[]string{"7:36: undefined field 'b'"},
		},
		{"int and Ratio", "rank: \"tenant.vid > ratio(1, 2) ? 1 : 0\"\ngrant: tenant.demand", []string{"'(int, Ratio)': an int stands on the right only; write ratio(x) > y"}},
		{"int and double", "rank: \"tenant.vid > tenant.vid * 0.3 ? 1 : 0\"\ngrant: tenant.demand", []string{"there are no doubles; 0.3 is ratio(3, 10)"}},
		{"Kubernetes", "rank: object.spec.replicas\ngrant: tenant.demand", []string{"undeclared reference to 'object': expressions read capacity, free, oldTenant"}},
		{"nearly a name", "rank: tenats.size()\ngrant: tenant.demand", []string{"undeclared reference to 'tenats': did you mean tenants?"}},
		{"nearly a field", "variables: [{name: share, expression: \"1\"}]\nrank: variables.shrae\ngrant: tenant.demnd", []string{"'shrae': did you mean share?", "'demnd': did you mean demand?"}},
		{
			"static cost", "rank: tenants.map(t, tenants.map(u, u.weight).size()).size()\ngrant: tenant.demand",
			[]string{"6:9: the expression may cost"},
		},
		{"no order", "rank: \"{'a': 1}.map(k, k).size()\"\ngrant: tenant.demand", []string{"6:10: this map has no order"}},
		{"no order, hidden", "rank: \"[{'a': 1}].map(m, m.map(k, k).size())[0]\"\ngrant: tenant.demand", []string{"this map has no order"}},
		{"odd map", "variables: [{name: a, expression: \"{1: 'c'}\"}]\nrank: 1\ngrant: tenant.demand", []string{"6:37: the expression is a map(int, string)"}},
		{"no message", "rank: 1\ngrant: tenant.demand\nlimits:\n- expression: 'true'", []string{`9:5: field "message" or "messageExpression" is missing`}},
		{"bad param", "params:\n- {name: x, type: ratio, default: 1/0}\nrank: 1\ngrant: tenant.demand", []string{`7:37: "1/0" is not a ratio`}},
		{"price undeclared", "rank: price\ngrant: tenant.demand", []string{"6:9: undeclared reference to 'price'"}},
		{"built object", "rank: interlock.Tenant{}.weight\ngrant: tenant.demand", []string{"cannot be built"}},
		{"anchor", "rank: &a 1\ngrant: *a", []string{"anchors are not supported", "aliases are not supported"}},
		{"duplicate", "rank: 1\nrank: 2\ngrant: tenant.demand", []string{`7:3: key "rank" is already set in line 6`}},
		{"overlong", "rank: " + strings.Repeat("1 + ", 4000) + "1\ngrant: tenant.demand", []string{"at most 12288 are allowed in a document"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := policy.Parse("p.yaml", document(tt.spec))
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tt.want {
				found := false
				for _, alt := range strings.Split(want, "|") {
					found = found || strings.Contains(err.Error(), alt)
				}
				if !found {
					t.Errorf("have:\n%v\nwant: %s", err, want)
				}
			}
			for _, l := range strings.Split(err.Error(), "\n") {
				if !strings.HasPrefix(l, "p.yaml:") {
					t.Errorf("no position: %q", l)
				}
			}
		})
	}
}

// An expression that fails while it runs refuses, at its position.
func TestRunTimeErrorsRefuse(t *testing.T) {
	one := []policy.Tenant{{Name: "t", Weight: 1, Demand: repeat(2, amounts{"x": 1})}}
	tests := []struct {
		name, spec, at, reason string
	}{
		{"division by zero", "rank: ratio(1, tenant.budget)\ngrant: tenant.demand", "p.yaml:6:9", "division by zero"},
		{"overflow", "rank: 9223372036854775807 + tenant.weight\ngrant: tenant.demand", "p.yaml:6:9", "overflow"},
		{"no such key", "rank: tenant.usage['y']\ngrant: tenant.demand", "p.yaml:6:9", "no such key: y"},
		{"in a variable", "variables:\n- {name: v, expression: \"1 / tenant.budget\"}\nrank: variables.v\ngrant: tenant.demand", "p.yaml:7:28", "division by zero"},
		{"in a limit", "rank: 1\ngrant: tenant.demand\nlimits:\n- {expression: ratio(1) / tenant.budget > ratio(0), message: m}", "p.yaml:9:18", "division by zero"},
		{"more than asked", "rank: 1\ngrant: \"{'x': 3}\"", "p.yaml:7:11", "grants map[x:3], which is no whole number of the quanta that the tenant asks for, in their order: first map[x:1], map[x:2] in all"},
		{"negative grant", "rank: 1\ngrant: \"{'x': -1}\"", "p.yaml:7:11", "negative"},
		{"unknown resource", "rank: 1\ngrant: \"{'z': 1}\"", "p.yaml:7:11", `resource "z"`},
		{"too many digits", "rank: " + strings.Repeat("(", 9) + "ratio(9223372036854775807)" + strings.Repeat(" * 9223372036854775807)", 9) + "\ngrant: tenant.demand", "", ""},
		{"a validation", "rank: 1\ngrant: tenant.demand\nvalidations:\n- {expression: \"false\", message: never}", "p.yaml:9:19", "never"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := parse(t, tt.spec)
			_, err := p.Entitle(context.Background(), one, amounts{"x": 5})
			if tt.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var r *policy.Refusal
			if !errors.As(err, &r) || !errors.Is(err, policy.ErrRefused) {
				t.Fatalf("have %v, want a refusal", err)
			}
			if r.At.String() != tt.at || !strings.Contains(r.Message, tt.reason) {
				t.Errorf("have %v\nwant %s: %s", err, tt.at, tt.reason)
			}
		})
	}
}

func TestInputErrors(t *testing.T) {
	p := load(t, "builtin:drf")
	ok := policy.Tenant{Name: "a", Weight: 1}
	tests := map[string][]policy.Tenant{
		"no name":          {{Weight: 1}},
		"same name":        {ok, ok},
		"no weight":        {{Name: "a"}},
		"negative budget":  {{Name: "a", Weight: 1, Budget: -1}},
		"negative demand":  {{Name: "a", Weight: 1, Demand: []amounts{{"x": -1}}}},
		"unknown resource": {{Name: "a", Weight: 1, Demand: []amounts{{"y": 1}}}},
		"overflow":         {{Name: "a", Weight: 1, Demand: repeat(3, amounts{"x": 1 << 62})}},
	}
	for name, tenants := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := p.Entitle(context.Background(), tenants, amounts{"x": 1}); !errors.Is(err, policy.ErrInput) {
				t.Errorf("have %v", err)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := load(t, "builtin:drf").Entitle(ctx, []policy.Tenant{{Name: "a", Weight: 1}}, amounts{"x": 1})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("have %v", err)
	}
}

// A map written in a policy goes by name like all others.
func TestMapsHaveAnOrder(t *testing.T) {
	p := parse(t, "variables:\n- {name: m, expression: \"{'b': 2, 'a': 1, 'd': 4, 'c': 3}\"}\nrank: 1\ngrant: tenant.demand\n"+
		"validations:\n- {expression: \"variables.m.map(k, k) == ['a', 'b', 'c', 'd']\", message: order}")
	for range 50 {
		if _, err := p.Entitle(context.Background(), nil, amounts{}); err != nil {
			t.Fatal(err)
		}
	}
}

// A rank that looks at the others is evaluated again for everybody after each grant.
func TestRankOfOthers(t *testing.T) {
	// Whoever has least of what all hold together; equal to max-min, but only if it is kept up to date.
	p := parse(t, "rank: ratio(tenant.usage['x'] + 1, sum(tenants.map(t, t.usage['x'])) + 1)\ngrant: tenant.demand")
	a, err := p.Entitle(context.Background(), []policy.Tenant{
		{Name: "a", Weight: 1, Demand: repeat(9, amounts{"x": 1})},
		{Name: "b", Weight: 1, Demand: repeat(9, amounts{"x": 1})},
	}, amounts{"x": 6})
	if err != nil {
		t.Fatal(err)
	}
	if a.Entitlement("a").Usage["x"] != 3 || a.Entitlement("b").Usage["x"] != 3 {
		t.Errorf("have %+v", a.Entitlements)
	}
}

func TestBuiltins(t *testing.T) {
	if d := cmp.Diff([]string{"credits", "drf", "guarantee-burst", "max-min", "pay-as-you-go", "quota", "strict-priority", "weighted-drf"}, specs.PolicyNames()); d != "" {
		t.Error(d)
	}
	digests := map[string]bool{}
	for _, n := range specs.PolicyNames() {
		p := load(t, policy.Builtin+n)
		if p.Name() != n || p.Description() == "" {
			t.Errorf("%s: name %q, description %q", n, p.Name(), p.Description())
		}
		digests[p.Digest()] = true
	}
	if len(digests) != len(specs.PolicyNames()) {
		t.Error("digests are not distinct")
	}
	if _, err := policy.Load("builtin:none"); err == nil || !strings.Contains(err.Error(), "credits, drf, guarantee-burst") {
		t.Errorf("have %v", err)
	}
}

func TestMemoryBounds(t *testing.T) {
	ladder := func(sizes ...int64) []amounts {
		var out []amounts
		for _, s := range sizes {
			out = append(out, amounts{"slots": s})
		}
		return out
	}
	demands := []policy.MemoryDemand{
		{Tenant: policy.Tenant{Name: "a", Weight: 1, Budget: 20}, Rungs: ladder(16, 32, 64, 128, 256)},
		{Tenant: policy.Tenant{Name: "b", Weight: 1, Budget: 100}, Rungs: ladder(16, 32, 64, 128, 256)},
		{Tenant: policy.Tenant{Name: "fixed", Weight: 1, Budget: 100}, Rungs: ladder(64)},
	}
	tests := []struct {
		policy string
		want   []policy.MemoryBounds
	}{
		{"builtin:drf", []policy.MemoryBounds{
			{Tenant: "a", Share: 3, Ceiling: 3, Why: "slots: 128 asked, 48 free of 256"},
			{Tenant: "b", Share: 2, Ceiling: 3, Why: "slots: 128 asked, 48 free of 256"},
			{Tenant: "fixed"},
		}},
		{"builtin:pay-as-you-go", []policy.MemoryBounds{
			{Tenant: "a", Share: 1, Ceiling: 1, Why: "limit (builtin:pay-as-you-go:41:19): would cost 25 credits; its budget is 20"},
			{Tenant: "b", Share: 3, Ceiling: 3, Why: "slots: 128 asked, 48 free of 256"},
			{Tenant: "fixed"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.policy, func(t *testing.T) {
			have, err := load(t, tt.policy).MemoryBounds(context.Background(), demands, amounts{"slots": 256})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, have); d != "" {
				t.Error(d)
			}
		})
	}
	_, err := load(t, "builtin:drf").MemoryBounds(context.Background(), demands, amounts{"slots": 90})
	var r *policy.Refusal
	if !errors.As(err, &r) || !strings.Contains(err.Error(), "cannot have its least memory: slots: 64 asked, 58 free of 90") {
		t.Errorf("have %v", err)
	}
}

func BenchmarkEntitle(b *testing.B) {
	for _, n := range []int{64, 1000, 4094} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := load(b, "builtin:weighted-drf")
			var tenants []policy.Tenant
			for i := range n {
				t := policy.Tenant{Name: fmt.Sprintf("t%04d", i), Weight: 1 + int64(i%3)}
				tenants = append(tenants, t.Inelastic(amounts{"sram": 1 + int64(i%5), "tcam": int64(i % 2), "stages": 1}))
			}
			for b.Loop() {
				if _, err := p.Entitle(context.Background(), tenants, amounts{"sram": 5000, "tcam": 5000, "stages": 5000}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMemoryBounds(b *testing.B) {
	for _, n := range []int{64, 1000, 4094} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := load(b, "builtin:drf")
			var demands []policy.MemoryDemand
			for i := range n {
				d := policy.MemoryDemand{Tenant: policy.Tenant{Name: fmt.Sprintf("t%04d", i), Weight: 1}}
				for s := int64(16); s <= 65536; s *= 2 {
					d.Rungs = append(d.Rungs, amounts{"slots": s, "other": s / 4})
				}
				demands = append(demands, d)
			}
			for b.Loop() {
				if _, err := p.MemoryBounds(context.Background(), demands, amounts{"slots": 131072, "other": 131072}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What is wrong only because a variable or parameter is wrong is not said.
func TestErrorsOnce(t *testing.T) {
	_, err := policy.Parse("p.yaml", document("params: [{name: p, type: int, default: x}]\nvariables:\n- {name: a, expression: nope}\n- {name: b, expression: variables.a + params.p}\n"+
		"rank: variables.b\ngrant: tenant.demand"))
	if err == nil || strings.Count(err.Error(), "\n") != 1 || !strings.Contains(err.Error(), "'nope'") || !strings.Contains(err.Error(), "have a string") {
		t.Errorf("have:\n%v", err)
	}
}
