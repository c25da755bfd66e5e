package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
	"github.com/interlock/interlock/verify/smt"
)

// searchTries bounds how many random schedules are tried for one counterexample. What the solver found has a slot, tenants and a
// few events; chance finds it in a handful of tries.
const searchTries = 2000

// Explain tells how a plan goes wrong whose obligation o was refuted, with the model that the solver gave, if it gave one. What it
// tells has happened in the reference model, unless Replayed is false.
func Explain(in *Input, o verify.Obligation, m smt.Model) Counterexample {
	return NewEncoder(1).Explain(in, o, m)
}

// Explain is like the function of that name.
func (e *Encoder) Explain(in *Input, o verify.Obligation, m smt.Model) Counterexample {
	d, err := e.decode(in)
	if err != nil {
		return Counterexample{Property: "M7", Obligation: o.ID, First: -1, Last: -1, Step: -1, What: err.Error()}
	}
	return d.explain(o, m)
}

// explain looks for a run of the reference model that shows why an obligation of d is refuted.
func (d *decoded) explain(o verify.Obligation, m smt.Model) Counterexample {
	c := Counterexample{Property: o.Property, Obligation: o.ID, First: -1, Last: -1, Step: -1}
	parts := strings.Split(o.ID, "/")
	switch {
	case o.ID == "M7/markers":
		c.What, c.Replayed = "two fences have the same nonce: the echo of one could be taken for that of the other", true
		c.Fix = "give every fence a nonce of its own"
		return c
	case len(parts) == 3 && slices.Contains([]string{"exclusive", "clean", "scrub", "frame"}, parts[1]):
		if d.explainShape(&c, parts[2], m) {
			return c
		}
	default:
		var a model.Array
		if len(parts) > 3 && parts[3] == "before" {
			for _, x := range d.layout.order {
				if x.String() == parts[1]+"/"+parts[2] {
					a = x
				}
			}
		}
		if d.explainRun(&c, a) {
			return c
		}
	}
	c.What = fmt.Sprintf("%s could not be shown for %s, but the reference model found no run that goes wrong: "+
		"please report this, with the plan", o.ID, o.Subject)
	return c
}

// explainShape looks for the violation in the intervals of the shape that was refuted.
func (d *decoded) explainShape(c *Counterexample, shape string, m smt.Model) bool {
	for _, st := range d.stages() {
		all := st.instances()
		for _, x := range all {
			if shapeID(x.key) != shape {
				continue
			}
			if d.explainInstance(c, st, all, x, m) {
				return true
			}
			if who, bad := x.misfolded(st.array); bad {
				c.First, c.Last = x.around(all)
				c.What = fmt.Sprintf("%s of %v: the mask of %s does not fit its size (M3), so what its extent reaches is taken to be all of it; "+
					"mend that first", slotRange(c.First, c.Last), st.array, d.name(who))
				return true
			}
		}
	}
	return false
}

// explainInstance looks for the violation in one interval of the shape that was refuted.
func (d *decoded) explainInstance(c *Counterexample, st *stage, all []instance, x instance, m smt.Model) bool {
	vids := slices.Clone(x.tenants)
	// Someone else, whose entries do not matter, may have left something there or have old packets in flight.
	other := model.VID(0)
	for _, v := range d.plan.Registered {
		if !slices.Contains(vids, v) && !d.reaches(v, st, x.span) {
			other = v
			break
		}
	}
	former := other == 0
	known := d.model(noScrubs).VIDs()
	for v := model.VID(4094); other == 0; v-- {
		if !slices.Contains(known, v) {
			other = v
		}
	}
	p := d.model(scrubsOf(st.array, x.lo)).Only(st.array, append(vids, other)...) // one slot of the interval stands for all
	if former {
		p.Registered = append(p.Registered, other)
		d.former = other
		defer func() { d.former = 0 }()
	}
	wanted := func(v model.Violation) bool {
		return v.Property == c.Property && v.Array == st.array && (c.Property == "M5" || v.Slot == x.lo)
	}
	only := map[model.Array][]int64{st.array: {x.lo}}
	if step, ok := x.momentOf(c.Property, m); ok { // the solver's own moment, if it can be had
		asModel := func(v model.Violation) bool { return wanted(v) && v.Step == step }
		if s, v, ok := model.Search(p, only, searchTries, asModel); ok {
			c.First, c.Last = x.around(all)
			d.tell(c, p, s, v, asModel)
			return true
		}
	}
	s, v, ok := model.Search(p, only, searchTries, wanted)
	if !ok {
		return false
	}
	c.First, c.Last = x.around(all)
	d.tell(c, p, s, v, wanted)
	return true
}

