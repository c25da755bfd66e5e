package program

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// specs/README.md says the same of what is not checked as every certificate.
func TestSpecsSayWhatIsNotChecked(t *testing.T) {
	b, err := os.ReadFile("../../specs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	// The sentence is gone when all are checked.
	var said []string
	if m := regexp.MustCompile(`(?s)- Of the program: (.*?) (?:is|are) not checked\.`).FindSubmatch(b); m != nil {
		said = regexp.MustCompile(`\bP\d+\b`).FindAllString(string(m[1]), -1)
	}
	var want []string
	for _, n := range notChecked {
		want = append(want, n.ID)
	}
	if !slices.Equal(said, want) {
		t.Errorf("specs/README.md says that %v are not checked, the certificate %v", said, want)
	}
}
