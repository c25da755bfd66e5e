package p4info

import (
	"math/big"
	"sort"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// Entries is the write request that would put a program's initial table entries, const or not, into its tables: the message
// that p4c writes with --p4runtime-entries-files. Ids are those of Generate. Values have all the bytes of their type, as
// p4c's. The message is complete only if the diagnostics hold no error.
func Entries(info *types.Info) (*p4v1.WriteRequest, syntax.Diagnostics) {
	g := &generator{info: info, initial: &p4v1.WriteRequest{}}
	g.generate()
	return g.initial, g.diags
}

// tableEntries writes the initial entries of a table.
func (g *generator) tableEntries(d *syntax.TableDecl, table *p4configv1.Table, prefix string, env environment) {
	var keys []*syntax.TableKey
	var entries *syntax.EntriesProperty
	for _, p := range d.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			keys = p.Keys
		case *syntax.EntriesProperty:
			entries = p
		}
	}
	if entries == nil {
		return
	}
	priorities := types.EntryPriorities(g.info, d)
	order := make([]int, len(entries.Entries))
	for i := range order {
		order[i] = i
	}
	if priorities != nil && !entries.Const {
		// p4c sorts entries whose priorities are out of order: the one that wins stands where the first would.
		falls := 1
		if !g.largestWins(d) {
			falls = -1
		}
		sort.SliceStable(order, func(i, j int) bool { return priorities[order[i]].Cmp(priorities[order[j]]) == falls })
	}
	ids := g.fieldIDs(len(keys), func(i int) []*syntax.Annotation { return keys[i].Annotations })
	for _, i := range order {
		e := entries.Entries[i]
		out := &p4v1.TableEntry{
			TableId: table.Preamble.Id, IsConst: entries.Const || e.Const, Match: g.entryMatches(keys, ids, e.Keyset),
			Action: g.entryAction(e.Action, prefix, env),
		}
		if priorities != nil {
			p := priorities[i]
			if !p.IsInt64() || p.Int64() < 1 || p.Int64() > 1<<31-1 {
				g.errorf(e, codeEntry, "the priority of this entry is %v, and P4Runtime has those from 1 to %d", p, 1<<31-1)
				continue
			}
			out.Priority = int32(p.Int64())
		}
		g.initial.Updates = append(g.initial.Updates, &p4v1.Update{
			Type: p4v1.Update_INSERT, Entity: &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: out}},
		})
	}
}

func (g *generator) largestWins(d *syntax.TableDecl) bool {
	for _, p := range d.Properties {
		if p, ok := p.(*syntax.ExprProperty); ok && p.Name.Name == "largest_priority_wins" {
			v, ok := g.info.Values[p.Value].(types.BoolValue)
			return !ok || bool(v)
		}
	}
	return true
}

func (g *generator) entryAction(e syntax.Expr, prefix string, env environment) *p4v1.TableAction {
	o := g.actionOf(e)
	if o == nil {
		return nil
	}
	a := &p4v1.Action{ActionId: g.syms.id(p4configv1.P4Ids_ACTION, g.actionName(o, prefix))}
	for _, arg := range g.arguments(o, e, env) {
		a.Params = append(a.Params, &p4v1.Action_Param{ParamId: arg.ParamId, Value: arg.Value})
	}
	return &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: a}}
}

// entryMatches describes a keyset, without the keys that it leaves open.
func (g *generator) entryMatches(keys []*syntax.TableKey, ids []uint32, keyset syntax.Expr) []*p4v1.FieldMatch {
	sets := []syntax.Expr{keyset}
	switch x := keyset.(type) {
	case *syntax.ListExpr:
		sets = x.Elems
	case *syntax.DefaultExpr, *syntax.DontCare:
		return nil
	}
	if len(sets) != len(keys) {
		g.errorf(keyset, codeEntry, "the key of this entry must be a list of %d", len(keys))
		return nil
	}
	var r []*p4v1.FieldMatch
	for i, k := range keys {
		if m := g.entryMatch(k, sets[i]); m != nil {
			m.FieldId = ids[i]
			r = append(r, m)
		}
	}
	return r
}

