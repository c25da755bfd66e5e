package types

import (
	"math/big"
	"strings"

	"github.com/interlock/interlock/linker/p4/syntax"
)

func (c *checker) tableEntries(p *syntax.EntriesProperty, keys []*syntax.TableKey, acts *tableActions) {
	elems := make([]Type, len(keys))
	for i, k := range keys {
		elems[i] = c.info.Types[k.Expr]
	}
	if len(keys) == 0 && len(p.Entries) > 0 {
		c.errorf(p, codeTable, "a table without keys has no entries")
	}
	ranked := false
	for _, k := range keys {
		switch {
		case k.MatchKind == nil:
		case k.MatchKind.Name == "ternary", k.MatchKind.Name == "range", k.MatchKind.Name == "optional":
			ranked = true
		}
	}
	seen := map[string]bool{}
	for i, e := range p.Entries {
		switch {
		case e.Priority == nil:
		case !ranked:
			c.errorf(e.Priority, codeTable, "entries of this table have no priority: no key is matched by ternary, range or optional")
		case p.Const:
			c.errorf(e.Priority, codeTable, "const entries are matched in their order and have no priorities")
		case i > 0 && p.Entries[0].Priority == nil:
			c.errorf(e.Priority, codeTable, "either the first entry has a priority or none has")
		}
		if e.Priority != nil {
			t := c.expr(e.Priority, nil)
			if _, ok := c.info.Values[e.Priority].(IntValue); !ok && !isInvalid(t) {
				c.errorf(e.Priority, codeNotConst, "a priority must be a constant integer")
			}
		}
		if len(keys) > 0 {
			c.keysetTuple(e.Keyset, elems)
			c.entryKeys(e.Keyset, keys)
			if key, ok := c.exactKey(e.Keyset); ok && !ranked {
				if seen[key] {
					c.errorf(e.Keyset, codeTable, "there is an entry with this key already")
				}
				seen[key] = true
			}
		}
		if o := c.actionRef(e.Action, acts, true); o != nil && acts.refs[o] != nil && hasAnnotation(acts.refs[o].Annotations, "defaultonly") {
			c.errorf(e.Action, codeActionRef, "action %s is @defaultonly", o.Name)
		}
	}
}

// priorityRange reports entries whose priority, stated or computed, is negative, and warns of those that are equal or that the
// order of the entries hides. How large a priority may be the control plane says.
func (c *checker) priorityRange(d *syntax.TableDecl) {
	for _, p := range d.Properties {
		p, ok := p.(*syntax.EntriesProperty)
		if !ok || len(p.Entries) == 0 {
			continue
		}
		for i, v := range EntryPriorities(c.info, d) {
			if v.Sign() < 0 {
				c.errorf(p.Entries[i], codeTable, "the priority of this entry is %v, and must not be negative", v)
				return // the others follow from it
			}
		}
		c.priorityOrder(d, p)
	}
}

// priorityOrder warns as the specification asks for, unless the entries are annotated with @noWarn("duplicate_priorities") or
// @noWarn("entries_out_of_priority_order").
func (c *checker) priorityOrder(d *syntax.TableDecl, p *syntax.EntriesProperty) {
	quiet := map[string]bool{}
	for _, a := range p.Annotations {
		for _, t := range a.Body {
			if a.Name == "noWarn" {
				quiet[strings.Trim(t.Text, `"`)] = true
			}
		}
	}
	largestWins := true
	for _, q := range d.Properties {
		if q, ok := q.(*syntax.ExprProperty); ok && q.Name.Name == "largest_priority_wins" {
			v, ok := c.info.Values[q.Value].(BoolValue)
			largestWins = !ok || bool(v)
		}
	}
	if p.Entries[0].Priority == nil {
		return // computed: different and in order
	}
	priorities := EntryPriorities(c.info, d)
	seen := map[string]bool{}
	for i, v := range priorities {
		if seen[v.String()] && !quiet["duplicate_priorities"] {
			c.warnf(p.Entries[i], codePriority, "another entry has priority %v too: which of them wins is not defined", v)
		}
		seen[v.String()] = true
		if i == 0 || quiet["entries_out_of_priority_order"] {
			continue
		}
		if order := v.Cmp(priorities[i-1]); largestWins && order > 0 || !largestWins && order < 0 {
			c.warnf(p.Entries[i], codePriority, "priority %v lets this entry win over the one above it", v)
		}
	}
}

