package plan

import (
	"fmt"
	"maps"
	"math/big"
	mathbits "math/bits"
	"slices"
	"strings"

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
	vids := make([]int64, 0, len(d.in.Tenants)+2)
	vids = append(vids, 0)
	for _, t := range d.in.Tenants {
		vids = append(vids, int64(t.VID))
	}
	slices.Sort(vids)
	var s sums
	s.chain("<", append(vids, 4095))
	return []verify.Obligation{s.obligation("M4", "vids", fmt.Sprintf("VIDs of %d tenants are unique and in 1..4094", len(d.in.Tenants)))}
}

// keys is M4 for the plan: entries are written only under the VID of a registered tenant. Which of them are is read off; the
// others are named.
func (d *decoded) keys(ps []*pages) []verify.Obligation {
	used := map[model.VID]bool{}
	for _, s := range d.steps {
		for _, u := range s.entries {
			if u.Kind != model.Delete {
				used[u.Key.VID] = true
			}
		}
	}
	for _, p := range ps {
		for _, h := range p.changed {
			for _, v := range h.versions[min(h.late, len(h.versions)):] {
				if v.entry != nil {
					used[h.key.VID] = true
				}
			}
		}
	}
	if len(used) == 0 {
		return nil
	}
	strangers := slices.DeleteFunc(slices.Sorted(maps.Keys(used)), d.isRegistered)
	o := verify.Obligation{
		ID: "M4/keys", Property: "M4", Logic: groundLogic, Subject: fmt.Sprintf("%d keys that the plan writes are VIDs of registered tenants", len(used)),
	}
	o.Text, o.Guard = d.known.texts.of(fmt.Sprint("keys ", len(used), strangers), func() (string, string) {
		c := newGround()
		for _, v := range strangers {
			c.prove(c.Eq(c.known(int64(v), "key_%d", v), c.Int(-1))) // nobody's: no key is that, 0 is one
		}
		c.prove(c.Eq(c.known(int64(len(used)), "keys"), c.known(int64(len(used)-len(strangers)), "registered")))
		return c.texts()
	})
	return []verify.Obligation{o}
}

// masks is M3 for masks: each is 2^k-1 and at least the size less one, so that it keeps every index below the size
// (specs/lemmas/mask.smt2). For each mask it is enough to look at the largest size that goes with it.
func (d *decoded) masks(ps []*pages) []verify.Obligation {
	largest := map[uint32]int64{}
	last, most := uint32(0), int64(0) // many have the same
	look := func(h *history) {
		for _, v := range h.versions {
			for _, x := range v.entry {
				if x.Size > 0 && (x.Mask != last || x.Size > most) {
					largest[x.Mask] = max(largest[x.Mask], x.Size)
					last, most = x.Mask, largest[x.Mask]
				}
			}
		}
	}
	for _, p := range ps {
		for _, h := range p.changed {
			look(h)
		}
		if !d.inherits() {
			for _, h := range p.rest {
				look(h)
			}
		}
	}
	if len(largest) == 0 {
		return nil
	}
	o := verify.Obligation{ID: "M3/masks", Property: "M3", Logic: groundLogic, Subject: "masks are of the form 2^k-1 and leave indices below the size alone"}
	o.Text, o.Guard = d.known.texts.of(fmt.Sprint("masks ", largest), func() (string, string) { // Print sorts keys
		f := newGround()
		for _, m := range slices.Sorted(maps.Keys(largest)) {
			above := f.Add(f.known(int64(m), "mask_%d", m), f.Int(1))
			f.prove(f.Eq(above, f.Int(1<<mathbits.Len32(m))), f.Le(f.Int(largest[m]), above))
		}
		return f.texts()
	})
	return []verify.Obligation{o}
}

// within is M3 for places: all extents lie in their arrays if, of arrays of one size, the first begins there and the last ends there
// (specs/lemmas/extremes.smt2).
func (d *decoded) within(id, subject string, stages []*stage, extents func(s *stage, each func(span))) []verify.Obligation {
	type reach struct {
		slots, first, last int64
		arrays             []string
	}
	var all []*reach
	for _, s := range stages {
		slots := s.plan.Slots[s.array]
		i := slices.IndexFunc(all, func(r *reach) bool { return r.slots == slots })
		found := false
		extents(s, func(x span) {
			if x.lo >= x.hi {
				return
			}
			if i < 0 {
				i = len(all)
				all = append(all, &reach{slots: slots, first: x.lo, last: x.hi})
			}
			all[i].first, all[i].last, found = min(all[i].first, x.lo), max(all[i].last, x.hi), true
		})
		if found {
			all[i].arrays = append(all[i].arrays, s.array.String())
		}
	}
	var sheet sums
	for _, r := range all {
		sheet.note("%s: the first slot, and past the last, of %d", strings.Join(r.arrays, ", "), r.slots)
		sheet.chain("<=", []int64{0, r.first, r.last, r.slots})
	}
	if sheet.empty() {
		return nil
	}
	return []verify.Obligation{sheet.obligation("M3", id, subject)}
}

