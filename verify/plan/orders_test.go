package plan

import (
	"testing"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// Several updates of one entry in one request, or late: what may come out of it, in all orders, the formulas and the model agree on.
func TestOrders(t *testing.T) {
	a := model.Array{Control: specs.Ingress}
	key := model.Key{Control: specs.Ingress, VID: 3}
	entry := func(size int64, generation uint16) model.Entry {
		return model.Entry{{Size: size, Mask: ^uint32(0), Generation: generation}}
	}
	update := func(k model.UpdateKind, e model.Entry) model.Update { return model.Update{Kind: k, Key: key, Entry: e} }
	gone := update(model.Delete, nil)
	pool := newPool(t, 1)
	for _, c := range []struct {
		name      string
		pre, goal model.Entry // nil: none
		request   []model.Update
		late      []model.Update
		want      []string // properties that do not hold
	}{
		{"once", entry(3, 0), entry(2, 1), []model.Update{update(model.Modify, entry(2, 1))}, nil, nil},
		{"the same twice", entry(3, 0), entry(2, 1), []model.Update{update(model.Modify, entry(2, 1)), update(model.Modify, entry(2, 1))}, nil, nil},
		{"two ends", entry(3, 0), entry(2, 1), []model.Update{update(model.Modify, entry(1, 1)), update(model.Modify, entry(2, 1))}, nil, []string{"M2", "M5", "M6"}},
		{"modified and deleted", entry(3, 7), nil, []model.Update{update(model.Modify, entry(0, 7)), gone}, nil, []string{"M6"}},
		{"the generation of what is lost", entry(3, 7), entry(0, 7), []model.Update{update(model.Modify, entry(0, 7)), update(model.Modify, entry(0, 7))}, nil, []string{"M5"}},
		{"inserted and deleted", nil, nil, []model.Update{update(model.Insert, entry(0, 0)), gone}, nil, []string{"M6"}},
		{"deleted and inserted", entry(0, 0), entry(0, 0), []model.Update{gone, update(model.Insert, entry(0, 0))}, nil, []string{"M6"}},
		{"inserted twice", nil, entry(0, 0), []model.Update{update(model.Insert, entry(0, 0)), update(model.Insert, entry(0, 0))}, nil, []string{"M6"}},
		{"again, late", entry(3, 0), entry(2, 1), []model.Update{update(model.Modify, entry(2, 1))}, []model.Update{update(model.Modify, entry(2, 1))}, nil},
		{"as before, late", entry(3, 0), entry(2, 1), []model.Update{update(model.Modify, entry(2, 1))}, []model.Update{update(model.Modify, entry(3, 0))}, []string{"M2", "M5", "M6"}},
		{"late before it is deleted", entry(3, 0), nil, []model.Update{gone}, []model.Update{update(model.Modify, entry(0, 1))}, nil},
		{"deleted late", entry(3, 0), nil, []model.Update{gone}, []model.Update{gone}, []string{"M6"}},
		{"nothing to change late", nil, nil, nil, []model.Update{update(model.Modify, entry(3, 0)), gone}, nil},
		{"there late", nil, nil, nil, []model.Update{update(model.Insert, entry(3, 0)), update(model.Modify, entry(4, 0))}, []string{"M2"}},
		{"there late, by the time it should be changed", nil, nil, []model.Update{gone}, []model.Update{update(model.Insert, entry(0, 0))}, []string{"M6"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &model.Plan{
				Slots: map[model.Array]int64{a: 5}, Capacity: map[specs.Control]int64{specs.Ingress: 4096},
				Registered: []model.VID{3}, Pre: model.Tables{}, Goal: model.Tables{}, Fenced: true, Late: c.late,
				Limits: map[model.Place]model.Limit{{Array: a, VID: 3}: {Ceiling: 5}},
			}
			if c.pre != nil {
				p.Pre[key] = c.pre
			}
			if c.goal != nil {
				p.Goal[key] = c.goal
			}
			if c.request != nil {
				p.Steps = []model.Step{{Updates: c.request}}
			}
			renumber(p)
			d, err := decodeTest(t, input(p), p.Slots)
			if err != nil {
				t.Fatal(err)
			}
			want, have := map[string]bool{}, map[string]bool{}
			for _, w := range c.want {
				want[w] = true
			}
			for _, o := range refuted(t, pool.Solver("z3"), d.obligations()) {
				have[o.Property] = true
				if x := d.explain(o, nil); !x.Replayed {
					t.Errorf("%s", x)
				}
			}
			for _, x := range []string{"M1", "M2", "M3", "M4", "M5", "M6"} {
				if want[x] != have[x] {
					t.Errorf("%s: refuted is %t, want %t", x, have[x], want[x])
				}
			}
			story, complete := model.Exhaust(p, maxStates)
			if complete != (len(c.want) == 0) {
				t.Errorf("the model: complete is %t, %+v", complete, story)
			} else if story != nil && !want[story.Violations[0].Property] {
				t.Errorf("the model says %v", story.Violations)
			}
		})
	}
}
