package network

import (
	"maps"
	"slices"

	"github.com/interlock/interlock/verify/plan"
	"github.com/interlock/interlock/verify/plan/model"
)

// decoded is what the bytes of a network plan say.
type decoded struct {
	in       *Input
	places   []*place
	names    map[uint16]string // of VIDs, for people
	ceilings map[uint16]int64
	absent   map[uint16]int64 // what tenants hold on absent switches
}

// place is a switch, with what may become of each page-table entry.
type place struct {
	name    string
	plan    *plan.Input
	entries *plan.Entries
	courses map[model.Key]*course
}

// course is what a page-table entry may be, round by round; an entry that is not there is nil.
type course struct {
	states [][]model.Entry    // by round: all that it may be from the round's beginning to its end
	moves  [][][2]model.Entry // by round: from what to what the plan's steps take it
	final  []model.Entry      // what it may be when all rounds are done
	writes bool               // some step, or late request, writes it
}

// decode reads a network plan.
func decode(in *Input, e *plan.Encoder) (*decoded, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	d := &decoded{in: in, names: map[uint16]string{}, ceilings: map[uint16]int64{}, absent: map[uint16]int64{}}
	for _, c := range in.Ceilings {
		d.ceilings[c.VID] = c.Slots
	}
	for _, a := range in.Absent {
		for _, h := range a.Holds {
			d.absent[h.VID] += h.Slots
		}
	}
	for _, p := range in.Plans {
		x, err := e.Entries(p)
		if err != nil {
			return nil, inputf("switch %s: %w", p.Switch, err)
		}
		if len(x.Steps) != len(p.Steps) {
			return nil, inputf("switch %s: %d steps were decoded of %d", p.Switch, len(x.Steps), len(p.Steps))
		}
		for _, t := range p.Tenants {
			d.names[t.VID] = t.Name
		}
		d.places = append(d.places, &place{name: p.Switch, plan: p, entries: x})
	}
	for _, p := range d.places {
		p.trace(in.Rounds)
	}
	return d, nil
}

// trace finds out what every entry may be when. That a step has succeeded means that all its updates were carried out: an update that
// finds no entry, or one too many, is refused, and then the switch stays where it is.
func (p *place) trace(rounds []Round) {
	p.courses = map[model.Key]*course{}
	late := map[model.Key][]model.Entry{}
	get := func(k model.Key) *course {
		if p.courses[k] == nil {
			p.courses[k] = &course{final: []model.Entry{p.entries.Pre[k]}}
		}
		return p.courses[k]
	}
	for k := range p.entries.Pre {
		get(k)
	}
	for _, us := range p.entries.Steps {
		for _, u := range us {
			get(u.Key).writes = true
		}
	}
	for _, u := range p.entries.Late {
		late[u.Key] = append(late[u.Key], u.Entry)
		c := get(u.Key)
		c.writes, c.final = true, distinct(append(c.final, u.Entry))
	}
	step := 0
	for _, r := range rounds {
		n := 0
		if i := slices.IndexFunc(r, func(x Part) bool { return x.Switch == p.name }); i >= 0 {
			n = r[i].Steps
		}
		writes := map[model.Key][][]model.Entry{} // of each step that writes the entry
		for _, us := range p.entries.Steps[step : step+n] {
			byKey := map[model.Key][]model.Entry{}
			for _, u := range us {
				byKey[u.Key] = append(byKey[u.Key], u.Entry)
			}
			for k, es := range byKey {
				writes[k] = append(writes[k], es)
			}
		}
		step += n
		for k, c := range p.courses {
			c.round(writes[k], late[k])
		}
	}
}

// round goes through one round.
func (c *course) round(writes [][]model.Entry, late []model.Entry) {
	states, moves := slices.Clone(c.final), [][2]model.Entry(nil)
	for _, es := range writes {
		for i, e := range es {
			for _, from := range c.final {
				moves = append(moves, [2]model.Entry{from, e})
			}
			for j, other := range es { // in one request, in any order
				if i != j {
					moves = append(moves, [2]model.Entry{other, e})
				}
			}
		}
		c.final = distinct(append(slices.Clone(es), late...))
		states = append(states, c.final...)
	}
	c.states, c.moves = append(c.states, distinct(states)), append(c.moves, moves)
}

func distinct(es []model.Entry) []model.Entry {
	var out []model.Entry
	for _, e := range es {
		if !slices.ContainsFunc(out, func(o model.Entry) bool { return slices.Equal(o, e) && (o == nil) == (e == nil) }) {
			out = append(out, e)
		}
	}
	return out
}

// keys are those of a tenant, in order.
func (p *place) keys(vid uint16) []model.Key {
	var out []model.Key
	for k := range p.courses {
		if uint16(k.VID) == vid {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, model.Key.Compare)
	return out
}

// written are the VIDs whose entries some plan writes, in order.
func (d *decoded) written() []uint16 {
	seen := map[uint16]bool{}
	for _, p := range d.places {
		for k, c := range p.courses {
			if c.writes {
				seen[uint16(k.VID)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
