package policy

import (
	"fmt"
	"math"
	"sort"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/interlock/interlock/policy/strictyaml"
)

// Param is a parameter of a policy: the document says its type, its bounds and its value unless a site gives another.
type Param struct {
	Name, Kind, Description string
	Type                    *types.Type
	// Value is of Type: types.Int, types.Bool, types.String, Ratio, or a traits.Lister or traits.Mapper of such.
	Value ref.Val

	initial     ref.Val   // as the document has it
	least, most *Ratio    // of a number, or of each in a map
	oneOf       []ref.Val // of a string, or of each in a list or map
}

// paramTypes are the kinds of parameters.
func paramTypes() map[string]*types.Type {
	return map[string]*types.Type{
		"int": types.IntType, "bool": types.BoolType, "string": types.StringType, "ratio": ratioType,
		"list(string)": types.NewListType(types.StringType),
		"map(int)":     amountsType,
		"map(ratio)":   types.NewMapType(types.StringType, ratioType),
		"map(string)":  types.NewMapType(types.StringType, types.StringType),
	}
}

// maxEntries bounds a parameter that is a list or a map: one for each tenant.
const maxEntries = MaxTenants

// Params are the policy's parameters with their values, in the document's order.
func (p *Policy) Params() []Param { return append([]Param(nil), p.params...) }

func (p *Policy) parseParams(c *compiler, n strictyaml.Node) {
	fields := c.provider.fields[paramsType.TypeName()]
	kinds := paramTypes()
	for _, item := range few(n, "params") {
		f := item.Fields([]string{"name", "type", "default"}, "description", "minimum", "maximum", "enum")
		q := Param{Name: f["name"].String(), Description: f["description"].String()}
		if !identifier.MatchString(q.Name) {
			f["name"].Errorf("name %q is not an identifier such as perTenant", q.Name)
			continue
		}
		if fields[q.Name] != nil {
			f["name"].Errorf("param %q is already declared", q.Name)
			continue
		}
		c.broken["params."+q.Name] = true
		q.Kind = f["type"].OneOf("int", "bool", "string", "ratio", "list(string)", "map(int)", "map(ratio)", "map(string)")
		q.Type = kinds[q.Kind]
		if q.Type == nil {
			continue
		}
		q.schema(f)
		if q.Value = q.read(f["default"]); q.Value == nil {
			continue
		}
		q.initial = q.Value
		delete(c.broken, "params."+q.Name)
		c.declare("params."+q.Name, f["name"])
		i := len(p.params)
		p.params = append(p.params, q)
		fields[q.Name] = &types.FieldType{
			Type:  q.Type,
			IsSet: func(any) bool { return true },
			GetFrom: func(target any) (any, error) {
				s, ok := target.(*scope)
				if !ok {
					return nil, fmt.Errorf("not params: %T", target)
				}
				return s.policy.params[i].Value, nil
			},
		}
	}
}

// schema reads the bounds of the values.
func (q *Param) schema(f map[string]strictyaml.Node) {
	bound := func(n strictyaml.Node) *Ratio {
		if !n.Present() {
			return nil
		}
		if q.Kind != "int" && q.Kind != "ratio" && q.Kind != "map(int)" && q.Kind != "map(ratio)" {
			n.Errorf("a %s has no bounds", q.Kind)
			return nil
		}
		r, err := ParseRatio(n.Text())
		if err != nil {
			n.Errorf("%v", err)
			return nil
		}
		return &r
	}
	q.least, q.most = bound(f["minimum"]), bound(f["maximum"])
	if e := f["enum"]; e.Present() {
		if q.Kind != "string" && q.Kind != "list(string)" && q.Kind != "map(string)" {
			e.Errorf("a %s has no enum", q.Kind)
		}
		for _, x := range e.List() {
			q.oneOf = append(q.oneOf, types.String(x.String()))
		}
	}
}

