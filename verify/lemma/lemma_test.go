package lemma

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

const module = "../.." // its root

// newPool is Z3, our worker if it is there, else the binary of that name, and cvc5.
func newPool(t testing.TB, names ...string) *smt.Pool {
	t.Helper()
	var confs, binaries []smt.SolverConfig
	for _, n := range names {
		confs = append(confs, smt.SolverConfig{Name: n, Processes: 1})
		binaries = append(binaries, smt.SolverConfig{Name: n, Path: n, Processes: 1})
	}
	p, err := smt.NewPool(confs)
	if errors.Is(err, smt.ErrMissing) {
		p, err = smt.NewPool(binaries)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func all(t testing.TB) []*Lemma {
	t.Helper()
	ls, err := All()
	if err != nil {
		t.Fatal(err)
	}
	return ls
}

// Each lemma holds, by two solvers: every claim, of a situation that is possible; and every broken variant is refuted.
func TestLemmas(t *testing.T) {
	ls := all(t)
	r, err := Prove(t.Context(), newPool(t, "z3", "cvc5"), ls, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Proved(); err != nil {
		t.Error(err)
	}
	claims := 0
	for _, o := range r.Lemmas {
		if o.Verdict != verify.Proved {
			t.Errorf("%s: %s", o.File, o.Verdict)
		}
		if o.Count(Claim) != o.Count(Guard) {
			t.Errorf("%s: %d claims, %d guards", o.File, o.Count(Claim), o.Count(Guard))
		}
		claims += o.Count(Claim)
	}
	t.Logf("%d lemmas, %d claims, %v", len(ls), claims, r.Time)
}

// The files are what they look like to any solver that is given one.
func TestScripts(t *testing.T) {
	for _, l := range all(t) {
		var want []string
		for _, c := range l.Checks {
			want = append(want, string(c.Want))
		}
		for _, solver := range [][]string{{"z3"}, {"cvc5", "--incremental"}} {
			t.Run(solver[0]+"/"+l.Name, func(t *testing.T) {
				out, err := exec.CommandContext(t.Context(), solver[0], append(solver[1:], filepath.Join(module, l.File))...).CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if have := strings.Fields(string(out)); !slices.Equal(have, want) {
					t.Errorf("%v, want %v", have, want)
				}
			})
		}
	}
}

// assumptions are the commands that assert something before a claim's first check, or outside of claims and canaries.
func assumptions(t *testing.T, script string) []smt.Command {
	t.Helper()
	commands, err := smt.Commands(script)
	if err != nil {
		t.Fatal(err)
	}
	canary := func(c smt.Command) bool {
		before := script[:c.Start]
		return strings.LastIndex(before, "\n; Canary: ") > strings.LastIndex(before, "\n; Claim: ")
	}
	var out []smt.Command
	inside, checked := false, false
	for _, c := range commands {
		switch c.Name {
		case "push":
			inside, checked = true, false
		case "pop":
			inside = false
		case "check-sat":
			checked = true
		case "assert":
			if !inside || !checked && !canary(c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// No lemma assumes more than it needs: without any one of its assumptions some claim is refuted. So none is there that makes the
// others contradict each other, or does the claim's work.
func TestEveryAssumptionIsNeeded(t *testing.T) {
	s := newPool(t, "z3").Solver("z3")
	n := 0
	for _, l := range all(t) {
		b, err := os.ReadFile(filepath.Join(module, l.File))
		if err != nil {
			t.Fatal(err)
		}
		script := string(b)
		for _, a := range assumptions(t, script) {
			n++
			// As many lines as before, and something is asserted.
			hole := "(assert true)" + strings.Repeat("\n", strings.Count(script[a.Start:a.End], "\n"))
			without, err := Parse(l.File, script[:a.Start]+hole+script[a.End:])
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(without.Checks, func(c Check) bool { return c.Kind == Claim && decide(t, s, c.Text) == smt.Sat }) {
				t.Errorf("%s:%d: not needed: %s", l.File, 1+strings.Count(script[:a.Start], "\n"), script[a.Start:a.End])
			}
		}
	}
	t.Logf("%d assumptions", n)
}

func decide(t *testing.T, s smt.Solver, text string) smt.Status {
	t.Helper()
	a, err := s.Decide(t.Context(), text, smt.DecideOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != smt.Sat && a.Status != smt.Unsat {
		t.Fatalf("%s (%s)\n%s", a.Status, a.Reason, text)
	}
	return a.Status
}

// The functions that are said to rely on a lemma exist.
func TestUsedBy(t *testing.T) {
	known := map[string]map[string]bool{}
	for _, l := range all(t) {
		for _, u := range l.UsedBy {
			if known[u.Package] == nil {
				known[u.Package] = functions(t, u.Package)
			}
			if !known[u.Package][u.Function] {
				t.Errorf("%s: package %s has no function %s", l.File, u.Package, u.Function)
			}
		}
	}
}

// functions lists a package's functions: "Recipe", and "stage.cut" for methods, of pointers too.
func functions(t *testing.T, pkg string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(module, pkg, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("package %s: %d files, %v", pkg, len(files), err)
	}
	out := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := fn.Name.Name
			if fn.Recv != nil {
				r := fn.Recv.List[0].Type
				if star, ok := r.(*ast.StarExpr); ok {
					r = star.X
				}
				name = r.(*ast.Ident).Name + "." + name
			}
			out[name] = true
		}
	}
	return out
}

// The widths that lemmas are about are those of the page tables.
func TestWidths(t *testing.T) {
	read := func(name string) string {
		b, err := specs.Lemmas.ReadFile("lemmas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	translation, mask, word, middle := read("translation.smt2"), read("mask.smt2"), read("word.smt2"), read("middle.smt2")
	for _, want := range []string{
		fmt.Sprintf("(declare-const size (_ BitVec %d))", specs.SizeBits), fmt.Sprintf("(declare-const mask (_ BitVec %d))", specs.MaskBits),
	} {
		if !strings.Contains(mask, want) {
			t.Errorf("mask.smt2 does not have %s", want)
		}
	}
	for _, want := range []string{
		fmt.Sprintf("(mod (+ base v) %d)", uint64(1)<<specs.MaskBits), fmt.Sprintf("(< base %d)", 1<<specs.BaseBits),
		fmt.Sprintf("(< size %d)", 1<<specs.SizeBits), fmt.Sprintf("(<= slots %d)", 1<<specs.BaseBits),
	} {
		if !strings.Contains(translation, want) {
			t.Errorf("translation.smt2 does not have %s", want)
		}
	}
	for _, bits := range []uint{specs.BaseBits, specs.SizeBits, specs.MaskBits, specs.GenerationBits} {
		below := new(big.Int).Lsh(big.NewInt(1), bits)
		if !regexp.MustCompile(fmt.Sprintf(`; Claim: %d bits: .*\n\(push 1\)\n\(assert \(fits y %v\)\)`, bits, below)).MatchString(word) {
			t.Errorf("word.smt2 has no claim about %d bits", bits)
		}
	}
	if want := fmt.Sprintf("(ite (= g %d) 0 (+ g 1))", 1<<specs.GenerationBits-1); !strings.Contains(middle, want) {
		t.Errorf("middle.smt2 does not have %s", want)
	}
}

// README.md names every lemma, no other file of that kind, and every property.
func TestREADME(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(module, "specs/README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`lemmas/(\w+)\.smt2`).FindAllStringSubmatch(text, -1) {
		named[m[1]] = true
	}
	for _, l := range all(t) {
		if !named[l.Name] {
			t.Errorf("README.md does not name %s", l.File)
		}
		delete(named, l.Name)
	}
	if len(named) > 0 {
		t.Errorf("README.md names lemmas that do not exist: %v", named)
	}
	for prefix, n := range map[string]int{"P": 12, "M": 8} {
		for i := range n {
			if id := fmt.Sprintf(`\b%s%d\b`, prefix, i+1); !regexp.MustCompile(id).MatchString(text) {
				t.Errorf("README.md does not name %s%d", prefix, i+1)
			}
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(module, "specs", m[1])); errors.Is(err, fs.ErrNotExist) {
			t.Errorf("README.md: %s does not exist", m[1])
		}
	}
}

const small = `; Small: one is less than two.
; Used by: verify/lemma Parse
;
; For tests.
(set-logic QF_LIA)
(declare-const x Int)

; Claim: less
(push 1)
(assert (< x 1))
(set-info :status sat)
(check-sat)
(assert (not (< x 2)))
(set-info :status unsat)
(check-sat)
(pop 1)

; Canary: more
(push 1)
(assert (< x 3))
(assert (not (< x 2)))
(set-info :status sat)
(check-sat)
(pop 1)
`

func TestParse(t *testing.T) {
	l, err := Parse("specs/lemmas/small.smt2", small)
	if err != nil {
		t.Fatal(err)
	}
	if l.Title != "one is less than two" || l.Logic != "QF_LIA" || len(l.Checks) != 3 {
		t.Fatalf("%+v", l)
	}
	want := "(set-logic QF_LIA)\n(declare-const x Int)\n(assert (< x 3))\n(assert (not (< x 2)))\n(check-sat)\n"
	if c := l.Checks[2]; c.Text != want || c.Kind != Canary || c.Want != smt.Sat || c.Name != "more" || c.Line != 23 {
		t.Errorf("%+v", c)
	}
	for _, c := range l.Checks {
		if logic, _, err := smt.CheckText(c.Text); err != nil || logic != l.Logic {
			t.Errorf("%s: logic %s, %v", c.Name, logic, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"another name", "; Small:", "; Tiny:", "1: .*name of the file"},
		{"no use", "; Used by: verify/lemma Parse\n", "", "1: .*"},
		{"use without function", "verify/lemma Parse", "verify/lemma", "want a package and functions"},
		{"no reason", ";\n; For tests.\n", "", "1: .*comment that says why"},
		{"no logic", "(set-logic QF_LIA)\n", "", "want \\(set-logic"},
		{"no claim", small[strings.Index(small, "; Claim"):strings.Index(small, "; Canary")], "", "there is no claim"},
		{"no canary", small[strings.Index(small, "\n; Canary"):], "\n", "there is no canary"},
		{"block without a name", "; Claim: less\n", "", "before a \\(push 1\\)"},
		{"claim without its guard", "(set-info :status sat)\n(check-sat)\n(assert (not (< x 2)))", "(assert (not (< x 2)))", "want \\(set-info :status sat\\)"},
		{"claim that is not negated", "(assert (not (< x 2)))\n(set-info :status unsat)", "(set-info :status unsat)", "14: .*nothing is asserted"},
		{"claim without its check", "(set-info :status unsat)\n(check-sat)\n", "", "has 1 checks, want 2"},
		{"check too many", "(set-info :status unsat)\n(check-sat)\n", "(set-info :status unsat)\n(check-sat)\n(check-sat)\n", "no claim or canary asks for"},
		{"claim said to be sat", ":status unsat", ":status sat", "want \\(set-info :status unsat\\)"},
		{"check outside", "(declare-const x Int)", "(declare-const x Int)\n(check-sat)", "no claim or canary asks for"},
		{"block that does not end", "(assert (< x 3))\n(assert (not (< x 2)))\n(set-info :status sat)\n(check-sat)\n(pop 1)\n", "(assert (< x 3))\n", "want \\(pop 1\\)"},
		{"name twice", "; Canary: more", "; Canary: less", "a second \"less\""},
		{"option", "(set-logic QF_LIA)", "(set-logic QF_LIA)\n(set-option :random-seed 1)", "set-option\" may not be used"},
		{"form that does not end", "(check-sat)\n(pop 1)\n\n;", "(check-sat\n(pop 1)\n\n;", "line \\d+"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if n := strings.Count(small, c.old); n == 0 {
				t.Fatalf("%q does not occur", c.old)
			}
			_, err := Parse("small.smt2", strings.Replace(small, c.old, c.new, 1))
			if err == nil || !errors.Is(err, ErrForm) || !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// What does not hold, cannot happen, or is not broken is found out.
func TestProveRefutes(t *testing.T) {
	p := newPool(t, "z3", "cvc5")
	for _, c := range []struct {
		name, old, new string
		want           error
		text           string
	}{
		{"holds", "", "", nil, ""},
		{"a claim that does not hold", "(assert (not (< x 2)))\n(set-info :status unsat)", "(assert (not (< x 0)))\n(set-info :status unsat)", verify.ErrRefuted, `claim "less" is sat`},
		{"a situation that cannot happen", "(assert (< x 1))", "(assert (and (< x 1) (< 1 x)))", verify.ErrRefuted, `guard "less" is unsat`},
		{"a variant that is not broken", "(assert (< x 3))", "(assert (< x 2))", verify.ErrRefuted, `canary "more" is unsat`},
		{"a term that no solver knows", "(assert (< x 1))", "(assert (< x y))", verify.ErrUndecided, `guard "less" is error`},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := Parse("small.smt2", strings.Replace(small, c.old, c.new, 1))
			if err != nil {
				t.Fatal(err)
			}
			r, err := Prove(t.Context(), p, []*Lemma{l}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Proved(); !errors.Is(err, c.want) || c.want != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v, want %v: %s", err, c.want, c.text)
			}
			if (r.Lemmas[0].Verdict == verify.Proved) != (c.want == nil) {
				t.Errorf("verdict %s", r.Lemmas[0].Verdict)
			}
			if c.name == "a claim that does not hold" && r.Lemmas[0].Checks[1].Answers[0].Model == "" {
				t.Error("no model")
			}
		})
	}
	if err := (&Report{}).Proved(); !errors.Is(err, verify.ErrUndecided) {
		t.Errorf("nothing is proved: %v", err)
	}
}

func TestProveStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := Prove(ctx, newPool(t, "z3"), all(t), nil)
	if !errors.Is(err, context.Canceled) || r.Proved() == nil {
		t.Errorf("%v, %v", err, r.Proved())
	}
}

// FuzzParse: a script that is taken has texts that can be decided, and no script brings the parser down.
func FuzzParse(f *testing.F) {
	f.Add(small)
	ls, err := All()
	if err != nil {
		f.Fatal(err)
	}
	for _, l := range ls {
		b, err := os.ReadFile(filepath.Join(module, l.File))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, script string) {
		l, err := Parse("small.smt2", script)
		if err != nil {
			return
		}
		for _, c := range l.Checks {
			if _, _, err := smt.CheckText(c.Text); err != nil {
				t.Fatalf("%v\n%s", err, c.Text)
			}
		}
	})
}

// BenchmarkLemmas decides all lemmas by two solvers: cold as 'interlock prove specs' does, from looking the solvers up to the last
// answer, and warm, with their processes running (the cache of verdicts is new).
func BenchmarkLemmas(b *testing.B) {
	ls := all(b)
	for b.Loop() {
		p := newPool(b, "z3", "cvc5")
		r, err := Prove(b.Context(), p, ls, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Proved(); err != nil {
			b.Fatal(err)
		}
		p.Close()
	}
}
