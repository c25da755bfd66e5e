package plan

import (
	"math/rand/v2"
	"slices"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify/plan/model"
)

// clonePlan copies what mutants change.
func clonePlan(p *model.Plan) *model.Plan {
	q := *p
	q.Pre, q.Goal = cloneTables(p.Pre), cloneTables(p.Goal)
	q.Registered, q.Late = slices.Clone(p.Registered), slices.Clone(p.Late)
	q.Steps = nil
	for _, s := range p.Steps {
		us := slices.Clone(s.Updates)
		for i := range us {
			us[i].Entry = slices.Clone(us[i].Entry)
		}
		q.Steps = append(q.Steps, model.Step{Fence: s.Fence, Updates: us})
	}
	return &q
}

func cloneTables(t model.Tables) model.Tables {
	out := model.Tables{}
	for k, e := range t {
		out[k] = slices.Clone(e)
	}
	return out
}

// A mutation changes a plan in a way that may make it unsafe. It returns false if it does not apply.
type mutation struct {
	name string
	do   func(r *rand.Rand, p *model.Plan) bool
}

// pick returns a random update of the given kinds.
func pick(r *rand.Rand, p *model.Plan, kinds ...model.UpdateKind) *model.Update {
	var all []*model.Update
	for i := range p.Steps {
		for j := range p.Steps[i].Updates {
			if u := &p.Steps[i].Updates[j]; slices.Contains(kinds, u.Kind) {
				all = append(all, u)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[r.IntN(len(all))]
}

// pickExtent returns a random non-empty extent that the plan writes, with its array.
func pickExtent(r *rand.Rand, p *model.Plan) (*model.Extent, model.Array) {
	for range 20 {
		u := pick(r, p, model.Insert, model.Modify)
		if u == nil {
			return nil, model.Array{}
		}
		k := r.IntN(len(u.Entry))
		if u.Entry[k].Size > 0 {
			return &u.Entry[k], model.Array{Control: u.Key.Control, Stage: k}
		}
	}
	return nil, model.Array{}
}

var mutations = []mutation{
	{"drop a step", func(r *rand.Rand, p *model.Plan) bool {
		i := r.IntN(len(p.Steps))
		p.Steps = slices.Delete(p.Steps, i, i+1)
		return true
	}},
	{"drop the fences", func(_ *rand.Rand, p *model.Plan) bool {
		p.Steps = slices.DeleteFunc(p.Steps, func(s model.Step) bool { return s.Fence })
		return true
	}},
	{"swap two steps", func(r *rand.Rand, p *model.Plan) bool {
		if len(p.Steps) < 2 {
			return false
		}
		i := r.IntN(len(p.Steps) - 1)
		p.Steps[i], p.Steps[i+1] = p.Steps[i+1], p.Steps[i]
		return true
	}},
	{"merge two steps", func(r *rand.Rand, p *model.Plan) bool {
		for i := len(p.Steps) - 1; i > 0; i-- {
			a, b := p.Steps[i-1], p.Steps[i]
			if !a.Fence && !b.Fence && r.IntN(2) == 0 {
				us := append(slices.Clone(a.Updates), b.Updates...)
				for j := range us {
					us[j].Index = j
				}
				p.Steps[i-1].Updates = us
				p.Steps = slices.Delete(p.Steps, i, i+1)
				return true
			}
		}
		return false
	}},
	{"merge across a fence", func(_ *rand.Rand, p *model.Plan) bool {
		for i := 1; i+1 < len(p.Steps); i++ {
			if p.Steps[i].Fence && !p.Steps[i-1].Fence && !p.Steps[i+1].Fence {
				us := append(slices.Clone(p.Steps[i-1].Updates), p.Steps[i+1].Updates...)
				for j := range us {
					us[j].Index = j
				}
				p.Steps[i-1].Updates = us
				p.Steps = slices.Delete(p.Steps, i, i+2)
				return true
			}
		}
		return false
	}},
	{"repeat a step", func(r *rand.Rand, p *model.Plan) bool {
		i := r.IntN(len(p.Steps))
		p.Steps = slices.Insert(p.Steps, i, p.Steps[i])
		return true
	}},
	{"drop an update", func(r *rand.Rand, p *model.Plan) bool {
		i := r.IntN(len(p.Steps))
		if len(p.Steps[i].Updates) < 2 {
			return false
		}
		j := r.IntN(len(p.Steps[i].Updates))
		p.Steps[i].Updates = slices.Delete(p.Steps[i].Updates, j, j+1)
		for j := range p.Steps[i].Updates {
			p.Steps[i].Updates[j].Index = j
		}
		return true
	}},
	{"change a base", func(r *rand.Rand, p *model.Plan) bool {
		x, _ := pickExtent(r, p)
		if x == nil {
			return false
		}
		x.Base = max(0, x.Base+int64(r.IntN(7))-3)
		return true
	}},
	{"grow a size", func(r *rand.Rand, p *model.Plan) bool {
		x, _ := pickExtent(r, p)
		if x == nil {
			return false
		}
		x.Size += int64(r.IntN(4)) + 1
		return true
	}},
	{"shrink a size", func(r *rand.Rand, p *model.Plan) bool {
		x, _ := pickExtent(r, p)
		if x == nil {
			return false
		}
		x.Size -= min(x.Size, int64(r.IntN(2))+1)
		return true
	}},
	{"reach past the array", func(r *rand.Rand, p *model.Plan) bool {
		x, a := pickExtent(r, p)
		if x == nil {
			return false
		}
		x.Base = p.Slots[a] - x.Size + 1 + int64(r.IntN(3))
		return true
	}},
	{"wrong mask", func(r *rand.Rand, p *model.Plan) bool {
		x, _ := pickExtent(r, p)
		if x == nil {
			return false
		}
		x.Mask = []uint32{0, 5, x.Mask << 1, uint32(x.Size) - 1}[r.IntN(4)]
		return true
	}},
	{"swap tenants", func(r *rand.Rand, p *model.Plan) bool {
		a, b := pick(r, p, model.Insert, model.Modify), pick(r, p, model.Insert, model.Modify)
		if a == nil || a.Key == b.Key || a.Key.Control != b.Key.Control {
			return false
		}
		a.Entry, b.Entry = b.Entry, a.Entry
		return true
	}},
	{"wrong VID", func(r *rand.Rand, p *model.Plan) bool {
		u := pick(r, p, model.Insert, model.Modify, model.Delete)
		if u == nil {
			return false
		}
		u.Key.VID += model.VID(r.IntN(3) + 1)
		return true
	}},
	{"wrong generation", func(r *rand.Rand, p *model.Plan) bool {
		u := pick(r, p, model.Insert, model.Modify)
		if u == nil {
			return false
		}
		u.Entry[r.IntN(len(u.Entry))].Generation += uint16(r.IntN(3) + 1)
		return true
	}},
	{"generation kept in the goal too", func(r *rand.Rand, p *model.Plan) bool {
		for _, k := range p.Goal.Keys() {
			for i := range p.Goal[k] {
				if pre, ok := p.Pre[k]; ok && pre[i].Generation != p.Goal[k][i].Generation {
					p.Goal[k][i].Generation = pre[i].Generation
					for j := range p.Steps {
						for _, u := range p.Steps[j].Updates {
							if u.Kind != model.Scrub && u.Key == k && u.Entry != nil {
								u.Entry[i].Generation = pre[i].Generation
							}
						}
					}
					return true
				}
			}
		}
		return false
	}},
	{"scrub in part", func(r *rand.Rand, p *model.Plan) bool {
		for i := range p.Steps {
			us := p.Steps[i].Updates
			j := slices.IndexFunc(us, func(u model.Update) bool { return u.Kind == model.Scrub })
			if j < 0 || len(us) < 2 {
				continue
			}
			n := min(r.IntN(3)+1, len(us)-1, len(us)-j)
			p.Steps[i].Updates = slices.Delete(us, j, j+n)
			for j := range p.Steps[i].Updates {
				p.Steps[i].Updates[j].Index = j
			}
			return true
		}
		return false
	}},
	{"scrub too much", func(r *rand.Rand, p *model.Plan) bool {
		for i := range p.Steps {
			us := p.Steps[i].Updates
			if len(us) > 0 && us[0].Kind == model.Scrub {
				a := us[0].Array
				p.Steps[i].Updates = append(us, model.Update{Kind: model.Scrub, Array: a, Slot: r.Int64N(p.Slots[a]), Index: len(us)})
				return true
			}
		}
		return false
	}},
	{"stale pre-state", func(r *rand.Rand, p *model.Plan) bool {
		keys := p.Pre.Keys()
		if len(keys) == 0 {
			return false
		}
		k := keys[r.IntN(len(keys))]
		if r.IntN(3) == 0 {
			delete(p.Pre, k)
			return true
		}
		x := &p.Pre[k][r.IntN(len(p.Pre[k]))]
		if x.Size == 0 {
			x.Mask = ^uint32(0)
		}
		x.Base, x.Size = max(0, x.Base+int64(r.IntN(5))-2), x.Size+int64(r.IntN(4))
		return true
	}},
	{"a tenant that nobody registered", func(r *rand.Rand, p *model.Plan) bool {
		if len(p.Registered) < 2 {
			return false
		}
		v := p.Registered[0]
		p.Registered = p.Registered[1:]
		for _, k := range p.Goal.Keys() {
			if k.VID == v {
				delete(p.Goal, k)
			}
		}
		for pl := range p.Limits {
			if pl.VID == v {
				delete(p.Limits, pl)
			}
		}
		return true
	}},
	{"goal above its ceiling", func(r *rand.Rand, p *model.Plan) bool {
		for _, a := range p.Arrays() {
			for _, v := range p.Registered {
				pl := model.Place{Array: a, VID: v}
				if l, ok := p.Limits[pl]; ok && l.Ceiling > 0 && r.IntN(2) == 0 {
					limits := map[model.Place]model.Limit{}
					for k, x := range p.Limits {
						limits[k] = x
					}
					limits[pl] = model.Limit{Floor: 0, Ceiling: l.Ceiling / 2}
					p.Limits = limits
					return true
				}
			}
		}
		return false
	}},
	{"a request without an answer", func(r *rand.Rand, p *model.Plan) bool {
		for range r.IntN(3) + 1 { // any of the plan's own, as if it had been sent once before
			if u := pick(r, p, model.UpdateKind(r.IntN(4))); u != nil {
				u := *u
				u.Index = len(p.Late)
				p.Late = append(p.Late, u)
			}
		}
		return len(p.Late) > 0
	}},
	{"the pre-state again, without an answer", func(r *rand.Rand, p *model.Plan) bool {
		keys := p.Pre.Keys()
		if len(keys) == 0 {
			return false
		}
		k := keys[r.IntN(len(keys))]
		e := slices.Clone(p.Pre[k])
		if r.IntN(2) == 0 {
			e = slices.Clone(p.Goal[k])
		}
		if e == nil {
			return false
		}
		p.Late = []model.Update{{Kind: model.Modify, Key: k, Entry: e}}
		return true
	}},
	{"ids of two parameters swapped", func(r *rand.Rand, p *model.Plan) bool {
		x, _ := pickExtent(r, p)
		if x == nil {
			return false
		}
		if r.IntN(2) == 0 {
			x.Base, x.Size = x.Size, x.Base
		} else {
			x.Size, x.Mask = int64(x.Mask&0xffff), uint32(x.Size)
		}
		return true
	}},
	{"an extent that wraps", func(r *rand.Rand, p *model.Plan) bool {
		x, _ := pickExtent(r, p)
		if x == nil {
			return false
		}
		x.Base = 1<<specs.BaseBits - 1 - r.Int64N(3)
		return true
	}},
	{"an empty extent", func(r *rand.Rand, p *model.Plan) bool {
		x, _ := pickExtent(r, p)
		if x == nil {
			return false
		}
		x.Size = 0
		return true
	}},
	{"a step for another, much later", func(r *rand.Rand, p *model.Plan) bool {
		i, j := r.IntN(len(p.Steps)), r.IntN(len(p.Steps))
		p.Steps[i], p.Steps[j] = p.Steps[j], p.Steps[i]
		return i != j
	}},
	{"scrub before the fence", func(_ *rand.Rand, p *model.Plan) bool {
		for i := 1; i < len(p.Steps); i++ {
			us := p.Steps[i].Updates
			if p.Steps[i-1].Fence && len(us) > 0 && us[0].Kind == model.Scrub {
				p.Steps[i-1], p.Steps[i] = p.Steps[i], p.Steps[i-1]
				return true
			}
		}
		return false
	}},
	{"own slots back without a scrub", func(r *rand.Rand, p *model.Plan) bool {
		// Taken away at the start and given back at the end, in the same place: with a new generation it is a loss of content.
		for _, k := range p.Pre.Keys() {
			goal, wanted := p.Goal[k]
			if !wanted || p.Pre[k].Empty() || !slices.Equal(p.Pre[k], goal) {
				continue
			}
			none := make(model.Entry, len(goal))
			for i := range none {
				none[i].Generation = goal[i].Generation
			}
			first, last := model.Update{Kind: model.Modify, Key: k, Entry: none}, model.Update{Kind: model.Modify, Key: k, Entry: goal}
			p.Steps = append([]model.Step{{Updates: []model.Update{first}}}, append(p.Steps, model.Step{Updates: []model.Update{last}})...)
			return true
		}
		return false
	}},
	{"unfenced after all", func(_ *rand.Rand, p *model.Plan) bool {
		i := slices.IndexFunc(p.Steps, func(s model.Step) bool { return s.Fence })
		if !p.Fenced || i < 0 {
			return false
		}
		p.Fenced = false
		p.Steps = slices.Delete(p.Steps, i, i+1)
		return true
	}},
	{"a fence that empties one control only", func(r *rand.Rand, p *model.Plan) bool {
		p.Fences = []specs.Control{[]specs.Control{specs.Ingress, specs.Egress}[r.IntN(2)]}
		return true
	}},
	{"scrub the whole array", func(r *rand.Rand, p *model.Plan) bool {
		u := pick(r, p, model.Scrub)
		if u == nil {
			return false
		}
		a := u.Array
		for i := range p.Steps {
			us := p.Steps[i].Updates
			if !slices.ContainsFunc(us, func(x model.Update) bool { return x.Kind == model.Scrub && x.Array == a }) {
				continue
			}
			us = slices.DeleteFunc(us, func(x model.Update) bool { return x.Kind == model.Scrub && x.Array == a })
			for j := range us {
				us[j].Index = j
			}
			whole := everySlotOf(p, a)
			for j := range whole { // by one update
				whole[j].Index = len(us)
			}
			p.Steps[i].Updates = append(us, whole...)
			return true
		}
		return false
	}},
	{"give and take at once", func(r *rand.Rand, p *model.Plan) bool {
		// Overlap: somebody's new extent covers a slot of somebody else's goal, in the goal too.
		x, a := pickExtent(r, p)
		if x == nil {
			return false
		}
		for _, k := range p.Goal.Keys() {
			if k.Control != a.Control {
				continue
			}
			y := &p.Goal[k][a.Stage]
			if y.Size > 0 && y.Base != x.Base {
				y.Base = x.Base
				for j := range p.Steps {
					for _, u := range p.Steps[j].Updates {
						if u.Kind != model.Scrub && u.Key == k && u.Entry != nil && u.Entry[a.Stage].Size > 0 {
							u.Entry[a.Stage].Base = x.Base
						}
					}
				}
				return true
			}
		}
		return false
	}},
}
