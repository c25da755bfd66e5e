package plan

import (
	"fmt"
	"slices"

	"github.com/interlock/interlock/verify/plan/model"
)

// fixer says what a violation is, and what would mend the plan.
type fixer struct {
	*decoded
	c     *Counterexample
	p     *model.Plan
	m     *model.Machine // as it is when the violation happens
	v     model.Violation
	place string // the slots concerned, in words
}

func (f *fixer) describe() {
	who := make([]string, 0, 2)
	for _, v := range f.v.VIDs {
		who = append(who, f.name(v))
	}
	step := f.when()
	switch f.v.Property {
	case "M1":
		f.c.What = fmt.Sprintf("%s, both %s and %s can reach %s", step, who[0], who[1], f.place)
		f.c.Fix = f.separate()
	case "M2":
		f.c.What = fmt.Sprintf("%s, %s finds in %s what %s left there", step, who[0], f.place, who[1])
		if f.v.VIDs[0] == f.v.VIDs[1] {
			f.c.What = fmt.Sprintf("%s, %s finds in %s what it left there itself before it was given them, or at another index", step, who[0], f.place)
		}
		f.c.Fix = f.clean()
	case "M3":
		f.c.What = fmt.Sprintf("%s, an extent leaves its bounds: %s", step, f.words())
		f.c.Fix = fmt.Sprintf("choose an extent within slots 0..%d of %v, with a mask 2^k-1 of at least the size less one", f.p.Slots[f.v.Array]-1, f.v.Array)
	case "M4":
		f.c.What = fmt.Sprintf("%s, a VID is not a registered tenant's own: %s", step, f.words())
		f.c.Fix = fmt.Sprintf("register one tenant with VID %d, or leave its entry out", f.v.VIDs[0])
	case "M5":
		f.frame(step, who[0])
	case "M6":
		f.c.What = fmt.Sprintf("%s, the plan misses its goal: %s", step, f.words())
		switch limit, ok := f.p.Limits[model.Place{Array: f.v.Array, VID: f.v.VIDs[0]}]; {
		case f.c.Step < len(f.in.Steps):
			f.c.Fix = fmt.Sprintf("in step %d, insert what is not there, modify or delete what is, once for each entry, and no more than the table holds", f.c.Step+1)
		case ok && (f.goalSize() < limit.Floor || f.goalSize() > limit.Ceiling):
			f.c.Fix = fmt.Sprintf("give %s %d to %d slots of %v", who[0], limit.Floor, limit.Ceiling, f.v.Array)
		default:
			f.c.Fix = "make the steps and the goal agree: plan again from what the switch has now"
		}
	}
	if f.lateHurts() {
		f.c.Fix = "take mastership with a higher election id first, so that the request without an answer is dead; then read back and plan again"
	}
}

// lateHurts says whether a request without an answer takes part in the run: no event of the run can be left out.
func (f *fixer) lateHurts() bool {
	return slices.ContainsFunc(f.c.Schedule.Actions, func(a model.Action) bool { return a.Kind == model.Late })
}

func (f *fixer) goalSize() int64 {
	return extentOf(f.p.Goal[model.Key{Control: f.v.Array.Control, VID: f.v.VIDs[0]}], f.v.Array.Stage).Size
}

// when names the moment.
func (f *fixer) when() string {
	switch {
	case f.c.Step < 0:
		return "before the plan"
	case f.c.Step >= len(f.in.Steps):
		return "after the last step"
	default:
		return fmt.Sprintf("in step %d", f.c.Step+1)
	}
}

// words is the violation's detail, with whom it is about.
func (f *fixer) words() string {
	s := f.name(f.v.VIDs[0])
	if f.v.Array.Control != "" {
		s += fmt.Sprintf(" in %v", f.v.Array)
	}
	return s + ": " + f.v.Detail
}

// holder says how v reaches the slot when the violation happens: through the page table, or else through a packet that was in flight
// before the plan (old), or since.
func (f *fixer) holder(v model.VID) (now, old bool) {
	a, s := f.v.Array, f.v.Slot
	if extentOf(f.m.Entry(model.Key{Control: a.Control, VID: v}), a.Stage).Contains(s) {
		return true, false
	}
	old = true
	for _, p := range f.m.InFlight() {
		if p.Key.VID == v && p.Key.Control == a.Control && extentOf(p.Entry, a.Stage).Contains(s) && !p.Old {
			old = false
		}
	}
	return false, old
}

// writes lists the steps that write v's entry so that it reaches the slot, or does not.
func (f *fixer) writes(v model.VID, reaching bool) []int {
	var out []int
	for i, s := range f.p.Steps {
		for _, u := range s.Updates {
			if u.Kind != model.Scrub && u.Key == (model.Key{Control: f.v.Array.Control, VID: v}) &&
				extentOf(u.Entry, f.v.Array.Stage).Contains(f.v.Slot) == reaching {
				out = append(out, i)
			}
		}
	}
	return slices.Compact(out)
}

// scrubs lists the steps that scrub the slot.
func (f *fixer) scrubs() []int {
	var out []int
	for n, s := range f.p.Steps {
		if slices.ContainsFunc(s.Updates, func(u model.Update) bool {
			return u.Kind == model.Scrub && u.Array == f.v.Array && u.Slot == f.v.Slot
		}) {
			out = append(out, n)
		}
	}
	return out
}

// lastBefore is the last of steps before i, or -1.
func lastBefore(steps []int, i int) int {
	out := -1
	for _, s := range steps {
		if s < i {
			out = s
		}
	}
	return out
}

