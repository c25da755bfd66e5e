package types

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
)

// EntryPriorities gives each initial entry of a table its priority, by the rules of the language (section 14.2.1.4): the one
// that it states, or one that follows from its neighbour's or, if no entry states any, from its place. They are nil if no key
// of the table is matched by ternary, range or optional, so that its entries have none. The numbers may be out of any
// target's range: they are what the program says.
//
// In const entries that state none the first has the highest and the last has 1. A larger number wins unless the table
// has largest_priority_wins = false.
func EntryPriorities(info *Info, t *syntax.TableDecl) []*big.Int {
	var entries *syntax.EntriesProperty
	ranked, largest, delta := false, true, big.NewInt(1)
	for _, p := range t.Properties {
		switch p := p.(type) {
		case *syntax.KeyProperty:
			for _, k := range p.Keys {
				switch k.MatchKind.Name {
				case "ternary", "range", "optional":
					ranked = true
				}
			}
		case *syntax.EntriesProperty:
			entries = p
		case *syntax.ExprProperty:
			switch v := info.Values[p.Value].(type) {
			case BoolValue:
				if p.Name.Name == "largest_priority_wins" {
					largest = bool(v)
				}
			case IntValue:
				if p.Name.Name == "priority_delta" {
					delta = v.Int
				}
			}
		}
	}
	if entries == nil || !ranked {
		return nil
	}
	n := len(entries.Entries)
	r := make([]*big.Int, n)
	if n > 0 && entries.Entries[0].Priority == nil {
		if entries.Const {
			largest, delta = true, big.NewInt(1)
		}
		for i := range r {
			place := i
			if largest {
				place = n - 1 - i
			}
			r[i] = new(big.Int).Mul(delta, big.NewInt(int64(place)))
			r[i].Add(r[i], big.NewInt(1))
		}
		return r
	}
	if largest {
		delta = new(big.Int).Neg(delta)
	}
	for i, e := range entries.Entries {
		if v, ok := info.Values[e.Priority].(IntValue); ok && e.Priority != nil {
			r[i] = v.Int
		} else if i == 0 {
			return nil // not a number: an error
		} else {
			r[i] = new(big.Int).Add(r[i-1], delta)
		}
	}
	return r
}
