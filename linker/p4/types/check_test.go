package types_test

import (
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// expected reads the regular expressions of // ERROR "..." "..." comments, by line.
func expected(t *testing.T, src string) map[int][]*regexp.Regexp {
	t.Helper()
	want := map[int][]*regexp.Regexp{}
	for i, line := range strings.Split(src, "\n") {
		_, rest, found := strings.Cut(line, "// ERROR ")
		for found && strings.TrimSpace(rest) != "" {
			rest = strings.TrimSpace(rest)
			// Regular expressions are written as they are, without Go's escapes.
			end := strings.Index(rest[1:], `"`)
			if rest[0] != '"' || end < 0 {
				t.Fatalf("line %d: ill-formed ERROR comment %q", i+1, rest)
			}
			want[i+1] = append(want[i+1], regexp.MustCompile(rest[1:end+1]))
			rest = rest[end+2:]
		}
	}
	return want
}

func TestErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.p4")
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
			info, diags := p4.Load(file, nil)
			if info == nil {
				t.Fatalf("does not parse:\n%v", diags)
			}
			for _, d := range diags {
				if d.Severity != syntax.Error {
					continue
				}
				if !take(want, d) {
					t.Errorf("unexpected: %v", d)
				}
			}
			for line, res := range want {
				for _, re := range res {
					t.Errorf("%s:%d: no error matches %q", file, line, re)
				}
			}
		})
	}
}

// take removes the expectation that d meets.
func take(want map[int][]*regexp.Regexp, d syntax.Diagnostic) bool {
	for i, re := range want[int(d.Pos.Line)] {
		if re.MatchString(d.Msg) {
			want[int(d.Pos.Line)] = append(want[int(d.Pos.Line)][:i], want[int(d.Pos.Line)][i+1:]...)
			return true
		}
	}
	return false
}

// TestComplete checks what later packages rely on: every expression has a type, every type node and call is resolved, every
// identifier is defined or used.
func TestComplete(t *testing.T) {
	files, err := filepath.Glob("testdata/valid/*.p4")
	if err != nil || len(files) == 0 {
		t.Fatal("no test programs", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			info, diags := p4.Load(file, nil)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			for _, gap := range gaps(info) {
				t.Error(gap)
			}
		})
	}
}

// TestCompleteCanary checks that the check above would notice.
func TestCompleteCanary(t *testing.T) {
	info, diags := p4.Load("testdata/valid/everything.p4", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	removals := map[string]func(){
		"type": func() {
			for e := range info.Types {
				delete(info.Types, e)
				return
			}
		},
		"call": func() {
			for k := range info.Calls {
				delete(info.Calls, k)
				return
			}
		},
		"use": func() {
			for id, o := range info.Uses {
				if o.Kind == types.StateObject {
					delete(info.Uses, id)
					return
				}
			}
		},
	}
	before := len(gaps(info))
	for name, remove := range removals {
		remove()
		after := len(gaps(info))
		if after <= before {
			t.Errorf("a missing %s is not noticed", name)
		}
		before = after
	}
}

func gaps(info *types.Info) []string {
	var found []string
	note := func(n syntax.Node, what string) { found = append(found, n.Pos().String()+": "+what) }
	selectors := map[*syntax.Ident]bool{}
	syntax.Walk(info.Program, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Annotation:
			return false
		case *syntax.Member:
			selectors[n.Sel] = true
		case *syntax.Field:
			selectors[n.Name] = true
		case *syntax.EnumMember:
			selectors[n.Name] = true
		case *syntax.ExprProperty:
			selectors[n.Name] = true
		case *syntax.StructExpr:
			for _, f := range n.Fields {
				selectors[f.Name] = true
			}
		case *syntax.Call:
			if info.Calls[n] == nil {
				note(n, "call not resolved")
			}
		}
		switch n := n.(type) {
		case syntax.Expr:
			switch typ := info.Types[n].(type) {
			case nil:
				note(n, "expression without a type")
			case *types.Basic:
				if typ.Kind < 0 || typ.Kind == types.InvalidKind {
					note(n, "expression of type "+typ.String())
				}
			}
		case syntax.Type:
			if info.TypeNodes[n] == nil {
				note(n, "type not resolved")
			}
		case *syntax.Ident:
			if !selectors[n] && info.Defs[n] == nil && info.Uses[n] == nil {
				note(n, n.Name+" neither defined nor used")
			}
		}
		return true
	})
	return found
}

