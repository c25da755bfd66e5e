package types_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
)

// TestForbidden checks small programs, each of which breaks one rule of the language specification: there must be the errors of
// its // ERROR comments, and no other.
func TestForbidden(t *testing.T) {
	files, err := filepath.Glob("testdata/forbidden/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no test programs", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+f.Name, func(t *testing.T) {
				want := expected(t, string(f.Data))
				if len(want) == 0 {
					t.Fatal("nothing is expected to be wrong")
				}
				_, diags := p4.Load(f.Name, f.Data)
				for _, d := range diags {
					if d.Severity == syntax.Error && !take(want, d) {
						t.Errorf("unexpected: %v", d)
					}
				}
				for line, res := range want {
					for _, re := range res {
						t.Errorf("line %d: no error matches %q", line, re)
					}
				}
			})
		}
	}
}
