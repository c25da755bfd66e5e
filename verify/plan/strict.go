package plan

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/interlock/interlock/verify/wire"
)

// unmarshal decodes b into m and refuses whatever a switch might read otherwise than we do.
func unmarshal(b []byte, m proto.Message, w where) error {
	if err := wire.Unmarshal(b, m); err != nil {
		return w.errorf("%w", err)
	}
	return nil
}

// onlyFields refuses a message in which fields other than the named ones are set.
func onlyFields(m proto.Message, w where, names ...string) error {
	if f := wire.OtherField(m, names...); f != "" {
		return w.dot("%s", f).errorf("must not be set here")
	}
	return nil
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
