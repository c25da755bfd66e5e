package rewrite_test

import (
	"reflect"
	"testing"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/rewrite"
)

func program(t *testing.T, path string) *syntax.Program {
	t.Helper()
	p, diags := syntax.ParseFile(path, syntax.Config{Builtin: p4.Builtin()})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

var programs = []string{"../testdata/rich.p4", "../testdata/egress.p4", "../../testdata/tenants/kv.p4", "../../testdata/tenants/fw.p4"}

// TestCopy copies whole programs: the copy is the same tree, and shares no node with the original.
func TestCopy(t *testing.T) {
	for _, path := range programs {
		t.Run(path, func(t *testing.T) {
			p := program(t, path)
			c := rewrite.Node(&rewrite.Copier{}, p)
			if !syntax.Equal(p, c) {
				t.Fatal("the copy is another tree")
			}
			nodes := map[syntax.Node]bool{}
			syntax.Walk(p, func(n syntax.Node) bool { nodes[n] = true; return true })
			count := 0
			syntax.Walk(c, func(n syntax.Node) bool {
				count++
				if nodes[n] {
					t.Errorf("%v: %T is shared", n.Pos(), n)
				}
				return true
			})
			if count != len(nodes) {
				t.Errorf("%d nodes, want %d", count, len(nodes))
			}
		})
	}
}

// TestHooks renames and drops on the way, and leaves the original alone.
func TestHooks(t *testing.T) {
	p := program(t, programs[0])
	before := rewrite.Node(&rewrite.Copier{}, p)
	c := &rewrite.Copier{
		Ident: func(id *syntax.Ident) string { return "x_" + id.Name },
		Expr: func(e syntax.Expr) syntax.Expr {
			if _, ok := e.(*syntax.BoolLit); ok {
				return rewrite.Bool(false)
			}
			return nil
		},
		Stmt: func(s syntax.Stmt) ([]syntax.Stmt, bool) {
			if _, ok := s.(*syntax.IfStmt); ok {
				return []syntax.Stmt{rewrite.Assign(rewrite.Name("a"), rewrite.Int(1)), rewrite.Block()}, true
			}
			return nil, false
		},
		Type: func(ty syntax.Type) syntax.Type {
			if b, ok := ty.(*syntax.BaseType); ok && b.Kind == "bool" {
				return rewrite.BitType(1)
			}
			return nil
		},
		Decl: func(d syntax.Decl) ([]syntax.Decl, bool) {
			_, isTable := d.(*syntax.TableDecl)
			return nil, isTable
		},
		Annotations: func([]*syntax.Annotation) []*syntax.Annotation { return nil },
	}
	out := rewrite.Node(c, p)
	if !syntax.Equal(p, before) {
		t.Error("the original has changed")
	}
	syntax.Walk(out, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.IfStmt, *syntax.TableDecl, *syntax.Annotation:
			t.Errorf("%v: %s is still there", n.Pos(), reflect.TypeOf(n))
		case *syntax.BoolLit:
			if n.Value {
				t.Errorf("%v: true is still there", n.Pos())
			}
		case *syntax.Ident:
			if n.Name != "a" && n.Name[:2] != "x_" {
				t.Errorf("%v: %s was not renamed", n.Pos(), n.Name)
			}
		case *syntax.BaseType:
			if n.Kind == "bool" {
				t.Errorf("%v: bool is still there", n.Pos())
			}
		}
		return true
	})
}

// TestBuild prints what the constructors make.
func TestBuild(t *testing.T) {
	for _, c := range []struct {
		n    syntax.Node
		want string
	}{
		{rewrite.Path("a", "b", "c"), "a.b.c"},
		{rewrite.Binary(rewrite.Binary(rewrite.Name("a"), "+", rewrite.Int(1)), "*", rewrite.BitLit(8, 3)), "(a + 1) * 8w3"},
		{rewrite.Cast(rewrite.BitType(4), rewrite.Binary(rewrite.Name("a"), "+", rewrite.Int(1))), "(bit<4>)(a + 1)"},
		{rewrite.CallStmt(rewrite.Path("r", "read"), rewrite.Name("x"), rewrite.Int(2)), "r.read(x, 2);"},
		{rewrite.Var(rewrite.NamedType("T"), "x", rewrite.Bool(true)), "T x = true;"},
		{rewrite.Annotation("name", ".kv__t"), `@name(".kv__t")`},
	} {
		if got := syntax.PrintNode(c.n); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
