package policy

import (
	"fmt"
	"math/big"
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// maxRatioBits bounds a ratio's numerator and denominator: cost limits count operations, not digits.
const maxRatioBits = 4096

// ratioType is the CEL type of Ratio. Comparison and arithmetic go through the traits.
var ratioType = types.NewObjectType("interlock.Ratio", traits.AdderType|traits.ComparerType|traits.DividerType|
	traits.MultiplierType|traits.NegatorType|traits.SubtractorType)

// Ratio is an exact rational number. It is immutable; the zero Ratio is 0.
type Ratio struct{ r *big.Rat }

// NewRatio returns a/b. It is an error when b is 0.
func NewRatio(a, b int64) (Ratio, error) {
	if b == 0 {
		return Ratio{}, fmt.Errorf("ratio(%d, 0): division by zero", a)
	}
	return Ratio{big.NewRat(a, b)}, nil
}

// RatioOf is the number r; nil is 0.
func RatioOf(r *big.Rat) Ratio {
	if r == nil {
		return Ratio{}
	}
	return Ratio{new(big.Rat).Set(r)}
}

// ParseRatio reads "a/b", an integer, or a decimal fraction such as "0.98", exactly.
func ParseRatio(s string) (Ratio, error) {
	if len(s) > 64 {
		return Ratio{}, fmt.Errorf("%.16q...: longer than 64 characters", s)
	}
	for _, c := range s {
		if (c < '0' || c > '9') && c != '/' && c != '.' && c != '-' {
			return Ratio{}, fmt.Errorf("%q is not a ratio such as 1/3 or 0.25", s)
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return Ratio{}, fmt.Errorf("%q is not a ratio such as 1/3 or 0.25", s)
	}
	return Ratio{r}, nil
}

func integer(i int64) Ratio { return Ratio{new(big.Rat).SetInt64(i)} }

// toRatio reads a CEL value that the checker knows to be a Ratio or an int.
func toRatio(v ref.Val) Ratio {
	switch v := v.(type) {
	case Ratio:
		return v
	case types.Int:
		return integer(int64(v))
	}
	return Ratio{} // unreachable
}

// IsZero says that the number is 0.
func (x Ratio) IsZero() bool { return x.rat().Sign() == 0 }

// MarshalText implements encoding.TextMarshaler: the number in lowest terms.
func (x Ratio) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (x *Ratio) UnmarshalText(b []byte) (err error) {
	*x, err = ParseRatio(string(b))
	return err
}

// Rat returns a copy of the number.
func (x Ratio) Rat() *big.Rat { return new(big.Rat).Set(x.rat()) }

func (x Ratio) rat() *big.Rat {
	if x.r == nil {
		return new(big.Rat)
	}
	return x.r
}

// Cmp compares exactly: -1, 0 or 1.
func (x Ratio) Cmp(y Ratio) int { return x.rat().Cmp(y.rat()) }

// String is the number in lowest terms: "2/3", or "2" for a whole one.
func (x Ratio) String() string { return x.rat().RatString() }

func ratioOf(v ref.Val) (*big.Rat, bool) {
	switch v := v.(type) {
	case Ratio:
		return v.rat(), true
	case types.Int:
		return new(big.Rat).SetInt64(int64(v)), true
	}
	return nil, false
}

func ratioVal(r *big.Rat) ref.Val {
	if r.Num().BitLen() > maxRatioBits || r.Denom().BitLen() > maxRatioBits {
		return types.NewErr("ratio has more than %d bits", maxRatioBits)
	}
	return Ratio{r}
}

// Add implements traits.Adder.
func (x Ratio) Add(other ref.Val) ref.Val {
	if y, ok := ratioOf(other); ok {
		return ratioVal(new(big.Rat).Add(x.rat(), y))
	}
	return types.MaybeNoSuchOverloadErr(other)
}

// Subtract implements traits.Subtractor.
func (x Ratio) Subtract(other ref.Val) ref.Val {
	if y, ok := ratioOf(other); ok {
		return ratioVal(new(big.Rat).Sub(x.rat(), y))
	}
	return types.MaybeNoSuchOverloadErr(other)
}

// Multiply implements traits.Multiplier.
func (x Ratio) Multiply(other ref.Val) ref.Val {
	if y, ok := ratioOf(other); ok {
		return ratioVal(new(big.Rat).Mul(x.rat(), y))
	}
	return types.MaybeNoSuchOverloadErr(other)
}

// Divide implements traits.Divider. Division by zero is an error.
func (x Ratio) Divide(other ref.Val) ref.Val {
	y, ok := ratioOf(other)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	if y.Sign() == 0 {
		return types.NewErr("division by zero")
	}
	return ratioVal(new(big.Rat).Quo(x.rat(), y))
}

// Negate implements traits.Negater.
func (x Ratio) Negate() ref.Val { return Ratio{new(big.Rat).Neg(x.rat())} }

// Compare implements traits.Comparer.
func (x Ratio) Compare(other ref.Val) ref.Val {
	if y, ok := ratioOf(other); ok {
		return types.Int(x.rat().Cmp(y))
	}
	return types.MaybeNoSuchOverloadErr(other)
}

// Equal implements ref.Val.
func (x Ratio) Equal(other ref.Val) ref.Val {
	y, ok := other.(Ratio)
	return types.Bool(ok && x.Cmp(y) == 0)
}

// ConvertToNative implements ref.Val.
func (x Ratio) ConvertToNative(t reflect.Type) (any, error) {
	if t == reflect.TypeFor[Ratio]() {
		return x, nil
	}
	if t.Kind() == reflect.String {
		return x.String(), nil
	}
	return nil, fmt.Errorf("no conversion of a ratio to %v", t)
}

// ConvertToType implements ref.Val.
func (x Ratio) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.StringType:
		return types.String(x.String())
	case ratioType:
		return x
	case types.TypeType:
		return ratioType
	}
	return types.NewErr("no conversion of a ratio to %s", t.TypeName())
}

// Type implements ref.Val.
func (x Ratio) Type() ref.Type { return ratioType }

// Value implements ref.Val.
func (x Ratio) Value() any { return x }
