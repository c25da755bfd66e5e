package plan

import (
	"slices"

	"github.com/interlock/interlock/verify/plan/model"
)

// run is slots of an array that a request scrubs by updates that follow one another.
type run struct {
	array model.Array
	span
	index int  // of its first update
	whole bool // one update scrubs all of them, in any order
}

// request is a step as it is decoded: a fence, or what a write request does, page tables and slots apart. A scrub has an update for
// each slot; runs of them are kept together, because nothing that is proved tells them apart.
type request struct {
	fence   bool
	entries []model.Update
	scrubs  []run
	updates int // how many there are
}

// write adds an update of a page table.
func (r *request) write(u model.Update) {
	r.entries = append(r.entries, u)
	r.updates++
}

// scrub adds the scrub of one slot.
func (r *request) scrub(a model.Array, slot int64) {
	if n := len(r.scrubs); n > 0 {
		if x := &r.scrubs[n-1]; !x.whole && x.hi == slot && x.array == a && x.index+int(x.hi-x.lo) == r.updates {
			x.hi++
			r.updates++
			return
		}
	}
	r.scrubs = append(r.scrubs, run{a, span{slot, slot + 1}, r.updates, false})
	r.updates++
}

// scrubArray adds the scrub of every slot of an array.
func (r *request) scrubArray(a model.Array, slots int64) {
	r.scrubs = append(r.scrubs, run{a, span{0, slots}, r.updates, true})
	r.updates++
}

// all lists the request's updates one by one; of each run of scrubs those of the slots that part says.
func (r *request) all(part func(run) span) []model.Update {
	if len(r.scrubs) == 0 {
		return r.entries
	}
	out := slices.Clone(r.entries)
	for _, x := range r.scrubs {
		p := part(x).intersect(x.span)
		for s := p.lo; s < p.hi; s++ {
			u := model.Update{Kind: model.Scrub, Array: x.array, Slot: s, Index: x.index}
			if !x.whole {
				u.Index += int(s - x.lo)
			}
			out = append(out, u)
		}
	}
	slices.SortStableFunc(out, func(u, v model.Update) int { return u.Index - v.Index })
	return out
}

// model is the plan as the reference model takes it, with the scrubs of those slots that part says. What other scrubs do, they do to
// other slots.
func (d *decoded) model(part func(run) span) *model.Plan {
	p := *d.plan
	p.Pre, p.Goal = d.pre.model(), d.goal.model()
	p.Steps = make([]model.Step, len(d.steps))
	for i := range d.steps {
		p.Steps[i] = model.Step{Fence: d.steps[i].fence, Updates: d.steps[i].all(part)}
	}
	p.Late = d.late.all(part)
	p.Limits = d.placedLimits()
	return &p
}

// placedLimits are the limits as the reference model takes them.
func (d *decoded) placedLimits() map[model.Place]model.Limit {
	out := map[model.Place]model.Limit{}
	for _, a := range d.layout.order {
		for i, l := range d.limits[side(a.Control)][a.Stage] {
			if l.given {
				out[model.Place{Array: a, VID: d.plan.Registered[i]}] = l.Limit
			}
		}
	}
	return out
}

// Parts for model.
func noScrubs(run) span     { return span{} }
func everyScrub(x run) span { return x.span }

func scrubsOf(a model.Array, slot int64) func(run) span {
	return func(x run) span {
		if x.array != a {
			return span{}
		}
		return span{slot, slot + 1}
	}
}
