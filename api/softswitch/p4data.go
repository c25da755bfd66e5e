package softswitch

import (
	"fmt"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// A dataEncoder turns the scalars of a sample, in order, into P4Data of the type that the P4Info describes.
type dataEncoder struct {
	info   *configv1.P4TypeInfo
	fields []dataplane.SampleField
}

// part encodes what begins at one field of a sample.
type part func(sample []uint64) *p4v1.P4Data

func (e *dataEncoder) next() (dataplane.SampleField, error) {
	if len(e.fields) == 0 {
		return dataplane.SampleField{}, fmt.Errorf("the P4Info has more fields than the sample: %w", dataplane.ErrUnsupported)
	}
	f := e.fields[0]
	e.fields = e.fields[1:]
	return f, nil
}

// of makes the encoder of one type, and takes its fields off the list.
func (e *dataEncoder) of(t *configv1.P4DataTypeSpec) (part, error) {
	switch t := t.GetTypeSpec().(type) {
	case *configv1.P4DataTypeSpec_Bitstring:
		return e.bitstring(t.Bitstring)
	case *configv1.P4DataTypeSpec_Bool:
		f, err := e.next()
		return func(s []uint64) *p4v1.P4Data {
			return &p4v1.P4Data{Data: &p4v1.P4Data_Bool{Bool: s[f.Offset] != 0}}
		}, err
	case *configv1.P4DataTypeSpec_Tuple:
		parts, err := e.list(t.Tuple.GetMembers())
		return func(s []uint64) *p4v1.P4Data {
			return &p4v1.P4Data{Data: &p4v1.P4Data_Tuple{Tuple: &p4v1.P4StructLike{Members: all(parts, s)}}}
		}, err
	case *configv1.P4DataTypeSpec_Struct:
		var members []*configv1.P4DataTypeSpec
		for _, m := range e.info.GetStructs()[t.Struct.GetName()].GetMembers() {
			members = append(members, m.GetTypeSpec())
		}
		parts, err := e.list(members)
		return func(s []uint64) *p4v1.P4Data {
			return &p4v1.P4Data{Data: &p4v1.P4Data_Struct{Struct: &p4v1.P4StructLike{Members: all(parts, s)}}}
		}, err
	case *configv1.P4DataTypeSpec_Header:
		return e.header(t.Header.GetName())
	case *configv1.P4DataTypeSpec_NewType:
		if n := e.info.GetNewTypes()[t.NewType.GetName()]; n.GetOriginalType() != nil {
			return e.of(n.GetOriginalType())
		}
	case *configv1.P4DataTypeSpec_SerializableEnum:
		f, err := e.next()
		return func(s []uint64) *p4v1.P4Data {
			return &p4v1.P4Data{Data: &p4v1.P4Data_EnumValue{EnumValue: encodeBits(words(s, f))}}
		}, err
	case *configv1.P4DataTypeSpec_Enum:
		var names []string
		for _, m := range e.info.GetEnums()[t.Enum.GetName()].GetMembers() {
			names = append(names, m.GetName())
		}
		f, err := e.next()
		return func(s []uint64) *p4v1.P4Data {
			return &p4v1.P4Data{Data: &p4v1.P4Data_Enum{Enum: name(names, s[f.Offset])}}
		}, err
	case *configv1.P4DataTypeSpec_Error:
		names := e.info.GetError().GetMembers()
		f, err := e.next()
		return func(s []uint64) *p4v1.P4Data {
			return &p4v1.P4Data{Data: &p4v1.P4Data_Error{Error: name(names, s[f.Offset])}}
		}, err
	}
	return nil, fmt.Errorf("data of type %v: %w", t, dataplane.ErrUnsupported)
}

func name(names []string, i uint64) string {
	if i < uint64(len(names)) {
		return names[i]
	}
	return ""
}

// words are those of a scalar.
func words(s []uint64, f dataplane.SampleField) []uint64 {
	return s[f.Offset : f.Offset+(f.Width+63)/64]
}

func (e *dataEncoder) bitstring(t *configv1.P4BitstringLikeTypeSpec) (part, error) {
	f, err := e.next()
	switch t.GetTypeSpec().(type) {
	case *configv1.P4BitstringLikeTypeSpec_Bit:
		return func(s []uint64) *p4v1.P4Data {
			return &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: encodeBits(words(s, f))}}
		}, err
	case *configv1.P4BitstringLikeTypeSpec_Int:
		return func(s []uint64) *p4v1.P4Data {
			return &p4v1.P4Data{Data: &p4v1.P4Data_Bitstring{Bitstring: encodeSigned(words(s, f), f.Width)}}
		}, err
	}
	return nil, fmt.Errorf("data of type %v: %w", t, dataplane.ErrUnsupported)
}

func (e *dataEncoder) list(ts []*configv1.P4DataTypeSpec) ([]part, error) {
	var parts []part
	for _, t := range ts {
		p, err := e.of(t)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func all(parts []part, s []uint64) []*p4v1.P4Data {
	ds := make([]*p4v1.P4Data, len(parts))
	for i, p := range parts {
		ds[i] = p(s)
	}
	return ds
}

func (e *dataEncoder) header(name string) (part, error) {
	valid, err := e.next()
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, m := range e.info.GetHeaders()[name].GetMembers() {
		p, err := e.bitstring(m.GetTypeSpec())
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return func(s []uint64) *p4v1.P4Data {
		h := &p4v1.P4Header{}
		if h.IsValid = s[valid.Offset] != 0; h.IsValid {
			for _, p := range parts {
				h.Bitstrings = append(h.Bitstrings, p(s).GetBitstring())
			}
		}
		return &p4v1.P4Data{Data: &p4v1.P4Data_Header{Header: h}}
	}, nil
}

// dataEncoderOf makes the encoder of a digest's samples.
func dataEncoderOf(d *dataplane.Digest, t *configv1.P4DataTypeSpec, info *configv1.P4TypeInfo) (part, error) {
	e := &dataEncoder{info, d.Fields}
	p, err := e.of(t)
	if err == nil && len(e.fields) > 0 {
		err = fmt.Errorf("the sample has more fields than the P4Info: %w", dataplane.ErrUnsupported)
	}
	if err != nil {
		return nil, fmt.Errorf("digest %s: %w", d.Name, err)
	}
	return p, nil
}
