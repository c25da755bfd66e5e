package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// Plain is a value of a policy as YAML has it: ratios are written as text, maps have strings as keys.
func Plain(v ref.Val) any {
	switch v := v.(type) {
	case types.Int:
		return int64(v)
	case types.Bool:
		return bool(v)
	case types.String:
		return string(v)
	case Ratio:
		return v.String()
	case *types.Optional:
		if !v.HasValue() {
			return nil
		}
		return Plain(v.GetValue())
	case traits.Mapper:
		out := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			k := it.Next()
			out[fmt.Sprint(k.Value())] = Plain(v.Get(k))
		}
		return out
	case traits.Lister:
		out := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			out = append(out, Plain(it.Next()))
		}
		return out
	case object:
		if t, ok := v.v.(*tenantState); ok {
			return t.Name
		}
	}
	return fmt.Sprint(v.Value())
}

// Show is a value in a line of text, such as {a: 1/2, b: 1}.
func Show(v ref.Val) string { return showPlain(Plain(v)) }

func showPlain(x any) string {
	switch x := x.(type) {
	case nil:
		return "none"
	case map[string]any:
		var all []string
		for _, k := range slices.Sorted(maps.Keys(x)) {
			all = append(all, k+": "+showPlain(x[k]))
		}
		return "{" + strings.Join(all, ", ") + "}"
	case []any:
		var all []string
		for _, v := range x {
			all = append(all, showPlain(v))
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	return fmt.Sprint(x)
}
