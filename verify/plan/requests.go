package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
)

// at is the place of an update: step and position in its request.
type at struct{ step, update int }

// group is what one request does to one entry.
type group struct {
	key     model.Key
	exists  bool // before the request
	updates []model.Update
}

func (g group) has(k model.UpdateKind) bool {
	return slices.ContainsFunc(g.updates, func(u model.Update) bool { return u.Kind == k })
}

// groups lists, for each step, what it does to each entry, in order of keys, supposing that all steps before it have succeeded.
func (d *decoded) groups(steps int) [][]group {
	exists := map[model.Key]bool{}
	for k := range d.plan.Pre {
		exists[k] = true
	}
	out := make([][]group, steps)
	for i := range steps {
		byKey := map[model.Key]*group{}
		for _, u := range d.plan.Steps[i].Updates {
			if u.Kind == model.Scrub {
				continue
			}
			if byKey[u.Key] == nil {
				byKey[u.Key] = &group{key: u.Key, exists: exists[u.Key]}
			}
			byKey[u.Key].updates = append(byKey[u.Key].updates, u)
		}
		for _, k := range slices.SortedFunc(maps.Keys(byKey), model.Key.Compare) {
			g := byKey[k]
			out[i] = append(out[i], *g)
			exists[k] = g.updates[len(g.updates)-1].Kind != model.Delete
		}
	}
	return out
}

// foresee finds the step that is bound to stop the plan, because in every order of its request an update does not find what it
// needs. M6 refutes such a plan; the other properties are about what can happen, and nothing happens after that step.
func (d *decoded) foresee() {
	d.fails, d.stops, d.tried = map[at]bool{}, len(d.plan.Steps), map[model.Key]*history{}
	for _, u := range d.plan.Late {
		if u.Kind != model.Scrub {
			d.tried[u.Key] = nil
		}
	}
	steps := d.groups(len(d.plan.Steps))
	for _, groups := range steps {
		for _, g := range groups {
			if len(g.updates) > 1 && (g.has(model.Insert) || g.has(model.Delete)) {
				d.tried[g.key] = nil
			}
		}
	}
	for k := range d.tried {
		h := d.newHistory(k)
		for i, s := range d.plan.Steps {
			for _, u := range s.Updates {
				if u.Kind != model.Scrub && u.Key == k {
					h.write(i, u)
				}
			}
		}
		h.trace(len(d.plan.Steps), d.lateOf(k))
		d.tried[k] = h
		if i := slices.IndexFunc(h.after, func(vs []int) bool { return len(vs) == 0 }); i > 0 {
			d.stops = min(d.stops, i-1)
		}
	}
	for i, groups := range steps {
		for _, g := range groups {
			if d.tried[g.key] != nil {
				continue
			}
			for _, u := range g.updates {
				if g.exists == (u.Kind == model.Insert) {
					d.fails[at{i, u.Index}] = true
					d.stops = min(d.stops, i)
				}
			}
		}
	}
}

// steps are those that can begin, and, if something may happen late, what comes after them.
func (d *decoded) steps() []model.Step {
	steps := d.plan.Steps[:min(d.stops+1, len(d.plan.Steps))]
	if len(d.plan.Late) > 0 && d.completes() {
		steps = append(slices.Clone(steps), model.Step{})
	}
	return steps
}

// completes says whether all steps may succeed.
func (d *decoded) completes() bool { return d.stops == len(d.plan.Steps) }

// requests is M6 for a page table: every update finds what it needs in every order of its request, and there is room.
func (d *decoded) requests(c specs.Control) []verify.Obligation {
	f := newGround()
	begun := min(d.stops+1, len(d.plan.Steps))
	perStep := make([]struct{ inserts, deletes int64 }, begun)
	for i, groups := range d.groups(begun) {
		for _, g := range groups {
			if g.key.Control != c {
				continue
			}
			h := d.tried[g.key]
			if h != nil { // what it finds depends on the order: all have been tried
				refused := slices.IndexFunc(h.during, func(p phase) bool { return p.refused })
				if refused < 0 {
					refused = len(d.plan.Steps)
				}
				f.prove(f.Lt(f.known(int64(i), "step_%d_%d", g.key.VID, i), f.known(int64(refused), "refused_%d", g.key.VID)))
			}
			was := f.known(number(g.exists), "exists_%d_%d", g.key.VID, i+1)
			n := f.known(int64(len(g.updates)), "updates_%d_%d", g.key.VID, i+1)
			for _, u := range g.updates {
				switch {
				case u.Kind == model.Insert:
					perStep[i].inserts++
				case u.Kind == model.Delete:
					perStep[i].deletes++
				}
				switch {
				case h != nil:
				case u.Kind == model.Insert:
					f.prove(f.Eq(was, f.Int(0)), f.Eq(n, f.Int(1)))
				case u.Kind == model.Delete:
					f.prove(f.Eq(was, f.Int(1)), f.Eq(n, f.Int(1)))
				default: // twice is possible, and leaves open which is the last
					f.prove(f.Eq(was, f.Int(1)))
				}
			}
		}
	}
	var out []verify.Obligation
	if len(f.goals) > 0 {
		out = append(out, f.obligation("M6", fmt.Sprintf("%s/requests", c), fmt.Sprintf("%s: every update finds the entry that it needs, or none", c)))
	}
	entries := int64(0)
	for k := range d.plan.Pre {
		if k.Control == c {
			entries++
		}
	}
	for _, u := range d.plan.Late {
		if u.Kind == model.Insert && u.Key.Control == c {
			entries++
		}
	}
	// A server may apply a request's inserts before its deletes.
	g := newGround()
	have, capacity := g.known(entries, "entries"), g.known(d.plan.Capacity[c], "capacity")
	for i, p := range perStep {
		if p.inserts > 0 {
			g.prove(g.Le(g.Add(have, g.known(p.inserts, "inserts_%d", i+1)), capacity))
		}
		have = g.Add(have, g.Int(p.inserts-p.deletes))
	}
	if len(g.goals) > 0 {
		out = append(out, g.obligation("M6", fmt.Sprintf("%s/capacity", c), fmt.Sprintf("%s: the page table has room for every entry", c)))
	}
	return out
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
