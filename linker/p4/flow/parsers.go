package flow

import (
	"math/big"

	"github.com/interlock/interlock/linker/p4/syntax"
	"github.com/interlock/interlock/linker/p4/types"
)

// parserGraph reports states that start does not lead to, and parsers that never accept.
func (a *analysis) parserGraph(d *syntax.ParserDecl) {
	if d.Proto {
		return
	}
	states := map[string]*syntax.StateDecl{}
	for _, s := range d.States {
		states[s.Name.Name] = s
	}
	reached := map[string]bool{"start": true}
	for work := []string{"start"}; len(work) > 0; {
		s := states[work[len(work)-1]]
		work = work[:len(work)-1]
		if s == nil || s.Transition == nil {
			continue
		}
		next := func(id *syntax.Ident) {
			if !reached[id.Name] {
				reached[id.Name] = true
				work = append(work, id.Name)
			}
		}
		if s.Transition.Next != nil {
			next(s.Transition.Next)
		}
		if s.Transition.Select == nil {
			continue
		}
		for _, k := range s.Transition.Select.Cases {
			next(k.Next)
			if catchAll(k.Keyset) {
				break
			}
		}
	}
	for _, s := range d.States {
		if !reached[s.Name.Name] {
			a.warn(s.Name, codeDeadState, "state %s is never reached", s.Name.Name)
		}
	}
	if !reached["accept"] {
		a.warn(d.Name, codeNoAccept, "parser %s never accepts", d.Name.Name)
	}
}

// catchAll reports whether a keyset matches everything.
func catchAll(k syntax.Expr) bool {
	switch x := syntax.Unparen(k).(type) {
	case *syntax.DefaultExpr, *syntax.DontCare:
		return true
	case *syntax.ListExpr:
		for _, e := range x.Elems {
			if !catchAll(e) {
				return false
			}
		}
		return true
	}
	return false
}

// maxEarlier bounds with how many earlier cases a case is compared.
const maxEarlier = 256

func (a *analysis) selectCases(s *syntax.StateDecl) {
	if s.Transition == nil {
		a.warn(s.Name, codeNoDefault, "state %s has no transition, and so rejects", s.Name.Name)
		return
	}
	if s.Transition.Select == nil {
		return
	}
	sel := s.Transition.Select
	var earlier []match
	all := false
	for _, k := range sel.Cases {
		a.keyset(k.Keyset)
		m := a.matchOf(k.Keyset, sel.Exprs)
		if all || coveredBy(m, earlier) {
			a.warn(k, codeDeadCase, "this case is never reached: one before it matches the same")
		}
		all = all || catchAll(k.Keyset)
		if m != nil && len(earlier) < maxEarlier {
			earlier = append(earlier, m)
		}
	}
	if !all && !a.exhaustive(earlier, sel) {
		a.warn(sel, codeNoDefault, "what matches none of these cases is rejected: there is no default")
	}
}

// match is what a keyset matches: one set for each selected value.
type match []set1

// set1 is the values v with v & mask == value, or lo..hi if mask is nil.
type set1 struct{ value, mask, lo, hi *big.Int }

// matchOf returns nil for what is not known, such as a value set.
func (a *analysis) matchOf(k syntax.Expr, on []syntax.Expr) match {
	elems := []syntax.Expr{k}
	if l, ok := syntax.Unparen(k).(*syntax.ListExpr); ok {
		elems = l.Elems
	}
	if catchAll(k) {
		elems = nil
		for range on {
			elems = append(elems, k)
		}
	}
	if len(elems) != len(on) {
		return nil
	}
	var m match
	for i, e := range elems {
		s, ok := a.setOf(syntax.Unparen(e), a.info.Types[on[i]])
		if !ok {
			return nil
		}
		m = append(m, s)
	}
	return m
}

func (a *analysis) setOf(e syntax.Expr, t types.Type) (set1, bool) {
	_, hi, bits := bounds(t)
	switch x := e.(type) {
	case *syntax.DefaultExpr, *syntax.DontCare, *syntax.ListExpr:
		if catchAll(e) {
			return set1{value: new(big.Int), mask: new(big.Int)}, true
		}
		return set1{}, false
	case *syntax.Binary:
		v, ok1 := a.info.Values[x.X].(types.IntValue)
		w, ok2 := a.info.Values[x.Y].(types.IntValue)
		if x.Op == "&&&" || x.Op == ".." {
			if !ok1 || !ok2 || !bits || v.Int.Sign() < 0 || w.Int.Sign() < 0 {
				return set1{}, false
			}
			if x.Op == ".." {
				return set1{lo: v.Int, hi: w.Int}, true
			}
			return set1{value: new(big.Int).And(v.Int, w.Int), mask: w.Int}, true
		}
	}
	v, ok := a.info.Values[e].(types.IntValue)
	if !ok || !bits || v.Int.Sign() < 0 {
		return set1{}, false
	}
	return set1{value: v.Int, mask: hi, lo: v.Int, hi: v.Int}, true
}

func coveredBy(m match, earlier []match) bool {
	if m == nil {
		return false
	}
	for _, e := range earlier {
		all := true
		for i := range m {
			if !e[i].covers(m[i]) {
				all = false
				break
			}
		}
		if all {
			return true
		}
	}
	return false
}

// covers reports whether s certainly holds all values of t.
func (s set1) covers(t set1) bool {
	switch {
	case s.mask != nil && s.mask.Sign() == 0:
		return true
	case s.mask != nil && t.mask != nil:
		return new(big.Int).And(s.mask, t.mask).Cmp(s.mask) == 0 && new(big.Int).And(t.value, s.mask).Cmp(s.value) == 0
	case s.lo != nil && t.lo != nil:
		return s.lo.Cmp(t.lo) <= 0 && t.hi.Cmp(s.hi) <= 0
	}
	return false
}

// exhaustive reports whether cases without a default match everything, where that is easily seen: every value of a small type.
func (a *analysis) exhaustive(cases []match, sel *syntax.Select) bool {
	if len(sel.Exprs) == 0 {
		return false
	}
	switch t := a.info.Types[sel.Exprs[0]].(type) {
	case *types.Basic, *types.Enum:
		return true // few values, and all of them named: not worth a word
	case *types.Bit:
		if len(sel.Exprs) != 1 || t.Width > 8 {
			return false
		}
		for v := range 1 << t.Width {
			one := match{{value: big.NewInt(int64(v)), mask: big.NewInt(int64(1<<t.Width - 1)), lo: big.NewInt(int64(v)), hi: big.NewInt(int64(v))}}
			if !coveredBy(one, cases) {
				return false
			}
		}
		return true
	}
	return false
}
