package policy

import (
	"fmt"
	"math/big"
	"math/bits"
	"reflect"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	celenv "github.com/google/cel-go/common/env"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"
)

// Limits of what an expression may cost, in CEL cost units (a million is about a tenth of a second), and the sizes that the static
// estimate assumes.
const (
	// MaxStaticCost bounds the worst case of one expression, for MaxTenants tenants and MaxResources resources.
	MaxStaticCost = 1_000_000
	// MaxEvalCost bounds one evaluation of one expression.
	MaxEvalCost = 1_000_000
	// MaxTotalCost bounds all evaluations of one call of Entitle or MemoryBounds.
	MaxTotalCost = 100_000_000
	// MaxTenants is how many tenants an allocation may have: one for each VID.
	MaxTenants = 4094
	// MaxResources is how many resources a target may have.
	MaxResources = 256
	// MaxExpression is the longest expression, in characters.
	MaxExpression = 8192

	maxString = 1024
)

var (
	tenantType    = types.NewObjectType("interlock.Tenant")
	paramsType    = types.NewObjectType("interlock.Params")
	variablesType = types.NewObjectType("interlock.Variables")
)

// tenantFields are the fields of `tenant`, as policies see them.
var tenantFields = map[string]*types.FieldType{
	"name":      tenantField(types.StringType, func(t *tenantState) ref.Val { return types.String(t.Name) }),
	"weight":    tenantField(types.IntType, func(t *tenantState) ref.Val { return types.Int(t.Weight) }),
	"budget":    tenantField(types.IntType, func(t *tenantState) ref.Val { return types.Int(t.Budget) }),
	"inelastic": tenantField(types.BoolType, func(t *tenantState) ref.Val { return types.Bool(t.Inelastic) }),
	"demand":    tenantField(amountsType, func(t *tenantState) ref.Val { return amounts{t.space, t.next()} }),
	"want":      tenantField(amountsType, func(t *tenantState) ref.Val { return amounts{t.space, t.want} }),
	"usage":     tenantField(amountsType, func(t *tenantState) ref.Val { return amounts{t.space, t.usage} }),
}

func tenantField(t *types.Type, get func(*tenantState) ref.Val) *types.FieldType {
	return &types.FieldType{
		Type:  t,
		IsSet: func(any) bool { return true },
		GetFrom: func(target any) (any, error) {
			s, ok := target.(*tenantState)
			if !ok {
				return nil, fmt.Errorf("not a tenant: %T", target)
			}
			return get(s), nil
		},
	}
}

// provider resolves the fields of tenant, params and variables; the latter two grow while a document is compiled, so that a
// variable sees only those before it.
type provider struct {
	types.Provider
	fields map[string]map[string]*types.FieldType
}

func newProvider(base types.Provider) *provider {
	return &provider{base, map[string]map[string]*types.FieldType{
		tenantType.TypeName():    tenantFields,
		paramsType.TypeName():    {},
		variablesType.TypeName(): {},
	}}
}

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.fields[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	f, ok := p.fields[name]
	if !ok {
		return p.Provider.FindStructFieldNames(name)
	}
	var out []string
	for n := range f {
		out = append(out, n)
	}
	return out, true
}

// FindStructFieldType implements types.Provider.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	f, ok := p.fields[name]
	if !ok {
		return p.Provider.FindStructFieldType(name, field)
	}
	ft, ok := f[field]
	return ft, ok
}

// NewValue implements types.Provider: policies cannot build tenants, params or variables.
func (p *provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ok := p.fields[name]; ok {
		return types.NewErr("values of type %s cannot be built", name)
	}
	return p.Provider.NewValue(name, fields)
}

// newEnv is the environment of a document's expressions. withPrice declares `price`.
func newEnv(p **provider) (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	*p = newProvider(registry)
	opts := []cel.EnvOption{
		cel.CustomTypeAdapter(registry),
		cel.CustomTypeProvider(*p),
		cel.StdLib(cel.StdLibSubset(&celenv.LibrarySubset{
			IncludeMacros:    []string{operators.Has, operators.All, operators.Exists, operators.ExistsOne, operators.Map, operators.Filter},
			IncludeFunctions: functionSubset(),
		})),
		cel.ParserExpressionSizeLimit(MaxExpression),
		cel.ParserRecursionLimit(64),
		cel.Variable("tenant", tenantType),
		cel.Variable("tenants", types.NewListType(tenantType)),
		cel.Variable("capacity", amountsType),
		cel.Variable("free", amountsType),
		cel.Variable("params", paramsType),
		cel.Variable("variables", variablesType),
	}
	return cel.NewCustomEnv(append(opts, ratioFunctions()...)...)
}

