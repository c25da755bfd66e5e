package program

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/interlock/interlock/verify/smt"
)

// ParseModel reads a solver's model of an obligation of this package. These obligations have no functions; but Z3 prints what it
// made of the definitions in the text, "$n" and "fold-rec-n", as terms over the model's other symbols, which are no values. They
// follow from the rest and are left out.
func ParseModel(text string) (smt.Model, error) {
	inner := strings.TrimSpace(text)
	if strings.HasPrefix(inner, "(") && strings.HasSuffix(inner, ")") {
		inner = inner[1 : len(inner)-1]
	}
	inner = strings.TrimPrefix(strings.TrimSpace(inner), "model")
	var keep strings.Builder
	keep.WriteString("(\n")
	for rest := strings.TrimSpace(inner); rest != ""; rest = strings.TrimSpace(rest) {
		n := formLength(rest)
		if n == 0 {
			return nil, fmt.Errorf("%w: %.80s", smt.ErrModel, rest)
		}
		form := rest[:n]
		rest = rest[n:]
		if constantDefinition(form) {
			keep.WriteString(form + "\n")
		}
	}
	keep.WriteString(")")
	return smt.ParseModel(keep.String())
}

// formLength is the length of the parenthesised form that s begins with, 0 if there is none.
func formLength(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '|':
			end := strings.IndexByte(s[i+1:], '|')
			if end < 0 {
				return 0
			}
			i += end + 1
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		if depth <= 0 {
			return 0
		}
	}
	return 0
}

// constantDefinition reports whether a form defines a symbol without parameters, and not one of a text's own definitions.
func constantDefinition(form string) bool {
	rest, ok := strings.CutPrefix(form, "(define-fun ")
	if !ok {
		return true // for the parser to judge
	}
	rest = strings.TrimSpace(rest)
	end := strings.IndexAny(rest, " \t\n")
	if strings.HasPrefix(rest, "|") {
		end = strings.IndexByte(rest[1:], '|') + 2
	}
	if end <= 0 || end > len(rest) {
		return true
	}
	return strings.HasPrefix(strings.TrimSpace(rest[end:]), "()") &&
		!strings.HasPrefix(rest, "$") && !strings.HasPrefix(rest, "fold-rec-")
}

// valueOf is an unknown's value in a model; what the model does not mention is 0.
func valueOf(m smt.Model, name string) *big.Int {
	v, ok := m[name]
	switch {
	case !ok || !v.Defined():
		return new(big.Int)
	case v.Sort() == smt.Bool:
		if v.IsTrue() {
			return big.NewInt(1)
		}
		return new(big.Int)
	}
	return v.Int()
}