// misfolded finds a member whose mask keeps indices below the size from their slots: formulas take such an extent to reach all of its
// slots, while in the model, as in the data plane, it does not.
func (x instance) misfolded(a model.Array) (model.VID, bool) {
	for _, m := range x.members {
		for v := range m.h.versions {
			if e := m.h.extent(v, a.Stage); e.Size > 0 && (e.Mask&(e.Mask+1) != 0 || int64(e.Mask)+1 < e.Size) {
				return m.h.key.VID, true
			}
		}
	}
	return 0, false
}

// momentOf is the first step in which a solver's model of M1 or M2 has two tenants where one may be.
func (x instance) momentOf(property string, m smt.Model) (step int, ok bool) {
	if property != "M1" && property != "M2" {
		return 0, false
	}
	isTrue := func(format string, args ...any) bool { return m[fmt.Sprintf(format, args...)].IsTrue() }
	for n := range len(x.steps) + 1 {
		for t := range len(x.tenants) + 1 {
			for u := range len(x.tenants) + 1 {
				other := isTrue("dirty_%d_%d", u, n)
				if property == "M1" {
					other = isTrue("live_%d_%d", u, n)
				}
				if u == t || !other || !isTrue("live_%d_%d", t, n) {
					continue
				}
				if n == 0 {
					return 0, true
				}
				return x.steps[n-1], true
			}
		}
	}
	return 0, false
}

// reaches says whether some version of v's entry reaches a span.
func (d *decoded) reaches(v model.VID, st *stage, s span) bool {
	for _, h := range slices.Concat(st.pages.changed, st.pages.rest) {
		if h.key.VID != v {
			continue
		}
		for n := range h.versions {
			if extentSpan(h.extent(n, st.array.Stage)).overlaps(s) {
				return true
			}
		}
	}
	return false
}

// around is the run of slots around an instance in which the same happens to the same tenants.
func (x instance) around(all []instance) (first, last int64) {
	lo, hi := x.lo, x.hi
	for changed := true; changed; {
		changed = false
		for _, y := range all {
			if y.key == x.key && slices.Equal(y.tenants, x.tenants) && (y.hi == lo || y.lo == hi) {
				lo, hi, changed = min(lo, y.lo), max(hi, y.hi), true
			}
		}
	}
	return lo, hi - 1
}

// explainRun looks for a violation that needs no packets: the plan is just carried out, in some order.
func (d *decoded) explainRun(c *Counterexample, a model.Array) bool {
	wanted := func(v model.Violation) bool {
		if v.Property != c.Property {
			return false
		}
		return a.Control == "" || v.Array == a
	}
	p := d.model(noScrubs)
	tries := searchTries / 100
	if len(p.Late) > 0 {
		tries = searchTries / 4 // something must happen at the right moment
	}
	s, v, ok := model.Search(p, nil, tries, wanted)
	if !ok {
		return false
	}
	d.tell(c, p, s, v, wanted)
	return true
}

// tell puts a violation into words.
func (d *decoded) tell(c *Counterexample, p *model.Plan, s model.Schedule, v model.Violation, wanted func(model.Violation) bool) {
	m, err := model.Replay(p, s, wanted)
	if err != nil || !slices.ContainsFunc(m.Violations, wanted) {
		return
	}
	c.Replayed, c.Schedule = true, s
	c.Step = v.Step
	if len(s.Actions) == 0 {
		c.Step = -1
	}
	if v.Array.Control != "" {
		c.Control, c.Stage = v.Array.Control, v.Array.Stage
	}
	if c.First < 0 && v.Slot >= 0 {
		c.First, c.Last = v.Slot, v.Slot
	}
	for _, t := range v.VIDs {
		c.Tenants = append(c.Tenants, d.name(t))
	}
	c.Run = d.narrate(p, s, v.Array)
	f := fixer{decoded: d, c: c, p: p, m: m, v: v, place: fmt.Sprintf("%s of %v", slotRange(c.First, c.Last), v.Array)}
	f.describe()
}