func functionSubset() []*celenv.Function {
	f := func(name string, overloadIDs ...string) *celenv.Function {
		fn := celenv.NewFunction(name)
		for _, id := range overloadIDs {
			fn.Overloads = append(fn.Overloads, celenv.NewOverload(id, nil, nil))
		}
		return fn
	}
	return []*celenv.Function{
		f(operators.Conditional), f(operators.LogicalAnd), f(operators.LogicalOr), f(operators.LogicalNot),
		f(operators.Equals), f(operators.NotEquals), f(operators.NotStrictlyFalse),
		f(operators.Less, overloads.LessInt64, overloads.LessString),
		f(operators.LessEquals, overloads.LessEqualsInt64, overloads.LessEqualsString),
		f(operators.Greater, overloads.GreaterInt64, overloads.GreaterString),
		f(operators.GreaterEquals, overloads.GreaterEqualsInt64, overloads.GreaterEqualsString),
		f(operators.Add, overloads.AddInt64, overloads.AddString, overloads.AddList),
		f(operators.Subtract, overloads.SubtractInt64),
		f(operators.Multiply, overloads.MultiplyInt64),
		f(operators.Divide, overloads.DivideInt64),
		f(operators.Modulo, overloads.ModuloInt64),
		f(operators.Negate, overloads.NegateInt64),
		f(operators.Index), f(operators.In), f(operators.OldIn),
		f(overloads.Size, overloads.SizeString, overloads.SizeList, overloads.SizeMap,
			overloads.SizeStringInst, overloads.SizeListInst, overloads.SizeMapInst),
		f(overloads.TypeConvertString, overloads.StringToString, overloads.BoolToString, overloads.IntToString),
		f(overloads.StartsWith), f(overloads.EndsWith), f(overloads.Contains),
	}
}

const (
	dominantShareID = "dominant_share"
	sumIntID        = "sum_list_int"
	sumRatioID      = "sum_list_ratio"
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

// sizes gives the static cost estimate the largest sizes that an allocation may have.
type sizes struct{}

// EstimateSize implements checker.CostEstimator.
func (sizes) EstimateSize(n checker.AstNode) *checker.SizeEstimate {
	switch n.Type().Kind() {
	case types.MapKind:
		return &checker.SizeEstimate{Min: 0, Max: MaxResources}
	case types.ListKind:
		return &checker.SizeEstimate{Min: 0, Max: MaxTenants}
	case types.StringKind:
		return &checker.SizeEstimate{Min: 0, Max: maxString}
	}
	return nil
}

// EstimateCallCost implements checker.CostEstimator.
func (sizes) EstimateCallCost(_, id string, _ *checker.AstNode, args []checker.AstNode) *checker.CallEstimate {
	size := func(n checker.AstNode, most uint64) uint64 {
		if s := n.ComputedSize(); s != nil {
			return s.Max
		}
		return most
	}
	switch id {
	case dominantShareID:
		if len(args) > 0 {
			return &checker.CallEstimate{CostEstimate: checker.CostEstimate{Min: 1, Max: 1 + size(args[0], MaxResources)}}
		}
	case sumIntID, sumRatioID:
		if len(args) > 0 {
			return &checker.CallEstimate{CostEstimate: checker.CostEstimate{Min: 1, Max: 1 + size(args[0], MaxTenants)}}
		}
	}
	return nil
}

// costTrackers are the run-time counterparts of sizes.EstimateCallCost.
func costTrackers() []interpreter.CostTrackerOption {
	bySize := func(args []ref.Val, _ ref.Val) *uint64 {
		cost := uint64(1)
		if s, ok := args[0].(traits.Sizer); ok {
			if n, ok := s.Size().(types.Int); ok {
				cost += uint64(n)
			}
		}
		return &cost
	}
	var out []interpreter.CostTrackerOption
	for _, id := range []string{dominantShareID, sumIntID, sumRatioID} {
		out = append(out, interpreter.OverloadCostTracker(id, bySize))
	}
	return out
}

// object is the ref.Val of a tenant, of params and of variables: its fields are read through the provider.
type object struct {
	t *types.Type
	v any
}

// ConvertToNative implements ref.Val.
func (o object) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("no conversion of %s to %v", o.t.TypeName(), t)
}

// ConvertToType implements ref.Val.
func (o object) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return o.t
	}
	return types.NewErr("no conversion of %s to %s", o.t.TypeName(), t.TypeName())
}

// Equal implements ref.Val: identity.
func (o object) Equal(other ref.Val) ref.Val {
	p, ok := other.(object)
	return types.Bool(ok && o.v == p.v)
}

// Type implements ref.Val.
func (o object) Type() ref.Type { return o.t }

// Value implements ref.Val.
func (o object) Value() any { return o.v }
