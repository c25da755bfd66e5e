package softswitch

import (
	"fmt"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// boundKeys are the keys of a table or value set with the ids that P4Runtime knows them by.
type boundKeys struct {
	of       string // what they are the keys of
	keys     []dataplane.Key
	fields   map[uint32]int // match field id -> index into keys
	fieldIDs []uint32
}

func bindKeys(of string, keys []dataplane.Key, info []*configv1.MatchField) (*boundKeys, error) {
	if len(info) != len(keys) {
		return nil, fmt.Errorf("%s has %d keys, its P4Info %d", of, len(keys), len(info))
	}
	b := &boundKeys{of: of, keys: keys, fields: map[uint32]int{}, fieldIDs: make([]uint32, len(keys))}
	for i, f := range info {
		if int(f.GetBitwidth()) != keys[i].Width {
			return nil, fmt.Errorf("%s, key %s: %d bits, in its P4Info %d", of, f.GetName(), keys[i].Width, f.GetBitwidth())
		}
		b.fields[f.GetId()], b.fieldIDs[i] = i, f.GetId()
	}
	return b, nil
}

// decodeMatch reads the match and checks the priority of an entry.
func (b *boundTable) decodeMatch(e *p4v1.TableEntry) ([]dataplane.Match, error) {
	switch {
	case b.Priority && e.GetPriority() <= 0:
		return nil, status.Errorf(codes.InvalidArgument, "an entry of table %s needs a positive priority", b.Name)
	case !b.Priority && e.GetPriority() != 0:
		return nil, status.Errorf(codes.InvalidArgument, "entries of table %s have no priority", b.Name)
	}
	return b.keys.decode(e.GetMatch())
}

// decode reads what an entry or member asks of each key.
func (b *boundKeys) decode(match []*p4v1.FieldMatch) ([]dataplane.Match, error) {
	ms := make([]dataplane.Match, len(b.keys))
	for i := range ms {
		ms[i].Any = true
	}
	for _, f := range match {
		i, ok := b.fields[f.GetFieldId()]
		if !ok {
			return nil, status.Errorf(codes.InvalidArgument, "%s has no match field %d", b.of, f.GetFieldId())
		}
		if !ms[i].Any {
			return nil, status.Errorf(codes.InvalidArgument, "match field %d is there twice", f.GetFieldId())
		}
		m, err := decodeField(b.keys[i], f)
		if err != nil {
			return nil, status.Errorf(status.Code(err), "%s, key %s: %s", b.of, b.keys[i].Name, status.Convert(err).Message())
		}
		ms[i] = m
	}
	for i, k := range b.keys {
		if k.Kind == dataplane.Exact && ms[i].Any {
			return nil, status.Errorf(codes.InvalidArgument, "%s, key %s: an exact match cannot be left out", b.of, k.Name)
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

// encode is a match in canonical form: in the order of the P4Info, the shortest byte strings, no field for what matches anything.
func (b *boundKeys) encode(ms []dataplane.Match) (fs []*p4v1.FieldMatch) {
	for i := range ms {
		if f := b.encodeField(i, &ms[i]); f != nil {
			fs = append(fs, f)
		}
	}
	return fs
}

func (b *boundKeys) encodeField(i int, m *dataplane.Match) *p4v1.FieldMatch {
	if m.Any {
		return nil
	}
	f := &p4v1.FieldMatch{FieldId: b.fieldIDs[i]}
	switch b.keys[i].Kind {
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