// TestValues checks constants and the types they were converted to.
func TestValues(t *testing.T) {
	for _, test := range []struct{ typ, expr, want string }{
		{"int", "1 + 2 * 3", "7"},
		{"bit<8>", "255 + 1", "0"},
		{"bit<8>", "8w255 + 1", "0"},
		{"bit<8>", "8w255 |+| 1", "255"},
		{"bit<8>", "8w1 |-| 2", "0"},
		{"int<8>", "8s127 + 1", "-128"},
		{"int<8>", "8s127 |+| 1", "127"},
		{"bit<8>", "-1", "255"},
		{"bit<8>", "~8w1", "254"},
		{"int<4>", "(int<4>) 4w15", "-1"},
		{"bit<4>", "(bit<4>) 4s8", "8"},
		{"bit<12>", "4w1 ++ 8w2", "258"},
		{"int<8>", "4s15 ++ 4w1", "-15"},
		{"bit<4>", "8w0xab[7:4]", "10"},
		{"bit<4>", "8w0xab[4 +: 4]", "10"},
		{"bit<8>", "8w1 << 8", "0"},
		{"int<8>", "-8s64 >> 2", "-16"},
		{"int", "-5 >> 1", "-3"},
		{"int", "1 << 100 >> 98", "4"},
		{"int", "7 / 2 + 7 % 2", "4"},
		{"bit<8>", "true ? 1 : 2", "1"},
		{"bool", "1 < 2 && !(8w1 == 2)", "true"},
		{"bool", "(bool) 1w1", "true"},
		{"bit<1>", "(bit<1>) true", "1"},
		{"bool", "{ 1, 2 } == { 1, 2 }", "true"},
		{"bit<0>", "0", "0"},
		{"int", "6 & 3 | 8", "10"},
		{"int", "-1 & 255", "255"},
	} {
		t.Run(test.expr, func(t *testing.T) {
			info, diags := p4.Load("test.p4", []byte("const "+test.typ+" x = "+test.expr+";\n"))
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			d := info.Program.Decls[0].(*syntax.ConstDecl)
			got := show(info.Defs[d.Name].Value)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if typ := info.Types[d.Value].String(); typ != test.typ {
				t.Errorf("type %s, want %s", typ, test.typ)
			}
		})
	}
}

func show(v types.Value) string {
	switch v := v.(type) {
	case types.IntValue:
		return v.Int.String()
	case types.BoolValue:
		return strconv.FormatBool(bool(v))
	}
	return "?"
}

