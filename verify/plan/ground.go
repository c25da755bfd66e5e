package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
	"github.com/interlock/interlock/verify/smt"
)

// perBlock is how many VIDs an obligation about all tenants speaks of: see blocks.
const perBlock = 64

// registered is M4 for the site: VIDs are tags that a tenant can have, and each is taken once.
func (d *decoded) registered() []verify.Obligation {
	if len(d.in.Tenants) == 0 {
		return nil
	}
	c := newClaim("QF_LIA")
	last := c.Int(0)
	byVID := slices.Clone(d.in.Tenants)
	slices.SortStableFunc(byVID, func(a, b Tenant) int { return cmp.Compare(a.VID, b.VID) })
	for _, t := range byVID {
		v := c.known(int64(t.VID), "vid_%s", t.Name)
		c.prove(c.Lt(last, v))
		last = v
	}
	c.prove(c.Le(last, c.Int(4094)))
	return []verify.Obligation{c.obligation("M4", "vids", fmt.Sprintf("VIDs of %d tenants are unique and in 1..4094", len(byVID)))}
}

// keys is M4 for the plan: entries are written only under the VID of a registered tenant.
func (d *decoded) keys() []verify.Obligation {
	used := map[model.VID]bool{}
	for _, s := range d.plan.Steps {
		for _, u := range s.Updates {
			if u.Kind == model.Insert || u.Kind == model.Modify {
				used[u.Key.VID] = true
			}
		}
	}
	if len(used) == 0 {
		return nil
	}
	c := newClaim("QF_LIA")
	for _, v := range slices.Sorted(maps.Keys(used)) {
		key := c.known(int64(v), "key_%d", v)
		i := slices.IndexFunc(d.in.Tenants, func(t Tenant) bool { return model.VID(t.VID) == v })
		if i < 0 {
			c.prove(c.Eq(key, c.Int(0))) // nobody's: it cannot follow
			continue
		}
		c.prove(c.Eq(key, c.known(int64(v), "vid_%s", d.in.Tenants[i].Name)))
	}
	return []verify.Obligation{c.obligation("M4", "keys", fmt.Sprintf("%d keys that the plan writes are VIDs of registered tenants", len(used)))}
}

// masks is M3 for masks: each is 2^k-1, so that it keeps every index below the size (specs/lemmas/translation.smt2).
func (d *decoded) masks(c specs.Control, hs []*history) []verify.Obligation {
	seen := map[uint32]bool{}
	for _, h := range hs {
		for _, v := range h.versions {
			for _, x := range v.entry {
				if x.Size > 0 {
					seen[x.Mask] = true
				}
			}
		}
	}
	if len(seen) == 0 {
		return nil
	}
	w := specs.MaskBits
	f := newClaim("QF_BV")
	for _, m := range slices.Sorted(maps.Keys(seen)) {
		t := f.define(fmt.Sprintf("mask_%d", m), f.BV(uint64(m), w))
		f.prove(f.Eq(f.BVAnd(t, f.BVAdd(t, f.BV(1, w))), f.BV(0, w)))
	}
	return []verify.Obligation{f.obligation("M3", fmt.Sprintf("%s/masks", c), fmt.Sprintf("%s: masks are of the form 2^k-1", c))}
}

// translation is M3 for the data plane's arithmetic, in the widths it has: from an extent that lies in its array no index leads
// out of it, and no sum wraps; and a mask of the right form leaves every index below the size alone.
func translation() []verify.Obligation {
	const w, wide = specs.MaskBits, specs.MaskBits + 2
	leave := newClaim("QF_BV")
	leave.translated(leave.extent(w, wide))
	fold := newClaim("QF_BV")
	x := fold.extent(w, wide)
	fold.assume(
		fold.Eq(fold.BVAnd(x.mask, fold.BVAdd(x.mask, fold.BV(1, w))), fold.BV(0, w)),
		fold.BVUle(x.size, fold.BVAdd(fold.ZeroExt(x.mask, wide-w), fold.BV(1, wide))),
		fold.BVUlt(fold.ZeroExt(x.index, wide-w), x.size),
	)
	fold.prove(fold.Eq(fold.BVAnd(x.index, x.mask), x.index))
	return []verify.Obligation{
		leave.obligation("M3", "translation", "no index leads out of an extent"),
		fold.obligation("M3", "index", "an index below the size is not folded"),
	}
}