// separate mends M1.
func (f *fixer) separate() string {
	i := f.c.Step
	if i < 0 {
		return fmt.Sprintf("the switch is in this state already: evict %s or %s", f.name(f.v.VIDs[0]), f.name(f.v.VIDs[1]))
	}
	// The one who gets the slots in this step, and the one who has them still.
	gets, has := f.v.VIDs[0], f.v.VIDs[1]
	if !slices.Contains(f.writes(gets, true), i) {
		gets, has = has, gets
	}
	now, old := f.holder(has)
	taken := f.writes(has, false)
	switch {
	case !now && old:
		return fmt.Sprintf("start the plan with a fence, so that no packet from before it is in flight when step %d begins", i+1)
	case !now && lastBefore(taken, i) >= 0:
		from, to := lastBefore(taken, i), i
		for _, n := range f.scrubs() { // the fence belongs before the scrub, too
			if from < n && n < to {
				to = n
			}
		}
		return fmt.Sprintf("add a fence between step %d and step %d", from+1, to+1)
	case slices.Contains(taken, i):
		return fmt.Sprintf("split step %d: take %s from %s in a request of its own, then a fence, then scrub them, and only then give them to %s: "+
			"the updates of one request are applied in any order", i+1, f.place, f.name(has), f.name(gets))
	case now:
		return fmt.Sprintf("take %s from %s before step %d, then a fence, then scrub them; or give %s other slots", f.place, f.name(has), i+1, f.name(gets))
	default:
		return fmt.Sprintf("add a fence before step %d", i+1)
	}
}

// clean mends M2.
func (f *fixer) clean() string {
	reader, writer := f.v.VIDs[0], f.v.VIDs[1]
	given := f.writes(reader, true)
	if len(given) == 0 {
		return f.separate()
	}
	i := given[0]
	for _, g := range given {
		if g <= f.c.Step {
			i = g
		}
	}
	scrubs := f.scrubs()
	before := lastBefore(scrubs, i)
	switch {
	case len(scrubs) == 0:
		return fmt.Sprintf("scrub %s before step %d", f.place, i+1)
	case before < 0 && slices.Contains(scrubs, i):
		return fmt.Sprintf("scrub %s in a request before step %d: the updates of one request are applied in any order", f.place, i+1)
	case before < 0:
		return fmt.Sprintf("move the scrub of %s from step %d to before step %d", f.place, scrubs[0]+1, i+1)
	}
	// It was scrubbed, and written again by someone who could still reach it.
	if taken := lastBefore(f.writes(writer, false), before+1); taken >= 0 && taken < before {
		return fmt.Sprintf("add a fence between step %d and step %d, which scrubs %s: packets of %s may write there until then", taken+1, before+1, f.place, f.name(writer))
	}
	if now, old := f.holder(writer); !now && old {
		return fmt.Sprintf("add a fence before step %d, which scrubs %s: packets of %s from before the plan may write there until then", before+1, f.place, f.name(writer))
	}
	return fmt.Sprintf("take %s from %s before step %d scrubs them, with a fence between", f.place, f.name(writer), before+1)
}

// frame describes and mends M5.
func (f *fixer) frame(step, who string) {
	i := f.c.Step
	switch {
	case f.v.Slot < 0:
		f.c.What = fmt.Sprintf("%s, a generation of %s is wrong: %s", step, who, f.words())
		f.c.Fix = fmt.Sprintf("add one to %s's generation in %v if it loses content there, else leave it", who, f.v.Array)
	case f.scrubbing():
		f.c.What = fmt.Sprintf("%s, %s can reach %s while the step scrubs there", step, who, f.place)
		if f.lateHurts() {
			f.c.What = fmt.Sprintf("%s, %s can reach %s while an earlier request scrubs there", step, who, f.place)
		}
		now, old := f.holder(f.v.VIDs[0])
		taken := lastBefore(f.writes(f.v.VIDs[0], false), i)
		switch {
		case !now && old:
			f.c.Fix = fmt.Sprintf("start the plan with a fence: packets of %s from before it may be in flight in step %d", who, i+1)
		case !now && taken >= 0:
			f.c.Fix = fmt.Sprintf("add a fence between step %d and step %d", taken+1, i+1)
		default:
			f.c.Fix = fmt.Sprintf("do not scrub %s in step %d: that is %s's", f.place, i+1, who)
		}
	default:
		f.c.What = fmt.Sprintf("%s, %s cannot reach %s at the index that it has before and after the plan", step, who, f.place)
		f.c.Fix = fmt.Sprintf("leave %s with %s in every step; move other tenants instead, or move %s for good and raise its generation", f.place, who, who)
	}
}

// scrubbing says whether the violation is that of a scrub.
func (f *fixer) scrubbing() bool {
	if n := len(f.c.Schedule.Actions); n > 0 && f.c.Schedule.Actions[n-1].Kind == model.Late {
		return f.p.Late[f.c.Schedule.Actions[n-1].N].Kind == model.Scrub
	}
	if f.c.Step < 0 || f.c.Step >= len(f.p.Steps) {
		return false
	}
	return slices.ContainsFunc(f.p.Steps[f.c.Step].Updates, func(u model.Update) bool {
		return u.Kind == model.Scrub && u.Array == f.v.Array && u.Slot == f.v.Slot
	}) && len(f.c.Schedule.Actions) > 0 && f.lastScrubs()
}

func (f *fixer) lastScrubs() bool {
	last := f.c.Schedule.Actions[len(f.c.Schedule.Actions)-1]
	return last.Kind == model.Apply && f.p.Steps[f.c.Step].Updates[last.N].Kind == model.Scrub
}
