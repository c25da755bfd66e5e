package policy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/strictyaml"
)

// doubling nests a macro that binds a name, so that each level uses what the level below made twice.
func doubling(levels int, inner, twice string) string {
	return inner + strings.Repeat(".optMap(x, "+twice+")", levels)
}

// hostile is a document that must be refused, with one of the messages.
type hostile struct {
	name string
	text []byte
	want string
}

// What tries to cost more than it may is refused while it is read, at its place. These must stay small in what they make the reader do: the
// reader's bounds (the document's size, how many values and how much to compile is in it, an expression's length, nesting and parts, the
// estimate of its cost) come before what they bound.
func hostileDocuments() (out []hostile) {
	grant := "\ngrant: tenant.demand"
	tests := []struct{ name, text, want string }{
		{"nested macros", "rank: >-\n  " + nestedLists(12) + grant, "the expression may cost"},
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
		{"lists of nothing", "rank: >-\n  [" + strings.Repeat("[],", 2600) + "[]].size()" + grant, "a list or map of 2601 elements"},
		{"a map too long", "rank: >-\n  {" + strings.Repeat("'a':1,", 1200) + "'b':1}.size()" + grant, "a list or map of 1201 elements"},
		{"many macros", "rank: >-\n  " + strings.Repeat("[1].all(x,true)||", 450) + "true?1:2" + grant, "the expression has over 3000 parts"},
		{"a chain of macros", "rank: >-\n  [1]" + strings.Repeat(".map(x,x)", 800) + ".size()" + grant, "recursion"},
		{"maps in maps", "rank: >-\n  " + strings.Repeat("capacity.transformMap(k,v,", 30) + "1" + strings.Repeat(")", 30) + ".size()" + grant, "nested too deep"},
		{"optionals in optionals", "rank: >-\n  " + strings.Repeat("optional.of(", 60) + "1" + strings.Repeat(")", 60) + ".hasValue()?1:2" + grant, "nested too deep"},
		{"a long sum", "rank: >-\n  " + strings.Repeat("1+", 4000) + "1" + grant, "recursion"},
		{"a call with 4000 arguments", "rank: >-\n  f(" + strings.Repeat("1,", 4000) + "1)" + grant, "undeclared reference|over 3000 parts"},
		{"no tokens", "rank: >-\n  " + strings.Repeat("@", 8000) + grant, "token recognition error"},
		{"quotes", "rank: >-\n  " + strings.Repeat("'' ", 2600) + grant, "syntax error|lookahead"},
		{"200 long expressions", variablesOf(200, strings.Repeat("1+", 2000)+"1") + "rank: x" + grant, "at most 12288 are allowed in a document"},
		{"100 expressions with macros", variablesOf(100, strings.Repeat("[1].all(x,true)||", 200)+"true") + "rank: x" + grant, "at most 12288 are allowed in a document"},
		{"200 expressions of no tokens", variablesOf(200, strings.Repeat("@", 3500)) + "rank: x" + grant, "token recognition error"},
		{"loops over what is written", variablesOf(1, nestedLists(6)) + "rank: variables.v0" + grant, "with 4 tenants and resources already"},
		{"a param that is too long", "params: [{name: p, type: string, default: " + strings.Repeat("a", 2000) + "}]\nrank: 1" + grant, "at most 1024 are allowed"},
		{"a param out of bounds", "params: [{name: p, type: ratio, maximum: 1, default: 3/2}]\nrank: 1" + grant, "3/2 is more than 1, the maximum of p"},
		{"a param with too many digits", "params: [{name: p, type: ratio, default: 1/" + strings.Repeat("9", 100) + "}]\nrank: 1" + grant, "longer than 64 characters"},
	}
	for _, tt := range tests {
		out = append(out, hostile{tt.name, document(tt.text), tt.want})
	}
	return out
}

func TestHostileDocuments(t *testing.T) {
	for _, tt := range hostileDocuments() {
		t.Run(tt.name, func(t *testing.T) { refused(t, tt.text, tt.want) })
	}
}

// Documents that are no policies, by their size or their shape.
func hostileYAML() []hostile {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), ", "))
	}
	const most = 1 << 20
	tooMany := "too many values"
	fill := func(s string) []byte { return []byte(strings.Repeat(s, most/len(s))) }
	return []hostile{
		{"10 MB", []byte("a: " + strings.Repeat("x", 10<<20)), "at most 1048576 are read"},
		{"aliases that double", []byte(bomb), "anchors are not supported"},
		{"a merge key", []byte("x: &a {b: c}\n<<: *a\n"), "not supported"},
		{"deep", []byte(strings.Repeat("[", 5000)), "exceeded max depth|not YAML|nested deeper"},
		{"deep by lines", []byte(strings.Repeat("- ", 5000) + "x"), "exceeded max depth|nested deeper"},
		{"many keys", []byte(strings.Repeat("a: 1\n", 30_000)), "is already set"},
		{"more keys", fill("a: 1\n"), tooMany},
		{"list items", fill("-\n"), tooMany},
		{"a flow of values", append(fill("x,")[1:], ']'), tooMany},
		{"empty lists", fill("[],"), tooMany},
		{"empty mappings", fill("{},"), tooMany},
		{"anchors", fill("- &a x\n"), tooMany},
		{"aliases", fill("- *a\n"), tooMany},
		{"tags", fill("- !!str x\n"), tooMany},
		{"question marks", fill("? "), tooMany},
		{"mappings in mappings", fill("{a: "), tooMany},
		{"documents", fill("---\n"), tooMany},
		{"nothing but lines", fill("\n"), tooMany},
		{"nothing but spaces", fill(" "), "document is empty"},
		{"nothing but tabs", fill("\t"), "not YAML"},
		{"nothing but quotes", fill("'"), "want a mapping"},
		{"a long string", []byte("a: \"" + strings.Repeat("\\n", most/2-10) + "\""), "unknown field"},
		{"as many values as are read", []byte("[" + strings.Repeat("x,", 63_000) + "x]"), "want a mapping"},
		{"no text", []byte{0xff, 0xfe, 0, 0xd8}, "not YAML"},
		{"a tag", []byte("a: !!binary aGVsbG8=\n"), "explicit tags are not supported"},
		{"many errors", []byte(strings.Repeat("? [a]\n: 1\n", 10_000)), "a key must be a scalar"},
	}
}

func TestHostileYAML(t *testing.T) {
	tests := hostileYAML()
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
			many(40, 3), "evaluations cost over",
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

// nestedLists goes through nine elements for each of nine, and so on.
func nestedLists(levels int) string {
	s := "1"
	for i := range levels {
		s = fmt.Sprintf("[1, 2, 3, 4, 5, 6, 7, 8, 9].map(v%d, %s).size()", i, s)
	}
	return s
}

// variablesOf are n variables v0, v1, ... with the same expression.
func variablesOf(n int, expression string) string {
	var b strings.Builder
	b.WriteString("variables:\n")
	for i := range n {
		fmt.Fprintf(&b, "- {name: v%d, expression: '%s'}\n", i, expression)
	}
	return b.String()
}

// BenchmarkHostile is the processor's time for each refusal; the aim is under 100 ms each.
func BenchmarkHostile(b *testing.B) {
	for _, tt := range append(hostileDocuments(), hostileYAML()...) {
		b.Run(strings.ReplaceAll(tt.name, " ", "_"), func(b *testing.B) {
			begun := processorTime(b)
			for b.Loop() {
				if _, err := policy.Parse("p.yaml", tt.text); err == nil {
					b.Fatal("accepted")
				}
			}
			b.ReportMetric(float64((processorTime(b)-begun).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}

func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
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
