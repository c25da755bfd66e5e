package plan

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	mathbits "math/bits"
	"slices"

	"github.com/interlock/interlock/specs"
	"github.com/interlock/interlock/verify"
	"github.com/interlock/interlock/verify/plan/model"
	"github.com/interlock/interlock/verify/smt"
)

// registered is M4 for the site: VIDs are tags that a tenant can have, and each is taken once.
func (d *decoded) registered() []verify.Obligation {
	if len(d.in.Tenants) == 0 {
		return nil
	}
	byVID := slices.Clone(d.in.Tenants)
	slices.SortStableFunc(byVID, func(a, b Tenant) int { return cmp.Compare(a.VID, b.VID) })
	o := verify.Obligation{
		ID: "M4/vids", Property: "M4", Logic: groundLogic,
		Subject: fmt.Sprintf("VIDs of %d tenants are unique and in 1..4094", len(byVID)),
	}
	o.Text, o.Guard = d.texts.of(fmt.Sprint("vids ", byVID), func() (string, string) {
		c := newGround()
		last := c.Int(0)
		for _, t := range byVID {
			v := c.known(int64(t.VID), "vid_%s", t.Name)
			c.prove(c.Lt(last, v))
			last = v
		}
		c.prove(c.Le(last, c.Int(4094)))
		return c.texts()
	})
	return []verify.Obligation{o}
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
	for _, c := range d.controls() {
		if len(d.plan.Late) == 0 {
			break
		}
		for _, h := range d.histories(c) {
			for _, v := range h.versions[h.late:] {
				if v.entry != nil {
					used[h.key.VID] = true
				}
			}
		}
	}
	if len(used) == 0 {
		return nil
	}
	c := newGround()
	for _, v := range slices.Sorted(maps.Keys(used)) {
		key := c.known(int64(v), "key_%d", v)
		i := slices.IndexFunc(d.in.Tenants, func(t Tenant) bool { return model.VID(t.VID) == v })
		if i < 0 {
			c.prove(c.Eq(key, c.Int(-1))) // nobody's: no key is that, 0 is one
			continue
		}
		c.prove(c.Eq(key, c.known(int64(v), "vid_%s", d.in.Tenants[i].Name)))
	}
	return []verify.Obligation{c.obligation("M4", "keys", fmt.Sprintf("%d keys that the plan writes are VIDs of registered tenants", len(used)))}
}

// masks is M3 for masks: each is 2^k-1 and at least the size less one, so that it keeps every index below the size
// (specs/lemmas/mask.smt2). For each mask it is enough to look at the largest size that goes with it.
func (d *decoded) masks(c specs.Control, hs []*history) []verify.Obligation {
	largest := map[uint32]int64{}
	for _, h := range hs {
		for _, v := range h.versions {
			for _, x := range v.entry {
				if x.Size > 0 {
					largest[x.Mask] = max(largest[x.Mask], x.Size)
				}
			}
		}
	}
	if len(largest) == 0 {
		return nil
	}
	f := newGround()
	for _, m := range slices.Sorted(maps.Keys(largest)) {
		above := f.Add(f.known(int64(m), "mask_%d", m), f.Int(1))
		f.prove(f.Eq(above, f.Int(1<<mathbits.Len32(m))), f.Le(f.Int(largest[m]), above))
	}
	return []verify.Obligation{f.obligation("M3", fmt.Sprintf("%s/masks", c), fmt.Sprintf("%s: masks are of the form 2^k-1 and leave indices below the size alone", c))}
}

// translation is M3 for the data plane's arithmetic, in the widths it has: from an extent that lies in its array no index leads
// out of it, and no sum wraps; and a mask of the right form leaves every index below the size alone.
func (d *decoded) translation() []verify.Obligation {
	out := []verify.Obligation{
		{ID: "M3/translation", Property: "M3", Logic: shapeLogic, Subject: "no index leads out of an extent"},
		{ID: "M3/index", Property: "M3", Logic: "QF_BV", Subject: "an index below the size is not folded"},
	}
	out[0].Text, out[0].Guard = d.texts.of("translation", func() (string, string) { return stays().texts() })
	out[1].Text, out[1].Guard = d.texts.of("index", func() (string, string) { return unfolded().texts() })
	return out
}

