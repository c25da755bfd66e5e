package dataplane

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// A keyset is one component of a select case or table entry.
type keyset struct {
	any  bool
	kind keysetKind
	a, b []uint64 // value; value under mask and mask; low and high bound
	set  *ValueSet
}

type keysetKind int

const (
	keyValue keysetKind = iota
	keyMask
	keyRange
	keySet
)

// keyset evaluates a constant keyset for a key of that width.
func (c *compiler) keyset(e syntax.Expr, width int) keyset {
	n := bitWords(width)
	num := func(e syntax.Expr) []uint64 {
		v, ok := c.number(e)
		if !ok {
			unsupported(e, "a keyset that is not constant")
		}
		all := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(width)), big.NewInt(1))
		return bigWords(new(big.Int).And(v, all), n)
	}
	switch x := e.(type) {
	case *syntax.Name:
		if set := c.valueSetOf(x); set != nil {
			if set.words != n {
				invalid(e, "value set %s has other fields than what is selected on", set.Name)
			}
			return keyset{kind: keySet, set: set}
		}
	case *syntax.DefaultExpr, *syntax.DontCare:
		return keyset{any: true}
	case *syntax.Paren:
		return c.keyset(x.X, width)
	case *syntax.Binary:
		switch x.Op {
		case "&&&":
			s := keyset{kind: keyMask, a: num(x.X), b: num(x.Y)}
			zero := true
			for i := range s.a {
				s.a[i] &= s.b[i]
				zero = zero && s.b[i] == 0
			}
			s.any = zero
			return s
		case "..":
			return keyset{kind: keyRange, a: num(x.X), b: num(x.Y)}
		}
	}
	return keyset{kind: keyValue, a: num(e)}
}

// valueSetOf is the value set that e names, or nil.
func (c *compiler) valueSetOf(e syntax.Expr) *ValueSet {
	n, ok := e.(*syntax.Name)
	if !ok {
		return nil
	}
	o := c.info.Uses[n.Ident]
	if o == nil || o.Kind != types.ValueSetObject {
		return nil
	}
	if b := c.lookup(o); b != nil {
		if v, ok := b.object.(*ValueSet); ok {
			return v
		}
	}
	if d, ok := o.Decl.(*syntax.ValueSetDecl); ok && o.Parent == nil {
		saved := c.env
		c.env = &env{names: map[*types.Object]*binding{}}
		defer func() { c.env = saved }()
		return c.valueSet(d)
	}
	invalid(e, "%s is not declared here", n.Ident.Name)
	return nil
}

// matches compares the words of a key.
func (s *keyset) matches(v []uint64) bool {
	if s.any {
		return true
	}
	if s.kind == keySet {
		return s.set.has(v[:s.set.words])
	}
	v = v[:len(s.a)]
	switch s.kind {
	case keyMask:
		for i := range s.a {
			if v[i]&s.b[i] != s.a[i] {
				return false
			}
		}
		return true
	case keyRange:
		return wideCompare(v, s.a) >= 0 && wideCompare(v, s.b) <= 0
	}
	return wideEqual(s.a, v)
}
