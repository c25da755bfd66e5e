package policy

import (
	"fmt"
	"reflect"
	"sort"

	"github.com/google/cel-go/cel"
	celenv "github.com/google/cel-go/common/env"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
)

var (
	tenantType    = types.NewObjectType("interlock.Tenant")
	paramsType    = types.NewObjectType("interlock.Params")
	variablesType = types.NewObjectType("interlock.Variables")
)

// provider resolves the fields of tenant, params and variables; the latter two grow while a document is compiled, so that a
// variable sees only those before it.
type provider struct {
	types.Provider
	fields map[string]map[string]*types.FieldType
}

func newProvider(base types.Provider) *provider {
	return &provider{base, map[string]map[string]*types.FieldType{
		tenantType.TypeName():    tenantFields(),
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

// newEnv is the environment of a document's expressions.
func newEnv(p **provider) (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	*p = newProvider(registry)
	opts := []cel.EnvOption{
		cel.CustomTypeAdapter(registry),
		cel.CustomTypeProvider(registry), // the optional type adds itself to it
		cel.StdLib(cel.StdLibSubset(&celenv.LibrarySubset{
			IncludeMacros:    []string{operators.Has, operators.All, operators.Exists, operators.ExistsOne, operators.Map, operators.Filter},
			IncludeFunctions: functionSubset(),
		})),
		cel.OptionalTypes(cel.OptionalTypesVersion(1)),
		ext.TwoVarComprehensions(),
		cel.CustomTypeProvider(*p),
		cel.ParserExpressionSizeLimit(MaxExpression),
		cel.ParserRecursionLimit(64),
	}
	for name, t := range Names() {
		opts = append(opts, cel.Variable(name, t))
	}
	return cel.NewCustomEnv(append(opts, ratioFunctions()...)...)
}

// Functions are the overloads that expressions may call, by function; which of them a call means is in AST's reference map. It also
// has those that macros call.
func Functions() (map[string][]string, error) {
	var p *provider
	env, err := newEnv(&p)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for name, f := range env.Functions() {
		for _, o := range f.OverloadDecls() {
			out[name] = append(out[name], o.ID())
		}
		sort.Strings(out[name])
	}
	return out, nil
}

// Names are what expressions may read, with their types.
func Names() map[string]*types.Type {
	return map[string]*types.Type{
		"tenant":    tenantType,
		"oldTenant": tenantType,
		"tenants":   types.NewListType(tenantType),
		"capacity":  amountsType,
		"free":      amountsType,
		"params":    paramsType,
		"variables": variablesType,
	}
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
