package softswitch

import (
	"fmt"
	"slices"

	configv1 "github.com/p4lang/p4runtime/go/p4/config/v1"
	p4v1 "github.com/p4lang/p4runtime/go/p4/v1"

	"github.com/interlock/interlock/api/softswitch/dataplane"
)

// A dataDecoder is the way back of a dataEncoder: it reads P4Data of the type that the P4Info describes into scalars, in order.
type dataDecoder struct{ dataEncoder }

// reading decodes what begins at one field.
type reading func(d *p4v1.P4Data, into []uint64) error

func (e *dataDecoder) of(t *configv1.P4DataTypeSpec) (reading, error) {
	switch t := t.GetTypeSpec().(type) {
	case *configv1.P4DataTypeSpec_Bitstring:
		f, err := e.next()
		decode := decodeBits
		if t.Bitstring.GetInt() != nil {
			decode = decodeSigned
		}
		return func(d *p4v1.P4Data, into []uint64) error {
			b, ok := d.GetData().(*p4v1.P4Data_Bitstring)
			if !ok {
				return bad("a %s where a bit string of %d bits belongs", kindOf(d), f.Width)
			}
			return decode(b.Bitstring, f.Width, words(into, f))
		}, err
	case *configv1.P4DataTypeSpec_Bool:
		f, err := e.next()
		return func(d *p4v1.P4Data, into []uint64) error {
			b, ok := d.GetData().(*p4v1.P4Data_Bool)
			if !ok {
				return bad("a %s where a bool belongs", kindOf(d))
			}
			if into[f.Offset] = 0; b.Bool {
				into[f.Offset] = 1
			}
			return nil
		}, err
	case *configv1.P4DataTypeSpec_Tuple:
		parts, err := e.list(t.Tuple.GetMembers())
		return func(d *p4v1.P4Data, into []uint64) error {
			return readAll(parts, d, d.GetTuple(), "tuple", into)
		}, err
	case *configv1.P4DataTypeSpec_Struct:
		var members []*configv1.P4DataTypeSpec
		for _, m := range e.info.GetStructs()[t.Struct.GetName()].GetMembers() {
			members = append(members, m.GetTypeSpec())
		}
		parts, err := e.list(members)
		return func(d *p4v1.P4Data, into []uint64) error {
			return readAll(parts, d, d.GetStruct(), "struct", into)
		}, err
	case *configv1.P4DataTypeSpec_NewType:
		if n := e.info.GetNewTypes()[t.NewType.GetName()]; n.GetOriginalType() != nil {
			return e.of(n.GetOriginalType())
		}
	case *configv1.P4DataTypeSpec_SerializableEnum:
		f, err := e.next()
		return func(d *p4v1.P4Data, into []uint64) error {
			v, ok := d.GetData().(*p4v1.P4Data_EnumValue)
			if !ok {
				return bad("a %s where a value of an enum belongs", kindOf(d))
			}
			return decodeBits(v.EnumValue, f.Width, words(into, f))
		}, err
	case *configv1.P4DataTypeSpec_Enum:
		var names []string
		for _, m := range e.info.GetEnums()[t.Enum.GetName()].GetMembers() {
			names = append(names, m.GetName())
		}
		f, err := e.next()
		return func(d *p4v1.P4Data, into []uint64) error {
			i := slices.Index(names, d.GetEnum())
			if i < 0 {
				return bad("%q is no member of the enum", d.GetEnum())
			}
			into[f.Offset] = uint64(i)
			return nil
		}, err
	}
	return nil, fmt.Errorf("data of type %v in a register: %w", t, dataplane.ErrUnsupported)
}

func (e *dataDecoder) list(ts []*configv1.P4DataTypeSpec) (parts []reading, err error) {
	for _, t := range ts {
		p, err := e.of(t)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// readAll reads the members of a struct or tuple.
func readAll(parts []reading, d *p4v1.P4Data, members *p4v1.P4StructLike, what string, into []uint64) error {
	if members == nil {
		return bad("a %s where a %s belongs", kindOf(d), what)
	}
	if n := len(members.GetMembers()); n != len(parts) {
		return bad("a %s of %d members, not %d", what, n, len(parts))
	}
	for i, p := range parts {
		if err := p(members.GetMembers()[i], into); err != nil {
			return err
		}
	}
	return nil
}

// kindOf names what data is.
func kindOf(d *p4v1.P4Data) string {
	if which := d.ProtoReflect().WhichOneof(d.ProtoReflect().Descriptor().Oneofs().ByName("data")); which != nil {
		return string(which.Name())
	}
	return "nothing"
}
