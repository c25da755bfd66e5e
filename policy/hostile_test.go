package policy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
)

// doubling nests a macro that binds a name, so that each level uses what the level below made twice.
func doubling(levels int, inner, twice string) string {
	return inner + strings.Repeat(".optMap(x, "+twice+")", levels)
}

// What tries to cost more than it may is refused while it is read, at its place. These must stay small in what they make the reader do: the
// reader's bounds (the document's size, an expression's length, nesting, the estimate of its cost) come before any evaluation.
func TestHostileDocuments(t *testing.T) {
	grant := "\ngrant: tenant.demand"
	nested := "1"
	for i := range 12 {
		nested = fmt.Sprintf("[1, 2, 3, 4, 5, 6, 7, 8, 9].map(v%d, %s).size()", i, nested)
	}
	tests := []struct{ name, text, want string }{
		{"nested macros", "rank: >-\n  " + nested + grant, "the expression may cost"},
		{"nested macros over tenants", "rank: tenants.map(a, tenants.map(b, tenants.map(c, 1).size()).size()).size()" + grant, "the expression may cost"},
		{"lists that double", "rank: >-\n  " + doubling(40, "optional.of([1])", "x + x") + ".orValue([1]).size()" + grant, "lists cannot be joined"},
		{"values that nest and double", "rank: >-\n  " + doubling(40, "optional.of([1])", "[x, x]") + ".hasValue() ? 1 : 2" + grant, "nested too deep|no matching overload|The type is not known"},
		{"a list too long", "rank: >-\n  [" + strings.Repeat("1,", 5000) + "1].size()" + grant, "expression code point size exceeds limit"},
		{"parentheses", "rank: >-\n  " + strings.Repeat("(", 2000) + "1" + strings.Repeat(")", 2000) + grant, "recursion limit exceeded|max recursion depth exceeded"},
		{"a long chain of operators", "rank: >-\n  " + strings.Repeat("true || ", 900) + "tenants.all(a, tenants.all(b, a == b)) ? 1 : 2" + grant, "may cost"},
		{"a variable that reads itself", "variables: [{name: v, expression: variables.v + 1}]\nrank: variables.v" + grant, "undefined field 'v'"},
		{"variables that read each other", "variables: [{name: v, expression: variables.w}, {name: w, expression: variables.v}]\nrank: 1" + grant, "undefined field 'w'"},
		{"a price that reads itself", "price: tenant.cost + 1\nrank: 1" + grant, "undefined field 'cost'"},
		{"a variable that reads the price", "variables: [{name: v, expression: tenant.cost}]\nprice: variables.v\nrank: 1" + grant, "undefined field 'cost'"},
		{"too many variables", "variables:\n" + strings.Repeat("- {name: a, expression: 1}\n", 300) + "rank: 1" + grant, "there are 300 variables, at most 256"},
		{"type confusion", "rank: \"'a' < 1 ? 1 : 2\"" + grant, "no matching overload"},
		{"type confusion by a list", "rank: \"[1, 'a'][0]\"" + grant, "the type is not known before it runs"},
		{"type confusion by a branch", "rank: \"true ? 1 : 'a'\"" + grant, "no matching overload"},
		{"an int that is none", "rank: 99999999999999999999" + grant, "invalid int literal"},
		{"a type as a value", "rank: \"type(1) == int ? 1 : 2\"" + grant, "undeclared reference to 'type'"},
		{"a name that is taken", "rank: tenants.map(capacity, 1).size()" + grant, "capacity is the name of something else already"},
		{"an accumulator", "rank: \"[1].map(x, __result__).size()\"" + grant, "undeclared reference to '__result__'"},
		{"a regular expression", "rank: \"'aaaaaaaaaaaaaaaa'.matches('(a+)+b') ? 1 : 2\"" + grant, "undeclared reference to 'matches'"},
		{"a param that is too long", "params: [{name: p, type: string, default: " + strings.Repeat("a", 2000) + "}]\nrank: 1" + grant, "at most 1024 are allowed"},
		{"a param out of bounds", "params: [{name: p, type: ratio, maximum: 1, default: 3/2}]\nrank: 1" + grant, "3/2 is more than 1, the maximum of p"},
		{"a param with too many digits", "params: [{name: p, type: ratio, default: 1/" + strings.Repeat("9", 100) + "}]\nrank: 1" + grant, "longer than 64 characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refused(t, document(tt.text), tt.want) })
	}
}

// Documents that are no policies, by their size or their shape.
func TestHostileYAML(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), ", "))
	}
	tests := []struct {
		name string
		text []byte
		want string
	}{
		{"10 MB", []byte("a: " + strings.Repeat("x", 10<<20)), "at most 1048576 are read"},
		{"aliases that double", []byte(bomb), "anchors are not supported"},
		{"a merge key", []byte("x: &a {b: c}\n<<: *a\n"), "not supported"},
		{"deep", []byte(strings.Repeat("[", 5000)), "exceeded max depth|not YAML|nested deeper"},
		{"deep by lines", []byte(strings.Repeat("- ", 5000) + "x"), "exceeded max depth|nested deeper"},
		{"many keys", []byte(strings.Repeat("a: 1\n", 50_000)), "is already set"},
		{"no text", []byte{0xff, 0xfe, 0, 0xd8}, "not YAML"},
		{"a tag", []byte("a: !!binary aGVsbG8=\n"), "explicit tags are not supported"},
		{"many errors", []byte(strings.Repeat("? [a]\n: 1\n", 20_000)), "a key must be a scalar"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refused(t, tt.text, tt.want) })
	}
	// A file is not even read when it is too long.
	path := filepath.Join(t.TempDir(), "long.yaml")
	if err := os.WriteFile(path, tests[0].text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := policy.Load(path); err == nil || !strings.Contains(err.Error(), "at most 1048576 are read") {
		t.Errorf("have %.200v", err)
	}
}