// TestMain arguments: what later packages take a v1model program apart by.
func TestMainArgs(t *testing.T) {
	info, diags := p4.Load("testdata/valid/everything.p4", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := []string{"p P", "vr V", "ig I", "eg E", "ck C", "dep D"}
	if len(info.MainArgs) != len(want) {
		t.Fatalf("%d arguments", len(info.MainArgs))
	}
	for i, a := range info.MainArgs {
		if got := a.Param + " " + a.Decl.DeclName().Name; got != want[i] {
			t.Errorf("argument %d is %s, want %s", i, got, want[i])
		}
	}
	if got := info.Main.Type.String(); got != "V1Switch<headers_t, meta_t>" {
		t.Errorf("main is a %s", got)
	}
}

// TestCalls checks the order of arguments, defaults and inferred type arguments.
func TestCalls(t *testing.T) {
	info, diags := p4.Load("testdata/valid/everything.p4", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := map[string]string{
		"reg.write(index = i, value = meta.hash |+| 1)": "i | meta.hash |+| 1",
		"pick(p.first, p.second)":                       "p.first | p.second | true",
		"two.apply(x = meta.inner.b)":                   "meta.inner.b",
		"random(i, 0, 99)":                              "i | 0 | 99",
		"bind(meta.inner.a, meta.inner.b)":              "meta.inner.a | meta.inner.b | -",
		"Inner(by = 4, cells = 32)":                     "",
		`log_msg("port {}", {sm.egress_spec})`:          `"port {}" | {sm.egress_spec}`,
		`log_msg("port {}", { sm.egress_spec })`:        `"port {}" | { sm.egress_spec }`,
		"clone(CloneType.I2E, 5)":                       "CloneType.I2E | 5",
		"digest<inner_t>(1, {1, 2, true})":              "1 | {1, 2, true}",
		"hdr.words.push_front(1)":                       "1",
		"pick(a = 1, b = 2, first = false)":             "1 | 2 | false",
		"b.extract(hdr.opt, (bit<32>)(peek.len << 3))":  "",
	}
	seen := 0
	for call, c := range info.Calls {
		w, ok := want[syntax.PrintNode(call)]
		if !ok || w == "" {
			continue
		}
		seen++
		var args []string
		for _, a := range c.Args {
			if a == nil {
				args = append(args, "-")
			} else {
				args = append(args, syntax.PrintNode(a))
			}
		}
		if got := strings.Join(args, " | "); got != w {
			t.Errorf("%s: arguments %s, want %s", syntax.PrintNode(call), got, w)
		}
		if c.Method == "random" && (len(c.TypeArgs) != 1 || c.TypeArgs[0].String() != "bit<32>") {
			t.Errorf("random: type arguments %v", c.TypeArgs)
		}
	}
	if seen < 8 {
		t.Errorf("only %d of the calls were found", seen)
	}
}

// TestCodes checks that every documented code is one that some test program provokes, and the other way round.
func TestCodes(t *testing.T) {
	src, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile(`= "(P4\d+)" // \S`).FindAllStringSubmatch(string(src), -1) {
		if documented[m[1]] {
			t.Errorf("%s is given twice", m[1])
		}
		documented[m[1]] = true
	}
	if n := strings.Count(string(src), `"P4`); n != len(documented) {
		t.Errorf("%d codes, %d of them documented", n, len(documented))
	}
	provoked := map[string]bool{"P4203": true, "P4299": true} // by TestBuiltTree: no text gets so far
	files, _ := filepath.Glob("testdata/errors/*.p4")
	for _, file := range files {
		_, diags := p4.Load(file, nil)
		for _, d := range diags {
			provoked[d.Code] = true
			if !documented[d.Code] {
				t.Errorf("%v: the code is not documented", d)
			}
		}
	}
	for code := range documented {
		if !provoked[code] {
			t.Errorf("no test program provokes %s", code)
		}
	}
}

// TestBuiltTree checks a tree that no parser made: a constant where a type stands, and an operator that there is not.
func TestBuiltTree(t *testing.T) {
	one := func() syntax.Expr { return &syntax.IntLit{Text: "1", Value: big.NewInt(1)} }
	first := &syntax.ConstDecl{Type: &syntax.BaseType{Kind: "int"}, Value: one()}
	first.Name = &syntax.Ident{Name: "n"}
	second := &syntax.ConstDecl{Type: &syntax.NamedType{Ident: &syntax.Ident{Name: "n"}}, Value: one()}
	second.Name = &syntax.Ident{Name: "m"}
	third := &syntax.ConstDecl{Type: &syntax.BaseType{Kind: "int"}, Value: &syntax.Binary{Op: "**", X: one(), Y: one()}}
	third.Name = &syntax.Ident{Name: "o"}
	_, diags := types.Check(&syntax.Program{Decls: []syntax.Decl{first, second, third}})
	if len(diags) != 2 || diags[0].Code != "P4203" || diags[1].Code != "P4299" {
		t.Errorf("findings: %v, want P4203 and P4299", diags)
	}
}
