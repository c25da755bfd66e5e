package plan

import (
	"bytes"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// unmarshal decodes b into m and refuses whatever a switch might read otherwise than we do: unknown fields anywhere, and any
// encoding but the one that marshalling m gives (fields out of order, values written twice, overlong varints).
func unmarshal(b []byte, m proto.Message, w where) error {
	name := m.ProtoReflect().Descriptor().Name()
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, m); err != nil {
		return w.errorf("not a %s: %w", name, err)
	}
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return w.errorf("cannot be written again: %w", err)
	}
	if bytes.Equal(b, again) {
		return nil
	}
	// What was discarded is missing in again: say where it was.
	full := m.ProtoReflect().New().Interface()
	if proto.Unmarshal(b, full) == nil {
		if path, ok := unknownField(full.ProtoReflect(), ""); ok {
			return w.errorf("unknown field in %s", path)
		}
	}
	return w.errorf("not in canonical form: the same %s is written in %d bytes, these are %d", name, len(again), len(b))
}

// unknownField returns the path of the first message, at any depth, that carries fields which its descriptor does not have.
func unknownField(m protoreflect.Message, path string) (string, bool) {
	name := path
	if name == "" {
		name = string(m.Descriptor().Name())
	}
	if len(m.GetUnknown()) > 0 {
		return name, true
	}
	found := ""
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Message() == nil || f.IsMap() {
			if f.IsMap() { // no message of P4Runtime that we accept has one
				found = name + "." + string(f.Name())
			}
			return found == ""
		}
		if f.IsList() {
			for i := range v.List().Len() {
				if p, bad := unknownField(v.List().Get(i).Message(), fmt.Sprintf("%s.%s[%d]", name, f.Name(), i)); bad {
					found = p
					break
				}
			}
			return found == ""
		}
		if p, bad := unknownField(v.Message(), name+"."+string(f.Name())); bad {
			found = p
		}
		return found == ""
	})
	return found, found != ""
}

// onlyFields refuses a message in which fields other than the named ones are set.
func onlyFields(m proto.Message, w where, names ...string) error {
	var err error
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		for _, n := range names {
			if string(f.Name()) == n {
				return true
			}
		}
		err = w.dot("%s", f.Name()).errorf("must not be set here")
		return false
	})
	return err
}

var errBitstring = errors.New("not a canonical bit string")

// bitstring reads P4Runtime's canonical form of an unsigned value of at most 64 bits: as few bytes as possible, at least one,
// most significant first.
func bitstring(b []byte, bits int) (uint64, error) {
	switch {
	case len(b) == 0:
		return 0, fmt.Errorf("%w: empty", errBitstring)
	case len(b) > 1 && b[0] == 0:
		return 0, fmt.Errorf("%w: leading zero in %x", errBitstring, b)
	case len(b) > 8:
		return 0, fmt.Errorf("%w: %d bytes for %d bits", errBitstring, len(b), bits)
	}
	var v uint64
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	if bits < 64 && v>>bits != 0 {
		return 0, fmt.Errorf("%w: %#x does not fit %d bits", errBitstring, v, bits)
	}
	return v, nil
}