// read reads a value of the parameter; nil after a problem that leaves none.
func (q *Param) read(n strictyaml.Node) ref.Val {
	if !n.Present() {
		return nil
	}
	switch q.Kind {
	case "list(string)":
		items := n.List()
		if len(items) > maxEntries {
			n.Errorf("list has %d entries, at most %d are allowed", len(items), maxEntries)
			return nil
		}
		var out []ref.Val
		for _, x := range items {
			out = append(out, q.one("string", x))
		}
		return types.NewRefValList(types.DefaultTypeAdapter, out)
	case "map(int)", "map(ratio)", "map(string)":
		entries := n.Entries()
		if len(entries) > maxEntries {
			n.Errorf("map has %d entries, at most %d are allowed", len(entries), maxEntries)
			return nil
		}
		m := map[string]ref.Val{}
		for _, e := range entries {
			if m[e.Key] = q.one(q.Kind[4:len(q.Kind)-1], e.Value); m[e.Key] == nil {
				return nil
			}
		}
		return newStringMap(m)
	}
	return q.one(q.Kind, n)
}

// one reads a single value and holds it against the schema.
func (q *Param) one(kind string, n strictyaml.Node) ref.Val {
	switch kind {
	case "bool":
		return types.Bool(n.Bool())
	case "string":
		s := n.String()
		if len(s) > maxString {
			n.Errorf("string has %d characters, at most %d are allowed", len(s), maxString)
		}
		known := q.oneOf == nil
		for _, x := range q.oneOf {
			known = known || x == types.String(s)
		}
		if !known {
			n.Errorf("%q is not one of %v", s, q.oneOf)
		}
		return types.String(s)
	case "int":
		i := n.Int(math.MinInt64, math.MaxInt64)
		q.within(n, integer(i))
		return types.Int(i)
	case "ratio":
		r, err := ParseRatio(n.Text())
		if err != nil {
			n.Errorf("%v", err)
			return nil
		}
		q.within(n, r)
		return r
	}
	return nil
}

func (q *Param) within(n strictyaml.Node, r Ratio) {
	if q.least != nil && r.Cmp(*q.least) < 0 {
		n.Errorf("%s is less than %s, the minimum of %s", r, *q.least, q.Name)
	}
	if q.most != nil && r.Cmp(*q.most) > 0 {
		n.Errorf("%s is more than %s, the maximum of %s", r, *q.most, q.Name)
	}
}

// With is the policy with the values that n, a mapping, gives to parameters. Problems go to n's document.
func (p *Policy) With(n strictyaml.Node) *Policy {
	out := *p
	out.params = append([]Param(nil), p.params...)
	for _, e := range n.Entries() {
		found := false
		for i := range out.params {
			if q := &out.params[i]; q.Name == e.Key {
				found = true
				if v := q.read(e.Value); v != nil {
					q.Value = v
				}
			}
		}
		if !found {
			e.At.Errorf("policy %s has no param %q (it has: %s)", p.name, e.Key, p.paramNames())
		}
	}
	return &out
}

// AsPriced is the policy with no more of what a site set than its price reads: the other parameters are as the document has them.
func (p *Policy) AsPriced() *Policy {
	read := map[string]bool{}
	if p.price != nil {
		for _, name := range p.price.Params() {
			read[name] = true
		}
	}
	out := *p
	out.params = append([]Param(nil), p.params...)
	for i := range out.params {
		if q := &out.params[i]; !read[q.Name] {
			q.Value = q.initial
		}
	}
	return &out
}

func (p *Policy) paramNames() string {
	if len(p.params) == 0 {
		return "none"
	}
	var out []string
	for _, q := range p.params {
		out = append(out, q.Name)
	}
	sort.Strings(out)
	return joined(out)
}

// newStringMap is a CEL map whose order is that of its keys.
func newStringMap(m map[string]ref.Val) ref.Val {
	s := &stringMap{values: m}
	for k := range m {
		s.keys = append(s.keys, k)
	}
	sort.Strings(s.keys)
	s.Mapper = types.NewRefValMap(types.DefaultTypeAdapter, refKeys(m))
	return s
}

func refKeys(m map[string]ref.Val) map[ref.Val]ref.Val {
	out := make(map[ref.Val]ref.Val, len(m))
	for k, v := range m {
		out[types.String(k)] = v
	}
	return out
}

// stringMap is a map with strings as keys that is gone through in their order.
type stringMap struct {
	traits.Mapper
	keys   []string
	values map[string]ref.Val
}

// Iterator implements traits.Iterable: the keys, sorted.
func (m *stringMap) Iterator() traits.Iterator { return &namesIterator{names: m.keys} }
