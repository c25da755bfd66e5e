package policy

import (
	"math/big"
	"math/bits"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

const (
	dominantShareID = "dominant_share"
	sumIntID        = "sum_list_int"
	sumRatioID      = "sum_list_ratio"
	minIntID        = "min_list_int"
	minRatioID      = "min_list_ratio"
	maxIntID        = "max_list_int"
	maxRatioID      = "max_list_ratio"
)

func ratioFunctions() []cel.EnvOption {
	type overload struct {
		op, id string
		l, r   *types.Type
		result *types.Type
	}
	var opts []cel.EnvOption
	for _, o := range []overload{
		{operators.Add, "add_ratio", ratioType, ratioType, ratioType},
		{operators.Add, "add_ratio_int", ratioType, types.IntType, ratioType},
		{operators.Subtract, "subtract_ratio", ratioType, ratioType, ratioType},
		{operators.Subtract, "subtract_ratio_int", ratioType, types.IntType, ratioType},
		{operators.Multiply, "multiply_ratio", ratioType, ratioType, ratioType},
		{operators.Multiply, "multiply_ratio_int", ratioType, types.IntType, ratioType},
		{operators.Divide, "divide_ratio", ratioType, ratioType, ratioType},
		{operators.Divide, "divide_ratio_int", ratioType, types.IntType, ratioType},
		{operators.Less, "less_ratio", ratioType, ratioType, types.BoolType},
		{operators.Less, "less_ratio_int", ratioType, types.IntType, types.BoolType},
		{operators.LessEquals, "less_equals_ratio", ratioType, ratioType, types.BoolType},
		{operators.LessEquals, "less_equals_ratio_int", ratioType, types.IntType, types.BoolType},
		{operators.Greater, "greater_ratio", ratioType, ratioType, types.BoolType},
		{operators.Greater, "greater_ratio_int", ratioType, types.IntType, types.BoolType},
		{operators.GreaterEquals, "greater_equals_ratio", ratioType, ratioType, types.BoolType},
		{operators.GreaterEquals, "greater_equals_ratio_int", ratioType, types.IntType, types.BoolType},
	} {
		// No binding: the standard operator's own dispatches on the left operand's trait.
		opts = append(opts, cel.Function(o.op, cel.Overload(o.id, []*types.Type{o.l, o.r}, o.result)))
	}
	return append(opts,
		cel.Function(operators.Negate, cel.Overload("negate_ratio", []*types.Type{ratioType}, ratioType)),
		cel.Function(overloads.TypeConvertString, cel.Overload("ratio_to_string", []*types.Type{ratioType}, types.StringType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return v.ConvertToType(types.StringType) }))),
		cel.Function("ratio",
			cel.Overload("ratio_int", []*types.Type{types.IntType}, ratioType, cel.UnaryBinding(func(v ref.Val) ref.Val {
				return Ratio{new(big.Rat).SetInt64(int64(v.(types.Int)))}
			})),
			cel.Overload("ratio_int_int", []*types.Type{types.IntType, types.IntType}, ratioType,
				cel.BinaryBinding(func(a, b ref.Val) ref.Val {
					r, err := NewRatio(int64(a.(types.Int)), int64(b.(types.Int)))
					if err != nil {
						return types.NewErr("%v", err)
					}
					return r
				}))),
		cel.Function("floor", cel.Overload("floor_ratio", []*types.Type{ratioType}, types.IntType, cel.UnaryBinding(floor))),
		cel.Function("dominantShare", cel.Overload(dominantShareID, []*types.Type{amountsType, amountsType}, ratioType,
			cel.BinaryBinding(dominantShare))),
		cel.Function("sum",
			cel.Overload(sumIntID, []*types.Type{types.NewListType(types.IntType)}, types.IntType, cel.UnaryBinding(sumInts)),
			cel.Overload(sumRatioID, []*types.Type{types.NewListType(ratioType)}, ratioType, cel.UnaryBinding(sumRatios))),
		cel.Function("min",
			cel.Overload(minIntID, []*types.Type{types.NewListType(types.IntType)}, types.IntType, cel.UnaryBinding(least)),
			cel.Overload(minRatioID, []*types.Type{types.NewListType(ratioType)}, ratioType, cel.UnaryBinding(least))),
		cel.Function("max",
			cel.Overload(maxIntID, []*types.Type{types.NewListType(types.IntType)}, types.IntType, cel.UnaryBinding(most)),
			cel.Overload(maxRatioID, []*types.Type{types.NewListType(ratioType)}, ratioType, cel.UnaryBinding(most))),
	)
}

