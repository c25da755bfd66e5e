package dataplane

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/interlock/interlock/linker/p4/types"
)

// shown makes texts of a scalar's words: of booleans, enums and errors their names, of signed numbers decimal ones, of others
// hexadecimal ones, or decimal ones if asked for.
func shown(t types.Type, errors []string, decimal bool) func([]uint64) string {
	pick := func(names []string) func([]uint64) string {
		return func(w []uint64) string {
			if w[0] < uint64(len(names)) {
				return names[w[0]]
			}
			return fmt.Sprint(w[0])
		}
	}
	switch t := under(t).(type) {
	case *types.Basic:
		switch t.Kind {
		case types.BoolKind:
			return pick([]string{"false", "true"})
		case types.ErrorKind:
			return pick(errors)
		}
	case *types.Enum:
		if t.Underlying == nil {
			return pick(t.Members)
		}
	case *types.Varbit:
		return func(w []uint64) string {
			return fmt.Sprintf("%s (%d bits)", hexWords(w[1:], int(w[0])), w[0])
		}
	}
	width, signed, _ := widthOf(t)
	return func(w []uint64) string {
		if signed {
			n := bigOf(w)
			if width > 0 && n.Bit(width-1) == 1 {
				n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(width)))
			}
			return n.String()
		}
		if decimal {
			return bigOf(w).String()
		}
		return hexWords(w, width)
	}
}

func bigOf(w []uint64) *big.Int {
	n := new(big.Int)
	for i := len(w) - 1; i >= 0; i-- {
		n.Or(n.Lsh(n, 64), new(big.Int).SetUint64(w[i]))
	}
	return n
}

// hexWords is the value with as many digits as the width has.
func hexWords(w []uint64, width int) string {
	s := bigOf(w).Text(16)
	if n := (width + 3) / 4; len(s) < n {
		s = strings.Repeat("0", n-len(s)) + s
	}
	return "0x" + s
}
