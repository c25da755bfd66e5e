//go:build cgo

package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestServe(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"two requests", "(push 1)\n(assert false)\n(check-sat)\n(pop 1)\n(echo \"a\")\n(push 1)\n(check-sat)\n(pop 1)\n(echo \"b\")\n", "unsat\na\nsat\nb\n"},
		{"rubbish, then a request", "((((\x00\n(echo \"a\")\n(echo \"b\")\n", "b\n"},
		{"no newline at the end", "(check-sat)", "sat\n"},
		{"a line longer than the buffer", "(assert (and" + strings.Repeat(" true", 100_000) + "))(check-sat)\n(echo \"z\")\n", "sat\nz\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := serve(strings.NewReader(c.in), &out); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(out.String(), c.want) {
				t.Errorf("got %q, want %q", out.String(), c.want)
			}
		})
	}
}
