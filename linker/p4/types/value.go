package types

import (
	"math/big"
	"strings"
)

// maxIntBits bounds arbitrary-precision constants, so that a short expression cannot ask for unbounded memory.
const maxIntBits = 1 << 17

// wrap converts an integer to bit<w> or int<w>.
func wrap(v *big.Int, t *Bit) *big.Int {
	m := new(big.Int).Lsh(big.NewInt(1), uint(t.Width))
	r := new(big.Int).Mod(v, m) // Euclidean: never negative
	if t.Signed && t.Width > 0 && r.Bit(t.Width-1) == 1 {
		r.Sub(r, m)
	}
	return r
}

// limits are the least and greatest values of t.
func limits(t *Bit) (lo, hi *big.Int) {
	one := big.NewInt(1)
	if !t.Signed {
		hi = new(big.Int).Lsh(one, uint(t.Width))
		return new(big.Int), hi.Sub(hi, one)
	}
	hi = new(big.Int).Lsh(one, uint(max(t.Width-1, 0)))
	lo = new(big.Int).Neg(hi)
	return lo, hi.Sub(hi, one)
}

func fits(v *big.Int, t *Bit) bool {
	lo, hi := limits(t)
	return v.Cmp(lo) >= 0 && v.Cmp(hi) <= 0
}

func saturate(v *big.Int, t *Bit) *big.Int {
	lo, hi := limits(t)
	if v.Cmp(lo) < 0 {
		return lo
	}
	if v.Cmp(hi) > 0 {
		return hi
	}
	return v
}

func equalValues(a, b Value) bool { return valueKey(a) == valueKey(b) }

// valueKey is a text that two values of one type share exactly if they are equal.
func valueKey(v Value) string {
	switch v := v.(type) {
	case IntValue:
		return v.Int.String()
	case BoolValue:
		if v {
			return "true"
		}
		return "false"
	case StringValue:
		return "\"" + string(v) + "\""
	case EnumValue:
		return v.Member
	case TupleValue:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = valueKey(e)
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "?"
}
