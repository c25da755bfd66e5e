package plan

import (
	"cmp"
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

// group lists, for each step, what it does to each entry, in order of keys, supposing that all steps before it have succeeded.
func (d *decoded) group() [][]group {
	written := map[model.Key]bool{} // whether there is an entry, where it was written before
	exists := func(k model.Key) bool {
		there, known := written[k]
		if !known {
			_, there = d.pre.get(k)
		}
		return there
	}
	out := make([][]group, len(d.steps))
	for i, s := range d.steps {
		us := slices.Clone(s.entries)
		slices.SortStableFunc(us, func(a, b model.Update) int { return a.Key.Compare(b.Key) })
		for len(us) > 0 {
			k, n := us[0].Key, 1
			for n < len(us) && us[n].Key == k {
				n++
			}
			out[i] = append(out[i], group{key: k, exists: exists(k), updates: us[:n:n]})
			written[k] = us[n-1].Kind != model.Delete
			us = us[n:]
		}
	}
	return out
}

// foresee finds the step that is bound to stop the plan, because in every order of its request an update does not find what it
// needs. M6 refutes such a plan; the other properties are about what can happen, and nothing happens after that step.
func (d *decoded) foresee() {
	d.fails, d.stops, d.tried = map[at]bool{}, len(d.steps), map[model.Key]*history{}
	for _, u := range d.late.entries {
		d.tried[u.Key] = nil
	}
	d.groups = d.group()
	for _, groups := range d.groups {
		for _, g := range groups {
			if len(g.updates) > 1 && (g.has(model.Insert) || g.has(model.Delete)) {
				d.tried[g.key] = nil
			}
		}
	}
	for k := range d.tried {
		h := d.newHistory(k)
		for i, s := range d.steps {
			for _, u := range s.entries {
				if u.Key == k {
					h.write(i, u)
				}
			}
		}
		d.trace(h, len(d.steps))
		d.tried[k] = h
		if i := slices.IndexFunc(h.after, func(vs []int) bool { return len(vs) == 0 }); i > 0 {
			d.stops = min(d.stops, i-1)
		}
	}
	for i, groups := range d.groups {
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

// begun are the steps that can begin, and, if something may happen late, what comes after them.
func (d *decoded) begun() []request {
	steps := d.steps[:min(d.stops+1, len(d.steps))]
	if d.late.updates > 0 && d.completes() {
		steps = append(slices.Clone(steps), request{})
	}
	return steps
}

// completes says whether all steps may succeed.
func (d *decoded) completes() bool { return d.stops == len(d.steps) }

// requests is M6 for what the requests need: every update finds its entry, or none, in every order of its request, and there is room.
// How many entries are in the same case does not matter, so each case is stated once.
func (d *decoded) requests() []verify.Obligation {
	type need struct {
		kind            model.UpdateKind
		exists, updates int
	}
	needs := map[need]bool{}
	type tried struct {
		at int
		group
	}
	var tries []tried
	perStep := map[specs.Control][]struct{ inserts, deletes int64 }{}
	groups := d.groups[:min(d.stops+1, len(d.steps))]
	for _, c := range d.controls() {
		perStep[c] = make([]struct{ inserts, deletes int64 }, len(groups))
	}
	for i, gs := range groups {
		for _, g := range gs {
			h := d.tried[g.key]
			if h != nil { // what it finds depends on the order: all have been tried
				tries = append(tries, tried{i, g})
			}
			n := &perStep[g.key.Control][i]
			for _, u := range g.updates {
				switch u.Kind {
				case model.Insert:
					n.inserts++
				case model.Delete:
					n.deletes++
				}
				if h == nil {
					needs[need{u.Kind, number(g.exists), len(g.updates)}] = true
				}
			}
		}
	}
	all := slices.SortedFunc(maps.Keys(needs), func(a, b need) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.exists, b.exists), cmp.Compare(a.updates, b.updates))
	})
	write := func() (string, string) {
		f := newGround()
		for _, t := range tries {
			refused := slices.IndexFunc(d.tried[t.key].during, func(p phase) bool { return p.refused })
			if refused < 0 {
				refused = len(d.steps)
			}
			f.prove(f.Lt(f.known(int64(t.at), "step_%s_%d_%d", t.key.Control, t.key.VID, t.at), f.known(int64(refused), "refused_%s_%d", t.key.Control, t.key.VID)))
		}
		for _, x := range all {
			name := fmt.Sprintf("%v_%d_%d", x.kind, x.exists, x.updates)
			exists, updates := f.known(int64(x.exists), "exists_%s", name), f.known(int64(x.updates), "updates_%s", name)
			switch x.kind {
			case model.Insert:
				f.prove(f.Eq(exists, f.Int(0)), f.Eq(updates, f.Int(1)))
			case model.Delete:
				f.prove(f.Eq(exists, f.Int(1)), f.Eq(updates, f.Int(1)))
			default: // twice is possible, and leaves open which is the last
				f.prove(f.Eq(exists, f.Int(1)))
			}
		}
		return f.texts()
	}
	var out []verify.Obligation
	if len(tries)+len(all) > 0 {
		o := verify.Obligation{ID: "M6/requests", Property: "M6", Logic: groundLogic, Subject: "every update finds the entry that it needs, or none"}
		if len(tries) > 0 {
			o.Text, o.Guard = write()
		} else {
			o.Text, o.Guard = d.known.texts.of(fmt.Sprint("requests ", all), write)
		}
		out = append(out, o)
	}
	// A server may apply a request's inserts before its deletes.
	g := newGround()
	for _, c := range d.controls() {
		entries := int64(len(d.pre.of(c).vids))
		for _, u := range d.late.entries {
			if u.Kind == model.Insert && u.Key.Control == c {
				entries++
			}
		}
		have := g.Int(entries)
		for i, p := range perStep[c] {
			if p.inserts > 0 {
				g.prove(g.Le(g.Add(have, g.known(p.inserts, "inserts_%s_%d", c, i+1)), g.known(d.plan.Capacity[c], "capacity_%s", c)))
			}
			have = g.Add(have, g.Int(p.inserts-p.deletes))
		}
	}
	if len(g.goals) > 0 {
		out = append(out, g.obligation("M6", "capacity", "the page tables have room for every entry"))
	}
	return out
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
