package plan

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each lemma is decided by two solvers, every check as the file says: the situations are possible, the rest follows.
func TestLemmas(t *testing.T) {
	files, err := filepath.Glob("../../specs/lemmas/*.smt2")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d lemmas, %v", len(files), err)
	}
	status := regexp.MustCompile(`\(set-info :status (\w+)\)`)
	for _, solver := range [][]string{{"z3"}, {"cvc5", "--incremental"}} {
		for _, f := range files {
			t.Run(solver[0]+"/"+filepath.Base(f), func(t *testing.T) {
				text, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				var want []string
				for _, m := range status.FindAllStringSubmatch(string(text), -1) {
					want = append(want, m[1])
				}
				if n := strings.Count(string(text), "(check-sat)"); n != len(want) {
					t.Fatalf("%d checks, %d expectations", n, len(want))
				}
				if joined := strings.Join(want, " "); !strings.Contains(joined, "unsat") || !strings.HasPrefix(joined, "sat") {
					t.Fatalf("proves nothing, or has no guard: %s", joined)
				}
				out, err := exec.CommandContext(t.Context(), solver[0], append(solver[1:], f)...).CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if have := strings.Fields(string(out)); strings.Join(have, " ") != strings.Join(want, " ") {
					t.Errorf("%v, want %v", have, want)
				}
			})
		}
	}
}
