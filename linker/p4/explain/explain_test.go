package explain_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker"
	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/explain"
	"github.com/interlock/interlock/linker/p4/p4info"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/site"
)

var isCode = regexp.MustCompile(`^P4\d{3}$`)

// declared are all codes that the source of this module declares, with the file that does.
func declared(t *testing.T) map[string]string {
	t.Helper()
	codes := map[string]string{}
	root := filepath.Join("..", "..") // linker: nobody else declares any
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			ast.Inspect(g, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if s, err := strconv.Unquote(lit.Value); err == nil && isCode.MatchString(s) {
						if other := codes[s]; other != "" {
							t.Errorf("%s is declared in %s and in %s", s, other, path)
						}
						codes[s] = path
					}
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

// TestEveryCode: no code lacks an entry, no entry its code.
func TestEveryCode(t *testing.T) {
	all, err := explain.All()
	if err != nil {
		t.Fatal(err)
	}
	codes := declared(t)
	if len(codes) < 50 {
		t.Fatalf("only %d codes found", len(codes))
	}
	seen := map[string]bool{}
	for _, e := range all {
		if seen[e.Code] {
			t.Errorf("%s has two entries", e.Code)
		}
		seen[e.Code] = true
		if codes[e.Code] == "" {
			t.Errorf("%s has an entry, and no package declares it", e.Code)
		}
		if e.Title == "" || strings.HasSuffix(e.Title, ".") {
			t.Errorf("%s: title %q", e.Code, e.Title)
		}
	}
	for code, path := range codes {
		if !seen[code] {
			t.Errorf("%s (%s) has no entry", code, path)
		}
	}
}

// without are the codes that have no example.
var without = map[string]string{
	"P4107": "it takes a hundred errors (tested in syntax)",
	"P4203": "the parser notices first (tested with a tree in types)",
	"P4299": "no text has such a node (tested with a tree in types)",
	"P4304": "the checker notices first (P4255)",
	"P4309": "the checker notices first (tested in p4info)",
}

// TestExamples runs every wrong example, which must give its code and no other, and every right one, which must be clean.
func TestExamples(t *testing.T) {
	all, err := explain.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		t.Run(e.Code, func(t *testing.T) {
			t.Parallel()
			if why := without[e.Code]; why != "" && e.Wrong.Text == "" {
				return
			}
			diags := check(t, e.Code, "wrong.p4", e.Wrong.Program())
			got := map[string]bool{}
			for _, d := range diags {
				got[d.Code] = true
				if d.Code != e.Code && !slices.Contains(e.Also, d.Code) {
					t.Errorf("wrong: unexpected %v", d)
				}
				warns := strings.HasSuffix(e.Title, "(warning)")
				if d.Code == e.Code && warns != (d.Severity == syntax.Warning) && !strings.Contains(e.Title, "warning") {
					t.Errorf("the title must say whether this is a warning: %v", d)
				}
			}
			for _, want := range append([]string{e.Code}, e.Also...) {
				if !got[want] {
					t.Errorf("wrong: no %s; got %v", want, diags)
				}
			}
			if diags := check(t, e.Code, "right.p4", e.Right.Program()); len(diags) > 0 {
				t.Errorf("right: %v", diags)
			}
		})
	}
}

// check runs a program through the stage that reports the code.
func check(t *testing.T, code, name, text string) syntax.Diagnostics {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	info, diags := p4.LoadWith(path, nil, p4.Options{Warnings: true, Architecture: true})
	switch {
	case diags.HasErrors():
		return diags
	case strings.HasPrefix(code, "P43"):
		_, more := p4info.Generate(info)
		diags = append(diags, more...)
		if !more.HasErrors() {
			_, more = p4info.Entries(info)
			diags = append(diags, more...)
		}
	case strings.HasPrefix(code, "P47"):
		diags = append(diags, link(t, path)...)
	}
	return diags
}

// link links a program as a tenant's.
func link(t *testing.T, path string) syntax.Diagnostics {
	t.Helper()
	s, err := site.Parse(filepath.Join(filepath.Dir(path), "site.yaml"), fmt.Appendf(nil, `apiVersion: interlock/v1alpha1
kind: Site
metadata: {name: test}
policy: builtin:drf
solvers: [{name: z3}]
ledger: {dir: ledger}
switches:
  - {name: s1, target: bmv2, driver: softswitch, address: "127.0.0.1:9559", deviceId: 1, ports: [1, 2], slots: 16384}
tenants:
  - {name: t, vid: 10, program: %s, ports: {1: 1, 2: 2}}
`, path))
	if err != nil {
		t.Fatal(err)
	}
	_, err = linker.Link(context.Background(), s, linker.Options{Entitler: linker.Unlimited{}})
	var diags syntax.Diagnostics
	if err != nil && !errors.As(err, &diags) {
		t.Fatal(err)
	}
	return diags
}
