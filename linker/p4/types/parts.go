package types

import "github.com/interlock/interlock/linker/p4/syntax"

// maxParts bounds the scalars that one value is made of. Structs that hold structs grow exponentially with the text; whoever
// walks the parts of a value relies on this bound.
const maxParts = 1 << 16

// partCount counts the scalars in a value of type t, and stops counting past maxParts. It remembers structs.
func (c *checker) partCount(t Type) int {
	if n, ok := c.partCounts[t]; ok {
		return n
	}
	n := 1
	switch t := t.(type) {
	case *Struct:
		n = 0
		for _, f := range t.Fields {
			n = min(n+c.partCount(f.Type), maxParts+1)
		}
		for _, a := range t.Args { // its name is as long as they are
			n = min(n+c.partCount(a), maxParts+1)
		}
		n = max(n, 1)
		c.partCounts[t] = n
	case *Stack:
		n = min(t.Size*c.partCount(t.Elem), maxParts+1)
	case *Tuple:
		n = 0
		for _, e := range t.Elems {
			n = min(n+c.partCount(e), maxParts+1)
		}
	}
	return n
}

// bounded reports a type whose values have too many parts.
func (c *checker) bounded(at syntax.Node, t Type) bool {
	if c.partCount(t) <= maxParts {
		return true
	}
	c.errorf(at, codeBadType, "a value of this type would have more than %d parts", maxParts)
	return false
}
