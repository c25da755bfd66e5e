package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/smt"
)

// M5 says of generations: they change by one exactly when content is lost, and an extent under the old one shows nothing but what it
// showed before the plan. How the numbers of an extent lie to each other is all that this depends on, so it is decided once for each way in
// which they do, for any numbers: a pattern.

// pattern is how an extent's numbers lie to each other: before the plan, in the goal, and in each version.
type pattern struct {
	fresh    bool // there was no entry: any generation may be the first, but there is one
	wanted   bool // the goal has an entry
	none     bool // it had no slot before
	sameBase bool // as the goal's
	fits     bool // size before <= goal's
	versions []patternVersion
}

// patternVersion is how a version's extent lies to those.
type patternVersion struct {
	written  bool // by the plan: not what was there before
	none     bool // it has no slot
	sameBase bool // as before
	fits     bool // size <= that before
	isOld    bool // generation is that before
	isGoal   bool // generation is the goal's
	isNext   bool // generation is that before, and one more
	final    bool // it may be the last
}

// patterns proves M5 for generations, once for each pattern.
func (d *decoded) patterns(stages []*stage) []verify.Obligation {
	type seen struct {
		pattern pattern
		count   int
		where   string
	}
	found := map[string]*seen{}
	var order []string
	var key []byte
	for _, s := range stages {
		for _, h := range s.pages.changed {
			p, ok := s.pattern(h)
			if !ok {
				continue
			}
			key = p.append(key[:0])
			x := found[string(key)]
			if x == nil {
				x = &seen{pattern: p}
				found[string(key)] = x
				order = append(order, string(key))
			}
			if x.count++; x.count <= shownPlaces {
				x.where += fmt.Sprintf(", %s in %v", d.name(h.key.VID), s.array)
			}
		}
	}
	var out []verify.Obligation
	for _, k := range order {
		x := found[k]
		where := strings.TrimPrefix(x.where, ", ")
		if x.count > shownPlaces {
			where += fmt.Sprintf(" and %d more", x.count-shownPlaces)
		}
		hash := sha256.Sum256([]byte(k))
		o := verify.Obligation{
			ID: "M5/generation/" + hex.EncodeToString(hash[:6]), Property: "M5", Logic: shapeLogic,
			Subject: "generations change exactly when content is lost: " + where,
		}
		o.Text, o.Guard = d.known.texts.of("generation "+k, func() (string, string) { return x.pattern.claim().texts() })
		out = append(out, o)
	}
	return out
}

// pattern reads off how the numbers of an entry lie in this stage; false if nothing changes.
func (s *stage) pattern(h *history) (pattern, bool) {
	k, wanted := s.array.Stage, h.wanted
	pre, goal := h.extent(0, k), extentOf(h.goal, k)
	p := pattern{fresh: h.versions[0].entry == nil, wanted: wanted}
	if p.fresh && !wanted || !p.fresh && wanted && goal == pre && h.constant(k) {
		return p, false
	}
	if !p.fresh {
		p.none, p.sameBase, p.fits = pre.Size == 0, pre.Base == goal.Base, pre.Size <= goal.Size
	}
	final := []int(nil)
	if s.completes() {
		final = h.final()
	}
	for n := range h.versions {
		if h.versions[n].entry == nil {
			continue
		}
		x := h.extent(n, k)
		v := patternVersion{written: n > 0, isGoal: wanted && x.Generation == goal.Generation}
		if !p.fresh {
			v.none, v.sameBase, v.fits = x.Size == 0, x.Base == pre.Base, x.Size <= pre.Size
			v.isOld, v.isNext = x.Generation == pre.Generation, x.Generation == pre.Generation+1
			v.final = slices.Contains(final, n)
		}
		if !slices.Contains(p.versions, v) {
			p.versions = append(p.versions, v)
		}
	}
	return p, true
}

// append writes the pattern as bytes that tell it from others.
func (p *pattern) append(b []byte) []byte {
	bits := func(bs ...bool) {
		x := byte(0)
		for _, b := range bs {
			x = x<<1 | byte(number(b))
		}
		b = append(b, x)
	}
	bits(p.fresh, p.wanted, p.none, p.sameBase, p.fits)
	for _, v := range p.versions {
		bits(v.written, v.none, v.sameBase, v.fits, v.isOld, v.isGoal, v.isNext, v.final)
	}
	return b
}

// claim states M5 for any numbers that lie as the pattern says.
func (p *pattern) claim() *claim {
	c := newClaim(shapeLogic)
	is := func(holds bool, t *smt.Term) {
		if !holds {
			t = c.Not(t)
		}
		c.assume(t)
	}
	const generations = 1 << specs.GenerationBits
	unknown := func(format string, args ...any) *smt.Term {
		x := c.unknown(format, args...)
		c.assume(c.Le(c.Int(0), x))
		return x
	}
	generation := func(format string, args ...any) *smt.Term {
		x := unknown(format, args...)
		c.assume(c.Lt(x, c.Int(generations)))
		return x
	}
	goalGeneration := generation("generation_goal")
	if p.fresh {
		for n, v := range p.versions {
			x := generation("generation_%d", n)
			is(v.isGoal, c.Eq(x, goalGeneration))
			c.prove(c.Eq(x, goalGeneration))
		}
		return c
	}
	base, size, old := unknown("base"), unknown("size"), generation("generation")
	goalBase, goalSize := unknown("base_goal"), unknown("size_goal")
	is(p.none, c.Eq(size, c.Int(0)))
	is(p.sameBase, c.Eq(base, goalBase))
	is(p.fits, c.Le(size, goalSize))
	kept := c.And(c.Eq(base, goalBase), c.Le(size, goalSize))
	lost := c.define("lost", c.And(c.Lt(c.Int(0), size), c.Not(kept)))
	one := c.Ite(c.Eq(old, c.Int(generations-1)), c.Int(0), c.Add(old, c.Int(1)))
	next := c.define("next", c.Ite(lost, one, old))
	for n, v := range p.versions {
		xbase, xsize, x := unknown("base_%d", n), unknown("size_%d", n), generation("generation_%d", n)
		is(v.none, c.Eq(xsize, c.Int(0)))
		is(v.sameBase, c.Eq(xbase, base))
		is(v.fits, c.Le(xsize, size))
		is(v.isOld, c.Eq(x, old))
		is(v.isNext, c.Eq(x, one))
		if p.wanted {
			is(v.isGoal, c.Eq(x, goalGeneration))
		}
		if v.written {
			shown := c.Or(c.Eq(xsize, c.Int(0)), c.And(c.Eq(xbase, base), c.Le(xsize, size)))
			c.prove(c.Implies(c.And(c.Eq(x, old), lost), shown))
			if p.wanted {
				c.prove(c.Or(c.Eq(x, old), c.Eq(x, goalGeneration)))
			}
		}
		if v.final {
			c.prove(c.Eq(x, next))
		}
	}
	return c
}

// constant says whether the entry says the same about a stage in all versions.
func (h *history) constant(stage int) bool {
	for v := range h.versions {
		if h.versions[v].entry == nil || h.extent(v, stage) != h.extent(0, stage) {
			return false
		}
	}
	return true
}
