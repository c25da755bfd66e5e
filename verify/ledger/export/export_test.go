package export_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/ledger"
	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/ledger/export"
)

const secret = "the heavy-hitter program, which is nobody else's business"

// decided is a decider that gives one verdict.
type decided verify.Verdict

func (decided) Solvers() []verify.SolverInfo { return []verify.SolverInfo{{Name: "z3"}} }

func (d decided) Decide(_ context.Context, obs []verify.Obligation, _ func(int, int)) ([]verify.Result, error) {
	var rs []verify.Result
	for _, o := range obs {
		s := o.State()
		r := verify.Result{Obligation: o.ID, Text: s.Text, GuardText: s.Guard, Solver: "z3", Verdict: verify.Verdict(d)}
		if r.Verdict == verify.Refuted {
			r.Model = secret
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// record makes a log with an installation that is refuted, one that is proved, a plan, and then what else has secrets: a policy's decision, a
// replacement, and plans with terms that speak of others, and that do not.
func record(t *testing.T) (dir, key string) {
	t.Helper()
	dir = t.TempDir()
	if err := ledger.Create(dir, "interlock/test"); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx := context.Background()
	add := func(action, kind string, v verify.Verdict, inputs map[string][]byte, text, about, terms string) {
		s := verify.Subject{Kind: kind, Name: kind, Inputs: inputs}
		obs := []verify.Obligation{{ID: "X", Property: "X", Subject: about, Logic: "QF_LIA", Text: text, Guard: "(check-sat)"}}
		c, err := verify.Decide(ctx, decided(v), s, "1", obs, nil, []string{"z3"}, time.Unix(0, 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		d := ledger.Decision{Action: action, Switch: "s1", Verdict: string(v)}
		if terms != "" {
			d.TermsText = []byte(terms)
		}
		if _, err := l.AppendDecision(ctx, d, s, c, obs); err != nil {
			t.Fatal(err)
		}
	}
	program := map[string][]byte{"linked.p4": []byte(secret), "tenants.json": []byte(`[{"name":"kv","vid":1,"ports":[1]},{"name":"hh","vid":2,"ports":[2]}]`)}
	for _, name := range []string{"linked.p4info.txtpb", "ownership.json", "sources/hh.p4"} {
		program[name] = []byte(secret + " in " + name)
	}
	program["sources/kv.p4"] = []byte("the tenant's own")
	planned := map[string][]byte{
		"linked.p4": []byte(secret), "prestate.bin": []byte("x"), "plan.json": []byte(`{"switch":"s1","tenants":[{"name":"kv"},{"name":"hh"}]}`),
	}
	add("install", "program", verify.Refuted, program, "(assert "+secret+")", secret, "")
	add("install", "program", verify.Proved, program, "(assert "+secret+")", secret, "")
	add("plan", "plan", verify.Proved, planned, "(assert false)", "", `{"policy":{"params":{"prices":{"x":1}}},"tenants":[{"name":"kv","own":{"weight":3}},{"name":"hh"}]}`)
	shares := map[string][]byte{"policy.yaml": []byte("rules"), "shares.json": []byte(`{"tenants":[{"name":"kv"},{"name":"hh"}],"more":"` + secret + `"}`)}
	add("share", "sharing", verify.Proved, shares, "(assert "+secret+" shared)", "", "")
	add("share", "sharing", verify.Refuted, shares, "(assert "+secret+" refused)", "", "")
	replaced := map[string][]byte{"replacement.json": []byte(`{"tenants":[{"name":"kv"},{"name":"hh"}]}`), "linked.p4": []byte(secret)}
	for _, name := range []string{"old.p4", "before.bin", "steps.json", "lost.json"} {
		replaced[name] = []byte(secret + " in " + name)
	}
	add("replace", "replacement", verify.Proved, replaced, "(assert "+secret+" replaced)", secret, "")
	add("plan", "plan", verify.Proved, planned, "(assert false)", "", `{"policy":{},"tenants":[{"name":"kv"},{"name":"hh","own":{"weight":3,"note":"`+secret+`"}}]}`)
	add("plan", "plan", verify.Proved, planned, "(assert false)", "", `{"policy":{"params":{"bids":{"hh":3},"note":"`+secret+`"}},"tenants":[{"name":"kv"},{"name":"hh"}]}`)
	b, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, string(b)
}

func read(t *testing.T, path, key string) *check.Log {
	t.Helper()
	l, err := check.Read(path, key)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// save exports l, and returns the file's path and all that can be read in it.
func save(t *testing.T, l *check.Log, tenant string) (path string, content []byte) {
	t.Helper()
	var b bytes.Buffer
	if _, err := export.Write(&b, l, tenant); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "export.zip")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path, b.Bytes()
}

func TestWhole(t *testing.T) {
	dir, key := record(t)
	l := read(t, dir, key)
	path, b := save(t, l, "")
	_, again := save(t, l, "")
	if !bytes.Equal(b, again) {
		t.Error("two exports of one log differ")
	}
	x := read(t, path, key)
	if len(x.Findings) > 0 || x.Root != l.Root || len(x.Redacted) > 0 {
		t.Errorf("%v, redacted %v", x.Findings, x.Redacted)
	}
	if text, err := x.Blob(x.Entries[1].Decision.Inputs["linked.p4"]); err != nil || string(text) != secret {
		t.Errorf("%q %v", text, err)
	}
	cut := filepath.Join(t.TempDir(), "cut.zip")
	for n := 0; n < len(b); n += 97 {
		if err := os.WriteFile(cut, b[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := check.Read(cut, key); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", n, len(b))
		}
	}
}

// Any changed bit of an export is found: in the log's files, and in what holds them together.
func TestFlippedExport(t *testing.T) {
	dir, key := record(t)
	l := read(t, dir, key)
	_, b := save(t, l, "kv")
	path := filepath.Join(t.TempDir(), "flipped.zip")
	head := bytes.Index(b, []byte("checkpoint")) // the first headers, and the directory at the end, bit by bit
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for at := range b {
		if at > head && at < len(b)-300 && rnd.IntN(41) > 0 {
			continue
		}
		bad := bytes.Clone(b)
		bad[at] ^= 1 << rnd.IntN(8)
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if x, err := check.Read(path, key); err == nil && len(x.Findings) == 0 {
			t.Errorf("byte %d of %d changed: nothing found", at, len(b))
		}
	}
	for _, more := range [][]byte{append(bytes.Clone(b), 0), append([]byte{0}, b...)} {
		if err := os.WriteFile(path, more, 0o644); err != nil {
			t.Fatal(err)
		}
		if x, err := check.Read(path, key); err == nil && len(x.Findings) == 0 {
			t.Error("a byte more: nothing found")
		}
	}
}

// An export for a tenant shows nothing of another's program, and everything else can be checked.
func TestForTenant(t *testing.T) {
	dir, key := record(t)
	l := read(t, dir, key)
	path, _ := save(t, l, "kv")
	x := read(t, path, key)
	if len(x.Findings) > 0 || x.Size != 8 || x.Root != l.Root {
		t.Errorf("%v", x.Findings)
	}
	files, err := x.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range x.Entries {
		for _, ref := range e.Blobs() {
			b, err := x.Blob(ref)
			if strings.Contains(string(b), secret) || err != nil && !errors.Is(err, check.ErrRedacted) {
				t.Errorf("entry %d: %q %v", e.Index, b, err)
			}
		}
	}
	for _, name := range files {
		if b, err := x.File(name); err != nil || bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The first two have the same program and formulas, the next two the same shares, all the same program. Of the plans, two have terms
	// that speak of others, the first has none such.
	want := []check.Omission{
		{What: "before.bin", Files: 1},
		{What: "certificates", Files: 4},
		{What: "formulas", Files: 4},
		{What: "hh.p4", Files: 1},
		{What: "linked.p4", Files: 1},
		{What: "linked.p4info.txtpb", Files: 1},
		{What: "lost.json", Files: 1},
		{What: "old.p4", Files: 1},
		{What: "ownership.json", Files: 1},
		{What: "shares.json", Files: 1},
		{What: "steps.json", Files: 1},
		{What: "terms", Files: 2},
	}
	if !slices.Equal(x.Omissions, want) || x.Tenant != "kv" {
		t.Errorf("for %s, left out: %v", x.Tenant, x.Omissions)
	}
	if text, err := x.Blob(x.Entries[0].Decision.Inputs["sources/kv.p4"]); err != nil || string(text) != "the tenant's own" {
		t.Errorf("its own program: %q %v", text, err)
	}
	if _, err := x.Blob(*x.Entries[2].Decision.Terms); err != nil {
		t.Errorf("terms with nothing of others: %v", err)
	}
	if _, err := x.Obligations(x.Entries[2]); err != nil {
		t.Errorf("the plan's formulas: %v", err)
	}
	// What was left out stays out in an export of the export.
	again, _ := save(t, x, "")
	if y := read(t, again, key); len(y.Findings) > 0 || !slices.Equal(y.Redacted, x.Redacted) {
		t.Errorf("%v, redacted %v", y.Findings, y.Redacted)
	}
	if _, err := export.Write(&bytes.Buffer{}, l, "nobody"); !errors.Is(err, export.ErrNoTenant) {
		t.Errorf("a tenant that is not there: %v", err)
	}
}

// A ledger's directory must have everything, whatever lies in it.
func TestOnlyExportsRedact(t *testing.T) {
	dir, key := record(t)
	l := read(t, dir, key)
	ref := l.Entries[2].Decision.Inputs["prestate.bin"]
	name, err := ref.File()
	if err != nil {
		t.Fatal(err)
	}
	about := `{"apiVersion":"interlock/v1alpha1","kind":"LedgerExport","redacted":["` + ref.Stored + `"]}`
	if err := os.WriteFile(filepath.Join(dir, check.ExportFile), []byte(about), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	if x := read(t, dir, key); len(x.Findings) != 3 || x.Findings[0].Entry != 2 {
		t.Errorf("%v", x.Findings)
	}
}
