package smt

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/interlock/interlock/verify"
)

// buildWorker returns the path of the Z3 worker: $INTERLOCK_Z3, or one built for the tests.
var buildWorker = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(WorkerEnv); path != "" {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	path := filepath.Join(workerDir, worker)
	cmd := exec.Command("go", "build", "-p", "1", "-o", path, "../../cmd/interlock-z3")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

var workerDir string

func TestMain(m *testing.M) {
	flag.Parse()
	checks := false
	flag.Visit(func(f *flag.Flag) { checks = checks || f.Name == "rapid.checks" })
	if !checks {
		_ = flag.Set("rapid.checks", "12") // each asks every solver many times
	}
	var err error
	if workerDir, err = os.MkdirTemp("", "smt-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(workerDir)
	os.Exit(code)
}

// solverConfigs lists the solvers that this machine has.
func solverConfigs(tb testing.TB) []SolverConfig {
	tb.Helper()
	var confs []SolverConfig
	if path, err := buildWorker(); err == nil {
		confs = append(confs, SolverConfig{Name: "worker", Path: path, Processes: 2})
	} else {
		tb.Logf("no Z3 worker: %v", err)
	}
	for _, name := range []string{"z3", "cvc5"} {
		if path, err := exec.LookPath(name); err == nil {
			confs = append(confs, SolverConfig{Name: name, Path: path, Processes: 2})
		}
	}
	if len(confs) == 0 {
		tb.Skip("no solver is installed")
	}
	return confs
}

func newPool(tb testing.TB, confs ...SolverConfig) *Pool {
	tb.Helper()
	p, err := NewPool(confs)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { p.Close() })
	return p
}

func ob(id, logic, text, guard string) verify.Obligation {
	o := verify.Obligation{ID: id, Logic: logic, Text: "(set-logic " + logic + ")\n" + text + "(check-sat)\n"}
	if guard != "" {
		o.Guard = "(set-logic " + logic + ")\n" + guard + "(check-sat)\n"
	}
	return o
}

const (
	yes   = "(declare-fun x () Int)(assert (< 3 x 5))\n"
	no    = "(declare-fun x () Int)(assert (< 3 x 4))\n"
	wrong = "(assert (< 3 yyy))(declare-fun x () Int)(assert (< 3 x 4))\n"
	// hard asks for the factors of 3037000493 * 3221225473.
	hard = `(declare-fun x () (_ BitVec 32))(declare-fun y () (_ BitVec 32))
(assert (= (bvmul ((_ zero_extend 32) x) ((_ zero_extend 32) y)) #x87c3b6627504f32d))
`
)

func TestVerdicts(t *testing.T) {
	confs := solverConfigs(t)
	for i := range confs {
		confs[i].Rlimit, confs[i].Timeout = 20_000, time.Minute
	}
	p := newPool(t, confs...)
	cases := []struct {
		o       verify.Obligation
		verdict verify.Verdict
		reason  string
	}{
		{ob("proved", "QF_LIA", no, yes), verify.Proved, ""},
		{ob("proved without guard", "QF_LIA", no, ""), verify.Proved, ""},
		{ob("refuted", "QF_LIA", yes, yes), verify.Refuted, ""},
		{ob("vacuous", "QF_LIA", no, no), verify.Unknown, "vacuous"},
		{ob("an error voids the unsat after it", "QF_LIA", wrong, yes), verify.Error, ""},
		{ob("an error in the guard", "QF_LIA", no, strings.Replace(wrong, "4", "9", 1)), verify.Error, "guard: "},
		{ob("resource limit", "QF_BV", hard, ""), verify.Unknown, "limit: "},
		{ob("guard runs into the limit", "QF_BV", "(assert false)", hard), verify.Unknown, "guard: limit: "},
		{ob("second query", "QF_LIA", no+"(check-sat)", yes), verify.Error, "something follows"},
		{ob("echo", "QF_LIA", no+"(echo \"unsat\")", yes), verify.Error, "echo"},
		{verify.Obligation{ID: "wrong logic", Logic: "QF_BV", Text: "(set-logic QF_LIA)(assert false)(check-sat)"}, verify.Error, "logic"},
		{ob("after all that", "QF_LIA", "(assert false)", yes), verify.Proved, ""},
	}
	var obligations []verify.Obligation
	for _, c := range cases {
		obligations = append(obligations, c.o)
	}
	last := 0
	results, err := p.Decide(context.Background(), obligations, func(done, total int) {
		if done != last+1 || total != len(cases)*len(confs) {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		c := cases[i/len(confs)]
		t.Run(c.o.ID+"/"+r.Solver, func(t *testing.T) {
			if r.Obligation != c.o.ID || r.Verdict != c.verdict || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("got %+v, want %s %q", r, c.verdict, c.reason)
			}
			if (r.Model != "") != (c.verdict == verify.Refuted) {
				t.Errorf("model %q", r.Model)
			}
		})
	}
	again, err := p.Decide(context.Background(), obligations[:1], nil)
	if err != nil || !again[0].Cached || again[0].Verdict != verify.Proved {
		t.Errorf("again: %+v, %v", again[0], err)
	}
}

// fakeZ3 is the version of a solver that is treated as Z3 is.
const fakeZ3 = "Z3 version 0.0"

// fakeSolver is a shell script that poses as a solver.
func fakeSolver(t *testing.T, version, body string) SolverConfig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fake")
	script := "#!/bin/sh\nif [ \"$1\" = --version ]; then echo '" + version + "'; exit; fi\n" + body
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return SolverConfig{Name: "fake", Path: path, Args: []string{}, Processes: 1, Timeout: 300 * time.Millisecond}
}

// echoes answers every (check-sat) with what $1 says, and echoes.
const echoes = `while read -r line; do case $line in
"(check-sat)"*) printf '%s\n' "$answer";;
"(echo "*) x=${line#*\"}; echo "${x%\"*}";;
esac; done
`

func TestUnreliableSolvers(t *testing.T) {
	for _, c := range []struct {
		name, script string
		verdict      verify.Verdict
		reason       string
	}{
		{"honest", "answer=unsat\n" + echoes, verify.Proved, ""},
		{"hangs", "sleep 1000", verify.Unknown, "limit: no answer within 300ms"},
		{"hangs and its child too", "sleep 1000 & wait", verify.Unknown, "limit: no answer within 300ms"},
		{"dies", "echo oh no >&2; exit 3", verify.Error, "exit status 3: oh no"},
		{"dies of a signal", "kill -SEGV $$", verify.Error, "signal: segmentation fault"},
		{"says unsat and dies", "echo unsat; exit 0", verify.Error, "died"},
		{"says unsat after an error", "answer='(error \"no\")\nunsat'\n" + echoes, verify.Error, "(error"},
		{"says unsat twice", "answer='unsat\nunsat'\n" + echoes, verify.Error, "unexpected output"},
		{"says something else", "answer=unsatisfiable\n" + echoes, verify.Error, "unexpected output"},
		{"is out of memory", "echo 'std::bad_alloc' >&2; exit 134", verify.Unknown, "memory"},
		{"talks without end", "yes unsat", verify.Error, ""},
	} {
		for _, version := range []string{fakeZ3, "other 1.0"} { // warm and then fresh; fresh only
			t.Run(c.name+"/"+version, func(t *testing.T) {
				conf := fakeSolver(t, version, c.script)
				if !strings.HasPrefix(c.name, "hangs") {
					conf.Timeout = 30 * time.Second
				}
				p := newPool(t, conf)
				r, err := p.Decide(context.Background(), []verify.Obligation{ob("x", "QF_LIA", no, "")}, nil)
				if err != nil || r[0].Verdict != c.verdict || !strings.Contains(r[0].Reason, c.reason) {
					t.Errorf("got %+v, %v; want %s %q", r, err, c.verdict, c.reason)
				}
			})
		}
	}
}

// A solver that dies in the middle of a batch takes no answer of another text with it.
func TestCrashInTheMiddle(t *testing.T) {
	conf := fakeSolver(t, fakeZ3, "answer=unsat\n"+strings.Replace(echoes, "esac", `*die*) kill -KILL $$;;
*"check-sat"*) echo unsat;;
esac`, 1))
	conf.Timeout = 10 * time.Second
	p := newPool(t, conf)
	var obligations []verify.Obligation
	for i := range 20 {
		text := fmt.Sprintf("(declare-fun x%d () Int)\n", i)
		if i%7 == 3 {
			text = fmt.Sprintf("(declare-fun die%d () Int)\n", i)
		}
		obligations = append(obligations, ob(fmt.Sprint(i), "QF_LIA", text, ""))
	}
	results, err := p.Decide(context.Background(), obligations, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		want := verify.Proved
		if i%7 == 3 {
			want = verify.Error
		}
		if r.Verdict != want {
			t.Errorf("%d: %+v, want %s", i, r, want)
		}
	}
}

func TestCancel(t *testing.T) {
	conf := fakeSolver(t, fakeZ3, "sleep 1000")
	conf.Timeout = time.Hour
	p := newPool(t, conf)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	r, err := p.Decide(ctx, []verify.Obligation{ob("x", "QF_LIA", no, ""), ob("y", "QF_LIA", yes, "")}, nil)
	if !errors.Is(err, context.DeadlineExceeded) || r[0].Verdict != verify.Unknown || r[1].Verdict != verify.Unknown {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestMemoryLimit(t *testing.T) {
	for _, conf := range solverConfigs(t) {
		if conf.Name == "worker" {
			continue // the Go run time reserves address space; limited all the same, but not this tightly
		}
		t.Run(conf.Name, func(t *testing.T) {
			conf.Memory, conf.Timeout = 120<<20, 20*time.Second
			p := newPool(t, conf)
			b := NewBuilder()
			var sum []*Term
			for i := range 60 {
				x := b.Var(fmt.Sprint("x", i), BV(256))
				sum = append(sum, b.Eq(b.BVMul(x, b.Var(fmt.Sprint("x", (i+1)%60), BV(256))), b.BVUDiv(b.Var("y", BV(256)), x)))
			}
			r, err := p.Decide(context.Background(), []verify.Obligation{{ID: "x", Logic: "QF_BV", Text: Script("QF_BV", sum...)}}, nil)
			if err != nil || r[0].Verdict != verify.Unknown && r[0].Verdict != verify.Error {
				t.Errorf("got %+v, %v", r, err)
			}
			t.Log(r[0].Verdict, r[0].Reason)
		})
	}
}

func TestMissingSolver(t *testing.T) {
	for name, conf := range map[string]SolverConfig{
		"no such file": {Name: "z3", Path: "/nonexistent/z3"},
		"does not run": {Name: "cvc5", Path: "/bin/false", Args: []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewPool([]SolverConfig{conf}); !errors.Is(err, ErrMissing) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := NewPool([]SolverConfig{{Name: "odd", Path: "/bin/true", Rlimit: 1}}); err == nil || errors.Is(err, ErrMissing) {
		t.Errorf("a limit for a solver that is not known: %v", err)
	}
}

func TestCheckText(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"good", "; about\n(set-logic QF_LIA)\n(declare-fun |a ( b| () Int)\n(assert (= |a ( b| 1)) ; )\n(check-sat)\n; end", ""},
		{"empty", "", "want (check-sat) last"},
		{"no logic", "(check-sat)", "want (set-logic ...) first"},
		{"two words of logic", "(set-logic QF LIA)(check-sat)", "want (set-logic ...) first"},
		{"no query", "(set-logic QF_LIA)", "want (check-sat) last"},
		{"option", "(set-logic QF_LIA)\n(set-option :rlimit 0)(check-sat)", "line 2: the command \"set-option\" may not be used"},
		{"reset", "(set-logic QF_LIA)(reset)(check-sat)", "may not be used"},
		{"pop", "(set-logic QF_LIA)(pop 1)(check-sat)", "may not be used"},
		{"second logic", "(set-logic QF_LIA)(set-logic ALL)(check-sat)", "may not be used"},
		{"unbalanced", "(set-logic QF_LIA)(assert (= 1 1)(check-sat)", "does not end"},
		{"closing first", "(set-logic QF_LIA))(check-sat)", "want a command"},
		{"line break in a name", "(set-logic QF_LIA)(assert |a\n(echo \"\")|)(check-sat)", "quotation"},
		{"zero byte", "(set-logic QF_LIA)(assert \x00)(check-sat)", "control character"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := CheckText(c.text)
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrText) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func FuzzCheckText(f *testing.F) {
	f.Add("(set-logic QF_LIA)(declare-fun |a| () Int)(assert (= \"x\" 1));\n(check-sat)")
	f.Fuzz(func(t *testing.T, text string) {
		logic, body, err := CheckText(text)
		if err == nil && (logic == "" || !strings.HasSuffix(text, body) || strings.Contains(body, "(echo \"il-")) {
			t.Errorf("accepted %q", text)
		}
	})
}

// A solver has its limits under whatever name it is installed.
func TestSolverByAnotherName(t *testing.T) {
	for _, name := range []string{"z3", "cvc5"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skip(err)
		}
		link := filepath.Join(t.TempDir(), "mine")
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		options := func(path string) []string {
			return newPool(t, SolverConfig{Name: "x", Path: path}).Solvers()[0].Options
		}
		if diff := cmp.Diff(options(path), options(link)); diff != "" {
			t.Errorf("%s (-by its name, +by another):\n%s", name, diff)
		}
	}
}
