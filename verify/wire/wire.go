// Package wire reads P4Runtime messages as a verifier must: what a switch might read otherwise than we do is refused. It says nothing
// about what messages mean.
package wire

import (
	"bytes"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Unmarshal decodes b into m and refuses unknown fields anywhere, and any encoding but the one that marshalling m gives (fields out of
// order, values written twice, overlong varints).
func Unmarshal(b []byte, m proto.Message) error {
	name := m.ProtoReflect().Descriptor().Name()
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, m); err != nil {
		return fmt.Errorf("not a %s: %w", name, err)
	}
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return fmt.Errorf("cannot be written again: %w", err)
	}
	if bytes.Equal(b, again) {
		return nil
	}
	// What was discarded is missing in again: say where it was.
	full := m.ProtoReflect().New().Interface()
	if proto.Unmarshal(b, full) == nil {
		if path, ok := UnknownField(full); ok {
			return fmt.Errorf("unknown field in %s", path)
		}
	}
	return fmt.Errorf("not in canonical form: the same %s is written in %d bytes, these are %d", name, len(again), len(b))
}

// UnknownField returns the path of the first message, at any depth, that carries fields which its descriptor does not have.
func UnknownField(m proto.Message) (string, bool) { return unknownField(m.ProtoReflect(), "") }

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

// OtherField returns a field that is set in m and is none of names; "" if there is none.
func OtherField(m proto.Message, names ...string) string {
	other := ""
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if !slices.Contains(names, string(f.Name())) {
			other = string(f.Name())
		}
		return other == ""
	})
	return other
}
