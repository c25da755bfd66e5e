package policy

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/policy/suite"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

func solvers(t testing.TB) *smt.Pool {
	t.Helper()
	var ours, binaries []smt.SolverConfig
	for _, n := range []string{"z3", "cvc5"} {
		ours = append(ours, smt.SolverConfig{Name: n, Timeout: 30 * time.Second})
		binaries = append(binaries, smt.SolverConfig{Name: n, Path: n, Timeout: 30 * time.Second})
	}
	pool, err := smt.NewPool(ours)
	if errors.Is(err, smt.ErrMissing) {
		pool, err = smt.NewPool(binaries)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return pool
}

// shipped is a built-in policy with all that is claimed of it.
func shipped(t testing.TB, name string) (*sharing.Policy, []*Statement) {
	t.Helper()
	p, err := sharing.Load(sharing.Builtin + name)
	if err != nil {
		t.Fatal(err)
	}
	all := Standard(p)
	src, ok := specs.Statements(name)
	if !ok {
		t.Fatalf("%s has no statements", name)
	}
	more, err := ParseStatements(name, src, p, sharing.Load)
	if err != nil {
		t.Fatal(err)
	}
	return p, append(all, more...)
}

var everything = flag.Bool("everything", false, "TestShipped proves what is claimed of all policies, not of three")

// Whatever is claimed of the shipped policies is proved by both solvers.
func TestShipped(t *testing.T) {
	pool := solvers(t)
	names := []string{"pay-as-you-go", "quota", "weighted-drf"}
	if *everything {
		names = specs.PolicyNames()
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			p, statements := shipped(t, name)
			if u := NotProvable(p); len(u) > 0 {
				t.Errorf("not provable: %v", u)
			}
			r, err := New(p, statements).Prove(context.Background(), pool, nil, []Bounds{{}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range r.Statements {
				t.Logf("%-85s z3 %8v cvc5 %8v", o.Statement, o.Spent("z3").Round(time.Millisecond), o.Spent("cvc5").Round(time.Millisecond))
				if o.Verdict != verify.Proved {
					t.Errorf("%s: %s: %s\n%v", o.Statement, o.Verdict, o.Reason, o.Counterexample)
				}
			}
			if err := r.Proved(); err != nil {
				t.Error(err)
			}
		})
	}
}

// BenchmarkProve is one statement of one policy, with both solvers running already.
func BenchmarkProve(b *testing.B) {
	for _, name := range specs.PolicyNames() {
		p, statements := shipped(b, name)
		for _, st := range statements {
			b.Run(name+"/"+strings.ReplaceAll(st.Name, " ", "_"), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					pool := solvers(b) // a verdict is remembered, so each time is the first
					for _, s := range []string{"QF_LIA", "QF_NIA"} {
						for _, i := range pool.Solvers() {
							if _, err := pool.Solver(i.Name).Decide(context.Background(), "(set-logic "+s+")\n(check-sat)\n", smt.DecideOptions{}); err != nil {
								b.Fatal(err)
							}
						}
					}
					b.StartTimer()
					r, err := New(p, statements).Prove(context.Background(), pool, []string{st.Name}, []Bounds{{}}, nil)
					if err != nil || r.Proved() != nil {
						b.Fatal(err, r.Proved())
					}
				}
			})
		}
	}
}

func document(spec string) []byte {
	return []byte("apiVersion: interlock/v1alpha1\nkind: SharingPolicy\nmetadata: {name: p}\nspec:\n  " +
		strings.ReplaceAll(spec, "\n", "\n  ") + "\n")
}

func claims(t *testing.T, p *sharing.Policy, statements string) []*Statement {
	t.Helper()
	sts, err := ParseStatements("s.yaml", []byte("apiVersion: interlock/v1alpha1\nkind: PolicyStatements\n"+
		"bounds: {tenants: [a, b], resources: [x]}\nstatements:\n"+statements+"\n"), p, sharing.Load)
	if err != nil {
		t.Fatal(err)
	}
	return sts
}

