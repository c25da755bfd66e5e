package replay

import (
	"context"
	"slices"
	"testing"

	"github.com/interlock/interlock/verify"
)

// asks notes what a solver is asked.
type asks struct {
	says
	ids *[]string
}

func (a asks) Decide(ctx context.Context, obs []verify.Obligation, p func(int, int)) ([]verify.Result, error) {
	for _, o := range obs {
		*a.ids = append(*a.ids, o.ID)
	}
	return a.says.Decide(ctx, obs, p)
}

// A verdict is remembered for the same text with the same guard and logic, and only if it is one.
func TestMemory(t *testing.T) {
	var m memory
	var ids []string
	d := asks{says{verify.Proved, "open", verify.Unknown}, &ids}
	ask := func(want []string, obs ...verify.Obligation) {
		t.Helper()
		ids = nil
		results, err := m.decide(t.Context(), d, obs)
		if err != nil || !slices.Equal(ids, want) || len(results) != len(obs) {
			t.Errorf("asked %q, want %q; %d results, %v", ids, want, len(results), err)
		}
		for _, r := range results {
			if want := map[bool]verify.Verdict{true: verify.Unknown, false: verify.Proved}[r.Obligation == "open"]; r.Verdict != want {
				t.Errorf("%s is %s", r.Obligation, r.Verdict)
			}
		}
	}
	a := verify.Obligation{ID: "a", Logic: "QF_LIA", Text: "t", Guard: "g"}
	open := verify.Obligation{ID: "open", Logic: "QF_LIA", Text: "u"}
	ask([]string{"a", "open"}, a, open)
	again := a
	again.ID = "again"
	ask([]string{"open"}, again, open)
	for _, change := range []func(o *verify.Obligation){
		func(o *verify.Obligation) { o.Guard = "" },
		func(o *verify.Obligation) { o.Guard = "h" },
		func(o *verify.Obligation) { o.Text = "T" },
		func(o *verify.Obligation) { o.Logic = "QF_BV" },
	} {
		o := a
		change(&o)
		ask([]string{"a"}, o)
	}
}
