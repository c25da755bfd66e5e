package linker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/site"
)

// siteWith is a site of one tenant with the given program, beside tenant hh.
func siteWith(t testing.TB, program, more string) *site.Site {
	t.Helper()
	hh, err := filepath.Abs("../testdata/tenants/hh.p4")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`apiVersion: interlock/v1alpha1
kind: Site
metadata: {name: test}
policy: builtin:drf
solvers: [{name: z3}]
ledger: {dir: ledger}
switches:
  - {name: s1, target: tofino-like, driver: softswitch, address: "127.0.0.1:9559", deviceId: 1, ports: [1, 2, 3, 4], slots: 16384}
tenants:
  - name: t
    vid: 10
    program: %s
    ports: {1: 1, 2: 2}
%s  - name: hh
    vid: 200
    program: %s
    ports: {1: 3, 2: 4}
`, program, more, hh)
	s, err := site.Parse(filepath.Join(filepath.Dir(program), "site.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func linkSite(s *site.Site) (*linker.Linked, error) {
	return linker.Link(context.Background(), s, linker.Options{Entitler: linker.Unlimited{}})
}

// wanted are the expected errors of a program, written beside its lines as // ERROR "regexp".
func wanted(t *testing.T, path string) map[int][]string {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[int][]string{}
	for i, line := range strings.Split(string(src), "\n") {
		_, comment, ok := strings.Cut(line, "// ERROR ")
		if !ok {
			continue
		}
		for _, part := range strings.Split(comment, ` ERROR `) {
			out[i+1] = append(out[i+1], strings.TrimSuffix(strings.TrimPrefix(part, `"`), `"`))
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s expects no error", path)
	}
	return out
}

// TestBadTenants links each bad program: it must be refused for what its comments say, where they say it, and for nothing else.
func TestBadTenants(t *testing.T) {
	files, err := filepath.Glob("../testdata/tenants/bad/*.p4")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d programs, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".p4"), func(t *testing.T) {
			path, err := filepath.Abs(f)
			if err != nil {
				t.Fatal(err)
			}
			_, err = linkSite(siteWith(t, path, ""))
			var diags syntax.Diagnostics
			if !errors.Is(err, linker.ErrRefused) || !errors.As(err, &diags) {
				t.Fatalf("got %v, want a refusal with positions", err)
			}
			want := wanted(t, path)
			for _, d := range diags {
				if d.Pos.File != filepath.ToSlash(path) || d.Pos.Col < 1 || d.Line == "" {
					t.Errorf("no position: %v", d)
				}
				found := -1
				for i, w := range want[d.Pos.Line] {
					if regexp.MustCompile(w).MatchString(d.Msg) {
						found = i
					}
				}
				if found < 0 {
					t.Errorf("unexpected: %v", d)
					continue
				}
				want[d.Pos.Line] = append(want[d.Pos.Line][:found:found], want[d.Pos.Line][found+1:]...)
			}
			for line, list := range want {
				for _, w := range list {
					t.Errorf("line %d: no error like %q; got\n%v", line, w, diags)
				}
			}
		})
	}
}