func floor(v ref.Val) ref.Val {
	r := v.(Ratio).rat()
	q, _ := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	if !q.IsInt64() {
		return types.NewErr("floor(%s) does not fit an int", q)
	}
	return types.Int(q.Int64())
}

// dominantShare is the largest usage/capacity over all resources (Ghodsi et al., NSDI 2011, section 4). Holding some of a
// resource that does not exist is an error; holding none of it counts as 0.
func dominantShare(u, c ref.Val) ref.Val {
	usage, capacity := u.(traits.Mapper), c.(traits.Mapper)
	if a, ok := u.(amounts); ok {
		if b, ok := c.(amounts); ok && a.s == b.s {
			return dominantOf(a, b)
		}
	}
	best := new(big.Rat)
	for it := usage.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		v, found := usage.Find(k)
		held, ok := v.(types.Int)
		if !found || !ok {
			return types.NewErr("dominantShare: usage of %v is not an int", k.Value())
		}
		if held == 0 {
			continue
		}
		w, found := capacity.Find(k)
		if !found {
			return types.NewErr("dominantShare: no capacity of %v", k.Value())
		}
		all, ok := w.(types.Int)
		if !ok || all <= 0 {
			return types.NewErr("dominantShare: capacity of %v is %v", k.Value(), w.Value())
		}
		if s := big.NewRat(int64(held), int64(all)); s.Cmp(best) > 0 {
			best = s
		}
	}
	return Ratio{best}
}

// dominantOf is dominantShare over vectors of one space. It compares by cross-multiplication in 128 bits and makes one big number, at
// the end.
func dominantOf(usage, capacity amounts) ref.Val {
	var num, den int64 = 0, 1
	for i, u := range usage.v {
		if u == 0 {
			continue
		}
		c := capacity.v[i]
		if c <= 0 || u < 0 {
			return types.NewErr("dominantShare: usage of %s is %d and its capacity %d", usage.s.names[i], u, c)
		}
		lh, ll := bits.Mul64(uint64(u), uint64(den))
		rh, rl := bits.Mul64(uint64(num), uint64(c))
		if lh > rh || lh == rh && ll > rl {
			num, den = u, c
		}
	}
	return Ratio{big.NewRat(num, den)}
}

func sumInts(v ref.Val) ref.Val {
	var total ref.Val = types.Int(0)
	for it := v.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		next, ok := it.Next().(types.Int)
		if !ok {
			return types.NewErr("sum: an element is not an int")
		}
		t, ok := total.(types.Int)
		if !ok {
			return total // overflow
		}
		total = t.Add(next)
	}
	return total
}

func sumRatios(v ref.Val) ref.Val {
	var total ref.Val = Ratio{}
	for it := v.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		t, ok := total.(Ratio)
		if !ok {
			return total // too many digits
		}
		total = t.Add(it.Next())
	}
	return total
}

func least(v ref.Val) ref.Val { return extreme("min", v, types.IntNegOne) }

func most(v ref.Val) ref.Val { return extreme("max", v, types.IntOne) }

// extreme is the element that compares to all others as sign says, or the same.
func extreme(name string, v ref.Val, sign types.Int) ref.Val {
	var best ref.Val
	for it := v.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		x := it.Next()
		c, ok := x.(traits.Comparer)
		if !ok {
			return types.NewErr("%s: an element cannot be compared", name)
		}
		if best == nil || c.Compare(best) == sign {
			best = x
		}
	}
	if best == nil {
		return types.NewErr("%s of an empty list", name)
	}
	return best
}
