package flow_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
)

// expected reads the regular expressions of // WARN "..." "..." comments, by line.
func expected(t *testing.T, src string) map[int32][]string {
	t.Helper()
	want := map[int32][]string{}
	for i, line := range strings.Split(src, "\n") {
		_, rest, _ := strings.Cut(line, "// WARN ")
		for _, m := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(rest, -1) {
			want[int32(i+1)] = append(want[int32(i+1)], m[1])
		}
	}
	return want
}

func TestWarnings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.p4")
	if err != nil || len(files) == 0 {
		t.Fatal("no test programs", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := expected(t, string(src))
			info, diags := p4.LoadWith(file, nil, p4.Options{Warnings: true})
			if info == nil || diags.HasErrors() {
				t.Fatalf("has errors:\n%v", diags)
			}
			for _, d := range diags {
				if !take(want, d) {
					t.Errorf("unexpected: %v", d)
				}
			}
			for line, res := range want {
				for _, re := range res {
					t.Errorf("%s:%d: no warning matches %q", file, line, re)
				}
			}
		})
	}
}

// take removes the expectation that d meets.
func take(want map[int32][]string, d syntax.Diagnostic) bool {
	for i, re := range want[d.Pos.Line] {
		if regexp.MustCompile(re).MatchString(d.Msg) {
			want[d.Pos.Line] = append(want[d.Pos.Line][:i:i], want[d.Pos.Line][i+1:]...)
			return true
		}
	}
	return false
}
