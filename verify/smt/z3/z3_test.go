//go:build cgo

package z3

import (
	"strings"
	"testing"
)

func TestEval(t *testing.T) {
	c, err := NewContext()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, step := range []struct{ name, text, want string }{
		{"sat", "(set-logic QF_LIA)(push 1)(declare-fun x () Int)(assert (> x 3))(check-sat)(pop 1)", "sat\n"},
		{"unsat", "(push 1)(declare-fun x () Int)(assert (distinct x x))(check-sat)(pop 1)", "unsat\n"},
		{"echo", `(echo "il 1")`, "il 1\n"},
		{"unbalanced", "(assert (", "(error "},
		{"unknown command", "(frobnicate)", "unsupported"},
		{"unknown symbol goes on", `(push 1)(assert (> yy 3))(check-sat)(pop 1)`, "sat\n"},
		{"binary rubbish", "\x01\xff(", "(error "},
		{"still alive", `(echo "il 2")`, "il 2\n"},
	} {
		t.Run(step.name, func(t *testing.T) {
			if got := c.Eval(step.text); !strings.Contains(got, step.want) {
				t.Errorf("got %q, want %q", got, step.want)
			}
		})
	}
	if !strings.HasPrefix(Version(), "Z3 ") && !strings.Contains(Version(), ".") {
		t.Errorf("version %q", Version())
	}
	if !strings.Contains(Library(), "libz3") {
		t.Errorf("library %q", Library())
	}
}
