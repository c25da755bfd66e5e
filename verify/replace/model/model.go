// Package model is the reference model of a replacement: small, obvious, and without formulas or bytes. It carries out steps as a switch
// may (the updates of a request in any order, an end at any point), lets packets of whoever is admitted come in between, and says what
// they should not have found. It shares nothing with package replace; tests hold the two against each other.
package model

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// A Cell is one thing that lasts: an entry, a stage of a page-table entry, a count, a slot.
type Cell struct {
	Tenant string // whose; empty: the system's
	Object string
	Key    string
}

func (c Cell) String() string { return fmt.Sprintf("%s %s[%s]", c.Tenant, c.Object, c.Key) }

// An Update writes a cell, or admits a tenant.
type Update struct {
	Cell  Cell
	Value string
	Admit string // a tenant; the rest is empty
}

// A Step is the commit of the new program, or a request with updates.
type Step struct {
	Commit  bool
	Updates []Update
}

// A Plan is a replacement.
type Plan struct {
	Before   map[Cell]string // what the closed switch held
	Declared map[Cell]string // what the new program has by itself
	// Lost are the cells whose content was announced as lost, with what is to be there instead; empty: nothing.
	Lost     map[Cell]string
	Admitted []string // who is in when all is done
	Steps    []Step
}

// A run is one way that things can go.
type run struct {
	plan     *Plan
	rnd      *rand.Rand
	holds    map[Cell]string // the switch
	expected map[Cell]string // what packets must find
	admitted map[string]bool
	packets  int
}

// Violations tries out random orders, ends and packets, and returns the first thing that goes wrong; empty if nothing did.
func Violations(p *Plan, rnd *rand.Rand, tries int) string {
	for range tries {
		r := &run{plan: p, rnd: rnd, holds: maps.Clone(p.Before), expected: p.expected(), admitted: map[string]bool{}}
		if v := r.carryOut(rnd.IntN(3) > 0); v != "" {
			return v
		}
	}
	return ""
}

// expected is what the switch must hold when anybody is admitted.
func (p *Plan) expected() map[Cell]string {
	want := maps.Clone(p.Declared)
	for c, v := range p.Before {
		if instead, lost := p.Lost[c]; !lost {
			want[c] = v
		} else if instead != "" {
			want[c] = instead
		}
	}
	return want
}

func (r *run) carryOut(whole bool) string {
	end := len(r.plan.Steps)
	if !whole {
		end = r.rnd.IntN(end + 1)
	}
	for i, s := range r.plan.Steps[:end] {
		if s.Commit {
			r.holds, r.admitted = maps.Clone(r.plan.Declared), map[string]bool{}
		}
		for _, n := range r.rnd.Perm(len(s.Updates)) {
			u := s.Updates[n]
			if u.Admit != "" {
				r.admitted[u.Admit] = true
			} else {
				r.holds[u.Cell] = u.Value
			}
			if v := r.look(); v != "" {
				return fmt.Sprintf("in step %d: %s", i+1, v)
			}
			if !whole && i == end-1 && r.rnd.IntN(len(s.Updates)) == 0 {
				return "" // it ends here
			}
		}
	}
	if got, want := slices.Sorted(maps.Keys(r.admitted)), slices.Sorted(slices.Values(r.plan.Admitted)); whole && !slices.Equal(got, want) {
		return fmt.Sprintf("in the end %v are admitted, not %v", got, want)
	}
	return ""
}

// look is what happens between two updates: if anybody is admitted, everything must be there, for everybody; then packets come.
func (r *run) look() string {
	if len(r.admitted) == 0 {
		return ""
	}
	for _, c := range slices.SortedFunc(maps.Keys(r.expected), compare) {
		if r.holds[c] != r.expected[c] {
			return fmt.Sprintf("%v are admitted while %v is %q, not %q", slices.Sorted(maps.Keys(r.admitted)), c, r.holds[c], r.expected[c])
		}
	}
	for c, v := range r.holds {
		if _, ok := r.expected[c]; !ok {
			return fmt.Sprintf("%v are admitted while %v is %q, and was nothing", slices.Sorted(maps.Keys(r.admitted)), c, v)
		}
	}
	for _, c := range slices.SortedFunc(maps.Keys(r.holds), compare) {
		if r.admitted[c.Tenant] && r.rnd.IntN(8) == 0 { // the tenant's packets change what is theirs
			r.packets++
			r.holds[c] = fmt.Sprintf("written by packet %d", r.packets)
			r.expected[c] = r.holds[c]
		}
	}
	return ""
}

func compare(a, b Cell) int {
	return slices.Compare([]string{a.Tenant, a.Object, a.Key}, []string{b.Tenant, b.Object, b.Key})
}
