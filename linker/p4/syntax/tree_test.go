package syntax

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// corpus parses testdata/ok; between them the files hold every kind of node.
func corpus(t testing.TB) map[string]*Program {
	t.Helper()
	files, err := filepath.Glob("testdata/ok/*.p4")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	programs := map[string]*Program{}
	for _, file := range files {
		p, diags := ParseFile(file, Config{})
		if len(diags) > 0 {
			t.Fatalf("%s:\n%v", file, diags)
		}
		programs[filepath.Base(file)] = p
	}
	return programs
}

func printed(t testing.TB, p *Program) string {
	t.Helper()
	var b bytes.Buffer
	if err := Print(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func mustParse(t testing.TB, text string) *Program {
	t.Helper()
	p, diags := Parse("test.p4", []byte(text), Config{})
	if len(diags) > 0 {
		t.Fatalf("%v\nin\n%s", diags, text)
	}
	return p
}

func TestPrintParsesAgain(t *testing.T) {
	for name, p := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			text := printed(t, p)
			q := mustParse(t, text)
			if !Equal(p, q) {
				t.Fatalf("the printed text is another program:\n%s", text)
			}
			if again := printed(t, q); again != text {
				t.Errorf("printing is not stable:\n%s\nthen\n%s", text, again)
			}
		})
	}
}

func TestPrintGolden(t *testing.T) {
	for name, p := range corpus(t) {
		golden := filepath.Join("testdata", "golden", name)
		got := printed(t, p)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: printed text differs from %s; run with -update if that is meant", name, golden)
		}
	}
}

// children finds nodes by reflection: slow, but it cannot forget a field.
func children(v reflect.Value, visit func(Node)) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return
		}
		if v.CanInterface() {
			if n, ok := v.Interface().(Node); ok {
				visit(n)
				return
			}
		}
		children(v.Elem(), visit)
	case reflect.Slice:
		for i := range v.Len() {
			children(v.Index(i), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			children(v.Field(i), visit)
		}
	}
}

func allNodes(n Node, visit func(Node)) {
	visit(n)
	children(reflect.ValueOf(n).Elem(), func(c Node) { allNodes(c, visit) })
}

// TestWalk compares Walk with a search by reflection, and makes sure that the corpus holds every kind of node.
func TestWalk(t *testing.T) {
	kinds := map[string]bool{}
	for name, p := range corpus(t) {
		want, got := map[Node]bool{}, map[Node]int{}
		allNodes(p, func(n Node) { want[n] = true })
		Walk(p, func(n Node) bool { got[n]++; return true })
		for n := range want {
			kinds[reflect.TypeOf(n).Elem().Name()] = true
			if got[n] != 1 {
				t.Errorf("%s: Walk visits %T at %s %d times", name, n, n.Pos(), got[n])
			}
			if !n.Pos().IsValid() {
				t.Errorf("%s: %T %q has no position", name, n, PrintNode(n))
			}
		}
		for n := range got {
			if !want[n] {
				t.Errorf("%s: Walk visits a node that is not in the tree: %T", name, n)
			}
		}
	}
	for _, kind := range declaredNodes(t) {
		if !kinds[kind] {
			t.Errorf("testdata/ok has no %s: it is not tested", kind)
		}
	}
}

// declaredNodes reads the kinds of nodes from ast.go.
func declaredNodes(t *testing.T) []string {
	t.Helper()
	src, err := os.ReadFile("ast.go")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, line := range strings.Split(string(src), "\n") {
		f := strings.Fields(strings.TrimPrefix(line, "type "))
		if len(f) < 3 || !strings.HasPrefix(f[1], "struct") || f[0] < "A" || f[0] > "Z~" || f[0] == "Token" {
			continue
		}
		kinds = append(kinds, f[0])
	}
	if len(kinds) < 60 {
		t.Fatalf("found only %d kinds of nodes in ast.go", len(kinds))
	}
	sort.Strings(kinds)
	return kinds
}

