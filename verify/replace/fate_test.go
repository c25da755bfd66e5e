package replace_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/interlock/interlock/alloc/replacement"
	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/replace"
)

// variant writes kinds.p4 with a change and returns its path.
func variant(t testing.TB, old, new string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/kinds.p4")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), old) != 1 {
		t.Fatalf("%q is not there once", old)
	}
	path := filepath.Join(t.TempDir(), "kinds.p4")
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func lost(in *replace.Input) []string {
	var out []string
	for _, l := range in.Lost {
		out = append(out, l.Tenant+": "+l.Object)
	}
	return out
}

// What becomes of tenants, what is lost, and what they find afterwards.
func TestFates(t *testing.T) {
	everything := func(tenant string) []string {
		return []string{
			tenant + ": counter " + tenant + "__I.ops", tenant + ": counts of packets and hits", tenant + ": register memory ingress/0",
			tenant + ": table " + tenant + "__I.filter", tenant + ": table " + tenant + "__I.known", tenant + ": table " + tenant + "__I.routes",
		}
	}
	moved := func(g guest, vid uint16) guest { g.vid = vid; return g }
	at := func(g guest, port int) guest { g.port = port; return g }
	with := func(g guest, program string) guest { g.program = program; return g }
	for _, c := range []struct {
		name    string
		guests  []guest
		slots   int
		evicted []string
		bad     int64 // slot that the switch refuses to write
		fates   string
		lost    []string
		ann     probe // what ann reads from slot 7 afterwards
		bob     probe // what bob reads from slot 6
	}{
		{
			name: "nothing changes", guests: []guest{ann, bob}, fates: "ann retained, bob retained",
			ann: probe{true, 1007, true, 3}, bob: probe{true, 2003, true, 5},
		},
		{
			name: "another order, other ports, another VID, a newcomer", guests: []guest{cyd, moved(at(bob, 3), 77), at(ann, 1)},
			fates: "cyd added, bob retained, ann retained", ann: probe{true, 1007, true, 3}, bob: probe{true, 2003, true, 5},
		},
		{
			name: "one is removed", guests: []guest{ann}, fates: "ann retained, bob removed", lost: everything("bob"),
			ann: probe{true, 1007, true, 3},
		},
		{
			name: "one is replaced by another under its VID", guests: []guest{ann, {"cyd", bob.vid, "kinds.p4", 3}},
			fates: "ann retained, cyd added, bob removed", lost: everything("bob"), ann: probe{true, 1007, true, 3},
			bob: probe{true, 0, false, 0}, // that is cyd now
		},
		{
			name: "two exchange their VIDs", guests: []guest{moved(ann, bob.vid), moved(bob, ann.vid)}, fates: "ann retained, bob retained",
			ann: probe{true, 1007, true, 3}, bob: probe{true, 2003, true, 5},
		},
		{
			name: "other code, the same objects", guests: []guest{with(ann, variant(t, "found + hdr.probe.value", "found - hdr.probe.value")), bob},
			fates: "ann changed, bob retained", lost: everything("ann"), ann: probe{true, 0, false, 4}, bob: probe{true, 2003, true, 5},
		},
		{
			name: "another table", guests: []guest{ann, with(bob, variant(t, "size = 64;", "size = 32;"))}, fates: "ann retained, bob changed",
			lost: everything("bob"), ann: probe{true, 1007, true, 3}, bob: probe{true, 0, false, 6},
		},
		{
			name: "smaller stage arrays", guests: []guest{ann, bob}, slots: 140, fates: "ann retained, bob retained",
			lost: []string{"bob: register memory ingress/0"}, ann: probe{true, 1007, true, 3}, bob: probe{true, 0, false, 6},
		},
		{
			name: "a slot cannot be written", guests: []guest{ann, bob}, bad: 140, fates: "ann retained, bob retained",
			lost: []string{"bob: register memory ingress/0"}, ann: probe{true, 1007, true, 3}, bob: probe{true, 0, false, 6},
		},
		{
			name: "a slot that is nobody's cannot be written", guests: []guest{ann, bob}, bad: 1000, fates: "ann retained, bob retained",
			ann: probe{true, 1007, true, 3}, bob: probe{true, 2003, true, 5},
		},
		{
			name: "one is evicted", guests: []guest{ann, bob}, evicted: []string{"bob"}, fates: "ann retained, bob retained",
			lost: []string{"bob: register memory ingress/0"}, ann: probe{true, 1007, true, 3},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, from := two(t)
			if c.slots == 0 {
				c.slots = 1024
			}
			w := wanted(linkSite(t, c.slots, c.guests...), c.guests)
			w.Evicted = c.evicted
			if c.bad > 0 {
				w.Unusable = []replace.Slots{{Control: specs.Ingress, First: c.bad, Last: c.bad}}
			}
			in, err := planner().Propose(w, from)
			if err != nil {
				t.Fatal(err)
			}
			var fates []string
			for _, x := range in.Tenants {
				fates = append(fates, x.Name+" "+string(x.Fate))
			}
			if got := strings.Join(fates, ", "); got != c.fates {
				t.Errorf("%s, want %s", got, c.fates)
			}
			if got := lost(in); !slices.Equal(got, c.lost) {
				t.Errorf("lost %q, want %q", got, c.lost)
			}
			if err := proved(t, in); err != nil {
				t.Fatal(err)
			}
			agrees(t, in, true)
			l.carryOut(in.Steps)
			for _, g := range c.guests {
				switch {
				case g.name == "ann":
					key := byte(1)
					if !c.ann.hit { // without its entries its packets go where the program says
						key = 99
					}
					if p := l.probe(g, false, key, 7, 0); p != c.ann {
						t.Errorf("ann: %+v, want %+v", p, c.ann)
					}
				case g.port == 3:
					if p := l.probe(g, false, 1, 6, 0); p != c.bob {
						t.Errorf("%s: %+v, want %+v", g.name, p, c.bob)
					}
				}
			}
		})
	}
}

