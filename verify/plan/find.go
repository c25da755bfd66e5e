package plan

import (
	"fmt"
	"strconv"

	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
)

// instances are all intervals with their shapes, for those who explain.
func (s *stage) instances() []instance {
	var out []instance
	s.sweep(func(x *slice) {
		if inst, ok := s.classify(s.interval(x), s.array); ok {
			out = append(out, inst)
		}
	})
	for _, h := range s.samples {
		out = append(out, s.sample(h))
	}
	return out
}

// found is a shape that occurs in a plan.
type found struct {
	shape  shape
	key    string // shape.String()
	count  int
	places []byte // where, the first few
}

// shownPlaces is how many instances of a shape its subject names.
const shownPlaces = 6

// see counts an instance.
func (f *found) see(d *decoded, a model.Array, x instance) {
	if f.count++; f.count > shownPlaces {
		return
	}
	p := f.places
	if f.count > 1 {
		p = append(p, ", "...)
	}
	p = append(append(p, a.String()...), ' ')
	p = strconv.AppendInt(p, x.lo, 10)
	p = strconv.AppendInt(append(p, ".."...), x.hi-1, 10)
	for i, v := range x.tenants {
		p = append(append(p, [...]string{" (", ", "}[min(i, 1)]...), d.name(v)...)
	}
	if len(x.tenants) > 0 {
		p = append(p, ')')
	}
	f.places = p
}

// where says where the shape occurs: "ingress/0 0..127 (kv), egress/1 512..639 (hh) and 4 more".
func (f *found) where() string {
	if f.count > shownPlaces {
		return fmt.Sprintf("%s and %d more", f.places, f.count-shownPlaces)
	}
	return string(f.places)
}

// find lists the shapes that occur, in the order in which they do.
func (d *decoded) find(stages []*stage) []*found {
	var out []*found
	byKey := map[string]*found{}
	see := func(s *stage, x instance) *found {
		f := byKey[x.key]
		if f == nil {
			f = &found{shape: x.shape, key: x.key}
			byKey[x.key] = f
			out = append(out, f)
		}
		f.see(d, s.array, x)
		return f
	}
	epochs, kinds := d.epochs(), map[string]*found{}
	var key []byte
	for _, s := range stages {
		s.sweep(func(x *slice) {
			key = s.kind(key[:0], x, epochs)
			f, known := kinds[string(key)]
			switch {
			case known && f == nil:
			case known && f.count >= shownPlaces:
				f.count++
			default:
				inst, ok := d.classify(s.interval(x), s.array)
				if !ok {
					kinds[string(key)] = nil
					return
				}
				kinds[string(key)] = see(s, inst)
			}
		})
		left := s.resting
		for _, h := range s.samples {
			if f := byKey[s.rest.key]; f == nil || f.count < shownPlaces {
				see(s, s.sample(h))
				left--
			}
		}
		if left > 0 {
			byKey[s.rest.key].count += left
		}
	}
	return out
}

// shapes proves M1, M2 and M5 once for each shape that occurs.
func (d *decoded) shapes(stages []*stage) []verify.Obligation {
	var out []verify.Obligation
	for _, f := range d.find(stages) {
		id, where := shapeID(f.key), f.where()
		prove := func(property, name, subject string, state func(*world)) {
			o := verify.Obligation{
				ID: property + "/" + name + "/" + id, Property: property, Logic: shapeLogic, Subject: subject + ": " + where,
			}
			o.Text, o.Guard = d.known.texts.of(name+" "+f.key, func() (string, string) {
				w := f.shape.unroll()
				state(w)
				return w.claim.texts()
			})
			out = append(out, o)
		}
		if len(f.shape.rows) > 0 {
			prove("M1", "exclusive", "at most one tenant reaches a slot", (*world).exclusive)
			prove("M2", "clean", "no tenant finds what another left", (*world).clean)
		}
		if f.shape.scrubbed() {
			prove("M5", "scrub", "nothing reachable is scrubbed", (*world).undisturbed)
		}
		if f.shape.kept() {
			prove("M5", "frame", "what a tenant keeps stays where it is", (*world).framed)
		}
	}
	return out
}
