package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interlock/interlock/alloc"
	"github.com/interlock/interlock/api/gate"
	"github.com/interlock/interlock/verify/ledger"
)

// While the loop runs, over one switch or over several, a good new version of the policy comes into force, and a bad one leaves the one before.
func TestPolicyReload(t *testing.T) {
	t.Run("one switch", func(t *testing.T) { reload(t, false) })
	t.Run("several", func(t *testing.T) { reload(t, true) })
}

func reload(t *testing.T, several bool) {
	dir := filepath.Join(t.TempDir(), "q")
	if err := copySite(prepared(t), dir, "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	w, err := openWork(filepath.Join(dir, "linked"))
	if err != nil {
		t.Fatal(err)
	}
	const spec = "apiVersion: interlock/v1alpha1\nkind: SharingPolicy\nmetadata: {name: own}\nspec:\n" +
		"  rank: dominantShare(tenant.usage, capacity)\n  grant: tenant.demand\n  limits:\n" +
		"  - {expression: \"tenant.usage.all(r, n, !r.startsWith('slots/') || n <= MOST)\", message: enough}\n"
	file := filepath.Join(filepath.Dir(w.origin.Site), "own.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(spec, "MOST", "8192", 1))
	w.site.Policy = "own.yaml" // as if it had been linked so
	p, err := w.entitled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if several {
		if _, err := rule(t.Context(), true, p); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	var adopted []string
	asker, err := newAsker(p.inForce, &out, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := w.testLedger(t)
	pool, required, err := w.solvers()
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	asker.with(pool, required, func() *ledger.Log { return log })
	asker.adopt = func(s *gate.Share) error {
		adopted = append(adopted, s.Policy())
		return nil
	}
	nothing := make([]alloc.Measured, len(p.tenants))
	for i := range nothing {
		nothing[i].Discarded = alloc.FirstOfAll
	}
	answer := &alloc.Answer{Bounds: [][]alloc.Bound{p.bounds}}
	ceiling := func() (most int) {
		for _, b := range answer.Bounds[0] {
			most = max(most, b.Ceiling)
		}
		return most
	}
	before := ceiling()
	steps := []struct {
		name, text, says string
		adopted          bool
	}{
		{"the same", strings.Replace(spec, "MOST", "8192", 1), "", false},
		{"a mistake", strings.Replace(spec, "MOST", "nope", 1), "undeclared reference to 'nope'", false},
		{"the mistake again", strings.Replace(spec, "MOST", "nope", 1), "", false},
		{"too little for what is inelastic", strings.Replace(spec, "MOST", "256", 1), "cannot have its least memory", false},
		{"nobody may have a program", strings.Replace(spec, "tenant.demand\n", "\"{'sramBlocks': 0}\"\n", 1), "", false},
		{"in shadow", strings.NewReplacer("MOST", "256", "  rank:", "  mode: Shadow\n  rank:").Replace(spec), "not enforced (mode Shadow)", true},
		{"less for everybody", strings.Replace(spec, "MOST", "4096", 1), "the new version is in force", true},
		{"10 MB", strings.Repeat("x", 10<<20), "at most 1048576 are read", false},
	}
	for _, s := range steps {
		out.Reset()
		had := len(adopted)
		write(s.text)
		if answer, err = asker.Ask(t.Context(), [][]alloc.Measured{nothing}); err != nil {
			t.Fatal(err)
		}
		if s.adopted != (len(adopted) > had) || !strings.Contains(out.String(), s.says) || s.says == "" && strings.Contains(out.String(), "in force\n") {
			t.Errorf("%s: adopted %v, said %q", s.name, adopted[had:], out.String())
		}
	}
	if after := ceiling(); after >= before {
		t.Errorf("the highest ceiling was rung %d and is %d", before, after)
	}
	if several != (len(answer.Ceilings) > 0) {
		t.Errorf("what tenants may have over all switches: %v", answer.Ceilings)
	}
	if len(adopted) != 2 || adopted[1] != p.context.Policy || adopted[1] != answer.Policy {
		t.Errorf("adopted %v, in force %s, said %s", adopted, p.context.Policy, answer.Policy)
	}
	builtin, err := mustOpen(t, dir).entitled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a, err := newAsker(builtin.inForce, &out, nil); err != nil || a.file != "" {
		t.Errorf("a built-in policy is watched: %v, %v", a, err)
	}
}

// testLedger is the site's, open as long as the test runs.
func (w *work) testLedger(t *testing.T) *ledger.Log {
	t.Helper()
	log, err := w.openLedger()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

func mustOpen(t *testing.T, dir string) *work {
	t.Helper()
	w, err := openWork(filepath.Join(dir, "linked"))
	if err != nil {
		t.Fatal(err)
	}
	return w
}