// exactKey is a text that two keysets without wild cards share exactly if they are equal.
func (c *checker) exactKey(k syntax.Expr) (string, bool) {
	if p, ok := k.(*syntax.Paren); ok {
		return c.exactKey(p.X)
	}
	if b, ok := k.(*syntax.Binary); ok && b.Op == "&&&" {
		x, ok1 := c.exactKey(b.X)
		y, ok2 := c.exactKey(b.Y)
		return x + "/" + y, ok1 && ok2
	}
	if l, ok := k.(*syntax.ListExpr); ok {
		all := ""
		for _, e := range l.Elems {
			s, ok := c.exactKey(e)
			if !ok {
				return "", false
			}
			all += s + ","
		}
		return all, true
	}
	v := c.info.Values[k]
	if v == nil {
		return "", false
	}
	return valueKey(v), true
}

// entryKeys checks each element of an entry's keyset against its match kind.
func (c *checker) entryKeys(k syntax.Expr, keys []*syntax.TableKey) {
	switch x := k.(type) {
	case *syntax.Paren:
		c.entryKeys(x.X, keys)
	case *syntax.ListExpr:
		if len(x.Elems) == len(keys) {
			for i, e := range x.Elems {
				c.entryKey(e, keys[i])
			}
		}
	case *syntax.DefaultExpr, *syntax.DontCare:
		for _, key := range keys {
			c.entryKey(k, key)
		}
	default:
		if len(keys) == 1 {
			c.entryKey(k, keys[0])
		}
	}
}

func (c *checker) entryKey(e syntax.Expr, key *syntax.TableKey) {
	if key.MatchKind == nil {
		return
	}
	kind := key.MatchKind.Name
	switch x := syntax.Unparen(e).(type) {
	case *syntax.DefaultExpr, *syntax.DontCare:
		if kind == "exact" {
			c.errorf(e, codeKeyset, "an exact key needs a value")
		}
		return
	case *syntax.Binary:
		switch x.Op {
		case "..":
			if kind != "range" {
				c.errorf(e, codeKeyset, "a range cannot stand for a key matched by %s", kind)
			}
			c.constOperands(x)
			return
		case "&&&":
			if kind != "ternary" && kind != "lpm" && (c.isV1Model() || kind != "exact") {
				c.errorf(e, codeKeyset, "a mask cannot stand for a key matched by %s", kind)
			}
			c.constOperands(x)
			if kind == "lpm" {
				if m, ok := c.info.Values[x.Y].(IntValue); ok && !isPrefix(m.Int, c.info.Types[x.Y]) {
					c.errorf(x.Y, codeKeyset, "the mask of a key matched by lpm must be a prefix")
				}
			}
			return
		}
	}
	if !isInvalid(c.info.Types[e]) && !c.compileTime(e) {
		c.errorf(e, codeNotConst, "the key of an entry must be known at compile time")
	}
}

func (c *checker) constOperands(b *syntax.Binary) {
	for _, e := range []syntax.Expr{b.X, b.Y} {
		if !isInvalid(c.info.Types[e]) && !c.compileTime(e) {
			c.errorf(e, codeNotConst, "the key of an entry must be known at compile time")
		}
	}
}

// isPrefix reports whether m is ones followed by zeros.
func isPrefix(m *big.Int, t Type) bool {
	b, ok := underlying(t).(*Bit)
	if !ok {
		return true
	}
	seenZero := false
	for i := b.Width - 1; i >= 0; i-- {
		if m.Bit(i) == 0 {
			seenZero = true
		} else if seenZero {
			return false
		}
	}
	return true
}
