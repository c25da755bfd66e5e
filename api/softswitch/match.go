package softswitch

import (
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// decodeMatch reads the match and checks the priority of an entry.
func (b *boundTable) decodeMatch(e *p4v1.TableEntry) ([]dataplane.Match, error) {
	switch {
	case b.Priority && e.GetPriority() <= 0:
		return nil, status.Errorf(codes.InvalidArgument, "an entry of table %s needs a positive priority", b.Name)
	case !b.Priority && e.GetPriority() != 0:
		return nil, status.Errorf(codes.InvalidArgument, "entries of table %s have no priority", b.Name)
	}
	ms := make([]dataplane.Match, len(b.Keys))
	for i := range ms {
		ms[i].Any = true
	}
	for _, f := range e.GetMatch() {
		i, ok := b.fields[f.GetFieldId()]
		if !ok {
			return nil, status.Errorf(codes.InvalidArgument, "table %s has no match field %d", b.Name, f.GetFieldId())
		}
		if !ms[i].Any {
			return nil, status.Errorf(codes.InvalidArgument, "match field %d is there twice", f.GetFieldId())
		}
		m, err := decodeField(b.Keys[i], f)
		if err != nil {
			return nil, status.Errorf(status.Code(err), "table %s, key %s: %s", b.Name, b.Keys[i].Name, status.Convert(err).Message())
		}
		ms[i] = m
	}
	for i, k := range b.Keys {
		if k.Kind == dataplane.Exact && ms[i].Any {
			return nil, status.Errorf(codes.InvalidArgument, "table %s, key %s: an exact match cannot be left out", b.Name, k.Name)
		}
	}
	return ms, nil
}

func bad(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

func decodeField(k dataplane.Key, f *p4v1.FieldMatch) (dataplane.Match, error) {
	value := func(b []byte) ([]uint64, error) {
		w := make([]uint64, k.Words())
		return w, decodeBits(b, k.Width, w)
	}
	pair := func(x, y []byte) (m dataplane.Match, err error) {
		if m.Value, err = value(x); err == nil {
			m.Mask, err = value(y)
		}
		return m, err
	}
	switch f := f.GetFieldMatchType().(type) {
	case *p4v1.FieldMatch_Exact_:
		if k.Kind == dataplane.Exact {
			v, err := value(f.Exact.GetValue())
			return dataplane.Match{Value: v}, err
		}
	case *p4v1.FieldMatch_Optional_:
		if k.Kind == dataplane.Optional {
			v, err := value(f.Optional.GetValue())
			return dataplane.Match{Value: v}, err
		}
	case *p4v1.FieldMatch_Lpm:
		if k.Kind == dataplane.LPM {
			return decodeLPM(k, f.Lpm, value)
		}
	case *p4v1.FieldMatch_Ternary_:
		if k.Kind == dataplane.Ternary {
			m, err := pair(f.Ternary.GetValue(), f.Ternary.GetMask())
			if err != nil {
				return m, err
			}
			some := false
			for i := range m.Mask {
				some = some || m.Mask[i] != 0
				if m.Value[i]&^m.Mask[i] != 0 {
					return m, bad("the value has bits outside its mask")
				}
			}
			if !some {
				return m, bad("a mask of zeros must be left out")
			}
			return m, nil
		}
	case *p4v1.FieldMatch_Range_:
		if k.Kind == dataplane.Range {
			m, err := pair(f.Range.GetLow(), f.Range.GetHigh())
			if err != nil {
				return m, err
			}
			switch c := compareWords(m.Value, m.Mask); {
			case c > 0:
				return m, bad("the low bound is above the high one")
			case isFull(m, k.Width):
				return m, bad("a range of everything must be left out")
			}
			return m, nil
		}
	case nil:
		return dataplane.Match{}, bad("a match field without a match")
	}
	return dataplane.Match{}, bad("a match of the wrong kind (%T)", f.GetFieldMatchType())
}

func decodeLPM(k dataplane.Key, f *p4v1.FieldMatch_LPM, value func([]byte) ([]uint64, error)) (dataplane.Match, error) {
	n := int(f.GetPrefixLen())
	if n <= 0 {
		return dataplane.Match{}, bad("a prefix of no bits must be left out")
	}
	if n > k.Width {
		return dataplane.Match{}, bad("a prefix of %d bits of %d", n, k.Width)
	}
	v, err := value(f.GetValue())
	if err != nil {
		return dataplane.Match{}, err
	}
	for i := range k.Width - n {
		if v[i/64]>>(i%64)&1 != 0 {
			return dataplane.Match{}, bad("the value has bits after its prefix of %d", n)
		}
	}
	return dataplane.Match{Value: v, Len: n}, nil
}

func compareWords(a, b []uint64) int {
	for i := len(a) - 1; i >= 0; i-- {
		switch {
		case a[i] < b[i]:
			return -1
		case a[i] > b[i]:
			return 1
		}
	}
	return 0
}

// isFull tells a range that holds every value of width bits.
func isFull(m dataplane.Match, width int) bool {
	for i := range m.Value {
		all := ^uint64(0)
		if rest := width - 64*i; rest < 64 {
			all = 1<<rest - 1
		}
		if m.Value[i] != 0 || m.Mask[i] != all {
			return false
		}
	}
	return true
}

func (b *boundTable) encodeMatch(i int, m *dataplane.Match) *p4v1.FieldMatch {
	if m.Any {
		return nil
	}
	f := &p4v1.FieldMatch{FieldId: b.fieldIDs[i]}
	switch b.Keys[i].Kind {
	case dataplane.Exact:
		f.FieldMatchType = &p4v1.FieldMatch_Exact_{Exact: &p4v1.FieldMatch_Exact{Value: encodeBits(m.Value)}}
	case dataplane.Optional:
		f.FieldMatchType = &p4v1.FieldMatch_Optional_{Optional: &p4v1.FieldMatch_Optional{Value: encodeBits(m.Value)}}
	case dataplane.LPM:
		f.FieldMatchType = &p4v1.FieldMatch_Lpm{Lpm: &p4v1.FieldMatch_LPM{Value: encodeBits(m.Value), PrefixLen: int32(m.Len)}}
	case dataplane.Ternary:
		f.FieldMatchType = &p4v1.FieldMatch_Ternary_{Ternary: &p4v1.FieldMatch_Ternary{
			Value: encodeBits(m.Value), Mask: encodeBits(m.Mask),
		}}
	case dataplane.Range:
		f.FieldMatchType = &p4v1.FieldMatch_Range_{Range: &p4v1.FieldMatch_Range{
			Low: encodeBits(m.Value), High: encodeBits(m.Mask),
		}}
	}
	return f
}

// decodeAction reads the action of an entry, or of the default entry.
func (b *boundTable) decodeAction(ta *p4v1.TableAction, isDefault bool) (*dataplane.Do, error) {
	t, ok := ta.GetType().(*p4v1.TableAction_Action)
	if !ok {
		return nil, bad("table %s: an entry needs an action", b.Name)
	}
	i, ok := b.actions[t.Action.GetActionId()]
	if !ok {
		return nil, bad("table %s has no action %#x", b.Name, t.Action.GetActionId())
	}
	a := &b.Actions[i]
	switch {
	case isDefault && a.TableOnly:
		return nil, status.Errorf(codes.PermissionDenied, "table %s: action %s is not for the default entry", b.Name, a.Name)
	case !isDefault && a.DefaultOnly:
		return nil, status.Errorf(codes.PermissionDenied, "table %s: action %s is for the default entry only", b.Name, a.Name)
	}
	n := 0
	for _, p := range a.Params {
		n = max(n, p.Offset()+p.Words())
	}
	do := &dataplane.Do{Action: i, Args: make([]uint64, n)}
	seen := make([]bool, len(a.Params))
	for _, v := range t.Action.GetParams() {
		j, ok := b.params[i][v.GetParamId()]
		if !ok {
			return nil, bad("action %s has no parameter %d", a.Name, v.GetParamId())
		}
		if seen[j] {
			return nil, bad("action %s: parameter %d is there twice", a.Name, v.GetParamId())
		}
		seen[j] = true
		p := a.Params[j]
		if err := decodeBits(v.GetValue(), p.Width, do.Args[p.Offset():p.Offset()+p.Words()]); err != nil {
			return nil, bad("action %s, parameter %s: %s", a.Name, p.Name, status.Convert(err).Message())
		}
	}
	for j, ok := range seen {
		if !ok {
			return nil, bad("action %s: parameter %s is missing", a.Name, a.Params[j].Name)
		}
	}
	return do, nil
}

func (b *boundTable) encodeAction(do *dataplane.Do) *p4v1.TableAction {
	if do.Action < 0 {
		return nil
	}
	a := &p4v1.Action{ActionId: b.actionIDs[do.Action]}
	for j, p := range b.Actions[do.Action].Params {
		a.Params = append(a.Params, &p4v1.Action_Param{
			ParamId: b.paramIDs[do.Action][j], Value: encodeBits(do.Args[p.Offset() : p.Offset()+p.Words()]),
		})
	}
	return &p4v1.TableAction{Type: &p4v1.TableAction_Action{Action: a}}
}
