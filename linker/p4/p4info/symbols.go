package p4info

import (
	"sort"
	"strings"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// kind is the first byte of the ids of one kind of object.
type kind = p4configv1.P4Ids_Prefix

// symbols gives every object its id and alias. Names are collected first, because both depend on all of them.
type symbols struct {
	ids   map[kind]map[string]uint32 // 0: to be computed
	taken map[uint32]bool
	names map[string]bool
	// suffixes counts the distinct names that end in a suffix of whole components.
	suffixes map[string]int
}

func newSymbols() *symbols {
	return &symbols{ids: map[kind]map[string]uint32{}, taken: map[uint32]bool{}, names: map[string]bool{}, suffixes: map[string]int{}}
}

// add enters a name; a second one of the same kind is the same object.
func (s *symbols) add(k kind, name string) bool {
	if s.ids[k] == nil {
		s.ids[k] = map[string]uint32{}
	}
	if _, ok := s.ids[k][name]; ok {
		return false
	}
	s.ids[k][name] = 0
	if !s.names[name] {
		s.names[name] = true
		for _, suffix := range suffixesOf(name) {
			s.suffixes[suffix]++
		}
	}
	return true
}

// fix gives a name the id that its @id asks for, and reports whether nobody else has it.
func (s *symbols) fix(k kind, name string, id uint32) bool {
	if s.taken[id] {
		return false
	}
	s.taken[id] = true
	s.ids[k][name] = id
	return true
}

// assign computes the ids that no @id fixed: by kind, then by name, the first free one from the name's hash on.
func (s *symbols) assign() {
	kinds := make([]kind, 0, len(s.ids))
	for k := range s.ids {
		kinds = append(kinds, k)
	}
	sort.Slice(kinds, func(i, j int) bool { return kinds[i] < kinds[j] })
	for _, k := range kinds {
		names := make([]string, 0, len(s.ids[k]))
		for name, id := range s.ids[k] {
			if id == 0 {
				names = append(names, name)
			}
		}
		sort.Strings(names)
		for _, name := range names {
			h := jenkins(name)
			id := uint32(k)<<24 | h&0xffffff
			for s.taken[id] {
				h++
				id = uint32(k)<<24 | h&0xffffff
			}
			s.taken[id] = true
			s.ids[k][name] = id
		}
	}
}

func (s *symbols) id(k kind, name string) uint32 { return s.ids[k][name] }

// alias is the shortest suffix of whole components that no other name ends in.
func (s *symbols) alias(name string) string {
	all := suffixesOf(name)
	for _, suffix := range all {
		if s.suffixes[suffix] < 2 {
			return suffix
		}
	}
	return name
}

// suffixesOf lists the suffixes of whole components, shortest first.
func suffixesOf(name string) []string {
	parts := strings.Split(name, ".")
	var r []string
	for i := len(parts) - 1; i >= 0; i-- {
		r = append(r, strings.Join(parts[i:], "."))
	}
	return r
}

// jenkins is Bob Jenkins's one-at-a-time hash.
func jenkins(s string) uint32 {
	var h uint32
	for i := range len(s) {
		h += uint32(s[i])
		h += h << 10
		h ^= h >> 6
	}
	h += h << 3
	h ^= h >> 11
	h += h << 15
	return h
}

// register enters an object and its @id, if it has one.
func (g *generator) register(k kind, name string, at syntax.Node, annots []*syntax.Annotation) {
	if !g.syms.add(k, name) {
		return
	}
	id, ok := g.idAnnotation(annots)
	if !ok {
		return
	}
	if p := id >> 24; p != 0 && p != uint32(k) {
		g.errorf(at, codeID, "@id %#x has the prefix of another kind of object", id)
		return
	}
	if id&0xffffff == 0 {
		g.errorf(at, codeID, "@id 0 is not an id")
		return
	}
	if !g.syms.fix(k, name, uint32(k)<<24|id&0xffffff) {
		g.errorf(at, codeID, "@id %#x is used twice", id)
	}
}

// fieldIDs numbers the parts of an object: keys, parameters, fields. An @id wins; the rest count from 1.
func (g *generator) fieldIDs(n int, annots func(i int) []*syntax.Annotation) []uint32 {
	ids := make([]uint32, n)
	taken := map[uint32]bool{}
	for i := range n {
		as := annots(i)
		id, ok := g.idAnnotation(as)
		if !ok {
			continue
		}
		if id == 0 || taken[id] {
			g.errorf(find(as, "id"), codeID, "@id %d is 0 or used twice", id)
			continue
		}
		taken[id] = true
		ids[i] = id
	}
	next := uint32(1)
	for i := range n {
		if ids[i] != 0 {
			next++
			continue
		}
		for taken[next] {
			next++
		}
		ids[i] = next
		taken[next] = true
	}
	return ids
}