// bounds proves M3 for what the switch has, unless that is inherited, and for what the plan writes.
func (d *decoded) bounds(stages []*stage) []verify.Obligation {
	var out []verify.Obligation
	if !d.inherits() {
		out = d.within("before", "what the switch has lies in the arrays", stages, func(s *stage, each func(span)) {
			for _, h := range slices.Concat(s.pages.changed, s.pages.rest) {
				each(extentSpan(h.extent(0, s.array.Stage)))
			}
		})
	}
	return append(out, d.within("written", "what the plan writes lies in the arrays", stages, func(s *stage, each func(span)) {
		for _, h := range s.pages.changed {
			for v := range h.versions[1:] {
				each(extentSpan(h.extent(v+1, s.array.Stage)))
			}
		}
	})...)
}

// translation is M3 for the data plane's arithmetic, in the widths it has: from an extent that lies in its array no index leads
// out of it, and no sum wraps; and a mask of the right form leaves every index below the size alone.
func (d *decoded) translation() []verify.Obligation {
	out := []verify.Obligation{
		{ID: "M3/translation", Property: "M3", Logic: shapeLogic, Subject: "no index leads out of an extent"},
		{ID: "M3/index", Property: "M3", Logic: "QF_BV", Subject: "an index below the size is not folded"},
	}
	out[0].Text, out[0].Guard = d.known.texts.of("translation", func() (string, string) { return stays().texts() })
	out[1].Text, out[1].Guard = d.known.texts.of("index", func() (string, string) { return unfolded().texts() })
	return out
}

// Standing are the obligations that every plan has, whatever it does. To have them decided ahead of the first plan starts the
// solvers' processes too.
func Standing() []verify.Obligation { return (&decoded{}).translation() }

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

// goals is M6: when all steps have succeeded, the entries that the plan touches are those of the goal. Which are is read off; the others are
// compared as the numbers that their parameters make up, one after the other.
func (d *decoded) goals(ps []*pages) []verify.Obligation {
	if !d.completes() {
		return nil // M6 for requests says so
	}
	var f *claim // about those that are not
	reached, wanted := int64(0), int64(0)
	for _, p := range ps {
		stages := d.layout.table(p.control).stages
		for _, h := range p.changed {
			wanted++
			goal, exists := h.goal, h.wanted
			same := true
			for _, n := range h.final() {
				have := h.versions[n].entry
				if have != nil && exists && slices.Equal(have, goal) || have == nil && !exists {
					continue
				}
				// Where there is an entry on one side only it gives no slots: then generations mean nothing.
				generations, name := have != nil && exists, fmt.Sprintf("%s_%d", p.control, h.key.VID)
				a, b := word(have, stages, generations), word(goal, stages, generations)
				if a.Cmp(b) == 0 {
					continue
				}
				same = false
				if f == nil {
					f = newGround()
				}
				if !generations {
					name += "_slots"
				}
				f.prove(f.Eq(f.define(fmt.Sprintf("entry_%s_%d_%d", p.control, h.key.VID, n), f.IntBig(a)), f.define("goal_"+name, f.IntBig(b))))
			}
			if same {
				reached++
			}
		}
	}
	if wanted == 0 {
		return nil
	}
	o := verify.Obligation{
		ID: "M6/goal", Property: "M6", Logic: groundLogic, Subject: fmt.Sprintf("after all steps the %d entries that the plan touches are those of the goal", wanted),
	}
	count := func(f *claim) (string, string) {
		f.prove(f.Eq(f.known(reached, "as_wanted"), f.known(wanted, "entries")))
		return f.texts()
	}
	if f != nil {
		o.Text, o.Guard = count(f)
	} else {
		o.Text, o.Guard = d.known.texts.of(fmt.Sprint("goal ", wanted), func() (string, string) { return count(newGround()) })
	}
	return []verify.Obligation{o}
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

// restrictions is M6 for the policy: every size of the goal is within its floor and ceiling; without a limit the ceiling is 0. It is enough
// to look at the size that is least above its floor, or most below it, and at the one that is least below its ceiling: specs/lemmas/extremes.smt2.
func (d *decoded) restrictions() []verify.Obligation {
	type pair struct {
		any       bool
		low, high int64
	}
	var floor, ceiling pair
	tighten := func(p *pair, low, high int64) {
		if !p.any || high-low < p.high-p.low {
			*p = pair{true, low, high}
		}
	}
	for _, c := range d.controls() {
		stages := d.layout.table(c).stages
		limits := d.limits[side(c)]
		for i, v := range d.plan.Registered {
			if !d.isRegistered(v) || int(d.roster.position[v]) != i+1 {
				continue // no tag, or registered twice: M4
			}
			goal, _ := d.goal.of(c).get(v)
			for k := range stages {
				l := limit{}
				if limits[k] != nil {
					l = limits[k][i]
				}
				if size := extentOf(goal, k).Size; l.given || size > 0 {
					tighten(&floor, l.Floor, size)
					tighten(&ceiling, size, l.Ceiling)
				}
			}
		}
	}
	if !floor.any {
		return nil
	}
	var s sums
	s.note("a floor, and the size that is least above it")
	s.chain("<=", []int64{floor.low, floor.high})
	s.note("a size, and the ceiling that it is least below")
	s.chain("<=", []int64{ceiling.low, ceiling.high})
	return []verify.Obligation{s.obligation("M6", "limits", "the goal is within the policy's floors and ceilings")}
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
