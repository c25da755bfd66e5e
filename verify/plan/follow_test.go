package plan

import (
	"strings"
	"testing"

	"github.com/interlock/interlock/verify"
)

// A plan may name the one before it, and none else: then it has no obligations about what the switch has, and without them all of it is
// proved of what it touches.
func TestFollows(t *testing.T) {
	w, e := newCrowd(t, 9, 3), NewEncoder(1)
	first, second, third := w.next(2), w.next(2), w.next(2)
	if err := e.Follows(second, first); err != nil {
		t.Error(err)
	}
	digest := func(in *Input) verify.Digest {
		s, err := in.Subject()
		if err != nil {
			t.Fatal(err)
		}
		return s.Digest()
	}
	for _, c := range []struct {
		name     string
		change   func(in *Input)
		previous *Input
		want     string
	}{
		{"it names another", func(*Input) {}, first, "names sha256:"},
		{"it names none", func(in *Input) { in.Previous = "" }, second, "names , this is"},
		{"not the last", func(in *Input) { in.Previous = digest(first) }, first, "leaves other entries"},
		{"the pre-state is another", func(in *Input) { in.PreState = first.PreState }, second, "leaves other entries"},
		{"another switch", func(in *Input) { in.Switch = "s2" }, second, "switch s1"},
		{"another program", func(in *Input) { in.Linked = append([]byte("// \n"), in.Linked...) }, second, "another program"},
	} {
		in := *third
		c.change(&in)
		if err := e.Follows(&in, c.previous); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}

	alone := *third
	alone.Previous = ""
	all, err := e.Obligations(&alone)
	if err != nil {
		t.Fatal(err)
	}
	less, err := e.Obligations(third)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for _, o := range all {
		texts[o.ID+o.Text] = true
	}
	for _, o := range less {
		if !texts[o.ID+o.Text] && o.ID != "M3/masks" { // of fewer
			t.Errorf("%s is not among what has to be proved without the plan before", o.ID)
		}
		delete(texts, o.ID+o.Text)
	}
	for id := range texts {
		if !strings.Contains(id, "before") && !strings.HasPrefix(id, "M3/masks") {
			t.Errorf("%.40s is left out", id)
		}
	}
}