// TestWalkSkips: the children of a node are skipped when f says so.
func TestWalkSkips(t *testing.T) {
	p := mustParse(t, "const bool a = b;\nconst bool c = (d);\n")
	var names []string
	Walk(p, func(n Node) bool {
		if id, ok := n.(*Ident); ok {
			names = append(names, id.Name)
		}
		_, paren := n.(*Paren)
		return !paren
	})
	if got := strings.Join(names, " "); got != "a b c" {
		t.Errorf("visited %q", got)
	}
}

// TestEqualSeesEveryField changes every leaf of a tree, one at a time, and expects Equal to see it.
func TestEqualSeesEveryField(t *testing.T) {
	for name := range corpus(t) {
		p, q := corpus(t)[name], corpus(t)[name]
		if !Equal(p, q) {
			t.Fatalf("%s: not equal to itself", name)
		}
		changed := 0
		var visit func(v reflect.Value, path string)
		try := func(path string, do, undo func()) {
			do()
			changed++
			if Equal(p, q) {
				t.Errorf("%s: Equal does not see a change of %s", name, path)
			}
			undo()
		}
		visit = func(v reflect.Value, path string) {
			switch v.Kind() {
			case reflect.Interface, reflect.Pointer:
				if !v.IsNil() && v.Type() != bigType {
					visit(v.Elem(), path)
				}
			case reflect.Slice:
				for i := range v.Len() {
					visit(v.Index(i), path+"[]")
				}
				if v.CanSet() && v.Len() > 0 {
					old := reflect.ValueOf(v.Interface())
					try(path+" (shorter)", func() { v.Set(v.Slice(0, v.Len()-1)) }, func() { v.Set(old) })
				}
			case reflect.Struct:
				for i := range v.NumField() {
					f := v.Type().Field(i)
					if f.Type == nodeType || f.Type == posType || f.Name == "Text" && (v.Type() == intType || v.Type() == strType) {
						continue
					}
					visit(v.Field(i), v.Type().Name()+"."+f.Name)
				}
			case reflect.String:
				old := v.String()
				try(path, func() { v.SetString(old + "x") }, func() { v.SetString(old) })
			case reflect.Bool:
				old := v.Bool()
				try(path, func() { v.SetBool(!old) }, func() { v.SetBool(old) })
			case reflect.Int:
				old := v.Int()
				try(path, func() { v.SetInt(old + 1) }, func() { v.SetInt(old) })
			}
		}
		// Shorten the work: a tree of a few declarations at a time.
		decls, other := p.Decls, q.Decls
		for i := range decls {
			p.Decls, q.Decls = decls[i:i+1], other[i:i+1]
			visit(reflect.ValueOf(q.Decls[0]), "Decl")
		}
		if changed < 200 {
			t.Errorf("%s: only %d changes tried", name, changed)
		}
	}
}

func TestEqualIgnores(t *testing.T) {
	tests := []struct {
		name, a, b string
		equal      bool
	}{
		{"positions", "const bool a = b;", "\n\n  const   bool a=b ;", true},
		{"parentheses", "const int a = 1 + 2 * 3;", "const int a = (1) + ((2 * 3));", true},
		{"grouping", "const int a = 1 + 2 * 3;", "const int a = (1 + 2) * 3;", false},
		{"spelling of numbers", "const int a = 16;", "const int a = 0x1_0;", true},
		{"width of numbers", "const int a = 16;", "const int a = 8w16;", false},
		{"sign of numbers", "const int a = 8s16;", "const int a = 8w16;", false},
		{"empty arguments", "const int a = f<>();", "const int a = f();", true},
		{"one more", "const int a = f();", "const int a = f(1);", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Equal(mustParse(t, test.a), mustParse(t, test.b)); got != test.equal {
				t.Errorf("Equal = %v", got)
			}
		})
	}
	if Equal(nil, &Program{}) || !Equal(nil, nil) {
		t.Error("Equal of nil")
	}
}
