package policy

import (
	"strings"
	"syscall"
	"testing"
	"time"

	sharing "github.com/interlock/interlock/policy"
)

// hostileStatements must each be refused, in little time: see BenchmarkHostile.
func hostileStatements() map[string]struct{ text, want string } {
	const head = "apiVersion: interlock/v1alpha1\nkind: PolicyStatements\nstatements:\n"
	many := func(n int, expression string) string {
		return head + strings.Repeat("- {name: a, always: '"+expression+"'}\n", n)
	}
	return map[string]struct{ text, want string }{
		"long ones":         {many(50, strings.Repeat("1+", 1000)+"1"), "at most 12288 are allowed in a document"},
		"many":              {many(6_000, "x"), "at most 64 are allowed"},
		"macros":            {many(50, strings.Repeat("[1].all(x,true)||", 100)+"true"), "at most 12288 are allowed in a document"},
		"rank of a rank":    {many(1, strings.Repeat("rank(", 60)+"tenant"+strings.Repeat(")", 60)+" > 1"), "unexpected failed resolution"},
		"values":            {head + strings.Repeat("- x\n", 100_000), "too many values"},
		"10 MB":             {head + strings.Repeat("x", 10<<20), "at most 1048576 are read"},
		"many other files":  {head + strings.Repeat("- {name: a, admits: builtin:drf}\n", 60), "already there"},
		"as many as can be": {many(64, "x"), "undeclared reference to 'x'"},
	}
}

func parseHostile(tb testing.TB, text string) error {
	tb.Helper()
	p, err := sharing.Load("builtin:drf")
	if err != nil {
		tb.Fatal(err)
	}
	_, err = ParseStatements("s.yaml", []byte(text), p, sharing.Load)
	return err
}

func TestHostileStatements(t *testing.T) {
	for name, h := range hostileStatements() {
		t.Run(name, func(t *testing.T) {
			err := parseHostile(t, h.text)
			for _, w := range strings.Split(h.want, "|") {
				if err != nil && strings.Contains(err.Error(), w) {
					return
				}
			}
			t.Errorf("have %.300v\nwant %s", err, h.want)
		})
	}
}

// BenchmarkHostile is the processor's time for each refusal; the aim is under 100 ms each.
func BenchmarkHostile(b *testing.B) {
	for name, h := range hostileStatements() {
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