// Standing are the obligations that every plan has, whatever it does. To have them decided ahead of the first plan starts the
// solvers' processes too.
func Standing() []verify.Obligation { return (&decoded{texts: &texts{}}).translation() }

// stays states: v = index & mask; if v < size, slot = base + v, which wraps at 2^32, is in the extent and in the array. Nothing is
// supposed of v but its width.
func stays() *claim {
	c := newClaim(shapeLogic)
	below := func(name string, bits uint) *smt.Term {
		x := c.unknown("%s", name)
		c.assume(c.Le(c.Int(0), x), c.Lt(x, c.Int(1<<bits)))
		return x
	}
	base, size, v := below("base", specs.BaseBits), below("size", specs.SizeBits), below("v", specs.MaskBits)
	slots := c.unknown("slots")
	c.assume(c.Le(slots, c.Int(1<<specs.BaseBits)), c.Le(c.Add(base, size), slots), c.Lt(v, size))
	slot := c.Mod(c.Add(base, v), c.Int(1<<specs.MaskBits))
	c.prove(c.Le(base, slot), c.Lt(slot, c.Add(base, size)), c.Lt(slot, slots))
	return c
}

// unfolded states: a mask of the form 2^k-1 with size <= 2^k keeps every index below the size.
func unfolded() *claim {
	const w, wide = specs.MaskBits, specs.MaskBits + 1
	c := newClaim("QF_BV")
	mask, index := c.Var("mask", smt.BV(w)), c.Var("index", smt.BV(w))
	size := c.ZeroExt(c.Var("size", smt.BV(specs.SizeBits)), wide-specs.SizeBits)
	c.assume(
		c.Eq(c.BVAnd(mask, c.BVAdd(mask, c.BV(1, w))), c.BV(0, w)),
		c.BVUle(size, c.BVAdd(c.ZeroExt(mask, 1), c.BV(1, wide))),
		c.BVUlt(c.ZeroExt(index, 1), size),
	)
	c.prove(c.Eq(c.BVAnd(index, mask), index))
	return c
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
	c, k := newGround(), s.array.Stage
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
					c.prove(c.Eq(c.known(int64(goal.Generation), "generation_%d", v), c.Int(int64(h.extent(n, k).Generation))))
				}
			}
			continue
		}
		if h.constant(k) && wanted && goal == pre {
			continue
		}
		base, size := c.known(pre.Base, "base_%d", v), c.known(pre.Size, "size_%d", v)
		generation := c.known(int64(pre.Generation), "generation_%d", v)
		kept := c.And(c.Eq(base, c.Int(goal.Base)), c.Le(size, c.Int(goal.Size)))
		lost := c.define(fmt.Sprintf("lost_%d", v), c.And(c.Lt(c.Int(0), size), c.Not(kept)))
		wraps := c.Eq(generation, c.Int(1<<specs.GenerationBits-1))
		next := c.Ite(lost, c.Ite(wraps, c.Int(0), c.Add(generation, c.Int(1))), generation)
		for n := range h.versions {
			if h.versions[n].entry == nil {
				continue
			}
			x := h.extent(n, k)
			if n > 0 {
				old := c.Eq(generation, c.Int(int64(x.Generation)))
				shown := c.Or(c.Bool(x.Size == 0), c.And(c.Eq(base, c.Int(x.Base)), c.Le(c.Int(x.Size), size)))
				c.prove(c.Implies(c.And(old, lost), shown))
				if wanted {
					c.prove(c.Or(old, c.Bool(x.Generation == goal.Generation)))
				}
			}
			if s.completes() && slices.Contains(h.final(), n) {
				c.prove(c.Eq(next, c.Int(int64(x.Generation))))
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

// goals is M6 for one page table: when all steps have succeeded, the entries that the plan touches are those of the goal. Entries are
// compared as the numbers that their parameters make up, one after the other.
func (d *decoded) goals(t *pageTable, hs []*history) []verify.Obligation {
	if !d.completes() {
		return nil // M6 for requests says so
	}
	f := newGround()
	for _, h := range hs {
		if !d.changed(h) {
			continue
		}
		goal, wanted := d.plan.Goal[h.key]
		for _, n := range h.final() {
			have := h.versions[n].entry
			// Where there is an entry on one side only it gives no slots: then generations mean nothing.
			generations, name := have != nil && wanted, fmt.Sprint(h.key.VID)
			if !generations {
				name += "_slots"
			}
			f.prove(f.Eq(
				f.define(fmt.Sprintf("entry_%d_%d", h.key.VID, n), f.IntBig(word(have, t.stages, generations))),
				f.define("goal_"+name, f.IntBig(word(goal, t.stages, generations)))))
		}
	}
	if len(f.goals) == 0 {
		return nil
	}
	return []verify.Obligation{f.obligation("M6", fmt.Sprintf("%s/goal", t.control), fmt.Sprintf("%s: the state after all steps is the goal", t.control))}
}

// word writes an entry's parameters one after the other, stage 0 first. Base and mask of an extent without slots count as 0.
func word(e model.Entry, stages int, generations bool) *big.Int {
	w := new(big.Int)
	put := func(v uint64, bits uint) { w.Lsh(w, bits).Or(w, new(big.Int).SetUint64(v&(1<<bits-1))) }
	for k := range stages {
		x := extentOf(e, k)
		if x.Size == 0 {
			x.Base, x.Mask = 0, 0
		}
		put(uint64(x.Base), specs.BaseBits)
		put(uint64(x.Size), specs.SizeBits)
		put(uint64(x.Mask), specs.MaskBits)
		if generations {
			put(uint64(x.Generation), specs.GenerationBits)
		} else {
			put(0, specs.GenerationBits)
		}
	}
	return w
}

// limits is M6 for the policy: every size of the goal is within its floor and ceiling; without a limit the ceiling is 0. For tenants
// with the same limits it is enough to look at the smallest and the largest size.
func (s *stage) limits() {
	type sizes struct{ least, most int64 }
	groups := map[model.Limit]sizes{}
	for _, v := range s.plan.VIDs() {
		size := extentOf(s.plan.Goal[model.Key{Control: s.array.Control, VID: v}], s.array.Stage).Size
		l, ok := s.plan.Limits[model.Place{Array: s.array, VID: v}]
		if !ok && size == 0 {
			continue
		}
		g, ok := groups[l]
		if !ok {
			g = sizes{size, size}
		}
		groups[l] = sizes{min(g.least, size), max(g.most, size)}
	}
	if len(groups) == 0 {
		return
	}
	c := newGround()
	for _, l := range slices.SortedFunc(maps.Keys(groups), func(a, b model.Limit) int {
		return cmp.Or(cmp.Compare(a.Floor, b.Floor), cmp.Compare(a.Ceiling, b.Ceiling))
	}) {
		c.prove(c.Le(c.known(l.Floor, "floor_%d", l.Floor), c.Int(groups[l].least)),
			c.Le(c.Int(groups[l].most), c.known(l.Ceiling, "ceiling_%d", l.Ceiling)))
	}
	s.add(c, "M6", "limits", "the goal is within the policy's floors and ceilings")
}

// markers is M7 for fences: the echo of one cannot be taken for that of another.
func (d *decoded) markers() []verify.Obligation {
	if len(d.nonces) < 2 {
		return nil
	}
	c := newGround()
	var all []*smt.Term
	for _, i := range slices.Sorted(maps.Keys(d.nonces)) {
		all = append(all, c.define(fmt.Sprintf("nonce_%d", i+1), c.IntBig(new(big.Int).SetUint64(d.nonces[i]))))
	}
	c.prove(c.Distinct(all...))
	return []verify.Obligation{c.obligation("M7", "markers", "fences have distinct nonces")}
}