// entryMatch describes the set of values of one key, or is nil if it has all.
func (g *generator) entryMatch(k *syntax.TableKey, set syntax.Expr) *p4v1.FieldMatch {
	set = syntax.Unparen(set)
	switch set.(type) {
	case *syntax.DefaultExpr, *syntax.DontCare:
		return nil
	}
	kind := k.MatchKind.Name
	width := int(g.bits(k.Expr, g.info.Types[k.Expr]))
	if width == 0 {
		g.errorf(set, codeEntry, "what the control plane calls this value of the key is not known")
		return nil
	}
	all := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(width)), big.NewInt(1))
	// low and high are the ends of a range, or a value and its mask.
	low, high := set, set
	op := syntax.Op("")
	if b, ok := set.(*syntax.Binary); ok && (b.Op == "&&&" || b.Op == "..") {
		low, high, op = b.X, b.Y, b.Op
	}
	x, ok1 := g.entryValue(low)
	y, ok2 := g.entryValue(high)
	switch {
	case !ok1 || !ok2:
		return nil
	case op == "" && kind != "range":
		y = all
	case op == "&&&":
		y = new(big.Int).And(y, all)
		x = new(big.Int).And(x, y) // P4Runtime wants the bits that are not compared to be 0
	}
	bytes := func(v *big.Int) []byte { return fixedBytes(v, width) }
	switch {
	case kind == "exact" && op == "":
		return &p4v1.FieldMatch{FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: bytes(x)}}}
	case kind == "optional" && op == "":
		return &p4v1.FieldMatch{FieldMatchType: &p4v1.FieldMatch_Optional_{Optional: &p4v1.FieldMatch_Optional{Value: bytes(x)}}}
	case kind == "ternary" && op != "..":
		if y.Sign() == 0 {
			return nil
		}
		return &p4v1.FieldMatch{FieldMatchType: &p4v1.FieldMatch_Ternary_{
			Ternary: &p4v1.FieldMatch_Ternary{Value: bytes(x), Mask: bytes(y)},
		}}
	case kind == "lpm" && op != "..":
		length := width - int(trailingZeros(y, width))
		if y.Cmp(new(big.Int).Lsh(new(big.Int).Rsh(all, uint(width-length)), uint(width-length))) != 0 {
			g.errorf(set, codeEntry, "the mask of a key matched by lpm must be a prefix")
		}
		if length == 0 {
			return nil
		}
		return &p4v1.FieldMatch{FieldMatchType: &p4v1.FieldMatch_Lpm{
			Lpm: &p4v1.FieldMatch_LPM{Value: bytes(x), PrefixLen: int32(length)},
		}}
	case kind == "range" && op != "&&&":
		if x.Cmp(y) > 0 {
			g.errorf(set, codeEntry, "this range is empty")
		}
		if x.Sign() == 0 && y.Cmp(all) == 0 {
			return nil
		}
		return &p4v1.FieldMatch{FieldMatchType: &p4v1.FieldMatch_Range_{
			Range: &p4v1.FieldMatch_Range{Low: bytes(x), High: bytes(y)},
		}}
	}
	g.errorf(set, codeEntry, "P4Runtime has no such set of values for a key matched by %s", kind)
	return nil
}

func trailingZeros(v *big.Int, width int) uint {
	if v.Sign() == 0 {
		return uint(width)
	}
	return v.TrailingZeroBits()
}

// entryValue is the number that stands for a constant in P4Runtime.
func (g *generator) entryValue(e syntax.Expr) (*big.Int, bool) {
	switch v := g.value(e, nil).(type) {
	case types.IntValue:
		return v.Int, true
	case types.BoolValue:
		if v {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	}
	g.errorf(e, codeEntry, "the key of an entry must be a constant number or bool")
	return nil, false
}