// refused says that a document is not accepted, with one of the messages, and with no more of them than anybody will read.
func refused(t *testing.T, text []byte, want string) {
	t.Helper()
	_, err := policy.Parse("p.yaml", text)
	var all strictyaml.Errors
	if !errors.As(err, &all) {
		t.Fatalf("have %.200v", err)
	}
	if len(all) > strictyaml.MaxErrors {
		t.Errorf("%d problems", len(all))
	}
	for _, w := range strings.Split(want, "|") {
		if strings.Contains(strings.ToLower(err.Error()), strings.ToLower(w)) {
			return
		}
	}
	t.Errorf("have %.300v\nwant %s", err, want)
}

// What costs more than it may only when it runs is refused then, and nobody is given anything.
func TestHostileEvaluations(t *testing.T) {
	many := func(n, quanta int) (out []policy.Tenant) {
		for i := range n {
			out = append(out, policy.Tenant{Name: fmt.Sprint("t", i), Weight: 1, Demand: repeat(quanta, amounts{"x": 1})})
		}
		return out
	}
	tests := []struct {
		name, spec string
		tenants    []policy.Tenant
		want       string
	}{
		{
			"strings that double", "rank: 1\ngrant: tenant.demand\nlimits:\n- expression: >-\n    " +
				doubling(60, "optional.of('aaaaaaaaaaaaaaaaaaaa')", "x + x") + ".orValue('') == tenant.name\n  message: m",
			many(1, 1), "cost limit exceeded",
		},
		{
			"ranks of all after each grant", "rank: ratio(sum(tenants.map(t, t.usage['x'] * t.weight)) + tenant.usage['x'])\ngrant: tenant.demand",
			many(60, 3), "evaluations cost over",
		},
		{
			"a ratio that grows", "variables:\n- {name: a, expression: \"ratio(9223372036854775807, 9223372036854775783)\"}\n" + squares(12) +
				"rank: variables.s11\ngrant: tenant.demand",
			many(1, 1), "ratio has more than 4096 bits",
		},
		{"overflow", "rank: tenant.usage['x'] * 9223372036854775807 * 3 + 1 - 9223372036854775807 - 2\ngrant: tenant.demand", many(1, 1), "overflow"},
		{"the least int", "rank: (-9223372036854775807 - 1) / (tenant.weight - 2)\ngrant: tenant.demand", many(1, 1), "overflow"},
		{"division by zero", "rank: 1 / (tenant.weight - 1)\ngrant: tenant.demand", many(1, 1), "division by zero"},
		{"modulus by zero", "rank: 1 % (tenant.weight - 1)\ngrant: tenant.demand", many(1, 1), "modulus by zero"},
		{"a grant of nothing", "rank: 1\ngrant: \"tenant.usage['x'] > 0 ? tenant.demand : {'x': 0}\"", many(3, 1), ""},
		{"an index out of range", "rank: tenants[99999].weight\ngrant: tenant.demand", many(1, 1), "index out of bounds"},
		{"a map that holds a key twice", "rank: \"{'a': 1, 'a': 2}.size()\"\ngrant: tenant.demand", many(1, 1), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := parse(t, tt.spec)
			a, err := p.Entitle(context.Background(), tt.tenants, amounts{"x": 1000})
			if tt.want == "" && err == nil {
				return
			}
			var r *policy.Refusal
			if !errors.As(err, &r) || a != nil {
				t.Fatalf("have %+v, %v", a, err)
			}
			for _, w := range strings.Split(tt.want, "|") {
				if strings.Contains(r.Message, w) {
					return
				}
			}
			t.Errorf("have %v", err)
		})
	}
}

// squares are variables s0, s1, ..., each the square of the one before, from a on.
func squares(n int) string {
	out, last := "", "a"
	for i := range n {
		out += fmt.Sprintf("- {name: s%d, expression: \"variables.%s * variables.%s\"}\n", i, last, last)
		last = fmt.Sprint("s", i)
	}
	return out
}

// FuzzEntitle runs whatever can be read, on a small allocation: it ends, in an allocation that fits or in an error that has a place.
func FuzzEntitle(f *testing.F) {
	f.Add("dominantShare(tenant.usage, capacity)", "tenant.demand", "tenant.usage['x'] < 3")
	f.Add("tenant.budget", "tenant.weight > 1 ? tenant.demand : {}", "tenants.all(t, t.usage.all(r, n, n <= capacity[r]))")
	f.Add("-tenant.weight", "{'x': 2}", "optional.of(1).optMap(x, x + 1).orValue(2) == 2")
	f.Fuzz(func(t *testing.T, rank, grant, limit string) {
		quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
		p, err := policy.Parse("p.yaml", document("rank: "+quote(rank)+"\ngrant: "+quote(grant)+"\nlimits:\n- {expression: "+quote(limit)+", message: m}"))
		if err != nil {
			return
		}
		a, err := p.Entitle(context.Background(), []policy.Tenant{
			{Name: "a", Weight: 1, Demand: repeat(3, amounts{"x": 1})},
			{Name: "b", Weight: 2, Budget: 5, Demand: repeat(2, amounts{"x": 2, "y": 1})},
		}, amounts{"x": 5, "y": 1})
		if err != nil {
			var r *policy.Refusal
			if !errors.As(err, &r) || r.At.Line < 1 {
				t.Fatal(err)
			}
			return
		}
		var held []amounts
		for _, e := range a.Entitlements {
			held = append(held, e.Usage)
		}
		if s := sum(append(held, a.Free)); s["x"] != 5 || s["y"] != 1 {
			t.Fatalf("have %+v", a)
		}
	})
}
