package dataplane

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// do is the call of an action with constant arguments.
func (c *compiler) do(t *Table, e syntax.Expr) *Do {
	o, args := c.refObject(e)
	i := t.actionIndex(o)
	if i < 0 {
		invalid(e, "%s is no action of table %s", o.Name, t.Name)
	}
	a := t.actions[i]
	do := &Do{Action: i, Args: make([]uint64, a.words)}
	// A default action repeats the directed arguments of the actions list; only the others are the entry's.
	if skip := len(args) - len(a.Params); skip > 0 {
		args = args[skip:]
	}
	if len(args) != len(a.Params) {
		invalid(e, "%d arguments for the %d parameters of %s", len(args), len(a.Params), a.Name)
	}
	for j, p := range a.Params {
		if args[j].Name != nil {
			if k := slices.IndexFunc(a.Params, func(q Param) bool { return q.Name == args[j].Name.Name }); k >= 0 {
				p = a.Params[k]
			}
		}
		n, ok := c.number(args[j].Value)
		if !ok {
			invalid(args[j], "the argument is not a constant")
		}
		copy(do.Args[p.off:p.off+p.words], bigWords(n, p.words))
	}
	return do
}

func (c *compiler) defaultAction(t *Table, p *syntax.ExprProperty) {
	t.original = &Do{Action: -1}
	if p != nil {
		t.original = c.do(t, p.Value)
		t.ConstDo = p.Const
	} else if i := slices.IndexFunc(t.actions, func(a *Action) bool { return a.Name == "NoAction" }); i >= 0 {
		t.original = &Do{Action: i}
	}
	t.otherwise.do.Store(t.original)
}

func (c *compiler) initialEntries(d *syntax.TableDecl, t *Table, p *syntax.EntriesProperty) {
	t.IsConst = p.Const
	priorities := types.EntryPriorities(c.info, d)
	if ranked := annotatedPriorities(p); ranked != nil {
		priorities = ranked
	}
	for i, te := range p.Entries {
		e := NewEntry(c.entryMatches(d, t, te), 0, c.do(t, te.Action))
		e.Const = p.Const || te.Const
		if t.Priority {
			n := priorities[i]
			if !n.IsInt64() || n.Int64() < 1 || n.Int64() > math.MaxInt32 {
				unsupported(te, "priority %v: those from 1 to %d are", n, math.MaxInt32)
			}
			e.Priority = int32(n.Int64())
		} else if te.Priority != nil {
			unsupported(te, "a priority in a table whose keys leave no choice")
		}
		if _, err := t.Find(e.Match, e.Priority); err == nil {
			invalid(te, "the entry is there twice")
		}
		if err := t.Insert(e); err != nil {
			invalid(te, "%v", err)
		}
	}
	t.Size = max(t.Size, len(p.Entries))
}

// annotatedPriorities are those of entries some of which have p4c's @priority(n), of which the least wins; the others have their
// place in the list, from 1. They are nil if there is no such annotation.
func annotatedPriorities(p *syntax.EntriesProperty) []*big.Int {
	ranks, found := make([]uint64, len(p.Entries)), false
	for i, te := range p.Entries {
		ranks[i] = uint64(i) + 1
		for _, a := range te.Annotations {
			if a.Name != "priority" || len(a.Body) != 1 {
				continue
			}
			n, err := strconv.ParseUint(a.Body[0].Text, 0, 31)
			if err != nil {
				invalid(a, "@priority takes a number")
			}
			ranks[i], found = n, true
		}
	}
	if !found {
		return nil
	}
	place := make([]int, len(ranks))
	for i := range place {
		place[i] = i
	}
	slices.SortStableFunc(place, func(a, b int) int { return cmp.Compare(ranks[a], ranks[b]) })
	out := make([]*big.Int, len(ranks))
	for i, at := range place {
		out[at] = big.NewInt(int64(len(place) - i))
	}
	return out
}

// entryMatches has what an entry wants of each key that is matched. Keys of a selector are not: only _ or default may stand there.
func (c *compiler) entryMatches(d *syntax.TableDecl, t *Table, te *syntax.TableEntry) []Match {
	keys := tableKeys(d)
	elems := []syntax.Expr{te.Keyset}
	if l, ok := te.Keyset.(*syntax.ListExpr); ok && l.Paren {
		elems = l.Elems
	} else if ok && len(l.Elems) == 1 && len(keys) == 1 {
		elems = l.Elems
	} else if p, ok := te.Keyset.(*syntax.Paren); ok && len(keys) == 1 {
		elems = []syntax.Expr{p.X}
	} else if anything(te.Keyset) {
		elems = slices.Repeat(elems, len(keys))
	}
	if len(elems) != len(keys) {
		invalid(te, "%d values for the %d keys of table %s", len(elems), len(keys), t.Name)
	}
	var ms []Match
	for i, e := range elems {
		switch {
		case keys[i].MatchKind.Name != "selector":
			ms = append(ms, c.entryMatch(t.Keys[len(ms)], e))
		case !anything(e):
			unsupported(e, "a value for a key of a selector")
		}
	}
	return ms
}

// anything reports whether a keyset is _ or default.
func anything(e syntax.Expr) bool {
	switch unparen(e).(type) {
	case *syntax.DefaultExpr, *syntax.DontCare:
		return true
	}
	return false
}

func (c *compiler) entryMatch(k Key, e syntax.Expr) Match {
	set := c.keyset(e, k.Width)
	switch {
	case set.any && k.Kind != Exact:
		return Match{Any: true}
	case set.kind == keyValue && (k.Kind == Exact || k.Kind == Optional):
		return Match{Value: set.a}
	case set.kind == keyValue && k.Kind == LPM:
		return Match{Value: set.a, Len: k.Width}
	case set.kind == keyValue && k.Kind == Ternary:
		m := make([]uint64, k.words)
		fillMask(m, k.Width, k.Width)
		return Match{Value: set.a, Mask: m}
	case set.kind == keyValue && k.Kind == Range:
		return Match{Value: set.a, Mask: set.a}
	case set.kind == keyMask && k.Kind == Ternary:
		return Match{Value: set.a, Mask: set.b}
	case set.kind == keyRange && k.Kind == Range:
		return Match{Value: set.a, Mask: set.b}
	case set.kind == keyMask && k.Kind == LPM:
		for n := 0; n <= k.Width; n++ {
			m := make([]uint64, k.words)
			fillMask(m, k.Width, n)
			if wideEqual(m, set.b) {
				return Match{Any: n == 0, Value: set.a, Len: n}
			}
		}
		invalid(e, "the mask is not a prefix")
	}
	unsupported(e, "this value for a key of this match kind")
	return Match{}
}
