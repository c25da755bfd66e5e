package main

import (
	"context"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	p4configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
)

// named is an object of P4Info.
type named interface{ GetPreamble() *p4configv1.Preamble }

// find is the object with that name, or the only one whose name ends in it.
func find[T named](what, name string, all []T) (T, error) {
	var found []T
	for _, x := range all {
		n := x.GetPreamble().GetName()
		if n == name {
			return x, nil
		}
		if strings.HasSuffix(n, name) || strings.HasSuffix(name, "."+n) {
			found = append(found, x)
		}
	}
	if len(found) != 1 {
		var none T
		return none, &phaseError{"name not found", fmt.Errorf("%d objects of kind %s are called %s", len(found), what, name)}
	}
	return found[0], nil
}

// addEntry inserts a table entry or sets a default action.
func (r *stfRun) addEntry(ctx context.Context, verb string, a *stfAdd) error {
	t, err := find("table", a.table, r.info.Tables)
	if err != nil {
		return err
	}
	act, err := r.action(t, a)
	if err != nil {
		return err
	}
	e := &p4v1.TableEntry{TableId: t.Preamble.Id, Action: &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: act}}}
	if verb == "setdefault" {
		e.IsDefaultAction = true
		return r.write(ctx, p4v1.Update_MODIFY, &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: e}})
	}
	if e.Match, err = matches(t, a.keys); err != nil {
		return err
	}
	if e.Priority, err = priority(t, a.priority); err != nil {
		return err
	}
	return r.write(ctx, p4v1.Update_INSERT, &p4v1.Entity{Entity: &p4v1.Entity_TableEntry{TableEntry: e}})
}

// action finds an action of the table and gives it its arguments.
func (r *stfRun) action(t *p4configv1.Table, a *stfAdd) (*p4v1.Action, error) {
	var listed []*p4configv1.Action
	for _, ref := range t.ActionRefs {
		for _, x := range r.info.Actions {
			if x.Preamble.Id == ref.Id {
				listed = append(listed, x)
			}
		}
	}
	x, err := find("action", a.action, listed)
	if err != nil {
		return nil, err
	}
	act := &p4v1.Action{ActionId: x.Preamble.Id}
	for _, arg := range a.args {
		v, err := stfNumber(arg.value)
		if err != nil {
			return nil, err
		}
		id := uint32(0)
		for _, p := range x.Params {
			if p.Name == arg.name {
				id = p.Id
			}
		}
		if id == 0 {
			return nil, &phaseError{"name not found", fmt.Errorf("action %s has no parameter %s", x.Preamble.Name, arg.name)}
		}
		act.Params = append(act.Params, &p4v1.Action_Param{ParamId: id, Value: bytesOf(v)})
	}
	return act, nil
}

// priority is P4Runtime's: the larger number wins in both, but 0 is none there.
func priority(t *p4configv1.Table, stated string) (int32, error) {
	ranked := false
	for _, f := range t.MatchFields {
		switch f.GetMatchType() {
		case p4configv1.MatchField_TERNARY, p4configv1.MatchField_RANGE, p4configv1.MatchField_OPTIONAL:
			ranked = true
		}
	}
	if !ranked {
		return 0, nil
	}
	if stated == "" {
		return 1, nil
	}
	n, err := strconv.ParseInt(stated, 10, 32)
	return int32(n) + 1, err
}

// matches describes keys; one that is not given is 0 if it is exact, and otherwise anything.
func matches(t *p4configv1.Table, keys []stfPair) ([]*p4v1.FieldMatch, error) {
	given := map[*p4configv1.MatchField]string{}
	for _, k := range keys {
		f := keyField(t, k.name)
		if f == nil {
			return nil, &phaseError{"name not found", fmt.Errorf("table %s has no key %s", t.Preamble.Name, k.name)}
		}
		given[f] = k.value
	}
	var r []*p4v1.FieldMatch
	for _, f := range t.MatchFields {
		v, ok := given[f]
		if !ok {
			if f.GetMatchType() != p4configv1.MatchField_EXACT {
				continue
			}
			v = "0"
		}
		m, err := fieldMatch(f, v)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", f.Name, err)
		}
		if m != nil {
			m.FieldId = f.Id
			r = append(r, m)
		}
	}
	return r, nil
}

var stackIndex = regexp.MustCompile(`\$(\d+)`)

// keyField finds a key by the ways in which tests name it: h$0.f for h[0].f, h.valid for h.isValid(), and the end of a name.
func keyField(t *p4configv1.Table, name string) *p4configv1.MatchField {
	name = stackIndex.ReplaceAllString(name, "[$1]")
	spellings := []string{name, name + "$", name + ".$valid$"}
	if base, ok := strings.CutSuffix(name, ".valid"); ok {
		spellings = append(spellings, base+".$valid$")
	}
	for _, s := range spellings {
		for _, f := range t.MatchFields {
			if f.Name == s {
				return f
			}
		}
	}
	for _, f := range t.MatchFields {
		if strings.HasSuffix(f.Name, "."+name) || name == "valid" && strings.HasSuffix(f.Name, "$valid$") {
			return f
		}
	}
	return nil
}

func fieldMatch(f *p4configv1.MatchField, s string) (*p4v1.FieldMatch, error) {
	width := int(f.Bitwidth)
	all := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(width)), big.NewInt(1))
	switch f.GetMatchType() {
	case p4configv1.MatchField_TERNARY:
		v, m, err := stfMask(s)
		if err != nil {
			return nil, err
		}
		m.And(m, all)
		if m.Sign() == 0 {
			return nil, nil
		}
		return &p4v1.FieldMatch{FieldMatchType: &p4v1.FieldMatch_Ternary_{
			Ternary: &p4v1.FieldMatch_Ternary{Value: bytesOf(v.And(v, m)), Mask: bytesOf(m)},
		}}, nil
	case p4configv1.MatchField_LPM:
		v, length, err := stfPrefix(s, width)
		if err != nil || length == 0 {
			return nil, err
		}
		rest := uint(width - length)
		v.Lsh(v.Rsh(v, rest), rest)
		return &p4v1.FieldMatch{FieldMatchType: &p4v1.FieldMatch_Lpm{
			Lpm: &p4v1.FieldMatch_LPM{Value: bytesOf(v), PrefixLen: int32(length)},
		}}, nil
	}
	v, err := stfNumber(s)
	if err != nil {
		return nil, err
	}
	switch b := bytesOf(v); f.GetMatchType() {
	case p4configv1.MatchField_EXACT:
		return &p4v1.FieldMatch{FieldMatchType: &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: b}}}, nil
	case p4configv1.MatchField_OPTIONAL:
		return &p4v1.FieldMatch{FieldMatchType: &p4v1.FieldMatch_Optional_{Optional: &p4v1.FieldMatch_Optional{Value: b}}}, nil
	case p4configv1.MatchField_RANGE:
		return &p4v1.FieldMatch{FieldMatchType: &p4v1.FieldMatch_Range_{Range: &p4v1.FieldMatch_Range{Low: b, High: b}}}, nil
	}
	return nil, &phaseError{"test not understood", fmt.Errorf("a key of another match kind")}
}
