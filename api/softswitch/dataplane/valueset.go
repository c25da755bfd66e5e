package dataplane

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// A ValueSet is a set of values that a parser selects on. Packets see it before or after an update, never half.
type ValueSet struct {
	Name string // in the P4Info
	Size int    // members it has room for
	Keys []Key

	words   int
	members atomic.Pointer[[]prepared]
}

// A prepared match is in the form that packets compare with.
type prepared struct {
	match     []Match
	key, mask []uint64
}

// Members lists the members, one Match per key, not to be changed.
func (v *ValueSet) Members() [][]Match {
	ps := *v.members.Load()
	ms := make([][]Match, len(ps))
	for i := range ps {
		ms[i] = ps[i].match
	}
	return ms
}

// Set replaces all members. It fails with ErrFull.
func (v *ValueSet) Set(members [][]Match) error {
	if len(members) > v.Size {
		return fmt.Errorf("value set %s: %w: it has %d members", v.Name, ErrFull, v.Size)
	}
	ps := make([]prepared, len(members))
	for i, m := range members {
		if len(m) != len(v.Keys) {
			return fmt.Errorf("value set %s: %d values for %d fields: %w", v.Name, len(m), len(v.Keys), ErrRange)
		}
		ps[i] = prepare(v.Keys, v.words, m)
	}
	v.members.Store(&ps)
	return nil
}

// has tells whether the words of a key are in the set.
func (v *ValueSet) has(key []uint64) bool {
	ps := *v.members.Load()
	for i := range ps {
		if matchesAll(v.Keys, ps[i].match, ps[i].key, ps[i].mask, key) {
			return true
		}
	}
	return false
}

// ValueSets lists the program's value sets.
func (p *Pipeline) ValueSets() []*ValueSet { return p.sets }

// valueSet makes, once, what value_set<T>(size) declares.
func (c *compiler) valueSet(d *syntax.ValueSetDecl) *ValueSet {
	o := c.def(d.Name)
	id := c.env.id + "/" + d.Name.Name
	if x, ok := c.bound[id]; ok {
		return x.(*ValueSet)
	}
	set, ok := c.objectType(o).(*types.Set)
	if !ok {
		invalid(d, "%s is no value set", d.Name.Name)
	}
	n, ok := c.constInt(d.Size)
	if !ok || n < 0 || n > maxCells {
		invalid(d, "the size of a value set must be a constant between 0 and %d", maxCells)
	}
	v := &ValueSet{Name: controlPlaneName(d.Annots(), d.Name.Name, c.env.path), Size: int(n)}
	c.claim(d, v, v.Name, id)
	c.valueSetKeys(d, v, set.Elem)
	v.members.Store(&[]prepared{})
	c.bound[id] = v
	c.pipe.sets = append(c.pipe.sets, v)
	return v
}

func (c *compiler) valueSetKeys(d *syntax.ValueSetDecl, v *ValueSet, t types.Type) {
	add := func(name string, t types.Type, kind MatchKind) {
		w, _, ok := widthOf(t)
		if !ok {
			unsupported(d, "a value set of %s", t)
		}
		v.Keys = append(v.Keys, Key{Name: name, Kind: kind, Width: w, off: v.words, words: bitWords(w)})
		v.words += bitWords(w)
	}
	switch s := under(t).(type) {
	case *types.Struct:
		if s.Kind != types.PlainStruct {
			unsupported(d, "a value set of %s", t)
		}
		for _, f := range s.Fields {
			if _, nested := under(f.Type).(*types.Struct); nested {
				c.valueSetKeys(d, v, f.Type)
				continue
			}
			kind := Exact
			if f.Decl != nil {
				kind = matchAnnotation(f.Decl)
			}
			add(f.Name, f.Type, kind)
		}
	case *types.Tuple:
		for _, e := range s.Elems {
			add("", e, Exact)
		}
	default:
		add("", t, Exact)
	}
}

// matchAnnotation is the match kind that @match(kind) gives a field.
func matchAnnotation(f *syntax.Field) MatchKind {
	for _, a := range f.Annotations {
		if a.Name != "match" {
			continue
		}
		var words []string
		for _, t := range a.Body {
			words = append(words, t.Text)
		}
		kind, ok := matchKinds[strings.Join(words, " ")]
		if !ok {
			unsupported(f, "match kind %s", strings.Join(words, " "))
		}
		return kind
	}
	return Exact
}
