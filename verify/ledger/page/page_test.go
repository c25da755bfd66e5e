package page

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden page")

func example() *Data {
	return &Data{
		Title: "plan of 2 steps for switch s1", Verdict: "proved", Entry: 12, Action: "plan", Who: "ann@host", At: time.Unix(1700000000, 0),
		Asked:      []Step{{Number: 1, Does: []string{"set kv to 0..511"}, More: 3}, {Number: 2, Does: []string{"fence"}, Note: "wait"}},
		Refuted:    [][]string{{"M1: two tenants have slot 3", "  step 1 has succeeded", "  fix: fence first"}},
		Properties: []Property{{"M1", "exclusive: one tenant a slot", "proved", 7, []string{"1ms"}}},
		Solvers:    []string{"z3 4.13"},
		Maps: []Map{{
			Stage: "ingress/0", Slots: 1024,
			Before: []Extent{{"fw", 0, 128, 1}, {"kv", 256, 512, 3}, {"hh", 768, 256, 1}},
			After:  []Extent{{"fw", 0, 128, 1}, {"kv", 256, 256, 3}, {"hh", 512, 512, 2}, {"ids", 128, 2, 1}},
		}},
		Outcomes: []string{"entry 13: applied after 2 steps"},
		Formulas: []Formula{{ID: "M1/x", Property: "M1", Subject: "kv & hh", Logic: "QF_LIA", Text: "(assert (< a b))", Guard: "(check-sat)", Verdicts: "z3 proved"}},
		Inputs:   []Input{{"plan.json", "sha256:00", 10}},
		Log:      Log{Origin: "interlock/test", Root: "cm9vdA==", Leaf: "sha256:11", Key: "interlock/test+0+k", Size: 14, Checkpoint: "interlock/test\n14\n"},
	}
}

func draw(t *testing.T, d *Data) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	got, path := draw(t, example()), filepath.Join("testdata", "decision.html")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page changed; if that is meant, run with -update and look at it:\n%s", got)
	}
}

// Whatever a name or a formula says, it stays a text, and the page loads nothing from elsewhere.
func TestHostileTexts(t *testing.T) {
	const evil = `</pre></title><script>alert(1)</script><img src=x onerror="y">`
	d := example()
	d.Title, d.Reason, d.Who, d.Verdict = evil, evil, evil, evil
	d.Refuted, d.Solvers = [][]string{{evil}, {evil, evil}}, []string{evil}
	d.Asked[0].Does[0], d.Asked[1].Note = evil, evil
	d.Maps[0].Stage, d.Maps[0].Before[0].Tenant = evil, evil
	d.Outcomes[0], d.Formulas[0].Text, d.Formulas[0].Subject, d.Inputs[0].Name, d.Log.Checkpoint = evil, evil, evil, evil, evil
	page := draw(t, d)
	if strings.Contains(page, "ZgotmplZ") {
		t.Error("the template takes a colour for what may be harmful, and leaves it out")
	}
	for _, bad := range []string{"<script", "<img", "http://", "https://"} {
		if strings.Contains(strings.ReplaceAll(page, `xmlns="http://www.w3.org/2000/svg"`, ""), bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	for _, m := range d.Maps {
		dec := xml.NewDecoder(strings.NewReader(m.svg(colour(d.Maps))))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("the picture is no XML: %v", err)
			}
		}
	}
}

func TestBecomes(t *testing.T) {
	for _, c := range []struct {
		before, after Extent
		want          string
	}{
		{Extent{"a", 0, 4, 1}, Extent{"a", 0, 4, 1}, "not touched"},
		{Extent{Tenant: "a"}, Extent{"a", 0, 4, 1}, "given 4 empty slots"},
		{Extent{"a", 0, 4, 1}, Extent{Tenant: "a"}, "all 4 slots are taken"},
		{Extent{"a", 0, 4, 1}, Extent{"a", 8, 4, 2}, "lost: it starts anew (generation 1, then 2)"},
		{Extent{"a", 0, 4, 1}, Extent{"a", 0, 4, 2}, "lost: it starts anew (generation 1, then 2)"},
		{Extent{"a", 0, 4, 1}, Extent{"a", 0, 6, 1}, "kept, and 2 empty slots more"},
		{Extent{"a", 0, 4, 1}, Extent{"a", 0, 1, 1}, "kept, but for the last 3 slots"},
	} {
		if got := Becomes(c.before, c.after); got != c.want {
			t.Errorf("%+v, %+v: %q, want %q", c.before, c.after, got, c.want)
		}
	}
}
