package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/interlock/interlock"

// layout says, for each package (or subtree, with a trailing /...), which of our packages it may import, besides itself and
// its sub-packages. Dependencies point one way: cmd -> api -> alloc -> verify, policy -> linker/p4 (DESIGN.md §2).
var layout = []struct {
	tree    string
	allowed []string
}{
	{"specs", nil},
	{"linker/p4/...", []string{"specs", "linker/p4"}},
	{"linker/manifest", []string{"specs"}},
	{"linker/...", []string{"specs", "linker", "policy"}},
	{"policy/...", []string{"specs", "linker/p4", "policy"}},
	{"verify/policy", []string{"specs", "linker/p4", "linker/resources", "policy", "verify"}},
	{"verify/...", []string{"specs", "linker/p4", "verify"}},
	{"alloc/...", []string{"specs", "linker/p4", "linker/manifest", "linker/site", "policy", "verify", "alloc"}},
	{"api/p4rt", nil},
	{"api/softswitch/...", []string{"specs", "linker/p4", "api/p4rt"}},
	{"api/device/...", []string{"specs", "linker/p4", "verify/plan", "api/device", "api/p4rt"}}, // drivers declare what plans' proofs suppose
	{"api/gate/...", []string{"specs", "linker/p4", "verify", "api/device", "api/p4rt"}},
	{"api/gateway/...", []string{"specs", "linker/p4", "linker/manifest", "alloc", "verify", "api/p4rt", "api/device", "api/gate"}},
}

// only lists packages with the complete set of those of ours that may import them, tests aside.
var only = map[string][]string{
	"api/device/writer": {"api/gate"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

// listPackages runs go list on our module.
func listPackages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []listed
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func inTree(pkg, tree string) bool {
	root, all := strings.CutSuffix(tree, "/...")
	return pkg == root || all && strings.HasPrefix(pkg, root+"/")
}

// violations reports every import that the layout forbids.
func violations(pkgs []listed) []string {
	var bad []string
	for _, p := range pkgs {
		pkg := strings.TrimPrefix(p.ImportPath, module+"/")
		rule := slices.IndexFunc(layout, func(r struct {
			tree    string
			allowed []string
		},
		) bool {
			return inTree(pkg, r.tree)
		})
		for _, imp := range p.Imports {
			if imp == "C" && pkg != "verify/smt/z3" && pkg != "cmd/interlock-z3" {
				bad = append(bad, pkg+" uses cgo")
			}
			ours, ok := strings.CutPrefix(imp, module+"/")
			if !ok {
				continue
			}
			if users, guarded := only[ours]; guarded && !slices.Contains(users, pkg) {
				bad = append(bad, pkg+" imports "+ours)
				continue
			}
			if rule < 0 || inTree(ours, pkg+"/...") {
				continue
			}
			if !slices.ContainsFunc(layout[rule].allowed, func(a string) bool { return inTree(ours, a+"/...") }) {
				bad = append(bad, pkg+" imports "+ours)
			}
		}
	}
	return bad
}

func TestLayout(t *testing.T) {
	pkgs := listPackages(t)
	if len(pkgs) < 10 {
		t.Fatalf("go list found only %d packages", len(pkgs))
	}
	for _, v := range violations(pkgs) {
		t.Error(v)
	}
}

// The verifier trusts nothing of the linker but the front end, and nobody but the gate can write: the check finds both.
func TestLayoutCanary(t *testing.T) {
	got := violations([]listed{
		{module + "/verify/program", []string{"fmt", module + "/linker", module + "/linker/p4/types"}},
		{module + "/alloc", []string{module + "/api/device/writer"}},
		{module + "/api/gateway", []string{module + "/api/device/writer", module + "/api/softswitch", module + "/api/gate", module + "/verify/request"}},
		{module + "/cmd/interlock", []string{module + "/api/device/writer", module + "/api/gate", "C"}},
	})
	want := []string{
		"verify/program imports linker", "alloc imports api/device/writer",
		"api/gateway imports api/device/writer", "api/gateway imports api/softswitch", "cmd/interlock imports api/device/writer",
		"cmd/interlock uses cgo",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