// bvExtent is an extent as the data plane has it, base and size widened so that nothing below wraps.
type bvExtent struct {
	base24, size24    *smt.Term
	base, size, slots *smt.Term // wide
	mask, index       *smt.Term
	narrow, wide      int
}

func (c *claim) extent(w, wide int) bvExtent {
	x := bvExtent{
		base24: c.Var("base", smt.BV(specs.BaseBits)), size24: c.Var("size", smt.BV(specs.SizeBits)),
		mask: c.Var("mask", smt.BV(w)), index: c.Var("index", smt.BV(w)), narrow: w, wide: wide,
	}
	x.base, x.size = c.ZeroExt(x.base24, wide-specs.BaseBits), c.ZeroExt(x.size24, wide-specs.SizeBits)
	x.slots = c.Var("slots", smt.BV(wide))
	c.assume(c.BVUle(x.slots, c.BV(1<<specs.BaseBits, wide)), c.BVUle(c.BVAdd(x.base, x.size), x.slots))
	return x
}

// translated states: v = index & mask; if v < size, slot = base + v, computed in narrow bits, is in the extent and in the array.
func (c *claim) translated(x bvExtent) {
	v := c.BVAnd(x.index, x.mask)
	slot := c.BVAdd(c.ZeroExt(x.base24, x.narrow-specs.BaseBits), v)
	hit := c.BVUlt(v, c.ZeroExt(x.size24, x.narrow-specs.SizeBits))
	c.assume(hit)
	wide := c.ZeroExt(slot, x.wide-x.narrow)
	c.prove(c.BVUle(x.base, wide), c.BVUlt(wide, c.BVAdd(x.base, x.size)), c.BVUlt(wide, x.slots))
}

// changed says whether a plan writes the entry, or its goal is not what the switch has: what it leaves alone, and should, is
// compared by the encoder and left out of formulas.
func (d *decoded) changed(h *history) bool {
	if h.touched() {
		return true
	}
	goal, wanted := d.plan.Goal[h.key]
	entry := h.versions[0].entry
	if entry == nil {
		return !goal.Empty()
	}
	return !wanted && !entry.Empty() || wanted && !slices.Equal(entry, goal)
}