// The first program of a switch, and opening alone.
func TestOpen(t *testing.T) {
	l := newLab(t)
	linked := linkSite(t, 1024, ann, bob)
	w := wanted(linked, []guest{ann, bob})
	w.Evicted = []string{"bob"}
	in, err := planner().Propose(w, replacement.From{})
	if err != nil {
		t.Fatal(err)
	}
	if err := proved(t, in); err != nil {
		t.Fatal(err)
	}
	agrees(t, in, true)
	l.carryOut(in.Steps)
	if !l.probe(ann, false, 1, 0, 0).passed || l.probe(bob, false, 1, 0, 0).passed {
		t.Fatal("who is admitted is not who should be")
	}
	admission, err := l.reader.Admission(t.Context(), l.pipeline().P4Info)
	if err != nil {
		t.Fatal(err)
	}
	if in, err := planner().Open(w, admission); err != nil || in != nil {
		t.Fatalf("there is nothing to open: %v, %v", in, err)
	}
	w.Evicted = nil
	if in, err = planner().Open(w, admission); err != nil {
		t.Fatal(err)
	}
	if err := proved(t, in); err != nil {
		t.Fatal(err)
	}
	l.carryOut(in.Steps)
	if !l.probe(bob, false, 1, 0, 0).passed {
		t.Error("bob is not admitted")
	}
	l.mapped(linked, specs.Ingress, bob.vid, 0, 8, 0)
	// A program that runs is not opened under the name of another, nor a state that was not looked at.
	for name, spoil := range map[string]func(*replace.Input){
		"M8": func(in *replace.Input) { in.Old = linkSite(t, 512, ann, bob) },
		"M4": func(in *replace.Input) { in.Tenants[1].VID = 10 },
		"M7": func(in *replace.Input) { in.ElectionID++ },
	} {
		bad := *in
		bad.Tenants = slices.Clone(in.Tenants)
		spoil(&bad)
		if err := proved(t, &bad); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
