package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// bothControls is a plan by the recipe in which each control gives slots of one tenant to another.
func bothControls() *model.Plan {
	p := &model.Plan{
		Slots: tinyArrays, Capacity: map[specs.Control]int64{specs.Ingress: 4096, specs.Egress: 4096}, Registered: tinyTenants,
		Pre: model.Tables{}, Goal: model.Tables{}, Fenced: true, Limits: map[model.Place]model.Limit{},
	}
	var shrink, scrub, grow []model.Update
	for a := range p.Slots {
		for _, v := range p.Registered {
			p.Limits[model.Place{Array: a, VID: v}] = model.Limit{Ceiling: 2}
		}
	}
	for c, stages := range map[specs.Control]int{specs.Ingress: 2, specs.Egress: 1} {
		entry := func(base, size int64, generation uint16) model.Entry {
			e := make(model.Entry, stages)
			e[0] = model.Extent{Base: base, Size: size, Mask: ^uint32(0), Generation: generation}
			return e
		}
		from, to := model.Key{Control: c, VID: tinyTenants[0]}, model.Key{Control: c, VID: tinyTenants[1]}
		p.Pre[from], p.Pre[to] = entry(0, 2, 0), entry(0, 0, 0)
		p.Goal[from], p.Goal[to] = entry(0, 1, 1), entry(1, 1, 0)
		shrink = append(shrink, model.Update{Kind: model.Modify, Key: from, Entry: p.Goal[from]})
		scrub = append(scrub, model.Update{Kind: model.Scrub, Array: model.Array{Control: c}, Slot: 1})
		grow = append(grow, model.Update{Kind: model.Modify, Key: to, Entry: p.Goal[to]})
	}
	byControl := func(a, b model.Update) int {
		return strings.Compare(string(a.Key.Control+a.Array.Control), string(b.Key.Control+b.Array.Control))
	}
	for _, us := range [][]model.Update{shrink, scrub, grow} {
		slices.SortFunc(us, byControl)
	}
	p.Steps = []model.Step{{Updates: shrink}, {Fence: true}, {Updates: scrub}, {Updates: grow}}
	renumber(p)
	return p
}

// everySlot scrubs an array by one update.
func everySlotOf(p *model.Plan, a model.Array) []model.Update {
	var out []model.Update
	for s := range p.Slots[a] {
		out = append(out, model.Update{Kind: model.Scrub, Array: a, Slot: s})
	}
	return out
}

