package smt

import "fmt"

// A Renaming puts variables in the place of others, everywhere in a term. It remembers what it has renamed, so that terms which share
// their parts cost as much as their graph.
type Renaming struct {
	to   map[*Term]*Term
	done map[*Term]*Term
}

// NewRenaming returns the renaming of the keys of to, which are variables, to their values, which are variables of the same sort.
func NewRenaming(to map[*Term]*Term) *Renaming {
	for from, v := range to {
		if from.op != OpVar || v.op != OpVar || from.sort != v.sort || from.b != v.b {
			panic(fmt.Sprintf("smt: %s cannot be renamed to %s", from.head(), v.head()))
		}
	}
	return &Renaming{to, map[*Term]*Term{}}
}

// Of returns t renamed; that is t itself if none of the variables is in it. Terms with quantifiers are not renamed: it panics.
func (r *Renaming) Of(t *Term) *Term {
	if to, ok := r.to[t]; ok {
		return to
	}
	if len(t.args) == 0 {
		return t
	}
	if n, ok := r.done[t]; ok {
		return n
	}
	if t.quantified {
		panic("smt: a quantifier is renamed")
	}
	n := t
	for i, a := range t.args {
		b := r.Of(a)
		if b == a {
			continue
		}
		if n == t {
			c := *t
			c.args = append([]*Term(nil), t.args...)
			n = &c
		}
		n.args[i] = b
	}
	if n != t {
		n = t.b.intern(*n)
	}
	r.done[t] = n
	return n
}
