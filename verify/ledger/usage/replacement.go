package usage

import (
	"errors"
	"fmt"
	"maps"

	"github.com/interlock/interlock/verify/ledger/check"
	"github.com/interlock/interlock/verify/replace"
)

// given is what tenants hold when a replacement has been carried out to its end.
type given struct {
	tables  held
	tenants map[uint16]string
	unknown string // why it is not known

	before *onSwitch // that it replaces, as known when its first attempt was decided; without known: not known
}

// give notes what a replacement gives to whom.
func (r *reader) give(e check.Entry) error {
	d := e.Decision
	b, err := r.log.Blob(d.Inputs[replace.OutlineFile])
	if err != nil {
		return err
	}
	outline, err := replace.Outline(b)
	if err != nil {
		return err
	}
	g := given{tenants: map[uint16]string{}, before: r.given[string(outline.Continues)].before}
	for _, t := range outline.Tenants {
		if t.VID != 0 {
			g.tenants[t.VID] = t.Name
		}
	}
	if outline.Continues == "" {
		s := *r.on(d.Switch)
		s.tables = maps.Clone(s.tables)
		g.before = &s
	}
	if g.tables, err = r.restored(d); errors.Is(err, check.ErrRedacted) {
		if g.before != nil && g.before.known {
			g.tables, err = g.before.kept(outline), nil
		} else {
			g.unknown, err = "a replacement gave back what tenants had held, and what that was only what the export leaves out tells", nil
		}
	}
	if err != nil {
		return fmt.Errorf("replacement: %w", err)
	}
	r.given[e.Digest] = g
	return nil
}

// restored is what a replacement writes into page tables, read from its inputs.
func (r *reader) restored(d *check.Decision) (held, error) {
	if d.Inputs["old.p4"].Size == 0 {
		return held{}, nil // the first program
	}
	inputs := map[string][]byte{}
	for name, ref := range d.Inputs {
		var err error
		if inputs[name], err = r.log.Blob(ref); err != nil {
			return nil, err
		}
	}
	in, err := replace.FromInputs(inputs)
	if err != nil {
		return nil, err
	}
	goal, err := r.replacements.Goal(in)
	if err != nil {
		return nil, err
	}
	tables := held{}
	for _, x := range goal {
		tables.add(fmt.Sprintf("%s/%d", x.Control, x.Stage), x.VID, x.Size)
	}
	return tables, nil
}

// kept is what is given back of what is held: to tenants whose program stays and who are let in, all but what is said to be lost.
func (s *onSwitch) kept(outline *replace.Input) held {
	lost := map[replace.Loss]bool{}
	for _, l := range outline.Lost {
		if array, memory := l.Memory(); memory {
			lost[replace.Loss{Tenant: l.Tenant, Object: array}] = true
		}
	}
	tables := held{}
	for _, t := range outline.Tenants {
		if t.Fate != replace.Retained || !t.Admitted {
			continue
		}
		for p, slots := range s.tables {
			if p.vid == t.OldVID && !lost[replace.Loss{Tenant: t.Name, Object: p.array}] {
				tables.add(p.array, t.VID, slots)
			}
		}
	}
	return tables
}
