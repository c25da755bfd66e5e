package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/interlock/interlock/policy/strictyaml"
)

// Record is a policy as it can be kept: the document, the values of its parameters as JSON, and the digest of both.
type Record struct {
	Name   string                     `json:"name"`
	Digest string                     `json:"digest"`
	Text   string                     `json:"text"`
	Params map[string]json.RawMessage `json:"params,omitempty"`
}

// Record returns the policy's record.
func (p *Policy) Record() (Record, error) {
	r := Record{Name: p.name, Digest: p.Digest(), Text: string(p.Text()), Params: map[string]json.RawMessage{}}
	for _, q := range p.params {
		v, err := plain(q.Value)
		if err != nil {
			return Record{}, fmt.Errorf("param %s: %w", q.Name, err)
		}
		if r.Params[q.Name], err = json.Marshal(v); err != nil {
			return Record{}, fmt.Errorf("param %s: %w", q.Name, err)
		}
	}
	return r, nil
}

// plain is a parameter's value as JSON has it. Ratios are texts, exactly.
func plain(v ref.Val) (any, error) {
	switch v := v.(type) {
	case types.Int:
		return int64(v), nil
	case types.Bool:
		return bool(v), nil
	case types.String:
		return string(v), nil
	case Ratio:
		return v.String(), nil
	case traits.Mapper:
		m := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			k := it.Next()
			name, ok := k.(types.String)
			if !ok {
				return nil, fmt.Errorf("a key is a %s", k.Type())
			}
			x, err := plain(v.Get(k))
			if err != nil {
				return nil, err
			}
			m[string(name)] = x
		}
		return m, nil
	case traits.Lister:
		list := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			x, err := plain(it.Next())
			if err != nil {
				return nil, err
			}
			list = append(list, x)
		}
		return list, nil
	}
	return nil, fmt.Errorf("a value of type %s", v.Type())
}

// Policy compiles the policy again. It is an error if the outcome is another one than was recorded.
func (r Record) Policy() (*Policy, error) {
	p, err := Parse(r.Name, []byte(r.Text))
	if err != nil {
		return nil, err
	}
	values := map[string]json.RawMessage{}
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		values[name] = r.Params[name]
	}
	if len(values) > 0 {
		text, err := json.Marshal(values) // JSON is YAML
		if err != nil {
			return nil, err
		}
		doc, root := strictyaml.ParseLarge(r.Name+" params", text)
		p = p.With(root)
		if err := doc.Err(); err != nil {
			return nil, err
		}
	}
	if p.Digest() != r.Digest {
		return nil, fmt.Errorf("policy %s: it is not the one that was recorded: its digest is %s, not %s", r.Name, p.Digest(), r.Digest)
	}
	return p, nil
}
