package suite_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/suite"
)

// hostileSuites must each be refused, in little time: see BenchmarkHostile.
func hostileSuites() map[string]struct{ text, want string } {
	const head = "apiVersion: interlock/v1alpha1\nkind: SharingPolicyTest\npolicy: p\ncapacity: {x: 1}\ncases:\n"
	statements := func(n int, expression string) string {
		return head + "- name: a\n  tenants: [{name: a}]\n  expect:\n    statements:\n" + strings.Repeat("    - "+expression+"\n", n)
	}
	cases := func(n int, rest string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range n {
			fmt.Fprintf(&b, "- {name: c%d, %s}\n", i, rest)
		}
		return b.String()
	}
	return map[string]struct{ text, want string }{
		"long statements":   {statements(300, strings.Repeat("1+", 1000)+"1"), "at most 12288 are allowed in a document"},
		"many statements":   {statements(12_000, "x"), "undeclared reference to 'x'"},
		"macros":            {statements(100, "'"+strings.Repeat("[1].all(x,true)||", 100)+"true'"), "at most 12288 are allowed in a document"},
		"many cases":        {cases(20_000, "expect: 1"), "too many values"},
		"cases about none":  {cases(5_000, "expect: 1"), "want a mapping"},
		"quanta":            {head + "- {name: a, tenants: [{name: a, demand: {x: 1}, quanta: 9223372036854775807}], expect: {}}\n", "is not an integer between"},
		"values":            {head + strings.Repeat("- x\n", 100_000), "too many values"},
		"values as allowed": {head + strings.Repeat("- x\n", 31_000), "want a mapping"},
		"10 MB":             {head + strings.Repeat("x", 10<<20), "at most 1048576 are read"},
		"aliases":           {head + "- &a {name: a}\n- *a\n", "anchors are not supported"},
	}
}

func parseHostile(tb testing.TB, text string) error {
	tb.Helper()
	_, err := suite.Parse("p_test.yaml", []byte(text), func(string) (*policy.Policy, error) { return policy.Load("builtin:drf") })
	return err
}

func TestHostile(t *testing.T) {
	for name, h := range hostileSuites() {
		t.Run(name, func(t *testing.T) {
			if err := parseHostile(t, h.text); err == nil || !strings.Contains(err.Error(), h.want) {
				t.Errorf("have %.300v\nwant %s", err, h.want)
			}
		})
	}
}

// BenchmarkHostile is the processor's time for each refusal; the aim is under 100 ms each.
func BenchmarkHostile(b *testing.B) {
	for name, h := range hostileSuites() {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			var r syscall.Rusage
			used := func() time.Duration {
				if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
					b.Fatal(err)
				}
				return time.Duration(r.Utime.Nano() + r.Stime.Nano())
			}
			begun := used()
			for b.Loop() {
				if parseHostile(b, h.text) == nil {
					b.Fatal("accepted")
				}
			}
			b.ReportMetric(float64((used()-begun).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}