// What a driver declares decides what is proved, and refused; the reference model says the same.
func TestPrimitives(t *testing.T) {
	pool := newPool(t, 1)
	const bound = 3 * time.Millisecond
	both := []specs.Control{specs.Ingress, specs.Egress}
	transit := FencePrimitive{By: ByTransit, Transit: bound, Controls: both}
	wait := func(d time.Duration) func(*Input) {
		return func(in *Input) {
			in.Primitives.Fence = transit
			in.Steps[1] = Step{Kind: Wait, For: d}
		}
	}
	// lower is a request of an earlier mastership that gives all slots back to their first owner.
	lower := func(p *model.Plan) {
		p.Late = []model.Update{{Kind: model.Modify, Key: p.Pre.Keys()[0], Entry: p.Pre[p.Pre.Keys()[0]]}}
	}
	of := func(election uint64) func(*Input) {
		return func(in *Input) {
			m := writeRequest([]model.Update{{Kind: model.Modify, Key: bothControls().Pre.Keys()[0], Entry: bothControls().Pre[bothControls().Pre.Keys()[0]]}})
			m.ElectionId.Low = election
			in.Unanswered = [][]byte{marshal(m)}
		}
	}
	until := func(u UnansweredPrimitive, waited time.Duration) func(*Input) {
		return func(in *Input) { in.Primitives.Unanswered, in.Waited = u, waited }
	}
	noUnits := func(in *Input) { in.Primitives.Scrub.By = []ScrubKind{ByCell} }
	for _, c := range []struct {
		name   string
		plan   func(*model.Plan)
		input  []func(*Input)
		want   []string // properties that do not hold
		refuse string   // or the error
	}{
		{"a marker for both controls", nil, nil, nil, ""},
		{"a marker for ingress only", func(p *model.Plan) { p.Fences = []specs.Control{specs.Ingress} }, nil, []string{"M1", "M2", "M5"}, ""},
		{"a marker for egress only", func(p *model.Plan) { p.Fences = []specs.Control{specs.Egress} }, nil, []string{"M1", "M2", "M5"}, ""},
		{"a fence that empties nothing", func(p *model.Plan) { p.Fences = []specs.Control{} }, nil, []string{"M1", "M2", "M5"}, ""},
		{"the transit bound", nil, []func(*Input){wait(bound)}, nil, ""},
		{"longer than the transit bound", nil, []func(*Input){wait(bound + 1)}, nil, ""},
		{"less than the transit bound", func(p *model.Plan) { p.Steps[1].Fence = false }, []func(*Input){wait(bound - 1)}, []string{"M1", "M2", "M5"}, ""},
		{"a marker where the bound is what counts", nil, []func(*Input){func(in *Input) { in.Primitives.Fence = transit }}, nil, "the switch's fences are by transit"},
		{"waiting where the marker is what counts", nil, []func(*Input){func(in *Input) { in.Steps[1] = Step{Kind: Wait, For: bound} }}, nil, "the switch's fences are by marker"},
		{"waiting for no time", nil, []func(*Input){wait(0)}, nil, "forNs"},
		{"waiting, and sending", nil, []func(*Input){wait(bound), func(in *Input) { in.Steps[1].Bytes = []byte{1} }}, nil, "nothing is sent"},
		{"a request that takes its time", nil, []func(*Input){func(in *Input) { in.Steps[0].For = 1 }}, nil, "forNs"},

		{"an array that somebody has slots of", func(p *model.Plan) {
			p.Steps[2].Updates = everySlotOf(p, model.Array{Control: specs.Egress})
		}, nil, []string{"M2", "M5"}, ""},
		{"an array that nobody has slots of", func(p *model.Plan) {
			more := everySlotOf(p, model.Array{Control: specs.Ingress, Stage: 1})
			for i := range more {
				more[i].Index = len(p.Steps[2].Updates)
			}
			p.Steps[2].Updates = append(p.Steps[2].Updates, more...)
		}, nil, nil, ""},
		{"an array, where single slots are scrubbed", func(p *model.Plan) {
			p.Steps[2].Updates = everySlotOf(p, model.Array{Control: specs.Egress})
		}, []func(*Input){noUnits}, nil, "not declared to scrub so"},
		{"single slots, where arrays are scrubbed", nil, []func(*Input){func(in *Input) { in.Primitives.Scrub.By = []ScrubKind{ByArray} }}, nil, "not declared to scrub single slots"},

		{"ended by arbitration", nil, []func(*Input){of(testElection - 1)}, nil, ""},
		{"of this mastership", lower, []func(*Input){of(testElection)}, []string{"M1", "M2", "M5", "M6"}, ""},
		{"not ended by arbitration", lower, []func(*Input){of(testElection - 1), until(UnansweredPrimitive{Until: UntilNever}, time.Hour)}, []string{"M1", "M2", "M5", "M6"}, ""},
		{"ended by time", nil, []func(*Input){of(testElection), until(UnansweredPrimitive{Until: UntilBound, Bound: bound}, bound)}, nil, ""},
		{"not ended yet", lower, []func(*Input){of(testElection - 1), until(UnansweredPrimitive{Until: UntilBound, Bound: bound}, bound-1)}, []string{"M1", "M2", "M5", "M6"}, ""},

		{"no fence", nil, []func(*Input){func(in *Input) { in.Primitives = Primitives{} }}, nil, "primitives.fence.by"},
		{"a marker with a bound", nil, []func(*Input){func(in *Input) { in.Primitives.Fence.Transit = 1 }}, nil, "primitives.fence.transitNs"},
		{"a bound of nothing", nil, []func(*Input){func(in *Input) { in.Primitives.Fence.By = ByTransit }}, nil, "primitives.fence.transitNs"},
		{"another control", nil, []func(*Input){func(in *Input) { in.Primitives.Fence.Controls = []specs.Control{"parser"} }}, nil, "primitives.fence.controls"},
		{"no scrub", nil, []func(*Input){func(in *Input) { in.Primitives.Scrub.By = nil }}, nil, "primitives.scrub.by"},
		{"no end", nil, []func(*Input){until(UnansweredPrimitive{}, 0)}, nil, "primitives.unanswered.until"},
		{"an end without a bound", nil, []func(*Input){until(UnansweredPrimitive{Until: UntilBound}, 0)}, nil, "primitives.unanswered.boundNs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := bothControls()
			if c.plan != nil {
				c.plan(p)
			}
			in := input(p)
			for _, change := range c.input {
				change(in)
			}
			d, err := decodeTest(t, in, p.Slots)
			if c.refuse != "" {
				if err == nil || !strings.Contains(err.Error(), c.refuse) {
					t.Fatalf("%v, want %q", err, c.refuse)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var have []string
			for _, o := range refuted(t, pool.Solver("z3"), d.obligations()) {
				if !slices.Contains(have, o.Property) {
					have = append(have, o.Property)
				}
				if x := d.explain(o, nil); !x.Replayed {
					t.Errorf("%s", x)
				}
			}
			if slices.Sort(have); !slices.Equal(have, c.want) {
				t.Errorf("%v do not hold, want %v", have, c.want)
			}
			story, complete := model.Exhaust(p, maxStates)
			if complete != (len(c.want) == 0) {
				t.Errorf("the model: complete is %t, %+v", complete, story)
			} else if story != nil && !slices.Contains(c.want, story.Violations[0].Property) {
				t.Errorf("the model says %v", story.Violations)
			}
		})
	}
}

// A request that only scrubs is known from one that writes page tables, too.
func TestScrubsOnly(t *testing.T) {
	scrub := model.Update{Kind: model.Scrub, Array: model.Array{Control: specs.Egress}, Slot: 1}
	unmap := model.Update{Kind: model.Delete, Key: model.Key{Control: specs.Egress, VID: 3}}
	for _, c := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"a scrub", marshal(writeRequest([]model.Update{scrub})), true},
		{"an array", marshal(writeRequest([]model.Update{scrub, scrub})), true},
		{"a deletion", marshal(writeRequest([]model.Update{unmap})), false},
		{"a deletion after a scrub", marshal(writeRequest([]model.Update{scrub, unmap})), false},
		{"something after it", append(marshal(writeRequest([]model.Update{scrub})), 0x28, 1), false},
		{"no request", []byte{0xff}, false},
	} {
		if have := ScrubsOnly(c.b); have != c.want {
			t.Errorf("%s: %t", c.name, have)
		}
	}
}