// generations is M5 for generations in one stage: they change by one exactly when content is lost, and an extent under the old one
// shows nothing but what it showed before the plan.
func (s *stage) generations() {
	c, k := newClaim("QF_LIA"), s.array.Stage
	for _, h := range s.histories {
		if !s.changed(h) {
			continue
		}
		goalEntry, wanted := s.plan.Goal[h.key]
		pre, goal := h.extent(0, k), extentOf(goalEntry, k)
		v := h.key.VID
		if h.versions[0].entry == nil { // any generation may be the first, but there is one
			for n := range h.versions {
				if h.versions[n].entry != nil && wanted {
					c.prove(c.Eq(c.known(int64(h.extent(n, k).Generation), "generation_%d_%d", v, n),
						c.known(int64(goal.Generation), "generation_%d_goal", v)))
				}
			}
			continue
		}
		type terms struct{ base, size, generation *smt.Term }
		known := func(what string, x model.Extent) terms {
			return terms{
				c.known(x.Base, "base_%d_%s", v, what), c.known(x.Size, "size_%d_%s", v, what),
				c.known(int64(x.Generation), "generation_%d_%s", v, what),
			}
		}
		if h.constant(k) && wanted && goal == pre {
			continue
		}
		p, g := known("pre", pre), known("goal", goal)
		kept := c.And(c.Eq(p.base, g.base), c.Le(p.size, g.size))
		lost := c.define(fmt.Sprintf("lost_%d", v), c.And(c.Lt(c.Int(0), p.size), c.Not(kept)))
		wrapped := c.Eq(p.generation, c.Int(1<<specs.GenerationBits-1))
		next := c.define(fmt.Sprintf("next_%d", v), c.Ite(lost, c.Ite(wrapped, c.Int(0), c.Add(p.generation, c.Int(1))), p.generation))
		for n := range h.versions {
			if h.versions[n].entry == nil {
				continue
			}
			x := p
			if n > 0 {
				x = known(fmt.Sprint(n), h.extent(n, k))
				old := c.Eq(x.generation, p.generation)
				shown := c.Or(c.Eq(x.size, c.Int(0)), c.And(c.Eq(x.base, p.base), c.Le(x.size, p.size)))
				c.prove(c.Implies(c.And(old, lost), shown))
				if wanted {
					c.prove(c.Or(old, c.Eq(x.generation, g.generation)))
				}
			}
			if s.completes() && slices.Contains(h.final(), n) {
				c.prove(c.Eq(x.generation, next))
			}
		}
	}
	if len(c.goals) > 0 {
		s.add(c, "M5", "generation", "generations change exactly when content is lost")
	}
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

// goal is M6 for one stage: when all steps have succeeded, the state is the goal.
func (s *stage) goal() {
	if !s.completes() {
		return // M6 for requests says so
	}
	c, k := newClaim("QF_LIA"), s.array.Stage
	for _, h := range s.histories {
		if !s.changed(h) {
			continue
		}
		goalEntry, wanted := s.plan.Goal[h.key]
		goal, v := extentOf(goalEntry, k), h.key.VID
		for _, n := range h.final() {
			have := h.extent(n, k)
			if have == goal && (h.versions[n].entry != nil) == wanted && h.constant(k) {
				continue // rewritten as it was
			}
			size, want := c.known(have.Size, "size_%d_%d", v, n), c.known(goal.Size, "size_%d_goal", v)
			c.prove(c.Eq(size, want))
			if have.Size > 0 && goal.Size > 0 {
				c.prove(c.Eq(c.known(have.Base, "base_%d_%d", v, n), c.known(goal.Base, "base_%d_goal", v)),
					c.Eq(c.known(int64(have.Mask), "mask_%d_%d", v, n), c.known(int64(goal.Mask), "mask_%d_goal", v)))
			}
			if h.versions[n].entry != nil && wanted {
				c.prove(c.Eq(c.known(int64(have.Generation), "generation_%d_%d", v, n),
					c.known(int64(goal.Generation), "generation_%d_goal", v)))
			}
		}
	}
	if len(c.goals) > 0 {
		s.add(c, "M6", "goal", "the state after all steps is the goal")
	}
}

// limits is M6 for the policy: every size of the goal is within its floor and ceiling; without a limit the ceiling is 0.
func (s *stage) limits() {
	claims := map[model.VID]*claim{}
	for _, v := range s.plan.VIDs() {
		size := extentOf(s.plan.Goal[model.Key{Control: s.array.Control, VID: v}], s.array.Stage).Size
		l, ok := s.plan.Limits[model.Place{Array: s.array, VID: v}]
		if !ok && size == 0 {
			continue
		}
		c := claims[v/perBlock]
		if c == nil {
			c = newClaim("QF_LIA")
			claims[v/perBlock] = c
		}
		t := c.known(size, "size_%d", v)
		c.prove(c.Le(c.known(l.Floor, "floor_%d", v), t), c.Le(t, c.known(l.Ceiling, "ceiling_%d", v)))
	}
	for _, b := range slices.Sorted(maps.Keys(claims)) {
		s.add(claims[b], "M6", fmt.Sprintf("limits/%d", b), fmt.Sprintf("the goal is within the policy's limits for VIDs %d..%d", b*perBlock, (b+1)*perBlock-1))
	}
}

// markers is M7 for fences: the echo of one cannot be taken for that of another.
func (d *decoded) markers() []verify.Obligation {
	if len(d.nonces) < 2 {
		return nil
	}
	c := newClaim("QF_BV")
	var all []*smt.Term
	for _, i := range slices.Sorted(maps.Keys(d.nonces)) {
		all = append(all, c.define(fmt.Sprintf("nonce_%d", i+1), c.BV(d.nonces[i], 64)))
	}
	c.prove(c.Distinct(all...))
	return []verify.Obligation{c.obligation("M7", "markers", "fences have distinct nonces")}
}
