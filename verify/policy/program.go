package policy

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/interlock/interlock/linker/p4"
	"github.com/interlock/interlock/linker/p4/types"
	"github.com/interlock/interlock/linker/resources"
	sharing "github.com/interlock/interlock/policy"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// This file is P8: what each tenant's part of a linked program takes of the pipeline is measured again, on the printed text, and that, not
// what the linker says it is, has to be admitted by the policy and, with the system program, to fit the target.

// ErrUsage is wrapped when recorded amounts are not those of the program.
var ErrUsage = errors.New("the program does not use what is said")

// ForProgram is the admission of what the tenants' parts of a linked program take of a target, under p. Of the tenants only what the policy
// may read beside amounts counts.
func ForProgram(p *sharing.Policy, linked, target []byte, tenants []sharing.Tenant) (*Admission, error) {
	a := NewAdmission(p, slices.Clone(tenants), nil, nil, nil)
	a.Linked, a.Target = linked, target
	m, err := a.measure(p)
	if err != nil {
		return nil, err
	}
	a.Capacity = maps.Clone(m.capacity) // what is remembered stays as it was measured, whatever becomes of a
	for i, t := range a.Tenants {
		use := m.parts[t.Name]
		a.Tenants[i] = t.Inelastic(maps.Clone(use))
		a.Floors, a.Ceilings = append(a.Floors, maps.Clone(use)), append(a.Ceilings, maps.Clone(use))
	}
	return a, nil
}

// measurement is what a program takes of a target.
type measurement struct {
	of              string // all that it depends on
	target          *resources.Target
	info            *types.Info
	layout          *resources.Layout
	capacity        sharing.Resources
	parts           map[string]sharing.Resources
	stagesThatCount bool
}

// measure remembers what it measured last: a program of many tenants takes a while.
func (a *Admission) measure(p *sharing.Policy) (*measurement, error) {
	var names []string
	for _, t := range a.Tenants {
		names = append(names, t.Name)
	}
	of := fmt.Sprint(verify.DigestOf(a.Linked), verify.DigestOf(a.Target), p.ByStage(), names)
	if a.last == nil || a.last.of != of {
		m, err := a.measureAgain(p, names)
		if err != nil {
			return nil, err
		}
		m.of = of
		a.last = m
	}
	return a.last, nil
}

func (a *Admission) measureAgain(p *sharing.Policy, names []string) (*measurement, error) {
	target, err := resources.Parse(inputTarget, a.Target)
	if err != nil {
		return nil, err
	}
	info, diags := p4.Load(inputLinked, a.Linked)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	m := &measurement{target: target, info: info, layout: resources.Lay(info, target, names), stagesThatCount: p.ByStage()}
	capacity, parts := m.layout.Shared(target, p.ByStage())
	m.capacity, m.parts = sharing.Resources(capacity), map[string]sharing.Resources{}
	for t, u := range parts {
		m.parts[t] = sharing.Resources(u)
	}
	return m, nil
}

// measured holds what is recorded against the program.
func (a *Admission) measured(p *sharing.Policy) error {
	if len(a.Before) > 0 {
		return fmt.Errorf("%w: no epoch ends where a program is looked at", ErrUsage)
	}
	m, err := a.measure(p)
	if err != nil {
		return err
	}
	differs := func(of string, said, is sharing.Resources) error {
		names := maps.Clone(said)
		maps.Copy(names, is)
		for _, r := range slices.Sorted(maps.Keys(names)) {
			if said[r] != is[r] {
				return fmt.Errorf("%w: %s: %s is %d, not %d", ErrUsage, of, r, is[r], said[r])
			}
		}
		return nil
	}
	if err := differs("the target", a.Capacity, m.capacity); err != nil {
		return err
	}
	for i, t := range a.Tenants {
		use := m.parts[t.Name]
		for _, said := range []sharing.Resources{a.Floors[i], a.Ceilings[i], total(t.Demand)} {
			if err := differs("tenant "+t.Name, said, use); err != nil {
				return err
			}
		}
		if want := t.Inelastic(use); !reflect.DeepEqual(t.Min, want.Min) || t.Max != nil || len(t.Demand) != 1 {
			return fmt.Errorf("%w: tenant %s: all of it is one quantum", ErrUsage, t.Name)
		}
	}
	return nil
}

// Uses holds what somebody else says of the tenants' parts in total, by tenant and resource, against the program.
func (a *Admission) Uses(said map[string]map[string]int64) error {
	for i, t := range a.Tenants {
		for _, r := range slices.Sorted(maps.Keys(a.Floors[i])) {
			if n := a.Floors[i][r]; !strings.Contains(r, "/") && n != said[t.Name][r] {
				return fmt.Errorf("%w: tenant %s: %s is %d, not %d", ErrUsage, t.Name, r, n, said[t.Name][r])
			}
		}
	}
	return nil
}

// whole says that the program as a whole fits the target, the system's part with it.
func (a *Admission) whole(s *state) (verify.Obligation, error) {
	m, err := a.measure(s.policy)
	if err != nil {
		return verify.Obligation{}, err
	}
	has, used := maps.Clone(m.target.Capacity), resources.Measure(m.info)
	if m.stagesThatCount {
		for i, u := range m.layout.Stages {
			for r, n := range u {
				used[resources.StageName(r, i)] = n
			}
		}
		maps.Copy(has, m.target.Shared(len(m.layout.Stages)))
	}
	const logic = "QF_LIA"
	var defs []smt.Definition
	known := func(name string, n int64) *smt.Term {
		v := s.b.Var(name, smt.Int)
		defs = append(defs, smt.Definition{Name: v, Value: s.b.Int(n)})
		return v
	}
	var all []*smt.Term
	for _, r := range slices.Sorted(maps.Keys(used)) {
		all = append(all, s.b.Le(known("linked "+r, used[r]), known("capacity "+r, has[r])))
	}
	return verify.Obligation{
		ID: "Y/target", Property: "Y", Subject: "the linked program fits the target", Logic: logic,
		Text: smt.ScriptWith(logic, defs, s.b.Not(s.b.And(all...))),
	}, nil
}

// asP8 names obligations after the property that they are for a program.
func asP8(obligations []verify.Obligation) {
	for i := range obligations {
		o := &obligations[i]
		o.ID, o.Property = "P8"+strings.TrimPrefix(o.ID, "Y"), "P8"
	}
}