// What is wrong with a policy is found, and shown as a run of it.
func TestRefuted(t *testing.T) {
	pool := solvers(t)
	const everything = "rank: dominantShare(tenant.usage, capacity)\ngrant: tenant.demand\n"
	tests := []struct {
		name, policy, statement string
		standard                bool
		saved                   bool // as a test that fails
		mended                  []string
		want                    []string
	}{
		{
			name:   "a limit on what others hold is broken by others",
			policy: "rank: 0\ngrant: tenant.demand\nlimits: [{expression: \"tenants.all(t, t == tenant || t.usage['x'] <= 1)\", message: m}]", standard: true,
			want: []string{"the limit at p.yaml:7:26 is false for tenant"},
		},
		{
			name: "a quota that forgets the weight", policy: everything + "limits: [{expression: \"ratio(tenant.usage['x']) <= ratio(capacity['x'], 2)\", message: m}]",
			statement: "- {name: s, always: \"tenant.usage['x'] * 4 <= capacity['x']\"}", want: []string{"for tenant", "tenant.usage['x'] * 4 <= capacity['x'] is"}, saved: true,
			mended: []string{
				everything + "limits: [{expression: \"ratio(tenant.usage['x']) <= ratio(capacity['x'], 4)\", message: m}]",
				everything + "validations: [{expression: \"ratio(tenant.usage['x']) <= ratio(capacity['x'], 4)\", message: m}]",
			},
		},
		{
			name: "charging before it checks", policy: "price: ratio(tenant.usage['x'])\n" + everything + "limits: [{expression: tenant.cost <= tenant.budget + 1, message: m}]",
			statement: "- {name: s, always: tenant.cost <= tenant.budget}", want: []string{"tenant.cost <= tenant.budget is false"}, saved: true,
		},
		{
			name: "weight that counts the wrong way", policy: "rank: dominantShare(tenant.usage, capacity) * tenant.weight\ngrant: tenant.demand\n",
			statement: "- {name: s, monotone: rank(tenant), in: weight, is: falling}", want: []string{"rank(tenant) is", "then tenant", "with weight"},
		},
		{
			name: "turning away while there is room", policy: everything + "limits: [{expression: \"tenant.usage['x'] <= 3\", message: m}]",
			statement: "- {name: s, closes: \"tenant.demand['x'] == 0 || tenant.demand['x'] > free['x']\"}", want: []string{"is false"},
		},
		{
			name: "a narrower policy", policy: everything + "limits: [{expression: \"tenant.usage['x'] <= 3\", message: m}]",
			statement: "- {name: s, admits: builtin:quota}", want: []string{"quota admits it", "policy p refuses tenant"},
		},
		{
			name: "an overflow", policy: "rank: tenant.weight + 9223372036854775000\ngrant: tenant.demand\n", statement: "- {name: s, sound: true}",
			want: []string{"integer overflow"},
		},
		{
			name: "a division by zero", policy: "rank: ratio(1, tenant.budget)\ngrant: tenant.demand\n", statement: "- {name: s, sound: true}",
			want: []string{"division by zero"},
		},
		{
			name:      "what decides is shown",
			policy:    "params: [{name: least, type: int, default: 0}]\nvariables: [{name: idle, expression: \"!tenant.active\"}]\n" + everything,
			statement: "- {name: s, always: \"!variables.idle || params.least == 0 || tenant.utility > ratio(9)\", bounds: {params: {least: 5}}}",
			want:      []string{", not active, utility 0", "variables.idle of tenant a is true", "params.least is 5"}, saved: true,
		},
		{
			name: "an error in the statement", policy: everything, statement: "- {name: s, always: \"tenant.usage['z'] == 0\"}",
			want: []string{"is an error (at s.yaml:5:22: no such key: z)"}, saved: true,
		},
		{
			name: "envy that lasts", policy: everything,
			statement: "- name: s\n  finally: tenants.all(i, tenants.all(j, rank(j) <= rank(i) + dominantShare(quantum(j), capacity)))",
			want:      []string{"is false", "asks for"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := sharing.Parse("p.yaml", document(tt.policy))
			if err != nil {
				t.Fatal(err)
			}
			statements := Standard(p)[1:]
			if !tt.standard {
				statements = claims(t, p, tt.statement)
			}
			r, err := New(p, statements).Prove(context.Background(), pool, nil, []Bounds{{}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			o := r.Statements[0]
			if o.Verdict != verify.Refuted || !errors.Is(r.Proved(), verify.ErrRefuted) {
				t.Fatalf("%s (%s), want refuted", o.Verdict, o.Reason)
			}
			for _, want := range tt.want {
				if !strings.Contains(o.Counterexample.String(), want) {
					t.Errorf("have:\n%swant: %s", o.Counterexample, want)
				}
			}
			text, err := New(p, statements).Save(&o, "p.yaml")
			if errors.Is(err, ErrNoTest) && !tt.saved {
				return
			}
			if err != nil || !tt.saved {
				t.Fatalf("saved: %v, %v", err == nil, err)
			}
			saved, err := suite.Parse("saved.yaml", text, func(string) (*sharing.Policy, error) { return p, nil })
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			result, err := saved.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if result.Failed() == 0 {
				t.Errorf("the saved test passes\n%s", text)
			}
			for _, spec := range tt.mended { // by other allocations, or by a refusal
				mended, err := sharing.Parse("p.yaml", document(spec))
				if err != nil {
					t.Fatal(err)
				}
				saved, err := suite.Parse("saved.yaml", text, func(string) (*sharing.Policy, error) { return mended, nil })
				if err != nil {
					t.Fatal(err)
				}
				if result, err := saved.Run(context.Background()); err != nil || result.Failed() > 0 {
					t.Errorf("with a mended policy: %v %+v\n%s", err, result, text)
				}
			}
		})
	}
}

// A claim that holds but is not inductive stays open: the state that breaks a step does not come up in a run.
func TestNotInductive(t *testing.T) {
	p, err := sharing.Parse("p.yaml", document("rank: 0\ngrant: tenant.demand\nlimits: [{expression: \"tenant.usage['x'] % 2 == 0\", message: m}]"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(p, claims(t, p, "- {name: s, always: \"tenant.usage['x'] != 1 && tenant.usage['x'] != 3\"}")).Prove(
		context.Background(), solvers(t), nil, []Bounds{{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if o := r.Statements[0]; o.Verdict != verify.Proved && o.Verdict != verify.Unknown {
		t.Errorf("have %s: %s %v", o.Verdict, o.Reason, o.Counterexample)
	}
}

// What is proved for one number of tenants is not taken for granted of another: "there are two tenants" is proved for two, and would prove
// anything for three.
func TestUsedElsewhere(t *testing.T) {
	p, err := sharing.Parse("p.yaml", document("rank: 0\ngrant: tenant.demand"))
	if err != nil {
		t.Fatal(err)
	}
	const two = "- {name: two, always: tenants.size() == 2, bounds: {tenants: [a, b], resources: [x], minimumCapacity: 1}}\n"
	for bounds, want := range map[string]verify.Verdict{
		"{tenants: [a, b], resources: [x], minimumCapacity: 1}":    verify.Proved,
		"{tenants: [a, b], resources: [x], minimumCapacity: 2}":    verify.Proved,
		"{tenants: [a, b, c], resources: [x], minimumCapacity: 1}": verify.Unknown,
		"{tenants: [a, b], resources: [x, y], minimumCapacity: 1}": verify.Unknown,
		"{tenants: [a, b], resources: [x]}":                        verify.Unknown,
	} {
		statements := claims(t, p, two+"- {name: s, always: \"tenant.usage['x'] >= 0\", using: [two], bounds: "+bounds+"}")
		for _, site := range []Bounds{{}, {Tenants: []string{"a", "b"}, Resources: []string{"x"}}} {
			r, err := New(p, statements).Prove(context.Background(), solvers(t), []string{"s"}, []Bounds{site}, nil)
			if err != nil {
				t.Fatal(err)
			}
			expect := want
			if site.Tenants != nil && bounds != "{tenants: [a, b], resources: [x]}" {
				expect = verify.Proved // the site says of whom both are
			}
			if o := r.Statements[0]; o.Verdict != expect || expect == verify.Unknown && !strings.Contains(o.Reason, "takes for granted") {
				t.Errorf("%s, site %v: have %s: %s", bounds, site.Tenants, o.Verdict, o.Reason)
			}
		}
	}
}

// What has no translation is said at its position.
func TestNotProvable(t *testing.T) {
	tests := []struct{ spec, want string }{
		{"rank: 0\ngrant: \"string(tenant.weight) == '1' ? tenant.demand : {'x': 1}\"", "p.yaml:6:17: not provable: the digits of a number"},
		{"rank: 0\ngrant: \"{string(tenant.active): 1}\"", "p.yaml:6:11: not provable: a map's key that depends on the input"},
	}
	for _, tt := range tests {
		p, err := sharing.Parse("p.yaml", document(tt.spec))
		if err != nil {
			t.Fatal(err)
		}
		if u := NotProvable(p); len(u) != 1 || !strings.HasPrefix(u[0].Error(), tt.want) {
			t.Errorf("have %v, want %s", u, tt.want)
		}
	}
}

func TestStatementErrors(t *testing.T) {
	p, err := sharing.Load("builtin:drf")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"- {name: s}":                                                             "s.yaml:5:3: want one of the fields",
		"- {name: s, always: nope}":                                               "s.yaml:5:21: undeclared reference to 'nope'",
		"- {name: s, always: 1}":                                                  "s.yaml:5:21: the expression is a int; want bool",
		"- {name: s, always: \"true\", sound: true}":                              "a statement is either always or sound",
		"- {name: s, always: \"true\", using: [t]}":                               `there is no statement "t" before this one`,
		"- {name: s, always: \"true\"}\n- {name: s, always: \"true\"}":            `statement "s" is already there`,
		"- {name: s, monotone: tenant.name, in: weight, is: rising}":              "want an int, a Ratio or a bool",
		"- {name: s, monotone: rank(tenant)}":                                     `monotone needs the field "in": weight or budget`,
		"- {name: s, monotone: rank(tenant), in: weight}":                         `monotone needs the field "is": rising or falling`,
		"- {name: s, monotone: rank(tenant), in: weight, is: wrong}":              "want one of rising, falling",
		"- {name: s, always: \"true\", is: rising}":                               "in and is go with monotone",
		"- {name: t, sound: true}\n- {name: s, always: \"true\", using: [t]}":     `statement "t" is a sound, which does not hold in every state`,
		"- {name: s, always: \"true\", bounds: {params: {none: 1}}}":              `policy drf has no param "none"`,
		"- {name: s, admits: builtin:none}":                                       "no such built-in policy",
		"- {name: s, always: \"true\", bounds: {tenants: [a, a]}}":                "a name is there twice",
		"- {name: s, always: \"rank(tenant) > 0\"}\n- {name: t, nothing: at all}": `unknown field "nothing"`,

		"- {name: t, always: \"true\", given: [\"tenant.active\"]}\n- {name: s, always: \"true\", using: [t]}": "is proved where tenant.active, which is not given here",
	}
	for text, want := range tests {
		_, err := ParseStatements("s.yaml", []byte("apiVersion: interlock/v1alpha1\nkind: PolicyStatements\nbounds: {resources: [x]}\nstatements:\n"+text+"\n"), p, sharing.Load)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nhave %v\nwant %s", text, err, want)
		}
	}
}

// A sample of what TestAgree evaluates is decided by the solvers: with the input written down, they find cel-go's value.
func TestSolversAgree(t *testing.T) {
	pool := solvers(t)
	r := rand.New(rand.NewPCG(9, 9))
	p, err := sharing.Parse("agree.yaml", []byte(agreePolicy))
	if err != nil {
		t.Fatal(err)
	}
	bounds := Bounds{Tenants: []string{"a", "b"}, Resources: []string{"x", "y"}, Over: true}
	var obligations []verify.Obligation
	for len(obligations) < 60 {
		g := &generator{Rand: r, vars: map[string][]string{}}
		e, err := p.Statement("random", g.expr("bool", 1+r.IntN(4)), nil)
		if err != nil {
			continue
		}
		in := randomInputs(r)
		st, err := p.State(in.tenants, in.capacity, in.usage)
		if err != nil {
			continue
		}
		s := newState(smt.NewBuilder(), p, bounds, "")
		v, err := translate(s.b, e, s.scope(s.tenants[0]).name)
		if err != nil || v.v == nil {
			continue
		}
		have, evalErr := st.Eval(e, "a")
		agrees := v.err
		if evalErr == nil {
			agrees = s.b.And(s.b.Not(v.err), s.b.Eq(v.v.(boolean).t, s.b.Bool(have.Value().(bool))))
		}
		var values []*smt.Term
		m := s.model(in)
		for _, x := range smt.Free(agrees) {
			values = append(values, s.b.Eq(x, literal(s.b, x, m)))
		}
		texts := append(values, s.b.Not(agrees))
		logic := logicOf(texts)
		obligations = append(obligations, verify.Obligation{
			ID: fmt.Sprint(len(obligations)), Property: "Y", Subject: e.Text, Logic: logic,
			Text: smt.Script(logic, texts...), Guard: smt.Script(logic, values...),
		})
	}
	results, err := pool.Decide(context.Background(), obligations, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, res := range results {
		if res.Verdict == verify.Refuted || res.Verdict == verify.Error {
			t.Errorf("%s: %s: %s %s\n%s", obligations[i/2].Subject, res.Solver, res.Verdict, res.Reason, obligations[i/2].Text)
		}
	}
}

// A hint is true whatever its variables are.
func TestHints(t *testing.T) {
	b := smt.NewBuilder()
	v := func(name string) *smt.Term { return b.Var(name, smt.Int) }
	assumed := []*smt.Term{b.Le(v("d"), v("q")), b.Eq(b.Add(v("d"), v("f")), v("c")), b.Lt(v("c"), v("q"))}
	hs := hints(b, assumed, []*smt.Term{b.Le(b.Mul(v("q"), v("w")), b.Mul(b.Mul(v("c"), v("w")), v("d")))})
	if len(hs) < 5 {
		t.Fatalf("%d hints", len(hs))
	}
	r := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		m := smt.Model{}
		for _, name := range []string{"d", "q", "f", "c", "w"} {
			m[name] = smt.IntValue(big.NewInt(r.Int64N(9) - 4))
		}
		for _, h := range hs {
			if !smt.Eval(h, m).IsTrue() {
				t.Fatalf("%s under %v", h, m)
			}
		}
	}
}
